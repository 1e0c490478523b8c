"""Predictors: one row at a time, the same bits as predict, from any thread, after any refit."""

import gc
import pickle
import threading

import numpy as np
import pandas as pd
import pytest

from pellucid import (
    CNNClassifier,
    FCNNClassifier,
    FCNNRegressor,
    GRUClassifier,
    GRURegressor,
    LSTMClassifier,
    Network,
)
from pellucid.layers import LSTM, Conv2d, Flatten, Linear, ReLU

BRIEF = {"max_epochs": 2, "random_state": 0, "verbose": 0}
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(60, 5)) * 10.0 ** RANDOM.integers(-4, 5, 5)
X[:, 3] = 7.0  # constant
Y = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)


def check_equal(model, rows, method="predict", X=None):
    """Each row answered alone is what all rows together give."""
    predictor, together = model.predictor(method), getattr(model, method)(rows if X is None else X)
    for row, expected in zip(rows, together, strict=True):
        given = predictor(row)
        assert type(given) is type(expected)
        np.testing.assert_array_equal(given, expected)
    return predictor


@pytest.mark.parametrize("dtype", ("float32", "float64"))
@pytest.mark.parametrize("rows", (X, X.astype(np.float32)))
def test_numbers_of_a_table(rows, dtype):
    three = FCNNClassifier(8, dtype=dtype, **BRIEF).fit(rows, Y)
    check_equal(three, rows)
    check_equal(three, rows, "predict_proba")
    check_equal(
        FCNNClassifier(8, dtype=dtype, **BRIEF).fit(rows, np.array(list("ab"))[Y % 2]), rows
    )
    check_equal(FCNNRegressor(8, dtype=dtype, **BRIEF).fit(rows, rows[:, 0] * 1e6), rows)
    check_equal(FCNNRegressor(8, dtype=dtype, **BRIEF).fit(rows, rows[:, :2]), rows)
    several = np.stack([Y > 0, Y > 1], axis=1).astype(int)
    check_equal(FCNNClassifier(8, dtype=dtype, **BRIEF).fit(rows, several), rows)


def test_a_row_may_come_in_any_form():
    frame = pd.DataFrame(X, columns=list("abcde"))
    model = FCNNClassifier(8, **BRIEF).fit(frame, Y)
    predictor = model.predictor("predict_proba")
    expected = model.predict_proba(frame.iloc[[4]])[0]
    forms = (
        X[4], X[[4]], X[4].tolist(), [X[4].tolist()], frame.iloc[4], frame.iloc[[4]],
        frame.iloc[4].to_dict(), dict(reversed(frame.iloc[4].to_dict().items())),
    )  # fmt: skip
    for form in forms:
        np.testing.assert_array_equal(predictor(form), expected)


def test_missing_numbers_and_text_go_the_usual_way():
    frame = pd.DataFrame({"a": X[:, 0], "city": np.array(["Rome", "Oslo", None])[Y]})
    frame.loc[::7, "a"] = np.nan
    model = FCNNClassifier(8, **BRIEF).fit(frame, Y)
    predictor = model.predictor()
    for position, expected in enumerate(model.predict(frame)):
        assert predictor(frame.iloc[[position]]) == expected
    gaps = X.copy()
    gaps[::5, 1] = np.nan
    check_equal(FCNNClassifier(8, **BRIEF).fit(gaps, Y), gaps, "predict_proba")


def test_sequences_and_pictures():
    sequences = RANDOM.normal(size=(20, 9, 3))
    check_equal(LSTMClassifier(8, **BRIEF).fit(sequences, Y[:20]), sequences, "predict_proba")
    check_equal(GRURegressor(8, **BRIEF).fit(sequences[:, :, 0], X[:20, 0]), sequences[:, :, 0])
    pictures = RANDOM.integers(0, 256, (20, 9, 8, 3), dtype=np.uint8)
    check_equal(CNNClassifier((4,), **BRIEF).fit(pictures, Y[:20]), pictures)
    grey = CNNClassifier((4,), **BRIEF).fit(pictures[..., 0], Y[:20])
    predictor = check_equal(grey, pictures[..., 0])
    assert predictor(pictures[:1, ..., 0]) == grey.predict(pictures[:1, ..., 0])[0]


def test_eight_threads_at_once():
    model = FCNNClassifier(8, **BRIEF).fit(X, Y)
    predictor, expected, wrong = model.predictor("predict_proba"), model.predict_proba(X), []
    predictor(X[0])
    gc.collect()  # what it keeps is its own

    def ask():
        for _ in range(30):
            for row, answer in zip(X, expected, strict=True):
                if not np.array_equal(predictor(row), answer):
                    wrong.append(row)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_it_answers_as_the_model_does_after_another_fit():
    model = FCNNClassifier(8, **BRIEF).fit(X, Y)
    predictor = model.predictor("predict_proba")
    before = predictor(X[0])
    model.partial_fit(X, Y)
    assert not np.array_equal(predictor(X[0]), before)
    np.testing.assert_array_equal(predictor(X[0]), model.predict_proba(X[:1])[0])
    model.set_params(hidden_dim=4).fit(X[:, :2], Y % 2)
    np.testing.assert_array_equal(predictor(X[0, :2]), model.predict_proba(X[:1, :2])[0])


