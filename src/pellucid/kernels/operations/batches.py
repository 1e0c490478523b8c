"""Arguments of the operations in ``kernels/batches.py``, which says what they are."""

from pellucid.kernels.operations.kinds import (
    ByteMatrix,
    DoubleMatrix,
    Integer,
    IntegerVector,
    Matrix,
    Real,
    Vector,
    by_rows,
)


@by_rows
def gather(data: Matrix, slots: IntegerVector, x: Matrix, lines: IntegerVector, length: Integer):
    """Copy the batch's rows into `x`, line by line."""


@by_rows
def gather_steps(
    values: Matrix, starts: IntegerVector, lengths: IntegerVector, slots: IntegerVector, x: Matrix,
    pixel: Integer, absent: IntegerVector, steps: Integer, back: Integer,
):  # fmt: skip
    """Copy the steps of the batch's sequences into `x`, and count those that each lacks."""


@by_rows
def gather_windows(
    relative: DoubleMatrix, shift: DoubleMatrix, scale: DoubleMatrix, plain: Matrix,
    known: IntegerVector, starts: IntegerVector, slots: IntegerVector, x: Matrix, begin: Integer,
    pixel: Integer, steps: Integer, ahead: Integer, limit: Real,
):  # fmt: skip
    """Write the batch's windows into `x`: numbers in their own scale, 0 where there is none."""


@by_rows
def gather_levels(
    data: ByteMatrix, slots: IntegerVector, table: Vector, channels: Integer, x: Matrix,
    lines: IntegerVector, length: Integer,
):  # fmt: skip
    """Look the levels of the batch's rows up into `x`, line by line."""
