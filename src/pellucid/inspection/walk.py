"""Some rows on their way through a network, and the gradient on its way back, all in float64."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from pellucid import checks, formulas
from pellucid.inspection import recurrent_steps  # noqa: F401  each file adds its steps
from pellucid.inspection.steps import Step, back_through, steps_of
from pellucid.layers import Flatten, Linear, Residual
from pellucid.network import Network
from pellucid.network.loss import LossFunction

__all__ = ["RowWalk", "Step", "Walk", "main_steps", "walk_of_row"]


@dataclass(frozen=True, eq=False)
class Walk:
    """Some rows through every layer of a network, by the formulas; the network stays as it is.

    Attributes
    ----------
    steps : tuple of Step
        One for each layer, in order.

    Examples
    --------
    >>> from pellucid import Network
    >>> from pellucid.layers import Linear, ReLU
    >>> network = Network([Linear(2), ReLU(), Linear(1)]).build((3,), random_state=0)
    >>> walk = Walk.of(network, [[1.0, 2.0, 3.0]])
    >>> [(step.kind, step.y.shape) for step in walk.steps]
    [('Linear', (1, 2)), ('ReLU', (1, 2)), ('Linear', (1, 1))]
    >>> walk.backward([[1.0]]).shape
    (1, 3)
    >>> sorted(walk.gradients)
    ['0.bias', '0.weight', '2.bias', '2.weight']
    """

    steps: tuple[Step, ...]

    @classmethod
    def of(cls, network: Network, x: Any, training: bool = False) -> Walk:
        """Walk forward.

        Parameters
        ----------
        network : Network
        x : array-like of shape (B, *network.input_shape)
            Rows as the network reads them; sequences may have another number of steps.
        training : bool, default=False
            Whether BatchNorm takes the means and variances of these rows, as in training. Dropout
            drops nothing, and stateful layers begin with zeros.

        Raises
        ------
        ValueError
            If rows are not of the shape that the network reads.
        """
        rows = np.asarray(x, dtype=np.float64)
        network.chain.for_rows(rows.shape)
        parameters = {name: p.astype(np.float64) for name, p in network.parameters().items()}
        return cls(steps_of(network.layers, rows, parameters, training))

    @property
    def output(self) -> np.ndarray:
        """What the network answers, (B, ...)."""
        return self.steps[-1].y

    def backward(self, dy: Any) -> np.ndarray:
        """Go back from the gradient with respect to the output to that with respect to the input.

        Each step keeps what comes to it and what it gives back.
        """
        return back_through(self.steps, np.asarray(dy, dtype=np.float64))

    def each(self) -> Iterator[Step]:
        """Every step, those inside a Residual after it."""
        for step in self.steps:
            yield from step.each()

    @cached_property
    def by_path(self) -> dict[str, Step]:
        """Every step by its path."""
        return {step.path: step for step in self.each()}

    @property
    def gradients(self) -> dict[str, np.ndarray]:
        """The gradients of all parameters, named as by :meth:`Network.parameters`."""
        return {
            f"{step.path}.{name}": gradient
            for step in self.each()
            for name, gradient in step.gradients.items()
        }


@dataclass(frozen=True, eq=False)
class RowWalk:
    """One row of a user's through a fitted model, to its loss and back.

    Attributes
    ----------
    walk : Walk
    x : float64 ndarray of shape (1, ...)
        The row as the network reads it.
    output : float64 ndarray of shape (1, ...)
        The network's answer: of a classifier the logits, of a regressor numbers in its own scale.
    loss : LossFunction
    target : ndarray or None
        As the loss takes it: a place among the classes, or numbers in the network's scale.
    value : float or None
        The loss of this row.
    dy : ndarray or None
        The gradient of the loss with respect to the output.
    """

    walk: Walk
    x: np.ndarray
    output: np.ndarray
    loss: LossFunction
    target: Any = None
    value: float | None = None
    dy: np.ndarray | None = None


def walk_of_row(model: Any, X: Any, y: Any = None, row: int = 0) -> RowWalk:
    """Walk with row `row` of X through a fitted estimator; with y back from its loss.

    Parameters
    ----------
    model : estimator
        A fitted one of this library.
    X, y : array-like
        As `fit` and `predict` take them.
    row : int, default=0
        Counted as the model counts what it answers: of a series a window. Below 0 from the end.

    Raises
    ------
    ValueError, TypeError
        If there is no such row, or X and y are not what the model takes.
    """
    return walks_of_rows(model, X, y, [row])[0]


def walks_of_rows(model: Any, X: Any, y: Any, rows: Iterable[int]) -> list[RowWalk]:
    """:func:`walk_of_row` for several rows of one X, which is read once.

    A `range` ends where the rows do.
    """
    check_is_fitted(model, "network_")
    loss = LossFunction.of(model._loss()[0])
    if y is None:
        taken, targets = model._encoded(model._read(X)), None
    else:
        examples = model._examples(X, y)
        taken, targets = examples.rows, examples.targets
    if isinstance(rows, range):
        rows = rows[: len(taken)]
    walks = []
    for row in rows:
        whole = type(checks.plain(row)) is int
        if not whole or not -len(taken) <= row < len(taken):
            raise (ValueError if whole else TypeError)(
                f"row must be the number of one of {len(taken)} rows, from 0 to {len(taken) - 1}. "
                f"Got {checks.shown(row)}."
            )
        x = np.asarray(taken.row(row % len(taken)), dtype=np.float64)[None]
        walk = Walk.of(model.network_, x)
        if targets is None:
            walks.append(RowWalk(walk, x, walk.output, loss))
            continue
        target = targets.row(row % len(taken))
        value, dy = loss_of(loss, walk.output, target)
        walk.backward(dy)
        walks.append(RowWalk(walk, x, walk.output, loss, target, value, dy))
    return walks


def loss_of(loss: LossFunction, output: np.ndarray, target: Any) -> tuple[float, np.ndarray]:
    """The loss of one row and its gradient with respect to the output (1, K) or (1, T, K).

    Of an answer a step it is the mean over the steps.
    """
    rows, targets = _as_rows(loss, output, target)
    dy = getattr(formulas, f"{loss.name}_backward")(rows, targets, **loss.options)
    return loss_value(loss, output, target), np.asarray(dy).reshape(output.shape)


def loss_value(loss: LossFunction, output: np.ndarray, target: Any) -> float:
    """The loss of one row alone; see :func:`loss_of`."""
    rows, targets = _as_rows(loss, output, target)
    return float(getattr(formulas, loss.name)(rows, targets, **loss.options))


def _as_rows(loss: LossFunction, output: np.ndarray, target: Any) -> tuple[np.ndarray, np.ndarray]:
    """Outputs and targets as the formulas take them, a row each or a step each."""
    rows = output.reshape(-1, output.shape[-1])
    if loss.name == "categorical_cross_entropy":
        target = np.eye(rows.shape[1])[np.atleast_1d(target).astype(np.int64)]
    return rows, np.reshape(target, rows.shape)


def main_steps(walk: Walk) -> tuple[Step, ...]:
    """The steps one after the other; of a forecaster those beside its linear forecast."""
    first = walk.steps[0]
    if len(walk.steps) == 1 and isinstance(first.layer, Residual):
        shortcut = [type(layer) for layer in first.layer.shortcut or ()]
        if shortcut == [Flatten, Linear]:
            return first.branches["layers"]
    return walk.steps
