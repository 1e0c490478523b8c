"""Series as they come: put in time, their gaps found, and filled where that is wanted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np

from pellucid import checks
from pellucid.data.calendars import Pace
from pellucid.data.column_values import plain_array, series_missing, series_numbers
from pellucid.data.columns import as_frame, unique_columns
from pellucid.data.date_format import DateFormat
from pellucid.data.groups import Groups, from_index
from pellucid.data.series_remarks import Remarks
from pellucid.data.times import TimeFormat, Times, format_of, is_read_by

Fill = Literal["forward", "linear"]

_TIMES_KEPT = 400  # last times of a series, which tell by what calendar it goes on
_PACES_KEPT = 8


@dataclass
class SoFar:
    """What is known of a long table from the parts that were read, for those that follow.

    Attributes
    ----------
    paces : list of Pace
        Of series, in the order in which they were found.
    remarks : Remarks
    form : TimeFormat or None
        How the times are written, if that is `decided` by all of them.
    decided : bool
    parted : bool
        Whether the places in time are to be compared with those of other parts: they are then the
        times themselves, and no ranks.
    """

    paces: list[Pace]
    remarks: Remarks = field(default_factory=Remarks)
    form: TimeFormat | None = None
    decided: bool = False
    parted: bool = False

    def decide(
        self, times: Sequence[Any], like: Mapping[str, Any], everything: Callable[[], Sequence[Any]]
    ) -> None:
        """Decide how the times of a long table are written, by some of them, evenly taken.

        Where these leave doubts `everything` gives all that are different.
        """
        known = like.get("time_format")
        if is_read_by(times, known):
            self.form, self.decided = known, True
            return
        form, doubtful = format_of(times)
        if doubtful:
            form, doubtful = format_of(everything())
        self.form, self.decided = form, not doubtful  # else an error will say so

    @classmethod
    def of(cls, like: Mapping[str, Any]) -> SoFar:
        """Before the first part, of a table that is read as the one `like` it was."""
        return cls(list(like.get("paces", ())))


@dataclass(frozen=True)
class Series:
    """Series as they were read, one behind the other, each in time.

    Parameters
    ----------
    table : DataFrame or ndarray of shape (rows, columns)
    lengths : int64 ndarray of shape (series,)
    order : int64 ndarray of shape (rows,)
        Each row's position in what was given.
    when : ndarray of shape (rows,)
        Its place in time.
    names : list
    times : Times or None
        Those of the rows.
    paces : list of Pace or None
        One a series.
    lacking : int64 ndarray of shape (rows,)
        How many times are lacking between each row and the next of its series.
    about : dict
        What a model must know to read further series in the same way.
    """

    table: Any
    lengths: np.ndarray
    order: np.ndarray
    when: np.ndarray
    names: list[Any]
    about: dict[str, Any]
    times: Times | None = None
    paces: Sequence[Pace | None] = ()
    lacking: np.ndarray | None = None

    @property
    def clock(self) -> np.ndarray | None:
        """Each row's time by the clock on the wall, in seconds since 1970, if there are dates."""
        return None if self.times is None else self.times.clock

    @property
    def pieces(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The rows between gaps: where they begin, how many they are, and of which series."""
        cut = np.zeros(len(self.order), dtype=bool)
        ends = np.cumsum(self.lengths)
        cut[ends - 1] = True
        if self.lacking is not None:
            cut |= self.lacking > 0
        stops = np.flatnonzero(cut) + 1
        begins = np.concatenate([[0], stops[:-1]])
        return begins, stops - begins, np.searchsorted(ends, begins, side="right")

    def gap_words(self, rows: np.ndarray) -> str:
        """``a gap of 120 days after 2020-05-01``: the longest one behind these rows, "" for none.

        Where series have names, it says in which it is.
        """
        if self.times is None or self.lacking is None or not len(rows):
            return ""
        row = int(rows[np.argmax(self._widths[rows])])
        if not self.lacking[row]:
            return ""
        owner = int(np.searchsorted(np.cumsum(self.lengths), row, side="right"))
        name = "" if self.names[owner] is None else f" in {checks.shown(self.names[owner])}"
        before = self.times.words(self.times.moments[row])
        return f"a gap of {self._width_words(row, owner)} after {before}{name}"

    def count_gaps(self, remarks: Remarks) -> None:
        """Add the gaps to the remarks on all series."""
        if self.lacking is None or not self.lacking.any():
            return
        remarks.gaps += int(np.count_nonzero(self.lacking))
        remarks.lacking += int(self.lacking.sum())
        widest = float(self._widths.max())
        if widest > remarks.longest[0]:
            remarks.longest = widest, self.gap_words(np.arange(len(self.order)))

    @cached_property
    def _widths(self) -> np.ndarray:
        """How far apart the times are where some are lacking, 0 elsewhere."""
        if self.times is None or self.lacking is None:
            return np.zeros(len(self.order))
        apart = np.append(np.diff(self.times.utc.astype(np.float64)), 0.0)
        return np.where(self.lacking > 0, apart, 0.0)

    def _width_words(self, row: int, owner: int) -> str:
        if self.times is None or self.lacking is None:
            return ""
        count, pace = int(self.lacking[row]), self.paces[owner]
        if not self.times.dated:
            return f"{count:,} step{'s'[: count != 1]}"
        if pace is not None and pace.is_monthly:
            months = count * int(pace.step)
            return f"{months:,} month{'s'[: months != 1]}"
        apart = float(self._widths[row])
        usual = apart / (count + 1)
        return duration_words(timedelta(microseconds=round(apart - usual)))

    def last_times(self, begin: int, end: int) -> list[Any]:
        """The last of the times of these rows, by which the series goes on."""
        if self.times is None:
            return []
        return self.times.values[max(begin, end - _TIMES_KEPT) : end]


def read_series(
    series: Any,
    time: str | None,
    group: str | None,
    fill: Fill | None,
    like: Mapping[str, Any],
    so_far: SoFar,
) -> Series:
    """Series in time, their gaps counted, or filled; a further one as those of `like` were.

    They may be a part of a longer table, whose other parts tell `so_far` how they are read; it
    learns from these.
    """
    import narwhals as nw

    if fill not in (None, *get_args(Fill)):
        raise ValueError(checks.fault("fill", "windows", "'forward', 'linear' or None", fill))
    series = as_frame(series)
    is_frame = nw.dependencies.is_into_dataframe(series)
    if is_frame:
        series, group, time, _ = from_index("windows", series, group, time, infer=True)
    if is_frame and (time is not None or group is not None):
        read = _by_columns(series, time, group, like, so_far)
    elif time is not None or group is not None:
        raise TypeError(
            f"series of windows must be a DataFrame where time or group is given. Got "
            f"{type(series).__name__}."
        )
    else:
        read = _in_order(series)
    so_far.remarks.series += len(read.names)
    return read if fill is None else filled(read, fill, so_far)


def _by_columns(
    series: Any, time: str | None, group: str | None, like: Mapping[str, Any], so_far: SoFar
) -> Series:
    """Series of a DataFrame by its columns of group and time."""
    form = so_far.form if so_far.decided else like.get("time_format")
    groups = Groups.of("windows", series, group, time, form, so_far.decided)
    about: dict[str, Any] = {"time": time, "group": group}
    if groups.times is None or groups.when is None:
        when = _shares(groups.lengths)
        return Series(groups.table, groups.lengths, groups.order, when, groups.labels, about)
    times = groups.times.taken(groups.order)
    known = so_far.paces
    paces, lacking = list[Pace | None](), np.zeros(len(groups.order), dtype=np.int64)
    ends = np.cumsum(groups.lengths)
    for begin, end in zip(ends - groups.lengths, ends, strict=True):
        pace = times.pace(np.arange(begin, end), known)
        paces.append(pace)
        if pace is None:
            continue
        lacking[begin : end - 1] = pace.lacking(times.by(pace)[begin:end])
        if pace.calendar is not None and pace not in known and len(known) < _PACES_KEPT:
            known.append(pace)
    if isinstance(times.format, DateFormat) and times.format.order != "ymd":  # which is clear
        about["time_format"] = times.format
    if told := [pace for pace in known if pace.is_by_calendar]:  # others are found by few times
        about["paces"] = told
    read = Series(
        groups.table, groups.lengths, groups.order, times.utc if so_far.parted else groups.when,
        groups.labels, about, times, paces, lacking,
    )  # fmt: skip
    read.count_gaps(so_far.remarks)
    return read


def _in_order(series: Any) -> Series:
    """One series, in the order of its rows."""
    import narwhals as nw

    if nw.dependencies.is_into_dataframe(series):
        table = unique_columns("windows", series).to_native()
    else:
        table = np.asarray(plain_array(series))
        table = table[:, None] if table.ndim == 1 else table
        if table.ndim != 2 or table.dtype.kind not in "biuf" or not table.shape[1]:
            raise ValueError(
                "series of windows must be numbers of shape (steps,) or (steps, features), a "
                f"Series or a DataFrame. Got {table.dtype} of shape {table.shape}."
            )
    lengths = np.array([len(table)], dtype=np.int64)
    about = {"time": None, "group": None}
    return Series(table, lengths, np.arange(len(table)), _shares(lengths), [None], about)


def filled(read: Series, fill: Fill, so_far: SoFar) -> Series:
    """Series with the rows that their gaps lack, and without missing values between others.

    "forward" repeats what was last; "linear" goes to the next number in even steps, and repeats
    what is no number.
    """
    rows = np.arange(len(read.order))
    lacking = np.zeros_like(rows) if read.lacking is None else read.lacking
    source = np.repeat(rows, lacking + 1)
    added = np.diff(source, prepend=-1) == 0
    owners = np.repeat(np.arange(len(read.names)), read.lengths)[source]
    lengths = np.bincount(owners, minlength=len(read.names)).astype(np.int64)
    table, count = _filled_table(read.table, source, added, lengths, fill)
    times, when = read.times, read.when[source]
    if times is not None and added.any():
        times = _with_lacking(read, times, added)
        when = times.utc if so_far.parted else np.unique(times.utc, return_inverse=True)[1]
    so_far.remarks.filled += count
    return replace(
        read, table=table, lengths=lengths, order=read.order[source],
        when=when if times is not None else _shares(lengths), times=times, lacking=None,
        about={**read.about, "fill": fill},
    )  # fmt: skip


def _with_lacking(read: Series, times: Times, added: np.ndarray) -> Times:
    """The times with those that are lacking."""
    moments: list[Any] = []
    owners = np.repeat(np.arange(len(read.names)), read.lengths)
    for row, moment in enumerate(times.moments):
        moments.append(moment)
        pace = read.paces[owners[row]]
        if read.lacking is not None and read.lacking[row] and pace is not None:
            ticks = times.by(pace)[row : row + 2]
            moments += times.moments_at(pace.between(ticks), pace, row)
    values: list[Any] = [None] * len(moments)
    known = iter(times.values)
    for row in np.flatnonzero(~added).tolist():
        values[row] = next(known)
    new = np.flatnonzero(added).tolist()
    for row, value in zip(new, times.written([moments[row] for row in new]), strict=True):
        values[row] = value
    return Times(values, moments, times.format)


def _filled_table(
    table: Any, source: np.ndarray, added: np.ndarray, lengths: np.ndarray, fill: Fill
) -> tuple[Any, int]:
    """The rows at `source`, of which some are `added`; and how many missing values were filled."""
    import narwhals as nw

    if isinstance(table, np.ndarray):
        columns = [_filled_numbers(column[source], added, lengths, fill) for column in table.T]
        return np.stack([values for values, _ in columns], axis=1), sum(n for _, n in columns)
    frame = nw.maybe_reset_index(nw.from_native(table, eager_only=True)[source.tolist()])
    total, new = 0, []
    for column in frame.iter_columns():
        if column.dtype.is_numeric():
            own = series_numbers(column)
            values, count = _filled_numbers(own, added, lengths, fill)
            if not np.array_equal(values, own, equal_nan=True):
                whole = column.dtype.is_integer() and bool((values == np.rint(values)).all())
                made = nw.new_series(column.name, values, backend=frame.implementation)
                new.append(made.cast(column.dtype) if whole else made)
        else:
            missing = series_missing(column)
            place = _last_known(missing, lengths)
            count = int(np.count_nonzero(missing & ~missing[place]))
            if count:
                new.append(nw.maybe_reset_index(column[place.tolist()]))
        total += count
    return frame.with_columns(*new).to_native(), total


def _filled_numbers(
    values: np.ndarray, added: np.ndarray, lengths: np.ndarray, fill: Fill
) -> tuple[np.ndarray, int]:
    """A column of numbers, filled series by series, and how many missing ones of it were."""
    values = values.astype(np.float64)
    missing = np.isnan(values) & ~added
    values[added] = np.nan
    place = _last_known(np.isnan(values), lengths)
    done = values[place]
    if fill == "linear":
        ends = np.cumsum(lengths)
        for begin, end in zip(ends - lengths, ends, strict=True):
            known = begin + np.flatnonzero(~np.isnan(values[begin:end]))
            if len(known):
                inner = np.arange(known[0], known[-1] + 1)
                done[inner] = np.interp(inner, known, values[known])
    return done, int(np.count_nonzero(missing & ~np.isnan(done)))


def _last_known(missing: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """The last row of the same series that is not missing, if one follows; else the row itself."""
    rows = np.arange(len(missing))
    last = np.maximum.accumulate(np.where(missing, -1, rows))
    ends = np.repeat(np.cumsum(lengths), lengths)
    following = np.minimum.accumulate(np.where(missing, len(rows), rows)[::-1])[::-1]
    between = (last >= ends - np.repeat(lengths, lengths)) & (following < ends)
    return np.where(between, last, rows)


def _shares(lengths: np.ndarray) -> np.ndarray:
    """The share of its series that lies before each row."""
    return np.concatenate([np.arange(length) / length for length in lengths])


def duration_words(apart: timedelta) -> str:
    """``120 days``, ``3 hours``: a length of time in the largest unit of which it is two or more.

    Of a length that is not whole in it, it is the nearest.
    """
    seconds = apart.total_seconds()
    for unit, length in (("day", 86400.0), ("hour", 3600.0), ("minute", 60.0)):
        if seconds >= 2 * length or (seconds >= length and not seconds % length):
            count = round(seconds / length)
            return f"{count:,} {unit}{'s'[: count != 1]}"
    return f"{seconds:g} second{'s'[: seconds != 1]}"
