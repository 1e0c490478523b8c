"""Arguments of the operations in ``kernels/convolution.py``, which says what they are."""

from pellucid.kernels.operations.kinds import (
    Integer,
    IntegerVector,
    Matrix,
    Real,
    Vector,
    by_batch,
    by_rows,
)


@by_rows
def convolution_forward(
    x: Matrix, windows: IntegerVector, terms: IntegerVector, w: Vector, w_rows: IntegerVector,
    b: Vector, y: Matrix, pixels: IntegerVector, width: Integer, activation: Integer, slope: Real,
    absent: IntegerVector,
):  # fmt: skip
    """``y = f(b + x * W)``, picture by picture."""


@by_batch
def convolution_backward_weight(
    x: Matrix, windows: IntegerVector, terms: IntegerVector, dy: Matrix, pixels: IntegerVector,
    dw: Vector, db: Vector, width: Integer, absent: IntegerVector,
    zeros: Vector, numbers: IntegerVector, tile_terms: IntegerVector, packed: Vector,
    wide: Integer, tall: Integer,
):  # fmt: skip
    """``dW[q, c] = sum over pictures and outputs of x[window(o), q, c] dy[o]``, ``db = sum dy``."""


@by_rows
def convolution_backward_weight_by_rows(
    x: Matrix, windows: IntegerVector, terms: IntegerVector, dy: Matrix, pixels: IntegerVector,
    dw: Matrix, db: Matrix, width: Integer, absent: IntegerVector,
    zeros: Vector, numbers: IntegerVector, tile_terms: IntegerVector, packed: Vector,
    wide: Integer, tall: Integer,
):  # fmt: skip
    """dW and db of each slice of the rows, into a row of dw (slices, size) and of db."""


@by_batch
def sum_groups(groups: Matrix, total: Vector):
    """The sum of the rows of `groups`, in their order."""


@by_rows
def convolution_backward_input(
    dy: Matrix, pixels: IntegerVector, terms: IntegerVector, wt: Vector, w_rows: IntegerVector,
    dx: Matrix, windows: IntegerVector, offsets: IntegerVector, width: Integer,
    absent: IntegerVector,
):  # fmt: skip
    """``dx[window(o), q] += dy[o] W[q]^T`` for each position q: each output gives back a share."""
