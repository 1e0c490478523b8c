"""Walks: every layer by the formulas equals the kernels and finite differences, and moves nothing.

What a model shows of itself is read from walks, so a wrong number here would be shown everywhere.
"""

import numpy as np
import pandas as pd
import pytest
from finite_differences import central_difference

from pellucid import (
    CNNClassifier,
    CNNRegressor,
    FCNNClassifier,
    FCNNRegressor,
    GRUClassifier,
    LSTMRegressor,
    Network,
    NetworkRegressor,
    RNNRegressor,
    formulas,
)
from pellucid.inspection.steps import STEPS
from pellucid.inspection.walk import Walk, loss_of, main_steps, walk_of_row, walks_of_rows
from pellucid.layers import (
    GRU,
    LAYERS,
    LSTM,
    RNN,
    AvgPool1d,
    AvgPool2d,
    BatchNorm,
    Conv1d,
    Conv2d,
    Dropout,
    Embedding,
    Flatten,
    GlobalAvgPool,
    LayerNorm,
    LeakyReLU,
    Linear,
    MaxPool1d,
    MaxPool2d,
    ReLU,
    Residual,
    Sigmoid,
    Softmax,
    Tanh,
)

NETWORKS = {
    "linear": ((5,), [Linear(4), LeakyReLU(0.1), Linear(3, bias=False), Sigmoid(), Linear(2)]),
    "softmax": ((5,), [Linear(4), LayerNorm(), Tanh(), Dropout(0.3), Softmax(), Linear(2)]),
    "pictures": (
        (9, 7, 2),
        [
            Conv2d(4, (3, 2), stride=(2, 1), padding=1), BatchNorm(), ReLU(),
            MaxPool2d(2, ceil_mode=True),
            Conv2d(3, 3, padding="same", dilation=2, bias=False), AvgPool2d(2, stride=1, padding=1),
            Flatten(), Linear(2),
        ],
    ),
    "residual": (
        (6, 6, 2),
        [
            Residual([Conv2d(4, 3, stride=2, padding=1), BatchNorm(), ReLU(), Conv2d(4, 1)]),
            ReLU(), Residual([Conv2d(4, 3, padding=1), LayerNorm()]), GlobalAvgPool(), Linear(2),
        ],
    ),
    "signals": (
        (12, 3),
        [Conv1d(4, 3, 2, padding=2), ReLU(), MaxPool1d(2), AvgPool1d(2), Flatten(), Linear(2)],
    ),
    "forecaster": ((6, 3), [Residual([LSTM(4), Linear(2)], shortcut=[Flatten(), Linear(2)])]),
    "rnn": ((6, 3), [RNN(4, bidirectional=True, num_layers=2, activation="sigmoid"), Linear(2)]),
    "lstm": ((6, 3), [LSTM(4, bidirectional=True, return_sequences=True), LSTM(3), Linear(2)]),
    "gru": ((6, 3), [GRU(4, bidirectional=True), Linear(2)]),
    "gru before": (
        (6, 3),
        [GRU(4, reset_after=False, return_sequences=True), GlobalAvgPool(), Linear(2)],
    ),
    "steps": ((6, 3), [RNN(4, return_sequences=True), Linear(2), Flatten(), Linear(2)]),
    "tokens": ((5,), [Embedding(7, 3), Conv1d(4, 2), ReLU(), GlobalAvgPool(), Linear(2)]),
    "tokens and numbers": ((5, 3), [Embedding(7, 2, others=1), LSTM(4), Linear(2)]),
}  # fmt: skip


def built(name, dtype="float32", rows=3):
    """A network with every parameter off its first value, rows for it, and targets."""
    shape, layers = NETWORKS[name]
    rng = np.random.default_rng(0)
    network = Network(layers).build(shape, dtype, random_state=0)
    network.set_parameters(
        {
            key: np.abs(p + 0.3) if key.endswith("variance") else p + rng.normal(0, 0.2, p.shape)
            for key, p in network.parameters().items()
        }
    )
    X = rng.normal(size=(rows, *shape))
    if name.startswith("tokens"):
        X[..., : X.shape[-1] - (name != "tokens")] = rng.integers(0, 7, X.shape)[
            ..., : X.shape[-1] - (name != "tokens")
        ]
    return network, X, rng.normal(size=(rows, 2))


def of_loss(walk, y):
    """Go back from the mean squared error of all rows."""
    return walk.backward(formulas.mean_squared_error_backward(walk.output, y))


