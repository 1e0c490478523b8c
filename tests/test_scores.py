"""Scores in figures, and those of saying the same of every row."""

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.metrics import (
    balanced_accuracy_score,
    log_loss,
    mean_absolute_error,
    mean_pinball_loss,
    precision_score,
    r2_score,
    recall_score,
    roc_auc_score,
    root_mean_squared_error,
)

from pellucid import FCNNClassifier, FCNNRegressor, LSTMClassifier
from pellucid.inspection.forecast_errors import errors_of
from pellucid.inspection.scores import Scoring, brief, brief_baseline, score

rng = np.random.default_rng(0)
X = rng.normal(size=(200, 3))
SHORT = {"max_epochs": 9, "random_state": 0, "verbose": 0}


def classifier(y, **parameters):
    return FCNNClassifier(8, **SHORT, **parameters).fit(X, y)


def test_two_classes():
    y = np.where(X[:, 0] + rng.normal(size=200) > 0.3, "yes", "no")
    model = classifier(y, learning_rate=0.03)
    scores, predicted, shares = score(model, X, y, ["y"]), model.predict(X), model.predict_proba(X)
    assert scores["accuracy"] == np.mean(predicted == y)
    assert scores["right"] == np.sum(predicted == y)
    assert scores["auc"] == pytest.approx(roc_auc_score(y == "yes", shares[:, 1]))
    assert scores["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(y, predicted))
    assert scores["loss"] == pytest.approx(log_loss(y, shares), rel=1e-5)
    recall, precision = (
        measure(y, predicted, pos_label="yes") for measure in (recall_score, precision_score)
    )
    assert scores["classes"][1] == {
        "class": "yes", "rows": np.sum(y == "yes"), "recall": recall, "precision": precision
    }  # fmt: skip
    assert np.trace(scores["confusion"]) == scores["right"]
    share = np.mean(y == "no")
    assert scores["baseline"] == {
        "answer": "no",
        "accuracy": share,
        "loss": pytest.approx(-share * np.log(share) - (1 - share) * np.log(1 - share)),
    }
    assert brief(scores)["auc"] == scores["auc"] and brief(scores)["rows"] == 200
    assert brief_baseline(scores) == {
        "accuracy": share, "loss": scores["baseline"]["loss"]
    }  # fmt: skip


def test_the_baseline_is_that_of_the_training():
    """What a new table holds most of is not known beforehand."""
    y = np.repeat(["a", "b"], [150, 50])
    scores = score(classifier(y), X[:40], np.repeat("b", 40), ["y"])
    assert scores["baseline"]["answer"] == "a" and scores["baseline"]["accuracy"] == 0
    assert scores["baseline"]["loss"] == pytest.approx(-np.log(0.25))
    assert scores["auc"] is None  # of one class there is none
    assert scores["classes"][0]["recall"] is None


def test_several_classes_and_one_that_is_not_known():
    y = np.array(list("abc"))[np.argmax(X, axis=1)]
    model = classifier(y)
    scores = score(model, X, y, ["y"])
    shares = model.predict_proba(X)
    assert scores["auc"] == pytest.approx(roc_auc_score(y, shares, multi_class="ovr"), rel=1e-5)
    odd = y.copy()
    odd[0] = "z"
    scores = score(model, X, odd, ["y"])
    assert scores["loss"] is None and len(scores["confusion"]) == 4
    assert scores["classes"][-1] == {"class": "z", "rows": 1, "recall": 0.0, "precision": None}
    some = y != "c"  # areas are those of the classes that are there
    assert score(model, X[some], y[some], ["y"])["auc"] is not None


def test_many_classes_have_no_confusion():
    y = np.arange(303) % 101
    rows = rng.normal(size=(303, 3))
    model = FCNNClassifier(8, **SHORT).fit(rows, y)
    scores = score(model, rows, y, ["y"])
    assert scores["confusion"] is None and len(scores["classes"]) == 101


def test_few_rows_of_many_classes_do_not_call_the_task_in_question():
    y = np.arange(200) % 20
    assert score(classifier(y), X[:24], y[:24], ["y"])["rows"] == 24


def test_labels():
    y = (X[:, :2] > [0, 1]).astype(int)
    model = classifier(y)
    scores, predicted = score(model, X, y, ["p", "q"]), model.predict(X)
    first = scores["targets"][0]
    assert first["target"] == "p" and first["accuracy"] == np.mean(predicted[:, 0] == y[:, 0])
    assert first["auc"] == pytest.approx(roc_auc_score(y[:, 0], model.predict_proba(X)[:, 0]))
    assert first["recall"] == recall_score(y[:, 0], predicted[:, 0])
    usual = (y.mean(axis=0) > 0.5).astype(int)
    assert [one["baseline"]["answer"] for one in scores["targets"]] == usual.tolist()
    assert scores["baseline"]["accuracy"] == np.mean((y == usual).all(axis=1))
    assert scores["accuracy"] == np.mean((y == predicted).all(axis=1))
    assert brief(scores) == {"rows": 200, "accuracy": scores["accuracy"]}


@pytest.mark.parametrize("columns", (1, 2))
def test_numbers(columns):
    y = X[:, :columns] * [10, 1][:columns] + 5
    y = y[:, 0] if columns == 1 else y
    model = FCNNRegressor(8, **SHORT).fit(X, y)
    scores = score(model, X, y, ["p", "q"][:columns])
    predicted = model.predict(X).reshape(200, -1)[:, 0]
    truth = y.reshape(200, -1)[:, 0]
    first = scores["targets"][0]
    assert first["r2"] == pytest.approx(r2_score(truth, predicted))
    assert first["mean_absolute_error"] == pytest.approx(mean_absolute_error(truth, predicted))
    wanted = root_mean_squared_error(truth, predicted)
    assert first["root_mean_squared_error"] == pytest.approx(wanted)
    assert first["baseline"]["answer"] == pytest.approx(truth.mean())
    assert first["baseline"]["root_mean_squared_error"] == pytest.approx(truth.std())
    shares = [one["r2"] for one in scores["targets"]]
    assert brief(scores)["r2"] == pytest.approx(np.mean(shares))
    assert ("mean_absolute_error" in brief(scores)) == (columns == 1)
    assert brief_baseline(scores)["r2"] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("loss", "share"), [("mse", None), ("huber", 0.5), ("mae", 0.5), ("quantile", 0.9)]
)
def test_the_baseline_is_what_the_loss_is_best_at(loss, share):
    """Always the mean would be no baseline for the absolute error: the median beats it."""
    y = np.exp(X[:, 0])
    model = FCNNRegressor(8, loss=loss, quantile=0.9, **SHORT).fit(X, y)
    (target,) = score(model, X, y, ["y"])["targets"]
    baseline = target["baseline"]
    best = y.mean() if share is None else np.quantile(y, share)
    assert baseline["answer"] == pytest.approx(best, rel=1e-5)
    assert baseline["kind"] == {None: "mean", 0.5: "median", 0.9: "0.9 quantile"}[share]
    if loss == "quantile":
        predicted = model.predict(X)
        assert target["coverage"] == np.mean(y <= predicted)
        wanted = mean_pinball_loss(y, predicted, alpha=0.9)
        assert target["pinball_loss"] == pytest.approx(wanted)
        assert baseline["coverage"] == pytest.approx(0.9, abs=0.01)
        assert not {"r2", "mean_absolute_error"} & set(target)
        assert set(brief(score(model, X, y, ["y"]))) == {"rows", "pinball_loss", "coverage"}


