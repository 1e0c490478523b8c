"""The output of a notebook's cell as a stream that shows what a terminal would."""

from __future__ import annotations

import io
import re
import sys
import time
from collections.abc import Callable
from typing import Any, Self

_PAUSE = 0.1  # seconds between updates: a kernel's messages are limited


class Cell(io.TextIOBase):
    """One display in the output of the running cell, which is updated as it is written to.

    A carriage return begins the last line anew, so that a progress bar stays one line; all else is
    a line below the others. It is text, and needs no widgets.

    Parameters
    ----------
    display : callable
        ``IPython.display.display``.
    """

    encoding = "utf-8"

    def __init__(self, display: Callable[..., Any]) -> None:
        self._display = display
        self._handle: Any = None
        self._lines, self._shown, self._updated = [""], "", float("-inf")

    @classmethod
    def running(cls) -> Self | None:
        """The output of the cell that runs, None where this is no notebook."""
        ipython: Any = sys.modules.get("IPython")
        shell = None if ipython is None else ipython.get_ipython()
        if getattr(shell, "kernel", None) is None:  # a terminal's shell has none
            return None
        from IPython.display import display

        return cls(display)

    def isatty(self) -> bool:
        """As a terminal, it can take a line back."""
        return True

    def write(self, text: str) -> int:
        """Take text in; :meth:`flush` shows it."""
        for part in re.split(r"(\r|\n)", text):
            if part == "\n":
                self._lines.append("")
            elif part == "\r":
                self._lines[-1] = ""
            else:
                self._lines[-1] += part
        return len(text)

    def flush(self) -> None:
        """Show what was written, if the last update was not just now."""
        if time.perf_counter() - self._updated >= _PAUSE:
            self.finish()

    def finish(self) -> None:
        """Show all that was written."""
        text = "\n".join(line.rstrip() for line in self._lines).rstrip("\n")
        if text == self._shown:
            return
        data = {"text/plain": text}
        if self._handle is None:
            self._handle = self._display(data, raw=True, display_id=True)
        else:
            self._handle.update(data, raw=True)
        self._shown, self._updated = text, time.perf_counter()
