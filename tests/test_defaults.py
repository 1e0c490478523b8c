"""The defaults learn well as they come, and are what the documentation says they are."""

import inspect
import re

import pytest
from sklearn import datasets
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score

import pellucid.estimators
from pellucid import FCNNClassifier, FCNNRegressor

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
