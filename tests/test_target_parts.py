"""Targets in files: what is learned of them and their codes are those of memory."""

from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pellucid
from pellucid.data import ClassTarget, NumberTarget, class_target, infer_task, read_table
from pellucid.data.quantiles import quantiles_in_parts, weighted_quantile
from pellucid.data.samples import SAMPLE, evenly
from pellucid.data.scratch import Scratch
from pellucid.data.spool import Spool
from pellucid.data.target_parts import TargetParts, sampled

ENGINES = ["pandas", "polars", "pyarrow"]
pa = pytest.importorskip("pyarrow")


class FCNNClassifier:
    """Stands in for an estimator: errors name it."""


class Batches(namedtuple("Batches", "scan rows engine")):
    """A scan whose batches have rows as a test wants them."""

    name, memory = "t.parquet", 10**9
    cache_path = property(lambda self: self.scan.cache_path)

    def batches(self, rows, columns=None):
        return self.scan.batches(self.rows, columns, self.engine)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("targets")


def written(folder, columns):
    from pyarrow import parquet

    parquet.write_table(pa.table(columns), folder / "t.parquet", row_group_size=13)
    return folder / "t.parquet"


def outcome(learn):
    """What a target has learned, its codes and notes; or why it has not."""
    try:
        target, codes = learn()
    except (TypeError, ValueError) as error:
        return type(error), str(error)
    config, arrays = target.state()
    bits = {name: array.tobytes() for name, array in arrays.items()}
    return config, bits, codes.dtype, codes.shape, codes.tobytes(), target.notes


def compared(path, names, make, weights=None, rows=7, engine="pyarrow", memory=10**6):
    """What comes of the target in memory and in files."""

    def in_memory():
        table = read_table(path, engine)
        y = split_column(table, names)
        target = make(FCNNClassifier(), y)
        return target, target.fit(FCNNClassifier(), y, weights)

    def in_files():
        scan = Batches(pellucid.scan(path), rows, engine)
        listed = [*([names] if isinstance(names, str) else names), "x"]
        with Spool.of(scan, FCNNClassifier(), listed, listed[:-1], memory=memory) as spool:
            y = spool.target(names)
            target = make(FCNNClassifier(), y)
            codes = target.learn_from(FCNNClassifier(), y, weights)
            assert codes.shape[0] == len(spool.table.columns[0])
            blocks = [codes[slice(at, at + 5)] for at in range(0, len(codes), 5)]
            return target, np.concatenate(blocks)

    return outcome(in_memory), outcome(in_files)


def split_column(table, names):
    import narwhals as nw

    frame = nw.from_native(table, eager_only=True)
    # a column of pyarrow has no name
    return frame[names] if isinstance(names, str) else frame.select(names).to_native()


LABELS = {
    "words": lambda r, n: r.choice(["yes", "no", " yes", "Maybe", "?"], n),
    "small": lambda r, n: r.integers(0, 4, n).astype(np.int8),
    "large": lambda r, n: 2**60 + r.integers(0, 3, n),
    "truth": lambda r, n: r.random(n) < 0.5,
    "whole": lambda r, n: r.integers(0, 3, n).astype(np.float32),
    "one": lambda r, n: np.full(n, 3),
    "categories": lambda r, n: pa.array(r.choice(["a", "b"], n)).dictionary_encode(),
    "fractions": lambda r, n: r.normal(size=n),
    "huge": lambda r, n: r.integers(0, 2, n).astype(np.uint64) + np.uint64(2**63),
}
NUMBERS = {
    "float": lambda r, n: r.normal(size=n) * 10.0 ** r.integers(-9, 9),
    "skewed": lambda r, n: np.exp(3 * r.normal(size=n)),
    "single": lambda r, n: r.normal(size=n).astype(np.float32),
    "counts": lambda r, n: r.integers(0, 30, n),
    "money": lambda r, n: [f"{v:,.2f} €" for v in r.uniform(1, 1e6, n)],
    "mostly money": lambda r, n: [f"{v:.2f}" if v > 0.01 else "none" for v in r.random(n)],
    "constant": lambda r, n: np.full(n, 7.5),
    "words": lambda r, n: r.choice(["yes", "no"], n),
    "infinite": lambda r, n: np.where(r.random(n) < 0.1, np.inf, 1.5),
}
WAYS = [(1, "pyarrow", 1), (7, "polars", 10**6), (1000, "pandas", 10**6), (9, "pyarrow", 10**6)]
draws = st.tuples(st.integers(2, 60), st.integers(0, 2**32), st.booleans(), st.sampled_from(WAYS))


def table_of(folder, kinds, names, draw, gap=0.0):
    count, seed, weighted, _ = draw
    random = np.random.default_rng(seed)
    columns = {"x": np.arange(float(count))}
    for name in names:
        values = kinds[name](random, count)
        if isinstance(values, pa.Array):
            columns[name] = values
        else:
            columns[name] = pa.array(values, mask=random.random(count) < gap)
    weights = None
    if weighted:
        weights = random.gamma(0.5, size=count) * (random.random(count) < 0.7)
        weights[0] = 1.0
    return written(folder, columns), weights


@settings(max_examples=60)
@given(st.sampled_from(sorted(LABELS)), draws, st.sampled_from([0.0, 0.0, 0.1]))
def test_labels(folder, kind, draw, gap):
    path, weights = table_of(folder, LABELS, [kind], draw, gap)
    rows, engine, memory = draw[-1]
    one, other = compared(path, kind, class_target, weights, rows, engine, memory)
    assert one == other


