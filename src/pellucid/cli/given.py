"""What DATA holds for `fit`: a table, a series, sequences, or a folder of pictures."""

from __future__ import annotations

import glob
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from pellucid.checks import file_name, row_words, rows_at, rows_of_file, shown
from pellucid.cli import frames, series
from pellucid.cli.families import family, takers
from pellucid.cli.frames import Kept
from pellucid.cli.series import GroupedRows, SeriesOptions

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Request:
    """What the user asks of DATA."""

    data: str
    targets: tuple[str, ...]
    drop: tuple[str, ...]
    network: str | None
    task: str
    encoding: str | None
    series: SeriesOptions
    each_step: bool  # whether each step of a sequence has a target


class Parts(NamedTuple):
    """What a folder has beside the pictures to learn from."""

    test: str | None
    validation: tuple[list[str], np.ndarray] | None


class Given(NamedTuple):
    """The data, the network and task that they are for, and what to print about them."""

    X: Any
    y: Any
    targets: tuple[str, ...]
    pictures: bool
    network: str
    task: tuple[str, str]
    words: str
    what: str = "row"
    in_file: Any = None  # the targets of a table, row by row
    kept: Kept = Kept(None)  # which rows of the file are in hand
    groups: np.ndarray | None = None  # a number for each row; those of one number stay together
    parts: Parts | None = None  # of a folder that has a part to test on
    unused: tuple[str, ...] = ()  # columns beside paths of pictures

    @property
    def are_pictures_of_classes(self) -> bool:
        """Whether each is a picture with one class."""
        return self.pictures and self.task[0] == "classification" and len(self.targets) == 1

    @contextmanager
    def rows_in_file(self, data: str, positions: np.ndarray | None = None) -> Iterator[None]:
        """Let errors name rows of the file `data`; those at `positions` of X are in hand."""
        from pellucid.data.windows import Windows

        with ExitStack() as stack:
            stack.enter_context(rows_of_file(data))
            stack.enter_context(self.kept.numbered())
            if positions is not None and not isinstance(self.X, Windows):  # which know their rows
                grouped = isinstance(self.X, GroupedRows)
                stack.enter_context(rows_at(self.X.rows(positions) if grouped else positions))
            yield


def read(request: Request) -> Given:
    """What DATA holds: pictures by folders, or a table with its targets."""
    _check_one(request.data)
    with rows_of_file(request.data):
        if request.series.steps:
            return _series(request)
        return _folder(request) if Path(request.data).is_dir() else _table(request)


def _check_one(data: str) -> None:
    """Refuse several tables, which are not read at once."""
    from pellucid.cli.parts import are_several
    from pellucid.data.containers import is_table
    from pellucid.data.folders import files_below
    from pellucid.words import counted

    if not are_several(data):
        return
    there = files_below(data) if Path(data).is_dir() else glob.glob(data, recursive=True)
    if there and all(map(is_table, there)):
        raise click.UsageError(
            f"{file_name(data)} must be one table. Got {counted(len(there), 'file')}. `pellucid "
            "fit` reads several, one after the other, with --on-disk."
        )


def _table(request: Request) -> Given:
    from pellucid.cli.pictures import is_text, path_column, paths_of
    from pellucid.data import infer_task, split_target
    from pellucid.words import counted

    data, targets, network, options = (
        request.data, request.targets, request.network, request.series
    )  # fmt: skip
    frame = _frame(request)
    sequences = network in takers("sequences")
    group = options.group if sequences else None
    kept = frames.with_targets(frame, targets, data, group, frames.to_learn(request.task))
    with kept.numbered():
        wanted = targets[0] if len(targets) == 1 else list(targets)
        X, y = split_target(kept.frame, wanted, file_name(data))
        _check_varied(kept.frame, targets, data)
        X, groups = (X, None) if sequences else _grouped(X, options.group, data)
        if network is None and path_column(X, data, certain=True):
            network = "cnn"
        reads_text = network in [*takers("sequences"), *takers("pictures")]
        text = reads_text and not options.group and is_text(X, data)
        pictures = network in takers("pictures") and not text
        column = path_column(X, data) if pictures else None
        unused: tuple[str, ...] = ()
        if text:
            words = f"{counted(len(X), 'text')} to learn from"
        elif column is None:
            words = f"{counted(len(X), 'row')}, {counted(X.shape[1], 'column')} to learn from"
        else:
            unused = tuple(name for name in _columns(X) if name != column)
            # which no estimator takes for text
            X = [Path(path) for path in paths_of(X, column, data)]
            words = f"{counted(len(X), 'picture')} to learn from"
        if sequences and not (group or text):
            series.check_numbers(X, str(network))
        task = infer_task(y) if request.task == "auto" else (request.task, "")
        in_file, what = y, "row" if column is None else "picture"
        if group:
            owner = family(str(network), task[0]).__name__
            X, y, words = series.read_groups(owner, X, y, options, request.each_step)
            what = "sequence"
    return Given(
        X, y, targets, column is not None, network or "fcnn", task, words, what, in_file,
        kept._replace(frame=None), groups, None, unused,
    )  # fmt: skip


