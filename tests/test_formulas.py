"""Every formula against central differences, against identities, and against PyTorch."""

from __future__ import annotations

import functools
import inspect
import itertools
import zlib

import numpy as np
import pytest
from finite_differences import assert_gradient, central_difference
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pellucid import formulas

SIZES = [1, 7, 8, 9, 31, 33, 100]
# Every size in each dimension, beside another size, and the corners.
SHAPES = [*zip(SIZES, SIZES[3:] + SIZES[:3], strict=True), (1, 1), (100, 1), (1, 100)]
BY_ENTRY = ["identity", "sigmoid", "tanh", "relu", "leaky_relu"]
NUMBER_LOSSES = ["mean_squared_error", "mean_absolute_error", "huber_loss", "pinball_loss"]
LOSSES = [*NUMBER_LOSSES, "binary_cross_entropy", "categorical_cross_entropy"]


def draw(*key):
    """Random numbers of a test's own, the same in every run."""
    return np.random.default_rng(zlib.crc32(repr(key).encode()))


def off_the_corner(x):
    """`x` with no entry so near 0 that a finite difference would see both sides of a corner."""
    return np.where(np.abs(x) < 0.05, np.where(x < 0, -0.05, 0.05), x)


def named(name):
    return getattr(formulas, name)


# ---------------------------------------------------------------------------------- the package


def test_every_public_name_is_listed_and_documented():
    functions = [name for name in formulas.__all__ if inspect.isfunction(named(name))]
    assert len(functions) >= 80
    for name in functions:
        text = inspect.getdoc(named(name))
        for part in ("Formula:", "Parameters\n---", "Returns\n---", "References\n---", ">>> "):
            assert part in text, f"{name} does not show its {part!r}"


# ---------------------------------------------------------------------------------- activations


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", BY_ENTRY)
def test_activation_gradient(name, shape):
    random = draw(name, shape)
    x, dy = off_the_corner(2 * random.standard_normal(shape)), random.standard_normal(shape)
    activation, backward = named(name), named(f"{name}_backward")

    def loss(x):
        return np.sum(dy * activation(x))

    assert_gradient(loss, backward(dy, activation(x)), x)
    assert_gradient(loss, dy * named(f"{name}_derivative")(x), x)


@pytest.mark.parametrize("slope", [0.0, 0.2, 1.0, 3.0])
def test_leaky_relu_slope(slope):
    random = draw("slope", slope)
    x, dy = off_the_corner(random.standard_normal((8, 9))), random.standard_normal((8, 9))

    def loss(x):
        return np.sum(dy * formulas.leaky_relu(x, slope))

    assert_gradient(loss, formulas.leaky_relu_backward(dy, formulas.leaky_relu(x, slope), slope), x)
    assert_gradient(loss, dy * formulas.leaky_relu_derivative(x, slope), x)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("axis", [0, -1])
def test_softmax_gradient(shape, axis):
    random = draw("softmax", shape, axis)
    z, dy = 2 * random.standard_normal(shape), random.standard_normal(shape)

    def loss(z):
        return np.sum(dy * formulas.softmax(z, axis=axis))

    dz = formulas.softmax_backward(dy, formulas.softmax(z, axis=axis), axis=axis)
    assert_gradient(loss, dz, z)
    np.testing.assert_allclose(dz.sum(axis=axis), 0, atol=1e-14)


@pytest.mark.parametrize("classes", SIZES)
def test_softmax_jacobian(classes):
    random = draw("jacobian", classes)
    z = random.standard_normal((3, classes))
    y, J = formulas.softmax(z), formulas.softmax_jacobian(z)

    assert J.shape == (3, classes, classes)
    diagonal = np.diagonal(J, axis1=1, axis2=2)
    np.testing.assert_array_equal(diagonal, y * (1 - y))
    np.testing.assert_array_equal(diagonal, formulas.softmax_derivative(z))
    np.testing.assert_array_equal(J, J.transpose(0, 2, 1))
    np.testing.assert_allclose(J.sum(axis=2), 0, atol=1e-15)
    for row, i in itertools.product(range(3), range(min(classes, 9))):
        outer = -y[row, i] * np.delete(y[row], i)
        np.testing.assert_array_equal(np.delete(J[row, i], i), outer)
        assert_gradient(lambda z, i=i: formulas.softmax(z)[i], J[row, i], z[row])

    dy = random.standard_normal(z.shape)
    product = np.einsum("nij,ni->nj", J, dy)
    np.testing.assert_allclose(formulas.softmax_backward(dy, y), product, rtol=0, atol=1e-15)


@pytest.mark.parametrize("name", [*BY_ENTRY, "softmax"])
def test_activation_zero_gradient_in_gives_zero_out(name):
    y = named(name)(draw(name).standard_normal((7, 9)))
    dx = named(f"{name}_backward")(np.zeros_like(y), y)
    np.testing.assert_array_equal(dx, np.zeros_like(y))


