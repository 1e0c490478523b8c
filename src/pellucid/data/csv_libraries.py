"""Separated values as pandas, polars and pyarrow read them, and whether their guesses hold."""

from __future__ import annotations

import importlib
import re
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.data.csv_layout import Layout
from pellucid.data.tables import MISSING

TRUTH = {
    "True": True, "TRUE": True, "true": True, "False": False, "FALSE": False, "false": False
}  # fmt: skip
_PLAIN = b"0123456789eE.+- \t\niInNfFtTyY"  # float() takes more than is a plain number here
_ZEROS = re.compile(r"\n0[0-9]")
_ZEROS_BEHIND = re.compile(r"\n[ \t]*[+-]?0[0-9]")
_HEAD = 1000  # rows of a library's frame that are looked at


def are_plain(cells: Sequence[str]) -> bool:
    """Whether all cells are plain numbers: 12, -3.5, 1e5, inf; none with zeros before it."""
    column = "\n" + "\n".join(cells)
    if column.encode().translate(None, _PLAIN) or column.count("\n") != len(cells):
        return False
    if _ZEROS.search(column):
        return False
    if any(mark in column for mark in " \t+-") and _ZEROS_BEHIND.search(column):
        return False
    try:
        deque(map(float, cells), maxlen=0)
    except ValueError:
        return False
    return True


class LibraryGuess:
    """What a library took columns for, in one or several frames of a file, and whether that holds.

    `last_has_gaps` tells whether a value of the last column is missing, as in rows that are short,
    and `rows` is how many there were. Frames may be `parts`, in which a column may have no value.
    """

    def __init__(self, text: Collection[str], parts: bool = False) -> None:
        self._text, self._parts = text, parts
        self._kinds: dict[str, set[str]] = {}
        self._thousands: dict[str, Thousands] = {}
        self.last_has_gaps, self.rows = False, 0

    def holds(self, frame: Any, rows: int | None) -> bool:
        """Whether this frame, of so many `rows` if that is known, is what is written."""
        import narwhals as nw

        table = nw.from_native(frame, eager_only=True)
        if rows is not None and len(table) != rows:
            return False
        for name in table.columns:
            column = table[name]
            kinds = self._kinds.setdefault(name, set())
            if name in self._text:
                kinds.add("text")
            elif self._parts and column.dtype in (nw.String, nw.Unknown) and _is_empty(column):
                continue
            elif column.dtype == nw.String:
                cells = column.head(_HEAD).drop_nulls().to_list()
                # truth values with gaps are objects to pandas, which may look like text
                if any(type(cell) is not str for cell in cells):
                    return False
                if all(cell in TRUTH or are_plain([cell]) for cell in cells):
                    return False
                # pandas leaves missing cells as they are beside an integer of 64 bits without sign
                ends = cells + column.tail(_HEAD).drop_nulls().to_list()
                if any(cell[:1].isdecimal() for cell in ends) and column.is_in(MISSING).any():
                    return False
                kinds.add("text")
            elif column.dtype == nw.Boolean:
                kinds.add("truth")
            elif column.dtype in (nw.Int64, nw.UInt64, nw.Float64):
                kinds.add("integer" if column.dtype == nw.Int64 else "number")
                self._thousands.setdefault(name, Thousands()).see(column)
            else:
                return False
        self.last_has_gaps = self.last_has_gaps or bool(column.is_null().any())
        self.rows += len(table)
        return True

    def kinds(self) -> dict[str, str] | None:
        """What each column is; None where that is in doubt."""
        if any(thousands.likely for thousands in self._thousands.values()):
            return None
        kinds = {}
        for name, several in self._kinds.items():
            if several == {"integer", "number"}:
                several = {"number"}
            if not several:
                several = {"empty"}
            if len(several) != 1:
                return None
            (kinds[name],) = several
        return kinds


def _is_empty(column: Any) -> bool:
    return int(column.null_count()) == len(column)


