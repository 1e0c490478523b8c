"""Callbacks: plain functions of an epoch's row, and scikit-learn's callback protocol.

From scikit-learn 1.9 on an estimator has ``set_callbacks``, and its ``ProgressBar``,
``ScoringMonitor`` and the like work on every fit, one task an epoch. Before that the protocol's
names stand for nothing, and the estimator's own ``callbacks`` parameter does the work.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TypeVar

from pellucid.checks import fault

try:
    from sklearn.callback import CallbackSupportMixin as CallbackSupport
    from sklearn.callback import with_callbacks

    PROTOCOL = True
except ImportError:
    PROTOCOL = False
    Method = TypeVar("Method", bound=Callable[..., Any])

    class CallbackSupport:  # type: ignore[no-redef]
        """Stands where scikit-learn has no callback protocol."""

    def with_callbacks(method: Method) -> Method:  # type: ignore[misc]
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
    X, y : as given to ``fit``
    """

    def __init__(self, estimator: Any, callbacks: Any, epochs: int, X: Any, y: Any) -> None:
        self.estimator, self.epochs, self.data = estimator, epochs, {"X": X, "y": y}
        if callbacks is None:
            callbacks = []
        listed = list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks]
        for each in listed:
            if not callable(each):
                owner = type(estimator).__name__
                raise TypeError(fault("callbacks", owner, "a callable or a list of them", each))
        self.callbacks = listed
        self._root: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        if PROTOCOL:
            self._root = self.estimator._init_callback_context(max_subtasks=self.epochs)
            self._root.call_on_fit_task_begin(estimator=self.estimator, **self.data)
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
                estimator=self.estimator, reconstruction_attributes={}, **self.data
            )
        for callback in self.callbacks:  # each is called, whatever those before it said
            stop = callback(self.estimator, dict(row)) is True or stop
        return bool(stop)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._root is not None and kind is None:
            self._root.call_on_fit_task_end(
                estimator=self.estimator, reconstruction_attributes={}, **self.data
            )
