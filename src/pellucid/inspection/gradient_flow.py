"""Where a gradient vanishes or explodes on its way back, in numbers: through layers and time."""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np

from pellucid import checks, figures
from pellucid.inspection import panels
from pellucid.inspection.display import Display, check_model
from pellucid.inspection.gradient_norms import (
    judge,
    judge_weights,
    median_by_step,
    norms_of_row,
    norms_of_weights,
    recurrent_index,
)
from pellucid.inspection.recurrent_steps import RecurrentStep
from pellucid.inspection.walk import main_steps, walks_of_rows
from pellucid.training.curves import plain

# colours that differ for colour-blind readers too, and dashes that differ in grey print
_STYLES = (("#1f6fb4", "-"), ("#e0701a", "--"), ("#3b8f5a", "-."), ("#8a4fa3", ":"))
_SMALLEST = 1e-12  # drawn in place of zero, which has no logarithm
_MOST_WEIGHTS = 40  # that have a bar each


class GradientFlowDisplay(Display):
    """What becomes of a gradient: at each layer's weights, and in one recurrent layer by step.

    Arrays by step have one entry a step, the sequence's last step at the end: the median over the
    rows. A state is what is carried from step to step: of an LSTM the hidden and the cell state.
    All are None where there is no recurrent layer.

    Parameters
    ----------
    layer : str
        The recurrent layer, as it is written.
    loss_norm : ndarray of shape (T,)
        The norm of the gradient of the loss with respect to the state of step t.
    norm : ndarray of shape (T,)
        The (Frobenius) norm of ``dh_T/dh_t``.
    singular_value : ndarray of shape (T,)
        The largest singular value of ``dh_T/dh_t``: by how much it can stretch a vector.
    factor : ndarray of shape (T - 1,)
        By what the step from t + 1 back to t multiplies: of an RNN the largest singular value of
        ``dh_{t+1}/dh_t = diag(f') W^T``, of an LSTM the mean forget gate, of a GRU the mean update
        gate.
    factor_name : str
        Which of them it is.
    weight_gradient : mapping of str to float
        The norm of ``dL/dW`` of every weight matrix that is learned, named as by
        ``network_.parameters()``; L is the mean loss of the rows.
    weight : mapping of str to float
        The norm of every W.

    Attributes
    ----------
    lost : ndarray of shape (T - 1,)
        The share of `singular_value` that is lost from step t + 1 back to t; below 0 it grows.
    verdict : str
        "vanishes after 12 steps", "explodes from step 3" or "flows through all 50 steps"; without
        a recurrent layer the same of the weights, from the last layer back.
    """

    def __init__(
        self,
        layer: str = "",
        loss_norm: np.ndarray | None = None,
        norm: np.ndarray | None = None,
        singular_value: np.ndarray | None = None,
        *,
        factor: np.ndarray | None = None,
        factor_name: str = "factor",
        weight_gradient: Mapping[str, float] | None = None,
        weight: Mapping[str, float] | None = None,
    ) -> None:
        self.layer, self.loss_norm, self.norm = layer, loss_norm, norm
        self.singular_value, self.factor, self.factor_name = singular_value, factor, factor_name
        self.weight_gradient, self.weight = dict(weight_gradient or {}), dict(weight or {})
        self._lines: tuple[GradientFlowDisplay, ...] = (self,)

    @classmethod
    def of(
        cls,
        model: Any,
        X: Any,
        y: Any,
        *,
        rows: int = 8,
        row: int | None = None,
        layer: int | str | None = None,
        reverse: bool = False,
    ) -> Self:
        """The gradients of the mean loss of the first `rows`, in every layer and through time.

        Parameters
        ----------
        model : estimator
            Fitted.
        X, y : array-like
            As for ``model.fit``.
        rows : int, default=8
            How many of the rows are used, from the first.
        row : int, optional
            The one row that is used in their place.
        layer : int or str, optional
            Which recurrent layer is followed through time, as for :func:`gradient_flow` or by its
            path, such as "0.layers.0"; the last one if left out, none where there is none.
        reverse : bool, default=False
            Of a bidirectional layer, the direction from the end to the beginning.

        Raises
        ------
        ValueError, TypeError
            If there is no such row, or `layer` is no recurrent layer.
        """
        needed = layer is not None or checks.flag("reverse", cls.__name__, reverse)
        return cls._of(cls.__name__, model, X, y, rows, row, layer, reverse, needed)

    @classmethod
    def _of(
        cls,
        owner: str,
        model: Any,
        X: Any,
        y: Any,
        rows: int,
        row: int | None,
        layer: int | str | None,
        reverse: bool,
        needed: bool,
    ) -> Self:
        """:meth:`of`, for the caller `owner`; a recurrent layer may be `needed`."""
        check_model(owner, model)
        first = range(checks.positive_integer("rows", owner, rows))
        walks = walks_of_rows(model, X, y, first if row is None else [row])
        gradients, weights = norms_of_weights(walks)
        chains = [main_steps(one.walk) for one in walks]
        if not needed and not any(isinstance(step, RecurrentStep) for step in chains[0]):
            return cls(weight_gradient=gradients, weight=weights)
        index = recurrent_index(owner, model, chains[0], layer, reverse)
        of_rows = zip(*(norms_of_row(chain[index], reverse) for chain in chains), strict=True)
        loss_norm, norm, singular_value, factor = map(median_by_step, of_rows)
        step: Any = chains[0][index]
        return cls(
            repr(step.layer), loss_norm, norm, singular_value, factor=factor,
            factor_name=step.factor, weight_gradient=gradients, weight=weights,
        )  # fmt: skip

    @property
    def lost(self) -> np.ndarray | None:
        """The share lost in each step back."""
        if self.singular_value is None:
            return None
        later, earlier = self.singular_value[1:], self.singular_value[:-1]
        return 1 - np.divide(earlier, later, out=np.zeros_like(later), where=later > 0)

    @property
    def verdict(self) -> str:
        """What the numbers say, in words."""
        if self.singular_value is not None:
            return judge(self.singular_value)
        return judge_weights(self.weight_gradient)

    def __len__(self) -> int:
        return 0 if self.norm is None else len(self.norm)

    def __bool__(self) -> bool:
        return True  # also where there are no steps

    def __str__(self) -> str:
        if self.lost is None:
            return f"the gradient {self.verdict}"
        lost = float(np.median(self.lost)) if len(self) > 1 else 0.0
        change = f"loses {lost:.1%}" if lost >= 0 else f"grows by {-lost:.1%}"
        return f"{self.layer}: the gradient {self.verdict}; it usually {change} a step"

    # -- drawing -----------------------------------------------------------------------------

    def plot(
        self,
        ax: Any = None,
        path: str | os.PathLike[str] | None = None,
        title: str = "",
        *,
        others: Sequence[GradientFlowDisplay] = (),
    ) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to; the panels divide its place. By default a figure is made. A file's name here,
            and a title after it, are `path` and `title`.
        path : str or path, optional
            The picture to write; its ending says the format (.png, .svg, .pdf).
        title : str, optional
            Above the whole figure.
        others : sequence of GradientFlowDisplay, optional
            Of other networks on the same data, drawn beside this one; all have a recurrent layer.

        Returns
        -------
        GradientFlowDisplay
            Itself, with ``ax_`` and ``figure_`` set.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        TypeError
            If `path` is no file's name, or one of `others` no such display.
        ValueError
            If `path` ends as no picture's name does.
        """
        if isinstance(ax, (str, os.PathLike)):
            ax, path, title = None, ax, title or str(path or "")
        for other in others:
            if not isinstance(other, GradientFlowDisplay) or other.norm is None:
                raise TypeError(
                    "what is drawn beside a GradientFlowDisplay must be others of its kind, of "
                    f"recurrent layers. Got {checks.shown(other)}. Name a file with path=."
                )
        together = copy.copy(self)
        together._lines = (self, *others)
        Display.plot(together, ax)
        self.ax_, self.figure_ = together.ax_, together.figure_
        if title:
            figures.finish(self.figure_, None, title)
        if path is not None:
            figures.save(self.figure_, path)
        return self

    @property
    def _grid(self) -> dict[str, Any]:
        return {"ncols": (3 if self.norm is not None else 0) + bool(self.weight_gradient)}

    @property
    def _size(self) -> tuple[float, float]:
        count = min(len(self.weight_gradient), _MOST_WEIGHTS)
        return 4.6 * self._grid["ncols"], max(3.8, 0.8 + 0.22 * count)

    def _draw(self, axes: np.ndarray) -> None:
        if self.norm is not None:
            self._draw_steps(axes[0, :3])
        if self.weight_gradient:
            self._draw_weights(axes[0, -1])

    def _draw_steps(self, row: np.ndarray) -> None:
        """Loss norms, singular values and factors by step, counted back from the last."""
        name = self.factor_name if len(self._lines) == 1 else "factor"
        headings = {
            "loss_norm": "gradient of the loss at step t,  |dL/dhₜ|",
            "singular_value": "what step t can do to the last,  |dh_T/dhₜ|",
            "factor": f"one step back: {name}",
        }
        for panel, (attribute, heading) in zip(row, headings.items(), strict=True):
            for flow, (color, dashes) in zip(self._lines, _STYLES * len(self._lines), strict=False):
                values = getattr(flow, attribute)
                if values is None:
                    continue
                label = f"{flow.layer.partition('(')[0]}: {flow.verdict}"
                if attribute == "factor":
                    label = flow.factor_name
                values = np.maximum(values, _SMALLEST)
                steps = np.arange(len(values)) - len(flow) + 1
                marker = "o" if len(values) == 1 else ""
                style = {"color": color, "linestyle": dashes, "marker": marker}
                panel.plot(steps, values, label=label, **style)
            panel.set_title(heading, fontsize=10)
            panel.set_xlabel("steps before the last")
            plain(panel)
            if attribute != "factor":
                panel.set_yscale("log")
            if attribute != "loss_norm":
                panel.axhline(1.0, color="#707070", linewidth=1)
        row[0].legend(frameon=False, fontsize=9, loc="best")
        if len(self._lines) > 1:
            row[2].legend(frameon=False, fontsize=9, loc="best")

    def _draw_weights(self, panel: Any) -> None:
        names = list(self.weight_gradient)[:_MOST_WEIGHTS]
        norms = np.array([self.weight_gradient[name] for name in names])
        left_out = len(self.weight_gradient) - len(names)
        more = f", the first {len(names)} of {len(self.weight_gradient)}" if left_out else ""
        whose = f"{self.layer.partition('(')[0]}: " if len(self._lines) > 1 else ""
        title = f"{whose}gradient of each weight matrix,  |dL/dW|{more}"
        panels.bars(panel, names, norms, title)
        if (norms > 0).all():
            panel.set_xscale("log")
            panel.set_xlim(norms.min() / 3, norms.max() * 5)

    def _table(self) -> tuple[Sequence[Any], Sequence[Sequence[Any]]]:
        of_weights = [
            [name, norm, self.weight.get(name)] for name, norm in self.weight_gradient.items()
        ]
        if self.norm is None:
            return ["weights", "|dL/dW|", "|W|"], of_weights
        assert self.loss_norm is not None and self.singular_value is not None
        factors = [None] * len(self) if self.factor is None else [*self.factor, None]
        by_step = zip(self.loss_norm, self.norm, self.singular_value, factors, strict=True)
        names = ["step", "|dL/dh_t|", "norm of dh_T/dh_t", "its largest singular value"]
        rows = [[step, *numbers] for step, numbers in enumerate(by_step)]
        padded = [[*line, None, None] for line in of_weights]
        heading = [["weights", "|dL/dW|", "|W|", None, None]] if padded else []
        return [*names, f"one step back: {self.factor_name}"], [*rows, *heading, *padded]


def gradient_flow(
    model: Any, X: Any, y: Any, *, rows: int = 8, layer: int | None = None, reverse: bool = False
) -> GradientFlowDisplay:
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
    GradientFlowDisplay
        Not drawn. Norms of ``dL/dh_t`` and of ``dh_T/dh_t``, the share lost in each step, a
        verdict, and norms of ``dL/dW``. Of an LSTM h_t stands for both states, the hidden one and
        the cell.

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
    return GradientFlowDisplay._of("gradient_flow", model, X, y, rows, None, layer, reverse, True)
