"""Some rows of many, for what is only said: whole blocks, spread evenly over the table."""

from __future__ import annotations

from collections.abc import Sequence

SAMPLE = 100_000  # rows that are looked at, where there are more


def evenly(parts: Sequence[slice], rows: int) -> list[slice]:
    """Some parts of a table, each once, about so many `rows`, among them the first and last."""
    count = parts[-1].stop if parts else 0
    if count <= rows or len(parts) <= 2:
        return list(parts)
    wanted = max(2, len(parts) * rows // count)
    last = len(parts) - 1
    return [parts[place * last // (wanted - 1)] for place in range(wanted)]


def sample_words(rows: int) -> str:
    """Of which rows something is true."""
    return f" of the {rows:,} that were looked at"
