"""The last hidden layer in two dimensions: it is that layer, and these are its directions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA

from pellucid import (
    CNNClassifier,
    FCNNClassifier,
    FCNNRegressor,
    GRUClassifier,
    LSTMRegressor,
    NetworkClassifier,
)
from pellucid.data import windows
from pellucid.inspection import HiddenLayerDisplay
from pellucid.inspection.walk import Walk
from pellucid.layers import Linear

pytest.importorskip("matplotlib")

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(300, 4))
Y = np.where(X[:, 0] > 0, "yes", "<script>no</script>")
FIT = {"verbose": 0, "random_state": 0, "max_epochs": 4}


@pytest.fixture(scope="module")
def model():
    return FCNNClassifier(8, **FIT).fit(X, Y)


def expected(model, X, path):
    """The points of the input of a layer, walked by the formulas."""
    walk = Walk.of(model.network_, np.asarray(model._encoded(model._read(X))))
    hidden = walk.by_path[path].x
    return PCA(2, svd_solver="full").fit_transform(hidden), hidden


def same(points, others):
    assert np.allclose(points, others, atol=1e-4 * np.abs(others).max())


@pytest.mark.parametrize(
    ("estimator", "data", "y"),
    [
        (FCNNClassifier(8, **FIT), X, Y),
        (CNNClassifier([3], **FIT), RANDOM.random((40, 5, 4)), np.arange(40) % 3),
        (GRUClassifier(4, **FIT), RANDOM.normal(size=(50, 6, 2)), np.arange(50) % 2),
    ],
)
def test_points_are_those_of_the_formulas(estimator, data, y):
    model = estimator.fit(data, y)
    display = HiddenLayerDisplay.of(model, data, y)
    assert display.layer == str(len(model.network_.layers) - 1)
    points, hidden = expected(model, data, display.layer)
    same(display.points, points)
    assert display.width == hidden.shape[1]
    found = PCA(2).fit(hidden).explained_variance_ratio_
    assert np.allclose(display.explained, found, atol=1e-4)
    apart = np.linalg.norm(hidden[:, None] - hidden, axis=2)
    np.fill_diagonal(apart, np.inf)
    y = np.asarray(y)
    assert abs(display.neighbours - np.mean(y[apart.argmin(axis=1)] == y)) < 0.03


def test_of_a_forecaster_it_is_the_layer_beside_the_linear_forecast():
    series = pd.DataFrame({"a": np.sin(np.arange(150) / 4)})
    data, y = windows(series, target="a", steps=6, horizon=2)
    model = LSTMRegressor(4, **FIT).fit(data, y)
    display = HiddenLayerDisplay.from_estimator(model, data, y)
    assert display.layer == "0.layers.1"
    same(display.points, expected(model, data, display.layer)[0])
    assert np.array_equal(display.ax_.collections[0].get_array(), y[:, 0])
    r = np.corrcoef(display.points[:, 0], y[:, 0])[0, 1]
    assert f"with a correlation of {r:.2f}" in str(display)


def test_where_steps_have_targets_each_is_a_point():
    data = [RANDOM.normal(size=(length, 2)) for length in (3, 5, 4)]
    labels = [(one[:, 0] > 0).astype(int) for one in data]
    model = GRUClassifier(4, return_sequences=True, **FIT).fit(data, labels)
    display = HiddenLayerDisplay.of(model, data, labels)
    assert len(display.points) == 12
    assert np.array_equal(display.labels, np.concatenate(labels))


def test_points_are_drawn_by_class_and_wrong_ones_are_ringed(model):
    display = HiddenLayerDisplay.from_estimator(model, X, Y)
    no, yes, wrong = display.ax_.collections
    assert np.array_equal(yes.get_offsets(), display.points[Y == "yes"])
    assert np.array_equal(no.get_offsets(), display.points[Y != "yes"])
    missed = model.predict(X) != Y
    assert np.array_equal(wrong.get_offsets(), display.points[missed])
    assert wrong.get_label() == f"wrong, {missed.sum()}"
    assert f"{display.neighbours:.0%} of them have the class of their nearest" in str(display)
    assert "<script" not in display._repr_html_()


def test_without_truth_colours_are_the_predictions(model):
    display = HiddenLayerDisplay.of(model, X)
    assert np.array_equal(display.labels, model.predict(X)) and display.predicted is None
    regressor = FCNNRegressor(8, **FIT).fit(X, X[:, :2])
    display = HiddenLayerDisplay.from_estimator(regressor, X)
    assert np.array_equal(display.ax_.collections[0].get_array(), regressor.predict(X)[:, 0])


def test_many_classes_and_rows_are_cut_and_it_says_so(model):
    display = HiddenLayerDisplay.of(model, X, Y, rows=50)
    assert len(display.points) == 50 and "for 50 of 300 points" in str(display)
    labels = np.arange(400) % 200
    many = FCNNClassifier(4, **FIT).fit(RANDOM.normal(size=(400, 3)), labels)
    display = HiddenLayerDisplay.from_estimator(many, RANDOM.normal(size=(400, 3)), labels)
    names = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert names[19] == "all others, 181 classes" and len(names) == 21


def test_a_hidden_layer_of_one_number_or_none_that_differs_is_a_line_or_a_point():
    narrow = FCNNClassifier(1, **FIT).fit(X, Y)
    display = HiddenLayerDisplay.of(narrow, X, Y)
    assert display.width == 1 and not display.points[:, 1].any()
    narrow.network_.set_parameters({"0.weight": np.zeros((4, 1)), "0.bias": [-1.0]})
    narrow.network_.set_parameters({"2.weight": np.zeros((1, 1))})
    display = HiddenLayerDisplay.from_estimator(narrow, X, Y)
    assert not display.points.any() and str(display).startswith("Two directions hold 0%")


def test_what_has_no_hidden_layer_is_refused(model):
    flat = NetworkClassifier([Linear(1)], **FIT).fit(X, Y)
    with pytest.raises(
        ValueError,
        match=r"^the network of HiddenLayerDisplay must have a hidden layer, and a Linear after it"
        r"\. Got Linear\(1\)\.$",
    ):
        HiddenLayerDisplay.of(flat, X, Y)
    with pytest.raises(ValueError, match=r"must have at least three rows\. Got 2\.$"):
        HiddenLayerDisplay.of(model, X[:2], Y[:2])


def test_looking_changes_nothing(model):
    before = model.network_.values.copy()
    HiddenLayerDisplay.from_estimator(model, X, Y)
    assert np.array_equal(model.network_.values, before)
