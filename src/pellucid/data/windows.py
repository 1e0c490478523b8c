"""A series cut into windows: the steps up to a time, and what came after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pellucid import checks
from pellucid.data.column_values import named, series_missing
from pellucid.data.holidays import holiday_words
from pellucid.data.layout import Layout
from pellucid.data.number_format import NumberFormat
from pellucid.data.scaling import power_of_two
from pellucid.data.series import Fill, Series, read_series
from pellucid.data.text_columns import numbers_in
from pellucid.data.times import Times, continued
from pellucid.data.window_array import WindowArray


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
        "target" (a list of several), "time", "group", "steps" and "horizon", as they were given,
        and where there is something to say, the "format" of the target's numbers that are text (of
        several targets a list), the "time_format" of times that are, the "paces" at which they go
        on, the columns that are "known" ahead, the code of the "holidays", and what `fill` was.
    when : ndarray of shape (rows,)
        Each row's place in time: its time's rank among all times, or without a column of times the
        share of its series that lies before it.
    names, times : list
        The name and the last times of each series.
    order : int64 ndarray of shape (rows,)
        Each row's position in the series as they were given; of one that was filled in, the
        position of the one before it.
    lengths : int64 ndarray of shape (series,)
        The rows of each series, which lie one behind the other.
    notes : tuple of str
        What was left out or filled in, in sentences.
    clock : float64 ndarray of shape (rows,), or None
        Each row's time by the clock on the wall, in seconds since 1970, where there are dates.
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
    lengths: np.ndarray
    notes: tuple[str, ...] = ()
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

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """Refused: as plain numbers they would lose their scales, and what came before them."""
        raise TypeError(
            "Windows of a series must go to an RNN, LSTM or GRU, or a network with such layers. "
            "Got them where an array is taken. Cut an array, as frame.to_numpy(), for other models."
        )

    @property
    def shape(self) -> tuple[int, int, int]:
        """(windows, steps, columns)."""
        return len(self), self.steps, self.table.shape[1]

    @property
    def columns(self) -> list[Any]:
        """The names of the table's columns, or the numbers of an array's."""
        import narwhals as nw

        if isinstance(self.table, np.ndarray):
            return list(range(self.table.shape[1]))
        return list(nw.from_native(self.table, eager_only=True).columns)

    @property
    def spans(self) -> list[tuple[int, int]]:
        """The first row of each series, and the row behind its last."""
        ends = np.cumsum(self.lengths)
        return list(zip((ends - self.lengths).tolist(), ends.tolist(), strict=True))

    @property
    def owners(self) -> np.ndarray:
        """Which of the series each window lies in, by its position among `names`."""
        return np.searchsorted(np.cumsum(self.lengths), self.starts, side="right")

    @property
    def room(self) -> np.ndarray:
        """The row behind the last of the series that each window lies in."""
        return np.cumsum(self.lengths)[self.owners]

    @property
    def targets(self) -> list[Any]:
        """The columns to forecast."""
        return as_list(self.about["target"])

    @property
    def formats(self) -> dict[int, NumberFormat | None]:
        """By its column's position, how the numbers of each target are written if they are text."""
        forms = as_list(self.about.get("format")) or [None] * len(self.targets)
        places = map(self.columns.index, self.targets)
        return dict(zip(places, forms, strict=True))

    def only(self, target: Any) -> Windows:
        """The same windows with one of their targets."""
        form = as_list(self.about.get("format"))[self.targets.index(target) :][:1]
        about = {name: value for name, value in self.about.items() if name != "format"}
        about |= {"format": form[0]} if form and form[0] is not None else {}
        return replace(self, about={**about, "target": target})

    def continued(self, about: Mapping[str, Any], values: np.ndarray) -> Windows:
        """The windows that follow when the steps after each have come as they were forecast.

        `about` says which the targets are, whose `values` are of shape (windows, horizon, targets).
        """
        import narwhals as nw

        frame, horizon = nw.from_native(self.table, eager_only=True), values.shape[1]
        rows = self.starts[:, None] + self.steps + np.arange(horizon)
        targets = as_list(about["target"])
        forms = as_list(about.get("format")) or [None] * len(targets)
        new = []
        for place, (name, form) in enumerate(zip(targets, forms, strict=True)):
            known: Any = numbers_in(frame.get_column(name), form)[0]
            numbers = known.astype(np.float64)
            numbers[rows] = values[:, :, place]
            column = nw.new_series(str(name), numbers, backend=frame.implementation)
            new.append(column.alias(name))
        table = frame.with_columns(*new).to_native()
        return replace(self, table=table, starts=self.starts + horizon)

    def with_ahead(self, ends: np.ndarray, ahead: int, known_ahead: Sequence[str] = ()) -> Windows:
        """These windows, one of each series, with so many rows behind each.

        Rows up to `ends`, where the series end, are those of the table; what lies behind is its
        last row, at later times.

        Raises
        ------
        ValueError
            If a column that is `known_ahead` has no value in such a row.
        """
        import narwhals as nw

        if not ahead:
            return self
        count, width = len(self), self.steps + ahead
        rows = self.starts[:, None] + np.arange(width)
        there = np.minimum(rows, ends[:, None] - 1)
        new, flat = rows != there, there.reshape(-1)
        frame = nw.maybe_reset_index(nw.from_native(self.table, eager_only=True)[flat.tolist()])
        for name in known_ahead:
            known = ~series_missing(frame.get_column(name)).reshape(count, width) & ~new
            lacking = np.flatnonzero(~known[:, self.steps :].all(axis=1))
            if len(lacking):
                first = int(lacking[0])
                raise ValueError(
                    f"column {checks.shown(name)}, which is known ahead, must have a value in each "
                    f"of the {ahead} rows to forecast. Got {int(known[first, self.steps :].sum())}"
                    f"{_in(self.names[first])}. Add rows with their times and these values, and no "
                    "target."
                )
        clock = None if self.clock is None else self.clock[there]
        if clock is not None:
            form, paces = self.about.get("time_format"), self.about.get("paces", ())
            for place in np.flatnonzero(new.any(axis=1)).tolist():
                count_new = int(new[place].sum())
                clock[place, new[place]] = _later_clock(self.times[place], ahead, form, paces)[
                    ahead - count_new :
                ]
        return replace(
            self, table=frame.to_native(), starts=np.arange(count, dtype=np.int64) * width,
            clock=None if clock is None else clock.reshape(-1), order=self.order[flat],
            when=self.when[flat], lengths=np.full(count, width, dtype=np.int64),
        )  # fmt: skip

    def values(self, column: Any) -> np.ndarray:
        """The numbers of a column, one for each row of the table; NaN is a missing one."""
        import narwhals as nw

        if isinstance(self.table, np.ndarray) and column in self.columns:
            numbers = self.table[:, column].astype(np.float64)
            return np.where(np.isfinite(numbers), numbers, np.nan)
        frame = nw.from_native(self.table, eager_only=True)
        there = column in frame.columns
        form = self.formats.get(frame.columns.index(column)) if there else None
        values = numbers_in(frame.get_column(column), form)[0] if there else None
        if values is None:
            known = [name for name, kind in frame.schema.items() if kind.is_numeric()]
            raise ValueError(
                f"column of Windows must be one of numbers. Got {checks.shown(column)}."
                f"{checks.suggestion(column, known)}"
            )
        return np.where(np.isfinite(values), values, np.nan)

    def last(self, column: Any) -> np.ndarray:
        """The last known number of a column in each window, NaN where there is none."""
        return np.asarray(self.last_of(self.values(column)[:, None])[:, 0])

    def last_of(self, numbers: np.ndarray) -> np.ndarray:
        """The last known one of `numbers` (rows, C) in each window, (windows, C); NaN for none."""
        rows = np.arange(len(numbers))[:, None]
        seen = np.maximum.accumulate(np.where(np.isfinite(numbers), rows, -1), axis=0)
        last = seen[self.starts + self.steps - 1]
        values = np.take_along_axis(numbers, np.maximum(last, 0), axis=0)
        return np.where(last >= self.starts[:, None], values, np.nan)

    def deviations_of(self, numbers: np.ndarray) -> np.ndarray:
        """The standard deviation of what is known of `numbers` (rows, C) in each window.

        It is of shape (windows, C), NaN where nothing is known. Steps are added in their order, so
        that the bits are the same on every machine.
        """
        # in units of this size squares neither vanish nor overflow
        unit = power_of_two(np.fmax.reduce(np.abs(numbers), axis=0, initial=0.0))
        numbers = numbers / unit
        total, count, squares = np.zeros((3, len(self), numbers.shape[1]))
        for step in range(self.steps):
            values = numbers[self.starts + step]
            there = np.isfinite(values)
            total, count = total + np.where(there, values, 0.0), count + there
        with np.errstate(invalid="ignore"):
            mean = total / count
            for step in range(self.steps):
                values = numbers[self.starts + step]
                squares = squares + np.where(np.isfinite(values), values - mean, 0.0) ** 2
            return np.sqrt(squares / count) * unit

    def naive(self) -> np.ndarray:
        """The naive forecast, of shape (windows, horizon): the target stays at its last value.

        Of several targets it has one more axis. It is NaN where no row of a window has a value.
        Windows of :func:`last_window` have no target, and so no naive forecast.
        """
        if self.about["target"] is None:
            raise ValueError(
                "the Windows of naive must have a target. Got those of last_window. Use "
                "windows(), or last(column)."
            )
        last = [self.last(name) for name in self.targets]
        stays = np.repeat(np.stack(last, axis=1)[:, None], self.ahead.shape[1], axis=1)
        return stays if isinstance(self.about["target"], list) else stays[:, :, 0]

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
        edges = np.zeros(len(self.table) + 1, dtype=np.int64)
        np.add.at(edges, self.starts, 1)
        np.add.at(edges, self.starts + self.steps, -1)
        return np.cumsum(edges[:-1]) > 0