class Thousands:
    """Whether numbers may be thousands marked by a point: 950 and 27.317 in one column."""

    def __init__(self) -> None:
        self._possible = True
        self._pointed = self._pointless = False

    @property
    def likely(self) -> bool:
        """Whether numbers with a point and without one were seen, and none that is no thousand."""
        return self._possible and self._pointed and self._pointless

    def see(self, column: Any) -> None:
        """Learn of more numbers; most columns are told by their head."""
        if self._possible and column.dtype.is_integer():
            low, high = column.min(), column.max()  # None where all are missing
            self._possible = low is None or (-1000 < low and high < 1000)
            self._pointless = self._pointless or low is not None
            return
        for part in (column.head(_HEAD), column):
            if not self._possible:
                return
            values = part.drop_nulls().to_numpy()
            values = values[~np.isnan(values)]
            pointed = values != np.rint(values)
            thousandths = values[pointed] * 1000
            size = np.abs(values)
            self._possible = bool(
                np.all(size < 1000)
                and np.all(size[pointed] >= 1)
                and np.all(np.abs(thousandths - np.rint(thousandths)) < 1e-6)
            )
        self._pointed = self._pointed or bool(pointed.any())
        self._pointless = self._pointless or not pointed.all()


def _pandas(file: Any, layout: Layout, quoted: bool, kinds: Mapping[str, str]) -> Any:
    pandas = importlib.import_module("pandas")
    options: dict[str, Any] = {}
    if tuple(map(int, pandas.__version__.split(".")[:2])) < (3, 1):
        options["float_precision"] = "round_trip"  # by itself it is off by a bit now and then
    if isinstance(file, Path):
        options |= {"skiprows": layout.lines, "compression": None}  # an ending may be wrong
    types = {"text": str, "integer": np.int64, "number": np.float64, "truth": bool}
    return pandas.read_csv(
        file, sep=layout.separator, header=None, names=layout.names, index_col=False,
        na_values=list(MISSING), keep_default_na=False,
        dtype={name: types[kind] for name, kind in kinds.items()}, **options,
    )  # fmt: skip


def _polars(file: Any, layout: Layout, quoted: bool, kinds: Mapping[str, str]) -> Any:
    polars = importlib.import_module("polars")
    places = [str(place) for place in range(len(layout.names))]
    types = {
        "text": polars.String,
        "integer": polars.Int64,
        "number": polars.Float64,
        "truth": polars.Boolean,
    }
    frame = polars.read_csv(
        layout.separator.join(places).encode() + b"\n" + file.read(),
        separator=layout.separator,
        null_values=list(MISSING),
        infer_schema_length=None,
        schema_overrides={str(layout.names.index(n)): types[kind] for n, kind in kinds.items()},
    )
    return frame.rename(dict(zip(places, layout.names, strict=True)))


def _pyarrow(file: Any, layout: Layout, quoted: bool, kinds: Mapping[str, str]) -> Any:
    pa = importlib.import_module("pyarrow")
    csv = importlib.import_module("pyarrow.csv")
    compute = importlib.import_module("pyarrow.compute")
    content = file.read()
    if b"0x" in content or b"0X" in content:
        raise ValueError("what pyarrow takes for a hexadecimal number")
    types = {
        "text": pa.string(),
        "integer": pa.int64(),
        "number": pa.float64(),
        "truth": pa.bool_(),
    }

    def read(kinds: Mapping[str, str]) -> Any:
        return csv.read_csv(
            pa.BufferReader(content),
            read_options=csv.ReadOptions(column_names=layout.names),
            parse_options=csv.ParseOptions(delimiter=layout.separator, newlines_in_values=quoted),
            convert_options=csv.ConvertOptions(
                null_values=list(MISSING),
                strings_can_be_null=True,
                column_types={name: types[kind] for name, kind in kinds.items()},
                true_values=[word for word, value in TRUTH.items() if value],
                false_values=[word for word, value in TRUTH.items() if not value],
            ),
        )

    table = read(kinds)
    plain = (*types.values(), pa.null())
    dates = [field.name for field in table.schema if field.type not in plain]
    table = read({**kinds, **dict.fromkeys(dates, "text")}) if dates else table
    for column in table.columns:
        if column.type == pa.float64() and compute.any(compute.is_nan(column)).as_py():
            raise ValueError("what pyarrow alone takes for a missing number")
    return table


LIBRARIES = {"pandas": _pandas, "polars": _polars, "pyarrow": _pyarrow}
