"""One library on one workload, in a process of its own: check a step, warm up, time, print JSON.

``python -m benchmarks.worker torch_eager fcnn-small`` also serves to try one library by hand.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import warnings
from statistics import median
from time import perf_counter
from typing import Any

from benchmarks import peers
from benchmarks.check import WrongStepError, check_step
from benchmarks.machine import peak_memory_mib, pin, usable_threads
from benchmarks.workloads import WORKLOADS, Workload


def check(peer: peers.PeerProtocol, workload: Workload) -> float:
    """The largest error of the library's step on the first batch; see `check_step`."""
    x, y = workload.data()
    x, y = x[: workload.batch], y[: workload.batch]
    lengths = None if workload.lengths is None else workload.lengths[: workload.batch]
    layers = workload.first_layers()
    loss, gradients = peer.step(layers, x, y)
    return check_step(loss, gradients, layers, x, y, lengths)


def fastest_setting(peer: peers.PeerProtocol, workload: Workload) -> str:
    """Each setting warmed up for an epoch and then tried for four."""
    x, y = workload.data()
    trials = {}
    for setting in peer.settings:
        peer.prepare(setting, x, y)
        peer.train(1)
        trials[setting] = min(peer.train(4).seconds)
    return min(trials, key=lambda setting: trials[setting])


def time_epochs(
    peer: peers.PeerProtocol, workload: Workload, setting: str, seconds: float
) -> dict[str, Any]:
    """Warm up (compile), then train for about `seconds`, three epochs at the least."""
    peer.prepare(setting, *workload.data())
    peer.train(1)
    epochs = max(3, math.ceil(seconds / median(peer.train(2).seconds)))
    start = perf_counter()
    training = peer.train(epochs)
    whole = perf_counter() - start
    # A loss at or above that of guessing means that what was timed is not training.
    if not training.loss < math.log(workload.classes):
        raise WrongStepError(f"after {epochs} epochs the loss is {training.loss:.3f}: no learning")
    return {
        "epochs": epochs,
        "median_s": median(training.seconds),
        "min_s": min(training.seconds),
        "whole_call_s_per_epoch": whole / epochs,
        "last_loss": training.loss,
    }


def work(
    name: str, workload: Workload, threads: int, seconds: float, setting: str | None
) -> dict[str, Any]:
    """Everything above for one library; the outcome is in ``status``."""
    try:
        kind = peers.load(name)
    except ImportError as error:
        return {"status": "not installed", "why": str(error)}
    try:
        peer = kind(workload, threads)
    except NotImplementedError as error:
        return {"status": "not offered", "why": str(error)}
    try:
        step_error = check(peer, workload)
        setting = setting or fastest_setting(peer, workload)
        times = time_epochs(peer, workload, setting, seconds)
    except WrongStepError as fault:
        return {"status": "refused", "why": str(fault), "version": peer.version}
    return {
        "status": "timed",
        "version": peer.version,
        "setting": setting,
        "step_error": step_error,
        **times,
        "peak_memory_mib": peak_memory_mib(),
        "load": os.getloadavg()[0],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("library", choices=peers.PEERS)
    parser.add_argument("workload", choices=WORKLOADS)
    parser.add_argument("--threads", type=int, default=usable_threads())
    parser.add_argument("--seconds", type=float, default=2.0, help="to time for")
    parser.add_argument("--setting", help="one of the library's own; the fastest if left out")
    given = parser.parse_args()
    warnings.simplefilter("ignore")  # scikit-learn's "not converged" is no news here
    workload = WORKLOADS[given.workload]
    pin(given.threads)
    print(json.dumps(work(given.library, workload, given.threads, given.seconds, given.setting)))


if __name__ == "__main__":
    main()
