"""Fully connected estimators: they learn, they fit into scikit-learn, and mistakes are told."""

import json
import pickle
import sys
import warnings
from dataclasses import dataclass

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_iris,
    make_multilabel_classification,
)
from sklearn.exceptions import NotFittedError
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pellucid import FCNNClassifier, FCNNRegressor, NetworkClassifier, load
from pellucid.data import class_target
from pellucid.layers import Dropout, Linear
from pellucid.layers.activations import Activation
from pellucid.training.optimizers import SGD
from pellucid.training.schedules import Cosine, Plateau

QUICK = {
    "hidden_dim": 16, "max_epochs": 20, "learning_rate": 0.02, "batch_size": 16,
    "random_state": 0, "verbose": 0,
}  # fmt: skip


@pytest.fixture(scope="module")
def iris():
    return load_iris(return_X_y=True, as_frame=True)


@pytest.fixture(scope="module")
def fitted(iris):
    return FCNNClassifier(**QUICK).fit(*iris)


# -- learning ----------------------------------------------------------------------------------


def test_multiclass(iris, fitted):
    X, y = iris
    assert fitted.score(X, y) > 0.95
    probabilities = fitted.predict_proba(X)
    assert probabilities.shape == (150, 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(fitted.predict(X), fitted.classes_[probabilities.argmax(axis=1)])
    assert fitted.history_[-1]["loss"] < fitted.history_[0]["loss"]
    assert fitted.history_[-1]["accuracy"] > 0.95
    assert fitted.n_iter_ == 20
    assert list(fitted.feature_names_in_) == list(X.columns)


def test_binary_with_text_labels():
    X, y = load_breast_cancer(return_X_y=True)
    names = np.array(["malignant", "benign"])[y]
    X_train, X_test, y_train, y_test = train_test_split(X, names, random_state=0)
    model = FCNNClassifier(**QUICK).fit(X_train, y_train)
    assert model.score(X_test, y_test) > 0.94
    assert model.network_.output_shape == (1,)  # two classes share one logit
    probabilities = model.predict_proba(X_test)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(
        model.predict(X_test), model.classes_[(probabilities[:, 1] > 0.5).astype(int)]
    )


def test_multilabel():
    X, Y = make_multilabel_classification(300, n_classes=4, random_state=0)
    model = FCNNClassifier(**QUICK).fit(X, Y)
    predicted = model.predict(X)
    assert predicted.shape == Y.shape
    assert (predicted == Y).mean() > 0.85
    assert model.predict_proba(X).shape == Y.shape
    assert 0 < model.history_[-1]["accuracy"] <= 1


def test_regression_in_its_own_units():
    X, y = load_diabetes(return_X_y=True)
    model = FCNNRegressor(**QUICK).fit(X, 1e6 * y + 1e9)
    assert model.score(X, 1e6 * y + 1e9) > 0.45
    assert abs(model.predict(X).mean() - (1e6 * y + 1e9).mean()) < 5e6
    assert "accuracy" not in model.history_[-1]


def test_several_targets():
    X, y = load_diabetes(return_X_y=True)
    Y = np.column_stack([y, -3 * y, X[:, 0]])
    model = FCNNRegressor(**QUICK).fit(X, Y)
    assert model.predict(X).shape == Y.shape
    assert model.score(X, Y) > 0.4


def test_sample_weight_moves_the_model_to_the_heavy_rows():
    X = np.zeros((40, 1)) + np.arange(40)[:, None] % 2
    y = np.r_[np.zeros(20), np.ones(20)]
    heavy = np.where(y == 1, 9.0, 1.0)
    options = {**QUICK, "learning_rate": 0.05, "batch_size": "full"}
    assert abs(FCNNRegressor(**options).fit(X, y).predict(X).mean() - 0.5) < 0.05
    assert abs(FCNNRegressor(**options).fit(X, y, heavy).predict(X).mean() - 0.9) < 0.05


def test_balanced_class_weight_finds_the_rare_class():
    rng = np.random.default_rng(0)
    X = np.r_[rng.normal(0, 1, (570, 2)), rng.normal(1.5, 1, (30, 2))]
    y = np.r_[np.zeros(570), np.ones(30)]
    plain = FCNNClassifier(**QUICK).fit(X, y)
    balanced = FCNNClassifier(**QUICK, class_weight="balanced").fit(X, y)
    assert balanced.predict(X)[y == 1].mean() > plain.predict(X)[y == 1].mean() + 0.2


# -- training's manners ------------------------------------------------------------------------


def test_early_stopping_goes_back_to_the_best_epoch(iris):
    X, y = iris
    model = FCNNClassifier(
        hidden_dim=64, max_epochs=300, early_stopping=True, patience=5, validation_fraction=0.3,
        learning_rate=0.03, schedule="constant", random_state=0, verbose=0,
    ).fit(X, y)  # fmt: skip
    losses = model.history_["validation_loss"]
    assert model.n_iter_ < 300
    assert model.best_epoch_ == int(np.argmin(losses)) + 1 == model.n_iter_ - 5
    # the weights are those of that epoch, not of the last
    again = FCNNClassifier(
        **{
            **model.get_params(),
            "max_epochs": 300,
            "callbacks": lambda m, row: row["epoch"] == model.best_epoch_,
        }
    ).fit(X, y)
    np.testing.assert_array_equal(again.network_.values, model.network_.values)


def test_validation_rows_show_every_class(iris):
    seen = {}

    class Spy(FCNNClassifier):
        def _split(self, *given):
            seen["parts"] = super()._split(*given)
            return seen["parts"]

    Spy(**QUICK, early_stopping=True, validation_fraction=0.2).fit(*iris)
    train, aside = seen["parts"]
    assert np.bincount(aside.targets.values).tolist() == [10, 10, 10]
    assert np.bincount(train.targets.values).tolist() == [40, 40, 40]


def test_partial_fit_is_one_epoch(iris):
    X, y = iris
    model = FCNNClassifier(**QUICK)
    for epoch in range(1, 6):
        model.partial_fit(X, y, classes=[0, 1, 2])
        assert model.n_iter_ == epoch
    assert model.history_["epoch"] == [1, 2, 3, 4, 5]
    assert model.history_[-1]["loss"] < model.history_[0]["loss"]
    assert set(model.history_["learning_rate"]) == {0.02}  # no end to fall towards
    model.partial_fit(X.iloc[:10], y.iloc[:10])  # rows of one class alone, later on
    assert FCNNRegressor(**QUICK).partial_fit(X, y).partial_fit(X, y).n_iter_ == 2


def test_warm_start_goes_on(iris):
    X, y = iris
    model = FCNNClassifier(**QUICK, warm_start=True).fit(X, y)
    first = model.loss_
    model.fit(X, y)
    assert model.loss_ < first
    assert model.n_iter_ == 40
    cold = FCNNClassifier(**QUICK).fit(X, y).fit(X, y)
    assert cold.n_iter_ == 20


def test_fit_is_repeatable_and_seeds_differ(iris):
    X, y = iris
    one, two, other = (
        FCNNClassifier(**{**QUICK, "random_state": seed}).fit(X, y).network_.values
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, other)


def test_ctrl_c_keeps_the_best_weights_so_far(iris):
    def interrupt(model, row):
        if row["epoch"] == 7:
            raise KeyboardInterrupt

    model = FCNNClassifier(**QUICK, callbacks=interrupt).fit(*iris)
    assert model.n_iter_ == 7
    assert model.best_epoch_ == int(np.argmin(model.history_["loss"])) + 1
    assert model.score(*iris) > 0.3


def test_divergence_names_epoch_layer_and_remedy(iris):
    X, y = iris
    model = FCNNRegressor(**{**QUICK, "learning_rate": 1e30, "optimizer": "sgd", "clip_norm": None})
    with pytest.raises(
        FloatingPointError,
        match=r"the loss of epoch \d+ must be finite, but it is NaN or infinite\. It began in "
        r"layer \d \(.*\), whose (weight|bias|output) is no longer finite\. Try a lower",
    ):
        model.fit(X, y)
    assert not hasattr(model, "network_")


def test_a_fit_that_fails_changes_nothing(iris):
    X, y = iris
    model = FCNNRegressor(**QUICK).fit(X, y)
    before, state = model.predict(X), dict(model.__dict__)
    model.set_params(learning_rate=1e30, optimizer="sgd", warm_start=True)
    with pytest.raises(FloatingPointError):
        model.fit(X, y)
    np.testing.assert_array_equal(model.predict(X), before)
    assert model.history_ == state["history_"]
    model.set_params(warm_start=False)
    with pytest.raises(ValueError, match="at least 2 rows"):
        model.fit(X.iloc[:1, :2], y.iloc[:1])
    np.testing.assert_array_equal(model.predict(X), before)


# -- scikit-learn ------------------------------------------------------------------------------


def test_pipeline_grid_search_cross_validation_and_clone(iris):
    X, y = iris
    pipeline = make_pipeline(StandardScaler(), FCNNClassifier(**QUICK))
    assert cross_val_score(pipeline, X, y, cv=3).mean() > 0.9
    search = GridSearchCV(
        FCNNClassifier(**QUICK), {"hidden_dim": [4, (8, 8)], "dropout": [0.0, 0.1]}, cv=2, n_jobs=2
    ).fit(X, y)
    assert search.best_score_ > 0.9
    model = FCNNClassifier(
        hidden_dim=(3, 4),
        optimizer=SGD(0.5),
        schedule=Cosine(0.2),
        **{k: v for k, v in QUICK.items() if k != "hidden_dim"},
    )
    assert clone(model).get_params() == model.get_params()


def test_set_output_of_a_pipeline_that_feeds_it(iris):
    X, y = iris
    pipeline = make_pipeline(StandardScaler(), FCNNClassifier(**QUICK)).set_output(
        transform="pandas"
    )
    pipeline.fit(X, y)
    assert list(pipeline[-1].feature_names_in_) == list(X.columns)


@pytest.mark.parametrize("travel", ("pickle", "joblib", "safetensors"))
def test_models_travel(iris, fitted, tmp_path, travel):
    from pellucid import load

    path = tmp_path / "model"
    if travel == "pickle":
        copied = pickle.loads(pickle.dumps(fitted))
    elif travel == "joblib":
        joblib.dump(fitted, path)
        copied = joblib.load(path)
    else:
        fitted.save(path)
        copied = load(path)
    np.testing.assert_array_equal(copied.predict_proba(iris[0]), fitted.predict_proba(iris[0]))
    assert copied.history_ == fitted.history_
    assert copied.get_params() == fitted.get_params()
    copied.partial_fit(*iris)


def test_importing_costs_neither_numba_nor_a_plot_library():
    import subprocess

    code = (
        "import sys, pellucid; from pellucid import FCNNClassifier; "
        "print([m for m in ('numba', 'polars', 'torch', 'matplotlib', 'tqdm') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("optimizer", "decay"), (("adamw", 30 / np.sqrt(3 * 5)), ("adam", 0.0), ("sgd", 0.0))
)
def test_auto_weight_decay_is_that_of_the_steps(optimizer, decay):
    # 20 rows by 4 are 5 steps an epoch, 3 epochs
    X = np.random.default_rng(0).normal(size=(20, 3))
    options = {"optimizer": optimizer, "batch_size": 4, "max_epochs": 3}
    options |= {"random_state": 0, "verbose": 0}
    auto, given = (
        FCNNRegressor(weight_decay=each, **options).fit(X, X[:, 0]) for each in ("auto", decay)
    )
    np.testing.assert_array_equal(auto.network_.values, given.network_.values)


def test_partial_fit_does_not_count_steps_for_its_weight_decay():
    X = np.random.default_rng(0).normal(size=(20, 3))
    auto, given = (
        FCNNRegressor(weight_decay=each, random_state=0, verbose=0).partial_fit(X, X[:, 0])
        for each in ("auto", 0.01)
    )
    np.testing.assert_array_equal(auto.network_.values, given.network_.values)


def test_another_optimizer_or_schedule_begins_afresh(iris):
    X, y = iris
    model = FCNNClassifier(**QUICK).partial_fit(X, y, classes=[0, 1, 2])
    model.set_params(optimizer="sgd", schedule="plateau").partial_fit(X, y)
    assert list(model._optimizer_state.memory) == ["velocity"]
    assert isinstance(model._optimizer_state.schedule, Plateau)
    memory = model._optimizer_state.memory["velocity"].copy()
    model.partial_fit(X, y)  # the same: the memory goes on
    assert model._optimizer_state.steps == 20 and np.abs(memory).max() > 0


@pytest.mark.parametrize("change", ({"hidden_dim": 4}, {"dtype": "float64"}, {"dropout": 0.5}))
def test_going_on_with_another_network_is_refused(iris, change):
    X, y = iris
    model = FCNNClassifier(**QUICK, warm_start=True).fit(X, y).set_params(**change)
    before = model.predict_proba(X)
    for go_on in (model.fit, model.partial_fit):
        with pytest.raises(ValueError, match="of FCNNClassifier must stay as they were in the fit"):
            go_on(X, y)
    np.testing.assert_array_equal(model.predict_proba(X), before)


def test_only_the_proportions_of_weights_matter(iris):
    X, y = iris
    rng = np.random.default_rng(0).integers(1, 5, len(X)).astype(float)
    models = [
        FCNNClassifier(**QUICK).fit(X, y, sample_weight=rng * size)
        for size in (1.0, 2.0**1000, 2.0**-1000)
    ]
    for other in models[1:]:
        np.testing.assert_array_equal(models[0].network_.values, other.network_.values)


def test_an_overflow_in_the_last_step_is_told():
    X = np.random.default_rng(0).normal(size=(30, 3))
    model = FCNNRegressor(
        learning_rate=1e30, optimizer="sgd", schedule="constant", max_epochs=1,
        batch_size="full", verbose=0, random_state=0,
    )  # fmt: skip
    with pytest.raises(FloatingPointError, match=r"the last step went too far\. Try a lower"):
        model.fit(X, X[:, 0])


@pytest.mark.filterwarnings("ignore:A column-vector y was passed")
def test_labels_keep_their_type_whatever_holds_them():
    X = np.random.default_rng(0).normal(size=(60, 2))
    codes = np.arange(60) % 3
    for labels in (codes, 2**60 + codes):
        series = pd.Series(labels)
        for y in (series, series.astype("category"), pd.DataFrame({"y": series}),
                  pd.DataFrame({"y": series.astype("category")})):  # fmt: skip
            target = class_target("FCNNClassifier", y)
            assert len(np.unique(target.fit("FCNNClassifier", y))) == 3
            assert target.classes.tolist() == np.unique(labels).tolist()
    halves = pd.DataFrame({"y": pd.Series(codes * 0.5).astype("category")})
    assert FCNNRegressor(**QUICK).fit(X, halves).predict(X).shape == (60, 1)  # y had one column
    words = list(np.array(["a", "b"])[codes % 2])  # np.str_ one by one
    assert FCNNClassifier(**QUICK).fit(X, words).classes_.tolist() == ["a", "b"]


def test_multilabel_partial_fit_takes_classes():
    X = np.random.default_rng(0).normal(size=(20, 2))
    model = FCNNClassifier(**QUICK).partial_fit(X, (X > 0).astype(int), classes=[0, 1])
    assert model.predict(X).shape == (20, 2)


def test_layers_of_the_users_own_are_refused_at_once(tmp_path):
    @dataclass(frozen=True, repr=False)
    class Own(Activation):
        kind = 1

    X, y = np.arange(20.0).reshape(10, 2), np.arange(10) % 2
    model = NetworkClassifier([Linear(3), Own()], max_epochs=1, verbose=0).fit(X, y)
    with pytest.raises(TypeError, match=r"must be those of pellucid\.layers\. Got Own\(\)"):
        model.save(tmp_path / "own.safetensors")
    assert not list(tmp_path.iterdir())


def test_the_networks_type_is_kept_not_the_parameter(tmp_path):
    X, y = np.arange(20.0).reshape(10, 2), np.arange(10) % 3
    model = FCNNClassifier(max_epochs=1, verbose=0, random_state=0).fit(X, y)
    model.set_params(dtype="float64", callbacks=[print]).save(tmp_path / "m.safetensors")
    again = load(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    assert again.callbacks is None
    again.fit(X, y)  # what was code is at its default


# -- mistakes ----------------------------------------------------------------------------------

X4 = np.arange(32.0).reshape(8, 4)
Y2 = np.array([0, 1] * 4)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    (
        (
            lambda: FCNNClassifier(hiden_dim=3),
            TypeError, "^FCNNClassifier has no parameter 'hiden_dim'. Did you mean 'hidden_dim'.$",
        ),
        (
            lambda: FCNNRegressor().set_params(droput=0.1),
            ValueError, r"FCNNRegressor has no parameter 'droput'\. Did you mean 'dropout'\?",
        ),
        (
            lambda: FCNNClassifier(hidden_dim=0).fit(X4, Y2),
            ValueError, r"^hidden_dim of FCNNClassifier must be a positive integer\. Got 0\.$",
        ),
        (
            lambda: FCNNClassifier(hidden_dim="64").fit(X4, Y2),
            TypeError, r"hidden_dim of FCNNClassifier must be a positive integer\. Got '64'\.",
        ),
        (
            lambda: FCNNClassifier(hidden_dim=(8, -1)).fit(X4, Y2),
            ValueError, r"hidden_dim of FCNNClassifier must be a positive integer\. Got -1\.",
        ),
        (
            lambda: FCNNClassifier(hidden_dim=()).fit(X4, Y2),
            ValueError, r"must be a positive integer or a tuple of them, one a layer\. Got \(\)\.",
        ),
        (
            lambda: FCNNClassifier(hidden_dim=(8, 8), num_layers=3).fit(X4, Y2),
            ValueError, r"num_layers of FCNNClassifier must be 2, the length of hidden_dim",
        ),
        (
            lambda: FCNNClassifier(dropout=1.0).fit(X4, Y2),
            ValueError, r"dropout of FCNNClassifier must be a number in \[0, 1\)\. Got 1\.0\.",
        ),
        (
            lambda: FCNNClassifier(activation="rellu").fit(X4, Y2),
            ValueError, r"activation of FCNNClassifier must be one of .* Did you mean 'relu'\?",
        ),
        (
            lambda: FCNNClassifier(learning_rate=-1).fit(X4, Y2),
            ValueError, r"learning_rate of FCNNClassifier must be a number above 0\. Got -1\.",
        ),
        (
            lambda: FCNNClassifier(learning_rate=float("nan")).fit(X4, Y2),
            ValueError, r"learning_rate of FCNNClassifier must be a number above 0\. Got nan\.",
        ),
        (
            lambda: FCNNClassifier(weight_decay="none").fit(X4, Y2),
            ValueError, r"weight_decay of FCNNClassifier must be a number or \"auto\"\. Got 'none'",
        ),
        (
            lambda: FCNNClassifier(class_weight={0: 0, 1: 0}).fit(X4, Y2),
            ValueError, r"class_weight of FCNNClassifier must leave a row of weight above 0\.",
        ),
        (
            lambda: FCNNClassifier(verbose="x").fit(X4, Y2),
            TypeError, r"verbose of FCNNClassifier must be an integer of at least 0\. Got 'x'\.",
        ),
        (
            lambda: FCNNClassifier().partial_fit(X4, Y2, classes=[0]),
            ValueError, r"classes of FCNNClassifier must be at least two labels\. Got \[0\]\.",
        ),
        (
            lambda: FCNNClassifier().fit(X4, [2**70, 1] * 4),
            ValueError, r"y of FCNNClassifier must hold integers of at most 64 bits",
        ),
        (
            lambda: FCNNClassifier(batch_size="all").fit(X4, Y2),
            ValueError, r"batch_size of .* a positive integer, \"full\" or \"auto\"\. Got 'all'",
        ),
        (
            lambda: FCNNClassifier(max_epochs=True).fit(X4, Y2),
            TypeError, r"max_epochs of FCNNClassifier must be a positive integer\. Got True\.",
        ),
        (
            lambda: FCNNClassifier(max_epochs="many").fit(X4, Y2),
            ValueError, r"max_epochs of .* must be a positive integer or \"auto\"\. Got 'many'\.",
        ),
        (
            lambda: FCNNClassifier(clip_norm=0).fit(X4, Y2),
            ValueError, r"clip_norm of FCNNClassifier must be a number above 0\. Got 0\.",
        ),
        (
            lambda: FCNNClassifier(n_jobs=0).fit(X4, Y2),
            ValueError, r"n_jobs of FCNNClassifier must be a positive integer\. Got 0\.",
        ),
        (
            lambda: FCNNClassifier(random_state=-1).fit(X4, Y2),
            ValueError, r"random_state of .* must be an integer of at least 0\. Got -1\.",
        ),
        (
            lambda: FCNNClassifier(early_stopping="yes").fit(X4, Y2),
            TypeError, r"early_stopping of FCNNClassifier must be True or False\. Got 'yes'\.",
        ),
        (
            lambda: FCNNClassifier(dtype="float16").fit(X4, Y2),
            ValueError, r"dtype of FCNNClassifier must be one of 'float32', 'float64'",
        ),
        (
            lambda: FCNNClassifier().fit(X4[:0], Y2[:0]),
            ValueError, r"must have at least one row|minimum of 1 is required",
        ),
        (
            lambda: FCNNRegressor().fit(X4[:1], [1.0]),
            ValueError, r"^X of FCNNRegressor must have at least 2 rows\. Got 1 sample\.$",
        ),
        (
            lambda: FCNNClassifier().fit(X4, np.zeros(8)),
            ValueError, r"^y of .* must have at least two classes\. Got one class, 0\.0\.",
        ),
        (
            lambda: FCNNClassifier().fit(X4, [0, 1, np.nan, 1, 0, 1, 0, 1]),
            ValueError, r"^y of FCNNClassifier must have a value in every row\. Got nan in row 2\.",
        ),
        (
            lambda: FCNNRegressor().fit(X4, [1, 2, np.inf, 1, 0, 1, 0, 1]),
            ValueError, r"^y of FCNNRegressor must be finite\. Got inf in row 2\.",
        ),
        (
            lambda: FCNNClassifier().fit(np.where(X4 == 9, np.inf, X4), Y2),
            ValueError, r"^column 1 of X must be finite for FCNNClassifier\. Got inf in row 2\.",
        ),
        (
            lambda: FCNNClassifier().fit(X4, Y2[:7]),
            ValueError, r"^X and y of .* must have the same number of rows\. Got 8 rows in X and 7",
        ),
        (
            lambda: FCNNClassifier().fit(X4, Y2, sample_weight=np.ones(5)),
            ValueError, r"sample_weight",
        ),
        (
            lambda: FCNNClassifier(callbacks=3).fit(X4, Y2),
            TypeError, r"callbacks of .* must be a callable or a list of them\. Got 3\.",
        ),
        (
            lambda: FCNNClassifier().fit(np.zeros((8, 2, 2)), Y2),
            ValueError, r"^X of .* must be a table, .* Got shape \(8, 2, 2\)\. X\.reshape",
        ),
        (
            lambda: FCNNClassifier(random_state=2**64).fit(X4, Y2),
            ValueError, r"random_state of FCNNClassifier must be a number in \[0, ",
        ),
        (lambda: FCNNClassifier().predict(X4), NotFittedError, "not fitted"),
        (lambda: FCNNClassifier().predict_proba(X4), NotFittedError, "not fitted"),
        (lambda: FCNNClassifier().save("nowhere"), NotFittedError, "not fitted"),
    ),
)  # fmt: skip
def test_mistakes_get_one_clear_sentence(make, error, words):
    with pytest.raises(error, match=words):
        make()


def _task(kind, X):
    return {
        "two": np.where(X[:, 0] > 0, "yes", "no"),
        "three": (X[:, 0] > 0).astype(int) + (X[:, 1] > 0),
        "labels": (X[:, :3] > 0).astype(int),
    }[kind]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("dtype", ("float32", "float64"))
@pytest.mark.parametrize("kind", ("two", "three", "labels"))
def test_probabilities_are_plain_python_numbers_and_so_are_their_logarithms(kind, dtype):
    """float64, which JSON takes; rows sum to 1 as scikit-learn's losses demand of float64."""
    X = np.random.default_rng(0).normal(size=(90, 3))
    y = _task(kind, X)
    model = FCNNClassifier(**{**QUICK, "dtype": dtype}).fit(X, y)
    shares, logs = model.predict_proba(X), model.predict_log_proba(X)
    assert shares.dtype == logs.dtype == np.float64 and shares.shape == logs.shape
    assert json.loads(json.dumps(shares.tolist())) == shares.tolist()
    np.testing.assert_allclose(logs, np.log(shares), rtol=1e-12, atol=1e-15)
    if kind != "labels":
        np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=0, atol=1e-15)
        log_loss(y, shares)  # warns of rows that do not sum to 1


