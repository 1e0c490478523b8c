"""The protocol of rows, and the reader that hands them to the kernels batch by batch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from typing import Any, ClassVar, Self

import numpy as np

from pellucid.engine import Operation
from pellucid.kernels.grid import Grid
from pellucid.rows.order import Order


class Rows(ABC):
    """Abstract: N rows of one shape, in memory or elsewhere.

    A new kind defines its shape, `take`, `row`, and the operation that copies a batch to where the
    first layer reads.

    Attributes
    ----------
    unequal : bool
        Whether rows may lack steps at their end.
    """

    unequal: ClassVar[bool] = False

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """(N, ...): the number of rows, then the shape of the longest."""

    @abstractmethod
    def take(self, index: Any) -> Self:
        """The rows at `index`: a slice, a mask or an array of positions."""

    @abstractmethod
    def row(self, position: int) -> np.ndarray:
        """One row as the network reads it, without the steps that it lacks."""

    @abstractmethod
    def gather(
        self, slots: np.ndarray, x: np.ndarray, grid: Grid, absent: np.ndarray, back: int
    ) -> Operation:
        """The operation that copies a batch into `x`, the padded rows on `grid`.

        Row i of a batch is row ``slots[first + i]``. Where rows are `unequal`, as many steps are
        copied as `grid` is wide, up to `back` steps before the last, and `absent` gets the number
        of steps that each row lacks.
        """

    @property
    def placed_by(self) -> int | None:
        """The seed by which they lie in their places; None where they lie as they were given."""
        return None

    def places_of(self, numbers: np.ndarray) -> np.ndarray:
        """Where the rows with these `numbers`, in the order in which they were given, are now."""
        return numbers

    def part(self, first: int, last: int) -> Rows:
        """The rows from `first` to `last` (exclusive), where they are."""
        return self.take(slice(first, last))

    @property
    def present(self) -> np.ndarray | None:
        """Which steps each row has, bool of shape (N, T); None where every row has all."""
        return None

    def of_steps(self, outputs: np.ndarray) -> np.ndarray:
        """`outputs` of shape (N, T, K) at the steps that exist: (all steps, K)."""
        present = self.present
        return outputs.reshape(-1, outputs.shape[-1]) if present is None else outputs[present]

    def as_type(self, dtype: Any) -> Rows:
        """The rows as values of `dtype`, the network's float type."""
        return self

    def in_pieces(self) -> Rows:
        """The same rows as a kind whose `gather` heeds `back`, as that of unequal rows does."""
        if self.unequal:
            return self
        raise TypeError(
            f"rows to be cut into pieces must be of a kind that can be gathered so. Got "
            f"{type(self).__name__}. Define its in_pieces, or leave out tbptt_steps."
        )

    @property
    def plain(self) -> Any:
        """The rows as one array, where they are one in memory; else as they are."""
        return self

    @property
    def records(self) -> np.ndarray:
        """What is kept of each row, as one array of shape (N, ...): see :meth:`of_records`."""
        raise TypeError(
            f"rows that are sent to workers, or kept in a file, must be of one size. Got "
            f"{type(self).__name__}, as of texts and of unequal sequences. Use the model's own fit."
        )

    def of_records(self, records: np.ndarray) -> Rows:
        """Rows of this kind with these `records`, which are read where they are."""
        raise TypeError(f"rows must be of a kind that has records. Got {type(self).__name__}.")

    def feed(self, targets: Any) -> Any:
        """The ``Feed`` of these rows and `targets`; None where passes read them in memory."""
        return None

    @property
    def content(self) -> tuple[np.ndarray, ...]:
        """The arrays that tell these rows from others."""
        return (np.asarray(self),)

    def unread(self) -> bytes:
        """What tells these rows from others beside their `content`, where that is read late."""
        return b""

    def reader(self, batch: int) -> Reader:
        """A reader for batches of `batch` rows."""
        return Reader(self, batch)

    def __len__(self) -> int:
        return self.shape[0]

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        """All rows as the network reads them, where they are of one length."""
        rows = [self.row(position) for position in range(len(self))]
        if len({len(row) for row in rows}) > 1:
            raise ValueError(
                "rows must be of one length to become an array. Got rows of "
                f"{min(map(len, rows))} to {max(map(len, rows))} steps. Take them one by one with "
                "row(position)."
            )
        return np.array(rows, dtype=dtype)


class Reader(AbstractContextManager):
    """Hands rows to the kernels in the order of the epoch.

    Rows in memory need no waiting. A kind that has to fetch its rows overrides `begin`, `wait`,
    `steps` and `close`.

    Parameters
    ----------
    rows : Rows
    batch : int
        The number of rows in a step.
    """

    def __init__(self, rows: Rows, batch: int) -> None:
        self.rows, self.batch = rows, batch
        self.slots = np.arange(len(rows), dtype=np.int64)

    def gather(self, x: np.ndarray, grid: Grid, absent: np.ndarray, back: int = 0) -> Operation:
        """The operation that copies a batch; see :meth:`Rows.gather`."""
        return self.rows.gather(self.slots, x, grid, absent, back)

    def begin(self, order: Order, first: int = 0) -> None:
        """Begin an epoch in this order, at its place `first`."""
        self.slots[:] = order[:]

    @property
    def steps(self) -> int:
        """How many steps a call may take, so that the next rows can be fetched meanwhile."""
        return max(1, -(-len(self.rows) // self.batch))

    def wait(self, first: int, last: int) -> None:
        """Return once the rows at the places `first` to `last` of the epoch are ready.

        Rows at places before `first` are no longer needed.
        """

    def close(self) -> None:
        """Release threads and the like."""

    def __exit__(self, *error: object) -> None:
        self.close()
