"""Fits and searches on many machines, simulated from what was measured on one.

``python -m benchmarks.cluster`` measures what tasks, bytes and round trips of Dask cost here
(:mod:`benchmarks.exchange`), simulates the very runs that were measured, and goes on only where
each comes out within 20 %. Then it says how long one fit of many rows and many fits take on many
machines, what bounds them, and how many hours of machines they cost; it draws both, and writes
``results/cluster-CPU.json``.

What is simulated: the client, which alone sends and receives; its link; workers, each of which
computes one task after the other; failures, after which a task is computed again.
"""

from __future__ import annotations

import argparse
import json
import math
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import exchange, machine
from benchmarks.run import RESULTS, ROOT, say
from benchmarks.scaling import fill_in
from benchmarks.simulation import Clock, Happening, Resource, using

NEAR = 0.20  # share by which a simulated run may be off
MACHINES = (1, 2, 4, 8, 16, 32, 64, 100)
PAGE, PICTURE = ROOT / "docs" / "scale.md", ROOT / "docs" / "images" / "many-machines.png"
BANDWIDTH = 1.25e9  # bytes a second: 10 Gbit/s
FAILURES = 0.01  # an hour of a machine: one in four days, as of machines that are rented cheaply
COLUMNS = 339  # inputs of a network on the rows of big_table
WIDTHS = {64: (65536, 50), 256: (32768, 30), 1024: (8192, 15), 4096: (2048, 5)}
"""Of two hidden layers; rows and epochs that tell their speed."""
FITS, FIT_SECONDS, DATA, MODEL = 100_000, (0.1, 1.0, 10.0, 100.0), 1e8, 1e5
"""Fits of a search, how long they may be, and bytes of what is sent once and comes back."""


@dataclass(frozen=True)
class Costs:
    """Seconds, as measured: see :func:`benchmarks.exchange.costs`."""

    client_task: float
    worker_task: float
    client_byte: float
    worker_byte: float
    latency: float
    for_nothing: float
    restart: float
    step: float = 0.0  # of a fit, beside its tasks


@dataclass(frozen=True)
class Cluster:
    """Machines and what is between them."""

    workers: int
    bandwidth: float = math.inf  # bytes a second of the client's link, each way
    failures: float = 0.0  # an hour of a worker
    processors: float = math.inf  # that all have together, for what tasks cost beside computing


@dataclass(frozen=True)
class Work:
    """Tasks of one kind."""

    tasks: int
    out: float  # bytes that a task gets
    back: float  # bytes that it gives
    compute: float  # seconds
    slept: bool = False  # whether no processor computes meanwhile


# -- tasks ---------------------------------------------------------------------------------------


def seconds_of(costs: Costs, cluster: Cluster, work: Work, kills: list[float]) -> float:
    """Seconds until all tasks are done and their results are here.

    At each time of `kills` a worker ends: its task waits for another worker, and the worker comes
    back after a while.
    """
    clock, left = Clock(), deque(sorted(kills))
    client, there, back = Resource(clock), Resource(clock), Resource(clock)
    workers, processor = (Resource(clock, n) for n in (cluster.workers, cluster.processors))
    handling = costs.worker_task + (work.out + work.back) / 2 * costs.worker_byte
    computing = max(work.compute, costs.for_nothing)

    def returning() -> Happening:
        yield costs.restart
        workers.leave()

    def task() -> Happening:
        yield from using(work.out / cluster.bandwidth, there)
        yield costs.latency / 2
        while True:
            yield workers
            if not left or clock.now + handling + computing <= left[0]:
                break
            yield max(0.0, left.popleft() - clock.now)
            clock.start(returning())
        if work.slept:
            yield computing
            yield from using(handling, processor)
        else:
            yield from using(computing + handling, processor)
        workers.leave()
        yield costs.latency / 2
        yield from using(work.back / cluster.bandwidth, back)
        yield from using((costs.client_task + work.back * costs.client_byte) / 2, client, processor)

    # the client hands all tasks over before the first one is sent
    begin = work.tasks * (costs.client_task + work.out * costs.client_byte) / 2
    for _ in range(work.tasks):
        clock.start(task(), begin)
    return clock.run()


def failures(cluster: Cluster, seconds: float, seed: int = 0) -> list[float]:
    """When workers end by themselves within so many seconds."""
    random = np.random.default_rng(seed)
    count = random.poisson(cluster.failures * cluster.workers * seconds / 3600)
    return random.uniform(0, seconds, count).tolist()


# -- what was measured ---------------------------------------------------------------------------


