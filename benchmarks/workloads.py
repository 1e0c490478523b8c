"""What is trained: the networks, their data, their first weights and their operation counts."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Labels = NDArray[np.int64]
Layers = list[tuple[Array, Array]]
"""One ``(weight (I, H), bias (H,))`` a linear layer, the first layer first."""

LEARNING_RATE = 1e-3


@dataclass(frozen=True)
class Workload:
    """A fully connected network (ReLU, softmax cross-entropy, Adam) and the table it learns."""

    name: str
    inputs: int
    hidden: tuple[int, ...]
    classes: int
    batch: int
    rows: int

    def __post_init__(self) -> None:
        if self.rows % self.batch:
            raise ValueError(f"rows of {self.name} must be a multiple of batch. Got {self.rows}.")

    @property
    def widths(self) -> tuple[int, ...]:
        return (self.inputs, *self.hidden, self.classes)

    @property
    def steps(self) -> int:
        """Minibatches in an epoch."""
        return self.rows // self.batch

    @property
    def flops(self) -> int:
        """Floating-point operations of an epoch's products, and of nothing else.

        A product of (B, I) and (I, H) counts ``2 B I H``. Each layer has two of that size, forward
        and ``dW = x^T dy``; each but the first a third, ``dx = dy W^T``.
        """
        sizes = [i * h for i, h in pairwise(self.widths)]
        return 2 * self.rows * (3 * sum(sizes) - sizes[0])

    def describe(self) -> str:
        shape = " -> ".join(map(str, self.widths))
        return f"{self.name}: {shape}, batch {self.batch}, {self.rows} rows"

    def data(self) -> tuple[Array, Labels]:
        """Rows ``x (rows, inputs)`` and labels ``y (rows,)``: a linear teacher with noise.

        There is something to learn, and too much noise to learn it all, so that no library's
        gradients die out (and turn into slow subnormal numbers) while it is timed.
        """
        random = np.random.default_rng(7)
        x = random.standard_normal((self.rows, self.inputs), dtype=np.float32)
        teacher = random.standard_normal((self.inputs, self.classes), dtype=np.float32)
        score = x @ teacher / np.float32(np.sqrt(self.inputs))
        noise = random.standard_normal(score.shape, dtype=np.float32)
        return x, np.argmax(score + noise, axis=1).astype(np.int64)

    def first_layers(self) -> Layers:
        """The weights that every library starts the checked step from: He normal, small biases."""
        random = np.random.default_rng(11)
        layers = []
        for i, h in pairwise(self.widths):
            weight = random.standard_normal((i, h), dtype=np.float32) * np.float32(np.sqrt(2 / i))
            bias = random.standard_normal(h, dtype=np.float32) * np.float32(0.1)
            layers.append((weight, bias))
        return layers


# Three classes, not two: with two, scikit-learn builds another network (one sigmoid output).
WORKLOADS = {
    each.name: each
    for each in (
        Workload("fcnn-small", inputs=20, hidden=(64, 64), classes=3, batch=32, rows=8192),
        Workload("fcnn-large", inputs=784, hidden=(512, 256), classes=10, batch=128, rows=12800),
    )
}
