"""How PyTorch holds what each kind of layer learns: names, axes, and the order of features.

Its pictures and signals have the channels first, (C, H, W), and a Flatten there gives features in
that order. So what reads them, up to the next Linear, has them in another order than ours.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from pellucid import checks
from pellucid.layers import (
    GRU,
    LSTM,
    RNN,
    BatchNorm,
    Conv1d,
    Conv2d,
    Embedding,
    Flatten,
    Layer,
    LayerNorm,
    Linear,
    Recurrent,
    Residual,
)
from pellucid.layers.base import Shape, is_known
from pellucid.layers.recurrent import of_direction
from pellucid.layers.sliding import Sliding
from pellucid.network.chain import Chain

Arrays = Mapping[str, np.ndarray]


@dataclass(eq=False)
class Place:
    """Where a layer stands, and how PyTorch has its input there.

    Attributes
    ----------
    path : str
        ``"0"``; inside a Residual ``"2.layers.0"``.
    layer : Layer
    shape : tuple of int
        Of one row of its input, channels last.
    channels_first : bool
        Whether maps are (C, H, W) in PyTorch, those that come in and those that go out.
    inputs, outputs : int64 ndarray or None
        Of flat rows the order of features: number j in PyTorch is number ``inputs[j]`` here.
        None where it is the same.
    branches : dict of str to list of Place
        The places inside a Residual, by branch.
    """

    path: str
    layer: Layer
    shape: Shape
    channels_first: bool
    inputs: np.ndarray | None = None
    outputs: np.ndarray | None = None
    branches: dict[str, list[Place]] = field(default_factory=dict)

    def each(self) -> Iterator[Place]:
        """This place, and all those inside it."""
        yield self
        for places in self.branches.values():
            for place in places:
                yield from place.each()


def places_of(chain: Chain) -> list[Place]:
    """The place of each layer of `chain`; those inside others stand in their `branches`."""
    places = _placed(chain, "", channels_first=False)
    _order(places, None)
    return places


# -- where the channels are ----------------------------------------------------------------------


def _placed(chain: Chain, prefix: str, channels_first: bool) -> list[Place]:
    """The places of `chain`, into which maps come with their `channels_first` or last."""
    places = []
    for index, (layer, shape) in enumerate(zip(chain.layers, chain.shapes, strict=False)):
        inner = chain.branches[index]
        wanted = _wants_channels_first(layer, shape, inner)
        channels_first = channels_first if wanted is None else wanted
        place = Place(f"{prefix}{index}", layer, shape, channels_first)
        for name, branch in inner.items():
            place.branches[name] = _placed(branch, f"{place.path}.{name}.", channels_first)
        places.append(place)
    return places


def _wants_channels_first(layer: Layer, shape: Shape, inner: Mapping[str, Chain]) -> bool | None:
    """Whether PyTorch's layer of that kind wants the channels first; None where it takes both."""
    if inner:
        chain = inner["layers"]
        wishes = (
            _wants_channels_first(one, at, below)
            for one, at, below in zip(chain.layers, chain.shapes, chain.branches, strict=False)
        )
        return next((wish for wish in wishes if wish is not None), None)
    if len(shape) == 1:
        return False if isinstance(layer, Embedding) else None
    if isinstance(layer, Flatten):
        return True if len(shape) == 3 else None
    if isinstance(layer, (Sliding, BatchNorm)):
        return True
    return False if isinstance(layer, (Recurrent, Linear, LayerNorm, Embedding)) else None


# -- in which order features are -----------------------------------------------------------------

_ANY: Any = object()


def _order(places: list[Place], order: Any, end: Any = _ANY) -> Any:
    """Set the order of features at `places`, which begins as `order`; what it is at their end.

    Where that must be `end`, the last layer that mixes features gives them in that order.
    """
    for place in places:
        place.inputs = order
        if isinstance(place.layer, Linear):
            order = None
        elif isinstance(place.layer, Flatten):
            order = _flattened(place, order)
        elif isinstance(place.layer, Residual):
            order = _order_branches(place, order)
        place.outputs = order
    if end is _ANY or order is end:
        return order
    for place in reversed(places):
        place.outputs = end
        if isinstance(place.layer, Residual):
            _order_branches(place, place.inputs, end)
        if isinstance(place.layer, (Linear, Residual)):
            break
        place.inputs = end
    return end


