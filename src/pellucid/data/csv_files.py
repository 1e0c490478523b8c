"""Files of separated values: columns of plain numbers, and text as it stands in the file.

A library's own guess of a column's kind loses what is written: 007 becomes 7, and 1.50 becomes 1.5
where text follows. So a file is first looked through; where nothing in it is doubtful a library
reads it at its full speed, else twice: once as text, to decide, and once as what was decided. What
no library reads as it is written is read cell by cell.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pellucid.checks import shown, warn
from pellucid.data.column_values import is_panic
from pellucid.data.csv_layout import Layout, find_layout
from pellucid.data.csv_libraries import LIBRARIES, TRUTH, LibraryGuess, are_plain
from pellucid.data.encodings import (
    BLOCK,
    NotThisEncoding,
    NotUTF8,
    Text,
    check_utf8,
    encoding_words,
    guessed_encoding,
    marked_encoding,
)
from pellucid.data.tables import MISSING, BadTable, frame_of
from pellucid.memory import check_memory

_MISSING = frozenset(MISSING)
_NOT_WHOLE = re.compile(r"[.eEiInN]")
_NO_THOUSANDS = re.compile(
    r"^(?![ \t]*[+-]?[1-9][0-9]{0,2}\.[0-9]{3}[ \t]*$)[^\n]*[.eEiI]|[0-9]{4}", re.M
)
_WITHOUT_POINT = re.compile(r"^[^.\n]+$", re.M)
_SAFE_DIGITS = 18  # of an integer of 64 bits
_ROWS = 1 << 14  # read at a time
_BLOCK = 1 << 21  # bytes that a library reads at a time
_CARRY = 64  # bytes of a block that are looked at again with the next one
_END = "\0"  # stands behind the last line: a cell of its own, unless a quote is open


class Look(NamedTuple):
    """What looking through a file tells.

    Its rows, at most; whether quotes stand in it; in which columns numbers with zeros before them
    do, -1 for one that is not known; and whether libraries may make other rows than there are.
    """

    rows: int
    quoted: bool
    zeros: frozenset[int]
    odd: bool


class CsvFile:
    """A file of separated values, looked through."""

    def __init__(self, text: Text, whole: bool) -> None:
        self.text = text
        self.layout = find_layout(text)
        self.look = _looked_through(text, self.layout, whole)

    @classmethod
    def of(cls, source: Any, encoding: str | None, whole: bool) -> CsvFile:
        """The file of `source`; its encoding is found, and said, unless it is given."""
        told = encoding or marked_encoding(source)
        try:
            file, notes = cls(Text(source, told or "utf-8"), whole), list[str]()
        except NotUTF8 as fault:
            if told:
                raise BadTable(str(fault)) from None
            guess = guessed_encoding(Text(source, "utf-8"), str(fault))
            try:
                file = cls(Text(source, guess), whole)
            except NotThisEncoding:  # nobody has said that it is
                raise BadTable(str(fault)) from None
            words = f"read as {encoding_words(guess)}. If that is wrong, name its encoding."
            notes = [f"{source.name} is no UTF-8: {words}"]
        notes += [f"{source.name}: {note}" for note in file.layout.notes]
        for note in notes:
            warn(note)
        return file

    def read(self, engine: str, text: Collection[str]) -> Any:
        """The whole table, as a DataFrame of the library `engine`."""
        name, columns = self.text.source.name, len(self.layout.names)
        what = f"{name}, {self.look.rows:,} rows of {columns:,} columns,"
        check_memory(
            what, self.look.rows * columns, np.float64, "Write a part of it into another file."
        )
        frame = self._read_at_once(engine, text)
        if frame is None and (kinds := self._kinds_by_text(engine, text)):
            with self.text.utf8() as file:
                file.read(self.layout.start)
                frame = self._as_kinds(engine, file, kinds)
        if frame is None:
            parts = list(self._parts(_ROWS, self._kinds(text)))
            columns_of = zip(*parts, strict=True)
            arrays = [np.concatenate(column) for column in columns_of]
            parts.clear()
            frame = frame_of(engine, dict(zip(self.layout.names, arrays, strict=True)))
        return frame

    def batches(self, engine: str, text: Collection[str]) -> Callable[[int], Iterator[Any]]:
        """A function that gives DataFrames of at most so many rows, from the first on.

        Their columns are of the kinds that all of the file gives, which is looked through now.
        """
        kinds = self._kinds_by_library(engine, text)
        if kinds is None:
            written = self._kinds(text)
            return lambda rows: (
                frame_of(engine, dict(zip(self.layout.names, arrays, strict=True)))
                for arrays in self._parts(rows, written)
            )
        return lambda rows: self._batches_by_library(engine, rows, kinds)

    def _batches_by_library(
        self, engine: str, rows: int, kinds: Mapping[str, str]
    ) -> Iterator[Any]:
        import narwhals as nw

        for block in self._blocks():
            read = self._as_kinds(engine, io.BytesIO(block), kinds)
            if read is None:
                raise BadTable(f"{self.text.source.name} cannot be read: it changed meanwhile.")
            frame = nw.from_native(read, eager_only=True)
            for start in range(0, len(frame), rows):
                yield frame[start : start + rows].to_native()

    def _read_at_once(self, engine: str, text: Collection[str]) -> Any:
        """What the library reads by itself, or None where that may not be what is written."""
        known = self._known_text(text)
        if self.look.odd or known is None:
            return None
        types = dict.fromkeys(known, "text")
        place = self._place() if engine == "pandas" else None
        if place is not None:  # from which pandas reads by all processors
            frame = self._by_library(engine, place, types)
        else:
            with self.text.utf8() as file:
                file.read(self.layout.start)
                frame = self._by_library(engine, file, types)
        if frame is None:
            return None
        guess = LibraryGuess(known)
        rows = None if self.look.quoted else self.look.rows
        if not guess.holds(frame, rows) or guess.kinds() is None:
            return None
        full = not guess.last_has_gaps or self._is_full(len(frame))
        return frame if full else None

    def _place(self) -> Path | None:
        """Where a library finds the rows by itself, in UTF-8 below one line of names; else None."""
        text, layout = self.text, self.layout
        if text.encoding != "utf-8" or text.mark or layout.lines != 1:
            return None
        with text.source.open() as file:
            quoted = b'"' in file.read(layout.start)
        return None if quoted else text.source.file

    def _kinds_by_library(self, engine: str, text: Collection[str]) -> dict[str, str] | None:
        """What each column is in all parts of the file, by a library; None where in doubt."""
        kinds, known = None, self._known_text(text)
        if known is not None:
            kinds = self._guessed(engine, LibraryGuess(known), dict.fromkeys(known, "text"))
        return kinds or self._kinds_by_text(engine, text)

    def _known_text(self, text: Collection[str]) -> set[str] | None:
        """The columns that are text before a library guesses; None where zeros may be in any."""
        zeros = self.look.zeros
        if zeros and (self.look.quoted or not zeros <= set(range(len(self.layout.names)))):
            return None
        return {*text, *(self.layout.names[place] for place in zeros)}

    def _kinds_by_text(self, engine: str, text: Collection[str]) -> dict[str, str] | None:
        """The same by the text of all cells."""
        names = self.layout.names
        return self._guessed(engine, _TextGuess(names, text), dict.fromkeys(names, "text"))

    def _guessed(
        self, engine: str, guess: LibraryGuess | _TextGuess, known: Mapping[str, str]
    ) -> dict[str, str] | None:
        quoted = self.look.quoted
        # of a quoted cell that a part cuts off pandas alone does not make one that ends there
        if self.look.odd or (quoted and engine != "pandas"):
            return None
        for block in self._blocks():
            frame = self._by_library(engine, io.BytesIO(block), known)
            rows = block.count(b"\n") + (not block.endswith(b"\n"))
            if frame is None or not guess.holds(frame, None if quoted else rows):
                return None
        if guess.last_has_gaps and not self._is_full(self.look.rows):
            return None
        return guess.kinds()

    def _blocks(self) -> Iterator[bytes]:
        """The rows as bytes, some whole lines at a time, in which quotes are closed again."""
        with self.text.utf8() as file:
            file.read(self.layout.start)
            while block := file.read(_BLOCK):
                block += file.readline()
                while self.look.quoted and block.count(b'"') % 2 and (line := file.readline()):
                    block += line
                yield block

    def _by_library(self, engine: str, file: Any, kinds: Mapping[str, str]) -> Any:
        """Rows as the library reads them, some columns as these kinds; None where it cannot."""
        layout = self.layout
        if layout.separator == " " or layout.width != len(layout.names):
            return None
        known = {name: kinds[name] for name in layout.names if name in kinds}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # pandas only warns of rows longer than the header
                return LIBRARIES[engine](file, layout, self.look.quoted, known)
        except (MemoryError, PermissionError, FileNotFoundError):
            raise
        except BaseException as error:
            # what polars raises when its Rust code panics is no Exception
            if not (isinstance(error, Exception) or is_panic(error)):
                raise
            return None  # why is told by reading it cell by cell

    def _as_kinds(self, engine: str, file: Any, kinds: Mapping[str, str]) -> Any:
        """Rows as the library reads them, all columns as these kinds; None where it cannot."""
        import narwhals as nw

        truth = [name for name, kind in kinds.items() if kind == "truth"]  # it may have gaps
        kinds = {
            name: "text" if kind in ("truth", "empty") else kind for name, kind in kinds.items()
        }
        frame = self._by_library(engine, file, kinds)
        if frame is None or not truth:
            return frame
        table = nw.from_native(frame, eager_only=True)
        # a missing cell is NaN or None
        cells = {name: map(TRUTH.get, table[name].to_list()) for name in truth}
        values = frame_of(engine, {name: _objects(list(c)) for name, c in cells.items()})
        columns = nw.from_native(values, eager_only=True).iter_columns()
        return table.with_columns(*columns).to_native()

    def _is_full(self, rows: int) -> bool:
        """Whether all rows have as many values as the header has names, if that can be counted."""
        if self.look.quoted or len(self.layout.names) == 1:  # is an empty line a row or none?
            return False
        mark, count = ord(self.layout.separator), 0
        with self.text.utf8() as file:
            file.read(self.layout.start)
            while block := file.read(BLOCK):
                count += int(np.count_nonzero(np.frombuffer(block, np.uint8) == mark))
        return count == rows * (self.layout.width - 1)

    def _kinds(self, text: Collection[str]) -> list[str]:
        """What each column is: "integer", "number", "truth", "text" or "empty"."""
        columns = [_Cells(name in text) for name in self.layout.names]
        short = first = count = 0
        for rows, lines in self._records(_ROWS):
            count += len(rows)
            for column, cells in zip(columns, self._columns(rows), strict=True):
                there = [cell for cell in cells if cell is not None]
                column.see(there, len(there) < len(cells))
            for row, line in zip(rows, lines, strict=True):
                if len(row) < len(self.layout.names):
                    short, first = short + 1, first or line
        if not count:
            name = self.text.source.name
            raise BadTable(f"{name} must have at least one row below its header. Got none.")
        if short == count > 1:
            self._refuse(
                f"each of its {count:,} rows is shorter than its header, which has "
                f"{len(self.layout.names)} names"
            )
        if short:
            many = "1 row is" if short == 1 else f"{short:,} rows are"
            warn(
                f"{self.text.source.name}: {many} shorter than the header, the first in line "
                f"{first}. The values that are not there count as missing."
            )
        return [column.kind() for column in columns]

    def _parts(self, rows: int, kinds: Sequence[str]) -> Iterator[list[np.ndarray]]:
        for records, _ in self._records(rows):
            columns = zip(kinds, self._columns(records), strict=True)
            yield [_array(kind, cells) for kind, cells in columns]

    def _columns(self, rows: Sequence[list[str]]) -> list[list[str | None]]:
        """The cells column by column, None where one is missing."""
        width, count = self.layout.width, len(self.layout.names)
        if set(map(len, rows)) != {width}:
            rows = [row + [""] * (width - len(row)) for row in rows]
        columns = list(zip(*rows, strict=True))[:count]
        return [[None if cell in _MISSING else cell for cell in column] for column in columns]

    def _records(self, most: int) -> Iterator[tuple[list[list[str]], list[int]]]:
        """Rows of cells and the lines in which they end, at most so many at a time.

        Rows without any value at the end of the file are none.
        """
        layout, rows, lines = self.layout, list[list[str]](), list[int]()
        pending: list[tuple[list[str], int]] = []  # rows without a value
        with self.text.characters() as file:
            file.buffer.read(layout.start)
            reader: Any = layout.reader(_with_end(file))
            for row in reader:
                if row == [_END]:
                    break
                if not row or (len(row) == 1 < layout.width and not row[0].strip()):
                    continue
                line = layout.lines + reader.line_num
                if row[-1].endswith(_END):
                    self._refuse("a quote is opened and never closed")
                if len(row) > layout.width or (len(row) > len(layout.names) and row[-1].strip()):
                    count = len(layout.names)
                    raise BadTable(
                        f"{self.text.source.name} cannot be read as a CSV table: line {line} has "
                        f"{len(row)} values, and the header has {count} name{'s'[: count != 1]}. "
                        f"Quote cells that hold {shown(layout.separator)}."
                    )
                if not (row[0] or row[-1]) and not any(map(str.strip, row)):
                    pending.append((row, line))
                    continue
                for empty, number in pending:
                    rows.append(empty)
                    lines.append(number)
                pending.clear()
                rows.append(row)
                lines.append(line)
                if len(rows) >= most:
                    yield rows[:most], lines[:most]
                    rows, lines = rows[most:], lines[most:]
        while rows:
            yield rows[:most], lines[:most]
            rows, lines = rows[most:], lines[most:]

    def _refuse(self, reason: str) -> None:
        raise BadTable(f"{self.text.source.name} cannot be read as a CSV table: {reason}.")


def _with_end(lines: Iterator[str]) -> Iterator[str]:
    """The lines, the last one ended, and a line that no file has."""
    line = "\n"
    for line in lines:
        yield line
    if not line.endswith(("\n", "\r")):
        yield "\n"
    yield _END


def _looked_through(text: Text, layout: Layout, whole: bool) -> Look:
    """Look through a file, which must be text to its last byte.

    The libraries differ in what they do with other bytes: one makes them up, one is silent. Where
    it is to be read `whole`, what is unpacked must fit into memory.
    """
    name, check, zeros = text.source.name, check_utf8(text), _Zeros(layout.separator)
    size = ends = quotes = 0
    mac = False
    carry = b"\n" * _CARRY
    with text.utf8() as file:
        check(file.read(layout.start))
        while block := file.read(BLOCK):
            check(block)
            if b"\0" in block:
                raise BadTable(f"{name} must be a CSV file. Got binary content.")
            size += len(block)
            codes = np.frombuffer(block, np.uint8)
            ends += int(np.count_nonzero(codes == 10))
            if b'"' in block:
                quotes += int(np.count_nonzero(codes == 34))
            window = carry + block
            line = window.rfind(b"\n", 0, -_CARRY)  # a cell's column is told by its line
            carry = window[line if line >= len(window) - BLOCK else -_CARRY :]
            mac = mac or _ends_as_on_a_mac(window)
            zeros.see(window)
            if whole and text.source.packed and not size % (BLOCK << 8):
                check_memory(f"{name}, unpacked,", size, np.uint8, "Write a part of it out.")
        check(b"")
    if not size:
        raise BadTable(f"{name} must have at least one row below its header. Got none.")
    last_line = carry.rstrip(b"\r\n").rpartition(b"\n")[2]
    empty = not last_line.strip(b' "\t\r' + layout.separator.encode())
    zeros.see(carry + b"\n")
    odd = mac or empty or quotes % 2
    return Look(ends + (carry[-1:] != b"\n"), quotes > 0, frozenset(zeros.columns), bool(odd))


def _ends_as_on_a_mac(window: bytes) -> bool:
    """Whether a line ends with a carriage return alone."""
    count = window.count(b"\r") - window.endswith(b"\r") if b"\r" in window else 0
    return count > 0 and count != window.count(b"\r\n")


class _Zeros:
    """Finds numbers with zeros before them, such as 007, in text of which each line is a row.

    `columns` are the positions of those in which there is one, -1 where its line is too long.
    """

    def __init__(self, separator: str) -> None:
        self.columns: set[int] = set()
        self._separator = separator.encode()
        self._mark = ord(separator)
        self._blanks = b" \t".replace(self._separator, b"")
        mark = re.escape(self._separator)
        self._number = re.compile(
            rb'[\n\r"' + mark + rb"][ \t]*[+-]?0[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?[ \t]*"
            rb'["\r\n' + mark + rb"]"
        )

    def see(self, window: bytes) -> None:
        """Learn of a part of the text that begins before a cell."""
        codes = np.frombuffer(window, np.uint8)
        before = codes[:-2]
        edge = before < 46  # a separator, quote, sign, blank or line end; no point, slash or digit
        if self._mark >= 46:
            edge |= before == self._mark
        edge &= codes[1:-1] == 48
        edge &= codes[2:] - np.uint8(48) < 10
        for place in np.flatnonzero(edge).tolist():
            head = window[max(0, place - _CARRY) : place + 1].rstrip(b"+-").rstrip(self._blanks)
            begin = max(0, place - _CARRY) + len(head) - 1
            if self._number.match(window, begin):
                line = window.rfind(b"\n", 0, begin + 1)
                column = window.count(self._separator, line, begin + 1) if line >= 0 else -1
                self.columns.add(column)


class _Cells:
    """What is known of a column so far, from its cells as they stand in the file."""

    def __init__(self, text: bool) -> None:
        self._text = text
        self._plain = self._truth = not text
        self._whole = True  # no cell with a point, none missing, none too large
        self._thousands = True  # each point stands before three digits
        self._pointed = self._pointless = self._any = self._holes = False

    def see(self, there: Sequence[str], holes: bool) -> None:
        """Learn of more cells that are not missing, and whether others are."""
        self._any = self._any or bool(there)
        self._holes = self._holes or holes
        if not there:
            return
        self._truth = self._truth and all(cell in TRUTH for cell in there)
        self._plain = self._plain and are_plain(there)
        if self._plain:
            column = "\n".join(there)
            fits = max(map(len, there)) <= _SAFE_DIGITS
            self._whole = self._whole and fits and not _NOT_WHOLE.search(column)
            self._thousands = self._thousands and not _NO_THOUSANDS.search(column)
            self._pointed = self._pointed or "." in column
            self._pointless = self._pointless or bool(_WITHOUT_POINT.search(column))

    def kind(self) -> str:
        """What the column is."""
        if self._text:
            return "text"
        if not self._any:
            return "empty"
        if self._truth:
            return "truth"
        # 950 and 27.317 in a column: thousands, or a number without its zeros? It stays as it is
        if not self._plain or (self._thousands and self._pointed and self._pointless):
            return "text"
        return "integer" if self._whole and not self._holes else "number"


class _TextGuess:
    """What columns are by the text of all their cells, which a library has read in parts."""

    def __init__(self, names: Sequence[str], text: Collection[str]) -> None:
        self._columns = {name: _Cells(name in text) for name in names}
        self.last_has_gaps = False

    def holds(self, frame: Any, rows: int | None) -> bool:
        """Learn of a frame, of so many `rows` if that is known; whether it has them."""
        import narwhals as nw

        table = nw.from_native(frame, eager_only=True)
        for name, column in self._columns.items():
            there = table[name].drop_nulls().to_list()
            holes = len(there) < len(table)
            column.see(there, holes)
        self.last_has_gaps = self.last_has_gaps or holes
        return rows is None or len(table) == rows

    def kinds(self) -> dict[str, str]:
        """What each column is."""
        return {name: column.kind() for name, column in self._columns.items()}


def _array(kind: str, cells: Sequence[str | None]) -> np.ndarray:
    """The cells of a column of this kind; None is a missing one, NaN among numbers."""
    if kind == "integer":
        return np.array([int(cell) for cell in cells if cell is not None], dtype=np.int64)
    if kind == "number":
        return np.array([np.nan if cell is None else float(cell) for cell in cells])
    return _objects([cell and TRUTH[cell] for cell in cells] if kind == "truth" else cells)


def _objects(values: Sequence[Any]) -> np.ndarray:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array
