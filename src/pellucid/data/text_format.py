"""How a column's values are written as text, learned once and kept for new rows."""

from __future__ import annotations

import unicodedata
from abc import abstractmethod
from collections.abc import Iterable
from math import nan

import numpy as np

from pellucid.data.state import State

# signs that stand for others: the minus, a dash, an apostrophe, the Arabic marks of a number
_SIGNS = str.maketrans({"\u2212": "-", "\u2013": "-", "\u2019": "'", "\u066b": ".", "\u066c": ","})


class TextFormat(State, frozen=True):
    """Abstract: a way to write numbers."""

    @abstractmethod
    def value(self, text: str) -> float:
        """The number that a text stands for, NaN if it is not written in this way."""

    def read(self, texts: Iterable[str | None]) -> np.ndarray:
        """The numbers of texts as float64, NaN where a text is missing or stands for none."""
        known: dict[str | None, float] = {None: nan}
        values = []
        for text in texts:
            if text not in known:
                known[text] = self.value(text)  # type: ignore[arg-type]  # None is known
            values.append(known[text])
        return np.array(values, dtype=np.float64)


def plain(text: str) -> str:
    """`text` without the blanks around it, and with full-width signs as usual ones."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).translate(_SIGNS)
    return text.strip()


class TruthFormat(TextFormat, frozen=True):
    """Truth values as most languages write them."""

    def value(self, text: str) -> float:
        """1 for true, 0 for false."""
        return {"true": 1.0, "false": 0.0}.get(text.strip().lower(), nan)
