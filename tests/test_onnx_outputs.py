"""What an exported model answers: labels of every type, probabilities, numbers in their units."""

from __future__ import annotations

import json

import numpy as np
import pytest
from onnx_runs import reference, session

from pellucid import (
    CNNClassifier,
    FCNNClassifier,
    FCNNRegressor,
    GRUClassifier,
    GRURegressor,
    LSTMRegressor,
    data,
)
from pellucid.export.onnx import layers
from pellucid.export.onnx.chain import NODES
from pellucid.export.onnx.inputs import input_feed
from pellucid.export.onnx.outputs import NumberOutputs
from pellucid.layers import Linear

QUICK = {"max_epochs": 2, "random_state": 0, "verbose": 0}
RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
CODES = RNG.integers(0, 3, size=40)


def answers(model, X, **options):
    """The outputs of an exported model by name, of onnxruntime; the reference evaluator agrees."""
    proto = model.to_onnx(**options)
    names, feed = [output.name for output in proto.graph.output], input_feed(model, X)
    found = session(proto).run(None, feed)
    other = reference.ReferenceEvaluator(proto).run(None, feed)
    for one, two in zip(found, other, strict=True):
        if one.dtype.kind == "f":
            np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-5)
        else:
            assert one.tolist() == two.tolist()
    return dict(zip(names, found, strict=True))


@pytest.mark.parametrize(
    ("classes", "dtype"),
    [
        (np.array(["ja", "värde", "价格"]), object),
        (np.array(["a", "b", "c"], dtype=object), object),
        (np.array([3, 5, 9], dtype=np.int8), np.int64),
        (np.array([1, 2, 2**40], dtype=np.uint64), np.int64),
        (np.array([1.0, 2.0, 7.0]), np.float64),
        (np.array([False, True]), np.bool_),
        (np.array(["no", "yes"]), object),
    ],
)
def test_labels_are_of_the_type_of_y(classes, dtype):
    model = FCNNClassifier(**QUICK).fit(X, classes[CODES % len(classes)])
    found = answers(model, X)
    assert found["label"].dtype == dtype
    np.testing.assert_array_equal(found["label"], model.predict(X))
    np.testing.assert_allclose(found["probabilities"], model.predict_proba(X), rtol=0, atol=1e-6)
    assert found["probabilities"].dtype == np.float64


def test_a_probability_near_0_keeps_its_size():
    model = FCNNClassifier(**QUICK).fit(X, CODES % 2)
    network = model.network_
    weights = {n: 9 * p for n, p in network.parameters().items() if n.endswith("weight")}
    network.set_parameters(weights)
    found = answers(model, X)["probabilities"]
    expected = model.predict_proba(X)
    assert 0 < expected.min() < 1e-30
    np.testing.assert_allclose(np.log(found), np.log(expected), rtol=1e-5)


@pytest.mark.parametrize(("dtype", "given"), [(np.int8, np.int64), (np.bool_, np.bool_)])
def test_sets_of_labels(dtype, given):
    labels = (X > 0).astype(dtype)
    model = FCNNClassifier(**QUICK).fit(X, labels)
    found = answers(model, X)
    assert found["label"].dtype == given and found["label"].shape == (40, 3)
    np.testing.assert_array_equal(found["label"], model.predict(X))
    np.testing.assert_allclose(found["probabilities"], model.predict_proba(X), rtol=0, atol=1e-6)


def test_labels_of_steps():
    sequences = RNG.normal(size=(20, 6, 2))
    y = np.where(sequences[:, :, 0] > 0, "up", "down")
    model = GRUClassifier(4, return_sequences=True, **QUICK).fit(sequences, y)
    found = answers(model, sequences)
    np.testing.assert_array_equal(found["label"], model.predict(sequences))
    np.testing.assert_allclose(
        found["probabilities"], model.predict_proba(sequences), rtol=0, atol=1e-6
    )