def _flattened(place: Place, order: Any) -> Any:
    """The order behind a Flatten."""
    *pixels, channels = place.shape
    if not place.channels_first or channels == 1 or set(pixels) == {1} or not pixels:
        return order
    numbers = np.arange(int(np.prod(place.shape))).reshape(place.shape)
    return np.moveaxis(numbers, -1, 0).reshape(-1)


def _order_branches(place: Place, order: Any, end: Any = _ANY) -> Any:
    """The same of a Residual, whose branches must end alike to be added."""
    if end is _ANY:
        ends = [_order(places, order) for places in place.branches.values()]
        if len(place.branches) == 1:  # what comes in is added
            ends.append(order)
        end = next((one for one in ends if one is not None), None)
    for places in place.branches.values():
        _order(places, order, end)
    return end


def in_order(array: np.ndarray, order: np.ndarray | None, axis: int = 0) -> np.ndarray:
    """`array`, whose `axis` has our order of features, in PyTorch's."""
    return array if order is None else array.take(order, axis)


def from_order(array: np.ndarray, order: np.ndarray | None, axis: int = 0) -> np.ndarray:
    """`array`, whose `axis` has PyTorch's order of features, in ours."""
    return array if order is None else array.take(np.argsort(order), axis)


# -- the arrays of each kind of layer ------------------------------------------------------------

KINDS: dict[type[Layer], Kind] = {}
"""How PyTorch holds the layers that learn."""


class Kind(ABC):
    """Abstract: from our arrays of a layer to PyTorch's, and back. Names are those of the layer."""

    layers: ClassVar[tuple[type[Layer], ...]] = ()

    def __init_subclass__(cls) -> None:
        KINDS.update((layer, cls()) for layer in cls.layers)

    @abstractmethod
    def theirs(self, place: Place, ours: Arrays) -> dict[str, np.ndarray]:
        """PyTorch's arrays, by its names, in its order."""

    @abstractmethod
    def ours(self, place: Place, theirs: Arrays) -> dict[str, np.ndarray]:
        """What :meth:`theirs` was made of."""

    def may_lack(self, name: str) -> bool:
        """Whether PyTorch's layer can be without an array that :meth:`theirs` has."""
        return False


class _Linear(Kind):
    """``y = x W^T + b`` with W (out, in)."""

    layers = (Linear,)

    def theirs(self, place: Place, ours: Arrays) -> dict[str, np.ndarray]:
        turned = {**ours, "weight": in_order(ours["weight"], place.inputs).T}  # outputs first
        return {name: in_order(array, place.outputs) for name, array in turned.items()}

    def ours(self, place: Place, theirs: Arrays) -> dict[str, np.ndarray]:
        arrays = {name: from_order(array, place.outputs) for name, array in theirs.items()}
        return arrays | {"weight": from_order(arrays["weight"], place.inputs, axis=1).T}


class _Convolution(Kind):
    """Kernels (out, in, height, width)."""

    layers = (Conv1d, Conv2d)

    def theirs(self, place: Place, ours: Arrays) -> dict[str, np.ndarray]:
        return {**ours, "weight": np.moveaxis(ours["weight"], (-1, -2), (0, 1))}

    def ours(self, place: Place, theirs: Arrays) -> dict[str, np.ndarray]:
        return {**theirs, "weight": np.moveaxis(theirs["weight"], (0, 1), (-1, -2))}


class _Norm(Kind):
    """Other names."""

    layers = (BatchNorm, LayerNorm)
    _names: ClassVar = {
        "gamma": "weight", "beta": "bias", "running_mean": "running_mean",
        "running_variance": "running_var",
    }  # fmt: skip

    def theirs(self, place: Place, ours: Arrays) -> dict[str, np.ndarray]:
        return {self._names[name]: in_order(array, place.inputs) for name, array in ours.items()}

    def ours(self, place: Place, theirs: Arrays) -> dict[str, np.ndarray]:
        return {
            name: from_order(theirs[their], place.inputs)
            for name, their in self._names.items()
            if their in theirs
        }


class _Embedding(Kind):
    """The same."""

    layers = (Embedding,)

    def theirs(self, place: Place, ours: Arrays) -> dict[str, np.ndarray]:
        return dict(ours)

    def ours(self, place: Place, theirs: Arrays) -> dict[str, np.ndarray]:
        return dict(theirs)


