"""``pellucid predict``: a model's predictions for new rows, as CSV."""

from __future__ import annotations

import sys
from typing import Any

import click

from pellucid.checks import rows_of_file
from pellucid.cli import series


@click.command(short_help="Predict new rows or pictures, or forecast a series.")
@click.argument("model", type=click.Path())
@click.argument("data", type=click.Path())
@click.option(
    "-o",
    "--output",
    type=click.Path(),
    metavar="CSV",
    help="File to write instead of standard output.",
)
@click.option(
    "--probabilities", is_flag=True, help="Add a column with the probability of each class."
)
def predict(model: str, data: str, output: str | None, probabilities: bool) -> None:
    """Predict DATA with a saved MODEL, and write CSV with one line for each row or picture.

    DATA is a table. For a model of pictures it is a picture, a folder of them, or a table with a
    column of paths. For a model of a series it is the series, whose next rows are forecast.
    """
    from pellucid import files, load
    from pellucid.cli.pictures import takes_pictures, to_predict
    from pellucid.cli.scores import is_classifier
    from pellucid.cli.words import counted, paragraph
    from pellucid.data import read_table

    if output is not None:
        files.check_apart(output, data, model)
    elif sys.stdout is None:
        raise OSError("standard output is closed. Name a file with --output.")
    estimator = load(model)
    if probabilities and not is_classifier(estimator):
        kind = type(estimator).__name__
        raise ValueError(f"--probabilities needs a classifier. '{model}' holds a {kind}.")
    columns: dict[str, Any] = {}
    with rows_of_file(data):
        if getattr(getattr(estimator, "sequences_", None), "series", None):
            columns = series.forecast(estimator, read_table(data))
        elif takes_pictures(estimator):
            X = columns["path"] = to_predict(data, target_names(estimator))
            columns |= _columns(estimator, estimator._read(X), probabilities)
        else:
            frame = read_table(data)
            reading = estimator._read(features(estimator, frame))
            if getattr(estimator, "group", None) or getattr(estimator, "time", None):
                columns |= series.keys(estimator, frame, reading.layout.names)
            columns |= _columns(estimator, reading, probabilities)
    text = _csv(columns)
    content = text.encode("utf-8", "surrogateescape")  # a file's name may be bytes that are no text
    if output is None:
        click.echo(content if _has_raw_bytes(text) else text, nl=False)
    else:
        files.write_whole(output, content)
        rows = len(next(iter(columns.values())))
        click.echo(paragraph(f"{counted(rows, 'prediction')} saved in {output}.", 2))


def target_names(model: Any) -> list[str]:
    """The columns that `model` predicts; a model trained in Python may not know their names."""
    from pellucid.data import ClassTarget

    if names := getattr(model, "target_names_", None):
        return list(names)
    one = isinstance(model.target_, ClassTarget)  # however many probabilities it has
    count = 1 if one else model.n_outputs_
    return ["prediction"] if count == 1 else [f"prediction {i + 1}" for i in range(count)]


def features(model: Any, frame: Any) -> Any:
    """The columns of `frame` that `model` was trained on; other columns are ignored."""
    import narwhals as nw

    known = set(getattr(model, "feature_names_in_", []))
    if known:
        known |= {getattr(model, "group", None), getattr(model, "time", None)}
    table = nw.from_native(frame, eager_only=True)
    names = [name for name in table.columns if name in known]
    return table.select(names).to_native() if names else frame


def _columns(model: Any, reading: Any, probabilities: bool) -> dict[str, Any]:
    """The columns of predictions, by name."""
    import numpy as np

    names, predicted = target_names(model), np.asarray(model.predict(reading))
    many = predicted.ndim > 1
    columns = dict(zip(names, predicted.T if many else [predicted], strict=True))
    if probabilities:
        shares = np.asarray(model.predict_proba(reading))
        labels = [f"{n}=1" for n in names] if many else [f"{names[0]}={c}" for c in model.classes_]
        columns.update(zip(labels, shares.T, strict=True))
    return columns


def _has_raw_bytes(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


def _csv(columns: dict[str, Any]) -> str:
    """CSV text; numbers in the fewest digits that give them back."""
    import csv
    import io

    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*(map(str, column) for column in columns.values()), strict=True))
    return file.getvalue()
