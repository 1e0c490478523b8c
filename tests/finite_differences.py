"""Gradients by central differences: what every formula is held against.

The stencil has five points, so that its own error falls with h^4: at h = 1e-3 both that and the
rounding of float64 stay far below 1e-7 for functions of a moderate size.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

FULL_GRADIENT_UP_TO = 200  # entries; above, directions and single entries are drawn


def slope(f: Callable[[float], float], h: float = 1e-3) -> float:
    """The derivative of `f` at 0."""
    near, far = f(h) - f(-h), f(2 * h) - f(-2 * h)
    return (8 * near - far) / (12 * h)


def along(f: Callable[[NDArray], float], x: ArrayLike, direction: NDArray, h: float) -> float:
    """The derivative of `f` at `x` along `direction`."""
    x = np.array(x, dtype=np.float64)
    return slope(lambda step: float(f(x + step * direction)), h)


def central_difference(f: Callable[[NDArray], float], x: ArrayLike, h: float = 1e-3) -> NDArray:
    """The whole gradient of `f`, an array -> a number, at `x`, entry by entry."""
    x = np.array(x, dtype=np.float64)
    gradient = np.empty_like(x)
    for index in np.ndindex(x.shape):
        direction = np.zeros_like(x)
        direction[index] = 1
        gradient[index] = along(f, x, direction, h)
    return gradient


def assert_gradient(
    f: Callable[[NDArray], float],
    gradient: ArrayLike,
    x: ArrayLike,
    rtol: float = 1e-7,
    atol: float = 1e-10,
    h: float = 1e-3,
) -> None:
    """Fail unless `gradient` is that of `f` at `x`, to `rtol` of the gradient's largest entry.

    Of a large array, eight entries are compared one by one, and the whole along eight random
    directions, each of which meets every entry.
    """
    x, gradient = np.array(x, dtype=np.float64), np.asarray(gradient)
    assert gradient.dtype == np.float64
    assert gradient.shape == x.shape
    assert np.isfinite(gradient).all()

    if x.size <= FULL_GRADIENT_UP_TO:
        expected = central_difference(f, x, h)
        scale = np.abs(expected).max(initial=0.0)
        np.testing.assert_allclose(gradient, expected, rtol=0, atol=atol + rtol * scale)
        return

    random = np.random.default_rng(0)
    scale = np.abs(gradient).max()
    for index in random.choice(x.size, size=8, replace=False):
        direction = np.zeros(x.size)
        direction[index] = 1
        expected = along(f, x, direction.reshape(x.shape), h)
        np.testing.assert_allclose(gradient.flat[index], expected, rtol=0, atol=atol + rtol * scale)
    for _ in range(8):
        # Of length 1, as each entry's own direction is: the stencil's error then stays as small.
        direction = random.standard_normal(x.shape)
        direction /= np.sqrt(np.sum(direction**2))
        expected = along(f, x, direction, h)
        found = np.sum(gradient * direction)
        np.testing.assert_allclose(found, expected, rtol=0, atol=atol + rtol * scale)
