"""The order of an epoch: every row once, entered anywhere, the same however it is asked for."""

import hashlib
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pellucid import FCNNClassifier, FCNNRegressor, GRUClassifier
from pellucid.randomness import Stream
from pellucid.rows import Dense, Examples, InTurn, Targets, placed, unit_mean
from pellucid.training import orders
from pellucid.training.orders import BLOCK, GROUP, InBlocks

some = settings(derandomize=True, max_examples=60)
QUICK = {"hidden_dim": 8, "max_epochs": 3, "random_state": 3, "verbose": 0}


def of_epoch(shuffle, rows, seed, epoch):
    chosen = SimpleNamespace(shuffle=shuffle, seed=seed)
    return orders.of_epoch(chosen, Dense(np.empty((rows, 0))), epoch)


def by_hand(rows, seed, epoch):
    """The order as docs/estimators.md tells it, all at once."""
    stream = Stream(seed, "order", epoch)
    blocks = [np.arange(rows)[512 * block :][:512] for block in range(-(-rows // 512))]
    mixed = [blocks[number] for number in stream.permutation(len(blocks))]
    groups = [np.concatenate(mixed[begin : begin + 16]) for begin in range(0, len(mixed), 16)]
    return np.concatenate([group[stream.permutation(len(group))] for group in groups])


@some
@given(st.integers(1, 60_000), st.integers(0, 2**63 - 1), st.integers(0, 1000))
@example(GROUP, 0, 0)
@example(GROUP + 1, 0, 0)
@example(3 * GROUP - 1, 5, 1)
def test_every_row_comes_once_in_the_order_that_is_told(rows, seed, epoch):
    order = of_epoch("blocks", rows, seed, epoch)
    assert len(order) == rows
    assert (order[:] == by_hand(rows, seed, epoch)).all()
    assert (np.sort(order[:]) == np.arange(rows)).all()


@some
@given(st.data())
def test_it_is_the_same_for_any_way_of_asking(data):
    rows = data.draw(st.integers(1, 4 * GROUP))
    whole = by_hand(rows, 7, 2)
    order = of_epoch("blocks", rows, 7, 2)
    for _ in range(data.draw(st.integers(1, 8))):  # forth and back, as where a fit is resumed
        first = data.draw(st.integers(0, rows))
        last = data.draw(st.integers(first, rows))
        assert (order[first:last] == whole[first:last]).all()


DIGESTS = ["4615f94453b74824", "8f3eaa1bbd38d1fd"]


def test_orders_never_change():
    # a checkpoint and every seed of every user depend on them
    digests = [
        hashlib.sha256(array.astype("<i8").tobytes()).hexdigest()[:16]
        for array in (of_epoch("blocks", 20_000, 3, 4)[:], placed(3, 20_000))
    ]
    assert digests == DIGESTS


def test_rows_in_turn_and_fully_mixed():
    assert InTurn(7)[2:5].tolist() == [2, 3, 4] and len(InTurn(7)) == 7
    assert (of_epoch("full", 100, 3, 1)[:] == Stream(3, "order", 1).permutation(100)).all()


def test_an_order_holds_no_more_than_a_group():
    order = InBlocks(50_000_000, Stream(0, "order"))
    assert len(order[49_999_000:50_000_000]) == 1000
    held = sum(part.nbytes for part in (order._blocks, order._kept[1]))
    assert held <= 8 * (50_000_000 / BLOCK + GROUP) + 8


def classified(rows=700):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows, 5)).astype(np.float32)
    return X, np.where(X[:, 0] + X[:, 1] > 0, "yes", "no")


def test_blocks_of_few_rows_learn_as_well_and_otherwise():
    X, y = classified()
    full, blocks = (
        FCNNClassifier(shuffle=shuffle, **QUICK).fit(X, y) for shuffle in ("full", "blocks")
    )
    usual = FCNNClassifier(**QUICK).fit(X, y)
    assert usual.digest_ == full.digest_ != blocks.digest_
    assert blocks.score(X, y) == pytest.approx(full.score(X, y), abs=0.05)
    with pytest.raises(ValueError, match="shuffle of FCNNClassifier must be"):
        FCNNClassifier(shuffle="block", verbose=0).fit(X, y)


def test_a_fit_in_blocks_is_a_fit_on_placed_rows_with_the_order_given(monkeypatch):
    X, y = classified(9000)
    model = FCNNClassifier(shuffle="blocks", dtype="float64", **QUICK).fit(X, y)
    at = placed(3, len(X))
    monkeypatch.setattr(
        orders, "of_epoch", lambda _, rows, epoch, mixed: at[by_hand(len(rows), 3, epoch)]
    )
    assert (
        FCNNClassifier(shuffle="full", dtype="float64", **QUICK).fit(X, y).network_.values
        == model.network_.values
    ).all()


def test_rows_at_the_last_places_validate():
    X, y = classified()
    weight = np.random.default_rng(1).uniform(0.5, 2, len(X))
    weight[::7] = 0.0  # these have no place
    stops = {"early_stopping": True, "validation_fraction": 0.25}
    model = FCNNRegressor(shuffle="blocks", **stops, **QUICK)
    number = X[:, 0] - X[:, 2]
    model.fit(X, number, weight)
    used = np.flatnonzero(weight)
    at = used[placed(3, len(used))]
    aside = int(0.25 * len(used) + 0.5)
    held = at[-aside:]
    by_hand = model._examples(X[held], number[held])
    weights = unit_mean(
        unit_mean(weight[used] / 2).astype(np.float32)[placed(3, len(used))[-aside:]]
    )
    found = model.network_
    from pellucid.network.passes import Measurement

    both = Examples(by_hand.rows, Targets.by_row(by_hand.targets.values, weights))
    with Measurement(found.chain, found.held, both, "mean_squared_error") as measurement:
        best = model.history_.best("validation_loss")["validation_loss"]
        assert measurement.measure()[0] == best


def test_sequences_with_targets_by_step_are_mixed_in_blocks_too():
    rng = np.random.default_rng(2)
    X = [rng.normal(size=(steps, 2)) for steps in rng.integers(2, 6, 40)]
    y = [np.where(one[:, 0] > 0, "a", "b") for one in X]
    quick = {"return_sequences": True, "max_epochs": 2, "random_state": 0, "verbose": 0}
    models = [
        GRUClassifier(4, shuffle=shuffle, **quick).fit(X, y) for shuffle in ("full", "blocks")
    ]
    assert models[0].digest_ != models[1].digest_


def test_targets_keep_their_weights_in_another_order():
    targets = Targets.by_row(np.arange(3.0)[:, None], np.array([3.0, 2.0, 1.0]))
    examples = Examples(Dense(np.arange(6.0).reshape(3, 2)), targets)
    moved = examples.in_order(np.array([2, 0, 1]))
    assert moved.targets.weight.tolist() == [1.0, 3.0, 2.0]
    assert moved.rows.values[:, 0].tolist() == [4.0, 0.0, 2.0]
    assert moved.targets.values.ravel().tolist() == [2.0, 0.0, 1.0]
