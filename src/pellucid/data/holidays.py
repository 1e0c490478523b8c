"""The days that are public holidays of a country or of a part of it, by the package holidays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from pellucid.checks import shown, suggestion
from pellucid.data.tables import needed

_DAY = 86_400.0  # seconds


def on_holiday(seconds: np.ndarray, code: str) -> np.ndarray:
    """Whether times are on a holiday: bool ndarray of shape (rows,).

    Parameters
    ----------
    seconds : float64 ndarray of shape (rows,)
        Since 1970, by the clock on the wall; NaN is no time, and on none.
    code : str
        A country, as "DE", or a part of one, as "US-CA".

    Raises
    ------
    ValueError, ImportError
        If the code is not known, or the package holidays is not installed.
    """
    calendar = _calendar(code)
    days, places = np.unique(np.floor(seconds / _DAY), return_inverse=True)
    known = np.isfinite(days)
    dates = _days(np.where(known, days, 0.0)).astype(object)
    holidays = [isinstance(day, date) and day in calendar for day in dates]
    return (np.array(holidays, dtype=bool) & known)[places]


@dataclass(frozen=True)
class HolidayCount:
    """How many of some times are on a holiday, and in years of which the package knows none."""

    code: str
    rows: int = 0
    on: int = 0
    outside: int = 0

    def adding(self, seconds: np.ndarray) -> HolidayCount:
        """With further times, as for :func:`on_holiday`."""
        on = int(on_holiday(seconds, self.code).sum())
        calendar = _calendar(self.code)
        years = _days(np.floor(seconds / _DAY)).astype("datetime64[Y]").astype(np.int64) + 1970
        outside = (years < calendar.start_year) | (years > calendar.end_year)
        return HolidayCount(
            self.code, self.rows + len(seconds), self.on + on,
            self.outside + int(np.count_nonzero(outside)),
        )  # fmt: skip

    @property
    def words(self) -> str:
        """The count in words."""
        verb = "is" if self.on == 1 else "are"
        words = f"{self.on:,} of {self.rows:,} rows {verb} on a holiday of {self.code}"
        if not self.outside:
            return words
        calendar = _calendar(self.code)
        lie = "1 lies" if self.outside == 1 else f"{self.outside:,} lie"
        years = f"{calendar.start_year} to {calendar.end_year}"
        return f"{words}; {lie} outside of {years}, of which alone holidays are known"


def _days(numbers: np.ndarray) -> np.ndarray:
    """Days since 1970 as dates."""
    return numbers.astype(np.int64).astype("datetime64[D]")


def _calendar(code: str) -> Any:
    """What the package has for a code: it tells of any date whether it is a holiday."""
    needed(f"holidays={shown(code)}", "holidays", "holidays")
    import holidays

    known = holidays.list_supported_countries()
    country, dash, part = str(code).partition("-")
    if country not in known:
        # the package has a class for each country by its name, as UnitedStates
        of_name = getattr(holidays, country.title().replace(" ", ""), None)
        meant = getattr(of_name, "country", None)
        raise ValueError(
            "holidays of windows must be the code of a country, as 'DE', or of a part of one, as "
            f"'US-CA'. Got {shown(code)}.{suggestion(meant or country, known)}"
        )
    if dash and part not in known[country]:
        parts = [f"{country}-{one}" for one in known[country]]
        raise ValueError(
            f"holidays of windows must name a part of {country} by its code. Got {shown(code)}."
            f"{suggestion(code, parts) or f' There is none: write {country!r}.'}"
        )
    return holidays.country_holidays(country, subdiv=part or None)
