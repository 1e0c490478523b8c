"""Calendars: whatever they are, and wherever they are cut, they go on exactly."""

from datetime import datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.data.calendars import DAY, Monthly, Pace, Weekly
from pellucid.data.times import Times, continued

# each kind, and how many times tell it from all others
KINDS = {
    "every day": ("D", 2),
    "every second day": ("2D", 2),
    "every week": ("W-WED", 2),
    "every hour": ("h", 2),
    "every quarter of an hour": ("15min", 2),
    "working days": ("B", 6),
    "three days a week": (pd.offsets.CustomBusinessDay(weekmask="Mon Wed Fri"), 10),
    "Sunday to Thursday": (pd.offsets.CustomBusinessDay(weekmask="Sun Mon Tue Wed Thu"), 6),
    "opening hours": (pd.offsets.CustomBusinessHour(start="09:00", end="17:00"), 125),
    "the first of a month": ("MS", 2),
    "the end of a month": ("ME", 2),
    "the beginning of a quarter": ("QS", 2),
    "the end of a quarter": ("QE", 2),
    "every second month": ("2MS", 2),
    "the beginning of a year": ("YS", 2),
    "the end of a fiscal year": ("YE-MAR", 2),
    "the last working day": ("BME", 8),
    "the first working day": ("BMS", 8),
    "the last working day of a quarter": ("BQE-DEC", 24),
    "the third Friday": ("WOM-3FRI", 3),
    "the first Monday": ("WOM-1MON", 3),
    "the last Friday": (pd.offsets.LastWeekOfMonth(weekday=4), 6),
    "the 15th and the end": ("SME", 6),
    "the first and the 15th": ("SMS", 6),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=20)
@given(data=st.data())
def test_each_kind_goes_on_from_each_place(kind, data):
    offset, least = KINDS[kind]
    begin = data.draw(st.dates(datetime(1971, 1, 1).date(), datetime(2090, 1, 1).date()))
    count = data.draw(st.integers(least, least + 40))
    dates = [when.to_pydatetime() for when in pd.date_range(begin, periods=count + 12, freq=offset)]
    assert continued(dates[:count], 12) == dates[count:]


@settings(max_examples=20)
@given(
    year=st.integers(1971, 2090), day=st.sampled_from([29, 30]), first=st.integers(0, 11),
    count=st.integers(3, 40),
)  # fmt: skip
def test_a_day_that_february_lacks_comes_again(year, day, first, count):
    whole = [pd.Timestamp(year, 1, day) + pd.DateOffset(months=first + k) for k in range(count + 9)]
    dates = [when.to_pydatetime() for when in whole]
    assert continued(dates[:count], 9) == dates[count:]


@settings(max_examples=20)
@given(
    hours=st.integers(2, 200), ahead=st.integers(1, 80),
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Sydney"]),
    day=st.dates(datetime(2024, 1, 1).date(), datetime(2025, 12, 1).date()),
)  # fmt: skip
def test_hours_go_on_over_the_change_of_clocks(hours, ahead, zone, day):
    full = pd.date_range(pd.Timestamp(day, tz="UTC"), periods=hours + ahead, freq="h")
    local = [when.to_pydatetime() for when in full.tz_convert(zone)]
    found = continued(local[:hours], ahead)
    assert [when.timestamp() for when in found] == [when.timestamp() for when in local[hours:]]
    assert [when.utcoffset() for when in found] == [when.utcoffset() for when in local[hours:]]


@settings(max_examples=20)
@given(
    days=st.integers(2, 200), ahead=st.integers(1, 80),
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Sydney"]),
    day=st.dates(datetime(2024, 1, 1).date(), datetime(2025, 12, 1).date()),
)  # fmt: skip
def test_days_stay_at_midnight_over_the_change_of_clocks(days, ahead, zone, day):
    full = pd.date_range(pd.Timestamp(day, tz=zone), periods=days + ahead, freq="D")
    local = [when.to_pydatetime() for when in full]
    assert continued(local[:days], ahead) == local[days:]


