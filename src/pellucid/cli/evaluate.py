"""``pellucid evaluate``: a model's score on a table that has the answers."""

from __future__ import annotations

import click


@click.command(short_help="Score a saved model on a table.")
@click.argument("model", type=click.Path())
@click.argument("data", type=click.Path())
@click.option(
    "-t",
    "--target",
    "targets",
    metavar="COLUMN",
    multiple=True,
    help="The column with the true values.  [default: as in training]",
)
def evaluate(model: str, data: str, targets: tuple[str, ...]) -> None:
    """Score a saved MODEL on the table DATA, which has the target's column."""
    from pellucid import files
    from pellucid.cli.predict import features
    from pellucid.cli.scores import report
    from pellucid.cli.words import counted
    from pellucid.data import read_table, split_target

    estimator = files.load(model)
    names = list(targets) or list(getattr(estimator, "target_names_", None) or [])
    if not names:
        raise click.UsageError(f"--target must name the column that '{model}' predicts.")
    frame = read_table(data)
    X, y = split_target(frame, names[0] if len(names) == 1 else names, f"'{data}'")
    heading = f"{', '.join(names)}, {counted(len(X), 'row')} of {data}"
    click.echo(report(heading, estimator, features(estimator, X), y, names))
