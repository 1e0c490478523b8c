"""The embedding of tokens: a row of a table for each whole number.

formula   y_t = (E[x_t1], ..., E[x_tC], u_t)
          dE[k] = sum of the parts of dy_t that come from tokens k
shapes    x (B, padded rows), x_places (T,) where the numbers of a step lie, `tokens` whole ones and
          then `others`; y, dy (B, padded rows), pixels (T,); E and dE V rows of D numbers in packed
          panels, `panel` numbers wide
reads     x, E, dy; absent (B,), the steps that a row lacks at its end, empty for none
writes    forward y; backward all of dE
source    ``pellucid.formulas.embedding``; Bengio et al., A Neural Probabilistic Language Model
          (2003)

Numbers come in the float type of the network, which holds those of any table exactly; a pass
refuses others than 0 to V - 1 before a kernel sees them. Each row of dE belongs to one thread,
which adds what it gets in the order of rows and steps.
"""

from __future__ import annotations

from numba import int64

from pellucid.kernels.batches import present
from pellucid.kernels.intrinsics import device, share


@device
def _row(value, count):
    """The row of a table of `count` rows that a number means: whatever comes, one that is there."""
    return int64(value) if value >= 0 and value < count else int64(0)


@device
def _place(row, column, count, columns, panel):
    """Where, in a packed matrix (count, columns), `row` begins in the panel of `column`.

    The last panel is half as wide where that suffices.
    """
    width = panel if columns - column > panel // 2 else panel // 2
    return column * count + row * width


def embedding_forward(part, parts, step, first, rows, dtype, a):
    """``y_t = (E[x_t1], ..., E[x_tC], u_t)``."""
    begin, end = share(rows, part, parts)
    for i in range(begin, end):
        for t in range(present(i, a.x_places.size, a.absent)):
            for token in range(a.tokens):
                row = _row(a.x[i, a.x_places[t] + token], a.count)
                start = a.pixels[t] + token * a.columns
                for column in range(0, a.columns, a.panel):
                    width = min(a.panel, a.columns - column)
                    place = _place(row, column, a.count, a.columns, a.panel)
                    source = a.table[place : place + width]
                    target = a.y[i, start + column : start + column + width]
                    for j in range(width):
                        target[j] = source[j]
            for j in range(a.others):
                beside = a.x[i, a.x_places[t] + a.tokens + j]
                a.y[i, a.pixels[t] + a.tokens * a.columns + j] = beside


def embedding_backward(part, parts, step, first, rows, dtype, a):
    """``dE[k] = sum of the parts of dy_t from tokens k``, of the rows k of this thread."""
    for row in range(part, a.count, parts):
        for column in range(0, a.columns, a.panel):
            width = min(a.panel, a.columns - column)
            place = _place(row, column, a.count, a.columns, a.panel)
            gradient = a.gradient[place : place + width]
            for j in range(width):
                gradient[j] = 0
    for i in range(rows):
        for t in range(present(i, a.x_places.size, a.absent)):
            for token in range(a.tokens):
                row = _row(a.x[i, a.x_places[t] + token], a.count)
                if row % parts == part:
                    start = a.pixels[t] + token * a.columns
                    for column in range(0, a.columns, a.panel):
                        width = min(a.panel, a.columns - column)
                        place = _place(row, column, a.count, a.columns, a.panel)
                        gradient = a.gradient[place : place + width]
                        dy = a.dy[i, start + column : start + column + width]
                        for j in range(width):
                            gradient[j] += dy[j]
