"""What kernel tests share: padded operands, tolerances, the sizes at which tiles go wrong."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from finite_differences import assert_gradient

from pellucid import Network
from pellucid.kernels.panels import aligned, row_length, rows_of, stored_columns
from pellucid.layers import Conv1d, Conv2d, Dropout, Flatten, Layer, Linear
from pellucid.layers.activations import Activation

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


def check_operation(
    layer: Layer,
    forward: Callable[..., np.ndarray],
    backward: Callable[..., Any],
    shape: tuple[int, ...],
    rows: Iterable[int] = (1, 7),
    draw: Callable[..., np.ndarray] = np.random.Generator.normal,
) -> None:
    """Formula against central differences; layer and kernel against formula; zero in, zero out.

    Parameters
    ----------
    layer : Layer
    forward : callable
        The formula: ``forward(x, *parameters)``, parameters in the layer's order.
    backward : callable
        Its gradients: ``backward(dy, x, *parameters)`` gives dx, or dx and those of parameters.
    shape : tuple of int
        Of one row of input.
    rows : iterable of int
        The batch sizes at which the kernel is compared.
    draw : callable
        ``draw(rng, size=...)`` makes the input.
    """

    def gradients(*arguments: np.ndarray) -> tuple[np.ndarray, ...]:
        made = backward(*arguments)
        return made if isinstance(made, tuple) else (made,)

    rng = np.random.default_rng(0)
    specs = layer.parameters(shape)
    inputs = [draw(rng, size=(2, *shape)), *(rng.normal(size=p.shape) for p in specs.values())]
    dy = rng.normal(size=forward(*inputs).shape)
    for place, gradient in enumerate(gradients(dy, *inputs)):

        def value(changed: np.ndarray, place: int = place) -> float:
            return (forward(*inputs[:place], changed, *inputs[place + 1 :]) * dy).sum()

        assert_gradient(value, gradient, inputs[place])

    chains = [[layer]]
    if isinstance(layer, Activation):  # else the layer below would compute it
        chains.append([Dropout(0.0), layer])
    for batch, dtype, chain in itertools.product(rows, DTYPES, chains):
        # Each pixel of the data is 1 in a channel of its own, so the weights of the layer below
        # are the input of the layer, and their gradient is dx.
        pixels = batch * math.prod(shape[:-1])
        x = np.eye(pixels, dtype=dtype).reshape(batch, *shape[:-1], pixels)
        below = (Linear, Conv1d, Conv2d)[len(shape) - 1]
        options = () if len(shape) == 1 else (1,)
        network = Network([below(shape[-1], *options, bias=False), *chain, Flatten()])
        network.build(x.shape[1:], dtype, 0)
        names = ["0.weight", *(f"{len(chain)}.{name}" for name in specs)]
        arrays = [draw(rng, size=(batch, *shape)).astype(dtype)]
        arrays += [rng.normal(size=p.shape).astype(dtype) for p in specs.values()]
        weight = arrays[0].reshape(network.parameters()["0.weight"].shape)
        network.set_parameters(dict(zip(names, [weight, *arrays[1:]], strict=True)))

        arrays = [array.astype(np.float64) for array in arrays]
        y = forward(*arrays)
        assert_close(network.forward(x), y.reshape(batch, -1), dtype)
        target = rng.normal(size=(batch, y.size // batch)).astype(dtype)
        dy = (y - target.reshape(y.shape)) / batch
        made = network.gradients(x, target, "mean_squared_error")[1]
        for name, gradient in zip(names, gradients(dy, *arrays), strict=True):
            assert_close(made[name].reshape(gradient.shape), gradient, dtype)
        made = network.gradients(x, target, "mean_squared_error", np.zeros(batch))[1]
        assert not any(gradient.any() for gradient in made.values())


__all__ = [
    "DTYPES", "SIZES", "assert_close", "assert_padding_zero", "check_operation", "empty", "padded",
    "padded_vector", "row_length", "shapes",
]  # fmt: skip
