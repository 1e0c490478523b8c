"""Convolution as layers."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pellucid import checks
from pellucid.engine import Operation, operation
from pellucid.kernels.grid import Border, spaced
from pellucid.kernels.operations.convolution import (
    convolution_backward_input,
    convolution_backward_weight,
    convolution_backward_weight_by_rows,
    convolution_forward,
    sum_groups,
)
from pellucid.kernels.operations.weight_gradient import gradient_work
from pellucid.kernels.panels import aligned
from pellucid.layers.base import ROW_SLICES, Parameter, Shape, Stage, concrete_layer, transposing
from pellucid.layers.initialization import INITIALIZATIONS
from pellucid.layers.sliding import Size, Sliding

_SMALL = 32 << 10  # bytes of weights, of which each slice of the rows can have a gradient


@dataclass(frozen=True, repr=False)
class _Convolution(Sliding):
    """Abstract: convolution in one dimension or two."""

    fuses_activation = True
    reads_plain = True
    slices_rows = True
    channels: int
    kernel_size: Size
    stride: Size = 1
    padding: Size | str = 0
    bias: bool = True
    initialization: str = "he_uniform"
    dilation: Size = 1

    def _check(self) -> None:
        owner = type(self).__name__
        checks.positive_integer("channels", owner, self.channels)
        super()._check()
        checks.flag("bias", owner, self.bias)
        checks.one_of("initialization", owner, self.initialization, INITIALIZATIONS)

    def output_shape(self, shape: Shape) -> Shape:
        return self._maps(self.windows(shape).outputs, self.channels)

    def takes_steps(self) -> bool:
        one = (self.kernel_size, self.stride) == (1, 1) and self.padding in (0, "same", "valid")
        return self.dimensions == 1 and one

    def border(self, shape: Shape) -> Border:
        return self.windows(shape).padding

    def parameters(self, shape: Shape) -> dict[str, Parameter]:
        size = self.windows(shape).size[2 - self.dimensions :]
        weight = Parameter((*size, shape[-1], self.channels), self.initialization, True)
        if not self.bias:
            return {"weight": weight}
        return {"weight": weight, "bias": Parameter((self.channels,), "zeros", False)}

    def work(self, shape: Shape) -> int:
        windows = self.windows(shape)
        return math.prod(windows.outputs) * math.prod(windows.size) * shape[-1] * self.channels

    def forward(self, stage: Stage, training: bool) -> list[Operation]:
        windows, terms = self._tables(stage)
        bias = stage.parameters["bias"] if self.bias else stage.zeros(self.channels)
        activation, slope = stage.activation
        return [
            operation(convolution_forward(
                x=stage.x, windows=windows, terms=terms, w=stage.parameters["weight"],
                w_rows=spaced(terms.size), b=bias, y=stage.y, pixels=stage.y_grid.pixels,
                width=self.channels, activation=activation, slope=slope, absent=stage.batch.absent,
            ))
        ]  # fmt: skip

    def backward(self, stage: Stage) -> list[Operation]:
        # y[o] = b + sum_q x[window(o), q] W[q], so dW[q] = sum_o x[window(o), q]^T dy[o],
        # db = sum_o dy[o], and dx[window(o), q] gets dy[o] W[q]^T from every o
        small = bool(stage.batch.slices) and stage.parameters["weight"].nbytes <= _SMALL
        transpose, to_input = self._to_input(stage, meets=small)
        if small:
            return [*transpose, *to_input, *self._to_weights_by_rows(stage)]
        return [*transpose, *self._to_weights(stage), *to_input]

    def _to_input(self, stage: Stage, meets: bool) -> tuple[list[Operation], list[Operation]]:
        """The weights transposed, and the product; nothing where nobody asks for dx."""
        if stage.dx is None:
            return [], []
        windows, offsets = self._tables(stage)[0], self._offsets(stage)
        channels = stage.input_shape[-1]
        transpose, transposed = transposing(
            stage, stage.parameters["weight"], channels, self.channels, offsets.size
        )
        assert stage.dy is not None
        to_input = operation(convolution_backward_input(
            dy=stage.dy, pixels=stage.y_grid.pixels, terms=spaced(self.channels), wt=transposed,
            w_rows=spaced(self.channels), dx=stage.dx, windows=windows, offsets=offsets,
            width=channels, absent=stage.batch.absent,
        ))  # fmt: skip
        return [replace(transpose, meets=meets)], [to_input]

    def _to_weights(self, stage: Stage) -> list[Operation]:
        """dW and db, whose elements are shared out to threads."""
        weights = convolution_backward_weight(
            **self._weight_arguments(stage, True), dw=stage.gradients["weight"],
            db=self._bias_gradient(stage),
        )  # fmt: skip
        return [operation(weights, meets=stage.dx is not None)]

    def _to_weights_by_rows(self, stage: Stage) -> list[Operation]:
        """dW and db as sums of their own for each slice of the rows, then added up."""
        totals = (stage.gradients["weight"], self._bias_gradient(stage))
        dw, db = (
            aligned(ROW_SLICES * total.size, stage.dtype).reshape(ROW_SLICES, total.size)
            for total in totals
        )
        products = convolution_backward_weight_by_rows(
            **self._weight_arguments(stage, False), dw=dw, db=db
        )
        adding = [
            operation(sum_groups(groups=groups, total=total), meets=False)
            for groups, total in zip((dw, db), totals, strict=True)
            if total.size
        ]
        return [operation(products), *adding]

    def _weight_arguments(self, stage: Stage, packs: bool) -> dict[str, Any]:
        """What both kernels of the weights' gradient take."""
        windows, terms = self._tables(stage)
        return {
            "x": stage.x, "windows": windows, "terms": terms, "dy": stage.dy,
            "pixels": stage.y_grid.pixels, "width": self.channels, "absent": stage.batch.absent,
            **gradient_work(
                height=terms.size, width=self.channels, dtype=stage.dtype,
                parts=stage.batch.parts, packs=packs,
            ),
        }  # fmt: skip

    def _bias_gradient(self, stage: Stage) -> Any:
        return stage.gradients["bias"] if self.bias else stage.zeros(0)

    def _offsets(self, stage: Stage) -> np.ndarray:
        """Where each position of a window lies, from where the window begins."""
        windows = self.windows(stage.input_shape)
        return stage.x_grid.offsets(windows.size, windows.dilation)

    def _tables(self, stage: Stage) -> tuple[np.ndarray, np.ndarray]:
        """Where windows begin in a row of x, and where a window's terms lie."""
        windows, grid = self.windows(stage.input_shape), stage.x_grid
        terms = (self._offsets(stage)[:, None] + spaced(grid.channels)).reshape(-1)
        return grid.windows(windows.outputs, windows.stride, windows.padding), terms


@concrete_layer
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


@concrete_layer
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
    kernel_size: int
    stride: int = 1
    padding: int | str = 0
    dilation: int = 1
