"""A Parquet table of any size with all that tables have, and a target whose best score is known.

``python -m benchmarks.big_table big.parquet --size 4GB`` writes one row group after the other and
never holds more than one. Twenty columns: numbers, text of few, 300, 20,000 and almost as many
values as rows, dates as such and as text, truth values, holes. The target ``y`` is a known function
of them and noise, ``label`` a class of three by another. The same seed gives the same rows; a row
group depends on its number alone.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from pathlib import Path
from typing import Any

import numpy as np

GROUP = 250_000  # rows of a row group
CLASSES = ("high", "low", "middle")
COLOURS = ("amber", "blue", "green", "red", "white")
GRADES = ("A", "B", "C")
TOWNS, PRODUCTS = 300, 20_000
SEEN = 90  # towns that matter: the frequent ones, which have an input of their own
AGAIN = 0.01  # share of rows whose id was there before
DAYS = np.datetime_as_string(np.datetime64("1990-01-01") + np.arange(12_000))  # dates as text
YEAR = 365.2425 * 86_400  # seconds
NOISE = 0.8  # standard deviation of what nobody can know of y
UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}

Columns = dict[str, Any]


def generator(seed: int, number: int) -> np.random.Generator:
    """The random numbers of row group `number`, or of the effects that all groups share: -1."""
    return np.random.Generator(np.random.Philox(key=seed, counter=[0, 0, 0, number + 1]))


# -- one row group -------------------------------------------------------------------------------


def make(seed: int, number: int, rows: int = GROUP) -> tuple[Columns, dict[str, Any]]:
    """Row group `number`: its columns, and what is known of the targets beside them."""
    import pyarrow as pa

    rng = generator(seed, number)
    normal = {name: rng.standard_normal(rows) for name in ("temperature", "voltage", "score")}
    pressure = with_holes(rng, 1013 + 8 * rng.standard_normal(rows), 0.05)
    amount = np.exp(3 + 1.2 * rng.standard_normal(rows))
    distance = with_holes(rng, 40 * rng.standard_exponential(rows), 0.10)
    age = rng.integers(18, 95, rows, dtype=np.int32)
    visits, unknown = rng.poisson(6, rows), rng.random(rows) < 0.02
    colour = rng.choice(len(COLOURS), rows, p=[0.4, 0.3, 0.15, 0.1, 0.05])
    # the square makes low numbers, which are the frequent ones, some ten times as frequent as high
    town = (TOWNS * rng.random(rows) ** 2).astype(np.int32)
    product = (PRODUCTS * rng.random(rows) ** 2).astype(np.int32)
    grade = rng.integers(0, len(GRADES) + 1, rows)  # one beyond, as a hole
    seconds = rng.integers(1_400_000_000, 1_760_000_000, rows)
    joined = rng.integers(0, len(DAYS) + 600, rows)  # those beyond are holes
    active, member = rng.random(rows) < 0.7, rng.integers(0, 3, rows)  # 2: a hole

    effects = generator(seed, -1)
    of_town = effects.standard_normal(TOWNS) * (np.arange(TOWNS) < SEEN)
    of_colour = effects.standard_normal(len(COLOURS))
    joined_before = np.where(joined < len(DAYS), joined / len(DAYS), 0.5)
    known = (
        1.2 * normal["temperature"]
        + 0.8 * normal["voltage"] * np.where(active, 1.0, -0.5)
        + 0.7 * np.nan_to_num((pressure - 1013) / 8, nan=2.0)
        - 0.6 * np.log(amount)
        + 0.9 * of_town[town]
        + 0.7 * of_colour[colour]
        + 0.8 * np.sin(2 * np.pi * seconds / YEAR)
        + 1.5 * joined_before
    )
    logits = np.stack(
        [
            normal["temperature"] + 0.04 * (age - 56),
            -normal["temperature"] + 1.5 * of_colour[colour],
            np.where(unknown, -1.0, 0.3 * (visits - 6)) + of_town[town] * active,
        ],
        axis=1,
    )
    # with such noise the chances of the classes are the softmax of 1.5 times the logits
    label = (1.5 * logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
    y = known + NOISE * rng.standard_normal(rows)

    columns: Columns = {
        "temperature": (20 + 6 * normal["temperature"]).astype(np.float32),
        "pressure": pa.array(pressure, from_pandas=True),  # holes of both kinds: null here,
        "humidity": (100 * rng.random(rows)).astype(np.float32),
        "voltage": 230 + 4 * normal["voltage"],
        "score": normal["score"].astype(np.float32),
        "amount": amount,
        "distance": distance,  # NaN here
        "age": age,
        "visits": pa.array(visits.astype(np.int32), mask=unknown),
        "latitude": 47 + 7 * rng.random(rows),
        "longitude": 6 + 9 * rng.random(rows),
        "colour": text(colour, COLOURS),
        "town": text(town, [f"town {i:03}" for i in range(TOWNS)]),
        "product": text(product, [f"P-{i * 7919 % 100_000:05}" for i in range(PRODUCTS)]),
        "id": identifiers(rng, seed, number * GROUP, rows),
        "grade": text(grade, GRADES),
        "seen": seconds.astype("datetime64[s]").astype("datetime64[us]"),
        "joined": text(joined, DAYS),
        "active": active,
        "member": pa.array(member == 1, mask=member == 2),
    }
    columns |= {"y": y, "label": text(label, CLASSES)}
    sums = {
        "rows": rows,
        "y": float(y.sum()),
        "y_squared": float((y * y).sum()),
        "noise_squared": float(((y - known) ** 2).sum()),
        "right": int((logits.argmax(axis=1) == label).sum()),
    }
    return columns, sums


def with_holes(rng: np.random.Generator, values: np.ndarray, share: float) -> np.ndarray:
    """`values` with NaN in a share of their places."""
    values[rng.random(len(values)) < share] = np.nan
    return values


def text(codes: np.ndarray, names: Any) -> Any:
    """The names at these codes, as Arrow keeps few values in many rows; codes beyond are holes."""
    import pyarrow as pa

    coded = pa.array(codes.astype(np.int32), mask=codes >= len(names))
    return pa.DictionaryArray.from_arrays(coded, pa.array(names))


def identifiers(rng: np.random.Generator, seed: int, first: int, rows: int) -> Any:
    """32 hexadecimal digits a row, which few rows have in common with one before them."""
    import pyarrow as pa

    numbers = np.arange(first, first + rows, dtype=np.uint64)
    again = rng.random(rows) < AGAIN
    numbers[again] = (numbers[again] * rng.random(int(again.sum()))).astype(np.uint64)
    words = np.stack([mixed(numbers, 2 * seed), mixed(numbers, 2 * seed + 1)], axis=1)
    digits = np.frombuffer(b"".join(b"%02x" % i for i in range(256)), dtype=np.uint16)
    letters = digits[words.astype(">u8").view(np.uint8)]
    ends = np.arange(0, 32 * (rows + 1), 32, dtype=np.int32)
    return pa.StringArray.from_buffers(rows, pa.py_buffer(ends), pa.py_buffer(letters))


def mixed(numbers: np.ndarray, key: int) -> np.ndarray:
    """64 bits that look random, another for each number: the finaliser of SplitMix64."""
    z = numbers + np.uint64((0x9E3779B97F4A7C15 * (key + 1)) % 2**64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        z = (z ^ (z >> np.uint64(shift))) * np.uint64(factor)
    return z ^ (z >> np.uint64(31))


# -- the file ------------------------------------------------------------------------------------


def write(
    path: Path,
    size: int = 4 * 10**9,
    rows: int | None = None,
    *,
    seed: int = 0,
    targets: tuple[str, ...] = ("y",),
    by_class: bool = False,
) -> dict[str, Any]:
    """Write so many rows, or row groups until the file has `size` bytes.

    Sorted by class it is made once for each of the classes, so it takes three times as long, and
    needs the number of rows.

    Returns
    -------
    dict
        Rows, bytes, seconds; the R2 that no prediction of ``y`` can be expected to exceed, and
        the accuracy of ``label`` likewise. It stands in the file's metadata too.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if by_class and rows is None:
        raise ValueError("a table that is sorted by class needs its number of rows: --rows.")
    begin, writer, total = time.perf_counter(), None, dict.fromkeys(SUMS, 0)
    try:
        for kept in CLASSES if by_class else (None,):
            number = 0
            while rows is None or number * GROUP < rows:
                count = GROUP if rows is None else min(GROUP, rows - number * GROUP)
                columns, sums = make(seed, number, count)
                number += 1
                if kept in (None, CLASSES[0]):
                    total = {name: total[name] + sums[name] for name in total}
                table = pa.table(columns)
                if kept is not None:
                    table = table.filter(pa.compute.equal(table["label"], kept))
                table = table.drop_columns(sorted({"y", "label"} - set(targets)))
                if writer is None:
                    sink = path.open("wb")
                    writer = pq.ParquetWriter(
                        sink,
                        table.schema,
                        use_dictionary=[
                            field.name
                            for field in table.schema
                            if pa.types.is_dictionary(field.type)
                        ],
                        store_schema=False,  # else text comes back as categories
                    )
                writer.write_table(table, row_group_size=GROUP)
                if rows is None and sink.tell() >= size:
                    break
        about = best(total)
        writer.add_key_value_metadata({"benchmark": json.dumps(about)})
    finally:
        if writer is not None:
            writer.close()
            sink.close()
    return {**about, "bytes": path.stat().st_size, "seconds": time.perf_counter() - begin}


