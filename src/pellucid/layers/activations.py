"""Activations as layers. After a layer that can, they are computed inside its product."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from pellucid import checks
from pellucid.engine import Operation, operation
from pellucid.kernels.grid import Grid, lines
from pellucid.kernels.operations.activations import (
    IDENTITY,
    LEAKY_RELU,
    RELU,
    SIGMOID,
    TANH,
    activation_backward,
    activation_forward,
    softmax_backward,
    softmax_forward,
)
from pellucid.layers.base import Layer, Shape, Stage, concrete_layer, flat_size


def activated(
    x: np.ndarray,
    x_grid: Grid,
    y: np.ndarray,
    y_grid: Grid,
    kind: int = IDENTITY,
    slope: float = 0.0,
) -> Operation:
    """``y = f(x)``, of rows on one grid to rows on another; the identity copies."""
    (x_lines, y_lines), length = lines(x_grid, y_grid)
    return operation(
        activation_forward(
            x=x, x_lines=x_lines, y=y, y_lines=y_lines, length=length, kind=kind, slope=slope
        )
    )


class Activation(Layer):
    """Abstract: a function of each element, whose derivative is a function of its output."""

    in_place = True
    kind: ClassVar[int]
    slope: float = 0.0

    def output_shape(self, shape: Shape) -> Shape:
        return shape

    def takes_steps(self) -> bool:
        return True

    def forward(self, stage: Stage, training: bool) -> list[Operation]:
        return [activated(stage.x, stage.x_grid, stage.y, stage.y_grid, self.kind, self.slope)]

    def backward(self, stage: Stage) -> list[Operation]:
        # y = f(x), so dx = f'(x) dy
        assert stage.dy is not None
        (y_lines,), length = lines(stage.y_grid)
        return [
            operation(activation_backward(
                y=stage.y, d=stage.dy, lines=y_lines, length=length,
                kind=self.kind, slope=self.slope,
            ))
        ]  # fmt: skip


@concrete_layer
class ReLU(Activation):
    """``y = max(x, 0)``; see :func:`pellucid.formulas.relu`."""

    kind = RELU


@concrete_layer
class LeakyReLU(Activation):
    """``y = x where x > 0, else slope x``; see :func:`pellucid.formulas.leaky_relu`.

    Parameters
    ----------
    slope : float, default=0.01
        Between 0 and 1, neither included.
    """

    kind = LEAKY_RELU
    slope: float = 0.01

    def _check(self) -> None:
        checks.number("slope", "LeakyReLU", self.slope, 0, 1, open_low=True, open_high=True)


@concrete_layer
class Sigmoid(Activation):
    """``y = 1 / (1 + e^-x)``; see :func:`pellucid.formulas.sigmoid`."""

    kind = SIGMOID


@concrete_layer
class Tanh(Activation):
    """``y = tanh x``; see :func:`pellucid.formulas.tanh`."""

    kind = TANH


@concrete_layer
class Softmax(Layer):
    """``y_i = e^x_i / sum_j e^x_j``; see :func:`pellucid.formulas.softmax`.

    A classifier's loss takes logits, so this layer is for inside a network, not its end.
    """

    in_place = True

    def output_shape(self, shape: Shape) -> Shape:
        flat_size("Softmax", shape)
        return shape

    def forward(self, stage: Stage, training: bool) -> list[Operation]:
        return [operation(softmax_forward(x=stage.x, y=stage.y, columns=stage.output_shape[0]))]

    def backward(self, stage: Stage) -> list[Operation]:
        assert stage.dy is not None
        return [operation(softmax_backward(y=stage.y, d=stage.dy, columns=stage.output_shape[0]))]


ACTIVATIONS: dict[str, type[Activation]] = {
    "relu": ReLU,
    "leaky_relu": LeakyReLU,
    "sigmoid": Sigmoid,
    "tanh": Tanh,
}
