"""Nodes of ONNX for the recurrent layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid.export.onnx.chain import Arrays, nodes_of
from pellucid.export.onnx.values import Value
from pellucid.layers import GRU, LSTM, RNN, Layer
from pellucid.layers.recurrent import of_direction

# where each of ONNX's gates stands among ours
_GATES: dict[type[Layer], tuple[int, ...]] = {
    RNN: (0,),
    LSTM: (0, 3, 1, 2),  # ours i, f, g, o; theirs i, o, f, c, which is our g
    GRU: (1, 0, 2),  # ours r, z, n; theirs z, r, h, which is our n
}


@nodes_of(RNN, LSTM, GRU)
def _recurrent(layer: Any, x: Value, p: Arrays) -> Value:
    graph, width = x.graph, layer.hidden_dim
    prefixes = ("", "reverse_") if layer.bidirectional else ("",)
    weights = [_of_direction(layer, of_direction(p, prefix)) for prefix in prefixes]
    both = [x.constant(np.stack(arrays), np.float32) for arrays in zip(*weights, strict=True)]
    lengths = [] if x.lengths is None else [graph.cast(x.lengths, np.int32)]
    options: dict[str, Any] = {"hidden_size": width}
    if layer.bidirectional:
        options["direction"] = "bidirectional"
    if isinstance(layer, RNN):
        options["activations"] = [_activation(layer)] * len(prefixes)
    if isinstance(layer, GRU):
        options["linear_before_reset"] = int(layer.reset_after)
    all_states, last = graph.nodes(
        type(layer).__name__, x.single("LNC"), *both, *lengths, count=2, **options
    )
    if layer.return_sequences:  # (steps, directions, rows, width)
        return _side_by_side(layer, x, all_states, "LNC", [0, 2, 1, 3])
    return _side_by_side(layer, x, last, "NC", [1, 0, 2])


def _side_by_side(layer: Any, x: Value, states: str, order: str, places: list[int]) -> Value:
    """States with those of the other direction behind them, if there is one."""
    graph = x.graph
    if layer.bidirectional:
        width = [0] * (len(order) - 1) + [2 * layer.hidden_dim]  # 0 is what was there
        states = graph.node("Transpose", states, perm=places)
        states = graph.node("Reshape", states, graph.constant(np.array(width, np.int64)))
    else:
        axis = np.array([order.index("N")], np.int64)
        states = graph.node("Squeeze", states, graph.constant(axis))
    return x.made(order, states, layer.output_shape(x.shape), single=True)


def _activation(layer: RNN) -> str:
    return {"tanh": "Tanh", "sigmoid": "Sigmoid", "relu": "Relu"}[layer.activation]


def _of_direction(layer: Any, p: Arrays) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """W (gates H, I), R (gates H, H) and B (2 gates H,) of one direction."""
    states, bias = p["recurrent_weight"], np.zeros_like(p["bias"])
    if isinstance(layer, GRU):
        states = np.hstack([states, p["candidate_weight"]])
        if layer.reset_after:  # the bias inside the reset
            bias[2 * layer.hidden_dim :] = p["candidate_bias"]
    matrices = [_in_order(layer, array).T for array in (p["input_weight"], states)]
    biases = [_in_order(layer, array[None])[0] for array in (p["bias"], bias)]
    return matrices[0], matrices[1], np.concatenate(biases)


def _in_order(layer: Any, array: np.ndarray) -> np.ndarray:
    """Columns by gate, in ONNX's order."""
    gates = np.split(array, len(_GATES[type(layer)]), axis=1)
    return np.hstack([gates[place] for place in _GATES[type(layer)]])
