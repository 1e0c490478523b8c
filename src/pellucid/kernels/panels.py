"""How matrices rest in memory: activations in padded rows, weights in packed panels.

A panel holds 128 bytes' worth of neighbouring columns, row under row, so that the tile reads
weights as one stream. The last panel is half as wide where that suffices. Columns that pad a panel
or a row are zero and stay zero.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid.kernels.target import target

PANEL_BYTES = 128
HALF_PANEL_BYTES = PANEL_BYTES // 2  # a cache line, and the widest vector register
# 16 registers hold 6 x 2 sums, two vectors of b and one of a; 32 registers hold 8 x 2 and more
TILE_ROWS = 8 if target().vector_bytes == 64 else 6
# So many rows of a panel stay in the L1 cache while the rows of a product's other matrix pass.
DEPTH, GRADIENT_DEPTH = 256, 128


def stored_columns(columns: int, dtype: Any) -> int:
    """`columns` rounded up to whole half panels."""
    half = HALF_PANEL_BYTES // np.dtype(dtype).itemsize
    return -(-columns // half) * half


def row_length(columns: int, dtype: Any) -> int:
    """The padded length of a row of activations.

    An odd number of cache lines where there are several: rows a power of two apart would fall on
    the same few places of the L1 cache.
    """
    half = HALF_PANEL_BYTES // np.dtype(dtype).itemsize
    lines = -(-columns // half)
    return (lines + 1 - lines % 2 if lines > 1 else lines) * half


def memory_of(size: int) -> np.ndarray:
    """So many bytes of zeros: where all arrays of kernels that are written come from."""
    return np.zeros(size, dtype=np.uint8)


def aligned(size: int, dtype: Any) -> np.ndarray:
    """A vector of zeros that begins at a cache line."""
    dtype = np.dtype(dtype)
    memory = memory_of(size * dtype.itemsize + HALF_PANEL_BYTES)
    skip = -memory.ctypes.data % HALF_PANEL_BYTES
    return memory[skip : skip + size * dtype.itemsize].view(dtype)


def rows_of(count: int, columns: int, dtype: Any) -> np.ndarray:
    """A zero matrix of `count` padded rows."""
    length = row_length(columns, dtype)
    return aligned(count * length, dtype).reshape(count, length)


def panel_slices(rows: int, columns: int, dtype: Any) -> list[tuple[slice, slice, int]]:
    """Each panel's columns in the matrix, its place in the packed vector, and its width there."""
    half = HALF_PANEL_BYTES // np.dtype(dtype).itemsize
    slices = []
    for begin in range(0, columns, 2 * half):
        count = min(2 * half, columns - begin)
        width = 2 * half if count > half else half
        slices.append(
            (slice(begin, begin + count), slice(rows * begin, rows * (begin + width)), width)
        )
    return slices


def pack(matrix: np.ndarray, packed: np.ndarray) -> None:
    """Write `matrix` (R, C) into the vector `packed`, panel by panel."""
    rows, count = matrix.shape
    for columns, place, width in panel_slices(rows, count, packed.dtype):
        panel = packed[place].reshape(rows, width)
        panel[:] = 0
        panel[:, : columns.stop - columns.start] = matrix[:, columns]


def unpack(packed: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """The matrix (rows, columns) that `pack` wrote."""
    matrix = np.empty((rows, columns), dtype=packed.dtype)
    for part, place, width in panel_slices(rows, columns, packed.dtype):
        matrix[:, part] = packed[place].reshape(rows, width)[:, : part.stop - part.start]
    return matrix
