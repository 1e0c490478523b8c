"""What every formula asks of its arrays: float64, and shapes that fit one another."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pellucid.checks import fault

Float64Array = NDArray[np.float64]


def float64(x: ArrayLike) -> Float64Array:
    """`x` as an array of float64, the precision of every formula."""
    return np.asarray(x, dtype=np.float64)


def require_shape(
    name: str, owner: str, array: NDArray, expected: tuple[int | str, ...], way_out: str = ""
) -> None:
    """Refuse `array` unless its shape is `expected`; a letter stands for any size."""
    fits = len(expected) == array.ndim and all(
        isinstance(size, str) or size == got
        for size, got in zip(expected, array.shape, strict=True)
    )
    if not fits:
        sizes = ", ".join(str(size) for size in expected)
        shape = f"({sizes},)" if len(expected) == 1 else f"({sizes})"
        raise ValueError(fault(name, owner, f"an array of shape {shape}", array.shape, way_out))
