"""Public holidays as a feature of windows: which days they are, and that nothing is silent."""

import importlib.util
import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
from model_files import apart, together

from pellucid import LSTMRegressor, load
from pellucid.data import last_window, windows
from pellucid.data.holidays import on_holiday
from pellucid.inspection import backtest

QUICK = {"hidden_dim": 4, "max_epochs": 2, "random_state": 0, "verbose": 0}


def seconds(*days):
    return np.array(days, dtype="datetime64[s]").astype(np.float64)


def daily(count=500, **columns):
    """A series that jumps on each of Germany's holidays."""
    days = pd.date_range("2022-01-01", periods=count)
    jumps = on_holiday(seconds(*days.to_numpy()), "DE")
    noise = np.random.default_rng(0).normal(size=count)
    return pd.DataFrame({"day": days, "v": 10.0 + 20.0 * jumps + noise, **columns})


def cut(frame, holidays="DE", **given):
    return windows(frame, 7, 3, target="v", time="day", holidays=holidays, **given)


def fitted(frame, **given):
    return LSTMRegressor(**QUICK).fit(*cut(frame, **given))


@pytest.mark.parametrize(
    ("code", "days", "expected"),
    [
        ("DE", ("2024-12-24", "2024-12-25", "2024-12-25T23:59", "2024-12-26"), [0, 1, 1, 1]),
        ("DE", ("2024-03-29", "2024-04-01", "2024-04-02"), [1, 1, 0]),
        ("US", ("2024-07-04", "1969-12-25", "2024-03-31"), [1, 1, 0]),
        ("US-CA", ("2024-07-04", "2023-03-31", "2024-04-01"), [1, 1, 1]),
        ("DE-BY", ("2024-01-06", "2024-10-03"), [1, 1]),
        ("DE-BE", ("2024-01-06", "2024-10-03"), [0, 1]),
    ],
)
def test_days_that_are_holidays(code, days, expected):
    """Time of day, leap years, movable feasts, days before 1970 and parts of a country."""
    np.testing.assert_array_equal(on_holiday(seconds(*days), code), expected)


def test_a_time_that_is_none_or_far_away_is_on_no_holiday():
    times = np.array([np.nan, -6e10, 9e11, seconds("2024-12-25")[0], np.nan])
    np.testing.assert_array_equal(on_holiday(times, "DE"), [0, 0, 0, 1, 0])
    assert on_holiday(np.zeros(0), "DE").shape == (0,)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("XQ", "must be the code of a country, as 'DE', or of a part of one, as 'US-CA'. Got 'XQ'"),
        ("de", "Got 'de'. Did you mean 'DE'?"),
        ("Germany", "Got 'Germany'. Did you mean 'DE'?"),
        ("united states", "Got 'united states'. Did you mean 'US'?"),
        ("US-ca", "must name a part of US by its code. Got 'US-ca'. Did you mean 'US-CA'?"),
        ("US-", "must name a part of US by its code. Got 'US-'."),
        ("AF-X", "Got 'AF-X'. There is none: write 'AF'."),
        ("", "Got ''."),
        (7, "Got 7."),
    ],
)
def test_an_unknown_code_is_one_sentence(code, words):
    with pytest.raises(ValueError, match=re.escape(words)) as error:
        cut(daily(), holidays=code)
    assert str(error.value).startswith("holidays of windows must")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("series", "given", "came"),
    [
        (pd.DataFrame({"t": range(50), "v": range(50)}), {"time": "t"}, "numbers in 't'"),
        (pd.DataFrame({"w": range(50), "v": range(50)}), {}, "none"),
        (np.arange(50.0), {"target": 0}, "none"),
    ],
)
def test_a_series_without_dates_is_refused(series, given, came):
    words = rf"needs the dates of the series\. Got {came}\. Name a column of dates as time\.$"
    with pytest.raises(ValueError, match="^holidays of windows " + words):
        windows(series, 7, holidays="DE", **{"target": "v", **given})


def test_the_package_that_is_not_there_is_named(monkeypatch):
    frame = daily()
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "holidays" else found(name)
    )
    with pytest.raises(ImportError) as error:
        cut(frame)
    assert str(error.value) == (
        "holidays='DE' needs holidays, which is not installed. Run: pip install "
        '"pellucid[holidays]"'
    )


def test_how_many_rows_are_on_one_is_said_and_kept():
    X, _ = cut(daily())
    assert X.notes == ("13 of 500 rows are on a holiday of DE.",)
    assert X.about["holidays"] == "DE"
    assert "holidays" not in cut(daily(), holidays=None)[0].about
    X, _ = cut(daily().head(20))
    assert X.notes == ("1 of 20 rows is on a holiday of DE.",)


