"""What numbers pictures hold: levels of 8 or 16 bits, shares of one, or anything else.

A model that has learned from one of them and is asked with another would answer anything. Where it
is plain how the two belong together, numbers are put right; else they are refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from pellucid.checks import warn
from pellucid.data.columns import owner_of
from pellucid.data.pictures import TYPES, WHITES, kind_of

_LEAST_SHARE = 0.5  # of white that the brightest number of many pictures comes near to
_OVERSHOOT = 1.5  # how far numbers may go beyond white, as after an enlargement
_UNDERSHOOT = 0.1  # how far below black, as a share of the brightest
_FAR = 8  # ranges that differ by this factor are not of one unit
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

        Each of the arrays may hold one picture or many. What is done to them is a warning.
        """
        kinds = [kind_of(array) for array in arrays]
        factors = {
            kind: self._factor(
                estimator, kind, [a for a, k in zip(arrays, kinds, strict=True) if k == kind]
            )
            for kind in set(kinds)
        }
        return [
            self._alike(array, factors[kind]) for array, kind in zip(arrays, kinds, strict=True)
        ]

    def _factor(self, estimator: Any, kind: str, arrays: list[np.ndarray]) -> float:
        """By what numbers of a kind are to be multiplied."""
        low = min(float(array.min()) for array in arrays)
        high = max(float(array.max()) for array in arrays)
        if self.white is None:
            self._check_near(estimator, low, high)
            return 1.0
        if kind == self.kind and kind != "float":
            return 1.0
        white = self._white_of(kind, low, high)
        if white is None:
            raise self._refused(estimator, low, high)
        factor = self.white / white
        times = f"multiplied by {factor:g}"
        if factor < 1:
            times = f"divided by {1 / factor:g}"
        if factor != 1 and {kind, self.kind} != set(WHITES):  # 8 and 16 bits are one scale
            warn(
                f"X holds numbers from {low:.4g} to {high:.4g}, and those of fit were "
                f"from {self.low:.4g} to {self.high:.4g}: they are {times}, so "
                f"that white is {self.white:g} in both."
            )
        return factor

    def _white_of(self, kind: str, low: float, high: float) -> float | None:
        """What white is in these numbers; None where they do not tell."""
        if kind == "bytes":
            return 1.0 if high <= 1 and self.white == 1 else WHITES[kind]
        if low < -_UNDERSHOOT * high:
            return None
        if kind == "sixteen":
            return WHITES["bytes" if high <= WHITES["bytes"] else kind]
        whites = (1.0, *WHITES.values())
        return next((one for one in whites if high <= _OVERSHOOT * one), None)

    def _check_near(self, estimator: Any, low: float, high: float) -> None:
        """Refuse numbers far out of the range of training; warn of a far smaller one."""
        width = (self.high - self.low) or 1.0
        if low < self.low - _FAR * width or high > self.high + _FAR * width:
            raise self._refused(estimator, low, high)
        if low < high and _FAR * (high - low) < width:
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

    def _alike(self, array: np.ndarray, factor: float) -> np.ndarray:
        """Whole levels as those of training, other numbers as they are."""
        kind = kind_of(array)
        if kind == self.kind and factor == 1:
            return array
        if {kind, self.kind} == set(WHITES) and WHITES[self.kind] == factor * WHITES[kind]:
            return array  # which are rescaled, exactly, where they are read
        numbers = array if factor == 1 else array * np.float64(factor)
        if self.kind == "float":
            return np.asarray(numbers, np.result_type(numbers, np.float32))
        levels = np.rint(numbers)
        if np.abs(numbers - levels).max() > _EXACT or levels.min() < 0:
            return np.asarray(numbers)
        if levels.max() > WHITES[self.kind]:
            return np.asarray(numbers)
        return levels.astype(TYPES[self.kind])
