"""Folders of pictures: what is listed, in which order, and what is no folder of classes."""

import os
import shutil
from pathlib import Path

import pytest

from pellucid import list_pictures
from pellucid.data.folders import files_below


@pytest.fixture
def folder(tmp_path):
    """A function that makes a folder with these files in it, all empty."""

    def make(*names):
        for name in names:
            path = tmp_path / "pictures" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        (tmp_path / "pictures").mkdir(exist_ok=True)
        return tmp_path / "pictures"

    return make


def names(root, paths):
    """Paths as they stand below `root`, with slashes."""
    return [each.replace("\\", "/").removeprefix(f"{root.as_posix()}/") for each in paths]


def test_pictures_come_in_the_order_of_their_names(folder):
    root = folder("b/2.png", "b/10.png", "a/z.jpg", "a/A.jpg", "c/x", "c/y")
    for given in (root, str(root)):
        paths, classes = list_pictures(given)
        assert names(root, paths) == ["a/A.jpg", "a/z.jpg", "b/10.png", "b/2.png", "c/x", "c/y"]
        assert classes == ["a", "a", "b", "b", "c", "c"]
        assert all(type(each) is str for each in paths + classes)


def test_paths_are_relative_where_the_folder_is(folder, monkeypatch):
    root = folder("a/1", "a/2")
    monkeypatch.chdir(root.parent)
    paths, _ = list_pictures("pictures")
    assert [each.replace("\\", "/") for each in paths] == ["pictures/a/1", "pictures/a/2"]


def test_pictures_in_folders_below_belong_to_the_class(folder):
    root = folder("cat/2019/may/1.png", "cat/2018/2.png", "cat/3.png", "dog/1.png", "dog/a/b/2.png")
    paths, classes = list_pictures(root)
    assert sorted(names(root, paths)[:3]) == ["cat/2018/2.png", "cat/2019/may/1.png", "cat/3.png"]
    assert sorted(names(root, paths)[3:]) == ["dog/1.png", "dog/a/b/2.png"]
    assert classes == ["cat"] * 3 + ["dog"] * 2
    assert list_pictures(root) == (paths, classes)


def test_what_is_hidden_is_no_picture(folder):
    root = folder(
        "a/1.png", "a/2.png", "a/.DS_Store", "a/._1.png", "a/Thumbs.db", "a/thumbs.DB",
        "a/desktop.ini", "a/.cache/3.png", "a/b/.git/c/4.png", ".hidden/5.png", ".hidden/6.png",
        "loose.png",
    )  # fmt: skip
    paths, classes = list_pictures(root)
    assert names(root, paths) == ["a/1.png", "a/2.png"]
    assert classes == ["a", "a"]
    assert names(root, files_below(root)) == ["a/1.png", "a/2.png", "loose.png"]


def test_a_hidden_folder_above_hides_nothing(folder):
    root = folder(".data/a/1.png", ".data/a/2.png") / ".data"
    paths, _ = list_pictures(root)
    assert names(root, paths) == ["a/1.png", "a/2.png"]


def test_a_class_of_too_few_pictures_is_named(folder):
    root = folder("full/1.png", "full/2.png", "lone/1.png")
    words = r"^the class folder '.*lone' must hold at least 2 pictures\. Got 1, '.*1\.png'\. Add "
    with pytest.raises(ValueError, match=words):
        list_pictures(root)
    paths, classes = list_pictures(root, least=1)
    assert classes == ["full", "full", "lone"] and len(paths) == 3


@pytest.mark.parametrize(("least", "words"), ((2, "2 pictures"), (1, "1 picture")))
def test_an_empty_class_folder_is_named(folder, least, words):
    root = folder("full/1.png", "full/2.png", "none/.DS_Store")
    expected = (
        rf"the class folder '.*none' must hold at least {words}\. Got none\. Add pictures, or"
    )
    with pytest.raises(ValueError, match=expected):
        list_pictures(root, least)


@pytest.mark.parametrize("files", ((), ("1.png", "2.png"), (".hidden/1.png", ".hidden/2.png")))
def test_a_folder_without_class_folders(folder, files):
    words = (
        r"^'.*pictures' must hold one folder a class, with its pictures in it\. Got no folder\. "
    )
    with pytest.raises(ValueError, match=f"{words}Move the pictures into folders"):
        list_pictures(folder(*files))


def test_what_is_no_folder_is_said_to_be_none(folder):
    root = folder("a/1.png")
    for function in (list_pictures, files_below):
        with pytest.raises(FileNotFoundError, match=r"^the folder '.*gone' does not exist\.$"):
            function(root / "gone")
        words = r"^'.*1\.png' must be a folder of pictures\. Got a file\.$"
        with pytest.raises(NotADirectoryError, match=words):
            function(root / "a" / "1.png")


def test_files_below_an_empty_folder_are_none(folder):
    assert files_below(folder()) == []


def test_links_to_pictures_are_pictures(folder):
    root = folder("a/1.png", "elsewhere/2.png", "elsewhere/3.png")
    try:
        (root / "a" / "4.png").symlink_to(root / "elsewhere" / "2.png")
        (root / "a" / "gone.png").symlink_to(root / "elsewhere" / "none.png")
    except OSError:
        pytest.skip("links need a privilege here")
    assert names(root, files_below(root / "a")) == ["a/1.png", "a/4.png"]


def test_names_that_cannot_be_printed_are_no_classes(folder):
    """They would break the lines of reports, and no model could be saved with them."""
    folder("a/1", "a/2")
    for name, shown in (("b\nc", r"b\\nc"), ("b\udcff", r"b\\udcff")):
        root = folder(f"{name}/1", f"{name}/2")
        match = (
            rf"^the class folder '.*{shown}' must have a name that can be printed, .* Rename it\.$"
        )
        with pytest.raises(ValueError, match=match):
            list_pictures(root)
        shutil.rmtree(root / name)
    root = folder("a/odd\nname.png", "a/odd\udcff.png")
    assert len(list_pictures(root)[0]) == 4  # their pictures may have any name


def test_a_folder_that_may_not_be_read(folder, monkeypatch):
    root = folder("a/1", "a/2", "b/1", "b/2")
    closed = root / "b"
    monkeypatch.setattr(os, "access", lambda path, _: Path(path) != closed)  # root may all
    with pytest.raises(PermissionError, match=r"^the folder '.*b' may not be read\. Change its"):
        list_pictures(root)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes in folders are POSIX's")
def test_what_is_no_regular_file_is_no_picture(folder):
    root = folder("a/1", "a/2")
    os.mkfifo(root / "a" / "pipe.png")
    assert len(list_pictures(root)[0]) == 2
