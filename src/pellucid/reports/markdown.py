"""Markdown in which texts from the user's data stay texts, whatever characters they hold."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence

from pellucid.checks import printable
from pellucid.terminal import shortened

# What CommonMark, its tables and the mathematics of model hubs give a meaning. A character that is
# written by its number never has one, and is shown all the same.
_MARKS = re.compile(
    r"[\\`*\[\]<>&|~$#{}]|(?<![^\W_])_|_(?![^\W_])|:(?=//)|(?<=www)\.|^[-+=]|^\d{1,9}(?=[.)](?:\s|$))"
)
_PLAIN = re.compile(r"[a-z][a-z0-9.+_-]*")
_LONGEST = 60  # columns of a name


def text(value: object, most: int = _LONGEST) -> str:
    """`value` as a piece of a line, in `most` columns: of a longer one both ends."""
    line = shortened(printable(str(value)), most)
    return _MARKS.sub(lambda found: "".join(f"&#{ord(mark)};" for mark in found[0]), line)


def texts(values: Sequence[object], most: int = 20) -> str:
    """``a, b, c``; of many the first ones, and how many more there are."""
    listed = ", ".join(map(text, values[:most]))
    return listed if len(values) <= most else f"{listed} and {len(values) - most:,} more"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are Markdown already."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def code(language: str, lines: str) -> str:
    """A block of code, between more backticks than stand together in it."""
    longest = max(map(len, re.findall("`+", lines)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{lines}\n{fence}"


def front_matter(fields: Mapping[str, str | Sequence[str]]) -> str:
    """A block of YAML for the programs that read cards; empty lists are left out."""
    lines = []
    for name, value in fields.items():
        if isinstance(value, str):
            lines.append(f"{name}: {_scalar(value)}")
        elif value:
            lines += [f"{name}:", *(f"- {_scalar(entry)}" for entry in value)]
    return "\n".join(["---", *lines, "---"])


def _scalar(value: str) -> str:
    """A text in YAML, which takes the strings of JSON."""
    if _PLAIN.fullmatch(value):
        return value
    return json.dumps(printable(value), ensure_ascii=False)
