"""Many pictures: found in what the user has, read by threads, counted, decoded when wanted."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

import numpy as np

from pellucid.data.columns import plain_array
from pellucid.data.pictures import Header, PictureError, is_picture, read_picture
from pellucid.data.scaling import Standardiser

THREADS = 4  # more decode no faster: what they hand over is Python's
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
        return [each if is_picture(each) else plain_array(each) for each in values]
    arrays = [plain_array(each) for each in values]
    if all(isinstance(each, np.ndarray) and each.ndim in (2, 3) for each in arrays):
        levels = {each.dtype for each in arrays} >= {np.dtype(np.uint8), np.dtype(np.uint16)}
        if len({each.shape for each in arrays}) > 1 or levels:  # else they are one array
            return arrays
    return None


def fault(position: int, sources: Sequence[Any], error: PictureError, way_out: str) -> ValueError:
    """The sentence for one picture of many: which, why, and the way out."""
    source = sources[position]
    name = f", '{os.fspath(source)}'," if isinstance(source, (str, os.PathLike)) else ""
    return ValueError(
        f"picture {position + 1} of {len(sources)}{name} cannot be used: {error.reason}. "
        f"{error.way_out or way_out}."
    )


def read_all(
    read: Callable[[int], Any], positions: Sequence[int], task: str, verbose: int
) -> Generator[Any, None, None]:
    """``read(position)`` of each, in order, by several threads, or its PictureError.

    Pillow decodes outside Python's lock. On a terminal a bar shows how far it is.
    """
    from tqdm import tqdm

    def one(position: int) -> Any:
        try:
            return read(position)
        except PictureError as error:
            return error

    bar = tqdm(
        desc=task, total=len(positions), leave=False, disable=None if verbose else True,
        delay=0.5, unit="picture", dynamic_ncols=True,
    )  # fmt: skip
    with bar, ThreadPoolExecutor(THREADS, thread_name_prefix="pellucid-pictures") as pool:
        rest = iter(positions)
        ahead = deque(pool.submit(one, each) for each in islice(rest, _AHEAD))
        while ahead:
            found = ahead.popleft().result()
            ahead.extend(pool.submit(one, each) for each in islice(rest, 1))
            bar.update()
            yield found


class Pictures:
    """Pictures as levels, in memory or decoded when wanted, and what the levels mean.

    Parameters
    ----------
    table : ndarray of shape (256 or 65536, C)
        The number that each level of each channel stands for.
    levels : ndarray of shape (N, H, W, C) and type uint8 or uint16, optional
        The pixels, where they are in memory.
    sources : sequence, optional
        Where they come from, where they are not.
    wanted : Header, optional
        What each is to become.
    resizes, converts : bool
        As in :func:`read_picture`.
    positions : ndarray of int64, optional
        Which of `sources` are meant; by default all.
    """

    def __init__(
        self,
        table: np.ndarray,
        levels: np.ndarray | None = None,
        sources: Sequence[Any] = (),
        wanted: Header | None = None,
        resizes: bool = False,
        converts: bool = False,
        positions: np.ndarray | None = None,
    ) -> None:
        self.table, self.levels, self.sources = table, levels, sources
        self._wanted, self._resizes, self._converts = wanted, resizes, converts
        self._positions = np.arange(len(sources)) if positions is None else positions
        self.dtype = np.dtype(np.uint8 if len(table) == 256 else np.uint16)

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, H, W, C)."""
        if self.levels is not None:
            return self.levels.shape
        assert self._wanted is not None
        return (len(self._positions), *self._wanted.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> Pictures:
        """Some of them."""
        if self.levels is not None:
            return Pictures(self.table, np.ascontiguousarray(self.levels[index]))
        return Pictures(
            self.table, None, self.sources, self._wanted, self._resizes, self._converts,
            self._positions[index],
        )  # fmt: skip

    def read(self, index: int) -> np.ndarray:
        """The levels of one, of shape (H, W, C).

        Raises
        ------
        ValueError
            If its file can no longer be read.
        """
        if self.levels is not None:
            return self.levels[index]
        assert self._wanted is not None
        position = int(self._positions[index])
        try:
            return read_picture(self.sources[position], self._wanted, self._resizes, self._converts)
        except PictureError as error:
            raise fault(position, self.sources, error, "Put it right") from error

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        """All of them as the network sees them."""
        levels = self.levels
        if levels is None:
            levels = np.empty(self.shape, dtype=self.dtype)
            for index in range(len(self)):
                levels[index] = self.read(index)
        return np.asarray(self.table[levels, np.arange(self.shape[-1])], dtype=dtype)


class Counts:
    """How often each level comes in each channel: sums of whole numbers, whose order is no matter.

    Parameters
    ----------
    levels : int
        256 or 65536.
    channels : int
    """

    def __init__(self, levels: int, channels: int) -> None:
        self.counts = np.zeros((channels, levels))

    def of(self, pixels: np.ndarray) -> np.ndarray:
        """The counts of some pixels (..., C), not yet added."""
        channels, levels = self.counts.shape
        return np.stack(
            [np.bincount(pixels[..., c].reshape(-1), minlength=levels) for c in range(channels)]
        )

    def add(self, counts: np.ndarray, weight: float = 1.0) -> None:
        """Add what :meth:`of` gave, `weight` times."""
        self.counts += weight * counts

    def standardiser(self) -> Standardiser:
        """Means and deviations of the channels."""
        values = np.arange(self.counts.shape[1], dtype=np.float64)[:, None]
        parts = [Standardiser().fit(values, each).arrays() for each in self.counts]
        return Standardiser.from_arrays(
            {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        )
