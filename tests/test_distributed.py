"""One model on several machines: the bits of one machine, whatever becomes of the workers."""

import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import dask
import numpy as np
import pytest

from pellucid import NetworkClassifier, distributed
from pellucid.layers import BatchNorm, Dropout, Linear, ReLU
from pellucid.network.shard_tasks import ShardRecipe

dask_distributed = pytest.importorskip("distributed")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 6)).astype(np.float32)
Y = (X[:, 0] * X[:, 1] > 0) * 1 + (X[:, 2] > 1)
WEIGHT = RNG.uniform(0.5, 2, 300)
USUAL = {"max_epochs": 2, "batch_size": 64, "random_state": 0, "verbose": 0}
WAIT = 60.0  # seconds for what takes one on a machine with nothing else to do


def model(**options):
    layers = [Linear(12), BatchNorm(), ReLU(), Dropout(0.2)]
    return NetworkClassifier(layers, clip_norm=0.5, **USUAL | options)


# no page, and any port for the scheduler's health: the usual one may be taken
QUIET = {"dashboard_address": None, "scheduler_kwargs": {"dashboard_address": "127.0.0.1:0"}}


@pytest.fixture(scope="module")
def expected():
    """The digest of the fit on one machine."""
    return model(shards=8).fit(X, Y, WEIGHT).digest_


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("dask")


@pytest.fixture(scope="module")
def cluster(folder):
    """Workers that are processes of this machine; tests ask for as many as they need."""
    settings = {"distributed.worker.daemon": True, "temporary-directory": str(folder)}
    with dask.config.set(settings), dask_distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=True, silence_logs="CRITICAL", **QUIET,
    ) as cluster:  # fmt: skip
        yield cluster


@pytest.fixture(scope="module")
def client(cluster):
    with dask_distributed.Client(cluster, timeout=WAIT) as client:
        yield client


def scaled(client, count):
    """Wait until there are so many workers."""
    client.cluster.scale(count)
    deadline = time.monotonic() + WAIT
    while len(client.nthreads()) != count:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def at_step(monkeypatch, happens):
    """Let ``happens(step)`` be called when the tasks of a step have just been sent off."""
    submitted = distributed.Workers._submitted

    def submits(self, packed, weights, tasks):
        futures = submitted(self, packed, weights, tasks)
        happens(self._step, len(tasks))
        return futures

    monkeypatch.setattr(distributed.Workers, "_submitted", submits)


def nothing_left(client):
    """The scheduler forgets all tasks; a bounded wait, since it is told of them by messages."""
    deadline = time.monotonic() + WAIT
    while client.futures or client.run_on_scheduler(
        lambda dask_scheduler: len(dask_scheduler.tasks)
    ):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("workers", (1, 2, 4))
def test_the_bits_are_those_of_one_machine(client, expected, workers, own_folder, capsys):
    scaled(client, workers)
    fitted = distributed.fit(model(verbose=2), X, Y, WEIGHT, client=client)
    assert f"comes in 8 shards, computed by {workers} worker" in capsys.readouterr().err
    assert fitted.digest_ == expected and fitted.shards == 8
    nothing_left(client)
    assert not os.listdir()


@pytest.fixture
def mortal(folder):
    """Workers of whom some will be killed."""
    settings = {"distributed.worker.daemon": True, "temporary-directory": str(folder)}
    with dask.config.set(settings), dask_distributed.LocalCluster(
        n_workers=3, threads_per_worker=1, processes=True, silence_logs="CRITICAL", **QUIET,
    ) as cluster, dask_distributed.Client(cluster, timeout=WAIT) as client:  # fmt: skip
        yield client


def alive(cluster, killed):
    """The processes of at least two workers, a bounded wait for those that are started again.

    Now and then one is not: then another one is added.
    """
    deadline, later = time.monotonic() + WAIT, time.monotonic() + WAIT / 4
    while True:
        nannies = [nanny for nanny in cluster.workers.values() if nanny.status.name == "running"]
        processes = {nanny.pid for nanny in nannies} - {None, *killed}
        if len(processes) >= 2:
            return sorted(processes)
        assert time.monotonic() < deadline
        if time.monotonic() > later:
            cluster.scale(len(cluster.worker_spec) + 1)
            later = deadline
        time.sleep(0.02)


def test_workers_that_are_killed_change_no_bit(mortal, expected, monkeypatch):
    """SIGKILL at five of the ten steps, when their tasks are on the way; others are started."""
    rng = np.random.default_rng(7)
    steps = set(rng.choice(np.arange(1, 11), 5, replace=False).tolist())
    killed = []

    def kills(step, tasks):
        if step in steps:
            processes = alive(mortal.cluster, killed)
            killed.append(processes[int(rng.integers(len(processes)))])
            os.kill(killed[-1], signal.SIGKILL)

    at_step(monkeypatch, kills)
    fitted = distributed.fit(model(), X, Y, WEIGHT, client=mortal)
    assert fitted.digest_ == expected and len(set(killed)) == 5
    nothing_left(mortal)


