"""What was predicted beside what is true, drawn."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any, Protocol

import numpy as np

from pellucid import figures
from pellucid.network.passes import Measurement
from pellucid.training.curves import HEIGHT, plain

_MOST_PANELS = 3
_MOST_POINTS = 5_000
_IN_WORDS = 20  # classes up to which cells have numbers
_LABELLED = 40  # classes up to which each has its label
_MOST_CLASSES = 100  # drawn one by one
_OTHERS = "all others"
_COLORS = "Blues"


class Panel(Protocol):
    """A part of a figure."""

    size: float
    """In inches."""

    def draw(self, axes: Any) -> None:
        """Draw into matplotlib's axes."""


def draw_predictions(
    truth: Any,
    predicted: Any,
    path: str | os.PathLike[str] | None = None,
    title: str = "",
    *,
    names: Sequence[str] = (),
) -> Any:
    """Numbers predicted against true ones, or the confusion matrix of classes.

    Parameters
    ----------
    truth, predicted : array-like of shape (rows,) or (rows, targets)
        Floats are numbers. Text, truth values and integers are classes; give integers that are
        numbers as floats. Of several targets the first three are drawn.
    path : str or path, optional
        The picture to write; its ending says the format (.png, .svg, .pdf).
    title : str, optional
    names : sequence of str, optional
        Of the targets.

    Returns
    -------
    matplotlib.figure.Figure
        A confusion matrix has counts and shares of the true class in its cells; of more than 20
        classes colours alone, of more than 100 the most frequent ones and all others together.

    Raises
    ------
    ValueError
        If there are no rows, or not as many of one as of the other.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> figure = draw_predictions(["cat", "cat", "dog"], ["cat", "dog", "dog"])
    >>> figure.axes[0].get_title()
    '2 of 3 right (66.7%)'
    """
    panels = panels_of(truth, predicted, names)
    sizes = [panel.size for panel in panels]
    figure = figures.new_figure("the picture of predictions", sum(sizes) + 0.4, max(sizes))
    ratios = {"width_ratios": sizes}
    axes = figure.subplots(1, len(panels), squeeze=False, gridspec_kw=ratios)[0]
    for panel, axis in zip(panels, axes, strict=True):
        panel.draw(axis)
    return figures.finish(figure, path, title)


def panels_of(
    truth: Any, predicted: Any, names: Sequence[str] = (), quantile: float | None = None
) -> list[Panel]:
    """A panel for each of the first targets; `quantile` is what is predicted, if it is one."""
    true, guess = np.asarray(truth), np.asarray(predicted)
    if true.shape != guess.shape or not true.size:
        raise ValueError(
            "truth and predictions to be drawn must have the same shape, and a row. Got "
            f"{true.shape} and {guess.shape}."
        )
    columns = [array.reshape(len(array), -1).T[:_MOST_PANELS] for array in (true, guess)]
    kind: Any = Scatter if "f" in true.dtype.kind + guess.dtype.kind else Confusion
    count = true.size // len(true)
    if 0 < len(names) < count and count % len(names) == 0:  # a forecast of several steps
        places = (divmod(place, len(names)) for place in range(min(count, _MOST_PANELS)))
        names = [f"{names[target]} +{step + 1}" for step, target in places]
    named = [*names, *[""] * _MOST_PANELS]
    if quantile is not None:
        kind = partial(Scatter, quantile=quantile)
    return [kind(t, p, name) for t, p, name in zip(*columns, named, strict=False)]


def tested(
    model: Any, X: Any, y: Any, names: Sequence[str] = ()
) -> tuple[list[Panel], dict[str, float]]:
    """Panels of what a fitted `model` predicts for rows `X`, and its loss and accuracy there.

    The loss is that of the training, without dropout. There is none where a row of `y` has a class
    that the model does not know.
    """
    reading = model._read(X)
    predicted = model._predicted(reading)
    labels = reading.layout.flatten("y", y)
    try:  # as the model reads them
        truth = model.target_.decode(model.target_.encode(model, labels))
    except ValueError:
        return panels_of(np.asarray(labels), predicted, names), {}
    network, loss = model.network_, model._loss()[0]
    examples = model._examples(reading, y)
    with Measurement(network.chain, network.held, examples, loss) as measurement:
        values = dict(zip(("loss", "accuracy"), measurement.measure(), strict=True))
    quantile = loss.quantile if getattr(loss, "name", "") == "pinball_loss" else None
    return panels_of(truth, predicted, names, quantile), values


