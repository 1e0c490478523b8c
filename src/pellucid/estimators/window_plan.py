"""How a series is learned, chosen on windows kept aside: the last ones in time."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from sklearn.base import clone

from pellucid.data.scaling import power_of_two
from pellucid.data.target_transforms import IDENTITY, TRANSFORMS
from pellucid.data.window_features import SCALINGS
from pellucid.data.windows import Windows
from pellucid.layers import Flatten, Linear
from pellucid.network import Network
from pellucid.network.ridge import Ridge
from pellucid.training.checkpoint import Checkpoint

WIDEST = 2000  # numbers of a window that a linear forecast takes
_ASIDE = (0.2, 0.3, 0.4)  # shares of rows to choose on: more of a short series
_FEWEST = 10  # windows to choose on, and to learn from meanwhile
_ARRAYS = ("late", "errors", "table")  # of a plan, or made anew
_TINY = np.finfo(float).tiny
_LONG = 1_000_000  # steps of all windows from which a trial shows its epochs
_PENALTIES = (1e-3, 1e-2, 1e-1)
_STRONG = (1.0, 10.0)  # penalties that must be better by more than chance, as of many columns
_ERRORS = 1.5  # standard errors by which something else must be better than what is usual
_MORE_ERRORS = 2.0  # by which a strong penalty must be
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
    trust : float
        How much of the linear forecast is taken, from 0 to 1; the rest stays at the last value.
    share : float
        How much of what the network adds to the linear forecast is kept, from 0 to 1. Where too few
        windows can be kept aside to tell, a quarter: what it was on average on thirty series.
    follows : bool
        Whether what is learned is what came after the windows; else they have no scale of their
        own.
    tried : dict
        By name, the root mean squared error on the windows kept aside of what was tried, in units
        of how far each series goes from its last value.
    late : ndarray, or None
        The positions of the windows kept aside.
    errors : ndarray of shape (windows kept aside, outputs), or None
        Truth less forecast there, in the units of the target, after its transform.
    table : tuple of DataFrame and Reading, or None
        The windows' table and what was read of it, once for all that learn from it.
    """

    scaling: str = "series"
    calendar: bool = False
    penalty: float = 1e-1
    trust: float = 1.0
    share: float = 0.25
    follows: bool = True
    tried: dict[str, float] = field(default_factory=dict)
    late: np.ndarray | None = None
    errors: np.ndarray | None = None
    table: Any = None

    @property
    def notes(self) -> list[str]:
        """What was decided, in sentences."""
        if not self.follows:
            return [
                "y is not what came after the windows in their target: they are read as they are, "
                "without a scale of their own."
            ]
        if self.late is None and self.share == Plan.share:
            return [
                "too few windows to keep some aside, and see how good the network is: a quarter of "
                "what it adds to a linear forecast is taken."
            ]
        if self.late is None or len(self.tried) < 2:
            return []
        own, linear = _name(self), {**self.tried}
        after, error = linear.pop("network"), linear.pop(own)
        others = ", ".join(
            f"{name} {linear[name]:.3g}" for name in sorted(linear, key=linear.__getitem__)
        )
        words = f"windows are scaled by {own}: the error of a linear forecast is {error:.3g} on "
        words += f"the last {len(self.late):,}, kept aside"
        if linear and error > min(linear.values()):
            words += f"; no other is better by more than chance: {others}"
        elif linear:
            words += f"; of others {others}"
        notes = [f"{words}."]
        if self.trust < 0.9:
            notes.append(
                f"there it was little better than the naive forecast: {100 * self.trust:.0f} % of "
                "it is taken, and the last value for the rest."
            )
        if self.share == 0:
            notes.append(
                "there the network added nothing to the linear forecast, which alone is left."
            )
        elif self.share < 1:
            notes.append(
                f"there {100 * self.share:.0f} % of what the network adds did best: error "
                f"{after:.3g}; so much of it is taken."
            )
        return notes


