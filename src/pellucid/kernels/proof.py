"""A known answer: what the product kernel must give, to the bit, on every machine.

It runs once a process and type, some 20 microseconds, after the kernel has been loaded. A cache
from another processor, a compiler that fuses what it should not, or memory gone bad shows here and
not in a model.
"""

from __future__ import annotations

import ctypes
import hashlib

import numpy as np

from pellucid.kernels.grid import spaced
from pellucid.kernels.panels import PANEL_BYTES, aligned, pack, rows_of, stored_columns

ROWS, DEPTH, COLUMNS, SIGMOID = 7, 19, 21, 3
ANSWERS = {
    "float32": "4e280a07ccbe5ab25f6da94f27f0e459",
    "float64": "54988979b84aead389211400d13323de",
}


def answer(dtype: str, product: int) -> str:
    """The hash of ``sigmoid(b + x W)`` for fixed x, W and b, by the kernel at address `product`."""
    panel = PANEL_BYTES // np.dtype(dtype).itemsize
    x, y = rows_of(ROWS, DEPTH, dtype), rows_of(ROWS, COLUMNS, dtype)
    # small odd multiples of powers of two: their products round, so the order of sums shows
    x[:, :DEPTH] = ((np.arange(ROWS * DEPTH) * 7919 % 2003) / 512.0 - 2).reshape(ROWS, DEPTH)
    weight = ((np.arange(DEPTH * COLUMNS) * 104729 % 4001) / 1024.0 - 2).reshape(DEPTH, COLUMNS)
    w = aligned(DEPTH * stored_columns(COLUMNS, dtype), dtype)
    pack(weight / 3.0, w)
    start = aligned(stored_columns(COLUMNS, dtype), dtype)
    start[:COLUMNS] = np.arange(COLUMNS) / 7.0 - 1
    x_rows, terms, y_rows = spaced(ROWS, x.shape[1]), spaced(DEPTH), spaced(ROWS, y.shape[1])
    arrays = [[each.ctypes.data, each.size] for each in (x, x_rows, terms, w, start, y, y_rows)]
    record = np.array(
        [
            *arrays[0], *arrays[1], *arrays[2],
            *arrays[3], *arrays[2], DEPTH * panel, 1, *arrays[4],
            *arrays[5], *arrays[6], panel, 0,
            ROWS, COLUMNS, DEPTH, SIGMOID, 0,
        ],
        dtype=np.int64,
    )  # fmt: skip
    function = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 6)(product)
    function(0, 1, 0, 0, ROWS, record.ctypes.data)
    return hashlib.sha256(y[:, :COLUMNS].tobytes()).hexdigest()[:32]


def check(dtype: str, product: int, place: object) -> None:
    """Refuse kernels that do not give the known answer."""
    found = answer(dtype, product)
    if found != ANSWERS[dtype]:
        raise RuntimeError(
            f"the {dtype} kernels in '{place}' must give the known answer {ANSWERS[dtype]}. "
            f"Got {found}. Remove that folder to have them compiled anew; if that does not help, "
            "please report your processor."
        )
