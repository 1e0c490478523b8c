"""Layers with a shortcut around them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from pellucid import checks
from pellucid.engine import Operation, operation
from pellucid.kernels.grid import NO_BORDER, Border, Grid, lines
from pellucid.kernels.operations.residual import add
from pellucid.layers.activations import activated
from pellucid.layers.base import Layer, Shape, border_of, concrete_layer
from pellucid.layers.convolution import Conv1d, Conv2d
from pellucid.layers.linear import Linear
from pellucid.layers.stage import Stage

_DEEPEST = 100  # of Residuals in one another: Python bounds how deep calls nest


@concrete_layer
class Residual(Layer):
    """``y = F(x) + x``: layers F with a shortcut around them.

    Where F changes the shape, the shortcut is a projection without bias, ``y = F(x) + x W``: of
    flat rows a Linear, of steps and pictures a 1x1 convolution, with F's stride.

    Parameters
    ----------
    layers : list of Layer
        F. What follows the sum, such as a ReLU, follows the Residual.
    shortcut : list of Layer, optional
        Layers S in place of that shortcut, ``y = F(x) + S(x)``, which give what F gives: beside
        ``[LSTM(64), Linear(3)]`` as ``[Flatten(), Linear(3)]``.

    Examples
    --------
    >>> from pellucid import Network
    >>> from pellucid.layers import Conv2d, ReLU, Residual
    >>> block = Residual([Conv2d(8, 3, stride=2, padding=1), ReLU(), Conv2d(8, 3, padding=1)])
    >>> Network([block, ReLU()]).build((32, 32, 3)).output_shape
    (16, 16, 8)

    See Also
    --------
    pellucid.formulas.residual : the formula, forward and backward.
    """

    later = ("shortcut",)
    layers: Sequence[Layer]
    shortcut: Sequence[Layer] | None = None

    def _check(self) -> None:
        for name in ("layers",) if self.shortcut is None else ("layers", "shortcut"):
            inner = getattr(self, name)
            if not isinstance(inner, (list, tuple)) or not all(isinstance(x, Layer) for x in inner):
                raise TypeError(
                    checks.fault(name, "Residual", "a list of layers, as [Linear(64)]", inner)
                )
            if not inner:
                raise ValueError(checks.fault(name, "Residual", "at least one layer", inner))
        if self.depth > _DEEPEST:
            raise ValueError(
                checks.fault("layers", "Residual", f"nested at most {_DEEPEST} deep", self.depth)
            )
        for name in ("layers", "shortcut"):
            inner = getattr(self, name) or ()
            single = tuple(part for layer in inner for part in layer.stack())
            object.__setattr__(self, name, single or None)

    @property
    def depth(self) -> int:
        """How many Residuals lie inside one another here."""
        inner = (*self.layers, *(self.shortcut or ()))
        return 1 + max(layer.depth if isinstance(layer, Residual) else 0 for layer in inner)

    def __repr__(self) -> str:
        more = "" if self.shortcut is None else f", shortcut={list(self.shortcut)!r}"
        return f"Residual({list(self.layers)!r}{more})"

    def output_shape(self, shape: Shape) -> Shape:
        return self._ends(shape)[0]

    def branches(self, shape: Shape) -> dict[str, tuple[Layer, ...]]:
        _, shortcut = self._ends(shape)
        return {"layers": tuple(self.layers), **({"shortcut": shortcut} if shortcut else {})}

    def border(self, shape: Shape) -> Border:
        borders = [border_of(layers, shape) for layers in self.branches(shape).values()]
        (above, below), (left, right) = np.max([*borders, NO_BORDER], axis=0).tolist()
        return (above, below), (left, right)

    def takes_steps(self) -> bool:
        return all(layer.takes_steps() for layer in (*self.layers, *(self.shortcut or ())))

    def strides(self, shape: Shape) -> tuple[int, int]:
        down, across = 1, 1
        for layer in self.layers:
            stride = layer.strides(shape)
            down, across = down * stride[0], across * stride[1]
            shape = layer.output_shape(shape)
        return down, across

    def forward(self, stage: Stage, training: bool) -> list[Operation]:
        inner, shortcut = stage.branches["layers"], stage.branches.get("shortcut")
        right, right_grid = (shortcut.y, shortcut.y_grid) if shortcut else (stage.x, stage.x_grid)
        total = _sum(inner.y, inner.y_grid, right, right_grid, stage.y, stage.y_grid)
        return [*_of_all(stage, "forward"), total]

    def backward(self, stage: Stage) -> list[Operation]:
        # y = F(x) + S(x), so both get dy, and dx is the sum of what they give back
        assert stage.dy is not None
        operations = []
        for branch in stage.branches.values():
            assert branch.dy is not None
            operations.append(activated(stage.dy, stage.y_grid, branch.dy, branch.y_grid))
            operations += branch.backward
        if stage.dx is None:
            return operations
        inner, shortcut = stage.branches["layers"], stage.branches.get("shortcut")
        right, right_grid = (shortcut.dx, shortcut.x_grid) if shortcut else (stage.dy, stage.y_grid)
        assert inner.dx is not None and right is not None
        total = _sum(inner.dx, inner.x_grid, right, right_grid, stage.dx, stage.x_grid)
        return [*operations, total]

    def begin(self, stage: Stage) -> list[Operation]:
        return _of_all(stage, "begin")

    def carry(self, stage: Stage) -> list[Operation]:
        return _of_all(stage, "carry")

    def _ends(self, shape: Shape) -> tuple[Shape, tuple[Layer, ...]]:
        """What F makes of `shape`, and the layers that do so too, where any are needed."""
        return _ends(self, shape)

    def _worked_out_ends(self, shape: Shape) -> tuple[Shape, tuple[Layer, ...]]:
        output = _through(self.layers, shape)
        if self.shortcut is not None:
            other = _through(self.shortcut, shape)
            if other != output:
                raise ValueError(
                    "the shortcut of Residual must give rows of the shape that its layers give, "
                    f"{output}. Got {other}."
                )
            return output, tuple(self.shortcut)
        projection = self._projection(shape, output)
        return output, () if projection is None else (projection,)

    def _projection(self, shape: Shape, output: Shape) -> Layer | None:
        """The one layer that makes `output` of `shape`, where they differ."""
        if output == shape:
            return None
        if len(output) != len(shape):
            raise ValueError(
                f"the layers of Residual must keep the number of axes, for the shortcut to be "
                f"added. Got rows of shape {output} from {shape}."
            )
        if len(shape) == 1:
            return Linear(output[0], bias=False)
        down, across = self.strides(shape)
        projection = (
            Conv1d(output[-1], 1, across, bias=False)
            if len(shape) == 2
            else Conv2d(output[-1], 1, down if down == across else (down, across), bias=False)
        )
        if projection.output_shape(shape) != output:
            raise ValueError(
                f"the layers of Residual must keep the size, or divide it as their strides do, for "
                f"the shortcut to be added. Got {output[:-1]} from {shape[:-1]}. Use "
                'padding="same".'
            )
        return projection


def _through(layers: Sequence[Layer], shape: Shape) -> Shape:
    """The shape that comes out of `layers`."""
    for layer in layers:
        layer.parameters(shape)
        shape = layer.output_shape(shape)
    return shape


@lru_cache(maxsize=256)  # each block around one asks it twice
def _ends(block: Residual, shape: Shape) -> tuple[Shape, tuple[Layer, ...]]:
    return block._worked_out_ends(shape)


def _of_all(stage: Stage, part: str) -> list[Operation]:
    """The operations of all branches for one `part` of a step, such as "forward"."""
    return [one for branch in stage.branches.values() for one in getattr(branch, part)]


def _sum(
    left: np.ndarray, left_grid: Grid, right: np.ndarray, right_grid: Grid,
    y: np.ndarray, y_grid: Grid,
) -> Operation:  # fmt: skip
    """``y = left + right``, all three on grids of their own."""
    (left_lines, right_lines, y_lines), length = lines(left_grid, right_grid, y_grid)
    return operation(add(
        left=left, left_lines=left_lines, right=right, right_lines=right_lines, y=y,
        y_lines=y_lines, length=length,
    ))  # fmt: skip
