"""Files as the user has them: packed or not, a table of which kind, or standard input.

What a file is, is told by its first bytes: endings lie, and some files have none.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import re
import shutil
import stat
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from pellucid.checks import listing, printable, shown, warn
from pellucid.data.columns import did_you_mean
from pellucid.data.tables import BadTable

ENDINGS = {
    ".csv": "csv", ".tsv": "csv", ".tab": "csv", ".txt": "csv", ".dat": "csv", ".data": "csv",
    ".parquet": "parquet", ".pq": "parquet", ".feather": "arrow", ".arrow": "arrow",
    ".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl",
    ".xlsx": "excel", ".xlsm": "excel", ".xlsb": "excel", ".xls": "excel", ".ods": "excel",
}  # fmt: skip
WORDS = {
    "csv": "CSV", "parquet": "Parquet", "arrow": "Feather or Arrow", "json": "JSON",
    "jsonl": "JSON Lines", "excel": "Excel or OpenDocument",
}  # fmt: skip
_SAVE = "Save it as CSV, Parquet, Feather, JSON or Excel"
# What files begin with, as regular expressions that no text fits: a column may be called PAR1.
_PACKED: dict[bytes, tuple[str, Any]] = {
    rb"\x1f\x8b": (".gz", gzip.open),
    rb"BZh[1-9](1AY&SY|\x17rE8P\x90)": (".bz2", bz2.open),
    rb"\xfd7zXZ": (".xz", lzma.open),
}
_TYPED = {b"PAR1": "parquet", b"ARROW1": "arrow", b"FEA1": "arrow", b"\xd0\xcf\x11\xe0": "excel"}
_NO_TABLES = {
    rb"\(\xb5/\xfd": "a Zstandard file. Unpack it",
    rb"7z\xbc\xaf": "a 7z file. Unpack it",
    rb"Rar!\x1a": "a RAR file. Unpack it",
    rb"\x89PNG|\xff\xd8\xff|GIF8[79]a.{0,3}[\0-\x08]": "a picture",
    rb"%PDF-[12]\.": "a PDF file",
    rb"\x89HDF": f"an HDF5 file. {_SAVE}",
    rb"\x80[\x02-\x05]": f"a pickle of Python. {_SAVE}",
    rb"[\x69\x6c\x6e-\x73][\x01\x02]\x01\0|<stata_dta>": f"a file of Stata. {_SAVE}",
    rb"\0{12}\xc2\xea\x81\x60|HEADER RECORD\*{7}LIB": f"a file of SAS. {_SAVE}",
    rb"\$FL[23]@\(#\)": f"a file of SPSS. {_SAVE}",
    rb"RD[XA][23]\n[XA]\n|X\n\0\0\0[\x02\x03]": f"data of R. {_SAVE}",
    rb"\x93NUMPY": f"an array of NumPy. {_SAVE}",
    rb"MATLAB 5\.0 MAT-file": f"a file of MATLAB. {_SAVE}",
    rb"SQLite format 3\0": f"a database of SQLite. {_SAVE}",
    rb"(?i)(\xef\xbb\xbf)?\s*(<!doctype html|<(html|table)[ >])": f"a page of HTML. {_SAVE}",
    rb"(\xef\xbb\xbf)?\s*<\?xml": f"XML. {_SAVE}",
}
_HEAD = 1 << 12  # bytes that tell what a file is
_SHEETS = ("xl/workbook.xml", "xl/workbook.bin", "content.xml")  # members of a workbook
_DAMAGE = (lzma.LZMAError, zipfile.BadZipFile, zlib.error)
STDIN = "-"


class Source(NamedTuple):
    """A file that holds a table: its name for sentences, its kind, and its unpacked content.

    `packed` is the ending of what packed it, or "".
    """

    path: Path
    name: str
    kind: str
    packed: str
    open: Callable[[], BinaryIO]

    @property
    def file(self) -> Path | None:
        """The file that holds the content as it is: none if it is packed, or standard input."""
        return None if self.packed or os.fspath(self.path) == STDIN else self.path


def is_table(path: str | os.PathLike[str]) -> bool:
    """Whether `path` is the file of a table, by its ending; without one, by its content."""
    if os.fspath(path) == STDIN or _kind_by_ending(Path(path)) is not None:
        return True
    if Path(path).suffix:
        return False
    try:
        with Path(path).open("rb") as file:
            head = file.read(_HEAD)
    except (OSError, ValueError):
        return False
    return bool(head) and (b"\0" not in head or head.startswith((b"PAR1", b"PK", b"ARROW1")))


def open_source(path: str | os.PathLike[str]) -> Source:
    """The file at `path`, or standard input for ``-``, once it is a file that has content.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, PermissionError
        If there is no such file, or it may not be read.
    ValueError
        If it is empty, no file but a pipe or a device, or holds no table that can be read.
    """
    if os.fspath(path) == STDIN:
        return _of_kind(Path(STDIN), "standard input", _spooled())
    path = Path(path)
    check_file(path)
    return _of_kind(path, printable(path.name), partial(_open, path))


def _open(path: Path) -> BinaryIO:
    return path.open("rb")


def check_file(path: Path) -> None:
    """Refuse what is no file with content."""
    try:
        about = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        neighbours = [file.name for file in path.parent.glob("*")]  # none if there is no folder
        near = did_you_mean(path.name, neighbours)
        raise FileNotFoundError(f"{printable(path)} does not exist.{near}") from None
    except PermissionError:
        raise PermissionError(f"{printable(path)} may not be read: its folder is closed.") from None
    except (OSError, ValueError) as error:  # a name too long, or with a NUL
        reason = getattr(error, "strerror", None) or str(error)
        raise BadTable(f"{shown(str(path))} cannot be the name of a file: {reason}.") from None
    name = printable(path.name)
    if stat.S_ISDIR(about.st_mode):
        raise IsADirectoryError(f"{printable(path)} must be a file. Got a directory.")
    if not stat.S_ISREG(about.st_mode):  # a pipe can be read only once, and may wait for ever
        raise BadTable(
            f"{name} must be a regular file. Got a pipe or a device. Save it as a file, or give it "
            "as standard input by '-'."
        )
    if about.st_size == 0:
        raise BadTable(f"{name} must hold a table. Got an empty file.")


def _spooled() -> Callable[[], BinaryIO]:
    """Standard input, kept in a file aside: it is read several times."""
    if sys.stdin is None or sys.stdin.closed:
        raise BadTable("standard input must hold a table. Got a closed one. Name a file.")
    if sys.stdin.isatty():
        raise BadTable(
            "standard input must hold a table. Got a terminal. Name a file, or write: "
            "pellucid ... - < FILE"
        )
    spool = _Spool()
    shutil.copyfileobj(sys.stdin.buffer, spool.file)
    if spool.file.tell() == 0:
        raise BadTable("standard input must hold a table. Got nothing.")
    return lambda: io.BufferedReader(_Section(spool))


class _Spool:
    """A file without a name, which is closed and gone as soon as nothing refers to it."""

    def __init__(self) -> None:
        self.file = tempfile.TemporaryFile()

    def __del__(self) -> None:
        self.file.close()


class _Section(io.RawIOBase):
    """A reader of its own of an open file."""

    def __init__(self, spool: _Spool) -> None:
        self._spool, self._place = spool, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        end = os.fstat(self._spool.file.fileno()).st_size
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: end}[whence]
        self._place = max(0, start + offset)
        return self._place

    def readinto(self, buffer: Any) -> int:
        self._spool.file.seek(self._place)
        count = self._spool.file.readinto(buffer)
        self._place += count
        return count


class _Layered(io.RawIOBase):
    """What a file holds unpacked; the file is closed with it."""

    def __init__(self, unpacked: Any, file: BinaryIO) -> None:
        self._unpacked, self._file = unpacked, file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._unpacked.readinto(buffer)

    def close(self) -> None:
        self._unpacked.close()
        self._file.close()
        super().close()


def _of_kind(path: Path, name: str, opener: Callable[[], BinaryIO]) -> Source:
    """The table in a file, which may be packed."""
    try:
        with opener() as file:
            head = file.read(_HEAD)
    except PermissionError:
        raise PermissionError(f"{name} may not be read. Change its permissions first.") from None
    for pattern, (ending, unpack) in _PACKED.items():
        if re.match(pattern, head):
            return _unpacked(path, name, ending, partial(_opened, opener, unpack))
    if head.startswith(b"PK\x03\x04"):
        return _of_zip(path, name, opener)
    return Source(path, name, _kind(path, name, head), "", opener)


def _opened(opener: Callable[[], BinaryIO], unpack: Callable[..., Any]) -> BinaryIO:
    file = opener()
    return io.BufferedReader(_Layered(unpack(file, "rb"), file))


def _unpacked(path: Path, name: str, packed: str, opener: Callable[[], Any]) -> Source:
    try:
        with opener() as file:
            head = file.read(_HEAD)
    except (OSError, EOFError, RuntimeError, *_DAMAGE) as error:
        encrypted = isinstance(error, RuntimeError) and "password" in str(error)
        reason = "it is encrypted" if encrypted else "it is damaged, or breaks off"
        raise BadTable(f"{name} cannot be unpacked: {reason}.") from error
    if not head:
        raise BadTable(f"{name} must hold a table. Got an empty file in it.")
    inner = Path(path.stem) if path.suffix.lower() == packed else Path(path.name)
    return Source(path, name, _kind(inner, name, head), packed, opener)


def _opened_in_zip(opener: Callable[[], BinaryIO], member: str) -> BinaryIO:
    file = opener()
    try:
        return io.BufferedReader(_Layered(zipfile.ZipFile(file).open(member), file))
    except BaseException:
        file.close()
        raise


def _of_zip(path: Path, name: str, opener: Callable[[], BinaryIO]) -> Source:
    """The one file in a zip file; an Excel workbook is such a file too."""
    try:
        with opener() as file, zipfile.ZipFile(file) as archive:
            members = [
                entry.filename for entry in archive.infolist()
                if not entry.is_dir() and not entry.filename.startswith("__MACOSX/")
            ]  # fmt: skip
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise BadTable(f"{name} cannot be unpacked: it is damaged, or breaks off.") from error
    if any(member in _SHEETS for member in members):
        return Source(path, name, "excel", "", opener)
    tables = _tables_among(members)
    if len(tables) != 1:
        what = f"{len(members)}: {listing(members)}" if members else "none"
        raise BadTable(f"{name} must hold one table. Got {what}. Unpack it, and name the one.")
    table = tables[0]
    if others := [member for member in members if member != table]:
        warn(f"{name}: read is {printable(table)}, and not {listing(others)}.")
    unpack = partial(_opened_in_zip, opener, table)
    source = _unpacked(path, name, ".zip", unpack)
    with unpack() as file:
        kind = _kind(Path(table), name, file.read(_HEAD))
    return Source(path, source.name, kind, ".zip", unpack)


def _tables_among(members: Sequence[str]) -> list[str]:
    """The files of a zip file that may be tables: not what tells about them."""
    names = [Path(member).name.lower() for member in members]
    plain = [
        member for member, name in zip(members, names, strict=True)
        if not name.startswith(".") and not re.match("readme|licen[sc]e|about|index$", name)
    ]  # fmt: skip
    if len(plain) > 1:
        plain = [member for member in plain if Path(member).suffix.lower() in ENDINGS]
    if len(plain) > 1:
        plain = [member for member in plain if Path(member).suffix.lower() != ".txt"]
    return plain or list(members)


def _kind_by_ending(path: Path) -> str | None:
    inner = Path(path.stem) if path.suffix.lower() in (".gz", ".bz2", ".xz", ".zip") else path
    return ENDINGS.get(inner.suffix.lower(), "csv" if inner is not path else None)


def _kind(path: Path, name: str, head: bytes) -> str:
    """Which kind of table begins with the bytes `head`."""
    by_ending = ENDINGS.get(path.suffix.lower())
    for magic, kind in _TYPED.items():
        if head.startswith(magic) and (kind == by_ending or not _is_text(head)):
            return kind
    for pattern, what in _NO_TABLES.items():
        if re.match(pattern, head, re.DOTALL):
            raise BadTable(f"{name} must hold a table. Got {what}.")
    if by_ending in ("parquet", "arrow", "excel"):
        article = "an" if by_ending == "excel" else "a"
        raise BadTable(f"{name} must be {article} {WORDS[by_ending]} file. Got other content.")
    if by_ending is None and head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        return "json"
    return by_ending or "csv"


def _is_text(head: bytes) -> bool:
    """Whether a file that begins so may be text: no bytes that only control a terminal."""
    return not re.search(rb"[\0-\x08\x0e-\x19\x1c-\x1f\x7f]", head)
