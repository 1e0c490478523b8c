"""The solution of a ridge regression's normal equations.

formula   A = U^T U; U^T z = b; U x = z
shapes    a (P, P), of which the upper triangle counts; b (P, H)
reads     a, b
writes    U over a, x over b
source    ``pellucid.formulas.ridge``

One thread works: what a network is begun with is solved once, and the inner loops go over whole
rows. The order of the sums is that of the rows.
"""

from __future__ import annotations

from pellucid.kernels.intrinsics import sqrt


def solve_positive(part, parts, step, first, rows, dtype, a):
    """Solve ``a x = b`` for a positive definite `a`, in place."""
    if part > 0:
        return
    u, x, size, columns = a.a, a.b, a.a.shape[0], a.b.shape[1]
    for k in range(size):
        pivot = sqrt(u[k, k])
        row = u[k]
        for j in range(k, size):
            row[j] /= pivot
        for i in range(k + 1, size):
            below, factor = u[i], row[i]
            for j in range(i, size):
                below[j] -= factor * row[j]
    for k in range(size):
        for h in range(columns):
            x[k, h] /= u[k, k]
        for i in range(k + 1, size):
            factor = u[k, i]
            for h in range(columns):
                x[i, h] -= factor * x[k, h]
    for n in range(size):
        k = size - 1 - n
        for i in range(k + 1, size):
            factor = u[k, i]
            for h in range(columns):
                x[k, h] -= factor * x[i, h]
        for h in range(columns):
            x[k, h] /= u[k, k]
