"""Rows with their answers, as a fitted model reads them: what is refused, and what is left out."""

import numpy as np
import pytest
from test_cli import fails, run

from pellucid import FCNNClassifier, LSTMRegressor, load
from pellucid.cli.answered import read_answered
from pellucid.data import windows

pd = pytest.importorskip("pandas")
FRAME = pd.DataFrame({"a": np.arange(40) % 7, "b": np.arange(40) % 3})
LABELS = np.where(FRAME["a"] > 3, "up", "down")
FAST = {"hidden_dim": 4, "max_epochs": 1, "random_state": 0, "verbose": 0}


@pytest.fixture
def model(tmp_path, monkeypatch):
    """A model that was trained in Python, and so does not know its target's name."""
    monkeypatch.chdir(tmp_path)
    FCNNClassifier(**FAST).fit(FRAME, LABELS).save("m")
    FRAME.assign(y=LABELS, z=LABELS[::-1]).to_csv("d.csv", index=False)
    return load("m")


def test_a_model_of_python_must_be_told_its_target(model):
    message = fails("evaluate", "m", "d.csv")
    assert "--target must name the column that 'm' predicts." in message
    answered = read_answered(model, "m", "d.csv", ["y"])
    assert list(answered.y) == LABELS.tolist() and answered.counted == "40 rows"
    assert list(answered.names) == ["y"] and answered.left_out == ""


def test_another_column_may_have_the_answers(model):
    assert list(read_answered(model, "m", "d.csv", ["z"]).y) == LABELS[::-1].tolist()
    assert "z, 40 rows of d.csv" in run("evaluate", "m", "d.csv", "-t", "z")


def test_columns_that_the_model_does_not_know_are_ignored(model):
    answered = read_answered(model, "m", "d.csv", ["y"])
    assert list(answered.source.columns) == ["a", "b"]
    assert model.predict(answered.X).tolist() == model.predict(FRAME).tolist()


def test_rows_that_stand_twice_do_so_with_the_same_answer(model):
    answered = read_answered(model, "m", "d.csv", ["y"])
    assert answered.repeated(FRAME, pd.Series(LABELS)) == 40
    assert answered.repeated(FRAME, pd.Series(np.where(LABELS == "up", "down", "up"))) == 0
    assert answered.repeated(FRAME[:5], pd.Series(LABELS[:5])) == 10  # two times each


def test_windows_overlap_and_are_not_counted_as_repeated(model):
    series = pd.DataFrame({"v": np.sin(np.arange(40.0))})
    X, y = windows(series, 4, target="v")
    LSTMRegressor(**FAST).fit(X, y).save("s")
    series.to_csv("s.csv", index=False)
    answered = read_answered(load("s"), "s", "s.csv", ["v"])
    assert answered.counted == "36 windows" and answered.repeated(X, y) == 0
    assert set(answered.scores(load("s"))) >= {"steps", "all", "without_naive"}
    message = fails("evaluate", "s", "s.csv", "--target", "w")
    assert "--target must be v, which 's' forecasts. Got w." in message
