"""How good forecasts are by step ahead, beside those to beat, in figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pellucid.inspection.measures import NumberErrors

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


def compare(
    truth: np.ndarray,
    predicted: np.ndarray,
    baselines: Mapping[str, np.ndarray],
    scales: np.ndarray,
    series: np.ndarray,
    names: Sequence[Any],
    quantile: float | None = None,
) -> dict[str, Any]:
    """The errors of a model and of baselines: by step ahead, together, and by series.

    Parameters
    ----------
    truth, predicted : ndarray of shape (windows, horizon)
    baselines : map of such arrays
        NaN where there is no forecast; a baseline that few windows have is left out.
    scales : ndarray of shape (windows,)
        By which MASE divides, NaN where there is none.
    series : ndarray of shape (windows,)
        Each window's series, by its position among `names`.
    names : sequence
    quantile : float, optional
        What the model predicts, if it is one: then the errors are others, see :func:`errors_of`.

    Returns
    -------
    dict
        "steps", "all" and, of several series, "groups": each with the errors of the model and, by
        name, those of the baselines. Where a baseline does not have all windows, "windows" says how
        many it has, and "model" has the model's errors there.
    """
    known = {
        name: values
        for name, values in baselines.items()
        if np.isfinite(values).all(axis=1).mean() >= _LEAST_KNOWN
    }

    def part(rows: Any, columns: slice) -> dict[str, Any]:
        true, own, unit = truth[rows, columns], predicted[rows, columns], scales[rows, None]

        def errors(guess: np.ndarray, model: np.ndarray) -> dict[str, Any]:
            model = np.where(np.isfinite(guess), model, np.nan)
            own = errors_of(true, model, quantile)
            if quantile is not None:
                return own
            return {**own, SCALED: errors_of(true / unit, model / unit)[ERRORS[0]]}

        found = errors(own, own)
        for name, values in known.items():
            guess = values[rows, columns]
            there = np.isfinite(guess).all(axis=1)
            found[name] = errors(guess, guess)
            if not there.all():
                found[name] |= {"windows": int(there.sum()), "model": errors(guess, own)}
        return found

    whole, horizon = slice(None), truth.shape[1]
    content: dict[str, Any] = {
        "steps": [{"step": k + 1, **part(whole, slice(k, k + 1))} for k in range(horizon)],
        "all": part(whole, whole),
    }
    if len(names) > 1:
        content["groups"] = [
            {
                "group": names[code],
                "rows": int(np.sum(series == code)),
                **part(series == code, whole),
            }
            for code in np.unique(series).tolist()
        ]
    return content


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


def covered(truth: np.ndarray, bounds: Mapping[float, Any]) -> list[dict[str, Any]]:
    """What share of the true numbers lies in the intervals, and how wide those are."""
    found = []
    for level, sides in bounds.items():
        inside = wide = None
        if sides is not None:
            inside = float(np.mean((truth >= sides[0]) & (truth <= sides[1])))
            wide = float(np.mean(sides[1] - sides[0]))
        found.append({"level": level, "coverage": inside, "width": wide})
    return found
