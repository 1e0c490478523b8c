"""Arguments of the operations in ``kernels/residual.py``, which says what they are."""

from pellucid.kernels.operations.kinds import Integer, IntegerVector, Matrix, by_rows


@by_rows
def add(
    left: Matrix, left_lines: IntegerVector, right: Matrix, right_lines: IntegerVector, y: Matrix,
    y_lines: IntegerVector, length: Integer,
):  # fmt: skip
    """``y = left + right``, line by line."""
