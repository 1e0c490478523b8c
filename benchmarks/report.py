"""From the rounds' raw numbers to a table of 100 columns."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median
from typing import Any

from benchmarks.workloads import Workload

OURS = "pellucid"


def summarise(
    workload: Workload, rounds: list[dict[str, Any]], limit: float
) -> dict[str, dict[str, Any]]:
    """One entry a library: the median over rounds, and the ratio to pellucid paired by round."""
    summary: dict[str, dict[str, Any]] = {}
    for name in dict.fromkeys(name for each in rounds for name in each):
        runs = [each.get(name, {}) for each in rounds]
        timed = [run for run in runs if run.get("status") == "timed"]
        if not timed:
            summary[name] = runs[0]
            continue
        seconds = median(run["median_s"] for run in timed)
        ratios = [
            each[name]["median_s"] / each[OURS]["median_s"]
            for each in rounds
            if all(each.get(who, {}).get("status") == "timed" for who in (name, OURS))
        ]
        summary[name] = {
            "status": "timed",
            "version": timed[0]["version"],
            "setting": min(timed, key=lambda run: run["median_s"])["setting"],
            "step_error": max(run["step_error"] for run in timed),
            "ms_per_epoch": 1e3 * seconds,
            "best_ms_per_epoch": 1e3 * min(run["min_s"] for run in timed),
            "fit_ms_per_epoch": 1e3 * median(run["whole_call_s_per_epoch"] for run in timed),
            "gflops": workload.flops / seconds / 1e9,
            "share_of_limit": workload.flops / seconds / 1e9 / limit if limit else None,
            "time_over_pellucid": median(ratios) if ratios else None,
            "time_over_pellucid_by_round": ratios,
            "peak_memory_mib": max(run["peak_memory_mib"] for run in timed),
        }
    return summary


def _workload_lines(description: str, summary: dict[str, dict[str, Any]]) -> Iterator[str]:
    yield description
    yield (
        f"{'library':<14}{'setting':<29}{'ms/epoch':>9}{'best':>9}{'fit ms/epoch':>13}"
        f"{'GFLOP/s':>8}{'limit':>6}{'x ours':>7}{'MiB':>5}"
    )
    for name, row in summary.items():
        if row["status"] != "timed":
            continue
        share, ratio = row["share_of_limit"], row["time_over_pellucid"]
        yield (
            f"{name:<14}{row['setting'][:28]:<29}{row['ms_per_epoch']:>9.2f}"
            f"{row['best_ms_per_epoch']:>9.2f}{row['fit_ms_per_epoch']:>13.2f}"
            f"{row['gflops']:>8.1f}{'-' if share is None else f'{share:.0%}':>6}"
            f"{'-' if ratio is None else f'{ratio:.2f}':>7}{row['peak_memory_mib']:>5.0f}"
        )
    for name, row in summary.items():
        if row["status"] != "timed":
            yield f"{name:<14}left out, {row['status']}: {row['why']}"[:100]


def _product_lines(found: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    ours, theirs = found[OURS], found["torch_eager"]
    yield "a convolution's products alone, GFLOP/s of the best of a round, median of the rounds"
    yield f"{'convolution 3x3':<30}{'product':<16}{OURS:>9}{'PyTorch':>9}{'x PyTorch':>11}"
    for case in ours[0]:
        for product in ours[0][case]:
            pairs = [
                (a[case][product], b[case][product])
                for a, b in zip(ours, theirs, strict=True)
                if a and b
            ]
            if pairs:
                a, b = (median(each) for each in zip(*pairs, strict=True))
                ratio = median(a / b for a, b in pairs)
                yield f"{case:<30}{product:<16}{a:>9.0f}{b:>9.0f}{ratio:>11.2f}"


def _start_lines(start: dict[str, Any]) -> Iterator[str]:
    yield "start (whole processes)"
    for name, part in start.items():
        if "failed" in part:
            yield f"{name} failed: {part['failed']}"[:80]
        elif name == "import":
            yield (
                f"import pellucid {part['pellucid_s']:.2f} s, sklearn {part['sklearn_s']:.2f} s, "
                f"beyond it {part['beyond_sklearn_s']:.2f} s"
            )
        elif name == "cold_start":
            first, second = part["first_fit"], part["second_fit"]
            yield (
                f"first fit {first['seconds']:.1f} s ({first['peak_memory_mib']:.0f} MiB), "
                f"second {second['seconds']:.1f} s ({second['peak_memory_mib']:.0f} MiB)"
            )
        else:
            yield f"demo's fit {part['seconds']:.1f} s ({part['peak_memory_mib']:.0f} MiB)"


def table(results: dict[str, Any]) -> str:
    """The whole result, to be read in a terminal."""
    machine, limit = results["machine"], results["limit_gflops"]
    found = ", ".join(f"{name} {value:.0f}" for name, value in limit["by"].items())
    quick = ", quick" if results["quick"] else ""
    lines = [
        f"{machine['cpu']}, {machine['vectors']}, threads: {machine['threads']}, "
        f"load {machine['load_at_start']:.1f} at the start{quick}",
        f"limit {limit['best']:.0f} GFLOP/s in float32 (best of {found})",
    ]
    for each in results["workloads"].values():
        lines += ["", *_workload_lines(each["description"], each["summary"])]
    if any(map(any, results["products_gflops"].values())):
        lines += ["", *_product_lines(results["products_gflops"])]
    if results["start"]:
        lines += ["", *_start_lines(results["start"])]
    return "\n".join(lines)
