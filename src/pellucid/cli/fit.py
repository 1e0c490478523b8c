"""``pellucid fit``: a network from a table or a folder of pictures."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from pellucid.checks import rows_at, rows_of_file
from pellucid.cli import curves, series
from pellucid.cli.families import NETWORKS, family, takers
from pellucid.cli.series import GroupedRows, SeriesOptions

if TYPE_CHECKING:
    import numpy as np


@click.command(short_help="Train a network on a table, pictures or a series.")
@click.argument("data", type=click.Path())
@click.option(
    "-t",
    "--target",
    "targets",
    metavar="COLUMN",
    multiple=True,
    help="Column to predict; repeat it for several targets.",
)
@click.option(
    "--network",
    type=click.Choice(NETWORKS),
    help="Kind of network.  [default: fcnn for a table, cnn for a folder]",
)
@click.option(
    "--task",
    type=click.Choice(["auto", "classification", "regression"]),
    default="auto",
    show_default=True,
    help="What to predict; auto decides from the target.",
)
@click.option(
    "--config", type=click.Path(), metavar="FILE", help="JSON, TOML or YAML file with parameters."
)
@click.option(
    "--set",
    "settings",
    metavar="NAME=VALUE",
    multiple=True,
    help="One parameter, as in hidden_dim=64; overrides --config.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(),
    metavar="MODEL",
    help="Where to save the model.  [default: DATA's name with .safetensors]",
)
@click.option(
    "--test-fraction",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.2,
    show_default=True,
    help="Share of the rows held out to test the model; 0 for none.",
)
@click.option(
    "--plot",
    type=click.Path(),
    metavar="PNG",
    help="Draw loss and accuracy by epoch, and the test.",
)
@click.option(
    "--mistakes",
    type=click.Path(),
    metavar="PNG",
    help="Draw the test pictures that the model got wrong.",
)
@click.option("--time", metavar="COLUMN", help="Column with each row's time.")
@click.option("--group", metavar="COLUMN", help="Column with the name of each row's sequence.")
@click.option("--steps", type=click.IntRange(1), help="Past rows from which to forecast a series.")
@click.option("--horizon", type=click.IntRange(1), help="Rows to forecast.  [default: 1]")
@click.option(
    "--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Random seed."
)
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
def fit(
    data: str,
    targets: tuple[str, ...],
    network: str | None,
    task: str,
    config: str | None,
    settings: tuple[str, ...],
    output: str | None,
    test_fraction: float,
    plot: str | None,
    mistakes: str | None,
    time: str | None,
    group: str | None,
    steps: int | None,
    horizon: int | None,
    seed: int,
    quiet: bool,
) -> None:
    """Train a network on DATA: a table (CSV or Parquet), or a folder of pictures.

    A table may have text columns, missing values and dates. With --network cnn each row is a
    signal, or one column has paths to pictures. A folder of pictures has one folder for each class.

    A recurrent network, such as lstm, learns to forecast a series (--steps), or learns from many
    sequences with one target each (--group).

    The model is tested on rows held out from training, and saved.
    """
    from pellucid import files
    from pellucid.checks import size_text
    from pellucid.cli.pictures import draw_mistakes
    from pellucid.cli.scores import plain, report
    from pellucid.cli.words import counted, paragraph

    told = [] if quiet else [click.echo]

    def say(text: str) -> None:
        """Tell the user; a reader that has gone away does not lose the fit."""
        try:
            for tell in told:
                tell(text)
        except OSError:
            told.clear()
            # what waits to be written would fail again at the end
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    output = output or f"{Path(data).absolute().stem}.safetensors"
    _check_places(output, plot, mistakes)
    files.check_apart(output, data)
    options = SeriesOptions(time, group, steps, horizon)
    options.check(network)
    chosen = _chosen(config, settings)
    each_step = any(parameters.get("return_sequences") is True for _, parameters in chosen)
    with rows_of_file(data):
        given = _read(data, network, targets, task, options, each_step)
    say(f"{data}: {given.words}.")
    task, reason = given.task
    if reason:
        say(paragraph(f"{reason[:1].upper()}{reason[1:]}.", indent=2))
    if mistakes and not (given.pictures and task == "classification" and len(given.targets) == 1):
        raise click.UsageError("--mistakes needs pictures and one target of classes.")
    model = _estimator(given.network, task, chosen, seed, quiet)
    if given.in_file is not None:  # all of them, before some are held out
        with rows_of_file(data):
            _check_target(model, task, given.in_file)
    if options.group and not options.steps:
        model.set_params(group=options.group, time=options.time)

    if options.steps:
        split = Split(*series.split(given.X, test_fraction))
    else:
        labels = None if options.group and each_step else plain(given.y)
        split = _split(labels, len(given.y), task, test_fraction, seed, given.what)
    say(paragraph(split.words, indent=2))
    if mistakes and not len(split.test):
        raise click.UsageError("--mistakes needs rows held out: a --test-fraction above 0.")
    test, held_out = split.test, None

    def check_test() -> None:
        """Whatever is wrong with the rows held out is found before the training, not after it."""
        nonlocal test, held_out
        if given.pictures:
            test = test[model._input.readable(model, _rows(given.X, test))]
            if len(test) < len(split.test):
                say(f"{counted(len(split.test) - len(test), 'test picture')} cannot be read.")
        if len(test):
            with _rows_in_file(data, given.X, test):
                held_out = model._input.read(model, _rows(given.X, test))

    with _rows_in_file(data, given.X, split.train):
        X, y = _rows(given.X, split.train), _rows(given.y, split.train)
        model._fit(X, y, None, ready=check_test)
    model.target_names_ = list(given.targets)

    say("\n" + "\n".join(model.network_.summary_lines()) + "\n")
    X, y = _rows(given.X, test), _rows(given.y, test)
    if len(test):
        what = "picture" if given.pictures else given.what
        heading = f"Test on {counted(len(test), what)} not seen in training"
        if options.steps:
            say(series.report(heading, model, X, y, given.targets[0]) + "\n")
        else:
            say(report(heading, model, held_out, y, given.targets) + "\n")
    model.save(output)
    say(f"Model saved in {output} ({size_text(Path(output).stat().st_size)}).")
    if plot:
        title = f"{Path(data).absolute().name}: {', '.join(given.targets)}"
        curves.draw_fit(model, held_out, y, plot, title, given.targets)
        say(f"Curves drawn in {plot}.")
    if mistakes and len(test):
        wrong = draw_mistakes(model, X, plain(y), mistakes)
        say(f"{counted(wrong, 'wrong answer')} drawn in {mistakes}.")
    new = "NEW/" if Path(data).is_dir() else "NEW.csv"
    say(f"\nNext:  pellucid predict {shlex.quote(output)} {new}")


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


class Split(NamedTuple):
    """Positions of the rows to learn from and of those held out, and what to print about them."""

    train: np.ndarray
    test: np.ndarray
    words: str


def _check_places(output: str, plot: str | None, mistakes: str | None) -> None:
    """Refuse files that cannot be written before a long training, not after it."""
    for path in filter(None, (output, plot, mistakes)):
        if not Path(path).absolute().parent.is_dir():
            raise FileNotFoundError(
                f"'{path}' cannot be saved: the folder '{Path(path).parent}' does not exist. "
                "Make it first."
            )
        if Path(path).is_dir():
            raise IsADirectoryError(f"'{path}' cannot be saved: it is a folder. Name a file in it.")
    for option, picture in (("--plot", plot), ("--mistakes", mistakes)):
        if picture:
            curves.check(picture, option)


def _read(
    data: str,
    network: str | None,
    targets: tuple[str, ...],
    task: str,
    options: SeriesOptions,
    each_step: bool,
) -> Given:
    """What DATA holds: pictures by folders, or a table with its targets."""
    if options.steps:
        return _series(data, str(network), targets, task, options)
    if Path(data).is_dir():
        return _folder(data, network, targets, task)
    from pellucid.cli.pictures import paths_in
    from pellucid.cli.words import counted
    from pellucid.data import infer_task

    X, y = _table(data, targets)
    paths = paths_in(X, data) if network in takers("pictures") else None
    if paths is None:
        words = f"{counted(len(X), 'row')}, {counted(X.shape[1], 'column')} to learn from"
    else:
        X, words = paths, f"{counted(len(X), 'picture')} to learn from"
    if network in takers("sequences") and not options.group:
        series.check_numbers(X, str(network))
    decided = infer_task(y) if task == "auto" else (task, "")
    in_file = y
    if options.group:
        owner = family(str(network), decided[0]).__name__
        X, y, words = series.read_groups(owner, X, y, options, each_step)
        return Given(X, y, targets, False, str(network), decided, words, "sequence", in_file)
    kind = network or "fcnn"
    return Given(X, y, targets, paths is not None, kind, decided, words, in_file=in_file)


def _series(
    data: str, network: str, targets: tuple[str, ...], task: str, options: SeriesOptions
) -> Given:
    """Windows of a series."""
    from pellucid.data import read_table

    if len(targets) != 1:
        raise click.UsageError("a series needs one --target, the column to forecast.")
    if task == "classification":
        raise click.UsageError("--task must be regression for a series: forecasts are numbers.")
    X, y, words = series.read_windows(read_table(data), targets[0], options)
    return Given(X, y, targets, False, network, ("regression", ""), words, "window")


def _folder(data: str, network: str | None, targets: tuple[str, ...], task: str) -> Given:
    """A folder of pictures: the class is the folder's name."""
    import numpy as np

    from pellucid.cli.words import counted, either
    from pellucid.data import list_pictures

    known = takers("pictures")
    if network not in (None, *known):
        raise click.UsageError(
            f"--network must be {either(known)} for a folder of pictures. Got {network}."
        )
    if targets or task == "regression":
        raise click.UsageError(
            "the classes of a folder of pictures are its folders' names: leave --target and --task "
            "out. Numbers to learn go into a CSV, beside a column of paths."
        )
    paths, classes = list_pictures(data)
    words = f"{counted(len(paths), 'picture')} in {counted(len(set(classes)), 'class folder')}"
    return Given(
        paths, np.array(classes), ("class",), True, network or "cnn", ("classification", ""), words
    )


