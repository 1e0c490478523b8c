"""``pellucid card``: what a model is, on a page of Markdown."""

from __future__ import annotations

from pathlib import Path

import click

from pellucid.cli.options import json_option
from pellucid.cli.places import check_places


@click.command(short_help="Write a card that tells what a model is.")
@click.argument("model", type=click.Path())
@click.option(
    "-o",
    "--output",
    type=click.Path(),
    metavar="MD",
    help="Card to write.  [default: MODEL's name.md]",
)
@click.option("--license", metavar="NAME", help="The model's licence, such as MIT or CC-BY-4.0.")
@click.option("--author", metavar="NAME", help="Who made the model.")
@json_option
def card(
    model: str, output: str | None, license: str | None, author: str | None, as_json: bool
) -> None:
    """Write a card of Markdown about a saved MODEL, to lie beside its file.

    It tells what the model is, what it learned from, what became of each column, how good it was
    beside a trivial answer, how it was trained, how to use it, and what it cannot do. The block at
    its top is what model hubs read.
    """
    from pellucid import files, load
    from pellucid.checks import size_text
    from pellucid.cli.output import Output
    from pellucid.reports.card import card as card_of
    from pellucid.terminal import filled

    place = output or f"{Path(model).absolute().stem}.md"
    if Path(place).suffix.lower() != ".md":
        raise ValueError(f"--output must name a file that ends in .md. Got {place}.")
    check_places([place])
    files.check_apart(place, model)
    told = Output(as_json=as_json)
    with told.noting_warnings():
        made = card_of(load(model), file=model, license=license, author=author)
    size = made.save(place).stat().st_size
    told.say(filled(f"Card saved in {place} ({size_text(size)}).", 2))
    if license is None:
        told.note("It says that no licence is given: --license NAME gives one.")
    told.result({"model": model, "card": place, "bytes": size, "notes": told.notes})
