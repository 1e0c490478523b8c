"""Long short-term memory networks: for sequences."""

from __future__ import annotations

from pellucid.estimators.parameters import estimator
from pellucid.estimators.recurrent import RecurrentClassification, RecurrentRegression
from pellucid.layers import LSTM


@estimator
class LSTMClassifier(RecurrentClassification):
    """A long short-term memory network that tells classes of sequences apart.

    {page}
    """

    _layer = LSTM


@estimator
class LSTMRegressor(RecurrentRegression):
    """A long short-term memory network that predicts numbers from sequences.

    {page}
    """

    _layer = LSTM
