"""How good predictions are, and how good it would be to say the same of every row: in figures.

A figure is a number, or None where it is not defined: `--json` prints the maps as they are, and
:mod:`pellucid.inspection.score_words` says them in words.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from pellucid.data.column_values import Column, as_text
from pellucid.inspection.forecast_errors import (
    ERRORS,
    OF_QUANTILES,
    SCALED,
    errors_of,
    finite,
    quantile_of,
)

MEASURES = ("accuracy", "loss", "auc", "balanced_accuracy", "r2")
_MOST_IN_CONFUSION = 100  # classes
_LEAST_SHARE = float(np.finfo(np.float32).eps)  # a probability of 0 would cost infinitely much


def is_classifier(model: Any) -> bool:
    """Whether `model` predicts classes."""
    return hasattr(model, "predict_proba")


def plain(values: Any) -> np.ndarray:
    """A Series, DataFrame or array as a NumPy array."""
    import narwhals as nw

    frame = nw.from_native(values, pass_through=True, allow_series=True)
    return np.asarray(frame.to_numpy() if hasattr(frame, "to_numpy") else frame)


def score(model: Any, X: Any, y: Any, names: Sequence[str]) -> dict[str, Any]:
    """The scores of a fitted `model` on rows `X` with the true values `y` of targets `names`."""
    reading = model._read(X)
    y = reading.layout.flatten("y", y)  # of sequences whose steps have targets
    with warnings.catch_warnings():  # a few rows of many classes are no reason to doubt the task
        warnings.filterwarnings("ignore", "The number of unique classes")
        y = model.target_.truth(model, y)
    truth, predicted = plain(y), model._predicted(reading)
    about = getattr(model, "about_", None)
    usual = None if about is None else np.asarray(about.averages, dtype=np.float64)
    scores: dict[str, Any] = {"rows": len(truth)}
    if not is_classifier(model):
        return scores | {"targets": _numbers(model, truth, predicted, names, usual)}
    shares = np.asarray(model._shares(reading), dtype=np.float64)
    if truth.ndim > 1:
        return scores | _labels(truth, predicted, shares, names, usual)
    return scores | _classes(_like(truth, model.classes_), predicted, shares, model.classes_, usual)


def brief(scores: Mapping[str, Any]) -> dict[str, float | None]:
    """The scores of all rows together, without those of single classes, targets and steps.

    Of several targets of numbers, which have units of their own, there is the mean R2, of those of
    a series the mean MASE.
    """
    return _brief({"rows": scores["rows"], **scores, **_overall(scores, lambda one: one)})


def brief_baseline(scores: Mapping[str, Any]) -> dict[str, float | None]:
    """:func:`brief` of the baseline."""
    own = _overall(scores, lambda one: one.get("baseline") or one.get("naive") or {})
    return _brief({**(scores.get("baseline") or {}), **own})


def _overall(
    scores: Mapping[str, Any], part: Callable[[Mapping[str, Any]], Mapping[str, Any]]
) -> Mapping[str, Any]:
    """That `part` of a single target, of all steps, or of several targets."""
    if "all" in scores:
        return part(scores["all"])
    targets = [part(target.get("all", target)) for target in scores.get("targets", ())]
    if len(targets) == 1:
        return targets[0]
    known = {
        name: [target[name] for target in targets if target.get(name) is not None]
        for name in ("r2", SCALED)
    }
    return {name: float(np.mean(values)) for name, values in known.items() if values}


def _brief(figures: Mapping[str, Any]) -> dict[str, float | None]:
    measures = ("rows", *MEASURES, *ERRORS, SCALED, *OF_QUANTILES)
    return {name: figures[name] for name in measures if name in figures}


def _like(truth: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Labels in the type of the classes: a column of numbers is text in a file with one "z"."""
    if classes.dtype.kind in "OU" and truth.dtype.kind in "biuf":
        kind = "boolean" if truth.dtype.kind == "b" else "number"
        return as_text(Column(kind, truth.astype(np.float64)))
    if classes.dtype.kind in "iuf" and truth.dtype.kind in "OU":
        numbers = {str(number): number for number in classes.tolist()}
        return np.array([numbers.get(str(label), label) for label in truth.tolist()], dtype=object)
    return truth


