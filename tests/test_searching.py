"""Many fits: the numbers are those of scikit-learn's searches, and a fit may fail."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    RandomizedSearchCV,
    StratifiedKFold,
    cross_val_score,
)

from pellucid import FCNNClassifier, FCNNRegressor
from pellucid.cli import searching
from pellucid.cli.searching import Scoring, Search
from pellucid.cli.spaces import Range

X, Y = load_iris(return_X_y=True)
FOLDS = list(StratifiedKFold(3, shuffle=True, random_state=0).split(X, Y))
SPACE = {"hidden_dim": [4, 8], "learning_rate": Range(0.001, 0.1, False, True)}
LISTS = {"hidden_dim": [4, 8], "activation": ["relu", "tanh"]}
MODEL = FCNNClassifier(8, max_epochs=3, random_state=0, verbose=0)
DIVERGES = 1e300


def search_of(model=MODEL, scoring=None, folds=FOLDS, target=Y):
    return Search(model, X, target, folds, Scoring(scoring), 0)


def scores_of(found, folds=3):
    return np.column_stack([found.cv_results_[f"split{fold}_test_score"] for fold in range(folds)])


@pytest.mark.parametrize("piece", (1, 2, 10))
def test_random_trials_are_those_of_scikit_learn(piece):
    search = search_of()
    search.piece = piece
    search.run(SPACE, 4, False)
    theirs = RandomizedSearchCV(MODEL, SPACE, n_iter=4, cv=FOLDS, random_state=0).fit(X, Y)
    assert [one.parameters for one in search.tried] == theirs.cv_results_["params"]
    assert np.array_equal([one.scores for one in search.tried], scores_of(theirs))
    assert search.best.parameters == theirs.best_params_


def test_all_combinations_are_those_of_scikit_learn():
    search = search_of(scoring="neg_log_loss")
    search.run(LISTS, None, False)
    theirs = GridSearchCV(MODEL, LISTS, cv=FOLDS, scoring="neg_log_loss").fit(X, Y)
    assert [one.parameters for one in search.tried] == theirs.cv_results_["params"]
    assert np.array_equal([one.scores for one in search.tried], scores_of(theirs))
    assert np.allclose([one.score for one in search.tried], theirs.cv_results_["mean_test_score"])
    assert np.allclose([one.spread for one in search.tried], theirs.cv_results_["std_test_score"])


@pytest.mark.parametrize("piece", (1, 100))
def test_halving_is_that_of_scikit_learn(piece):
    from sklearn.experimental import enable_halving_search_cv  # noqa: F401
    from sklearn.model_selection import HalvingRandomSearchCV

    search = search_of()
    search.piece = piece
    search.run(SPACE, 9, True)
    theirs = HalvingRandomSearchCV(
        MODEL, SPACE, n_candidates=9, min_resources="exhaust", cv=FOLDS, random_state=0
    ).fit(X, Y)
    found = theirs.cv_results_
    assert [one.round for one in search.tried] == found["iter"].tolist()
    assert [one.rows for one in search.tried] == found["n_resources"].tolist()
    assert np.array_equal([one.scores for one in search.tried], scores_of(theirs))
    assert len(search.tried) > 9 and search.best.parameters == theirs.best_params_


def test_the_estimator_as_it_is_is_tried_too_and_kept_where_none_is_better():
    search = search_of()
    usual = search.try_usual()
    assert usual.scores == tuple(cross_val_score(MODEL, X, Y, cv=FOLDS))
    search.run({"learning_rate": [1e-9]}, None, False)
    assert search.best == usual
    assert search.best.is_usual and len(search.ranked) == 2


def test_a_search_goes_on_from_where_it_was():
    whole, search = search_of(), search_of()
    whole.run(SPACE, 5, False)

    def stop(count, tried):
        if len(tried) == 2:
            raise KeyboardInterrupt

    search.told = stop
    with pytest.raises(KeyboardInterrupt):
        search.run(SPACE, 5, False)
    assert len(search.tried) == 2
    told = []
    search.told = lambda count, tried: told.append((count, len(tried)))
    search.run(SPACE, 5, False)
    assert [one[:2] for one in search.tried] == [one[:2] for one in whole.tried]
    assert told == [(5, 3), (5, 4), (5, 5)]
    search.run(SPACE, 5, False)  # nothing is left to do
    assert len(search.tried) == 5


def test_a_trial_that_fails_has_no_score_and_the_words_of_its_failure():
    model = FCNNClassifier(8, optimizer="sgd", max_epochs=3, random_state=0, verbose=0)
    search = search_of(model)
    search.try_usual()
    search.run({"learning_rate": [0.1, DIVERGES]}, None, False)
    able, failing = search.tried
    assert not able.failed and failing.failed == 3 and math.isnan(failing.score)
    assert search.ranked[-1] is failing and search.best.parameters != failing.parameters
    assert "must be finite, but it is NaN or infinite" in search.failure()


def test_a_score_that_cannot_be_had_is_none():
    folds = [(np.arange(100), np.arange(100, 150)), *FOLDS[1:]]  # none of one class to learn from
    search = search_of(scoring="neg_log_loss", folds=folds)
    usual = search.try_usual()
    assert usual.failed == 1 and math.isnan(usual.score)
    assert search.best is None
    assert "labels" in search.failure()


def test_where_all_fail_there_is_no_best():
    search = search_of(FCNNRegressor(max_epochs=1, verbose=0), target=np.full(150, "a"))
    search.try_usual()
    search.run({"hidden_dim": [2, 4]}, None, False)
    assert search.best is None and all(one.failed == 3 for one in search.tried)
    assert "'a'" in search.failure()


def test_neither_folds_nor_trials_go_with_a_fit():
    """scikit-learn sends the search along with each, for its callbacks."""
    folds = searching._Folds(list(KFold(3).split(np.zeros(100_000))))
    search = searching._Grid(MODEL, {"hidden_dim": [1] * 10_000}, cv=folds)
    search.told = lambda *_: None  # which could not be sent
    assert len(pickle.dumps(search)) < 200 and len(pickle.dumps(folds)) < 200
    assert folds.get_n_splits() == 3
