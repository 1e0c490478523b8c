"""What kernel tests share: padded operands, tolerances, the sizes at which tiles go wrong."""

from __future__ import annotations

import itertools

import numpy as np

from pellucid.kernels.panels import aligned, row_length, rows_of, stored_columns

SIZES = (1, 7, 8, 9, 31, 33, 100)
DTYPES = ("float32", "float64")
TOLERANCE = {"float32": 1e-5, "float64": 1e-12}


def shapes(rank: int) -> list[tuple[int, ...]]:
    """Every size in every dimension, beside every other size in the next one."""
    pairs = list(itertools.product(SIZES, repeat=2))
    if rank == 2:
        return pairs
    return [
        (a, b, SIZES[(3 * i + j) % len(SIZES)]) for i, (a, b) in enumerate(pairs) for j in (0, 1)
    ]


def padded(matrix: np.ndarray, dtype: str) -> np.ndarray:
    """`matrix` in padded rows, as kernels take it."""
    found = rows_of(*matrix.shape, dtype)
    found[:, : matrix.shape[1]] = matrix
    return found


def empty(rows: int, columns: int, dtype: str) -> np.ndarray:
    """Padded rows of zeros."""
    return rows_of(rows, columns, dtype)


def padded_vector(vector: np.ndarray, dtype: str) -> np.ndarray:
    """`vector` padded to whole half panels."""
    found = aligned(stored_columns(vector.size, dtype), dtype)
    found[: vector.size] = vector
    return found


def assert_close(found: np.ndarray, expected: np.ndarray, dtype: str) -> None:
    """Equal to the type's tolerance, relative to the largest expected value."""
    scale = max(1.0, float(np.abs(expected).max(initial=0.0)))
    np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE[dtype] * scale)


def assert_padding_zero(matrix: np.ndarray, columns: int) -> None:
    """What lies beyond the columns must stay zero: products read it."""
    assert not matrix[:, columns:].any()


__all__ = [
    "DTYPES", "SIZES", "assert_close", "assert_padding_zero", "empty", "padded", "padded_vector",
    "row_length", "shapes",
]  # fmt: skip
