"""What is to be predicted, turned into codes and back: labels and sets of labels."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import column_or_1d

from pellucid.checks import fault, one_of, row_words, shown, suggestion
from pellucid.data.columns import owner_of
from pellucid.data.number_target import NumberTarget
from pellucid.data.sample_weights import check_rows
from pellucid.data.state import Count, State, check_arrays, check_names
from pellucid.data.target_values import check_not_empty, in_order, read_target
from pellucid.data.text_columns import is_blank
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
        check_not_empty(estimator, labels)
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
        return in_order(estimator, codes, names, self.count, self.names)

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
        check_not_empty(estimator, values)
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
    """What to say of labels that are many, differ in little, or stand where there is no value."""
    notes, known = [], set(classes.tolist())
    if len(labels) >= _FEWEST and 2 * len(classes) > len(labels):
        notes.append(
            f"the target: {len(classes):,} different labels in {len(labels):,} rows: if it is "
            "numbers or dates, write them all alike, and take it for numbers."
        )
    if classes.dtype.kind not in "OU":
        return notes
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
