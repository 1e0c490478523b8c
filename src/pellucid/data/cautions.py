"""What should make a person stop and look at a table before it is learned from, in sentences."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np

from pellucid.checks import first_of, row_words, shown
from pellucid.data.column_values import Column

_FEWEST = 20  # rows: in fewer, chance looks like a rule
_MOST_NAMED = 5  # columns that a sentence names
_TELLING = 0.999  # the share of rows, or of the variance, that gives the target away
_ROWS_PER_VALUE = 3  # texts and classes tell nothing if they stand in fewer rows on average
_MANY_WORDS = 4  # of a text, on average, from which on it is free text
_ROW_NUMBERS = re.compile(
    r"(?:unnamed: *\d+|index|row|row[ _.]?(?:no|nr|num|number|id)|rownames|#)?"
)
_IDENTIFIER = re.compile(
    r"(?:|.*[ _.-])(?i:id|uuid|guid|key|no|nr)|.*[a-z](?:Id|ID)|.*(?:编号|序号|号码)"
)
_TIME = re.compile(r"(?i:.*(?:date|time|when|timestamp|datum|fecha|data|zeit|日期|时间|日時).*)")
_TOTALS = re.compile(
    r"(?i:(?:grand |sub)?totals?|sums?|summe|gesamt|insgesamt|averages?|mean|totale?|somme|suma"
    r"|итого)|合计|总计|小计|合計|総計|平均|합계"
)
# numbers that dates become: days since 1900, seconds and milliseconds since 1970
_DAYS, _SECONDS, _MILLISECONDS = (25_000, 60_000), (6e8, 2.5e9), (6e11, 2.5e12)
_OFTEN, _GAP = 0.005, 5.0  # a value that stands for none: its share, and how far the others are
LAST = 3  # rows at the end of a table among which sums stand
_COPY = re.compile(r"(.+)\.\d+")  # what pandas makes of a name that comes again


def cautions(names: Sequence[str], columns: Sequence[Column]) -> list[str]:
    """Sentences about columns that tell nothing, or nothing about new rows.

    They are row numbers, identifiers, free text, columns of one value or there twice, numbers that
    may be dates or may stand for no value. `columns` are as they were read.
    """
    rows = len(columns[0].values) if columns else 0
    if rows < _FEWEST:
        return []
    texts = []
    for kind, words in (
        (_are_row_numbers, "the row numbers of another program, which tell nothing about new rows"),
        (
            _is_free_text,
            "free text, of which nothing is learned, since each is a category: a "
            "recurrent network reads a text that stands alone (--network gru)",
        ),
        (_is_identifier, "different in all rows: identifiers tell nothing about new rows"),
        (_is_constant, "the same in all rows, not used"),
        (_may_be_dates, "numbers that may be dates: write them as dates, such as 2026-11-23"),
    ):
        found = [name for name, column in zip(names, columns, strict=True) if kind(name, column)]
        if found:
            verb = "is" if len(found) == 1 else "are"
            texts.append(f"{first_of(found, _MOST_NAMED, 40)} {verb} {words}.")
    return texts + _doubled(names, columns) + _stand_ins(names, columns)


def sum_row(columns: Sequence[Column]) -> tuple[int, str] | None:
    """A row at the end that is the sum or mean of others, and what it says; None without one."""
    rows = len(columns[0].values) if columns else 0
    for column in columns:
        for row in range(max(0, rows - LAST), rows) if column.kind == "text" else ():
            text = column.values[row]
            if says_sum(text) and (column.values == text).sum() <= LAST:
                return row, text
    return None


def says_sum(text: object) -> bool:
    """Whether a cell says that its row is the sum or mean of others."""
    return isinstance(text, str) and _TOTALS.fullmatch(text.strip(" :.")) is not None


def sum_words(row: int, text: str) -> str:
    """What to say of such a row."""
    return (
        f"{shown(text)} stands in {row_words(row)}: if that is no row but the sum of others, leave "
        "it out."
    )


def _stand_ins(names: Sequence[str], columns: Sequence[Column]) -> list[str]:
    """Sentences about numbers that may stand where there is no value, such as 999."""
    texts = []
    for name, column in zip(names, columns, strict=True):
        value = stand_in(column.values) if column.kind in ("number", "time") else None
        if value is not None:
            count = int((column.values == value).sum())
            number = column.kind == "number"
            said = f"{value:g}" if number else str(np.datetime64(int(value), "s"))[:10]
            texts.append(
                f"{shown(name)} is {said} in {count:,} rows, far from all others: if that means "
                "that there is no value, leave these cells empty."
            )
    return texts


def stand_in(values: np.ndarray) -> float | None:
    """A number far above or below all others that comes again and again; None if there is none."""
    there = np.sort(values[~np.isnan(values)])
    if len(there) < _FEWEST or there[0] == there[-1]:
        return None
    for end, rest in ((there[-1], there[there < there[-1]]), (there[0], there[there > there[0]])):
        count = len(there) - len(rest)
        gap, span = abs(end - (rest[-1] if end > rest[-1] else rest[0])), rest[-1] - rest[0]
        if count >= max(3, _OFTEN * len(there)) and span > 0 and gap > _GAP * span:
            return float(end)
    return None


def telling(names: Sequence[str], columns: Sequence[Column], codes: np.ndarray) -> list[str]:
    """Sentences about single columns that give the target away.

    Parameters
    ----------
    names, columns : sequences
        The columns as they were read.
    codes : ndarray of shape (rows,) or (rows, targets)
        Of an integer type for classes, else the numbers of the target. Of several targets nothing
        is said.
    """
    if len(codes) < _FEWEST or codes.size != len(codes) or not (codes != codes[0]).any():
        return []
    codes = codes.reshape(-1)
    gives: Callable[[Column, np.ndarray], bool]
    gives = _tells_classes if codes.dtype.kind in "iu" else _tells_numbers
    found = [name for name, column in zip(names, columns, strict=True) if gives(column, codes)]
    if not found:
        return []
    verb, them = ("gives", "it") if len(found) == 1 else ("give", "each")
    return [
        f"{first_of(found, _MOST_NAMED, 40)} {verb} the target away, {them} alone in every row: is "
        "that known before the target is?"
    ]


def _are_row_numbers(name: str, column: Column) -> bool:
    """Whether they are whole numbers from 0 or 1 on, all different, nearly without gaps."""
    if column.kind != "number" or not _ROW_NUMBERS.fullmatch(name.strip().lower()):
        return False
    values = column.values
    if np.isnan(values).any() or (values != np.floor(values)).any():
        return False
    rows = len(values)
    return values.min() >= 0 and values.max() < 2 * rows + 2 and len(np.unique(values)) == rows


def _is_identifier(name: str, column: Column) -> bool:
    if _are_row_numbers(name, column):
        return False
    if column.kind == "text":
        return _all_different(column) and not _is_free_text(name, column)
    whole = column.kind == "number" and not (column.values != np.floor(column.values)).any()
    return whole and bool(_IDENTIFIER.fullmatch(name.strip())) and _all_different(column)


def _may_be_dates(name: str, column: Column) -> bool:
    """Whether a column that is called a time holds what programs make of dates."""
    if column.kind != "number" or not _TIME.fullmatch(name):
        return False
    values = column.values[~np.isnan(column.values)]
    return len(values) > 0 and any(
        bool((low < values).all() and (values < high).all())
        for low, high in (_DAYS, _SECONDS, _MILLISECONDS)
    )


def _is_free_text(name: str, column: Column) -> bool:
    if column.kind != "text":
        return False
    texts = [text for text in column.values.tolist() if text is not None]
    if 2 * len(set(texts)) < len(texts) or not texts:
        return False
    words = sum(text.count(" ") + 1 for text in texts) / len(texts)
    return words >= _MANY_WORDS


def _is_constant(name: str, column: Column) -> bool:
    if column.kind == "empty":
        return True
    if column.kind == "text":
        return len(set(column.values.tolist())) == 1
    return bool((column.values == column.values[0]).all())


def _all_different(column: Column) -> bool:
    values = column.values.tolist()
    return None not in values and len(set(values)) == len(values)


def _doubled(names: Sequence[str], columns: Sequence[Column]) -> list[str]:
    """Columns with the values of an earlier one, and names that pandas made of doubled ones."""
    texts: list[str] = []
    seen: dict[int, tuple[str, Column]] = {}
    for name, column in zip(names, columns, strict=True):
        if _is_constant(name, column):
            continue
        content = tuple(column.values) if column.kind == "text" else column.values.tobytes()
        first = seen.setdefault(hash((column.kind, content)), (name, column))
        match = _COPY.fullmatch(name)
        if first[0] != name and _equal(first[1], column):
            texts.append(f"{shown(name)} is {shown(first[0])} once more: leave one of them out.")
        elif match and match[1] in names:
            texts.append(
                f"{shown(name)} may be a second column {shown(match[1])}: pandas gives such names "
                "to columns that are there twice."
            )
    return texts


def _equal(a: Column, b: Column) -> bool:
    return a.kind == b.kind and np.array_equal(a.values, b.values, equal_nan=a.kind != "text")


def _tells_classes(column: Column, codes: np.ndarray) -> bool:
    """Whether each text goes with one class, or each class has its own interval of numbers."""
    if column.kind == "empty":
        return False
    if column.kind == "text":
        place: dict[str | None, int] = {}
        groups = np.array([place.setdefault(text, len(place)) for text in column.values.tolist()])
        if len(groups) < _ROWS_PER_VALUE * len(place) or len(place) < 2:
            return False
        pairs, counts = np.unique(groups * (int(codes.max()) + 1) + codes, return_counts=True)
        most = np.zeros(len(place), dtype=np.int64)
        np.maximum.at(most, pairs // (int(codes.max()) + 1), counts)
        return bool(most.sum() >= _TELLING * len(codes))
    there = ~np.isnan(column.values)
    if not there.all() or len(codes) < _ROWS_PER_VALUE * len(np.unique(codes)):
        return False
    ordered = codes[np.lexsort((codes, column.values))]
    values = np.sort(column.values)
    changes = ordered[1:] != ordered[:-1]
    # where classes change, the number must change too
    return int(changes.sum()) == len(np.unique(codes)) - 1 and bool(
        (values[1:] != values[:-1])[changes].all()
    )


def _tells_numbers(column: Column, numbers: np.ndarray) -> bool:
    """Whether the target is a number of the column, times and plus something, or in its order."""
    if column.kind not in ("number", "boolean") or np.isnan(column.values).any():
        return False
    ordered = numbers[np.argsort(column.values, kind="stable")]
    if len(np.unique(column.values)) > len(numbers) / 2 and len(np.unique(numbers)) > _FEWEST:
        steps = np.diff(ordered)
        if (steps >= 0).all() or (steps <= 0).all():
            return True
    with np.errstate(all="ignore"):
        x, y = column.values - column.values.mean(), numbers - numbers.mean()
        spread = np.sqrt((x * x).sum() * (y * y).sum())
        return bool(spread > 0 and abs((x * y).sum() / spread) > 1 - (1 - _TELLING) ** 2)
