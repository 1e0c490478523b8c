"""A network as a torch.nn.Module: torch's own layers, with the same numbers in them.

Imported where torch is used, and only there.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import nn

from pellucid.export.torch import layers as own
from pellucid.export.torch.encoders import Model, answer_module, encoder_module
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
    ReLU,
    Residual,
    Sigmoid,
    Softmax,
    Tanh,
)
from pellucid.layers.sliding import Placement
from pellucid.network import Network
from pellucid.network.parameters import below
from pellucid.network.torch_layout import KINDS, Place, check_known, has_two_biases, places_of

_MAKERS: dict[type[Layer], Callable[[Place], nn.Module]] = {}

Parts = dict[str, nn.Module]


def network_module(network: Network) -> nn.Module:
    """The module that computes what `network` does, in evaluation mode.

    Raises
    ------
    ValueError
        If a layer is the user's own, or carries states from batch to batch.
    """
    chain = network.chain
    for layer in chain.layers:
        check_known(layer)
    fault = ""
    try:
        chain.check_steps()
    except ValueError as error:
        fault = str(error)
    places, shape = places_of(chain), network.output_shape
    with torch.device("meta"):  # so nothing is drawn: the numbers are ours
        parts = _parts(places, channels_first=False)
    if len(shape) > 1 and places[-1].channels_first:
        parts["end"] = own.MoveAxis(1, -1)
    elif len(shape) == 1 and places[-1].outputs is not None:
        parts["end"] = own.Reorder(torch.from_numpy(np.argsort(places[-1].outputs)))
    _fill(parts, places, network.parameters())
    told = any(getattr(part, "takes_lengths", False) for part in parts.values())
    return (own.Chain(parts, fault) if told else nn.Sequential(OrderedDict(parts))).eval()


def model_module(model: Any) -> nn.Module:
    """The module that takes raw rows and answers as a fitted estimator does.

    Raises
    ------
    ValueError
        If there is none: see :func:`network_module` and :func:`encoder_module`.
    """
    dtype = torch.float32 if model.network_.dtype == np.float32 else torch.float64
    encoder = encoder_module(model, dtype)
    return Model(encoder, network_module(model.network_), answer_module(model)).eval()


def _parts(places: list[Place], channels_first: bool) -> Parts:
    """The modules of `places` by name, and what moves channels before those that want that."""
    parts: Parts = {}
    for place in places:
        name = place.path.rpartition(".")[2]
        if len(place.shape) > 1 and place.channels_first != channels_first:
            parts[f"before_{name}"] = _moved(place.channels_first)
        parts[name] = _MAKERS[type(place.layer)](place)
        channels_first = place.channels_first
    return parts


def _moved(first: bool) -> nn.Module:
    return own.MoveAxis(-1, 1) if first else own.MoveAxis(1, -1)


def _fill(parts: Any, places: list[Place], parameters: dict[str, np.ndarray]) -> None:
    """Put the parameters into the modules, copied."""
    for place in places:
        name = place.path.rpartition(".")[2]
        module, ours = parts[name], below(parameters, name)
        for branch, inner in place.branches.items():
            _fill(dict(getattr(module, branch).named_children()), inner, below(ours, branch))
        if type(place.layer) not in KINDS:
            continue
        arrays = KINDS[type(place.layer)].theirs(place, ours)
        state = {key: torch.from_numpy(np.array(array, order="C")) for key, array in arrays.items()}
        if isinstance(place.layer, BatchNorm):
            state["num_batches_tracked"] = torch.tensor(0)
        _holder(module).load_state_dict(state, assign=True)


def _holder(module: nn.Module) -> nn.Module:
    """The part of `module` that has its parameters."""
    return next(part for part in module.modules() if list(part.parameters(False)))


# -- the module of each kind of layer ------------------------------------------------------------


def _makes(*kinds: type[Layer]) -> Any:
    def register(maker: Callable[[Place], nn.Module]) -> Callable[[Place], nn.Module]:
        _MAKERS.update(dict.fromkeys(kinds, maker))
        return maker

    return register


_MAKERS[ReLU] = lambda place: nn.ReLU()
_MAKERS[Sigmoid] = lambda place: nn.Sigmoid()
_MAKERS[Tanh] = lambda place: nn.Tanh()
_MAKERS[Softmax] = lambda place: nn.Softmax(dim=-1)
_MAKERS[Flatten] = lambda place: nn.Flatten()


@_makes(LeakyReLU, Dropout)
def _with_a_number(place: Place) -> nn.Module:
    layer: Any = place.layer
    return nn.Dropout(layer.rate) if isinstance(layer, Dropout) else nn.LeakyReLU(layer.slope)


@_makes(Linear)
def _linear(place: Place) -> nn.Module:
    layer: Any = place.layer
    module = nn.Linear(place.shape[-1], layer.units, layer.bias)
    return module.requires_grad_(layer.trainable)


@_makes(Embedding)
def _embedding(place: Place) -> nn.Module:
    layer: Any = place.layer
    return own.Tokens(nn.Embedding(layer.num_embeddings, layer.embedding_dim), layer.others)


@_makes(LayerNorm)
def _layer_norm(place: Place) -> nn.Module:
    layer: Any = place.layer
    return nn.LayerNorm(place.shape[-1], layer.eps)


@_makes(BatchNorm)
def _batch_norm(place: Place) -> nn.Module:
    layer: Any = place.layer
    kind = nn.BatchNorm2d if len(place.shape) == 3 else nn.BatchNorm1d
    return kind(place.shape[-1], layer.eps, layer.momentum)


@_makes(GlobalAvgPool)
def _global_average(place: Place) -> nn.Module:
    if len(place.shape) == 3 and place.channels_first:
        return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    if len(place.shape) == 3:
        return nn.Sequential(nn.Flatten(1, 2), own.GlobalAvgPool(axis=1))
    return own.GlobalAvgPool(axis=2 if place.channels_first else 1)


@_makes(Conv1d, Conv2d)
def _convolution(place: Place) -> nn.Module:
    layer: Any = place.layer
    placed = layer.windows(place.shape)
    axes = slice(2 - layer.dimensions, 2)
    even = all(before == after for before, after in placed.padding)
    convolution = (nn.Conv1d if layer.dimensions == 1 else nn.Conv2d)(
        place.shape[-1], layer.channels, placed.size[axes], placed.stride[axes],
        tuple(before for before, _ in placed.padding[axes]) if even else 0,
        placed.dilation[axes], bias=layer.bias,
    )  # fmt: skip
    if even:
        return convolution
    return nn.Sequential(_padding(placed.padding[axes], 0.0), convolution)


@_makes(MaxPool1d, MaxPool2d, AvgPool1d, AvgPool2d)
def _pool(place: Place) -> nn.Module:
    layer: Any = place.layer
    placed = layer.windows(place.shape)
    axes, average = slice(2 - layer.dimensions, 2), isinstance(layer, (AvgPool1d, AvgPool2d))
    size, stride = placed.size[axes], placed.stride[axes]
    kind: Any = getattr(nn, type(layer).__name__)
    if all(p == q and 2 * p <= k for (p, q), k in zip(placed.padding, placed.size, strict=True)):
        padding = tuple(before for before, _ in placed.padding[axes])
        more = {"count_include_pad": layer.count_include_pad} if average else {}
        return kind(size, stride, padding, ceil_mode=layer.ceil_mode, **more)
    # torch.nn pads both sides alike: what the windows see is laid out beforehand
    seen = list(_seen(placed, place.shape))[axes]
    if average:
        return own.WindowMean(size, stride, _as_torch(seen), _counts(layer, place.shape))
    return nn.Sequential(_padding(seen, -math.inf), kind(size, stride))


def _seen(placed: Placement, shape: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    """What to add before and after each axis, or to cut off, for the windows to cover it just."""
    sizes = (1, *shape)[-3:-1]
    for size, stride, (before, _), count, outputs in zip(
        placed.size, placed.stride, placed.padding, sizes, placed.outputs, strict=True
    ):
        yield before, (outputs - 1) * stride + size - before - count


def _counts(layer: Any, shape: tuple[int, ...]) -> torch.Tensor:
    """By how many numbers the sum of each window is divided."""
    placed, sizes = layer.windows(shape), (1, *shape)[-3:-1]
    axes = []
    for size, stride, (before, after), count, outputs in zip(
        placed.size, placed.stride, placed.padding, sizes, placed.outputs, strict=True
    ):
        begin = np.arange(outputs) * stride - before
        low, high = (-before, count + after) if layer.count_include_pad else (0, count)
        axes.append(np.minimum(begin + size, high) - np.maximum(begin, low))
    counts = np.multiply.outer(*axes)
    return torch.from_numpy(counts[0] if layer.dimensions == 1 else counts)


def _padding(padding: Any, value: float) -> nn.Module:
    kind: Any = nn.ConstantPad1d if len(padding) == 1 else nn.ConstantPad2d
    return kind(_as_torch(padding), value)


def _as_torch(padding: Any) -> tuple[int, ...]:
    """Before and after each axis, the last axis first."""
    return tuple(number for pair in reversed(padding) for number in pair)


@_makes(RNN, LSTM, GRU)
def _recurrent(place: Place) -> nn.Module:
    layer: Any = place.layer
    if layer.stateful:
        raise ValueError(
            "layers of to_module must begin each sequence anew, as torch's modules do. Got "
            f"{layer!r}. Give the parameters to a Network without stateful."
        )
    sizes = place.shape[1], layer.hidden_dim
    if not has_two_biases(layer):
        kind = own.ResetBeforeGRU if isinstance(layer, GRU) else own.SigmoidRNN
        return kind(*sizes, layer.bidirectional, layer.return_sequences)
    options = {"batch_first": True, "bidirectional": layer.bidirectional}
    if isinstance(layer, RNN):
        options["nonlinearity"] = layer.activation
    theirs = getattr(nn, type(layer).__name__)(*sizes, **options)
    return own.Recurrent(theirs, layer.return_sequences)


@_makes(Residual)
def _residual(place: Place) -> nn.Module:
    branches = {}
    for name, places in place.branches.items():
        parts = _parts(places, place.channels_first)
        last = places[-1]
        maps = len(last.layer.output_shape(last.shape)) > 1
        if maps and last.channels_first != place.channels_first:
            parts["end"] = _moved(place.channels_first)
        branches[name] = own.Chain(parts)
    return own.Residual(branches["layers"], branches.get("shortcut"))
