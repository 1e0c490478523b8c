"""Parameters as plain values that JSON can hold, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from pellucid.layers import Layer, layer_from_config
from pellucid.training.optimizers import OPTIMIZERS, Optimizer
from pellucid.training.schedules import SCHEDULES, Schedule


def to_plain(value: Any) -> Any:
    """`value` for JSON. What is code or a generator's state (callbacks, RandomState) becomes None."""
    if isinstance(value, Layer):
        return value.config()
    if isinstance(value, (Optimizer, Schedule)):
        kind = "optimizer" if isinstance(value, Optimizer) else "schedule"
        return {
            kind: type(value).__name__,
            **{each.name: getattr(value, each.name) for each in fields(value) if each.init},  # type: ignore[arg-type]
        }
    if isinstance(value, Mapping):
        return {"pairs": [[to_plain(key), to_plain(each)] for key, each in value.items()]}
    if isinstance(value, (list, tuple)):
        found = [to_plain(each) for each in value]
        return {"tuple": found} if isinstance(value, tuple) else found
    if isinstance(value, np.generic):
        return value.item()
    return value if value is None or isinstance(value, (bool, int, float, str)) else None


def from_plain(value: Any) -> Any:
    """What :func:`to_plain` described."""
    if isinstance(value, list):
        return [from_plain(each) for each in value]
    if not isinstance(value, dict):
        return value
    if "layer" in value:
        return layer_from_config(value)
    if "pairs" in value:
        return {from_plain(key): from_plain(each) for key, each in value["pairs"]}
    if "tuple" in value:
        return tuple(from_plain(each) for each in value["tuple"])
    for kind, known in (("optimizer", OPTIMIZERS), ("schedule", SCHEDULES)):
        if kind in value:
            rest = {name: each for name, each in value.items() if name != kind}
            return {each.__name__: each for each in known.values()}[value[kind]](**rest)
    raise ValueError(f"a parameter of the model must be a plain value. Got {value!r}.")
