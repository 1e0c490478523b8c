"""What fit and predict of every estimator take: rows to validate on, single rows, names."""

import inspect
import re
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from sklearn.base import clone
from sklearn.metrics import d2_pinball_score, r2_score
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pellucid import (
    CNNClassifier,
    FCNNClassifier,
    FCNNRegressor,
    GRUClassifier,
    LSTMRegressor,
    NetworkClassifier,
    formulas,
    load,
)
from pellucid.data import windows
from pellucid.estimators.parameters import ESTIMATORS
from pellucid.layers import RNN, Linear, ReLU

QUICK = {"max_epochs": 3, "random_state": 0, "verbose": 0}
rng = np.random.default_rng(0)
FRAME = pd.DataFrame({"a": rng.normal(size=90), "b": rng.choice(list("xyz"), 90)})
LABELS = np.where(FRAME["a"] + (FRAME["b"] == "x") > 0.3, "yes", "no")
PICTURES = rng.uniform(size=(90, 6, 6))
SEQUENCES = [rng.normal(size=(1 + i % 5, 2)) for i in range(90)]
TOTALS = np.array([sequence[:, 0].sum() for sequence in SEQUENCES])
DAYS = pd.DataFrame({"day": range(100), "v": np.sin(np.arange(100.0) / 5)})
WINDOWS, AHEAD = windows(DAYS, 4, target="v", time="day")

# -- validation_data -----------------------------------------------------------------------------

CASES = {
    "table": (FCNNClassifier(8), FRAME, LABELS),
    "layers": (NetworkClassifier([Linear(4), ReLU()]), FRAME, LABELS),
    "number": (FCNNRegressor(8), FRAME, FRAME["a"]),
    "logarithm": (FCNNRegressor(8, target_transform="log"), FRAME, np.exp(FRAME["a"])),
    "pictures": (CNNClassifier(4), PICTURES, LABELS),
    "sequences": (LSTMRegressor(4), SEQUENCES, TOTALS),
    "steps": (GRUClassifier(4, return_sequences=True), PICTURES, PICTURES[:, :, 0] > 0.5),
    # of squares a share of the network alone is kept, after all epochs
    "windows": (LSTMRegressor(4, loss="huber"), WINDOWS, AHEAD),
}


def cut(X, part):
    return X[part] if not isinstance(X, pd.DataFrame | pd.Series) else X.iloc[part]


@pytest.mark.parametrize("early", (False, True))
@pytest.mark.parametrize("kind", CASES)
def test_rows_to_validate_on(kind, early):
    """Their loss stands in the history, and rows of X are all trained on."""
    estimator, X, y = CASES[kind]
    train, test = slice(0, 60), slice(60, 90)
    model = clone(estimator).set_params(early_stopping=early, **QUICK)
    model.fit(cut(X, train), cut(y, train), validation_data=(cut(X, test), cut(y, test)))
    examples = model._examples(cut(X, test), cut(y, test))
    losses = model.history_["validation_loss"]
    assert len(losses) == 3 and len(set(losses)) == 3
    assert ("validation_accuracy" in model.history_.columns) == hasattr(model, "classes_")
    kept = losses[model.best_epoch_ - 1]
    assert model.best_epoch_ == (1 + losses.index(min(losses)) if early else 3)
    again = float(model.network_.gradients(examples.rows, examples.targets, model._loss()[0])[0])
    if kind != "pictures":  # batch normalisation normalises by the batch there
        np.testing.assert_allclose(kept, again, rtol=1e-5)
    plain = clone(estimator).set_params(**QUICK).fit(cut(X, train), cut(y, train))
    if not early:
        np.testing.assert_array_equal(plain.predict(X[:5]), model.predict(X[:5]))
        assert plain.history_["loss"] == model.history_["loss"]


def test_it_is_what_stops():
    noise = rng.choice(["yes", "no"], 90)
    model = FCNNClassifier(
        64, early_stopping=True, patience=2, max_epochs=100, random_state=0, verbose=0
    )
    model.fit(FRAME[:60], LABELS[:60], validation_data=(FRAME[60:], noise[60:]))
    losses = model.history_["validation_loss"]
    assert model.n_iter_ == model.best_epoch_ + 2 < 100
    assert model.best_epoch_ == 1 + losses.index(min(losses))


