"""Forecasts by regressors that were fitted on windows of a series."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from pellucid import checks
from pellucid.data import Windows, forecast_table, last_window
from pellucid.data.columns import known_columns
from pellucid.data.window_features import SCALINGS
from pellucid.estimators.tasks import NetworkRegression
from pellucid.estimators.window_plan import WIDEST, Plan, choose
from pellucid.layers import Flatten, Layer, Linear, Residual
from pellucid.network.ridge import Ridge
from pellucid.rows import Examples
from pellucid.training.loop import Settings

DECAY = 0.01  # of the weights, where windows are learned from


@dataclass(eq=False, repr=False, kw_only=True)
class Forecaster(NetworkRegression):
    """Abstract: a regressor that may have learned from :func:`pellucid.data.windows`.

    Of windows the network learns what a linear forecast leaves, which is solved at once and stands
    beside the recurrent layers.

    Parameters
    ----------
    scaling : {"auto", "window", "series", "global"}
        How the numbers of windows of a series are scaled. "window" takes each window's distance to
        its last value, over its own standard deviation; "series" the same distance, over one scale
        for each series; "global" leaves the level, by mean and deviation of all rows. "auto" takes
        what does best on windows kept aside, the last in time. Other sequences are always "global".
    """

    scaling: str = "auto"

    _plan: Plan | None = field(default=None, init=False)
    _on_trial: bool = field(default=False, init=False)

    @property
    def _forecasts(self) -> bool:
        """Whether the network learns what a linear forecast of windows leaves."""
        windows = getattr(self._input, "windows", None)
        return windows is not None and math.prod(self._input.shape) <= WIDEST

    @property
    def _squared(self) -> bool:
        """Whether the loss is the squared error."""
        return self._loss()[0] == "mean_squared_error"

    def _settings(self, seed: int | None = None) -> Settings:
        settings = super()._settings(seed)
        checks.one_of("scaling", type(self).__name__, self.scaling, ("auto", *SCALINGS))
        if self._plan is not None and settings.weight_decay is None:
            settings.weight_decay = DECAY
        return settings

    def _fit_or_fail(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        epochs: int | None,
        going_on: bool,
        classes: Any,
        validation_data: Any,
        ready: Any,
        cautions: bool,
        show: Any,
    ) -> None:
        if not going_on and not self._on_trial:
            self._plan = None
            if isinstance(X, Windows):
                self._plan = Plan() if self.scaling == "auto" else Plan(scaling=self.scaling)
                if epochs is None:
                    self._plan = choose(self, X, y, sample_weight, show(1, 1).note)
        super()._fit_or_fail(
            X, y, sample_weight, epochs, going_on, classes, validation_data, ready, cautions, show
        )

    def _layers(self, outputs: int) -> list[Layer]:
        layers: list[Layer] = super()._layers(outputs)  # type: ignore[safe-super]
        if not self._forecasts:
            return layers
        return [Residual(layers, shortcut=[Flatten(), Linear(outputs, trainable=False)])]

    def _begin(self, examples: Examples, settings: Settings) -> None:
        if self._forecasts and self._plan is not None:
            weight, bias = Ridge(examples, settings.dtype).solve(self._plan.penalty)
            linear = {"0.shortcut.1.weight": weight, "0.shortcut.1.bias": bias}
            self.network_.set_parameters(linear)
            self._scale_head(0.0)

    def _end(self) -> None:
        if self._forecasts and self._plan is not None:
            self._scale_head(self._plan.share)

    def _scale_head(self, factor: float) -> None:
        """Take so much of what the recurrent layers add to the linear forecast."""
        both = self.network_.layers[0]
        assert isinstance(both, Residual)
        head, own = f"0.layers.{len(both.layers) - 1}", self.network_.parameters()
        names = [f"{head}.{name}" for name in ("weight", "bias")]
        factor = self.network_.dtype.type(factor)
        self.network_.set_parameters({name: own[name] * factor for name in names})

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
            target. Times go on as before, by months, working days or the usual distance; without a
            column of times there is "step": 1, ..., horizon.

        Raises
        ------
        ValueError, TypeError
            If the model did not learn from windows of a table, a column is missing, or a series is
            shorter than a window.
        """
        import narwhals as nw

        check_is_fitted(self, "network_")
        owner = type(self).__name__
        encoder: Any = self.sequences_
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
        frame, names = series, encoder.table.names
        if names is not None:  # else columns have no names but numbers
            frame = known_columns(series, [*names, about["group"], about["time"]])
        last = last_window(frame, about["steps"], time=about["time"], group=about["group"])
        values = np.asarray(self.predict(last))
        values = values.reshape(len(last), -1)
        if values.shape[1] != about["horizon"]:
            raise ValueError(
                f"forecast of {owner} needs a fit on the y that came with the windows, one number "
                f"for each of {about['horizon']} steps ahead. Got {values.shape[1]}. Use predict."
            )
        return forecast_table(frame, last, about["target"], values)
