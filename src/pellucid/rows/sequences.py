"""Rows that are sequences of unequal length, stored one after another in one array."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pellucid.engine import Operation, operation
from pellucid.kernels.grid import Grid
from pellucid.kernels.operations.batches import gather_steps
from pellucid.rows.base import Rows


@dataclass(frozen=True, eq=False)
class Sequences(Rows):
    """N sequences of up to T steps of C numbers.

    Parameters
    ----------
    values : ndarray of shape (all steps, C)
    starts, lengths : int64 ndarray of shape (N,)
        Where each sequence begins in `values`, and its number of steps, at least one.
    steps : int
        T, at least the largest length.

    Raises
    ------
    ValueError
        If a length is not between 1 and T, or a sequence does not lie inside `values`.
    """

    unequal = True

    values: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray
    steps: int

    def __post_init__(self) -> None:
        if self.values.ndim != 2:
            raise ValueError(
                "values of Sequences must have the shape (all steps, features). Got "
                f"{self.values.shape}."
            )
        check_places("Sequences", self.values, self.starts, self.lengths, self.steps)

    @classmethod
    def from_list(cls, arrays: Any, dtype: Any = np.float32) -> Sequences:
        """The sequences that are these arrays of shape (steps, C), at least one."""
        if not len(arrays):
            raise ValueError("Sequences.from_list must have at least one array. Got none.")
        lengths = np.array([len(array) for array in arrays], dtype=np.int64)
        values = np.ascontiguousarray(np.concatenate(arrays), dtype=dtype)
        return cls(values, np.cumsum(lengths) - lengths, lengths, int(lengths.max()))

    @classmethod
    def from_padded(cls, x: Any, lengths: Any) -> Sequences:
        """The sequences that are the first `lengths` steps of the rows of x (N, T, C)."""
        x, lengths = np.ascontiguousarray(x), np.ascontiguousarray(lengths, dtype=np.int64)
        rows, steps, features = x.shape
        starts = np.arange(rows, dtype=np.int64) * steps
        return cls(x.reshape(-1, features), starts, lengths, steps)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(N, T, C)."""
        return len(self.lengths), self.steps, self.values.shape[1]

    @property
    def present(self) -> np.ndarray:
        """Which of T steps each sequence has: bool, of shape (N, T)."""
        return np.asarray(np.arange(self.steps) < self.lengths[:, None])

    @property
    def content(self) -> tuple[np.ndarray, ...]:
        return self.values, self.starts, self.lengths

    def take(self, index: Any) -> Sequences:
        """The sequences at `index`; the steps are shared."""
        return Sequences(self.values, self.starts[index], self.lengths[index], self.steps)

    def row(self, position: int) -> np.ndarray:
        start = self.starts[position]
        return self.values[start : start + self.lengths[position]]

    def gather(
        self, slots: np.ndarray, x: np.ndarray, grid: Grid, absent: np.ndarray, back: int
    ) -> Operation:
        return operation(
            gather_steps(
                values=self.values, starts=self.starts, lengths=self.lengths, slots=slots, x=x,
                pixel=grid.pixel, absent=absent, steps=grid.width, back=back,
            )
        )  # fmt: skip

    def as_type(self, dtype: Any) -> Sequences:
        return replace(self, values=np.ascontiguousarray(self.values, dtype=dtype))

    def patched(self, size: int) -> Sequences:
        """The same sequences read in patches: `size` neighbouring steps side by side are one.

        Each patch begins half a patch after the one before. Where the last one of a sequence is not
        full, its last step comes again, so that what a patch holds depends on its sequence alone.

        References
        ----------
        Y. Nie, N. H. Nguyen, P. Sinthong, J. Kalagnanam, A Time Series is Worth 64 Words (2023),
        section 3.1.
        """
        counts = patch_counts(self.lengths, size)
        starts = np.cumsum(counts) - counts
        number = np.arange(counts.sum()) - np.repeat(starts, counts)  # within its sequence
        first = np.repeat(self.starts, counts) + stride_of(size) * number
        last = np.repeat(self.starts + self.lengths - 1, counts)
        taken = np.minimum(first[:, None] + np.arange(size), last[:, None])
        values = self.values[taken].reshape(len(taken), -1)
        return Sequences(values, starts, counts, int(patch_counts(self.steps, size)))


def stride_of(size: int) -> int:
    """How many steps after a patch of `size` steps the next one begins: half of them."""
    return (size + 1) // 2


def patch_counts(lengths: Any, size: int) -> Any:
    """How many patches of `size` steps hold all of so many steps."""
    return 1 + np.maximum(0, -((size - lengths) // stride_of(size)))


def check_places(
    owner: str, values: np.ndarray, starts: np.ndarray, lengths: np.ndarray, steps: int
) -> None:
    """Refuse sequences that do not lie inside `values`: the kernels check no bounds."""
    if starts.shape != lengths.shape or lengths.ndim != 1:
        raise ValueError(
            f"{owner} must have as many starts as lengths. Got {starts.shape} and {lengths.shape}."
        )
    if not lengths.dtype == starts.dtype == np.int64:
        raise ValueError(
            f"the starts and lengths of {owner} must be int64. Got {starts.dtype} and "
            f"{lengths.dtype}."
        )
    wrong = (lengths < 1) | (lengths > steps) | (starts < 0) | (starts > len(values) - lengths)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ValueError(
            f"the lengths of {owner} must be between 1 and {steps}, and each sequence must lie in "
            f"the {len(values)} steps of values. Got {lengths[row]} from step {starts[row]} in row "
            f"{row}."
        )
