"""The loop that all passes share: some steps in a compiled call, while rows are fetched."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from pellucid.engine import Crew
from pellucid.rows import Order


class Halted(Exception):
    """An operation asked the program to stop."""


class Source(Protocol):
    """Where steps get their rows from: a ``Reader``, or a ``Window``."""

    @property
    def steps(self) -> int:
        """How many steps a call may take, so that the next rows can be fetched meanwhile."""

    def begin(self, order: Order, first: int = 0) -> None:
        """Begin an epoch in this order, at its place `first`."""

    def wait(self, first: int, last: int) -> None:
        """Return once the rows at the places `first` to `last` of the epoch are ready."""

    def close(self) -> None:
        """Release threads and the like."""


class Stepping(AbstractContextManager, ABC):
    """Abstract: what goes over all rows, some steps in a call.

    Attributes
    ----------
    rows, batch, steps : int
        The number of rows, of rows in a step, and of steps.
    reader : Source
    crew : Crew
        Which says how many threads the next call is given.
    seconds : float
        How long the last call took.
    """

    rows: int
    batch: int
    steps: int
    reader: Source
    crew: Crew
    seconds: float = 0.0

    @abstractmethod
    def _run(self, step: int, stop: int, threads: int, patience: int) -> tuple[int, bool]:
        """Run steps from `step` on, up to `stop` at most.

        Up to which step it came, and whether a thread was waited for too often.

        Raises
        ------
        Halted
            If an operation asked to stop.
        """

    def calls(
        self, order: Order, most: Callable[[], int], step: int = 0
    ) -> Iterator[tuple[int, int]]:
        """Run all steps from `step` on, at most ``most()`` in a call.

        After each call it gives its first and last step.

        Raises
        ------
        Halted
            If an operation asked to stop.
        """
        self.reader.begin(order, step * self.batch)
        crew = self.crew
        while step < self.steps:
            stop = min(self.steps, step + min(crew.steps(most()), self.reader.steps))
            self.reader.wait(step * self.batch, min(self.rows, stop * self.batch))
            threads, patience = crew.threads, crew.patience
            begin = time.perf_counter()
            stop, impatient = self._run(step, stop, threads, patience)
            self.seconds = time.perf_counter() - begin
            done = min(self.rows, stop * self.batch) - step * self.batch
            crew.observe(threads, self.seconds / done, impatient)
            yield step, stop
            step = stop

    def close(self) -> None:
        """Release threads and the like."""
        self.reader.close()

    def __exit__(self, *error: object) -> None:
        self.close()
