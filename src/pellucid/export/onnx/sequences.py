"""Sequences encoded inside an ONNX graph as :class:`pellucid.data.SequenceEncoder` does it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pellucid.data import Reading, SequenceEncoder
from pellucid.data.table_plan import TextColumn
from pellucid.export.column_cells import column_values
from pellucid.export.onnx.graph import Graph
from pellucid.export.onnx.network_input import Inputs, NetworkInput, column_names
from pellucid.export.onnx.tables import (
    MATRIX,
    NO_NUMBER,
    column_words,
    encoded_columns,
    encoded_table,
    text_as_matrix,
)
from pellucid.rows.sequences import stride_of

LENGTHS = "lengths"


class SequenceInputs(Inputs):
    """Steps of features: one input a column (rows, steps), or one X (rows, steps, features).

    Columns without names come as X, and as X of (rows, steps) where the model has learned from such
    a table. Where sequences of fit were of unequal length, `lengths` says how many steps of each
    row count; what stands behind them is not read.

    Parameters
    ----------
    owner : str
        Who is exported.
    encoder : SequenceEncoder
    matrix : bool
        Whether columns that have names come as X too.

    Raises
    ------
    ValueError
        If columns of text were to come so.
    """

    def __init__(self, owner: str, encoder: SequenceEncoder, matrix: bool) -> None:
        self.owner, self.encoder, self.plan = owner, encoder, encoder.table.plan
        columns, named = self.plan.columns, encoder.table.names is not None
        texts = [column.name for column in columns if isinstance(column, TextColumn)]
        self.matrix = matrix or not named
        if self.matrix and texts:
            raise text_as_matrix(owner, texts[0])
        self.columns = column_names([column.name for column in columns])
        self.names = [MATRIX] if self.matrix else list(self.columns)
        self.lengths = LENGTHS
        while self.lengths in self.names:
            self.lengths += "_"
        if encoder.unequal:
            self.names.append(self.lengths)

    def build(self, graph: Graph) -> NetworkInput:
        encoder, plan = self.encoder, self.plan
        last = graph.constant([-1], np.int64)
        if self.matrix:
            features = [] if encoder.flat else [len(plan.columns)]
            numbers = graph.input(MATRIX, np.float64, ["rows", "steps", *features])
            if encoder.flat:
                numbers = graph.node("Unsqueeze", numbers, last)
            x = encoded_table(graph, plan, numbers, {}, encoder.dtype)
        else:
            values = []
            for name, column in zip(self.columns, plan.columns, strict=True):
                dtype = str if isinstance(column, TextColumn) else np.float64
                steps = graph.input(name, dtype, ["rows", "steps"])
                values.append(graph.node("Unsqueeze", steps, last))
            x = encoded_columns(graph, plan, values, encoder.dtype)
        lengths = graph.input(self.lengths, np.int64, ["rows"]) if encoder.unequal else None
        if encoder.patch == 1:
            return NetworkInput(x, lengths)
        return _patched(graph, x, lengths, encoder.patch, encoder.shape[-1])

    def feed(self, reading: Reading[Any]) -> dict[str, np.ndarray]:
        steps = reading.content
        self._check_lengths(steps.lengths)
        values = column_values(self.plan, steps.table.content)
        arrays = [padded(column, steps.starts, steps.lengths) for column in values]
        if not self.matrix:
            fed = dict(zip(self.columns, arrays, strict=True))
        elif self.encoder.flat:
            fed = {MATRIX: arrays[0]}
        else:
            fed = {MATRIX: np.stack(arrays, axis=-1)}
        return {**fed, self.lengths: steps.lengths} if self.encoder.unequal else fed

    def _check_lengths(self, lengths: np.ndarray) -> None:
        """Without `lengths` a graph would read what fills up the shorter rows."""
        if not self.encoder.unequal and len(several := np.unique(lengths)) > 1:
            raise ValueError(
                f"X of the ONNX graph of {self.owner} must hold sequences of one length, as X of "
                f"fit did. Got {several[0]} and {several[-1]} steps. Feed those of each length by "
                "themselves."
            )

    def words(self) -> dict[str, str]:
        if self.matrix:
            axes = "(rows, steps)" if self.encoder.flat else "(rows, steps, features)"
            words = {MATRIX: f"numbers {axes}, {NO_NUMBER}"}
        else:
            of_columns = column_words(self.encoder.table)
            words = {name: f"(rows, steps): {text}" for name, text in of_columns.items()}
        if self.encoder.unequal:
            words[self.lengths] = "how many steps of each row count"
        return words

    def words_of_matrix(self) -> dict[str, str]:
        return column_words(self.encoder.table) if self.matrix and not self.encoder.flat else {}


def padded(values: np.ndarray, starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """The values of all steps as (rows, steps); NaN, or text "", behind the end of each row."""
    nothing: Any = "" if values.dtype == object else np.nan
    array = np.full((len(lengths), int(lengths.max())), nothing, dtype=values.dtype)
    for row, start, length in zip(array, starts, lengths, strict=True):
        row[:length] = values[start : start + length]
    return array


def _patched(graph: Graph, x: str, lengths: str | None, size: int, width: int) -> NetworkInput:
    """Steps read in patches: see :meth:`pellucid.rows.Sequences.patched`."""

    def whole(value: int | Sequence[int]) -> str:
        return graph.constant(value, np.int64)

    def counted(steps: str) -> str:
        """How many patches hold so many steps."""
        stride = stride_of(size)
        beyond = graph.node("Max", graph.node("Sub", steps, whole(size)), whole(0))
        rounded = graph.node("Add", beyond, whole(stride - 1))
        return graph.node("Add", graph.node("Div", rounded, whole(stride)), whole(1))

    shape = graph.node("Shape", x)
    rows, steps = (graph.node("Gather", shape, whole([place])) for place in (0, 1))
    count = graph.node("Squeeze", counted(steps), whole([0]))
    numbers = graph.node("Range", whole(0), count, whole(1))
    firsts = graph.node("Mul", numbers, whole(stride_of(size)))
    places = graph.node("Add", graph.node("Unsqueeze", firsts, whole([1])), whole(range(size)))
    ends = graph.node("Expand", steps, rows) if lengths is None else lengths
    last = graph.node("Unsqueeze", graph.node("Sub", ends, whole(1)), whole([1, 2]))
    taken = graph.node("Min", graph.node("Unsqueeze", places, whole([0])), last)
    taken = graph.node("Unsqueeze", taken, whole([-1]))
    patches = graph.node("GatherND", x, taken, batch_dims=1)  # (rows, patches, size, numbers)
    patches = graph.node("Reshape", patches, whole([0, 0, width]))
    return NetworkInput(patches, None if lengths is None else counted(lengths))
