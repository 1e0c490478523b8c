"""What Pillow warns of while threads read pictures: each thread hears its own, and none is shown.

Python's warnings belong to the whole process. So there is one hook for all threads that read: the
first of them sets it, the last takes it away, and what others warn of goes on as before.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pellucid.engine import held_across_forks

_SPEAKERS = r"PIL\.|pellucid\.data\.pictures"  # modules that warn of pictures
_BOMB = r"Image size \(\d+ pixels\)"  # which are refused in our own words
_LOCK = held_across_forks(threading.RLock())
_listening = threading.local()
_listeners = 0
_filters: list[Any] = []  # ours
_hook: Any = None
_shown_before: Any = None


@contextmanager
def heard(keep: Callable[[str], object]) -> Iterator[None]:
    """Within it ``keep(message)`` gets what Pillow warns this thread of."""
    before = getattr(_listening, "keep", None)
    _listening.keep = keep
    _begin()
    try:
        yield
    finally:
        _end()
        _listening.keep = before


def _begin() -> None:
    global _listeners, _hook, _shown_before
    with _LOCK:
        _listeners += 1
        if _listeners > 1:
            return
        warnings.filterwarnings("always", category=UserWarning, module=_SPEAKERS)
        _filters[:] = warnings.filters[:1]
        warnings.filterwarnings("ignore", _BOMB, RuntimeWarning)
        _filters.append(warnings.filters[0])
        shown = _shown_before = warnings.showwarning

        def show(message: Warning | str, *more: Any, **named: Any) -> None:
            keep = getattr(_listening, "keep", None)
            if keep is None:
                shown(message, *more, **named)
            else:
                keep(str(message))

        _hook = warnings.showwarning = show


def _end() -> None:
    global _listeners
    with _LOCK:
        _listeners -= 1
        if _listeners:
            return
        if warnings.showwarning is _hook:  # else somebody has set another meanwhile
            warnings.showwarning = _shown_before
        for one in _filters:
            if one in warnings.filters:
                warnings.filters.remove(one)  # type: ignore[attr-defined]
