"""What a command tells: lines for people, or one JSON object for programs."""

from __future__ import annotations

import contextlib
import json
import math
import os
import sys
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import click

from pellucid.terminal import filled


class Output:
    """Lines on standard output; with `as_json` one object there, and the lines on standard error.

    Parameters
    ----------
    quiet : bool
        Whether lines are left out.
    as_json : bool

    Attributes
    ----------
    notes : list of str
        What should make the user stop and look, whether it is shown or not.
    is_open : bool
        Whether lines are shown.
    """

    def __init__(self, quiet: bool = False, as_json: bool = False) -> None:
        self.as_json = as_json
        self.notes: list[str] = []
        self.is_open = not quiet

    def say(self, text: str) -> None:
        """Tell the user; a reader that has gone away does not lose what is being done."""
        try:
            if self.is_open:
                click.echo(text, err=self.as_json)
        except OSError:
            self.is_open = False
            # what waits to be written would fail again at the end
            stream = sys.stderr if self.as_json else sys.stdout
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())

    def note(self, text: str) -> None:
        """Tell what should make the user stop and look; programs have it among the notes."""
        self.notes.append(text)
        self.say(filled(text, 2))

    @contextlib.contextmanager
    def noting_warnings(self) -> Iterator[None]:
        """Within it warnings are said as they were before, and are notes too."""
        shown = warnings.showwarning

        def show(message: Warning | str, *more: Any, **named: Any) -> None:
            self.notes.append(str(message))
            shown(message, *more, **named)

        warnings.showwarning = show
        try:
            yield
        finally:
            warnings.showwarning = shown

    def result(self, content: Mapping[str, Any]) -> None:
        """The one object, where it is wanted."""
        if self.as_json:
            click.echo(json_text(content))


def json_text(content: Mapping[str, Any]) -> str:
    """`content` as JSON that every parser takes: ASCII, and null for what is no finite number."""
    return json.dumps(plain(content), allow_nan=False, indent=2)


def plain(value: Any) -> Any:
    """`value` as JSON can hold it."""
    if isinstance(value, Mapping):
        return {_text(str(key)): plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    if hasattr(value, "tolist"):  # of NumPy
        return plain(value.tolist())
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, (bool, int)) else _text(str(value))


def _text(text: str) -> str:
    """Without the bytes of a file's name that are no text."""
    return text.encode("utf-8", "replace").decode("utf-8")
