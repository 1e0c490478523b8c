"""Arguments of the operations in ``kernels/augmentation.py``, which says what they are."""

from typing import NamedTuple

from pellucid.kernels.operations.kinds import (
    DoubleMatrix,
    DoubleVector,
    Integer,
    IntegerVector,
    Matrix,
    by_rows,
)


@by_rows
class augmentation_maps(NamedTuple):
    """A map for every row: `amounts` are flip, shift down, shift right, crop, turn."""

    maps: DoubleMatrix
    amounts: DoubleVector
    height: Integer
    width: Integer
    clock: IntegerVector


@by_rows
class warp(NamedTuple):
    """Read every row through its map."""

    x: Matrix
    maps: DoubleMatrix
    y: Matrix
    places: IntegerVector
    pixel: Integer
    width: Integer
    channels: Integer
