"""Arguments of the operations in ``kernels/pooling.py``, which says what they are."""

from typing import NamedTuple

from pellucid.kernels.operations.kinds import DoubleVector, Integer, IntegerVector, Matrix, by_rows


@by_rows
class max_pool_forward(NamedTuple):
    """``y = max over the window``, and which position it came from."""

    x: Matrix
    places: IntegerVector
    y: Matrix
    winner: Matrix
    pixels: IntegerVector
    positions: Integer
    channels: Integer


@by_rows
class max_pool_backward(NamedTuple):
    """``dx[place(o, q)] += dy[o]`` where position q of window o won."""

    dy: Matrix
    places: IntegerVector
    dx: Matrix
    winner: Matrix
    pixels: IntegerVector
    positions: Integer
    channels: Integer
    apart: Integer
    cleared: IntegerVector


@by_rows
class average_pool_forward(NamedTuple):
    """``y = sum over the window / n``."""

    x: Matrix
    places: IntegerVector
    y: Matrix
    counts: DoubleVector
    pixels: IntegerVector
    positions: Integer
    channels: Integer


@by_rows
class average_pool_backward(NamedTuple):
    """``dx[place(o, q)] += dy[o] / n`` for each position q of window o."""

    dy: Matrix
    places: IntegerVector
    dx: Matrix
    counts: DoubleVector
    pixels: IntegerVector
    positions: Integer
    channels: Integer
    apart: Integer
    cleared: IntegerVector
