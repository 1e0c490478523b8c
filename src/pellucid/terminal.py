"""Text and tables in a terminal, where a character takes no column, one or two."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

from pellucid.checks import printable

COLUMNS = 80
"""No line is longer, but for a path that is."""

_LONGEST = 40  # columns for a name in the first column of a table
_LARGE = 1e12  # from here on numbers have an exponent
_LEAST = 9  # columns that a shortened name of the header keeps at least, to be told from others
_WORDS = re.compile(r"(\s*)(\S+)")  # with the blanks before them


def width(text: str) -> int:
    """How many columns `text` takes.

    The Unicode tables that Python comes with tell; what wcwidth knows beyond, such as emoji that
    are put together of several characters, is no reason for one more dependency.
    """
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):  # marks on the character before
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def padded(text: str, columns: int, right: bool = False) -> str:
    """`text` with blanks behind it, or before it where it stands to the `right`."""
    blanks = " " * (columns - width(text))
    return blanks + text if right else text + blanks


def shortened(text: str, columns: int) -> str:
    """`text` in so many columns at most: of a longer one the beginning and the end."""
    if width(text) <= columns:
        return text
    room = columns - 3
    tail = _within(text[::-1], room // 2)[::-1]
    return f"{_within(text, room - width(tail))}...{tail}"


def _within(text: str, columns: int) -> str:
    """As much of the beginning of `text` as fits."""
    taken = 0
    for place, character in enumerate(text):
        taken += _columns(character)
        if taken > columns:
            return text[:place]
    return text


def filled(text: str, indent: int = 0, columns: int = COLUMNS) -> str:
    """`text` broken into lines, the second and later ones indented.

    Characters of two columns need no blank to be broken at; a path is left whole, however long it
    is. Blanks within a line stay.
    """
    lines, line = [], ""
    for blank, word in _WORDS.findall(" ".join(text.splitlines())):
        for piece in _pieces(word, columns - indent):
            if line.strip() and width(line + blank + piece) > columns:
                lines.append(line)
                line, blank = " " * indent, ""
            line, blank = line + blank + piece, ""
    return "\n".join([*lines, line])


def _pieces(word: str, most: int) -> list[str]:
    """The parts of a word, of so many columns at `most`, between which a line may be broken."""
    if "/" in word or "\\" in word or (word.isascii() and len(word) <= most):
        return [word]
    if word.isascii():
        return [word[start : start + most] for start in range(0, len(word), most)]
    pieces = [""]
    for before, character in zip(" " + word, word, strict=False):
        wide = 2 in (_columns(before), _columns(character))
        # what ends a phrase does not begin a line, nor does what opens one end it
        if wide and pieces[-1] and character not in "'\".,:;!?)]」』）】，。；：！？、":
            if before not in "'\"([「『（【":
                pieces.append("")
        pieces[-1] += character
    return pieces


def table(rows: Sequence[Sequence[object]], indent: int = 2) -> str:
    """Aligned columns, the first to the left, the others to the right; the header comes first.

    Names in the first column, and then those in the header too, are shortened to fit the page; a
    table of too many columns does not.
    """
    texts = [[printable(str(cell)) for cell in row] for row in rows]
    for limits in _limits():
        cells, widths = _cut(texts, *limits)
        if indent + sum(widths) + 2 * (len(widths) - 1) <= COLUMNS:
            break
    lines = []
    for first, *others in cells:
        line = [padded(first, widths[0])]
        sized = zip(others, widths[1:], strict=True)
        line += [padded(cell, size, right=True) for cell, size in sized]
        lines.append((" " * indent + "  ".join(line)).rstrip())
    return "\n".join(lines)


def fits(text: str) -> bool:
    """Whether no line of `text` is wider than the page."""
    return all(width(line) <= COLUMNS for line in text.split("\n"))


def _limits() -> Iterable[tuple[int, int]]:
    """Columns at most of names below the header's first cell, and of the header's other cells."""
    yield COLUMNS, COLUMNS
    yield from ((columns, COLUMNS) for columns in range(_LONGEST, 12, -1))
    yield from ((columns, columns) for columns in range(12, _LEAST - 1, -1))


def _cut(texts: list[list[str]], first: int, others: int) -> tuple[list[list[str]], list[int]]:
    """The cells with their names shortened, and the widths of the columns."""
    (corner, *header), *body = texts
    cells = [[corner, *(shortened(cell, others) for cell in header)]]
    cells += [[shortened(name, first), *numbers] for name, *numbers in body]
    return cells, [max(map(width, column)) for column in zip(*cells, strict=True)]


def figure(value: Any) -> str:
    """A number with four significant digits; a dash where there is none."""
    if value is None:
        return "-"
    text = f"{float(value):.4g}"
    return f"{float(value):,.0f}" if "e+" in text and abs(value) < _LARGE else text
