"""Where the time of a training step goes, operation by operation.

``python -m benchmarks.profile WORKLOAD`` runs the steps of an epoch as training does, in one
thread, with the clock read between operations; then whole steps with 1 thread and with all.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.machine import cpu_model, usable_threads
from benchmarks.peers.pellucid import Peer
from benchmarks.workloads import WORKLOADS, Workload

SECONDS = 2.0
"""For which each of the measurements goes on."""


def training_pass(workload: Workload, threads: int) -> Any:
    """The pass that a fit of the workload makes for each of its epochs, ready to run."""
    from pellucid.rows import Examples, Targets, as_rows
    from pellucid.training.loop import Trainer
    from pellucid.training.optimizers import Adam
    from pellucid.training.schedules import Constant
    from pellucid.training.settings import Settings

    x, y = workload.data()
    few = 8 * workload.batch  # enough that every class is among them
    network = Peer(workload, threads)._estimator(1).fit(x[:few], y[:few]).network_
    settings = Settings(
        "categorical_cross_entropy", Adam(), 1e-3, Constant(), 0.0, None, 1, workload.batch, 0,
        n_jobs=threads,
    )  # fmt: skip
    return Trainer(network, settings).training_pass(
        Examples(as_rows(x, network.dtype), Targets.of(y))
    )


def flops(name: str, a: Any, rows: int) -> int:
    """Floating-point operations of an operation's products, with its arguments `a`; else 0."""
    if name == "product":
        return 2 * (rows if a.height < 0 else a.height) * a.a_terms.size * a.width
    if name == "weight_gradient":
        return 2 * a.features.size * rows * a.width
    if name == "convolution_backward_input":
        return 2 * rows * a.windows.size * a.offsets.size * a.terms.size * a.width
    if name.startswith("convolution"):
        return 2 * rows * a.windows.size * a.terms.size * a.width
    if name == "long_product":
        steps_a, steps_b = rows * a.steps_of_a, rows * a.steps_of_b
        return 2 * (steps_a * a.a_wide * a.width_a + steps_b * a.b_wide * a.width_b)
    if name.endswith(("_forward", "_backward")) and hasattr(a, "steps"):
        gates = GATES[name.partition("_")[0]] * a.width
        if name.endswith("_forward"):
            return 2 * rows * a.steps * (a.inputs + a.width) * gates
        inputs = a.inputs if a.dx.shape[0] else 0
        return 2 * rows * (a.steps * inputs + (a.steps - 1) * a.width) * gates
    return 0


GATES = {"rnn": 1, "lstm": 4, "gru": 3}


def by_operation(program: Any, batch: int, steps: int, slices: int) -> list[float]:
    """Seconds a step that each operation takes in one thread, in place."""
    from pellucid.engine.catalogue import function

    table = program.table.reshape(-1, 4)  # address, record, flags of the group, where it ends
    calls = [function(int(row[0])) for row in table]
    spent, done = np.zeros(len(calls)), 0
    empty = min(_clock() for _ in range(1000))
    finish = perf_counter() + SECONDS
    while perf_counter() < finish:
        step = done % steps
        first = 0
        while first < len(table):
            end = int(table[first, 3])
            parts = max(1, slices) if program.operations[first].by_rows else 1
            for part in range(parts):
                for k in range(first, end):
                    begin = perf_counter()
                    calls[k](part, parts, step, step * batch, batch, int(table[k, 1]))
                    spent[k] += perf_counter() - begin - empty
            first = end
        done += 1
    return list(spent / done)


def _clock() -> float:
    begin = perf_counter()
    return perf_counter() - begin


def whole_step(training: Any, threads: int) -> float:
    """Seconds of a step: the median of several runs over all steps."""
    program, rows = training.program, training.rows
    threads = min(threads, training.parts)
    times: list[float] = []
    finish = perf_counter() + SECONDS
    while perf_counter() < finish or len(times) < 3:
        begin = perf_counter()
        program.run(0, training.steps, training.batch, rows, threads)
        times.append((perf_counter() - begin) / training.steps)
    return float(np.median(times))


def shape(name: str, a: Any) -> str:
    """Of a product its sizes, else nothing."""
    if name == "product":
        return f"{'B' if a.height < 0 else a.height} x {a.a_terms.size} x {a.width}"
    return f"{a.features.size} x B x {a.width}" if name == "weight_gradient" else ""


def profile(workload: Workload, threads: int) -> dict[str, Any]:
    """What ``main`` prints, as plain values."""
    from pellucid.engine import measure_limit

    training = training_pass(workload, threads)
    training.reader.begin(training.order)
    program, batch = training.program, workload.batch
    training.reader.wait(0, training.rows)
    program.run(0, training.steps, batch, training.rows, 1)
    spent = by_operation(program, batch, training.steps, training.chain.slices)
    rows: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for one, seconds in zip(program.operations, spent, strict=True):
        entry = rows[f"{one.name} {shape(one.name, one.arguments)}".strip()]
        entry[0] += seconds
        entry[1] += flops(one.name, one.arguments, batch)
    return {
        "cpu": cpu_model(),
        "workload": workload.describe(),
        "limit_gflops": {str(n): measure_limit(n) for n in {1, threads}},
        "step_s": {str(n): whole_step(training, n) for n in {1, threads}},
        "step_flops": workload.flops / workload.steps,
        "operations": {name: {"seconds": s, "flops": f} for name, (s, f) in rows.items()},
    }


def table(found: dict[str, Any]) -> str:
    """An 80-column table of what :func:`profile` found."""
    limit = found["limit_gflops"]["1"]
    total = sum(one["seconds"] for one in found["operations"].values())
    lines = [
        found["cpu"], found["workload"], "",
        f"{'operation, one thread':<44}{'us/step':>9}{'share':>7}{'GFLOP/s':>9}{'limit':>7}",
    ]  # fmt: skip
    for name, one in found["operations"].items():
        speed = one["flops"] / max(one["seconds"], 1e-12) / 1e9
        fast = f"{speed:>9.0f}{speed / limit:>7.0%}" if one["flops"] else ""
        lines.append(
            f"{name[:43]:<44}{1e6 * one['seconds']:>9.1f}{one['seconds'] / total:>7.1%}{fast}"
        )
    lines.append(f"{'all operations':<44}{1e6 * total:>9.1f}")
    for threads, seconds in found["step_s"].items():
        speed = found["step_flops"] / seconds / 1e9
        share = speed / found["limit_gflops"][threads]
        name = f"whole step, {threads} thread{'s' if threads != '1' else ''}"
        lines.append(f"{name:<44}{1e6 * seconds:>9.1f}{'':>7}{speed:>9.0f}{share:>7.0%}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profile", description=__doc__)
    parser.add_argument("workload", choices=WORKLOADS)
    parser.add_argument("--threads", type=int, default=usable_threads())
    parser.add_argument("--json", action="store_true", help="plain values instead of a table")
    given = parser.parse_args()
    found = profile(WORKLOADS[given.workload], given.threads)
    print(json.dumps(found, indent=1) if given.json else table(found))


if __name__ == "__main__":
    main()
