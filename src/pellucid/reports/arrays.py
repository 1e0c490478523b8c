"""Arrays in the page's data: float32 in base64, of large ones some places, and how they share room.

A number takes five and a half bytes of the page. Where a model has more of them than the page may
hold, the largest arrays are cut first, down to a common size, and the small ones stay whole.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

_OVERVIEW_SIDE, _OVERVIEW_CHANNELS = 28, 8

Places = Sequence[np.ndarray | None]
"""For each axis the places that are kept, in order; None where all are."""


def encoded(array: np.ndarray, at: Places | None = None) -> dict[str, Any]:
    """An array as the page reads it, with the places along each axis that are kept.

    Returns
    -------
    dict
        "shape", that of the whole array; "at", None or for each axis None or the places kept;
        "data", base64 of the kept numbers, little-endian float32 in C order.
    """
    whole = np.asarray(array)
    kept = list(at or [None] * whole.ndim)
    part = whole
    for axis, places in enumerate(kept):
        if places is not None:
            part = np.take(part, places, axis=axis)
    data = np.ascontiguousarray(part, dtype="<f4").tobytes()
    return {
        "shape": list(whole.shape),
        "at": None
        if all(places is None for places in kept)
        else [None if places is None else [int(place) for place in places] for places in kept],
        "data": base64.b64encode(data).decode(),
    }


def common_size(sizes: Iterable[int], room: int) -> int:
    """The size to which larger arrays are cut, so that all of `sizes` together fit into `room`."""
    ordered = sorted(sizes)
    for place, size in enumerate(ordered):
        share = room // (len(ordered) - place)
        if size > share:
            return max(1, share)
        room -= size
    return max(ordered, default=1)


def largest(values: np.ndarray, count: int) -> np.ndarray | None:
    """The places of the `count` largest values, in order; None where there are no more."""
    if len(values) <= count:
        return None
    best = np.argsort(-values, kind="stable")[: max(1, count)]
    return np.sort(best)


def around(length: int, centre: float, count: int) -> np.ndarray | None:
    """`count` neighbouring places of an axis about its part `centre`; None where that is all."""
    if length <= count:
        return None
    begin = round(centre * length - count / 2)
    begin = min(max(begin, 0), length - count)
    return np.arange(begin, begin + count)


def overview(maps: np.ndarray) -> dict[str, Any]:
    """Feature maps (height, width, channels) in small, of which only a part is in the page.

    Returns
    -------
    dict
        "shape", at most 28 x 28 x 8, of means of the pixels about each; "channels", which they are;
        "low" and "high", the numbers of levels 0 and 255; "data", those levels in base64.
    """
    height, width, channels = maps.shape
    strength = np.abs(maps).mean(axis=(0, 1))
    kept = largest(strength, _OVERVIEW_CHANNELS)
    kept = np.arange(channels) if kept is None else kept
    small = maps[..., kept]
    for axis, size in ((0, height), (1, width)):
        starts = np.unique(np.linspace(0, size, min(size, _OVERVIEW_SIDE) + 1).astype(int)[:-1])
        small = np.add.reduceat(small, starts, axis=axis)
        counts = np.diff(np.append(starts, size))
        small = small / counts.reshape([-1 if a == axis else 1 for a in range(3)])
    low, high = float(small.min()), float(small.max())
    levels = np.round((small - low) / ((high - low) or 1) * 255).astype(np.uint8)
    return {
        "shape": list(small.shape), "channels": kept.tolist(), "low": low, "high": high,
        "data": base64.b64encode(levels.tobytes()).decode(),
    }  # fmt: skip
