"""Fits on Ray, through joblib, have the very numbers of fits here."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.model_selection import GridSearchCV, cross_val_score

from pellucid import FCNNClassifier, LSTMRegressor
from pellucid.data import read_table

ray = pytest.importorskip("ray")

PENGUINS = Path(__file__).parent.parent / "examples" / "penguins.csv"
MODEL = FCNNClassifier(8, max_epochs=3, random_state=0, verbose=0)
FRAME = read_table(PENGUINS)  # with text and gaps
X, Y = FRAME.drop(columns="species"), FRAME["species"]

pytestmark = pytest.mark.filterwarnings("default")  # Ray has its own


def noting(folder):
    """What scores as an estimator does, and notes in which process."""

    def score(model, X, y):  # within a function: it is sent as it is, and not by its name
        (folder / str(os.getpid())).touch()
        return model.score(X, y)

    return score


@pytest.fixture(scope="module", autouse=True)
def two():
    """Two processes of Ray on this machine."""
    from ray.util.joblib import register_ray

    before = signal.getsignal(signal.SIGTERM)
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    register_ray()
    yield
    ray.shutdown()
    signal.signal(signal.SIGTERM, before)  # Ray's own would stay


def on_ray():
    # without a number of jobs joblib makes them here, one by one
    return parallel_config(backend="ray", n_jobs=-1)


def test_a_cross_validation_is_the_serial_one_and_made_there(tmp_path):
    here = cross_val_score(MODEL, X, Y, cv=4, error_score="raise")
    with on_ray():
        there = cross_val_score(MODEL, X, Y, cv=4, scoring=noting(tmp_path), error_score="raise")
    assert np.array_equal(here, there)
    processes = {path.name for path in tmp_path.iterdir()}
    assert processes and str(os.getpid()) not in processes


def test_a_cross_validation_of_an_lstm_is_the_serial_one():
    sequences = np.random.default_rng(0).normal(size=(60, 8, 2))
    targets = sequences[:, :, 0].sum(axis=1)
    model = LSTMRegressor(4, max_epochs=3, random_state=0, verbose=0)
    here = cross_val_score(model, sequences, targets, cv=4, error_score="raise")
    with on_ray():
        there = cross_val_score(model, sequences, targets, cv=4, error_score="raise")
    assert np.array_equal(here, there)


def test_a_search_is_the_serial_one():
    grid = {"hidden_dim": [4, 8], "learning_rate": [0.003, 0.03]}
    search = GridSearchCV(MODEL, grid, cv=3, error_score="raise")
    here = search.fit(X, Y).cv_results_["mean_test_score"]
    digest = search.best_estimator_.digest_
    with on_ray():
        there = search.fit(X, Y).cv_results_["mean_test_score"]
    assert np.array_equal(here, there)
    assert search.best_estimator_.digest_ == digest
