"""Operations as machine code in this process: from the cache, or compiled once."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial

import llvmlite.binding as llvm

from pellucid.engine import cache, proof, threads
from pellucid.engine.catalogue import CATALOGUE, symbol
from pellucid.kernels.target import machine

# Who holds it may use LLVM and Numba. It is held across a fork, so that a child finds both whole;
# a fork may then wait for another thread that compiles, some 10 s, or that waits for another
# process to do so. Hooks run the latest first: that of logging, whose lock Numba may take, was
# there before, through filelock.
_guard = threads.held_across_forks(threading.RLock())

_addresses: dict[tuple[str, str], int] = {}
_linked: list[object] = []  # machine code lives as long as its library object
_engine: llvm.LLJIT | None = None

_tell: ContextVar[Callable[[str], None] | None] = ContextVar("tell", default=None)
_told = False  # whether this process has said that it compiles


def _say(text: str) -> None:
    tell = _tell.get()
    if tell is not None:
        tell(text)


def _announce(*_: str) -> None:
    """Say, once in this process's life, that the user waits for the compiler."""
    global _told
    if _tell.get() is not None and not _told:
        kept = ", the first time only" if cache.folder() is not None else ""
        _say(f"compiling kernels for this kind of network{kept}: about 10 s ...")
        _told = True


def _say_who_compiles() -> None:
    _say("waiting for another process that compiles kernels for this processor ...")


def _link(name: str, dtype: str, code: bytes) -> int:
    global _engine
    if _engine is None:
        # LLVM's older linker may put an object's sections further apart than its addresses reach,
        # and aborts the process; this one keeps them together
        _engine = llvm.create_lljit_compiler(machine(), use_jit_link=sys.platform != "win32")
    builder = llvm.JITLibraryBuilder()
    builder.add_object_img(code).add_current_process().export_symbol(symbol(name, dtype))
    library = builder.link(_engine, symbol(name, dtype))
    _linked.append(library)
    return library[symbol(name, dtype)]


def uncompiled(names: Iterable[str], dtype: str) -> list[str]:
    """Those of `names` that are neither in this process nor in the cache."""
    with _guard:
        wanted = [name for name in dict.fromkeys(names) if (name, dtype) not in _addresses]
        return [name for name in wanted if cache.read(symbol(name, dtype)) is None]


@contextmanager
def announced(tell: Callable[[str], None] | None) -> Iterator[None]:
    """Within it, `tell` gets a line if kernels have to be compiled first or are being compiled."""
    token = _tell.set(tell)
    try:
        yield
    finally:
        _tell.reset(token)


def load(
    names: Iterable[str], dtype: str, compiles: Callable[[str, str], None] = _announce
) -> dict[str, int]:
    """The address of each operation's machine code, compiling what is not in the cache.

    `compiles` is called with the name and type of an operation before it is compiled.
    """
    names = list(dict.fromkeys(names))
    with _guard:
        wanted = [name for name in names if (name, dtype) not in _addresses]
        codes = {name: cache.read(symbol(name, dtype)) for name in wanted}
        if any(code is None for code in codes.values()):
            with cache.building(_say_who_compiles):
                for name in wanted:
                    # another process may have built it while this one waited
                    code = codes[name] or cache.read(symbol(name, dtype))
                    if code is None:
                        from pellucid.engine.compiler import object_code

                        compiles(name, dtype)
                        code = threads.call_apart(partial(object_code, name, dtype))
                        cache.write(symbol(name, dtype), code)
                    codes[name] = code
        for name, code in codes.items():
            assert code is not None
            address = _link(name, dtype, code)
            if name == "product":
                proof.check(dtype, address, cache.folder() or "memory")
            _addresses[name, dtype] = address
        return {name: _addresses[name, dtype] for name in names}


def compile_all(
    report: Callable[[str], None] | None = None, dtypes: Iterable[str] = ("float32", "float64")
) -> int:
    """Compile every operation that the cache does not hold; how many there were.

    `report` is called with each one's name before it is compiled.
    """
    compiled: list[str] = []

    def compiles(name: str, dtype: str) -> None:
        compiled.append(f"{name} {dtype}")
        if report is not None:
            report(compiled[-1])

    for dtype in dtypes:
        for name in uncompiled(CATALOGUE, dtype):
            load([name], dtype, compiles)
    return len(compiled)
