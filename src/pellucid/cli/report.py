"""``pellucid report``: a model and some rows on one page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pellucid.cli.options import encoding_option, json_option
from pellucid.cli.places import check_apart, check_places

if TYPE_CHECKING:
    from pellucid.cli.answered import Answered

_LANGUAGES = ("en", "zh")


@click.command(short_help="Make a page on which a model can be looked into.")
@click.argument("model", type=click.Path())
@click.argument("data", type=click.Path())
@click.option(
    "-o",
    "--output",
    type=click.Path(),
    metavar="HTML",
    help="Page to write.  [default: MODEL's name.html]",
)
@click.option(
    "-t",
    "--target",
    "targets",
    metavar="COLUMN",
    multiple=True,
    help="Column with the true values; repeat it for several.  [default: as in training]",
)
@click.option(
    "--rows",
    type=click.IntRange(0),
    default=4,
    metavar="N",
    help="Rows to follow through the network.  [default: 4]",
)
@click.option("--no-rows", is_flag=True, help="Leave out all that would show a row of DATA.")
@click.option(
    "--lang",
    type=click.Choice(_LANGUAGES),
    metavar="LANG",
    help="en or zh.  [default: the browser's]",
)
@encoding_option
@json_option
def report(
    model: str,
    data: str,
    output: str | None,
    targets: tuple[str, ...],
    rows: int,
    no_rows: bool,
    lang: str | None,
    encoding: str | None,
    as_json: bool,
) -> None:
    """Make a page about a saved MODEL and the rows of DATA: one file that opens in any browser.

    It shows how good the model is on DATA, which rows are wrong and what matters, and follows some
    rows through every layer, with the formulas beside their numbers. DATA is what `evaluate` takes,
    best rows that the model has not learned from.
    """
    from pellucid import load
    from pellucid.checks import file_name
    from pellucid.cli.answered import read_answered
    from pellucid.cli.output import Output
    from pellucid.terminal import filled

    place = check_page(output or f"{Path(model).absolute().stem}.html", "--output")
    check_apart(place, data, model)
    told = Output(as_json=as_json)
    estimator: Any = load(model)
    with told.noting_warnings():
        answered = read_answered(estimator, file_name(model), data, targets, encoding)
        for words in filter(None, (answered.left_out, answered.unusable)):
            told.say(filled(words, 2))
        size = write(estimator, answered, place, rows=0 if no_rows else rows, lang=lang,
                     keep_rows=not no_rows)  # fmt: skip
    say_written(told, place, size)
    told.result({"model": model, "data": data, "page": place, "bytes": size})


def check_page(place: str, option: str) -> str:
    """Refuse a page that cannot be written before anything long is begun."""
    if Path(place).suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"{option} must name a file that ends in .html. Got {place}.")
    check_places([place])
    return place


def write(model: Any, answered: Answered, place: str, **options: Any) -> int:
    """Make the page of `model` on the rows of `answered`; the size of the file."""
    from pellucid.reports import Report
    from pellucid.reports.collect import collect

    if getattr(model, "target_names_", None) is None:
        model.target_names_ = list(answered.names)
    data = collect(model, answered.X, answered.y, source=answered.source, **options)
    return Report(data).save(place).stat().st_size


def say_written(told: Any, place: str, size: int) -> None:
    """Tell of the page."""
    from pellucid.checks import size_text
    from pellucid.terminal import filled

    told.say(filled(f"Page saved in {place} ({size_text(size)}): open it in a browser.", 2))
