"""How parameters begin, by name.

formula   he: variance 2 / fan_in   lecun: 1 / fan_in   glorot: 2 / (fan_in + fan_out)
          as a uniform in +-sqrt(3 variance) or a normal; orthogonal: W^T W = 1 or W W^T = 1
source    He et al. (2015); LeCun et al., Efficient BackProp (1998); Glorot and Bengio (2010);
          Saxe et al., Exact solutions to the nonlinear dynamics of learning (2014)
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from pellucid.engine import execute
from pellucid.kernels.operations.initialization import orthogonalize
from pellucid.kernels.panels import rows_of
from pellucid.randomness import Stream

_VARIANCES: dict[str, Callable[[int, int], float]] = {
    "he": lambda fan_in, fan_out: 2.0 / fan_in,
    "lecun": lambda fan_in, fan_out: 1.0 / fan_in,
    "glorot": lambda fan_in, fan_out: 2.0 / (fan_in + fan_out),
}

INITIALIZATIONS = (
    *(f"{scheme}_{kind}" for scheme in _VARIANCES for kind in ("uniform", "normal")),
    "orthogonal",
    "zeros",
)


def _orthogonal(rows: int, columns: int, stream: Stream) -> np.ndarray:
    short, long = min(rows, columns), max(rows, columns)
    matrix = rows_of(short, long, np.float64)
    matrix[:, :long] = stream.normal(short * long).reshape(short, long)
    execute(orthogonalize(a=matrix))
    orthogonal = matrix[:, :long]
    return orthogonal if rows == short else orthogonal.T


def initial(name: str, shape: tuple[int, ...], stream: Stream) -> np.ndarray:
    """An array of `shape`, float64: (fan_in, fan_out), or with a window's axes before them.

    Parameters
    ----------
    name : str
        One of ``INITIALIZATIONS``, "ones", "small_normal", "forget_gate" or "orthogonal_gates".
    shape : tuple of int
        The parameter's logical shape.
    stream : Stream
        Where the random numbers come from.
    """
    count = math.prod(shape)
    if name in ("zeros", "ones"):
        return np.full(shape, float(name == "ones"))
    if name == "small_normal":
        return (0.05 * stream.normal(count)).reshape(shape)
    if name == "forget_gate":  # the second of four
        return np.repeat([0.0, 1.0, 0.0, 0.0], count // 4)
    if name == "orthogonal_gates":  # side by side, each a square
        gates = shape[1] // shape[0]
        return np.hstack([_orthogonal(shape[0], shape[0], stream) for _ in range(gates)])
    if name == "orthogonal":
        return _orthogonal(math.prod(shape[:-1]), shape[-1], stream).reshape(shape)
    scheme, kind = name.rsplit("_", 1)
    positions = math.prod(shape[:-2])  # of a convolution's window; a matrix has one
    variance = _VARIANCES[scheme](math.prod(shape[:-1]), positions * shape[-1])
    if kind == "normal":
        return (math.sqrt(variance) * stream.normal(count)).reshape(shape)
    limit = math.sqrt(3.0 * variance)
    return (limit * (2.0 * stream.uniform(count) - 1.0)).reshape(shape)
