"""What the readers of tables share: their error, the missing words, frames of each library."""

from __future__ import annotations

import importlib
import importlib.util
import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import numpy as np

from pellucid.checks import shown
from pellucid.data.column_values import texts

# What stands for a missing value in a file of text, whichever library reads it.
MISSING = ("", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NULL", "null", "None", "<NA>")
NAMELESS = "Unnamed: {}"  # as pandas calls the column at a position that has no name
_INT64 = range(-(2**63), 2**63)


class BadTable(ValueError):
    """A file that is no table that can be used, in one sentence."""


class NoRows(BadTable):
    """A table that has the `names` of its columns alone."""

    def __init__(self, name: str, names: Sequence[str], where: str = " below its header") -> None:
        super().__init__(f"{name} must have at least one row{where}. Got none.")
        self.names = list(names)


def there(name: str) -> bool:
    """Whether a library is installed."""
    return importlib.util.find_spec(name) is not None


def needed(what: str, library: str, extra: str) -> None:
    """Refuse `what` where the library that reads it is not installed."""
    if not there(library):
        raise ImportError(
            f'{what} needs {library}, which is not installed. Run: pip install "pellucid[{extra}]"'
        )


def installed(what: str) -> str:
    """The library that makes frames: the first one that is installed."""
    for name in ("pandas", "polars", "pyarrow"):
        if there(name):
            return name
    raise ImportError(
        f"{what} needs pandas, polars or pyarrow, and none is installed. "
        'Run: pip install "pellucid[tables]"'
    )


def header_names(names: Sequence[str]) -> list[str]:
    """Column names without the blanks around them, and a name for those that have none."""
    known = {name.strip() for name in names}
    given = []
    for place, name in enumerate(names):
        made = NAMELESS.format(place)
        given.append(name.strip() or (f"{made}.1" if made in known else made))
    return given


def check_names(name: str, names: Sequence[str]) -> None:
    """Refuse a file `name` of which two columns are called the same."""
    known: set[str] = set()
    for column in names:
        if column in known:
            raise BadTable(f"{name} must have different column names. Got {shown(column)} twice.")
        known.add(column)


def frame_of(
    engine: str, columns: Mapping[str, np.ndarray], kinds: Mapping[str, type | None] | None = None
) -> Any:
    """A DataFrame of the library `engine`.

    Columns are arrays of numbers, in which NaN is a missing value, or of objects, in which None is.
    What `kinds` these objects are of, as `str`, is said where all may be missing.
    """
    if engine == "pandas":
        return importlib.import_module("pandas").DataFrame(dict(columns), copy=False)
    library, kinds = importlib.import_module(engine), kinds or {}
    known: dict[type | None, Any]
    plain = {
        name: values.tolist() if values.dtype == object else values
        for name, values in columns.items()
    }
    if engine == "polars":
        known = {str: library.String, bool: library.Boolean}
        return library.DataFrame(
            [
                library.Series(
                    name, values, known.get(kinds.get(name)), strict=False, nan_to_null=True
                )
                for name, values in plain.items()
            ]
        )
    known = {str: library.string(), bool: library.bool_()}
    arrays = [
        library.array(values, known.get(kinds.get(name)), from_pandas=True)
        for name, values in plain.items()
    ]
    return library.Table.from_arrays(arrays, names=list(columns))


class TypedColumn:
    """A column of a file whose cells have types, such as JSON and Excel: what they are so far.

    It is of one kind throughout: numbers, truth values or dates, and text where kinds are mixed.
    """

    def __init__(self) -> None:
        self._kinds: set[type] = set()
        self._holes, self._large = False, False

    def see(self, cells: Sequence[Any]) -> None:
        """Learn of the types of more cells."""
        there = [cell for cell in cells if cell is not None]
        self._kinds |= set(map(type, there))
        self._holes = self._holes or len(there) < len(cells)
        self._large = self._large or any(type(cell) is int and cell not in _INT64 for cell in there)

    @property
    def kind(self) -> type | None:
        """Whether it is text or truth values; None of a column of others, or of nothing."""
        if self._kinds <= {int, float} or self._kinds <= {date, datetime}:
            return None
        return bool if self._kinds == {bool} else str

    def values(self, cells: Sequence[Any]) -> np.ndarray:
        """The cells as an array of the column's kind."""
        if self._kinds and self._kinds <= {int, float}:
            if self._kinds == {int} and not self._holes and not self._large:
                return np.array(cells, dtype=np.int64)
            return np.array([math.nan if cell is None else float(cell) for cell in cells])
        if self._kinds == {bool} and not self._holes:
            return np.array(cells, dtype=bool)
        if self._kinds == {date, datetime}:
            cells = [datetime(c.year, c.month, c.day) if type(c) is date else c for c in cells]
        elif len(self._kinds) > 1:
            return texts(cells)
        array = np.empty(len(cells), dtype=object)
        array[:] = cells
        return array