def as_classes(truth: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Labels as the classes that they are equal to; those that are none of them stay."""
    known = {label: label for label in classes.tolist()}
    labels = _like(truth, classes).tolist()
    same = np.empty(len(labels), dtype=object)
    same[:] = [known.get(label, label) for label in labels]
    return same


def _classes(
    truth: np.ndarray,
    predicted: np.ndarray,
    shares: np.ndarray,
    classes: np.ndarray,
    usual: np.ndarray | None,
) -> dict[str, Any]:
    """One class a row; those that the model does not know come last."""
    from sklearn.metrics import precision_recall_fscore_support

    place = {label: index for index, label in enumerate(classes.tolist())}
    for label in sorted(set(truth.tolist()) - set(place), key=str):
        place[label] = len(place)
    true, guess = (
        np.array([place[label] for label in labels.tolist()]) for labels in (truth, predicted)
    )
    count = len(place)
    precision, recall, _, rows = precision_recall_fscore_support(
        true, guess, labels=range(count), zero_division=np.nan
    )
    scores: dict[str, Any] = {
        "accuracy": float(np.mean(true == guess)),
        "right": int(np.count_nonzero(true == guess)),
        "loss": _loss(true, shares),
        "auc": _auc(true, shares),
        "balanced_accuracy": finite(np.mean(recall[rows > 0])),
        "baseline": None,
        "classes": [
            {
                "class": label,
                "rows": int(rows[index]),
                "recall": finite(recall[index]),
                "precision": finite(precision[index]),
            }
            for label, index in place.items()
        ],
        "confusion": None,
    }
    if count <= _MOST_IN_CONFUSION:
        pairs = np.bincount(true * count + guess, minlength=count**2)
        scores["confusion"] = pairs.reshape(count, count).tolist()
    if usual is not None:
        answer = int(np.argmax(usual))
        scores["baseline"] = {
            "answer": classes.tolist()[answer],
            "accuracy": float(np.mean(true == answer)),
            "loss": _loss(true, np.broadcast_to(usual, shares.shape)),
        }
    return scores


def _loss(true: np.ndarray, shares: np.ndarray) -> float | None:
    """The cross-entropy; None where a class is unknown to the model."""
    from sklearn.metrics import log_loss

    if true.max() >= shares.shape[1] or not np.isfinite(shares).all():
        return None
    shares = np.clip(shares, _LEAST_SHARE, 1)
    shares = shares / shares.sum(axis=1, keepdims=True)
    return float(log_loss(true, shares, labels=range(shares.shape[1])))


def _auc(true: np.ndarray, shares: np.ndarray) -> float | None:
    """The area under the ROC curve; of several classes the mean of each against all others."""
    from sklearn.metrics import roc_auc_score

    if not np.isfinite(shares).all():
        return None
    columns = [1] if shares.shape[1] == 2 else range(shares.shape[1])
    areas = [
        roc_auc_score(true == column, shares[:, column])
        for column in columns
        if 0 < np.count_nonzero(true == column) < len(true)
    ]
    return float(np.mean(areas)) if areas else None


def _labels(
    truth: np.ndarray,
    predicted: np.ndarray,
    shares: np.ndarray,
    names: Sequence[str],
    usual: np.ndarray | None,
) -> dict[str, Any]:
    """Any number of labels a row: each by itself, and all of a row together."""
    from sklearn.metrics import precision_score, recall_score

    answers = None if usual is None else (usual > 0.5).astype(np.int64)
    targets = []
    for column, name in enumerate(names):
        true = truth[:, column].astype(np.int64)
        guess = predicted[:, column].astype(np.int64)
        both = np.stack([1 - shares[:, column], shares[:, column]], axis=1)
        target: dict[str, Any] = {
            "target": name,
            "accuracy": float(np.mean(true == guess)),
            "loss": _loss(true, both),
            "auc": _auc(true, both),
            "recall": finite(recall_score(true, guess, zero_division=np.nan)),
            "precision": finite(precision_score(true, guess, zero_division=np.nan)),
            "baseline": None,
        }
        if usual is not None and answers is not None:
            always = np.array([[1 - usual[column], usual[column]]])
            target["baseline"] = {
                "answer": int(answers[column]),
                "accuracy": float(np.mean(true == answers[column])),
                "loss": _loss(true, np.broadcast_to(always, both.shape)),
            }
        targets.append(target)
    scores: dict[str, Any] = {
        "accuracy": float(np.mean((truth == predicted).all(axis=1))),
        "baseline": None,
        "targets": targets,
    }
    if answers is not None:
        scores["baseline"] = {"accuracy": float(np.mean((truth == answers).all(axis=1)))}
    return scores


def _numbers(
    model: Any,
    truth: np.ndarray,
    predicted: np.ndarray,
    names: Sequence[str],
    usual: np.ndarray | None,
) -> list[dict[str, Any]]:
    """Each target in its own units."""
    quantile = quantile_of(model)
    kind = {None: "mean", 0.5: "median"}.get(model._usual(), f"{model._usual()} quantile")
    columns = truth.reshape(len(truth), -1).T, predicted.reshape(len(truth), -1).T
    targets = []
    for place, (name, true, guess) in enumerate(zip(names, *columns, strict=True)):
        target: dict[str, Any] = {
            "target": name, **_fit_of(true, guess, quantile), "baseline": None
        }  # fmt: skip
        if usual is not None:
            always = float(usual[place])
            target["baseline"] = {
                "answer": always,
                "kind": kind,
                **_fit_of(true, np.full(len(true), always), quantile),
            }  # fmt: skip
        targets.append(target)
    return targets


def _fit_of(true: np.ndarray, guess: np.ndarray, quantile: float | None) -> dict[str, float | None]:
    from sklearn.metrics import r2_score

    true, guess = true.astype(np.float64), guess.astype(np.float64)
    errors = errors_of(true, guess, quantile)
    if quantile is not None:
        return errors
    with np.errstate(over="ignore", invalid="ignore"):
        defined = len(set(true.tolist())) > 1 and np.isfinite(guess).all()
        return {"r2": finite(r2_score(true, guess)) if defined else None, **errors}
