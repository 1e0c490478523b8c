"""What the recurrent estimators share: their input, their layers, their parameters."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from pellucid import checks
from pellucid.data import SequenceEncoder, TableEncoder
from pellucid.estimators.base import NetworkEstimator
from pellucid.estimators.tasks import NetworkClassification, NetworkRegression
from pellucid.layers import Layer, Linear


class RecurrentEstimator(NetworkEstimator):
    """Abstract: recurrent layers, and an output layer on the last state or on each."""

    _input: SequenceEncoder

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
        by_step = checks.flag("return_sequences", type(self).__name__, self.return_sequences)
        return SequenceEncoder(self.group, self.time, by_step)

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

    def _tbptt_steps(self) -> int | None:
        if self.tbptt_steps is None:
            return None
        owner = type(self).__name__
        steps = checks.positive_integer("tbptt_steps", owner, self.tbptt_steps)
        if self.bidirectional:
            expected = "None where bidirectional is True: one direction begins at the end"
            raise ValueError(checks.fault("tbptt_steps", owner, expected, steps))
        return steps

    @abstractmethod
    def _layer(self, **parameters: Any) -> Layer:
        """The recurrent layer, or stack of layers, of these parameters."""


class RecurrentClassification(NetworkClassification, RecurrentEstimator):
    """Abstract: one class a sequence or a step, or any number of labels."""


class RecurrentRegression(NetworkRegression, RecurrentEstimator):
    """Abstract: one number a sequence or a step, or several."""
