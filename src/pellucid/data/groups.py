"""A long table, one row a step, split into sequences."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from pellucid.checks import row_words, shown, suggestion
from pellucid.data.column_values import is_missing, named, plain_array, series_numbers
from pellucid.data.columns import check_finite, label, unique_columns
from pellucid.data.layout import Layout
from pellucid.data.times import moment


@dataclass(frozen=True)
class Groups(Layout):
    """The rows of a long table in order: group by group, and by time within a group.

    As a layout it has a row for each group; y may also have an entry for each row of the table, the
    same in all rows of a group.

    Parameters
    ----------
    table : DataFrame
        The features, in that order.
    order : int64 ndarray of shape (rows,)
        The position of each of these rows in X.
    labels : list
        The groups' names, in the order in which they first come.
    lengths : int64 ndarray of shape (groups,)
    when : int64 ndarray of shape (rows,), optional
        Where a column tells the time, each row's place among all times.
    index : pandas Index, optional
        The index of X, if it is a pandas DataFrame whose rows are not just numbered.
    """

    table: Any
    order: np.ndarray
    labels: list[Any]
    lengths: np.ndarray
    when: np.ndarray | None = None
    index: Any = None

    @classmethod
    def of(cls, owner: str, X: Any, group: str | None, time: str | None) -> Self:
        """Split `X` by its columns `group` and `time`.

        A column that is not there, a row without a name or a time, and two rows of a group at the
        same time are a ValueError or TypeError.
        """
        import narwhals as nw

        if not nw.dependencies.is_into_dataframe(X):
            raise TypeError(
                f"X of {owner} must be a DataFrame where group or time is given. Got "
                f"{type(X).__name__}."
            )
        frame = unique_columns(owner, X)
        for role, name in (("group", group), ("time", time)):
            if name is not None and not (isinstance(name, str) and name in frame.columns):
                raise ValueError(
                    f"{role} of {owner} must be a column of X. Got {shown(name)}."
                    f"{suggestion(name, frame.columns)}"
                )
        codes, labels = _codes(owner, frame, group)
        order, when = np.argsort(codes, kind="stable"), None
        if time is not None:
            order, when = _in_time(owner, frame[time], codes, time)
            when = when[order]
        features = frame.drop([name for name in (group, time) if name is not None])
        for column in features.iter_columns():  # here, where rows have their positions in X
            if column.dtype.is_float():
                values = named(label([column.name], 0), series_numbers, column)[:, None]
                check_finite(owner, values, functools.partial(label, [column.name]))
        if not features.columns:
            raise ValueError(
                f"X of {owner} must have features beside group and time. Got none. Add a column."
            )
        lengths = np.bincount(codes, minlength=len(labels)).astype(np.int64)
        table = features[order.tolist()].to_native()
        return cls(table, order, labels, lengths, when, _index(X))

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def names(self) -> list[Any]:
        return self.labels

    def flatten(self, name: str, values: Any) -> Any:
        """One entry for each group, of entries for groups in order or by name, or for rows."""
        if values is None:
            return None
        array, index, labels = plain_array(values), _index(values), self.labels
        count, rows = len(array), len(self.order)
        by_row = index is None or count != len(labels) or index.equals(self.index)
        if count == rows and by_row:
            return self._one_of_each(name, np.asarray(array))
        if count != len(labels):
            raise ValueError(
                f"{name} must have one entry for each of the {len(labels)} sequences, or for each "
                f"of the {rows} rows of X. Got {count}."
            )
        known = set(labels) & set(() if index is None else index)
        if not known:
            return values
        if len(known) < len(labels):
            unnamed = next(label for label in labels if label not in known)
            raise ValueError(
                f"the index of {name} must name every sequence, or none. Got "
                f"{shown(next(iter(known)))} but not {shown(unnamed)}. With its to_numpy() it is "
                "taken in the order in which sequences first come."
            )
        return values.loc[labels]

    def _one_of_each(self, name: str, values: np.ndarray) -> np.ndarray:
        """One entry for each group, of one for each row of the table."""
        if values.dtype == object:  # pandas' NA cannot be compared
            missing = [is_missing(value) for value in values.ravel().tolist()]
            values = values.copy()
            values[np.reshape(missing, values.shape)] = None
        ends = np.cumsum(self.lengths)
        begins = ends - self.lengths
        for group, begin, end in zip(self.labels, begins, ends, strict=True):
            entries = values[self.order[begin:end]]
            first = entries[0]
            both_nan = (entries != entries) & (first != first)  # refused later, as a missing target
            differs = ((entries != first) & ~both_nan).reshape(len(entries), -1).any(axis=1)
            if differs.any():
                raise ValueError(
                    f"{name} must be the same in all rows of a sequence. Got {shown(first)} and "
                    f"{shown(entries[np.argmax(differs)])} in {shown(group)}. For one in each row "
                    "pass return_sequences=True."
                )
        return values[self.order[begins]]


def _index(values: Any) -> Any:
    """The index of a pandas Series or DataFrame, None if it only numbers the rows."""
    import narwhals as nw

    if not (
        nw.dependencies.is_pandas_series(values) or nw.dependencies.is_pandas_dataframe(values)
    ):
        return None
    return None if type(values.index).__name__ == "RangeIndex" else values.index


def _codes(owner: str, frame: Any, group: str | None) -> tuple[np.ndarray, list[Any]]:
    """Each row's group by number, and what the groups are called."""
    if not len(frame):
        raise ValueError(f"X of {owner} must have at least one row. Got none.")
    if group is None:
        return np.zeros(len(frame), dtype=np.int64), [None]
    values = named(label([group], 0), frame[group].to_list)
    place: dict[Any, int] = {}
    for position, value in enumerate(values):
        if is_missing(value):
            raise ValueError(
                f"column {shown(group)} of X of {owner} must name the sequence of every row. Got "
                f"{shown(value)} in {row_words(position)}."
            )
        try:
            place.setdefault(value, len(place))
        except (TypeError, ValueError, OverflowError) as error:  # a list, or an endless duration
            raise TypeError(
                f"column {shown(group)} of X of {owner} must hold text, numbers or dates. Got "
                f"{shown(value)} in {row_words(position)}."
            ) from error
    return np.array([place[value] for value in values], dtype=np.int64), list(place)


