"""Quantiles of a column, also of one that does not fit in memory: then by files of its parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from pellucid.data.scratch import Scratch

_SAMPLE = 1 << 14  # numbers that tell where to part the others
_NUMBER = 64  # bytes that one takes in memory while it is sorted


def weighted_quantile(values: np.ndarray, weights: np.ndarray | None, share: float) -> float:
    """The least of `values` that has at least `share` of the weight at it or below it."""
    order = np.argsort(values, kind="stable")
    weights = np.ones(len(values)) if weights is None else weights[order]
    below = np.cumsum(weights)  # adds from the first to the last
    place = int(np.searchsorted(below, share * below[-1]))
    return float(values[order[min(place, len(values) - 1)]])


def quantiles_in_parts(
    values: Any, weights: Any, shares: Sequence[float], scratch: Scratch
) -> list[float]:
    """:func:`weighted_quantile` for each share, of arrays that are read by slices.

    The numbers are parted by size into files; each part is sorted by itself, and the weights are
    added from the first number to the last as they are in memory.
    """
    rows, step = len(values), max(1, scratch.memory // _NUMBER)
    slices = [slice(start, min(start + step, rows)) for start in range(0, rows, step)]
    sample = [values[rows][:: max(1, len(slices) * step // _SAMPLE)] for rows in slices]
    count = 4 * len(slices)
    edges = np.unique(np.sort(np.concatenate(sample))[:: max(1, _SAMPLE // count)])
    with_weights = weights is not None
    file = scratch.file()
    chunks: dict[int, list[tuple[int, int]]] = {}
    for rows_of in slices:
        own = values[rows_of]
        # numbers that are an edge have a part of their own, which needs no sorting
        part = np.searchsorted(edges, own) + np.searchsorted(edges, own, side="right")
        order = np.argsort(part, kind="stable")
        borders = np.flatnonzero(np.diff(part[order], prepend=-1, append=-1))
        heavy = weights[rows_of] if with_weights else None
        for start, stop in zip(borders[:-1].tolist(), borders[1:].tolist(), strict=True):
            places = order[start:stop]
            pair = own[places] if heavy is None else np.concatenate([own[places], heavy[places]])
            begin = file.append(np.ascontiguousarray(pair, np.float64))
            chunks.setdefault(int(part[order[start]]), []).append((begin, stop - start))

    def sorted_parts(key: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        read = []
        for begin, size in chunks[key]:
            pair = file.array(begin, size * (2 if with_weights else 1), np.float64)
            read.append((pair[:size], pair[size:] if with_weights else np.ones(size)))
        if key % 2 == 0 and len(read) > 1:
            read = [
                (np.concatenate([own for own, _ in read]), np.concatenate([w for _, w in read]))
            ]
        for own, heavy in read:
            order = np.argsort(own, kind="stable")
            yield own[order], heavy[order]

    def below(before: float, heavy: np.ndarray) -> np.ndarray:
        return np.cumsum(np.concatenate([[before], heavy]))[1:]

    ends, total = dict[int, tuple[float, float]](), 0.0
    for key in sorted(chunks):
        before = total
        for _, heavy in sorted_parts(key):
            total = float(below(total, heavy)[-1])
        ends[key] = before, total
    found = []
    for share in shares:
        key = next((key for key, (_, end) in ends.items() if end >= share * total), max(ends))
        before = ends[key][0]
        for own, heavy in sorted_parts(key):
            sums = below(before, heavy)
            value, before = float(own[-1]), float(sums[-1])
            if before >= share * total:
                value = float(own[np.searchsorted(sums, share * total)])
                break
        found.append(value)
    scratch.close(file)
    return found
