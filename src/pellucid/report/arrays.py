"""Arrays in the page's data: float32 in base64, of large ones some places, and how they share room.

A number takes five and a half bytes of the page. Where a model has more of them than the page may
hold, the largest arrays are cut first, down to a common size, and the small ones stay whole.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

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
