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
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.checks import shown, warn
from pellucid.data.column_values import is_panic
from pellucid.data.csv_layout import find_layout
from pellucid.data.csv_libraries import LIBRARIES, TRUTH, LibraryGuess, are_plain
from pellucid.data.csv_look import looked_through
from pellucid.data.encodings import (
    BLOCK,
    NotThisEncoding,
    NotUTF8,
    Text,
    encoding_words,
    guessed_encoding,
    marked_encoding,
)
from pellucid.data.tables import MISSING, BadTable, NoRows, frame_of
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
_LONGEST_BLOCK = 1 << 24  # bytes that are held where a quote stays open
_END = "\0"  # stands behind the last line: a cell of its own, unless a quote is open


class CsvFile:
    """A file of separated values, looked through."""

    def __init__(self, text: Text, whole: bool) -> None:
        self.text = text
        self.layout = find_layout(text)
        self.look = looked_through(text, self.layout, whole)

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
            kinds = self._kinds(text)
            parts = list(self._parts(_ROWS, [kinds[name] for name in self.layout.names]))
            columns_of = zip(*parts, strict=True)
            arrays = [np.concatenate(column) for column in columns_of]
            parts.clear()
            frame = frame_of(engine, dict(zip(self.layout.names, arrays, strict=True)))
        return frame

    def frames(self, engine: str, rows: int, kinds: Mapping[str, str]) -> Iterator[Any]:
        """DataFrames of so many rows, all but the last, read by the library as these kinds."""
        import narwhals as nw

        waiting: list[Any] = []
        count = 0
        for block in self._blocks():
            read = self._as_kinds(engine, io.BytesIO(block), kinds)
            if read is None:  # some libraries read +4 as no number, or 4 with a blank behind it
                read = self._as_kinds(engine, io.BytesIO(block), kinds, ("integer", "number"))
            if read is None:
                raise BadTable(f"{self.text.source.name} cannot be read: it changed meanwhile.")
            waiting.append(nw.from_native(read, eager_only=True))
            count += len(waiting[-1])
            if count < rows:
                continue
            frame = nw.concat(waiting) if len(waiting) > 1 else waiting[0]
            whole = count - count % rows
            for start in range(0, whole, rows):
                yield frame[start : start + rows].to_native()
            count -= whole
            waiting = [frame[whole:]] if count else []
        if count:
            yield (nw.concat(waiting) if len(waiting) > 1 else waiting[0]).to_native()

    def frames_by_cells(self, engine: str, rows: int, kinds: Mapping[str, str]) -> Iterator[Any]:
        """The same, read cell by cell."""
        names, types = self.layout.names, {"text": str, "truth": bool}
        known = {name: types.get(kind) for name, kind in kinds.items()}
        for arrays in self._parts(rows, [kinds[name] for name in names]):
            yield frame_of(engine, dict(zip(names, arrays, strict=True)), known)

    def _read_at_once(self, engine: str, text: Collection[str]) -> Any:
        """What the library reads by itself, or None where that may not be what is written."""
        known = self.known_text(text)
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

    def known_text(self, text: Collection[str]) -> set[str] | None:
        """The columns that are text before a library guesses; None where zeros may be in any."""
        zeros = self.look.zeros
        if zeros and (self.look.quoted or not zeros <= set(range(len(self.layout.names)))):
            return None
        return {*text, *(self.layout.names[place] for place in zeros)}

    def _kinds_by_text(self, engine: str, text: Collection[str]) -> dict[str, str] | None:
        """What each column is by the text of all cells, read by a library; None where in doubt."""
        guess = TextGuess(self.layout.names, text)
        return guess.kinds() if self.seen_by(engine, guess, self.as_text) else None

    @property
    def as_text(self) -> dict[str, str]:
        """All columns as text."""
        return dict.fromkeys(self.layout.names, "text")

    def seen_by(
        self, engine: str, guess: LibraryGuess | TextGuess, known: Mapping[str, str]
    ) -> bool:
        """Let `guess` learn of all rows as the library reads them; whether none is in doubt."""
        quoted = self.look.quoted
        # of a quoted cell that a part cuts off pandas alone does not make one that ends there
        if self.look.odd or (quoted and engine != "pandas"):
            return False
        for block in self._blocks():
            frame = self._by_library(engine, io.BytesIO(block), known) if block else None
            rows = block.count(b"\n") + (not block.endswith(b"\n"))
            if frame is None or not guess.holds(frame, None if quoted else rows):
                return False
        return not guess.last_has_gaps or self._is_full(self.look.rows)

    def _blocks(self) -> Iterator[bytes]:
        """The rows as bytes, some whole lines at a time, in which quotes are closed again.

        If they stay open for more than is held of a file, the last block is empty.
        """
        with self.text.utf8() as file:
            file.read(self.layout.start)
            while block := file.read(_BLOCK):
                pieces = [block, file.readline()]
                size, open_ = sum(map(len, pieces)), sum(map(_quotes, pieces)) % 2
                while self.look.quoted and open_ and (line := file.readline()):
                    pieces.append(line)
                    size, open_ = size + len(line), (open_ + _quotes(line)) % 2
                    if size > _LONGEST_BLOCK:
                        yield b""
                        return
                yield b"".join(pieces)

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

    def _as_kinds(
        self, engine: str, file: Any, kinds: Mapping[str, str], ours: Collection[str] = ()
    ) -> Any:
        """Rows as the library reads them, all columns as these kinds; None where it cannot.

        Cells of truth values, which may have gaps, and of the kinds that are `ours` are read as
        text by the library.
        """
        import narwhals as nw

        text = {"truth", "empty", *ours}
        types = {name: "text" if kind in text else kind for name, kind in kinds.items()}
        frame = self._by_library(engine, file, types)
        cells = {name: kind for name, kind in kinds.items() if kind in text - {"empty"}}
        if frame is None or not cells:
            return frame
        table = nw.from_native(frame, eager_only=True)
        columns = {}
        for name, kind in cells.items():  # a missing cell is NaN or None
            column = [cell if isinstance(cell, str) else None for cell in table[name].to_list()]
            try:
                columns[name] = _array(kind, column)
            except (ValueError, KeyError, OverflowError):
                return None
        truth = {name: bool for name, kind in cells.items() if kind == "truth"}
        values = frame_of(engine, columns, truth)
        return table.with_columns(
            *nw.from_native(values, eager_only=True).iter_columns()
        ).to_native()

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

    def _kinds(self, text: Collection[str]) -> dict[str, str]:
        """What each column is: "integer", "number", "truth", "text" or "empty"."""
        columns = {name: Cells(name in text) for name in self.layout.names}
        self.see_cells(columns)
        return {name: column.kind() for name, column in columns.items()}

    def see_cells(self, columns: Mapping[str, Cells]) -> int:
        """Let the `columns` learn of all cells as they stand in the file; how many rows it has."""
        short = first = count = 0
        for rows, lines in self._records(_ROWS):
            count += len(rows)
            for name, cells in zip(self.layout.names, self._columns(rows), strict=True):
                there = [cell for cell in cells if cell is not None]
                columns[name].see(there, len(there) < len(cells))
            for row, line in zip(rows, lines, strict=True):
                if len(row) < len(self.layout.names):
                    short, first = short + 1, first or line
        if not count:
            name = self.text.source.name
            raise NoRows(name, self.layout.names)
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
        return count

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


