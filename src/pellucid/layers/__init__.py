"""Layers: what a :class:`pellucid.Network` is a list of.

Each file of this folder is imported, and its layers are then known by name: a new one stands in no
list.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

from pellucid.layers.activations import ACTIVATIONS
from pellucid.layers.base import LAYERS, Layer, Parameter, is_known, layer_from_config
from pellucid.layers.initialization import INITIALIZATIONS
from pellucid.layers.recurrent import Recurrent

for _file in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_file.name}")
globals().update(LAYERS)

__all__ = [
    "ACTIVATIONS", "INITIALIZATIONS", "LAYERS", "Layer", "Parameter", "Recurrent", "is_known",
    "layer_from_config", *sorted(LAYERS),
]  # fmt: skip

if TYPE_CHECKING:  # what editors and type checkers know of those that are there
    from pellucid.layers.activations import LeakyReLU, ReLU, Sigmoid, Softmax, Tanh
    from pellucid.layers.convolution import Conv1d, Conv2d
    from pellucid.layers.dropout import Dropout
    from pellucid.layers.embedding import Embedding
    from pellucid.layers.flatten import Flatten
    from pellucid.layers.gru import GRU
    from pellucid.layers.layer_normalization import LayerNorm
    from pellucid.layers.linear import Linear
    from pellucid.layers.lstm import LSTM
    from pellucid.layers.normalization import BatchNorm
    from pellucid.layers.pooling import AvgPool1d, AvgPool2d, GlobalAvgPool, MaxPool1d, MaxPool2d
    from pellucid.layers.residual import Residual
    from pellucid.layers.rnn import RNN
