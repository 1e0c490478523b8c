"""What every formula asks of its arrays: float64, and shapes that fit one another."""

from __future__ import annotations

from typing import NamedTuple

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


class Omitted(NamedTuple):
    """How many axes of size 1 an array came without, before its first and behind its last.

    One picture on its own has no axis of the batch, and one of a single channel none of channels:
    (H, W) stands for (1, H, W, 1). What is computed from it lacks the same axes.
    """

    first: int = 0
    last: int = 0

    def add(self, array: NDArray) -> NDArray:
        """`array` with these axes."""
        return array[(*[None] * self.first, ..., *[None] * self.last)]

    def drop(self, array: NDArray) -> NDArray:
        """`array` without them."""
        index: tuple = (*[0] * self.first, ..., *[0] * self.last)
        return array[index]

    def of_shape(self, shape: tuple[int | str, ...]) -> tuple[int | str, ...]:
        """`shape` without them."""
        return shape[self.first : len(shape) - self.last]


def require_samples(
    owner: str, x: Float64Array, axes: tuple[str, ...]
) -> tuple[Float64Array, Omitted]:
    """`x` with all of `axes`, (B, ..., C), and those that it lacked, being one sample."""
    missing = len(axes) - x.ndim  # B, or B and C
    lacking = Omitted(int(missing in (1, 2)), int(missing == 2))
    one = f"({', '.join(axes[1:])})"
    bare = f"({', '.join(axes[1:-1])}{',' * (len(axes) == 3)})"  # (L,) is a tuple of one
    way_out = f"One alone may be {one}, or {bare} if it has one channel."
    require_shape("x", owner, lacking.add(x), axes, way_out)
    return lacking.add(x), lacking


def require_bias(
    name: str, owner: str, b: ArrayLike | None, size: int, way_out: str
) -> Float64Array:
    """The bias `b` (size,), checked; zeros where there is none, and a number where it is one."""
    b = np.zeros(size) if b is None else float64(b)
    if size == 1:
        b = np.atleast_1d(b)
    require_shape(name, owner, b, (size,), way_out)
    return b
