"""The rows that a model is most wrong about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from pellucid import checks, figures
from pellucid.inspection.display import Display, cell_text, check_model
from pellucid.inspection.panels import BLUE, GREY, ORANGE
from pellucid.inspection.row_inputs import RowInputs
from pellucid.inspection.scores import is_classifier, plain
from pellucid.inspection.walk import loss_value
from pellucid.network.loss import LossFunction
from pellucid.training.curves import plain as plain_axes

_ACROSS = {"pictures": 6, "windows": 3, "sequences": 3}  # panels side by side
_MOST = 100  # rows
_MOST_COLUMNS = 8  # of a table that is drawn
_MOST_LINES = 4  # of a sequence that is drawn
_WIDE = 18  # characters of a cell


class TopLossesDisplay(Display):
    """The rows with the greatest loss: what they are, what is true of them, and what was said.

    Parameters
    ----------
    losses : ndarray of shape (N,)
        The loss of every row by itself.
    rows : ndarray of shape (K,)
        The rows that are shown, the one with the greatest loss first.
    truth, predicted : ndarray of shape (K, ...)
        What is true of them, and what was predicted. Where each step has a target, lists of arrays.
    inputs : RowInputs
        What they are.
    probabilities : ndarray of shape (K,), optional
        Of a classifier how probable it said that its answer was.
    right : float, optional
        Of a classifier the share of all rows that it has right.
    """

    def __init__(
        self,
        losses: np.ndarray,
        rows: np.ndarray,
        truth: Any,
        predicted: Any,
        inputs: RowInputs,
        probabilities: np.ndarray | None = None,
        right: float | None = None,
    ) -> None:
        self.losses, self.rows = losses, rows
        self.truth, self.predicted = truth, predicted
        self.inputs, self.probabilities, self.right = inputs, probabilities, right

    @classmethod
    def of(cls, model: Any, X: Any, y: Any = None, *, count: int = 12) -> Self:
        """Compute the loss of every row of X, and take the greatest.

        Parameters
        ----------
        model : estimator
            Fitted.
        X, y
            As for ``model.score``.
        count : int, default=12
            How many rows are shown, 100 at most.

        Raises
        ------
        ValueError
            If there is no y, or a label that the model does not know.
        """
        owner = cls.__name__
        check_model(owner, model)
        count = checks.positive_integer("count", owner, count, _MOST)
        X, y = model._labelled(X, y)
        if y is None:
            raise ValueError(f"y of {owner} must be the true values of X. Got None.")
        reading = model._read(X)
        losses = row_losses(model, reading, y)
        rows = np.argsort(-losses, kind="stable")[:count]
        labels = reading.layout.flatten(f"y of {owner}", y)
        truth = plain(model.target_.truth(model, labels))
        predicted = np.asarray(model._predicted(reading))
        right = None
        if is_classifier(model):
            right = float(np.mean((truth == predicted).reshape(len(truth), -1).all(axis=1)))
        lengths = reading.layout.step_lengths
        inputs = RowInputs.of(model, X, reading, model._encoded(reading), rows.tolist())
        if lengths is not None:  # each step has a target
            starts = np.cumsum(lengths) - lengths
            parts = [slice(starts[row], starts[row] + lengths[row]) for row in rows]
            true, said = ([values[part] for part in parts] for values in (truth, predicted))
            return cls(losses, rows, true, said, inputs, None, right)
        sure = None
        if is_classifier(model) and predicted.ndim == 1:
            sure = np.asarray(model._shares(reading)).max(axis=1)[rows]
        return cls(losses, rows, truth[rows], predicted[rows], inputs, sure, right)

    def answer(self, place: int) -> str:
        """What is true of the row at `place`, and what was said, in words."""
        true, said = self.truth[place], self.predicted[place]
        if np.ndim(true):
            differ = np.asarray(true) != np.asarray(said)
            numbers = np.asarray(said).dtype.kind == "f"
            if numbers:
                error = np.mean(np.abs(np.asarray(true, float) - np.asarray(said, float)))
                return f"off by {error:.3g} on average"
            return f"wrong in {np.count_nonzero(differ):,} of {differ.size:,}"
        sure = "" if self.probabilities is None else f" ({self.probabilities[place]:.0%})"
        return f"true {_short(true)}, said {_short(said)}{sure}"

    def __str__(self) -> str:
        count, shown = len(self.losses), len(self.rows)
        total = float(self.losses.sum())
        share = float(self.losses[self.rows].sum()) / total if total > 0 else 0.0
        said = [
            f"The loss of {count:,} rows is {self.losses.mean():.3g} on average; the {shown:,} "
            f"most wrong rows have {share:.0%} of it, row {self.rows[0]} alone "
            f"{self.losses[self.rows[0]]:.3g} ({self.answer(0)})"
        ]
        if self.right is not None:
            said.append(f"{self.right:.1%} of the answers are right")
            pairs = [
                (str(true), str(guess))
                for true, guess in zip(self.truth, self.predicted, strict=True)
                if not np.ndim(true) and true != guess
            ]
            (true, guess), often = Counter(pairs).most_common(1)[0] if pairs else (("", ""), 0)
            if often > 1:
                said.append(f"{often:,} times {_short(true)} is taken for {_short(guess)} here")
        return ". ".join(said) + "."

    # -- drawing -----------------------------------------------------------------------------

    @property
    def _grid(self) -> dict[str, Any]:
        if self.inputs.kind == "cells":
            return {}
        across = min(len(self.rows), _ACROSS[self.inputs.kind])
        return {"ncols": across, "nrows": -(-len(self.rows) // across)}

    @property
    def _size(self) -> tuple[float, float]:
        if self.inputs.kind == "cells":
            return 0.4 + 0.075 * _widths(*self._texts()).sum(), 0.3 + 0.22 * (len(self.rows) + 1)
        width, height = (1.9, 2.3) if self.inputs.kind == "pictures" else (3.6, 2.4)
        return width * self._grid["ncols"], height * self._grid["nrows"]

    def _draw(self, axes: np.ndarray) -> None:
        if self.inputs.kind == "cells":
            self._draw_cells(axes[0, 0])
            return
        draw = {
            "pictures": self._draw_picture,
            "windows": self._draw_window,
            "sequences": self._draw_sequence,
        }[self.inputs.kind]
        for place, panel in enumerate(axes.flat):
            if place >= len(self.rows):
                panel.set_axis_off()
                continue
            draw(panel, place)
            words = self.answer(place).replace(", said", "\nsaid")
            panel.set_title(f"row {self.rows[place]}: {words}", fontsize=8)

    def _draw_cells(self, panel: Any) -> None:
        header, texts = self._texts()
        width = _widths(header, texts)
        table = panel.table(
            texts, colLabels=header, colWidths=width / width.sum(), bbox=(0, 0, 1, 1),
            cellLoc="left", colLoc="left",
        )  # fmt: skip
        table.auto_set_font_size(False)
        table.set_fontsize(7.5)
        for (row, _), cell in table.get_celld().items():
            cell.set(edgecolor="#d8d8d8", linewidth=0.6)
            if row == 0:
                cell.set_text_props(weight="bold")
        panel.set_axis_off()
        if len(self.inputs.names) > _MOST_COLUMNS:
            panel.set_title(
                f"the first {_MOST_COLUMNS} of {len(self.inputs.names):,} columns", fontsize=9
            )

    def _texts(self) -> tuple[list[str], list[list[str]]]:
        """The table that is drawn: its header and its cells."""
        names, rows = self._table()
        kept = 4 + _MOST_COLUMNS
        texts = [[_short(cell) for cell in row[:kept]] for row in rows]
        return [figures.short(name, _WIDE) for name in names[:kept]], texts

    def _draw_picture(self, panel: Any, place: int) -> None:
        picture = self.inputs.values[place].astype(np.float64)
        low, high = picture.min(), picture.max()
        picture = (picture - low) / ((high - low) or 1.0)
        colour = picture.shape[2] in (3, 4)
        panel.imshow(picture[..., :3] if colour else picture[..., 0], cmap="gray")
        panel.set_xticks([])
        panel.set_yticks([])

    def _draw_window(self, panel: Any, place: int) -> None:
        past = self.inputs.values[place]
        true = np.atleast_1d(np.asarray(self.truth[place], dtype=np.float64))
        said = np.asarray(self.predicted[place], dtype=np.float64).reshape(true.shape)
        true, said = (one.reshape(len(one), -1)[:, 0] for one in (true, said))  # the first target
        ahead = np.arange(1, len(true) + 1)
        panel.plot(np.arange(1 - len(past), 1), past, color=GREY, label="before")
        panel.plot(ahead, true, "o-", markersize=3, color=BLUE, label="true")
        panel.plot(ahead, said, "s--", markersize=3, color=ORANGE, label="forecast")
        panel.set(xlabel="step", ylabel=self.inputs.names[0])
        plain_axes(panel)
        if place == 0:
            panel.legend(frameon=False, fontsize=7)

    def _draw_sequence(self, panel: Any, place: int) -> None:
        steps, names = self.inputs.values[place], self.inputs.names
        for line, name in zip(steps.T[:_MOST_LINES], names, strict=False):
            panel.plot(np.arange(len(steps)), line, linewidth=1, label=figures.short(name, 20))
        more = steps.shape[1] - _MOST_LINES
        panel.set(xlabel="step", ylabel="as read" + (f", {more:,} more" if more > 0 else ""))
        plain_axes(panel)
        if place == 0:
            panel.legend(frameon=False, fontsize=7)

    def _table(self) -> tuple[Sequence[Any], Sequence[Sequence[Any]]]:
        cells = self.inputs.kind == "cells"
        rows = [
            [
                int(row), _whole(self.truth[place]), _whole(self.predicted[place]),
                float(self.losses[row]), *(self.inputs.values[place] if cells else ()),
            ]
            for place, row in enumerate(self.rows)
        ]  # fmt: skip
        return ["row", "true", "said", "loss", *(self.inputs.names if cells else ())], rows


def row_losses(model: Any, X: Any, y: Any, outputs: np.ndarray | None = None) -> np.ndarray:
    """The loss of each row of X by itself, in float64; of an answer a step their mean.

    It is that of the training, in the network's own scale of numbers; `outputs` are what the
    network answers, where that is known already.
    """
    loss = LossFunction.of(model._loss()[0])
    examples = model._examples(X, y)
    if outputs is None:
        outputs = model.network_.forward(examples.rows)
    losses = np.empty(len(outputs))
    for row, output in enumerate(outputs.astype(np.float64)):
        if output.ndim > 1:  # the steps that the sequence has
            output = output[np.isfinite(output).all(axis=-1)]
        losses[row] = loss_value(loss, output[None], examples.targets.row(row))
    return losses


def _widths(header: list[str], texts: list[list[str]]) -> np.ndarray:
    """How many characters each column of a table needs."""
    columns = zip(header, *texts, strict=True)
    return np.array([max(map(figures.columns_of, column)) + 2 for column in columns])


def _whole(value: Any) -> Any:
    """A value for a table: several as one text."""
    if np.ndim(value):
        return ", ".join(cell_text(one) for one in np.ravel(value)[:12].tolist())
    return value.item() if isinstance(value, np.generic) else value


def _short(value: Any) -> str:
    value = value.item() if isinstance(value, np.generic) else value
    return figures.short(cell_text(value), _WIDE)
