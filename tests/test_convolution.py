"""Convolution: the formula against differences and torch, the kernels and layers against it."""

import itertools

import numpy as np
import pytest
from finite_differences import assert_gradient
from helpers import DTYPES, assert_close

from pellucid import Network, formulas
from pellucid.layers import Conv1d, Conv2d, Flatten, Linear

COMBINATIONS = list(itertools.product((1, 2, 3), (0, 1, 2), (1, 2, 3, 4, 5)))
CHANNELS = ((1, 3), (3, 16), (16, 33), (33, 1))


def operands(B, H, W, C, K, OC, stride, padding, seed=0):
    rng = np.random.default_rng(seed)
    x, weight, b = (
        rng.normal(size=(B, H, W, C)),
        rng.normal(size=(K, K, C, OC)),
        rng.normal(size=OC),
    )
    dy = rng.normal(size=formulas.convolution2d(x, weight, b, stride, padding).shape)
    return x, weight, b, dy


# -- the formula -------------------------------------------------------------------------------


@pytest.mark.parametrize(("stride", "padding", "kernel"), COMBINATIONS)
def test_gradients_agree_with_differences(stride, padding, kernel):
    x, W, b, dy = operands(2, 5, 6, 2, kernel, 3, stride, padding)
    found = formulas.convolution2d_backward(dy, x, W, stride, padding)

    def value(x, W, b):
        return (formulas.convolution2d(x, W, b, stride, padding) * dy).sum()

    for gradient, at, along in (
        (found.dx, x, lambda t: value(t, W, b)),
        (found.dW, W, lambda t: value(x, t, b)),
        (found.db, b, lambda t: value(x, W, t)),
    ):
        assert_gradient(along, gradient, at)


def test_one_channel_and_one_kernel_are_the_general_one():
    x, W, b, _ = operands(1, 7, 6, 4, 3, 2, 2, 1)
    whole = formulas.convolution2d(x, W, b, 2, 1)
    for o in range(2):
        one = formulas.convolution_one_kernel(x[0], W[..., o], b[o], 2, 1)
        np.testing.assert_allclose(one, whole[0, :, :, o], rtol=0, atol=1e-12)
    single = formulas.convolution_one_channel(x[0, :, :, 0], W[:, :, 0, 0], 0.0, 2, 1)
    alone = formulas.convolution2d(x[..., :1], W[:, :, :1, :1], [0.0], 2, 1)
    np.testing.assert_allclose(single, alone[0, :, :, 0], rtol=0, atol=1e-12)


@pytest.mark.parametrize(("stride", "padding"), list(itertools.product((1, 2, 3), (0, 1, 2))))
def test_formula_equals_torch(stride, padding):
    torch = pytest.importorskip("torch")
    x, W, b, dy = operands(2, 9, 8, 3, 3, 4, stride, padding)
    X = torch.tensor(x).permute(0, 3, 1, 2).contiguous().requires_grad_()
    kernels = torch.tensor(W).permute(3, 2, 0, 1).contiguous().requires_grad_()
    bias = torch.tensor(b, requires_grad=True)
    y = torch.nn.functional.conv2d(X, kernels, bias, stride, padding)
    y.backward(torch.tensor(dy).permute(0, 3, 1, 2))
    expected = formulas.convolution2d_backward(dy, x, W, stride, padding)
    for found, theirs in (
        (formulas.convolution2d(x, W, b, stride, padding), y.detach().permute(0, 2, 3, 1)),
        (expected.dx, X.grad.permute(0, 2, 3, 1)),
        (expected.dW, kernels.grad.permute(2, 3, 1, 0)),
        (expected.db, bias.grad),
    ):
        np.testing.assert_allclose(found, theirs.numpy(), rtol=0, atol=1e-11)


def test_same_padding_keeps_the_size_over_the_stride():
    for size, kernel, stride in itertools.product(range(1, 12), range(1, 6), range(1, 4)):
        before, after = formulas.same_padding(size, kernel, stride)
        assert 0 <= after - before <= 1
        found = formulas.output_size(size, kernel, stride, (before, after))
        assert found == -(-size // stride)


def test_a_kernel_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"kernel of output_size must be at most 4, the size with"):
        formulas.output_size(2, 5, padding=1)
    with pytest.raises(ValueError, match="W of convolution2d must be an array of shape"):
        formulas.convolution2d(np.zeros((1, 4, 4, 2)), np.zeros((3, 3, 1, 1)), [0.0])


# -- kernels and layers ------------------------------------------------------------------------


def built(layer, shape, dtype, B=3):
    """A network of one layer, and what the formula needs to know of it."""
    network = Network([layer, Flatten()]).build(shape, dtype, random_state=1)
    x = np.random.default_rng(0).normal(size=(B, *shape)).astype(dtype)
    return network, x, network.parameters()


