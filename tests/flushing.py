"""A thread whose float state another library has set to flush tiny numbers to zero."""

from __future__ import annotations

import ctypes
import platform
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest


@contextmanager
def flushing_to_zero() -> Iterator[None]:
    """Within it this thread flushes to zero, and still does at the end."""
    libm = ctypes.CDLL(None)
    if not hasattr(libm, "fegetenv") or platform.machine() != "x86_64":
        pytest.skip("glibc on x86-64 only")
    saved = ctypes.create_string_buffer(64)
    libm.fegetenv(saved)
    flushing = ctypes.create_string_buffer(saved.raw, 64)
    # MXCSR is the last word of the 32 bytes that fegetenv stores
    word = int.from_bytes(saved.raw[28:32], "little") | 0x8040
    flushing[28:32] = word.to_bytes(4, "little")
    tiny = np.full(1, 1e-40, np.float32)
    libm.fesetenv(flushing)
    try:
        yield
        flushed = (tiny * np.float32(0.5))[0] == 0
    finally:
        libm.fesetenv(saved)
    assert flushed
