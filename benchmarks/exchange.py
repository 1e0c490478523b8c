"""What Dask costs: of a task, of a byte, of a round trip, measured on a cluster of processes here.

``python -m benchmarks.exchange`` prints JSON: costs in seconds of a processor, which
:mod:`benchmarks.cluster` reckons with, and whole runs by the clock, which it must reproduce. A run
is many tasks, each of which gets an array, takes its time, and gives an array of that size back: a
step of a fit over several machines, whose array are the weights, or the fits of a search. The time
is slept, so that more workers than this machine has processors have one each, as machines of their
own would. In some runs a worker is killed. Others are steps of fits, which compute.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np

from benchmarks import machine
from benchmarks.run import say

WORKERS = (1, 2, 4)
SIZES = (20_000, 1_000_000)  # bytes of the weights: 5,000 and 250,000 numbers of float32
Kind = dict[str, Any]
STEPS: list[Kind] = [  # tasks of each worker: in a step it has one
    {"tasks": 1, "bytes": size, "compute": compute}
    for size in SIZES
    for compute in (0.0, 0.005, 0.02, 0.1)  # seconds of a task
]
SEARCHES: list[Kind] = [
    {"tasks": 8, "bytes": 1000, "compute": 0.02},
    {"tasks": 8, "bytes": 1000, "compute": 0.1},
    {"tasks": 4, "bytes": 1000, "compute": 0.5},
]
KILLED: Kind = {"tasks": 4, "bytes": 1000, "compute": 0.5, "killed_after": 0.7}
FEW, MANY = 1000, 1_000_000  # bytes that cost next to nothing, and that cost something
WIDTHS, FIT_WORKERS = (256, 1024), (1, 2)  # of the fits; a narrow one tells what a step costs
NARROW, COLUMNS, BATCH, SHARDS, STEPS_OF_FIT, EPOCHS = 8, 339, 4096, 4, 4, 6
SOME = 0.005  # seconds of computing
TASKS = 32  # of which the mean counts
INTERVAL = 0.002  # seconds from one message of a Dask worker to the next: what ends sooner waits
SECONDS = 1.0  # of a timing
MEASURED = ("compute", "seconds")  # of a run
MOST = 500  # runs of a timing
WAIT = "20s"  # for a worker or a task, at most
TRIES = 5


def task(array: np.ndarray, seconds: float, number: int) -> np.ndarray:
    """Take so many seconds, and give as much back as came."""
    time.sleep(seconds)
    return array


@contextmanager
def cluster(workers: int) -> Iterator[Any]:
    """The client of so many processes with one thread each; its messages go out as in a fit."""
    from distributed import Client, LocalCluster

    from pellucid.distributed import SOON

    with (
        LocalCluster(
            n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=":0"
        ) as local,
        Client(local) as client,
    ):
        client.wait_for_workers(workers, timeout=WAIT)
        client.scheduler_comm.interval = SOON
        run(client, np.zeros(1), 0.0, 2 * workers)
        yield client


def run(client: Any, array: np.ndarray, seconds: float, tasks: int) -> None:
    """So many tasks out, so many arrays back, each as soon as it is there."""
    from distributed import as_completed

    futures = client.map(task, [array] * tasks, [seconds] * tasks, range(tasks), pure=False)
    for future, _ in as_completed(futures, with_results=True, timeout=WAIT):
        future.release()


def kill_one(client: Any, after: float) -> None:
    """End one of the workers in so many seconds, as a machine that goes away does."""
    pids = sorted(client.run(os.getpid).values())
    threading.Timer(after, os.kill, (pids[0], signal.SIGKILL)).start()


def timed(call: Callable[[], None], seconds: float) -> float:
    """The median seconds of many calls."""
    times, end = [], time.perf_counter() + seconds
    while not times or (time.perf_counter() < end and len(times) < MOST):
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return float(np.median(times))


def processor_seconds(client: Any, size: int) -> tuple[float, float]:
    """Seconds of a processor of a task: here, where the scheduler is too, and in the workers."""
    array = np.zeros(size, np.uint8)

    def now() -> np.ndarray:
        return np.array([time.process_time(), sum(client.run(time.process_time).values())])

    spent = []
    for _ in range(20):
        before = now()
        run(client, array, 0.0, TASKS)
        spent.append((now() - before) / TASKS)
    here, there = np.median(spent, axis=0)
    return float(here), float(there)


def costs(client: Any) -> Kind:
    """What a task, a byte and a round trip cost, with as many workers as there are processors."""
    few = np.zeros(FEW, np.uint8)
    some = timed(lambda: run(client, few, SOME, 1), 4 * SECONDS)
    (here, there), (here_many, there_many) = (processor_seconds(client, b) for b in (FEW, MANY))
    return {
        "client_task": here,
        "worker_task": there,
        "client_byte": max(0.0, here_many - here) / (MANY - FEW),
        "worker_byte": max(0.0, there_many - there) / (MANY - FEW),
        "latency": max(0.0, some - SOME - here - there),
        "for_nothing": INTERVAL,
    }


def restart() -> float:
    """Seconds until the only worker, which is killed now, is back and has computed something."""

    def call(client: Any) -> float:
        kill_one(client, 0.0)
        begin = time.perf_counter()
        client.submit(task, np.zeros(1), 0.0, 0, pure=False).result(timeout=WAIT)
        return time.perf_counter() - begin

    return where_one_is_killed(1, call)


def step_of_fit(width: int, client: Any = None) -> tuple[float, int]:
    """Seconds of a step on all workers with a thread each, or here with one; and parameters."""
    from pellucid import FCNNRegressor, distributed

    random = np.random.default_rng(0)
    x = random.standard_normal((STEPS_OF_FIT * BATCH, COLUMNS), dtype=np.float32)
    model = FCNNRegressor(
        (width, width), batch_size=BATCH, max_epochs=EPOCHS, n_jobs=1, random_state=0, verbose=0
    )
    model = distributed.fit(model, x, x[:, 0], client=client, shards=SHARDS)
    parameters = sum(each.size for each in model.network_.parameters().values())
    return float(np.median(model.history_["seconds"])) / STEPS_OF_FIT, parameters


def fit_point(client: Any, workers: int, width: int) -> Kind:
    """A step of a fit by the clock, with what it takes here."""
    alone, parameters = step_of_fit(width)
    seconds, _ = step_of_fit(width, client)
    return {
        "workers": workers,
        "width": width,
        "tasks": workers,
        "rows": BATCH // workers * 4 * (COLUMNS + 2),
        "weights": 4 * parameters,
        "compute": alone / workers,
        "seconds": seconds,
    }


def where_one_is_killed(workers: int, call: Callable[[Any], Any]) -> Any:
    """What `call` gives of a cluster of its own, in which it kills a worker.

    Now and then a worker does not come back, and does so in another cluster.
    """
    for _ in range(TRIES):
        with suppress(TimeoutError), cluster(workers) as client:
            return call(client)
    raise TimeoutError(f"of {TRIES} workers that were killed none came back within {WAIT}.")


def point(client: Any, workers: int, kind: Kind, seconds: float) -> Kind:
    """A kind of run by the clock."""
    array, tasks = np.zeros(kind["bytes"], np.uint8), workers * kind["tasks"]

    def call() -> None:
        if "killed_after" in kind:
            kill_one(client, kind["killed_after"])
        run(client, array, kind["compute"], tasks)

    return {"workers": workers, **kind, "tasks": tasks, "seconds": timed(call, seconds)}


def measure(rounds: int, seconds: float) -> dict[str, Any]:
    """The costs, and all runs; of several rounds the median of each."""
    processors = max(count for count in WORKERS if count <= machine.usable_threads())
    measured: list[Kind] = []
    narrow: list[Kind] = []
    points: list[list[Kind]] = []
    for turn in range(rounds):
        say(f"round {turn + 1} of {rounds}")
        points.append([])
        for workers in WORKERS:
            with cluster(workers) as client:
                if workers == processors:
                    measured.append(costs(client) | {"restart": restart()})
                if workers == 1:
                    narrow.append(fit_point(client, 1, NARROW))
                kinds = STEPS + SEARCHES
                points[-1] += [point(client, workers, kind, seconds) for kind in kinds]
                if workers in FIT_WORKERS:
                    points[-1] += [fit_point(client, workers, width) for width in WIDTHS]
            points[-1].append(
                where_one_is_killed(workers, lambda client: point(client, workers, KILLED, 0.0))  # noqa: B023
            )
    return {
        "machine": machine.describe(machine.usable_threads()),
        "costs": middle(measured, measured[0]),
        "narrow": narrow[0] | middle(narrow, MEASURED),
        "points": [same[0] | middle(same, MEASURED) for same in zip(*points, strict=True)],
    }


def middle(same: Sequence[Kind], names: Iterable[str]) -> dict[str, float]:
    """Of the same in several rounds the medians."""
    return {name: float(np.median([one[name] for one in same])) for name in names}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.exchange", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of a timing")
    given = parser.parse_args()
    print(json.dumps(measure(given.rounds, given.seconds), indent=1))


if __name__ == "__main__":
    main()
