"""The order in which an epoch takes rows, and the places where they rest."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from pellucid.randomness import Stream


def placed(seed: int, rows: int) -> np.ndarray:
    """Which row rests at each place, int64 of shape (rows,).

    A row's place follows from its own random word among those of all rows: where they are sorted,
    rows lie in their places.
    """
    return Stream(seed, "places").permutation(rows)


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
