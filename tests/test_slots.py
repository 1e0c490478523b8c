"""A checkpoint's files: damage, full disks, other files there, and when they are written."""

import contextlib
import errno
import json
import os
import re
from pathlib import Path

import killed_fits
import numpy as np
import pytest
from stopped_fits import OFTEN, X, Y, classifier

from pellucid import files
from pellucid.training import slots
from pellucid.training.slots import Slots

pytestmark = pytest.mark.usefixtures("own_folder")


def test_the_way_out_of_another_fit_names_all_that_is_to_be_removed(half_done):
    """Of the newest alone, the one before would be gone on from, and refused again."""
    for there in ("'run.ckpt' and 'run.ckpt.before'", "'run.ckpt.before'"):
        with (
            pytest.raises(ValueError, match=f"another fit: .* Remove {there}, or give another pat"),
            contextlib.nullcontext()
            if " and " in there
            else pytest.warns(UserWarning, match="'run.ckpt' is not there: the fit goes on from"),
        ):
            classifier(dropout=0.5).fit(X, Y, **OFTEN)
        Path("run.ckpt").unlink(missing_ok=True)
    os.remove("run.ckpt.before")
    classifier(dropout=0.5).fit(X, Y, **OFTEN)


def test_a_relative_path_is_that_of_the_folder_in_which_the_fit_began(often, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other").mkdir()
    classifier(callbacks=lambda *_: os.chdir(tmp_path / "other")).fit(X, Y, **OFTEN)
    assert os.listdir() == []
    assert Slots(tmp_path / "run.ckpt", 1).read()["finished"]


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"checkpoint": 3}, TypeError, "checkpoint of FCNNClassifier.fit must be the path of a"),
        ({"checkpoint": ""}, TypeError, "checkpoint of FCNNClassifier.fit must be the path of a"),
        ({"checkpoint": "a", "checkpoint_every": 0}, ValueError,
         "checkpoint_every of FCNNClassifier.fit must be a number above 0. Got 0."),
        ({"checkpoint": "no/a"}, FileNotFoundError, "'no/a' cannot be saved: the folder '.*no' do"),
        ({"checkpoint": "."}, IsADirectoryError, "'.' cannot be saved: it is a folder. Name a"),
        ({"checkpoint": "d"}, IsADirectoryError, "'d.before' is a folder. Move it, or give anoth"),
        ({"checkpoint": "a\0"}, ValueError, r"'a\\x00' cannot name a file: embedded null"),
        ({"checkpoint": 300 * "a"}, OSError, "'a+' cannot be saved: its name is too long. Give"),
        ({"checkpoint": 250 * "a"}, OSError, "'a+.before' cannot be read: .* too long. Give an"),
    ],
)  # fmt: skip
def test_what_is_no_place_for_a_checkpoint_is_refused_before_the_fit(options, error, words):
    Path("d.before").mkdir()
    with pytest.raises(error, match=words):
        classifier(callbacks=lambda *_: pytest.fail("trained")).fit(X, Y, **options)


@pytest.mark.parametrize("beside", [False, True])
@pytest.mark.parametrize("name", ["run.ckpt", "run.ckpt.before"])
def test_a_file_that_is_no_checkpoint_is_never_written_over(name, beside):
    if beside and name == "run.ckpt.before":
        classifier().fit(X, Y, **OFTEN)
    Path(name).write_text("a,b\n" * 40)
    with pytest.raises(ValueError, match=f"'{name}' is no checkpoint of pellucid, and is not"):
        classifier().fit(X, Y, **OFTEN)
    assert Path(name).read_text() == "a,b\n" * 40


def test_each_damaged_range_of_bytes_is_seen(half_done):
    """40 ranges in turn: the file before is gone on from, to the same bits, and that is said."""
    newest, before = half_done
    right = killed_fits.digest(classifier().fit(X, Y))
    bounds = np.linspace(0, len(newest), 41).astype(int)
    for begin, end in zip(bounds[:-1], bounds[1:], strict=True):
        damaged = bytes(byte ^ 0x55 for byte in newest[begin:end])
        Path("run.ckpt").write_bytes(newest[:begin] + damaged + newest[end:])
        Path("run.ckpt.before").write_bytes(before)
        words = "^'run.ckpt' is damaged .*: the fit goes on from 'run.ckpt.before', the one before"
        with pytest.warns(UserWarning, match=words):
            model = classifier().fit(X, Y, **OFTEN)
        assert killed_fits.digest(model) == right


