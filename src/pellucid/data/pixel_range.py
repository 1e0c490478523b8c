"""What numbers pictures hold: levels of 8 or 16 bits, shares of one, or anything else.

A model that has learned from one of them and is asked with another would answer anything. Where it
is plain how the two belong together, numbers are put right; else they are refused. What is plain
follows from what was learned and from the type of what comes, not from how bright that is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from pellucid.checks import warn
from pellucid.data.columns import owner_of
from pellucid.data.pictures import TYPES, WHITES, kind_of

_LEAST_SHARE = 0.5  # of white that the brightest number of many pictures comes near to
_OVERSHOOT = 1.5  # how far shares of one may go beyond it, as after an enlargement
_UNDERSHOOT = 0.5  # how far below black, likewise
_FAR = 10  # ranges that differ by this factor are not of one unit
_EXACT = 1e-3  # from a whole level


class PixelRange(NamedTuple):
    """The least and the largest number of the pictures that were learned from, and their kind.

    `white` is the number that is white, 1, 255 or 65535; None where the numbers do not tell, as
    where they are counts or have a mean of 0.
    """

    kind: str
    low: float
    high: float
    white: float | None

    @classmethod
    def of(cls, kind: str, low: float, high: float) -> PixelRange:
        """Of pictures of this kind."""
        whites = (1.0, *WHITES.values()) if low >= 0 else ()
        white = next((one for one in whites if _LEAST_SHARE * one < high <= one), None)
        return cls(kind, float(low), float(high), white)

    def put_right(self, estimator: Any, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Further pictures as numbers like those of training; a ValueError where they are not.

        Each of the arrays may hold one picture or many. What is done to them is a warning. Levels
        of 8 or 16 bits come back as they are where levels were learned, to be rescaled as files.
        """
        kinds = [kind_of(array) for array in arrays]
        factors = {
            kind: self._factor(
                estimator, kind, [a for a, k in zip(arrays, kinds, strict=True) if k == kind]
            )
            for kind in set(kinds)
        }
        return [
            self._alike(array, kind, factors[kind])
            for array, kind in zip(arrays, kinds, strict=True)
        ]

    def _factor(self, estimator: Any, kind: str, arrays: list[np.ndarray]) -> float:
        """By what numbers of a kind are to be multiplied."""
        low = min(float(array.min()) for array in arrays)
        high = max(float(array.max()) for array in arrays)
        factor, learns_levels = 1.0, self.kind != "float"
        if kind != "float" and learns_levels:
            scale = WHITES[self.kind] / WHITES[kind]  # which the file's reader multiplies by
            self._check_near(estimator, scale * low, scale * high, both=True)
            return factor
        if kind != "float" and self.white is not None:
            factor = self.white / WHITES[kind]
        elif learns_levels and self.white is not None and arrays[0].dtype.kind == "f":
            factor = self.white if high <= _OVERSHOOT else 1.0
        one = 1.0 if learns_levels else self.white  # levels are never below 0
        if one is not None and low < -_UNDERSHOOT * one:
            raise self._refused(estimator, low, high)
        self._check_near(estimator, factor * low, factor * high, both=factor == 1)
        if factor != 1 and high > 0:
            times = f"multiplied by {factor:g}" if factor > 1 else f"divided by {1 / factor:g}"
            warn(
                f"X holds numbers from {low:.4g} to {high:.4g}, and those of fit were "
                f"from {self.low:.4g} to {self.high:.4g}: they are {times}, so "
                f"that white is {self.white:g} in both."
            )
        return factor

    def _check_near(self, estimator: Any, low: float, high: float, both: bool) -> None:
        """Refuse numbers far out of the range of training; of `both`, warn of a far smaller one."""
        width, most = (self.high - self.low) or 1.0, max(abs(self.low), abs(self.high))
        if low < self.low - _FAR * width or high > self.high + _FAR * width:
            raise self._refused(estimator, low, high)
        if both and low < high and _FAR * max(abs(low), abs(high)) < most:
            warn(
                f"X holds numbers from {low:.4g} to {high:.4g}, and those of fit were from "
                f"{self.low:.4g} to {self.high:.4g}: is it in the same units?"
            )

    def _refused(self, estimator: Any, low: float, high: float) -> ValueError:
        return ValueError(
            f"X of {owner_of(estimator)} must hold numbers like those of fit, which were from "
            f"{self.low:.4g} to {self.high:.4g}. Got {low:.4g} to {high:.4g}. Give "
            "it as in fit: the model standardises by itself."
        )

    def _alike(self, array: np.ndarray, kind: str, factor: float) -> np.ndarray:
        """Whole levels as those of training, other numbers as they are."""
        if kind == self.kind or (kind != "float" and self.kind != "float"):
            return array
        numbers = array * np.float64(factor)
        if self.kind == "float":
            return numbers
        levels = np.rint(numbers)
        whole = np.abs(numbers - levels).max() <= _EXACT
        if not whole or levels.min() < 0 or levels.max() > WHITES[self.kind]:
            return numbers
        return levels.astype(TYPES[self.kind])
