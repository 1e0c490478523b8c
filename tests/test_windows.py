"""Windows of a series: what they hold, what followed, and what is refused."""

import decimal

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    RandomizedSearchCV,
    TimeSeriesSplit,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    train_test_split,
)
from sklearn.pipeline import make_pipeline
from sklearn.utils import shuffle

from pellucid import CNNRegressor, FCNNRegressor, LSTMRegressor, load
from pellucid.data import last_window, windows
from pellucid.inspection import backtest
from pellucid.training import loop

QUICK = {"hidden_dim": 8, "max_epochs": 3, "random_state": 0, "verbose": 0}


@given(
    length=st.integers(2, 40), steps=st.integers(1, 10), horizon=st.integers(1, 5),
    stride=st.integers(1, 4),
)  # fmt: skip
def test_windows_of_a_count(length, steps, horizon, stride):
    """Of 0, 1, 2, ... each window counts on, and its answers go on from it."""
    if length < steps + horizon:
        with pytest.raises(ValueError, match=f"must have at least {steps + horizon} rows"):
            windows(np.arange(float(length)), steps, horizon, stride)
        return
    X, y = windows(np.arange(float(length)), steps, horizon, stride)
    y = y.reshape(len(y), -1)
    assert X.shape == (1 + (length - steps - horizon) // stride, steps, 1)
    assert (np.diff(X[:, :, 0], axis=1) == 1).all() and (np.diff(X[:, 0, 0]) == stride).all()
    assert (y[:, 0] == X[:, -1, 0] + 1).all() and y.shape[1] == horizon
    assert (np.diff(y, axis=1) == 1).all() and y.max() <= length - 1


@pytest.mark.parametrize("library", (pd, pl))
def test_a_table_is_put_in_time(library):
    day = [f"2024-01-{d:02d}" for d in range(1, 13)]
    frame = pd.DataFrame({"day": day, "v": np.arange(12.0), "w": "x"}).sample(
        frac=1, random_state=0
    )
    given = frame if library is pd else pl.from_pandas(frame)
    X, y = windows(given, 4, 2, target="v", time="day")
    assert X.shape == (7, 4, 2)  # the time is no feature
    assert (y == np.arange(4.0, 11)[:, None] + [0, 1]).all()
    assert (X.last("v") == np.arange(3.0, 10)).all()
    assert X[2:4].starts.tolist() == [2, 3]


def test_missing_numbers_may_be_objects(monkeypatch):
    """As in pandas before 2.2, for a column of Arrow's floats with a gap."""
    to_numpy = nw.Series.to_numpy

    def with_objects(series):
        values = to_numpy(series)
        return np.where(np.isnan(values), pd.NA, values.astype(object))

    frame = pd.DataFrame({"v": np.arange(6.0), "gap": [1.5, np.nan, 2.5, 3.5, 4.5, 5.5]})
    long = frame.assign(name=["a"] * 3 + ["b"] * 3)
    expected = windows(frame, 2, target="v")[0].last("gap")
    monkeypatch.setattr(nw.Series, "to_numpy", with_objects)
    X, y = windows(frame, 2, target="v")
    assert X.last("gap").tolist() == expected.tolist() == [1.5, 2.5, 3.5, 4.5]
    assert y.tolist() == [2.0, 3.0, 4.0, 5.0]
    model = LSTMRegressor(**QUICK).fit(X, y)
    assert np.isfinite(model.predict(X)).all()
    assert windows(long, 2, target="v", group="name")[1].tolist() == [2.0, 5.0]
    series = windows(frame["gap"], 2)[0]
    assert series.last("gap").tolist() == [1.5, 2.5, 3.5, 4.5]


def test_a_series_of_decimals_may_have_gaps():
    values = [None if v is None else decimal.Decimal(v) for v in ("1.5", None, "2.5", "3.5")]
    X, y = windows(pl.Series(values), 3)
    assert X.columns == ["value"] and X.last("value").tolist() == [2.5]
    assert y.tolist() == [3.5]


@pytest.mark.parametrize("library", [pd, pl])
def test_a_series_is_a_table_of_one_column(library):
    """Else it would be learned as an array, without the linear forecast and scales of windows."""
    numbers = np.cumsum(np.random.default_rng(0).normal(size=60))
    series, frame = library.Series("v", numbers), library.DataFrame({"v": numbers})
    if library is pd:
        series = pd.Series(numbers, index=pd.date_range("2024-01-01", periods=60), name="v")
        frame = series.to_frame()
    X, y = windows(series, 8, 2)
    expected_X, expected_y = windows(frame, 8, 2)
    assert X.columns == ["v"] and (y == expected_y).all()
    model, same = (LSTMRegressor(**QUICK).fit(*pair) for pair in ((X, y), (expected_X, expected_y)))
    assert model.forecast(series).equals(same.forecast(frame))
    results = [backtest(model, form, 8, 2, folds=2).errors for form in (series, frame)]
    assert results[0] == results[1]
    assert last_window(series, 3).last("v").tolist() == numbers[-1:].tolist()


@pytest.mark.parametrize("estimator", [CNNRegressor, FCNNRegressor])
def test_windows_are_for_recurrent_networks(estimator):
    """NumPy would look for rows of rows of them, down to its last axis."""
    X, y = windows(pd.DataFrame({"v": np.arange(30.0)}), 8, 2)
    with pytest.raises(TypeError, match=r"Windows of a series must go to an RNN, LSTM or GRU, .*"):
        estimator(max_epochs=1, verbose=0).fit(X, y)
    with pytest.raises(TypeError, match="Cut an array"):
        np.asarray(X)


def test_scikit_learn_takes_windows_as_it_takes_rows():
    """Its 1.9 asks for ``array[key, ...]``."""
    X, y = windows(pd.DataFrame({"v": np.arange(60.0) % 7}), 5)
    some = np.array([3, 0])
    assert X[some, ...].starts.tolist() == X[some].starts.tolist() == [3, 0]


def test_no_window_crosses_from_one_series_into_another():
    frame = pd.DataFrame(
        {"who": ["a"] * 6 + ["b"] * 5, "t": [*range(6), *range(5)], "v": np.arange(11.0)}
    )
    X, y = windows(frame, 3, target="v", time="t", group="who")
    assert X.starts.tolist() == [0, 1, 2, 6, 7] and y.tolist() == [3, 4, 5, 9, 10]
    assert X.names == ["a", "b"] and X.when.tolist() == [*range(6), *range(5)]
    last = last_window(frame, 2, time="t", group="who")
    assert last.starts.tolist() == [4, 9] and last.times[1] == [0, 1, 2, 3, 4]


def test_scales_are_learned_from_the_rows_that_windows_cover():
    """What lies behind the windows is the future: it must not move a mean."""
    values = np.concatenate([np.arange(20.0), np.full(20, 1e6)])
    X, y = windows(pd.DataFrame({"v": values}), 5)
    seen = X.ahead[:, -1] < 20
    model = LSTMRegressor(**QUICK).fit(X[seen], y[seen])
    alone, target = windows(pd.DataFrame({"v": values[:19]}), 5)
    assert X[seen].covered.sum() == 19
    scaler = model.sequences_.table._scaler
    assert scaler.mean[0] == np.arange(19.0).mean() and len(alone) < len(X[seen])


@pytest.mark.filterwarnings("ignore:v. 40 of 40 cells are far")
def test_windows_of_weight_0_are_no_part_of_the_scale():
    values = np.concatenate([np.arange(20.0), np.full(20, 1e6)])
    X, y = windows(pd.DataFrame({"v": values}), 5)
    weight = (X.ahead[:, -1] < 20).astype(float)
    model = LSTMRegressor(**QUICK).fit(X, y, sample_weight=weight)
    assert model.sequences_.table._scaler.mean[0] == np.arange(19.0).mean()
    alone = LSTMRegressor(**QUICK).fit(X[weight > 0], y[weight > 0])
    assert (alone.predict(X) == model.predict(X)).all()


def test_a_split_is_one_cut_in_time_for_all_series():
    """What is learned from one series must not lie behind what another is tested on."""
    rows = [("a", t) for t in range(50)] + [("b", t) for t in range(40, 90)]
    frame = pd.DataFrame(rows, columns=["who", "t"]).assign(v=np.arange(100.0))
    X, _ = windows(frame, 5, 2, target="v", time="t", group="who")
    learn, held = X.split(0.2)
    times = frame["t"].to_numpy()
    assert times[X.ahead[learn]].max() < times[X.ahead[held]].min()
    assert np.isin(np.arange(len(X)), [*learn, *held]).sum() == len(X) - 1  # one on both sides
    untimed, _ = windows(frame[["who", "v"]], 5, 2, target="v", group="who")
    learn, held = untimed.split(0.2)  # the last fifth of each
    assert untimed.ahead[held].min(axis=1).tolist() == [*range(40, 49), *range(90, 99)]
    assert [len(part) for part in X.split(0.0)] == [len(X), 0]
    some = X[:20]
    assert max(some.split(0.2)[1]) == 19


def test_early_stopping_validates_on_the_windows_that_come_last(monkeypatch):
    kept = []
    measurement = loop.measurement

    def watched(chain, parameters, examples, *more):
        kept.append(examples.rows.starts)
        return measurement(chain, parameters, examples, *more)

    monkeypatch.setattr(loop, "measurement", watched)
    X, y = windows(pd.DataFrame({"v": np.sin(np.arange(100.0))}), 10, 3)
    LSTMRegressor(early_stopping=True, **QUICK).fit(X, y)
    assert kept[-1].tolist() == list(range(80, 88))  # the first answer is in row 90
    with pytest.raises(ValueError, match="must have more windows for early_stopping"):
        LSTMRegressor(early_stopping=True, **QUICK).fit(X[:2], y[:2])


def test_one_window_and_what_was_known_last():
    frame = pd.DataFrame({"v": [1.0, 2, np.nan, np.nan, 5, 6]})
    X = last_window(frame, 2)
    assert len(X[0]) == len(X) == 1
    np.testing.assert_array_equal(last_window(frame[:4], 2).last("v"), [np.nan])
    np.testing.assert_array_equal(last_window(frame[:4], 3).last("v"), [2.0])


def test_faults_name_the_rows_that_the_user_has():
    frame = pd.DataFrame({"t": range(20)[::-1], "v": np.arange(20.0)})
    frame.loc[2:16, "v"] = np.nan
    with pytest.raises(ValueError, match="values in rows 2 to 16"):
        windows(frame, 3, 15, target="v", time="t")
    frame = pd.DataFrame({"t": range(20)[::-1], "v": np.arange(20.0), "w": 1.0})
    frame.loc[3, "w"] = np.inf
    with pytest.raises(ValueError, match="column 'w' of X must be finite .* Got inf in row 3"):
        windows(frame, 3, target="v", time="t")
    with pytest.raises(ValueError, match="number of a column, 0 to 0. Got True"):
        windows(np.arange(9.0), 2, target=True)
    with pytest.raises(ValueError, match="must have the same number of rows. Got 17 rows in X an"):
        X, y = windows(frame[["v"]], 3, target="v")
        LSTMRegressor(**QUICK).fit(X, y[:-1], sample_weight=np.ones(16))


def test_faults():
    frame = pd.DataFrame({"t": range(8), "v": [1.0, 2, np.nan, np.nan, 5, 6, 7, 8], "s": "x"})
    with pytest.raises(ValueError, match=r"must have at least 9 rows: 6 steps and a horizon of 3"):
        windows(frame, 6, 3, target="v", time="t")
    with pytest.raises(ValueError, match=r"target 'v' of windows .* values in rows 2 to 3"):
        windows(frame, 1, 6, target="v", time="t")
    with pytest.raises(ValueError, match="target of windows must be a column of the series. Got N"):
        windows(frame, 2)
    with pytest.raises(TypeError, match="target of windows must be a column of numbers. Got 's'"):
        windows(frame, 2, target="s")
    with pytest.raises(ValueError, match="time of windows must be a column of X. Got 'day'"):
        windows(frame, 2, target="v", time="day")
    with pytest.raises(ValueError, match=r"must have each time once .* Got 0 in rows 0 and 1"):
        windows(frame.assign(t=[0, *range(7)]), 2, target="v", time="t")
    with pytest.raises(TypeError, match="must be a DataFrame where time or group is given"):
        windows(np.arange(9.0), 2, time="t")
    with pytest.raises(ValueError, match="must be the number of a column, 0 to 1. Got None"):
        windows(np.ones((9, 2)), 2)
    with pytest.raises(ValueError, match="steps of windows must be a positive integer. Got 0"):
        windows(np.arange(9.0), 0)
    short = pd.DataFrame({"who": ["a"] * 6 + ["b"] * 2, "v": np.arange(8.0)})
    with pytest.raises(ValueError, match=r"must have at least 8 rows: .* Got 6 in 'a'"):
        windows(short, 7, target="v", group="who")
    with pytest.raises(ValueError, match=r"at least 7 rows, one window\. Got 6 in 'a'"):
        last_window(short, 7, group="who")


# -- scikit-learn's searches and splits ----------------------------------------------------------

SPLITS = TimeSeriesSplit(2)
USES = {
    "cross_val_score": lambda m, X, y: cross_val_score(m, X, y, cv=SPLITS, error_score="raise"),
    "cross_validate": lambda m, X, y: cross_validate(m, X, y, cv=SPLITS)["test_score"],
    "cross_val_predict": lambda m, X, y: cross_val_predict(m, X, y, cv=KFold(2)),
    "GridSearchCV": lambda m, X, y: GridSearchCV(
        m, {"hidden_dim": [2, 4]}, cv=SPLITS, error_score="raise"
    ).fit(X, y).predict(X),
    "RandomizedSearchCV": lambda m, X, y: RandomizedSearchCV(
        m, {"hidden_dim": [2, 4]}, n_iter=1, cv=SPLITS, error_score="raise"
    ).fit(X, y).predict(X),
    "learning_curve": lambda m, X, y: learning_curve(
        m, X, y, cv=SPLITS, train_sizes=[0.5, 1.0], error_score="raise"
    )[2],
    "train_test_split": lambda m, X, y: _halves(m, *train_test_split(X, y, shuffle=False)),
    "shuffled": lambda m, X, y: _halves(m, *train_test_split(X, y, random_state=0)),
    "shuffle": lambda m, X, y: m.fit(*shuffle(X, y, random_state=0)).predict(X),
    "Pipeline": lambda m, X, y: cross_val_score(make_pipeline(m), X, y, cv=SPLITS),
}  # fmt: skip


def _halves(model, X, rest, y, rest_y):
    assert len(X) == len(y) and len(rest) == len(rest_y)
    return model.fit(X, y).predict(rest)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("library", (pd, pl))
def test_scikit_learn_takes_windows_as_rows(use, library):
    """Each takes rows in its own way, which scikit-learn changed: ``X[key, ...]`` since 1.9."""
    frame = library.DataFrame({"v": np.sin(np.arange(40.0)), "w": np.arange(40.0)})
    X, y = windows(frame, 4, target="v")
    values = np.lib.stride_tricks.sliding_window_view(
        np.column_stack([np.sin(np.arange(40.0)), np.arange(40.0)]), 4, axis=0
    )[:-1].transpose(0, 2, 1)
    model = LSTMRegressor(**{**QUICK, "max_epochs": 1})
    answers, of_array = USES[use](model, X, y), USES[use](model, values, y)
    assert np.isfinite(answers).all() and np.shape(answers) == np.shape(of_array)


# -- columns whose names are numbers -------------------------------------------------------------


def test_a_target_whose_name_is_a_number(tmp_path):
    values = np.random.default_rng(0).normal(size=(30, 3))
    numbered = pd.DataFrame(values)
    X, y = windows(numbered, 4, target=np.int64(1))
    _, array_y = windows(values, 4, target=1)
    np.testing.assert_array_equal(y, array_y)
    np.testing.assert_array_equal(X.last(1), values[3:-1, 1])
    np.testing.assert_array_equal(X.naive()[:, 0], values[3:-1, 1])
    model = LSTMRegressor(**QUICK).fit(X, y)
    named_X, _ = windows(numbered.rename(columns=str), 4, target="1")
    named = LSTMRegressor(**QUICK).fit(named_X, y)
    np.testing.assert_array_equal(model.predict(X), named.predict(named_X))
    model.save(tmp_path / "model.safetensors")
    again = load(tmp_path / "model.safetensors")
    assert again.digest_ == model.digest_
    assert again.forecast(numbered)[1].tolist() == model.forecast(numbered)[1].tolist()


@pytest.mark.parametrize(
    "names, target, words",
    (
        ([0, 1, 2], "1", r"must be a column of the series\. Got '1'\. Write 1\."),
        (["0", "1", "2"], 1, r"Got 1\. Write '1'\."),
        ([0, 1, 2], 1.0, r"Got 1\.0\."),
        ([0, 1, 2], True, r"Got True\."),
        ([0, 1, 2], ["1"], r"Got '1'\. Write 1\."),
        ([0, 1, 2], 7, r"Got 7\. Known: 0, 1, 2\."),
    ),
)
def test_another_name_is_refused(names, target, words):
    with pytest.raises(ValueError, match=words):
        windows(pd.DataFrame(np.zeros((9, 3)), columns=names), 4, target=target)


def pointed(numbers):
    """Whole numbers with points for thousands."""
    return pd.DataFrame({"v": [f"{n:,}".replace(",", ".") for n in numbers]})


def test_a_target_is_read_as_in_the_training(tmp_path):
    """Numbers that all have a point do not tell whether it is one for thousands."""
    counts = [950 if row % 5 == 0 else 27_317 + row for row in range(60)]
    X, y = windows(pointed(counts), 4, target="v")
    assert y.tolist() == counts[4:]
    model = LSTMRegressor(4, max_epochs=1, random_state=0, verbose=0).fit(X, y)
    model.save(tmp_path / "m")
    high = range(20_000, 20_030)
    for one in (model, load(tmp_path / "m")):
        assert one.digest_ == model.digest_
        X_new, y_new = windows(pointed(high), 4, target="v", like=one.sequences_.series)
        assert y_new.tolist() == [*high][4:]
        assert X_new.naive()[:, 0].tolist() == [*high][3:-1]
        assert np.isfinite(one.score(X_new, y_new))
        guessed, _ = windows(pointed(high), 4, target="v")
        with pytest.raises(ValueError, match=r"'\.' for thousands .* Got numbers\. Cut them by"):
            one.predict(guessed)


def test_a_series_of_numbers_has_no_format(tmp_path):
    """So models of them are in files what they were."""
    X, y = windows(pd.DataFrame({"v": np.arange(30.0)}), 4, target="v")
    model = LSTMRegressor(4, max_epochs=1, random_state=0, verbose=0).fit(X, y)
    assert "format" not in model._state()[0]["input"]["series"]
