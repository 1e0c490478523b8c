"""Pooling as layers."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from pellucid import checks
from pellucid.engine import Operation, operation
from pellucid.kernels.grid import Grid
from pellucid.kernels.operations.pooling import (
    average_pool_backward,
    average_pool_forward,
    max_pool_backward,
    max_pool_forward,
)
from pellucid.kernels.panels import rows_of
from pellucid.layers.base import Layer, Shape, Stage, concrete_layer
from pellucid.layers.sliding import Placement, Size, Sliding, times

_MOST_PLACES = 1 << 28  # in the table of what windows see: 2 GB


def _windows(stage: Stage, places: np.ndarray) -> dict[str, Any]:
    """What every pooling kernel takes."""
    return {
        "places": places.reshape(-1), "positions": places.shape[1],
        "pixels": stage.y_grid.pixels, "channels": stage.input_shape[-1],
    }  # fmt: skip


def _giving(grid: Grid, places: np.ndarray) -> dict[str, Any]:
    """Whether no two windows see one pixel, and the pixels of dx that must be set to 0 first."""
    seen = places[places >= 0]
    pixels = np.unique(seen)
    if pixels.size < seen.size:
        return {"apart": False, "cleared": grid.pixels}
    return {"apart": True, "cleared": np.setdiff1d(grid.pixels, pixels)}


def _counted(stage: Stage, counts: np.ndarray) -> dict[str, np.ndarray]:
    """What the kernels of means share: each window's numbers, and what a row lacks of them."""
    return {"counts": counts.astype(np.float64), "absent": stage.absent}


class _Reduction(Layer):
    """Abstract: one number a channel and window, or a channel and picture."""

    operations: ClassVar[tuple[Any, Any]]  # forward and backward

    @abstractmethod
    def _places(self, stage: Stage) -> np.ndarray:
        """(O, Q): where position q of window o lies in a row of x, -1 outside of the picture."""

    @abstractmethod
    def _kept(self, stage: Stage, places: np.ndarray) -> dict[str, np.ndarray]:
        """The arrays that forward and backward share, by their names."""

    def forward(self, stage: Stage, training: bool) -> list[Operation]:
        forward, _ = self.operations
        places = self._places(stage)
        stage.memory.update(self._kept(stage, places))
        return [operation(forward(x=stage.x, y=stage.y, **stage.memory, **_windows(stage, places)))]

    def backward(self, stage: Stage) -> list[Operation]:
        if stage.dx is None:
            return []
        _, backward = self.operations
        places = self._places(stage)
        return [
            operation(backward(
                dy=stage.dy, dx=stage.dx, **stage.memory,
                **_windows(stage, places), **_giving(stage.x_grid, places),
            ))
        ]  # fmt: skip


@dataclass(frozen=True, repr=False)
class _Pool(Sliding, _Reduction):
    """Abstract: one number a channel and window."""

    kernel_size: Size
    stride: Size | None = None
    padding: Size | str = 0
    ceil_mode: bool = False

    def _check(self) -> None:
        super()._check()
        checks.flag("ceil_mode", type(self).__name__, self.ceil_mode)

    def windows(self, shape: Shape) -> Placement:
        windows = super().windows(shape)
        if any(max(p) >= k for p, k in zip(windows.padding, windows.size, strict=True)):
            raise ValueError(
                f"the padding of {self!r} must be smaller than its window, or a window would see "
                "nothing else. Use less padding, or a larger window."
            )
        if math.prod(windows.outputs) * math.prod(windows.size) > _MOST_PLACES:
            raise ValueError(
                f"all windows of {self!r} together must see at most {_MOST_PLACES:,} pixels of a "
                f"map. Got {times(windows.outputs)} windows of {times(windows.size)}. Use a "
                "larger stride, or a smaller window."
            )
        return windows

    def output_shape(self, shape: Shape) -> Shape:
        return self._maps(self.windows(shape).outputs, shape[-1])

    def _places(self, stage: Stage) -> np.ndarray:
        windows, grid = self.windows(stage.input_shape), stage.x_grid
        axes = []
        for size, (before, _), count, stride, outputs in zip(
            windows.size, windows.padding, (grid.height, grid.width), windows.stride,
            windows.outputs, strict=True,
        ):  # fmt: skip
            at = np.arange(outputs)[:, None] * stride - before + np.arange(size)
            axes.append(np.where((at >= 0) & (at < count), at, -1))
        rows, columns = axes[0][:, None, :, None], axes[1][None, :, None, :]
        pixel = np.where((rows < 0) | (columns < 0), -1, rows * grid.width + columns)
        places = np.where(pixel < 0, -1, grid.pixels[pixel])
        return np.ascontiguousarray(places.reshape(len(axes[0]) * len(axes[1]), -1))


