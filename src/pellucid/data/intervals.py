"""Intervals around forecasts: by the errors that were made in windows kept aside."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from pellucid import checks
from pellucid.data.state import Count, State, check_arrays
from pellucid.data.target_transforms import Transform
from pellucid.data.windows import Windows

_LEAST = 0.05  # of the usual deviation that a window's own may be
_MOST = 2_000  # errors that are kept of each step: more say no more about any usual level


class _State(State, frozen=True):
    errors: int
    outputs: Count
    targets: Count


class ForecastIntervals:
    """Split conformal prediction, by step ahead.

    Errors of windows that a model did not learn from are taken for those that it will make: of n
    errors, in order, the k-th from below and from above bound a new one with probability
    (n + 1 - 2 k) / (n + 1) at least, if it is like them. They are taken in units of each window's
    own deviation, so the interval is wide where the series is restless.

    Parameters
    ----------
    errors : ndarray of shape (windows, horizon * targets)
        Truth less forecast, the targets of a step side by side; rows that are not finite are left
        out, and of very many rows some are taken, evenly.
    spreads : ndarray of shape (windows, targets)
        Each window's deviation: see :func:`spreads`.

    References
    ----------
    J. Lei, M. G'Sell, A. Rinaldo, R. J. Tibshirani, L. Wasserman (2018), "Distribution-free
    predictive inference for regression", section 2.2; https://arxiv.org/abs/1604.04173
    """

    def __init__(self, errors: np.ndarray, spreads: np.ndarray) -> None:
        known = np.isfinite(errors).all(axis=1) & np.isfinite(spreads).all(axis=1)
        errors, spreads = errors[known].astype(np.float64), spreads[known]
        self._usual = np.median(spreads, axis=0) if len(spreads) else np.ones(spreads.shape[1])
        self._usual = np.where(self._usual > 0, self._usual, 1.0)
        errors = errors / self._units(spreads, errors.shape[1])
        if len(errors) > _MOST:
            errors = errors[np.linspace(0, len(errors) - 1, _MOST).astype(np.int64)]
        self._errors = np.sort(errors, axis=0)

    def __len__(self) -> int:
        """How many errors there are of each step."""
        return len(self._errors)

    @property
    def outputs(self) -> int:
        """How many steps ahead, times targets."""
        return self._errors.shape[1]

    @property
    def usual(self) -> np.ndarray:
        """The usual deviation of windows, (targets,): that of one of which nothing is known."""
        return self._usual

    @property
    def least(self) -> np.ndarray:
        """The least deviation that is a unit of errors, (targets,)."""
        return np.asarray(_LEAST * self._usual)

    def bounds(self, owner: str, level: Any) -> tuple[np.ndarray, np.ndarray]:
        """The bounds of each step's error in its unit, of shape (horizon * targets,).

        Raises
        ------
        ValueError, TypeError
            If `level` is no share, or there are too few errors for it; `owner` is in the words.
        """
        level = checks.number("level", owner, level, 0, 1, open_low=True, open_high=True)
        count, rank = len(self), self._rank(level)
        if rank < 1:
            counted = f"{count:,} window{' was' if count == 1 else 's were'}"
            most = np.floor(100 * (count - 1) / (count + 1) + 1e-9) / 100 if count > 1 else 0
            way = f"Ask for {most:g} or less, or fit" if most else "Fit"
            raise ValueError(
                f"level of {owner} must be at most {most:g}: {counted} kept aside in fit to tell "
                f"how wide intervals are. Got {level:g}. {way} on a longer series."
            )
        return self._errors[rank - 1], self._errors[count - rank]

    def allows(self, level: float) -> bool:
        """Whether there are enough errors for this level."""
        return self._rank(level) >= 1

    def _rank(self, level: float) -> int:
        """Which error from below, and from above, is the bound; 0 if there are too few."""
        # rounded: (39 + 1) * (1 - 0.95) / 2 is 0.999...
        return int(np.floor(round((len(self) + 1) * (1 - level) / 2, 9)))

    def around(self, owner: str, level: Any, spreads: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What to add to forecasts, of shape (windows, horizon * targets), by windows' spreads."""
        units = self._units(spreads, self.outputs)
        lower, upper = self.bounds(owner, level)
        # what was forecast lies within, whatever side errors were on
        return np.minimum(lower, 0.0) * units, np.maximum(upper, 0.0) * units

    def _units(self, spreads: np.ndarray, outputs: int) -> np.ndarray:
        """What errors are measured in: what hardly moves, or is not known, is no unit."""
        spreads = np.where(np.isfinite(spreads), spreads, self._usual)
        units = np.maximum(spreads, self.least)
        return np.tile(units, outputs // units.shape[1])

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """What was learned: a map that JSON can hold, and arrays by name."""
        targets = len(self._usual)
        config = {"errors": len(self), "outputs": self.outputs, "targets": targets}
        return config, {"errors": self._errors, "usual": self._usual}

    @classmethod
    def from_state(cls, config: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        """Take over what :meth:`state` gave; a ValueError if the two do not belong together."""
        state = _State.of(config, "the intervals")
        double = np.dtype(np.float64)
        known = {
            "errors": (double, (state.errors, state.outputs)),
            "usual": (double, (state.targets,)),
        }
        check_arrays("the intervals", arrays, known)
        if state.outputs % state.targets:
            raise ValueError(
                f"the intervals must be of as many steps for each of {state.targets} targets. Got "
                f"{state.outputs} in all."
            )
        self = cls.__new__(cls)
        self._errors, self._usual = arrays["errors"], arrays["usual"]
        return self


def spreads(X: Windows, transform: Transform) -> np.ndarray:
    """Each window's standard deviation of its targets, of shape (windows, targets).

    `transform` is what is done to the targets before they are learned; a number that it does not
    take counts as missing. Where no number of a window is known it is NaN.
    """
    values = np.stack([X.values(name) for name in X.targets], axis=1)
    known = np.isfinite(values) & transform.takes(values)
    numbers = transform.forward(np.where(known, values, 1.0))
    return X.deviations_of(np.where(known, numbers, np.nan))
