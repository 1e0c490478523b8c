"""Training on batches that come in shards: gradients are summed by pairs, then there is one update.

A shard's gradient depends on the weights, its rows and its number alone, so it can be computed
anywhere. How many shards a batch has is part of the training, and who computes them is not.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from pellucid.engine import Operation, Program, operation, plain_float_state
from pellucid.kernels.operations.shards import add_shard
from pellucid.kernels.panels import aligned
from pellucid.network.loss import StepSums
from pellucid.network.parameters import Parameters
from pellucid.network.passes import TrainingPass, clipping
from pellucid.network.windowed import WindowedTraining
from pellucid.rows import Order

Update = Callable[[np.ndarray, np.ndarray, np.ndarray], list[Operation]]


def by_pairs(parts: list[np.ndarray]) -> np.ndarray:
    """The sum of `parts` in the order in which ``kernels/shards.py`` sums; may be one of them."""
    with plain_float_state():
        while len(parts) > 1:
            odd = parts[-1:] if len(parts) % 2 else []
            parts = [a + b for a, b in zip(parts[::2], parts[1::2], strict=False)] + odd
    return parts[0]


class ShardSums:
    """The sums of a batch's shards while it is computed, and of what their layers count.

    Parameters
    ----------
    parameters : Parameters
    shards : int
        Of a batch; a power of two.

    Attributes
    ----------
    whole : int64 ndarray of shape (1,)
        How many rows the batch has.
    clock : int64 ndarray of shape (3,)
        That of the training pass: shards are counted by it.
    total : ndarray of shape (P,)
        The sum of all shards of a batch.
    """

    def __init__(self, parameters: Parameters, shards: int) -> None:
        size, levels = parameters.values.size, shards.bit_length()
        self.parameters = parameters
        self.counts = parameters.values[parameters.learning :]
        self.sums = aligned(levels * size, parameters.dtype).reshape(levels, size)
        self.total = self.sums[-1]
        self.counted = aligned(self.counts.size, parameters.dtype)
        self.whole, self.clock = np.ones(1, dtype=np.int64), np.zeros(3, dtype=np.int64)

    @property
    def options(self) -> dict[str, Any]:
        """What a training pass is given for its steps to be shards that are summed here."""
        return {"update": self._adding, "whole": self.whole, "clock": self.clock}

    def _adding(
        self, gradient: np.ndarray, schedule: np.ndarray, scale: np.ndarray
    ) -> list[Operation]:
        """The operation that adds a shard's `gradient`."""
        held = self.parameters
        added = add_shard(
            gradient=gradient, values=held.values, counted=self.counted, sums=self.sums,
            whole=self.whole, clock=self.clock, learning=held.learning,
        )  # fmt: skip
        return [operation(added)]

    def begin(self, rows: int) -> None:
        """Begin a batch of so many rows."""
        self.whole[0] = rows
        self.counted[:] = self.counts

    def end(self, shards: int) -> np.ndarray:
        """The sum of the batch's shards, so many in all; it is put into `total`."""
        there = [row for level, row in enumerate(self.sums) if shards >> level & 1]
        while len(there) > 1:  # from the smallest, which is the last one
            smallest = by_pairs(there[1::-1])
            there = [smallest, *there[2:]]
        if there[0] is not self.total:
            self.total[:] = there[0]
        return self.total


class ShardSource(AbstractContextManager, ABC):
    """Abstract: what computes the sum of the gradients of a batch's shards.

    Attributes
    ----------
    rows : int
    chain : Chain
    threads : int
        With how many the parameters are to be changed.
    carried : dict of str to ndarray
        As of a training pass.
    """

    rows: int
    chain: Any
    carried: dict[str, np.ndarray]

    @property
    @abstractmethod
    def threads(self) -> int: ...  # noqa: D102

    @abstractmethod
    def batches(
        self, order: Order, total: np.ndarray, step: int, before: int
    ) -> Iterator[tuple[float, float]]:
        """For each batch from number `step` on its loss and hits.

        Before that its gradient is written into `total`, and where its layers count, the counts
        behind it. The parameters are changed before the next batch is asked for. `before` is how
        many batches were trained before the epoch.
        """

    @abstractmethod
    def not_finite(self) -> str:
        """The first layer with values that are not finite, in words."""

    @abstractmethod
    def close(self) -> None:
        """Release threads and the like."""

    def __exit__(self, *error: object) -> None:
        self.close()


