"""Code that loads a model and asks it, with the columns that it has learned."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pellucid.data import TableEncoder
from pellucid.data.calendars import Monthly, Pace, Weekly
from pellucid.data.date_format import DateFormat
from pellucid.data.number_format import NumberFormat
from pellucid.data.windows import as_list

_MANY = 20  # columns of numbers that are not written out
_STEPS = 3  # of a sequence of any length
_EARLIEST, _LATEST = -1e10, 2.5e11  # seconds since 1970 that are dates of four digits
_WRITTEN = {
    "ymd": "%Y-%m-%d", "dmy": "%d.%m.%Y", "mdy": "%m/%d/%Y", "digits": "%Y%m%d",
    "month digits": "%Y%m", "clock": "%H:%M",
}  # fmt: skip


def usage(model: Any, file: str) -> str:
    """Python that loads `model` from `file` and asks it about rows as it takes them.

    The rows are no row of anyone's: numbers are the means of the training, texts a category.
    """
    imports, given, method = _EXAMPLES[model._input.domain](model)
    asked = [f"model.{method}(rows)"]
    if hasattr(model, "classes_"):
        asked += ["model.predict_proba(rows)  # in the order of model.classes_"]
    loaded = ["from pellucid import load", "", f"model = load({file!r})"]
    return "\n".join([*imports, *loaded, given, *asked])


_NUMPY, _PANDAS = ["import numpy as np"], ["import pandas as pd"]
_Example = tuple[list[str], str, str]


def _of_table(model: Any) -> _Example:
    encoder = model._input
    cells = [_cell(encoder, index) for index in range(encoder.n_features)]
    if encoder.only_numbers and len(cells) > _MANY:
        if encoder.names is None:
            return _NUMPY, f"rows = np.zeros((1, {len(cells)}))", "predict"
        return [], "rows = {name: [0.0] for name in model.feature_names_in_}", "predict"
    if encoder.names is None:
        return [], f"rows = [[{', '.join(cells)}]]", "predict"
    columns = {name: f"[{cell}]" for name, cell in zip(encoder.names, cells, strict=True)}
    return [], f"rows = {_map(columns)}", "predict"


def _of_pictures(model: Any) -> _Example:
    encoder = model._input
    shape = (1, *encoder.shape)
    levels = {"bytes": ", dtype=np.uint8", "sixteen": ", dtype=np.uint16"}.get(encoder.kind, "")
    what = "a picture" if len(shape) == 4 else "a signal"
    files = ', or a list of files: ["picture.jpg"]' if len(shape) == 4 else ""
    return _NUMPY, f"rows = np.zeros({shape}{levels})  # {what}{files}", "predict"


def _of_text(model: Any) -> _Example:
    encoder = model._input
    some = encoder.vocabulary[:_STEPS]
    row = repr(some) if encoder.unit == "tokens" else repr(_joint(encoder.unit).join(some))
    return [], f"rows = [{row}]", "predict"


def _joint(unit: str) -> str:
    return "" if unit == "characters" else " "


def _of_sequences(model: Any) -> _Example:
    encoder = model._input
    table = encoder.table
    if encoder.group is not None or encoder.time is not None:
        columns = {} if encoder.group is None else {encoder.group: "['a'] * 3"}
        if encoder.time is not None:
            columns[encoder.time] = _times(encoder.time_format)
        return (
            _PANDAS,
            f"rows = pd.DataFrame({_map(columns | _repeated(table, _STEPS))})",
            "predict",
        )
    if encoder.flat:
        if encoder.names is None:
            return _NUMPY, f"rows = np.zeros((1, {encoder.steps}))", "predict"
        columns = dict.fromkeys(encoder.names, "[0.0]")
        return _PANDAS, f"rows = pd.DataFrame({_map(columns)})", "predict"
    if table.names is None:
        shape = (1, encoder.steps, table.n_features)
        return _NUMPY, f"rows = np.zeros({shape})  # sequences, steps, features", "predict"
    return _PANDAS, f"rows = [pd.DataFrame({_map(_repeated(table, _STEPS))})]", "predict"


def _of_windows(model: Any) -> _Example:
    encoder = model._input
    series, table = encoder.series, encoder.table
    if table.names is None:
        shape = (1, encoder.steps, table.n_features)
        return _NUMPY, f"rows = np.zeros({shape})  # windows, steps, features", "predict"
    targets, known = as_list(series["target"]), series.get("known") or []
    back, ahead = encoder.steps, series["horizon"] if known else 0
    columns = {}
    if series["group"] is not None:
        names = getattr(encoder.windows, "series", None) or ["a"]
        columns[series["group"]] = f"[{names[0]!r}] * {back + ahead}"
    if series["time"] is not None:
        form, paces = series.get("time_format"), series.get("paces") or [None]
        dates = f"pd.date_range('2024-01-01', periods={back + ahead}{_distance(paces[0])})"
        written = f".strftime({_WRITTEN[form.order]!r})" if isinstance(form, DateFormat) else ""
        columns[series["time"]] = dates + written
    for index, name in enumerate(table.names):
        cells = f"[{_cell(table, index)}] * {back}"
        after = "None" if name in targets else _cell(table, index)
        columns[name] = f"{cells} + [{after}] * {ahead}" if ahead else cells
    unknown = series["time"] is not None and not series.get("paces")
    remark = "# with times as far apart as those that it learned from\n" if unknown else ""
    return _PANDAS, f"{remark}rows = pd.DataFrame({_map(columns)})", "forecast"


_EXAMPLES: dict[str, Callable[[Any], _Example]] = {
    "tables": _of_table,
    "pictures": _of_pictures,
    "signals": _of_pictures,
    "text": _of_text,
    "sequences": _of_sequences,
    "windows": _of_windows,
}


def _map(columns: Mapping[str, str]) -> str:
    lines = [f"    {name!r}: {cells}," for name, cells in columns.items()]
    return "\n".join(["{", *lines, "}"])


def _repeated(table: TableEncoder, steps: int) -> dict[str, str]:
    names: Sequence[str] = table.names or []
    return {name: f"[{_cell(table, index)}] * {steps}" for index, name in enumerate(names)}


def _times(form: Any) -> str:
    """Three times of a long table, one after the other."""
    if isinstance(form, DateFormat):
        return repr([_date(float(day * 86400), form.order) for day in range(19000, 19003)])
    return "[1, 2, 3]"


def _distance(pace: Pace | None) -> str:
    """How far apart the times of a series are, as an argument of pandas; a day is understood."""
    if pace is not None and isinstance(pace.calendar, Weekly):
        return ", freq='B'"
    if pace is not None and isinstance(pace.calendar, Monthly):
        last = pace.calendar.which[-1] == -1
        return f", freq=pd.offsets.Month{'End' if last else 'Begin'}({pace.step})"
    return ""


def _cell(table: TableEncoder, index: int) -> str:
    """A cell that a column may hold, as Python writes it."""
    column = table._learned_columns[index]
    if column.kind == "empty":
        return "None"
    if column.kind == "text":
        return repr(next((text for text in column.categories if text is not None), None))
    if column.kind == "boolean":
        return "True"
    if column.kind == "time":
        form = column.format
        return repr(_date(column.mean, form.order if isinstance(form, DateFormat) else "ymd"))
    number = float(f"{column.mean:.4g}")
    if isinstance(column.format, NumberFormat):  # it may lack its unit
        return repr(f"{number:.10f}".rstrip("0").rstrip(".").replace(".", column.format.decimal))
    return repr(number)


def _date(seconds: float, order: str) -> str:
    when = datetime(1970, 1, 1) + timedelta(seconds=round(min(max(seconds, _EARLIEST), _LATEST)))
    return f"{when:{_WRITTEN[order]}}"
