"""Sequences as the user has them: arrays, lists of unequal length, long tables, windows."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from pellucid import (
    GRUClassifier,
    GRURegressor,
    LSTMClassifier,
    LSTMRegressor,
    Network,
    NetworkRegressor,
    RNNClassifier,
    RNNRegressor,
    load,
)
from pellucid.data import Groups, Sequences, last_window, windows
from pellucid.estimators.state import model_from_state, state_of
from pellucid.layers import LSTM, RNN, Dropout, Embedding, Flatten, Linear, Tanh

QUICK = {"hidden_dim": 8, "max_epochs": 3, "random_state": 0, "verbose": 0}


def sequences(rows=40, features=2, seed=0):
    rng = np.random.default_rng(seed)
    found = [rng.normal(size=(rng.integers(2, 9), features)) for _ in range(rows)]
    return found, np.array([each[:, 0].sum() for each in found])


def long_table(found, shuffled=True):
    rows = [(f"g{i}", t, *step) for i, each in enumerate(found) for t, step in enumerate(each)]
    frame = pd.DataFrame(rows, columns=["who", "day", "a", "b"])
    return frame.sample(frac=1, random_state=0) if shuffled else frame


def test_rank_two_is_one_feature():
    X = np.random.default_rng(0).normal(size=(30, 6))
    y = X.sum(axis=1)
    flat = RNNRegressor(**QUICK).fit(X, y)
    deep = RNNRegressor(**QUICK).fit(X[:, :, None], y)
    assert (flat.predict(X) == deep.predict(X[:, :, None])).all()
    assert (flat.n_features_in_, deep.n_features_in_) == (6, 1)


def test_a_list_of_equal_lengths_is_an_array():
    X = np.random.default_rng(0).normal(size=(30, 6, 2))
    y = X[:, :, 0].sum(axis=1)
    expected = LSTMRegressor(**QUICK).fit(X, y).predict(X)
    for given in (list(X), X.tolist(), [each.tolist() for each in X]):
        assert (LSTMRegressor(**QUICK).fit(given, y).predict(given) == expected).all()


def test_a_shorter_sequence_is_not_a_padded_one():
    """A row's prediction depends on its own steps alone, whatever the others' lengths are."""
    X, y = sequences()
    model = LSTMRegressor(num_layers=2, bidirectional=True, dropout=0.1, **QUICK).fit(X, y)
    together = model.predict(X)
    apart = np.array([model.predict([each])[0] for each in X])
    assert (together == apart).all()
    longer = [np.vstack([each, np.zeros((1, 2))]) for each in X]
    assert (model.predict(longer) != together).all()


@pytest.mark.parametrize("library", (pd, pl))
def test_a_long_table_is_a_list(library):
    X, y = sequences()
    frame = long_table(X)
    order = list(dict.fromkeys(frame["who"]))
    places = [int(name[1:]) for name in order]
    given = frame if library is pd else pl.from_pandas(frame)
    model = LSTMRegressor(group="who", time="day", **QUICK).fit(given, y[places])
    listed = LSTMRegressor(**QUICK).fit([X[place] for place in places], y[places])
    expected = listed.predict([X[place] for place in places])
    np.testing.assert_allclose(model.predict(given), expected, rtol=1e-6)


def test_targets_of_a_long_table_by_group_by_row_or_by_name():
    X, _ = sequences()
    frame = long_table(X)
    order = list(dict.fromkeys(frame["who"]))
    label = {name: "yes" if int(name[1:]) % 3 else "no" for name in order}
    per_group = [label[name] for name in order]
    per_row = frame["who"].map(label)
    named = pd.Series(label).sort_index()
    fitted = [
        LSTMClassifier(group="who", time="day", **QUICK).fit(frame, y)
        for y in (per_group, per_row, named)
    ]
    expected = fitted[0].predict_proba(frame)
    assert all((each.predict_proba(frame) == expected).all() for each in fitted)
    assert fitted[0].score(frame, per_row) == fitted[0].score(frame, per_group)


def test_text_and_missing_values_of_a_long_table():
    X, y = sequences()
    frame = long_table(X, shuffled=False)
    frame["kind"] = np.where(np.arange(len(frame)) % 2, "x", "y")
    frame.loc[::5, "a"] = np.nan
    model = LSTMRegressor(group="who", time="day", **QUICK).fit(frame, y)
    assert model.sequences_.output_names == ["a", "b", "a missing", "kind=x", "kind=y"]
    assert model.sequences_.output_sources == ["a", "b", "a", "kind", "kind"]
    assert np.isfinite(model.predict(frame)).all()


def with_words(found):
    """A long table with a column of 130 words, of which all but the last come several times."""
    frame = long_table(found, shuffled=False)
    frame["word"] = [f"word{i % 129}" for i in range(len(frame))]
    frame.loc[len(frame) - 1, "word"] = "once"
    return frame


def test_text_of_many_values_of_a_long_table_is_embedded(tmp_path):
    X, y = sequences(rows=120)
    frame = with_words(X)
    model = LSTMRegressor(group="who", time="day", embedding_dim=5, **QUICK).fit(frame, y)
    assert model.network_.layers[:2] == (Embedding(130, 5, others=2), LSTM(8))
    assert "word: text with 130 values, embedded 129 of them" in model.sequences_.notes[0]
    shuffled = frame.sample(frac=1, random_state=1)
    groups = shuffled.who.drop_duplicates()
    expected = dict(zip(frame.who.drop_duplicates(), model.predict(frame), strict=True))
    np.testing.assert_array_equal(model.predict(shuffled), [expected[each] for each in groups])
    model.save(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(
        load(tmp_path / "m.safetensors").predict(frame), model.predict(frame)
    )
    few = RNNRegressor(group="who", time="day", vocabulary_size=100, **QUICK).fit(frame, y)
    assert few.network_.layers[0] == RNN(8)


def test_words_never_seen_are_as_the_rare_ones():
    """All of them get one embedding, with their steps' other features as they are."""
    X, y = sequences(rows=120)
    frame = with_words(X)
    model = GRURegressor(group="who", time="day", **QUICK).fit(frame, y)
    new, rare = frame[-8:].assign(word="never"), frame[-8:].assign(word="once")
    np.testing.assert_array_equal(model.predict(new), model.predict(rare))
    assert (model.predict(new) != model.predict(frame[-8:].assign(word="word5"))).any()


