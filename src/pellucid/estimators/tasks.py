"""What is predicted from a network's output: classes or numbers."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin

from pellucid import checks
from pellucid.data import (
    ClassTarget,
    MultilabelTarget,
    NumberTarget,
    Reading,
    class_target,
    class_weights,
)
from pellucid.data.target_transforms import TRANSFORMS
from pellucid.engine import elementary, plain_float_state
from pellucid.estimators.base import NetworkEstimator
from pellucid.estimators.parameters import ClassParameters, NumberParameters
from pellucid.estimators.parted import by_parts
from pellucid.network import LossFunction
from pellucid.training.checkpoint import EVERY
from pellucid.training.settings import Settings

LOSSES = {
    "mse": "mean_squared_error",
    "huber": "huber_loss",
    "mae": "mean_absolute_error",
    "quantile": "pinball_loss",
}
"""The losses of regressors, and their formulas."""


class NetworkClassification(ClassParameters, ClassifierMixin, NetworkEstimator):
    """Abstract: one class a row (two classes share one output), or any number of labels a row."""

    _targets = ClassTarget, MultilabelTarget

    def fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        target: str | Sequence[str] | None = None,
        validation_data: Any = None,
        checkpoint: str | os.PathLike[str] | None = None,
        checkpoint_every: float = EVERY,
    ) -> Self:
        """Learn from rows `X` and their labels `y`.

        Parameters
        ----------
        X : DataFrame, array, tensor, list or map of columns, of shape (rows, columns)
            For pictures also a folder, where `y` is left out: each folder in it is a class.
        y : Series, array or list of shape (rows,); of 0 and 1 and shape (rows, labels) for several
        sample_weight : array-like of shape (rows,), or str, optional
            Weights, or the name of the column of `X` that has them.
        target : str or list of str, optional
            In place of `y`: the columns of `X`, a DataFrame or map, that are to be predicted. They
            are kept as ``target_names_``, and may stay in what goes into `predict` and `score`.
        validation_data : (X, y) or (X, y, sample_weight), or with `target` a DataFrame, optional
            Rows that are never trained on: ``history_`` has their loss after every epoch, and with
            `early_stopping` that is what stops, with no rows of `X` kept aside.
        checkpoint : path-like, optional
            A file that keeps the fit: after a kill the same call goes on from there, to the same
            bits. See docs/checkpoints.md.
        checkpoint_every : float, default=60
            Seconds after which it is written again.

        Returns
        -------
        self
        """
        return self._fit(
            X, y, sample_weight, going_on=bool(self.warm_start), validation_data=validation_data,
            checkpoint=checkpoint, checkpoint_every=checkpoint_every, target=target,
        )  # fmt: skip

    def partial_fit(
        self,
        X: Any,
        y: Any = None,
        classes: Any = None,
        sample_weight: Any = None,
        *,
        target: str | Sequence[str] | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        checkpoint_every: float = EVERY,
    ) -> Self:
        """Train one more epoch on these rows; the first call needs all labels as `classes`.

        A `checkpoint` keeps all calls that are made with it; see docs/checkpoints.md.
        """
        return self._fit(
            X, y, sample_weight, epochs=1, going_on=True, classes=classes,
            checkpoint=checkpoint, checkpoint_every=checkpoint_every, target=target,
        )  # fmt: skip

    @by_parts
    def predict(self, X: Any) -> np.ndarray:
        """The most likely class of each row, or the labels whose probability is above one half.

        Where steps have targets, they are predicted instead of rows: an array (rows, steps), a list
        of arrays, or one entry for each row of a long table, as X is.
        """
        reading = self._read(X)
        return reading.layout.restore(self._predicted(reading))

    def _decoded(self, outputs: np.ndarray, reading: Reading | None = None) -> np.ndarray:
        logits = outputs
        if isinstance(self.target_, MultilabelTarget):
            codes = (logits > 0).astype(np.int64)
        elif logits.shape[1] == 1:
            codes = (logits[:, 0] > 0).astype(np.int64)
        else:
            codes = logits.argmax(axis=1)
        return self.target_.decode(codes)

    @by_parts
    def predict_proba(self, X: Any) -> np.ndarray:
        """The probability of each class, or of each label, float64 of shape (rows, classes)."""
        reading = self._read(X)
        return reading.layout.restore(self._shares(reading))

    @by_parts
    def predict_log_proba(self, X: Any) -> np.ndarray:
        """The logarithms of what :meth:`predict_proba` gives, exact also where that is nearly 0."""
        reading = self._read(X)
        return reading.layout.restore(self._log_shares(reading))

    @plain_float_state()
    def _shares(self, reading: Reading) -> np.ndarray:
        return self._shares_of(self._output(reading))

    def _shares_of(self, outputs: np.ndarray) -> np.ndarray:
        return elementary.exp(self._log_shares_of(outputs))

    @plain_float_state()
    def _log_shares(self, reading: Reading) -> np.ndarray:
        return self._log_shares_of(self._output(reading))

    def _log_shares_of(self, outputs: np.ndarray) -> np.ndarray:
        """The logarithm of each probability, from logits: nothing is lost near 0 or 1."""
        logits = outputs.astype(np.float64)
        if isinstance(self.target_, ClassTarget) and len(self.classes_) > 2:
            below = logits - logits.max(axis=1, keepdims=True)
            # cumsum adds from the first to the last
            return below - elementary.log(np.cumsum(elementary.exp(below), axis=1)[:, -1:])
        if isinstance(self.target_, ClassTarget):
            logits = np.concatenate([-logits, logits], axis=1)
        # log s(z) = min(z, 0) - log(1 + e^-|z|)
        return np.minimum(logits, 0.0) - elementary.log1p(elementary.exp(-np.abs(logits)))

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """The share of rows, or of steps, whose class, or whose every label, is right.

        `y` may be left out where `X` has the column that was the `target` in fit.
        """
        from sklearn.metrics import accuracy_score

        return self._score(accuracy_score, X, y, sample_weight)

    @property
    def classes_(self) -> np.ndarray:
        """The labels in order."""
        return self.target_.classes

    def _new_target(self, y: Any) -> Any:
        return class_target(self, y)

    def _loss(self) -> tuple[str | LossFunction, int, bool]:
        count = len(self.target_.classes)
        if isinstance(self.target_, MultilabelTarget):
            return "binary_cross_entropy", count, True
        if count == 2:
            return "binary_cross_entropy", 1, True
        return "categorical_cross_entropy", count, True

    def _target_rows(self, codes: np.ndarray) -> np.ndarray:
        single = isinstance(self.target_, ClassTarget)
        if single and len(self.target_.classes) > 2:
            return np.ascontiguousarray(codes, dtype=np.int64)
        return np.ascontiguousarray(codes.reshape(len(codes), -1), dtype=self.dtype)

    def _settings(self, seed: int | None = None) -> Settings:
        owner = type(self).__name__
        balanced = checks.flag("balanced_batches", owner, self.balanced_batches)
        if balanced and self.class_weight is not None:
            raise ValueError(
                f"balanced_batches of {owner} must be False where class_weight is given, else rare "
                f"classes count twice. Got class_weight={checks.shown(self.class_weight)}. Leave "
                "out one of the two."
            )
        settings = super()._settings(seed)
        settings.balanced = balanced
        return settings

    def _row_weights(self, codes: np.ndarray, weights: np.ndarray) -> np.ndarray:
        classes = self.target_.classes
        return weights * class_weights(self, self.class_weight, classes, codes, weights)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


class NetworkRegression(NumberParameters, RegressorMixin, NetworkEstimator):
    """Abstract: predicts one number a row, or several."""

    _targets = (NumberTarget,)

    def fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        target: str | Sequence[str] | None = None,
        validation_data: Any = None,
        checkpoint: str | os.PathLike[str] | None = None,
        checkpoint_every: float = EVERY,
    ) -> Self:
        """Learn from rows `X` and their numbers `y`.

        Parameters
        ----------
        X : DataFrame, array, tensor, list or map of columns, of shape (rows, columns)
        y : Series, DataFrame, array or list of shape (rows,) or (rows, targets)
            In their own units; standardised inside, after `target_transform`. An array may be of
            shape (rows, horizon, targets), as :func:`pellucid.data.windows` gives it.
        sample_weight : array-like of shape (rows,), or str, optional
            Weights, or the name of the column of `X` that has them.
        target : str or list of str, optional
            In place of `y`: the columns of `X`, a DataFrame or map, that are to be predicted. They
            are kept as ``target_names_``, and may stay in what goes into `predict` and `score`.
        validation_data : (X, y) or (X, y, sample_weight), or with `target` a DataFrame, optional
            Rows that are never trained on: ``history_`` has their loss after every epoch, and with
            `early_stopping` that is what stops, with no rows of `X` kept aside.
        checkpoint : path-like, optional
            A file that keeps the fit: after a kill the same call goes on from there, to the same
            bits. See docs/checkpoints.md.
        checkpoint_every : float, default=60
            Seconds after which it is written again.

        Returns
        -------
        self
        """
        return self._fit(
            X, y, sample_weight, going_on=bool(self.warm_start), validation_data=validation_data,
            checkpoint=checkpoint, checkpoint_every=checkpoint_every, target=target,
        )  # fmt: skip

    def partial_fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        target: str | Sequence[str] | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        checkpoint_every: float = EVERY,
    ) -> Self:
        """Train one more epoch on these rows; the first call learns means and scales.

        A `checkpoint` keeps all calls that are made with it; see docs/checkpoints.md.
        """
        return self._fit(
            X, y, sample_weight, epochs=1, going_on=True,
            checkpoint=checkpoint, checkpoint_every=checkpoint_every, target=target,
        )  # fmt: skip

    @by_parts
    def predict(self, X: Any) -> np.ndarray:
        """The number, or numbers, of each row, in the units of `y`.

        It is the mean of y there as the network knows it; the median with the loss "mae", and near
        it with "huber"; the quantile with "quantile".
        """
        reading = self._read(X)
        return reading.layout.restore(self._predicted(reading))

    def _decoded(self, outputs: np.ndarray, reading: Reading | None = None) -> np.ndarray:
        units = {} if reading is None else self._units(self._input, reading)
        numbers = self.target_.decode(outputs, **units)
        if beyond := int(np.count_nonzero(np.isinf(numbers))):
            checks.warn(
                f"{beyond:,} numbers that {type(self).__name__} predicts are beyond float64: its "
                "target_transform makes them too large. Fit more epochs, or without it."
            )
        return numbers

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """How much of the targets is explained: 1 is all, 0 what one number for all rows explains.

        It is R squared, the share of their variance, so that models of several losses compare; but
        of the loss "quantile", which predicts no centre, the share of the pinball loss of the best
        number for all rows that is saved (:func:`sklearn.metrics.d2_pinball_score`). `y` may be
        left out where `X` has the columns that were the `target` in fit.
        """
        from sklearn.metrics import d2_pinball_score, r2_score

        measure: Callable[..., float] = r2_score
        if self.loss == "quantile":
            measure = partial(d2_pinball_score, alpha=self.quantile)
        return self._score(measure, X, y, sample_weight)

    def _new_target(self, y: Any) -> Any:
        name = self.target_transform
        if name is not None:
            checks.one_of("target_transform", type(self).__name__, name, TRANSFORMS)
        return NumberTarget(name, robust=self.loss != "mse")

    def _loss(self) -> tuple[str | LossFunction, int, bool]:
        return self._loss_function(), len(self.target_.mean), False

    def _loss_function(self) -> LossFunction:
        owner = type(self).__name__
        name = LOSSES[checks.one_of("loss", owner, self.loss, LOSSES)]
        quantile = checks.number(
            "quantile", owner, self.quantile, 0, 1, open_low=True, open_high=True
        )
        return LossFunction(name, quantile=quantile)

    def _settings(self, seed: int | None = None) -> Settings:
        self._loss_function()  # is refused with the other parameters, before X is read
        return super()._settings(seed)

    def _usual(self) -> float | None:
        if self.loss == "mse":
            return None
        return float(self.quantile) if self.loss == "quantile" else 0.5

    def _target_rows(self, codes: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(codes, dtype=self.dtype)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
