"""Convolution: the formula against differences and torch, the kernels and layers against it."""

import itertools

import numpy as np
import pytest
from finite_differences import assert_gradient
from helpers import DTYPES, assert_close, check_operation

from pellucid import Network, formulas
from pellucid.layers import Conv1d, Conv2d, Flatten, Linear

COMBINATIONS = list(itertools.product((1, 2, 3), (0, 1, 2), (1, 2, 3, 4, 5)))
# stride, padding, kernel and dilation, where a dilated kernel fits a picture of 7 x 8
DILATED = [
    case
    for case in itertools.product((1, 2), (0, 2), (2, 3), (2, 3))
    if case[3] * (case[2] - 1) < 7 + 2 * case[1]
]
CHANNELS = ((1, 3), (3, 16), (16, 33), (33, 1))


def operands(B, H, W, C, K, OC, stride, padding, seed=0, dilation=1):
    rng = np.random.default_rng(seed)
    x, weight, b = (
        rng.normal(size=(B, H, W, C)),
        rng.normal(size=(K, K, C, OC)),
        rng.normal(size=OC),
    )
    dy = rng.normal(size=formulas.convolution2d(x, weight, b, stride, padding, dilation).shape)
    return x, weight, b, dy


# -- the formula -------------------------------------------------------------------------------


def assert_gradients(gradients, convolution, x, W, b):
    """Fail unless `gradients` are those of `convolution`, x, W and b -> a number."""
    for gradient, at, along in (
        (gradients.dx, x, lambda t: convolution(t, W, b)),
        (gradients.dW, W, lambda t: convolution(x, t, b)),
        (gradients.db, b, lambda t: convolution(x, W, t)),
    ):
        assert_gradient(along, gradient, at)


@pytest.mark.parametrize(("stride", "padding", "kernel"), COMBINATIONS)
def test_gradients_agree_with_differences(stride, padding, kernel):
    x, W, b, dy = operands(2, 5, 6, 2, kernel, 3, stride, padding)
    gradients = formulas.convolution2d_backward(dy, x, W, stride, padding)

    def value(x, W, b):
        return (formulas.convolution2d(x, W, b, stride, padding) * dy).sum()

    assert_gradients(gradients, value, x, W, b)


@pytest.mark.parametrize(("stride", "padding", "kernel", "dilation"), DILATED)
def test_dilated_gradients_agree_with_differences(stride, padding, kernel, dilation):
    options = (stride, padding, (dilation, 1))
    x, W, b, dy = operands(2, 7, 5, 2, kernel, 3, stride, padding, dilation=(dilation, 1))
    gradients = formulas.convolution2d_backward(dy, x, W, *options)

    def pictures(x, W, b):
        return (formulas.convolution2d(x, W, b, *options) * dy).sum()

    assert_gradients(gradients, pictures, x, W, b)

    options = (stride, padding, dilation)
    x, W = x[:, :, 0], W[:, 0]
    dy = np.random.default_rng(1).normal(size=formulas.convolution1d(x, W, b, *options).shape)
    gradients = formulas.convolution1d_backward(dy, x, W, *options)

    def signals(x, W, b):
        return (formulas.convolution1d(x, W, b, *options) * dy).sum()

    assert_gradients(gradients, signals, x, W, b)


@pytest.mark.parametrize(("stride", "padding", "kernel", "dilation"), DILATED)
def test_a_dilated_kernel_is_one_with_zeros_between_its_weights(stride, padding, kernel, dilation):
    x, W, b, dy = operands(2, 7, 8, 3, kernel, 4, stride, padding, dilation=dilation)
    reach = dilation * (kernel - 1) + 1
    spread = np.zeros((reach, reach, 3, 4))
    spread[::dilation, ::dilation] = W
    y = formulas.convolution2d(x, W, b, stride, padding, dilation)
    plain = formulas.convolution2d(x, spread, b, stride, padding)
    np.testing.assert_allclose(y, plain, rtol=0, atol=1e-13)
    gradients = formulas.convolution2d_backward(dy, x, W, stride, padding, dilation)
    plain = formulas.convolution2d_backward(dy, x, spread, stride, padding)
    np.testing.assert_allclose(gradients.dx, plain.dx, rtol=0, atol=1e-13)
    np.testing.assert_allclose(gradients.dW, plain.dW[::dilation, ::dilation], rtol=0, atol=1e-13)
    np.testing.assert_array_equal(gradients.db, plain.db)


