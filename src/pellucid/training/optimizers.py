"""Optimisers: frozen descriptions, whose memory and operations a :class:`Trainer` holds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from pellucid import checks
from pellucid.engine import Operation, operation
from pellucid.kernels.operations.optimizers import adam, rmsprop, sgd


class Optimizer(ABC):
    """Abstract: how a gradient changes the parameters.

    Attributes
    ----------
    memory : tuple of str
        The vectors that it keeps from step to step, each as long as the parameters.
    decoupled : bool
        Whether weight decay shrinks the weights beside the step, and is no part of the gradient.
    """

    memory: ClassVar[tuple[str, ...]] = ()
    decoupled: ClassVar[bool] = False

    @abstractmethod
    def update(
        self,
        values: np.ndarray,
        gradients: np.ndarray,
        memory: Mapping[str, np.ndarray],
        schedule: np.ndarray,
        scale: np.ndarray,
        decay: float,
        sparse: bool = False,
    ) -> Operation:
        """The operation that takes one step.

        Where gradients are `sparse`, a number with the gradient 0 is left as it is, and so is what
        the optimiser keeps of it.
        """

    def corrections(self, steps_done: int, count: int) -> np.ndarray:
        """The factors of the coming steps that depend on their number, (count, 2) float64."""
        return np.ones((count, 2))


@dataclass(frozen=True)
class SGD(Optimizer):
    """Gradient descent with momentum; see :func:`pellucid.formulas.sgd`.

    Parameters
    ----------
    momentum : float, default=0.9
        In [0, 1).
    nesterov : bool, default=True
        Whether the gradient is taken as if the momentum's step had been made.
    """

    momentum: float = 0.9
    nesterov: bool = True
    memory = ("velocity",)

    def __post_init__(self) -> None:
        checks.number("momentum", "SGD", self.momentum, 0, 1, open_high=True)
        checks.flag("nesterov", "SGD", self.nesterov)

    def update(self, values, gradients, memory, schedule, scale, decay, sparse=False):
        return operation(sgd(
            w=values, g=gradients, u=memory["velocity"], schedule=schedule, scale=scale,
            momentum=self.momentum, decay=decay, nesterov=self.nesterov, sparse=sparse,
        ), meets=False)  # fmt: skip


@dataclass(frozen=True)
class RMSprop(Optimizer):
    """Gradients over their running root mean square; see :func:`pellucid.formulas.rmsprop`.

    Parameters
    ----------
    alpha : float, default=0.99
        How much of the mean of squares each step keeps, in [0, 1).
    epsilon : float, default=1e-8
    """

    alpha: float = 0.99
    epsilon: float = 1e-8
    memory = ("square_average",)

    def __post_init__(self) -> None:
        checks.number("alpha", "RMSprop", self.alpha, 0, 1, open_high=True)
        checks.number("epsilon", "RMSprop", self.epsilon, 0, open_low=True)

    def update(self, values, gradients, memory, schedule, scale, decay, sparse=False):
        return operation(rmsprop(
            w=values, g=gradients, v=memory["square_average"], schedule=schedule, scale=scale,
            rho=self.alpha, decay=decay, epsilon=self.epsilon, sparse=sparse,
        ), meets=False)  # fmt: skip


_last_powers: dict[float, tuple[int, float]] = {}  # of each base the step of a power, and it


def _powers(base: float, steps_done: int, count: int) -> np.ndarray:
    """``base^t`` of the `count` steps t that come next.

    By repeated multiplication: no power function, the same bits everywhere. It goes on where it
    stopped, or an epoch would take the longer the more there were before it.
    """
    step, power = _last_powers.get(base, (0, 1.0))
    if step > steps_done:
        step, power = 0, 1.0
    factors = np.full(1 + steps_done - step + count, base)
    factors[0] = power
    powers = np.multiply.accumulate(factors)[1:]
    if len(powers):
        _last_powers[base] = steps_done + count, float(powers[-1])
    return powers[steps_done - step :]


@dataclass(frozen=True)
class _Adaptive(Optimizer):
    """Abstract: what Adam and AdamW share."""

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    memory = ("m", "v")

    def __post_init__(self) -> None:
        owner = type(self).__name__
        checks.number("beta1", owner, self.beta1, 0, 1, open_high=True)
        checks.number("beta2", owner, self.beta2, 0, 1, open_high=True)
        checks.number("epsilon", owner, self.epsilon, 0, open_low=True)

    def update(self, values, gradients, memory, schedule, scale, decay, sparse=False):
        return operation(adam(
            w=values, g=gradients, m=memory["m"], v=memory["v"], schedule=schedule, scale=scale,
            beta1=self.beta1, beta2=self.beta2, decay=decay, epsilon=self.epsilon,
            decoupled=self.decoupled, sparse=sparse,
        ), meets=False)  # fmt: skip

    def corrections(self, steps_done: int, count: int) -> np.ndarray:
        powers = [_powers(beta, steps_done, count) for beta in (self.beta1, self.beta2)]
        return np.stack([1.0 / (1.0 - power) for power in powers], axis=1)


@dataclass(frozen=True)
class Adam(_Adaptive):
    """Adam; see :func:`pellucid.formulas.adam`.

    Parameters
    ----------
    beta1, beta2 : float, default=0.9, 0.999
        How much of the means of gradients and of squares each step keeps, in [0, 1).
    epsilon : float, default=1e-8
    """


@dataclass(frozen=True)
class AdamW(_Adaptive):
    """Adam with decoupled weight decay; see :func:`pellucid.formulas.adamw`.

    Parameters
    ----------
    beta1, beta2 : float, default=0.9, 0.999
        How much of the means of gradients and of squares each step keeps, in [0, 1).
    epsilon : float, default=1e-8

    Notes
    -----
    A decay that is right for few steps is too strong for many. Its authors scale it with the root
    of batch size over rows times epochs, which is one over the root of the number of steps
    (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", ICLR 2019, appendix B.1).
    """

    decoupled = True


OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "rmsprop": RMSprop,
    "adam": Adam,
    "adamw": AdamW,
}


def resolve(optimizer: Any, owner: str) -> Optimizer:
    """The optimiser that a name or an instance means."""
    if isinstance(optimizer, Optimizer):
        return optimizer
    return OPTIMIZERS[checks.one_of("optimizer", owner, optimizer, OPTIMIZERS)]()
