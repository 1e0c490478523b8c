"""What the recurrent estimators share: their input, their layers, their parameters."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

import numpy as np

from pellucid import checks
from pellucid.data import Arrangement, Groups, SequenceEncoder, TableEncoder
from pellucid.data.columns import plain_array
from pellucid.estimators.base import NetworkEstimator
from pellucid.estimators.forecasting import Forecaster
from pellucid.estimators.tasks import NetworkClassification, NetworkRegression
from pellucid.layers import Layer, Linear


@dataclass(eq=False, repr=False)
class RecurrentEstimator(NetworkEstimator):
    """Abstract: recurrent layers, and an output layer on the last state or on each.

    Parameters
    ----------
    hidden_dim : int
        Numbers of a state.
    num_layers : int
        Recurrent layers, one upon the other; each gives all its states to the next.
    bidirectional : bool
        Whether each layer also goes from the end to the beginning, with weights of its own.
    dropout : float
        The share of each layer's states set to zero on their way to the next layer, in training.
    return_sequences : bool
        Whether there is a target, and a prediction, for each step of a sequence: y and what is
        predicted are then arrays (rows, steps), lists of arrays (steps,), or one entry for each row
        of a long table, as X is; with a further axis for several. Else there is one for each
        sequence.
    learning_rate : float
        The largest step. More than for other networks: gates open slowly, and clipped gradients do
        no harm.
    clip_norm : float or None
        The largest norm of the whole gradient. Through many steps gradients can explode.
    tbptt_steps : int or None
        Through how many steps a gradient goes back at most (truncated backpropagation through
        time); None is all. Longer sequences are worked through in pieces of as many steps: each
        goes on from the last state of the piece before, and memory holds one piece.
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

    _layer: ClassVar[Any]
    """The recurrent layer, made with the parameters that all of them have."""

    @property
    def sequences_(self) -> SequenceEncoder:
        """What was learned about the sequences and their features."""
        return self._input

    @property
    def table_(self) -> TableEncoder:
        """What was learned about the features, of all steps together."""
        return self._input.table

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def _new_input(self) -> SequenceEncoder:
        return SequenceEncoder(self.group, self.time)

    def _layers(self, outputs: int) -> list[Layer]:
        owner = type(self).__name__
        width = checks.positive_integer("hidden_dim", owner, self.hidden_dim)
        count = checks.positive_integer("num_layers", owner, self.num_layers)
        checks.flag("bidirectional", owner, self.bidirectional)
        rate = checks.number("dropout", owner, self.dropout, 0, 1, open_high=True)
        layer = self._layer(
            hidden_dim=width, num_layers=count, bidirectional=self.bidirectional, dropout=rate,
            return_sequences=self.return_sequences,
        )  # fmt: skip
        return [*layer.stack(), Linear(outputs)]

    def _arrangement(self, X: Any) -> Arrangement | None:
        if not checks.flag("return_sequences", type(self).__name__, self.return_sequences):
            return None
        return self._new_input().arrangement(self, X)

    def _tbptt_steps(self) -> int | None:
        if self.tbptt_steps is None:
            return None
        owner = type(self).__name__
        steps = checks.positive_integer("tbptt_steps", owner, self.tbptt_steps)
        if self.bidirectional:
            expected = "None where bidirectional is True: one direction begins at the end"
            raise ValueError(checks.fault("tbptt_steps", owner, expected, steps))
        return steps

    def _targets(self, X: Any, y: Any, name: str = "y") -> Any:
        groups = self._new_input().groups(self, X)
        owner = type(self).__name__
        return y if groups is None else of_groups(f"{name} of {owner}", X, y, groups)


_PAGE = """
X is an array (rows, steps, features) or (rows, steps), a list of arrays (steps, features) of
unequal lengths, or a long table with the columns `group` and `time`; NaN is a missing value.

Parameters
----------
{parameters}

Attributes
----------
sequences_ : SequenceEncoder
    What was learned about X.
{attributes}

See Also
--------
{see}
pellucid.formulas.{formula} : the formula, forward and backward.

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
    """Abstract: one class a sequence or a step, or any number of labels."""

    _page = _PAGE.replace("{see}", "{regressor} : for numbers.").replace(
        "{y}", 'np.where(X[:, :, 0].sum(axis=1) > 0, "up", "down")'
    )


class RecurrentRegression(_TableColumns, Forecaster, NetworkRegression, RecurrentEstimator):
    """Abstract: one number a sequence or a step, or several."""

    _page = _PAGE.replace("{see}", "{classifier} : for classes.").replace(
        "{y}", "X[:, :, 0].sum(axis=1)"
    )


def of_groups(name: str, X: Any, y: Any, groups: Groups) -> Any:
    """`y` with one entry a sequence: as it came, by the groups' names, or one of each group's.

    `name` is what errors call it.
    """
    if y is None:
        return None
    values = plain_array(y)
    count, rows, labels = len(values), len(groups.order), groups.labels
    index = _index(y)
    if count == rows and (index is None or count != len(labels) or _same(index, _index(X))):
        return _of_rows(name, np.asarray(values), groups)
    if count != len(labels):
        raise ValueError(
            f"{name} must have one entry for each of the {len(labels)} sequences, or for each of "
            f"the {rows} rows of X. Got {count}."
        )
    known = set(labels) & set(() if index is None else index)
    if not known:
        return y
    if len(known) < len(labels):
        missing = next(each for each in labels if each not in known)
        raise ValueError(
            f"the index of {name} must name every sequence, or none. Got "
            f"{checks.shown(next(iter(known)))} but not {checks.shown(missing)}. With its "
            "to_numpy() it is taken in the order in which sequences first come."
        )
    return y.loc[labels]


def _index(values: Any) -> Any:
    """The names of its rows, where a Series or DataFrame of pandas has any but their numbers."""
    import narwhals as nw

    if not (
        nw.dependencies.is_pandas_series(values) or nw.dependencies.is_pandas_dataframe(values)
    ):
        return None
    return None if type(values.index).__name__ == "RangeIndex" else values.index


def _same(index: Any, other: Any) -> bool:
    return other is not None and len(index) == len(other) and bool((index == other).all())


def _of_rows(name: str, values: np.ndarray, groups: Groups) -> np.ndarray:
    """One entry of each group, of one for each row."""
    ends = np.cumsum(groups.lengths)
    begins = ends - groups.lengths
    for label, begin, end in zip(groups.labels, begins, ends, strict=True):
        found = values[groups.order[begin:end]]
        absent = (found != found) & (found[0] != found[0])  # a missing target is told by its row
        other = np.flatnonzero(((found != found[0]) & ~absent).reshape(len(found), -1).any(axis=1))
        if len(other):
            raise ValueError(
                f"{name} must be the same in all rows of a sequence. Got "
                f"{checks.shown(found[0])} and {checks.shown(found[other[0]])} in "
                f"{checks.shown(label)}. For one in each row pass return_sequences=True."
            )
    return values[groups.order[begins]]
