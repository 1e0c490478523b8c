"""Arguments of the operations in ``kernels/convolution.py``, which says what they are."""

from typing import NamedTuple

from pellucid.kernels.operations.kinds import Integer, IntegerVector, Matrix, Real, Vector, by_rows


@by_rows
class convolution_forward(NamedTuple):
    """``y = f(b + x * W)``, picture by picture."""

    x: Matrix
    windows: IntegerVector
    terms: IntegerVector
    w: Vector
    w_rows: IntegerVector
    b: Vector
    y: Matrix
    pixels: IntegerVector
    width: Integer
    activation: Integer
    slope: Real
    absent: IntegerVector


class convolution_backward_weight(NamedTuple):
    """``dW[q, c] = sum over pictures and outputs of x[window(o), q, c] dy[o]``, ``db = sum dy``."""

    x: Matrix
    windows: IntegerVector
    terms: IntegerVector
    dy: Matrix
    pixels: IntegerVector
    zeros: Vector
    dw: Vector
    w_rows: IntegerVector
    db: Vector
    ones: Vector
    nowhere: IntegerVector
    width: Integer
    absent: IntegerVector


@by_rows
class convolution_backward_weight_by_rows(NamedTuple):
    """dW and db of each slice of the rows, into a row of dw (slices, size) and of db."""

    x: Matrix
    windows: IntegerVector
    terms: IntegerVector
    dy: Matrix
    pixels: IntegerVector
    zeros: Vector
    dw: Matrix
    w_rows: IntegerVector
    db: Matrix
    ones: Vector
    width: Integer
    nowhere: IntegerVector
    absent: IntegerVector


class sum_groups(NamedTuple):
    """The sum of the rows of `groups`, in their order."""

    groups: Matrix
    total: Vector


@by_rows
class convolution_backward_input(NamedTuple):
    """``dx[window(o), q] += dy[o] W[q]^T`` for each position q: each output gives back a share."""

    dy: Matrix
    pixels: IntegerVector
    terms: IntegerVector
    wt: Vector
    w_rows: IntegerVector
    dx: Matrix
    windows: IntegerVector
    offsets: IntegerVector
    width: Integer
    absent: IntegerVector