@settings(max_examples=80)
@given(st.sampled_from(sorted(NUMBERS)), draws, st.booleans(), st.sampled_from([None, "log1p"]))
def test_numbers(folder, kind, draw, robust, transform):
    path, weights = table_of(folder, NUMBERS, [kind], draw)
    rows, engine, memory = draw[-1]

    def make(_, y):
        return NumberTarget(transform, robust)

    one, other = compared(path, kind, make, weights, rows, engine, memory)
    assert one == other


@settings(max_examples=40)
@given(st.lists(st.sampled_from(sorted(NUMBERS)), min_size=1, max_size=3, unique=True), draws)
def test_several_numbers(folder, names, draw):
    path, weights = table_of(folder, NUMBERS, names, draw)
    one, other = compared(path, names, lambda *_: NumberTarget(), weights, *draw[-1])
    assert one == other


@settings(max_examples=40)
@given(st.lists(st.sampled_from(["truth", "one", "small", "words", "fractions"]), min_size=2,
                max_size=3, unique=True), draws)  # fmt: skip
def test_sets_of_labels(folder, names, draw):
    kinds = LABELS | {"small": lambda r, n: r.integers(0, 2, n).astype(np.int8)}
    path, weights = table_of(folder, kinds, names, draw)
    one, other = compared(path, names, class_target, weights, *draw[-1])
    assert one == other


@pytest.mark.parametrize("name", sorted(LABELS | NUMBERS))
def test_the_task_is_inferred_alike(folder, name):
    path, _ = table_of(folder, LABELS | NUMBERS, [name], (60, 0, False, None))
    told = []
    with Spool.of(Batches(pellucid.scan(path), 7, None), FCNNClassifier(), targets=[name]) as spool:
        for y in (split_column(read_table(path, "pyarrow"), name), spool.target(name)):
            try:
                told.append(infer_task(y))
            except ValueError as error:
                told.append(str(error))
    assert told[0] == told[1]


def test_dates_and_columns_of_nothing(folder):
    from datetime import datetime

    path = written(folder, {"x": [1.0] * 9, "d": [datetime(2024, 1, 1)] * 9, "e": pa.nulls(9)})
    for name in ("d", "e"):
        for make in (class_target, lambda *_: NumberTarget()):
            one, other = compared(path, name, make)
            assert one == other and one[0] in (TypeError, ValueError)


def test_errors_name_the_row_of_the_table(folder):
    values = [1.5] * 40
    values[31] = None
    path = written(folder, {"x": np.arange(40.0), "y": values})
    match = "y of FCNNClassifier must have a value in every row. Got nan in row 31. Leave such"
    assert match in compared(path, "y", lambda *_: NumberTarget())[1][1]
    labels = ["a", "b"] * 20
    labels[33] = None
    path = written(folder, {"x": np.arange(40.0), "y": labels})
    assert "Got None in row 33." in compared(path, "y", class_target)[1][1]
    path = written(folder, {"x": np.arange(40.0), "y": [2.0] * 37 + [-0.5, 1.0, 1.0]})
    found = compared(path, "y", lambda *_: NumberTarget("log"))
    assert found[0] == found[1] and 'target_transform="log". Got -0.5 in row 37' in found[0][1]


def test_classes_that_are_listed(folder):
    path = written(folder, {"x": np.arange(9.0), "y": ["a", "b", "a"] * 3})
    with Spool.of(Batches(pellucid.scan(path), 2, None), FCNNClassifier(), targets=["y"]) as spool:
        target, y = ClassTarget(), spool.target("y")
        codes = target.learn_from(FCNNClassifier(), y, classes=["c", "b", "a"])
        assert codes[:].tolist() == [0, 1, 0] * 3
        codes = target.learn_from(FCNNClassifier(), y, classes=["c", "b"])
        with pytest.raises(ValueError, match="y of FCNNClassifier has no class 'a' among its"):
            codes[:]


def test_what_is_said_of_many_rows_is_said_of_a_sample():
    parts = [slice(start, start + 100) for start in range(0, 1000, 100)]
    assert evenly(parts, 1000) == parts
    some = evenly(parts, 300)
    assert len(some) == 3 and some[0] == parts[0] and some[-1] == parts[-1]
    assert evenly(parts, 1) == [parts[0], parts[-1]] and evenly([], 5) == []


def test_a_sample_has_no_row_twice():
    """A part may have more rows than are looked at: the windows of a long series are one part."""
    assert evenly([slice(0, 120_000)], SAMPLE) == [slice(0, 120_000)]
    for count in range(1, 9):
        parts = [slice(start, start + 7) for start in range(0, 7 * count, 7)]
        for rows in range(1, 60):
            some = [part.start for part in evenly(parts, rows)]
            assert some == sorted(set(some))
    whole = TargetParts(
        (120_000,), np.float64, np.arange(120_000.0).__getitem__, [slice(0, 120_000)], None,
        Scratch(Path(), 0, "numbers"),
    )  # fmt: skip
    sample, words = sampled(whole, None)
    assert len(sample) == 120_000 and not words


@settings(max_examples=50)
@given(st.integers(1, 400), st.integers(0, 2**32), st.sampled_from([1, 640, 10**5]), st.booleans())
def test_quantiles_in_parts_are_those_of_the_whole(count, seed, memory, weighted):
    random = np.random.default_rng(seed)
    values = random.choice([random.normal(size=count), np.floor(3 * random.normal(size=count))])
    weights = random.gamma(0.3, size=count) * 10.0 ** random.integers(-9, 9) if weighted else None
    shares = (0.25, 0.5, 0.75, 0.0, 1.0)
    wanted = [weighted_quantile(values, weights, share) for share in shares]
    from pathlib import Path

    scratch = Scratch(Path("."), memory, "numbers")
    assert quantiles_in_parts(values, weights, shares, scratch) == wanted
    assert scratch.nbytes == 0
