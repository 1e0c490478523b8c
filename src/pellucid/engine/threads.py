"""How many threads there may be, and running one function on several of them."""

from __future__ import annotations

import ctypes
import os
import sys
from _thread import allocate_lock, start_new_thread
from collections.abc import Callable
from functools import cache
from pathlib import Path


def _cgroup_limit() -> float:
    """The processors that a container's quota allows (cgroup v2, then v1)."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()[:2]
    except (OSError, ValueError):
        try:
            root = Path("/sys/fs/cgroup/cpu")
            quota = (root / "cpu.cfs_quota_us").read_text().strip()
            period = (root / "cpu.cfs_period_us").read_text().strip()
        except OSError:
            return float("inf")
    if quota in ("max", "-1"):
        return float("inf")
    return int(quota) / int(period)


def available() -> int:
    """The processors that this process may use: affinity and container quota respected."""
    if hasattr(os, "sched_getaffinity"):
        allowed = len(os.sched_getaffinity(0))
    else:
        allowed = os.cpu_count() or 1
    return max(1, min(allowed, int(min(_cgroup_limit(), allowed) + 0.5)))


@cache
def yield_address() -> int:
    """The C function by which a waiting thread gives its turn away."""
    if sys.platform == "win32":
        function = ctypes.windll.kernel32.SwitchToThread
    else:
        function = ctypes.CDLL(None).sched_yield
    return ctypes.cast(function, ctypes.c_void_p).value or 0


class Event:
    """What happens once, and a thread of this process that waits for it.

    A signal's handler may raise anywhere in the main thread, also inside ``threading.Event`` and
    ``Thread.start``, which then keep a lock for ever. Of a plain lock and a flag nothing is left
    half done: an exception may lose what was acquired, never that it happened.
    """

    def __init__(self) -> None:
        self.happened, self._process = False, os.getpid()
        self._lock = allocate_lock()
        self._lock.acquire()

    @property
    def pending(self) -> bool:
        """Whether it is still to happen; nothing more does in a process forked from its own."""
        return not self.happened and os.getpid() == self._process

    def set(self) -> None:
        """Let it happen."""
        self.happened = True
        self._lock.release()

    def wait(self) -> None:
        """Return once it is no longer pending."""
        while self.pending:
            if self._lock.acquire(timeout=1.0):
                self._lock.release()  # others may wait too


def run_parts(function: Callable[[int, int], object], parts: int) -> None:
    """Call ``function(part, parts)`` for every part at once, each in a thread of its own.

    Threads are started anew each time (some 50 microseconds), so that nothing needs to survive a
    fork. Those that cannot be started reduce `parts`: no result depends on their number.

    This thread only waits: what a signal's handler raises in it is kept until all parts have
    ended, since none may miss at the barrier where they meet.
    """
    if parts == 1:
        function(0, 1)
        return
    claim, ended = allocate_lock(), Event()  # who takes the claim settles whether it is done
    errors: list[BaseException] = []

    def lead() -> None:
        try:
            if claim.acquire(blocking=False):
                _lead(function, parts)
        except BaseException as error:
            errors.append(error)
        finally:
            ended.set()

    try:
        start_new_thread(lead, ())
        ended.wait()
    except BaseException as error:
        if _is_refusal(error):
            function(0, 1)
            return
        if not claim.acquire(blocking=False):  # it has begun
            while ended.pending:
                try:
                    ended.wait()
                except BaseException:  # the first one is raised
                    pass
        raise
    if not ended.happened:
        raise RuntimeError(
            "a process that a signal's handler forks must leave what was being computed to its "
            "parent. Got back from the handler in the child. End the child there with os._exit."
        )
    if errors:
        raise errors[0]


def _is_refusal(error: BaseException) -> bool:
    """Whether the system gives no more threads; a handler's own error comes from another frame."""
    trace = error.__traceback__
    return isinstance(error, RuntimeError) and (trace is None or trace.tb_next is None)


def _lead(function: Callable[[int, int], object], parts: int) -> None:
    """Run part 0 here and the others in threads; return once all have ended."""
    gate, ends, count = Event(), list[Event](), 0
    errors: list[BaseException] = []

    def follow(part: int, end: Event) -> None:
        try:
            gate.wait()
            if count:  # else not all could be told how many they are
                function(part, count)
        except BaseException as error:
            errors.append(error)
        finally:
            end.set()

    try:
        for part in range(1, parts):
            end = Event()
            try:
                start_new_thread(follow, (part, end))
            except RuntimeError:  # the system gives no more threads
                break
            ends.append(end)
        count = len(ends) + 1
    finally:
        gate.set()
    try:
        function(0, count)
    finally:
        for end in ends:
            end.wait()
    if errors:
        raise errors[0]
