"""Pictures at the command line: in folders or named by tables, and wrong predictions drawn."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from pellucid import figures
from pellucid.checks import row_words, shown
from pellucid.data.tokens import ends_as_pictures, names_pictures

_COLUMNS = ("path", "file", "filename", "image", "picture")
_LOOKED_AT = 100  # paths that tell what a column holds
_DOWN, _ACROSS = 4, 6  # pictures drawn
_DRAWN = 160  # pixels of their longer side


def takes_pictures(model: Any) -> bool:
    """Whether a `model` that has learned its input was trained on pictures."""
    return hasattr(model, "pictures_") and len(model._input.shape) == 3


def path_column(frame: Any, source: str, certain: bool = False) -> str | None:
    """The column with paths of pictures in a table of the file `source`; None if none is of text.

    It is the one of which most texts are files that are there; else the one named path, file,
    filename, image or picture, or whose texts end as pictures' names do, or the only one of text.
    Where it is to be `certain`, it is the first of these, of files that end as pictures do.

    Raises
    ------
    ValueError
        If it is not clear which column is meant.
    """
    folder, texts = Path(source).parent, _texts(frame)
    paths = {name: _joined(folder, values[:_LOOKED_AT]) for name, values in texts.items()}
    there = [name for name, some in paths.items() if 2 * sum(map(os.path.isfile, some)) > len(some)]
    ending = [name for name, some in paths.items() if ends_as_pictures(some)]
    if certain:
        there = [name for name in there if name in ending]
        if not there:
            return None
    elif not texts:
        return None
    found = there or list(texts)
    named = [name for name in found if name.lower() in _COLUMNS]
    if not there:
        found = named or ending or found
    elif len(named) == 1:
        found = named
    if len(found) > 1:
        raise ValueError(
            f"'{source}' must have one column with the paths of pictures. Got "
            f"{', '.join(map(repr, found))}. Name it 'path'."
        )
    return found[0]


def _texts(frame: Any) -> dict[str, list[Any]]:
    """The columns of text, and their values."""
    import narwhals as nw

    table = nw.from_native(frame, eager_only=True)
    kinds = table.schema.items()
    return {name: table[name].to_list() for name, kind in kinds if kind in (nw.String, nw.Object)}


def _joined(folder: Path, values: Iterable[Any]) -> list[str]:
    return [os.path.join(folder, value) for value in values if isinstance(value, str)]


def paths_of(frame: Any, name: str, source: str) -> list[str]:
    """The paths in a column; those that are not absolute begin at the table's own folder.

    Raises
    ------
    ValueError
        If a row has none.
    """
    import narwhals as nw

    values = nw.from_native(frame, eager_only=True)[name].to_list()
    for row, value in enumerate(values):
        if not isinstance(value, str):
            raise ValueError(
                f"column {shown(name)} of '{source}' must have a path in every row. Got none in "
                f"{row_words(row)}. Remove such rows."
            )
    return _joined(Path(source).parent, values)


def is_text(frame: Any, source: str) -> bool:
    """Whether the one column of a table is text to learn from, and not paths of pictures."""
    import narwhals as nw

    from pellucid.data.tokens import is_text

    (name, *others) = nw.from_native(frame, eager_only=True).columns
    if others or name.lower() in _COLUMNS or not is_text(frame):
        return False
    return not names_pictures(_joined(Path(source).parent, _texts(frame)[name]))


def to_predict(
    data: str,
    targets: Collection[str] = (),
    encoding: str | None = None,
    keep: Collection[str] = (),
) -> tuple[list[str], Any]:
    """The pictures that `data` names: a picture, all of a folder, or those of a table; the table.

    The columns `targets` and `keep` of a table are not taken for paths.

    Raises
    ------
    ValueError
        If there are none.
    """
    import narwhals as nw

    from pellucid.data import files_below, is_table, read_table

    if Path(data).is_dir():
        paths = files_below(data)
        if not paths:
            raise ValueError(f"the folder '{data}' must hold pictures. Got none.")
        return paths, None
    if not is_table(data):
        return [data], None
    frame = read_table(data, text=keep, encoding=encoding)
    table = nw.from_native(frame, eager_only=True)
    others = [name for name in (*targets, *keep) if name.lower() not in _COLUMNS]
    return needed_paths(table.drop(others, strict=False).to_native(), data), frame


def needed_paths(frame: Any, source: str) -> list[str]:
    """The paths in a table; a ValueError if it has no column of them."""
    name = path_column(frame, source)
    if name is None:
        raise ValueError(f"'{source}' must have a column with the paths of pictures. Got none.")
    return paths_of(frame, name, source)


def repeated(first: Iterable[str], second: Iterable[str]) -> int:
    """How many of the `second` files hold the bytes of one of the `first`.

    Only those are read of which another has the same size.
    """
    of_size: dict[int, list[str]] = {}
    for path in first:
        of_size.setdefault(_size(path), []).append(path)
    content: dict[int, set[str]] = {}
    count = 0
    for path in second:
        size = _size(path)
        if size in of_size:
            if size not in content:
                content[size] = set(map(_digest, of_size[size])) - {""}
            count += _digest(path) in content[size]
    return count


def _size(path: str) -> int:
    """A file's size, 0 of one that cannot be read."""
    try:
        return os.path.getsize(path)
    except OSError:
        return 0


def _digest(path: str) -> str:
    """SHA-256 of a file, empty of one that cannot be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def draw_mistakes(model: Any, reading: Any, paths: list[str], truth: np.ndarray, path: str) -> str:
    """Draw the pictures whose class `model` got wrong, the most probable first; words on it.

    Where there is room, those that it got right follow, the least probable first.
    """
    from pellucid.data.pictures import thumbnail
    from pellucid.data.pillow_warnings import heard

    predicted, shares = model.predict(reading), model.predict_proba(reading).max(axis=1)
    wrong = np.flatnonzero(predicted != truth)
    order = np.argsort(np.where(predicted != truth, -1 - shares, shares), kind="stable")
    down = min(_DOWN, -(-len(paths) // _ACROSS))
    figure = figures.new_figure("--mistakes", 1.5 * _ACROSS, 1.9 * down + 0.6)
    axes = figure.subplots(down, _ACROSS).reshape(-1)
    for axis in axes:
        axis.set_axis_off()
    for axis, index in zip(axes, order, strict=False):
        with heard(lambda message: None):  # which was told when it was read
            picture = thumbnail(paths[index], _DRAWN)
        axis.imshow(picture, interpolation="nearest")
        name = os.path.basename(paths[index])
        fails = predicted[index] != truth[index]
        axis.set_title(
            f"{_short(predicted[index])}{f', not {_short(truth[index])}' if fails else ''}\n"
            f"{shares[index]:.0%}  {figures.short(name, 14)}",
            fontsize=8,
            color="firebrick" if fails else "dimgrey",
        )
    title = f"{len(wrong):,} of {len(paths):,} wrong; then the right ones least sure"
    figures.finish(figure, path, title)
    drawn = min(len(wrong), len(axes))
    of = "" if drawn == len(wrong) else f" of {len(wrong):,}"
    if not drawn:
        return "No answer is wrong; the right ones least sure are"
    return f"{drawn:,}{of} wrong answer{'s' if len(wrong) > 1 else ''}"


def _short(label: Any) -> str:
    return figures.short(label, 10)
