"""The plain recurrent network: its states, backpropagation through time, and why gradients fade.

Rows are sequences, so a step is ``x_t U`` where textbooks with columns write ``U x_t``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from pellucid.formulas import activations
from pellucid.formulas._arrays import Float64Array, float64, require_bias, require_shape
from pellucid.formulas._steps import inside, require_states, sequences
from pellucid.formulas.softmax import softmax, softmax_jacobian

__all__ = [
    "BPTT", "GradientFactors", "RNNGradients", "bptt", "gradient_factors", "reverse_steps",
    "rnn", "rnn_backward", "rnn_output", "rnn_step",
]  # fmt: skip

_State = tuple[Callable[[ArrayLike], Float64Array], Callable[[Float64Array], Float64Array], float]

_STATE: dict[str, _State] = {
    "sigmoid": (activations.sigmoid, lambda h: h * (1 - h), 0.25),
    "tanh": (activations.tanh, lambda h: 1 - h * h, 1.0),
    "relu": (activations.relu, lambda h: (h > 0).astype(float), 1.0),
}
"""For each f: f, its slope f' as a function of h = f(z), and the largest that f' can be."""


class RNNGradients(NamedTuple):
    """The gradients of a recurrent layer, each of the shape of what it belongs to.

    ``dh`` (B, T, H) is the whole gradient with respect to each state: what comes in from above at
    its step, and what comes back through time.
    """

    dx: Float64Array
    dU: Float64Array
    dW: Float64Array
    db: Float64Array
    dh0: Float64Array
    dh: Float64Array


class BPTT(NamedTuple):
    """The factors of ``dL_t/dW = sum over i of dL_t/do_t do_t/dh_t dh_t/dh_i dh_i/dW``."""

    dL_do: Float64Array
    do_dh: Float64Array
    steps: Float64Array
    dh_dh: Float64Array
    dh_dW: Float64Array
    terms: Float64Array
    dW: Float64Array


class GradientFactors(NamedTuple):
    """What becomes of a gradient on its way from the last step back to each step."""

    slopes: Float64Array
    largest_slope: float
    step_norm: Float64Array
    step_bound: float
    product_norm: Float64Array
    product_bound: Float64Array


def rnn_step(
    x: ArrayLike,
    h_before: ArrayLike,
    U: ArrayLike,
    W: ArrayLike,
    b: ArrayLike | None = None,
    activation: str = "tanh",
) -> Float64Array:
    """One step: the new state from the input and the state before.

    Formula: ``h_t = f(x_t U + h_{t-1} W + b)``

    Parameters
    ----------
    x : array_like of shape (B, I)
        The input of this step.
    h_before : array_like of shape (B, H)
        The state of the step before.
    U, W, b : array_like of shape (I, H), (H, H), (H,)
        Weights from input to state, from state to state, and the bias; the same at every step.
        b may be left out, as textbooks often do: ``h_t = f(x_t U + h_{t-1} W)``.
    activation : {"tanh", "sigmoid", "relu"}, default="tanh"
        f.

    Returns
    -------
    h : float64 array of shape (B, H)
        The new state.

    Raises
    ------
    ValueError
        If the shapes do not fit one another, or the activation is not known.

    References
    ----------
    J. Elman, Finding Structure in Time (1990); I. Goodfellow, Y. Bengio, A. Courville, Deep
    Learning (2016), section 10.2.

    Examples
    --------
    >>> rnn_step(x=[[1.0]], h_before=[[2.0]], U=[[3.0]], W=[[0.5]], b=[1.0], activation="relu")
    array([[5.]])
    >>> rnn_step(x=[[1.0]], h_before=[[2.0]], U=[[3.0]], W=[[0.5]], activation="relu")
    array([[4.]])
    """
    owner = "rnn_step"
    f, _, _ = _known(activation, owner)
    x, h_before, U, W = (float64(array) for array in (x, h_before, U, W))
    require_shape("x", owner, x, ("B", "I"))
    b = _require_weights(owner, x.shape[1], U, W, b)
    require_shape("h_before", owner, h_before, (len(x), len(W)), "It is the state of each row.")
    return f(x @ U + h_before @ W + b)


def rnn(
    x: ArrayLike,
    U: ArrayLike,
    W: ArrayLike,
    b: ArrayLike | None = None,
    h0: ArrayLike | None = None,
    activation: str = "tanh",
    lengths: ArrayLike | None = None,
) -> Float64Array:
    """The states of all steps.

    Formula: ``h_t = f(x_t U + h_{t-1} W + b)`` for t = 1, ..., T; the same U, W and b at every step

    Parameters
    ----------
    x : array_like of shape (B, T, I)
        B sequences of T steps.
    U, W, b : array_like of shape (I, H), (H, H), (H,)
        As in :func:`rnn_step`; b may be left out.
    h0 : array_like of shape (B, H), optional
        The state before the first step; zeros if left out.
    activation : {"tanh", "sigmoid", "relu"}, default="tanh"
        f.
    lengths : array_like of shape (B,), optional
        The steps that each sequence has, where they are not T. What x holds behind them counts for
        nothing.

    Returns
    -------
    h : float64 array of shape (B, T, H)
        The states; zeros behind a sequence's end.

    Raises
    ------
    ValueError
        If the shapes do not fit one another, or a length is not between 0 and T.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, Deep Learning (2016), section 10.2.

    Examples
    --------
    A state that halves what it was and adds what comes:

    >>> rnn([[[8.0], [0.0], [0.0]]], U=[[1.0]], W=[[0.5]], activation="relu")[0, :, 0]
    array([8., 4., 2.])
    """
    owner = "rnn"
    x, U, W = (float64(array) for array in (x, U, W))
    x, lengths = sequences(owner, x, lengths)
    b = _require_weights(owner, x.shape[2], U, W, b)
    state = require_states("h0", owner, h0, len(x), len(W))
    h = np.zeros((*x.shape[:2], len(W)))
    for t in range(x.shape[1]):
        there = inside(t, lengths)
        state = np.where(there, rnn_step(x[:, t], state, U, W, b, activation), state)
        h[:, t] = np.where(there, state, 0)
    return h


def rnn_backward(
    dh: ArrayLike,
    x: ArrayLike,
    h: ArrayLike,
    U: ArrayLike,
    W: ArrayLike,
    h0: ArrayLike | None = None,
    activation: str = "tanh",
    lengths: ArrayLike | None = None,
) -> RNNGradients:
    """Backpropagation through time: the gradients of :func:`rnn`.

    Formula: going back from t = T, ``dz_t = f'(z_t) dh_t``, ``dx_t = dz_t U^T``,
    ``dh_{t-1} += dz_t W^T``; ``dU = sum_t x_t^T dz_t``, ``dW = sum_t h_{t-1}^T dz_t``,
    ``db = sum_t dz_t``

    Parameters
    ----------
    dh : array_like of shape (B, T, H)
        The gradient that comes in at each state from above: zeros at all steps but the last where
        only the last state is used.
    x : array_like of shape (B, T, I)
        The input of the forward pass.
    h : array_like of shape (B, T, H)
        What it returned.
    U, W, h0, activation, lengths
        As in the forward pass.

    Returns
    -------
    RNNGradients
        By name: ``dx``, ``dU``, ``dW``, ``db``, ``dh0`` of shape (B, H), and ``dh``, the whole
        gradient with respect to each state.

    Raises
    ------
    ValueError
        If the shapes do not fit one another.

    References
    ----------
    P. Werbos, Backpropagation Through Time: What It Does and How to Do It (1990); I. Goodfellow,
    Y. Bengio, A. Courville, Deep Learning (2016), section 10.2.2.

    Examples
    --------
    The gradient of the last state, of which each step back halves it:

    >>> x, U, W, b = [[[8.0], [1.0], [1.0]]], [[1.0]], [[0.5]], [0.0]
    >>> h = rnn(x, U, W, b, activation="relu")
    >>> gradients = rnn_backward([[[0.0], [0.0], [1.0]]], x, h, U, W, activation="relu")
    >>> gradients.dh[0, :, 0]
    array([0.25, 0.5 , 1.  ])
    >>> gradients.dW                            # h_1 + h_0 / 2
    array([[9.]])
    """
    owner = "rnn_backward"
    _, slope, _ = _known(activation, owner)
    dh, x, h, U, W = (float64(array) for array in (dh, x, h, U, W))
    x, lengths = sequences(owner, x, lengths)
    _require_weights(owner, x.shape[2], U, W)
    shape = (*x.shape[:2], len(W))
    require_shape("h", owner, h, shape, "It is what rnn returned.")
    require_shape("dh", owner, dh, shape, "It is of the shape of h.")
    h0 = require_states("h0", owner, h0, len(x), len(W))
    whole, dx = np.zeros(shape), np.zeros(x.shape)
    dU, dW, db = np.zeros(U.shape), np.zeros(W.shape), np.zeros(len(W))
    back = np.zeros(h0.shape)  # dL/dh_t from all later steps
    for t in reversed(range(x.shape[1])):
        there = inside(t, lengths)
        before = h[:, t - 1] if t else h0
        whole[:, t] = np.where(there, dh[:, t] + back, 0)
        # h_t = f(z_t)
        dz = whole[:, t] * np.where(there, slope(h[:, t]), 0)
        # z_t = x_t U + h_{t-1} W + b
        dx[:, t] = dz @ U.T
        dU += np.where(there, x[:, t], 0).T @ dz
        dW += before.T @ dz
        db += dz.sum(axis=0)
        back = np.where(there, dz @ W.T, back)
    return RNNGradients(dx, dU, dW, db, back, whole)


def rnn_output(h: ArrayLike, V: ArrayLike, activation: str = "identity") -> Float64Array:
    """What a recurrent network says at each step.

    Formula: ``o_t = g(h_t V)``, the same V at every step

    Parameters
    ----------
    h : array_like of shape (..., H)
        States.
    V : array_like of shape (H, K)
        Weights from state to output.
    activation : {"identity", "sigmoid", "tanh", "relu", "softmax"}, default="identity"
        g.

    Returns
    -------
    o : float64 array of shape (..., K)
        The outputs.

    Raises
    ------
    ValueError
        If the shapes do not fit one another, or the activation is not known.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, Deep Learning (2016), section 10.2.

    Examples
    --------
    >>> rnn_output([[[1.0, 2.0]]], V=[[3.0], [4.0]])
    array([[[11.]]])
    """
    owner = "rnn_output"
    h, V = float64(h), float64(V)
    require_shape("V", owner, V, (h.shape[-1], "K"), "It has one row for each number of a state.")
    z = h @ V
    if activation == "softmax":
        return softmax(z)
    if activation == "identity":
        return z
    return _known(activation, owner, ("identity", "softmax"))[0](z)


def bptt(
    dL_do: ArrayLike,
    x: ArrayLike,
    U: ArrayLike,
    W: ArrayLike,
    b: ArrayLike | None,
    V: ArrayLike,
    h0: ArrayLike | None = None,
    activation: str = "tanh",
    output: str = "identity",
) -> BPTT:
    """The gradient of the last step's loss for W, as the sum in which textbooks write it.

    Formula: ``dL_t/dW = sum over i = 1..t of dL_t/do_t do_t/dh_t dh_t/dh_i dh_i/dW`` with
    ``dh_t/dh_i`` the product over j = i+1..t of ``dh_j/dh_{j-1} = diag(f'(z_j)) W^T``

    All factors are Jacobians of one sequence: entry [a, b] is the derivative of number a of what
    stands above with respect to number b of what stands below.

    Parameters
    ----------
    dL_do : array_like of shape (K,)
        The gradient of the loss of step t with respect to the output of step t.
    x : array_like of shape (t, I)
        One sequence up to step t.
    U, W, b, V : array_like of shape (I, H), (H, H), (H,), (H, K)
        As in :func:`rnn_step` and :func:`rnn_output`; b may be None.
    h0 : array_like of shape (H,), optional
        The state before the first step; zeros if left out.
    activation, output : str
        f and g.

    Returns
    -------
    BPTT
        By name: ``dL_do`` (K,); ``do_dh`` (K, H); ``steps`` (t - 1, H, H), where ``steps[j]`` is
        the one-step factor ``dh_{j+2}/dh_{j+1}``; ``dh_dh`` (t, H, H), where ``dh_dh[i]`` is
        ``dh_t/dh_{i+1}``; ``dh_dW`` (t, H, H, H), the derivative of each state with respect to the
        W of its own step alone; ``terms`` (t, H, H), the summands; ``dW`` (H, H), their sum.

    Raises
    ------
    ValueError
        If the shapes do not fit one another.

    References
    ----------
    R. Pascanu, T. Mikolov, Y. Bengio, On the difficulty of training Recurrent Neural Networks
    (2013), equations 3 to 5.

    Examples
    --------
    >>> factors = bptt([1.0], [[8.0], [1.0], [1.0]], [[1.0]], [[0.5]], [0.0], [[1.0]],
    ...                activation="relu")
    >>> factors.dh_dh[:, 0, 0]
    array([0.25, 0.5 , 1.  ])
    >>> factors.terms[:, 0, 0]                  # each step's share of dW
    array([0., 4., 5.])
    """
    owner = "bptt"
    _, slope, _ = _known(activation, owner)
    dL_do, x, U, W, V = (float64(array) for array in (dL_do, x, U, W, V))
    require_shape("x", owner, x, ("t", "I"))
    if not len(x):
        raise ValueError("x of bptt must have at least one step. Got none.")
    h = rnn(x[None], U, W, b, None if h0 is None else float64(h0)[None], activation)[0]
    o = rnn_output(h[-1], V, output)
    require_shape("dL_do", owner, dL_do, o.shape, "It is of the shape of the output.")
    states, t = len(W), len(x)
    # o = g(h V)
    if output == "softmax":
        do_dz = softmax_jacobian(h[-1] @ V)
    elif output == "identity":
        do_dz = np.eye(len(o))
    else:
        do_dz = np.diag(_known(output, owner)[1](o))
    do_dh = do_dz @ V.T
    # h_j = f(x_j U + h_{j-1} W + b)
    slopes = slope(h)
    steps = np.stack([np.diag(step) @ W.T for step in slopes[1:]]) if t > 1 else _no_steps(states)
    dh_dh = np.empty((t, states, states))
    dh_dh[-1] = np.eye(states)
    for i in reversed(range(t - 1)):
        dh_dh[i] = dh_dh[i + 1] @ steps[i]
    before = np.vstack([np.zeros(states) if h0 is None else float64(h0), h[:-1]])
    # number a of h_i sees W[k, a] alone, through number k of h_{i-1}
    dh_dW = np.einsum("ia,ik,ab->iakb", slopes, before, np.eye(states))
    terms = np.einsum("o,oh,ihs,iskb->ikb", dL_do, do_dh, dh_dh, dh_dW)
    return BPTT(dL_do, do_dh, steps, dh_dh, dh_dW, terms, terms.sum(axis=0))


def gradient_factors(h: ArrayLike, W: ArrayLike, activation: str = "tanh") -> GradientFactors:
    """How the product of one-step factors decays or grows, and by what it is bounded.

    Formula: ``|dh_T/dh_t| <= product of |diag(f'(z_j)) W^T| <= (max f' |W|)^(T - t)``, where
    ``| |`` is the largest singular value. Of a sigmoid ``f' = f (1 - f)`` lies in (0, 1/4], so a
    gradient fades wherever ``|W| < 4``; of tanh and ReLU f' is at most 1.

    Parameters
    ----------
    h : array_like of shape (T, H)
        The states of one sequence.
    W : array_like of shape (H, H)
        Weights from state to state.
    activation : {"tanh", "sigmoid", "relu"}, default="tanh"
        f.

    Returns
    -------
    GradientFactors
        By name: ``slopes`` (T, H), f' at every step; ``largest_slope``, what f' is at most;
        ``step_norm`` (T - 1,), the largest singular value of each one-step factor; ``step_bound``,
        what that is at most; ``product_norm`` (T,), the largest singular value of ``dh_T/dh_t``
        for each t; ``product_bound`` (T,), what that is at most.

    Raises
    ------
    ValueError
        If the shapes do not fit one another, or the activation is not known.

    References
    ----------
    Y. Bengio, P. Simard, P. Frasconi, Learning Long-Term Dependencies with Gradient Descent is
    Difficult (1994); R. Pascanu, T. Mikolov, Y. Bengio (2013), section 2.1.

    Examples
    --------
    >>> h = rnn([[[0.0]] * 4], U=[[1.0]], W=[[2.0]], b=[0.0], activation="sigmoid")[0]
    >>> factors = gradient_factors(h, W=[[2.0]], activation="sigmoid")
    >>> factors.largest_slope, factors.step_bound
    (0.25, 0.5)
    >>> factors.product_bound
    array([0.125, 0.25 , 0.5  , 1.   ])
    >>> bool((factors.product_norm <= factors.product_bound).all())
    True
    """
    owner = "gradient_factors"
    _, slope, largest = _known(activation, owner)
    h, W = float64(h), float64(W)
    require_shape("h", owner, h, ("T", "H"))
    states = h.shape[1]
    require_shape("W", owner, W, (states, states), "It leads from state to state.")
    slopes = slope(h)
    # h_j = f(x_j U + h_{j-1} W + b)
    steps = [np.diag(step) @ W.T for step in slopes[1:]]
    product, norms = np.eye(states), [1.0]
    for step in reversed(steps):
        product = product @ step
        norms.append(_norm(product))
    bound = largest * _norm(W)
    powers = np.arange(len(h))[::-1]
    return GradientFactors(
        slopes,
        largest,
        np.array([_norm(step) for step in steps]),
        bound,
        np.array(norms[::-1]),
        np.asarray(bound**powers, dtype=np.float64),
    )


def reverse_steps(x: ArrayLike, lengths: ArrayLike | None = None) -> Float64Array:
    """Each sequence turned round: what a layer sees that goes from the end to the beginning.

    Formula: ``y_t = x_{T+1-t}``, with T the sequence's own length

    Parameters
    ----------
    x : array_like of shape (B, T, I)
        B sequences of T steps.
    lengths : array_like of shape (B,), optional
        The steps that each has, where they are not T.

    Returns
    -------
    y : float64 array of shape (B, T, I)
        Turned round; zeros behind a sequence's end.

    Raises
    ------
    ValueError
        If a length is not between 0 and T.

    References
    ----------
    M. Schuster, K. Paliwal, Bidirectional Recurrent Neural Networks (1997).

    Examples
    --------
    >>> reverse_steps([[[1.0], [2.0], [3.0]], [[4.0], [5.0], [9.0]]], lengths=[3, 2])[..., 0]
    array([[3., 2., 1.],
           [5., 4., 0.]])
    """
    x, lengths = sequences("reverse_steps", float64(x), lengths)
    y = np.zeros(x.shape)
    for row, (sequence, length) in enumerate(zip(x, lengths, strict=True)):
        y[row, :length] = sequence[:length][::-1]
    return y


def _known(activation: str, owner: str, more: tuple[str, ...] = ()) -> _State:
    """What belongs to an activation; `more` are names that were looked for before."""
    if activation not in _STATE:
        names = ", ".join(map(repr, (*_STATE, *more)))
        raise ValueError(f"activation of {owner} must be one of {names}. Got {activation!r}.")
    return _STATE[activation]


def _require_weights(
    owner: str, inputs: int, U: Float64Array, W: Float64Array, b: ArrayLike | None = None
) -> Float64Array:
    """The bias, zeros where there is none."""
    require_shape("U", owner, U, (inputs, "H"), "It has one row for each feature of x.")
    states = U.shape[1]
    require_shape("W", owner, W, (states, states), "It leads from state to state.")
    return require_bias("b", owner, b, states, "It has one entry for each number of a state.")


def _no_steps(states: int) -> Float64Array:
    return np.zeros((0, states, states))


def _norm(matrix: Float64Array) -> float:
    """The largest singular value."""
    return float(np.linalg.norm(matrix, 2))