class LocalShards(ShardSource):
    """The shards of a batch one after another in this process.

    Parameters
    ----------
    make : callable
        ``make(batch=, **sums.options)`` gives a training pass whose batches are shards.
    sums : ShardSums
    batch, shards : int
        Rows of a batch, and into how many shards it is cut.
    """

    def __init__(
        self,
        make: Callable[..., TrainingPass | WindowedTraining],
        sums: ShardSums,
        batch: int,
        shards: int,
    ) -> None:
        self.sums, self.batch, self.shards = sums, batch, shards
        inner = self.inner = make(batch=-(-batch // shards), **sums.options)
        self.rows, self.chain = inner.rows, inner.chain
        self.carried = inner.carried

    @property
    def threads(self) -> int:
        return self.inner.crew.threads

    def batches(
        self, order: Order, total: np.ndarray, step: int, before: int
    ) -> Iterator[tuple[float, float]]:
        inner, sums, shards = self.inner, self.sums, self.shards
        inner.clock[2] = before * shards
        done = step * shards
        calls = inner.calls(order, lambda: shards - done % shards, done)
        sums.begin(min(self.batch, inner.rows - step * self.batch))
        for _, done in calls:
            if done % shards and done < inner.steps:
                continue  # fewer threads were tried
            first = step * shards
            sums.end(done - first)
            losses, hits = inner.loss.losses[first:done], inner.loss.hits[first:done]
            yield sum(losses.tolist()), sum(hits.tolist())
            step += 1
            sums.begin(min(self.batch, inner.rows - step * self.batch))

    def not_finite(self) -> str:
        return self.inner.not_finite()

    def close(self) -> None:
        self.inner.close()


class ShardedTraining(AbstractContextManager):
    """The pass of a training epoch whose batches come in shards; see :class:`TrainingPass`.

    Parameters
    ----------
    source : ShardSource
    sums : ShardSums
    batch : int
        Rows of a step.
    update : callable
        As of :class:`TrainingPass`.
    clip_norm : float, optional
    """

    def __init__(
        self,
        source: ShardSource,
        sums: ShardSums,
        batch: int,
        update: Update,
        clip_norm: float | None = None,
    ) -> None:
        self.source, self.sums, self.batch = source, sums, batch
        self.rows, self.chain = source.rows, source.chain
        self.carried = source.carried
        self.steps = -(-self.rows // batch)
        self.schedule, self.clock = np.zeros((self.steps, 3)), np.zeros(3, dtype=np.int64)
        self.loss, self.seconds, scale = StepSums(self.steps), 0.0, np.ones(2)
        self.gradients = sums.total
        self.program = Program(
            [
                *clipping(self.gradients[: sums.parameters.learning], clip_norm, scale),
                *update(self.gradients, self.schedule, scale),
            ],
            sums.parameters.dtype,
        )

    def calls(
        self, order: Order, most: Callable[[], int], step: int = 0
    ) -> Iterator[tuple[int, int]]:
        """Run all steps from `step` on, at most ``most()`` in a call; see :class:`TrainingPass`."""
        source, total, sums = self.source, self.gradients, self.sums
        learning = sums.parameters.learning
        first, begin = step, time.perf_counter()
        for loss, hits in source.batches(order, total, step, int(self.clock[2])):
            self.program.run(step, step + 1, 1, self.steps, source.threads)
            sums.counts[:] = total[learning:]
            self.loss.losses[step], self.loss.hits[step] = loss, hits
            step += 1
            if step - first >= most() or step == self.steps:
                self.seconds = time.perf_counter() - begin
                yield first, step
                first, begin = step, time.perf_counter()

    def not_finite(self) -> str:
        """The first layer with values that are not finite, in words."""
        return self.source.not_finite()

    def __exit__(self, *error: object) -> None:
        self.source.close()
