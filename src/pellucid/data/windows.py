"""A series cut into windows: the steps up to a time, and what came after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np

from pellucid import checks
from pellucid.data.column_values import named, plain_array, series_numbers
from pellucid.data.columns import unique_columns
from pellucid.data.groups import Groups
from pellucid.data.layout import Layout
from pellucid.data.number_format import NumberFormat
from pellucid.data.text_columns import numbers_in
from pellucid.data.times import moment
from pellucid.rows.sequences import coverage

_TIMES_KEPT = 30  # last times of a series, from which the later ones are inferred


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows of `steps` rows of one table, which they share.

    A slice, a mask or an array of positions takes some of the windows, a number a single one.

    Attributes
    ----------
    table : DataFrame
        The features of the whole series, in time.
    starts : int64 ndarray of shape (windows,)
        The row at which each window begins.
    steps : int
    ahead : ndarray of shape (windows, horizon)
        The rows of the steps to be forecast; windows of :func:`last_window` have none.
    about : dict
        "target", "time", "group", "steps" and "horizon", as they were given, and the "format" of
        the target's numbers where they are text.
    when : ndarray of shape (rows,)
        Each row's place in time: its time's rank among all times, or without a column of times the
        share of its series that lies before it.
    names, times : list
        The name and the last times of each series.
    order : int64 ndarray of shape (rows,)
        Each row's position in the series as they were given.
    series : int64 ndarray of shape (rows,)
        Which of the series each row belongs to.
    clock : float64 ndarray of shape (rows,), or None
        Each row's time by its own clock, in seconds since 1970, where there are dates.
    """

    table: Any
    starts: np.ndarray
    steps: int
    ahead: np.ndarray
    about: dict[str, Any]
    when: np.ndarray
    names: list[Any]
    times: list[list[Any]]
    order: np.ndarray
    series: np.ndarray
    clock: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.starts)

    def __repr__(self) -> str:
        return f"Windows(shape={self.shape})"

    def __getitem__(self, index: Any) -> Windows:
        if isinstance(index, tuple) and len(index) == 2 and index[1] is ...:
            index = index[0]  # as scikit-learn takes rows
        if isinstance(index, tuple):
            raise IndexError(
                "the index of Windows must be a position, a slice, a mask or an array: it takes "
                f"whole windows. Got {checks.shown(index)}."
            )
        taken = np.atleast_1d(np.arange(len(self))[index])
        return replace(self, starts=self.starts[taken], ahead=self.ahead[taken])

    @property
    def shape(self) -> tuple[int, int, int]:
        """(windows, steps, columns)."""
        return len(self), self.steps, self.table.shape[1]

    def last(self, column: str) -> np.ndarray:
        """The last known number of a column in each window, NaN where there is none."""
        import narwhals as nw

        frame = nw.from_native(self.table, eager_only=True)
        there = column in frame.columns
        known = self.about.get("format") if column == self.about["target"] else None
        values = numbers_in(frame.get_column(column), known)[0] if there else None
        if values is None:
            known = [name for name, kind in frame.schema.items() if kind.is_numeric()]
            raise ValueError(
                f"column of Windows.last must be one of numbers. Got {checks.shown(column)}."
                f"{checks.suggestion(column, known)}"
            )
        seen = np.where(np.isfinite(values), np.arange(len(values)), -1)
        last = np.maximum.accumulate(seen)[self.starts + self.steps - 1]
        return np.where(last >= self.starts, values[last], np.nan)

    def naive(self) -> np.ndarray:
        """The naive forecast, of shape (windows, horizon): the target stays at its last value.

        It is NaN where no row of a window has a value. Windows of :func:`last_window` have no
        target, and so no naive forecast.
        """
        if self.about["target"] is None:
            raise ValueError(
                "the Windows of naive must have a target. Got those of last_window. Use "
                "windows(), or last(column)."
            )
        return np.repeat(self.last(self.about["target"])[:, None], self.ahead.shape[1], axis=1)

    def split(self, fraction: float) -> tuple[np.ndarray, np.ndarray]:
        """The positions of the first windows, to learn from, and of the last, which are held out.

        One cut in time for all series holds out `fraction` of the rows: no target that is learned
        from comes after one that is held out. Windows with targets on both sides are in neither.
        """
        seen = self.covered
        seen[self.ahead.reshape(-1)] = True
        times = np.sort(self.when[seen])
        count = round(fraction * len(times))
        positions = np.arange(len(self))
        if not count:
            return positions, positions[:0]
        cut = times[len(times) - count]
        targets = self.when[self.ahead]
        return positions[targets[:, -1] < cut], positions[targets[:, 0] >= cut]

    @property
    def covered(self) -> np.ndarray:
        """Which rows of the table lie in any of the windows."""
        return coverage(self.starts, self.starts + self.steps, len(self.table)) > 0


