"""How the caller's thread rounds, while NumPy works in it on the way from data to weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np

from pellucid.engine import library
from pellucid.engine.arguments import record
from pellucid.engine.catalogue import function
from pellucid.engine.control import PLAIN_FLOAT_STATE, exchange_float_state


@cache
def _exchange() -> Any:
    name = exchange_float_state.__name__
    return function(library.load([name], "float64")[name])


@contextmanager
def plain_float_state() -> Iterator[None]:
    """Within it this thread rounds to nearest and flushes nothing to zero, as kernels do.

    Another library may have set it otherwise; then it is so again afterwards.
    """
    state = np.array([PLAIN_FLOAT_STATE])
    words = record(exchange_float_state(state=state))
    _exchange()(0, 1, 0, 0, 0, words.ctypes.data)
    try:
        yield
    finally:
        _exchange()(0, 1, 0, 0, 0, words.ctypes.data)
