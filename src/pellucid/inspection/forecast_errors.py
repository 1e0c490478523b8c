"""How good forecasts are by step ahead, beside those to beat, in figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

ERRORS = ("mean_absolute_error", "root_mean_squared_error")
SCALED = "mean_absolute_scaled_error"
BASELINES = ("naive", "seasonal_naive", "ridge")

_LEAST_KNOWN = 0.5  # of the windows: a baseline of fewer is left out


def errors_of(truth: np.ndarray, guess: np.ndarray) -> dict[str, float | None]:
    """Mean absolute and root mean squared error, over what is known."""
    from sklearn.metrics import mean_absolute_error, root_mean_squared_error

    guess = np.broadcast_to(guess, truth.shape)
    known = np.isfinite(guess) & np.isfinite(truth)
    if not known.any():
        return dict.fromkeys(ERRORS)
    with np.errstate(over="ignore"):
        measured = (
            measure(truth[known].astype(float), guess[known].astype(float))
            for measure in (mean_absolute_error, root_mean_squared_error)
        )
        return {name: finite(error) for name, error in zip(ERRORS, measured, strict=True)}


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
            scaled = errors_of(true / unit, model / unit)[ERRORS[0]]
            return {**errors_of(true, model), SCALED: scaled}

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
    model: Mapping[str, Any], baseline: Mapping[str, Any] | None, names: Sequence[str] = ERRORS
) -> list[str]:
    """The errors, where both are known, by which `model` is no better, unless it is perfect."""
    if baseline is None:
        return []
    model = baseline.get("model", model)
    pairs = [(name, model.get(name), baseline.get(name)) for name in names]
    return [
        name
        for name, own, other in pairs
        if own is not None and other is not None and own >= other and own != 0
    ]
