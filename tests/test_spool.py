"""Columns in files: what is learned from them, and their encoded rows, are those of memory."""

import tracemalloc
from collections import namedtuple
from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pellucid
from pellucid.data import TableEncoder, read_table
from pellucid.data.spool import Spool
from pellucid.data.vocabulary import Vocabulary

ENGINES = ["pandas", "polars", "pyarrow"]
pa = pytest.importorskip("pyarrow")


class FCNNClassifier:
    """Stands in for an estimator: errors name it."""


class Batches(namedtuple("Batches", "scan rows engine memory")):
    """A scan whose batches have rows as a test wants them."""

    name, cache_path = "t.parquet", property(lambda self: self.scan.cache_path)

    def batches(self, rows, columns=None):
        return self.scan.batches(self.rows, columns, self.engine)


def spooled(path, rows=1000, engine=None, memory=10**9, **options):
    scan = Batches(pellucid.scan(path), rows, engine, memory)
    return Spool.of(scan, FCNNClassifier(), **options)


def learned(spool, weights=None, rows=1000, **options):
    encoder, estimator = TableEncoder(**options), FCNNClassifier()
    table = encoder.learn_from(estimator, spool.table, weights, np.float32)
    blocks = [block.values for block in encoder.encode_blocks(table, rows)]
    assert all(len(block) == rows for block in blocks[:-1])
    raw = [block.values for block in encoder.encode_blocks(spool.table, rows)]
    assert all(one.tobytes() == other.tobytes() for one, other in zip(blocks, raw, strict=True))
    return encoder, np.concatenate(blocks)


def in_memory(path, engine="pyarrow", weights=None, **options):
    encoder, estimator = TableEncoder(**options), FCNNClassifier()
    X = read_table(path, engine)
    return encoder, encoder.fit_transform(estimator, X, weights)


def check_equal(one, other):
    (encoder, rows), (wanted, wanted_rows) = one, other
    config, arrays = encoder.state()
    wanted_config, wanted_arrays = wanted.state()
    assert config == wanted_config
    for name, array in wanted_arrays.items():
        assert arrays[name].tobytes() == array.tobytes(), name
    assert rows.dtype == wanted_rows.dtype and rows.tobytes() == wanted_rows.tobytes()
    assert encoder.notes == wanted.notes and encoder.output_names == wanted.output_names


def written(path, columns):
    from pyarrow import parquet

    parquet.write_table(pa.table(columns), path, row_group_size=13)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("spools")


gaps = st.sampled_from([0.0, 0.2, 1.0])
DAY = datetime(2023, 1, 1)
KINDS = {
    "float": lambda r, n: r.normal(size=n) * 10.0 ** r.integers(-12, 12),
    "single": lambda r, n: r.normal(size=n).astype(np.float32),
    "integer": lambda r, n: r.integers(-(2**60), 2**60, n),
    "small": lambda r, n: r.integers(0, 5, n).astype(np.int8),
    "digits of dates": lambda r, n: 20230100 + r.integers(1, 29, n),
    "truth": lambda r, n: r.random(n) < 0.5,
    "date": lambda r, n: [DAY + timedelta(days=int(d)) for d in r.integers(0, 900, n)],
    "clock": lambda r, n: [DAY + timedelta(seconds=int(d)) for d in r.integers(0, 9e6, n)],
    "text": lambda r, n: r.choice(["red", "green ", " green", "Blue", " ", "?"], n),
    "many": lambda r, n: [f"name {v}" for v in r.integers(0, 3 * n, n)],
    "more": lambda r, n: [f"n{v}" for v in r.integers(0, 130, n)],
    "codes": lambda r, n: [f"{v:05}" for v in r.integers(0, 99999, n)],
    "money": lambda r, n: [f"{v:,.2f} €" for v in r.uniform(0, 1e6, n)],
    "thousands": lambda r, n: [f"{v:.3f}" for v in r.uniform(1, 999, n)],
    "numbers and words": lambda r, n: [str(v) if v % 9 else "n/a" for v in r.integers(0, 900, n)],
    "written dates": lambda r, n: [f"{d}/{m}/2023" for d, m in r.integers(1, 13, (n, 2))],
    "months": lambda r, n: [f"{m:02}.2023" for m in r.integers(1, 13, n)],
    "constant": lambda r, n: np.full(n, 7.0),
    "nothing": lambda r, n: [None] * n,
}


@settings(max_examples=40)
@given(st.lists(st.tuples(st.sampled_from(sorted(KINDS)), gaps), min_size=1, max_size=6),
       st.integers(1, 300), st.integers(0, 2**32), st.booleans())  # fmt: skip
