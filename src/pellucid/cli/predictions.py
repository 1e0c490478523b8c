"""Tables as files: CSV, TSV, JSON, JSON Lines and Parquet, written batch by batch."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import json
from collections.abc import Iterator, Mapping
from datetime import date, time
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np

from pellucid.checks import file_name
from pellucid.cli.output import plain
from pellucid.data.column_values import is_missing

_LONGEST_NAME = 255  # bytes, in most file systems
_TEXT = (".csv", ".tsv", ".json", ".jsonl")
FORMATS = (*_TEXT, ".parquet")


class Writer(Protocol):
    """Puts columns of the same names into a file, batch by batch."""

    def write(self, columns: Mapping[str, Any]) -> None:
        """Add rows."""

    def close(self) -> None:
        """End what is written; the file stays open."""


def format_of(output: str, option: str = "--output") -> str:
    """The ending of a file that an `option` names, ``.csv`` or ``.csv.gz`` for example.

    Raises
    ------
    ValueError
        If it is none that can be written, or the name is none of a file.
    """
    if not output:
        raise ValueError(f"{option} must be the name of a file, or - for standard output. Got ''.")
    name = Path(output).name
    if len(name.encode("utf-8", "surrogateescape")) > _LONGEST_NAME:
        raise ValueError(
            f"{option} must be a name of at most {_LONGEST_NAME} bytes. Got one of "
            f"{len(name.encode('utf-8', 'surrogateescape'))}."
        )
    lower = name.lower()
    packed = ".gz" if lower.endswith(".gz") else ""
    ending = Path(lower.removesuffix(packed)).suffix
    if ending not in (_TEXT if packed else FORMATS):
        raise ValueError(
            f"{option} must end in {', '.join(FORMATS[:-1])} or {FORMATS[-1]}; .gz may follow all "
            f"but the last. Got {file_name(output)}."
        )
    if ending == ".parquet":
        from pellucid.data.tables import needed

        needed(f"{file_name(output)}, a Parquet file,", "pyarrow", "tables")
    return ending + packed


@contextlib.contextmanager
def writer(
    file: BinaryIO, ending: str, about: tuple[str, str], rows: str = "predictions"
) -> Iterator[Writer]:
    """What writes rows into an open file; JSON tells what they are `about`, as ("model", name)."""
    with contextlib.ExitStack() as stack:
        if ending.endswith(".gz"):
            # without a name and a time in it: the same predictions are the same file
            packed = gzip.GzipFile(fileobj=file, mode="wb", filename="", mtime=0)
            file = stack.enter_context(contextlib.closing(packed))  # type: ignore[assignment]
            ending = ending.removesuffix(".gz")
        kinds: dict[str, Any] = {
            ".csv": lambda: Separated(file, ","),
            ".tsv": lambda: Separated(file, "\t"),
            ".jsonl": lambda: JsonLines(file),
            ".json": lambda: Json(file, about, rows),
            ".parquet": lambda: Parquet(file),
        }
        made = kinds[ending]()
        yield made
        made.close()


class Separated:
    """CSV; numbers in the fewest digits that give them back."""

    def __init__(self, file: BinaryIO, separator: str) -> None:
        self._file, self._separator, self._begun = file, separator, False

    def write(self, columns: Mapping[str, Any]) -> None:
        """Add rows."""
        text = io.StringIO()
        lines = csv.writer(text, delimiter=self._separator, lineterminator="\n")
        if not self._begun:
            lines.writerow(columns)
            self._begun = True
        lines.writerows(zip(*map(_texts, columns.values()), strict=True))
        # a file's name may be bytes that are no text
        self._file.write(text.getvalue().encode("utf-8", "surrogateescape"))

    def close(self) -> None:
        """There is nothing to end."""


class JsonLines:
    """An object a line."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, columns: Mapping[str, Any]) -> None:
        """Add rows."""
        lines = [json.dumps(row, ensure_ascii=False, allow_nan=False) for row in records(columns)]
        self._file.write("".join(f"{line}\n" for line in lines).encode())

    def close(self) -> None:
        """There is nothing to end."""


class Json:
    """``{"model": ..., "predictions": [{...}, ...], "rows": 2}``."""

    def __init__(self, file: BinaryIO, about: tuple[str, str], rows: str) -> None:
        self._file, self._rows = file, 0
        (what, name) = map(json.dumps, map(plain, about))
        file.write(f'{{\n{what}: {name},\n"{rows}": ['.encode())

    def write(self, columns: Mapping[str, Any]) -> None:
        """Add rows."""
        for row in records(columns):
            self._file.write(b",\n" if self._rows else b"\n")
            self._file.write(json.dumps(row, allow_nan=False).encode())
            self._rows += 1

    def close(self) -> None:
        """End the object."""
        self._file.write(f'\n],\n"rows": {self._rows}\n}}\n'.encode())


class Parquet:
    """Columns of the types of their first values, until which all rows wait in memory."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._writer: Any = None
        self._waiting: list[Any] = []

    def write(self, columns: Mapping[str, Any]) -> None:
        """Add rows."""
        import pyarrow as pa

        kinds = self._writer.schema.types if self._writer else [None] * len(columns)
        cells = map(_arrow, columns.values())
        arrays = [pa.array(c, type=kind) for c, kind in zip(cells, kinds, strict=True)]
        self._waiting.append(pa.Table.from_arrays(arrays, names=list(columns)))
        if not any(pa.types.is_null(kind) for kind in self._schema().types):
            self._write()

    def _schema(self) -> Any:
        """What the columns are, as far as their values tell."""
        import pyarrow as pa

        if self._writer is not None:
            return self._writer.schema
        schemas = [table.schema for table in self._waiting]
        fields = [
            next((field for field in same if not pa.types.is_null(field.type)), same[0])
            for same in zip(*schemas, strict=True)
        ]
        return pa.schema(fields)

    def _write(self) -> None:
        """Write what waits; columns without any value are text."""
        import pyarrow as pa
        from pyarrow import parquet

        fields = [
            field.with_type(pa.string()) if pa.types.is_null(field.type) else field
            for field in self._schema()
        ]
        if self._writer is None:
            self._writer = parquet.ParquetWriter(self._file, pa.schema(fields))
        for table in self._waiting:
            self._writer.write_table(table.cast(pa.schema(fields)))
        self._waiting.clear()

    def close(self) -> None:
        """Write what waits, and the footer."""
        if self._waiting:
            self._write()
        if self._writer is not None:
            self._writer.close()


def records(columns: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The rows as objects of plain values."""
    rows = zip(*map(_values, columns.values()), strict=True)
    return (dict(zip(map(plain, columns), row, strict=True)) for row in rows)


def _values(column: Any) -> Any:
    if isinstance(column, np.ndarray) and column.dtype.kind == "f":
        column = [float(str(value)) for value in column]  # of float32 the same few digits
    return [plain(_cell(value)) for value in column]


def _texts(column: Any) -> Iterator[str]:
    if isinstance(column, np.ndarray) and column.dtype == np.float64:
        column = column.tolist()
    cells = map(_cell, column)
    return ("" if cell is None else str(cell) for cell in cells)


def _cell(value: Any) -> Any:
    """A value of any library as text formats have it: None if it is missing, dates by ISO 8601."""
    if type(value) is str:
        return value
    if is_missing(value):
        return None
    return value.isoformat() if isinstance(value, (date, time)) else value


def _arrow(column: Any) -> Any:
    if isinstance(column, np.ndarray) and column.dtype != object:
        return column if column.dtype.kind in "biuf" else column.tolist()
    return [None if is_missing(value) else value for value in column]
