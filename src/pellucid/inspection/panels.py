"""What displays draw into one panel: maps of numbers, many small maps, and bars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pellucid import figures
from pellucid.training.curves import plain

MOST_MAPS = 16
"""Maps that are drawn side by side."""
BLUE, ORANGE, GREY = "#1f6fb4", "#e0701a", "#707070"
_SIGNED = "RdBu_r"  # red above 0, blue below
_IN_NUMBERS = 144  # cells up to which each has its number


def heat(
    panel: Any,
    values: np.ndarray,
    title: str = "",
    *,
    limit: float | None = None,
    grey: bool = False,
    bar: bool = False,
    numbers: bool = True,
    square: bool = False,
) -> Any:
    """Draw numbers (H, W) as colours, 0 white; few of them are written too.

    Colours reach from ``-limit`` to `limit`, by default the largest absolute value; a `bar` says
    which is which, where there are no numbers. With `grey` the
    smallest number is black, and the largest white. Cells fill the panel unless they are `square`.
    """
    values = np.atleast_2d(values)
    finite = values[np.isfinite(values)]
    most = (float(np.abs(finite).max()) if finite.size else 0.0) if limit is None else limit
    most = most or 1.0
    colors = {"cmap": "gray"} if grey else {"cmap": _SIGNED, "vmin": -most, "vmax": most}
    image = panel.imshow(
        values, interpolation="nearest", aspect="equal" if square else "auto", **colors
    )
    if numbers and values.size <= _IN_NUMBERS:
        write_numbers(panel, values, most, grey=grey)
    elif bar:
        panel.figure.colorbar(image, ax=panel, shrink=0.9)
    panel.set_title(title, fontsize=9)
    panel.tick_params(labelsize=7)
    return image


def picture(panel: Any, pixels: np.ndarray, title: str) -> None:
    """Draw a picture (H, W, C) of one channel in greys, of three in colours; of more each channel.

    The smallest number of all is black, and the largest white.
    """
    height, _, channels = pixels.shape
    if channels == 1:
        heat(panel, pixels[..., 0], title, grey=True, numbers=False, square=height > 1)
    elif channels == 3:
        low, high = pixels.min(), pixels.max()
        panel.imshow((pixels - low) / (high - low or 1.0))
        panel.set_title(title, fontsize=9)
    else:
        tiles = tiled(pixels[..., :MOST_MAPS])
        title += f"\nthe first {MOST_MAPS} channels" if channels > MOST_MAPS else ""
        heat(panel, tiles, title, numbers=False, square=height > 1)
    without_ticks(panel)


def write_numbers(panel: Any, values: np.ndarray, most: float, *, grey: bool = False) -> None:
    """Write each number into its cell, where there is some room."""
    size = 8 if values.shape[1] <= 5 else 6 if values.shape[1] <= 9 else 4.5
    low, high = np.nanmin(values), np.nanmax(values)
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            dark = abs(value) > 0.6 * most
            if grey:
                dark = value < (low + high) / 2
            color = "white" if dark else "black"
            text = short_number(value)
            panel.text(column, row, text, ha="center", va="center", fontsize=size, color=color)


def short_number(value: float) -> str:
    """A number in about four characters."""
    size = abs(value)
    return f"{value:.{1 if size < 0.001 else 2 if size < 0.1 else 3}g}"


def tiled(maps: np.ndarray, columns: int | None = None) -> np.ndarray:
    """Maps (H, W, N) side by side in one array, with NaN between them."""
    height, width, count = maps.shape
    columns = columns or columns_for(height, width, count)
    down, across = corner(columns * -(-count // columns) - 1, (height, width), columns)
    tiles = np.full((down + height, across + width), np.nan)
    for index in range(count):
        top, left = corner(index, (height, width), columns)
        tiles[top : top + height, left : left + width] = maps[..., index]
    return tiles


def corner(index: int, size: tuple[int, int], columns: int) -> tuple[int, int]:
    """Where map number `index` begins among the tiles."""
    row, column = divmod(index, columns)
    gap = _gap(*size)
    return row * (size[0] + gap), column * (size[1] + gap)


def _gap(height: int, width: int) -> int:
    """Cells between two maps."""
    return max(1, min(height, width) // 16)


def columns_for(height: int, width: int, count: int) -> int:
    """How many maps stand side by side, for all of them to make about a square."""
    gap = _gap(height, width)
    return int(min(count, max(1, round(np.sqrt(count * (height + gap) / (width + gap))))))


def frame(panel: Any, top: int, left: int, height: int, width: int, **options: Any) -> None:
    """Draw a frame around some cells."""
    from matplotlib.patches import Rectangle

    look: dict[str, Any] = {"edgecolor": ORANGE, "linewidth": 1.6, "fill": False} | options
    panel.add_patch(Rectangle((left - 0.5, top - 0.5), width, height, **look))


def whole_ticks(*axes: Any) -> None:
    """Let axes that count, as steps or units, have ticks at whole numbers alone."""
    from matplotlib.ticker import MaxNLocator

    for axis in axes:
        axis.set_major_locator(MaxNLocator("auto", integer=True, min_n_ticks=1))


def without_ticks(panel: Any) -> None:
    """Take the numbers from the axes of maps that stand side by side."""
    panel.set_xticks([])
    panel.set_yticks([])


def bars(
    panel: Any,
    names: Sequence[object],
    values: np.ndarray,
    title: str = "",
    *,
    strong: Sequence[int] = (),
    labels: bool = True,
) -> None:
    """Draw bars that lie, the first one on top, with their numbers; those in `strong` stand out."""
    places = np.arange(len(values))
    colors = [ORANGE if place in strong else BLUE for place in places]
    panel.barh(places, values, color=colors, height=0.7)
    size = 8 if len(values) <= 12 else 6.5
    for place, value in zip(places, values, strict=True):
        panel.annotate(
            short_number(value), (value if np.isfinite(value) else 0, place),
            (3 if value >= 0 else -3, 0), textcoords="offset points",
            ha="left" if value >= 0 else "right", va="center", fontsize=size,
        )  # fmt: skip
    panel.axvline(0, color=GREY, linewidth=0.8)
    panel.set_yticks(places, [figures.short(name, 24) for name in names] if labels else [])
    panel.tick_params(labelsize=size)
    panel.set_ylim(len(values) - 0.4, -0.6)
    panel.margins(x=0.35)  # room for the numbers
    panel.set_title(title, fontsize=9)
    plain(panel)
