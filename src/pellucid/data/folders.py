"""Folders of pictures: which files there are, and of which classes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from pellucid.checks import file_name

_HIDDEN = ("thumbs.db", "desktop.ini")
_PARTS = {  # names of the parts that sets are shipped in
    "learn": ("train", "training"),
    "validate": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing"),
}


@dataclass(frozen=True)
class Split:
    """A folder whose folders are parts of a set, as ``train/`` and ``test/``, and not classes.

    Parameters
    ----------
    parts : dict from str to Path
        "learn", and of "validate" and "test" those that are there.
    unused : tuple of str
        Names of other folders.
    """

    parts: dict[str, Path]
    unused: tuple[str, ...]

    @classmethod
    def of(cls, folder: str | os.PathLike[str]) -> Split | None:
        """The parts of `folder`; None where its folders are classes.

        Raises
        ------
        ValueError
            If parts that stand beside one another hold pictures and no class folders.
        """
        parts: dict[str, Path] = {}
        others = []
        for below in sorted(path for path in _existing(folder).iterdir() if path.is_dir()):
            name = below.name.lower()
            kind = next((kind for kind, names in _PARTS.items() if name in names), None)
            if kind is not None and kind not in parts:
                parts[kind] = below
            elif not _is_hidden(below.name):
                others.append(below.name)
        if "learn" not in parts or (
            len(parts) == 1 and (others or not _has_folders(parts["learn"]))
        ):
            return None
        if not _has_folders(parts["learn"]):
            names = " and ".join(f"{path.name}/" for path in parts.values())
            raise ValueError(
                f"{names} of {file_name(folder)} must hold one folder a class, with its pictures "
                f"in it, as parts of a set. Got none in {parts['learn'].name}/. Move the pictures "
                "into such folders, or, if these are the classes, give them other names."
            )
        flat = [kind for kind, path in parts.items() if not _has_folders(path)]
        return cls(parts, (*others, *(parts.pop(kind).name for kind in flat)))

    def part(self, wanted: str) -> Path:
        """The part to "learn" from, to "validate" or to "test" on; another one where it lacks."""
        order = {"learn": ["learn"], "validate": ["validate", "test", "learn"]}
        kinds = order.get(wanted, ["test", "validate", "learn"])
        return next(self.parts[kind] for kind in kinds if kind in self.parts)

    @property
    def to_watch(self) -> Path | None:
        """The part to validate on during the training, where there is another to test on."""
        return self.parts.get("validate") if "test" in self.parts else None

    @property
    def note(self) -> str:
        """What is learned from, and what is not."""
        learned, tested = self.part("learn"), self.part("test")
        kept = [] if tested == learned else [f"{tested.name}/ is to test on"]
        kept += [] if self.to_watch is None else [f"{self.to_watch.name}/ to validate on"]
        kept += [f"{name}/ is not used" for name in self.unused]
        return ", ".join([f"learned from {learned.name}/ alone", *kept])


def _has_folders(folder: Path) -> bool:
    return any(path.is_dir() and not _is_hidden(path.name) for path in folder.iterdir())


def list_pictures(folder: str | os.PathLike[str], least: int = 2) -> tuple[list[str], list[str]]:
    """The pictures of a folder that has one folder a class: their paths, and their classes.

    Parameters
    ----------
    folder : path
        Each folder in it is a class, and all files below that are its pictures, but hidden ones.
    least : int, default=2
        The fewest pictures of a class: one to learn from, and one to test.

    Returns
    -------
    paths, classes : list of str
        In the order of the names, so that the same folder gives the same lists.

    Raises
    ------
    FileNotFoundError, NotADirectoryError
        If there is no such folder.
    PermissionError
        If it, or a folder in it, may not be read.
    ValueError
        If there is no folder in it, or one of them has fewer pictures than `least`, or a name that
        cannot be printed.

    Examples
    --------
    >>> from pellucid import CNNClassifier, list_pictures
    >>> paths, classes = list_pictures("pictures/")                     # doctest: +SKIP
    >>> model = CNNClassifier(random_state=0).fit(paths, classes)       # doctest: +SKIP
    """
    root = _existing(folder)
    paths: list[str] = []
    classes: list[str] = []
    for class_folder in sorted(root.iterdir()):
        if not class_folder.is_dir() or _is_hidden(class_folder.name):
            continue
        if not class_folder.name.isprintable():
            raise ValueError(
                f"the class folder {file_name(class_folder)} must have a name that can be printed, "
                "since it is the class. Rename it."
            )
        files = files_below(class_folder)
        if len(files) < least:
            got = f"{len(files)}, {file_name(files[0])}" if files else "none"
            raise ValueError(
                f"the class folder {file_name(class_folder)} must hold at least {least} picture"
                f"{'s' if least > 1 else ''}. Got {got}. Add pictures, or remove the folder."
            )
        paths += files
        classes += [class_folder.name] * len(files)
    if not paths:
        raise ValueError(
            f"{file_name(folder)} must hold one folder a class, with its pictures in it. Got no "
            "folder. Move the pictures into folders that are named after their classes."
        )
    return paths, classes


def files_below(folder: str | os.PathLike[str]) -> list[str]:
    """The paths of all files in `folder` and in the folders below, hidden ones left out."""
    found: list[Path] = []
    walked: set[str] = set()
    for here, below, files in os.walk(_existing(folder), followlinks=True):
        real = os.path.realpath(here)
        below[:] = [] if real in walked else [name for name in below if not _is_hidden(name)]
        if real in walked:  # by a link, which may lead round in a circle
            continue
        walked.add(real)
        found += [Path(here, name) for name in files if not _is_hidden(name)]
    return [str(path) for path in sorted(found) if path.is_file()]


def _existing(folder: str | os.PathLike[str]) -> Path:
    root = Path(folder)
    if not root.exists():
        raise FileNotFoundError(f"the folder {file_name(folder)} does not exist.")
    if not root.is_dir():
        raise NotADirectoryError(f"{file_name(folder)} must be a folder of pictures. Got a file.")
    if not os.access(root, os.R_OK | os.X_OK):
        raise PermissionError(
            f"the folder {file_name(folder)} may not be read. Change its permissions first."
        )
    return root


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name.lower() in _HIDDEN
