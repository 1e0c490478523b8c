"""Rows on disk: the same file however they came, read as they were written or not at all."""

import errno
import math
import os
import resource
import signal
import subprocess
import sys
import threading
from functools import partial

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pellucid.network.windowed import WindowedTraining
from pellucid.rows import Dense, Pictures, Stale, Store, StoreWriter, Targets, placed, unit_mean
from pellucid.rows import placing as placing_module
from pellucid.rows import stored as stored_module
from pellucid.rows.packing import Packing
from pellucid.rows.placing import LEAST
from pellucid.rows.targets import weight_unit

RNG = np.random.default_rng
ROOMY = 64 << 20


def made(rows, columns=3, seed=0):
    rng = RNG(seed)
    x = rng.normal(size=(rows, columns)).astype(np.float32)
    return x, rng.integers(0, 5, rows).astype(np.int32), rng.uniform(0.1, 3, rows)


def write(
    path, x, values, weight=None, cuts=(), memory=ROOMY, seed=7, key="k", packing=None, **more
):
    packing = packing or Packing(x.shape[1:], x.dtype)
    with StoreWriter(
        path, key, {"made": "here"}, len(x), packing, values.shape[1:], values.dtype, seed, memory,
        weighted=weight is not None, **more,
    ) as writer:  # fmt: skip
        for first, last in zip([0, *cuts], [*cuts, len(x)], strict=True):
            part = None if weight is None else weight[first:last]
            writer.write(x[first:last], values[first:last], part)
        return writer.close()


@pytest.fixture
def tight(monkeypatch):
    """So little memory that rows are sorted in files."""
    monkeypatch.setattr(placing_module, "LEAST", 1)
    return partial(write, memory=100 * 80)


@pytest.mark.parametrize("weighted", (False, True))
def test_rows_rest_in_their_places(tmp_path, weighted):
    x, values, weight = made(3000)
    store = write(tmp_path / "a", x, values, weight if weighted else None)
    at = placed(7, 3000)
    examples = store.examples()
    assert examples.rows.shape == (3000, 3) and len(examples) == len(store) == 3000
    assert (np.asarray(examples.rows.take(slice(None))) == x[at]).all()
    found = examples.targets.take(slice(None))
    assert (found.values == values[at]).all()
    expected = unit_mean(weight / weight_unit(weight.max())) if weighted else np.ones(3000)
    assert found.weight.tobytes() == unit_mean(expected.astype(np.float32))[at].tobytes()
    assert (store.key, store.seed, store.about) == ("k", 7, {"made": "here"})
    assert store.nbytes == os.path.getsize(tmp_path / "a")


def test_any_cuts_and_any_memory_give_the_same_file(tmp_path, monkeypatch):
    monkeypatch.setattr(placing_module, "LEAST", 1)
    x, values, weight = made(2500)
    whole = write(tmp_path / "a", x, values, weight)
    content = whole.path.read_bytes()

    @settings(max_examples=25)
    @given(
        st.lists(st.integers(0, 2500), max_size=6).map(sorted),
        st.integers(20, 3000),
        st.sampled_from((2, 8, 4096)),
    )
    @example([], 20, 8)
    @example([100, 100], 100, 4096)
    def check(cuts, room, parts):
        monkeypatch.setattr(placing_module, "PARTS", parts)
        monkeypatch.setattr(placing_module, "CHUNK", 100)
        write(tmp_path / "b", x, values, weight, cuts=cuts, memory=room * 64)
        assert (tmp_path / "b").read_bytes() == content

    check()


@pytest.mark.parametrize("rows", (0, 1, 511, 512, 513, 1024))
def test_stores_of_few_rows(tmp_path, rows):
    x, values, _ = made(rows)
    store = write(tmp_path / "a", x, values)
    assert (store.examples().rows.take(slice(None)).values == x[placed(7, rows)]).all()


def test_equal_words_keep_the_order_of_rows(tmp_path, monkeypatch, tight):
    class Same(placing_module.Stream):
        def words(self, count):
            return super().words(count) & np.uint64(7 << 61)

    monkeypatch.setattr(placing_module, "Stream", Same)
    x, values, _ = made(1000)
    words = Same(7, "places").words(1000)
    store = tight(tmp_path / "a", x, values, cuts=(3, 200, 201))
    expected = x[np.argsort(words, kind="stable")]
    assert (store.examples().rows.take(slice(None)).values == expected).all()


