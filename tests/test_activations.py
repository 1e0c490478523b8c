"""Activations: kernel against formula, forward and backward, at every size."""

import numpy as np
import pytest
from helpers import DTYPES, assert_close, assert_padding_zero, empty, padded, shapes

from pellucid import formulas
from pellucid.kernels import activations as source
from pellucid.kernels import execute
from pellucid.kernels.grid import spaced
from pellucid.layers.activations import KINDS

LINE = spaced(1)  # a flat row is one line

CASES = {
    "relu": (formulas.relu, formulas.relu_backward, {}),
    "leaky_relu": (formulas.leaky_relu, formulas.leaky_relu_backward, {"slope": 0.2}),
    "sigmoid": (formulas.sigmoid, formulas.sigmoid_backward, {}),
    "tanh": (formulas.tanh, formulas.tanh_backward, {}),
}


def test_numbers_of_kinds_agree_with_the_kernel():
    kernel = {
        "identity": source.IDENTITY,
        "relu": source.RELU,
        "leaky_relu": source.LEAKY_RELU,
        "sigmoid": source.SIGMOID,
        "tanh": source.TANH,
    }
    assert kernel == KINDS


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", CASES)
def test_kernel_equals_formula(name, dtype):
    forward, backward, options = CASES[name]
    slope = options.get("slope", 0.0)
    rng = np.random.default_rng(0)
    for rows, columns in shapes(2):
        x, dy = rng.normal(scale=3, size=(2, rows, columns))
        x, dy = x.astype(dtype), dy.astype(dtype)
        y, d = empty(rows, columns, dtype), padded(dy, dtype)
        kind, X = KINDS[name], padded(x, dtype)
        execute("activation_forward", X, LINE, y, LINE, columns, kind, slope, rows=rows)
        expected = forward(x, **options)
        assert_close(y[:, :columns], expected, dtype)
        execute("activation_backward", y, d, LINE, columns, kind, slope, rows=rows, parts=2)
        assert_close(d[:, :columns], backward(dy, expected, **options), dtype)
        assert_padding_zero(y, columns)
        assert_padding_zero(d, columns)


@pytest.mark.parametrize("dtype", DTYPES)
def test_softmax_kernel_equals_formula(dtype):
    rng = np.random.default_rng(1)
    for rows, columns in shapes(2):
        x, dy = rng.normal(scale=5, size=(2, rows, columns))
        x, dy = x.astype(dtype), dy.astype(dtype)
        y, d = empty(rows, columns, dtype), padded(dy, dtype)
        execute("softmax_forward", padded(x, dtype), y, columns, rows=rows)
        expected = formulas.softmax(x)
        assert_close(y[:, :columns], expected, dtype)
        execute("softmax_backward", y, d, columns, rows=rows)
        assert_close(d[:, :columns], formulas.softmax_backward(dy, expected), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_softmax_does_not_overflow(dtype):
    x, y = padded(np.array([[1000.0, -1000.0, 0.0]]), dtype), empty(1, 3, dtype)
    execute("softmax_forward", x, y, 3)
    np.testing.assert_array_equal(y[0, :3], [1, 0, 0])


@pytest.mark.parametrize("name", CASES)
def test_nan_goes_through(name):
    x, y = padded(np.array([[np.nan, 1.0]]), "float32"), empty(1, 2, "float32")
    execute("activation_forward", x, LINE, y, LINE, 2, KINDS[name], 0.1)
    assert np.isnan(y[0, 0])
    assert not np.isnan(y[0, 1])