@pytest.mark.parametrize("kind", ("two", "three", "labels"))
def test_logarithms_of_probabilities_are_exact_where_these_vanish(kind):
    X = np.random.default_rng(0).normal(size=(90, 3))
    model = FCNNClassifier(**QUICK).fit(X, _task(kind, X))
    last = f"{len(model.network_.layers) - 1}.weight"
    weight = model.network_.parameters()[last]
    model.network_.set_parameters({last: weight * np.float32(1e5)})
    logs = model.predict_log_proba(X)
    assert not np.isnan(logs).any() and (logs <= 0).all()
    assert np.isfinite(logs).all() and logs.min() < -1000
    assert not model.predict_proba(X)[logs < -1000].any()


def test_columns_are_checked_by_name(iris, fitted):
    X, _ = iris
    with pytest.raises(ValueError, match="must have column 'petal length"):
        fitted.predict(X.drop(columns="petal length (cm)"))
    shuffled = X[X.columns[::-1]]
    np.testing.assert_array_equal(fitted.predict_proba(shuffled), fitted.predict_proba(X))
    with warnings.catch_warnings(), pytest.raises(ValueError, match="has 3 features, but"):
        warnings.simplefilter("ignore")
        fitted.predict(X.to_numpy()[:, :3])


def test_layers_listed_by_the_user_are_checked(iris):
    from pellucid import NetworkClassifier, NetworkRegressor
    from pellucid.layers import Softmax

    X, y = iris
    options = {"max_epochs": 2, "verbose": 0, "random_state": 0}
    whole = NetworkClassifier([Linear(8), Dropout(0.1), Linear(3)], **options).fit(X, y)
    assert len(whole.network_) == 3  # its last layer is the output layer
    assert len(NetworkClassifier([Linear(8), Dropout(0.1)], **options).fit(X, y).network_) == 3
    with pytest.raises(
        ValueError, match=r"must give 3 outputs here\. Got Linear\(5\)\. Write Linear\(3\)"
    ):
        NetworkClassifier([Linear(5)], **options).fit(X, y)
    with pytest.raises(ValueError, match="must not end in Softmax"):
        NetworkClassifier([Linear(3), Softmax()], **options).fit(X, y)
    with pytest.raises(TypeError, match=r"must be a list of layers, such as .* Got 64\."):
        NetworkRegressor(64, **options).fit(X, y)
