"""Sums of numbers that come in parts: exact, so that they do not depend on the parts."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

_BITS, _LOW = 53, 26  # of a float64's digits, and of those the lower half
_SMALLEST = 1073  # the exponent of the smallest float64, as frexp has it, with its sign turned
_PLACES = _SMALLEST + 1 + 1024
_BLOCK = 1 << 20  # of so many halves a float64 holds the sum exactly


class ExactSum:
    """The sum of float64 numbers, without any rounding before its end.

    Numbers are added as whole numbers, by their exponents.

    Examples
    --------
    >>> total = ExactSum()
    >>> for part in ([1e100, 1.0], [-1e100]):
    ...     total.add(part)
    >>> total.value
    1.0
    """

    def __init__(self) -> None:
        self._halves = np.zeros((2, _PLACES), dtype=np.int64)
        self._odd = 0.0  # the sum of those that are not finite

    def add(self, values: object) -> None:
        """Add numbers, of any shape."""
        numbers = np.asarray(values, dtype=np.float64).reshape(-1)
        finite = np.isfinite(numbers)
        if not finite.all():
            with np.errstate(invalid="ignore"):
                self._odd += float(numbers[~finite].sum())
            numbers = numbers[finite]
        for start in range(0, len(numbers), _BLOCK):
            share, exponent = np.frexp(numbers[start : start + _BLOCK])
            whole = np.ldexp(share, _BITS).astype(np.int64)
            places = exponent + _SMALLEST
            for half, digits in enumerate((whole >> _LOW, whole & ((1 << _LOW) - 1))):
                counted = np.bincount(places, digits, minlength=_PLACES)
                self._halves[half] += counted.astype(np.int64)

    @property
    def exact(self) -> Fraction:
        """The sum, if all numbers were finite."""
        total = 0
        for place in np.flatnonzero(self._halves.any(axis=0)).tolist():
            high, low = self._halves[:, place].tolist()
            total += ((high << _LOW) + low) << place
        return Fraction(total, 1 << (_BITS + _SMALLEST))

    @property
    def is_finite(self) -> bool:
        """Whether all numbers were."""
        return math.isfinite(self._odd)

    @property
    def value(self) -> float:
        """The sum, rounded once; infinite or NaN where some numbers are."""
        return as_float(self.exact) if self.is_finite else self._odd

    def mean(self, count: int) -> float:
        """The sum over `count`, rounded once."""
        return as_float(self.exact / count) if self.is_finite else self._odd


def as_float(number: Fraction) -> float:
    """The nearest float64, infinite beyond the largest."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf
