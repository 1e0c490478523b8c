"""Which columns, pixels or steps of one row an answer comes from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from pellucid import checks, figures
from pellucid.data import TokenEncoder
from pellucid.inspection import panels
from pellucid.inspection.attributing import METHODS, Attributed, Explained, attribute, baseline_of
from pellucid.inspection.choosing import row_of
from pellucid.inspection.display import Display

MOST_BARS = 20
"""Columns or words that have a bar each; the others are drawn as their sum."""
_MOST_POINTS, _FEWEST_POINTS = 64, 8
_WORK = 1_200_000_000  # multiply-adds of the forward passes at all points: some seconds


class AttributionDisplay(Display):
    """How much each column, pixel or step of one row adds to an answer of the network.

    What an attribution says holds for this network and this baseline, and is no cause: see
    :class:`ImportanceDisplay` for what predictions need.

    Parameters
    ----------
    attributed : Attributed
        ``values`` of the shape of a row that the network reads, a table's (columns,), a sequence's
        or signal's (T, features), a picture's (H, W, C), a text's (T, numbers of a word); the
        ``answer`` for the row, and the ``baseline_answer``.
    x : ndarray
        The row, of the same shape; a text's tokens.
    domain : str
        What rows are: "tables", "pictures", "signals", "sequences", "windows" or "text".
    sources : sequence of str
        Which feature each number along the last axis is made of.
    method : {"integrated_gradients", "gradient_x_input", "gradient"}
    explained : str
        What the answer is, in words.
    tokens : sequence of str, optional
        Of a text.

    Attributes
    ----------
    values : ndarray
    by_column : dict of str to float
        The sum of each feature's numbers and steps, of pictures of each channel; of text, and of
        tables with embedded columns, all is one.
    by_step : ndarray of shape (T,), or None
        The sum of each step, of signals, sequences, windows and text.
    by_pixel : ndarray of shape (H, W), or None
        The sum over the channels of pictures.
    total : float
        The sum of all values.
    residual : float or None
        What is left of ``answer - baseline_answer`` when all values are taken away: the error of
        integrated gradients, which grows small with more points. None of the gradient alone, which
        does not add up to anything.
    """

    def __init__(
        self,
        attributed: Attributed,
        x: np.ndarray,
        *,
        domain: str = "tables",
        sources: Sequence[str] | None = None,
        method: str = "integrated_gradients",
        explained: str = "answer",
        tokens: Sequence[str] | None = None,
    ) -> None:
        self.values, self.answer, self.baseline_answer = attributed
        self.x, self.domain, self.method, self.explained = x, domain, method, explained
        self.tokens = tokens
        rank, width = self.values.ndim, self.values.shape[-1]
        names = [f"x{place}" for place in range(width)] if sources is None else list(sources)
        if len(names) != width:  # an embedding makes other numbers of a step
            names = ["all"] * width
        columns = list(dict.fromkeys(names))
        together = np.array([[name == column for column in columns] for name in names], dtype=float)
        self._of_columns = self.values @ together
        sums = self._of_columns.reshape(-1, len(columns)).sum(axis=0)
        self.by_column = dict(zip(columns, sums.tolist(), strict=True))
        self.by_step = self.values.sum(axis=1) if rank == 2 else None
        self.by_pixel = self.values.sum(axis=2) if rank == 3 else None

    @classmethod
    def of(
        cls,
        model: Any,
        X: Any,
        y: Any = None,
        *,
        row: int = 0,
        method: str = "integrated_gradients",
        output: Any = None,
        baseline: Any = None,
        points: int | None = None,
    ) -> Self:
        """Attribute the answer for one row.

        Parameters
        ----------
        model : estimator
            Fitted.
        X, y : array-like
            As for ``model.fit``; y is not needed.
        row : int, default=0
        method : {"integrated_gradients", "gradient_x_input", "gradient"}
            The gradient alone says what a small change does; times input, how far the row is from
            the baseline counts too; integrated along the way from the baseline, all adds up.
        output : class, label or int, optional
            Of which class or label the logit is explained, by default the one predicted; of a
            regressor the number of the target, by default the first. Where each step has an answer,
            the last one's.
        baseline : {"zero", "mean"} or a row as X has them, default="zero"
            What is compared with. "zero" is 0 where the network reads it: the mean of a number in
            training, no category, a picture of one grey, a word of no meaning. "mean" is the mean
            of the rows of X, which must be of equal length then. The gradient alone needs none.
        points : int, optional
            At how many points between baseline and row integrated gradients take the gradient; by
            default 64, fewer of large networks, 8 at least. What is left over says what they miss.

        Raises
        ------
        ValueError, TypeError
            If there is no such row, method or output, or the baseline is no row.
        """
        owner = cls.__name__
        method = checks.one_of("method", owner, method, METHODS)
        if points is not None:
            points = checks.positive_integer("points", owner, points)
        found = row_of(owner, model, X, None, row)
        if points is None:
            work = model.network_.chain.for_rows(found.x.shape).work
            points = min(_MOST_POINTS, max(_FEWEST_POINTS, _WORK // max(1, work)))
        place, sign, words = _output(owner, model, found.output, output)
        explained = Explained(model.network_, place, sign)
        start = baseline_of(owner, model, X, baseline, explained, found.x)
        attributed = attribute(explained, explained.read(found.x), start, method, points)
        encoder = model._input
        tokens = encoder.tokens_of(found.x[0]) if isinstance(encoder, TokenEncoder) else None
        return cls(
            attributed, found.x[0], domain=encoder.domain, sources=encoder.output_sources,
            method=method, explained=f"{words}, row {row}", tokens=tokens,
        )  # fmt: skip

    @property
    def total(self) -> float:
        """The sum of all values."""
        return float(self.values.sum())

    @property
    def residual(self) -> float | None:
        """What all values together lack of the difference of the answers."""
        if self.method == "gradient":
            return None
        return self.answer - self.baseline_answer - self.total

    def _parts(self) -> tuple[list[str], np.ndarray]:
        """What bars are drawn of: words, or columns, or steps."""
        if self.tokens is not None and self.by_step is not None:
            return [f"{at}: {token}" for at, token in enumerate(self.tokens)], self.by_step
        if list(self.by_column) == ["all"] and self.by_step is not None:
            return [f"step {at}" for at in range(len(self.by_step))], self.by_step
        return list(self.by_column), np.array([*self.by_column.values()])

    def __str__(self) -> str:
        names, values = self._parts()
        order = np.argsort(-np.abs(values), kind="stable")[:3]
        most = ", ".join(f"{names[place]} {values[place]:+.3g}" for place in order)
        if self.by_pixel is not None:
            most = "row {}, column {}".format(
                *np.unravel_index(np.abs(self.by_pixel).argmax(), self.by_pixel.shape)
            )
        text = f"{METHODS[self.method]} of the {self.explained}: most at {most}."
        if self.residual is None:
            return f"{text} A gradient says what a small change does: it is no share of the answer."
        return (
            f"{text} All add up to {self.total:.4g}; the answer is {self.answer:.4g}, that of the "
            f"baseline {self.baseline_answer:.4g}, which leaves {self.residual:.2g} over."
        )

    # -- drawing -----------------------------------------------------------------------------

    @property
    def _maps(self) -> bool:
        return self.values.ndim > 1 and self.tokens is None

    @property
    def _grid(self) -> dict[str, Any]:
        return {"ncols": 2 if self._maps else 1}

    @property
    def _size(self) -> tuple[float, float]:
        bars = min(len(self._parts()[0]), MOST_BARS) if self.by_pixel is None else 0
        return 5.4 * self._grid["ncols"], max(3.8, 1.4 + 0.24 * bars)

    def _draw(self, axes: np.ndarray) -> None:
        row = axes[0]
        title = f"{METHODS[self.method]} of the {self.explained}"
        if self.residual is not None:
            title += f"\nsum {self.total:.3g}, left over {self.residual:.2g}"
        if self.by_pixel is not None:
            size = " x ".join(map(str, self.x.shape))
            panels.picture(row[0], self.x, f"the row, {size}")
            panels.heat(row[1], self.by_pixel, title, bar=True, numbers=False, square=True)
            panels.without_ticks(row[1])
            return
        if self._maps:
            self._draw_steps(row[0])
        names, values = self._parts()
        order = np.argsort(-np.abs(values), kind="stable")
        shown, left_out = order[:MOST_BARS], order[MOST_BARS:]
        if self.tokens is not None:
            shown = np.sort(shown)  # a text is read from its beginning
        names, heights = [names[place] for place in shown], [*values[shown]]
        if len(left_out):
            names.append(f"{len(left_out):,} others")
            heights.append(values[left_out].sum())
        panels.bars(row[-1], names, np.array(heights), title)

    def _draw_steps(self, panel: Any) -> None:
        """Attributions by feature and step."""
        names = list(self.by_column)[:MOST_BARS]
        left_out = len(self.by_column) - len(names)
        more = f", {left_out:,} more features not drawn" if left_out else ""
        rows = self._of_columns.T[: len(names)]
        panels.heat(panel, rows, f"by step{more}", bar=True, numbers=False)
        panel.set_yticks(range(len(names)), [figures.short(name) for name in names])
        panel.set_xlabel("step")

    def _table(self) -> tuple[Sequence[Any], Sequence[Sequence[Any]]]:
        if self.by_pixel is not None:
            rows: list[list[Any]] = [
                [*place, value] for place, value in np.ndenumerate(self.by_pixel)
            ]
            return ["row", "column", "attribution"], rows
        names, values = self._parts()
        order = np.argsort(-np.abs(values), kind="stable")
        return ["of", "attribution"], [[names[place], values[place]] for place in order]


def _output(owner: str, model: Any, answer: np.ndarray, output: Any) -> tuple[int, int, str]:
    """Which output of the network is explained, its sign, and what it is in words."""
    numbers = answer.reshape(-1, answer.shape[-1])[-1]
    classes = getattr(model, "classes_", None)
    if classes is None:
        count, place = len(numbers), 0 if output is None else output
        if type(checks.plain(place)) is not int or not 0 <= place < count:
            expected = f"the number of a target, from 0 to {count - 1}"
            raise ValueError(checks.fault("output", owner, expected, output))
        of_many = f" {place}" if count > 1 else ""
        return int(place), 1, f"target{of_many} in the network's scale"
    known = list(classes)
    if output is None:
        shared = len(numbers) == 1 and len(known) == 2
        place = int(numbers[0] > 0) if shared else int(numbers.argmax())
    elif output in known:
        place = known.index(output)
    else:
        listed = checks.listing([str(name) for name in known])
        raise ValueError(checks.fault("output", owner, f"one of {listed}", output))
    words = f"logit of {known[place]}"
    if len(numbers) == 1 and len(known) == 2:
        return 0, 1 if place else -1, words
    return place, 1, words
