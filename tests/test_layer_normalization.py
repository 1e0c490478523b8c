"""Layer normalisation: the formula against differences and torch."""

import numpy as np
import pytest
from finite_differences import assert_gradient

from pellucid import formulas

# of x, and of gamma: flat rows, sequences, pictures; and more axes than the last
SHAPES = (
    ((5, 3), (3,)), ((7, 33), (33,)), ((4, 6, 2), (2,)), ((2, 3, 4, 5), (5,)),
    ((3, 6, 2), (6, 2)), ((2, 3, 4, 5), (3, 4, 5)), ((6,), (6,)), ((3, 4), (3, 4)),
)  # fmt: skip


def operands(shape, features, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(2, 3, size=shape), rng.normal(size=features), rng.normal(size=features)


@pytest.mark.parametrize(("shape", "features"), SHAPES)
def test_gradients_agree_with_differences(shape, features):
    x, gamma, beta = operands(shape, features)
    dy = np.random.default_rng(1).normal(size=shape)
    forward = formulas.layer_normalization(x, gamma, beta)
    gradients = formulas.layer_normalization_backward(dy, forward.xhat, forward.std, gamma)

    def value(x, gamma, beta):
        return (formulas.layer_normalization(x, gamma, beta).y * dy).sum()

    assert_gradient(lambda t: value(t, gamma, beta), gradients.dx, x)
    assert_gradient(lambda t: value(x, t, beta), gradients.dgamma, gamma)
    assert_gradient(lambda t: value(x, gamma, t), gradients.dbeta, beta)


@pytest.mark.parametrize(("shape", "features"), SHAPES)
def test_formula_equals_torch(shape, features):
    torch = pytest.importorskip("torch")
    x, gamma, beta = operands(shape, features)
    dy = np.random.default_rng(1).normal(size=shape)
    leaves = [torch.tensor(array, requires_grad=True) for array in (x, gamma, beta)]
    theirs = torch.nn.functional.layer_norm(leaves[0], features, *leaves[1:], eps=1e-3)
    theirs.backward(torch.tensor(dy))
    forward = formulas.layer_normalization(x, gamma, beta, eps=1e-3)
    np.testing.assert_allclose(forward.y, theirs.detach().numpy(), rtol=0, atol=1e-12)
    gradients = formulas.layer_normalization_backward(dy, forward.xhat, forward.std, gamma)
    for ours, leaf in zip(gradients, leaves, strict=True):
        np.testing.assert_allclose(ours, leaf.grad.numpy(), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("shape", "features"), SHAPES)
def test_rows_have_mean_zero_and_variance_one(shape, features):
    x, gamma, beta = operands(shape, features)
    forward = formulas.layer_normalization(x, gamma, beta, eps=0.0)
    axes = tuple(range(len(shape) - len(features), len(shape)))
    np.testing.assert_allclose(forward.xhat.mean(axis=axes), 0, atol=1e-14)
    np.testing.assert_allclose(forward.xhat.var(axis=axes), 1, rtol=1e-13)
    np.testing.assert_allclose(forward.mean, x.mean(axis=axes, keepdims=True))
    np.testing.assert_allclose(forward.variance, x.var(axis=axes, keepdims=True))


def test_scale_and_shift_of_a_row_change_nothing():
    x, gamma, beta = operands((5, 4, 9), (9,))
    rng = np.random.default_rng(1)
    scale, shift = rng.uniform(0.1, 10, size=(5, 4, 1)), rng.normal(0, 10, size=(5, 4, 1))
    y = formulas.layer_normalization(x, gamma, beta, eps=0.0).y
    moved = formulas.layer_normalization(scale * x + shift, gamma, beta, eps=0.0).y
    np.testing.assert_allclose(moved, y, rtol=0, atol=1e-11)


def test_a_row_does_not_see_the_others():
    x, gamma, beta = operands((7, 33), (33,))
    whole = formulas.layer_normalization(x, gamma, beta).y
    for row in range(7):
        alone = formulas.layer_normalization(x[[row]], gamma, beta).y
        np.testing.assert_array_equal(alone[0], whole[row])


def test_equal_numbers_become_beta():
    beta = np.array([1.0, 2.0, 3.0])
    forward = formulas.layer_normalization([[4.0, 4.0, 4.0]], np.ones(3), beta)
    np.testing.assert_array_equal(forward.y, beta[None])


@pytest.mark.parametrize(("shape", "features"), SHAPES)
def test_zero_gradient_in_gives_zero_out(shape, features):
    x, gamma, beta = operands(shape, features)
    forward = formulas.layer_normalization(x, gamma, beta)
    gradients = formulas.layer_normalization_backward(0 * x, forward.xhat, forward.std, gamma)
    for gradient in gradients:
        np.testing.assert_array_equal(gradient, np.zeros_like(gradient))


@pytest.mark.parametrize(
    ("call", "words"),
    (
        (
            lambda x: formulas.layer_normalization(x, np.ones(2), np.ones(2)),
            (
                r"^gamma of layer_normalization must be an array of shape \(3,\)\. Got \(2,\)\. "
                r"It has one entry for each feature of a row\.$"
            ),
        ),
        (
            lambda x: formulas.layer_normalization(x, 1.0, 0.0),
            (
                r"^gamma of layer_normalization must be an array of the shape of x or of its last "
                r"axes, \(2, 3\)\. Got \(\)\.$"
            ),
        ),
        (
            lambda x: formulas.layer_normalization(x, np.ones(3), np.ones((2, 3))),
            r"^beta of layer_normalization must be an array of shape \(3,\)\. Got \(2, 3\)\.",
        ),
        (
            lambda x: formulas.layer_normalization_backward(x, x, np.ones(2), np.ones(3)),
            r"^std of layer_normalization_backward must be an array of shape \(2, 1\)\. Got \(2,\)",
        ),
    ),
)
def test_wrong_shapes_are_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call(np.zeros((2, 3)))
