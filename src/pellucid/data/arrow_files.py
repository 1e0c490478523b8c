"""Files that know their columns' types: Parquet, and Feather, which Arrow also calls IPC."""

from __future__ import annotations

import importlib
import io
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO

import numpy as np

from pellucid.checks import listing, warn
from pellucid.data.arrow_types import cast
from pellucid.data.containers import Source
from pellucid.data.tables import BadTable, needed, there
from pellucid.memory import check_memory

_BUFFER = 1 << 18  # bytes of a column that are read at a time, however large its row group is


def read_parquet(source: Source, engine: str) -> Any:
    """The table in a Parquet file."""
    check_parquet(source, engine)
    with opened(source) as file:
        if engine == "pandas":
            return importlib.import_module("pandas").read_parquet(file)
        if not there("pyarrow"):
            return _by_polars(source, file)
        table = importlib.import_module("pyarrow.parquet").read_table(file)
    return _whole(source, table, engine)


def parquet_batches(
    source: Source,
    engine: str,
    rows: int,
    columns: Sequence[str] | None = None,
    types: Mapping[str, Any] | None = None,
) -> Iterator[Any]:
    """The table in a Parquet file, so many rows at a time, by pyarrow; some `columns` or all.

    Those of some `types` are cast to these, where that changes no value.
    """
    parquet = importlib.import_module("pyarrow.parquet")
    with opened(source) as file:
        # what is buffered ahead would be kept until the end of the file
        table = parquet.ParquetFile(file, buffer_size=_BUFFER, pre_buffer=False)
        parts = table.iter_batches(rows, columns=None if columns is None else list(columns))
        yield from _frames(parts, engine, rows, columns, types or {})


def arrow_batches(
    source: Source,
    engine: str,
    rows: int,
    columns: Sequence[str] | None = None,
    types: Mapping[str, Any] | None = None,
) -> Iterator[Any]:
    """The same of a Feather or Arrow file, of which each of its own batches must fit in memory."""
    with opened(source) as file:
        table = _arrow_file(source, file)
        parts = map(table.get_batch, range(table.num_record_batches))
        yield from _frames(parts, engine, rows, columns, types or {})


def parquet_schema(source: Source) -> tuple[Any, int, bytes]:
    """The schema of a Parquet file as Arrow has it, its rows, and its footer."""
    rows = check_parquet(source, "pyarrow", whole=False)
    parquet = importlib.import_module("pyarrow.parquet")
    with opened(source) as file:
        schema = parquet.ParquetFile(file).schema_arrow
        file.seek(file.seek(0, os.SEEK_END) - 8)
        length = int.from_bytes(file.read(4), "little")
        file.seek(max(0, file.seek(0, os.SEEK_END) - 8 - length))
        return schema, rows, file.read(length)


def arrow_schema(source: Source) -> tuple[Any, int, int]:
    """The schema of a Feather or Arrow file, its rows, and of how many batches it is made."""
    needed(f"{source.name}, a Feather file,", "pyarrow", "tables")
    with opened(source) as file:
        table = _arrow_file(source, file)
        return table.schema, _rows_of(table), table.num_record_batches


def _arrow_file(source: Source, file: BinaryIO) -> Any:
    if file.read(6) != b"ARROW1":
        raise BadTable(
            f"{source.name} must be a Feather file of version 2 to be read in parts. Got version "
            "1. Write it again, by any program of today."
        )
    return importlib.import_module("pyarrow").ipc.open_file(file)


def _rows_of(table: Any) -> int:
    if hasattr(table, "count_rows"):  # pyarrow from 21 on
        return int(table.count_rows())
    return sum(table.get_batch(place).num_rows for place in range(table.num_record_batches))