def test_embedded_words_with_a_target_each_step():
    X, _ = sequences(rows=120)
    frame = with_words(X)
    y = (frame.word.str[-1] == "1").map({True: "one", False: "other"})
    options = {**QUICK, "max_epochs": 40, "return_sequences": True}
    model = GRUClassifier(group="who", time="day", **options).fit(frame, y)
    assert model.score(frame, y) > 0.99


def test_a_file_whose_network_takes_other_steps_is_refused():
    """Also if the numbers beside tokens differ, which the shapes of the arrays do not tell."""
    X, y = sequences(rows=120)
    model = GRURegressor(group="who", time="day", **QUICK).fit(with_words(X), y)
    config, arrays = state_of(model)
    for change in ({"others": 1}, {"num_embeddings": 131}):
        layers = [config["layers"][0] | change, *config["layers"][1:]]
        with pytest.raises(ValueError, match=r"GRURegressor|Network|network"):
            model_from_state(GRURegressor, config | {"layers": layers}, arrays)
    assert model_from_state(GRURegressor, config, arrays).network_.layers == model.network_.layers


def test_patches_and_embeddings_do_not_meet():
    """Long sequences would be read in patches: with words they are not, unless it is asked for."""
    rows = np.arange(300 * 8)
    frame = pd.DataFrame({"who": rows // 300, "word": [f"word{i % 129}" for i in rows], "a": rows})
    quick, y = {**QUICK, "max_epochs": 1}, np.arange(8) % 2
    model = GRUClassifier(group="who", **quick).fit(frame, y)
    assert model.network_.layers[0] == Embedding(130, 32, others=1)
    assert model.sequences_.shape == (300, 2)
    config, arrays = state_of(model)
    config["input"]["patch"] = 2
    with pytest.raises(ValueError, match=r"must be read one by one\. Got patches of 2\."):
        model_from_state(GRUClassifier, config, arrays)
    model = GRUClassifier(group="who", patch_size=2, **quick).fit(frame, y)
    assert model.sequences_.shape == (299, 202)  # patches overlap by half
    names, sources = model.sequences_.output_names, model.sequences_.output_sources
    assert len(names) == len(sources) == 202
    assert (names[0], names[101], sources[101]) == ("a, step 0", "a, step 1", "a")


def test_embedding_parameters_are_checked_with_long_tables():
    X, y = sequences(rows=120)
    for name in ("vocabulary_size", "min_count", "embedding_dim"):
        model = GRURegressor(group="who", time="day", **QUICK, **{name: 0})
        with pytest.raises(ValueError, match=f"{name} of GRURegressor must be a positive integer"):
            model.fit(with_words(X), y)


def test_missing_values_inside_an_array():
    X = np.random.default_rng(0).normal(size=(50, 6, 2))
    X[::3, 2, 1] = np.nan
    model = LSTMRegressor(**QUICK).fit(X, np.nan_to_num(X).sum(axis=(1, 2)))
    assert model.network_.input_shape == (6, 3)  # and whether the second is missing
    assert np.isfinite(model.predict(X)).all()


def test_weights_are_repetitions():
    X, y = sequences(12)
    weight = np.array([1.0, 2.0] * 6)
    twice = [each for each, w in zip(X, weight, strict=True) for _ in range(int(w))]
    targets = np.repeat(y, weight.astype(int))
    full = {**QUICK, "batch_size": "full", "dtype": "float64"}
    weighted = LSTMRegressor(**full).fit(X, y, sample_weight=weight).predict(X)
    repeated = LSTMRegressor(**full).fit(twice, targets).predict(X)
    np.testing.assert_allclose(weighted, repeated, rtol=1e-9)


def test_a_saved_model_is_the_same(tmp_path):
    X, y = sequences()
    model = GRUClassifier(bidirectional=True, num_layers=2, **QUICK).fit(X, y > 0)
    model.save(tmp_path / "model.safetensors")
    again = load(tmp_path / "model.safetensors")
    assert (again.predict_proba(X) == model.predict_proba(X)).all()
    X, y = windows(pd.DataFrame({"day": range(40), "v": np.arange(40.0) % 7}), 5, 2, target="v")
    model = LSTMRegressor(**QUICK).fit(X, y)
    model.save(tmp_path / "model.safetensors")
    again = load(tmp_path / "model.safetensors")
    assert again.sequences_.series == model.sequences_.series
    assert (again.predict(X) == model.predict(X)).all()


def test_predict_takes_any_number_of_steps():
    X, y = sequences()
    model = LSTMRegressor(**QUICK).fit(X, y)
    assert model.predict(np.zeros((3, 50, 2))).shape == (3,)
    assert model.predict(np.zeros((3, 1, 2))).shape == (3,)


def test_partial_fit_takes_other_lengths():
    X, y = sequences()
    model = LSTMRegressor(**QUICK).partial_fit(X[:20], y[:20])
    model.partial_fit(np.zeros((5, 30, 2)), np.zeros(5)).partial_fit(X[20:], y[20:])
    assert model.n_iter_ == 3


@pytest.mark.parametrize(
    ("X", "message"),
    (
        ([np.ones((3, 2)), np.ones((0, 2))], r"sequence 1 of X of .* at least one step\. Got none"),
        ([np.ones((3, 2)), np.ones((3, 1))], r"sequence 1 .* features as sequence 0, 2\. Got 1"),
        ([np.ones((3, 2)), [["a", "b"]]], r"sequence 1 of X of .* must be numbers of shape"),
        (
            [np.ones((3, 2)), np.ones((2, 2, 2))],
            r"sequence 1 .* of shape \(2, 2, 2\)",
        ),
        (np.ones((2, 3, 2, 2)), r"must be sequences of shape \(rows, steps, features\)"),
        (np.ones((2, 0, 2)), r"Got float64 of shape \(2, 0, 2\)"),
        (
            [np.ones((3, 2)), np.array([[1.0, 2.0], [np.inf, 2.0]])],
            r"Got infinity in sequence 1, step 1, feature 0",
        ),
    ),
)
def test_what_are_no_sequences_is_refused(X, message):
    with pytest.raises((ValueError, TypeError), match=message):
        LSTMRegressor(**QUICK).fit(X, [1.0, 2.0])


def test_other_features_at_predict_are_refused():
    X, y = sequences()
    model = LSTMRegressor(**QUICK).fit(X, y)
    with pytest.raises(ValueError, match="X has 3 features, but LSTMRegressor is expecting 2"):
        model.predict(np.zeros((2, 4, 3)))
    with pytest.raises(ValueError, match=r"shape \(rows, steps, features\), as in fit"):
        model.predict(np.zeros((2, 4)))


def test_faults_of_a_long_table():
    X, y = sequences(5)
    frame = long_table(X, shuffled=False)
    model = LSTMRegressor(group="who", time="day", **QUICK)
    with pytest.raises(TypeError, match="X of LSTMRegressor must be a DataFrame where group or ti"):
        model.fit(X, y)
    with pytest.raises(ValueError, match=r"group of LSTMRegressor must be a column of X\. Got 'wh"):
        LSTMRegressor(group="whom", **QUICK).fit(frame, y)
    twice = pd.concat([frame, frame.iloc[:1]], ignore_index=True)
    with pytest.raises(ValueError, match=rf"Got 0 in rows 0 and {len(frame)}\. Leave one out"):
        model.fit(twice, y)
    unnamed = frame.assign(who=[None, *frame["who"][1:]])
    with pytest.raises(ValueError, match=r"must name the sequence of every row\. Got .* in row 0"):
        model.fit(unnamed, y)
    timeless = frame.assign(day=[np.nan, *frame["day"][1:]])
    with pytest.raises(ValueError, match=r"must say when every row was\. Got .* in row 0"):
        model.fit(timeless, y)
    with pytest.raises(ValueError, match=r"each of the 5 sequences, or for each of the \d+ rows"):
        model.fit(frame, y[:4])
    with pytest.raises(ValueError, match="must be the same in all rows of a sequence"):
        model.fit(frame, np.arange(float(len(frame))))


@pytest.mark.parametrize("dtype", ("string", "category", object, "Int64", "float64"))
def test_targets_of_rows_may_not_be_missing(dtype):
    """Whatever stands for a missing one: pandas' own NA cannot be compared."""
    numeric = dtype in ("Int64", "float64")
    a, b, gap = (0, 1, None) if numeric else ("p", "q", pd.NA)
    frame = pd.DataFrame({"who": ["u", "u", "v", "v"], "x": np.arange(4.0)})
    model = LSTMClassifier(group="who", **QUICK)
    with pytest.raises(ValueError, match=r"same in all rows of a sequence\. Got .* in 'v'"):
        model.fit(frame, pd.Series([a, a, gap, b], dtype=dtype))
    with pytest.raises(ValueError, match=r"have a value in every row\. Got (None|nan) in row 1"):
        model.fit(frame, pd.Series([a, a, gap, gap], dtype=dtype))
    assert model.fit(frame, pd.Series([a, a, b, b], dtype=dtype)).classes_.tolist() == [a, b]


def test_sequences_share_their_steps():
    found = Sequences.from_list([np.ones((2, 1)), np.zeros((3, 1))])
    assert found.shape == (2, 3, 1) and len(found.take(np.array([1]))) == 1
    assert found.take(np.array([1])).values is found.values


# -- one target for each step ----------------------------------------------------------------


def step_targets(found):
    return [np.cumsum(each[:, 0]) for each in found]


@pytest.mark.parametrize("estimator", (RNNRegressor, LSTMRegressor, GRURegressor))
def test_numbers_of_steps_are_learned(estimator):
    X, _ = sequences(300)
    y = step_targets(X)
    model = estimator(return_sequences=True, max_epochs=20, random_state=0, verbose=0)
    model.fit(X[:200], y[:200])
    assert model.score(X[200:], y[200:]) > 0.95
    found = model.predict(X[200:])
    assert [each.shape for each in found] == [each.shape for each in y[200:]]
    alone = model.predict(X[250:251])[0]
    assert (alone == found[50]).all()


def test_classes_of_steps_are_learned():
    X, _ = sequences(300)
    y = [np.where(each > 0, "up", np.where(each < -1, "low", "mid")) for each in step_targets(X)]
    model = LSTMClassifier(return_sequences=True, max_epochs=20, random_state=0, verbose=0)
    model.fit(X[:200], y[:200])
    assert model.score(X[200:], y[200:]) > 0.85
    assert model.predict(X[:1])[0].dtype.kind == "U"
    chances = model.predict_proba(X[200:])
    assert [each.shape for each in chances] == [(len(each), 3) for each in y[200:]]
    np.testing.assert_allclose(chances[0].sum(axis=1), 1, rtol=1e-6)
    balanced = model.set_params(class_weight="balanced").fit(X[:200], y[:200])
    rare = [np.mean(np.concatenate(found) == "mid") for found in (y, balanced.predict(X))]
    assert rare[1] > rare[0]  # it is predicted more often than it comes


@pytest.mark.parametrize("targets", (1, 2))
def test_steps_of_an_array_of_a_list_and_of_a_table(targets):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 6, 2))
    y = np.cumsum(X, axis=1)[..., 0] if targets == 1 else np.cumsum(X, axis=1)
    quick = {**QUICK, "return_sequences": True, "batch_size": "full"}
    expected = LSTMRegressor(**quick).fit(X, y).predict(X)
    assert expected.shape == y.shape
    listed = LSTMRegressor(**quick).fit(list(X), list(y)).predict(list(X))
    assert (listed == expected).all()
    frame = long_table(X, shuffled=False)
    order = rng.permutation(len(frame))
    names = ["c"] if targets == 1 else ["c", "d"]
    table = pd.DataFrame(y.reshape(-1, targets), columns=names).iloc[order]
    answers = table["c"] if targets == 1 else table
    model = LSTMRegressor(group="who", time="day", **quick).fit(frame.iloc[order], answers)
    found = model.predict(frame.iloc[order])
    inverse = np.argsort(order)
    np.testing.assert_allclose(found[inverse], expected.reshape(found.shape), rtol=1e-4, atol=1e-5)
    assert model.score(frame.iloc[order], answers) == pytest.approx(
        LSTMRegressor(**quick).fit(X, y).score(X, y), rel=1e-3
    )


