"""Convolution straight from the channels-last picture: three products on the tile, no copy.

formula   y[o] = f(b + sum over window positions q and channels c of x[window(o), q, c] W[q, c])
shapes    x (B, padded rows), W (FH FW C, OC) packed, b (OC,), y (B, padded rows)
reads     forward x, W, b; backward x, W, dy; tables of where windows, positions and pixels lie;
          missing (B,), the outputs that a row lacks at its end, empty for none
writes    forward y; backward dW, db, dx (all of a row of it; what lies in its border means nothing)
source    ``pellucid.formulas.convolution``; Chetlur et al., cuDNN (2014), for the three products

Rows of the tile are the pixels of a whole picture, so a map 11 wide costs no more than its share.
"""

from __future__ import annotations

from numba import njit

from pellucid.kernels.intrinsics import share
from pellucid.kernels.panels import PANEL_BYTES
from pellucid.kernels.product import panel_product, row_blocks


@njit(error_model="numpy", _nrt=False)
def _present(i, places, missing):
    """How many of the `places` row i has."""
    return max(0, places.size - missing[i]) if missing.size > 0 else places.size


def convolution_forward(
    part, parts, step, first, rows, dtype,
    x, windows, terms, w, w_rows, b, y, pixels, width, activation, slope, missing,
):  # fmt: skip
    """``y = f(b + x * W)``, picture by picture."""
    panel = PANEL_BYTES // x.itemsize
    depth = terms.size
    begin, end = share(rows, part, parts)
    for i in range(begin, end):
        outputs = _present(i, windows, missing)
        for at in range(0, width, panel):
            panel_product(
                dtype, x[i], 0, windows, terms, w, at * depth, w_rows, True,
                b, at, True, y[i], at, pixels, False,
                0, row_blocks(outputs), outputs, min(panel, width - at), depth, activation, slope,
            )  # fmt: skip


def convolution_backward_weight(
    part, parts, step, first, rows, dtype,
    x, windows, terms, dy, pixels, zeros, dw, w_rows, db, ones, nowhere, width, missing,
):  # fmt: skip
    """``dW[q, c] = sum over pictures and outputs of x[window(o), q, c] dy[o]``, ``db = sum dy``.

    Picture by picture. db, empty where there is no bias, is the product of dy and a column of ones:
    the table `nowhere` stays at one of them.
    """
    panel = PANEL_BYTES // x.itemsize
    height = terms.size
    blocks, panels = row_blocks(height), (width + panel - 1) // panel
    begin, last = share(panels * blocks, part, parts)
    for i in range(rows):
        depth = _present(i, windows, missing)
        unit = begin
        while unit < last:
            p = unit // blocks
            block = unit - p * blocks
            block_end = min(blocks, block + last - unit)
            panel_product(
                dtype, x[i], 0, terms, windows,
                dy[i], p * panel, pixels, False, zeros, 0, i == 0,
                dw, p * panel * height, w_rows, True,
                block, block_end, height, min(panel, width - p * panel), depth, 0, dtype(0),
            )  # fmt: skip
            if block == 0 and db.size > 0:
                panel_product(
                    dtype, ones, 0, nowhere, nowhere,
                    dy[i], p * panel, pixels, False, zeros, 0, i == 0,
                    db, p * panel, nowhere, False,
                    0, 1, 1, min(panel, width - p * panel), depth, 0, dtype(0),
                )  # fmt: skip
            unit += block_end - block


def convolution_backward_weight_by_rows(
    part, parts, step, first, rows, dtype,
    x, windows, terms, dy, pixels, zeros, dw, w_rows, db, ones, width, nowhere, missing,
):  # fmt: skip
    """The same for the slice `part` of the rows, into a row of dw (slices, size) and of db."""
    panel = PANEL_BYTES // x.itemsize
    height = terms.size
    begin, end = share(rows, part, parts)
    if begin == end:
        dw[part] = dtype(0)
        db[part] = dtype(0)
    for i in range(begin, end):
        depth = _present(i, windows, missing)
        for at in range(0, width, panel):
            panel_product(
                dtype, x[i], 0, terms, windows,
                dy[i], at, pixels, False, zeros, 0, i == begin,
                dw[part], at * height, w_rows, True,
                0, row_blocks(height), height, min(panel, width - at), depth, 0, dtype(0),
            )  # fmt: skip
            if db.shape[1] > 0:
                panel_product(
                    dtype, ones, 0, nowhere, nowhere,
                    dy[i], at, pixels, False, zeros, 0, i == begin,
                    db[part], at, nowhere, False,
                    0, 1, 1, min(panel, width - at), depth, 0, dtype(0),
                )  # fmt: skip


def sum_groups(part, parts, step, first, rows, dtype, groups, total):
    """The sum of the rows of `groups`, in their order."""
    begin, end = share(total.size, part, parts)
    out = total[begin:end]
    for j in range(out.size):
        out[j] = groups[0, begin + j]
    for i in range(1, groups.shape[0]):
        row = groups[i, begin:end]
        for j in range(out.size):
            out[j] += row[j]


def convolution_backward_input(
    part, parts, step, first, rows, dtype,
    dy, pixels, terms, wt, w_rows, dx, windows, offsets, width, missing,
):  # fmt: skip
    """``dx[window(o), q] += dy[o] W[q]^T`` for each position q: each output gives back a share."""
    panel = PANEL_BYTES // dy.itemsize
    half = panel // 2
    depth = terms.size
    panels = (width + panel - 1) // panel
    stored = (width + half - 1) // half * half
    zero = dtype(0)
    begin, end = share(rows, part, parts)
    for i in range(begin, end):
        outputs = _present(i, pixels, missing)
        row = dx[i]
        for j in range(row.size):
            row[j] = zero
        for p in range(panels):
            for q in range(offsets.size):
                panel_product(
                    dtype, dy[i], 0, pixels, terms,
                    wt, (q * stored + p * panel) * depth, w_rows, True, wt, 0, False,
                    row, offsets[q] + p * panel, windows, False,
                    0, row_blocks(outputs), outputs, min(panel, width - p * panel), depth,
                    0, zero,
                )  # fmt: skip
