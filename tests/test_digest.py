"""The digest of a model: the same for equal models, whenever, wherever and by whom trained."""

import json
import pickle

import numpy as np
import pandas as pd
import pytest
from safetensors import safe_open

from pellucid import CNNClassifier, FCNNClassifier, LSTMRegressor, NetworkRegressor, load
from pellucid.data import windows
from pellucid.layers import Linear, ReLU

rng = np.random.default_rng(0)
TABLE = pd.DataFrame({"a": rng.normal(size=60), "b": rng.choice(list("xyz"), 60)})
SHORT = {"max_epochs": 2, "verbose": 0}


def table(**parameters):
    return FCNNClassifier(8, **SHORT | {"random_state": 0} | parameters).fit(TABLE, TABLE["a"] > 0)


def header(path):
    with safe_open(path, "numpy") as file:
        return json.loads(file.metadata()["pellucid"])


def test_two_fits_of_the_same_data_have_one_digest():
    first, second = table(), table()
    assert first.history_["seconds"] != second.history_["seconds"]
    assert first.digest_ == second.digest_ and len(first.digest_) == 64
    assert table(n_jobs=1, verbose=2).digest_ == first.digest_
    assert table(callbacks=[lambda model, row: None]).digest_ == first.digest_


@pytest.mark.parametrize(
    "parameters", ({"random_state": 1}, {"max_epochs": 3}, {"dropout": 0.1}, {"dtype": "float64"})
)
def test_another_model_has_another(parameters):
    assert table(**parameters).digest_ != table().digest_


def test_the_data_tell():
    model = table()
    other = FCNNClassifier(8, random_state=0, **SHORT).fit(TABLE * 2, TABLE["a"] > 0)
    renamed = FCNNClassifier(8, random_state=0, **SHORT)
    renamed.fit(TABLE.rename(columns={"a": "c"}), TABLE["a"] > 0)
    assert len({model.digest_, other.digest_, renamed.digest_}) == 3


def series():
    frame = pd.DataFrame({"day": range(60), "v": np.arange(60.0)})
    X, y = windows(frame, 4, target="v", time="day")
    return LSTMRegressor(4, random_state=0, **SHORT).fit(X, y)


def pictures():
    X = np.random.default_rng(1).uniform(size=(12, 8, 8))
    return CNNClassifier(4, augment={"shift": 0.1}, random_state=0, **SHORT).fit(X, [0, 1] * 6)


def layers():
    model = NetworkRegressor([Linear(4), ReLU()], random_state=np.random.RandomState(0), **SHORT)
    return model.fit(TABLE[["a"]], TABLE["a"])


@pytest.mark.parametrize("make", (table, series, pictures, layers))
def test_files_keep_it(make, tmp_path):
    model = make()
    model.save(tmp_path / "a")
    make().save(tmp_path / "b")
    again = load(tmp_path / "a")
    assert again.digest_ == model.digest_ == pickle.loads(pickle.dumps(model)).digest_
    assert header(tmp_path / "a")["digest"] == header(tmp_path / "b")["digest"] == model.digest_
    again.save(tmp_path / "c")
    assert header(tmp_path / "c")["digest"] == model.digest_


def test_it_needs_a_fit():
    assert not hasattr(FCNNClassifier(), "digest_")
