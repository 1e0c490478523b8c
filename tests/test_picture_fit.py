"""Fits on scanned pictures are those on the same pictures in memory, to the bit."""

from __future__ import annotations

import os

import numpy as np
import pytest
from PIL import Image

import pellucid
from pellucid import CNNClassifier, CNNRegressor, FCNNClassifier, load
from pellucid.data.picture_scan import PictureScan, has_pictures

QUICK = {"channels": (3,), "hidden_dim": 4, "max_epochs": 2, "random_state": 0, "verbose": 0}


def pictures(folder, count=12, size=(9, 7), kind="RGB", bits=8):
    """A folder of two classes of pictures."""
    rng = np.random.default_rng(0)
    for name in ("dark", "light"):
        (folder / name).mkdir(parents=True)
        for number in range(count):
            shape = (*size, 3) if kind == "RGB" else size
            dtype = np.uint8 if bits == 8 else np.uint16
            levels = rng.integers(0, 1 << bits, shape).astype(dtype) // (1 + (name == "dark"))
            Image.fromarray(levels).save(folder / name / f"{number:02}.png")
    return folder


@pytest.fixture
def folder(tmp_path):
    return pictures(tmp_path / "photos")


def assert_same(folder, **parameters):
    chosen = {**QUICK, **parameters}
    in_memory = CNNClassifier(**chosen, shuffle="blocks").fit(folder)
    on_disk = CNNClassifier(**chosen).fit(pellucid.scan(folder))
    assert on_disk.history_["loss"] == in_memory.history_["loss"]
    assert on_disk.digest_ == in_memory.digest_
    assert on_disk.pictures_.notes == in_memory.pictures_.notes
    assert on_disk.pictures_.left_out == in_memory.pictures_.left_out
    return on_disk


def test_a_fit_on_disk_is_that_in_memory(folder, tmp_path):
    model = assert_same(folder)
    scan = pellucid.scan(folder)
    np.testing.assert_array_equal(model.predict(scan), model.predict(os.fspath(folder)))
    assert model.score(scan) == model.score(os.fspath(folder))
    model.save(tmp_path / "m.safetensors")
    assert load(tmp_path / "m.safetensors").digest_ == model.digest_
    assert sorted(os.listdir(tmp_path)) == ["m.safetensors", "photos", "photos.cache"]


@pytest.mark.parametrize("bits", [8, 16])
def test_grey_pictures_of_8_and_16_bits(tmp_path, bits):
    assert_same(pictures(tmp_path / "photos", kind="L", bits=bits))


def test_pictures_of_several_sizes(folder):
    for name in ("dark/00.png", "light/03.png"):
        Image.fromarray(np.zeros((20, 5, 3), np.uint8)).save(folder / name)
    assert_same(folder, resize="pad")


def test_weights_of_classes_early_stopping_and_augmentation(folder):
    for number in range(5):
        (folder / "dark" / f"{number:02}.png").unlink()
    assert_same(folder, class_weight="balanced", early_stopping=True, augment="flip")


def test_the_cache_is_taken_again_where_nothing_changed(folder, tmp_path, capsys):
    scan = pellucid.scan(folder, cache=tmp_path / "kept")
    first = CNNClassifier(**QUICK).fit(scan)
    written = (tmp_path / "kept").stat().st_mtime_ns
    again = CNNClassifier(**{**QUICK, "verbose": 1, "hidden_dim": 8}).fit(scan)
    assert "none is decoded anew" in " ".join(capsys.readouterr().err.split())
    assert (tmp_path / "kept").stat().st_mtime_ns == written
    assert again.digest_ == CNNClassifier(**QUICK, shuffle="blocks").set_params(
        hidden_dim=8
    ).fit(folder).digest_  # fmt: skip
    (folder / "dark" / "00.png").write_bytes((folder / "light" / "00.png").read_bytes())
    other = CNNClassifier(**{**QUICK, "verbose": 1}).fit(scan)
    assert "is damaged, or of other data: made anew" in " ".join(capsys.readouterr().err.split())
    assert other.digest_ != first.digest_
    scan.remove_cache()
    assert not (tmp_path / "kept").exists()


