"""What is counted in a column of text, and which of its texts are categories."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.data.column_values import Column
from pellucid.data.text_counts import TextCounts

MAX_CATEGORIES = 100


def used_parts(column: Column, weights: Any) -> Iterator[tuple[Column, slice | np.ndarray, Any]]:
    """A column piece by piece, which of the rows have a weight above 0, and the weights of these.

    `weights` are an array or what is read like one; None is weight 1 in every row.
    """
    for rows, part in column.parts():
        if weights is None:
            yield part, slice(None), None
        else:
            own = np.asarray(weights[rows])
            yield part, own > 0, own[own > 0]


def used_values(column: Column, weights: Any) -> Iterator[np.ndarray]:
    """The numbers of such rows, piece by piece."""
    return (part.values[used] for part, used, _ in used_parts(column, weights))


def text_counts(column: Column, weights: Any) -> tuple[TextCounts, int]:
    """How often each text is there among the rows whose weight is above 0, and how many these are.

    Numbers count as the text that a category of them has.
    """
    counts: dict[str, int] = {}
    rows = 0
    for part, used, _ in used_parts(column, weights):
        coding = part.coded
        there, often = coding.counted(used)
        rows += len(coding.codes[used])
        for place, count in zip(there.tolist(), often.tolist(), strict=True):
            text = coding.texts[place]
            counts[text] = counts.get(text, 0) + count
    return TextCounts.of(counts), rows


@dataclass(frozen=True)
class Totals:
    """Of each text of a column how often it is there, and the sum of the weights of these rows.

    Attributes
    ----------
    counts : dict from str to int
    weights : mapping from str to float
    missing : bool
        Whether a text is missing in a row whose weight is above 0.
    """

    counts: dict[str, int]
    weights: Mapping[str, float]
    missing: bool

    @classmethod
    def of(cls, column: Column, weights: Any) -> Totals:
        """Those of the rows of a column of text whose weight is above 0."""
        counts: dict[str, int] = {}
        sums: dict[str, float] = {}
        missing = False
        for part, used, own in used_parts(column, weights):
            coding = part.coded
            codes = coding.codes[used]
            missing = missing or bool((codes < 0).any())
            there, often = coding.counted(used)
            texts = [coding.texts[place] for place in there.tolist()]
            for text, count in zip(texts, often.tolist(), strict=True):
                counts[text] = counts.get(text, 0) + count
            if own is None:
                continue
            before = np.zeros(len(coding.texts))
            before[there] = [sums.get(text, 0.0) for text in texts]
            # bincount adds in the order of the rows: the same sums everywhere
            after = np.bincount(
                np.concatenate([np.arange(len(before)), codes[codes >= 0]]),
                weights=np.concatenate([before, own[codes >= 0]]),
            )
            sums.update(zip(texts, after[there].tolist(), strict=True))
        return cls(counts, counts if weights is None else sums, missing)

    def heaviest(self, most: int = MAX_CATEGORIES) -> tuple[list[str | None], bool]:
        """The categories in order, None (missing) last, and whether rarer texts were left out."""
        texts = list(self.counts)
        rare = len(texts) > most
        if rare:
            texts.sort(key=lambda text: (-self.weights[text], text))
            del texts[most - 1 :]
        categories: list[str | None] = [*sorted(texts)]
        return categories + [None] * self.missing, rare
