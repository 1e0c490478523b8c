"""The GRU: gates and states of every step, forward and backward.

The weights lie side by side, each H columns wide, in the order reset gate, update gate, candidate.
Rows are sequences, so a step is ``x_t U`` where textbooks write ``U x_t``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from pellucid.formulas._arrays import Float64Array, float64, require_bias, require_shape
from pellucid.formulas._steps import inside, require_states, sequences
from pellucid.formulas.activations import sigmoid, tanh

__all__ = ["GRU", "GRUGradients", "gru", "gru_backward", "gru_step"]


class GRU(NamedTuple):
    """All that a GRU computes: of one step (B, H) each, or of all (B, T, H).

    ``s`` is what the reset gate works on: ``h_{t-1} W_n + b_hn``, or without `reset_after`
    ``h_{t-1}``.
    """

    r: Float64Array
    z: Float64Array
    n: Float64Array
    s: Float64Array
    h: Float64Array


class GRUGradients(NamedTuple):
    """The gradients of a GRU, each of the shape of what it belongs to.

    ``db_hn`` is zeros without `reset_after`; ``dh`` (B, T, H) is the whole gradient with respect
    to each state.
    """

    dx: Float64Array
    dU: Float64Array
    dW: Float64Array
    db: Float64Array
    db_hn: Float64Array
    dh0: Float64Array
    dh: Float64Array


def gru_step(
    x: ArrayLike,
    h_before: ArrayLike,
    U: ArrayLike,
    W: ArrayLike,
    b: ArrayLike | None = None,
    b_hn: ArrayLike | None = None,
    reset_after: bool = True,
) -> GRU:
    """One step: reset, candidate, update.

    Formula: reset gate ``r = s(x_t U_r + h_{t-1} W_r + b_r)``, update gate
    ``z = s(x_t U_z + h_{t-1} W_z + b_z)``, candidate
    ``n = tanh(x_t U_n + b_n + r (h_{t-1} W_n + b_hn))``, state ``h_t = (1 - z) n + z h_{t-1}``;
    without `reset_after` ``n = tanh(x_t U_n + b_n + (r h_{t-1}) W_n)``

    Parameters
    ----------
    x : array_like of shape (B, I)
        The input of this step.
    h_before : array_like of shape (B, H)
        The state of the step before.
    U, W, b : array_like of shape (I, 3 H), (H, 3 H), (3 H,)
        Weights of the input and of the state, and the bias: columns for r, z, n. b may be left
        out.
    b_hn : array_like of shape (H,), optional
        The bias inside the reset; zeros if left out.
    reset_after : bool, default=True
        Whether the reset gate works behind the candidate's weights, as cuDNN and PyTorch have it,
        or before them, as the first paper.

    Returns
    -------
    GRU
        By name: ``r``, ``z``, ``n``, ``s`` and ``h`` of shape (B, H).

    Raises
    ------
    ValueError
        If the shapes do not fit one another.

    References
    ----------
    K. Cho et al., Learning Phrase Representations using RNN Encoder-Decoder (2014), without
    `reset_after`.

    Examples
    --------
    An update gate of nearly 1 keeps the state:

    >>> step = gru_step(x=[[1.0]], h_before=[[0.5]], U=[[0, 0, 1]], W=[[0, 0, 0]], b=[0, 50, 0])
    >>> step.h.round(6)
    array([[0.5]])

    Without a bias, and with weights of 0, both gates are half open:

    >>> step = gru_step(x=[[1.0]], h_before=[[0.5]], U=[[0, 0, 0]], W=[[0, 0, 0]])
    >>> step.z, step.h
    (array([[0.5]]), array([[0.25]]))
    """
    owner = "gru_step"
    x, h_before, U, W = (float64(array) for array in (x, h_before, U, W))
    require_shape("x", owner, x, ("B", "I"))
    b, b_hn = _require_weights(owner, x.shape[1], U, W, b, b_hn)
    require_shape("h_before", owner, h_before, (len(x), len(W)), "It is the state of each row.")
    (W_r, W_z, W_n), (x_r, x_z, x_n) = np.split(W, 3, axis=1), np.split(x @ U + b, 3, axis=1)
    r = sigmoid(x_r + h_before @ W_r)  # what to keep of the state in the candidate
    z = sigmoid(x_z + h_before @ W_z)  # what to keep of the state
    if reset_after:
        s = h_before @ W_n + b_hn
        n = tanh(x_n + r * s)
    else:
        s = h_before
        n = tanh(x_n + (r * s) @ W_n)
    h = (1 - z) * n + z * h_before
    return GRU(r, z, n, s, h)


def gru(
    x: ArrayLike,
    U: ArrayLike,
    W: ArrayLike,
    b: ArrayLike | None = None,
    b_hn: ArrayLike | None = None,
    h0: ArrayLike | None = None,
    lengths: ArrayLike | None = None,
    reset_after: bool = True,
) -> GRU:
    """All gates and states of all steps.

    Formula: that of :func:`gru_step` for t = 1, ..., T; the same U, W and b at every step

    Parameters
    ----------
    x : array_like of shape (B, T, I)
        B sequences of T steps.
    U, W, b : array_like of shape (I, 3 H), (H, 3 H), (3 H,)
        As in :func:`gru_step`; b may be left out.
    b_hn : array_like of shape (H,), optional
        The bias inside the reset; zeros if left out.
    h0 : array_like of shape (B, H), optional
        The state before the first step; zeros if left out.
    lengths : array_like of shape (B,), optional
        The steps that each sequence has, where they are not T.
    reset_after : bool, default=True
        As in :func:`gru_step`.

    Returns
    -------
    GRU
        By name: ``r``, ``z``, ``n``, ``s`` and ``h`` of shape (B, T, H); zeros behind a
        sequence's end.

    Raises
    ------
    ValueError
        If the shapes do not fit one another, or a length is not between 0 and T.

    References
    ----------
    K. Cho et al., Learning Phrase Representations using RNN Encoder-Decoder (2014).

    Examples
    --------
    >>> forward = gru(np.ones((2, 5, 3)), np.ones((3, 12)), np.ones((4, 12)))
    >>> forward.h.shape
    (2, 5, 4)
    """
    owner = "gru"
    x, U, W = (float64(array) for array in (x, U, W))
    x, lengths = sequences(owner, x, lengths)
    b, b_hn = _require_weights(owner, x.shape[2], U, W, b, b_hn)
    h = require_states("h0", owner, h0, len(x), len(W))
    forward = GRU(*(np.zeros((*x.shape[:2], len(W))) for _ in GRU._fields))
    for t in range(x.shape[1]):
        there = inside(t, lengths)
        step = gru_step(x[:, t], h, U, W, b, b_hn, reset_after)
        for all_steps, this_step in zip(forward, step, strict=True):
            all_steps[:, t] = np.where(there, this_step, 0)
        h = np.where(there, step.h, h)
    return forward


def gru_backward(
    dh: ArrayLike,
    forward: GRU,
    x: ArrayLike,
    U: ArrayLike,
    W: ArrayLike,
    h0: ArrayLike | None = None,
    lengths: ArrayLike | None = None,
    reset_after: bool = True,
) -> GRUGradients:
    """Backpropagation through time: the gradients of :func:`gru`.

    Formula: going back from t = T, with d the gradient before each gate's activation,
    ``d_n = dh_t (1 - z) (1 - n^2)``, ``d_z = dh_t (h_{t-1} - n) z (1 - z)``,
    ``d_r = d_n s r (1 - r)``, ``dh_{t-1} += dh_t z + d_r W_r^T + d_z W_z^T + (d_n r) W_n^T``,
    ``dx_t = [d_r, d_z, d_n] U^T``; without `reset_after` ``d_r = (d_n W_n^T) s r (1 - r)`` and the
    last summand is ``(d_n W_n^T) r``

    Parameters
    ----------
    dh : array_like of shape (B, T, H)
        The gradient that comes in at each state from above.
    forward : GRU
        What :func:`gru` returned.
    x, U, W, h0, lengths, reset_after
        As in the forward pass.

    Returns
    -------
    GRUGradients
        By name: ``dx``, ``dU``, ``dW``, ``db``, ``db_hn`` and ``dh0``; ``dh``, the whole gradient
        with respect to each state.

    Raises
    ------
    ValueError
        If the shapes do not fit one another.

    References
    ----------
    K. Cho et al. (2014), differentiated.

    Examples
    --------
    >>> x, U, W, b = np.zeros((1, 3, 1)), np.zeros((1, 3)), np.zeros((1, 3)), [0.0, 1.0, 0.0]
    >>> forward = gru(x, U, W, b)
    >>> gradients = gru_backward([[[0.0], [0.0], [1.0]]], forward, x, U, W)
    >>> bool((gradients.dh[0, :-1] / gradients.dh[0, 1:] == forward.z[0, 1:]).all())
    True
    """
    owner = "gru_backward"
    dh, x, U, W = (float64(array) for array in (dh, x, U, W))
    x, lengths = sequences(owner, x, lengths)
    _require_weights(owner, x.shape[2], U, W)
    shape = (*x.shape[:2], len(W))
    for name, array in zip(GRU._fields, forward, strict=True):
        require_shape(f"forward.{name}", owner, array, shape, "It is what gru returned.")
    require_shape("dh", owner, dh, shape, "It is of the shape of h.")
    h0 = require_states("h0", owner, h0, len(x), len(W))
    W_r, W_z, W_n = np.split(W, 3, axis=1)
    whole, dx = np.zeros(shape), np.zeros(x.shape)
    dU, dW, db, db_hn = np.zeros(U.shape), np.zeros(W.shape), np.zeros(W.shape[1]), np.zeros(len(W))
    back = np.zeros(h0.shape)  # dL/dh_t from all later steps
    for t in reversed(range(x.shape[1])):
        there = inside(t, lengths)
        r, z, n, s, _ = (array[:, t] for array in forward)
        h_before = forward.h[:, t - 1] if t else h0
        whole[:, t] = dh_t = np.where(there, dh[:, t] + back, 0)
        # h_t = (1 - z) n + z h_{t-1}
        d_n = dh_t * (1 - z) * (1 - n * n)
        d_z = dh_t * (h_before - n) * z * (1 - z)
        if reset_after:
            # n = tanh(x U_n + b_n + r s), s = h_{t-1} W_n + b_hn
            d_s = d_n * r
            d_r = d_n * s * r * (1 - r)
            dW_n, to_state = h_before.T @ d_s, d_s @ W_n.T
            db_hn += d_s.sum(axis=0)
        else:
            # n = tanh(x U_n + b_n + (r s) W_n), s = h_{t-1}
            d_rs = d_n @ W_n.T
            d_r = d_rs * s * r * (1 - r)
            dW_n, to_state = (r * s).T @ d_n, d_rs * r
        # r, z = s(x U + h_{t-1} W + b)
        d = np.hstack([d_r, d_z, d_n])
        dx[:, t] = d @ U.T
        dU += np.where(there, x[:, t], 0).T @ d
        dW += np.hstack([h_before.T @ d_r, h_before.T @ d_z, dW_n])
        db += d.sum(axis=0)
        to_before = dh_t * z + d_r @ W_r.T + d_z @ W_z.T + to_state
        back = np.where(there, to_before, back)
    return GRUGradients(dx, dU, dW, db, db_hn, back, whole)


def _require_weights(
    owner: str,
    inputs: int,
    U: Float64Array,
    W: Float64Array,
    b: ArrayLike | None = None,
    b_hn: ArrayLike | None = None,
) -> tuple[Float64Array, Float64Array]:
    """The bias, and that inside the reset; zeros where there is none."""
    require_shape("W", owner, W, ("H", "3 H"), "It leads from the state to both gates and n.")
    states = len(W)
    require_shape(
        "W", owner, W, (states, 3 * states), "It leads from the state to both gates and n."
    )
    require_shape("U", owner, U, (inputs, 3 * states), "It has one row for each feature of x.")
    way_out = "It has one entry for each number of a state."
    return (
        require_bias("b", owner, b, 3 * states, "It has one entry for each gate and state."),
        require_bias("b_hn", owner, b_hn, states, way_out),
    )
