"""What went into a model for some rows, as it can be shown: cells, pictures, courses in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from pellucid.data import Reading
from pellucid.data.column_values import Column, as_text, series_numbers
from pellucid.data.columns import to_table
from pellucid.data.windows import Windows
from pellucid.rows import Rows


@dataclass(frozen=True, eq=False)
class RowInputs:
    """Some rows of X.

    Attributes
    ----------
    kind : {"cells", "pictures", "windows", "sequences"}
    names : list of str
        Of the columns of a table, or of what each step of a sequence has; of windows the target.
    values : list
        Of each row its cells, as of text its words; its picture (H, W, C) or its steps (T, numbers)
        as the network reads them; of a window the target's past, empty where it is no number.
    """

    kind: str
    names: list[str]
    values: list[Any]

    @classmethod
    def of(cls, model: Any, X: Any, reading: Reading, rows: Rows, places: Sequence[int]) -> Self:
        """Those at `places` of `X`, which was read as `reading` and encoded as `rows`."""
        encoder = model._input
        domain = encoder.domain
        if domain == "windows":
            windows = reading.content.windows
            name = windows.targets[0]
            past = _course(windows, name)
            values: list[Any] = [
                past[windows.starts[place] : windows.starts[place] + windows.steps]
                for place in places
            ]
            return cls("windows", [str(name)], values)
        if domain == "text":
            joint = "" if encoder.unit == "characters" else " "
            read = [joint.join(encoder.tokens_of(rows.row(place))) for place in places]
            return cls("cells", ["text"], [[text] for text in read])
        if domain != "tables":
            kind = "pictures" if domain == "pictures" else "sequences"
            shown = [np.asarray(rows.row(place)) for place in places]
            return cls(kind, list(encoder.output_names), shown)
        table = to_table(type(model).__name__, X)
        if table.matrix is None:
            columns = [_cells(column, places) for column in table.columns]
            values = [list(cells) for cells in zip(*columns, strict=True)]
        else:
            # one by one: a sparse matrix gives slices of its rows as arrays
            slices = [slice(int(place), int(place) + 1) for place in places]
            values = [np.asarray(table.matrix[one]).ravel().tolist() for one in slices]
        names = table.names or [f"x{place}" for place in range(table.shape[1])]
        return cls("cells", list(names), values)


def _course(windows: Windows, name: Any) -> np.ndarray:
    """The numbers of a target at all times of its series."""
    import narwhals as nw

    if isinstance(windows.table, np.ndarray):
        return np.asarray(windows.table[:, windows.columns.index(name)], dtype=np.float64)
    series = nw.from_native(windows.table, eager_only=True)[name]
    return series_numbers(series) if series.dtype.is_numeric() else np.zeros(0)


def _cells(column: Column, places: Sequence[int]) -> list[Any]:
    """Some values of a column; None where one is missing."""
    values = column.values[np.asarray(places, dtype=np.int64)]
    if column.kind == "boolean":
        return list(as_text(Column("boolean", values)))
    if column.kind == "time":
        return [None if seconds != seconds else _time(seconds) for seconds in values.tolist()]
    if column.kind == "text":
        return list(values)
    return [None if value != value else value for value in values.tolist()]


def _time(seconds: float) -> str:
    """A time since 1970 as it is written, without hours at midnight."""
    day, _, clock = str(np.datetime64(round(seconds), "s")).partition("T")
    return day if clock == "00:00:00" else f"{day} {clock}"
