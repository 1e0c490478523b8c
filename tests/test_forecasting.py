"""What comes after the end of a series, from Python: as a table of the user's own library."""

import copy

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import r2_score
from sklearn.model_selection import (
    GridSearchCV,
    TimeSeriesSplit,
    cross_val_predict,
    cross_val_score,
)

from pellucid import (
    CNNRegressor,
    FCNNRegressor,
    GRURegressor,
    LSTMClassifier,
    LSTMRegressor,
    NetworkRegressor,
    RNNRegressor,
    load,
)
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
    expected = model.predict(last_window(frame, 6, time="day", like=model.sequences_.series))
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
    message = r"forecast of \w+ needs a fit on windows of a DataFrame or Series, .* Use predict\."
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
    model.intervals_ = ForecastIntervals(errors, np.ones((len(errors), 1)))
    return model


def test_intervals_are_columns_of_the_forecast(model, tmp_path):
    model = with_intervals(copy.deepcopy(model))
    frame = series()
    found = model.forecast(frame, levels=[0.8, 0.95])
    assert found.columns.tolist() == [
        "day", "height", "height lower 80", "height upper 80", "height lower 95", "height upper 95"
    ]  # fmt: skip
    bounds = found.to_numpy()[:, 1:].astype(float)
    assert (bounds[:, 1] < bounds[:, 0]).all() and (bounds[:, 0] < bounds[:, 2]).all()
    assert (bounds[:, 3] < bounds[:, 1]).all() and (bounds[:, 2] < bounds[:, 4]).all()
    assert (np.diff(bounds[:, 2] - bounds[:, 1]) > 0).all()  # by step ahead
    assert found[["day", "height"]].equals(model.forecast(frame))
    lower, upper = model.predict_interval(
        last_window(frame, 6, time="day", like=model.sequences_.series), 0.95
    )
    assert lower.shape == upper.shape == (1, 3)
    np.testing.assert_array_equal(upper[0], bounds[:, 4])
    model.save(tmp_path / "m")
    assert load(tmp_path / "m").forecast(frame, levels=[0.8, 0.95]).equals(found)
    assert load(tmp_path / "m").digest_ == model.digest_
    assert model.forecast(pl.from_pandas(frame), levels=[0.5]).columns[-1] == "height upper 50"


def test_intervals_that_cannot_be_had_are_refused(model):
    few = with_intervals(copy.deepcopy(model), 20)
    with pytest.raises(ValueError, match=r"level of predict_interval of LSTMRegressor must be at"):
        few.forecast(series(), levels=[0.95])
    other = RNNRegressor(**QUICK).fit(np.ones((9, 4)), np.arange(9.0))
    with pytest.raises(ValueError, match="predict_interval of RNNRegressor needs a fit on windows"):
        other.predict_interval(np.ones((9, 4)))


# -- several targets -----------------------------------------------------------------------------


def two():
    return series(depth=np.cos(np.arange(40) / 3) * 100, kind=list("ab" * 20))


@pytest.mark.parametrize("library", (pd.DataFrame, pl.from_pandas), ids=("pandas", "polars"))
def test_each_target_has_a_column(library, tmp_path):
    frame = library(two())
    X, y = windows(frame, 6, 3, target=["depth", "height"], time="day")
    assert y.shape == (32, 3, 2) and X.targets == ["depth", "height"]
    one = windows(frame, 6, 3, target="height", time="day")[1]
    np.testing.assert_array_equal(y[:, :, 1], one)
    assert X.naive().shape == y.shape
    np.testing.assert_array_equal(X.naive()[:, :, 1], X.only("height").naive())
    model = LSTMRegressor(**QUICK).fit(X, y)
    predicted = model.predict(X)
    assert predicted.shape == y.shape and model.predict(X[:1]).shape == (1, 3, 2)
    table = model.forecast(frame)
    assert list(table.columns) == ["day", "depth", "height"]
    last = model.predict(last_window(frame, 6, time="day", like=model.sequences_.series))
    np.testing.assert_array_equal(table["depth"].to_numpy(), last[0, :, 0])
    np.testing.assert_array_equal(table["height"].to_numpy(), last[0, :, 1])
    model.save(tmp_path / "m")
    again = load(tmp_path / "m")
    assert again.digest_ == model.digest_ and again.sequences_.series == model.sequences_.series
    np.testing.assert_array_equal(again.predict(X), predicted)
    flat = (len(y), -1)
    assert model.score(X, y) == r2_score(y.reshape(flat), predicted.reshape(flat))


