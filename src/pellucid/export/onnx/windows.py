"""Windows of a series encoded inside an ONNX graph as :class:`WindowFeatures` does it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pellucid.checks import shown
from pellucid.data import Reading, SequenceEncoder
from pellucid.data.holidays import on_holiday
from pellucid.data.table_plan import NumberColumn, TablePlan, TextColumn
from pellucid.export.column_cells import column_values
from pellucid.export.input_words import CLOCK
from pellucid.export.onnx.cycles import waves
from pellucid.export.onnx.graph import ML, Dimension, Graph
from pellucid.export.onnx.network_input import Inputs, NetworkInput, column_names
from pellucid.export.onnx.tables import (
    MATRIX,
    NO_NUMBER,
    chosen,
    column_words,
    encoded_columns,
    encoded_table,
    joined,
    text_as_matrix,
)
from pellucid.export.onnx.units import WindowUnits


class WindowInputs(Inputs):
    """The columns of windows, each (rows, steps), in time; columns without names come as one X.

    A column that is known ahead has (rows, steps + horizon). So have the times, where the calendar
    is a feature: seconds since 1970, by the clock on the wall; and 1 or 0 for each step that is on
    a holiday, where these are one. Where several series were learned from, text (rows,) says which
    a window is of; one that is not known is scaled by itself.

    Parameters
    ----------
    model : estimator
        Who is exported; it says whether deviations are wanted, for intervals.
    encoder : SequenceEncoder
        That has learned windows.
    matrix : bool
        Whether columns that have names come as X too, (rows, steps, columns).

    Raises
    ------
    ValueError
        If columns that are text, or known ahead, were to come so.
    """

    def __init__(self, model: Any, encoder: SequenceEncoder, matrix: bool) -> None:
        assert encoder.windows is not None and encoder.series is not None
        self.encoder, self.features, self.plan = encoder, encoder.windows, encoder.table.plan
        self.intervals = getattr(model, "intervals_", None) is not None
        self.past, self.ahead = encoder.steps, self.features.ahead
        columns = self.plan.columns
        self.matrix = matrix or encoder.table.names is None
        if self.matrix:
            self._check_matrix(type(model).__name__)
        self.columns = [MATRIX] if self.matrix else column_names([c.name for c in columns])
        self.names, about = list(self.columns), encoder.series
        by_series = bool(self.features.scaled or self.features.told)
        self.group = self._further(about["group"], by_series and about["group"] is not None)
        self.time = self._further(about["time"], bool(self.features.cycles))
        self.holiday = self._further("holiday", self.features.holidays is not None)

    def _further(self, name: Any, wanted: bool) -> str | None:
        """A further input, called so if no other is."""
        if not wanted:
            return None
        name = str(name) or "series"
        while name in self.names:
            name += "_"
        self.names.append(name)
        return name

    def _check_matrix(self, owner: str) -> None:
        columns = self.plan.columns
        texts = [column.name for column in columns if isinstance(column, TextColumn)]
        if texts:
            raise text_as_matrix(owner, texts[0])
        if self.features.known:
            name = columns[self.features.known[0]].name
            raise ValueError(
                f'inputs of {owner}.to_onnx must be "columns" where a column is known ahead, as '
                f'{shown(name)} is. Got "matrix". Leave it out: each column is then an input of '
                "its own."
            )

    # -- the graph ---------------------------------------------------------------------------

    def build(self, graph: Graph) -> NetworkInput:
        features, dtype, values = self.features, self.encoder.dtype, self._values(graph)
        columns, targets = self.plan.columns, self.encoder.target_columns
        own = None
        if self.group is not None:
            own = graph.node(
                "LabelEncoder", graph.input(self.group, str, ["rows"]), domain=ML,
                keys_strings=features.series, values_int64s=list(range(len(features.series))),
                default_int64=len(features.series),
            )  # fmt: skip
        parts, shift, scale, spreads = list[str](), None, None, None
        units = WindowUnits(graph, features, own)
        if features.scaled:
            numbers = self._side_by_side(graph, values, features.scaled)
            read = [_number(columns[place]).unit for place in features.scaled]
            relative, shift, scale = units.scaled(numbers, read)
            parts.append(self._with_ahead(graph, graph.cast(relative, dtype), dtype))
        if self.intervals:
            numbers = self._side_by_side(graph, values, targets)
            spreads = units.spreads(numbers, [_number(columns[place]).unit for place in targets])
        parts += [*self._plain(graph, values), *self._of_dates(graph)]
        if features.told:
            assert own is not None
            parts.append(self._told(graph, own))
        if self.ahead:
            lies = (np.arange(self.past + self.ahead) >= self.past).astype(dtype)[None, :, None]
            first = graph.node("Shape", values[0])
            rows = graph.node("Gather", first, graph.constant([0], np.int64))
            ones = graph.constant([1, 1], np.int64)
            shape = graph.node("Concat", rows, ones, axis=0)
            parts.append(graph.node("Expand", graph.constant(lies), shape))
        return NetworkInput(joined(graph, parts), None, shift, scale, spreads)

    def _steps_of(self, place: int) -> int:
        """How many steps of a column are read."""
        return self.past + (self.ahead if place in self.features.known else 0)

    def _values(self, graph: Graph) -> list[str]:
        """Each column as (rows, steps, 1), or the one matrix of all."""
        columns = self.plan.columns
        if self.matrix:
            return [graph.input(MATRIX, np.float64, ["rows", self.past, len(columns)])]
        values = []
        for place, (name, column) in enumerate(zip(self.columns, columns, strict=True)):
            dtype = str if isinstance(column, TextColumn) else np.float64
            value = graph.input(name, dtype, ["rows", self._steps_of(place)])
            values.append(_unsqueezed(graph, value, -1))
        return values

    def _side_by_side(self, graph: Graph, values: Sequence[str], places: Sequence[int]) -> str:
        """Columns of numbers as (rows, steps, numbers)."""
        if self.matrix:
            return chosen(graph, values[0], places, len(self.plan.columns))
        return joined(graph, [values[place] for place in places])

    def _with_ahead(self, graph: Graph, value: str, dtype: Any) -> str:
        """A value of all steps that is 0 in those ahead."""
        if not self.ahead:
            return value
        more = graph.constant([0, 0, 0, 0, self.ahead, 0], np.int64)
        return graph.node("Pad", value, more, graph.constant(0.0, dtype))

    def _plain(self, graph: Graph, values: Sequence[str]) -> list[str]:
        """The columns that are encoded as those of a table are; of scaled ones the flags alone."""
        features, columns, dtype = self.features, self.plan.columns, self.encoder.dtype
        parts, keys = [], list[_Key]()
        later = [place for place in features.known if self.ahead]
        taken = {*features.scaled, *later}
        for places in ([place for place in range(len(columns)) if place not in taken], later):
            if not places:
                continue
            plan = TablePlan(tuple(columns[place] for place in places))
            if self.matrix:
                numbers = self._side_by_side(graph, values, places)
                part = encoded_table(graph, plan, numbers, {}, dtype)
            else:
                part = encoded_columns(graph, plan, [values[place] for place in places], dtype)
            parts.append(part if places is later else self._with_ahead(graph, part, dtype))
            keys += _keys(plan)
        flagged = [place for place in features.scaled if _number(columns[place]).flag]
        if flagged:
            missing = graph.node("IsNaN", self._side_by_side(graph, values, flagged))
            parts.append(self._with_ahead(graph, graph.cast(missing, dtype), dtype))
            keys += [(columns[place].name, "flag", 0) for place in flagged]
        if not parts:
            return []
        places = [keys.index(key) for key in _keys(self.plan) if key in keys]
        return [chosen(graph, joined(graph, parts), places, len(keys))]

    def _of_dates(self, graph: Graph) -> list[str]:
        """The calendar and the holidays."""
        parts: list[str] = []
        shape: list[Dimension] = ["rows", self.past + self.ahead]
        for name in (self.time, self.holiday):
            if name is None:
                continue
            value = _unsqueezed(graph, graph.input(name, np.float64, shape), -1)
            if name == self.time:
                value = waves(graph, value, [self.features.cycles])
            parts.append(graph.cast(value, self.encoder.dtype))
        return parts

    def _told(self, graph: Graph, own: str) -> str:
        """A number for each series, 1 for that which a window is of."""
        places = graph.constant(np.arange(len(self.features.told)), np.int64)
        same = graph.node("Equal", _unsqueezed(graph, own, 1, 2), places)
        steps = graph.constant([1, self.past + self.ahead, 1], np.int64)
        return graph.node("Expand", graph.cast(same, self.encoder.dtype), steps)

    def words(self) -> dict[str, str]:
        if self.matrix:
            words = {MATRIX: f"{self._steps_in_words(0)}: numbers, {NO_NUMBER}"}
        else:
            of_columns = column_words(self.encoder.table).items()
            words = {
                name: f"{self._steps_in_words(self._steps_of(place) - self.past)}: {text}"
                for place, (name, text) in enumerate(of_columns)
            }
        all_steps = self._steps_in_words(self.ahead)
        if self.group is not None:
            words[self.group] = "(rows,): text, the series that a window is of"
        if self.time is not None:
            words[self.time] = f"{all_steps}: a date in seconds since 1970 {CLOCK}"
        if self.holiday is not None:
            words[self.holiday] = f"{all_steps}: 1 on holidays of {self.features.holidays}, else 0"
        return words

    def _steps_in_words(self, ahead: int) -> str:
        last = f"the last {self.past} steps"
        return f"(rows, {self.past + ahead}), {last}" + (f" and {ahead} ahead" if ahead else "")

    def words_of_matrix(self) -> dict[str, str]:
        return column_words(self.encoder.table) if self.matrix else {}

    def categories(self) -> dict[str, Sequence[str]]:
        own = {} if self.group is None else {self.group: self.features.series}
        return {**super().categories(), **own}

    # -- rows --------------------------------------------------------------------------------

    def feed(self, reading: Reading[Any]) -> dict[str, np.ndarray]:
        windows, features = reading.content.windows, self.features
        all_rows = windows.starts[:, None] + np.arange(self.past + self.ahead)
        values = column_values(self.plan, reading.content.table.content)
        arrays = [column[all_rows[:, : self._steps_of(i)]] for i, column in enumerate(values)]
        if self.matrix:
            fed = {MATRIX: np.stack(arrays, axis=-1)}
        else:
            fed = dict(zip(self.columns, arrays, strict=True))
        if self.group is not None:
            names = [str(windows.names[owner]) for owner in windows.owners]
            fed[self.group] = np.array(names, dtype=object)
        if self.time is not None:
            fed[self.time] = windows.clock[all_rows]
        if self.holiday is not None:
            holidays = on_holiday(windows.clock, features.holidays or "")
            fed[self.holiday] = holidays.astype(np.float64)[all_rows]
        return fed


_Key = tuple[str, str, int]


def _keys(plan: TablePlan) -> list[_Key]:
    """What each output of a table without embedded text is: its column, its part, its place."""
    numbers, texts = plan.numbers, plan.one_hot
    keys = [(column.name, "number", 0) for column in numbers]
    keys += [(column.name, "flag", 0) for column in numbers if column.flag]
    keys += [(column.name, "wave", k) for column in numbers for k in range(2 * len(column.cycles))]
    for column in texts:
        keys += [(column.name, "is", k) for k in range(len(column.categories) + column.missing)]
    return keys + [(column.name, "other", 0) for column in texts if column.other]


def _number(column: NumberColumn | TextColumn) -> NumberColumn:
    assert isinstance(column, NumberColumn)
    return column


def _unsqueezed(graph: Graph, value: str, *axes: int) -> str:
    return graph.node("Unsqueeze", value, graph.constant(axes, np.int64))
