"""The LSTM: formula against differences and torch, the layer against the formula."""

from functools import partial

import numpy as np
import pytest
from finite_differences import assert_gradient
from helpers import DTYPES
from recurrences import LENGTHS, assert_layer_equals_formula, weights

from pellucid import Network, formulas
from pellucid.layers import LSTM


def operands(rows=3, steps=5, inputs=2, states=4, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, steps, inputs))
    return x, *weights(rng, inputs, states, 4), *rng.normal(size=(2, rows, states))


@pytest.mark.parametrize("lengths", (None, LENGTHS))
def test_gradients_agree_with_differences(lengths):
    x, U, W, b, h0, c0 = operands()
    forward = formulas.lstm(x, U, W, b, h0, c0, lengths)
    dh = np.random.default_rng(1).normal(size=forward.h.shape)
    found = formulas.lstm_backward(dh, forward, x, U, W, h0, c0, lengths)

    def value(x=x, U=U, W=W, b=b, h0=h0, c0=c0):
        return (formulas.lstm(x, U, W, b, h0, c0, lengths).h * dh).sum()

    assert_gradient(lambda each: value(x=each), found.dx, x)
    assert_gradient(lambda each: value(U=each), found.dU, U)
    assert_gradient(lambda each: value(W=each), found.dW, W)
    assert_gradient(lambda each: value(b=each), found.db, b)
    assert_gradient(lambda each: value(h0=each), found.dh0, h0)
    assert_gradient(lambda each: value(c0=each), found.dc0, c0)


def test_gradients_of_each_state_agree_with_differences():
    """``dh`` and ``dc`` are what a change of that state alone would do to all that comes after."""
    x, U, W, b, h0, c0 = operands(rows=1)
    forward = formulas.lstm(x, U, W, b, h0, c0)
    dh = np.random.default_rng(1).normal(size=forward.h.shape)
    found = formulas.lstm_backward(dh, forward, x, U, W, h0, c0)

    def later(t, h, c):
        return (formulas.lstm(x[:, t + 1 :], U, W, b, h, c).h * dh[:, t + 1 :]).sum()

    for t in range(5):
        h, c, o = forward.h[:, t], forward.c[:, t], forward.o[:, t]

        def of_h(state, t=t, c=c):
            return (state * dh[:, t]).sum() + later(t, state, c)

        def of_c(state, t=t, o=o):  # the cell shows itself in h, too
            shown = o * np.tanh(state)
            return (shown * dh[:, t]).sum() + later(t, shown, state)

        assert_gradient(of_h, found.dh[:, t], h)
        assert_gradient(of_c, found.dc[:, t], c)


def test_gates_are_between_their_bounds():
    x, U, W, b, h0, c0 = operands()
    found = formulas.lstm(x, U, W, b, h0, c0)
    for gate in (found.i, found.f, found.o):
        assert 0 < gate.min() and gate.max() < 1
    assert -1 < found.g.min() and found.g.max() < 1
    before = np.concatenate([c0[:, None], found.c[:, :-1]], axis=1)
    np.testing.assert_allclose(found.c, found.f * before + found.i * found.g)
    np.testing.assert_allclose(found.h, found.o * np.tanh(found.c))


def test_formula_equals_torch():
    torch = pytest.importorskip("torch")
    x, U, W, b, h0, c0 = operands()
    layer = torch.nn.LSTM(2, 4, batch_first=True, dtype=torch.float64)
    with torch.no_grad():
        layer.weight_ih_l0[:], layer.weight_hh_l0[:] = torch.tensor(U.T), torch.tensor(W.T)
        layer.bias_ih_l0[:], layer.bias_hh_l0[:] = torch.tensor(b), torch.zeros(16)
    theirs = layer(torch.tensor(x), (torch.tensor(h0)[None], torch.tensor(c0)[None]))[0]
    found = formulas.lstm(x, U, W, b, h0, c0).h
    np.testing.assert_allclose(found, theirs.detach().numpy(), atol=1e-12)


def states(x, p, lengths):
    return formulas.lstm(x, p["input_weight"], p["recurrent_weight"], p["bias"], lengths=lengths).h


def back(dh, x, p, lengths):
    U, W = p["input_weight"], p["recurrent_weight"]
    forward = formulas.lstm(x, U, W, p["bias"], lengths=lengths)
    found = formulas.lstm_backward(dh, forward, x, U, W, lengths=lengths)
    return found.dx, {"input_weight": found.dU, "recurrent_weight": found.dW, "bias": found.db}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", (1, 10, 33))
def test_layer_equals_formula(size, dtype):
    assert_layer_equals_formula(partial(LSTM, size), states, back, dtype)


def test_forget_gate_begins_open():
    p = Network([LSTM(3, bidirectional=True)]).build((4, 2), random_state=0).parameters()
    for name in ("0.bias", "0.reverse_bias"):
        np.testing.assert_array_equal(p[name], np.repeat([0, 1, 0, 0], 3))
    for gate in np.split(p["0.recurrent_weight"], 4, axis=1):
        np.testing.assert_allclose(gate @ gate.T, np.eye(3), atol=1e-6)
