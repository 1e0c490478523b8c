"""The forecasts of a series beside what came, drawn, and what is forecast to come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pellucid import figures
from pellucid.data import Windows
from pellucid.data.times import continued, written
from pellucid.training.curves import HEIGHT, plain

LENGTH = 8.4
"""Of a panel, in inches; its height is that of all."""

_MOST_PANELS = 3
_FEW, _MANY = 60, 200  # rows that are drawn
_FORECASTS = 8  # one behind the other, that are drawn where there is room
_LABELS = 6
_TRUE, _TESTED, _NEXT = "#222222", "#1f6fb4", "#e0701a"
_SHADES = (0.28, 0.14)  # of intervals, the narrower first


@dataclass(frozen=True)
class ForecastPanel:
    """The end of a series: what was, what was forecast of it, and what is forecast to come.

    Parameters
    ----------
    name : str
    values : ndarray of shape (rows,)
        The target in the last rows.
    labels : list of str
        The times of these rows and of those to come; empty where they have none.
    tested : list of (int, ndarray)
        Forecasts of these rows: where each begins, and its numbers, a row for the forecast
        and two for the bounds of each interval.
    later : ndarray
        The same of what is to come, without any columns where that is not known.
    levels : sequence of float
        Of the intervals.
    """

    name: str
    values: np.ndarray
    labels: list[str]
    tested: list[tuple[int, np.ndarray]]
    later: np.ndarray
    levels: Sequence[float]
    size: float = HEIGHT

    def draw(self, axes: Any) -> None:
        """Draw into matplotlib's axes."""
        rows = len(self.values)
        axes.plot(np.arange(rows), self.values, color=_TRUE, linewidth=1.2, label="true")
        horizon = max((one.shape[1] for _, one in self.tested), default=0)
        ahead = "1 row" if horizon == 1 else f"{horizon} rows"
        if horizon == 1:  # one line of all, where the rows follow one another
            runs = _joined(self.tested)
        else:
            runs = self.tested
        for place, (begin, numbers) in enumerate(runs):
            label = None if place else f"forecast {ahead} ahead"
            self._draw_forecast(axes, begin, numbers, _TESTED, label)
        if self.later.shape[1]:
            axes.axvline(rows - 0.5, color="#707070", linewidth=1, linestyle=":")
            self._draw_forecast(axes, rows, self.later, _NEXT, "what comes next")
        self._label(axes, rows + self.later.shape[1])
        axes.set_title(figures.short(self.name, 60), fontsize=10)
        plain(axes)
        axes.legend(frameon=False, fontsize=8, loc="upper left", ncols=2)
        axes.margins(x=0.01)
        low, high = axes.get_ylim()
        axes.set_ylim(low, high + 0.22 * (high - low))  # room for the legend

    def _draw_forecast(
        self, axes: Any, begin: int, numbers: np.ndarray, color: str, label: str | None
    ) -> None:
        places = np.arange(begin, begin + numbers.shape[1])
        marker = "o" if len(places) == 1 else ""  # a line of one point would not be seen
        axes.plot(
            places, numbers[0], color=color, linewidth=1.4, marker=marker, markersize=3.5,
            label=label,
        )  # fmt: skip
        wide = 0.4 if len(places) == 1 else 0.0
        for number, (level, shade) in enumerate(zip(self.levels, _SHADES, strict=False)):
            lower, upper = numbers[1 + 2 * number], numbers[2 + 2 * number]
            if wide:  # and no band of one point
                places = np.array([begin - wide, begin + wide])
                lower, upper = np.repeat(lower, 2), np.repeat(upper, 2)
            known = f"{100 * level:g} % interval" if label and color == _TESTED else None
            axes.fill_between(
                places, lower, upper, color=color, alpha=shade, linewidth=0, label=known
            )

    def _label(self, axes: Any, rows: int) -> None:
        """Some times below the axis, or how many rows are before the last."""
        from matplotlib.ticker import MaxNLocator

        if not self.labels:
            last = len(self.values) - 1
            axes.xaxis.set_major_locator(MaxNLocator(_LABELS, integer=True))
            axes.xaxis.set_major_formatter(lambda place, _: f"{place - last:+.0f}")
            axes.set_xlabel("rows from the last known one")
            return
        places = np.unique(np.linspace(0, rows - 1, _LABELS).astype(int))
        texts = [figures.short(self.labels[place], 20) for place in places]
        axes.set_xticks(places, texts, fontsize=8)


