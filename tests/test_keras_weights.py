"""Weights of Keras models, loaded: the layouts by hand, and, where Keras is, its own answers."""

from __future__ import annotations

import numpy as np
import pytest

from pellucid import Network
from pellucid.formulas import sigmoid
from pellucid.layers import (
    GRU,
    LSTM,
    RNN,
    BatchNorm,
    Conv2d,
    Embedding,
    Flatten,
    LayerNorm,
    Linear,
    MaxPool2d,
    ReLU,
    Tanh,
)


def random(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).normal(0, 0.5, shape)


def test_layouts_are_ours_but_for_the_gru():
    layers = [Conv2d(3, 2), BatchNorm(), Flatten(), Linear(4), LayerNorm()]
    network = Network(layers).build((4, 3, 2), "float64", random_state=0)
    weights = list(network.parameters().values())
    again = Network(layers).build((4, 3, 2), "float64", random_state=1)
    assert again.load_keras(weights) is again
    assert again.values.tobytes() == network.values.tobytes()
    for kind in (RNN(4, bidirectional=True), LSTM(4, bidirectional=True)):
        network = Network([kind]).build((5, 3), "float64", random_state=0)
        again = Network([kind]).build((5, 3), "float64", random_state=1)
        assert (
            again.load_keras(list(network.parameters().values())).values == network.values
        ).all()


@pytest.mark.parametrize("reset_after", [True, False])
def test_gru_of_keras_step_by_step(reset_after):
    x, U, W = random(2, 5, 3), random(3, 12), random(4, 12)
    b = random(2, 12) if reset_after else random(12)
    layer = GRU(4, reset_after=reset_after)
    network = Network([layer]).build((5, 3), "float64", random_state=0).load_keras([U, W, b])
    h = np.zeros((2, 4))
    for t in range(5):  # keras.layers.GRUCell: z, r, h side by side
        from_x = x[:, t] @ U + (b[0] if reset_after else b)
        x_z, x_r, x_h = np.split(from_x, 3, axis=1)
        if reset_after:
            h_z, h_r, h_h = np.split(h @ W + b[1], 3, axis=1)
            candidate = np.tanh(x_h + sigmoid(x_r + h_r) * h_h)
        else:
            h_z, h_r = np.split(h @ W[:, :8], 2, axis=1)
            candidate = np.tanh(x_h + (sigmoid(x_r + h_r) * h) @ W[:, 8:])
        z = sigmoid(x_z + h_z)
        h = z * h + (1 - z) * candidate
    np.testing.assert_allclose(network.forward(x), h, atol=1e-12)


@pytest.mark.parametrize(
    ("weights", "kind", "words"),
    [
        ({}, TypeError, "a list of arrays, as model.get_weights"),
        ([random(3, 2)], ValueError, "must be 4 arrays, as the layers of the network.*Got 1"),
        ([random(3, 2), random(2), random(2, 9), random(1)], ValueError,
         r"weights\[2\] of load_keras must have shape \(2, 1\), for '1.weight' of Linear\(1\)"),
        ([random(3, 2) * np.inf, random(2), random(2, 1), random(1)], ValueError,
         r"weights\[0\] of load_keras must be finite numbers\. Got array\(\[\[ *-?inf"),
    ],
)  # fmt: skip
def test_other_weights_are_refused(weights, kind, words):
    network = Network([Linear(2), Linear(1)]).build(3, random_state=0)
    before = network.values.copy()
    with pytest.raises(kind, match=words):
        network.load_keras(weights)
    assert (network.values == before).all()


def test_a_variance_below_0_is_refused():
    network = Network([BatchNorm()]).build(2)
    with pytest.raises(ValueError, match="'0.running_variance' .* must be at least 0. Got -1"):
        network.load_keras([[1, 1], [0, 0], [0, 0], [1, -1]])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Keras' own
def test_models_of_keras(monkeypatch):
    pytest.importorskip("jax")
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    keras = pytest.importorskip("keras")
    theirs = keras.layers
    cases = [
        ([theirs.Conv2D(4, 3), theirs.ReLU(), theirs.BatchNormalization(epsilon=1e-5),
          theirs.MaxPooling2D(), theirs.Flatten(), theirs.Dense(5, "tanh"), theirs.Dense(3)],
         [Conv2d(4, 3), ReLU(), BatchNorm(), MaxPool2d(2), Flatten(), Linear(5), Tanh(), Linear(3)],
         (8, 7, 2)),
        ([theirs.Embedding(9, 4), theirs.GRU(3), theirs.Dense(2)],
         [Embedding(9, 4), GRU(3), Linear(2)], (6,)),
        *(([theirs.Bidirectional(one(4, return_sequences=True)), one(3)],
           [our(4, bidirectional=True, return_sequences=True), our(3)], (6, 2))
          for one, our in ((theirs.LSTM, LSTM), (theirs.GRU, GRU), (theirs.SimpleRNN, RNN))),
    ]  # fmt: skip
    for parts, layers, shape in cases:
        model = keras.Sequential([keras.Input(shape), *parts])
        model.set_weights([abs(random(*array.shape)) for array in model.get_weights()])
        network = Network(layers).build(shape, random_state=1).load_keras(model.get_weights())
        x = abs(random(5, *shape))
        x = np.floor(x) if len(shape) == 1 else x
        np.testing.assert_allclose(network.forward(x), model.predict(x, verbose=0), rtol=1e-4)
