"""Rows that are windows of series, each in a scale of its own; they share the series' steps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pellucid.engine import Operation, operation
from pellucid.kernels.grid import Grid
from pellucid.kernels.operations.batches import gather_windows
from pellucid.rows.base import Rows
from pellucid.rows.dense import Dense
from pellucid.rows.sequences import Sequences, check_places

LIMIT = 1e9  # beyond so many scales a number would overflow float32 inside the network


@dataclass(frozen=True, eq=False)
class ScaledWindows(Rows):
    """N windows of T steps; a step is R numbers in the window's scale, then P others as they are.

    Where the last steps of a window lie ahead, a last number says of each step whether it does.

    Parameters
    ----------
    relative : float64 ndarray of shape (all steps, R)
        What becomes ``(relative - shift) / scale``; NaN becomes 0.
    shift, scale : float64 ndarray of shape (N, R)
        Of each window.
    others : ndarray of shape (all steps, P)
    known : int64 ndarray of shape (P,)
        Which of these are known of the steps ahead; the others are 0 there.
    starts : int64 ndarray of shape (N,)
        Where each window begins.
    steps : int
        T.
    ahead : int
        How many of the T steps, the last, lie ahead.

    Raises
    ------
    ValueError
        If shapes do not fit, or a window does not lie inside the steps.
    """

    relative: np.ndarray
    shift: np.ndarray
    scale: np.ndarray
    others: np.ndarray
    known: np.ndarray
    starts: np.ndarray
    steps: int
    ahead: int

    def __post_init__(self) -> None:
        lengths = np.full(len(self.starts), self.steps, dtype=np.int64)
        check_places("ScaledWindows", self.others, self.starts, lengths, self.steps)
        count = self.relative.shape[1]
        shapes = {
            "relative": (len(self.others), count),
            "shift": (len(self.starts), count),
            "scale": (len(self.starts), count),
            "known": self.others.shape[1:],
        }
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                raise ValueError(
                    f"{name} of ScaledWindows must have the shape {shape}. Got "
                    f"{getattr(self, name).shape}."
                )
        if not 0 <= self.ahead < self.steps:
            raise ValueError(
                f"the steps of ScaledWindows that lie ahead must be fewer than all {self.steps}. "
                f"Got {self.ahead}."
            )

    @property
    def shape(self) -> tuple[int, int, int]:
        """(N, T, R + P), with one more where steps lie ahead."""
        width = self.relative.shape[1] + self.others.shape[1] + (self.ahead > 0)
        return len(self.starts), self.steps, width

    def take(self, index: Any) -> ScaledWindows:
        """The windows at `index`; the steps are shared."""
        return replace(
            self, starts=self.starts[index], shift=self.shift[index], scale=self.scale[index]
        )

    def row(self, position: int) -> np.ndarray:
        steps = slice(self.starts[position], self.starts[position] + self.steps)
        own = slice(position, position + 1)
        (window,) = in_own_scale(
            self.relative[None, steps], self.shift[own], self.scale[own], self.others[None, steps],
            self.known, self.ahead,
        )  # fmt: skip
        return window

    def gather(
        self, slots: np.ndarray, x: np.ndarray, grid: Grid, absent: np.ndarray, back: int
    ) -> Operation:
        return operation(
            gather_windows(
                relative=self.relative, shift=self.shift, scale=self.scale, plain=self.others,
                known=self.known, starts=self.starts, slots=slots, x=x,
                begin=grid.border[0][0] * grid.row + grid.border[1][0] * grid.pixel,
                pixel=grid.pixel, steps=self.steps, ahead=self.ahead, limit=LIMIT,
            )
        )  # fmt: skip

    def as_type(self, dtype: Any) -> ScaledWindows:
        return replace(self, others=np.ascontiguousarray(self.others, dtype=dtype))

    def in_pieces(self) -> Rows:
        rows, steps, width = self.shape
        values = np.array(self, dtype=self.others.dtype).reshape(rows, steps, width)
        return Sequences.from_padded(values, np.full(rows, steps))

    @property
    def records(self) -> np.ndarray:
        return np.array(self, dtype=self.others.dtype).reshape(self.shape)

    def of_records(self, records: np.ndarray) -> Dense:
        return Dense(records)

    @property
    def content(self) -> tuple[np.ndarray, ...]:
        return self.relative, self.shift, self.scale, self.others, self.known, self.starts


def in_own_scale(
    relative: np.ndarray,
    shift: np.ndarray,
    scale: np.ndarray,
    others: np.ndarray,
    known: np.ndarray,
    ahead: int,
) -> np.ndarray:
    """Windows step by step: `relative` (N, T, R) and `others` (N, T, P), else as ScaledWindows.

    They come in the type of the others.
    """
    past = relative.shape[1] - ahead
    with np.errstate(over="ignore"):
        numbers = (relative - shift[:, None]) / scale[:, None]
    numbers = np.clip(numbers, -LIMIT, LIMIT)
    numbers[:, past:] = 0.0
    others = others.copy()
    others[:, past:, known == 0] = 0.0
    parts = [np.nan_to_num(numbers).astype(others.dtype), others]
    if ahead:
        lies = np.broadcast_to(np.arange(relative.shape[1]) >= past, relative.shape[:2])
        parts.append(lies[..., None].astype(others.dtype))
    return np.concatenate(parts, axis=2)
