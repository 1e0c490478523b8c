"""Arguments of the operations in ``kernels/activations.py``, which says what they are."""

from typing import NamedTuple

from pellucid.kernels.operations.kinds import Integer, IntegerVector, Matrix, Real, by_rows

IDENTITY, RELU, LEAKY_RELU, SIGMOID, TANH = range(5)  # kinds


@by_rows
class activation_forward(NamedTuple):
    """``y = f(x)``, line by line; the identity copies."""

    x: Matrix
    x_lines: IntegerVector
    y: Matrix
    y_lines: IntegerVector
    length: Integer
    kind: Integer
    slope: Real


@by_rows
class activation_backward(NamedTuple):
    """``dx = f'(x) dy`` in place of dy, with f' written in terms of ``y = f(x)``."""

    y: Matrix
    d: Matrix
    lines: IntegerVector
    length: Integer
    kind: Integer
    slope: Real


@by_rows
class softmax_forward(NamedTuple):
    """``y = softmax(x)`` row by row."""

    x: Matrix
    y: Matrix
    columns: Integer


@by_rows
class softmax_backward(NamedTuple):
    """``dx = y (dy - sum_j dy_j y_j)`` in place of dy: the Jacobian diag(y) - y y^T times dy."""

    y: Matrix
    d: Matrix
    columns: Integer
