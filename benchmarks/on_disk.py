"""A table larger than memory: fit and predict within a limit, and memory drawn over time.

``python -m benchmarks.on_disk`` makes a table of 4 GB (:mod:`benchmarks.big_table`), fits a network
on it by ``pellucid.scan`` in a process that may have 1 GB of data (``RLIMIT_DATA``; and it is ended
where it and its children have more resident), looks at its memory five times a second, and fits a
sample in memory in a process of its own, before and after it, to compare rows a second with the
faster of both. Exit status 1 where the limit did not hold, or where it had less than half of the
sample's speed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks import big_table, machine, watching
from benchmarks.run import RESULTS, ROOT, say
from benchmarks.scaling import fill_in

PAGE, PICTURE = ROOT / "docs" / "scale.md", ROOT / "docs" / "images" / "on-disk.png"
MOST_LOOKS = 1000  # that are kept
LEAST_SPEED = 0.5  # of the sample's rows a second
BLOCK = 1 << 16  # rows predicted at once
PHASES = ("start", "passes", "epochs", "predict")


# -- one process ---------------------------------------------------------------------------------


def mark(event: str, **more: Any) -> None:
    """A line for the process that watches, with the time of the clock that both have."""
    times = {"at": time.monotonic(), "cpu": time.process_time()}
    print(json.dumps({"event": event, **times, **more}), flush=True)


class Begin:
    """A callback that marks the begin of the epochs."""

    def fit_begin(self, estimator: Any, rows: Any) -> None:
        mark("epochs")

    def __call__(self, estimator: Any, row: dict[str, Any]) -> None:
        """Nothing more to mark."""


def work(how: str, path: Path, given: argparse.Namespace) -> None:
    """Fit and predict, on disk or a sample in memory, and say when what was done."""
    import pellucid

    options = {
        "max_epochs": given.epochs,
        "n_jobs": given.threads,
        "random_state": 0,
        "verbose": 1,
    }
    warm_up(path, options)
    mark("fit")
    model = pellucid.FCNNRegressor(callbacks=Begin(), **options)
    if how == "disk":
        table = pellucid.scan(path, memory=given.memory, cache=given.cache)
        rows = big_table.about(path)["rows"]
        model.fit(table, target="y")
        frames: Any = table
    else:
        frame = sample(path, given.sample)
        rows = len(frame)
        model.fit(frame.drop(columns="y"), frame["y"])
        frames = (frame[first : first + BLOCK] for first in range(0, rows, BLOCK))
    mark("fitted", rows=rows, epochs=model.history_["seconds"], digest=model.digest_)
    r2 = score(model, frames)
    mark("predicted", r2=r2, peak_mib=machine.peak_memory_mib())


def warm_up(path: Path, options: dict[str, Any]) -> None:
    """Load libraries and kernels by a fit of few rows, which the clock does not count."""
    import pyarrow.parquet as pq

    import pellucid

    few = next(pq.ParquetFile(path).iter_batches(2000)).to_pandas()
    told = {**options, "max_epochs": 1, "verbose": 0}
    pellucid.FCNNRegressor(**told).fit(few.drop(columns="y"), few["y"])


def sample(path: Path, rows: int) -> Any:
    """The first rows of the table, as pandas has them."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    file, read = pq.ParquetFile(path), []
    for number in range(file.num_row_groups):
        read.append(file.read_row_group(number))
        if sum(len(part) for part in read) >= rows:
            break
    return pa.concat_tables(read)[:rows].to_pandas()


def score(model: Any, frames: Iterator[Any]) -> float:
    """R2 over all frames, one after the other."""
    rows, total, squares, errors = 0, 0.0, 0.0, 0.0
    for frame in frames:
        y = frame["y"].to_numpy()
        rows, total = rows + len(y), total + y.sum()
        squares += (y * y).sum()
        errors += ((model.predict(frame.drop(columns="y")) - y) ** 2).sum()
    return float(1 - errors / (squares - total**2 / rows))


# -- all of them ---------------------------------------------------------------------------------


