"""The fully connected layer."""

from __future__ import annotations

import math

from pellucid import checks
from pellucid.kernels import Operation, operation
from pellucid.kernels.grid import spaced
from pellucid.kernels.panels import PANEL_BYTES, aligned, stored_columns
from pellucid.layers.base import Layer, Parameter, Shape, Stage, concrete_layer, flat_size
from pellucid.layers.convolution import Conv1d
from pellucid.layers.initialization import INITIALIZATIONS


@concrete_layer
class Linear(Layer):
    """``y = x W + b``, x (B, I), W (I, H), b (H,); of x (B, T, I) each step by itself.

    Parameters
    ----------
    units : int
        H, the number of outputs.
    bias : bool, default=True
        Whether b is learnt; without it b is 0.
    initialization : str, default="glorot_uniform"
        How W begins; b begins at zero. See :mod:`pellucid.layers.initialization`.

    See Also
    --------
    pellucid.formulas.linear : the formula, forward and backward.
    """

    fuses_activation = True
    units: int
    bias: bool = True
    initialization: str = "glorot_uniform"

    def __post_init__(self) -> None:
        checks.positive_integer("units", "Linear", self.units)
        checks.flag("bias", "Linear", self.bias)
        checks.one_of("initialization", "Linear", self.initialization, INITIALIZATIONS)

    def output_shape(self, shape: Shape) -> Shape:
        if len(shape) == 2:
            return (shape[0], int(self.units))
        flat_size("Linear", shape)
        return (int(self.units),)

    def takes_steps(self) -> bool:
        return True

    def parameters(self, shape: Shape) -> dict[str, Parameter]:
        found = {"weight": Parameter((shape[-1], self.units), self.initialization, True)}
        if self.bias:
            found["bias"] = Parameter((self.units,), "zeros", False)
        return found

    def work(self, shape: Shape) -> int:
        return math.prod(shape) * self.units

    def _by_steps(self) -> Layer:
        """What does the same to steps: a convolution whose window is one step wide."""
        return Conv1d(self.units, 1, bias=self.bias)

    def forward(self, stage: Stage, training: bool) -> list[Operation]:
        if len(stage.input_shape) == 2:
            return self._by_steps().forward(stage, training)
        x, y = stage.x, stage.y
        inputs, outputs = stage.input_shape[0], stage.output_shape[0]
        bias = stage.parameters["bias"] if self.bias else stage.zeros(outputs)
        panel = PANEL_BYTES // stage.dtype.itemsize
        x_rows, y_rows = spaced(stage.rows, x.shape[1]), spaced(stage.rows, y.shape[1])
        features = spaced(inputs)
        return [
            operation(
                "product",
                x.reshape(-1), x_rows, features,
                stage.parameters["weight"], features, inputs * panel, True,
                bias,
                y.reshape(-1), y_rows, panel, False,
                -1, outputs, inputs, *stage.activation,
            )
        ]  # fmt: skip

    def backward(self, stage: Stage) -> list[Operation]:
        # y = x W + b, so dW = x^T dy, db = sum dy, dx = dy W^T
        assert stage.dy is not None
        if len(stage.input_shape) == 2:
            return self._by_steps().backward(stage)
        x, dy, dx = stage.x, stage.dy, stage.dx
        inputs, outputs = stage.input_shape[0], stage.output_shape[0]
        panel = PANEL_BYTES // stage.dtype.itemsize
        zeros = stage.zeros(max(inputs, outputs))
        x_rows, dy_rows = spaced(stage.rows, x.shape[1]), spaced(stage.rows, dy.shape[1])
        features, units = spaced(inputs), spaced(outputs)
        found = []
        if dx is not None:
            weight = stage.parameters["weight"]
            transposed = aligned(outputs * stored_columns(inputs, stage.dtype), stage.dtype)
            found.append(
                operation("transpose_panels", weight, transposed, 1, inputs, outputs, meets=False)
            )
        found.append(
            operation(
                "product",
                x.reshape(-1), features, x_rows,
                dy.reshape(-1), dy_rows, panel, False,
                zeros,
                stage.gradients["weight"], features, inputs * panel, True,
                inputs, outputs, -1, 0, 0.0, meets=dx is not None,
            )
        )  # fmt: skip
        if self.bias:
            found.append(
                operation("bias_backward", dy, stage.gradients["bias"], outputs, meets=False)
            )
        if dx is not None:
            found.append(
                operation(
                    "product",
                    dy.reshape(-1), dy_rows, units,
                    transposed, units, outputs * panel, True,
                    zeros,
                    dx.reshape(-1), spaced(stage.rows, dx.shape[1]), panel, False,
                    -1, inputs, outputs, 0, 0.0,
                )
            )  # fmt: skip
        return found
