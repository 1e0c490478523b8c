"""Batch normalisation as a layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid import checks
from pellucid.engine import Operation, operation
from pellucid.kernels.operations.normalization import (
    batch_statistics,
    known_statistics,
    normalize,
    normalize_backward,
    normalize_backward_sums,
)
from pellucid.kernels.panels import stored_columns
from pellucid.layers.base import Layer, Parameter, Shape, Stage, concrete_layer


@concrete_layer
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

    def _check(self) -> None:
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
            "running_variance": Parameter(channels, "ones", False, learns=False, least=0.0),
        }

    def forward(self, stage: Stage, training: bool) -> list[Operation]:
        channels, parameters = stage.input_shape[-1], stage.parameters
        batch = np.zeros((5, stored_columns(channels, stage.dtype)))
        stage.memory["batch"] = batch
        running: dict[str, Any] = {
            "channels": channels, "batch": batch, "running_mean": parameters["running_mean"],
            "running_variance": parameters["running_variance"], "eps": self.eps,
        }  # fmt: skip
        if training:
            statistics = batch_statistics(
                x=stage.x, x_pixels=stage.x_grid.pixels, weight=stage.batch.weight,
                order=stage.batch.order, momentum=self.momentum, **running,
            )  # fmt: skip
        else:
            statistics = known_statistics(**running)
        kind, slope = stage.activation
        return [
            operation(statistics),
            operation(normalize(
                x=stage.x, x_pixels=stage.x_grid.pixels, y=stage.y, y_pixels=stage.y_grid.pixels,
                channels=channels, batch=batch, gamma=parameters["gamma"], beta=parameters["beta"],
                kind=kind, slope=slope,
            )),
        ]  # fmt: skip

    def backward(self, stage: Stage) -> list[Operation]:
        assert stage.dy is not None
        channels, batch = stage.input_shape[-1], stage.memory["batch"]
        sums = normalize_backward_sums(
            x=stage.x, x_pixels=stage.x_grid.pixels, dy=stage.dy, dy_pixels=stage.y_grid.pixels,
            channels=channels, batch=batch, dgamma=stage.gradients["gamma"],
            dbeta=stage.gradients["beta"],
        )  # fmt: skip
        if stage.dx is None:
            return [operation(sums)]
        to_input = normalize_backward(
            x=stage.x, d=stage.dx, pixels=stage.x_grid.pixels, channels=channels,
            weight=stage.batch.weight, order=stage.batch.order, batch=batch,
            gamma=stage.parameters["gamma"],
        )  # fmt: skip
        return [operation(sums), operation(to_input)]