@pytest.mark.parametrize("name", [*BY_ENTRY, "softmax"])
@pytest.mark.parametrize("size", [1000.0, 1e300])
def test_activation_far_out(name, size):
    x = np.array([-size, -1.0, 0.0, 1.0, size])
    y = named(name)(x)
    assert np.isfinite(y).all()
    assert np.isfinite(named(f"{name}_derivative")(x)).all()
    assert np.isfinite(named(f"{name}_backward")(np.ones(5), y)).all()


def test_activations_far_out_reach_their_limits():
    far = [-1000.0, 1000.0]
    np.testing.assert_array_equal(formulas.sigmoid(far), [0, 1])
    np.testing.assert_array_equal(formulas.sigmoid_derivative(far), [0, 0])
    np.testing.assert_array_equal(formulas.tanh(far), [-1, 1])
    np.testing.assert_array_equal(formulas.tanh_derivative(far), [0, 0])
    np.testing.assert_array_equal(formulas.softmax(far), [0, 1])
    np.testing.assert_array_equal(formulas.softmax_jacobian(far), np.zeros((2, 2)))


def test_sigmoid_keeps_its_digits_in_both_tails():
    x = np.array([30.0, 40.0, 300.0, 700.0])
    np.testing.assert_allclose(formulas.sigmoid(-x), np.exp(-x), rtol=1e-12)
    np.testing.assert_allclose(formulas.sigmoid_derivative(-x), np.exp(-x), rtol=1e-12)
    np.testing.assert_allclose(formulas.sigmoid_derivative(x), np.exp(-x), rtol=1e-12)


def test_derivatives_at_the_corner():
    assert formulas.relu_derivative([0.0, -0.0]).tolist() == [0, 0]
    assert formulas.relu_backward([1.0, 1.0], [0.0, -0.0]).tolist() == [0, 0]
    assert formulas.leaky_relu_derivative([0.0], 0.25).tolist() == [0.25]
    assert formulas.leaky_relu_backward([1.0], [0.0], 0.25).tolist() == [0.25]


@pytest.mark.parametrize("name", BY_ENTRY)
def test_activation_leaves_its_input_alone(name):
    x = np.array([-1.0, 2.0])
    y = named(name)(x)
    y += 1
    dx = named(f"{name}_backward")(x, y)
    dx += 1
    np.testing.assert_array_equal(x, [-1, 2])


numbers = st.floats(-1e6, 1e6)
rows = arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(1, 9)), elements=numbers)


@given(z=rows)
def test_softmax_is_a_distribution(z):
    y = formulas.softmax(z)
    assert (y >= 0).all()
    np.testing.assert_allclose(y.sum(axis=1), 1, rtol=1e-15 * z.shape[1] + 1e-15)


@given(z=rows.map(np.round), shift=st.integers(-(10**6), 10**6))
def test_softmax_does_not_see_a_shift(z, shift):
    # Whole numbers, whose sums and differences are exact: the outputs are equal to the bit.
    np.testing.assert_array_equal(formulas.softmax(z + shift), formulas.softmax(z))


@given(z=rows)
def test_softmax_keeps_the_order(z):
    order = np.argsort(z, axis=1)
    assert (np.diff(np.take_along_axis(formulas.softmax(z), order, axis=1), axis=1) >= 0).all()


@given(x=arrays(np.float64, st.integers(1, 9), elements=st.floats(-1e300, 1e300)))
def test_sigmoid_is_symmetric(x):
    np.testing.assert_allclose(formulas.sigmoid(x) + formulas.sigmoid(-x), 1, rtol=3e-16)


@given(x=arrays(np.float64, st.integers(1, 9), elements=st.floats(-300, 300)))
def test_tanh_is_a_sigmoid(x):
    np.testing.assert_allclose(formulas.tanh(x), 2 * formulas.sigmoid(2 * x) - 1, atol=1e-15)


@given(x=arrays(np.float64, st.integers(1, 9), elements=st.floats(-1e300, 1e300)))
def test_relu_splits_a_number_in_two(x):
    np.testing.assert_array_equal(formulas.relu(x) - formulas.relu(-x), x)
    np.testing.assert_array_equal(formulas.leaky_relu(x, 0.0), formulas.relu(x))
    np.testing.assert_array_equal(formulas.leaky_relu(x, 1.0), formulas.identity(x))


# --------------------------------------------------------------------------------------- linear


@pytest.mark.parametrize("rows", SIZES)
@pytest.mark.parametrize(("inputs", "outputs"), SHAPES)
def test_linear_gradient(rows, inputs, outputs):
    random = draw("linear", rows, inputs, outputs)
    x, W = random.standard_normal((rows, inputs)), random.standard_normal((inputs, outputs))
    b, dy = random.standard_normal(outputs), random.standard_normal((rows, outputs))
    scale = 1 / dy.size  # keeps the loss, and with it the rounding, of moderate size

    def loss(x, W, b):
        return scale * np.sum(dy * formulas.linear(x, W, b))

    gradients = formulas.linear_backward(scale * dy, x, W)
    assert_gradient(lambda x: loss(x, W, b), gradients.dx, x)
    assert_gradient(lambda W: loss(x, W, b), gradients.dW, W)
    assert_gradient(lambda b: loss(x, W, b), gradients.db, b)


