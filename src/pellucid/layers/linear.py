"""The fully connected layer."""

from __future__ import annotations

import math

from pellucid import checks
from pellucid.engine import Operation, operation
from pellucid.kernels.grid import spaced
from pellucid.kernels.operations.activations import IDENTITY
from pellucid.kernels.operations.product import product
from pellucid.kernels.operations.weight_gradient import gradient_work, weight_gradient
from pellucid.layers.base import (
    Layer,
    Parameter,
    Shape,
    Stage,
    concrete_layer,
    flat_size,
    transposing,
)
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
    trainable : bool, default=True
        Whether training changes W and b. Else they stay as they were set.

    See Also
    --------
    pellucid.formulas.linear : the formula, forward and backward.
    """

    fuses_activation = True
    later = ("trainable",)
    units: int
    bias: bool = True
    initialization: str = "glorot_uniform"
    trainable: bool = True

    def _check(self) -> None:
        checks.positive_integer("units", "Linear", self.units)
        checks.flag("bias", "Linear", self.bias)
        checks.one_of("initialization", "Linear", self.initialization, INITIALIZATIONS)
        checks.flag("trainable", "Linear", self.trainable)

    def output_shape(self, shape: Shape) -> Shape:
        if len(shape) == 2 and not self.trainable:
            raise ValueError(
                "trainable of Linear must be True where it goes step by step. Got False. Put a "
                "Flatten layer before it."
            )
        if len(shape) == 2:
            return (shape[0], self.units)
        flat_size("Linear", shape)
        return (self.units,)

    def takes_steps(self) -> bool:
        return True

    def parameters(self, shape: Shape) -> dict[str, Parameter]:
        learns, weight = self.trainable, (shape[-1], self.units)
        parameters = {"weight": Parameter(weight, self.initialization, learns, learns)}
        if self.bias:
            parameters["bias"] = Parameter((self.units,), "zeros", False, learns)
        return parameters

    def work(self, shape: Shape) -> int:
        return math.prod(shape) * self.units

    def _by_steps(self) -> Layer:
        """The layer that does the same to steps: a convolution with a window of one step."""
        return Conv1d(self.units, 1, bias=self.bias)

    def forward(self, stage: Stage, training: bool) -> list[Operation]:
        if len(stage.input_shape) == 2:
            return self._by_steps().forward(stage, training)
        x, y = stage.x, stage.y
        inputs, outputs = stage.input_shape[0], stage.output_shape[0]
        bias = stage.parameters["bias"] if self.bias else stage.zeros(outputs)
        x_rows, y_rows = spaced(stage.rows, x.shape[1]), spaced(stage.rows, y.shape[1])
        features = spaced(inputs)
        activation, slope = stage.activation
        return [
            operation(product(
                a=x.reshape(-1), a_rows=x_rows, a_terms=features,
                b=stage.parameters["weight"], b_terms=features, start=bias,
                c=y.reshape(-1), c_rows=y_rows, height=-1, width=outputs,
                activation=activation, slope=slope,
            ))
        ]  # fmt: skip

    def backward(self, stage: Stage) -> list[Operation]:
        # y = x W + b, so dW = x^T dy, db = sum dy, dx = dy W^T
        assert stage.dy is not None
        if len(stage.input_shape) == 2:
            return self._by_steps().backward(stage)
        dy, dx = stage.dy, stage.dx
        inputs, outputs = stage.input_shape[0], stage.output_shape[0]
        operations = []
        if dx is not None:
            transpose, transposed = transposing(stage, stage.parameters["weight"], inputs, outputs)
            operations.append(transpose)
        if self.trainable:
            operations.append(self._to_weights(stage, meets=dx is not None))
        if dx is not None:
            units = spaced(outputs)
            operations.append(
                operation(product(
                    a=dy.reshape(-1), a_rows=spaced(stage.rows, dy.shape[1]), a_terms=units,
                    b=transposed, b_terms=units, start=stage.zeros(inputs),
                    c=dx.reshape(-1), c_rows=spaced(stage.rows, dx.shape[1]),
                    height=-1, width=inputs, activation=IDENTITY, slope=0.0,
                ))
            )  # fmt: skip
        return operations

    def _to_weights(self, stage: Stage, meets: bool) -> Operation:
        """``dW = x^T dy`` and ``db = sum dy``."""
        assert stage.dy is not None
        x, dy = stage.x, stage.dy
        inputs, outputs = stage.input_shape[0], stage.output_shape[0]
        to_weights = weight_gradient(
            x=x.reshape(-1), x_rows=spaced(stage.rows, x.shape[1]), features=spaced(inputs),
            dz=dy.reshape(-1), dz_rows=spaced(stage.rows, dy.shape[1]),
            dw=stage.gradients["weight"],
            db=stage.gradients["bias"] if self.bias else stage.zeros(0), width=outputs,
            **gradient_work(
                height=inputs, width=outputs, dtype=stage.dtype, parts=stage.batch.parts
            ),
        )  # fmt: skip
        return operation(to_weights, meets=meets)
