"""scikit-learn's MLPClassifier, in float32 because its input is."""

from __future__ import annotations

from itertools import pairwise
from time import perf_counter
from typing import Any

import numpy as np
import sklearn
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from benchmarks.peers import Training
from benchmarks.workloads import LEARNING_RATE, Array, Labels, Layers, Workload


class _Clocked(MLPClassifier):
    """Reads the clock where scikit-learn ends an epoch; `fit` alone would tell only the sum."""

    def _fit_stochastic(self, *args: Any, **kwargs: Any) -> None:
        self.stamps_ = [perf_counter()]
        super()._fit_stochastic(*args, **kwargs)

    def _update_no_improvement_count(self, *args: Any, **kwargs: Any) -> None:
        super()._update_no_improvement_count(*args, **kwargs)
        self._no_improvement_count = 0  # never stop early
        self.stamps_.append(perf_counter())


class Peer:
    version = sklearn.__version__

    def __init__(self, workload: Workload, threads: int) -> None:
        if workload.channels:
            raise NotImplementedError("scikit-learn has no convolution")
        if workload.recurrent:
            raise NotImplementedError("scikit-learn has no recurrent network")
        self.workload = workload
        self.settings = tuple(f"{n} BLAS thr" for n in sorted({1, threads}))

    def _network(self, epochs: int) -> _Clocked:
        return _Clocked(
            hidden_layer_sizes=self.workload.hidden,
            activation="relu",
            solver="adam",
            alpha=0.0,
            batch_size=self.workload.batch,
            learning_rate_init=LEARNING_RATE,
            max_iter=epochs,
            random_state=0,
        )

    def step(self, layers: Layers, x: Array, y: Labels) -> tuple[float, list[np.ndarray]]:
        classes = np.arange(self.workload.classes)
        model = self._network(1).partial_fit(x, y, classes=classes)  # allocates
        weights, biases = zip(*layers, strict=True)
        model.coefs_ = [each.copy() for each in weights]
        model.intercepts_ = [each.copy() for each in biases]
        activations: list[Any] = [x] + [None] * len(layers)
        deltas, d_weights, d_biases = ([None] * len(layers) for _ in range(3))
        one_hot = y[:, None] == classes  # boolean, as its own `fit` makes it
        loss, d_weights, d_biases = model._backprop(
            x, one_hot, None, activations, deltas, d_weights, d_biases
        )
        if any(each.dtype != np.float32 for each in (*d_weights, *d_biases)):
            raise TypeError("scikit-learn did not stay in float32.")
        return float(loss), [
            each for pair in zip(d_weights, d_biases, strict=True) for each in pair
        ]

    def prepare(self, setting: str, x: Array, y: Labels) -> None:
        self.threads = int(setting.split()[0])
        self.x, self.y = x, y

    def train(self, epochs: int) -> Training:
        model = self._network(epochs)
        with threadpool_limits(self.threads):
            model.fit(self.x, self.y)
        seconds = [end - start for start, end in pairwise(model.stamps_)]
        return Training(seconds, float(model.loss_))
