"""Calendars: times as whole numbers, so that later ones and those that are lacking are known.

Times are whole microseconds since 1970, of a clock on the wall or of UTC, or plain numbers.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np

from pellucid.data.state import State

SECOND = 1_000_000
DAY = 86_400 * SECOND
_WEEK = 7 * DAY
_MONDAY = 4 * DAY  # the first after the beginning of 1970
_WORKING_DAYS = ((0, 1, 2, 3, 4), (0, 1, 2, 3, 4, 5), (0, 1, 2, 3, 6))  # from Monday, 0, on
_REGULAR = 0.9  # the share of distances that are the usual one in a regular series
_HOLIDAYS = 0.8  # the same where days off are left out
_LIKELY = 0.5  # the same for a pace that is known
_LONG_HOLIDAY = 14 * DAY
_MONTHLY = 27 * DAY  # a shorter usual distance is no month
_LEAST_PART = 1 / 400  # of a year: a day
_MOST_SLOTS = 2016  # times of a week, as many as there are every five minutes
_ABOUT, _NEARLY_ALL, _MUCH_LONGER = 0.5, 0.95, 2.5  # distances that are about the usual one


class Calendar(State, frozen=True):
    """Abstract: an endless row of times, of which each has a number."""

    @abstractmethod
    def numbers(self, times: np.ndarray) -> np.ndarray:
        """The number of each time, or of one near to it where a time is not on the calendar."""

    @abstractmethod
    def times(self, numbers: np.ndarray) -> np.ndarray:
        """The times that have these numbers."""

    def holds(self, times: np.ndarray) -> bool:
        """Whether all times are on the calendar."""
        return bool((self.times(self.numbers(times)) == times).all())

    def lacking(self, times: np.ndarray, step: int) -> np.ndarray:
        """How many times are lacking between each time and the next, `step` numbers later."""
        apart = np.diff(self.numbers(times))
        return np.maximum(-(-apart // step) - 1, 0)


class Even(Calendar, frozen=True, tag="even"):
    """Times at one distance, `step`, from one another."""

    origin: int | float
    step: int | float

    def numbers(self, times: np.ndarray) -> np.ndarray:
        apart = times - self.origin
        whole = isinstance(self.step, int)
        return apart // self.step if whole else np.rint(apart / self.step).astype(np.int64)

    def times(self, numbers: np.ndarray) -> np.ndarray:
        return self.origin + numbers * self.step

    def holds(self, times: np.ndarray) -> bool:
        """Numbers with a fraction are seldom exact: 1958.08 is the first month of twelve."""
        near = 0 if isinstance(self.step, int) else 0.1 * self.step
        return bool((np.abs(self.times(self.numbers(times)) - times) <= near).all())


class Weekly(Calendar, frozen=True, tag="weekly"):
    """The same times in each week, `slots` after its Monday began: working days, opening hours."""

    slots: tuple[int, ...]

    def numbers(self, times: np.ndarray) -> np.ndarray:
        weeks, slots = np.divmod(times - _MONDAY, _WEEK)
        return weeks * len(self.slots) + np.minimum(
            np.searchsorted(self.slots, slots), len(self.slots) - 1
        )

    def times(self, numbers: np.ndarray) -> np.ndarray:
        weeks, place = np.divmod(numbers, len(self.slots))
        return _MONDAY + weeks * _WEEK + np.array(self.slots, dtype=np.int64)[place]

    def lacking(self, times: np.ndarray, step: int) -> np.ndarray:
        """As in any calendar, but a holiday is no gap."""
        return np.where(np.diff(times) > _LONG_HOLIDAY, super().lacking(times, step), 0)


class Monthly(Calendar, frozen=True, tag="monthly"):
    """The same days of each month, `clock` after their midnight.

    Parameters
    ----------
    rule : {"day", "weekday", "working day"}
        Whether `which` are days of the month, where its last one stands for those that it lacks;
        the how manieth `weekday` it is; or the first or last day that is no weekend.
    which : tuple of int
        From 1 on; -1 is the last.
    """

    rule: Literal["day", "weekday", "working day"]
    which: tuple[int, ...]
    weekday: int = 0
    clock: int = 0

    def numbers(self, times: np.ndarray) -> np.ndarray:
        days = times // DAY
        months = _months(days)
        place = np.zeros(len(months), dtype=np.int64)
        for later in range(1, len(self.which)):
            place[self._day(months, np.full(len(months), later)) <= days] = later
        return months * len(self.which) + place

    def times(self, numbers: np.ndarray) -> np.ndarray:
        months, place = np.divmod(numbers, len(self.which))
        return self._day(months, place) * DAY + self.clock

    def _day(self, months: np.ndarray, place: np.ndarray) -> np.ndarray:
        """The day, counted from 1970 on, of each month since then."""
        first, last = _ends(months)
        which = np.array(self.which)[place]
        if self.rule == "day":
            return np.where(which > 0, np.minimum(first + which - 1, last), last)
        if self.rule == "weekday":
            from_first = first + (self.weekday - _weekdays(first)) % 7 + 7 * (which - 1)
            return np.where(which > 0, from_first, last - (_weekdays(last) - self.weekday) % 7)
        late = _weekdays(first)
        from_first = first + np.where(late > 4, 7 - late, 0)
        return np.where(which > 0, from_first, last - np.maximum(_weekdays(last) - 4, 0))


class Pace(State, frozen=True):
    """How the times of a series go on: to every `step`-th time of a calendar.

    Parameters
    ----------
    calendar : Calendar or None
        None where the times are on none: they go on at the usual distance, `step`.
    step : int or float
    utc : bool
        Whether the calendar is one of UTC, and not of the clock on the wall.
    steady : bool
        Whether most distances are about the usual one, if the times are on no calendar: else they
        are those of events, between which nothing is lacking.
    """

    calendar: Even | Weekly | Monthly | None
    step: int | float
    utc: bool = False
    steady: bool = False

    @classmethod
    def found(
        cls,
        wall: np.ndarray,
        utc: np.ndarray | None = None,
        dated: bool = True,
        known: Sequence[Pace] = (),
    ) -> Pace | None:
        """The pace of at least two times in order; None of fewer.

        `utc` are the same times where they have a zone; their clocks on the wall are `wall`. They
        are no times of a calendar, but numbers, if they are not `dated`. A pace that is `known`,
        of other series or of training, goes before those that may be found.
        """
        if len(wall) < 2:
            return None
        for pace in known:
            if pace._is_likely(utc if pace.utc and utc is not None else wall):
                return pace
        best, most = None, 0.0
        for calendar, by_utc in _candidates(wall, utc, dated):
            times = utc if by_utc and utc is not None else wall
            if not calendar.holds(times):
                continue
            apart = np.diff(calendar.numbers(times))
            step = _mode(apart)
            share = float(np.count_nonzero(apart == step)) / len(apart)
            least = _HOLIDAYS if isinstance(calendar, Weekly) else _REGULAR
            regular = share >= least or (len(apart) >= 5 and share * len(apart) >= len(apart) - 1)
            if step > 0 and regular and share > most:
                best, most = cls(calendar, step, by_utc), share
        return best or cls._without_calendar(wall if utc is None else utc, utc is not None)

    def _is_likely(self, times: np.ndarray) -> bool:
        """Whether it is that of most of these times."""
        if self.calendar is None or not self.calendar.holds(times):
            return False
        apart = np.diff(self.calendar.numbers(times))
        return bool(np.count_nonzero(apart == self.step) >= _LIKELY * len(apart))

    @classmethod
    def _without_calendar(cls, times: np.ndarray, utc: bool) -> Pace:
        apart = np.diff(times)
        usual = float(np.median(apart))
        about = np.count_nonzero(np.abs(apart - usual) <= _ABOUT * usual)
        steady = len(apart) >= 5 and bool(about >= min(_NEARLY_ALL * len(apart), len(apart) - 1))
        whole = times.dtype.kind == "i" and (usual.is_integer() or abs(usual) > SECOND)
        return cls(None, round(usual) if whole else usual, utc, steady)

    @property
    def is_monthly(self) -> bool:
        """Whether it is once in some months."""
        return isinstance(self.calendar, Monthly) and len(self.calendar.which) == 1

    @property
    def is_by_calendar(self) -> bool:
        """Whether it is one of weeks or months, which few times do not always tell."""
        return isinstance(self.calendar, (Weekly, Monthly))

    def later(self, times: np.ndarray, count: int) -> np.ndarray:
        """The `count` times after the last."""
        ahead = np.arange(1, count + 1)
        if self.calendar is None:
            return times[-1] + ahead * self.step
        return self.calendar.times(self.calendar.numbers(times[-1:]) + ahead * int(self.step))

    def lacking(self, times: np.ndarray) -> np.ndarray:
        """How many times are lacking between each time and the next."""
        if self.calendar is not None:
            return self.calendar.lacking(times, int(self.step))
        apart = np.diff(times)
        long = self.steady & (apart > _MUCH_LONGER * self.step)
        return np.where(long, np.rint(apart / self.step).astype(np.int64) - 1, 0)

    def between(self, times: np.ndarray) -> np.ndarray:
        """The times that are lacking between two."""
        (count,) = self.lacking(times)
        return self.later(times[:1], int(count))


def _candidates(
    wall: np.ndarray, utc: np.ndarray | None, dated: bool
) -> Iterator[tuple[Even | Weekly | Monthly, bool]]:
    """Calendars that the times may be on, and whether by UTC; the likelier of two comes first."""
    usual = np.median(np.diff(wall))
    days, clocks = np.divmod(wall, DAY)
    daily = dated and bool((clocks == clocks[0]).all())
    clock = int(clocks[0])
    if daily and usual >= _MONTHLY:
        yield from ((calendar, False) for calendar in _of_months(days, clock))
    both = [(wall, False)] if utc is None else [(wall, False), (utc, True)]
    for times, by_utc in both if usual >= DAY else reversed(both):
        yield _even(times), by_utc
    if daily and 9 * DAY <= usual < _MONTHLY:
        yield from ((calendar, False) for calendar in _of_parts_of_months(days, clock))
    if daily and usual < _WEEK:
        weekdays = set(_weekdays(days).tolist())
        for working in _WORKING_DAYS:
            if weekdays <= {*working}:
                yield Weekly(tuple(day * DAY + clock for day in working)), False
    if dated and wall[-1] - wall[0] >= 2 * _WEEK:
        slots = np.unique((wall - _MONDAY) % _WEEK)
        if 1 < len(slots) <= _MOST_SLOTS and len(wall) > 2 * len(slots):
            yield Weekly(tuple(slots.tolist())), False


def _of_months(days: np.ndarray, clock: int) -> Iterator[Monthly]:
    """Calendars of one day a month: it is on the same day, weekday or working day of all."""
    first, last = _ends(_months(days))
    yield Monthly("day", (-1,), clock=clock)
    yield Monthly("day", (int((days - first).max()) + 1,), clock=clock)
    weekday = int(_weekdays(days[:1])[0])
    yield Monthly("weekday", (int((days[0] - first[0]) // 7) + 1,), weekday, clock)
    yield Monthly("weekday", (-1,), weekday, clock)
    yield Monthly("working day", (1,), clock=clock)
    yield Monthly("working day", (-1,), clock=clock)


def _of_parts_of_months(days: np.ndarray, clock: int) -> Iterator[Monthly]:
    """Calendars of two or three days a month, of which the last may be its end."""
    first, last = _ends(_months(days))
    of_month = np.unique(days - first + 1)
    ends = set((days[days == last] - first[days == last] + 1).tolist()) - {0}
    inner = [int(day) for day in of_month if day not in ends or day < 28]
    if ends and 1 <= len(inner) <= 2:
        yield Monthly("day", (*inner, 31), clock=clock)
    if 2 <= len(of_month) <= 3:
        yield Monthly("day", tuple(of_month.tolist()), clock=clock)


def _even(times: np.ndarray) -> Even:
    apart = np.diff(times)
    if times.dtype.kind == "i":
        return Even(int(times[0]), _mode(apart))
    step = float(np.median(apart))
    # rounded numbers, such as 1958.08, are 1958 and a twelfth
    if np.abs(apart - step).max() < 0.2 * step:
        step = float(times[-1] - times[0]) / len(apart)
    parts = round(1 / step) if _LEAST_PART < step < 1 else 0
    if parts > 1 and abs(step - 1 / parts) * len(apart) < 0.1 * step:
        step = 1 / parts
    return Even(float(times[0]), step)


def _months(days: np.ndarray) -> np.ndarray:
    """The month of each day, both counted from 1970 on."""
    return days.astype("M8[D]").astype("M8[M]").astype(np.int64)


def _ends(months: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first and the last day of each month, all counted from 1970 on."""
    first, following = (
        (months + later).astype("M8[M]").astype("M8[D]").astype(np.int64) for later in (0, 1)
    )
    return first, following - 1


def _weekdays(days: np.ndarray) -> np.ndarray:
    """Each day's weekday, Monday being 0."""
    return (days + 3) % 7


def _mode(apart: np.ndarray) -> int:
    """The distance that comes most often, of equals the smallest."""
    values, counts = np.unique(apart, return_counts=True)
    return int(values[np.argmax(counts)])
