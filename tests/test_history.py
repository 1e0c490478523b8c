"""History: one row an epoch, as rows, columns, a DataFrame, a picture."""

import json
import math
import pickle
import subprocess
import sys

import pytest

from pellucid.training.history import History

ROWS = [
    {"epoch": 1, "loss": 0.9, "accuracy": 0.5, "validation_loss": 1.0, "validation_accuracy": 0.4},
    {"epoch": 2, "loss": 0.6, "accuracy": 0.7, "validation_loss": 0.7, "validation_accuracy": 0.8},
    {"epoch": 3, "loss": 0.4, "accuracy": 0.9, "validation_loss": 0.8, "validation_accuracy": 0.6},
]

LOSSES = [0.9, 0.6, 0.4]


@pytest.fixture
def history():
    return History(ROWS)


def test_is_a_sequence_of_rows(history):
    assert len(history) == 3 and list(history) == ROWS
    assert history[-1] == ROWS[-1] and history[1:] == History(ROWS[1:])
    assert ROWS[0] in history and list(reversed(history)) == ROWS[::-1]
    with pytest.raises(IndexError):
        history[3]


def test_has_columns(history):
    assert history.columns == list(ROWS[0])
    assert history["loss"] == LOSSES
    with pytest.raises(KeyError, match="no column 'los'. Did you mean 'loss'?"):
        history["los"]


def test_append_takes_a_copy(history):
    row = {"epoch": 4, "loss": 0.3}
    history.append(row)
    row["loss"] = 9.0
    assert history[-1]["loss"] == 0.3 and history["accuracy"][-1] is None


def test_columns_that_come_later_are_kept():
    # a warm start may begin to validate
    history = History(
        [{"epoch": 1, "loss": 0.9}, {"epoch": 2, "loss": 0.8, "validation_loss": 1.0}]
    )
    assert history.columns == ["epoch", "loss", "validation_loss"]
    assert history["validation_loss"] == [None, 1.0]
    assert history.best()["epoch"] == 2
    frame = history.to_frame("pandas")
    assert list(frame.columns) == history.columns and frame["validation_loss"].isna()[0]


def test_best(history):
    assert history.best() == ROWS[1]
    assert history.best("loss") == ROWS[2]
    assert history.best("validation_accuracy") == ROWS[1]
    assert History([{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": 0.5}]).best()["epoch"] == 1
    history.append({"epoch": 4, "validation_loss": math.nan})
    assert history.best() == ROWS[1]


@pytest.mark.parametrize("rows", [[], [{"epoch": 1, "loss": math.nan}]])
def test_best_of_nothing(rows):
    with pytest.raises(ValueError, match="loss of a history must have a number in some row"):
        History(rows).best()


@pytest.mark.parametrize("backend", ["pandas", "polars", "pyarrow"])
def test_to_frame(history, backend):
    pytest.importorskip(backend)
    frame = history.to_frame(backend)
    assert type(frame).__module__.startswith(backend)
    assert list(getattr(frame, "column_names", frame.columns)) == history.columns
    assert list(frame["loss"].to_pylist() if backend == "pyarrow" else frame["loss"]) == LOSSES


def test_to_frame_names_what_is_missing(history, monkeypatch):
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(ImportError, match="a history's DataFrame needs polars, which is not inst"):
        history.to_frame("polars")
    with pytest.raises(ValueError, match="backend of .* Got 'panda'. Did you mean 'pandas'?"):
        history.to_frame("panda")


def test_state_goes_through_json_and_pickle(history):
    assert History.from_state(json.loads(json.dumps(history.state()))) == history
    assert pickle.loads(pickle.dumps(history)) == history
    history.state()[0]["loss"] = 9.0
    assert history[0]["loss"] == 0.9


def test_equality(history):
    assert history == History(ROWS) and history != History(ROWS[:2]) and history != ROWS
    with pytest.raises(TypeError, match="unhashable"):
        hash(history)


def test_shows_itself(history):
    assert repr(History()) == "History of no epochs"
    assert repr(History([{"epoch": 1, "note": "x", "n": None}])) == (
        "History of 1 epoch, the last: note x, n None"
    )
    assert repr(History([{"epoch": 1, "loss": 0.5}])) == "History of 1 epoch, the last: loss 0.5"
    assert repr(history).startswith("History of 3 epochs, the last: loss 0.4, accuracy 0.9,")


def test_shows_itself_in_a_notebook(history):
    table = history._repr_html_()
    assert table.count("<tr>") == 4 and "<th>validation_loss</th>" in table
    assert "<td>0.9</td>" in table
    long = History([{"epoch": n, "<loss>": 1 / n} for n in range(1, 101)])._repr_html_()
    assert long.count("<tr>") == 10 and "<td>100</td>" in long and "<td>50</td>" not in long
    assert "&lt;loss&gt;" in long
    assert History()._repr_html_().count("<tr>") == 1


def test_plot_draws_a_panel_a_measure_and_marks_the_best(history, tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "curves.png"
    figure = history.plot(path)
    assert path.read_bytes().startswith(b"\x89PNG")
    loss, accuracy = figure.axes
    assert (loss.get_ylabel(), accuracy.get_ylabel()) == ("loss", "accuracy")
    labels = [line.get_label() for line in loss.get_lines()]
    assert labels == ["training", "validation", "best epoch: 2"]
    assert list(loss.get_lines()[1].get_ydata()) == [1.0, 0.7, 0.8]


def test_plot_of_a_regression_of_one_epoch():
    pytest.importorskip("matplotlib")
    (panel,) = History([{"epoch": 1, "loss": 0.5}]).plot().axes
    (line,) = panel.get_lines()
    assert line.get_marker() == "o"  # a line of one point would not be seen


def test_plot_of_nothing():
    with pytest.raises(ValueError, match="a history to be drawn must have at least one epoch"):
        History().plot()


def test_plot_without_matplotlib(history, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"needs matplotlib, which is not installed. Run: pip"):
        history.plot()


def test_history_forces_no_library_on_anyone():
    code = (
        "import sys; from pellucid.training.history import History; History([{'loss': 1.0}]);"
        "assert not {'matplotlib', 'pandas', 'narwhals', 'polars'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
