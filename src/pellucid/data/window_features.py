"""What a network reads of windows: numbers in the window's own scale, the calendar, the series."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, Self

import msgspec
import numpy as np

from pellucid.checks import first_of, shown, warn
from pellucid.data.cycles import Cycle, cycles_of, sine_cosine, turns
from pellucid.data.holidays import on_holiday
from pellucid.data.scaling import power_of_two
from pellucid.data.state import State, check_arrays
from pellucid.data.table_encoder import TableEncoder
from pellucid.data.target_transforms import TRANSFORMS, TransformName
from pellucid.data.windows import Windows
from pellucid.rows import ScaledWindows

SCALINGS = ("window", "series", "global")
_MOST_SERIES = 50  # that are told apart by a feature each
LEAST = 0.05  # of its series' scale that a window's own may be: what hardly moves is no unit


@dataclass(frozen=True, eq=False)
class Units:
    """The level and scale of each window's targets: ``relative = (y - shift) / scale``.

    Parameters
    ----------
    shift, scale : float64 ndarray of shape (windows, targets)
    """

    shift: np.ndarray
    scale: np.ndarray

    def of(self, rows: slice) -> Units:
        """Those of some windows."""
        return Units(self.shift[rows], self.scale[rows])

    def relative(self, y: np.ndarray) -> np.ndarray:
        """Numbers of shape (windows, horizon * targets), the targets of a step side by side."""
        shift, scale = self._wide(y)
        with np.errstate(over="ignore"):
            return (y - shift) / scale

    def absolute(self, y: np.ndarray) -> np.ndarray:
        """The reverse of :meth:`relative`."""
        shift, scale = self._wide(y)
        with np.errstate(over="ignore"):
            return y * scale + shift

    def _wide(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        repeats = y.shape[1] // self.shift.shape[1]
        return np.tile(self.shift, repeats), np.tile(self.scale, repeats)


class NewSeriesWarning(UserWarning):
    """Windows of series that were not learned from; those of several parts can be put together."""

    key = "new series"

    def __init__(self, names: list[Any]) -> None:
        many = f"{len(names):,} series were" if len(names) > 1 else "1 series was"
        super().__init__(
            f"{many} not learned from, and each of its windows is scaled by itself: "
            f"{first_of(names, 3, 30)}."
        )
        self.names = names

    def __add__(self, other: NewSeriesWarning) -> NewSeriesWarning:
        return NewSeriesWarning([*dict.fromkeys([*self.names, *other.names])])


Contents = Callable[[], Iterable[Any]]


class _State(State, frozen=True):
    transform: TransformName | None
    scaling: Literal["window", "series", "global"]
    scaled: list[int]
    targets: list[int]
    known: list[int]
    cycles: list[Cycle]
    series: list[str]
    told: list[str]
    ahead: int
    holidays: str | None = None


class WindowFeatures:
    """What was learned about windows, beside what the encoder of their table has learned.

    Attributes
    ----------
    transform : {"log", "log1p"} or None
        What the targets go through first.
    scaling : {"window", "series", "global"}
        "window": each window's numbers are ``(x - last) / deviation``, with its own last value and
        standard deviation. "series": ``(x - last) / scale``, with one scale for each series, the
        root mean square of what its windows differ from their last values. "global": no scale of
        their own; numbers are standardised over all rows that were learned from.
    scaled : list of int
        The columns of the table that are read so: numbers that are not known ahead, and not the
        same in all rows of each of several series, whose level is all that they say.
    targets : list of int
        The places among `scaled` of the columns to be forecast.
    known : list of int
        The columns that are known of the steps ahead.
    cycles : list of {"year", "week", "day"}
        What of the calendar is a feature.
    series : list of str
        The names of the series that were learned from.
    levels, scales : float64 ndarray of shape (series, scaled)
        The mean of the last values of their windows, which is the level of a window without any
        number, and their scales.
    told : list of str
        The series that have a feature of their own.
    ahead : int
        How many steps ahead are read, for what is known of them.
    holidays : str or None
        The country whose holidays are a feature, or the part of it.
    """

    scaled: list[int]
    targets: list[int]
    known: list[int]
    cycles: list[Cycle]
    series: list[str]
    levels: np.ndarray
    scales: np.ndarray
    told: list[str]
    ahead: int
    holidays: str | None = None

    def __init__(self, scaling: str = "global", transform: str | None = None) -> None:
        self.scaling, self.transform = scaling, transform

    def fit(self, table: TableEncoder, learned: Any, contents: Contents, calendar: bool) -> Self:
        """Learn from windows, whose table the encoder `table` has learned.

        Parameters
        ----------
        table : TableEncoder
        learned : Windows or PartedWindows
        contents : callable
            It gives what the encoder has read of the table of each of their parts.
        calendar : bool
        """
        names, about = learned.columns, learned.about
        targets = [names.index(name) for name in learned.targets]
        self.known = [names.index(name) for name in about.get("known") or ()]
        numbers = [index for index, kind in enumerate(table.kinds) if kind == "number"]
        same, dated = _Same(), True
        self.series = []
        for part, content in zip(learned.parts, contents(), strict=True):
            if self.scaling != "global":
                same.add(table.numbers(content, numbers), part)
            dated = part.clock is not None
            self.series += [str(part.names[owner]) for owner in np.unique(part.owners)]
        self.scaled, self.targets = [], []
        if self.scaling != "global":
            still = {index for index, is_same in zip(numbers, same.found, strict=True) if is_same}
            left = (still - set(targets)) | set(self.known)
            self.scaled = [index for index in numbers if index not in left]
            self.targets = [self.scaled.index(place) for place in targets]
        self.cycles = []
        if calendar and dated:
            self.cycles = cycles_of(part.clock[part.covered] for part in learned.parts)
        self.told = self.series if 1 < len(self.series) <= _MOST_SERIES else []
        self.holidays = about.get("holidays")
        self.ahead = about["horizon"] if self.known or self.cycles or self.holidays else 0
        levels, scales = [], []
        for part, content in zip(learned.parts, contents(), strict=True):
            own = np.searchsorted(np.unique(part.owners), part.owners)
            level, scale = _of_series(self._numbers(table, content), part, own)
            levels.append(level)
            scales.append(scale)
        self.levels, self.scales = np.concatenate(levels), np.concatenate(scales)
        return self

    def rows(
        self, table: TableEncoder, content: Any, windows: Windows, encoded: np.ndarray
    ) -> ScaledWindows:
        """The rows of `windows`; `encoded` is what the encoder `table` made of their table."""
        sources = np.array(table.output_columns)
        kept = ~np.isin(sources, self.scaled) | np.array(table.are_flags)
        known = np.isin(sources[kept], self.known)
        plain = [encoded[:, kept]]
        if self.cycles or self.holidays:
            plain += self._of_dates(windows.clock)
        if self.told:
            place = {name: index for index, name in enumerate(self.told)}
            own = np.array([place.get(str(name), -1) for name in windows.names], dtype=np.int64)
            plain.append(np.repeat(own, windows.lengths)[:, None] == np.arange(len(self.told)))
        numbers = self._numbers(table, content)
        if self.ahead and (windows.starts + windows.steps + self.ahead > windows.room).any():
            raise ValueError(
                f"X must have {self.ahead} rows behind each window, for what is known of the steps "
                "ahead. Got windows at the end of a series. Use model.forecast(frame), or "
                "last_window(..., like=model.sequences_.series)."
            )
        shift, scale = self._shift_and_scale(numbers, windows)
        matrix = np.concatenate([part.astype(encoded.dtype) for part in plain], axis=1)
        marks = np.concatenate([known, np.ones(matrix.shape[1] - len(known), dtype=bool)])
        return ScaledWindows(
            numbers, shift, scale, np.ascontiguousarray(matrix), marks.astype(np.int64),
            windows.starts, windows.steps + self.ahead, self.ahead,
        )  # fmt: skip

    def _of_dates(self, clock: np.ndarray | None) -> list[np.ndarray]:
        """The features of dates in seconds since 1970, each of shape (rows, numbers)."""
        if clock is None:
            raise ValueError(
                "X must be windows of a series with dates, as in fit, whose calendar was learned. "
                "Got none. Name their column as time."
            )
        there, features = np.isfinite(clock), []
        for cycle in self.cycles:
            waves = sine_cosine(turns(clock, cycle))
            features.append(np.stack([np.where(there, wave, 0.0) for wave in waves], axis=1))
        if self.holidays:
            features.append(on_holiday(clock, self.holidays)[:, None])
        return features

    def units(self, table: TableEncoder, content: Any, windows: Windows) -> Units | None:
        """The level and scale of the targets of each window, None if they have none."""
        if not self.targets:
            return None
        numbers = self._numbers(table, content)[:, self.targets]
        shift, scale = self._shift_and_scale(numbers, windows, self.targets)
        return Units(shift, scale)

    def width(self, table: TableEncoder) -> int:
        """How many numbers a step has."""
        kept = ~np.isin(table.output_columns, self.scaled) | np.array(table.are_flags)
        of_dates = 2 * len(self.cycles) + (self.holidays is not None)
        features = int(np.count_nonzero(kept)) + of_dates + len(self.told)
        return len(self.scaled) + features + (self.ahead > 0)

    def outputs(self, table: TableEncoder) -> list[tuple[str, str]]:
        """What each number of a step is, and the column, or else, that it is made of."""
        sources = table.output_sources
        of_columns = list(zip(table.output_names, sources, strict=True))
        places, flags = table.output_columns, table.are_flags
        scaled = [of_columns[places.index(column)] for column in self.scaled]
        kept = [
            pair
            for pair, column, flag in zip(of_columns, places, flags, strict=True)
            if column not in self.scaled or flag
        ]
        dates = [
            (f"{wave} of the {cycle}", "calendar")
            for cycle in self.cycles
            for wave in ("sine", "cosine")
        ]
        holidays = [("holiday", "holidays")] if self.holidays else []
        told = [(f"series={name}", "series") for name in self.told]
        ahead = [("lies ahead", "lies ahead")] if self.ahead else []
        return [*scaled, *kept, *dates, *holidays, *told, *ahead]

    def words(self) -> str:
        """How windows are scaled, in a few words."""
        scale = {
            "window": "each window by its own last value and deviation",
            "series": "each window by its own last value and its series' scale",
            "global": "as they are, by mean and deviation of all rows",
        }[self.scaling]
        calendar = f"; the calendar ({', '.join(self.cycles)})" if self.cycles else ""
        holidays = f"; the holidays of {self.holidays}" if self.holidays else ""
        return f"scaled {scale}{calendar}{holidays}"

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """A map that JSON can hold, and arrays by name."""
        config = {name: getattr(self, name) for name in _State.__struct_fields__}
        return config, {"levels": self.levels, "scales": self.scales}

    @classmethod
    def from_state(
        cls, config: dict[str, Any], arrays: dict[str, np.ndarray], kinds: list[str], horizon: int
    ) -> WindowFeatures:
        """What :meth:`state` gave, of a table whose columns are of these `kinds`."""
        state, self = _State.of(config, "the features of windows"), cls()
        for name, value in msgspec.structs.asdict(state).items():
            setattr(self, name, value)
        parts = np.dtype(np.float64), (len(self.series), len(self.scaled))
        check_arrays("windows", arrays, {"levels": parts, "scales": parts})
        self.levels, self.scales = arrays["levels"], arrays["scales"]
        columns = (*self.scaled, *self.known)
        inside = all(0 <= index < len(kinds) for index in columns)
        inside = inside and len(set(columns)) == len(columns)
        inside = inside and all(kinds[index] == "number" for index in self.scaled)
        places = all(0 <= place < len(self.scaled) for place in self.targets)
        places = places and bool(self.targets) == (self.scaling != "global")
        series = self.told in ([], self.series) and len(set(self.series)) == len(self.series)
        looks_ahead = self.known or self.cycles or self.holidays
        ahead = self.ahead == (horizon if looks_ahead else 0)
        if not (inside and places and series and ahead and (self.scales > 0).all()):
            raise ValueError(
                f"the features of windows must be those of their {len(kinds)} columns and "
                f"{horizon} steps ahead. Got {shown(config)}."
            )
        return self

    def _numbers(self, table: TableEncoder, content: Any) -> np.ndarray:
        """The scaled columns; a target that its transform does not take is missing."""
        numbers = table.numbers(content, self.scaled)
        if self.transform is not None:
            transform = TRANSFORMS[self.transform]
            for place in self.targets:
                column = numbers[:, place]
                takes = transform.takes(column)
                known = transform.forward(np.where(takes, column, 1.0))
                numbers[:, place] = np.where(takes, known, np.nan)
        return numbers

    def warn_of_new_series(self, windows: Windows) -> None:
        """Say which series were not learned from, where that makes a difference."""
        new = np.unique(windows.owners[self._own(windows) < 0])
        if len(new) and self.scaled:
            warn(NewSeriesWarning([windows.names[index] for index in new]))

    def _own(self, windows: Windows) -> np.ndarray:
        """Which of the series that were learned from each window is of; -1 is none."""
        learned = {name: index for index, name in enumerate(self.series)}
        places = [learned.get(str(name), -1) for name in windows.names]
        return np.array(places, dtype=np.int64)[windows.owners]

    def _shift_and_scale(
        self, numbers: np.ndarray, windows: Windows, places: list[int] | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """The last value and the scale of each window's `numbers`, (windows, numbers).

        `places` says which of the scaled columns they are, if not all.
        """
        own = self._own(windows)
        new, columns = own < 0, slice(None) if places is None else places
        levels, scales = self.levels[:, columns][own], self.scales[:, columns][own]
        if new.any():
            alone = _of_series(numbers, windows, np.arange(len(windows)))
            levels[new], scales[new] = alone[0][new], alone[1][new]
        if self.scaling == "window":
            scales = np.fmax(windows.deviations_of(numbers), LEAST * scales)
        last = windows.last_of(numbers)
        return np.where(np.isfinite(last), last, levels), scales


class _Same:
    """Which columns are the same in all rows of each series that windows cover, if of several."""

    def __init__(self) -> None:
        self._series = 0
        self._same: Any = True

    def add(self, numbers: np.ndarray, windows: Windows) -> None:
        """Look at the rows of some series."""
        rows = np.flatnonzero(windows.covered)
        owners = np.searchsorted(np.cumsum(windows.lengths), rows, side="right")
        self._series += len(np.unique(owners))
        values, firsts = numbers[rows], numbers[rows[np.searchsorted(owners, owners)]]
        alike = (values == firsts) | (np.isnan(values) & np.isnan(firsts))
        self._same = self._same & alike.all(axis=0)

    @property
    def found(self) -> np.ndarray:
        """One for each column."""
        return np.asarray(self._same & (self._series > 1))


def _of_series(
    numbers: np.ndarray, windows: Windows, own: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The mean of the last values of windows, and the root mean square of steps' distance to them.

    Of all windows together that are of the same series, which `own` says of each.
    """
    unit = power_of_two(np.fmax.reduce(np.abs(numbers), axis=0, initial=0.0))
    numbers = numbers / unit
    last = windows.last_of(numbers)
    ends = np.isfinite(last)
    squares, counts = np.zeros_like(last), np.zeros_like(last)
    for step in range(windows.steps):
        apart = numbers[windows.starts + step] - last
        there = np.isfinite(apart)
        squares, counts = squares + np.where(there, apart, 0.0) ** 2, counts + there
    levels = _sums(np.where(ends, last, 0.0), own) / np.maximum(_sums(ends, own), 1.0)
    scales = np.sqrt(_sums(squares, own) / np.maximum(_sums(counts, own), 1.0)) * unit
    return levels * unit, np.where(scales > 0, scales, 1.0)


def _sums(values: np.ndarray, own: np.ndarray) -> np.ndarray:
    """The sum of the rows of each series; bincount adds from the first to the last."""
    columns = [np.bincount(own, column, minlength=own.max(initial=-1) + 1) for column in values.T]
    return np.stack(columns, axis=1) if columns else np.zeros((own.max(initial=-1) + 1, 0))
