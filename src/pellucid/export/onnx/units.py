"""The level and scale of each window inside an ONNX graph: see :class:`WindowFeatures`.

Steps are added by CumSum, which goes from the first to the last in every runtime; sums of ReduceSum
have other last bits in each.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pellucid.data.window_features import LEAST, WindowFeatures
from pellucid.export.onnx.graph import Graph
from pellucid.export.onnx.tables import chosen
from pellucid.rows.windows import LIMIT


class WindowUnits:
    """What is done to the numbers of windows, float64 (rows, steps, numbers), in a graph.

    Parameters
    ----------
    graph : Graph
    features : WindowFeatures
    own : str or None
        int64 (rows,): which of the series that were learned from a window is of, their number for
        one that is none of them; None where there is but one.
    """

    def __init__(self, graph: Graph, features: WindowFeatures, own: str | None) -> None:
        self.graph, self.features, self.own = graph, features, own

    def scaled(self, numbers: str, sizes: Sequence[float]) -> tuple[str, str, str]:
        """Numbers in the units of their windows, and the units of the targets.

        `sizes` are powers of two of about the numbers' sizes. The units are shift and scale, (rows,
        targets).
        """
        node, features = self.graph.node, self.features
        units = np.array(sizes)
        if features.transform is not None:
            of_target = np.isin(np.arange(len(units)), features.targets)
            units[of_target] = 1.0
            numbers = node("Where", self._constant(of_target), self._transformed(numbers), numbers)
        window = _Window(self.graph, numbers, units)
        levels, scales = (self._of_series(table) for table in (features.levels, features.scales))
        if self.own is not None:
            new = node("Equal", self.own, self._whole(len(features.series)))
            new = node("Unsqueeze", new, self._whole([1, 2]))
            levels = node("Where", new, self._constant(0.0), levels)
            scales = node("Where", new, window.reach(), scales)
        if features.scaling == "window":
            least = node("Mul", scales, self._constant(LEAST))
            scales = self._larger(window.deviation(), least)
        shift = node("Where", window.empty, levels, window.last)
        relative = node("Div", node("Sub", numbers, shift), scales)
        unknown = node("IsNaN", relative)
        relative = node("Clip", relative, self._constant(-LIMIT), self._constant(LIMIT))
        relative = node("Where", unknown, self._constant(0.0), relative)
        scales = node("Expand", scales, node("Shape", shift))
        return relative, self._of_targets(shift), self._of_targets(scales)

    def spreads(self, numbers: str, sizes: Sequence[float]) -> str:
        """The deviation of each window's targets, (rows, targets), NaN where nothing is known."""
        units = np.array(sizes)
        if self.features.transform is not None:
            numbers, units = self._transformed(numbers), np.ones_like(units)
        deviation = _Window(self.graph, numbers, units).deviation()
        return self.graph.node("Squeeze", deviation, self._whole([1]))

    def _whole(self, value: int | Sequence[int]) -> str:
        return self.graph.constant(value, np.int64)

    def _constant(self, value: object) -> str:
        return self.graph.constant(value)

    def _of_series(self, table: np.ndarray) -> str:
        """The lines (rows, 1, numbers) of a table of the series, any for a series that is new."""
        if self.own is None:
            return self._constant(table[:1, None])
        lines = np.concatenate([table, np.ones((1, table.shape[1]))])[:, None]
        return self.graph.node("Gather", self._constant(lines), self.own, axis=0)

    def _of_targets(self, value: str) -> str:
        flat = self.graph.node("Squeeze", value, self._whole([1]))
        return chosen(self.graph, flat, self.features.targets, len(self.features.scaled))

    def _larger(self, value: str, other: str) -> str:
        """The larger of two, the other where the value is not known."""
        node = self.graph.node
        return node("Where", node("IsNaN", value), other, node("Max", value, other))

    def _transformed(self, numbers: str) -> str:
        """The logarithm, to the last bits or nearly; NaN of what it does not take."""
        node, one = self.graph.node, self._constant(1.0)
        if self.features.transform == "log":
            taken = node("Greater", numbers, self._constant(0.0))
            value = node("Log", numbers)
        else:
            taken = node("GreaterOrEqual", numbers, self._constant(0.0))
            total = node("Add", numbers, one)  # what its rounding left out is put in again
            left_out = node("Sub", numbers, node("Sub", total, one))
            value = node("Add", node("Log", total), node("Div", left_out, total))
        return node("Where", taken, value, self._constant(np.nan))


class _Window:
    """Steps (rows, steps, numbers) of windows, and what is known of each as (rows, 1, numbers)."""

    def __init__(self, graph: Graph, numbers: str, units: np.ndarray) -> None:
        self.graph, self.units = graph, units
        node, constant = graph.node, graph.constant
        self.there = node("Not", node("IsNaN", numbers))
        known = node("CumSum", graph.cast(self.there, np.float64), constant(1, np.int64))
        self.count = node("ReduceMax", known, axes=[1])
        self.empty = node("Equal", self.count, constant(0.0))
        # the last step that is known is the first at which as many are known as in all
        self.last = node("GatherElements", numbers, node("ArgMax", known, axis=1), axis=1)
        # in units of this size squares neither vanish nor overflow
        self.numbers = node("Mul", numbers, constant(1.0 / self.units))

    def deviation(self) -> str:
        """The standard deviation; NaN where nothing is known."""
        node = self.graph.node
        mean = node("Div", self._sum(self.numbers), self.count)
        return self._root(node("Div", self._squares(node("Sub", self.numbers, mean)), self.count))

    def reach(self) -> str:
        """The root mean square of the steps' distance to the last, 1 where that is 0."""
        node, one = self.graph.node, self.graph.constant(1.0)
        last = node("Mul", self.last, self.graph.constant(1.0 / self.units))
        squares = self._squares(node("Sub", self.numbers, last))
        reach = self._root(node("Div", squares, node("Max", self.count, one)))
        return node("Where", node("Greater", reach, self.graph.constant(0.0)), reach, one)

    def _sum(self, numbers: str) -> str:
        """The sum over the steps that are known, from the first to the last."""
        node, constant = self.graph.node, self.graph.constant
        known = node("Where", self.there, numbers, constant(0.0))
        sums = node("CumSum", known, constant(1, np.int64))
        return node("Gather", sums, constant([-1], np.int64), axis=1)

    def _squares(self, numbers: str) -> str:
        return self._sum(self.graph.node("Mul", numbers, numbers))

    def _root(self, squares: str) -> str:
        root = self.graph.node("Sqrt", squares)
        return self.graph.node("Mul", root, self.graph.constant(self.units))
