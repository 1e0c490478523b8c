"""The picture of a training: loss and accuracy by epoch."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_KINDS = (".png", ".svg", ".pdf")


def check(path: str) -> None:
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
        raise ValueError(f"--plot must be a file ending in {', '.join(_KINDS)}. Got '{path}'.")
    if importlib.util.find_spec("matplotlib") is None:
        raise ImportError('--plot needs matplotlib. Run: pip install "pellucid[plot]"')


def draw(history: Sequence[Mapping[str, Any]], path: str, title: str) -> None:
    """Draw the curves of `history`, one row an epoch, into the picture `path`."""
    from matplotlib.figure import Figure

    from pellucid.files import write_whole

    rows = list(history)
    measures = [name for name in ("loss", "accuracy") if name in rows[0]]
    figure = Figure(figsize=(5.2 * len(measures), 3.8), dpi=150, layout="constrained")
    figure.suptitle(title)
    panels = figure.subplots(1, len(measures), squeeze=False)[0]
    for panel, name in zip(panels, measures, strict=True):
        for key, label in ((name, "training"), (f"validation_{name}", "validation")):
            points = [(row["epoch"], row[key]) for row in rows if row.get(key) is not None]
            if points:
                marker = "." if len(points) < 3 else ""
                panel.plot(*zip(*points, strict=True), marker=marker, label=label)
        panel.set(xlabel="epoch", ylabel=name)
        panel.grid(alpha=0.3)
        panel.spines[["top", "right"]].set_visible(False)
        panel.legend(frameon=False)
    picture = io.BytesIO()
    figure.savefig(picture, format=Path(path).suffix.lower()[1:])
    write_whole(path, picture.getvalue())