def test_what_is_learned_is_what_is_learned_in_memory(folder, kinds, count, seed, weighted):
    """For batches of any size, each library, any memory, and with weights."""
    random, columns = np.random.default_rng(seed), {}
    for place, (kind, share) in enumerate(kinds):
        values = KINDS[kind](random, count)
        lacking = random.random(count) < share
        columns[f"{kind} {place}"] = pa.array(values, mask=lacking)
    path = written(folder / "t.parquet", columns)
    weights = None
    if weighted:
        weights = random.gamma(0.5, size=count) * (random.random(count) < 0.7)
        weights[random.integers(count)] = 1.0
    for rows, engine, memory in (
        (1, "pyarrow", 10**9), (7, "polars", 10**9), (1000, "pandas", 16), (1000, "pyarrow", 16)
    ):  # fmt: skip
        if rows == 1 and count > 50:
            continue
        with spooled(path, rows, engine) as spool:
            spool.scratch.memory = max(1, memory // 16)
            check_equal(learned(spool, weights, rows=7), in_memory(path, engine, weights))


@pytest.mark.parametrize("engine", ENGINES)
def test_values_that_are_embedded(folder, engine):
    random = np.random.default_rng(0)
    values = [None if v % 50 == 0 else f" v{v}" for v in random.zipf(1.3, 3000) % 1000]
    path = written(folder / "v.parquet", {"v": values, "n": random.normal(size=3000)})
    options = {"vocabulary": Vocabulary(300, 2)}
    wanted = in_memory(path, **options)
    assert wanted[0].token_count > 100
    for memory in (10**9, 16):
        with spooled(path, 700, engine) as spool:
            spool.scratch.memory = max(1, memory // 16)
            check_equal(learned(spool, **options), wanted)


@pytest.mark.parametrize("index", ["int8", "uint8", "uint32", "int64"])
def test_a_dictionary_may_hold_more_than_the_rows(folder, index):
    """Codes of any width, unsigned ones as of polars too, and far more of them than rows."""
    from pyarrow import feather

    many = 100 if index.endswith("int8") else 70_000
    codes = [many - 1, None, 0, many - 4, None, 3, 3] * 9
    texts = pa.DictionaryArray.from_arrays(
        pa.array(codes, index), pa.array([f"{code:05}" for code in range(many)])
    )
    plain, coded = folder / "plain.feather", folder / f"{index}.feather"
    feather.write_feather(pa.table({"t": texts.cast("string")}), plain)
    feather.write_feather(pa.table({"t": texts}), coded)
    wanted = in_memory(coded)
    assert wanted[1].tobytes() == in_memory(plain)[1].tobytes()
    for engine in ENGINES:
        with spooled(coded, 20, engine) as spool:
            check_equal(learned(spool), wanted)


def test_text_tables_too(folder):
    random = np.random.default_rng(0)
    lines = [
        f"{v},{v / 7 if v % 5 else 'NA'},0{v % 7},{v % 3 == 0},20{v % 20:02}-01-{v % 28 + 1:02},\n"
        for v in random.integers(0, 900, 500)
    ]
    path = folder / "t.csv"
    path.write_text("n,x,code,truth,date,empty\n" + "".join(lines))
    for rows, engine in ((7, "pandas"), (1000, "polars"), (90, "pyarrow")):
        with spooled(path, rows, engine) as spool:
            check_equal(learned(spool), in_memory(path, engine))


def test_blocks_are_taken_across_their_borders(folder):
    path = written(folder / "t.parquet", {"n": np.arange(50.0), "t": list("abcde") * 10})
    with spooled(path, 7) as spool:
        for column, whole in zip(spool.table.columns, (np.arange(50.0), "abcde" * 10), strict=True):
            for start, stop in ((0, 50), (6, 8), (7, 14), (3, 40), (49, 50), (5, 5)):
                taken = column.taken(slice(start, stop))
                assert taken.values.tolist() == list(whole[start:stop])
    assert spool.nbytes == 0


def test_only_some_columns_and_what_was_read(folder):
    path = written(folder / "t.parquet", {"a": [1.0] * 20, "b": ["x"] * 20, "c": [True] * 20})
    said = []
    with spooled(path, 9, columns=["c", "a"], progress=said.append) as spool:
        assert spool.table.names == ["c", "a"] and said == [9, 18, 20]
        assert spool.select(["a"]).names == ["a"] and spool.table.shape == (20, 2)


def test_the_number_of_a_row_is_that_in_the_table(folder):
    values = np.arange(50.0)
    values[33] = np.inf
    path = written(folder / "t.parquet", {"n": values})
    match = r"^column 'n' of X must be finite for FCNNClassifier\. Got inf in row 33\. Remove"
    with pytest.raises(ValueError, match=match):
        spooled(path, 7)
    path = written(folder / "t.parquet", {"l": [[1]] * 50})
    with pytest.raises(TypeError, match=r"^column 'l' cannot be used\..* in row 0\.\.?$"):
        spooled(path, 7)


def test_values_of_several_kinds_are_refused(folder):
    pd = pytest.importorskip("pandas")

    class Frames(Batches):
        def batches(self, rows, columns=None):
            for start in (0, 10):
                yield pd.DataFrame({"m": mixed[start : start + 10]})

    scan = Frames(pellucid.scan(written(folder / "t.parquet", {"n": [1]})), 1, None, 10**9)
    for mixed, match in (
        ([1.5] * 13 + ["x"] * 7, r"Values of one kind are needed.*the number 1\.5"),
        ([1.5] * 10 + ["x"] * 10, r"one kind\. Got numbers and, in row 10, text\."),
        ([None] * 10 + ["x"] * 10, ""),
        ([True, None] * 5 + [2.5] * 10, ""),
    ):
        mixed = pd.Series(mixed, dtype=object)
        if match:
            with pytest.raises(ValueError, match=match):
                Spool.of(scan, FCNNClassifier())
        else:
            with Spool.of(scan, FCNNClassifier()) as spool:
                wanted = TableEncoder()
                rows = wanted.fit_transform(FCNNClassifier(), pd.DataFrame({"m": mixed}))
                check_equal(learned(spool), (wanted, rows))


def test_nothing_is_left_behind(folder, tmp_path, monkeypatch):
    import errno
    import os

    path = written(tmp_path / "t.parquet", {"n": np.arange(50.0), "t": ["x"] * 50})
    spool = spooled(path)
    assert os.listdir(tmp_path) == ["t.parquet"] and spool.nbytes > 400
    spool.close()

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    match = r"the columns of t\.parquet cannot be kept in '.*': No space left on device\. Make room"
    with pytest.raises(OSError, match=match):
        spooled(path)
    assert os.listdir(tmp_path) == ["t.parquet"]


def test_cautions_are_of_some_of_the_rows_where_there_are_many(folder, monkeypatch):
    """They say of how many, and the row that they name is that of the table."""
    from pellucid.data import table_encoder
    from pellucid.data.encoder import Reading
    from pellucid.data.layout import RowLayout

    count = 2000
    codes = np.arange(count) % 2
    columns = {
        "id": np.arange(count),
        "same": ["x"] * count,
        "leak": [f"class {code}" for code in codes],
        "city": ["Rome", "Oslo"] * (count // 2 - 1) + ["Rome", "Total"],
    }
    path = written(folder / "t.parquet", columns)
    wanted, X = TableEncoder(), read_table(path, "pyarrow")
    reading = wanted.read(FCNNClassifier(), X, learn=True)
    wanted.learn(FCNNClassifier(), reading, None, np.float32)
    whole = wanted.cautions(reading, codes)
    assert len(whole) == 4 and "row 1999" in whole[-1]
    # of some rows the numbers are no row numbers, but still different in all
    some = ["'id' is different in all rows: identifiers tell nothing about new rows.", *whole[1:]]
    some.append("That is said of 300 rows of 2,000, which were looked at.")
    for most, said in ((10**5, whole), (300, some)):
        monkeypatch.setattr(table_encoder, "SAMPLE", most)
        with spooled(path, 100) as spool:
            encoder = TableEncoder()
            encoder.learn_from(FCNNClassifier(), spool.table, None, np.float32)
            assert encoder.cautions(Reading(spool.table, RowLayout(count)), codes) == said


def test_memory_does_not_grow_with_rows_times_columns(tmp_path, monkeypatch):
    """Of 10 million rows and 1,000 columns, where each block of each column is was 1.6 GB."""
    monkeypatch.setattr("pellucid.data.spool._ROWS", 4)
    monkeypatch.setattr("pellucid.data.spool._FEWEST", 4)
    columns = {f"number {place}": np.arange(4.0) for place in range(25)}
    columns |= {f"text {place}": ["a", "b", None, "a"] for place in range(25)}
    table = pa.table(columns)

    class Repeated(namedtuple("Repeated", "count")):
        """A table of so many blocks."""

        name, memory, cache_path = "t", 10**9, tmp_path / "t.cache"

        def batches(self, rows, columns=None):
            return (table for _ in range(self.count))

    def held(count):
        """Bytes that a spool holds in memory, once it is written."""
        tracemalloc.start()
        try:
            with Spool.of(Repeated(count), FCNNClassifier()) as made:
                size = tracemalloc.get_traced_memory()[0]
                for column in made.table.columns:
                    assert len(column.taken(slice(0, 4 * count))) == 4 * count
            return size
        finally:
            tracemalloc.stop()

    held(1)
    assert held(150) - held(50) < 4 * 100 * 50  # bytes a block and column
