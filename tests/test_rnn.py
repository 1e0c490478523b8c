"""The plain recurrent network: formulas against differences and torch, the layer against them."""

from functools import partial

import numpy as np
import pytest
from finite_differences import assert_gradient
from helpers import DTYPES
from recurrences import LENGTHS, assert_layer_equals_formula, rnn_back, rnn_states, weights

from pellucid import formulas
from pellucid.layers import RNN

ACTIVATIONS = ("tanh", "sigmoid", "relu")


def operands(rows=3, steps=5, inputs=2, states=4, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, steps, inputs))
    return x, *weights(rng, inputs, states, 1), rng.normal(size=(rows, states))


@pytest.mark.parametrize("lengths", (None, LENGTHS))
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradients_agree_with_differences(activation, lengths):
    x, U, W, b, h0 = operands()
    h = formulas.rnn(x, U, W, b, h0, activation, lengths)
    dh = np.random.default_rng(1).normal(size=h.shape)
    found = formulas.rnn_backward(dh, x, h, U, W, h0, activation, lengths)

    def value(x=x, U=U, W=W, b=b, h0=h0):
        return (formulas.rnn(x, U, W, b, h0, activation, lengths) * dh).sum()

    assert_gradient(lambda each: value(x=each), found.dx, x)
    assert_gradient(lambda each: value(U=each), found.dU, U)
    assert_gradient(lambda each: value(W=each), found.dW, W)
    assert_gradient(lambda each: value(b=each), found.db, b)
    assert_gradient(lambda each: value(h0=each), found.dh0, h0)


def test_gradient_of_each_state_agrees_with_differences():
    """``dh`` is what a change of that state alone would do to all that comes after it."""
    x, U, W, b, _ = operands(rows=1)
    h = formulas.rnn(x, U, W, b)
    dh = np.random.default_rng(1).normal(size=h.shape)
    found = formulas.rnn_backward(dh, x, h, U, W).dh
    for t in range(5):

        def value(state, t=t):
            later = formulas.rnn(x[:, t + 1 :], U, W, b, state)
            return (state * dh[:, t]).sum() + (later * dh[:, t + 1 :]).sum()

        assert_gradient(value, found[:, t], h[:, t])


@pytest.mark.parametrize("output", ("identity", "sigmoid", "tanh", "softmax"))
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_each_factor_of_bptt_agrees_with_differences(activation, output):
    rng = np.random.default_rng(2)
    x, U, W, b, h0 = (each[0] if each.ndim == 3 else each for each in operands(rows=1))
    h0, V, dL_do = h0[0], rng.normal(size=(4, 3)), rng.normal(size=3)
    found = formulas.bptt(dL_do, x, U, W, b, V, h0, activation, output)
    h = formulas.rnn(x[None], U, W, b, h0[None], activation)[0]

    def out(state):
        return formulas.rnn_output(state, V, output)

    for number in range(3):
        assert_gradient(lambda state, a=number: out(state)[a], found.do_dh[number], h[-1])

    def go(state, first, last):
        """The state after the steps `first` to `last`."""
        if first == last:
            return state
        return formulas.rnn(x[None, first:last], U, W, b, state[None], activation)[0, -1]

    for a in range(4):
        for j in range(4):
            one_step = lambda state, a=a, j=j: go(state, j + 1, j + 2)[a]  # noqa: E731
            assert_gradient(one_step, found.steps[j, a], h[j])
        for i in range(5):
            whole = lambda state, a=a, i=i: go(state, i + 1, 5)[a]  # noqa: E731
            assert_gradient(whole, found.dh_dh[i, a], h[i])

            def own(W, a=a, i=i):
                before = h[i - 1] if i else h0
                return formulas.rnn_step(x[i][None], before[None], U, W, b, activation)[0, a]

            assert_gradient(own, found.dh_dW[i, a], W)

    def loss(W):
        last = formulas.rnn(x[None], U, W, b, h0[None], activation)[0, -1]
        return dL_do @ out(last)

    assert_gradient(loss, found.dW, W)
    np.testing.assert_allclose(found.terms.sum(axis=0), found.dW)
    np.testing.assert_array_equal(found.dL_do, dL_do)