def test_linear_zero_gradient_in_gives_zero_out():
    x, W = draw("zero").standard_normal((7, 8)), draw("zero").standard_normal((8, 9))
    for gradient in formulas.linear_backward(np.zeros((7, 9)), x, W):
        np.testing.assert_array_equal(gradient, np.zeros_like(gradient))


# -------------------------------------------------------------------------------------- dropout


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("rate", [0.0, 0.3, 0.9])
def test_dropout_gradient(shape, rate):
    random = draw("dropout", shape, rate)
    x, dy = random.standard_normal(shape), random.standard_normal(shape)
    mask = random.random(shape) >= rate

    def loss(x):
        return np.sum(dy * formulas.dropout(x, mask, rate))

    assert_gradient(loss, formulas.dropout_backward(dy, mask, rate), x)


def test_dropout_keeps_the_mean_and_the_zero():
    random = draw("dropout mean")
    x, mask = np.ones((100, 1000)), random.random((100, 1000)) >= 0.25
    y = formulas.dropout(x, mask, 0.25)
    assert set(np.unique(y)) == {0, 1 / 0.75}
    assert abs(y.mean() - 1) < 0.01
    np.testing.assert_array_equal(formulas.dropout(x, np.ones_like(x), 0.0), x)
    np.testing.assert_array_equal(formulas.dropout_backward(0 * x, mask, 0.25), 0 * x)


# --------------------------------------------------------------------------------------- losses


def loss_case(name, shape, random):
    """A prediction and a target of `shape` for the loss called `name`, away from its corners."""
    prediction = 2 * random.standard_normal(shape)
    if name in NUMBER_LOSSES:
        error = off_the_corner(prediction - random.standard_normal(shape))
        for corner in (-1.0, 1.0):  # Huber's, for a delta of 1
            error = corner + off_the_corner(error - corner)
        return prediction, prediction - error
    if name == "binary_cross_entropy":
        return prediction, random.integers(0, 2, shape)
    return prediction, random.integers(0, shape[1], shape[0])


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", LOSSES)
def test_loss_gradient(name, shape, weighted):
    random = draw(name, shape, weighted)
    prediction, target = loss_case(name, shape, random)
    weight = random.random(shape[0]) if weighted else None
    gradient = named(f"{name}_backward")(prediction, target, weight)
    assert_gradient(lambda p: named(name)(p, target, weight), gradient, prediction)
    assert type(named(name)(prediction, target, weight)) is float


@pytest.mark.parametrize("rows", SIZES)
@pytest.mark.parametrize("name", [*NUMBER_LOSSES, "binary_cross_entropy"])
def test_loss_of_one_column_needs_no_second_axis(name, rows):
    random = draw(name, rows)
    prediction, target = loss_case(name, rows, random)
    weight = random.random(rows)
    gradient = named(f"{name}_backward")(prediction, target, weight)
    assert_gradient(lambda p: named(name)(p, target, weight), gradient, prediction)
    column = named(f"{name}_backward")(prediction[:, None], target[:, None], weight)
    np.testing.assert_array_equal(gradient, column[:, 0])


def test_loss_of_probabilities():
    random = draw("probabilities")
    logits, target = random.standard_normal((9, 7)), random.dirichlet(np.ones(7), size=9)
    for name in ("binary_cross_entropy", "categorical_cross_entropy"):
        gradient = named(f"{name}_backward")(logits, target)
        assert_gradient(lambda z, name=name: named(name)(z, target), gradient, logits)


@pytest.mark.parametrize("name", ["binary_cross_entropy", "categorical_cross_entropy"])
def test_mixed_targets(name):
    """The loss is what each label's own loss is by its share and weight; its gradient is it too."""
    random = draw("mixed", name)
    z, target = random.standard_normal((8, 5)), np.eye(5)[random.integers(0, 5, 8)]
    partner, share, weight = random.permutation(8), random.random(8), random.random(8)
    share[:2], weight[2] = (0, 1), 0
    soft, scale = formulas.mixed_targets(target, partner, share, weight)
    own = named(name)(z, target, share * weight)
    other = named(name)(z, target[partner], (1 - share) * weight[partner])
    assert named(name)(z, soft, scale) == pytest.approx(own + other, rel=1e-14)
    gradient = named(f"{name}_backward")(z, soft, scale)
    assert_gradient(lambda z: named(name)(z, soft, scale), gradient, z)
    nothing = formulas.mixed_targets(target, partner, share, np.zeros(8))
    np.testing.assert_array_equal(nothing.target, target)
    assert not nothing.weight.any()
    alone = formulas.mixed_targets(target, partner, np.ones(8))
    np.testing.assert_array_equal(alone.target, target)
    with pytest.raises(ValueError, match=r"^share of mixed_targets must be .*1\]. Got 1.5"):
        formulas.mixed_targets(target, partner, np.full(8, 1.5))
    with pytest.raises(ValueError, match=r"^partner of mixed_targets must be .* shape \(8,\)"):
        formulas.mixed_targets(target, partner[1:], share)


