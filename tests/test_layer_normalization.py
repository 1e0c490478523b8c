"""Layer normalisation: the formula against differences and torch, kernels and layer against it."""

import numpy as np
import pytest
from finite_differences import assert_gradient
from helpers import (
    DTYPES,
    SIZES,
    assert_close,
    assert_padding_zero,
    check_operation,
    padded_vector,
)

from pellucid import Network, formulas
from pellucid.data import Sequences
from pellucid.engine import execute
from pellucid.kernels.operations.activations import IDENTITY, TANH
from pellucid.kernels.operations.layer_normalization import (
    layer_normalization_backward,
    layer_normalization_backward_sums,
    layer_normalization_forward,
)
from pellucid.kernels.panels import rows_of, stored_columns
from pellucid.layers import (
    LSTM,
    Conv2d,
    Flatten,
    GlobalAvgPool,
    LayerNorm,
    Linear,
    ReLU,
    Tanh,
    layer_from_config,
)

# of x, and of gamma: flat rows, sequences, pictures; and more axes than the last
SHAPES = (
    ((5, 3), (3,)), ((7, 33), (33,)), ((4, 6, 2), (2,)), ((2, 3, 4, 5), (5,)),
    ((3, 6, 2), (6, 2)), ((2, 3, 4, 5), (3, 4, 5)), ((6,), (6,)), ((3, 4), (3, 4)),
)  # fmt: skip


