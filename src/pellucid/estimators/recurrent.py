"""What the recurrent estimators share: their input, layers and parameters."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from typing import Any, ClassVar

from pellucid import checks
from pellucid.data import Encoder, SequenceEncoder, TableEncoder, TokenEncoder
from pellucid.data.sequence_encoder import LONG
from pellucid.estimators.forecasting import Forecaster
from pellucid.estimators.tasks import NetworkClassification
from pellucid.estimators.text import TextEstimator
from pellucid.layers import GlobalAvgPool, Layer, Linear
from pellucid.layers.base import MOST_LAYERS

_STEPWISE = ("return_sequences", "tbptt_steps")  # with them not all states are there together


@dataclass(eq=False, repr=False)
class RecurrentEstimator(TextEstimator):
    """Abstract: recurrent layers, and an output layer on what they make of the sequence.

    Parameters
    ----------
    hidden_dim : int
        Numbers of a state.
    num_layers : int
        Number of recurrent layers; each gives all its states to the next.
    bidirectional : bool
        Whether each layer also runs from the end to the beginning, with weights of its own.
    dropout : float
        The share of each layer's states set to zero on their way to the next layer, in training.
    return_sequences : bool
        Whether every step of a sequence has a target and a prediction, and not the sequence as a
        whole. y and predictions are then arrays (rows, steps), lists of arrays (steps,), or have
        one entry for each row of a long table, as X is; several targets take one more axis.
    pooling : {"auto", "last", "mean"}
        What the output layer gets of a sequence: its last state, or the mean of all its states. The
        mean learns the classes of long sequences much sooner, since nothing has to be kept to the
        end; "auto" takes it for classes where the longest sequence has at least 50 steps, or
        patches, but not of text, and not with `return_sequences` or `tbptt_steps`.
    patch_size : int or "auto"
        How many neighbouring steps are read as one, side by side (a patch); each patch begins half
        a patch after the one before. It makes long sequences short, so that a state keeps what it
        needs to the end. "auto" is 1, no patches, but for classes: of a longest sequence of at
        least 50 steps it makes about 36 patches, but not with `return_sequences` or `tbptt_steps`.
        Text and windows are read step by step.
    learning_rate : float
        The largest learning rate. More than for other networks: gates open slowly, and clipped
        gradients do no harm.
    clip_norm : float or None
        The largest norm of the whole gradient. Through many steps gradients can explode.
    tbptt_steps : int or None
        Through how many steps a gradient goes back at most (truncated backpropagation through
        time); None is all. Longer sequences are cut into pieces of as many steps: each goes on from
        the last state of the piece before, and memory holds one piece.
    """

    hidden_dim: int = 64
    num_layers: int = 1
    bidirectional: bool = False
    dropout: float = 0.0
    return_sequences: bool = False
    _: KW_ONLY
    learning_rate: float = 0.01
    clip_norm: float | None = 1.0
    tbptt_steps: int | None = None
    pooling: str = "auto"
    patch_size: int | str = "auto"

    _layer: ClassVar[Any]
    """The kind of recurrent layer."""
    _usual_pooling: ClassVar[str] = "last"
    """What `pooling` is for long sequences where nothing is said."""
    _usual_patch: ClassVar[int | str] = 1
    """What `patch_size` is where nothing is said."""

    _input: Any = field(init=False)  # a SequenceEncoder, or of text a TokenEncoder
    _learned = (
        "sequences_ : SequenceEncoder, or of text TokenEncoder\n    What was learned about X."
    )
    _related = "pellucid.formulas.{formula} : the formula, forward and backward."

    @property
    def sequences_(self) -> SequenceEncoder | TokenEncoder:
        """What was learned about the sequences and their features, or about text."""
        return self._input

    @property
    def table_(self) -> TableEncoder:
        """What was learned about the features, over all steps."""
        return self._input.table

    def _inputs(self) -> list[Encoder]:
        by_step = checks.flag("return_sequences", type(self).__name__, self.return_sequences)
        known, patch = self._vocabulary(), self._patch()
        usual = SequenceEncoder(
            self.group, self.time, by_step, vocabulary=known, patch_size=patch, **self._as_planned
        )
        if self._as_planned or self.group is not None or self.time is not None:
            return [usual]
        return [self._token_encoder(by_step=by_step), usual]

    @property
    def _stepwise(self) -> str | None:
        """The name of a parameter that goes through the steps one by one, if it is set."""
        return next((name for name in _STEPWISE if getattr(self, name)), None)

    def _patch(self) -> int | str:
        """The `patch_size` of sequences of numbers; "auto" if their lengths decide."""
        owner, size, taken = type(self).__name__, self.patch_size, self._stepwise
        if isinstance(size, str) and size == "auto":
            return 1 if taken else self._usual_patch
        if isinstance(size, str):
            expected = 'a positive integer or "auto"'
            raise ValueError(checks.fault("patch_size", owner, expected, size))
        size = checks.positive_integer("patch_size", owner, size)
        if size > 1 and self.return_sequences:
            expected = '"auto" or 1 where return_sequences is set: each step has a target'
            raise ValueError(checks.fault("patch_size", owner, expected, size))
        return size

    def _layers(self, outputs: int) -> list[Layer]:
        owner = type(self).__name__
        layer = self._layer(
            hidden_dim=checks.positive_integer("hidden_dim", owner, self.hidden_dim),
            num_layers=checks.positive_integer("num_layers", owner, self.num_layers, MOST_LAYERS),
            bidirectional=checks.flag("bidirectional", owner, self.bidirectional),
            dropout=checks.number("dropout", owner, self.dropout, 0, 1, open_high=True),
            return_sequences=self.return_sequences or self._pooling() == "mean",
        )
        pooled = [GlobalAvgPool()] if self._pooling() == "mean" else []
        if self._input.token_count and self._patch() not in (1, "auto"):
            expected = '"auto" or 1 for text, whose tokens are read one by one'
            raise ValueError(checks.fault("patch_size", owner, expected, self.patch_size))
        return [*self._embedding(), *layer.stack(), *pooled, Linear(outputs)]

    def _pooling(self) -> str:
        """What the output layer gets of the sequences that were learned about."""
        owner = type(self).__name__
        pooling = checks.one_of("pooling", owner, self.pooling, ("auto", "last", "mean"))
        taken = self._stepwise
        if pooling == "mean" and taken is not None:
            expected = f'"auto" or "last" where {taken} is set: not all states are there together'
            raise ValueError(checks.fault("pooling", owner, expected, pooling))
        if pooling == "auto":
            learned = self._input
            last = taken or learned.domain == "text" or learned.shape[0] < LONG
            return "last" if last else self._usual_pooling
        return pooling

    def _tbptt_steps(self) -> int | None:
        if self.tbptt_steps is None:
            return None
        owner = type(self).__name__
        steps = checks.positive_integer("tbptt_steps", owner, self.tbptt_steps)
        if self.bidirectional:
            expected = "None where bidirectional is True: one direction begins at the end"
            raise ValueError(checks.fault("tbptt_steps", owner, expected, steps))
        return steps


_PAGE = """
X is an array (rows, steps, features) or (rows, steps), a list of arrays (steps, features) of
unequal lengths, or a long table with the columns `group` and `time`; NaN is a missing value. Or it
is text: a list of strings, a column of them, or lists of words.