def test_weights_of_rows_to_validate_on():
    def loss(*more):
        model = FCNNClassifier(8, **QUICK)
        return model.fit(FRAME[:60], LABELS[:60], validation_data=more).history_["validation_loss"]

    X, y = FRAME[60:], LABELS[60:]
    weights = np.repeat([1.0, 0.0], 15)
    np.testing.assert_allclose(loss(X, y, weights), loss(X[:15], y[:15]), rtol=1e-6)
    np.testing.assert_allclose(loss(X, y, np.full(30, 3.0)), loss(X, y), rtol=1e-6)


@pytest.mark.parametrize(
    "data, error, words",
    (
        (FRAME, ValueError, r"validation_data of FCNNClassifier must be \(X, y\) or \(X, y, sam"),
        ((FRAME,), ValueError, r"must be \(X, y\) or .*\. Got 1 entries\."),
        ((FRAME, LABELS[:5]), ValueError, r"cannot be used\. X and y of FCNNClassifier must have"),
        ((FRAME[["a"]], LABELS), ValueError, r"cannot be used\. X of .* must have column 'b'"),
        ((FRAME, LABELS == "yes"), ValueError, r"cannot be used\. y of .* has no class"),
        ((FRAME, np.full(90, "yess")), ValueError, r"no class 'yess' .* Did you mean 'yes'\?"),
        ((FRAME, LABELS, -np.ones(90)), ValueError, r"cannot be used\. sample_weight of .* must"),
        ((3, LABELS), ValueError, r"validation_data of FCNNClassifier cannot be used\. "),
    ),
)
def test_bad_ones_are_named_and_change_nothing(data, error, words):
    model = FCNNClassifier(8, **QUICK)
    with pytest.raises(error, match=words):
        model.fit(FRAME, LABELS, validation_data=data)
    assert not hasattr(model, "network_")


def test_stateful_layers_have_none():
    model = NetworkClassifier([RNN(4, stateful=True)], **QUICK)
    with pytest.raises(ValueError, match="validation_data of .* must be None where layers are st"):
        model.fit(PICTURES, LABELS, validation_data=(PICTURES, LABELS))


def test_pipelines_and_metadata_routing_pass_it_on():
    X = FRAME[["a"]].to_numpy()
    data = (X[60:], LABELS[60:])
    pipeline = make_pipeline(StandardScaler(), FCNNClassifier(8, **QUICK))
    pipeline.fit(X[:60], LABELS[:60], fcnnclassifier__validation_data=data)
    assert len(pipeline[-1].history_["validation_loss"]) == 3
    with sklearn.config_context(enable_metadata_routing=True):
        model = FCNNClassifier(8, **QUICK).set_fit_request(validation_data=True)
        routed = make_pipeline(StandardScaler(), clone(model))
        routed.fit(X[:60], LABELS[:60], validation_data=data)
    assert routed[-1].history_["validation_loss"] == pipeline[-1].history_["validation_loss"]


# -- calls ---------------------------------------------------------------------------------------

ABSTRACT = re.compile(
    r"\b_(C|FC|R)NN|_AnyNetwork|Network(Classification|Regression|Estimator)|Recurrent\w+"
)


