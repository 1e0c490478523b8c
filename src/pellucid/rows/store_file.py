"""The file of a store: rows in their places, in pieces that are checked as they are read.

A file is, one behind the other: `MAGIC`; the pieces, each the records of its rows, then their
targets, then their weights if they have some; a CRC-32 of each piece; arrays as safetensors; the
header as JSON; the length of these three, and of the header alone; the SHA-256 of all from the CRCs
to there; `MAGIC` again. So a file that is not whole has no end, and what is damaged later is known
before it is used.
"""

from __future__ import annotations

import hashlib
import os
import stat
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import msgspec
import numpy as np

from pellucid.checks import file_name, size_text
from pellucid.rows.packing import Packing
from pellucid.rows.placing import Records

MAGIC = b"pellucid rows 1\n"
PIECE = 512  # rows of a piece, as many as are shuffled as one
LARGE = 1 << 12  # bytes of a row from which on it is a piece of its own
_TAIL = 8 + 8 + 32 + len(MAGIC)
_NUMBERS = "biuf"

Count = Annotated[int, msgspec.Meta(ge=0, lt=1 << 53)]


class Stale(ValueError):
    """A file of rows that is of pellucid, but damaged or of other data: it can be made anew."""


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a file of rows says of itself.

    Attributes
    ----------
    key : str
        What its rows were made from.
    rows : int
    seed : int
        By which they are placed.
    packing : dict
        See :meth:`pellucid.rows.packing.Packing.config`.
    value_shape, value_dtype
        Of a row's target.
    weighted : bool
        Whether rows have weights.
    weight_unit, weight_sum : float
        The power of two by which weights are divided, and their sum after that.
    content : str
        SHA-256 of all pieces.
    states : int
        Bytes of the arrays.
    about : dict
        What their maker wishes to know again.
    """

    key: str
    rows: Count
    seed: Annotated[int, msgspec.Meta(ge=0)]
    packing: dict[str, Any]
    value_shape: list[Count]
    value_dtype: str
    weighted: bool
    weight_unit: float
    weight_sum: float
    content: str
    states: Count
    about: dict[str, Any]


def is_store(path: Any) -> bool:
    """Whether there is a file of rows at `path`, as far as its first bytes tell."""
    try:
        with open(path, "rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def piece_rows(row_bytes: int) -> int:
    """How many rows a piece has, of rows of so many bytes."""
    return PIECE if row_bytes < LARGE else 1


class PieceWriter:
    """Writes pieces, and in the end all that stands behind them.

    Parameters
    ----------
    file : file
        To write into, from its beginning.
    kind : Records
        Of no rows: what they are.
    """

    def __init__(self, file: BinaryIO, kind: Records) -> None:
        self._file, self._piece = file, piece_rows(kind.x.shape[1])
        self._left, self._crcs, self._digest = kind, list[int](), hashlib.sha256()
        self.rows = 0
        file.write(MAGIC)

    def write(self, records: Records) -> None:
        """The rows at the next places."""
        if self._piece == 1:
            self._write_rows(records)
            return
        both = zip(self._left, records, strict=True)
        joined = Records(*(np.concatenate([left, part]) for left, part in both))
        whole = len(joined.x) - len(joined.x) % self._piece
        for begin in range(0, whole, self._piece):
            self._write_piece(joined.at(slice(begin, begin + self._piece)))
        self._left = Records(*(part.copy() for part in joined.at(slice(whole, None))))

    def _write_piece(self, records: Records) -> None:
        content = np.concatenate([_bytes(part).reshape(-1) for part in records]).data
        self._crcs.append(zlib.crc32(content))
        self._write_bytes(content, len(records.x))

    def _write_rows(self, records: Records) -> None:
        """Write rows that are pieces of their own."""
        content = np.concatenate([_bytes(part) for part in records], axis=1)
        self._crcs += [zlib.crc32(row.data) for row in content]
        self._write_bytes(content.reshape(-1).data, len(content))

    def _write_bytes(self, content: Any, rows: int) -> None:
        self._file.write(content)
        self._digest.update(content)
        self.rows += rows

    def finish(self, arrays: dict[str, np.ndarray], **header: Any) -> None:
        """Write the last rows, the `arrays`, and what else the header has."""
        from safetensors import numpy

        if len(self._left.x):
            self._write_piece(self._left)
        states = numpy.save({name: np.ascontiguousarray(part) for name, part in arrays.items()})
        end = Header(rows=self.rows, content=self._digest.hexdigest(), states=len(states), **header)
        text = msgspec.json.encode(end)
        behind = np.array(self._crcs, "<u4").tobytes() + states + text
        behind += len(behind).to_bytes(8, "little") + len(text).to_bytes(8, "little")
        self._file.write(behind + hashlib.sha256(behind).digest() + MAGIC)


def _bytes(rows: np.ndarray) -> np.ndarray:
    """Rows as uint8 of shape (n, bytes of a row)."""
    count = len(rows)
    size = int(np.prod(rows.shape[1:], dtype=np.int64)) * rows.itemsize
    if not count * size:
        return np.empty((count, size), np.uint8)
    return np.ascontiguousarray(rows).reshape(-1).view(np.uint8).reshape(count, size)


class StoreFile:
    """A file of rows, open to be read.

    Parameters
    ----------
    path : path-like

    Attributes
    ----------
    header : Header
    packing : Packing
    piece : int
        Rows of a piece.
    kind : Records
        Of no rows: what they are.
    arrays : dict of str to ndarray

    Raises
    ------
    FileNotFoundError
        If there is none.
    Stale
        If it is damaged.
    ValueError
        If it is no such file.
    """

    def __init__(self, path: Any) -> None:
        self.path = Path(path)
        self._file = os.open(self.path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        from safetensors import SafetensorError, numpy

        errors = SafetensorError, msgspec.MsgspecError
        about = os.fstat(self._file)
        size = about.st_size
        if not stat.S_ISREG(about.st_mode) or self._bytes(0, len(MAGIC)) != MAGIC:
            raise ValueError(
                f"{file_name(self.path)} must be a file of rows that pellucid keeps for training. "
                "Got another file, which is left as it is. Name another."
            )
        tail = self._bytes(size - _TAIL, _TAIL) if size >= _TAIL + len(MAGIC) else b""
        if not tail.endswith(MAGIC):
            raise self._damage("its end is missing")
        length, of_text = (int.from_bytes(tail[place : place + 8], "little") for place in (0, 8))
        begin = size - _TAIL - length
        behind = self._bytes(begin, length) + tail[:16] if begin >= 0 else b""
        if hashlib.sha256(behind).digest() != tail[16:48]:
            raise self._damage("its header is not as it was written")
        try:
            header = self.header = msgspec.json.decode(
                behind[length - of_text : length], type=Header
            )
            self.packing = Packing.from_config(header.packing)
            dtype = np.dtype(header.value_dtype)
            if dtype.kind not in _NUMBERS:
                raise ValueError(dtype)
            self.kind = Records.room(
                0, self.packing.row_bytes, tuple(header.value_shape), dtype, header.weighted
            )
            self.piece = piece_rows(self.packing.row_bytes)
            self._row = self.kind.row_bytes
            count = -(-header.rows // self.piece)
            if begin != len(MAGIC) + header.rows * sum(self._row):
                raise ValueError(begin)
            if length != 4 * count + header.states + of_text:
                raise ValueError(length)
            self._crcs = np.frombuffer(behind, "<u4", count)
            self.arrays = numpy.load(behind[4 * count : 4 * count + header.states])
        except (ValueError, TypeError, KeyError, OverflowError, MemoryError, *errors) as error:
            raise self._damage("its header is none") from error

    def _damage(self, how: str) -> Stale:
        return Stale(f"{file_name(self.path)} is damaged: {how}. Remove it, and do the same again.")

    def _bytes(self, begin: int, count: int) -> bytes:
        """So many bytes from `begin` on, or fewer at the end."""
        content = b""
        while len(content) < count:
            part = os.pread(self._file, count - len(content), begin + len(content))
            if not part:
                break
            content += part
        return content

    def __len__(self) -> int:
        return self.header.rows

    @property
    def nbytes(self) -> int:
        """Bytes of the file."""
        return os.fstat(self._file).st_size

    def room(self, rows: int) -> Records:
        """Room for so many rows."""
        _, values, _ = self.kind
        return Records.room(
            rows, self.packing.row_bytes, values.shape[1:], values.dtype, self.header.weighted
        )

    def _place(self, number: int) -> tuple[int, int]:
        """Where a piece begins, in bytes, and how many rows it has."""
        first = number * self.piece
        return len(MAGIC) + first * sum(self._row), min(self.piece, len(self) - first)

    def announce(self, number: int) -> None:
        """Let the system begin to read a piece that is asked for soon, where it can."""
        if hasattr(os, "posix_fadvise"):
            begin, count = self._place(number)
            os.posix_fadvise(self._file, begin, count * sum(self._row), os.POSIX_FADV_WILLNEED)

    def read_piece(self, number: int, room: Records) -> None:
        """Read a piece into `room`, which has the place for a whole one.

        Raises
        ------
        Stale
            If it is not as it was written.
        """
        begin, count = self._place(number)
        parts = [memoryview(part[:count].reshape(-1).view(np.uint8).data) for part in room]
        parts = [part for part in parts if len(part)]
        wanted, crc = sum(map(len, parts)), 0
        got = os.preadv(self._file, parts, begin)
        if got < wanted:  # as where a signal came
            content = self._bytes(begin, wanted)
            got = len(content)
            for part in parts if got == wanted else []:
                part[:] = content[: len(part)]
                content = content[len(part) :]
        for part in parts:
            crc = zlib.crc32(part, crc)
        if got < wanted or crc != self._crcs[number]:
            first = number * self.piece
            which = f"rows at the places {first:,} to {first + count - 1:,} are not as they were"
            which = which if count > 1 else f"row at place {first:,} is not as it was"
            raise self._damage(f"the {which} written")

    def read_rows(self, places: np.ndarray, room: Records) -> None:
        """Read rows that are pieces of their own into `room`, which has the place for just them.

        Raises
        ------
        Stale
            If one is not as it was written.
        """
        if not len(places):
            return
        row = sum(self._row)
        content = np.empty((len(places), row), np.uint8)
        lines, crcs = memoryview(content.reshape(-1).data), self._crcs[places].tolist()
        for line, place in enumerate(places.tolist()):
            into = lines[line * row : (line + 1) * row]
            os.preadv(self._file, [into], len(MAGIC) + place * row)
            if zlib.crc32(into) != crcs[line]:  # read in parts, or damaged
                self.read_piece(place, room.at(slice(line, line + 1)))
                content[line] = np.concatenate([_bytes(part[line : line + 1])[0] for part in room])
        begin = 0
        for part, size in zip(room, self._row, strict=True):
            if size:
                of_part = part.reshape(len(places), -1).view(np.uint8)
                of_part[:] = content[:, begin : begin + size]
            begin += size

    def read_row(self, place: int, room: Records) -> None:
        """Read one row into `room`, of one row, without looking whether it is damaged."""
        number, line = divmod(place, self.piece)
        begin, count = self._place(number)
        for part, size in zip(room, self._row, strict=True):
            if size:
                into = part.reshape(-1).view(np.uint8).data
                if os.preadv(self._file, [into], begin + line * size) != size:
                    raise self._damage(f"the row at place {place:,} is missing")
            begin += count * size

    def verify(self) -> None:
        """Read all pieces, and raise :class:`Stale` if one is damaged."""
        room = self.room(self.piece)
        for number in range(len(self._crcs)):
            self.read_piece(number, room)

    def weights(self, first: int, last: int) -> Iterator[np.ndarray]:
        """The weights of the rows at places `first` to `last` (exclusive), some at a time."""
        for number in range(first // self.piece, -(-last // self.piece)):
            begin, count = self._place(number)
            weight = np.empty(count)
            os.preadv(self._file, [weight.view(np.uint8).data], begin + count * sum(self._row[:2]))
            own = number * self.piece
            yield weight[max(0, first - own) : last - own]

    def close(self) -> None:
        """Close the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __del__(self) -> None:
        if getattr(self, "_file", -1) >= 0:
            self.close()

    def __repr__(self) -> str:
        return f"{len(self):,} rows in {file_name(self.path)}, {size_text(self.nbytes)}"
