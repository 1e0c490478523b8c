"""How a series is learned, chosen on windows kept aside: the last ones in time."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from sklearn.base import clone

from pellucid.data.target_transforms import TRANSFORMS
from pellucid.data.window_features import SCALINGS
from pellucid.data.windows import Windows
from pellucid.layers import Flatten, Linear
from pellucid.network import Network
from pellucid.network.ridge import Ridge

ASIDE = 0.2  # the share of rows that choices are made on
WIDEST = 2000  # numbers of a window that a linear forecast takes
_PENALTIES = (1e-3, 1e-2, 1e-1)
_FEWEST = 10  # windows to choose on, and to learn from meanwhile
_ERRORS = 2.0  # standard errors by which something else must be better
_BLOCKS = 4  # of windows without a target in common, for a difference to be more than chance


@dataclass(frozen=True)
class Plan:
    """How a series is learned.

    Attributes
    ----------
    scaling : {"window", "series", "global"}
    calendar : bool
        Whether the calendar is a feature.
    penalty : float
        Of the linear forecast; see :class:`pellucid.network.ridge.Ridge`.
    share : float
        How much of what the network adds to the linear forecast is kept, from 0 to 1.
    errors : dict
        The root mean squared error on the windows kept aside, in units of each series' scale, of
        what was tried.
    residuals : float64 ndarray of shape (windows kept aside, outputs), or None
        Truth less forecast there, in units of each window.
    notes : list of str
        What was decided, in sentences.
    """

    scaling: str = "series"
    calendar: bool = False
    penalty: float = 1e-2
    share: float = 1.0
    errors: dict[str, float] = field(default_factory=dict)
    residuals: np.ndarray | None = None
    notes: tuple[str, ...] = ()


def choose(model: Any, X: Windows, y: Any, weights: Any, show: Callable[[str], None]) -> Plan:
    """The plan for a forecaster: what did best on the last windows, learned from those before.

    First a linear forecast alone, which is solved at once, says how windows are best scaled,
    whether the calendar helps, and how large its weights may be. Then the network is trained on the
    earlier windows, and how much of what it adds to the linear forecast did good on the later ones
    is the share of it that is kept. Something else than "series" without a calendar is chosen only
    where it is better by more than chance.
    """
    start = Plan() if model.scaling == "auto" else Plan(scaling=model.scaling)
    for aside in (ASIDE, 0.3, 0.4):
        early, late = X.split(aside)
        if len(late) >= _FEWEST:
            break
    if min(len(early), len(late)) < _FEWEST:
        return replace(start, share=0.25, penalty=1e-1)
    trial = _Trial(model, X, y, weights, early, late)
    candidates = [
        replace(start, scaling=scaling, calendar=calendar)
        for scaling in (SCALINGS if model.scaling == "auto" else (start.scaling,))
        for calendar in ((False, True) if X.clock is not None else (False,))
    ]
    candidates.sort(key=lambda plan: (plan.scaling != start.scaling, plan.calendar))
    best, best_errors = start, None
    errors: dict[str, float] = {}
    for plan in candidates:
        linear = trial.linear(plan)
        if linear is None:  # too wide: nothing is known before the network is trained
            return replace(start, share=1.0)
        plan, squares = linear
        errors[_name(plan)] = math.sqrt(_mean(squares))
        if best_errors is None or _better(squares, best_errors, trial.blocks):
            best, best_errors = plan, squares
    show(
        f"learning from the first {len(early):,} windows, to see on the last {len(late):,} how "
        "much a network adds to a linear forecast"
    )
    share, residuals, after = trial.network(best)
    errors["network"] = after
    notes = _notes(best, errors, share, len(late))
    return replace(best, share=share, errors=errors, residuals=residuals, notes=notes)


class _Trial:
    """A forecaster's parts, learned from early windows and measured on late ones."""

    def __init__(
        self, model: Any, X: Windows, y: Any, weights: Any, early: np.ndarray, late: np.ndarray
    ) -> None:
        self.model = model
        y = np.asarray(y, dtype=np.float64)
        weights = None if weights is None else np.asarray(weights)[early]
        self.early, self.late = (X[early], y[early], weights), (X[late], y[late])
        self.moves = _moves(*self.early[:2], model.target_transform)
        # windows whose targets begin within one horizon of each other share some of them
        begins = X.when[X.ahead[late, 0]]
        ranks = np.unique(begins, return_inverse=True)[1]
        self.blocks = ranks // X.ahead.shape[1]

    def estimator(self, plan: Plan) -> Any:
        """A forecaster with the same parameters that follows `plan`."""
        model = clone(self.model, safe=False)
        model.set_params(verbose=0, callbacks=None, warm_start=False, early_stopping=False)
        model._plan, model._on_trial = plan, True
        return model

    def linear(self, plan: Plan) -> tuple[Plan, np.ndarray] | None:
        """The plan with the best penalty, and its squared errors, one for each late window."""
        model = self.estimator(plan)
        settings = model._settings(seed=0)
        X, y, weights = self.early
        examples, *_ = model._encode(X, y, weights, False, None, settings.dtype, False)
        if math.prod(examples.rows.shape[1:]) > WIDEST:
            return None
        ridge, tried = Ridge(examples, settings.dtype), []
        outputs = examples.targets.values.shape[1]
        layers = [Flatten(), Linear(outputs)]
        network = Network(layers).build(examples.rows.shape[1:], settings.dtype, draw=False)
        reading = model._input.read(model, self.late[0])
        rows = model._input.encode(model, reading)
        for penalty in _PENALTIES:
            weight, bias = ridge.solve(penalty)
            network.set_parameters({"1.weight": weight, "1.bias": bias})
            squares = self._squares(model, reading, network.forward(rows))
            tried.append((_mean(squares), penalty, squares))
        _, penalty, squares = min(tried, key=lambda one: one[0])
        return replace(plan, penalty=penalty), squares

    def network(self, plan: Plan) -> tuple[float, np.ndarray, float]:
        """The share to keep of a network, what is left over by both, and the error."""
        model = self.estimator(plan)
        X, y, weights = self.early
        model._fit(X, y, weights)
        reading = model._input.read(model, self.late[0])
        rows = model._input.encode(model, reading)
        full = model.network_.forward(rows)
        model._scale_head(0.0)
        linear = model.network_.forward(rows)
        share = self._share(model, reading, linear, full) if model._squared else 1.0
        mixed = linear + share * (full - linear)
        squares = self._squares(model, reading, mixed)
        scale = model.target_.scale
        truth = self._codes(model, reading)
        return share, (truth - mixed) * scale, math.sqrt(_mean(squares))

    def _share(self, model: Any, reading: Any, plain: np.ndarray, more: np.ndarray) -> float:
        """How much of what `more` adds to the `plain` outputs is kept.

        By least squares, and as far as that is more than chance.
        """
        unit = self._unit(model, reading)
        added = (more - plain) * unit
        left = (self._codes(model, reading) - plain) * unit
        size = math.fsum((added * added).ravel())
        share = math.fsum((added * left).ravel()) / size if size > 0 else 0.0
        share = min(max(share, 0.0), 1.0)
        mixed = self._squares(model, reading, plain + share * (more - plain))
        return share * _certainty(self._squares(model, reading, plain), mixed, self.blocks)

    def _codes(self, model: Any, reading: Any) -> np.ndarray:
        units = model._units(model._input, reading)
        return model.target_.encode(model, self.late[1], **units)

    def _unit(self, model: Any, reading: Any) -> np.ndarray:
        """What one of the network's units is of the scale of the window's series."""
        units, scale = model._input.units(model, reading), model.target_.scale
        late = self.late[0]
        base = self.moves[late.series[late.starts]][:, None]
        if units is None:
            return scale / base
        return scale * np.tile(units.scale, len(scale) // units.scale.shape[1]) / base

    def _squares(self, model: Any, reading: Any, outputs: np.ndarray) -> np.ndarray:
        apart = (self._codes(model, reading) - outputs) * self._unit(model, reading)
        with np.errstate(over="ignore"):
            return np.cumsum(apart * apart, axis=1)[:, -1] / apart.shape[1]


def _moves(X: Windows, y: np.ndarray, transform: str | None) -> np.ndarray:
    """How far each series goes from its last value on average: the unit of all its errors."""
    forward = TRANSFORMS[transform].forward if transform else lambda values: values
    apart = forward(y.reshape(len(y), -1)) - forward(X.naive())
    squares = np.where(np.isfinite(apart), apart, 0.0) ** 2
    own = X.series[X.starts]
    total: np.ndarray = np.bincount(own, np.cumsum(squares, axis=1)[:, -1], minlength=len(X.names))
    moves = np.sqrt(total / np.maximum(np.bincount(own, minlength=len(X.names)), 1))
    return np.where(moves > 0, moves, 1.0)


def _mean(squares: np.ndarray) -> float:
    return math.fsum(squares) / len(squares)


def _better(squares: np.ndarray, best: np.ndarray, blocks: np.ndarray) -> bool:
    """Whether `squares` are smaller than the `best` by more than chance."""
    gain, error = _gain(best, squares, blocks)
    return blocks.max() + 1 >= _BLOCKS and gain > _ERRORS * error


def _certainty(worse: np.ndarray, better: np.ndarray, blocks: np.ndarray) -> float:
    """How certain it is that one is better, 0 to 1: what is no larger than chance counts nothing.

    As James and Stein shrink a mean: by the share of its square that is noise.
    """
    gain, error = _gain(worse, better, blocks)
    return max(0.0, 1.0 - (error / gain) ** 2) if gain > 0 else 0.0


def _gain(worse: np.ndarray, better: np.ndarray, blocks: np.ndarray) -> tuple[float, float]:
    """The mean by which squared errors fall, over blocks of windows, and its standard error."""
    count = int(blocks.max()) + 1
    sizes = np.bincount(blocks, minlength=count)
    sums: np.ndarray = np.bincount(blocks, weights=worse - better, minlength=count)
    gains = sums[sizes > 0] / sizes[sizes > 0]
    mean = math.fsum(gains) / len(gains)
    if len(gains) < 2:
        return mean, math.inf
    spread = math.fsum((gains - mean) ** 2) / (len(gains) - 1)
    return mean, math.sqrt(spread / len(gains))


def _name(plan: Plan) -> str:
    return f"{plan.scaling}{' and calendar' if plan.calendar else ''}"


def _notes(plan: Plan, errors: dict[str, float], share: float, late: int) -> tuple[str, ...]:
    """What was decided, and by how much."""
    return ()
