"""Attributions: gradients that are those of the answer, sums that are complete, names that fit."""

from __future__ import annotations

import copy

import numpy as np
import pandas as pd
import pytest
from finite_differences import central_difference

from pellucid import (
    CNNClassifier,
    FCNNClassifier,
    FCNNRegressor,
    GRUClassifier,
    LSTMRegressor,
    NetworkClassifier,
    NetworkRegressor,
)
from pellucid.data import windows
from pellucid.inspection import AttributionDisplay
from pellucid.inspection import attribution as module
from pellucid.inspection.attributing import METHODS, Attributed
from pellucid.inspection.panels import tiled
from pellucid.inspection.walk import Walk, walk_of_row
from pellucid.layers import LSTM, AvgPool2d, BatchNorm, Conv2d, Flatten, Linear, Tanh

pytest.importorskip("matplotlib")

QUICK = {"max_epochs": 2, "random_state": 0, "verbose": 0}


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


FRAME = pd.DataFrame(
    {"a": normal(30), "town": ["Rome", "Oslo", "Bonn"] * 10, "b": normal(30, seed=1)}
)
CLASSES = np.array(["x", "y", "z"])[np.arange(30) % 3]


@pytest.fixture(scope="module")
def table():
    return FCNNClassifier(8, activation="tanh", **QUICK).fit(FRAME, CLASSES)


@pytest.fixture(scope="module")
def pictures():
    X = normal(12, 6, 5, 2).astype(np.float32)
    # without kinks, at which integrals by points are less exact
    layers = [Conv2d(4, 3), BatchNorm(), Tanh(), AvgPool2d(2), Flatten(), Linear(8), Tanh()]
    return NetworkClassifier(layers, **QUICK).fit(X, np.arange(12) % 3), X


@pytest.fixture(scope="module")
def sequences():
    X = normal(12, 7, 2)
    return NetworkClassifier([LSTM(6)], **QUICK).fit(X, np.arange(12) % 2), X


@pytest.mark.parametrize("kind", ("pictures", "sequences"))
def test_the_gradient_is_that_of_the_answer(kind, request):
    model, X = request.getfixturevalue(kind)
    row = walk_of_row(model, X, row=4)
    found = AttributionDisplay.of(model, X, row=4, method="gradient", output=0)
    sign = -1 if row.output.shape[1] == 1 else 1  # of two classes the first has no logit

    def answer(x):
        return sign * Walk.of(model.network_, x).output[0, 0]

    np.testing.assert_allclose(found.values, central_difference(answer, row.x)[0], atol=1e-8)
    times = AttributionDisplay.of(model, X, row=4, method="gradient_x_input", output=0)
    np.testing.assert_allclose(times.values, found.values * row.x[0])
    assert found.answer == times.answer == pytest.approx(sign * row.output[0, 0])


@pytest.mark.parametrize("kind", ("pictures", "sequences"))
@pytest.mark.parametrize("baseline", ("zero", "mean", "row"))
def test_integrated_gradients_are_complete(kind, baseline, request):
    """All of them come to the difference of the answers, the nearer the more points there are."""
    model, X = request.getfixturevalue(kind)
    given = X[5:6] if baseline == "row" else baseline
    few, many = (
        AttributionDisplay.of(model, X, row=1, output=1, baseline=given, points=points)
        for points in (16, 64)
    )
    difference = many.answer - many.baseline_answer
    assert abs(difference) > 0.01
    assert many.total + many.residual == pytest.approx(difference)
    assert abs(many.residual) < 1e-3 * abs(difference)
    # the midpoint rule: a sixteenth of the error at four times as many points
    assert abs(many.residual) < abs(few.residual) / 10 + 1e-12
    if baseline == "row":
        logits = walk_of_row(model, X, row=5).output[0]
        assert many.baseline_answer == pytest.approx(logits[min(1, len(logits) - 1)])


def test_a_large_network_is_asked_at_fewer_points(pictures, monkeypatch):
    model, X = pictures
    work = model.network_.chain.work
    for most, points in ((10**12, 64), (20 * work, 20), (work, 8)):
        monkeypatch.setattr(module, "_WORK", most)
        usual = AttributionDisplay.of(model, X, row=1, output=1)
        asked = AttributionDisplay.of(model, X, row=1, output=1, points=points)
        np.testing.assert_array_equal(usual.values, asked.values)
        assert f"which leaves {asked.residual:.2g} over" in str(usual)


