"""When a row was, read from what its column holds."""

from __future__ import annotations

import math
import re
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np

_YEAR_FIRST = re.compile(r"(\d{4})[-/.年](\d{1,2})(?:[-/.月](\d{1,2})?日?)?(?:[T ]+(\S+))?$")
_DAY_FIRST = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?:[T ]+(\S+))?$")


def moment(value: Any) -> datetime | int | float | None:
    """A date or a number; None of what is neither, or does not say which is the day.

    Text is a number, a date with the year first, or one such as 23.11.2026.

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
        return number if math.isfinite(number) else None
    return _date(text)


def _date(text: str) -> datetime | None:
    if match := _YEAR_FIRST.match(text):
        year, month, day, clock = match.groups()
    elif match := _DAY_FIRST.match(text):
        day, month, year, clock = match.groups()
    else:
        return None
    try:
        return datetime.fromisoformat(
            f"{year}-{int(month):02}-{int(day or 1):02}{f'T{clock}' if clock else ''}"
        )
    except ValueError:
        return None