class _MaxPool(_Pool):
    """Abstract: the largest number of each window."""

    operations = max_pool_forward, max_pool_backward
    selects = True

    def _kept(self, stage: Stage, places: np.ndarray) -> dict[str, np.ndarray]:
        return {"winner": rows_of(stage.rows, stage.y_grid.size, stage.dtype)}


@dataclass(frozen=True, repr=False)
class _AvgPool(_Pool):
    """Abstract: the mean of each window."""

    operations = average_pool_forward, average_pool_backward
    count_include_pad: bool = False

    def _check(self) -> None:
        super()._check()
        checks.flag("count_include_pad", type(self).__name__, self.count_include_pad)

    def _kept(self, stage: Stage, places: np.ndarray) -> dict[str, np.ndarray]:
        if not self.count_include_pad:
            return _counted(stage, (places >= 0).sum(axis=1))
        windows = self.windows(stage.input_shape)
        counts = []  # padding counts, what ceil_mode adds beyond it does not
        for size, pad, count, stride, outputs in zip(
            windows.size, windows.padding, (stage.x_grid.height, stage.x_grid.width),
            windows.stride, windows.outputs, strict=True,
        ):  # fmt: skip
            begin = np.arange(outputs) * stride
            counts.append(np.minimum(begin + size, sum(pad) + count) - begin)
        return _counted(stage, np.multiply.outer(*counts).reshape(-1))


@concrete_layer
class MaxPool2d(_MaxPool):
    """The largest number of each window of a picture (H, W, C), channel by channel.

    Parameters
    ----------
    kernel_size : int or (int, int)
        Height and width of the window.
    stride : int, (int, int) or None, default=None
        How far it moves; None is its size, so that windows do not overlap.
    padding : int, (int, int), "same" or "valid", default=0
        Padding never wins.
    ceil_mode : bool, default=False
        Whether a last window that reaches beyond the picture counts too.

    See Also
    --------
    pellucid.formulas.max_pool2d : the formula, forward and backward.
    """

    dimensions = 2


@concrete_layer
class MaxPool1d(_MaxPool):
    """The largest number of each window of a signal (L, C); see :class:`MaxPool2d`."""

    dimensions = 1
    kernel_size: int
    stride: int | None = None
    padding: int | str = 0


@concrete_layer
class AvgPool2d(_AvgPool):
    """The mean of each window of a picture (H, W, C), channel by channel.

    Parameters
    ----------
    kernel_size : int or (int, int)
        Height and width of the window.
    stride : int, (int, int) or None, default=None
        How far it moves; None is its size, so that windows do not overlap.
    padding : int, (int, int), "same" or "valid", default=0
        Rows and columns of zeros on every side.
    ceil_mode : bool, default=False
        Whether a last window that reaches beyond the picture counts too.
    count_include_pad : bool, default=False
        Whether the mean counts the padding's zeros.

    See Also
    --------
    pellucid.formulas.average_pool2d : the formula, forward and backward.
    """

    dimensions = 2


@concrete_layer
class AvgPool1d(_AvgPool):
    """The mean of each window of a signal (L, C); see :class:`AvgPool2d`."""

    dimensions = 1
    kernel_size: int
    stride: int | None = None
    padding: int | str = 0


@concrete_layer
class GlobalAvgPool(_Reduction):
    """The mean of each channel over the whole picture or signal, or over the steps of a sequence.

    Of sequences of unequal length each has the mean of the steps that it has.

    See Also
    --------
    pellucid.formulas.global_average_pool : the formula, forward and backward.
    """

    operations = average_pool_forward, average_pool_backward

    def output_shape(self, shape: Shape) -> Shape:
        return (shape[-1],)

    def takes_steps(self) -> bool:
        return True

    def _places(self, stage: Stage) -> np.ndarray:
        return stage.x_grid.pixels.reshape(1, -1)

    def _kept(self, stage: Stage, places: np.ndarray) -> dict[str, np.ndarray]:
        return _counted(stage, np.array([places.size]))
