"""Text and lists of tokens, as numbers of a vocabulary."""

import unicodedata
from typing import Any

import numpy as np

Array = np.ndarray


def words(text: str) -> list[str]:
    """The words of a text in small letters; a mark, or a Chinese character, is one by itself."""
    spaced = []
    for character in text.lower():
        kind = unicodedata.category(character)[0]
        if character in "'\u2019":
            continue
        alone = unicodedata.name(character, "").startswith(("CJK ", "HIRAGANA ", "KATAKANA "))
        if kind == "M" or character == "_" or (kind in "LN" and not alone):
            spaced.append(character)
        else:
            spaced.append(" " if kind in "ZC" else f" {character} ")
    return "".join(spaced).split()


def characters(text: str) -> list[str]:
    """The characters of a text."""
    return list(text)


def tokens(row: Any) -> list[str]:
    """The tokens of a row, a list of words or whole numbers."""
    if isinstance(row, str):
        raise TypeError(f"each of rows must be a list of tokens. Got {row[:40]!r}.")
    return [one if isinstance(one, str) else str(int(one)) for one in row]


def text_of(row: Any) -> str:
    """A text; a missing one is empty."""
    if isinstance(row, str):
        return row
    if str(row) not in ("None", "nan", "<NA>"):
        raise TypeError(f"each of rows must be a text. Got {type(row).__name__}.")
    return ""


def token_numbers(rows: list[list[str]], number: dict[str, int], most: int) -> list[Array]:
    """The number of each token, (T, 1) a row: 1 if it is not known, one 0 where there is none."""
    if not rows:
        raise ValueError("rows must have at least one row. Got none.")
    found = [[number.get(token, 1) for token in row[:most]] or [0] for row in rows]
    return [np.array(row, dtype=np.float64)[:, None] for row in found]


def filled_up(sequences: list[Array], steps: int) -> Array:
    """Sequences (T, 1) as one array (B, steps, 1), with 0 behind their ends."""
    return np.stack([np.pad(x, ((0, steps - len(x)), (0, 0))) for x in sequences])
