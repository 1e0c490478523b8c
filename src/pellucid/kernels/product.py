"""The one matrix product under every layer, on the tile.

formula   c = f(start + a b)
shapes    a (M, K) at any two strides, b (K, N) in panels, start (N,), c (M, N) in panels
reads     a, b, start
writes    c, whole panels wide: columns beyond N up to the panel's end hold what b's hold
source    the tile's; the three products of a linear layer are
              y = x W + b     dx = dz W^T     dW = x^T dz
          and differ in their strides alone.
"""

from __future__ import annotations

from pellucid.kernels.activations import activate
from pellucid.kernels.intrinsics import address, share
from pellucid.kernels.panels import HALF_PANEL_BYTES, PANEL_BYTES
from pellucid.kernels.tile import TILE_ROWS, VECTOR_BYTES, tile

DEPTH = 256  # so many rows of a panel of b stay in the L1 cache while the rows of a pass


def product(
    part, parts, step, first, rows, dtype,
    a, a_row, a_k, b, b_panel, b_k, start, c, c_panel, c_row,
    height, width, depth, activation, slope,
):  # fmt: skip
    """One thread's share of ``c = f(start + a b)``.

    `height` (M) or `depth` (K) of -1 stand for the rows of the present batch. Strides count
    elements; ``b_k`` or ``c_row`` of 0 means that the operand lies in packed panels, whose rows
    are as long as the panel is wide.
    """
    itemsize = a.itemsize
    panel = PANEL_BYTES // itemsize
    half = HALF_PANEL_BYTES // itemsize
    tile_columns = 2 * VECTOR_BYTES // itemsize
    height = rows if height < 0 else height
    depth = rows if depth < 0 else depth
    panels = (width + panel - 1) // panel
    blocks = (height + TILE_ROWS - 1) // TILE_ROWS
    chunks = max(1, (depth + DEPTH - 1) // DEPTH)
    unit, last = share(panels * blocks, part, parts)
    while unit < last:
        p = unit // blocks
        block = unit - p * blocks
        block_end = min(blocks, block + last - unit)
        columns = min(panel, width - p * panel)
        stored = panel if columns > half else half
        b_stride = stored if b_k == 0 else b_k
        c_stride = stored if c_row == 0 else c_row
        for chunk in range(chunks):
            k = depth * chunk // chunks
            k_count = depth * (chunk + 1) // chunks - k
            for i in range(block, block_end):
                top = height * i // blocks
                count = height * (i + 1) // blocks - top
                c_at = p * c_panel + top * c_stride
                column = 0
                while column < stored:
                    c_tile = address(c, c_at + column)
                    if chunk == 0:
                        begin, begin_row = address(start, p * panel + column), 0
                    else:
                        begin, begin_row = c_tile, c_stride * itemsize
                    tile(
                        dtype, count, 1 if stored - column >= tile_columns else 0,
                        address(a, top * a_row + k * a_k), a_row * itemsize, a_k * itemsize,
                        address(b, p * b_panel + k * b_stride + column), b_stride * itemsize,
                        begin, begin_row, c_tile, c_stride * itemsize, k_count,
                    )  # fmt: skip
                    column += tile_columns
                if activation != 0 and chunk == chunks - 1:
                    for r in range(count):
                        row = c_at + r * c_stride
                        activate(activation, slope, c[row : row + columns])
        unit += block_end - block
