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
of linear layers ``(I, H)``; a recurrent layer has two, from its input ``(I, G H)`` and from its
state ``(H, G H)``, gates side by side as i, f, g, o or r, z, n."""

LEARNING_RATE = 1e-3
GATES = {"rnn": 1, "lstm": 4, "gru": 3}


@dataclass(frozen=True)
class Workload:
    """A network (ReLU, softmax cross-entropy, Adam) and the rows that it learns.

    Each of `channels` is a block: a 3 x 3 convolution without padding, ReLU, and max pooling of
    2 x 2. Then come linear layers. Pictures are (height, width, channels). Where `recurrent` names
    a kind, it is a recurrent layer of the width `hidden`, and a linear layer on its last state;
    sequences are (steps, features). Where `shortest` is given, they have from that many steps to
    all of them, and zeros behind their ends.
    """

    name: str
    shape: tuple[int, ...]
    hidden: tuple[int, ...]
    classes: int
    batch: int
    rows: int
    channels: tuple[int, ...] = ()
    recurrent: str = ""
    shortest: int = 0

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
        if self.recurrent:
            return (*self.hidden, self.classes)
        flat = prod(self.maps[-1]) if self.channels else self.shape[0]
        return (flat, *self.hidden, self.classes)

    @property
    def steps(self) -> int:
        """Minibatches in an epoch."""
        return self.rows // self.batch

    @property
    def lengths(self) -> Labels | None:
        """The steps of each row of `data`; None where all have equally many."""
        if not self.shortest:
            return None
        random = np.random.default_rng(5)
        return random.integers(self.shortest, self.shape[0] + 1, self.rows)

    @property
    def flops(self) -> int:
        """Floating-point operations of an epoch's products, and of nothing else.

        A product of (B, I) and (I, H) counts ``2 B I H``, and a convolution one such product of its
        windows. Each layer has two of that size, forward and ``dW = x^T dy``; each but the first a
        third, ``dx = dy W^T``. Steps behind a sequence's end do not count, whoever computes them.
        """
        sizes = [
            self.rows * (height - 2) * (width - 2) * 9 * inputs * outputs
            for (height, width, inputs), outputs in zip(self.maps, self.channels, strict=False)
        ]
        if self.recurrent:
            (steps, inputs), (width,) = self.shape, self.hidden
            lengths = self.lengths
            count = self.rows * steps if lengths is None else int(lengths.sum())
            gates = count * GATES[self.recurrent] * width
            sizes = [gates * inputs, gates * width]
        sizes += [self.rows * i * h for i, h in pairwise(self.widths)]
        return 2 * (3 * sum(sizes) - sizes[0])

    def describe(self) -> str:
        parts = ["x".join(map(str, self.shape))]
        if self.shortest:
            parts[0] = f"{self.shortest} to {parts[0]}"
        parts += [f"3x3 {count}, pool" for count in self.channels]
        parts += [f"{self.recurrent} {width}" for width in self.hidden if self.recurrent]
        shape = " -> ".join([*parts, *map(str, self.widths[1:])])
        return f"{self.name}: {shape}, batch {self.batch}, {self.rows} rows"

    def data(self) -> tuple[Array, Labels]:
        """Rows ``x (rows, *shape)`` and labels ``y (rows,)``: a linear teacher with noise.

        There is something to learn, and too much noise to learn it all, so that no library's
        gradients die out (and turn into slow subnormal numbers) while it is timed. A picture also
        holds a trace of its label's teacher: a convolution finds too little else in noise.
        """
        random = np.random.default_rng(7)
        if self.recurrent:  # the teacher sees the last few steps
            steps, inputs = self.shape
            x = random.standard_normal((self.rows, steps, inputs), dtype=np.float32)
            teacher = random.standard_normal((inputs, self.classes), dtype=np.float32)
            ends = np.full(self.rows, steps) if self.lengths is None else self.lengths
            seen = x[np.arange(self.rows)[:, None], ends[:, None] - np.arange(4, 0, -1)]
            score = seen.sum(axis=1) @ teacher / np.float32(2 * np.sqrt(inputs))
            x[np.arange(steps) >= ends[:, None]] = 0
            noise = random.standard_normal(score.shape, dtype=np.float32)
            return x, np.argmax(score + noise / 2, axis=1).astype(np.int64)
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
        if self.recurrent:
            (_, inputs), (width,) = self.shape, self.hidden
            shapes = [(each, GATES[self.recurrent] * width) for each in (inputs, width)]
        for shape in [*shapes, *pairwise(self.widths)]:
            gain = 1 if self.recurrent else 2  # what ReLU takes away
            scale = np.float32(np.sqrt(gain / prod(shape[:-1])))
            weight = random.standard_normal(shape, dtype=np.float32) * scale
            bias = random.standard_normal(shape[-1], dtype=np.float32) * np.float32(0.1)
            layers.append((weight, bias))
        if self.recurrent:  # of two biases that are added, one is enough but inside a GRU's reset
            keep = 2 * self.hidden[0] if self.recurrent == "gru" else None
            layers[1][1][:keep] = 0
        return layers


# Three classes, not two: with two, scikit-learn builds another network (one sigmoid output).
WORKLOADS = {
    each.name: each
    for each in (
        Workload("fcnn-small", (20,), hidden=(64, 64), classes=3, batch=32, rows=8192),
        Workload("fcnn-large", (784,), hidden=(512, 256), classes=10, batch=128, rows=12800),
        Workload("cnn-grey", (28, 28, 1), (128,), 10, batch=128, rows=5120, channels=(32, 64)),
        Workload("cnn-rgb", (32, 32, 3), (128,), 10, batch=64, rows=3840, channels=(32, 64)),
        Workload("rnn", (100, 8), (64,), 3, batch=64, rows=2560, recurrent="rnn"),
        Workload("lstm", (100, 8), (64,), 3, batch=64, rows=2560, recurrent="lstm"),
        Workload("lstm-wide", (50, 32), (256,), 3, batch=128, rows=1280, recurrent="lstm"),
        Workload("lstm-long", (500, 4), (32,), 3, batch=32, rows=640, recurrent="lstm"),
        Workload("gru", (100, 8), (64,), 3, batch=64, rows=2560, recurrent="gru"),
        Workload("lstm-unequal", (100, 8), (64,), 3, 64, 2560, recurrent="lstm", shortest=10),
    )
}
