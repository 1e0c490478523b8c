"""Activations: kernel against formula, forward and backward, at every size."""

from functools import partial

import numpy as np
import pytest
from helpers import DTYPES, SIZES, assert_padding_zero, check_operation, empty, padded, shapes

from pellucid import formulas
from pellucid.engine import execute
from pellucid.kernels.grid import spaced
from pellucid.kernels.operations.activations import (
    activation_backward,
    activation_forward,
    softmax_forward,
)
from pellucid.layers import ACTIVATIONS, LeakyReLU, ReLU, Sigmoid, Softmax, Tanh

LINE = spaced(1)  # a flat row is one line

LAYERS = {
    ReLU(): (formulas.relu, formulas.relu_backward),
    LeakyReLU(0.2): (
        partial(formulas.leaky_relu, slope=0.2), partial(formulas.leaky_relu_backward, slope=0.2),
    ),
    Sigmoid(): (formulas.sigmoid, formulas.sigmoid_backward),
    Tanh(): (formulas.tanh, formulas.tanh_backward),
    Softmax(): (formulas.softmax, formulas.softmax_backward),
}  # fmt: skip
KINDS = {name: layer.kind for name, layer in ACTIVATIONS.items()}


@pytest.mark.parametrize("columns", SIZES)
@pytest.mark.parametrize("layer", LAYERS, ids=repr)
def test_layer_equals_formula(layer, columns):
    forward, backward = LAYERS[layer]
    check_operation(
        layer, forward, lambda dy, x: backward(dy, forward(x)), (columns,), SIZES,
        partial(np.random.Generator.normal, scale=3),
    )  # fmt: skip


@pytest.mark.parametrize("shape", ((5, 3), (3, 7, 9)))
@pytest.mark.parametrize("layer", list(LAYERS)[:-1], ids=repr)
def test_layer_of_maps_equals_formula(layer, shape):
    forward, backward = LAYERS[layer]
    check_operation(layer, forward, lambda dy, x: backward(dy, forward(x)), shape)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_padding_stays_zero(kind):
    rng = np.random.default_rng(0)
    for rows, columns in shapes(2):
        x, d = (padded(rng.normal(size=(rows, columns)), "float32") for _ in range(2))
        y = empty(rows, columns, "float32")
        common = {"length": columns, "kind": kind, "slope": 0.1}
        execute(activation_forward(x=x, x_lines=LINE, y=y, y_lines=LINE, **common), rows)
        execute(activation_backward(y=y, d=d, lines=LINE, **common), rows, parts=2)
        assert_padding_zero(y, columns)
        assert_padding_zero(d, columns)


@pytest.mark.parametrize("dtype", DTYPES)
def test_softmax_does_not_overflow(dtype):
    x, y = padded(np.array([[1000.0, -1000.0, 0.0]]), dtype), empty(1, 3, dtype)
    execute(softmax_forward(x=x, y=y, columns=3))
    np.testing.assert_array_equal(y[0, :3], [1, 0, 0])


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_nan_goes_through(kind):
    x, y = padded(np.array([[np.nan, 1.0]]), "float32"), empty(1, 2, "float32")
    execute(
        activation_forward(x=x, x_lines=LINE, y=y, y_lines=LINE, length=2, kind=kind, slope=0.1)
    )
    assert np.isnan(y[0, 0])
    assert not np.isnan(y[0, 1])