def costs_of(measured: dict[str, Any]) -> Costs:
    """All costs; those of a step from a network so narrow that it computes next to nothing."""
    costs, narrow = Costs(**measured["costs"]), measured["narrow"]
    return replace(costs, step=narrow["seconds"] - step_of(costs, Cluster(1), narrow))


def simulated(measured: dict[str, Any], point: dict[str, Any]) -> float:
    """The seconds of a run that was measured."""
    costs = costs_of(measured)
    here = Cluster(point["workers"], processors=measured["machine"]["threads"])
    if "width" in point:
        return step_of(costs, here, point)
    size = point["bytes"]
    kills = [point["killed_after"]] if "killed_after" in point else []
    work = Work(point["tasks"], size, size, point["compute"], slept=True)
    return seconds_of(costs, here, work, kills)


def step_of(costs: Costs, cluster: Cluster, point: dict[str, Any]) -> float:
    """The seconds of a step of a fit that was measured."""
    return shared_out(costs, cluster, point["rows"], point["weights"], point["compute"])


def shared_out(
    costs: Costs, cluster: Cluster, rows: float, weights: float, compute: float
) -> float:
    """Seconds of a step in which each worker gets so many bytes of rows, and the weights."""
    work = Work(cluster.workers, rows + weights, weights, compute)
    return costs.step + seconds_of(costs, cluster, work, [])


def compare(measured: dict[str, Any]) -> list[dict[str, Any]]:
    """All runs, with the ratio of what is simulated to what was measured."""
    return [
        {**point, "ratio": simulated(measured, point) / point["seconds"]}
        for point in measured["points"]
    ]


def is_near(ratio: float) -> bool:
    """Whether a simulated run is as long as the measured one."""
    return abs(ratio - 1) <= NEAR


# -- one fit, many fits --------------------------------------------------------------------------


@dataclass(frozen=True)
class Network:
    """What a step costs on a machine by itself, and what travels."""

    width: int
    parameters: int
    row_bytes: int  # of a row with its target and weight, as it is sent
    rows_per_second: float  # of training


@dataclass(frozen=True)
class Fit:
    """One fit of many rows, whose steps are shared out."""

    rows: float = 1e9
    epochs: int = 3
    batch: int = 8192


def step_seconds(costs: Costs, cluster: Cluster, network: Network, batch: int) -> float:
    """A step of which all workers have alike; on one machine nothing travels."""
    count = cluster.workers
    compute = batch / network.rows_per_second / count
    if count == 1:
        return compute
    rows, weights = batch * network.row_bytes / count, 4.0 * network.parameters
    return shared_out(costs, cluster, rows, weights, compute)


def one_fit(costs: Costs, cluster: Cluster, network: Network, fit: Fit) -> dict[str, float]:
    """Seconds of all epochs, machine hours, and how often a machine fails.

    One that fails costs the others the step it was in, and until it is back they have more to do.
    """
    steps = math.ceil(fit.rows / fit.batch) * fit.epochs
    step = step_seconds(costs, cluster, network, fit.batch)
    fewer = replace(cluster, workers=max(1, cluster.workers - 1))
    slower = step_seconds(costs, fewer, network, fit.batch) / step - 1
    rate = cluster.failures * cluster.workers / 3600
    # of one machine by itself a checkpoint is left, so it costs the coming back alone
    lost = step + costs.restart * (max(0.0, slower) if cluster.workers > 1 else 1.0)
    seconds = steps * step * (1 + rate * lost)
    return {
        "step": step,
        "seconds": seconds,
        "machine_hours": seconds * cluster.workers / 3600,
        "failures": rate * seconds,
    }


def many_fits(
    costs: Costs, cluster: Cluster, count: int, seconds: float, data: float, back: float
) -> dict[str, float]:
    """So many fits of so many seconds; each worker is sent the data once, through one link."""
    sending = cluster.workers * data / cluster.bandwidth
    least = count * max(seconds / cluster.workers, costs.client_task)
    kills = failures(cluster, 2 * least)
    total = sending + seconds_of(costs, cluster, Work(count, 1000.0, back, seconds), kills)
    return {
        "seconds": total,
        "sending": sending,
        "machine_hours": total * cluster.workers / 3600,
        "busy": count * seconds / (total * cluster.workers),
        "failures": sum(kill < total for kill in kills),
    }


