"""Arguments of the operations in ``kernels/augmentation.py``, which says what they are."""

from pellucid.kernels.operations.kinds import (
    DoubleMatrix,
    DoubleVector,
    Integer,
    IntegerVector,
    Matrix,
    by_batch,
    by_rows,
)


@by_rows
def augmentation_maps(
    maps: DoubleMatrix, amounts: DoubleVector, height: Integer, width: Integer,
    clock: IntegerVector,
):  # fmt: skip
    """A map for every row: `amounts` are flip, shift down and right, crop, turn, vertical flip."""


@by_rows
def warp(
    x: Matrix, maps: DoubleMatrix, y: Matrix, places: IntegerVector, pixel: Integer, width: Integer,
    channels: Integer,
):  # fmt: skip
    """Read every row through its map."""


@by_rows
def recolor(
    y: Matrix, places: IntegerVector, pixel: Integer, width: Integer, channels: Integer,
    amounts: DoubleVector, clock: IntegerVector,
):  # fmt: skip
    """Stretch and move the values of every row: `amounts` are brightness, contrast, color."""


@by_rows
def erase(
    y: Matrix, places: IntegerVector, pixel: Integer, width: Integer, channels: Integer,
    amounts: DoubleVector, clock: IntegerVector,
):  # fmt: skip
    """Set a rectangle to the mean: `amounts` is its largest share of the area."""


@by_batch
def cutmix(
    y: Matrix, places: IntegerVector, pixel: Integer, width: Integer, channels: Integer,
    amounts: DoubleVector, clock: IntegerVector, partner: IntegerVector, share: DoubleVector,
):  # fmt: skip
    """Fill a rectangle of rows with what their partners show: `amounts` is how many are mixed."""
