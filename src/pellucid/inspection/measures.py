"""Measures of predictions that come in parts: the same figures however the rows are parted."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from pellucid.sums import ExactSum, as_float

LEAST_SHARE = float(np.finfo(np.float32).eps)  # a probability of 0 would cost infinitely much
MOST_SHARES = 1 << 20
"""Of so many rows times classes the area under the ROC curve is exact."""

_SMALLEST = 32  # a share below 2^-32, and one as near to 1, is as good as that
_DIGITS = 10  # binary ones of a share that are told apart, where classes are few
_FEW = 16


class NumberErrors:
    """Errors of numbers that are predicted, each beside the true one.

    Parameters
    ----------
    quantile : float, optional
        What is predicted, if it is one.
    spread : bool
        Whether the spread of the true numbers is counted too, for `r2`.
    """

    def __init__(self, quantile: float | None = None, spread: bool = True) -> None:
        self.quantile = quantile
        self.rows = 0  # that are known
        self._unknown = False
        self._sizes, self._squares = ExactSum(), ExactSum()  # of errors
        self._spread = _Spread() if spread else None
        self._below = 0

    def add(self, truth: np.ndarray, guess: np.ndarray) -> None:
        """Count rows: float64 arrays of one shape."""
        known = np.isfinite(guess) & np.isfinite(truth)
        if not known.all():
            self._unknown = True
            truth, guess = truth[known], guess[known]
        truth, guess = truth.reshape(-1), guess.reshape(-1)
        if not len(truth):
            return
        self.rows += len(truth)
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            errors = truth - guess
            if self.quantile is not None:
                share = self.quantile
                self._sizes.add(np.where(errors >= 0, share * errors, (share - 1) * errors))
                self._below += int(np.count_nonzero(truth <= guess))
                return
            self._sizes.add(np.abs(errors))
            self._squares.add(errors * errors)
            if self._spread is not None:
                self._spread.add(truth)

    @property
    def pinball_loss(self) -> float:
        """The mean pinball loss."""
        return self._sizes.mean(self.rows)

    @property
    def coverage(self) -> float:
        """The share of true numbers at or below what was predicted."""
        return self._below / self.rows

    @property
    def mean_absolute_error(self) -> float:
        """The mean size of an error."""
        return self._sizes.mean(self.rows)

    @property
    def root_mean_squared_error(self) -> float:
        """The root of the mean square."""
        return math.sqrt(self._squares.mean(self.rows))

    @property
    def r2(self) -> float | None:
        """R squared; None where a number is not known, or all true ones are the same."""
        around = None if self._spread is None else self._spread.exact(self.rows)
        if self._unknown or around is None or not self._squares.is_finite:
            return None
        return as_float(1 - self._squares.exact / around) if around > 0 else None


class _Spread:
    """How far numbers are from their mean: by their distances to the first of them."""

    def __init__(self) -> None:
        self._first: float | None = None
        self._varied = False
        self._distances, self._squares = ExactSum(), ExactSum()

    def add(self, numbers: np.ndarray) -> None:
        """Count float64 numbers, at least one."""
        if self._first is None:
            self._first = float(numbers[0])
        distances = numbers - self._first
        self._varied = self._varied or bool(distances.any())
        self._distances.add(distances)
        self._squares.add(distances * distances)

    def exact(self, count: int) -> Fraction | None:
        """The sum of squared distances to the mean of all `count`; None where none differ."""
        sums = self._distances, self._squares
        if not self._varied or not all(one.is_finite for one in sums):
            return None
        total, squares = (one.exact for one in sums)
        return squares - total * total / count


class CrossEntropy:
    """The mean of minus the logarithm of the share that the true class was given."""

    def __init__(self) -> None:
        self._sum, self._rows, self._known = ExactSum(), 0, True

    def add(self, true: np.ndarray, shares: np.ndarray) -> None:
        """Count rows: the positions of their classes, and shares (rows, classes)."""
        self._rows += len(true)
        self._known = self._known and bool(
            true.max(initial=0) < shares.shape[1] and np.isfinite(shares).all()
        )
        if self._known:
            self._sum.add(costs(shares)[np.arange(len(true)), true])

    @property
    def value(self) -> float | None:
        """The loss; None where a class is unknown to the model, or a share is no number."""
        return self._sum.mean(self._rows) if self._known and self._rows else None


def costs(shares: np.ndarray) -> np.ndarray:
    """Minus the logarithm of each share; none is taken for less than :data:`LEAST_SHARE`."""
    shares = np.clip(shares, LEAST_SHARE, 1)
    return -np.log(shares / shares.sum(axis=1, keepdims=True))


class Areas:
    """Areas under the ROC curve: of two classes one, of several each against all others.

    They are exact up to :data:`MOST_SHARES` shares. Of more, shares that differ by less than a
    thousandth, of themselves or of what they lack to 1, count as equal; of many classes by more.

    Parameters
    ----------
    classes : int
    """

    def __init__(self, classes: int) -> None:
        self._columns = [1] if classes == 2 else list(range(classes))
        count = len(self._columns)
        self._digits = max(2, _DIGITS - max(0, math.ceil(math.log2(count / _FEW))))
        self._side = ((_SMALLEST - 1) << self._digits) + 1
        self._kept: list[tuple[np.ndarray, np.ndarray]] = []
        self._counts: np.ndarray | None = None  # of all rows and of the class's own, by share
        self._rows, self._known = 0, True

    def add(self, true: np.ndarray, shares: np.ndarray) -> None:
        """Count rows: the positions of their classes, and shares (rows, classes)."""
        self._known = self._known and bool(np.isfinite(shares).all())
        if not self._known:
            self._kept, self._counts = [], None
            return
        self._rows += len(true)
        self._kept.append((true, shares[:, self._columns]))
        if self._counts is not None or self._rows * len(self._columns) > MOST_SHARES:
            if self._counts is None:
                shape = 2, len(self._columns), 2 * self._side
                self._counts = np.zeros(shape, dtype=np.int64)
            for part in self._kept:
                self._count(self._counts, *part)
            self._kept = []

    def _count(self, counts: np.ndarray, true: np.ndarray, shares: np.ndarray) -> None:
        places = self._places(shares) + 2 * self._side * np.arange(shares.shape[1])
        own = true[:, None] == self._columns
        for which, chosen in enumerate((places.reshape(-1), places[own])):
            found = np.bincount(chosen, minlength=counts[which].size)
            counts[which] += found.reshape(counts[which].shape)

    def _places(self, shares: np.ndarray) -> np.ndarray:
        """Where shares stand among those that are told apart: in order, by their first digits."""
        near = np.maximum(np.minimum(shares, 1 - shares), 2.0**-_SMALLEST)
        bits = near.astype(np.float64).view(np.int64) >> (52 - self._digits)
        places = bits - ((1023 - _SMALLEST) << self._digits)
        return np.where(shares <= 0.5, places, 2 * self._side - 1 - places)

    @property
    def mean(self) -> float | None:
        """The mean area over the classes of which there are rows, and rows of others."""
        if not self._known or not self._rows:
            return None
        areas = self._exact() if self._counts is None else self._counted(self._counts)
        return float(np.mean(areas)) if areas else None

    def _exact(self) -> list[float]:
        from sklearn.metrics import roc_auc_score

        true = np.concatenate([part for part, _ in self._kept])
        shares = np.concatenate([part for _, part in self._kept])
        return [
            float(roc_auc_score(true == column, shares[:, place]))
            for place, column in enumerate(self._columns)
            if 0 < np.count_nonzero(true == column) < len(true)
        ]

    def _counted(self, counts: np.ndarray) -> list[float]:
        areas = []
        for of_all, own in zip(*counts, strict=True):
            others = of_all - own
            # twice the others with a lesser share, and half of the equal ones
            before = (2 * np.cumsum(others) - others).tolist()
            pairs = sum(count * below for count, below in zip(own.tolist(), before, strict=True))
            if many := 2 * int(own.sum()) * int(others.sum()):
                areas.append(float(Fraction(pairs, many)))
        return areas
