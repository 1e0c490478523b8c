"""How good forecasts are by step ahead, beside those to beat, in figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from pellucid.inspection.measures import NumberErrors
from pellucid.sums import ExactSum

ERRORS = ("mean_absolute_error", "root_mean_squared_error")
OF_QUANTILES = ("pinball_loss", "coverage")
SCALED = "mean_absolute_scaled_error"

LEVELS = (0.8, 0.95)
"""Of the intervals that a test reports."""

_LEAST_KNOWN = 0.5  # of the windows: a baseline of fewer is left out


def quantile_of(model: Any) -> float | None:
    """The quantile that `model` predicts, None where it predicts a centre."""
    return float(model.quantile) if getattr(model, "loss", None) == "quantile" else None


def errors_of(
    truth: np.ndarray, guess: np.ndarray, quantile: float | None = None
) -> dict[str, float | None]:
    """Mean absolute and root mean squared error, over what is known.

    Of a quantile, whose errors are to be more on one side, the pinball loss instead, and the share
    of the truth that is at or below it, which is to be the quantile.
    """
    errors = NumberErrors(quantile)
    errors.add(truth.astype(np.float64), np.broadcast_to(guess, truth.shape).astype(np.float64))
    return figures_of(errors)


def figures_of(errors: NumberErrors) -> dict[str, float | None]:
    """The errors by their names, None where no row is known."""
    names = ERRORS if errors.quantile is None else OF_QUANTILES
    return {name: finite(getattr(errors, name)) if errors.rows else None for name in names}


def measures_of(figures: Mapping[str, Any]) -> tuple[str, ...]:
    """The errors by which a model is judged: of a quantile the pinball loss alone."""
    return OF_QUANTILES[:1] if OF_QUANTILES[0] in figures else ERRORS


def finite(value: Any) -> float | None:
    """A figure, or None where it is not defined."""
    return float(value) if np.isfinite(value) else None


class Comparison:
    """The errors of a model and of baselines: by step ahead, together, and by series.

    Windows may come in parts, each of whole series; the figures are the same however they are
    parted.

    Parameters
    ----------
    quantile : float, optional
        What the model predicts, if it is one: then the errors are others, see :func:`errors_of`.
    """

    def __init__(self, quantile: float | None = None) -> None:
        self._quantile = quantile
        self._steps: list[_Beside] = []
        self._all = _Beside(quantile)
        self._groups: list[tuple[dict[str, Any], dict[str, Any]]] = []
        self._series = 0

    def add(
        self,
        truth: np.ndarray,
        predicted: np.ndarray,
        baselines: Mapping[str, np.ndarray],
        scales: np.ndarray,
        series: np.ndarray,
        names: Sequence[Any],
    ) -> None:
        """Count windows.

        Parameters
        ----------
        truth, predicted : ndarray of shape (windows, horizon)
        baselines : map of such arrays
            NaN where there is no forecast.
        scales : ndarray of shape (windows,)
            By which MASE divides, NaN where there is none.
        series : ndarray of shape (windows,)
            Each window's series, by its position among `names`.
        names : sequence
        """
        horizon, whole = truth.shape[1], slice(None)
        self._steps = self._steps or [_Beside(self._quantile) for _ in range(horizon)]
        for k, step in enumerate(self._steps):
            step.add(truth, predicted, baselines, scales, whole, slice(k, k + 1))
        self._all.add(truth, predicted, baselines, scales, whole, whole)
        self._series += len(names)
        for code in np.unique(series).tolist():
            own, rows = _Beside(self._quantile), series == code
            own.add(truth, predicted, baselines, scales, rows, whole)
            about = {"group": names[code], "rows": int(np.sum(rows))}
            self._groups.append((about, own.figures(baselines)))

    @property
    def content(self) -> dict[str, Any]:
        """The figures.

        Returns
        -------
        dict
            "steps", "all" and, of several series, "groups": each with the errors of the model and,
            by name, those of the baselines, but for one that few windows have. Where a baseline
            does not have all windows, "windows" says how many it has, and "model" has the model's
            errors there.
        """
        known = [name for name, share in self._all.shares.items() if share >= _LEAST_KNOWN]
        content: dict[str, Any] = {
            "steps": [{"step": k + 1, **one.figures(known)} for k, one in enumerate(self._steps)],
            "all": self._all.figures(known),
        }
        if self._series > 1:
            left_out = self._all.shares.keys() - {*known}
            content["groups"] = [
                about | {name: part for name, part in own.items() if name not in left_out}
                for about, own in self._groups
            ]
        return content


def compare(
    truth: np.ndarray,
    predicted: np.ndarray,
    baselines: Mapping[str, np.ndarray],
    scales: np.ndarray,
    series: np.ndarray,
    names: Sequence[Any],
    quantile: float | None = None,
) -> dict[str, Any]:
    """The content of a :class:`Comparison` of these windows alone."""
    comparison = Comparison(quantile)
    comparison.add(truth, predicted, baselines, scales, series, names)
    return comparison.content


class _Errors:
    """Errors in the target's units, and scaled for MASE."""

    def __init__(self, quantile: float | None) -> None:
        self._plain = NumberErrors(quantile, spread=False)
        self._scaled = NumberErrors(spread=False) if quantile is None else None

    def add(self, true: np.ndarray, guess: np.ndarray, unit: np.ndarray) -> None:
        self._plain.add(true, guess)
        if self._scaled is not None:
            self._scaled.add(true / unit, guess / unit)

    @property
    def figures(self) -> dict[str, float | None]:
        figures = figures_of(self._plain)
        if self._scaled is not None:
            figures[SCALED] = figures_of(self._scaled)[ERRORS[0]]
        return figures


