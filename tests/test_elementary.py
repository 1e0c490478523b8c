"""exp, log, tanh and sigmoid against correctly rounded values.

float32 is compared with float64 values rounded once, over every 251st bit pattern here and over
all 2^32 with ``--every-float32``; float64 with extended precision, over random values.
"""

import math

import numpy as np
import pytest

from pellucid.engine import available_threads, elementary, execute
from pellucid.kernels.operations.elementary import EXP, LOG, SIGMOID, TANH, apply

FUNCTIONS = {"exp": EXP, "log": LOG, "sigmoid": SIGMOID, "tanh": TANH}
NAMES = tuple(FUNCTIONS)
# the largest errors in units in the last place, as docs/kernels.md states them
LARGEST_ULP = {
    "float32": {"exp": 1.1, "log": 0.9, "sigmoid": 2.5, "tanh": 1.4},
    "float64": {"exp": 1.1, "log": 0.9, "sigmoid": 2.5, "tanh": 1.4},
}
INF, NAN = np.inf, np.nan
SPECIAL = {  # pairs, since 0.0 and -0.0 are one dictionary key
    "exp": [(0.0, 1.0), (-0.0, 1.0), (INF, INF), (-INF, 0.0), (NAN, NAN)],
    "log": [
        (1.0, 0.0),
        (0.0, -INF),
        (-0.0, -INF),
        (INF, INF),
        (-1.0, NAN),
        (-INF, NAN),
        (NAN, NAN),
    ],
    "sigmoid": [(0.0, 0.5), (INF, 1.0), (-INF, 0.0), (NAN, NAN)],
    "tanh": [(0.0, 0.0), (-0.0, -0.0), (INF, 1.0), (-INF, -1.0), (NAN, NAN)],
}


def compute(name, x):
    y = np.empty_like(x)
    execute(apply(function=FUNCTIONS[name], x=x, y=y), parts=available_threads())
    return y


def exact(name, x):
    with np.errstate(over="ignore", under="ignore", invalid="ignore", divide="ignore"):
        if name == "sigmoid":
            small = np.exp(-np.abs(x))
            return np.where(x >= 0, 1, small) / (1 + small)
        return getattr(np, name)(x)


def ulp_errors(found, expected, dtype):
    """|found - expected| over the distance between floats at `expected`."""
    largest = np.finfo(dtype).max
    with np.errstate(over="ignore", under="ignore"):
        rounded = expected.astype(dtype)
    inside = np.isfinite(expected) & (np.abs(expected) <= largest)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    overflow = ~inside & ~np.isnan(expected)
    np.testing.assert_array_equal(found[overflow], rounded[overflow])
    spacing = np.spacing(np.abs(rounded[inside])).astype(expected.dtype)
    found = np.clip(found[inside], -largest, largest).astype(expected.dtype)
    return np.abs(found - expected[inside]) / spacing


@pytest.mark.parametrize("name", NAMES)
def test_float32_against_correctly_rounded(name, request):
    every = request.config.getoption("--every-float32")
    stride, worst = 1 if every else 251, 0.0
    block = 1 << 24
    for start in range(0, 1 << 32, block * stride):
        patterns = np.arange(start, min(1 << 32, start + block * stride), stride)
        x = patterns.astype(np.uint32).view(np.float32)
        with np.errstate(invalid="ignore"):
            wide = x.astype(np.float64)
        errors = ulp_errors(compute(name, x), exact(name, wide), "float32")
        worst = max(worst, errors.max(initial=0.0))
    print(f"{name} float32: {worst:.3f} ulp")
    assert worst <= LARGEST_ULP["float32"][name]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.skipif(np.finfo(np.longdouble).nmant < 63, reason="needs an extended float type")
def test_float64_against_extended_precision(name):
    rng = np.random.default_rng(0)
    parts = [
        rng.uniform(-750, 750, 200_000),
        rng.uniform(-2, 2, 200_000),
        rng.normal(size=200_000) * 10.0 ** rng.uniform(-300, 300, 200_000),
        rng.uniform(0.5, 1.5, 200_000),
    ]
    x = np.concatenate(parts)
    x = np.abs(x) if name == "log" else x
    worst = ulp_errors(compute(name, x), exact(name, x.astype(np.longdouble)), "float64").max()
    print(f"{name} float64: {worst:.3f} ulp")
    assert worst <= LARGEST_ULP["float64"][name]


@pytest.mark.parametrize("dtype", ("float32", "float64"))
@pytest.mark.parametrize("name", NAMES)
def test_special_values(name, dtype):
    x, expected = np.array(SPECIAL[name], dtype=dtype).T.copy()
    found = compute(name, x)
    np.testing.assert_array_equal(found, expected)
    zero = expected == 0
    np.testing.assert_array_equal(np.signbit(found[zero]), np.signbit(expected[zero]))


@pytest.mark.parametrize("dtype", ("float32", "float64"))
@pytest.mark.parametrize("name", NAMES)
def test_bits_do_not_depend_on_place_or_company(name, dtype):
    """Vector body, its tail and single values give the same bits."""
    x = np.random.default_rng(1).normal(scale=5, size=67).astype(dtype)
    whole = compute(name, x)
    for begin, end in ((0, 1), (5, 6), (3, 40), (66, 67)):
        np.testing.assert_array_equal(compute(name, x[begin:end].copy()), whole[begin:end])


def test_whole_arrays_against_the_standard_library():
    """What NumPy's own functions would compute by the processor, to two units in the last place."""
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.uniform(-700, 700, 3000), 10.0 ** rng.uniform(-300, 2, 3000)])
    for function, exact, values in (
        (elementary.exp, math.exp, x),
        (elementary.expm1, math.expm1, np.concatenate([x, -x])),
        (elementary.log, math.log, np.abs(x)),
        (elementary.log1p, math.log1p, np.abs(x)),
    ):
        expected = np.array([exact(value) for value in values])
        errors = np.abs(function(values) - expected) / np.spacing(np.abs(expected))
        assert errors.max() <= 2, exact


def test_whole_arrays_keep_their_shape_and_take_the_edges():
    x = np.arange(6.0).reshape(2, 3)
    assert elementary.exp(x).shape == (2, 3) and elementary.log1p(x[:0]).shape == (0, 3)
    assert elementary.exp(x.T)[1].tolist() == elementary.exp(x)[:, 1].tolist()
    assert elementary.log1p(np.array([0.0, 5e-324])).tolist() == [0.0, 5e-324]
    edges = elementary.expm1(np.array([0.0, 5e-324, -INF, INF, 800.0, 709.782712893384]))
    assert edges[:5].tolist() == [0.0, 5e-324, -1.0, INF, INF] and edges[5] > 1e308
