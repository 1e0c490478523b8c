"""The linear layer: its three products, the bias's sum and the transpose against the formula."""

import numpy as np
import pytest
from helpers import (
    DTYPES,
    SIZES,
    assert_close,
    assert_padding_zero,
    check_operation,
    empty,
    padded,
    padded_vector,
    shapes,
)

from pellucid import Network, NetworkRegressor, formulas, load
from pellucid.engine import execute
from pellucid.kernels.grid import spaced
from pellucid.kernels.operations.activations import IDENTITY, activation_forward
from pellucid.kernels.operations.linear import transpose_panels
from pellucid.kernels.operations.product import product
from pellucid.kernels.operations.weight_gradient import gradient_work, weight_gradient
from pellucid.kernels.panels import aligned, pack, stored_columns, unpack
from pellucid.layers import ACTIVATIONS, GRU, Flatten, Linear, Tanh

PARTS = (1, 3)


def packed(matrix, dtype):
    vector = aligned(matrix.shape[0] * stored_columns(matrix.shape[1], dtype), dtype)
    pack(matrix, vector)
    return vector


def operands(B, I, H, dtype, seed):
    rng = np.random.default_rng(seed)
    x, W, b, dy = (
        rng.normal(size=(B, I)),
        rng.normal(size=(I, H)),
        rng.normal(size=H),
        rng.normal(size=(B, H)),
    )
    return x.astype(dtype), W.astype(dtype), b.astype(dtype), dy.astype(dtype)


def dense(X, weight, I, H, bias, parts=1, kind=IDENTITY, slope=0.0):
    """``f(x W + b)`` by the kernel, of padded rows and packed weights; padded as well."""
    rows, dtype = len(X), X.dtype
    y = empty(rows, H, dtype)
    forward = product(
        a=X.ravel(), a_rows=spaced(rows, X.shape[1]), a_terms=spaced(I),
        b=weight, b_terms=spaced(I), start=bias,
        c=y.ravel(), c_rows=spaced(rows, y.shape[1]),
        height=-1, width=H, activation=kind, slope=slope,
    )  # fmt: skip
    execute(forward, rows=rows, parts=parts)
    return y


@pytest.mark.parametrize("I", SIZES)
def test_layer_equals_formula(I):
    for H in SIZES:
        check_operation(
            Linear(H), formulas.linear,
            lambda dy, x, W, b: tuple(formulas.linear_backward(dy, x, W)), (I,),
        )  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("parts", PARTS)
def test_products_equal_formula(dtype, parts):
    for B, I, H in shapes(3):
        x, W, b, dy = operands(B, I, H, dtype, seed=B + I + H)
        expected = formulas.linear_backward(dy, x, W)
        X, D, weight = padded(x, dtype), padded(dy, dtype), packed(W, dtype)
        zeros = aligned(max(stored_columns(n, dtype) for n in (I, H)), dtype)

        y = dense(X, weight, I, H, padded_vector(b, dtype), parts)
        assert_close(y[:, :H], formulas.linear(x, W, b), dtype)
        assert_padding_zero(y, H)

        dW = np.zeros_like(weight)
        db = aligned(stored_columns(H, dtype), dtype)
        to_weights = weight_gradient(
            x=X.ravel(), x_rows=spaced(B, X.shape[1]), features=spaced(I),
            dz=D.ravel(), dz_rows=spaced(B, D.shape[1]), dw=dW, db=db, width=H,
            **gradient_work(height=I, width=H, dtype=dtype, parts=parts),
        )  # fmt: skip
        execute(to_weights, rows=B, parts=parts)
        assert_close(unpack(dW, I, H), expected.dW, dtype)
        assert np.count_nonzero(dW) <= I * H
        assert_close(db[:H], expected.db, dtype)

        turned = aligned(H * stored_columns(I, dtype), dtype)
        transpose = transpose_panels(w=weight, wt=turned, positions=1, inputs=I, outputs=H)
        execute(transpose, parts=parts)
        np.testing.assert_array_equal(unpack(turned, H, I), W.T)
        dx = dense(D, turned, H, I, zeros, parts)
        assert_close(dx[:, :I], expected.dx, dtype)
        assert_padding_zero(dx, I)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("depth", (255, 256, 257, 600))