def _joined(parts: list[tuple[int, np.ndarray]]) -> list[tuple[int, np.ndarray]]:
    """Forecasts of a row each as runs without a gap."""
    runs: list[tuple[int, np.ndarray]] = []
    for begin, numbers in parts:
        if runs and runs[-1][0] + runs[-1][1].shape[1] == begin:
            first, before = runs[-1]
            runs[-1] = first, np.concatenate([before, numbers], axis=1)
        else:
            runs.append((begin, numbers))
    return runs


def forecast_panels(
    model: Any, X: Windows, held: Windows | None, levels: Sequence[float] = ()
) -> list[ForecastPanel]:
    """A panel for each target of the first series: its end, and what is forecast to come.

    Parameters
    ----------
    model : estimator
        Fitted on windows.
    X : Windows
        Of the series.
    held : Windows, optional
        Those of them that the model did not learn from, whose forecasts are drawn.
    levels : sequence of float, optional
        Of the intervals that are drawn.
    """
    both = [(code, place) for code in range(len(X.names)) for place in range(len(X.targets))]
    return [_panel(model, X, held, levels, *each) for each in both[:_MOST_PANELS]]


def _panel(
    model: Any, X: Windows, held: Windows | None, levels: Sequence[float], code: int, place: int
) -> ForecastPanel:
    """The end of one series and target, by their places."""
    target, horizon = X.targets[place], X.ahead.shape[1]
    begin, end = X.spans[code]
    shown = min(end - begin, int(np.clip(_FORECASTS * horizon, _FEW, _MANY)))
    tested: list[tuple[int, np.ndarray]] = []
    if held is not None:
        own = (held.owners == code) & (held.ahead[:, 0] >= end - shown)
        own &= (end - 1 - held.ahead[:, -1]) % horizon == 0  # one behind the other
        some = held[own]
        if len(some):
            begins = (some.ahead[:, 0] - (end - shown)).tolist()
            tested = list(zip(begins, _numbers(model, some, levels, place), strict=True))
    later = np.zeros((1 + 2 * len(levels), 0))
    if end - begin >= X.steps and not X.about.get("known"):  # whose numbers to come are not here
        after = replace(
            X, starts=np.array([end - X.steps]), ahead=np.zeros((1, 0), dtype=np.int64),
            names=[X.names[code]], times=[X.times[code]],
        ).with_ahead(np.array([end]), horizon)  # fmt: skip
        later = _numbers(model, after, levels, place)[0]
    name = str(target) if X.names[code] is None else f"{target}: {X.names[code]}"
    values = X.values(target)[end - shown : end]
    return ForecastPanel(
        name, values, _labels(X, code, shown, later.shape[1]), tested, later, levels
    )


def _numbers(model: Any, X: Windows, levels: Sequence[float], place: int) -> np.ndarray:
    """Forecasts and the bounds of intervals, of shape (windows, 1 + 2 * levels, horizon)."""
    parts = [model.predict(X)]
    for level in levels:
        parts += model.predict_interval(X, level)
    rows = [np.asarray(one, np.float64).reshape(len(X), -1, len(X.targets)) for one in parts]
    return np.stack([one[:, :, place] for one in rows], axis=1)


def _labels(X: Windows, code: int, rows: int, count: int) -> list[str]:
    """The times of the last rows of a series and of as many later ones, if they are known."""
    known = X.times[code]
    if len(known) < rows:
        return []
    form, paces = X.about.get("time_format"), X.about.get("paces", ())
    return written([*known[len(known) - rows :], *continued(known, count, form, paces)])
