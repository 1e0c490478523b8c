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

    def forecast(self, series: Any) -> Any:
        """The steps after the end of a series, or of each series where there are several.

        Parameters
        ----------
        series : DataFrame
            As it was given to :func:`pellucid.data.windows`, with at least the rows of one window.
            Other columns are ignored.

        Returns
        -------
        DataFrame
            Of the same library: one row a step ahead, with the columns of group and time, and the
            target; what was in the index of a pandas DataFrame is in that of this one. Times go on
            as before, by their calendar or at the usual distance, and are written as they were;
            without a column of times there is "step": 1, ..., horizon.

        Raises
        ------
        ValueError, TypeError
            If the model did not learn from windows of a table, a column is missing, or a series is
            shorter than a window.
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
        values = np.asarray(self.predict(last))  # type: ignore[attr-defined]
        values = values.reshape(len(last), -1)
        if values.shape[1] != about["horizon"]:
            raise ValueError(
                f"forecast of {owner} needs a fit on the y that came with the windows, one number "
                f"for each of {about['horizon']} steps ahead. Got {values.shape[1]}. Use predict."
            )
        return forecast_table(frame, last, about["target"], values, levels)
