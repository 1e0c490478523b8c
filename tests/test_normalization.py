"""Batch normalisation: the formula against differences and torch, the layer against it."""

import numpy as np
import pytest
from finite_differences import assert_gradient
from helpers import DTYPES, SIZES, assert_close

from pellucid import Network, formulas
from pellucid.layers import BatchNorm, Conv1d, Conv2d, Flatten, Linear


def operands(*shape, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(2, 3, size=shape), rng.normal(size=shape[-1]), rng.normal(size=shape[-1])


@pytest.mark.parametrize("shape", ((5, 3), (4, 6, 2), (2, 3, 4, 5)))
def test_gradients_agree_with_differences(shape):
    x, gamma, beta = operands(*shape)
    dy = np.random.default_rng(1).normal(size=shape)
    forward = formulas.batch_normalization_training(x, gamma, beta)
    found = formulas.batch_normalization_backward(dy, forward.xhat, forward.std, gamma)

    def value(x, gamma, beta):
        return (formulas.batch_normalization_training(x, gamma, beta).y * dy).sum()

    assert_gradient(lambda t: value(t, gamma, beta), found.dx, x)
    assert_gradient(lambda t: value(x, t, beta), found.dgamma, gamma)
    assert_gradient(lambda t: value(x, gamma, t), found.dbeta, beta)


def test_formula_equals_torch():
    torch = pytest.importorskip("torch")
    x, gamma, beta = operands(4, 5, 6, 3)
    layer = torch.nn.BatchNorm2d(3, dtype=torch.float64)
    with torch.no_grad():
        layer.weight[:], layer.bias[:] = torch.tensor(gamma), torch.tensor(beta)
    X = torch.tensor(x).permute(0, 3, 1, 2)
    found = formulas.batch_normalization_training(x, gamma, beta)
    theirs = layer(X).detach().permute(0, 2, 3, 1).numpy()
    np.testing.assert_allclose(found.y, theirs, atol=1e-12)
    layer.eval()
    mean, variance = layer.running_mean.numpy(), layer.running_var.numpy()
    used = formulas.batch_normalization(x, gamma, beta, mean, variance)
    np.testing.assert_allclose(used, layer(X).detach().permute(0, 2, 3, 1).numpy(), atol=1e-12)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", SIZES)
def test_layer_equals_formula(channels, dtype):
    x = operands(6, 3, 4, 2)[0].astype(dtype)
    network = Network([Conv2d(channels, 1), BatchNorm(), Flatten()]).build((3, 4, 2), dtype, 1)
    rng = np.random.default_rng(2)
    gamma, beta = rng.normal(size=(2, channels)).astype(dtype)
    network.set_parameters({"1.gamma": gamma, "1.beta": beta})
    p = network.parameters()
    h = formulas.convolution2d(x, p["0.weight"], p["0.bias"])
    found = network.gradients(x, np.zeros((6, 12 * channels)), "mean_squared_error")[1]
    forward = formulas.batch_normalization_training(h, gamma, beta)
    expected = formulas.batch_normalization_backward(
        forward.y / 6, forward.xhat, forward.std, gamma
    )
    assert_close(found["1.gamma"], expected.dgamma, dtype)
    assert_close(found["1.beta"], expected.dbeta, dtype)
    below = formulas.convolution2d_backward(expected.dx, x, p["0.weight"])
    assert_close(found["0.weight"], below.dW, dtype)
    after = network.parameters()  # a tenth of the way to what this batch had
    assert_close(after["1.running_mean"], 0.1 * forward.mean, dtype)
    assert_close(after["1.running_variance"], 0.9 + 0.1 * forward.variance, dtype)
    used = formulas.batch_normalization(
        h, gamma, beta, after["1.running_mean"], after["1.running_variance"]
    )
    assert_close(network.forward(x), used.reshape(6, -1), dtype)


def test_rows_of_numbers_are_normalised_too():
    x = operands(9, 5)[0]
    network = Network([BatchNorm(), Linear(2)]).build(5, "float64", 0)
    loss, found = network.gradients(x, np.zeros((9, 2)), "mean_squared_error")
    p = network.parameters()
    forward = formulas.batch_normalization_training(x, p["0.gamma"], p["0.beta"])
    y = formulas.linear(forward.y, p["1.weight"], p["1.bias"])
    np.testing.assert_allclose(loss, formulas.mean_squared_error(y, np.zeros((9, 2))))
    expected = formulas.linear_backward(y / 9, forward.y, p["1.weight"])
    dgamma = formulas.batch_normalization_backward(
        expected.dx, forward.xhat, forward.std, p["0.gamma"]
    ).dgamma
    assert_close(found["0.gamma"], dgamma, "float64")


def test_running_statistics_are_not_trained():
    network = Network([BatchNorm(), Linear(1)]).build(3)
    assert network.held.learning < network.values.size
    found = network.gradients(np.ones((4, 3)), np.zeros((4, 1)), "mean_squared_error")[1]
    assert not found["0.running_mean"].any() and not found["0.running_variance"].any()


def test_momentum_out_of_range_is_refused():
    with pytest.raises(ValueError, match=r"momentum of BatchNorm must be a number in \(0, 1\]"):
        BatchNorm(momentum=0)


def test_weight_two_is_the_row_twice():
    x, gamma, beta = operands(4, 6, 2)
    weight, rows = np.array([1.0, 2.0, 1.0, 3.0]), [0, 1, 1, 2, 3, 3, 3]
    weighted = formulas.batch_normalization_training(x, gamma, beta, weight=weight)
    repeated = formulas.batch_normalization_training(x[rows], gamma, beta)
    np.testing.assert_allclose(weighted.y[rows], repeated.y, atol=1e-12)
    dy = np.random.default_rng(1).normal(size=x.shape)

    def value(x):
        return (formulas.batch_normalization_training(x, gamma, beta, weight=weight).y * dy).sum()

    found = formulas.batch_normalization_backward(
        dy, weighted.xhat, weighted.std, gamma, weight=weight
    )
    assert_gradient(value, found.dx, x)


@pytest.mark.parametrize("dtype", DTYPES)
def test_layer_counts_rows_by_their_weights(dtype):
    x, weight = operands(5, 4, 2)[0].astype(dtype), np.array([1.0, 2.0, 1.0, 3.0, 0.5])
    network = Network([Conv1d(3, 1), BatchNorm(), Flatten()]).build((4, 2), dtype, 1)
    p = network.parameters()
    h = formulas.convolution1d(x, p["0.weight"], p["0.bias"])
    found = network.gradients(x, np.zeros((5, 12)), "mean_squared_error", weight)[1]
    forward = formulas.batch_normalization_training(h, p["1.gamma"], p["1.beta"], weight=weight)
    dy = forward.y * weight[:, None, None] / 5
    expected = formulas.batch_normalization_backward(
        dy, forward.xhat, forward.std, p["1.gamma"], weight
    )
    below = formulas.convolution1d_backward(expected.dx, x, p["0.weight"])
    assert_close(found["0.weight"], below.dW, dtype)
