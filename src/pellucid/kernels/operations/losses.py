"""Arguments of the operations in ``kernels/losses.py``, which says what they are."""

from pellucid.kernels.operations.kinds import (
    DoubleVector,
    Integer,
    IntegerVector,
    Matrix,
    Real,
    Vector,
    by_batch,
    by_rows,
)


@by_rows
def mean_squared_error(
    y: Matrix, pixel: Integer, target: Matrix, weight: Vector, starts: IntegerVector,
    lengths: IntegerVector, order: IntegerVector, steps: Integer, back: Integer, d: Matrix,
    losses: DoubleVector, hits: DoubleVector, columns: Integer, whole: IntegerVector,
):  # fmt: skip
    """``dy = (y - t) w / B``."""


@by_rows
def mean_absolute_error(
    y: Matrix, pixel: Integer, target: Matrix, weight: Vector, starts: IntegerVector,
    lengths: IntegerVector, order: IntegerVector, steps: Integer, back: Integer, d: Matrix,
    losses: DoubleVector, hits: DoubleVector, columns: Integer, whole: IntegerVector,
):  # fmt: skip
    """``dy = sign(y - t) w / B``."""


@by_rows
def huber_loss(
    y: Matrix, pixel: Integer, target: Matrix, weight: Vector, starts: IntegerVector,
    lengths: IntegerVector, order: IntegerVector, steps: Integer, back: Integer, d: Matrix,
    losses: DoubleVector, hits: DoubleVector, columns: Integer, whole: IntegerVector,
    delta: Real,
):  # fmt: skip
    """``dy = clip(y - t, -delta, delta) w / B``."""


@by_rows
def pinball_loss(
    y: Matrix, pixel: Integer, target: Matrix, weight: Vector, starts: IntegerVector,
    lengths: IntegerVector, order: IntegerVector, steps: Integer, back: Integer, d: Matrix,
    losses: DoubleVector, hits: DoubleVector, columns: Integer, whole: IntegerVector,
    quantile: Real,
):  # fmt: skip
    """``dy = (1 - q) w / B`` where y is above t, ``-q w / B`` below it."""


@by_rows
def binary_cross_entropy(
    y: Matrix, pixel: Integer, target: Matrix, weight: Vector, starts: IntegerVector,
    lengths: IntegerVector, order: IntegerVector, steps: Integer, back: Integer, d: Matrix,
    losses: DoubleVector, hits: DoubleVector, columns: Integer, whole: IntegerVector,
    partner: IntegerVector, share: DoubleVector,
):  # fmt: skip
    """``dz = (s(z) - t) w / B``, one label a column."""


@by_rows
def categorical_cross_entropy(
    y: Matrix, pixel: Integer, target: IntegerVector, weight: Vector, starts: IntegerVector,
    lengths: IntegerVector, order: IntegerVector, steps: Integer, back: Integer, d: Matrix,
    losses: DoubleVector, hits: DoubleVector, columns: Integer, whole: IntegerVector,
    partner: IntegerVector, share: DoubleVector,
):  # fmt: skip
    """``dz = (softmax(z) - onehot(t)) w / B``."""


@by_batch
def sum_loss(
    losses: DoubleVector, hits: DoubleVector, sums: DoubleVector, halt: IntegerVector,
    adds: Integer,
):  # fmt: skip
    """The batch's loss and hits, rows in order; a loss that is no finite number halts.

    `halt` is the word that ``engine.halt_word`` gives.
    """
