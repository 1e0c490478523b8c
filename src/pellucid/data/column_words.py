"""What became of a column, in phrases: in English here, in the reader's language on a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

PHRASES = {
    "column.always": "{kind}, always {value}, not used",
    "column.categories": "text, {count} categories ({categories})",
    "column.category": "text, 1 category ({categories})",
    "column.cycle": "with its place in the {cycles}",
    "column.date": "{form}, around {date}",
    "column.dates": "dates, around {date}",
    "column.embedding": "text, an embedding of {count} values",
    "column.empty": "no value in any row, not used",
    "column.missing": "missing in some rows",
    "column.number": "number, mean {mean}, standard deviation {deviation}",
    "column.rare": "the rarer ones together",
    "column.written": "{form}, mean {mean}, standard deviation {deviation}",
}
"""English by key; words that quote cells of the training are called "categories" or "value"."""


class Phrase(NamedTuple):
    """One of `PHRASES`, and what stands in it."""

    key: str
    args: dict[str, Any] = {}

    def __str__(self) -> str:
        return PHRASES[self.key].format(**self.args)


def in_words(phrases: Sequence[Phrase]) -> str:
    """The phrases in English, one after the other."""
    return ", ".join(map(str, phrases))
