"""Forecasts beside those to beat, in tables of 80 columns and in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pellucid.checks import either, printable
from pellucid.data.baselines import BASELINES
from pellucid.inspection.forecast_errors import SCALED, measures_of, no_better
from pellucid.terminal import figure, filled, fits, shortened, table

_CORNER = 12  # columns for the name of the target
_MOST_SERIES = 20  # that have a line each
_SHORT = {
    "mean_absolute_error": "MAE",
    "root_mean_squared_error": "RMSE",
    "pinball_loss": "pinball loss",
    "naive": "naive",
    "seasonal_naive": "seasonal",
    "ridge": "ridge",
}


def text_of(scores: Mapping[str, Any], explained: bool = True) -> str:
    """Tables of the errors by step and by series, what the baselines are, and the verdict.

    What the baselines are is left out unless it is to be `explained`.
    """
    lines = [legend(scores)] if explained else []
    lines += [*notes(scores), _covered(scores.get("intervals", ())), verdict(scores)]
    named = [(f"+{step['step']}", step) for step in scores["steps"]]
    if len(named) > 1:
        named.append(("all", scores["all"]))
    parts = beside(shortened(printable(str(scores["target"])), _CORNER), named)
    if 1 < len(groups := scores.get("groups", ())) <= _MOST_SERIES:
        parts += beside("by series", [(str(one["group"]), one) for one in groups])
    return "\n\n".join([*parts, block(lines)])


def beside(corner: str, named: Sequence[tuple[str, Mapping[str, Any]]]) -> list[str]:
    """The errors of model and baselines: in one table if it fits the page, else one for each."""
    first = named[0][1]
    others, judged = [name for name in BASELINES if name in first], measures_of(first)

    def cells(measures: Sequence[str]) -> str:
        rows: list[list[object]] = [[corner]]
        for measure in measures:
            rows[0] += [_SHORT[measure], *(_SHORT[name] for name in others)]
        for name, errors in named:
            each = [one[m] for m in measures for one in (errors, *(errors[o] for o in others))]
            rows.append([name, *map(figure, each)])
        return table(rows)

    whole = cells(judged)
    return [whole] if fits(whole) else [cells([measure]) for measure in judged]


def legend(scores: Mapping[str, Any]) -> str:
    """What the baselines are, and why there is no seasonal naive forecast if there is none."""
    period, whole = scores["period"], scores["all"]
    words = ["naive: all stays as it was in the last row"]
    if "seasonal_naive" in whole:
        words.append(f"seasonal: as it was {period:,} rows before ({scores['period_found']})")
    if "ridge" in whole:
        words.append("ridge: linear in the differences of a window to its last value")
    said = "; ".join(words) + "."
    if "seasonal_naive" in whole:
        return said
    reason = "no period is found" if period is None else f"rows {period:,} before are not there"
    return f"{said} There is no seasonal naive forecast: {reason}."


def notes(scores: Mapping[str, Any]) -> list[str]:
    """What some windows lack, and the scaled error of all."""
    period, whole, lines = scores["period"], scores["all"], list[str]()
    if scores["without_naive"]:
        lines.append("Windows without any known value have no naive forecast.")
    if whole.get("coverage") is not None:
        lines.append(f"{whole['coverage']:.1%} of the true values are at or below the forecast.")
    scaled = [("model", whole), *((_SHORT[name], whole.get(name)) for name in BASELINES)]
    known = [f"{name} {figure(one[SCALED])}" for name, one in scaled if one and one.get(SCALED)]
    if known:
        season = "naive" if period is None else "seasonal naive"
        lines.append(
            f"MASE (1 is the {season} forecast of one step in training): {', '.join(known)}."
        )
    return lines


def _covered(intervals: Sequence[Mapping[str, Any]]) -> str:
    """What share of the true numbers lies in the intervals."""
    known = [one for one in intervals if one["coverage"] is not None]
    parts = [
        f"{'the ' if not place else ''}{100 * one['level']:g} % interval has "
        f"{100 * one['coverage']:.1f} % of the true numbers, and is {figure(one['width'])} wide"
        for place, one in enumerate(known)
    ]
    words = f"On average {'; the '.join(parts)}." if parts else ""
    lacking = [f"{100 * one['level']:g} %" for one in intervals if one["coverage"] is None]
    if lacking:
        few = f"For {either(lacking, 'and')} too few windows could be kept aside in fit."
        words = f"{words} {few}".strip()
    return words


def block(lines: Sequence[str]) -> str:
    """Lines below a table, each broken to fit the page."""
    return "\n".join(filled(f"  {line}", 2) for line in lines if line)


def called(baseline: str, period: int | None = None) -> str:
    """A baseline's name in a sentence."""
    season = "" if period is None else f" (period {period:,})"
    return {
        "naive": "the naive forecast",
        "seasonal_naive": f"the seasonal naive forecast{season}",
        "ridge": "a ridge on lags",
    }[baseline]


def verdict(scores: Mapping[str, Any]) -> str:
    """In words which baselines the model does not beat, and where; empty if it beats all."""
    steps = scores["steps"]
    judged = measures_of(scores["steps"][0])
    worse: dict[tuple[tuple[str, ...], tuple[int, ...]], list[str]] = {}
    for name in BASELINES:
        for measures in dict.fromkeys((judged, *((measure,) for measure in judged))):
            where = tuple(
                one["step"] for one in steps if no_better(one, one.get(name)) == list(measures)
            )
            if where:
                known = called(name, scores.get("period"))
                worse.setdefault((measures, where), []).append(known)
    sentences = []
    for (measures, where), names in worse.items():
        words = f"the model is no better than {either(names)}"
        if 1 < len(steps) == len(where):
            words += " in any step ahead"
        elif len(where) < len(steps):  # in front, since "a ridge on lags 1 and 2" would be another
            words = f"{_ahead(where)} {words}"
        by = "" if len(measures) == len(judged) else f", by {_WORDS[measures[0]]}"
        sentences.append(f"{words[0].upper()}{words[1:]}{by}.")
    if groups := scores.get("groups"):
        sentences += _of_groups(groups)
    return " ".join(sentences)


_WORDS = {
    "mean_absolute_error": "mean absolute error",
    "root_mean_squared_error": "root mean squared error",
    "pinball_loss": "pinball loss",
}


def _ahead(steps: Sequence[int]) -> str:
    """``1 to 3 and 6 steps ahead``."""
    runs: list[list[int]] = []
    for step in steps:
        if runs and step == runs[-1][-1] + 1:
            runs[-1].append(step)
        else:
            runs.append([step])
    parts = [
        word
        for run in runs
        for word in ([f"{run[0]} to {run[-1]}"] if len(run) > 2 else map(str, run))
    ]
    return f"{either(parts, 'and')} step{'' if tuple(steps) == (1,) else 's'} ahead"


def _of_groups(groups: Sequence[Mapping[str, Any]]) -> list[str]:
    """How many series each baseline forecasts as well as the model."""
    words: list[str] = []
    measure = measures_of(groups[0])[0]
    for name in BASELINES:
        count = sum(bool(no_better(one, one.get(name), [measure])) for one in groups)
        if count:
            are = f" of {len(groups):,} series are forecast no better" if not words else ""
            words.append(f"{count:,}{are} than by {called(name)}")
    return [f"By {_WORDS[measure]} {either(words, 'and')}."] if words else []
