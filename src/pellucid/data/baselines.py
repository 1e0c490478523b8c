"""The forecasts to beat: naive, seasonal naive, and a ridge on lags.

They judge a model and are no part of one: nothing here is on the way from data to weights.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Self

import numpy as np

from pellucid import checks
from pellucid.data.state import Count, State, check_arrays
from pellucid.data.times import Times
from pellucid.data.windows import Windows

BASELINES = ("naive", "seasonal_naive", "ridge")

_DAY = 86_400.0  # seconds
_PERIODS = ((7 * _DAY, 52), (365.25 / 12 * _DAY, 12), (365.25 / 4 * _DAY, 4))
_NEAR = 0.1  # months are of unequal lengths
_LEAST = 0.2  # autocorrelation of a period
_CHANCE = 4.0  # standard errors that the highest of many autocorrelations may have by chance
_ALIKE = 0.9  # of the highest autocorrelation: the shortest such period is found, no multiple of it
_CYCLES = 3  # of a period, at least, in the rows in which it is found
_ALPHAS = 10.0 ** np.arange(-3, 5)
_MOST_WINDOWS = 20_000  # that the ridge learns from


class _State(State, frozen=True):
    period: Count | None
    found: str
    series: list[str]
    ridge: tuple[Count, Count] | None


class _Targets(State, frozen=True):
    targets: dict[str, dict[str, Any]]


class Baselines:
    """Forecasts to beat, fitted on the windows that a model learns from.

    The naive forecast says that all stays as it was in the last row; the seasonal naive one, that
    all is as it was one period before; the ridge is a linear regression on the differences of a
    window's values to its last.

    Parameters
    ----------
    learned : Windows or PartedWindows
        What the model learned from; the baselines see no other rows of its table.
    period : int, optional
        Rows of a season. Else that of the times (24 hours, 7 days, 52 weeks, 12 months, 4
        quarters), unless the rows show another one and not this one; without times that of the
        rows, if they show one.
    ridge : bool, default=True
        Whether there is a ridge.

    Attributes
    ----------
    period : int or None
    found : str
        Where the period comes from, in words.
    """

    def __init__(self, learned: Any, period: int | None = None, *, ridge: bool = True) -> None:
        self.period, self.found = _period(learned, period)
        self._scales: dict[str, float] = {}
        self._units: dict[str, float] = {}
        for X in learned.parts:
            for name, one in zip(X.names, _used(X), strict=True):
                for scales, lag in ((self._scales, self.period or 1), (self._units, 1)):
                    scales[str(name)] = _mean(np.abs(one[lag:] - one[:-lag]))
        self._ridge: tuple[np.ndarray, np.ndarray] | None = None
        if ridge and learned.steps > 1:
            self._ridge = self._fitted_ridge(learned)

    def forecasts(self, X: Windows) -> dict[str, np.ndarray]:
        """The forecasts of shape (windows, horizon) by name, NaN where there is none.

        A season before the window is looked up in the earlier rows of its series.
        """
        found = {"naive": X.naive()}
        if self.period is not None:
            found["seasonal_naive"] = self._seasonal(X)
        if self._ridge is not None:
            last, differences, unit = self._lags(X)
            coefficients, intercept = self._ridge
            found["ridge"] = last + unit * (differences @ coefficients.T + intercept)
        return found

    def scales(self, X: Windows) -> np.ndarray:
        """The one-step error of the (seasonal) naive forecast where the model learned, by window.

        MASE divides by it. It is NaN for a series that was not learned from, or never changed.
        """
        return _by_window(self._scales, X)

    def _seasonal(self, X: Windows) -> np.ndarray:
        ahead = np.arange(1, X.ahead.shape[1] + 1)
        rows = X.ahead - self.period * -(-ahead // self.period)
        begins = np.array([begin for begin, _ in X.spans])[X.owners]
        there = rows >= begins[:, None]
        return np.where(there, X.values(X.about["target"])[np.where(there, rows, 0)], np.nan)

    def _lags(self, X: Windows) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Each window's last value, its values less that, in units of its series, and that unit."""
        values = X.values(X.about["target"])[X.starts[:, None] + np.arange(X.steps - 1)]
        last, unit = X.naive()[:, :1], np.nan_to_num(_by_window(self._units, X), nan=1.0)[:, None]
        return last, np.nan_to_num((values - last) / unit), unit

    def _fitted_ridge(self, learned: Any) -> tuple[np.ndarray, np.ndarray] | None:
        from sklearn.linear_model import RidgeCV

        count, begin = len(learned), 0
        taken = np.unique(np.linspace(0, count - 1, min(count, _MOST_WINDOWS)).astype(np.int64))
        parts = []
        for X in learned.parts:
            some = X[taken[(taken >= begin) & (taken < begin + len(X))] - begin]
            begin += len(X)
            last, lags, unit = self._lags(some)
            parts.append((lags, (some.values(some.about["target"])[some.ahead] - last) / unit))
        differences, answers = (np.concatenate(both) for both in zip(*parts, strict=True))
        known = np.isfinite(answers).all(axis=1)
        if np.count_nonzero(known) < 2:
            return None
        ridge = RidgeCV(alphas=_ALPHAS).fit(differences[known], answers[known])
        return np.atleast_2d(ridge.coef_), np.atleast_1d(ridge.intercept_)

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """What was learned: a map that JSON can hold, and arrays by name."""
        config: dict[str, Any] = {
            "period": self.period, "found": self.found, "series": [*self._scales], "ridge": None
        }  # fmt: skip
        arrays = {
            name: np.nan_to_num(np.array([*scales.values()], dtype=np.float64))
            for name, scales in (("scales", self._scales), ("units", self._units))
        }
        if self._ridge is not None:
            config["ridge"] = list(self._ridge[0].shape)
            arrays["coefficients"], arrays["intercept"] = self._ridge
        return config, arrays

    @classmethod
    def from_state(cls, config: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        """Take over what :meth:`state` gave; a ValueError if the two do not belong together."""
        state = _State.of(config, "the forecasts to beat")
        double, count = np.dtype(np.float64), len(state.series)
        known: dict[str, Any] = {"scales": (double, (count,)), "units": (double, (count,))}
        if state.ridge is not None:
            known["coefficients"] = double, tuple(state.ridge)
            known["intercept"] = double, (state.ridge[0],)
        check_arrays("the forecasts to beat", arrays, known)
        self = cls.__new__(cls)
        self.period, self.found = state.period, state.found
        self._scales, self._units = (
            dict(zip(state.series, arrays[name].tolist(), strict=True))
            for name in ("scales", "units")
        )
        ridge = state.ridge is not None
        self._ridge = (arrays["coefficients"], arrays["intercept"]) if ridge else None
        return self


class TargetBaselines:
    """:class:`Baselines` for each target of windows, which may come in parts."""

    def __init__(self, learned: Any) -> None:
        self._by_target = {str(name): Baselines(learned.only(name)) for name in learned.targets}

    def of(self, target: Any) -> Baselines:
        """Those of one target."""
        return self._by_target[str(target)]

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """What was learned: a map that JSON can hold, and arrays by name."""
        config: dict[str, Any] = {}
        arrays: dict[str, np.ndarray] = {}
        for place, (name, one) in enumerate(self._by_target.items()):
            config[name], learned = one.state()
            arrays |= {f"{place}.{key}": array for key, array in learned.items()}
        return {"targets": config}, arrays

    @classmethod
    def from_state(cls, config: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        """Take over what :meth:`state` gave; a ValueError if the two do not belong together."""
        targets = _Targets.of(config, "the forecasts to beat").targets
        self, taken = cls.__new__(cls), 0
        self._by_target = {}
        for place, (name, one) in enumerate(targets.items()):
            start = f"{place}."
            own = {k.removeprefix(start): a for k, a in arrays.items() if k.startswith(start)}
            self._by_target[name] = Baselines.from_state(one, own)
            taken += len(own)
        if taken < len(arrays):
            raise ValueError("the arrays of the forecasts to beat must be those that save wrote.")
        return self


def _by_window(scales: dict[str, float], X: Windows) -> np.ndarray:
    """The scale of each window's series, NaN where there is none."""
    known = [scales.get(str(name), np.nan) for name in X.names]
    known = [scale if scale > 0 else np.nan for scale in known]
    return np.array(known, dtype=np.float64)[X.owners]


def _mean(values: np.ndarray) -> float:
    """The mean of what is known."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


def _used(X: Windows) -> list[np.ndarray]:
    """The target of each series in the rows that windows or what followed them cover."""
    values, used = X.values(X.about["target"]), X.covered
    used[X.ahead.reshape(-1)] = True
    return [values[begin:end][used[begin:end]] for begin, end in X.spans]


def _period(learned: Any, given: int | None) -> tuple[int | None, str]:
    """The period, and where it comes from."""
    if given is not None:
        return checks.positive_integer("period", "the seasonal naive forecast", given), "as given"
    usual, seen = _of_times(learned), _autocorrelations(learned)
    if usual is not None and (usual >= len(seen) or seen[usual] >= _LEAST):
        return usual, "by the times"
    found = _highest(seen)
    if found is not None:
        return found, "found in the rows"
    return usual, "" if usual is None else "by the times"


def _of_times(learned: Any) -> int | None:
    """The season of rows that lie so far apart."""
    apart = Counter[float]()
    weekdays: set[int] = set()
    for X in learned.parts:
        for known in X.times:
            form = X.about.get("time_format")
            read = Times.of("the times", known, form) if known else None
            if read is not None and read.dated:
                apart.update((np.diff(read.wall) / 1e6).tolist())
                weekdays |= {when.weekday() for when in read.moments}
    count = apart.total()
    if not count:
        return None
    gap = _median(apart)
    if gap == _DAY:
        return len(weekdays) if count > 7 else 7  # 5 of working days
    if 0 < gap < _DAY:
        rows = _DAY / gap
        return round(rows) if abs(rows - round(rows)) < 1e-6 else None
    return next((rows for usual, rows in _PERIODS if abs(gap / usual - 1) < _NEAR), None)


def _median(counts: Counter[float]) -> float:
    """The median of numbers that are counted."""
    values = sorted(counts)
    before = np.cumsum([counts[value] for value in values])
    middle = (int(before[-1]) - 1) // 2, int(before[-1]) // 2
    low, high = (values[int(np.searchsorted(before, at, side="right"))] for at in middle)
    return (low + high) / 2


def _autocorrelations(learned: Any) -> np.ndarray:
    """Autocorrelations of the differences of all series, from lag 0 to a share of the longest.

    Differences have no trend, and those of a random walk no correlation.
    """
    longest = max((len(one) for X in learned.parts for one in _used(X)), default=0) // _CYCLES
    together, weight = np.zeros(longest), 0.0
    for one in (one for X in learned.parts for one in _used(X)):
        change = np.diff(one)
        known = change[np.isfinite(change)]
        spread = known.std() if len(known) else 0.0
        if not np.isfinite(spread) or spread <= 0:
            continue
        change = np.nan_to_num((change - known.mean()) / spread)
        # padded, so that the end does not meet the beginning
        power = np.abs(np.fft.rfft(change, 2 * len(change))) ** 2
        lags = min(longest, len(change))
        pairs = len(change) - np.arange(lags)
        together[:lags] += len(known) * (np.fft.irfft(power)[:lags] / pairs)
        weight += len(known)
    return together / weight if weight else together[:0]


def _highest(seen: np.ndarray) -> int | None:
    """The shortest lag among the highest peaks; None where no peak is high."""
    inner = np.arange(2, len(seen) - 1)
    peaks = inner[(seen[inner] >= seen[inner - 1]) & (seen[inner] > seen[inner + 1])]
    chance = _CHANCE / np.sqrt(_CYCLES * len(seen) - peaks)
    peaks = peaks[seen[peaks] >= np.maximum(_LEAST, chance)]
    if not len(peaks):
        return None
    return int(peaks[seen[peaks] >= _ALIKE * seen[peaks].max()][0])
