"""A network's parameters out of a Keras model's list of weights.

Keras has matrices (in, out), pictures channels last and gates in the order i, f, c, o, as we have.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pellucid import checks
from pellucid.layers import GRU, Recurrent
from pellucid.layers.base import Shape
from pellucid.network.chain import Chain
from pellucid.network.torch_layout import check_known

Arrays = dict[str, np.ndarray]


def keras_parameters(chain: Chain, weights: Any) -> Arrays:
    """All parameters of `chain`, by our names, out of what ``model.get_weights()`` gave.

    Parameters and errors are those of :meth:`pellucid.Network.load_keras`.
    """
    if not isinstance(weights, (list, tuple)):
        expected = "a list of arrays, as model.get_weights() gives"
        raise TypeError(checks.fault("weights", "load_keras", expected, weights))
    given = [np.asarray(array) for array in weights]
    wanted = list(_wanted(chain, ""))
    if len(given) != len(wanted):
        raise ValueError(
            f"weights of load_keras must be {len(wanted)} arrays, as the layers of the network "
            f"have them. Got {len(given)}."
        )
    found: Arrays = {}
    for position, (array, (name, shape, owner)) in enumerate(zip(given, wanted, strict=True)):
        if array.dtype.kind not in "biuf" or not np.isfinite(array).all():
            raise ValueError(
                f"weights[{position}] of load_keras must be finite numbers. "
                f"Got {checks.shown(array)}."
            )
        if array.shape != shape:
            raise ValueError(
                f"weights[{position}] of load_keras must have shape {shape}, for {name!r} of "
                f"{owner}. Got {array.shape}."
            )
        found |= _ours(name, array, owner)
    least = {name: parameter.least for name, parameter in chain.parameters.items()}
    for name, array in found.items():
        if least[name] is not None and not (array >= least[name]).all():
            raise ValueError(
                f"{name!r} of load_keras must be at least {least[name]:g}. Got {array.min():g}."
            )
    return found


def _wanted(chain: Chain, prefix: str) -> Iterator[tuple[str, Shape, Any]]:
    """The weights that Keras has, in its order: our name, their shape, the layer."""
    for index, (layer, shape) in enumerate(zip(chain.layers, chain.shapes, strict=False)):
        check_known(layer)
        path = f"{prefix}{index}."
        shapes = {name: each.shape for name, each in layer.parameters(shape).items()}
        if isinstance(layer, Recurrent):
            shapes = _recurrent_shapes(layer, shapes)
        for name, size in shapes.items():
            yield path + name, size, layer
        for name, inner in chain.branches[index].items():
            yield from _wanted(inner, f"{path}{name}.")


def _recurrent_shapes(layer: Any, shapes: dict[str, Shape]) -> dict[str, Shape]:
    """Those of a GRU in Keras: all gates in one matrix, and biases (2, 3 H) where it resets after.

    Other layers have ours.
    """
    if not isinstance(layer, GRU):
        return shapes
    states, gates = layer.hidden_dim, 3 * layer.hidden_dim
    bias = (2, gates) if layer.reset_after else (gates,)
    given = {"input_weight": None, "recurrent_weight": (states, gates), "bias": bias}
    return {
        name: given[name.removeprefix("reverse_")] or shapes[name]
        for name in shapes
        if name.removeprefix("reverse_") in given
    }


def _ours(name: str, array: np.ndarray, layer: Any) -> Arrays:
    """What `array`, by our name, is here."""
    if not isinstance(layer, GRU):
        return {name: array}
    states = layer.hidden_dim
    order = np.r_[states : 2 * states, :states, 2 * states : 3 * states]  # z, r, h to r, z, n
    array = array[..., order]
    path, _, own = name.rpartition(".")
    way = f"{path}.{'reverse_' if own.startswith('reverse_') else ''}"
    if own.endswith("recurrent_weight"):
        gates, candidate = np.hsplit(array, [2 * states])
        return {name: gates, f"{way}candidate_weight": candidate}
    if own.endswith("bias") and layer.reset_after:
        inside = array[1, 2 * states :]
        both = array[0] + np.r_[array[1, : 2 * states], np.zeros(states)]
        return {name: both, f"{way}candidate_bias": inside}
    return {name: array}
