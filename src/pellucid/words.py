"""Names, counts and shares in sentences."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pellucid.checks import printable
from pellucid.terminal import shortened

_LONGEST = 40  # columns for a name in a line of others


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


def counted(count: int, what: str) -> str:
    """``1 row``, ``1,204 rows``, ``2 classes``."""
    several = "es" if what.endswith(("s", "x")) else "s"
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}{several}"


def share(value: Any) -> str:
    """A share with three decimals; a dash where there is none."""
    return "-" if value is None else f"{float(value):.3f}".replace("-0.000", "0.000")
