"""Layers: what a :class:`pellucid.Network` is a list of."""

from __future__ import annotations

from typing import Any

from pellucid import checks
from pellucid.layers.activations import ACTIVATIONS, LeakyReLU, ReLU, Sigmoid, Softmax, Tanh
from pellucid.layers.base import Layer, Parameter, Stage
from pellucid.layers.convolution import Conv1d, Conv2d
from pellucid.layers.dropout import Dropout
from pellucid.layers.flatten import Flatten
from pellucid.layers.gru import GRU
from pellucid.layers.initialization import INITIALIZATIONS
from pellucid.layers.layer_normalization import LayerNorm
from pellucid.layers.linear import Linear
from pellucid.layers.lstm import LSTM
from pellucid.layers.normalization import BatchNorm
from pellucid.layers.pooling import AvgPool1d, AvgPool2d, GlobalAvgPool, MaxPool1d, MaxPool2d
from pellucid.layers.recurrent import Recurrent
from pellucid.layers.rnn import RNN

__all__ = [
    "ACTIVATIONS",
    "GRU",
    "INITIALIZATIONS",
    "LSTM",
    "RNN",
    "AvgPool1d",
    "AvgPool2d",
    "BatchNorm",
    "Conv1d",
    "Conv2d",
    "Dropout",
    "Flatten",
    "GlobalAvgPool",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "MaxPool1d",
    "MaxPool2d",
    "Parameter",
    "ReLU",
    "Recurrent",
    "Sigmoid",
    "Softmax",
    "Stage",
    "Tanh",
    "is_known",
    "layer_from_config",
]

_BY_NAME: dict[str, type[Layer]] = {
    each.__name__: each
    for each in (
        Linear,
        ReLU,
        LeakyReLU,
        Sigmoid,
        Tanh,
        Softmax,
        Dropout,
        Conv1d,
        Conv2d,
        MaxPool1d,
        MaxPool2d,
        AvgPool1d,
        AvgPool2d,
        GlobalAvgPool,
        BatchNorm,
        LayerNorm,
        Flatten,
        RNN,
        LSTM,
        GRU,
    )
}


def is_known(layer: Layer) -> bool:
    """Whether `layer` is one of pellucid's own, which a file can describe."""
    return _BY_NAME.get(type(layer).__name__) is type(layer)


def layer_from_config(config: dict[str, Any]) -> Layer:
    """The layer that ``layer.config()`` described; see :meth:`Layer.config`."""
    values = dict(config)
    name = values.pop("layer", None)
    if name not in _BY_NAME:
        raise ValueError(
            f"a layer must be one of pellucid.layers. Got {checks.shown(name)}."
            f"{checks.suggestion(name, _BY_NAME)}"
        )
    return _BY_NAME[name](**values)
