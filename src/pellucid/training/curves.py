"""The picture of a training: loss and accuracy by epoch."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

# blue and orange differ for colour-blind readers too, and in grey print
_LINES = (("", "training", "#1f6fb4"), ("validation_", "validation", "#e0701a"))


def draw(
    rows: Sequence[Mapping[str, Any]],
    path: str | os.PathLike[str] | None = None,
    title: str = "",
    best: int | None = None,
) -> Any:
    """Loss, and accuracy where there is one, by epoch.

    Parameters
    ----------
    rows : sequence of mappings
        Those of a history, one an epoch.
    path : str or path, optional
        The picture to write; its ending says the format (.png, .svg, .pdf).
    title : str, optional
    best : int, optional
        The epoch to mark with a dotted line.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there are no rows.
    ImportError
        If matplotlib is not installed.
    """
    if not len(rows):
        raise ValueError("a history to be drawn must have at least one epoch. Got none.")
    try:  # the Figure alone: no window, no global state
        from matplotlib.figure import Figure
        from matplotlib.ticker import MaxNLocator
    except ImportError as error:
        raise ImportError(
            "the curves of a history need matplotlib, which is not installed. "
            'Run: pip install "pellucid[plot]"'
        ) from error
    measures = [name for name in ("loss", "accuracy") if any(name in row for row in rows)]
    figure = Figure(figsize=(5.2 * len(measures), 3.6), dpi=150, layout="constrained")
    for panel, measure in zip(
        figure.subplots(1, len(measures), squeeze=False)[0], measures, strict=True
    ):
        for prefix, label, color in _LINES:
            points = [(r["epoch"], r[prefix + measure]) for r in rows if prefix + measure in r]
            if points:
                marker = "o" if len(points) == 1 else ""
                panel.plot(*zip(*points, strict=True), marker=marker, color=color, label=label)
        if best is not None:
            label = f"best epoch: {best}"
            panel.axvline(best, color="#707070", linewidth=1, linestyle=":", label=label)
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
        panel.set(xlabel="epoch", ylabel=measure)
        panel.grid(color="#d8d8d8", linewidth=0.6)
        panel.set_axisbelow(True)
        panel.spines[["top", "right"]].set_visible(False)
        panel.legend(frameon=False)
    if title:
        figure.suptitle(title)
    if path is not None:
        figure.savefig(path)
    return figure