@dataclass(frozen=True)
class WindowLayout(Layout):
    """The windows of a series: y has an entry for each, and the last ones are for validation."""

    windows: Windows

    def __len__(self) -> int:
        return len(self.windows)

    def flatten(self, name: str, values: Any) -> Any:
        return values

    def split(self, fraction: float, used: np.ndarray) -> list[np.ndarray]:
        """As :meth:`Windows.split`, since windows next to each other share steps and targets."""
        rows = np.flatnonzero(used)
        return [np.flatnonzero(np.isin(rows, part)) for part in self.windows.split(fraction)]


def windows(
    series: Any,
    steps: int,
    horizon: int = 1,
    stride: int = 1,
    *,
    target: Any = None,
    time: str | None = None,
    group: str | None = None,
    like: Mapping[str, Any] | None = None,
) -> tuple[Any, np.ndarray]:
    """Windows of a series, and the `horizon` values of the target that followed each.

    Parameters
    ----------
    series : array-like of shape (T,) or (T, C), or DataFrame
        In order, or with a column `time` by which it is put in order.
    steps : int
        Rows of a window.
    horizon : int, default=1
        How many rows ahead the target is forecast: rows 1, ..., horizon after the window.
    stride : int, default=1
        Rows from one window to the next.
    target : int or str, optional
        The column to forecast, which is a feature too. Not needed where there is only one column.
    time : str, optional
        The column of a DataFrame by which its rows are sorted; it is no feature.
    group : str, optional
        The column of a DataFrame that names the series. No window crosses from one into another.
    like : dict, optional
        ``model.sequences_.series`` of a fitted model, to test it: numbers of the target that are
        text, as ``1.234``, are read as they were in its training, not guessed anew.

    Returns
    -------
    X : ndarray of shape (windows, steps, C), or Windows of a DataFrame, which share its rows
    y : float64 ndarray of shape (windows,), or (windows, horizon) for a horizon above 1

    Raises
    ------
    ValueError, TypeError
        If a series is shorter than a window and its horizon, a column is not there, a time
        comes twice, or the target is missing or no number somewhere.

    Examples
    --------
    >>> import numpy as np
    >>> from pellucid.data import windows
    >>> X, y = windows(np.arange(6.0), steps=3, horizon=2)
    >>> X[:, :, 0]
    array([[0., 1., 2.],
           [1., 2., 3.]])
    >>> y
    array([[3., 4.],
           [4., 5.]])
    """
    steps = checks.positive_integer("steps", "windows", steps)
    horizon = checks.positive_integer("horizon", "windows", horizon)
    stride = checks.positive_integer("stride", "windows", stride)
    read = _read(series, time, group)
    column, values, form = _read_target(read.table, target, (like or {}).get("format"))
    starts = _starts(read, steps, horizon, stride)
    ahead = starts[:, None] + steps + np.arange(horizon)
    _check_target(values, ahead, target, read.order)
    X = read.cut(starts, ahead, steps, {"target": column, "time": time, "group": group})
    if form is not None:
        X.about["format"] = form
    return X, values[ahead[:, 0] if horizon == 1 else ahead]


