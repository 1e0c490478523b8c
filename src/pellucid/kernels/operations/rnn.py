"""Arguments of the operations in ``kernels/rnn.py``, which says what they are."""

from pellucid.kernels.operations.kinds import Integer, IntegerVector, Matrix, Vector, by_rows


@by_rows
def rnn_forward(
    x: Matrix, x_pixel: Integer, inputs: Integer, u: Vector, b: Vector, w: Vector, states: Matrix,
    h: Matrix, h_at: Integer, h_pixel: Integer, z: Matrix, z_pixel: Integer, absent: IntegerVector,
    places: IntegerVector, numbers: IntegerVector, steps: Integer, width: Integer, reverse: Integer,
    kind: Integer,
):  # fmt: skip
    """All states, step by step."""


@by_rows
def rnn_backward(
    h: Matrix, h_at: Integer, h_pixel: Integer, dy: Matrix, dy_at: Integer, dy_pixel: Integer,
    per_step: Integer, z: Matrix, z_pixel: Integer, ut: Vector, wt: Vector, back: Matrix,
    zeros: Vector, dx: Matrix, dx_pixel: Integer, inputs: Integer, adds: Integer,
    absent: IntegerVector, places: IntegerVector, numbers: IntegerVector, steps: Integer,
    width: Integer, reverse: Integer, kind: Integer,
):  # fmt: skip
    """dz of all steps, from the last to the first, and dx."""
