"""Callbacks: plain functions of an epoch's row, and scikit-learn's callback protocol.

From scikit-learn 1.9 on an estimator has ``set_callbacks``, and scikit-learn's ``ProgressBar``,
``ScoringMonitor`` and the like work on every fit, one task an epoch. With an older scikit-learn
the protocol's names do nothing, and the estimator's ``callbacks`` parameter is all there is.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TypeVar

import numpy as np

from pellucid.checks import fault
from pellucid.rows import Rows

try:
    from sklearn.callback import CallbackSupportMixin as CallbackSupport
    from sklearn.callback import with_callbacks

    PROTOCOL = True
except ImportError:
    PROTOCOL = False
    Method = TypeVar("Method", bound=Callable[..., Any])

    class CallbackSupport:  # type: ignore[no-redef]
        """Stands in where scikit-learn has no callback protocol."""

    def with_callbacks(method: Method) -> Method:
        """Leave `method` as it is."""
        return method


class FitCallbacks:
    """All callbacks of one fit, called by a ``with`` block around the epochs.

    Parameters
    ----------
    estimator : estimator
        Must be able to predict whenever :meth:`epoch_end` is called.
    callbacks : None, callable or list of callables
        Called as ``callback(estimator, row)`` after each epoch; one that returns True stops.
    epochs : int
        At most so many will come.
    X, y, sample_weight : as given to ``fit``
    rows : Rows, optional
        The rows to train on, as the network reads them. A callback that has a method
        ``fit_begin(estimator, rows)`` is given them before the first epoch.

    Notes
    -----
    The method that enters this block carries ``with_callbacks``, and whoever undoes a failed fit
    stands outside of it: scikit-learn finds the callbacks to tear down on the estimator itself::

        class Estimator(CallbackSupport, BaseEstimator):
            def fit(self, X, y):
                before = self.__dict__.copy()
                try:
                    return self._fit(X, y)
                except BaseException:
                    self.__dict__ = before
                    raise

            @with_callbacks
            def _fit(self, X, y):
                with FitCallbacks(self, self.callbacks, self.max_epochs, X, y) as callbacks:
                    for epoch in range(self.max_epochs):
                        callbacks.epoch_begin()
                        row = self._train_one_epoch(X, y)
                        if callbacks.epoch_end(row):
                            break
    """

    def __init__(
        self,
        estimator: Any,
        callbacks: Any,
        epochs: int,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        rows: Rows | None = None,
    ) -> None:
        self.estimator, self.epochs, self.data = estimator, epochs, {"X": X, "y": y}
        self.rows = rows
        if sample_weight is not None:
            self.data["metadata"] = {"sample_weight": sample_weight}
        if callbacks is None:
            callbacks = []
        listed = list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks]
        for callback in listed:
            if not callable(callback):
                owner, expected = type(estimator).__name__, "a callable or a list of them"
                theirs = PROTOCOL and hasattr(callback, "on_fit_task_end")
                way_out = "Give scikit-learn's callbacks to set_callbacks." if theirs else ""
                raise TypeError(fault("callbacks", owner, expected, callback, way_out))
        self.callbacks = listed
        self._root: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        if PROTOCOL:
            self._root = self.estimator._init_callback_context(max_subtasks=self.epochs)
            self._root.call_on_fit_task_begin(estimator=self.estimator, **self.data)
        for callback in self.callbacks:
            if hasattr(callback, "fit_begin"):
                callback.fit_begin(self.estimator, self.rows)
        return self

    def epoch_begin(self) -> None:
        """Before an epoch."""
        if self._root is not None:
            self._task = self._root.subcontext(task_name="epoch")
            self._task.call_on_fit_task_begin(estimator=self.estimator, **self.data)

    def epoch_end(self, row: dict[str, Any]) -> bool:
        """After an epoch, with its row of the history; whether to stop."""
        stop = False
        if self._task is not None:
            stop = self._task.call_on_fit_task_end(
                estimator=self.estimator, reconstruction_attributes=self._fitted, **self.data
            )
        for callback in self.callbacks:  # each is called, whatever those before it said
            answer = callback(self.estimator, dict(row))
            stop = stop or (isinstance(answer, (bool, np.bool_)) and bool(answer))
        return stop

    def _fitted(self) -> dict[str, Any]:
        """What training changes in place, copied: asked for only by callbacks that use it."""
        state = vars(self.estimator)
        return {n: copy.deepcopy(state[n]) for n in ("network_", "history_") if n in state}

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._root is not None and kind is None:
            self._root.call_on_fit_task_end(
                estimator=self.estimator, reconstruction_attributes=self._fitted, **self.data
            )
