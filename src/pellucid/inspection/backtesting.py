"""How good forecasts would have been: origins that roll through the past of a series."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.base import clone

from pellucid import checks
from pellucid.data import Windows, windows
from pellucid.data.baselines import BASELINES, Baselines
from pellucid.data.columns import as_frame
from pellucid.data.groups import from_index
from pellucid.data.series import Fill
from pellucid.inspection.forecast_errors import (
    ERRORS,
    OF_QUANTILES,
    SCALED,
    bounds_of,
    compare,
    covered,
    measures_of,
    quantile_of,
)
from pellucid.inspection.forecast_words import beside, text_of, verdict
from pellucid.terminal import figure

_MEASURES = (*ERRORS, SCALED, *OF_QUANTILES)


@dataclass(frozen=True)
class Fold:
    """What was forecast after one origin.

    Attributes
    ----------
    origin : object
        The time of the first row to be forecast; without a column of times, the share of the rows
        before it.
    learned : int
        The windows that were learned from; all their targets are before the origin.
    windows : Windows
        Those that were forecast, whose first target is at the origin or later.
    truth : ndarray of shape (windows, horizon)
    forecasts : dict of such arrays
        Of "model", and of the forecasts to beat by name.
    scores : dict
        The errors, by step ahead ("steps") and of all together ("all"), and what share of the true
        numbers lies in the model's "intervals".
    scales : ndarray of shape (windows,)
        What MASE divides by.
    bounds : dict
        By level the lower and upper bounds of the intervals, of shape (2, windows, horizon); None
        where too few windows were kept aside.
    """

    origin: Any
    learned: int
    windows: Windows
    truth: np.ndarray
    forecasts: dict[str, np.ndarray]
    scores: dict[str, Any]
    scales: np.ndarray = field(repr=False)
    bounds: dict[float, Any] = field(repr=False)


@dataclass(frozen=True)
class Backtest:
    """The errors of forecasts from rolling origins; ``print`` shows tables and the verdict.

    Attributes
    ----------
    folds : list of Fold
    scores : dict
        The errors over all folds: by step ahead ("steps"), of all together ("all"), and of several
        series by series ("groups").
    """

    folds: list[Fold]
    scores: dict[str, Any]

    @property
    def errors(self) -> list[dict[str, Any]]:
        """A row for each fold, step ahead and forecast: ``pandas.DataFrame(result.errors)``."""
        return [
            {
                "fold": number,
                "origin": fold.origin,
                "step": step["step"],
                "forecast": name,
                **{measure: errors[measure] for measure in _MEASURES if measure in errors},
            }
            for number, fold in enumerate(self.folds, 1)
            for step in fold.scores["steps"]
            for name, errors in _named(step)
        ]

    @property
    def verdict(self) -> str:
        """In words which forecasts the model does not beat; empty if it beats all."""
        return verdict(self.scores)

    def __str__(self) -> str:
        named = [(str(n), fold.scores["all"]) for n, fold in enumerate(self.folds, 1)]
        return "\n\n".join([*beside("fold", named), text_of(self.scores)])

    def _repr_html_(self) -> str:
        rows = [(f"fold {n}", fold.scores["all"]) for n, fold in enumerate(self.folds, 1)]
        rows.append(("all", self.scores["all"]))
        names = [name for name, _ in _named(self.scores["all"])]
        head = "".join(f"<th>{name.replace('_', ' ')}</th>" for name in names)
        lines = "".join(
            f"<tr><th>{label}</th>{''.join(f'<td>{_cell(part, name)}</td>' for name in names)}</tr>"
            for label, part in rows
        )
        measure = measures_of(self.scores["all"])[0].replace("_", " ")
        what = f"{measure.capitalize()} of {self.scores['target']}"
        return (
            f"<table><caption>{html.escape(what)}</caption><thead><tr><th></th>{head}</tr></thead>"
            f"<tbody>{lines}</tbody></table><p>{html.escape(self.verdict)}</p>"
        )


def _named(part: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The errors of the model, and those of the forecasts to beat that are there, by name."""
    return [("model", part), *((name, part[name]) for name in BASELINES if name in part)]


