"""What a fit has learned of rows on disk, kept in their cache, and taken from there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.checks import file_name
from pellucid.data import target_from_state
from pellucid.network.parameters import below
from pellucid.rows import Stale, Store


def opened(
    path: Path, key: str, note: Callable[[str], object], stale: str, taken: str
) -> Store | None:
    """The store with this `key`; None where it has to be made, which is said if one is there.

    `stale` says what is wrong with one that cannot be used, `taken` what is done with one that can.
    """
    try:
        store = Store.open(path, key)
    except FileNotFoundError:
        return None
    except Stale:
        note(f"The cache {file_name(path)} is {stale}: made anew")
        return None
    note(taken)
    return store


def learned(encoder: Any, target: Any) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The states of an encoder and a target, and what they say: for JSON, and arrays by name."""
    about: dict[str, Any] = {"input_notes": list(encoder.notes), "target_notes": list(target.notes)}
    arrays: dict[str, np.ndarray] = {}
    for name, part in (("input", encoder), ("target", target)):
        about[name], own = part.state()
        arrays |= {f"{name}.{key}": array for key, array in own.items()}
    return about, arrays


def take_over(model: Any, encoder: Any, store: Any, more: list[str]) -> None:
    """Let a model know what a store has, by an encoder that has learned nothing or just that.

    `more` are notes of the encoder beside its own.
    """
    about, arrays = store.about, store.arrays
    encoder.from_state(about["input"], below(arrays, "input"))
    encoder.notes = [*about["input_notes"], *more]
    encoder.name_features(model)
    target = target_from_state(about["target"], below(arrays, "target"))
    target.notes = about["target_notes"]
    model._input, model.target_ = encoder, target
