"""A saved model is the model; a failed save changes nothing; a bad file is one clear error."""

from __future__ import annotations

import errno
import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from safetensors import numpy as safetensors
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError

from pellucid import checks, files


class FCNNClassifier(BaseEstimator):
    """Stands for an estimator: what it is told to keep, it keeps."""

    def __init__(self, hidden_dim=64):
        self.hidden_dim = hidden_dim

    def fit(self, config, arrays):
        self.config_, self.arrays_ = config, arrays
        return self

    @property
    def digest_(self):
        return files.content_digest("FCNNClassifier", *self._state())

    def _state(self):
        return {"hidden_dim": self.hidden_dim, **self.config_}, self.arrays_

    @classmethod
    def _from_state(cls, config, arrays):
        model = cls(config.pop("hidden_dim"))
        if arrays["weight"].ndim != 2:
            raise ValueError("weight must be a matrix")
        return model.fit(config, arrays)


KNOWN = {"FCNNClassifier": FCNNClassifier}


def save(model, path):
    files.save(model, path, KNOWN)


def load(path):
    return files.load(path, KNOWN)


def fitted(value=1.0):
    arrays = {
        "weight": np.full((3, 2), value, dtype=np.float32),
        "step": np.array(7),
        "seen": np.array([True, False]),
        "none": np.zeros((0, 4), dtype=np.float64),
    }
    return FCNNClassifier((64, 32)).fit({"names": ["a", "b"], "rate": 0.1}, arrays)


def assert_same(model, other):
    assert (other.hidden_dim, other.config_) == (model.hidden_dim, model.config_)
    assert other.arrays_.keys() == model.arrays_.keys()
    for name, array in model.arrays_.items():
        np.testing.assert_array_equal(other.arrays_[name], array)
        assert other.arrays_[name].dtype == array.dtype


def rewritten(path, **changes):
    """The file of a fitted model with another header, its checksum right again."""
    save(fitted(), path)
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["pellucid"])
    tensors = changes.pop("tensors", safetensors.load(content))
    header = {key: value for key, value in {**header, **changes}.items() if value is not ...}
    header["sha256"] = files._digest(header, tensors)
    path.write_bytes(safetensors.save(tensors, metadata={"pellucid": json.dumps(header)}))
    return path


# ---------------------------------------------------------------- what is kept


def test_a_saved_model_is_the_model(tmp_path):
    path = tmp_path / "m.safetensors"
    save(fitted(), path)
    assert_same(fitted(), load(str(path)))
    assert os.listdir(tmp_path) == ["m.safetensors"]


