"""Tables from files, with whichever of pandas, polars and pyarrow is installed."""

from __future__ import annotations

import importlib.util
import os
import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.checks import suggestion
from pellucid.data.columns import did_you_mean, series_values

# What stands for a missing value in a CSV, whichever library reads it: the words that pandas knows.
_MISSING = ["", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NULL", "null", "None", "<NA>"]
_SUFFIXES = {".csv": "csv", ".tsv": "csv", ".parquet": "parquet", ".pq": "parquet"}


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
    FileNotFoundError, IsADirectoryError
        If there is no such file.
    ImportError
        If none of the libraries is installed.
    ValueError
        If the file is empty, of another format, or damaged.
    """
    path = Path(path)
    if not path.exists():
        neighbours = [file.name for file in path.parent.glob("*")]  # none if there is no folder
        raise FileNotFoundError(f"{path} does not exist.{did_you_mean(path.name, neighbours)}")
    if path.is_dir():
        raise IsADirectoryError(f"{path} must be a file. Got a directory.")
    kind = _SUFFIXES.get(path.suffix.lower())
    if kind is None:
        raise ValueError(
            f"{path.name} must be a .csv, .tsv or .parquet file. Got "
            f"{path.suffix or 'no ending'!r}."
        )
    if path.stat().st_size == 0:
        raise ValueError(f"{path.name} must hold a table. Got an empty file.")
    engine = engine or _installed(kind)
    style = _csv_style(path) if kind == "csv" else None
    if style is None:
        _check_parquet(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # pandas only warns of rows longer than the header
            frame = _CSV_READERS[engine](path, *style) if style else _read_parquet(path, engine)
    except (MemoryError, PermissionError):
        raise
    except Exception as error:  # each library has its own
        reason = " ".join(str(error).split("\n")[0].split())[:160].rstrip(". ")
        raise ValueError(f"{path.name} cannot be read as a {kind} table: {reason}.") from error
    rows, columns = frame.shape
    if rows == 0 or columns == 0:
        raise ValueError(f"{path.name} must have at least one row below its header. Got none.")
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
    import narwhals as nw

    table = nw.from_native(frame, eager_only=True)
    wanted = [target] if isinstance(target, str) else list(dict.fromkeys(target))
    for name in wanted:
        if name not in table.columns:
            raise ValueError(
                f"column {name!r} is not in {source}.{suggestion(name, table.columns)}"
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
    missing = series_values(series).missing
    count = int(np.count_nonzero(missing))
    if count:
        rows = "1 row" if count == 1 else f"{count} rows"
        raise ValueError(
            f"column {series.name!r} of {source} must have a value in every row. Got none in "
            f"{rows}, first in row {int(np.argmax(missing))}. Remove such rows, or choose another "
            "target."
        )


def _installed(kind: str) -> str:
    def there(name: str) -> bool:
        return importlib.util.find_spec(name) is not None

    for name in ("pandas", "polars", "pyarrow"):
        if there(name) and (name != "pandas" or kind == "csv" or there("pyarrow")):
            return name
    raise ImportError(
        f"A {kind} file needs pandas, polars or pyarrow, and none is installed. "
        'Run: pip install "pellucid[tables]"'
    )


def _csv_style(path: Path) -> tuple[str, str]:
    """The separator and the decimal mark, once the file's beginning looks like text."""
    with path.open("rb") as file:
        head = file.read(1 << 16)
    if b"\0" in head:
        raise ValueError(f"{path.name} must be a CSV file. Got binary content.")
    try:
        text = head.decode("utf-8-sig", "strict" if len(head) < 1 << 16 else "ignore")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path.name} must be UTF-8 text. Got byte 0x{head[error.start]:02x} at position "
            f"{error.start}. Save it as UTF-8."
        ) from None
    bare = re.sub(r'"[^"]*"', "", text)  # what is quoted separates nothing
    line = next((line for line in bare.splitlines() if line.strip()), "")
    separator = "\t" if path.suffix.lower() == ".tsv" else max(",;\t", key=line.count)
    comma = separator != "," and re.search(r"(^|[;\t])\s*[+-]?\d+,\d+\s*([;\t]|$)", bare, re.M)
    return separator, "," if comma else "."


def _check_parquet(path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(4)
        file.seek(-min(4, path.stat().st_size), os.SEEK_END)
        tail = file.read(4)
    if head != b"PAR1":
        raise ValueError(f"{path.name} must be a Parquet file. Got other content.")
    if tail != b"PAR1":
        raise ValueError(
            f"{path.name} must be a whole Parquet file. Got one that breaks off. Copy it again."
        )


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
    if engine == "pyarrow":
        return importlib.import_module("pyarrow.parquet").read_table(path)
    return importlib.import_module(engine).read_parquet(path)


_CSV_READERS = {"pandas": _pandas_csv, "polars": _polars_csv, "pyarrow": _pyarrow_csv}
