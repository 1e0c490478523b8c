"""Arguments of the operations in ``kernels/optimizers.py``, which says what they are."""

from pellucid.kernels.operations.kinds import (
    DoubleMatrix,
    DoubleVector,
    Integer,
    Real,
    Vector,
    by_batch,
)


@by_batch
def accumulate(gradient: Vector, total: Vector, fresh: Integer):
    """``total = gradient`` if `fresh`, else ``total += gradient``."""


@by_batch
def squared_norm(g: Vector, lanes: DoubleMatrix):
    """Sums of squares in fixed lanes: entry (c, l) sums the elements l, l + L, ... of chunk c."""


@by_batch
def clip_scale(lanes: DoubleMatrix, limit: Real, scale: DoubleVector):
    """``scale = min(1, limit / norm)``: what brings the whole gradient's norm to `limit`."""


@by_batch
def sgd(
    w: Vector, g: Vector, u: Vector, schedule: DoubleMatrix, scale: DoubleVector, momentum: Real,
    decay: Real, nesterov: Integer, sparse: Integer,
):  # fmt: skip
    """Gradient descent with momentum, Nesterov's or plain."""


@by_batch
def rmsprop(
    w: Vector, g: Vector, v: Vector, schedule: DoubleMatrix, scale: DoubleVector, rho: Real,
    decay: Real, epsilon: Real, sparse: Integer,
):  # fmt: skip
    """Gradient over its running root mean square."""


@by_batch
def adam(
    w: Vector, g: Vector, m: Vector, v: Vector, schedule: DoubleMatrix, scale: DoubleVector,
    beta1: Real, beta2: Real, decay: Real, epsilon: Real, decoupled: Integer, sparse: Integer,
):  # fmt: skip
    """Adam; with `decoupled` weight decay AdamW."""
