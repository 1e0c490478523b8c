"""Keras on JAX through `model.fit`, each step compiled by XLA."""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"

from itertools import pairwise
from time import perf_counter
from typing import Any

import jax
import keras
import numpy as np

from benchmarks.peers import Training
from benchmarks.workloads import LEARNING_RATE, Array, Labels, Layers, Workload


class _Clock(keras.callbacks.Callback):
    """Reads the clock at the start of training and at the end of each epoch."""

    def on_train_begin(self, logs: Any = None) -> None:
        self.stamps = [perf_counter()]

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.stamps.append(perf_counter())


class Peer:
    version = f"{keras.__version__}, jax {jax.__version__}"

    def __init__(self, workload: Workload, threads: int) -> None:
        self.workload = workload
        # XLA takes its threads from the process. Several steps an execution save Python calls.
        self.settings = ("1 step a call", "8 steps a call", "all steps in a call")

    def _network(self, steps: int) -> keras.Model:
        *hidden, classes = self.workload.widths[1:]
        layers: list[Any] = []
        if self.workload.recurrent:
            kinds = {"rnn": "SimpleRNN", "lstm": "LSTM", "gru": "GRU"}
            kind = getattr(keras.layers, kinds[self.workload.recurrent])
            if self.workload.shortest:
                layers.append(keras.layers.Masking())  # the zeros behind the ends
            layers.append(kind(self.workload.hidden[0]))
        for count in self.workload.channels:
            layers += [
                keras.layers.Conv2D(count, 3, activation="relu"),
                keras.layers.MaxPooling2D(2),
            ]
        if self.workload.channels:
            layers.append(keras.layers.Flatten())
        layers += [keras.layers.Dense(h, activation="relu") for h in hidden]
        model = keras.Sequential([keras.Input(self.workload.shape), *layers])
        model.add(keras.layers.Dense(classes))
        model.compile(
            optimizer=keras.optimizers.Adam(LEARNING_RATE),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            jit_compile=True,
            steps_per_execution=steps,
        )
        return model

    def step(self, layers: Layers, x: Array, y: Labels) -> tuple[float, list[np.ndarray]]:
        model = self._network(1)
        model.set_weights(self._theirs([each for layer in layers for each in layer]))

        @jax.jit
        @jax.value_and_grad
        def loss_and_gradients(trainable: list[Any]) -> Any:
            fixed = [each.value for each in model.non_trainable_variables]
            logits, _ = model.stateless_call(trainable, fixed, x)
            return model.compute_loss(x, y, logits)

        loss, gradients = loss_and_gradients([each.value for each in model.trainable_variables])
        return float(loss), self._ours([np.asarray(each) for each in gradients])

    def _theirs(self, values: list[np.ndarray]) -> list[np.ndarray]:
        """A recurrent layer's two biases are one here, and a GRU's gates are z, r, n."""
        if not self.workload.recurrent:
            return values
        U, b, W, c, V, d = values
        if self.workload.recurrent == "gru":
            b, c, U, W = (self._turned(each) for each in (b, c, U, W))
            return [U, W, np.stack([b, c]), V, d]
        return [U, W, b, V, d]

    def _ours(self, values: list[np.ndarray]) -> list[np.ndarray]:
        if not self.workload.recurrent:
            return values
        U, W, b, V, d = values
        if self.workload.recurrent == "gru":
            U, W, b = self._turned(U), self._turned(W), self._turned(b)
            return [U, b[0], W, b[1], V, d]
        return [U, b, W, b, V, d]

    def _turned(self, each: np.ndarray) -> np.ndarray:
        """The first two of three gates exchanged."""
        first, second, third = np.split(each, 3, axis=-1)
        return np.concatenate([second, first, third], axis=-1)

    def prepare(self, setting: str, x: Array, y: Labels) -> None:
        keras.utils.set_random_seed(0)
        count = setting.split()[0]
        self.x, self.y = x, y.astype(np.int32)
        self.model = self._network(self.workload.steps if count == "all" else int(count))

    def train(self, epochs: int) -> Training:
        clock = _Clock()
        history = self.model.fit(
            self.x,
            self.y,
            batch_size=self.workload.batch,
            epochs=epochs,
            verbose=0,
            callbacks=[clock],
        )
        seconds = [end - start for start, end in pairwise(clock.stamps)]
        return Training(seconds, float(history.history["loss"][-1]))
