"""How long until something happens: import, first fit on a fresh machine, the demo's fit.

Whole processes, from start to exit, as a user waits for them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "examples" / "penguins.csv"

FIT = """
import numpy as np
from pellucid import FCNNClassifier
x = np.random.default_rng(0).standard_normal((500, 20), dtype=np.float32)
FCNNClassifier(max_epochs=2, random_state=0, verbose=0).fit(x, x[:, 0] > 0)
"""
"""A small fit in Python, so that what is timed is the start."""

DEMO = ["-m", "pellucid", "fit", str(TABLE), "--target", "species", "--output"]
"""The demo's fit on the command line; the model file's path follows."""


class Run(NamedTuple):
    """One process, start to exit."""

    seconds: float
    peak_memory_mib: float


class FailedRunError(Exception):
    """A timed process ended with an error; the text is its last line."""


def run(*arguments: str, cache: Path | None = None) -> Run:
    """Time ``python ARGUMENTS``; `cache` replaces pellucid's folder of compiled kernels."""
    environment = dict(os.environ)
    if cache is not None:
        environment["PELLUCID_CACHE_DIR"] = str(cache)
    with tempfile.TemporaryFile() as errors:
        start = perf_counter()
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            errors.seek(0)
            lines = errors.read().decode(errors="replace").strip().splitlines()
            raise FailedRunError(lines[-1] if lines else f"exit status {process.returncode}")
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return Run(seconds, usage.ru_maxrss / unit)


def import_time(pairs: int) -> dict[str, Any]:
    """`import pellucid` beyond `import sklearn`, in pairs so that a busy spell hits both."""
    ours, theirs = "import pellucid", "import sklearn"
    run("-c", ours), run("-c", theirs)  # reads the files into memory
    times = [(run("-c", ours).seconds, run("-c", theirs).seconds) for _ in range(pairs)]
    return {
        "pellucid_s": median(a for a, _ in times),
        "sklearn_s": median(b for _, b in times),
        "beyond_sklearn_s": median(a - b for a, b in times),
        "pairs": times,
    }


def cold_start() -> dict[str, Any]:
    """The same small fit twice: with an empty cache folder, then with what the first left there."""
    with tempfile.TemporaryDirectory() as folder:
        first, second = (run("-c", FIT, cache=Path(folder)) for _ in range(2))
    return {"first_fit": first._asdict(), "second_fit": second._asdict()}


def demo(runs: int) -> dict[str, Any]:
    """The demo's fit when the kernels have been compiled before."""
    with tempfile.TemporaryDirectory() as folder:
        model = str(Path(folder) / "penguins.safetensors")
        run(*DEMO, model)
        timed = [run(*DEMO, model) for _ in range(runs)]
    return {
        "seconds": median(each.seconds for each in timed),
        "peak_memory_mib": max(each.peak_memory_mib for each in timed),
        "runs": [each.seconds for each in timed],
    }


def measure(quick: bool) -> dict[str, Any]:
    """All three; where one fails, the reason stands in its place under ``"failed"``."""
    parts = {
        "import": lambda: import_time(3 if quick else 9),
        "cold_start": cold_start,
        "demo": lambda: demo(1 if quick else 5),
    }
    results: dict[str, Any] = {}
    for name, part in parts.items():
        try:
            results[name] = part()
        except FailedRunError as error:
            results[name] = {"failed": str(error)}
    return results
