"""How many threads the steps of a pass are given, while other work may want the processors."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

EASY, STERN = 64, 8  # waits in a call after which it ends: soon after a trial, and else
WORSE = 1.5  # times as slow as before: reason enough to try fewer threads at once
FIRST_WAIT, LONGEST_WAIT = 0.25, 4.0  # seconds between trials; doubled by each that fails
MEMORY = 5.0  # seconds for which the next pass begins as the last one ended

_last = (float("-inf"), 1.0)  # when a pass of this process last had fewer, and their share


@dataclass
class Crew:
    """Chooses what was faster of late: a few threads that run, or more that wait for one another.

    On a busy machine a thread may wait for milliseconds until its partner is given a processor.
    Where that is seen half as many are tried, and from time to time twice as many again. No result
    depends on their number.

    Parameters
    ----------
    most : int
        The most threads.

    Attributes
    ----------
    count : int
        With how many the next calls go on, trials aside.
    """

    most: int
    count: int = field(init=False)
    _pace: dict[int, float] = field(default_factory=dict)  # seconds a row, by threads
    _trial: int = 0  # with how many threads the next call is tried
    _wait: float = FIRST_WAIT
    _next: float = 0.0  # when to try again

    def __post_init__(self) -> None:
        when, share = _last
        fresh = time.monotonic() - when < MEMORY
        self.count = max(1, int(self.most * share)) if fresh else self.most

    @property
    def threads(self) -> int:
        """How many the next call is given."""
        return self._trial or self.count

    @property
    def patience(self) -> int:
        """How often they may wait for one another in the next call; see :meth:`Program.run`."""
        waits = STERN if self._trial or time.monotonic() >= self._next else EASY
        return waits * max(1, self.threads - 1)  # as many wait for a late one

    def steps(self, wanted: int) -> int:
        """How many the next call does: in a trial with fewer threads fewer, in about its time."""
        return max(1, wanted * self.threads // max(self.count, self.threads))

    def observe(self, threads: int, pace: float, impatient: bool) -> None:
        """Learn how long a row took with so many threads, and whether they waited too often."""
        global _last
        if self.most == 1:
            return
        now = time.monotonic()
        if self.count < self.most:
            _last = now, self.count / self.most
        before = self._pace.get(threads, pace)
        self._pace[threads] = pace if self._trial else (before + pace) / 2
        if self._trial:
            self._trial = 0
            if pace < self._pace[self.count]:
                self.count, self._wait = threads, FIRST_WAIT
                _last = now, threads / self.most
            else:
                self._wait = min(2 * self._wait, LONGEST_WAIT)
            self._next = now + self._wait
        elif impatient and threads > 1 and (now >= self._next or pace > WORSE * before):
            self._trial = threads // 2
        elif threads < self.most and now >= self._next:
            self._trial = min(2 * threads, self.most)