def test_a_worker_that_joins_late_is_given_work(client, expected, monkeypatch):
    scaled(client, 1)
    monkeypatch.setattr(distributed, "LOOK", 0.0)
    numbers = []

    def joins(step, tasks):
        numbers.append(tasks)
        if step == 4:
            scaled(client, 2)

    at_step(monkeypatch, joins)
    fitted = distributed.fit(model(), X, Y, WEIGHT, client=client)
    assert fitted.digest_ == expected and numbers == [1] * 4 + [2] * 6
    nothing_left(client)


def fitted_with(client, **options):
    return distributed.fit(model(**options), X, Y, client=client, timeout=20.0)


class Broken:
    """Bytes that cannot be read where they come to."""

    def __reduce__(self):
        return int, ("no number",)


def test_a_task_that_fails_says_so_with_the_words_of_the_worker(client, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(ShardRecipe, "packed", pickle.dumps(Broken()))
        with pytest.raises(RuntimeError, match=(
            r"^the workers of tcp://\S+ must compute their shards\. Got from step 1: worker tcp://"
            r"\S+: ValueError: invalid literal for int\(\) with base 10: 'no number'\. The model "
            r"is as it was; a fit with checkpoint=\"run\.ckpt\" goes on from there\.$"
        )):  # fmt: skip
            fitted_with(client)
    with monkeypatch.context() as patch:
        patch.setattr(distributed, "VERSIONS", ("9.9", 1))
        with pytest.raises(RuntimeError, match=(
            r"worker tcp://\S+ has pellucid 0\S+ of numeric version 1, and the fit is of 9\.9 of "
            r"numeric version 1: they must be the same\. The model"
        )):  # fmt: skip
            fitted_with(client)
    nothing_left(client)


def test_what_was_there_before_a_fit_that_fails_is_there_after_it(client, monkeypatch):
    fitted = model(shards=2).fit(X, Y)
    digest = fitted.digest_
    monkeypatch.setattr(distributed, "VERSIONS", ("9.9", 1))
    with pytest.raises(RuntimeError, match="must compute their shards"):
        distributed.fit(fitted, X, Y, client=client, shards=8)
    assert fitted.digest_ == digest and fitted.shards == 2 and "_elsewhere" not in vars(fitted)


@pytest.mark.parametrize("reaches", (True, False))
def test_large_gradients_go_past_the_scheduler(client, monkeypatch, reaches):
    """They are fetched from the workers themselves where those can be reached."""
    scaled(client, 2)
    monkeypatch.setattr(distributed, "DIRECT", 1)
    if not reaches:
        monkeypatch.setattr(distributed, "NEAR", -1.0)
    seen, holders = [], []
    collected = distributed.Workers._collected

    def collects(self, futures, is_large):
        made = collected(self, futures, is_large)
        seen.append((is_large, self._direct))
        holders.append({*map(tuple, self.client.who_has(futures).values())})
        return made

    monkeypatch.setattr(distributed.Workers, "_collected", collects)
    fitted = fitted_with(client)
    assert fitted.digest_ == model(shards=8).fit(X, Y).digest_
    assert set(seen) == {(True, reaches)}
    assert 2 in map(len, holders)  # each worker has its part, unless one of them is busy
    nothing_left(client)


@pytest.fixture
def threads():
    """A cluster within this process, whose scheduler can be taken away."""
    patience = {"distributed.comm.timeouts.connect": "1s"}
    with dask.config.set(patience), dask_distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, silence_logs="CRITICAL", **QUIET,
    ) as cluster, dask_distributed.Client(cluster, timeout=2) as client:  # fmt: skip
        yield client


def test_a_scheduler_that_goes_away_ends_the_fit_and_a_checkpoint_goes_on(
    threads, expected, monkeypatch, own_folder, often
):
    goes = {5: lambda: threads.cluster.sync(threads.cluster.scheduler.close)}
    at_step(monkeypatch, lambda step, tasks: goes.get(step, int)())
    begin = time.monotonic()
    with pytest.raises(ConnectionError, match=(
        r"the scheduler at inproc://\S+ must answer for the fit to go on\. Got a client that is "
        r"\w+\. The model is as it was"
    )):  # fmt: skip
        distributed.fit(
            model(), X, Y, WEIGHT, client=threads, timeout=5.0, checkpoint="run.ckpt",
            checkpoint_every=1e-9,
        )  # fmt: skip
    assert time.monotonic() - begin < WAIT
    again = distributed.fit(model(), X, Y, WEIGHT, checkpoint="run.ckpt", checkpoint_every=1e-9)
    assert again.digest_ == expected


