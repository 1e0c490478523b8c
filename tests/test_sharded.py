"""Batches in shards: the gradient is that of the whole batch, and a shard can be computed alone."""

from functools import partial

import numpy as np
import pytest
from helpers import TOLERANCE
from hypothesis import given
from hypothesis import strategies as st

from pellucid import FCNNClassifier, FCNNRegressor, Network, NetworkClassifier, formulas
from pellucid.layers import (
    GRU,
    LSTM,
    BatchNorm,
    Conv2d,
    Dropout,
    Embedding,
    Flatten,
    LayerNorm,
    Linear,
    ReLU,
    Residual,
    Tanh,
)
from pellucid.network.passes import TrainingPass
from pellucid.network.sharded import LocalShards, ShardSums, by_pairs
from pellucid.network.windowed import WindowedTraining
from pellucid.rows import Dense, Examples, MemoryFeed, Sequences, Targets, unit_mean

RNG = np.random.default_rng(0)
WEIGHT = unit_mean(RNG.uniform(0.5, 2, 60))
CLASSES = RNG.integers(0, 3, 60)


def gradients(network, examples, loss, batch, shards, **options):
    """The gradient, loss and hits of each batch of an epoch whose weights stay as they are."""
    sums = ShardSums(network.held, shards)
    make = partial(TrainingPass, network.chain, network.held, examples, loss, **options)
    made = []
    with LocalShards(make, sums, batch, shards) as source:
        for loss, hits in source.batches(np.arange(len(examples)), sums.total, 0, 0):
            made.append((sums.total[: network.held.learning].copy(), loss, hits))
    return made


def table(dtype, columns=7):
    return Dense(RNG.normal(size=(60, columns)).astype(dtype))


def classes(rows):
    return Examples(rows, Targets.by_row(CLASSES, WEIGHT))


def sequences(dtype):
    arrays = [RNG.normal(size=(1 + 7 * i % 9, 2)) for i in range(60)]
    return Sequences.from_list(arrays, dtype)


def by_steps(dtype):
    rows = sequences(dtype)
    count = int(rows.lengths.sum())
    weight = RNG.uniform(0.5, 2, count)
    targets = Targets.by_step(RNG.integers(0, 3, count), weight, rows.starts, rows.lengths)
    return Examples(rows, targets)


def numbers(rows):
    return Examples(rows, Targets.by_row(RNG.normal(size=(60, 3)), WEIGHT))


NETWORKS = {
    "linear": ([Linear(9), Tanh(), Linear(3)], lambda t: classes(table(t))),
    "residual": (
        [Linear(8), Residual([LayerNorm(), Linear(8), ReLU()]), Linear(3)],
        lambda t: classes(table(t)),
    ),
    "convolution": (
        [Conv2d(4, 3), ReLU(), Flatten(), Linear(3)],
        lambda t: classes(Dense(RNG.normal(size=(60, 6, 5, 2)).astype(t))),
    ),
    "embedding": (
        [Embedding(11, 4), LSTM(5, return_sequences=False), Linear(3)],
        lambda t: classes(Dense(RNG.integers(0, 11, (60, 6, 1)).astype(t))),
    ),
    "unequal": ([GRU(5, return_sequences=False), Linear(3)], lambda t: classes(sequences(t))),
    "steps": ([LSTM(5, return_sequences=True), Linear(3)], by_steps),
}


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("name", NETWORKS)
def test_the_gradient_is_that_of_the_whole_batch(name, dtype):
    """60 rows in batches of 16: the last one has 12, so its last shard is missing or short."""
    layers, make = NETWORKS[name]
    examples = make(dtype)
    network = Network(layers).build(examples.rows.shape[1:], dtype, random_state=1)
    loss = "categorical_cross_entropy"
    whole = gradients(network, examples, loss, 16, 1)
    assert len(whole) == 4 and np.abs(whole[0][0]).max() > 1e-3
    for shards in (2, 4, 8, 16):
        for one, of_all in zip(gradients(network, examples, loss, 16, shards), whole, strict=True):
            scale = max(1.0, np.abs(of_all[0]).max())
            np.testing.assert_allclose(one[0], of_all[0], rtol=0, atol=TOLERANCE[dtype] * scale)
            np.testing.assert_allclose(one[1:], of_all[1:], rtol=1e-12)


