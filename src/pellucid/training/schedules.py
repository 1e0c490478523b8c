"""Learning-rate schedules: the rate of every step.

source    warm-up and cosine: Loshchilov and Hutter, SGDR (2017), one cycle without restarts;
          one-cycle: Smith and Topin, Super-Convergence (2018)

Only + - * / and repeated multiplication: the same bits everywhere, which libm does not promise.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from pellucid import checks


def cos_pi(x: np.ndarray) -> np.ndarray:
    """cos(pi x) for x in [0, 1], to about 1e-15, by Taylor's series around 0 and 1/2.

    Examples
    --------
    >>> cos_pi(np.array([0.0, 0.5, 1.0])).tolist()
    [1.0, 0.0, -1.0]
    """
    x = np.asarray(x, dtype=np.float64)
    near_half = np.abs(x - 0.5) <= 0.25
    # cos(pi x) = sin(pi (1/2 - x)) around 1/2, and cos(pi x) = -cos(pi (1 - x)) beyond it
    t = np.pi * np.where(near_half, 0.5 - x, np.where(x < 0.5, x, 1.0 - x))
    z = t * t
    sine, cosine = np.ones_like(t), np.ones_like(t)
    for k in range(10, 0, -1):
        sine = 1.0 - z * sine / ((2 * k) * (2 * k + 1))
        cosine = 1.0 - z * cosine / ((2 * k - 1) * (2 * k))
    return np.where(near_half, t * sine, np.where(x < 0.5, cosine, -cosine))


def _power(base: float, exponent: int) -> float:
    product = 1.0
    for _ in range(exponent):
        product *= base
    return product


class Schedule(ABC):
    """Abstract: the learning rate of every step.

    Attributes
    ----------
    needs_end : bool
        Whether it must know when training ends. Where nobody knows, as in ``partial_fit``, the
        learning rate stays as it is instead.
    """

    needs_end: ClassVar[bool] = False

    @abstractmethod
    def rates(
        self,
        learning_rate: float,
        first_step: int,
        count: int,
        steps_per_epoch: int,
        max_epochs: int,
    ) -> np.ndarray:
        """The rates of steps `first_step` to ``first_step + count - 1``, float64.

        Steps are counted from the fit's beginning; beyond ``max_epochs`` the last rate stays.
        """

    def observe(self, loss: float) -> None:  # noqa: B027 (only Plateau looks)
        """Take in an epoch's loss."""


@dataclass(frozen=True)
class Constant(Schedule):
    """Always the learning rate itself."""

    def rates(self, learning_rate, first_step, count, steps_per_epoch, max_epochs):
        return np.full(count, learning_rate, dtype=np.float64)


@dataclass(frozen=True)
class Step(Schedule):
    """The rate times `factor` after every `every` epochs.

    Parameters
    ----------
    every : int, default=10
    factor : float, default=0.5
        In (0, 1].
    """

    every: int = 10
    factor: float = 0.5

    def __post_init__(self) -> None:
        checks.positive_integer("every", "Step", self.every)
        checks.number("factor", "Step", self.factor, 0, 1, open_low=True)

    def rates(self, learning_rate, first_step, count, steps_per_epoch, max_epochs):
        last = max(steps_per_epoch * max_epochs - 1, 0)
        steps = np.minimum(first_step + np.arange(count), last)
        drops = steps // (steps_per_epoch * self.every)
        rates = np.empty(count)
        for drop in np.unique(drops):
            rates[drops == drop] = learning_rate * _power(self.factor, int(drop))
        return rates


