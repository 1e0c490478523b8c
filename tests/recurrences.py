"""What the tests of recurrent layers share: weights, unequal lengths, the layer beside its formula.

A second direction is the formula on the sequences turned round.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from helpers import assert_close

from pellucid import Network, formulas
from pellucid.data import Sequences
from pellucid.layers import RNN, Conv1d

LENGTHS = np.array([5, 1, 3])
ROWS, STEPS, INPUTS = 11, 7, 3
Parameters = dict[str, np.ndarray]
Run = Callable[[np.ndarray, Parameters, Any], np.ndarray]
Back = Callable[[np.ndarray, np.ndarray, Parameters, Any], tuple[np.ndarray, Parameters]]


def weights(rng: np.random.Generator, inputs: int, states: int, gates: int) -> list[np.ndarray]:
    """U, W and b, of a size at which gates are neither shut nor open."""
    shapes = (inputs, gates * states), (states, gates * states), (gates * states,)
    return [rng.normal(size=shape) * 0.7 for shape in shapes]


def named(p: Parameters, layer: int, reverse: bool) -> Parameters:
    """The parameters of one direction of a layer."""
    begin = f"{layer}.{'reverse_' if reverse else ''}"
    return {k.removeprefix(begin): each for k, each in p.items() if k.startswith(begin)}


def states_of(run: Run, x: np.ndarray, p: Parameters, layer: int, lengths: Any, both: bool):
    """All states, those of the second direction behind those of the first."""
    h = run(x, named(p, layer, False), lengths)
    if not both:
        return h
    turned = run(formulas.reverse_steps(x, lengths), named(p, layer, True), lengths)
    return np.concatenate([h, formulas.reverse_steps(turned, lengths)], axis=-1)


def states_back(
    back: Back, dh: np.ndarray, x: np.ndarray, p: Parameters, layer: int, lengths: Any, both: bool
):
    """dx and the gradients of the layer's parameters by the network's names."""
    width = dh.shape[-1] // (1 + both)
    dx, found = back(dh[..., :width], x, named(p, layer, False), lengths)
    gradients = {f"{layer}.{name}": each for name, each in found.items()}
    if both:
        turned, found = back(
            formulas.reverse_steps(dh[..., width:], lengths),
            formulas.reverse_steps(x, lengths), named(p, layer, True), lengths,
        )  # fmt: skip
        dx = dx + formulas.reverse_steps(turned, lengths)
        gradients |= {f"{layer}.reverse_{name}": each for name, each in found.items()}
    return dx, gradients


def rnn_states(x: np.ndarray, p: Parameters, lengths: Any, activation: str = "tanh"):
    """`Run` of the plain recurrent network."""
    weights = p["input_weight"], p["recurrent_weight"], p["bias"]
    return formulas.rnn(x, *weights, None, activation, lengths)


def rnn_back(dh, x: np.ndarray, p: Parameters, lengths: Any, activation: str = "tanh"):
    """`Back` of the plain recurrent network."""
    found = formulas.rnn_backward(
        dh, x, rnn_states(x, p, lengths, activation), p["input_weight"], p["recurrent_weight"],
        None, activation, lengths,
    )  # fmt: skip
    return found.dx, {"input_weight": found.dU, "recurrent_weight": found.dW, "bias": found.db}


def assert_layer_equals_formula(make: Callable[..., Any], run: Run, back: Back, dtype: str) -> None:
    """Output and gradients: last state and all states, one direction and two, unequal lengths."""
    for both in (False, True):
        for lengths in (None, np.arange(ROWS) % STEPS + 1):
            last = make(bidirectional=both)
            _assert_layers([last], [(run, back, both)], lengths, dtype)
            every = make(bidirectional=both, return_sequences=True)
            ways = [(run, back, both), (rnn_states, rnn_back, False)]
            _assert_layers([every, RNN(2)], ways, lengths, dtype)


def _assert_layers(layers: list[Any], ways: list[Any], lengths: Any, dtype: str) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(ROWS, STEPS, INPUTS)).astype(dtype)
    network = Network([Conv1d(5, 1), *layers]).build((STEPS, INPUTS), dtype, 1)
    network.set_parameters(
        {name: rng.normal(size=each.shape) * 0.4 for name, each in network.parameters().items()}
    )
    p = network.parameters()
    ends = np.full(ROWS, STEPS) if lengths is None else lengths
    data = x if lengths is None else Sequences.from_padded(x, lengths)

    inputs = [formulas.convolution1d(x, p["0.weight"], p["0.bias"])]
    for layer, (run, _, both) in enumerate(ways, 1):
        inputs.append(states_of(run, inputs[-1], p, layer, lengths, both))
    rows, both = np.arange(ROWS), ways[-1][2]
    width = inputs[-1].shape[-1] // (1 + both)
    output = np.hstack(
        [inputs[-1][rows, ends - 1, :width], inputs[-1][:, 0, width:]]
    )  # a direction's last state is where it ends
    assert_close(network.forward(data), output, dtype)

    target = rng.normal(size=output.shape).astype(dtype)
    found = network.gradients(data, target, "mean_squared_error")[1]
    dy, dh = (output - target) / ROWS, np.zeros(inputs[-1].shape)
    dh[rows, ends - 1, :width] = dy[:, :width]
    dh[:, 0, width:] += dy[:, width:]
    for layer in reversed(range(1, len(ways) + 1)):
        _, back, both = ways[layer - 1]
        dh, gradients = states_back(back, dh, inputs[layer - 1], p, layer, lengths, both)
        for name, each in gradients.items():
            assert_close(found[name], each, dtype)
    below = formulas.convolution1d_backward(dh, x, p["0.weight"])
    assert_close(found["0.weight"], below.dW, dtype)
    assert_close(found["0.bias"], below.db, dtype)
