"""The inputs of models as they are fitted: each kind of rows finds its own."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from onnx_encoded import found_by_all, input_names
from sklearn.datasets import load_digits

from pellucid import CNNClassifier, FCNNClassifier, GRUClassifier, LSTMRegressor, NetworkClassifier
from pellucid.data import windows
from pellucid.export.onnx.inputs import inputs_of
from pellucid.layers import Flatten

EXAMPLES = Path(__file__).parents[1] / "examples"
QUICK = {"max_epochs": 1, "random_state": 0, "verbose": 0}

pytestmark = pytest.mark.filterwarnings("ignore")


def _check(model, X) -> None:
    """As of an encoder alone; a model knows its rows as `_input` reads them."""
    encoder = model._input
    rows = encoder.encode(model, encoder.read(model, X))
    wanted = [np.asarray(rows.row(place)) for place in range(len(rows))]
    for found in found_by_all(model, X):
        for row, one in zip(found["x"], wanted, strict=True):
            np.testing.assert_array_equal(row[: len(one)], one)
    assert json.loads(inputs_of(model).describe()["inputs"]).keys() == set(input_names(model))


def test_a_table():
    table = pd.read_csv(EXAMPLES / "penguins.csv")
    X, y = table.drop(columns="species"), table["species"]
    _check(FCNNClassifier(**QUICK).fit(X, y), X)


def test_pictures():
    digits = load_digits()
    X = digits.images[:40].astype(np.uint8)
    for model in (CNNClassifier(channels=4, **QUICK), NetworkClassifier([Flatten()], **QUICK)):
        _check(model.fit(X, digits.target[:40]), X)


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_pictures_of_few_levels_are_tried_on_such(dtype):
    """Numbers that are far from those of fit are refused, so the rows tried have none."""
    X = load_digits().images[:40].astype(dtype)
    CNNClassifier(channels=4, **QUICK).fit(X, np.arange(40) % 2).to_onnx()


def test_text():
    X = ["good and warm", "bad and cold", "good", "bad"] * 5
    _check(GRUClassifier(hidden_dim=4, **QUICK).fit(X, ["yes", "no", "yes", "no"] * 5), X)


def test_windows_and_their_intervals():
    table = pd.read_csv(EXAMPLES / "seattle_weather.csv")[:300]
    X, y = windows(table, 10, 3, target="temp_max", time="date")
    model = LSTMRegressor(hidden_dim=4, **QUICK).fit(X, y)
    _check(model, X)
    (found, *_) = found_by_all(model, X)
    spreads = model._spreads(X)
    np.testing.assert_array_equal(found["spreads"], spreads)
    assert {"shift", "scale"} <= found.keys() and spreads.shape == (len(X), 1)


def test_the_ways_to_come_in_are_two():
    model = FCNNClassifier(**QUICK).fit(np.eye(6), [0, 1] * 3)
    with pytest.raises(ValueError, match="inputs of FCNNClassifier.to_onnx must be"):
        inputs_of(model, "rows")


def test_sparse_rows_come_as_columns():
    from scipy.sparse import csr_array

    X = csr_array(np.eye(6))
    _check(FCNNClassifier(**QUICK).fit(X, [0, 1] * 3), X)