def test_a_zero_gradient_into_a_dilated_convolution_gives_zero():
    x, W, _, dy = operands(2, 7, 8, 3, 3, 4, 2, 1, dilation=2)
    for gradient in formulas.convolution2d_backward(0 * dy, x, W, 2, 1, 2):
        np.testing.assert_array_equal(gradient, np.zeros_like(gradient))


@pytest.mark.parametrize("dilation", (1, 2, 3))
def test_one_channel_and_one_kernel_dilated_are_the_general_one(dilation):
    x, W, b, _ = operands(1, 7, 9, 4, 3, 2, 2, 1, dilation=dilation)
    whole = formulas.convolution2d(x, W, b, 2, 1, dilation)[0]
    for o in range(2):
        one = formulas.convolution_one_kernel(x[0], W[..., o], b[o], 2, 1, dilation)
        np.testing.assert_allclose(one, whole[..., o], rtol=0, atol=1e-12)


def test_one_channel_and_one_kernel_are_the_general_one():
    x, W, b, _ = operands(1, 7, 6, 4, 3, 2, 2, 1)
    whole = formulas.convolution2d(x, W, b, 2, 1)
    for o in range(2):
        one = formulas.convolution_one_kernel(x[0], W[..., o], b[o], 2, 1)
        np.testing.assert_allclose(one, whole[0, :, :, o], rtol=0, atol=1e-12)
    single = formulas.convolution_one_channel(x[0, :, :, 0], W[:, :, 0, 0], 0.0, 2, 1)
    alone = formulas.convolution2d(x[..., :1], W[:, :, :1, :1], [0.0], 2, 1)
    np.testing.assert_allclose(single, alone[0, :, :, 0], rtol=0, atol=1e-12)


@pytest.mark.parametrize("dilation", (1, 2, (3, 1)))
@pytest.mark.parametrize(("stride", "padding"), list(itertools.product((1, 2, 3), (0, 1, 2))))
def test_formula_equals_torch(stride, padding, dilation):
    torch = pytest.importorskip("torch")
    x, W, b, dy = operands(2, 9, 8, 3, 3, 4, stride, padding, dilation=dilation)
    X = torch.tensor(x).permute(0, 3, 1, 2).contiguous().requires_grad_()
    kernels = torch.tensor(W).permute(3, 2, 0, 1).contiguous().requires_grad_()
    bias = torch.tensor(b, requires_grad=True)
    y = torch.nn.functional.conv2d(X, kernels, bias, stride, padding, dilation)
    y.backward(torch.tensor(dy).permute(0, 3, 1, 2))
    gradients = formulas.convolution2d_backward(dy, x, W, stride, padding, dilation)
    ours = formulas.convolution2d(x, W, b, stride, padding, dilation)
    for formula, theirs in (
        (ours, y.detach().permute(0, 2, 3, 1)),
        (gradients.dx, X.grad.permute(0, 2, 3, 1)),
        (gradients.dW, kernels.grad.permute(2, 3, 1, 0)),
        (gradients.db, bias.grad),
    ):
        np.testing.assert_allclose(formula, theirs.numpy(), rtol=0, atol=1e-11)


@pytest.mark.parametrize(("stride", "padding", "kernel", "dilation"), DILATED)
def test_formula_of_signals_equals_torch(stride, padding, kernel, dilation):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    x, W, b = rng.normal(size=(2, 9, 3)), rng.normal(size=(kernel, 3, 4)), rng.normal(size=4)
    X, kernels = torch.tensor(x).permute(0, 2, 1), torch.tensor(W).permute(2, 1, 0)
    theirs = torch.nn.functional.conv1d(X, kernels, torch.tensor(b), stride, padding, dilation)
    ours = formulas.convolution1d(x, W, b, stride, padding, dilation)
    np.testing.assert_allclose(ours, theirs.permute(0, 2, 1).numpy(), rtol=0, atol=1e-12)


