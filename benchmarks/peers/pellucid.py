"""pellucid, through its estimator as a user would call it."""

from __future__ import annotations

from typing import Any

import numpy as np

import pellucid
from benchmarks.peers import Training
from benchmarks.workloads import LEARNING_RATE, Array, Labels, Layers, Workload
from pellucid import (
    CNNClassifier,
    FCNNClassifier,
    GRUClassifier,
    LSTMClassifier,
    RNNClassifier,
)
from pellucid.data import Sequences

RECURRENT = {"rnn": RNNClassifier, "lstm": LSTMClassifier, "gru": GRUClassifier}


class Peer:
    version = pellucid.__version__

    def __init__(self, workload: Workload, threads: int) -> None:
        self.workload = workload
        self.settings = tuple(f"{n} thr" for n in sorted({1, threads}))
        self.threads = threads

    def _estimator(self, epochs: int) -> Any:
        work = self.workload
        network: dict[str, Any] = {"hidden_dim": work.hidden}
        if work.channels:
            network = {
                "channels": work.channels, "padding": "valid", "batch_norm": False,
                "hidden_dim": work.hidden[0],
            }  # fmt: skip
        if work.recurrent:
            kind = RECURRENT[work.recurrent]
            # one step at a time, the last state: "auto" would read patches and take the mean
            network = {"hidden_dim": work.hidden[0], "patch_size": 1, "pooling": "last"}
        else:
            kind = CNNClassifier if work.channels else FCNNClassifier
            network["activation"] = "relu"
        return kind(
            **network,
            dropout=0.0,
            optimizer="adam",
            learning_rate=LEARNING_RATE,
            schedule="constant",
            weight_decay=0.0,
            clip_norm=None,
            max_epochs=epochs,
            batch_size=self.workload.batch,
            early_stopping=False,
            dtype="float32",
            n_jobs=self.threads,
            random_state=0,
            verbose=0,
        )

    def step(self, layers: Layers, x: Array, y: Labels) -> tuple[float, list[np.ndarray]]:
        # The network that the estimator builds is the one that is timed, so it is the one checked.
        rows, labels = self.workload.data()
        few = 8 * self.workload.batch  # enough that every class is among them
        network = self._estimator(1).fit(self._theirs(rows[:few]), labels[:few]).network_
        if self.workload.recurrent:
            return self._recurrent_step(network, layers, x, y)
        names = list(network.parameters())  # "0.weight", "0.bias", "2.weight", ...
        values = [each for layer in layers for each in layer]
        network.set_parameters(dict(zip(names, values, strict=True)))
        loss, gradients = network.gradients(x, y, loss="categorical_cross_entropy")
        return float(loss), [gradients[name] for name in names]

    def _recurrent_step(
        self, network: Any, layers: Layers, x: Array, y: Labels
    ) -> tuple[float, list[np.ndarray]]:
        (U, b), (W, c), (V, d) = layers
        gru, both = self.workload.recurrent == "gru", 2 * len(W)
        values = {"0.input_weight": U, "0.bias": b, "1.weight": V, "1.bias": d}
        values["0.recurrent_weight"] = W[:, :both] if gru else W
        if gru:
            values |= {"0.candidate_weight": W[:, both:], "0.candidate_bias": c[both:]}
        network.set_parameters(values)
        rows = self._theirs(x)
        data = rows if rows is x else Sequences.from_list(rows)
        loss, found = network.gradients(data, y, loss="categorical_cross_entropy")
        dW, db = found["0.recurrent_weight"], found["0.bias"]
        dc = db
        if gru:
            dW = np.hstack([dW, found["0.candidate_weight"]])
            dc = np.concatenate([db[:both], found["0.candidate_bias"]])
        return float(loss), [
            found["0.input_weight"], db, dW, dc, found["1.weight"], found["1.bias"]
        ]  # fmt: skip

    def _theirs(self, x: Array) -> Any:
        """Sequences of unequal lengths as a list of arrays."""
        if self.workload.lengths is None:
            return x
        return [row[:length] for row, length in zip(x, self.workload.lengths, strict=False)]

    def prepare(self, setting: str, x: Array, y: Labels) -> None:
        self.threads = int(setting.split()[0])
        self.x, self.y = self._theirs(x), y

    def train(self, epochs: int) -> Training:
        history = self._estimator(epochs).fit(self.x, self.y).history_
        return Training([row["seconds"] for row in history], float(history[-1]["loss"]))