class _Recurrent(Kind):
    """Weights (gates H, in), gates in our order, and two biases, whose sum counts."""

    layers: ClassVar[tuple[type[Layer], ...]] = (RNN, LSTM)

    def theirs(self, place: Place, ours: Arrays) -> dict[str, np.ndarray]:
        arrays: dict[str, np.ndarray] = {}
        for prefix, ending in self._directions(place.layer):
            found = self._direction(of_direction(ours, prefix), place.layer)
            arrays |= {f"{name}_l0{ending}": array for name, array in found.items()}
        return arrays

    def ours(self, place: Place, theirs: Arrays) -> dict[str, np.ndarray]:
        arrays: dict[str, np.ndarray] = {}
        for prefix, ending in self._directions(place.layer):
            found = {
                name.removesuffix(ending).removesuffix("_l0"): array
                for name, array in theirs.items()
                if name.endswith("_reverse") == bool(ending)
            }
            own = self._back(found, place.layer)
            arrays |= {prefix + name: array for name, array in own.items()}
        return arrays

    def may_lack(self, name: str) -> bool:
        return name.startswith("bias")

    @staticmethod
    def _directions(layer: Any) -> Sequence[tuple[str, str]]:
        return (("", ""), ("reverse_", "_reverse"))[: 1 + layer.bidirectional]

    def _direction(self, p: Arrays, layer: Any) -> dict[str, np.ndarray]:
        """PyTorch's arrays of one direction."""
        arrays = {
            "weight_ih": p["input_weight"].T, "weight_hh": p["recurrent_weight"].T,
            "bias_ih": p["bias"],
        }  # fmt: skip
        if has_two_biases(layer):
            # a number plus -0 is that number, -0 itself too
            arrays["bias_hh"] = np.full_like(p["bias"], -0.0)
        return arrays

    def _back(self, s: Arrays, layer: Any) -> dict[str, np.ndarray]:
        """Our arrays of one direction."""
        recurrent = s["weight_hh"].T
        first, second = (s.get(name, np.full(len(s["weight_hh"]), -0.0)) for name in _BIASES)
        return {
            "input_weight": s["weight_ih"].T, "recurrent_weight": recurrent, "bias": first + second,
        }  # fmt: skip


class _GRU(_Recurrent):
    """The candidate's second bias is inside the reset, and stays apart."""

    layers = (GRU,)

    def _direction(self, p: Arrays, layer: Any) -> dict[str, np.ndarray]:
        recurrent = np.hstack([p["recurrent_weight"], p["candidate_weight"]])
        arrays = super()._direction({**p, "recurrent_weight": recurrent}, layer)
        if "candidate_bias" in p:
            arrays["bias_hh"][-p["candidate_bias"].size :] = p["candidate_bias"]
        return arrays

    def _back(self, s: Arrays, layer: Any) -> dict[str, np.ndarray]:
        gates = 2 * layer.hidden_dim
        inside = s.get("bias_hh", np.zeros(3 * layer.hidden_dim))
        arrays = super()._back(s, layer)
        recurrent = arrays["recurrent_weight"]
        arrays["recurrent_weight"], arrays["candidate_weight"] = np.hsplit(recurrent, [gates])
        if layer.reset_after:
            own = s.get("bias_ih", np.zeros(3 * layer.hidden_dim))
            arrays["bias"] = np.concatenate([arrays["bias"][:gates], own[gates:]])
            arrays["candidate_bias"] = inside[gates:]
        return arrays


_BIASES = ("bias_ih", "bias_hh")


def has_two_biases(layer: Any) -> bool:
    """Whether PyTorch has a recurrent layer that computes the same: all of its have two biases."""
    if isinstance(layer, GRU):
        return layer.reset_after
    return not isinstance(layer, RNN) or layer.activation in ("tanh", "relu")


def check_known(layer: Layer) -> None:
    """Refuse a layer of the user's own: no other library has it."""
    if not is_known(layer):
        raise ValueError(
            "each layer of a network that goes to another library, or comes from one, must be of "
            f"pellucid.layers. Got {checks.shown(layer)}. Use parameters and set_parameters."
        )
