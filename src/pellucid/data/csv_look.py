"""Looking through a file of separated values, before a library is trusted with it."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from pellucid.data.csv_layout import Layout
from pellucid.data.encodings import BLOCK, Text, check_utf8
from pellucid.data.tables import BadTable, NoRows
from pellucid.memory import check_memory

_CARRY = 64  # bytes of a block that are looked at again with the next one


class Look(NamedTuple):
    """What looking through a file tells.

    Its rows, at most; whether quotes stand in it; in which columns numbers with zeros before them
    do, -1 for one that is not known; and whether libraries may make other rows than there are.
    """

    rows: int
    quoted: bool
    zeros: frozenset[int]
    odd: bool


def looked_through(text: Text, layout: Layout, whole: bool) -> Look:
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
        raise NoRows(name, layout.names)
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
