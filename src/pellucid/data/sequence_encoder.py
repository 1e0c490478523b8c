"""Sequences, in any of the forms in which users have them, as rows for a network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any, Self, final

import msgspec
import numpy as np

from pellucid.checks import rows_at, shown
from pellucid.data.calendars import Pace
from pellucid.data.column_values import plain_array
from pellucid.data.columns import Table, check_several, one_feature, owner_of
from pellucid.data.date_format import DateFormat
from pellucid.data.encoder import Encoder, Reading
from pellucid.data.groups import Groups
from pellucid.data.layout import Layout, RowLayout
from pellucid.data.number_format import NumberFormat
from pellucid.data.series import Fill
from pellucid.data.state import Count, State, check_names
from pellucid.data.step_layout import StepLayout
from pellucid.data.table_encoder import TableEncoder
from pellucid.data.times import TimeFormat
from pellucid.data.vocabulary import Vocabulary
from pellucid.data.window_array import as_windows
from pellucid.data.window_features import Units, WindowFeatures
from pellucid.data.windows import WindowLayout, Windows, as_list, of_array
from pellucid.rows import FEW_ROWS, Dense, Rows, Sequences
from pellucid.rows.sequences import patch_counts

_FEWEST = 20  # sequences: of fewer nobody can tell how they were cut
LONG = 50  # steps: in shorter sequences a state keeps what it needs to the end
PATCHES = 36  # about so many are made of a longest sequence that is long, by "auto"

_OR_LONG = (
    " Name the columns that say which sequence a row belongs to and when it was, or cut a series "
    "into windows."
)


@dataclass(frozen=True, eq=False)
class Steps:
    """The steps of sequences: the rows of a table, where each sequence begins, and its length.

    `flat`, `names` and `time_format` are the encoder's, and `windows` is X if it was Windows.
    """

    table: Reading[Table]
    starts: np.ndarray
    lengths: np.ndarray
    longest: int
    flat: bool = False
    names: list[str] | None = None
    windows: Windows | None = None
    units: Units | None = None
    time_format: TimeFormat | None = None


class _State(State, frozen=True):
    table: dict[str, Any]
    steps: Count
    flat: bool
    names: list[str] | None
    series: dict[str, Any] | None
    windows: dict[str, Any] | None = None
    time_format: NumberFormat | DateFormat | None = None
    patch: Count = 1
    unequal: bool = False


class _Series(State, frozen=True):
    target: str | int | list[str | int] | None
    time: str | None
    group: str | None
    steps: Count
    horizon: Count
    known: list[str] = []
    format: NumberFormat | list[NumberFormat | None] | None = None
    time_format: NumberFormat | DateFormat | None = None
    paces: list[Pace] = []
    holidays: str | None = None
    fill: Fill | None = None


@final
class SequenceEncoder(Encoder[Steps]):
    """Sequences of steps of features; all steps together are encoded as one table.

    So numbers are standardised, text is one-hot, and where values are missing a feature says so;
    of text with many values a step has the number of its value, for a layer that embeds it.
    The rows are Dense where all sequences have equally many steps, else Sequences.

    Parameters
    ----------
    group, time : str or None
        Columns of a long table: which sequence a row belongs to, and its place in it.
    by_step : bool, default=False
        Whether each step has a target, instead of each sequence.
    scaling : {"window", "series", "global"}, default="global"
        How the numbers of windows are scaled; see :class:`WindowFeatures`.
    calendar : bool, default=False
        Whether the place of each step of windows in the calendar is a feature.
    target_transform : {"log", "log1p"}, optional
        What the target of windows goes through.
    vocabulary : Vocabulary, optional
        Which values are known of text columns that are embedded; without it, and in windows, none
        are.
    patch_size : int or "auto", default=1
        How many neighbouring steps of a sequence are read as one; see :meth:`Sequences.patched`.
        "auto" makes about 36 patches of the longest sequence, if that has at least 50 steps.
    already : tuple of DataFrame and Reading, optional
        The table of windows, and what was read of it to learn from.

    Attributes
    ----------
    table : TableEncoder
        What was learned about the features.
    steps : int
        The number of steps of the longest sequence.
    patch : int
        How many steps are read as one.
    unequal : bool
        Whether sequences of fit were of unequal length.
    flat : bool
        Whether X had one feature, and no axis for it.
    names : list of str or None
        The names of a flat table's columns, which are its steps.
    windows : WindowFeatures or None
        What was learned about windows of a series.
    series : dict or None
        How windows were cut from a series: target, time, group, steps and horizon, and the format
        of the target's numbers where they are text.
    time_format : NumberFormat, DateFormat or None
        How the times of a long table are written, if they are text or digits.
    """

    steps: int
    flat: bool
    patch: int = 1
    unequal: bool = False
    series: dict[str, Any] | None = None
    windows: WindowFeatures | None = None
    time_format: TimeFormat | None = None

    def __init__(
        self,
        group: str | None = None,
        time: str | None = None,
        by_step: bool = False,
        scaling: str = "global",
        calendar: bool = False,
        target_transform: str | None = None,
        vocabulary: Vocabulary | None = None,
        patch_size: int | str = 1,
        already: tuple[Any, Reading[Table]] | None = None,
    ) -> None:
        self.group, self.time, self.by_step = group, time, by_step
        self.scaling, self.calendar, self.target_transform = scaling, calendar, target_transform
        self.vocabulary, self.patch_size, self.already = vocabulary, patch_size, already
        self.table = TableEncoder()

    def _read(self, estimator: Any, X: Any, learn: bool) -> Reading[Steps]:
        X = X if self.by_step else as_windows(X)
        if not learn and self.windows is not None and not self.windows.ahead:
            X = of_array(X, self.series or {}) or X
        if isinstance(X, Windows):
            return self._read_windows(estimator, X, learn)
        if isinstance(X, Mapping):
            check_several(estimator, X)
        if not learn and (self.windows is not None or (self.series and _is_table(X))):
            came = "a table" if _is_table(X) else type(X).__name__
            raise TypeError(
                f"X of {owner_of(estimator)} must be windows of a series, as in fit. Got {came}. "
                "Use forecast for what comes after the last row of a table, or cut it by "
                "pellucid.data.windows or last_window."
            )
        flat, names, order, form = False, None, None, None
        if self.group is not None or self.time is not None:
            known = None if learn else self.time_format
            groups = Groups.of(owner_of(estimator), X, self.group, self.time, known)
            form = groups.times.format if groups.times else None
            values, lengths, order = groups.table, groups.lengths, groups.order
            # the table need not live as long as the layout
            by_row: Layout = replace(groups, table=None, times=None)
            by_step = StepLayout("table", lengths, groups.order)
        else:
            arrays = _listed(X)
            flat = self._is_flat(estimator, arrays, learn)
            if flat:
                arrays, names = one_feature(estimator, X, learn, True, _OR_LONG)
            elif isinstance(arrays, np.ndarray) and arrays.ndim == 2:
                arrays = arrays[:, :, None]
            values, lengths = _all_steps(owner_of(estimator), arrays)
            by_row = RowLayout(len(lengths))
            by_step = StepLayout("array" if isinstance(arrays, np.ndarray) else "list", lengths)
        with nullcontext() if order is None else rows_at(order):
            table = self.table.read(estimator, values, learn)
        starts = np.cumsum(lengths) - lengths
        longest = int(lengths.max())
        steps = Steps(table, starts, lengths, longest, flat, names, time_format=form)
        return Reading(steps, by_step if self.by_step else by_row)

    def _read_windows(self, estimator: Any, X: Windows, learn: bool) -> Reading[Steps]:
        owner = owner_of(estimator)
        self.check_windows(owner)
        if not learn and self.series and X.steps != self.steps:
            raise ValueError(
                f"X of {owner} must be windows of {self.steps} steps, as in fit. Got windows of "
                f"{X.steps}."
            )
        if not learn and self.series:
            self._check_format(owner, X.about.get("format"))
        with rows_at(X.order):
            table = self._read_table(estimator, X.table, learn)
        lengths = np.full(len(X), X.steps, dtype=np.int64)
        units = None
        if not learn and self.windows is not None:
            units = self.windows.units(self.table, table.content, X)
        steps = Steps(table, X.starts, lengths, X.steps, windows=X, units=units)
        return Reading(steps, WindowLayout(X))

    def check_windows(self, owner: str) -> None:
        """Refuse windows where sequences of another kind are to be learned."""
        if self.by_step:
            raise ValueError(
                f"X of {owner} must be sequences where each step has a target. Got windows, whose "
                "target is what comes after them. Leave return_sequences=True out."
            )
        if self.patch_size not in (1, "auto"):
            raise ValueError(
                f'patch_size of {owner} must be "auto" or 1 for windows, which are cut to the '
                f"steps that are wanted. Got {self.patch_size}."
            )

    def _read_table(self, estimator: Any, table: Any, learn: bool) -> Reading[Table]:
        """The table of windows; what was read of it already is taken as it was decided to be."""
        source, reading = self.already or (None, None)
        if reading is None or source is not table:
            return self.table.read(estimator, table, learn)
        content = reading.content
        return replace(reading, content=content if learn else self.table.as_decided(content))

    def _check_format(self, owner: str, came: Any) -> None:
        """Refuse windows whose target was read otherwise than in fit: y would be wrong."""
        formats = (self.series or {}).get("format"), came
        pairs = zip(*(one if isinstance(one, list) else [one] for one in formats), strict=False)
        for known, other in pairs:
            if known is not None and other not in (None, known):
                raise ValueError(
                    f"X of {owner} must be windows whose target is read as in fit, as "
                    f"{known.words}. Got {other.words}. Cut them by windows(..., "
                    "like=model.sequences_.series)."
                )

    def _is_flat(self, estimator: Any, arrays: Any, learn: bool) -> bool:
        """Whether X has one feature, and no axis for it; it must be as in fit."""
        flat = isinstance(arrays, np.ndarray) and arrays.ndim < 3
        if learn or flat == self.flat:
            return flat
        if flat and arrays.size and self.table.n_features == 1:
            return False  # such as a list of sequences that happen to be equally long
        shapes = "(rows, steps, features)", "(rows, steps)"
        raise ValueError(
            f"X of {owner_of(estimator)} must have the shape {shapes[self.flat]}, as in fit. "
            f"Got {shapes[flat]}.{' [X] is a single sequence.' if flat else ''}"
        )

    def learn(self, estimator: Any, reading: Reading[Steps], weights: Any, dtype: Any) -> Rows:
        steps = reading.content
        if steps.windows is not None:
            X = steps.windows
            used = X if weights is None else X[weights > 0]
            covered = used.covered.astype(np.float64)
            table = self.learn_windows(estimator, used, steps.table.content, covered, dtype)
            encoded = self.table.encode(estimator, replace(steps.table, content=table)).values
            assert self.windows is not None
            return self.windows.rows(self.table, table, X, encoded)
        if weights is not None and not self.by_step:
            weights = np.repeat(weights, steps.lengths)
        self.steps, self.flat, self.names = steps.longest, steps.flat, steps.names
        self.time_format = steps.time_format
        self.unequal = bool((steps.lengths != steps.longest).any())
        # patches put several steps side by side, and a layer looks for tokens at the front
        self.table.vocabulary = self.vocabulary if self.patch_size in (1, "auto") else None
        self.patch = self._patch(owner_of(estimator), steps)
        rows = self.table.learn(estimator, steps.table, weights, dtype)
        if self.table.token_count:
            self.patch = 1
        self.notes = list(self.table.notes)
        if self.patch_size == "auto" and self.patch > 1:
            self.notes.append(f"{self._patches()}; patch_size sets another size")
        self.name_features(estimator)
        return self._as_sequences(rows, steps)

    def learn_windows(
        self, estimator: Any, X: Any, table: Table, covered: Any, dtype: Any
    ) -> Table:
        """Learn from windows; their table with its columns as they were decided to be.

        Parameters
        ----------
        X : Windows or PartedWindows
        table : Table
            What was read of their table, which may not be in memory.
        covered : ndarray of shape (rows,), or what is read by slices as one
            1 in the rows that windows cover, 0 in others: those may lie in the future.
        """
        self.series, self.table.given, self.table.vocabulary = X.about, X.formats, None
        self.steps, self.flat, self.names, self.time_format = X.steps, False, None, None
        self.unequal, self.patch = False, 1
        learned = self.table.learn_from(estimator, table, covered, dtype)
        self.notes = [*X.notes, *self.table.notes]
        self.name_features(estimator)
        self.windows = WindowFeatures(self.scaling, self.target_transform).fit(
            self.table, X, lambda: parts_of(X, learned), self.calendar
        )
        self.table.drifting = self.windows.scaled
        return learned

    def cautions(self, reading: Reading[Steps], codes: np.ndarray) -> list[str]:
        steps = reading.content
        numbers = steps.table.content.matrix
        count, longest = len(steps.lengths), steps.longest
        if self.by_step or codes.dtype.kind != "f" or steps.windows is not None or numbers is None:
            return []
        if count < _FEWEST or longest < 2 or (steps.lengths != longest).any():
            return []
        rows = np.asarray(numbers).reshape(count, longest, -1)
        goes_on = (rows[1:, :-1] == rows[:-1, 1:]).all(axis=(1, 2)).mean() > 0.5
        if not goes_on or (rows == rows[:1]).all():
            return []
        return [
            "each sequence is the one before, a step later: windows of a series that is given as a "
            "DataFrame or Series to pellucid.data.windows are scaled one by one, and forecast "
            "better."
        ]

    def encode(self, estimator: Any, reading: Reading[Steps]) -> Rows:
        steps = reading.content
        rows = self.table.encode(estimator, steps.table)
        if steps.windows is None or self.windows is None:
            return self._as_sequences(rows, steps)
        self.windows.warn_of_new_series(steps.windows)
        return self.windows.rows(self.table, steps.table.content, steps.windows, rows.values)

    def few_rows(self, X: np.ndarray) -> Dense | None:
        special = self.series or self.by_step or self.flat or self.patch > 1 or self.group
        if special or self.time or self.windows is not None or not self.table.plain:
            return None
        if X.ndim != 3 or not 0 < len(X) <= FEW_ROWS or X.shape[2] != self.table.n_features:
            return None
        if not X.shape[1] or X.dtype.kind != "f" or not np.isfinite(X).all():
            return None
        matrix = X.reshape(-1, X.shape[2])
        return Dense(self.table.encoded(matrix).reshape(*X.shape[:2], -1))

    def _patch(self, owner: str, steps: Steps) -> int:
        """How many steps are read as one."""
        if self.patch_size == "auto":
            if steps.windows is not None or steps.longest < LONG:
                return 1
            return 2 * max(2, round(steps.longest / PATCHES))
        size = int(self.patch_size)
        if size > steps.longest:
            raise ValueError(
                f"patch_size of {owner} must be at most the steps of the longest sequence, "
                f"{steps.longest}. Got {size}."
            )
        return size

    def _patches(self) -> str:
        """How sequences are read, in words."""
        return f"sequences of up to {self.steps} steps are read in patches of {self.patch}"

    def _as_sequences(self, rows: Dense, steps: Steps) -> Rows:
        """The encoded steps of all sequences, `rows`, as one row a sequence."""
        found = Sequences(rows.values, steps.starts, steps.lengths, steps.longest)
        if self.patch > 1:
            found = found.patched(self.patch)
        if steps.windows is None and (found.lengths == found.steps).all():
            return Dense(found.values.reshape(found.shape))
        return found

    def units(self, estimator: Any, reading: Reading[Steps]) -> Units | None:
        steps = reading.content
        if self.windows is None or steps.windows is None or steps.units is not None:
            return steps.units
        content = self.table.as_decided(steps.table.content)
        return self.windows.units(self.table, content, steps.windows)

    @property
    def target_columns(self) -> list[int]:
        """Where the targets of windows of a series stand among its columns."""
        assert self.series is not None
        targets, names = as_list(self.series["target"]), self.table.names
        return targets if names is None else [names.index(name) for name in targets]

    @property
    def domain(self) -> str:  # type: ignore[override]
        """Windows of a series, or sequences."""
        return "windows" if self.series else "sequences"

    @property
    def shape(self) -> tuple[int, int]:
        if self.windows is None:
            count = int(patch_counts(self.steps, self.patch))
            return count, self.table.n_outputs * self.patch
        return self.steps + self.windows.ahead, self.windows.width(self.table)

    @property
    def output_names(self) -> list[str]:
        if self.windows is not None:
            return [name for name, _ in self.windows.outputs(self.table)]
        if self.patch == 1:
            return self.table.output_names
        steps = range(self.patch)
        return [f"{name}, step {step}" for step in steps for name in self.table.output_names]

    @property
    def output_sources(self) -> list[str]:
        if self.windows is not None:
            return [source for _, source in self.windows.outputs(self.table)]
        return self.table.output_sources * self.patch

    @property
    def token_count(self) -> int:  # type: ignore[override]
        return self.table.token_count

    @property
    def beside_tokens(self) -> int:  # type: ignore[override]
        return self.table.beside_tokens

    @property
    def parameters(self) -> dict[str, Any]:
        return super().parameters | {
            "group": self.group,
            "time": self.time,
            "return_sequences": self.by_step,
            "patch_size": self.patch_size,
        }

    @property
    def dtype(self) -> np.dtype:  # type: ignore[override]
        """The type of the rows."""
        return self.table.dtype

    @property
    def text_columns(self) -> list[str]:
        return self.table.text_columns

    @property
    def n_features(self) -> int:
        return self.steps if self.flat else self.table.n_features

    @property
    def feature_names(self) -> list[str] | None:
        return self.names or self.table.names

    def describe(self) -> list[str]:
        what = "windows of" if self.series else "sequences of up to"
        scaled = "" if self.windows is None else f", {self.windows.words()}"
        patches = f", in patches of {self.patch}" if self.patch > 1 else ""
        return [f"{what} {self.steps} steps{patches}{scaled}", *self.table.describe()]

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        config, arrays = self.table.state()
        state: dict[str, Any] = {
            "table": config,
            "steps": self.steps,
            "flat": self.flat,
            "names": self.names,
            "series": msgspec.to_builtins(self.series),
        }
        if self.windows is not None:
            state["windows"], own = self.windows.state()
            arrays |= {f"windows.{name}": array for name, array in own.items()}
        if self.time_format is not None:  # so the digest of a model without one stays what it was
            state["time_format"] = msgspec.to_builtins(self.time_format)
        if self.patch > 1:  # likewise
            state["patch"] = self.patch
        if self.unequal:
            state["unequal"] = True
        return state, arrays

    def from_state(self, config: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        state = _State.of(config, "the encoder of sequences")
        own = {name: array for name, array in arrays.items() if name.startswith("windows.")}
        self.table.from_state(
            state.table, {name: array for name, array in arrays.items() if name not in own}
        )
        self.steps, self.flat, self.names = state.steps, state.flat, state.names
        self.time_format, self.patch = state.time_format, state.patch
        self.unequal = state.unequal
        if self.patch_size not in ("auto", self.patch) or self.patch > self.steps:
            raise ValueError(
                f"the steps of a patch must be patch_size, {shown(self.patch_size)}, and at most "
                f"those of a sequence, {self.steps}. Got {self.patch}."
            )
        check_names("a table's steps", self.names, self.steps)
        if self.flat and (self.table.n_features, self.table.names) != (1, None):
            raise ValueError(
                "sequences without an axis of features must have one feature. Got "
                f"{self.table.n_features}."
            )
        if self.table.token_count and self.patch > 1:
            raise ValueError(
                "steps with values that are embedded must be read one by one. Got patches of "
                f"{self.patch}."
            )
        for column in (self.group, self.time):
            if not isinstance(column, str | None):
                raise ValueError(f"group and time must be names of columns. Got {shown(column)}.")
        if (state.windows is None and own) or (state.windows and state.series is None):
            raise ValueError(
                "the features of windows must be those of a series. Got some without it."
            )
        if state.series is not None:
            fields = msgspec.structs.asdict(_Series.of(state.series, "the series of windows"))
            always = ("target", "time", "group", "steps", "horizon")
            series = {name: fields[name] for name in fields if name in always or fields[name]}
            self.series = series
            if state.windows is not None:
                scales = {name.removeprefix("windows."): array for name, array in own.items()}
                self.windows = WindowFeatures.from_state(
                    state.windows, scales, self.table.kinds, series["horizon"]
                )
                self.table.drifting = self.windows.scaled
                if self.windows.holidays != series.get("holidays"):
                    raise ValueError(
                        "the holidays of windows must be those of the series. Got "
                        f"{shown(self.windows.holidays)} and {shown(series.get('holidays'))}."
                    )
            if series["steps"] != self.steps or self.by_step or self.patch > 1:
                raise ValueError(
                    f"the steps of windows must be those of the series. Got {series['steps']} "
                    f"and {self.steps}."
                )
        return self


def parts_of(X: Any, table: Table) -> Iterator[Table]:
    """The rows of a table in memory, part by part of the windows that are cut of it."""
    if table.in_memory:
        yield table
        return
    begin = 0
    for part in X.parts:
        yield table.taken(slice(begin, begin + len(part.order)))
        begin += len(part.order)


def _listed(X: Any) -> Any:
    """`X` as one array, or as a list of arrays, one a sequence."""
    if type(X) is np.ndarray and X.dtype != object:
        return X
    import narwhals as nw

    if nw.dependencies.is_into_dataframe(X):
        return np.zeros((0, 0))  # rank 2, whatever its columns are
    array = plain_array(X)
    if isinstance(array, np.ndarray) and array.dtype != object:
        return array
    if isinstance(array, np.ndarray) and array.ndim != 1:
        try:
            return array.astype(np.float64)
        except (TypeError, ValueError):
            return array
    if not isinstance(array, (list, tuple, np.ndarray)):
        return np.asarray(array)
    if not len(array):
        return np.zeros((0, 0, 0))
    if _tables(array):
        return list(array)
    sequences = [plain_array(sequence) for sequence in array]
    if all(_rank(sequence) == 0 for sequence in sequences):
        return np.asarray(array)
    if all(isinstance(sequence, (list, tuple)) for sequence in sequences):
        try:  # lists of numbers, or of lists of them, that make up one array
            return np.asarray(array, dtype=np.float64)
        except (TypeError, ValueError):
            pass
    return sequences


def _all_steps(owner: str, arrays: Any) -> tuple[Any, np.ndarray]:
    """All steps of what :func:`_listed` gave as one table, and each sequence's number of steps."""
    if isinstance(arrays, np.ndarray):
        values, lengths = _from_array(owner, arrays)
    elif _tables(arrays):
        return _from_tables(owner, arrays)
    else:
        values, lengths = _from_list(owner, arrays)
    if values.dtype.kind == "f" and np.isinf(values).any():  # NaN is a missing value
        row, feature = np.argwhere(np.isinf(values))[0]
        sequence = int(np.searchsorted(np.cumsum(lengths), row, side="right"))
        step = int(row - lengths[:sequence].sum())
        raise ValueError(
            f"X of {owner} must be finite, or NaN where a value is missing. Got infinity in "
            f"sequence {sequence}, step {step}, feature {feature}."
        )
    return values, lengths