@pytest.mark.parametrize(
    ("y", "options"),
    [
        (1e6 + 3 * X[:, 0], {}),
        (X[:, :1], {}),
        (X[:, :2], {}),
        (RNG.normal(size=(40, 2, 3)), {}),
        (np.exp(X[:, 0]), {"target_transform": "log"}),
        (np.exp(X[:, :2]) - np.exp(X[:, :2]).min(), {"target_transform": "log1p"}),
        (X[:, 0], {"loss": "quantile", "quantile": 0.9}),
        (X[:, 0], {"dtype": "float64"}),
    ],
)
def test_numbers_come_in_the_units_and_the_shape_of_y(y, options):
    model = FCNNRegressor(**QUICK, **options).fit(X, y)
    found = answers(model, X)["prediction"]
    expected = model.predict(X)
    assert found.shape == expected.shape and found.dtype == np.float64
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


def test_log1p_never_predicts_below_0():
    y = np.maximum(X[:, 0], 0.0)
    model = FCNNRegressor(target_transform="log1p", **QUICK).fit(X, y)
    bias = max(name for name in model.network_.parameters() if name.endswith("bias"))
    model.network_.set_parameters({bias: np.float32([-9.0])})
    found = answers(model, X)["prediction"]
    assert found.min() == 0
    np.testing.assert_allclose(found, model.predict(X), atol=1e-6)


def test_numbers_of_steps():
    sequences = RNG.normal(size=(20, 6, 2))
    model = GRURegressor(4, return_sequences=True, **QUICK).fit(sequences, sequences[:, :, 0])
    found = answers(model, sequences)["prediction"]
    np.testing.assert_allclose(found, model.predict(sequences), rtol=0, atol=1e-5)


@pytest.mark.parametrize("shape", [(12, 10, 3), (16, 2)])
def test_views_are_averaged(shape):
    pictures = RNG.normal(size=(30, *shape))
    change = ["flip", "vertical_flip", "shift"] if len(shape) == 3 else ["shift"]
    model = CNNClassifier(
        channels=4, hidden_dim=8, augment=change, test_augment=True, signals=len(shape) == 2,
        **QUICK,
    ).fit(pictures, CODES[:30])  # fmt: skip
    found = answers(model, pictures)["probabilities"]
    np.testing.assert_allclose(found, model.predict_proba(pictures), rtol=0, atol=1e-5)
    model.test_augment = False
    assert np.abs(found - model.predict_proba(pictures)).max() > 1e-4


def test_an_output_makes_way_for_a_column_of_its_name():
    table = {"label": X[:, 0], "label_": X[:, 1], "pellucid/Gemm_0": X[:, 2]}
    model = FCNNClassifier(**QUICK).fit(table, CODES)
    proto = model.to_onnx()
    assert [output.name for output in proto.graph.output] == ["label__", "probabilities"]
    about = {entry.key: entry.value for entry in proto.metadata_props}
    assert json.loads(about["outputs"])["label__"] == "the most likely class"
    assert json.loads(about["classes"]) == [0, 1, 2]
    label = session(proto).run(["label__"], input_feed(model, table))[0]
    np.testing.assert_array_equal(label, model.predict(table))


def test_intervals_are_refused_where_there_are_none():
    classifier = FCNNClassifier(**QUICK).fit(X, CODES)
    with pytest.raises(ValueError, match=r"intervals of FCNNClassifier.to_onnx must be None for a"):
        classifier.to_onnx(intervals=0.8)
    regressor = FCNNRegressor(**QUICK).fit(X, X[:, 0])
    with pytest.raises(ValueError, match=r"must be None for a model that has none: .* Got 0.8"):
        regressor.to_onnx(intervals=0.8)