def kept_or_chosen(
    model: Any,
    X: Windows,
    y: Any,
    weights: Any,
    show: Callable[[str], None],
    table: Any,
    checkpoint: Checkpoint | None,
    shuffle: str = "auto",
) -> Plan:
    """The plan that a checkpoint has, or else the one chosen now, which it then has too."""
    kept = None if checkpoint is None else checkpoint.finding("plan")
    if checkpoint is None or kept is None:
        trial = None if checkpoint is None else checkpoint.trial()
        plan = choose(model, X, y, weights, show, table, trial, shuffle)
        if checkpoint is not None:
            known = {key: part for key, part in vars(plan).items() if key not in _ARRAYS}
            arrays = {key: getattr(plan, key) for key in _ARRAYS[:2]}
            arrays = {key: part for key, part in arrays.items() if part is not None}
            checkpoint.keep("plan", {"windows": len(X), **known}, arrays)
        return plan
    known, arrays = kept
    if known["windows"] != len(X):
        count = known["windows"]
        checkpoint.refuse(f"it learns from {count:,} windows, and here there are {len(X):,}")
    own: Any = {key: part for key, part in known.items() if key != "windows"} | arrays
    return Plan(**own, table=table)


def choose(
    model: Any,
    X: Windows,
    y: Any,
    weights: Any,
    show: Callable[[str], None],
    table: Any = None,
    checkpoint: Checkpoint | None = None,
    shuffle: str = "auto",
) -> Plan:
    """The plan for a forecaster: what did best on the last windows, learned from those before.

    First a linear forecast alone, which is solved at once, says how windows are best scaled,
    whether the calendar helps, and how large its weights may be. Then the network is trained on the
    earlier windows, and how much of what it adds to the linear forecast did good on the later ones
    is the share of it that is kept. Something else than "series" without a calendar is chosen only
    where it is better by more than chance.
    """
    start = Plan("series" if model.scaling == "auto" else model.scaling, table=table)
    if model.loss != "mse":  # then the linear forecast is but a beginning, and learns on
        start = replace(start, share=1.0)
    if not follows(X, y):  # what is to be learned has no scale of the window
        return replace(start, scaling="global", share=1.0, follows=False)
    early, late = (np.zeros(0, dtype=np.int64),) * 2
    for aside in _ASIDE:
        if len(late) < _FEWEST:
            early, late = X.split(aside)
    if min(len(early), len(late)) < _FEWEST:
        return start
    if model.early_stopping and not all(map(len, X[early].split(model.validation_fraction))):
        return start
    trial = _Trial(model, X, np.asarray(y, dtype=np.float64), weights, early, late, shuffle)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what is kept aside, which the fit itself will learn
        best, tried = _linear_plan(trial, start, model.scaling, X.clock is not None)
        show(
            f"learning from the first {len(early):,} windows, to see on the last {len(late):,} how "
            "much the network adds to a linear forecast ..."
        )
        share, errors, after = trial.network(best, checkpoint)
    return replace(best, share=share, tried={**tried, "network": after}, late=late, errors=errors)


def follows(X: Windows, y: Any) -> bool:
    """Whether `y` is what came after the windows in their targets."""
    if X.about["target"] is None or not X.ahead.size:
        return False
    values = np.stack([X.values(name) for name in X.targets], axis=1)[X.ahead]
    try:
        given = np.asarray(y, dtype=np.float64)
    except (TypeError, ValueError):
        return False
    return given.size == values.size and bool((given.reshape(values.shape) == values).all())


def _linear_plan(
    trial: _Trial, start: Plan, scaling: str, dated: bool
) -> tuple[Plan, dict[str, float]]:
    """The plan by which a linear forecast does best, and the errors of all."""
    candidates = [
        replace(start, scaling=name, calendar=calendar)
        for name in (SCALINGS if scaling == "auto" else (start.scaling,))
        for calendar in ((False, True) if dated else (False,))
    ]
    candidates.sort(key=lambda plan: (plan.scaling != start.scaling, plan.calendar))
    best, squares_of_best, tried = start, None, dict[str, float]()
    for candidate in candidates:
        linear = trial.linear(candidate)
        if linear is None:  # too wide to be solved at once
            continue
        plan, squares = linear
        tried[_name(plan)] = math.sqrt(_mean(squares))
        if squares_of_best is None or _better(squares, squares_of_best, trial.blocks):
            best, squares_of_best = plan, squares
    return best, tried