def test_each_length_at_which_a_file_is_cut_is_seen(half_done):
    newest, before = half_done
    for length in np.linspace(0, len(newest) - 1, 20).astype(int):
        Path("run.ckpt").write_bytes(newest[:length])
        Path("run.ckpt.before").write_bytes(before)
        with pytest.warns(
            UserWarning, match="^'run.ckpt' is (cut short|empty|damaged .*): the fit"
        ):
            slot = Slots("run.ckpt", 1)
            assert slot.read()["training"]["steps"] == 4
        assert slot.write({"finished": None}, {"values": np.zeros(3)}) is None
        # what was damaged did not take the place of what was whole
        assert Path("run.ckpt.before").read_bytes() == before


@pytest.mark.parametrize("links", [True, False], ids=["links", "no links"])
def test_the_newest_is_there_at_every_moment_where_files_have_two_names(links, monkeypatch):
    seen = []

    def replace(source, target, rename=os.replace):
        seen.append(Path("run.ckpt").exists())
        rename(source, target)

    if not links:
        monkeypatch.delattr(os, "link")
    slots = Slots("run.ckpt", 1)
    for step in range(3):
        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", replace)
            assert slots.write({"step": step}, {}) is None
    # written first, then twice kept and written
    assert seen == [False, *[True, links] * 2]
    assert sorted(os.listdir()) == ["run.ckpt", "run.ckpt.before"]
    steps = [json.loads(Path(name).read_bytes()[28:-52])["step"] for name in sorted(os.listdir())]
    assert steps == [2, 1]


@pytest.mark.parametrize("wrong", [bytes(5000), b"12345", b"a,b\n1,2\n"])
def test_whatever_took_the_place_of_the_newest_is_taken_for_damage(wrong, half_done):
    """Where the one before is whole, the name is known to be a checkpoint's."""
    Path("run.ckpt").write_bytes(wrong)
    words = "^'run.ckpt' is (no checkpoint of pellucid|cut short): the fit goes on from 'run.ckpt.b"
    with pytest.warns(UserWarning, match=words):
        model = classifier().fit(X, Y, **OFTEN)
    assert killed_fits.digest(model) == killed_fits.digest(classifier().fit(X, Y))
    assert Path("run.ckpt.before").read_bytes() != wrong


def test_two_damaged_files_are_refused_in_one_sentence(half_done):
    newest, before = half_done
    Path("run.ckpt").write_bytes(newest[:-50])
    Path("run.ckpt.before").write_bytes(before[:100] + b"?" + before[101:])
    words = (
        "'run.ckpt' is damaged (its checksum does not match), and 'run.ckpt.before' is damaged "
        "(its checksum does not match): no fit can go on from there. Remove both to begin anew."
    )
    with pytest.raises(ValueError, match=re.escape(words)):
        classifier().fit(X, Y, **OFTEN)
    os.remove("run.ckpt.before")
    with pytest.raises(ValueError, match="from there. Remove it to begin anew.$"):
        classifier().fit(X, Y, **OFTEN)


def test_the_file_before_is_named_where_a_link_leads(half_done):
    Path("there").mkdir()
    for name in ("run.ckpt", "run.ckpt.before"):
        os.rename(name, f"there/{name}")
    os.symlink("there/run.ckpt", "run.ckpt")
    Path("there/run.ckpt").write_bytes(half_done[0][:-1])
    words = "'run.ckpt' is damaged .*: the fit goes on from '/.*/there/run.ckpt.before', the one"
    with pytest.warns(UserWarning, match=words):
        classifier().fit(X, Y, **OFTEN)
    assert Path("run.ckpt").is_symlink() and not Path("run.ckpt.before").exists()


def test_a_file_that_is_empty_or_missing_is_begun_anew():
    Path("run.ckpt").touch()
    assert classifier().fit(X, Y, **OFTEN).n_iter_ == 3


