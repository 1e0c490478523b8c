"""What a fit costs as rows, columns, width, steps or pictures grow: seconds, and memory.

``python -m benchmarks.scaling`` fits each size in a process of its own, several times in turn, and
keeps the least time and the median memory. It writes ``results/scaling-CPU.json``, draws
docs/images/scaling.png and fills in the table of docs/cost.md. ``python -m benchmarks.scaling rows
64000`` is one of these processes.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np

from benchmarks import machine
from benchmarks.run import RESULTS, ROOT, child, say
from benchmarks.workloads import Workload

EPOCHS = 3
FEW_ROWS = 128  # of the fit before, which is next to nothing
PAGE, PICTURE = ROOT / "docs" / "cost.md", ROOT / "docs" / "images" / "scaling.png"
LEAST_MIB = 1.0  # a growth that is told apart from chance
QUICK = 3  # the smallest sizes


class Sweep(NamedTuple):
    """What grows, to which sizes, and what the rest is."""

    what: str
    sizes: tuple[int, ...]
    rest: str
    estimator: str


SWEEPS = {
    "rows": Sweep(
        "rows",
        (16_000, 32_000, 64_000, 128_000, 256_000),
        "20 columns, 2 hidden layers of 128",
        "FCNNClassifier",
    ),
    "columns": Sweep(
        "columns",
        (64, 128, 256, 512, 1024),
        "8,192 rows, 2 hidden layers of 128",
        "FCNNClassifier",
    ),
    "width": Sweep(
        "width of 2 hidden layers",
        (64, 128, 256, 512, 1024),
        "8,192 rows, 20 columns",
        "FCNNClassifier",
    ),
    "steps": Sweep(
        "steps",
        (25, 50, 100, 200, 400),
        "1,024 sequences of 8 features, width 64",
        "LSTMClassifier",
    ),
    "side": Sweep(
        "side of the pictures",
        (8, 16, 32, 64, 128),
        "256 grey pictures, 32, 64 and 128 kernels",
        "CNNClassifier",
    ),
}


def case(name: str, size: int) -> tuple[Workload, dict[str, Any]]:
    """The rows of a sweep at `size`, and what their estimator is told beside its defaults.

    Weight decay is that of long fits: by default three epochs alone would have far more of it.
    """
    told: dict[str, Any] = {"weight_decay": 0.01}
    rows, columns, width = 8192, 20, 128
    if name == "rows":
        rows = size
    elif name == "columns":
        columns = size
    elif name == "width":
        width = size
    if name == "steps":
        # each step by itself, and not several as one
        told |= {"hidden_dim": 64, "patch_size": 1, "pooling": "last"}
        return Workload(name, (size, 8), (64,), 3, batch=32, rows=1024, recurrent="lstm"), told
    if name == "side":
        return Workload(name, (size, size, 1), (128,), 3, batch=32, rows=256), told
    told["hidden_dim"] = (width, width)
    return Workload(name, (columns,), (width, width), 3, batch=32, rows=rows), told


# -- one process ---------------------------------------------------------------------------------


def work(name: str, size: int, threads: int) -> dict[str, Any]:
    """Fit once: seconds of an epoch, the median, and of the whole fit, and most memory.

    Memory "before" is that of a process which has fitted next to nothing: Python, the libraries
    and the kernels. What comes on top of it is this fit's, its data included.
    """
    import pellucid

    kind = getattr(pellucid, SWEEPS[name].estimator)

    def fit(workload: Workload, told: dict[str, Any]) -> tuple[Any, float]:
        x, y = workload.data()
        model = kind(max_epochs=EPOCHS, n_jobs=threads, random_state=0, verbose=0, **told)
        begin = time.perf_counter()
        model.fit(x, y)
        return model, time.perf_counter() - begin

    small, told = case(name, FEW_ROWS if name == "rows" else 8)
    fit(replace(small, rows=FEW_ROWS), told)
    before = machine.peak_memory_mib()
    model, seconds = fit(*case(name, size))
    epochs = model.history_["seconds"]
    return {
        "seconds_per_epoch": median(epochs),
        "epochs": epochs,
        "seconds": seconds,
        "before_mib": before,
        "peak_mib": machine.peak_memory_mib(),
    }


# -- all of them ---------------------------------------------------------------------------------


def measure(repeats: int, threads: int, quick: bool) -> dict[str, Any]:
    """Every size of every sweep, `repeats` times in turn."""
    sizes = {name: each.sizes[: QUICK if quick else None] for name, each in SWEEPS.items()}
    runs: dict[tuple[str, int], list[dict[str, Any]]] = {
        (name, size): [] for name, each in sizes.items() for size in each
    }
    for turn in range(repeats):
        say(f"round {turn + 1} of {repeats}")
        for (name, size), each in runs.items():
            each.append(child("benchmarks.scaling", name, str(size), threads=threads))
            say(f"  {name} {size:,}: {each[-1]['seconds_per_epoch']:.4f} s an epoch")
    return {
        name: summarise(name, {size: runs[name, size] for size in each})
        for name, each in sizes.items()
    }


def summarise(name: str, runs: dict[int, list[dict[str, Any]]]) -> dict[str, Any]:
    """A sweep's points, and the slopes of their logarithms."""
    points = [
        {
            "size": size,
            "seconds_per_epoch": min(one["seconds_per_epoch"] for one in each),
            "seconds": min(one["seconds"] for one in each),
            "before_mib": median(one["before_mib"] for one in each),
            "more_mib": median(one["peak_mib"] - one["before_mib"] for one in each),
            "runs": each,
        }
        for size, each in runs.items()
    ]
    return {
        **SWEEPS[name]._asdict(),
        "points": points,
        "time_slope": slope(shown(points, "seconds_per_epoch")),
        "memory_slope": slope(shown(points, "more_mib")),
    }


