"""Networks: gradients against central differences and torch, shapes, parameters, summary."""

import pickle

import numpy as np
import pytest
from helpers import DTYPES, SIZES

from pellucid import Network, formulas
from pellucid.layers import (
    Conv2d,
    Dropout,
    Flatten,
    LeakyReLU,
    Linear,
    MaxPool2d,
    ReLU,
    Residual,
    Sigmoid,
    Softmax,
    Tanh,
    layer_from_config,
)

HIDDEN = (ReLU(), LeakyReLU(0.3), Sigmoid(), Tanh(), Softmax())
LOSSES = (
    "mean_squared_error", "mean_absolute_error", "huber_loss", "pinball_loss",
    "binary_cross_entropy", "categorical_cross_entropy",
)  # fmt: skip


def rows(loss, count, inputs, outputs, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(count, inputs))
    if loss == "categorical_cross_entropy":
        return X, rng.integers(outputs, size=count)
    if loss == "binary_cross_entropy":
        return X, rng.integers(2, size=(count, outputs)).astype(float)
    return X, rng.normal(size=(count, outputs))


def by_formulas(network, X, y, loss, weight=None):
    """The whole network in float64 NumPy: loss and gradients, layer by layer."""
    parameters = network.parameters()
    values, x = [np.asarray(X, float)], np.asarray(X, float)
    for index, layer in enumerate(network.layers):
        if isinstance(layer, Linear):
            b = parameters.get(f"{index}.bias", np.zeros(layer.units))
            x = formulas.linear(x, parameters[f"{index}.weight"], b)
        elif isinstance(layer, LeakyReLU):
            x = formulas.leaky_relu(x, layer.slope)
        else:
            x = getattr(formulas, type(layer).__name__.lower())(x)
        values.append(x)
    total = getattr(formulas, loss)(x, y, weight)
    d = getattr(formulas, f"{loss}_backward")(x, y, weight)
    gradients = {}
    for index in range(len(network.layers) - 1, -1, -1):
        layer = network.layers[index]
        if isinstance(layer, Linear):
            found = formulas.linear_backward(d, values[index], parameters[f"{index}.weight"])
            gradients[f"{index}.weight"] = found.dW
            if layer.bias:
                gradients[f"{index}.bias"] = found.db
            d = found.dx
        elif isinstance(layer, LeakyReLU):
            d = formulas.leaky_relu_backward(d, values[index + 1], layer.slope)
        else:
            d = getattr(formulas, f"{type(layer).__name__.lower()}_backward")(d, values[index + 1])
    return total, gradients


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("hidden", HIDDEN, ids=repr)
def test_gradients_equal_the_formulas(hidden, loss, dtype):
    tolerance = {"float32": 2e-5, "float64": 1e-12}[dtype]
    for position, size in enumerate(SIZES):
        inputs, outputs = SIZES[(position + 2) % 7], SIZES[(position + 4) % 7]
        layers = [Linear(size), hidden, Linear(9, bias=False), hidden, Linear(outputs)]
        network = Network(layers).build(inputs, dtype, random_state=position)
        X, y = rows(loss, SIZES[(position + 5) % 7], inputs, outputs)
        X = X.astype(dtype)
        weight = np.random.default_rng(1).uniform(0.5, 2, len(X))
        total, gradients = network.gradients(X, y, loss, weight)
        expected, expected_gradients = by_formulas(network, X, y, loss, weight)
        np.testing.assert_allclose(total, expected, rtol=10 * tolerance)
        assert gradients.keys() == expected_gradients.keys()
        for name, gradient in gradients.items():
            scale = max(np.abs(expected_gradients[name]).max(), 1e-3)
            difference = np.abs(gradient - expected_gradients[name]).max()
            assert difference <= tolerance * scale, (name, size)


@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_equal_central_differences(loss):
    network = Network([Linear(7), Tanh(), Linear(5), Sigmoid(), Linear(3)]).build(4, "float64", 0)
    X, y = rows(loss, 9, 4, 3)
    _, gradients = network.gradients(X, y, loss)
    before = network.parameters()
    h = 1e-5
    for name, gradient in gradients.items():
        for place in np.ndindex(*gradient.shape):
            sides = []
            for sign in (1, -1):
                moved = before[name].copy()
                moved[place] += sign * h
                network.set_parameters({name: moved})
                sides.append(network.gradients(X, y, loss)[0])
            network.set_parameters({name: before[name]})
            difference = (sides[0] - sides[1]) / (2 * h)
            np.testing.assert_allclose(gradient[place], difference, rtol=0, atol=1e-8)


def test_a_built_network_can_be_drawn_anew():
    network = Network([Linear(2)])
    assert not network.built
    with pytest.raises(ValueError, match="Call network.build"):
        network.initialize(0)
    first = network.build(3, random_state=0).parameters()
    assert network.built
    again = network.initialize(1).initialize(0).parameters()
    np.testing.assert_array_equal(again["0.weight"], first["0.weight"])


