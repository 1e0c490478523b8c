"""Losses: kernel against formula, gradient included, with weights and in any order of rows."""

import numpy as np
import pytest
from helpers import DTYPES, assert_close, assert_padding_zero, empty, padded, shapes

from pellucid import formulas
from pellucid.kernels import Program, execute, new_control, operation

LOSSES = ("mean_squared_error", "binary_cross_entropy", "categorical_cross_entropy")


def one_step(rows):
    """Where the targets of each row begin, and how many there are."""
    return np.arange(rows), np.ones(rows, np.int64)


def targets(name, rng, rows, columns, dtype):
    if name == "categorical_cross_entropy":
        return rng.integers(columns, size=rows)
    if name == "binary_cross_entropy":
        return rng.integers(2, size=(rows, columns)).astype(dtype)
    return rng.normal(size=(rows, columns)).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", LOSSES)
def test_kernel_equals_formula(name, dtype):
    rng = np.random.default_rng(0)
    for rows, columns in shapes(2):
        z = rng.normal(scale=3, size=(rows, columns)).astype(dtype)
        target = targets(name, rng, rows, columns, dtype)
        weight = rng.uniform(0.5, 2, size=rows).astype(dtype)
        order = rng.permutation(rows)
        gradient = empty(rows, columns, dtype)
        losses, hits, sums = np.zeros(rows), np.zeros(rows), np.zeros(2)
        execute(
            name, padded(z, dtype), 0, target, weight, *one_step(rows), order, 1, 0, gradient,
            losses, hits, columns, rows=rows, parts=2,
        )  # fmt: skip
        execute("sum_loss", losses, hits, sums, new_control(), 0, rows=rows, dtype=dtype)
        formula = getattr(formulas, name)
        backward = getattr(formulas, f"{name}_backward")
        taken, scale = target[order], weight[order].astype(float)
        expected = formula(z, taken, scale)
        assert_close(np.array(sums[0] / rows), np.array(expected), dtype)
        assert_close(gradient[:, :columns], backward(z, taken, scale), dtype)
        assert_padding_zero(gradient, columns)


@pytest.mark.parametrize("name", LOSSES)
def test_steps_are_rows_one_behind_the_other(name):
    """Of sequences cut into pieces of three steps, from their ends."""
    rng = np.random.default_rng(0)
    lengths, columns, pixel, steps = np.array([5, 1, 7]), 2, 4, 3
    starts = np.cumsum(lengths) - lengths
    target = targets(name, rng, 13, columns, "float64")
    weight, order = rng.uniform(0.5, 2, size=13), np.array([2, 0, 1])
    z = rng.normal(size=(3, steps * pixel))
    for back in (0, 3, 6):
        d, losses, hits = np.full((3, steps * pixel), np.nan), np.zeros(3), np.zeros(3)
        execute(
            name, z, pixel, target, weight, starts, lengths, order, steps, back, d, losses, hits,
            columns, rows=3,
        )  # fmt: skip
        for row, source in enumerate(order):
            tail = max(0, lengths[source] - back)
            places = starts[source] + np.arange(max(0, tail - steps), tail)
            count = len(places)
            rows = z[row].reshape(steps, pixel)[:count, :columns]
            found = d[row].reshape(steps, pixel)[:, :columns]
            assert np.isnan(found[count:]).all()
            if not count:
                assert losses[row] == hits[row] == 0
                continue
            taken, scale = target[places], weight[places]
            expected = getattr(formulas, name)(rows, taken, scale) * count
            np.testing.assert_allclose(losses[row], expected, rtol=1e-12)
            expected = getattr(formulas, f"{name}_backward")(rows, taken, scale) * count / 3
            np.testing.assert_allclose(found[:count], expected, atol=1e-12)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", LOSSES[1:])
def test_logits_of_a_thousand_do_not_overflow(name, dtype):
    z = np.array([[1000.0, -1000.0], [-1000.0, 1000.0]])
    categorical = name == "categorical_cross_entropy"
    target = np.array([1, 1]) if categorical else np.array([[0, 1], [0, 1]], dtype)
    gradient, losses = empty(2, 2, dtype), np.zeros(2)
    execute(
        name, padded(z, dtype), 0, target, np.ones(2, dtype), *one_step(2), np.arange(2), 1, 0,
        gradient, losses, np.zeros(2), 2, rows=2,
    )  # fmt: skip
    np.testing.assert_array_equal(losses, [2000, 0])
    assert np.isfinite(gradient).all()


def test_hits_are_the_rows_that_are_right():
    z = np.array([[2.0, 1.0], [1.0, 2.0], [2.0, 1.0]])
    hits = np.zeros(3)
    places = (np.ones(3), *one_step(3), np.arange(3), 1, 0)
    common = (*places, empty(3, 2, "float64"), np.zeros(3), hits, 2)
    z = padded(z, "float64")
    execute("categorical_cross_entropy", z, 0, np.array([0, 0, 0]), *common, rows=3)
    np.testing.assert_array_equal(hits, [1, 0, 1])
    labels = np.array([[1.0, 1.0], [1.0, 0.0], [1.0, 1.0]])  # every label must be right
    execute("binary_cross_entropy", z, 0, labels, *common, rows=3)
    np.testing.assert_array_equal(hits, [1, 0, 1])


@pytest.mark.parametrize("bad", (np.nan, np.inf))
def test_a_loss_that_is_no_number_halts_the_program(bad):
    control, sums = new_control(), np.zeros(4)
    losses = np.array([1.0, bad])
    program = Program(
        [operation("sum_loss", losses, np.zeros(2), sums, control, 0, halts=True)],
        "float64",
        control,
    )
    assert not program.run(0, 2, 2, 4)
    assert program.run(0, 2, 1, 2)  # the first row alone is fine
