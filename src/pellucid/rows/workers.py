"""Threads that make calls ahead of whoever wants their results.

As in :func:`pellucid.engine.threads.run_parts`, nothing here is left half done by what a signal's
handler raises in the main thread. After such an exception ``concurrent.futures`` may wait for ever.
"""

from __future__ import annotations

import weakref
from _thread import allocate_lock, start_new_thread
from collections.abc import Callable
from contextlib import AbstractContextManager
from queue import Empty, SimpleQueue
from typing import Any

from pellucid.engine.threads import Event


class Task:
    """A call that a worker makes."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self._call, self._claim, self._ended = call, allocate_lock(), Event()
        self._result: Any = None
        self._error: BaseException | None = None

    def run(self) -> None:
        """Make the call, unless it was cancelled."""
        if not self._claim.acquire(blocking=False):
            return
        try:
            self._result = self._call()
        except BaseException as error:
            self._error = error
        finally:
            self._ended.set()

    def cancel(self) -> None:
        """Do not make the call; return once it has ended if it was begun."""
        if not self._claim.acquire(blocking=False):
            self._ended.wait()

    def result(self) -> Any:
        """What the call returned, once it has; or raise what it raised."""
        self._ended.wait()
        if self._error is not None:
            raise self._error
        if not self._ended.happened:
            raise RuntimeError(
                "a process that is forked must leave what was being read to its parent, whose "
                "threads read it. Got back to it in the child. Begin anew there."
            )
        return self._result


class Workers(AbstractContextManager):
    """Threads that take tasks in turn; they end with the block, or with this object.

    Parameters
    ----------
    most : int
        The number of threads, which are started as tasks come.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: SimpleQueue[Any] = SimpleQueue()
        # where no end is reached: not __del__, in which what a handler raises would be lost
        self._gone = weakref.ref(self, self._waiting.put)
        self._ends: list[Event] = []  # of the threads

    def submit(self, call: Callable[[], Any]) -> Task:
        """Have a call made by a thread, or now where the system gives none."""
        task = Task(call)
        if len(self._ends) < self._most:
            end = Event()
            try:
                start_new_thread(_work, (self._waiting, self._gone, end))
                self._ends.append(end)
            except RuntimeError:
                if not self._ends:
                    task.run()
                    return task
        self._waiting.put(task)
        return task

    def close(self) -> None:
        """Leave what has not begun undone, and return once the threads have ended."""
        try:
            while True:
                self._waiting.get_nowait()
        except Empty:
            pass
        finally:
            self._waiting.put(None)
        for end in self._ends:
            end.wait()

    def __exit__(self, *error: object) -> None:
        self.close()


def _work(waiting: SimpleQueue[Any], gone: weakref.ref[Workers], end: Event) -> None:
    """What a thread does until something comes that is no task; that is left for the others.

    It keeps `gone`, whose workers may then be gone, alive.
    """
    try:
        while isinstance(task := waiting.get(), Task):
            task.run()
            del task  # and all that it holds, while there is none
        waiting.put(None)
    finally:
        end.set()
