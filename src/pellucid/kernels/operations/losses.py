"""Arguments of the operations in ``kernels/losses.py``, which says what they are."""

from typing import NamedTuple

from pellucid.kernels.operations.kinds import (
    DoubleVector,
    Integer,
    IntegerVector,
    Matrix,
    Vector,
    by_rows,
)


@by_rows
class mean_squared_error(NamedTuple):
    """``dy = (y - t) w / B``."""

    y: Matrix
    pixel: Integer
    target: Matrix
    weight: Vector
    starts: IntegerVector
    lengths: IntegerVector
    order: IntegerVector
    steps: Integer
    back: Integer
    d: Matrix
    losses: DoubleVector
    hits: DoubleVector
    columns: Integer


@by_rows
class binary_cross_entropy(NamedTuple):
    """``dz = (s(z) - t) w / B``, one label a column."""

    y: Matrix
    pixel: Integer
    target: Matrix
    weight: Vector
    starts: IntegerVector
    lengths: IntegerVector
    order: IntegerVector
    steps: Integer
    back: Integer
    d: Matrix
    losses: DoubleVector
    hits: DoubleVector
    columns: Integer


@by_rows
class categorical_cross_entropy(NamedTuple):
    """``dz = (softmax(z) - onehot(t)) w / B``."""

    y: Matrix
    pixel: Integer
    target: IntegerVector
    weight: Vector
    starts: IntegerVector
    lengths: IntegerVector
    order: IntegerVector
    steps: Integer
    back: Integer
    d: Matrix
    losses: DoubleVector
    hits: DoubleVector
    columns: Integer


class sum_loss(NamedTuple):
    """The batch's loss and hits, rows in order; a loss that is no finite number halts."""

    losses: DoubleVector
    hits: DoubleVector
    sums: DoubleVector
    halt: IntegerVector  # one word, which `engine.halt_word` gives
    adds: Integer
