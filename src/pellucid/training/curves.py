"""The picture of a training: loss and accuracy by epoch."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pellucid.training.history import History

# blue and orange differ for colour-blind readers too, and in grey print
_LINES = (("", "training", "#1f6fb4"), ("validation_", "validation", "#e0701a"))


def draw(history: History, path: str | os.PathLike[str] | None = None, title: str = "") -> Any:
    """Loss, and accuracy where there is one, by epoch; the best epoch is marked.

    Parameters
    ----------
    history : History
    path : str or path, optional
        The picture to write; its ending says the format (.png, .svg, .pdf).
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If the history has no epochs.
    ImportError
        If matplotlib is not installed.
    """
    if not len(history):
        raise ValueError("a history to be drawn must have at least one epoch. Got none.")
    try:  # the Figure alone: no window, no global state
        from matplotlib.figure import Figure
        from matplotlib.ticker import MaxNLocator
    except ImportError as error:
        raise ImportError(
            "the curves of a history need matplotlib, which is not installed. "
            'Run: pip install "pellucid[plot]"'
        ) from error
    measures = [name for name in ("loss", "accuracy") if name in history.columns]
    figure = Figure(figsize=(5.2 * len(measures), 3.6), dpi=150, layout="constrained")
    for panel, measure in zip(
        figure.subplots(1, len(measures), squeeze=False)[0], measures, strict=True
    ):
        for prefix, label, color in _LINES:
            points = [(r["epoch"], r[prefix + measure]) for r in history if prefix + measure in r]
            if points:
                marker = "o" if len(points) == 1 else ""
                panel.plot(*zip(*points, strict=True), marker=marker, color=color, label=label)
        _mark_best(panel, history)
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


def _mark_best(panel: Any, history: History) -> None:
    """A dotted line at the best epoch, when rows were kept aside to tell it."""
    if "validation_loss" in history.columns:
        best = history.best()["epoch"]
        panel.axvline(
            best, color="#707070", linewidth=1, linestyle=":", label=f"best epoch: {best}"
        )
