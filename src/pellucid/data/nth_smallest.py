"""Which of many numbers, that come in parts, stands at a place if they were sorted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

_BITS = 16  # of a number that are told apart in a pass
_SIGN = np.uint64(1 << 63)


def nth_smallest(parts: Callable[[], Iterable[np.ndarray]], place: int) -> Any:
    """The number at `place`, from 0 on, of all parts in order, int64 or float64 without NaN.

    ``parts()`` gives them again each time. They are counted by their first digits, then by the next
    ones: none is kept.
    """
    dtype = np.dtype(np.int64)
    prefix, known = np.uint64(0), 0
    while known < 64:
        shift = np.uint64(64 - known - _BITS)
        counts = np.zeros(1 << _BITS, dtype=np.int64)
        for part in parts():
            dtype = part.dtype
            keys = _sortable(part)
            if known:
                keys = keys[keys >> np.uint64(64 - known) == prefix]
            digits = (keys >> shift) & np.uint64((1 << _BITS) - 1)
            counts += np.bincount(digits.astype(np.int64), minlength=len(counts))
        before = np.cumsum(counts)
        digit = int(np.searchsorted(before, place, side="right"))
        place -= int(before[digit] - counts[digit])
        prefix, known = (prefix << np.uint64(_BITS)) | np.uint64(digit), known + _BITS
    return _number(prefix, dtype)


def _sortable(numbers: np.ndarray) -> np.ndarray:
    """Whole numbers above 0 in the order of `numbers`."""
    if numbers.dtype.kind != "f":
        return numbers.astype(np.int64).view(np.uint64) ^ _SIGN
    bits = (numbers.astype(np.float64) + 0.0).view(np.uint64)  # of two zeros one
    return np.where(bits & _SIGN, ~bits, bits | _SIGN)


def _number(key: np.uint64, dtype: np.dtype) -> Any:
    """The number that has this key."""
    if dtype.kind != "f":
        return np.array(key ^ _SIGN).view(np.int64)[()]
    return np.array(key ^ _SIGN if key & _SIGN else ~key).view(np.float64)[()]
