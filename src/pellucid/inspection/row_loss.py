"""The loss of one row, from the network's output on, each number of its formula."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from pellucid import checks, formulas
from pellucid.data.windows import as_list
from pellucid.inspection import panels
from pellucid.inspection.choosing import place_in, row_of
from pellucid.inspection.display import Display
from pellucid.network.loss import LossFunction

MOST_OUTPUTS = 20
"""Classes, labels or targets that are drawn of a row."""

_FORMULAS = {
    "categorical_cross_entropy": "L = -sum t log softmax(z),  dL/dz = softmax(z) - t",
    "binary_cross_entropy": "L = -sum (t log s(z) + (1 - t) log(1 - s(z))),  dL/dz = s(z) - t",
    "mean_squared_error": "L = 1/(2m) sum (y - t)^2 with m = 1 row,  dL/dy = (y - t)/m",
    "mean_absolute_error": "L = sum |y - t|,  dL/dy = sign(y - t)",
    "huber_loss": "L = sum of (y - t)^2/2, linear from delta on,  dL/dy = clip(y - t)",
    "pinball_loss": "L = sum of q (t - y), or (1 - q)(y - t) above t",
}


class RowLossDisplay(Display):
    """One row's output, what the loss makes of it, and the gradient that goes back.

    Parameters
    ----------
    outputs : ndarray of shape (K,)
        What the network answers: the logits of classes or labels, or numbers in its own scale.
    target : ndarray of shape (K,)
        What is true, in the same scale; of classes 1 for the right one.
    loss : str or LossFunction, default="categorical_cross_entropy"
        A loss, as the formulas name it.
    names : sequence, optional
        Of the classes, labels or targets.
    steps : int, default=1
        How many steps have a target of their own: the row's loss is their mean, and each has this
        part of the gradient.
    where : str
        Which row it is, for titles.

    Attributes
    ----------
    values : dict of str to ndarray of shape (K,)
        Each number by name, in the order in which they are computed. Of a categorical
        cross-entropy ``z``, ``exp(z - max z)``, ``softmax(z)``, the target ``t``, the terms of the
        loss, and ``dL/dz``.
    total : float or None
        Of a softmax, the sum of all ``exp(z - max z)``.
    value : float
        The loss, of one step where there are several.
    """

    def __init__(
        self,
        outputs: np.ndarray,
        target: np.ndarray,
        *,
        loss: str | LossFunction = "categorical_cross_entropy",
        names: Sequence[Any] | None = None,
        steps: int = 1,
        where: str = "row",
    ) -> None:
        self.loss, self.steps, self.where = LossFunction.of(loss), steps, where
        self.outputs = np.asarray(outputs, dtype=np.float64)
        self.target = np.asarray(target, dtype=np.float64)
        self.names = list(range(len(self.outputs)) if names is None else names)
        self.total: float | None = None
        self.values = self._values()
        self.value = float(self._formula("", self.outputs[None], self.target[None]))

    @classmethod
    def of(cls, model: Any, X: Any, y: Any, *, row: int = 0, step: int = -1) -> Self:
        """Take one row to its loss.

        Parameters
        ----------
        model : estimator
            Fitted.
        X, y : array-like
            As for ``model.fit``.
        row : int, default=0
        step : int, default=-1
            Where each step has a target: which one, by default the last.

        Raises
        ------
        ValueError, TypeError
            If there is no such row or step, or its target is none the model knows.
        """
        owner = cls.__name__
        found = row_of(owner, model, X, y, row)
        outputs = found.output.reshape(-1, found.output.shape[-1])
        step = place_in("step", owner, step, len(outputs))
        target = np.asarray(found.target)
        if found.loss.name == "categorical_cross_entropy":
            target = np.eye(outputs.shape[1])[np.atleast_1d(target).astype(np.int64)]
        target = target.reshape(outputs.shape)
        where = f"row {row}" if len(outputs) == 1 else f"row {row}, step {step}"
        return cls(
            outputs[step], target[step], loss=found.loss, steps=len(outputs), where=where,
            names=output_names(model, outputs.shape[1]),
        )  # fmt: skip

    @classmethod
    def from_predictions(
        cls,
        outputs: Any,
        target: Any,
        *,
        loss: str | LossFunction = "categorical_cross_entropy",
        names: Sequence[Any] | None = None,
        ax: Any = None,
    ) -> Self:
        """Draw the loss of outputs from anywhere, such as an exercise's.

        Parameters
        ----------
        outputs : array-like of shape (K,)
            Logits, or numbers.
        target : int or array-like of shape (K,)
            The number of the right class, or as many numbers as there are outputs.
        loss, names
            As for the constructor.
        ax : matplotlib Axes, optional
            As for :meth:`plot`.

        Raises
        ------
        ValueError
            If there is not one target for each output, or no such class.

        Examples
        --------
        >>> from pellucid.inspection import RowLossDisplay
        >>> display = RowLossDisplay.from_predictions([2.0, 1.0, 0.1], 0)
        >>> display.gradient.round(3)
        array([-0.341,  0.242,  0.099])
        """
        owner = f"{cls.__name__}.from_predictions"
        given, true = np.asarray(outputs, dtype=np.float64), np.asarray(target)
        if given.ndim != 1 or not len(given):
            raise ValueError(checks.fault("outputs", owner, "of shape (K,)", given.shape))
        if true.ndim == 0 and LossFunction.of(loss).name == "categorical_cross_entropy":
            true = np.eye(len(given))[place_in("target", owner, true.item(), len(given))]
        true = np.atleast_1d(true).astype(np.float64)
        if true.shape != given.shape:
            raise ValueError(
                checks.fault(
                    "target", owner, f"one number for each of {len(given)} outputs", target
                )
            )
        return cls(given, true, loss=loss, names=names).plot(ax)

    @property
    def gradient(self) -> np.ndarray:
        """``dL/dz``, of a regression ``dL/dy``: what the network's output gets back."""
        return list(self.values.values())[-1]

    def _formula(self, ending: str, *arrays: np.ndarray) -> Any:
        return getattr(formulas, self.loss.name + ending)(*arrays, **self.loss.options)

    def _values(self) -> dict[str, np.ndarray]:
        z, t = self.outputs, self.target
        back = self._formula("_backward", z[None], t[None])[0] / self.steps
        if self.loss.name == "categorical_cross_entropy":
            powers = np.exp(z - z.max())
            self.total = float(powers.sum())
            log = z - z.max() - np.log(self.total)
            return {
                "z": z, "exp(z - max z)": powers, "softmax(z)": formulas.softmax(z), "t": t,
                "-t log softmax(z)": 0.0 - t * log, "dL/dz": back,
            }  # fmt: skip
        # what each output alone adds to the loss
        terms = np.array([self._formula("", z[None, [k]], t[None, [k]]) for k in range(len(z))])
        if self.loss.name == "binary_cross_entropy":
            return {
                "z": z, "s(z)": formulas.sigmoid(z), "t": t, "terms of the loss": terms,
                "dL/dz": back,
            }  # fmt: skip
        return {"y": z, "t": t, "y - t": z - t, "terms of the loss": terms, "dL/dy": back}

    @property
    def shown(self) -> list[int]:
        """The places that are drawn: the true ones, and those of the largest gradients."""
        count = len(self.outputs)
        if count <= MOST_OUTPUTS:
            return list(range(count))
        order = np.lexsort((-np.abs(self.gradient), -self.target))
        return sorted(order[:MOST_OUTPUTS].tolist())

    def __str__(self) -> str:
        left_out = len(self.outputs) - len(self.shown)
        more = f" {left_out:,} of {len(self.outputs):,} outputs are not drawn." if left_out else ""
        return f"{self.where}: {self._words()}; the loss is {self.value:.4g}.{more}"

    def _words(self) -> str:
        if self.loss.name == "categorical_cross_entropy":
            true, likely = int(self.target.argmax()), int(self.outputs.argmax())
            share = self.values["softmax(z)"]
            text = f"the true class {self.names[true]} has the probability {share[true]:.3g}"
            if true == likely:
                return f"{text}, the highest"
            return f"{text}, and {self.names[likely]} has {share[likely]:.3g}"
        if self.loss.name == "binary_cross_entropy":
            share = self.values["s(z)"]
            right = int(((self.outputs > 0) == (self.target > 0.5)).sum())
            if len(share) == 1:
                text = f"{self.names[0]} has the probability {share[0]:.3g}"
                return f"{text}, and it is {'true' if self.target[0] > 0.5 else 'false'}"
            return f"{right:,} of {len(share):,} labels are right"
        off = self.values["y - t"]
        worst = int(np.abs(off).argmax())
        what = f"{self.names[worst]} is " if len(off) > 1 else "the answer is "
        side = "above" if off[worst] > 0 else "below"
        return f"{what}{abs(off[worst]):.4g} {side} the target, in the network's own scale"

    # -- drawing -----------------------------------------------------------------------------

    @property
    def _grid(self) -> dict[str, Any]:
        return {"ncols": len(self.values)}

    @property
    def _size(self) -> tuple[float, float]:
        return 2.3 * len(self.values) + 1, max(2.6, 1.2 + 0.24 * len(self.shown))

    def _draw(self, axes: np.ndarray) -> None:
        shown = self.shown
        names = [self.names[place] for place in shown]
        right = [at for at, place in enumerate(shown) if self.target[place] > 0.5]
        strong = right if self._has_classes else []
        for panel, (title, values) in zip(axes[0], self.values.items(), strict=True):
            first = panel is axes[0, 0]
            if self.total is not None and title.startswith("exp"):
                title += f"\nsum {self.total:.4g}"
            if "log" in title or "terms" in title:
                title += f"\nloss {self.value:.4g}"
            panels.bars(panel, names, values[shown], title, strong=strong, labels=first)
        axes[0, 0].set_xlabel(self.where, fontsize=8)
        axes[0, len(self.values) // 2].set_xlabel(_FORMULAS[self.loss.name], fontsize=8)

    @property
    def _has_classes(self) -> bool:
        return self.loss.name.endswith("cross_entropy")

    def _table(self) -> tuple[Sequence[Any], Sequence[Sequence[Any]]]:
        columns = zip(self.names, *self.values.values(), strict=True)
        return ["output", *self.values], [list(line) for line in columns]


def output_names(model: Any, count: int) -> list[Any]:
    """What each of `count` outputs is: a class, the second of two, a label, or a target."""
    classes = getattr(model, "classes_", None)
    if classes is not None:
        names = list(classes)
        return names[-1:] if count == 1 else names
    targets = list(getattr(model, "target_names_", None) or ["target"])
    if model._input.domain == "windows":  # a forecast, step by step
        columns = as_list(model._input.series["target"])
        targets = [name if isinstance(name, str) else f"target {name}" for name in columns]
        steps = range(1, count // len(targets) + 1)
        return [f"{name} +{step}" for step in steps for name in targets]
    return targets if count == len(targets) else [f"target {place}" for place in range(count)]