def _frames(
    batches: Iterable[Any],
    engine: str,
    rows: int,
    columns: Sequence[str] | None,
    types: Mapping[str, Any],
) -> Iterator[Any]:
    """Batches of Arrow as frames of just so many rows, and the last of those that are left."""
    pa = importlib.import_module("pyarrow")
    waiting: list[Any] = []
    count = 0
    for batch in batches:
        waiting.append(_chosen(pa.Table.from_batches([batch]), engine, columns))
        count += batch.num_rows
        while count >= rows:
            table = pa.concat_tables(waiting)
            yield _native(cast(table.slice(0, rows), types), engine, part=True)
            count -= rows
            waiting = [table.slice(rows)] if count else []
    if count:
        yield _native(cast(pa.concat_tables(waiting), types), engine, part=True)


def _chosen(table: Any, engine: str, columns: Sequence[str] | None) -> Any:
    """The `columns` of a table that are asked for, by default all but its index.

    Those that are asked for are columns, also where pandas made its index of them.
    """
    index = index_columns(table.schema)
    if columns is None:
        return table if engine == "pandas" else table.drop(index)
    metadata = table.schema.metadata or {}
    if about := metadata.get(b"pandas"):
        plain = json.dumps({**json.loads(about), "index_columns": []})
        table = table.replace_schema_metadata({**metadata, b"pandas": plain})
    return table.select(list(columns))


def read_arrow(source: Source, engine: str) -> Any:
    """The table in a Feather or Arrow file."""
    needed(f"{source.name}, a Feather file,", "pyarrow", "tables")
    with opened(source) as file:
        table = importlib.import_module("pyarrow.feather").read_table(file)
    return _whole(source, table, engine)


def index_columns(schema: Any) -> list[str]:
    """The columns of an Arrow schema that are the index of the pandas table that was written."""
    return _index_columns((schema.metadata or {}).get(b"pandas"), schema.names)


def _index_columns(about: bytes | str | None, names: Sequence[str]) -> list[str]:
    levels = json.loads(about or "{}").get("index_columns", ())
    return [level for level in levels if level in names]  # one that counts rows is no column


def index_words(names: Sequence[str]) -> str:
    """That these columns are left out, and why."""
    are = "are the index" if len(names) > 1 else "is the index"
    return f"left out: {listing(names)}, which {are} of the pandas table that was written"


def _whole(source: Source, table: Any, engine: str) -> Any:
    """All columns of a table but its index, which pandas alone has apart from them."""
    if engine != "pandas" and (index := index_columns(table.schema)):
        warn(f"{source.name}: {index_words(index)}.")
        table = table.drop(index)
    return _native(table, engine)


def _by_polars(source: Source, file: BinaryIO) -> Any:
    """The same of a Parquet file, by polars alone; old ones do not tell of an index."""
    polars = importlib.import_module("polars")
    about: dict[str, str] = getattr(polars, "read_parquet_metadata", lambda _: {})(file)
    file.seek(0)
    frame = polars.read_parquet(file)
    if index := _index_columns(about.get("pandas"), frame.columns):
        warn(f"{source.name}: {index_words(index)}.")
    return frame.drop(index)


def check_parquet(source: Source, engine: str, whole: bool = True) -> int:
    """The rows of a Parquet file, which must be whole, and fit into memory to be read as a `whole`.

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
    if whole:
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


def _native(table: Any, engine: str, part: bool = False) -> Any:
    """A table of Arrow as the library `engine` has it; in a `part` gaps are those of a whole."""
    pa, pandas = importlib.import_module("pyarrow"), part and engine == "pandas"
    for place, field in enumerate(table.schema):
        values = table.column(place)
        if str(field.type) == "string_view":  # what polars writes, and pyarrow hardly computes with
            table = table.set_column(place, field.name, values.cast(pa.large_string()))
        elif pandas and pa.types.is_integer(field.type) and values.null_count == len(values):
            table = table.set_column(place, field.name, values.cast(pa.float64()))  # still numbers
    if engine == "pandas":
        # integers with a gap in one batch alone stay integers
        return table.to_pandas(integer_object_nulls=part)
    # what a damaged file asks of polars itself can end the process
    return importlib.import_module("polars").from_arrow(table) if engine == "polars" else table
