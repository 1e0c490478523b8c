"""A long table, one row a step, split into sequences."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import numpy as np

from pellucid.checks import row_words, shown, suggestion
from pellucid.data.column_values import is_missing, named, plain_array, series_numbers
from pellucid.data.columns import check_finite, label, unique_columns
from pellucid.data.layout import Layout
from pellucid.data.times import TimeFormat, Times


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
    times : Times, optional
        The column of times, in the rows' order in X.
    """

    table: Any
    order: np.ndarray
    labels: list[Any]
    lengths: np.ndarray
    when: np.ndarray | None = None
    index: Any = None
    times: Times | None = None

    @classmethod
    def of(
        cls,
        owner: str,
        X: Any,
        group: str | None,
        time: str | None,
        known: TimeFormat | None = None,
        decided: bool = False,
    ) -> Self:
        """Split `X` by its columns `group` and `time`, which may be levels of a pandas index.

        Times that are text are read by a `known` format, or else as the whole column tells; where
        it is `decided` that they are written as is known, the column is not asked.

        A column that is not there, a row without a name or a time, and two rows of a group at the
        same time are a ValueError or TypeError.
        """
        import narwhals as nw

        if not nw.dependencies.is_into_dataframe(X):
            raise TypeError(
                f"X of {owner} must be a DataFrame where group or time is given. Got "
                f"{type(X).__name__}."
            )
        index = index_of(X)
        X, group, time, _ = from_index(owner, X, group, time)
        frame = unique_columns(owner, X)
        for role, name in (("group", group), ("time", time)):
            if name is not None and not (isinstance(name, str) and name in frame.columns):
                raise ValueError(
                    f"{role} of {owner} must be a column of X. Got {shown(name)}."
                    f"{suggestion(name, frame.columns)}"
                )
        codes, labels = _codes(owner, frame, group)
        order, when, times = np.argsort(codes, kind="stable"), None, None
        if time is not None:
            what = f"column {shown(time)} of X of {owner}"
            values = named(label([time], 0), time_values, frame[time])
            times = Times.of(what, values, known, decided)
            order, when = _in_time(what, times, codes)
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
        return cls(table, order, labels, lengths, when, index, times)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def names(self) -> list[Any]:
        return self.labels

    def flatten(self, name: str, values: Any) -> Any:
        """One entry for each group, of entries for groups in order or by name, or for rows."""
        if values is None:
            return None
        array, index, labels = plain_array(values), index_of(values), self.labels
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


def index_of(values: Any) -> Any:
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
    place: dict[Any, int] = {}
    values = named(label([group], 0), frame[group].to_list)
    return np.array(coded(owner, group, values, place), dtype=np.int64), list(place)


def coded(owner: str, group: str, values: Iterable[Any], codes: dict[Any, int]) -> list[int]:
    """The number of each name of a series, as `codes` has it, or gets it if it is new.

    A name that is missing, or can name nothing, is an error.
    """
    numbers = []
    for position, value in enumerate(values):
        try:
            number = codes.get(value)
            if number is None and not is_missing(value):
                number = codes.setdefault(value, len(codes))
        except (TypeError, ValueError, OverflowError) as error:  # a list, or an endless duration
            raise TypeError(
                f"column {shown(group)} of X of {owner} must hold text, numbers or dates. Got "
                f"{shown(value)} in {row_words(position)}."
            ) from error
        if number is None:
            raise ValueError(
                f"column {shown(group)} of X of {owner} must name the sequence of every row. Got "
                f"{shown(value)} in {row_words(position)}."
            )
        numbers.append(number)
    return numbers


def time_values(column: Any) -> list[Any]:
    """The values of a column of times; whole nanoseconds where a date has a part of one."""
    import narwhals as nw

    kind = column.dtype
    if isinstance(kind, nw.Datetime) and kind.time_unit == "ns":
        exact = column.dt.timestamp("ns")
        if ((exact % 1000) != 0).any():  # dates of Python know microseconds
            return exact.to_list()
    return column.to_list()