def test_a_step_weighs_as_much_as_any_other():
    """Weights of sequences are those of their steps; a step of weight 0 is not there to learn."""
    X, _ = sequences(12)
    y = step_targets(X)
    full = {**QUICK, "batch_size": "full", "dtype": "float64", "return_sequences": True}
    weight = np.array([1.0, 2.0] * 6)
    by_steps = [np.full(len(each), w) for each, w in zip(X, weight, strict=True)]
    expected = LSTMRegressor(**full).fit(X, y, sample_weight=weight).predict(X)
    found = LSTMRegressor(**full).fit(X, y, sample_weight=by_steps).predict(X)
    assert all((a == b).all() for a, b in zip(found, expected, strict=True))
    twice = [each for each, w in zip(X, weight, strict=True) for _ in range(int(w))]
    targets = [each for each, w in zip(y, weight, strict=True) for _ in range(int(w))]
    repeated = LSTMRegressor(**full).fit(twice, targets).predict(X)
    for a, b in zip(repeated, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-7)
    masked = [np.arange(len(each)) < len(each) - 1 for each in X]
    wild = [np.where(mask, each, 1e6) for mask, each in zip(masked, y, strict=True)]
    found = LSTMRegressor(**full).fit(X, wild, sample_weight=masked).predict(X)
    expected = LSTMRegressor(**full).fit(X, y, sample_weight=masked).predict(X)
    assert all((a == b).all() for a, b in zip(found, expected, strict=True))


