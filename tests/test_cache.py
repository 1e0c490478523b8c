"""The kernel cache: many processes at once, spoilt files, read-only places, edited sources."""

import ctypes
import hashlib
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import pellucid
from pellucid import formulas
from pellucid.engine import cache, library, proof

SOURCE = Path(pellucid.__file__).parent

# computes e by a kernel and says whether the compiler was needed
PROBE = textwrap.dedent(
    """
    import sys, warnings
    import numpy as np
    warnings.simplefilter("always")
    from pellucid.engine import cache_folder, execute
    from pellucid.kernels.operations.elementary import EXP, apply
    y = np.empty(1)
    execute(apply(function=EXP, x=np.ones(1), y=y))
    assert abs(y[0] - 2.718281828459045) < 1e-15, y
    print("compiled" if "numba" in sys.modules else "loaded", cache_folder())
    """
)


def start(folder, source=SOURCE.parent, **variables):
    environment = {
        **os.environ, "PELLUCID_CACHE_DIR": str(folder), "PYTHONPATH": str(source), **variables,
    }  # fmt: skip
    return subprocess.Popen(
        [sys.executable, "-c", PROBE],
        env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def finish(process):
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out.split()[0], err


def probe(*arguments, **variables):
    return finish(start(*arguments, **variables))


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A cache that one process has filled."""
    folder = tmp_path_factory.mktemp("cache")
    assert probe(folder)[0] == "compiled"
    return folder


@pytest.fixture
def copy(filled, tmp_path):
    """A cache of one's own to spoil."""
    return Path(shutil.copytree(filled, tmp_path / "cache"))


def test_second_process_loads_without_the_compiler(filled):
    assert probe(filled) == ("loaded", "")


@pytest.mark.skipif(not hasattr(os, "umask"), reason="modes are POSIX's")
def test_a_folder_that_it_makes_is_one_that_it_takes(monkeypatch, tmp_path):
    monkeypatch.setenv("PELLUCID_CACHE_DIR", str(tmp_path / "new" / "cache"))
    before = os.umask(0o002)
    try:
        assert cache.folder.__wrapped__() is not None
    finally:
        os.umask(before)


def test_many_processes_at_once_compile_only_once(tmp_path):
    running = [start(tmp_path) for _ in range(4)]
    said = [finish(each)[0] for each in running]
    assert said.count("compiled") == 1
    left = [path.name for path in tmp_path.rglob("*") if path.is_file()]
    assert all(name.endswith(".o") or name == "lock" for name in left)


@pytest.mark.parametrize("keep", (0, 10, 200, -1))
def test_half_written_file_is_built_again(copy, keep):
    for path in copy.rglob("*.o"):
        content = path.read_bytes()
        path.write_bytes(content[:keep])
    assert probe(copy)[0] == "compiled"
    assert probe(copy)[0] == "loaded"


def test_changed_byte_is_built_again(copy):
    for path in copy.rglob("*.o"):
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    assert probe(copy)[0] == "compiled"


def test_edited_source_is_compiled_anew(filled, tmp_path):
    shutil.copytree(SOURCE, tmp_path / "pellucid", ignore=shutil.ignore_patterns("__pycache__"))
    assert probe(filled, tmp_path)[0] == "loaded"  # the same source elsewhere
    for name in ("kernels/tile.py", "kernels/operations/lstm.py", "engine/intrinsics.py"):
        edited = tmp_path / "pellucid" / name  # files that others import
        edited.write_text(edited.read_text() + "\n# edited\n")
        assert probe(filled, tmp_path)[0] == "compiled"


def test_another_processor_is_compiled_for_anew(filled):
    assert probe(filled, NUMBA_CPU_NAME="haswell", NUMBA_CPU_FEATURES="+avx2,+fma")[0] == "compiled"


def test_where_nothing_can_be_written_kernels_stay_in_memory(tmp_path):
    file = tmp_path / "file"
    file.write_text("no folder")
    said, err = probe(file / "cache")
    assert said == "compiled"
    assert err.count("pellucid cannot keep its compiled kernels in") == 1
    assert "set PELLUCID_CACHE_DIR to a folder of your own" in err
    assert file.read_text() == "no folder"


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_folder_that_others_may_write_is_not_used(copy):
    copy.chmod(0o777)
    said, err = probe(copy)
    assert said == "compiled"
    assert "other users may write to it" in err


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="needs to give a folder away")
def test_folder_of_another_user_is_not_used(copy):
    os.chown(copy, 12345, -1)
    assert "it belongs to another user" in probe(copy)[1]


def test_read_only_install_needs_no_write_beside_the_source(filled):
    def files():
        return sorted(path for path in SOURCE.rglob("*") if "__pycache__" not in path.parts)

    before = files()
    probe(filled)
    assert files() == before


def test_write_that_fails_loses_nothing(monkeypatch, tmp_path):
    monkeypatch.setattr(cache, "folder", lambda: tmp_path)
    cache.write("one", b"code")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    cache.write("one", b"other")
    assert cache.read("one") == b"code"
    assert [path.name for path in tmp_path.iterdir()] == ["one.o"]


def test_kernels_that_give_a_wrong_answer_are_refused(tmp_path):
    def wrong(part, parts, step, first, rows, record):
        """A kernel that does nothing."""

    function = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 6)(wrong)
    address = ctypes.cast(function, ctypes.c_void_p).value
    with pytest.raises(RuntimeError, match="must give the known answer .* Remove that folder"):
        proof.check("float32", address, tmp_path)


@pytest.mark.parametrize("dtype", ("float32", "float64"))
def test_known_answer_is_the_formula(dtype, monkeypatch):
    """The pinned hash stands for the right numbers, not only for the same ones."""
    kept = []

    def keep(data):
        kept.append(data)
        return hashlib.sha256(data)

    monkeypatch.setattr(proof, "hashlib", SimpleNamespace(sha256=keep))
    proof.answer(dtype, library.load(["product"], dtype)["product"])
    y = np.frombuffer(kept[0], dtype).reshape(proof.ROWS, proof.COLUMNS)
    x = ((np.arange(7 * 19) * 7919 % 2003) / 512.0 - 2).reshape(7, 19)
    w = ((np.arange(19 * 21) * 104729 % 4001) / 1024.0 - 2).reshape(19, 21) / 3.0
    expected = formulas.sigmoid(formulas.linear(x, w, np.arange(21) / 7.0 - 1))
    np.testing.assert_allclose(y, expected, atol={"float32": 1e-6, "float64": 1e-14}[dtype])