def test_saving_twice_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        save(fitted(), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_loaded_arrays_may_be_trained_further(tmp_path):
    save(fitted(), tmp_path / "m")
    for array in load(tmp_path / "m").arrays_.values():
        assert array.flags.writeable and array.flags.aligned


def test_arrays_of_any_order_are_kept(tmp_path):
    weight = np.arange(12.0).reshape(3, 4)
    for given_as in (weight.T, weight[:, ::2], weight.astype(">f8"), np.asfortranarray(weight)):
        save(fitted().fit({}, {"weight": given_as}), tmp_path / "m")
        np.testing.assert_array_equal(load(tmp_path / "m").arrays_["weight"], given_as)


@pytest.mark.parametrize(
    "value",
    [
        (1, (2.5, [None, "x"])),
        {0: 0.1, 1: 2.0},
        {"$": "tuple"},
        {"": {}, "\ud800": "\ud800é"},
        float("inf"),
        10**30,
        [{True: (), None: {}}],
    ],
)
def test_values_keep_their_types(tmp_path, value):
    save(fitted().fit({"value": value}, fitted().arrays_), tmp_path / "m")
    kept = load(tmp_path / "m").config_["value"]
    assert repr(kept) == repr(value)


def test_numpy_values_keep_their_types(tmp_path):
    config = {
        "scalar": np.float32(0.1),
        "text": np.array([["a", "bc"]]),
        "labels": np.array(["a", None, (1, 2)], dtype=object),
        "name": np.str_("x"),
    }
    save(fitted().fit(config, fitted().arrays_), tmp_path / "m")
    kept = load(tmp_path / "m").config_
    assert type(kept["scalar"]) is np.float32 and kept["scalar"] == np.float32(0.1)
    for name in ("text", "labels"):
        assert kept[name].dtype == config[name].dtype
        np.testing.assert_array_equal(kept[name], config[name])
    assert kept["name"] == "x"


def test_the_earlier_files_permissions_and_links_are_kept(tmp_path):
    target, link = tmp_path / "target", tmp_path / "link"
    save(fitted(), target)
    target.chmod(0o640)
    link.symlink_to(target)
    save(fitted(2.0), link)
    assert link.is_symlink() and stat.S_IMODE(target.stat().st_mode) == 0o640
    assert_same(fitted(2.0), load(target))


# ---------------------------------------------------------------- what cannot be saved


def test_only_fitted_models_of_this_library_are_saved(tmp_path):
    class Derived(FCNNClassifier):
        pass

    with pytest.raises(NotFittedError, match="not fitted yet"):
        save(FCNNClassifier(), tmp_path / "m")
    for other in (Derived().fit({}, {}), {"a": 1}):
        with pytest.raises(TypeError, match="must be one of FCNNClassifier. Got .* with joblib"):
            save(other, tmp_path / "m")
    assert not os.listdir(tmp_path)


def test_what_a_file_cannot_hold_is_named(tmp_path):
    model = fitted().fit({"callbacks": [print]}, {})
    with pytest.raises(TypeError, match=r"config\['callbacks'\]\[0\] of a model file must be"):
        save(model, tmp_path / "m")
    with pytest.raises(TypeError, match="an array that a model file cannot hold"):
        save(fitted().fit({}, {"weight": np.array([["a"]])}), tmp_path / "m")
    assert not os.listdir(tmp_path)


# ---------------------------------------------------------------- saves that fail


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
def test_a_full_disk_leaves_the_earlier_file(tmp_path, monkeypatch, call):
    path = tmp_path / "m.safetensors"
    save(fitted(), path)

    def full(*arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        with pytest.raises(OSError, match="' cannot be saved: no space left on the d") as caught:
            save(fitted(2.0), path)
    assert caught.value.errno == errno.ENOSPC
    assert str(caught.value).endswith(" bytes). The earlier file is unchanged.")
    assert_same(fitted(), load(path))
    assert os.listdir(tmp_path) == ["m.safetensors"]


def test_an_interrupted_save_leaves_nothing_behind(tmp_path, monkeypatch):
    def interrupt(handle):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        save(fitted(), tmp_path / "m")
    assert not os.listdir(tmp_path)


KILLED = """
import os, signal, sys
from pellucid.files import write_whole
os.fsync = lambda handle: os.kill(os.getpid(), signal.SIGKILL)
write_whole(sys.argv[1], b"half")
"""

PART = ".pellucid-0123456789abcdef.part"


def saved_beside(path):
    """The names beside `path` after another save there."""
    files.write_whole(path, b"whole")
    assert path.read_bytes() == b"whole"
    return sorted(os.listdir(path.parent))


@pytest.mark.skipif(os.name == "nt", reason="the lock is POSIX's")
def test_the_next_save_removes_what_a_killed_one_left(tmp_path):
    path = tmp_path / "m"
    path.write_bytes(b"earlier")
    command = [sys.executable, "-B", "-c", KILLED, str(path)]
    assert subprocess.run(command, check=False).returncode == -9
    assert path.read_bytes() == b"earlier" and len(os.listdir(tmp_path)) == 2
    assert saved_beside(path) == ["m"]


@pytest.mark.skipif(os.name == "nt", reason="the lock is POSIX's")
def test_a_save_that_goes_on_keeps_its_file(tmp_path, monkeypatch):
    """Another one that ends in the middle of it, in this process or another, takes nothing away."""
    sync, seen = os.fsync, []

    def saving(handle):
        sync(handle)
        if not seen:
            seen.append(True)
            seen.append(saved_beside(tmp_path / "other"))

    monkeypatch.setattr(os, "fsync", saving)
    assert saved_beside(tmp_path / "m") == ["m", "other"]
    assert len(seen[1]) == 2 and files._ASIDE.fullmatch(seen[1][0])


@pytest.mark.skipif(os.name == "nt", reason="the lock is POSIX's")
def test_a_new_file_that_another_save_takes_for_left_is_made_anew(tmp_path, monkeypatch):
    """Between the making and the locking it is removed, or another has it locked."""
    lock, taken = files._locked, []

    def late(handle):
        taken.append(handle)
        if len(taken) == 1:
            next(tmp_path.iterdir()).unlink()
        return False if len(taken) == 2 else lock(handle)

    monkeypatch.setattr(files, "_locked", late)
    assert saved_beside(tmp_path / "m") == ["m"]
    assert len(taken) == 4  # the fourth for what the second left


def test_without_locks_only_files_of_more_than_a_day_are_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "_locked", lambda handle: None)
    old, young = tmp_path / PART, tmp_path / PART.replace("0", "1")
    now = 2_000_000_000  # any clock's: times of files are compared with each other
    old.touch()
    young.touch()
    os.utime(old, (now - 90_000, now - 90_000))
    os.utime(young, (now - 80_000, now - 80_000))
    make = files._new_aside

    def at(folder):
        made = make(folder)
        os.utime(made[0], (now, now))
        return made

    monkeypatch.setattr(files, "_new_aside", at)
    assert saved_beside(tmp_path / "m") == [young.name, "m"]


@pytest.mark.skipif(os.name == "nt", reason="links and pipes are POSIX's")
def test_nothing_but_files_of_our_own_pattern_is_removed(tmp_path):
    (tmp_path / "target").write_bytes(b"kept")
    (tmp_path / PART).symlink_to("target")
    (tmp_path / PART.replace("0", "1")).mkdir()
    os.mkfifo(tmp_path / PART.replace("0", "2"))
    for name in (".pellucid-1.part", "m.part", f"x{PART}", f"{PART}s"):
        (tmp_path / name).touch()
    before = os.listdir(tmp_path)
    assert saved_beside(tmp_path / "m") == sorted([*before, "m"])
    assert (tmp_path / "target").read_bytes() == b"kept"


@pytest.mark.parametrize("call", ("listdir", "open", "unlink"))
def test_a_failure_to_remove_what_was_left_fails_no_save(tmp_path, monkeypatch, call):
    (tmp_path / PART).touch()
    original = getattr(os, call)

    def refuse(path, *arguments, **options):
        if call == "listdir" or os.fspath(path).endswith(PART):
            raise PermissionError(errno.EACCES, "no")
        return original(path, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, call, refuse)
        files.write_whole(tmp_path / "m", b"whole")
    assert sorted(os.listdir(tmp_path)) == [PART, "m"]


FILL = """
import sys, os
from pellucid.files import write_whole
path = sys.argv[1]
write_whole(path, b"earlier")
{limit}
try:
    write_whole(path, bytes(1_000_000))
except OSError as error:
    print(error)
assert open(path, "rb").read() == b"earlier"
assert len(os.listdir(os.path.dirname(path))) == 1
"""


def test_a_limit_on_file_sizes_leaves_the_earlier_file(tmp_path):
    pytest.importorskip("resource")
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))"
    code = FILL.format(limit=limit)
    command = [sys.executable, "-B", "-c", code, str(tmp_path / "m")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "files may not grow that large here (needs 1.0 MB). The earlier" in done.stdout


def test_a_disk_that_is_really_full_leaves_the_earlier_file(tmp_path):
    """On a file system of 64 kB of its own, where the system allows to make one."""
    make = f'mount -t tmpfs -o size=64k none "{tmp_path}" && echo made'
    unshare = [shutil.which("unshare") or "unshare", "-rm", "sh", "-c"]
    try:
        trial = subprocess.run([*unshare, make], capture_output=True, text=True, check=False)
    except OSError:
        pytest.skip("no unshare command")
    if "made" not in trial.stdout:
        pytest.skip("mounting is not allowed here")
    script = f'{make} && exec "$0" -B -c "$1" "$2"'
    command = [*unshare, script, sys.executable, FILL.format(limit=""), str(tmp_path / "m")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "no space left on the disk (needs 1.0 MB). The earlier file is unch" in done.stdout


def test_places_that_cannot_be_written_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="the folder '.*gone' does not exist. Make it"):
        save(fitted(), tmp_path / "gone" / "m")
    with pytest.raises(IsADirectoryError, match="it is a folder. Name a file in it"):
        save(fitted(), tmp_path)
    with pytest.raises(OSError, match="'/dev/null' cannot be saved: it is not an ordinary file"):
        save(fitted(), os.devnull)


# ---------------------------------------------------------------- files that are not models


def test_missing_files_and_folders(tmp_path):
    save(fitted(), tmp_path / "penguins.safetensors")
    with pytest.raises(FileNotFoundError, match="Did you mean '.*penguins.safetensors'"):
        load(tmp_path / "pengins.safetensors")
    with pytest.raises(FileNotFoundError, match="Its folder '.*gone' does not exist either"):
        load(tmp_path / "gone" / "m")
    with pytest.raises(IsADirectoryError, match="it is a folder. Name the model file in it"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is not a pellucid model, or is cut short"),
        (b"species,island\nAdelie,Dream\n", "is not a pellucid model, or is cut short"),
        (b"\x80\x04\x95" + bytes(40), "is not a pellucid model"),
        (b"\xff" * 100, "is not a pellucid model, or is cut short"),
        ((40).to_bytes(8, "little") + b"[" * 40, "it is no safetensors file"),
        ((10**6).to_bytes(8, "little") + b"[" * 10**6, "it is no safetensors file"),
        ((2).to_bytes(8, "little") + b"[]", "its table is no object"),
        (safetensors.save({"a": np.ones(3)}), "a safetensors file of another library"),
        (safetensors.save({}, metadata={"pellucid": "{"}), "its header is no JSON text"),
        (safetensors.save({}, metadata={"pellucid": "[1]"}), "its header names no format"),
        (safetensors.save({}, metadata={"pellucid": '{"format": "1"}'}), "names no format"),
        (safetensors.save({}, metadata={"pellucid": '{"format": 1}'}), "its checksum"),
    ],
)
def test_foreign_files_are_named(tmp_path, content, words):
    path = tmp_path / "m.safetensors"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"m.safetensors' .*{words}") as caught:
        load(path)
    assert "\n" not in str(caught.value)


