"""Rows for the kernels: all there when they are wanted, in the order of the epoch."""

import threading
from time import sleep

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid import feed
from pellucid.data.picture_sets import Pictures
from pellucid.data.pictures import Header
from pellucid.engine import Program
from pellucid.feed import Feed
from pellucid.kernels.grid import Grid

SHAPE = (2, 3, 1)


class Decoded(Pictures):
    """Pictures that are decoded when they are wanted: number i is all i."""

    def __init__(self, count, dtype=np.uint8, positions=None, fails=None, slow=()):
        levels = 256 if dtype is np.uint8 else 65536
        table = np.arange(levels, dtype=np.float32)[:, None]
        super().__init__(table, None, range(count), Header(*SHAPE, "bytes"), positions=positions)
        self.fails, self.slow, self.reads = fails, slow, []

    def read(self, index):
        self.reads.append(index)
        if index in self.slow:
            sleep(0.005)
        if index == self.fails:
            raise ValueError(f"picture {index} is gone")
        return np.full(SHAPE, index % 256, self.dtype)


def threads_alive():
    return [each for each in threading.enumerate() if each.name.startswith("pellucid-pictures")]


def rows_of(rows, batch, total, order):
    """What the kernels see of an epoch, in as many steps a call as the feed allows."""
    grid = Grid(*SHAPE, pixel=16)
    x = np.zeros((batch, grid.size), np.float32)
    program, seen = Program([rows.operation(x, grid)]), []
    rows.begin(order)
    steps = -(-total // batch)
    for begin in range(0, steps, rows.steps):
        end = min(steps, begin + rows.steps)
        rows.wait(begin * batch, min(total, end * batch))
        for step in range(begin, end):
            program.run(step, step + 1, batch, total)
            seen.append(x[: min(batch, total - step * batch), grid.pixels].copy())
    return np.concatenate(seen)


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(1, 90),
    batch=st.integers(1, 40),
    ring=st.integers(1, 2000),
    epochs=st.integers(1, 3),
    data=st.data(),
)
def test_a_ring_shows_what_memory_would(count, batch, ring, epochs, data):
    """Whatever the ring's size: each row in its place, each decoded once an epoch."""
    slow = data.draw(st.sets(st.integers(0, count - 1), max_size=3))
    pictures = Decoded(count, slow=slow)
    shuffled = np.random.default_rng(count)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(feed, "RING_BYTES", ring)
        with Feed(pictures, batch) as rows:
            for _ in range(epochs):
                order = shuffled.permutation(count)
                found = rows_of(rows, batch, count, order)
                np.testing.assert_array_equal(found, np.repeat(order[:, None], 6, axis=1))
    assert sorted(pictures.reads) == sorted(list(range(count)) * epochs)
    assert not threads_alive()


@pytest.mark.parametrize("dtype", (np.uint8, np.uint16))
def test_levels_in_memory_are_looked_up(dtype):
    levels = np.random.default_rng(0).integers(0, 256, (20, *SHAPE)).astype(dtype)
    table = np.sqrt(np.arange(256 if dtype is np.uint8 else 65536, dtype=np.float32))[:, None]
    order = np.random.default_rng(1).permutation(20)
    with Feed(Pictures(table, levels), 6) as rows:
        found = rows_of(rows, 6, 20, order)
    np.testing.assert_array_equal(found, table[levels[order].reshape(20, -1), 0])
    assert not threads_alive()  # there were none


def test_the_ring_is_bounded(monkeypatch):
    monkeypatch.setattr(feed, "RING_BYTES", 6 * 64)
    with Feed(Decoded(10_000), 8) as rows:
        assert len(rows.rests) == 64
        assert rows.steps == 4  # half of the ring
        rows.begin(np.arange(10_000))
        rows.wait(0, 32)
        assert rows._asked == 64


def test_a_picture_that_fails_stops_the_epoch_and_the_threads(monkeypatch):
    monkeypatch.setattr(feed, "RING_BYTES", 1)
    with pytest.raises(ValueError, match="picture 33 is gone"):
        with Feed(Decoded(50, fails=33), 4) as rows:
            rows_of(rows, 4, 50, np.arange(50))
    assert not threads_alive()


def test_an_epoch_broken_off_leaves_nothing_of_it(monkeypatch):
    """Early stopping may begin the next epoch, or none, while threads still fill the ring."""
    monkeypatch.setattr(feed, "RING_BYTES", 6 * 48)
    pictures = Decoded(200, slow=range(200))
    with Feed(pictures, 8) as rows:
        rows.begin(np.arange(200))
        rows.wait(0, 8)
        order = np.arange(200)[::-1]
        found = rows_of(rows, 8, 200, order)
        np.testing.assert_array_equal(found[:, 0], order)
        rows.begin(np.arange(200))
        rows.wait(0, 8)
    assert not threads_alive()
