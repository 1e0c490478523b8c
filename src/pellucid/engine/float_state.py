"""How the caller's thread rounds, while NumPy works in it on the way from data to weights."""

from __future__ import annotations

import threading
from contextlib import ContextDecorator

import numpy as np

from pellucid.engine import library
from pellucid.engine.arguments import record
from pellucid.engine.catalogue import function
from pellucid.engine.control import PLAIN_FLOAT_STATE, exchange_float_state


class _Exchange:
    """Exchanges a thread's float state for the one in `word`, which its call keeps at hand."""

    def __init__(self) -> None:
        name = exchange_float_state.__name__
        self._call = function(library.load([name], "float64")[name])
        state = np.array([PLAIN_FLOAT_STATE])
        self.word, self.before = state.data, list[int]()  # read sooner than an array
        self._record = record(exchange_float_state(state=state))
        self._arguments = (0, 1, 0, 0, 0, self._record.ctypes.data)

    def __call__(self) -> None:
        self._call(*self._arguments)


_of_thread = threading.local()


def _exchange_of_thread() -> _Exchange:
    try:
        return _of_thread.exchange
    except AttributeError:
        _of_thread.exchange = _Exchange()
        return _of_thread.exchange


class plain_float_state(ContextDecorator):  # noqa: N801  used as a function is
    """Within it this thread rounds to nearest and flushes nothing to zero, as kernels do.

    Another library may have set it otherwise; then it is so again afterwards.
    """

    def __enter__(self) -> None:
        exchange = _exchange_of_thread()
        exchange.word[0] = PLAIN_FLOAT_STATE
        exchange()
        exchange.before.append(exchange.word[0])

    def __exit__(self, *error: object) -> None:
        exchange = _exchange_of_thread()
        exchange.word[0] = exchange.before.pop()
        exchange()
