"""Intervals around forecasts: as wide as the errors in windows kept aside say, by step ahead."""

import numpy as np
import pandas as pd
import pytest

from pellucid.data import windows
from pellucid.data.intervals import ForecastIntervals, spreads
from pellucid.data.target_transforms import IDENTITY, TRANSFORMS


def intervals(errors):
    """Of windows that are all as restless."""
    return ForecastIntervals(errors, np.ones((len(errors), 1)))


def test_bounds_are_order_statistics_of_each_step():
    """Of 39 errors the outermost two bound a fortieth in 95 % of cases, of 9 one in 80 %."""
    errors = np.arange(1.0, 40)[:, None] * [1, -10]
    found = intervals(errors[::-1])
    lower, upper = found.bounds("m", 0.95)
    assert lower.tolist() == [1, -390] and upper.tolist() == [39, -10]
    lower, upper = found.bounds("m", 0.8)  # 40 * 0.1 = 4 errors in each tail
    assert lower.tolist() == [4, -360] and upper.tolist() == [36, -40]
    lower, upper = intervals(errors[:9]).bounds("m", 0.8)
    assert lower.tolist() == [1, -90] and upper.tolist() == [9, -10]


@pytest.mark.parametrize("level", (0.5, 0.8, 0.9, 0.95))
@pytest.mark.parametrize("count", (39, 100, 101, 1000))
def test_new_errors_are_covered_as_often_as_promised(level, count):
    """On average over many draws, and hardly more often: skewed errors, a tail each."""
    rng = np.random.default_rng(0)
    covered = []
    for _ in range(300):
        errors = rng.exponential(size=(count + 50, 1)) ** 1.5
        lower, upper = intervals(errors[:count]).bounds("m", level)
        new = errors[count:]
        covered.append(np.mean((new >= lower) & (new <= upper)))
    assert level - 0.01 < np.mean(covered) < level + 2 / count + 0.01


def test_intervals_are_as_wide_as_a_window_is_restless():
    """Errors twice as large in windows twice as restless: the same in units of them."""
    rng = np.random.default_rng(0)
    spread = rng.uniform(1, 10, size=(400, 1))
    found = ForecastIntervals(spread * rng.uniform(-1, 1, size=(400, 3)), spread)
    lower, upper = found.around("m", 0.9, np.array([[1.0], [7.0]]))
    np.testing.assert_allclose(upper[1], 7 * upper[0])
    np.testing.assert_allclose(lower[1], 7 * lower[0])
    np.testing.assert_allclose(upper[0], 0.9, atol=0.06)


def test_each_target_has_its_own_spread():
    rng = np.random.default_rng(0)
    spread = np.array([[1.0, 100.0]]).repeat(99, axis=0)
    errors = rng.normal(size=(99, 4)) * [1, 100, 1, 100]  # two steps of two targets
    found = ForecastIntervals(errors, spread)
    _, upper = found.around("m", 0.8, np.array([[1.0, 100.0]]))
    assert (upper[0, [1, 3]] > 50 * upper[0, [0, 2]]).all()


def test_a_window_that_does_not_move_has_an_interval_all_the_same():
    errors = np.linspace(-1, 1, 99)[:, None]
    found = ForecastIntervals(errors, np.ones((99, 1)))
    _, upper = found.around("m", 0.9, np.array([[0.0], [np.nan], [1.0]]))
    assert 0 < upper[0, 0] < upper[2, 0] == upper[1, 0]
    found = ForecastIntervals(errors, np.zeros((99, 1)))  # nor any that was kept aside
    assert np.isfinite(found.around("m", 0.9, np.zeros((1, 1)))).all()


def test_spreads_are_deviations_of_windows():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=50) + 1e6, "b": rng.uniform(1, 2, size=50)})
    frame.loc[3, "b"] = np.nan
    X, _ = windows(frame, 5, 2, target=["a", "b"])
    found = spreads(X, IDENTITY)
    whole = np.arange(5) + X.starts[:, None]
    np.testing.assert_allclose(found[:, 0], frame["a"].to_numpy()[whole].std(axis=1), rtol=1e-9)
    np.testing.assert_allclose(found[:, 1], np.nanstd(frame["b"].to_numpy()[whole], axis=1))
    logs = np.log(frame["b"].to_numpy()[whole])
    np.testing.assert_allclose(
        spreads(X.only("b"), TRANSFORMS["log"])[:, 0], np.nanstd(logs, axis=1)
    )


@pytest.mark.parametrize(("name", "number"), [("log", 0.0), ("log", -2.0), ("log1p", -0.5)])
def test_a_number_that_the_transform_does_not_take_counts_as_missing(name, number):
    frame = pd.DataFrame({"a": np.random.default_rng(0).uniform(1, 2, size=30)})
    frame.loc[3, "a"] = np.nan
    X, _ = windows(frame, 5, 2, target="a")
    without = spreads(X, TRANSFORMS[name])
    X.table.loc[3, "a"] = number
    np.testing.assert_array_equal(spreads(X, TRANSFORMS[name]), without)


def test_many_errors_are_thinned_and_those_that_are_none_left_out():
    rng = np.random.default_rng(0)
    errors = rng.normal(size=(50_000, 3))
    found = intervals(errors)
    assert len(found) == 2000 and found.outputs == 3
    _, upper = found.bounds("m", 0.8)
    np.testing.assert_allclose(upper, np.quantile(errors, 0.9, axis=0), atol=0.15)
    errors = errors[:20]
    errors[3, 1], errors[5, 0] = np.nan, np.inf
    assert len(intervals(errors)) == 18


@pytest.mark.parametrize(
    ("count", "level", "words"),
    [
        (38, 0.95, "level of m must be at most 0.94: 38 windows were kept aside in fit to tell "
                   "how wide intervals are. Got 0.95. Ask for 0.94 or less, or fit on a longer "
                   "series."),
        (8, 0.8, "level of m must be at most 0.77: 8 windows were kept"),
        (0, 0.5, "level of m must be at most 0: 0 windows were kept aside in fit to tell how wide "
                 "intervals are. Got 0.5. Fit on a longer series."),
        (99, 1.0, "level of m must be"),
        (99, 80, "level of m must be"),
    ],
)  # fmt: skip
def test_a_level_that_cannot_be_had_is_refused(count, level, words):
    with pytest.raises(ValueError) as error:
        intervals(np.zeros((count, 2))).bounds("m", level)
    assert str(error.value).startswith(words)


def test_the_most_that_is_offered_can_be_had():
    for count in range(2, 200):
        found = intervals(np.zeros((count, 1)))
        with pytest.raises(ValueError) as error:
            found.bounds("m", 0.999)
        offered = float(str(error.value).partition("at most ")[2].partition(":")[0])
        found.bounds("m", offered)


def test_state_is_taken_over_only_as_it_was():
    found = intervals(np.random.default_rng(0).normal(size=(40, 2)))
    config, arrays = found.state()
    again = ForecastIntervals.from_state(config, arrays)
    np.testing.assert_array_equal(again.bounds("m", 0.9), found.bounds("m", 0.9))
    for wrong in (
        {**config, "errors": 41},
        {**config, "outputs": 0},
        {**config, "targets": 2},
        {},
        {**config, "more": 1},
    ):
        with pytest.raises(ValueError, match="intervals"):
            ForecastIntervals.from_state(wrong, arrays)
    for wrong in ({}, {"errors": arrays["errors"] * np.nan}, {**arrays, "more": np.zeros(1)}):
        with pytest.raises(ValueError, match="the intervals must be"):
            ForecastIntervals.from_state(config, wrong)
