"""A small simulation of things that take time and wait for one another, in discrete events.

What happens is written as a generator: it yields seconds to let them pass, or a :class:`Resource`
to wait until one of its places is free::

    def customer(clock, till):
        yield till              # waits in the queue
        yield 30.0              # is served
        till.leave()
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Generator
from itertools import count


class Resource:
    """So many places, taken in the order in which they were asked for."""

    def __init__(self, clock: Clock, places: float = 1) -> None:
        self._clock, self._free = clock, places
        self._queue: deque[Happening] = deque()

    def enter(self, happening: Happening) -> None:
        """Go on with `happening` as soon as it has a place."""
        if self._free:
            self._free -= 1
            self._clock.resume(happening)
        else:
            self._queue.append(happening)

    def leave(self) -> None:
        """Give a place back."""
        if self._queue:
            self._clock.resume(self._queue.popleft())
        else:
            self._free += 1


Happening = Generator[float | Resource, None, None]


class Clock:
    """The time, and what is to happen at which."""

    def __init__(self) -> None:
        self.now = 0.0
        self._next: list[tuple[float, int, Happening]] = []
        self._count = count()

    def start(self, happening: Happening, after: float = 0.0) -> None:
        """Let it begin, now or in so many seconds."""
        heapq.heappush(self._next, (self.now + after, next(self._count), happening))

    resume = start

    def run(self) -> float:
        """Go on until nothing is left to happen; the time at the end."""
        while self._next:
            self.now, _, happening = heapq.heappop(self._next)
            for wanted in happening:
                if isinstance(wanted, Resource):
                    wanted.enter(happening)
                else:
                    self.start(happening, wanted)
                break
        return self.now


def using(seconds: float, *resources: Resource) -> Happening:
    """Have a place of all of them for so long."""
    for resource in resources:
        yield resource
    yield seconds
    for resource in resources:
        resource.leave()
