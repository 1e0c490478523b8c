"""What is to be predicted: labels, sets of labels, or numbers, turned into codes and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import column_or_1d

from pellucid.checks import fault, one_of, row_words, shown, suggestion
from pellucid.data.cautions import stand_in
from pellucid.data.columns import owner_of
from pellucid.data.number_format import NumberFormat
from pellucid.data.sample_weights import check_rows
from pellucid.data.scaling import Standardiser
from pellucid.data.state import Count, State, check_arrays, check_names
from pellucid.data.target_transforms import TRANSFORMS, TransformName, skewed_note, transformed
from pellucid.data.target_values import read_target
from pellucid.data.text_columns import is_blank, number_format
from pellucid.data.text_format import words

_WIDEST = 1000  # characters a label that an array may have room for, however short its labels are


class _ClassState(State, frozen=True):
    kind: Literal["class"]
    classes: Annotated[list[Any], msgspec.Meta(min_length=2)]
    dtype: str


class _MultilabelState(State, frozen=True):
    kind: Literal["multilabel"]
    names: list[str] | None
    count: Count
    dtype: str


class _NumberState(State, frozen=True):
    kind: Literal["number"]
    names: list[str] | None
    flat: bool
    transform: TransformName | None = None
    formats: list[NumberFormat | None] = []


class ClassTarget:
    """One label a row: text, whole numbers or truth values.

    Attributes
    ----------
    classes : ndarray of shape (classes,)
        The labels in order. A row's code is its label's position there.
    """

    classes: np.ndarray
    notes: list[str]

    def __init__(self) -> None:
        self.notes = []

    def truth(self, estimator: Any, y: Any) -> np.ndarray:
        """The labels of `y` as :meth:`decode` would give them."""
        return self._labels(estimator, y)

    def fit(
        self, estimator: Any, y: Any, sample_weight: np.ndarray | None = None, classes: Any = None
    ) -> np.ndarray:
        """Learn the labels of `y`; return their codes, int64 of shape (rows,).

        `classes` lists all labels where `y` may lack some (``partial_fit``). Else a label that only
        rows of weight 0 have is no class, and these rows get code 0. Labels that are missing,
        continuous, of mixed types or all alike are a ValueError or TypeError.
        """
        owner, labels = owner_of(estimator), self._given(estimator, y)
        if sample_weight is not None:
            check_rows(estimator, len(sample_weight), len(labels))
        if classes is not None:
            self.classes = _classes(self._given(estimator, classes))
            if len(self.classes) < 2:
                expected = "at least two labels"
                raise ValueError(fault("classes", owner, expected, self.classes.tolist()))
            return self._codes(owner, self._spelled(labels))
        heavy = labels if sample_weight is None else labels[sample_weight > 0]
        different = _classes(heavy)
        if len(different) < 2:
            where = " in rows of positive sample_weight" if len(heavy) < len(labels) else ""
            raise ValueError(
                f"y of {owner} must have at least two classes. Got one class, "
                f"{shown(different.tolist()[0])}{where}. Add rows of another class."
            )
        self.classes, self.notes = different, _label_notes(heavy, different)
        codes, known = self._positions(self._spelled(labels))
        return np.where(known, codes, 0)

    def encode(self, estimator: Any, y: Any) -> np.ndarray:
        """The codes of further labels, int64 of shape (rows,). An unknown label is a ValueError."""
        return self._codes(owner_of(estimator), self._labels(estimator, y))

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """The labels of `codes`."""
        return self.classes[codes]

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """A map that JSON can hold, and arrays by name (none)."""
        dtype = "object" if self.classes.dtype == object else self.classes.dtype.str
        return {"kind": "class", "classes": self.classes.tolist(), "dtype": dtype}, {}

    @classmethod
    def from_state(cls, config: dict[str, Any], arrays: dict[str, np.ndarray]) -> ClassTarget:
        """The target that :meth:`state` describes."""
        state, self = _ClassState.of(config, "the target"), cls()
        check_arrays("classes", arrays, {})
        dtype = np.dtype(state.dtype)
        text = all(isinstance(label, str) for label in state.classes)
        most = max(_WIDEST, *map(len, state.classes)) if text else 0
        if dtype.kind not in ("OU" if text else "biuf") or (text and dtype.itemsize > 4 * most):
            raise ValueError(f"classes must be of their own type. Got {shown(state.dtype)}.")
        with np.errstate(over="ignore"):  # what does not fit is refused below
            own = np.array(state.classes, dtype=dtype if dtype.kind in "OU" else None)
            self.classes = own.astype(dtype)
        if (
            self.classes.tolist() != state.classes
            or not (self.classes[:-1] < self.classes[1:]).all()
        ):
            raise ValueError(
                f"classes must be different labels in order. Got {shown(state.classes)}."
            )
        return self

    def _labels(self, estimator: Any, y: Any) -> np.ndarray:
        return self._spelled(self._given(estimator, y))

    def _spelled(self, given: np.ndarray) -> np.ndarray:
        """Labels as they are spelled among the classes, whatever blanks are in them."""
        if given.dtype.kind not in "OU" or self.classes.dtype.kind not in "OU":
            return given
        known = {words(label): label for label in self.classes.tolist()}
        spelled = {label: known.get(words(label), label) for label in set(given.tolist())}
        if all(label == other for label, other in spelled.items()):
            return given
        return np.array([spelled[label] for label in given.tolist()], dtype=object)

    def _given(self, estimator: Any, y: Any) -> np.ndarray:
        """The labels of `y` as they stand there."""
        values, _ = read_target(estimator, y)
        labels = column_or_1d(values, warn=True)
        _check_not_empty(estimator, labels)
        with np.errstate(invalid="ignore"):  # it asks of 1e30 whether it is a whole number
            check_classification_targets(labels)
        return labels

    def _positions(self, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if (labels.dtype.kind in "OU") != (self.classes.dtype.kind in "OU"):
            return np.zeros(len(labels), dtype=np.int64), np.zeros(len(labels), dtype=bool)
        codes = np.minimum(np.searchsorted(self.classes, labels), len(self.classes) - 1)
        return codes.astype(np.int64), self.classes[codes] == labels

    def _codes(self, owner: str, labels: np.ndarray) -> np.ndarray:
        codes, known = self._positions(labels)
        if not known.all():
            name = labels[~known].tolist()[0]
            raise ValueError(
                f"y of {owner} has no class {shown(name)} among its "
                f"classes.{suggestion(name, self.classes.tolist())}"
            )
        return codes


class MultilabelTarget:
    """Any number of labels a row: a matrix of 0 and 1, one column a label.

    Attributes
    ----------
    names : list of str or None
        The labels' names, from a DataFrame's columns.
    classes : ndarray of shape (labels,)
        Names if there are any, else 0, 1, 2, ...
    """

    names: list[str] | None
    count: int
    dtype: np.dtype
    notes: Sequence[str] = ()

    def truth(self, estimator: Any, y: Any) -> Any:
        """`y` as it is."""
        return y

    def fit(
        self, estimator: Any, y: Any, sample_weight: np.ndarray | None = None, classes: Any = None
    ) -> np.ndarray:
        """Learn the labels' number and names; return the codes, int64 of shape (rows, labels).

        `y` has a column for every label, so there is nothing to learn from `classes`. A value that
        is missing, or neither 0 nor 1, is a ValueError.
        """
        values, self.names = read_target(estimator, y)
        codes = self._check(estimator, values)
        if sample_weight is not None:
            check_rows(estimator, len(sample_weight), len(codes))
        self.count, self.dtype = codes.shape[1], values.dtype
        return codes

    def encode(self, estimator: Any, y: Any) -> np.ndarray:
        """The codes of further rows, int64 of shape (rows, labels)."""
        values, names = read_target(estimator, y)
        codes = self._check(estimator, values)
        return _in_order(estimator, codes, names, self.count, self.names)

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """The codes in the type that `y` had."""
        return np.asarray(codes).astype(self.dtype)

    @property
    def classes(self) -> np.ndarray:
        """The labels."""
        return np.arange(self.count) if self.names is None else np.array(self.names, dtype=object)

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """A map that JSON can hold, and arrays by name (none)."""
        return {
            "kind": "multilabel",
            "names": self.names,
            "count": self.count,
            "dtype": self.dtype.str,
        }, {}

    @classmethod
    def from_state(cls, config: dict[str, Any], arrays: dict[str, np.ndarray]) -> MultilabelTarget:
        """The target that :meth:`state` describes."""
        state, self = _MultilabelState.of(config, "the target"), cls()
        check_arrays("labels", arrays, {})
        check_names("the labels", state.names, state.count)
        self.names, self.count, self.dtype = state.names, state.count, np.dtype(state.dtype)
        if self.dtype.kind not in "biuf":
            raise ValueError(f"labels must be numbers. Got {shown(state.dtype)}.")
        return self

    def _check(self, estimator: Any, values: np.ndarray) -> np.ndarray:
        _check_not_empty(estimator, values)
        numeric = values.dtype.kind in "biuf"
        wrong = (values != 0) & (values != 1) if numeric else np.ones(values.shape, dtype=bool)
        if values.ndim != 2 or wrong.any():
            came = f"shape {values.shape}"
            if values.ndim == 2:
                row, column = np.argwhere(wrong)[0]
                came = f"{shown(values[row].tolist()[column])} in {row_words(row)}"
            raise ValueError(
                f"y of {owner_of(estimator)} with several columns must hold only 0 and 1, one "
                f"column a label. Got {came}. sklearn.multioutput.MultiOutputClassifier("
                f"{owner_of(estimator)}()) fits one model for each column."
            )
        return values.astype(np.int64)


class NumberTarget:
    """Numbers, one or several a row, standardised for training and given back in their own units.

    Parameters
    ----------
    transform : {"log", "log1p"} or None
        A function of the numbers, before they are standardised.

    Attributes
    ----------
    names : list of str or None
        The columns' names, from a DataFrame.
    flat : bool
        Whether `y` was 1-D, so that :meth:`decode` gives 1-D back.
    mean, scale : ndarray of shape (columns,)
        ``z = (y - mean) / scale``, in float64, where y has gone through `transform`. The scale of a
        constant column is 1.
    formats : dict
        How the numbers of columns are written that were text, by name or position.
    notes : list of str
        Sentences to show to the user about the target.
    """

    names: list[str] | None
    flat: bool
    formats: dict[Any, NumberFormat]

    def __init__(self, transform: str | None = None) -> None:
        self.transform = transform
        self.formats = {}
        self.notes: list[str] = []

    def fit(self, estimator: Any, y: Any, sample_weight: np.ndarray | None = None) -> np.ndarray:
        """Learn mean and scale; return the standardised `y`, float64 of shape (rows, columns).

        A value that is missing, infinite or no number is a ValueError.
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
        self.notes = self._notes(matrix[used])
        matrix = transformed(owner_of(estimator), matrix, self.transform)
        self._scaler = Standardiser().fit(matrix, sample_weight)
        return self._standardised(matrix)

    def encode(self, estimator: Any, y: Any) -> np.ndarray:
        """Further rows, standardised as in :meth:`fit`."""
        values, names = self._read(estimator, y)
        matrix = self._matrix(estimator, values)
        matrix = _in_order(estimator, matrix, names, len(self.mean), self.names)
        return self._standardised(transformed(owner_of(estimator), matrix, self.transform))

    def decode(self, z: np.ndarray) -> np.ndarray:
        """``z * scale + mean``, float64, 1-D if `y` was, and back through the transform."""
        values = self._scaler.inverse_transform(np.reshape(z, (-1, len(self.mean))))
        if self.transform is not None:
            values = TRANSFORMS[self.transform].inverse(values)
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
        config = {"kind": "number", "names": self.names, "flat": self.flat}
        if self.transform is not None:  # so the digest of a model without one stays what it was
            config["transform"] = self.transform
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
        _check_not_empty(estimator, values)
        if values.dtype.kind not in "biuf":
            raise ValueError(
                f"y of {owner} must hold numbers. Got {shown(values.ravel().tolist()[0])} in "
                f"{row_words(0)}. For labels use a classifier."
            )
        if values.ndim > 2:
            raise ValueError(
                f"y of {owner} must have one or two dimensions. Got shape {values.shape}."
            )
        return np.reshape(values, (len(values), -1)).astype(np.float64)

    def truth(self, estimator: Any, y: Any) -> np.ndarray:
        """`y` as numbers, read as in :meth:`fit`, with its columns in that order."""
        values, names = self._read(estimator, y)
        several = values.ndim == 2 and names is not None
        if not several:
            return values
        return _in_order(estimator, values, names, len(self.mean), self.names)

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


