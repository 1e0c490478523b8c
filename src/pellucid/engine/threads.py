"""How many threads there may be, and running one function on several of them."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any


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


def run_parts(function: Callable[[int, int], object], parts: int) -> None:
    """Call ``function(part, parts)`` for every part at once, part 0 in this thread.

    Threads are started anew each time (some 50 microseconds), so that nothing needs to survive a
    fork. Those that cannot be started reduce `parts`: no result depends on their number.
    """
    if parts == 1:
        function(0, 1)
        return
    gate = threading.Event()
    started: list[threading.Thread] = []

    def work(part: int) -> None:
        gate.wait()
        function(part, len(started) + 1)

    with _interrupts_later():
        try:
            for part in range(1, parts):
                thread = threading.Thread(target=work, args=(part,), name=f"pellucid-{part}")
                thread.start()
                started.append(thread)
        except RuntimeError:  # the system gives no more threads
            pass
        gate.set()
        function(0, len(started) + 1)
        for thread in started:
            thread.join()


@contextmanager
def _interrupts_later() -> Iterator[None]:
    """Ctrl-C comes after the block: inside, it would leave threads waiting for this one."""
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield
        return
    seen: list[Any] = []
    signal.signal(signal.SIGINT, lambda number, frame: seen.append(frame))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
    if seen:
        handler(signal.SIGINT, seen[0])
