"""scikit-learn's own displays show our estimators: what they draw is what these predict."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibrationDisplay, calibration_curve
from sklearn.datasets import load_digits
from sklearn.inspection import DecisionBoundaryDisplay, PartialDependenceDisplay
from sklearn.metrics import (
    ConfusionMatrixDisplay,
    PredictionErrorDisplay,
    RocCurveDisplay,
    confusion_matrix,
)
from sklearn.model_selection import LearningCurveDisplay, train_test_split

from pellucid import CNNClassifier, FCNNClassifier, FCNNRegressor, LSTMClassifier, LSTMRegressor
from pellucid.data import windows

pytest.importorskip("matplotlib")

RANDOM = np.random.default_rng(0)
ROWS = 240
FRAME = pd.DataFrame(
    {
        "mass": RANDOM.normal(size=ROWS),
        "length": RANDOM.normal(size=ROWS),
        "island": RANDOM.choice(["Biscoe", "Dream", "Torgersen"], ROWS),
    }
)
NUMBER = 3 * FRAME["mass"] + (FRAME["island"] == "Dream") + 10
HEAVY = np.where(NUMBER > 10.4, "heavy", "light")
FRAME.loc[::9, "length"] = np.nan
FRAME.loc[::11, "island"] = None
FIT = {"verbose": 0, "random_state": 0, "max_epochs": 15}


@pytest.fixture
def ax():
    """Axes of a figure that no window shows."""
    from matplotlib.figure import Figure

    return Figure().subplots()


@pytest.fixture(scope="module")
def classifier():
    """Learned from text and missing values as they are."""
    return FCNNClassifier(16, **FIT).fit(FRAME[:160], HEAVY[:160])


@pytest.fixture(scope="module")
def regressor():
    return FCNNRegressor(16, **FIT).fit(FRAME[:160], NUMBER[:160])


@pytest.mark.parametrize("label", ["heavy", "light"])
def test_calibration(classifier, ax, label):
    display = CalibrationDisplay.from_estimator(
        classifier, FRAME[160:], HEAVY[160:], n_bins=5, pos_label=label, ax=ax
    )
    place = list(classifier.classes_).index(label)
    shares = classifier.predict_proba(FRAME[160:])[:, place]
    assert np.array_equal(display.y_prob, shares)
    true, said = calibration_curve(HEAVY[160:] == label, shares, n_bins=5)
    assert np.allclose(display.line_.get_xdata(), said)
    assert np.allclose(display.line_.get_ydata(), true)
    counts, _, _ = ax.twinx().hist(display.y_prob, bins=5, range=(0, 1))
    assert counts.sum() == 80  # as scikit-learn's examples show how many rows a point stands for


def test_confusion(classifier, ax):
    display = ConfusionMatrixDisplay.from_estimator(classifier, FRAME[160:], HEAVY[160:], ax=ax)
    expected = confusion_matrix(HEAVY[160:], classifier.predict(FRAME[160:]))
    assert np.array_equal(display.confusion_matrix, expected) and expected.sum() == 80
    assert np.array_equal(display.im_.get_array(), expected)
    assert list(display.display_labels) == ["heavy", "light"]
    assert [cell.get_text() for cell in display.text_.flat] == [str(n) for n in expected.flat]


def test_confusion_of_pictures_and_sequences(ax):
    digits, labels = load_digits(return_X_y=True)
    pictures = digits[:300].reshape(-1, 8, 8)
    model = CNNClassifier([8], **FIT | {"max_epochs": 2}).fit(pictures, labels[:300])
    display = ConfusionMatrixDisplay.from_estimator(model, pictures, labels[:300], ax=ax)
    right = np.trace(display.confusion_matrix) / 300
    assert display.confusion_matrix.shape == (10, 10)
    assert right == pytest.approx(model.score(pictures, labels[:300]))
    unequal = [RANDOM.normal(size=(length, 2)) for length in RANDOM.integers(3, 8, 60)]
    labels = np.arange(60) % 3
    model = LSTMClassifier(4, **FIT).fit(unequal, labels)
    shown = ConfusionMatrixDisplay.from_predictions(labels, model.predict(unequal), ax=ax)
    assert shown.confusion_matrix.sum() == 60


@pytest.mark.parametrize("kind", ["actual_vs_predicted", "residual_vs_predicted"])
def test_prediction_error(regressor, ax, kind):
    display = PredictionErrorDisplay.from_estimator(
        regressor, FRAME[160:], NUMBER[160:], kind=kind, subsample=None, ax=ax
    )
    predicted = regressor.predict(FRAME[160:])
    true = NUMBER[160:].to_numpy()
    drawn = np.asarray(display.scatter_.get_offsets())
    other = true if kind == "actual_vs_predicted" else true - predicted
    assert np.allclose(drawn, np.c_[predicted, other])


def test_prediction_error_of_forecasts(ax):
    series = pd.DataFrame({"a": np.sin(np.arange(150) / 5)})
    X, y = windows(series, target="a", steps=8)
    model = LSTMRegressor(4, **FIT | {"max_epochs": 3}).fit(X, y)
    display = PredictionErrorDisplay.from_predictions(
        y, model.predict(X), kind="actual_vs_predicted", subsample=None, ax=ax
    )
    assert np.allclose(display.scatter_.get_offsets(), np.c_[model.predict(X), y])


def by_hand(model, column, value, answer):
    """Partial dependence: the mean answer where a column has one value in all rows."""
    return float(np.mean(answer(model, FRAME[160:].assign(**{column: value}))))


def test_partial_dependence_of_a_number_and_a_text(regressor, ax):
    display = PartialDependenceDisplay.from_estimator(
        regressor, FRAME[160:].dropna(), ["mass", "island"], categorical_features=["island"],
        grid_resolution=5, ax=ax,
    )  # fmt: skip
    known = FRAME[160:].dropna()
    for name, found in zip(["mass", "island"], display.pd_results, strict=True):
        expected = [
            np.mean(regressor.predict(known.assign(**{name: value})))
            for value in found["grid_values"][0]
        ]
        assert np.allclose(found["average"][0], expected, rtol=1e-5)
    assert np.allclose(display.lines_[0, 0].get_ydata(), display.pd_results[0]["average"][0])
    heights = [bar.get_height() for bar in display.axes_[0, 1].patches]
    assert np.allclose(heights, display.pd_results[1]["average"][0])


def test_partial_dependence_with_missing_values_in_other_columns(regressor, classifier, ax):
    display = PartialDependenceDisplay.from_estimator(
        regressor, FRAME[160:], ["mass"], grid_resolution=4, kind="both", ax=ax
    )
    found = display.pd_results[0]
    expected = [
        by_hand(regressor, "mass", value, lambda model, X: model.predict(X))
        for value in found["grid_values"][0]
    ]
    assert np.allclose(found["average"][0], expected, rtol=1e-5)
    assert found["individual"].shape == (1, 80, 4)
    display = PartialDependenceDisplay.from_estimator(
        classifier, FRAME[160:], ["mass"], grid_resolution=4, response_method="predict_proba",
        ax=display.figure_.add_subplot(),
    )  # fmt: skip
    found = display.pd_results[0]
    expected = [
        by_hand(classifier, "mass", value, lambda model, X: model.predict_proba(X)[:, 1])
        for value in found["grid_values"][0]
    ]
    assert np.allclose(found["average"][0], expected, rtol=1e-5)


def test_roc_learning_curve_and_decision_boundary(classifier, ax):
    display = RocCurveDisplay.from_estimator(classifier, FRAME[160:], HEAVY[160:], ax=ax)
    assert 0.9 < display.roc_auc <= 1
    numbers = FRAME[["mass", "length"]].fillna(0.0).to_numpy()
    model = FCNNClassifier(8, **FIT).fit(numbers, HEAVY)
    display = DecisionBoundaryDisplay.from_estimator(
        model, numbers, grid_resolution=10, response_method="predict_proba", ax=ax
    )
    grid = np.c_[display.xx0.ravel(), display.xx1.ravel()]
    shares = model.predict_proba(grid)
    assert np.allclose(display.response.reshape(-1), shares[:, 1])
    curve = LearningCurveDisplay.from_estimator(
        FCNNClassifier(8, **FIT | {"max_epochs": 2}), FRAME, HEAVY, train_sizes=[0.5, 1.0], cv=2,
        ax=ax,
    )  # fmt: skip
    assert curve.test_scores.shape == (2, 2)


def test_held_out_rows_of_a_split_are_taken_as_they_come(ax):
    parts = train_test_split(FRAME, HEAVY, random_state=0, stratify=HEAVY)
    model = FCNNClassifier(8, **FIT).fit(parts[0], parts[2])
    display = ConfusionMatrixDisplay.from_estimator(
        model, parts[1], parts[3], normalize="true", ax=ax
    )
    assert np.allclose(display.confusion_matrix.sum(axis=1), 1)
