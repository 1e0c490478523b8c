"""A fit on rows on disk is the fit on the same rows in memory, mixed in blocks: bit for bit."""

import subprocess
import sys

import numpy as np
import pytest
import stopped_fits

from pellucid import FCNNClassifier, FCNNRegressor, NetworkClassifier
from pellucid.layers import LSTM, BatchNorm, Dropout, Linear, ReLU
from pellucid.rows import StoreWriter, feed
from pellucid.rows.packing import Packing

QUICK = {"max_epochs": 4, "random_state": 3, "verbose": 0}


def on_disk(kind, folder):
    """The estimator with its encoded rows, targets and weights in a store."""

    class Kind(kind):
        def _encode(self, X, y, sample_weight, *given):
            examples, layout, used = super()._encode(X, y, sample_weight, *given)
            self.examples = stored(examples, folder, self._raw(y, sample_weight, used), layout)
            return self.examples, layout, used

        def _raw(self, y, sample_weight, used):
            given = sample_weight is not None
            weights = np.asarray(sample_weight, float) if given else np.ones(len(y))
            codes = self.target_.encode(self, np.asarray(y))
            return (
                self._row_weights(codes, weights)[used]
                if hasattr(self, "classes_")
                else weights[used]
            )

        def _validation(self, data):
            examples = super()._validation(data)
            weights = np.ones(len(examples)) if len(data) < 3 else np.asarray(data[2], float)
            return stored(examples, folder, weights, None, "validation")

    Kind.__name__ = Kind.__qualname__ = kind.__name__
    return Kind


def stored(examples, folder, weights, layout, name="rows"):
    x, values, cuts = examples.rows.records, examples.targets.values, np.arange(0, len(weights), 97)
    with StoreWriter(
        folder / name, "key", {}, len(x), Packing(x.shape[1:], x.dtype), values.shape[1:],
        values.dtype, QUICK["random_state"], 1 << 20, weighted=bool((weights != 1).any()),
    ) as writer:  # fmt: skip
        for first in cuts:
            there = slice(first, first + 97)
            writer.write(x[there], values[there], weights[there])
        return writer.close().examples(dtype=x.dtype)


def data(rows=1500, columns=5):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows, columns))
    y = np.where(X[:, 0] + X[:, 1] > 0.5, "yes", np.where(X[:, 2] > 1, "maybe", "no"))
    weight = rng.uniform(0.2, 3, rows)
    weight[::11] = 0.0
    return X, y, weight


def both(kind, folder, *given, shuffle="blocks", fit=None, **parameters):
    """The model in memory and on disk, which are equal."""
    parameters = QUICK | parameters
    memory = kind(shuffle=shuffle, **parameters).fit(*given, **fit or {})
    disk = on_disk(kind, folder)(
        **parameters | ({} if shuffle == "blocks" else {"shuffle": shuffle})
    )
    disk.fit(*given, **fit or {})
    assert disk.network_.values.tobytes() == memory.network_.values.tobytes()
    assert disk.digest_ == memory.digest_
    assert disk.best_epoch_ == memory.best_epoch_ and disk.n_iter_ == memory.n_iter_
    assert disk.about_.rows == memory.about_.rows
    np.testing.assert_allclose(disk.about_.averages, memory.about_.averages, rtol=1e-12)
    assert disk.about_.fingerprint != memory.about_.fingerprint
    return memory, disk


LAYERS = [Linear(9), BatchNorm(), ReLU(), Dropout(0.3)]
STOPS = {"early_stopping": True, "validation_fraction": 0.2, "patience": 2, "max_epochs": 30}


@pytest.mark.parametrize(
    "options",
    (
        {},
        {"dtype": "float64", "batch_size": 100, "clip_norm": 0.1},
        {"class_weight": "balanced", **STOPS},
        {"batch_size": "full"},
        {"shuffle": "full", "schedule": "plateau"},
        {"shuffle": "full", "batch_size": "full"},
        {"shards": 4},
    ),
    ids=str,
)
def test_classes_with_weights(tmp_path, options):
    both(NetworkClassifier, tmp_path, *data(), layers=[*LAYERS, Linear(3)], **options)


def test_rows_that_weigh_the_same_and_two_classes(tmp_path):
    X, y, _ = data()
    both(FCNNClassifier, tmp_path, X, y == "yes", hidden_dim=8, **STOPS)


@pytest.mark.parametrize("options", ({}, {"loss": "mae"}, {"loss": "quantile", "quantile": 0.9}))
def test_numbers(tmp_path, options):
    X, _, weight = data()
    y = np.stack([X[:, 0] * 3 + 1, X[:, 1]], axis=1)
    both(FCNNRegressor, tmp_path, X, y, weight, hidden_dim=8, **STOPS, **options)


def test_rows_of_the_users_own_to_validate_on(tmp_path):
    X, y, _ = data()
    own = {"validation_data": (X[:400], y[:400], np.linspace(1, 2, 400))}
    given = {"early_stopping": True, "patience": 2, "max_epochs": 20}
    model, _ = both(FCNNClassifier, tmp_path, X[400:], y[400:], fit=own, hidden_dim=8, **given)
    assert len(model.history_["validation_loss"]) == model.n_iter_


