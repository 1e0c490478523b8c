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


@pytest.fixture
def own(monkeypatch, tmp_path):
    """The folder of ``PELLUCID_CACHE_DIR``, two levels below the test's own."""
    place = tmp_path / "above" / "cache"
    place.mkdir(parents=True, mode=0o700)
    place.parent.chmod(0o700)
    monkeypatch.setenv("PELLUCID_CACHE_DIR", str(place))
    return place


def refused(words):
    """Whether the folder is not used, and why is said."""
    with pytest.warns(RuntimeWarning, match=words):
        return cache.folder.__wrapped__() is None


posix = pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
root = pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="needs to give folders away")


@posix
def test_a_folder_that_others_could_swap_is_not_used(own):
    own.parent.chmod(0o777)
    assert refused(f"other users may write to the folder '{own.parent}' above it. They are comp")
    own.parent.chmod(0o1777)  # as /tmp
    assert cache.folder.__wrapped__().parent == own


@posix
def test_the_folders_above_are_those_that_a_link_leads_to(own, monkeypatch, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(own)
    monkeypatch.setenv("PELLUCID_CACHE_DIR", str(link))
    assert cache.folder.__wrapped__().parent == own  # the link may be led elsewhere
    own.parent.chmod(0o777)
    assert refused("other users may write to the folder")


@root
def test_the_folders_above_must_be_the_users_or_roots(own, monkeypatch):
    """They are the user 54321's, one above root's, then another's."""
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    os.chown(own, 54321, -1)
    (own / cache.key()).mkdir(mode=0o700)
    os.chown(own / cache.key(), 54321, -1)
    assert cache.folder.__wrapped__() is not None
    os.chown(own.parent, 12345, -1)
    assert refused("the folder '.*' above it belongs to another user")
    monkeypatch.setattr(cache, "_roots", lambda: {0, 12345})  # as where it has no number
    assert cache.folder.__wrapped__() is not None


@root
def test_root_may_work_below_a_folder_that_is_lent_to_it(own):
    os.chown(own.parent, 12345, -1)
    assert cache.folder.__wrapped__() is not None


@posix
def test_a_group_of_the_users_own_is_the_user(own, monkeypatch):
    """Where each user has such a group, folders are made with mode 775."""
    import grp
    import pwd

    own.parent.chmod(0o775)
    user = pwd.getpwuid(own.stat().st_uid).pw_name
    group = SimpleNamespace(gr_name=user, gr_mem=[])
    monkeypatch.setattr(grp, "getgrgid", lambda number: group)
    assert cache.folder.__wrapped__() is not None
    group.gr_mem = [user, "another"]
    assert refused("other users may write to the folder")
    group.gr_name, group.gr_mem = "staff", []
    assert refused("other users may write to the folder")

    def nameless(number):
        raise KeyError(number)

    monkeypatch.setattr(grp, "getgrgid", nameless)
    assert refused("other users may write to the folder")


@pytest.mark.parametrize(
    ("lines", "roots"),
    (
        (["0 0 4294967295"], {0}),
        (["0 1000 1"], {0, 65534}),
        (["0 1000 1", "1 100000 65536"], {0, 65534}),
        (["what"], {0}),
    ),
)
def test_roots_are_those_whom_a_user_namespace_has_no_number_for(monkeypatch, lines, roots):
    texts = {"/proc/self/uid_map": "\n".join(lines), "/proc/sys/kernel/overflowuid": "65534\n"}
    monkeypatch.setattr(cache, "Path", lambda name: SimpleNamespace(read_text=lambda: texts[name]))
    assert cache._roots.__wrapped__() == roots


@pytest.mark.parametrize("named", ("~nosuchuser/x", "~"))
def test_a_home_folder_that_is_not_known_is_a_warning(monkeypatch, tmp_path, named):
    monkeypatch.setenv("PELLUCID_CACHE_DIR", named)
    monkeypatch.chdir(tmp_path)

    def unknown(path):
        return path

    monkeypatch.setattr(os.path, "expanduser", unknown)  # as it is where the system knows none
    assert refused(f"in '{named}': the home folder that it names is not known. They are compiled")
    assert not list(tmp_path.iterdir())


def test_what_a_killed_process_left_goes_when_the_next_one_compiles(monkeypatch, tmp_path):
    monkeypatch.setattr(cache, "folder", lambda: tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", lambda *_: None)  # it never comes to that
        cache.write("one", b"code")
    assert [path.suffix for path in tmp_path.iterdir()] == [".part"]
    with cache.building(lambda: None):
        cache.write("one", b"code")
    assert {path.name for path in tmp_path.iterdir()} - {"lock"} == {"one.o"}


@pytest.fixture
def locked(monkeypatch, tmp_path):
    """A cache that another process compiles for, and that a test waits for but little."""
    fcntl = pytest.importorskip("fcntl")
    monkeypatch.setattr(cache, "folder", lambda: tmp_path)
    monkeypatch.setattr(cache, "SPEAK_AFTER", 0.05)
    monkeypatch.setattr(cache, "PATIENCE", 0.1)
    with (tmp_path / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield tmp_path, file


def test_who_waits_says_so_and_gets_the_lock_when_it_is_free(locked):
    folder, file = locked
    (folder / "left.part").touch()
    with cache.building(file.close):  # told that it waits, the test gives the lock back
        assert file.closed and not (folder / "left.part").exists()


def test_who_goes_on_without_a_new_file_is_not_waited_for(locked):
    said, busy = [], locked[0] / "busy.part"
    busy.touch()
    with cache.building(lambda: said.append("waits")):
        assert busy.exists()  # that one's, who may go on
    assert said == ["waits"]


def test_who_writes_files_is_waited_for(locked, monkeypatch):
    """Three waits, each with another new file, then two without."""
    acquire, waits = cache.filelock.FileLock.acquire, []

    def counting(self, timeout):
        waits.append(timeout)
        if len(waits) < 4:
            (locked[0] / f"{len(waits)}.o").touch()
        return acquire(self, timeout=timeout)

    monkeypatch.setattr(cache.filelock.FileLock, "acquire", counting)
    with cache.building(lambda: None):
        pass
    assert waits == [0.05, 0.1, 0.1, 0.1]


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
