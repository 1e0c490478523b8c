"""Forecasts by regressors that were fitted on windows of a series."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from pellucid import checks
from pellucid.checks import rows_at
from pellucid.data import TableEncoder, forecast_table, sample_weights
from pellucid.data.column_values import plain_array
from pellucid.data.columns import as_frame, known_columns
from pellucid.data.groups import from_index
from pellucid.data.intervals import ForecastIntervals, spreads
from pellucid.data.parted_windows import PartedWindows, followed
from pellucid.data.scan import Scan
from pellucid.data.series_parts import SeriesParts
from pellucid.data.target_transforms import IDENTITY, TRANSFORMS, Transform
from pellucid.data.window_array import as_windows
from pellucid.data.window_cutting import LastCutter
from pellucid.data.window_features import SCALINGS
from pellucid.data.window_sample import sample_windows
from pellucid.data.windows import Windows, as_list
from pellucid.engine import plain_float_state
from pellucid.estimators.parted import check_stateless
from pellucid.estimators.tasks import NetworkRegression
from pellucid.estimators.window_plan import WIDEST, Plan, follows, kept_or_chosen
from pellucid.layers import Flatten, Layer, Linear, Residual
from pellucid.network.ridge import Ridge
from pellucid.rows import Examples
from pellucid.training.checkpoint import Checkpoint
from pellucid.training.settings import Settings

_TRIED = 1 << 18  # windows by which it is chosen how they are learned, where there are more


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

    intervals_: ForecastIntervals | None = field(default=None, init=False)
    _plan: Plan | None = field(default=None, init=False)
    _on_trial: bool = field(default=False, init=False)

    @property
    def _forecasts(self) -> bool:
        """Whether the network learns what a linear forecast of windows leaves.

        Not where they go through it in pieces: a linear forecast takes a window whole.
        """
        whole = getattr(self, "tbptt_steps", None) is None
        windows = getattr(self._input, "windows", None)
        return whole and windows is not None and math.prod(self._input.shape) <= WIDEST

    @property
    def _as_planned(self) -> dict[str, Any]:
        if (plan := self._plan) is None:
            return {}
        return {
            "scaling": plan.scaling,
            "calendar": plan.calendar,
            "target_transform": self.target_transform,
            "already": plan.table,
        }

    def _settings(self, seed: int | None = None) -> Settings:
        settings = super()._settings(seed)
        checks.one_of("scaling", type(self).__name__, self.scaling, ("auto", *SCALINGS))
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
        checkpoint: Checkpoint | None,
    ) -> None:
        tried: Windows | None = None
        if not going_on and not self._on_trial:
            self._plan = self.intervals_ = None
            self._settings(seed=0)  # refuses parameters that are none
            X = X if getattr(self, "return_sequences", False) else as_windows(X)
            if isinstance(X, (Windows, PartedWindows)):
                self._plan, tried = self._planned(
                    X, y, sample_weight, epochs, show(1, 1).note, checkpoint
                )
            elif self.scaling not in ("auto", "global"):
                raise ValueError(
                    f'scaling of {type(self).__name__} must be "auto" or "global" where X is not '
                    f"windows of a DataFrame. Got {checks.shown(self.scaling)}. Cut them by "
                    "pellucid.data.windows."
                )
        super()._fit_or_fail(
            X, y, sample_weight, epochs, going_on, classes, validation_data, ready, cautions,
            show, checkpoint,
        )  # fmt: skip
        plan = self._plan
        if plan is None or self._on_trial or going_on:
            return
        if plan.errors is not None and tried is not None and self.loss != "quantile":
            with plain_float_state():
                self.intervals_ = ForecastIntervals(plan.errors, self._spreads(tried[plan.late]))
        self._plan = replace(plan, late=None, errors=None, table=None)
        encoder: Any = self._input
        encoder.already = None

    @plain_float_state()
    def _planned(
        self,
        X: Any,
        y: Any,
        weights: Any,
        epochs: int | None,
        note: Any,
        checkpoint: Checkpoint | None,
    ) -> tuple[Plan, Windows | None]:
        """How to learn from windows, and those by which it was chosen.

        Of very many that are mixed in blocks some are enough to choose by. For single epochs
        nothing is kept aside to choose by.
        """
        scaling = "series" if self.scaling == "auto" else self.scaling
        parted = isinstance(X, PartedWindows)
        if not parted:
            if not hasattr(y, "__len__") or len(plain_array(y)) != len(X):  # which is refused later
                return Plan(scaling="global"), None
            used = np.arange(len(X))
            if weights is not None:
                weights = sample_weights(self, weights, len(X))
                used = np.flatnonzero(weights > 0)  # weight 0 is the window left out
                weights = weights[used]
            X, y = X[used], np.asarray(plain_array(y))[used]
        if epochs is not None:
            return Plan(scaling if parted or follows(X, y) else "global", share=1.0), None
        shuffle = "blocks" if parted and self.shuffle == "auto" else self.shuffle
        if parted or shuffle == "blocks":
            X, some = sample_windows(X, _TRIED)
            y = followed(X) if some is None else y[some]
            weights = None if some is None or weights is None else weights[some]
        with rows_at(X.order):
            table = X.table, TableEncoder().read(self, X.table, learn=True)
        return kept_or_chosen(self, X, y, weights, note, table, checkpoint, shuffle), X

    def _layers(self, outputs: int) -> list[Layer]:
        layers: list[Layer] = super()._layers(outputs)  # type: ignore[safe-super]
        if not self._forecasts:
            return layers
        # what is solved at once is best by squares alone: of other losses it is a beginning
        linear = Linear(outputs, trainable=self.loss != "mse")
        return [Residual(layers, shortcut=[Flatten(), linear])]

    @property
    def _notes(self) -> Sequence[str]:
        plan, notes = self._plan, super()._notes
        if plan is None or (plan.late is None and plan.follows and not self._forecasts):
            return notes
        return [*notes, *plan.notes]

    @plain_float_state()
    def _begin(self, examples: Examples, settings: Settings) -> None:
        if self._forecasts and self._plan is not None:
            ridge = Ridge(examples, settings.dtype, settings.n_jobs)
            weight, bias = ridge.solve(self._plan.penalty)
            trust = self._plan.trust
            bias = trust * bias + (1.0 - trust) * self._naive_output
            linear = {"0.shortcut.1.weight": trust * weight, "0.shortcut.1.bias": bias}
            self.network_.set_parameters(linear)
            self._scale_head(0.0)

    @property
    def _naive_output(self) -> np.ndarray:
        """What the network gives where all stays as it is, of windows with a scale of their own."""
        return np.asarray(-self.target_.mean / self.target_.scale)

    def _end(self) -> None:
        if self._forecasts and self._plan is not None:
            self._scale_head(self._plan.share)

    def _scale_head(self, factor: float) -> None:
        """Take so much of what the recurrent layers add to the linear forecast."""
        both = self.network_.layers[0]
        assert isinstance(both, Residual)
        head, factor = f"0.layers.{len(both.layers) - 1}.", self.network_.dtype.type(factor)
        own = self.network_.parameters().items()
        scaled = {name: array * factor for name, array in own if name.startswith(head)}
        self.network_.set_parameters(scaled)

    @plain_float_state()
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
        if self.loss == "quantile":
            raise ValueError(
                f"{owner} needs a loss that aims at the centre: what is around a quantile is no "
                'interval. Got loss="quantile". Fit one model for each bound.'
            )
        if self.intervals_ is None:
            raise ValueError(
                f"{owner} needs a fit on windows of a DataFrame or Series, cut by "
                "pellucid.data.windows, of which some are kept aside. Got "
                + (
                    "a model of other rows. Use predict."
                    if getattr(self._input, "series", None) is None
                    else "a fit that kept none aside: its windows were too few, or its y was not "
                    "what followed them. Fit on a longer series, or with fewer steps."
                )
            )
        X = as_windows(X)
        layout = getattr(X, "layout", None)  # of a Reading
        windows = X if isinstance(X, Windows) else getattr(layout, "windows", None)
        if windows is None:
            raise TypeError(
                f"X of {owner} must be Windows, as in fit. Got {type(X).__name__}. Cut them by "
                "pellucid.data.windows or last_window."
            )
        reading: Any = self._read(X)
        predicted = np.asarray(self.predict(reading), np.float64)
        transform = self._transform()
        middle = transform.forward(predicted).reshape(len(windows), -1)
        offsets = self.intervals_.around(owner, level, self._spreads(windows))
        lower, upper = (
            transform.inverse(middle + offset).reshape(predicted.shape) for offset in offsets
        )
        return lower, upper

    def _transform(self) -> Transform:
        """What the targets went through before they were learned."""
        return TRANSFORMS.get(self.target_.transform, IDENTITY)

    def _spreads(self, X: Windows) -> np.ndarray:
        """How restless windows are; those of last_window do not know what is to be forecast."""
        known = self.sequences_.series or {}
        about = {name: known[name] for name in ("target", "format") if name in known}
        return spreads(replace(X, about={**X.about, **about}), self._transform())

    def forecast(
        self,
        series: Any,
        steps: int | None = None,
        levels: Sequence[float] = (),
        known: Any = None,
    ) -> Any:
        """The steps after the end of a series, or of each series where there are several.

        Parameters
        ----------
        series : DataFrame, Series or Scan
            As it was given to :func:`pellucid.data.windows`, with at least the rows of one window.
            Other columns are ignored.
        steps : int, optional
            How many; as many as the model learned to forecast, if left out. For more it goes on
            from its own forecasts, with all other columns as they were last, and a warning says so.
        levels : sequence of float, optional
            Of intervals, as ``[0.8, 0.95]``: the true number lies between the columns "y lower 80"
            and "y upper 80" with probability 0.8. There are none beyond the steps learned.
        known : DataFrame, optional
            The steps to come, of a model that learned with columns that are known ahead: their
            times, groups and those columns. They may also stand in the last rows of `series`,
            without a target.

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
        encoder: Any = self.sequences_
        about = getattr(encoder, "series", None)
        if about is None:
            raise ValueError(
                f"forecast of {owner} needs a fit on windows of a DataFrame or Series, cut by "
                "pellucid.data.windows. Got a model of other rows. Use predict."
            )
        if isinstance(series, Scan):
            return self._forecast_scan(series, steps, levels, known)
        series = as_frame(series)
        if not nw.dependencies.is_into_dataframe(series):
            raise TypeError(
                f"series of forecast of {owner} must be a DataFrame or Series, as in fit. Got "
                f"{checks.shown(series)}."
            )
        if known is not None:
            series = _joined(owner, series, known)
        (found,) = self._forecast_parts([(series, None)], steps, levels)
        return found

    def _forecast_scan(
        self, scan: Scan, steps: int | None, levels: Sequence[float], known: Any
    ) -> Any:
        """:meth:`forecast` of a table that is read one series, or some short ones, at a time."""
        import narwhals as nw

        if known is not None:
            raise TypeError(
                f"known of forecast of {type(self).__name__} must be None where series is a scan: "
                "its own last rows have what is known, without a target. Got "
                f"{type(known).__name__}."
            )
        name = f"series of forecast of {type(self).__name__}"
        check_stateless(self, name, "a scan", "Pass a DataFrame")
        encoder: Any = self.sequences_
        group, time = encoder.series["group"], encoder.series["time"]
        wanted = {*(encoder.table.names or scan.columns), group, time}
        columns = [name for name in scan.columns if name in wanted]
        with SeriesParts.of_scan(scan, group, time, columns, encoder.text_columns) as parts:
            found = [
                nw.from_native(part, eager_only=True)
                for part in self._forecast_parts(parts, steps, levels)
            ]
        return nw.maybe_reset_index(nw.concat(found)).to_native()

    def _forecast_parts(
        self,
        parts: Iterable[tuple[Any, np.ndarray | None]],
        steps: int | None,
        levels: Sequence[float],
    ) -> Iterator[Any]:
        """The forecasts of the series in each part of a table; a part has whole series.

        With each comes the position of its rows in the table, if it is not all of it. What there is
        to say of all of them is said at the end. Of a part whose series are too short there is no
        forecast.
        """
        owner = type(self).__name__
        encoder: Any = self.sequences_
        about, names = encoder.series, encoder.table.names
        group, time = about["group"], about["time"]
        steps = self._steps(steps, about["horizon"], levels)
        rounds = -(-steps // about["horizon"])
        cutter = LastCutter(
            about["steps"], time=time, group=group, like=about, ahead=rounds * about["horizon"]
        )
        if isinstance(parts, SeriesParts) and parts.times:
            cutter.so_far.decide(parts.times, about, parts.all_times)
        for part, order in parts:
            with nullcontext() if order is None else rows_at(order):
                frame, _, _, index = from_index(owner, part, group, time, infer=True)
                if names is not None:  # else columns have no names but numbers
                    frame = known_columns(frame, [*names, group, time])
                last = cutter.cut(frame)
                if last is None:
                    continue
                found = self._forecast_table(frame, last, steps, levels, index)
            yield found
        cutter.check()
        cutter.warn()

    def _forecast_table(
        self, frame: Any, last: Windows, steps: int, levels: Sequence[float], index: dict[str, Any]
    ) -> Any:
        """The forecasts that follow the `last` windows of the series in `frame`."""
        owner, about = type(self).__name__, self.sequences_.series
        assert about is not None
        targets = as_list(about["target"])
        bounds = {level: self.predict_interval(last, level) for level in levels}
        parts: list[np.ndarray] = []
        while sum(part.shape[1] for part in parts) < steps:
            if parts:
                last = last.continued(about, parts[-1])
            values = np.asarray(self.predict(last))
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
                    side_of_all = numbers.reshape(len(answers), about["horizon"], -1)
                    columns[f"{target} {side} {100 * level:.10g}"] = side_of_all[:, :steps, k]
        return forecast_table(frame, last, columns, index)

    def _steps(self, steps: int | None, horizon: int, levels: Sequence[float]) -> int:
        """How many steps to forecast; beyond those that were learned it is said how."""
        owner = f"forecast of {type(self).__name__}"
        if steps is None:
            return horizon
        steps = checks.positive_integer("steps", owner, steps)
        if steps <= horizon:
            return steps
        if self.loss == "quantile":
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


def _joined(owner: str, series: Any, known: Any) -> Any:
    """The rows of a series and those of the steps to come, whose other columns are missing."""
    import narwhals as nw

    if not nw.dependencies.is_into_dataframe(known):
        raise TypeError(
            f"known of forecast of {owner} must be a DataFrame. Got {checks.shown(known)}."
        )
    frames = [nw.from_native(frame, eager_only=True) for frame in (series, known)]
    if frames[0].implementation != frames[1].implementation:
        raise TypeError(
            f"known of forecast of {owner} must be of the same library as the series. Got "
            f"{type(known).__name__} and {type(series).__name__}."
        )
    return nw.concat(frames, how="diagonal").to_native()