def test_a_file_that_another_fit_writes_meanwhile_is_refused(half_done, monkeypatch):
    """Arrays of one moment beside the numbers of another would be a fit that never was."""
    slot = Slots("run.ckpt", 1)
    assert slot.read()["training"]["steps"] == 5
    Path("run.ckpt").write_bytes(half_done[1])
    with pytest.raises(ValueError, match="'run.ckpt' was written anew while this fit began. Run"):
        slot.arrays()


@pytest.mark.parametrize("same", [False, True], ids=["two fits", "one fit twice"])
def test_the_file_of_another_fit_that_runs_meanwhile_is_left(same, often):
    """The one that wrote later keeps it; the other says so, and trains on."""
    right, kept = killed_fits.digest(classifier().fit(X, Y)), []

    def other(model, row):
        if kept:
            return
        if not same:
            os.remove("run.ckpt")
            os.remove("run.ckpt.before")
        classifier(max_epochs=3 if same else 1).fit(X, Y, **OFTEN)
        kept.append(Path("run.ckpt").read_bytes())

    words = "goes on without a new checkpoint. 'run.ckpt' was written by another fit meanwhile. Run"
    with pytest.warns(UserWarning, match=words) as warned:
        model = classifier(callbacks=other).fit(X, Y, **OFTEN)
    assert len(warned) == 1 and killed_fits.digest(model) == right
    assert Path("run.ckpt").read_bytes() == kept[0]


def test_another_format_is_named(monkeypatch):
    classifier().fit(X, Y, **OFTEN)
    monkeypatch.setattr(slots, "FORMAT", 2)
    with pytest.raises(ValueError, match="'run.ckpt' is a checkpoint of format 1, written by pel"):
        classifier().fit(X, Y, **OFTEN)


@pytest.mark.parametrize("function", ["write", "fsync", "replace"])
def test_a_full_disk_leaves_the_file_and_the_fit(function, half_done, monkeypatch):
    newest, before = half_done
    right = killed_fits.digest(classifier().fit(X, Y))
    working, calls = getattr(os, function), [0]

    def full(*args):
        calls[0] += 1
        if function == "write" and calls[0] % 2:  # a part of it still goes
            return working(args[0], bytes(args[1])[:1000])
        raise OSError(errno.ENOSPC, "No space left on device")

    words = (
        "The fit goes on without a new checkpoint. 'run.ckpt' cannot be saved: no space left on "
        r"the disk \(needs .*\). The earlier file is unchanged.$"
    )
    with monkeypatch.context() as patch, pytest.warns(UserWarning, match=words) as warned:
        patch.setattr(os, function, full)
        model = classifier().fit(X, Y, **OFTEN)
    assert len(warned) == 1 and calls[0] > 3
    assert killed_fits.digest(model) == right
    assert (Path("run.ckpt").read_bytes(), Path("run.ckpt.before").read_bytes()) == half_done
    assert sorted(os.listdir()) == ["run.ckpt", "run.ckpt.before"]
    assert newest != before


def test_writes_take_at_most_a_hundredth_of_the_time(monkeypatch):
    """By a clock that goes on 2 seconds with each write, and 1 with each step."""
    now = [0.0]
    monkeypatch.setattr(slots.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(slots.Slots, "read", lambda self: None)
    sync = files._sync
    monkeypatch.setattr(files, "_sync", lambda *args: (sync(*args), advance(2.0)))

    def advance(seconds):
        now[0] += seconds

    slot, written = Slots("run.ckpt", 60.0), []
    for _ in range(3000):
        advance(1.0)
        if slot.is_due:
            written.append(now[0])
            slot.write({}, {})
    assert written[0] == 60.0 and len(written) > 10
    assert set(np.diff(written)) == {202.0}
    assert 2.0 * len(written) < 0.011 * now[0]


def test_nothing_is_copied_to_be_written(monkeypatch):
    import tracemalloc

    slot, arrays = Slots("run.ckpt", 1.0), {"values": np.zeros(4 << 20, dtype=np.uint8)}
    tracemalloc.start()
    slot.write({}, arrays)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 1 << 20
