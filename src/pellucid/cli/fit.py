"""``pellucid fit``: a network from a table or a folder of pictures."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from pellucid.checks import printable, size_text
from pellucid.cli import curves, frames, series
from pellucid.cli.answered import Answered, held_out, read_answered
from pellucid.cli.families import NETWORKS, family
from pellucid.cli.options import GroupedCommand, in_group, option_name, parameter_options
from pellucid.cli.output import Output
from pellucid.cli.series import SeriesOptions
from pellucid.cli.words import counted, paragraph
from pellucid.terminal import COLUMNS, width

_MOST_COLUMNS = 20  # that are described

_data, _network, _series, _output = map(in_group, ("Data", "Network", "Series", "Output"))


class _Fit(GroupedCommand):
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
                for parameter in family(network, "classification")._get_param_names()
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


@click.command(cls=_Fit, short_help="Train a network on a table, pictures or a series.")
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
@_series("--group", metavar="COLUMN", help="Column with the name of each row's sequence.")
@_series("--steps", type=click.IntRange(1), metavar="N", help="Past rows to forecast from.")
@_series("--horizon", type=click.IntRange(1), metavar="N", help="Rows to forecast.  [default: 1]")
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
    help="Draw loss and accuracy by epoch, and the test.",
)
@_output("--mistakes", type=click.Path(), metavar="PNG", help="Draw the test pictures got wrong.")
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
    network: str | None,
    settings: tuple[str, ...],
    config: str | None,
    seed: int,
    time: str | None,
    group: str | None,
    steps: int | None,
    horizon: int | None,
    output: str | None,
    plot: str | None,
    mistakes: str | None,
    as_json: bool,
    quiet: bool,
    **parameters: str | None,
) -> None:
    """Train a network on DATA: a table, or a folder with a folder of pictures for each class.

    A table may have text columns, missing values and dates. With --network cnn each row is a
    signal, or one column has paths to pictures; rnn, lstm and gru forecast a series (--steps), or
    learn from many sequences with one target each (--group).

    The model is tested on rows held out from training, and saved.
    """
    import msgspec

    from pellucid import files
    from pellucid.cli import splitting
    from pellucid.cli.given import Request, read
    from pellucid.cli.pictures import draw_mistakes
    from pellucid.cli.score_words import text_of, verdict
    from pellucid.cli.scores import brief, brief_baseline, plain
    from pellucid.cli.summary import facts_of

    if test is not None and test_fraction is not None:
        raise click.UsageError("--test and --test-fraction do not go together: leave one out.")
    if data == "-" and output is None:
        raise click.UsageError("a table from standard input needs --output, to name the model.")
    path = output or f"{Path(data).absolute().stem}.safetensors"
    _check_places(path, plot, mistakes)
    files.check_apart(path, data, *filter(None, [test]))
    options = SeriesOptions(time, group, steps, horizon)
    options.check(network)
    chosen = _chosen(config, settings, parameters)
    each_step = any(values.get("return_sequences") is True for _, values in chosen)
    request = Request(data, targets, drop, network, task, encoding, options, each_step)
    told = Output(quiet, as_json)
    given = read(request)
    named = "standard input" if data == "-" else data
    told.say(paragraph(f"{named}: {given.words}.", 2))
    if given.kept.words:
        told.say(paragraph(given.kept.words, 2))
    task, reason = given.task
    if reason:
        told.say(paragraph(f"{reason[:1].upper()}{reason[1:]}.", 2))
    if mistakes and not (given.pictures and task == "classification" and len(given.targets) == 1):
        raise click.UsageError("--mistakes needs pictures and one target of classes.")
    model = _estimator(given.network, task, chosen, seed, quiet)
    if given.in_file is not None:  # all of them, before some are held out
        with given.rows_in_file(data):
            model._new_target(given.in_file).fit(model, given.in_file)
    if options.group and not options.steps:
        model.set_params(group=options.group, time=options.time)
    share = 0.0 if test is not None else 0.2 if test_fraction is None else test_fraction
    if options.steps:
        split = splitting.Split(*series.split(given.X, share))
    else:
        labels = None if options.group and each_step else plain(given.y)
        split = splitting.split(labels, len(given.y), task, share, seed, given.what)
    told.say(paragraph(split.words, 2))
    with given.rows_in_file(data):
        if (words := frames.sum_words(given.X, split.test)) is not None:
            told.say(paragraph(words, 2))
    if mistakes and test is None and not len(split.test):
        raise click.UsageError("--mistakes needs rows held out: a --test-fraction above 0.")
    answered: Answered | None = None
    again = 0
    train = split.train

    def ready() -> None:
        """Whatever is wrong with the rows to test on is found before the training, not after it."""
        nonlocal answered, again
        if test is not None:
            answered = read_answered(
                model, "the model", test, () if Path(test).is_dir() else given.targets, encoding
            )
            told.say(paragraph(f"{answered.counted} of {test} to test on.", 2))
        elif len(split.test):
            answered = held_out(model, given, split.test, data)
            unreadable = len(split.test) - (0 if answered is None else len(answered))
            if given.pictures and unreadable:
                told.say(f"{counted(unreadable, 'test picture')} cannot be read.")
        if answered is not None and answered.left_out:
            told.say(paragraph(answered.left_out, 2))
        if answered is not None and (again := answered.repeated(X, y)):
            stand = "also stands" if again == 1 else "also stand"
            text = f"{counted(again, f'test {answered.what}')} {stand} among those to learn from"
            told.say(paragraph(f"{text}: on new ones the score may be lower.", 2))
        _describe(model, told)

    with given.rows_in_file(data, train):
        X, y = splitting.rows_of(given.X, train), splitting.rows_of(given.y, train)
        model._fit(X, y, None, ready=ready)
    model.target_names_ = list(given.targets)
    told.say("\n" + "\n".join(model.network_.summary_lines()) + "\n")
    scores, words = None, ""
    if answered is not None:
        scores = answered.scores(model)
        words = verdict(scores)
        seen = "not seen in training" if test is None else f"of {test}"
        told.say(text_of(f"Test on {answered.counted} {seen}", scores) + "\n")
    model.about_ = msgspec.structs.replace(
        model.about_,
        source=printable(Path(named).name or named),
        test=None if scores is None else brief(scores),
        baseline=None if scores is None else brief_baseline(scores),
    )
    model.save(path)
    size = Path(path).stat().st_size
    told.say(paragraph(f"Model saved in {path} ({size_text(size)}).", 2))
    if plot:
        title = f"{Path(data).absolute().name}: {', '.join(given.targets)}"
        X, y = (None, None) if answered is None else (answered.X, answered.y)
        curves.draw_fit(model, X, y, plot, title, given.targets)
        told.say(paragraph(f"Curves drawn in {plot}.", 2))
    if mistakes and answered is not None:
        wrong = draw_mistakes(model, answered.source, plain(answered.y), mistakes)
        told.say(paragraph(f"{counted(wrong, 'wrong answer')} drawn in {mistakes}.", 2))
    told.say(_next(path, data))
    told.result(
        {
            "data": data,
            "model": path,
            "bytes": size,
            "task": task,
            "rows": len(train),
            "without_target": given.kept.missing,
            "columns": model._input.describe(),
            "notes": [*model._input.notes, *getattr(model.target_, "notes", ())],
            "test": scores,
            "test_rows_also_learned_from": again,
            "verdict": words,
            **facts_of(model),
        }
    )


def _describe(model: Any, told: Output) -> None:
    """What became of each column, or of the pictures."""
    lines = model._input.describe()
    for line in lines[:_MOST_COLUMNS]:
        told.say(paragraph(f"  {line}", 4))
    if len(lines) > _MOST_COLUMNS:
        told.say(f"  and {counted(len(lines) - _MOST_COLUMNS, 'more column')}")


def _next(path: str, data: str) -> str:
    """What to do next, each argument in a line of its own where they do not fit in one."""
    words = ["pellucid predict", shlex.quote(path), "NEW/" if Path(data).is_dir() else "NEW.csv"]
    line = f"\nNext:  {' '.join(words)}"
    return line if width(line) <= COLUMNS else "\nNext:  " + " \\\n         ".join(words)


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


def _chosen(
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
    network: str, task: str, chosen: list[tuple[str, dict[str, Any]]], seed: int, quiet: bool
) -> Any:
    """The estimator with these parameters."""
    from pellucid.checks import unknown_parameter

    kind = family(network, task)
    known = list(kind().get_params(deep=False))
    parameters: dict[str, Any] = {"random_state": seed, "verbose": 0 if quiet else 1}
    for source, values in chosen:
        for key in values:
            if key == "target_transform" and task == "classification":
                raise click.UsageError(
                    f"{source} needs a target of numbers, and these are classes. Leave it out, or "
                    "pass --task regression."
                )
            if key not in known:
                raise TypeError(f"{source}: {unknown_parameter(kind.__name__, key, known)}")
        parameters.update(values)
    return kind(**parameters)
