"""How a file of separated values is laid out: its separator, its header, where its rows begin."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from pellucid.checks import shown
from pellucid.data.encodings import BLOCK, Text, check_utf8
from pellucid.data.tables import MISSING, BadTable, check_names, header_names

_USUAL = "\t;|^~,"  # of two that fit as well: what stands in text less often comes first
_RARE = ": "  # they stand in the text of most files
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?([eE][+-]?\d+)?")
_NUMBERS = re.compile(r" *[-+.\deE]+( +([-+.\deE]+|\?|NA))+ *")
_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n)")
_WITH_COMMAS = re.compile(r"[+-]?\d[\d.]*(,\d+)*")  # decimals or thousands
_FRACTION = re.compile(r"[.,]")
_LONGEST_CELL = (1 << 31) - 1
_LONGEST_LINE = 1 << 26
_LOOKED_AT = 200  # records


class Layout(NamedTuple):
    """How a file of separated values is laid out.

    `width` is the number of cells in a row, one more than there are `names` where each row ends
    with a separator. `start` bytes of UTF-8, `lines` lines, stand before the first row. `notes` are
    sentences, without the file's name, of what was decided about its beginning.
    """

    separator: str
    names: list[str]
    width: int
    start: int
    lines: int
    notes: tuple[str, ...] = ()

    def reader(self, lines: Iterable[str]) -> Iterator[list[str]]:
        """The records of lines of text."""
        return _reader(lines, self.separator)


def find_layout(text: Text) -> Layout:
    """How the rows of a file of text are laid out, by its beginning.

    Raises
    ------
    NotUTF8, BadTable
        If its beginning is no text, or it has no header, or something stands above it.
    """
    head, cut = _head(text)
    name, notes = text.source.name, list[str]()
    told = re.match(r'"?sep=(.)"?\r?\n', head)  # Excel writes and obeys it
    if told:
        above, separator = told[0], told[1]
        lines = 1
    else:
        above, separator = _comments(name, head, cut, text.source.path.suffix)
        lines = len(_LINE.findall(above))
        if comments := sum(line.startswith("#") for line in _LINE.findall(above)):
            many = "1 line that begins" if comments == 1 else f"{comments} lines that begin"
            notes.append(f"left out: {many} with '#' above the column names.")
    start = len(above.encode())
    counted = _Counted(io.StringIO(head[len(above) :], newline=""))
    reader = _reader(counted, separator)
    header = next((cells for cells in reader if any(cell.strip() for cell in cells)), None)
    if header is None:
        raise BadTable(f"{name} cannot be read as a CSV table: it has no header.")
    start += counted.bytes
    lines += counted.lines
    quoted = list[bool]()
    rows = _rows(counted.seen(reader, quoted), cut)
    width = len(header)
    if width > 2 and sum(bool(cell.strip()) for cell in header) == 1:
        _refuse_preamble(name, next(cell for cell in header if cell.strip()), width, separator)
    if fault := _header_fault(header):
        notes.append(fault)
    if rows and all(len(row) == width + 1 and not row[-1].strip() for row in rows):
        width += 1  # a separator ends each row
    elif len(rows) > 1 and all(len(row) == width + 1 for row in rows) and _named(rows, quoted):
        header.insert(0, "")  # R writes no name above the names of rows
        width += 1
        notes.append(
            "each row has one value more than the header has names: the first values are taken for "
            "the names of the rows."
        )
    elif rows and width > 1 and not header[-1].strip():
        if all(len(row) < width or not row[-1].strip() for row in rows):
            header.pop()  # one ends the header too
    names = header_names(header)
    check_names(name, names)
    return Layout(separator, names, width, start, lines, tuple(notes))


def _header_fault(names: Sequence[str]) -> str:
    """What to say where the names are more likely the values of a first row."""
    numbers = [name for name in names if _NUMBER.fullmatch(name)]
    if 2 * len(numbers) < len(names) or not any(map(_FRACTION.search, numbers)):
        return ""
    value = shown(next(filter(_FRACTION.search, numbers)))
    return (
        f"its first line, taken for the column names, looks like values, such as {value}. If so, "
        "put a line of names above it."
    )


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
        self._first = ""  # of the lines of a record
        self.lines = self.bytes = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.lines += 1
        self.bytes += len(line.encode())
        self._first = self._first or line
        return line

    def seen(self, records: Iterable[list[str]], quoted: list[bool]) -> Iterator[list[str]]:
        """The records with a value; `quoted` learns whether each begins with a quote."""
        self._first = ""
        for cells in records:
            if any(cell.strip() for cell in cells):
                quoted.append(self._first.lstrip(" ").startswith('"'))
                yield cells
            self._first = ""


def _reader(lines: Iterable[str], separator: str) -> Iterator[list[str]]:
    # cells may have any length; the limit is one for all of a process, and so is only ever raised
    if csv.field_size_limit() < _LONGEST_CELL:
        csv.field_size_limit(_LONGEST_CELL)
    if separator == " ":  # runs of blanks count as one, and so does a tab among them
        lines = (line.rstrip(" \t\r\n").replace("\t", " ") + "\n" for line in lines)
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


def _comments(name: str, head: str, cut: bool, ending: str) -> tuple[str, str]:
    """The lines that begin with ``#`` above a table, and what separates its cells.

    The last of them may be its header: ``#``, or ``# a,b`` as NumPy writes it.
    """
    lines: list[str] = []
    if head.startswith("#"):
        for match in _LINE.finditer(head):
            if not match[0].startswith("#") and match[0].strip():
                break
            lines.append(match[0])
    rest = head[len("".join(lines)) :]
    if not rest.strip():
        return "", _separator(name, head, cut, ending)
    separator = _separator(name, rest, cut, ending)
    if lines:
        last = next(_reader([lines[-1]], separator))
        below = next(_reader([rest.splitlines()[0]], separator))
        values = any(map(_NUMBER.fullmatch, map(str.strip, below)))
        named = len(last) > 1 and not lines[-1].startswith("# ")
        if len(last) == len(below) and (values or named):
            lines.pop()
            separator = _separator(name, head[len("".join(lines)) :], cut, ending)
    return "".join(lines), separator


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
    if usual == ["\t"] and " " in rare and _are_numbers_beside_text(records["\t"]):
        return " "  # as in files of numbers in columns with a tab before the last
    if usual and (not rare or max(fits(mark)[1] for mark in usual) >= 0.5):
        return max(usual, key=fits)
    rare = [mark for mark in rare if fits(mark)[1] > 0.9]
    if rare:
        return max(rare, key=fits)
    if usual:
        return max(usual, key=fits)
    if _is_one_of_numbers(head):
        return next(mark for mark in _USUAL if mark not in head)
    for mark in _USUAL:  # one name in the header: is it one?
        header, *rows = records[mark]
        (width, count), *_ = Counter(map(len, rows)).most_common(1) or [(1, 0)]
        if header and width > 1 and count > 1 and count >= 0.8 * len(rows):
            _refuse_preamble(name, header[0], width, mark)
    return ","


def _are_numbers_beside_text(rows: Sequence[list[str]]) -> bool:
    """Whether what stands before the first tab of each row below the header is several numbers."""
    return len(rows) > 1 and all(_NUMBERS.fullmatch(row[0]) for row in rows[1:])


def _is_one_of_numbers(head: str) -> bool:
    """Whether below a name each line is a number, some with commas: one column, not several."""
    cells = list(filter(None, map(str.strip, head.splitlines())))[1:]
    numbers = [cell for cell in cells if cell not in MISSING]
    return any("," in cell for cell in numbers) and all(map(_WITH_COMMAS.fullmatch, numbers))


def _named(rows: Sequence[list[str]], quoted: Sequence[bool]) -> bool:
    """Whether the rows begin with their names: different quoted texts, or their numbers.

    Else a comma that marks decimals would move the values of each row into other columns.
    """
    firsts = [row[0].strip() for row in rows]
    if all(quoted[: len(rows)]):
        return len(set(firsts)) == len(firsts)
    return any(firsts == list(map(str, range(n, n + len(rows)))) for n in (0, 1))


def _has_numbers(records: Sequence[list[str]]) -> bool:
    """Whether a column holds numbers alone: words between blanks make no table."""
    header, *rows = records
    widths = {len(header), len(header) + 1}
    full = [row for row in rows if len(row) in widths and len(row) == len(rows[0])]
    columns = zip(*full, strict=True)
    return any(all(_NUMBER.fullmatch(cell) for cell in column) for column in columns)


def _refuse_preamble(name: str, title: str, width: int, separator: str) -> None:
    raise BadTable(
        f"{name} must begin with its column names. Got {shown(title)} above a table of {width} "
        "columns. Remove what stands above the names, or quote cells that hold "
        f"{shown(separator)}."
    )