def test_a_client_that_is_closed_ends_the_fit(threads, monkeypatch):
    at_step(monkeypatch, lambda step, tasks: threads.close() if step == 3 else None)
    with pytest.raises(
        ConnectionError, match="must answer for the fit to go on. Got a client that"
    ):
        fitted_with(threads)
    with pytest.raises(
        ValueError, match="client of distributed.fit must be connected to its sched"
    ):
        fitted_with(threads)


def test_a_cluster_without_workers_is_not_waited_for_without_end(monkeypatch):
    with dask_distributed.LocalCluster(
        n_workers=0, processes=False, silence_logs="CRITICAL", **QUIET
    ) as cluster, dask_distributed.Client(cluster) as client:  # fmt: skip
        with pytest.raises(ConnectionError, match=(
            r"the cluster of inproc://\S+ must have a worker for the fit to go on\. Got none for "
        )):  # fmt: skip
            distributed.fit(model(), X, Y, client=client, timeout=0.5)


@pytest.mark.parametrize(("options", "error", "words"), (
    ({"client": "tcp://1.2.3.4:8786"}, TypeError,
     r"client of distributed\.fit must be a dask\.distributed\.Client\. Got 'tcp://1\.2\.3\.4:8786'"),
    ({"shards": 3}, ValueError, "shards of NetworkClassifier must be a power of two"),
    ({"sync_every": 4}, ValueError,
     r"sync_every of distributed\.fit must be 1: models of weights that are averaged .* Got 4\."),
    ({"timeout": 0}, ValueError, r"timeout of distributed\.fit must be a number above 0"),
), ids=str)  # fmt: skip
def test_what_cannot_be_is_refused(options, error, words):
    with pytest.raises(error, match=words):
        distributed.fit(model(), X, Y, **options)


NOTHING_OF_DASK = """
import sys
import numpy as np, pandas as pd
import pellucid, pellucid.distributed
X = pd.DataFrame({"a": np.arange(40.0), "b": list("xy") * 20})
model = pellucid.FCNNClassifier(4, max_epochs=1, batch_size=8, verbose=0)
pellucid.distributed.fit(model, X, [0, 1] * 20).predict(X)
print([name for name in sys.modules if name.split(".")[0] in ("dask", "distributed")])
"""


def test_nothing_of_dask_is_imported_where_it_is_not_used():
    source = os.fspath(Path(distributed.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", NOTHING_OF_DASK], text=True, capture_output=True, check=False,
        env={**os.environ, "PYTHONPATH": source}, timeout=WAIT,
    )  # fmt: skip
    assert done.stdout == "[]\n", done.stderr


def test_only_models_of_pellucid_are_fitted():
    from sklearn.linear_model import LogisticRegression

    with pytest.raises(
        TypeError, match=r"must be an estimator of pellucid\. Got LogisticRegressio"
    ):
        distributed.fit(LogisticRegression(), X, Y)
    with pytest.raises(TypeError, match=r"must be an estimator of pellucid\. Got <class"):
        distributed.fit(type(model()), X, Y)


def test_a_single_shard_is_computed_by_a_worker_too(client, monkeypatch):
    scaled(client, 2)
    steps = []
    at_step(monkeypatch, lambda step, tasks: steps.append(tasks))
    fitted = distributed.fit(model(), X, Y, client=client, shards=1)
    assert fitted.digest_ == model().fit(X, Y).digest_ and steps == [1] * 10
    nothing_left(client)


def test_tasks_that_are_cancelled_end_the_fit_with_these_words(client, monkeypatch):
    scaled(client, 1)

    def cancels(step, tasks):
        client.cancel([dask_distributed.Future(key, client) for key in client.futures], force=True)

    at_step(monkeypatch, cancels)
    with pytest.raises(ConnectionError, match="must answer .* Got tasks that were cancelled"):
        fitted_with(client)
    nothing_left(client)


def test_a_model_that_is_refused_keeps_its_shards():
    wrong = model(verbose="loud")
    with pytest.raises(TypeError, match=r"verbose of NetworkClassifier must be"):
        distributed.fit(wrong, X, Y)
    assert wrong.shards == 1


def test_without_a_client_it_is_the_fit_of_this_process(expected):
    assert distributed.fit(model(), X, Y, WEIGHT).digest_ == expected
    assert distributed.fit(model(shards=4), X, Y).shards == 4
