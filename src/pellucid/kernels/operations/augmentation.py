"""Arguments of the operations in ``kernels/augmentation.py``, which says what they are."""

from pellucid.kernels.operations.kinds import (
    DoubleMatrix,
    DoubleVector,
    Integer,
    IntegerVector,
    Matrix,
    by_rows,
)


@by_rows
def augmentation_maps(
    maps: DoubleMatrix, amounts: DoubleVector, height: Integer, width: Integer,
    clock: IntegerVector,
):  # fmt: skip
    """A map for every row: `amounts` are flip, shift down, shift right, crop, turn."""


@by_rows
def warp(
    x: Matrix, maps: DoubleMatrix, y: Matrix, places: IntegerVector, pixel: Integer, width: Integer,
    channels: Integer,
):  # fmt: skip
    """Read every row through its map."""