def test_listed_layers_that_return_all_states_have_targets_of_steps(tmp_path):
    X, _ = sequences(60)
    y = step_targets(X)
    quick = {"max_epochs": 3, "random_state": 0, "verbose": 0, "early_stopping": True}
    layers = [LSTM(8, return_sequences=True), Linear(4), Tanh(), Dropout(0.1)]
    model = NetworkRegressor(layers, **quick).fit(X, y)
    assert [each.shape for each in model.predict(X)] == [each.shape for each in y]
    model.save(tmp_path / "model.safetensors")
    again = load(tmp_path / "model.safetensors").predict(X)
    assert all((a == b).all() for a, b in zip(again, model.predict(X), strict=True))
    flat = [LSTM(8, return_sequences=True), Flatten()]
    assert NetworkRegressor(flat, **quick).fit(np.ones((9, 3, 2)), np.arange(9)).predict(
        np.ones((2, 3, 2))
    ).shape == (2,)


@pytest.mark.parametrize(
    ("X", "y", "message"),
    (
        (np.ones((4, 3, 2)), np.ones(4), r"the shape \(4, 3\), or .* one for each step .* \(4,\)"),
        ([np.ones((3, 2)), np.ones((1, 2))], [[1.0]] * 2, r"in sequence 0 the shape \(3,\)\. Got"),
        (
            [np.ones((3, 2)), np.ones((1, 2))],
            [np.ones((3, 2, 2)), np.ones((1, 2, 2))],
            r"in sequence 0 the shape \(3, 2\)\. Got \(3, 2, 2\)",
        ),
        ([np.ones((3, 2)), np.ones((1, 2))], [[1.0] * 3], r"each of the 2 sequences .* Got 1\."),
    ),
)
def test_targets_that_are_not_one_a_step_are_refused(X, y, message):
    with pytest.raises(ValueError, match=f"y of LSTMRegressor must have .*{message}"):
        LSTMRegressor(return_sequences=True, **QUICK).fit(X, y)