def last_window(
    series: Any, steps: int, *, time: str | None = None, group: str | None = None
) -> Any:
    """The last `steps` rows of a series (of each, by `group`), to forecast what comes next.

    Parameters are those of :func:`windows`; so is what is returned, without y.
    """
    steps = checks.positive_integer("steps", "last_window", steps)
    read = _read(series, time, group)
    for name, length in zip(read.names, read.lengths, strict=True):
        if length < steps:
            raise ValueError(
                f"the series of last_window must have at least {steps} rows, one window. Got "
                f"{length}{'' if name is None else f' in {checks.shown(name)}'}."
            )
    starts = np.cumsum(read.lengths) - steps
    ahead = np.zeros((len(starts), 0), dtype=np.int64)
    return read.cut(starts, ahead, steps, {"target": None, "time": time, "group": group})


@dataclass(frozen=True)
class _Series:
    """Series as they were read, one behind the other, each in time.

    `order` is each row's position in what was given, and `when` its place in time.
    """

    table: Any
    lengths: np.ndarray
    order: np.ndarray
    when: np.ndarray
    names: list[Any]
    times: list[list[Any]]
    clock: np.ndarray | None = None

    def cut(self, starts: np.ndarray, ahead: np.ndarray, steps: int, columns: dict) -> Any:
        """The windows that begin at `starts`: of an array an array, of a DataFrame Windows."""
        if isinstance(self.table, np.ndarray):
            return self.table[starts[:, None] + np.arange(steps)]
        about = columns | {"steps": steps, "horizon": ahead.shape[1]}
        series = np.repeat(np.arange(len(self.lengths)), self.lengths)
        return Windows(
            self.table, starts, steps, ahead, about, self.when, self.names, self.times, self.order,
            series, self.clock,
        )  # fmt: skip


def _read(series: Any, time: str | None, group: str | None) -> _Series:
    import narwhals as nw

    if nw.dependencies.is_into_series(series):
        column = nw.from_native(series, series_only=True)
        series = column.to_numpy()
        if series.dtype == object and column.dtype.is_numeric():  # missing numbers are no floats
            series = series_numbers(column)
    is_frame = nw.dependencies.is_into_dataframe(series)
    if time is not None or group is not None:
        if not is_frame:
            raise TypeError(
                f"series of windows must be a DataFrame where time or group is given. Got "
                f"{type(series).__name__}."
            )
        groups = Groups.of("windows", series, group, time)
        times = _last_times(nw.from_native(series, eager_only=True), time, groups)
        when = _shares(groups.lengths) if groups.when is None else groups.when
        clock = None if time is None else _clock(nw.from_native(series, eager_only=True)[time])
        clock = None if clock is None else clock[groups.order]
        return _Series(
            groups.table, groups.lengths, groups.order, when, groups.labels, times, clock
        )
    if is_frame:
        table = unique_columns("windows", series).to_native()
    else:
        table = np.asarray(plain_array(series))
        table = table[:, None] if table.ndim == 1 else table
        if table.ndim != 2 or table.dtype.kind not in "biuf" or not table.shape[1]:
            raise ValueError(
                "series of windows must be numbers of shape (steps,) or (steps, features), or a "
                f"DataFrame. Got {table.dtype} of shape {table.shape}."
            )
    lengths = np.array([len(table)], dtype=np.int64)
    return _Series(table, lengths, np.arange(len(table)), _shares(lengths), [None], [[]])


