"""Text for 80 columns: tables, scores, lists of names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pellucid.checks import printable
from pellucid.terminal import COLUMNS, filled, padded, shortened, width

_LONGEST = 40  # columns for a name in a line of others
_LARGE = 1e12  # from here on numbers have an exponent
_LEAST = 9  # columns that a shortened name of the header keeps at least, to be told from others


def table(rows: Sequence[Sequence[object]], indent: int = 2) -> str:
    """Aligned columns, the first to the left, the others to the right; the header comes first.

    Names in the first column, and then those in the header too, are shortened to fit the page; a
    table of too many columns does not.
    """
    texts = [[printable(str(cell)) for cell in row] for row in rows]
    for limits in _limits():
        cells, widths = _cut(texts, *limits)
        if indent + sum(widths) + 2 * (len(widths) - 1) <= COLUMNS:
            break
    lines = []
    for first, *others in cells:
        line = [padded(first, widths[0])]
        sized = zip(others, widths[1:], strict=True)
        line += [padded(cell, size, right=True) for cell, size in sized]
        lines.append((" " * indent + "  ".join(line)).rstrip())
    return "\n".join(lines)


def fits(text: str) -> bool:
    """Whether no line of `text` is wider than the page."""
    return all(width(line) <= COLUMNS for line in text.split("\n"))


def _limits() -> Iterable[tuple[int, int]]:
    """Columns at most of names below the header's first cell, and of the header's other cells."""
    yield COLUMNS, COLUMNS
    yield from ((columns, COLUMNS) for columns in range(_LONGEST, 12, -1))
    yield from ((columns, columns) for columns in range(12, _LEAST - 1, -1))


def _cut(texts: list[list[str]], first: int, others: int) -> tuple[list[list[str]], list[int]]:
    """The cells with their names shortened, and the widths of the columns."""
    (corner, *header), *body = texts
    cells = [[corner, *(shortened(cell, others) for cell in header)]]
    cells += [[shortened(name, first), *numbers] for name, *numbers in body]
    return cells, [max(map(width, column)) for column in zip(*cells, strict=True)]


def paragraph(text: str, indent: int = 0) -> str:
    """`text` broken into lines, the second and later ones indented."""
    return filled(text, indent)


def listed(names: Iterable[object], most: int = 12) -> str:
    """``a, b, c``; of a long list the first ones, and how many more there are."""
    texts = [name_shown(name) for name in names]
    shown = ", ".join(texts[:most])
    return shown if len(texts) <= most else f"{shown} and {len(texts) - most:,} more"


def name_shown(name: object) -> str:
    """A name within a line: without line breaks, and of a long one both ends."""
    return shortened(printable(str(name)), _LONGEST)


def source_name(data: str) -> str:
    """How a file that was given is called."""
    return "standard input" if data == "-" else data


def either(names: Sequence[str], joint: str = "or") -> str:
    """``a, b or c``."""
    return f" {joint} ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def counted(count: int, what: str) -> str:
    """``1 row``, ``1,204 rows``."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def figure(value: Any) -> str:
    """A number with four significant digits; a dash where there is none."""
    if value is None:
        return "-"
    text = f"{float(value):.4g}"
    return f"{float(value):,.0f}" if "e+" in text and abs(value) < _LARGE else text


def share(value: Any) -> str:
    """A share with three decimals; a dash where there is none."""
    return "-" if value is None else f"{float(value):.3f}".replace("-0.000", "0.000")
