"""What holds for every file, whatever is in it: errors are ours, and nobody else speaks or acts."""

from __future__ import annotations

import contextlib
import importlib
import os
import re
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator

REFUSALS = (ValueError, TypeError, OSError, ImportError, MemoryError)
_LONGEST = 400
# a class's name, a C library's prefix, a module's path, an array's dump
_FOREIGN = re.compile(
    r"[A-Za-z]{2,}(Error|Exception|Warning)\b|\bErrno\b|\bC error\b|<class |\bPIL\.(?!Image\.MAX_)|"
    r"\b(pandas|polars|pyarrow|narwhals|numpy|sklearn)\.\w|\bArrow[A-Z]|Traceback|0x[0-9a-f]{6,}"
)
_PROGRAMS = (
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.startfile",
    "pty.spawn",
)
_watching = False
_started: list[str] = []  # programs, while watching


def sentence(error: BaseException) -> str:
    """The text of a refusal, which must be one sentence of ours."""
    text, kind = str(error), type(error)
    assert kind.__module__ == "builtins" or kind.__module__.startswith("pellucid."), kind
    assert text and text.isprintable(), f"no printable line: {text!r}"
    assert text.endswith((".", "?")), f"no sentence: {text!r}"
    assert len(text) <= _LONGEST, f"{len(text)} characters: {text!r}"
    assert not _FOREIGN.search(text), f"not our voice: {text!r}"
    return text


@contextlib.contextmanager
def watched(silent: bool = True) -> Iterator[None]:
    """Within it no program may start, nothing may be written to stderr, and warnings are ours.

    Where it need not be `silent`, a panic of Rust may be written, which no caller can keep quiet.
    """
    global _watching
    if not _watching:
        sys.addaudithook(_no_program)
    with tempfile.TemporaryFile() as said, warnings.catch_warnings(record=True) as warned:
        warnings.resetwarnings()  # each shows once, as where nobody asked for more or less
        sys.stderr.flush()
        before = os.dup(2)
        os.dup2(said.fileno(), 2)
        _watching = True
        _started.clear()
        try:
            yield
        finally:
            _watching = False
            sys.stderr.flush()
            os.dup2(before, 2)
            os.close(before)
        said.seek(0)
        lines = said.read(2000)
    assert not _started, f"{_started[0]} was called"
    assert not lines or (not silent and b"panicked at" in lines), f"written to stderr: {lines!r}"
    for warning in warned:
        text = str(warning.message)
        assert issubclass(warning.category, UserWarning), f"{warning.category} {text!r}"
        assert text.isprintable() and not _FOREIGN.search(text), f"not our voice: {text!r}"


def _no_program(event: str, _: tuple) -> None:
    if _watching and event in _PROGRAMS:  # told afterwards: what is raised here may be caught
        _started.append(event)


def import_what(use: Callable[[], object]) -> None:
    """Import all modules that `use` imports. It runs in a fork, and its threads end there."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.close(reading)
            known = set(sys.modules)
            use()
            with os.fdopen(writing, "w") as file:
                file.write("\n".join(name for name in sys.modules if name not in known))
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as file:
        names = file.read().split()
    os.waitpid(child, 0)
    for name in names:
        with contextlib.suppress(ImportError):  # made up on the way, and no module of a file
            importlib.import_module(name)
