"""Arguments of the operations in ``kernels/lstm.py``, which says what they are."""

from pellucid.kernels.operations.kinds import Integer, IntegerVector, Matrix, Vector, by_rows


@by_rows
def lstm_forward(
    x: Matrix, x_pixel: Integer, inputs: Integer, u: Vector, b: Vector, w: Vector, states: Matrix,
    h: Matrix, h_at: Integer, h_pixel: Integer, z: Matrix, z_pixel: Integer, absent: IntegerVector,
    places: IntegerVector, numbers: IntegerVector, steps: Integer, width: Integer, reverse: Integer,
    c: Matrix, c_pixel: Integer, cells: Matrix,
):  # fmt: skip
    """All gates and states, step by step."""


@by_rows
def lstm_backward(
    dy: Matrix, dy_at: Integer, dy_pixel: Integer, per_step: Integer, z: Matrix, z_pixel: Integer,
    ut: Vector, wt: Vector, back: Matrix, zeros: Vector, dx: Matrix, dx_pixel: Integer,
    inputs: Integer, adds: Integer, absent: IntegerVector, places: IntegerVector,
    numbers: IntegerVector, steps: Integer, width: Integer, reverse: Integer, c: Matrix,
    c_pixel: Integer, cells: Matrix, dc: Matrix,
):  # fmt: skip
    """dz of all steps, from the last to the first, and dx."""
