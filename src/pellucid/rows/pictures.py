"""Rows that are pictures: integer levels and their values, in memory or decoded on demand."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from pellucid.engine import Operation, available_threads, operation
from pellucid.kernels.grid import Grid, lines
from pellucid.kernels.operations.batches import gather_levels
from pellucid.rows.base import Reader, Rows
from pellucid.rows.order import Order
from pellucid.rows.workers import Task, Workers

RING_BYTES = 8 << 20
_GROUP = 8  # pictures that a thread decodes at a time


def decoding_threads() -> int:
    """How many threads decode: one a processor, and two where there is one, which waits for files.

    Pillow decodes outside Python's lock.
    """
    return max(2, available_threads())


class Pictures(Rows):
    """Pictures in memory.

    Parameters
    ----------
    table : ndarray of shape (256 or 65536, C)
        The value of each level in each channel, in the network's float type.
    levels : ndarray of shape (N, H, W, C) and type uint8 or uint16

    Raises
    ------
    ValueError
        If a level has no value in the table: the kernels check no bounds.
    """

    def __init__(self, table: np.ndarray, levels: np.ndarray) -> None:
        lines = {np.dtype(np.uint8): 256, np.dtype(np.uint16): 65536}.get(levels.dtype)
        if lines is None or levels.ndim != 4 or table.shape != (lines, levels.shape[-1]):
            raise ValueError(
                "levels of Pictures must be uint8 or uint16 of shape (rows, height, width, "
                "channels), and the table must have a line for each of 256 or 65536 levels. Got "
                f"{levels.dtype} of shape {levels.shape}, and a table of shape {table.shape}."
            )
        self.table, self.levels = table, levels

    @property
    def shape(self) -> tuple[int, ...]:
        return self.levels.shape

    def take(self, index: Any) -> Pictures:
        return Pictures(self.table, np.ascontiguousarray(self.levels[index]))

    def row(self, position: int) -> np.ndarray:
        return look_up(self.table, self.levels[position])

    @property
    def records(self) -> np.ndarray:
        return self.levels

    def of_records(self, records: np.ndarray) -> Pictures:
        return Pictures(self.table, records)

    @property
    def content(self) -> tuple[np.ndarray, ...]:
        return self.table, self.levels

    def as_type(self, dtype: Any) -> Pictures:
        return Pictures(np.ascontiguousarray(self.table, dtype=dtype), self.levels)

    def gather(
        self, slots: np.ndarray, x: np.ndarray, grid: Grid, absent: np.ndarray, back: int
    ) -> Operation:
        (runs,), length = lines(grid)
        data = self.levels.reshape(len(self.levels), -1).view(np.uint8)
        return operation(
            gather_levels(
                data=data, slots=slots, table=self.table.reshape(-1), channels=self.table.shape[1],
                x=x, lines=runs, length=length,
            )
        )  # fmt: skip


class DecodedPictures(Rows):
    """Pictures that are decoded again in each epoch, by threads that keep ahead of the network.

    Parameters
    ----------
    table : ndarray of shape (256 or 65536, C)
        As in :class:`Pictures`; of 256 lines for uint8 levels, else for uint16.
    positions : int64 ndarray of shape (N,)
        The numbers of the pictures, for `decode`.
    row_shape : tuple of int
        (H, W, C).
    decode : callable
        ``decode(position)`` gives the levels of one picture, or raises.
    digest : callable
        ``digest(position)`` gives the SHA-256 of what one picture is decoded from.
    """

    def __init__(
        self,
        table: np.ndarray,
        positions: np.ndarray,
        row_shape: tuple[int, ...],
        decode: Callable[[int], np.ndarray],
        digest: Callable[[int], bytes],
    ) -> None:
        self.table, self.positions = table, positions
        self.row_shape, self.decode, self.digest = row_shape, decode, digest
        self.dtype = np.dtype(np.uint8 if len(table) == 256 else np.uint16)

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.positions), *self.row_shape)

    def take(self, index: Any) -> DecodedPictures:
        positions = self.positions[index]
        return DecodedPictures(self.table, positions, self.row_shape, self.decode, self.digest)

    @property
    def records(self) -> np.ndarray:
        decoded = [self.levels(position) for position in range(len(self))]
        return np.array(decoded, self.dtype).reshape(self.shape)

    def of_records(self, records: np.ndarray) -> Pictures:
        return Pictures(self.table, records)

    @property
    def content(self) -> tuple[np.ndarray, ...]:
        """Means and deviations of the pictures, which make the table: to decode them takes long."""
        return self.table, self.positions

    def unread(self) -> bytes:
        """The digests of the pictures' sources: to read them takes less than to decode them."""
        with Workers(decoding_threads()) as workers:
            tasks = [workers.submit(partial(self.digest, int(one))) for one in self.positions]
            return b"".join(task.result() for task in tasks)

    def levels(self, position: int) -> np.ndarray:
        """The levels of one row."""
        return self.decode(int(self.positions[position]))

    def row(self, position: int) -> np.ndarray:
        return look_up(self.table, self.levels(position))

    def gather(
        self, slots: np.ndarray, x: np.ndarray, grid: Grid, absent: np.ndarray, back: int
    ) -> Operation:
        raise TypeError("pictures that are decoded when wanted must be gathered by their reader.")

    def reader(self, batch: int) -> Reader:
        return DecodingReader(self, batch)


class DecodingReader(Reader):
    """A ring of decoded pictures: while the network works on one half, the other is filled."""

    rows: DecodedPictures

    def __init__(self, rows: DecodedPictures, batch: int) -> None:
        super().__init__(rows, batch)
        count, row_bytes = len(rows), int(np.prod(rows.row_shape)) * rows.dtype.itemsize
        slots = max(2, RING_BYTES // (2 * row_bytes * batch)) * 2 * batch
        ring = np.zeros((min(count, slots), *rows.row_shape), dtype=rows.dtype)
        self.ring = Pictures(rows.table, ring)
        self.slots %= len(ring)
        self._order = np.arange(count)
        self._workers = Workers(decoding_threads())
        self._tasks: dict[int, Task] = {}  # by the first place of a group
        self._asked = 0  # places up to here have been asked for

    def gather(self, x: np.ndarray, grid: Grid, absent: np.ndarray, back: int = 0) -> Operation:
        return self.ring.gather(self.slots, x, grid, absent, back)

    def begin(self, order: Order, first: int = 0) -> None:
        self._drop()
        self._order, self._asked = order[:].copy(), first

    @property
    def steps(self) -> int:
        return max(1, len(self.ring) // (2 * self.batch))

    def wait(self, first: int, last: int) -> None:
        """As :meth:`Reader.wait`; slots before `first` are filled with the next rows."""
        end_of_ring = min(len(self.rows), first + len(self.ring))
        while self._asked < end_of_ring:
            begin, end = self._asked, min(self._asked + _GROUP, end_of_ring)
            self._tasks[begin] = self._workers.submit(partial(self._decode, begin, end))
            self._asked = end
        for begin in [place for place in self._tasks if place < last]:
            self._tasks.pop(begin).result()

    def _decode(self, begin: int, end: int) -> None:
        for place in range(begin, end):
            slot = place % len(self.ring)
            self.ring.levels[slot] = self.rows.levels(int(self._order[place]))

    def _drop(self) -> None:
        """Cancel all decoding, and wait for what has begun."""
        for task in self._tasks.values():
            task.cancel()
        self._tasks.clear()

    def close(self) -> None:
        self._workers.close()


def look_up(table: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """The values of the levels (..., C)."""
    return np.asarray(table[levels, np.arange(levels.shape[-1])])
