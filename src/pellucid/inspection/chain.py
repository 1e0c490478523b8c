"""The layers of a recurrent network, computed by the float64 formulas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid import formulas
from pellucid.layers import (
    Dropout,
    Embedding,
    Flatten,
    GlobalAvgPool,
    Layer,
    Linear,
    Recurrent,
    Residual,
)
from pellucid.layers.activations import ACTIVATIONS, Activation
from pellucid.layers.recurrent import of_direction
from pellucid.network import Network
from pellucid.network.parameters import below

_NAMES = {kind: name for name, kind in ACTIVATIONS.items()}  # of their formulas


@dataclass
class _Pass:
    """One direction of a recurrent layer on one sequence, in the order in which it runs."""

    kind: str
    x: np.ndarray
    U: np.ndarray
    W: np.ndarray
    forward: Any
    options: dict[str, Any]

    @property
    def states(self) -> np.ndarray:
        return self.forward if self.kind == "rnn" else self.forward.h

    def backward(self, dh: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """dx, and the whole gradient of each step's state; dh may be many gradients (N, T, H)."""

        def shared(array: np.ndarray) -> np.ndarray:
            return np.broadcast_to(array, (len(dh), *array.shape[1:]))

        x = shared(self.x)
        if self.kind == "rnn":
            h = shared(self.forward)
            rnn = formulas.rnn_backward(dh, x, h, self.U, self.W, **self.options)
            return rnn.dx, rnn.dh
        forward = type(self.forward)(*map(shared, self.forward))
        if self.kind == "gru":
            gru = formulas.gru_backward(dh, forward, x, self.U, self.W, **self.options)
            return gru.dx, gru.dh
        lstm = formulas.lstm_backward(dh, forward, x, self.U, self.W)
        # what reaches c_t through h_t = o tanh(c_t) is the gradient of h_t already
        dc = lstm.dc - lstm.dh * forward.o * (1 - np.tanh(forward.c) ** 2)
        return lstm.dx, np.concatenate([lstm.dh, dc], axis=-1)


def _run(layer: Recurrent, x: np.ndarray, p: dict[str, np.ndarray]) -> _Pass:
    """One direction of `layer` on the sequence x (1, T, I)."""
    U, W, b = p["input_weight"], p["recurrent_weight"], p["bias"]
    kind, options = type(layer).__name__.lower(), {}
    if kind == "rnn":
        options = {"activation": layer.activation}  # type: ignore[attr-defined]
        return _Pass(kind, x, U, W, formulas.rnn(x, U, W, b, **options), options)
    if kind == "lstm":
        return _Pass(kind, x, U, W, formulas.lstm(x, U, W, b), {})
    W = np.hstack([W, p["candidate_weight"]])
    options = {"reset_after": layer.reset_after}  # type: ignore[attr-defined]
    forward = formulas.gru(x, U, W, b, p.get("candidate_bias"), **options)
    return _Pass(kind, x, U, W, forward, options)


def layers_in_turn(network: Network) -> Sequence[Layer]:
    """The layers of `network`; of a forecaster's, those beside its linear forecast."""
    first = network.layers[0]
    forecasts = isinstance(first, Residual) and [type(one) for one in first.shortcut or ()] == [
        Flatten, Linear
    ]  # fmt: skip
    if forecasts and len(network.layers) == 1:
        assert isinstance(first, Residual)
        return first.layers
    return network.layers


