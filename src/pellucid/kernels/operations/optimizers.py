"""Arguments of the operations in ``kernels/optimizers.py``, which says what they are."""

from typing import NamedTuple

from pellucid.kernels.operations.kinds import DoubleMatrix, DoubleVector, Integer, Real, Vector


class accumulate(NamedTuple):
    """``total = gradient``, or more by it."""

    gradient: Vector
    total: Vector
    fresh: Integer


class squared_norm(NamedTuple):
    """Sums of squares in fixed lanes: entry (c, l) sums the elements l, l + L, ... of chunk c."""

    g: Vector
    lanes: DoubleMatrix


class clip_scale(NamedTuple):
    """``scale = min(1, limit / norm)``: what brings the whole gradient's norm to `limit`."""

    lanes: DoubleMatrix
    limit: Real
    scale: DoubleVector


class sgd(NamedTuple):
    """Gradient descent with momentum, Nesterov's or plain."""

    w: Vector
    g: Vector
    u: Vector
    schedule: DoubleMatrix
    scale: DoubleVector
    momentum: Real
    decay: Real
    nesterov: Integer


class rmsprop(NamedTuple):
    """Gradient over its running root mean square."""

    w: Vector
    g: Vector
    v: Vector
    schedule: DoubleMatrix
    scale: DoubleVector
    rho: Real
    decay: Real
    epsilon: Real


class adam(NamedTuple):
    """Adam; with `decoupled` weight decay AdamW."""

    w: Vector
    g: Vector
    m: Vector
    v: Vector
    schedule: DoubleMatrix
    scale: DoubleVector
    beta1: Real
    beta2: Real
    decay: Real
    epsilon: Real
    decoupled: Integer
