"""Plain recurrent networks: for sequences that need only a short memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pellucid import checks
from pellucid.estimators.parameters import estimator
from pellucid.estimators.recurrent import (
    RecurrentClassification,
    RecurrentEstimator,
    RecurrentRegression,
)
from pellucid.layers import RNN, Layer
from pellucid.layers.rnn import STATES


@dataclass(eq=False, repr=False)
class _RNN(RecurrentEstimator):
    """Abstract: layers whose state is ``h_t = f(U x_t + W h_{t-1} + b)``.

    Parameters
    ----------
    activation : {"tanh", "sigmoid", "relu"}
        The function f of the state.
    """

    activation: str = "tanh"

    def _layer(self, **parameters: Any) -> Layer:
        checks.one_of("activation", type(self).__name__, self.activation, STATES)
        return RNN(activation=self.activation, **parameters)


@estimator
class RNNClassifier(RecurrentClassification, _RNN):
    """A plain recurrent network that tells classes of sequences apart.

    {page}
    """


@estimator
class RNNRegressor(RecurrentRegression, _RNN):
    """A plain recurrent network that predicts numbers from sequences.

    {page}
    """
