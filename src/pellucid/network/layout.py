"""A chain's arrays for batches of one size, and the operations on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from pellucid.engine import Operation
from pellucid.kernels.grid import Grid
from pellucid.kernels.panels import rows_of
from pellucid.layers.activations import Activation
from pellucid.layers.stage import Batch, Layout, Stage
from pellucid.network.chain import Chain
from pellucid.network.parameters import below

Views = Mapping[str, np.ndarray]


def lay_out(
    chain: Chain,
    batch: Batch,
    parameters: Views,
    gradients: Views,
    x: np.ndarray | None = None,
    x_grid: Grid | None = None,
    dx: np.ndarray | None = None,
) -> Layout:
    """Allocate the arrays of `chain` for a batch, and make its operations.

    Parameters
    ----------
    parameters, gradients : mapping of str to ndarray
        Packed, by the names of :meth:`Chain.parameters`; without training there are no gradients.
    x, x_grid : ndarray and Grid, optional
        The input, where it is another chain's; by default rows of its own.
    dx : ndarray, optional
        Where the input's gradient goes; None where none is needed, as for the data.
    """
    grids = chain.grids(batch.dtype, x_grid)
    first_x = rows_of(batch.rows, grids[0].size, batch.dtype) if x is None else x
    x, first_dx = first_x, dx
    own_numbers = [next(batch.numbers) for _ in chain.layers]
    stages: list[Stage] = []
    for index, layer in enumerate(chain.layers):
        fused = chain.fuses(index)
        y = x if fused else rows_of(batch.rows, grids[index + 1].size, batch.dtype)
        in_place = layer.in_place and dx is not None
        dy = (dx if in_place else np.zeros_like(y)) if batch.training else None
        stage = Stage(
            number=own_numbers[index], input_shape=chain.shapes[index],
            output_shape=chain.shapes[index + 1], x=x, y=y, x_grid=grids[index],
            y_grid=grids[index + 1], dx=dx, dy=dy, batch=batch,
            parameters=below(parameters, str(index)), gradients=below(gradients, str(index)),
        )  # fmt: skip
        stage.branches = {
            name: lay_out(
                inner, batch, below(stage.parameters, name), below(stage.gradients, name),
                x, grids[index], None if dx is None else np.zeros_like(dx),
            )
            for name, inner in chain.branches[index].items()
        }  # fmt: skip
        if fused:
            assert isinstance(layer, Activation)
            stages[-1].activation = (layer.kind, layer.slope)
        stages.append(stage)
        x, dx = y, dy
    forward = _forward(chain, stages, batch.training)  # first: it allocates arrays for the others
    return Layout(
        batch=batch, x=first_x, x_grid=grids[0], dx=first_dx, y=x, y_grid=grids[-1], dy=dx,
        stages=stages, forward=forward,
        backward=_backward(chain, stages) if batch.training else [],
        begin=_of_all(chain, stages, "begin") if batch.carries else [],
        carry=_of_all(chain, stages, "carry") if batch.carries else [],
    )  # fmt: skip


def _of_all(chain: Chain, stages: list[Stage], method: str) -> list[Operation]:
    return [
        operation
        for layer, stage in zip(chain.layers, stages, strict=True)
        for operation in getattr(layer, method)(stage)
    ]


def _forward(chain: Chain, stages: list[Stage], training: bool) -> list[Operation]:
    return [
        operation
        for index, (layer, stage) in enumerate(zip(chain.layers, stages, strict=True))
        if not chain.fuses(index)
        for operation in layer.forward(stage, training)
    ]


def _backward(chain: Chain, stages: list[Stage]) -> list[Operation]:
    """From the last layer down to the lowest with parameters, or to dx where it is needed."""
    layers, operations = chain.layers, []
    for index in reversed(range(len(layers))):
        if stages[0].dx is None and index < chain.first_learning:
            break
        # max(f(x)) selects an f(x), so f's slope is that of the output: far less work
        if index > 0 and layers[index].selects and chain.fuses(index - 1):
            operations += layers[index - 1].backward(stages[index])
        above = layers[index + 1 : index + 2]
        if not (chain.fuses(index) and above and above[0].selects):
            operations += layers[index].backward(stages[index])
    if operations:  # what comes next reads all gradients, so all must have been written
        operations[-1] = replace(operations[-1], meets=True)
    return operations