def test_losses_by_hand():
    # 1/(2*2) * ((1-0)^2 + (2-0)^2 + (3-3)^2 + (4-2)^2) = 9/4
    assert formulas.mean_squared_error([[1, 2], [3, 4]], [[0, 0], [3, 2]]) == 9 / 4
    # (|1| + |2| + |0| + |2|) / 2, and 1/2 (1/2 + 3/2 + 0 + 3/2), and 3/4 of errors above, 1/4 below
    assert formulas.mean_absolute_error([[1, 2], [3, 4]], [[0, 0], [3, 2]]) == 5 / 2
    assert formulas.huber_loss([[1, 2], [3, 4]], [[0, 0], [3, 2]]) == 7 / 4
    assert formulas.pinball_loss([[1, 2], [3, 4]], [[2, 0], [3, 2]], quantile=0.75) == 7 / 8
    log_odds = np.log(3)  # the logit of 3/4
    expected = -(np.log(3 / 4) + np.log(1 / 4)) / 2
    assert formulas.binary_cross_entropy([log_odds, log_odds], [1, 0]) == pytest.approx(expected)
    # three classes of weights 1, 2, 5: probabilities 1/8, 2/8, 5/8
    z = np.log([[1, 2, 5], [1, 2, 5]])
    expected = -(np.log(2 / 8) + np.log(5 / 8)) / 2
    assert formulas.categorical_cross_entropy(z, [1, 2]) == pytest.approx(expected)


@pytest.mark.parametrize("name", LOSSES)
def test_loss_weights(name):
    random = draw("weights", name)
    prediction, target = loss_case(name, (6, 3), random)
    loss, backward = named(name), named(f"{name}_backward")
    counts = np.array([2, 0, 1, 1, 0, 2])
    assert counts.mean() == 1
    repeated = np.repeat(np.arange(6), counts)

    assert loss(prediction, target, np.ones(6)) == loss(prediction, target)
    assert loss(prediction, target, counts) == pytest.approx(
        loss(prediction[repeated], target[repeated]), rel=1e-14
    )
    np.testing.assert_allclose(
        backward(prediction, target, counts),
        counts[:, None] * backward(prediction, target),
        rtol=1e-14,
    )
    assert loss(prediction, target, np.zeros(6)) == 0
    np.testing.assert_array_equal(backward(prediction, target, np.zeros(6)), np.zeros((6, 3)))


@pytest.mark.parametrize("name", NUMBER_LOSSES)
def test_no_error_no_gradient(name):
    x = draw("exact").standard_normal((7, 3))
    assert named(name)(x, x) == 0
    np.testing.assert_array_equal(named(f"{name}_backward")(x, x), np.zeros((7, 3)))


@pytest.mark.parametrize("delta", [0.25, 1.0, 3.0])
@pytest.mark.parametrize("quantile", [0.1, 0.5, 0.9])
def test_numbers_of_losses(delta, quantile):
    """Gradients against differences with a delta and a quantile; what the losses become."""
    random = draw("numbers", delta, quantile)
    prediction, target = 2 * random.standard_normal((9, 7)), random.standard_normal((9, 7))
    size = np.abs(prediction - target)
    smooth = (np.abs(size - delta) > 0.05) & (size > 0.05)
    target = np.where(smooth, target, prediction - delta / 2)
    for name, options in (
        ("huber_loss", {"delta": delta}),
        ("pinball_loss", {"quantile": quantile}),
    ):
        loss = functools.partial(named(name), target=target, **options)
        assert_gradient(loss, named(f"{name}_backward")(prediction, target, **options), prediction)
    half = formulas.pinball_loss(prediction, target, quantile=0.5)
    assert half == pytest.approx(formulas.mean_absolute_error(prediction, target) / 2)
    other = formulas.pinball_loss(-prediction, -target, quantile=1 - quantile)
    assert formulas.pinball_loss(prediction, target, quantile=quantile) == pytest.approx(other)
    squares = formulas.huber_loss(prediction, target, delta=100.0)
    assert squares == pytest.approx(formulas.mean_squared_error(prediction, target))
    with pytest.raises(ValueError, match=r"^quantile of pinball_loss must be a number in \(0, 1\)"):
        formulas.pinball_loss(prediction, target, quantile=1)
    with pytest.raises(ValueError, match=r"^delta of huber_loss must be a number above 0\. Got 0"):
        formulas.huber_loss(prediction, target, delta=0)


def test_class_indices_are_one_hot_rows():
    random = draw("one-hot")
    z, indices = random.standard_normal((9, 4)), random.integers(0, 4, 9).astype(np.uint8)
    one_hot = np.eye(4)[indices]
    for name in ("categorical_cross_entropy", "categorical_cross_entropy_backward"):
        np.testing.assert_array_equal(named(name)(z, indices), named(name)(z, one_hot))


