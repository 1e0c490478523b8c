"""How good predictions are, in a few lines of text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pellucid.cli.words import WIDTH, figure, table
from pellucid.data.columns import Column, as_text

_MOST_CLASSES = 12


def is_classifier(model: Any) -> bool:
    """Whether `model` predicts classes."""
    return hasattr(model, "predict_proba")


def plain(values: Any) -> np.ndarray:
    """A Series, DataFrame or array as a NumPy array."""
    import narwhals as nw

    frame = nw.from_native(values, pass_through=True, allow_series=True)
    return np.asarray(frame.to_numpy() if hasattr(frame, "to_numpy") else frame)


def report(heading: str, model: Any, X: Any, y: Any, names: Sequence[str]) -> str:
    """Scores of a fitted `model` on rows `X` with the true values `y`, below a heading."""
    reading = model._read(X)
    truth, predicted = plain(y), np.asarray(model.predict(reading))
    if not is_classifier(model):
        return f"{heading}:\n\n{_numbers(truth, predicted, names)}"
    if truth.ndim > 1:
        return f"{heading}:\n\n{_labels(truth, predicted, names)}"
    truth = _like(truth, model.classes_)
    return f"{heading}: {_classes(model, reading, truth, predicted)}"


def _like(truth: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Labels in the type of the classes: a column of numbers is text in a file with one "z"."""
    if classes.dtype.kind in "OU" and truth.dtype.kind in "biuf":
        kind = "boolean" if truth.dtype.kind == "b" else "number"
        return as_text(Column(kind, truth.astype(np.float64)))
    if classes.dtype.kind in "iuf" and truth.dtype.kind in "OU":
        numbers = {str(number): number for number in classes.tolist()}
        return np.array([numbers.get(str(label), label) for label in truth.tolist()], dtype=object)
    return truth


def _classes(model: Any, reading: Any, truth: np.ndarray, predicted: np.ndarray) -> str:
    from sklearn.metrics import log_loss

    right = int(np.count_nonzero(truth == predicted))
    text = f"accuracy {right / len(truth):.3f} ({right:,} right)"
    classes = list(model.classes_)
    if set(truth.tolist()) <= set(model.classes_.tolist()):
        text += f", loss {figure(log_loss(truth, model.predict_proba(reading), labels=classes))}"
    squares = _confusion(truth, predicted, classes)
    return f"{text}\n\n{squares}" if squares else text


def _confusion(truth: np.ndarray, predicted: np.ndarray, classes: list[Any]) -> str:
    """The confusion matrix; empty where it would not fit the page."""
    classes = classes + sorted(set(truth.tolist()) - set(classes), key=str)
    if len(classes) > _MOST_CLASSES:
        return ""
    counts = [[int(np.sum((truth == t) & (predicted == p))) for p in classes] for t in classes]
    rows: list[list[object]] = [["true \\ predicted", *classes]]
    rows += [[name, *line] for name, line in zip(classes, counts, strict=True)]
    text = table(rows)
    return text if max(map(len, text.splitlines())) <= WIDTH else ""


def _labels(truth: np.ndarray, predicted: np.ndarray, names: Sequence[str]) -> str:
    rows: list[list[object]] = [["", "accuracy"]]
    for name, column in zip(names, (truth == predicted).T, strict=True):
        rows.append([name, f"{np.mean(column):.3f}"])
    rows.append(["all of a row", f"{np.mean((truth == predicted).all(axis=1)):.3f}"])
    return table(rows)


def _numbers(truth: np.ndarray, predicted: np.ndarray, names: Sequence[str]) -> str:
    """Each target in its own units."""
    columns = truth.reshape(len(truth), -1).T, predicted.reshape(len(truth), -1).T
    rows: list[list[object]] = [["", "R2", "mean absolute error", "root mean squared error"]]
    for name, true, guess in zip(names, *columns, strict=True):
        error = guess.astype(float) - true.astype(float)
        spread = np.sum((true - np.mean(true, dtype=float)) ** 2)
        share = f"{1 - np.sum(error**2) / spread:.3f}" if spread > 0 else "-"
        rows.append([name, share, figure(np.mean(np.abs(error))), figure(np.mean(error**2) ** 0.5)])
    return table(rows)