@dataclass(frozen=True)
class Cosine(Schedule):
    """A linear warm-up, then half a cosine down.

    Parameters
    ----------
    warmup : float, default=0.05
        The share of all steps that the warm-up takes, in [0, 1).
    final : float, default=0.0
        The last rate, as a share of the learning rate, in [0, 1].
    """

    needs_end = True
    warmup: float = 0.05
    final: float = 0.0

    def __post_init__(self) -> None:
        checks.number("warmup", "Cosine", self.warmup, 0, 1, open_high=True)
        checks.number("final", "Cosine", self.final, 0, 1)

    def rates(self, learning_rate, first_step, count, steps_per_epoch, max_epochs):
        total = steps_per_epoch * max_epochs
        rising = int(self.warmup * total)
        step = first_step + np.arange(count)
        # the first step already moves, the last still does
        up = (step + 1.0) / (rising + 1.0)
        done = np.clip((step - rising) / max(total - rising, 1), 0.0, 1.0)
        down = self.final + (1.0 - self.final) * 0.5 * (1.0 + cos_pi(done))
        return learning_rate * np.where(step < rising, up, down)


@dataclass(frozen=True)
class OneCycle(Schedule):
    """Half a cosine up to the learning rate, half a cosine down to next to nothing.

    Parameters
    ----------
    peak : float, default=0.3
        Where the top is, as a share of all steps, in (0, 1).
    start, final : float, default=0.04, 0.0001
        The first and last rate, as shares of the learning rate, in [0, 1].
    """

    needs_end = True
    peak: float = 0.3
    start: float = 0.04
    final: float = 0.0001

    def __post_init__(self) -> None:
        checks.number("peak", "OneCycle", self.peak, 0, 1, open_low=True, open_high=True)
        checks.number("start", "OneCycle", self.start, 0, 1)
        checks.number("final", "OneCycle", self.final, 0, 1)

    def rates(self, learning_rate, first_step, count, steps_per_epoch, max_epochs):
        total = max(steps_per_epoch * max_epochs, 1)
        done = np.minimum((first_step + np.arange(count)) / total, 1.0)
        rising = done < self.peak
        up = np.minimum(done, self.peak) / self.peak
        part = np.where(rising, up, (done - self.peak) / (1.0 - self.peak))
        high = 0.5 * (1.0 + cos_pi(np.where(rising, 1.0 - part, part)))
        low = np.where(rising, self.start, self.final)
        return learning_rate * (low + (1.0 - low) * high)


@dataclass
class Plateau(Schedule):
    """The rate times `factor` whenever the loss has not fallen for `patience` epochs.

    Parameters
    ----------
    factor : float, default=0.5
        In (0, 1].
    patience : int, default=5
    minimum : float, default=0.001
        The lowest rate, as a share of the learning rate, in [0, 1].
    """

    factor: float = 0.5
    patience: int = 5
    minimum: float = 0.001
    _share: float = field(default=1.0, init=False, repr=False)
    _best: float = field(default=float("inf"), init=False, repr=False)
    _waited: int = field(default=0, init=False, repr=False)

    def __post_init__(self) -> None:
        checks.number("factor", "Plateau", self.factor, 0, 1, open_low=True)
        checks.positive_integer("patience", "Plateau", self.patience)
        checks.number("minimum", "Plateau", self.minimum, 0, 1)

    def rates(self, learning_rate, first_step, count, steps_per_epoch, max_epochs):
        return np.full(count, learning_rate * self._share, dtype=np.float64)

    def observe(self, loss: float) -> None:
        if loss < self._best:
            self._best, self._waited = loss, 0
            return
        self._waited += 1
        if self._waited >= self.patience:
            self._share = max(self._share * self.factor, self.minimum)
            self._waited = 0


SCHEDULES: dict[str, type[Schedule]] = {
    "constant": Constant,
    "step": Step,
    "cosine": Cosine,
    "one_cycle": OneCycle,
    "plateau": Plateau,
}


def resolve(schedule: Any, owner: str) -> Schedule:
    """The schedule that a name or an instance means; a copy, since a fit may change it."""
    if isinstance(schedule, Schedule):
        return copy.deepcopy(schedule)
    return SCHEDULES[checks.one_of("schedule", owner, schedule, SCHEDULES)]()