def test_a_fit_on_disk_that_is_stopped_again_and_again_goes_on(tmp_path, often, monkeypatch):
    X, y, weight = data()
    parameters = QUICK | {"hidden_dim": 8, "batch_size": 50, "early_stopping": True}
    memory = FCNNClassifier(shuffle="blocks", **parameters).fit(X, y, weight)
    kind = on_disk(FCNNClassifier, tmp_path)
    keeps = {"checkpoint": tmp_path / "fit.ckpt", "checkpoint_every": 1e-9}
    monkeypatch.setattr(feed, "ROWS", 200)
    with monkeypatch.context() as patch:
        stopped_fits.stop_after(patch, 6)
        models = []

        def fit():
            models.append(kind(**parameters).fit(X, y, weight, **keeps))

        assert stopped_fits.stopped(fit) > 3
    assert models[0].digest_ == memory.digest_
    weight[700] += 1e-9
    with pytest.raises(ValueError, match="its rows, targets or weights are others"):
        kind(**parameters).fit(X, y, weight, **keeps)


def test_epochs_one_by_one(tmp_path):
    X, y, _ = data()
    memory = FCNNClassifier(8, shuffle="blocks", **QUICK)
    disk = on_disk(FCNNClassifier, tmp_path)(8, **QUICK)
    for first in (0, 700):
        part, labels = X[first : first + 700], y[first : first + 700]
        for model in (memory, disk):
            model.partial_fit(part, labels, classes=["yes", "no", "maybe"])
    assert disk.digest_ == memory.digest_ and disk.about_.rows == 1400


def test_what_rows_on_disk_cannot_is_refused(tmp_path):
    X, y, _ = data(200)
    kind = on_disk(FCNNClassifier, tmp_path)
    for options, words in (
        (
            {"balanced_batches": True},
            r"balanced_batches .* must be False.*on disk. Got True. Pass cl",
        ),
        (
            {"shuffle": "full", "early_stopping": True},
            'shuffle of FCNNClassifier must be "blocks" or "auto" for early_stopping, where rows',
        ),
    ):
        with pytest.raises(ValueError, match=words):
            kind(**QUICK, **options).fit(X, y)
    stateful = on_disk(NetworkClassifier, tmp_path)
    layers = [LSTM(3, stateful=True), Linear(3)]
    with pytest.raises(
        ValueError, match="layers of NetworkClassifier must be not stateful: rows go"
    ):
        stateful(layers, **QUICK).fit(X.reshape(200, 5, 1), y)
    memory = on_disk(FCNNClassifier, tmp_path)(shuffle="full", **QUICK)
    before = memory._encode

    def tight(*given):
        examples, layout, used = before(*given)
        examples.rows.reading.memory = 100
        return examples, layout, used

    memory._encode = tight
    with pytest.raises(MemoryError, match='to shuffle all of 200 rows on disk .* shuffle="blocks"'):
        memory.fit(X, y)
    other = on_disk(FCNNClassifier, tmp_path)(**QUICK | {"random_state": 4})
    with pytest.raises(
        ValueError, match="in the places that they have by the seed 4. Got those by 3"
    ):
        other.fit(X, y)


def test_ctrl_c_keeps_the_best_weights(tmp_path):
    X, y, _ = data()

    def interrupt(model, row):
        if row["epoch"] == 3:
            raise KeyboardInterrupt

    kind = on_disk(FCNNClassifier, tmp_path)
    model = kind(8, **QUICK | {"max_epochs": 10}, callbacks=interrupt).fit(X, y)
    assert model.n_iter_ == 3 and model.score(X, y) > 0.5


FLAT = """
import resource, sys, tempfile
import numpy as np
from pathlib import Path
from pellucid import Network
from pellucid.layers import Linear
from pellucid.rows import StoreWriter, feed
from pellucid.rows.packing import Packing
from pellucid.training.loop import Trainer
from pellucid.training.optimizers import SGD
from pellucid.training.schedules import Constant
from pellucid.training.settings import Settings
from pellucid.training.stopping import EarlyStopping

def peak():
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024

rows = int(sys.argv[1])
with tempfile.TemporaryDirectory() as folder:
    rests = Packing((2,), "float32")
    with StoreWriter(
        folder + "/a", "k", {}, None, rests, (1,), "float32", 1, 4 << 20, weighted=True
    ) as writer:
        block = np.random.default_rng(0).normal(size=(10_000, 2)).astype(np.float32)
        for _ in range(rows // 10_000):
            writer.write(block, block[:, :1], np.linspace(1, 2, 10_000))
        examples = writer.close().examples()
    settings = Settings(
        "mean_squared_error", SGD(), 0.01, Constant(), 0.0, None, 2, 4096, 1, shuffle="blocks"
    )
    network = Network([Linear(1)]).build(2, random_state=0)
    both = examples.part(0, rows // 2), examples.part(rows // 2, rows)
    Trainer(network, settings).fit(*both, EarlyStopping(9))
    print(peak())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the system does not tell")
def test_memory_does_not_grow_with_the_rows():
    peaks = []
    for rows in (200_000, 3_000_000):
        done = subprocess.run(
            [sys.executable, "-c", FLAT, str(rows)], capture_output=True, text=True, timeout=300
        )
        assert done.stderr == ""
        peaks.append(int(done.stdout))
    assert peaks[1] - peaks[0] < 8 << 20  # of 60 MB more in the file
