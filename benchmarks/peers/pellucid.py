"""pellucid, through its estimator as a user would call it."""

from __future__ import annotations

from typing import Any

import numpy as np

import pellucid
from benchmarks.peers import Training
from benchmarks.workloads import LEARNING_RATE, Array, Labels, Layers, Workload
from pellucid import CNNClassifier, FCNNClassifier


class Peer:
    version = pellucid.__version__

    def __init__(self, workload: Workload, threads: int) -> None:
        self.workload = workload
        self.settings = tuple(f"{n} thr" for n in sorted({1, threads}))
        self.threads = threads

    def _estimator(self, epochs: int) -> FCNNClassifier | CNNClassifier:
        work = self.workload
        network: dict[str, Any] = {"hidden_dim": work.hidden}
        if work.channels:
            network = {
                "channels": work.channels, "padding": "valid", "batch_norm": False,
                "hidden_dim": work.hidden[0],
            }  # fmt: skip
        return (CNNClassifier if work.channels else FCNNClassifier)(
            **network,
            dropout=0.0,
            activation="relu",
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
        network = self._estimator(1).fit(rows[:few], labels[:few]).network_
        names = list(network.parameters())  # "0.weight", "0.bias", "2.weight", ...
        values = [each for layer in layers for each in layer]
        network.set_parameters(dict(zip(names, values, strict=True)))
        loss, gradients = network.gradients(x, y, loss="categorical_cross_entropy")
        return float(loss), [gradients[name] for name in names]

    def prepare(self, setting: str, x: Array, y: Labels) -> None:
        self.threads = int(setting.split()[0])
        self.x, self.y = x, y

    def train(self, epochs: int) -> Training:
        history = self._estimator(epochs).fit(self.x, self.y).history_
        return Training([row["seconds"] for row in history], float(history[-1]["loss"]))