def watched(how: str, path: Path, given: argparse.Namespace, limit: int | None) -> dict[str, Any]:
    """Run `work` in a process of its own, and what was seen of it."""
    say(f"fits {'all rows on disk' if how == 'disk' else 'a sample in memory'}")
    forget(path)
    command = [sys.executable, "-m", "benchmarks.on_disk", "--work", how, "--table", str(path)]
    for name in ("epochs", "sample", "memory", "cache", "threads"):
        if (value := getattr(given, name)) is not None:
            command += [f"--{name}", str(value)]
    environment = {f"{name}_NUM_THREADS": str(given.threads) for name in ("OMP", "OPENBLAS", "MKL")}
    # Arrow's own allocator reserves a GB at once, which counts as data though nothing is in it
    environment["ARROW_DEFAULT_MEMORY_POOL"] = "system"
    seen = watching.run(command, limit, environment)
    marks = [json.loads(line) for line in seen.output if line.startswith('{"event"')]
    for one in marks:
        one["at"] -= seen.begin
    found = {"failed": seen.failed, "marks": marks, "looks": seen.looks, "said": seen.errors}
    return found | summary(marks, seen.looks)


def forget(path: Path) -> None:
    """Have the system read the file from the disk again."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def summary(marks: list[dict[str, Any]], looks: list[watching.Look]) -> dict[str, Any]:
    """Seconds and memory by phase, and rows a second; nothing of a process that failed."""
    at = {one["event"]: one for one in marks}
    if "predicted" not in at:
        return {}
    ends = [at[name] for name in ("fit", "epochs", "fitted", "predicted")]
    phases, start = {}, {"at": 0.0, "cpu": 0.0}
    for name, end in zip(PHASES, ends, strict=True):
        within = [one for one in looks if start["at"] <= one.at < end["at"]]
        phases[name] = {
            "from": start["at"],
            "to": end["at"],
            "seconds": end["at"] - start["at"],
            "cpu_seconds": end["cpu"] - start["cpu"],
            "most_mib": max((one.resident for one in within), default=0.0),
            "anonymous_mib": max((one.anonymous for one in within), default=0.0),
            "read_mb": (within[-1].read - within[0].read) / 1e6 if within else 0.0,
            "written_mb": (within[-1].written - within[0].written) / 1e6 if within else 0.0,
        }
        start = end
    fitted = at["fitted"]
    rows, epochs = fitted["rows"], fitted["epochs"]
    seconds, cpu_seconds = (
        phases["passes"][unit] + phases["epochs"][unit] for unit in ("seconds", "cpu_seconds")
    )
    return {
        "rows": rows,
        "epochs": len(epochs),
        "seconds": seconds,
        "epoch_rows_per_second": rows / median(epochs),
        "passes_rows_per_second": rows / phases["passes"]["seconds"],
        "fit_rows_per_second": rows * len(epochs) / seconds,
        "fit_rows_per_cpu_second": rows * len(epochs) / cpu_seconds,
        "predict_rows_per_second": rows / phases["predict"]["seconds"],
        "most_mib": max(at["predicted"]["peak_mib"], max(one.resident for one in looks)),
        "anonymous_mib": max(one.anonymous for one in looks),
        "growth_mib": growth(looks, phases["epochs"]["from"], phases["epochs"]["to"]),
        "r2": at["predicted"]["r2"],
        "digest": fitted["digest"],
        "phases": phases,
    }


def thinned(looks: list[Any]) -> list[Any]:
    """At most so many of them as a picture can show: the one with most memory of each few."""
    few = -(-len(looks) // MOST_LOOKS)
    parts = (looks[first : first + few] for first in range(0, len(looks), few or 1))
    most = (max(part, key=lambda one: one[1]) for part in parts)
    return [[round(number, 1) for number in one] for one in most]


def growth(looks: list[watching.Look], begin: float, end: float) -> float:
    """How much more was resident in the last fifth of the epochs than in the first, medians."""
    part = (end - begin) / 5
    first = [one.resident for one in looks if begin <= one.at < begin + part]
    last = [one.resident for one in looks if end - part <= one.at < end]
    return median(last) - median(first) if first and last else 0.0


def measure(given: argparse.Namespace) -> dict[str, Any]:
    """Make the table where there is none, then both fits."""
    result: dict[str, Any] = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine.describe(given.threads),
        "limit": given.limit,
        "memory": given.memory,
    }
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        path = given.table or Path(folder) / "big.parquet"
        if not path.exists():
            say(f"writes {path}")
            big_table.write(path, given.size)
        result["table"] = {**big_table.about(path), "bytes": path.stat().st_size}
        before, result["on_disk"], after = (
            watched(how, path, given, limit)
            for how, limit in (("memory", None), ("disk", given.limit), ("memory", None))
        )
        result["samples"] = [before, after]
        result["sample"] = max(before, after, key=lambda run: run.get("fit_rows_per_second", 0))
    return result


def verdict(result: dict[str, Any]) -> list[str]:
    """What was asked for and is not so."""
    disk, sample = result["on_disk"], result["sample"]
    faults = [f"{run['failed']}" for run in (disk, sample) if run["failed"]]
    if not faults:
        for name in ("epoch_rows_per_second", "fit_rows_per_second"):
            if disk[name] < LEAST_SPEED * sample[name]:
                faults.append(f"{name}: {disk[name]:.0f} on disk, {sample[name]:.0f} in memory")
    return faults


# -- what is shown -------------------------------------------------------------------------------


def draw(result: dict[str, Any], path: Path) -> None:
    """Memory over time, with the phases behind it and the limit above."""
    from pellucid import figures
    from pellucid.training.curves import plain

    run = result["on_disk"]
    looks = np.array([one[:3] for one in run["looks"]])
    figure = figures.new_figure("the picture of memory over time", 8, 3.6)
    panel = figure.subplots()
    panel.plot(looks[:, 0], looks[:, 1], color="#1f6fb4", linewidth=1, label="resident")
    panel.plot(looks[:, 0], looks[:, 2], color="#e0701a", linewidth=1, label="of it anonymous")
    if limit := result["limit"]:
        panel.axhline(limit / 2**20, color="#888888", linestyle="--", linewidth=1, label="limit")
    top = 1.12 * max(looks[:, 1].max(), (limit or 0) / 2**20)
    for number, (name, phase) in enumerate(run.get("phases", {}).items()):
        if number % 2:
            panel.axvspan(phase["from"], phase["to"], color="#f0f0f0", linewidth=0)
        if phase["to"] - phase["from"] > 0.06 * looks[-1, 0]:
            middle = (phase["from"] + phase["to"]) / 2
            panel.text(middle, 0.93 * top, name, ha="center", va="center", fontsize=9)
    panel.set(xlabel="seconds", ylabel="MiB", ylim=(0, top), xlim=(0, looks[-1, 0]))
    panel.legend(frameon=False, loc="lower right", ncols=3)
    plain(panel)
    table = result["table"]
    title = f"{table['rows']:,} rows, a table of {table['bytes'] / 1e9:.1f} GB"
    figures.finish(figure, path, title)


def lines(result: dict[str, Any]) -> Iterator[str]:
    """The table of 80 columns."""
    about, table = result["machine"], result["table"]
    yield f"{about['cpu']}, {about['threads']} threads, load {about['load_at_start']:.1f}"
    yield (
        f"{table['rows']:,} rows of 20 columns, {table['bytes'] / 1e9:.2f} GB; "
        f"limit {(result['limit'] or 0) / 1e6:.0f} MB; best R2 {table['best_r2']:.4f}"
    )
    yield ""
    runs = {name: result[name] for name in ("on_disk", "sample")}
    yield f"{'':<36}{'on disk':>16}{'in memory':>16}{'ratio':>10}"
    for name, label in ROWS.items():
        values = [run.get(name) for run in runs.values()]
        shown = [brief(value) for value in values]
        ratio = f"{values[0] / values[1]:.2f}" if all(values) and "second" in name else ""
        yield f"{label:<36}{shown[0]:>16}{shown[1]:>16}{ratio:>10}"
    yield ""
    yield f"{'on disk':<12}{'seconds':>10}{'MiB':>8}{'anonymous':>12}{'MB read':>12}{'written':>12}"
    for name, phase in runs["on_disk"].get("phases", {}).items():
        yield (
            f"{name:<12}{phase['seconds']:>10.1f}{phase['most_mib']:>8.0f}"
            f"{phase['anonymous_mib']:>12.0f}{phase['read_mb']:>12,.0f}{phase['written_mb']:>12,.0f}"
        )
    for name, run in runs.items():
        if run["failed"]:
            yield f"{name} failed: {run['failed']}"


def page_lines(result: dict[str, Any]) -> Iterator[str]:
    """The table in docs/scale.md, and what it was measured on."""
    about, table, runs = result["machine"], result["table"], [result["on_disk"], result["sample"]]
    yield (
        f"{table['rows']:,} rows of 20 columns, a Parquet file of {table['bytes'] / 1e9:.1f} GB, "
        f"in {result['limit'] / 1e9:g} GB; beside it {runs[1]['rows']:,} of the rows in memory "
        f"without a limit. Measured on {result['date'][:10]} on {about['cpu']} "
        f"({about['vectors']}, {about['threads']} threads), with a load of "
        f"{about['load_at_start']:.1f} by other work at the start. The best R2 that can be is "
        f"{table['best_r2']:.4f}."
    )
    yield ""
    yield (
        "![Memory over time: a line that rises while libraries are loaded, and stays below the "
        "dashed line of the limit through the passes, the epochs and the prediction.]"
        f"({PICTURE.relative_to(PAGE.parent).as_posix()})"
    )
    yield ""
    yield "| | on disk | in memory |"
    yield "| --- | --- | --- |"
    for name, label in ROWS.items():
        yield f"| {label} | {' | '.join(brief(run[name]) for run in runs)} |"


def brief(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


ROWS = {
    "rows": "rows",
    "epochs": "epochs",
    "seconds": "seconds of the fit",
    "epoch_rows_per_second": "rows a second of an epoch",
    "passes_rows_per_second": "rows a second before the epochs",
    "fit_rows_per_second": "rows x epochs a second of the fit",
    "fit_rows_per_cpu_second": "the same a second of a CPU",
    "predict_rows_per_second": "rows a second predicted",
    "most_mib": "most MiB resident",
    "anonymous_mib": "most MiB anonymous",
    "growth_mib": "MiB grown over the epochs",
    "r2": "R2",
}
"""What is compared, by its name in the results."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.on_disk", description=__doc__)
    parser.add_argument("--work", choices=["disk", "memory"], help="fit once, in this process")
    parser.add_argument("--table", type=Path, help="one of big_table; default: a new one, removed")
    parser.add_argument("--folder", type=Path, help="for the new table and its cache")
    parser.add_argument("--size", type=big_table.bytes_of, default=4 * 10**9)
    parser.add_argument("--sample", type=int, default=1_000_000, help="rows in memory")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--memory", default="1GB", help="what scan is told")
    parser.add_argument("--limit", type=big_table.bytes_of, default=10**9, help="what is allowed")
    parser.add_argument("--cache", type=Path, help="folder of the cache; default: beside the table")
    parser.add_argument("--threads", type=int, default=machine.usable_threads())
    parser.add_argument("--output", type=Path, help="the JSON file (default: under results/)")
    parser.add_argument("--picture", type=Path, default=PICTURE)
    parser.add_argument("--show", type=Path, metavar="JSON", help="draw what was measured before")
    given = parser.parse_args()
    if given.work:
        work(given.work, given.table, given)
        return 0
    if given.show:
        result = json.loads(given.show.read_text(encoding="utf-8"))
    else:
        result = measure(given)
    for run in (result["on_disk"], *result["samples"]):
        run["looks"] = thinned(run["looks"])
    if given.output or not given.show:
        path = given.output or RESULTS / f"on-disk-{machine.cpu_slug()}.json"
        path.write_text(json.dumps(result) + "\n", encoding="utf-8")
        say(f"written: {path}")
    print("\n".join(lines(result)))
    draw(result, given.picture)
    say(f"drawn: {given.picture}")
    if given.picture == PICTURE and not result["on_disk"]["failed"]:
        fill_in(PAGE, page_lines(result), "benchmarks.on_disk")
    faults = verdict(result)
    for fault in faults:
        print(f"FAULT {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
