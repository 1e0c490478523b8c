"""Object code on disk, safe for many processes, half-written files and edited sources.

A folder for each combination of the source of ``kernels`` and ``engine``, the compiler's versions
and the processor; in it one file an operation: a SHA-256 of the object code, then the object code.
A file is written aside and renamed, so it is whole or not there; what does not match its digest is
built again.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import platform
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import filelock
import platformdirs

from pellucid.kernels.target import target

_DIGEST = hashlib.sha256().digest_size


@cache
def key() -> str:
    """What the object code depends on, as a short hash."""
    digest = hashlib.sha256()
    package = Path(__file__).parent.parent
    for name in sorted(
        source.relative_to(package).as_posix()
        for part in ("engine", "kernels")
        for source in (package / part).rglob("*.py")
    ):
        digest.update(name.encode() + b"\0" + (package / name).read_bytes() + b"\0")
    versions = [importlib.metadata.version(name) for name in ("numba", "llvmlite")]
    for part in (*versions, platform.python_version(), platform.python_implementation(), *target()):
        digest.update(part.encode() + b"\0")
    return digest.hexdigest()[:24]


def _chosen() -> Path:
    named = os.environ.get("PELLUCID_CACHE_DIR")
    if named:  # absolute, since the process may change its folder
        return Path(named).expanduser().absolute()
    return platformdirs.user_cache_path("pellucid", appauthor=False)


def _refusal(folder: Path) -> str | None:
    """Why object code from this folder must not be run, if it must not."""
    if sys.platform == "win32":
        return None
    status = folder.stat()
    if status.st_uid != os.geteuid():
        return "it belongs to another user"
    if status.st_mode & 0o022:
        return "other users may write to it"
    return None


@cache
def folder() -> Path | None:
    """This process's cache folder, or None where nothing can be kept (one warning says so)."""
    home = _chosen()
    place = home / key()
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)  # a mode is for the last folder alone
        place.mkdir(exist_ok=True, mode=0o700)
        reason = _refusal(home) or _refusal(place)
        if reason is None:
            with tempfile.TemporaryFile(dir=place):
                return place
    except OSError as error:
        reason = error.strerror or str(error)
    warnings.warn(
        f"pellucid cannot keep its compiled kernels in '{home}': {reason}. They are compiled again "
        "in each process; set PELLUCID_CACHE_DIR to a folder of your own to avoid that.",
        RuntimeWarning,
        stacklevel=2,
    )
    return None


def read(name: str) -> bytes | None:
    """The object code kept under `name`, or None where there is none that is whole."""
    place = folder()
    if place is None:
        return None
    try:
        content = (place / f"{name}.o").read_bytes()
    except OSError:
        return None
    digest, code = content[:_DIGEST], content[_DIGEST:]
    return code if code and hashlib.sha256(code).digest() == digest else None


def write(name: str, code: bytes) -> None:
    """Keep object code. Where that fails, the next process compiles again: nothing is lost."""
    place = folder()
    if place is None:
        return
    aside = None
    try:
        handle, aside = tempfile.mkstemp(dir=place, prefix=f"{name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(code).digest() + code)
        os.replace(aside, place / f"{name}.o")
    except OSError:
        if aside is not None and os.path.exists(aside):
            os.unlink(aside)


@contextmanager
def building() -> Iterator[None]:
    """Hold the right to compile, so that many processes starting at once compile only once."""
    place = folder()
    lock = None
    if place is not None:
        try:
            lock = filelock.FileLock(place / "lock")
            lock.acquire()
        except (OSError, NotImplementedError):  # a file system without locks: build twice
            lock = None
    try:
        yield
    finally:
        if lock is not None:
            lock.release()
