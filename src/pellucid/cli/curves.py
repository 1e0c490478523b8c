"""Pictures that commands draw into files."""

from __future__ import annotations

from collections.abc import Sequence
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


def draw_series(
    model: Any, X: Any, held: Any, path: str, title: str, levels: Sequence[float]
) -> None:
    """Draw the training of a model of a series, and beside it forecasts and what came.

    Parameters
    ----------
    model : estimator
        Fitted.
    X : Windows
        The series.
    held : Windows
        Those that were held out. None where none were.
    path : str
    title : str
    levels : sequence of float
        Of the intervals that are drawn.
    """
    from pellucid import figures
    from pellucid.inspection.forecast_panels import LENGTH, forecast_panels
    from pellucid.training.curves import HEIGHT, WIDTH, draw_panel

    panels = forecast_panels(model, X, held, levels)
    figure = figures.new_figure("--plot", WIDTH + LENGTH, HEIGHT * len(panels))
    axes = figure.subplots(
        len(panels), 2, squeeze=False, gridspec_kw={"width_ratios": [WIDTH, LENGTH]}
    )
    # that of the test would be of what the plan keeps of the network, in units of later windows
    draw_panel(axes[0, 0], model.history_, "loss", None)
    for panel, below in zip(panels, axes[:, 1], strict=True):
        panel.draw(below)
    for unused in axes[1:, 0]:
        unused.set_visible(False)
    figures.finish(figure, path, title)


def draw_fit(
    model: Any, X: Any, y: Any, path: str, title: str = "", names: Sequence[str] = ()
) -> None:
    """Draw the training of `model` and how it did on the rows held out into the picture `path`.

    Above loss and accuracy by epoch, those of the test as a mark at the epoch whose weights are
    kept; below the numbers predicted against the true ones, or the confusion matrix.

    Parameters
    ----------
    model : estimator
        Fitted.
    X, y : as for ``model.score``, or a Reading and its targets
        The rows held out. None where none are.
    path : str
    title : str, optional
    names : sequence of str, optional
        Of the targets.
    """
    from pellucid import figures
    from pellucid.inspection.predictions import tested
    from pellucid.training.curves import HEIGHT, WIDTH, draw_panel, measures

    rows = model.history_
    upper = measures(rows)
    lower, values = ([], {}) if X is None else tested(model, X, y, names)
    sizes = [panel.size for panel in lower]
    heights = [HEIGHT, max(sizes)] if lower else [HEIGHT]
    width = max(WIDTH * len(upper), sum(sizes) + 0.4)
    figure = figures.new_figure("--plot", width, sum(heights))
    parts = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
    above = parts[0].subplots(1, len(upper), squeeze=False)[0]
    for measure, axes in zip(upper, above, strict=True):
        test = (model.best_epoch_, values[measure]) if measure in values else None
        draw_panel(axes, rows, measure, test)
    if lower:
        ratios = {"width_ratios": sizes}
        below = parts[1].subplots(1, len(lower), squeeze=False, gridspec_kw=ratios)[0]
        for panel, axes in zip(lower, below, strict=True):
            panel.draw(axes)
    figures.finish(figure, path, title)
