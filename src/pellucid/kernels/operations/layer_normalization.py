"""Arguments of the operations in ``kernels/layer_normalization.py``, which says what they are."""

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


@by_rows
def layer_normalization_forward(
    x: Matrix, x_pixels: IntegerVector, y: Matrix, y_pixels: IntegerVector, features: Integer,
    statistics: DoubleMatrix, gamma: Vector, beta: Vector, eps: Real, kind: Integer, slope: Real,
    absent: IntegerVector,
):  # fmt: skip
    """``y = f(gamma (x - mean) / std + beta)`` with the activation that follows."""


@by_batch
def layer_normalization_backward_sums(
    x: Matrix, x_pixels: IntegerVector, dy: Matrix, dy_pixels: IntegerVector, features: Integer,
    statistics: DoubleMatrix, sums: DoubleMatrix, dgamma: Vector, dbeta: Vector,
    absent: IntegerVector,
):  # fmt: skip
    """``dgamma = sum dy xhat`` and ``dbeta = sum dy``."""


@by_rows
def layer_normalization_backward(
    x: Matrix, d: Matrix, pixels: IntegerVector, features: Integer, statistics: DoubleMatrix,
    gamma: Vector, absent: IntegerVector,
):  # fmt: skip
    """``dx = (dxhat - mean(dxhat) - xhat mean(dxhat xhat)) / std``, in place of dy."""
