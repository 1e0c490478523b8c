"""How good a model is on some rows, which of them are most wrong, and what matters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.data.baselines import BASELINES
from pellucid.data.windows import Windows
from pellucid.inspection.forecast_errors import finite
from pellucid.inspection.forecast_scores import score_windows
from pellucid.inspection.hidden_layer import HiddenLayerDisplay
from pellucid.inspection.importance import ImportanceDisplay
from pellucid.inspection.predictions import Confusion
from pellucid.inspection.score_words import MORE_IS_BETTER, verdict
from pellucid.inspection.scores import as_classes, is_classifier, plain, score

_MOST_POINTS = 600  # of a scatter
_MOST_TARGETS = 3  # whose numbers are drawn
_MOST_SHUFFLED, _FEWEST_ROWS = 300, 60  # rows whose columns are shuffled
_REPEATS, _FEWEST_REPEATS = 10, 3
_WORK = 1e11  # multiply-adds of all shuffled rows: a few seconds
_CALL = 5e7  # what else it takes to score rows once, as multiply-adds
_BLOCKS = 36  # of pixels that are shuffled at most
_MOST_GROUPS = 40  # of columns that are listed
_BINS = 10  # of probabilities
_MEASURES = (
    "accuracy", "loss", "auc", "balanced_accuracy", "r2", "mean_absolute_error",
    "root_mean_squared_error", "pinball_loss", "coverage",
)  # fmt: skip


def scores_of(model: Any, reading: Any, source: Any, y: Any, names: list[str]) -> dict[str, Any]:
    """The figures of :mod:`pellucid.inspection.scores` for what `reading` was read from."""
    if isinstance(source, Windows):
        return score_windows(model, reading, source, y)
    return score(model, reading, y, names)


def test_part(
    model: Any, scores: dict[str, Any], answers: Answers, unseen: bool | None, keep_rows: bool
) -> dict[str, Any]:
    """Figures beside their baselines, and what there is to draw of them."""
    truth, predicted, shares = answers.truth, answers.predicted, answers.shares
    assert truth is not None
    figures = _figures(scores)
    part: dict[str, Any] = {
        "rows": scores["rows"], "unseen": unseen, "scores": figures, "baseline_words": None,
        "better": all(one["better"] is not False for one in figures), "verdict": verdict(scores),
        "confusion": None, "scatter": None, "calibration": None, "steps": _steps(scores),
    }  # fmt: skip
    baseline = scores.get("baseline") or {}
    if "answer" in baseline:
        part["baseline_words"] = str(baseline["answer"])
    if shares is not None and predicted.ndim == 1:
        part["confusion"] = _confusion(truth, predicted)
        part["calibration"] = _calibration(model, truth, predicted, shares)
    if not is_classifier(model) and keep_rows:
        part["scatter"] = _scatter(truth, predicted, scores)
    return part


def cut_of(part: dict[str, Any], scores: dict[str, Any], answers: Answers) -> list[dict[str, Any]]:
    """What the `part` of a test leaves out, in keys of sentences."""
    cut, confusion = [], part["confusion"]
    if confusion and confusion["others"]:
        shown = len(confusion["labels"]) - 1
        sizes = {"shown": shown, "all": shown + confusion["others"]}
        cut.append({"key": "cut.confusion", "args": sizes})
    drawn = answers.predicted.size // len(answers.predicted)
    if part["scatter"] and drawn > _MOST_TARGETS:
        cut.append({"key": "cut.scatter", "args": {"shown": _MOST_TARGETS, "all": drawn}})
    targets = scores.get("targets") or [scores]
    if part["steps"] and len(targets) > 1:
        sizes = {"target": str(targets[0]["target"]), "all": len(targets)}
        cut.append({"key": "cut.steps", "args": sizes})
    return cut


def _confusion(truth: np.ndarray, predicted: np.ndarray) -> dict[str, Any]:
    """Which class is taken for which; of many classes the rarest stand together, as the last."""
    found = Confusion(truth, predicted)
    others = len({*truth.tolist(), *predicted.tolist()}) - len(found.labels)
    others += 1 if others else 0  # the last of the labels is all of them
    return {
        "labels": [str(label) for label in found.labels], "counts": found.counts.tolist(),
        "others": others,
    }  # fmt: skip


def _figures(scores: dict[str, Any]) -> list[dict[str, Any]]:
    """Each measure of all rows, or of each target, and that of the trivial answer."""
    targets = scores.get("targets") or [scores]
    figures = []
    for one in targets:
        whole = one.get("all", one)
        other = one.get("baseline") or whole.get("baseline") or {}
        if "steps" in one:  # beside forecasts, of which the naive one is the trivial one
            figures += _forecast_figures(one)
            continue
        for name in _MEASURES:
            if whole.get(name) is not None:
                baselines = {"trivial": other[name]} if other.get(name) is not None else {}
                figures.append(_figure(name, whole[name], baselines, one))
    return figures


def _forecast_figures(scores: dict[str, Any]) -> list[dict[str, Any]]:
    whole = scores["all"]
    return [
        _figure(name, whole[name], _forecasts(whole, name), scores)
        for name in _MEASURES
        if whole.get(name) is not None
    ]


def _figure(
    name: str, value: float, baselines: dict[str, float], scores: dict[str, Any]
) -> dict[str, Any]:
    """One measure beside its baselines: the name of the strongest, and whether that is beaten.

    Of coverage, which should be neither high nor low, neither is said.
    """
    best, better, more = None, None, name in MORE_IS_BETTER
    if baselines and name != "coverage":
        best = (max if more else min)(baselines, key=baselines.__getitem__)
        better = bool(value > baselines[best] if more else value < baselines[best])
    target = scores.get("target")
    return {
        "name": name, "value": value, "baselines": baselines, "best": best, "better": better,
        "target": None if target is None else str(target),
    }  # fmt: skip


def _forecasts(scores: dict[str, Any], measure: str) -> dict[str, float]:
    """A measure of each forecast that a model is compared with, as far as there are such."""
    found = {name: (scores.get(name) or {}).get(measure) for name in BASELINES}
    return {name: value for name, value in found.items() if value is not None}


def _steps(scores: dict[str, Any]) -> list[dict[str, Any]] | None:
    """The error by step ahead, beside simple forecasts'; of several targets the first's."""
    one = (scores.get("targets") or [scores])[0]
    if "steps" not in one:
        return None
    lines = []
    for place, step in enumerate(one["steps"], 1):
        name = "mean_absolute_error" if "mean_absolute_error" in step else "pinball_loss"
        lines.append({"step": place, "model": step.get(name), **_forecasts(step, name)})
    return lines


def _calibration(
    model: Any, truth: np.ndarray, predicted: np.ndarray, shares: np.ndarray
) -> dict[str, Any]:
    """How often the answer is right, by how sure the model is of it."""
    sure = shares.max(axis=1) if shares.ndim > 1 else np.maximum(shares, 1 - shares)
    right = truth == predicted
    low = 1 / max(2, len(getattr(model, "classes_", (0, 1))))
    edges = np.linspace(low, 1, _BINS + 1)
    bins = np.clip(np.digitize(sure, edges) - 1, 0, _BINS - 1)
    counts = np.bincount(bins, minlength=_BINS)
    filled = np.maximum(counts, 1)
    confidence = np.bincount(bins, sure, _BINS) / filled
    share = np.bincount(bins, right, _BINS) / filled
    return {
        "edges": edges.tolist(),
        "counts": counts.tolist(),
        "confidence": [float(c) if n else None for c, n in zip(confidence, counts, strict=True)],
        "right": [float(s) if n else None for s, n in zip(share, counts, strict=True)],
    }


def _scatter(
    truth: np.ndarray, predicted: np.ndarray, scores: dict[str, Any]
) -> list[dict[str, Any]]:
    """Predicted beside true numbers, of many rows some, evenly chosen."""
    names = [str(one.get("target", "")) for one in scores.get("targets") or [scores]]
    true, guess = (a.reshape(len(a), -1).T.astype(np.float64) for a in (truth, predicted))
    panels = []
    for place, (t, p) in enumerate(zip(true, guess, strict=True)):
        if place >= _MOST_TARGETS:
            break
        kept = np.linspace(0, len(t) - 1, min(len(t), _MOST_POINTS)).astype(np.int64)
        step = f" +{place // len(names) + 1}" if len(true) > len(names) else ""
        panels.append({
            "target": names[place % len(names)] + step,
            "true": [finite(value) for value in t[kept]],
            "predicted": [finite(value) for value in p[kept]], "of": len(t),
        })  # fmt: skip
    return panels


def importance_part(
    model: Any, source: Any, y: Any, cut: list[dict[str, Any]]
) -> dict[str, Any] | None:
    """What matters, by shuffling; None where there is nothing to be shuffled.

    What it leaves out it says in `cut`.
    """
    if model._input.domain == "text" or len(y) < 2:
        return None
    encoder = model._input
    parts = _BLOCKS if encoder.domain == "pictures" else len(set(encoder.output_sources))
    work, room = model.network_.chain.work, _WORK / parts
    most = int(room / (_FEWEST_ROWS * work + _CALL))
    if most < _FEWEST_REPEATS:
        cut.append({"key": "cut.importance_work", "args": {"parts": parts}})
        return None
    repeats = min(_REPEATS, most)
    rows = int(min(_MOST_SHUFFLED, (room / repeats - _CALL) / work))
    found = ImportanceDisplay.of(model, source, y, rows=rows, repeats=repeats)
    shown = found.order[:_MOST_GROUPS]
    if len(shown) < len(found.order):
        args = {"shown": len(shown), "all": len(found.order)}
        cut.append({"key": "cut.importance", "args": args})
    return {
        "rows": found.rows, "repeats": found.importances.shape[1], "score": found.measure,
        "base": float(found.score), "left_out": len(found.order) - len(shown),
        "groups": [
            {
                "names": found.groups[place], "mean": float(found.mean[place]),
                "std": float(found.spread[place]),
            }
            for place in shown
        ],
    }  # fmt: skip


def hidden_part(model: Any, source: Any, y: Any) -> dict[str, Any] | None:
    """The last hidden layer in two dimensions; None where there is none, or too few rows."""
    try:
        found = HiddenLayerDisplay.of(model, source, y, rows=_MOST_POINTS)
    except ValueError:
        return None
    labels = found.labels
    if is_classifier(model) and labels.ndim == 1 and isinstance(model.classes_, np.ndarray):
        labels = as_classes(labels, model.classes_)
    return {
        "x": found.points[:, 0].tolist(), "y": found.points[:, 1].tolist(),
        "label": [as_json(label) for label in labels],
        "explained": [finite(share) or 0.0 for share in found.explained],
    }  # fmt: skip


@dataclass(frozen=True)
class Answers:
    """What is true and what a model answers, of each row or, where steps have targets, each step.

    Attributes
    ----------
    truth, predicted : ndarray
    shares : ndarray or None
        The probabilities of the classes.
    by_step : bool
    """

    truth: np.ndarray | None
    predicted: np.ndarray
    shares: np.ndarray | None
    by_step: bool

    @classmethod
    def of(cls, model: Any, reading: Any, y: Any) -> Answers:
        """The answers to rows that were read; `y` may be None."""
        truth = None
        if y is not None:
            truth = plain(model.target_.truth(model, reading.layout.flatten("y", y)))
            if is_classifier(model) and truth.ndim == 1:
                truth = as_classes(truth, model.classes_)
        shares = np.asarray(model._shares(reading)) if is_classifier(model) else None
        by_step = reading.layout.step_lengths is not None
        return cls(truth, np.asarray(model._predicted(reading)), shares, by_step)

    def of_row(self, row: int) -> dict[str, Any]:
        """What is true of a row, what was answered, and how probable that was said to be."""
        one: dict[str, Any] = {"row": str(row), "true": None, "predicted": None, "share": None}
        if self.by_step:
            return one
        one["predicted"] = as_json(self.predicted[row])
        if self.truth is not None:
            one["true"] = as_json(self.truth[row])
        if self.shares is not None and self.predicted.ndim == 1:
            one["share"] = float(np.max(self.shares[row]))
        return one


def as_json(value: Any) -> Any:
    """A label as text, a number as a number, several as a list."""
    array = np.asarray(value)
    if array.ndim:
        return [as_json(one) for one in array.ravel().tolist()]
    return finite(array) if array.dtype.kind == "f" else str(array)