@pytest.mark.parametrize("shards", (1, 4, 8))
def test_the_gradient_equals_the_formula(shards):
    """Of a weighted squared error, in float64 NumPy, with all rows as one batch."""
    x, t = RNG.normal(size=(60, 5)), RNG.normal(size=(60, 2))
    network = Network([Linear(2)]).build(5, "float64", random_state=1)
    examples = Examples(Dense(x), Targets.by_row(t, WEIGHT))
    [(gradient, loss, _)] = gradients(network, examples, "mean_squared_error", 60, shards)
    weight, bias = network.parameters()["0.weight"], network.parameters()["0.bias"]
    y = formulas.linear(x, weight, bias)
    dy = formulas.mean_squared_error_backward(y, t, WEIGHT)
    step = formulas.linear_backward(dy, x, weight)
    vector = network.held.values.copy()
    vector[: len(gradient)] = gradient
    made = network.held.named(vector)
    np.testing.assert_allclose(made["0.weight"], step.dW, rtol=0, atol=1e-12)
    np.testing.assert_allclose(made["0.bias"], step.db, rtol=0, atol=1e-12)
    assert loss / 60 == pytest.approx(formulas.mean_squared_error(y, t, WEIGHT), rel=1e-12)


def test_one_shard_is_the_pass_of_today():
    """To the bit, so that it does not matter by which way a batch of one shard is computed."""
    network = Network([Linear(9), ReLU(), Dropout(0.3), Linear(3)]).build(7, random_state=1)
    examples, loss = classes(table("float32")), "categorical_cross_entropy"
    [(gradient, *_)] = gradients(network, examples, loss, 60, 1, seed=3)
    with TrainingPass(network.chain, network.held, examples, loss, 60, seed=3) as training:
        list(training.calls(training.order, lambda: 1))
    np.testing.assert_array_equal(gradient, training.gradients)


def test_a_window_need_not_hold_whole_batches(monkeypatch):
    """Its steps are numbered anew from its beginning; shards are summed by their own numbers."""
    monkeypatch.setattr("pellucid.rows.feed.ROWS", 6)
    network = Network([Linear(9), ReLU(), Dropout(0.3), Linear(3)]).build(7, random_state=1)
    examples, totals = classes(table("float32")), []
    for kind, source in ((TrainingPass, examples), (WindowedTraining, MemoryFeed(examples))):
        sums = ShardSums(network.held, 8)
        make = partial(kind, network.chain, network.held, source, "categorical_cross_entropy")
        with LocalShards(make, sums, 16, 8) as shards:
            batches = shards.batches(np.arange(60), sums.total, 0, 3)
            totals.append([(sums.total.copy(), *made) for made in batches])
    assert len(totals[0]) == 4
    for one, other in zip(*totals, strict=True):
        np.testing.assert_array_equal(one[0], other[0])
        assert one[1:] == other[1:]


@pytest.mark.parametrize("group", (1, 2, 4))
def test_some_shards_can_be_computed_elsewhere(group):
    """Groups of shards, each by itself with the numbers of its steps, sum to the same bits."""
    layers = [Linear(9), ReLU(), Dropout(0.3), Linear(3)]
    network = Network(layers).build(7, random_state=1)
    examples, loss = classes(table("float32")), "categorical_cross_entropy"
    batch, shards, before = 16, 8, 5
    rows = batch // shards
    order = RNG.permutation(60)
    sums = ShardSums(network.held, shards)
    make = partial(TrainingPass, network.chain, network.held, examples, loss, seed=3)
    with LocalShards(make, sums, batch, shards) as source:
        whole = [sums.total.copy() for _ in source.batches(order, sums.total, 0, before)]
    for number, expected in enumerate(whole):
        of_batch, parts = order[number * batch : (number + 1) * batch], []
        for first in range(0, shards, group):
            index = of_batch[first * rows : (first + group) * rows]
            if not len(index):
                continue
            own = Examples(examples.rows.take(index), Targets.by_row(CLASSES[index], WEIGHT[index]))
            part = ShardSums(network.held, group)
            make = partial(TrainingPass, network.chain, network.held, own, loss, seed=3)
            part.begin(len(of_batch))
            with make(batch=rows, **part.options) as training:
                training.clock[2] = (before + number) * shards + first
                list(training.calls(training.order, lambda: group))
                parts.append(part.end(training.steps).copy())
        np.testing.assert_array_equal(by_pairs(parts), expected)


@given(st.integers(1, 16), st.integers(0, 4))
def test_sums_of_groups_sum_to_that_of_all(count, level):
    """However many shards there are, in groups of any power of two."""
    parts = list(np.random.default_rng(count).normal(size=(count, 3)).astype(np.float32))
    groups = [parts[begin : begin + 2**level] for begin in range(0, count, 2**level)]
    np.testing.assert_array_equal(by_pairs([by_pairs(each) for each in groups]), by_pairs(parts))


