"""The picture of a training: loss and accuracy by epoch."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from typing import Any

from pellucid import figures

WIDTH, HEIGHT = 5.2, 3.6
"""Of a panel, in inches."""

# blue and orange differ for colour-blind readers too, and in grey print
_LINES = (("", "training", "#1f6fb4"), ("validation_", "validation", "#e0701a"))
_DECADES = 1.5  # a loss that spans more of them has a logarithmic axis


def draw(
    rows: Sequence[Mapping[str, Any]],
    path: str | os.PathLike[str] | None = None,
    title: str = "",
) -> Any:
    """Loss, and accuracy where there is one, by epoch.

    Parameters
    ----------
    rows : sequence of mappings
        Those of a history, one an epoch.
    path : str or path, optional
        The picture to write; its ending says the format (.png, .svg, .pdf).
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there are no rows, or `path` ends as no picture's name does.
    ImportError
        If matplotlib is not installed.
    """
    if not len(rows):
        raise ValueError("a history to be drawn must have at least one epoch. Got none.")
    names = measures(rows)
    figure = figures.new_figure("the picture of a history", WIDTH * len(names), HEIGHT)
    for panel, measure in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
        draw_panel(panel, rows, measure)
    return figures.finish(figure, path, title)


def measures(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """What is drawn of a history, a panel each: loss, and accuracy where there is one."""
    return [name for name in ("loss", "accuracy") if any(name in row for row in rows)]


def draw_panel(
    panel: Any,
    rows: Sequence[Mapping[str, Any]],
    measure: str,
    test: tuple[int, float] | None = None,
) -> None:
    """Draw one measure by epoch into the axes `panel`, the best epoch marked if it was validated.

    A loss has a logarithmic axis where all values are positive and span more than 1.5 decades.
    `test` is the epoch whose weights were tested, and what came.
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator

    values: list[float] = []
    for prefix, label, color in _LINES:
        name = prefix + measure
        points = [(row["epoch"], _number(row[name])) for row in rows if name in row]
        finite = [value for _, value in points if math.isfinite(value)]
        values += finite
        if finite:
            missing = len(points) - len(finite)
            if missing:
                label += f", not finite in {missing:,} epoch{'s'[: missing > 1]}"
            marker = "o" if len(finite) == 1 else ""  # a line of one point would not be seen
            panel.plot(*zip(*points, strict=True), marker=marker, color=color, label=label)
    if test is not None and math.isfinite(test[1]):
        values.append(test[1])
        panel.plot(
            *test, marker="D", markersize=6, linestyle="", color="#222222", clip_on=False, zorder=3,
            label=f"test: {test[1]:.4g}",
        )  # fmt: skip
    best = _best_epoch(rows)
    if best is not None:
        label = f"best epoch: {best}"
        panel.axvline(best, color="#707070", linewidth=1, linestyle=":", label=label)
    panel.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    panel.set(xlabel="epoch", ylabel=measure)
    if measure == "loss" and spans_decades(values):
        panel.set_yscale("log")
        # 0.02, 0.05, 0.1 where powers of ten alone would be one or two labels
        few = max(values) / min(values) < 1e4
        panel.yaxis.set_major_locator(LogLocator(10, (1, 2, 5) if few else (1,)))
        panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        panel.yaxis.set_minor_formatter(FuncFormatter(lambda *_: ""))
    plain(panel)
    if panel.get_legend_handles_labels()[0]:
        panel.legend(frameon=False)


def _best_epoch(rows: Sequence[Mapping[str, Any]]) -> int | None:
    """The epoch of the lowest validation loss; None where nothing was validated."""
    losses = [(_number(row.get("validation_loss")), row["epoch"]) for row in rows]
    return min((pair for pair in losses if math.isfinite(pair[0])), default=(0, None))[1]


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def spans_decades(values: Sequence[float]) -> bool:
    """Whether all values are positive, and the largest is many times the smallest."""
    return bool(values) and min(values) > 0 and max(values) / min(values) > 10**_DECADES


def plain(panel: Any) -> None:
    """Give `panel` a pale grid, and no frame above and to the right."""
    panel.grid(color="#d8d8d8", linewidth=0.6)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)
