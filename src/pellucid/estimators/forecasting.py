"""Forecasts by regressors that were fitted on windows of a series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from pellucid import checks
from pellucid.data import forecast_table, last_window
from pellucid.data.column_values import plain_array
from pellucid.data.columns import known_columns
from pellucid.data.groups import from_index
from pellucid.data.intervals import ForecastIntervals, spreads
from pellucid.data.target_transforms import IDENTITY, TRANSFORMS, Transform
from pellucid.data.windows import Windows

_ASIDE = 0.2  # the share of rows that intervals are learned on


class Forecaster:
    """Abstract: a regressor that may have learned from :func:`pellucid.data.windows`."""

    intervals_: ForecastIntervals | None = None
    """How wide intervals are, by the errors in windows that were kept aside in fit."""

    def _fit(self, X: Any, y: Any, sample_weight: Any, **given: Any) -> Self:
        """Fit; before, of windows, see how large errors are in the last ones, if kept aside."""
        afresh = given.get("epochs") is None and not given.get("going_on")
        if not (isinstance(X, Windows) and afresh):
            return super()._fit(X, y, sample_weight, **given)  # type: ignore[misc]
        kept = self._errors_kept_aside(X, y, sample_weight)
        super()._fit(X, y, sample_weight, **given)  # type: ignore[misc]
        self.intervals_ = None if kept is None else ForecastIntervals(*kept)
        return self

    def _errors_kept_aside(
        self, X: Windows, y: Any, sample_weight: Any
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """The errors in the last windows of a fit on those before, and how restless they are."""
        early, late = X.split(_ASIDE)
        y = plain_array(y)
        if min(len(early), len(late)) < 2 or len(y) != len(X) or self._loss_name() == "quantile":
            return None
        trial = clone(self, safe=False)
        trial.set_params(verbose=0, callbacks=None, warm_start=False)
        weights = None if sample_weight is None else np.asarray(sample_weight)[early]
        super(Forecaster, trial)._fit(X[early], np.asarray(y)[early], weights)  # type: ignore[misc]
        truth = trial.target_.truth(trial, np.asarray(y)[late])
        forward = trial._transform().forward
        errors = forward(np.asarray(truth, np.float64)) - forward(trial.predict(X[late]))
        return errors.reshape(len(late), -1), trial._spreads(X[late])

    def _loss_name(self) -> Any:
        return getattr(self, "loss", None)

    def predict_interval(self, X: Any, level: float = 0.8) -> tuple[np.ndarray, np.ndarray]:
        """Bounds between which the true numbers lie with probability `level`, by step ahead.

        Parameters
        ----------
        X : Windows
            As for ``predict``.
        level : float, default=0.8

        Returns
        -------
        lower, upper : ndarray
            Of the shape of what ``predict`` returns.

        Raises
        ------
        ValueError, TypeError
            If the model did not learn from windows of a table, or too few of them were kept aside
            for this level.
        """
        check_is_fitted(self, "network_")
        owner = f"predict_interval of {type(self).__name__}"
        if self._loss_name() == "quantile":
            raise ValueError(
                f"{owner} needs a loss that aims at the centre: what is around a quantile is no "
                'interval. Got loss="quantile". Fit one model for each bound.'
            )
        if self.intervals_ is None:
            raise ValueError(
                f"{owner} needs a fit on windows of a DataFrame, cut by pellucid.data.windows, of "
                "which some are kept aside. Got a model of other rows. Use predict."
            )
        layout = getattr(X, "layout", None)  # of a Reading
        windows = X if isinstance(X, Windows) else getattr(layout, "windows", None)
        if windows is None:
            raise TypeError(
                f"X of {owner} must be Windows, as in fit. Got {type(X).__name__}. Cut them by "
                "pellucid.data.windows or last_window."
            )
        reading: Any = self._read(X)  # type: ignore[attr-defined]
        predicted = np.asarray(self.predict(reading), np.float64)  # type: ignore[attr-defined]
        transform = self._transform()
        middle = transform.forward(predicted).reshape(len(windows), -1)
        offsets = self.intervals_.around(owner, level, self._spreads(windows))
        lower, upper = (
            transform.inverse(middle + offset).reshape(predicted.shape) for offset in offsets
        )
        return lower, upper

    def _transform(self) -> Transform:
        """What the targets went through before they were learned."""
        return TRANSFORMS.get(self.target_.transform, IDENTITY)  # type: ignore[attr-defined]

    def _spreads(self, X: Windows) -> np.ndarray:
        """How restless windows are; those of last_window do not know what is to be forecast."""
        known = self._input.series  # type: ignore[attr-defined]
        about = {name: known[name] for name in ("target", "format") if name in known}
        return spreads(replace(X, about={**X.about, **about}), self._transform().forward)

    def forecast(self, series: Any, steps: int | None = None, levels: Sequence[float] = ()) -> Any:
        """The steps after the end of a series, or of each series where there are several.

        Parameters
        ----------
        series : DataFrame
            As it was given to :func:`pellucid.data.windows`, with at least the rows of one window.
            Other columns are ignored.
        steps : int, optional
            How many; as many as the model learned to forecast, if left out. For more it goes on
            from its own forecasts, with all other columns as they were last, and a warning says so.
        levels : sequence of float, optional
            Of intervals, as ``[0.8, 0.95]``: the true number lies between the columns "y lower 80"
            and "y upper 80" with probability 0.8. There are none beyond the steps learned.

        Returns
        -------
        DataFrame
            Of the same library: one row a step ahead, with the columns of group and time, and each
            target; what was in the index of a pandas DataFrame is in that of this one. Times go on
            as before, by their calendar or at the usual distance, and are written as they were;
            without a column of times there is "step": 1, ..., horizon.

        Raises
        ------
        ValueError, TypeError
            If the model did not learn from windows of a table, a column is missing, a series is
            shorter than a window, a quantile or an interval is to be forecast beyond the steps
            learned, or too few windows were kept aside for a level.
        """
        import narwhals as nw

        check_is_fitted(self, "network_")
        owner = type(self).__name__
        encoder: Any = self.sequences_  # type: ignore[attr-defined]
        about = getattr(encoder, "series", None)
        if about is None:
            raise ValueError(
                f"forecast of {owner} needs a fit on windows of a DataFrame, cut by "
                "pellucid.data.windows. Got a model of other rows. Use predict."
            )
        if not nw.dependencies.is_into_dataframe(series):
            raise TypeError(
                f"series of forecast of {owner} must be a DataFrame, as in fit. Got "
                f"{checks.shown(series)}."
            )
        group, time = about["group"], about["time"]
        frame, _, _, index = from_index(owner, series, group, time, infer=True)
        names = encoder.table.names
        if names is not None:  # else columns have no names but numbers
            frame = known_columns(frame, [*names, group, time])
        last = last_window(frame, about["steps"], time=time, group=group, like=about)
        targets = about["target"] if isinstance(about["target"], list) else [about["target"]]
        steps = self._steps(steps, about["horizon"], levels)
        bounds = {level: self.predict_interval(last, level) for level in levels}
        parts: list[np.ndarray] = []
        while sum(part.shape[1] for part in parts) < steps:
            if parts:
                last = last.continued(about, parts[-1])
            values = np.asarray(self.predict(last))  # type: ignore[attr-defined]
            values = values.reshape(len(last), -1)
            count = about["horizon"] * len(targets)
            if values.shape[1] != count:
                raise ValueError(
                    f"forecast of {owner} needs a fit on the y that came with the windows, one "
                    f"number for each of {about['horizon']} steps ahead"
                    f"{'' if len(targets) == 1 else f' and {len(targets)} targets'}. Got "
                    f"{values.shape[1]}. Use predict."
                )
            parts.append(values.reshape(len(last), about["horizon"], len(targets)))
        answers = np.concatenate(parts, axis=1)[:, :steps]
        columns: dict[Any, np.ndarray] = {}
        for k, target in enumerate(targets):
            columns[target] = answers[:, :, k]
            for level, sides in bounds.items():
                for side, numbers in zip(("lower", "upper"), sides, strict=True):
                    known = numbers.reshape(len(answers), about["horizon"], -1)
                    columns[f"{target} {side} {100 * level:.10g}"] = known[:, :steps, k]
        return forecast_table(frame, last, columns, index)

    def _steps(self, steps: int | None, horizon: int, levels: Sequence[float]) -> int:
        """How many steps to forecast; beyond those that were learned it is said how."""
        owner = f"forecast of {type(self).__name__}"
        if steps is None:
            return horizon
        steps = checks.positive_integer("steps", owner, steps)
        if steps <= horizon:
            return steps
        if getattr(self, "loss", None) == "quantile":
            raise ValueError(
                f"steps of {owner} must be at most {horizon}, the steps learned, with "
                f'loss="quantile": what goes on from a quantile is none. Got {steps}. Fit with '
                f"windows of horizon={steps}."
            )
        learned = "1 step" if horizon == 1 else f"{horizon:,} steps"
        if levels:
            raise ValueError(
                f"steps of {owner} must be at most {horizon}, the steps learned, for intervals: no "
                f"errors are known beyond. Got {steps}. Leave the levels out, or fit with windows "
                f"of horizon={steps}."
            )
        checks.warn(
            f"{learned} ahead {'was' if horizon == 1 else 'were'} learned: the forecast goes on "
            "from its own answers, with all other columns as they were in the last row."
        )
        return steps