def test_cross_entropy_far_out():
    binary, categorical = formulas.binary_cross_entropy, formulas.categorical_cross_entropy
    assert binary([-1000.0], [1]) == 1000
    assert binary([1000.0], [0]) == 1000
    assert str(binary([1000.0, -1000.0], [1, 0])) == "0.0"
    assert formulas.binary_cross_entropy_backward([-1000.0], [1]).tolist() == [-1]
    assert formulas.binary_cross_entropy_backward([1000.0], [0]).tolist() == [1]
    assert formulas.binary_cross_entropy_backward([1000.0, -1000.0], [1, 0]).tolist() == [0, 0]

    z = [[-1000.0, 1000.0]]
    assert categorical(z, [0]) == 2000
    assert str(categorical(z, [1])) == "0.0"
    assert formulas.categorical_cross_entropy_backward(z, [0]).tolist() == [[-1, 1]]
    assert formulas.categorical_cross_entropy_backward(z, [1]).tolist() == [[0, 0]]


def test_two_classes_are_one_logit():
    z, y = draw("two").standard_normal(9), draw("two").integers(0, 2, 9)
    two = np.stack([np.zeros(9), z], axis=1)
    assert formulas.categorical_cross_entropy(two, y) == pytest.approx(
        formulas.binary_cross_entropy(z, y), rel=1e-14
    )


@pytest.mark.parametrize("rows", SIZES)
@pytest.mark.parametrize("inputs", SIZES)
def test_logistic_loss_gradient(rows, inputs):
    random = draw("logistic", rows, inputs)
    X, y = random.standard_normal((rows, inputs)), random.integers(0, 2, rows)
    w, b = random.standard_normal(inputs) / np.sqrt(inputs), 0.3
    step = formulas.logistic_loss(w, b, X, y)

    np.testing.assert_allclose(step.z, X @ w + b, rtol=1e-15)
    s = 1 / (1 + np.exp(-(X @ w + b)))
    np.testing.assert_allclose(step.y_hat, s, rtol=1e-14)
    textbook = -(1 / rows) * np.sum(y * np.log(s) + (1 - y) * np.log(1 - s))
    assert step.loss == pytest.approx(textbook, rel=1e-12)
    assert_gradient(lambda z: formulas.binary_cross_entropy(z, y), step.dz, step.z)
    assert_gradient(lambda w: formulas.logistic_loss(w, b, X, y).loss, step.dw, w)
    numeric = central_difference(lambda b: formulas.logistic_loss(w, float(b), X, y).loss, b)
    assert step.db == pytest.approx(float(numeric), rel=1e-7, abs=1e-10)


@given(z=rows, data=st.data())
def test_losses_are_never_negative_nor_overflow(z, data):
    seed = data.draw(st.integers(0, 99))
    for name in LOSSES:
        _, target = loss_case(name, z.shape, np.random.default_rng(seed))
        loss = named(name)(z, target)
        assert np.isfinite(loss)
        assert loss >= 0
        assert np.isfinite(named(f"{name}_backward")(z, target)).all()


# ----------------------------------------------------------------------------------- optimisers


def minimise(step, state, steps=300):
    """The point that `step` reaches on ``(p - 1)^2 / 2``, from p = 3."""
    p, state = np.array([3.0]), [np.zeros(1) for _ in range(state)]
    for t in range(1, steps + 1):
        p, *state = step(p, p - 1, *state, t)
    return float(p[0])


def test_optimizers_minimise():
    def sgd(nesterov):
        return lambda p, g, velocity, t: formulas.sgd(p, g, velocity, 0.1, 0.5, nesterov)

    assert minimise(sgd(nesterov=False), 1) == pytest.approx(1, abs=1e-9)
    assert minimise(sgd(nesterov=True), 1) == pytest.approx(1, abs=1e-9)
    assert minimise(lambda p, g, s, t: formulas.rmsprop(p, g, s, 0.02), 1) == pytest.approx(
        1, abs=0.02
    )
    assert minimise(lambda *a: formulas.adam(*a, learning_rate=0.05), 2) == pytest.approx(
        1, abs=1e-2
    )


def test_optimizers_by_hand():
    step = formulas.sgd(p=[1.0], g=[2.0], velocity=[3.0], learning_rate=0.1, momentum=0.5)
    np.testing.assert_allclose((step.velocity, step.p), [[3.5], [0.65]])
    step = formulas.sgd([1.0], [2.0], [3.0], 0.1, momentum=0.5, nesterov=True, weight_decay=1.0)
    np.testing.assert_allclose((step.velocity, step.p), [[4.5], [1 - 0.1 * (3 + 0.5 * 4.5)]])

    step = formulas.rmsprop([1.0], [3.0], [1.0], learning_rate=0.1, alpha=0.5, eps=1.0)
    np.testing.assert_allclose(step.square_average, [5])
    np.testing.assert_allclose(step.p, [1 - 0.1 * 3 / (np.sqrt(5) + 1)])

    # After the first step m_hat = g and v_hat = g^2, whatever the betas.
    step = formulas.adam([1.0], [3.0], [0.0], [0.0], t=1, learning_rate=0.1, beta1=0.8, eps=1.0)
    np.testing.assert_allclose((step.m, step.v), [[0.6], [0.009]])
    np.testing.assert_allclose(step.p, [1 - 0.1 * 3 / (3 + 1)])
    decayed = formulas.adamw(
        [1.0], [3.0], [0.0], [0.0], t=1, learning_rate=0.1, beta1=0.8, eps=1.0, weight_decay=0.5
    )
    np.testing.assert_allclose(decayed.p, step.p - 0.1 * 0.5)