def test_packed_rows_and_pictures(tmp_path, tight):
    x = np.zeros((900, 6), np.float32)
    x[:, 0] = RNG(0).normal(size=900)
    x[np.arange(900), RNG(1).integers(1, 6, 900)] = 1
    values = RNG(2).normal(size=(900, 2)).astype(np.float32)
    store = tight(tmp_path / "a", x, values, packing=Packing((6,), "float32", [range(1, 6)]))
    found = store.examples()
    assert (np.asarray(found.rows.take(slice(None))) == x[placed(7, 900)]).all()
    assert (found.targets.take(slice(2, 9)).values == values[placed(7, 900)][2:9]).all()
    assert store.packing.row_bytes == 5

    table = RNG(1).normal(size=(256, 3)).astype(np.float32)
    levels = RNG(0).integers(0, 256, (40, 40, 40, 3)).astype(np.uint8)  # a piece of its own each
    store = tight(tmp_path / "b", levels, values[:40], memory=41 * 4900)
    pictures = store.examples(partial(Pictures, table)).rows
    assert pictures.shape == levels.shape
    assert (pictures.take([3, 1]).levels == levels[placed(7, 40)[[3, 1]]]).all()
    assert (pictures.row(-1) == Pictures(table, levels).row(placed(7, 40)[-1])).all()


def test_parts_have_weights_of_mean_one_as_in_memory(tmp_path):
    x, values, weight = made(2000)
    weight *= 1e300
    store = write(tmp_path / "a", x, values, weight)
    first = unit_mean(weight / weight_unit(weight.max())).astype(np.float32)[placed(7, 2000)]
    memory, examples = Targets.by_row(values[placed(7, 2000)], first), store.examples()
    for begin, end in ((0, 1500), (1500, 2000), (511, 513)):
        part, expected = examples.part(begin, end), memory.part(begin, end)
        assert len(part) == end - begin
        again = part.targets.part(1, 2).take(slice(None)), expected.part(1, 2)
        raw = np.concatenate(list(store._file.weights(begin, end)))
        assert part.targets.scaled(raw).tobytes() == expected.weight.tobytes()
        assert again[0].weight.tobytes() == unit_mean(again[1].weight).tobytes()
        assert (np.concatenate(list(part.targets.blocks())) == expected.values).all()


def test_what_a_store_keeps_besides(tmp_path):
    x, values, _ = made(10)
    arrays = {"mean": np.arange(3.0), "codes": np.arange(4, dtype=np.int32)[::2]}
    store = write(tmp_path / "a", x, values, arrays=arrays)
    again = Store.open(tmp_path / "a", "k")
    assert sorted(again.arrays) == ["codes", "mean"]
    assert again.arrays["codes"].tolist() == [0, 2] and again.arrays["mean"].tolist() == [0, 1, 2]
    assert repr(store) == f"Store(10 rows in '{tmp_path / 'a'}', {store.nbytes} bytes)"


def test_another_key_another_file_and_none(tmp_path):
    x, values, _ = made(10)
    write(tmp_path / "a", x, values, key="one")
    with pytest.raises(Stale, match="'.*a' has rows of other data, or as other parameters"):
        Store.open(tmp_path / "a", "two")
    (tmp_path / "b").write_bytes(b"something else, which is somebody's own work")
    with pytest.raises(ValueError, match="another file, which is left as it is") as told:
        Store.open(tmp_path / "b")
    assert not isinstance(told.value, Stale)
    with pytest.raises(FileNotFoundError):
        Store.open(tmp_path / "c")


