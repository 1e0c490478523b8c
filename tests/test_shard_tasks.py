"""Shards as tasks: pure, so that cut, repeated or moved as they may be, a fit has the same bits."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from pellucid import (
    CNNClassifier,
    FCNNClassifier,
    FCNNRegressor,
    LSTMRegressor,
    NetworkClassifier,
    RNNClassifier,
    scan,
)
from pellucid.data import windows
from pellucid.layers import BatchNorm, Dropout, Linear, ReLU
from pellucid.network import shard_tasks
from pellucid.network.shard_tasks import ShardTask, shard_gradient
from pellucid.training.loop import TrainingDiverged

RNG = np.random.default_rng(0)
X = RNG.normal(size=(150, 5)).astype(np.float32)
Y = (X[:, 0] * X[:, 1] > 0) * 1 + (X[:, 2] > 1)
PICTURES = RNG.integers(0, 256, (60, 10, 10), dtype=np.uint8)
TEXTS = [" ".join(f"w{word}" for word in row) for row in RNG.integers(0, 30, (60, 9))]


class Here:
    """Computes tasks in this process, so many a batch, each through its bytes."""

    words = "Each batch comes in shards."

    def __init__(self, numbers):
        self.numbers = iter(numbers)
        self.done = []

    @property
    def tasks(self):
        return next(self.numbers)

    def gradients(self, packed, weights, tasks):
        tasks = [ShardTask(*pickle.loads(pickle.dumps(tuple(task)))) for task in tasks]
        self.done += [(packed, weights.copy(), task) for task in tasks]
        return [shard_gradient(packed, weights, task) for task in tasks]


def elsewhere(model, numbers, *data, **options):
    """The model fitted by tasks, and what computed them."""
    model = clone(model)
    model._elsewhere = here = Here(numbers)
    model.fit(*data, **options)
    return model, here


def endless(numbers):
    while True:
        yield from numbers


USUAL = {"max_epochs": 2, "batch_size": 32, "shards": 8, "random_state": 0, "verbose": 0}


def series():
    y = [0.3]
    while len(y) < 120:
        y.append(3.9 * y[-1] * (1 - y[-1]))
    return windows(np.array(y), 6)


FITS = {
    "weights, dropout, clipping": lambda: (
        FCNNClassifier(9, dropout=0.2, clip_norm=0.1, class_weight="balanced", **USUAL), X, Y,
        RNG.uniform(0.5, 2, 150),
    ),
    "several numbers, float64": lambda: (
        FCNNRegressor(9, dtype="float64", optimizer="rmsprop", **USUAL), X, X[:, :2] ** 2,
    ),
    "batch normalisation": lambda: (
        NetworkClassifier([Linear(12), BatchNorm(), ReLU(), Dropout(0.1)], **USUAL), X, Y,
    ),
    "balanced batches, early stopping": lambda: (
        FCNNClassifier(9, balanced_batches=True, early_stopping=True, **USUAL), X, Y,
    ),
    "pictures, changed": lambda: (
        CNNClassifier(4, hidden_dim=8, augment="shift,cutmix,erase", **USUAL),
        PICTURES, PICTURES[:, :5].mean(axis=(1, 2)) > 127,
    ),
    "windows": lambda: (LSTMRegressor(4, **USUAL), *series()),
    "sequences, in pieces": lambda: (
        RNNClassifier(4, tbptt_steps=4, **USUAL), X[:, :, None].repeat(2, 1), Y,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FITS)
def test_a_fit_by_tasks_has_the_bits_of_one_without(name):
    """Whatever their number, which may change from batch to batch."""
    model, *data = FITS[name]()
    expected = clone(model).fit(*data).digest_
    for numbers in ([1], [8], [2, 4, 1, 8, 2]):
        fitted, here = elsewhere(model, endless(numbers), *data)
        assert fitted.digest_ == expected and here.done


def test_rows_on_disk_are_sent_as_those_in_memory(tmp_path):
    frame = pd.DataFrame({"a": X[:, 0], "b": np.tile(list("xyz"), 50), "y": Y})
    frame.to_parquet(tmp_path / "table.parquet")
    model = FCNNClassifier(9, shuffle="blocks", **USUAL)
    expected = clone(model).fit(frame, target="y").digest_
    table = scan(tmp_path / "table.parquet")
    fitted, here = elsewhere(model, endless([2, 4]), table, target="y")
    assert fitted.digest_ == expected and here.done


def test_a_task_gives_the_same_whenever_it_is_done():
    """Among those of another fit, and where what was laid out for it is gone."""
    _, first = elsewhere(FCNNClassifier(9, dropout=0.3, **USUAL), endless([2]), X, Y)
    _, second = elsewhere(FCNNRegressor(9, **USUAL), endless([4]), X, X[:, 0])
    expected = [shard_gradient(*one) for one in first.done]
    for kept in (True, False):
        for one, given in zip(expected[::-1], first.done[::-1], strict=True):
            if not kept:
                shard_tasks._kept.clear()
            shard_gradient(*second.done[0])
            again = shard_gradient(*given)
            np.testing.assert_array_equal(again.gradient, one.gradient)
            assert again[1:] == one[1:]


def test_only_some_of_what_was_laid_out_is_kept():
    for units in range(2, 5 + shard_tasks.MOST_KEPT):
        elsewhere(FCNNClassifier(units, **USUAL | {"max_epochs": 1}), endless([2]), X, Y)
    assert len(shard_tasks._kept) <= shard_tasks.MOST_KEPT


def test_what_a_task_brings_is_checked_before_a_kernel_sees_it():
    _, here = elsewhere(FCNNClassifier(9, **USUAL), endless([1]), X, Y)
    packed, weights, task = here.done[0]
    wrong = task._replace(values=task.values + 2)
    with pytest.raises(ValueError, match="must hold class indices from 0 to 2"):
        shard_gradient(packed, weights, wrong)


def test_a_loss_that_is_not_finite_is_said_as_ever():
    model = FCNNRegressor(9, optimizer="sgd", learning_rate=1e30, **USUAL)
    with pytest.raises(TrainingDiverged, match=r"loss of epoch 1 .* began in layer \d") as there:
        elsewhere(model, endless([2]), X, X[:, 0])
    with pytest.raises(TrainingDiverged) as here:
        clone(model).fit(X, X[:, 0])
    assert str(there.value) == str(here.value)


@pytest.mark.parametrize(("model", "data", "words"), (
    (RNNClassifier(4, **USUAL), ([[[1.0]] * (1 + row % 5) for row in range(60)], [0, 1] * 30),
     "sent to workers, or kept in a file, must be of one size. Got Sequences, as of texts"),
    (RNNClassifier(4, **USUAL), (TEXTS, [0, 1] * 30), "Got Sequences"),
    (RNNClassifier(4, return_sequences=True, **USUAL),
     (X[:60, :, None], np.tile([0, 1, 0, 1, 1], (60, 1))),
     "must have one target each. Got one for each step"),
), ids=("unequal", "texts", "steps"))  # fmt: skip
def test_rows_that_cannot_be_sent_are_refused(model, data, words):
    with pytest.raises((TypeError, ValueError), match=words):
        elsewhere(model, endless([2]), *data)