def test_layers_before_the_first_parameters_pass_through():
    network = Network([Tanh(), Linear(2)]).build(3, "float64", 0)
    X, y = rows("mean_squared_error", 5, 3, 2)
    total, gradients = network.gradients(X, y, "mean_squared_error")
    expected, expected_gradients = by_formulas(network, X, y, "mean_squared_error")
    np.testing.assert_allclose(total, expected)
    np.testing.assert_allclose(gradients["1.weight"], expected_gradients["1.weight"])


def test_dropout_is_idle_in_use_and_active_in_training():
    network = Network([Linear(50), Dropout(0.5), Linear(2)]).build(3, "float64", 0)
    X, y = rows("mean_squared_error", 5, 3, 2)
    without = Network([Linear(50), Linear(2)]).build(3, "float64", 0)
    values = network.parameters()
    without.set_parameters({"0.weight": values["0.weight"], "1.weight": values["2.weight"]})
    np.testing.assert_array_equal(network.forward(X), without.forward(X))
    _, gradients = network.gradients(X, y, "mean_squared_error")
    _, plain = without.gradients(X, y, "mean_squared_error")
    assert not np.allclose(gradients["0.weight"], plain["0.weight"])


@pytest.mark.parametrize("output", ("identity", "sigmoid", "softmax"))
def test_forward_can_end_in_probabilities(output):
    network = Network([Linear(8), ReLU(), Linear(3)]).build(4, "float64", 0)
    X, _ = rows("mean_squared_error", 300, 4, 3)
    expected = network.forward(X)
    if output != "identity":
        expected = getattr(formulas, output)(expected)
    np.testing.assert_allclose(network.forward(X, output), expected, rtol=1e-12)


def test_forward_of_no_rows_is_no_rows():
    network = Network([Linear(3)]).build(4)
    assert network.forward(np.empty((0, 4))).shape == (0, 3)


def test_parameters_go_out_and_in():
    network = Network([Linear(33), ReLU(), Linear(5, bias=False)]).build(9, random_state=0)
    values = network.parameters()
    assert {name: each.shape for name, each in values.items()} == {
        "0.weight": (9, 33), "0.bias": (33,), "2.weight": (33, 5),
    }  # fmt: skip
    other = Network(network.layers).build(9, random_state=1).set_parameters(values)
    np.testing.assert_array_equal(other.values, network.values)
    assert network.size == 9 * 33 + 33 + 33 * 5


def test_all_or_no_parameters_are_set():
    network = Network([Linear(3)]).build(2, random_state=0)
    before = network.values.copy()
    with pytest.raises(
        ValueError, match=r"'0\.bias' of Network must have shape \(3,\)\. Got \(4,\)"
    ):
        network.set_parameters({"0.weight": np.zeros((2, 3)), "0.bias": np.zeros(4)})
    with pytest.raises(ValueError, match=r"no parameter '0\.weights'\. Did you mean '0\.weight'\?"):
        network.set_parameters({"0.weights": np.zeros((2, 3))})
    np.testing.assert_array_equal(network.values, before)


def test_networks_travel_by_pickle():
    network = Network([Linear(7), Tanh(), Linear(2)]).build(3, random_state=0)
    copied = pickle.loads(pickle.dumps(network))
    X, _ = rows("mean_squared_error", 5, 3, 2)
    np.testing.assert_array_equal(copied.forward(X), network.forward(X))
    copied.set_parameters({"0.bias": np.ones(7)})
    assert not np.array_equal(copied.forward(X), network.forward(X))


@pytest.mark.parametrize("layer", (*HIDDEN, Linear(3, bias=False), Dropout(0.25)), ids=repr)
def test_layers_are_described_and_made_again(layer):
    assert layer_from_config(layer.config()) == layer
    assert eval(repr(layer)) == layer


def test_summary(capsys):
    Network([Linear(64), ReLU(), Dropout(0.1), Linear(3)]).build(4).summary()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines if "-" * 9 not in line] == [
        ["layer", "output", "shape", "parameters"],
        ["input", "(B,", "4)", "0"],
        ["Linear(64)", "(B,", "64)", "320"],
        ["ReLU()", "(B,", "64)", "0"],
        ["Dropout(0.1)", "(B,", "64)", "0"],
        ["Linear(3)", "(B,", "3)", "195"],
        ["total", "515"],
    ]


def test_a_summary_fits_in_80_columns():
    """Whatever the layers are called, and however deep they lie."""
    convolution = Conv2d(32, (3, 5), (2, 2), (1, 1), bias=False, dilation=(2, 2))
    deep = Linear(1000)
    for _ in range(40):
        deep = Residual([deep])
    for layers, shape in (
        ([convolution, ReLU(), MaxPool2d((3, 3), (2, 2)), Flatten(), Linear(10)], (64, 64, 3)),
        ([deep, Linear(3)], 1000),
    ):
        lines = Network(layers).build(shape).summary_lines()
        assert max(map(len, lines)) <= 80
        assert "".join(lines).count("Linear") >= 1 and lines[-1].startswith("total")
    text = " ".join(Network([convolution, Flatten()]).build((64, 64, 3)).summary_lines())
    assert repr(convolution).split()[0] in text and repr(convolution).split()[-1] in text
    assert "OW = floor(" in text