def gradients(network, x):
    """Gradients of 1/(2m) sum y^2, whose gradient to y is y / m."""
    zeros = np.zeros((len(x), network.output_shape[0]))
    return network.gradients(x, zeros, "mean_squared_error")[1]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize("size", (1, 2, 3, 5))
def test_layer_equals_formula(size, channels, dtype):
    for stride, padding in itertools.product((1, 2, 3), (0, 1, 2, "same")):
        layer = Conv2d(channels[1], size, stride, padding)
        network, x, p = built(layer, (7, 9, channels[0]), dtype)
        windows = layer.windows((7, 9, channels[0]))
        y = formulas.convolution2d(x, p["0.weight"], p["0.bias"], stride, windows.padding)
        assert_close(network.forward(x), y.reshape(len(x), -1), dtype)
        expected = formulas.convolution2d_backward(
            y / len(x), x, p["0.weight"], stride, windows.padding
        )
        found = gradients(network, x)
        assert_close(found["0.weight"], expected.dW, dtype)
        assert_close(found["0.bias"], expected.db, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("stride", "padding", "size"), COMBINATIONS)
def test_gradient_of_the_input_equals_formula(stride, padding, size, dtype):
    """By the weights of a layer below, whose gradient is made of it."""
    below, layer = Conv2d(3, 1), Conv2d(17, size, stride, padding)
    network = Network([below, layer, Flatten()]).build((7, 6, 2), dtype, random_state=2)
    x = np.random.default_rng(1).normal(size=(2, 7, 6, 2)).astype(dtype)
    p = network.parameters()
    h = formulas.convolution2d(x, p["0.weight"], p["0.bias"])
    y = formulas.convolution2d(h, p["1.weight"], p["1.bias"], stride, padding)
    dh = formulas.convolution2d_backward(y / 2, h, p["1.weight"], stride, padding).dx
    expected = formulas.convolution2d_backward(dh, x, p["0.weight"])
    found = gradients(network, x)
    assert_close(found["0.weight"], expected.dW, dtype)
    assert_close(found["0.bias"], expected.db, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_signals_equal_formula(dtype):
    for stride, padding, size in COMBINATIONS:
        network, x, p = built(Conv1d(5, size, stride, padding), (11, 3), dtype)
        y = formulas.convolution1d(x, p["0.weight"], p["0.bias"], stride, padding)
        assert_close(network.forward(x), y.reshape(len(x), -1), dtype)
        expected = formulas.convolution1d_backward(y / len(x), x, p["0.weight"], stride, padding)
        assert_close(gradients(network, x)["0.weight"], expected.dW, dtype)


def test_a_picture_does_not_see_its_neighbours():
    network, x, _ = built(Conv2d(33, 3, padding=1), (9, 11, 3), "float32", B=7)
    whole = network.forward(x)
    for rows in ([3], [6, 0], slice(2, 5)):
        np.testing.assert_array_equal(network.forward(x[rows]), whole[rows])


@pytest.mark.parametrize(
    ("layers", "shape", "words"),
    (
        (
            [Conv2d(4, 5)], (3, 9, 1),
            r"layer 0 of Network, Conv2d\(4, 5\): the maps that come into .* must be at least as "
            r"large as its window of 5 x 5, padding included\. Got maps of 3 x 9\. Use padding=",
        ),
        ([Conv2d(4, 3)], (8, 8), r"rows of shape \(height, width, channels\)\. Got \(8, 8\)"),
        ([Conv1d(4, 3)], (2, 1), r"its window of 3, padding included\. Got maps of 2\."),
        ([Conv2d(4, 1), Linear(3)], (2, 2, 1), r"layer 1 .* must be flat.* Put a Flatten layer"),
    ),
)  # fmt: skip
def test_maps_that_shrink_away_are_refused(layers, shape, words):
    with pytest.raises(ValueError, match=words):
        Network(layers).build(shape)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    (
        (
            lambda: Conv2d(0, 3),
            ValueError,
            r"channels of Conv2d must be a positive",
        ),
        (lambda: Conv2d(3, (3, 0)), ValueError, "kernel_size of Conv2d must be a positive integer"),
        (lambda: Conv2d(3, (3, 3, 3)), ValueError, r"must be a number, or two: \(height, width\)"),
        (lambda: Conv1d(3, (3, 3)), TypeError, "kernel_size of Conv1d must be a positive integer"),
        (lambda: Conv2d(3, 3, padding="sane"), ValueError, "Did you mean 'same'"),
        (
            lambda: Conv2d(3, 3, padding=-1),
            ValueError,
            "padding of Conv2d must be an integer",
        ),
    ),
)
def test_parameters_out_of_range_are_refused(make, error, words):
    with pytest.raises(error, match=words):
        make()
