"""The picture of a training: what is drawn of odd histories, and the whole picture of a fit."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from pellucid import FCNNClassifier, FCNNRegressor, LSTMRegressor
from pellucid.cli.curves import draw_fit
from pellucid.data import windows
from pellucid.training.history import History

pytest.importorskip("matplotlib")

QUICK = {"max_epochs": 3, "random_state": 0, "verbose": 0}


def history(losses, **columns):
    """A history of these losses, and other columns of it."""
    others = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    others = others or [{}] * len(losses)
    pairs = zip(losses, others, strict=True)
    return History([{"epoch": n, "loss": x, **o} for n, (x, o) in enumerate(pairs, start=1)])


def labels(panel):
    return [text.get_text() for text in panel.get_legend().get_texts()] if panel.legend_ else []


@pytest.mark.parametrize(
    ("losses", "scale"),
    [
        ([1.0, 0.1, 0.03], "log"),
        ([1.0, 0.1, 0.04], "linear"),  # not yet 1.5 decades
        ([1.0, 0.1, 0.0], "linear"),  # a zero has no logarithm
        ([1.0, -0.001], "linear"),
        ([0.5, 0.5, 0.5], "linear"),
        ([0.5], "linear"),
        ([1.0, math.nan, 1e-5], "log"),
        ([math.inf, 1.0, 0.9], "linear"),
        ([math.nan, math.nan], "linear"),
        ([1e30, 1e-30], "log"),
    ],
)
def test_the_loss_has_a_logarithmic_axis_where_it_spans_decades(losses, scale, tmp_path):
    (panel,) = history(losses).plot(tmp_path / "a.png").axes
    assert panel.get_yscale() == scale


def test_validation_counts_for_the_span_and_accuracy_is_never_logarithmic():
    kept = {"validation_loss": [1.0, 0.01], "accuracy": [0.001, 1.0]}
    loss, accuracy = history([1.0, 0.5], **kept).plot().axes
    assert (loss.get_yscale(), accuracy.get_yscale()) == ("log", "linear")
    assert labels(loss) == ["training", "validation", "best epoch: 2"]


def test_epochs_without_a_finite_loss_are_told():
    figure = history([1.0, math.nan, 0.8, math.inf], validation_loss=[math.nan] * 4).plot()
    assert labels(figure.axes[0]) == ["training, not finite in 2 epochs"]
    assert labels(history([math.nan]).plot().axes[0]) == []


def test_one_epoch_is_one_mark_at_a_whole_number(tmp_path):
    figure = history([0.5]).plot(tmp_path / "a.png")
    (panel,) = figure.axes
    ticks = [tick for tick in panel.get_xticks() if 0.9 < tick < 1.1]
    assert ticks == [1.0]


def test_a_best_epoch_of_loss_zero_is_marked():
    assert labels(history([1.0, 0.5], validation_loss=[0.5, 0.0]).plot().axes[0])[-1] == (
        "best epoch: 2"
    )


@pytest.fixture(scope="module")
def table():
    x = np.random.default_rng(0).normal(size=(120, 3))
    return pd.DataFrame(x, columns=["面积", "b_$x$", "c"])


def panels(figures, model, *arguments):
    """The axes of ``draw_fit``'s picture."""
    draw_fit(model, *arguments)
    (figure,) = figures
    return figure.axes


@pytest.fixture
def made(monkeypatch):
    """The figures that were made."""
    from pellucid import figures

    before, all_of_them = figures.new_figure, []

    def new_figure(*arguments):
        all_of_them.append(before(*arguments))
        return all_of_them[-1]

    monkeypatch.setattr(figures, "new_figure", new_figure)
    return all_of_them


def test_a_regression_is_drawn_beside_its_test(made, table, tmp_path):
    y = table["c"].rename("价格") * 100
    model = FCNNRegressor(**QUICK).fit(table[:80], y[:80])
    loss, scatter = panels(made, model, table[80:], y[80:], tmp_path / "a.png", "t", ["价格"])
    assert labels(loss)[0] == "training" and labels(loss)[1].startswith("test: ")
    # the loss of the training: half the squared error in the target's standard deviations
    error = (model.predict(table[80:]) - y[80:]) / model.target_.scale
    mark = loss.get_lines()[1]
    assert mark.get_ydata()[0] == pytest.approx(np.mean(error**2) / 2, rel=1e-4)
    assert list(mark.get_xdata()) == [3]
    assert list(scatter.get_lines()[0].get_xdata()) == pytest.approx(list(y[80:]))
    score = model.score(table[80:], y[80:])
    assert scatter.get_title() == f"价格: R² {score:.3f}"


def test_classes_are_drawn_as_a_confusion_matrix(made, table, tmp_path):
    y = np.where(table["c"] > 0, "是", np.where(table["面积"] > 0, "否", "$x_"))
    model = FCNNClassifier(early_stopping=True, **QUICK).fit(table[:80], y[:80])
    path = tmp_path / "a.svg"
    loss, accuracy, matrix = panels(made, model, table[80:], y[80:], path, "t", ["等级"])
    best = model.best_epoch_
    assert labels(loss)[:2] == ["training", "validation"] and labels(loss)[2].startswith("test")
    assert accuracy.get_lines()[2].get_xdata() == [best]
    share = model.score(table[80:], y[80:])
    assert accuracy.get_lines()[2].get_ydata()[0] == pytest.approx(share)
    assert f"right ({share:.1%})" in matrix.get_title()
    assert len(matrix.get_xticklabels()) == len(np.unique([*y[80:], *model.predict(table[80:])]))


def test_a_forecast_is_drawn_step_by_step(made, tmp_path):
    series = pd.DataFrame({"t": np.sin(np.arange(200) / 9)})
    X, y = windows(series, 8, 4, target="t")
    model = LSTMRegressor(4, **QUICK).fit(X[:100], y[:100])
    loss, *steps = panels(made, model, X[100:], y[100:], tmp_path / "a.png", "t", ["t"])
    assert labels(loss)[1].startswith("test: ")
    assert [step.get_title().partition(":")[0] for step in steps] == ["t +1", "t +2", "t +3"]


def test_a_class_that_the_model_does_not_know_has_no_loss(made, table, tmp_path):
    y = np.where(table["c"] > 0, "a", "b").astype(object)
    model = FCNNClassifier(**QUICK).fit(table[:80], y[:80])
    y[-1] = "new"
    loss, _, matrix = panels(made, model, table[80:], y[80:], tmp_path / "a.png")
    assert labels(loss) == ["training"]
    assert [label.get_text() for label in matrix.get_yticklabels()] == ["a", "b", "new"]


def test_without_rows_held_out_the_training_alone_is_drawn(made, table, tmp_path):
    model = FCNNRegressor(**QUICK).fit(table, table["c"])
    (loss,) = panels(made, model, None, None, tmp_path / "a.pdf")
    assert labels(loss) == ["training"]
