"""The targets of rows: one for each row, or one for each step of a row."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pellucid.checks import shown
from pellucid.rows.base import Rows
from pellucid.rows.order import placed
from pellucid.rows.sequences import check_places
from pellucid.sums import ExactSum


class Targets(ABC):
    """Abstract: targets and weights of N rows, or of all their steps, row after row.

    Made by :meth:`by_row` and :meth:`by_step`.

    Attributes
    ----------
    values : ndarray of shape (all,) or (all, K)
    weight : ndarray of shape (all,)
    starts, lengths : int64 ndarray of shape (N,)
        Where the targets of each row begin in `values`, and their number, at least one.
    each_step : bool
        Whether every step has a target.
    """

    values: np.ndarray
    weight: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray
    each_step: bool

    @classmethod
    def by_row(cls, values: Any, weight: Any = None) -> Targets:
        """One target a row; all of weight 1 where `weight` is left out."""
        values = np.asarray(values)
        rows = len(values) if values.ndim else 0
        weight = np.ones(rows) if weight is None else np.asarray(weight)
        starts = np.arange(rows, dtype=np.int64)
        return MemoryTargets(values, weight, starts, np.ones_like(starts), False)

    @classmethod
    def of(cls, y: Any, weight: Any = None) -> Targets:
        """`y` as it is where it is Targets, else one target a row."""
        return y if isinstance(y, Targets) else cls.by_row(y, weight)

    @classmethod
    def by_step(cls, values: Any, weight: Any, starts: Any, lengths: Any) -> Targets:
        """One target a step: ``lengths[i]`` of them for row i, from ``starts[i]``."""
        return MemoryTargets(values, weight, starts, lengths, True)

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def take(self, index: Any) -> Targets:
        """The targets of the rows at `index`; weights of rows are scaled to mean 1 again."""

    @abstractmethod
    def part(self, first: int, last: int) -> Targets:
        """:meth:`take` of the rows from `first` to `last` (exclusive), where they are."""

    @abstractmethod
    def in_order(self, order: np.ndarray) -> Targets:
        """The same targets and weights in another order."""

    @abstractmethod
    def blocks(self) -> Iterator[np.ndarray]:
        """The `values`, some at a time."""

    @property
    @abstractmethod
    def content(self) -> tuple[np.ndarray, ...]:
        """The arrays that tell these targets from others."""

    def row(self, position: int) -> np.ndarray:
        """The target of one row, or the targets of its steps."""
        if not self.each_step:
            return self.values[position]
        start = self.starts[position]
        return self.values[start : start + self.lengths[position]]

    def check_steps(self, rows: Rows, name: str) -> None:
        """Refuse targets unless every step of `rows` has one; `name` is their name in errors."""
        present = rows.present
        steps = np.full(len(rows), rows.shape[1]) if present is None else present.sum(axis=1)
        if not np.array_equal(self.lengths, steps):
            wanted, came = (shown(lengths.tolist()) for lengths in (steps, self.lengths))
            raise ValueError(
                f"{name} must have a target for each step of X: sequences of {wanted} steps. Got "
                f"{came}."
            )

    @property
    def row_weight(self) -> np.ndarray:
        """The weight of each row: 1 where steps have weights."""
        return np.ones(len(self), self.weight.dtype) if self.each_step else self.weight

    @property
    def scaled_weight(self) -> np.ndarray:
        """The weights; weights of steps are scaled so that their sum over a row is 1 on average."""
        if not self.each_step:
            return self.weight
        ends = np.cumsum(self.lengths)
        places = np.arange(self.lengths.sum()) + np.repeat(
            self.starts - (ends - self.lengths), self.lengths
        )
        return self.weight * (len(self) / math.fsum(self.weight[places]))


@dataclass(frozen=True, eq=False)
class MemoryTargets(Targets):
    """Targets in memory; see :class:`Targets`.

    Raises
    ------
    ValueError
        If there is not one weight for each target, or a row's targets lie outside `values`.
    """

    values: np.ndarray
    weight: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray
    each_step: bool

    def __post_init__(self) -> None:
        if self.weight.shape != self.values.shape[:1]:
            raise ValueError(
                "weight of Targets must have one entry a target, the shape "
                f"{self.values.shape[:1]}. Got {self.weight.shape}."
            )
        most = int(max(self.lengths, default=1))
        check_places("Targets", self.values, self.starts, self.lengths, most)

    def __len__(self) -> int:
        return len(self.lengths)

    def take(self, index: Any) -> Targets:
        if self.each_step:
            return replace(self, starts=self.starts[index], lengths=self.lengths[index])
        return Targets.by_row(self.values[index], unit_mean(self.weight[index]))

    def part(self, first: int, last: int) -> Targets:
        return self.take(slice(first, last))

    def in_order(self, order: np.ndarray) -> Targets:
        if self.each_step:
            return self.take(order)
        return Targets.by_row(self.values[order], self.weight[order])

    def blocks(self) -> Iterator[np.ndarray]:
        yield self.values

    @property
    def content(self) -> tuple[np.ndarray, ...]:
        return self.values, self.weight, self.starts, self.lengths


@dataclass(frozen=True)
class Examples:
    """Rows with their targets."""

    rows: Rows
    targets: Targets

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def feed(self) -> Any:
        """The ``Feed`` that hands them over; None where passes read them in memory."""
        return self.rows.feed(self.targets)

    def take(self, index: Any) -> Examples:
        """The examples at `index`."""
        return Examples(self.rows.take(index), self.targets.take(index))

    def part(self, first: int, last: int) -> Examples:
        """The examples from `first` to `last` (exclusive), where they are."""
        return Examples(self.rows.part(first, last), self.targets.part(first, last))

    def in_order(self, order: np.ndarray) -> Examples:
        """All the examples in another order."""
        return Examples(self.rows.take(order), self.targets.in_order(order))

    def in_places(self, seed: int) -> Examples:
        """The examples in the places that they have by `seed`.

        Raises
        ------
        ValueError
            If they lie in those that they have by another seed.
        """
        by = self.rows.placed_by
        if by is None:
            return self.in_order(placed(seed, len(self)))
        if by != seed:
            raise ValueError(
                f"rows on disk must lie in the places that they have by the seed {seed}. Got those "
                f"by {by}. Write them anew."
            )
        return self


def weight_unit(largest: float) -> float:
    """The power of two next above the largest weight: dividing by it is exact, and sums finite."""
    exponent = math.frexp(largest)[1] if largest > 0 else 0
    return math.ldexp(1.0, min(max(exponent, -1000), 1000))


def exact_sum(parts: Iterable[np.ndarray]) -> float:
    """The sum of all numbers in all parts, rounded once: so it is the same however they come."""
    total = ExactSum()
    for part in parts:
        total.add(part)
    return total.value


def mean_factor(rows: int, total: float) -> float | None:
    """By what weights with this `total` are multiplied to have mean 1; None where they have it."""
    return None if total == rows else rows / total


def unit_mean(weight: np.ndarray) -> np.ndarray:
    """Weights scaled to mean 1, so that equal weights are the same as none."""
    factor = mean_factor(len(weight), math.fsum(weight))
    return weight if factor is None else weight * factor
