"""Arguments of the operations in ``kernels/pooling.py``, which says what they are."""

from pellucid.kernels.operations.kinds import DoubleVector, Integer, IntegerVector, Matrix, by_rows


@by_rows
def max_pool_forward(
    x: Matrix, places: IntegerVector, y: Matrix, winner: Matrix, pixels: IntegerVector,
    positions: Integer, channels: Integer,
):  # fmt: skip
    """``y = max over the window``, and which position it came from."""


@by_rows
def max_pool_backward(
    dy: Matrix, places: IntegerVector, dx: Matrix, winner: Matrix, pixels: IntegerVector,
    positions: Integer, channels: Integer, apart: Integer, cleared: IntegerVector,
):  # fmt: skip
    """``dx[place(o, q)] += dy[o]`` where position q of window o won."""


@by_rows
def average_pool_forward(
    x: Matrix, places: IntegerVector, y: Matrix, counts: DoubleVector, absent: IntegerVector,
    pixels: IntegerVector, positions: Integer, channels: Integer,
):  # fmt: skip
    """``y = sum over the window / n``."""


@by_rows
def average_pool_backward(
    dy: Matrix, places: IntegerVector, dx: Matrix, counts: DoubleVector, absent: IntegerVector,
    pixels: IntegerVector, positions: Integer, channels: Integer, apart: Integer,
    cleared: IntegerVector,
):  # fmt: skip
    """``dx[place(o, q)] += dy[o] / n`` for each position q of window o."""
