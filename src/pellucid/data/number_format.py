"""Numbers as people write them: ``1,234.5``, ``1.234,50 €``, ``12 %``, ``(300)``, ``2.5M``."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from math import isfinite, nan
from statistics import median
from typing import Any, Literal, NamedTuple, Self

from pellucid.data.text_counts import TextCounts, pieces_of
from pellucid.data.text_format import LONGEST, TextFormat, plain

_CURRENCY = r"""(?:US|CA|AU|NZ|HK|NT|CN|[ACRS])?[$€£¥₹₽₩₺₴₫฿₪₱₦]|人民币|人民幣|约|~|≈
    |(?:USD|EUR|GBP|JPY|CNY|RMB|CHF|INR|AUD|CAD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|RUB|BRL|MXN|ZAR|KRW|TRY
    |Rs|kr|Fr)\.?(?![a-zA-Z])"""
_SHAPE = re.compile(
    rf"""(?P<open>\()?\s*(?P<sign>[+-])?\s*(?P<before>{_CURRENCY})?\s*(?P<sign2>[+-])?\s*
    (?P<digits>\d(?:[\d.,'_ ]*\d)?[.,]?|[.,]\d+)(?P<power>[eE][+-]?\d+)?
    \s*(?P<after>[^\d\s.,+():/'-](?:[^\d()+]|(?<=m)[23]){{0,14}})?(?P<behind>-)?\s*(?P<close>\))?""",
    re.VERBOSE,
)
_SIMPLE = re.compile(r"[+-]?([0-9][0-9.,]*)")
_ORDINAL = re.compile(r"(?:st|nd|rd|th)\b")
_FACTORS = {
    "": 1e0, "k": 1e3, "K": 1e3, "thousand": 1e3, "千": 1e3, "万": 1e4, "萬": 1e4, "M": 1e6,
    "mn": 1e6, "mio": 1e6, "Mio": 1e6, "million": 1e6, "亿": 1e8, "億": 1e8, "B": 1e9, "bn": 1e9,
    "Mrd": 1e9, "billion": 1e9,
}  # fmt: skip
_SEVERAL = 2  # different numbers, before a point is taken for thousands
_NAMES = {".": "'.'", ",": "','", "'": "an apostrophe", " ": "a blank", "_": "'_'"}


class NumberFormat(TextFormat, frozen=True, tag="number"):
    """How the numbers of a column are written.

    Parameters
    ----------
    decimal : {".", ","}
        The mark before the fraction.
    thousands : {"", ".", ",", "'", " ", "_"}
        The mark between groups of digits, if there is one.
    unit : str
        What stands before or behind each number: a currency, "%", "kg". A cell may lack it; a cell
        with another unit is no number of this column.
    factors : bool
        Whether cells say thousands and millions by K, M, 万 and their like.
    """

    decimal: Literal[".", ","] = "."
    thousands: Literal["", ".", ",", "'", " ", "_"] = ""
    unit: str = ""
    factors: bool = False

    @classmethod
    def of_texts(cls, counts: Mapping[str, int] | TextCounts) -> Self:
        """The format in which most of the texts are numbers; `counts` tells how often each is."""
        shapes: Iterable[tuple[_Shape, int]] = _Shapes(counts)
        if not isinstance(counts, TextCounts) or counts.in_memory:
            shapes = list(shapes)
        units: Counter[str] = Counter()
        for shape, count in shapes:
            units[shape.unit] += count
        named = [unit for unit in units if unit]
        factors = len(units) > 1 and _common_rest(named) is not None
        if factors:
            unit = _common_rest(named) or ""
        else:
            unit = max(named, key=lambda name: (units[name], name), default="")
            if unit.isalpha() and units[unit] < units[""]:
                unit = ""  # 207, 207b
        best, most = cls(), -1
        for decimal, thousands in _candidates(shapes):
            pattern = _digits(decimal, thousands)
            right = sum(count for shape, count in shapes if pattern.fullmatch(shape.digits))
            if right > most:
                best, most = cls(decimal, thousands, unit, factors), right
            if right == units.total():
                break
        return best

    @property
    def words(self) -> str:
        """``numbers with ',' for thousands, in '$'``."""
        parts = []
        if self.thousands:
            parts.append(f"{_NAMES[self.thousands]} for thousands")
        if self.decimal == ",":
            parts.append("',' for decimals")
        if self.factors:
            parts.append("K, M and their like for thousands and millions")
        text = f"numbers with {' and '.join(parts)}" if parts else "numbers"
        return f"{text}, in {self.unit!r}" if self.unit else text

    def _value(self, text: str) -> float:
        shape = _shape(text)
        if shape is None or not _digits(self.decimal, self.thousands).fullmatch(shape.digits):
            return nan
        factor = 1.0
        if self.factors:
            rest = shape.unit.removeprefix(self.unit).strip() if self.unit else shape.unit
            if rest not in _FACTORS:
                return nan
            factor = _FACTORS[rest]
        elif shape.unit not in ("", self.unit):
            return nan
        digits = shape.digits.replace(self.thousands, "") if self.thousands else shape.digits
        value = shape.sign * float(digits.replace(",", ".") + shape.power) * factor
        return value if isfinite(value) else nan


class _Shape(NamedTuple):
    """A text that may be a number: its sign, its digits with marks, its power of ten, its unit."""

    sign: float
    digits: str
    power: str
    unit: str


class _Shapes:
    """The texts that may be numbers, and how often each is there, as often as they are asked for.

    Of those that do not fit in memory they are made anew each time.
    """

    def __init__(self, counts: Mapping[str, int] | TextCounts) -> None:
        self._counts = counts

    def __iter__(self) -> Iterator[tuple[_Shape, int]]:
        for piece in pieces_of(self._counts):
            for text, count in piece.items():
                if len(text) <= LONGEST and (shape := _shape(text)):
                    yield shape, count


def is_code(text: str) -> bool:
    """Whether it is digits behind a zero, as in 007: a code, not a number."""
    text = text.strip()
    return len(text) > 1 and text[0] == "0" and text.isdecimal()


def digits_of_codes(texts: Iterable[str | None]) -> int:
    """How many digits each code among texts has, which new rows are filled up to; 0 without any."""
    digits = [text for text in texts if text is not None and text.isdecimal()]
    lengths = {len(text) for text in digits}
    return lengths.pop() if len(lengths) == 1 and any(map(is_code, digits)) else 0


@lru_cache(maxsize=1 << 14)
def _shape(text: str) -> _Shape | None:
    if simple := _SIMPLE.fullmatch(text):  # most are
        return _Shape(-1.0 if text[0] == "-" else 1.0, simple[1], "", "")
    match = _SHAPE.fullmatch(plain(text))
    if match is None:
        return None
    signs = [match[name] for name in ("sign", "sign2", "behind", "open") if match[name]]
    if len(signs) > 1 or (match["open"] is None) != (match["close"] is None):
        return None
    before, after = (match["before"] or "").strip("."), (match["after"] or "").strip(" .")
    if after and (match["digits"].endswith((".", ",")) or _ORDINAL.match(after)):
        return None  # 2. Married, 3rd
    if after.endswith("s") and len(after) > 3:  # 1 year, 2 years
        after = after[:-1]
    if after[:1] in _FACTORS and after[1:] and not after.isascii():  # 1.2万元
        after = f"{after[1:]} {after[0]}"
    unit = " ".join(filter(None, (before, after)))
    sign = -1.0 if signs and signs[0] in "-(" else 1.0
    return _Shape(sign, match["digits"], match["power"] or "", unit)


@lru_cache(maxsize=64)
def _digits(decimal: str, thousands: str) -> re.Pattern[str]:
    """Digits with these marks; the last group has three, the others two (India) or three."""
    d, whole = re.escape(decimal), r"\d+"
    if thousands:
        t = re.escape(thousands)
        whole = rf"(?:\d+|\d{{1,3}}(?:{t}\d{{2,3}})*{t}\d{{3}})"
    return re.compile(rf"{whole}(?:{d}\d*)?|{d}\d+")


def _candidates(shapes: Iterable[tuple[_Shape, int]]) -> list[tuple[Any, Any]]:
    """Pairs of marks in the order in which they are believed where several fit alike."""
    pairs = [(".", ""), (",", ""), (".", ","), (",", "."), (".", " "), (",", " "), (".", "'"),
             (",", "'"), (".", "_")]  # fmt: skip
    for mark, grouped in ((",", (".", ",")), (".", (",", "."))):
        if _are_thousands(shapes, mark):
            pairs.remove(grouped)
            pairs.insert(0, grouped)
    return pairs


def _are_thousands(shapes: Iterable[tuple[_Shape, int]], mark: str) -> bool:
    """Whether a mark that may stand before fractions is more likely one for thousands.

    Each number that has it has three digits behind it and no zero in front. A comma is then taken
    for thousands; a point only if there are several, and numbers without one that are below a
    thousand and yet larger than most of those with one, were it for decimals.
    """
    grouped = re.compile(rf"[1-9]\d{{0,2}}(?:{re.escape(mark)}\d{{3}})+")
    several = False  # marks in one number
    marked = set()  # a million at most: one mark stands in each, until there are several
    for shape, _ in shapes:
        if mark in shape.digits and (several or shape.digits not in marked):
            if not grouped.fullmatch(shape.digits):
                return False
            several = several or shape.digits.count(mark) > 1
            if not several:
                marked.add(shape.digits)
    if several or not marked or mark == ",":
        return several or bool(marked)
    # how often each comes, of whole numbers below a thousand
    bare: Counter[int] = Counter()
    for shape, _ in shapes:
        if shape.digits.isdecimal():
            if (number := int(shape.digits)) >= 1000:
                return False
            bare[number] += 1
    fractions = list(map(float, marked))
    return bool(bare) and len(marked) >= _SEVERAL and (_middle(bare) > 2 * median(fractions))


def _middle(counts: Counter[int]) -> float:
    """The median of numbers, of which it is known how often each is there."""
    below, middle = 0, []
    for number in sorted(counts):
        last = below + counts[number]
        for place in ((counts.total() - 1) // 2, counts.total() // 2):
            if below <= place < last:
                middle.append(number)
        below = last
    return sum(middle) / 2


def _common_rest(units: Sequence[str]) -> str | None:
    """What is left of units without K, M and their like, where that is the same for all."""
    rests = set()
    for unit in units:
        before, _, after = unit.rpartition(" ")
        if unit in _FACTORS:
            rests.add("")
        elif after in _FACTORS:
            rests.add(before)
        else:
            rests.add(unit)
    has_factor = any(unit.rpartition(" ")[2] in _FACTORS for unit in units)
    return rests.pop() if len(rests) == 1 and has_factor else None
