"""The forecasts to beat: fitted on the windows that are learned from, and on those alone."""

import json

import numpy as np
import pandas as pd
import pytest

from pellucid.data import windows
from pellucid.data.baselines import Baselines


def series(values, times=None, **columns):
    times = np.arange(len(values)) if times is None else times
    return pd.DataFrame({"t": times, "y": np.asarray(values, dtype=float), **columns})


def cut(frame, steps=6, horizon=3, group=None):
    return windows(frame, steps, horizon, target="y", time="t", group=group)


def noise(count=300, seed=0):
    return np.random.default_rng(seed).normal(size=count)


@pytest.mark.parametrize(
    ("times", "period"),
    [
        (pd.date_range("2024-01-01", periods=300, freq="h"), 24),
        (pd.date_range("2024-01-01", periods=300, freq="30min"), 48),
        (pd.date_range("2024-01-01", periods=300, freq="D"), 7),
        (pd.bdate_range("2024-01-01", periods=300), 5),
        (pd.date_range("2020-01-05", periods=300, freq="W"), 52),
        (pd.date_range("1990-01-01", periods=300, freq="MS"), 12),
        (pd.date_range("1990-01-01", periods=300, freq="QS"), 4),
        (pd.date_range("1990-01-01", periods=300, freq="D").strftime("%Y-%m-%d"), 7),
        (np.arange(300), None),
    ],
)
def test_times_tell_the_period(times, period):
    found = Baselines(cut(series(noise(), times))[0])
    assert (found.period, found.found) == (period, "by the times" if period else "")


def test_rows_tell_a_period_where_times_do_not_or_tell_another():
    eleven = np.sin(2 * np.pi * np.arange(300) / 11) + 0.1 * noise()
    assert Baselines(cut(series(eleven))[0]).period == 11
    days = pd.date_range("2024-01-01", periods=300)
    found = Baselines(cut(series(eleven, days))[0])
    assert (found.period, found.found) == (11, "found in the rows")
    week = np.sin(2 * np.pi * np.arange(300) / 7) + 0.1 * noise()
    assert Baselines(cut(series(week, days))[0]).found == "by the times"
    given = Baselines(cut(series(eleven, days))[0], period=5)
    assert (given.period, given.found) == (5, "as given")
    with pytest.raises(ValueError, match="period of the seasonal naive forecast must be a posi"):
        Baselines(cut(series(eleven))[0], period=0)


@pytest.mark.parametrize("seed", range(5))
def test_a_walk_a_trend_and_noise_have_no_period(seed):
    for values in (np.cumsum(noise(500, seed)), np.arange(500) + noise(500, seed), noise(60, seed)):
        assert Baselines(cut(series(values))[0]).period is None


def test_the_season_before_is_looked_up_in_the_window_or_before_it():
    values = np.arange(60.0)
    X, _ = cut(series(values), steps=3, horizon=7)
    found = Baselines(X, period=5).forecasts(X)["seasonal_naive"]
    ahead = X.ahead
    assert np.isnan(found[:2, :5]).any() and np.isfinite(found[2:]).all()
    np.testing.assert_array_equal(found[2:, :5], ahead[2:, :5] - 5)
    np.testing.assert_array_equal(found[2:, 5:], ahead[2:, 5:] - 10)  # two seasons: none is known


def test_no_season_is_looked_up_in_another_series():
    frame = pd.concat([series(np.arange(20.0), g="a"), series(np.arange(100.0, 120), g="b")])
    X, _ = cut(frame, steps=2, horizon=1, group="g")
    found = Baselines(X, period=6).forecasts(X)["seasonal_naive"][:, 0]
    for name, values in zip("ab", (found[X.owners == 0], found[X.owners == 1]), strict=True):
        assert np.isnan(values[:4]).all(), name
        assert ((values[4:] >= 100) == (name == "b")).all()