def test_same_padding_keeps_the_size_over_the_stride():
    ranges = range(1, 12), range(1, 6), range(1, 4), range(1, 4)
    for size, kernel, stride, dilation in itertools.product(*ranges):
        before, after = formulas.same_padding(size, kernel, stride, dilation)
        assert 0 <= after - before <= 1
        places = formulas.output_size(size, kernel, stride, (before, after), dilation=dilation)
        assert places == -(-size // stride)


def test_output_size_counts_the_places_of_a_dilated_window():
    ranges = range(1, 12), range(1, 4), range(1, 4), range(3), range(1, 4)
    for size, kernel, stride, padding, dilation in itertools.product(*ranges):
        last = dilation * (kernel - 1)  # of a window, counted from its first position
        places = len(range(0, size + 2 * padding - last, stride))
        if places:
            assert formulas.output_size(size, kernel, stride, padding, False, dilation) == places
        else:
            with pytest.raises(ValueError, match="of output_size must be at most"):
                formulas.output_size(size, kernel, stride, padding, False, dilation)


def test_a_kernel_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"kernel of output_size must be at most 4, the size with"):
        formulas.output_size(2, 5, padding=1)
    words = r"reach of kernel 3, dilation 2, of output_size must be at most 4, the size .* Got 5\."
    with pytest.raises(ValueError, match=words):
        formulas.output_size(4, 3, dilation=2)
    for size in (formulas.output_size, formulas.same_padding):
        with pytest.raises(ValueError, match=r"dilation of \w+ must be at least 1\. Got 0\."):
            size(4, 3, dilation=0)
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


@pytest.mark.parametrize("dilation", (2, 3, (1, 4)))
@pytest.mark.parametrize(("stride", "padding"), list(itertools.product((1, 2), (0, 2, "same"))))
def test_dilated_layers_equal_formula(stride, padding, dilation):
    layer = Conv2d(17, (3, 2), stride, padding, dilation=dilation)
    options = (stride, layer.windows((7, 6, 3)).padding, dilation)
    check_operation(
        layer,
        lambda x, W, b: formulas.convolution2d(x, W, b, *options),
        lambda dy, x, W, b: formulas.convolution2d_backward(dy, x, W, *options),
        (7, 6, 3),
        rows=(3,),
    )


@pytest.mark.parametrize(("stride", "padding", "kernel", "dilation"), DILATED)
def test_dilated_signals_equal_formula(stride, padding, kernel, dilation):
    check_operation(
        Conv1d(5, kernel, stride, padding, dilation=dilation),
        lambda x, W, b: formulas.convolution1d(x, W, b, stride, padding, dilation),
        lambda dy, x, W, b: formulas.convolution1d_backward(dy, x, W, stride, padding, dilation),
        (8, 3),
        rows=(2,),
    )


@pytest.mark.parametrize("size", (1, 2, 3, 5))
def test_same_keeps_the_size_of_dilated_maps(size):
    for dilation, stride in itertools.product((1, 2, 3), (1, 2)):
        layer = Conv2d(2, size, stride, "same", dilation=dilation)
        assert layer.output_shape((9, 12, 1)) == (-(-9 // stride), -(-12 // stride), 2)


def test_sizes_show_the_dilation():
    layer = Conv2d(2, (3, 1), padding=1, dilation=2)
    assert layer.sizes((9, 9, 1)) == (
        "OH = (9 + 2 - 2*(3 - 1) - 1)/1 + 1 = 7, OW = (9 + 2 - 2*(1 - 1) - 1)/1 + 1 = 11"
    )
    assert Conv1d(2, 3, 2, dilation=3).sizes((10, 1)) == (
        "OL = floor((10 + 0 - 3*(3 - 1) - 1)/2) + 1 = 2"
    )
    assert repr(layer) == "Conv2d(2, (3, 1), padding=1, dilation=2)"


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
        (
            [Conv2d(4, 3, dilation=4)], (8, 9, 1),
            r"must be at least as large as the reach of its window of 9 x 9, padding included\.",
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
        (lambda: Conv2d(3, 3, dilation=0), ValueError, "dilation of Conv2d must be a positive"),
        (lambda: Conv1d(3, 3, dilation=(1, 2)), TypeError, "dilation of Conv1d must be a positive"),
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
