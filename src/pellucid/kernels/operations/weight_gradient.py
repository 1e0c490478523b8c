"""Arguments of the operations in ``kernels/weight_gradient.py``, which says what they are."""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid.kernels.grid import spaced
from pellucid.kernels.operations.kinds import Integer, IntegerVector, Vector, by_batch
from pellucid.kernels.panels import GRADIENT_DEPTH, PANEL_BYTES, TILE_ROWS, aligned
from pellucid.kernels.target import l2_bytes

MOST_PANELS, MOST_TILES = 16, 64  # that are packed at a time; more bring nothing


@by_batch
def weight_gradient(
    x: Vector, x_rows: IntegerVector, features: IntegerVector, dz: Vector, dz_rows: IntegerVector,
    dw: Vector, db: Vector, width: Integer,
    zeros: Vector, numbers: IntegerVector, tile_terms: IntegerVector, packed: Vector,
    wide: Integer, tall: Integer,
):  # fmt: skip
    """``dW = x^T dz`` and ``db = sum of dz``, over the rows of the batch."""


def gradient_work(
    height: int, width: int, dtype: Any, parts: int = 1, packs: bool = True
) -> dict[str, Any]:
    """The tables that such an operation needs for weights (height, width), and room to pack.

    `parts` is the largest number of threads. No result depends on the room.
    """
    dtype = np.dtype(dtype)
    panel = PANEL_BYTES // dtype.itemsize
    of_panel, of_tile = GRADIENT_DEPTH * panel, GRADIENT_DEPTH * TILE_ROWS
    most = l2_bytes() // (8 * dtype.itemsize)  # an eighth of the cache for each operand
    wide = min(-(-width // panel), max(1, min(MOST_PANELS, most // of_panel)))
    tall = min(max(1, -(-height // TILE_ROWS)), max(1, min(MOST_TILES, most // of_tile)))
    room = parts * (wide * of_panel + tall * of_tile) if packs else 0
    return {
        "zeros": aligned(panel, dtype),
        "numbers": spaced(max(height, GRADIENT_DEPTH)),
        "tile_terms": spaced(GRADIENT_DEPTH, TILE_ROWS), "packed": aligned(room, dtype),
        "wide": wide, "tall": tall,
    }  # fmt: skip
