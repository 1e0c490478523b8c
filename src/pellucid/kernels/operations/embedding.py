"""Arguments of the operations in ``kernels/embedding.py``, which says what they are."""

from pellucid.kernels.operations.kinds import (
    Integer,
    IntegerVector,
    Matrix,
    Vector,
    by_batch,
    by_rows,
)


@by_rows
def embedding_forward(
    x: Matrix, x_places: IntegerVector, tokens: Integer, others: Integer, table: Vector,
    count: Integer, columns: Integer, panel: Integer, y: Matrix, pixels: IntegerVector,
    absent: IntegerVector,
):  # fmt: skip
    """``y_t = (E[x_t1], ..., E[x_tC], u_t)``."""


@by_batch
def embedding_backward(
    x: Matrix, x_places: IntegerVector, tokens: Integer, dy: Matrix, pixels: IntegerVector,
    gradient: Vector, count: Integer, columns: Integer, panel: Integer, absent: IntegerVector,
):  # fmt: skip
    """``dE[k] = sum of the parts of dy_t from tokens k``."""