def test_long_sums_in_chunks_equal_formula(dtype, depth):
    x, W, b, _ = operands(9, depth, 33, dtype, seed=depth)
    y = dense(padded(x, dtype), packed(W, dtype), depth, 33, padded_vector(b, dtype))
    assert_close(y[:, :33], formulas.linear(x, W, b), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_fused_activation_equals_activation_after(name, dtype):
    kind, line = ACTIVATIONS[name].kind, spaced(1)
    for H in SIZES:
        x, W, b, _ = operands(9, 31, H, dtype, seed=H)
        arguments = padded(x, dtype), packed(W, dtype), 31, H, padded_vector(b, dtype)
        plain, after = dense(*arguments), empty(9, H, dtype)
        activation = activation_forward(
            x=plain, x_lines=line, y=after, y_lines=line, length=H, kind=kind, slope=0.1
        )
        execute(activation, rows=9)
        np.testing.assert_array_equal(dense(*arguments, kind=kind, slope=0.1), after)


def test_rows_do_not_see_their_neighbours():
    """A row's product has the same bits alone, first or last, whatever tile it falls in."""
    x, W, b, _ = operands(23, 100, 33, "float32", seed=5)
    weight, bias = packed(W, "float32"), padded_vector(b, "float32")
    whole = dense(padded(x, "float32"), weight, 100, 33, bias)
    for begin, end in ((0, 1), (22, 23), (3, 14), (1, 23)):
        some = dense(padded(x[begin:end], "float32"), weight, 100, 33, bias)
        np.testing.assert_array_equal(some, whole[begin:end])


def test_pack_and_unpack_round_trip():
    rng = np.random.default_rng(3)
    for rows, columns in shapes(2):
        matrix = rng.normal(size=(rows, columns))
        np.testing.assert_array_equal(unpack(packed(matrix, "float64"), rows, columns), matrix)


# -- weights that stay as they were set ------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bias", (True, False))
def test_what_is_not_trainable_has_no_gradient_and_passes_it_on(bias, dtype):
    """Below it gradients are as if it were trainable, to the bit; above it as well."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(9, 5)).astype(dtype), rng.normal(size=(9, 2)).astype(dtype)
    found = []
    for trainable in (True, False):
        layers = [Linear(7), Linear(4, bias=bias, trainable=trainable), Tanh(), Linear(2)]
        network = Network(layers).build(5, dtype, random_state=0)
        if found:
            network.set_parameters(found[0][2])
        found.append((*network.gradients(X, y, "mean_squared_error"), network.parameters()))
    (loss, free, parameters), (other, fixed, _) = found
    assert loss == other and parameters["1.weight"].any()
    for name, gradient in free.items():
        if name.startswith("1."):
            assert not np.any(fixed.get(name, 0.0))
        else:
            np.testing.assert_array_equal(fixed[name], gradient)


@pytest.mark.parametrize("optimizer", ("adam", "sgd", "rmsprop"))
def test_training_does_not_change_what_is_not_trainable(optimizer, tmp_path):
    """Neither steps nor weight decay do; and it comes back from a file."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 5)), rng.normal(size=60)
    weights = []
    for epochs in (1, 5):
        layers = [Linear(6, trainable=False), Tanh()]
        model = NetworkRegressor(
            layers, optimizer=optimizer, weight_decay=0.1, max_epochs=epochs, random_state=0,
            verbose=0,
        ).fit(X, y)  # fmt: skip
        weights.append(model.network_.parameters())
    np.testing.assert_array_equal(weights[0]["0.weight"], weights[1]["0.weight"])
    assert weights[0]["0.weight"].any() and (weights[0]["2.weight"] != weights[1]["2.weight"]).any()
    model.save(tmp_path / "m")
    again = load(tmp_path / "m")
    assert again.network_.layers[0] == Linear(6, trainable=False)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert again.partial_fit(X, y).network_.layers[0].trainable is False
    np.testing.assert_array_equal(again.network_.parameters()["0.weight"], weights[0]["0.weight"])


def test_what_is_not_trainable_takes_rows_alone():
    words = "trainable of Linear must be True where it goes step by step. Got False. Put a Flatten"
    with pytest.raises(ValueError, match=words):
        Network([Linear(3, trainable=False), GRU(2)]).build((4, 2))
    Network([Flatten(), Linear(3, trainable=False)]).build((4, 2))
    with pytest.raises(TypeError, match="trainable of Linear must be True or False. Got 1"):
        Linear(3, trainable=1)
