"""Nodes of ONNX for each kind of layer.

source    the specification of the operators: https://onnx.ai/onnx/operators/
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid.export.onnx.chain import Arrays, chain_nodes, nodes_of, scale_of
from pellucid.export.onnx.values import Value, present_steps
from pellucid.layers import (
    BatchNorm,
    Dropout,
    Embedding,
    Flatten,
    GlobalAvgPool,
    LayerNorm,
    LeakyReLU,
    Linear,
    ReLU,
    Residual,
    Sigmoid,
    Softmax,
    Tanh,
)
from pellucid.network.chain import Chain
from pellucid.network.parameters import below


@nodes_of(Linear)
def _linear(layer: Linear, x: Value, p: Arrays) -> Value:
    return product(x, p["weight"], p.get("bias"))


def product(x: Value, weight: np.ndarray, bias: np.ndarray | None) -> Value:
    """``x W + b`` over the channels, of each row or each step."""
    graph, matrix = x.graph, x.constant(weight)
    order, name = x.channels_last
    shape = (*x.shape[:-1], weight.shape[1])
    biases = [] if bias is None else [x.constant(bias)]
    if order == "NC":
        return x.made(order, graph.node("Gemm", name, matrix, *biases), shape)
    y = graph.node("MatMul", name, matrix)
    return x.made(order, graph.node("Add", y, *biases) if biases else y, shape)


@nodes_of(ReLU, LeakyReLU, Sigmoid, Tanh)
def _activation(layer: Any, x: Value, p: Arrays) -> Value:
    order, name = x.as_it_lies
    if isinstance(layer, LeakyReLU):
        y = x.graph.node("LeakyRelu", name, alpha=layer.slope)
    else:
        y = x.graph.node("Relu" if isinstance(layer, ReLU) else type(layer).__name__, name)
    return x.made(order, y, x.shape)


@nodes_of(Softmax)
def _softmax(layer: Softmax, x: Value, p: Arrays) -> Value:
    return x.made("NC", x.graph.node("Softmax", x.to("NC"), axis=1), x.shape)


@nodes_of(Dropout)
def _dropout(layer: Dropout, x: Value, p: Arrays) -> Value:
    return x


@nodes_of(Flatten)
def _flatten(layer: Flatten, x: Value, p: Arrays) -> Value:
    shape = layer.output_shape(x.shape)
    if x.shape == shape:
        return x
    return x.made("NC", x.graph.node("Flatten", x.plain, axis=1), shape)


@nodes_of(BatchNorm)
def _batch_norm(layer: BatchNorm, x: Value, p: Arrays) -> Value:
    # the mean first: x scale - mean scale would lose what a large mean leaves
    order, name = x.as_it_lies
    for operator, numbers in (
        ("Sub", p["running_mean"]), ("Mul", scale_of(layer, p)), ("Add", p["beta"]),
    ):  # fmt: skip
        name = x.graph.node(operator, name, x.along(order, numbers))
    return x.made(order, name, x.shape)


@nodes_of(LayerNorm)
def _layer_norm(layer: LayerNorm, x: Value, p: Arrays) -> Value:
    # one node, of opset 17: nine plain ones would do with opset 13, and runtimes do not join them.
    # In float64, as here: where features are nearly equal, their last bits grow 300 times
    order, name = x.channels_last
    gamma, beta = (x.constant(p[part], np.float64) for part in ("gamma", "beta"))
    plain = x.dtype == np.float64
    y = x.graph.node(
        "LayerNormalization", name if plain else x.graph.cast(name, np.float64), gamma, beta,
        axis=-1, epsilon=layer.eps,
    )  # fmt: skip
    return x.made(order, y if plain else x.graph.cast(y, x.dtype), x.shape)


@nodes_of(Residual)
def _residual(layer: Residual, x: Value, p: Arrays) -> Value:
    parts = {
        name: chain_nodes(Chain.of(layers, x.shape, "Residual"), x, below(p, name))
        for name, layers in layer.branches(x.shape).items()
    }
    inner, shortcut = parts["layers"], parts.get("shortcut", x)
    order, name = inner.as_it_lies
    return x.made(order, x.graph.node("Add", name, shortcut.to(order)), inner.shape)


@nodes_of(Embedding)
def _embedding(layer: Embedding, x: Value, p: Arrays) -> Value:
    graph, weight, name = x.graph, x.constant(p["weight"]), x.plain
    if len(x.shape) == 1:  # a token a step
        rows = graph.node("Gather", weight, graph.cast(name, np.int64), axis=0)
        return x.made("NLC", rows, layer.output_shape(x.shape))
    tokens = x.shape[1] - layer.others
    beside = []
    if layer.others:
        split = [graph.constant(np.array(part, np.int64)) for part in ([0], [tokens], [2])]
        end = graph.constant(np.array([x.shape[1]], np.int64))
        beside = [graph.node("Slice", name, split[1], end, split[2])]
        name = graph.node("Slice", name, *split)
    rows = graph.node("Gather", weight, graph.cast(name, np.int64), axis=0)
    width = np.array([0, 0, tokens * layer.embedding_dim], np.int64)  # 0 is what was there
    rows = graph.node("Reshape", rows, graph.constant(width))
    whole = graph.node("Concat", rows, *beside, axis=2) if beside else rows
    return x.made("NLC", whole, layer.output_shape(x.shape))


@nodes_of(GlobalAvgPool)
def _global_mean(layer: GlobalAvgPool, x: Value, p: Arrays) -> Value:
    graph, shape = x.graph, layer.output_shape(x.shape)
    if len(x.shape) == 1:
        return x
    if x.lengths is None:
        order, name = x.as_it_lies
        axes = [place for place, axis in enumerate(order) if axis not in "NC"]
        return x.made("NC", graph.node("ReduceMean", name, axes=axes, keepdims=0), shape)
    name, one = x.plain, graph.constant(np.array([1], np.int64))
    there = graph.node("Where", present_steps(graph, name, x.lengths), name, x.constant(0.0))
    total = graph.node("ReduceSum", there, one, keepdims=0)
    count = graph.node("Unsqueeze", graph.cast(x.lengths, x.dtype), one)
    return x.made("NC", graph.node("Div", total, count), shape)
