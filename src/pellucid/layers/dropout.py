"""Dropout as a layer."""

from __future__ import annotations

from pellucid import checks
from pellucid.engine import Operation, operation
from pellucid.kernels.grid import lines
from pellucid.kernels.operations.dropout import dropout_backward, dropout_forward
from pellucid.kernels.panels import rows_of
from pellucid.layers.activations import activated
from pellucid.layers.base import Layer, Shape, Stage, concrete_layer


@concrete_layer
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

    def _check(self) -> None:
        checks.number("rate", "Dropout", self.rate, 0, 1, open_high=True)

    def output_shape(self, shape: Shape) -> Shape:
        return shape

    def takes_steps(self) -> bool:
        return True

    def forward(self, stage: Stage, training: bool) -> list[Operation]:
        if not training:
            return [activated(stage.x, stage.x_grid, stage.y, stage.y_grid)]
        (x_lines, y_lines), length = lines(stage.x_grid, stage.y_grid)
        mask = rows_of(stage.rows, len(y_lines) * (-(-length // 4) * 4), stage.dtype)
        stage.memory["mask"] = mask
        return [
            operation(dropout_forward(
                x=stage.x, x_lines=x_lines, mask=mask, y=stage.y, lines=y_lines, length=length,
                rate=self.rate, layer=stage.number, clock=stage.batch.clock,
            ))
        ]  # fmt: skip

    def backward(self, stage: Stage) -> list[Operation]:
        assert stage.dy is not None
        (y_lines,), length = lines(stage.y_grid)
        mask = stage.memory["mask"]
        return [operation(dropout_backward(mask=mask, d=stage.dy, lines=y_lines, length=length))]
