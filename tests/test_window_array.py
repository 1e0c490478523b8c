"""Windows of an array: what is a window of it, and what is a plain array."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import TimeSeriesSplit, cross_val_predict

from pellucid import LSTMRegressor, load
from pellucid.data import last_window, windows
from pellucid.data.window_array import WindowArray, as_windows

QUICK = {"hidden_dim": 4, "max_epochs": 2, "random_state": 0, "verbose": 0}


def series(count=200):
    steps = np.arange(count)
    return steps * 0.5 + 5 * np.sin(steps * 2 * np.pi / 7)


def test_it_is_an_array_and_whole_windows_of_it_know_their_series():
    X, _ = windows(series(), 14, 3)
    assert isinstance(X, np.ndarray) and X.shape == (184, 14, 1)
    np.testing.assert_array_equal(np.asarray(X)[5, :, 0], series()[5:19])
    mask = np.arange(184) % 3 == 0
    for some in (X[10:20], X[mask], X[[3, 1]], X.take([3, 1], axis=0), np.take(X, [3, 1], axis=0)):
        assert isinstance(some, WindowArray)
        held = as_windows(some)
        rows = held.starts[:, None] + np.arange(14)
        np.testing.assert_array_equal(np.asarray(some), held.table[rows])
    for other in (X[0], X[:, :, 0], X[:, 2:], X - 1, np.abs(X), X.copy(), X.reshape(184, 14)):
        assert as_windows(other) is other
    assert isinstance(X.mean(), float) and isinstance(X[0, 0, 0], float)
    with pytest.raises(ValueError, match="read-only"):
        X[0] = 0
    changed = X.copy()
    changed[0] = 0
    again = pickle.loads(pickle.dumps(X[4:9]))
    np.testing.assert_array_equal(np.asarray(again), np.asarray(X[4:9]))
    assert as_windows(again).starts.tolist() == [4, 5, 6, 7, 8]
    assert type(pickle.loads(pickle.dumps(X - 1))) is np.ndarray


def test_a_model_of_it_is_that_of_a_table(tmp_path):
    """To the bit; it goes on where the series has not been."""
    X, y = windows(series(), 14, 3)
    table, same = windows(pd.DataFrame({"v": series()}), 14, 3)
    np.testing.assert_array_equal(y, same)
    model, other = (LSTMRegressor(**QUICK).fit(each[:120], y[:120]) for each in (X, table))
    found = model.predict(X[130:])
    np.testing.assert_array_equal(found, other.predict(table[130:]))
    assert np.abs(found - y[130:]).max() < 0.5
    np.testing.assert_array_equal(found, model.predict(np.array(X[130:])))  # a plain array
    np.testing.assert_array_equal(found[-1:], model.predict(last_window(series()[:-3], 14)))
    for side in model.predict_interval(X[130:], 0.5):
        assert side.shape == found.shape
    model.save(tmp_path / "m")
    np.testing.assert_array_equal(load(tmp_path / "m").predict(X[130:]), found)
    with pytest.raises(TypeError, match="must be windows of a series, as in fit. Got ndarray"):
        model.predict(np.ones((3, 5, 1)))


def test_folds_of_it_are_windows():
    X, y = windows(series(), 14)
    cv = [(learn, test) for learn, test in TimeSeriesSplit(3).split(X)]
    rows = np.concatenate([test for _, test in cv])
    one = LSTMRegressor(**QUICK)
    found = np.concatenate([one.fit(X[a], y[a]).predict(X[b]) for a, b in cv])
    assert np.abs(found - y[rows]).max() < 1
    with pytest.raises(ValueError, match="partitions"):
        cross_val_predict(one, X, y, cv=TimeSeriesSplit(3))


def test_of_several_columns_one_is_the_target():
    both = np.stack([np.cos(np.arange(100.0)), series(100)], axis=1)
    for target in (1, -1):
        X, y = windows(both, 8, 2, target=target)
        assert as_windows(X).targets == [1]
        np.testing.assert_array_equal(as_windows(X).naive(), np.asarray(X)[:, -1:, 1].repeat(2, 1))
    model = LSTMRegressor(**QUICK).fit(X[:60], y[:60])
    assert np.abs(model.predict(X[70:]) - y[70:]).max() < 2
    scaled = X - X.mean()  # by hand: sequences as any others
    assert model.fit(scaled, y).sequences_.windows is None


def test_with_a_target_at_each_step_it_is_an_array():
    X, _ = windows(series(60), 6)
    answers = np.cumsum(X[:, :, 0], axis=1)
    model = LSTMRegressor(return_sequences=True, **QUICK).fit(X, answers)
    assert model.predict(X).shape == answers.shape
