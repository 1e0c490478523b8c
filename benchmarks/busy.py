"""Training beside other work: rows a second with one thread and by default, on a busy machine.

``python -m benchmarks.busy`` starts processes that compute, for a bounded time, and fits a network
of 75 columns beside none, one, two and four of them; a second table has the same fit in a search
with two workers, and in several processes at once.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.machine import cpu_model, usable_threads

ROOT = Path(__file__).resolve().parent.parent
LOADS = (0, 1, 2, 4)
MOST_SECONDS = 600
"""After which a process that computes ends by itself, whatever happens to this one."""

COMPUTE = f"""
import os, time
parent, end = os.getppid(), time.monotonic() + {MOST_SECONDS}
while time.monotonic() < end and os.getppid() == parent:
    sum(number * number for number in range(100_000))
"""

FIT = """
import sys, time
import numpy as np
from pellucid import FCNNClassifier
random = np.random.default_rng(0)
x = random.standard_normal((20_000, 75), dtype=np.float32)
y = x @ random.standard_normal(75) + random.standard_normal(20_000) > 0
jobs = int(sys.argv[1]) or None
wide = dict(hidden_dim=(512, 256), batch_size=128) if len(sys.argv) > 3 else {}
make = lambda epochs: FCNNClassifier(
    max_epochs=epochs, early_stopping=False, n_jobs=jobs, random_state=0, verbose=0, **wide
)
make(1).fit(x, y)
begin = time.perf_counter()
make(int(sys.argv[2])).fit(x, y)
print(20_000 * int(sys.argv[2]) / (time.perf_counter() - begin))
"""

SEARCH = """
import sys, time
import numpy as np
from sklearn.model_selection import cross_val_score
from pellucid import FCNNClassifier
random = np.random.default_rng(0)
x = random.standard_normal((20_000, 75), dtype=np.float32)
y = x @ random.standard_normal(75) + random.standard_normal(20_000) > 0
jobs = int(sys.argv[1]) or None
model = FCNNClassifier(
    max_epochs=int(sys.argv[2]), early_stopping=False, n_jobs=jobs, random_state=0
)
cross_val_score(model, x[:2_000], y[:2_000], cv=2, n_jobs=2)
begin = time.perf_counter()
cross_val_score(model, x, y, cv=4, n_jobs=2)
print(4 * 15_000 * int(sys.argv[2]) / (time.perf_counter() - begin))
"""


@contextmanager
def load(count: int) -> Iterator[None]:
    """Within it `count` processes compute beside this one."""
    processes = [subprocess.Popen([sys.executable, "-c", COMPUTE]) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def rows_a_second(script: str, jobs: int, epochs: int, together: int, options: list[str]) -> float:
    """What `script` prints, run in so many processes at once; their sum."""
    command = [sys.executable, "-c", script, str(jobs), str(epochs), *options]
    processes = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for _ in range(together)
    ]
    outputs = [process.communicate(timeout=MOST_SECONDS)[0] for process in processes]
    return sum(float(output) for output in outputs)


def compare(
    script: str, rounds: int, epochs: int, *options: str, together: int = 1
) -> dict[str, Any]:
    """One thread and the default, in turn; the median of each and of their ratios by round."""
    pairs = [
        tuple(rows_a_second(script, jobs, epochs, together, [*options]) for jobs in (1, 0))
        for _ in range(rounds)
    ]
    return {
        "one_thread": median(one for one, _ in pairs),
        "default": median(default for _, default in pairs),
        "ratio": median(default / one for one, default in pairs),
        "ratios": [default / one for one, default in pairs],
    }


def measure(rounds: int, epochs: int) -> dict[str, Any]:
    """All that :func:`table` shows."""
    found: dict[str, Any] = {}
    for count in LOADS:
        with load(count):
            found[f"{count} processes compute beside it"] = compare(FIT, rounds, epochs)
            found[f"{count}, a wide network"] = compare(FIT, rounds, max(1, epochs // 4), "wide")
    found["a search of 4 fits with 2 workers"] = compare(SEARCH, rounds, max(1, epochs // 4))
    found["4 fits at once"] = compare(FIT, rounds, max(1, epochs // 4), together=4)
    return {"cpu": cpu_model(), "threads": usable_threads(), "rows_a_second": found}


def table(results: dict[str, Any]) -> str:
    """An 80-column table of what :func:`measure` found."""
    lines = [
        f"{results['cpu']}, {results['threads']} threads; rows a second",
        f"{'':<40}{'n_jobs=1':>12}{'default':>12}{'ratio':>8}",
    ]
    for name, row in results["rows_a_second"].items():
        lines.append(f"{name:<40}{row['one_thread']:>12,.0f}{row['default']:>12,.0f}")
        lines[-1] += f"{row['ratio']:>8.2f}"
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.busy", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=40, help="of a fit")
    parser.add_argument("--output", type=Path, help="a JSON file for all numbers")
    given = parser.parse_args()
    results = measure(given.rounds, given.epochs)
    results["load_at_start"] = os.getloadavg()[0]
    print(table(results))
    if given.output is not None:
        given.output.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
