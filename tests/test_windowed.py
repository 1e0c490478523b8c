"""Rows that are handed over some at a time train and measure as rows in memory, to the bit."""

from dataclasses import replace

import numpy as np
import pytest

from pellucid import Network
from pellucid.layers import (
    LSTM,
    BatchNorm,
    Conv2d,
    Dropout,
    Embedding,
    Flatten,
    Linear,
    ReLU,
)
from pellucid.network.passes import Measurement
from pellucid.network.windowed import WindowedMeasurement, WindowedTraining
from pellucid.rows import Dense, Examples, MemoryFeed, Pictures, Sequences, Targets, feed, unit_mean
from pellucid.training.augmentation import Augmentation
from pellucid.training.loop import Trainer, TrainingDiverged
from pellucid.training.optimizers import AdamW
from pellucid.training.schedules import Cosine
from pellucid.training.settings import Settings
from pellucid.training.stopping import EarlyStopping

RNG = np.random.default_rng


class HandedOver(Dense):
    """Rows in memory that are handed over some at a time, like those of a file."""

    def take(self, index):
        return HandedOver(np.ascontiguousarray(self.values[index]))

    def feed(self, targets):
        return MemoryFeed(Examples(Dense(self.values), targets))


class HandedPictures(Pictures):
    def take(self, index):
        return HandedPictures(self.table, np.ascontiguousarray(self.levels[index]))

    def feed(self, targets):
        return MemoryFeed(Examples(Pictures(self.table, self.levels), targets))


def chosen(**changes):
    usual = Settings(
        loss="categorical_cross_entropy", optimizer=AdamW(), learning_rate=0.01, schedule=Cosine(),
        weight_decay=0.1, clip_norm=None, max_epochs=3, batch_size=32, seed=5, accuracy=True,
        shuffle="blocks",
    )  # fmt: skip
    return replace(usual, **changes)


def targets(rows, kinds=3, dtype="float32", seed=1):
    rng = RNG(seed)
    weight = unit_mean(rng.uniform(0.5, 2, rows)).astype(dtype)
    return Targets.by_row(rng.integers(0, kinds, rows), weight)


def dense(rows, inputs=5, dtype="float32"):
    return RNG(0).normal(size=(rows, inputs)).astype(dtype)


def fitted(layers, rows, of_rows, settings, shape, validation=None, **options):
    network = Network(layers).build(shape, settings.dtype, random_state=2)
    trainer = Trainer(network, settings)
    outcome = trainer.fit(Examples(rows, of_rows), validation and Examples(*validation), **options)
    history = trainer.history.state()
    for row in history:
        del row["seconds"], row["rows_per_second"]
    return network.values.tobytes(), history, outcome.reason, outcome.best_epoch


@pytest.fixture(autouse=True)
def small_windows(monkeypatch):
    monkeypatch.setattr(feed, "ROWS", 96)


FLAT = [Linear(9), BatchNorm(), ReLU(), Dropout(0.3), Linear(3)]


@pytest.mark.parametrize(
    ("rows", "changes"),
    (
        (1000, {}),
        (1000, {"batch_size": 24}),
        (1031, {"batch_size": 7, "clip_norm": 0.3}),
        (96, {}),
        (97, {}),
        (191, {"batch_size": 200}),  # one batch takes all
        (300, {"batch_size": 128}),  # a batch is larger than half a window
        (700, {"dtype": "float64", "n_jobs": 1}),
        (700, {"shuffle": "full"}),
        (700, {"shards": 4, "clip_norm": 0.3}),
        (1031, {"shards": 8, "batch_size": 136}),
    ),
    ids=str,
)
def test_the_bits_are_those_of_rows_in_memory(rows, changes):
    settings = chosen(**changes)
    x, y = dense(rows, dtype=settings.dtype), targets(rows, dtype=settings.dtype)
    checks = dense(333, dtype=settings.dtype), targets(333, dtype=settings.dtype, seed=4)
    plain, windowed = (
        fitted(
            FLAT, kind(x), y, settings, 5, (kind(checks[0]), checks[1]), stopping=EarlyStopping(9)
        )
        for kind in (Dense, HandedOver)
    )
    assert plain == windowed


def test_blocks_and_windows_of_their_usual_size(monkeypatch):
    monkeypatch.setattr(feed, "ROWS", 1 << 14)
    x, y = dense(60_001, 2), targets(60_001)
    settings = chosen(max_epochs=2, batch_size=100)
    plain, windowed = (fitted([Linear(3)], kind(x), y, settings, 2) for kind in (Dense, HandedOver))
    assert plain == windowed


def test_numbers_and_labels_of_several_columns():
    for loss, values in (
        ("mean_squared_error", RNG(1).normal(size=(500, 3))),
        ("binary_cross_entropy", RNG(1).integers(0, 2, (500, 3)).astype(bool)),
    ):
        y = Targets.by_row(values, unit_mean(RNG(2).uniform(1, 2, 500)))
        plain, windowed = (
            fitted(FLAT, kind(dense(500)), y, chosen(loss=loss), 5) for kind in (Dense, HandedOver)
        )
        assert plain == windowed


@pytest.mark.parametrize("levels", (np.uint8, np.uint16))
def test_pictures_with_augmentation(levels):
    lines = 256 if levels == np.uint8 else 65536
    pictures = RNG(0).integers(0, lines, (150, 6, 6, 2)).astype(levels)
    table = RNG(1).normal(size=(lines, 2)).astype("float32")
    augmentation = Augmentation(flip=0.5, shift=0.1, cutmix=0.5)
    layers = [Conv2d(4, 3, padding=1), ReLU(), Flatten(), Linear(3)]
    plain, windowed = (
        fitted(
            layers,
            kind(table, pictures),
            targets(150),
            chosen(augmentation=augmentation),
            (6, 6, 2),
        )
        for kind in (Pictures, HandedPictures)
    )
    assert plain == windowed


