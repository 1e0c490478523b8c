"""The networks that the command line offers: those of the public estimators."""

from __future__ import annotations

from typing import Any

import pellucid

_ENDINGS = {"classification": "Classifier", "regression": "Regressor"}

# all but NetworkClassifier, whose layers are written in Python
NETWORKS = [
    name.removesuffix("Classifier").lower()
    for name in pellucid.__all__
    if name.endswith("Classifier") and name != "NetworkClassifier"
]


def family(network: str, task: str) -> Any:
    """The estimator of a network for a task."""
    wanted = f"{network}{_ENDINGS[task]}".lower()
    return getattr(pellucid, next(name for name in pellucid.__all__ if name.lower() == wanted))


def takers(rows: str) -> list[str]:
    """The networks that take "pictures" or "sequences"."""
    return [name for name in NETWORKS if hasattr(family(name, "classification"), f"{rows}_")]
