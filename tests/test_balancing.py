"""Balanced batches: each class equally often, the same on any number of threads, and refusals."""

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import recall_score

from pellucid import CNNClassifier, FCNNClassifier, GRUClassifier, NetworkClassifier, load
from pellucid.data import picture_encoder
from pellucid.layers import LSTM
from pellucid.network.passes import TrainingPass
from pellucid.randomness import Stream
from pellucid.rows import Dense, Examples, Targets
from pellucid.training.balancing import balanced_order, of_equal_classes

QUICK = {"hidden_dim": 8, "max_epochs": 3, "random_state": 0, "verbose": 0}


def order_of(classes, epoch=0, seed=0):
    return balanced_order(np.asarray(classes), Stream(seed, "order", epoch))


@pytest.mark.parametrize(
    "counts", ((1,), (7,), (1, 1), (97, 3), (3, 97), (50, 1, 30), (5, 5, 5, 5), (1, 1000))
)
def test_each_class_comes_equally_often_in_every_batch(counts):
    rng = np.random.default_rng(0)
    classes = rng.permutation(np.repeat(np.arange(len(counts)), counts))
    rows, kinds = len(classes), len(counts)
    order = order_of(classes)
    assert order.shape == (rows,) and order.dtype == np.int64
    drawn = classes[order]
    for begin in range(0, rows, kinds):
        assert len(np.unique(drawn[begin : begin + kinds])) == min(kinds, rows - begin)
    for kind in range(kinds):
        own = order[drawn == kind]
        for begin in range(0, len(own), counts[kind]):  # none again before all others
            part = own[begin : begin + counts[kind]]
            assert len(np.unique(part)) == len(part)


def test_orders_differ_by_epoch_and_seed_and_reach_all_rows():
    classes = np.arange(200) % 20 == 0
    orders = [order_of(classes, epoch) for epoch in range(20)]
    assert len({order.tobytes() for order in orders}) == 20
    assert order_of(classes, seed=1).tobytes() != orders[0].tobytes()
    assert order_of(classes).tobytes() == orders[0].tobytes()
    assert len(np.unique(orders)) == 200
    for name in ("b", "a"):  # of any kind
        letters = np.where(classes, name, "c")
        assert len(np.unique(order_of(letters)[letters[order_of(letters)] == name])) == 10


def rare(rows=600, share=0.05):
    rng = np.random.default_rng(0)
    y = (np.arange(rows) < share * rows).astype(int)
    return rng.normal(1.5 * y[:, None], 1, (rows, 2)), y


@pytest.mark.parametrize("batch_size", (32, "full"))
def test_the_rare_class_is_found(batch_size):
    X, y = rare()
    options = {**QUICK, "max_epochs": 20, "batch_size": batch_size, "learning_rate": 0.03}
    plain = FCNNClassifier(**options).fit(X[1::2], y[1::2])
    balanced = FCNNClassifier(**options, balanced_batches=True).fit(X[1::2], y[1::2])
    found = [recall_score(y[::2], model.predict(X[::2])) for model in (plain, balanced)]
    assert found[1] > found[0] + 0.2


def test_balanced_classes_need_no_balance_and_a_pass_draws_it(monkeypatch):
    orders = []
    calls = TrainingPass.calls

    def seen(self, order, *more):
        orders.append(order.copy())
        return calls(self, order, *more)

    monkeypatch.setattr(TrainingPass, "calls", seen)
    X, y = rare(40, 0.1)
    FCNNClassifier(**QUICK, balanced_batches=True).fit(X, np.array(["no", "yes"])[y])
    assert len(orders) == 3
    for order in orders:
        assert y[order].sum() == 20
    FCNNClassifier(**QUICK, balanced_batches=True).fit(X, np.arange(40) % 4)
    assert all(np.array_equal(np.sort(order), np.arange(40)) for order in orders[3:])


@pytest.mark.parametrize("n_jobs", (2, 5))
def test_threads_change_nothing(n_jobs, monkeypatch):
    monkeypatch.setattr("pellucid.network.chain.THREAD_WORK", 1)
    X, y = rare(90)
    y[50:60] = 2
    weight = np.random.default_rng(0).uniform(0.5, 2, 90)
    base, found = (
        FCNNClassifier(**QUICK, balanced_batches=True, n_jobs=jobs).fit(X, y, weight)
        for jobs in (1, n_jobs)
    )
    assert found.digest_ == base.digest_