def test_cut_files_say_how_much_is_there(tmp_path):
    path = tmp_path / "m.safetensors"
    save(fitted().fit({}, {"weight": np.ones((100, 100))}), path)
    content = path.read_bytes()
    path.write_bytes(content[:20_000])
    with pytest.raises(ValueError, match="is cut short: 20 kB of 80 kB. Copy or save it again"):
        load(path)
    path.write_bytes(content + b"x")
    with pytest.raises(ValueError, match="has something after its end"):
        load(path)


def test_another_format_is_an_error_that_says_what_to_do(tmp_path):
    newer = rewritten(tmp_path / "m", format=2, pellucid="9.0")
    with pytest.raises(ValueError, match="format 2, written by pellucid 9.0; .* Update pell"):
        load(newer)
    with pytest.raises(ValueError, match="of format 0.* Fit and save the model again"):
        load(rewritten(tmp_path / "m", format=0))


def test_another_numeric_version_is_a_warning(tmp_path):
    path = rewritten(tmp_path / "m", numeric_version=2, pellucid="9.0")
    with pytest.warns(UserWarning, match=r"pellucid 9.0.*\(numeric version 2, here 1\)"):
        assert_same(fitted(), load(path))


def test_a_file_from_before_digests_were_kept_is_read(tmp_path):
    path = rewritten(tmp_path / "m", digest=...)
    assert b"digest" not in path.read_bytes()
    assert_same(fitted(), load(path))


