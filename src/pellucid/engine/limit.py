"""What this machine can do at most: the tile on operands that stay in the L1 cache."""

from __future__ import annotations

import time

from pellucid.engine.arguments import operation
from pellucid.engine.program import Program
from pellucid.engine.threads import available
from pellucid.kernels.grid import spaced
from pellucid.kernels.operations.activations import IDENTITY
from pellucid.kernels.operations.product import product
from pellucid.kernels.panels import aligned, row_length, stored_columns


def measure_limit(
    threads: int | None = None, dtype: str = "float32", seconds: float = 0.5
) -> float:
    """The machine's rate of multiply-adds, in GFLOP/s, on `threads` threads.

    The best of several short runs of a product whose operands each thread keeps in its L1 cache.
    """
    parts = available() if threads is None else threads
    rows, depth, columns = 64 * parts, 128, 32
    wide = stored_columns(columns, dtype)
    length = row_length(depth, dtype)
    a = aligned(rows * length, dtype)
    b, start = aligned(depth * wide, dtype), aligned(wide, dtype)
    c = aligned(rows * wide, dtype)
    products = operation(
        product(
            a=a, a_rows=spaced(rows, length), a_terms=spaced(depth),
            b=b, b_terms=spaced(depth), start=start, c=c, c_rows=spaced(rows, wide),
            height=rows, width=columns, activation=IDENTITY, slope=0.0,
        ),
        meets=False,
    )  # fmt: skip
    program = Program([products])
    steps, best = 64, float("inf")
    finish = time.perf_counter() + seconds
    while time.perf_counter() < finish:
        begin = time.perf_counter()
        program.run(0, steps, 1, steps, parts)
        spent = time.perf_counter() - begin
        best = min(best, spent / steps)
        if spent < 0.02:
            steps *= 2
    return 2.0 * rows * depth * columns / best / 1e9
