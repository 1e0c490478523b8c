"""Where commands write their files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def check_places(paths: Iterable[str]) -> None:
    """Refuse files that cannot be written before a long training, not after it.

    Raises
    ------
    FileNotFoundError
        If the folder of one does not exist.
    IsADirectoryError
        If one is a folder.
    """
    for path in paths:
        if not Path(path).absolute().parent.is_dir():
            raise FileNotFoundError(
                f"'{path}' cannot be saved: the folder '{Path(path).parent}' does not exist. "
                "Make it first."
            )
        if Path(path).is_dir():
            raise IsADirectoryError(f"'{path}' cannot be saved: it is a folder. Name a file in it.")