def test_windows_have_no_targets_of_steps():
    X, y = windows(pd.DataFrame({"day": range(40), "v": np.arange(40.0)}), 5, 5, target="v")
    with pytest.raises(ValueError, match="Got windows, whose target is what comes after them"):
        LSTMRegressor(return_sequences=True, **QUICK).fit(X, y)
    frame = long_table(sequences(5)[0])
    with pytest.raises(ValueError, match=r"each of the \d+ rows of X\. Got 5\."):
        LSTMRegressor(return_sequences=True, group="who", time="day", **QUICK).fit(
            frame, np.ones(5)
        )


# -- names --------------------------------------------------------------------------------------


def test_columns_of_a_flat_table_keep_their_names(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(20, 4)), columns=list("abcd"))
    model = RNNRegressor(**QUICK).fit(frame, frame.sum(axis=1))
    assert model.feature_names_in_.tolist() == list("abcd")
    model.predict(frame)  # without a warning
    with pytest.raises(
        ValueError, match="must have its columns in the order that they had in training. Got"
    ):
        model.predict(frame[list("dcba")])
    model.save(tmp_path / "model.safetensors")
    assert load(tmp_path / "model.safetensors").feature_names_in_.tolist() == list("abcd")


@pytest.mark.parametrize("library", (pd, pl))
def test_a_list_of_tables_goes_by_their_columns(library):
    X, y = sequences()
    tables = [library.DataFrame({"a": each[:, 0], "b": each[:, 1]}) for each in X]
    model = LSTMRegressor(**QUICK).fit(tables, y)
    expected = LSTMRegressor(**QUICK).fit(X, y).predict(X)
    assert (model.predict(tables) == expected).all()
    turned = [each[["b", "a"]] for each in tables]
    assert (model.predict(turned) == expected).all()
    with pytest.raises(ValueError, match=r"sequence 1 of X .* columns of sequence 0, \['a', 'b'\]"):
        model.predict([tables[0], library.DataFrame({"a": [1.0], "c": [2.0]})])


