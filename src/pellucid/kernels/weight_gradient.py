"""The gradient of weights, summed over rows or steps, on the tile.

formula   dW = sum over k of x_k^T dz_k,  db = sum over k of dz_k,  k in ascending order
shapes    x (K, I), dz (K, H); dW (I, H) packed, db (H,), empty where it is not wanted
reads     x, dz, tables of where each k lies in both and each column in x; `zeros`, as long as a
          panel; `numbers`, 0, 1, 2 and so on; `tile_terms`, multiples of ``TILE_ROWS``
writes    dW and db; `packed`, room for what is packed
source    Goto and van de Geijn, Anatomy of High-Performance Matrix Multiplication (2008): blocks of
          both operands are packed in the order in which the tile reads them, to be used many times.
          As they lie, their rows are far apart, on many pages and in few sets of the cache.
"""

from __future__ import annotations

from pellucid.kernels.intrinsics import address, device, share
from pellucid.kernels.panels import GRADIENT_DEPTH, HALF_PANEL_BYTES, PANEL_BYTES, TILE_ROWS
from pellucid.kernels.product import row_blocks
from pellucid.kernels.tile import tile
from pellucid.kernels.vectors import VECTOR_BYTES, mover

# packing is worth its time from so many terms on, tiles that read dz, and panels that read x
FEW_TERMS, MANY_TILES, MANY_PANELS = 64, 12, 4

