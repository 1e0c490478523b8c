"""Rows for the kernels: all there when they are wanted, in the order of the epoch."""

import threading
from dataclasses import replace
from time import sleep

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid import Network
from pellucid.engine import Program, operation
from pellucid.kernels.grid import Grid, lines
from pellucid.kernels.operations.batches import gather
from pellucid.layers import LSTM, Dropout, Linear, ReLU
from pellucid.network.passes import TrainingPass
from pellucid.rows import (
    DecodedPictures,
    Dense,
    Examples,
    Pictures,
    Rows,
    ScaledWindows,
    Sequences,
    Targets,
    as_rows,
    pictures,
    unit_mean,
)
from pellucid.training.loop import Trainer
from pellucid.training.optimizers import Adam
from pellucid.training.schedules import Constant
from pellucid.training.settings import Settings

SHAPE = (2, 3, 1)
NONE_ABSENT = np.zeros(0, np.int64)


class Decoded:
    """Pictures that are decoded when they are wanted: number i is all i."""

    def __init__(self, count, dtype=np.uint8, fails=None, slow=()):
        levels = 256 if dtype is np.uint8 else 65536
        table = np.arange(levels, dtype=np.float32)[:, None]
        self.rows = DecodedPictures(table, np.arange(count), SHAPE, self.decode, bytes)
        self.fails, self.slow, self.reads = fails, slow, []

    def decode(self, position):
        self.reads.append(position)
        if position in self.slow:
            sleep(0.005)
        if position == self.fails:
            raise ValueError(f"picture {position} is gone")
        return np.full(SHAPE, position % 256, self.rows.dtype)


def threads_alive():
    return [each for each in threading.enumerate() if each.name.startswith("pellucid-pictures")]


def rows_of(reader, order):
    """What the kernels see of an epoch, in as many steps a call as the reader allows."""
    grid, batch, total = Grid(*SHAPE, pixel=16), reader.batch, len(reader.rows)
    x = np.zeros((batch, grid.size), np.float32)
    program, seen = Program([reader.gather(x, grid, NONE_ABSENT)]), []
    reader.begin(order)
    steps = -(-total // batch)
    for begin in range(0, steps, reader.steps):
        end = min(steps, begin + reader.steps)
        reader.wait(begin * batch, min(total, end * batch))
        for step in range(begin, end):
            program.run(step, step + 1, batch, total)
            seen.append(x[: min(batch, total - step * batch), grid.pixels].copy())
    return np.concatenate(seen)


@settings(max_examples=60)
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
    decoded = Decoded(count, slow=slow)
    shuffled = np.random.default_rng(count)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pictures, "RING_BYTES", ring)
        with decoded.rows.reader(batch) as reader:
            for _ in range(epochs):
                order = shuffled.permutation(count)
                seen = rows_of(reader, order)
                np.testing.assert_array_equal(seen, np.repeat(order[:, None], 6, axis=1))
    assert sorted(decoded.reads) == sorted(list(range(count)) * epochs)
    assert not threads_alive()


@pytest.mark.parametrize("dtype", (np.uint8, np.uint16))
def test_levels_in_memory_are_looked_up(dtype):
    levels = np.random.default_rng(0).integers(0, 256, (20, *SHAPE)).astype(dtype)
    table = np.sqrt(np.arange(256 if dtype is np.uint8 else 65536, dtype=np.float32))[:, None]
    order = np.random.default_rng(1).permutation(20)
    with Pictures(table, levels).reader(6) as reader:
        seen = rows_of(reader, order)
    np.testing.assert_array_equal(seen, table[levels[order].reshape(20, -1), 0])
    assert not threads_alive()  # there were none


def test_the_ring_is_bounded(monkeypatch):
    monkeypatch.setattr(pictures, "RING_BYTES", 6 * 64)
    with Decoded(10_000).rows.reader(8) as reader:
        assert len(reader.ring) == 64
        assert reader.steps == 4  # half of the ring
        reader.begin(np.arange(10_000))
        reader.wait(0, 32)
        assert reader._asked == 64


def test_a_picture_that_fails_stops_the_epoch_and_the_threads(monkeypatch):
    monkeypatch.setattr(pictures, "RING_BYTES", 1)
    with pytest.raises(ValueError, match="picture 33 is gone"):
        with Decoded(50, fails=33).rows.reader(4) as reader:
            rows_of(reader, np.arange(50))
    assert not threads_alive()