def _quotes(block: bytes) -> int:
    return block.count(b'"')


def _with_end(lines: Iterator[str]) -> Iterator[str]:
    """The lines, the last one ended, and a line that no file has."""
    line = "\n"
    for line in lines:
        yield line
    if not line.endswith(("\n", "\r")):
        yield "\n"
    yield _END


class Cells:
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


class TextGuess:
    """What columns are by the text of all their cells, which a library has read in parts."""

    def __init__(self, names: Sequence[str], text: Collection[str]) -> None:
        self._columns = {name: Cells(name in text) for name in names}
        self.last_has_gaps, self.rows = False, 0

    def holds(self, frame: Any, rows: int | None) -> bool:
        """Learn of a frame, of so many `rows` if that is known; whether it has them."""
        import narwhals as nw

        table = nw.from_native(frame, eager_only=True)
        for name, column in self._columns.items():
            there = table[name].drop_nulls().to_list()
            column.see(there, len(there) < len(table))
        last = table[table.columns[-1]]  # of this file
        self.last_has_gaps = self.last_has_gaps or bool(last.is_null().any())
        self.rows += len(table)
        return rows is None or len(table) == rows

    def kinds(self) -> dict[str, str]:
        """What each column is."""
        return {name: column.kind() for name, column in self._columns.items()}


def _array(kind: str, cells: Sequence[str | None]) -> np.ndarray:
    """The cells of a column of this kind; None is a missing one, NaN among numbers."""
    if kind == "integer":
        return np.array([int(cell or "") for cell in cells], dtype=np.int64)
    if kind == "number":
        return np.array([np.nan if cell is None else float(cell) for cell in cells])
    return _objects([cell and TRUTH[cell] for cell in cells] if kind == "truth" else cells)


def _objects(values: Sequence[Any]) -> np.ndarray:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array
