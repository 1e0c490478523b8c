"""Arguments of the operations in ``kernels/batches.py``, which says what they are."""

from typing import NamedTuple

from pellucid.kernels.operations.kinds import (
    ByteMatrix,
    Integer,
    IntegerVector,
    Matrix,
    Vector,
    by_rows,
)


@by_rows
class gather(NamedTuple):
    """Copy the batch's rows into `x`, line by line."""

    data: Matrix
    slots: IntegerVector
    x: Matrix
    lines: IntegerVector
    length: Integer


@by_rows
class gather_steps(NamedTuple):
    """Copy the steps of the batch's sequences into `x`, and count those that each lacks."""

    values: Matrix
    starts: IntegerVector
    lengths: IntegerVector
    slots: IntegerVector
    x: Matrix
    pixel: Integer
    absent: IntegerVector
    steps: Integer
    back: Integer


@by_rows
class gather_levels(NamedTuple):
    """Look the levels of the batch's rows up into `x`, line by line."""

    data: ByteMatrix
    slots: IntegerVector
    table: Vector
    channels: Integer
    x: Matrix
    lines: IntegerVector
    length: Integer
