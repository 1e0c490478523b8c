"""The calendar in a column of times: its place in the year, the week and the day, as circles.

Only elementwise ``+ - * /`` and rounding down, so that the bits are the same on every machine.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import numpy as np

Cycle = Literal["year", "week", "day"]

DAY = 86_400.0  # seconds
FIRST, LAST = -6.0e10, 2.5e11  # seconds since 1970: about the years 69 and 9892
PI_2 = 6.283185307179586
# Taylor's terms of sine and cosine, enough for an eighth of a turn in float64
SINE = (-1 / 6, 1 / 120, -1 / 5040, 1 / 362880, -1 / 39916800, 1 / 6227020800, -1 / 1307674368000)
COSINE = (-1 / 2, 1 / 24, -1 / 720, 1 / 40320, -1 / 3628800, 1 / 479001600, -1 / 87178291200,
           1 / 20922789888000)  # fmt: skip


def cycles_of(parts: Iterable[np.ndarray]) -> list[Cycle]:
    """Which places vary in times, in seconds since 1970: "year" (month), "week" and "day" (hour).

    The week says nothing within one week, nor where all times are the first or the last of a month.
    The times are given in `parts`, whose borders make no difference.
    """
    months_of_year, days_of_month = set[int](), set[int]()
    days, clocks = list[int](), list[float]()  # the least and the most of each part
    month_ends = True
    for seconds in parts:
        known = np.unique(np.clip(seconds[np.isfinite(seconds)], FIRST, LAST))
        if not len(known):
            continue
        dates = np.unique(np.floor(known / DAY)).astype(np.int64).astype("datetime64[D]")
        months = dates.astype("datetime64[M]")
        months_of_year.update(np.unique(months.astype(np.int64) % 12).tolist())
        since_first = (dates - months.astype("datetime64[D]")).astype(np.int64)
        days_of_month.update(np.unique(since_first).tolist())
        later = (months + np.timedelta64(1, "M")).astype("datetime64[D]")
        month_ends = month_ends and bool((dates == later - np.timedelta64(1, "D")).all())
        days += dates[[0, -1]].astype(np.int64).tolist()
        clock = known - np.floor(known / DAY) * DAY
        clocks += [float(clock.min()), float(clock.max())]
    cycles: list[Cycle] = []
    if len(months_of_year) > 1:
        cycles.append("year")
    if days and max(days) - min(days) >= 7 and not (len(days_of_month) == 1 or month_ends):
        cycles.append("week")
    if clocks and min(clocks) < max(clocks):
        cycles.append("day")
    return cycles


def turns(seconds: np.ndarray, cycle: Cycle) -> np.ndarray:
    """The share of a cycle that is over, from 0 to 1; the day of the week in steps of a day."""
    seconds = np.clip(np.where(np.isfinite(seconds), seconds, 0.0), FIRST, LAST)
    days = np.floor(seconds / DAY)
    over = seconds / DAY - days
    if cycle == "day":
        return over
    if cycle == "week":
        since_monday = days + 3.0  # 1970-01-01 was a Thursday
        return (since_monday - np.floor(since_monday / 7.0) * 7.0) / 7.0
    whole = days.astype(np.int64)
    years = whole.astype("datetime64[D]").astype("datetime64[Y]")
    start = years.astype("datetime64[D]").astype(np.int64)
    after = (years + np.timedelta64(1, "Y")).astype("datetime64[D]").astype(np.int64)
    return (whole - start + over) / (after - start)


def sine_cosine(turns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sine and cosine of shares of a turn, to the last bits of float64."""
    quarter = np.floor(4.0 * turns + 0.5)
    x = (turns - quarter / 4.0) * PI_2
    square = x * x
    sine, cosine = np.zeros_like(x), np.zeros_like(x)
    for term in reversed(SINE):
        sine = (sine + term) * square
    for term in reversed(COSINE):
        cosine = (cosine + term) * square
    sine, cosine = x + x * sine, 1.0 + cosine
    quarter = quarter.astype(np.int64) % 4
    turned = [(sine, cosine), (cosine, -sine), (-sine, -cosine), (-cosine, sine)]
    return (
        np.choose(quarter, [pair[0] for pair in turned]),
        np.choose(quarter, [pair[1] for pair in turned]),
    )