move_half_panel = mover(lambda itemsize: HALF_PANEL_BYTES // itemsize)
move_tile_rows = mover(lambda itemsize: TILE_ROWS)


@device
def _add_rows(dtype, dz, at, terms, k, count, fresh, db):
    """``db = sum of dz``, or without `fresh` ``db += sum of dz``, over `count` terms from k on."""
    if fresh:
        for j in range(db.size):
            db[j] = dtype(0)
    for n in range(k, k + count):
        row = dz[at + terms[n] : at + terms[n] + db.size]
        for j in range(db.size):
            db[j] += row[j]


@device
def _pack_dz(dtype, dz, at, terms, k, count, width, panels, packed):
    """`count` terms of some panels, panel after panel; `width` is left from the first on."""
    panel = PANEL_BYTES // dz.itemsize
    for q in range(panels):
        whole = width - q * panel > panel // 2  # the last panel may be half as wide
        step = PANEL_BYTES if whole else HALF_PANEL_BYTES
        target = address(packed, q * GRADIENT_DEPTH * panel)
        for n in range(k, k + count):
            source = address(dz, at + q * panel + terms[n])
            move_half_panel(dtype, source, target)
            if whole:
                move_half_panel(dtype, source + HALF_PANEL_BYTES, target + HALF_PANEL_BYTES)
            target += step


@device
def _pack_x(dtype, x, rows, terms, k, count, block, block_end, height, packed):
    """`count` terms of some tiles, tile after tile: its rows side by side for each term."""
    blocks = row_blocks(height)
    for t in range(block, block_end):
        top = height * t // blocks
        tile_rows = height * (t + 1) // blocks - top
        base = (t - block) * GRADIENT_DEPTH * TILE_ROWS
        if tile_rows == TILE_ROWS and rows[top + TILE_ROWS - 1] == rows[top] + TILE_ROWS - 1:
            target = address(packed, base)
            for n in range(k, k + count):
                move_tile_rows(dtype, address(x, rows[top] + terms[n]), target)
                target += TILE_ROWS * x.itemsize
        else:
            for n in range(k, k + count):
                at = base + (n - k) * TILE_ROWS
                for r in range(tile_rows):
                    packed[at + r] = x[terms[n] + rows[top + r]]


@device
def _sum_block(
    dtype, a, packed, x, x_rows, x_terms, dz, dz_at, dz_terms, fresh, dw, db, number, panels,
    block, block_end, height, width, depth,
):  # fmt: skip
    """Row blocks `block` to `block_end` of some panels from that `number` on, packed together."""
    size = x.itemsize
    panel = PANEL_BYTES // size
    tile_columns = 2 * VECTOR_BYTES // size
    blocks = max(1, row_blocks(height))
    packed_dz = packed[: a.wide * GRADIENT_DEPTH * panel]
    packed_x = packed[packed_dz.size :]
    many = depth > FEW_TERMS and packed_x.size >= a.tall * GRADIENT_DEPTH * TILE_ROWS
    packs_dz, packs_x = many and block_end - block >= MANY_TILES, many and panels >= MANY_PANELS
    tall = a.tall if packs_x else block_end - block
    first = number * panel
    own_db = db[first : min(width, first + panels * panel)] if block == 0 else db[:0]
    chunks = max(1, (depth + GRADIENT_DEPTH - 1) // GRADIENT_DEPTH)
    for chunk in range(chunks):
        k = depth * chunk // chunks
        count = depth * (chunk + 1) // chunks - k
        begins = chunk == 0 and fresh != 0
        if db.size > 0 and block == 0:
            _add_rows(dtype, dz, dz_at + first, dz_terms, k, count, begins, own_db)
        if packs_dz:
            _pack_dz(dtype, dz, dz_at + first, dz_terms, k, count, width - first, panels, packed_dz)
        for i in range(block, block_end, tall):
            end = min(i + tall, block_end)
            if packs_x:
                _pack_x(dtype, x, x_rows, x_terms, k, count, i, end, height, packed_x)
            for q in range(panels):
                at = first + q * panel
                stored = panel if width - at > panel // 2 else panel // 2
                dz_place = address(dz, dz_at + at)
                dz_table, dz_scale = address(dz_terms, k), size
                if packs_dz:
                    dz_place = address(packed_dz, q * GRADIENT_DEPTH * panel)
                    dz_table, dz_scale = address(a.numbers, 0), stored * size
                for t in range(i, end):
                    top = height * t // blocks
                    x_place, rows = address(x, 0), address(x_rows, top)
                    terms = address(x_terms, k)
                    if packs_x:
                        x_place = address(packed_x, (t - i) * GRADIENT_DEPTH * TILE_ROWS)
                        rows, terms = address(a.numbers, 0), address(a.tile_terms, 0)
                    for column in range(0, stored, tile_columns):
                        c = address(dw, at * height + column)
                        tile(
                            dtype, height * (t + 1) // blocks - top,
                            1 if stored - column >= tile_columns else 0,
                            x_place, rows, terms, dz_place + column * size, dz_table, dz_scale,
                            address(a.zeros, 0) if begins else c, 0 if begins else stored * size,
                            c, address(a.numbers, top), stored * size, count,
                        )  # fmt: skip
    last = first + (panels - 1) * panel
    if width - last < panel:
        begin, end = height * block // blocks, height * block_end // blocks
        _clear_padding(dw, last, begin, end, height, width, panel)


@device
def _clear_padding(dw, at, top, end, height, width, panel):
    """Zeros behind the columns of the panel that begins at column `at`, in rows `top` to `end`.

    The tile wrote there what stands behind dz, which may be a neighbour.
    """
    columns = min(panel, width - at)
    stored = panel if columns > panel // 2 else panel // 2
    for r in range(top, end):
        row = dw[at * height + r * stored + columns : at * height + (r + 1) * stored]
        for j in range(row.size):
            row[j] = 0


@device
def sum_gradient(
    dtype, part, parts, a, x, x_rows, x_terms, dz, dz_at, dz_terms, fresh, dw, db, height, width,
    depth,
):  # fmt: skip
    """The share of thread `part`, of row blocks counted panel after panel.

    Without `fresh` sums go on from what dW and db hold. The operation's arguments `a` hold the
    tables, and `packed`, room for `wide` panels of dz and `tall` tiles of x for each thread;
    where it is less, nothing is packed.
    """
    panel = PANEL_BYTES // x.itemsize
    blocks = max(1, row_blocks(height))
    own = a.packed.size // parts
    packed = a.packed[part * own : (part + 1) * own]
    unit, last = share((width + panel - 1) // panel * blocks, part, parts)
    while unit < last:
        number = unit // blocks
        block = unit - number * blocks
        panels, block_end = 1, min(blocks, block + last - unit)
        if block == 0 and last - unit > blocks:
            panels = max(1, min((last - unit) // blocks, a.wide))
        _sum_block(
            dtype, a, packed, x, x_rows, x_terms, dz, dz_at, dz_terms, fresh, dw, db, number,
            panels, block, block_end, height, width, depth,
        )  # fmt: skip
        unit += panels * (block_end - block)


def weight_gradient(part, parts, step, first, rows, dtype, a):
    """``dW = x^T dz`` and ``db = sum of dz``, over the rows of the batch."""
    sum_gradient(
        dtype, part, parts, a, a.x, a.features, a.x_rows, a.dz, 0, a.dz_rows, 1, a.dw, a.db,
        a.features.size, a.width, rows,
    )  # fmt: skip
