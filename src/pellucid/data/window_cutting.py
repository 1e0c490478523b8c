"""Series cut into windows: a table as a whole, or the parts of a long one, one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from pellucid import checks
from pellucid.data.column_values import named
from pellucid.data.holidays import HolidayCount
from pellucid.data.number_format import NumberFormat
from pellucid.data.series import Fill, Series, SoFar, read_series
from pellucid.data.text_columns import numbers_in
from pellucid.data.window_array import WindowArray
from pellucid.data.windows import Windows, as_list, in_series


class WindowCutter:
    """Cuts windows of series, of all at once or of the parts of a table one after the other.

    The windows of all parts together are those of the whole table.

    Parameters are those of :func:`pellucid.data.windows`.

    Attributes
    ----------
    so_far : SoFar
        What is known of the series that were cut.
    """

    def __init__(
        self,
        steps: int,
        horizon: int = 1,
        stride: int = 1,
        *,
        target: Any = None,
        time: str | None = None,
        group: str | None = None,
        known: str | Sequence[str] = (),
        holidays: str | None = None,
        fill: Fill | None = None,
        like: Mapping[str, Any] | None = None,
    ) -> None:
        self.steps = checks.positive_integer("steps", "windows", steps)
        self.horizon = checks.positive_integer("horizon", "windows", horizon)
        self.stride = checks.positive_integer("stride", "windows", stride)
        self.target, self.time, self.group, self.fill = target, time, group, fill
        self.known, self.holidays, self.like = known, holidays, like or {}
        self.begin()

    def begin(self) -> None:
        """Forget the series that were cut."""
        self.so_far = SoFar.of(self.like)
        self._count = 0  # windows
        self._longest = -1, ""  # rows of a piece of a series, and words on it
        self._in_pieces = False
        self._time: str | None = self.time  # or what the index calls it
        self._refused: ValueError | None = None

    def cut(self, series: Any) -> tuple[Any, np.ndarray]:
        """The windows of some whole series, which may be none, and what followed each."""
        read = read_series(series, self.time, self.group, self.fill, self.like, self.so_far)
        self._time = read.about["time"]
        column, values, form = _read_targets(read.table, self.target, self.like.get("format"))
        starts = self._starts(read)
        ahead = starts[:, None] + self.steps + np.arange(self.horizon)
        names = _known_names(read.table, self.known, as_list(column))
        there = np.isfinite(values[ahead]).all(axis=(1, 2))
        if len(there) and not there.any() and self._refused is None:
            self._refused = _refused_target(values, ahead, as_list(self.target), read.order)
        remarks = self.so_far.remarks
        remarks.holes += int(np.count_nonzero(~there))
        if self.holidays is not None:
            count = remarks.holidays or HolidayCount(self.holidays)
            remarks.holidays = count.adding(self._clock(read))
        self._count += int(np.count_nonzero(there))
        X = _cut(read, starts[there], ahead[there], self.steps, column)
        if not isinstance(X, np.ndarray):
            X.about.update({"format": form} if form is not None else {})
            X.about.update({"known": names} if names else {})
            X.about.update({"holidays": self.holidays} if self.holidays is not None else {})
        y = values[ahead[there]]
        if isinstance(column, list):
            return X, y
        return X, y[:, 0, 0] if self.horizon == 1 else y[:, :, 0]

    def check(self) -> None:
        """Refuse series of which there is no window."""
        rows = self.steps + self.horizon
        if self._longest[0] < rows:
            raise ValueError(
                f"the series of windows must have at least {rows} rows: {self.steps} steps and a "
                f"horizon of {self.horizon}. Got {self._longest[1]}"
            )
        if not self._count and self._refused is not None:
            raise self._refused

    @property
    def notes(self) -> list[str]:
        """What was left out or filled in, and what else there is to say."""
        remarks, why = self.so_far.remarks, " without a gap" if self._in_pieces else ""
        return [
            *remarks.of_gaps(self._time, self.fill),
            *remarks.of_short(self.steps + self.horizon, why),
            *remarks.of_holes(as_list(self.target)),
            *([] if remarks.holidays is None else [remarks.holidays.words]),
        ]

    def _starts(self, series: Series) -> np.ndarray:
        """Where the windows begin in the rows of all series."""
        begins, lengths, owners = series.pieces
        counts = np.maximum(lengths - self.steps - self.horizon + 1, 0)
        longest = int(np.argmax(lengths))
        if lengths[longest] > self._longest[0]:
            whole = lengths[longest] == series.lengths[owners[longest]]
            self._longest = (
                int(lengths[longest]),
                (
                    f"{lengths[longest]}{in_series(series.names[owners[longest]])}"
                    f"{'' if whole else ' between two gaps'}. Use fewer steps or a nearer horizon"
                    f"{'' if whole else ', or fill the gaps'}."
                ),
            )
        there = np.bincount(owners, weights=counts, minlength=len(series.names)) > 0
        self._in_pieces |= len(begins) > len(series.names)
        self.so_far.remarks.short += [
            name for name, is_there in zip(series.names, there, strict=True) if not is_there
        ]
        starts = [
            begin + np.arange(0, count, self.stride)
            for begin, count in zip(begins, counts, strict=True)
        ]
        return np.concatenate(starts).astype(np.int64)

    def _clock(self, series: Series) -> np.ndarray:
        """The dates of the rows, for holidays."""
        if series.clock is None:
            time = series.about["time"]
            came = "none" if series.times is None else f"numbers in {checks.shown(time)}"
            raise ValueError(
                f"holidays of windows needs the dates of the series. Got {came}. Name a column of "
                "dates as time."
            )
        return series.clock


class LastCutter:
    """Cuts the last window of each series, of all at once or of parts of a table.

    Parameters are those of :func:`pellucid.data.last_window`.
    """

    def __init__(
        self,
        steps: int,
        *,
        time: str | None = None,
        group: str | None = None,
        like: Mapping[str, Any] | None = None,
        ahead: int | None = None,
    ) -> None:
        self.steps = checks.positive_integer("steps", "last_window", steps)
        self.time, self.group, self.like = time, group, like or {}
        self.ahead = self.like.get("horizon", 0) if ahead is None else ahead
        self.so_far = SoFar.of(self.like)
        self._count = 0
        self._first: tuple[int, Any] | None = None  # rows that are known of the first series

    def cut(self, series: Any) -> Any:
        """The last windows of some whole series; None where all are too short."""
        fill = self.like.get("fill")
        read = read_series(series, self.time, self.group, fill, self.like, self.so_far)
        remarks, lengths = self.so_far.remarks, read.lengths
        if self.like.get("target") is not None:
            values = _read_targets(read.table, self.like["target"], self.like.get("format"))[1]
            lengths = _known_lengths(read, np.isfinite(values).all(axis=1))
            if not self.like.get("known"):  # else rows without a target are there for that
                missing = read.lengths - lengths
                several = zip(read.names, missing.tolist(), strict=True)
                remarks.open += [(name, count) for name, count in several if count]
        self._first = self._first or (int(lengths[0]), read.names[0])
        ends = np.cumsum(read.lengths) - read.lengths + lengths
        long = lengths >= self.steps
        remarks.short += [
            name for name, is_long in zip(read.names, long, strict=True) if not is_long
        ]
        self._count += int(np.count_nonzero(long))
        if not long.any():
            return None
        starts = ends[long] - self.steps
        over = (read.gap_words(np.arange(end - self.steps, end - 1)) for end in ends[long])
        remarks.over += filter(None, over)
        X = _cut(read, starts, np.zeros((len(starts), 0), dtype=np.int64), self.steps, None)
        if not isinstance(X, Windows):
            return X
        kept = np.flatnonzero(long).tolist()
        times = [read.last_times(ends[at] - lengths[at], ends[at]) for at in kept]
        X = replace(X, names=[read.names[at] for at in kept], times=times)
        return X.with_ahead(np.cumsum(read.lengths)[kept], self.ahead, self.like.get("known", ()))

    def check(self) -> None:
        """Refuse series that are all too short."""
        if not self._count and self._first is not None:
            raise ValueError(
                f"the series of last_window must have at least {self.steps} rows, one window. Got "
                f"{self._first[0]}{in_series(self._first[1])}."
            )

    def warn(self) -> None:
        """Say what was left out, and what else is odd."""
        remarks = self.so_far.remarks
        for note in (
            *remarks.of_open(as_list(self.like.get("target"))),
            *remarks.of_short(self.steps),
            *remarks.of_over(),
        ):
            checks.warn(f"{note}.")


def _known_lengths(series: Series, known: np.ndarray) -> np.ndarray:
    """How many rows of each series there are up to the last whose targets are known."""
    rows = np.arange(len(known))
    return np.array(
        [
            1 + int(np.max(rows[:length][known[end - length : end]], initial=-1))
            for end, length in zip(np.cumsum(series.lengths), series.lengths, strict=True)
        ]
    )


def _known_names(table: Any, known: str | Sequence[str], targets: Sequence[Any]) -> list[str]:
    """The columns that are known ahead."""
    import narwhals as nw

    names = [known] if isinstance(known, str) else list(known)
    if not names:
        return []
    if isinstance(table, np.ndarray):
        raise TypeError(
            "known of windows needs a DataFrame, whose columns have names. Got an array. Make one "
            "of it."
        )
    columns = nw.from_native(table, eager_only=True).columns
    for name in names:
        if name not in columns:
            raise ValueError(
                f"known of windows must name columns of the series. Got {checks.shown(name)}."
                f"{checks.suggestion(name, columns)}"
            )
        if name in targets:
            raise ValueError(
                f"known of windows must be other columns than the target. Got {checks.shown(name)}."
            )
    return names


def _read_targets(table: Any, target: Any, known: Any) -> tuple[Any, np.ndarray, Any]:
    """The columns to forecast, their numbers (rows, targets), and how they are written.

    Column and format are lists where `target` is one.
    """
    if not isinstance(target, (list, tuple)):
        column, values, form = _read_target(table, target, known)
        return column, values[:, None], form
    if not target:
        raise ValueError("target of windows must be at least one column. Got [].")
    forms = as_list(known) or [None] * len(target)
    parts = [_read_target(table, *one) for one in zip(target, forms, strict=True)]
    columns = [column for column, _, _ in parts]
    for place, column in enumerate(columns):
        if column in columns[:place]:
            raise ValueError(
                f"target of windows must name each column once. Got {checks.shown(column)} twice."
            )
    written = [form for _, _, form in parts]
    some = any(form is not None for form in written)
    return columns, np.stack([x for _, x, _ in parts], axis=1), written if some else None


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
        target = int(target) % columns
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


def _cut(series: Series, starts: np.ndarray, ahead: np.ndarray, steps: int, target: Any) -> Any:
    """The windows that begin at `starts`: of an array an array, of a DataFrame Windows."""
    about = {"target": target, **series.about, "steps": steps, "horizon": ahead.shape[1]}
    ends = np.cumsum(series.lengths)
    times = [series.last_times(end - n, end) for end, n in zip(ends, series.lengths, strict=True)]
    found = Windows(
        series.table, starts, steps, ahead, about, series.when, series.names, times, series.order,
        series.lengths, (), series.clock,
    )  # fmt: skip
    if not isinstance(series.table, np.ndarray):
        return found
    return WindowArray.of(found)


def _refused_target(
    values: np.ndarray, ahead: np.ndarray, targets: Sequence[Any], order: np.ndarray
) -> ValueError:
    """What refuses a target that is known in all that is to be forecast by no window."""
    wanted = np.unique(ahead)
    missing = ~np.isfinite(values[wanted])
    first = int(np.argmax(missing.any(axis=0)))
    bad = np.sort(order[wanted[missing[:, first]]])
    run = np.flatnonzero(np.append(np.diff(bad), 2) > 1)[0]  # the first that ends
    where = checks.row_words(*(bad[:1] if run == 0 else bad[[0, run]]), joint="to")
    name = f" {checks.shown(targets[first])}" if targets else ""
    return ValueError(
        f"the target{name} of windows must be known in all rows that one window is to forecast. "
        f"Got missing or infinite values in {where}. Fill them in, as fill does."
    )
