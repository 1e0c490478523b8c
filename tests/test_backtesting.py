"""Rolling origins: each fold learns from what was before it, and from nothing else."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator

from pellucid import LSTMRegressor
from pellucid.data import windows
from pellucid.inspection import backtest

QUICK = {"hidden_dim": 4, "max_epochs": 2, "random_state": 0, "verbose": 0}


def series(count=120, **columns):
    rng = np.random.default_rng(0)
    days = pd.date_range("2024-01-01", periods=count)
    y = np.sin(2 * np.pi * np.arange(count) / 7) + 0.1 * rng.normal(size=count)
    return pd.DataFrame({"t": days, "y": y, **columns})


def rolled(frame, model=None, **given):
    given = {"steps": 8, "horizon": 2, "folds": 3, "target": "y", "time": "t", **given}
    return backtest(LSTMRegressor(**QUICK) if model is None else model, frame, **given)


def test_each_window_after_the_start_is_forecast_once_by_what_was_before():
    result = rolled(series())
    assert [fold.origin for fold in result.folds] == [
        pd.Timestamp("2024-01-01") + pd.Timedelta(days=days) for days in (60, 80, 100)
    ]
    firsts = np.concatenate([fold.windows.ahead[:, 0] for fold in result.folds])
    np.testing.assert_array_equal(firsts, np.arange(60, 119))
    assert [fold.learned for fold in result.folds] == [51, 71, 91]  # both targets before 60, ...
    X, y = windows(series(), 8, 2, target="y", time="t")
    learned = X.ahead[:, -1] < 80
    model = LSTMRegressor(**QUICK).fit(X[learned], y[learned])
    fold = result.folds[1]
    np.testing.assert_array_equal(fold.forecasts["model"], model.predict(fold.windows))
    np.testing.assert_array_equal(fold.truth, y[72:92])


@pytest.mark.parametrize("fold", range(3))
@pytest.mark.parametrize("early_stopping", (False, True))
def test_nothing_leaks_from_after_an_origin(fold, early_stopping):
    """All after it times 1000: the fold's first forecasts stay the same to the bit."""
    frame = pd.concat([series(place="a"), series(place="b")], ignore_index=True)
    frame["more"] = np.arange(len(frame)) % 5 * 1.5
    model = LSTMRegressor(early_stopping=early_stopping, **QUICK)
    before = rolled(frame, model, group="place").folds[fold]
    changed = frame.copy()
    later = changed["t"] >= before.origin
    changed.loc[later, ["y", "more"]] *= 1000
    after = rolled(changed, model, group="place").folds[fold]
    assert before.origin == after.origin and before.learned == after.learned
    at_origin = before.windows.when[before.windows.ahead[:, 0]] == 60 + 20 * fold
    assert at_origin.sum() == 2
    for name in ("model", "naive", "seasonal_naive", "ridge"):
        ours, theirs = (one.forecasts[name][at_origin] for one in (before, after))
        np.testing.assert_array_equal(ours, theirs, err_msg=name)
    assert (before.scales == after.scales).all()
    assert not np.array_equal(before.truth[at_origin], after.truth[at_origin])


def test_without_refit_the_model_learns_once():
    result = rolled(series(), refit=False)
    X, y = windows(series(), 8, 2, target="y", time="t")
    learned = X.ahead[:, -1] < 60
    model = LSTMRegressor(**QUICK).fit(X[learned], y[learned])
    for fold in result.folds:
        np.testing.assert_array_equal(fold.forecasts["model"], model.predict(fold.windows))


def test_the_model_that_is_given_stays_as_it_is():
    model = LSTMRegressor(**QUICK)
    rolled(series(), model)
    assert not hasattr(model, "network_")


def test_a_stride_skips_origins_in_each_series():
    frame = pd.concat([series(place="a"), series(place="b")], ignore_index=True)
    result = rolled(frame, stride=10, group="place")
    for code in (0, 1):
        firsts = [f.windows.when[f.windows.ahead[f.windows.owners == code, 0]].tolist()
                  for f in result.folds]  # fmt: skip
        assert firsts == [[60, 70], [80, 90], [100, 110]]


def test_the_errors_are_a_table_and_words():
    result = rolled(series())
    table = pd.DataFrame(result.errors)
    assert len(table) == 3 * 2 * 4
    assert table.columns.tolist() == [
        "fold", "origin", "step", "forecast", "mean_absolute_error", "root_mean_squared_error",
        "mean_absolute_scaled_error",
    ]  # fmt: skip
    assert set(table["forecast"]) == {"model", "naive", "seasonal_naive", "ridge"}
    fold = result.folds[2]
    expected = np.abs(fold.truth - fold.forecasts["ridge"])[:, 1].mean()
    row = table[(table.fold == 3) & (table.step == 2) & (table.forecast == "ridge")]
    assert row["mean_absolute_error"].item() == pytest.approx(expected)
    text = str(result)
    assert max(map(len, text.splitlines())) <= 80
    assert "fold" in text and "as it was 7 rows before (by the times)" in " ".join(text.split())
    assert result.verdict in " ".join(text.split())
    page = result._repr_html_()
    assert page.count("<tr>") == 5 and "seasonal naive" in page and "<script" not in page


class Zero(BaseEstimator):
    """Says that all will be 0."""

    def fit(self, X, y):
        self.fitted_ = True
        return self

    def predict(self, X):
        return np.zeros(X.ahead.shape)


def test_a_model_that_beats_nothing_is_said_so():
    """Of any estimator that takes windows, one without intervals too."""
    frame = series()
    frame["y"] += 100
    result = rolled(frame, Zero())
    assert result.verdict == (
        "The model is no better than the naive forecast, the seasonal naive forecast (period 7) or "
        "a ridge on lags in any step ahead."
    )
    assert result.scores["intervals"] == []


def test_intervals_are_tested_too():
    result = rolled(series(400), folds=2, start=0.6)
    for fold in result.folds:
        lower, upper = fold.bounds[0.8]
        inside = np.mean((fold.truth >= lower) & (fold.truth <= upper))
        assert fold.scores["intervals"][0]["coverage"] == pytest.approx(inside)
    weights = [len(fold.windows) for fold in result.folds]
    shares = [fold.scores["intervals"][0]["coverage"] for fold in result.folds]
    whole = result.scores["intervals"][0]
    assert whole["level"] == 0.8
    assert whole["coverage"] == pytest.approx(np.average(shares, weights=weights))
    assert "On average the 80 % interval has" in " ".join(str(result).split())


def test_it_takes_several_series_and_a_table_without_times():
    frame = pd.concat([series(place="a"), series(place="b")], ignore_index=True)
    result = rolled(frame, group="place")
    assert [one["group"] for one in result.scores["groups"]] == ["a", "b"]
    result = rolled(series()[["y"]], time=None)
    assert [fold.origin for fold in result.folds] == pytest.approx([1 / 2, 2 / 3, 5 / 6])
    result = rolled(series().set_index("t"), time=None)
    assert result.folds[0].origin == pd.Timestamp("2024-03-01")


def test_faults():
    with pytest.raises(ValueError, match="there are 0 and 10 in fold 1. Use fewer folds"):
        rolled(series(40), steps=20, horizon=3, folds=2)
    with pytest.raises(ValueError, match="folds of backtest must be a positive integer. Got 0"):
        rolled(series(), folds=0)
    with pytest.raises(ValueError, match="start of backtest must be"):
        rolled(series(), start=1.0)
    with pytest.raises(
        TypeError, match="series of backtest must be a DataFrame or Series. Got ndarray"
    ):
        backtest(LSTMRegressor(**QUICK), np.arange(99.0), 3)
