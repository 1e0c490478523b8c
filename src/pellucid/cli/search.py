"""``pellucid search``: which parameters of a network are best for a table or for pictures."""

from __future__ import annotations

import os
from pathlib import Path

import click

from pellucid.cli.cluster import check_installed, cluster_of
from pellucid.cli.fit import FitCommand, chosen_parameters, fit, prepare
from pellucid.cli.options import in_group
from pellucid.cli.output import Output
from pellucid.cli.places import check_apart, check_places
from pellucid.cli.series import SeriesOptions
from pellucid.cli.spaces import FACTOR

# The options that are those of `fit`, by the place that help has them in.
_OF_FIT = (
    "data", "targets", "drop", "task", "encoding", "test", "test_fraction",
    "network", "settings", "config", "seed",
)  # fmt: skip
_OF_SERIES = ("time", "group", "steps", "horizon", "known", "holidays", "fill")
_OF_OUTPUT = ("output", "as_json", "quiet")

_search = in_group("Search")


def _options(*names: str) -> list[click.Parameter]:
    known = {parameter.name: parameter for parameter in fit.params}
    return [known[name] for name in names]


def _with_options_of_fit(command: click.Command) -> click.Command:
    """Put the options that `fit` has around those of the command."""
    own = command.params
    output, rest = _options(*_OF_OUTPUT), own
    results = [one for one in own if one.name == "results"]
    rest = [one for one in own if one.name != "results"]
    command.params = [
        *_options(*_OF_FIT), *rest, *_options(*_OF_SERIES), output[0], *results, *output[1:]
    ]  # fmt: skip
    return command


@_with_options_of_fit
@click.command(cls=FitCommand, short_help="Find the best parameters of a network.")
@_search(
    "--try",
    "tries",
    metavar="NAME=VALUES",
    multiple=True,
    help="A,B,C or LOW..HIGH; repeat it.  [default: usual ones]",
)
@_search("--trials", type=click.IntRange(1), metavar="N", help="How many.  [default: 20]")
@_search("--grid", is_flag=True, help="Try all combinations of the lists.")
@_search("--halving", is_flag=True, help="Try all on few rows, and the best third on more.")
@_search(
    "--folds",
    type=click.IntRange(2),
    default=5,
    metavar="N",
    help="Parts of the rows, each scored in turn.  [default: 5]",
)
@_search("--scoring", metavar="NAME", help="A score of scikit-learn.  [default: accuracy, R2]")
@_search("--workers", type=click.IntRange(1), metavar="N", help="Fit on N processes, by Dask.")
@_search("--scheduler", metavar="ADDRESS", help="Fit on a cluster of Dask.")
@in_group("Output")(
    "--results", type=click.Path(), metavar="FILE", help="All trials, as CSV, JSON or Parquet."
)
def search(
    data: str,
    targets: tuple[str, ...],
    drop: tuple[str, ...],
    task: str,
    encoding: str | None,
    test: str | None,
    test_fraction: float | None,
    network: str | None,
    settings: tuple[str, ...],
    config: str | None,
    seed: int,
    tries: tuple[str, ...],
    trials: int | None,
    grid: bool,
    halving: bool,
    folds: int,
    scoring: str | None,
    workers: int | None,
    scheduler: str | None,
    time: str | None,
    group: str | None,
    steps: int | None,
    horizon: int | None,
    known: tuple[str, ...],
    holidays: str | None,
    fill: str | None,
    output: str | None,
    results: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Try parameters of a network on DATA by cross-validation, fit it with the best ones, test it
    on rows held out, and save it. DATA and most options are as for fit; what stays the same in all
    trials goes in by --set.
    """
    from pellucid.cli.given import Request
    from pellucid.cli.predictions import format_of
    from pellucid.cli.seeking import Seeking

    if test is not None and test_fraction is not None:
        raise click.UsageError("--test and --test-fraction do not go together: leave one out.")
    if data == "-" and output is None:
        raise click.UsageError("a table from standard input needs --output, to name the model.")
    path = output or f"{Path(data).absolute().stem}.safetensors"
    check_places([*filter(None, (path, results))])
    ending = "" if results is None else format_of(results, "--results")
    check_apart(path, data, *filter(None, [test]))
    if results is not None:
        check_apart(results, data, *filter(None, [test]))
        if os.path.realpath(results) == os.path.realpath(path):
            raise click.UsageError(
                f"--output and --results must be two files. Got {path} for both."
            )
    options = SeriesOptions(time, group, steps, horizon, fill, None, known, holidays)
    options.check(network)
    _check_ways(grid, halving, trials, options)
    for option, value in (("--workers", workers), ("--scheduler", scheduler)):
        if value is not None:
            check_installed(option)
    if workers is not None and scheduler is not None:
        raise click.UsageError("--workers and --scheduler do not go together: leave one out.")
    chosen = chosen_parameters(config, settings, {})
    each_step = any(values.get("return_sequences") is True for _, values in chosen)
    told = Output(quiet, as_json)
    with told.noting_warnings():
        request = Request(data, targets, drop, network, task, encoding, options, each_step)
        prepared = prepare(request, chosen, seed, True, told, test, test_fraction)
        seeking = Seeking(prepared, data, encoding, told, folds, scoring, seed)
        seeking.choose(tries, chosen, trials, grid, halving)
        try:
            with cluster_of(workers, scheduler) as cluster:
                seeking.rehearse()
                seeking.run(cluster)
        except BaseException:
            if results is not None:
                seeking.write(results, ending)
            seeking.show(explain=False)
            raise
        if results is not None:
            seeking.write(results, ending)
        seeking.show()
        fitting = seeking.fit_best()
        size = fitting.save_tested(path)
    fitting.say_next(path)
    told.result(
        {"data": data, "model": path, "bytes": size, **fitting.facts(), "search": seeking.facts()}
    )


def _check_ways(grid: bool, halving: bool, trials: int | None, options: SeriesOptions) -> None:
    """Refuse ways to search that do not go together."""
    if grid and (halving or trials is not None):
        other = "--halving" if halving else "--trials"
        raise click.UsageError(f"--grid tries all there is: leave {other} out.")
    if halving and options.steps:
        raise click.UsageError(
            "--halving learns from some rows at random, and windows of a series follow one "
            "another. Leave it out."
        )
    if halving and trials is not None and trials < FACTOR:
        raise click.UsageError(f"--halving needs --trials of at least {FACTOR}. Got {trials}.")
