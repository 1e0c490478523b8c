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
from pellucid.data.pictures import TYPES, WHITES, PictureError, kind_of

_LEAST_SHARE = 0.5  # of white that the brightest number of many pictures comes near to
_OVERSHOOT = 1.5  # how far shares of one may go beyond it, as after an enlargement
_MARGIN = 0.1  # beyond black, as a share of white, after an enlargement
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
        given = low, high
        levels, learns_levels = kind != "float", self.kind != "float"
        factor = 1.0
        if levels and learns_levels:
            factor = WHITES[self.kind] / WHITES[kind]  # where they are read
        elif levels and self.white is not None:
            factor = self.white / WHITES[kind]
        elif learns_levels and self.white is not None and _are_shares(arrays, low, high):
            factor = self.white
        one = 1.0 if learns_levels else self.white  # levels are never below 0
        if one is not None and low < -_UNDERSHOOT * one:
            raise self._refused(estimator, given)
        low, high = factor * low, factor * high
        width, most = (self.high - self.low) or 1.0, max(abs(self.low), abs(self.high))
        if low < self.low - _FAR * width or high > self.high + _FAR * width:
            raise self._refused(estimator, given)
        if low < high and _FAR * max(abs(low), abs(high)) < most:
            if kind != self.kind and (factor == 1 or levels == learns_levels):
                raise self._refused(estimator, given)  # of two types, and of no unit in common
            if kind == self.kind:
                self._doubt(given)
        elif kind == self.kind == "float" and low < high and self._is_other(low, high):
            self._doubt(given)
        if factor != 1 and high > 0 and levels != learns_levels:
            times = f"multiplied by {factor:g}" if factor > 1 else f"divided by {1 / factor:g}"
            warn(
                f"X holds numbers from {given[0]:.4g} to {given[1]:.4g}, and those of fit were "
                f"from {self.low:.4g} to {self.high:.4g}: they are {times}, so "
                f"that white is {self.white:g} in both."
            )
        return factor

    def may_hold(self, low: float, high: float, shares: bool) -> bool:
        """Whether numbers from `low` to `high` may be in this unit, as they are.

        `shares` says whether they are of a type that shares of one have.
        """
        width = (self.high - self.low) or 1.0
        if not (low >= self.low - _FAR * width and high <= self.high + _FAR * width):
            return False
        learns_levels = self.kind != "float" and self.white is not None
        return not (learns_levels and shares and 0 < high <= _OVERSHOOT)

    def _is_other(self, low: float, high: float) -> bool:
        """Whether numbers look standardised, where those of training did not, or the other way."""
        if self.white is None:
            return self.low < 0 <= low
        return low < -_MARGIN * self.white or high > _OVERSHOOT * self.white

    def check_picture(self, pixels: np.ndarray) -> bool:
        """Whether levels of one picture from a file may be too dark for those of training.

        Those that are far brighter than all of training are a PictureError.
        """
        high = float(pixels.max())
        if high > _FAR * max(self.high, 1.0):
            raise PictureError(
                f"it holds levels up to {high:g}, and those of fit were up to {self.high:g}",
                "Give it in the same units",
            )
        return self.kind == "sixteen" and 0 < _FAR * high < self.high

    def _doubt(self, given: tuple[float, float]) -> None:
        warn(
            f"X holds numbers from {given[0]:.4g} to {given[1]:.4g}, and those of fit were from "
            f"{self.low:.4g} to {self.high:.4g}: is it in the same units?"
        )

    def _refused(self, estimator: Any, given: tuple[float, float]) -> ValueError:
        return ValueError(
            f"X of {owner_of(estimator)} must hold numbers like those of fit, which were from "
            f"{self.low:.4g} to {self.high:.4g}. Got {given[0]:.4g} to {given[1]:.4g}. Give "
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


def _are_shares(arrays: Sequence[np.ndarray], low: float, high: float) -> bool:
    """Whether numbers between levels, or truth values, are shares of one."""
    kinds = {array.dtype.kind for array in arrays}
    return kinds == {"b"} or (kinds == {"f"} and low >= -_UNDERSHOOT and high <= _OVERSHOOT)