@pytest.mark.parametrize("pieces", (None, 3))
def test_sequences_of_equal_length(pieces):
    x = RNG(0).normal(size=(300, 7, 2)).astype("float32")
    plain, windowed = (
        fitted([LSTM(5), Linear(3)], kind(x), targets(300), chosen(tbptt_steps=pieces), (7, 2))
        for kind in (Dense, HandedOver)
    )
    assert plain == windowed


def test_a_measurement_is_that_of_rows_in_memory():
    network = Network([Linear(3)]).build(5, random_state=0)
    for rows in (1, 95, 5000):
        examples = Examples(Dense(dense(rows)), targets(rows))
        loss = "categorical_cross_entropy"
        with Measurement(network.chain, network.held, examples, loss) as plain:
            fed = MemoryFeed(examples)
            with WindowedMeasurement(network.chain, network.held, fed, loss) as windowed:
                assert plain.measure() == windowed.measure() == windowed.measure()


class Ends(Exception):
    """What ends a fit in the middle."""


class Keeper:
    """Keeps a trainer's state at a step, and ends the fit there."""

    done = None

    def __init__(self, at):
        self.at, self.steps = at, 0

    def resume(self, trainer):
        pass

    def step(self, trainer):
        trainer._steps_a_call = 1
        self.steps += 1
        if self.steps == self.at:
            known, arrays = trainer.state_to_keep(False, True)
            self.kept = known, {name: part.copy() for name, part in arrays.items()}
            raise Ends

    def finish(self, trainer, outcome):
        pass


class Goes(Keeper):
    def __init__(self, kept):
        super().__init__(-1)
        self.kept = kept

    def resume(self, trainer):
        trainer.restore(*self.kept)


@pytest.mark.parametrize("at", (1, 3, 4, 17, 22))
def test_a_fit_goes_on_from_the_middle_of_an_epoch(at):
    x, y = dense(400), targets(400)
    layers, settings = FLAT, chosen(batch_size=24)
    whole = fitted(layers, Dense(x), y, settings, 5)
    keeper = Keeper(at)
    with pytest.raises(Ends):
        fitted(layers, HandedOver(x), y, settings, 5, keeper=keeper)
    assert fitted(layers, HandedOver(x), y, settings, 5, keeper=Goes(keeper.kept)) == whole


def test_a_loss_that_is_not_finite_is_told_with_its_layer():
    x = dense(500)
    x[400:] = 1e30
    settings = chosen(loss="mean_squared_error", learning_rate=1e20, batch_size=16)
    y = Targets.by_row(x[:, :3])
    plain, windowed = [], []
    for kind, words in ((Dense, plain), (HandedOver, windowed)):
        with pytest.raises(TrainingDiverged, match="of epoch 1 must be finite") as told:
            fitted(FLAT, kind(x), y, settings, 5)
        words.append(str(told.value))
    assert plain == windowed


def test_what_kernels_must_not_see_is_refused_as_it_comes():
    def training(layers, x, y, shape):
        network = Network(layers).build(shape, random_state=0)
        loss, examples = "categorical_cross_entropy", Examples(Dense(x), Targets.by_row(y))
        one = WindowedTraining(network.chain, network.held, MemoryFeed(examples), loss, 10)
        return lambda: list(one.calls(np.arange(len(x)), lambda: 3))

    y = np.zeros(500, np.int32)
    y[450] = 3
    with pytest.raises(ValueError, match="must hold class indices from 0 to 2. Got 0 to 3"):
        training([Linear(3)], dense(500), y, 5)()
    tokens = np.zeros((500, 4), "float32")
    tokens[490, 2] = 7
    with pytest.raises(ValueError, match="must be whole numbers from 0 to 5.* Got 7"):
        training([Embedding(6, 2), LSTM(3), Linear(3)], tokens, np.zeros(500, np.int64), (4,))()


def test_what_cannot_be_handed_over_is_refused():
    stateful = Network([LSTM(3, stateful=True), Linear(3)]).build((4, 2), random_state=0)
    x = RNG(0).normal(size=(20, 4, 2)).astype("float32")
    with pytest.raises(ValueError, match="layers that are stateful must have their rows in memory"):
        WindowedTraining(
            stateful.chain, stateful.held, MemoryFeed(Examples(Dense(x), targets(20))),
            "categorical_cross_entropy", 5,
        )  # fmt: skip
    steps = np.full(20, 4)
    by_step = Targets.by_step(np.zeros(80, int), np.ones(80), np.cumsum(steps) - steps, steps)
    with pytest.raises(ValueError, match="must have one target each. Got one for each step"):
        MemoryFeed(Examples(Dense(x), by_step))
    unequal = Sequences(x.reshape(-1, 2), np.cumsum(steps) - steps, steps, 4)
    with pytest.raises(TypeError, match="must be of one size. Got Sequences"):
        MemoryFeed(Examples(unequal, targets(20)))


def test_a_thread_that_fails_tells_why_and_is_gone_after():
    class Broken(MemoryFeed):
        def fill(self, first, *arrays):
            if first >= 192:
                raise OSError("the disk is gone.")
            super().fill(first, *arrays)

    network = Network([Linear(3)]).build(5, random_state=0)
    broken = Broken(Examples(Dense(dense(500)), targets(500)))
    with WindowedTraining(
        network.chain, network.held, broken, "categorical_cross_entropy", 16
    ) as training:
        for _ in range(2):  # the next epoch begins anew
            steps = []
            with pytest.raises(OSError, match="the disk is gone"):
                steps.extend(training.calls(np.arange(500), lambda: 6))
    assert all(end.happened for end in training.reader._workers._ends)
