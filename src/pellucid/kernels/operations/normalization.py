"""Arguments of the operations in ``kernels/normalization.py``, which says what they are."""

from pellucid.kernels.operations.kinds import (
    DoubleMatrix,
    Integer,
    IntegerVector,
    Matrix,
    Real,
    Vector,
    by_batch,
    by_rows,
)


@by_batch
def batch_statistics(
    x: Matrix, x_pixels: IntegerVector, channels: Integer, weight: Vector, order: IntegerVector,
    batch: DoubleMatrix, running_mean: Vector, running_variance: Vector, momentum: Real, eps: Real,
):  # fmt: skip
    """Mean and 1 / std of each channel, and the running ones moved towards them."""


@by_batch
def known_statistics(
    channels: Integer, batch: DoubleMatrix, running_mean: Vector, running_variance: Vector,
    eps: Real,
):  # fmt: skip
    """At inference: the running mean, and 1 / std of the running variance."""


@by_rows
def normalize(
    x: Matrix, x_pixels: IntegerVector, y: Matrix, y_pixels: IntegerVector, channels: Integer,
    batch: DoubleMatrix, gamma: Vector, beta: Vector, kind: Integer, slope: Real,
):  # fmt: skip
    """``y = f(gamma (x - mean) / std + beta)`` with the activation that follows."""


@by_batch
def normalize_backward_sums(
    x: Matrix, x_pixels: IntegerVector, dy: Matrix, dy_pixels: IntegerVector, channels: Integer,
    batch: DoubleMatrix, dgamma: Vector, dbeta: Vector,
):  # fmt: skip
    """``dgamma = sum dy xhat`` and ``dbeta = sum dy``."""


@by_rows
def normalize_backward(
    x: Matrix, d: Matrix, pixels: IntegerVector, channels: Integer, weight: Vector,
    order: IntegerVector, batch: DoubleMatrix, gamma: Vector,
):  # fmt: skip
    """``dx = gamma / std (dy - w mean(dy) - w xhat mean(dy xhat))``, in place of dy."""