def test_sum_of_bptt_is_what_backpropagation_gives():
    x, U, W, b, _ = operands(rows=1)
    V, dL_do = np.random.default_rng(3).normal(size=(4, 2)), np.array([1.0, -2.0])
    factors = formulas.bptt(dL_do, x[0], U, W, b, V)
    h = formulas.rnn(x, U, W, b)
    dh = np.zeros(h.shape)
    dh[0, -1] = V @ dL_do
    found = formulas.rnn_backward(dh, x, h, U, W)
    np.testing.assert_allclose(factors.dW, found.dW, atol=1e-12)
    chain = np.einsum("o,oh,ihs->is", factors.dL_do, factors.do_dh, factors.dh_dh)
    np.testing.assert_allclose(chain, found.dh[0], atol=1e-12)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_factors_stay_below_their_bounds(activation):
    x, U, W, b, _ = operands(rows=1, steps=30)
    h = formulas.rnn(x, U, W, b, activation=activation)[0]
    found = formulas.gradient_factors(h, W, activation)
    assert found.slopes.min() >= 0 and found.slopes.max() <= found.largest_slope
    assert (found.step_norm <= found.step_bound * (1 + 1e-12)).all()
    assert (found.product_norm <= found.product_bound * (1 + 1e-12)).all()
    expected = formulas.bptt([1.0], x[0], U, W, b, np.ones((4, 1)), activation=activation).dh_dh
    norms = [np.linalg.norm(each, 2) for each in expected]
    np.testing.assert_allclose(found.product_norm, norms)


def test_slope_of_a_sigmoid_is_at_most_a_quarter():
    h = formulas.sigmoid(np.linspace(-9, 9, 1001))[:, None]
    found = formulas.gradient_factors(h, [[1.0]], "sigmoid")
    assert found.largest_slope == 0.25
    assert 0 < found.slopes.min() and found.slopes.max() == 0.25  # at 0


def test_formula_equals_torch():
    torch = pytest.importorskip("torch")
    x, U, W, b, h0 = operands()
    layer = torch.nn.RNN(2, 4, batch_first=True, dtype=torch.float64)
    with torch.no_grad():
        layer.weight_ih_l0[:], layer.weight_hh_l0[:] = torch.tensor(U.T), torch.tensor(W.T)
        layer.bias_ih_l0[:], layer.bias_hh_l0[:] = torch.tensor(b), torch.zeros(4)
    theirs = layer(torch.tensor(x), torch.tensor(h0)[None])[0]
    np.testing.assert_allclose(formulas.rnn(x, U, W, b, h0), theirs.detach().numpy(), atol=1e-12)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("states", (1, 10, 33))
def test_layer_equals_formula(states, activation, dtype):
    assert_layer_equals_formula(
        partial(RNN, states, activation=activation),
        partial(rnn_states, activation=activation),
        partial(rnn_back, activation=activation),
        dtype,
    )


def test_unknown_activation_is_refused():
    with pytest.raises(ValueError, match="activation of RNN must be one of 'tanh', 'sigmoid', 'r"):
        RNN(4, activation="softplus")
    with pytest.raises(ValueError, match="activation of rnn_step must be one of"):
        formulas.rnn(np.ones((1, 2, 1)), [[1.0]], [[1.0]], [0.0], activation="softplus")


def test_length_out_of_range_is_refused():
    with pytest.raises(ValueError, match=r"lengths of rnn must be between 0 and 2.*Got 1 to 3"):
        formulas.rnn(np.ones((2, 2, 1)), [[1.0]], [[1.0]], [0.0], lengths=[1, 3])
