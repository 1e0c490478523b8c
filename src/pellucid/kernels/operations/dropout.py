"""Arguments of the operations in ``kernels/dropout.py``, which says what they are."""

from typing import NamedTuple

from pellucid.kernels.operations.kinds import Integer, IntegerVector, Matrix, Real, by_rows


@by_rows
class dropout_forward(NamedTuple):
    """``y = x mask`` with a fresh mask for this step."""

    x: Matrix
    x_lines: IntegerVector
    mask: Matrix
    y: Matrix
    lines: IntegerVector
    length: Integer
    rate: Real
    layer: Integer
    clock: IntegerVector


@by_rows
class dropout_backward(NamedTuple):
    """``dx = dy mask`` in place of dy."""

    mask: Matrix
    d: Matrix
    lines: IntegerVector
    length: Integer
