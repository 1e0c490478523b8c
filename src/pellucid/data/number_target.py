"""Numbers to be predicted, standardised and back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
import numpy as np

from pellucid.checks import row_words, shown
from pellucid.data.cautions import stand_in
from pellucid.data.columns import owner_of
from pellucid.data.number_format import NumberFormat
from pellucid.data.sample_weights import check_rows
from pellucid.data.scaling import Standardiser
from pellucid.data.state import Count, State, check_names
from pellucid.data.target_transforms import TRANSFORMS, TransformName, skewed_note, transformed
from pellucid.data.target_values import check_not_empty, in_order, read_target
from pellucid.data.text_columns import number_format


class _NumberState(State, frozen=True):
    kind: Literal["number"]
    names: list[str] | None
    flat: bool
    transform: TransformName | None = None
    formats: list[NumberFormat | None] = []
    shape: Annotated[list[Count], msgspec.Meta(min_length=2, max_length=2)] | None = None


class NumberTarget:
    """Numbers, one or several a row, standardised for training and given back in their own units.

    Parameters
    ----------
    transform : {"log", "log1p"} or None
        A function of the numbers, before they are standardised.
    robust : bool
        Whether they are standardised by median and quartiles, for losses that do not mind a few
        values far from all others: mean and standard deviation do.

    Attributes
    ----------
    names : list of str or None
        The columns' names, from a DataFrame.
    flat : bool
        Whether `y` was 1-D, so that :meth:`decode` gives 1-D back.
    shape : tuple of int or None
        (horizon, targets) where `y` was 3-D, so that :meth:`decode` gives it back.
    mean, scale : ndarray of shape (columns,)
        ``z = (y - mean) / scale``, in float64, where y has gone through `transform`. The scale of a
        constant column is 1. Where `robust`, the median and a standard deviation by the quartiles.
    formats : dict
        How the numbers of columns are written that were text, by name or position.
    notes : list of str
        Sentences to show to the user about the target.
    """

    names: list[str] | None
    flat: bool
    shape: tuple[int, ...] | None
    formats: dict[Any, NumberFormat]

    def __init__(self, transform: str | None = None, robust: bool = False) -> None:
        self.transform, self._robust = transform, robust
        self.formats, self.shape = {}, None
        self.notes: list[str] = []

    def fit(
        self, estimator: Any, y: Any, sample_weight: np.ndarray | None = None, units: Any = None
    ) -> np.ndarray:
        """Learn mean and scale; return the standardised `y`, float64 of shape (rows, columns).

        With `units`, those of windows, each row's numbers are taken in its own scale first. A
        value that is missing, infinite or no number is a ValueError.
        """
        self.formats = {}

        def heavy(rows: Any) -> np.ndarray:
            if sample_weight is None:
                return np.ones(len(rows), dtype=bool)
            check_rows(estimator, len(sample_weight), len(rows))
            return np.asarray(sample_weight) > 0

        def written(name: Any, texts: np.ndarray) -> np.ndarray:
            used = heavy(texts)
            form = number_format(texts[used].tolist())
            if form is None:
                return texts
            self.formats[name] = form
            numbers = form.read(texts.tolist())
            _check_written(owner_of(estimator), texts[used], numbers[used], form)
            return np.where(np.isnan(numbers), numbers[used][0], numbers)

        values, self.names = read_target(estimator, y, written)
        matrix = self._matrix(estimator, values)
        used = heavy(matrix)
        if self.transform and used.any():  # rows of weight 0 may be beyond it
            matrix[~used] = matrix[used][0]
        self.flat = values.ndim == 1
        self.shape = values.shape[1:] if values.ndim == 3 else None
        self.notes = self._notes(matrix[used])
        matrix = transformed(owner_of(estimator), matrix, self.transform)
        matrix = matrix if units is None else units.relative(matrix)
        scaler = Standardiser()
        learn = scaler.fit_robust if self._robust else scaler.fit
        self._scaler = learn(matrix, sample_weight)
        return self._standardised(matrix)

    def encode(self, estimator: Any, y: Any, units: Any = None) -> np.ndarray:
        """Further rows, standardised as in :meth:`fit`."""
        values, names = self._read(estimator, y)
        matrix = self._matrix(estimator, values)
        came = values.shape[1:] if values.ndim == 3 else None
        if came != self.shape and matrix.shape[1] == len(self.mean):
            wanted = ", ".join(map(str, self.shape or matrix.shape[1:]))
            raise ValueError(
                f"y of {owner_of(estimator)} must have the shape (rows, {wanted}), as before. Got "
                f"{values.shape}."
            )
        matrix = in_order(estimator, matrix, names, len(self.mean), self.names)
        matrix = transformed(owner_of(estimator), matrix, self.transform)
        return self._standardised(matrix if units is None else units.relative(matrix))

    def decode(self, z: np.ndarray, units: Any = None) -> np.ndarray:
        """``z * scale + mean``, float64, as `y` was, out of its `units` and the transform."""
        values = self._scaler.inverse_transform(np.reshape(z, (-1, len(self.mean))))
        values = values if units is None else units.absolute(values)
        if self.transform is not None:
            values = TRANSFORMS[self.transform].inverse(values)
        if self.shape is not None:
            return values.reshape(-1, *self.shape)
        return values[:, 0] if self.flat else values

    @property
    def mean(self) -> np.ndarray:
        """The mean of each column."""
        return self._scaler.mean

    @property
    def scale(self) -> np.ndarray:
        """The standard deviation of each column."""
        return self._scaler.scale

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """A map that JSON can hold, and arrays by name."""
        config: dict[str, Any] = {"kind": "number", "names": self.names, "flat": self.flat}
        if self.transform is not None:  # so the digest of a model without one stays what it was
            config["transform"] = self.transform
        if self.shape is not None:
            config["shape"] = list(self.shape)
        if self.formats:
            count = len(self.mean)
            forms = [self.format_of(index) for index in range(count)]
            config["formats"] = msgspec.to_builtins(forms)
        return config, self._scaler.arrays()

    @classmethod
    def from_state(cls, config: dict[str, Any], arrays: dict[str, np.ndarray]) -> NumberTarget:
        """The target that :meth:`state` describes."""
        state = _NumberState.of(config, "the target")
        self = cls(state.transform)
        self.names, self.flat = state.names, state.flat
        keys = state.names if state.names and len(state.names) > 1 else range(len(state.formats))
        columns = 1 if self.flat else np.size(arrays.get("mean", ()))
        check_names("the targets", self.names, columns)
        if state.shape is not None:
            self.shape = tuple(state.shape)
            if self.flat or self.names is not None or math.prod(self.shape) != columns:
                raise ValueError(
                    f"the shape of the targets must be of {columns} numbers without names. Got "
                    f"{self.shape}."
                )
        if state.formats and len(state.formats) != columns:
            raise ValueError(
                f"the formats of the targets must be {columns}. Got {len(state.formats)}."
            )
        self.formats = {
            key: form for key, form in zip(keys, state.formats, strict=False) if form is not None
        }
        self._scaler = Standardiser.from_arrays(arrays, columns)
        return self

    def format_of(self, index: int) -> NumberFormat | None:
        """How the numbers of a column are written, if they were text."""
        name = self.names[index] if self.names is not None else index
        return self.formats.get(name) or self.formats.get(index)

    def forms(self, names: Sequence[str]) -> dict[str, NumberFormat]:
        """How numbers of columns are read that have these `names` and are text."""
        return {name: self.format_of(i) or NumberFormat() for i, name in enumerate(names)}

    def _standardised(self, matrix: np.ndarray) -> np.ndarray:
        out = np.empty(matrix.shape)
        self._scaler.transform(matrix, out, silence=False)
        return out

    def _matrix(self, estimator: Any, values: np.ndarray) -> np.ndarray:
        owner = owner_of(estimator)
        check_not_empty(estimator, values)
        if values.dtype.kind not in "biuf":
            raise ValueError(
                f"y of {owner} must hold numbers. Got {shown(values.ravel().tolist()[0])} in "
                f"{row_words(0)}. For labels use a classifier."
            )
        if values.ndim > 3:
            raise ValueError(
                f"y of {owner} must have at most three dimensions: (rows, horizon, targets). Got "
                f"shape {values.shape}."
            )
        return np.reshape(values, (len(values), -1)).astype(np.float64)

    def truth(self, estimator: Any, y: Any) -> np.ndarray:
        """`y` as numbers, read as in :meth:`fit`, with its columns in that order."""
        values, names = self._read(estimator, y)
        several = values.ndim == 2 and names is not None
        if not several:
            return values
        return in_order(estimator, values, names, len(self.mean), self.names)

    def _read(self, estimator: Any, y: Any) -> tuple[np.ndarray, list[str] | None]:
        """Further rows: text as numbers, each column in the way in which it was written in fit."""

        def written(name: Any, texts: np.ndarray) -> np.ndarray:
            one = len(self.mean) == 1  # a column alone may be called anything
            form = self.format_of(0) if one else self.formats.get(name)
            form = form or NumberFormat()
            numbers = form.read(texts.tolist())
            _check_written(owner_of(estimator), texts, numbers, form)
            return numbers

        return read_target(estimator, y, written)

    def _notes(self, matrix: np.ndarray) -> list[str]:
        """What to say of the numbers to learn."""
        notes = [
            f"{self._called(index)}: {form.words}, written as text."
            for index in range(matrix.shape[1])
            if (form := self.format_of(index)) is not None
        ]
        notes += [] if self.transform else skewed_note(matrix, self.names)
        for index, column in enumerate(matrix.T):
            if (value := stand_in(column)) is not None:
                notes.append(
                    f"{self._called(index)}: {value:g} in {int((column == value).sum()):,} rows, "
                    "far from all others: if that means that there is no value, leave these rows "
                    "out."
                )
            if len(column) > 1 and (column == column[0]).all():
                notes.append(
                    f"{self._called(index)}: the same in all rows, so there is nothing to learn."
                )
        return notes

    def _called(self, index: int) -> str:
        if self.shape is not None:
            step, target = divmod(index, self.shape[1])
            return f"target {target + 1} in step {step + 1}"
        several = self.names is not None and len(self.names) > 1
        return f"target {shown(self.names[index])}" if several and self.names else "the target"


def _check_written(owner: str, texts: np.ndarray, numbers: np.ndarray, form: NumberFormat) -> None:
    """Refuse texts of a target that are no numbers in its format."""
    lost = np.isnan(numbers)
    if lost.any():
        row = int(np.argmax(lost))
        raise ValueError(
            f"y of {owner} must hold {form.words}. Got {shown(texts.tolist()[row])} in "
            f"{row_words(row)}. Leave such rows out."
        )
