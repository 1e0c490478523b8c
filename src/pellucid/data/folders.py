"""Folders of pictures: which files there are, and of which classes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from pellucid.checks import file_name

_HIDDEN = ("thumbs.db", "desktop.ini")
_PARTS = {  # names of the parts that sets are shipped in
    "train": ("train", "training"),
    "val": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing"),
}


class Split(NamedTuple):
    """A folder whose folders are parts of a set, as ``train/`` and ``test/``, and not classes.

    `to_test` is the test part, or else the one to validate on, or else that to learn from; `unused`
    are the names of parts without class folders.
    """

    to_learn: Path
    to_validate: Path | None
    to_test: Path
    unused: tuple[str, ...]

    @classmethod
    def of(cls, folder: str | os.PathLike[str]) -> Split | None:
        """The parts of `folder`; None where one of its folders has another name."""
        root = _existing(folder)
        parts: dict[str, Path] = {}
        unused = []
        for part in sorted(root.iterdir()):
            if not part.is_dir() or _is_hidden(part.name):
                continue
            kind = next(
                (kind for kind, names in _PARTS.items() if part.name.lower() in names), None
            )
            if kind is None or kind in parts:
                return None
            if any(one.is_dir() and not _is_hidden(one.name) for one in part.iterdir()):
                parts[kind] = part
            elif kind == "train":
                return None
            else:
                unused.append(part.name)
        if "train" not in parts:
            return None
        learn, validate = parts["train"], parts.get("val")
        return cls(learn, validate, parts.get("test") or validate or learn, tuple(unused))

    @property
    def has_test(self) -> bool:
        """Whether there is another part to test on."""
        return self.to_test != self.to_learn

    @property
    def note(self) -> str:
        """What is learned from, and what is not."""
        kept = [f"{self.to_test.name}/ is to test on"] if self.has_test else []
        if self.to_validate is not None and self.to_validate != self.to_test:
            kept.append(f"{self.to_validate.name}/ to validate on")
        kept += [f"{name}/ has no folder a class and is not used" for name in self.unused]
        return ", ".join([f"learned from {self.to_learn.name}/ alone", *kept])


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
    root = _existing(folder)
    return [
        str(path)
        for path in sorted(root.rglob("*"))
        if path.is_file() and not any(map(_is_hidden, path.relative_to(root).parts))
    ]


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