def test_the_mean_of_a_transformed_target_is_its_own():
    y = np.exp(X[:, 0])
    model = FCNNRegressor(8, **SHORT, target_transform="log").fit(X, y)
    (target,) = score(model, X, y, ["y"])["targets"]
    assert target["baseline"]["answer"] == pytest.approx(y.mean(), rel=1e-5)


def test_what_is_not_defined_is_none():
    y = X[:, 0]
    model = FCNNRegressor(8, **SHORT).fit(X, y)
    assert score(model, X[:1], y[:1], ["y"])["targets"][0]["r2"] is None
    assert errors_of(np.ones(3), np.full(3, np.nan))["mean_absolute_error"] is None
    assert errors_of(np.ones(2), np.array([np.nan, 3.0]))["mean_absolute_error"] == 2
    huge = errors_of(np.full(2, 1e300), np.zeros(2))
    assert huge["mean_absolute_error"] == 1e300 and huge["root_mean_squared_error"] is None


def test_every_step_counts():
    x = rng.normal(size=(30, 5, 1))
    y = np.where(x[:, :, 0] > 1, "up", "down")
    model = LSTMClassifier(4, return_sequences=True, **SHORT).fit(x, y)
    assert model.about_.averages == [np.mean(y == "down"), np.mean(y == "up")]


def test_a_model_of_an_older_file_has_no_baseline():
    y = np.where(X[:, 0] > 0, "a", "b")
    model = classifier(y)
    model.about_ = None
    assert score(model, X, y, ["y"])["baseline"] is None
    model.target_names_ = ["y"]
    assert brief_baseline(score(model, X, y, ["y"])) == {}


def test_labels_in_the_type_of_the_classes():
    model = SimpleNamespace(classes_=np.array(["1", "2"], dtype=object))
    from pellucid.inspection.scores import _like

    assert _like(np.array([1, 2]), model.classes_).tolist() == ["1", "2"]
    assert _like(np.array(["1", "x"], dtype=object), np.array([1, 2])).tolist() == [1, "x"]


# -- rows in parts -------------------------------------------------------------------------------


def cases():
    noise = rng.normal(size=200)
    three = np.array(list("abc"))[np.argmax(X, axis=1)]
    odd = np.where(np.arange(200) % 50 == 7, "new", three)
    return {
        "two classes": (classifier(X[:, 0] + noise > 0), X[:, 0] + noise > 0.3, ["y"]),
        "three classes": (classifier(three), three, ["y"]),
        "classes never learned": (classifier(three), odd, ["y"]),
        "labels": (classifier(1 * (X[:, :2] > 0)), 1 * (X[:, :2] > 0.1), ["p", "q"]),
        "numbers": (
            FCNNRegressor(8, **SHORT).fit(X, X[:, :2]), 1e6 + X[:, :2] + noise[:, None], ["p", "q"]
        ),
        "quantile": (FCNNRegressor(8, loss="quantile", **SHORT).fit(X, noise), noise, ["y"]),
    }  # fmt: skip


@pytest.mark.parametrize("kind", cases())
@pytest.mark.parametrize("size", (1, 64, 199))
def test_rows_in_parts_have_the_scores_of_all(kind, size):
    """To the bit: what is told of a table must not depend on how it is read."""
    model, y, names = cases()[kind]
    parted = Scoring(model, names)
    for start in range(0, 200, size):
        parted.add(X[start : start + size], y[start : start + size])
    assert repr(parted.scores) == repr(score(model, X, y, names))
    assert parted.unknown == (["new"] if kind == "classes never learned" else [])
