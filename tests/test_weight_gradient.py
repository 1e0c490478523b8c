"""The gradient of weights: packed or not, by any number of threads, the same bits as one by one."""

import numpy as np
import pytest
from helpers import DTYPES, assert_close, padded
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.engine import execute
from pellucid.kernels.grid import spaced
from pellucid.kernels.operations.weight_gradient import gradient_work, weight_gradient
from pellucid.kernels.panels import (
    GRADIENT_DEPTH,
    PANEL_BYTES,
    TILE_ROWS,
    aligned,
    stored_columns,
    unpack,
)


def gradient(x, dz, parts=1, features=None, bias=True, **work):
    """dW and db by the kernel, of padded rows."""
    (rows, inputs), outputs, dtype = x.shape, dz.shape[1], x.dtype
    X, D = padded(x, dtype), padded(dz, dtype)
    features = spaced(inputs) if features is None else features
    dw = aligned(len(features) * stored_columns(outputs, dtype), dtype)
    db = aligned(stored_columns(outputs, dtype) if bias else 0, dtype)
    arguments = gradient_work(height=len(features), width=outputs, dtype=dtype, parts=parts)
    to_weights = weight_gradient(
        x=X.ravel(), x_rows=spaced(rows, X.shape[1]), features=features,
        dz=D.ravel(), dz_rows=spaced(rows, D.shape[1]), dw=dw, db=db, width=outputs,
        **arguments | work,
    )  # fmt: skip
    execute(to_weights, rows=rows, parts=parts)
    return unpack(dw, len(features), outputs), db[:outputs]


def unpacked(x, dz, **options):
    """The same with no room to pack."""
    return gradient(x, dz, packed=aligned(0, x.dtype), **options)


def operands(rows, inputs, outputs, dtype):
    random = np.random.default_rng(rows + inputs + outputs)
    return (random.normal(size=(rows, wide)).astype(dtype) for wide in (inputs, outputs))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("parts", (1, 2, 5))
@pytest.mark.parametrize(
    ("rows", "inputs", "outputs"),
    # few terms and many, one panel and many, a last one that is half as wide, tiles of odd heights
    ((1, 9, 3), (64, 100, 70), (65, 100, 130), (300, 97, 145), (129, 8, 600), (513, 200, 17)),
)
def test_packing_and_threads_leave_the_bits(rows, inputs, outputs, parts, dtype):
    x, dz = operands(rows, inputs, outputs, dtype)
    dw, db = gradient(x, dz, parts)
    assert_close(dw, x.astype(np.float64).T @ dz.astype(np.float64), dtype)
    assert_close(db, dz.astype(np.float64).sum(axis=0), dtype)
    for other, bias in (unpacked(x, dz), unpacked(x, dz, parts=3), gradient(x, dz)):
        np.testing.assert_array_equal(other, dw)
        np.testing.assert_array_equal(bias, db)
    np.testing.assert_array_equal(db, np.add.accumulate(dz)[-1])  # row after row


@settings(max_examples=60)
@given(
    rows=st.integers(0, 400), inputs=st.integers(1, 200), outputs=st.integers(1, 200),
    wide=st.integers(1, 8), tall=st.integers(1, 30), parts=st.integers(1, 4),
)  # fmt: skip
def test_room_of_any_size_leaves_the_bits(rows, inputs, outputs, wide, tall, parts):
    """Whatever a processor's cache is, and however blocks fall."""
    x, dz = operands(max(rows, 1), inputs, outputs, "float32")
    x, dz = x[:rows], dz[:rows]
    room = parts * GRADIENT_DEPTH * (wide * PANEL_BYTES // 4 + tall * TILE_ROWS)
    dw, db = gradient(x, dz, parts, packed=aligned(room, x.dtype), wide=wide, tall=tall)
    expected, bias = unpacked(x, dz)
    np.testing.assert_array_equal(dw, expected)
    np.testing.assert_array_equal(db, bias)


def test_more_threads_than_there_is_room_for_pack_nothing():
    x, dz = operands(300, 400, 400, "float32")
    room = gradient_work(height=400, width=400, dtype="float32", parts=2)
    dw, db = gradient(x, dz, 5, **room)
    expected, bias = gradient(x, dz)
    np.testing.assert_array_equal(dw, expected)
    np.testing.assert_array_equal(db, bias)


def test_columns_of_x_may_lie_anywhere():
    """As those of a convolution's windows do."""
    x, dz = operands(200, 120, 150, "float32")
    order = np.random.default_rng(0).permutation(120)
    dw, _ = gradient(x, dz, 2, features=order)
    np.testing.assert_array_equal(dw, gradient(x, dz)[0][order])


def test_no_bias_is_summed_where_none_is_wanted():
    x, dz = operands(100, 20, 40, "float32")
    dw, db = gradient(x, dz, bias=False)
    assert not db.size
    np.testing.assert_array_equal(dw, gradient(x, dz)[0])