class Chain:
    """The layers of `network` on one sequence x (1, T, I), from the first recurrent one upward.

    Of a forecaster they are those that stand beside its linear forecast.

    Attributes
    ----------
    layers : sequence of Layer
    output : ndarray of shape (1, K)
        That of the whole network.
    """

    def __init__(self, network: Network, x: np.ndarray) -> None:
        self.layers = layers_in_turn(network)
        self.passes: dict[int, list[_Pass]] = {}
        self._weights: dict[int, np.ndarray] = {}
        parameters = {name: p.astype(np.float64) for name, p in network.parameters().items()}
        y = x.astype(np.float64)
        linear: np.ndarray | float = 0.0
        if self.layers is not network.layers:
            shortcut, parameters = below(parameters, "0.shortcut.1"), below(parameters, "0.layers")
            linear = y.reshape(len(y), -1) @ shortcut["weight"] + shortcut["bias"]
        self._values = [y]  # the input, and what each layer makes of it
        for index, layer in enumerate(self.layers):
            y = self._forward(index, layer, below(parameters, str(index)), y)
            self._values.append(y)
        self.output = y + linear

    def _forward(self, index: int, layer: Any, p: dict[str, np.ndarray], x: Any) -> np.ndarray:
        if isinstance(layer, Recurrent):
            passes = [_run(layer, x, of_direction(p, ""))]
            if layer.bidirectional:
                passes.append(_run(layer, x[:, ::-1], of_direction(p, "reverse_")))
            self.passes[index] = passes
            if not layer.return_sequences:
                return np.concatenate([one.states[:, -1] for one in passes], axis=-1)
            in_time = [one.states[:, :: -1 if turn else 1] for turn, one in enumerate(passes)]
            return np.concatenate(in_time, axis=-1)
        if isinstance(layer, Embedding):
            return formulas.embedding(x, p["weight"], layer.others)
        if isinstance(layer, Dropout):
            return np.asarray(x)  # at inference it changes nothing
        if isinstance(layer, Activation):
            slope = {"slope": layer.slope} if layer.slope else {}
            return np.asarray(getattr(formulas, _NAMES[type(layer)])(x, **slope))
        if isinstance(layer, Linear):
            self._weights[index] = p["weight"]
            return np.asarray(x @ p["weight"] + p.get("bias", 0.0))
        if isinstance(layer, GlobalAvgPool):
            return formulas.global_average_pool(x)
        raise ValueError(
            "the layers of a network of gradient_flow must be recurrent, Embedding, Linear, "
            f"Dropout, GlobalAvgPool or activations. Got {layer!r}."
        )

    def state_gradients(self, dy: np.ndarray, index: int, reverse: bool) -> np.ndarray:
        """The gradient of the states (1, T, S) of layer `index`, in the order in which it runs."""
        for current in reversed(range(index, len(self.layers))):
            layer = self.layers[current]
            if not isinstance(layer, Recurrent):
                dy = self._backward(current, layer, dy)
                continue
            gradients = []
            dx = np.zeros(self._values[current].shape)
            for turn, one in enumerate(self.passes[current]):
                dx_turned, states = one.backward(self._of_direction(layer, one, dy, turn))
                dx += dx_turned[:, :: -1 if turn else 1]
                gradients.append(states)
            if current == index:
                return gradients[int(reverse)]
            dy = dx
        raise AssertionError("no such layer")

    def _of_direction(self, layer: Recurrent, one: _Pass, dy: np.ndarray, turn: int) -> np.ndarray:
        """dy of one direction at every step, in the order in which it runs."""
        size = one.states.shape[-1]
        part = dy[..., turn * size : (turn + 1) * size]
        if layer.return_sequences:
            return part[:, :: -1 if turn else 1]
        dh = np.zeros(one.states.shape)
        dh[:, -1] = part
        return dh

    def _backward(self, index: int, layer: Any, dy: np.ndarray) -> np.ndarray:
        if isinstance(layer, Linear):
            return dy @ self._weights[index].T
        if isinstance(layer, Activation):
            slope = {"slope": layer.slope} if layer.slope else {}
            backward = getattr(formulas, f"{_NAMES[type(layer)]}_backward")
            return np.asarray(backward(dy, self._values[index + 1], **slope))  # by its output
        if isinstance(layer, GlobalAvgPool):
            return formulas.global_average_pool_backward(dy, self._values[index].shape)
        return dy

    def jacobians(self, index: int, reverse: bool) -> np.ndarray:
        """``dh_T/dh_t`` for each t: (T, H, numbers of a state)."""
        one = self.passes[index][int(reverse)]
        _, steps, size = one.states.shape
        dh = np.zeros((size, steps, size))
        dh[:, -1] = np.eye(size)  # row i of the Jacobian: the gradient of number i of h_T
        return one.backward(dh)[1].swapaxes(0, 1)