def _in_time(what: str, times: Times, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The order of rows, group by group and in time, and each one's place among all times."""
    _, when = np.unique(times.utc, return_inverse=True)
    order = np.lexsort((when, codes))
    when = when[order]
    twice = (np.diff(codes[order]) == 0) & (np.diff(when) == 0)
    if twice.any():
        first = int(np.flatnonzero(twice)[0])
        rows = sorted(order[first : first + 2].tolist())
        moment = times.moments[rows[0]]
        way_out = "Leave one out, or name the sequences with group."
        if _is_summer_times_end(moment):
            way_out = (
                "Clocks may have been set back then, from summer time: give the times in UTC, or "
                "with their offset, as in 2024-10-27T02:30+02:00."
            )
        raise ValueError(
            f"{what} must have each time once in a sequence. Got {shown(times.values[rows[0]])} in "
            f"{row_words(*rows)}. {way_out}"
        )
    return order, when


def _is_summer_times_end(when: Any) -> bool:
    """Whether clocks without a zone may be set back then: early on a Sunday in autumn.

    In the south that is in March or April.
    """
    if not isinstance(when, datetime) or when.tzinfo is not None:
        return False
    early = when.hour < 4 and (when.hour or when.minute)
    return bool(early) and when.weekday() == 6 and when.month in (3, 4, 9, 10, 11)


def from_index(
    owner: str, X: Any, group: str | None, time: str | None, infer: bool = False
) -> tuple[Any, str | None, str | None, dict[str, Any]]:
    """`X` with those levels of its pandas index as columns that are its group and time.

    Both are levels by their name, or an unnamed level that can only be meant. To `infer` they are
    also what nobody named: dates in the index are the time, and the one other level is the group.

    Returns
    -------
    X : DataFrame
    group, time : str or None
        The columns.
    names : dict
        What the levels were called, by column.
    """
    index = index_of(X)
    if index is None or not hasattr(X, "columns"):
        return X, group, time, {}
    levels = list(range(index.nlevels))
    taken: dict[str, int] = {}

    def by_name(role: str | None) -> None:
        if role is not None and role not in X.columns and role in index.names:
            taken[role] = list(index.names).index(role)

    by_name(time)
    by_name(group)
    absent = {name for name in (time, group) if name is not None and name not in X.columns}
    dates = [at for at in levels if at not in taken.values() and _holds_dates(index, at)]
    if len(dates) == 1 and ((infer and time is None) or time in absent - set(taken)):
        time = time or _free(index.names[dates[0]], ("time", "date", "when"), X.columns)
        taken[time] = dates[0]
    others = [at for at in levels if at not in taken.values()]
    if len(others) == 1 and time in taken:
        if (infer and group is None) or group in absent - set(taken):
            group = group or _free(index.names[others[0]], ("group", "series"), X.columns)
            taken[group] = others[0]
    if infer and time is None and len(levels) > 1:
        raise ValueError(
            f"the index of X of {owner} must be its group and time. Got levels "
            f"{', '.join(shown(name) for name in index.names)}. Name them by group and time, or "
            "call reset_index(drop=True) to take the rows as they come."
        )
    if not taken:
        return X, group, time, {}
    columns = {name: index.get_level_values(at) for name, at in taken.items()}
    names = {name: index.names[at] for name, at in taken.items()}
    left = [at for at in levels if at not in taken.values()]
    X = X.droplevel(sorted(taken.values())) if left else X.reset_index(drop=True)
    return X.assign(**{name: level.array for name, level in columns.items()}), group, time, names


def _free(name: Any, others: Sequence[str], columns: Any) -> str:
    """What to call a level as a column: its name, or the first other that no column has."""
    names = [name] if isinstance(name, str) else []
    return next(one for one in (*names, *others) if one not in columns)


def _holds_dates(index: Any, level: int) -> bool:
    """Whether a level of a pandas index is dates or periods; of text where it leaves no doubt."""
    values = index.get_level_values(level)
    if type(values).__name__ in ("DatetimeIndex", "PeriodIndex", "TimedeltaIndex"):
        return True
    texts = values.tolist()
    if not texts or not all(isinstance(text, str) for text in texts):
        return False
    try:
        return Times.of("", texts).dated
    except (TypeError, ValueError):
        return False
