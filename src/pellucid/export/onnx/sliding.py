"""Nodes of ONNX for layers whose windows slide over pictures and signals."""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid.export.onnx.chain import Arrays, nodes_of
from pellucid.export.onnx.layers import product
from pellucid.export.onnx.values import Value
from pellucid.layers import AvgPool1d, AvgPool2d, Conv1d, Conv2d, MaxPool1d, MaxPool2d
from pellucid.layers.sliding import Placement, Sliding

_ORDER = {1: "NCL", 2: "NCHW"}


@nodes_of(Conv1d, Conv2d)
def _convolution(layer: Any, x: Value, p: Arrays) -> Value:
    if layer.takes_steps():  # windows of one step
        return product(x, p["weight"][0], p.get("bias"))
    # ours (height, width, inputs, outputs), theirs (outputs, inputs, height, width)
    weight = np.moveaxis(p["weight"], (-1, -2), (0, 1))
    dilation = layer.windows(x.shape).dilation[2 - layer.dimensions :]
    bias = [p["bias"]] if "bias" in p else []
    return _sliding(layer, x, "Conv", weight, *bias, dilations=dilation)


@nodes_of(MaxPool1d, MaxPool2d)
def _max_pool(layer: Any, x: Value, p: Arrays) -> Value:
    return _sliding(layer, x, "MaxPool")


@nodes_of(AvgPool1d, AvgPool2d)
def _average_pool(layer: Any, x: Value, p: Arrays) -> Value:
    y = _sliding(layer, x, "AveragePool", count_include_pad=int(layer.count_include_pad))
    share = _shares(layer.windows(x.shape), x.shape, layer.dimensions)
    if not layer.count_include_pad or (share == 1).all():
        return y
    # what ceil_mode adds beyond the padding is divided by here, and does not count
    order, name = y.as_it_lies
    return y.made(order, y.graph.node("Mul", name, y.constant(share)), y.shape)


def _sliding(
    layer: Sliding, x: Value, operator: str, *arrays: np.ndarray, **attributes: Any
) -> Value:
    """One node over windows, which runtimes have in float32 alone."""
    placed, first = layer.windows(x.shape), 2 - layer.dimensions
    begins, ends = zip(*_pads(placed, x.shape)[first:], strict=True)
    order = _ORDER[layer.dimensions]
    constants = [x.constant(array, np.float32) for array in arrays]
    y = x.graph.node(
        operator, x.single(order), *constants, kernel_shape=placed.size[first:],
        strides=placed.stride[first:], pads=[*begins, *ends], **attributes,
    )  # fmt: skip
    return x.made(order, y, layer.output_shape(x.shape), single=True)


def _pads(placed: Placement, shape: tuple[int, ...]) -> list[tuple[int, int]]:
    """Padding before and behind each axis with which all windows fit just so.

    It says the same as `padding` and `ceil_mode`, in which operators and runtimes differ.
    """
    pads = []
    for size, window, stride, (before, _), count, apart in zip(
        _sizes(shape), placed.size, placed.stride, placed.padding, placed.outputs,
        placed.dilation, strict=True,
    ):  # fmt: skip
        reach = (count - 1) * stride + apart * (window - 1) + 1
        pads.append((before, max(0, reach - before - size)))
    return pads


def _shares(placed: Placement, shape: tuple[int, ...], dimensions: int) -> np.ndarray:
    """By what a mean over whole windows is too small, where some reach beyond the padding."""
    shares = []
    for size, window, stride, padding, count in zip(
        _sizes(shape), placed.size, placed.stride, placed.padding, placed.outputs, strict=True
    ):
        begin = np.arange(count) * stride
        shares.append(window / (np.minimum(begin + window, sum(padding) + size) - begin))
    both = np.multiply.outer(*shares)
    return both if dimensions == 2 else both[0]


def _sizes(shape: tuple[int, ...]) -> tuple[int, int]:
    """Height and width of a picture; a signal is one of one row."""
    return (shape[0], shape[1]) if len(shape) == 3 else (1, shape[0])