def test_an_epoch_broken_off_leaves_nothing_of_it(monkeypatch):
    """Early stopping may begin the next epoch, or none, while threads still fill the ring."""
    monkeypatch.setattr(pictures, "RING_BYTES", 6 * 48)
    with Decoded(200, slow=range(200)).rows.reader(8) as reader:
        reader.begin(np.arange(200))
        reader.wait(0, 8)
        order = np.arange(200)[::-1]
        seen = rows_of(reader, order)
        np.testing.assert_array_equal(seen[:, 0], order)
        reader.begin(np.arange(200))
        reader.wait(0, 8)
    assert not threads_alive()


# -- a kind of rows of one's own -----------------------------------------------------------------


class Mapped(Rows):
    """Rows in a file that is mapped into memory: all that a new kind has to say."""

    def __init__(self, values):
        self.values = values

    @property
    def shape(self):
        return self.values.shape

    def take(self, index):
        return Mapped(np.ascontiguousarray(self.values[index]))

    def row(self, position):
        return np.array(self.values[position])

    def gather(self, slots, x, grid, absent, back):
        (runs,), length = lines(grid)
        return operation(gather(data=self.values, slots=slots, x=x, lines=runs, length=length))


@pytest.fixture
def mapped(tmp_path):
    values = np.random.default_rng(0).normal(size=(70, 5)).astype(np.float32)
    values.tofile(tmp_path / "rows.bin")
    return Mapped(np.memmap(tmp_path / "rows.bin", np.float32, "r", shape=values.shape)), values


def network():
    return Network([Linear(9), ReLU(), Dropout(0.1), Linear(2)]).build(5, random_state=0)


def test_a_network_is_fed_from_a_kind_of_rows_that_it_does_not_know(mapped):
    """Prediction, gradients, a measurement and a whole training are those of an array."""
    rows, values = mapped
    y = values[:, :2] * values[:, 2:3]
    np.testing.assert_array_equal(network().forward(rows), network().forward(values))
    for name, gradient in network().gradients(rows, y, "mean_squared_error")[1].items():
        expected = network().gradients(values, y, "mean_squared_error")[1][name]
        np.testing.assert_array_equal(gradient, expected)
    chosen = Settings(
        loss="mean_squared_error", optimizer=Adam(), learning_rate=0.01, schedule=Constant(),
        weight_decay=0.1, clip_norm=1.0, max_epochs=3, batch_size=16, seed=4,
    )  # fmt: skip
    trained = []
    for each_kind in (rows, Dense(values)):
        model = network()
        trainer = Trainer(model, chosen)
        examples = Examples(each_kind, Targets.by_row(y, np.ones(70, np.float32)))
        trainer.fit(examples.take(np.arange(60)), examples.take(np.arange(60, 70)))
        trained.append((model.values, trainer.history["validation_loss"]))
    np.testing.assert_array_equal(trained[0][0], trained[1][0])
    assert trained[0][1] == trained[1][1]


def test_rows_that_cannot_be_gathered_in_pieces_are_not_cut(mapped):
    recurrent = Network([LSTM(3), Linear(1)]).build((9, 2))
    rows = Mapped(np.zeros((4, 9, 2), np.float32))
    examples = Examples(rows, Targets.by_row(np.zeros((4, 1))))
    with pytest.raises(TypeError, match="gathered so. Got Mapped. Define its in_pieces"):
        TrainingPass(
            recurrent.chain, recurrent.held, examples, "mean_squared_error", 4,
            tbptt_steps=3,
        )  # fmt: skip


# -- windows in a scale of their own --------------------------------------------------------------


def scaled(ahead=0, relative=2, others=3, dtype=np.float32, count=9, steps=4):
    """Windows on 30 steps, with a missing number, a flat window and one of huge numbers."""
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=(30, relative))
    numbers[7, :1], numbers[12, :1] = np.nan, 1e300
    scale = rng.uniform(0.5, 2, size=(count, relative))
    scale[3] = 1e-12
    return ScaledWindows(
        numbers, rng.normal(size=(count, relative)), scale,
        rng.normal(size=(30, others)).astype(dtype), (np.arange(others) % 2).astype(np.int64),
        rng.permutation(np.arange(30 - steps - ahead))[:count].astype(np.int64), steps + ahead,
        ahead,
    )  # fmt: skip


def by_definition(rows, position):
    """A window step by step, number by number, as the kernel's header says it."""
    width, past = rows.shape[2], rows.steps - rows.ahead
    found = np.zeros((rows.steps, width))
    for t in range(rows.steps):
        at, count = rows.starts[position] + t, rows.relative.shape[1]
        if t < past:
            with np.errstate(over="ignore"):
                number = (rows.relative[at] - rows.shift[position]) / rows.scale[position]
            found[t, :count] = np.nan_to_num(np.clip(number, -1e9, 1e9))
        seen = (rows.known == 1) | (t < past)
        found[t, count : count + len(seen)] = np.where(seen, rows.others[at], 0)
        if rows.ahead:
            found[t, -1] = t >= past
    return found.astype(rows.others.dtype)


