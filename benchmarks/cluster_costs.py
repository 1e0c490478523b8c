"""What messages of a step on several machines cost, and from which network on they pay.

``python -m benchmarks.cluster_costs`` fits networks of more and more weights on the workers of a
cluster of processes here, and takes away what their tasks take alone: the exchange. Beside it are
steps of the usual networks on this machine. With W machines a step takes its time over W, and the
exchange: it pays where the step takes more than W / (W - 1) exchanges. It writes
``results/cluster-costs-CPU.json``, draws docs/images/distributed.png and fills in the table of
docs/distributed.md.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import machine
from benchmarks.run import RESULTS, ROOT, say
from benchmarks.scaling import fill_in
from benchmarks.workloads import WORKLOADS, Workload

WORKERS = (1, 2, 4)
WIDTHS = (20, 300, 980, 2220)  # of two hidden layers: 1 k, 100 k, 1 M and 5 M weights
ROWS = 8  # of a batch: so few that messages are nearly all that takes time
STEPS, LARGE_STEPS, ROUNDS = 60, 15, 3
BEST = 0.1  # the share of steps that is taken as free of other work
USUAL = ("fcnn-small", "fcnn-large", "cnn-grey", "cnn-rgb", "lstm", "lstm-wide")
WIDE = (  # larger batches of larger networks
    Workload("fcnn 1000, batch 1024", (300,), (1000, 1000), 10, batch=1024, rows=4096),
    Workload("fcnn 2000, batch 4096", (300,), (2000, 2000), 10, batch=4096, rows=8192),
)
PAGE, PICTURE = ROOT / "docs" / "distributed.md", ROOT / "docs" / "images" / "distributed.png"
COLORS = {1: "#8a8a8a", 2: "#1f6fb4", 4: "#e0701a"}


def exchanges(steps: float) -> list[dict[str, Any]]:
    """For each number of workers and weights the seconds of a step that its tasks do not take.

    Of several rounds the least: other work only adds to them.
    """
    rounds = [one_round(steps) for _ in range(ROUNDS)]
    return [min(same, key=lambda one: one["exchange"]) for same in zip(*rounds, strict=True)]


def one_round(steps: float) -> list[dict[str, Any]]:
    """Once on a cluster of each size."""
    from dask.config import set as configured
    from distributed import Client, LocalCluster

    points = []
    for workers in WORKERS:
        settings = {"distributed.worker.daemon": True}
        with configured(settings), LocalCluster(
            n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=":0",
            silence_logs="ERROR",
        ) as cluster, Client(cluster) as client:  # fmt: skip
            client.wait_for_workers(workers, timeout=60)
            for width in WIDTHS:
                points.append(exchange(client, workers, width, steps))
                say(
                    f"{workers} workers, {points[-1]['weights']:,} weights: "
                    f"{1e3 * points[-1]['exchange']:.1f} ms a step"
                )
    return points


def exchange(client: Any, workers: int, width: int, share: float) -> dict[str, Any]:
    """The exchange of a network of two hidden layers of this width."""
    from pellucid import FCNNClassifier, distributed
    from pellucid.network.shard_tasks import shard_gradient

    steps = max(10, int(share * (STEPS if width < 500 else LARGE_STEPS)))
    x = np.random.default_rng(0).normal(size=(ROWS * steps, 20)).astype(np.float32)
    model = FCNNClassifier(
        (width, width), max_epochs=2, batch_size=ROWS, random_state=0, verbose=0, n_jobs=1
    )
    wall: list[float] = []
    alone: list[float] = []
    computed = distributed.Workers.gradients

    def timed(self: Any, packed: bytes, weights: np.ndarray, tasks: Any) -> Any:
        begin = time.perf_counter()
        made = computed(self, packed, weights, tasks)
        wall.append(time.perf_counter() - begin)
        if len(wall) % 4 == 0:
            begin = time.perf_counter()
            shard_gradient(packed, weights, tasks[0], 1)
            alone.append(time.perf_counter() - begin)
        return made

    distributed.Workers.gradients = timed  # type: ignore[method-assign]
    try:
        distributed.fit(model, x, (x[:, 0] > 0) * 1, client=client, shards=max(2, workers))
    finally:
        distributed.Workers.gradients = computed  # type: ignore[method-assign]
    wall = wall[steps:]  # of the second epoch: in the first one workers lay out the network
    best, middle = np.quantile(wall, (BEST, 0.5))
    return {
        "workers": workers, "weights": model.network_.size, "bytes": model.network_.values.nbytes,
        "exchange": max(0.0, float(best) - min(alone)), "step": float(best),
        "median_step": float(middle), "task": min(alone),
    }  # fmt: skip


def steps_here(threads: int, epochs: int) -> list[dict[str, Any]]:
    """Seconds of a step of the usual networks on this machine."""
    from pellucid import CNNClassifier, FCNNClassifier, LSTMClassifier

    points = []
    for one in (*(WORKLOADS[name] for name in USUAL), *WIDE):
        options: dict[str, Any] = {
            "max_epochs": epochs, "batch_size": one.batch, "random_state": 0, "verbose": 0,
            "n_jobs": threads,
        }  # fmt: skip
        if one.channels:
            (hidden,) = one.hidden
            model: Any = CNNClassifier(
                one.channels, hidden_dim=hidden, padding=0, augment=None, residual=False,
                global_pool=False, **options,
            )  # fmt: skip
        elif one.recurrent:
            model = LSTMClassifier(one.hidden[0], **options)
        else:
            model = FCNNClassifier(one.hidden, **options)
        model.fit(*one.data())
        seconds = min(row["seconds"] for row in model.history_) / one.steps
        points.append({"name": one.name, "weights": model.network_.size, "step": seconds})
        say(f"{one.name}: {points[-1]['weights']:,} weights, {1e3 * seconds:.2f} ms a step")
    return points


# -- what is shown -------------------------------------------------------------------------------


def worth(point: dict[str, Any]) -> float:
    """How long a step must be, on one machine, for so many to be sooner done with it."""
    workers = point["workers"]
    return float(point["exchange"] * workers / (workers - 1))


def draw(results: dict[str, Any], path: Path) -> None:
    """Steps of networks as points, and for 2 and 4 machines the line above which they pay."""
    from pellucid import figures
    from pellucid.training.curves import plain

    figure = figures.new_figure("the picture of what an exchange costs", 8.0, 5.0)
    panel = figure.subplots()
    for workers in WORKERS[1:]:
        points = [each for each in results["exchanges"] if each["workers"] == workers]
        panel.plot(
            [each["weights"] for each in points], [1e3 * worth(each) for each in points],
            "o-", color=COLORS[workers], markersize=4, linewidth=1.5,
            label=f"{workers} machines pay above this line",
        )  # fmt: skip
    for each in results["steps"]:
        panel.plot(each["weights"], 1e3 * each["step"], "s", color="#333333", markersize=5)
        panel.annotate(
            each["name"], (each["weights"], 1e3 * each["step"]), xytext=(6, -3),
            textcoords="offset points", fontsize=8, color="#333333",
        )  # fmt: skip
    panel.set(
        xscale="log", yscale="log", xlabel="weights of the network",
        ylabel="milliseconds of a step on one machine",
    )  # fmt: skip
    panel.set_xlim(500, 4e7)
    panel.legend(frameon=False, loc="upper left")
    plain(panel)
    figures.finish(figure, path)


def page_lines(results: dict[str, Any]) -> Iterator[str]:
    """The tables in docs/distributed.md, and what they were measured on."""
    about = results["machine"]
    yield (
        f"Measured on {results['date'][:10]} on {about['cpu']} ({about['threads']} threads), with "
        f"Dask {results['dask']}; workers are processes of that machine with a thread each. The "
        f"load at the start was {about['load_at_start']:.1f}: shown is the best tenth of steps, of "
        f"the best of {results['rounds']} rounds."
    )
    yield ""
    yield "| weights | exchange with 1 worker | 2 workers | 4 workers | 2 pay above | 4 pay above |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for weights in sorted({each["weights"] for each in results["exchanges"]}):
        of = {e["workers"]: e for e in results["exchanges"] if e["weights"] == weights}
        cells = [f"{1e3 * of[workers]['exchange']:.1f} ms" for workers in WORKERS]
        cells += [f"steps of {1e3 * worth(of[workers]):.0f} ms" for workers in WORKERS[1:]]
        yield f"| {weights:,} | {' | '.join(cells)} |"
    yield ""
    yield "| network | weights | a step here |"
    yield "| --- | --- | --- |"
    for each in results["steps"]:
        yield f"| {each['name']} | {each['weights']:,} | {1e3 * each['step']:.2f} ms |"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few steps; no page is changed")
    parser.add_argument("--threads", type=int, default=machine.usable_threads())
    parser.add_argument("--output", type=Path, help="the JSON file (default: under results/)")
    parser.add_argument(
        "--show", type=Path, metavar="JSON", help="draw and fill in what was measured before"
    )
    return parser.parse_args()


def main() -> None:
    given = arguments()
    if given.show:
        results = json.loads(given.show.read_text(encoding="utf-8"))
    else:
        import dask

        about = machine.describe(given.threads)
        results = {
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": about,
            "dask": dask.__version__,
            "rounds": ROUNDS,
            "exchanges": exchanges(0.1 if given.quick else 1.0),
            "steps": steps_here(given.threads, 2 if given.quick else 6),
        }
        slug = re.sub(r"\W+", "-", machine.cpu_slug())
        output = given.output or RESULTS / f"cluster-costs-{slug}.json"
        output.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        say(f"written: {output}")
    if not given.quick:
        draw(results, PICTURE)
        fill_in(PAGE, page_lines(results), "benchmarks.cluster_costs")
    print("\n".join(page_lines(results)))


if __name__ == "__main__":
    main()
