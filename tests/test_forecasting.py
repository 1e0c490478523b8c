"""What comes after the end of a series, from Python: as a table of the user's own library."""

import copy

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.exceptions import NotFittedError

from pellucid import LSTMClassifier, LSTMRegressor, NetworkRegressor, RNNRegressor, load
from pellucid.data import last_window, windows
from pellucid.data.intervals import ForecastIntervals
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


def with_intervals(model, count=99):
    """The model, as if so many windows had been kept aside, of errors of about 1."""
    errors = np.linspace(-2, 2, count)[:, None] * np.arange(1, 4)
    model.intervals_ = ForecastIntervals(errors)
    return model


def test_intervals_are_columns_of_the_forecast(model, tmp_path):
    model = with_intervals(copy.deepcopy(model))
    frame = series()
    found = model.forecast(frame, [0.8, 0.95])
    assert found.columns.tolist() == [
        "day", "height", "height lower 80", "height upper 80", "height lower 95", "height upper 95"
    ]  # fmt: skip
    bounds = found.to_numpy()[:, 1:].astype(float)
    assert (bounds[:, 1] < bounds[:, 0]).all() and (bounds[:, 0] < bounds[:, 2]).all()
    assert (bounds[:, 3] < bounds[:, 1]).all() and (bounds[:, 2] < bounds[:, 4]).all()
    assert (np.diff(bounds[:, 2] - bounds[:, 1]) > 0).all()  # by step ahead
    assert found[["day", "height"]].equals(model.forecast(frame))
    lower, upper = model.predict_interval(last_window(frame, 6, time="day"), 0.95)
    assert lower.shape == upper.shape == (1, 3)
    np.testing.assert_array_equal(upper[0], bounds[:, 4])
    model.save(tmp_path / "m")
    assert load(tmp_path / "m").forecast(frame, [0.8, 0.95]).equals(found)
    assert load(tmp_path / "m").digest_ == model.digest_
    assert model.forecast(pl.from_pandas(frame), [0.5]).columns[-1] == "height upper 50"


def test_intervals_that_cannot_be_had_are_refused(model):
    few = with_intervals(copy.deepcopy(model), 20)
    with pytest.raises(ValueError, match=r"level of predict_interval of LSTMRegressor must be at"):
        few.forecast(series(), [0.95])
    other = RNNRegressor(**QUICK).fit(np.ones((9, 4)), np.arange(9.0))
    with pytest.raises(ValueError, match="predict_interval of RNNRegressor needs a fit on windows"):
        other.predict_interval(np.ones((9, 4)))