def test_a_linear_answer_is_attributed_exactly():
    """Then gradient x input and integrated gradients are ``w (x - b)``, and nothing is left."""
    X = normal(20, 4)
    model = NetworkRegressor([], **QUICK).fit(X, X[:, 0])
    weight = model.network_.parameters()["0.weight"][:, 0]
    for method in ("gradient_x_input", "integrated_gradients"):
        found = AttributionDisplay.of(model, X, row=2, method=method, points=3)
        expected = weight * model._input.transform(model, X[2:3])[0]
        np.testing.assert_allclose(found.values, expected, rtol=1e-6)
        assert found.residual == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_other_weights_give_other_attributions(pictures, method):
    """What does not depend on what was learned explains nothing of it.

    J. Adebayo and others, Sanity Checks for Saliency Maps (2018).
    """
    model, X = pictures
    other = copy.deepcopy(model)
    other.network_.initialize(7)
    one, two = (
        AttributionDisplay.of(each, X, output=1, method=method).values.reshape(-1)
        for each in (model, other)
    )
    assert abs(np.corrcoef(one, two)[0, 1]) < 0.5
    assert np.abs(one - two).max() > 0.1 * np.abs(one).max()


def test_places_of_a_column_count_together(table):
    found = AttributionDisplay.of(table, FRAME, row=3)
    names = table.table_.output_names
    assert list(found.by_column) == ["a", "b", "town"]
    towns = [place for place, name in enumerate(names) if name.startswith("town=")]
    assert len(towns) == 3
    assert found.by_column["town"] == pytest.approx(found.values[towns].sum())
    assert found.by_column["b"] == found.values[names.index("b")]
    assert sum(found.by_column.values()) == pytest.approx(found.total)


def test_by_default_the_predicted_class_is_explained(table, sequences):
    for row in range(4):
        found = AttributionDisplay.of(table, FRAME, row=row, method="gradient")
        assert f"logit of {table.predict(FRAME)[row]}, row {row}" in str(found)
    model, X = sequences
    both = [AttributionDisplay.of(model, X, output=label) for label in (0, 1)]
    np.testing.assert_array_equal(both[0].values, -both[1].values)
    usual = AttributionDisplay.of(model, X)
    assert usual.answer > 0 and f"logit of {model.predict(X)[0]}" in usual.explained


def test_columns_are_drawn_sorted(table):
    found = AttributionDisplay.from_estimator(table, FRAME, row=3)
    widths = [bar.get_width() for bar in found.ax_.patches]
    labels = [label.get_text() for label in found.ax_.get_yticklabels()]
    assert widths == sorted(found.by_column.values(), key=abs, reverse=True)
    assert [found.by_column[label] for label in labels] == widths
    assert f"left over {found.residual:.2g}" in found.ax_.get_title()


def test_pixels_are_drawn_beside_the_picture(pictures):
    model, X = pictures
    found = AttributionDisplay.from_estimator(model, X, row=3)
    left, right = found.ax_[0]
    np.testing.assert_array_equal(right.images[0].get_array(), found.values.sum(axis=2))
    np.testing.assert_array_equal(left.images[0].get_array().filled(np.nan), tiled(found.x))
    top, at = np.unravel_index(np.abs(found.by_pixel).argmax(), found.by_pixel.shape)
    assert f"most at row {top}, column {at}" in str(found)


def test_steps_of_windows_are_drawn_by_column():
    frame = pd.DataFrame(
        {
            "day": pd.date_range("2024-01-01", periods=60),
            "v": np.sin(np.arange(60.0)),
            "town": ["<script>", "Oslo"] * 30,
        }
    )
    X, y = windows(frame, 6, 2, target="v", time="day")
    model = LSTMRegressor(4, **QUICK).fit(X, y)
    found = AttributionDisplay.from_estimator(model, X, row=3, output=1)
    assert {"v", "town"} <= set(found.by_column)
    sources = model.sequences_.output_sources
    town = found.values[:, [source == "town" for source in sources]].sum(axis=1)
    drawn = found.ax_[0, 0].images[0].get_array()
    labels = [label.get_text() for label in found.ax_[0, 0].get_yticklabels()]
    np.testing.assert_allclose(drawn[labels.index("town")], town)
    np.testing.assert_allclose(found.by_step, found.values.sum(axis=1))
    assert "target 1 in the network's scale, row 3" in str(found)


