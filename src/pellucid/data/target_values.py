"""Targets of any library as arrays of numbers, truth values or text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.sparse import issparse

from pellucid.checks import row_words, shown
from pellucid.data.column_values import (
    Column,
    is_missing,
    named,
    plain_array,
    read_values,
    series_values,
)
from pellucid.data.columns import name_that_comes_twice, owner_of


def read_target(
    estimator: Any, y: Any, written: Callable[[Any, np.ndarray], np.ndarray] | None = None
) -> tuple[np.ndarray, list[str] | None]:
    """`y` as an array of numbers, truth values or text (dtype object), and its columns' names.

    `written`, where it is given, makes numbers of a column of text; it also gets the name of a
    column of a DataFrame, or else its position. None, complex numbers, and values that are missing
    or infinite are a ValueError; labels that are neither all text nor all numbers are a TypeError.
    """
    import narwhals as nw

    owner = owner_of(estimator)
    names: list[str] | None = None
    columns: list[np.ndarray] | None = None
    if y is None:
        raise ValueError(
            f"This {owner} estimator requires y to be passed, but the target y is None."
        )
    if nw.dependencies.is_into_dataframe(y):
        twice = name_that_comes_twice(y)
        if twice is not None:
            raise ValueError(
                f"Column names of y of {owner} must differ. Got {shown(twice)} twice. Rename one."
            )
        frame = nw.from_native(y, eager_only=True)
        names = [str(name) for name in frame.columns]
        columns = [_series_labels(owner, series) for series in frame.iter_columns()]
    elif isinstance(y, Mapping) and not issparse(y):
        names = [str(name) for name in y]
        columns = [read_target(estimator, column)[0] for column in y.values()]
        _check_alike(owner, names, columns)
    if columns is not None and names is not None:
        if written is not None:
            parts = zip(names, columns, strict=True)
            columns = [written(name, x) if is_text(x) else x for name, x in parts]
        same = len({labels.dtype.kind in "OU" for labels in columns}) == 1
        values = np.column_stack(columns if same else [labels.astype(object) for labels in columns])
    elif nw.dependencies.is_into_series(y):
        series = nw.from_native(y, series_only=True)
        names = [str(series.name)] if series.name not in (None, "") else None
        values = _series_labels(owner, series)
    else:
        if issparse(y):
            y = y.toarray()
        values = _listed_labels(y) if isinstance(y, (list, tuple, range)) else plain_array(y)
        if not isinstance(values, np.ndarray):
            raise ValueError(f"y of {owner} must be a list or an array. Got {shown(y)}.")
    if values.dtype.kind == "u" and values.size and values.max() >= 2**63:
        raise too_large(owner, values.max())
    if values.dtype.kind == "c":
        raise ValueError("Complex data not supported in y.")
    if values.dtype.kind == "T":
        values = values.astype(object)
    if values.dtype.kind == "O":
        values = _uniform(owner, values)
    if written is not None and is_text(values):
        rows = np.reshape(values, (len(values), -1))
        read = np.column_stack([written(i, column) for i, column in enumerate(rows.T)])
        values = read.reshape(values.shape)
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        place = np.argwhere(~np.isfinite(values))[0]
        raise no_value(owner, float(values[tuple(place)]), int(place[0]))
    if values.dtype.kind in "mMV":
        raise TypeError(
            f"y of {owner} must hold numbers or text. Got {values.dtype}. Convert it first."
        )
    return values, names


def _check_alike(owner: str, names: Sequence[str], columns: Sequence[np.ndarray]) -> None:
    """Refuse a map of columns that are not equally long lists."""
    for name, column in zip(names, columns, strict=True):
        if column.ndim != 1 or len(column) != len(columns[0]):
            raise ValueError(
                f"y of {owner} must be columns of one length, where it is a map. Got shape "
                f"{columns[0].shape} in {shown(names[0])} and {column.shape} in {shown(name)}."
            )


def _series_labels(owner: str, series: Any) -> np.ndarray:
    """A column's labels in the column's own type, or in that of its categories."""
    import narwhals as nw

    wide = "128" in str(series.dtype)  # integers that NumPy has no type for
    native = None if wide else named("y", plain_array, series.to_native())
    if isinstance(native, np.ndarray) and native.dtype.kind in "biu":
        return native  # int64 labels must come back as int64, however large
    if isinstance(series.dtype, (nw.Categorical, nw.Enum)):
        return _column_labels(owner, named("y", lambda: read_values(series.to_list())))
    return _column_labels(owner, named("y", series_values, series))


def _listed_labels(y: Sequence[Any]) -> np.ndarray:
    y = [plain_array(label) for label in y]
    array = np.asarray(y)
    mixed = array.ndim == 1 and not all(isinstance(label, str) for label in y)
    return np.array(y, dtype=object) if array.dtype.kind == "U" and mixed else array


def _column_labels(owner: str, column: Column) -> np.ndarray:
    if column.missing.any():
        row = int(np.argmax(column.missing))
        raise no_value(owner, column.values[row] if column.kind == "text" else np.nan, row)
    if column.kind == "time":
        raise no_dates(owner)
    if column.kind == "boolean":
        return column.values.astype(bool)
    values = column.values
    return values.astype(np.int64) if column.kind == "number" and are_whole(values) else values


def are_whole(values: np.ndarray) -> bool:
    """Whether numbers are integers that are exact, and labels as such."""
    return bool((values == np.floor(values)).all() and np.abs(values).max(initial=0) < 2**53)


def _uniform(owner: str, values: np.ndarray) -> np.ndarray:
    """An object array as text, truth values or numbers, if all its values are of that kind."""
    flat = values.ravel().tolist()
    for index, value in enumerate(flat):
        if is_missing(value):
            raise no_value(owner, value, index // max(1, values[0].size if values.ndim > 1 else 1))
    types = set(map(type, flat))
    if all(issubclass(kind, str) for kind in types):
        return values
    for allowed, dtype in (
        ((bool, np.bool_), np.bool_),
        ((int, np.integer, bool, np.bool_), np.int64),
        ((int, float, np.number, bool, np.bool_), np.float64),
    ):
        if all(issubclass(kind, allowed) for kind in types):
            try:
                return values.astype(dtype)
            except OverflowError:
                large = next(label for label in flat if abs(label) >= 2**63)
                raise ValueError(
                    f"y of {owner} must hold integers of at most 64 bits. Got {shown(large)}. "
                    "Convert them to text."
                ) from None
    if len(types) == 1 and issubclass(next(iter(types)), (complex, np.complexfloating)):
        raise ValueError("Complex data not supported in y.")
    raise several_types(owner, {kind.__name__ for kind in types})


def is_text(values: np.ndarray) -> bool:
    """Whether a target holds text alone."""
    return values.dtype.kind in "OU" and all(isinstance(value, str) for value in values.flat)


def several_types(owner: str, types: set[str]) -> TypeError:
    """The error for labels of these types."""
    return TypeError(
        f"Unknown label type: y of {owner} must hold labels of one type, all text or all numbers. "
        f"Got {' and '.join(sorted(types))}. Convert them to text."
    )


def no_dates(owner: str) -> TypeError:
    """The error for dates in the place of labels."""
    return TypeError(f"y of {owner} must hold numbers or text. Got dates. Convert them first.")


def too_large(owner: str, value: Any) -> ValueError:
    """The error for an integer without a sign that is none with one."""
    return ValueError(
        f"y of {owner} must hold integers below 2^63. Got {shown(value)}. Convert them to text."
    )


def no_value(owner: str, value: Any, row: int) -> ValueError:
    """The error for a value that is missing or infinite."""
    infinite = isinstance(value, float) and np.isinf(value)
    must = "be finite" if infinite else "have a value in every row"
    return ValueError(
        f"y of {owner} must {must}. Got {value} in {row_words(row)}. Leave such rows out."
    )


def check_not_empty(estimator: Any, values: Any) -> None:
    if values.ndim == 0 or 0 in values.shape:
        raise ValueError(
            f"y of {owner_of(estimator)} must have at least one row. Got shape {values.shape}."
        )


def in_order(
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
