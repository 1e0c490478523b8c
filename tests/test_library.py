"""Kernels in a process: a fork finds them whole, and who waits for a compilation is told."""

import os
import subprocess
import sys
import textwrap
from contextlib import contextmanager
from pathlib import Path

import pytest

import pellucid
from pellucid.engine import announced, cache, compile_all, compiler, library
from pellucid.engine.catalogue import symbol

SOURCE = Path(pellucid.__file__).parents[1]

FORK = """
    import os, signal, sys, threading, time
    import numpy as np
    from pellucid.engine import execute, library
    from pellucid.kernels.operations.elementary import EXP, apply

    def compute():
        y = np.empty(1)
        execute(apply(function=EXP, x=np.ones(1), y=y))
        assert abs(y[0] - np.e) < 1e-15

    def held():
        with library._guard:
            inside.set()
            time.sleep(0.3)

    inside = threading.Event()
    thread = threading.Thread(target={target})
    thread.start()
    inside.wait()
    child = os.fork()
    if child == 0:
        signal.alarm(30)  # ends a child that waits for ever
        compute()
        os._exit(0)
    thread.join()
    compute()
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("target", ("held", "lambda: (inside.set(), compute())"))
def test_a_child_forked_while_kernels_are_loaded_computes(target):
    code = textwrap.dedent(FORK).format(target=target)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("0\n", "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of forks in a process with threads
def test_a_thread_that_loads_may_fork():
    with library._guard:
        child = os.fork()
        if child == 0:
            os._exit(0 if library._guard.acquire(blocking=False) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert library._guard.acquire(blocking=False)
    library._guard.release()


@pytest.fixture
def cold(monkeypatch):
    """As where nothing has been compiled, but compiling is only to say so."""
    said = []
    kept = {name: cache.read(symbol(name, "float64")) for name in ("apply", "product")}
    library.load(kept, "float64")
    kept = {name: cache.read(symbol(name, "float64")) for name in kept}
    monkeypatch.setattr(library, "_addresses", {})
    monkeypatch.setattr(library, "_told", False)
    monkeypatch.setattr(cache, "read", lambda name: None)
    monkeypatch.setattr(cache, "write", lambda name, code: None)
    monkeypatch.setattr(compiler, "object_code", lambda name, dtype: kept[name])
    monkeypatch.setattr(library, "_link", lambda name, dtype, code: 1)
    monkeypatch.setattr(library.proof, "check", lambda *_: None)

    @contextmanager
    def building(waits):
        waits()
        yield

    monkeypatch.setattr(cache, "building", building)
    return said


def test_who_waits_and_who_compiles_is_told_once(cold):
    with announced(cold.append):
        library.load(["apply"], "float64")
        library.load(["product"], "float64")
    assert [line.split(" kernels ")[0] for line in cold] == [
        "waiting for another process that compiles", "compiling",
        "waiting for another process that compiles",
    ]  # fmt: skip
    assert all(line.endswith(" ...") and len(line) < 80 for line in cold)
    library._addresses.clear()
    library.load(["apply"], "float64")  # nobody is there to be told
    assert len(cold) == 3


def test_compiling_is_told_once_in_a_processs_life_to_who_listens(cold):
    """A network of other layers, and what is computed after a training, compile more kernels."""
    with announced(None):
        library.load(["apply"], "float64")
    assert cold == []
    for _ in range(3):
        library._addresses.clear()
        with announced(cold.append):
            library.load(["apply"], "float64")
    assert sum(line.startswith("compiling") for line in cold) == 1


def test_compile_all_reports_each_kernel_and_who_is_waited_for(cold, monkeypatch):
    monkeypatch.setattr(library, "CATALOGUE", ["apply", "product"])
    with announced(lambda text: cold.append(text.split()[0])):
        assert compile_all(cold.append, ["float64"]) == 2
    assert cold == ["waiting", "apply float64", "waiting", "product float64"]


SCATTERED = """
import ctypes, mmap, sys
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
from pellucid.engine import library

def taken(size):
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    return libc.mmap(None, size, 0, flags, -1, 0)

high = [taken(1 << 20) for _ in range(200)]
wide = taken(8 << 30)
for power in range(24, 11, -1):  # nothing is left above it
    while (place := taken(1 << power)) > wide:
        pass
    libc.munmap(place, 1 << power)
for place in high[::2]:  # but some pages here and there
    libc.munmap(place + (1 << 19), int(sys.argv[1]) * mmap.PAGESIZE)
print(len(library.load(["product", "adam", "lstm_forward"], "float32")))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the layout of memory is Linux's")
@pytest.mark.parametrize("pages", (1, 2, 4))
def test_memory_may_be_free_in_places_far_apart(pages):
    """As beside large arrays and shared memory: an object's sections must be near each other."""
    library.load(["product", "adam", "lstm_forward"], "float32")  # compiled before
    command = [sys.executable, "-c", SCATTERED, str(pages)]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(SOURCE)},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "3\n"), done.stderr
