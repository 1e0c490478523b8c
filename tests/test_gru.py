"""The GRU: formula against differences and torch, the layer against the formula."""

from functools import partial

import numpy as np
import pytest
from finite_differences import assert_gradient
from helpers import DTYPES
from recurrences import LENGTHS, assert_layer_equals_formula, weights

from pellucid import formulas
from pellucid.layers import GRU


def operands(rows=3, steps=5, inputs=2, states=4, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, steps, inputs))
    b_hn, h0 = rng.normal(size=states), rng.normal(size=(rows, states))
    return x, *weights(rng, inputs, states, 3), b_hn, h0


@pytest.mark.parametrize("reset_after", (True, False))
@pytest.mark.parametrize("lengths", (None, LENGTHS))
def test_gradients_agree_with_differences(lengths, reset_after):
    x, U, W, b, b_hn, h0 = operands()
    forward = formulas.gru(x, U, W, b, b_hn, h0, lengths, reset_after)
    dh = np.random.default_rng(1).normal(size=forward.h.shape)
    found = formulas.gru_backward(dh, forward, x, U, W, h0, lengths, reset_after)

    def value(x=x, U=U, W=W, b=b, b_hn=b_hn, h0=h0):
        return (formulas.gru(x, U, W, b, b_hn, h0, lengths, reset_after).h * dh).sum()

    assert_gradient(lambda each: value(x=each), found.dx, x)
    assert_gradient(lambda each: value(U=each), found.dU, U)
    assert_gradient(lambda each: value(W=each), found.dW, W)
    assert_gradient(lambda each: value(b=each), found.db, b)
    assert_gradient(lambda each: value(b_hn=each), found.db_hn, b_hn)
    assert_gradient(lambda each: value(h0=each), found.dh0, h0)


def test_gradient_of_each_state_agrees_with_differences():
    x, U, W, b, b_hn, h0 = operands(rows=1)
    forward = formulas.gru(x, U, W, b, b_hn, h0)
    dh = np.random.default_rng(1).normal(size=forward.h.shape)
    found = formulas.gru_backward(dh, forward, x, U, W, h0).dh
    for t in range(5):

        def value(state, t=t):
            later = formulas.gru(x[:, t + 1 :], U, W, b, b_hn, state).h
            return (state * dh[:, t]).sum() + (later * dh[:, t + 1 :]).sum()

        assert_gradient(value, found[:, t], forward.h[:, t])


def test_formula_equals_torch():
    torch = pytest.importorskip("torch")
    x, U, W, b, b_hn, h0 = operands()
    layer = torch.nn.GRU(2, 4, batch_first=True, dtype=torch.float64)
    with torch.no_grad():
        layer.weight_ih_l0[:], layer.weight_hh_l0[:] = torch.tensor(U.T), torch.tensor(W.T)
        layer.bias_ih_l0[:] = torch.tensor(b)
        layer.bias_hh_l0[:] = torch.tensor(np.concatenate([np.zeros(8), b_hn]))
    theirs = layer(torch.tensor(x), torch.tensor(h0)[None])[0]
    found = formulas.gru(x, U, W, b, b_hn, h0).h
    np.testing.assert_allclose(found, theirs.detach().numpy(), atol=1e-12)


def operands_of(p):
    """U, W, b and b_hn of a layer's parameters."""
    W = np.hstack([p["recurrent_weight"], p["candidate_weight"]])
    return p["input_weight"], W, p["bias"], p.get("candidate_bias")


def states(x, p, lengths, reset_after):
    return formulas.gru(x, *operands_of(p), lengths=lengths, reset_after=reset_after).h


def back(dh, x, p, lengths, reset_after):
    U, W, b, b_hn = operands_of(p)
    forward = formulas.gru(x, U, W, b, b_hn, None, lengths, reset_after)
    found = formulas.gru_backward(dh, forward, x, U, W, None, lengths, reset_after)
    size = len(W)
    gradients = {
        "input_weight": found.dU, "bias": found.db, "recurrent_weight": found.dW[:, : 2 * size],
        "candidate_weight": found.dW[:, 2 * size :],
    }  # fmt: skip
    return found.dx, gradients | ({"candidate_bias": found.db_hn} if reset_after else {})


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("reset_after", (True, False))
@pytest.mark.parametrize("size", (1, 10, 33))
def test_layer_equals_formula(size, reset_after, dtype):
    assert_layer_equals_formula(
        partial(GRU, size, reset_after=reset_after),
        partial(states, reset_after=reset_after),
        partial(back, reset_after=reset_after),
        dtype,
    )