def test_damage_is_refused_wherever_it_is(tmp_path):
    x, values, weight = made(1200)
    store = write(tmp_path / "a", x, values, weight, arrays={"mean": np.ones(9)})
    content = store.path.read_bytes()

    def read():
        opened = Store.open(tmp_path / "b")
        opened._file.verify()
        opened.examples().rows.take(slice(None))

    for place in [*RNG(0).integers(16, len(content), 60), len(content) - 1, len(content) - 30]:
        damaged = bytearray(content)
        damaged[place] ^= 1 << int(place) % 8
        (tmp_path / "b").write_bytes(damaged)
        with pytest.raises(Stale, match=r"'.*b' is damaged: .*\. Remove it, and do the same again"):
            read()
    for length in (16, 20, 100, len(content) // 2, len(content) - 1):
        (tmp_path / "b").write_bytes(content[:length])
        with pytest.raises(Stale, match="damaged: its end is missing"):
            read()
    (tmp_path / "b").write_bytes(content + b"more")
    with pytest.raises(Stale, match="damaged"):
        read()


def test_damage_ends_the_training_before_it_is_learned(tmp_path):
    from pellucid import Network
    from pellucid.layers import Linear

    x, values, _ = made(2000)
    write(tmp_path / "a", x, values)
    content = bytearray((tmp_path / "a").read_bytes())
    content[16 + 600 * 16] ^= 1
    (tmp_path / "a").write_bytes(content)
    network = Network([Linear(5)]).build(3, random_state=0)
    examples = Store.open(tmp_path / "a").examples()
    loss = "categorical_cross_entropy"
    with WindowedTraining(network.chain, network.held, examples.feed, loss, 10) as training:
        with pytest.raises(Stale, match="the rows at the places 512 to 1,023 are not as"):
            list(training.calls(np.arange(2000), lambda: 5))
        (tmp_path / "a").write_bytes(content[:9000])  # while it is open
        with pytest.raises(Stale, match="are not as they were written"):
            list(training.calls(np.arange(2000), lambda: 5))
    with pytest.raises(Stale, match="are not as they were|is missing"):
        examples.rows.take(np.arange(0, 2000, 2))


def test_rows_that_lie_apart_are_read_one_by_one_once_all_are_checked(tmp_path, monkeypatch):
    monkeypatch.setattr(stored_module, "_APART", 0)
    x, values, weight = made(3000)
    examples = write(tmp_path / "a", x, values, weight).examples()
    places, at = np.array([2999, 0, 600, 1200, 1801]), placed(7, 3000)
    assert (examples.rows.take(places).values == x[at[places]]).all()
    taken = examples.targets.take(places)
    assert (taken.values == values[at[places]]).all()
    expected = unit_mean(weight / weight_unit(weight.max())).astype(np.float32)[at]
    assert taken.weight.tobytes() == unit_mean(expected[places]).tobytes()
    content = bytearray((tmp_path / "a").read_bytes())
    gathering = stored_module.Gathering(examples.rows.reading.file)
    gathering.read(places)
    (tmp_path / "a").write_bytes(content[:40_000])
    with pytest.raises(Stale, match="the row at place 2,999 is missing"):
        gathering.read(places)
    content[16 + 700 * 24] ^= 1  # a row that is not asked for
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(Stale, match="the rows at the places 512 to 1,023"):
        Store.open(tmp_path / "a").examples().rows.take(places)


def test_a_large_row_is_checked_by_itself(tmp_path):
    levels = RNG(0).integers(0, 256, (9, 40, 40, 3)).astype(np.uint8)
    weight = np.linspace(1, 2, 9)
    store = write(tmp_path / "a", levels, np.arange(9), weight)
    wrap = partial(Pictures, np.ones((256, 3), np.float32))
    content = bytearray((tmp_path / "a").read_bytes())
    content[16 + 3 * 4816 + 4807] ^= 1  # of a weight
    (tmp_path / "a").write_bytes(content)
    rows = Store.open(tmp_path / "a").examples(wrap).rows
    assert (rows.take(slice(0, 3)).levels == levels[placed(7, 9)[:3]]).all()
    with pytest.raises(Stale, match="the row at place 3 is not as it was written"):
        rows.take(slice(0, 4))
    assert store.nbytes > 9 * 4816


def test_no_rows_are_taken_of_large_ones_too(tmp_path):
    """Those are pieces of their own, and are read in another way."""
    x = np.zeros((5, 2000), np.float32)
    rows = write(tmp_path / "a", x, np.arange(5)).examples().rows
    for index in (slice(0, 0), np.arange(0), np.zeros(5, dtype=bool)):
        assert rows.take(index).shape == (0, 2000)


def test_a_full_disk_is_told_in_one_sentence_and_nothing_is_left(tmp_path, monkeypatch, tight):
    x, values, _ = made(3000)

    def full(file, rows):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(placing_module, "_write", full)
        with pytest.raises(
            OSError, match=r"'.*a' cannot be saved: no space left on the disk \(needs"
        ):
            tight(tmp_path / "a", x, values)
    assert os.listdir(tmp_path) == []
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
        for writing in (write, tight):
            with pytest.raises(
                OSError, match="'.*a' cannot be saved: files may not grow that large"
            ):
                writing(tmp_path / "a", x, values)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert os.listdir(tmp_path) == []
    with pytest.raises(OSError, match="the folder '.*none' does not exist. Make it first"):
        tight(tmp_path / "none" / "a", x, values)


def test_what_is_not_closed_is_gone_and_the_earlier_file_stays(tmp_path, tight):
    x, values, _ = made(1000)
    before = write(tmp_path / "a", x, values).fingerprint
    with pytest.raises(KeyError):
        with StoreWriter(
            tmp_path / "a", "k", {}, None, Packing((3,), "float32"), (), "int32", 1, 8000
        ) as writer:
            writer.write(x, values)
            raise KeyError
    with pytest.raises(ValueError, match="'.*a' must get 1,001 rows. Got 1,000"):
        with StoreWriter(
            tmp_path / "a", "k", {}, 1001, Packing((3,), "float32"), (), "int32", 1, 8000
        ) as writer:
            writer.write(x, values)
            writer.close()
    with pytest.raises(ValueError, match="rows to be placed must be 900. Got more"):
        with StoreWriter(
            tmp_path / "a", "k", {}, 900, Packing((3,), "float32"), (), "int32", 1, 8000_000
        ) as writer:
            writer.write(x, values)
    with pytest.raises(ValueError, match="a target and a weight each. Got 1,000 rows, 999 targets"):
        write(tmp_path / "a", x, values[:-1])
    assert os.listdir(tmp_path) == ["a"] and Store.open(tmp_path / "a").fingerprint == before


def test_a_killed_writer_leaves_nothing_that_stays(tmp_path):
    code = f"""
import os, numpy as np
from pellucid.rows import StoreWriter
from pellucid.rows.packing import Packing
x = np.zeros((30000, 3), np.float32)
rests = Packing((3,), "float32")
with StoreWriter({str(tmp_path / "a")!r}, "k", {{}}, None, rests, (), "i4", 1, 400_000) as w:
    w.write(x, np.zeros(30000, np.int32))
    w.close(lambda rows: rows > 9000 and os.kill(os.getpid(), 9))
"""
    assert subprocess.run([sys.executable, "-c", code], timeout=120).returncode == -9
    x, values, _ = made(10)
    write(tmp_path / "a", x, values)
    assert os.listdir(tmp_path) == ["a"]


def test_several_writers_of_one_file_do_not_meet(tmp_path, tight):
    x, values, _ = made(2000)
    fingerprints = []
    threads = [
        threading.Thread(
            target=lambda: fingerprints.append(tight(tmp_path / "a", x, values).fingerprint)
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert fingerprints == 4 * [Store.open(tmp_path / "a", "k").fingerprint]
    assert os.listdir(tmp_path) == ["a"]


def test_too_little_memory_is_told(tmp_path):
    x, values, _ = made(10)
    with pytest.raises(
        MemoryError, match="to put rows in their places must be at least 262 kB, for"
    ):
        write(tmp_path / "a", x, values, memory=100_000)
    assert LEAST * 64 == 262_144


def test_rows_of_a_store_are_rows(tmp_path):
    x, values, _ = made(700)
    rows = write(tmp_path / "a", x, values).examples().rows
    at = x[placed(7, 700)]
    for index in (slice(3, 90, 7), np.array([5, 5, 699]), np.arange(700) % 3 == 0, np.arange(0)):
        found = rows.take(index)
        assert isinstance(found, Dense) and (found.values == at[index]).all()
    assert (rows.row(-1) == at[-1]).all() and rows.placed_by == 7
    assert (rows.take(rows.places_of(np.arange(700))).values == x).all()
    with pytest.raises(IndexError, match="positions must be those of 700 rows"):
        rows.take(np.array([700]))
    with pytest.raises(TypeError, match="rows on disk must be handed over by their feed"):
        rows.gather(None, None, None, None, 0)
    targets = Store.open(tmp_path / "a").examples(memory=1000)
    with pytest.raises(TypeError, match="targets on disk have no values in memory"):
        print(targets.targets.values)
    with pytest.raises(MemoryError, match='700 rows on disk takes 28 kB .* Pass shuffle="blocks"'):
        targets.rows.places_of(np.arange(700))


def test_a_store_is_removed_and_read_on(tmp_path):
    x, values, _ = made(700)
    store = write(tmp_path / "a", x, values)
    other = Store.open(tmp_path / "a")
    store.remove()
    assert os.listdir(tmp_path) == []
    assert (other.examples().rows.take(slice(0, 3)).values == x[placed(7, 700)[:3]]).all()


def test_the_weight_unit_is_the_power_of_two_above():
    assert [weight_unit(one) for one in (1.0, 0.3, 5.0, 0.0)] == [2.0, 0.5, 8.0, 1.0]
    assert math.isfinite(weight_unit(1e308)) and weight_unit(5e-324) == 2.0**-1000


PEAK = """
import sys, tempfile
import numpy as np
from pathlib import Path
from pellucid.rows import StoreWriter
from pellucid.rows.packing import Packing

def told(name):
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024

rests, block = Packing((25,), "float32"), np.zeros((5000, 25), np.float32)
with tempfile.TemporaryDirectory() as folder:
    with StoreWriter(folder + "/a", "k", {}, None, rests, (), "i4", 1, 30 << 20) as writer:
        writer.write(block[:10], np.zeros(10, np.int32))
        before = told("VmRSS")
        for _ in range(200):
            writer.write(block, np.zeros(5000, np.int32))
        writer.close()
    print(told("VmHWM") - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the system does not tell")
def test_no_more_memory_is_used_than_was_given():
    done = subprocess.run([sys.executable, "-c", PEAK], capture_output=True, text=True, timeout=120)
    assert done.stderr == ""
    assert int(done.stdout) < 34 << 20  # and the file has 100 MB
