"""Long short-term memory networks: for sequences."""

from __future__ import annotations

from typing import Any

from pellucid.estimators.parameters import estimator
from pellucid.estimators.recurrent import (
    RecurrentClassification,
    RecurrentEstimator,
    RecurrentRegression,
)
from pellucid.layers import LSTM, Layer


class _LSTM(RecurrentEstimator):
    """Abstract: its layers."""

    def _layer(self, **parameters: Any) -> Layer:
        return LSTM(**parameters)


@estimator
class LSTMClassifier(RecurrentClassification, _LSTM):
    """A long short-term memory network that tells classes of sequences apart.

    {page}
    """


@estimator
class LSTMRegressor(RecurrentRegression, _LSTM):
    """A long short-term memory network that predicts numbers from sequences.

    {page}
    """
