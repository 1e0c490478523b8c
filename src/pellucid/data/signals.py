"""Signals as they come in: arrays of them, or lists of unequal lengths."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from pellucid.data.column_values import plain_array
from pellucid.data.pictures import kind_of


class Filled(NamedTuple):
    """Signals of unequal lengths as one array, with NaN behind their ends.

    NaN is the mean once it is standardised, and is no part of mean and deviation.
    """

    array: np.ndarray
    shortest: int

    @property
    def note(self) -> str:
        """What was done to them."""
        longest = self.array.shape[1]
        return (
            f"signals of {self.shortest} to {longest} steps are filled up to {longest} with the "
            "mean"
        )


def fill_to_learn(owner: str, X: Any, signals: bool | str) -> Filled | None:
    """Signals of unequal lengths, filled up to the longest; None of all else.

    `signals` says whether arrays of rank 2 are signals; "auto" takes those for it that are long.
    """
    arrays = listed_signals(X, stacked=False)
    if not arrays:
        return None
    lengths = [len(array) for array in arrays]
    alike = len({array.shape[1] for array in arrays}) == 1
    usual, channels = sorted(lengths)[len(lengths) // 2], arrays[0].shape[1]
    are_signals = _rank(next(iter(X))) == 1 or signals is True
    if not are_signals:
        are_signals = signals == "auto" and alike and is_long(usual, channels)
    if len(set(lengths)) == 1 or not are_signals:
        return None
    return Filled(_fill(owner, arrays, max(lengths), channels), min(lengths))


def fill_as_learned(owner: str, X: Any, shape: tuple[int, ...]) -> np.ndarray | None:
    """Further signals, filled up to the (length, channels) of training; None of all else."""
    arrays = listed_signals(X, stacked=True)
    return _fill(owner, arrays, *shape) if arrays else None


def _fill(owner: str, arrays: list[np.ndarray], longest: int, channels: int) -> np.ndarray:
    for position, array in enumerate(arrays):
        if array.shape[1] != channels or not len(array):
            raise ValueError(
                f"signal {position} of X of {owner} must have at least one step of {channels} "
                f"channel{'s' if channels > 1 else ''}, the last axis. Got shape {array.shape}."
            )
        if not np.isfinite(array).all():
            raise ValueError(
                f"X of {owner} must be finite. Got NaN or infinity in signal {position}."
            )
        if len(array) > longest:
            raise ValueError(
                f"signal {position} of X of {owner} must have at most {longest} steps, as the "
                f"longest in fit. Got {len(array)}. Cut it, as [x[:{longest}] for x in X]."
            )
    filled = np.full((len(arrays), longest, channels), np.nan)
    for row, array in zip(filled, arrays, strict=True):
        row[: len(array)] = array
    return filled


def is_long(length: int, channels: int) -> bool:
    """Whether a map is as long as a signal and as narrow as its channels, and no usual picture."""
    return length >= 2 * channels


def _rank(value: Any) -> int:
    """How many axes one row of a list has; -1 where it is no array of numbers."""
    array = plain_array(value)
    if isinstance(array, (list, tuple)):
        return 1 if all(isinstance(number, (int, float)) for number in array) else -1
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "biuf":
        return -1
    return array.ndim


def listed_signals(X: Any, stacked: bool) -> list[np.ndarray] | None:
    """The signals (length, channels) of a list of arrays or numbers, None of anything else.

    An array is a list of its rows, if those that are `stacked` count.
    """
    import narwhals as nw

    if nw.dependencies.is_into_dataframe(X):
        return None
    array = plain_array(X)
    if isinstance(array, np.ndarray):
        if array.ndim not in ((2, 3) if stacked and array.dtype != object else (1,)):
            return None
    elif not isinstance(array, (list, tuple)):
        return None
    ranks = {_rank(signal) for signal in array}
    if ranks not in ({1}, {2}):
        return None
    signals = [np.asarray(plain_array(signal)) for signal in array]
    if ranks == {2} and any(kind_of(signal) != "float" for signal in signals):
        return None
    return [signal[:, None] if signal.ndim == 1 else signal for signal in signals]
