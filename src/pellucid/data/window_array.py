"""The windows of a series that is an array: an array that knows what it was cut from."""

from __future__ import annotations

from typing import Any, Self

import numpy as np


class WindowArray(np.ndarray):
    """An array (windows, steps, columns), and the Windows whose numbers it holds.

    So windows of an array are read in a scale of their own, as those of a DataFrame are. Whole
    windows that are taken by a slice, a mask or positions know theirs too; whatever else is made of
    it is a plain array. It is read-only, since its numbers are those of its series: a copy is not.

    Attributes
    ----------
    windows : Windows or None
    """

    windows: Any

    @classmethod
    def of(cls, windows: Any) -> Self:
        """The array that these windows of an array hold."""
        numbers = windows.table[windows.starts[:, None] + np.arange(windows.steps)]
        return cls._known(numbers, windows)

    @classmethod
    def _known(cls, numbers: np.ndarray, windows: Any) -> Self:
        self = numbers.view(cls)
        self.windows = windows
        self.flags.writeable = False
        return self

    def __array_finalize__(self, source: Any) -> None:
        self.windows = None

    def __array_wrap__(self, array: Any, *context: Any, **options: Any) -> Any:
        return np.asarray(super().__array_wrap__(array, *context, **options))[()]

    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        if not isinstance(found, np.ndarray):
            return found
        plain = np.asarray(found)
        if self.windows is None or isinstance(index, tuple) or plain.ndim < 3:
            return plain
        return self._known(plain, self.windows[index])

    def take(self, indices: Any, axis: Any = None, out: Any = None, mode: Any = "raise") -> Any:
        """As of an array; of the first axis it takes windows."""
        if axis == 0 and out is None and mode == "raise" and np.ndim(indices) == 1:
            return self[np.asarray(indices)]
        return np.asarray(self).take(indices, axis, out, mode)

    def __reduce__(self) -> Any:
        if self.windows is None:
            return np.array, (np.asarray(self),)
        return WindowArray.of, (self.windows,)


def as_windows(X: Any) -> Any:
    """The Windows that an array knows; anything else comes back as it is."""
    known = getattr(X, "windows", None) if isinstance(X, WindowArray) else None
    return X if known is None else known
