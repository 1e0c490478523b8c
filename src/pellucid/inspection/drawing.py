"""The plot of gradients by step."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

# colours that differ for colour-blind readers too, and dashes that differ in grey print
_STYLES = (("#1f6fb4", "-"), ("#e0701a", "--"), ("#3b8f5a", "-."), ("#8a4fa3", ":"))
_SMALLEST = 1e-12  # drawn in place of zero, which has no logarithm


def draw(
    flows: Sequence[tuple[str, np.ndarray, np.ndarray]], path: str | os.PathLike[str] | None = None
) -> Any:
    """The norms of ``dL/dh_t`` and the largest singular value of ``dh_T/dh_t``, by step.

    Parameters
    ----------
    flows : sequence of (label, loss norms, singular values)
        One line for each flow; steps are counted back from the last.
    path : str or path, optional
        The picture to write.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    try:  # the Figure alone: no window, no global state
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(
            "the picture of a gradient's flow needs matplotlib, which is not installed. "
            'Run: pip install "pellucid[plot]"'
        ) from error
    figure = Figure(figsize=(10.4, 3.8), dpi=150, layout="constrained")
    panels = figure.subplots(1, 2)
    titles = (
        "gradient of the loss at step $t$,  $|dL/dh_t|$",
        "what step $t$ can do to the last,  $|dh_T/dh_t|$",
    )
    for side, (panel, title) in enumerate(zip(panels, titles, strict=True)):
        for (label, *norms), (color, dashes) in zip(flows, _STYLES * len(flows), strict=False):
            values = np.maximum(norms[side], _SMALLEST)
            steps = np.arange(len(values)) - len(values) + 1
            panel.plot(steps, values, color=color, linestyle=dashes, label=label)
        panel.set_yscale("log")
        panel.set_title(title, fontsize=10)
        panel.set_xlabel("steps before the last")
        panel.grid(color="#d8d8d8", linewidth=0.6)
        panel.set_axisbelow(True)
        panel.spines[["top", "right"]].set_visible(False)
    panels[1].axhline(1.0, color="#707070", linewidth=1)
    panels[0].legend(frameon=False, fontsize=9, loc="best")
    if path is not None:
        figure.savefig(path)
    return figure
