"""The classic neural networks as scikit-learn estimators: fast on a CPU, the same bits everywhere.

Names are imported when they are first used, so that ``import pellucid`` costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOME = {
    "Network": "network",
    "card": "reports.card",
    "list_pictures": "data",
    "load": "estimators.loading",
    "report": "reports",
    "scan": "data.scan",
}

_MODULES = frozenset({
    "data", "distributed", "export", "formulas", "inspection", "layers", "network", "training"
})  # fmt: skip

# estimators in the order in which the command line names their networks
__all__ = [
    "FCNNClassifier",
    "FCNNRegressor",
    "CNNClassifier",
    "CNNRegressor",
    "RNNClassifier",
    "RNNRegressor",
    "LSTMClassifier",
    "LSTMRegressor",
    "GRUClassifier",
    "GRURegressor",
    "NetworkClassifier",
    "NetworkRegressor",
    "Network",
    "__version__",
    "card",
    "list_pictures",
    "load",
    "report",
    "scan",
]

if TYPE_CHECKING:
    from pellucid.data import list_pictures
    from pellucid.data.scan import scan
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
    from pellucid.estimators.loading import load
    from pellucid.network import Network
    from pellucid.reports import report
    from pellucid.reports.card import card


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"pellucid.{name}")
    if name not in __all__:
        raise AttributeError(f"module 'pellucid' has no attribute {name!r}")
    module = importlib.import_module(f"pellucid.{_HOME.get(name, 'estimators')}")
    globals()[name] = value = getattr(module, name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_MODULES})
