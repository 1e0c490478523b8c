"""Layer normalisation as a layer."""

from __future__ import annotations

import numpy as np

from pellucid import checks
from pellucid.engine import Operation, operation
from pellucid.kernels.operations.layer_normalization import (
    layer_normalization_backward,
    layer_normalization_backward_sums,
    layer_normalization_forward,
)
from pellucid.kernels.panels import stored_columns
from pellucid.layers.base import Layer, Parameter, Shape, Stage, concrete_layer


@concrete_layer
class LayerNorm(Layer):
    """``y = gamma (x - mean) / sqrt(variance + eps) + beta``, over the features of each row.

    Of sequences (T, I) each step is normalised by itself, of signals and pictures each pixel, over
    its channels. No row sees another, in training or at inference.

    Parameters
    ----------
    eps : float, default=1e-5
        Keeps a row of equal numbers from a division by zero.

    See Also
    --------
    pellucid.formulas.layer_normalization : the formula, forward and backward.
    """

    in_place = True
    fuses_activation = True
    eps: float = 1e-5

    def _check(self) -> None:
        checks.number("eps", "LayerNorm", self.eps, 0, open_low=True)

    def output_shape(self, shape: Shape) -> Shape:
        return shape

    def takes_steps(self) -> bool:
        return True

    def parameters(self, shape: Shape) -> dict[str, Parameter]:
        features = (shape[-1],)
        return {
            "gamma": Parameter(features, "ones", False),
            "beta": Parameter(features, "zeros", False),
        }

    def forward(self, stage: Stage, training: bool) -> list[Operation]:
        kind, slope = stage.activation
        stage.memory["statistics"] = np.zeros((stage.rows, 2 * stage.x_grid.pixels.size))
        return [
            operation(layer_normalization_forward(
                x=stage.x, x_pixels=stage.x_grid.pixels, y=stage.y, y_pixels=stage.y_grid.pixels,
                features=stage.input_shape[-1], statistics=stage.memory["statistics"],
                gamma=stage.parameters["gamma"], beta=stage.parameters["beta"], eps=self.eps,
                kind=kind, slope=slope, absent=stage.absent,
            ))
        ]  # fmt: skip

    def backward(self, stage: Stage) -> list[Operation]:
        assert stage.dy is not None
        features, statistics = stage.input_shape[-1], stage.memory["statistics"]
        sums = layer_normalization_backward_sums(
            x=stage.x, x_pixels=stage.x_grid.pixels, dy=stage.dy, dy_pixels=stage.y_grid.pixels,
            features=features, statistics=statistics,
            sums=np.zeros((2, stored_columns(features, stage.dtype))),
            dgamma=stage.gradients["gamma"], dbeta=stage.gradients["beta"],
            absent=stage.absent,
        )  # fmt: skip
        if stage.dx is None:
            return [operation(sums)]
        to_input = layer_normalization_backward(
            x=stage.x, d=stage.dx, pixels=stage.x_grid.pixels, features=features,
            statistics=statistics, gamma=stage.parameters["gamma"], absent=stage.absent,
        )  # fmt: skip
        return [operation(sums), operation(to_input)]
