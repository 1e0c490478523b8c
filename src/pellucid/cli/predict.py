"""``pellucid predict``: a model's predictions for new rows, in a file or on standard output."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import click
import numpy as np

from pellucid.checks import file_name, rows_of_file
from pellucid.cli import frames, series
from pellucid.cli.options import UNANSWERED, encoding_option, json_option
from pellucid.cli.parts import table_parts, with_bar
from pellucid.cli.places import check_apart

if TYPE_CHECKING:
    from pellucid.data.collected import Seen

Columns = Mapping[str, Any]


@click.command(short_help="Predict new rows or pictures, or forecast a series.")
@click.argument("model", type=click.Path())
@click.argument("data", type=click.Path())
@click.option(
    "-o",
    "--output",
    type=click.Path(),
    metavar="FILE",
    help="File to write: .csv, .tsv, .json, .jsonl or .parquet.  [default: CSV on standard output]",
)
@click.option(
    "--probabilities", is_flag=True, help="Add a column with the probability of each class."
)
@click.option(
    "--intervals",
    metavar="LEVELS",
    multiple=True,
    help="Of a series: add bounds, as 0.8 or 0.8,0.95; each true number is between them as often.",
)
@click.option(
    "--keep",
    metavar="COLUMN",
    multiple=True,
    help="Column of DATA to write before the predictions; repeat it for several.",
)
@click.option(
    "--horizon", type=click.IntRange(1), metavar="N", help="Of a series: the rows to forecast."
)
@encoding_option
@json_option
def predict(
    model: str,
    data: str,
    output: str | None,
    probabilities: bool,
    intervals: tuple[str, ...],
    keep: tuple[str, ...],
    horizon: int | None,
    encoding: str | None,
    as_json: bool,
) -> None:
    """Predict DATA with a saved MODEL, and write a line for each row or picture.

    DATA is a table of any size, a folder of tables, or a pattern such as 'new/*.parquet'; - is
    standard input. For a model of pictures it is a picture, a folder of them, or a table with a
    column of paths; one that cannot be used has no answer but the reason in the column "error", and
    the exit code is then 3. For a model of a series it is the series, whose next rows are forecast.
    """
    from pellucid import load
    from pellucid.cli.output import Output
    from pellucid.cli.predictions import format_of, writer
    from pellucid.data.collected import collected_warnings
    from pellucid.inspection.scores import is_classifier
    from pellucid.terminal import filled
    from pellucid.words import counted

    place = None if output == "-" else output
    ending = ".csv"
    if place is not None:
        ending = format_of(place)
        check_apart(place, data, model)
    elif sys.stdout is None:
        raise OSError("standard output is closed. Name a file with --output.")
    elif as_json:
        ending = ".json"
    estimator = load(model)
    if probabilities and not is_classifier(estimator):
        kind = type(estimator).__name__
        raise ValueError(f"--probabilities needs a classifier. '{model}' holds a {kind}.")
    levels = series.levels_of(intervals)
    for option, given in (("--horizon", horizon), ("--intervals", levels)):
        if given and not _forecasts(estimator):
            kind = type(estimator).__name__
            raise ValueError(
                f"{option} needs a model of a series. '{model}' holds a {kind} of other rows."
            )
    rows = 0
    with (
        collected_warnings() as seen,
        contextlib.closing(
            _predicted(estimator, data, probabilities, levels, keep, horizon, encoding, seen)
        ) as batches,
    ):
        first = next(batches)  # what is wrong is mostly found before anything is written
        with _opened(place) as file, writer(file, ending, ("model", model)) as written:
            for columns in _chained(first, batches):
                written.write(columns)
                rows += len(next(iter(columns.values())))
    if place is not None:
        told = Output(as_json=as_json)
        if not as_json:
            told.say(filled(f"{counted(rows, 'prediction')} saved in {place}.", 2))
        told.result({"model": model, "output": place, "rows": rows, "unanswered": seen.unanswered})
    if seen.unanswered:
        click.echo(filled(f"pellucid: warning: {seen.words}", 2), err=True)
        click.get_current_context().exit(UNANSWERED)


def target_names(model: Any) -> list[str]:
    """The columns that `model` predicts; a model trained in Python may not know their names."""
    from pellucid.data import ClassTarget

    if names := getattr(model, "target_names_", None):
        return list(names)
    one = isinstance(model.target_, ClassTarget)  # however many probabilities it has
    count = 1 if one else model.n_outputs_
    return ["prediction"] if count == 1 else [f"prediction {i + 1}" for i in range(count)]


def _forecasts(model: Any) -> bool:
    """Whether `model` learned from windows of a series."""
    return series.about_of(model) is not None


def _chained(first: Columns, others: Iterator[Columns]) -> Iterator[Columns]:
    yield first
    yield from others


class _Stdout(io.RawIOBase):
    """Standard output, also where something else takes its place, as a notebook's."""

    def write(self, content: Any) -> int:
        click.echo(bytes(content), nl=False)
        return len(content)


@contextlib.contextmanager
def _opened(place: str | None) -> Iterator[BinaryIO]:
    """The file to write, whole or not at all, or standard output."""
    from pellucid.files import writing

    if place is None:
        yield cast(BinaryIO, _Stdout())
    else:
        with writing(place) as aside:
            yield aside


