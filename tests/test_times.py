"""Times: which come after those there are."""

from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd

from pellucid.data.times import continued, written


def test_times_go_on_as_they_went():
    assert continued(["2024-01-30", "2024-01-31"], 2) == ["2024-02-01", "2024-02-02"]
    assert continued(["2024/01/30", "2024/01/31"], 1) == ["2024/02/01"]
    assert continued(["2023-11-01", "2023-12-01"], 2) == ["2024-01-01", "2024-02-01"]
    hours = [datetime(2024, 1, 1, h) for h in (21, 22, 23)]
    ends = ["2023-11-30", "2023-12-31", "2024-01-31"]
    assert continued(ends, 3) == ["2024-02-29", "2024-03-31", "2024-04-30"]
    assert continued(["2036-06-30", "2036-07-31", "2036-08-31"], 1) == ["2036-09-30"]
    assert continued(["2023-12-30", "2024-01-30"], 2) == ["2024-02-29", "2024-03-30"]
    assert continued(["2023-01-29", "2023-02-28", "2023-03-29"], 1) == ["2023-04-29"]
    assert continued(["2022-01-01", "2023-01-01"], 2) == ["2024-01-01", "2025-01-01"]
    assert continued(["2023-01-01", "2023-04-01"], 2) == ["2023-07-01", "2023-10-01"]
    working = [f"2024-03-{day:02}" for day in (4, 5, 6, 7, 8, 11, 12, 13, 14, 15)]
    assert continued(working, 2) == ["2024-03-18", "2024-03-19"]
    zoned = ["2024-01-01T00:00:00+02:00", "2024-01-01T01:00:00+02:00"]
    assert continued(zoned, 1) == ["2024-01-01T02:00:00+02:00"]
    assert continued(hours, 1) == [datetime(2024, 1, 2)]
    assert continued(hours[:2], 1) == [datetime(2024, 1, 1, 23)]
    assert continued([1.5, 2.0], 2) == [2.5, 3.0]
    assert continued(["1.5", "2"], 2) == ["2.5", "3"]
    assert continued([], 1) == [None]


def test_times_stay_of_their_kind():
    assert continued([3, 5, 7], 2) == [9, 11]
    nanoseconds = [1_700_000_000_000_000_000 + k for k in range(3)]
    assert continued(nanoseconds, 1) == [nanoseconds[-1] + 1]
    assert continued([1, 2, 4], 1) == [5.5]
    assert continued([date(2024, 2, 28), date(2024, 2, 29)], 1) == [date(2024, 3, 1)]
    assert continued([timedelta(hours=1), timedelta(hours=2)], 1) == [timedelta(hours=3)]
    ends = pd.date_range("2024-01-31", periods=3, freq=pd.offsets.MonthEnd(), tz="Europe/Berlin")
    (later,) = continued(list(ends), 1)
    assert later == pd.Timestamp("2024-04-30", tz="Europe/Berlin") and later.tz is not None


def test_times_in_text():
    assert written([datetime(2024, 1, 1), datetime(2024, 1, 2)]) == ["2024-01-01", "2024-01-02"]
    assert written([datetime(2024, 1, 1), datetime(2024, 1, 1, 1)])[0] == "2024-01-01 00:00:00"
    missing = [pd.NaT, None, pd.NA, float("nan"), np.datetime64("NaT", "s")]
    assert written([*missing, datetime(2024, 1, 1)]) == [""] * 5 + ["2024-01-01"]
    assert written([2.0, 0.1 + 0.2, 7, "7.0"]) == ["2", "0.3", "7", "7.0"]
