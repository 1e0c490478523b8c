"""``pellucid evaluate``: a model's score on data with the true values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pellucid.checks import rows_of_file
from pellucid.cli import series


@click.command(short_help="Score a saved model.")
@click.argument("model", type=click.Path())
@click.argument("data", type=click.Path())
@click.option(
    "-t",
    "--target",
    "targets",
    metavar="COLUMN",
    multiple=True,
    help="Column with the true values; repeat it for several targets.  [default: as in training]",
)
def evaluate(model: str, data: str, targets: tuple[str, ...]) -> None:
    """Score a saved MODEL on DATA, which has the true values.

    DATA is a table with a column of true values, or a folder of pictures with one folder for each
    class.
    """
    import numpy as np

    from pellucid import load
    from pellucid.cli.pictures import needed_paths, takes_pictures
    from pellucid.cli.predict import features
    from pellucid.cli.scores import is_classifier, report
    from pellucid.cli.words import counted
    from pellucid.data import list_pictures, read_table, split_target

    estimator: Any = load(model)
    if takes_pictures(estimator) and Path(data).is_dir():
        if targets or not is_classifier(estimator):
            raise click.UsageError(
                "the answers of a folder of pictures are its folders' names: --target, and numbers "
                "that a regressor predicts, need a CSV with a column of paths."
            )
        paths, classes = list_pictures(data, least=1)
        heading = f"{counted(len(paths), 'picture')} of {data}"
        click.echo(report(heading, estimator, paths, np.array(classes), ["class"]))
        return
    names = list(targets) or list(getattr(estimator, "target_names_", None) or [])
    if not names:
        raise click.UsageError(f"--target must name the column that '{model}' predicts.")
    with rows_of_file(data):
        frame = read_table(data)
        about = getattr(getattr(estimator, "sequences_", None), "series", None)
        if about:
            if names != [about["target"]]:
                raise click.UsageError(
                    f"--target must be {about['target']}, which '{model}' forecasts. Got "
                    f"{', '.join(names)}."
                )
            windows, after = series.cut(frame, about)
            heading = f"{names[0]}, {counted(len(windows), 'window')} of {data}"
            click.echo(series.report(heading, estimator, windows, after, names[0]))
            return
        X, y = split_target(frame, names[0] if len(names) == 1 else names, f"'{data}'")
        heading = f"{', '.join(names)}, {counted(len(X), 'row')} of {data}"
        given = needed_paths(X, data) if takes_pictures(estimator) else features(estimator, X)
        reading = estimator._read(given)
        if reading.layout.names is not None:
            y = reading.layout.flatten("the target", y)
            heading = f"{', '.join(names)}, {counted(len(y), 'sequence')} of {data}"
        click.echo(report(heading, estimator, reading, y, names))
