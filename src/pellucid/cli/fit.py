"""``pellucid fit``: a network from a table or a folder of pictures."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from pellucid.cli import curves, frames, series
from pellucid.cli.families import NETWORKS, family
from pellucid.cli.options import GroupedCommand, in_group, option_name, parameter_options
from pellucid.cli.output import Output
from pellucid.cli.places import check_apart, check_places
from pellucid.cli.report import check_page
from pellucid.cli.series import SeriesOptions
from pellucid.terminal import filled
from pellucid.words import source_name

if TYPE_CHECKING:
    from pellucid.cli.given import Given, Request
    from pellucid.cli.splitting import Split

_OF_NUMBERS = ("loss", "quantile", "target_transform")  # parameters of regressors alone

_data, _network, _series, _output = map(in_group, ("Data", "Network", "Series", "Output"))


class FitCommand(GroupedCommand):
    """A command that tells how a parameter without an option goes in."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        given = list(args)
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            name = error.option_name.lstrip("-").replace("-", "_")
            known = {
                parameter
                for network in NETWORKS
                for task in ("classification", "regression")
                for parameter in family(network, task)._get_param_names()
            }
            if name not in known:
                raise
            _, equals, value = next(
                word for word in given if word.startswith(error.option_name)
            ).partition("=")
            if not equals:
                value = "VALUE"
            raise click.UsageError(
                f"{error.option_name} is a parameter without an option of its own. Write --set "
                f"{name}={value}.",
                ctx,
            ) from None