def _columns(frame: Any) -> list[str]:
    import narwhals as nw

    return nw.from_native(frame, eager_only=True).columns


def _grouped(X: Any, group: str | None, data: str) -> tuple[Any, np.ndarray | None]:
    """The columns but that of groups, which is a name and nothing to learn from; and the groups."""
    import narwhals as nw
    import numpy as np

    from pellucid.data.column_values import is_missing

    if group is None:
        return X, None
    table = nw.from_native(X, eager_only=True)
    frames.check_column("--group", group, table.columns, data)
    names = table[group].to_list()
    for row, name in enumerate(names):
        if is_missing(name):
            raise ValueError(
                f"column {shown(group)} of {file_name(data)} must have a name in every row. Got "
                f"none in {row_words(row)}. Fill it in, or remove such rows."
            )
    _, codes = np.unique(list(map(str, names)), return_inverse=True)
    if codes.max() == 0:
        raise ValueError(
            f"column {shown(group)} of {file_name(data)} must have two groups or more, to learn "
            "from some and test on others. Got one. Leave --group out."
        )
    return table.drop(group).to_native(), codes


def _frame(request: Request) -> Any:
    """The table, without the columns that are to be dropped."""
    import narwhals as nw

    from pellucid.words import listed

    frame = frames.read(request.data, request.encoding)
    if not request.targets:
        columns = nw.from_native(frame, eager_only=True).columns
        raise click.UsageError(
            "--target must name the column to learn. "
            f"{file_name(request.data)} has: {listed(columns, 40)}."
        )
    options = request.series
    needed = [name for name in (*request.targets, options.time, options.group) if name]
    return frames.without(frame, request.drop, request.data, needed)


def _series(request: Request) -> Given:
    """Windows of a series."""
    if request.task == "classification":
        raise click.UsageError("--task must be regression for a series: forecasts are numbers.")
    frame = _frame(request)
    X, y, words = series.read_windows(frame, request.targets, request.series)
    _check_varied(frame, request.targets, request.data)
    task = ("regression", "")
    return Given(X, y, request.targets, False, str(request.network), task, words, "window")


def _check_varied(frame: Any, targets: tuple[str, ...], data: str) -> None:
    """Refuse targets that are the same in all rows: there is nothing to learn."""
    import narwhals as nw

    table = nw.from_native(frame, eager_only=True)
    for name in targets:
        if len(table) > 1 and table[name].n_unique() == 1:
            raise ValueError(
                f"column {shown(name)} of {file_name(data)} must have different values to be "
                f"learned. Got {shown(table[name].to_list()[0])} in all {len(table):,} rows. Name "
                "another target."
            )


def _folder(request: Request) -> Given:
    """A folder of pictures: the class is the folder's name."""
    import numpy as np

    from pellucid.checks import either
    from pellucid.data import list_pictures
    from pellucid.data.folders import Split
    from pellucid.words import counted

    known = takers("pictures")
    if request.network not in (None, *known):
        raise click.UsageError(
            f"--network must be {either(known)} for a folder of pictures. Got {request.network}."
        )
    for option, value in (("--drop", request.drop), ("--encoding", request.encoding)):
        if value:
            raise click.UsageError(f"{option} needs a table. Got a folder of pictures.")
    if request.targets or request.task == "regression":
        raise click.UsageError(
            "the classes of a folder of pictures are its folders' names: leave --target and --task "
            "out. Numbers to learn go into a CSV, beside a column of paths."
        )
    if request.series.group:
        raise click.UsageError("--group names a column of a table. Got a folder of pictures.")
    split = Split.of(request.data)
    paths, classes = list_pictures(request.data if split is None else split.part("learn"))
    words = f"{counted(len(paths), 'picture')} in {counted(len(set(classes)), 'class folder')}"
    parts = None
    if split is not None:
        words = f"{words} of {split.part('learn').name}/; {split.note}"
        validation = None
        if split.to_watch is not None:
            pictures, answers = list_pictures(split.to_watch, least=1)
            validation = pictures, np.array(answers)
        test = split.part("test")
        parts = Parts(None if test == split.part("learn") else str(test), validation)
    network, task = request.network or "cnn", ("classification", "")
    return Given(
        paths, np.array(classes), ("class",), True, network, task, words, "picture", parts=parts
    )
