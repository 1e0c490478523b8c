"""Guard pages: the kernels' arrays end where memory may not be touched.

A kernel that reads or writes beyond its array then ends the process, where it would else go on with
what happens to lie there.
"""

from __future__ import annotations

import ctypes
import mmap

import numpy as np

from pellucid.kernels import panels

_PAGE = mmap.PAGESIZE
_protect = ctypes.CDLL(None, use_errno=True).mprotect
_protect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
_NO_ACCESS = 0


def guarded(size: int) -> np.ndarray:
    """As ``panels.memory_of``: `size` bytes between two pages that may not be touched.

    Its last bytes, by which ``panels.aligned`` may move the array up, lie behind the array's end,
    and so in the second of these pages.
    """
    used = size - panels.HALF_PANEL_BYTES
    pages = -(-max(used, 1) // _PAGE)
    memory = np.frombuffer(mmap.mmap(-1, (pages + 2) * _PAGE), dtype=np.uint8)
    address = memory.ctypes.data
    for page in (0, pages + 1):
        if _protect(address + page * _PAGE, _PAGE, _NO_ACCESS):
            raise OSError(ctypes.get_errno(), "mprotect")
    end = (pages + 1) * _PAGE
    begin = end - used - (-used) % panels.HALF_PANEL_BYTES  # at a cache line
    return memory[begin : begin + size]


def install() -> None:
    """Put guard pages around all arrays that are made from here on."""
    panels.memory_of = guarded
