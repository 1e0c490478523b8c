"""What an X of pictures or signals is, before an encoder learns from it or encodes it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from pellucid.checks import file_name, row_words, shown, warn
from pellucid.data.column_values import plain_array
from pellucid.data.folders import files_below
from pellucid.data.picture_sets import PictureWarnings, read_all
from pellucid.data.pictures import PictureError, read_header

_COLOURS = (1, 3, 4)  # how many channels pictures usually have


@dataclass(eq=False)
class Sources:
    """Pictures or signals: one array of rows with channels last, or a list of pictures' sources.

    `names` are the columns' names of a table of signals. In `faults` stands why pictures cannot be
    used, by position, where that is no error: their rows are then black. Those that are `right`
    have numbers like those of training; of both, an array then holds what was decoded of a list.
    """

    array: np.ndarray | None = None
    listed: Sequence[Any] = ()
    names: list[str] | None = None
    faults: dict[int, PictureError] | None = None
    right: bool = False
    _headers: list[Any] | None = field(default=None, init=False)

    @cached_property
    def pictures(self) -> Sequence[Any]:
        """The pictures one by one."""
        return self.listed if self.array is None else list(self.array)

    @cached_property
    def warned(self) -> PictureWarnings:
        """What Pillow warns of while they are read."""
        return PictureWarnings(self.pictures)

    def headers(self, verbose: int) -> list[Any]:
        """The header of each picture, or the error; they are read once."""
        if self._headers is None:
            pictures = self.pictures
            task, positions = "looking at pictures", range(len(pictures))
            headers = read_all(
                lambda i: read_header(pictures[i]), positions, self.warned, task, verbose
            )
            self._headers = list(headers)
        return self._headers


def pictures_below(owner: str, folder: str | os.PathLike[str]) -> list[str]:
    """The paths of all pictures in a folder and those below, in the order of their names."""
    if os.path.isfile(folder):
        raise ValueError(
            f"X of {owner} must be pictures, a list of their paths, or a folder. Got the one file "
            f"{file_name(folder)}. Pass [X]."
        )
    paths = files_below(folder)
    if not paths:
        raise ValueError(
            f"X of {owner} must be a folder with pictures in it. Got {file_name(folder)}, which "
            "has none."
        )
    return paths


def stacked(owner: str, X: Any) -> Any:
    """`X` as an array where it is one, or a list of arrays of one shape; a DataFrame as it is."""
    import narwhals as nw

    if nw.dependencies.is_into_dataframe(X):
        return X
    array = plain_array(X)
    if not isinstance(array, (list, tuple)) or not len(array):
        return array
    unequal = (
        f"X of {owner} must be arrays of one shape, or pictures of several sizes with one number "
        "of channels. "
    )
    try:
        rows = [np.asarray(plain_array(row)) for row in array]
    except ValueError:  # lists of lists of unequal lengths
        raise ValueError(f"{unequal}Got lists of unequal lengths. Make an array of each.") from None
    if any(row.dtype.kind not in "biuf" for row in rows) or not any(row.ndim for row in rows):
        return array  # which is no picture, and of which a table tells more
    odd = next((i for i, row in enumerate(rows) if row.shape != rows[0].shape), None)
    if odd is not None:
        raise ValueError(
            f"{unequal}Got one of shape {rows[0].shape} and, in row {odd}, of {rows[odd].shape}."
        )
    return np.stack(rows) if rows[0].ndim >= 2 else array


def is_one_picture(array: np.ndarray) -> bool:
    """Whether an array is one picture, as a header would say."""
    shaped = array.ndim in (2, 3) and array.size and array.dtype.kind in "biuf"
    return bool(shaped and (array.dtype.kind != "f" or np.isfinite(array).all()))


def look_at_axes(owner: str, array: np.ndarray) -> None:
    """Warn of pictures that seem to have their channels first."""
    _, first, height, last = array.shape
    if first in _COLOURS and last not in _COLOURS and height > max(_COLOURS):
        warn(
            f"X of {owner} of shape {array.shape} is read as pictures of {first} x {height} pixels "
            f"with {last} channels. If the channels come first, as in PyTorch, pass "
            "X.transpose(0, 2, 3, 1)."
        )


def check_finite(owner: str, array: np.ndarray) -> None:
    """Refuse an array with NaN or infinity in it."""
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        row = int(np.argmin(np.isfinite(array.reshape(len(array), -1)).all(axis=1)))
        raise ValueError(f"X of {owner} must be finite. Got NaN or infinity in {row_words(row)}.")


def size_of(size: Any, owner: str) -> tuple[int, int] | None:
    """`image_size` as (height, width)."""
    if size is None:
        return None
    both = size if isinstance(size, (tuple, list)) else (size, size)
    whole = (isinstance(n, (int, np.integer)) and not isinstance(n, bool) for n in both)
    if len(both) != 2 or not all(whole) or min(both) < 1:
        raise ValueError(
            f"image_size of {owner} must be a positive integer, or two: (height, width). "
            f"Got {shown(size)}."
        )
    return int(both[0]), int(both[1])
