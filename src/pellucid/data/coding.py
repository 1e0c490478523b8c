"""A column of text as its different texts, and which of them each row has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np


class Coding(NamedTuple):
    """Different `texts`, and the `codes` of rows: positions among the texts, -1 for a missing one.

    What is done to texts is done to the different ones alone.
    """

    texts: list[str]
    codes: np.ndarray

    @classmethod
    def of(cls, values: Iterable[str | None]) -> Coding:
        """That of texts, of which None is a missing one, in the order in which they first come."""
        listed = list(values)
        texts = [text for text in dict.fromkeys(listed) if text is not None]
        places: dict[str | None, int] = {text: place for place, text in enumerate(texts)}
        places[None] = -1
        return cls(texts, np.fromiter(map(places.__getitem__, listed), np.int64, len(listed)))

    @classmethod
    def joined(cls, parts: Sequence[Coding]) -> Coding:
        """That of rows that follow one another."""
        if len(parts) == 1:
            return parts[0]
        places: dict[str, int] = {}
        codes = [np.empty(0, dtype=np.int64)]
        for texts, part in parts:
            place = [places.setdefault(text, len(places)) for text in texts]
            codes.append(np.array([*place, -1], dtype=np.int64)[part])
        return cls(list(places), np.concatenate(codes))

    def mapped(self, change: Callable[[str], str | None]) -> Coding:
        """The rows with another text in the place of each, None for a missing one."""
        return self.replaced(list(map(change, self.texts)))

    def replaced(self, others: Sequence[str | None]) -> Coding:
        """The same by the other texts, one for each."""
        if others == self.texts:
            return self
        texts = [text for text in dict.fromkeys(others) if text is not None]
        places: dict[str | None, int] = {text: place for place, text in enumerate(texts)}
        places[None] = -1
        return Coding(texts, self.looked_up([places[text] for text in others], -1, np.int64))

    def looked_up(self, values: Sequence[Any] | np.ndarray, missing: Any, dtype: Any) -> np.ndarray:
        """What stands for each row, of which `values` has one for each text."""
        table = np.empty(len(values) + 1, dtype=dtype)
        table[:-1] = values
        table[-1] = missing  # where -1 leads
        return table[self.codes]

    @property
    def values(self) -> np.ndarray:
        """The text of each row as objects, None where it is missing."""
        return self.looked_up(self.texts, None, object)

    def counted(self, used: slice | np.ndarray = slice(None)) -> tuple[np.ndarray, np.ndarray]:
        """Among the rows that are `used`, which texts are there, by position, and how often.

        They are in the order in which they first come.
        """
        codes = self.codes[used]
        counts = np.bincount(codes[codes >= 0], minlength=len(self.texts))
        first = np.full(len(self.texts) + 1, len(codes))
        first[codes[::-1]] = np.arange(len(codes))[::-1]  # of equal ones the last is kept
        there = np.flatnonzero(counts)
        there = there[np.argsort(first[there], kind="stable")]
        return there, counts[there]
