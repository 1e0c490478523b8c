"""Passes over examples that are handed over some at a time: as many as fit into a window.

Each has one pass of the usual kind over the window, which a thread fills again and again while the
network works. A step of the epoch is one of the window, with its own learning rate and random
numbers: so all is the same to the bit as over rows in memory.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from pellucid.network.chain import Chain
from pellucid.network.loss import LossFunction, StepSums
from pellucid.network.parameters import Parameters
from pellucid.network.passes import Measurement, TrainingPass, check_tokens
from pellucid.network.stepping import Halted, Stepping
from pellucid.rows import Examples, Feed, InTurn, Order, Window


class _Windowed(Stepping):
    """Abstract: a pass whose rows come through a window.

    Parameters
    ----------
    inner : TrainingPass or Measurement
        Over the examples of the window.
    window : Window
    """

    reader: Window
    inner: TrainingPass | Measurement

    def __init__(self, inner: TrainingPass | Measurement, window: Window) -> None:
        self.inner, self.reader, self.chain = inner, window, inner.chain
        self.batch, self.rows = window.batch, window.feed.rows
        self.steps = -(-self.rows // self.batch)
        self.crew, self.loss = inner.crew, StepSums(self.steps)
        window.check = self._check

    def _check(self, x: np.ndarray, values: np.ndarray) -> None:
        """Refuse records and targets that kernels must not see."""
        check_tokens(self.chain, self.reader.feed.rows_of(x))
        self.inner.loss.check_values(values)

    def _prepare(self, step: int, stop: int, place: int) -> None:  # noqa: B027
        """Set what steps from `step` to `stop` need, which the window has from `place` on."""

    def _run(self, step: int, stop: int, threads: int, patience: int) -> tuple[int, bool]:
        inner, batch = self.inner, self.batch
        place = step % inner.steps
        stop = min(stop, step - place + inner.steps)  # no further than the window's end
        self._prepare(step, stop, place)
        rows = place * batch + min(stop * batch, self.rows) - step * batch
        program, end = inner.program, place + stop - step
        if not program.run(place, end, batch, rows, threads, patience):
            raise Halted
        done = program.done
        stop = step + done - place
        self.loss.losses[step:stop] = inner.loss.losses[place:done]
        self.loss.hits[step:stop] = inner.loss.hits[place:done]
        return stop, program.slept > patience

    def close(self) -> None:
        self.inner.close()
        super().close()


class WindowedTraining(_Windowed):
    """A :class:`TrainingPass` over the examples of a feed.

    Parameters
    ----------
    chain, parameters : Chain and Parameters
    feed : Feed
    loss, batch, **options
        As of :class:`TrainingPass`.

    Raises
    ------
    ValueError
        If layers are stateful.

    Attributes
    ----------
    schedule, clock, loss, carried
        As of :class:`TrainingPass`, of all steps of the epoch.
    """

    inner: TrainingPass

    def __init__(
        self,
        chain: Chain,
        parameters: Parameters,
        feed: Feed,
        loss: str | LossFunction,
        batch: int,
        **options: Any,
    ) -> None:
        if chain.stateful:
            raise ValueError(
                "layers that are stateful must have their rows in memory, where rows go on from "
                "one another in turn. Got rows that are handed over some at a time."
            )
        window = Window(feed, batch, parameters.dtype)
        inner = TrainingPass(chain, parameters, window.examples, loss, batch, **options)
        super().__init__(inner, window)
        self.schedule, self.clock = np.zeros((self.steps, 3)), self.inner.clock.copy()
        self.order: Order = InTurn(self.rows)

    def calls(
        self, order: Order, most: Callable[[], int], step: int = 0
    ) -> Iterator[tuple[int, int]]:
        self.order = order
        return super().calls(order, most, step)

    def _prepare(self, step: int, stop: int, place: int) -> None:
        inner = self.inner
        inner.schedule[place : place + stop - step] = self.schedule[step:stop]
        inner.clock[:2] = self.clock[:2]
        inner.clock[2] = self.clock[2] + step - place

    @property
    def carried(self) -> dict[str, np.ndarray]:
        """See :attr:`TrainingPass.carried`."""
        return self.inner.carried

    def not_finite(self) -> str:
        """See :meth:`TrainingPass.not_finite`."""
        return self.inner.not_finite()


class WindowedMeasurement(_Windowed):
    """A :class:`Measurement` of the examples of a feed.

    Parameters
    ----------
    chain, parameters, feed, loss, n_jobs
        As of :class:`Measurement`, of a `feed`.
    """

    inner: Measurement

    def __init__(
        self,
        chain: Chain,
        parameters: Parameters,
        feed: Feed,
        loss: str | LossFunction,
        n_jobs: int | None = None,
    ) -> None:
        batch = min(chain.predict_rows(parameters.dtype), feed.rows)
        window = Window(feed, batch, parameters.dtype)
        inner = Measurement(chain, parameters, window.examples, loss, n_jobs)
        super().__init__(inner, window)

    def measure(self) -> tuple[float, float]:
        """See :meth:`Measurement.measure`."""
        try:
            for _ in self.calls(InTurn(self.rows), lambda: self.steps):
                pass
        except Halted:
            return math.inf, 0.0
        return self.loss.mean(self.rows)


def training_pass(
    chain: Chain, parameters: Parameters, examples: Examples, **options: Any
) -> TrainingPass | WindowedTraining:
    """The pass of a training epoch over `examples`, wherever they are."""
    feed = examples.feed
    if feed is None:
        return TrainingPass(chain, parameters, examples, **options)
    return WindowedTraining(chain, parameters, feed, **options)


def measurement(
    chain: Chain, parameters: Parameters, examples: Examples, *options: Any
) -> Measurement | WindowedMeasurement:
    """The pass that measures `examples`, wherever they are."""
    feed = examples.feed
    if feed is None:
        return Measurement(chain, parameters, examples, *options)
    return WindowedMeasurement(chain, parameters, feed, *options)
