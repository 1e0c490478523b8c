"""Arguments of the operations in ``kernels/layer_normalization.py``, which says what they are."""

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


@by_rows
class layer_normalization_forward(NamedTuple):
    """``y = f(gamma (x - mean) / std + beta)`` with the activation that follows."""

    x: Matrix
    x_pixels: IntegerVector
    y: Matrix
    y_pixels: IntegerVector
    features: Integer
    statistics: DoubleMatrix
    gamma: Vector
    beta: Vector
    eps: Real
    kind: Integer
    slope: Real
    absent: IntegerVector


class layer_normalization_backward_sums(NamedTuple):
    """``dgamma = sum dy xhat`` and ``dbeta = sum dy``."""

    x: Matrix
    x_pixels: IntegerVector
    dy: Matrix
    dy_pixels: IntegerVector
    features: Integer
    statistics: DoubleMatrix
    sums: DoubleMatrix
    dgamma: Vector
    dbeta: Vector
    absent: IntegerVector


@by_rows
class layer_normalization_backward(NamedTuple):
    """``dx = (dxhat - mean(dxhat) - xhat mean(dxhat xhat)) / std``, in place of dy."""

    x: Matrix
    d: Matrix
    pixels: IntegerVector
    features: Integer
    statistics: DoubleMatrix
    gamma: Vector
    absent: IntegerVector