@np.errstate(invalid="ignore")  # as above
def class_target(estimator: Any, y: Any) -> ClassTarget | MultilabelTarget:
    """The kind of target that `y` is for a classifier, not yet fitted."""
    values, _ = read_target(estimator, y)
    several = values.ndim == 2 and values.shape[1] > 1
    refused = "continuous-multioutput", "unknown"
    if several and len(values) and type_of_target(values, input_name="y") in refused:
        check_classification_targets(values)
    return MultilabelTarget() if several else ClassTarget()


def target_from_state(
    config: dict[str, Any], arrays: dict[str, np.ndarray]
) -> ClassTarget | MultilabelTarget | NumberTarget:
    """The target that a ``state()`` describes, whichever kind it is."""
    kinds: dict[str, Any] = {
        "class": ClassTarget,
        "multilabel": MultilabelTarget,
        "number": NumberTarget,
    }
    return kinds[one_of("kind", "a target", config.get("kind"), kinds)].from_state(config, arrays)


def _classes(labels: np.ndarray) -> np.ndarray:
    """The different labels in order: without their blanks, if some differ in these alone."""
    different = np.unique(labels)
    if different.dtype.kind not in "OU":
        return different
    tidied = set(map(words, different.tolist()))
    if len(tidied) == len(different):
        return different
    return np.unique(np.array(list(tidied), dtype=labels.dtype))


