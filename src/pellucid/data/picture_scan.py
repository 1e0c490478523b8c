"""Pictures that are decoded once, and kept on disk as levels that a network reads."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from pellucid.checks import file_name
from pellucid.data.cache_place import cache_path, remove_cache
from pellucid.data.folders import Split, list_pictures
from pellucid.data.tokens import ends_as_pictures

_FORMAT = b"pellucid pictures 1"
_LOOKED_AT = 20  # files that tell whether a folder holds pictures


class PictureScan:
    """Pictures in a folder that has one folder a class, made by :func:`pellucid.scan`.

    Parameters
    ----------
    folder : path
    memory : int
        The bytes that a fit may take.
    cache : Path or None
        Where the decoded pictures are to be, if that was said.
    chosen : (list of str, list of str), optional
        The paths and classes of some of its pictures, to be learned from alone.
    """

    def __init__(
        self,
        folder: Path,
        memory: int,
        cache: Path | None,
        chosen: tuple[Sequence[str], Sequence[str]] | None = None,
    ) -> None:
        self.name = f"{folder.resolve().name}/"
        self.folder, self.memory, self.cache, self.chosen = folder, memory, cache, chosen

    @property
    def cache_path(self) -> Path:
        """Where the cache of a fit is: where it was said to be, else beside the folder."""
        return cache_path(self.folder, self.cache)

    def remove_cache(self) -> None:
        """Remove the cache of a fit, if there is one; another file there is a ValueError."""
        remove_cache(self.cache_path)

    def some(self, paths: Sequence[str], classes: Sequence[str]) -> PictureScan:
        """Some of the pictures, with their classes."""
        return PictureScan(self.folder, self.memory, self.cache, (paths, classes))

    @property
    def labelled(self) -> tuple[Sequence[str], Sequence[str]]:
        """The paths and classes of all pictures, of a set in parts those to test on."""
        if self.chosen is not None:
            return self.chosen
        split = Split.of(self.folder)
        return list_pictures(self.folder if split is None else split.part("test"), least=1)

    def __repr__(self) -> str:
        return f"<scan of the pictures in {file_name(self.folder)}>"


def has_pictures(folder: Path) -> bool:
    """Whether it is a folder whose folders hold files, most of which are called as pictures are."""
    if not folder.is_dir():
        return False
    some: list[str] = []
    for below in sorted(path for path in folder.iterdir() if path.is_dir()):
        for here, _, files in os.walk(below):
            some += [os.path.join(here, name) for name in sorted(files) if name[:1] not in "._"]
            if some:
                break
        if len(some) >= _LOOKED_AT:
            break
    return bool(some) and ends_as_pictures(some[:_LOOKED_AT])


def fingerprint(paths: Sequence[str], classes: Sequence[str]) -> str:
    """SHA-256 of what tells these pictures from others: names, classes, sizes and times."""
    digest = hashlib.sha256(_FORMAT)
    for path, label in zip(paths, classes, strict=True):
        state = os.stat(path)
        stamp = f"{path}\0{label}\0{state.st_size} {state.st_mtime_ns}"
        stamped = stamp.encode("utf-8", "surrogateescape")
        digest.update(len(stamped).to_bytes(8, "little"))
        digest.update(stamped)
    return digest.hexdigest()
