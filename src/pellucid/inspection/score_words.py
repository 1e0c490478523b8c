"""Scores in a few lines of text, and in words where the model is no better than no model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pellucid.checks import either
from pellucid.inspection import forecast_words
from pellucid.inspection.forecast_errors import ERRORS, OF_QUANTILES, measures_of
from pellucid.terminal import figure, filled, fits, table
from pellucid.words import name_shown, share

_MOST_CLASSES = 20  # that have a line each
_MOST_CONFUSED = 4  # pairs of classes that are named
_MOST_SQUARES = 12  # classes whose confusions are shown
_NAMES = {
    "accuracy": "accuracy",
    "loss": "loss",
    "auc": "AUC",
    "balanced_accuracy": "balanced accuracy",
    "r2": "R2",
    "mean_absolute_error": "mean absolute error",
    "root_mean_squared_error": "root mean squared error",
    "mean_absolute_scaled_error": "MASE",
    "pinball_loss": "pinball loss",
    "coverage": "share at or below",
}
_SHARES = ("accuracy", "auc", "balanced_accuracy", "r2", "coverage")
MORE_IS_BETTER = ("accuracy", "auc", "balanced_accuracy", "r2")


def text_of(heading: str, scores: Mapping[str, Any]) -> str:
    """The scores below a heading."""
    if by_target := series_of(scores):
        once = len(by_target) > 1 and len(set(map(forecast_words.legend, by_target))) == 1
        texts = (forecast_words.text_of(one, explained=not once) for one in by_target)
        parts = [filled(f"{heading}:"), *texts]
        parts += [forecast_words.block([forecast_words.legend(by_target[0])])] if once else []
    elif "classes" in scores:
        measures = f"accuracy {share(scores['accuracy'])} ({scores['right']:,} right)"
        if scores["loss"] is not None:
            measures += f", loss {figure(scores['loss'])}"
        parts = [filled(f"{heading}: {measures}", 2), *_classes(scores)]
    else:
        labels = "accuracy" in scores
        parts = [filled(f"{heading}:"), *(_labels if labels else _numbers)(scores)]
    return "\n\n".join(part for part in parts if part)


def in_line(figures: Mapping[str, Any]) -> str:
    """``accuracy 0.971, loss 0.0907``."""
    return ", ".join(f"{words} {number}" for words, number in named(figures).items())


def named(figures: Mapping[str, Any]) -> dict[str, str]:
    """``{"accuracy": "0.971", "loss": "0.0907"}``: the figures that are known, in words."""
    return {
        words: (share if name in _SHARES else figure)(figures[name])
        for name, words in _NAMES.items()
        if figures.get(name) is not None
    }


def no_better(figures: Mapping[str, Any], baseline: Mapping[str, Any] | None) -> list[str]:
    """The measures, in words, by which a model is no better than its baseline."""
    names = [name for name in _NAMES if name != "coverage"]  # which is no better for being more
    return [_NAMES[name] for name in _no_better(figures, baseline, names)]


def verdict(scores: Mapping[str, Any]) -> str:
    """In words where the model is no better than its baseline; empty where it is better."""
    if by_target := series_of(scores):
        said = [(one["target"], forecast_words.verdict(one)) for one in by_target]
        return " ".join(
            words if len(said) == 1 else f"{_quoted(name)}: {words}"
            for name, words in said
            if words
        )
    if "classes" in scores:
        baseline = scores["baseline"]
        measures = _no_better(scores, baseline, ("accuracy", "loss"))
        if not measures:
            return ""
        answer = f"always saying {_quoted(baseline['answer'])}"
        if measures == ["loss"]:
            return f"By loss the model is no better than {answer}: its probabilities are too sure."
        by = "The" if len(measures) == 2 else "By accuracy the"
        return f"{by} model is no better than {answer}."
    names: Sequence[str] = ("accuracy", "loss")
    what = "the same"
    if "accuracy" not in scores:
        names = measures_of(scores["targets"][0])
        kinds = [(target["baseline"] or {}).get("kind") for target in scores["targets"]]
        what = f"the {kinds[0] or 'mean'}"
    targets = [
        (target["target"], _no_better(target, target["baseline"], names))
        for target in scores["targets"]
    ]
    sentences = []
    for measures in _partly(names):
        worse = [_quoted(name) for name, own in targets if own == measures]
        if worse:
            of = "" if len(targets) == 1 else f"for {either(worse, 'and')} "
            by = "" if len(measures) == len(names) else f"by {_NAMES[measures[0]]} "
            words = f"{of}{by}the model is no better than always saying {what}."
            sentences.append(words[0].upper() + words[1:])
    return " ".join(sentences)


def _partly(names: Sequence[str]) -> list[list[str]]:
    """All of the measures, then each of them alone."""
    return [list(names), *([name] for name in names if len(names) > 1)]


def _no_better(
    model: Mapping[str, Any], baseline: Mapping[str, Any] | None, names: Sequence[str]
) -> list[str]:
    """The measures, where both are known, by which `model` is no better, unless it is perfect."""
    worse = []
    for name in names:
        own, other = model.get(name), (baseline or {}).get(name)
        if own is None or other is None:
            continue
        more = name in MORE_IS_BETTER
        perfect = own == (1 if more else 0)
        if not perfect and (own <= other if more else own >= other):
            worse.append(name)
    return worse


def _classes(scores: Mapping[str, Any]) -> list[str]:
    parts = [_by_class(scores["classes"], scores["confusion"])]
    lines = [in_line({name: scores[name] for name in ("auc", "balanced_accuracy")})]
    if baseline := scores["baseline"]:
        lines.append(f"Always saying {_quoted(baseline['answer'])}: {in_line(baseline)}")
    lines.append(verdict(scores))
    return [*parts, forecast_words.block(lines)]


def _by_class(classes: Sequence[Mapping[str, Any]], counts: list[list[int]] | None) -> str:
    """Recall and precision by class, with the confusions where there is room for them."""
    names = [one["class"] for one in classes]
    if counts is not None and len(names) <= _MOST_SQUARES:
        rows: list[list[object]] = [["true \\ predicted", *names, "recall", "precision"]]
        rows += [
            [one["class"], *line, share(one["recall"]), share(one["precision"])]
            for one, line in zip(classes, counts, strict=True)
        ]
        if fits(text := table(rows)):
            return text
    kept = classes
    if len(classes) > _MOST_CLASSES:  # those that it tells apart worst
        worst = sorted(classes, key=lambda one: 2 if one["recall"] is None else one["recall"])
        kept = worst[:_MOST_CLASSES]
    rows = [["class", "rows", "recall", "precision"]]
    rows += [
        [one["class"], f"{one['rows']:,}", share(one["recall"]), share(one["precision"])]
        for one in kept
    ]
    text = table(rows)
    rest = len(classes) - len(kept)
    if rest:
        text = f"{text}\n  and {rest:,} more classes, told apart no worse"
    most = _most_confused(names, counts)
    return f"{text}\n\n{most}" if most else text


def _most_confused(names: Sequence[object], counts: list[list[int]] | None) -> str:
    """The classes that are taken for one another most often."""
    pairs = [
        (count, row, column)
        for row, line in enumerate(counts or ())
        for column, count in enumerate(line)
        if count and row != column
    ]
    if not pairs:
        return ""
    pairs.sort(key=lambda pair: (-pair[0], *pair[1:]))
    most = [
        f"{_quoted(names[row])} for {_quoted(names[column])} ({count:,})"
        for count, row, column in pairs[:_MOST_CONFUSED]
    ]
    return filled(f"  Most often taken for another: {', '.join(most)}.", 2)


def _labels(scores: Mapping[str, Any]) -> list[str]:
    rows: list[list[object]] = [["", "accuracy", "always the same", "AUC", "recall", "precision"]]
    for target in scores["targets"]:
        usual = (target["baseline"] or {}).get("accuracy")
        measures = (target["accuracy"], usual, target["auc"], target["recall"], target["precision"])
        rows.append([target["target"], *map(share, measures)])
    usual = (scores["baseline"] or {}).get("accuracy")
    rows.append(["all of a row", share(scores["accuracy"]), share(usual), "", "", ""])
    return [table(rows), forecast_words.block([verdict(scores)])]


def _numbers(scores: Mapping[str, Any]) -> list[str]:
    first = scores["targets"][0]
    names = [name for name in ("r2", *ERRORS, *OF_QUANTILES) if name in first]
    rows: list[list[object]] = [["", *(_NAMES[name] for name in names)]]
    for target in scores["targets"]:
        rows.append([target["target"], *_errors(target, names)])
        if baseline := target["baseline"]:
            rows.append([f"always {figure(baseline['answer'])}", *_errors(baseline, names)])
    return [table(rows), forecast_words.block([verdict(scores)])]


def _errors(figures: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    return [(share if name in _SHARES else figure)(figures[name]) for name in names]


def series_of(scores: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The scores of each target of a series, none where they are of other rows."""
    return [one for one in (scores, *scores.get("targets", ())) if "steps" in one]


def _quoted(name: object) -> str:
    return f"'{name_shown(name)}'" if isinstance(name, str) else str(name)
