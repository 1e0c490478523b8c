"""Arguments of the operations in ``kernels/activations.py``, which says what they are."""

from pellucid.kernels.operations.kinds import Integer, IntegerVector, Matrix, Real, by_rows

IDENTITY, RELU, LEAKY_RELU, SIGMOID, TANH = range(5)  # kinds


@by_rows
def activation_forward(
    x: Matrix, x_lines: IntegerVector, y: Matrix, y_lines: IntegerVector, length: Integer,
    kind: Integer, slope: Real,
):  # fmt: skip
    """``y = f(x)``, line by line; the identity copies."""


@by_rows
def activation_backward(
    y: Matrix, d: Matrix, lines: IntegerVector, length: Integer, kind: Integer, slope: Real,
):  # fmt: skip
    """``dx = f'(x) dy`` in place of dy, with f' written in terms of ``y = f(x)``."""


@by_rows
def softmax_forward(x: Matrix, y: Matrix, columns: Integer):
    """``y = softmax(x)`` row by row."""


@by_rows
def softmax_backward(y: Matrix, d: Matrix, columns: Integer):
    """``dx = y (dy - sum_j dy_j y_j)`` in place of dy: the Jacobian diag(y) - y y^T times dy."""
