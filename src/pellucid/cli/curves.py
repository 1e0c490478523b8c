"""The picture of a training, asked for on the command line."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pellucid.training.history import History

_KINDS = (".png", ".svg", ".pdf")


def check(path: str, option: str) -> None:
    """Say before a long training, not after it, that a picture cannot be drawn.

    Raises
    ------
    ValueError
        If `path` has not the ending of a picture.
    ImportError
        If matplotlib is not installed.
    """
    import importlib.util

    suffix = Path(path).suffix.lower()
    if suffix not in _KINDS:
        raise ValueError(f"{option} must be a file ending in {', '.join(_KINDS)}. Got '{path}'.")
    if importlib.util.find_spec("matplotlib") is None:
        raise ImportError(f'{option} needs matplotlib. Run: pip install "pellucid[plot]"')


def draw(history: History, path: str, title: str) -> None:
    """Draw the curves of `history` into the picture `path`, written whole or not at all."""
    from pellucid.files import write_whole

    picture = io.BytesIO()
    kind = Path(path).suffix.lower()[1:]
    history.plot(title=title).savefig(picture, format=kind)
    write_whole(path, picture.getvalue())