def test_some_of_a_ragged_list_may_be_as_long():
    X = [[1.0, 2.0, 3.0], [1.0, 2.0], [3.0, 4.0, 5.0, 6.0]]
    model = LSTMRegressor(**QUICK).fit(X, [1.0, 2.0, 3.0])
    whole = model.predict(X)
    assert [model.predict(X[i : i + 1])[0] for i in range(3)] == whole.tolist()
    arrays = np.empty(2, dtype=object)
    arrays[:] = [np.ones((3, 2)), np.zeros((3, 2))]
    listed = np.array([np.ones((3, 2)), np.zeros((3, 2))], dtype=object)
    for given in (arrays, listed):
        assert LSTMRegressor(**QUICK).fit(given, [0.0, 1.0]).predict(given).shape == (2,)


def test_targets_by_name_are_those_of_the_group():
    X, _ = sequences(5)
    frame = long_table(X)
    order = list(dict.fromkeys(frame["who"]))
    table = pd.DataFrame({"p": np.arange(5.0), "q": -np.arange(5.0)}, [f"g{i}" for i in range(5)])
    model = LSTMRegressor(group="who", time="day", **QUICK)

    def flattened(model, X, y):
        return model._new_input(X).read(model, X, learn=True).layout.flatten("y", y)

    found = flattened(model, frame, table)
    assert found.index.tolist() == order and (found["p"] == [int(x[1:]) for x in order]).all()
    with pytest.raises(
        ValueError, match="must name every sequence, or none. Got 'g.' but not 'g0'"
    ):
        model.fit(frame, table.rename(index={"g0": "z"}))
    # one row a group, whose names are numbers like those of the rows
    single = pd.DataFrame({"who": [2, 0, 1, 3], "a": [1.0, 2, 3, 4]})
    given = pd.Series([20, 0, 10, 30])
    assert flattened(LSTMRegressor(group="who"), single, given).tolist() == [20, 0, 10, 30]
    named = pd.Series([0, 10, 20, 30], index=[0, 1, 2, 3])
    named = named.loc[[0, 1, 2, 3]]
    assert flattened(LSTMRegressor(group="who"), single, named).tolist() == [20, 0, 10, 30]


