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

_COLUMNS = ("path", "file", "filename", "image", "picture")
_DOWN, _ACROSS = 4, 6  # pictures drawn


def takes_pictures(model: Any) -> bool:
    """Whether a `model` that has learned its input was trained on pictures."""
    return hasattr(model, "pictures_") and len(model._input.shape) == 3


def paths_in(frame: Any, source: str) -> list[str] | None:
    """The paths in a table of the file `source`; None if it has no column of text.

    The column is named path, file, filename, image or picture, or is the only one of text. Paths
    that are not absolute begin at the table's own folder.

    Raises
    ------
    ValueError
        If it is not clear which column is meant, or a row has no path.
    """
    import narwhals as nw

    table = nw.from_native(frame, eager_only=True)
    texts = [name for name, kind in table.schema.items() if kind in (nw.String, nw.Object)]
    named = [name for name in texts if name.lower() in _COLUMNS]
    if not texts:
        return None
    if len(named or texts) > 1:
        raise ValueError(
            f"'{source}' must have one column with the paths of pictures. Got "
            f"{', '.join(map(repr, named or texts))}. Name it 'path'."
        )
    (name,) = named or texts
    values = table[name].to_list()
    for row, value in enumerate(values):
        if not isinstance(value, str):
            raise ValueError(
                f"column {shown(name)} of '{source}' must have a path in every row. Got none in "
                f"{row_words(row)}. Remove such rows."
            )
    folder = Path(source).parent
    return [os.path.join(folder, value) for value in values]


def is_text(frame: Any, source: str) -> bool:
    """Whether the one column of a table is text to learn from, and not paths of pictures."""
    import narwhals as nw

    from pellucid.data.tokens import is_text, names_pictures

    (name, *others) = nw.from_native(frame, eager_only=True).columns
    if others or name.lower() in _COLUMNS or not is_text(frame):
        return False
    texts = nw.from_native(frame, eager_only=True)[name].to_list()
    folder = Path(source).parent
    return not names_pictures(
        [os.path.join(folder, text) for text in texts if isinstance(text, str)]
    )


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
    paths = paths_in(frame, source)
    if paths is None:
        raise ValueError(f"'{source}' must have a column with the paths of pictures. Got none.")
    return paths


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


def draw_mistakes(model: Any, paths: list[str], truth: np.ndarray, path: str) -> int:
    """Draw the pictures whose class `model` got wrong, the most probable first; return how many.

    Where there is room, those that it got right follow, the least probable first.
    """
    reading = model._read(paths)
    predicted, shares = model.predict(reading), model.predict_proba(reading).max(axis=1)
    wrong = np.flatnonzero(predicted != truth)
    order = np.argsort(np.where(predicted != truth, -1 - shares, shares), kind="stable")
    figure = figures.new_figure("--mistakes", 1.5 * _ACROSS, 1.9 * _DOWN + 0.6)
    axes = figure.subplots(_DOWN, _ACROSS).reshape(-1)
    for axis in axes:
        axis.set_axis_off()
    for axis, index in zip(axes, order, strict=False):
        axis.imshow(_drawable(paths[index]), interpolation="nearest")
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
    return len(wrong)


def _short(label: Any) -> str:
    return figures.short(label, 10)


def _drawable(path: str) -> np.ndarray:
    """A picture's red, green and blue, from 0 to 1."""
    from pellucid.data.pictures import read_header, read_picture

    pixels = read_picture(path, read_header(path), resizes=False, converts=False)
    low, high = {np.uint8: (0, 255), np.uint16: (0, 65535)}.get(
        pixels.dtype.type, (pixels.min(), pixels.max())
    )
    shares = (pixels - np.float64(low)) / max(high - low, 1e-30)
    return np.broadcast_to(shares, (*shares.shape[:2], 3))