def test_models_and_predictors_are_pickled_without_what_they_keep():
    model = FCNNClassifier(8, **BRIEF).fit(X, Y)
    size = len(pickle.dumps(model))
    predictor = check_equal(model, X)
    assert len(pickle.dumps(model)) < size + 100
    assert repr(predictor) == f"{model!r}.predictor('predict')"
    again = pickle.loads(pickle.dumps(predictor))
    assert again(X[3]) == predictor(X[3])
    assert again.model is not model


def test_rows_that_are_no_plain_numbers_get_what_predict_says_of_them():
    model = FCNNClassifier(8, **BRIEF).fit(X, Y)
    predictor = model.predictor()
    with pytest.raises(ValueError, match="must be finite"):
        predictor([float("inf"), 0, 0, 0, 0])
    assert predictor(X[0].astype(str)) == model.predict(X[:1])[0]
    assert predictor(X[0].astype(object)) == model.predict(X[:1])[0]
    with pytest.raises(ValueError, match="Complex data"):
        predictor(X[0] + 0j)
    for row in (np.array(["2020-01-01"] * 5, "datetime64[D]"), X[:5, :1]):
        with pytest.raises(ValueError):
            predictor(row)
    huge = np.array([1e308, 1e308, 0, 0, 0])
    assert predictor(huge) == model.predict(huge[None])[0]  # and no warning of NumPy's
    shares = pd.DataFrame({"share": [f"{n} %" for n in range(1, 61)], "b": X[:, 0]})
    model = FCNNClassifier(8, **BRIEF).fit(shares, Y)
    assert model.predictor()(shares.iloc[3]) == model.predict(shares)[3]


def test_text_and_lists_of_steps():
    reviews = ["good film", "bad film", "good play", "bad play"] * 10
    model = GRUClassifier(8, max_epochs=30, random_state=0, verbose=0).fit(
        reviews, [1, 0, 1, 0] * 10
    )
    check_equal(model, reviews)
    sequences = [RANDOM.normal(size=(steps, 2)).tolist() for steps in (1, 2, 3, 4) * 5]
    model = LSTMClassifier(8, **BRIEF).fit(sequences, Y[:20])
    predictor, expected = model.predictor("predict_proba"), model.predict_proba(sequences)
    for row, answer in zip(sequences, expected, strict=True):
        np.testing.assert_array_equal(predictor(row), answer)


def test_what_is_not_one_row_is_refused():
    model = FCNNClassifier(8, **BRIEF).fit(X, Y)
    with pytest.raises(
        ValueError, match=r"must be one row\. Got 3 rows\. Call predict for several"
    ):
        model.predictor()(X[:3])
    with pytest.raises(ValueError, match="X has 4 features, but FCNNClassifier is expecting 5"):
        model.predictor()(X[0, :4])
    with pytest.raises(ValueError, match="must be finite"):
        model.predictor()(np.array([np.inf, 0, 0, 0, 0]))
    with pytest.raises(
        ValueError, match=r"method of FCNNRegressor\.predictor must be one of 'predict'"
    ):
        FCNNRegressor(8, **BRIEF).fit(X, Y).predictor("predict_proba")
    with pytest.raises(ValueError, match="not fitted"):
        FCNNClassifier().predictor()


@pytest.mark.parametrize(
    ("layers", "shape"),
    (
        ([Linear(70), ReLU(), Linear(300), ReLU(), Linear(3)], (40,)),
        ([LSTM(96), Linear(2)], (7, 5)),
        ([Conv2d(40, 3), ReLU(), Flatten(), Linear(150)], (6, 7, 3)),
    ),
)
@pytest.mark.parametrize("dtype", ("float32", "float64"))
def test_few_rows_of_a_network_have_the_bits_of_many(layers, shape, dtype):
    """The passes that are kept, and tiles for one row, change nothing."""
    network = Network(layers).build(shape, dtype=dtype, random_state=0)
    rows = RANDOM.normal(size=(50, *shape)).astype(dtype)
    together = network.forward(rows)
    for count in (1, 2, 3, 8, 9):
        for begin in (0, 20):
            some = network.forward(rows[begin : begin + count], n_jobs=1 + count % 2)
            np.testing.assert_array_equal(some, together[begin : begin + count])
    copy = pickle.loads(pickle.dumps(network))
    np.testing.assert_array_equal(copy.forward(rows[:1]), together[:1])
    copy.values[:] *= 2  # read where they are
    assert not np.array_equal(copy.forward(rows[:1]), together[:1])
