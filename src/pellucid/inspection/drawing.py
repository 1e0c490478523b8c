"""The plot of gradients by step."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from pellucid import figures
from pellucid.training.curves import plain

# colours that differ for colour-blind readers too, and dashes that differ in grey print
_STYLES = (("#1f6fb4", "-"), ("#e0701a", "--"), ("#3b8f5a", "-."), ("#8a4fa3", ":"))
_SMALLEST = 1e-12  # drawn in place of zero, which has no logarithm


def draw(
    flows: Sequence[tuple[str, np.ndarray, np.ndarray]],
    path: str | os.PathLike[str] | None = None,
    title: str = "",
) -> Any:
    """The norms of ``dL/dh_t`` and the largest singular value of ``dh_T/dh_t``, by step.

    Parameters
    ----------
    flows : sequence of (label, loss norms, singular values)
        One line for each flow; steps are counted back from the last.
    path : str or path, optional
        The picture to write; its ending says the format (.png, .svg, .pdf).
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    figure = figures.new_figure("the picture of a gradient's flow", 10.4, 3.8)
    panels = figure.subplots(1, 2)
    headings = (
        "gradient of the loss at step t,  |dL/dhₜ|",
        "what step t can do to the last,  |dh_T/dhₜ|",
    )
    for side, (panel, heading) in enumerate(zip(panels, headings, strict=True)):
        for (label, *norms), (color, dashes) in zip(flows, _STYLES * len(flows), strict=False):
            values = np.maximum(norms[side], _SMALLEST)
            steps = np.arange(len(values)) - len(values) + 1
            panel.plot(steps, values, color=color, linestyle=dashes, label=label)
        panel.set_yscale("log")
        panel.set_title(heading, fontsize=10)
        panel.set_xlabel("steps before the last")
        plain(panel)
    panels[1].axhline(1.0, color="#707070", linewidth=1)
    panels[0].legend(frameon=False, fontsize=9, loc="best")
    return figures.finish(figure, path, title)
