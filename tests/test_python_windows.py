"""Windows of a series into a model that is written as plain NumPy: its forecasts are ours."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from python_files import (
    CLOSE,
    QUICK,
    check,
    ruff_has_nothing_to_say,
    shaken,
    written,
)

from pellucid import (
    GRURegressor,
    LSTMClassifier,
    LSTMRegressor,
    RNNRegressor,
)
from pellucid.data import windows


def series(rows=160, groups=0, seed=0):
    """A series, or several, with a gap, a text and what is known ahead."""
    rng = np.random.default_rng(seed)
    hours = np.datetime64("2021-01-01T00") + np.arange(rows) * np.timedelta64(6, "h")
    frames = []
    for name in range(groups) if groups else (None,):
        sold = 50 + np.cumsum(rng.normal(size=rows)) + 9 * (name or 0)
        frame = pd.DataFrame({
            "sold": sold, "other": sold * 2 + rng.normal(size=rows), "day": hours,
            "promo": rng.integers(0, 2, rows) * 1.0, "shop": rng.choice(["a", "b"], rows),
        })  # fmt: skip
        frame.loc[5, "other"] = np.nan
        frame.loc[60:70, "other"] = np.nan  # all that some windows have
        frames.append(frame if name is None else frame.assign(name=f"n{name}"))
    return pd.concat(frames, ignore_index=True)


def rows_of(X, ahead=0, group=None):
    """Windows as the written file takes them: a map of arrays (B, steps)."""
    at = X.starts[:, None] + np.arange(X.steps + ahead)
    rows = {name: X.table[name].to_numpy()[at] for name in X.table}
    for name in rows:
        if name not in X.about.get("known", ()):
            rows[name] = rows[name][:, : X.steps]
    if X.clock is not None:
        rows["day"] = X.clock[at]
    if group is not None:
        rows[group] = np.array(X.names)[X.owners]
    return rows


SERIES = {
    "one target": {"horizon": 3},
    "a log": {"horizon": 2, "target_transform": "log"},
    "log1p": {"horizon": 2, "target_transform": "log1p", "scaling": "window"},
    "known ahead": {"horizon": 3, "known": "promo"},
    "two targets": {"horizon": 2, "target": ["sold", "other"], "scaling": "window"},
    "global": {"horizon": 2, "scaling": "global"},
    "several series": {"horizon": 2, "group": "name", "groups": 3, "scaling": "series"},
}


@pytest.mark.parametrize("name", SERIES)
def test_windows_of_a_series(name, tmp_path):
    given = dict(SERIES[name])
    frame = series(groups=given.pop("groups", 0))
    cut = {key: given.pop(key) for key in ("horizon", "known", "group", "target") if key in given}
    cut = {"target": "sold", "time": "day", "steps": 6, **cut}
    X, y = windows(frame, **cut)
    model = shaken(LSTMRegressor(4, **given, **QUICK).fit(X, y))
    module = written(model, tmp_path)
    other = series(groups=3 if "group" in cut else 0, seed=1)
    other.loc[30, "sold"] = -2.0  # which has no logarithm
    other.loc[other.index % 160 // 6 == 15, "sold"] = np.nan  # windows of which nothing is known
    new, _ = windows(other, **cut)
    if "group" in cut:
        new.names[1] = "never seen"
    ahead = model.sequences_.windows.ahead
    for taken in (X, new):
        rows = rows_of(taken, ahead, cut.get("group"))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the series that is new
            pairs = [(module.predict(rows), model.predict(taken))]
            if model.intervals_ is not None:
                bounds = module.predict_interval(rows, 0.6), model.predict_interval(taken, 0.6)
                pairs += zip(*bounds, strict=True)
        for one, other in pairs:
            assert one.shape == other.shape
            assert (np.abs(one - other) < CLOSE * (1 + np.abs(other))).all()
    place = next(iter(rows))
    with pytest.raises(ValueError, match="'sold' must have the shape .B, 6., the steps of each wi"):
        module.predict({**rows, place: rows[place][:, 1:]})
    assert model.intervals_ is not None, "there is no interval to compare"
    with pytest.raises(ValueError, match="level must be above 0 and at most 0.9"):
        module.predict_interval(rows, 0.9999)
    ruff_has_nothing_to_say(tmp_path)


def test_the_calendar_of_windows(tmp_path):
    frame = series(400)[["sold", "day"]]
    hour = frame["day"].dt.hour
    frame["sold"] = 50 + 9 * np.sin(hour / 24 * 6.28) + np.random.default_rng(0).normal(size=400)
    X, y = windows(frame, steps=2, horizon=2, target="sold", time="day")
    model = shaken(GRURegressor(4, **QUICK).fit(X, y))
    assert model.sequences_.windows.cycles, "the calendar did not help: the test needs another"
    module = written(model, tmp_path)
    rows, expected = rows_of(X, 2), model.predict(X)
    assert np.abs(module.predict(rows) - expected).max() < CLOSE * np.abs(expected).max()
    days = np.array(rows["day"] * 1e6, dtype="datetime64[us]")
    assert (module.predict({**rows, "day": days}) == module.predict(rows)).all()
    with pytest.raises(ValueError, match=r"'day' must have the shape \(B, 4\), the times of"):
        module.predict({**rows, "day": rows["day"][:, :2]})


def test_times_in_a_zone_are_read_by_the_clock_on_the_wall_as_the_model_does(tmp_path):
    days = pd.date_range("2021-03-20", periods=500, freq="h", tz="Europe/Berlin")
    sold = np.where(days.hour < 8, 0, 10) + np.random.default_rng(0).normal(size=500)
    frame = pd.DataFrame({"day": days, "sold": sold})
    X, y = windows(frame, steps=3, horizon=2, target="sold", time="day")
    model = shaken(GRURegressor(4, **QUICK).fit(X, y))
    assert model.sequences_.windows.cycles, "the calendar did not help: the test needs another"
    module = written(model, tmp_path)
    at, expected = X.starts[:, None] + np.arange(5), model.predict(X)
    for cells in (days, [day.isoformat() for day in days], days.tz_localize(None)):
        times = [[cells[place] for place in row] for row in at]
        found = module.predict({"sold": sold[at[:, :3]], "day": times})
        assert np.abs(found - expected).max() < CLOSE * np.abs(expected).max()
    source = (tmp_path / "written.py").read_text(encoding="utf-8")
    assert '"day": (B, 5), of the steps ahead too, each a date' in source
    assert "by the clock on the wall, without its zone, or as datetime64" in source


def test_windows_of_an_array(tmp_path):
    X, y = windows(np.random.default_rng(0).normal(size=(150, 2)).cumsum(axis=0), 5, 2, target=1)
    model = shaken(RNNRegressor(4, **QUICK).fit(X, y))
    check(model, written(model, tmp_path), X, np.asarray(X))


@pytest.mark.parametrize("scaling", ["series", "window"])
@pytest.mark.parametrize("size", [1e300, 1e-170])
def test_a_series_whose_squares_overflow_or_vanish(scaling, size, tmp_path):
    numbers = 50 + np.random.default_rng(0).normal(size=150).cumsum()
    X, y = windows(size * numbers, 5, 2)
    model = shaken(RNNRegressor(4, scaling=scaling, **QUICK).fit(X, y))
    module, rows = written(model, tmp_path), np.asarray(X)
    found = [module.predict(rows), *module.predict_interval(rows)]
    expected = [model.predict(X), *model.predict_interval(X)]
    for one, other in zip(found, expected, strict=True):
        assert np.abs(one / size - other / size).max() < CLOSE * 50


def test_classes_of_windows(tmp_path):
    X, y = windows(series(), 5, target="sold", time="day")
    model = LSTMClassifier(4, **QUICK).fit(X, (y > np.median(y)).astype(int))
    module = written(model, tmp_path)
    assert np.abs(module.predict_proba(rows_of(X)) - model.predict_proba(X)).max() < CLOSE
