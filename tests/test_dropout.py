"""Dropout: the kernel equals the formula for its own mask, and the mask is what it should be."""

import numpy as np
import pytest
from helpers import DTYPES, assert_close, assert_padding_zero, empty, padded, shapes

from pellucid import formulas
from pellucid.engine import execute
from pellucid.kernels.dropout import philox
from pellucid.kernels.grid import spaced
from pellucid.kernels.operations.dropout import dropout_backward, dropout_forward

LINE = spaced(1)  # a flat row is one line


def clock(step=0, seed=(1, 2)):
    return np.array([*seed, step], dtype=np.int64)


def draw(rows, columns, rate=0.5, layer=0, parts=1, **options):
    x, mask, y = (empty(rows, columns, "float32") for _ in range(3))
    x[:, :columns] = 1
    drawing = dropout_forward(
        x=x, x_lines=LINE, mask=mask, y=y, lines=LINE, length=columns, rate=rate, layer=layer,
        clock=clock(**options),
    )  # fmt: skip
    execute(drawing, rows=rows, parts=parts)
    return y[:, :columns]


@pytest.mark.parametrize("dtype", DTYPES)
def test_kernel_equals_formula(dtype):
    rng = np.random.default_rng(0)
    for rows, columns in shapes(2):
        x, dy = rng.normal(size=(2, rows, columns)).astype(dtype)
        mask, y, d = empty(rows, columns, dtype), empty(rows, columns, dtype), padded(dy, dtype)
        forward = dropout_forward(
            x=padded(x, dtype), x_lines=LINE, mask=mask, y=y, lines=LINE, length=columns, rate=0.3,
            layer=1, clock=clock(),
        )  # fmt: skip
        execute(forward, rows=rows)
        kept = mask[:, :columns] != 0
        assert_close(y[:, :columns], formulas.dropout(x, kept, 0.3), dtype)
        execute(dropout_backward(mask=mask, d=d, lines=LINE, length=columns), rows=rows)
        assert_close(d[:, :columns], formulas.dropout_backward(dy, kept, 0.3), dtype)
        assert_padding_zero(y, columns)


@pytest.mark.parametrize("rate", (0.0, 0.1, 0.5, 0.9))
def test_share_of_zeros_is_the_rate(rate):
    found = draw(400, 100, rate)
    assert abs((found == 0).mean() - rate) < 4 * np.sqrt(0.25 / found.size)
    np.testing.assert_allclose(found[found != 0], 1 / (1 - rate), rtol=1e-6)


def test_draws_differ_by_step_layer_and_seed_and_nothing_else():
    base = draw(9, 33)
    for other in (draw(9, 33, step=1), draw(9, 33, layer=1), draw(9, 33, seed=(2, 2))):
        assert (other != base).mean() > 0.3
    np.testing.assert_array_equal(draw(9, 33, parts=3), base)


def test_philox_gives_the_published_answers():
    """The known-answer vectors of Random123, philox4x32-10."""
    plain = philox.py_func
    kernel = lambda *words: [int(x) for x in plain(*map(np.uint32, words))]  # noqa: E731
    with np.errstate(over="ignore"):
        assert kernel(0, 0, 0, 0, 0, 0) == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]
        ones = [0xFFFFFFFF] * 6
        assert kernel(*ones) == [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]
