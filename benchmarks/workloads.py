"""What is trained: the networks, their data, their first weights and their operation counts."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import prod

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Labels = NDArray[np.int64]
Layers = list[tuple[Array, Array]]
"""One ``(weight, bias)`` a layer, the first layer first: of convolutions ``(3, 3, C, OC)``,
of linear layers ``(I, H)``."""

LEARNING_RATE = 1e-3


@dataclass(frozen=True)
class Workload:
    """A network (ReLU, softmax cross-entropy, Adam) and the rows that it learns.

    Each of `channels` is a block: a 3 x 3 convolution without padding, ReLU, and max pooling of
    2 x 2. Then come linear layers. Pictures are (height, width, channels).
    """

    name: str
    shape: tuple[int, ...]
    hidden: tuple[int, ...]
    classes: int
    batch: int
    rows: int
    channels: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.rows % self.batch:
            raise ValueError(f"rows of {self.name} must be a multiple of batch. Got {self.rows}.")

    @property
    def maps(self) -> list[tuple[int, int, int]]:
        """The shapes of what goes into each block, and of what comes out of the last."""
        found = [self.shape] if self.channels else []
        for count in self.channels:
            height, width, _ = found[-1]
            found.append(((height - 2) // 2, (width - 2) // 2, count))
        return found  # type: ignore[return-value]

    @property
    def widths(self) -> tuple[int, ...]:
        """Those of the linear part."""
        flat = prod(self.maps[-1]) if self.channels else self.shape[0]
        return (flat, *self.hidden, self.classes)

    @property
    def steps(self) -> int:
        """Minibatches in an epoch."""
        return self.rows // self.batch

    @property
    def flops(self) -> int:
        """Floating-point operations of an epoch's products, and of nothing else.

        A product of (B, I) and (I, H) counts ``2 B I H``, and a convolution one such product of its
        windows. Each layer has two of that size, forward and ``dW = x^T dy``; each but the first a
        third, ``dx = dy W^T``.
        """
        sizes = [
            (height - 2) * (width - 2) * 9 * inputs * outputs
            for (height, width, inputs), outputs in zip(self.maps, self.channels, strict=False)
        ]
        sizes += [i * h for i, h in pairwise(self.widths)]
        return 2 * self.rows * (3 * sum(sizes) - sizes[0])

    def describe(self) -> str:
        parts = ["x".join(map(str, self.shape))]
        parts += [f"3x3 {count}, pool" for count in self.channels]
        shape = " -> ".join([*parts, *map(str, self.widths[1:])])
        return f"{self.name}: {shape}, batch {self.batch}, {self.rows} rows"

    def data(self) -> tuple[Array, Labels]:
        """Rows ``x (rows, *shape)`` and labels ``y (rows,)``: a linear teacher with noise.

        There is something to learn, and too much noise to learn it all, so that no library's
        gradients die out (and turn into slow subnormal numbers) while it is timed. A picture also
        holds a trace of its label's teacher: a convolution finds too little else in noise.
        """
        random = np.random.default_rng(7)
        inputs = prod(self.shape)
        x = random.standard_normal((self.rows, inputs), dtype=np.float32)
        teacher = random.standard_normal((inputs, self.classes), dtype=np.float32)
        score = x @ teacher / np.float32(np.sqrt(inputs))
        noise = random.standard_normal(score.shape, dtype=np.float32)
        y = np.argmax(score + noise, axis=1).astype(np.int64)
        if self.channels:
            x += np.float32(0.05) * teacher.T[y]
        return x.reshape(-1, *self.shape), y

    def first_layers(self) -> Layers:
        """The weights that every library starts the checked step from: He normal, small biases."""
        random = np.random.default_rng(11)
        layers = []
        shapes: list[tuple[int, ...]] = [
            (3, 3, inputs, outputs)
            for (_, _, inputs), outputs in zip(self.maps, self.channels, strict=False)
        ]
        for shape in [*shapes, *pairwise(self.widths)]:
            scale = np.float32(np.sqrt(2 / prod(shape[:-1])))
            weight = random.standard_normal(shape, dtype=np.float32) * scale
            bias = random.standard_normal(shape[-1], dtype=np.float32) * np.float32(0.1)
            layers.append((weight, bias))
        return layers


# Three classes, not two: with two, scikit-learn builds another network (one sigmoid output).
WORKLOADS = {
    each.name: each
    for each in (
        Workload("fcnn-small", (20,), hidden=(64, 64), classes=3, batch=32, rows=8192),
        Workload("fcnn-large", (784,), hidden=(512, 256), classes=10, batch=128, rows=12800),
        Workload("cnn-grey", (28, 28, 1), (128,), 10, batch=128, rows=5120, channels=(32, 64)),
        Workload("cnn-rgb", (32, 32, 3), (128,), 10, batch=64, rows=3840, channels=(32, 64)),
    )
}
