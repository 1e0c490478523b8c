"""Sequences as the user has them, turned into what a network trains on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.utils.validation import validate_data

from pellucid.checks import shown
from pellucid.data.columns import owner_of, plain_array
from pellucid.data.groups import Groups
from pellucid.data.sample_weights import check_rows
from pellucid.data.sequences import Sequences
from pellucid.data.step_layout import StepLayout
from pellucid.data.table_encoder import TableEncoder
from pellucid.data.windows import Windows


class SequenceEncoder:
    """Sequences of steps of features; all steps together are a table, and encoded as one.

    So numbers are standardised, text is one-hot, and where values are missing a feature says so.

    Parameters
    ----------
    group, time : str or None
        Columns of a long table: which sequence a row belongs to, and its place there.

    Attributes
    ----------
    table : TableEncoder
        What was learned about the features.
    steps : int
        The longest sequence's steps.
    flat : bool
        Whether X had one feature, and no axis for it.
    names : list of str or None
        Of a flat table, what its columns, the steps, are called.
    series : dict or None
        Of windows of a series, how it was cut: target, time, group, steps and horizon.
    """

    table: TableEncoder
    steps: int
    flat: bool
    names: list[str] | None = None
    series: dict[str, Any] | None = None
    left_out: Sequence[tuple[int, str]] = ()  # no sequence is
    notes: Sequence[str] = ()

    def __init__(self, group: str | None = None, time: str | None = None) -> None:
        self.group, self.time = group, time

    def fit_transform(
        self,
        estimator: Any,
        X: Any,
        sample_weight: np.ndarray | None = None,
        dtype: Any = np.float32,
    ) -> np.ndarray | Sequences:
        """Learn the features; the sequences as a network takes them.

        Raises
        ------
        ValueError, TypeError
            If `X` holds no sequences, an empty one, or sequences whose features differ in number.
        """
        if isinstance(X, Windows):
            return self._fit_windows(estimator, X, sample_weight, dtype)
        table, lengths = self._table(estimator, X, learn=True)
        weights = sample_weight
        if weights is not None and len(weights) != lengths.sum():
            check_rows(estimator, len(lengths), len(weights))
            weights = np.repeat(weights, lengths)
        self.table = TableEncoder()
        self.steps = int(lengths.max())
        names = getattr(estimator, "feature_names_in_", None) if self.flat else None
        self.names = None if names is None else [str(name) for name in names]
        values = self.table.fit_transform(estimator, table, weights, dtype)
        self.name_features(estimator)
        return _arranged(values, lengths)

    def transform(self, estimator: Any, X: Any) -> np.ndarray | Sequences:
        """Further sequences as a network takes them; only flat ones must have as many steps."""
        if isinstance(X, Windows):
            if self.series and X.steps != self.steps:
                raise ValueError(
                    f"X of {owner_of(estimator)} must be windows of {self.steps} steps, as in fit. "
                    f"Got windows of {X.steps}."
                )
            return _of_windows(self.table.transform(estimator, X.table), X)
        table, lengths = self._table(estimator, X, learn=False)
        return _arranged(self.table.transform(estimator, table), lengths)

    def _fit_windows(
        self, estimator: Any, X: Windows, sample_weight: np.ndarray | None, dtype: Any
    ) -> Sequences:
        """Learn from the rows that windows cover: others may lie in the future."""
        self.table, self.flat, self.steps = TableEncoder(), False, X.steps
        self.series, self.names = X.about, None
        used = X if sample_weight is None else X[sample_weight > 0]
        seen = used.covered.astype(np.float64)
        return _of_windows(self.table.fit_transform(estimator, X.table, seen, dtype), X)

    def groups(self, estimator: Any, X: Any) -> Groups | None:
        """How the rows of a long table make up sequences; None of anything else."""
        if isinstance(X, Windows) or (self.group is None and self.time is None):
            return None
        return Groups.of(owner_of(estimator), X, self.group, self.time)

    def arrangement(self, estimator: Any, X: Any) -> StepLayout:
        """How the steps of `X` lie, for targets that are one for each step.

        Raises
        ------
        ValueError
            If `X` holds no sequences, or windows of a series.
        """
        owner = owner_of(estimator)
        if isinstance(X, Windows):
            raise ValueError(
                f"X of {owner} must be sequences where each step has a target. Got windows, whose "
                "target is what comes after them. Leave return_sequences=True out."
            )
        groups = self.groups(estimator, X)
        if groups is not None:
            return StepLayout("table", groups.lengths, groups.order)
        found = _listed(X)
        if isinstance(found, np.ndarray) and found.ndim < 3:  # the columns of a table are its steps
            rows, steps = np.shape(X) if np.ndim(X) == 2 else (0, 0)
            found = np.zeros((rows, steps, 1))
        kind = "array" if isinstance(found, np.ndarray) else "list"
        return StepLayout(kind, _all_steps(owner, found)[1])

    def _table(self, estimator: Any, X: Any, learn: bool) -> tuple[Any, np.ndarray]:
        """All steps, one after the other, as a table, and each sequence's number of steps."""
        groups = self.groups(estimator, X)
        if groups is not None:
            if learn:
                self.flat = False
            return groups.table, groups.lengths
        found = _listed(X)
        flat = isinstance(found, np.ndarray) and found.ndim < 3
        one = not learn and not self.flat and len(self.table.kinds) == 1
        if flat and one and found.size:  # such as some of a list, that happen to be as long
            found, flat = np.asarray(found)[:, :, None], False
        if not learn and flat != self.flat:
            shapes = "(rows, steps, features)", "(rows, steps)"
            raise ValueError(
                f"X of {owner_of(estimator)} must have the shape {shapes[self.flat]}, as in fit. "
                f"Got {shapes[flat]}."
            )
        self.flat = flat
        if flat:  # scikit-learn's own words for a table that is not one
            _check_numbers(owner_of(estimator), X)
            found = validate_data(
                estimator, X, reset=learn, dtype=[np.float64, np.float32],
                ensure_all_finite="allow-nan",
            )[:, :, None]  # fmt: skip
        return _all_steps(owner_of(estimator), found)

    @property
    def shape(self) -> tuple[int, int]:
        """The shape of the longest row: (steps, features)."""
        return self.steps, self.table.n_outputs

    def name_features(self, estimator: Any) -> None:
        """Set ``n_features_in_``, and ``feature_names_in_`` where there are names."""
        self.table.name_features(estimator)
        if self.flat:
            estimator.n_features_in_ = self.steps
        if self.names is not None:
            estimator.feature_names_in_ = np.asarray(self.names, dtype=object)

    def describe(self) -> list[str]:
        """What the sequences are, in words."""
        what = "windows of" if self.series else "sequences of up to"
        return [f"{what} {self.steps} steps", *self.table.describe()]

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """A map that JSON can hold, and arrays by name."""
        config, arrays = self.table.state()
        return {
            "table": config,
            "steps": self.steps,
            "flat": self.flat,
            "names": self.names,
            "series": self.series,
        }, arrays

    def from_state(self, config: dict[str, Any], arrays: dict[str, np.ndarray]) -> SequenceEncoder:
        """Take over what :meth:`state` describes."""
        self.table = TableEncoder.from_state(config["table"], arrays)
        self.steps, self.flat = int(config["steps"]), bool(config["flat"])
        self.series, self.names = config["series"], config["names"]
        return self


