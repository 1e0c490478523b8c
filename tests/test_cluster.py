"""Fits on a cluster of Dask have the very numbers of fits here, also where workers are lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.model_selection import GridSearchCV, KFold, RandomizedSearchCV, cross_val_score
from test_cli import PENGUINS, fails, invoke, run

from pellucid import FCNNClassifier, LSTMRegressor
from pellucid.cli import cluster
from pellucid.cli.searching import Scoring, Search
from pellucid.data import read_table

pytest.importorskip("distributed")

MODEL = FCNNClassifier(8, max_epochs=3, random_state=0, verbose=0)
GRID = {"hidden_dim": [4, 8], "learning_rate": [0.003, 0.03]}
FRAME = read_table(PENGUINS)  # with text and gaps
X, Y = FRAME.drop(columns="species"), FRAME["species"]


@pytest.fixture(scope="module")
def two():
    """A cluster of two processes of this machine."""
    with cluster.started(2) as started:
        yield started


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def scores_of(search):
    names = [name for name in search.cv_results_ if "test_score" in name or "param" in name]
    return {name: np.asarray(search.cv_results_[name]).tolist() for name in names}


@pytest.mark.parametrize(
    "search",
    [
        GridSearchCV(MODEL, GRID, cv=3, error_score="raise"),
        RandomizedSearchCV(MODEL, GRID, n_iter=3, cv=KFold(3), random_state=0, error_score="raise"),
    ],
    ids=lambda search: type(search).__name__,
)
def test_searches_are_the_serial_ones(two, search):
    here = scores_of(search.fit(X, Y))
    model = search.best_estimator_.digest_
    with parallel_config(backend="dask", client=two.client, scatter=[X, Y]):
        there = scores_of(search.fit(X, Y))
    assert here == there and len(here["mean_test_score"]) >= 3
    assert search.best_estimator_.digest_ == model


def test_a_cross_validation_of_an_lstm_is_the_serial_one(two):
    rng = np.random.default_rng(0)
    sequences = rng.normal(size=(60, 8, 2))
    targets = sequences[:, :, 0].sum(axis=1)
    model = LSTMRegressor(4, max_epochs=3, random_state=0, verbose=0)
    here = cross_val_score(model, sequences, targets, cv=4, error_score="raise")
    with parallel_config(backend="dask", client=two.client):
        there = cross_val_score(model, sequences, targets, cv=4, error_score="raise")
    assert np.array_equal(here, there)


def test_a_worker_has_its_share_of_the_threads(two):
    from pellucid.engine import available_threads

    shares = two.client.run(available_threads)
    assert list(shares.values()) == [max(1, available_threads() // 2)] * 2
    assert two.slots == 2


def test_the_command_is_the_serial_one(two):
    more = ["--try", "hidden_dim=4,8", "--try", "learning_rate=0.001..0.1", "--trials", "3"]
    more += ["--set", "max_epochs=3", "--folds", "3", "--json"]
    address = two.client.scheduler.address
    here, there = (
        invoke("search", PENGUINS, "-t", "species", *more, *on)
        for on in ([], ["--scheduler", address])
    )
    assert "2 fits at a time." in there.stderr and "at a time" not in here.stderr
    found = [json.loads(done.stdout) for done in (here, there)]
    assert found[0]["digest"] == found[1]["digest"] and found[0]["test"] == found[1]["test"]
    scores = [
        [(one["parameters"], one["scores"]) for one in [part["default"], *part["trials"]]]
        for part in (result["search"] for result in found)
    ]
    assert scores[0] == scores[1] and len(scores[0]) == 4


def test_workers_of_the_commands_own_and_nothing_is_left():
    more = ["--try", "hidden_dim=4,8", "--set", "max_epochs=2", "--folds", "2", "--workers", "2"]
    before = _children()
    assert "2 fits at a time." in run("search", PENGUINS, "-t", "species", *more)
    for _ in range(100):
        if _children() <= before:
            return
        time.sleep(0.1)
    raise AssertionError("processes are left")


def _children():
    done = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(os.getpid())], capture_output=True, text=True
    )
    return {line.split()[0] for line in done.stdout.splitlines() if "spawn_main" in line}


# ---------------------------------------------------------------- what is refused


def refused(*more):
    short = ["--try", "hidden_dim=4,8", "--set", "max_epochs=1", "--folds", "2"]
    return fails("search", PENGUINS, "-t", "species", "--quiet", *short, *more)


def test_a_scheduler_that_does_not_answer(monkeypatch):
    monkeypatch.setattr(cluster, "_CONNECTED", 0.5)
    words = refused("--scheduler", "tcp://127.0.0.1:9")
    assert "--scheduler must be the address of a Dask scheduler that answers within" in words
    assert "Got 'tcp://127.0.0.1:9': " in words
    assert "must be the address of a Dask" in refused("--scheduler", "no address")


def test_workers_must_have_this_version(two, monkeypatch):
    there = cluster.metadata.version("pellucid")
    monkeypatch.setattr(cluster, "version", lambda: "999")
    words = refused("--scheduler", two.client.scheduler.address)
    assert f"must have pellucid 999. Got {there} on tcp://127.0.0.1:" in words


def test_a_scheduler_without_workers(monkeypatch):
    from distributed import LocalCluster

    monkeypatch.setattr(cluster, "_CONNECTED", 0.5)
    with LocalCluster(
        n_workers=0, processes=False, dashboard_address=None,
        scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
    ) as empty:  # fmt: skip
        words = refused("--scheduler", empty.scheduler_address)
    assert "must have workers. Got none within" in words


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            "KilledWorker",
            "a fit must leave the workers of here alive. Got one that several of them",
        ),
        ("FutureCancelledError", "the workers of here must be there until the search ends."),
        ("gone", "here must be there until the search ends. It is gone."),
    ],
)
def test_what_is_lost_is_said_in_a_sentence(error, words):
    from distributed.client import FutureCancelledError
    from distributed.scheduler import KilledWorker

    class Client:
        status = "closed" if error == "gone" else "running"

    raised = {
        "KilledWorker": KilledWorker("key", None, 3),
        "FutureCancelledError": FutureCancelledError("key", "lost"),
        "gone": RuntimeError("x"),
    }[error]
    found = cluster._lost(cluster.Cluster(Client(), 2, "here"), raised)
    assert isinstance(found, ConnectionError) and words in str(found)


def test_other_errors_stay_what_they_are():
    class Client:
        status = "running"

    for error in (ValueError("x"), MemoryError(), KeyboardInterrupt(), TypeError("y")):
        assert cluster._lost(cluster.Cluster(Client(), 2, "here"), error) is None


@pytest.mark.parametrize("option", (["--workers", "2"], ["--scheduler", "tcp://127.0.0.1:9"]))
def test_without_dask_the_extra_is_named(option, monkeypatch):
    from pellucid.data import tables

    monkeypatch.setattr(tables, "there", lambda name: name not in ("dask", "distributed"))
    words = refused(*option)
    assert f"{option[0]} needs dask, which is not installed" in words
    assert 'pip install "pellucid[dask]"' in words


def test_nothing_of_dask_is_imported_without_workers():
    code = f"""
