"""Targets and weights by the names of columns: fit takes them from X, and later calls know them."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.base import clone

from pellucid import FCNNClassifier, FCNNRegressor, LSTMClassifier, LSTMRegressor, load
from pellucid.data import windows
from pellucid.inspection import ImportanceDisplay

QUICK = {"max_epochs": 3, "random_state": 0, "verbose": 0}
rng = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {
        "a": rng.normal(size=90),
        "weight": rng.integers(0, 4, size=90).astype(float),
        "b": rng.choice(list("xyz"), 90),
    }
)
FRAME["label"] = np.where(FRAME["a"] + (FRAME["b"] == "x") > 0.3, "yes", "no")
FRAME["price"] = np.round(10 * FRAME["a"], 1)
FRAME["size"] = 2 * FRAME["a"] - 1
FEATURES = FRAME[["a", "b"]]
ROW = FRAME[["a", "b", "weight", "label"]]

KINDS = {
    "pandas": lambda frame: frame,
    "polars": pl.from_pandas,
    "pyarrow": lambda frame: pa.Table.from_pandas(frame, preserve_index=False),
    "map": lambda frame: frame.to_dict("list"),
    "maps": lambda frame: frame.to_dict("records"),
    "fields": lambda frame: frame.to_records(index=False),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_target_and_weights_by_their_names(kind):
    """The same model as of X, y and weights, whatever holds the columns."""
    plain = FCNNClassifier(8, **QUICK).fit(FEATURES, FRAME["label"], FRAME["weight"])
    table = KINDS[kind](ROW)
    model = FCNNClassifier(8, **QUICK).fit(table, target="label", sample_weight="weight")
    np.testing.assert_array_equal(model.predict_proba(FEATURES), plain.predict_proba(FEATURES))
    assert model.feature_names_in_.tolist() == ["a", "b"]
    assert (model.target_names_, model.weight_name_) == (["label"], "weight")
    # what held the target in fit may hold it later, and score then knows it
    np.testing.assert_array_equal(model.predict_proba(table), plain.predict_proba(FEATURES))
    assert model.score(table) == plain.score(FEATURES, FRAME["label"])
    assert model.score(FEATURES, FRAME["label"]) == model.score(table)


@pytest.mark.parametrize("kind", ("pandas", "polars", "pyarrow", "map"))
def test_several_targets(kind):
    names = ["price", "size"]
    plain = FCNNRegressor(8, **QUICK).fit(FEATURES, FRAME[names])
    table = KINDS[kind](FRAME[["price", "a", "size", "b"]])
    model = FCNNRegressor(8, **QUICK).fit(table, target=names)
    np.testing.assert_array_equal(model.predict(table), plain.predict(FEATURES))
    assert model.target_names_ == model.target_.names == names
    assert model.score(table) == plain.score(FEATURES, FRAME[names])


def test_a_list_of_one_name_is_that_name():
    one, listed = (
        FCNNRegressor(8, **QUICK).fit(FRAME[["a", "b", "size"]], target=target)
        for target in ("size", ["size"])
    )
    assert one.digest_ == listed.digest_
    assert one.predict(FEATURES).ndim == 1


def test_the_columns_of_a_map_are_of_one_length():
    with pytest.raises(ValueError, match=r"y of FCNNRegressor must be columns of one length, wher"):
        FCNNRegressor(**QUICK).fit([[1], [2]], {"p": [1.0, 2.0], "q": [1.0]})


def test_a_fit_without_names_forgets_them():
    model = FCNNClassifier(8, **QUICK).fit(ROW, target="label", sample_weight="weight")
    model.fit(FEATURES, FRAME["label"])
    assert not hasattr(model, "target_names_") and model.weight_name_ is None
    with pytest.raises(ValueError, match=r"score of FCNNClassifier needs y\. Got None\."):
        model.score(ROW)
    with pytest.raises(ValueError, match="Got column 'weight' .*unseen at fit time"):
        model.predict(ROW)


def test_a_fit_that_fails_forgets_nothing():
    model = FCNNClassifier(8, **QUICK).fit(ROW, target="label", sample_weight="weight")
    with pytest.raises(ValueError, match="must name a column"):
        model.fit(FRAME, target="lable")
    assert (model.target_names_, model.weight_name_) == (["label"], "weight")


def test_a_column_that_was_a_feature_stays_one():
    """Names set by hand, as those of a series are: they may be features too."""
    model = FCNNClassifier(8, **QUICK).fit(FEATURES, FRAME["label"])
    model.target_names_ = ["a"]
    assert model.predict(FEATURES).shape == (90,)


def test_epochs_one_by_one():
    model = FCNNClassifier(8, random_state=0, verbose=0)
    for part in (ROW[:40], ROW[40:]):
        model.partial_fit(part, classes=["no", "yes"], target="label", sample_weight="weight")
    other = clone(model)
    for part in (ROW[:40], ROW[40:]):
        other.partial_fit(part[["a", "b"]], part["label"], ["no", "yes"], part["weight"])
    np.testing.assert_array_equal(model.predict_proba(FEATURES), other.predict_proba(FEATURES))
    model.partial_fit(ROW)  # target and weights are known by now
    other.partial_fit(FEATURES, FRAME["label"], sample_weight=FRAME["weight"])
    np.testing.assert_array_equal(model.predict_proba(FEATURES), other.predict_proba(FEATURES))
    with pytest.raises(ValueError, match="target of FCNNClassifier.fit must be label, as in the f"):
        model.partial_fit(FRAME, target="b")


def test_rows_to_validate_on():
    train, test = ROW[:60], ROW[60:]
    parts = FCNNClassifier(8, **QUICK).fit(
        train[["a", "b"]], train["label"], train["weight"],
        validation_data=(test[["a", "b"]], test["label"], test["weight"]),
    )  # fmt: skip
    for data in (test, (test, test["label"], test["weight"])):
        model = FCNNClassifier(8, **QUICK)
        model.fit(train, target="label", sample_weight="weight", validation_data=data)
        assert model.history_["validation_loss"] == parts.history_["validation_loss"]


def test_files_keep_the_names(tmp_path):
    model = FCNNClassifier(8, **QUICK).fit(ROW, target="label", sample_weight="weight")
    model.save(tmp_path / "model.safetensors")
    again = load(tmp_path / "model.safetensors")
    assert (again.target_names_, again.weight_name_) == (["label"], "weight")
    assert again.score(ROW) == model.score(ROW)
    # whose column the weights were is no part of what the model is
    weights = FCNNClassifier(8, **QUICK).fit(
        ROW.drop(columns="weight"), sample_weight=ROW["weight"], target="label"
    )
    assert weights.digest_ == again.digest_ == model.digest_


def test_sequences_of_a_long_table():
    long = pd.DataFrame(
        {
            "who": np.repeat(range(30), 4),
            "v": rng.normal(size=120),
            "kind": np.repeat(rng.choice(["up", "down"], 30), 4),
        }
    )
    plain = LSTMClassifier(4, group="who", **QUICK).fit(long[["who", "v"]], long["kind"])
    model = LSTMClassifier(4, group="who", **QUICK).fit(long, target="kind")
    np.testing.assert_array_equal(model.predict(long), plain.predict(long[["who", "v"]]))
    assert model.score(long) == plain.score(long[["who", "v"]], long["kind"])


def test_a_look_inside_knows_the_target():
    model = FCNNClassifier(8, **QUICK).fit(FRAME[["a", "b", "label"]], target="label")
    display = ImportanceDisplay.from_estimator(model, FRAME[["a", "b", "label"]], random_state=0)
    other = ImportanceDisplay.from_estimator(model, FEATURES, FRAME["label"], random_state=0)
    np.testing.assert_array_equal(display.importances, other.importances)


@pytest.mark.parametrize(
    "X, options, error, words",
    (
        (FRAME, {"target": "lable"}, ValueError, r"must name a column of X\. Got 'lable'\. Did yo"),
        (FRAME, {"target": "zzz"}, ValueError, r"Got 'zzz'\. Known: a, weight, b, label"),
        (FRAME, {"target": 3}, TypeError, r"must be the name of a column of X, or a list .*Got 3"),
        (FRAME, {"target": []}, TypeError, r"or a list of names\. Got \[\]\."),
        (FRAME, {"target": "label", "y": FRAME["label"]}, ValueError, r"y of .* must be left out"),
        (FRAME, {"target": list(FRAME)}, ValueError, r"must have a column beside .*Got only a, w"),
        (ROW, {"target": "label", "sample_weight": "wait"}, ValueError, r"sample_weight of .*'wai"),
        (ROW, {"target": "label", "sample_weight": "label"}, ValueError, r"another column than th"),
        (np.zeros((9, 2)), {"target": "b"}, TypeError, r"Got an array of shape \(9, 2\)\. Pass y"),
        (np.zeros((9, 2)), {"y": "b", "sample_weight": "w"}, TypeError, r"Pass one weight a row, "),
        (pl.from_pandas(ROW).lazy(), {"target": "label"}, TypeError, r"a lazy table: pass X\.coll"),
    ),
)  # fmt: skip
def test_what_cannot_be_taken_is_told_in_a_sentence(X, options, error, words):
    with pytest.raises(error, match=words) as caught:
        FCNNClassifier(8, **QUICK).fit(X, **options)
    assert str(caught.value).endswith((".", "?"))


def test_windows_have_their_target_already():
    X, _ = windows(pd.DataFrame({"v": np.sin(np.arange(60.0))}), 4, target="v")
    with pytest.raises(TypeError, match=r"must be a DataFrame .* Got an array of shape \(56, 4, 1"):
        LSTMRegressor(**QUICK).fit(X, target="v")


def test_columns_that_are_named_by_numbers_are_to_be_renamed():
    frame = pd.DataFrame(rng.normal(size=(20, 3)))
    frame["y"] = frame[0]
    words = r"^columns of X of .*fit must be named by text where some are named\. Got 0\. Rename"
    with pytest.raises(TypeError, match=words):
        FCNNRegressor(**QUICK).fit(frame, target="y")
    FCNNRegressor(**QUICK).fit(frame.rename(columns=str), target="y")
