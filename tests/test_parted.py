"""Predictions and scores of tables that are read part by part: those of the whole table."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import d2_pinball_score

import pellucid
from pellucid import FCNNClassifier, FCNNRegressor, LSTMClassifier, NetworkRegressor
from pellucid.data.scan import Scan

pytest.importorskip("pyarrow")
QUICK = {"max_epochs": 3, "random_state": 0, "verbose": 0}
rng = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {
        "a": rng.normal(size=300),
        "b": rng.choice(["x", "y", "007"], 300),
        "day": pd.date_range("2024-01-01", periods=300).strftime("%d.%m.%Y"),
        "weight": rng.uniform(0, 3, 300),
    }
)
FRAME["label"] = np.where(FRAME["a"] + (FRAME["b"] == "x") > 0.3, "yes", "no")
FRAME["price"] = np.exp(FRAME["a"])
FRAME["size"] = 1e6 + FRAME["a"]
FEATURES = ["a", "b", "day"]


@pytest.fixture(params=("csv", "parquet"))
def saved(request, tmp_path, monkeypatch):
    """A function that saves columns in two files, of which 64 rows are read at a time."""
    monkeypatch.setattr(Scan.batches, "__defaults__", (64, None, None))

    def save(frame):
        folder = tmp_path / f"{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        for part in range(2):
            some, path = frame[part * 150 : part * 150 + 150], folder / f"{part}.{request.param}"
            if request.param == "csv":
                some.to_csv(path, index=False)
            else:
                some.to_parquet(path)
        return pellucid.scan(folder)

    return save


@pytest.fixture
def table(saved):
    return saved(FRAME[[*FEATURES, "label"]])


def fitted(estimator, target):
    target = [target] if isinstance(target, str) else target
    return estimator.set_params(**QUICK).fit(FRAME[[*FEATURES, *target]], target=target)


def test_predictions_are_those_of_the_whole_table(table):
    model = fitted(FCNNClassifier(8), "label")
    features = FRAME[FEATURES]
    for method in ("predict", "predict_proba", "predict_log_proba"):
        found, wanted = getattr(model, method)(table), getattr(model, method)(features)
        assert found.dtype == wanted.dtype
        np.testing.assert_array_equal(found, wanted)
    by_hand = [label for frame in table for label in model.predict(frame)]
    assert by_hand == model.predict(features).tolist()


@pytest.mark.parametrize("weighted", (False, True))
@pytest.mark.parametrize(
    "estimator, target",
    (
        (FCNNClassifier(8), "label"),
        (FCNNRegressor(8, target_transform="log"), "price"),
        (NetworkRegressor(), ["price", "size"]),
        (FCNNRegressor(8, loss="quantile", quantile=0.9), "price"),
    ),
)
def test_scores_are_those_of_the_whole_table(saved, estimator, target, weighted):
    model = fitted(estimator, target)
    names = [target] if isinstance(target, str) else target
    table = saved(FRAME[[*FEATURES, *names, *["weight"] * weighted]])
    weights = FRAME["weight"] if weighted else None
    found = model.score(table, sample_weight="weight" if weighted else None)
    assert found == pytest.approx(model.score(FRAME[FEATURES], FRAME[target], weights), rel=1e-9)
    if target == "price" and model.loss == "quantile":
        guess = model.predict(FRAME[FEATURES])
        wanted = d2_pinball_score(FRAME["price"], guess, sample_weight=weights, alpha=0.9)
        assert found == pytest.approx(wanted)


def test_a_score_does_not_depend_on_the_parts(saved, monkeypatch):
    model, table = fitted(FCNNRegressor(8), "size"), saved(FRAME[[*FEATURES, "size"]])
    scores = set()
    for rows in (1, 50, 300):
        monkeypatch.setattr(Scan.batches, "__defaults__", (rows, None, None))
        scores.add(model.score(table))
    assert len(scores) == 1


def test_labels(saved):
    frame = FRAME.assign(p=1 * (FRAME["a"] > 0), q=1 * (FRAME["b"] == "x"))[["a", "b", "p", "q"]]
    model = FCNNClassifier(8, **QUICK).fit(frame, target=["p", "q"])
    assert model.score(saved(frame)) == model.score(frame)


def test_cells_are_said_once_of_all_rows(saved):
    model = fitted(FCNNClassifier(8), "label")
    frame = FRAME[FEATURES].copy()
    frame.loc[[5, 100, 200], "b"] = "new"
    table = saved(frame)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.predict(table)
    assert [str(one.message) for one in caught] == [
        "b: 3 of 300 cells have categories that were not there in training, and count as none of "
        "them: 'new', first in row 5."
    ]
    assert caught[0].filename == __file__


def test_a_column_is_another_one_by_all_its_rows(saved):
    model = fitted(FCNNClassifier(8), "label")
    frame = FRAME[FEATURES].astype({"a": object})
    frame.loc[:63, "a"] = "bad"  # one batch of four
    with pytest.warns(UserWarning, match="a: 64 of 300 cells are no numbers"):
        assert len(model.predict(saved(frame.astype({"a": str})))) == 300
    frame.loc[64:200, "a"] = "bad"
    with pytest.raises(ValueError, match="column 'a' .*must hold numbers"):
        model.predict(saved(frame.astype({"a": str})))


def test_a_row_is_named_by_its_number_in_the_table(saved):
    model = fitted(FCNNClassifier(8), "label")
    frame = FRAME[FEATURES].assign(a=FRAME["a"].where(FRAME.index != 222, np.inf))
    with pytest.raises(ValueError, match="Got inf in row 222"):
        model.predict(saved(frame))


@pytest.mark.parametrize(
    "options, error, words",
    (
        ({"y": "label"}, ValueError, r"y of score of FCNNClassifier must be left out .*'label'"),
        ({"sample_weight": [1]}, TypeError, r"the name of a column where X is a scan\. Got \["),
        ({"sample_weight": "lebel"}, ValueError, r"must have column 'lebel' .*mean 'label'\?"),
    ),
)  # fmt: skip
def test_a_score_that_is_none_is_told_in_a_sentence(table, options, error, words):
    model = fitted(FCNNClassifier(8), "label")
    with pytest.raises(error, match=words):
        model.score(table, **options)


@pytest.mark.parametrize(
    "change, words",
    (
        ({222: np.nan}, r"be finite\. Got nan in row 222\.$"),
        ({222: np.inf}, r"be finite\. Got inf in row 222\.$"),
        ({222: -1.0}, r"not be negative\. Got -1 in row 222\.$"),
        (
            dict.fromkeys(range(300), 0.0),
            r"have at least one weight above zero\. Got zero in all 300 r",
        ),
    ),
)
def test_weights_of_a_score_are_checked_on_disk_and_in_memory(saved, change, words):
    """A row without a weight was left out in silence, and a negative one counted as it was."""
    model, weights = fitted(FCNNClassifier(8), "label"), np.ones(300)
    weights[list(change)] = list(change.values())
    words = f"^sample_weight of score of FCNNClassifier must {words}"
    with pytest.raises(ValueError, match=words):
        model.score(FRAME[FEATURES], FRAME["label"], weights)
    table = saved(FRAME[[*FEATURES, "label"]].assign(weight=weights))
    with pytest.raises(ValueError, match=words):
        model.score(table, sample_weight="weight")


def test_weights_may_be_zero_in_whole_parts(saved):
    model, weights = fitted(FCNNClassifier(8), "label"), np.where(np.arange(300) < 200, 0.0, 1.0)
    table = saved(FRAME[[*FEATURES, "label"]].assign(weight=weights))
    wanted = model.score(FRAME[FEATURES][200:], FRAME["label"][200:])
    assert model.score(table, sample_weight="weight") == pytest.approx(wanted)


def test_weights_of_a_score_are_numbers(saved):
    model = fitted(FCNNClassifier(8), "label")
    with pytest.raises(ValueError, match="must name a column of numbers. Got 'b', which holds so"):
        model.score(saved(FRAME[[*FEATURES, "label"]]), sample_weight="b")
    with pytest.raises(ValueError, match=r"^sample_weight of score of .* must have shape \(300,\)"):
        model.score(FRAME[FEATURES], FRAME["label"], np.ones(299))


def test_a_model_must_know_its_target_to_be_scored(table):
    model = FCNNClassifier(8, **QUICK).fit(FRAME[FEATURES], FRAME["label"])
    with pytest.raises(
        ValueError, match=r"needs the name of the target where X is a scan\. Got a m"
    ):
        model.score(table)
    model.target_names_ = ["lable"]
    with pytest.raises(ValueError, match=r"must have column 'lable' to be scored, .*'label'\?"):
        model.score(table)


def test_rows_that_belong_together_are_no_scan(table):
    frame = pd.DataFrame({"who": np.repeat(range(30), 4), "v": rng.normal(size=120)})
    model = LSTMClassifier(4, group="who", **QUICK).fit(frame, rng.choice(["up", "down"], 30))
    with pytest.raises(
        TypeError, match="X of LSTMClassifier must not be a scan: its rows belong to"
    ):
        model.predict(table)