@pytest.mark.parametrize("name", ["sgd", "rmsprop", "adam", "adamw"])
def test_optimizer_without_gradient_stays(name):
    p, zeros = np.array([1.0, -2.0]), np.zeros(2)
    optimizer = named(name)
    if name in ("adam", "adamw"):
        step = optimizer(p, zeros, zeros, zeros, 1, learning_rate=0.1, weight_decay=0.0)
    else:
        step = optimizer(p, zeros, zeros, 0.1)
    np.testing.assert_array_equal(step.p, p)
    for state in step[1:]:
        np.testing.assert_array_equal(state, zeros)


def test_clip_by_global_norm():
    random = draw("clip")
    gradients = [random.standard_normal((7, 8)), random.standard_normal(9)]
    together = np.sqrt(sum(np.sum(g**2) for g in gradients))
    assert formulas.global_norm(gradients) == pytest.approx(together, rel=1e-15)
    assert formulas.global_norm([]) == 0

    clipped = formulas.clip_by_global_norm(gradients, 0.5)
    assert clipped.norm == pytest.approx(together, rel=1e-15)
    assert formulas.global_norm(clipped.gradients) == pytest.approx(0.5, rel=1e-14)
    for before, after in zip(gradients, clipped.gradients, strict=True):
        np.testing.assert_allclose(after, before * 0.5 / together, rtol=1e-14)

    for limit in (together, 2 * together):
        for before, after in zip(
            gradients, formulas.clip_by_global_norm(gradients, limit).gradients, strict=True
        ):
            np.testing.assert_allclose(after, before, rtol=1e-15)
    zeros = formulas.clip_by_global_norm([np.zeros(3)], 1.0)
    assert (zeros.norm, zeros.gradients[0].tolist()) == (0, [0, 0, 0])


# -------------------------------------------------------------------------------------- PyTorch


def test_activations_equal_torch():
    torch = pytest.importorskip("torch")
    x = 3 * draw("torch").standard_normal((31, 9))
    dy = draw("torch dy").standard_normal((31, 9))
    peers = {
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "relu": torch.relu,
        "leaky_relu": torch.nn.functional.leaky_relu,
        "softmax": lambda x: torch.softmax(x, dim=-1),
    }
    for name, peer in peers.items():
        leaf = torch.tensor(x, requires_grad=True)
        output = peer(leaf)
        output.backward(torch.tensor(dy))
        y = named(name)(x)
        np.testing.assert_allclose(y, output.detach().numpy(), rtol=1e-13, atol=1e-15)
        np.testing.assert_allclose(
            named(f"{name}_backward")(dy, y), leaf.grad.numpy(), rtol=1e-12, atol=1e-15
        )


@pytest.mark.parametrize("name", LOSSES)
def test_losses_equal_torch(name):
    torch = pytest.importorskip("torch")
    random = draw("torch", name)
    prediction, target = loss_case(name, (33, 7), random)
    weight = random.random(33)
    z, w = torch.tensor(prediction, requires_grad=True), torch.tensor(weight)
    functional = torch.nn.functional
    if name == "categorical_cross_entropy":
        rows = functional.cross_entropy(z, torch.tensor(target), reduction="none")
    elif name == "binary_cross_entropy":
        t = torch.tensor(target, dtype=torch.float64)
        rows = functional.binary_cross_entropy_with_logits(z, t, reduction="none").sum(dim=1)
    elif name == "pinball_loss":  # of 0.5, half the absolute error
        rows = functional.l1_loss(z, torch.tensor(target), reduction="none").sum(dim=1) / 2
    else:
        peer, scale = {
            "mean_squared_error": (functional.mse_loss, 0.5),
            "mean_absolute_error": (functional.l1_loss, 1),
            "huber_loss": (functional.huber_loss, 1),
        }[name]
        rows = peer(z, torch.tensor(target), reduction="none").sum(dim=1) * scale
    expected = (w * rows).sum() / 33
    expected.backward()
    assert named(name)(prediction, target, weight) == pytest.approx(expected.item(), rel=1e-13)
    np.testing.assert_allclose(
        named(f"{name}_backward")(prediction, target, weight),
        z.grad.numpy(),
        rtol=1e-12,
        atol=1e-16,
    )


def torch_optimizers():
    """Each as: the formula, its state arrays, whether it takes t, PyTorch's name, and arguments."""
    for momentum, nesterov in [(0.0, False), (0.9, False), (0.9, True)]:
        options = {"momentum": momentum, "nesterov": nesterov}
        yield "sgd", 1, False, "SGD", options, options
    yield "rmsprop", 1, False, "RMSprop", {}, {}
    options = {"alpha": 0.9, "eps": 1e-3}
    yield "rmsprop", 1, False, "RMSprop", options, options
    for name, peer in [("adam", "Adam"), ("adamw", "AdamW")]:
        yield name, 2, True, peer, {}, {}
        ours = {"beta1": 0.5, "beta2": 0.9, "eps": 1e-3}
        yield name, 2, True, peer, ours, {"betas": (0.5, 0.9), "eps": 1e-3}


