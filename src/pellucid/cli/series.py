"""Series and sequences at the command line: cut, split by time, scored and forecast."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from pellucid.checks import either
from pellucid.cli import frames
from pellucid.cli.families import takers
from pellucid.words import counted

if TYPE_CHECKING:
    from pellucid.data.series_parts import SeriesPart


@dataclass(frozen=True)
class SeriesOptions:
    """The options for series and sequences."""

    time: str | None = None
    group: str | None = None
    steps: int | None = None
    horizon: int | None = None
    fill: str | None = None
    folds: int | None = None
    known: tuple[str, ...] = ()
    holidays: str | None = None

    def check(self, network: str | None) -> None:
        """Refuse options that do not go together."""
        given = [name for name in ("time", "steps", "horizon", "fill") if getattr(self, name)]
        if given and network not in (known := takers("sequences")):
            raise click.UsageError(
                f"--{given[0]} needs --network {either(known)}. Got {network or 'none'}."
            )
        if self.folds and not self.steps:
            raise click.UsageError("--folds needs --steps: it tests forecasts of a series.")
        if self.horizon and not self.steps:
            raise click.UsageError(
                "--horizon needs --steps, the rows that the network looks back at."
            )
        if self.fill and not self.steps:
            raise click.UsageError("--fill needs --steps: it fills the gaps of a series.")
        if self.known and not self.steps:
            raise click.UsageError("--known needs --steps: it is of the steps ahead in a series.")
        if self.holidays and not self.steps:
            raise click.UsageError("--holidays needs --steps, and dates: it is of a series.")
        if self.time and not (self.steps or self.group):
            raise click.UsageError(
                "--time needs --steps, for a series that is to be continued, or --group, for many "
                "sequences."
            )


@dataclass(frozen=True)
class GroupedRows:
    """The sequences of a long table; an array of their positions takes the rows of some of them.

    It is written as of the first of several axes too, which is how scikit-learn takes rows.
    """

    frame: Any
    codes: np.ndarray
    count: int

    def __len__(self) -> int:
        return self.count

    @property
    def shape(self) -> tuple[int]:
        """How many there are."""
        return (self.count,)

    def __getitem__(self, positions: Any) -> Any:
        """All rows of the sequences at `positions`."""
        import narwhals as nw

        positions = positions[0] if isinstance(positions, tuple) else positions
        frame = nw.from_native(self.frame, eager_only=True, allow_series=True)
        return frame[self.rows(positions).tolist()].to_native()

    def some(self, positions: np.ndarray) -> GroupedRows:
        """The sequences at these positions, which ascend, by themselves."""
        codes = np.searchsorted(positions, self.codes[self.rows(positions)])
        return GroupedRows(self[positions], codes, len(positions))

    def rows(self, positions: np.ndarray) -> np.ndarray:
        """Where in the table the rows of these sequences are."""
        return np.flatnonzero(np.isin(self.codes, positions))


def read_windows(
    frame: Any, targets: Sequence[str], options: SeriesOptions
) -> tuple[Any, Any, str]:
    """Windows of the table, their targets, and a description of them."""
    horizon = options.horizon or 1
    target = targets[0] if len(targets) == 1 else list(targets)
    X, y = cut(frame, {**asdict(options), "horizon": horizon, "target": target})
    ahead = "the next step" if horizon == 1 else f"the next {horizon} steps"
    words = (
        f"{counted(len(frame), 'row')}, {counted(len(X), 'window')} of {options.steps} to learn "
        f"{ahead} from"
    )
    if X.about["time"] is None:  # nor in the index of a table of pandas
        words += ", in the order of the file: no --time is given"
    return X, y, words


def read_groups(
    owner: str, X: Any, y: Any, options: SeriesOptions, each_step: bool
) -> tuple[GroupedRows, Any, str]:
    """The sequences of a long table, their targets or those of their steps, and a description.

    `owner` is the estimator's name for errors.
    """
    from pellucid.data import Groups

    groups = Groups.of(owner, X, options.group, options.time)
    codes = np.empty(len(groups.order), dtype=np.int64)
    codes[groups.order] = np.repeat(np.arange(len(groups.labels)), groups.lengths)
    count = len(groups.labels)
    targets = GroupedRows(y, codes, count) if each_step else groups.flatten("the target", y)
    words = f"{counted(len(codes), 'row')}, {counted(count, 'sequence')} to learn from"
    return GroupedRows(X, codes, count), targets, words


def check_numbers(X: Any, network: str) -> None:
    """Refuse text where each row of a table would be one sequence of numbers."""
    import narwhals as nw

    for column in nw.from_native(X, eager_only=True).iter_columns():
        if not (column.dtype.is_numeric() or column.dtype == nw.Boolean):
            raise click.UsageError(
                f"--network {network} needs --steps, for a series to be continued, or --group, for "
                "many sequences: without them each row is one sequence and holds numbers alone, or "
                f"one column of text. Got {column.dtype} in column '{column.name}'."
            )


def split(X: Any, fraction: float) -> tuple[np.ndarray, np.ndarray, str]:
    """The first windows to learn from and the last to test, without a target in common.

    Windows with targets on both sides of the cut are left out.
    """
    learn, held = X.split(fraction)
    if not len(held):
        return np.arange(len(X)), held, f"Learning from all {counted(len(X), 'window')}."
    if not len(learn):
        raise click.UsageError(
            f"--test-fraction must leave windows to learn from. Got {fraction:g}, and all "
            f"{len(X):,} windows have answers in the rows held out, or are cut by them."
        )
    last = "the last is" if len(held) == 1 else f"the last {len(held):,} are"
    words = f"Learning from {counted(len(learn), 'window')}; {last} held out to test."
    return learn, held, words


def folds_of(X: Any, folds: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Origins that roll over the second half of the windows: what is before each, and its part."""
    from pellucid.inspection.backtesting import rolling_parts

    times = np.unique(X.when[X.ahead[:, 0]])
    parts = [(learn, held) for _, learn, held in rolling_parts(X, times, folds)]
    if len(times) < 2 * folds or not all(len(learn) and len(held) for learn, held in parts):
        raise ValueError(
            f"--folds must leave windows to learn from, and windows to forecast. Got {folds}, and "
            f"there are {len(X):,} windows. Use fewer folds or fewer --steps."
        )
    return parts


