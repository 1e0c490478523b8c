"""Forecasts by regressors that were fitted on windows of a series."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from pellucid import checks
from pellucid.data import forecast_table, last_window
from pellucid.data.columns import known_columns
from pellucid.data.groups import from_index


class Forecaster:
    """Abstract: a regressor that may have learned from :func:`pellucid.data.windows`."""

    def forecast(self, series: Any, steps: int | None = None) -> Any:
        """The steps after the end of a series, or of each series where there are several.

        Parameters
        ----------
        series : DataFrame
            As it was given to :func:`pellucid.data.windows`, with at least the rows of one window.
            Other columns are ignored.
        steps : int, optional
            How many; as many as the model learned to forecast, if left out. For more it goes on
            from its own forecasts, with all other columns as they were last, and a warning says so.

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
            shorter than a window, or a quantile is to be forecast beyond the steps learned.
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
        frame, _, _, levels = from_index(owner, series, group, time, infer=True)
        names = encoder.table.names
        if names is not None:  # else columns have no names but numbers
            frame = known_columns(frame, [*names, group, time])
        last = last_window(frame, about["steps"], time=time, group=group, like=about)
        targets = about["target"] if isinstance(about["target"], list) else [about["target"]]
        steps = self._steps(steps, about["horizon"])
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
        return forecast_table(frame, last, targets, answers, levels)

    def _steps(self, steps: int | None, horizon: int) -> int:
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
        checks.warn(
            f"{learned} ahead {'was' if horizon == 1 else 'were'} learned: the forecast goes on "
            "from its own answers, with all other columns as they were in the last row."
        )
        return steps
