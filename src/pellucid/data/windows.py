"""Windows of series: the steps up to a time, and what came after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pellucid import checks
from pellucid.data.column_values import series_missing
from pellucid.data.layout import Layout
from pellucid.data.number_format import NumberFormat
from pellucid.data.scaling import power_of_two
from pellucid.data.text_columns import numbers_in
from pellucid.data.times import Times, continued


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
    def parts(self) -> tuple[Windows, ...]:
        """Themselves: there are windows that come in several parts."""
        return (self,)

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
                    f"{in_series(self.names[first])}. Add rows with their times and these values, "
                    "and no target."
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


def as_list(target: Any) -> list[Any]:
    """What a series has of each target, `target` itself say: one, several or none."""
    if target is None:
        return []
    return list(target) if isinstance(target, (list, tuple)) else [target]


def in_series(name: Any) -> str:
    """`` in 'a'``: in which series something is, if series have names."""
    return "" if name is None else f" in {checks.shown(name)}"


def _later_clock(times: list[Any], count: int, form: Any, paces: Any) -> np.ndarray:
    """The times that come next by the clock on the wall; NaN where they cannot be known."""
    later = continued(times, count, form, paces)
    known = None if None in later else Times.of("times", later, form).clock
    return np.full(count, np.nan) if known is None else known
