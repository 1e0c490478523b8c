"""A checkpoint's files: the newest and the one before, each whole or not at all.

A file is a magic line, the length of a header, the header in JSON, the bytes of its arrays, the
SHA-256 of all that, and the magic line again. Nothing in it is ever run. A file is read only once
its SHA-256 is right, so that whatever was damaged is never looked at.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pellucid import __version__, files
from pellucid.checks import file_name, one_line, warn

MAGIC = b"pellucid checkpoint\n"
FORMAT = 1
RARELY = 100
"""After a write that took d seconds the next one is at least so many times d later."""

_LENGTH, _DIGEST, _BLOCK = 8, 32, 1 << 20
_ONE_FIT = "Run one fit at a time, or give each a path of its own."
_ABSENT = ("is not there", "is empty")  # what is wrong with a file that holds nothing
_LEAST = len(MAGIC) + _LENGTH + _DIGEST + len(MAGIC)  # bytes of a file without content


class Damaged(Exception):
    """What is wrong with a file: the rest of a sentence that begins with its name."""


class Slots:
    """Two files: ``run.ckpt`` and ``run.ckpt.before``.

    Parameters
    ----------
    path : path-like
        The newest; the one before has its name and ``.before``, in the same folder.
    every : float
        Seconds from one write to the next.

    Raises
    ------
    OSError
        If no file can be written there.
    ValueError
        If one of the two is there and is no checkpoint: it is never written over.
    """

    def __init__(self, path: str | os.PathLike[str], every: float) -> None:
        self.path = path
        self.newest = files.place_of(path)
        self.before = self.newest.with_name(f"{self.newest.name}.before")
        self.stopped = False  # whether nothing more is to be written
        self._every, self._spent, self._last = every, 0.0, time.monotonic()
        self._keeps = False  # whether the newest is whole, and worth to be kept
        self._end: bytes | None = None  # of the newest, as this fit last read or wrote it
        self._wrote = False
        self._digest = b""  # of the file whose header was read
        files.check_writable(path)

    def goes_on_from(self, other: Slots) -> None:
        """Take over what `other`, of the same files, last wrote, and when."""
        self._spent, self._last = other._spent, other._last
        self._keeps, self._end, self._wrote = other._keeps, other._end, other._wrote

    @property
    def is_as_written(self) -> bool:
        """Whether the newest file is the one written last, and need not be read."""
        return self._wrote and self._end == _end(self.newest)

    @property
    def _names(self) -> dict[str, Path]:
        """What errors call the two files, the newest first."""
        path = os.fspath(self.path)
        before = self.before if os.path.islink(path) else f"{path}.before"
        return {file_name(path): self.newest, file_name(before): self.before}

    @property
    def removal(self) -> str:
        """The way out where the two files are not wanted."""
        there = [name for name, place in self._names.items() if place.exists()]
        return f"Remove {' and '.join(there)}, or give another path."

    @property
    def is_due(self) -> bool:
        """Whether so much time has passed that the next write is due."""
        return self._waited >= max(self._every, RARELY * self._spent)

    @property
    def is_cheap(self) -> bool:
        """Whether a write now is so long after the last one that its time hardly counts."""
        return self._waited >= RARELY * self._spent

    @property
    def _waited(self) -> float:
        return time.monotonic() - self._last

    def read(self) -> dict[str, Any] | None:
        """The header of the newest file that is whole; None where there is none.

        Where that is the one before, a warning says so, and why.
        """
        self._keeps, self._end = False, _end(self.newest)
        names = self._names
        foreign = [name for name, place in names.items() if not _is_ours(place, name)]
        faults: dict[str, str] = {}
        for name, place in names.items():
            try:
                if name in foreign:
                    raise Damaged("is no checkpoint of pellucid")
                header = self._header(place, name)
            except Damaged as fault:
                faults[name] = str(fault)
                continue
            if place is self.newest and foreign:  # the one before would be written over
                break
            self._keeps = place is self.newest
            for newest, wrong in faults.items():
                warn(f"{newest} {wrong}: the fit goes on from {name}, the one before.")
            self._place = place
            return header
        if foreign:
            raise ValueError(
                f"{foreign[0]} is no checkpoint of pellucid, and is not written over. "
                f"{self.removal}"
            )
        damage = [f"{name} {wrong}" for name, wrong in faults.items() if wrong not in _ABSENT]
        if not damage:
            return None
        raise ValueError(
            f"{', and '.join(damage)}: no fit can go on from there. Remove "
            f"{'it' if len(damage) == 1 else 'both'} to begin anew."
        )

    def _header(self, place: Path, name: str) -> dict[str, Any]:
        self._digest, content, _ = _content(place, with_arrays=False)
        if content.get("format") != FORMAT:
            writer = one_line(str(content.get("pellucid")), 40)
            raise ValueError(
                f"{name} is a checkpoint of format {content.get('format')}, written by "
                f"pellucid {writer}; pellucid {__version__} goes on from format {FORMAT}. "
                f"{self.removal}"
            )
        return content

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays of the file whose header was read, by name."""
        name = file_name(self.path)
        try:
            digest, _, arrays = _content(self._place, with_arrays=True)
        except Damaged as damage:
            raise ValueError(f"{name} {damage}, and was whole before. {_ONE_FIT}") from None
        if digest != self._digest:
            raise ValueError(f"{name} was written anew while this fit began. {_ONE_FIT}")
        return arrays

    def write(self, header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> OSError | None:
        """Put both into the newest file, which becomes the one before; the error if that failed.

        An error leaves what there was, and so does a file that another fit has put there since
        this one last read or wrote it. Arrays are written from where they are: nothing is copied.
        """
        begin = time.monotonic()
        parts = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        places = [[name, part.dtype.str, part.shape] for name, part in parts.items()]
        known = {"format": FORMAT, "pellucid": __version__, **header, "arrays": places}
        text = json.dumps(known).encode()
        size = _LEAST + len(text) + sum(part.nbytes for part in parts.values())
        try:
            if _end(self.newest) not in (None, self._end):
                name = file_name(self.path)
                raise FileExistsError(f"{name} was written by another fit meanwhile. {_ONE_FIT}")
            keep = self.before if self._keeps else None
            with files.writing(self.newest, size, keep, called=self.path) as file:
                digest, pieces = hashlib.sha256(), list[Any]()
                pieces += [MAGIC, len(text).to_bytes(_LENGTH, "little"), text]
                pieces += [part.reshape(-1).view(np.uint8).data for part in parts.values()]
                for piece in pieces:
                    digest.update(piece)
                    file.write(piece)
                file.write(digest.digest() + MAGIC)
            self._keeps = self._wrote = True
            self._end = digest.digest() + MAGIC
        except OSError as error:
            self._keeps = self._keeps and self.newest.exists()
            return error
        finally:
            self._last = time.monotonic()
            self._spent = self._last - begin
        return None


def _is_ours(place: Path, name: str) -> bool:
    """Whether a file is a checkpoint, if only a damaged one, or is not there."""
    try:
        with open(place, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            first = file.read(len(MAGIC))
            file.seek(max(0, size - len(MAGIC)))
            return not size or MAGIC in (first, file.read())
    except FileNotFoundError:
        return True
    except IsADirectoryError as error:
        raise type(error)(f"{name} is a folder. Move it, or give another path.") from error
    except OSError as error:
        wrong = str(error.strerror).lower()
        raise type(error)(f"{name} cannot be read: {wrong}. Give another path.") from error


def _end(place: Path) -> bytes | None:
    """A file's last bytes, its SHA-256 among them; None where there is none."""
    try:
        with open(place, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(0, size - _DIGEST - len(MAGIC)))
            return file.read()
    except OSError:
        return None


def _content(place: Path, with_arrays: bool) -> tuple[bytes, dict[str, Any], dict[str, np.ndarray]]:
    """A file's SHA-256, its header and, if they are wanted, its arrays."""
    try:
        with open(place, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size < _LEAST:
                raise Damaged("is cut short" if size else "is empty")
            digest, left = hashlib.sha256(), size - _DIGEST - len(MAGIC)
            while left:
                block = file.read(min(left, _BLOCK))
                if not block:
                    raise Damaged("is cut short")
                digest.update(block)
                left -= len(block)
            if file.read() != digest.digest() + MAGIC:
                raise Damaged("is damaged (its checksum does not match)")
            file.seek(len(MAGIC))
            header = json.loads(file.read(int.from_bytes(file.read(_LENGTH), "little")))
            arrays = {}
            for key, dtype, shape in header["arrays"] if with_arrays else ():
                part = np.empty(shape, np.dtype(dtype))
                file.readinto(part.reshape(-1).view(np.uint8).data)
                arrays[key] = part
            return digest.digest(), header, arrays
    except FileNotFoundError:
        raise Damaged("is not there") from None
    except OSError as error:
        if error.errno == errno.EIO:
            raise Damaged("cannot be read from its disk") from error
        raise
