"""Files as people have them: packed, without an ending, from standard input, and no tables."""

import bz2
import gzip
import io
import lzma
import os
import pickle
import sys
import zipfile

import pytest

from pellucid import memory
from pellucid.data import is_table, read_batches, read_table

TEXT = b"code,x\n007,1\n012,2.5\n"
PACKERS = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}


def zipped(*members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return file.getvalue()


PACKERS["zip"] = lambda content: zipped(("t.csv", content))


def write(folder, content, name):
    path = folder / name
    path.write_bytes(content)
    return path


def rows(frame):
    return [list(frame.columns), *frame.to_numpy().tolist()]


WANTED = [["code", "x"], ["007", 1.0], ["012", 2.5]]


@pytest.mark.parametrize("packer", PACKERS)
def test_packed_files_are_told_by_their_content(tmp_path, packer):
    content = PACKERS[packer](TEXT)
    for name in (f"t.csv.{packer}", f"t.{packer}", f"T.CSV.{packer.upper()}", "t.csv", "t"):
        path = write(tmp_path, content, name)
        assert rows(read_table(path)) == WANTED
        assert [rows(part) for part in read_batches(path)] == [WANTED]
    assert rows(read_table(write(tmp_path, TEXT, f"t.csv.{packer}"))) == WANTED  # a wrong ending


@pytest.mark.parametrize("packer", PACKERS)
def test_packed_files_that_break_off(tmp_path, packer):
    whole = PACKERS[packer](b"a,b\n" + b"".join(b"%d,%d\n" % (i, i * i) for i in range(20_000)))
    for cut in (12, len(whole) // 2, len(whole) - 9):
        path = write(tmp_path, whole[:cut], "t.csv")
        with pytest.raises(ValueError, match=r"^t\.csv cannot be .*damaged, or breaks off\.$"):
            read_table(path)


@pytest.mark.parametrize("packer", ["gz", "bz2", "xz", "zip"])
def test_packed_files_that_are_damaged(tmp_path, packer):
    whole = PACKERS[packer](b"a,b\n" + b"".join(b"%d,%d\n" % (i, i * i) for i in range(3000)))
    for place in range(10, len(whole), max(1, len(whole) // 60)):
        damaged = whole[:place] + b"\xff\xff\xff" + whole[place + 3 :]
        try:
            read_table(write(tmp_path, damaged, "t.csv"))
        except ValueError as error:
            assert str(error).startswith("t.csv ") and "\n" not in str(error)


def test_zip_files_of_several_or_no_tables(tmp_path):
    two = zipped(("a.csv", TEXT), ("b.csv", TEXT))
    match = r"^t\.zip must hold one table\. Got 2: a\.csv, b\.csv\. Unpack it, and name the one\.$"
    with pytest.raises(ValueError, match=match):
        read_table(write(tmp_path, two, "t.zip"))
    extras = zipped(("folder/", b""), ("folder/t.csv", TEXT), ("__MACOSX/._t.csv", b"x"))
    assert rows(read_table(write(tmp_path, extras, "t.zip"))) == WANTED
    with pytest.raises(ValueError, match="must hold a table. Got an empty file in it."):
        read_table(write(tmp_path, zipped(("a.csv", b"")), "t.zip"))
    with pytest.raises(ValueError, match="must hold one table. Got none."):
        read_table(write(tmp_path, zipped(("a/", b"")) + b"", "t.zip"))


@pytest.mark.parametrize(
    "others",
    [
        ["README.md"], ["readme.txt"], ["LICENSE", "__MACOSX/._t.csv"], ["t.names"], [".DS_Store"],
        ["columns.txt", "about.pdf"],
    ],
)  # fmt: skip
def test_a_zip_file_may_tell_about_its_table(tmp_path, others):
    content = zipped(*((name, b"words") for name in others), ("in/t.csv", TEXT))
    path = write(tmp_path, content, "t.zip")
    names = ", ".join(name for name in others if "MACOSX" not in name)
    match = rf"^t\.zip: read is in/t\.csv, and not {names}\.$"
    with pytest.warns(UserWarning, match=match) as caught:
        assert rows(read_table(path)) == WANTED
    assert len(caught) == 1
    path = write(tmp_path, zipped(("readme.txt", TEXT)), "t.zip")
    assert rows(read_table(path)) == WANTED


@pytest.mark.parametrize(
    "name", ["PAR1", "FEA1", "ARROW1", "GIF8", "GIF89a", "BZh1", "BZh", "Rar!", "7z", "PK", "RDX2"]
)
def test_names_of_columns_are_no_magic(tmp_path, name):
    for mark in (",", ";", "\t"):
        for file in ("t.csv", "t"):
            content = f"{name}{mark}x\n北京{mark}1\nOslo{mark}2\n".encode()
            assert rows(read_table(write(tmp_path, content, file))) == [
                [name, "x"], ["北京", 1], ["Oslo", 2]
            ]  # fmt: skip


def test_what_grows_when_it_is_unpacked_is_held_against_memory(tmp_path, monkeypatch):
    path = write(tmp_path, gzip.compress(b"a,b\n" + b"1,2\n" * (8 << 20)), "t.csv.gz")
    monkeypatch.setattr(memory, "memory_limit", lambda: 20e6)
    monkeypatch.setattr(memory, "_SMALL", 1)
    match = r"^t\.csv\.gz, unpacked, must fit into the memory of 20 MB that there is\. Got \d"
    with pytest.raises(MemoryError, match=match):
        read_table(path)
    assert next(read_batches(path)).shape[1] == 2  # one part after the other fits


def test_other_archives_and_pictures_are_named(tmp_path):
    save = "Save it as CSV, Parquet, Feather, JSON or Excel."
    for content, words in (
        (b"(\xb5/\xfd....", "a Zstandard file. Unpack it."),
        (b"7z\xbc\xaf\x27\x1c..", "a 7z file. Unpack it."),
        (b"\xff\xd8\xff\xe0....", "a picture."),
        (b"%PDF-1.7", "a PDF file."),
        (b"GIF89a\x10\x01\x10\x01", "a picture."),
        (b"Rar!\x1a\x07\x00", "a RAR file. Unpack it."),
        (pickle.dumps({"a": [1, 2]}), f"a pickle of Python. {save}"),
        (b"\x6c\x02\x01\0....", f"a file of Stata. {save}"),
        (b"<stata_dta><header>", f"a file of Stata. {save}"),
        (bytes(12) + bytes.fromhex("c2ea8160b31411cfbd92080009c7318c"), f"a file of SAS. {save}"),
        (b"$FL2@(#) SPSS DATA FILE", f"a file of SPSS. {save}"),
        (gzip.compress(b"RDX3\nX\n\0\0\0\x03"), f"data of R. {save}"),
        (b"\x93NUMPY\x01\0", f"an array of NumPy. {save}"),
        (b"SQLite format 3\0", f"a database of SQLite. {save}"),
        (b"\n<!DOCTYPE html>\n<html>", f"a page of HTML. {save}"),
        (b"<table border=1>", f"a page of HTML. {save}"),
        (b'<?xml version="1.0"?>', f"XML. {save}"),
    ):
        with pytest.raises(ValueError, match=rf"^t\.csv must hold a table\. Got {words}$"):
            read_table(write(tmp_path, content, "t.csv"))


def test_tables_are_told_from_pictures_and_folders(tmp_path):
    for name in ("a.csv", "a.TSV", "a.csv.gz", "a.txt", "a.parquet", "a.xlsx", "a.jsonl.xz", "-"):
        assert is_table(name)
    for name in ("a.png", "a.jpg", "a.tif", "gone", "a.safetensors"):
        assert not is_table(name)
    assert is_table(write(tmp_path, TEXT, "table")) and not is_table(tmp_path)
    assert not is_table(write(tmp_path, b"\x89PNG\r\n\x1a\n\0\0", "picture"))
    assert not is_table(write(tmp_path, b"", "empty"))
    assert is_table(write(tmp_path, zipped(("t.csv", TEXT)), "zipped"))


class Stdin(io.TextIOWrapper):
    """Standard input as a pipe is, or as a terminal."""

    terminal = False

    def isatty(self):
        return self.terminal


def test_standard_input_is_read_whole(monkeypatch):
    for content in (TEXT, gzip.compress(TEXT), TEXT.replace(b",", b";")):
        monkeypatch.setattr(sys, "stdin", Stdin(io.BytesIO(content)))
        assert rows(read_table("-")) == WANTED
        monkeypatch.setattr(sys, "stdin", Stdin(io.BytesIO(content)))
        assert [rows(part) for part in read_batches("-")] == [WANTED]
    monkeypatch.setattr(sys, "stdin", Stdin(io.BytesIO(b'[{"a": 1}, {"a": 2}]')))
    assert rows(read_table("-")) == [["a"], [1], [2]]


def test_standard_input_is_no_file_that_is_called_so(tmp_path, monkeypatch):
    """A library that is given the name would read the file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "-").write_bytes(b"other\n1\n2\n")
    monkeypatch.setattr(sys, "stdin", Stdin(io.BytesIO(TEXT)))
    assert rows(read_table("-")) == WANTED


def test_standard_input_without_a_table(monkeypatch):
    terminal = Stdin(io.BytesIO(TEXT))
    terminal.terminal = True
    for stdin, words in (
        (terminal, "a terminal"),
        (Stdin(io.BytesIO()), "nothing"),
        (None, "a clo"),
    ):
        monkeypatch.setattr(sys, "stdin", stdin)
        with pytest.raises(ValueError, match=f"^standard input must hold a table. Got {words}"):
            read_table("-")


def test_no_file_stays_open(tmp_path):
    """Else a folder cannot be removed on Windows, and a long process runs out of files."""
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("needs /proc")
    for packer in PACKERS:
        path = write(tmp_path, PACKERS[packer](TEXT), f"t.{packer}")
        read_table(path)
        before = len(os.listdir("/proc/self/fd"))
        read_table(path)
        list(read_batches(path))
        assert len(os.listdir("/proc/self/fd")) == before
