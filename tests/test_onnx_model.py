"""A fitted model becomes one ONNX file that answers as the model does."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from onnx_runs import onnx, session
from sklearn.exceptions import NotFittedError

import pellucid
from pellucid import FCNNClassifier, FCNNRegressor, Network, NetworkClassifier
from pellucid.export import network_to_onnx
from pellucid.export.onnx import check as onnx_check
from pellucid.export.onnx import layers as onnx_layers
from pellucid.export.onnx.chain import NODES
from pellucid.export.onnx.inputs import input_feed
from pellucid.export.sample_rows import sample_rows
from pellucid.layers import GRU, Embedding, GlobalAvgPool, Linear, ReLU

PENGUINS = Path(__file__).parents[1] / "examples" / "penguins.csv"
QUICK = {"max_epochs": 2, "random_state": 0, "verbose": 0}
RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
Y = RNG.integers(0, 3, size=40)


@pytest.fixture(scope="module")
def model():
    return FCNNClassifier(hidden_dim=4, **QUICK).fit(X, Y)


def same(model, X):
    """Whether an exported model answers as the model, entry for entry."""
    proto = model.to_onnx()
    found = session(proto).run(None, input_feed(model, X))
    reading = model._read(X)
    lengths = reading.layout.step_lengths
    if lengths is not None:
        found = [one[np.arange(one.shape[1]) < lengths[:, None]] for one in found]
    if hasattr(model, "classes_"):
        np.testing.assert_array_equal(found[0], model._predicted(reading))
        np.testing.assert_allclose(found[1], model._shares(reading), rtol=0, atol=1e-5)
    else:
        np.testing.assert_allclose(found[0], model._predicted(reading), rtol=1e-5, atol=1e-5)


@pytest.mark.filterwarnings("ignore:island. 1 of 1 cells:pellucid.data.cell_warnings.CellWarning")
def test_penguins_in_one_file(tmp_path):
    pd = pytest.importorskip("pandas")
    frame = pd.read_csv(PENGUINS)
    table = frame.drop(columns="species")
    model = FCNNClassifier(hidden_dim=16, **QUICK).fit(table, frame["species"])
    path = tmp_path / "penguins.onnx"
    proto = model.to_onnx(path)
    assert path.read_bytes() == proto.SerializeToString()
    onnx.checker.check_model(str(path), full_check=True)
    assert [one.name for one in proto.graph.input] == list(table)
    strange = pd.DataFrame({
        name: [None] if table[name].dtype == object else [np.nan] for name in table
    })  # fmt: skip
    strange["island"] = ["Atlantis"]
    for rows in (table, table[:1], table[:7], strange):
        label, shares = session(proto).run(None, input_feed(model, rows))
        np.testing.assert_array_equal(label, model.predict(rows))
        np.testing.assert_allclose(shares, model.predict_proba(rows), rtol=0, atol=1e-6)
    about = {entry.key: entry.value for entry in proto.metadata_props}
    assert about["model"] == "FCNNClassifier" and about["pellucid"] == pellucid.__version__
    assert about["digest"] == model.digest_ and about["numeric_version"] == "1"
    assert json.loads(about["classes"]) == ["Adelie", "Chinstrap", "Gentoo"]
    assert json.loads(about["categories"])["sex"] == ["female", "male"]
    assert set(json.loads(about["outputs"])) == {"label", "probabilities"}


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("by_step", [False, True])
def test_recurrent_estimators(name, by_step):
    lengths = RNG.integers(1, 9, size=20)
    sequences = [RNG.normal(size=(length, 2)) for length in lengths]
    shared = {"hidden_dim": 4, "bidirectional": True, "return_sequences": by_step, **QUICK}
    steps = [array[:, 0] > 0 for array in sequences]
    labels = steps if by_step else [bool(array[0]) for array in steps]
    same(getattr(pellucid, f"{name}Classifier")(**shared).fit(sequences, labels), sequences)
    numbers = [array[:, 0] for array in sequences]
    targets = numbers if by_step else [array.sum() for array in numbers]
    same(getattr(pellucid, f"{name}Regressor")(**shared).fit(sequences, targets), sequences)


def test_long_sequences_in_patches():
    sequences = [RNG.normal(size=(length, 2)) for length in RNG.integers(50, 70, size=20)]
    same(pellucid.GRUClassifier(4, **QUICK).fit(sequences, Y[:20]), sequences)


def test_text():
    words = ["red", "green", "blue", "it's"]
    texts = [" ".join(RNG.choice(words, size)) for size in RNG.integers(1, 9, size=30)]
    for family in (pellucid.LSTMClassifier, pellucid.CNNClassifier):
        same(family(hidden_dim=4, **QUICK).fit(texts, Y[:30]), texts)


@pytest.mark.parametrize("shape", [(10, 9, 3), (12, 2), (12,)])
def test_pictures_and_signals(shape):
    X = RNG.integers(0, 256, size=(30, *shape)).astype(np.uint8 if len(shape) == 3 else float)
    for estimator, y in ((pellucid.CNNClassifier, Y), (pellucid.CNNRegressor, Y / 2)):
        same(estimator(channels=4, hidden_dim=8, **QUICK).fit(X, y[:30]), X)


@pytest.mark.parametrize("time", [int, "{:02d}.03.2020".format, "{},5".format])
def test_a_long_table(time):
    pd = pytest.importorskip("pandas")
    times = [time(place) for place in range(1, 5)]
    table = {"who": np.repeat(np.arange(20), 4), "when": np.tile(times, 20),
             "size": RNG.normal(size=80), "kind": RNG.choice(["a", "b"], size=80)}  # fmt: skip
    model = pellucid.GRUClassifier(4, group="who", time="when", **QUICK)
    same(model.fit(pd.DataFrame(table), np.repeat(Y[:20], 4)), pd.DataFrame(table))
    assert sample_rows(model) is not None


def test_any_network_and_one_matrix():
    model = NetworkClassifier([Linear(5), ReLU()], **QUICK).fit(X, Y)
    same(model, X)
    proto = model.to_onnx(inputs="matrix")
    assert [one.name for one in proto.graph.input] == ["X"]
    label = session(proto).run(["label"], {"X": X})[0]
    np.testing.assert_array_equal(label, model.predict(X))


def test_a_bare_network(tmp_path):
    network = Network([Embedding(9, 3), GRU(4), Linear(2)]).build((5, 1), random_state=0)
    proto = network_to_onnx(network, tmp_path / "network.onnx", lengths=True)
    x = RNG.integers(0, 9, size=(3, 5, 1)).astype(np.float32)
    whole = session(proto).run(None, {"x": x, "lengths": np.array([5, 5, 5])})[0]
    np.testing.assert_allclose(whole, network.forward(x), rtol=0, atol=1e-6)
    assert (tmp_path / "network.onnx").read_bytes() == proto.SerializeToString()
    network_to_onnx(Network([Embedding(9, 3), GlobalAvgPool()]).build((5,), random_state=0))


def test_a_folder_that_is_not_there_is_said_before_anything(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"cannot be saved: the folder '.*none' does not"):
        FCNNClassifier().to_onnx(tmp_path / "none" / "model.onnx")
    with pytest.raises(IsADirectoryError, match="cannot be saved: it is a folder. Name a file"):
        FCNNClassifier().to_onnx(tmp_path)


def test_a_model_that_is_not_fitted_is_refused(tmp_path):
    with pytest.raises(NotFittedError):
        FCNNClassifier().to_onnx(tmp_path / "model.onnx")


def test_an_estimator_is_no_bare_network(model):
    expected = r"must be a Network. Got FCNNClassifier. Call to_onnx of an estimator, or give its"
    with pytest.raises(TypeError, match=expected):
        network_to_onnx(model)


def test_answers_that_differ_are_refused_and_nothing_is_written(model, tmp_path, monkeypatch):
    def wrong(layer, x, p):
        return onnx_layers._linear(layer, x, {**p, "weight": p["weight"] * 1.01})

    monkeypatch.setitem(NODES, Linear, wrong)
    expected = r"the ONNX graph of FCNNClassifier must answer as the model does. Got .* for probab"
    with pytest.raises(RuntimeError, match=expected):
        model.to_onnx(tmp_path / "model.onnx")
    with pytest.raises(RuntimeError, match="the ONNX graph of Network must answer"):
        network_to_onnx(model.network_, tmp_path / "model.onnx")
    regressor = FCNNRegressor(**QUICK).fit(X, 1e6 + X[:, 0])
    with pytest.raises(RuntimeError, match="Got .* for prediction, where the model gives"):
        regressor.to_onnx(tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


def test_without_onnxruntime_the_graph_is_checked_alone(model, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    monkeypatch.setattr(onnx_check, "sample_rows", None)
    assert _compared(model.to_onnx()) == _compared(network_to_onnx(model.network_)) == 0


def test_a_file_says_for_how_many_rows_answers_were_compared(model, monkeypatch):
    assert _compared(model.to_onnx()) == 12
    assert _compared(network_to_onnx(model.network_)) == 7
    monkeypatch.setattr(onnx_check, "sample_rows", lambda model: None)
    assert _compared(model.to_onnx()) == 0


def _compared(proto):
    (found,) = (one.value for one in proto.metadata_props if one.key == "compared_rows")
    return int(found)


def test_a_sample_of_the_largest_numbers_is_finite():
    huge = 1e307 * RNG.normal(size=(40, 3))
    FCNNRegressor(hidden_dim=4, **QUICK).fit(huge, X[:, 0]).to_onnx()
    signals = np.repeat(huge[:, None], 12, axis=1)
    pellucid.CNNRegressor(channels=4, hidden_dim=4, **QUICK).fit(signals, X[:, 0]).to_onnx()


def test_a_sample_has_missing_and_unknown_values():
    table = {"size": X[:, 0], "kind": np.array(["a", "b"] * 20), "old": X[:, 1] > 0}
    rows = sample_rows(FCNNClassifier(**QUICK).fit(table, Y))
    assert None in rows["size"] and {None, "a", "b", "never seen before"} == set(rows["kind"])
    assert {None, True, False} == set(rows["old"])
