"""Ridge regression: formula against scikit-learn, kernel against formula, sums over rows."""

import numpy as np
import pytest
from helpers import DTYPES, SIZES, assert_close
from sklearn.linear_model import Ridge as Reference

from pellucid import formulas
from pellucid.engine import execute
from pellucid.kernels.operations.ridge import solve_positive
from pellucid.network import ridge as network_ridge
from pellucid.network.ridge import Ridge
from pellucid.rows import Dense, Examples, Targets


def data(rows, inputs, outputs, seed=0):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(3, 2, size=(rows, inputs)), rng.normal(-1, 5, size=(rows, outputs))
    return x, y, rng.uniform(0.1, 3, size=rows)


def examples(x, y, weight=None, dtype="float64"):
    weight = np.ones(len(x)) if weight is None else weight
    return Examples(
        Dense(np.ascontiguousarray(x, dtype=dtype)),
        Targets.by_row(np.ascontiguousarray(y, dtype=dtype), weight.astype(dtype)),
    )


# -- the formula ---------------------------------------------------------------------------------


@pytest.mark.parametrize("weighted", (False, True))
@pytest.mark.parametrize(("rows", "inputs", "outputs"), [(1, 1, 1), (5, 9, 2), (100, 7, 3)])
def test_the_formula_equals_scikit_learn(rows, inputs, outputs, weighted):
    """Also with more columns than rows, where without a penalty there is no one answer."""
    x, y, w = data(rows, inputs, outputs)
    w = w if weighted else None
    reference = Reference(alpha=0.7, solver="cholesky").fit(x, y, w)
    found = formulas.ridge(x, y, 0.7, w)
    np.testing.assert_allclose(found.weight, reference.coef_.reshape(outputs, -1).T, atol=1e-11)
    np.testing.assert_allclose(found.bias, np.ravel(reference.intercept_), atol=1e-11)


def test_the_formula_is_where_the_loss_has_no_slope():
    """The gradient of ``sum w |y - x W - b|^2 + penalty |W|^2`` is 0 there, by its definition."""
    x, y, w = data(20, 4, 2)
    fit = formulas.ridge(x, y, 0.3, w)
    left = w[:, None] * (x @ fit.weight + fit.bias - y)
    np.testing.assert_allclose(x.T @ left + 0.3 * fit.weight, 0, atol=1e-11)
    np.testing.assert_allclose(left.sum(axis=0), 0, atol=1e-11)
    # one row of weight 2 is that row twice
    twice = formulas.ridge(x, y, 0.3, np.where(np.arange(20) == 3, 2.0, 1.0))
    repeated = formulas.ridge(np.vstack([x, x[3]]), np.vstack([y, y[3]]), 0.3)
    np.testing.assert_allclose(twice.weight, repeated.weight, atol=1e-12)


def test_the_factor_is_cholesky_s():
    a = np.random.default_rng(0).normal(size=(9, 9))
    a = a @ a.T + np.eye(9)
    u = formulas.cholesky(a)
    np.testing.assert_allclose(u, np.linalg.cholesky(a).T, atol=1e-12)
    b = np.arange(18.0).reshape(9, 2)
    np.testing.assert_allclose(formulas.cholesky_solve(u, b), np.linalg.solve(a, b), atol=1e-10)


# -- the kernel ----------------------------------------------------------------------------------


@pytest.mark.parametrize("outputs", (1, 3, 8))
@pytest.mark.parametrize("size", SIZES)
def test_the_kernel_equals_the_formula(size, outputs):
    rng = np.random.default_rng(size)
    a = rng.normal(size=(size, size + 3))
    a, b = a @ a.T + np.eye(size), rng.normal(size=(size, outputs))
    u = formulas.cholesky(a)
    factor, x = np.ascontiguousarray(np.triu(a)), b.copy()  # the lower triangle counts nothing
    execute(solve_positive(a=factor, b=x))
    np.testing.assert_allclose(np.triu(factor), u, rtol=0, atol=1e-11)
    assert_close(x, formulas.cholesky_solve(u, b), "float64")


# -- the sums over rows --------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("weighted", (False, True))
@pytest.mark.parametrize(("rows", "inputs", "outputs"), [(1, 1, 1), (33, 9, 2), (100, 31, 5)])
def test_it_equals_the_formula(rows, inputs, outputs, weighted, dtype, monkeypatch):
    """Whatever the rows that are in hand at a time, to the bit, and on any number of threads."""
    x, y, w = (part.astype(dtype) for part in data(rows, inputs, outputs))
    given = examples(x, y, w if weighted else None, dtype)
    ridge = Ridge(given, dtype)
    expected = formulas.ridge(x, y, 1.0, w if weighted else None)
    assert_close(ridge.gram, expected.gram, "float64")
    assert_close(ridge.moments, expected.moments, "float64")
    penalty = max(0.01 * np.trace(ridge.gram) / inputs, 1e-10)
    expected = formulas.ridge(x, y, penalty, w if weighted else None)
    weight, bias = ridge.solve(0.01)
    if rows > 1:  # of one row nothing is left, but what rounding leaves
        np.testing.assert_allclose(weight, expected.weight, rtol=0, atol=1e-9)
        np.testing.assert_allclose(bias, expected.bias, rtol=0, atol=1e-9)
    for jobs in (1, 2, 3):
        other = Ridge(given, dtype, jobs)
        np.testing.assert_array_equal(other.gram, ridge.gram)
        np.testing.assert_array_equal(other.solve(0.01)[0], weight)
    monkeypatch.setattr(network_ridge, "_BLOCK_BYTES", 1 << 10)
    assert_close(Ridge(given, dtype).gram, ridge.gram, "float64")


def test_rows_of_steps_are_taken_whole():
    x, y, _ = data(40, 12, 2)
    other = Examples(Dense(x.reshape(40, 4, 3)), Targets.by_row(y, np.ones(40)))
    np.testing.assert_array_equal(
        Ridge(other, "float64").solve(0.1)[0], Ridge(examples(x, y), "float64").solve(0.1)[0]
    )


@pytest.mark.parametrize(
    "x",
    (
        np.full((30, 4), 5.0),
        np.zeros((30, 4)),
        np.tile(np.arange(30.0)[:, None], 4),  # each column is the others
        np.column_stack([np.arange(30.0), np.full(30, 10.0), np.zeros(30), np.full(30, 0.1)]),
    ),
    ids=("constant", "zero", "alike", "one that varies"),
)
@pytest.mark.parametrize("penalty", (0.0, 1e-3, 1e-1))
def test_columns_without_anything_of_their_own_leave_the_weights_small(x, penalty):
    """There the normal equations have no one answer: rounding must not become a weight."""
    y = np.arange(30.0)[:, None]
    weight, bias = Ridge(examples(x, y), "float64").solve(penalty)
    assert np.isfinite(weight).all() and np.isfinite(bias).all() and np.abs(weight).max() < 1.1
    predicted = x @ weight + bias
    still = (x == x[0]).all()
    np.testing.assert_allclose(predicted, np.full_like(y, 14.5) if still else y, atol=1.5)


def test_a_straight_line_is_found():
    """Windows of 0, 1, 2, ...: what comes next is one more, to the last digits."""
    steps = np.arange(60.0)[np.arange(50)[:, None] + np.arange(6)]
    x = steps - steps[:, -1:]
    weight, bias = Ridge(examples(x, np.ones((50, 1))), "float64").solve(1e-3)
    np.testing.assert_allclose(x @ weight + bias, 1, atol=1e-12)
