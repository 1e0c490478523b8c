"""Rows, handed to the kernels batch by batch: from memory, or decoded by threads that keep ahead.

A batch's rows are gathered from slots. Rows in memory have a slot each. Pictures that are decoded
again in each epoch share a ring of slots: while the network works on one half, the other is filled.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

import numpy as np

from pellucid.data.picture_sets import THREADS, Pictures
from pellucid.data.sequences import Sequences
from pellucid.engine import Operation, operation
from pellucid.kernels.grid import Grid, lines
from pellucid.kernels.operations.batches import gather, gather_levels, gather_steps

RING_BYTES = 8 << 20
_GROUP = 8  # pictures that a thread decodes at a time


class Feed:
    """The rows of `data` in an order that each epoch sets.

    Parameters
    ----------
    data : ndarray of shape (N, ...) and the network's type, Pictures or Sequences
    batch : int
        Rows of a step.
    """

    def __init__(self, data: np.ndarray | Pictures | Sequences, batch: int) -> None:
        self.data, self.batch = data, batch
        self.count = len(data)
        self.slots = np.arange(self.count, dtype=np.int64)
        self._table = data.table if isinstance(data, Pictures) else None
        if isinstance(data, Sequences):
            rests: np.ndarray | None = data.values
        else:
            rests = data.levels if isinstance(data, Pictures) else data
        self._ring = self.count  # slots
        self._pool: ThreadPoolExecutor | None = None
        if rests is None:
            assert isinstance(data, Pictures)
            row = int(np.prod(data.shape[1:])) * data.dtype.itemsize
            self._ring = min(self.count, max(2, RING_BYTES // (2 * row * batch)) * 2 * batch)
            rests = np.zeros((self._ring, *data.shape[1:]), dtype=data.dtype)
            self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="pellucid-pictures")
            self.slots %= self._ring
        self.rests = rests
        self._order = np.arange(self.count)
        self._tasks: dict[int, Future[None]] = {}  # by the first place of a group
        self._asked = 0  # places up to here have been asked for

    def operation(
        self, x: np.ndarray, grid: Grid, missing: np.ndarray | None = None, back: int = 0
    ) -> Operation:
        """The operation that copies a batch's rows into the padded rows `x`.

        Of sequences the last steps that fit, but for `back` behind them; it also counts in
        `missing` the steps that each row lacks.
        """
        if isinstance(self.data, Sequences):
            assert missing is not None
            return operation(gather_steps(
                values=self.data.values, starts=self.data.starts, lengths=self.data.lengths,
                slots=self.slots, x=x, pixel=grid.pixel, missing=missing, steps=grid.width,
                back=back,
            ))  # fmt: skip
        (x_lines,), length = lines(grid)
        rows = self.rests.reshape(len(self.rests), -1)
        if self._table is None:
            return operation(gather(data=rows, slots=self.slots, x=x, lines=x_lines, length=length))
        return operation(gather_levels(
            data=rows.view(np.uint8), slots=self.slots, table=self._table.reshape(-1),
            channels=self._table.shape[1], x=x, lines=x_lines, length=length,
        ))  # fmt: skip

    def begin(self, order: np.ndarray) -> None:
        """A new epoch, in this order."""
        if self._pool is None:
            self.slots[:] = order
            return
        self._drop()
        self._order, self._asked = order.copy(), 0

    @property
    def steps(self) -> int:
        """How many steps a call may take, so that the next rows can be decoded meanwhile."""
        return max(1, self._ring // (2 * self.batch))

    def wait(self, first: int, last: int) -> None:
        """Return once the rows at the places `first` to `last` of the epoch are in their slots.

        All places before `first` are done with: their slots are filled with what comes next.
        """
        if self._pool is None:
            return
        while self._asked < min(self.count, first + self._ring):
            begin = self._asked
            end = min(begin + _GROUP, self.count, first + self._ring)
            self._tasks[begin] = self._pool.submit(self._decode, begin, end)
            self._asked = end
        for begin in [each for each in self._tasks if each < last]:
            self._tasks.pop(begin).result()

    def _decode(self, begin: int, end: int) -> None:
        assert isinstance(self.data, Pictures)
        for place in range(begin, end):
            self.rests[place % self._ring] = self.data.read(int(self._order[place]))

    def _drop(self) -> None:
        """Nothing that was asked for is wanted any more."""
        for task in self._tasks.values():
            task.cancel()
        for task in self._tasks.values():
            if not task.cancelled():
                task.exception()
        self._tasks.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._drop()
        if self._pool is not None:
            self._pool.shutdown()
