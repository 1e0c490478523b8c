"""Text for 80 columns: tables, scores, lists of names."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

WIDTH = 80


def table(rows: Sequence[Sequence[object]], indent: int = 2) -> str:
    """Aligned columns, the first to the left, the others to the right; the header comes first."""
    texts = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    lines = []
    for first, *others in texts:
        cells = [first.ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        lines.append((" " * indent + "  ".join(cells)).rstrip())
    return "\n".join(lines)


def paragraph(text: str, indent: int = 0) -> str:
    """`text` broken into lines, the second and later ones indented."""
    return textwrap.fill(
        text, WIDTH, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False
    )


def listed(names: Iterable[object], most: int = 12) -> str:
    """``a, b, c``; of a long list the first ones, and how many more there are."""
    texts = [str(name) for name in names]
    shown = ", ".join(texts[:most])
    return shown if len(texts) <= most else f"{shown} and {len(texts) - most} more"


def either(names: Sequence[str]) -> str:
    """``a, b or c``."""
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def counted(count: int, what: str) -> str:
    """``1 row``, ``1,204 rows``."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def figure(value: Any) -> str:
    """A number with four significant digits."""
    return f"{float(value):.4g}"