class Scatter:
    """Predicted against true numbers, with the line on which they are equal."""

    size = HEIGHT

    def __init__(
        self,
        truth: np.ndarray,
        predicted: np.ndarray,
        name: str = "",
        quantile: float | None = None,
    ) -> None:
        self.quantile = quantile
        true, guess = truth.astype(np.float64), predicted.astype(np.float64)
        finite = np.isfinite(true) & np.isfinite(guess)
        self.true, self.guess, self.name = true[finite], guess[finite], name

    def draw(self, axes: Any) -> None:
        """Draw into matplotlib's axes: of many rows some, evenly chosen."""
        count = len(self.true)
        chosen = np.linspace(0, count - 1, min(count, _MOST_POINTS)).astype(np.int64)
        true, guess = self.true[chosen], self.guess[chosen]
        both = np.append(true, guess) if count else np.zeros(1)
        low, high = both.min(), both.max()
        margin = 0.04 * (high - low) or max(1.0, 0.04 * abs(high))
        span = low - margin, high + margin
        # the fewer, the darker
        alpha = float(np.clip(60 / max(count, 1) ** 0.7, 0.15, 0.8))
        axes.plot(
            true, guess, "o", markersize=3.5, markeredgewidth=0, color="#1f6fb4", alpha=alpha,
            rasterized=True,
        )  # fmt: skip
        axes.plot(span, span, color="#707070", linewidth=1, linestyle="--")
        axes.set(xlim=span, ylim=span, aspect="equal", xlabel="true", ylabel="predicted")
        axes.locator_params(nbins=5)
        parts = [self._score()]
        if len(true) < count:
            parts.append(f"{len(true):,} of {count:,} rows")
        axes.set_title(_heading(self.name, ", ".join(filter(None, parts))), fontsize=10)
        plain(axes)

    def _score(self) -> str:
        """R squared, where it means something; of a quantile the share at or below it."""
        if self.quantile is not None:
            below = np.mean(self.true <= self.guess) if len(self.true) else np.nan
            return f"{below:.1%} at or below the {self.quantile:g} quantile"
        with np.errstate(all="ignore"):
            spread = np.sum((self.true - self.true.mean()) ** 2) if len(self.true) else 0.0
            score = 1 - np.sum((self.guess - self.true) ** 2) / spread if spread > 0 else np.nan
        return f"R\N{SUPERSCRIPT TWO} {score:.3f}" if np.isfinite(score) else ""


class Confusion:
    """Counts of each true class beside each predicted one.

    Attributes
    ----------
    labels : list
        Those that occur, in order; where there are too many, the most frequent ones, then
        "all others".
    counts : ndarray of shape (labels, labels)
        Of a true class (row) taken for another (column).
    """

    def __init__(self, truth: np.ndarray, predicted: np.ndarray, name: str = "") -> None:
        true, guess = truth.tolist(), predicted.tolist()
        often = Counter(true + guess)
        labels = [label for label, _ in often.most_common(_MOST_CLASSES)]
        others = len(often) > len(labels)
        labels = sorted(labels[: -1 if others else None], key=lambda one: (str(type(one)), one))
        place = {label: index for index, label in enumerate(labels)}
        self.labels: list[Any] = [*labels, _OTHERS] if others else labels
        size, rest = len(self.labels), len(labels)
        cells = [
            place.get(t, rest) * size + place.get(p, rest) for t, p in zip(true, guess, strict=True)
        ]
        self.counts = np.bincount(cells, minlength=size * size).reshape(size, size)
        self.right, self.name = sum(t == p for t, p in zip(true, guess, strict=True)), name

    @property
    def size(self) -> float:
        """Inches: a cell with numbers needs more than a coloured one."""
        count = len(self.labels)
        cell = 0.45 if count <= _IN_WORDS else 0.17 if count <= _LABELLED else 0.08
        return max(HEIGHT, cell * count + 1.8)

    def draw(self, axes: Any) -> None:
        """Draw into matplotlib's axes: colours are shares of the true class."""
        from matplotlib.colors import PowerNorm

        count, rows = len(self.labels), self.counts.sum(axis=1, keepdims=True)
        shares = self.counts / np.maximum(rows, 1)
        # without numbers a small share must be seen by its colour alone
        norm = PowerNorm(1 if count <= _IN_WORDS else 0.4, 0, 1)
        image = axes.imshow(shares, cmap=_COLORS, norm=norm, interpolation="nearest")
        if count <= _IN_WORDS:
            edges = np.arange(1, count) - 0.5
            axes.hlines(edges, -0.5, count - 0.5, color="white", linewidth=1)
            axes.vlines(edges, -0.5, count - 0.5, color="white", linewidth=1)
            for (row, column), number in np.ndenumerate(self.counts):
                if number:
                    share = shares[row, column]
                    axes.text(
                        column, row, f"{number:,}\n{share:.0%}" if rows[row] else f"{number:,}",
                        ha="center", va="center", color="white" if share > 0.55 else "black",
                        fontsize=9 if count <= 7 else 6.5,
                    )  # fmt: skip
        else:
            axes.figure.colorbar(image, ax=axes, label="share of the true class", shrink=0.7)
        every = -(-count // _LABELLED)
        places = range(0, count, every)
        labels = [figures.short(self.labels[place]) for place in places]
        size = 9 if count <= 7 else 8 if count <= _IN_WORDS else 6
        upright = count <= 7 and max(map(len, labels)) <= 4
        slanted: dict[str, Any] = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
        turned = {} if upright else slanted if count <= _IN_WORDS else {"rotation": 90}
        axes.set_xticks(places, labels, fontsize=size, **turned)
        axes.set_yticks(places, labels, fontsize=size)
        axes.tick_params(length=0 if every == 1 else 2)
        axes.spines[:].set_visible(False)
        axes.set(xlabel="predicted", ylabel="true")
        total = int(self.counts.sum())
        words = f"{self.right:,} of {total:,} right ({self.right / total:.1%})"
        axes.set_title(_heading(self.name, words), fontsize=10)


def _heading(name: str, words: str) -> str:
    """`name`: `words`, as far as there are some, on two lines where one would be long."""
    name = figures.short(name, 36)
    joint = ":\n" if len(name + words) > 40 else ": "
    return joint.join(filter(None, (name, words)))
