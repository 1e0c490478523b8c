"""Numbers to be predicted, standardised and back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
import numpy as np

from pellucid.checks import row_words, rows_at, shown
from pellucid.data.categories import ColumnCounts
from pellucid.data.cautions import stand_in
from pellucid.data.column_values import Column
from pellucid.data.columns import owner_of
from pellucid.data.learned_column import read_numbers, remembering
from pellucid.data.number_format import NumberFormat
from pellucid.data.sample_weights import check_rows
from pellucid.data.scaling import Standardiser
from pellucid.data.state import Count, State, check_names
from pellucid.data.target_parts import TargetParts, sampled
from pellucid.data.target_transforms import TRANSFORMS, TransformName, skewed_note, transformed
from pellucid.data.target_values import check_not_empty, in_order, read_target
from pellucid.data.text_columns import decide_by


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
        return self.learn_from(estimator, y, sample_weight, units)[:]

    def learn_from(
        self, estimator: Any, y: Any, sample_weight: Any = None, units: Any = None
    ) -> TargetParts:
        """:meth:`fit` of a `y` that may not be in memory; what it returns is read by slices.

        So may the weights and the units be.
        """
        owner = owner_of(estimator)
        self.formats = {}

        def written(name: Any, texts: Any) -> Any:
            if sample_weight is not None:
                check_rows(estimator, len(sample_weight), len(texts))
            return self._from_text(owner, name, texts, sample_weight)

        values = TargetParts.of(estimator, y, written)
        self.names, shape = values.names, values.shape
        numbers = self._matrix(estimator, values)
        if sample_weight is not None:
            check_rows(estimator, len(sample_weight), len(numbers))
        if self.transform:
            numbers = _used_alone(numbers, sample_weight)
        self.flat, self.shape = len(shape) == 1, shape[1:] if len(shape) == 3 else None
        self.notes = self._notes(*sampled(numbers, sample_weight))
        name = self.transform
        numbers = numbers.changed(
            numbers.shape, np.float64, lambda _, part: transformed(owner, part, name)
        )
        if units is not None:
            numbers = numbers.changed(
                numbers.shape, np.float64, lambda rows, part: units.of(rows).relative(part)
            )
        matrix: Any = numbers
        if numbers.scratch is None:
            matrix = numbers[:]
            numbers = TargetParts.in_memory(matrix)
        self._scaler = Standardiser()
        if self._robust:
            self._scaler.fit_robust(matrix, sample_weight, numbers.scratch)
        else:
            self._scaler.fit(matrix, sample_weight)
        return numbers.changed(numbers.shape, np.float64, lambda _, part: self._standardised(part))

    def _from_text(self, owner: str, name: Any, texts: Any, weights: Any) -> Any:
        """The numbers of a column of text, an array or one of a spool; itself if it holds none.

        What is no number in rows of weight 0 is taken for that of another row.
        """
        column = Column("text", texts) if isinstance(texts, np.ndarray) else texts
        counts = ColumnCounts(column, weights)
        form = decide_by(counts.counter.in_order(), counts.rows).format
        if not isinstance(form, NumberFormat):
            return texts
        self.formats[name] = form
        first, value = np.nan, remembering(form)
        for rows, part in column.parts():
            used = slice(None) if weights is None else np.asarray(weights[rows]) > 0
            numbers = read_numbers(part, form, value)
            with rows_at(range(rows.start, rows.stop)):
                _check_written(owner, part.values, numbers, form, used)
            first = numbers[used][0] if np.isnan(first) and len(numbers[used]) else first

        def read(part: Column) -> Column:
            numbers = read_numbers(part, form, value)
            return Column("number", np.where(np.isnan(numbers), first, numbers))

        changed = column.changed("number", read)
        return changed.values if isinstance(texts, np.ndarray) else changed

    def encode(self, estimator: Any, y: Any, units: Any = None) -> np.ndarray:
        """Further rows, standardised as in :meth:`fit`."""
        values, names = self._read(estimator, y)
        matrix = self._matrix(estimator, TargetParts.in_memory(values))[:]
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

    def _matrix(self, estimator: Any, values: TargetParts) -> TargetParts:
        """The numbers of a target as rows of them, float64."""
        owner = owner_of(estimator)
        check_not_empty(estimator, values)
        if values.dtype.kind not in "biuf":
            raise ValueError(
                f"y of {owner} must hold numbers. Got {shown(values[:1].ravel().tolist()[0])} in "
                f"{row_words(0)}. For labels use a classifier."
            )
        if values.ndim > 3:
            raise ValueError(
                f"y of {owner} must have at most three dimensions: (rows, horizon, targets). Got "
                f"shape {values.shape}."
            )
        width = math.prod(values.shape[1:])
        return values.changed(
            (len(values), width),
            np.float64,
            lambda _, part: np.reshape(part, (len(part), width)).astype(np.float64),
        )

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
            _check_written(owner_of(estimator), texts, numbers, form, slice(None))
            return numbers

        return read_target(estimator, y, written)

    def _notes(self, matrix: np.ndarray, of: str) -> list[str]:
        """What to say of the numbers to learn; `of` says which they are, if not all."""
        notes = [
            f"{self._called(index)}: {form.words}, written as text."
            for index in range(matrix.shape[1])
            if (form := self.format_of(index)) is not None
        ]
        notes += [] if self.transform else skewed_note(matrix, self.names)
        for index, column in enumerate(matrix.T):
            if (value := stand_in(column)) is not None:
                count = int((column == value).sum())
                notes.append(
                    f"{self._called(index)}: {value:g} in {count:,} rows{of}, far from all others: "
                    "if that means that there is no value, leave these rows out."
                )
            if len(column) > 1 and (column == column[0]).all():
                notes.append(
                    f"{self._called(index)}: the same in all rows{of}, so there is nothing to "
                    "learn."
                )
        return notes

    def _called(self, index: int) -> str:
        if self.shape is not None:
            step, target = divmod(index, self.shape[1])
            return f"target {target + 1} in step {step + 1}"
        several = self.names is not None and len(self.names) > 1
        return f"target {shown(self.names[index])}" if several and self.names else "the target"


def _check_written(
    owner: str, texts: np.ndarray, numbers: np.ndarray, form: NumberFormat, used: Any
) -> None:
    """Refuse texts of a target that are no numbers in its format, in rows that are used."""
    lost = np.zeros(len(numbers), dtype=bool)
    lost[used] = np.isnan(numbers)[used]
    if lost.any():
        row = int(np.argmax(lost))
        raise ValueError(
            f"y of {owner} must hold {form.words}. Got {shown(texts.tolist()[row])} in "
            f"{row_words(row)}. Leave such rows out."
        )


def _used_alone(numbers: TargetParts, weights: Any) -> TargetParts:
    """The numbers with those of the first row that has weight in the place of rows without one.

    A transform may not take these.
    """
    first = next(
        (part[used][0] for _, part, used in numbers.used(weights) if part[used].size), None
    )
    if weights is None or first is None:
        return numbers

    def replaced(rows: slice, part: np.ndarray) -> np.ndarray:
        part = part.copy()
        part[~(np.asarray(weights[rows]) > 0)] = first
        return part

    return numbers.changed(numbers.shape, np.float64, replaced)
