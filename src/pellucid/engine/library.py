"""Operations as machine code in this process: from the cache, or compiled once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import llvmlite.binding as llvm

from pellucid.engine import cache, proof
from pellucid.engine.catalogue import CATALOGUE, symbol
from pellucid.kernels.target import machine

_guard = threading.Lock()
_addresses: dict[tuple[str, str], int] = {}
_linked: list[object] = []  # machine code lives as long as its library object
_engine: llvm.LLJIT | None = None


_tell: ContextVar[Callable[[str], None] | None] = ContextVar("tell", default=None)


def _announce() -> None:
    """Say, once a context, that the user waits for the compiler."""
    tell = _tell.get()
    if tell is not None:
        kept = cache.folder() is not None
        tell(f"compiling kernels for this processor, about 10 s{', this once' if kept else ''} ...")
        _tell.set(None)


def _link(name: str, dtype: str, code: bytes) -> int:
    global _engine
    if _engine is None:
        _engine = llvm.create_lljit_compiler(machine(), use_jit_link=False)
    builder = llvm.JITLibraryBuilder()
    builder.add_object_img(code).add_current_process().export_symbol(symbol(name, dtype))
    library = builder.link(_engine, symbol(name, dtype))
    _linked.append(library)
    return library[symbol(name, dtype)]


def uncompiled(names: Iterable[str], dtype: str) -> list[str]:
    """Those of `names` that are neither in this process nor in the cache."""
    wanted = [name for name in dict.fromkeys(names) if (name, dtype) not in _addresses]
    return [name for name in wanted if cache.read(symbol(name, dtype)) is None]


@contextmanager
def announced(tell: Callable[[str], None]) -> Iterator[None]:
    """Within it, `tell` gets one line if kernels have to be compiled first."""
    token = _tell.set(tell)
    try:
        yield
    finally:
        _tell.reset(token)


def load(names: Iterable[str], dtype: str) -> dict[str, int]:
    """The address of each operation's machine code, compiling what is not in the cache."""
    names = list(dict.fromkeys(names))
    with _guard:
        wanted = [name for name in names if (name, dtype) not in _addresses]
        codes = {name: cache.read(symbol(name, dtype)) for name in wanted}
        if any(code is None for code in codes.values()):
            with cache.building():
                for name in wanted:
                    # another process may have built it while this one waited
                    code = codes[name] or cache.read(symbol(name, dtype))
                    if code is None:
                        from pellucid.engine.compiler import object_code

                        _announce()
                        code = object_code(name, dtype)
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
    absent = [(name, dtype) for dtype in dtypes for name in uncompiled(CATALOGUE, dtype)]
    for name, dtype in absent:
        if report is not None:
            report(f"{name} {dtype}")
        load([name], dtype)
    return len(absent)
