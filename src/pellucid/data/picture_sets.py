"""Many pictures: taken from X, read by threads, and their levels counted."""

from __future__ import annotations

import os
import threading
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import islice
from typing import Any

import numpy as np

from pellucid.callers import one_of_many_fits
from pellucid.checks import file_name, one_line, warn
from pellucid.data.column_values import plain_array
from pellucid.data.pictures import PictureError, is_picture
from pellucid.data.scaling import Standardiser
from pellucid.rows.pictures import THREADS
from pellucid.rows.workers import Workers

_AHEAD = 8 * THREADS  # pictures that are read before they are asked for


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
        f"{_which(position, sources)} cannot be used: {error.reason}. {error.way_out or way_out}."
    )


def _which(position: int, sources: Sequence[Any]) -> str:
    """``picture 17 of 200, 'data/017.jpg',``."""
    source = sources[position]
    name = f", {file_name(source)}," if isinstance(source, (str, os.PathLike)) else ""
    return f"picture {position + 1} of {len(sources)}{name}"


def read_all(
    read: Callable[[int], Any],
    positions: Sequence[int],
    sources: Sequence[Any],
    task: str,
    verbose: int,
) -> Generator[Any, None, None]:
    """``read(position)`` for all positions in order, or the PictureError that it raised.

    Several threads read, since Pillow decodes outside Python's lock; a terminal shows a bar. What
    Pillow warns of on the way, such as damaged EXIF data, is one warning at the end.
    """
    from tqdm import tqdm

    current = threading.local()
    warned: dict[int, str] = {}

    def outcome(position: int) -> Any:
        current.position = position
        try:
            return read(position)
        except PictureError as error:
            return error

    bar = tqdm(
        desc=task, total=len(positions), leave=False,
        disable=None if verbose and not one_of_many_fits() else True,
        delay=0.5, unit="picture", dynamic_ncols=True,
    )  # fmt: skip
    with _warnings_kept(current, warned), bar, Workers(THREADS) as workers:
        rest = iter(positions)
        ahead = deque(workers.submit(partial(outcome, place)) for place in islice(rest, _AHEAD))
        while ahead:
            result = ahead.popleft().result()
            ahead.extend(workers.submit(partial(outcome, place)) for place in islice(rest, 1))
            bar.update()
            yield result
    if warned:
        first = min(warned)
        others = f" (and of {len(warned) - 1} more)" if len(warned) > 1 else ""
        warn(
            f"{_which(first, sources)} can be used, but Pillow warns of it{others}: "
            f"{one_line(warned[first])}."
        )


@contextmanager
def _warnings_kept(current: Any, warned: dict[int, str]) -> Iterator[None]:
    """Keep the first warning about each picture, of threads that have a `current` position.

    Those of all other threads go where they went before.
    """
    with warnings.catch_warnings():
        show = warnings.showwarning

        def keep(message: Warning | str, *args: Any, **options: Any) -> None:
            position = getattr(current, "position", None)
            if position is None:
                show(message, *args, **options)
            else:
                warned.setdefault(position, str(message))

        warnings.filterwarnings("always", category=UserWarning, module=r"PIL\.")
        # a bomb is the picture's fault, unless the user has a filter for it
        bomb = r"Image size \(\d+ pixels\) exceeds limit"
        warnings.filterwarnings("error", bomb, RuntimeWarning, append=True)
        warnings.showwarning = keep
        yield


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

    def standardiser(self) -> Standardiser:
        """Means and deviations of the channels."""
        values = np.arange(self.counts.shape[1], dtype=np.float64)[:, None]
        parts = [Standardiser().fit(values, counts).arrays() for counts in self.counts]
        return Standardiser.from_arrays(
            {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}, len(parts)
        )