def test_what_is_missing_in_a_long_table_is_named():
    frame = pd.DataFrame({"who": pd.array([1, None, 2], dtype="Int64"), "a": [1.0, 2, 3]})
    with pytest.raises(ValueError, match=r"must name the sequence of every row\. Got .* in row 1"):
        LSTMRegressor(group="who", **QUICK).fit(frame, [1.0, 2.0])
    frame = pd.DataFrame({"who": [1, 1, 2], "a": [1.0, 2, 3]})
    with pytest.raises(ValueError, match=r"must have a value in every row\. Got nan in row 0"):
        LSTMRegressor(group="who", **QUICK).fit(frame, [np.nan, np.nan, 2.0])
    with pytest.raises(ValueError, match="must have the same number of rows. Got 5 rows in X and"):
        LSTMRegressor(**QUICK).fit(np.ones((5, 3, 2)), np.ones(6), sample_weight=np.ones(6))


@pytest.mark.parametrize("lengths", ([4, 5, 4], [4, 0, 4], [4, -1, 4], [4, 10**8, 4]))
def test_lengths_that_the_kernels_would_run_past_are_refused(lengths):
    with pytest.raises(ValueError, match=r"must be between 1 and 4, .* Got .* in row 1\."):
        Sequences.from_padded(np.zeros((3, 4, 2)), lengths)


