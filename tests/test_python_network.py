"""Every layer, written as plain NumPy, computes what ours does."""

from __future__ import annotations

import numpy as np
import pytest
from python_files import (
    QUICK,
    check,
    ruff_has_nothing_to_say,
    written,
)

from pellucid import (
    NetworkRegressor,
    layers,
)
from pellucid.export.python.network import LAYERS
from pellucid.layers import (
    GRU,
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
from pellucid.layers.base import each_layer

PICTURE, SIGNAL, FLAT = (9, 8, 2), (12, 2), (5,)
NETWORKS = {
    "activations": (FLAT, [Linear(8), LeakyReLU(0.2), Linear(8), Sigmoid(), Linear(6), Tanh()]),
    "softmax": (FLAT, [Linear(8, bias=False), Softmax(), LayerNorm(), BatchNorm(), Dropout(0.5)]),
    "residual": (FLAT, [Residual([Linear(7), ReLU()]), Residual([Residual([Linear(7)]), Tanh()])]),
    "shortcut": (FLAT, [Residual([Linear(3)], shortcut=[Linear(4), Tanh(), Linear(3)])]),
    "conv2d": (PICTURE, [Conv2d(3, (3, 2), (2, 1), "same", dilation=(1, 2)), BatchNorm(), ReLU(),
                         Conv2d(4, 2, padding=(1, 0), bias=False), LayerNorm(), Flatten()]),
    "pool2d": (PICTURE, [MaxPool2d((3, 2), 2, 1, ceil_mode=True), GlobalAvgPool()]),
    "average2d": (PICTURE, [AvgPool2d(3, 2, "same"), AvgPool2d(2, 2, ceil_mode=True), Flatten()]),
    "padding counts": (PICTURE, [AvgPool2d((3, 4), 2, 1, ceil_mode=True, count_include_pad=True),
                                 Flatten()]),
    "blocks": (PICTURE, [Residual([Conv2d(4, 3, 2, 1), ReLU(), Conv2d(4, 3, padding=1)]), ReLU(),
                         GlobalAvgPool()]),
    "conv1d": (SIGNAL, [Conv1d(3, 3, 2, 2, dilation=2), LayerNorm(), Conv1d(2, 2, padding="same"),
                        Flatten()]),
    "pool1d": (SIGNAL, [MaxPool1d(3, 2, 1), AvgPool1d(2, 2, 1, ceil_mode=True), Flatten()]),
    "average1d": (SIGNAL, [AvgPool1d(3, 2, 1, count_include_pad=True), Flatten()]),
    "rnn": (SIGNAL, [RNN(4, activation="relu", return_sequences=True), RNN(3, activation="sigmoid"),
                     ReLU()]),
    "lstm": (SIGNAL, [LSTM(4, bidirectional=True, return_sequences=True), LayerNorm(), LSTM(3)]),
    "gru": (SIGNAL, [GRU(4, reset_after=False, bidirectional=True), Sigmoid()]),
    "gru after": (SIGNAL, [GRU(4, num_layers=2, return_sequences=True), GlobalAvgPool()]),
    "steps": (SIGNAL, [LSTM(4, return_sequences=True), Residual([Linear(3), Tanh()]), LSTM(2)]),
}  # fmt: skip


@pytest.mark.parametrize("name", NETWORKS)
def test_every_layer(name, tmp_path):
    shape, chain = NETWORKS[name]
    X = np.random.default_rng(0).normal(size=(25, *shape))
    model = NetworkRegressor(chain, **QUICK).fit(X, X.reshape(25, -1)[:, :2])
    module = written(model, tmp_path)
    check(model, module, X)
    ruff_has_nothing_to_say(tmp_path)


def test_no_layer_is_forgotten():
    chains = [chain for _, chain in NETWORKS.values()]
    used = {type(layer) for chain in chains for layer in each_layer(chain)}
    assert {*used, Embedding} == set(layers.LAYERS.values())  # tokens have tests of their own
    assert {*LAYERS, Residual} == set(layers.LAYERS.values())