def test_a_class_is_never_looked_for_elsewhere(tmp_path):
    for name in ("os.system", "OneClassifier", 3, None):
        path = rewritten(tmp_path / "m", **{"class": name})
        with pytest.raises(ValueError, match=f"holds a {name}, .* does not have"):
            load(path)


@pytest.mark.parametrize(
    "changes",
    [
        {"config": []},
        {"config": ...},
        {"config": {}},
        {"config": {"hidden_dim": {"$": "tuple"}}},
        {"config": {"hidden_dim": {"$": "scalar", "dtype": "O", "value": 1}}},
        {"config": {"hidden_dim": {"$": "scalar", "dtype": "U999999999", "value": "a"}}},
        {"config": {"hidden_dim": {"$": "what", "value": [1], "shape": [2]}}},
        {"tensors": {}},
        {"tensors": {"weight": np.ones(3)}},
    ],
)
def test_parts_that_do_not_fit_together(tmp_path, changes):
    path = rewritten(tmp_path / "m", **changes)
    with pytest.raises(ValueError, match="holds a FCNNClassifier, .* does not fit together"):
        load(path)


def test_nothing_is_run(tmp_path):
    """A pickle that would leave a trace is refused, and leaves none."""
    import pickle

    class Trace:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "trace",))

    (tmp_path / "m").write_bytes(pickle.dumps(Trace()))
    with pytest.raises(ValueError, match="not a pellucid model"):
        load(tmp_path / "m")
    assert not (tmp_path / "trace").exists()


