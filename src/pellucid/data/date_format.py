"""Dates as people write them: ``2023-02-17``, ``17.2.2023 14:30``, ``Feb 17, 2023``, ``9 pm``."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from math import isnan, nan
from typing import Literal, Self, get_args

from pellucid.data.text_counts import TextCounts, pieces_of
from pellucid.data.text_format import LONGEST, TextFormat, plain

Order = Literal["ymd", "dmy", "mdy", "digits", "clock", "month digits"]
# six digits are a month in a column of times alone: elsewhere they are a number
_ORDERS: tuple[Order, ...] = tuple(order for order in get_args(Order) if order != "month digits")
_ORDER_WORDS = {
    "ymd": "",
    "dmy": ", the day before the month",
    "mdy": ", the month before the day",
    "digits": " without marks",
    "clock": "",
    "month digits": " without marks",
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_YEAR = 1000
_CENTURY = 69  # from here on two digits of a year are of the last century, as to strptime

_CLOCK = r"""(?:(?:上午|午前|오전)|(?P<late>下午|午後|오후))?\s*(?P<hour>\d\d?)
    (?:[:hH时時点](?P<minute>\d\d?)(?:[:分](?P<second>\d\d)(?P<part>\.\d+)?秒?)?分?
    |(?=\s*[AaPp]\.?[Mm]))\s*(?P<half>[AaPp]\.?[Mm]\.?)?
    \s*(?P<zone>Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?(?:\s*Uhr)?"""
_BEHIND = rf"(?:(?:T|,?\s+|(?<=日))(?:{_CLOCK}))?"
_YEAR, _SHORT_YEAR = r"(?P<year>\d{4})", r"(?P<year>\d{4}|\d\d)"
_MONTH, _DAY, _MARK = r"(?P<month>\d\d?)", r"(?P<day>\d\d?)", r"(?P<mark>[-/.])"
_NTH = r"(?:st|nd|rd|th|er|\.)?"
_NAME = r"(?P<name>[^\W\d_]{3,12})\.?"
_WEEKDAY = r"(?:(?P<dayname>[^\W\d_]{2,10})\.?,?\s+)?"

# what an order tells apart, and what is clear by itself
_YEAR_FIRST = rf"{_YEAR}(?P<mark>[-/.年]){_MONTH}(?:月|(?:(?P=mark)|月){_DAY}日?)?{_BEHIND}"
_NUMBERED = {
    "ymd": _YEAR_FIRST,
    "digits": r"""(?P<year>(?:19|20)\d\d)(?P<month>\d\d)(?P<day>\d\d)
        (?:(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)?)?""",
    "month digits": r"(?P<year>(?:19|20)\d\d)(?P<month>\d\d)",
    "dmy": rf"{_DAY}{_MARK}\s?{_MONTH}(?P=mark)\s?{_SHORT_YEAR}{_BEHIND}",
    "mdy": rf"{_MONTH}{_MARK}{_DAY}(?P=mark){_SHORT_YEAR}{_BEHIND}",
}
_CLEAR = (
    _YEAR_FIRST,
    rf"{_WEEKDAY}{_DAY}{_NTH}[\ -]?(?:de\ )?{_NAME}[\ ,-]*(?:de\ )?{_SHORT_YEAR}{_BEHIND}",
    rf"{_WEEKDAY}{_NAME}\s+{_DAY}{_NTH},?\s+{_YEAR}{_BEHIND}",
    rf"{_NAME}[\ ,-]*{_YEAR}",
    rf"{_MONTH}[/.-]{_YEAR}",
    rf"{_WEEKDAY}{_NAME}\s+{_DAY}\s+{_CLOCK}\s+{_YEAR}",
    rf"{_NAME}-(?P<year>\d\d)",  # Jan-20, as spreadsheets show a month
    rf"{_NAME}-{_DAY}-{_YEAR}",
    rf"{_YEAR}[\ -]?[Qq](?P<quarter>[1-4])",
    rf"[Qq](?P<quarter>[1-4])[\ /-]?{_YEAR}",
    rf"{_YEAR}[\ -]?[Mm]{_MONTH}",  # 1960M12, as offices for statistics have it
    rf"{_YEAR}-?W(?P<week>\d\d)(?:-?(?P<weekday>[1-7]))?",
)
_PATTERNS = {
    order: [re.compile(text, re.VERBOSE) for text in (numbered, *_CLEAR)]
    for order, numbered in _NUMBERED.items()
}  # a time of day alone has none
_TIME_OF_DAY = re.compile(_CLOCK, re.VERBOSE)
# the months in English, German, French, Spanish, Italian, Portuguese and Dutch, without accents
_MONTHS = (
    "january januar janvier enero gennaio janeiro januari",
    "february februar fevrier febrero febbraio fevereiro februari",
    "march marz maerz mrz mars marzo marco maart mrt",
    "april avril abril aprile",
    "may mai mayo maggio maio mei",
    "june juni juin junio giugno junho",
    "july juli juillet julio luglio julho",
    "august aout agosto augustus",
    "september septembre septiembre settembre setembro",
    "october oktober octobre octubre ottobre outubro",
    "november novembre noviembre novembro",
    "december dezember decembre diciembre dicembre dezembro",
)
_MONTH_NAMES = [(name, month) for month, names in enumerate(_MONTHS, 1) for name in names.split()]


class DateFormat(TextFormat, frozen=True, tag="date"):
    """How the dates of a column are written: the year, the day or the month first.

    Dates with the name of the month, months, quarters and times of day need no order.
    """

    order: Order = "ymd"

    @classmethod
    def of_texts(cls, counts: Mapping[str, int] | TextCounts) -> tuple[Self, bool]:
        """The format in which most of the texts are dates, and whether another is as likely.

        `counts` tells how often each text is there.
        """
        forms = {order: cls(order) for order in _ORDERS}
        most = dict.fromkeys(_ORDERS, 0)
        for piece in pieces_of(counts):
            for text, count in piece.items():
                for order, form in forms.items():
                    if not isnan(form.value(text)):
                        most[order] += count
        best = max(_ORDERS, key=lambda order: most[order])
        if best in ("ymd", "digits", "clock") or most["dmy"] != most["mdy"]:
            return cls(best), False
        # of numbers of which each may be a month, those that never change are days
        first, second = set[str](), set[str]()
        slashes = True
        for piece in pieces_of(counts):
            for text in piece:
                if not isnan(forms[best].value(text)) and isnan(forms["ymd"].value(text)):
                    one, other = re.findall(r"\d+", text)[:2]
                    first.add(one)
                    second.add(other)
                    slashes = slashes and "/" in text
        if (len(first) == 1) != (len(second) == 1):
            return cls("dmy" if len(first) == 1 else "mdy"), False
        return cls("mdy" if slashes else "dmy"), True

    def _value(self, text: str) -> float:
        """Seconds since 1970, or since midnight where there is no date; NaN for any other text."""
        when = read_date(text, self.order)
        if when is None:
            return nan
        return (when - (_EPOCH if when.tzinfo else _EPOCH.replace(tzinfo=None))).total_seconds()

    @property
    def words(self) -> str:
        """``dates, the day before the month``."""
        return "times of day" if self.order == "clock" else f"dates{_ORDER_WORDS[self.order]}"


def read_date(text: str, order: Order) -> datetime | None:
    """A text as a date, without a zone if it has none; None if it is no date in this order.

    A time of day is one of the first day of 1970.
    """
    if order != "clock" and (when := _quickly(text)) is not None:
        return when
    match = date_parts(text, order)
    if match is None:
        return None
    day = {"year": "1970", "month": "1"} if order == "clock" else {}
    return _moment(day | match.groupdict())


def _quickly(text: str) -> datetime | None:
    """A date as programs write it, ``2024-01-31`` with or without a clock, by Python's own reader.

    That one takes more than is meant by others, so the marks must be where they belong.
    """
    if text[4:5] != "-" or text[7:8] != "-" or text[0] == "0" or len(text) > LONGEST:
        return None
    if len(text) != 10 and (text[10:11] not in " T" or text[13:14] != ":"):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def date_parts(text: str, order: Order) -> re.Match[str] | None:
    """Where in a text, made plain, the parts of a date stand."""
    if len(text) > LONGEST or not any(character.isdecimal() for character in text):
        return None
    text = plain(text)
    patterns = [_TIME_OF_DAY] if order == "clock" else _PATTERNS[order]
    return next(filter(None, (pattern.fullmatch(text) for pattern in patterns)), None)


def _moment(parts: Mapping[str, str | None]) -> datetime | None:
    """The date of a match's parts; None if there is no such date."""
    year = int(parts["year"] or 0)
    if len(parts["year"] or "") == 2:
        year += 1900 if year >= _CENTURY else 2000
    if year < _FIRST_YEAR:
        return None  # such as 0001-01-01, which stands where there is no date
    if name := parts.get("name"):
        month = _month(name)
    elif quarter := parts.get("quarter"):
        month = 3 * int(quarter) - 2
    elif week := parts.get("week"):
        return _week(year, int(week), int(parts["weekday"] or 1))
    else:
        month = int(parts.get("month") or 0)
    hour = int(parts.get("hour") or 0)
    if half := parts.get("half"):
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half[0] in "pP" else 0)
    elif parts.get("late"):
        hour = hour % 12 + 12
    try:
        return datetime(
            year, month, int(parts.get("day") or 1), hour, int(parts.get("minute") or 0),
            int(parts.get("second") or 0), int(float(parts.get("part") or 0) * 1e6),
            tzinfo=_zone(parts.get("zone")),
        )  # fmt: skip
    except ValueError:
        return None


def _week(year: int, week: int, weekday: int) -> datetime | None:
    try:
        return datetime.fromisocalendar(year, week, weekday)
    except ValueError:
        return None


def _month(name: str) -> int:
    """A month's number by its name or how it begins, 0 if that is none or of several."""
    letters = "".join(x for x in unicodedata.normalize("NFKD", name.lower()) if x.isalpha())
    months = {month for full, month in _MONTH_NAMES if full.startswith(letters)}
    return months.pop() if len(months) == 1 else 0


def _zone(text: str | None) -> timezone | None:
    if text is None:
        return None
    if not text[1:].replace(":", "").isdecimal():
        return UTC
    minutes = 60 * int(text[1:3]) + int(text[3:].strip(":") or 0)
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))
