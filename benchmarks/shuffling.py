"""What the order of rows does to a model, where the file is sorted by class.

``python -m benchmarks.shuffling`` fits the same network on 160,000 such rows for three epochs, in
several orders: all rows shuffled anew; drawn from a buffer that holds a share of them, as input
pipelines do; shuffled once, and then blocks of 512 rows, 16 at a time, which is what pellucid does
with rows on disk; the same blocks of rows as they lie; and none. Accuracy is that of other rows,
the mean and the lowest over seeds.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from benchmarks import big_table, machine
from benchmarks.run import RESULTS, ROOT, say
from benchmarks.scaling import fill_in

PAGE = ROOT / "docs" / "scale.md"
ROWS, TEST, EPOCHS, SEEDS = 160_000, 40_000, 3, 5
Order = Callable[[int, int, int], np.ndarray]
"""From rows, seed and epoch to the rows in the order of that epoch."""


def buffered(share: float) -> Order:
    """Each row is drawn from a buffer, where the next row of the file then takes its place."""

    def order(rows: int, seed: int, epoch: int) -> np.ndarray:
        random = np.random.default_rng([seed, epoch])
        size = int(share * rows)
        drawn = random.integers(0, size, rows - size)
        buffer, taken = list(range(size)), []
        for row, place in enumerate(drawn.tolist(), size):
            taken.append(buffer[place])
            buffer[place] = row
        random.shuffle(buffer)
        return np.array(taken + buffer)

    return order


def blocks_as_they_lie(rows: int, seed: int, epoch: int) -> np.ndarray:
    """Blocks of neighbours, mixed 16 at a time; what lies together stays together."""
    from pellucid.randomness import Stream
    from pellucid.training import orders

    return np.asarray(orders.InBlocks(rows, Stream(seed, "order", epoch))[:])


def as_it_lies(rows: int, seed: int, epoch: int) -> np.ndarray:
    return np.arange(rows)


ORDERS: dict[str, tuple[str, Order | None]] = {
    "all rows shuffled": ("full", None),
    "shuffled once, then blocks": ("blocks", None),
    "a buffer of 20 %": ("full", buffered(0.20)),
    "a buffer of 5 %": ("full", buffered(0.05)),
    "a buffer of 1 %": ("full", buffered(0.01)),
    "blocks of rows as they lie": ("full", blocks_as_they_lie),
    "rows as they lie": ("full", as_it_lies),
}
"""By name what pellucid is told, and the order put in the place of its own."""


def tables(rows: int, test: int) -> tuple[Any, Any, dict[str, Any]]:
    """Rows to learn from, sorted by class; rows to test with; what is known of them."""
    import pandas as pd

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.parquet"
        known = big_table.write(path, rows=rows + test, targets=("label",))
        frame = pd.read_parquet(path)
    return frame[:rows].sort_values("label", kind="stable"), frame[rows:], known


def accuracy(name: str, seed: int, train: Any, test: Any, epochs: int) -> float:
    """That of a network which learned in this order."""
    from pellucid import FCNNClassifier
    from pellucid.training import orders

    shuffle, other = ORDERS[name]
    model = FCNNClassifier(max_epochs=epochs, shuffle=shuffle, random_state=seed, verbose=0)
    usual = orders.of_epoch

    def of_epoch(shuffle: str, rows: int, seed: int, epoch: int) -> Any:
        return usual(shuffle, rows, seed, epoch) if other is None else other(rows, seed, epoch)

    with mock.patch.object(orders, "of_epoch", of_epoch):
        model.fit(train.drop(columns="label"), train["label"])
    return float(model.score(test.drop(columns="label"), test["label"]))


def measure(rows: int, epochs: int, seeds: int) -> dict[str, Any]:
    """The accuracies of all orders, seed by seed."""
    train, test, known = tables(rows, TEST * rows // ROWS)
    found: dict[str, list[float]] = {name: [] for name in ORDERS}
    for seed in range(seeds):
        for name, each in found.items():
            each.append(accuracy(name, seed, train, test, epochs))
            say(f"seed {seed}, {name}: {each[-1]:.4f}")
    return {
        "rows": rows,
        "epochs": epochs,
        "best_accuracy": known["best_accuracy"],
        "most_frequent": float(test["label"].value_counts(normalize=True).max()),
        "accuracies": found,
    }


def lines(result: dict[str, Any]) -> Iterator[str]:
    """The table of 80 columns."""
    yield (
        f"{result['rows']:,} rows sorted by class, {result['epochs']} epochs; accuracy of other "
        f"rows,"
    )
    yield (
        f"at best {result['best_accuracy']:.4f}, of the most frequent class "
        f"{result['most_frequent']:.4f}"
    )
    yield f"{'':<36}{'mean':>10}{'lowest':>10}{'seeds':>8}"
    for name, each in result["accuracies"].items():
        yield f"{name:<36}{np.mean(each):>10.4f}{min(each):>10.4f}{len(each):>8}"


def page_lines(result: dict[str, Any]) -> Iterator[str]:
    """The table in docs/scale.md."""
    yield (
        f"{result['rows']:,} rows sorted by class, {result['epochs']} epochs, accuracy of other "
        f"rows; the best that can be is {result['best_accuracy']:.3f}, and the most frequent class "
        f"has {result['most_frequent']:.3f}."
    )
    yield ""
    yield "| order | mean of " + str(len(next(iter(result["accuracies"].values())))) + " | lowest |"
    yield "| --- | --- | --- |"
    for name, each in result["accuracies"].items():
        yield f"| {name} | {np.mean(each):.4f} | {min(each):.4f} |"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.shuffling", description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--output", type=Path, help="the JSON file (default: under results/)")
    parser.add_argument("--show", type=Path, metavar="JSON", help="what was measured before")
    given = parser.parse_args()
    if given.show:
        result = json.loads(given.show.read_text(encoding="utf-8"))
    else:
        result = {
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": machine.describe(machine.usable_threads()),
            **measure(given.rows, given.epochs, given.seeds),
        }
        path = given.output or RESULTS / f"shuffling-{machine.cpu_slug()}.json"
        path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        say(f"written: {path}")
    print("\n".join(lines(result)))
    if given.seeds == SEEDS and given.rows == ROWS:
        fill_in(PAGE, page_lines(result), "benchmarks.shuffling")


if __name__ == "__main__":
    main()