def of_array(X: Any, known: dict[str, Any]) -> Windows | None:
    """An array (windows, steps, columns) or (windows, steps) as Windows, cut as is `known`.

    None of what is no array of numbers of so many steps.
    """
    numbers = np.asarray(X) if isinstance(X, np.ndarray) else None
    if numbers is None or numbers.ndim not in (2, 3) or numbers.dtype.kind not in "biuf":
        return None
    numbers = numbers[..., None] if numbers.ndim == 2 else numbers
    count, steps, columns = numbers.shape
    if steps != known["steps"] or not count:
        return None
    one = np.arange(count, dtype=np.int64)
    return Windows(
        numbers.reshape(-1, columns), one * steps, steps, np.zeros((count, 0), dtype=np.int64),
        {**known, "horizon": 0}, np.arange(count * steps), [None] * count, [[]] * count,
        np.arange(count * steps), np.full(count, steps, dtype=np.int64),
    )  # fmt: skip


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
    known: str | Sequence[str] = (),
    holidays: str | None = None,
    fill: Fill | None = None,
    like: Mapping[str, Any] | None = None,
) -> tuple[Any, np.ndarray]:
    """Windows of a series, and the `horizon` values of the target that followed each.

    No window runs over a gap in time, and none is there whose values to forecast are missing. How
    many that were is in ``X.notes``, which fit shows.

    Parameters
    ----------
    series : DataFrame, Series, or array-like of shape (T,) or (T, C)
        In order, or with a column `time` by which it is put in order. Dates in the index of pandas
        are its time, and the other level of a MultiIndex is the group. An array becomes an array,
        which a network takes as any other: what is made for series (a linear forecast, scales of
        windows, intervals, ``forecast``) needs a DataFrame or Series.
    steps : int
        Rows of a window.
    horizon : int, default=1
        How many rows ahead the target is forecast: rows 1, ..., horizon after the window.
    stride : int, default=1
        Rows from one window to the next.
    target : int, str or list of them, optional
        The column to forecast, which is a feature too, or several of them. Not needed where there
        is only one column.
    time : str, optional
        The column of a DataFrame by which its rows are sorted; it is no feature.
    group : str, optional
        The column of a DataFrame that names the series. No window crosses from one into another.
    known : str or list of str, optional
        Columns of a DataFrame whose future is known, as planned promotions: a model also learns
        from what they are in the steps ahead, and needs them there to forecast. Of the others, the
        target among them, it knows the past alone.
    holidays : str, optional
        A country, as "DE", or a part of one, as "US-CA", whose public holidays are a feature, of
        the steps ahead too: 1 on a holiday, else 0. It takes dates, and the extra
        ``pellucid[holidays]``.
    fill : {"forward", "linear"}, optional
        Put in the rows that gaps in time lack, and the missing values of the series: "forward"
        repeats what was last, "linear" goes from it to the next in even steps, for numbers.
    like : dict, optional
        ``model.sequences_.series`` of a fitted model, to test it: times, and numbers of the target
        that are text, as ``1.234``, are read as they were in its training, not guessed anew.

    Returns
    -------
    X : Windows, which share the rows of the series
        Of an array an ndarray of shape (windows, steps, C). It knows the series, as Windows do, and
        so do whole windows that are taken from it; it is read-only.
    y : float64 ndarray of shape (windows,), or (windows, horizon) for a horizon above 1
        Of a list of targets always of shape (windows, horizon, targets).

    Raises
    ------
    ValueError, TypeError
        If no series is as long as a window and its horizon, a column is not there, a time comes
        twice, the target is no number or missing in all that is to be forecast, or there are no
        dates for the holidays.
    ImportError
        If the package holidays is needed and not installed.

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
    read = read_series(series, time, group, fill, like or {})
    column, values, form = _read_targets(read.table, target, (like or {}).get("format"))
    starts, short = _starts(read, steps, horizon, stride)
    ahead = starts[:, None] + steps + np.arange(horizon)
    names = _known_names(read.table, known, as_list(column))
    there = np.isfinite(values[ahead]).all(axis=(1, 2))
    if not there.any():
        _refuse_target(values, ahead, as_list(target), read.order)
    notes = [*read.notes, *short, *_holes(there, as_list(target)), *_on_holidays(read, holidays)]
    X = _cut(read, starts[there], ahead[there], steps, column, "; ".join(notes))
    if not isinstance(X, np.ndarray):
        X.about.update({"format": form} if form is not None else {})
        X.about.update({"known": names} if names else {})
        X.about.update({"holidays": holidays} if holidays is not None else {})
    y = values[ahead[there]]
    if isinstance(column, list):
        return X, y
    return X, y[:, 0, 0] if horizon == 1 else y[:, :, 0]


def last_window(
    series: Any,
    steps: int,
    *,
    time: str | None = None,
    group: str | None = None,
    like: Mapping[str, Any] | None = None,
    ahead: int | None = None,
) -> Any:
    """The last `steps` rows of a series (of each, by `group`), to forecast what comes next.

    Parameters are those of :func:`windows`; so is what is returned, without y. A series that is
    shorter than a window is left out, with a warning, unless all are. Where the target of `like` is
    missing in the last rows, what comes next begins with them.

    Each window of a DataFrame has `ahead` rows behind it, by default the horizon of `like`, for
    what is known of the steps to come: those of the series where there are some, else its last row,
    at later times.

    Raises
    ------
    ValueError, TypeError
        As :func:`windows`; or if rows ahead have no value in a column that `like` says is known.
    """
    steps = checks.positive_integer("steps", "last_window", steps)
    like = like or {}
    ahead = like.get("horizon", 0) if ahead is None else ahead
    read = read_series(series, time, group, like.get("fill"), like)
    lengths, notes = read.lengths, list[str]()
    if like.get("target") is not None:
        values = _read_targets(read.table, like["target"], like.get("format"))[1]
        known = np.isfinite(values)
        lengths, notes = _known_lengths(read, known.all(axis=1), as_list(like["target"]))
        notes = [] if like.get("known") else notes  # else these rows are there for that
    ends = np.cumsum(read.lengths) - read.lengths + lengths
    long = lengths >= steps
    if not long.any():
        raise ValueError(
            f"the series of last_window must have at least {steps} rows, one window. Got "
            f"{lengths[0]}{_in(read.names[0])}."
        )
    notes += _too_short(read, ~long, steps, "")
    starts = ends[long] - steps
    over = [
        words for end in ends[long] if (words := read.gap_words(np.arange(end - steps, end - 1)))
    ]
    if over:
        more = f", and {len(over) - 1:,} others" if len(over) > 1 else ""
        notes.append(f"the last window runs over {over[0]}{more}")
    for note in notes:
        checks.warn(f"{note}.")
    X = _cut(read, starts, np.zeros((len(starts), 0), dtype=np.int64), steps, None, "")
    if not isinstance(X, Windows):
        return X
    kept = np.flatnonzero(long).tolist()
    times = [read.last_times(ends[at] - lengths[at], ends[at]) for at in kept]
    X = replace(X, names=[read.names[at] for at in kept], times=times)
    return X.with_ahead(np.cumsum(read.lengths)[kept], ahead, like.get("known", ()))


def _later_clock(times: list[Any], count: int, form: Any, paces: Any) -> np.ndarray:
    """The times that come next by the clock on the wall; NaN where they cannot be known."""
    later = continued(times, count, form, paces)
    known = None if None in later else Times.of("times", later, form).clock
    return np.full(count, np.nan) if known is None else known


def _known_lengths(
    series: Series, known: np.ndarray, targets: Sequence[Any]
) -> tuple[np.ndarray, list[str]]:
    """How many rows of each series there are up to the last whose targets are known, and words."""
    rows = np.arange(len(known))
    lengths = np.array(
        [
            1 + int(np.max(rows[:length][known[end - length : end]], initial=-1))
            for end, length in zip(np.cumsum(series.lengths), series.lengths, strict=True)
        ]
    )
    missing = series.lengths - lengths
    if not missing.any():
        return lengths, []
    first = int(np.argmax(missing > 0))
    name = "" if series.names[first] is None else f" of {checks.shown(series.names[first])}"
    others = int(np.count_nonzero(missing)) - 1
    more = f", and of {others:,} others," if others else ","
    last = "row" if missing[first] == 1 else f"{missing[first]:,} rows"
    which = " or ".join(map(checks.shown, targets))
    return lengths, [
        f"{which} is missing in the last {last}{name}{more} with which the forecast begins"
    ]


def as_list(target: Any) -> list[Any]:
    """What a series has of each target, `target` itself say: one, several or none."""
    if target is None:
        return []
    return list(target) if isinstance(target, (list, tuple)) else [target]


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


def _on_holidays(series: Series, code: str | None) -> list[str]:
    """What to say of the holidays that are a feature."""
    if code is None:
        return []
    if series.clock is None:
        time = series.about["time"]
        came = "none" if series.times is None else f"numbers in {checks.shown(time)}"
        raise ValueError(
            f"holidays of windows needs the dates of the series. Got {came}. Name a column of "
            "dates as time."
        )
    return [holiday_words(series.clock, code)]


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


def _cut(
    series: Series, starts: np.ndarray, ahead: np.ndarray, steps: int, target: Any, note: str
) -> Any:
    """The windows that begin at `starts`: of an array an array, of a DataFrame Windows.

    A `note` on those that are not there goes with Windows, and is a warning beside an array.
    """
    if isinstance(series.table, np.ndarray) and note:
        checks.warn(f"{note}.")
    about = {"target": target, **series.about, "steps": steps, "horizon": ahead.shape[1]}
    ends = np.cumsum(series.lengths)
    times = [series.last_times(end - n, end) for end, n in zip(ends, series.lengths, strict=True)]
    found = Windows(
        series.table, starts, steps, ahead, about, series.when, series.names, times, series.order,
        series.lengths, (f"{note}.",) if note else (), series.clock,
    )  # fmt: skip
    if not isinstance(series.table, np.ndarray):
        return found
    return WindowArray.of(found)


def _in(name: Any) -> str:
    return "" if name is None else f" in {checks.shown(name)}"


def _too_short(series: Series, short: np.ndarray, rows: int, why: str) -> list[str]:
    """What to say of series that are left out."""
    names = [name for name, is_short in zip(series.names, short, strict=True) if is_short]
    if not names:
        return []
    verbs = "is shorter" if len(names) == 1 else "are shorter"
    return [
        f"{len(names):,} of {len(short):,} series {verbs} than {rows} rows{why} and left out: "
        f"{checks.first_of(names, 3, 30)}"
    ]


def _starts(series: Series, steps: int, horizon: int, stride: int) -> tuple[np.ndarray, list[str]]:
    """Where the windows begin in the rows of all series, and what to say of those without any."""
    rows = steps + horizon
    begins, lengths, owners = series.pieces
    counts = np.maximum(lengths - rows + 1, 0)
    if not counts.any():
        longest = int(np.argmax(lengths))
        whole = lengths[longest] == series.lengths[owners[longest]]
        raise ValueError(
            f"the series of windows must have at least {rows} rows: {steps} steps and a horizon of "
            f"{horizon}. Got {lengths[longest]}{_in(series.names[owners[longest]])}"
            f"{'' if whole else ' between two gaps'}. Use fewer steps or a nearer horizon"
            f"{'' if whole else ', or fill the gaps'}."
        )
    starts = [
        begin + np.arange(0, count, stride) for begin, count in zip(begins, counts, strict=True)
    ]
    there = np.bincount(owners, weights=counts, minlength=len(series.names)) > 0
    gaps = " without a gap" if len(begins) > len(series.names) else ""
    return np.concatenate(starts).astype(np.int64), _too_short(series, ~there, rows, gaps)


def _holes(known: np.ndarray, targets: Sequence[Any]) -> list[str]:
    """What to say of windows whose values to forecast are not all known."""
    count = int(np.count_nonzero(~known))
    if not count:
        return []
    windows, their = ("1 window is", "its") if count == 1 else (f"{count:,} windows are", "their")
    name = f" of {checks.first_of(targets, 3, 30)}" if targets else ""
    return [f"{windows} left out, since {their} values{name} to forecast are missing"]


def _refuse_target(
    values: np.ndarray, ahead: np.ndarray, targets: Sequence[Any], order: np.ndarray
) -> None:
    """Refuse a target that is known in all that is to be forecast by no window."""
    wanted = np.unique(ahead)
    missing = ~np.isfinite(values[wanted])
    first = int(np.argmax(missing.any(axis=0)))
    bad = np.sort(order[wanted[missing[:, first]]])
    run = np.flatnonzero(np.append(np.diff(bad), 2) > 1)[0]  # the first that ends
    where = checks.row_words(*(bad[:1] if run == 0 else bad[[0, run]]), joint="to")
    name = f" {checks.shown(targets[first])}" if targets else ""
    raise ValueError(
        f"the target{name} of windows must be known in all rows that one window is to forecast. "
        f"Got missing or infinite values in {where}. Fill them in, as fill does."
    )