def test_rows_of_every_kind_may_come_again(tmp_path, monkeypatch):
    """The same model from pictures in memory and decoded anew; sequences and tokens train too."""
    rng = np.random.default_rng(0)
    levels, y = rng.integers(0, 256, (30, 9, 8, 3), dtype=np.uint8), np.arange(30) % 6 == 0
    paths = [str(tmp_path / f"{i:02}.png") for i in range(30)]
    for path, picture in zip(paths, levels, strict=True):
        Image.fromarray(picture).save(path)
    options = {**QUICK, "channels": 4, "balanced_batches": True, "batch_size": 7}
    options["augment"] = ["flip", "cutmix"]
    expected = CNNClassifier(**options).fit(levels, y)
    monkeypatch.setattr(picture_encoder, "size_in_bytes", lambda *_: 0)
    found = CNNClassifier(**options).fit(paths, y)
    np.testing.assert_array_equal(found.predict_proba(levels), expected.predict_proba(levels))
    found.save(tmp_path / "model.safetensors")
    assert load(tmp_path / "model.safetensors").balanced_batches is True
    sequences = [rng.normal(size=(n, 2)) for n in rng.integers(1, 9, 30)]
    texts = [" ".join(rng.choice(list("abcdef"), 5)) for _ in range(30)]
    for X in (sequences, texts):
        model = GRUClassifier(**QUICK, balanced_batches=True, tbptt_steps=3).fit(X, y)
        assert np.isfinite(model.loss_)


def test_going_on_by_parts():
    X, y = rare(100)
    model = FCNNClassifier(**QUICK, balanced_batches=True)
    for _ in range(2):
        model.partial_fit(X, y, classes=[0, 1, 2])
    assert model.n_iter_ == 2 and np.isfinite(model.loss_)


def test_where_there_is_nothing_to_balance():
    X, y = rare(40)
    model = FCNNClassifier(**QUICK, balanced_batches=True)
    sets = np.stack([y, 1 - y], axis=1)
    with pytest.raises(ValueError, match=(
        "^balanced_batches of FCNNClassifier must be False where rows have sets of labels, not one "
        "class each. Got True.$"
    )):  # fmt: skip
        model.fit(X, sets)
    with pytest.raises(ValueError, match=(
        "^balanced_batches of FCNNClassifier must be False where class_weight is given, else rare "
        "classes count twice. Got class_weight='balanced'. Leave out one of the two.$"
    )):  # fmt: skip
        FCNNClassifier(class_weight="balanced", balanced_batches=True).fit(X, y)
    steps = GRUClassifier(**QUICK, return_sequences=True, balanced_batches=True)
    with pytest.raises(
        ValueError, match="must be False where steps have labels: rows have several"
    ):
        steps.fit(np.zeros((6, 4, 1)), np.arange(24).reshape(6, 4) % 2)
    going_on = NetworkClassifier([LSTM(4, stateful=True)], balanced_batches=True, verbose=0)
    with pytest.raises(
        ValueError, match="must be False where layers are stateful: rows go on from"
    ):
        going_on.fit(np.zeros((40, 4, 1)), y)
    with pytest.raises(TypeError, match="balanced_batches of FCNNClassifier must be True or False"):
        FCNNClassifier(balanced_batches="yes").fit(X, y)


def test_weights_are_those_within_a_class():
    """A class of weight 20 would count 20 times, and come as often as the others."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(120, 4)), np.arange(120) % 6 == 0
    weight = np.where(y, 20.0, 1.0) * np.where(np.arange(120) % 2, 1.0, 3.0)
    model = FCNNClassifier(8, max_epochs=4, balanced_batches=True, random_state=0, verbose=0)
    model.fit(X, y, sample_weight=weight)
    assert max(model.history_["accuracy"]) <= 1


def test_each_class_has_weights_of_mean_one():
    classes, weight = np.array([0, 0, 0, 1]), np.array([1.0, 2.0, 3.0, 20.0])
    examples = Examples(Dense(np.zeros((4, 1))), Targets.by_row(classes, weight))
    found = of_equal_classes(examples).targets.weight
    np.testing.assert_allclose(found, [0.5, 1.0, 1.5, 1.0])
