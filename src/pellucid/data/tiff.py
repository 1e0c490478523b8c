"""libtiff, which decodes TIFF for Pillow, kept from writing lines of its own to stderr."""

from __future__ import annotations

import ctypes
import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pellucid.engine import held_across_forks

_LOCK = held_across_forks(threading.RLock())
_silent = 0  # threads that decode a TIFF at the moment
_handler: int | None = None  # what libtiff called before the first of them


@contextmanager
def quiet() -> Iterator[None]:
    """Let libtiff say nothing: what it would say, Pillow's exception says.

    The handler of errors is one for the whole process: the first thread that decodes takes it away,
    and the last puts it back. Where Pillow was built with libtiff inside it cannot be reached, and
    libtiff's lines come as before.
    """
    global _silent, _handler
    set_handler = _handler_setter()
    if set_handler is None:
        yield
        return
    with _LOCK:
        if not _silent:
            _handler = set_handler(None)
        _silent += 1
    try:
        yield
    finally:
        with _LOCK:
            _silent -= 1
            if not _silent:
                set_handler(_handler)


@functools.cache
def _handler_setter() -> Any:
    """libtiff's function that changes the handler of errors and returns the one before."""
    from PIL import _imaging

    try:  # found through Pillow's own module, so that it is the libtiff that Pillow uses
        setter = ctypes.CDLL(_imaging.__file__).TIFFSetErrorHandler
    except (AttributeError, OSError):
        return None
    setter.restype, setter.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
    return setter