def _table(path: str, targets: tuple[str, ...]) -> tuple[Any, Any]:
    """The table without its targets, and the targets."""
    import narwhals as nw

    from pellucid.cli.words import listed
    from pellucid.data import read_table, split_target

    frame = read_table(path)
    if not targets:
        columns = nw.from_native(frame, eager_only=True).columns
        raise click.UsageError(
            f"--target must name the column to learn. '{path}' has: {listed(columns, 40)}."
        )
    return split_target(frame, targets[0] if len(targets) == 1 else list(targets), f"'{path}'")


def _chosen(config: str | None, settings: tuple[str, ...]) -> list[tuple[str, dict[str, Any]]]:
    """The parameters of --config, then those of --set, each with the name of its source."""
    from pellucid.data.configuration import parse_setting, read_configuration

    sources = [(f"'{config}'", dict(read_configuration(config)))] if config else []
    return [*sources, ("--set", dict(map(parse_setting, settings)))]


def _estimator(
    network: str, task: str, chosen: list[tuple[str, dict[str, Any]]], seed: int, quiet: bool
) -> Any:
    """The estimator with these parameters."""
    from pellucid.checks import unknown_parameter

    kind = family(network, task)
    known = list(kind().get_params(deep=False))
    parameters: dict[str, Any] = {"random_state": seed, "verbose": 0 if quiet else 1}
    for source, values in chosen:
        for key in values:
            if key not in known:
                raise TypeError(f"{source}: {unknown_parameter(kind.__name__, key, known)}")
        parameters.update(values)
    return kind(**parameters)