@pytest.mark.parametrize(
    "call, words",
    (
        (lambda m: m.fit(FRAME, LABELS, epochs=3), r"^fit of FCNNClassifier takes X, y, sample_wei"
         r"ght, target, validation_data, checkpoint, checkpoint_every\. Got the unknown 'epochs'\. "
         r"Did you mean 'max_epochs'\?$"),
        (lambda m: m.fit(FRAME, LABELS, sample_weights=3), r"Did you mean 'sample_weight'\?$"),
        (lambda m: m.fit(FRAME, LABELS, max_epochs=3), r"Got 'max_epochs', a parameter of the esti"
         r"mator\. Write FCNNClassifier\(max_epochs=\.\.\.\), or model\.set_params\("),
        (lambda m: m.partial_fit(FRAME, LABELS, clases=3), r"^partial_fit .* mean 'classes'\?$"),
        (lambda m: m.predict(FRAME, batch=3), r"^predict of FCNNClassifier takes X\. Got the "),
        (lambda m: m.predict(), r"^predict of .* takes X\. Got a wrong call: missing a required "),
        (lambda m: m.fit(FRAME, LABELS, None, 3), r"^fit of .* Got a wrong call: too many posit"),
        (lambda m: m.predict_log_proba(x=FRAME), r"^predict_log_proba .* Got the unknown 'x'\."),
        (lambda m: m.score(FRAME, LABELS, weight=3), r"Did you mean 'sample_weight'\?$"),
        (lambda m: m.save(), r"^save of FCNNClassifier takes path\."),
        (lambda m: m.summary(3), r"^summary of FCNNClassifier takes no arguments\."),
    ),
)  # fmt: skip
def test_wrong_calls_are_refused_in_the_name_of_the_class(call, words):
    with pytest.raises(TypeError, match=words):
        call(FCNNClassifier(**QUICK))


@pytest.mark.parametrize("name", ESTIMATORS)
def test_no_abstract_class_shows(name):
    """In what Python, help and scikit-learn say of an estimator and its methods."""
    estimator = ESTIMATORS[name]
    texts = [
        repr(estimator),
        repr(estimator()),
        estimator.__doc__,
        str(inspect.signature(estimator)),
    ]
    for method in (getattr(estimator, each) for each in dir(estimator) if each[0] != "_"):
        if inspect.isfunction(method):
            texts += [method.__qualname__, repr(method), inspect.getdoc(method)]
            texts += [str(inspect.signature(method))]
    for text in texts:
        assert not ABSTRACT.search(text), text
    assert estimator.fit.__qualname__ == f"{name}.fit"
    assert "validation_data" in inspect.signature(estimator().fit).parameters


# -- one row -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def table():
    return FCNNClassifier(8, **QUICK).fit(FRAME, LABELS)


