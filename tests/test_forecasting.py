"""What comes after the end of a series, from Python: as a table of the user's own library."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.exceptions import NotFittedError

from pellucid import LSTMClassifier, LSTMRegressor, NetworkRegressor, RNNRegressor, load
from pellucid.data import last_window, windows
from pellucid.layers import GRU

QUICK = {"hidden_dim": 4, "max_epochs": 2, "random_state": 0, "verbose": 0}


def series(**columns):
    days = pd.date_range("2024-01-01", periods=40)
    return pd.DataFrame({"day": days, "height": np.sin(np.arange(40) / 3), **columns})


@pytest.fixture(scope="module")
def model():
    X, y = windows(series(), 6, 3, target="height", time="day")
    return LSTMRegressor(**QUICK).fit(X, y)


def test_a_forecast_is_what_is_predicted_from_the_last_window(model, tmp_path):
    frame = series().sample(frac=1, random_state=0)
    found = model.forecast(frame)
    assert found.columns.tolist() == ["day", "height"]
    assert found["day"].tolist() == list(pd.date_range("2024-02-10", periods=3))
    assert found["day"].dtype == frame["day"].dtype
    expected = model.predict(last_window(frame, 6, time="day"))
    np.testing.assert_array_equal(found["height"], expected[0])
    model.save(tmp_path / "m")
    assert load(tmp_path / "m").forecast(frame).equals(found)
    assert model.forecast(series(kind="x").tail(6)).equals(found)  # what it need not know


@pytest.mark.parametrize("library", (pl.from_pandas, pa.Table.from_pandas), ids=("polars", "arrow"))
@pytest.mark.parametrize("unit", ("us", "ms"))
def test_it_is_a_table_of_the_same_library(model, library, unit):
    frame = series()
    frame["day"] = frame["day"].dt.as_unit(unit)
    given = library(frame)
    found = model.forecast(given)
    assert type(found) is type(given)
    assert found.schema == given.select(["day", "height"]).schema
    expected = model.forecast(frame)
    assert (found["day"].to_numpy() == expected["day"].to_numpy()).all()
    np.testing.assert_array_equal(found["height"].to_numpy(), expected["height"])


def test_several_series_each_by_its_name():
    frame = pd.concat([series(), series()[:30]], ignore_index=True)
    frame["place"] = pd.Categorical(["b"] * 40 + ["a"] * 30, categories=["a", "b", "c"])
    X, y = windows(frame, 5, 2, target="height", time="day", group="place")
    model = RNNRegressor(**QUICK).fit(X, y)
    found = model.forecast(frame.sample(frac=1, random_state=1))
    assert found.columns.tolist() == ["place", "day", "height"]
    assert found["place"].dtype == frame["place"].dtype
    found = found.sort_values(["place", "day"], ignore_index=True)
    assert found["place"].tolist() == ["a", "a", "b", "b"]
    days = pd.to_datetime(["2024-01-31", "2024-02-01", "2024-02-10", "2024-02-11"])
    assert found["day"].tolist() == days.tolist()
    one = model.forecast(frame[frame["place"] == "a"])
    np.testing.assert_array_equal(one["height"], found["height"][:2])


def test_without_times_steps_are_counted():
    frame = series()[["height"]]
    X, y = windows(frame, 5)
    found = NetworkRegressor([GRU(4)], max_epochs=2, random_state=0, verbose=0).fit(X, y)
    table = found.forecast(frame)
    assert table.columns.tolist() == ["step", "height"] and table["step"].tolist() == [1]
    table = RNNRegressor(**QUICK).fit(*windows(frame.rename(columns={"height": "step"}), 5, 2))
    table = table.forecast(frame.rename(columns={"height": "step"}))
    assert table.columns.tolist() == ["ahead", "step"] and table["ahead"].tolist() == [1, 2]


def test_times_that_do_not_tell_are_missing():
    X, y = windows(series(), 1, target="height", time="day")
    found = RNNRegressor(**QUICK).fit(X, y).forecast(series()[:1])
    assert found["day"].isna().all() and found["day"].dtype == series()["day"].dtype


def test_faults(model):
    frame = series()
    for unfit in (LSTMRegressor(), NetworkRegressor()):
        with pytest.raises(NotFittedError):
            unfit.forecast(frame)
    message = r"forecast of \w+ needs a fit on windows of a DataFrame, .* Use predict\."
    others = RNNRegressor(**QUICK), NetworkRegressor(max_epochs=1, verbose=0)
    for other in others:
        with pytest.raises(ValueError, match=message):
            other.fit(np.ones((9, 4)), np.arange(9.0)).forecast(frame)
    with pytest.raises(TypeError, match="series of forecast of LSTMRegressor must be a DataFrame"):
        model.forecast(np.ones(9))
    with pytest.raises(ValueError, match="time of windows must be a column of X. Got 'day'"):
        model.forecast(frame[["height"]])
    with pytest.raises(ValueError, match="at least 6 rows, one window. Got 5"):
        model.forecast(frame[:5])
    X, y = windows(frame, 6, 3, target="height", time="day")
    sums = LSTMRegressor(**QUICK).fit(X, y.sum(axis=1))
    with pytest.raises(ValueError, match="one number for each of 3 steps ahead. Got 1. Use pred"):
        sums.forecast(frame)
    assert not hasattr(LSTMClassifier, "forecast")


def test_the_naive_forecast_stays_where_the_series_was():
    frame = series()
    frame.loc[4, "height"] = np.nan
    X, _ = windows(series(), 3, 2, target="height", time="day")
    assert X.naive().shape == (len(X), 2)
    np.testing.assert_array_equal(X.naive()[:, 1], series()["height"][2:-2])
    np.testing.assert_array_equal(X[5:7].naive(), X.naive()[5:7])
    with pytest.raises(ValueError, match=r"must have a target. Got those of last_window. Use win"):
        last_window(frame, 3, time="day").naive()
