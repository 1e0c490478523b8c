"""Parameters as plain values that JSON can hold, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from pellucid import checks
from pellucid.layers import Layer, layer_from_config
from pellucid.training.optimizers import OPTIMIZERS, Optimizer
from pellucid.training.schedules import SCHEDULES, Schedule

_KINDS: tuple[tuple[str, type, Mapping[str, type]], ...] = (
    ("optimizer", Optimizer, OPTIMIZERS),
    ("schedule", Schedule, SCHEDULES),
)


def to_plain(value: Any) -> Any:
    """`value` for JSON. Code and generators' states become None.

    Those are callbacks, a RandomState, and optimisers and schedules that are not pellucid's own.
    """
    if isinstance(value, Layer):
        return {name: to_plain(each) for name, each in value.config().items()}
    for kind, base, known in _KINDS:
        if isinstance(value, base):
            if type(value) not in known.values():
                return None
            values = {x.name: to_plain(getattr(value, x.name)) for x in fields(value) if x.init}  # type: ignore[arg-type]
            return {kind: type(value).__name__, **values}
    if isinstance(value, Mapping):
        return {"pairs": [[to_plain(key), to_plain(each)] for key, each in value.items()]}
    if isinstance(value, (list, tuple)):
        found = [to_plain(each) for each in value]
        return {"tuple": found} if isinstance(value, tuple) else found
    if isinstance(value, np.generic):
        # a longdouble's item() would be a longdouble again
        value = float(value) if isinstance(value, np.floating) else value.item()
    return value if value is None or isinstance(value, (bool, int, float, str)) else None


def from_plain(value: Any) -> Any:
    """What :func:`to_plain` described."""
    if isinstance(value, list):
        return [from_plain(each) for each in value]
    if not isinstance(value, dict):
        return value
    if "layer" in value:
        return layer_from_config({name: from_plain(each) for name, each in value.items()})
    if "pairs" in value:
        return {from_plain(key): from_plain(each) for key, each in value["pairs"]}
    if "tuple" in value:
        return tuple(from_plain(each) for each in value["tuple"])
    for kind, _, known in _KINDS:
        if kind in value:
            rest = {name: from_plain(each) for name, each in value.items() if name != kind}
            named = {each.__name__: each for each in known.values()}
            return named[checks.one_of(kind, "a saved model", value[kind], named)](**rest)
    raise ValueError(
        f"a parameter of a saved model must be a plain value. Got {checks.shown(value)}."
    )