@pytest.mark.parametrize(
    ("make", "error", "words"),
    (
        (lambda: Network([]), ValueError, "must be a list of at least one layer"),
        (lambda: Network([64]), TypeError, r"Got 64 at position 0\. Write Linear\(64\), not 64\."),
        (lambda: Linear(0), ValueError, r"units of Linear must be a positive integer\. Got 0\."),
        (lambda: Linear(2.5), TypeError, r"units of Linear must be a positive integer\. Got 2\.5"),
        (lambda: Linear(3, initialization="he"), ValueError, "initialization of Linear must be"),
        (lambda: Dropout(1.0), ValueError, r"rate of Dropout must be a number in \[0, 1\)\. Got 1"),
        (lambda: LeakyReLU(0), ValueError, "slope of LeakyReLU must be a number in"),
        (lambda: Network([Linear(2)]).forward([[1.0]]), ValueError, "Call network.build"),
        (lambda: Network([Linear(2)]).build((4, 4, 4)), ValueError, "must be flat"),
        (lambda: Network([Linear(2)]).build(4, "float16"), ValueError, "dtype of Network must be"),
        (
            lambda: Network([Linear(2)]).build(4).forward(np.ones((2, 5))),
            ValueError, r"X of Network must have shape \(rows, 4\)\. Got \(2, 5\)\.",
        ),
        (
            lambda: Network([Linear(2)]).build(4).gradients(np.ones((2, 4)), [0, 1], "cross"),
            ValueError, "loss of Network must be one of",
        ),
        (
            lambda: Network([Linear(2)]).build(4).gradients(
                np.ones((2, 4)), [0, 2], "categorical_cross_entropy"
            ),
            ValueError, "must hold class indices from 0 to 1. Got 0 to 2",
        ),
        (
            lambda: Network([Linear(2)]).build(4).gradients(
                np.ones((2, 4)), np.ones((2, 3)), "mean_squared_error"
            ),
            ValueError, r"y of mean_squared_error must have shape \(2, 2\), .* Got \(2, 3\)",
        ),
        (
            lambda: Network([Linear(2)]).build(4).gradients(
                np.ones((2, 4)), np.ones((3, 2)), "mean_squared_error", np.ones(2)
            ),
            ValueError, r"y of Network.gradients must have 2 rows, .* Got shape \(3, 2\)",
        ),
        (
            lambda: Network([Linear(2)]).build(4).gradients(
                np.ones((2, 4)), np.ones((2, 2)), "mean_squared_error", np.ones(3)
            ),
            ValueError, r"sample_weight of Network.gradients must have shape \(2,\)\. Got \(3,\)",
        ),
        (
            lambda: Network([Linear(2)]).build(4).gradients(np.ones((2, 4)), 1.0, "mse"),
            ValueError, r"y of Network.gradients must have 2 rows, as X has\. Got shape \(\)",
        ),
        (lambda: layer_from_config({"layer": "Liner"}), ValueError, "Did you mean 'Linear'"),
    ),
)  # fmt: skip
def test_mistakes_get_one_clear_sentence(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_gradients_agree_with_torch():
    torch = pytest.importorskip("torch")
    network = Network([Linear(33), Tanh(), Linear(17), ReLU(), Linear(5)]).build(9, "float64", 0)
    X, y = rows("categorical_cross_entropy", 31, 9, 5)
    total, gradients = network.gradients(X, y, "categorical_cross_entropy")
    values = {
        name: torch.tensor(each, requires_grad=True) for name, each in network.parameters().items()
    }
    h = torch.tensor(X)
    for index, activation in ((0, torch.tanh), (2, torch.relu), (4, lambda z: z)):
        h = activation(h @ values[f"{index}.weight"] + values[f"{index}.bias"])
    loss = torch.nn.functional.cross_entropy(h, torch.tensor(y))
    loss.backward()
    np.testing.assert_allclose(total, loss.item(), rtol=1e-12)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradient, values[name].grad.numpy(), rtol=0, atol=1e-14)


def test_maps_come_out_as_maps():
    network = Network([Conv2d(3, 2)]).build((4, 5, 2), "float64", random_state=0)
    x = np.random.default_rng(0).normal(size=(7, 4, 5, 2))
    p = network.parameters()
    expected = formulas.convolution2d(x, p["0.weight"], p["0.bias"])
    np.testing.assert_allclose(network.forward(x), expected, rtol=0, atol=1e-12)
    assert network.forward(x[:0]).shape == (0, 3, 4, 3)
    with pytest.raises(ValueError, match="must be flat for output='softmax'"):
        network.forward(x, "softmax")
    with pytest.raises(ValueError, match="must be flat for the loss mean_squared_error"):
        network.gradients(x, x, "mean_squared_error")
