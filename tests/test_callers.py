"""A fit among many says nothing, and Ctrl-C ends them all: searches, curves, ensembles."""

import numpy as np
import pandas as pd
import pytest
import tqdm
from sklearn.ensemble import BaggingClassifier, VotingClassifier
from sklearn.feature_selection import SequentialFeatureSelector
from sklearn.model_selection import (
    GridSearchCV,
    RandomizedSearchCV,
    cross_val_predict,
    cross_val_score,
    learning_curve,
    validation_curve,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pellucid import CNNClassifier, FCNNClassifier, LSTMRegressor
from pellucid.inspection import backtest
from pellucid.training.loop import Trainer

rng = np.random.default_rng(0)
X = rng.normal(size=(40, 3))
Y = np.arange(40) % 2
GRID = {"hidden_dim": [2, 3]}
MODEL = FCNNClassifier(2, max_epochs=2, random_state=0)
MANY = {
    "cross_val_score": lambda m: cross_val_score(m, X, Y, cv=3),
    "cross_val_predict": lambda m: cross_val_predict(m, X, Y, cv=3),
    "GridSearchCV": lambda m: GridSearchCV(m, GRID, cv=3).fit(X, Y),
    "RandomizedSearchCV": lambda m: RandomizedSearchCV(m, GRID, n_iter=2, cv=3).fit(X, Y),
    "learning_curve": lambda m: learning_curve(m, X, Y, cv=3),
    "validation_curve": lambda m: validation_curve(
        m, X, Y, cv=3, param_name="hidden_dim", param_range=[2, 3]
    ),
    "Pipeline": lambda m: cross_val_score(make_pipeline(StandardScaler(), m), X, Y, cv=3),
    "workers": lambda m: GridSearchCV(m.set_params(n_jobs=1), GRID, cv=3, n_jobs=2).fit(X, Y),
    "BaggingClassifier": lambda m: BaggingClassifier(m, n_estimators=2).fit(X, Y),
    "VotingClassifier": lambda m: VotingClassifier([("a", m), ("b", m)]).fit(X, Y),
    "OneVsRestClassifier": lambda m: OneVsRestClassifier(m).fit(X, np.arange(40) % 3),
    "MultiOutputClassifier": lambda m: MultiOutputClassifier(m).fit(X, np.stack([Y, 1 - Y], 1)),
    "SequentialFeatureSelector": lambda m: SequentialFeatureSelector(
        m, n_features_to_select=1, cv=2
    ).fit(X, Y),
}


@pytest.mark.parametrize("kind", MANY)
def test_many_fits_say_nothing(kind, capfd):
    MANY[kind](MODEL.set_params(verbose=1))
    assert capfd.readouterr() == ("", "")


def test_one_fit_speaks_also_in_a_pipeline(capfd):
    MODEL.set_params(verbose=1).fit(X, Y)
    assert "epoch 2/2" in capfd.readouterr().err
    make_pipeline(StandardScaler(), MODEL).fit(X, Y)
    assert "epoch 2/2" in capfd.readouterr().err


def test_who_asks_for_a_line_an_epoch_gets_it(capfd):
    cross_val_score(MODEL.set_params(verbose=2), X, Y, cv=2)
    assert capfd.readouterr().err.count("epoch 2/2") == 2


def test_pictures_are_read_without_a_bar_too(monkeypatch):
    shown, bar = [], tqdm.tqdm
    monkeypatch.setattr(tqdm, "tqdm", lambda **options: shown.append(options) or bar(**options))
    rows = np.empty(20, dtype=object)  # of two sizes: they are read one by one
    rows[:] = [rng.uniform(size=(5 + i % 2, 5)) for i in range(20)]
    model = CNNClassifier(2, max_epochs=1, random_state=0)
    cross_val_score(model, rows, Y[:20], cv=2, error_score="raise")
    assert shown and all(options["disable"] is True for options in shown)
    shown.clear()
    model.fit(rows, Y[:20])
    assert shown[0]["disable"] is None  # where there is a terminal


SERIAL = sorted(MANY.keys() - {"workers"})


@pytest.mark.parametrize("kind", SERIAL)
def test_ctrl_c_ends_all_of_many_fits(kind, monkeypatch):
    """A fit by itself ends with what it has; one of many would be scored as if it were whole."""

    def stopped(*arguments):
        raise KeyboardInterrupt

    plain = FCNNClassifier(2, max_epochs=2, random_state=0, verbose=0)
    monkeypatch.setattr(Trainer, "_epoch", stopped)
    assert plain.fit(X, Y).n_iter_ == 0
    with pytest.raises(KeyboardInterrupt):
        MANY[kind](plain)


def test_ctrl_c_ends_a_backtest(monkeypatch):
    series = pd.DataFrame({"x": np.sin(np.arange(80))})
    model = LSTMRegressor(2, max_epochs=1, random_state=0, verbose=0)

    def stopped(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(Trainer, "_epoch", stopped)
    with pytest.raises(KeyboardInterrupt):
        backtest(model, series, steps=4, folds=2, target="x")
