"""Convolution straight from the channels-last picture: three products on the tile, no copy.

formula   y[o] = f(b + sum over window positions q and channels c of x[window(o), q, c] W[q, c])
shapes    x (B, padded rows), W (FH FW C, OC) packed, b (OC,), y (B, padded rows)
reads     forward x, W, b; backward x, W, dy; tables of where windows, positions and pixels lie;
          absent (B,), the outputs that a row lacks at its end, empty for none
writes    forward y; backward dW, db, dx (all of a row of it; what lies in its border means nothing)
source    ``pellucid.formulas.convolution``; Chetlur et al., cuDNN (2014), for the three products

Rows of the tile are the pixels of a whole picture, so a map 11 wide costs no more than its share.
"""

from __future__ import annotations

from numba import int64

from pellucid.kernels.batches import present
from pellucid.kernels.intrinsics import share
from pellucid.kernels.operations.activations import IDENTITY
from pellucid.kernels.panels import PANEL_BYTES
from pellucid.kernels.product import panel_product, row_blocks
from pellucid.kernels.weight_gradient import sum_gradient


def convolution_forward(part, parts, step, first, rows, dtype, a):
    """``y = f(b + x * W)``, picture by picture."""
    panel = PANEL_BYTES // a.x.itemsize
    depth = a.terms.size
    begin, end = share(rows, part, parts)
    for i in range(begin, end):
        outputs = present(i, a.windows.size, a.absent)
        for at in range(0, a.width, panel):
            panel_product(
                dtype, a.x[i], int64(0), a.windows, a.terms, a.w, at * depth, a.w_rows,
                a.b, at, int64(True), a.y[i], at, a.pixels, int64(0),
                row_blocks(outputs), outputs, min(panel, a.width - at), depth, a.activation,
                a.slope,
            )  # fmt: skip


def convolution_backward_weight(part, parts, step, first, rows, dtype, a):
    """``dW[q, c] = sum over pictures and outputs of x[window(o), q, c] dy[o]``, ``db = sum dy``.

    Picture by picture. db is empty where there is no bias.
    """
    for i in range(rows):
        sum_gradient(
            dtype, part, parts, a, a.x[i], a.terms, a.windows, a.dy[i], 0, a.pixels, int64(i == 0),
            a.dw, a.db, a.terms.size, a.width, present(i, a.windows.size, a.absent),
        )  # fmt: skip


def convolution_backward_weight_by_rows(part, parts, step, first, rows, dtype, a):
    """The same for the slice `part` of the rows, into a row of dw (slices, size) and of db."""
    begin, end = share(rows, part, parts)
    if begin == end:
        a.dw[part] = dtype(0)
        a.db[part] = dtype(0)
    for i in range(begin, end):
        sum_gradient(
            dtype, 0, 1, a, a.x[i], a.terms, a.windows, a.dy[i], 0, a.pixels, int64(i == begin),
            a.dw[part], a.db[part], a.terms.size, a.width, present(i, a.windows.size, a.absent),
        )  # fmt: skip


def sum_groups(part, parts, step, first, rows, dtype, a):
    """The sum of the rows of `groups`, in their order."""
    begin, end = share(a.total.size, part, parts)
    total = a.total[begin:end]
    for j in range(total.size):
        total[j] = a.groups[0, begin + j]
    for i in range(1, a.groups.shape[0]):
        row = a.groups[i, begin:end]
        for j in range(total.size):
            total[j] += row[j]


def convolution_backward_input(part, parts, step, first, rows, dtype, a):
    """``dx[window(o), q] += dy[o] W[q]^T`` for each position q: each output gives back a share."""
    panel = PANEL_BYTES // a.dy.itemsize
    half = panel // 2
    depth = a.terms.size
    panels = (a.width + panel - 1) // panel
    stored = (a.width + half - 1) // half * half
    zero = dtype(0)
    begin, end = share(rows, part, parts)
    for i in range(begin, end):
        outputs = present(i, a.pixels.size, a.absent)
        row = a.dx[i]
        for j in range(row.size):
            row[j] = zero
        for p in range(panels):
            for q in range(a.offsets.size):
                panel_product(
                    dtype, a.dy[i], int64(0), a.pixels, a.terms,
                    a.wt, (q * stored + p * panel) * depth, a.w_rows, a.wt, int64(0),
                    int64(False), row, a.offsets[q] + p * panel, a.windows, int64(0),
                    row_blocks(outputs), outputs, min(panel, a.width - p * panel), depth,
                    int64(IDENTITY), zero,
                )  # fmt: skip