def _cell(part: dict[str, Any], name: str) -> str:
    errors = part if name == "model" else part.get(name, {})
    return figure(errors.get(measures_of(part)[0]))


def backtest(
    model: Any,
    series: Any,
    steps: int,
    horizon: int = 1,
    folds: int = 5,
    *,
    target: Any = None,
    time: str | None = None,
    group: str | None = None,
    known: str | Sequence[str] = (),
    holidays: str | None = None,
    fill: Fill | None = None,
    stride: int = 1,
    start: float = 0.5,
    refit: bool = True,
    period: int | None = None,
) -> Backtest:
    """Forecast the past of a series from origins that roll, beside the forecasts to beat.

    The rows after `start` are cut in time into `folds` parts. For each part the model learns from
    the windows whose targets all lie before it, and forecasts from each row on.

    Parameters
    ----------
    model : estimator
        A regressor; it stays as it is, and clones of it learn.
    series : DataFrame or Series
    steps : int
        Rows of a window, which the model looks back at.
    horizon : int, default=1
        Rows to forecast.
    folds : int, default=5
    target, time, group, known, holidays, fill : optional
        As for :func:`pellucid.data.windows`.
    stride : int, default=1
        Rows from one forecast to the next.
    start : float, default=0.5
        The share of the times before the first origin.
    refit : bool, default=True
        Whether the model learns anew for each fold; else it learns once, before the first origin.
    period : int, optional
        Rows of a season, for the seasonal naive forecast. Else it is found: see
        :class:`pellucid.data.baselines.Baselines`.

    Returns
    -------
    Backtest

    Raises
    ------
    ValueError, TypeError
        If a fold would have nothing to learn from or to forecast, or as
        :func:`pellucid.data.windows` does.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from pellucid import GRURegressor
    >>> from pellucid.inspection import backtest
    >>> week = pd.DataFrame({"y": np.tile([1.0, 2, 4, 8, 4, 2, 1], 30)})
    >>> model = GRURegressor(16, max_epochs=5, random_state=0, verbose=0)
    >>> result = backtest(model, week, steps=7, horizon=2, folds=3)
    >>> [fold.learned for fold in result.folds]
    [97, 132, 167]
    """
    import narwhals as nw

    series = as_frame(series)
    if not nw.dependencies.is_into_dataframe(series):
        raise TypeError(
            f"series of backtest must be a DataFrame or Series. Got {type(series).__name__}. Put "
            "its numbers into a column."
        )
    series, group, time, _ = from_index("backtest", series, group, time, infer=True)
    X, y = windows(
        series, steps, horizon,
        target=target, time=time, group=group, known=known, holidays=holidays, fill=fill,
    )  # fmt: skip
    times = nw.from_native(series, eager_only=True)[time].to_list() if time is not None else None
    return backtest_windows(
        model, X, y, folds, stride=stride, start=start, refit=refit, period=period, times=times
    )