def _rank(value: Any) -> int:
    try:
        return np.ndim(value)
    except ValueError:  # a list of lists that differ in length
        return 2


def _tables(arrays: Any) -> bool:
    """Whether all sequences of a list are tables."""
    import narwhals as nw

    return all(nw.dependencies.is_into_dataframe(array) for array in arrays)


def _is_table(X: Any) -> bool:
    import narwhals as nw

    return nw.dependencies.is_into_dataframe(X) or nw.dependencies.is_into_series(X)


def _from_tables(owner: str, tables: list[Any]) -> tuple[Any, np.ndarray]:
    """All tables as one, columns put together by name, and each table's length."""
    import narwhals as nw

    frames = [nw.from_native(table, eager_only=True) for table in tables]
    names = frames[0].columns
    for position, frame in enumerate(frames):
        if set(frame.columns) != set(names):
            raise ValueError(
                f"sequence {position} of X of {owner} must have the columns of sequence 0, "
                f"{shown(names)}. Got {shown(frame.columns)}."
            )
        if not len(frame):
            raise _no_step(owner, position)
    lengths = np.array([len(frame) for frame in frames], dtype=np.int64)
    return nw.concat([frame.select(names) for frame in frames]).to_native(), lengths


def _no_step(owner: str, position: int) -> ValueError:
    return ValueError(
        f"sequence {position} of X of {owner} must have at least one step. Got none. Leave it out, "
        "and its target."
    )


