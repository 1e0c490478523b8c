"""Tables in JSON: a list of objects, one object a line, or what ``pellucid predict`` writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any

import msgspec
import numpy as np

from pellucid.checks import one_line, shown
from pellucid.data.containers import Source
from pellucid.data.encodings import Text, marked_encoding
from pellucid.data.file_errors import in_our_words
from pellucid.data.tables import BadTable, TypedColumn, check_names, frame_of, header_names
from pellucid.memory import check_memory

_ROWS = 1 << 14
_CELLS = (int, float, str, bool, type(None))


def read_json(source: Source, engine: str, encoding: str | None) -> Any:
    """The table in a file of JSON: a list of objects, or an object with one at "predictions"."""
    with Text(source, encoding or marked_encoding(source) or "utf-8").utf8() as file:
        content = file.read()
    check_memory(f"{source.name}", len(content), np.uint8, "Write it as .jsonl.")
    try:
        rows = msgspec.json.decode(content)
    except msgspec.DecodeError as error:
        if len(lines := content.splitlines()) > 1 and lines[0].rstrip().endswith(b"}"):
            return read_json_lines(source, engine, encoding)  # as some call it
        raise BadTable(f"{source.name} cannot be read as JSON: {one_line(str(error))}.") from None
    if isinstance(rows, dict) and isinstance(rows.get("predictions"), list):
        rows = rows["predictions"]
    if isinstance(rows, dict) and rows and all(isinstance(row, list) for row in rows.values()):
        rows = _turned(source, rows)
    if not isinstance(rows, list):
        raise BadTable(f"{source.name} must hold a list of objects, one a row. Got {shown(rows)}.")
    return _frame(source, engine, enumerate(rows, start=1), "row")


def read_json_lines(source: Source, engine: str, encoding: str | None) -> Any:
    """The table in a file of JSON Lines."""
    return _frame(source, engine, _lines(source, encoding), "line")


def json_lines_batches(
    sources: Sequence[Source], engine: str, encoding: str | None
) -> tuple[list[Callable[[int], Iterator[Any]]], int, list[list[str]]]:
    """The table in files of JSON Lines, which are looked through now, so many rows at a time.

    Returns
    -------
    batches : list of functions
        One a file: it gives DataFrames of at most so many rows, their columns of one kind in all.
    rows : int
        Of all files.
    names : list of list of str
        The columns of each file.
    """
    columns: dict[str, TypedColumn] = {}
    rows, names = 0, list[list[str]]()
    for source in sources:
        there: dict[str, TypedColumn] = {}
        with in_our_words(source, engine):
            rows += _see(source, _lines(source, encoding), "line", columns, there)
        names.append(header_names(list(there)))
    frames: list[Callable[[int], Iterator[Any]]] = [
        partial(_batches, source, engine, encoding, columns) for source in sources
    ]
    return frames, rows, names


def _batches(
    source: Source,
    engine: str,
    encoding: str | None,
    columns: Mapping[str, TypedColumn],
    rows: int,
) -> Iterator[Any]:
    lines = (row for _, row in _lines(source, encoding))
    names = header_names(list(columns))
    kinds = {name: column.kind for name, column in zip(names, columns.values(), strict=True)}
    while part := list(islice(lines, rows)):
        yield frame_of(engine, _arrays(columns, part), kinds)


def _lines(source: Source, encoding: str | None) -> Iterator[tuple[int, Any]]:
    text = Text(source, encoding or marked_encoding(source) or "utf-8")
    decode = msgspec.json.Decoder().decode
    with text.utf8() as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                try:
                    yield number, decode(line)
                except msgspec.DecodeError as error:
                    raise BadTable(
                        f"{source.name} cannot be read as JSON: in line {number}, "
                        f"{one_line(str(error))}."
                    ) from None


def _frame(source: Source, engine: str, rows: Iterator[tuple[int, Any]], what: str) -> Any:
    known = list(rows)
    columns = _columns(source, iter(known), what)
    return frame_of(engine, _arrays(columns, [row for _, row in known]))


def _columns(source: Source, rows: Iterator[tuple[int, Any]], what: str) -> dict[str, TypedColumn]:
    """What the columns are, by name."""
    columns: dict[str, TypedColumn] = {}
    _see(source, rows, what, columns, columns)
    return columns


def _see(
    source: Source,
    rows: Iterator[tuple[int, Any]],
    what: str,
    columns: dict[str, TypedColumn],
    there: dict[str, TypedColumn],
) -> int:
    """Let the `columns`, by name, learn of more rows, and how many they are.

    Those that are in these rows are put among the columns that are `there`.
    """
    count = 0
    for number, row in rows:
        if not isinstance(row, dict):
            raise BadTable(
                f"{source.name} must hold one object a row. Got {shown(row)} in {what} {number}."
            )
        for name, cell in row.items():
            if not isinstance(cell, _CELLS):
                raise BadTable(
                    f"{source.name} must hold numbers, text, true, false or null. Got "
                    f"{shown(cell)} at {shown(name)} in {what} {number}."
                )
            column = columns.setdefault(name, TypedColumn())
            if count and name not in there:  # earlier rows lack it
                column.see((None,))
            there[name] = column
            column.see((cell,))
        for name in there.keys() - row.keys():
            there[name].see((None,))
        count += 1
    if not there:
        raise BadTable(f"{source.name} must have at least one row. Got none.")
    check_names(source.name, header_names(list(there)))
    return count


def _arrays(
    columns: Mapping[str, TypedColumn], rows: Sequence[Mapping[str, Any]]
) -> dict[str, np.ndarray]:
    names = dict(zip(columns, header_names(list(columns)), strict=True))
    return {
        names[name]: column.values([row.get(name) for row in rows])
        for name, column in columns.items()
    }


def _turned(source: Source, columns: Mapping[str, list[Any]]) -> list[dict[str, Any]]:
    """Rows from lists of a column each."""
    if len(set(map(len, columns.values()))) > 1:
        raise BadTable(f"{source.name} must have lists of one length. Got others.")
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