def test_what_layers_count_is_the_mean_over_the_shards():
    """Each shard moves the running statistics from where the batch began; the mean is kept."""
    network = Network([BatchNorm(momentum=0.25), Linear(1)]).build(3, "float64", random_state=0)
    network.set_parameters({"0.running_mean": [1.0, 2.0, 3.0]})
    x = RNG.normal(size=(20, 3))
    examples = Examples(Dense(x), Targets.by_row(np.zeros((20, 1))))
    sums = ShardSums(network.held, 4)
    make = partial(TrainingPass, network.chain, network.held, examples, "mean_squared_error")
    with LocalShards(make, sums, 16, 4) as source:
        batches = source.batches(np.arange(20), sums.total, 0, 0)
        for rows in ([4, 4, 4, 4], [4]):
            before = network.parameters()
            next(batches)
            sums.counts[:] = sums.total[network.held.learning :]
            after, begin = network.parameters(), 0 if len(rows) == 4 else 16
            for name, of_shard in (("running_mean", np.mean), ("running_variance", np.var)):
                there = [
                    of_shard(x[begin + 4 * i : begin + 4 * i + 4], axis=0) for i in range(len(rows))
                ]
                expected = 0.75 * before[f"0.{name}"] + 0.25 * np.mean(there, axis=0)
                np.testing.assert_allclose(after[f"0.{name}"], expected, rtol=1e-12)


X = RNG.normal(size=(150, 5)).astype(np.float32)
Y = (X[:, 0] * X[:, 1] > 0) * 1 + (X[:, 2] > 1)
USUAL = {"max_epochs": 3, "batch_size": 32, "random_state": 0, "verbose": 0}


@pytest.mark.parametrize("options", (
    {"optimizer": "sgd"}, {"optimizer": "rmsprop"}, {"optimizer": "adam", "clip_norm": 0.1},
    {"early_stopping": True, "patience": 1}, {"batch_size": "full"}, {"batch_size": 500},
    {"balanced_batches": True}, {"class_weight": "balanced"}, {"dtype": "float64"},
), ids=str)  # fmt: skip
def test_a_fit_with_shards_is_that_without_them_but_for_rounding(options):
    plain = FCNNClassifier(9, **USUAL | options).fit(X, Y)
    sharded = FCNNClassifier(9, shards=8, **USUAL | options).fit(X, Y)
    assert sharded.digest_ != plain.digest_ and sharded.n_iter_ == plain.n_iter_
    for name in ("loss", "accuracy"):
        np.testing.assert_allclose(
            sharded.history_.to_frame()[name], plain.history_.to_frame()[name], rtol=1e-4
        )
    np.testing.assert_allclose(sharded.predict_proba(X), plain.predict_proba(X), atol=1e-3)


def test_no_bit_depends_on_the_number_of_threads(monkeypatch):
    monkeypatch.setattr("pellucid.network.chain.THREAD_WORK", 1)
    layers = [Linear(20), BatchNorm(), ReLU(), Dropout(0.2)]
    digests = {
        NetworkClassifier(layers, shards=4, clip_norm=0.5, n_jobs=jobs, **USUAL).fit(X, Y).digest_
        for jobs in (1, 2, 3)
    }
    assert len(digests) == 1


def test_a_usual_batch_grows_to_a_multiple_of_the_shards():
    model = FCNNRegressor(4, shards=64, max_epochs=1, random_state=0, verbose=0)
    assert model.fit(X, X[:, 0]).n_iter_ == 1


@pytest.mark.parametrize(("options", "words"), (
    ({"shards": 3}, r"shards of FCNNClassifier must be a power of two, as 8\. Got 3\."),
    ({"shards": 0}, r"shards of FCNNClassifier must be a positive integer\. Got 0\."),
    ({"shards": 8, "batch_size": 12},
     r"batch_size of FCNNClassifier must be a multiple of shards=8\. Got 12\."),
), ids=str)  # fmt: skip
def test_shards_that_cannot_be_cut_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        FCNNClassifier(**USUAL | options).fit(X, Y)


def test_stateful_layers_are_refused():
    layers = [LSTM(4, stateful=True, return_sequences=False)]
    model = NetworkClassifier(layers, shards=2, **USUAL)
    with pytest.raises(
        ValueError, match="shards of NetworkClassifier must be 1 where layers are st"
    ):
        model.fit(X.reshape(150, 5, 1), Y)
