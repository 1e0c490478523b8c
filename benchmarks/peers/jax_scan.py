"""JAX by hand: an epoch is one compiled call that scans over the minibatches.

Parameters are the benchmark's own layers, Adam is written out, and both are donated. The rows'
order is drawn by NumPy inside the clock. XLA's convolutions are some thirty times slower inside a
loop on CPUs: a CNN's minibatches are one compiled call each.
"""

from __future__ import annotations

import os

os.environ["JAX_PLATFORMS"] = "cpu"

from functools import partial
from time import perf_counter
from typing import Any

import jax
import numpy as np
from jax import lax
from jax import numpy as jnp

from benchmarks.peers import Training
from benchmarks.workloads import LEARNING_RATE, Array, Labels, Layers, Workload

UNROLLS = (1, 10)
"""Steps of a sequence in one turn of the compiled loop."""


class Peer:
    version = jax.__version__

    def __init__(self, workload: Workload, threads: int) -> None:
        self.workload = workload
        # XLA takes its threads from the process.
        self.settings: tuple[str, ...] = ("1 call an epoch",)
        self.calls = 1
        if workload.channels:
            self.settings, self.calls = ("1 call a step",), workload.steps
        if workload.recurrent:
            self.settings = tuple(f"unroll {turn}" for turn in UNROLLS)

    def step(self, layers: Layers, x: Array, y: Labels) -> tuple[float, list[np.ndarray]]:
        loss_of = partial(_loss, self.workload, 1)
        loss, gradients = jax.jit(jax.value_and_grad(loss_of))(layers, x, self._lengths(x), y)
        return float(loss), [np.asarray(each) for layer in gradients for each in layer]

    def _lengths(self, x: Array) -> Labels | None:
        lengths = self.workload.lengths
        return None if lengths is None else lengths[: len(x)]

    def prepare(self, setting: str, x: Array, y: Labels) -> None:
        self.data = jax.device_put((x, self._lengths(x), y))
        layers = self.workload.first_layers()
        zeros = jax.tree.map(np.zeros_like, layers)
        self.state = jax.device_put((layers, zeros, zeros, np.float32(0)))
        self.random = np.random.default_rng(0)
        unroll = int(setting.split()[1]) if self.workload.recurrent else 1
        loss_of = partial(_loss, self.workload, unroll)
        self.steps = jax.jit(partial(_steps, loss_of), donate_argnums=0)

    def train(self, epochs: int) -> Training:
        seconds = []
        for _ in range(epochs):
            start = perf_counter()
            order = self.random.permutation(self.workload.rows).astype(np.int32)
            for batches in order.reshape(self.calls, -1, self.workload.batch):
                self.state, loss = self.steps(self.state, self.data, batches)
            loss.block_until_ready()
            seconds.append(perf_counter() - start)
        return Training(seconds, float(loss))


def _steps(loss_of: Any, state: Any, data: Any, batches: Any) -> tuple[Any, Any]:
    """The state after a step for each of the batches (steps, B) of row numbers; their mean loss."""

    def step(state: Any, rows: Any) -> tuple[Any, Any]:
        layers, means, squares, time = state
        batch = jax.tree.map(lambda each: each[rows], data)
        value, gradients = jax.value_and_grad(loss_of)(layers, *batch)
        time += 1
        means = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, means, gradients)
        squares = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, squares, gradients)
        rate, root = LEARNING_RATE / (1 - 0.9**time), jnp.sqrt(1 - 0.999**time)
        layers = jax.tree.map(
            lambda p, m, v: p - rate * m / (jnp.sqrt(v) / root + 1e-8), layers, means, squares
        )
        return (layers, means, squares, time), value

    if len(batches) == 1:  # a scan would make a loop of it all the same
        return step(state, batches[0])
    state, losses = lax.scan(step, state, batches)
    return state, losses.mean()


def _loss(workload: Workload, unroll: int, layers: Any, x: Any, lengths: Any, y: Any) -> Any:
    """Mean cross-entropy of a batch."""
    if workload.recurrent:
        x = _last_state(workload.recurrent, layers[:2], x, lengths, unroll)
    for weight, bias in layers[: len(workload.channels)]:
        dimensions = ("NHWC", "HWIO", "NHWC")
        maps = lax.conv_general_dilated(x, weight, (1, 1), "VALID", dimension_numbers=dimensions)
        x = _pool(jax.nn.relu(maps + bias))
    x = x.reshape(len(x), -1)
    *hidden, (weight, bias) = layers[2 if workload.recurrent else len(workload.channels) :]
    for W, b in hidden:
        x = jax.nn.relu(x @ W + b)
    scores = jax.nn.log_softmax(x @ weight + bias)
    return -jnp.take_along_axis(scores, y[:, None], axis=1).mean()


def _pool(x: Any) -> Any:
    """The largest of 2 x 2: (B, H, W, C) to (B, H / 2, W / 2, C), rounded down.

    `lax.reduce_window` would double the time of a whole step, on its way back.
    """
    x = x[:, : x.shape[1] // 2 * 2, : x.shape[2] // 2 * 2]
    x = jnp.maximum(x[:, ::2], x[:, 1::2])
    return jnp.maximum(x[:, :, ::2], x[:, :, 1::2])


def _last_state(kind: str, layers: Any, x: Any, lengths: Any, unroll: int) -> Any:
    """The state (B, H) of each sequence at its end.

    The product with x is inside the loop: outside, as one long product, it is slower.
    """
    (U, b), (W, c) = layers
    batch, steps, _ = x.shape

    def step(states: Any, inputs: Any) -> tuple[Any, None]:
        now, t = inputs
        new = CELLS[kind](now @ U + b, states[0] @ W + c, *states)
        if lengths is not None:
            live = (t < lengths)[:, None]
            new = tuple(jnp.where(live, *each) for each in zip(new, states, strict=True))
        return new, None

    zeros = jnp.zeros((batch, len(W)), jnp.float32)
    states = (zeros, zeros) if kind == "lstm" else (zeros,)
    (h, *_), _ = lax.scan(step, states, (jnp.swapaxes(x, 0, 1), jnp.arange(steps)), unroll=unroll)
    return h


def _rnn(a: Any, r: Any, h: Any) -> tuple[Any, ...]:
    """The new state from what comes of x and of h."""
    return (jnp.tanh(a + r),)


def _lstm(a: Any, r: Any, h: Any, cell: Any) -> tuple[Any, ...]:
    i, f, g, o = jnp.split(a + r, 4, axis=1)
    cell = jax.nn.sigmoid(f) * cell + jax.nn.sigmoid(i) * jnp.tanh(g)
    return jax.nn.sigmoid(o) * jnp.tanh(cell), cell


def _gru(a: Any, r: Any, h: Any) -> tuple[Any, ...]:
    (a_r, a_z, a_n), (r_r, r_z, r_n) = (jnp.split(each, 3, axis=1) for each in (a, r))
    update = jax.nn.sigmoid(a_z + r_z)
    new = jnp.tanh(a_n + jax.nn.sigmoid(a_r + r_r) * r_n)
    return ((1 - update) * new + update * h,)


CELLS: dict[str, Any] = {"rnn": _rnn, "lstm": _lstm, "gru": _gru}