def shown(points: list[dict[str, Any]], measure: str) -> list[tuple[int, float]]:
    """Size and value of those points that have a value worth its logarithm."""
    least = LEAST_MIB if measure == "more_mib" else 0.0
    return [(each["size"], each[measure]) for each in points if each[measure] > least]


def slope(points: list[tuple[int, float]]) -> float | None:
    """That of the straight line through the logarithms; None of fewer than two points."""
    return None if len(points) < 2 else float(line(points)[0])


def line(points: list[tuple[int, float]]) -> np.ndarray:
    """Slope and height at 0 of the straight line through the logarithms of the points."""
    x, y = np.log(np.array(points, dtype=np.float64)).T
    return np.polyfit(x, y, 1)


# -- what is shown -------------------------------------------------------------------------------


def draw(sweeps: dict[str, Any], path: Path) -> None:
    """A panel for each sweep: above the seconds of an epoch, below the memory."""
    from matplotlib import ticker

    from pellucid import figures
    from pellucid.training.curves import plain

    figure = figures.new_figure("the picture of what fits cost", 2.7 * len(sweeps), 5.4)
    rows = figure.subplots(2, len(sweeps), sharey="row", squeeze=False)
    measures = (("seconds_per_epoch", "#1f6fb4"), ("more_mib", "#e0701a"))
    for (measure, color), panels in zip(measures, rows, strict=True):
        for panel, sweep in zip(panels, sweeps.values(), strict=True):
            points = shown(sweep["points"], measure)
            if points:
                panel.plot(*zip(*points, strict=True), "o", color=color, markersize=5)
            if len(points) > 1:
                power, height = line(points)
                ends = np.array([points[0][0], points[-1][0]])
                fitted, label = np.exp(height) * ends**power, f"slope {power:.2f}"
                panel.plot(ends, fitted, color=color, linewidth=1, linestyle="--", label=label)
                panel.legend(frameon=False, loc="upper left")
            panel.set(xscale="log", yscale="log", xlabel=sweep["what"])
            sizes = [each["size"] for each in sweep["points"]]
            panel.set_xlim(sizes[0] / 1.4, sizes[-1] * 1.4)
            panel.xaxis.set_major_locator(ticker.FixedLocator(sizes))
            panel.xaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: brief(value)))
            panel.xaxis.set_minor_locator(ticker.NullLocator())
            panel.yaxis.set_major_locator(ticker.LogLocator(10))
            panel.yaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:g}"))
            panel.yaxis.set_minor_formatter(ticker.NullFormatter())
            plain(panel)
    for panel, sweep in zip(rows[0], sweeps.values(), strict=True):
        panel.set_title(sweep["estimator"].removesuffix("Classifier"), fontsize=11)
    rows[0][0].set_ylabel("seconds an epoch")
    rows[1][0].set_ylabel("MiB more than at the start")
    figures.finish(figure, path)


def brief(size: float) -> str:
    return f"{size / 1000:g}k" if size >= 2000 else f"{size:g}"


