"""Tables from files, with whichever of pandas, polars and pyarrow is installed."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from pellucid.checks import row_words, shown, suggestion
from pellucid.data.arrow_files import check_parquet, parquet_batches, read_arrow, read_parquet
from pellucid.data.column_values import named, series_values
from pellucid.data.columns import name_that_comes_twice, unique_columns
from pellucid.data.containers import WORDS, Source, is_table, open_source
from pellucid.data.csv_files import CsvFile
from pellucid.data.csv_parts import csv_batches
from pellucid.data.encodings import known_encoding
from pellucid.data.excel_files import read_excel
from pellucid.data.file_errors import in_our_words
from pellucid.data.json_files import json_lines_batches, read_json, read_json_lines
from pellucid.data.tables import BadTable, installed, there

__all__ = ["BadTable", "is_table", "read_batches", "read_table", "split_target"]

BATCH = 1 << 14  # rows


def read_table(
    path: str | os.PathLike[str],
    engine: str | None = None,
    *,
    text: Collection[str] | None = None,
    encoding: str | None = None,
) -> Any:
    """The table in a file, as a DataFrame of the library that reads it.

    The file is CSV (any separator, any ending), Parquet, Feather, JSON, JSON Lines or Excel; all
    but the last may be packed by gzip, bzip2, xz or zip. What it is, is told by its content.

    In a CSV a column of plain numbers (``12``, ``-3.5``, ``1e5``) is numbers, one of ``True`` and
    ``False`` is truth values, and any other stays text as it stands in the file: so do ``1,234``,
    ``007`` and dates. Missing are the cells ``""``, ``NA``, ``N/A``, ``n/a``, ``#N/A``, ``NaN``,
    ``nan``, ``NULL``, ``null``, ``None`` and ``<NA>``, and those that a short row lacks.

    Parameters
    ----------
    path : str or path
        The file; ``"-"`` is standard input, read to its end.
    engine : {"pandas", "polars", "pyarrow"}, optional
        The library; by default the first of these that is installed.
    text : collection of str, optional
        Columns of a CSV that are text, whatever they hold.
    encoding : str, optional
        The encoding of a file of text. By default it is found: Unicode of any width by its bytes;
        another is guessed, and that is said.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, PermissionError, OSError
        If there is no such file, or it may not be read.
    ImportError
        If a library that reads it is not installed.
    ValueError
        If the file is empty, of another format, damaged, or no file but a pipe or a device.
    MemoryError
        If the table does not fit in memory.
    """
    encoding = None if encoding is None else known_encoding(encoding)
    source = open_source(path)
    engine = _engine(source, engine)
    with in_our_words(source, engine):
        frame = _read(source, engine, text or (), encoding)
    _check_frame(source, frame)
    return frame


def _read(source: Source, engine: str, text: Collection[str], encoding: str | None) -> Any:
    """The whole table."""
    if source.kind == "csv":
        return CsvFile.of(source, encoding, whole=True).read(engine, text)
    if source.kind == "jsonl":
        return read_json_lines(source, engine, encoding)
    if source.kind == "json":
        return read_json(source, engine, encoding)
    readers = {"parquet": read_parquet, "arrow": read_arrow, "excel": read_excel}
    return readers[source.kind](source, engine)


class Batches(Iterator[Any]):
    """The parts of a table, one after the other; `rows` is how many rows it has, if that is known.

    Empty lines of a file may count among them.
    """

    def __init__(self, begin: Callable[[], Iterator[Any]], rows: int | None) -> None:
        self._begin, self.rows = begin, rows
        self._frames = begin()

    def __next__(self) -> Any:
        return next(self._frames)

    def again(self) -> Batches:
        """The same parts from the first on; the file is not looked through once more."""
        return Batches(self._begin, self.rows)


def read_batches(
    path: str | os.PathLike[str],
    rows: int = BATCH,
    engine: str | None = None,
    *,
    text: Collection[str] | None = None,
    encoding: str | None = None,
) -> Batches:
    """The table in a file as DataFrames of at most so many `rows` each, in memory one at a time.

    Their columns are of the kinds that :func:`read_table` gives for the whole file, which is looked
    through before the first of them. JSON, Feather and Excel files are read at once, and so is
    Parquet without pyarrow.

    Parameters and errors are those of :func:`read_table`.
    """
    encoding = None if encoding is None else known_encoding(encoding)
    source = open_source(path)
    engine = _engine(source, engine)
    many: int | None = None
    frames: Callable[[int], Iterator[Any]]
    with in_our_words(source, engine):
        if source.kind == "csv":
            (frames,), many = csv_batches(
                [CsvFile.of(source, encoding, whole=False)], engine, text or ()
            )
        elif source.kind == "parquet" and there("pyarrow"):
            many = check_parquet(source, engine, whole=False)
            frames = partial(parquet_batches, source, engine)
        elif source.kind == "jsonl":
            (frames,), many, _ = json_lines_batches([source], engine, encoding)
        else:
            frames = partial(_slices, _read(source, engine, text or (), encoding))
    return Batches(lambda: _checked(source, engine, frames(rows)), many)


def _slices(frame: Any, rows: int) -> Iterator[Any]:
    import narwhals as nw

    table = nw.from_native(frame, eager_only=True)
    for start in range(0, len(table), rows):
        yield table[start : start + rows].to_native()


def _checked(source: Source, engine: str, frames: Iterator[Any]) -> Iterator[Any]:
    """The frames, with errors in our words; an error if there are none."""
    count = 0
    with in_our_words(source, engine):
        for frame in frames:
            if not count:
                _check_frame(source, frame)
            count += 1
            yield frame
    if not count:
        raise BadTable(f"{source.name} must have at least one row below its header. Got none.")


def _check_frame(source: Source, frame: Any) -> None:
    """Refuse a table without rows, or of which two columns are called the same."""
    rows, columns = frame.shape
    if rows == 0 or columns == 0:
        raise BadTable(f"{source.name} must have at least one row below its header. Got none.")
    twice = name_that_comes_twice(frame)
    if twice is not None:
        raise BadTable(f"{source.name} must have different column names. Got {shown(twice)} twice.")


def _engine(source: Source, engine: str | None) -> str:
    what = f"{source.name}, a {WORDS[source.kind]} file,"
    if engine is None:
        engine = installed(what)
        if source.kind == "parquet" and not there("pyarrow") and there("polars"):
            engine = "polars"
    return engine


def split_target(
    frame: Any, target: str | Sequence[str], source: str = "the table"
) -> tuple[Any, Any]:
    """`frame` without the column `target`, and that column (a Series; a DataFrame for several).

    Parameters
    ----------
    frame : DataFrame
        Of pandas, polars or pyarrow.
    target : str or list of str
        One column or several.
    source : str
        What errors call the table: its file's name.

    Raises
    ------
    ValueError
        If a column is not there, no other column is left, or a row has no target.
    """
    table = unique_columns(source, frame)
    wanted = [target] if isinstance(target, str) else list(dict.fromkeys(target))
    for name in wanted:
        if name not in table.columns:
            raise ValueError(
                f"column {shown(name)} is not in {source}.{suggestion(name, table.columns)}"
            )
        _check_complete(table[name], source)
    rest = [name for name in table.columns if name not in wanted]
    if not rest:
        raise ValueError(
            f"{source} must have a column besides the target. Got only "
            f"{', '.join(map(repr, wanted))}."
        )
    y = table[wanted[0]] if isinstance(target, str) else table.select(wanted)
    return table.select(rest).to_native(), y.to_native()


def _check_complete(series: Any, source: str) -> None:
    column = named(f"column {shown(series.name)} of {source}", series_values, series)
    for bad, must, got in (
        (column.missing, "have a value in every row", "none"),
        (np.isinf(column.values) if column.kind == "number" else [], "be finite", "infinity"),
    ):
        if count := int(np.count_nonzero(bad)):
            raise ValueError(
                f"column {shown(series.name)} of {source} must {must}. Got {got} in "
                f"{count} row{'s' if count > 1 else ''}, first in {row_words(np.argmax(bad))}. "
                "Remove such rows, or choose another target."
            )