@pytest.mark.parametrize(
    "model",
    (
        FCNNRegressor(8, max_epochs=2, random_state=0, verbose=0),
        CNNRegressor(4, max_epochs=2, random_state=0, verbose=0),
        RNNRegressor(**QUICK, loss="huber", early_stopping=True),
        LSTMRegressor(**QUICK, target_transform="log1p"),
    ),
    ids=lambda model: type(model).__name__,
)
def test_arrays_take_targets_by_step_too(model):
    """What is learned is the same as of the flat shape, to the bit."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 5)), rng.uniform(size=(60, 2, 3))
    X = X[:, :, None] if isinstance(model, (RNNRegressor, LSTMRegressor)) else X
    fitted = clone(model).fit(X, y, validation_data=(X[:9], y[:9]))
    other = clone(model).fit(X, y.reshape(60, 6), validation_data=(X[:9], y[:9].reshape(9, 6)))
    assert fitted.predict(X).shape == y.shape
    np.testing.assert_array_equal(fitted.predict(X).reshape(60, 6), other.predict(X))
    assert fitted.score(X, y) == other.score(X, y.reshape(60, 6))
    assert fitted.about_.averages == other.about_.averages


def test_scikit_learn_takes_targets_by_step():
    X, y = windows(two(), 4, 2, target=["depth", "height"], time="day")
    model = RNNRegressor(**QUICK)
    cv = TimeSeriesSplit(2, gap=1)
    scores = cross_val_score(model, X, y, cv=cv)
    for score, (train, test) in zip(scores, cv.split(X), strict=True):
        fitted = clone(model).fit(X[train], y[train])
        assert score == fitted.score(X[test], y[test])
    assert cross_val_predict(model, X, y, cv=3).shape == y.shape
    found = GridSearchCV(model, {"loss": ["mse", "mae"]}, cv=cv).fit(X, y)
    assert found.predict(X).shape == y.shape


def test_weights_and_later_rows_go_with_targets_by_step():
    X, y = windows(two(), 4, 2, target=["depth", "height"], time="day")
    weight = np.where(np.arange(len(X)) < 20, 1.0, 0.0)
    wild = np.where(weight[:, None, None] > 0, y, 1e9)
    one, other = (RNNRegressor(**QUICK).fit(X, each, weight) for each in (y, wild))
    np.testing.assert_array_equal(one.predict(X), other.predict(X))
    one.partial_fit(X, y)
    assert one.predict(X).shape == y.shape
    with pytest.raises(ValueError, match=r"must have the shape \(rows, 2, 2\), as before"):
        one.partial_fit(X, y.reshape(len(y), 4))


def test_a_list_of_one_target_is_a_list():
    X, y = windows(two(), 6, target=["depth"], time="day")
    assert y.shape == (34, 1, 1) and X.targets == ["depth"]
    model = RNNRegressor(**QUICK).fit(X, y)
    assert model.forecast(two()).columns.tolist() == ["day", "depth"]


def test_several_targets_with_holes_or_as_text(tmp_path):
    frame = two()
    frame.loc[20, "depth"] = np.nan
    X, y = windows(frame, 4, 2, target=["height", "depth"], time="day")
    assert len(y) == 33 and np.isfinite(y).all()
    assert "values of 'height', 'depth' to forecast are missing" in X.notes[0]
    frame = two()
    frame["depth"] = [f"{1000 * value:,.0f}".replace(",", ".") for value in frame["depth"]]
    X, y = windows(frame, 4, 2, target=["height", "depth"], time="day")
    assert np.abs(y[:, :, 1]).max() > 90_000
    model = RNNRegressor(**QUICK).fit(X, y)
    model.save(tmp_path / "m")
    again = load(tmp_path / "m")
    part = frame.tail(9)
    like = again.sequences_.series
    read = windows(part, 4, 2, target=["height", "depth"], time="day", like=like)[1]
    np.testing.assert_array_equal(read, y[-len(read) :])
    pd.testing.assert_frame_equal(again.forecast(frame), model.forecast(frame))
    before = again.forecast(frame[:39])
    frame.loc[39, "depth"] = None
    with pytest.warns(UserWarning, match="'height' or 'depth' is missing in the last row, with wh"):
        pd.testing.assert_frame_equal(again.forecast(frame), before)


@pytest.mark.parametrize(
    ("target", "words"),
    (
        ([], r"target of windows must be at least one column. Got \[\]"),
        (["depth", "depth"], "must name each column once. Got 'depth' twice"),
        (["depth", "dept"], "must be a column of the series. Got 'dept'. Did you mean 'depth'"),
    ),
)
def test_bad_lists_of_targets(target, words):
    with pytest.raises(ValueError, match=words):
        windows(two(), 6, target=target, time="day")


def test_several_columns_of_an_array():
    series = np.stack([np.arange(9.0), -np.arange(9.0)], axis=1)
    X, y = windows(series, 3, 2, target=[1, 0])
    assert X.shape == (5, 3, 2) and y.shape == (5, 2, 2)
    assert y[0].tolist() == [[-3, 3], [-4, 4]]


# -- as many steps as are asked for --------------------------------------------------------------


def test_fewer_steps_are_the_first_of_them(model):
    whole = model.forecast(series())
    for steps in (1, 2, 3):
        pd.testing.assert_frame_equal(model.forecast(series(), steps=steps), whole[:steps])
    with pytest.raises(ValueError, match="steps of forecast of .* must be a positive integer"):
        model.forecast(series(), steps=0)


GOES_ON = "ignore:.* learned. the forecast goes on from its own answers"


def by_hand(model, frame, steps, targets, group=None):
    """Its own answers put below the table, with all else as it was, as often as it takes."""
    found = []
    for _, one in frame.groupby(group or (lambda row: 0), sort=False):
        horizon, known = model.sequences_.series["horizon"], len(one)
        while len(one) < known + steps:
            told = model.forecast(one)
            more = pd.concat([one.tail(1)] * horizon, ignore_index=True)
            more[["day", *targets]] = told[["day", *targets]]
            one = pd.concat([one, more], ignore_index=True)
        found.append(one[known : known + steps])
    return pd.concat(found, ignore_index=True)


@pytest.mark.filterwarnings(GOES_ON)
@pytest.mark.parametrize("steps", (4, 7, 20))
@pytest.mark.parametrize("window", (2, 6))
def test_beyond_what_was_learned_it_goes_on_from_its_own_answers(window, steps):
    """Also where a window is shorter than the horizon, so that it holds nothing but answers."""
    frame = two()
    X, y = windows(frame, window, 3, target=["height", "depth"], time="day")
    model = LSTMRegressor(**QUICK).fit(X, y)
    found = model.forecast(frame, steps=steps)
    expected = by_hand(model, frame, steps, ["height", "depth"])
    assert len(found) == steps and found["day"].tolist() == expected["day"].tolist()
    np.testing.assert_array_equal(found[["height", "depth"]], expected[["height", "depth"]])


@pytest.mark.filterwarnings(GOES_ON)
@pytest.mark.parametrize("library", (pd.DataFrame, pl.from_pandas), ids=("pandas", "polars"))
def test_several_series_go_on_each(library):
    frame = pd.concat([two(), two()[:30].assign(height=5.0)], ignore_index=True)
    frame["place"] = ["b"] * 40 + ["a"] * 30
    X, y = windows(library(frame), 5, 2, target="height", time="day", group="place")
    model = RNNRegressor(**QUICK).fit(X, y)
    found = model.forecast(library(frame), steps=5)
    expected = by_hand(model, frame, 5, ["height"], "place")
    assert list(found["place"]) == list(expected["place"])
    np.testing.assert_array_equal(found["height"].to_numpy(), expected["height"])
    assert list(found["day"]) == list(expected["day"])


@pytest.mark.filterwarnings(GOES_ON)
def test_a_counting_series_is_counted_on():
    """A model that adds one to the last value goes on adding: the answer is known."""
    frame = pd.DataFrame({"v": np.arange(60) % 2})
    X, y = windows(frame, 3, 2)
    model = RNNRegressor(8, max_epochs=60, random_state=0, verbose=0).fit(X, y)
    found = model.forecast(frame, steps=9)["v"]
    np.testing.assert_allclose(found, [0, 1] * 4 + [0], atol=0.2)


def test_that_it_goes_on_is_said_once(model):
    with pytest.warns(UserWarning, match="3 steps ahead were learned: the") as told:
        model.forecast(series(), steps=10)
    assert len(told) == 1
    quantile = LSTMRegressor(**QUICK, loss="quantile", quantile=0.9)
    quantile.fit(*windows(series(), 6, 3, target="height", time="day"))
    assert len(quantile.forecast(series(), steps=3)) == 3
    with pytest.raises(ValueError, match="at most 3, .* what goes on from a quantile is none"):
        quantile.forecast(series(), steps=4)


def test_text_that_is_numbers_goes_on_as_numbers():
    frame = two()
    frame["depth"] = [f"{1000 * value:,.0f}".replace(",", ".") for value in frame["depth"]]
    X, y = windows(frame, 4, 2, target="depth", time="day")
    model = RNNRegressor(**QUICK).fit(X, y)
    with pytest.warns(UserWarning, match="2 steps ahead were learned"):
        found = model.forecast(frame, steps=4)
    plain = two()
    plain["depth"] = (1000 * plain["depth"]).round()
    other = RNNRegressor(**QUICK).fit(*windows(plain, 4, 2, target="depth", time="day"))
    with pytest.warns(UserWarning, match="2 steps ahead were learned"):
        np.testing.assert_array_equal(found["depth"], other.forecast(plain, steps=4)["depth"])


def test_intervals_of_several_targets_and_fewer_steps():
    """Each target and step has its own width; beyond the steps learned there are none."""
    X, y = windows(two(), 6, 3, target=["depth", "height"], time="day")
    model = LSTMRegressor(**QUICK).fit(X, y)
    errors = np.linspace(-1, 1, len(X))[:, None] * np.arange(1.0, 7.0)
    model.intervals_ = ForecastIntervals(errors, model._spreads(X))
    found = model.forecast(two(), steps=2, levels=[0.8])
    bounds = [f"{name} {side} 80" for name in ("depth", "height") for side in ("lower", "upper")]
    assert sorted(found.columns) == sorted(["day", "depth", "height", *bounds])
    last = last_window(two(), 6, time="day", like=model.sequences_.series)
    for side, numbers in zip(("lower", "upper"), model.predict_interval(last, 0.8), strict=True):
        assert numbers.shape == (1, 3, 2)
        for place, name in enumerate(("depth", "height")):
            np.testing.assert_array_equal(found[f"{name} {side} 80"], numbers[0, :2, place])
    with pytest.raises(ValueError, match="at most 3, the steps learned, for intervals"):
        model.forecast(two(), steps=4, levels=[0.8])


def long_series(count=400):
    days = pd.date_range("2020-01-01", periods=count)
    noise = np.random.default_rng(0).normal(size=count)
    y = np.sin(2 * np.pi * np.arange(count) / 7) + 0.3 * noise
    return pd.DataFrame({"day": days, "height": 10 + y})


def test_a_fit_on_windows_learns_how_wide_intervals_are():
    """From the last windows that it learns from, and a fit on those before."""
    X, y = windows(long_series(), 8, 2, target="height", time="day")
    learn, test = X.split(0.3)
    model = GRURegressor(8, max_epochs=10, random_state=0, verbose=0).fit(X[learn], y[learn])
    early, late = X[learn].split(0.2)
    assert len(model.intervals_) == len(late)
    lower, upper = model.predict_interval(X[test], 0.8)
    assert 0.7 < np.mean((y[test] >= lower) & (y[test] <= upper)) < 0.9
    one = model.predict_interval(X[test[3:4]], 0.8)  # on itself alone
    np.testing.assert_array_equal(one[0], lower[3:4])


def test_intervals_know_nothing_of_what_comes_after_the_training():
    frame = long_series()
    X, y = windows(frame, 8, 2, target="height", time="day")
    learn, test = X.split(0.3)
    cut = X.ahead[test[0], 0]
    frame.loc[frame.index >= cut, "height"] *= 1000
    changed, z = windows(frame, 8, 2, target="height", time="day")
    ours, theirs = (
        GRURegressor(**QUICK).fit(one[learn], numbers[learn])
        for one, numbers in ((X, y), (changed, z))
    )
    assert ours.digest_ == theirs.digest_
    for mine, other in zip(
        ours.predict_interval(X[test[:1]]), theirs.predict_interval(changed[test[:1]]), strict=True
    ):
        np.testing.assert_array_equal(mine, other)


def test_intervals_of_a_logarithm_are_above_0_and_not_symmetric():
    frame = long_series()
    frame["height"] = np.exp(frame["height"] - 10)
    X, y = windows(frame, 8, 2, target="height", time="day")
    model = GRURegressor(target_transform="log", **QUICK).fit(X, y)
    lower, upper = model.predict_interval(X, 0.9)
    middle = model.predict(X)
    assert (lower > 0).all() and (upper - middle > middle - lower).mean() > 0.9


def test_what_has_no_intervals():
    X, y = windows(long_series(), 8, 2, target="height", time="day")
    model = GRURegressor(loss="quantile", quantile=0.9, **QUICK).fit(X, y)
    with pytest.raises(ValueError, match='what is around a quantile is no interval. Got loss="qua'):
        model.predict_interval(X)
    model = GRURegressor(**QUICK).fit(X, y)
    with pytest.raises(TypeError, match="X of predict_interval of GRURegressor must be Windows"):
        model.predict_interval(np.ones((2, 8, 1)))
    with pytest.raises(ValueError, match="for intervals: no errors are known beyond. Got 3"):
        model.forecast(long_series(), steps=3, levels=[0.8])
    few = GRURegressor(**QUICK).fit(X[:3], y[:3])
    with pytest.raises(ValueError, match="a fit that kept none aside: its windows were too few"):
        few.predict_interval(X)
