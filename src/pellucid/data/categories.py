"""What is counted in a column of text, and which of its texts are categories."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pellucid.data.text_counter import Piece, TextCounter
from pellucid.data.text_format import are_tidy, tidy
from pellucid.data.vocabulary import Vocabulary

MAX_CATEGORIES = 100


def used_parts(column: Any, weights: Any) -> Iterator[tuple[Any, slice | np.ndarray, Any]]:
    """A column piece by piece, which of the rows have a weight above 0, and the weights of these.

    `weights` are an array or what is read like one; None is weight 1 in every row.
    """
    for rows, part in column.parts():
        if weights is None:
            yield part, slice(None), None
        else:
            own = np.asarray(weights[rows])
            yield part, own > 0, own[own > 0]


def used_values(column: Any, weights: Any) -> Iterator[np.ndarray]:
    """The numbers of such rows, piece by piece."""
    return (part.values[used] for part, used, _ in used_parts(column, weights))


class ColumnCounts:
    """How often each text of a column is there in the rows that have weight.

    Numbers count as the text that a category of them has.

    Attributes
    ----------
    rows : int
        How many these are.
    missing : bool
        Whether a text is missing in one of them, or has no words.
    counter : TextCounter
    """

    def __init__(self, column: Any, weights: Any) -> None:
        self._column, self._weights = column, weights
        self.counter, self.rows, self.missing = TextCounter(column.scratch), 0, False
        for part, used, _ in used_parts(column, weights):
            coding = part.coded
            codes = coding.codes[used]
            self.rows += len(codes)
            there, often = coding.counted(used)
            texts = [coding.texts[place] for place in there.tolist()]
            if not self.missing:
                blank = "" in texts or any(map(str.isspace, texts))
                self.missing = blank or bool((codes < 0).any())
            self.counter.add(texts, often)

    def categories(self, most: int = MAX_CATEGORIES) -> tuple[list[str | None], bool]:
        """The categories in order, None (missing) last, and whether rarer texts were left out.

        They are the different texts; of more than `most` the heaviest that are one fewer.
        """
        count, heaviest = 0, list[tuple[float, str]]()
        for piece in self._tidied():
            weights = piece.weights or piece.counts
            count += len(weights)
            pairs = ((-weight, text) for text, weight in weights.items())
            if len(heaviest) == most:
                last = heaviest[-1]
                pairs = (pair for pair in pairs if pair < last)
            heaviest = sorted([*heaviest, *pairs])[:most]
        rare = count > most
        texts = [text for _, text in (heaviest[:-1] if rare else heaviest)]
        return [*sorted(texts), *([None] if self.missing else [])], rare

    def known_to(self, vocabulary: Vocabulary) -> tuple[list[str], int]:
        """Which of the different texts a vocabulary knows, and how many there are."""
        count, known = 0, dict[str, int]()
        for piece in self._tidied():
            count += len(piece.counts)
            known |= {text: piece.counts[text] for text in vocabulary.of(piece.counts)}
        return vocabulary.of(known), count

    def _tidied(self) -> Iterator[Piece]:
        """The texts without the blanks that do not count; each is in one of the pieces alone."""
        for piece in (self.counter if self._weights is None else self._weighted()).pieces():
            if are_tidy(list(piece.counts)):
                yield piece
                continue
            counts, weights = dict[str, int](), dict[str, float]()
            for text, count in piece.counts.items():
                if (tidied := tidy(text)) is not None:
                    counts[tidied] = counts.get(tidied, 0) + count
                    if piece.weights:
                        weights[tidied] = piece.weights[text]
            yield Piece(counts, weights)

    def _weighted(self) -> TextCounter:
        counter = TextCounter(self._column.scratch)
        for part, used, own in used_parts(self._column, self._weights):
            coding = part.tidied().coded
            codes = coding.codes[used]
            there, often = coding.counted(used)
            places = np.empty(len(coding.texts), dtype=np.int64)
            places[there] = np.arange(len(there))
            texts = [coding.texts[place] for place in there.tolist()]
            counter.add(texts, often, places[codes[codes >= 0]], own[codes >= 0])
        return counter
