"""The whole benchmark: every library in turn, each in a process of its own, several rounds."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import machine, peers, products, report, start
from benchmarks.workloads import WORKLOADS

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).resolve().parent / "results"
PARTS = ("products", "start")  # beside the workloads
PATIENCE = 600
"""Seconds after which a worker is given up."""


def say(text: str) -> None:
    """Progress, apart from the result on standard output."""
    print(text, file=sys.stderr, flush=True)


def child(module: str, *arguments: str, threads: int) -> Any:
    """The JSON on the last line that ``python -m MODULE`` prints; RuntimeError with its error."""
    environment = dict(os.environ)
    for library in ("OMP", "OPENBLAS", "MKL"):
        environment[f"{library}_NUM_THREADS"] = str(threads)
    command = [sys.executable, "-m", module, *arguments, "--threads", str(threads)]
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE
        )
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"no answer in {PATIENCE} s") from None
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise RuntimeError(lines[-1])
    return json.loads(done.stdout.strip().splitlines()[-1])


def one_worker(name: str, workload: str, seconds: float, threads: int) -> dict[str, Any]:
    """What `benchmarks.worker` found; a crash is a result too."""
    try:
        outcome: dict[str, Any] = child(
            "benchmarks.worker", name, workload, "--seconds", str(seconds), threads=threads
        )
    except RuntimeError as error:
        outcome = {"status": "failed", "why": str(error)}
    return outcome


def one_round(names: list[str], workload: str, seconds: float, threads: int) -> dict[str, Any]:
    """Each library once, one after the other."""
    results = {}
    for name in names:
        outcome = results[name] = one_worker(name, workload, seconds, threads)
        if outcome["status"] == "timed":
            say(f"  {name:<14}{1e3 * outcome['median_s']:10.2f} ms ({outcome['setting']})")
        else:
            say(f"  {name:<14}{outcome['status']}: {outcome['why']}")
    return results


def measure_limit(threads: int) -> dict[str, float]:
    """GFLOP/s of each way to multiply that is installed."""
    found = {}
    for way in machine.LIMITS:
        try:
            value = child("benchmarks.machine", "--limit", way, threads=threads)
        except RuntimeError as error:
            say(f"  {way}: {error}")
            continue
        if value is not None:
            found[way] = value
    return found


def run(
    names: list[str], workloads: list[str], rounds: int, seconds: float, threads: int
) -> tuple[dict[str, Any], dict[str, float]]:
    """All rounds of all workloads, and the machine's limit: the best seen in any round."""
    limit: dict[str, float] = {}
    raw: dict[str, list[dict[str, Any]]] = {name: [] for name in workloads}
    for turn in range(rounds):
        say(f"round {turn + 1} of {rounds}")
        for way, value in measure_limit(threads).items():
            limit[way] = max(value, limit.get(way, 0.0))
        for workload in workloads:
            say(f" {workload}")
            # What needs no second try (not installed, refused) gets none.
            alive = [
                name
                for name in names
                if not turn or raw[workload][0][name]["status"] in ("timed", "failed")
            ]
            raw[workload].append(one_round(alive, workload, seconds, threads))
    results = {
        name: {
            "description": WORKLOADS[name].describe(),
            "flops_per_epoch": WORKLOADS[name].flops,
            "summary": report.summarise(WORKLOADS[name], each, max(limit.values(), default=0.0)),
            "rounds": each,
        }
        for name, each in raw.items()
    }
    return results, limit


def run_products(rounds: int, threads: int) -> dict[str, list[dict[str, Any]]]:
    """What `benchmarks.products` found for each library, round by round."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in products.LIBRARIES}
    for _ in range(rounds):
        for name, each in found.items():
            try:
                each.append(child("benchmarks.products", name, threads=threads))
            except RuntimeError as error:
                say(f"  {name}: {error}")
                each.append({})
    return found


def result_path(whole: bool, threads: int | None) -> Path:
    """``DATE-CPU.json``; what is not the whole benchmark never replaces one that is.

    `threads` are given where they are fewer than all.
    """
    date = datetime.now(UTC).date().isoformat()
    few = f"-{threads}-thread{'s' if threads > 1 else ''}" if threads else ""
    return RESULTS / f"{date}-{machine.cpu_slug()}{few}{'' if whole else '-partial'}.json"


def _names(known: tuple[str, ...]) -> Any:
    def parse(text: str) -> list[str]:
        names = text.split(",")
        for name in names:
            if name not in known:
                raise argparse.ArgumentTypeError(f"unknown {name!r}. Known: {', '.join(known)}.")
        return names

    return parse


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    workloads = (*WORKLOADS, *PARTS)
    parser.add_argument("--quick", action="store_true", help="two short rounds: a rough idea")
    parser.add_argument(
        "--workload",
        type=_names(workloads),
        default=list(workloads),
        metavar="NAMES",
        help=f"some of {','.join(workloads)}",
    )
    parser.add_argument(
        "--only",
        type=_names(peers.PEERS),
        default=list(peers.PEERS),
        metavar="NAMES",
        help=f"some of {','.join(peers.PEERS)}",
    )
    parser.add_argument("--rounds", type=int, help="default 5, or 2 with --quick")
    parser.add_argument("--seconds", type=float, help="of a timing; default 2, or 0.5")
    parser.add_argument(
        "--threads",
        type=int,
        default=machine.usable_threads(),
        help="where fewer than all, every process is kept on as many CPUs",
    )
    parser.add_argument("--output", type=Path, help="the JSON file (default: under results/)")
    return parser.parse_args()


def main() -> int:
    given = arguments()
    rounds = given.rounds or (2 if given.quick else 5)
    seconds = given.seconds or (0.5 if given.quick else 2.0)
    whole = (
        not given.quick
        and set(given.only) == set(peers.PEERS)
        and set(given.workload) == {*WORKLOADS, *PARTS}
    )
    few = given.threads if given.threads != machine.usable_threads() else None
    machine.pin(given.threads)
    about = machine.describe(given.threads)
    workloads = [name for name in given.workload if name not in PARTS]
    timed, limit = run(given.only, workloads, rounds, seconds, given.threads)
    convolutions = {}
    if "products" in given.workload:
        say("products")
        convolutions = run_products(rounds, given.threads)
    if "start" in given.workload:
        say("start")
    results = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "quick": given.quick,
        "machine": about,
        "limit_gflops": {"best": max(limit.values(), default=0.0), "by": limit},
        "workloads": timed,
        "products_gflops": convolutions,
        "start": start.measure(given.quick) if "start" in given.workload else {},
    }
    print(report.table(results))
    path = given.output or result_path(whole, few)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    say(f"written: {path}")
    # Not installed is no fault; a wrong step or a crash is.
    outcomes = [row["status"] for each in timed.values() for row in each["summary"].values()]
    return 1 if {"refused", "failed"} & set(outcomes) else 0


if __name__ == "__main__":
    raise SystemExit(main())