def _listed(X: Any) -> Any:
    """`X` as one array, or as a list of arrays, one a sequence."""
    import narwhals as nw

    if nw.dependencies.is_into_dataframe(X):
        return np.zeros((0, 0))  # rank 2, whatever its columns are
    array = plain_array(X)
    if isinstance(array, np.ndarray) and array.dtype != object:
        return array
    if isinstance(array, np.ndarray) and array.ndim != 1:
        try:
            return array.astype(np.float64)
        except (TypeError, ValueError):
            return array
    if not isinstance(array, (list, tuple, np.ndarray)):
        return np.asarray(array)
    if not len(array):
        return np.zeros((0, 0, 0))
    if _tables(array):
        return list(array)
    each = [plain_array(one) for one in array]
    if all(_rank(one) == 0 for one in each):
        return np.asarray(array)
    if all(isinstance(one, (list, tuple)) for one in each):
        try:  # lists of numbers, or of lists of them, that make up one array
            return np.asarray(array, dtype=np.float64)
        except (TypeError, ValueError):
            pass
    return each


def _all_steps(owner: str, found: Any) -> tuple[Any, np.ndarray]:
    """Of what :func:`_listed` gave, all steps as one table, and each sequence's number of them."""
    if isinstance(found, np.ndarray):
        return _from_array(owner, found)
    return (_from_tables if _tables(found) else _from_list)(owner, found)


def _rank(value: Any) -> int:
    try:
        return np.ndim(value)
    except ValueError:  # lists within it are not alike
        return 2


def _tables(arrays: Any) -> bool:
    """Whether all sequences of a list are tables."""
    import narwhals as nw

    return all(nw.dependencies.is_into_dataframe(each) for each in arrays)


