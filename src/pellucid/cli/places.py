"""Where commands write their files."""

from __future__ import annotations

from collections.abc import Iterable

from pellucid.files import check_writable


def check_places(paths: Iterable[str]) -> None:
    """Refuse files that cannot be written before a long training, not after it."""
    for path in paths:
        check_writable(path)