ROW = FRAME.iloc[0]
POLARS = pl.from_pandas(FRAME)
ONE_ROW = {
    "series": (ROW, r"Got a Series, one row of a table\. Write X\.iloc\[\[0\]\] for X\.iloc"
               r"\[0\], or pass X\.to_frame\(\)\.T\.$", lambda x: x.to_frame().T),
    "numbered series": (ROW.reset_index(drop=True), r"one column or one row .* X\.to_frame\(\)\.T",
                        lambda x: x.set_axis(FRAME.columns).to_frame().T),
    "dict": (ROW.to_dict(), r"a map of single values, one row\. Pass \[X\], or X\.iloc\[\[0",
             lambda x: [x]),
    "dict with a gap": ({"a": None, "b": "x"}, r"Pass \[X\]", lambda x: [x]),
    "row of polars": (POLARS.row(0), r"a list of single values\. Pass \[X\] if it is one row",
                      lambda x: [x]),
    "map of polars": (POLARS.row(0, named=True), r"Pass \[X\]", lambda x: [x]),
    "list": (list(ROW), r"Pass \[X\] if it is one row", lambda x: [x]),
    "tuple with names": (next(FRAME.itertuples(index=False)), r"Pass \[X\]", lambda x: [x]),
    "array": (ROW.to_numpy(), r"Reshape your data: X\.reshape\(1, -1\) makes one row",
              lambda x: x.reshape(1, -1)),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@pytest.mark.parametrize("kind", ONE_ROW)
def test_one_row_is_refused_with_a_way_out_that_works(table, kind):
    row, words, way_out = ONE_ROW[kind]
    with pytest.raises(ValueError, match=r"^X of FCNNClassifier must be rows, .* " + words):
        table.predict(row)
    answer = table.predict(way_out(row))
    assert len(answer) == 1
    if kind != "dict with a gap":
        assert answer == table.predict(FRAME.iloc[[0]])


@pytest.mark.parametrize(
    "X, words",
    (
        (FRAME["a"], r"Pass X\.to_frame\(\) if it is a column"),
        (POLARS["a"], r"one column of a table\. Pass X\.to_frame\(\)\."),
        (np.float64(3), r"an array of shape \(\)\. Reshape"),
        (3.5, r"Got 3\.5\. Pass \[\[X\]\]"),
        ("data.csv", r"Got 'data\.csv'\. Read a file first, as with pellucid\.data\.read_table\("),
        (Path("data.csv"), r"Read a file first"),
    ),
)
def test_so_are_one_column_one_value_and_a_path(table, X, words):
    with pytest.raises(ValueError, match=words):
        table.predict(X)
    with pytest.raises(ValueError, match=words):
        FCNNClassifier(**QUICK).fit(X, LABELS)


def test_one_picture_and_one_sequence_too():
    pictures = CNNClassifier(4, **QUICK).fit(PICTURES, LABELS)
    with pytest.raises(ValueError, match=r"Got one picture of shape \(6, 6\)\. Pass \[X\]\."):
        pictures.predict(PICTURES[0])
    assert pictures.predict([PICTURES[0]]) == pictures.predict(PICTURES[:1])
    sequences = LSTMRegressor(4, **QUICK).fit(SEQUENCES, TOTALS)
    with pytest.raises(ValueError, match=r"Got \(rows, steps\)\. \[X\] is a single sequence\."):
        sequences.predict(SEQUENCES[4])
    assert sequences.predict([SEQUENCES[4]]) == sequences.predict(SEQUENCES[4:5])
    for model in (pictures, sequences):
        with pytest.raises(ValueError, match=r"Got a map of single values, one row\. Pass \[X\]"):
            model.predict(ROW.to_dict())


# -- several targets of several classes ----------------------------------------------------------

KINDS = pd.DataFrame(
    {"size": pd.cut(FRAME["a"], 3, labels=["small", "middle", "big"]).astype(str), "b": FRAME["b"]}
)


@pytest.mark.parametrize(
    "Y",
    (KINDS, KINDS.to_numpy(), KINDS.to_numpy().astype(str), np.arange(180).reshape(90, 2) % [3, 4]),
    ids=("frame", "objects", "text", "numbers"),
)
def test_several_targets_of_several_classes_take_one_model_each(Y):
    words = r"MultiOutputClassifier\(FCNNClassifier\(\)\) fits one model for each column\.$"
    model = FCNNClassifier(max_epochs=30, random_state=0, verbose=0)
    with pytest.raises(ValueError, match=words):
        model.fit(FRAME, Y)
    several = MultiOutputClassifier(model).fit(FRAME, Y)
    answers = several.predict(FRAME)
    assert answers.shape == (90, 2)
    assert [shares.shape for shares in several.predict_proba(FRAME)] == [
        (90, len(np.unique(np.asarray(Y)[:, column]))) for column in (0, 1)
    ]
    if isinstance(Y, pd.DataFrame):
        assert several.score(FRAME, Y.to_numpy()) > 0.9


# -- losses of regressors ------------------------------------------------------------------------

LEARN, HELD = slice(0, 600), slice(600, 1600)


def with_outliers(share=0.05, far=100.0, seed=0):
    """A function of three columns; some of the targets to learn from are far from all others."""
    draw = np.random.default_rng(seed)
    table = draw.normal(size=(1600, 3))
    clean = 2 * table[:, 0] + np.sin(2 * table[:, 1]) + 0.2 * draw.normal(size=1600)
    dirty = clean + np.where(draw.random(1600) < share, far, 0.0)
    return table, clean, dirty


def test_robust_losses_do_not_follow_outliers():
    """The answer is known: one target in twenty is 100 too large, which says nothing of others."""
    table, clean, dirty = with_outliers()
    errors = {}
    for loss in ("mse", "huber", "mae"):
        model = FCNNRegressor(32, loss=loss, max_epochs=20, random_state=0, verbose=0)
        predicted = model.fit(table[LEARN], dirty[LEARN]).predict(table[HELD])
        errors[loss] = np.sqrt(np.mean((predicted - clean[HELD]) ** 2))
    assert max(errors["huber"], errors["mae"]) < 0.7 < 3 < errors["mse"], errors


def test_how_far_outliers_are_changes_nothing():
    """Median and quartiles standardise y; the standard deviation would shrink all else to 0."""
    table, clean, _ = with_outliers()
    far = np.argsort(clean[LEARN])[-30:]
    for loss in ("huber", "mae", "quantile"):
        predicted = []
        for value in (1e3, 1e6):
            dirty = clean[LEARN].copy()
            dirty[far] = value
            model = FCNNRegressor(16, loss=loss, **QUICK).fit(table[LEARN], dirty)
            predicted.append(model.predict(table[HELD]))
        np.testing.assert_array_equal(*predicted)


@pytest.mark.parametrize("quantile", (0.1, 0.9))
def test_a_quantile_covers_its_share_of_new_rows(quantile):
    """The noise differs from row to row, so no shifted mean does."""
    draw = np.random.default_rng(1)
    table = draw.normal(size=(6000, 2))
    y = table[:, 0] + np.exp(table[:, 1]) * draw.normal(size=6000)
    train, test = slice(0, 2000), slice(2000, 6000)
    model = FCNNRegressor(
        32, loss="quantile", quantile=quantile, max_epochs=20, random_state=0, verbose=0
    ).fit(table[train], y[train])
    below = y[test] <= model.predict(table[test])
    assert np.mean(below) == pytest.approx(quantile, abs=0.03)
    for part in (table[test, 1] > 0.7, table[test, 1] < -0.7):  # where noise is much, and little
        assert np.mean(below[part]) == pytest.approx(quantile, abs=0.06)
    share = d2_pinball_score(y[test], model.predict(table[test]), alpha=quantile)
    assert model.score(table[test], y[test]) == share > 0.2
    assert r2_score(y[test], model.predict(table[test])) < 0  # what score must not say


def test_the_median_is_a_quantile():
    table, clean, _ = with_outliers()
    half = FCNNRegressor(16, loss="quantile", optimizer="adam", random_state=0, verbose=0)
    whole = FCNNRegressor(16, loss="mae", optimizer="adam", random_state=0, verbose=0)
    fits = [model.fit(table[LEARN], clean[LEARN]) for model in (half, whole)]
    np.testing.assert_allclose(*[one.predict(table[HELD]) for one in fits], atol=0.1)
    ratio = np.divide(whole.history_["loss"], half.history_["loss"])
    np.testing.assert_allclose(ratio, 2, rtol=0.02)  # |e| and |e| / 2; Adam minds no factor


def test_quantiles_go_through_the_logarithm():
    table, clean, _ = with_outliers()
    price = np.exp(clean)
    model = FCNNRegressor(
        16, loss="quantile", quantile=0.9, target_transform="log", random_state=0, verbose=0
    ).fit(table[LEARN], price[LEARN])
    below = np.mean(price[HELD] <= model.predict(table[HELD]))
    assert below == pytest.approx(0.9, abs=0.04)
    again = FCNNRegressor(16, loss="quantile", quantile=0.9, random_state=0, verbose=0)
    again.fit(table[LEARN], clean[LEARN])
    np.testing.assert_allclose(
        np.log(model.predict(table[HELD])), again.predict(table[HELD]), atol=0.1
    )


REGRESSORS = {
    "FCNNRegressor": (8, FRAME, TOTALS),
    "NetworkRegressor": ([Linear(4), ReLU()], FRAME, np.stack([TOTALS, -TOTALS], axis=1)),
    "CNNRegressor": (4, PICTURES, TOTALS),
    "RNNRegressor": (4, SEQUENCES, np.stack([TOTALS, -TOTALS], axis=1)),
    "LSTMRegressor": (4, WINDOWS, AHEAD),
    "GRURegressor": (4, SEQUENCES, TOTALS),
}


@pytest.mark.parametrize("loss", ("mse", "huber", "mae", "quantile"))
@pytest.mark.parametrize("name", REGRESSORS)
def test_every_regressor_has_the_losses(name, loss, tmp_path):
    """The loss of history is that of the formula; files, weights and validation go with it."""
    own, X, y = REGRESSORS[name]
    count = len(y)
    weight = rng.uniform(0.5, 2, count)
    model = ESTIMATORS[name](
        own, loss=loss, quantile=0.75, learning_rate=1e-12, weight_decay=0.0, **QUICK
    ).fit(X, y, weight, validation_data=(X, y, weight))
    examples = model._examples(X, y)
    target = np.reshape(examples.targets.values, (count, -1)).astype(float)
    outputs = np.reshape(model._output(model._read(X)), (count, -1)).astype(float)
    function = model._loss()[0]
    formula = getattr(formulas, function.name)
    expected = formula(outputs, target, weight / weight.mean(), **function.options)
    assert model.history_["validation_loss"][-1] == pytest.approx(expected, rel=1e-4)
    if name != "CNNRegressor":  # batch normalisation normalises by the batch in training
        assert model.loss_ == pytest.approx(expected, rel=1e-3)
    model.save(tmp_path / "m")
    again = load(tmp_path / "m")
    assert again.digest_ == model.digest_ and again.loss == loss
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert again.score(X, y) == model.score(X, y)


def test_a_loss_at_its_default_leaves_the_digest_as_it_was():
    plain = FCNNRegressor(8, **QUICK).fit(FRAME, TOTALS)
    assert FCNNRegressor(8, loss="mse", **QUICK).fit(FRAME, TOTALS).digest_ == plain.digest_
    digests = {
        FCNNRegressor(8, **{"loss": loss, "quantile": share}, **QUICK).fit(FRAME, TOTALS).digest_
        for loss, share in (("huber", 0.5), ("mae", 0.5), ("quantile", 0.5), ("quantile", 0.9))
    }
    assert len(digests | {plain.digest_}) == 5


@pytest.mark.parametrize("loss", ("huber", "mae", "quantile"))
def test_each_step_may_have_a_loss_of_its_own(loss):
    """Of sequences of unequal length; a step of weight 0 is left out."""
    model = LSTMRegressor(8, return_sequences=True, loss=loss, quantile=0.9, **QUICK)
    targets = [one[:, 0] for one in SEQUENCES]
    weights = [np.where(np.arange(len(one)) == 0, 0.0, 1.0) for one in SEQUENCES]
    model.fit(SEQUENCES, targets, weights)
    wild = [np.where(weight == 0, 1e9, one) for one, weight in zip(targets, weights, strict=True)]
    other = clone(model).fit(SEQUENCES, wild, weights)
    assert other.history_["loss"] == model.history_["loss"]


@pytest.mark.parametrize(
    ("parameters", "error", "words"),
    (
        ({"loss": "hubert"}, ValueError, r"loss of FCNNRegressor must be one of 'mse', .* Got 'hub"
                                         r"ert'\. Did you mean 'huber'\?"),
        ({"loss": None}, TypeError, r"loss of FCNNRegressor must be one of"),
        ({"loss": "quantile", "quantile": 1.0}, ValueError, r"quantile of .* a number in \(0, 1\)"),
        ({"quantile": 90}, ValueError, r"quantile of FCNNRegressor must be a number in \(0, 1\)"),
        ({"quantile": "0.9"}, TypeError, r"quantile of FCNNRegressor must be a number in"),
    ),
)  # fmt: skip
def test_bad_losses(parameters, error, words, tmp_path):
    with pytest.raises(error, match=words):
        FCNNRegressor(8, **parameters).fit(FRAME, TOTALS)
    model = FCNNRegressor(8, **QUICK).fit(FRAME, TOTALS).set_params(**parameters)
    with pytest.raises(error, match=words):  # else the file could not be loaded
        model.save(tmp_path / "m")
    with pytest.raises(TypeError, match="FCNNClassifier has no parameter 'loss'"):
        FCNNClassifier(loss="mae")
