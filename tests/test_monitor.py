"""What a Monitor keeps of a fit, and that the fit does not feel it."""

from __future__ import annotations

import copy
import time

import numpy as np
import pytest

from pellucid import FCNNClassifier, Network
from pellucid.training import monitor as module
from pellucid.training.monitor import Monitor

X = np.random.default_rng(0).normal(size=(200, 6))
Y = X[:, 0] > 0
FIT = {"verbose": 0, "random_state": 0}


def kept(monitor):
    return [epoch for epoch, _ in monitor.snapshots]


@pytest.mark.parametrize(
    ("epochs", "expected"),
    [
        (1, [0, 1]),
        (7, [0, 1, 2, 3, 4, 5, 6, 7]),
        (8, [0, 2, 4, 6, 8]),
        (100, [0, 16, 32, 48, 64, 80, 96]),
    ],
)
def test_epochs_are_evenly_spaced_and_never_too_many(epochs, expected):
    watch = Monitor(epochs=8)
    FCNNClassifier(4, callbacks=watch, max_epochs=epochs, **FIT).fit(X, Y)
    assert kept(watch) == expected


def test_training_is_the_same_to_the_bit():
    plain = FCNNClassifier(max_epochs=20, dropout=0.2, **FIT).fit(X, Y)
    watched = FCNNClassifier(max_epochs=20, dropout=0.2, callbacks=Monitor(), **FIT).fit(X, Y)
    assert np.array_equal(plain.network_.values, watched.network_.values)
    assert plain.digest_ == watched.digest_


def test_the_weights_kept_are_those_of_their_epoch_and_stay_so():
    seen = {}

    def record(model, row):
        seen[row["epoch"]] = model.network_.values.copy()

    watch = Monitor(epochs=4)
    model = FCNNClassifier(callbacks=[record, watch], max_epochs=9, **FIT).fit(X, Y)
    assert kept(watch) == [0, 4, 8]
    for epoch, values in watch.snapshots[1:]:
        assert np.array_equal(values, seen[epoch])
    untrained = Network(model.network_.layers).build((6,), random_state=0)
    assert np.array_equal(watch.snapshots[0][1], untrained.values)
    assert watch.history is model.history_


def test_sampled_rows_are_as_the_network_reads_them_evenly_chosen():
    watch = Monitor(rows=5)
    model = FCNNClassifier(max_epochs=1, callbacks=watch, **FIT).fit(X, Y)
    expected = model._encoded(model._read(X)).plain[[0, 49, 99, 149, 199]]
    assert np.array_equal(watch.sample.plain, expected)
    few = Monitor(rows=500)
    FCNNClassifier(max_epochs=1, callbacks=few, **FIT).fit(X, Y)
    assert len(few.sample) == 200


def test_a_fit_that_goes_on_is_watched_on_and_a_new_one_afresh():
    watch = Monitor()
    model = FCNNClassifier(callbacks=watch, **FIT)
    for _ in range(3):
        model.partial_fit(X, Y, classes=[False, True])
    assert kept(watch) == [0, 1, 2, 3]
    model.set_params(max_epochs=2).fit(X, Y)
    assert kept(watch) == [0, 1, 2] and watch.history == model.history_
    other = FCNNClassifier(3, callbacks=watch, max_epochs=1, **FIT).fit(X, Y)
    assert kept(watch) == [0, 1]
    assert watch.snapshots[0][1].size == other.network_.values.size


def test_of_large_networks_few_epochs_are_kept(monkeypatch):
    monkeypatch.setattr(module, "_BYTES", 1000)
    watch = Monitor()
    FCNNClassifier(callbacks=watch, max_epochs=20, **FIT).fit(X, Y)
    assert kept(watch) == [0, 8, 16]


def test_it_can_be_copied_as_searches_do():
    watch = Monitor()
    FCNNClassifier(callbacks=watch, max_epochs=3, **FIT).fit(X, Y)
    assert kept(copy.deepcopy(watch)) == [0, 1, 2, 3]


@pytest.mark.parametrize("name", ["epochs", "rows"])
def test_numbers_must_be_positive(name):
    with pytest.raises(ValueError, match=rf"^{name} of Monitor must be a positive integer\. Got 0"):
        Monitor(**{name: 0})


def test_it_takes_a_small_share_of_a_fit():
    """Far above the 1 or 2 % that it takes, so that a busy machine does not matter."""
    watch, inside = Monitor(), [0.0]
    keep = watch._keep

    def timed(*given):
        begin = time.perf_counter()
        keep(*given)
        inside[0] += time.perf_counter() - begin

    watch._keep = timed
    begin = time.perf_counter()
    FCNNClassifier(callbacks=watch, max_epochs=50, **FIT).fit(X, Y)
    assert 0 < inside[0] < 0.1 * (time.perf_counter() - begin)
