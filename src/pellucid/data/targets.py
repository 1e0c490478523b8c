"""What is to be predicted: labels, sets of labels, or numbers, turned into codes and back."""

from __future__ import annotations

import warnings
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
from pellucid.data.target_values import is_text, read_target
from pellucid.data.text_columns import decide, is_blank
from pellucid.data.text_format import words

_FEWEST = 20  # rows: fewer may well be all different
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
    format: NumberFormat | None = None


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
        owner, given = owner_of(estimator), self._given(estimator, y)
        labels = _tidied(given)
        self.notes = _label_notes(given, labels)
        if sample_weight is not None:
            check_rows(estimator, len(sample_weight), len(labels))
        if classes is not None:
            self.classes = np.unique(self._labels(estimator, classes))
            if len(self.classes) < 2:
                expected = "at least two labels"
                raise ValueError(fault("classes", owner, expected, self.classes.tolist()))
            return self._codes(owner, labels)
        heavy = labels if sample_weight is None else labels[sample_weight > 0]
        different = np.unique(heavy)
        if len(different) < 2:
            where = " in rows of positive sample_weight" if len(heavy) < len(labels) else ""
            raise ValueError(
                f"y of {owner} must have at least two classes. Got one class, "
                f"{shown(different.tolist()[0])}{where}. Add rows of another class."
            )
        self.classes = different
        codes, known = self._positions(labels)
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
        return _tidied(self._given(estimator, y))

    def _given(self, estimator: Any, y: Any) -> np.ndarray:
        """The labels of `y` as they stand there."""
        values, _ = read_target(estimator, y)
        labels = column_or_1d(values, warn=True)
        _check_not_empty(estimator, labels)
        if labels.dtype.kind == "f" and (fractions := labels != np.floor(labels)).any():
            row = int(np.argmax(fractions))
            raise ValueError(  # it begins as scikit-learn asks of all classifiers
                f"Unknown label type: y of {owner_of(estimator)} must hold classes, not numbers "
                f"with fractions. Got {shown(labels[row])} in {row_words(row)}. Use a regressor, "
                "or make text of them."
            )
        with np.errstate(invalid="ignore"), warnings.catch_warnings():
            # it asks of 1e30 whether it is a whole number, and warns where notes tell the same
            warnings.filterwarnings("ignore", "The number of unique classes is greater")
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
    format : NumberFormat or None
        How the numbers are written, if `y` was text.
    notes : list of str
        Sentences to show to the user about the target.
    """

    names: list[str] | None
    flat: bool
    format: NumberFormat | None = None

    def __init__(self, transform: str | None = None) -> None:
        self.transform = transform
        self.notes: list[str] = []

    def fit(self, estimator: Any, y: Any, sample_weight: np.ndarray | None = None) -> np.ndarray:
        """Learn mean and scale; return the standardised `y`, float64 of shape (rows, columns).

        A value that is missing, infinite or no number is a ValueError.
        """
        values, self.names = read_target(estimator, y)
        self.format = number_format(values)
        matrix = self._matrix(estimator, values)
        if sample_weight is not None:
            check_rows(estimator, len(sample_weight), len(matrix))
        self.flat = values.ndim == 1
        self.notes = [] if self.transform else skewed_note(matrix, self.names)
        if self.format is not None:
            self.notes.insert(0, f"the target: {self.format.words}, written as text.")
        for column in matrix.T:
            if (value := stand_in(column)) is not None:
                self.notes.append(
                    f"the target: {value:g} in {int((column == value).sum()):,} rows, far from all "
                    "others: if that means that there is no value, leave these rows out."
                )
        if len(matrix) > 1 and (matrix == matrix[0]).all():
            self.notes.append("the target: the same in all rows, so there is nothing to learn.")
        self._scaler = Standardiser().fit(matrix, sample_weight)
        return self._standardised(matrix)

    def encode(self, estimator: Any, y: Any) -> np.ndarray:
        """Further rows, standardised as in :meth:`fit`."""
        values, names = read_target(estimator, y)
        matrix = self._matrix(estimator, values)
        matrix = _in_order(estimator, matrix, names, len(self.mean), self.names)
        return self._standardised(matrix)

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
        if self.format is not None:
            config["format"] = msgspec.to_builtins(self.format)
        return config, self._scaler.arrays()

    @classmethod
    def from_state(cls, config: dict[str, Any], arrays: dict[str, np.ndarray]) -> NumberTarget:
        """The target that :meth:`state` describes."""
        state = _NumberState.of(config, "the target")
        self = cls(state.transform)
        self.names, self.flat, self.format = state.names, state.flat, state.format
        columns = 1 if self.flat else np.size(arrays.get("mean", ()))
        check_names("the targets", self.names, columns)
        self._scaler = Standardiser.from_arrays(arrays, columns)
        return self

    def _standardised(self, matrix: np.ndarray) -> np.ndarray:
        out = np.empty(matrix.shape)
        self._scaler.transform(matrix, out, silence=False)
        return out

    def _matrix(self, estimator: Any, values: np.ndarray) -> np.ndarray:
        owner = owner_of(estimator)
        _check_not_empty(estimator, values)
        if is_text(values) and self.format is not None:
            values = self._written(owner, values, self.format)
        if values.dtype.kind not in "biuf":
            raise ValueError(
                f"y of {owner} must hold numbers. Got {shown(values.ravel().tolist()[0])} in "
                f"{row_words(0)}. For labels use a classifier."
            )
        if values.ndim > 2:
            raise ValueError(
                f"y of {owner} must have one or two dimensions. Got shape {values.shape}."
            )
        matrix = np.reshape(values, (len(values), -1)).astype(np.float64)
        return transformed(owner, matrix, self.transform)

    def truth(self, estimator: Any, y: Any) -> Any:
        """`y` as numbers, if it is text as it was in fit; anything else as it is."""
        values, _ = read_target(estimator, y)
        if not is_text(values):
            return y
        return self._written(owner_of(estimator), values, self.format or NumberFormat())

    def _written(self, owner: str, values: np.ndarray, form: NumberFormat) -> np.ndarray:
        """Numbers that are written as text; a text that is none is a ValueError."""
        texts = values.ravel().tolist()
        numbers = form.read(texts)
        if np.isnan(numbers).any():
            place = int(np.flatnonzero(np.isnan(numbers))[0])
            row = place // max(1, values.size // len(values))
            raise ValueError(
                f"y of {owner} must hold {form.words}. Got {shown(texts[place])} in "
                f"{row_words(row)}. Leave such rows out."
            )
        return numbers.reshape(values.shape)


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


def _tidied(labels: np.ndarray) -> np.ndarray:
    """Labels without blanks around them, with single ones between words."""
    if labels.dtype.kind not in "OU":
        return labels
    texts = list(map(words, labels.tolist()))
    return labels if texts == labels.tolist() else np.array(texts, dtype=labels.dtype)


def _label_notes(given: np.ndarray, labels: np.ndarray) -> list[str]:
    """What to say of labels that are many, differ in little, or stand where there is no value."""
    notes, count = [], len(np.unique(labels))
    if len(labels) >= _FEWEST and 2 * count > len(labels):
        notes.append(
            f"the target: {count:,} different labels in {len(labels):,} rows: if it is numbers or "
            "dates, write them all alike, and take it for numbers."
        )
    if labels.dtype.kind not in "OU":
        return notes
    if labels is not given:
        odd = given[given != labels].tolist()[0]
        notes.append(f"the target: blanks in labels do not count, as in {shown(odd)}.")
    different = dict.fromkeys(labels.tolist())
    by_letters: dict[str, str] = {}
    for label in different:
        other = by_letters.setdefault(label.casefold(), label)
        if other != label:
            notes.append(f"the target: {shown(other)} and {shown(label)} are two classes.")
            break
    blank = next(filter(is_blank, different), None)
    if blank is not None:
        notes.append(f"the target: {shown(blank)} is a class as any other.")
    return notes


def number_format(values: np.ndarray) -> NumberFormat | None:
    """How the numbers of a target are written, if it is text that is numbers in nearly all rows."""
    form = decide(values.ravel().tolist()).format if is_text(values) else None
    return form if isinstance(form, NumberFormat) else None


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