def levels_of(texts: Sequence[str]) -> list[float]:
    """The levels of intervals that ``--intervals`` names, each once."""
    levels: dict[float, None] = {}
    for text in ",".join(texts).split(",") if texts else ():
        try:
            level = float(text)
        except ValueError:
            level = 0.0
        if not 0 < level < 1:
            raise click.UsageError(
                f"--intervals must be shares between 0 and 1, as 0.8,0.95. Got {text.strip()}."
            )
        levels[level] = None
    return [*levels]


def forecasts(
    model: Any,
    parts: Iterable[SeriesPart],
    steps: int | None = None,
    levels: Sequence[float] = (),
) -> Iterator[dict[str, Any]]:
    """The `steps` after the end of each series, by column: group, time, targets and intervals.

    They come part by part of a table.
    """
    import narwhals as nw

    from pellucid.data.groups import index_of
    from pellucid.data.times import written

    about = model.sequences_.series
    horizon = about["horizon"] if steps is None else steps
    for found in model._forecast_parts(parts, steps, levels):
        if index_of(found) is not None:  # which a file of pandas may have
            names = [about[role] for role in ("group", "time") if about[role] not in found.columns]
            found = found.rename_axis([name for name in names if name]).reset_index()
        table = nw.from_native(found, eager_only=True)
        columns = {name: table[name].to_list() for name in table.columns}
        time = table.columns[0 if about["group"] is None else 1]
        columns[time] = [
            text if text and about["time"] is not None else f"+{place % horizon + 1}"
            for place, text in enumerate(written(columns[time]))
        ]
        yield columns


@contextmanager
def parts_of(
    model: Any, data: str, encoding: str | None, targets: Sequence[str] = ()
) -> Iterator[Iterable[SeriesPart]]:
    """The series in a file for a fitted model: of a long table in parts, one after the other."""
    import narwhals as nw

    from pellucid.cli.parts import are_several, table_parts
    from pellucid.data.series_parts import PART_ROWS, SeriesPart, SeriesParts

    about = model.sequences_.series
    group = about["group"]
    table = table_parts(model, data, encoding, targets=targets)
    whole = group is None or model.network_.chain.stateful  # rows go on from one another
    if whole or (table.rows is not None and table.rows <= PART_ROWS):
        if are_several(data):
            batches = [nw.from_native(frame, eager_only=True) for frame in table.frames()]
            frame = nw.maybe_reset_index(nw.concat(batches)).to_native()
        else:
            frame = frames.read(data, encoding, model, targets=targets)
        yield [SeriesPart(known_columns(model, frame), np.arange(len(frame)))]
        return

    def known(_: Any) -> Iterator[Any]:
        return (known_columns(model, frame) for frame in table.frames())

    with SeriesParts("windows", known, group, about["time"], PART_ROWS) as parts:
        yield parts


def windows_of(parts: Any, about: dict[str, Any]) -> Any:
    """The windows of what :func:`parts_of` gives, cut and read as `about` says."""
    from pellucid.data.parted_windows import PartedWindows
    from pellucid.data.window_cutting import WindowCutter

    if isinstance(parts, list):
        ((frame, _),) = parts
        return cut(frame, about)[0]
    cutter = WindowCutter(
        about["steps"], about["horizon"],
        target=about["target"], time=about["time"], group=about["group"],
        known=about.get("known", ()), holidays=about.get("holidays"), fill=about.get("fill"),
        like=about,
    )  # fmt: skip
    return PartedWindows.of(parts, cutter)


def about_of(model: Any) -> dict[str, Any] | None:
    """How the windows were cut that `model` learned from; None where it learned from others."""
    return getattr(getattr(model, "sequences_", None), "series", None)


def keys(model: Any, frame: Any, names: list[Any] | None) -> dict[str, list[Any]]:
    """The columns that tell what the predictions belong to: sequences, or their steps."""
    import narwhals as nw

    if model.return_sequences:
        table = nw.from_native(frame, eager_only=True)
        return {name: table[name].to_list() for name in (model.group, model.time) if name}
    return {} if model.group is None or names is None else {model.group: names}


def known_columns(model: Any, frame: Any) -> Any:
    """The columns of `frame` that a model of a series was trained on."""
    from pellucid.data import columns

    encoder = model.sequences_
    known = [*encoder.table.names, encoder.series["group"], encoder.series["time"]]
    return columns.known_columns(frame, known)


def cut(frame: Any, about: dict[str, Any]) -> tuple[Any, np.ndarray]:
    """Windows of a table and their targets, cut and read as `about` says."""
    from pellucid.data import windows

    return windows(
        frame, about["steps"], about["horizon"],
        target=about["target"], time=about["time"], group=about["group"],
        known=about.get("known", ()), holidays=about.get("holidays"), fill=about.get("fill"),
        like=about,
    )  # fmt: skip