@pytest.mark.parametrize("weight_decay", [0.0, 0.3])
@pytest.mark.parametrize("case", list(torch_optimizers()), ids=lambda case: f"{case[0]}-{case[4]}")
def test_optimizers_equal_torch(case, weight_decay):
    torch = pytest.importorskip("torch")
    name, states, takes_t, peer, ours, theirs = case
    random = draw("torch", name)
    p = random.standard_normal((7, 9))
    leaf = torch.nn.Parameter(torch.tensor(p))
    optimizer = getattr(torch.optim, peer)([leaf], lr=0.02, weight_decay=weight_decay, **theirs)
    state = [np.zeros_like(p) for _ in range(states)]
    for t in range(1, 6):
        g = random.standard_normal((7, 9))
        leaf.grad = torch.tensor(g)
        optimizer.step()
        if takes_t:
            ours["t"] = t
        p, *state = named(name)(p, g, *state, learning_rate=0.02, weight_decay=weight_decay, **ours)
        np.testing.assert_allclose(p, leaf.detach().numpy(), rtol=1e-12, atol=1e-14)


def test_optimizer_defaults_are_torchs():
    torch = pytest.importorskip("torch")
    p = torch.nn.Parameter(torch.zeros(1))
    for name, peer in [("rmsprop", "RMSprop"), ("adam", "Adam"), ("adamw", "AdamW")]:
        theirs = getattr(torch.optim, peer)([p]).defaults
        ours = {
            name: parameter.default
            for name, parameter in inspect.signature(named(name)).parameters.items()
        }
        assert ours["learning_rate"] == theirs["lr"]
        assert ours["eps"] == theirs["eps"]
        assert ours["weight_decay"] == theirs["weight_decay"]
        if "alpha" in ours:
            assert ours["alpha"] == theirs["alpha"]
        else:
            assert (ours["beta1"], ours["beta2"]) == theirs["betas"]


def test_clip_by_global_norm_equals_torch():
    torch = pytest.importorskip("torch")
    gradients = [draw("clip").standard_normal((7, 8)), draw("clip b").standard_normal(9)]
    leaves = [torch.nn.Parameter(torch.zeros(g.shape, dtype=torch.float64)) for g in gradients]
    for leaf, g in zip(leaves, gradients, strict=True):
        leaf.grad = torch.tensor(g)
    norm = torch.nn.utils.clip_grad_norm_(leaves, 0.5)
    clipped = formulas.clip_by_global_norm(gradients, 0.5)
    assert clipped.norm == pytest.approx(norm.item(), rel=1e-14)
    for leaf, g in zip(leaves, clipped.gradients, strict=True):
        # PyTorch divides by norm + 1e-6, so that its result is shorter by about that share.
        np.testing.assert_allclose(g, leaf.grad.numpy(), rtol=1e-6)


# --------------------------------------------------------------------------------------- errors

ZEROS = np.zeros((2, 3))
WRONG_SHAPES = {
    "sigmoid_backward": (
        lambda: formulas.sigmoid_backward(ZEROS, ZEROS.T),
        (
            r"^dy of sigmoid_backward must be an array of shape \(3, 2\)\. Got \(2, 3\)\. "
            r"It has one entry for each entry of y\.$"
        ),
    ),
    "softmax_backward": (
        lambda: formulas.softmax_backward(ZEROS, ZEROS.T),
        r"^dy of softmax_backward must be an array of shape \(3, 2\)\. Got \(2, 3\)\.",
    ),
    "softmax": (
        lambda: formulas.softmax(1.0),
        r"^z of softmax must be an array of shape \(K,\)\. Got \(\)\.$",
    ),
    "linear x": (
        lambda: formulas.linear(np.zeros(3), ZEROS, np.zeros(3)),
        r"^x of linear must be an array of shape \(B, I\)\. Got \(3,\)\.$",
    ),
    "linear W": (
        lambda: formulas.linear(ZEROS, ZEROS, np.zeros(3)),
        (
            r"^W of linear must be an array of shape \(3, H\)\. Got \(2, 3\)\. "
            r"It has one row for each column of x\.$"
        ),
    ),
    "linear b": (
        lambda: formulas.linear(ZEROS, ZEROS.T, np.zeros(3)),
        r"^b of linear must be an array of shape \(2,\)\. Got \(3,\)\.",
    ),
    "linear_backward": (
        lambda: formulas.linear_backward(ZEROS, ZEROS, ZEROS.T),
        r"^dy of linear_backward must be an array of shape \(2, 2\)\. Got \(2, 3\)\.",
    ),
    "dropout": (
        lambda: formulas.dropout(ZEROS, ZEROS.T, 0.5),
        r"^mask of dropout must be an array of shape \(2, 3\)\. Got \(3, 2\)\.",
    ),
    "mean_squared_error": (
        lambda: formulas.mean_squared_error(np.zeros(3), np.zeros((3, 1))),
        r"^target of mean_squared_error must be an array of shape \(3,\)\. Got \(3, 1\)\.",
    ),
    "no rows": (
        lambda: formulas.mean_squared_error([], []),
        (
            r"^prediction of mean_squared_error must be an array of shape \(m,\) or \(m, K\) with "
            r"at least one row\. Got \(0,\)\.$"
        ),
    ),
    "weight": (
        lambda: formulas.binary_cross_entropy(ZEROS, ZEROS, [1, 1, 1]),
        (
            r"^weight of binary_cross_entropy must be an array of shape \(2,\)\. Got \(3,\)\. "
            r"It has one entry for each row\.$"
        ),
    ),
    "logits": (
        lambda: formulas.categorical_cross_entropy(np.zeros(3), [0, 1, 2]),
        r"^logits of categorical_cross_entropy must be an array of shape \(m, K\)\. Got \(3,\)\.$",
    ),
    "no classes": (
        lambda: formulas.categorical_cross_entropy(np.zeros((2, 0)), [0, 0]),
        r"^logits of categorical_cross_entropy must be .* with at least one row and one class\.",
    ),
    "one-hot": (
        lambda: formulas.categorical_cross_entropy(ZEROS, ZEROS.T),
        (
            r"^target of categorical_cross_entropy must be an array of shape \(2, 3\)\. "
            r"Got \(3, 2\)\. It may also hold one class index for each row, in shape \(2,\)\.$"
        ),
    ),
    "logistic_loss": (
        lambda: formulas.logistic_loss(np.zeros(2), 0.0, ZEROS, np.zeros(2)),
        r"^w of logistic_loss must be an array of shape \(3,\)\. Got \(2,\)\.",
    ),
    "sgd": (
        lambda: formulas.sgd(ZEROS, ZEROS, np.zeros(3), 0.1),
        (
            r"^velocity of sgd must be an array of shape \(2, 3\)\. Got \(3,\)\. "
            r"It is of the shape of p\.$"
        ),
    ),
}