@pytest.mark.parametrize("dtype", (np.float32, np.float64))
@pytest.mark.parametrize("sizes", ((2, 3), (0, 1), (1, 0), (9, 17)))
@pytest.mark.parametrize("ahead", (0, 1, 3))
def test_a_window_is_its_numbers_in_its_own_scale(ahead, sizes, dtype):
    """Row and kernel alike, in any order of rows, at the edge of the network and inside it."""
    rows = scaled(ahead, *sizes, dtype)
    order = np.array([3, 0, 8, 5, 5, 1])
    for padding in (0, 1):  # of Conv1d, which puts steps before the first one
        x = np.zeros((4, (rows.steps + 2 * padding) * 32), dtype)
        border = ((0, 0), (padding, padding))
        grid = Grid(1, rows.steps, rows.shape[2], pixel=32, border=border)
        program = Program([rows.gather(order, x, grid, NONE_ABSENT, 0)])
        for begin, end in ((0, 4), (4, 6)):
            program.run(begin // 4, begin // 4 + 1, 4, 6)
            for place, position in enumerate(order[begin:end]):
                expected = by_definition(rows, position)
                np.testing.assert_array_equal(rows.row(position), expected)
                line = x[place].reshape(-1, 32)
                inner = line[padding : padding + rows.steps]
                np.testing.assert_array_equal(inner[:, : rows.shape[2]], expected)
                assert not inner[:, rows.shape[2] :].any()
                assert not line[:padding].any() and not line[padding + rows.steps :].any()
    taken = rows.take(order)
    np.testing.assert_array_equal(np.asarray(taken)[1], by_definition(rows, 0))
    assert taken.relative is rows.relative  # the steps are shared
    pieces = rows.in_pieces()
    np.testing.assert_array_equal(pieces.row(5), by_definition(rows, 5))
    assert rows.as_type(np.float64).row(0).dtype == np.float64


def test_windows_that_do_not_lie_inside_their_steps_are_refused():
    """The kernel checks no bounds."""
    good = scaled(ahead=1)
    for change, words in (
        ({"starts": good.starts + 21}, "must lie in the 30 steps of values. Got 5 from step"),
        ({"starts": good.starts - 21}, "must lie in the 30 steps of values. Got 5 from step"),
        ({"relative": good.relative[1:]}, r"relative of ScaledWindows .* \(30, 2\). Got \(29, 2"),
        ({"shift": good.shift[:, :1]}, r"shift of ScaledWindows must have the shape \(9, 2\)"),
        ({"scale": good.scale[1:]}, r"scale of ScaledWindows must have the shape \(9, 2\)"),
        ({"known": good.known[1:]}, r"known of ScaledWindows must have the shape \(3,\)"),
        ({"ahead": 5}, "that lie ahead must be fewer than all 5. Got 5"),
        ({"ahead": -1}, "that lie ahead must be fewer than all 5. Got -1"),
    ):
        with pytest.raises(ValueError, match=words):
            replace(good, **change)


# -- each kind by itself -------------------------------------------------------------------------


def kinds():
    rng = np.random.default_rng(0)
    levels = rng.integers(0, 256, (9, *SHAPE)).astype(np.uint8)
    table = np.arange(256, dtype=np.float32)[:, None] / 7
    steps = Sequences.from_list([rng.normal(size=(n, 2)) for n in (3, 1, 4, 2, 2, 5, 1, 3, 2)])
    return {
        "dense": Dense(rng.normal(size=(9, 4)).astype(np.float32)),
        "pictures": Pictures(table, levels),
        "decoded": DecodedPictures(table, np.arange(9), SHAPE, lambda place: levels[place], bytes),
        "sequences": steps,
        "windows": scaled(),
        "windows with steps ahead": scaled(ahead=2),
    }


@pytest.mark.parametrize("index", (slice(2, 5), np.array([7, 0, 7]), np.arange(9) % 2 == 0))
@pytest.mark.parametrize("kind", kinds())
def test_some_rows_are_those_rows(kind, index):
    rows = kinds()[kind]
    some, positions = rows.take(index), np.arange(9)[index]
    assert len(some) == len(positions) and some.shape[1:] == rows.shape[1:]
    for place, position in enumerate(positions):
        np.testing.assert_array_equal(some.row(place), rows.row(position))


def test_rows_of_unequal_length_are_no_array():
    assert np.asarray(kinds()["dense"]).shape == (9, 4)
    with pytest.raises(ValueError, match=r"of one length .* Got rows of 1 to 5 steps"):
        np.asarray(kinds()["sequences"])


def test_rows_are_made_the_networks_type():
    assert as_rows([[1, 2], [3, 4]], "float32").values.dtype == np.float32
    steps = Sequences.from_list([np.ones((2, 3))], np.float64)
    assert as_rows(steps, "float32").values.dtype == np.float32
    assert isinstance(as_rows(steps, "float64"), Sequences)


def test_outputs_of_steps_that_are_there():
    outputs = np.arange(12.0).reshape(2, 3, 2)
    steps = Sequences.from_list([np.ones((2, 1)), np.ones((3, 1))])
    np.testing.assert_array_equal(steps.of_steps(outputs)[:, 0], [0, 2, 6, 8, 10])
    assert Dense(np.ones((2, 3, 1))).of_steps(outputs).shape == (6, 2)


@pytest.mark.parametrize(("size", "stride"), ((1, 1), (2, 1), (3, 2), (4, 2), (7, 4)))
def test_patches_hold_neighbouring_steps(size, stride):
    """Half a patch apart, up to the end; where the last is not full, the last step comes again."""
    rows = kinds()["sequences"]
    patched = rows.patched(size)
    for position in range(len(rows)):
        steps, expected, at = list(rows.row(position)), [], 0
        while True:
            patch = steps[at : at + size]
            expected.append(np.concatenate(patch + [steps[-1]] * (size - len(patch))))
            if at + size >= len(steps):
                break
            at += stride
        np.testing.assert_array_equal(patched.row(position), expected)
        alone = rows.take([position]).patched(size)
        np.testing.assert_array_equal(alone.row(0), expected)


@pytest.mark.parametrize(
    ("weight", "starts", "lengths", "words"),
    (
        (np.ones(3), [0], [4], r"one entry a target, the shape \(4,\). Got \(3,\)"),
        (
            np.ones(4),
            [0, 3],
            [3, 2],
            "must lie in the 4 steps of values. Got 2 from step 3 in row 1",
        ),
        (np.ones(4), [0, 1], [4], r"as many starts as lengths. Got \(2,\) and \(1,\)"),
        (np.ones(4), [2**62], [2**62], "must lie in the 4 steps of values"),
    ),
)
def test_targets_of_steps_lie_inside_their_values(weight, starts, lengths, words):
    with pytest.raises(ValueError, match=words):
        Targets.by_step(np.zeros(4), weight, np.array(starts), np.array(lengths))


def test_weights_of_steps_count_each_row_once():
    targets = Targets.by_step(np.zeros(5), np.arange(5.0), np.array([0, 2]), np.array([2, 3]))
    np.testing.assert_allclose(targets.scaled_weight, np.arange(5) / 5)  # 10 over two rows
    np.testing.assert_array_equal(targets.row_weight, [1, 1])
    one = targets.take(np.array([1]))
    np.testing.assert_allclose(one.scaled_weight[2:], np.arange(2, 5) / 9)


def test_unit_mean():
    np.testing.assert_allclose(unit_mean(np.array([1.0, 2.0, 6.0])), [1 / 3, 2 / 3, 2])
    ones = np.ones(5)
    assert unit_mean(ones) is ones


@pytest.mark.parametrize(
    ("starts", "lengths", "words"),
    [
        ([2**63 - 3], [5], "Got 5 from step 9223372036854775805 in row 0"),  # the sum wraps
        ([-1], [5], "Got 5 from step -1 in row 0"),
        ([0, 5], [5, 5], "Got 5 from step 5 in row 1"),
        ([0], [0], "Got 0 from step 0 in row 0"),
        (np.array([0], np.uint64), np.array([20], np.uint64), "must be int64. Got uint64"),
        ([0.0], [5.0], "must be int64. Got float64"),
    ],
)
def test_sequences_lie_inside_their_values(starts, lengths, words):
    with pytest.raises(ValueError, match=words):
        Sequences(np.zeros((9, 2), np.float32), np.asarray(starts), np.asarray(lengths), 5)


@pytest.mark.parametrize(
    ("lines", "channels", "dtype"),
    [(256, 3, np.uint16), (10, 3, np.uint8), (256, 1, np.uint8), (256, 3, np.int64)],
)
def test_each_level_has_a_value(lines, channels, dtype):
    """A level of 60,000 in a table of 256 lines was read from behind it."""
    levels = np.full((2, 4, 4, 3), 60_000 % (np.iinfo(dtype).max + 1), dtype)
    with pytest.raises(ValueError, match="must have a line for each of 256 or 65536 levels. Got"):
        Pictures(np.zeros((lines, channels), np.float32), levels)
