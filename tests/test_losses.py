"""Losses: kernel against formula, gradient included, with weights and in any order of rows."""

import numpy as np
import pytest
from helpers import DTYPES, assert_close, assert_padding_zero, padded, shapes

from pellucid import Network, formulas
from pellucid.engine import Program, execute, halt_word, new_control, operation
from pellucid.kernels.operations.losses import sum_loss
from pellucid.layers import Linear
from pellucid.network.loss import LOSSES, MIXABLE, LossFunction, Mixture
from pellucid.network.passes import TrainingPass
from pellucid.rows import Examples, Targets, as_rows
from pellucid.training.augmentation import Augmentation

# quarters, so that float32 holds them
FUNCTIONS = [
    LossFunction(name, **options)
    for name in LOSSES
    for options in (
        [{"delta": 0.75}, {"delta": 2.0}] if name == "huber_loss" else
        [{"quantile": 0.25}, {"quantile": 0.5}, {"quantile": 0.875}] if name == "pinball_loss" else
        [{}]
    )
]  # fmt: skip
NUMBERS = ("mean_squared_error", "mean_absolute_error", "huber_loss", "pinball_loss")


def shown(function):
    return " ".join([function.name, *map(str, function.options.values())])


every_loss = pytest.mark.parametrize("loss", FUNCTIONS, ids=shown)