def test_the_ridge_learns_what_is_linear_at_any_level_and_scale():
    season = np.sin(2 * np.pi * np.arange(400) / 9)
    rows = [series(level + scale * season, g=name) for name, level, scale in
            (("a", 0, 1), ("b", 5000, 300))]  # fmt: skip
    X, y = cut(pd.concat(rows), steps=12, horizon=3, group="g")
    learn, test = X.split(0.3)
    found = Baselines(X[learn]).forecasts(X[test])["ridge"]
    scale = np.where(X.owners[test] == 0, 1, 300)[:, None]
    assert (np.abs(found - y[test]) < 0.01 * scale).all()


def test_missing_values_in_windows_are_no_obstacle():
    frame = series(np.sin(np.arange(100.0)))
    X, y = cut(frame)
    X.table.loc[[4, 5, 30], "y"] = np.nan  # as of a column that is missing in places
    for name, values in Baselines(X, period=7).forecasts(X).items():
        assert values.shape == y.shape, name
        assert np.isfinite(values).mean() > 0.9, name


def test_steps_of_one_and_constants_have_what_they_can():
    X, _ = cut(series(np.arange(30.0)), steps=1)
    assert [*Baselines(X).forecasts(X)] == ["naive"]
    X, _ = cut(series(np.ones(30)))
    found = Baselines(X)
    assert found.period is None and np.isnan(found.scales(X)).all()
    assert all((values == 1).all() for values in found.forecasts(X).values())


def test_the_scale_is_that_of_the_rows_that_were_learned_from():
    """MASE: by series, with the season's lag; later rows have no part in it."""
    frame = pd.concat([series(np.arange(50.0), g="a"), series(10 * np.arange(50.0), g="b")])
    X, _ = cut(frame, group="g")
    learn, test = X.split(0.3)
    later = frame.copy()
    later.loc[later["t"] >= 40, "y"] *= 1000
    changed, _ = cut(later, group="g")
    found = Baselines(changed[learn], period=4).scales(changed[test])
    np.testing.assert_array_equal(found, np.where(X.owners[test] == 0, 4.0, 40.0))
    unknown, _ = cut(series(np.arange(50.0), g="c"), group="g")
    assert np.isnan(Baselines(X[learn]).scales(unknown)).all()


def test_nothing_is_learned_from_later_rows():
    """All after the cut times 1000: the same forecasts to the bit of windows before it."""
    frame = series(np.sin(np.arange(300) / 3) + 0.1 * noise())
    X, _ = cut(frame)
    learn, test = X.split(0.3)
    cut_row = X.ahead[test[0], 0]
    frame.loc[frame["t"] >= cut_row, "y"] *= 1000
    changed, _ = cut(frame)
    ours, theirs = (Baselines(one[learn]) for one in (X, changed))
    assert ours.period == theirs.period == 19
    first = test[:1]
    for name, values in ours.forecasts(X[first]).items():
        np.testing.assert_array_equal(values[:, :3], theirs.forecasts(changed[first])[name])


def test_state_is_taken_over_only_as_it_was():
    frame = pd.concat([series(np.sin(np.arange(60)), g=1), series(np.ones(60), g="b")])
    X, _ = cut(frame, group="g")
    found = Baselines(X, period=7)
    config, arrays = found.state()
    again = Baselines.from_state(json.loads(json.dumps(config)), arrays)
    assert (again.period, again.found) == (7, "as given")
    np.testing.assert_array_equal(again.scales(X), found.scales(X))
    ours, theirs = found.forecasts(X), again.forecasts(X)
    assert [*ours] == [*theirs] == ["naive", "seasonal_naive", "ridge"]
    for name, values in ours.items():
        np.testing.assert_array_equal(values, theirs[name])
    without = Baselines(X, ridge=False)
    assert [*Baselines.from_state(*without.state()).forecasts(X)] == [*without.forecasts(X)]
    for wrong in (
        {**config, "ridge": [3, 9]},
        {**config, "series": ["1"]},
        {**config, "period": 0},
    ):
        with pytest.raises(ValueError, match="forecasts to beat"):
            Baselines.from_state({**config, **wrong}, arrays)
    with pytest.raises(ValueError, match="coefficients of the forecasts to beat must be finite"):
        Baselines.from_state(config, {**arrays, "coefficients": arrays["coefficients"] * np.nan})
