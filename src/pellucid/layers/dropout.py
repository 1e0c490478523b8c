"""Dropout as a layer."""

from __future__ import annotations

from dataclasses import dataclass

from pellucid import checks
from pellucid.kernels import Operation, operation
from pellucid.kernels.grid import lines
from pellucid.kernels.panels import rows_of
from pellucid.layers.base import Layer, Shape, Stage


@dataclass(frozen=True, repr=False)
class Dropout(Layer):
    """In training each element is zero with probability `rate`, else divided by ``1 - rate``.

    At inference it changes nothing. See :func:`pellucid.formulas.dropout`.

    Parameters
    ----------
    rate : float
        In [0, 1).
    """

    in_place = True
    rate: float

    def __post_init__(self) -> None:
        checks.number("rate", "Dropout", self.rate, 0, 1, open_high=True)

    def output_shape(self, shape: Shape) -> Shape:
        return shape

    def takes_steps(self) -> bool:
        return True

    def forward(self, stage: Stage, training: bool) -> list[Operation]:
        (x_lines, y_lines), count = lines(stage.x_grid, stage.y_grid)
        if not training:
            return [
                operation("activation_forward", stage.x, x_lines, stage.y, y_lines, count, 0, 0.0)
            ]
        mask = rows_of(stage.rows, len(y_lines) * (-(-count // 4) * 4), stage.dtype)
        stage.memory["mask"] = mask
        return [
            operation(
                "dropout_forward", stage.x, x_lines, mask, stage.y, y_lines, count, self.rate,
                stage.index, stage.clock,
            )
        ]  # fmt: skip

    def backward(self, stage: Stage) -> list[Operation]:
        (runs,), count = lines(stage.y_grid)
        return [operation("dropout_backward", stage.memory["mask"], stage.dy, runs, count)]
