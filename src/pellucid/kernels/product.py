"""The one matrix product under every layer, on the tile.

formula   c = f(start + a b)
shapes    a (M, K), b (K, N) in panels, start (N,), c (M, N)
reads     a, b, start, and tables of where rows and terms lie (see the tile)
writes    c, whole panels wide: columns beyond N up to the panel's end hold what b's hold
source    the tile's; a linear layer has y = x W + b and dx = dz W^T of this kind. The third of
          its products, dW = x^T dz, is in ``weight_gradient``.
"""

from __future__ import annotations

from numba import int64

from pellucid.kernels.activations import activate
from pellucid.kernels.intrinsics import address, device, share
from pellucid.kernels.operations.activations import IDENTITY
from pellucid.kernels.panels import DEPTH, HALF_PANEL_BYTES, PANEL_BYTES, TILE_ROWS
from pellucid.kernels.tile import ROW_PANELS, row_tile, tile
from pellucid.kernels.vectors import VECTOR_BYTES


@device
def row_blocks(height):
    """Into how many tiles `height` rows are shared out evenly: 11 are 6 + 5, not 8 + 3."""
    return (height + TILE_ROWS - 1) // TILE_ROWS


@device
def panel_product(
    dtype, a, a_at, a_rows, a_terms, b, b_at, b_terms, start, start_at, fresh,
    c, c_at, c_rows, block, block_end, height, columns, depth, activation, slope,
):  # fmt: skip
    """Row blocks `block` to `block_end` of one panel: ``c = f(start + a b)``.

    Without `fresh` the sum goes on from what c holds. The table of b counts rows, which are as long
    as the panel is wide; that of c counts elements. Callers write constants as ``int64(0)``: for
    each plain 0 or True Numba would compile all of this anew.
    """
    size = a.itemsize
    half = HALF_PANEL_BYTES // size
    tile_columns = 2 * VECTOR_BYTES // size
    stored = 2 * half if columns > half else half
    blocks = row_blocks(height)
    chunks = max(1, (depth + DEPTH - 1) // DEPTH)
    for chunk in range(chunks):
        k = depth * chunk // chunks
        count = depth * (chunk + 1) // chunks - k
        goes_on = chunk > 0 or not fresh
        for i in range(block, block_end):
            top = height * i // blocks
            rows = height * (i + 1) // blocks - top
            column = 0
            while column < stored:
                c_tile = address(c, c_at + column)
                tile(
                    dtype, rows, 1 if stored - column >= tile_columns else 0,
                    address(a, a_at), address(a_rows, top), address(a_terms, k),
                    address(b, b_at + column), address(b_terms, k), stored * size,
                    c_tile if goes_on else address(start, start_at + column),
                    size if goes_on else 0,
                    c_tile, address(c_rows, top), size, count,
                )  # fmt: skip
                column += tile_columns
            if activation != IDENTITY and chunk == chunks - 1:
                for r in range(top, top + rows):
                    at = c_at + c_rows[r]
                    activate(activation, slope, c[at : at + columns])


@device
def row_product(
    dtype, a, a_at, a_rows, a_terms, b, b_at, b_terms, start, start_at, fresh, c, c_at, c_rows,
    panels, depth,
):  # fmt: skip
    """The same of one row, as far as whole panels can be taken several at a time; how many were."""
    panel = PANEL_BYTES // a.itemsize
    done = 0
    while panels - done >= ROW_PANELS:
        at = done * panel
        c_place = address(c, c_at + at + c_rows[0])
        row_tile(
            dtype, address(a, a_at), address(a_rows, 0), address(a_terms, 0),
            address(b, b_at + at * depth), address(b_terms, 0), PANEL_BYTES,
            PANEL_BYTES * depth, address(start, start_at + at) if fresh else c_place,
            address(c, c_at + at), address(c_rows, 0), depth,
        )  # fmt: skip
        done += ROW_PANELS
    return done


def product(part, parts, step, first, rows, dtype, a):
    """One thread's share of ``c = f(start + a b)``.

    `height` (M) of -1 stands for the rows of the present batch.
    """
    panel = PANEL_BYTES // a.a.itemsize
    height = rows if a.height < 0 else a.height
    depth = a.a_terms.size
    blocks = row_blocks(height)
    panels = (a.width + panel - 1) // panel
    unit, last = share(panels * blocks, part, parts)
    if height == 1:
        at = unit * panel
        whole = min(last, a.width // panel) - unit
        done = row_product(
            dtype, a.a, int64(0), a.a_rows, a.a_terms, a.b, at * depth, a.b_terms, a.start, at,
            int64(True), a.c, at, a.c_rows, whole, depth,
        )  # fmt: skip
        begin = a.c_rows[0] + at
        activate(a.activation, a.slope, a.c[begin : begin + done * panel])
        unit += done
    while unit < last:
        p = unit // blocks
        block = unit - p * blocks
        block_end = min(blocks, block + last - unit)
        panel_product(
            dtype, a.a, int64(0), a.a_rows, a.a_terms, a.b, p * panel * depth, a.b_terms,
            a.start, p * panel, int64(True), a.c, p * panel, a.c_rows,
            block, block_end, height, min(panel, a.width - p * panel), depth, a.activation, a.slope,
        )  # fmt: skip
        unit += block_end - block
