"""How a file of separated values is laid out: its separator, its header, where its rows begin."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from pellucid.checks import shown
from pellucid.data.encodings import BLOCK, Text, check_utf8
from pellucid.data.tables import BadTable, check_names, header_names

_USUAL = "\t;|^~,"  # of two that fit as well: what stands in text less often comes first
_RARE = ": "  # they stand in the text of most files
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?([eE][+-]?\d+)?")
_FRACTION = re.compile(r"[.,]")
_LONGEST_CELL = (1 << 31) - 1
_LONGEST_LINE = 1 << 26
_LOOKED_AT = 1000  # records


class Layout(NamedTuple):
    """How a file of separated values is laid out.

    `width` is the number of cells in a row, one more than there are `names` where each row ends
    with a separator. `start` bytes of UTF-8, `lines` lines, stand before the first row.
    """

    separator: str
    names: list[str]
    width: int
    start: int
    lines: int

    @property
    def header_fault(self) -> str:
        """What to say where the names are more likely the values of a first row."""
        numbers = [name for name in self.names if _NUMBER.fullmatch(name)]
        if 2 * len(numbers) < len(self.names) or not any(map(_FRACTION.search, numbers)):
            return ""
        value = shown(next(filter(_FRACTION.search, numbers)))
        return (
            f"its first line, taken for the column names, looks like values, such as {value}. If "
            "so, put a line of names above it."
        )

    def reader(self, lines: Iterable[str]) -> Iterator[list[str]]:
        """The records of lines of text."""
        return _reader(lines, self.separator)


@contextmanager
def long_cells() -> Iterator[None]:
    """Within it cells may have any length: the csv module has one limit for all of a process."""
    before = csv.field_size_limit(_LONGEST_CELL)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def find_layout(text: Text) -> Layout:
    """How the rows of a file of text are laid out, by its beginning.

    Raises
    ------
    NotUTF8, BadTable
        If its beginning is no text, or it has no header, or something stands above it.
    """
    head, cut = _head(text)
    start = lines = 0
    name = text.source.name
    told = re.match(r'"?sep=(.)"?\r?\n', head)  # Excel writes and obeys it
    if told:
        start, lines = len(told[0]), 1
    with long_cells():
        separator = told[1] if told else _separator(name, head, cut, text.source.path.suffix)
        rest = io.StringIO(head[start:], newline="")
        counted = _Counted(rest)
        reader = _reader(counted, separator)
        header = next((cells for cells in reader if any(cell.strip() for cell in cells)), None)
        if header is None:
            raise BadTable(f"{name} cannot be read as a CSV table: it has no header.")
        start += counted.bytes
        lines += counted.lines
        rows = _rows(reader, cut)
    width = len(header)
    if width > 2 and sum(bool(cell.strip()) for cell in header) == 1:
        _refuse_preamble(name, next(cell for cell in header if cell.strip()), width)
    if rows and all(len(row) == width + 1 and not row[-1].strip() for row in rows):
        width += 1  # a separator ends each row
    elif rows and all(len(row) == width + 1 for row in rows):
        header.insert(0, "")  # R writes no name above the names of rows
        width += 1
    elif rows and width > 1 and not header[-1].strip():
        if all(len(row) < width or not row[-1].strip() for row in rows):
            header.pop()  # one ends the header too
    names = header_names(header)
    check_names(name, names)
    return Layout(separator, names, width, start, lines)


def _head(text: Text) -> tuple[str, bool]:
    """Whole lines from the beginning of a file, and whether more follows."""
    with text.utf8() as file:
        head = file.read(BLOCK)
        head += file.readline(_LONGEST_LINE)
        cut = bool(file.read(1))
    if b"\0" in head:
        raise BadTable(f"{text.source.name} must be a CSV file. Got binary content.")
    check_utf8(text)(head)
    return head.decode("utf-8", "ignore"), cut


class _Counted:
    """Lines of text, and how many of them were taken."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self.lines = self.bytes = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.lines += 1
        self.bytes += len(line.encode())
        return line


def _reader(lines: Iterable[str], separator: str) -> Iterator[list[str]]:
    if separator == " ":  # runs of blanks count as one
        lines = (line.rstrip(" \t\r\n") + "\n" for line in lines)
    return csv.reader(lines, delimiter=separator, skipinitialspace=separator == " ")


def _rows(reader: Iterable[list[str]], cut: bool) -> list[list[str]]:
    """The first rows that have a value; the last one may be cut off."""
    rows = []
    for cells in reader:
        if any(cell.strip() for cell in cells):
            rows.append(cells)
        if len(rows) == _LOOKED_AT:
            return rows
    return rows[:-1] if cut else rows


def _separator(name: str, head: str, cut: bool, ending: str) -> str:
    """The character that cuts most rows into as many cells as the header has names."""
    records = {
        mark: _rows(_reader(io.StringIO(head, newline=""), mark), cut) or [[]]
        for mark in _USUAL + _RARE
    }

    def fits(mark: str) -> tuple[bool, float, int]:
        header, *rows = records[mark]
        width = len(header)
        same = sum(len(row) == width or (len(row) == width + 1 and not row[-1]) for row in rows)
        same = max(same, sum(len(row) == width + 1 for row in rows))
        favoured = mark == "\t" and ending in (".tsv", ".tab")
        return favoured, round(same / len(rows), 3) if rows else 1.0, width

    usual = [mark for mark in _USUAL if len(records[mark][0]) > 1]
    rare = [mark for mark in _RARE if len(records[mark][0]) > 1 and _has_numbers(records[mark])]
    if usual and (not rare or max(fits(mark)[1] for mark in usual) >= 0.5):
        return max(usual, key=fits)
    rare = [mark for mark in rare if fits(mark)[1] > 0.9]
    if rare:
        return max(rare, key=fits)
    if usual:
        return max(usual, key=fits)
    for mark in _USUAL:  # one name in the header: is it one?
        header, *rows = records[mark]
        (width, count), *_ = Counter(map(len, rows)).most_common(1) or [(1, 0)]
        if header and width > 1 and count > 1 and count >= 0.8 * len(rows):
            _refuse_preamble(name, header[0], width)
    return ","


def _has_numbers(records: Sequence[list[str]]) -> bool:
    """Whether a column holds numbers alone: words between blanks make no table."""
    header, *rows = records
    widths = {len(header), len(header) + 1}
    full = [row for row in rows if len(row) in widths and len(row) == len(rows[0])]
    columns = zip(*full, strict=True)
    return any(all(_NUMBER.fullmatch(cell) for cell in column) for column in columns)


def _refuse_preamble(name: str, title: str, width: int) -> None:
    raise BadTable(
        f"{name} must begin with its column names. Got {shown(title)} above a table of {width} "
        "columns. Remove what stands above the names."
    )