def operands(shape, features, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(2, 3, size=shape), rng.normal(size=features), rng.normal(size=features)


# -- the formula -------------------------------------------------------------------------------


@pytest.mark.parametrize(("shape", "features"), SHAPES)
def test_gradients_agree_with_differences(shape, features):
    x, gamma, beta = operands(shape, features)
    dy = np.random.default_rng(1).normal(size=shape)
    forward = formulas.layer_normalization(x, gamma, beta)
    gradients = formulas.layer_normalization_backward(dy, forward.xhat, forward.std, gamma)

    def value(x, gamma, beta):
        return (formulas.layer_normalization(x, gamma, beta).y * dy).sum()

    assert_gradient(lambda t: value(t, gamma, beta), gradients.dx, x)
    assert_gradient(lambda t: value(x, t, beta), gradients.dgamma, gamma)
    assert_gradient(lambda t: value(x, gamma, t), gradients.dbeta, beta)


@pytest.mark.parametrize(("shape", "features"), SHAPES)
def test_formula_equals_torch(shape, features):
    torch = pytest.importorskip("torch")
    x, gamma, beta = operands(shape, features)
    dy = np.random.default_rng(1).normal(size=shape)
    leaves = [torch.tensor(array, requires_grad=True) for array in (x, gamma, beta)]
    theirs = torch.nn.functional.layer_norm(leaves[0], features, *leaves[1:], eps=1e-3)
    theirs.backward(torch.tensor(dy))
    forward = formulas.layer_normalization(x, gamma, beta, eps=1e-3)
    np.testing.assert_allclose(forward.y, theirs.detach().numpy(), rtol=0, atol=1e-12)
    gradients = formulas.layer_normalization_backward(dy, forward.xhat, forward.std, gamma)
    for ours, leaf in zip(gradients, leaves, strict=True):
        np.testing.assert_allclose(ours, leaf.grad.numpy(), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("shape", "features"), SHAPES)
def test_rows_have_mean_zero_and_variance_one(shape, features):
    x, gamma, beta = operands(shape, features)
    forward = formulas.layer_normalization(x, gamma, beta, eps=0.0)
    axes = tuple(range(len(shape) - len(features), len(shape)))
    np.testing.assert_allclose(forward.xhat.mean(axis=axes), 0, atol=1e-14)
    np.testing.assert_allclose(forward.xhat.var(axis=axes), 1, rtol=1e-13)
    np.testing.assert_allclose(forward.mean, x.mean(axis=axes, keepdims=True))
    np.testing.assert_allclose(forward.variance, x.var(axis=axes, keepdims=True))


def test_scale_and_shift_of_a_row_change_nothing():
    x, gamma, beta = operands((5, 4, 9), (9,))
    rng = np.random.default_rng(1)
    scale, shift = rng.uniform(0.1, 10, size=(5, 4, 1)), rng.normal(0, 10, size=(5, 4, 1))
    y = formulas.layer_normalization(x, gamma, beta, eps=0.0).y
    moved = formulas.layer_normalization(scale * x + shift, gamma, beta, eps=0.0).y
    np.testing.assert_allclose(moved, y, rtol=0, atol=1e-11)


def test_a_row_does_not_see_the_others():
    x, gamma, beta = operands((7, 33), (33,))
    whole = formulas.layer_normalization(x, gamma, beta).y
    for row in range(7):
        alone = formulas.layer_normalization(x[[row]], gamma, beta).y
        np.testing.assert_array_equal(alone[0], whole[row])


def test_equal_numbers_become_beta():
    beta = np.array([1.0, 2.0, 3.0])
    forward = formulas.layer_normalization([[4.0, 4.0, 4.0]], np.ones(3), beta)
    np.testing.assert_array_equal(forward.y, beta[None])


@pytest.mark.parametrize(("shape", "features"), SHAPES)
def test_zero_gradient_in_gives_zero_out(shape, features):
    x, gamma, beta = operands(shape, features)
    forward = formulas.layer_normalization(x, gamma, beta)
    gradients = formulas.layer_normalization_backward(0 * x, forward.xhat, forward.std, gamma)
    for gradient in gradients:
        np.testing.assert_array_equal(gradient, np.zeros_like(gradient))


@pytest.mark.parametrize(
    ("call", "words"),
    (
        (
            lambda x: formulas.layer_normalization(x, np.ones(2), np.ones(2)),
            (
                r"^gamma of layer_normalization must be an array of shape \(3,\)\. Got \(2,\)\. "
                r"It has one entry for each feature of a row\.$"
            ),
        ),
        (
            lambda x: formulas.layer_normalization(x, 1.0, 0.0),
            (
                r"^gamma of layer_normalization must be an array of the shape of x or of its last "
                r"axes, \(2, 3\)\. Got \(\)\.$"
            ),
        ),
        (
            lambda x: formulas.layer_normalization(x, np.ones(3), np.ones((2, 3))),
            r"^beta of layer_normalization must be an array of shape \(3,\)\. Got \(2, 3\)\.",
        ),
        (
            lambda x: formulas.layer_normalization_backward(x, x, np.ones(2), np.ones(3)),
            r"^std of layer_normalization_backward must be an array of shape \(2, 1\)\. Got \(2,\)",
        ),
    ),
)
def test_wrong_shapes_are_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call(np.zeros((2, 3)))


# -- the kernels -------------------------------------------------------------------------------


class Pixels:
    """Rows of pixels (B, P, C) in padded rows, with NaN wherever there is no number."""

    def __init__(self, values, dtype):
        self.count, self.features = values.shape[1:]
        self.pixel = stored_columns(self.features, dtype)
        self.rows = rows_of(len(values), self.count * self.pixel, dtype)
        self.rows[:] = np.nan
        self.pixels = np.arange(self.count) * self.pixel
        for n, begin in enumerate(self.pixels):
            self.rows[:, begin : begin + self.features] = values[:, n]

    @property
    def values(self):
        lines = [self.rows[:, begin : begin + self.features] for begin in self.pixels]
        return np.stack(lines, axis=1)


def run(x, gamma, beta, dy, dtype, parts=1, absent=(), kind=IDENTITY):
    """y, dx, dgamma and dbeta by the kernels."""
    X, Y, D = (Pixels(array.astype(dtype), dtype) for array in (x, 0 * x, dy))
    shared = {
        "features": X.features,
        "statistics": np.zeros((len(x), 2 * X.count)),
        "absent": np.array(absent, dtype=np.int64),
    }
    scale, shift, dgamma, dbeta = (padded_vector(v, dtype) for v in (gamma, beta, gamma, beta))
    forward = layer_normalization_forward(
        x=X.rows, x_pixels=X.pixels, y=Y.rows, y_pixels=Y.pixels, gamma=scale, beta=shift,
        eps=1e-5, kind=kind, slope=0.0, **shared,
    )  # fmt: skip
    sums = layer_normalization_backward_sums(
        x=X.rows, x_pixels=X.pixels, dy=D.rows, dy_pixels=D.pixels,
        sums=np.zeros((2, stored_columns(X.features, dtype))), dgamma=dgamma, dbeta=dbeta, **shared,
    )  # fmt: skip
    backward = layer_normalization_backward(
        x=X.rows, d=D.rows, pixels=D.pixels, gamma=scale, **shared
    )
    for arguments in (forward, sums, backward):
        execute(arguments, rows=len(x), parts=parts)
    for gradient in (dgamma, dbeta):
        assert_padding_zero(gradient[None], X.features)
    return Y.values, D.values, dgamma[: X.features], dbeta[: X.features]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("parts", (1, 3))
def test_kernels_equal_formula(dtype, parts):
    for features in SIZES:
        for rows, pixels in ((1, 1), (7, 1), (3, 5)):
            x, gamma, beta = operands((rows, pixels, features), features, seed=features)
            dy = np.random.default_rng(1).normal(size=x.shape)
            x, gamma, beta, dy = (array.astype(dtype) for array in (x, gamma, beta, dy))
            y, *gradients = run(x, gamma, beta, dy, dtype, parts)
            forward = formulas.layer_normalization(x, gamma, beta)
            assert_close(y, forward.y, dtype)
            expected = formulas.layer_normalization_backward(dy, forward.xhat, forward.std, gamma)
            for ours, theirs in zip(gradients, expected, strict=True):
                assert_close(ours, theirs, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_kernels_leave_out_the_steps_that_rows_lack(dtype):
    x, gamma, beta = operands((3, 4, 9), 9)
    dy = np.random.default_rng(1).normal(size=x.shape)
    lengths = np.array([4, 1, 2])
    there = np.arange(4) < lengths[:, None]
    x[~there] = dy[~there] = np.nan
    y, dx, dgamma, dbeta = run(x, gamma, beta, dy, dtype, absent=4 - lengths)
    forward = formulas.layer_normalization(x[there], gamma, beta)
    assert_close(y[there], forward.y, dtype)
    expected = formulas.layer_normalization_backward(dy[there], forward.xhat, forward.std, gamma)
    assert_close(dx[there], expected.dx, dtype)
    assert_close(dgamma, expected.dgamma, dtype)
    assert_close(dbeta, expected.dbeta, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_kernel_computes_the_activation_that_follows(dtype):
    x, gamma, beta = operands((5, 2, 33), 33)
    y, *_ = run(x, gamma, beta, x, dtype, kind=TANH)
    expected = np.tanh(formulas.layer_normalization(x.astype(dtype), gamma, beta).y)
    assert_close(y, expected, dtype)


def test_zero_gradient_into_the_kernels_gives_zero_out():
    x, gamma, beta = operands((5, 2, 33), 33)
    for gradient in run(x, gamma, beta, 0 * x, "float32")[1:]:
        np.testing.assert_array_equal(gradient, np.zeros_like(gradient))


# -- the layer ---------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", ((1,), (33,), (5, 9), (3, 4, 8)))
def test_operation(shape):
    def forward(x, gamma, beta):
        return formulas.layer_normalization(x, gamma, beta).y

    def backward(dy, x, gamma, beta):
        forward = formulas.layer_normalization(x, gamma, beta)
        return formulas.layer_normalization_backward(dy, forward.xhat, forward.std, gamma)

    check_operation(LayerNorm(), forward, backward, shape)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", SIZES)
def test_layer_equals_formula(channels, dtype):
    """On pictures: a convolution below, whose gradient is made of dx, and an activation above."""
    x = operands((6, 3, 4, 2), 2)[0].astype(dtype)
    layers = [Conv2d(channels, 1), LayerNorm(eps=1e-3), Tanh(), Flatten()]
    network = Network(layers).build((3, 4, 2), dtype, 1)
    gamma, beta = np.random.default_rng(2).normal(size=(2, channels)).astype(dtype)
    network.set_parameters({"1.gamma": gamma, "1.beta": beta})
    p = network.parameters()
    h = formulas.convolution2d(x, p["0.weight"], p["0.bias"])
    forward = formulas.layer_normalization(h, gamma, beta, eps=1e-3)
    y = formulas.tanh(forward.y)
    assert_close(network.forward(x), y.reshape(6, -1), dtype)
    dz = formulas.tanh_backward(y / 6, y)
    expected = formulas.layer_normalization_backward(dz, forward.xhat, forward.std, gamma)
    below = formulas.convolution2d_backward(expected.dx, x, p["0.weight"])
    _, gradients = network.gradients(x, np.zeros((6, 12 * channels)), "mean_squared_error")
    assert_close(gradients["1.gamma"], expected.dgamma, dtype)
    assert_close(gradients["1.beta"], expected.dbeta, dtype)
    assert_close(gradients["0.weight"], below.dW, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_layer_equals_torch(dtype):
    torch = pytest.importorskip("torch")
    x = operands((9, 5), 5)[0].astype(dtype)
    network = Network([Linear(7), LayerNorm(), ReLU(), Linear(3)]).build(5, dtype, 0)
    p = network.parameters()
    leaves = {name: torch.tensor(array, requires_grad=True) for name, array in p.items()}
    h = torch.tensor(x) @ leaves["0.weight"] + leaves["0.bias"]
    h = torch.nn.functional.layer_norm(h, (7,), leaves["1.gamma"], leaves["1.beta"])
    y = torch.relu(h) @ leaves["3.weight"] + leaves["3.bias"]
    (y.square().sum() / 18).backward()
    loss, gradients = network.gradients(x, np.zeros((9, 3)), "mean_squared_error")
    np.testing.assert_allclose(loss, (y.detach().numpy() ** 2).sum() / 18, rtol=1e-5)
    for name, leaf in leaves.items():
        assert_close(gradients[name], leaf.grad.numpy(), dtype)


def test_sequences_of_unequal_length_are_as_each_by_itself():
    rng = np.random.default_rng(0)
    x, lengths = rng.normal(size=(4, 6, 3)), np.array([6, 2, 5, 1])
    layers = [Linear(5), LayerNorm(), Tanh(), LSTM(4, return_sequences=True), LayerNorm(), LSTM(2)]
    # a row that is flat once its steps are over lacks none
    network = Network([*layers, LayerNorm(), GlobalAvgPool()]).build((6, 3), "float64", 0)
    zeros = np.zeros((4, 2))
    sequences = Sequences.from_padded(x, lengths)
    loss, gradients = network.gradients(sequences, zeros, "mean_squared_error")
    alone = [
        network.gradients(x[[row], :length], zeros[:1], "mean_squared_error")
        for row, length in enumerate(lengths)
    ]
    np.testing.assert_allclose(loss, np.mean([one for one, _ in alone]), rtol=1e-12)
    for name, gradient in gradients.items():
        assert_close(gradient, np.mean([one[name] for _, one in alone], axis=0), "float64")
    whole = network.forward(sequences)
    for row, length in enumerate(lengths):
        np.testing.assert_array_equal(network.forward(x[[row], :length])[0], whole[row])


@pytest.mark.parametrize("dtype", DTYPES)
def test_bits_do_not_depend_on_other_rows_or_threads(dtype):
    x = operands((40, 31), 31)[0].astype(dtype)
    network = Network([LayerNorm(), Linear(3)]).build(31, dtype, 0)
    whole = network.forward(x)
    for rows in ([3], [6, 0], slice(2, 9)):
        np.testing.assert_array_equal(network.forward(x[rows]), whole[rows])
    X, gamma, beta = operands((40, 3, 100), 100)
    one, three = (run(X, gamma, beta, 2 * X, dtype, parts=parts) for parts in (1, 3))
    for ours, theirs in zip(one, three, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_layer_is_described_and_made_again():
    layer = LayerNorm(eps=1e-3)
    assert repr(layer) == "LayerNorm(eps=0.001)"
    assert layer_from_config(layer.config()) == layer
    network = Network([LayerNorm()]).build((7, 5))
    assert {name: p.shape for name, p in network.parameters().items()} == {
        "0.gamma": (5,), "0.beta": (5,),
    }  # fmt: skip
    assert network.output_shape == (7, 5)


def test_eps_out_of_range_is_refused():
    with pytest.raises(ValueError, match="eps of LayerNorm must be a number above 0"):
        LayerNorm(eps=0)
