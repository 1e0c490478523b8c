"""Series as they come: with gaps, holes and too few rows, in a column or in the index."""

import warnings
from datetime import timedelta

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from pellucid import LSTMRegressor, load
from pellucid.data import last_window, windows
from pellucid.data.series import duration_words

QUICK = {"hidden_dim": 4, "max_epochs": 1, "random_state": 0, "verbose": 0}
DAYS = pd.date_range("2023-05-17", periods=60)
LIBRARIES = {"pandas": lambda x: x, "polars": pl.from_pandas, "arrow": pa.Table.from_pandas}


def daily(count=60, **columns):
    return pd.DataFrame({"day": DAYS[:count], "v": np.arange(float(count)), **columns})


# -- gaps ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("library", LIBRARIES)
def test_no_window_runs_over_a_gap(library):
    frame = daily().drop(index=range(20, 26))
    X, y = windows(LIBRARIES[library](frame), 4, 2, target="v", time="day")
    assert X.notes == ("day: 1 gap of 6 days after 2023-06-05; no window runs over it.",)
    first = frame["v"].to_numpy()[X.starts]
    assert (y[:, 0] == first + 4).all() and (y[:, 1] == first + 5).all()
    assert len(X) == (20 - 5) + (34 - 5)
    assert X[:3].notes == X.notes


def test_the_longest_gap_is_named_and_in_which_series_it_is():
    frame = pd.concat([daily(who="a"), daily(who="b").drop(index=[10, *range(30, 34)])])
    X, _ = windows(frame, 4, target="v", time="day", group="who")
    assert X.notes == (
        "day: 2 gaps, the longest of 4 days after 2023-06-15 in 'b'; no window runs over them.",
    )
    months = pd.DataFrame({"t": pd.period_range("2000-01", periods=40, freq="M").astype(str)})
    months["v"] = np.arange(40.0)
    X, _ = windows(months.drop(index=range(20, 23)), 4, target="v", time="t")
    assert X.notes == ("t: 1 gap of 3 months after 2001-08; no window runs over it.",)
    numbers = pd.DataFrame({"t": [*range(30), *range(40, 60)], "v": np.arange(50.0)})
    X, _ = windows(numbers, 4, target="v", time="t")
    assert X.notes == ("t: 1 gap of 10 steps after 29; no window runs over it.",)


def test_a_series_cut_by_gaps_into_pieces_that_are_too_short():
    with pytest.raises(ValueError, match=r"Got 30 between two gaps\. Use .* or fill the gaps"):
        windows(daily().drop(index=[30]), 26, 5, target="v", time="day")
    X, _ = windows(daily().drop(index=[30]), 26, 5, target="v", time="day", fill="linear")
    assert len(X) == 30


@pytest.mark.parametrize("library", LIBRARIES)
def test_gaps_and_holes_are_filled(library):
    frame = daily(kind="x", whole=np.arange(60)).drop(index=range(20, 26))
    frame.loc[30:31, "v"] = np.nan
    frame.loc[25:40, "kind"] = "y"
    given = LIBRARIES[library](frame.reset_index(drop=True))
    X, y = windows(given, 4, 2, target="v", time="day", fill="linear")
    assert X.notes == (
        "day: 1 gap of 6 days after 2023-06-05; 6 rows put in (linear); 2 missing values are "
        "filled (linear).",
    )
    assert (y == np.arange(4.0, 59)[:, None] + [0, 1]).all()
    assert (X.last("whole") == np.arange(3, 58)).all()
    kinds = X.table["kind"].to_pylist() if library == "arrow" else list(X.table["kind"])
    assert kinds[19:27] == ["x"] * 7 + ["y"]
    assert X.when.tolist() == list(range(60)) and X.order[19:27].tolist() == [19] * 7 + [20]
    X, y = windows(given, 4, 2, target="v", time="day", fill="forward")
    assert y[15:23, 0].tolist() == [19.0] * 7 + [26.0]
    assert y[26:29, 0].tolist() == [29.0, 29.0, 32.0]


