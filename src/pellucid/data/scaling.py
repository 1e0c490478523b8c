"""Means and standard deviations of columns, the same bits on every machine.

Only elementwise ``+ - * /`` and square roots: rows are added by folding the lower half onto the
upper one, an order that depends on the number of rows alone.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Any

import numpy as np

from pellucid.data.columns import blocks
from pellucid.data.quantiles import quantiles_in_parts, weighted_quantile
from pellucid.data.scratch import Scratch
from pellucid.data.state import check_arrays

# A billion standard deviations. Beyond it a value seen at predict would overflow float32 inside the
# network.
LIMIT = 1e9
_QUARTILES = 1.349  # standard deviations of normal numbers lie between their quartiles


def power_of_two(largest: np.ndarray) -> np.ndarray:
    """The power of two next above each number: dividing by it is exact, and squares stay finite."""
    exponent = np.frexp(largest)[1]
    return np.ldexp(1.0, np.clip(np.where(largest > 0, exponent, 0), -1000, 1000))


def sum_rows(rows: np.ndarray) -> np.ndarray:
    """The sum over rows, ``(n, d) -> (d,)``, in one fixed order. Overwrites `rows`."""
    count = len(rows)
    while count > 1:
        half = count // 2
        rows[:half] += rows[count - half : count]  # an odd middle row waits for the next round
        count -= half
    return rows[0].copy()


class _InUnits:
    """A column of a matrix that is read by slices, as multiples of its unit."""

    def __init__(self, matrix: Any, index: int, unit: float) -> None:
        self._matrix, self._index, self._unit = matrix, index, unit

    def __len__(self) -> int:
        return len(self._matrix)

    def __getitem__(self, rows: slice) -> np.ndarray:
        return self._matrix[rows][:, self._index] / self._unit


def used_rows(matrix: Any, weights: Any) -> tuple[Any, Any]:
    """The rows whose weight is above 0, and these weights."""
    if isinstance(weights, np.ndarray) and isinstance(matrix, np.ndarray):
        used = weights > 0
        return (matrix, weights) if used.all() else (matrix[used], weights[used])
    kept = _Kept(weights, matrix.shape[1])
    return (matrix, weights) if kept.all else (kept.of(matrix), kept.of(weights))


class _Kept:
    """Which rows have a weight above 0, where the weights are read by slices."""

    def __init__(self, weights: Any, width: int) -> None:
        self.weights, self.slices = weights, blocks(len(weights), width)
        counts = [int(np.count_nonzero(weights[rows] > 0)) for rows in self.slices]
        self.ends = np.cumsum(counts)
        self.all = bool(self.ends[-1] == len(weights))

    def of(self, array: Any) -> _KeptRows:
        """These rows of an array."""
        return _KeptRows(self, array, (int(self.ends[-1]), *array.shape[1:]))


class _KeptRows:
    """Some rows of an array that is read by slices, in turn so read."""

    def __init__(self, kept: _Kept, array: Any, shape: tuple[int, ...]) -> None:
        self._kept, self._array, self.shape = kept, array, shape
        self._place, self._last = -1, np.empty(0)  # the slice that was read last, and its rows

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice) -> np.ndarray:
        kept, parts, start = self._kept, [], rows.start
        place = int(np.searchsorted(kept.ends, start, side="right"))
        while start < rows.stop:
            first = int(kept.ends[place - 1]) if place else 0
            parts.append(self._slice(place)[start - first : rows.stop - first])
            start, place = min(rows.stop, int(kept.ends[place])), place + 1
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _slice(self, place: int) -> np.ndarray:
        if place != self._place:
            rows = self._kept.slices[place]
            self._last = self._array[rows][self._kept.weights[rows] > 0]
            self._place = place
        return self._last


def in_units(
    mean: np.ndarray, scale: np.ndarray, unit: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What numbers are multiplied by first, then what is taken away, and divided by."""
    inverse = 1.0 / unit
    return inverse, mean * inverse, scale * inverse


