"""A value on its way through the layers of an ONNX graph, and the order in which its axes lie."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pellucid.export.onnx.graph import Graph

_ORDERS = {1: "NC", 2: "NLC", 3: "NHWC"}  # of rows of so many axes, as layers see them


@dataclass(frozen=True)
class Value:
    """What stands between two layers.

    Layers see rows with channels last; convolutions of ONNX want channels first, recurrences steps
    first. A value knows under what name it lies in which order, so it is transposed where that is
    needed and nowhere else.

    Parameters
    ----------
    graph : Graph
    dtype : dtype
        The network's: float32 or float64.
    shape : tuple of int
        Of one row, as layers see it.
    names : dict of str to str
        By the order of its axes: "NC" for flat rows, "NLC", "NCL" or "LNC" for steps and signals,
        "NHWC" or "NCHW" for pictures.
    lengths : str or None
        int64 (rows,): how many steps each row has, where they are unequal.
    """

    graph: Graph
    dtype: np.dtype
    shape: tuple[int, ...]
    names: dict[str, str]
    lengths: str | None = None

    @classmethod
    def of_rows(
        cls, graph: Graph, dtype: np.dtype, shape: tuple[int, ...], name: str, lengths: str | None
    ) -> Value:
        """The value `name`, of rows as layers see them."""
        return cls(graph, dtype, shape, {_ORDERS[len(shape)]: name}, lengths)

    @property
    def plain(self) -> str:
        """Its name in the order that layers see."""
        return self.to(_ORDERS[len(self.shape)])

    @property
    def as_it_lies(self) -> tuple[str, str]:
        """The order in which it was made, and its name."""
        return next(iter(self.names.items()))

    @property
    def channels_last(self) -> tuple[str, str]:
        """An order that ends in the channels, and its name: that in which it lies, if it does."""
        for order, name in self.names.items():
            if order.endswith("C"):
                return order, name
        order = _ORDERS[len(self.shape)]
        return order, self.to(order)

    def to(self, order: str) -> str:
        """Its name in this order of axes."""
        if order not in self.names:
            lies, name = self.as_it_lies
            places = [lies.index(axis) for axis in order]
            self.names[order] = self.graph.node("Transpose", name, perm=places)
        return self.names[order]

    def single(self, order: str) -> str:
        """Its name in this order, in float32: what runtimes have in no other type."""
        name = self.to(order)
        return name if self.dtype == np.float32 else self.graph.cast(name, np.float32)

    def made(self, order: str, name: str, shape: tuple[int, ...], single: bool = False) -> Value:
        """What a layer made of it: `name`, whose axes lie in `order`; perhaps in float32."""
        if single and self.dtype != np.float32:
            name = self.graph.cast(name, self.dtype)
        return replace(self, shape=shape, names={order: name})

    def constant(self, array: Any, dtype: Any = None) -> str:
        """An array in the network's type."""
        return self.graph.constant(np.asarray(array, dtype=dtype or self.dtype))

    def along(self, order: str, channels: np.ndarray) -> str:
        """A number for each channel, as it is added to what lies in `order`."""
        behind = len(order) - 1 - order.index("C")
        return self.constant(np.reshape(channels, (-1, *(1,) * behind)))


def present_steps(graph: Graph, name: str, lengths: str) -> str:
    """Which steps each row of `name` (rows, steps, C) has: bool (rows, steps, 1)."""

    def whole(value: Any) -> str:
        return graph.constant(np.array(value, np.int64))

    steps = graph.node("Gather", graph.node("Shape", name), whole(1))
    numbers = graph.node("Range", whole(0), steps, whole(1))
    within = graph.node("Less", numbers, graph.node("Unsqueeze", lengths, whole([1])))
    return graph.node("Unsqueeze", within, whole([2]))
