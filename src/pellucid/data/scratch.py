"""Files without a name, for what does not fit in memory: nothing is left of them at any end."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.checks import printable


class Scratch:
    """A place for data that are needed for a while.

    Parameters
    ----------
    folder : Path
        Where its files are. They have no names: they are gone when they are closed, and when the
        process ends in any way.
    memory : int
        The bytes that may be held in memory at a time in the place of a file.
    what : str
        What is kept, for sentences.
    way_out : str
        How another place is named, for sentences.
    """

    def __init__(
        self,
        folder: Path,
        memory: int,
        what: str,
        way_out: str = "name another place by cache",
    ) -> None:
        self.folder, self.memory, self.what, self.way_out = folder, memory, what, way_out
        self._files: list[ScratchFile] = []

    def file(self) -> ScratchFile:
        """A new file."""
        with self.explained():
            file = ScratchFile(self)
        self._files.append(file)
        return file

    @property
    def nbytes(self) -> int:
        """The bytes of all files that are open."""
        return sum(file.size for file in self._files)

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Say where it could not be written, and what to do."""
        try:
            yield
        except OSError as error:
            closed = isinstance(error, PermissionError) or error.errno == errno.EROFS
            way_out = f"{'Open it' if closed else 'Make room there'}, or {self.way_out}."
            told = type(error)(
                f"{self.what} cannot be kept in '{printable(self.folder)}': "
                f"{error.strerror or error}. {way_out}"
            )
            told.errno = error.errno
            raise told from error

    def close(self, *files: ScratchFile) -> None:
        """Remove these files, or all."""
        for file in files or tuple(self._files):
            file.close()
            self._files.remove(file)


def temporary(what: str) -> Scratch:
    """A place among the system's temporary files."""
    folder = Path(tempfile.gettempdir())
    return Scratch(folder, 1 << 20, what, "name another place by the variable TMPDIR")


class ScratchFile:
    """A file that is written at its end, and read anywhere."""

    def __init__(self, scratch: Scratch) -> None:
        self._scratch = scratch
        self._file = tempfile.TemporaryFile(dir=scratch.folder, buffering=0)
        self.size = 0

    def append(self, content: Any) -> int:
        """Write `content`, bytes or an array, behind all there is, and return where it begins."""
        place, left = self.size, memoryview(content).cast("B")
        with self._scratch.explained():
            while left:
                count = os.pwrite(self._file.fileno(), left, self.size)
                self.size, left = self.size + count, left[count:]
        return place

    def read(self, place: int, size: int) -> bytes:
        """So many bytes from `place` on."""
        return os.pread(self._file.fileno(), size, place)

    def array(self, place: int, count: int, dtype: Any) -> np.ndarray:
        """So many numbers from `place` on."""
        values = np.empty(count, dtype)
        self.read_into(values, place)
        return values

    def read_into(self, values: np.ndarray, place: int) -> None:
        """Fill an array, C-contiguous, with what is from `place` on."""
        into = memoryview(values.data).cast("B") if values.size else b""
        if len(into) and os.preadv(self._file.fileno(), [into], place) != len(into):
            raise EOFError(f"{self._scratch.what} must stay as they were. Got their end too early.")

    def close(self) -> None:
        """Remove it."""
        self._file.close()

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            self._file.close()
