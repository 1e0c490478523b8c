"""scikit-learn's own checks, on two tiny models made of nothing but the encoders and targets."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.estimator_checks import check_estimator
from sklearn.utils.validation import check_is_fitted

from pellucid.data import (
    NumberTarget,
    TableEncoder,
    check_rows,
    class_target,
    class_weights,
    sample_weights,
)


class TakesSparse(BaseEstimator):
    """As TableEncoder does."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


class Nearest(ClassifierMixin, TakesSparse):
    """The class whose mean is nearest."""

    def __init__(self, class_weight=None):
        self.class_weight = class_weight

    def fit(self, X, y, sample_weight=None):
        encoder, target = TableEncoder(), class_target(self, y)
        weights = None if sample_weight is None else sample_weights(self, sample_weight, rows(y))
        codes = target.fit(self, y, weights)
        x = encoder.fit_transform(self, X, weights, np.float64)
        check_rows(self, len(x), len(codes))
        weights = np.ones(len(x)) if weights is None else weights
        weights = weights * class_weights(self, self.class_weight, target.classes, codes, weights)
        onehot = (codes[:, None] == np.arange(len(target.classes))) * weights[:, None]
        self.means_ = onehot.T @ x / onehot.sum(axis=0)[:, None]
        self.prior_ = onehot.sum(axis=0) / onehot.sum()
        self.encoder_, self.target_, self.classes_ = encoder, target, target.classes
        return self

    def predict_proba(self, X):
        check_is_fitted(self)
        x = self.encoder_.transform(self, X)
        score = -((x[:, None, :] - self.means_) ** 2).mean(axis=2) + np.log(self.prior_)
        score = np.exp(score - score.max(axis=1, keepdims=True))
        return score / score.sum(axis=1, keepdims=True)

    def predict(self, X):
        proba = self.predict_proba(X)
        return self.target_.decode(proba.argmax(axis=1))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


class Ridge(RegressorMixin, TakesSparse):
    """Ridge regression on the standardised columns."""

    def fit(self, X, y, sample_weight=None):
        encoder, target = TableEncoder(), NumberTarget()
        weights = None if sample_weight is None else sample_weights(self, sample_weight, rows(y))
        z = target.fit(self, y, weights)
        x = encoder.fit_transform(self, X, weights, np.float64)
        check_rows(self, len(x), len(z))
        weights = np.ones(len(x)) if weights is None else weights
        gram = (x * weights[:, None]).T @ x + np.eye(x.shape[1])
        self.coef_ = np.linalg.solve(gram, (x * weights[:, None]).T @ z)
        self.encoder_, self.target_ = encoder, target
        return self

    def predict(self, X):
        check_is_fitted(self)
        return self.target_.decode(self.encoder_.transform(self, X) @ self.coef_)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.target_tags.multi_output = True
        return tags


def rows(y):
    return 0 if y is None else len(np.asarray(y))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@pytest.mark.parametrize(("model", "least"), [(Nearest(), 55), (Ridge(), 50)])
def test_check_estimator_passes_whole(model, least):
    results = check_estimator(model, on_fail=None)
    failed = [f"{r['check_name']}: {r['exception']!r}" for r in results if r["status"] == "failed"]
    assert not failed, "\n".join(failed)
    # Passing proves nothing unless checks were run: MLPClassifier gets 67, MLPRegressor 60.
    assert sum(r["status"] == "passed" for r in results) >= least