class _Trial:
    """A forecaster's parts, learned from early windows and measured on late ones."""

    def __init__(
        self,
        model: Any,
        X: Windows,
        y: np.ndarray,
        weights: Any,
        early: np.ndarray,
        late: np.ndarray,
        shuffle: str,
    ) -> None:
        self.model, self.shuffle = model, shuffle
        weights = None if weights is None else weights[early]
        self.early, self.late = (X[early], y[early], weights), (X[late], y[late])
        self.moves = _moves(*self.early[:2], model.target_transform)
        # windows whose targets begin within one horizon of each other share some of them
        begins = X.when[X.ahead[late, 0]]
        ranks = np.unique(begins, return_inverse=True)[1]
        self.blocks = ranks // X.ahead.shape[1]

    def estimator(self, plan: Plan) -> Any:
        """A forecaster with the same parameters that follows `plan`."""
        model, (X, _, _) = clone(self.model, safe=False), self.early
        verbose = self.model.verbose if len(X) * X.steps > _LONG else 0
        model.set_params(verbose=verbose, callbacks=None, warm_start=False, shuffle=self.shuffle)
        model._plan, model._on_trial = replace(plan, share=1.0), True
        model._elsewhere = self.model._elsewhere  # which a clone does not take over
        return model

    def linear(self, plan: Plan) -> tuple[Plan, np.ndarray] | None:
        """The plan with the best penalty, and its squared errors, one for each late window.

        A strong penalty says that little goes on as it was: of a short series that has grown, a few
        windows kept aside may say so by chance.
        """
        model = self.estimator(plan)
        settings = model._settings(seed=0)
        X, y, weights = self.early
        examples, *_ = model._encode(X, y, weights, False, None, settings.dtype, False)
        if math.prod(examples.rows.shape[1:]) > WIDEST:
            return None
        ridge = Ridge(examples, settings.dtype, settings.n_jobs)
        layers = [Flatten(), Linear(examples.targets.values.shape[1])]
        network = Network(layers).build(examples.rows.shape[1:], settings.dtype, draw=False)
        reading = model._input.read(model, self.late[0])
        rows = model._input.encode(model, reading)
        best: tuple[Plan, np.ndarray] | None = None
        outputs: Any = None
        for penalty in (*_PENALTIES, *_STRONG):
            weight, bias = ridge.solve(penalty)
            network.set_parameters({"1.weight": weight, "1.bias": bias})
            forecast = network.forward(rows)
            squares = self._squares(model, reading, forecast)
            if penalty in _STRONG and best is not None:
                better = _better(squares, best[1], self.blocks, _MORE_ERRORS)
            else:
                better = best is None or _mean(squares) < _mean(best[1])
            if better:
                best, outputs = (replace(plan, penalty=penalty), squares), forecast
        assert best is not None
        return self._trusted(model, reading, *best, outputs)

    def _trusted(
        self, model: Any, reading: Any, plan: Plan, squares: np.ndarray, outputs: np.ndarray
    ) -> tuple[Plan, np.ndarray]:
        """The plan with how much of a linear forecast is taken, and its errors then.

        All of it where its gain over the naive one is more than a standard error, or that cannot be
        told; of less it is the square of their ratio.
        """
        if plan.scaling == "global" or self.blocks.max() + 1 < _BLOCKS:
            return plan, squares
        stays = np.broadcast_to(model._naive_output, outputs.shape)
        gain, error = _gain(self._squares(model, reading, stays), squares, self.blocks)
        ratio = max(gain, 0.0) / max(error, _TINY)
        trust = min(1.0, ratio * ratio)
        mixed = stays + trust * (outputs - stays)
        return replace(plan, trust=trust), self._squares(model, reading, mixed)

    def network(self, plan: Plan, checkpoint: Checkpoint | None) -> tuple[float, np.ndarray, float]:
        """The share to keep of a network, the errors then, and their root mean square."""
        model = self.estimator(plan)
        X, y, weights = self.early
        model._fit(X, y, weights, checkpoint=checkpoint)
        reading = model._input.read(model, self.late[0])
        rows = model._input.encode(model, reading)
        outputs, share = model.network_.forward(rows), 1.0
        if model._forecasts and model.loss == "mse":
            full = outputs
            model._scale_head(0.0)
            linear = model.network_.forward(rows)
            share = self._share(model, reading, linear, full)
            outputs = linear + share * (full - linear)
        squares = self._squares(model, reading, outputs)
        errors = (self._codes(model, reading) - outputs) * self._scale(model, reading)
        return share, errors, math.sqrt(_mean(squares))

    def _share(self, model: Any, reading: Any, plain: np.ndarray, more: np.ndarray) -> float:
        """How much of what `more` adds to the `plain` outputs is kept.

        By least squares, and as far as that is more than chance.
        """
        unit = self._scale(model, reading) / self._unit
        added = (more - plain) * unit
        left = (self._codes(model, reading) - plain) * unit
        size = math.fsum((added * added).ravel())
        share = math.fsum((added * left).ravel()) / size if size > 0 else 0.0
        share = min(max(share, 0.0), 1.0)
        mixed = self._squares(model, reading, plain + share * (more - plain))
        return share * _certainty(self._squares(model, reading, plain), mixed, self.blocks)

    def _codes(self, model: Any, reading: Any) -> np.ndarray:
        units = model._units(model._input, reading)
        return np.asarray(model.target_.encode(model, self.late[1], **units))

    def _scale(self, model: Any, reading: Any) -> np.ndarray:
        """What 1 of the network's output is in the units of the target."""
        units, scale = model._input.units(model, reading), model.target_.scale
        if units is None:
            return np.asarray(scale)
        return scale * np.tile(units.scale, len(scale) // units.scale.shape[1])

    @property
    def _unit(self) -> np.ndarray:
        """How far the targets of each late window go, in which the errors of all are compared."""
        X, y = self.late
        outputs = y[0].size
        return np.tile(self.moves[X.owners], outputs // self.moves.shape[1])

    def _squares(self, model: Any, reading: Any, outputs: np.ndarray) -> np.ndarray:
        """The mean squared error of each late window."""
        apart = self._codes(model, reading) - outputs
        apart = apart * self._scale(model, reading) / self._unit
        with np.errstate(over="ignore"):
            return np.asarray(np.cumsum(apart * apart, axis=1)[:, -1] / apart.shape[1])


def _moves(X: Windows, y: np.ndarray, transform: str | None) -> np.ndarray:
    """How far each target of each series goes from its last value: (series, targets)."""
    forward = TRANSFORMS.get(transform or "", IDENTITY).forward
    shape = (len(y), -1, len(X.targets))
    with np.errstate(invalid="ignore", divide="ignore"):
        apart = forward(y.reshape(shape)) - forward(X.naive().reshape(shape))
    apart = np.where(np.isfinite(apart), apart, 0.0)
    unit = power_of_two(np.abs(apart).max(axis=(0, 1)))  # squares stay finite
    squares = np.cumsum((apart / unit) ** 2, axis=1)[:, -1] / apart.shape[1]
    count = len(X.names)
    sizes = np.maximum(np.bincount(X.owners, minlength=count), 1)
    totals = [np.bincount(X.owners, column, minlength=count) for column in squares.T]
    moves = np.sqrt(np.stack(totals, axis=1) / sizes[:, None]) * unit
    return np.where(moves > 0, moves, 1.0)


def _mean(squares: np.ndarray) -> float:
    return math.fsum(squares) / len(squares)


def _better(
    squares: np.ndarray, best: np.ndarray, blocks: np.ndarray, errors: float = _ERRORS
) -> bool:
    """Whether `squares` are smaller than the `best` by more than so many standard errors."""
    gain, error = _gain(best, squares, blocks)
    return bool(blocks.max() + 1 >= _BLOCKS) and gain > errors * error


def _certainty(worse: np.ndarray, better: np.ndarray, blocks: np.ndarray) -> float:
    """How certain it is that one is better, 0 to 1: what is no larger than chance counts nothing.

    As James and Stein shrink a mean: by the share of its square that is noise.
    """
    gain, error = _gain(worse, better, blocks)
    ratio = error / gain if gain > 0 else 1.0
    return max(0.0, 1.0 - ratio * ratio)  # a float's ** is libm's pow


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
    return f"{plan.scaling}{' and the calendar' if plan.calendar else ''}"
