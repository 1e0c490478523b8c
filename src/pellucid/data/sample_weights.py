"""Weights of rows, and the check that inputs have as many rows as each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from pellucid.checks import fault, shown, suggestion
from pellucid.data.column_values import plain_array
from pellucid.data.columns import owner_of


def check_rows(estimator: Any, x_rows: int, y_rows: int) -> None:
    """Refuse an X and a y of different lengths."""
    if x_rows != y_rows:
        raise ValueError(
            f"X and y of {owner_of(estimator)} must have the same number of rows. Got {x_rows} "
            f"rows in X and {y_rows} in y."
        )


def sample_weights(estimator: Any, sample_weight: Any, n: int) -> np.ndarray:
    """`sample_weight` as a float64 array of shape (n,); ones for None.

    Another length, a weight that is negative, NaN or infinite, or zeros alone are a ValueError.
    """
    owner = owner_of(estimator)
    if sample_weight is None:
        return np.ones(n)
    try:
        weights = as_weights(sample_weight)
    except (TypeError, ValueError) as error:
        expected = f"{n} numbers, one a row"
        raise ValueError(fault("sample_weight", owner, expected, sample_weight)) from error
    if weights.ndim == 0:
        weights = np.full(n, float(weights))
    if weights.shape != (n,):
        raise ValueError(
            f"sample_weight of {owner} must have shape ({n},), one weight a row. "
            f"Got shape {weights.shape}."
        )
    check_weights(estimator, [weights])
    return weights


def as_weights(given: Any) -> np.ndarray:
    """Numbers of any kind as float64; a TypeError or ValueError where they are none."""
    values = np.asarray(plain_array(given))
    if values.dtype.kind in "mM":  # which would be taken as counts of their unit
        raise TypeError("dates")
    return np.array(values, dtype=np.float64)


def check_weights(estimator: Any, parts: Iterable[np.ndarray]) -> None:
    """Refuse weights, that come in parts, which are negative, NaN or infinite, or zeros alone."""
    check = WeightCheck(estimator)
    for weights in parts:
        check.add(weights)
    check.end()


class WeightCheck:
    """Refuses weights, part by part, which are negative, NaN or infinite, or zeros alone.

    Parameters
    ----------
    estimator : object
        Errors name its class; or how they call it.
    """

    def __init__(self, estimator: Any) -> None:
        self._owner, self._rows, self._some = owner_of(estimator), 0, False

    def add(self, weights: np.ndarray) -> None:
        """Look at the weights of further rows."""
        for expected, wrong in (
            ("be finite", ~np.isfinite(weights)), ("not be negative", weights < 0)
        ):  # fmt: skip
            if wrong.any():
                row = int(np.argmax(wrong))
                raise ValueError(
                    f"sample_weight of {self._owner} must {expected}. Got {weights[row]:g} in row "
                    f"{self._rows + row}."
                )
        self._some = self._some or bool((weights > 0).any())
        self._rows += len(weights)

    def end(self) -> None:
        """Refuse them if none was above zero."""
        if not self._some:
            raise ValueError(
                f"sample_weight of {self._owner} must have at least one weight above zero. Got "
                f"zero in all {self._rows} rows."
            )


def class_weights(
    estimator: Any,
    class_weight: Any,
    classes: np.ndarray,
    codes: np.ndarray,
    sample_weight: np.ndarray | None = None,
) -> np.ndarray:
    """The weight of each row's class, float64 of shape (rows,); errors name `estimator`'s class.

    Parameters
    ----------
    class_weight : None, "balanced" or dict
        ``"balanced"`` gives each class the same total: rows / (classes * rows of the class).
        A dict gives weights by label; labels not in it weigh 1.
    classes : ndarray of shape (classes,)
        The labels.
    codes : ndarray of shape (rows,)
        Each row's position in `classes`.
    sample_weight : ndarray of shape (rows,), optional
        Counted by "balanced", so that weight 2 is the row twice.

    Raises
    ------
    ValueError
        If `class_weight` is something else, has an unknown label, or `codes` have several columns.
    """
    if class_weight is None:
        return np.ones(len(codes))
    counts = ClassCounts(estimator, class_weight, classes)
    counts.add(codes, sample_weight)
    return counts.weights[codes]


class ClassCounts:
    """The weights of classes, by the rows of each, which may come in parts.

    Parameters
    ----------
    estimator, class_weight, classes
        As of :func:`class_weights`.
    """

    def __init__(self, estimator: Any, class_weight: Any, classes: np.ndarray) -> None:
        self._owner, self._given, self._labels = owner_of(estimator), class_weight, classes.tolist()
        self._counts: Any = np.zeros(len(classes))

    def add(self, codes: np.ndarray, sample_weight: np.ndarray | None = None) -> None:
        """Count rows by the codes of their classes."""
        if np.ndim(codes) > 1:
            expected, way_out = "None for multilabel targets", "Pass sample_weight instead."
            raise ValueError(fault("class_weight", self._owner, expected, self._given, way_out))
        weights = np.ones(len(codes)) if sample_weight is None else sample_weight
        # bincount adds in the order in which numbers are given, so the parts do not matter
        places = np.concatenate([np.arange(len(self._counts)), codes])
        self._counts = np.bincount(places, weights=np.concatenate([self._counts, weights]))

    @property
    def weights(self) -> np.ndarray:
        """The weight of each class, float64 of shape (classes,)."""
        owner, given, labels = self._owner, self._given, self._labels
        if isinstance(given, str) and given == "balanced":
            counts = self._counts
            total = np.cumsum(counts)[-1]
            present = counts > 0
            shares = np.count_nonzero(present) * np.where(present, counts, 1.0)
            return np.where(present, total / shares, 0.0)
        if not isinstance(given, Mapping):
            expected = "None, 'balanced' or a dict of label to weight"
            raise ValueError(fault("class_weight", owner, expected, given))
        by_class = np.ones(len(labels))
        for name, weight in given.items():
            name = name.item() if isinstance(name, np.generic) else name
            if name not in labels:
                raise ValueError(
                    f"class_weight of {owner} has no class {shown(name)}.{suggestion(name, labels)}"
                )
            if not isinstance(weight, (int, float, np.number)) or not 0 <= weight < np.inf:
                expected = "a number of at least 0"
                raise ValueError(fault(f"class_weight[{name!r}]", owner, expected, weight))
            by_class[labels.index(name)] = weight
        return by_class
