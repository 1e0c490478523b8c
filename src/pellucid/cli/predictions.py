"""Predictions as files: CSV, TSV, JSON, JSON Lines and Parquet, written batch by batch."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np

from pellucid.checks import file_name
from pellucid.cli.output import plain

_LONGEST_NAME = 255  # bytes, in most file systems
_TEXT = (".csv", ".tsv", ".json", ".jsonl")
FORMATS = (*_TEXT, ".parquet")


class Writer(Protocol):
    """Puts columns of the same names into a file, batch by batch."""

    def write(self, columns: Mapping[str, Any]) -> None:
        """Add rows."""

    def close(self) -> None:
        """End what is written; the file stays open."""


def format_of(output: str) -> str:
    """The ending of a file of predictions, ``.csv`` or ``.csv.gz`` for example.

    Raises
    ------
    ValueError
        If it is none that can be written, or the name is none of a file.
    """
    if not output:
        raise ValueError("--output must be the name of a file, or - for standard output. Got ''.")
    name = Path(output).name
    if len(name.encode("utf-8", "surrogateescape")) > _LONGEST_NAME:
        raise ValueError(
            f"--output must be a name of at most {_LONGEST_NAME} bytes. Got one of "
            f"{len(name.encode('utf-8', 'surrogateescape'))}."
        )
    lower = name.lower()
    packed = ".gz" if lower.endswith(".gz") else ""
    ending = Path(lower.removesuffix(packed)).suffix
    if ending not in (_TEXT if packed else FORMATS):
        raise ValueError(
            f"--output must end in {', '.join(FORMATS[:-1])} or {FORMATS[-1]}; .gz may follow all "
            f"but the last. Got {file_name(output)}."
        )
    if ending == ".parquet":
        from pellucid.data.tables import needed

        needed(f"{file_name(output)}, a Parquet file,", "pyarrow", "tables")
    return ending + packed


@contextlib.contextmanager
def writer(file: BinaryIO, ending: str, model: str) -> Iterator[Writer]:
    """What writes predictions of the model file `model` into an open file."""
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
            ".json": lambda: Json(file, model),
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

    def __init__(self, file: BinaryIO, model: str) -> None:
        self._file, self._rows = file, 0
        file.write(f'{{\n"model": {json.dumps(plain(model))},\n"predictions": ['.encode())

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
    """Columns of the types that they have in the first batch."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._writer: Any = None

    def write(self, columns: Mapping[str, Any]) -> None:
        """Add rows."""
        import pyarrow as pa
        from pyarrow import parquet

        if self._writer is None:
            arrays = [pa.array(_arrow(column)) for column in columns.values()]
            arrays = [a.cast(pa.string()) if pa.types.is_null(a.type) else a for a in arrays]
            table = pa.Table.from_arrays(arrays, names=list(columns))
            self._writer = parquet.ParquetWriter(self._file, table.schema)
        else:
            kinds = self._writer.schema.types
            arrays = [
                pa.array(_arrow(column), type=kind)
                for column, kind in zip(columns.values(), kinds, strict=True)
            ]
            table = pa.Table.from_arrays(arrays, schema=self._writer.schema)
        self._writer.write_table(table)

    def close(self) -> None:
        """Write the footer."""
        if self._writer is not None:
            self._writer.close()


def records(columns: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The rows as objects of plain values."""
    rows = zip(*map(_values, columns.values()), strict=True)
    return (dict(zip(map(plain, columns), row, strict=True)) for row in rows)


def _values(column: Any) -> Any:
    if isinstance(column, np.ndarray) and column.dtype.kind == "f":
        column = [float(str(value)) for value in column]  # of float32 the same few digits
    return [plain(value) for value in column]


def _texts(column: Any) -> Iterator[str]:
    if isinstance(column, np.ndarray) and column.dtype == np.float64:
        column = column.tolist()
    return ("" if value is None or value != value else str(value) for value in column)


def _arrow(column: Any) -> Any:
    if isinstance(column, np.ndarray) and column.dtype != object:
        return column if column.dtype.kind in "biuf" else column.tolist()
    return [None if value is None or value != value else value for value in column]
