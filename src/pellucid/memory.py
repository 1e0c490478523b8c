"""What is asked for, held against the memory that there is, before it is allocated.

Linux hands out more than it has, and ends the process when it is used.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.checks import size_text

_SMALL = 64 << 20  # bytes that any machine has
_MOST = 1 << 47  # bytes that a process can name


def check_memory(what: str, numbers: int, dtype: Any, way_out: str) -> None:
    """Refuse `what`, an array or several of so many `numbers`, where it needs more than there is.

    Raises
    ------
    MemoryError
        One sentence with what it needs, what there is, and the way out.
    """
    needed = numbers * np.dtype(dtype).itemsize
    if needed <= _SMALL:
        return
    limit = memory_limit()
    if needed > limit:
        raise MemoryError(
            f"{what} must fit into the memory of {size_text(int(limit))} that there is. Got "
            f"{size_text(needed)}. {way_out}"
        )


def memory_limit() -> float:
    """The bytes that this process may have at most: of the machine, a container, or a limit."""
    limits = [_MOST]
    try:
        limits.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, ValueError, OSError):  # a system that does not tell
        pass
    for name in ("memory.max", "memory/memory.limit_in_bytes"):  # cgroup v2 and v1
        try:
            limits.append(int((Path("/sys/fs/cgroup") / name).read_text()))
        except (OSError, ValueError):  # no container, or one without a limit: "max"
            pass
    try:
        import resource
    except ImportError:  # Windows
        return float(min(limits))
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    if soft != resource.RLIM_INFINITY:
        limits.append(soft - _address_space())
    return float(min(limits))


def _address_space() -> int:
    """The bytes that this process has already: such a limit counts them too."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0


def resident_memory() -> int:
    """The bytes of memory that this process takes now; 0 where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        pass
    try:  # at most so many, ever: in bytes on macOS
        import resource
    except ImportError:  # Windows
        return 0
    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
