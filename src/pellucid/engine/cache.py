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
import stat
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import filelock
import platformdirs

from pellucid.kernels.target import target

_DIGEST = hashlib.sha256().digest_size
_ASIDE = ".part"  # how the name of a file ends that is being written
SPEAK_AFTER, PATIENCE = 1.0, 120.0  # seconds of waiting for another process


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
    """The folder that is asked for, which may begin with ``~``."""
    named = os.environ.get("PELLUCID_CACHE_DIR")
    return Path(named) if named else platformdirs.user_cache_path("pellucid", appauthor=False)


def _make(folder: Path) -> None:
    """Make a folder that is the user's alone, and those above it that are not there."""
    if not folder.is_dir():
        if folder.parent == folder:
            raise FileNotFoundError(f"'{folder}' does not exist")
        _make(folder.parent)
        folder.mkdir(exist_ok=True, mode=0o700)


def _refusal(home: Path, place: Path) -> str | None:
    """Why object code from `place`, a folder in `home`, must not be run, if it must not.

    Both must be this user's, and nobody else may write to them. Nor to those above, where they
    could be swapped: as sshd has it of a user's keys, these must be this user's or root's. In one
    like /tmp everybody may replace only what is their own. Root may work below another user's
    folder, as in a container, where such a folder is lent to it.
    """
    if sys.platform == "win32":
        return None
    user = os.geteuid()
    for own in (home, place):
        status = own.stat()
        if status.st_uid != user:
            return "it belongs to another user"
        if _shared(status):
            return "other users may write to it"
    for above in home.parents:
        status = above.stat()
        if status.st_uid not in {user, *_roots()} and user != 0:
            return f"the folder '{above}' above it belongs to another user"
        if _shared(status) and not status.st_mode & stat.S_ISVTX:
            return f"other users may write to the folder '{above}' above it"
    return None


def _shared(status: os.stat_result) -> bool:
    """Whether others than the owner may write. A group of the owner's name is the owner alone."""
    import grp
    import pwd

    if status.st_mode & stat.S_IWOTH or not status.st_mode & stat.S_IWGRP:
        return bool(status.st_mode & stat.S_IWOTH)
    try:
        owner, group = pwd.getpwuid(status.st_uid).pw_name, grp.getgrgid(status.st_gid)
    except KeyError:
        return True
    return group.gr_name != owner or not {owner}.issuperset(group.gr_mem)


@cache
def _roots() -> set[int]:
    """The users who stand for root: in a user namespace also those whom it has no number for."""
    try:
        lines = Path("/proc/self/uid_map").read_text().splitlines()
        unnumbered = int(Path("/proc/sys/kernel/overflowuid").read_text())
        known = sum(int(line.split()[2]) for line in lines)
    except (OSError, ValueError, IndexError):
        return {0}
    return {0} if known >= 2**32 - 1 else {0, unnumbered}


@cache
def folder() -> Path | None:
    """This process's cache folder, or None where nothing can be kept (one warning says so)."""
    home = _chosen()
    try:
        # without links, which could be led elsewhere later, and for a process that changes folders
        home = Path(os.path.realpath(home.expanduser()))
        place = home / key()
        _make(place)
        reason = _refusal(home, place)
        if reason is None:
            with tempfile.TemporaryFile(dir=place):
                return place
    except RuntimeError:
        reason = "the home folder that it names is not known"
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
        handle, aside = tempfile.mkstemp(dir=place, prefix=f"{name}.", suffix=_ASIDE)
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(code).digest() + code)
        os.replace(aside, place / f"{name}.o")
    except OSError:
        if aside is not None and os.path.exists(aside):
            os.unlink(aside)


@contextmanager
def building(waits: Callable[[], None]) -> Iterator[None]:
    """Hold the right to compile, so that many processes starting at once compile only once.

    `waits` is called if another process has it for longer than a moment. One that dies gives it
    back; one that is stopped is not waited for without end.
    """
    place = folder()
    if place is None:
        yield
        return
    lock = filelock.FileLock(place / "lock")
    if not _acquired(lock, place, waits):
        yield  # build twice: nothing is lost
        return
    try:
        with suppress(OSError):
            for left in place.glob(f"*{_ASIDE}"):  # of a process that died
                left.unlink(missing_ok=True)
        yield
    finally:
        lock.release()


def _acquired(lock: filelock.BaseFileLock, place: Path, waits: Callable[[], None]) -> bool:
    """Take the lock. Not where files cannot be locked, or its holder writes nothing for long."""
    seen: set[Path] | None = None
    while True:
        try:
            lock.acquire(timeout=SPEAK_AFTER if seen is None else PATIENCE)
            return True
        except filelock.Timeout:
            there = set(place.glob("*"))
        except (OSError, NotImplementedError):
            return False
        if there == seen:
            return False
        if seen is None:
            waits()
        seen = there
