"""Windows whose steps lie in a file, each step once, however many windows share it."""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid.data.scratch import ScratchFile
from pellucid.rows.packing import Packing
from pellucid.rows.windows import ScaledWindows, in_own_scale

_DOUBLE = np.dtype(np.float64)
_IN_MEMORY = 64 << 20  # bytes of steps that are read at once


class FlatWriter:
    """Writes the steps of windows one behind the other, and says what else makes each window.

    That is a record: where its steps begin, then its shift and scale. So a store of windows is no
    larger than the table, whatever their length.

    Parameters
    ----------
    file : ScratchFile
        For the steps.
    relative, others : int
        How many numbers of a step are in the window's scale, and how many as they are.
    dtype : dtype
        Of the others.

    Attributes
    ----------
    packing : Packing
        Of the records.
    rows : int
        How many steps were written.
    """

    def __init__(self, file: ScratchFile, relative: int, others: int, dtype: Any) -> None:
        self._relative, self._dtype = relative, np.dtype(dtype)
        self._bytes = relative * _DOUBLE.itemsize + others * self._dtype.itemsize
        self._file, self.rows = file, 0
        self.packing = Packing((1 + 2 * relative,), _DOUBLE)
        self._last: ScaledWindows | None = None

    def add(self, windows: ScaledWindows) -> np.ndarray:
        """Write all steps of these, and return the records of the windows, float64."""
        begin, rows = self.rows, len(windows.others)
        steps = np.empty((rows, self._bytes), np.uint8)
        cut = self._relative * _DOUBLE.itemsize
        steps[:, :cut] = _as_bytes(windows.relative, _DOUBLE)
        steps[:, cut:] = _as_bytes(windows.others, self._dtype)
        self._file.append(steps)
        self.rows += rows
        self._last = windows
        starts = (windows.starts + begin).astype(
            np.float64
        )  # which holds all whole ones below 2^53
        return np.concatenate([starts[:, None], windows.shift, windows.scale], axis=1)

    def done(self) -> FlatWindows:
        """What makes windows of records."""
        assert self._last is not None
        some = self._last
        return FlatWindows(
            self._file, self._bytes, self._relative, some.known, some.steps, some.ahead, self._dtype
        )


class FlatWindows:
    """Makes windows of their records, and of the steps in a file.

    Parameters
    ----------
    file : ScratchFile
        Of the steps.
    size : int
        Bytes of a step.
    relative : int
    known : int64 ndarray of shape (others,)
    steps, ahead : int
        As of ScaledWindows.
    dtype : dtype

    Attributes
    ----------
    shape : (T, width)
    """

    def __init__(
        self,
        file: ScratchFile,
        size: int,
        relative: int,
        known: np.ndarray,
        steps: int,
        ahead: int,
        dtype: Any,
    ) -> None:
        self._file, self._size, self._relative, self._known = file, size, relative, known
        self._steps, self._ahead, self.dtype = steps, ahead, np.dtype(dtype)
        self.shape = steps, relative + len(known) + (ahead > 0)
        self._whole: np.ndarray | None = None
        if file.size <= _IN_MEMORY:
            self._whole = file.array(0, file.size, np.uint8).reshape(-1, size)

    def unpack(self, packed: np.ndarray, rows: np.ndarray) -> None:
        """Write into `rows` (N, T, width) the windows of `packed` records (N, bytes)."""
        count, relative = len(packed), self._relative
        records = np.ascontiguousarray(packed).view(_DOUBLE).reshape(count, 1 + 2 * relative)
        steps = self._read(records[:, 0].astype(np.int64))
        cut = relative * _DOUBLE.itemsize
        numbers = np.ascontiguousarray(steps[..., :cut]).view(_DOUBLE)
        others = np.ascontiguousarray(steps[..., cut:]).view(self.dtype)
        shift, scale = records[:, 1 : 1 + relative], records[:, 1 + relative :]
        rows[...] = in_own_scale(numbers, shift, scale, others, self._known, self._ahead)

    def _read(self, starts: np.ndarray) -> np.ndarray:
        """The bytes of the steps of windows: (N, T, bytes of a step)."""
        if self._whole is not None:
            return self._whole[starts[:, None] + np.arange(self._steps)]
        steps = np.empty((len(starts), self._steps, self._size), np.uint8)
        for place in np.argsort(starts, kind="stable").tolist():  # as they lie in the file
            self._file.read_into(steps[place], int(starts[place]) * self._size)
        return steps


def _as_bytes(numbers: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Rows of numbers as rows of bytes."""
    return np.ascontiguousarray(numbers, dtype).view(np.uint8).reshape(len(numbers), -1)