SUMS = ("rows", "y", "y_squared", "noise_squared", "right")


def best(total: dict[str, Any]) -> dict[str, Any]:
    """The best that can be expected, from the sums over all row groups."""
    rows = total["rows"]
    spread = total["y_squared"] - total["y"] ** 2 / rows
    return {
        "rows": rows,
        "best_r2": 1 - total["noise_squared"] / spread,
        "best_accuracy": total["right"] / rows,
    }


def about(path: Path) -> dict[str, Any]:
    """What :func:`write` left in the metadata of a table."""
    import pyarrow.parquet as pq

    return dict(json.loads(pq.read_metadata(path).metadata[b"benchmark"]))


def bytes_of(size: str) -> int:
    """'4GB' as a number."""
    parts = re.fullmatch(r"([\d.]+)\s*([KMGT]B)", size.strip().upper())
    if parts is None:
        raise argparse.ArgumentTypeError(f"a size must be like 4GB or 500MB. Got {size!r}.")
    return int(float(parts[1]) * UNITS[parts[2]])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.big_table", description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--size", type=bytes_of, default=4 * 10**9, help="at least; default 4GB")
    parser.add_argument("--rows", type=int, help="so many in place of a size")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--targets", nargs="+", choices=["y", "label"], default=["y"])
    parser.add_argument("--sorted", action="store_true", help="by class, one after the other")
    given = parser.parse_args()
    done = write(
        given.path,
        given.size,
        given.rows,
        seed=given.seed,
        targets=tuple(given.targets),
        by_class=given.sorted,
    )
    print(json.dumps(done))


if __name__ == "__main__":
    main()
