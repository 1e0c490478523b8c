"""Shards of a batch whose gradients are computed elsewhere: what is sent, and what comes back.

A task is pure: weights, rows and the shards' numbers in, the sum of their gradients out. Wherever
and however often it is done, the bits are the same.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import Any, NamedTuple, Protocol

import numpy as np

from pellucid.engine import plain_float_state
from pellucid.layers import Layer
from pellucid.network.chain import Chain
from pellucid.network.loss import LossFunction
from pellucid.network.parameters import Parameters
from pellucid.network.passes import Change, TrainingPass, check_tokens
from pellucid.network.sharded import ShardSource, ShardSums, by_pairs
from pellucid.network.stepping import Halted
from pellucid.rows import Examples, Feed, Order, Rows, Targets

MOST_KEPT = 8  # passes in a process, of different fits


@dataclass(frozen=True, eq=False)
class ShardRecipe:
    """All that the gradients of shards follow from but weights, rows and numbers.

    Parameters
    ----------
    layers : tuple of Layer
    row_shape : tuple of int
        Of a row as the network reads it.
    dtype : str
    rows : Rows
        None, of the kind that is sent: they say how records are read.
    record_shape, value_shape : tuple of int
        Of a row's record, and of its target.
    record_dtype, value_dtype : str
    loss : str or LossFunction
    shard_rows : int
        Rows of a shard.
    seed : int
    tbptt_steps : int, optional
    change : Change, optional
    """

    layers: tuple[Layer, ...]
    row_shape: tuple[int, ...]
    dtype: str
    rows: Rows
    record_shape: tuple[int, ...]
    record_dtype: str
    value_shape: tuple[int, ...]
    value_dtype: str
    loss: str | LossFunction
    shard_rows: int
    seed: int
    tbptt_steps: int | None = None
    change: Change | None = None

    @classmethod
    def of(cls, chain: Chain, dtype: str, feed: Feed, **options: Any) -> ShardRecipe:
        """That of a chain which is trained on what a feed hands over."""
        records = np.zeros((0, *feed.row_shape), feed.dtype)
        rows = feed.rows_of(records)
        whole = not feed.value_shape and feed.value_dtype.kind in "biu"
        return cls(
            layers=chain.layers, row_shape=rows.shape[1:], dtype=dtype, rows=rows,
            record_shape=feed.row_shape, record_dtype=feed.dtype.name,
            value_shape=feed.value_shape, value_dtype="int64" if whole else dtype, **options,
        )  # fmt: skip

    @cached_property
    def packed(self) -> bytes:
        """It as bytes, by which it is also known."""
        return pickle.dumps(self)


class ShardTask(NamedTuple):
    """Some shards of a batch, side by side.

    Attributes
    ----------
    clock : int
        The number of the first one among all shards since the training began.
    shards : int
        A power of two that divides `clock`; the last task of a batch may have rows for fewer.
    batch_rows : int
        Rows of the whole batch.
    x, values, weight : ndarray
        Records, targets and weights of the rows.
    """

    clock: int
    shards: int
    batch_rows: int
    x: np.ndarray
    values: np.ndarray
    weight: np.ndarray


class ShardGradient(NamedTuple):
    """What comes back.

    Attributes
    ----------
    gradient : ndarray of shape (P,)
        The sum by pairs of the shards' gradients; behind them what their layers counted.
    losses, hits : list of float
        Of each shard.
    wrong : str
        Where a loss was not finite, the first layer that is not, in words; else nothing.
    """

    gradient: np.ndarray
    losses: list[float]
    hits: list[float]
    wrong: str = ""


class ShardComputer:
    """Computes tasks of one recipe, of up to so many shards.

    Parameters
    ----------
    recipe : ShardRecipe
    shards : int
    n_jobs : int, optional
    """

    def __init__(self, recipe: ShardRecipe, shards: int, n_jobs: int | None = None) -> None:
        chain = Chain.of(recipe.layers, recipe.row_shape)
        self.held = Parameters(chain.parameters, recipe.dtype)
        self.sums = ShardSums(self.held, shards)
        count = shards * recipe.shard_rows
        self.x = np.zeros((count, *recipe.record_shape), recipe.record_dtype)
        self.rows = recipe.rows.of_records(self.x)
        values = np.zeros((count, *recipe.value_shape), recipe.value_dtype)
        self.training = TrainingPass(
            chain, self.held, Examples(self.rows, Targets.by_row(values)), recipe.loss,
            recipe.shard_rows, seed=recipe.seed, tbptt_steps=recipe.tbptt_steps,
            change=recipe.change, n_jobs=n_jobs, **self.sums.options,
        )  # fmt: skip

    def gradient(self, weights: np.ndarray, task: ShardTask) -> ShardGradient:
        """The sum of the gradients of a task's shards."""
        training, count = self.training, len(task.x)
        loss = training.loss
        self.held.values[:] = weights
        self.x[:count] = task.x
        loss.values[:count] = loss.checked(task.values, count)
        for weight in (loss.weight, training.layout.batch.weight):
            weight[:count] = task.weight
        check_tokens(training.chain, self.rows)
        training.rows, training.steps = count, -(-count // training.batch)
        training.clock[2] = task.clock
        self.sums.begin(task.batch_rows)
        wrong = ""
        try:
            for _ in training.calls(training.order, lambda: training.steps):
                pass
        except Halted:
            wrong = training.not_finite()
        total = self.sums.end(training.steps)
        shards = slice(0, training.steps)
        return ShardGradient(total, loss.losses[shards].tolist(), loss.hits[shards].tolist(), wrong)


_kept: dict[tuple[bytes, int, int | None], list[ShardComputer]] = {}  # none of them at work
_lock = Lock()


@plain_float_state()
def shard_gradient(
    packed: bytes, weights: np.ndarray, task: ShardTask, n_jobs: int | None = None
) -> ShardGradient:
    """The sum of the gradients of a task's shards: a pure function.

    To lay out a network takes longer than a step, so what is laid out is kept for the next task of
    the same recipe, and made again wherever it is missing.

    Parameters
    ----------
    packed : bytes
        :attr:`ShardRecipe.packed`.
    weights : ndarray of shape (P,)
    task : ShardTask
    n_jobs : int, optional

    Returns
    -------
    ShardGradient
        With arrays of its own.
    """
    key = packed, task.shards, n_jobs
    with _lock:
        free = _kept.pop(key, [])
        computer = free.pop() if free else None
        _kept[key] = free  # the latest is last
    if computer is None:
        computer = ShardComputer(pickle.loads(packed), task.shards, n_jobs)
    made = computer.gradient(weights, task)
    made = made._replace(gradient=made.gradient.copy())
    with _lock:
        _kept.setdefault(key, []).append(computer)
        while len(_kept) > MOST_KEPT:
            del _kept[next(iter(_kept))]
    return made


class Elsewhere(Protocol):
    """What computes tasks, here or elsewhere.

    Attributes
    ----------
    tasks : int
        Into how many tasks a batch is best cut now.
    words : str
        Who computes, in a sentence.
    """

    @property
    def tasks(self) -> int: ...  # noqa: D102

    @property
    def words(self) -> str: ...  # noqa: D102

    def gradients(
        self, packed: bytes, weights: np.ndarray, tasks: list[ShardTask]
    ) -> list[ShardGradient]:
        """What :func:`shard_gradient` gives for each task."""


class RemoteShards(ShardSource):
    """The shards of a batch as tasks for others.

    Parameters
    ----------
    recipe : ShardRecipe
    parameters : Parameters
    feed : Feed
        What gives the rows in the order of an epoch.
    batch, shards : int
    elsewhere : Elsewhere
    """

    def __init__(
        self,
        recipe: ShardRecipe,
        parameters: Parameters,
        feed: Feed,
        batch: int,
        shards: int,
        elsewhere: Elsewhere,
    ) -> None:
        here = ShardComputer(recipe, 1)  # which refuses what no other one could compute
        self.recipe, self.parameters, self.feed = recipe, parameters, feed
        self.batch, self.shards, self.elsewhere = batch, shards, elsewhere
        self.rows, self.chain, self.carried = feed.rows, here.training.chain, {}
        self._wrong = ""

    @property
    def threads(self) -> int:
        return self.chain.threads(self.batch)

    def batches(
        self, order: Order, total: np.ndarray, step: int, before: int
    ) -> Iterator[tuple[float, float]]:
        self.feed.begin(order, step * self.batch)
        for first in range(step * self.batch, self.feed.rows, self.batch):
            number = before + first // self.batch
            made = self.elsewhere.gradients(
                self.recipe.packed, self.parameters.values, self._tasks(first, number)
            )
            self._wrong = next((one.wrong for one in made if one.wrong), "")
            if self._wrong:
                raise Halted
            total[:] = by_pairs([one.gradient for one in made])
            yield (
                sum(loss for one in made for loss in one.losses),
                sum(hit for one in made for hit in one.hits),
            )

    def _tasks(self, first: int, number: int) -> list[ShardTask]:
        """The tasks of the batch that begins at place `first` of the epoch."""
        last = min(self.feed.rows, first + self.batch)
        count = max(1, self.shards // self.elsewhere.tasks)  # of shards in a task
        tasks = []
        for shard in range(0, self.shards, count):
            begin = first + shard * self.recipe.shard_rows
            end = min(last, begin + count * self.recipe.shard_rows)
            if begin < end:
                arrays = self._arrays(begin, end)
                clock = number * self.shards + shard
                tasks.append(ShardTask(clock, count, last - first, *arrays))
        return tasks

    def _arrays(self, begin: int, end: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        recipe, count = self.recipe, end - begin
        x = np.zeros((count, *recipe.record_shape), recipe.record_dtype)
        values = np.zeros((count, *recipe.value_shape), recipe.value_dtype)
        weight = np.zeros(count, recipe.dtype)
        self.feed.fill(begin, end, x, values, weight)
        return x, values, weight

    def not_finite(self) -> str:
        return self._wrong

    def close(self) -> None:
        """Nothing is held."""
