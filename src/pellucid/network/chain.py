"""Layers one after the other, and the shapes between them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from typing import Any

import numpy as np

from pellucid.engine import available_threads, processors
from pellucid.kernels.grid import Grid, grid_of, tiled_pixel
from pellucid.layers.activations import Activation
from pellucid.layers.base import ROW_SLICES, Layer, Parameter, Shape, border_of, each_layer
from pellucid.memory import check_memory

PREDICT_ROWS, PREDICT_BYTES = 256, 16 << 20  # of a batch at inference; no result depends on them
# below this many multiply-adds a step, waiting for a second thread costs more than it brings
THREAD_WORK = 400_000


@dataclass(frozen=True)
class Chain:
    """A chain of layers on rows of one shape.

    Parameters
    ----------
    layers : tuple of Layer
        From input to output.
    shapes : tuple of tuple of int
        The shape of one row of the input, then of each layer's output.
    """

    layers: tuple[Layer, ...]
    shapes: tuple[Shape, ...]

    @classmethod
    def of(cls, layers: Iterable[Layer], shape: Shape, owner: str = "Network") -> Chain:
        """The chain of `layers`, each stack of layers one by one, on rows of `shape`.

        Raises
        ------
        ValueError
            If a layer does not take what the one before gives.
        """
        single = tuple(part for layer in layers for part in layer.stack())
        shapes = [shape]
        for index, layer in enumerate(single):
            if layer.reads_tokens and (index or owner != "Network"):
                raise ValueError(
                    f"{layer!r} must be the first layer of Network: it reads whole numbers, which "
                    f"no layer gives. Got it as layer {index} of {owner}."
                )
            try:
                layer.parameters(shape)
                shape = layer.output_shape(shape)
            except ValueError as fault:
                raise ValueError(f"layer {index} of {owner}, {layer!r}: {fault}") from None
            shapes.append(shape)
        return cls(single, tuple(shapes))

    @cached_property
    def branches(self) -> list[dict[str, Chain]]:
        """The chains inside each layer, by name."""
        return [
            {
                name: Chain.of(layers, shape, type(layer).__name__)
                for name, layers in layer.branches(shape).items()
            }
            for layer, shape in zip(self.layers, self.shapes, strict=False)
        ]

    @cached_property
    def parameters(self) -> dict[str, Parameter]:
        """All parameters by name: ``"0.weight"``; in a layer's branch ``"2.layers.0.weight"``."""
        named: dict[str, Parameter] = {}
        for index, layer in enumerate(self.layers):
            own = layer.parameters(self.shapes[index])
            named |= {f"{index}.{name}": parameter for name, parameter in own.items()}
            for branch, chain in self.branches[index].items():
                inner = chain.parameters
                named |= {f"{index}.{branch}.{name}": inner[name] for name in inner}
        return named

    @cached_property
    def first_learning(self) -> int:
        """The index of the first layer with parameters; the number of layers where none has any."""
        return next((int(name.partition(".")[0]) for name in self.parameters), len(self.layers))

    def fuses(self, index: int) -> bool:
        """Whether layer `index` is an activation that the layer before computes in its product."""
        return (
            index > 0
            and isinstance(self.layers[index], Activation)
            and self.layers[index - 1].fuses_activation
        )

    def grids(self, dtype: Any, first: Grid | None = None) -> list[Grid]:
        """Each shape's grid of pixels, with the border and padding that the layers on it need.

        A chain inside a layer reads that layer's input, which lies on `first`.
        """
        grids = [
            grid_of(shape, tiled_pixel(shape[-1], dtype), border_of(self.layers[index:], shape))
            for index, shape in enumerate(self.shapes)
        ]
        if first is not None:  # a layer whose two gradients are one array has one grid for both
            same = 1 + sum(1 for _ in takewhile(lambda layer: layer.in_place, self.layers))
            grids[:same] = [first] * same
        elif self.layers[0].reads_plain:  # the data unpadded; all other grids in whole vectors
            grids[0] = grid_of(self.shapes[0], 0, grids[0].border)
        return grids

    @cached_property
    def work(self) -> int:
        """Multiply-adds of one row's forward pass."""
        pairs = zip(self.layers, self.shapes, strict=False)
        inner = (chain.work for chains in self.branches for chain in chains.values())
        return sum(layer.work(shape) for layer, shape in pairs) + sum(inner)

    def threads(self, rows: int, n_jobs: int | None = None) -> int:
        """How many threads a step of `rows` rows is worth; no result depends on it."""
        worth = rows * self.work // THREAD_WORK
        if worth < 2 or n_jobs == 1:
            return 1
        # more threads than processors wait for one another; tests may ask for some more
        most = available_threads() if n_jobs is None else min(n_jobs, 8 * processors())
        shares = rows if self.shares_rows else worth
        return max(1, min(most, worth, shares))

    @cached_property
    def shares_rows(self) -> bool:
        """Whether threads share rows alone in layers with most of the work."""
        pairs = zip(self.layers, self.shapes, strict=False)
        by_rows = sum(
            layer.work(shape) for layer, shape in pairs if layer.joins_steps or layer.slices_rows
        )
        return 2 * by_rows > self.work

    @property
    def slices(self) -> int:
        """Into how many slices the rows of a batch are cut where they are large, else 0."""
        if any(layer.joins_steps for layer in each_layer(self.layers)):
            return 0  # steps are taken for many rows together
        return ROW_SLICES if any(layer.slices_rows for layer in each_layer(self.layers)) else 0

    @property
    def stateful(self) -> bool:
        """Whether rows of a batch go on from those of the batch before."""
        return any(layer.stateful for layer in each_layer(self.layers))

    @cached_property
    def numbers(self) -> int:
        """How many numbers one row has on its way through all layers, those inside others too.

        The zeros around it that layers read count too; an activation that the layer before
        computes has none of its own.
        """
        inner = (chain.numbers for chains in self.branches for chain in chains.values())
        own = (
            grid_of(shape, 0, border_of(self.layers[index:], shape)).size
            for index, shape in enumerate(self.shapes)
            if not (index and self.fuses(index - 1))
        )
        return sum(own) + sum(inner)

    def check_fits(self, dtype: Any, rows: int = 1, times: int = 1) -> None:
        """Refuse batches of `rows` that need, so many `times`, more memory than there is."""
        what = "one row" if rows == 1 else f"a batch of {rows:,} rows"
        check_memory(
            f"{what} on its way through the layers of Network", rows * times * self.numbers, dtype,
            "Use smaller layers, or smaller rows." if rows == 1 else "Use a smaller batch.",
        )  # fmt: skip

    def predict_rows(self, dtype: Any) -> int:
        """How many rows are predicted at a time: fewer where a row is large."""
        row = self.numbers * np.dtype(dtype).itemsize
        return max(1, min(PREDICT_ROWS, PREDICT_BYTES // row))

    def check_rank(self, purpose: str, most: int) -> None:
        """Refuse outputs of more than `most` axes."""
        if len(self.shapes[-1]) > most:
            raise ValueError(
                f"the output of Network must be flat for {purpose}. Got maps of shape "
                f"{self.shapes[-1]}. Put a Flatten or GlobalAvgPool layer before its end."
            )

    def check_steps(self) -> None:
        """Refuse layers that cannot work on sequences of unequal length."""
        layer = self._mixes_steps()
        if layer is not None:
            raise ValueError(
                "the layers of a Network that takes sequences of unequal length must work step by "
                f"step until one returns the last state. Got {layer!r}. Put an LSTM before it, or "
                "cut the sequences to one length."
            )

    def _mixes_steps(self) -> Layer | None:
        """The first layer, if any, that does not work step by step."""
        for layer, shape in zip(self.layers, self.shapes, strict=False):
            if len(shape) > 1 and not layer.takes_steps():
                return layer
        return None

    def for_rows(self, shape: Sequence[int]) -> Chain:
        """The chain for an X of `shape`: itself, or one that differs in its number of steps alone.

        Raises
        ------
        ValueError
            If its layers do not take such rows.
        """
        wanted, came = self.shapes[0], tuple(shape)
        if came[1:] == wanted:
            return self
        alike = len(came) == 3 and len(wanted) == 2 and came[2] == wanted[1] and came[1] > 0
        if not alike or self._mixes_steps() is not None:
            raise ValueError(
                f"X of Network must have shape (rows, {', '.join(map(str, wanted))}). Got {came}."
            )
        return Chain.of(self.layers, came[1:])

    def in_pieces(self, most: int | None) -> tuple[Chain, int]:
        """The chain for pieces of at most `most` steps, and how many make up the longest row."""
        shape = self.shapes[0]
        if most is None or shape[0] <= most:
            return self, 1
        return self.for_rows((1, most, shape[1])), -(-shape[0] // most)