@pytest.mark.parametrize("case", WRONG_SHAPES)
def test_wrong_shapes(case):
    call, words = WRONG_SHAPES[case]
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.parametrize("target", [1.5, -0.1, np.nan])
def test_binary_target_out_of_range(target):
    words = (
        rf"^target of binary_cross_entropy must be an array of numbers in \[0, 1\]\. Got {target}"
    )
    with pytest.raises(ValueError, match=words):
        formulas.binary_cross_entropy([0.0, 0.0], [1.0, target])


def test_class_targets_out_of_range():
    name = "target of categorical_cross_entropy must be"
    for index in (-1, 3):
        words = rf"^{name} class indices from 0 to 2\. Got {index}\.$"
        with pytest.raises(ValueError, match=words):
            formulas.categorical_cross_entropy(ZEROS, [0, index])
    words = rf"^{name} class indices from 0 to 2\. Got dtype\('float64'\)\. Convert it with astype"
    with pytest.raises(TypeError, match=words):
        formulas.categorical_cross_entropy(ZEROS, [0.0, 1.0])
    words = rf"^{name} one-hot, or probabilities that sum to 1, in each row\. Got 'a row of sum 2'"
    with pytest.raises(ValueError, match=words):
        formulas.categorical_cross_entropy(ZEROS, [[1, 1, 0], [1, 0, 0]])
    with pytest.raises(ValueError, match=rf"^{name} an array of numbers in \[0, 1\]\. Got -1\.0\."):
        formulas.categorical_cross_entropy(ZEROS, [[1, 1, -1], [1, 0, 0]])


def test_hyperparameters_out_of_range():
    x = np.zeros(2)
    cases = {
        r"^rate of dropout must be a number in \[0, 1\)\. Got 1\.0\.$": (
            lambda: formulas.dropout(x, x, 1.0)
        ),
        r"^mask of dropout must be an array of zeros and ones\. Got 0\.5\.$": (
            lambda: formulas.dropout(x, x + 0.5, 0.5)
        ),
        r"^slope of leaky_relu must be a number of at least 0\. Got -1\.$": (
            lambda: formulas.leaky_relu(x, -1)
        ),
        r"^momentum of sgd must be a number in \[0, 1\)\. Got 1\.$": (
            lambda: formulas.sgd(x, x, x, 0.1, momentum=1)
        ),
        r"^eps of rmsprop must be a number above 0\. Got 0\.0\.$": (
            lambda: formulas.rmsprop(x, x, x, eps=0.0)
        ),
        r"^t of adam must be a positive integer\. Got 0\.$": (
            lambda: formulas.adam(x, x, x, x, t=0)
        ),
        r"^beta2 of adamw must be a number in \[0, 1\)\. Got 1\.0\.$": (
            lambda: formulas.adamw(x, x, x, x, t=1, beta2=1.0)
        ),
        r"^max_norm of clip_by_global_norm must be a number above 0\. Got 0\.$": (
            lambda: formulas.clip_by_global_norm([x], 0)
        ),
    }
    for words, call in cases.items():
        with pytest.raises(ValueError, match=words):
            call()
