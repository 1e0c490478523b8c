"""Activations as layers. After a layer that can, they are computed inside its product."""

from __future__ import annotations

from typing import ClassVar

from pellucid import checks
from pellucid.kernels import Operation, operation
from pellucid.kernels.grid import lines
from pellucid.layers.base import Layer, Shape, Stage, concrete_layer, flat_size

# the numbers of ``kernels/activations.py``; equality is tested
KINDS = {"identity": 0, "relu": 1, "leaky_relu": 2, "sigmoid": 3, "tanh": 4}


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
        (x_lines, y_lines), count = lines(stage.x_grid, stage.y_grid)
        return [
            operation(
                "activation_forward", stage.x, x_lines, stage.y, y_lines, count, self.kind,
                self.slope,
            )
        ]  # fmt: skip

    def backward(self, stage: Stage) -> list[Operation]:
        # y = f(x), so dx = f'(x) dy
        (runs,), count = lines(stage.y_grid)
        return [
            operation("activation_backward", stage.y, stage.dy, runs, count, self.kind, self.slope)
        ]


@concrete_layer
class ReLU(Activation):
    """``y = max(x, 0)``; see :func:`pellucid.formulas.relu`."""

    kind = KINDS["relu"]


@concrete_layer
class LeakyReLU(Activation):
    """``y = x where x > 0, else slope x``; see :func:`pellucid.formulas.leaky_relu`.

    Parameters
    ----------
    slope : float, default=0.01
        Between 0 and 1, neither included.
    """

    kind = KINDS["leaky_relu"]
    slope: float = 0.01

    def __post_init__(self) -> None:
        checks.number("slope", "LeakyReLU", self.slope, 0, 1, open_low=True, open_high=True)


@concrete_layer
class Sigmoid(Activation):
    """``y = 1 / (1 + e^-x)``; see :func:`pellucid.formulas.sigmoid`."""

    kind = KINDS["sigmoid"]


@concrete_layer
class Tanh(Activation):
    """``y = tanh x``; see :func:`pellucid.formulas.tanh`."""

    kind = KINDS["tanh"]


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
        return [operation("softmax_forward", stage.x, stage.y, stage.output_shape[0])]

    def backward(self, stage: Stage) -> list[Operation]:
        return [operation("softmax_backward", stage.y, stage.dy, stage.output_shape[0])]


ACTIVATIONS: dict[str, type[Activation]] = {
    "relu": ReLU,
    "leaky_relu": LeakyReLU,
    "sigmoid": Sigmoid,
    "tanh": Tanh,
}
