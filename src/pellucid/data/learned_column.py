"""What was learned of a column of a table, and how a column of new rows is read by it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from pellucid.checks import others_by_all_rows, row_words, shown
from pellucid.data.cell_warnings import Cells, warn_of
from pellucid.data.coding import Coding
from pellucid.data.column_values import Column
from pellucid.data.columns import check_finite, owner_of
from pellucid.data.date_format import DateFormat
from pellucid.data.number_format import NumberFormat, digits_of_codes
from pellucid.data.text_columns import Format, is_blank
from pellucid.data.text_format import TextFormat, TruthFormat

_FEWEST = 20  # rows: fewer do not tell whether a column of new rows is another one
# Numbers are in another unit if they are so many standard deviations off and so many times as
# large; or if they are a little off, and so close to one another as much smaller ones are.
_FAR, _TIMES = 6.0, 30.0
_OFF, _NARROW = 1.5, 0.05
_SHOWN = 3  # numbers
_REMEMBERED = 1 << 16  # texts
_WORDS = {
    "number": "numbers",
    "boolean": "truth values",
    "time": "dates",
    "text": "text",
    "empty": "missing values only",
}
_USUAL: dict[str, TextFormat] = {
    "number": NumberFormat(),
    "time": DateFormat(),
    "boolean": TruthFormat(),
}


@dataclass(frozen=True)
class LearnedColumn:
    """A column of training: what it is called, what it is, and how it was written.

    Parameters
    ----------
    name : str
    kind : {"number", "boolean", "time", "text", "empty"}
    format : NumberFormat, DateFormat or None
        How its numbers or dates were written, if they were text.
    categories : sequence of str or None
        The texts of a column of text.
    rare : bool
        Whether texts that are none of these share a category.
    mean, spread : float
        Of numbers; the spread is 0 if they were constant.
    gaps : bool
        Whether a number was missing.
    """

    name: str
    kind: str
    format: Format | None
    categories: Sequence[str | None] = ()
    rare: bool = False
    mean: float = 0.0
    spread: float = 0.0
    gaps: bool = False

    def read(self, estimator: Any, column: Column, place: str) -> Column:
        """A column of new rows as one of this kind.

        Cells that cannot be read count as missing and are warned of. A column of another kind is a
        ValueError, which calls it `place`.
        """
        known = self.kind
        if column.kind == "number" and (known == "text" or self.format == DateFormat("digits")):
            column = Column.of_texts(column.coded)
        if column.kind == "text" and known == "text":
            column = Column.of_texts(self._padded(column.tidied().coded))
            self._warn_of_unseen(column.coded)
        elif column.kind == "text" and known in _USUAL:
            column = self._from_text(column)
        check_kind(estimator, column, place, known, self.format)
        if known in _USUAL:
            self._warn_of_others(column)
        return column

    def _padded(self, coding: Coding) -> Coding:
        """Texts with the zeros in front of codes, which other programs may have dropped."""
        if width := digits_of_codes(self.categories):
            return coding.mapped(lambda text: text.zfill(width) if text.isdecimal() else text)
        return coding

    def _from_text(self, column: Column) -> Column:
        """Text as the numbers, dates or truth values that were learned; the rest is missing."""
        texts = column.values.tolist()
        values = read_numbers(column, self.format or _USUAL[self.kind])
        lost = {
            place: texts[place]
            for place in np.flatnonzero(np.isnan(values)).tolist()
            if texts[place] is not None and not is_blank(texts[place])
        }
        others, there = others_by_all_rows(), int(np.count_nonzero(~np.isnan(values)))
        if others is None:
            another = is_another_column(len(values), there, len(lost))
        else:
            another = bool(lost) and self.name in others
        if another:  # the error names one of these cells
            return Column("text", np.array([lost.get(i) for i in range(len(texts))], dtype=object))
        self._warn(self.kind, lost, len(texts))
        return Column(self.kind, values)

    def _warn_of_unseen(self, coding: Coding) -> None:
        if not self.rare:  # else they are taken for rare ones
            known = set(self.categories)
            unknown = coding.looked_up([text not in known for text in coding.texts], False, bool)
            rows = np.flatnonzero(unknown).tolist()
            codes = coding.codes[rows].tolist()
            unseen = {row: coding.texts[code] for row, code in zip(rows, codes, strict=True)}
            self._warn("unseen", unseen, len(coding.codes))

    def _warn(self, fate: str, texts: dict[int, str], cells: int) -> None:
        """Warn of cells whose `texts`, by position, could not be taken."""
        if texts:
            row = row_words(next(iter(texts)))
            warn_of(Cells.among(self.name, fate, list(texts.values()), cells, row))

    def _warn_of_others(self, column: Column) -> None:
        """Warn of numbers in another unit than in training, and of gaps where there were none."""
        there = column.values[~np.isnan(column.values)]
        rows, known = len(column.values), len(there)
        if others_by_all_rows() is None:
            many = rows >= _FEWEST and 2 * known < rows
        else:  # by all rows it is said or not
            many = known < rows
        if many and self.spread and not self.gaps:
            warn_of(Cells(self.name, "gap", rows - known, rows, ()))
        if rows < _FEWEST and not isinstance(self.format, NumberFormat):
            return  # too few to tell
        if known and column.kind == "number" and self._in_another_unit(there):
            texts = tuple(f"{value:g}" for value in np.unique(there)[:_SHOWN])
            warn_of(Cells(self.name, "far", known, known, texts))

    def _in_another_unit(self, values: np.ndarray) -> bool:
        sizes = np.abs(values)
        if isinstance(self.format, NumberFormat) and self.format.unit == "%":
            if sizes.max() <= 1 < abs(self.mean):
                return True
        if len(values) < _FEWEST or not self.spread:
            return False
        with np.errstate(over="ignore"):
            off = (values - self.mean) / self.spread
            middle, (low, high) = np.median(np.abs(off)), np.quantile(values, [0.25, 0.75])
        larger = np.median(sizes) > _TIMES * abs(self.mean)
        close = 0 < high - low < _NARROW * self.spread
        return bool((middle > _FAR and larger) or (middle > _OFF and close))


def is_another_column(rows: int, there: int, lost: int) -> bool:
    """Whether a column of new rows is another one than in training.

    It is if `lost` of its cells are not what it was then, and too few that are so are `there`.
    """
    return lost > 0 and (there == 0 or (rows >= _FEWEST and 2 * lost > rows))


def remembering(form: TextFormat) -> Callable[[str], float]:
    """What reads a text as a number, and remembers some from one part of a column to the next."""
    return lru_cache(_REMEMBERED)(form.value)


def read_numbers(
    column: Column, form: TextFormat, value: Callable[[str], float] | None = None
) -> np.ndarray:
    """The numbers of a column of text; cells that are numbers already are what they are.

    `value` reads a text, where it is one that remembers.
    """
    coding = column.coded
    values = coding.looked_up(list(map(value or form.value, coding.texts)), np.nan, np.float64)
    return (
        values
        if column.numbers is None
        else np.where(np.isnan(column.numbers), values, column.numbers)
    )


def check_kind(
    estimator: Any, column: Column, name: str, known: str, form: Format | None = None
) -> None:
    """Refuse a column that is not of the `known` kind, written in such a form, or not finite."""
    alike = {
        "time": ("time", "empty"),
        "text": ("text", "number", "boolean", "empty"),
        "empty": tuple(_WORDS),
    }.get(known, ("number", "boolean", "empty"))
    rows = np.flatnonzero(~column.missing).tolist() if column.kind not in alike else []
    if rows:
        texts = column.kind == "text"
        words = (i for i in rows if texts and not _is_number(column.values[i]))
        odd = next((i for i in words if not is_blank(column.values[i])), rows[0])
        wanted = "times of day" if form == DateFormat("clock") else _WORDS[known]
        raise ValueError(
            f"{name} of X must hold {wanted}, as when {owner_of(estimator)} was fitted. Got "
            f"{_WORDS[column.kind]}, {shown(column.values[odd])} in {row_words(odd)}."
        )
    if known not in ("text", "empty"):
        check_finite(estimator, column.values[:, None], lambda _: name)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
