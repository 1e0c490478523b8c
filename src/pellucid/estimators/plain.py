"""Parameters as plain values that JSON can hold, and back."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from pellucid import checks
from pellucid.layers import Layer, is_known, layer_from_config
from pellucid.training.optimizers import OPTIMIZERS, Optimizer
from pellucid.training.schedules import SCHEDULES, Schedule

_KINDS: tuple[tuple[str, type, Mapping[str, type]], ...] = (
    ("optimizer", Optimizer, OPTIMIZERS),
    ("schedule", Schedule, SCHEDULES),
)


class NotPlain(TypeError):
    """A value that JSON cannot hold, such as code or a generator's state."""


def plain_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters for JSON; those that it cannot hold are left out, and are read as their defaults.

    Those are callbacks, a RandomState, and layers, optimisers and schedules of the user's own.
    """
    plain = {}
    for name, value in parameters.items():
        with contextlib.suppress(NotPlain):
            plain[name] = to_plain(value)
    return plain


def to_plain(value: Any) -> Any:
    """`value` for JSON; a NotPlain where JSON cannot hold it."""
    if isinstance(value, Layer):
        if not is_known(value):
            raise NotPlain(type(value).__name__)
        return {name: to_plain(setting) for name, setting in value.config().items()}
    for kind, base, known in _KINDS:
        if isinstance(value, base):
            if type(value) not in known.values():
                raise NotPlain(type(value).__name__)
            values = {x.name: to_plain(getattr(value, x.name)) for x in fields(value) if x.init}  # type: ignore[arg-type]
            return {kind: type(value).__name__, **values}
    if isinstance(value, Mapping):
        return {"pairs": [[to_plain(key), to_plain(entry)] for key, entry in value.items()]}
    if isinstance(value, (list, tuple)):
        entries = [to_plain(entry) for entry in value]
        return {"tuple": entries} if isinstance(value, tuple) else entries
    if isinstance(value, np.generic):
        # a longdouble's item() would be a longdouble again
        value = float(value) if isinstance(value, np.floating) else value.item()
    if isinstance(value, str):
        return str.__str__(value)  # of a class of the user's, such as StrEnum
    value = checks.plain(value)
    if value is None or type(value) in (bool, int, float):
        return value
    raise NotPlain(type(value).__name__)


def from_plain(value: Any) -> Any:
    """What :func:`to_plain` described."""
    if isinstance(value, list):
        return [from_plain(entry) for entry in value]
    if value is None or type(value) in (bool, int, float, str):
        return value
    if not isinstance(value, dict):
        raise ValueError(
            f"a parameter of a saved model must be a plain value. Got {checks.shown(value)}."
        )
    if "layer" in value:
        return layer_from_config({name: from_plain(setting) for name, setting in value.items()})
    if "pairs" in value:
        return {from_plain(key): from_plain(entry) for key, entry in value["pairs"]}
    if "tuple" in value:
        return tuple(from_plain(entry) for entry in value["tuple"])
    for kind, _, known in _KINDS:
        if kind in value:
            settings = {name: from_plain(entry) for name, entry in value.items() if name != kind}
            classes = {known_class.__name__: known_class for known_class in known.values()}
            return classes[checks.one_of(kind, "a saved model", value[kind], classes)](**settings)
    raise ValueError(
        f"a parameter of a saved model must be a plain value. Got {checks.shown(value)}."
    )