def test_a_filled_series_goes_on_from_its_end_and_is_filled_again(tmp_path):
    frame = daily().drop(index=range(50, 56))
    X, y = windows(frame, 8, 2, target="v", time="day", fill="linear")
    model = LSTMRegressor(**QUICK).fit(X, y)
    whole = LSTMRegressor(**QUICK).fit(*windows(daily(), 8, 2, target="v", time="day"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = model.forecast(frame)
    assert found.equals(whole.forecast(daily()))
    model.save(tmp_path / "m")
    assert load(tmp_path / "m").forecast(frame).equals(found)


def test_a_series_without_times_can_be_filled():
    values = np.array([1.0, np.nan, 3.0, 4.0, np.nan, np.nan, 7.0])
    with pytest.warns(UserWarning, match="3 missing values are filled"):
        X, y = windows(values, 2, fill="linear")
    assert y.tolist() == [3, 4, 5, 6, 7] and np.isfinite(X).all()
    with pytest.raises(ValueError, match="fill of windows must be 'forward', 'linear' or None"):
        windows(values, 2, fill="mean")


def test_a_last_window_over_a_gap_is_said():
    frame = daily().drop(index=range(50, 56))
    with pytest.warns(UserWarning, match="last window runs over a gap of 6 days after 2023-07-05"):
        last_window(frame, 8, time="day")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        last_window(frame, 4, time="day")


# -- holes and short series ----------------------------------------------------------------------


def test_windows_whose_target_is_missing_are_left_out_and_counted():
    frame = daily()
    frame.loc[30:33, "v"] = np.nan
    X, y = windows(frame, 8, 3, target="v", time="day")
    assert X.notes == (
        "6 windows are left out, since their values of 'v' to forecast are missing.",
    )
    assert np.isfinite(y).all() and len(X) == len(y) == 50 - 6
    with pytest.warns(UserWarning, match="1 window is left out, since its values to forecast"):
        X, y = windows(np.array([1.0, 2, 3, np.nan]), 2)
    assert y.tolist() == [3.0]


def test_series_that_are_too_short_are_left_out_and_counted():
    frame = pd.concat([daily(who="a"), daily(5, who="b"), daily(40, who="c")])
    X, y = windows(frame, 8, 3, target="v", time="day", group="who")
    assert X.notes == ("1 of 3 series is shorter than 11 rows and left out: 'b'.",)
    model = LSTMRegressor(**QUICK).fit(X, y)
    with pytest.warns(UserWarning, match="1 of 3 series is shorter than 8 rows and left out: 'b'"):
        found = model.forecast(frame)
    assert found["who"].tolist() == ["a"] * 3 + ["c"] * 3
    ends = [DAYS[-1] + timedelta(k) for k in (1, 2, 3)] + list(DAYS[40:43])
    assert found["day"].tolist() == ends  # each by its own end


def test_one_message_tells_all(capsys):
    frame = pd.concat([daily(who="a").drop(index=20), daily(4, who="b")], ignore_index=True)
    frame.loc[frame["day"] == DAYS[40], "v"] = np.nan
    X, y = windows(frame, 4, target="v", time="day", group="who")
    LSTMRegressor(**{**QUICK, "verbose": 1}).fit(X, y)
    text = " ".join("".join(capsys.readouterr()).split())
    assert (
        "day: 1 gap of 1 day after 2023-06-05 in 'a'; no window runs over it; 1 of 2 series is "
        "shorter than 5 rows without a gap and left out: 'b'; 1 window is left out, since its "
        "values of 'v' to forecast are missing."
    ) in text


def test_a_forecast_begins_where_the_target_ends():
    """Rows in which it is not known yet are what is to be forecast."""
    frame = daily(who="a", w=1.0)
    X, y = windows(frame, 8, 2, target="v", time="day", group="who")
    model = LSTMRegressor(**QUICK).fit(X, y)
    expected = model.forecast(frame[:58])
    frame.loc[58:, "v"] = np.nan
    both = pd.concat([frame, daily(who="b", w=1.0)])
    new = pytest.warns(UserWarning, match="1 series was not learned from, and each .*'b'")
    open_end = "'v' is missing in the last 2 rows of 'a', with which"
    with new, pytest.warns(UserWarning, match=open_end):
        found = model.forecast(both)
    assert found["day"].tolist() == list(DAYS[58:]) + [DAYS[-1] + timedelta(k) for k in (1, 2)]
    assert found[:2].equals(expected)
    X, y = windows(frame, 8, 2, target="v", time="day", group="who", fill="forward")
    assert X.notes == (
        "2 windows are left out, since their values of 'v' to forecast are missing.",
    )
    frame["v"] = np.nan
    with pytest.raises(ValueError, match=r"at least 8 rows, one window. Got 0 in 'a'"):
        model.forecast(frame)


# -- what times are ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("times", "later"),
    [
        (DAYS.strftime("%-m/%-d/%Y"), ["7/16/2023", "7/17/2023"]),
        ([int(day) for day in DAYS.strftime("%Y%m%d")], [20230716, 20230717]),
        ([y * 100 + m for y in range(1956, 1961) for m in range(1, 13)], [196101, 196102]),
        (pd.array(range(60), dtype="Int64"), [60, 61]),
        (np.arange(1900.0, 1960.0), [1960.0, 1961.0]),
        (pd.period_range("2000Q1", periods=60, freq="Q"),
         list(pd.period_range("2015Q1", periods=2, freq="Q"))),
        (pd.to_timedelta(np.arange(60), unit="h"),
         [pd.Timedelta(hours=60), pd.Timedelta(hours=61)]),
        (pd.to_datetime(7 * np.arange(60) + 1_700_000_000_000_000_001),
         list(pd.to_datetime(7 * np.arange(60, 62) + 1_700_000_000_000_000_001))),
        (pd.date_range("2024-10-25", periods=60, freq="h", tz="Europe/Berlin"),
         list(pd.date_range("2024-10-27 11:00", periods=2, freq="h", tz="Europe/Berlin"))),
        (list(DAYS.date), [DAYS[-1].date() + timedelta(1), DAYS[-1].date() + timedelta(2)]),
    ],
)  # fmt: skip
def test_a_forecast_has_times_as_they_came(times, later, tmp_path):
    frame = pd.DataFrame({"t": times, "v": np.arange(60.0)})
    X, y = windows(frame.sample(frac=1, random_state=0), 8, 2, target="v", time="t")
    assert y[:, 0].tolist() == np.arange(8.0, 59).tolist()
    model = LSTMRegressor(**QUICK).fit(X, y)
    found = model.forecast(frame)
    assert found["t"].tolist() == later and found["t"].dtype == frame["t"].dtype
    model.save(tmp_path / "m")
    assert load(tmp_path / "m").forecast(frame).equals(found)


@pytest.mark.parametrize("kind", ("date", "datetime[ms]", "datetime[ns, UTC]", "duration"))
def test_times_of_polars(kind):
    hours = pl.Series(np.arange(60) * 24 * 3_600_000_000)
    times = {
        "date": lambda: hours.cast(pl.Datetime("us")).cast(pl.Date),
        "datetime[ms]": lambda: hours.cast(pl.Datetime("us")).cast(pl.Datetime("ms")),
        "datetime[ns, UTC]": lambda: (hours * 1000).cast(pl.Datetime("ns", "UTC")),
        "duration": lambda: hours.cast(pl.Duration("us")),
    }[kind]()
    frame = pl.DataFrame({"t": times, "v": np.arange(60.0)})
    model = LSTMRegressor(**QUICK).fit(*windows(frame[:58], 8, 2, target="v", time="t"))
    found = model.forecast(frame[:58])
    assert found["t"].to_list() == frame["t"][58:].to_list() and found["t"].dtype == times.dtype


def test_a_new_column_is_read_by_what_was_learned():
    """5/6/2023 alone could be either day."""
    frame = pd.DataFrame({"t": DAYS.strftime("%d/%m/%Y"), "v": np.arange(60.0)})
    model = LSTMRegressor(**QUICK).fit(*windows(frame, 3, 2, target="v", time="t"))
    days = ["03/06/2023", "04/06/2023", "05/06/2023", "06/06/2023"]
    new = pd.DataFrame({"t": days, "v": 1.0})
    assert model.forecast(new)["t"].tolist() == ["07/06/2023", "08/06/2023"]
    assert model.sequences_.series["time_format"].order == "dmy"
    with pytest.raises(ValueError, match="written as in training, such as"):
        model.forecast(new.assign(t=["a", "b", "c", "d"]))


def test_a_calendar_that_was_learned_is_that_of_few_rows_too():
    days = pd.bdate_range("2024-01-01", periods=60)
    frame = pd.DataFrame({"t": days, "v": np.arange(60.0)})
    model = LSTMRegressor(**QUICK).fit(*windows(frame, 3, 2, target="v", time="t"))
    week = frame[:5]  # Monday to Friday
    assert model.forecast(week)["t"].tolist() == list(days[5:7])


# -- the index of pandas -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "index",
    [DAYS, DAYS.rename("day"), DAYS.to_period("D"), pd.Index(DAYS.strftime("%d.%m.%Y")),
     DAYS.tz_localize("UTC")],
)  # fmt: skip
def test_dates_in_the_index_are_the_time(index):
    """A frame whose index is in disorder must not be cut in the order of its rows."""
    frame = pd.DataFrame({"v": np.arange(60.0)}, index=index)
    X, y = windows(frame.sample(frac=1, random_state=0), 8, 2)
    assert y[:, 0].tolist() == np.arange(8.0, 59).tolist() and X.shape[2] == 1
    found = LSTMRegressor(**QUICK).fit(X, y).forecast(frame[::-1])
    assert found.columns.tolist() == ["v"] and found.index.names == frame.index.names
    assert len(found) == 2 and (index[-1] not in found.index)
    values, y = windows(frame["v"].sample(frac=1, random_state=0), 8)
    assert y.tolist() == np.arange(8.0, 60).tolist() and values.shape == (52, 8, 1)


