"""Intervals around forecasts: by the errors that were made in windows kept aside."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from pellucid import checks
from pellucid.data.state import Count, State, check_arrays

_MOST = 2_000  # errors that are kept of each step: more say no more about any usual level


class _State(State, frozen=True):
    errors: Count
    horizon: Count


class ForecastIntervals:
    """Split conformal prediction, by step ahead.

    Errors of windows that a model did not learn from are taken for those that it will make: of n
    errors, in order, the k-th from below and from above bound a new one with probability
    (n + 1 - 2 k) / (n + 1) at least, if it is like them. They are in units of each window's own
    scale, so the interval is wide where the series is restless.

    Parameters
    ----------
    errors : ndarray of shape (windows, horizon), or (windows, horizon * targets)
        Truth less forecast, in units of each window's scale; rows that are not finite are left
        out, and of very many rows some are taken, evenly.

    References
    ----------
    J. Lei, M. G'Sell, A. Rinaldo, R. J. Tibshirani, L. Wasserman (2018), "Distribution-free
    predictive inference for regression", section 2.2; https://arxiv.org/abs/1604.04173
    """

    def __init__(self, errors: np.ndarray) -> None:
        errors = np.asarray(errors, dtype=np.float64)
        errors = errors[np.isfinite(errors).all(axis=1)]
        if len(errors) > _MOST:
            errors = errors[np.linspace(0, len(errors) - 1, _MOST).astype(np.int64)]
        self._errors = np.sort(errors, axis=0)

    def __len__(self) -> int:
        """How many errors there are of each step."""
        return len(self._errors)

    @property
    def horizon(self) -> int:
        """How many steps ahead."""
        return self._errors.shape[1]

    def bounds(self, owner: str, level: Any) -> tuple[np.ndarray, np.ndarray]:
        """The lower and the upper bound of each step's error, of shape (horizon,).

        Raises
        ------
        ValueError, TypeError
            If `level` is no share, or there are too few errors for it; `owner` is in the words.
        """
        level = checks.number("level", owner, level, 0, 1, open_low=True, open_high=True)
        count = len(self)
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

    def around(
        self, owner: str, predicted: np.ndarray, scales: np.ndarray, level: Any
    ) -> tuple[np.ndarray, np.ndarray]:
        """The interval around forecasts of shape (windows, horizon * targets).

        The targets of a step stand side by side; `scales` is of shape (windows, targets).
        """
        lower, upper = self.bounds(owner, level)
        scales = np.tile(scales, predicted.shape[1] // scales.shape[1])
        return predicted + lower * scales, predicted + upper * scales

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """What was learned: a map that JSON can hold, and arrays by name."""
        return {"errors": len(self), "horizon": self.horizon}, {"errors": self._errors}

    @classmethod
    def from_state(cls, config: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        """Take over what :meth:`state` gave; a ValueError if the two do not belong together."""
        state = _State.of(config, "the intervals")
        known = {"errors": (np.dtype(np.float64), (state.errors, state.horizon))}
        check_arrays("the intervals", arrays, known)
        return cls(arrays["errors"])
