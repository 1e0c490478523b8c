"""How encoded rows rest in a file: in fewer bytes than a network reads, to the same bits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pellucid.checks import shown

_NONE = 0  # the code of a group in which no column is 1


class Packing:
    """Rows as bytes: columns of which at most one is 1, and all others 0, become one small code.

    A text of a table is a hundred columns of 0 and 1 to a network; its code is a byte.

    Parameters
    ----------
    shape : tuple of int
        The shape of one row.
    dtype : dtype
        Of its numbers.
    groups : sequence of sequence of int
        Of rows of shape (columns,), the columns of each such group. Other columns rest as they are.

    Attributes
    ----------
    row_bytes : int
        Bytes of a packed row.

    Raises
    ------
    ValueError
        If a column is in two groups, is none of the row's, or rows are not of shape (columns,).
    """

    def __init__(
        self, shape: tuple[int, ...], dtype: Any, groups: Sequence[Sequence[int]] = ()
    ) -> None:
        self.shape, self.dtype = tuple(shape), np.dtype(dtype)
        self.groups = [np.asarray(group, dtype=np.int64) for group in groups]
        columns = np.concatenate([*self.groups, np.empty(0, np.int64)])
        width = self.shape[0] if len(self.shape) == 1 else 0
        alone = np.ones(width, dtype=bool)
        if len(columns):
            inside = (columns >= 0) & (columns < width)
            if not inside.all() or len(np.unique(columns)) < len(columns):
                raise ValueError(
                    f"the groups of a packing must be different columns of {width:,}. Got "
                    f"{shown(columns.tolist())}."
                )
            alone[columns] = False
        self._alone = _runs(np.flatnonzero(alone)) if self.groups else []
        numbers = int(alone.sum() if self.groups else np.prod(self.shape, dtype=np.int64))
        self._codes = [
            np.dtype(np.uint8 if len(group) < 256 else np.uint32) for group in self.groups
        ]
        self.row_bytes = numbers * self.dtype.itemsize + sum(kind.itemsize for kind in self._codes)

    @property
    def is_plain(self) -> bool:
        """Whether packed rows are the bytes of the rows."""
        return not self.groups

    def pack(self, rows: np.ndarray) -> np.ndarray:
        """`rows` of shape (n, *shape) as bytes: uint8 (n, row_bytes)."""
        rows = np.ascontiguousarray(rows, self.dtype)
        count = len(rows)
        if not self.groups:
            return rows.view(np.uint8).reshape(count, self.row_bytes)
        packed = np.empty((count, self.row_bytes), np.uint8)
        place, lines = 0, np.arange(count)
        for run in self._alone:
            end = place + (run.stop - run.start) * self.dtype.itemsize
            packed[:, place:end] = np.ascontiguousarray(rows[:, run]).view(np.uint8)
            place = end
        for group, kind in zip(self.groups, self._codes, strict=True):
            runs = _runs(group)
            hottest = rows[:, runs[0] if len(runs) == 1 else group].argmax(axis=1)
            is_hot = rows[lines, group[hottest]] != 0
            code = np.where(is_hot, hottest + 1, _NONE).astype(kind)
            packed[:, place : place + kind.itemsize] = code[:, None].view(np.uint8)
            place += kind.itemsize
        return packed

    def unpack(self, packed: np.ndarray, rows: np.ndarray) -> None:
        """Fill `rows` of shape (n, *shape) with those that were packed as `packed`."""
        count = len(packed)
        if not self.groups:
            rows.view(np.uint8).reshape(count, self.row_bytes)[:] = packed
            return
        rows[:] = 0
        place, lines = 0, np.arange(count)
        for run in self._alone:
            end = place + (run.stop - run.start) * self.dtype.itemsize
            rows[:, run] = np.ascontiguousarray(packed[:, place:end]).view(self.dtype)
            place = end
        for group, kind in zip(self.groups, self._codes, strict=True):
            code = np.ascontiguousarray(packed[:, place : place + kind.itemsize]).view(kind)[:, 0]
            there = code != _NONE
            if there.all():
                rows[lines, group[code - 1]] = 1
            else:
                rows[lines[there], group[code[there] - 1]] = 1
            place += kind.itemsize

    def config(self) -> dict[str, Any]:
        """What it was made with, as a map for JSON."""
        groups = [group.tolist() for group in self.groups]
        return {"shape": list(self.shape), "dtype": self.dtype.name, "groups": groups}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Packing:
        """The packing that :meth:`config` describes."""
        return cls(tuple(config["shape"]), config["dtype"], config["groups"])


def _runs(columns: np.ndarray) -> list[slice]:
    """Columns as slices of those that follow one another."""
    ends = np.flatnonzero(np.diff(columns) != 1) + 1
    return [slice(int(run[0]), int(run[-1]) + 1) for run in np.split(columns, ends) if len(run)]