@pytest.mark.parametrize("names", (["shop", "day"], [None, None]))
def test_the_levels_of_an_index_are_group_and_time(names):
    index = pd.MultiIndex.from_product([["a", "b"], DAYS[:30]], names=names)
    frame = pd.DataFrame({"v": np.arange(60.0), "w": 1.0}, index=index)
    mixed = frame.sample(frac=1, random_state=0)
    X, y = windows(mixed, 8, 2, target="v")
    assert sorted(X.names) == ["a", "b"] and len(X) == 2 * 21
    assert (y[:, 1] == y[:, 0] + 1).all()
    found = LSTMRegressor(**QUICK).fit(X, y).forecast(mixed).sort_index()
    assert found.index.names == names
    assert found.index.tolist() == [(who, day) for who in "ab" for day in DAYS[30:32]]
    if names[0]:
        by_name = windows(mixed, 8, 2, target="v", time="day", group="shop")
        assert (by_name[1] == y).all()


def test_an_index_that_does_not_tell_is_named():
    index = pd.MultiIndex.from_product([["a", "b"], range(30)], names=["shop", "k"])
    frame = pd.DataFrame({"v": np.arange(60.0)}, index=index)
    with pytest.raises(ValueError, match="Got levels 'shop', 'k'. Name them by group and time"):
        windows(frame, 8, 2)
    assert len(windows(frame, 8, 2, time="k", group="shop")[0]) == 2 * 21
    assert len(windows(frame.reset_index(drop=True), 8, 2)[0]) == 51
    model = LSTMRegressor(group="shop", time="k", **QUICK).fit(frame, [0.0, 1.0])
    assert model.predict(frame).shape == (2,)


