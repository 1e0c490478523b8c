"""Ctrl-C and SIGTERM during a fit that has a checkpoint: heeded between two steps."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from types import FrameType
from typing import Any

TERMINATED = 128 + signal.SIGTERM
"""The exit code of a process that SIGTERM ended."""


class Terminated(SystemExit):
    """SIGTERM came."""


_RAISED: dict[int, tuple[Any, Callable[[], BaseException]]] = {
    signal.SIGINT: (signal.default_int_handler, KeyboardInterrupt),
    signal.SIGTERM: (signal.SIG_DFL, partial(Terminated, TERMINATED)),
}
"""The handlers that are replaced, and what is raised in their place."""


class Signals(AbstractContextManager):
    """Raises KeyboardInterrupt and Terminated between steps, where all that was done is known.

    Within a step a signal waits for the step's end; a second one does not. Handlers of the user's
    own stay as they are, and so do those of other threads than the main one.

    Attributes
    ----------
    between : bool
        Whether what is known of the training is of a whole number of steps.
    """

    def __init__(self) -> None:
        self.between = True
        self._came: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Signals:
        if threading.current_thread() is threading.main_thread():
            for number, (usual, _) in _RAISED.items():
                if signal.getsignal(number) is usual:
                    self._before[number] = usual
                    signal.signal(number, self._heed)
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}
        if not isinstance(error[1], (KeyboardInterrupt, Terminated)):
            self.raise_what_came()  # an error does not take its place

    def raise_what_came(self) -> None:
        """Raise what came and waited."""
        if self._came is not None:
            came, self._came = self._came, None
            raise _RAISED[came][1]()

    def _heed(self, number: int, frame: FrameType | None) -> None:
        again, self._came = self._came is not None, number
        if self.between or again:
            self.raise_what_came()
