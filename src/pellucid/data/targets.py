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
from pellucid.data.coding import Coding
from pellucid.data.columns import owner_of
from pellucid.data.number_target import NumberTarget
from pellucid.data.sample_weights import check_rows
from pellucid.data.state import Count, State, check_arrays, check_names
from pellucid.data.target_parts import TargetParts
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
        return self.learn_from(estimator, y, sample_weight, classes)[:]

    def learn_from(
        self, estimator: Any, y: Any, sample_weight: Any = None, classes: Any = None
    ) -> TargetParts:
        """:meth:`fit` of a `y` that may not be in memory; the codes are read by slices of rows.

        So may the weights be.
        """
        owner, labels = owner_of(estimator), self._given(estimator, y)
        if sample_weight is not None:
            check_rows(estimator, len(sample_weight), len(labels))
        if classes is not None:
            self.classes = _classes(self._given(estimator, classes)[:])
            if len(self.classes) < 2:
                expected = "at least two labels"
                raise ValueError(fault("classes", owner, expected, self.classes.tolist()))
        else:
            used, count = _different(labels, sample_weight)
            different = _classes(used)
            if len(different) < 2:
                where = " in rows of positive sample_weight" if count < len(labels) else ""
                raise ValueError(
                    f"y of {owner} must have at least two classes. Got one class, "
                    f"{shown(different.tolist()[0])}{where}. Add rows of another class."
                )
            self.classes, self.notes = different, _label_notes(used, count, different)
        spelled = self._spellings()

        def codes(rows: slice, given: np.ndarray) -> np.ndarray:
            own = self._spelled(given, spelled)
            if classes is not None:
                return self._codes(owner, own)
            places, known = self._positions(own)
            return np.where(known, places, 0)

        return labels.changed(labels.shape, np.int64, codes)

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
        return self._spelled(self._given(estimator, y)[:], self._spellings())

    def _spellings(self) -> dict[str, str]:
        """How texts are spelled among the classes, whatever blanks are in them."""
        text = self.classes.dtype.kind in "OU"
        return {words(label): label for label in self.classes.tolist()} if text else {}

    def _spelled(self, given: np.ndarray, known: dict[str, str]) -> np.ndarray:
        """Labels as they are spelled among the classes."""
        if given.dtype.kind not in "OU" or not known:
            return given
        spelled = {label: known.get(words(label), label) for label in set(given.tolist())}
        if all(label == other for label, other in spelled.items()):
            return given
        return np.array([spelled[label] for label in given.tolist()], dtype=object)

    def _given(self, estimator: Any, y: Any) -> TargetParts:
        """The labels of `y` as they stand there."""
        values = TargetParts.of(estimator, y)
        if values.scratch is None:
            labels = TargetParts.in_memory(column_or_1d(values[:], warn=True))
        else:
            labels = values.changed((len(values),), values.dtype, lambda _, part: part.ravel())
        check_not_empty(estimator, labels)
        for _, part in labels if labels.scratch is None or labels.dtype.kind == "f" else ():
            self._check_labels(estimator, part)
        return labels

    @staticmethod
    def _check_labels(estimator: Any, labels: np.ndarray) -> None:
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

    def _positions(self, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if (labels.dtype.kind in "OU") != (self.classes.dtype.kind in "OU"):
            return np.zeros(len(labels), dtype=np.int64), np.zeros(len(labels), dtype=bool)
        given, back = labels, None
        if labels.dtype.kind in "OU":  # each different text is looked for once
            coding = Coding.of(labels.tolist())
            given, back = np.array(coding.texts, dtype=labels.dtype), coding.codes
        codes = np.minimum(np.searchsorted(self.classes, given), len(self.classes) - 1)
        known = self.classes[codes] == given
        return (codes, known) if back is None else (codes[back], known[back])

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
        return self.learn_from(estimator, y, sample_weight, classes)[:]

    def learn_from(
        self, estimator: Any, y: Any, sample_weight: Any = None, classes: Any = None
    ) -> TargetParts:
        """:meth:`fit` of a `y` that may not be in memory; the codes are read by slices of rows."""
        values = TargetParts.of(estimator, y)
        check_not_empty(estimator, values)
        for _, part in values:
            self._check(estimator, part)
        self.names = values.names
        if sample_weight is not None:
            check_rows(estimator, len(sample_weight), len(values))
        self.count, self.dtype = values.shape[1], values.dtype
        return values.changed(values.shape, np.int64, lambda _, part: part.astype(np.int64))

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
    values = TargetParts.of(estimator, y)
    several = values.ndim == 2 and values.shape[1] > 1
    refused = "continuous-multioutput", "unknown"
    for _, part in values if several and len(values) else ():
        if type_of_target(part, input_name="y") in refused:
            check_classification_targets(part)
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


def _different(labels: TargetParts, weights: Any) -> tuple[np.ndarray, int]:
    """The different labels of the rows that have weight, and how many rows these are.

    Texts are in the order in which they first come.
    """
    texts, numbers, count = dict[str, None](), list[np.ndarray](), 0
    for _, values, used in labels.used(weights):
        own = values[used]
        count += len(own)
        if own.dtype.kind in "OU":
            texts |= dict.fromkeys(own.tolist())
        else:
            numbers.append(np.unique(own))
    if labels.dtype.kind in "OU":
        return np.array(list(texts), dtype=labels.dtype), count
    return np.unique(np.concatenate(numbers)), count


def _label_notes(labels: np.ndarray, rows: int, classes: np.ndarray) -> list[str]:
    """What to say of labels that are many, differ in little, or stand where there is no value.

    `labels` are the different ones of so many rows.
    """
    notes, known = [], set(classes.tolist())
    if rows >= _FEWEST and 2 * len(classes) > rows:
        notes.append(
            f"the target: {len(classes):,} different labels in {rows:,} rows: if it is "
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
