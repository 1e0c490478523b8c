"""Losses: kernel against formula, gradient included, with weights and in any order of rows."""

import numpy as np
import pytest
from helpers import DTYPES, assert_close, assert_padding_zero, padded, shapes

from pellucid import Network, formulas
from pellucid.engine import Program, execute, halt_word, new_control, operation
from pellucid.kernels.operations.losses import sum_loss
from pellucid.layers import Linear
from pellucid.network.loss import LOSSES

NAMES = tuple(LOSSES)


def run(name, y, target, weight, order, columns, steps=1, back=0, pixel=0, lengths=None, parts=1):
    """What the kernel `name` writes: gradient, losses, hits. By default a row has one target."""
    rows = len(y)
    lengths = np.ones(rows, np.int64) if lengths is None else lengths
    d, losses, hits = np.full_like(y, np.nan), np.zeros(rows), np.zeros(rows)
    d[:, columns:] = 0 if steps == 1 else np.nan
    kernel = LOSSES[name](
        y=y, pixel=pixel, target=target, weight=weight, starts=np.cumsum(lengths) - lengths,
        lengths=lengths, order=order, steps=steps, back=back, d=d, losses=losses, hits=hits,
        columns=columns,
    )  # fmt: skip
    execute(kernel, rows=rows, parts=parts)
    return d, losses, hits


def targets(name, rng, rows, columns, dtype):
    if name == "categorical_cross_entropy":
        return rng.integers(columns, size=rows)
    if name == "binary_cross_entropy":
        return rng.integers(2, size=(rows, columns)).astype(dtype)
    return rng.normal(size=(rows, columns)).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NAMES)
def test_kernel_equals_formula(name, dtype):
    rng = np.random.default_rng(0)
    for rows, columns in shapes(2):
        z = rng.normal(scale=3, size=(rows, columns)).astype(dtype)
        target = targets(name, rng, rows, columns, dtype)
        weight = rng.uniform(0.5, 2, size=rows).astype(dtype)
        order = rng.permutation(rows)
        gradient, losses, hits = run(
            name, padded(z, dtype), target, weight, order, columns, parts=2
        )
        sums, halt = np.zeros(2), np.zeros(1, np.int64)
        whole = sum_loss(losses=losses, hits=hits, sums=sums, halt=halt, adds=False)
        execute(whole, rows=rows, dtype=dtype)
        formula = getattr(formulas, name)
        backward = getattr(formulas, f"{name}_backward")
        taken, scale = target[order], weight[order].astype(float)
        expected = formula(z, taken, scale)
        assert_close(np.array(sums[0] / rows), np.array(expected), dtype)
        assert_close(gradient[:, :columns], backward(z, taken, scale), dtype)
        assert_padding_zero(gradient, columns)


@pytest.mark.parametrize("name", NAMES)
def test_steps_are_rows_one_behind_the_other(name):
    """Of sequences cut into pieces of three steps, from their ends."""
    rng = np.random.default_rng(0)
    lengths, columns, pixel, steps = np.array([5, 1, 7]), 2, 4, 3
    starts = np.cumsum(lengths) - lengths
    target = targets(name, rng, 13, columns, "float64")
    weight, order = rng.uniform(0.5, 2, size=13), np.array([2, 0, 1])
    z = rng.normal(size=(3, steps * pixel))
    for back in (0, 3, 6):
        d, losses, hits = run(name, z, target, weight, order, columns, steps, back, pixel, lengths)
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
@pytest.mark.parametrize("name", NAMES[1:])
def test_logits_of_a_thousand_do_not_overflow(name, dtype):
    z = np.array([[1000.0, -1000.0], [-1000.0, 1000.0]])
    categorical = name == "categorical_cross_entropy"
    target = np.array([1, 1]) if categorical else np.array([[0, 1], [0, 1]], dtype)
    gradient, losses, _ = run(name, padded(z, dtype), target, np.ones(2, dtype), np.arange(2), 2)
    np.testing.assert_array_equal(losses, [2000, 0])
    assert np.isfinite(gradient).all()


def test_hits_are_the_rows_that_are_right():
    z = np.array([[2.0, 1.0], [1.0, 2.0], [2.0, 1.0]])
    labels = np.array([[1.0, 1.0], [1.0, 0.0], [1.0, 1.0]])  # every label must be right
    for name, target in (
        ("categorical_cross_entropy", np.array([0, 0, 0])), ("binary_cross_entropy", labels),
    ):  # fmt: skip
        hits = run(name, padded(z, "float64"), target, np.ones(3), np.arange(3), 2)[2]
        np.testing.assert_array_equal(hits, [1, 0, 1])


@pytest.mark.parametrize("bad", (np.nan, np.inf))
def test_a_loss_that_is_no_number_halts_the_program(bad):
    control, sums = new_control(), np.zeros(4)
    losses = np.array([1.0, bad])
    whole = sum_loss(
        losses=losses, hits=np.zeros(2), sums=sums, halt=halt_word(control), adds=False
    )
    program = Program([operation(whole, halts=True)], "float64", control)
    assert not program.run(0, 2, 2, 4)
    assert program.run(0, 2, 1, 2)  # the first row alone is fine


@pytest.mark.parametrize("y", [[0.5, 1, 2], [0, 1, np.nan], ["a", "b", "c"]])
def test_classes_are_whole_numbers(y):
    network = Network([Linear(3)]).build((2,), random_state=0)
    with pytest.raises(ValueError, match="y of categorical_cross_entropy must hold whole numbers"):
        network.gradients(np.zeros((3, 2)), y, "categorical_cross_entropy")
