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
from pellucid.engine import execute
from pellucid.kernels.grid import spaced
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
        x_rows, dy_rows = spaced(B, X.shape[1]), spaced(B, D.shape[1])
        execute(
            "product", X.ravel(), x_rows, spaced(I), weight, spaced(I), I * panel, True,
            padded_vector(b, dtype), y.ravel(), spaced(B, y.shape[1]), panel, False,
            -1, H, I, 0, 0.0, rows=B, parts=parts,
        )  # fmt: skip
        assert_close(y[:, :H], formulas.linear(x, W, b), dtype)
        assert_padding_zero(y, H)

        dW = np.zeros_like(weight)
        execute(
            "product", X.ravel(), spaced(I), x_rows, D.ravel(), dy_rows, panel, False, zeros,
            dW, spaced(I), I * panel, True, I, H, -1, 0, 0.0, rows=B, parts=parts,
        )  # fmt: skip
        assert_close(unpack(dW, I, H), expected.dW, dtype)
        assert np.count_nonzero(dW) <= I * H

        db = aligned(stored_columns(H, dtype), dtype)
        execute("bias_backward", D, db, H, rows=B, parts=parts)
        assert_close(db[:H], expected.db, dtype)

        transposed, dx = aligned(H * stored_columns(I, dtype), dtype), empty(B, I, dtype)
        execute("transpose_panels", weight, transposed, 1, I, H, parts=parts)
        np.testing.assert_array_equal(unpack(transposed, H, I), W.T)
        execute(
            "product", D.ravel(), dy_rows, spaced(H), transposed, spaced(H), H * panel, True, zeros,
            dx.ravel(), spaced(B, dx.shape[1]), panel, False, -1, I, H, 0, 0.0,
            rows=B, parts=parts,
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
        "product", X.ravel(), spaced(9, X.shape[1]), spaced(depth), packed(W, dtype), spaced(depth),
        depth * panel, True, padded_vector(b, dtype), y.ravel(), spaced(9, y.shape[1]), panel,
        False, -1, 33, depth, 0, 0.0, rows=9,
    )  # fmt: skip
    assert_close(y[:, :33], formulas.linear(x, W, b), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ("relu", "leaky_relu", "sigmoid", "tanh"))
def test_fused_activation_equals_activation_after(name, dtype):
    panel = PANEL_BYTES // np.dtype(dtype).itemsize
    for H in SIZES:
        x, W, b, _ = operands(9, 31, H, dtype, seed=H)
        X = padded(x, dtype)
        arguments = [X.ravel(), spaced(9, X.shape[1]), spaced(31), packed(W, dtype), spaced(31),
                     31 * panel, True, padded_vector(b, dtype)]  # fmt: skip
        plain, after, fused = (empty(9, H, dtype) for _ in range(3))
        size = (spaced(9, plain.shape[1]), panel, False, -1, H, 31)
        line = spaced(1)
        execute("product", *arguments, plain.ravel(), *size, 0, 0.0, rows=9)
        execute("activation_forward", plain, line, after, line, H, KINDS[name], 0.1, rows=9)
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
            "product", X.ravel(), spaced(len(rows), X.shape[1]), spaced(100), weight, spaced(100),
            3200, True, bias, y.ravel(), spaced(len(rows), y.shape[1]), 32, False,
            -1, 33, 100, 0, 0.0, rows=len(rows),
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
