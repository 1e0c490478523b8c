"""What all displays share: computed first, drawn when asked, in words and in a notebook."""

from __future__ import annotations

import base64
import copy
import html
import io
import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from pellucid import checks, figures

MOST_ROWS, MOST_COLUMNS = 50, 20
"""Of the table that stands below a picture in a notebook."""


class Display(ABC):
    """Abstract: something of a model to be looked at, after the manner of scikit-learn's displays.

    What is shown is computed by :meth:`of`, which draws nothing and needs no matplotlib. The
    constructor takes the arrays themselves and keeps them as attributes. A new display defines
    `of`, its `__str__`, `_size`, `_draw` and `_table`, and `_grid` where it has several panels.

    Attributes
    ----------
    ax_ : matplotlib Axes, or ndarray of them
        Where it was drawn; an array of shape (rows, columns) where there are several panels.
    figure_ : matplotlib Figure
    """

    ax_: Any
    figure_: Any

    @classmethod
    @abstractmethod
    def of(cls, model: Any, *args: Any, **options: Any) -> Self:
        """What is to be shown of a fitted `model`, computed and not drawn."""

    @classmethod
    def from_estimator(cls, model: Any, *args: Any, ax: Any = None, **options: Any) -> Self:
        """Compute and draw at once.

        Parameters
        ----------
        model : estimator
            Fitted.
        *args, **options
            As for :meth:`of`: X and y where they are needed, then what is asked.
        ax : matplotlib Axes, optional
            As for :meth:`plot`.

        Returns
        -------
        Display
        """
        return cls.of(model, *args, **options).plot(ax)

    def plot(self, ax: Any = None, path: str | os.PathLike[str] | None = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to; several panels divide its place among them. By default a figure is made.
        path : str or path, optional
            The picture to write; its ending says the format (.png, .svg, .pdf).

        Returns
        -------
        Display
            Itself, with ``ax_`` and ``figure_`` set.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        TypeError, ValueError
            If `ax` is none of matplotlib's Axes, or `path` no picture's name.
        """
        part, axes, others = self._place(ax)
        self._draw(axes)
        # what else is in the user's figure is left alone
        figures.make_readable([one for one in part.axes if one not in others])
        self.ax_ = axes[0, 0] if axes.size == 1 else axes
        self.figure_ = part.figure  # the whole one, also of a subfigure
        if path is not None:
            figures.save(self.figure_, path)
        return self

    def _place(self, ax: Any) -> tuple[Any, np.ndarray, list[Any]]:
        """The figure or the part of it to draw into, its axes for that, and its other axes."""
        if ax is None:
            part = figures.new_figure(type(self).__name__, *self._size)
            return part, part.subplots(squeeze=False, **self._grid), []
        owner = f"{type(self).__name__}.plot"
        if not callable(getattr(ax, "get_subplotspec", None)):
            raise TypeError(checks.fault("ax", owner, "Axes of matplotlib", ax))
        figure = ax.figure
        if self._grid.get("nrows", 1) * self._grid.get("ncols", 1) == 1:
            return figure, np.array([[ax]], object), [one for one in figure.axes if one is not ax]
        place = ax.get_subplotspec()
        if place is None:
            raise ValueError(
                f"ax of {owner} must be Axes of a grid, such as figure.subplots() gives, so that "
                "its place can be divided. Got Axes at a place of their own. Leave ax out."
            )
        ax.remove()
        part = figure.add_subfigure(place)
        return part, part.subplots(squeeze=False, **self._grid), []

    # -- what a display defines --------------------------------------------------------------

    @abstractmethod
    def __str__(self) -> str:
        """A verdict in words, with its numbers."""

    @property
    @abstractmethod
    def _size(self) -> tuple[float, float]:
        """Width and height in inches of a figure of its own."""

    @property
    def _grid(self) -> dict[str, Any]:
        """The panels, as ``Figure.subplots`` takes them: nrows, ncols, width_ratios, ..."""
        return {}

    @abstractmethod
    def _draw(self, axes: np.ndarray) -> None:
        """Draw into matplotlib's axes of shape (nrows, ncols)."""

    @abstractmethod
    def _table(self) -> tuple[Sequence[Any], Sequence[Sequence[Any]]]:
        """The data as a table: names of the columns, and rows."""

    # -- in a notebook -----------------------------------------------------------------------

    def __repr__(self) -> str:
        return f"{type(self).__name__}({figures.short(self, 80)})"

    def _repr_html_(self) -> str:
        """The verdict, the picture and the data, without a script."""
        verdict = html.escape(str(self))
        try:
            drawn = copy.copy(self).plot()
        except ImportError as error:
            picture = f"<p>{html.escape(str(error))}</p>"
        else:
            png = io.BytesIO()
            drawn.figure_.savefig(png, format="png", dpi=100)
            data = base64.b64encode(png.getvalue()).decode()
            picture = f'<img alt="{verdict}" src="data:image/png;base64,{data}">'
        table = html_table(*self._table())
        return (
            f"<div><p>{verdict}</p>{picture}"
            f"<details><summary>The numbers</summary>{table}</details></div>"
        )


def html_table(names: Sequence[Any], rows: Sequence[Sequence[Any]]) -> str:
    """A table of HTML, cut to the first rows and columns; what was left out is said below it."""

    def line(cells: Iterable[Any], tag: str) -> str:
        inside = "".join(f"<{tag}>{html.escape(cell_text(cell))}</{tag}>" for cell in cells)
        return f"<tr>{inside}</tr>"

    body = "".join(line(row[:MOST_COLUMNS], "td") for row in rows[:MOST_ROWS])
    left_out = [
        f"{count - most:,} more {what}"
        for count, most, what in (
            (len(rows), MOST_ROWS, "rows"),
            (len(names), MOST_COLUMNS, "columns"),
        )
        if count > most
    ]
    note = f"<p>Not shown: {' and '.join(left_out)}.</p>" if left_out else ""
    return f"<table>{line(names[:MOST_COLUMNS], 'th')}{body}</table>{note}"


def cell_text(value: Any) -> str:
    """A value as a table shows it."""
    if isinstance(value, (float, np.floating)):
        return f"{float(value):.4g}"
    return "" if value is None else figures.short(value, 60)


def check_model(owner: str, model: Any) -> None:
    """Refuse a `model` that is no fitted estimator of pellucid's."""
    if isinstance(model, type) or not hasattr(model, "_examples"):
        steps = getattr(model, "steps", None)
        way_out = "Give its last step, and what the steps before it make of X." if steps else ""
        raise TypeError(
            checks.fault("model", owner, "a fitted estimator of pellucid", model, way_out)
        )
    check_is_fitted(model, "network_")
