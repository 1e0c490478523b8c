"""libtiff, which decodes TIFF for Pillow, kept from writing lines of its own to stderr."""

from __future__ import annotations

import ctypes
import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pellucid.engine import held_across_forks

_WIDTH, _HEIGHT, _BITS, _COMPRESSION = 256, 257, 258, 259  # tags
_STRIPS, _SAMPLES, _ROWS, _STRIP_BYTES, _PLANAR = 273, 277, 278, 279, 284
_TILE_WIDTH, _TILE_HEIGHT, _TILES, _TILE_BYTES = 322, 323, 324, 325
_RAW = 1  # the compression that is none
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


def check_whole(picture: Any) -> None:
    """Refuse an open TIFF with fewer strips or tiles than its size needs.

    Pillow fills what is missing with black, or with whatever follows in the file. Without this a
    file of a few bytes could claim any number of pixels.

    Raises
    ------
    ValueError
        If some are missing, or shorter than their pixels where they are not compressed.
    """
    tags = picture.tag_v2
    width, height = tags[_WIDTH], tags[_HEIGHT]
    samples = tags.get(_SAMPLES, 1)
    bits = tags.get(_BITS, (1,))
    planes = samples if tags.get(_PLANAR, 1) == 2 else 1
    of_pixel = sum(bits) if len(bits) == samples else bits[0] * samples
    if _TILE_WIDTH in tags:
        across, down = tags[_TILE_WIDTH], tags[_TILE_HEIGHT]
        needed = -(-width // across) * -(-height // down)
        places, sizes, shape = tags.get(_TILES), tags.get(_TILE_BYTES), (down, across)
    else:
        down = min(tags.get(_ROWS, height), height) or height
        needed = -(-height // down)
        places, sizes, shape = tags.get(_STRIPS), tags.get(_STRIP_BYTES), (height, width)
    if places is None or len(places) < needed * planes:
        raise ValueError("parts of the picture are missing")
    if tags.get(_COMPRESSION, 1) == _RAW and sizes is not None:
        whole = shape[0] * -(-shape[1] * of_pixel // 8) * (needed if _TILE_WIDTH in tags else 1)
        if planes == 1 and sum(sizes) < whole:
            raise ValueError("parts of the picture are too short")


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
