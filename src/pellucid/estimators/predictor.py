"""One row at a time, answered within microseconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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

    What an answer needs is allocated once, for each of the threads that ask at the same time.
    After another fit of the model it answers as the model does then; during a fit its weights are
    not those of any model. A copy or a pickle holds the model alone. Made by :meth:`predictor` of
    an estimator.

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
            One row of X: of a table a map or a pandas Series by the columns' names, an array or
            list in their order, or a DataFrame of one row; else a sequence, a picture, a text.

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
        numbers = way.numbers_of(row) if way.shapes else row
        plain = type(numbers) is np.ndarray and numbers.dtype.kind in "iuf"
        if plain and numbers.shape in way.shapes:
            answer = way.answer(numbers)
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
        if isinstance(encoder, TableEncoder):
            return _table_of(row, encoder.names)
        if not isinstance(row, np.ndarray):
            return [row]
        axes = len(encoder.shape) - bool(getattr(encoder, "flat", False))
        if len(encoder.shape) == 3 and row.shape == (1, *encoder.shape[:2]):
            return row  # one grey picture
        return row if row.ndim == axes + 1 and len(row) == 1 else row[None]

    def __repr__(self) -> str:
        return f"{self.model!r}.predictor({self._method!r})"

    def __reduce__(self) -> Any:
        return Predictor, (self.model, self._method)


def _table_of(row: Any, names: Sequence[str] | None) -> Any:
    """A table that has this one row; values without names are in the order of the columns."""
    if isinstance(row, np.ndarray) and row.ndim == 2 and len(row) == 1:
        row = row[0]
    if isinstance(row, Mapping):
        single = all(isinstance(value, str) or not np.ndim(value) for value in row.values())
        return [row] if single else row
    if isinstance(row, (list, tuple)) and len(row) == 1 and np.ndim(row[0]):
        row = row[0]  # a list of one row
    if isinstance(row, (list, tuple, np.ndarray)) and np.ndim(row) == 1:
        if names is None or len(row) != len(names):
            return [list(row)]
        return [dict(zip(names, row, strict=True))]
    if hasattr(row, "to_frame") and hasattr(row, "index"):  # a pandas Series
        return row.to_frame().T.infer_objects()
    return row


class _Way:
    """The short way from a row of numbers to the answer, for one fitted state of a model.

    Attributes
    ----------
    shapes : tuple of tuple of int
        Those that a row of numbers may have; none where the model must be asked the usual way.
    """

    def __init__(self, model: Any, method: str) -> None:
        self._network, self._encoder, self._target = model.network_, model._input, model.target_
        self._decode: Callable[[np.ndarray], np.ndarray] = (
            model._decoded if method == "predict" else model._shares_of
        )
        self.shapes: tuple[tuple[int, ...], ...] = ()
        encoder = self._encoder
        if isinstance(encoder, TableEncoder) and encoder.only_numbers and self._network.keeps_rows:
            self._width = len(encoder.kinds)
            self.shapes = (self._width,), (1, self._width)
            self._standardise = encoder.row_standardiser()
        self._free: list[tuple[np.ndarray, Any, Any]] = []  # one a thread that asks at a time

    def numbers_of(self, row: Any) -> Any:
        """Plain numbers by the columns' names or in their order as an array, else `row` itself."""
        names = self._encoder.names
        if type(row) is dict and names is not None and len(row) == len(names):
            values = [row.get(name) for name in names]
            row = row if None in values else values
        if type(row) in (list, tuple) and len(row) == self._width:
            try:
                return np.array(row, dtype=np.float64) if {*map(type, row)} <= {int, float} else row
            except OverflowError:  # an integer beyond float64
                return row
        if hasattr(row, "index") and isinstance(getattr(row, "dtype", None), np.dtype):
            return row.to_numpy() if names == list(row.index) else row
        return row

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
            kept = (np.zeros(self._width), *self._network.kept_row())
        try:
            numbers, room, forward = kept
            numbers[:] = row if row.ndim == 1 else row.reshape(-1)
            with _PLAIN, np.errstate(over="ignore", under="ignore", invalid="ignore"):
                if not self._standardise(numbers):
                    return None
                room[: self._width] = numbers
                outputs = forward()
                return self._decode(outputs) if isfinite(np.add.reduce(outputs[0])) else None
        finally:
            self._free.append(kept)