class _Beside:
    """The errors of the model and of each baseline, where that has a forecast."""

    def __init__(self, quantile: float | None) -> None:
        self._quantile, self._windows = quantile, 0
        self._model = _Errors(quantile)
        self._baselines: dict[str, _Errors] = {}
        self._there: dict[str, int] = {}  # windows of which all steps have a forecast
        self._where: dict[str, _Errors] = {}  # the model's errors, where a baseline has a forecast

    def add(
        self,
        truth: np.ndarray,
        predicted: np.ndarray,
        baselines: Mapping[str, np.ndarray],
        scales: np.ndarray,
        rows: Any,
        columns: slice,
    ) -> None:
        true, own, unit = truth[rows, columns], predicted[rows, columns], scales[rows, None]
        self._windows += len(true)
        self._model.add(true, own, unit)
        for name, values in baselines.items():
            guess = values[rows, columns]
            known = np.isfinite(guess)
            if name not in self._baselines:
                self._baselines[name] = _Errors(self._quantile)
                self._where[name] = _Errors(self._quantile)
            self._baselines[name].add(true, guess, unit)
            self._where[name].add(true, np.where(known, own, np.nan), unit)
            there = int(np.count_nonzero(known.all(axis=1)))
            self._there[name] = self._there.get(name, 0) + there

    @property
    def shares(self) -> dict[str, float]:
        """What share of the windows each baseline has."""
        return {name: there / self._windows for name, there in self._there.items()}

    def figures(self, names: Iterable[str]) -> dict[str, Any]:
        """Those of the model, and of the baselines of these names."""
        found: dict[str, Any] = {**self._model.figures}
        for name in names:
            found[name] = {**self._baselines[name].figures}
            if self._there[name] < self._windows:
                found[name]["windows"] = self._there[name]
                found[name]["model"] = self._where[name].figures
        return found


def no_better(
    model: Mapping[str, Any],
    baseline: Mapping[str, Any] | None,
    names: Sequence[str] | None = None,
) -> list[str]:
    """The errors, where both are known, by which `model` is no better, unless it is perfect.

    They are all by which it is judged, unless there are `names`.
    """
    if baseline is None:
        return []
    names = measures_of(model) if names is None else names
    model = baseline.get("model", model)
    pairs = [(name, model.get(name), baseline.get(name)) for name in names]
    return [
        name
        for name, own, other in pairs
        if own is not None and other is not None and own >= other and own != 0
    ]


def bounds_of(model: Any, X: Any, shape: tuple[int, ...]) -> dict[float, Any]:
    """The lower and upper bounds of a model's intervals by level, of that `shape`.

    They are None where too few windows were kept aside, and there are none of a quantile.
    """
    intervals = getattr(model, "intervals_", None)
    bounds: dict[float, Any] = {}
    if intervals is None or quantile_of(model) is not None:
        return bounds
    for level in LEVELS:
        sides = model.predict_interval(X, level) if intervals.allows(level) else ()
        bounds[level] = np.stack([one.reshape(shape) for one in sides]) if sides else None
    return bounds


class Coverage:
    """What share of the true numbers lies in intervals, and how wide those are, of parts."""

    def __init__(self) -> None:
        self._rows = 0
        self._inside: dict[float, int | None] = {}
        self._wide: dict[float, ExactSum] = {}

    def add(self, truth: np.ndarray, bounds: Mapping[float, Any]) -> None:
        """Count true numbers with their bounds, None for a level that has none."""
        self._rows += truth.size
        for level, sides in bounds.items():
            before = self._inside.setdefault(level, 0)
            if sides is None or before is None:
                self._inside[level] = None
                continue
            inside = np.count_nonzero((truth >= sides[0]) & (truth <= sides[1]))
            self._inside[level] = before + int(inside)
            self._wide.setdefault(level, ExactSum()).add(sides[1] - sides[0])

    @property
    def content(self) -> list[dict[str, Any]]:
        """The figures by level, None where there are no bounds."""
        return [
            {
                "level": level,
                "coverage": None if inside is None else inside / self._rows,
                "width": None if inside is None else self._wide[level].mean(self._rows),
            }
            for level, inside in self._inside.items()
        ]


def covered(truth: np.ndarray, bounds: Mapping[float, Any]) -> list[dict[str, Any]]:
    """The content of a :class:`Coverage` of these numbers alone."""
    coverage = Coverage()
    coverage.add(truth, bounds)
    return coverage.content
