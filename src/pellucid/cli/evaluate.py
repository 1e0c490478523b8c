"""``pellucid evaluate``: a model's score on data with the true values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pellucid.cli.options import UNANSWERED, encoding_option, json_option


@click.command(short_help="Score a saved model.")
@click.argument("model", type=click.Path())
@click.argument("data", type=click.Path())
@click.option(
    "-t",
    "--target",
    "targets",
    metavar="COLUMN",
    multiple=True,
    help="Column with the true values; repeat it for several.  [default: as in training]",
)
@encoding_option
@json_option
def evaluate(
    model: str, data: str, targets: tuple[str, ...], encoding: str | None, as_json: bool
) -> None:
    """Score a saved MODEL on DATA, which has the true values.

    DATA is a table of any size with a column of true values, a folder of tables, or a pattern such
    as 'new/*.parquet'; or a folder of pictures with one folder for each class. Beside the score
    stands what saying the same of every row would score. Pictures that cannot be used are left out,
    and the exit code is then 3.
    """
    from pellucid import load
    from pellucid.checks import file_name
    from pellucid.cli.answered import test, unknown_words
    from pellucid.cli.output import Output
    from pellucid.cli.pictures import takes_pictures
    from pellucid.inspection.score_words import text_of, verdict
    from pellucid.terminal import filled
    from pellucid.words import source_name

    output = Output(as_json=as_json)
    estimator: Any = load(model)
    with output.noting_warnings():
        tested = test(estimator, file_name(model), data, targets, encoding)
        if tested.unusable:
            output.notes.append(tested.unusable)
        if tested.left_out:
            output.say(filled(tested.left_out, 2))
        if words := unknown_words(tested.unknown):
            output.note(words)
        scores = tested.scores
    by_folder = takes_pictures(estimator) and Path(data).is_dir()
    named = "" if by_folder else f"{', '.join(tested.names)}, "
    if not as_json:
        output.say(text_of(f"{named}{tested.counted} of {source_name(data)}", scores))
    output.result(
        {
            "model": model,
            "data": data,
            "targets": list(tested.names),
            "scores": scores,
            "verdict": verdict(scores),
            "notes": output.notes,
        }
    )
    if tested.unusable:
        click.get_current_context().exit(UNANSWERED)