def _label_notes(labels: np.ndarray, classes: np.ndarray) -> list[str]:
    """What to say of labels that differ in little, or stand where there is no value."""
    if classes.dtype.kind not in "OU":
        return []
    notes, known = [], set(classes.tolist())
    odd = next((label for label in labels.tolist() if label not in known), None)
    if odd is not None:
        notes.append(f"the target: blanks in labels do not count, as in {shown(odd)}.")
    by_letters: dict[str, str] = {}
    for label in classes.tolist():
        other = by_letters.setdefault(words(label).casefold(), label)
        if other != label:
            notes.append(f"the target: {shown(other)} and {shown(label)} are two classes.")
            break
    blank = next(filter(is_blank, classes.tolist()), None)
    if blank is not None:
        notes.append(f"the target: {shown(blank)} is a class as any other.")
    return notes


def _check_not_empty(estimator: Any, values: np.ndarray) -> None:
    if values.ndim == 0 or values.size == 0:
        raise ValueError(
            f"y of {owner_of(estimator)} must have at least one row. Got shape {values.shape}."
        )


def _in_order(
    estimator: Any, matrix: np.ndarray, names: list[str] | None, width: int, known: list[str] | None
) -> np.ndarray:
    """`matrix` with its columns in the order of the `known` names, where both have names."""
    owner, count = owner_of(estimator), matrix.shape[1]
    if count != width:
        raise ValueError(f"y of {owner} must have {width} columns, as before. Got {count}.")
    if names is None or known is None or len(known) == 1 or names == known:
        return matrix
    for name in known:
        if name not in names:
            raise ValueError(
                f"y of {owner} must have column {shown(name)}, as before. Got {shown(names)}."
            )
    return matrix[:, [names.index(name) for name in known]]
