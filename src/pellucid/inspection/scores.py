"""How good predictions are, and how good it would be to say the same of every row: in figures.

A figure is a number, or None where it is not defined: `--json` prints the maps as they are, and
:mod:`pellucid.inspection.score_words` says them in words.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from pellucid.data import MultilabelTarget
from pellucid.data.column_values import Column, as_text
from pellucid.inspection.forecast_errors import (
    ERRORS,
    OF_QUANTILES,
    SCALED,
    figures_of,
    quantile_of,
)
from pellucid.inspection.measures import Areas, CrossEntropy, NumberErrors, costs
from pellucid.sums import ExactSum

MEASURES = ("accuracy", "loss", "auc", "balanced_accuracy", "r2")
_MOST_IN_CONFUSION = 100  # classes


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
    scoring = Scoring(model, names)
    scoring.add(X, y)
    return scoring.scores


class Scoring:
    """The scores of a fitted model on rows that come in parts: the same however they are parted.

    Nothing is kept of the rows, but up to a million shares for the area under the ROC curve.

    Parameters
    ----------
    model : estimator
    names : sequence of str
        Of the targets.
    """

    def __init__(self, model: Any, names: Sequence[str]) -> None:
        self.model, self.names, self.rows = model, names, 0
        about = getattr(model, "about_", None)
        usual = None if about is None else np.asarray(about.averages, dtype=np.float64)
        self._kind: _Kind
        if not is_classifier(model):
            self._kind = _Numbers(model, names, usual)
        elif isinstance(model.target_, MultilabelTarget):
            self._kind = _Labels(names, usual)
        else:
            self._kind = _Classes(model.classes_, usual)

    def add(self, X: Any, y: Any) -> None:
        """Predict rows, and count them with their true values."""
        model = self.model
        reading = model._read(X)
        y = reading.layout.flatten("y", y)  # of sequences whose steps have targets
        with warnings.catch_warnings():  # a few rows of many classes are no reason to doubt it
            warnings.filterwarnings("ignore", "The number of unique classes")
            y = model.target_.truth(model, y)
        truth, predicted = plain(y), model._predicted(reading)
        shares = None
        if is_classifier(model):
            shares = np.asarray(model._shares(reading), dtype=np.float64)
        self._kind.add(truth, predicted, shares)
        self.rows += len(truth)

    @property
    def scores(self) -> dict[str, Any]:
        """The figures, by name."""
        return {"rows": self.rows, **self._kind.scores()}

    @property
    def unknown(self) -> list[str]:
        """Classes among the true ones that the model has never learned."""
        return sorted(map(str, getattr(self._kind, "unknown", ())))


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


class _Kind(Protocol):
    """What is counted of rows whose targets are of one kind."""

    def add(self, truth: np.ndarray, predicted: np.ndarray, shares: Any) -> None:
        """Count rows."""

    def scores(self) -> dict[str, Any]:
        """The figures, by name."""


class _Classes:
    """One class a row; those that the model does not know come last."""

    def __init__(self, classes: np.ndarray, usual: np.ndarray | None) -> None:
        self._classes, self._usual = classes, usual
        self._place = {label: index for index, label in enumerate(classes.tolist())}
        self._true, self._guessed, self._right = Counter[int](), Counter[int](), Counter[int]()
        self._pairs = Counter[tuple[int, int]]()
        self._loss, self._areas = CrossEntropy(), Areas(len(classes))

    @property
    def unknown(self) -> list[Any]:
        """Labels that the model does not know, in order."""
        return sorted([*self._place][len(self._classes) :], key=str)

    def add(self, truth: np.ndarray, predicted: np.ndarray, shares: Any) -> None:
        place = self._place
        true, guess = (
            np.array([place.setdefault(label, len(place)) for label in labels.tolist()], np.int64)
            for labels in (_like(truth, self._classes), predicted)
        )
        for counter, codes in (
            (self._true, true), (self._guessed, guess), (self._right, true[true == guess])
        ):  # fmt: skip
            _count(counter, codes)
        if len(place) <= _MOST_IN_CONFUSION:
            pairs = np.unique(np.stack([true, guess]), axis=1, return_counts=True)
            for (t, g), many in zip(pairs[0].T.tolist(), pairs[1].tolist(), strict=True):
                self._pairs[t, g] += many
        self._loss.add(true, shares)
        self._areas.add(true, shares)

    def scores(self) -> dict[str, Any]:
        labels = [*self._classes.tolist(), *self.unknown]
        order = [self._place[label] for label in labels]
        total, right = self._true.total(), self._right.total()
        by_class = [
            {
                "class": label,
                "rows": self._true[code],
                "recall": _share(self._right[code], self._true[code]),
                "precision": _share(self._right[code], self._guessed[code]),
            }
            for label, code in zip(labels, order, strict=True)
        ]
        recalls = [one["recall"] for one in by_class if one["recall"] is not None]
        scores: dict[str, Any] = {
            "accuracy": _share(right, total),
            "right": right,
            "loss": self._loss.value,
            "auc": self._areas.mean,
            "balanced_accuracy": float(np.mean(recalls)) if recalls else None,
            "baseline": None,
            "classes": by_class,
            "confusion": None,
        }
        if len(labels) <= _MOST_IN_CONFUSION:
            scores["confusion"] = [[self._pairs[t, g] for g in order] for t in order]
        if self._usual is not None:
            answer = int(np.argmax(self._usual))
            loss = None
            if not self.unknown:
                of_class = costs(self._usual[None])[0]
                counted = ExactSum()
                counted.add([self._true[code] * cost for code, cost in enumerate(of_class)])
                loss = counted.mean(total)
            scores["baseline"] = {
                "answer": labels[answer],
                "accuracy": _share(self._true[answer], total),
                "loss": loss,
            }
        return scores


def _count(counter: Counter[int], codes: np.ndarray) -> None:
    values, counts = np.unique(codes, return_counts=True)
    for value, count in zip(values.tolist(), counts.tolist(), strict=True):
        counter[value] += count


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


class _Labels:
    """Any number of labels a row: each by itself, and all of a row together."""

    def __init__(self, names: Sequence[str], usual: np.ndarray | None) -> None:
        self._names, self._usual = names, usual
        self._answers = None if usual is None else (usual > 0.5).astype(np.int64)
        self._rows = self._right = self._usually_right = 0
        self._squares = np.zeros((len(names), 2, 2), dtype=np.int64)  # true, guess
        self._losses = [CrossEntropy() for _ in names]
        self._areas = [Areas(2) for _ in names]

    def add(self, truth: np.ndarray, predicted: np.ndarray, shares: Any) -> None:
        truth, predicted = truth.astype(np.int64), predicted.astype(np.int64)
        self._rows += len(truth)
        self._right += int((truth == predicted).all(axis=1).sum())
        if self._answers is not None:
            self._usually_right += int((truth == self._answers).all(axis=1).sum())
        for column, (loss, areas) in enumerate(zip(self._losses, self._areas, strict=True)):
            true, share = truth[:, column], shares[:, column]
            pairs = np.bincount(2 * true + predicted[:, column], minlength=4)
            self._squares[column] += pairs.reshape(2, 2)
            both = np.stack([1 - share, share], axis=1)
            loss.add(true, both)
            areas.add(true, both)

    def scores(self) -> dict[str, Any]:
        targets = []
        for column, name in enumerate(self._names):
            pairs = self._squares[column].tolist()
            target: dict[str, Any] = {
                "target": name,
                "accuracy": _share(pairs[0][0] + pairs[1][1], self._rows),
                "loss": self._losses[column].value,
                "auc": self._areas[column].mean,
                "recall": _share(pairs[1][1], sum(pairs[1])),
                "precision": _share(pairs[1][1], pairs[0][1] + pairs[1][1]),
                "baseline": None,
            }
            if self._usual is not None and self._answers is not None:
                share, answer = float(self._usual[column]), int(self._answers[column])
                of_label = costs(np.array([[1 - share, share]]))[0].tolist()
                loss = sum(c * sum(true) for c, true in zip(of_label, pairs, strict=True))
                target["baseline"] = {
                    "answer": answer,
                    "accuracy": _share(sum(pairs[answer]), self._rows),
                    "loss": loss / self._rows,
                }
            targets.append(target)
        scores: dict[str, Any] = {
            "accuracy": _share(self._right, self._rows), "baseline": None, "targets": targets
        }  # fmt: skip
        if self._answers is not None:
            scores["baseline"] = {"accuracy": _share(self._usually_right, self._rows)}
        return scores


class _Numbers:
    """Each target in its own units."""

    def __init__(self, model: Any, names: Sequence[str], usual: np.ndarray | None) -> None:
        self._names, self._usual = names, usual
        self._quantile = quantile_of(model)
        self._kind = {None: "mean", 0.5: "median"}.get(model._usual(), f"{model._usual()} quantile")
        self._errors = [NumberErrors(self._quantile) for _ in names]
        self._usually = [NumberErrors(self._quantile) for _ in names if usual is not None]

    def add(self, truth: np.ndarray, predicted: np.ndarray, shares: Any) -> None:
        columns = (array.reshape(len(array), -1).T for array in (truth, predicted))
        for place, (true, guess) in enumerate(zip(*columns, strict=True)):
            true = true.astype(np.float64)
            self._errors[place].add(true, guess.astype(np.float64))
            if self._usual is not None:
                self._usually[place].add(true, np.full(len(true), self._usual[place]))

    def scores(self) -> dict[str, Any]:
        targets = []
        for place, (name, errors) in enumerate(zip(self._names, self._errors, strict=True)):
            target: dict[str, Any] = {"target": name, **self._figures(errors), "baseline": None}
            if self._usual is not None:
                target["baseline"] = {
                    "answer": float(self._usual[place]),
                    "kind": self._kind,
                    **self._figures(self._usually[place]),
                }
            targets.append(target)
        return {"targets": targets}

    def _figures(self, errors: NumberErrors) -> dict[str, float | None]:
        figures = figures_of(errors)
        return figures if self._quantile is not None else {"r2": errors.r2, **figures}
