"""A long table, one row a step, taken apart into sequences."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from pellucid.checks import shown, suggestion
from pellucid.data.columns import check_finite, label
from pellucid.data.times import moment


@dataclass(frozen=True)
class Groups:
    """The rows of a long table in order: group by group, and in each by time.

    Parameters
    ----------
    table : DataFrame
        The features, in that order.
    order : int64 ndarray of shape (rows,)
        Which row of the table as it came each is.
    labels : list
        What each group is called, in the order in which they first come.
    lengths : int64 ndarray of shape (groups,)
    when : int64 ndarray of shape (rows,), optional
        Where a column tells the time, each row's place among all times.
    """

    table: Any
    order: np.ndarray
    labels: list[Any]
    lengths: np.ndarray
    when: np.ndarray | None = None

    @classmethod
    def of(cls, owner: str, X: Any, group: str | None, time: str | None) -> Self:
        """Take `X` apart by its columns `group` and `time`.

        Raises
        ------
        ValueError, TypeError
            If a column is missing, a group has no name or a row no time, or two rows of a group
            have the same time.
        """
        import narwhals as nw

        if not nw.dependencies.is_into_dataframe(X):
            raise TypeError(
                f"X of {owner} must be a DataFrame where group or time is given. Got "
                f"{type(X).__name__}."
            )
        frame = nw.from_native(X, eager_only=True)
        for name, column in (("group", group), ("time", time)):
            if column is not None and column not in frame.columns:
                raise ValueError(
                    f"{name} of {owner} must be a column of X. Got {shown(column)}."
                    f"{suggestion(column, frame.columns)}"
                )
        codes, labels = _codes(owner, frame, group)
        order, when = np.argsort(codes, kind="stable"), None
        if time is not None:
            order, when = _in_time(owner, frame[time], codes, time)
            when = when[order]
        features = frame.drop([name for name in (group, time) if name is not None])
        _check_finite(owner, features)
        if not features.columns:
            raise ValueError(
                f"X of {owner} must have features beside group and time. Got none. Add a column."
            )
        lengths = np.bincount(codes, minlength=len(labels)).astype(np.int64)
        return cls(features[order.tolist()].to_native(), order, labels, lengths, when)


def _check_finite(owner: str, features: Any) -> None:
    """Refuse infinities while rows are where the user has them."""
    for column in features.iter_columns():
        if column.dtype.is_float():
            values = np.asarray(column.to_numpy(), dtype=np.float64)[:, None]
            check_finite(owner, values, functools.partial(label, [column.name]))


def _absent(value: Any) -> bool:
    """Whether it is None, NaN, or what else stands for a value that is not there."""
    return value is None or type(value).__name__ in ("NAType", "NaTType") or value != value


def _codes(owner: str, frame: Any, group: str | None) -> tuple[np.ndarray, list[Any]]:
    """Each row's group by number, and what the groups are called."""
    if not len(frame):
        raise ValueError(f"X of {owner} must have at least one row. Got none.")
    if group is None:
        return np.zeros(len(frame), dtype=np.int64), [None]
    values = frame[group].to_list()
    place: dict[Any, int] = {}
    for row, value in enumerate(values):
        if _absent(value):
            raise ValueError(
                f"column {group!r} of X of {owner} must name the sequence of every row. Got "
                f"{shown(value)} in row {row}."
            )
        place.setdefault(value, len(place))
    return np.array([place[value] for value in values], dtype=np.int64), list(place)


def _in_time(
    owner: str, column: Any, codes: np.ndarray, name: str
) -> tuple[np.ndarray, np.ndarray]:
    """The rows group by group and in time, and each row's place among all times."""
    values = column.to_list()
    read = [None if _absent(value) else moment(value) for value in values]
    for row, (value, found) in enumerate(zip(values, read, strict=True)):
        if _absent(value):
            raise ValueError(
                f"column {name!r} of X of {owner} must say when every row was. Got "
                f"{shown(value)} in row {row}."
            )
        if found is None:
            raise ValueError(
                f"column {name!r} of X of {owner} must hold numbers, or dates with the year first, "
                f"such as 2026-11-23. Got {shown(value)} in row {row}. Convert it first."
            )
    try:
        ranks = {value: rank for rank, value in enumerate(sorted(set(read)))}  # type: ignore[type-var]
    except TypeError:
        raise TypeError(
            f"column {name!r} of X of {owner} must hold numbers, or dates, all with a time zone or "
            "all without. Got values of several types."
        ) from None
    when = np.array([ranks[value] for value in read], dtype=np.int64)
    order = np.lexsort((when, codes))
    twice = (np.diff(codes[order]) == 0) & (np.diff(when[order]) == 0)
    if twice.any():
        first = int(np.flatnonzero(twice)[0])
        rows = sorted(int(each) for each in order[first : first + 2])
        raise ValueError(
            f"column {name!r} of X of {owner} must have each time once in a sequence. Got "
            f"{shown(values[rows[0]])} in rows {rows[0]} and {rows[1]}. Leave one out, or name the "
            "sequences with group."
        )
    return order, when
