"""Residual connections: the formula against differences and torch."""

import numpy as np
import pytest
from finite_differences import assert_gradient

from pellucid import formulas


def block(rng, inputs=4, hidden=5, outputs=4):
    """Weights of a branch of two linear layers, and of a shortcut where the sizes differ."""
    return {
        "first": rng.normal(size=(inputs, hidden)),
        "second": rng.normal(size=(hidden, outputs)),
        "shortcut": None if inputs == outputs else rng.normal(size=(inputs, outputs)),
    }


def forward(x, weights):
    h = formulas.tanh(x @ weights["first"])
    way = weights["shortcut"]
    return h, formulas.residual(h @ weights["second"], x if way is None else x @ way)


def backward(dy, x, h, weights):
    way = weights["shortcut"]
    dbranch = formulas.tanh_backward(dy @ weights["second"].T, h) @ weights["first"].T
    return formulas.residual_backward(dbranch, dy if way is None else dy @ way.T)


@pytest.mark.parametrize("outputs", (4, 7))
def test_gradient_agrees_with_differences(outputs):
    rng = np.random.default_rng(0)
    weights, x = block(rng, outputs=outputs), rng.normal(size=(3, 4))
    h, y = forward(x, weights)
    dy = rng.normal(size=y.shape)
    dx = backward(dy, x, h, weights)
    assert_gradient(lambda x: np.sum(dy * forward(x, weights)[1]), dx, x)


@pytest.mark.parametrize("outputs", (4, 7))
def test_formula_equals_torch(outputs):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(1)
    weights, x = block(rng, outputs=outputs), rng.normal(size=(3, 4))
    h, y = forward(x, weights)
    dy = rng.normal(size=y.shape)
    first, second = torch.tensor(weights["first"]), torch.tensor(weights["second"])
    X = torch.tensor(x, requires_grad=True)
    way = X if weights["shortcut"] is None else X @ torch.tensor(weights["shortcut"])
    theirs = torch.tanh(X @ first) @ second + way
    theirs.backward(torch.tensor(dy))
    np.testing.assert_allclose(y, theirs.detach().numpy(), rtol=0, atol=1e-13)
    np.testing.assert_allclose(backward(dy, x, h, weights), X.grad.numpy(), rtol=0, atol=1e-13)


def test_a_convolution_of_one_pixel_leads_around_a_block_that_halves_the_maps():
    """By differences in x, whose gradient comes from a branch with stride 2 and its shortcut."""
    rng = np.random.default_rng(2)
    x, b = rng.normal(size=(2, 5, 6, 3)), np.zeros(4)
    W, across = rng.normal(size=(3, 3, 3, 4)), rng.normal(size=(1, 1, 3, 4))

    def output(x):
        branch = formulas.convolution2d(x, W, b, stride=2, padding=1)
        return formulas.residual(branch, formulas.convolution2d(x, across, b, stride=2))

    dy = rng.normal(size=output(x).shape)
    dx = formulas.residual_backward(
        formulas.convolution2d_backward(dy, x, W, stride=2, padding=1).dx,
        formulas.convolution2d_backward(dy, x, across, stride=2).dx,
    )
    assert_gradient(lambda x: np.sum(dy * output(x)), dx, x)


def test_zero_gradient_in_gives_zero_out():
    rng = np.random.default_rng(3)
    weights, x = block(rng), rng.normal(size=(3, 4))
    h, y = forward(x, weights)
    np.testing.assert_array_equal(backward(0 * y, x, h, weights), np.zeros_like(x))


def test_shapes_that_differ_are_refused():
    words = r"^shortcut of residual must be an array of shape \(2, 3\)\. Got \(2, 1\)\. It is of"
    with pytest.raises(ValueError, match=words):  # NumPy would spread the column
        formulas.residual(np.zeros((2, 3)), np.zeros((2, 1)))
    words = r"^dshortcut of residual_backward must be an array of shape \(2, 3\)\. Got \(3,\)\."
    with pytest.raises(ValueError, match=words):
        formulas.residual_backward(np.zeros((2, 3)), np.zeros(3))