def _in_time(
    owner: str, column: Any, codes: np.ndarray, name: str
) -> tuple[np.ndarray, np.ndarray]:
    """The order of rows, group by group and in time, and each row's place among all times."""
    values = named(label([name], 0), column.to_list)
    read = [None if is_missing(value) else moment(value) for value in values]
    for position, (value, time) in enumerate(zip(values, read, strict=True)):
        if is_missing(value):
            raise ValueError(
                f"column {shown(name)} of X of {owner} must say when every row was. Got "
                f"{shown(value)} in {row_words(position)}."
            )
        if time is None:
            raise ValueError(
                f"column {shown(name)} of X of {owner} must hold numbers, or dates with the year "
                f"first, such as 2026-11-23. Got {shown(value)} in {row_words(position)}. Convert "
                "it first."
            )
    try:
        ranks = {value: rank for rank, value in enumerate(sorted(set(read)))}  # type: ignore[type-var]
    except TypeError:
        raise TypeError(
            f"column {shown(name)} of X of {owner} must hold numbers, or dates, all with a time "
            "zone or all without. Got values of several types."
        ) from None
    when = np.array([ranks[value] for value in read], dtype=np.int64)
    order = np.lexsort((when, codes))
    twice = (np.diff(codes[order]) == 0) & (np.diff(when[order]) == 0)
    if twice.any():
        first = int(np.flatnonzero(twice)[0])
        rows = sorted(order[first : first + 2].tolist())
        raise ValueError(
            f"column {shown(name)} of X of {owner} must have each time once in a sequence. Got "
            f"{shown(values[rows[0]])} in {row_words(*rows)}. Leave one out, or name the sequences "
            "with group."
        )
    return order, when
