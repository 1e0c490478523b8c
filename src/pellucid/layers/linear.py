"""The fully connected layer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pellucid import checks
from pellucid.kernels import Operation, operation
from pellucid.kernels.panels import PANEL_BYTES, aligned, stored_columns
from pellucid.layers.base import Layer, Parameter, Shape, Stage, flat_size
from pellucid.layers.initialization import INITIALIZATIONS


@dataclass(frozen=True, repr=False)
class Linear(Layer):
    """``y = x W + b``, x (B, I), W (I, H), b (H,).

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

    units: int
    bias: bool = True
    initialization: str = "glorot_uniform"

    def __post_init__(self) -> None:
        checks.positive_integer("units", "Linear", self.units)
        checks.flag("bias", "Linear", self.bias)
        checks.one_of("initialization", "Linear", self.initialization, INITIALIZATIONS)

    def output_shape(self, shape: Shape) -> Shape:
        flat_size("Linear", shape)
        return (int(self.units),)

    def parameters(self, shape: Shape) -> dict[str, Parameter]:
        found = {"weight": Parameter((shape[0], self.units), self.initialization, True)}
        if self.bias:
            found["bias"] = Parameter((self.units,), "zeros", False)
        return found

    def forward(self, stage: Stage, training: bool) -> list[Operation]:
        inputs, outputs = stage.input_shape[0], stage.output_shape[0]
        bias = stage.parameters["bias"] if self.bias else _zeros(outputs, stage.dtype)
        x, y = stage.x, stage.y
        panel = PANEL_BYTES // stage.dtype.itemsize
        return [
            operation(
                "product",
                x.reshape(-1),
                x.shape[1],
                1,
                stage.parameters["weight"],
                inputs * panel,
                0,
                bias,
                y.reshape(-1),
                panel,
                y.shape[1],
                -1,
                outputs,
                inputs,
                *stage.activation,
            )  # fmt: skip
        ]

    def backward(self, stage: Stage) -> list[Operation]:
        # y = x W + b, so dW = x^T dy, db = sum dy, dx = dy W^T
        assert stage.dy is not None
        inputs, outputs = stage.input_shape[0], stage.output_shape[0]
        x, dy, dx = stage.x, stage.dy, stage.dx
        panel = PANEL_BYTES // stage.dtype.itemsize
        zeros = _zeros(max(inputs, outputs), stage.dtype)
        found = []
        if dx is not None:
            weight = stage.parameters["weight"]
            transposed = aligned(outputs * stored_columns(inputs, stage.dtype), stage.dtype)
            found.append(
                operation("transpose_panels", weight, transposed, inputs, outputs, meets=False)
            )
        found.append(
            operation(
                "product",
                x.reshape(-1),
                1,
                x.shape[1],
                dy.reshape(-1),
                panel,
                dy.shape[1],
                zeros,
                stage.gradients["weight"],
                inputs * panel,
                0,
                inputs,
                outputs,
                -1,
                0,
                0.0,
                meets=dx is not None,
            )  # fmt: skip
        )
        if self.bias:
            found.append(
                operation("bias_backward", dy, stage.gradients["bias"], outputs, meets=False)
            )
        if dx is not None:
            found.append(
                operation(
                    "product",
                    dy.reshape(-1),
                    dy.shape[1],
                    1,
                    transposed,
                    outputs * panel,
                    0,
                    zeros,
                    dx.reshape(-1),
                    panel,
                    dx.shape[1],
                    -1,
                    inputs,
                    outputs,
                    0,
                    0.0,
                )  # fmt: skip
            )
        return found


def _zeros(columns: int, dtype: np.dtype) -> np.ndarray:
    return aligned(stored_columns(columns, dtype), dtype)