# ---------------------------------------------------------------- any damage at all


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "m.safetensors"
    save(fitted(), path)
    return path, path.read_bytes()


def assert_refused_or_same(path, content):
    path.write_bytes(content)
    try:
        model = load(path)
    except ValueError as error:
        assert str(path) in str(error) and "\n" not in str(error)
    else:
        assert_same(fitted(), model)


@settings(max_examples=200)
@given(place=st.integers(0, 10**6), change=st.integers(1, 255))
@example(place=0, change=1)
@example(place=8, change=128)
def test_any_changed_byte_is_an_error_or_the_same_model(whole, place, change):
    path, content = whole
    damaged = bytearray(content)
    damaged[place % len(content)] ^= change
    assert_refused_or_same(path, bytes(damaged))


@settings(max_examples=100)
@given(length=st.integers(0, 10**6))
def test_any_cut_is_an_error(whole, length):
    path, content = whole
    path.write_bytes(content[: length % len(content)])
    with pytest.raises(ValueError, match="Copy or save it again|Name a file that save wrote"):
        load(path)


@settings(max_examples=100)
@given(content=st.binary(max_size=300))
def test_any_bytes_are_an_error(whole, content):
    path, _ = whole
    path.write_bytes(content)
    with pytest.raises(ValueError, match="m.safetensors' is"):
        load(path)


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (12_345, "12 kB"), (10**6, "1.0 MB")],
)
def test_sizes_in_words(count, words):
    assert checks.size_text(count) == words


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (300 * "a", "^'a+' cannot be saved: its name is too long. Give a shorter one.$"),
        ("a\0b", r"^'a\\x00b' cannot name a file: embedded null byte.$"),
    ],
)
def test_a_name_that_no_file_can_have_is_refused_in_a_sentence(name, words):
    for function in (files.check_writable, lambda path: files.write_whole(path, b"")):
        with pytest.raises((OSError, ValueError), match=words):
            function(name)
