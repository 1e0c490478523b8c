"""Where a gradient vanishes or explodes on its way back through time, in numbers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from pellucid import checks
from pellucid.inspection.recurrent_steps import RecurrentStep
from pellucid.inspection.walk import Step, main_steps, walks_of_rows

VANISHED, EXPLODED = 1e-3, 1e3
"""Shares of the gradient at the last step, below which it has vanished and above which exploded."""


@dataclass(frozen=True, eq=False)
class GradientFlow:
    """What becomes of a gradient in one recurrent layer, step by step.

    Arrays have one entry a step, the sequence's last step at the end: the median over the rows. A
    state is what is carried from step to step: of an LSTM the hidden and the cell state.

    Attributes
    ----------
    layer : str
        The layer, as it is written.
    loss_norm : ndarray of shape (T,)
        The norm of the gradient of the loss with respect to the state of step t.
    norm : ndarray of shape (T,)
        The (Frobenius) norm of ``dh_T/dh_t``.
    singular_value : ndarray of shape (T,)
        The largest singular value of ``dh_T/dh_t``: by how much it can stretch a vector.
    lost : ndarray of shape (T - 1,)
        The share of `singular_value` that is lost from step t + 1 back to t; below 0 it grows.
    verdict : str
        "vanishes after 12 steps", "explodes from step 3" or "flows through all 50 steps".
    """

    layer: str
    loss_norm: np.ndarray
    norm: np.ndarray
    singular_value: np.ndarray

    @property
    def lost(self) -> np.ndarray:
        """The share lost in each step back."""
        later, earlier = self.singular_value[1:], self.singular_value[:-1]
        return 1 - np.divide(earlier, later, out=np.zeros_like(later), where=later > 0)

    @property
    def verdict(self) -> str:
        """What the numbers say, in words."""
        return judge(self.singular_value)

    def __len__(self) -> int:
        return len(self.norm)

    def __str__(self) -> str:
        lost = float(np.median(self.lost)) if len(self) > 1 else 0.0
        change = f"loses {lost:.1%}" if lost >= 0 else f"grows by {-lost:.1%}"
        return f"{self.layer}: the gradient {self.verdict}; it usually {change} a step"

    def plot(
        self,
        path: str | os.PathLike[str] | None = None,
        title: str = "",
        *,
        others: Sequence[GradientFlow] = (),
    ) -> Any:
        """Draw `loss_norm` and `singular_value` by step as a matplotlib Figure.

        Parameters
        ----------
        path : str or path, optional
            The picture to write; its ending says the format (.png, .svg, .pdf).
        title : str, optional
        others : sequence of GradientFlow, optional
            Of other networks on the same data, drawn beside this one.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        TypeError
            If `path` is no file's name, or one of `others` no GradientFlow.
        ValueError
            If `path` ends as no picture's name does.
        """
        from pellucid.inspection.drawing import draw

        for other in others:
            if not isinstance(other, GradientFlow):
                raise TypeError(
                    "what is drawn beside a GradientFlow must be others of its kind. Got "
                    f"{checks.shown(other)}. Name a file with path=."
                )
        lines = [
            (f"{flow.layer.partition('(')[0]}: {flow.verdict}", flow.loss_norm, flow.singular_value)
            for flow in (self, *others)
        ]
        return draw(lines, path, title)


def judge(norms: np.ndarray) -> str:
    """The verdict on norms of ``dh_T/dh_t``, t = 1, ..., T: the first limit passed, going back."""
    shares = norms / norms[-1] if norms[-1] > 0 else np.zeros_like(norms)
    for back, share in enumerate(shares[::-1]):
        if share < VANISHED:
            return f"vanishes after {back} step{'s' if back != 1 else ''}"
        if not share <= EXPLODED:
            return f"explodes from step {len(norms) - back}"
    return f"flows through all {len(norms)} steps" if len(norms) > 1 else "has one step to go"


def gradient_flow(
    model: Any, X: Any, y: Any, *, rows: int = 8, layer: int | None = None, reverse: bool = False
) -> GradientFlow:
    """The gradients of a fitted recurrent network at every step of some sequences.

    Everything is computed by the float64 formulas from the model's weights.

    Parameters
    ----------
    model : estimator
        Fitted: RNNClassifier, LSTMRegressor and the like, or a NetworkClassifier with such layers.
    X, y : as for ``model.fit``
        Sequences and their targets.
    rows : int, default=8
        How many of the sequences are used, from the first.
    layer : int, optional
        Which layer of ``model.network_.layers``, of a forecaster of those beside its linear
        forecast; the last recurrent one if left out.
    reverse : bool, default=False
        Of a bidirectional layer, the direction from the end to the beginning.

    Returns
    -------
    GradientFlow
        Norms of ``dL/dh_t`` and of ``dh_T/dh_t``, the share lost in each step, and a verdict. Of an
        LSTM h_t stands for both states, the hidden one and the cell.

    Raises
    ------
    ValueError
        If the model has no recurrent layer, or `layer` is none.

    References
    ----------
    Y. Bengio, P. Simard, P. Frasconi, Learning Long-Term Dependencies with Gradient Descent is
    Difficult (1994); R. Pascanu, T. Mikolov, Y. Bengio, On the difficulty of training Recurrent
    Neural Networks (2013).

    Examples
    --------
    >>> import numpy as np
    >>> from pellucid import RNNRegressor
    >>> from pellucid.inspection import gradient_flow
    >>> X = np.random.default_rng(0).normal(size=(100, 40))
    >>> model = RNNRegressor(16, activation="sigmoid", max_epochs=3, random_state=0, verbose=0)
    >>> flow = gradient_flow(model.fit(X, X[:, 0]), X, X[:, 0])
    >>> flow.verdict.startswith("vanishes after")
    True
    """
    check_is_fitted(model, "network_")
    count = checks.positive_integer("rows", "gradient_flow", rows)
    walks = walks_of_rows(model, X, y, range(count))
    steps = [main_steps(one.walk) for one in walks]
    index = _index(model, steps[0], layer, reverse)
    norms = [_of_row(row[index], reverse) for row in steps]
    layer_name = repr(steps[0][index].layer)
    return GradientFlow(layer_name, *(_median(rows) for rows in zip(*norms, strict=True)))


def _index(model: Any, steps: Sequence[Step], layer: int | None, reverse: bool) -> int:
    recurrent = [i for i, step in enumerate(steps) if isinstance(step, RecurrentStep)]
    if not recurrent:
        raise ValueError(
            f"the model of gradient_flow must have a recurrent layer. Got {type(model).__name__} "
            f"with {[step.layer for step in steps]}. Fit an RNN, LSTM or GRU."
        )
    if layer is None:
        layer = recurrent[-1]
    if layer not in recurrent:
        raise ValueError(
            f"layer of gradient_flow must be the number of a recurrent layer, one of {recurrent}. "
            f"Got {layer!r}."
        )
    if reverse and not steps[layer].layer.bidirectional:
        raise ValueError(
            f"reverse of gradient_flow must be False for a layer of one direction. "
            f"Got reverse=True for {steps[layer].layer!r}."
        )
    return layer


def _of_row(step: Any, reverse: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The three norms of each step of one sequence, in the order in which the layer runs."""
    loss_norm = np.linalg.norm(step.from_loss(reverse)[0], axis=-1)
    jacobians = step.jacobians(reverse)  # (T, H, numbers of a state)
    singular = np.linalg.norm(jacobians, 2, axis=(1, 2))
    return loss_norm, np.linalg.norm(jacobians, axis=(1, 2)), singular


def _median(rows: tuple[np.ndarray, ...]) -> np.ndarray:
    """The median of each step, counted from the end, over the rows that have it."""
    table = np.full((len(rows), max(map(len, rows))), np.nan)
    for line, row in zip(table, rows, strict=True):
        line[-len(row) :] = row
    return np.asarray(np.nanmedian(table, axis=0))
