"""A known answer: what the product kernel must give, to the bit, on every machine.

It runs once a process and type, some 20 microseconds, after the kernel has been loaded. A cache
from another processor, a compiler that fuses what it should not, or memory gone bad shows here and
not in a model.
"""

from __future__ import annotations

import hashlib

import numpy as np

from pellucid.engine.arguments import record
from pellucid.engine.catalogue import function
from pellucid.kernels.grid import spaced
from pellucid.kernels.operations.activations import SIGMOID
from pellucid.kernels.operations.product import product
from pellucid.kernels.panels import aligned, pack, rows_of, stored_columns

ROWS, DEPTH, COLUMNS = 7, 19, 21
ANSWERS = {
    "float32": "4e280a07ccbe5ab25f6da94f27f0e459",
    "float64": "54988979b84aead389211400d13323de",
}


def answer(dtype: str, address: int) -> str:
    """The hash of ``sigmoid(b + x W)`` for fixed x, W and b, by the product kernel at `address`."""
    x, y = rows_of(ROWS, DEPTH, dtype), rows_of(ROWS, COLUMNS, dtype)
    # small odd multiples of powers of two: their products round, so the order of sums shows
    x[:, :DEPTH] = ((np.arange(ROWS * DEPTH) * 7919 % 2003) / 512.0 - 2).reshape(ROWS, DEPTH)
    weight = ((np.arange(DEPTH * COLUMNS) * 104729 % 4001) / 1024.0 - 2).reshape(DEPTH, COLUMNS)
    w = aligned(DEPTH * stored_columns(COLUMNS, dtype), dtype)
    pack(weight / 3.0, w)
    start = aligned(stored_columns(COLUMNS, dtype), dtype)
    start[:COLUMNS] = np.arange(COLUMNS) / 7.0 - 1
    words = record(
        product(
            a=x.reshape(-1), a_rows=spaced(ROWS, x.shape[1]), a_terms=spaced(DEPTH),
            b=w, b_terms=spaced(DEPTH), start=start, c=y.reshape(-1),
            c_rows=spaced(ROWS, y.shape[1]),
            height=ROWS, width=COLUMNS, activation=SIGMOID, slope=0.0,
        )
    )  # fmt: skip
    function(address)(0, 1, 0, 0, ROWS, words.ctypes.data)
    return hashlib.sha256(y[:, :COLUMNS].tobytes()).hexdigest()[:32]


def check(dtype: str, address: int, place: object) -> None:
    """Refuse kernels that do not give the known answer."""
    given = answer(dtype, address)
    if given != ANSWERS[dtype]:
        raise RuntimeError(
            f"the {dtype} kernels in '{place}' must give the known answer {ANSWERS[dtype]}. "
            f"Got {given}. Remove that folder to have them compiled anew; if that does not help, "
            "please report your processor."
        )
