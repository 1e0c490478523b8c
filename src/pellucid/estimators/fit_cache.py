"""The cache of a fit on disk: whether it can be used or made, and what was learned, kept there."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.checks import file_name, size_text
from pellucid.data import target_from_state
from pellucid.estimators.plain import NotPlain, to_plain
from pellucid.files import NUMERIC_VERSION
from pellucid.memory import resident_memory
from pellucid.network.parameters import below
from pellucid.rows import Stale, Store
from pellucid.training.settings import Settings

_FORMAT = 1
_LEAST = 64 << 20  # bytes beside what the process has already


def key_of(model: Any, settings: Settings, **parts: Any) -> str:
    """SHA-256 of all that the encoded rows depend on: `parts`, and what any fit has."""
    class_weight = getattr(model, "class_weight", None)
    with contextlib.suppress(NotPlain):  # it is refused where it is used
        class_weight = to_plain(class_weight)
    parts |= {
        "format": _FORMAT,
        "numeric_version": NUMERIC_VERSION,
        "dtype": settings.dtype,
        "seed": settings.seed,
        "class_weight": class_weight,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=repr).encode()).hexdigest()


def opened(path: Path, key: str, note: Callable[[str], object], taken: str) -> Store | None:
    """The store with this `key`; None where it has to be made, which is said if one is there.

    `taken` says what is done with one that can be used.
    """
    try:
        store = Store.open(path, key)
    except FileNotFoundError:
        return None
    except Stale:
        note(f"The cache {file_name(path)} is damaged, or of other data: made anew")
        return None
    note(taken)
    return store


def room(scan: Any) -> int:
    """The bytes that a fit on a scan may use, beside what the process has; a MemoryError if few."""
    there = resident_memory()
    if scan.memory < there + _LEAST:
        raise MemoryError(
            f"memory of the scan of {scan.name} must be at least {size_text(there + _LEAST)}: this "
            f"process has {size_text(there)} already. Got {size_text(scan.memory)}."
        )
    return int(scan.memory - there)


def space(scan: Any, size: int, memory: int) -> str:
    """What a cache of so many bytes takes and where, in words; an OSError if there is no space."""
    path: Path = scan.cache_path
    needed = size if size <= memory else 2 * size  # rows are put in their places in a file
    free = shutil.disk_usage(path.parent).free
    if free < needed:
        raise OSError(
            f"the cache of {scan.name} needs {size_text(needed)} in {file_name(path.parent)}. Got "
            f"{size_text(free)} that are free. Make room, or name another place by cache."
        )
    return f"their cache takes {size_text(size)} in {file_name(path)}"


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
