"""Arguments of the operations in ``kernels/dropout.py``, which says what they are."""

from pellucid.kernels.operations.kinds import Integer, IntegerVector, Matrix, Real, by_rows


@by_rows
def dropout_forward(
    x: Matrix, x_lines: IntegerVector, mask: Matrix, y: Matrix, lines: IntegerVector,
    length: Integer, rate: Real, layer: Integer, clock: IntegerVector,
):  # fmt: skip
    """``y = x mask`` with a fresh mask for this step."""


@by_rows
def dropout_backward(mask: Matrix, d: Matrix, lines: IntegerVector, length: Integer):
    """``dx = dy mask`` in place of dy."""
