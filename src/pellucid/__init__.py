"""The classic neural networks as scikit-learn estimators: fast on a CPU, the same bits everywhere.

Names are imported when they are first used, so that ``import pellucid`` costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOME = {
    "CNNClassifier": "estimators",
    "CNNRegressor": "estimators",
    "FCNNClassifier": "estimators",
    "FCNNRegressor": "estimators",
    "NetworkClassifier": "estimators",
    "NetworkRegressor": "estimators",
    "Network": "network",
    "GRUClassifier": "estimators",
    "GRURegressor": "estimators",
    "LSTMClassifier": "estimators",
    "LSTMRegressor": "estimators",
    "RNNClassifier": "estimators",
    "RNNRegressor": "estimators",
    "list_pictures": "data",
    "load": "files",
}

__all__ = [
    "CNNClassifier",
    "CNNRegressor",
    "FCNNClassifier",
    "FCNNRegressor",
    "GRUClassifier",
    "GRURegressor",
    "LSTMClassifier",
    "LSTMRegressor",
    "Network",
    "NetworkClassifier",
    "NetworkRegressor",
    "RNNClassifier",
    "RNNRegressor",
    "__version__",
    "list_pictures",
    "load",
]

if TYPE_CHECKING:
    from pellucid.data import list_pictures
    from pellucid.estimators import (
        CNNClassifier,
        CNNRegressor,
        FCNNClassifier,
        FCNNRegressor,
        GRUClassifier,
        GRURegressor,
        LSTMClassifier,
        LSTMRegressor,
        NetworkClassifier,
        NetworkRegressor,
        RNNClassifier,
        RNNRegressor,
    )
    from pellucid.files import load
    from pellucid.network import Network


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'pellucid' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"pellucid.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
