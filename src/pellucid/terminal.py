"""Text in a terminal, where a character takes no column, one or two."""

from __future__ import annotations

import re
import unicodedata

COLUMNS = 80
"""No line is longer, but for a path or a word that is."""

# A place where a line may be broken: a blank, or beside a character of two columns, as in Chinese.
_BLANKS = re.compile(r"\s+")


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

    A word that is too long is left whole, as a path must be; characters of two columns need no
    blank to be broken at. Blanks at the beginning stay.
    """
    body = text.lstrip(" ")
    lines, line = [], " " * (len(text) - len(body))
    blank = ""  # between the word before and the next
    for word in _BLANKS.split(body.rstrip()):
        for piece in _pieces(word):
            if line.strip() and width(line + blank + piece) > columns:
                lines.append(line)
                line, blank = " " * indent, ""
            line, blank = line + blank + piece, ""
        blank = " "
    return "\n".join([*lines, line])


def _pieces(word: str) -> list[str]:
    """The parts of a word between which a line may be broken."""
    if word.isascii() or "/" in word or "\\" in word:
        return [word]
    pieces = [""]
    for before, character in zip(" " + word, word, strict=False):
        wide = 2 in (_columns(before), _columns(character))
        # what ends a phrase does not begin a line, nor does what opens one end it
        if wide and pieces[-1] and character not in "'\".,:;!?)]」』）】，。；：！？、":
            if before not in "'\"([「『（【":
                pieces.append("")
        pieces[-1] += character
    return pieces
