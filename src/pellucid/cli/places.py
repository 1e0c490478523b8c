"""Where commands write their files."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable
from pathlib import Path

from pellucid import files


def check_places(paths: Iterable[str]) -> None:
    """Refuse files that cannot be written before a long training, not after it."""
    for path in paths:
        files.check_writable(path)


def check_apart(path: str, *read: str) -> None:
    """Refuse to write over what is read: a file, or a table in a folder or of a pattern."""
    for other in read:
        files.check_apart(path, *_tables(path, other))


def _tables(path: str, other: str) -> list[str]:
    """Those files that `other` names, of which `path` may be one."""
    from pellucid.data.containers import is_table
    from pellucid.data.folders import files_below

    if os.path.isdir(other):
        within = os.path.exists(path) and Path(path).resolve().is_relative_to(Path(other).resolve())
        return [*filter(is_table, files_below(other))] if within else []
    if glob.has_magic(other) and not os.path.exists(other):
        return glob.glob(other, recursive=True)
    return [other]