def test_sequences_come_in_the_type_of_the_network():
    network = Network([LSTM(4), Linear(1)]).build((5, 2), random_state=0)
    x = np.random.default_rng(0).normal(size=(2, 5, 2))
    data = Sequences.from_padded(x, [5, 5])
    assert (network.forward(data) == network.forward(x)).all()
    with pytest.raises(ValueError, match="must have at least one array. Got none"):
        Sequences.from_list([])


def test_times_in_text_are_numbers_or_dates():
    rows = [("a", str(t), float(t)) for t in range(12)]
    frame = pd.DataFrame(rows, columns=["who", "day", "v"])
    groups = Groups.of("windows", frame, "who", "day")
    assert groups.order.tolist() == list(range(12))  # and not 0, 1, 10, 11, 2
    frame.loc[7, "day"] = "not a day"
    with pytest.raises(
        ValueError, match=r"must hold numbers, or dates, .* Got 'not a day' in row 7"
    ):
        Groups.of("windows", frame, "who", "day")
    frame["day"] = [*frame["day"][:6], *[f"2024-01-{d:02}" for d in range(1, 7)]]
    with pytest.raises(ValueError, match="all written alike, such as 2026-11-23. Got '0' in row 0"):
        Groups.of("windows", frame, "who", "day")


def test_weights_of_a_long_table_by_row_or_by_sequence():
    X, y = sequences(12)
    frame = long_table(X, shuffled=False)
    weight = np.arange(1.0, 13.0)
    by_row = np.repeat(weight, [len(each) for each in X])
    models = [
        LSTMRegressor(group="who", time="day", **QUICK).fit(frame, y, sample_weight=each)
        for each in (weight, by_row)
    ]
    assert (models[0].predict(frame) == models[1].predict(frame)).all()
    assert models[0].score(frame, y, by_row) == models[0].score(frame, y, weight)
    assert models[0].table_.output_names == ["a", "b"]


@pytest.mark.parametrize("X", ([], np.zeros((0, 4, 2))))
def test_no_sequence_at_all(X):
    with pytest.raises(ValueError, match="X of LSTMRegressor must have at least one sequence"):
        LSTMRegressor(**QUICK).fit(X, [])


def test_windows_of_other_steps_are_refused():
    frame = pd.DataFrame({"v": np.arange(40.0) % 7})
    model = LSTMRegressor(**QUICK).fit(*windows(frame, 5))
    with pytest.raises(ValueError, match="must be windows of 5 steps, as in fit. Got windows of 3"):
        model.predict(last_window(frame, 3))
    X = last_window(frame, 5)
    assert repr(X) == "Windows(shape=(1, 5, 1))"
    with pytest.raises(IndexError, match="it takes whole windows"):
        X[:, 0]
    with pytest.raises(ValueError, match="column of Windows must be one of numbers. Got 'w'"):
        X.last("w")


def test_windows_that_were_cut_by_hand_are_told():
    """As an array they are learned without what is made for series, and often learn nothing."""
    series = np.cumsum(np.random.default_rng(0).normal(size=60))
    cut = np.lib.stride_tricks.sliding_window_view(series, 8)

    def said(estimator, X, y):
        return "a step later" in " ".join(estimator(4, max_epochs=1, verbose=2).fit(X, y)._notes)

    X, y = cut[:-1], series[8:]
    assert said(RNNRegressor, X[:, :, None], y) and said(RNNRegressor, X, y)
    assert not said(RNNRegressor, X[::8], y[::8])  # too few, and one behind the other
    assert not said(RNNRegressor, np.ones((60, 8, 1)), series)
    assert not said(RNNClassifier, X, y > 0)  # of which nothing is forecast
    assert not said(RNNRegressor, *windows(pd.DataFrame({"v": series}), 8))