def networks(threads: int) -> list[Network]:
    """What networks of several widths train on this machine, on rows like those of big_table."""
    import pellucid

    random, measured = np.random.default_rng(0), []
    for width, (rows, epochs) in WIDTHS.items():
        x = random.standard_normal((rows, COLUMNS), dtype=np.float32)
        model = pellucid.FCNNRegressor(
            (width, width), batch_size=min(rows, 1024), max_epochs=epochs, n_jobs=threads,
            random_state=0, verbose=0,
        ).fit(x, x[:, 0])  # fmt: skip
        parameters = sum(each.size for each in model.network_.parameters().values())
        speed = max(model.history_["rows_per_second"])
        measured.append(Network(width, parameters, 4 * (COLUMNS + 2), speed))
        say(f"width {width}: {speed:,.0f} rows a second")
    return measured


def reckon(costs: Costs, nets: list[Network]) -> dict[str, Any]:
    """All that is said about many machines."""
    many = [machines_of(count) for count in MACHINES]
    return {
        "one_fit": [
            {"width": net.width, "machines": each.workers, **one_fit(costs, each, net, Fit())}
            for net in nets
            for each in many
        ],
        "many_fits": [
            {
                "fit_seconds": seconds,
                "machines": each.workers,
                **many_fits(costs, each, FITS, seconds, DATA, MODEL),
            }
            for seconds in FIT_SECONDS
            for each in many
        ],
    }


def machines_of(count: int) -> Cluster:
    """So many machines as one would rent them."""
    return Cluster(count, BANDWIDTH, FAILURES)


# -- what is shown -------------------------------------------------------------------------------


def checked_lines(points: list[dict[str, Any]]) -> Iterator[str]:
    """The runs that were measured and simulated."""
    yield f"{'workers':>8}{'tasks':>7}{'bytes':>11}{'s a task':>10}{'killed':>8}" + (
        f"{'measured s':>13}{'simulated':>12}{'ratio':>8}"
    )
    for point in points:
        killed = f"{point['killed_after']:.1f}" if "killed_after" in point else ""
        far = "" if is_near(point["ratio"]) else "  far"
        size = point.get("bytes", point.get("weights"))
        yield (
            f"{point['workers']:>8}{point['tasks']:>7}{size:>11,}"
            f"{point['compute']:>10.3f}{killed:>8}{point['seconds']:>13.4f}"
            f"{point['seconds'] * point['ratio']:>12.4f}{point['ratio']:>8.2f}{far}"
        )


def lines(result: dict[str, Any]) -> Iterator[str]:
    """What many machines do, in 80 columns."""
    fit = Fit()
    yield f"one fit of {fit.rows:,.0f} rows, {fit.epochs} epochs, batches of {fit.batch}:"
    yield f"{'width':>8}{'machines':>10}{'ms a step':>12}{'hours':>10}{'machine hours':>15}" + (
        f"{'times as fast':>15}"
    )
    alone = {}
    for each in result["one_fit"]:
        first = alone.setdefault(each["width"], each["seconds"])
        yield (
            f"{each['width']:>8}{each['machines']:>10}{1000 * each['step']:>12.2f}"
            f"{each['seconds'] / 3600:>10.2f}{each['machine_hours']:>15.1f}"
            f"{first / each['seconds']:>15.2f}"
        )
    yield ""
    yield f"{FITS:,} fits:"
    yield f"{'s a fit':>8}{'machines':>10}{'hours':>10}{'machine hours':>15}{'busy':>8}" + (
        f"{'failures':>10}"
    )
    for each in result["many_fits"]:
        yield (
            f"{each['fit_seconds']:>8g}{each['machines']:>10}{each['seconds'] / 3600:>10.2f}"
            f"{each['machine_hours']:>15.1f}{each['busy']:>8.0%}{each['failures']:>10}"
        )


