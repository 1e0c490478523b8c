"""Pictures that commands draw into files."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

_KINDS = (".png", ".svg", ".pdf")


def check(path: str, option: str) -> None:
    """Say before a long training, not after it, that a picture cannot be drawn.

    Raises
    ------
    ValueError
        If `path` does not end as a picture's name does.
    ImportError
        If matplotlib is not installed.
    """
    import importlib.util

    suffix = Path(path).suffix.lower()
    if suffix not in _KINDS:
        raise ValueError(f"{option} must be a file ending in {', '.join(_KINDS)}. Got '{path}'.")
    if importlib.util.find_spec("matplotlib") is None:
        raise ImportError(f'{option} needs matplotlib. Run: pip install "pellucid[plot]"')


def write(figure: Any, path: str, **options: Any) -> None:
    """Write a matplotlib figure into the picture `path`, whole or not at all."""
    from pellucid.files import write_whole

    picture = io.BytesIO()
    figure.savefig(picture, format=Path(path).suffix.lower()[1:], **options)
    write_whole(path, picture.getvalue())
