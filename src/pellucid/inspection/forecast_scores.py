"""How good forecasts of windows are, beside those of the forecasts to beat, in figures."""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid.data.baselines import Baselines
from pellucid.data.parted_windows import followed
from pellucid.inspection.forecast_errors import Comparison, Coverage, bounds_of, quantile_of


def score_windows(model: Any, reading: Any, X: Any, y: Any) -> dict[str, Any]:
    """The model's errors on windows `X`, beside those of the forecasts to beat, by target.

    Those are the model's, fitted on what it learned from; a model that was not trained here has
    none, and `X` must do, without a ridge. Windows that come in parts are read, and what followed
    them taken, part by part: there are then no `reading` and `y`.
    """
    scores = [_TargetScores(model, X.only(name)) for name in X.targets]
    rows = 0
    for part in X.parts:
        own = model._input.read(model, part) if reading is None else reading
        if not len(part):
            continue
        truth = np.asarray(followed(part) if reading is None else y, dtype=np.float64)
        truth = truth.reshape(len(part), -1, len(X.targets))
        predicted = np.asarray(model.predict(own), dtype=np.float64).reshape(truth.shape)
        bounds = bounds_of(model, own, truth.shape)
        for k, (name, score) in enumerate(zip(X.targets, scores, strict=True)):
            sides = {
                level: both if both is None else both[..., k] for level, both in bounds.items()
            }
            score.add(part.only(name), truth[:, :, k], predicted[:, :, k], sides)
        rows += len(part)
    if len(scores) == 1:
        return scores[0].content
    return {"rows": rows, "targets": [score.content for score in scores]}


class _TargetScores:
    """The errors of one target.

    Parameters
    ----------
    model : estimator
    X : Windows or PartedWindows
        All windows, with this target alone.
    """

    def __init__(self, model: Any, X: Any) -> None:
        baselines = getattr(model, "baselines_", None)
        self._target, self._rows, self._without_naive = X.about["target"], 0, 0
        self._baselines = (
            Baselines(X, ridge=False) if baselines is None else baselines.of(self._target)
        )
        self._comparison, self._coverage = Comparison(quantile_of(model)), Coverage()

    def add(
        self, X: Any, truth: np.ndarray, predicted: np.ndarray, intervals: dict[float, Any]
    ) -> None:
        """Count windows; of `intervals` there are the bounds by level, None for none."""
        forecasts, scales = self._baselines.forecasts(X), self._baselines.scales(X)
        self._comparison.add(truth, predicted, forecasts, scales, X.owners, X.names)
        self._coverage.add(truth, intervals)
        self._rows += len(truth)
        self._without_naive += int(np.isnan(forecasts["naive"]).any(axis=1).sum())

    @property
    def content(self) -> dict[str, Any]:
        """The figures, by name."""
        return {
            "rows": self._rows,
            "target": self._target,
            "intervals": self._coverage.content,
            "period": self._baselines.period,
            "period_found": self._baselines.found,
            **self._comparison.content,
            "without_naive": self._without_naive,
        }