def run(
    loss, y, target, weight, order, columns, steps=1, back=0, pixel=0, lengths=None, parts=1,
    mixture=None, whole=(),
):  # fmt: skip
    """What the kernel of `loss` writes: gradient, losses, hits. A row has one target by default."""
    loss = LossFunction.of(loss)
    mixed = (mixture or Mixture.of(0))._asdict() if loss.name in MIXABLE else {}
    rows = len(y)
    lengths = np.ones(rows, np.int64) if lengths is None else lengths
    d, losses, hits = np.full_like(y, np.nan), np.zeros(rows), np.zeros(rows)
    d[:, columns:] = 0 if steps == 1 else np.nan
    kernel = LOSSES[loss.name](
        y=y, pixel=pixel, target=target, weight=weight, starts=np.cumsum(lengths) - lengths,
        lengths=lengths, order=order, steps=steps, back=back, d=d, losses=losses, hits=hits,
        columns=columns, whole=np.array(whole, np.int64), **loss.options, **mixed,
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
@every_loss
def test_kernel_equals_formula(loss, dtype):
    name = loss.name
    rng = np.random.default_rng(0)
    for rows, columns in shapes(2):
        z = rng.normal(scale=3, size=(rows, columns)).astype(dtype)
        target = targets(name, rng, rows, columns, dtype)
        weight = rng.uniform(0.5, 2, size=rows).astype(dtype)
        order = rng.permutation(rows)
        gradient, losses, hits = run(
            loss, padded(z, dtype), target, weight, order, columns, parts=2
        )
        sums, halt = np.zeros(2), np.zeros(1, np.int64)
        whole = sum_loss(losses=losses, hits=hits, sums=sums, halt=halt, adds=False)
        execute(whole, rows=rows, dtype=dtype)
        formula = getattr(formulas, name)
        backward = getattr(formulas, f"{name}_backward")
        taken, scale = target[order], weight[order].astype(float)
        expected = formula(z, taken, scale, **loss.options)
        assert_close(np.array(sums[0] / rows), np.array(expected), dtype)
        expected = backward(z, taken, scale, **loss.options)
        assert_close(gradient[:, :columns], expected, dtype)
        assert_padding_zero(gradient, columns)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", MIXABLE)
def test_mixed_rows_have_two_labels(name, dtype):
    """Kernel against formula, whose gradient is held against central differences elsewhere."""
    rng = np.random.default_rng(0)
    for rows, columns in ((1, 3), (2, 1), (9, 4), (32, 10)):
        z = rng.normal(scale=3, size=(rows, columns)).astype(dtype)
        target = targets(name, rng, rows, columns, dtype)
        weight = rng.uniform(0.5, 2, size=rows).astype(dtype)
        weight[1 : rows // 3] = 0
        order = rng.permutation(rows)
        mixture = Mixture(np.arange(rows)[::-1].copy(), rng.uniform(size=rows))
        mixture.share[::2] = rng.choice([0.0, 1.0], size=len(mixture.share[::2]))
        found = run(name, padded(z, dtype), target, weight, order, columns, mixture=mixture)
        gradient, losses, hits = found
        taken, scale = target[order], weight[order].astype(float)
        rows_of = np.eye(columns)[taken] if name == "categorical_cross_entropy" else taken
        soft, scale = formulas.mixed_targets(rows_of, mixture.partner, mixture.share, scale)
        expected = getattr(formulas, name)(z, soft, scale)
        assert_close(np.array(losses.sum() / rows), np.array(expected), dtype)
        expected = getattr(formulas, f"{name}_backward")(z, soft, scale)
        assert_close(gradient[:, :columns], expected, dtype)
        assert_padding_zero(gradient, columns)
        plain = run(name, padded(z, dtype), target, weight, order, columns)
        np.testing.assert_array_equal(hits, plain[2])  # of the own label
        whole = mixture.share == 1
        for one, other in zip(found, plain, strict=True):
            np.testing.assert_array_equal(one[whole], other[whole])
        for parts in (2, 5):
            again = run(
                name, padded(z, dtype), target, weight, order, columns, parts=parts, mixture=mixture
            )
            for one, other in zip(found, again, strict=True):
                np.testing.assert_array_equal(one, other)


def test_numbers_are_not_mixed():
    with pytest.raises(ValueError, match="rows that are mixed must have one label each"):
        training_pass("mean_squared_error", np.zeros((4, 1)))
    training_pass("binary_cross_entropy", np.zeros((4, 1))).reader.close()


def training_pass(loss, y):
    network = Network([Linear(1)]).build((3,), random_state=0)
    examples = Examples(as_rows(np.zeros((4, 3)), "float32"), Targets.by_row(y))
    change = Augmentation(cutmix=0.5)
    return TrainingPass(network.chain, network.held, examples, loss, 4, change=change)


@every_loss
def test_steps_are_rows_one_behind_the_other(loss):
    """Of sequences cut into pieces of three steps, from their ends."""
    name = loss.name
    rng = np.random.default_rng(0)
    lengths, columns, pixel, steps = np.array([5, 1, 7]), 2, 4, 3
    starts = np.cumsum(lengths) - lengths
    target = targets(name, rng, 13, columns, "float64")
    weight, order = rng.uniform(0.5, 2, size=13), np.array([2, 0, 1])
    z = rng.normal(size=(3, steps * pixel))
    for back in (0, 3, 6):
        d, losses, hits = run(loss, z, target, weight, order, columns, steps, back, pixel, lengths)
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
            expected = getattr(formulas, name)(rows, taken, scale, **loss.options) * count
            np.testing.assert_allclose(losses[row], expected, rtol=1e-12)
            backward = getattr(formulas, f"{name}_backward")
            expected = backward(rows, taken, scale, **loss.options) * count / 3
            np.testing.assert_allclose(found[:count], expected, atol=1e-12)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ("binary_cross_entropy", "categorical_cross_entropy"))
def test_logits_of_a_thousand_do_not_overflow(name, dtype):
    z = np.array([[1000.0, -1000.0], [-1000.0, 1000.0]])
    categorical = name == "categorical_cross_entropy"
    target = np.array([1, 1]) if categorical else np.array([[0, 1], [0, 1]], dtype)
    gradient, losses, _ = run(name, padded(z, dtype), target, np.ones(2, dtype), np.arange(2), 2)
    np.testing.assert_array_equal(losses, [2000, 0])
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("loss", [one for one in FUNCTIONS if one.name in NUMBERS], ids=shown)
def test_no_error_no_gradient(loss, dtype):
    """At the kink too, where formula and kernel take the same one of all subgradients."""
    z, target = np.array([[1.0, -2.0], [0.5, 3.0]]), np.array([[1.0, -2.5], [0.5, 3.0]])
    gradient, losses, _ = run(
        loss, padded(z, dtype), target.astype(dtype), np.ones(2, dtype), np.arange(2), 2
    )
    backward = getattr(formulas, f"{loss.name}_backward")
    np.testing.assert_array_equal(gradient[:, :2], backward(z, target, **loss.options))
    assert np.count_nonzero(gradient) == 1 and losses[0] > 0 == losses[1]


@pytest.mark.parametrize("bad", (np.nan, np.inf, -np.inf))
@pytest.mark.parametrize("name", NUMBERS)
def test_an_output_that_is_no_number_gives_no_finite_loss(name, bad):
    """Else a training that ran away would not halt where the gradient does not grow."""
    losses = run(name, np.array([[bad, 1.0]]), np.zeros((1, 2)), np.ones(1), np.arange(1), 2)[1]
    assert not np.isfinite(losses).any()


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_constants_learn_what_the_loss_is_best_at(name, dtype):
    """Mean, median, something between the two, and a quantile of the targets."""
    y = np.array([0.0, 1.0, 1.5, 2.5, 50.0])[:, None]
    for quantile, best in ((0.3, 1.0), (0.7, 2.5)):
        loss = LossFunction(name, quantile=quantile)
        network = Network([Linear(1)]).build(1, dtype, 0)
        total = []
        for b in np.linspace(-1, 51, 1041):
            network.set_parameters({"0.weight": np.zeros((1, 1)), "0.bias": np.array([b])})
            total.append(network.gradients(np.zeros((5, 1)), y, loss)[0])
        found = np.linspace(-1, 51, 1041)[np.argmin(total)]
        expected = {
            "mean_squared_error": 11.0, "mean_absolute_error": 1.5, "huber_loss": 1.5 + 1 / 6,
            "pinball_loss": best,
        }  # fmt: skip
        assert found == pytest.approx(expected[name], abs=0.03)


def test_numbers_of_losses_are_checked():
    for loss, words in (
        ({"name": "pinball_loss", "quantile": 1.0}, r"quantile of Network must be a number in \(0"),
        ({"name": "huber_loss", "delta": 0}, "delta of Network must be a number above 0"),
        ({"name": "pinbal_loss"}, "loss of Network must be one of .* Did you mean 'pinball_loss'"),
    ):
        with pytest.raises(ValueError, match=words):
            LossFunction(**loss)


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


@every_loss
def test_rows_of_a_shard_are_divided_by_those_of_the_whole_batch(loss):
    rng, name = np.random.default_rng(4), LossFunction.of(loss).name
    y, weight = rng.normal(size=(4, 3)), np.ones(4)
    target = targets(name, rng, 4, 3, np.float64)
    alone = run(loss, y.copy(), target, weight, np.arange(4), 3)
    shard = run(loss, y.copy(), target, weight, np.arange(4), 3, whole=[16])
    np.testing.assert_array_equal(shard[0], alone[0] / 4)
    np.testing.assert_array_equal(shard[1:], alone[1:])
