"""The columns of a table that are numbers, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pellucid.data.column_values import Column


def side_by_side(columns: Sequence[Column], kinds: Sequence[str], rows: int) -> np.ndarray:
    """The numbers of columns, of shape (rows, columns), NaN where one is missing.

    Of a column of the kind "empty" nothing was learned: a value tells that it is there, by 0.
    """
    numbers = np.empty((rows, len(columns)))
    for place, (column, kind) in enumerate(zip(columns, kinds, strict=True)):
        if kind == "empty":
            numbers[:, place] = np.where(column.missing, np.nan, 0.0)
        else:
            numbers[:, place] = column.values
    return numbers


class NumbersOf:
    """The same of columns that are not in memory: it is read by slices of rows."""

    def __init__(self, columns: Sequence[Any], kinds: Sequence[str], rows: int) -> None:
        self._columns, self._kinds, self.shape = columns, kinds, (rows, len(columns))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice) -> np.ndarray:
        start, stop, _ = rows.indices(len(self))
        columns = [column.taken(slice(start, stop)) for column in self._columns]
        return side_by_side(columns, self._kinds, stop - start)
