"""Pooling: the formula against differences and torch, the kernels and layers against it."""

import itertools

import numpy as np
import pytest
from finite_differences import assert_gradient
from helpers import DTYPES, assert_close

from pellucid import Network, formulas
from pellucid.layers import (
    AvgPool1d,
    AvgPool2d,
    Conv2d,
    Flatten,
    GlobalAvgPool,
    MaxPool1d,
    MaxPool2d,
)

# window, stride, padding, ceil_mode
CASES = [
    case
    for case in itertools.product((1, 2, 3), (1, 2, 3), (0, 1), (False, True))
    if case[2] <= case[0] // 2  # more padding would leave windows with nothing in them
]


def pictures(*shape, seed=0):
    """Numbers far apart, so that a difference does not change which wins."""
    rng = np.random.default_rng(seed)
    return rng.permutation(np.prod(shape)).reshape(shape) / 7.0


# -- the formula -------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "stride", "padding", "ceil"), CASES)
def test_gradients_agree_with_differences(size, stride, padding, ceil):
    x = pictures(2, 5, 6, 3)
    pool = formulas.max_pool2d(x, size, stride, padding, ceil)
    dy = np.random.default_rng(1).normal(size=pool.y.shape)
    found = formulas.max_pool2d_backward(dy, pool.winner, x.shape, size, stride, padding, ceil)

    def value(x):
        return (formulas.max_pool2d(x, size, stride, padding, ceil).y * dy).sum()

    assert_gradient(value, found, x)
    for padded in (False, True):
        options = (size, stride, padding, ceil, padded)
        found = formulas.average_pool2d_backward(dy, x.shape, *options)

        def mean(x, options=options):
            return (formulas.average_pool2d(x, *options) * dy).sum()

        assert_gradient(mean, found, x)


@pytest.mark.parametrize(("size", "stride", "padding", "ceil"), CASES)
def test_formula_equals_torch(size, stride, padding, ceil):
    torch = pytest.importorskip("torch")
    x = pictures(2, 7, 6, 3)
    X = torch.tensor(x).permute(0, 3, 1, 2)
    found = formulas.max_pool2d(x, size, stride, padding, ceil).y
    theirs = torch.nn.functional.max_pool2d(X, size, stride, padding, ceil_mode=ceil)
    np.testing.assert_allclose(found, theirs.permute(0, 2, 3, 1).numpy())
    for padded in (False, True):
        found = formulas.average_pool2d(x, size, stride, padding, ceil, padded)
        theirs = torch.nn.functional.avg_pool2d(X, size, stride, padding, ceil, padded)
        np.testing.assert_allclose(found, theirs.permute(0, 2, 3, 1).numpy(), atol=1e-12)


def test_the_first_of_equals_wins():
    assert formulas.max_pool2d(np.ones((1, 2, 2, 1)), 2).winner.item() == 0


# -- kernels and layers ------------------------------------------------------------------------


def below_gradient(network, x):
    """The gradient that comes down to the maps below pooling, seen in a 1 x 1 convolution."""
    zeros = np.zeros((len(x), network.output_shape[0]))
    return network.gradients(x, zeros, "mean_squared_error")[1]["0.weight"]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", (1, 3, 16, 33))
@pytest.mark.parametrize(("size", "stride", "padding", "ceil"), CASES)
def test_layers_equal_formula(size, stride, padding, ceil, channels, dtype):
    x = pictures(3, 7, 9, 2).astype(dtype)
    options = (size, stride, padding, ceil)
    for layer in (MaxPool2d(*options), AvgPool2d(*options), AvgPool2d(*options, True)):
        network = Network([Conv2d(channels, 1), layer, Flatten()]).build((7, 9, 2), dtype, 1)
        p = network.parameters()
        h = formulas.convolution2d(x, p["0.weight"], p["0.bias"])
        if isinstance(layer, MaxPool2d):
            y, winner = formulas.max_pool2d(h, *options)
            dh = formulas.max_pool2d_backward(y / 3, winner, h.shape, *options)
        else:
            y = formulas.average_pool2d(h, *options, layer.count_include_pad)
            dh = formulas.average_pool2d_backward(y / 3, h.shape, *options, layer.count_include_pad)
        assert_close(network.forward(x), y.reshape(3, -1), dtype)
        expected = formulas.convolution2d_backward(dh, x, p["0.weight"]).dW
        assert_close(below_gradient(network, x), expected, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_signals_and_global_pooling_equal_formula(dtype):
    x = pictures(3, 11, 5).astype(dtype)
    for layer, expected in (
        (MaxPool1d(3, 2), formulas.max_pool1d(x, 3, 2).y),
        (AvgPool1d(3, 2, 1), formulas.average_pool1d(x, 3, 2, 1)),
        (GlobalAvgPool(), formulas.global_average_pool(x)),
    ):
        found = Network([layer, Flatten()]).build((11, 5), dtype).forward(x)
        assert_close(found, expected.reshape(3, -1), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_global_pooling_gives_back_evenly(dtype):
    x = pictures(3, 4, 5, 2).astype(dtype)
    network = Network([Conv2d(3, 1), GlobalAvgPool()]).build((4, 5, 2), dtype, 1)
    p = network.parameters()
    h = formulas.convolution2d(x, p["0.weight"], p["0.bias"])
    dh = formulas.global_average_pool_backward(formulas.global_average_pool(h) / 3, h.shape)
    expected = formulas.convolution2d_backward(dh, x, p["0.weight"]).dW
    assert_close(below_gradient(network, x), expected, dtype)


def test_nan_goes_through_max_pooling():
    x = np.zeros((1, 2, 2, 1), dtype=np.float32)
    for place in range(4):
        one = x.copy()
        one.reshape(-1)[place] = np.nan
        network = Network([MaxPool2d(2), Flatten()]).build((2, 2, 1))
        assert np.isnan(network.forward(one)).all()


def test_a_window_larger_than_the_map_is_refused():
    words = (
        r"MaxPool2d\(4\): .* as large as its window of 4 x 4, padding included\. Got maps of 3 x 5"
    )
    with pytest.raises(ValueError, match=words):
        Network([MaxPool2d(4)]).build((3, 5, 1))


@pytest.mark.parametrize("pool", (MaxPool2d, AvgPool2d))
def test_a_window_must_see_more_than_padding(pool):
    with pytest.raises(ValueError, match="padding of .* must be smaller than its window"):
        Network([pool(2, padding=2)]).build((6, 6, 1))
    formula = formulas.max_pool2d if pool is MaxPool2d else formulas.average_pool2d
    with pytest.raises(ValueError, match="padding of pooling must be smaller than the window"):
        formula(np.ones((1, 6, 6, 1)), 2, padding=2)


def test_summary_says_which_way_a_remainder_goes():
    network = Network([MaxPool2d(2), MaxPool2d(2, ceil_mode=True)]).build((11, 11, 1))
    text = "\n".join(network.summary_lines())
    assert "OH = OW = floor((11 + 0 - 2)/2) + 1 = 5" in text
    assert "OH = OW = ceil((5 + 0 - 2)/2) + 1 = 3" in text
