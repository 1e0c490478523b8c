"""Rows put in their places with little memory: sorted by their random words, in files."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from pellucid.checks import size_text
from pellucid.randomness import Stream, sorting

PARTS = 4096  # of all words, into which each run is cut
CHUNK = 1 << 13  # rows that are handled at a time
LEAST = 1 << 12  # rows that there must be room for
_SORTING = 48  # bytes a row that its word and sorting take


class Records(NamedTuple):
    """Some rows as they rest in a file.

    Attributes
    ----------
    x : uint8 ndarray of shape (n, row bytes)
    values : ndarray of shape (n, ...)
        Targets.
    weight : float64 ndarray of shape (n,) or (n, 0)
        Empty lines where rows have no weights.
    """

    x: np.ndarray
    values: np.ndarray
    weight: np.ndarray

    @classmethod
    def room(
        cls,
        rows: int,
        row_bytes: int,
        value_shape: tuple[int, ...],
        value_dtype: Any,
        weighted: bool,
    ) -> Records:
        """Room for so many rows."""
        return cls(
            np.empty((rows, row_bytes), np.uint8),
            np.empty((rows, *value_shape), value_dtype),
            np.empty((rows,) if weighted else (rows, 0)),
        )

    @property
    def row_bytes(self) -> list[int]:
        """Bytes of one row's record, target and weight."""
        return [int(np.prod(part.shape[1:], dtype=np.int64)) * part.itemsize for part in self]

    def at(self, index: Any) -> Records:
        """Those at `index`, a slice or an array of positions."""
        return Records(self.x[index], self.values[index], self.weight[index])


class _Run(NamedTuple):
    """A sorted part of the rows in the file.

    Attributes
    ----------
    begins : list of int
        Where its words, records, targets and weights begin, in bytes.
    ends : int64 ndarray of shape (PARTS,)
        How many of its rows are in the parts of all words up to each one.
    """

    begins: list[int]
    ends: np.ndarray


class Placing(AbstractContextManager):
    """Takes rows in their order and gives them back in their places.

    What does not fit into the memory goes to a file without a name, in sorted runs, which are
    merged part by part: all rows whose words lie in one range of them are sorted at a time.

    Parameters
    ----------
    seed : int
        By which they are placed; see :func:`pellucid.rows.placed`.
    folder : path-like
        Where the file is made.
    kind : Records
        Of no rows: what they are.
    memory : int
        The bytes that may be used.
    rows : int, optional
        How many there will be, if that is known.

    Raises
    ------
    MemoryError
        If that is too little.
    """

    def __init__(
        self, seed: int, folder: Any, kind: Records, memory: int, rows: int | None = None
    ) -> None:
        row = sum(kind.row_bytes)
        self._most = memory // (row + _SORTING)
        if self._most < LEAST:
            raise MemoryError(
                f"the memory to put rows in their places must be at least "
                f"{size_text(LEAST * (row + _SORTING))}, for rows of {size_text(row)}. Got "
                f"{size_text(memory)}. Give more memory."
            )
        self.rows = 0
        self._stream, self._folder, self._kind = Stream(seed, "places"), folder, kind
        self._count = 0  # of the rows in memory
        self._make_room(self._most if rows is None else min(self._most, rows))
        self._runs: list[_Run] = []
        self._file: BinaryIO | None = None

    def add(self, records: Records) -> None:
        """The next rows."""
        begin, count = 0, len(records.x)
        while begin < count:
            if self._count == self._most:
                self._write_run()
            elif self._count == len(self._words):  # more come than were told of
                raise ValueError(f"rows to be placed must be {self._count:,}. Got more.")
            end = min(count, begin + len(self._words) - self._count)
            there = slice(self._count, self._count + end - begin)
            self._words[there] = self._stream.words(end - begin)
            for own, part in zip(self._held, records, strict=True):
                own[there] = part[begin:end]
            self._count, self.rows, begin = there.stop, self.rows + end - begin, end

    def finish(self) -> None:
        """There are no more rows."""
        if self._runs:
            self._write_run()

    def placed(self) -> Iterator[Records]:
        """All rows in their places, some at a time."""
        for words, held in self._sets():
            order = sorting(words)
            for begin in range(0, len(order), CHUNK):
                yield held.at(order[begin : begin + CHUNK])

    def _sets(self) -> Iterator[tuple[np.ndarray, Records]]:
        """Words and rows of one range of the words after the other, each row in its order."""
        if not self._runs:
            yield self._words[: self._count], self._held.at(slice(0, self._count))
            return
        ends = sum(run.ends for run in self._runs)
        assert isinstance(ends, np.ndarray)
        part = 0
        while part < PARTS:
            before = int(ends[part - 1]) if part else 0
            stop = max(part + 1, int(np.searchsorted(ends, before + self._most, side="right")))
            count = int(ends[stop - 1]) - before
            self._count = 0
            if count > len(self._words):
                self._make_room(count)
            for run in self._runs:
                self._read(run, int(run.ends[part - 1]) if part else 0, int(run.ends[stop - 1]))
            yield self._words[:count], self._held.at(slice(0, count))
            part = stop

    def _make_room(self, rows: int) -> None:
        """Room in memory for so many rows; the system gives it as it is used."""
        self._words = np.empty(rows, np.uint64)
        self._held = Records(
            *(np.empty((rows, *part.shape[1:]), part.dtype) for part in self._kind)
        )

    def _write_run(self) -> None:
        """Write the rows in memory to the file, sorted."""
        if self._file is None:
            self._file = tempfile.TemporaryFile(buffering=0, dir=self._folder)  # noqa: SIM115
        words = self._words[: self._count]
        order = sorting(words)
        begins = []
        for part in (words, *self._held):
            begins.append(self._file.tell())
            for begin in range(0, len(order), CHUNK):
                _write(self._file, part[order[begin : begin + CHUNK]])
        bounds = np.arange(1, PARTS, dtype=np.uint64) * np.uint64((1 << 64) // PARTS)
        ends = np.searchsorted(words[order], bounds)
        self._runs.append(_Run(begins, np.append(ends, len(order)).astype(np.int64)))
        self._count = 0

    def _read(self, run: _Run, first: int, last: int) -> None:
        """Read rows `first` to `last` of a run behind those that are in memory."""
        there = slice(self._count, self._count + last - first)
        self._count = there.stop
        assert self._file is not None
        for begin, part in zip(run.begins, (self._words, *self._held), strict=True):
            row = int(np.prod(part.shape[1:], dtype=np.int64)) * part.itemsize
            _read(self._file, part[there], begin + first * row)

    def __exit__(self, *error: object) -> None:
        if self._file is not None:
            self._file.close()  # and it is gone


def _write(file: BinaryIO, rows: np.ndarray) -> None:
    left = memoryview(np.ascontiguousarray(rows).reshape(-1).view(np.uint8).data)
    while len(left):
        left = left[file.write(left) :]


def _read(file: BinaryIO, rows: np.ndarray, begin: int) -> None:
    left = memoryview(rows.reshape(-1).view(np.uint8).data)
    while len(left):
        count = os.preadv(file.fileno(), [left], begin)
        if not count:
            raise EOFError("a file of rows that are put in their places has lost its end.")
        left, begin = left[count:], begin + count
