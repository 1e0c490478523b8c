"""Files that know their columns' types: Parquet, and Feather, which Arrow also calls IPC."""

from __future__ import annotations

import importlib
import io
import os
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np

from pellucid.data.containers import Source
from pellucid.data.tables import BadTable, needed, there
from pellucid.memory import check_memory


def read_parquet(source: Source, engine: str) -> Any:
    """The table in a Parquet file."""
    check_parquet(source, engine)
    with opened(source) as file:
        if engine == "pandas" or not there("pyarrow"):
            return importlib.import_module(engine).read_parquet(file)
        table = importlib.import_module("pyarrow.parquet").read_table(file)
    return _native(table, engine)


def parquet_batches(source: Source, engine: str, rows: int) -> Iterator[Any]:
    """The table in a Parquet file, so many rows at a time, by pyarrow."""
    pa = importlib.import_module("pyarrow")
    with opened(source) as file:
        for batch in (
            importlib.import_module("pyarrow.parquet").ParquetFile(file).iter_batches(rows)
        ):
            table = pa.Table.from_batches([batch])
            # integers with a gap in one batch alone stay integers
            gaps = engine == "pandas"
            yield table.to_pandas(integer_object_nulls=True) if gaps else _native(table, engine)


def read_arrow(source: Source, engine: str) -> Any:
    """The table in a Feather or Arrow file."""
    needed(f"{source.name}, a Feather file,", "pyarrow", "tables")
    with opened(source) as file:
        return _native(importlib.import_module("pyarrow.feather").read_table(file), engine)


def check_parquet(source: Source, engine: str) -> int:
    """The rows of a Parquet file, which must be whole, and fit into memory.

    Its footer is believed: the libraries make room for all rows, or count to them, before they see
    what is there. Where polars alone is installed it does not tell them before.
    """
    name = source.name
    with opened(source) as file:
        head = file.read(4)
        file.seek(max(0, file.seek(0, os.SEEK_END) - 4))
        tail = file.read(4)
        if head != b"PAR1":
            raise BadTable(f"{name} must be a Parquet file. Got other content.")
        if tail != b"PAR1":
            raise BadTable(
                f"{name} must be a whole Parquet file. Got one that breaks off. Copy it again."
            )
        if engine != "polars":
            needed(f"{name}, a Parquet file,", "pyarrow", "tables")
        if not there("pyarrow"):
            return 0
        file.seek(0)
        about = importlib.import_module("pyarrow.parquet").read_metadata(file)
    rows, columns = about.num_rows, about.num_columns
    if rows < 0 or columns < 1:
        raise BadTable(f"{name} must hold a table. Got {rows:,} rows of {columns:,} columns.")
    what = f"{name}, {rows:,} rows of {columns:,} columns,"
    check_memory(what, rows * columns, np.float64, "Write a part of it into another file.")
    return int(rows)


def opened(source: Source) -> BinaryIO:
    """The file, in which one may seek: what is unpacked must fit into memory."""
    file = source.open()
    if not source.packed:
        return file
    content = io.BytesIO()
    with file:
        while block := file.read(1 << 20):
            content.write(block)
            check_memory(f"{source.name}, unpacked,", content.tell(), np.uint8, "Unpack it first.")
    content.seek(0)
    return content


def _native(table: Any, engine: str) -> Any:
    if engine == "pandas":
        return table.to_pandas()
    # what a damaged file asks of polars itself can end the process
    return importlib.import_module("polars").from_arrow(table) if engine == "polars" else table