def _check_numbers(owner: str, X: Any) -> None:
    """Of a table whose rows are sequences of one feature, refuse what is no number."""
    import narwhals as nw

    if not nw.dependencies.is_into_dataframe(X):
        return
    for column in nw.from_native(X, eager_only=True).iter_columns():
        dtype = column.dtype
        if not (dtype.is_numeric() or isinstance(dtype, (nw.Boolean, nw.Object))):
            raise ValueError(
                f"X of {owner} must hold numbers, one column a step, where it is a table without "
                f"group or time. Got {dtype} in column {column.name!r}. Name the columns that say "
                "which sequence a row belongs to and when it was, or cut a series into windows."
            )


def _from_tables(owner: str, tables: list[Any]) -> tuple[Any, np.ndarray]:
    """One table of all of them, columns by name, and the length of each."""
    import narwhals as nw

    frames = [nw.from_native(each, eager_only=True) for each in tables]
    names = frames[0].columns
    for position, each in enumerate(frames):
        if set(each.columns) != set(names):
            raise ValueError(
                f"sequence {position} of X of {owner} must have the columns of sequence 0, "
                f"{shown(names)}. Got {shown(each.columns)}."
            )
        if not len(each):
            raise _no_step(owner, position)
    lengths = np.array([len(each) for each in frames], dtype=np.int64)
    return nw.concat([each.select(names) for each in frames]).to_native(), lengths


def _no_step(owner: str, position: int) -> ValueError:
    return ValueError(
        f"sequence {position} of X of {owner} must have at least one step. Got none. Leave it out, "
        "and its target."
    )


def _from_array(owner: str, array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if array.ndim == 3 and not len(array):
        raise ValueError(f"X of {owner} must have at least one sequence. Got none.")
    if array.ndim != 3 or array.dtype.kind not in "biuf" or not array.size:
        raise ValueError(
            f"X of {owner} must be sequences of shape (rows, steps, features) or (rows, steps), or "
            f"a list of arrays of shape (steps, features). Got {array.dtype} of shape "
            f"{array.shape}."
        )
    rows, steps, features = array.shape
    _check_finite(owner, array.reshape(-1, features), np.full(rows, steps))
    return array.reshape(-1, features), np.full(rows, steps, dtype=np.int64)


def _from_list(owner: str, arrays: list[Any]) -> tuple[np.ndarray, np.ndarray]:
    found: list[np.ndarray] = []
    for position, each in enumerate(arrays):
        try:
            array = np.asarray(each, dtype=np.float64)
        except (TypeError, ValueError):
            array = np.asarray(each, dtype=object)
        if array.ndim == 1 and array.dtype != object:
            array = array[:, None]
        if array.ndim != 2 or array.dtype == object:
            raise ValueError(
                f"sequence {position} of X of {owner} must be numbers of shape (steps, features). "
                f"Got {shown(each) if isinstance(each, str) else type(each).__name__} of shape "
                f"{array.shape}{', not of numbers' if array.dtype == object else ''}."
            )
        if not len(array):
            raise _no_step(owner, position)
        if found and array.shape[1] != found[0].shape[1]:
            raise ValueError(
                f"sequence {position} of X of {owner} must have as many features as sequence 0, "
                f"{found[0].shape[1]}. Got {array.shape[1]}."
            )
        found.append(array)
    lengths = np.array([len(each) for each in found], dtype=np.int64)
    values = np.concatenate(found)
    _check_finite(owner, values, lengths)
    return values, lengths


def _check_finite(owner: str, values: np.ndarray, lengths: np.ndarray) -> None:
    """NaN is a missing value; an infinity is a mistake."""
    if values.dtype.kind != "f" or not np.isinf(values).any():
        return
    row, feature = np.argwhere(np.isinf(values))[0]
    ends = np.cumsum(lengths)
    sequence = int(np.searchsorted(ends, row, side="right"))
    step = int(row - (ends[sequence] - lengths[sequence]))
    raise ValueError(
        f"X of {owner} must be finite, or NaN where a value is missing. Got infinity in sequence "
        f"{sequence}, step {step}, feature {feature}."
    )


def _of_windows(values: np.ndarray, X: Windows) -> Sequences:
    lengths = np.full(len(X), X.steps, dtype=np.int64)
    return Sequences(values, X.starts, lengths, X.steps)


def _arranged(values: np.ndarray, lengths: np.ndarray) -> np.ndarray | Sequences:
    """One array where all sequences have as many steps."""
    steps = int(lengths.max())
    if (lengths == steps).all():
        return values.reshape(len(lengths), steps, -1)
    return Sequences(values, np.cumsum(lengths) - lengths, lengths, steps)
