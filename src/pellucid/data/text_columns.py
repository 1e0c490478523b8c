"""What a column of text is: numbers, dates, or categories. A column is what nearly all of it is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from math import isnan
from typing import Any

import msgspec
import numpy as np

from pellucid.checks import first_of, shown
from pellucid.data.cell_warnings import Cells
from pellucid.data.column_values import is_missing, series_numbers
from pellucid.data.date_format import DateFormat
from pellucid.data.number_format import NumberFormat, is_code
from pellucid.data.text_counts import TextCounts
from pellucid.data.text_format import LONGEST, are_tidy, plain, words

Format = NumberFormat | DateFormat

_NEARLY_ALL = 0.95  # the share of a column that decides what it is
_MOST = 0.5  # with few other words, this share of numbers is enough
_NUMBERS_PER_WORD = (
    8  # a column with at most 8 different numbers for each word loses nothing as text
)
_HOPELESS = 0.1  # the share of some texts that are looked at first, which ends it
_EXAMPLES = 3
_MONTH_AND_YEAR = re.compile(r"\s*(?:0[1-9]|1[0-2])\.(?:19|20)\d\d\s*")  # no fractions
_OFFSET = re.compile(r":\d\d(?:\.\d+)?\s*[+-](?!00)\d\d(?::?\d\d)?$")  # 12:30+02:00
_SEVERAL = 3  # different texts that chance does not make dates of
_LIKE_THOUSANDS = re.compile(r"\s*[+-]?[1-9]\d{0,2}\.\d{3}\s*")
_SLIPS = 0.02  # the share of numbers that may have a zero in front and still be numbers
_FEW = 1000  # different texts among which to look for those that differ in capitals alone

_COUNTING = re.compile("[1-9]")  # in none of these
_NO_DATES = ("0000-00-00", "0000/00/00", "00.00.0000", "00/00/0000")  # what databases write
# what people and programs write where there is no value
_BLANKS = set(
    """? ?? ??? - -- --- . .. ... * ** / \\ # _ x n/a n.a. n.a na nan nil null none void empty blank
    missing unknown unavailable undefined undisclosed unspecified unbekannt keine k.a. k.a inconnu
    desconocido sconosciuto nd n.d. n.d s/d tbd tba error #n/a #na #value! #ref! #div/0! #null!
    #num! #name? inf -inf +inf 未知 无 無 缺失 暂无 暫無 不详 不詳 不明 空 なし 없음 미상 нет
    неизвестно""".split()
) | {"not available", "not applicable", "not known", "no data", "no value", "not a number", ""}


@dataclass(frozen=True)
class Decision:
    """What a column of text is read as.

    `kind` is that of a :class:`~pellucid.data.columns.Column`; `format` is how its numbers or dates
    are written; `note` says it in words, if there is anything to say.
    """

    kind: str
    format: Format | None = None
    note: str = ""


def decide(texts: Sequence[str | None]) -> Decision:
    """What texts, with None for a missing one, are as a column."""
    counts = Counter(text for text in texts if text is not None)
    return decide_by(TextCounts.of(counts), len(texts))


def decide_by(counts: TextCounts, cells: int) -> Decision:
    """What a column of so many `cells` is, of which some have one of the texts counted."""
    blanks = set(filter(is_blank, counts))
    usable = counts.kept(lambda text: text not in blanks) if blanks else counts
    codes = _are_codes(usable)
    decision = None
    if _are_digits_of_dates(usable) or all(map(_MONTH_AND_YEAR.fullmatch, usable)):
        decision = _as_dates(usable)
    elif not codes:
        decision = _as_numbers(usable) or _as_dates(usable)
    if decision is None or decision.format is None:
        return Decision("text", note=_text_note(counts, usable, codes))
    note = decision.note + _units_note(decision.format, counts)
    count, examples = _lost(decision.format, counts)
    if not count and decision.format == NumberFormat():
        note = _plain_note(usable)
    elif count:
        note += f"; {Cells('', decision.kind, count, cells, examples).words}"
    return replace(decision, note=note)


def number_format(texts: Sequence[str | None]) -> NumberFormat | None:
    """How the numbers of a column of text are written, if nearly all of it is numbers."""
    form = decide(texts).format
    return form if isinstance(form, NumberFormat) else None


def numbers_in(
    series: Any, known: NumberFormat | None = None
) -> tuple[np.ndarray | None, NumberFormat | None]:
    """The numbers of a narwhals Series, and how they are written if they are text.

    `known` is how they are, where that has been learned; else it is found out. A Series that holds
    other things has no numbers: None.
    """
    import narwhals as nw

    if series.dtype.is_numeric():
        return series_numbers(series), None
    texts = series.to_list() if isinstance(series.dtype, nw.String) else []
    texts = ["" if is_missing(text) else text for text in texts]
    form = known if texts and known is not None else number_format(texts)
    return None if form is None else form.read(texts), form


def is_blank(text: str) -> bool:
    """Whether a text stands where there is no value, such as "?" and "unknown"."""
    if len(text) >= 20:
        return False
    if _COUNTING.search(text) is None and plain(text).lower() in _BLANKS:
        return True
    return text.startswith(_NO_DATES)


def as_dates(parts: Iterable[np.ndarray]) -> bool:
    """Whether numbers are all dates without marks, such as 20230501.

    The numbers are given in `parts`, whose borders make no difference.
    """
    powers, form, different = [6, 10, 12], DateFormat("digits"), set[float]()
    for numbers in parts:
        known = np.unique(numbers[~np.isnan(numbers)])
        if not len(known):
            continue
        low, high = known[0], known[-1]
        powers = [power for power in powers if 19 * 10.0**power <= low and high < 21 * 10.0**power]
        if not powers or (known != np.floor(known)).any():
            return False
        if any(isnan(form.value(str(int(number)))) for number in known.tolist()):
            return False
        if len(different) < _SEVERAL:
            different.update(known[:_SEVERAL].tolist())
    return len(different) >= _SEVERAL


def _as_numbers(counts: TextCounts) -> Decision | None:
    if not _may_be(NumberFormat, counts):
        return None
    form = NumberFormat.of_texts(counts)
    share, numbers, odd = _shares(form, counts)
    few = share >= _MOST and numbers >= _NUMBERS_PER_WORD * odd
    if odd and not few and not (share >= _NEARLY_ALL and numbers > odd):
        return None
    return Decision("number", form, form.words)


def _as_dates(counts: TextCounts) -> Decision | None:
    if not _may_be(DateFormat, counts):
        return None
    form, doubtful = DateFormat.of_texts(counts)
    share, dates, odd = _shares(form, counts)
    few = share >= _MOST and dates >= _NUMBERS_PER_WORD * odd
    if dates < 2 or not (few or share >= _NEARLY_ALL):
        return None
    first = next(text for text in counts if not np.isnan(form.value(text)))
    note = f"{form.words}, such as {shown(first, 30)}"
    if any(map(_OFFSET.search, counts)):
        note += ", their hours counted in UTC"
    return Decision("time", form, f"{note}; the other order would fit too" if doubtful else note)


def _are_digits_of_dates(texts: Iterable[str]) -> bool:
    """Whether there are several texts, all dates without marks: by chance few numbers are."""
    form, count = DateFormat("digits"), 0
    for text in texts:
        if len(text.strip()) not in (8, 12, 14) or isnan(form.value(text)):
            return False
        count += 1
    return count >= _SEVERAL


def _may_be(kind: Any, counts: TextCounts) -> bool:
    """Whether a look at some of the different texts leaves hope."""
    some = counts.some
    sample = {text: 1 for text in some if len(text) <= LONGEST}
    if not sample:
        return False
    form = _form_of(kind, sample)
    return bool(np.count_nonzero(~np.isnan(form.read(sample))) >= _HOPELESS * len(some))


def _form_of(kind: Any, counts: Mapping[str, int] | TextCounts) -> Format:
    form = kind.of_texts(counts)
    return form[0] if isinstance(form, tuple) else form  # of dates also whether it is in doubt


def _shares(form: Format, counts: TextCounts) -> tuple[float, int, int]:
    """The share of cells that can be read, and how many different texts can and cannot."""
    cells = right = 0
    for piece in counts.pieces():
        good = ~np.isnan(form.read(piece))
        cells += int(np.fromiter(piece.values(), dtype=np.int64, count=len(piece))[good].sum())
        right += int(np.count_nonzero(good))
    return cells / counts.total, right, len(counts) - right


def _lost(form: Format, counts: TextCounts) -> tuple[int, tuple[str, ...]]:
    """How many cells have a text that cannot be read, and the first of these texts."""
    count, examples = 0, list[str]()
    for piece in counts.pieces():
        bad = np.isnan(form.read(piece))
        for (text, cells), lost in zip(piece.items(), bad.tolist(), strict=True):
            if lost and text:
                count += cells
                examples += [text] * (len(examples) <= _EXAMPLES)
    return count, tuple(examples)


def _are_codes(counts: TextCounts) -> bool:
    """Whether digits with a zero in front are the way in which the column is written.

    They are if all digits have the same length, or if they are more than a slip of the pen.
    """
    codes = 0
    for piece in counts.pieces():
        codes += sum(piece[text] for text in piece if "0" in text and is_code(text))
    if not codes:
        return False
    lengths = {len(text.strip()) for text in counts if text.strip().isdecimal()}
    return len(lengths) == 1 or codes > _SLIPS * counts.total


def _plain_note(counts: TextCounts) -> str:
    """What to say of numbers without marks, in all cells of a column of text."""
    first = next((text for text in counts if "." in text), None)
    if first and all(_LIKE_THOUSANDS.fullmatch(text) for text in counts if "." in text):
        return f"numbers with '.' for decimals, not for thousands, as in {shown(first)}"
    return "numbers, written as text"


def _units_note(form: Format, counts: TextCounts) -> str:
    """What to say where numbers without the column's unit are taken for those of that unit."""
    if not isinstance(form, NumberFormat) or not form.unit or form.factors:
        return ""
    bare = msgspec.structs.replace(form, unit="")
    count = sum(count for text, count in counts.items() if not isnan(bare.value(text)))
    return f", also the {count:,} that do not say so" if count else ""