@click.command(cls=FitCommand, short_help="Train a network on a table, pictures or a series.")
@click.argument("data", type=click.Path())
@_data(
    "-t",
    "--target",
    "targets",
    metavar="COLUMN",
    multiple=True,
    help="Column to predict; repeat it for several.",
)
@_data("--drop", metavar="COLUMN", multiple=True, help="Column to leave out; repeat for several.")
@_data(
    "--task",
    type=click.Choice(["auto", "classification", "regression"]),
    default="auto",
    metavar="TASK",
    help="classification or regression; auto decides.",
)
@_data("--encoding", metavar="NAME", help="Encoding of a text file, such as gbk.")
@_data("--test", metavar="FILE", type=click.Path(), help="Table or folder to test the model on.")
@_data(
    "--test-fraction",
    type=click.FloatRange(0, 1, max_open=True),
    metavar="SHARE",
    help="Without --test: rows held out.  [default: 0.2]",
)
@_data("--on-disk", is_flag=True, help="Larger than memory (--memory 1GB, --cache FILE).")
@_data("--memory", metavar="SIZE", hidden=True)
@_data("--cache", type=click.Path(), metavar="FILE", hidden=True)
@_data("--remove-cache", is_flag=True, hidden=True)
@_network(
    "--network",
    type=click.Choice(NETWORKS),
    metavar="NAME",
    help=f"{', '.join(NETWORKS)}.",
)
@parameter_options("Network")
@_network(
    "--set",
    "settings",
    metavar="NAME=VALUE",
    multiple=True,
    help="Another parameter, as in patience=5.",
)
@_network("--config", type=click.Path(), metavar="FILE", help="Parameters in JSON, TOML or YAML.")
@_network(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=0,
    metavar="N",
    help="Random seed.  [default: 0]",
)
@_series("--time", metavar="COLUMN", help="Column with each row's time.")
@_series("--group", metavar="COLUMN", help="Rows that belong together, as of one sequence.")
@_series("--steps", type=click.IntRange(1), metavar="N", help="Past rows to forecast from.")
@_series("--horizon", type=click.IntRange(1), metavar="N", help="Rows to forecast.  [default: 1]")
@_series(
    "--known",
    metavar="COLUMN",
    multiple=True,
    help="Column whose future is known, as a plan.",
)
@_series("--holidays", metavar="CODE", help="Know the holidays of a country: DE, or US-CA.")
@_series(
    "--fill",
    type=click.Choice(["forward", "linear"]),
    metavar="HOW",
    help="Fill gaps: forward (what was last) or linear.",
)
@_series(
    "--folds",
    type=click.IntRange(1),
    metavar="N",
    help="Test by origins that roll, then learn from all.",
)
@_output(
    "-o",
    "--output",
    type=click.Path(),
    metavar="MODEL",
    help="Model file.  [default: DATA's name.safetensors]",
)
@_output(
    "--plot",
    type=click.Path(),
    metavar="PNG",
    help="Draw the loss by epoch, and the test or forecasts.",
)
@_output("--mistakes", type=click.Path(), metavar="PNG", help="Draw the test pictures got wrong.")
@_output(
    "--report",
    type=click.Path(),
    metavar="HTML",
    help="Make a page that shows the model from inside.",
)
@_output(
    "--checkpoint",
    type=click.Path(),
    metavar="FILE",
    help="Made if absent, or resumed (--checkpoint-every 60).",
)
@_output(
    "--checkpoint-every",
    type=click.FloatRange(0, min_open=True),
    metavar="SECONDS",
    hidden=True,
)
@_output("--json", "as_json", is_flag=True, help="One JSON object instead of lines.")
@_output("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
def fit(
    data: str,
    targets: tuple[str, ...],
    drop: tuple[str, ...],
    task: str,
    encoding: str | None,
    test: str | None,
    test_fraction: float | None,
    on_disk: bool,
    memory: str | None,
    cache: str | None,
    remove_cache: bool,
    network: str | None,
    settings: tuple[str, ...],
    config: str | None,
    seed: int,
    time: str | None,
    group: str | None,
    steps: int | None,
    known: tuple[str, ...],
    holidays: str | None,
    fill: str | None,
    horizon: int | None,
    folds: int | None,
    output: str | None,
    plot: str | None,
    mistakes: str | None,
    report: str | None,
    checkpoint: str | None,
    checkpoint_every: float | None,
    as_json: bool,
    quiet: bool,
    **parameters: str | None,
) -> None:
    """Train a network on DATA, test it on rows held out, and save it. DATA is a table (of text,
    picture paths too) or class folders. With cnn rows of numbers are signals; rnn, lstm and gru
    take a series, --group or texts.
    """
    from pellucid.cli.fitting import Fitting
    from pellucid.cli.given import Request
    from pellucid.cli.on_disk import Place
    from pellucid.cli.on_disk import fitting as disk_fitting
    from pellucid.cli.on_disk_pictures import PictureFitting
    from pellucid.data.picture_scan import has_pictures
    from pellucid.data.scan import scan
    from pellucid.training.checkpoint import EVERY
    from pellucid.training.monitor import Monitor

    if test is not None and test_fraction is not None:
        raise click.UsageError("--test and --test-fraction do not go together: leave one out.")
    if data == "-" and output is None:
        raise click.UsageError("a table from standard input needs --output, to name the model.")
    path = output or f"{_name_of(data)}.safetensors"
    if not on_disk and (memory or cache or remove_cache):
        raise click.UsageError("--memory, --cache and --remove-cache need --on-disk.")
    of_pictures = on_disk and has_pictures(Path(data))
    if on_disk and (folds or (mistakes and not of_pictures)):
        raise click.UsageError("--mistakes and --folds do not go together with --on-disk.")
    if checkpoint_every is not None and checkpoint is None:
        raise click.UsageError("--checkpoint-every needs --checkpoint FILE.")
    written = [*filter(None, (path, plot, mistakes, report))]
    check_places([*written, *filter(None, [checkpoint])])
    kept = [f"{checkpoint}{ending}" for ending in ("", ".before")] if checkpoint else []
    if {*map(os.path.realpath, kept)} & {*map(os.path.realpath, written)}:
        raise click.UsageError(
            f"--checkpoint {checkpoint} is written to by another option too: name another file."
        )
    for option, picture in (("--plot", plot), ("--mistakes", mistakes)):
        if picture:
            curves.check(picture, option)
    if report:
        check_page(report, "--report")
    check_apart(path, data, *filter(None, [test]))
    options = SeriesOptions(time, group, steps, horizon, fill, folds, known, holidays)
    options.check(network)
    if folds and (test is not None or test_fraction is not None):
        raise click.UsageError(
            "--folds does not go together with --test and --test-fraction: leave one out."
        )
    chosen = chosen_parameters(config, settings, parameters)
    each_step = any(values.get("return_sequences") is True for _, values in chosen)
    told = Output(quiet, as_json)
    with told.noting_warnings():
        request = Request(data, targets, drop, network, task, encoding, options, each_step)
        fitting: Fitting
        if of_pictures:
            prepared = prepare(request, chosen, seed, quiet, told, test, test_fraction, mistakes)
            pictures = PictureFitting(prepared.model, data, *prepared[1:], encoding, told)
            pictures.scan = scan(data, memory=memory, cache=cache)
            pictures.removes_cache = remove_cache
            fitting = pictures
        elif on_disk:
            fitting = disk_fitting(
                request, lambda given: _estimator(given, chosen, options, seed, quiet), seed, told,
                test, test_fraction, Place(memory, cache, remove_cache),
            )  # fmt: skip
            fitting.wants_rows = bool(plot or report)
        else:
            prepared = prepare(request, chosen, seed, quiet, told, test, test_fraction, mistakes)
            fitting = Fitting(prepared.model, data, *prepared[1:], encoding, told)
        if report:
            fitting.model.set_params(callbacks=Monitor())
        for option, wanted in (("--mistakes", mistakes), ("--report", report)):
            if wanted and not fitting.has_test:
                raise click.UsageError(f"{option} needs rows held out: a --test-fraction above 0.")
        if folds:
            fitting.backtest(folds)
        if folds and checkpoint:
            told.note("The folds are tested anew each time: the checkpoint is of the last fit.")
    with closing(fitting):
        with told.noting_warnings():
            fitting.train(checkpoint, EVERY if checkpoint_every is None else checkpoint_every)
            size = fitting.save_tested(path)
        fitting.draw(plot, mistakes)
        if report:
            fitting.report(report)
    fitting.say_next(path)
    told.result({"data": data, "model": path, "bytes": size, **fitting.facts()})


def _name_of(data: str) -> str:
    """What a model of DATA is called: as the file, or of a pattern as the folder."""
    path = Path(data).absolute()
    while glob.has_magic(path.name):
        path = path.parent
    return path.stem


class Prepared(NamedTuple):
    """What is to be fitted, on what: `split` says which rows are held out, where `test` is None."""

    model: Any
    given: Given
    split: Split
    test: str | None


def prepare(
    request: Request,
    chosen: list[tuple[str, dict[str, Any]]],
    seed: int,
    quiet: bool,
    told: Output,
    test: str | None,
    test_fraction: float | None,
    mistakes: str | None = None,
) -> Prepared:
    """Read what is requested, say what it is, and make an estimator with the parameters chosen."""
    from pellucid.cli.given import read
    from pellucid.words import listed

    data, options = request.data, request.series
    given = read(request)
    told.say(filled(f"{source_name(data)}: {given.words}.", 2))
    for words in filter(None, (given.kept.words, _sentence(given.task[1]))):
        told.say(filled(words, 2))
    if given.unused:
        names = listed(given.unused)
        told.note(f"Not used: {names}. The network learns from the pictures alone.")
    if mistakes and not given.are_pictures_of_classes:
        raise click.UsageError("--mistakes needs pictures and one target of classes.")
    model = _estimator(given, chosen, options, seed, quiet)
    if given.in_file is not None:  # all of them, before some are held out
        with given.rows_in_file(data):
            model._new_target(given.in_file).fit(model, given.in_file)
    none = test is not None or options.folds
    share = 0.0 if none else 0.2 if test_fraction is None else test_fraction
    parts = None if test is not None or test_fraction is not None else given.parts
    if parts is not None and parts.test is not None:
        test, share = parts.test, 0.0
    split = _split(given, options, share, seed, request.each_step)
    told.say(filled(split.words, 2))
    with given.rows_in_file(data):
        if (caution := frames.sum_words(given.X, split.test)) is not None:
            told.note(caution)
    return Prepared(model, given, split, test)


def _sentence(reason: str) -> str:
    return f"{reason[:1].upper()}{reason[1:]}." if reason else ""


def _split(given: Given, options: SeriesOptions, share: float, seed: int, each_step: bool) -> Split:
    """Which rows, sequences or windows are held out."""
    from pellucid.cli import splitting
    from pellucid.inspection.scores import plain

    if options.steps:
        return splitting.Split(*series.split(given.X, share))
    labels = None if options.group and each_step else plain(given.y)
    return splitting.split(
        labels, len(given.y), given.task[0], share, seed, given.what, given.groups
    )


def chosen_parameters(
    config: str | None, settings: Sequence[str], options: Mapping[str, str | None]
) -> list[tuple[str, dict[str, Any]]]:
    """Parameters of --config, of --set, and of their own options, each with its source's name."""
    from pellucid.data.configuration import parse_setting, read_configuration

    sources = [(f"'{config}'", dict(read_configuration(config)))] if config else []
    sources.append(("--set", dict(map(parse_setting, settings))))
    for name, value in options.items():
        if value is not None:
            sources.append((option_name(name), dict([parse_setting(f"{name}={value}")])))
    return sources


def _estimator(
    given: Given,
    chosen: list[tuple[str, dict[str, Any]]],
    options: SeriesOptions,
    seed: int,
    quiet: bool,
) -> Any:
    """The estimator for what is given, with the parameters that were chosen."""
    task = given.task[0]
    kind = family(given.network, task)
    parameters: dict[str, Any] = {"random_state": seed, "verbose": 0 if quiet else 1}
    for source, values in chosen:
        check_parameters(kind, task, source, values)
        parameters.update(values)
    if options.group and not options.steps and "group" in kind._get_param_names():
        parameters |= {"group": options.group, "time": options.time}
    return kind(**parameters)


def check_parameters(kind: Any, task: str, source: str, names: Iterable[str]) -> None:
    """Refuse parameters that the estimator `kind` of a task lacks; errors name the `source`."""
    from pellucid.checks import unknown_parameter

    known = list(kind().get_params(deep=False))
    for name in names:
        if name in _OF_NUMBERS and task == "classification":
            raise click.UsageError(
                f"{source} needs a target of numbers, and these are classes. Leave it out, or "
                "pass --task regression."
            )
        if name not in known:
            raise TypeError(f"{source}: {unknown_parameter(kind.__name__, name, known)}")
