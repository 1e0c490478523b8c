"""Rows that are one array of numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid.engine import Operation, operation
from pellucid.kernels.grid import Grid, lines
from pellucid.kernels.operations.batches import gather
from pellucid.rows.base import Rows
from pellucid.rows.sequences import Sequences

FEW_ROWS = 8  # for which a short way is kept


class Dense(Rows):
    """The rows of one array in memory.

    Parameters
    ----------
    values : ndarray of shape (N, ...)
        C-contiguous, of the network's float type.
    """

    def __init__(self, values: np.ndarray) -> None:
        self.values = values

    @property
    def shape(self) -> tuple[int, ...]:
        return self.values.shape

    def take(self, index: Any) -> Dense:
        return Dense(np.ascontiguousarray(self.values[index]))

    def row(self, position: int) -> np.ndarray:
        return self.values[position]

    def gather(
        self, slots: np.ndarray, x: np.ndarray, grid: Grid, absent: np.ndarray, back: int
    ) -> Operation:
        (runs,), length = lines(grid)
        data = self.values.reshape(len(self.values), -1)
        return operation(gather(data=data, slots=slots, x=x, lines=runs, length=length))

    def as_type(self, dtype: Any) -> Dense:
        return Dense(np.ascontiguousarray(self.values, dtype=dtype))

    @property
    def plain(self) -> np.ndarray:
        return self.values

    @property
    def records(self) -> np.ndarray:
        return self.values

    def of_records(self, records: np.ndarray) -> Dense:
        return Dense(records)

    @property
    def content(self) -> tuple[np.ndarray, ...]:
        return (self.values,)

    def in_pieces(self) -> Rows:
        rows, steps = self.shape[:2]
        return Sequences.from_padded(self.values, np.full(rows, steps))


def as_rows(X: Any, dtype: Any) -> Rows:
    """`X`, Rows or anything that NumPy makes an array of, in `dtype`."""
    return (X if isinstance(X, Rows) else Dense(np.asarray(X))).as_type(dtype)