def _text_note(counts: TextCounts, usable: TextCounts, codes: bool) -> str:
    """What to say of a column that stays text."""
    if codes:
        code = next(text for text in usable if is_code(text))
        return f"text, since {shown(code)} with its zero is a code, not a number"
    for kind, what in ((NumberFormat, "numbers"), (DateFormat, "dates")):
        if not _may_be(kind, usable):
            continue
        form = _form_of(kind, usable)
        share, _, others = _shares(form, usable)
        if share >= _MOST and others:
            bad = islice((text for text in usable if isnan(form.value(text))), _EXAMPLES)
            few = first_of(list(bad), _EXAMPLES, 30, others)
            return f"text, though {share:.0%} of its cells are {what}: not {few}"
    untidy, several = list[str](), 0
    for piece in counts.pieces():
        if are_tidy(texts := list(piece)):
            continue
        odd = [text for text in texts if text != words(text)]
        several += len(odd)
        untidy += odd[: max(0, _EXAMPLES - len(untidy))]
    if untidy:
        few = first_of(untidy, _EXAMPLES, 30, several)
        return f"text, in which blanks do not count, as in {few}"
    if len(counts) <= _FEW:
        by_letters: dict[str, str] = {}
        for text in counts:
            other = by_letters.setdefault(words(text).casefold(), text)
            if other != text:
                return f"text, in which {shown(other)} and {shown(text)} are two categories"
    return ""