def test_offsets_that_change_with_summer_time_go_on_with_the_last():
    """Text has no name of a zone, only its offset."""
    texts = [
        f"2024-10-27T{hour:02}:00:00{offset}"
        for hour, offset in [(1, "+02:00"), (2, "+02:00"), (2, "+01:00"), (3, "+01:00")]
    ]
    assert continued(texts, 2) == ["2024-10-27T04:00:00+01:00", "2024-10-27T05:00:00+01:00"]
    days = ["2024-10-25T00:00:00+02:00", "2024-10-26T00:00:00+02:00", "2024-10-27T00:00:00+02:00",
            "2024-10-28T00:00:00+01:00", "2024-10-29T00:00:00+01:00"]  # fmt: skip
    assert continued(days, 1) == ["2024-10-30T00:00:00+01:00"]
    east = timezone(timedelta(hours=2))
    fixed = [datetime(2024, 1, 1, hour, tzinfo=east) for hour in (1, 2)]
    assert continued(fixed, 1) == [datetime(2024, 1, 1, 3, tzinfo=east)]


def lacking(*dates):
    times = Times.of("times", list(dates))
    rows = np.arange(len(dates))
    pace = times.pace(rows)
    return pace.lacking(times.by(pace)).tolist()


def without(freq, drop, count=60, start="2020-01-01"):
    full = pd.date_range(start, periods=count, freq=freq)
    kept = full.delete(drop)
    found = lacking(*(when.to_pydatetime() for when in kept))
    return {place: n for place, n in enumerate(found) if n}


@pytest.mark.parametrize("freq", ("D", "h", "MS", "ME", "QE", "W-SUN", "WOM-3FRI", "7min"))
def test_what_is_lacking_is_counted(freq):
    assert without(freq, []) == {}
    assert without(freq, [20, 21, 22]) == {19: 3}
    assert without(freq, [5, 30, 31]) == {4: 1, 28: 2}


def test_weekends_and_holidays_are_no_gaps():
    assert without("B", [], 200) == {}
    assert without("B", [7, 40, 41, 42, 80], 200) == {}  # days off
    assert without("B", range(40, 60), 200) == {39: 20}  # four weeks are not
    hours = pd.offsets.CustomBusinessHour(start="09:00", end="17:00")
    assert without(hours, [], 300) == {}


def test_between_events_nothing_is_lacking():
    rng = np.random.default_rng(0)
    days = np.sort(rng.choice(4000, 200, replace=False))
    dates = [datetime(2000, 1, 1) + timedelta(int(day)) for day in days]
    assert not any(lacking(*dates))
    jitter = [datetime(2000, 1, 1) + timedelta(hours=k, seconds=int(s)) for k, s in
              enumerate(rng.integers(0, 300, 200))]  # fmt: skip
    assert not any(lacking(*jitter))
    assert lacking(*(jitter[:100] + jitter[150:]))[99] == 50  # as steady as they are else
    assert not any(lacking(*range(0, 20), 25, 26, 40, 41, 47))


def test_a_pace_that_is_known_goes_before_one_that_may_be_found():
    """Of Monday to Friday alone nobody could tell that no Saturday follows."""
    working = Pace(Weekly(tuple(day * DAY for day in range(5))), 1)
    week = [f"2024-03-{day:02}" for day in range(4, 9)]
    assert continued(week, 1) == ["2024-03-09"]
    assert continued(week, 1, paces=[working]) == ["2024-03-11"]
    ends = Pace(Monthly("working day", (-1,)), 1)
    assert continued(["2024-01-31", "2024-02-29"], 1, paces=[ends]) == ["2024-03-29"]
    assert continued(["2024-01-01", "2024-01-04"], 1, paces=[ends]) == ["2024-01-07"]


def test_numbers_go_on_as_they_are_rounded():
    months = [round(1958 + k / 12, 2) for k in range(60)]
    assert continued(months[:30], 30) == months[30:]
    twelfths = [1949 + k / 12 for k in range(24)]
    assert continued(twelfths[:20], 1) == pytest.approx(twelfths[20:21])
    assert continued([1960.0, 1960.25, 1960.5], 3) == [1960.75, 1961.0, 1961.25]