def page_lines(results: dict[str, Any]) -> Iterator[str]:
    """The table in docs/cost.md, and what it was measured on."""
    about, sweeps = results["machine"], results["sweeps"]
    versions = about["versions"]
    before = [each["before_mib"] for sweep in sweeps.values() for each in sweep["points"]]
    yield (
        f"Measured on {results['date'][:10]} on {about['cpu']} ({about['vectors']}, "
        f"{about['threads']} thread{'s'[: about['threads'] > 1]}), with pellucid "
        f"{versions['pellucid']}, NumPy {versions['numpy']} and Numba {versions['numba']}; the "
        f"load at the start was {about['load_at_start']:.1f}. A process that has fitted next to "
        f"nothing takes {min(before):.0f} to {max(before):.0f} MiB."
    )
    yield ""
    yield "| network | what grows | from, to | the rest | s an epoch | slope | MiB more | slope |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for sweep in sweeps.values():
        first, last = sweep["points"][0], sweep["points"][-1]
        powers = [
            "" if power is None else f"{power:.2f}"
            for power in (sweep["time_slope"], sweep["memory_slope"])
        ]
        cells = [
            sweep["estimator"].removesuffix("Classifier"),
            sweep["what"],
            f"{first['size']:,} to {last['size']:,}",
            sweep["rest"],
            f"{first['seconds_per_epoch']:.3g} to {last['seconds_per_epoch']:.3g}",
            powers[0],
            f"{first['more_mib']:.0f} to {last['more_mib']:.0f}",
            powers[1],
        ]
        yield f"| {' | '.join(cells)} |"


def fill_in(page: Path, lines: Iterator[str], source: str = "benchmarks.scaling") -> None:
    """Put `lines` between the two marks of `page` that name where they are from."""
    begin, end = f"<!-- from {source} -->", "<!-- until here -->"
    text = "\n".join([begin, "", *lines, "", end])
    whole = page.read_text(encoding="utf-8")
    changed, count = re.subn(
        f"{re.escape(begin)}.*?{re.escape(end)}", lambda _: text, whole, flags=re.S
    )
    if count != 1:
        raise ValueError(f"{page} must have {begin} and {end} once. Got them {count} times.")
    page.write_text(changed, encoding="utf-8")


def table(results: dict[str, Any]) -> str:
    """All points, to be read in a terminal."""
    about = results["machine"]
    lines = [
        f"{about['cpu']}, {about['vectors']}, {about['threads']} threads, "
        f"load {about['load_at_start']:.1f} at the start{', quick' if results['quick'] else ''}"
    ]
    for sweep in results["sweeps"].values():
        kind = sweep["estimator"].removesuffix("Classifier")
        powers = [
            "-" if power is None else f"{power:.2f}"
            for power in (sweep["time_slope"], sweep["memory_slope"])
        ]
        lines += ["", f"{kind}, {sweep['rest']}"[:80]]
        lines.append(f"{sweep['what']:<26}{'s/epoch':>14}{'s, whole fit':>14}{'MiB more':>13}")
        lines += [
            f"{each['size']:<26,}{each['seconds_per_epoch']:>14.4f}{each['seconds']:>14.3f}"
            f"{each['more_mib']:>13.1f}"
            for each in sweep["points"]
        ]
        lines.append(f"{'slope':<26}{powers[0]:>14}{'':>14}{powers[1]:>13}")
    return "\n".join(lines)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sweep", nargs="?", choices=SWEEPS, help="fit once, in this process")
    parser.add_argument("size", nargs="?", type=int)
    parser.add_argument(
        "--quick", action="store_true", help=f"the {QUICK} smallest sizes, once; no page is changed"
    )
    parser.add_argument("--repeats", type=int, help="default 3, or 1 with --quick")
    parser.add_argument("--threads", type=int, default=machine.usable_threads())
    parser.add_argument("--output", type=Path, help="the JSON file (default: under results/)")
    parser.add_argument("--picture", type=Path, help="where to draw (default: docs/images/)")
    parser.add_argument(
        "--show", type=Path, metavar="JSON", help="draw and fill in what was measured before"
    )
    given = parser.parse_args()
    if given.sweep and given.size is None:
        parser.error("a sweep needs a size")
    return given


def main() -> None:
    given = arguments()
    if given.sweep:
        print(json.dumps(work(given.sweep, given.size, given.threads)))
        return
    if given.show:
        results = json.loads(given.show.read_text(encoding="utf-8"))
    else:
        about = machine.describe(given.threads)
        repeats = given.repeats or (1 if given.quick else 3)
        results = {
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "quick": given.quick,
            "machine": about,
            "sweeps": measure(repeats, given.threads, given.quick),
        }
        partial = "-partial" if given.quick else ""
        path = given.output or RESULTS / f"scaling-{machine.cpu_slug()}{partial}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        say(f"written: {path}")
    print(table(results))
    picture = given.picture or (None if results["quick"] else PICTURE)
    if picture:
        draw(results["sweeps"], picture)
        say(f"drawn: {picture}")
    if not results["quick"]:
        fill_in(PAGE, page_lines(results))
        say(f"filled in: {PAGE}")


if __name__ == "__main__":
    main()
