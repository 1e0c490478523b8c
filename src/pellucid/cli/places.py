"""Where commands write their files."""

from __future__ import annotations

from collections.abc import Iterable

from pellucid.files import check_place


def check_places(paths: Iterable[str]) -> None:
    """Refuse files that cannot be written before a long training, not after it; see there."""
    for path in paths:
        check_place(path)
