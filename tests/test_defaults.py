"""The defaults learn well as they come, and are what the documentation says they are."""

import inspect
import io
import re
import sys

import numpy as np
import pytest
from sklearn import datasets
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score

import pellucid.estimators
from pellucid import CNNClassifier, FCNNClassifier, FCNNRegressor, GRUClassifier
from pellucid.rows import Examples, Pictures, Targets
from pellucid.training.defaults import BATCH, SMALL_BATCH, USUAL, Usual, choose
from pellucid.training.optimizers import SGD, Adam, AdamW

# a little under what docs/defaults.md reports
CLASSES = (
    (datasets.load_breast_cancer, 0.965),
    (datasets.load_wine, 0.965),
    (datasets.load_digits, 0.973),
)
ESTIMATORS = [getattr(pellucid.estimators, name) for name in pellucid.estimators.__all__]


@pytest.mark.parametrize("load, least", CLASSES, ids=lambda each: getattr(each, "__name__", ""))
def test_classes_are_learned_with_defaults(load, least):
    X, y = load(return_X_y=True)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    model = FCNNClassifier(random_state=0, verbose=0)
    assert cross_val_score(model, X, y, cv=folds).mean() >= least


def test_numbers_are_learned_with_defaults():
    X, y = datasets.load_diabetes(return_X_y=True)
    folds = KFold(5, shuffle=True, random_state=0)
    model = FCNNRegressor(random_state=0, verbose=0)
    assert cross_val_score(model, X, y, cv=folds).mean() >= 0.40


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda each: each.__name__)
def test_docstring_says_the_defaults(estimator):
    parameters = inspect.signature(estimator).parameters
    section = inspect.getdoc(estimator).partition("Parameters\n")[2].partition("Attributes\n")[0]
    said = re.findall(r"^(\w+) : .*\bdefault=(.+)$", section, flags=re.MULTILINE)
    # in the signature's order, each once
    assert [name for name, _ in said] == list(parameters)
    for name, text in said:
        assert eval(text, {"__builtins__": {}}) == parameters[name].default, name


# -- what "auto" means ---------------------------------------------------------------------------


def test_few_rows_are_gone_through_until_there_are_enough_steps():
    usual = Usual(least=20, most=100, steps=600)
    assert [usual.epochs(steps) for steps in (1, 7, 10, 29, 30, 500)] == [100, 86, 60, 21, 20, 20]


def test_few_signals_and_sequences_come_in_small_batches_and_tables_do_not():
    """Batches of few rows are equally large, as far as that goes: 13, 13, 13 and 11."""
    rows = (1, 16, 50, 499, 500)
    sizes = {name: [*map(usual.batch_size, rows)] for name, usual in USUAL.items()}
    assert sizes["signals"] == sizes["sequences"] == [1, SMALL_BATCH, 13, 16, BATCH]
    assert sizes["tables"] == [BATCH] * 5


def test_decay_falls_with_the_root_of_the_steps():
    usual, given = Usual(), Usual(decay=0.1)
    decays = [usual.weight_decay(AdamW(), steps, 0.001) for steps in (100, 2500, None)]
    assert decays == [3.0, 0.6, 0.01]
    assert [given.weight_decay(AdamW(), steps, 0.001) for steps in (100, 2500)] == [0.1, 0.1]
    assert usual.weight_decay(Adam(), 100, 0.1) == given.weight_decay(SGD(), None, 0.1) == 0.0


def test_decay_takes_at_most_a_tenth_in_a_step():
    assert Usual().weight_decay(AdamW(), 5, 0.1) * 0.1 == 0.1


def sequences(rows):
    rng = np.random.default_rng(0)
    return rng.normal(size=(rows, 3, 1)), np.arange(rows) % 2


def test_what_auto_chose_is_said_and_kept(monkeypatch):
    """A table has its 50 epochs and nothing is said; few sequences have more, which is said."""
    X, y = sequences(40)
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    few = GRUClassifier(2, random_state=0, verbose=1).fit(X, y)
    usual = USUAL["sequences"]
    assert few.n_iter_ == usual.epochs(3) > 50
    assert f"all {few.n_iter_} epochs of 3 steps done" in stream.getvalue()
    table = FCNNClassifier(4, random_state=0, verbose=1).fit(X[:, :, 0], y)
    assert table.n_iter_ == 50 and "all 50 epochs done" in stream.getvalue()
    # the same numbers said by hand are the same training
    said = {"max_epochs": few.n_iter_, "batch_size": 14, "weight_decay": usual.decay}
    same = GRUClassifier(2, random_state=0, verbose=0, **said).fit(X, y)
    np.testing.assert_array_equal(same.predict_proba(X), few.predict_proba(X))


def test_auto_is_no_part_of_going_on():
    """partial_fit is one epoch, and early stopping chooses by the rows that are left."""
    X, y = sequences(40)
    model = GRUClassifier(2, random_state=0, verbose=0)
    assert model.partial_fit(X, y, classes=[0, 1]).partial_fit(X, y).n_iter_ == 2
    kept = GRUClassifier(2, early_stopping=True, validation_fraction=0.3, patience=1000, verbose=0)
    assert kept.set_params(random_state=0).fit(X, y).n_iter_ == USUAL["sequences"].epochs(2)


def test_large_pictures_are_gone_through_less_often():
    X = np.zeros((1700, 64, 64), np.uint8)
    epochs = {}
    for side in (63, 64):
        model = CNNClassifier(verbose=0)
        settings = model._settings(seed=0)
        rows = Pictures(np.zeros((256, 1), np.float32), X[:, :side, :side, None])
        examples = Examples(rows, Targets.by_row(np.zeros(len(X), np.int64)))
        choose(settings, "pictures", examples, None, False)
        epochs[side] = settings.epochs
    assert epochs == {63: 47, 64: 20}
