"""The linear layer: its three products, the bias's sum and the transpose against the formula."""

import numpy as np
import pytest
from helpers import (
    DTYPES,
    SIZES,
    assert_close,
    assert_padding_zero,
    empty,
    padded,
    padded_vector,
    shapes,
)

from pellucid import formulas
from pellucid.kernels import execute
from pellucid.kernels.panels import PANEL_BYTES, aligned, pack, stored_columns, unpack
from pellucid.layers.activations import KINDS

PARTS = (1, 3)


def packed(matrix, dtype):
    found = aligned(matrix.shape[0] * stored_columns(matrix.shape[1], dtype), dtype)
    pack(matrix, found)
    return found


def operands(B, I, H, dtype, seed):
    rng = np.random.default_rng(seed)
    x, W, b, dy = (
        rng.normal(size=(B, I)),
        rng.normal(size=(I, H)),
        rng.normal(size=H),
        rng.normal(size=(B, H)),
    )
    return x.astype(dtype), W.astype(dtype), b.astype(dtype), dy.astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("parts", PARTS)
def test_products_equal_formula(dtype, parts):
    panel = PANEL_BYTES // np.dtype(dtype).itemsize
    for B, I, H in shapes(3):
        x, W, b, dy = operands(B, I, H, dtype, seed=B + I + H)
        expected = formulas.linear_backward(dy, x, W)
        X, D, weight = padded(x, dtype), padded(dy, dtype), packed(W, dtype)
        zeros = aligned(max(stored_columns(n, dtype) for n in (I, H)), dtype)

        y = empty(B, H, dtype)
        execute(
            "product", X.ravel(), X.shape[1], 1, weight, I * panel, 0, padded_vector(b, dtype),
            y.ravel(), panel, y.shape[1], -1, H, I, 0, 0.0, rows=B, parts=parts,
        )  # fmt: skip
        assert_close(y[:, :H], formulas.linear(x, W, b), dtype)
        assert_padding_zero(y, H)

        dW = np.zeros_like(weight)
        execute(
            "product", X.ravel(), 1, X.shape[1], D.ravel(), panel, D.shape[1], zeros,
            dW, I * panel, 0, I, H, -1, 0, 0.0, rows=B, parts=parts,
        )  # fmt: skip
        assert_close(unpack(dW, I, H), expected.dW, dtype)
        assert np.count_nonzero(dW) <= I * H

        db = aligned(stored_columns(H, dtype), dtype)
        execute("bias_backward", D, db, H, rows=B, parts=parts)
        assert_close(db[:H], expected.db, dtype)

        transposed, dx = aligned(H * stored_columns(I, dtype), dtype), empty(B, I, dtype)
        execute("transpose_panels", weight, transposed, I, H, parts=parts)
        np.testing.assert_array_equal(unpack(transposed, H, I), W.T)
        execute(
            "product", D.ravel(), D.shape[1], 1, transposed, H * panel, 0, zeros,
            dx.ravel(), panel, dx.shape[1], -1, I, H, 0, 0.0, rows=B, parts=parts,
        )  # fmt: skip
        assert_close(dx[:, :I], expected.dx, dtype)
        assert_padding_zero(dx, I)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("depth", (255, 256, 257, 600))
def test_long_sums_in_chunks_equal_formula(dtype, depth):
    x, W, b, _ = operands(9, depth, 33, dtype, seed=depth)
    panel = PANEL_BYTES // np.dtype(dtype).itemsize
    X, y = padded(x, dtype), empty(9, 33, dtype)
    execute(
        "product", X.ravel(), X.shape[1], 1, packed(W, dtype), depth * panel, 0,
        padded_vector(b, dtype), y.ravel(), panel, y.shape[1], -1, 33, depth, 0, 0.0, rows=9,
    )  # fmt: skip
    assert_close(y[:, :33], formulas.linear(x, W, b), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ("relu", "leaky_relu", "sigmoid", "tanh"))
def test_fused_activation_equals_activation_after(name, dtype):
    panel = PANEL_BYTES // np.dtype(dtype).itemsize
    for H in SIZES:
        x, W, b, _ = operands(9, 31, H, dtype, seed=H)
        arguments = [padded(x, dtype).ravel(), padded(x, dtype).shape[1], 1, packed(W, dtype),
                     31 * panel, 0, padded_vector(b, dtype)]  # fmt: skip
        plain, after, fused = (empty(9, H, dtype) for _ in range(3))
        size = (panel, plain.shape[1], -1, H, 31)
        execute("product", *arguments, plain.ravel(), *size, 0, 0.0, rows=9)
        execute("activation_forward", plain, after, H, KINDS[name], 0.1, rows=9)
        execute("product", *arguments, fused.ravel(), *size, KINDS[name], 0.1, rows=9)
        np.testing.assert_array_equal(fused, after)


def test_rows_do_not_see_their_neighbours():
    """A row's product has the same bits alone, first or last, whatever tile it falls in."""
    x, W, b, _ = operands(23, 100, 33, "float32", seed=5)
    whole = empty(23, 33, "float32")
    weight, bias = packed(W, "float32"), padded_vector(b, "float32")

    def product(rows):
        X, y = padded(rows, "float32"), empty(len(rows), 33, "float32")
        execute(
            "product", X.ravel(), X.shape[1], 1, weight, 3200, 0, bias,
            y.ravel(), 32, y.shape[1], -1, 33, 100, 0, 0.0, rows=len(rows),
        )  # fmt: skip
        return y[:, :33]

    whole = product(x)
    for begin, end in ((0, 1), (22, 23), (3, 14), (1, 23)):
        np.testing.assert_array_equal(product(x[begin:end]), whole[begin:end])


def test_pack_and_unpack_round_trip():
    rng = np.random.default_rng(3)
    for rows, columns in shapes(2):
        matrix = rng.normal(size=(rows, columns))
        np.testing.assert_array_equal(unpack(packed(matrix, "float64"), rows, columns), matrix)
