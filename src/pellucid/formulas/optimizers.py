"""One step of each optimiser, and the clipping of gradients, as pure functions.

A step takes a parameter p, its gradient g and the optimiser's state, and returns the new parameter
and the new state by name; nothing is changed in place. The state starts as zeros, and the number t
of the step as 1. The conventions are PyTorch's: a hyperparameter means what it means there.

Weight decay is coupled in `sgd`, `rmsprop` and `adam`: ``weight_decay p`` is added to the gradient,
as if the loss held ``weight_decay/2 p^2``. In `adamw` it is decoupled: p itself is shrunk.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from pellucid.checks import number, positive_integer
from pellucid.formulas._arrays import Float64Array, float64, require_shape

__all__ = [
    "AdamStep", "ClippedGradients", "RMSpropStep", "SGDStep", "adam", "adamw",
    "clip_by_global_norm", "global_norm", "rmsprop", "sgd",
]  # fmt: skip


class SGDStep(NamedTuple):
    """The parameter and the state after a step of `sgd`."""

    p: Float64Array
    velocity: Float64Array


class RMSpropStep(NamedTuple):
    """The parameter and the state after a step of `rmsprop`."""

    p: Float64Array
    square_average: Float64Array


class AdamStep(NamedTuple):
    """The parameter and the state after a step of `adam` or `adamw`."""

    p: Float64Array
    m: Float64Array
    v: Float64Array


class ClippedGradients(NamedTuple):
    """What `clip_by_global_norm` returns: the gradients, and the norm that they had before."""

    gradients: list[Float64Array]
    norm: float


def sgd(
    p: ArrayLike,
    g: ArrayLike,
    velocity: ArrayLike,
    learning_rate: float,
    momentum: float = 0.0,
    nesterov: bool = False,
    weight_decay: float = 0.0,
) -> SGDStep:
    """One step of stochastic gradient descent, with momentum and Nesterov's variant of it.

    Formula::

        g        <- g + weight_decay p
        velocity <- momentum velocity + g
        p        <- p - learning_rate velocity                    plain
        p        <- p - learning_rate (g + momentum velocity)     Nesterov

    Parameters
    ----------
    p, g, velocity : array_like of one shape, which may be any
        The parameter, its gradient, and the velocity, zeros before the first step.
    learning_rate : float
        The length of the step, at least 0.
    momentum : float, default 0.0
        The share of the velocity that is kept, at least 0 and below 1.
    nesterov : bool, default False
        Whether to look one step of momentum ahead.
    weight_decay : float, default 0.0
        Coupled weight decay, at least 0.

    Returns
    -------
    SGDStep
        By name: the new ``p`` and ``velocity``, float64 arrays of the shape of p.

    Raises
    ------
    TypeError, ValueError
        If the shapes differ or a hyperparameter is out of range.

    References
    ----------
    B. T. Polyak, Some methods of speeding up the convergence of iteration methods, 1964;
    I. Sutskever, J. Martens, G. Dahl, G. Hinton, On the importance of initialization and momentum
    in deep learning, ICML 2013; written as in `torch.optim.SGD`.

    Examples
    --------
    >>> step = sgd(p=[1.0], g=[2.0], velocity=[4.0], learning_rate=0.25, momentum=0.5)
    >>> step.velocity, step.p
    (array([4.]), array([0.]))
    >>> sgd(p=[1.0], g=[2.0], velocity=[4.0], learning_rate=0.25, momentum=0.5, nesterov=True).p
    array([0.])
    """
    p, g, velocity = _state("sgd", p=p, g=g, velocity=velocity)
    learning_rate = number("learning_rate", "sgd", learning_rate, 0.0)
    momentum = number("momentum", "sgd", momentum, 0.0, 1.0, open_high=True)
    weight_decay = number("weight_decay", "sgd", weight_decay, 0.0)

    g = g + weight_decay * p
    velocity = momentum * velocity + g
    direction = g + momentum * velocity if nesterov else velocity
    return SGDStep(p - learning_rate * direction, velocity)


def rmsprop(
    p: ArrayLike,
    g: ArrayLike,
    square_average: ArrayLike,
    learning_rate: float = 0.01,
    alpha: float = 0.99,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
) -> RMSpropStep:
    """One step of RMSprop: the gradient, divided by its own running root mean square.

    Formula::

        g              <- g + weight_decay p
        square_average <- alpha square_average + (1 - alpha) g^2
        p              <- p - learning_rate g / (sqrt(square_average) + eps)

    Parameters
    ----------
    p, g, square_average : array_like of one shape, which may be any
        The parameter, its gradient, and the running mean of the gradient's square, zeros before
        the first step.
    learning_rate : float, default 0.01
        The length of the step, at least 0.
    alpha : float, default 0.99
        The share of the running mean that is kept, at least 0 and below 1.
    eps : float, default 1e-8
        Keeps the division from zero; above 0, and outside the root.
    weight_decay : float, default 0.0
        Coupled weight decay, at least 0.

    Returns
    -------
    RMSpropStep
        By name: the new ``p`` and ``square_average``, float64 arrays of the shape of p.

    Raises
    ------
    TypeError, ValueError
        If the shapes differ or a hyperparameter is out of range.

    References
    ----------
    T. Tieleman, G. Hinton, Neural Networks for Machine Learning, lecture 6.5, 2012; written as in
    `torch.optim.RMSprop`.

    Examples
    --------
    >>> step = rmsprop(p=[1.0], g=[2.0], square_average=[4.0], learning_rate=0.25)
    >>> step.square_average, step.p.round(6)
    (array([4.]), array([0.75]))
    """
    p, g, square_average = _state("rmsprop", p=p, g=g, square_average=square_average)
    learning_rate = number("learning_rate", "rmsprop", learning_rate, 0.0)
    alpha = number("alpha", "rmsprop", alpha, 0.0, 1.0, open_high=True)
    eps = number("eps", "rmsprop", eps, 0.0, open_low=True)
    weight_decay = number("weight_decay", "rmsprop", weight_decay, 0.0)

    g = g + weight_decay * p
    square_average = alpha * square_average + (1 - alpha) * g**2
    p = p - learning_rate * g / (np.sqrt(square_average) + eps)
    return RMSpropStep(p, square_average)


def adam(
    p: ArrayLike,
    g: ArrayLike,
    m: ArrayLike,
    v: ArrayLike,
    t: int,
    learning_rate: float = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
) -> AdamStep:
    """One step of Adam: running means of the gradient and of its square, freed of their start.

    Formula::

        g     <- g + weight_decay p
        m     <- beta1 m + (1 - beta1) g
        v     <- beta2 v + (1 - beta2) g^2
        m_hat  = m / (1 - beta1^t)
        v_hat  = v / (1 - beta2^t)
        p     <- p - learning_rate m_hat / (sqrt(v_hat) + eps)

    Parameters
    ----------
    p, g, m, v : array_like of one shape, which may be any
        The parameter, its gradient, and the running means of the gradient and of its square, zeros
        before the first step.
    t : int
        The number of this step; the first is 1.
    learning_rate : float, default 0.001
        The length of the step, at least 0.
    beta1, beta2 : float, default 0.9 and 0.999
        The shares of the running means that are kept, at least 0 and below 1.
    eps : float, default 1e-8
        Keeps the division from zero; above 0, and outside the root.
    weight_decay : float, default 0.0
        Coupled weight decay, at least 0.

    Returns
    -------
    AdamStep
        By name: the new ``p``, ``m`` and ``v``, float64 arrays of the shape of p.

    Raises
    ------
    TypeError, ValueError
        If the shapes differ, t is no positive integer, or a hyperparameter is out of range.

    References
    ----------
    D. P. Kingma, J. Ba, Adam: a method for stochastic optimization, ICLR 2015, algorithm 1; weight
    decay as in `torch.optim.Adam`.

    Examples
    --------
    The first step is of length `learning_rate`, whatever the size of the gradient:

    >>> adam(p=[1.0, 1.0], g=[0.5, -50.0], m=[0.0, 0.0], v=[0.0, 0.0], t=1).p.round(6)
    array([0.999, 1.001])
    """
    p, g, m, v = _state("adam", p=p, g=g, m=m, v=v)
    weight_decay = number("weight_decay", "adam", weight_decay, 0.0)
    return _adam("adam", p, g + weight_decay * p, m, v, t, learning_rate, beta1, beta2, eps)


def adamw(
    p: ArrayLike,
    g: ArrayLike,
    m: ArrayLike,
    v: ArrayLike,
    t: int,
    learning_rate: float = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float = 0.01,
) -> AdamStep:
    """One step of AdamW: Adam with decoupled weight decay.

    Formula::

        p     <- p (1 - learning_rate weight_decay)
        m     <- beta1 m + (1 - beta1) g
        v     <- beta2 v + (1 - beta2) g^2
        m_hat  = m / (1 - beta1^t)
        v_hat  = v / (1 - beta2^t)
        p     <- p - learning_rate m_hat / (sqrt(v_hat) + eps)

    Parameters
    ----------
    p, g, m, v : array_like of one shape, which may be any
        The parameter, its gradient, and the running means of the gradient and of its square, zeros
        before the first step.
    t : int
        The number of this step; the first is 1.
    learning_rate : float, default 0.001
        The length of the step, at least 0.
    beta1, beta2 : float, default 0.9 and 0.999
        The shares of the running means that are kept, at least 0 and below 1.
    eps : float, default 1e-8
        Keeps the division from zero; above 0, and outside the root.
    weight_decay : float, default 0.01
        Decoupled weight decay, at least 0.

    Returns
    -------
    AdamStep
        By name: the new ``p``, ``m`` and ``v``, float64 arrays of the shape of p.

    Raises
    ------
    TypeError, ValueError
        If the shapes differ, t is no positive integer, or a hyperparameter is out of range.

    References
    ----------
    I. Loshchilov, F. Hutter, Decoupled weight decay regularization, ICLR 2019, algorithm 2; the
    decay times the learning rate as in `torch.optim.AdamW`.

    Examples
    --------
    Without a gradient only the decay is left:

    >>> adamw(p=[1.0], g=[0.0], m=[0.0], v=[0.0], t=1, learning_rate=0.5, weight_decay=0.5).p
    array([0.75])
    """
    p, g, m, v = _state("adamw", p=p, g=g, m=m, v=v)
    learning_rate = number("learning_rate", "adamw", learning_rate, 0.0)
    weight_decay = number("weight_decay", "adamw", weight_decay, 0.0)
    p = p * (1 - learning_rate * weight_decay)
    return _adam("adamw", p, g, m, v, t, learning_rate, beta1, beta2, eps)


def global_norm(gradients: Sequence[ArrayLike]) -> float:
    """The Euclidean norm of all gradients together, as if they were one long vector.

    Formula: ``norm = sqrt(sum_g sum_i g_i^2)``

    Parameters
    ----------
    gradients : sequence of array_like, each of any shape
        The gradients of all parameters.

    Returns
    -------
    norm : float
        The norm, at least 0; of no gradients at all, 0.

    References
    ----------
    R. Pascanu, T. Mikolov, Y. Bengio, On the difficulty of training recurrent neural networks, ICML
    2013, section 3.2.

    Examples
    --------
    >>> global_norm([[3.0, 0.0], [[4.0]]])
    5.0
    """
    return math.sqrt(sum(float(np.sum(float64(g) ** 2)) for g in gradients))


def clip_by_global_norm(gradients: Sequence[ArrayLike], max_norm: float) -> ClippedGradients:
    """Shorten all gradients by one factor where their common norm is above a limit.

    Formula: ``g <- g max_norm / norm where norm > max_norm, else g``. The direction stays.

    Parameters
    ----------
    gradients : sequence of array_like, each of any shape
        The gradients of all parameters.
    max_norm : float
        The largest norm allowed, above 0.

    Returns
    -------
    ClippedGradients
        By name: ``gradients``, a list of float64 arrays of the shapes that came, and ``norm``,
        their norm before clipping.

    Raises
    ------
    TypeError, ValueError
        If max_norm is no number above 0.

    References
    ----------
    R. Pascanu, T. Mikolov, Y. Bengio, On the difficulty of training recurrent neural networks, ICML
    2013, algorithm 1.

    Examples
    --------
    >>> clipped = clip_by_global_norm([[3.0, 0.0], [4.0]], max_norm=2.5)
    >>> clipped.gradients
    [array([1.5, 0. ]), array([2.])]
    >>> clipped.norm
    5.0
    """
    max_norm = number("max_norm", "clip_by_global_norm", max_norm, 0.0, open_low=True)
    norm = global_norm(gradients)
    scale = max_norm / norm if norm > max_norm else 1.0
    return ClippedGradients([float64(g) * scale for g in gradients], norm)


def _adam(
    owner: str,
    p: Float64Array,
    g: Float64Array,
    m: Float64Array,
    v: Float64Array,
    t: int,
    learning_rate: float,
    beta1: float,
    beta2: float,
    eps: float,
) -> AdamStep:
    """What `adam` and `adamw` have in common: all but the weight decay."""
    t = positive_integer("t", owner, t)
    learning_rate = number("learning_rate", owner, learning_rate, 0.0)
    beta1 = number("beta1", owner, beta1, 0.0, 1.0, open_high=True)
    beta2 = number("beta2", owner, beta2, 0.0, 1.0, open_high=True)
    eps = number("eps", owner, eps, 0.0, open_low=True)

    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    return AdamStep(p - learning_rate * m_hat / (np.sqrt(v_hat) + eps), m, v)


def _state(owner: str, **arrays: ArrayLike) -> list[Float64Array]:
    """The arrays of a step as float64, all of the shape of p."""
    state = {name: float64(array) for name, array in arrays.items()}
    for name, array in state.items():
        require_shape(name, owner, array, state["p"].shape, "It is of the shape of p.")
    return list(state.values())