def backtest_windows(
    model: Any,
    X: Windows,
    y: np.ndarray,
    folds: int = 5,
    *,
    stride: int = 1,
    start: float = 0.5,
    refit: bool = True,
    period: int | None = None,
    times: Any = None,
    told: Callable[[int, Fold], None] | None = None,
) -> Backtest:
    """:func:`backtest` of windows that are cut already.

    Parameters
    ----------
    times : list, optional
        The time of each row of the series, as they were given.
    told : callable, optional
        Called after each fold, with its number.
    """
    if len(X.targets) != 1:
        raise ValueError(
            f"target of backtest must be one column. Got {checks.shown(X.about['target'])}. Test "
            "each by itself."
        )
    folds = checks.positive_integer("folds", "backtest", folds)
    stride = checks.positive_integer("stride", "backtest", stride)
    start = checks.number("start", "backtest", start, 0, 1, open_low=True, open_high=True)
    truth = np.asarray(y, dtype=np.float64).reshape(len(X), -1)
    parts = list(rolling_parts(X, np.unique(X.when), folds, start))
    fitted: Any = None
    baselines: Any = None
    done: list[Fold] = []
    for number, (edge, learn, test) in enumerate(parts, 1):
        test = _every(X, test, stride)
        if not (len(learn) and len(test)):
            raise ValueError(
                f"folds of backtest must leave windows to learn from, and windows to forecast. Got "
                f"{folds}, and there are {len(learn):,} and {len(test):,} in fold {number}. Use "
                "fewer folds, fewer steps or a later start."
            )
        if fitted is None or refit:
            fitted = clone(model).fit(X[learn], y[learn])
            # the season is that of the first fold: those after it are no other series
            known = period if baselines is None else baselines.period
            found = Baselines(X[learn], known)
            found.found = found.found if baselines is None else baselines.found
            baselines = found
        tested = X[test]
        forecasts = baselines.forecasts(tested)
        predicted = np.asarray(fitted.predict(tested), dtype=np.float64).reshape(len(test), -1)
        scales = baselines.scales(tested)
        own = np.zeros(len(test), dtype=np.int64)
        quantile = quantile_of(model)
        scores = compare(truth[test], predicted, forecasts, scales, own, [None], quantile)
        bounds = bounds_of(fitted, tested, predicted.shape)
        scores["intervals"] = covered(truth[test], bounds)
        fold = Fold(
            _origin(X, edge, times), len(learn), tested, truth[test],
            {"model": predicted, **forecasts}, scores, scales, bounds,
        )  # fmt: skip
        done.append(fold)
        if told is not None:
            told(number, fold)
    return Backtest(done, _together(X, done, baselines, quantile_of(model)))


def _together(
    X: Windows, folds: list[Fold], baselines: Baselines, quantile: float | None
) -> dict[str, Any]:
    """The errors over all folds."""
    names = [name for name in folds[0].forecasts if all(name in f.forecasts for f in folds)]
    truth, scales, codes = (
        np.concatenate([part(fold) for fold in folds])
        for part in (lambda f: f.truth, lambda f: f.scales, lambda f: f.windows.owners)
    )
    known = {name: np.concatenate([f.forecasts[name] for f in folds]) for name in names}
    predicted = known.pop("model")
    return {
        "rows": len(truth),
        "target": X.about["target"],
        "intervals": covered(truth, _joined_bounds(folds)),
        "period": baselines.period,
        "period_found": baselines.found,
        **compare(truth, predicted, known, scales, codes, X.names, quantile),
        "without_naive": int(np.isnan(known["naive"]).any(axis=1).sum()),
    }


def _joined_bounds(folds: list[Fold]) -> dict[float, Any]:
    """Those of all folds; None for a level that one of them lacks."""
    joined: dict[float, Any] = {}
    for level in folds[0].bounds:
        parts = [one for fold in folds if (one := fold.bounds.get(level)) is not None]
        joined[level] = np.concatenate(parts, axis=1) if len(parts) == len(folds) else None
    return joined


def rolling_parts(
    X: Windows, times: np.ndarray, folds: int, start: float = 0.5
) -> Iterator[tuple[float, np.ndarray, np.ndarray]]:
    """For each fold where it begins, and the windows to learn from and to forecast.

    The `times` after the first `start` of them are cut into as many parts.
    """
    first, last = X.when[X.ahead[:, 0]], X.when[X.ahead[:, -1]]
    places = np.round(np.linspace(start * len(times), len(times), folds + 1)[:-1])
    edges = [*times[places.astype(np.int64)].tolist(), np.inf]
    for edge, end in zip(edges, edges[1:], strict=False):
        yield edge, np.flatnonzero(last < edge), np.flatnonzero((first >= edge) & (first < end))


def _every(X: Windows, positions: np.ndarray, stride: int) -> np.ndarray:
    """Of the windows of each series the first, and each that is `stride` windows later."""
    series = X.owners[positions]
    chosen = [positions[series == code][::stride] for code in np.unique(series)]
    return np.concatenate(chosen) if chosen else positions


def _origin(X: Windows, edge: float, times: Any) -> Any:
    """The time at which a fold begins, or what share of the rows is before it."""
    if times is None:
        return edge
    row = int(np.flatnonzero(X.when == edge)[0])
    return times[X.order[row]]
