"""How a column's values are written as text, learned once and kept for new rows."""

from __future__ import annotations

import re
import unicodedata
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from math import nan

import numpy as np

from pellucid.data.state import State

# signs that stand for others: the minus, a dash, an apostrophe, the Arabic marks of a number
_SIGNS = str.maketrans("\u2212\u2010\u2013\u2014\u2015\u2019\u066b\u066c", "-----'.,")
_UNTIDY = ("\n ", " \n", "  ", "\n\n")  # in lines, of which each is a text
_OTHER_BLANKS = b"\t\v\f\r\x1c\x1d\x1e\x1f"  # of ASCII
_OTHER_BLANK = re.compile(r"[^\S\n ]")
LONGEST = 60  # characters: a longer text is neither a number nor a date


class TextFormat(State, frozen=True):
    """Abstract: a way to write numbers."""

    def value(self, text: str) -> float:
        """The number that a text stands for, NaN if it is not written in this way."""
        return self._value(text) if len(text) <= LONGEST else nan

    @abstractmethod
    def _value(self, text: str) -> float:
        """:meth:`value` of a text that is not too long."""

    def read(self, texts: Iterable[str | None]) -> np.ndarray:
        """The numbers of texts as float64, NaN where a text is missing or stands for none."""
        listed = list(texts)
        known = {text: nan if text is None else self.value(text) for text in set(listed)}
        return np.array([known[text] for text in listed], dtype=np.float64)


def plain(text: str) -> str:
    """`text` with single blanks, without quotes around it, full-width signs as usual ones."""
    if not text.isascii():
        # a raised digit is a footnote, but for that of a square metre
        text = text.replace("m\u00b2", "m2").replace("m\u00b3", "m3")
        text = "".join(map(_usual, text)).translate(_SIGNS)
    text = " ".join(text.split())
    # ="12" and '12 are how a spreadsheet keeps a text
    inner = text.removeprefix("=").removeprefix("'")
    return inner[1:-1].strip() if len(inner) > 1 and inner[0] == inner[-1] == '"' else inner


def _usual(sign: str) -> str:
    raised = unicodedata.category(sign) == "No"
    return sign if raised else unicodedata.normalize("NFKC", sign)


def words(text: str) -> str:
    """`text` with single blanks between words, its accents put together with their letters."""
    text = text if text.isascii() else unicodedata.normalize("NFC", text)
    return " ".join(text.split())


def tidy(text: str) -> str | None:
    """`text` with single blanks between words and none around them; None without words."""
    return words(text) or None


def are_tidy(texts: Sequence[str]) -> bool:
    """Whether :func:`tidy` leaves all texts as they are: sooner told of all than of each."""
    joined = "\n".join(["", *texts, ""])  # each has a line
    if joined.count("\n") > len(texts) + 1 or any(map(joined.__contains__, _UNTIDY)):
        return not texts
    if joined.isascii():
        return len(joined.encode().translate(None, _OTHER_BLANKS)) == len(joined)
    return _OTHER_BLANK.search(joined) is None and unicodedata.is_normalized("NFC", joined)


def all_words(texts: Sequence[str]) -> Sequence[str]:
    """:func:`words` of each text."""
    return texts if are_tidy(texts) else list(map(words, texts))


class TruthFormat(TextFormat, frozen=True):
    """Truth values as most languages write them."""

    def _value(self, text: str) -> float:
        """1 for true, 0 for false."""
        return {"true": 1.0, "false": 0.0}.get(text.strip().lower(), nan)