def _from_array(owner: str, array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if array.ndim == 3 and not len(array):
        raise ValueError(f"X of {owner} must have at least one sequence. Got none.")
    if array.ndim != 3 or array.dtype.kind not in "biuf" or not array.size:
        raise ValueError(
            f"X of {owner} must be sequences of shape (rows, steps, features) or (rows, steps), or "
            f"a list of arrays of shape (steps, features). Got {array.dtype} of shape "
            f"{array.shape}."
        )
    rows, steps, features = array.shape
    return array.reshape(-1, features), np.full(rows, steps, dtype=np.int64)


def _from_list(owner: str, sequences: list[Any]) -> tuple[np.ndarray, np.ndarray]:
    arrays: list[np.ndarray] = []
    for position, sequence in enumerate(sequences):
        try:
            array = np.asarray(sequence, dtype=np.float64)
        except (TypeError, ValueError):
            array = np.asarray(sequence, dtype=object)
        if array.ndim == 1 and array.dtype != object:
            array = array[:, None]
        if array.ndim != 2 or array.dtype == object:
            came = shown(sequence) if isinstance(sequence, str) else type(sequence).__name__
            more = ", not of numbers" if array.dtype == object else ""
            raise ValueError(
                f"sequence {position} of X of {owner} must be numbers of shape (steps, features). "
                f"Got {came} of shape {array.shape}{more}."
            )
        if not len(array):
            raise _no_step(owner, position)
        if arrays and array.shape[1] != arrays[0].shape[1]:
            raise ValueError(
                f"sequence {position} of X of {owner} must have as many features as sequence 0, "
                f"{arrays[0].shape[1]}. Got {array.shape[1]}."
            )
        arrays.append(array)
    return np.concatenate(arrays), np.array([len(array) for array in arrays], dtype=np.int64)