# -- damaged pictures -----------------------------------------------------------------------------


def damage(path, begin=None):
    """Cut a picture off: its header tells, or only its pixels do."""
    content = path.read_bytes()
    path.write_bytes(content[: begin or len(content) // 2])


@pytest.mark.parametrize("begin", [10, None])
def test_damaged_pictures_are_left_out(folder, begin):
    damage(folder / "dark" / "03.png", begin)
    damage(folder / "light" / "00.png", begin)
    model = assert_same(folder, on_error="skip", class_weight="balanced")
    assert len(model.pictures_.left_out) == 2


def test_a_class_of_which_none_is_left(folder):
    (folder / "odd").mkdir()
    for number in range(2):
        (folder / "odd" / f"{number}.png").write_bytes(
            (folder / "dark" / "00.png").read_bytes()[:100]
        )
    model = assert_same(folder, on_error="skip")
    assert model.classes_.tolist() == ["dark", "light"]
    assert any("none is left of odd" in note for note in model.pictures_.notes)


def test_a_damaged_picture_is_an_error_and_nothing_is_written(folder):
    damage(folder / "light" / "05.png")
    with pytest.raises(ValueError, match=r"picture 18 of 24, .*05.png'?, cannot be used: .*skip"):
        CNNClassifier(**QUICK).fit(pellucid.scan(folder))
    assert os.listdir(folder.parent) == ["photos"]


# -- sets in parts --------------------------------------------------------------------------------


def test_a_set_in_parts_is_learned_from_its_part(tmp_path):
    for part in ("train", "val", "test"):
        pictures(tmp_path / "photos" / part, count=4)
    in_memory = CNNClassifier(**QUICK, shuffle="blocks").fit(tmp_path / "photos")
    model = CNNClassifier(**QUICK).fit(pellucid.scan(tmp_path / "photos"))
    assert model.digest_ == in_memory.digest_ and "validation_loss" in model.history_[0]
    assert len(model.predict(pellucid.scan(tmp_path / "photos"))) == 8


# -- what is no folder of pictures, and what is refused -------------------------------------------


def test_a_folder_of_tables_is_none_of_pictures(tmp_path, folder):
    assert isinstance(pellucid.scan(folder), PictureScan)
    (tmp_path / "tables" / "2024").mkdir(parents=True)
    (tmp_path / "tables" / "2024" / "a.csv").write_text("a,b\n1,2\n")
    assert not has_pictures(tmp_path / "tables")
    assert pellucid.scan(tmp_path / "tables").columns == ["a", "b"]
    (folder / "readme.txt").write_text("digits")
    assert has_pictures(folder) and not has_pictures(folder / "dark")


def test_what_does_not_go_with_a_scan_of_pictures(folder):
    scan = pellucid.scan(folder)
    with pytest.raises(ValueError, match="y of CNNClassifier must be None: the folders are the"):
        CNNClassifier(**QUICK).fit(scan, ["a"] * 24)
    with pytest.raises(ValueError, match="partial_fit not called"):
        CNNClassifier(**QUICK).partial_fit(scan, classes=["dark", "light"])
    model = CNNClassifier(**QUICK).fit(scan)
    with pytest.raises(ValueError, match="^y of score of CNNClassifier must be None: the folders"):
        model.score(scan, ["dark"])
    with pytest.raises(
        ValueError, match="^sample_weight of score of CNNClassifier must be None, w"
    ):
        model.score(scan, sample_weight=np.ones(24))
    for kind in (FCNNClassifier, CNNRegressor):
        with pytest.raises(TypeError, match="It goes to a CNNClassifier"):
            kind(verbose=0).fit(scan)
    with pytest.raises(MemoryError, match="must be at least"):
        CNNClassifier(**QUICK).fit(pellucid.scan(folder, memory="1MB"))
    with pytest.raises(ValueError, match="balanced_batches of CNNClassifier must be False"):
        CNNClassifier(**QUICK, balanced_batches=True).fit(scan)
