"""Sequences of unequal length, one behind the other in one array; targets of their steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Sequences:
    """N sequences of up to T steps of C numbers.

    Parameters
    ----------
    values : ndarray of shape (all steps, C)
    starts, lengths : int64 ndarray of shape (N,)
        Where in `values` a sequence begins, and how many steps it has, at least one.
    steps : int
        T, at least the largest length.

    Raises
    ------
    ValueError
        If a length is not between 1 and T, or a sequence does not lie inside `values`.
    """

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
        _check_places("Sequences", self.values, self.starts, self.lengths, self.steps)

    @classmethod
    def from_list(cls, arrays: Any, dtype: Any = np.float32) -> Sequences:
        """Of arrays of shape (steps, C) each, one a sequence; at least one of them."""
        if not len(arrays):
            raise ValueError("Sequences.from_list must have at least one array. Got none.")
        lengths = np.array([len(each) for each in arrays], dtype=np.int64)
        values = np.ascontiguousarray(np.concatenate(arrays), dtype=dtype)
        return cls(values, np.cumsum(lengths) - lengths, lengths, int(lengths.max()))

    @classmethod
    def from_padded(cls, x: Any, lengths: Any) -> Sequences:
        """Of the first `lengths` steps of each row of x (N, T, C)."""
        x = np.ascontiguousarray(x)
        rows, steps, count = x.shape
        starts = np.arange(rows, dtype=np.int64) * steps
        found = np.ascontiguousarray(lengths, dtype=np.int64)
        return cls(x.reshape(-1, count), starts, found, steps)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(N, T, C)."""
        return len(self.lengths), self.steps, self.values.shape[1]

    @property
    def present(self) -> np.ndarray:
        """Which of T steps each sequence has: bool, of shape (N, T)."""
        return np.asarray(np.arange(self.steps) < self.lengths[:, None])

    @property
    def overlap(self) -> float:
        """In how many sequences a step lies, on average: more than one where windows overlap."""
        found = coverage(self.starts, self.starts + self.lengths, len(self.values))
        return float(self.lengths.sum() / np.count_nonzero(found))

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, index: Any) -> Sequences:
        """The sequences at `index`; the steps are shared."""
        return Sequences(self.values, self.starts[index], self.lengths[index], self.steps)


@dataclass(frozen=True)
class StepTargets:
    """A target and a weight for each step of N sequences, one sequence behind the other.

    Parameters
    ----------
    values : ndarray of shape (all steps,) or (all steps, K)
    weight : ndarray of shape (all steps,)
    starts, lengths : int64 ndarray of shape (N,)
        Where a sequence begins, and how many steps it has, at least one.

    Raises
    ------
    ValueError
        If there is not one weight a step, or a sequence does not lie inside `values`.
    """

    values: np.ndarray
    weight: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray

    def __post_init__(self) -> None:
        if self.weight.shape != self.values.shape[:1]:
            raise ValueError(
                "weight of StepTargets must have one entry a step, the shape "
                f"{self.values.shape[:1]}. Got {self.weight.shape}."
            )
        most = int(max(self.lengths, default=1))
        _check_places("StepTargets", self.values, self.starts, self.lengths, most)

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, index: Any) -> StepTargets:
        """Those of the sequences at `index`; values and weights are shared."""
        return StepTargets(self.values, self.weight, self.starts[index], self.lengths[index])

    @property
    def places(self) -> np.ndarray:
        """Where each step of these sequences lies in `values`."""
        ends = np.cumsum(self.lengths)
        return np.arange(self.lengths.sum()) + np.repeat(
            self.starts - (ends - self.lengths), self.lengths
        )


def coverage(begins: np.ndarray, ends: np.ndarray, count: int) -> np.ndarray:
    """In how many of the pieces from `begins` to `ends` each of `count` steps lies."""
    edges = np.zeros(count + 1, dtype=np.int64)
    np.add.at(edges, begins, 1)
    np.add.at(edges, ends, -1)
    return np.asarray(np.cumsum(edges)[:-1])


def _check_places(
    owner: str, values: np.ndarray, starts: np.ndarray, lengths: np.ndarray, steps: int
) -> None:
    """Refuse sequences that do not lie inside `values`: the kernels do not look."""
    if starts.shape != lengths.shape or lengths.ndim != 1:
        raise ValueError(
            f"{owner} must have as many starts as lengths. Got {starts.shape} and {lengths.shape}."
        )
    wrong = (lengths < 1) | (lengths > steps) | (starts < 0) | (starts + lengths > len(values))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ValueError(
            f"the lengths of {owner} must be between 1 and {steps}, and each sequence must lie in "
            f"the {len(values)} steps of values. Got {lengths[row]} from step {starts[row]} in row "
            f"{row}."
        )
