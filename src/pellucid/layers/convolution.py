"""Convolution as layers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid import checks
from pellucid.kernels import Operation, operation
from pellucid.kernels.grid import Border, spaced
from pellucid.kernels.panels import aligned, stored_columns
from pellucid.layers.base import ROW_SLICES, Parameter, Shape, Stage
from pellucid.layers.initialization import INITIALIZATIONS
from pellucid.layers.windows import Size, Sliding

_SMALL = 32 << 10  # bytes of weights, of which each slice of the rows can have a gradient


class _Convolution(Sliding):
    """Abstract: convolution in one dimension or two."""

    fuses_activation = True
    reads_plain = True
    slices_rows = True
    channels: int
    kernel_size: Any
    bias: bool
    initialization: str

    def __post_init__(self) -> None:
        owner = type(self).__name__
        checks.positive_integer("channels", owner, self.channels)
        self._check_windows("kernel_size")
        checks.flag("bias", owner, self.bias)
        checks.one_of("initialization", owner, self.initialization, INITIALIZATIONS)

    @property
    def _window(self) -> Any:
        return self.kernel_size

    def output_shape(self, shape: Shape) -> Shape:
        return self._maps(self.windows(shape).outputs, int(self.channels))

    def takes_steps(self) -> bool:
        one = (self.kernel_size, self.stride) == (1, 1) and self.padding in (0, "same", "valid")
        return self.dimensions == 1 and one

    def border(self, shape: Shape) -> Border:
        return self.windows(shape).padding

    def parameters(self, shape: Shape) -> dict[str, Parameter]:
        size = self.windows(shape).size[2 - self.dimensions :]
        weight = Parameter((*size, shape[-1], self.channels), self.initialization, True)
        found = {"weight": weight}
        if self.bias:
            found["bias"] = Parameter((self.channels,), "zeros", False)
        return found

    def work(self, shape: Shape) -> int:
        windows = self.windows(shape)
        return math.prod(windows.outputs) * math.prod(windows.size) * shape[-1] * self.channels

    def forward(self, stage: Stage, training: bool) -> list[Operation]:
        windows, terms, depth = self._tables(stage)
        bias = stage.parameters["bias"] if self.bias else stage.zeros(self.channels)
        return [
            operation(
                "convolution_forward", stage.x, windows, terms, stage.parameters["weight"],
                spaced(depth), bias, stage.y, stage.y_grid.pixels, self.channels,
                *stage.activation, stage.missing,
            )
        ]  # fmt: skip

    def backward(self, stage: Stage) -> list[Operation]:
        # y[o] = b + sum_q x[window(o), q] W[q], so dW[q] = sum_o x[window(o), q]^T dy[o],
        # db = sum_o dy[o], and dx[window(o), q] gets dy[o] W[q]^T from every o
        small = bool(stage.slices) and stage.parameters["weight"].nbytes <= _SMALL
        transpose, to_input = self._to_input(stage, meets=small)
        if small:
            return [*transpose, *to_input, *self._to_weights_by_rows(stage)]
        return [*transpose, *self._to_weights(stage), *to_input]

    def _to_input(self, stage: Stage, meets: bool) -> tuple[list[Operation], list[Operation]]:
        """The weights transposed, and the product; nothing where nobody asks for dx."""
        if stage.dx is None:
            return [], []
        found = self.windows(stage.input_shape)
        offsets = stage.x_grid.offsets(found.size, found.dilation)
        windows, channels, positions = self._tables(stage)[0], stage.input_shape[-1], offsets.size
        transposed = aligned(
            positions * self.channels * stored_columns(channels, stage.dtype), stage.dtype
        )
        transpose = operation(
            "transpose_panels", stage.parameters["weight"], transposed, positions, channels,
            self.channels, meets=meets,
        )  # fmt: skip
        to_input = operation(
            "convolution_backward_input", stage.dy, stage.y_grid.pixels, spaced(self.channels),
            transposed, spaced(self.channels), stage.dx, windows, offsets, channels,
            stage.missing,
        )  # fmt: skip
        return [transpose], [to_input]

    def _to_weights(self, stage: Stage) -> list[Operation]:
        """dW and db, whose elements are shared out to threads."""
        windows, terms, depth = self._tables(stage)
        return [
            operation(
                "convolution_backward_weight", stage.x, windows, terms, stage.dy,
                stage.y_grid.pixels, stage.zeros(self.channels), stage.gradients["weight"],
                spaced(depth), self._bias_gradient(stage), np.ones(1, stage.dtype),
                np.zeros(max(1, len(windows)), np.int64), self.channels, stage.missing,
                meets=stage.dx is not None,
            )
        ]  # fmt: skip

    def _to_weights_by_rows(self, stage: Stage) -> list[Operation]:
        """dW and db as sums of their own for each slice of the rows, then added up."""
        windows, terms, depth = self._tables(stage)
        sums = [
            (aligned(ROW_SLICES * each.size, stage.dtype).reshape(ROW_SLICES, each.size), each)
            for each in (stage.gradients["weight"], self._bias_gradient(stage))
        ]
        products = operation(
            "convolution_backward_weight_by_rows", stage.x, windows, terms, stage.dy,
            stage.y_grid.pixels, stage.zeros(self.channels), sums[0][0], spaced(depth),
            sums[1][0], np.ones(1, stage.dtype), self.channels,
            np.zeros(max(1, len(windows)), np.int64), stage.missing,
        )  # fmt: skip
        adding = [operation("sum_groups", *each, meets=False) for each in sums if each[1].size]
        return [products, *adding]

    def _bias_gradient(self, stage: Stage) -> Any:
        return stage.gradients["bias"] if self.bias else stage.zeros(0)

    def _tables(self, stage: Stage) -> tuple[Any, Any, int]:
        """Where windows begin in a row of x, where a window's terms lie, and how many they are."""
        found, grid = self.windows(stage.input_shape), stage.x_grid
        offsets = grid.offsets(found.size, found.dilation)
        terms = (offsets[:, None] + spaced(grid.channels)).reshape(-1)
        return grid.windows(found.outputs, found.stride), terms, terms.size


