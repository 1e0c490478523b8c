"""Layers one after the other as nodes of ONNX; each kind of layer adds how it does that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from pellucid.export.onnx.values import Value
from pellucid.layers import BatchNorm, Conv1d, Conv2d, Layer, Linear
from pellucid.network.chain import Chain
from pellucid.network.parameters import below

Arrays = Mapping[str, np.ndarray]
Nodes = Callable[[Any, Value, Arrays], Value]

NODES: dict[type[Layer], Nodes] = {}
"""For each kind of layer the function that adds its nodes: of layer, input and parameters."""


def nodes_of(*kinds: type[Layer]) -> Callable[[Nodes], Nodes]:
    """Take the function that follows for these kinds of layer."""

    def known(function: Nodes) -> Nodes:
        NODES.update(dict.fromkeys(kinds, function))
        return function

    return known


def chain_nodes(chain: Chain, value: Value, parameters: Arrays) -> Value:
    """The nodes of layers one after the other; a BatchNorm goes into a product before it."""
    layers = list(chain.layers)
    index = 0
    while index < len(layers):
        layer, own = layers[index], below(parameters, str(index))
        following = layers[index + 1] if index + 1 < len(layers) else None
        if isinstance(layer, (Linear, Conv1d, Conv2d)) and isinstance(following, BatchNorm):
            index += 1
            own = _with_norm(own, following, below(parameters, str(index)))
        value = NODES[type(layer)](layer, value, own)
        index += 1
    return value


def scale_of(norm: BatchNorm, p: Arrays) -> np.ndarray:
    """What a BatchNorm multiplies each channel by, once the mean is taken away."""
    variance = p["running_variance"].astype(np.float64)
    return np.asarray(p["gamma"] / np.sqrt(variance + norm.eps))


def _with_norm(p: Arrays, norm: BatchNorm, of_norm: Arrays) -> dict[str, np.ndarray]:
    """The weights of a product and of the BatchNorm behind it as those of one product."""
    # gamma (x W + b - mean) / std + beta = x (W scale) + (b - mean) scale + beta
    scale = scale_of(norm, of_norm)
    bias = p.get("bias", np.float64(0.0)) - of_norm["running_mean"].astype(np.float64)
    return {"weight": p["weight"] * scale, "bias": bias * scale + of_norm["beta"]}
