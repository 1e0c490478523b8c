"""How the pictures of a batch rest in memory: one padded row a picture, channels last.

A flat row of I numbers is a picture of one pixel with I channels, so everything that works on
pictures works on it. Kernels know no heights and widths: they take tables of places (elements from
the beginning of a row), which this file writes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.kernels.panels import stored_columns

Border = tuple[tuple[int, int], tuple[int, int]]  # zeros above and below, left and right
NO_BORDER: Border = ((0, 0), (0, 0))


@dataclass(frozen=True)
class Grid:
    """The places of one picture's pixels in its row.

    Parameters
    ----------
    height, width, channels : int
    pixel : int
        Elements from one pixel to the next: `channels`, or more where the tile writes whole
        half panels.
    border : ((top, bottom), (left, right))
        Rows and columns of zeros around the picture, which a convolution reads as its padding.
    """

    height: int
    width: int
    channels: int
    pixel: int
    border: Border = NO_BORDER

    @property
    def row(self) -> int:
        """Elements from one row of pixels to the next."""
        return (sum(self.border[1]) + self.width) * self.pixel

    @property
    def size(self) -> int:
        """Elements of the whole picture, border included."""
        return (sum(self.border[0]) + self.height) * self.row

    def windows(
        self, outputs: tuple[int, int], stride: tuple[int, int], padding: Border
    ) -> np.ndarray:
        """Where the window of each output begins, in raster order.

        Windows see as much of the border as `padding` says; it may be wider, for other layers.
        """
        top, left = self.border[0][0] - padding[0][0], self.border[1][0] - padding[1][0]
        rows = (np.arange(outputs[0]) * stride[0] + top) * self.row
        return _outer(rows, (np.arange(outputs[1]) * stride[1] + left) * self.pixel)

    def offsets(self, size: tuple[int, int], dilation: tuple[int, int] = (1, 1)) -> np.ndarray:
        """Each position of a window of `size`, from where the window begins."""
        rows = np.arange(size[0]) * dilation[0] * self.row
        return _outer(rows, np.arange(size[1]) * dilation[1] * self.pixel)

    @property
    def pixels(self) -> np.ndarray:
        """Where each pixel of the picture itself begins, in raster order."""
        origin = self.border[0][0] * self.row + self.border[1][0] * self.pixel
        return origin + self.offsets((self.height, self.width))

    @property
    def pixel_rows(self) -> np.ndarray:
        """Where each row of its pixels begins."""
        return np.ascontiguousarray(self.pixels[:: self.width])


def _outer(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray((rows[:, None] + columns).reshape(-1), dtype=np.int64)


def spaced(count: int, stride: int = 1) -> np.ndarray:
    """A table of `count` places, `stride` elements apart."""
    return np.arange(count, dtype=np.int64) * stride


def grid_of(shape: tuple[int, ...], pixel: int = 0, border: Border = NO_BORDER) -> Grid:
    """The grid of a row of `shape`: (I,), (L, C) or (H, W, C); `pixel` 0 leaves no gaps."""
    if len(shape) == 1:
        return Grid(1, 1, shape[0], shape[0])
    height, width, channels = (1, *shape) if len(shape) == 2 else shape
    return Grid(height, width, channels, pixel or channels, border)


def tiled_pixel(channels: int, dtype: Any) -> int:
    """Elements a pixel where the tile writes: whole half panels."""
    return stored_columns(channels, dtype)


def lines(*grids: Grid) -> tuple[list[np.ndarray], int]:
    """The longest runs of numbers that lie side by side in all of `grids`, which hold as many.

    Returns
    -------
    tables : list of ndarray
        For each grid where its runs begin.
    count : int
        The length of a run.
    """
    picture = max(grids, key=lambda grid: grid.height * grid.width)
    if any(grid.pixel != grid.channels for grid in grids):
        parts = picture.height * picture.width
    elif any(grid.border != NO_BORDER for grid in grids):
        parts = picture.height
    else:
        parts = 1
    count = picture.height * picture.width * picture.channels // parts
    return [_parts(grid, parts, count) for grid in grids], count


def _parts(grid: Grid, parts: int, count: int) -> np.ndarray:
    """Where each of `parts` parts of `count` numbers begins."""
    pixels = grid.height * grid.width
    if pixels < parts:  # a flat row beside a picture
        return spaced(parts, count)
    return np.ascontiguousarray(grid.pixels[:: pixels // parts])
