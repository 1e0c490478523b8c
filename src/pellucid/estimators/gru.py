"""Networks of gated recurrent units: for sequences."""

from __future__ import annotations

from pellucid.estimators.parameters import estimator
from pellucid.estimators.recurrent import RecurrentClassification, RecurrentRegression
from pellucid.layers import GRU


@estimator
class GRUClassifier(RecurrentClassification):
    """A network of gated recurrent units that tells classes of sequences apart.

    {page}
    """

    _layer = GRU


@estimator
class GRURegressor(RecurrentRegression):
    """A network of gated recurrent units that predicts numbers from sequences.

    {page}
    """

    _layer = GRU
