"""Batch normalisation as a layer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pellucid import checks
from pellucid.kernels import Operation, operation
from pellucid.kernels.panels import stored_columns
from pellucid.layers.base import Layer, Parameter, Shape, Stage


@dataclass(frozen=True, repr=False)
class BatchNorm(Layer):
    """``y = gamma (x - mean) / sqrt(variance + eps) + beta`` for each channel.

    In training mean and variance are those of the batch; at inference they are the running ones.

    Parameters
    ----------
    momentum : float, default=0.1
        How far each batch moves the running mean and variance, in (0, 1].
    eps : float, default=1e-5

    See Also
    --------
    pellucid.formulas.batch_normalization : the formula, forward and backward.
    """

    in_place = True
    fuses_activation = True
    momentum: float = 0.1
    eps: float = 1e-5

    def __post_init__(self) -> None:
        checks.number("momentum", "BatchNorm", self.momentum, 0, 1, open_low=True)
        checks.number("eps", "BatchNorm", self.eps, 0, open_low=True)

    def output_shape(self, shape: Shape) -> Shape:
        return shape

    def parameters(self, shape: Shape) -> dict[str, Parameter]:
        channels = (shape[-1],)
        return {
            "gamma": Parameter(channels, "ones", False),
            "beta": Parameter(channels, "zeros", False),
            "running_mean": Parameter(channels, "zeros", False, learns=False),
            "running_variance": Parameter(channels, "ones", False, learns=False),
        }

    def forward(self, stage: Stage, training: bool) -> list[Operation]:
        channels, found = stage.input_shape[-1], stage.parameters
        batch = np.zeros((5, stored_columns(channels, stage.dtype)))
        stage.memory["batch"] = batch
        running = (found["running_mean"], found["running_variance"])
        pixels = (stage.x, stage.x_grid.pixels)
        if training:
            statistics = operation(
                "batch_statistics", *pixels, channels, *stage.weights, batch, *running,
                self.momentum, self.eps,
            )  # fmt: skip
        else:
            statistics = operation("known_statistics", channels, batch, *running, self.eps)
        return [
            statistics,
            operation(
                "normalize", *pixels, stage.y, stage.y_grid.pixels, channels, batch,
                found["gamma"], found["beta"], *stage.activation,
            ),
        ]  # fmt: skip

    def backward(self, stage: Stage) -> list[Operation]:
        assert stage.dy is not None
        channels, batch = stage.input_shape[-1], stage.memory["batch"]
        arrays = (stage.x, stage.x_grid.pixels, stage.dy, stage.y_grid.pixels)
        gradients = stage.gradients
        found = [
            operation(
                "normalize_backward_sums", *arrays, channels, batch, gradients["gamma"],
                gradients["beta"],
            )
        ]  # fmt: skip
        if stage.dx is not None:
            found.append(
                operation(
                    "normalize_backward", stage.x, stage.dx, stage.x_grid.pixels, channels,
                    *stage.weights, batch, stage.parameters["gamma"],
                )
            )  # fmt: skip
        return found
