"""From a picture to one row of numbers."""

from __future__ import annotations

import math

from pellucid.kernels import Operation, operation
from pellucid.kernels.grid import lines
from pellucid.layers.base import Layer, Shape, Stage, concrete_layer


@concrete_layer
class Flatten(Layer):
    """All numbers of a picture or signal, row by row, channels last, as one row of features."""

    def output_shape(self, shape: Shape) -> Shape:
        return (math.prod(shape),)

    def forward(self, stage: Stage, training: bool) -> list[Operation]:
        (x_lines, y_lines), count = lines(stage.x_grid, stage.y_grid)
        return [operation("activation_forward", stage.x, x_lines, stage.y, y_lines, count, 0, 0.0)]

    def backward(self, stage: Stage) -> list[Operation]:
        if stage.dx is None:
            return []
        (x_lines, y_lines), count = lines(stage.x_grid, stage.y_grid)
        return [
            operation("activation_forward", stage.dy, y_lines, stage.dx, x_lines, count, 0, 0.0)
        ]
