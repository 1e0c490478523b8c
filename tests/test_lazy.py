"""Predictions for tables of Dask: lazily, and those of the table in memory."""

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from dask import delayed

from pellucid import (
    CNNClassifier,
    FCNNClassifier,
    FCNNRegressor,
    LSTMClassifier,
    LSTMRegressor,
    NetworkClassifier,
)
from pellucid.data import windows
from pellucid.layers import LSTM

RNG = np.random.default_rng(0)
FRAME = pd.DataFrame({
    "number": RNG.normal(size=50), "text": RNG.choice(["a", "b", "c"], 50),
    "flag": RNG.random(50) > 0.5, "hole": np.where(RNG.random(50) < 0.3, np.nan, RNG.random(50)),
}, index=np.arange(100, 150))  # fmt: skip
TEXT = pd.Series(RNG.choice(["x", "y", "z"], 50), index=FRAME.index)
USUAL = {"max_epochs": 1, "random_state": 0, "verbose": 0}
METHODS = ("predict", "predict", "predict_proba")


def classifier(y=TEXT):
    return FCNNClassifier(4, **USUAL).fit(FRAME, y)


def regressor(y):
    return FCNNRegressor(4, **USUAL).fit(FRAME, y)


MODELS = {
    "texts": (lambda: classifier(), ("predict", "predict_proba", "predict_log_proba")),
    "two numbers": (lambda: classifier((TEXT == "x") * 1), ("predict", "predict_proba")),
    "labels": (
        lambda: classifier(pd.get_dummies(TEXT).astype(int)), ("predict", "predict_proba")
    ),
    "number": (lambda: regressor(FRAME["number"]), ("predict",)),
    "numbers": (lambda: regressor(FRAME[["number", "hole"]].fillna(0)), ("predict",)),
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_predictions_of_partitions_are_those_of_the_whole(name):
    """With meta that tells the truth, in the order of the index, of an empty partition none."""
    make, methods = MODELS[name]
    model = make()
    parts = [FRAME.iloc[:0], FRAME.iloc[:20], FRAME.iloc[20:21], FRAME.iloc[21:]]
    ddf = dd.from_delayed([delayed(part) for part in parts], meta=FRAME.iloc[:0])
    for method in methods:
        lazy = getattr(model, method)(ddf)
        made, expected = lazy.compute(), getattr(model, method)(FRAME)
        np.testing.assert_array_equal(np.asarray(made), expected)
        pd.testing.assert_index_equal(made.index, FRAME.index)
        for number in range(4):
            part = lazy.get_partition(number).compute()
            assert len(part) == len(parts[number])
            if expected.ndim == 1:
                assert part.dtype == lazy.dtype and part.name == lazy.name == "prediction"
            else:
                assert part.dtypes.tolist() == lazy.dtypes.tolist()
                assert part.columns.tolist() == lazy.columns.tolist()
        if expected.ndim == 2 and hasattr(model, "classes_"):
            assert lazy.columns.tolist() == list(model.classes_)


def test_names_of_targets_are_those_of_predictions():
    model = FCNNRegressor(4, **USUAL).fit(FRAME, target="number")
    assert model.predict(dd.from_pandas(FRAME, npartitions=2)).name == "number"
    model = FCNNRegressor(4, **USUAL).fit(FRAME.fillna(0), target=["number", "hole"])
    lazy = model.predict(dd.from_pandas(FRAME.fillna(0), npartitions=2))
    assert lazy.columns.tolist() == ["number", "hole"]


def test_categories_that_dask_does_not_know_are_read_as_ever():
    model = classifier()
    ddf = dd.from_pandas(FRAME, npartitions=3).astype({"text": "category"})
    assert not ddf["text"].cat.known
    np.testing.assert_array_equal(model.predict(ddf).compute(), model.predict(FRAME))


X = RNG.normal(size=(40, 6)).astype(np.float32)


@pytest.mark.parametrize("outputs", (1, 2))
@pytest.mark.parametrize("known", (True, False))
def test_arrays_give_arrays(known, outputs):
    """Also where Dask does not know how many rows a block has, and of a block with none."""
    model = FCNNRegressor(4, **USUAL).fit(X, X[:, :outputs] if outputs > 1 else X[:, 0])
    lazy = da.from_array(X, chunks=(15, 4))
    if not known:
        lazy = lazy[da.from_array(X[:, 0] > -9, chunks=15) & (da.arange(40, chunks=15) >= 15)]
    predicted = model.predict(lazy)
    assert isinstance(predicted, da.Array) and predicted.ndim == (2 if outputs > 1 else 1)
    made, expected = predicted.compute(), model.predict(X if known else X[15:])
    assert made.dtype == predicted.dtype == expected.dtype
    np.testing.assert_array_equal(made, expected)
    assert known == (predicted.shape == expected.shape)


def test_probabilities_and_pictures_of_arrays():
    pictures = RNG.integers(0, 256, (30, 8, 8), dtype=np.uint8)
    model = CNNClassifier(4, hidden_dim=4, **USUAL).fit(pictures, np.arange(30) % 3)
    lazy = da.from_array(pictures, chunks=(11, 4, 8))
    shares = model.predict_proba(lazy)
    assert shares.shape == (30, 3)
    np.testing.assert_array_equal(shares.compute(), model.predict_proba(pictures))
    np.testing.assert_array_equal(model.predict(lazy).compute(), model.predict(pictures))


@pytest.mark.parametrize("features", (None, 2))
def test_predictions_of_steps_have_the_shape_that_they_have_in_memory(features):
    """Where each step has a target: an axis more, of a size that is said before it is computed."""
    rows = RNG.normal(size=(40, 6) if features is None else (40, 6, features))
    classes, numbers = RNG.integers(0, 3, (40, 6)), RNG.normal(size=(40, 6, 2))
    models = (
        LSTMClassifier(3, return_sequences=True, **USUAL).fit(rows, classes),
        LSTMRegressor(3, return_sequences=True, **USUAL).fit(rows, numbers),
    )
    lazy = da.from_array(rows, chunks=(15, 4) if features is None else (15, 4, 1))
    unknown = lazy[da.arange(40, chunks=15) >= 15]
    for model, method in zip((*models, models[0]), METHODS, strict=True):
        expected, predicted = getattr(model, method)(rows), getattr(model, method)(lazy)
        assert predicted.shape == expected.shape and predicted.dtype == expected.dtype
        np.testing.assert_array_equal(predicted.compute(), expected)
        np.testing.assert_array_equal(getattr(model, method)(unknown).compute(), expected[15:])


def test_stateful_layers_say_that_they_need_all_rows():
    """In each block they would begin anew, and give other probabilities than in memory."""
    rows = RNG.normal(size=(40, 6, 2))
    model = NetworkClassifier([LSTM(3, stateful=True)], batch_size=8, **USUAL)
    model.fit(rows, np.arange(40) % 3)
    for method in ("predict", "predict_proba", "predict_log_proba"):
        with pytest.raises(TypeError, match=(
            rf"^X of NetworkClassifier\.{method} must be in memory where layers are stateful: rows "
            r"go on from one another, and each part would begin anew\. Got a Dask Array\. Pass X\."
            r"compute\(\)\.$"
        )):  # fmt: skip
            getattr(model, method)(da.from_array(rows, chunks=(10, 6, 2)))


def test_nothing_is_computed_before_it_is_asked_for():
    def never():
        raise AssertionError("computed")

    ddf = dd.from_delayed([delayed(never)()], meta=FRAME.iloc[:0])
    lazy = classifier().predict(ddf)
    with pytest.raises(AssertionError, match="computed"), dask.config.set(scheduler="synchronous"):
        lazy.compute()


def test_models_of_series_say_that_they_need_all_rows():
    rows, y = windows(np.sin(np.arange(80.0)), 6)
    model = LSTMRegressor(4, **USUAL).fit(rows, y)
    with pytest.raises(TypeError, match=(
        r"^X of LSTMRegressor\.predict must be in memory where a model of windows reads it: a Dask "
        r"Array is predicted partition by partition, each row by itself\. Got one\. Pass X\.compute"
    )):  # fmt: skip
        model.predict(da.from_array(np.asarray(rows), chunks=9))


def test_columns_that_differ_are_said_at_once():
    """And not by a worker, after the hour that it took to come there."""
    model = FCNNRegressor(4, **USUAL).fit(FRAME, target="number")
    ddf = dd.from_pandas(FRAME, npartitions=2)
    assert len(model.predict(ddf[["number", "hole", "flag", "text"]]).compute()) == 50
    with pytest.raises(ValueError, match=r"must have column 'text', as in training"):
        model.predict(ddf.drop(columns="text"))
    with pytest.raises(ValueError, match=r"Got column 'more', unseen at fit time"):
        model.predict(ddf.assign(more=1))


def test_scores_and_validation_take_columns_by_their_names():
    """A table of Dask is no array of numbers whose columns come in the order of training."""
    frame = pd.DataFrame({"a": RNG.normal(size=60), "b": RNG.normal(size=60)})
    y = frame["a"] * 3
    other = dd.from_pandas(frame[["b", "a"]], npartitions=3)
    lazy_y = dd.from_pandas(y, npartitions=2)
    model = FCNNRegressor(8, max_epochs=20, random_state=0, verbose=0)
    expected = model.fit(frame, y, validation_data=(frame, y)).history_["validation_loss"]
    made = model.fit(frame, y, validation_data=(other, lazy_y)).history_["validation_loss"]
    assert made == expected
    assert model.score(other, lazy_y) == model.score(frame, y) > 0
    weights = dd.from_pandas(y**2, npartitions=4)
    assert model.score(other, lazy_y, weights) == model.score(frame, y, y**2)
    whole = frame.assign(y=y)
    model.fit(whole, target="y")
    assert model.score(dd.from_pandas(whole, npartitions=3)) == model.score(whole)
