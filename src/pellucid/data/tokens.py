"""Text and lists of tokens, in any of the forms in which users have them; text as tokens."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.checks import row_words, shown
from pellucid.data.column_values import is_missing, plain_array
from pellucid.data.columns import owner_of, unique_columns

_PICTURES = (
    ".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".pgm", ".tif", ".tiff", ".webp",
)  # fmt: skip
_LOOKED_AT = 100  # so many texts tell whether all are paths of pictures
_BY_THEMSELVES = ("CJK ", "HIRAGANA ", "KATAKANA ")  # how the names of such characters begin


@dataclass(frozen=True, eq=False)
class Texts:
    """Rows of text, each a str, or rows of tokens, each a list of str; a missing row is empty.

    `names` is the name of the column that they were, if they were a table.
    """

    rows: Sequence[Any]
    split: bool
    names: list[str] | None = None

    @property
    def kind(self) -> str:
        """What errors call them."""
        return "lists of tokens" if self.split else "text"


class _Spaced(dict):
    """For each character what stands for it in a text that is then split at its spaces."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        kind = unicodedata.category(character)[0]
        if character in "'\u2019":
            spaced = ""
        elif kind == "M" or character == "_":
            spaced = character
        elif kind in "LN":
            alone = unicodedata.name(character, "").startswith(_BY_THEMSELVES)
            spaced = f" {character} " if alone else character
        elif kind in "ZC":
            spaced = " "
        else:
            spaced = f" {character} "
        self[code] = spaced
        return spaced


_SPACED = _Spaced()


def words(text: str) -> list[str]:
    """The words of a text, in small letters.

    A word is a run of letters, digits and the marks on them, apostrophes left out. A Chinese
    character, or one of Japanese kana, is a word by itself, and so is each other mark, such as "!".
    """
    return text.lower().translate(_SPACED).split()


SPLITTERS: dict[str, Callable[[str], list[str]]] = {"words": words, "characters": list}
"""How a text becomes tokens, by what they are."""


def is_text(X: Any) -> bool:
    """Whether `X` is text, or lists of tokens, by its types alone."""
    import narwhals as nw

    if nw.dependencies.is_into_dataframe(X):
        frame = nw.from_native(X, eager_only=True)
        if frame.shape[1] != 1:
            return False
    array = _listed(X)
    if isinstance(array, np.ndarray):
        if array.ndim != 1 or array.dtype.kind not in "UO":
            return False
        array = array.tolist()
    if not isinstance(array, (list, tuple)) or not len(array):
        return False
    if _all_text(array):
        return True
    rows = [plain_array(row) for row in array]
    if not all(map(_is_list, rows)) or not any(map(len, rows)):
        return False
    return all(isinstance(one, str) for row in rows for one in row)


def _all_text(values: Sequence[Any]) -> bool:
    """Whether there is text, and nothing else but gaps."""
    kinds = {type(value) for value in values if not is_missing(value)}
    return bool(kinds) and all(issubclass(kind, str) for kind in kinds)


def names_pictures(X: Any) -> bool:
    """Whether most of the first texts of `X` end as the names of pictures do, or are files."""
    first = [one for one in _listed(X)[:_LOOKED_AT] if isinstance(one, str)]
    named = [one for one in first if one.lower().endswith(_PICTURES) or _is_file(one)]
    return 2 * len(named) > len(first)


def ends_as_pictures(texts: Sequence[str]) -> bool:
    """Whether most of them end as the names of pictures do."""
    ends = sum(text.lower().endswith(_PICTURES) for text in texts)
    return bool(texts) and 2 * ends > len(texts)


def _listed(X: Any) -> Any:
    """The values of a table's one column, or of a Series; anything else as it is."""
    import narwhals as nw

    if nw.dependencies.is_into_dataframe(X):
        return nw.from_native(X, eager_only=True)[:, 0].to_list()
    if nw.dependencies.is_into_series(X):
        return nw.from_native(X, series_only=True).to_list()
    array = plain_array(X)
    column = isinstance(array, np.ndarray) and array.ndim == 2 and array.dtype.kind in "UO"
    return array[:, 0] if column and array.shape[1] == 1 else array


def _is_file(text: str) -> bool:
    try:
        return len(text) < 1000 and os.path.isfile(text)
    except ValueError:  # no path has a zero in it
        return False


def read_texts(estimator: Any, X: Any) -> Texts:
    """`X` as :class:`Texts`; anything else is a ValueError."""
    import narwhals as nw

    owner, names = owner_of(estimator), None
    if nw.dependencies.is_into_dataframe(X):
        frame = unique_columns(estimator, X)
        if frame.shape[1] != 1:
            raise ValueError(
                f"X of {owner} must be one column of text. Got {frame.shape[1]} columns, "
                f"{shown(frame.columns)}. Pass the one with the text."
            )
        names = None if type(frame.columns[0]) is not str else list(frame.columns)
    values = _listed(X)
    if isinstance(values, np.ndarray) and values.ndim == 3 and values.shape[2] == 1:
        values = values[:, :, 0]
    if isinstance(values, str) or not hasattr(values, "__len__"):
        raise ValueError(
            f"X of {owner} must be texts, or lists of tokens, one a row. Got {shown(X)}. Pass [X] "
            "if it is one text."
        )
    if not len(values):
        raise ValueError(f"X of {owner} must have at least one row. Got none.")
    if all(isinstance(value, str) or is_missing(value) for value in values):
        return Texts(["" if is_missing(value) else _sound(value) for value in values], False, names)
    rows = []
    for position, value in enumerate(values):
        row = plain_array(value)
        if not _is_list(row) or not all(map(_is_token, row)):
            raise ValueError(
                f"X of {owner} must be texts, or lists of tokens, which are words or whole "
                f"numbers. Got {shown(value)} in {row_words(position)}."
            )
        rows.append([_sound(one) if isinstance(one, str) else str(int(one)) for one in row])
    return Texts(rows, True, names)


def _is_list(row: Any) -> bool:
    return isinstance(row, (list, tuple)) or (isinstance(row, np.ndarray) and row.ndim == 1)


def _is_token(value: Any) -> bool:
    if isinstance(value, (str, int, np.integer)):
        return True
    return isinstance(value, (float, np.floating)) and float(value).is_integer()


def _sound(text: str) -> str:
    """`text` as UTF-8 can hold it: half a surrogate pair becomes a question mark."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
