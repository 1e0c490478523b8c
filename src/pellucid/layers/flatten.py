"""From a picture to one row of numbers."""

from __future__ import annotations

import math

from pellucid.engine import Operation
from pellucid.layers.activations import activated
from pellucid.layers.base import Layer, Shape, Stage, concrete_layer


@concrete_layer
class Flatten(Layer):
    """All numbers of a picture or signal, row by row, channels last, as one row of features."""

    def output_shape(self, shape: Shape) -> Shape:
        return (math.prod(shape),)

    def forward(self, stage: Stage, training: bool) -> list[Operation]:
        return [activated(stage.x, stage.x_grid, stage.y, stage.y_grid)]

    def backward(self, stage: Stage) -> list[Operation]:
        if stage.dx is None:
            return []
        assert stage.dy is not None
        return [activated(stage.dy, stage.y_grid, stage.dx, stage.x_grid)]
