"""What pooling takes of each window, and where the gradient goes back to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from pellucid.inspection import panels
from pellucid.inspection.choosing import chosen_step, place_in, row_of, title_of
from pellucid.inspection.display import Display
from pellucid.inspection.steps import Step

_KINDS = ("MaxPool2d", "MaxPool1d", "AvgPool2d", "AvgPool1d", "GlobalAvgPool")
_MOST_WINDOWS = 400  # whose frames are drawn


class PoolingDisplay(Display):
    """One map on its way through a pooling layer, and its gradient on the way back.

    Signals and sequences are pictures of one row.

    Parameters
    ----------
    x : ndarray of shape (H, W)
        The map that comes in.
    y : ndarray of shape (OH, OW)
        What each window gives.
    windows : int ndarray of shape (OH, OW, 4)
        First row, first column, height and width of each window, cut off at the map's edges.
    winners : int ndarray of shape (OH, OW, 2), or None
        Row and column of the number that each window of max pooling took; None of average pooling,
        which takes an equal share of all.
    counts : int ndarray of shape (OH, OW), or None
        By how many numbers average pooling divides.
    dy, dx : ndarray of the shapes of y and x, or None
        The gradients of the loss with respect to them; None where no target is known.
    layer : str
        What the layer is called.
    channel : int
        The number of the map.
    """

    def __init__(
        self,
        x: np.ndarray,
        y: np.ndarray,
        windows: np.ndarray,
        *,
        winners: np.ndarray | None = None,
        counts: np.ndarray | None = None,
        dy: np.ndarray | None = None,
        dx: np.ndarray | None = None,
        layer: str = "pooling",
        channel: int = 0,
    ) -> None:
        self.x, self.y, self.windows, self.winners, self.counts = x, y, windows, winners, counts
        self.dy, self.dx, self.layer, self.channel = dy, dx, layer, channel

    @classmethod
    def of(
        cls,
        model: Any,
        X: Any,
        y: Any = None,
        *,
        row: int = 0,
        layer: int | str | None = None,
        channel: int = 0,
    ) -> Self:
        """Follow one row through a pooling layer, and back from its loss where there is y.

        Parameters
        ----------
        model : estimator
            Fitted, with max, average or global average pooling.
        X, y : array-like
            As for ``model.fit``. Without y there are no gradients.
        row : int, default=0
        layer : int or str, optional
            The number of a pooling layer in ``model.network_.layers``, or a path such as
            "0.layers.2" of one in a Residual; the first one if left out.
        channel : int, default=0
            Which map is looked at.

        Raises
        ------
        ValueError, TypeError
            If the network has no pooling, or there is no such row, layer or channel.
        """
        owner = cls.__name__
        walk = row_of(owner, model, X, y, row).walk
        step = chosen_step(owner, model, walk, _KINDS, "a pooling layer", layer)
        channel = place_in("channel", owner, channel, step.x.shape[-1])
        x = _map(step, step.x, channel)
        windows, winners, counts = _windows(step, x.shape, channel)
        back = y is not None
        return cls(
            x, _map(step, step.y, channel), windows, winners=winners, counts=counts,
            dy=_map(step, step.dy, channel) if back else None,
            dx=_map(step, step.dx, channel) if back else None,
            layer=title_of(step), channel=channel,
        )  # fmt: skip

    def __str__(self) -> str:
        height, width = self.windows[..., 2:].max(axis=(0, 1))
        windows = f"{self.y.size:,} window{'s' * (self.y.size > 1)} of {height} x {width}"
        text = f"{self.layer}, map {self.channel}: {windows}"
        if self.winners is None:
            text += ", of which the mean of each goes on"
        else:
            won = len(np.unique(self.winners.reshape(-1, 2), axis=0))
            text += f"; {won:,} of {self.x.size:,} numbers won one, and go on"
        if self.dx is None:
            return f"{text}."
        given = int(np.count_nonzero(self.dx))
        who = "the winners" if self.winners is not None else "each number gets an equal share"
        return f"{text}. The gradient goes back to {given:,} of {self.x.size:,} numbers: {who}."

    # -- drawing -----------------------------------------------------------------------------

    @property
    def _grid(self) -> dict[str, Any]:
        return {"ncols": 2 if self.dx is None else 4}

    @property
    def _size(self) -> tuple[float, float]:
        return 3.2 * self._grid["ncols"], 3.2

    def _draw(self, axes: np.ndarray) -> None:
        height, width = self.x.shape
        what = "numbers that won" if self.winners is not None else "windows"
        square = height > 1
        parts = [(self.x, f"{self.layer}, map {self.channel}, {height} x {width}\n{what} framed")]
        parts.append((self.y, "what goes on, {} x {}".format(*self.y.shape)))
        if self.dx is not None and self.dy is not None:
            parts += [(self.dy, "gradient that comes back"), (self.dx, "gradient handed on")]
        for panel, (values, title) in zip(axes[0], parts, strict=True):
            panels.heat(panel, values, title, bar=True, square=square)
            panels.without_ticks(panel)
            if values.shape == self.x.shape:
                self._frame(panel)

    def _frame(self, panel: Any) -> None:
        """Mark windows, and who won them."""
        if self.y.size > _MOST_WINDOWS:
            return
        for place in np.ndindex(self.y.shape):
            panels.frame(panel, *self.windows[place], edgecolor=panels.GREY, linewidth=0.8)
        if self.winners is not None:
            for row, column in self.winners.reshape(-1, 2):
                panels.frame(panel, row, column, 1, 1)

    def _table(self) -> tuple[Sequence[Any], Sequence[Sequence[Any]]]:
        names = ["row", "column", "window begins", "size", "goes on"]
        names += ["won" if self.winners is not None else "divided by"]
        names += [] if self.dy is None else ["gradient"]
        rows = []
        for place in np.ndindex(self.y.shape):
            top, left, height, width = self.windows[place].tolist()
            line = [*place, (top, left), f"{height} x {width}", self.y[place]]
            if self.winners is not None:
                line.append(tuple(self.winners[place].tolist()))
            else:
                line.append(None if self.counts is None else int(self.counts[place]))
            rows.append(line if self.dy is None else [*line, self.dy[place]])
        return names, rows


def _map(step: Step, values: np.ndarray | None, channel: int) -> np.ndarray:
    """One channel of the first row as a picture (H, W)."""
    assert values is not None
    return np.atleast_2d(values[0, ..., channel])


def _windows(
    step: Step, size: tuple[int, ...], channel: int
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
    """The windows as :class:`PoolingDisplay` has them, who won, and how many numbers count."""
    if step.kind == "GlobalAvgPool":
        return np.array([[[0, 0, *size]]]), None, np.array([[size[0] * size[1]]])
    placed = step.layer.windows(step.x.shape[1:])
    begins, firsts, lengths, divisors = [], [], [], []
    for axis, count in enumerate(size):
        begin = np.arange(placed.outputs[axis]) * placed.stride[axis]
        end = np.minimum(begin + placed.size[axis], sum(placed.padding[axis]) + count)
        divisors.append(end - begin)  # with the zeros of the padding
        begins.append(begin - placed.padding[axis][0])
        firsts.append(np.maximum(begins[axis], 0))
        ends = np.minimum(begins[axis] + placed.size[axis], count)
        lengths.append(ends - firsts[axis])
    grids = [np.meshgrid(*pair, indexing="ij") for pair in (firsts, lengths)]
    windows = np.stack([*grids[0], *grids[1]], axis=-1)
    if "winner" in step.values:
        winner = _map(step, step.values["winner"], channel)
        down, across = np.divmod(winner, placed.size[1])
        above, left = np.meshgrid(*begins, indexing="ij")
        return windows, np.stack([above + down, left + across], axis=-1), None
    sides = divisors if step.layer.count_include_pad else lengths
    return windows, None, np.multiply.outer(*sides)
