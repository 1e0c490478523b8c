"""Arrays that rest in files and are read piece by piece: they may be larger than the memory.

Pieces are read, not mapped: what a process has mapped counts as its memory for as long as the
system pleases, and under a limit of the address space it counts at once.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np


class FileArray:
    """An array in a file, C-contiguous from `offset` on; slices of rows are read when asked for.

    Parameters
    ----------
    path : path-like
    dtype : dtype
    shape : tuple of int
        (N, ...).
    offset : int
        Where it begins in the file, in bytes.

    Raises
    ------
    ValueError
        If the file is shorter than that.
    """

    def __init__(self, path: Any, dtype: Any, shape: tuple[int, ...], offset: int = 0) -> None:
        self.path, self.dtype, self.shape = Path(path), np.dtype(dtype), tuple(shape)
        self._offset = offset
        self._row = int(np.prod(self.shape[1:], dtype=np.int64)) * self.dtype.itemsize
        self._file = os.open(self.path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        there, wanted = os.fstat(self._file).st_size, offset + len(self) * self._row
        if there < wanted:
            raise ValueError(
                f"'{self.path}' must hold {wanted:,} bytes for {len(self):,} rows. Got {there:,}. "
                "Remove it, and do the same again."
            )

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of the whole."""
        return len(self) * self._row

    def __getitem__(self, index: Any) -> np.ndarray:
        """The rows at a slice, a position, or an array of positions, as an array in memory."""
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            if step == 1:
                return self.read(start, max(start, stop))
            index = np.arange(start, stop, step)
        if isinstance(index, (int, np.integer)):
            position = int(index)
            position += len(self) * (position < 0)
            if not 0 <= position < len(self):
                raise IndexError(f"a position must be one of {len(self):,} rows. Got {index}.")
            return self.read(position, position + 1)[0]
        positions = np.asarray(index)
        positions = np.flatnonzero(positions) if positions.dtype == bool else positions
        rows = np.empty((len(positions), *self.shape[1:]), self.dtype)
        for place, position in enumerate(positions.tolist()):
            self.read_into(rows[place : place + 1], position)
        return rows

    def read(self, start: int, stop: int) -> np.ndarray:
        """The rows from `start` to `stop` (exclusive)."""
        rows = np.empty((stop - start, *self.shape[1:]), self.dtype)
        self.read_into(rows, start)
        return rows

    def read_into(self, rows: np.ndarray, start: int) -> None:
        """Fill `rows`, C-contiguous, with those from `start` on."""
        into = memoryview(rows.reshape(-1).view(np.uint8).data)
        place, begin = 0, self._offset + start * self._row
        while place < len(into):
            count = os.preadv(self._file, [into[place:]], begin + place)
            if not count:
                raise EOFError(
                    f"'{self.path}' must stay as it was while it is read. Got its end in row "
                    f"{start:,}: something has shortened it. Do the same again."
                )
            place += count

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self.read(0, len(self)).astype(self.dtype if dtype is None else dtype, copy=False)

    def close(self) -> None:
        """Close the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __del__(self) -> None:
        if getattr(self, "_file", -1) >= 0:
            self.close()


class FileArrayWriter:
    """Writes the rows of a :class:`FileArray` one after the other.

    Parameters
    ----------
    path : path-like
    dtype : dtype
    row_shape : tuple of int
        The shape of one row.
    """

    def __init__(self, path: Any, dtype: Any, row_shape: tuple[int, ...] = ()) -> None:
        self.path, self.dtype, self.row_shape = Path(path), np.dtype(dtype), tuple(row_shape)
        self.rows = 0
        self._file: BinaryIO = self.path.open("wb", buffering=1 << 20)

    def write(self, rows: np.ndarray) -> None:
        """Add `rows`, of shape (n, *row_shape)."""
        self._file.write(np.ascontiguousarray(rows, self.dtype).reshape(-1).view(np.uint8).data)
        self.rows += len(rows)

    def done(self) -> FileArray:
        """The array of all rows that were written."""
        self._file.close()
        return FileArray(self.path, self.dtype, (self.rows, *self.row_shape))

    def close(self) -> None:
        """Close the file, without reading it."""
        self._file.close()