def _predicted(
    model: Any,
    data: str,
    probabilities: bool,
    levels: Sequence[float],
    keep: Sequence[str],
    horizon: int | None,
    encoding: str | None,
    seen: Seen,
) -> Generator[Columns, None, None]:
    """Columns of predictions by name, for some rows after the others."""
    from pellucid.cli.pictures import takes_pictures

    with rows_of_file(data):
        if _forecasts(model):
            _keep_nothing(keep, "a forecast is of rows that DATA does not have")
            with series.parts_of(model, data, encoding) as parts:
                yield from series.forecasts(model, parts, horizon, levels)
        elif takes_pictures(model):
            yield _of_pictures(model, data, probabilities, keep, encoding, seen)
        elif getattr(model, "group", None) or getattr(model, "time", None):
            yield _of_sequences(model, data, probabilities, keep, encoding)
        else:
            yield from _of_rows(model, data, probabilities, keep, encoding, seen)


def _of_rows(
    model: Any,
    data: str,
    probabilities: bool,
    keep: Sequence[str],
    encoding: str | None,
    seen: Seen,
) -> Iterator[Columns]:
    """Predictions for the rows of a table, of which some are in memory at a time."""
    table = table_parts(model, data, encoding, keep)
    table.check_columns()
    for frame in with_bar(table):
        with table.in_file():
            reading = model._input.read(model, table.features(frame))
            answers = _answers(model, reading, probabilities)
        yield _beside(_kept(frame, keep, data), answers)
        seen.rows = table.done


def _of_pictures(
    model: Any,
    data: str,
    probabilities: bool,
    keep: Sequence[str],
    encoding: str | None,
    seen: Seen,
) -> Columns:
    """Predictions for pictures, with their paths, and what is wrong with some of them."""
    from pellucid.cli.pictures import to_predict
    from pellucid.data.picture_sets import fault

    paths, frame = to_predict(data, target_names(model), encoding, keep)
    if frame is None:
        _keep_nothing(keep, "DATA is no table")
    reading, faults = model._input.read_some(model, paths)
    answers = _answers(model, reading, probabilities)
    if faults and paths == [data]:  # the one picture that was asked for
        raise fault(0, paths, faults[0], "Name another")
    if faults:
        places = sorted(faults)
        answers = {name: _blank(values, places) for name, values in answers.items()}
        answers["error"] = [faults[i].reason if i in faults else None for i in range(len(paths))]
        first = f"{file_name(paths[places[0]])}: {faults[places[0]].reason}"
        verb = "has" if len(faults) == 1 else "have"
        seen.unanswered = len(faults)
        column = "error (predicted)" if "error" in keep else "error"
        seen.words = (
            f"{len(faults):,} of {len(paths):,} pictures cannot be used and {verb} no answer; the "
            f"column '{column}' says why. The first is {first}."
        )
    return _beside(_kept(frame, keep, data) if keep else {}, {"path": paths, **answers})


def _blank(values: Any, places: Sequence[int]) -> list[Any]:
    """Predictions with none at these places."""
    blank = list(values)
    for place in places:
        blank[place] = None
    return blank


def _of_sequences(
    model: Any, data: str, probabilities: bool, keep: Sequence[str], encoding: str | None
) -> Columns:
    """Predictions for the sequences of a long table, or for each of their steps."""
    if not model.return_sequences:
        _keep_nothing(keep, "each sequence of rows has one prediction")
    frame = frames.read(data, encoding, model, keep)
    reading = model._input.read(model, frames.features(model, frame))
    answers = _answers(model, reading, probabilities)
    return _beside(
        _kept(frame, keep, data), series.keys(model, frame, reading.layout.names) | answers
    )


def _answers(model: Any, reading: Any, probabilities: bool) -> dict[str, Any]:
    """The columns of predictions, by name."""
    names, predicted = target_names(model), np.asarray(model.predict(reading))
    many = predicted.ndim > 1
    columns = dict(zip(names, predicted.T if many else [predicted], strict=True))
    if probabilities:
        shares = np.asarray(model.predict_proba(reading))
        labels = [f"{n}=1" for n in names] if many else [f"{names[0]}={c}" for c in model.classes_]
        columns.update(zip(labels, shares.T, strict=True))
    return columns


def _keep_nothing(keep: Sequence[str], reason: str) -> None:
    if keep:
        raise click.UsageError(f"--keep needs a prediction for each row of a table: {reason}.")


def _kept(frame: Any, keep: Sequence[str], data: str) -> Columns:
    """The columns of the input that are to be written too."""
    import narwhals as nw

    table = nw.from_native(frame, eager_only=True)
    for name in keep:
        frames.check_column("--keep", name, table.columns, data)
    return {name: table[name].to_list() for name in keep}


def _beside(kept: Columns, answers: Columns) -> Columns:
    """Both, kept ones first; an answer that is called as one of those is a prediction of it."""
    columns = dict(kept)
    for name, values in answers.items():
        columns[f"{name} (predicted)" if name in kept else name] = values
    return columns
