"""The LSTM: gates, cell state and hidden state of every step, forward and backward.

The gates' weights lie side by side, each H columns wide, in the order input gate, forget gate,
candidate, output gate. Rows are sequences, so a step is ``x_t U`` where textbooks write ``U x_t``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from pellucid.formulas._arrays import Float64Array, float64, require_bias, require_shape
from pellucid.formulas._steps import inside, require_states, sequences
from pellucid.formulas.activations import sigmoid, tanh

__all__ = ["LSTM", "LSTMGradients", "lstm", "lstm_backward", "lstm_step"]


class LSTM(NamedTuple):
    """All that an LSTM computes: of one step (B, H) each, or of all (B, T, H)."""

    i: Float64Array
    f: Float64Array
    g: Float64Array
    o: Float64Array
    c: Float64Array
    h: Float64Array


class LSTMGradients(NamedTuple):
    """The gradients of an LSTM, each of the shape of what it belongs to.

    ``dh`` and ``dc`` (B, T, H) are the whole gradients with respect to each hidden and cell state,
    from above and through time.
    """

    dx: Float64Array
    dU: Float64Array
    dW: Float64Array
    db: Float64Array
    dh0: Float64Array
    dc0: Float64Array
    dh: Float64Array
    dc: Float64Array


def lstm_step(
    x: ArrayLike,
    h_before: ArrayLike,
    c_before: ArrayLike,
    U: ArrayLike,
    W: ArrayLike,
    b: ArrayLike | None = None,
) -> LSTM:
    """One step: forget, let in, update the cell, put out.

    Formula: ``z = x_t U + h_{t-1} W + b`` in four parts; forget gate ``f = s(z_f)``, input gate
    ``i = s(z_i)``, candidate ``g = tanh(z_g)``, update of the cell state
    ``c_t = f c_{t-1} + i g``, output gate ``o = s(z_o)``, hidden state ``h_t = o tanh(c_t)``

    Parameters
    ----------
    x : array_like of shape (B, I)
        The input of this step.
    h_before, c_before : array_like of shape (B, H)
        Hidden and cell state of the step before.
    U, W, b : array_like of shape (I, 4 H), (H, 4 H), (4 H,)
        Weights of the input and of the state, and the bias: columns for i, f, g, o. b may be left
        out.

    Returns
    -------
    LSTM
        By name: ``i``, ``f``, ``g``, ``o``, ``c`` and ``h`` of shape (B, H).

    Raises
    ------
    ValueError
        If the shapes do not fit one another.

    References
    ----------
    S. Hochreiter, J. Schmidhuber, Long Short-Term Memory (1997); F. Gers, J. Schmidhuber,
    F. Cummins, Learning to Forget (2000), for the forget gate.

    Examples
    --------
    Gates wide open carry the cell state and add the candidate; here the input gate is shut:

    >>> step = lstm_step(x=[[1.0]], h_before=[[0.0]], c_before=[[0.5]], U=[[0, 0, 0, 0]],
    ...                  W=[[0, 0, 0, 0]], b=[-50.0, 50.0, 1.0, 50.0])
    >>> step.c.round(6), step.h.round(6)
    (array([[0.5]]), array([[0.462117]]))

    Without a bias, and with weights of 0, every gate is half open:

    >>> step = lstm_step(x=[[1.0]], h_before=[[0.0]], c_before=[[0.5]], U=[[0, 0, 0, 0]],
    ...                  W=[[0, 0, 0, 0]])
    >>> step.f, step.c
    (array([[0.5]]), array([[0.25]]))
    """
    owner = "lstm_step"
    x, h_before, c_before, U, W = (float64(array) for array in (x, h_before, c_before, U, W))
    require_shape("x", owner, x, ("B", "I"))
    b = _require_weights(owner, x.shape[1], U, W, b)
    for name, state in (("h_before", h_before), ("c_before", c_before)):
        require_shape(name, owner, state, (len(x), len(W)), "It is the state of each row.")
    z_i, z_f, z_g, z_o = np.split(x @ U + h_before @ W + b, 4, axis=1)
    f = sigmoid(z_f)  # what to keep of the cell
    i = sigmoid(z_i)  # what to let in
    g = tanh(z_g)  # the candidate
    c = f * c_before + i * g
    o = sigmoid(z_o)  # what to show of the cell
    h = o * tanh(c)
    return LSTM(i, f, g, o, c, h)


def lstm(
    x: ArrayLike,
    U: ArrayLike,
    W: ArrayLike,
    b: ArrayLike | None = None,
    h0: ArrayLike | None = None,
    c0: ArrayLike | None = None,
    lengths: ArrayLike | None = None,
) -> LSTM:
    """All gates and states of all steps.

    Formula: that of :func:`lstm_step` for t = 1, ..., T; the same U, W and b at every step

    Parameters
    ----------
    x : array_like of shape (B, T, I)
        B sequences of T steps.
    U, W, b : array_like of shape (I, 4 H), (H, 4 H), (4 H,)
        As in :func:`lstm_step`; b may be left out.
    h0, c0 : array_like of shape (B, H), optional
        The states before the first step; zeros if left out.
    lengths : array_like of shape (B,), optional
        The steps that each sequence has, where they are not T.

    Returns
    -------
    LSTM
        By name: ``i``, ``f``, ``g``, ``o``, ``c`` and ``h`` of shape (B, T, H); zeros behind a
        sequence's end.

    Raises
    ------
    ValueError
        If the shapes do not fit one another, or a length is not between 0 and T.

    References
    ----------
    F. Gers, J. Schmidhuber, F. Cummins, Learning to Forget (2000).

    Examples
    --------
    >>> forward = lstm(np.ones((2, 5, 3)), np.ones((3, 16)), np.ones((4, 16)))
    >>> forward.h.shape
    (2, 5, 4)
    >>> bool(((forward.f > 0) & (forward.f < 1)).all())
    True
    """
    owner = "lstm"
    x, U, W = (float64(array) for array in (x, U, W))
    x, lengths = sequences(owner, x, lengths)
    b = _require_weights(owner, x.shape[2], U, W, b)
    h = require_states("h0", owner, h0, len(x), len(W))
    c = require_states("c0", owner, c0, len(x), len(W))
    forward = LSTM(*(np.zeros((*x.shape[:2], len(W))) for _ in LSTM._fields))
    for t in range(x.shape[1]):
        there = inside(t, lengths)
        step = lstm_step(x[:, t], h, c, U, W, b)
        for all_steps, this_step in zip(forward, step, strict=True):
            all_steps[:, t] = np.where(there, this_step, 0)
        h, c = np.where(there, step.h, h), np.where(there, step.c, c)
    return forward


def lstm_backward(
    dh: ArrayLike,
    forward: LSTM,
    x: ArrayLike,
    U: ArrayLike,
    W: ArrayLike,
    h0: ArrayLike | None = None,
    c0: ArrayLike | None = None,
    lengths: ArrayLike | None = None,
) -> LSTMGradients:
    """Backpropagation through time: the gradients of :func:`lstm`.

    Formula: going back from t = T, ``dc_t += dh_t o_t (1 - tanh(c_t)^2)``,
    ``dz_o = dh_t tanh(c_t) o (1 - o)``, ``dz_i = dc_t g i (1 - i)``,
    ``dz_f = dc_t c_{t-1} f (1 - f)``, ``dz_g = dc_t i (1 - g^2)``, ``dc_{t-1} = dc_t f``,
    ``dh_{t-1} += dz W^T``, ``dx_t = dz U^T``; ``dU = sum_t x_t^T dz``,
    ``dW = sum_t h_{t-1}^T dz``, ``db = sum_t dz``

    Parameters
    ----------
    dh : array_like of shape (B, T, H)
        The gradient that comes in at each hidden state from above.
    forward : LSTM
        What :func:`lstm` returned.
    x, U, W, h0, c0, lengths
        As in the forward pass.

    Returns
    -------
    LSTMGradients
        By name: ``dx``, ``dU``, ``dW``, ``db``, ``dh0`` and ``dc0``; ``dh`` and ``dc``, the whole
        gradients with respect to each state.

    Raises
    ------
    ValueError
        If the shapes do not fit one another.

    References
    ----------
    A. Graves, Supervised Sequence Labelling with Recurrent Neural Networks (2012), section 4.6.

    Examples
    --------
    What the forget gate lets through is lost or kept, whatever the weights are:

    >>> x, U, W, b = np.zeros((1, 3, 1)), np.zeros((1, 4)), np.zeros((1, 4)), [0.0, 1.0, 0.5, 0.0]
    >>> forward = lstm(x, U, W, b)
    >>> gradients = lstm_backward([[[0.0], [0.0], [1.0]]], forward, x, U, W)
    >>> bool((gradients.dc[0, :-1] / gradients.dc[0, 1:] == forward.f[0, 1:]).all())
    True
    """
    owner = "lstm_backward"
    dh, x, U, W = (float64(array) for array in (dh, x, U, W))
    x, lengths = sequences(owner, x, lengths)
    _require_weights(owner, x.shape[2], U, W)
    shape = (*x.shape[:2], len(W))
    for name, array in zip(LSTM._fields, forward, strict=True):
        require_shape(f"forward.{name}", owner, array, shape, "It is what lstm returned.")
    require_shape("dh", owner, dh, shape, "It is of the shape of h.")
    h0 = require_states("h0", owner, h0, len(x), len(W))
    c0 = require_states("c0", owner, c0, len(x), len(W))
    whole_dh, whole_dc, dx = np.zeros(shape), np.zeros(shape), np.zeros(x.shape)
    dU, dW, db = np.zeros(U.shape), np.zeros(W.shape), np.zeros(W.shape[1])
    back_dh, back_dc = np.zeros(h0.shape), np.zeros(c0.shape)  # dL/dh_t, dL/dc_t from later steps
    for t in reversed(range(x.shape[1])):
        there = inside(t, lengths)
        i, f, g, o, c, _ = (array[:, t] for array in forward)
        h_before, c_before = (forward.h[:, t - 1], forward.c[:, t - 1]) if t else (h0, c0)
        dh_t = np.where(there, dh[:, t] + back_dh, 0)
        # h_t = o tanh(c_t)
        do = dh_t * tanh(c)
        dc_t = np.where(there, back_dc, 0) + dh_t * o * (1 - tanh(c) ** 2)
        # c_t = f c_{t-1} + i g
        df, di, dg = dc_t * c_before, dc_t * g, dc_t * i
        # i, f, o = s(z), g = tanh(z)
        dz = np.hstack([di * i * (1 - i), df * f * (1 - f), dg * (1 - g * g), do * o * (1 - o)])
        # z = x_t U + h_{t-1} W + b
        dx[:, t] = dz @ U.T
        dU += np.where(there, x[:, t], 0).T @ dz
        dW += h_before.T @ dz
        db += dz.sum(axis=0)
        whole_dh[:, t], whole_dc[:, t] = dh_t, dc_t
        back_dh = np.where(there, dz @ W.T, back_dh)
        back_dc = np.where(there, dc_t * f, back_dc)
    return LSTMGradients(dx, dU, dW, db, back_dh, back_dc, whole_dh, whole_dc)


def _require_weights(
    owner: str, inputs: int, U: Float64Array, W: Float64Array, b: ArrayLike | None = None
) -> Float64Array:
    """The bias, zeros where there is none."""
    require_shape("W", owner, W, ("H", "4 H"), "It leads from the state to the four gates.")
    states = len(W)
    require_shape("W", owner, W, (states, 4 * states), "It leads from the state to the four gates.")
    require_shape("U", owner, U, (inputs, 4 * states), "It has one row for each feature of x.")
    return require_bias("b", owner, b, 4 * states, "It has one entry for each gate and state.")