def test_intervals_of_forecasts_are_further_outputs():
    pd = pytest.importorskip("pandas")
    times = pd.date_range("2024-01-01", periods=200)
    series = pd.DataFrame({"day": times, "sold": 40 + np.cumsum(RNG.normal(size=200))})
    windows, y = data.windows(series, 8, target="sold", horizon=2, time="day")
    model = GRURegressor(4, target_transform="log1p", **QUICK).fit(windows, y)
    proto = model.to_onnx(intervals=0.8)
    assert [one.name for one in proto.graph.output] == ["prediction", "lower", "upper"]
    found = session(proto).run(None, input_feed(model, windows))
    expected = [model.predict(windows), *model.predict_interval(windows, 0.8)]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    about = {entry.key: entry.value for entry in proto.metadata_props}
    assert "with probability 0.8" in json.loads(about["outputs"])["lower"]
    with pytest.raises(ValueError, match=r"level of GRURegressor.to_onnx must be at most 0\.\d+"):
        model.to_onnx(intervals=0.9999)


def test_several_targets_of_several_series():
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame({
        "shop": np.repeat(["a", "b"], 60), "day": np.tile(np.arange(60), 2),
        "sold": RNG.normal(size=120), "made": 1e3 + RNG.normal(size=120),
    })  # fmt: skip
    windows, y = data.windows(
        table, 6, target=["sold", "made"], horizon=2, time="day", group="shop"
    )
    model = LSTMRegressor(4, scaling="series", **QUICK).fit(windows, y)
    found = answers(model, windows)["prediction"]
    assert found.shape == y.shape
    np.testing.assert_allclose(found, model.predict(windows), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("transform", ["log", "log1p"])
def test_logarithms_are_compared_before_they_are_numbers_of_any_size(transform):
    """Far out, the last bits of a logarithm are a thousandth of the number."""
    rows = np.random.default_rng(2).normal(size=(300, 4))
    for exponent in (1.5 * rows[:, 0] + 5, 15 * rows[:, 0] - 5):
        model = FCNNRegressor(
            max_epochs=30, random_state=0, verbose=0, target_transform=transform
        ).fit(rows, np.exp(exponent))
        model.to_onnx()
    target, agree = model.target_, NumberOutputs(model, None).agree
    logarithm = target.mean + 40 * target.scale
    wanted = np.exp(logarithm)
    for factor, right in ((1e-4, True), (1e-2, False)):
        found = np.exp(logarithm + factor * target.scale)
        assert np.all(agree("prediction", found, {"prediction": wanted}, 1e-5)) == right
    ends = np.array([0.0, 5e-324, np.inf, np.finfo(float).max])
    assert np.all(agree("prediction", ends[[1, 0, 3, 2]], {"prediction": ends}, 1e-5))
    assert not np.any(agree("prediction", -np.ones(1), {"prediction": np.ones(1)}, 1e-5))


@pytest.mark.parametrize("scaling", ["window", "series", "global"])
@pytest.mark.parametrize("size", [1e-9, 1.0, 1e9])
def test_a_wrong_graph_of_windows_is_refused_in_whatever_unit_the_series_is(
    scaling, size, monkeypatch
):
    series = size * (np.sin(np.arange(120) / 5) + 0.1 * RNG.normal(size=120))
    cut, future = data.windows(series, 8, 2)
    model = LSTMRegressor(4, scaling=scaling, **QUICK).fit(cut, future)
    model.to_onnx()

    def wrong(layer, x, p):
        return layers._linear(layer, x, {**p, "weight": p["weight"] * 1.01})

    monkeypatch.setitem(NODES, Linear, wrong)
    with pytest.raises(RuntimeError, match="must answer as the model does"):
        model.to_onnx()


@pytest.mark.parametrize("transform", ["log", "log1p"])
def test_intervals_of_a_transform_are_tried_on_windows_with_numbers_that_it_does_not_take(
    transform,
):
    series = 1.2 + np.sin(np.arange(200) / 5) + 0.01 * RNG.normal(size=200)
    pd = pytest.importorskip("pandas")
    cut, future = data.windows(pd.DataFrame({"v": series}), 8, 2, target="v")
    model = GRURegressor(4, target_transform=transform, **QUICK).fit(cut, future)
    assert len(model.to_onnx(intervals=0.8).graph.output) == 3