@dataclass(frozen=True, repr=False)
class Conv2d(_Convolution):
    """Convolution of pictures (H, W, C): a weighted sum of each window, for each output channel.

    Parameters
    ----------
    channels : int
        Output channels: the number of kernels.
    kernel_size : int or (int, int)
        Height and width of the window.
    stride : int or (int, int), default=1
        How far the window moves.
    padding : int, (int, int), "same" or "valid", default=0
        Rows and columns of zeros on every side; "same" as many as keep the size (over the
        stride), "valid" none.
    bias : bool, default=True
        Whether a bias for each output channel is learnt.
    initialization : str, default="he_uniform"
        See :mod:`pellucid.layers.initialization`.
    dilation : int or (int, int), default=1
        How far apart the pixels lie that a window sees: with 2, every second one.

    Notes
    -----
    Weights have the shape (FH, FW, C, channels). An output map is
    ``OH = floor((H + 2P - D (FH - 1) - 1) / S) + 1`` high, without dilation
    ``floor((H + 2P - FH) / S) + 1``.

    See Also
    --------
    pellucid.formulas.convolution2d : the formula, forward and backward.
    """

    dimensions = 2
    channels: int
    kernel_size: Size
    stride: Size = 1
    padding: Size | str = 0
    bias: bool = True
    initialization: str = "he_uniform"
    dilation: Size = 1


@dataclass(frozen=True, repr=False)
class Conv1d(_Convolution):
    """Convolution of signals (L, C); see :class:`Conv2d`.

    Parameters
    ----------
    channels : int
        Output channels: the number of kernels.
    kernel_size : int
        Length of the window.
    stride : int, default=1
        How far the window moves.
    padding : int, "same" or "valid", default=0
        Zeros on both sides; "same" as many as keep the length (over the stride).
    bias : bool, default=True
        Whether a bias for each output channel is learnt.
    initialization : str, default="he_uniform"
        See :mod:`pellucid.layers.initialization`.
    dilation : int, default=1
        How far apart the numbers lie that a window sees.

    See Also
    --------
    pellucid.formulas.convolution1d : the formula, forward and backward.
    """

    dimensions = 1
    channels: int
    kernel_size: int
    stride: int = 1
    padding: int | str = 0
    bias: bool = True
    initialization: str = "he_uniform"
    dilation: int = 1
