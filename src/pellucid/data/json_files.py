"""Tables in JSON: a list of objects, one object a line, or what ``pellucid predict`` writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import msgspec
import numpy as np

from pellucid.checks import one_line, shown
from pellucid.data.containers import Source
from pellucid.data.encodings import Text, marked_encoding
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
    source: Source, engine: str, encoding: str | None
) -> Callable[[int], Iterator[Any]]:
    """A function that gives the table in a file of JSON Lines, so many rows at a time.

    Its columns are those of all of it, which is looked through now.
    """
    columns = _columns(source, _lines(source, encoding), "line")

    def batches(rows: int) -> Iterator[Any]:
        lines = (row for _, row in _lines(source, encoding))
        while part := list(islice(lines, rows)):
            yield frame_of(engine, _arrays(columns, part))

    return batches


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
            if name not in columns:
                columns[name] = TypedColumn()
            columns[name].see((cell,))
        for name in columns.keys() - row.keys():
            columns[name].see((None,))
    if not columns:
        raise BadTable(f"{source.name} must have at least one row. Got none.")
    check_names(source.name, header_names(list(columns)))
    return columns


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