def test_a_column_that_is_named_goes_before_the_index():
    frame = pd.DataFrame({"t": range(60), "v": np.arange(60.0)}, index=DAYS[::-1])
    _, y = windows(frame, 8, target="v", time="t")
    assert y.tolist() == np.arange(8.0, 60).tolist()


# -- errors --------------------------------------------------------------------------------------


def test_clocks_that_were_set_back_are_named():
    local = pd.date_range(end="2024-10-28", periods=60, freq="h", tz="Europe/Berlin")
    frame = pd.DataFrame({"t": local.strftime("%Y-%m-%d %H:%M"), "v": 1.0})
    with pytest.raises(ValueError, match=r"Got '2024-10-27 02:00' .* from summer time: give the t"):
        windows(frame, 8, target="v", time="t")
    frame["t"] = ["2024-10-27 12:00"] * 60
    with pytest.raises(ValueError, match=r"in rows 0 and 1. Leave one out, or name the sequences"):
        windows(frame, 8, target="v", time="t")


def test_times_with_and_without_a_zone_do_not_go_together():
    texts = [str(day) for day in DAYS[:30]] + [f"{day}+02:00" for day in DAYS[30:]]
    with pytest.raises(TypeError, match="all with a time zone or all without"):
        windows(pd.DataFrame({"t": texts, "v": 1.0}), 8, target="v", time="t")
    with pytest.raises(ValueError, match="must say when every row was. Got NaT in row 7"):
        windows(daily().assign(day=DAYS.where(DAYS != DAYS[7])), 8, target="v", time="day")


def test_a_table_is_forecast_not_predicted():
    X, y = windows(daily(), 8, 2, target="v", time="day")
    model = LSTMRegressor(**QUICK).fit(X, y)
    for table in (daily(), daily()[["v"]], daily()["v"], pl.from_pandas(daily())):
        with pytest.raises(TypeError, match="Got a table. Use forecast for .*data.windows or last"):
            model.predict(table)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(86400 * 120, "120 days"), (86400, "1 day"), (3600, "1 hour"), (90000, "25 hours"),
     (900, "15 minutes"), (1, "1 second"), (0.5, "0.5 seconds")],
)  # fmt: skip
def test_lengths_of_time_in_words(seconds, words):
    assert duration_words(timedelta(seconds=seconds)) == words


def test_the_times_of_a_long_table_are_read_by_what_was_learned(tmp_path):
    """Of one sequence alone nobody could tell the day from the month."""
    days = DAYS[:30].strftime("%d/%m/%Y")
    table = pd.DataFrame({"who": np.repeat(["a", "b"], 30), "t": [*days, *days], "v": 1.0})
    table["v"] = np.arange(60.0)
    model = LSTMRegressor(group="who", time="t", **QUICK).fit(table, [0.0, 1.0])
    new = pd.DataFrame({"who": "c", "t": ["03/04/2023", "02/05/2023"], "v": [1.0, 2.0]})
    expected = model.predict(new)
    model.save(tmp_path / "m")
    assert load(tmp_path / "m").predict(new[::-1]) == expected
    swapped = new.assign(v=[2.0, 1.0], t=new["t"].to_numpy()[::-1])
    assert model.predict(swapped) == expected