def _split(
    labels: np.ndarray | None, count: int, task: str, fraction: float, seed: int, what: str
) -> Split:
    """Hold out random rows, the same share of each class where there are enough rows.

    `labels` is None where every step has a label.
    """
    import numpy as np
    from sklearn.model_selection import train_test_split

    from pellucid.cli.words import counted

    rows = np.arange(count)
    held = round(fraction * len(rows))
    if held == 0:
        return Split(rows, rows[:0], f"Learning from all {counted(len(rows), what)}.")
    words = f"Learning from {counted(len(rows) - held, what)}; {held:,} are held out to test"
    strata = None
    if task == "classification" and labels is not None and labels.ndim == 1:
        _, counts = np.unique(labels.astype(str), return_counts=True)
        if counts.min() >= 2 and len(counts) <= min(held, len(rows) - held):
            strata, words = labels.astype(str), f"{words}, the same share of each class"
    train, test = train_test_split(rows, test_size=held, random_state=seed, stratify=strata)
    return Split(np.sort(train), np.sort(test), f"{words}.")


@contextmanager
def _rows_in_file(data: str, X: Any, positions: np.ndarray) -> Iterator[None]:
    """Let errors name the rows of the file `data`; those at `positions` of X are in hand."""
    from pellucid.data.windows import Windows

    with ExitStack() as stack:
        stack.enter_context(rows_of_file(data))
        if not isinstance(X, Windows):  # which know their rows
            rows = X.rows(positions) if isinstance(X, GroupedRows) else positions
            stack.enter_context(rows_at(rows))
        yield


def _check_target(model: Any, task: str, y: Any) -> None:
    """Refuse targets that `model` cannot learn, while their rows are those of the file."""
    from pellucid.data.targets import NumberTarget, class_target

    target = class_target(model, y) if task == "classification" else NumberTarget()
    target.fit(model, y)


def _rows(values: Any, positions: np.ndarray) -> Any:
    """These rows of a DataFrame, Series, list, or anything that takes an array of positions."""
    import narwhals as nw

    if isinstance(values, list):
        return [values[position] for position in positions]
    frame = nw.from_native(values, eager_only=True, allow_series=True, pass_through=True)
    return values[positions] if frame is values else frame[positions.tolist()].to_native()
