"""The order in which an epoch takes rows, and the places where they rest."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from pellucid.randomness import Stream

_COUNTED = 1 << 16  # words at a time


def placed(seed: int, rows: int) -> np.ndarray:
    """Which row rests at each place, int64 of shape (rows,).

    A row's place follows from its own random word among those of all rows: where they are sorted,
    rows lie in their places.
    """
    return Stream(seed, "places").permutation(rows)


def places_of(seed: int, rows: int, numbers: np.ndarray) -> np.ndarray:
    """The places of some rows by their numbers, without those of all others: int64.

    Of each it is counted how many random words are smaller than its own.
    """
    stream, words = Stream(seed, "places"), np.empty(len(numbers), np.uint64)
    by_number = np.argsort(numbers, kind="stable")
    for begin in range(0, rows, _COUNTED):
        part = stream.words(min(_COUNTED, rows - begin))
        first, last = np.searchsorted(numbers[by_number], [begin, begin + len(part)])
        here = by_number[first:last]
        words[here] = part[numbers[here] - begin]
    order, stream = np.lexsort((numbers, words)), Stream(seed, "places")
    sorted_words, sorted_numbers = words[order], numbers[order]
    below = np.zeros(len(numbers) + 1, np.int64)  # words between one of these and the next
    for begin in range(0, rows, _COUNTED):
        part = stream.words(min(_COUNTED, rows - begin))
        at = np.searchsorted(sorted_words, part, side="left")
        equal = np.flatnonzero(sorted_words[np.minimum(at, len(numbers) - 1)] == part)
        for place in equal.tolist():  # of equal words that of the smaller number comes first
            while (
                at[place] < len(numbers)
                and sorted_words[at[place]] == part[place]
                and sorted_numbers[at[place]] <= begin + place
            ):
                at[place] += 1
        below += np.bincount(at, minlength=len(below))
    places = np.empty(len(numbers), np.int64)
    places[order] = np.cumsum(below)[:-1]
    return places


class Order(Protocol):
    """The order in which an epoch takes rows: an int64 array, or what gives parts of one."""

    def __len__(self) -> int: ...  # noqa: D105

    def __getitem__(self, places: slice, /) -> np.ndarray: ...  # noqa: D105


class InTurn:
    """The order in which rows lie.

    Parameters
    ----------
    rows : int
    """

    def __init__(self, rows: int) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return self._rows

    def __getitem__(self, places: slice) -> np.ndarray:
        """The rows of these steps of the order, int64."""
        first, last, _ = places.indices(self._rows)
        return np.arange(first, last, dtype=np.int64)