def test_rows_in_years_of_which_no_holidays_are_known_are_counted():
    far = pd.DataFrame({"day": pd.date_range("1940-01-01", periods=40), "v": np.arange(40.0)})
    (note,) = cut(far)[0].notes
    assert note.startswith("0 of 40 rows are on a holiday of DE; 40 lie outside of 19")
    assert note.endswith(" to 2100, of which alone holidays are known.")


@pytest.mark.parametrize("scaling", ["series", "global"])
def test_a_holiday_ahead_is_learned(scaling):
    """The model knows of jumps to come, with a scale of the series and without."""
    frame = daily(900)
    X, _ = cut(frame)
    late = X.when[X.ahead[:, 0]] >= 700
    errors = []
    for holidays in ("DE", None):
        X, y = cut(frame, holidays)
        model = LSTMRegressor(scaling=scaling, **QUICK).fit(X[~late], y[~late])
        jumps = y[late] > 20
        errors.append(np.abs(model.predict(X[late]) - y[late])[jumps].mean())
    assert errors[0] < 8 < 15 < errors[1]


@pytest.mark.parametrize("library", [lambda x: x, pl.from_pandas])
def test_a_saved_model_forecasts_a_holiday_after_the_last_row(library, tmp_path):
    frame = daily(900)
    eve = frame[frame["day"] <= "2024-04-30"]
    model = fitted(library(frame[:700]))
    model.save(tmp_path / "model.safetensors")
    loaded = load(tmp_path / "model.safetensors")
    assert loaded.sequences_.series["holidays"] == "DE"
    assert "the holidays of DE" in loaded.sequences_.describe()[0]
    assert loaded.digest_ == model.digest_
    ahead = np.asarray(loaded.forecast(library(eve))["v"])
    assert ahead[0] > ahead[1] + 10 and ahead[0] > ahead[2] + 10  # the first of May
    last = last_window(library(eve), 7, time="day", like=loaded.sequences_.series)
    np.testing.assert_array_equal(loaded.predict(last)[0], ahead)
    np.testing.assert_array_equal(loaded.predict(last), model.predict(last))


def test_windows_to_predict_may_be_cut_without_a_word_of_holidays():
    frame = daily(700)
    model = fitted(frame[:600])
    plain, _ = cut(frame[580:], holidays=None)
    told, _ = cut(frame[580:])
    np.testing.assert_array_equal(model.predict(plain), model.predict(told))


def test_windows_to_predict_must_have_dates():
    frame = daily()
    model = fitted(frame)
    X, _ = windows(frame[["v"]], 7, 3, target="v")
    with pytest.raises(ValueError, match=r"must be windows of a series with dates, as in fit"):
        model.predict(X)


@pytest.mark.parametrize("place", ["series", "windows"])
def test_a_file_that_names_other_holidays_in_one_place_is_refused(place, tmp_path):
    path = tmp_path / "model.safetensors"
    fitted(daily()).save(path)
    header, tensors = apart(path.read_bytes())
    header["config"]["input"][place]["holidays"] = "US"
    path.write_bytes(together(header, tensors))
    with pytest.raises(ValueError, match="the holidays of windows must be those of the series"):
        load(path)


def test_a_model_of_local_times_takes_the_date_on_the_wall():
    """In New York Independence Day begins when it is four o'clock in the morning in London."""
    hours = pd.date_range("2022-07-01", periods=200, freq="h", tz="America/New_York")
    frame = pd.DataFrame({"t": hours, "v": np.arange(200.0)})
    X, _ = windows(frame, 24, target="v", time="t", holidays="US")
    found = on_holiday(X.clock, "US")
    assert [str(hours[i]) for i in np.flatnonzero(found)[[0, -1]]] == [
        "2022-07-04 00:00:00-04:00", "2022-07-04 23:00:00-04:00",
    ]  # fmt: skip


def test_nothing_leaks_from_after_an_origin_and_folds_know_holidays():
    """All numbers after an origin times 1000: its first forecasts stay the same to the bit."""
    frame = daily(300)
    given = {"steps": 7, "horizon": 3, "folds": 2, "target": "v", "time": "day", "holidays": "DE"}
    model = LSTMRegressor(**QUICK)
    before = backtest(model, frame, **given).folds[1]
    changed = frame.copy()
    changed.loc[changed["day"] >= before.origin, "v"] *= 1000
    after = backtest(model, changed, **given).folds[1]
    assert before.windows.about["holidays"] == "DE"
    np.testing.assert_array_equal(before.forecasts["model"][0], after.forecasts["model"][0])
