"""A loss on a network's output: its operations, and the sums of each step."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from pellucid import checks
from pellucid.engine import Operation, halt_word, new_control, operation
from pellucid.kernels.operations import losses
from pellucid.layers.stage import Layout
from pellucid.network.chain import Chain
from pellucid.rows import Targets

LOSSES: dict[str, Any] = {
    "mean_squared_error": losses.mean_squared_error,
    "mean_absolute_error": losses.mean_absolute_error,
    "huber_loss": losses.huber_loss,
    "pinball_loss": losses.pinball_loss,
    "binary_cross_entropy": losses.binary_cross_entropy,
    "categorical_cross_entropy": losses.categorical_cross_entropy,
}


MIXABLE = ("binary_cross_entropy", "categorical_cross_entropy")  # losses of labels


class Mixture(NamedTuple):
    """Which rows of a batch are mixed, written anew in every step.

    Attributes
    ----------
    partner : int64 ndarray of shape (B,)
        The place in the batch of the row whose label counts too; empty where no rows are mixed.
    share : float64 ndarray of shape (B,)
        How much of a row is its own; 1 where it is not mixed.
    """

    partner: np.ndarray
    share: np.ndarray

    @classmethod
    def of(cls, rows: int) -> Mixture:
        """Room for a batch of so many rows, none of them mixed."""
        return cls(np.zeros(rows, dtype=np.int64), np.ones(rows))


@dataclass(frozen=True)
class LossFunction:
    """A loss by name, and the number that some need.

    Parameters
    ----------
    name : str
        One of `LOSSES`.
    delta : float
        The error from which "huber_loss" is linear.
    quantile : float
        The quantile that "pinball_loss" estimates.
    """

    name: str
    delta: float = 1.0
    quantile: float = 0.5

    def __post_init__(self) -> None:
        checks.one_of("loss", "Network", self.name, LOSSES)
        checks.number("delta", "Network", self.delta, 0, open_low=True)
        checks.number("quantile", "Network", self.quantile, 0, 1, open_low=True, open_high=True)

    @classmethod
    def of(cls, loss: str | LossFunction) -> LossFunction:
        """`loss` as it is, or the one of that name."""
        return loss if isinstance(loss, LossFunction) else cls(loss)

    @property
    def options(self) -> dict[str, float]:
        """What its formula and kernel take besides predictions, targets and weights."""
        return {name: getattr(self, name) for name in _OPTIONS.get(self.name, ())}


_OPTIONS = {"huber_loss": ("delta",), "pinball_loss": ("quantile",)}


class StepSums:
    """The loss and the number of right answers of each step of an epoch.

    Parameters
    ----------
    steps : int
    """

    def __init__(self, steps: int) -> None:
        self.sums = np.zeros(2 * steps)  # each step's loss, then each step's hits

    @property
    def losses(self) -> np.ndarray:
        """The sum of each step's losses."""
        return self.sums[: self.sums.size // 2]

    @property
    def hits(self) -> np.ndarray:
        """How many right answers each step had."""
        return self.sums[self.sums.size // 2 :]

    def mean(self, rows: int) -> tuple[float, float]:
        """The mean loss of the last epoch's `rows`, and the share of right answers."""
        return math.fsum(self.losses) / rows, math.fsum(self.hits) / rows


class Loss(StepSums):
    """A loss on the output of a chain that has been laid out.

    Parameters
    ----------
    loss : str or LossFunction
        One of `LOSSES`.
    chain, layout : Chain and Layout
    targets : Targets
        The targets of all rows.
    order : int64 ndarray of shape (N,)
        The epoch's order of the rows.
    mixture : Mixture, optional
        Which rows of a batch have two labels.
    whole : int64 ndarray of shape (1,), optional
        Where a batch comes in shards, one a step: how many rows the whole batch has.

    Attributes
    ----------
    control : ndarray
        For the program, which halts at a loss that is not finite.
    """

    def __init__(
        self,
        loss: str | LossFunction,
        chain: Chain,
        layout: Layout,
        targets: Targets,
        order: np.ndarray,
        mixture: Mixture | None = None,
        whole: np.ndarray | None = None,
    ) -> None:
        self.function = LossFunction.of(loss)
        name = self.function.name
        chain.check_rank(f"the loss {name}", 2 if targets.each_step else 1)
        rows, dtype = len(layout.y), layout.y.dtype
        self.mixture = Mixture.of(0) if mixture is None else mixture
        if mixture is not None and (name not in MIXABLE or targets.each_step):
            raise ValueError(
                "rows that are mixed must have one label each, for a loss of "
                f"{' or '.join(MIXABLE)}. Got {name}."
            )
        self.name, self.layout, self.targets, self.order = name, layout, targets, order
        self.columns = chain.shapes[-1][-1]
        self.values = self.checked(
            targets.values, len(targets.values) if targets.each_step else len(order)
        )
        if len(targets) != len(order):
            raise ValueError(
                f"y of {name} must have targets of {len(order)} sequences. Got {len(targets)}."
            )
        self.weight = np.ascontiguousarray(targets.scaled_weight, dtype=dtype)
        self.gradient = layout.dy if layout.dy is not None else np.zeros_like(layout.y)
        self.row_losses, self.row_hits = np.zeros(rows), np.zeros(rows)
        super().__init__(-(-len(order) // rows))
        self.whole = np.zeros(0, dtype=np.int64) if whole is None else whole
        self.control = new_control()

    def operations(self, back: int = 0, adds: bool = False) -> list[Operation]:
        """Loss and gradient of a batch, and the sum of losses, which may halt the program.

        Where steps have targets, they end `back` steps before the last one; where `adds`, the sum
        is added to that of the pieces before.
        """
        layout = self.layout
        of_rows = LOSSES[self.name](
            y=layout.y, pixel=layout.y_grid.pixel, target=self.values, weight=self.weight,
            starts=self.targets.starts, lengths=self.targets.lengths, order=self.order,
            steps=layout.y_grid.width, back=back, d=self.gradient, losses=self.row_losses,
            hits=self.row_hits, columns=self.columns, whole=self.whole,
            **self.function.options, **(self.mixture._asdict() if self.name in MIXABLE else {}),
        )  # fmt: skip
        of_batch = losses.sum_loss(
            losses=self.row_losses, hits=self.row_hits, sums=self.sums,
            halt=halt_word(self.control), adds=adds,
        )  # fmt: skip
        return [operation(of_rows), operation(of_batch, halts=True)]

    def checked(self, values: Any, count: int) -> np.ndarray:
        """The targets for the kernel, which checks no bounds."""
        if self.name != "categorical_cross_entropy":
            numbers = np.ascontiguousarray(values, dtype=self.layout.y.dtype)
            if numbers.shape != (count, self.columns):
                raise ValueError(
                    f"y of {self.name} must have shape ({count}, {self.columns}), one column an "
                    f"output. Got {numbers.shape}."
                )
            return numbers
        given = np.asarray(values)
        if given.dtype.kind not in "biu":
            raise ValueError(f"y of {self.name} must hold whole numbers. Got {given.dtype}.")
        classes = np.ascontiguousarray(given, dtype=np.int64)
        if classes.shape != (count,):
            raise ValueError(f"y of {self.name} must have shape ({count},). Got {classes.shape}.")
        self.check_values(classes)
        return classes

    def check_values(self, values: np.ndarray) -> None:
        """Refuse classes that there are not: the kernel checks no bounds."""
        if self.name != "categorical_cross_entropy" or not len(values):
            return
        if not 0 <= values.min() <= values.max() < self.columns:
            raise ValueError(
                f"y of {self.name} must hold class indices from 0 to {self.columns - 1}. "
                f"Got {values.min()} to {values.max()}."
            )
