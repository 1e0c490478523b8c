"""A table encoded inside an ONNX graph as :class:`pellucid.data.TableEncoder` does it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pellucid.checks import shown
from pellucid.data import Reading, TableEncoder
from pellucid.data.scaling import LIMIT
from pellucid.data.table_plan import NumberColumn, TablePlan, TextColumn
from pellucid.export.column_cells import column_values
from pellucid.export.input_words import cell_words
from pellucid.export.onnx.cycles import waves
from pellucid.export.onnx.graph import ML, Graph
from pellucid.export.onnx.network_input import Inputs, NetworkInput, column_names

MATRIX = "X"
NO_NUMBER = "NaN if missing"
_NO_TEXT = 'single blanks, NFC, "" if missing'


class TableInputs(Inputs):
    """The columns of a table, each (rows, 1), or all of them as one matrix (rows, columns).

    Numbers, truth values (0 and 1) and dates (seconds since 1970) are float64, NaN where one is
    missing; text is "" there. A column without a name is called by its position, as ``x3``.

    Parameters
    ----------
    owner : str
        Who is exported.
    encoder : TableEncoder
    matrix : bool
        Whether all columns come as one matrix.

    Raises
    ------
    ValueError
        If columns of text were to come as a matrix.
    """

    def __init__(self, owner: str, encoder: TableEncoder, matrix: bool) -> None:
        self.encoder, self.plan = encoder, encoder.plan
        self.dtype, self.matrix = encoder.dtype, matrix
        texts = [column for column in self.plan.columns if isinstance(column, TextColumn)]
        if matrix and texts:
            raise text_as_matrix(owner, texts[0].name)
        self.columns = column_names([column.name for column in self.plan.columns])
        self.names = [MATRIX] if matrix else self.columns

    def build(self, graph: Graph) -> NetworkInput:
        columns = self.plan.columns
        if self.matrix:
            numbers = graph.input(MATRIX, np.float64, ["rows", len(columns)])
            return NetworkInput(encoded_table(graph, self.plan, numbers, {}, self.dtype))
        values = [
            graph.input(name, str if isinstance(column, TextColumn) else np.float64, ["rows", 1])
            for name, column in zip(self.columns, columns, strict=True)
        ]
        return NetworkInput(encoded_columns(graph, self.plan, values, self.dtype))

    def feed(self, reading: Reading[Any]) -> dict[str, np.ndarray]:
        values = column_values(self.plan, reading.content)
        if self.matrix:
            return {MATRIX: np.column_stack(values)}
        return {name: one[:, None] for name, one in zip(self.columns, values, strict=True)}

    def words(self) -> dict[str, str]:
        if self.matrix:
            return {MATRIX: f"numbers (rows, columns), {NO_NUMBER}"}
        return column_words(self.encoder)

    def words_of_matrix(self) -> dict[str, str]:
        return column_words(self.encoder) if self.matrix else {}


def column_words(encoder: TableEncoder) -> dict[str, str]:
    """What each column holds, in words, by the name of its input."""
    columns = encoder.plan.columns
    names = column_names([column.name for column in columns])
    words = {}
    for place, (name, column) in enumerate(zip(names, columns, strict=True)):
        held = cell_words(column, encoder.formats[place])
        if isinstance(column, TextColumn):
            held += f", as {shown(column.categories[0])}" if column.categories else ""
            held += f", {_NO_TEXT}"
        else:
            held += f", {NO_NUMBER}"
        words[name] = held if column.name else f"{held}; column {place}, which has no name"
    return words


def text_as_matrix(owner: str, name: str) -> ValueError:
    """The error of columns of text that were to come as numbers."""
    return ValueError(
        f'inputs of {owner}.to_onnx must be "columns" where a column is text, as {shown(name)} is. '
        'Got "matrix". Leave it out: each column is then an input of its own.'
    )


def encoded_columns(graph: Graph, plan: TablePlan, values: Sequence[str], dtype: Any) -> str:
    """:func:`encoded_table` of columns, each a value (..., 1)."""
    pairs = list(zip(plan.columns, values, strict=True))
    numbers = [value for column, value in pairs if isinstance(column, NumberColumn)]
    texts = {column: value for column, value in pairs if isinstance(column, TextColumn)}
    matrix = joined(graph, numbers) if numbers else None
    return encoded_table(graph, plan, matrix, texts, dtype)


def encoded_table(
    graph: Graph,
    plan: TablePlan,
    numbers: str | None,
    texts: Mapping[TextColumn, str],
    dtype: Any,
) -> str:
    """The rows (..., outputs) of a table in the order of its plan, to the bits of its encoder.

    But for the sign of a zero, which onnxruntime's Where drops.

    Parameters
    ----------
    graph : Graph
    plan : TablePlan
    numbers : str or None
        All columns of numbers, float64 (..., numbers), with any axes in front.
    texts : map of TextColumn to str
        Text (..., 1).
    dtype : dtype
        The type of the network.
    """
    parts = [_numbered(graph, column, texts[column], dtype) for column in plan.embedded]
    if numbers is not None:
        columns = plan.numbers
        scaled = standardised(graph, numbers, plan.units, np.array([c.constant for c in columns]))
        parts.append(graph.cast(scaled, dtype))
        flagged = [place for place, column in enumerate(columns) if column.flag]
        if flagged:
            missing = graph.node("IsNaN", chosen(graph, numbers, flagged, len(columns)))
            parts.append(graph.cast(missing, dtype))
        turning = [place for place, column in enumerate(columns) if column.cycles]
        if turning:
            times = chosen(graph, numbers, turning, len(columns))
            cycles = [columns[place].cycles for place in turning]
            parts.append(graph.cast(waves(graph, times, cycles), dtype))
    if plan.one_hot:
        parts.append(_one_hot(graph, plan.one_hot, texts, dtype))
    return joined(graph, parts)


def joined(graph: Graph, parts: Sequence[str], axis: int = -1) -> str:
    """Values side by side."""
    return parts[0] if len(parts) == 1 else graph.node("Concat", *parts, axis=axis)


def chosen(graph: Graph, values: str, places: Sequence[int], of: int) -> str:
    """The columns at `places` of so many."""
    if list(places) == list(range(of)):
        return values
    return graph.node("Gather", values, graph.constant(places, np.int64), axis=-1)


def standardised(
    graph: Graph, numbers: str, units: Sequence[np.ndarray], constant: np.ndarray,
    gaps: bool = True,
) -> str:  # fmt: skip
    """What :meth:`pellucid.data.scaling.Standardiser.transform` makes, step by step, float64.

    `units` are those of :meth:`pellucid.data.scaling.Standardiser.in_units`. Without `gaps` numbers
    are finite.
    """
    z = numbers
    for operator, each in zip(("Mul", "Sub", "Div"), units, strict=True):
        number = each[0] if each.shape == (1,) else each  # with which runtimes are far faster
        z = graph.node(operator, z, graph.constant(number, np.float64))
    silent = [graph.node("IsNaN", z)] if gaps else []
    silent += [graph.constant(constant, bool)] if np.any(constant) else []
    if silent:
        where = silent[0] if len(silent) == 1 else graph.node("Or", *silent)
        z = graph.node("Where", where, graph.constant(0.0, np.float64), z)
    return graph.node("Clip", z, graph.constant(-LIMIT), graph.constant(LIMIT))


def _numbered(graph: Graph, column: TextColumn, texts: str, dtype: Any) -> str:
    """The number of each text of an embedded column."""
    assert column.first is not None
    known = [*column.categories, *([""] if column.missing else [])]
    numbers = [column.first + place for place in range(len(known))]
    return graph.cast(_looked_up(graph, texts, known, numbers, column.first + len(known)), dtype)


def _one_hot(
    graph: Graph, columns: Sequence[TextColumn], texts: Mapping[TextColumn, str], dtype: Any
) -> str:
    """A 1 where a text is the category of an output column, those of other texts last.

    Each text becomes the number of its output column, or -1 where it has none.
    """
    widths = [len(column.categories) + column.missing for column in columns]
    others = sum(widths)
    sources = [place for place, width in enumerate(widths) for _ in range(width)]
    found, first = [], 0
    for place, (column, width) in enumerate(zip(columns, widths, strict=True)):
        known = [*column.categories, ""]
        numbers = [first + number for number in range(len(known))]
        if not column.missing:
            numbers[-1] = -1
        other = -1
        if column.other:
            other = others + len(sources) - sum(widths)
            sources.append(place)
        found.append(_looked_up(graph, texts[column], known, numbers, other))
        first += width
    numbers_of_all = joined(graph, found)
    wanted = graph.node("Gather", numbers_of_all, graph.constant(sources, np.int64), axis=-1)
    places = graph.constant(np.arange(len(sources)), np.int64)
    return graph.cast(graph.node("Equal", wanted, places), dtype)


def _looked_up(
    graph: Graph, texts: str, known: Sequence[str], numbers: Sequence[int], other: int
) -> str:
    """The number of each text, int64."""
    return graph.node(
        "LabelEncoder", texts, domain=ML, keys_strings=list(known), values_int64s=list(numbers),
        default_int64=other,
    )  # fmt: skip
