"""Pooling: the formula against differences and torch, the kernels and layers against it."""

import itertools

import numpy as np
import pytest
from finite_differences import assert_gradient
from helpers import DTYPES, assert_close, check_operation

from pellucid import Network, formulas
from pellucid.engine import execute
from pellucid.kernels.grid import spaced
from pellucid.kernels.operations.pooling import (
    average_pool_backward,
    average_pool_forward,
    max_pool_backward,
    max_pool_forward,
)
from pellucid.kernels.panels import rows_of
from pellucid.layers import (
    AvgPool1d,
    AvgPool2d,
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


def far_apart(rng, size):
    """`pictures` as `check_operation` draws them."""
    return rng.permutation(np.prod(size)).reshape(size) / 7.0


@pytest.mark.parametrize("channels", (1, 3, 16, 33))
@pytest.mark.parametrize(("size", "stride", "padding", "ceil"), CASES)
def test_layers_equal_formula(size, stride, padding, ceil, channels):
    options = (size, stride, padding, ceil)

    def largest_backward(dy, x):
        winner = formulas.max_pool2d(x, *options).winner
        return formulas.max_pool2d_backward(dy, winner, x.shape, *options)

    check_operation(
        MaxPool2d(*options), lambda x: formulas.max_pool2d(x, *options).y, largest_backward,
        (7, 9, channels), [3], far_apart,
    )  # fmt: skip
    for padded in (False, True):
        check_operation(
            AvgPool2d(*options, padded),
            lambda x, padded=padded: formulas.average_pool2d(x, *options, padded),
            lambda dy, x, padded=padded: formulas.average_pool2d_backward(
                dy, x.shape, *options, padded
            ),
            (7, 9, channels), [3],
        )  # fmt: skip


def test_signals_and_global_pooling_equal_formula():
    check_operation(
        MaxPool1d(3, 2), lambda x: formulas.max_pool1d(x, 3, 2).y,
        lambda dy, x: formulas.max_pool1d_backward(
            dy, formulas.max_pool1d(x, 3, 2).winner, x.shape, 3, 2
        ),
        (11, 5), [3], far_apart,
    )  # fmt: skip
    check_operation(
        AvgPool1d(3, 2, 1), lambda x: formulas.average_pool1d(x, 3, 2, 1),
        lambda dy, x: formulas.average_pool1d_backward(dy, x.shape, 3, 2, 1), (11, 5), [3],
    )  # fmt: skip
    for shape in ((11, 5), (4, 5, 3)):
        check_operation(
            GlobalAvgPool(), formulas.global_average_pool,
            lambda dy, x: formulas.global_average_pool_backward(dy, x.shape), shape, [3],
        )  # fmt: skip


LENGTHS = np.array([5, 1, 3])


def test_the_mean_of_the_steps_that_are_there_has_its_gradient():
    """Formula against differences; what a sequence lacks gets none."""
    rng = np.random.default_rng(0)
    x, dy = rng.normal(size=(3, 5, 2)), rng.normal(size=(3, 2))

    def value(changed):
        return (formulas.global_average_pool(changed, LENGTHS) * dy).sum()

    dx = formulas.global_average_pool_backward(dy, x.shape, LENGTHS)
    assert_gradient(value, dx, x)
    assert not dx[1, 1:].any()
    np.testing.assert_allclose(formulas.global_average_pool(x, LENGTHS)[1], x[1, 0])
    for lengths, words in (([0, 1, 2], "at least 1"), ([6, 1, 2], "between 0 and 5")):
        with pytest.raises(ValueError, match=words):
            formulas.global_average_pool(x, lengths)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", (1, 8, 33))
def test_the_mean_of_the_steps_that_are_there_equals_the_formula(channels, dtype):
    """What lies behind a row's end is neither read nor left in its gradient."""
    rng = np.random.default_rng(channels)
    values = rng.normal(size=(3, 5, channels)).astype(dtype)
    dy = rng.normal(size=(3, channels)).astype(dtype)
    pixel = rows_of(1, channels, dtype).shape[1]
    x, dx = (np.full((3, 5 * pixel), fill, dtype) for fill in (np.nan, 7.0))
    for row, steps, length in zip(x, values, LENGTHS, strict=True):
        row.reshape(5, pixel)[:length] = 0
        row.reshape(5, pixel)[:length, :channels] = steps[:length]
    y, d = rows_of(3, channels, dtype), rows_of(3, channels, dtype)
    d[:, :channels] = dy
    shared = {
        "counts": np.array([5.0]), "absent": 5 - LENGTHS, "places": spaced(5, pixel),
        "positions": 5, "pixels": spaced(1), "channels": channels,
    }  # fmt: skip
    execute(average_pool_forward(x=x, y=y, **shared), rows=3)
    assert_close(y[:, :channels], formulas.global_average_pool(values, LENGTHS), dtype)
    execute(average_pool_backward(dy=d, dx=dx, apart=True, cleared=spaced(0), **shared), rows=3)
    expected = formulas.global_average_pool_backward(dy, values.shape, LENGTHS)
    assert_close(dx.reshape(3, 5, pixel)[..., :channels], expected, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("places", [(0,), (3,), (1, 3), (0, 1, 2, 3)])
def test_the_first_nan_of_a_window_wins(places, dtype):
    """Whatever is beside it, and the gradient goes to it alone."""
    x = np.array([5.0, np.inf, -3.0, 7.0], dtype)
    x[list(places)] = np.nan
    winner = places[0]
    assert formulas.max_pool2d(x.reshape(1, 2, 2, 1), 2).winner.item() == winner
    y, d, won = (rows_of(1, 1, dtype) for _ in range(3))
    half = y.shape[1]
    X = np.zeros((1, 4 * half), dtype)
    X[0, ::half] = x
    window = {
        "places": spaced(4, half), "positions": 4, "pixels": spaced(1), "channels": 1,
    }  # fmt: skip
    execute(max_pool_forward(x=X, y=y, winner=won, **window))
    assert np.isnan(y[0, 0]) and won[0, 0] == winner
    dx, d[0, 0] = np.ones_like(X), 2.5
    execute(max_pool_backward(dy=d, dx=dx, winner=won, apart=True, cleared=spaced(0), **window))
    np.testing.assert_array_equal(dx[0, ::half], np.where(np.arange(4) == winner, 2.5, 0))


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


@pytest.mark.parametrize(
    ("layer", "size"), [(MaxPool2d, {"stride": 10**40}), (AvgPool2d, {"padding": 1 << 31})]
)
def test_windows_have_sizes_that_memory_can_have(layer, size):
    with pytest.raises(ValueError, match=r"of \w+Pool2d must be at most 2,147,483,647\. Got \d+"):
        layer(2, **size)
