"""Networks of gated recurrent units: for sequences."""

from __future__ import annotations

from typing import Any

from pellucid.estimators.parameters import estimator
from pellucid.estimators.recurrent import (
    RecurrentClassification,
    RecurrentEstimator,
    RecurrentRegression,
)
from pellucid.layers import GRU, Layer


class _GRU(RecurrentEstimator):
    """Abstract: its layers."""

    def _layer(self, **parameters: Any) -> Layer:
        return GRU(**parameters)


@estimator
class GRUClassifier(RecurrentClassification, _GRU):
    """A network of gated recurrent units that tells classes of sequences apart.

    {page}
    """


@estimator
class GRURegressor(RecurrentRegression, _GRU):
    """A network of gated recurrent units that predicts numbers from sequences.

    {page}
    """
