"""Many pictures: taken from X, read by threads, and their levels counted."""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Callable, Collection, Generator, Sequence
from functools import partial
from itertools import islice
from typing import Any

import numpy as np

from pellucid.callers import one_of_many_fits
from pellucid.checks import file_name, one_line, warn
from pellucid.data.column_values import plain_array
from pellucid.data.pictures import PictureError, is_picture
from pellucid.data.pillow_warnings import heard
from pellucid.data.scaling import Standardiser
from pellucid.rows.pictures import decoding_threads
from pellucid.rows.workers import Workers

_NAMED = 5  # at most so many of the pictures left out are named
_AHEAD = 8  # pictures a thread that are read before they are asked for


def sources_in(X: Any) -> list[Any] | None:
    """The pictures in a list or column of paths, of Pillow's images, or of arrays that differ.

    None if `X` is something else, such as one array.
    """
    import narwhals as nw

    if nw.dependencies.is_into_dataframe(X):
        frame = nw.from_native(X, eager_only=True)
        if list(frame.schema.values()) not in ([nw.String], [nw.Object]):
            return None
        X = frame[frame.columns[0]].to_list()
    values = plain_array(X)
    if isinstance(values, np.ndarray):
        if values.ndim != 1 or values.dtype.kind not in "OUT":
            return None
    elif not isinstance(values, (list, tuple)):
        return None
    if any(map(is_picture, values)):
        return [value if is_picture(value) else plain_array(value) for value in values]
    arrays = [plain_array(value) for value in values]
    if all(isinstance(array, np.ndarray) and array.ndim in (2, 3) for array in arrays):
        both = {array.dtype for array in arrays} >= {np.dtype(np.uint8), np.dtype(np.uint16)}
        if len({array.shape for array in arrays}) > 1 or both:  # else they make up one array
            return arrays
    return None


def fault(position: int, sources: Sequence[Any], error: PictureError, way_out: str) -> ValueError:
    """The sentence for one picture of many: which, why, and the way out."""
    return ValueError(
        f"{which(position, sources)} cannot be used: {error.reason}. {error.way_out or way_out}."
    )


def which(position: int, sources: Sequence[Any]) -> str:
    """``picture 17 of 200, 'data/017.jpg',``."""
    name = f", {short_name(position, sources)}," if is_path(sources[position]) else ""
    return f"picture {position + 1} of {len(sources)}{name}"


def short_name(position: int, sources: Sequence[Any]) -> str:
    """``'data/017.jpg'``; of what is no file ``picture 17``."""
    source = sources[position]
    return file_name(source) if is_path(source) else f"picture {position + 1}"


def left_out_words(wrong: Sequence[str], count: int) -> str:
    """``2 of 30 pictures cannot be used and are left out: ...``, the first of them by name."""
    verb = "is" if len(wrong) == 1 else "are"
    more = f"; and {len(wrong) - _NAMED:,} more" if len(wrong) > _NAMED else ""
    named = "; ".join(wrong[:_NAMED])
    return f"{len(wrong):,} of {count:,} pictures cannot be used and {verb} left out: {named}{more}"


def is_path(source: Any) -> bool:
    """Whether a source is the path of a file."""
    return isinstance(source, (str, os.PathLike))


class PictureWarnings:
    """What is odd about pictures that can be used: what Pillow warns of, such as damaged EXIF data.

    The same warning of many pictures is one, with their number and the first of them. It is told
    once, however often they are read.

    Parameters
    ----------
    sources : sequence
        The pictures.
    """

    def __init__(self, sources: Sequence[Any]) -> None:
        self._sources = sources
        self._pictures: dict[str, dict[int, str]] = {}  # by a warning's words without numbers
        self._told: set[str] = set()

    def add(self, position: int, message: str) -> None:
        """Keep a warning of one picture, which follows its name and a colon."""
        words = re.sub(r"[0-9]+", "#", message)
        self._pictures.setdefault(words, {}).setdefault(position, message)

    def add_of_pillow(self, position: int, message: str) -> None:
        """Keep what Pillow warns of about one picture."""
        self.add(position, f"Pillow warns: {one_line(message).rstrip('.')}")

    def tell(self, left_out: Collection[int] = ()) -> None:
        """Warn of what has not been told yet, but for pictures that are `left_out` anyway."""
        for words, kept in self._pictures.items():
            pictures = {place: said for place, said in kept.items() if place not in left_out}
            if pictures and words not in self._told:
                first = min(pictures)
                others = f" and {len(pictures) - 1:,} more" if len(pictures) > 1 else ""
                warn(f"{which(first, self._sources).rstrip(',')}{others}: {pictures[first]}.")
        self._told.update(self._pictures)


def read_all(
    read: Callable[[int], Any],
    positions: Sequence[int],
    warned: PictureWarnings,
    task: str,
    verbose: int,
) -> Generator[Any, None, None]:
    """``read(position)`` for all positions in order, or the PictureError that it raised.

    Several threads read, since Pillow decodes outside Python's lock; a terminal shows a bar. What
    Pillow warns of on the way is kept, to be told by the caller.
    """
    from tqdm import tqdm

    def outcome(position: int) -> Any:
        with heard(partial(warned.add_of_pillow, position)):
            try:
                return read(position)
            except PictureError as error:
                return error.bare

    bar = tqdm(
        desc=task, total=len(positions), leave=False,
        disable=None if verbose and not one_of_many_fits() else True,
        delay=0.5, unit="picture", dynamic_ncols=True,
    )  # fmt: skip
    threads = decoding_threads()
    with bar, Workers(threads) as workers:
        rest = iter(positions)
        ahead = deque(
            workers.submit(partial(outcome, place)) for place in islice(rest, _AHEAD * threads)
        )
        while ahead:
            result = ahead.popleft().result()
            ahead.extend(workers.submit(partial(outcome, place)) for place in islice(rest, 1))
            bar.update()
            yield result


class Counts:
    """How often each level occurs in each channel."""

    def __init__(self, levels: int, channels: int) -> None:
        self.counts = np.zeros((channels, levels))

    def of(self, pixels: np.ndarray) -> np.ndarray:
        """The counts of some pixels (..., C), not yet added."""
        levels = self.counts.shape[1]
        channels = pixels.reshape(-1, len(self.counts)).T
        return np.stack([np.bincount(channel, minlength=levels) for channel in channels])

    def add(self, counts: np.ndarray, weight: float = 1.0) -> None:
        """Add what :meth:`of` gave, `weight` times."""
        self.counts += weight * counts

    @property
    def range(self) -> tuple[int, int]:
        """The lowest and the highest level that occurs."""
        levels = np.flatnonzero(self.counts.any(axis=0))
        return int(levels[0]), int(levels[-1])

    def standardiser(self) -> Standardiser:
        """Means and deviations of the channels."""
        values = np.arange(self.counts.shape[1], dtype=np.float64)[:, None]
        parts = [Standardiser().fit(values, counts).arrays() for counts in self.counts]
        return Standardiser.from_arrays(
            {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}, len(parts)
        )