def page_lines(result: dict[str, Any], points: list[dict[str, Any]]) -> Iterator[str]:
    """The tables in docs/scale.md, and what they rest on."""
    about, fit, shown = result["machine"], Fit(), (1, 4, 16, 100)
    far = max(abs(point["ratio"] - 1) for point in points)
    yield (
        f"From costs measured on {result['date'][:10]} on {about['cpu']} ({about['threads']} "
        f"threads) with Dask on one machine; {len(points)} runs there are simulated to within "
        f"{far:.0%}. A machine is one like it, its link {8 * BANDWIDTH / 1e9:g} Gbit/s, and fails "
        f"every {1 / FAILURES:g} hours."
    )
    yield ""
    yield (
        f"One fit of {fit.rows:,.0f} rows, {fit.epochs} epochs in batches of {fit.batch:,}, hours "
        f"of all (machine hours):"
    )
    yield ""
    heads = " | ".join(f"{count} machine{'s'[: count > 1]}" for count in shown)
    yield f"| two layers of | {heads} |"
    yield f"| --- |{' --- |' * len(shown)}"
    yield from table_rows(result["one_fit"], "width", shown)
    yield ""
    yield f"{FITS:,} fits of a search, likewise:"
    yield ""
    yield f"| seconds of a fit | {heads} |"
    yield f"| --- |{' --- |' * len(shown)}"
    yield from table_rows(result["many_fits"], "fit_seconds", shown)
    yield ""
    yield (
        "![Two panels on logarithmic axes: how many times as fast as one machine 1 to 100 machines "
        "are, on the left at one fit of networks of several widths, on the right at many fits of "
        f"several lengths.]({PICTURE.relative_to(PAGE.parent).as_posix()})"
    )


def table_rows(made: list[dict[str, Any]], key: str, shown: tuple[int, ...]) -> Iterator[str]:
    """A row for each width or length: hours, and in brackets those of machines."""
    for value in dict.fromkeys(each[key] for each in made):
        cells = [
            f"{three_digits(each['seconds'] / 3600)} ({three_digits(each['machine_hours'])})"
            for each in made
            if each[key] == value and each["machines"] in shown
        ]
        yield f"| {value:g} | {' | '.join(cells)} |"


def three_digits(value: float) -> str:
    """A number with three digits at least, and all before the point."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def draw(result: dict[str, Any], path: Path) -> None:
    """How many times as fast: one fit by the machines and width, many by their length."""
    from matplotlib import ticker

    from pellucid import figures
    from pellucid.training.curves import plain

    figure = figures.new_figure("the picture of many machines", 8, 3.6)
    panels = figure.subplots(1, 2, sharey=True)
    groups = (("one_fit", "width", "width {}"), ("many_fits", "fit_seconds", "{:g} s a fit"))
    titles = ("one fit, steps shared out", f"{FITS:,} fits, one a task")
    for panel, (part, key, label), title in zip(panels, groups, titles, strict=True):
        panel.plot(MACHINES, MACHINES, color="#bbbbbb", linewidth=1, linestyle="--")
        for value in dict.fromkeys(each[key] for each in result[part]):
            chosen = [each for each in result[part] if each[key] == value]
            speed = [chosen[0]["seconds"] / each["seconds"] for each in chosen]
            panel.plot(MACHINES, speed, marker="o", markersize=3, label=label.format(value))
        panel.set(xscale="log", yscale="log", xlabel="machines", title=title)
        panel.xaxis.set_major_locator(ticker.FixedLocator([1, 2, 4, 8, 16, 32, 100]))
        panel.xaxis.set_minor_locator(ticker.NullLocator())
        for axis in (panel.xaxis, panel.yaxis):
            axis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:g}"))
        panel.yaxis.set_minor_formatter(ticker.NullFormatter())
        panel.legend(frameon=False, loc="upper left")
        plain(panel)
    panels[0].set_ylabel("times as fast as one machine")
    figures.finish(figure, path)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cluster", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="of the measurements")
    parser.add_argument("--threads", type=int, default=machine.usable_threads())
    parser.add_argument("--output", type=Path, help="the JSON file (default: under results/)")
    parser.add_argument("--picture", type=Path, default=PICTURE)
    parser.add_argument(
        "--show", type=Path, metavar="JSON", help="simulate from what was measured before"
    )
    given = parser.parse_args()
    if given.show:
        result = json.loads(given.show.read_text(encoding="utf-8"))
    else:
        result = {
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            **exchange.measure(given.rounds, exchange.SECONDS),
            "networks": [asdict(each) for each in networks(given.threads)],
        }
    points = compare(result)
    print("\n".join(checked_lines(points)))
    path = given.output or RESULTS / f"cluster-{machine.cpu_slug()}.json"
    far = [point for point in points if not is_near(point["ratio"])]
    if not far:
        result |= reckon(costs_of(result), [Network(**each) for each in result["networks"]])
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    say(f"written: {path}")
    if far:
        print(
            f"{len(far)} of {len(points)} runs are not simulated within {NEAR:.0%}, so nothing is "
            f"said of more machines. Measure again when the machine does nothing else."
        )
        return 1
    print("\n".join(["", *lines(result)]))
    draw(result, given.picture)
    say(f"drawn: {given.picture}")
    if given.picture == PICTURE:
        fill_in(PAGE, page_lines(result, points), "benchmarks.cluster")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