{sections}

Examples
--------
>>> import numpy as np
>>> from pellucid import {name}
>>> X = np.random.default_rng(0).normal(size=(300, 12, 2))      # 300 sequences, 12 steps
>>> y = {y}
>>> model = {name}(16, max_epochs=20, random_state=0, verbose=0).fit(X[:200], y[:200])
>>> bool(model.score(X[200:], y[200:]) > 0.8)
True"""


@dataclass(eq=False, repr=False)
class _TableColumns:
    """Abstract: the columns of a long table that say where each row belongs.

    Parameters
    ----------
    group : str
        In a long table, the column that says which sequence a row belongs to.
    time : str
        In a long table, the column by which the rows of a sequence are sorted.
    """

    group: str | None = None
    time: str | None = None


class RecurrentClassification(_TableColumns, NetworkClassification, RecurrentEstimator):
    """Abstract: predicts one class, or any number of labels, for a sequence or a step."""

    _usual_pooling = "mean"
    _usual_patch = "auto"
    _page = _PAGE.replace("{y}", 'np.where(X[:, :, 0].sum(axis=1) > 0, "up", "down")')


class RecurrentRegression(_TableColumns, Forecaster, RecurrentEstimator):
    """Abstract: predicts one number or several for a sequence or a step."""

    _page = _PAGE.replace("{y}", "X[:, :, 0].sum(axis=1)")
