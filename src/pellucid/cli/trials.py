"""What a search has tried: as a table for people, in a file, and for programs."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Sequence
from typing import Any

from pellucid.cli.output import Output
from pellucid.cli.searching import Search, Tried
from pellucid.cli.spaces import Range, Space, parameters_shown, value_shown
from pellucid.terminal import figure, filled, fits, table
from pellucid.training.progress import LINES, short_time

_MOST = 10  # that are shown
_SMALL = 10.0  # scores below are shown with four decimals


def shown(search: Search, space: Space) -> str:
    """The best trials, and the estimator as it is, in lines of 80 columns."""
    ranked = search.ranked
    best = ranked[:_MOST]
    best += [one for one in ranked[_MOST:] if one.is_usual]
    scores = _scores([one.score for one in best])
    names = ["default" if one.is_usual else str(one.number) for one in best]
    spreads = _scores([one.spread for one in best])
    seconds = [f"{one.seconds:.3g}" for one in best]
    heads, columns = ["trial", "score", "spread", "seconds"], [names, scores, spreads, seconds]
    if any(one.rows for one in best):
        heads.append("rows")
        columns.append(["all" if one.rows is None else f"{one.rows:,}" for one in best])
    values = [_values(search, one, space) for one in best]
    parameters = [[value_shown(row[name]) for row in values] for name in space]
    text = table([[*heads, *space], *zip(*columns, *parameters, strict=True)])
    if fits(text):
        return text
    lines = table([heads, *zip(*columns, strict=True)]).split("\n")
    behind = [f"    {parameters_shown(row)}" for row in values]
    return "\n".join(
        [lines[0]]
        + [f"{line}\n{filled(more, 6)}" for line, more in zip(lines[1:], behind, strict=True)]
    )


def _scores(values: Sequence[float]) -> list[str]:
    """Scores, or their spreads, with equally many digits; a dash where there is none."""
    small = all(abs(value) < _SMALL for value in values if not math.isnan(value))
    return [
        "-" if math.isnan(value) else f"{value:.4f}" if small else figure(value) for value in values
    ]


def score_shown(value: float) -> str:
    """A score within a sentence."""
    return _scores([value])[0]


def _values(search: Search, one: Tried, space: Space) -> dict[str, Any]:
    """The value of each parameter of the space."""
    usual = search.model.get_params(deep=False)
    return {name: one.parameters.get(name, usual[name]) for name in space}


def columns(search: Search, space: Space) -> dict[str, list[Any]]:
    """All trials as columns, in the order in which they were made, the estimator as it is first."""
    known = [] if search.usual is None else [search.usual]
    tried = [*known, *search.tried]
    values = [_values(search, one, space) for one in tried]
    found: dict[str, list[Any]] = {
        "trial": [one.number for one in tried],
        "score": [_number(one.score) for one in tried],
        "spread": [_number(one.spread) for one in tried],
        "seconds": [one.seconds for one in tried],
    }
    if any(one.round is not None for one in tried):
        found["round"] = [one.round for one in tried]
        found["rows"] = [one.rows for one in tried]
    folds = len(tried[0].scores) if tried else 0
    found |= {
        f"score_{fold + 1}": [_number(one.scores[fold]) for one in tried] for fold in range(folds)
    }
    # a column beside the others, whatever a parameter is called
    return found | {f"parameter_{name}": _column([row[name] for row in values]) for name in space}


def _column(values: list[Any]) -> list[Any]:
    """Numbers as they are; of several kinds the text that ``--set`` reads."""
    kinds = {type(value) for value in values if value is not None}
    plain = kinds <= {int, float} or kinds <= {bool} or kinds <= {str}
    return values if plain else [one if isinstance(one, str) else repr(one) for one in values]


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def write(path: str, ending: str, data: str, search: Search, space: Space) -> None:
    """Write all trials into a file; whole, or not at all."""
    from pellucid.cli.predictions import writer
    from pellucid.files import writing

    with writing(path) as file, writer(file, ending, ("data", data), "trials") as written:
        written.write(columns(search, space))


def facts(search: Search, space: Space) -> dict[str, Any]:
    """All of it, for a program."""
    best = search.best
    if best is not None and best.is_usual:
        best = search.usual
    return {
        "scoring": search.scoring.name,
        "folds": len(search.folds),
        "space": {name: _described(one) for name, one in space.items()},
        "default": None if search.usual is None else _facts(search.usual),
        "trials": [_facts(one) for one in search.tried],
        "best": None if best is None else {**_facts(best), "is_default": best.is_usual},
    }


def _described(one: list[Any] | Range) -> Any:
    if isinstance(one, list):
        return one
    low, high = one.ends
    return {"low": low, "high": high, "by_logarithm": one.by_logarithm}


def _facts(one: Tried) -> dict[str, Any]:
    halving = {} if one.round is None else {"round": one.round, "rows": one.rows}
    return {
        "parameters": one.parameters,
        "score": one.score,
        "spread": one.spread,
        "scores": list(one.scores),
        "seconds": one.seconds,
        **halving,
    }


class Shown:
    """Shows how a search goes on: a bar on a terminal, some lines elsewhere.

    Parameters
    ----------
    told : Output
    """

    def __init__(self, told: Output) -> None:
        self._told, self._last = told, (0, 0)
        self._bar: Any = None
        self._began = time.perf_counter()

    def __enter__(self) -> Shown:
        from tqdm import tqdm

        terminal = sys.stderr is not None and sys.stderr.isatty()
        self._bar = tqdm(
            total=1, file=sys.stderr, leave=False, disable=not (terminal and self._told.is_open),
            dynamic_ncols=True, bar_format="{n:.0f}/{total} {bar} {remaining} left  {desc}",
        )  # fmt: skip
        return self

    def __call__(self, count: int, tried: Sequence[Tried]) -> None:
        """So many of `count` trials are made."""
        done = len(tried)
        scores = [one.score for one in tried if not math.isnan(one.score)]
        best = f"best {score_shown(max(scores))}" if scores else "no score yet"
        if not self._bar.disable:
            self._bar.total, self._bar.n = count, done
            self._bar.set_description_str(best)
            return
        due = count, done * LINES // count  # halving makes more of them, round by round
        if due != self._last and due[1]:
            self._last = due
            left = (time.perf_counter() - self._began) / done * (count - done)
            self._told.say(f"{done:>{len(str(count))}}/{count}  {best}  {short_time(left)} left")

    def __exit__(self, *_: object) -> None:
        self._bar.close()
