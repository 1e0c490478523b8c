"""One row at a time, answered within microseconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from pellucid import checks
from pellucid.data import TableEncoder
from pellucid.engine import plain_float_state

_PLAIN = plain_float_state()  # holds nothing itself
METHODS = ("predict", "predict_proba")


class Predictor:
    """Answers one row at a time as a fitted model does, to the bit.

    What an answer needs is allocated once: each thread that asks has arrays of its own. After
    another fit of the model it answers as the model does then. A copy or a pickle holds the model
    alone. Made by :meth:`predictor` of an estimator.

    Parameters
    ----------
    model : estimator
        Fitted.
    method : {"predict", "predict_proba"}
        What it gives.
    """

    def __init__(self, model: Any, method: str = "predict") -> None:
        check_is_fitted(model, "network_")
        owner = type(model).__name__
        known = [name for name in METHODS if hasattr(model, name)]
        self._method = checks.one_of("method", f"{owner}.predictor", method, known)
        self.model = model
        self._way: _Way | None = None

    def __call__(self, row: Any) -> Any:
        """What the model gives for one row.

        Parameters
        ----------
        row : array-like
            One row of X: an array or a list of its numbers in the order of the columns, a map or
            Series of them by name, a sequence, a picture; or an X of one row.

        Returns
        -------
        The entry of the row in what `method` gives.

        Raises
        ------
        ValueError
            If it is not one row of the kind that the model learned.
        """
        model, way = self.model, self._way
        if way is None or not way.is_of(model):
            way = self._way = _Way(model, self._method)
        if way.width and type(row) is np.ndarray and row.size == way.width:
            answer = way.answer(row)
            if answer is not None:
                return answer[0]
        answers = getattr(model, self._method)(self._as_rows(row))
        if len(answers) != 1:
            raise ValueError(
                f"row of {type(model).__name__}.predictor must be one row. Got {len(answers)} rows."
                f" Call {self._method} for several."
            )
        return answers[0]

    def _as_rows(self, row: Any) -> Any:
        """An X that has this one row."""
        encoder = self.model._input
        if isinstance(row, (list, tuple, Mapping)):
            return [row] if isinstance(row, Mapping) or not self._is_listed(row) else row
        if isinstance(row, np.ndarray):
            axes = len(encoder.shape) - bool(getattr(encoder, "flat", False))
            return row[None] if row.ndim <= axes else row
        if hasattr(row, "to_frame") and hasattr(row, "index"):  # a pandas Series
            return row.to_frame().T.infer_objects()
        return row

    @staticmethod
    def _is_listed(row: Any) -> bool:
        """Whether a list is of one row already."""
        return len(row) == 1 and isinstance(row[0], (list, tuple, Mapping, np.ndarray))

    def __reduce__(self) -> Any:
        return Predictor, (self.model, self._method)


class _Way:
    """The short way from a row of numbers to the answer, for one fitted state of a model.

    Attributes
    ----------
    width : int
        How many numbers a row has; 0 where the model must be asked the usual way.
    """

    def __init__(self, model: Any, method: str) -> None:
        self._model, self._network = model, model.network_
        self._encoder, self._target = model._input, model.target_
        self._decode: Callable[[np.ndarray], np.ndarray] = (
            model._decoded if method == "predict" else model._shares_of
        )
        self.width, encoder = 0, self._encoder
        if isinstance(encoder, TableEncoder) and set(encoder.kinds) == {"number"}:
            self._standardise = encoder.row_standardiser()
            kept = self._network.keeps_rows
            self.width = len(encoder.kinds) if kept else 0
        self._free: list[tuple[np.ndarray, Any, Any]] = []

    def is_of(self, model: Any) -> bool:
        """Whether the model is as it was, but for the values of its parameters."""
        return (
            model.network_ is self._network
            and model._input is self._encoder
            and model.target_ is self._target
        )

    def answer(self, row: np.ndarray) -> np.ndarray | None:
        """What the model gives for a row of numbers; None where something must be said of it."""
        try:
            kept = self._free.pop()
        except IndexError:
            kept = (np.zeros(self.width), *self._network.kept_row())
        try:
            numbers, room, forward = kept
            numbers[:] = row if row.ndim == 1 else row.reshape(-1)
            with _PLAIN:
                if not self._standardise(numbers):
                    return None
                room[: self.width] = numbers
                outputs = forward()
                return self._decode(outputs) if isfinite(np.add.reduce(outputs[0])) else None
        finally:
            self._free.append(kept)
