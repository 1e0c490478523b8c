"""Examples that are handed over some at a time, and the room that a thread fills with them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import numpy as np

from pellucid.rows.base import Rows
from pellucid.rows.order import InTurn, Order
from pellucid.rows.targets import Examples, Targets
from pellucid.rows.workers import Task, Workers

ROWS, BYTES = 1 << 14, 4 << 20  # of half a window at most


class Feed(ABC):
    """Abstract: examples that are handed over some at a time, in the order of an epoch.

    Parameters
    ----------
    rows : int
        How many there are.
    row_shape : tuple of int
    dtype : dtype
        Shape and type of a row's record.
    value_shape : tuple of int
    value_dtype : dtype
        Shape and type of a row's target.
    """

    def __init__(
        self,
        rows: int,
        row_shape: tuple[int, ...],
        dtype: Any,
        value_shape: tuple[int, ...],
        value_dtype: Any,
    ) -> None:
        self.rows, self.row_shape, self.dtype = rows, row_shape, np.dtype(dtype)
        self.value_shape, self.value_dtype = value_shape, np.dtype(value_dtype)

    @abstractmethod
    def rows_of(self, records: np.ndarray) -> Rows:
        """Rows that have these records, which are read where they are."""

    @abstractmethod
    def begin(self, order: Order, first: int = 0) -> None:
        """Begin an epoch in this order, at its place `first`."""

    @abstractmethod
    def fill(
        self, first: int, last: int, x: np.ndarray, values: np.ndarray, weight: np.ndarray
    ) -> None:
        """Write records, targets and weights of the places `first` to `last` of the epoch.

        Called by one thread at a time.
        """


class MemoryFeed(Feed):
    """Of examples in memory, of any kind of rows that has records.

    Parameters
    ----------
    examples : Examples
        With one target a row.
    """

    def __init__(self, examples: Examples) -> None:
        rows, targets = examples.rows, examples.targets
        check_by_row(targets)
        kind, values = rows.take(slice(0, 1)).records, targets.values
        super().__init__(len(rows), rows.shape[1:], kind.dtype, values.shape[1:], values.dtype)
        self._examples = examples
        self._order: Order = InTurn(len(rows))

    def rows_of(self, records: np.ndarray) -> Rows:
        return self._examples.rows.of_records(records)

    def begin(self, order: Order, first: int = 0) -> None:
        self._order = order

    def fill(
        self, first: int, last: int, x: np.ndarray, values: np.ndarray, weight: np.ndarray
    ) -> None:
        index, targets = self._order[first:last], self._examples.targets
        x[...] = self._examples.rows.take(index).records
        values[...] = targets.values[index]
        weight[...] = targets.weight[index]


def check_by_row(targets: Targets) -> None:
    """Refuse targets of steps: a row has as many as steps, and what is handed over is of one size.

    Raises
    ------
    ValueError
    """
    if targets.each_step:
        raise ValueError(
            "rows that are handed over some at a time must have one target each. Got one for each "
            "step. Keep them in memory."
        )


class Window(AbstractContextManager):
    """Room for some of a feed's examples: while the network works on a half, the other is filled.

    The example at place p of the epoch is at p modulo its number of rows. A thread keeps ahead.

    Parameters
    ----------
    feed : Feed
    batch : int
        Rows of a step, which lie side by side.
    dtype : dtype
        The network's float type.

    Attributes
    ----------
    examples : Examples
        What is in it now.
    check : callable
        ``check(x, values)`` refuses records and targets that kernels must not see; it is called
        with all that is filled in.
    """

    def __init__(self, feed: Feed, batch: int, dtype: Any) -> None:
        self.feed, self.batch = feed, batch
        record = int(np.prod(feed.row_shape, dtype=np.int64)) * feed.dtype.itemsize
        most = min(ROWS, BYTES // max(record, 1))
        self._half = batch * max(1, most // batch)
        rows = min(2 * self._half, batch * -(-feed.rows // batch))
        whole = not feed.value_shape and feed.value_dtype.kind in "biu"
        self._x = np.zeros((rows, *feed.row_shape), feed.dtype)
        self._values = np.zeros((rows, *feed.value_shape), np.int64 if whole else dtype)
        self._weight = np.ones(rows, dtype)
        self.examples = Examples(feed.rows_of(self._x), Targets.by_row(self._values, self._weight))
        self.check: Callable[[np.ndarray, np.ndarray], None] = lambda x, values: None
        self._workers = Workers(1)
        self._tasks: deque[tuple[int, Task]] = deque()  # and the first place of each
        self._asked = 0  # places up to here have been asked for

    def __len__(self) -> int:
        return len(self._x)

    def begin(self, order: Order, first: int = 0) -> None:
        """Begin an epoch in this order, at its place `first`."""
        for _, task in self._tasks:
            task.cancel()
        self._tasks.clear()
        self._asked = first
        self.feed.begin(order, first)

    @property
    def steps(self) -> int:
        """How many steps a call may take, so that the next rows can be fetched meanwhile."""
        return self._half // self.batch

    def wait(self, first: int, last: int) -> None:
        """Return once the places `first` to `last` of the epoch are filled in.

        Those before `first` are no longer needed.
        """
        while self._asked < self.feed.rows:
            begin = self._asked
            end = min(self.feed.rows, begin - begin % self._half + self._half)
            if end > first + len(self):
                break
            self._tasks.append((begin, self._workers.submit(partial(self._fill, begin, end))))
            self._asked = end
        while self._tasks and self._tasks[0][0] < last:
            self._tasks.popleft()[1].result()

    def _fill(self, begin: int, end: int) -> None:
        place = begin % len(self)
        there = slice(place, place + end - begin)
        x, values = self._x[there], self._values[there]
        self.feed.fill(begin, end, x, values, self._weight[there])
        self.check(x, values)

    def close(self) -> None:
        """End the thread."""
        self._workers.close()

    def __exit__(self, *error: object) -> None:
        self.close()
