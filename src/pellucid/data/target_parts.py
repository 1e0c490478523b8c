"""What is to be predicted as an array that may not be in memory, and is then read in parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.checks import rows_at
from pellucid.data.columns import owner_of
from pellucid.data.samples import SAMPLE, evenly, sample_words
from pellucid.data.scratch import Scratch
from pellucid.data.target_values import (
    are_whole,
    no_dates,
    no_value,
    read_target,
    several_types,
    too_large,
)

Written = Callable[[Any, Any], Any]


@dataclass(frozen=True)
class SpooledTarget:
    """Columns of a spool that are to be predicted.

    Attributes
    ----------
    columns : list of SpooledColumn
    names : list of str
    flat : bool
        Whether it is one column, and has no axis for it.
    """

    columns: Sequence[Any]
    names: list[str]
    flat: bool

    def __len__(self) -> int:
        return len(self.columns[0])

    @property
    def shape(self) -> tuple[int, ...]:
        """(rows,) where it is flat, else (rows, columns)."""
        return (len(self),) if self.flat else (len(self), len(self.columns))


class TargetParts:
    """The values of a target: numbers, truth values or text (dtype object).

    Parameters
    ----------
    shape : tuple of int
    dtype : dtype
    read : function
        It gives the values of a slice of rows.
    parts : list of slice
        Slices of rows that are read at once.
    names : list of str or None
        Of its columns.
    scratch : Scratch or None
        Where it is, if not in memory.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        dtype: Any,
        read: Callable[[slice], np.ndarray],
        parts: Sequence[slice],
        names: list[str] | None,
        scratch: Scratch | None = None,
    ) -> None:
        self.shape, self.dtype, self.names, self.scratch = shape, np.dtype(dtype), names, scratch
        self._read, self.parts = read, parts

    @classmethod
    def of(cls, estimator: Any, y: Any, written: Written | None = None) -> TargetParts:
        """Those of `y`: in memory, a :class:`SpooledTarget`, or parts, which come back as they are.

        `written`, where it is given, makes numbers of a column of text, or gives it back; it gets
        the column's name or position, and its texts in memory or a column of a spool.
        Errors are those of :func:`pellucid.data.target_values.read_target`.
        """
        if isinstance(y, TargetParts):
            return y
        if isinstance(y, SpooledTarget):
            return _spooled(owner_of(estimator), y, written)
        values, names = read_target(estimator, y, written)
        return cls.in_memory(values, names)

    @classmethod
    def in_memory(cls, values: np.ndarray, names: list[str] | None = None) -> TargetParts:
        """Those of an array."""
        rows = slice(0, len(values) if values.ndim else 0)
        return cls(values.shape, values.dtype, values.__getitem__, [rows], names)

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self.shape)

    def __getitem__(self, rows: slice) -> np.ndarray:
        return self._read(slice(*rows.indices(len(self) if self.shape else 0)))

    def used(self, weights: Any) -> Iterator[tuple[slice, np.ndarray, Any]]:
        """As iterating, and which of the rows have a weight above 0; None is weight 1 in all."""
        for rows, values in self:
            yield rows, values, slice(None) if weights is None else np.asarray(weights[rows]) > 0

    def __iter__(self) -> Iterator[tuple[slice, np.ndarray]]:
        """All rows, some at a time; errors in what is done to some call them by their numbers."""
        for rows in self.parts:
            with rows_at(range(rows.start, rows.stop)):
                yield rows, self._read(rows)

    def changed(
        self, shape: tuple[int, ...], dtype: Any, change: Callable[[slice, np.ndarray], np.ndarray]
    ) -> TargetParts:
        """Other values made of these, row by row."""

        def read(rows: slice) -> np.ndarray:
            with rows_at(range(rows.start, rows.stop)):
                return change(rows, self._read(rows))

        return TargetParts(shape, dtype, read, self.parts, self.names, self.scratch)


def _spooled(owner: str, y: SpooledTarget, written: Written | None) -> TargetParts:
    """The values of columns of a spool, of one type, all of which are there and finite."""
    columns = list(y.columns)
    dtypes = [_dtype(owner, column) for column in columns]
    for place, (name, dtype) in enumerate(zip(y.names, dtypes, strict=True)):
        if written is not None and dtype.kind == "O":
            columns[place] = written(name, columns[place])
            if columns[place].kind != "text":
                dtypes[place] = np.dtype(np.float64)
    if len({dtype.kind == "O" for dtype in dtypes}) > 1:
        raise several_types(owner, {_TYPES[dtype.kind] for dtype in dtypes})
    dtype = np.result_type(*dtypes)

    def read(rows: slice) -> np.ndarray:
        values = [column.natural(rows) for column in columns]
        if y.flat:
            return values[0].astype(dtype, copy=False)
        return np.column_stack([part.astype(dtype, copy=False) for part in values])

    parts = columns[0].places()
    made = TargetParts(y.shape, dtype, read, parts, y.names, columns[0].scratch)
    if dtype.kind == "f":
        for _, values in made:
            if not np.isfinite(values).all():
                place = np.argwhere(~np.isfinite(values))[0]
                raise no_value(owner, float(values[tuple(place)]), int(place[0]))
    return made


def sampled(values: TargetParts, weights: Any) -> tuple[np.ndarray, str]:
    """Rows that have weight: all in memory, else those of some parts; and which, in words."""
    if values.scratch is None:
        ((_, part, used),) = values.used(weights)
        return part[used], ""
    chosen = evenly(values.parts, SAMPLE)
    rows = []
    for place in chosen:
        part = values[place]
        rows.append(part if weights is None else part[np.asarray(weights[place]) > 0])
    sample = np.concatenate(rows)
    return sample, "" if len(chosen) == len(values.parts) else sample_words(len(sample))


_TYPES = {"O": "str", "b": "bool", "i": "int", "u": "int", "f": "float"}


def _dtype(owner: str, column: Any) -> np.dtype:
    """The type of the labels of a column of a spool, of which none may be missing."""
    types, whole, largest = set[np.dtype](), True, 0
    for rows, part in column.parts():
        if part.missing.any():
            row = int(np.argmax(part.missing))
            with rows_at(range(rows.start, rows.stop)):
                raise no_value(owner, None if column.kind == "text" else np.nan, row)
        if column.kind in ("number", "boolean"):
            values = column.natural(rows)
            types.add(values.dtype)
            whole = whole and are_whole(part.values)
            largest = max(largest, int(values.max())) if values.dtype.kind == "u" else largest
    if column.kind == "time":
        raise no_dates(owner)
    if column.kind != "number":
        return np.dtype(object if column.kind == "text" else bool)
    if all(dtype.kind in "iu" for dtype in types):
        if largest >= 2**63:
            raise too_large(owner, largest)
        return np.result_type(*types)
    return np.dtype(np.int64 if whole else np.float64)