def test_words_are_attributed_by_what_they_become():
    texts = ["good film", "bad film", "good plot indeed", "bad bad plot"] * 6
    model = GRUClassifier(4, embedding_dropout=0.0, **QUICK).fit(texts, [1, 0, 1, 0] * 6)
    found = AttributionDisplay.of(model, texts, row=3)
    assert found.tokens == ["bad", "bad", "plot"] and found.by_step.shape == (3,)
    assert abs(found.residual) < 1e-3 * abs(found.answer - found.baseline_answer)
    labels = [label.get_text() for label in found.plot().ax_.get_yticklabels()]
    assert labels == ["0: bad", "1: bad", "2: plot"]
    unknown = AttributionDisplay.of(model, ["nonsense film"])
    assert unknown.tokens == ["(unknown)", "film"]


def test_a_long_table_with_embedded_words_is_told_by_step():
    rows = np.arange(60 * 8)
    frame = pd.DataFrame({"who": rows // 8, "word": [f"word{i % 120}" for i in rows], "a": rows})
    model = GRUClassifier(4, group="who", **QUICK).fit(frame, np.arange(60) % 2)
    found = AttributionDisplay.of(model, frame, row=2)
    assert found.values.shape == (8, 33) and list(found.by_column) == ["all"]
    assert "step " in str(found) and found.plot().ax_.shape == (1, 2)


def test_signals_are_attributed_by_step():
    X = normal(12, 40, 2)
    model = CNNClassifier(channels=4, signals=True, **QUICK).fit(X, np.arange(12) % 2)
    found = AttributionDisplay.of(model, X, row=2)
    assert found.by_step.shape == (40,) and list(found.by_column) == ["0", "1"]


def test_five_hundred_columns_are_cut_and_it_is_said():
    values = normal(500)
    found = AttributionDisplay(Attributed(values, 1.0, 0.0), values).plot()
    widths = [bar.get_width() for bar in found.ax_.patches]
    assert len(widths) == 21 and sum(widths) == pytest.approx(found.total)
    assert found.ax_.get_yticklabels()[-1].get_text() == "480 others"
    assert "Not shown: 450 more rows" in found._repr_html_()


def test_what_cannot_be_shown_is_refused(table, sequences):
    of = AttributionDisplay.of
    with pytest.raises(ValueError, match=r"^method of AttributionDisplay must be one of 'integrat"):
        of(table, FRAME, method="integrated")
    with pytest.raises(ValueError, match=r"^output of AttributionDisplay must be one of x, y, z\."):
        of(table, FRAME, output="w")
    with pytest.raises(ValueError, match=r'^baseline of AttributionDisplay must be "zero", "mean"'):
        of(table, FRAME, baseline="median")
    with pytest.raises(ValueError, match=r"must be one row as X has them\. Got 3 rows\. Pass one,"):
        of(table, FRAME, baseline=FRAME[:3])
    with pytest.raises(
        ValueError, match=r"^points of AttributionDisplay must be a positive intege"
    ):
        of(table, FRAME, points=0)
    regressor = FCNNRegressor(2, **QUICK).fit(FRAME, np.arange(30.0))
    with pytest.raises(ValueError, match=r"must be the number of a target, from 0 to 0\. Got 1\."):
        of(regressor, FRAME, output=1)
    unequal = GRUClassifier(2, **QUICK).fit([normal(n, 2) for n in (4, 5, 4, 5)], [0, 1] * 2)
    rows = [normal(n, 2) for n in (4, 5)]
    with pytest.raises(ValueError, match=r"must be of the length of the row, 4 steps\. Got 5\."):
        of(unequal, rows, baseline=rows[1:])
    with pytest.raises(
        ValueError, match=r'"mean" needs sequences of equal length\. Got .* 4 steps and one of 5\.$'
    ):
        of(unequal, rows, baseline="mean")
