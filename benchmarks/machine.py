"""The machine: what it is, how many threads may be used, and how fast it can multiply at all.

``python -m benchmarks.machine`` prints it.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import math
import os
import platform
import re
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

SIDE = 1024
"""Side of the square matrices multiplied to find the limit."""

PACKAGES = (
    "pellucid",
    "numpy",
    "numba",
    "llvmlite",
    "scikit-learn",
    "torch",
    "keras",
    "jax",
    "jaxlib",
    "onnxruntime",
    "pandas",
)


def usable_threads() -> int:
    """CPUs this process may use, by affinity and by the cgroup's quota."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
    except (OSError, ValueError):
        return count or 1
    return count or 1 if quota == "max" else max(1, min(count or 1, int(quota) // int(period)))


def pin(threads: int) -> None:
    """Keep this process and those it starts on so many of its CPUs, where the system can.

    XLA takes as many threads as there are CPUs, and no argument. The last CPUs are kept: the
    first has most of the system's interrupts to serve.
    """
    if threads < usable_threads() and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-threads:])


def cpu_model() -> str:
    """The processor's name as the system gives it."""
    try:
        found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    except OSError:
        found = None
    return found.group(1).strip() if found else platform.processor() or platform.machine()


def cpu_slug() -> str:
    """The processor's name for the name of a file."""
    return re.sub(r"[^a-z0-9]+", "-", cpu_model().lower()).strip("-")


def vector_width() -> str:
    """The widest of the SIMD extensions that matter here."""
    try:
        flags = Path("/proc/cpuinfo").read_text().split()
    except OSError:
        return "unknown"
    names = {"avx512f": "AVX-512", "avx2": "AVX2", "avx": "AVX", "asimd": "NEON"}
    return next((name for flag, name in names.items() if flag in flags), "unknown")


def versions() -> dict[str, str]:
    """Versions of the packages that are installed, and of Python."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def describe(threads: int) -> dict[str, Any]:
    """All that a reader needs to judge the numbers by."""
    return {
        "cpu": cpu_model(),
        "vectors": vector_width(),
        "threads": threads,
        "system": platform.platform(),
        "versions": versions(),
        "load_at_start": os.getloadavg()[0],
    }


def peak_memory_mib() -> float:
    """Most memory this process has had resident.

    From ``VmHWM`` where there is one: ``ru_maxrss`` also remembers the process that started this.
    """
    try:
        found = re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())
    except OSError:
        found = None
    if found:
        return int(found.group(1)) / 1024
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def _best_gflops(multiply: Callable[[], object], seconds: float) -> float:
    """Speed of the fastest of the calls made within `seconds`."""
    best, deadline = math.inf, perf_counter() + seconds
    multiply()
    while perf_counter() < deadline:
        start = perf_counter()
        multiply()
        best = min(best, perf_counter() - start)
    return 2 * SIDE**3 / best / 1e9


def _tile(threads: int, seconds: float) -> float:
    from pellucid.engine import measure_limit

    return float(measure_limit(threads))


def _xla(threads: int, seconds: float) -> float:
    os.environ["JAX_PLATFORMS"] = "cpu"
    import jax

    a = jax.numpy.asarray(_matrix())
    product = jax.jit(jax.numpy.matmul)
    return _best_gflops(lambda: product(a, a).block_until_ready(), seconds)


def _torch(threads: int, seconds: float) -> float:
    import torch

    torch.set_num_threads(threads)
    a = torch.from_numpy(_matrix())
    return _best_gflops(lambda: a @ a, seconds)


def _numpy(threads: int, seconds: float) -> float:
    a = _matrix()
    return _best_gflops(lambda: a @ a, seconds)


def _matrix() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((SIDE, SIDE), dtype=np.float32)


LIMITS = {"pellucid tile": _tile, "XLA": _xla, "PyTorch": _torch, "NumPy": _numpy}
"""Ways to multiply. The limit is the best of them, so that no library can be above it by design."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--limit", choices=LIMITS, help="measure one way only; null if missing")
    parser.add_argument("--threads", type=int, default=usable_threads())
    parser.add_argument("--seconds", type=float, default=0.5)
    given = parser.parse_args()
    if given.limit is None:
        print(json.dumps(describe(given.threads), indent=2))
        return
    try:
        print(json.dumps(LIMITS[given.limit](given.threads, given.seconds)))
    except ImportError:
        print("null")


if __name__ == "__main__":
    main()
