"""Times, read from the values of a column, and the times that come next."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np

from pellucid.data.column_values import is_missing
from pellucid.data.date_format import read_date

_LARGEST = 1 << 1000


def moment(value: Any) -> datetime | int | float | None:
    """`value` as a date or a number; None if it is neither, or its day and month are unclear.

    Text may be a number, a date with the year first, or one such as 23.11.2026.

    Examples
    --------
    >>> moment("2026/1/9") < moment("2026/1/10")
    True
    >>> moment("1/9/2026") is None                    # January or September?
    True
    """
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, (int, np.integer)):
        return int(value)
    text = str(value).strip()
    for kind in (int, float):
        try:
            number = kind(text)
        except ValueError:
            continue
        # infinity, NaN and a whole number of hundreds of digits are no times
        return number if abs(number) < _LARGEST else None
    return read_date(text, "ymd") or ("." in text and read_date(text, "dmy")) or None


def continued(times: Sequence[Any], count: int) -> list[Any]:
    """The `count` times after the last of `times`, of its type; None where they cannot be known.

    Dates go on by whole months, by working days, or at the usual distance; numbers at the usual
    distance.

    Examples
    --------
    >>> continued(["2023-12-31", "2024-01-31"], 2)
    ['2024-02-29', '2024-03-31']
    >>> continued([10, 20, 30], 2)
    [40, 50]
    """
    read: list[Any] = [moment(when) for when in times]
    zones = {when.tzinfo for when in read if isinstance(when, datetime)}
    later: list[Any] = [None] * count
    if len(read) > 1 and all(isinstance(when, datetime) for when in read) and len(zones) == 1:
        later = _later_dates(read, count)
    elif len(read) > 1 and all(isinstance(when, (int, float)) for when in read):
        later = _later_numbers(read, count)
    if later[0] is None:
        return later
    if isinstance(times[-1], str):
        return written(later)
    if isinstance(times[-1], timedelta):
        return [timedelta(seconds=when) for when in later]
    if isinstance(times[-1], date) and not isinstance(times[-1], datetime):
        return [when.date() for when in later]
    return later


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


def _later_numbers(read: list[Any], count: int) -> list[Any]:
    apart = float(np.median(np.diff(read)))
    if all(isinstance(when, int) for when in read) and apart.is_integer():
        return [read[-1] + int(apart) * (k + 1) for k in range(count)]
    return [read[-1] + apart * (k + 1) for k in range(count)]


def _later_dates(read: list[Any], count: int) -> list[Any]:
    apart = _months(read)
    gaps = sorted(later - earlier for earlier, later in zip(read, read[1:], strict=False))
    usual = gaps[len(gaps) // 2]
    weekends = usual != timedelta(1) or len(read) < 7 or any(x.weekday() > 4 for x in read)
    dates: list[Any] = []
    for k in range(1, count + 1):
        if apart:
            dates.append(_month_later(read, apart * k))
            continue
        next_date = (dates[-1] if dates else read[-1]) + usual
        while not weekends and next_date.weekday() > 4:
            next_date += timedelta(1)
        dates.append(next_date)
    return dates


def _months(read: list[Any]) -> int:
    """How many whole months lie between all times, 0 if it is not the same number everywhere.

    All must be on the same day of the month, or on its last day where a month is too short.
    """
    counts = [12 * when.year + when.month for when in read]
    apart = set(np.diff(counts).tolist())
    day = max(when.day for when in read)
    alike = all(when.day == min(day, _days(when.year, when.month)) for when in read)
    hours = len({when.timetz() for when in read}) == 1
    return apart.pop() if len(apart) == 1 and alike and hours else 0


def _days(year: int, month: int) -> int:
    return monthrange(year, month)[1]


def _month_later(read: list[Any], months: int) -> Any:
    """The time `months` after the last, on the same day; on a month's last day if all are."""
    at_ends = all(when.day == _days(when.year, when.month) for when in read)
    day = 31 if at_ends else max(when.day for when in read)
    month = read[-1].month - 1 + months
    year, month = read[-1].year + month // 12, month % 12 + 1
    return read[-1].replace(year=year, month=month, day=min(day, _days(year, month)))
