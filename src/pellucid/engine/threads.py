"""How many threads there may be, and running one function on several of them."""

from __future__ import annotations

import ctypes
import os
import platform
import sys
import threading
from _thread import allocate_lock, start_new_thread
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar


@cache
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


def processors() -> int:
    """Those that this process may use, by its affinity and by a container's quota at first."""
    if hasattr(os, "sched_getaffinity"):
        allowed = len(os.sched_getaffinity(0))
    else:
        allowed = os.cpu_count() or 1
    return max(1, min(allowed, int(min(_cgroup_limit(), allowed) + 0.5)))


def available() -> int:
    """How many threads there are by default: one a processor, or ``OMP_NUM_THREADS`` if less.

    joblib sets that in its workers, so that together they have as many as there are processors.
    """
    named = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    most = int(named) if named.isdecimal() and int(named) > 0 else processors()
    return min(most, processors())


_FORKED = (
    "a process that a signal's handler forks must leave what was being computed to its parent. "
    "The handler returned in the child. End the child there with os._exit."
)
Result = TypeVar("Result")
Lock = TypeVar("Lock", bound=Any)


@cache
def yield_address() -> int:
    """The C function by which a waiting thread gives its turn away."""
    if sys.platform == "win32":
        function = ctypes.windll.kernel32.SwitchToThread
    else:
        function = ctypes.CDLL(None).sched_yield
    return ctypes.cast(function, ctypes.c_void_p).value or 0


@cache
def futex() -> tuple[int, int]:
    """The C function of system calls, and the number of that by which a thread sleeps on a word.

    Both 0 where there is none: threads then give their turn away until the word has changed.
    """
    number = {"x86_64": 202, "aarch64": 98}.get(platform.machine(), 0)
    if sys.platform != "linux" or not number or sys.maxsize < 2**32:
        return 0, 0
    return ctypes.cast(ctypes.CDLL(None).syscall, ctypes.c_void_p).value or 0, number


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
        if not self.happened:
            self.happened = True
            self._lock.release()

    def wait(self) -> None:
        """Return once it is no longer pending."""
        while self.pending:
            if self._lock.acquire(timeout=1.0):
                self._lock.release()  # others may wait too


def run_parts(
    function: Callable[[int, int], object],
    parts: int,
    give_up: Callable[[], None] = lambda: None,
) -> None:
    """Call ``function(part, parts)`` for every part at once, part 0 in this thread.

    Threads are started anew each time (some 50 microseconds), so that nothing needs to survive a
    fork. Those that cannot be started reduce `parts`: no result depends on their number.

    What a signal's handler raises in this thread is kept until all threads have ended. It cannot
    come inside of a `function` that is machine code. If it comes before, part 0 is missing, and
    `give_up` must let the others leave where they wait for it; if it comes after, all is done. In a
    process that a handler forks the others are missing, and `give_up` must let part 0 leave.
    """
    if parts == 1:
        function(0, 1)
        return
    run = object()
    _running[run] = give_up  # first: a gate from before a fork is of no use in the child
    gate, ends, count = Event(), list[Event](), 0
    owners: dict[int, str] = {}  # who settles whether a part is run: the first to say so
    errors: list[BaseException] = []

    def follow(part: int, end: Event) -> None:
        try:
            gate.wait()
            known = count  # once: `leave` may set it to 0 meanwhile
            if known and owners.setdefault(part, "thread") == "thread":
                function(part, known)
        except BaseException as error:
            errors.append(error)
        finally:
            end.set()

    def leave() -> None:
        nonlocal count
        count = 0
        give_up()
        gate.set()
        for part, end in enumerate(ends, start=1):
            if owners.setdefault(part, "caller") == "thread":
                end.wait()

    try:
        for part in range(1, parts):
            ends.append(Event())
            try:
                start_new_thread(follow, (part, ends[-1]))
            except RuntimeError as error:
                if not _is_refusal(error):
                    raise
                ends.pop()
                break
        count = len(ends) + 1
        gate.set()
        function(0, count)
        for end in ends:
            end.wait()
    except BaseException:
        while True:
            try:
                leave()
                break
            except BaseException:  # the first one is raised
                pass
        _running.pop(run, None)
        raise
    if _running.pop(run, None) is None:
        raise RuntimeError(_FORKED)
    if errors:
        raise errors[0]


def call_apart(call: Callable[[], Result]) -> Result:
    """What ``call()`` returns, made in a thread of its own where this is the main thread.

    What a signal's handler raises there is kept until the call has ended. Inside of the call it
    could be lost: in what a library calls back, or when objects are destroyed, Python drops it.
    """
    if threading.current_thread() is not threading.main_thread():
        return call()
    ended, results, errors = Event(), list[Result](), list[BaseException]()
    owners: dict[str, str] = {}

    def work() -> None:
        try:
            if owners.setdefault("call", "thread") == "thread":
                results.append(call())
        except BaseException as error:
            errors.append(error)
        finally:
            ended.set()

    try:
        start_new_thread(work, ())
        ended.wait()
    except BaseException as error:
        if isinstance(error, RuntimeError) and _is_refusal(error):
            return call()
        while owners.setdefault("call", "caller") == "thread" and ended.pending:
            try:
                ended.wait()
            except BaseException:  # the first one is raised
                pass
        raise
    if errors:
        raise errors[0]
    if not results:
        raise RuntimeError(_FORKED)
    return results[0]


def held_across_forks(lock: Lock) -> Lock:
    """`lock`, an RLock: a fork waits until it is free, so that a child finds it so."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(
            before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release
        )
    return lock


_running: dict[object, Callable[[], None]] = {}  # what gives up each run of parts


def _give_up_in_child() -> None:
    """A fork takes one thread along: its run of parts, if it is in one, is short of the others."""
    for give_up in _running.values():
        give_up()
    _running.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_give_up_in_child)


def _is_refusal(error: RuntimeError) -> bool:
    """Whether the system gives no more threads, and it is no handler's own error."""
    return "new thread" in str(error)  # "can't start new thread", and what it says at exit
