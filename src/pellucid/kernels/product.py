"""The one matrix product under every layer, on the tile.

formula   c = f(start + a b)
shapes    a (M, K), b (K, N), start (N,), c (M, N); b and c in panels
reads     a, b, start, and tables of where rows and terms lie (see the tile)
writes    c, whole panels wide: columns beyond N up to the panel's end hold what b's hold
source    the tile's; the three products of a linear layer are
              y = x W + b     dx = dz W^T     dW = x^T dz
          and differ in where their rows and terms lie alone.
"""

from __future__ import annotations

from numba import int64

from pellucid.kernels.activations import activate
from pellucid.kernels.intrinsics import address, device, share
from pellucid.kernels.operations.activations import IDENTITY
from pellucid.kernels.panels import DEPTH, HALF_PANEL_BYTES, LOOSE_DEPTH, PANEL_BYTES
from pellucid.kernels.tile import TILE_ROWS, tile
from pellucid.kernels.vectors import VECTOR_BYTES


@device
def row_blocks(height):
    """Into how many tiles `height` rows are shared out evenly: 11 are 6 + 5, not 8 + 3."""
    return (height + TILE_ROWS - 1) // TILE_ROWS


@device
def panel_product(
    dtype, a, a_at, a_rows, a_terms, b, b_at, b_terms, b_packed, start, start_at, fresh,
    c, c_at, c_rows, c_packed, block, block_end, height, columns, depth, activation, slope,
):  # fmt: skip
    """Row blocks `block` to `block_end` of one panel: ``c = f(start + a b)``.

    Without `fresh` the sum goes on from what c holds. A packed operand's table counts rows, which
    are as long as the panel is wide; else it counts elements. Callers write constants as
    ``int64(0)``: for each plain 0 or True Numba would compile all of this anew.
    """
    size = a.itemsize
    half = HALF_PANEL_BYTES // size
    tile_columns = 2 * VECTOR_BYTES // size
    stored = 2 * half if columns > half else half
    b_scale = stored * size if b_packed else size
    c_scale = stored * size if c_packed else size
    blocks = row_blocks(height)
    limit = DEPTH if b_packed else LOOSE_DEPTH
    chunks = max(1, (depth + limit - 1) // limit)
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
                    address(b, b_at + column), address(b_terms, k), b_scale,
                    c_tile if goes_on else address(start, start_at + column),
                    c_scale if goes_on else 0,
                    c_tile, address(c_rows, top), c_scale, count,
                )  # fmt: skip
                column += tile_columns
            if activation != IDENTITY and chunk == chunks - 1:
                for r in range(top, top + rows):
                    at = c_at + c_rows[r] * (stored if c_packed else 1)
                    activate(activation, slope, c[at : at + columns])


def product(part, parts, step, first, rows, dtype, a):
    """One thread's share of ``c = f(start + a b)``.

    `height` (M) or `depth` (K) of -1 stand for the rows of the present batch; `b_panel` and
    `c_panel` are the elements from one panel to the next.
    """
    panel = PANEL_BYTES // a.a.itemsize
    height = rows if a.height < 0 else a.height
    depth = rows if a.depth < 0 else a.depth
    blocks = row_blocks(height)
    panels = (a.width + panel - 1) // panel
    unit, last = share(panels * blocks, part, parts)
    while unit < last:
        p = unit // blocks
        block = unit - p * blocks
        block_end = min(blocks, block + last - unit)
        panel_product(
            dtype, a.a, int64(0), a.a_rows, a.a_terms, a.b, p * a.b_panel, a.b_terms, a.b_packed,
            a.start, p * panel, int64(True), a.c, p * a.c_panel, a.c_rows, a.c_packed,
            block, block_end, height, min(panel, a.width - p * panel), depth, a.activation, a.slope,
        )  # fmt: skip
        unit += block_end - block