def _read_target(
    table: Any, target: Any, known: NumberFormat | None
) -> tuple[Any, np.ndarray, NumberFormat | None]:
    """The column to forecast, its numbers, and how they are written if they are text."""
    import narwhals as nw

    if isinstance(table, np.ndarray):
        columns = table.shape[1]
        target = 0 if target is None and columns == 1 else target
        whole = isinstance(target, (int, np.integer)) and not isinstance(target, bool)
        if not whole or not -columns <= target < columns:
            raise ValueError(
                f"target of windows must be the number of a column, 0 to {columns - 1}. "
                f"Got {checks.shown(target)}."
            )
        return target, table[:, target].astype(np.float64), None
    frame = nw.from_native(table, eager_only=True)
    if target is None and len(frame.columns) == 1:
        target = frame.columns[0]
    target = checks.plain(target)
    # True and 1.0 equal a column that is called 1
    if not any(
        name == target and type(name) is type(target) for name in map(checks.plain, frame.columns)
    ):
        near = [name for name in frame.columns if str(name) == str(target)]
        raise ValueError(
            f"target of windows must be a column of the series. Got {checks.shown(target)}."
            + (f" Write {near[0]!r}." if near else checks.suggestion(target, frame.columns))
        )
    column = frame.get_column(target)  # whose name may be a number
    values, form = named(f"column {checks.shown(target)}", numbers_in, column, known)
    if values is None:
        raise TypeError(
            f"target of windows must be a column of numbers. Got {checks.shown(target)} of "
            f"{column.dtype}."
        )
    return target, values, form


def _clock(column: Any) -> np.ndarray | None:
    """Seconds since 1970 by each time's own clock; None where times are no dates."""
    read = [moment(value) for value in column.to_list()]
    if not all(isinstance(when, datetime) for when in read):
        return None
    start, dates = datetime(1970, 1, 1), [when for when in read if isinstance(when, datetime)]
    return np.array([(when.replace(tzinfo=None) - start).total_seconds() for when in dates])


def _shares(lengths: np.ndarray) -> np.ndarray:
    """The share of its series that lies before each row."""
    return np.concatenate([np.arange(length) / length for length in lengths])


def _last_times(frame: Any, time: str | None, groups: Groups) -> list[list[Any]]:
    """The last times of each series, from which later ones are inferred."""
    if time is None:
        return [[] for _ in groups.labels]
    ends = np.cumsum(groups.lengths)
    return [
        frame[time][groups.order[max(end - length, end - _TIMES_KEPT) : end].tolist()].to_list()
        for end, length in zip(ends, groups.lengths, strict=True)
    ]


def _starts(series: _Series, steps: int, horizon: int, stride: int) -> np.ndarray:
    """Where the windows begin in the rows of all series."""
    starts: list[np.ndarray] = []
    begins = np.cumsum(series.lengths) - series.lengths
    for name, begin, length in zip(series.names, begins, series.lengths, strict=True):
        count = length - steps - horizon + 1
        if count < 1:
            raise ValueError(
                f"the series of windows must have at least {steps + horizon} rows: {steps} steps "
                f"and a horizon of {horizon}. Got {length}"
                f"{'' if name is None else f' in {checks.shown(name)}'}. Use fewer steps or a "
                f"nearer horizon{'' if name is None else ', or leave it out'}."
            )
        starts.append(begin + np.arange(0, count, stride))
    return np.concatenate(starts).astype(np.int64)


def _check_target(values: np.ndarray, ahead: np.ndarray, target: Any, order: np.ndarray) -> None:
    wanted = np.unique(ahead)
    bad = np.sort(order[wanted[~np.isfinite(values[wanted])]])
    if len(bad):
        run = np.flatnonzero(np.append(np.diff(bad), 2) > 1)[0]  # the first that ends
        where = checks.row_words(*(bad[:1] if run == 0 else bad[[0, run]]), joint="to")
        name = "" if target is None else f" {checks.shown(target)}"
        raise ValueError(
            f"the target{name} of windows must be known wherever it is to be forecast. Got missing "
            f"or infinite values in {where}. Fill them in, or cut the series there."
        )
