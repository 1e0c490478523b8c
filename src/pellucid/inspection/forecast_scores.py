"""How good forecasts of windows are, beside those of the forecasts to beat, in figures."""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid.data.baselines import Baselines
from pellucid.inspection.forecast_errors import bounds_of, compare, covered, quantile_of


def score_windows(model: Any, reading: Any, X: Any, y: Any) -> dict[str, Any]:
    """The model's errors on windows `X`, beside those of the forecasts to beat, by target.

    Those are the model's, fitted on what it learned from; a model that was not trained here has
    none, and `X` must do, without a ridge.
    """
    truth = np.asarray(y, dtype=np.float64).reshape(len(y), -1, len(X.targets))
    predicted = np.asarray(model.predict(reading), dtype=np.float64).reshape(truth.shape)
    bounds = bounds_of(model, reading, truth.shape)
    by_target = [
        _score_of_target(
            model, X.only(name), truth[:, :, k], predicted[:, :, k],
            {level: None if sides is None else sides[..., k] for level, sides in bounds.items()},
        )
        for k, name in enumerate(X.targets)
    ]  # fmt: skip
    if len(by_target) == 1:
        return by_target[0]
    return {"rows": len(truth), "targets": by_target}


def _score_of_target(
    model: Any, X: Any, truth: np.ndarray, predicted: np.ndarray, intervals: dict[float, Any]
) -> dict[str, Any]:
    """The errors of one target; of `intervals` the bounds by level, None where there are none."""
    baselines = getattr(model, "baselines_", None)
    baselines = Baselines(X, ridge=False) if baselines is None else baselines.of(X.about["target"])
    forecasts = baselines.forecasts(X)
    scales = baselines.scales(X)
    return {
        "rows": len(truth),
        "target": X.about["target"],
        "intervals": covered(truth, intervals),
        "period": baselines.period,
        "period_found": baselines.found,
        **compare(truth, predicted, forecasts, scales, X.owners, X.names, quantile_of(model)),
        "without_naive": int(np.isnan(forecasts["naive"]).any(axis=1).sum()),
    }
