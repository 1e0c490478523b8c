"""What a training will take: about right, said where it is much, refused where it is too much."""

import numpy as np
import pytest

from pellucid import CNNClassifier, memory
from pellucid.layers import Conv2d, Flatten, Linear, MaxPool2d, ReLU
from pellucid.network.chain import Chain
from pellucid.training.cost import Cost
from pellucid.training.optimizers import Adam
from pellucid.training.schedules import Constant
from pellucid.training.settings import Settings

LAYERS = [Conv2d(8, 3, padding="same"), ReLU(), MaxPool2d(2), Flatten(), Linear(10)]


def cost(shape=(16, 16, 3), rows=1000, **changes):
    settings = {"loss": "", "optimizer": Adam(), "learning_rate": 0.1, "schedule": Constant(),
                "weight_decay": 0.0, "clip_norm": None, "max_epochs": 10, "batch_size": 32,
                "seed": 0}  # fmt: skip
    return Cost.of(Chain.of(LAYERS, shape), Settings(**{**settings, **changes}), rows)


def test_weights_are_counted():
    assert cost().weights == 3 * 9 * 8 + 8 + 8 * 8 * 8 * 10 + 10


def test_twice_as_much_takes_twice_as_long_and_larger_batches_more_memory():
    base = cost()
    assert cost(rows=2000).seconds == pytest.approx(2 * base.seconds, rel=0.05)
    assert cost(max_epochs=20).seconds == pytest.approx(2 * base.seconds)
    assert cost((32, 32, 3)).seconds > 3 * base.seconds
    assert base.bytes < cost(batch_size=64).bytes < cost(batch_size=64, dtype="float64").bytes
    assert cost(rows=8).bytes < base.bytes  # a batch has no more rows than there are


def test_shards_are_in_memory_one_at_a_time_with_their_sums():
    """Of wide layers and small batches the sums are more than what is saved."""
    whole = cost(batch_size=512)
    assert cost(batch_size=512, shards=8).bytes < whole.bytes / 4
    small = cost((4, 4, 3), batch_size=8)
    sums = 4 * 4 * small.weights  # of 8, 4, 2 and 1 shards, each of four bytes
    saved = cost((4, 4, 3), batch_size=8).bytes - cost((4, 4, 3), batch_size=1).bytes
    assert cost((4, 4, 3), batch_size=8, shards=8).bytes == small.bytes + sums - saved


def test_much_is_said_before_the_training(capsys):
    X = np.zeros((40, 96, 96, 3), np.uint8)
    X[::2] = 200
    model = CNNClassifier(channels=(64, 64), hidden_dim=2000, global_pool=False, max_epochs=1,
                          random_state=0)  # fmt: skip
    model.fit(X, [0, 1] * 20)
    said = " ".join("".join(capsys.readouterr()).split())
    words = r"pictures of 96 x 96: 73.8M weights; the training takes about 2.5 GB of memory and"
    assert words in said


def test_little_is_not_said(capsys):
    X = np.zeros((40, 8, 8), np.uint8)
    X[::2] = 200
    CNNClassifier(channels=4, max_epochs=1, random_state=0).fit(X, [0, 1] * 20)
    assert "the training takes" not in "".join(capsys.readouterr())


def test_what_does_not_fit_is_refused_before_it_is_allocated(monkeypatch):
    monkeypatch.setattr(memory, "memory_limit", lambda: 1e9)
    X = np.zeros((10, 400, 400, 3), np.uint8)
    words = (
        r"^the training of CNNClassifier on pictures of 400 x 400 must fit into the memory of "
        r"1\.0 GB that there is\. Got 2\.8 GB\. Set a smaller image_size, or fewer channels\.$"
    )
    model = CNNClassifier(image_size=400, global_pool=False, channels=(32, 64, 128), verbose=0)
    with pytest.raises(MemoryError, match=words):
        model.fit(X, [0, 1] * 5)