def test_every_layer_has_a_step():
    assert set(STEPS) == set(LAYERS.values())


@pytest.mark.parametrize("name", NETWORKS)
def test_forward_is_what_the_kernels_answer(name):
    network, X, _ = built(name)
    np.testing.assert_allclose(Walk.of(network, X).output, network.forward(X), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", [name for name in NETWORKS if name != "softmax"])
def test_gradients_are_those_of_the_kernels(name):
    """In training, as the kernels compute them; the walk itself moves no running mean."""
    network, X, y = built(name, "float64")
    before = network.values.copy()
    walk = Walk.of(network, X, training=True)
    of_loss(walk, y)
    assert (network.values == before).all()
    _, expected = network.gradients(X, y, "mean_squared_error")
    learned = {key for key, p in network.chain.parameters.items() if p.learns}
    assert set(walk.gradients) == learned
    for key in learned:
        np.testing.assert_allclose(walk.gradients[key], expected[key], rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("training", (False, True))
@pytest.mark.parametrize("name", [name for name in NETWORKS if name != "tokens"])
def test_the_gradient_to_the_input_is_that_of_finite_differences(name, training):
    network, X, y = built(name, "float64")
    walk = Walk.of(network, X, training)
    dx = of_loss(walk, y)

    def loss(x):
        return formulas.mean_squared_error(Walk.of(network, x, training).output, y)

    moving = np.ones(X.shape, dtype=bool)
    if name == "tokens and numbers":  # whole numbers do not move
        moving[..., :2] = False
        assert not dx[..., :2].any()

    def of_moving(numbers):
        x = X.copy()
        x[moving] = numbers
        return loss(x)

    expected = central_difference(of_moving, X[moving], h=1e-5)  # no ReLU turns
    np.testing.assert_allclose(dx[moving], expected, rtol=1e-5, atol=1e-8)


def test_gradients_at_inference_are_those_of_finite_differences():
    """BatchNorm's running mean and variance are numbers that no row moves."""
    network, X, y = built("pictures", "float64")
    walk = Walk.of(network, X)
    of_loss(walk, y)
    for name in ("1.gamma", "1.beta", "0.weight"):
        held = network.parameters()[name]

        def loss(p, name=name):
            network.set_parameters({name: p})
            return formulas.mean_squared_error(Walk.of(network, X).output, y)

        expected = central_difference(loss, held, h=1e-5)
        network.set_parameters({name: held})
        np.testing.assert_allclose(walk.gradients[name], expected, rtol=1e-5, atol=1e-9)


def test_intermediates_have_the_formulas_names():
    network, X, y = built("pictures")
    walk = Walk.of(network, X)
    assert set(walk.steps[1].values) == {"xhat", "mean", "variance", "std"}
    assert walk.steps[3].values["winner"].shape == walk.steps[3].y.shape
    network, X, y = built("lstm")
    walk = Walk.of(network, X)
    assert {"i", "f", "g", "o", "c", "h", "reverse_i", "reverse_h"} <= set(walk.steps[0].values)
    assert "dh" not in walk.steps[0].values
    of_loss(walk, y)
    assert walk.steps[0].values["reverse_dc"].shape == (3, 6, 4)


def test_paths_lead_into_branches():
    network, X, _ = built("forecaster")
    walk = Walk.of(network, X)
    assert list(walk.by_path) == [
        "0", "0.layers.0", "0.layers.1", "0.shortcut.0", "0.shortcut.1",
    ]  # fmt: skip
    assert [step.kind for step in main_steps(walk)] == ["LSTM", "Linear"]
    assert repr(walk.by_path["0.layers.1"]) == "<step 0.layers.1: Linear(2), (3, 4) to (3, 2)>"


def test_rows_of_another_shape_are_refused():
    network, _, _ = built("linear")
    with pytest.raises(ValueError, match=r"must have shape \(rows, 5\)\. Got \(2, 4\)"):
        Walk.of(network, np.zeros((2, 4)))


# -- of fitted models ----------------------------------------------------------------------------

QUICK = {"max_epochs": 2, "random_state": 0, "verbose": 0}


def models():
    """Fitted estimators of every kind, with what they were fitted on."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=40), "b": rng.choice(["x", "y", None], 40)})
    pictures = rng.integers(0, 256, (40, 8, 8), dtype=np.uint8)
    sequences = [rng.normal(size=(n, 2)) for n in rng.integers(3, 9, 40)]
    y, classes = rng.normal(size=40), rng.choice(["u", "v", "w"], 40)
    return [
        (FCNNClassifier(8, dropout=0.2, **QUICK), frame, classes),
        (FCNNClassifier(8, **QUICK), frame, classes == "u"),
        (FCNNRegressor(8, **QUICK), frame, np.stack([y, -y], axis=1)),
        (FCNNRegressor(8, loss="quantile", quantile=0.9, **QUICK), frame, y),
        (FCNNRegressor(8, loss="huber", **QUICK), frame, y),
        (CNNClassifier(4, **QUICK), pictures, classes),
        (CNNRegressor(4, residual=True, **QUICK), pictures, y),
        (LSTMRegressor(4, **QUICK), sequences, y),
        (GRUClassifier(4, **QUICK), ["a b", "b c c", "a", "c a b b"] * 10, classes),
        (RNNRegressor(4, return_sequences=True, **QUICK), sequences, [s[:, 0] for s in sequences]),
        (LSTMRegressor(4, **QUICK), np.cumsum(rng.normal(size=(40, 12)), axis=1), y),
        (NetworkRegressor([Linear(4), Tanh()], **QUICK), frame, y),
    ]


@pytest.mark.parametrize("number", range(12))
def test_a_row_of_a_model_walks_as_it_is_predicted(number):
    model, X, y = models()[number]
    model.fit(X, y)
    values = model.network_.values.copy()
    for row in (0, 7, -1):
        found = walk_of_row(model, X, y, row)
        predicted = model.network_.forward(model._encoded(model._read(X)).take([row % 40]))[0]
        if found.output.ndim == 3:  # steps that the sequence lacks
            predicted = predicted[: found.output.shape[1]]
        np.testing.assert_allclose(found.output[0], predicted, rtol=1e-3, atol=1e-5)
        output = found.output
        # a small step down the gradient of the output lowers the loss by its squared norm
        lower, _ = loss_of(found.loss, output - 1e-6 * found.dy, found.target)
        assert (found.value - lower) / 1e-6 == pytest.approx(
            np.sum(found.dy**2), rel=1e-2, abs=1e-9
        )
    assert (model.network_.values == values).all()


def test_without_targets_there_is_no_way_back():
    model, X, y = models()[0]
    found = walk_of_row(model.fit(X, y), X)
    assert found.value is found.dy is found.target is None
    assert found.walk.steps[0].dy is None
    np.testing.assert_array_equal(found.output, walk_of_row(model, X, y).output)


def test_a_row_that_is_not_there_is_refused():
    model, X, y = models()[0]
    model.fit(X, y)
    with pytest.raises(ValueError, match="one of 40 rows, from 0 to 39. Got 40"):
        walk_of_row(model, X, y, 40)
    assert len(walks_of_rows(model, X, y, range(100))) == 40


@pytest.mark.parametrize(
    "layers",
    [
        [LSTM(3, return_sequences=True), Conv1d(3, 3, padding=1)],
        [GRU(3, bidirectional=True, return_sequences=True), Conv1d(2, 4, padding="same")],
        [RNN(3, return_sequences=True), Tanh(), LayerNorm(), Conv1d(2, 3, padding=1)],
        [Linear(2), Residual([Conv1d(3, 3, padding=1)], [LSTM(3, return_sequences=True)])],
        [Linear(2), Residual([Conv1d(3, 3, padding=1)], [GRU(3, 1, True, return_sequences=True),
                                                        Linear(3)])],
        [Linear(4), Residual([Linear(3)], shortcut=[Conv1d(3, 5, padding=2)])],
        [Linear(4), Residual([Conv1d(3, 3, padding=1)], shortcut=[Conv1d(3, 9, padding=4)])],
    ],
    ids=repr,
)  # fmt: skip
def test_zeros_around_steps_that_one_layer_reads_are_known_to_the_others(layers):
    """A convolution's padding is room in the array that the layer before it, or beside, has too."""
    network = Network([*layers, Flatten(), Linear(2)]).build((5, 2), "float64", random_state=0)
    random = np.random.default_rng(0)
    x, y = random.normal(size=(7, 5, 2)), random.normal(size=(7, 2))
    walk = Walk.of(network, x)
    np.testing.assert_allclose(network.forward(x), walk.output, rtol=0, atol=1e-12)
    _, gradients = network.gradients(x, y, "mean_squared_error")
    walk.backward(formulas.mean_squared_error_backward(walk.output, y))
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradient, walk.gradients[name], atol=1e-12, err_msg=name)
