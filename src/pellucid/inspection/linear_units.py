"""One unit of a linear layer as the sum that it is: terms x w, sorted, and the bias."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from pellucid.inspection import panels
from pellucid.inspection.choosing import chosen_step, place_in, row_of, steps_after, title_of
from pellucid.inspection.display import Display
from pellucid.layers import ACTIVATIONS

MOST_TERMS = 15
"""Terms that are drawn one by one; the others are drawn as their sum."""
_ACTIVATIONS = {activation.__name__ for activation in ACTIVATIONS.values()}


class LinearUnitDisplay(Display):
    """The terms ``x_i w_i`` of one unit for one row, the largest first, the bias and the sum.

    Parameters
    ----------
    x : ndarray of shape (I,)
        What comes in.
    weight : ndarray of shape (I,)
        The unit's column of W.
    bias : float, default=0.0
    names : sequence, optional
        Of what comes in.
    unit : int, default=0
        The unit's number.
    layer : str
        What the layer is called.
    answer : float, optional
        What the activation that follows makes of the sum.
    activation : str
        Its name.

    Attributes
    ----------
    terms : ndarray of shape (I,)
        ``x * weight``.
    order : ndarray of shape (I,)
        The places of the terms, those of the largest absolute value first.
    sum : float
        All terms and the bias.
    """

    def __init__(
        self,
        x: np.ndarray,
        weight: np.ndarray,
        bias: float = 0.0,
        *,
        names: Sequence[Any] | None = None,
        unit: int = 0,
        layer: str = "Linear",
        answer: float | None = None,
        activation: str = "",
    ) -> None:
        self.x, self.weight, self.bias = np.asarray(x), np.asarray(weight), float(bias)
        self.names = [f"input {i}" for i in range(len(self.x))] if names is None else list(names)
        self.unit, self.layer, self.answer, self.activation = unit, layer, answer, activation
        self.terms = self.x * self.weight + 0.0  # 0 times a weight below 0 is not to be read as -0
        self.order = np.argsort(-np.abs(self.terms), kind="stable")
        self.sum = float(self.terms.sum() + self.bias)

    @classmethod
    def of(
        cls,
        model: Any,
        X: Any,
        y: Any = None,
        *,
        row: int = 0,
        layer: int | str | None = None,
        unit: int = 0,
        step: int = -1,
    ) -> Self:
        """Take one row to a unit of a linear layer.

        Parameters
        ----------
        model : estimator
            Fitted, with a Linear layer.
        X, y : array-like
            As for ``model.fit``; y is not needed.
        row : int, default=0
        layer : int or str, optional
            The number of a Linear in ``model.network_.layers``, or a path such as "0.shortcut.1"
            of one in a Residual; the first one if left out.
        unit : int, default=0
            Which of its outputs.
        step : int, default=-1
            Where the layer works on each step of a sequence: which one, by default the last.

        Raises
        ------
        ValueError, TypeError
            If the network has no Linear, or there is no such row, layer, unit or step.
        """
        owner = cls.__name__
        walk = row_of(owner, model, X, None, row).walk
        found = chosen_step(owner, model, walk, ("Linear",), "a Linear layer", layer)
        rows = found.x.reshape(-1, found.x.shape[-1])
        step = place_in("step", owner, step, len(rows))
        weight = found.parameters["weight"]
        unit = place_in("unit", owner, unit, weight.shape[1])
        names, answer, activation = None, None, ""
        if found is walk.steps[0]:
            names = model._input.output_names
        after = next(iter(steps_after(walk, found)), None)
        if after is not None and after.kind in _ACTIVATIONS:
            answer = float(after.y.reshape(-1, weight.shape[1])[step, unit])
            activation = after.kind
        bias = found.parameters.get("bias")
        return cls(
            rows[step], weight[:, unit], 0.0 if bias is None else bias[unit], names=names,
            unit=unit, layer=title_of(found), answer=answer, activation=activation,
        )  # fmt: skip

    def __str__(self) -> str:
        count = len(self.terms)
        text = (
            f"{self.layer}, unit {self.unit}: {count:,} term{'s' * (count > 1)} x w add up to "
            f"{self.sum - self.bias:.4g}, with the bias {self.bias:.4g} to {self.sum:.4g}"
        )
        if self.answer is not None:
            text += f"; {self.activation} makes {self.answer:.4g} of it"
        first = self.order[0]
        return (
            f"{text}. The largest term is that of {self.names[first]}: {self.x[first]:.4g} x "
            f"{self.weight[first]:.4g} = {self.terms[first]:.4g}."
        )

    # -- drawing -----------------------------------------------------------------------------

    @property
    def _size(self) -> tuple[float, float]:
        return 5.6, 1.6 + 0.26 * min(len(self.terms), MOST_TERMS)

    def _draw(self, axes: np.ndarray) -> None:
        shown, left_out = self.order[:MOST_TERMS], self.order[MOST_TERMS:]
        names, values = [self.names[place] for place in shown], [*self.terms[shown]]
        if len(left_out):
            names.append(f"{len(left_out):,} others")
            values.append(self.terms[left_out].sum())
        names += ["bias", "sum"]
        values += [self.bias, self.sum]
        strong = [len(values) - 1]
        title = f"{self.layer}, unit {self.unit}: x w"
        if self.answer is not None:
            names.append(self.activation)
            values.append(self.answer)
        panels.bars(axes[0, 0], names, np.array(values), title, strong=strong)

    def _table(self) -> tuple[Sequence[Any], Sequence[Sequence[Any]]]:
        terms = [
            [self.names[place], self.x[place], self.weight[place], self.terms[place]]
            for place in self.order
        ]
        ends = [["bias", None, None, self.bias], ["sum", None, None, self.sum]]
        return ["input", "x", "w", "x w"], [*ends, *terms]
