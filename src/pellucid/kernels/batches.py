"""The rows of the present batch, gathered in the epoch's order.

formula   x[i] = data[order[first + i]]
shapes    data (N, I), order (N,), x (B, I), rows padded
reads     data, order
writes    x
source    none: a copy, so that every later kernel reads its rows side by side
"""

from __future__ import annotations

from pellucid.kernels.intrinsics import share


def gather(part, parts, step, first, rows, dtype, data, order, x, columns):
    """Copy the batch's rows into `x`."""
    begin, end = share(rows, part, parts)
    for i in range(begin, end):
        source = order[first + i]
        for j in range(columns):
            x[i, j] = data[source, j]
