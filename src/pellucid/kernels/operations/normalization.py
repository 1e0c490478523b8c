"""Arguments of the operations in ``kernels/normalization.py``, which says what they are."""

from typing import NamedTuple

from pellucid.kernels.operations.kinds import (
    DoubleMatrix,
    Integer,
    IntegerVector,
    Matrix,
    Real,
    Vector,
    by_rows,
)


class batch_statistics(NamedTuple):
    """Mean and 1 / std of each channel, and the running ones moved towards them."""

    x: Matrix
    x_pixels: IntegerVector
    channels: Integer
    weight: Vector
    order: IntegerVector
    batch: DoubleMatrix
    running_mean: Vector
    running_variance: Vector
    momentum: Real
    eps: Real


class known_statistics(NamedTuple):
    """At inference: the running mean, and 1 / std of the running variance."""

    channels: Integer
    batch: DoubleMatrix
    running_mean: Vector
    running_variance: Vector
    eps: Real


@by_rows
class normalize(NamedTuple):
    """``y = f(gamma (x - mean) / std + beta)`` with the activation that follows."""

    x: Matrix
    x_pixels: IntegerVector
    y: Matrix
    y_pixels: IntegerVector
    channels: Integer
    batch: DoubleMatrix
    gamma: Vector
    beta: Vector
    kind: Integer
    slope: Real


class normalize_backward_sums(NamedTuple):
    """``dgamma = sum dy xhat`` and ``dbeta = sum dy``."""

    x: Matrix
    x_pixels: IntegerVector
    dy: Matrix
    dy_pixels: IntegerVector
    channels: Integer
    batch: DoubleMatrix
    dgamma: Vector
    dbeta: Vector


@by_rows
class normalize_backward(NamedTuple):
    """``dx = gamma / std (dy - w mean(dy) - w xhat mean(dy xhat))``, in place of dy."""

    x: Matrix
    d: Matrix
    pixels: IntegerVector
    channels: Integer
    weight: Vector
    order: IntegerVector
    batch: DoubleMatrix
    gamma: Vector
