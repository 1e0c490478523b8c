"""Tables from files, with whichever of pandas, polars and pyarrow is installed."""

from __future__ import annotations

import codecs
import csv
import importlib.util
import os
import re
import stat
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.checks import printable, row_words, shown, suggestion
from pellucid.data.columns import (
    did_you_mean,
    is_panic,
    name_that_comes_twice,
    named,
    series_values,
    unique_columns,
)
from pellucid.memory import check_memory

# What stands for a missing value in a CSV, whichever library reads it: the words that pandas knows.
_MISSING = ["", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NULL", "null", "None", "<NA>"]
_PACKED = {b"\x1f\x8b": "gzip", b"PK\x03\x04": "zip or Excel", b"BZh": "bzip2", b"\xfd7zXZ": "xz"}
_SUFFIXES = {".csv": "csv", ".tsv": "csv", ".parquet": "parquet", ".pq": "parquet"}


class BadTable(ValueError):
    """A file that is no table that can be used, in one sentence."""


def is_table(path: str | os.PathLike[str]) -> bool:
    """Whether `path` ends as the file of a table does."""
    return Path(path).suffix.lower() in _SUFFIXES


def read_table(path: str | os.PathLike[str], engine: str | None = None) -> Any:
    """The table in a ``.csv``, ``.tsv`` or ``.parquet`` file, as the reading library's DataFrame.

    Parameters
    ----------
    path : str or path
        The file. A CSV is UTF-8 text, its first line the column names, separated by comma,
        semicolon or tab; beside the last two, numbers may have a decimal comma.
    engine : {"pandas", "polars", "pyarrow"}, optional
        The library; by default the first of these that is installed.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, PermissionError, OSError
        If there is no such file, or it may not be read.
    ImportError
        If none of the libraries is installed.
    ValueError
        If the file is empty, of another format, damaged, or no file but a pipe or a device.
    MemoryError
        If the table does not fit in memory.
    """
    path, name = Path(path), printable(Path(path).name)
    kind = _kind_of_file(path)
    engine = engine or _installed(kind)
    style = None
    with _in_our_words(path, kind, engine):
        if kind == "csv":
            style, (rows, columns) = _csv_style(path)
        else:
            rows, columns = _declared_shape(path, engine)
    # the libraries make room for all of these, or count to them, before they see what is there
    what = f"{name}, {rows:,} rows of {columns:,} columns,"
    check_memory(what, rows * columns, np.float64, "Write a part of it into another file.")
    with _in_our_words(path, kind, engine, style), warnings.catch_warnings():
        warnings.simplefilter("error")  # pandas only warns of rows longer than the header
        frame = _CSV_READERS[engine](path, *style) if style else _read_parquet(path, engine)
    rows, columns = frame.shape
    if rows == 0 or columns == 0:
        raise BadTable(f"{name} must have at least one row below its header. Got none.")
    twice = name_that_comes_twice(frame)
    if twice is not None:
        raise BadTable(f"{name} must have different column names. Got {shown(twice)} twice.")
    return frame


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


def _there(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def _installed(kind: str) -> str:
    for name in ("pandas", "polars", "pyarrow"):
        if _there(name) and (name != "pandas" or kind == "csv" or _there("pyarrow")):
            return name
    raise ImportError(
        f"A {kind} file needs pandas, polars or pyarrow, and none is installed. "
        'Run: pip install "pellucid[tables]"'
    )


@contextmanager
def _in_our_words(
    path: Path, kind: str, engine: str, style: tuple[str, str] | None = None
) -> Iterator[None]:
    """Say why a file cannot be read; each library has its own errors for it."""
    name = printable(path.name)
    try:
        yield
    except BadTable:
        raise
    except MemoryError:
        raise MemoryError(f"{name} cannot be read: it does not fit into memory.") from None
    except PermissionError:
        raise PermissionError(f"{name} may not be read. Change its permissions first.") from None
    except BaseException as error:
        # what polars raises when its Rust code panics is no Exception
        if not (isinstance(error, Exception) or is_panic(error)):
            raise
        reason = error.strerror if isinstance(error, OSError) else None
        if isinstance(error, FileNotFoundError):
            reason = "it was removed meanwhile"
        elif style:
            reason = reason or _csv_fault(path, style[0], exact=engine == "pyarrow")
        reason = reason or f"it is damaged, or of a kind that {engine} cannot read"
        raise BadTable(f"{name} cannot be read as a {kind} table: {reason}.") from error


def _kind_of_file(path: Path) -> str:
    """Which kind of table `path` is, by its ending, once it is a file that has content."""
    name = printable(path.name)
    try:
        about = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        neighbours = [file.name for file in path.parent.glob("*")]  # none if there is no folder
        near = did_you_mean(path.name, neighbours)
        raise FileNotFoundError(f"{printable(path)} does not exist.{near}") from None
    except PermissionError:
        raise PermissionError(f"{printable(path)} may not be read: its folder is closed.") from None
    except (OSError, ValueError) as error:  # a name too long, or with a NUL
        reason = getattr(error, "strerror", None) or str(error)
        raise BadTable(f"{shown(str(path))} cannot be the name of a file: {reason}.") from None
    if stat.S_ISDIR(about.st_mode):
        raise IsADirectoryError(f"{printable(path)} must be a file. Got a directory.")
    if not stat.S_ISREG(about.st_mode):  # a pipe can be read only once, and may wait for ever
        raise BadTable(f"{name} must be a regular file. Got a pipe or a device. Save it as a file.")
    kind = _SUFFIXES.get(path.suffix.lower())
    if kind is None:
        raise BadTable(
            f"{name} must be a .csv, .tsv or .parquet file. Got {path.suffix or 'no ending'!r}."
        )
    if about.st_size == 0:
        raise BadTable(f"{name} must hold a table. Got an empty file.")
    return kind


def _csv_style(path: Path) -> tuple[tuple[str, str], tuple[int, int]]:
    """The separator and the decimal mark, and at most so many rows and columns.

    The whole file must turn out to be text; columns are those of its beginning.
    """
    head, rows = _text_in(path)
    bare = re.sub(r'"[^"]*"', "", head)  # what is quoted separates nothing
    line = next((line for line in bare.splitlines() if line.strip()), "")
    separator = "\t" if path.suffix.lower() == ".tsv" else max(",;\t", key=line.count)
    comma = separator != "," and re.search(r"(^|[;\t]) *[+-]?\d+,\d+ *\r?([;\t]|$)", bare, re.M)
    columns = 1 + max((line.count(separator) for line in bare.splitlines()), default=0)
    return (separator, "," if comma else "."), (rows, columns)


def _text_in(path: Path) -> tuple[str, int]:
    """The beginning of a file that must be UTF-8 text to its last byte, and its number of lines.

    The libraries differ in what they do with other bytes: one makes them up, one is silent.
    """
    name, decoder = printable(path.name), codecs.getincrementaldecoder("utf-8-sig")()
    head, done, lines = None, 0, 0
    with path.open("rb") as file:
        while True:
            block = file.read(1 << 16)
            if head is None:
                for mark, packer in _PACKED.items():
                    if block.startswith(mark):
                        raise BadTable(f"{name} must be text. Got a {packer} file. Unpack it.")
                if block.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                    raise BadTable(f"{name} must be UTF-8 text. Got UTF-16. Save it as UTF-8.")
            if b"\0" in block:
                raise BadTable(f"{name} must be a CSV file. Got binary content.")
            held = len(decoder.getstate()[0])  # bytes of a character that goes on in this block
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                place = done - held + error.start
                raise BadTable(
                    f"{name} must be UTF-8 text. Got byte 0x{error.object[error.start]:02x} at "
                    f"position {place}. Save it as UTF-8."
                ) from None
            head = text if head is None else head
            done += len(block)
            lines += block.count(b"\n")
            if not block:
                return head, lines


def _csv_fault(path: Path, separator: str, exact: bool) -> str | None:
    """Where a CSV that cannot be read is at fault, if that can be told.

    A row may be shorter than the header, unless it must have `exact` as many values.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.reader(file, delimiter=separator, strict=True)
        try:
            names = next((values for values in lines if values), None)
            if names is None:
                return "it has no header"
            for values in lines:
                short = exact and values and len(values) < len(names)
                if short or len(values) > len(names):
                    return (
                        f"line {lines.line_num} has {len(values)} values, and the header has "
                        f"{len(names)} names"
                    )
        except csv.Error as error:
            if "unexpected end of data" in str(error):
                return "a quote is opened and never closed"
            return None if "limit" in str(error) else f"line {lines.line_num} has a stray quote"
    return None


def _declared_shape(path: Path, engine: str) -> tuple[int, int]:
    """Rows and columns by the footer of a Parquet file, no rows where polars alone can tell."""
    name = printable(path.name)
    with path.open("rb") as file:
        head = file.read(4)
        file.seek(max(0, file.seek(0, os.SEEK_END) - 4))
        tail = file.read(4)
    if head != b"PAR1":
        raise BadTable(f"{name} must be a Parquet file. Got other content.")
    if tail != b"PAR1":
        raise BadTable(
            f"{name} must be a whole Parquet file. Got one that breaks off. Copy it again."
        )
    if not _there("pyarrow"):
        return 0, 0
    about = importlib.import_module("pyarrow.parquet").read_metadata(path)
    rows, columns = about.num_rows, about.num_columns
    if rows < 0 or columns < 1:
        raise BadTable(f"{name} must hold a table. Got {rows:,} rows of {columns:,} columns.")
    return rows, columns


def _pandas_csv(path: Path, separator: str, decimal: str) -> Any:
    import pandas

    return pandas.read_csv(
        path, sep=separator, decimal=decimal, index_col=False, na_values=_MISSING, low_memory=False
    )


def _polars_csv(path: Path, separator: str, decimal: str) -> Any:
    import polars

    return polars.read_csv(
        path,
        separator=separator,
        decimal_comma=decimal == ",",
        null_values=_MISSING,
        infer_schema_length=None,
    )


def _pyarrow_csv(path: Path, separator: str, decimal: str) -> Any:
    from pyarrow import csv

    parsing = csv.ParseOptions(delimiter=separator)
    conversion = csv.ConvertOptions(
        null_values=_MISSING, strings_can_be_null=True, decimal_point=decimal
    )
    return csv.read_csv(path, parse_options=parsing, convert_options=conversion)


def _read_parquet(path: Path, engine: str) -> Any:
    if engine == "pandas" or not _there("pyarrow"):
        return importlib.import_module(engine).read_parquet(path)
    table = importlib.import_module("pyarrow.parquet").read_table(path)
    if engine == "pyarrow":
        return table
    # what a damaged file asks of polars itself can end the process
    return importlib.import_module("polars").from_arrow(table)


_CSV_READERS = {"pandas": _pandas_csv, "polars": _polars_csv, "pyarrow": _pyarrow_csv}
