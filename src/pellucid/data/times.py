"""Times, read from the values of a column, and the times that come next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from math import inf
from typing import Any

import numpy as np

from pellucid.checks import row_words, shown
from pellucid.data.calendars import Pace
from pellucid.data.column_values import is_missing
from pellucid.data.date_format import DateFormat, read_date
from pellucid.data.date_writing import as_written
from pellucid.data.number_format import NumberFormat
from pellucid.data.text_columns import as_dates, number_format

TimeFormat = NumberFormat | DateFormat

_EPOCH = datetime(1970, 1, 1)
_MICROSECOND = timedelta(microseconds=1)
_LARGEST = 1 << 62  # whole number that is a time: what is added to it must be an int64 too
SAMPLE = 1000
"""How many times, evenly taken, tell how all are written, if they leave no doubt."""

_DECIMALS = 12  # digits behind the point: numbers with more are not rounded ones
_MONTH_DIGITS = DateFormat("month digits")


class UnlikeOthers(ValueError):
    """A time that is not written as it was decided that all are."""


@dataclass(frozen=True)
class Times:
    """The times of a column, row by row.

    Parameters
    ----------
    values : list
        As they are given.
    moments : list
        What they mean: dates, all with a zone or all without, or numbers.
    format : NumberFormat, DateFormat or None
        How they are written, if they are text or digits of dates.
    """

    values: list[Any]
    moments: list[Any]
    format: TimeFormat | None = None

    @classmethod
    def of(
        cls,
        what: str,
        values: Sequence[Any],
        known: TimeFormat | None = None,
        decided: bool = False,
    ) -> Times:
        """Read a column, which errors call `what`; by a `known` format where it is text.

        Where it is `decided` that all are written as is `known`, they are read so or not at all.

        A value that is missing or no time, a day that may be a month, and values of several types
        are a ValueError or TypeError.
        """
        values = list(values)
        for position, value in enumerate(values):
            if is_missing(value):
                raise ValueError(
                    f"{what} must say when every row was. Got {shown(value)} in "
                    f"{row_words(position)}."
                )
        learned = decided or is_read_by(values, known)
        some = values[:: max(1, len(values) // SAMPLE)]
        form, doubtful = (known, False) if learned else format_of(some)
        moments = [None] if doubtful else [_moment(value, form) for value in values]
        if not learned and None in moments:  # other rows tell more than those looked at
            form, doubtful = format_of(values)
            moments = [_moment(value, form) for value in values]
        if doubtful:
            raise ValueError(
                f"{what} must tell the day from the month. Got {shown(values[0])}, of which each "
                "may be either, as in all other rows. Write the year first, as in 2026-11-23."
            )
        if None in moments:
            position = moments.index(None)
            as_known = learned and not decided
            like = ", written as in training" if as_known else ", all written alike"
            raise (UnlikeOthers if decided else ValueError)(
                f"{what} must hold numbers, or dates{like}, such as 2026-11-23. Got "
                f"{shown(values[position])} in {row_words(position)}. Convert it first."
            )
        kinds = {isinstance(when, datetime) and (when.tzinfo is not None, True) for when in moments}
        if len(kinds) > 1:
            raise TypeError(
                f"{what} must hold numbers, or dates, all with a time zone or all without. Got "
                "values of several types."
            )
        return cls(values, moments, form)

    def taken(self, rows: np.ndarray) -> Times:
        """Those of some rows, or in another order."""
        places = rows.tolist()
        values = [self.values[place] for place in places]
        return Times(values, [self.moments[place] for place in places], self.format)

    @property
    def dated(self) -> bool:
        """Whether they are dates and no plain numbers."""
        return isinstance(self.moments[0], datetime)

    @cached_property
    def utc(self) -> np.ndarray:
        """Microseconds since 1970, by which rows are put in order; numbers as they are."""
        if not self.dated:
            whole = all(isinstance(when, int) for when in self.moments)
            return np.array(self.moments, dtype=np.int64 if whole else np.float64)
        zoned = self.moments[0].tzinfo is not None
        return _microseconds(self.moments, _EPOCH.replace(tzinfo=UTC) if zoned else _EPOCH)

    @cached_property
    def wall(self) -> np.ndarray:
        """The same by the clocks on the wall, where the times have a zone."""
        if not self.dated or self.moments[0].tzinfo is None:
            return self.utc
        return _microseconds([when.replace(tzinfo=None) for when in self.moments], _EPOCH)

    @property
    def clock(self) -> np.ndarray | None:
        """:attr:`wall` in seconds, None where the times are no dates."""
        return self.wall / 1e6 if self.dated else None

    def pace(self, rows: np.ndarray, known: Sequence[Pace] = ()) -> Pace | None:
        """How the times of these rows, which are in order, follow one another."""
        zoned = self.dated and self.moments[0].tzinfo is not None
        return Pace.found(self.wall[rows], self.utc[rows] if zoned else None, self.dated, known)

    def by(self, pace: Pace) -> np.ndarray:
        """All times as `pace` counts them."""
        return self.utc if pace.utc else self.wall

    def moments_at(self, ticks: np.ndarray, pace: Pace, row: int) -> list[Any]:
        """What times mean that are counted by `pace`, in the zone of the time at `row`."""
        if not self.dated:
            return self._rounded(ticks.tolist())
        zone = self.moments[row].tzinfo
        dates = [_EPOCH + int(tick) * _MICROSECOND for tick in ticks.tolist()]
        if zone is None:
            return dates
        if pace.utc:
            return [when.replace(tzinfo=UTC).astimezone(zone) for when in dates]
        localize = getattr(zone, "localize", None)  # of pytz, whose zones replace takes wrongly
        return [localize(when) if localize else when.replace(tzinfo=zone) for when in dates]

    def _rounded(self, numbers: list[Any]) -> list[Any]:
        """Numbers with as many digits behind the point as those that are known."""
        digits = max(len(repr(float(when)).partition(".")[2]) for when in self.moments)
        few = digits <= _DECIMALS and not any("e" in repr(float(when)) for when in self.moments)
        return [round(x, digits) if few and isinstance(x, float) else x for x in numbers]

    def later(self, rows: np.ndarray, count: int, known: Sequence[Pace] = ()) -> list[Any]:
        """The `count` times after those of `rows`; None where they cannot be known."""
        pace = self.pace(rows, known)
        if pace is None:
            return [None] * count
        try:
            return self.moments_at(pace.later(self.by(pace)[rows], count), pace, int(rows[-1]))
        except (OverflowError, ValueError):  # after the year 9999
            return [None] * count

    def written(self, moments: Sequence[Any]) -> list[Any]:
        """Moments as the values of the column are: of their type, and written as they are."""
        there = [when for when in moments if when is not None]
        return self._spread(moments, self._values_of(there) if there else [])

    @staticmethod
    def _spread(moments: Sequence[Any], values: Sequence[Any]) -> list[Any]:
        rest = iter(values)
        return [None if when is None else next(rest) for when in moments]

    def _values_of(self, moments: list[Any]) -> list[Any]:
        last, form = self.values[-1], self.format
        if isinstance(form, DateFormat):
            texts = [str(_digits(value)) for value in self.values]
            found = as_written(texts, form.order, moments)
            if isinstance(last, str):
                return found or written(moments)
            return [type(last)(text) for text in found] if found else written(moments)
        if isinstance(last, str):
            width = len(last) if last[:1] == "0" and last.isdecimal() else 0
            return [text.zfill(width) for text in written(moments)]
        if isinstance(last, timedelta):
            return [timedelta(microseconds=when) for when in moments]
        if isinstance(last, date) and not isinstance(last, datetime):
            midnight = all(when == datetime(when.year, when.month, when.day) for when in moments)
            return [when.date() for when in moments] if midnight else list(moments)
        if hasattr(last, "ordinal") and hasattr(last, "freq"):
            return [last + (when - last.ordinal) for when in moments]
        if isinstance(last, datetime) and type(last) is not datetime:
            timestamp: Any = type(last)  # of pandas
            return [timestamp(when) for when in moments]
        return list(moments)

    def words(self, moment: Any) -> str:
        """A time as its column has it, for a sentence."""
        (value,) = self._values_of([moment])
        return value if isinstance(value, str) else written([value])[0]


def continued(
    times: Sequence[Any],
    count: int,
    form: TimeFormat | None = None,
    paces: Sequence[Pace] = (),
) -> list[Any]:
    """The `count` times after the last of `times`, as they are written; None where unknown.

    `form` and `paces` are those that were learned of other times of the column.

    Dates go on by the calendar that holds them all: the same day of each month, or its last, its
    last working day, its third Friday; working days; the same hours of each week; else at the usual
    distance, as numbers do.

    Examples
    --------
    >>> continued(["2023-12-31", "2024-01-31"], 2)
    ['2024-02-29', '2024-03-31']
    >>> continued(["2000Q3", "2000Q4"], 2)
    ['2001Q1', '2001Q2']
    >>> continued([10, 20, 30], 2)
    [40, 50]
    """
    if not times:
        return [None] * count
    read = Times.of("times", times, form)
    return read.written(read.later(np.arange(len(times)), count, paces))


def written(times: Sequence[Any]) -> list[str]:
    """`times` as text: dates without a clock where all are whole days; "" for a missing one."""
    dates = [when for when in times if isinstance(when, datetime) and not is_missing(when)]  # NaT
    clock = any(x.hour or x.minute or x.second or x.microsecond or x.tzinfo for x in dates)

    def text(value: Any) -> str:
        if is_missing(value):
            return ""
        if isinstance(value, datetime):
            return value.isoformat(sep=" ") if clock else value.date().isoformat()
        return f"{value:.15g}" if isinstance(value, float) else str(value)

    return [text(value) for value in times]


def _microseconds(dates: Sequence[datetime], epoch: datetime) -> np.ndarray:
    return np.array([(when - epoch) // _MICROSECOND for when in dates], dtype=np.int64)


def _digits(value: Any) -> Any:
    """Digits of a date, which may be a whole number with a point."""
    return int(value) if isinstance(value, (float, np.floating)) else value


def is_read_by(values: Sequence[Any], known: TimeFormat | None) -> bool:
    """Whether a format that was learned can be that of these values: text, or digits of dates."""
    digits = isinstance(known, DateFormat) and known.order in ("digits", "month digits")
    return known is not None and (digits or any(isinstance(value, str) for value in values))


def format_of(values: Sequence[Any]) -> tuple[TimeFormat | None, bool]:
    """How the times of a column are written, and whether the day may be the month."""
    texts = list(dict.fromkeys(value for value in values if isinstance(value, str)))
    if not texts:
        numeric = all(isinstance(value, (int, float, np.number)) for value in values)
        return (_digits_of_dates(values) if numeric else None), False
    numbers = [_number(text) for text in texts]
    if None not in numbers:
        return _digits_of_dates(numbers) or NumberFormat(), False
    form, doubtful = DateFormat.of_texts(Counter(texts))
    if any(read_date(text, form.order) is not None for text in texts):
        return form, doubtful
    return number_format(texts), False


def _digits_of_dates(numbers: Sequence[Any]) -> DateFormat | None:
    """Whether whole numbers are days, such as 20240131, or months, such as 196012."""
    try:
        known = np.array(numbers, dtype=np.float64)
    except OverflowError:
        return None
    if as_dates([known]):
        return DateFormat("digits")
    if not ((known > 190000) & (known < 210000)).all() or (known != np.floor(known)).any():
        return None
    years, months = np.divmod(known, 100)
    # numbers that count up would soon be no months
    dated = ((months >= 1) & (months <= 12)).all() and len(np.unique(years)) > 1
    return _MONTH_DIGITS if dated else None


def _number(text: str) -> int | float | None:
    text = text.strip()
    for kind in (int, float):
        try:
            number = kind(text)
        except ValueError:
            continue
        # infinity, NaN and a whole number beyond int64 are no times
        return number if abs(number) < (_LARGEST if kind is int else inf) else None
    return None


def _moment(value: Any, form: TimeFormat | None) -> Any:
    """`value` as a date or a number; None if it is neither."""
    if isinstance(form, DateFormat) and not isinstance(value, date):
        return read_date(str(_digits(value)), form.order)
    if isinstance(value, datetime):
        plain = getattr(value, "to_pydatetime", None)  # of pandas, whose own are slow
        return value if plain is None else plain(warn=False)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    if isinstance(value, timedelta):
        return value // _MICROSECOND
    if hasattr(value, "ordinal") and hasattr(value, "freq"):  # a period of pandas
        return int(value.ordinal)
    if isinstance(value, (np.datetime64, np.timedelta64)):
        unit = "M8[us]" if isinstance(value, np.datetime64) else "m8[us]"
        return _moment(value.astype(unit).item(), form)
    if isinstance(value, str) and isinstance(form, NumberFormat):
        number = _number(value)
        if number is None and (read := form.value(value)) == read:
            number = read
        return number
    return _number(str(value))
