"""The layers of one network as lines of Python, each the call of a formula."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pellucid.export.python.parts import beside, call, comment
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
    Layer,
    LayerNorm,
    LeakyReLU,
    Linear,
    MaxPool1d,
    MaxPool2d,
    Recurrent,
    ReLU,
    Residual,
    Sigmoid,
    Softmax,
    Tanh,
)
from pellucid.network.chain import Chain

_SHORT = {
    "layers": "F", "shortcut": "S", "weight": "W", "bias": "b", "input_weight": "U",
    "recurrent_weight": "W", "candidate_weight": "V", "candidate_bias": "b_hn",
    "running_mean": "mean", "running_variance": "variance",
}  # fmt: skip
_NOT_SAID = re.compile(r", (initialization|trainable)=[^,)]*")  # of layers: it is of training
_STATES = {"tanh": "np.tanh", "sigmoid": "sigmoid", "relu": "relu"}


@dataclass
class NetworkCode:
    """The functions of a network, those of its residual blocks first, and arrays beside weights."""

    functions: list[str] = field(default_factory=list)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)

    def add(self, name: str, words: str, chain: Chain, path: str = "") -> None:
        """The function of this `name`, through a whole chain of layers."""
        lines = [f"def {name}(x: Array) -> Array:", f'    """{words}"""']
        lines += self._through(chain, path)
        self.functions.append("\n".join([*lines, "    return x"]))

    def _through(self, chain: Chain, path: str) -> list[str]:
        lines: list[str] = []
        for index, layer in enumerate(chain.layers):
            shapes, here = chain.shapes[index : index + 2], f"{path}{index}"
            if isinstance(layer, Residual):
                lines += self._block(chain, index, here)
                continue
            words = f"{_NOT_SAID.sub('', repr(layer))}, {with_rows(shapes[1])}"
            written = LAYERS[type(layer)](self, here, layer, *shapes)
            lines += beside(written, words) if written else comment([f"{words}: as it is"], 4)
        return lines

    def _block(self, chain: Chain, index: int, here: str) -> list[str]:
        branches = chain.branches[index]
        shapes = " to ".join(map(with_rows, chain.shapes[index : index + 2]))
        named = {"layers": "branch", "shortcut": "shortcut"}
        called = []
        for branch, inner in branches.items():
            name = f"{named[branch]}_{here.replace('.', '_')}"
            words = f"{_SHORT[branch]}(x) of the residual block {here}, {shapes}."
            self.add(name, words, inner, f"{here}.{_SHORT[branch]}.")
            called.append(f"{name}(x)")
        shortcut = "S(x)" if len(called) > 1 else "x"
        total = call("x = residual(", [*called, "x"][:2])
        return beside(total, f"y = F(x) + {shortcut}, {with_rows(chain.shapes[index + 1])}")


def short(name: str) -> str:
    """The name of a parameter as the formulas have it: ``0.W`` for ``0.weight``."""
    *path, last = name.split(".")
    reverse = "reverse_" if last.startswith("reverse_") else ""
    last = last.removeprefix(reverse)
    return ".".join([*(_SHORT.get(one, one) for one in path), reverse + _SHORT.get(last, last)])


def with_rows(shape: Sequence[int]) -> str:
    """A shape with the rows of a batch before it: ``(B, 3)``."""
    return f"({', '.join(['B', *map(str, shape)])})"


# ---------------------------------------------------------------- each kind of layer

Writer = Callable[[NetworkCode, str, Any, Any, Any], list[str]]
LAYERS: dict[type[Layer], Writer] = {}
"""What writes each kind of layer."""


def _of(*kinds: type[Layer]) -> Callable[[Writer], Writer]:
    def known(writer: Writer) -> Writer:
        LAYERS.update(dict.fromkeys(kinds, writer))
        return writer

    return known


def _weights(path: str, names: Sequence[str]) -> list[str]:
    return [f'P["{short(f"{path}.{name}")}"]' for name in names]


def _formula(name: str, *arguments: Any) -> list[str]:
    return call(f"x = {name}(", ["x", *map(str, arguments)])


@_of(Linear)
def _linear(code: NetworkCode, path: str, layer: Linear, before: Any, after: Any) -> list[str]:
    return _formula("linear", *_weights(path, ["weight", "bias"][: 1 + layer.bias]))


@_of(ReLU, Sigmoid, Tanh, Softmax, GlobalAvgPool)
def _plain(code: NetworkCode, path: str, layer: Layer, before: Any, after: Any) -> list[str]:
    named = {Tanh: "np.tanh", GlobalAvgPool: "global_average_pool"}
    return _formula(named.get(type(layer), type(layer).__name__.lower()))


@_of(LeakyReLU)
def _leaky(code: NetworkCode, path: str, layer: LeakyReLU, before: Any, after: Any) -> list[str]:
    return _formula("leaky_relu", repr(float(layer.slope)))


@_of(Dropout)
def _dropout(code: NetworkCode, path: str, layer: Dropout, before: Any, after: Any) -> list[str]:
    return []


@_of(Flatten)
def _flatten(code: NetworkCode, path: str, layer: Flatten, before: Any, after: Any) -> list[str]:
    return ["    x = x.reshape(len(x), -1)"]


@_of(BatchNorm)
def _batch(code: NetworkCode, path: str, layer: BatchNorm, before: Any, after: Any) -> list[str]:
    weights = _weights(path, ["gamma", "beta", "running_mean", "running_variance"])
    return _formula("batch_normalization", *weights, repr(float(layer.eps)))


@_of(LayerNorm)
def _norm(code: NetworkCode, path: str, layer: LayerNorm, before: Any, after: Any) -> list[str]:
    return _formula("layer_normalization", *_weights(path, ["gamma", "beta"]), float(layer.eps))


@_of(Embedding)
def _embedding(
    code: NetworkCode, path: str, layer: Embedding, before: Any, after: Any
) -> list[str]:
    others = [f"others={layer.others}"] if layer.others else []
    return _formula("embedding", *_weights(path, ["weight"]), *others)


@_of(Conv1d, Conv2d)
def _convolution(code: NetworkCode, path: str, layer: Any, before: Any, after: Any) -> list[str]:
    placed, last = layer.windows(before), layer.dimensions == 1
    weight, *bias = _weights(path, ["weight", "bias"][: 1 + layer.bias])
    options = {"stride": placed.stride, "padding": placed.padding, "dilation": placed.dilation}
    usual = {"stride": (1, 1), "padding": ((0, 0), (0, 0)), "dilation": (1, 1)}
    named = _named(options, usual, last)
    return _formula(f"convolution{layer.dimensions}d", weight, *bias, *named)


@_of(MaxPool1d, MaxPool2d, AvgPool1d, AvgPool2d)
def _pool(code: NetworkCode, path: str, layer: Any, before: Any, after: Any) -> list[str]:
    placed, maps = layer.windows(before), before[:-1] if layer.dimensions == 2 else (1, before[0])
    axes = list(zip(maps, placed.size, placed.stride, placed.padding, placed.outputs, strict=True))
    # where a last window reaches beyond the padding, there is so much more of it
    padding = tuple((p[0], max(p[1], s * (o - 1) + k - n - p[0])) for n, k, s, p, o in axes)
    options: dict[str, Any] = {"size": placed.size, "stride": placed.stride, "padding": padding}
    last = layer.dimensions == 1
    named = _named(options, {"padding": ((0, 0), (0, 0))}, last)
    if isinstance(layer, (MaxPool1d, MaxPool2d)):
        return _formula(f"max_pool{layer.dimensions}d", *named)
    counts = np.multiply.outer(*(_counts(layer.count_include_pad, *axis) for axis in axes))
    m = str(int(counts.flat[0]))
    if (counts != counts.flat[0]).any():
        code.arrays[f"{path}.m"] = (counts[0] if last else counts)[..., None]
        m = f'P["{path}.m"]'
    return _formula(f"average_pool{layer.dimensions}d", *named, f"m={m}")


def _named(options: dict[str, Any], usual: dict[str, Any], last: bool) -> list[str]:
    """Arguments by name, without what is usual; of signals each has but its last number."""
    return [
        f"{name}={value[1] if last else value}"
        for name, value in options.items()
        if value != usual.get(name)
    ]


def _counts(
    padded: bool, length: int, size: int, stride: int, padding: tuple[int, int], outputs: int
) -> np.ndarray:
    """How many numbers each window holds along an axis: padding counts or not, beyond it never."""
    begin = np.arange(outputs) * stride - padding[0]
    first, end = (-padding[0], length + padding[1]) if padded else (0, length)
    return np.minimum(begin + size, end) - np.maximum(begin, first)


@_of(RNN, LSTM, GRU)
def _recurrent(
    code: NetworkCode, path: str, layer: Recurrent, before: Any, after: Any
) -> list[str]:
    if not layer.bidirectional:
        lines = _direction("x", path, layer, "x", "")
        return lines if layer.return_sequences else [*lines, "    x = x[:, -1]  # the last state"]
    join = "both_ways" if layer.return_sequences else "both_ends"
    return [
        *_direction("forward", path, layer, "x", ""),
        *_direction("backward", path, layer, "x[:, ::-1]", "reverse_"),
        f"    x = {join}(forward, backward)",
    ]


def _direction(target: str, path: str, layer: Recurrent, x: str, prefix: str) -> list[str]:
    names, name, more = (
        ["input_weight", "recurrent_weight", "bias"],
        type(layer).__name__.lower(),
        [],
    )
    if isinstance(layer, GRU):
        names.insert(2, "candidate_weight")
        name = "gru" if layer.reset_after else "gru_reset_before"
        names += ["candidate_bias"] if layer.reset_after else []
    if isinstance(layer, RNN):
        more = [_STATES[layer.activation]]
    weights = _weights(path, [prefix + one for one in names])
    return call(f"{target} = {name}(", [x, *weights, *more])