import sys
from click.testing import CliRunner
from pellucid.cli.main import application
done = CliRunner().invoke(application, ["search", {str(PENGUINS)!r}, "-t", "species", "--try",
    "hidden_dim=2,4", "--set", "max_epochs=1", "--folds", "2"])
print(done.exit_code, [name for name in ("dask", "distributed", "tornado") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "0 []\n"


# ---------------------------------------------------------------- at the end: processes are killed


@pytest.mark.parametrize(("killed", "halving"), [(1, False), (2, True)])
def test_lost_workers_change_nothing(two, killed, halving, monkeypatch):
    """One, or all: then the data are lost with them, and are sent again."""
    from pellucid.cli import seeking
    from pellucid.cli.seeking import Seeking

    monkeypatch.setattr(seeking, "_PIECE", 1)
    space = {"hidden_dim": [4, 8], "learning_rate": [0.003, 0.01, 0.03]}
    folds = list(KFold(3).split(X))
    here = Search(MODEL, X, Y, folds, Scoring(), 0)
    here.try_usual()
    here.run(space, 5, halving)
    there = _seeking(Search(MODEL, X, Y, folds, Scoring(), 0), space, halving)
    kill = [killed]

    def lose(count, tried):
        if kill:
            for pid in list(two.client.run(os.getpid).values())[: kill.pop()]:
                os.kill(pid, signal.SIGKILL)

    there.told_too = lose
    Seeking.run(there, two)
    assert not kill
    assert [one[:2] for one in there.search.tried] == [one[:2] for one in here.tried]


def _seeking(search, space, halving):
    """What stands around a search in the command, without a table that is read."""
    from pellucid.cli.output import Output
    from pellucid.cli.seeking import Seeking

    class Bare(Seeking):
        told_too = None

        def __init__(self):
            self.search, self.space, self.halving = search, space, halving
            self.trials, self.count, self.told = 5, len(search.folds), Output(quiet=True)

        def _say_usual(self, *_):
            run_search = search.run

            def run(*arguments):
                shown = search.told
                search.told = lambda *known: (shown(*known), self.told_too(*known))
                run_search(*arguments)

            search.run = run

    return Bare()


@pytest.mark.parametrize("address", ["nowhere", "http://127.0.0.1:8786", "tcp://127.0.0.1:1"])
def test_a_client_that_cannot_start_is_closed_at_once(address, monkeypatch):
    """Else it waits for half a minute when Python ends, and leaves a traceback there."""
    from distributed import Client

    monkeypatch.setattr(cluster, "_CONNECTED", 0.5)
    begin = time.monotonic()
    with (
        pytest.raises(ConnectionError, match=r"--scheduler must be the address of a Dask") as came,
        cluster.connected(address),
    ):
        pass
    assert repr(address) in str(came.value)
    assert time.monotonic() - begin < 10
    clients, trace = [], came.value.__cause__.__traceback__
    while trace is not None:
        clients += [one for one in trace.tb_frame.f_locals.values() if isinstance(one, Client)]
        trace = trace.tb_next
    assert clients and all(client.status == "closed" for client in clients)