class Standardiser:
    """``z = (x - mean) / scale`` for each column of a matrix; a missing value (NaN) becomes 0.

    Attributes
    ----------
    mean, scale : ndarray of shape (columns,)
        Weighted mean and standard deviation (the population's, divided by the weights' sum).
    constant : ndarray of bool, shape (columns,)
        Columns with one value or none. Their scale is 1.
    missing : ndarray of bool, shape (columns,)
        Columns in which a value was missing.
    unit : ndarray of shape (columns,)
        A power of two of the column's size, so that 1e-200 and 1e200 neither vanish nor overflow.
    """

    NAMES = ("mean", "scale", "constant", "missing", "unit")

    mean: np.ndarray
    scale: np.ndarray
    constant: np.ndarray
    missing: np.ndarray
    unit: np.ndarray

    def fit(self, matrix: Any, weights: Any = None) -> Standardiser:
        """Learn from the rows of `matrix`, shape (rows, columns); rows of weight 0 are left out.

        Both are arrays, or have a shape and are read by slices as arrays are.
        """
        self._heaviest = 1.0
        if weights is not None:
            matrix, weights = used_rows(matrix, weights)
            largest = max(weights[rows].max() for rows in blocks(len(weights), 1))
            self._heaviest = float(power_of_two(largest))
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            self._fit_range(matrix)
            total, sums = self._sums(matrix, weights, np.zeros_like(self.unit), power=1)
            total = np.where(total > 0, total, 1.0)
            middle = sums / total
            # The mean's own rounding error is taken out by the mean of what it leaves.
            middle = middle + self._sums(matrix, weights, middle, power=1)[1] / total
            squares = self._sums(matrix, weights, middle, power=2)[1]
            self.mean = np.where(self.constant, self._first, middle * self.unit)
            deviation = np.sqrt(squares / total) * self.unit
            self.constant = self.constant | (deviation == 0)
            self.scale = np.where(self.constant, 1.0, deviation)
        del self._first, self._heaviest
        return self

    def fit_robust(
        self, matrix: Any, weights: Any = None, scratch: Scratch | None = None
    ) -> Standardiser:
        """As :meth:`fit`, of what a few values far from all others do not move.

        The mean is the median, and the scale the distance between the quartiles over 1.349, which
        is the standard deviation of normal numbers; that itself where the quartiles are equal.
        A `matrix` that is read by slices needs a `scratch`, where its numbers can be kept.
        """
        self.fit(matrix, weights)
        for index in np.flatnonzero(~self.constant):
            shares = (0.25, 0.5, 0.75)
            if scratch is None:
                column = matrix[:, index] / self.unit[index]
                quartiles = [weighted_quantile(column, weights, share) for share in shares]
            else:
                read = _InUnits(matrix, int(index), self.unit[index])
                quartiles = quantiles_in_parts(read, weights, shares, scratch)
            low, middle, high = quartiles
            self.mean[index] = middle * self.unit[index]
            spread = (high - low) / _QUARTILES * self.unit[index]
            self.scale[index] = spread if spread > 0 else self.scale[index]
        return self

    def transform(self, matrix: np.ndarray, out: np.ndarray, silence: bool = True) -> None:
        """Write the standardised `matrix` into `out`, of the same shape.

        With `silence` a column that was constant in training gives 0, whatever its values are now.
        """
        silence = silence and bool(self.constant.any())
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            inverse, mean, scale = self.in_units()
            for rows in blocks(*matrix.shape):
                block = matrix[rows].astype(np.float64)
                block *= inverse
                block -= mean
                block /= scale
                block[np.isnan(block)] = 0.0
                if silence:
                    block[:, self.constant] = 0.0
                np.minimum(block, LIMIT, out=block)
                out[rows] = np.maximum(block, -LIMIT, out=block)

    def in_units(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """See :func:`in_units`."""
        return in_units(self.mean, self.scale, self.unit)

    def of_row(self) -> Callable[[np.ndarray], bool]:
        """:meth:`transform` of one row in place, and whether all its numbers are finite.

        Called where NumPy is to say nothing of overflows and invalid numbers.
        """
        inverse, mean, scale = self.in_units()
        constant = np.flatnonzero(self.constant)
        least, most = np.full_like(mean, -LIMIT), np.full_like(mean, LIMIT)

        def standardise(row: np.ndarray) -> bool:
            if not isfinite(np.add.reduce(row)):  # sooner told than of each number
                return False
            np.multiply(row, inverse, out=row)
            np.subtract(row, mean, out=row)
            np.divide(row, scale, out=row)
            if constant.size:
                row[constant] = 0.0
            np.minimum(row, most, out=row)
            np.maximum(row, least, out=row)
            return True

        return standardise

    def inverse_transform(self, z: np.ndarray) -> np.ndarray:
        """``x = z * scale + mean`` in float64."""
        with np.errstate(over="ignore"):
            return np.asarray(z, dtype=np.float64) * self.scale + self.mean

    def arrays(self) -> dict[str, np.ndarray]:
        """What was learned, by name."""
        return {name: getattr(self, name) for name in self.NAMES}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray], columns: int) -> Standardiser:
        """The standardiser of so many columns that :meth:`arrays` describes.

        A ValueError if they are not just those arrays, finite, scales and units above 0.
        """
        self = cls()
        flags = ("constant", "missing")
        types = {name: np.dtype(bool if name in flags else np.float64) for name in cls.NAMES}
        known = {name: (dtype, (columns,)) for name, dtype in types.items()}
        check_arrays("a standardiser", arrays, known)
        for name in cls.NAMES:
            setattr(self, name, arrays[name])
        if not ((self.scale > 0).all() and (self.unit > 0).all()):
            raise ValueError("the scales and units of a standardiser must be above 0.")
        return self

    def _fit_range(self, matrix: Any) -> None:
        width = matrix.shape[1]
        low, high = np.full(width, np.inf), np.full(width, -np.inf)
        self.missing = np.zeros(width, dtype=bool)
        for rows in blocks(*matrix.shape):
            block = matrix[rows].astype(np.float64)
            self.missing |= np.isnan(block).any(axis=0)
            low = np.fmin(low, np.fmin.reduce(block, axis=0))
            high = np.fmax(high, np.fmax.reduce(block, axis=0))
        self.constant, known = ~(low < high), low <= high
        self._first = np.where(known, low, 0.0)
        self.unit = power_of_two(np.where(known, np.maximum(np.abs(low), np.abs(high)), 0.0))

    def _sums(
        self, matrix: Any, weights: Any, middle: np.ndarray, power: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Sum of the weights, and of weight times ``(x - middle) ** power``, where x is present."""
        inverse = 1.0 / self.unit
        total, sums = np.zeros_like(middle), np.zeros_like(middle)
        gaps = bool(self.missing.any())
        for rows in blocks(*matrix.shape):
            block = matrix[rows].astype(np.float64)
            present = ~np.isnan(block) if gaps else None
            own = None if weights is None else (weights[rows] / self._heaviest)[:, None]
            block *= inverse
            block -= middle
            if power == 2:
                block *= block
            if present is not None:
                block[~present] = 0.0
            if own is not None:
                block *= own
            if power == 1:
                if present is None and own is None:
                    total += float(len(block))
                else:
                    part = np.ones_like(block) if present is None else present.astype(np.float64)
                    total += sum_rows(part if own is None else part * own)
            sums += sum_rows(block)
        return total, sums
