"""The columns of a table that may not fit in memory, kept in files aside by one pass over it.

They stand there as they came; what is learned of them is learned from there, a block of rows at a
time.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Self

import msgspec
import numpy as np

from pellucid.checks import row_words, rows_at, shown
from pellucid.data.coding import Coding
from pellucid.data.column_values import Column, named, plain_array, read_values, series_values
from pellucid.data.column_values import texts as as_texts
from pellucid.data.columns import Table, check_names_of_columns, label, unique_columns
from pellucid.data.learned_column import check_kind
from pellucid.data.scratch import Scratch, ScratchFile
from pellucid.data.target_parts import SpooledTarget

_ROWS = 1 << 14  # of a block, at most
_CELLS = 1 << 20  # of a block, at most, where that leaves it some rows
_FEWEST = 256
_MISSING = 65_535  # the code of a missing text in a file
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[str]).decode
_BLOCK = np.dtype([("kind", "S8"), ("place", "i8"), ("dtype", "S8"), ("size", "i8")])
_WORDS = {"number": "numbers", "boolean": "truth values", "time": "dates", "text": "text"}


class _Block(NamedTuple):
    """Where the values of a column in a block of rows are: `kind` b"empty" has none.

    `dtype` is that of numbers; of text `size` are the bytes of its different texts, behind codes.
    """

    kind: bytes
    place: int
    dtype: bytes
    size: int


class _Index:
    """Where each column is in each block: kept in the file, since that is much of a wide table."""

    def __init__(self, file: ScratchFile) -> None:
        self._file, self._places = file, array("q")

    def append(self, blocks: list[_Block]) -> None:
        """Add a block of rows, by where each of its columns is."""
        self._places.append(self._file.append(np.array(blocks, _BLOCK).tobytes()))

    def find(self, place: int, column: int) -> _Block:
        """Where a column is in a block."""
        size = _BLOCK.itemsize
        content = self._file.array(self._places[place] + column * size, size, np.uint8)
        return _Block(*content.view(_BLOCK)[0].item())


class Spool:
    """The raw columns of a table, in files that are gone when it is closed.

    Attributes
    ----------
    table : Table
        Its columns are :class:`SpooledColumn`.
    scratch : Scratch
        Where further data of this size can be kept.
    """

    def __init__(self, table: Table, scratch: Scratch) -> None:
        self.table, self.scratch = table, scratch

    @classmethod
    def of(
        cls,
        scan: Any,
        estimator: object,
        columns: Sequence[str] | None = None,
        targets: Collection[str] = (),
        memory: int | None = None,
        folder: Path | None = None,
        progress: Callable[[int], object] | None = None,
    ) -> Spool:
        """Read a table once, from its first row to its last.

        Parameters
        ----------
        scan : Scan
            Or whatever else has `batches`, `name`, `memory` and `cache_path` as it has.
        estimator : object
            Errors name its class.
        columns : sequence of str, optional
            Those that are wanted; by default all.
        targets : collection of str
            Columns among them that are to be predicted. They are checked when they are learned.
        memory : int, optional
            The bytes of memory that texts may take while they are counted; by default a part of
            what a fit on the scan may take.
        folder : Path, optional
            Where its files are; by default beside the cache of the scan.
        progress : function, optional
            Called with the number of rows read so far.

        Raises
        ------
        ValueError, TypeError
            If a value cannot be used, as for a table in memory, or a column has values of several
            kinds.
        OSError
            If the disk is full.
        """
        folder = Path(scan.cache_path).parent if folder is None else folder
        memory = max(1 << 20, scan.memory // 16) if memory is None else memory
        scratch = Scratch(folder, memory, f"the columns of {scan.name}")
        try:
            writer = _Writer(scratch, estimator, scan.name, targets)
            for frame in scan.batches(_ROWS, columns):
                writer.write(frame)
                if progress is not None:
                    progress(writer.rows)
            return cls(writer.table(), scratch)
        except BaseException:
            scratch.close()
            raise

    @property
    def nbytes(self) -> int:
        """The bytes that it takes on the disk."""
        return self.scratch.nbytes

    def select(self, names: Sequence[str]) -> Table:
        """Some of its columns."""
        known = self.table.names or []
        return Table(list(names), [self.table.columns[known.index(name)] for name in names])

    def target(self, names: str | Sequence[str]) -> SpooledTarget:
        """What is to be predicted: a column by its name, or several."""
        listed = [names] if isinstance(names, str) else list(names)
        return SpooledTarget(self.select(listed).columns, listed, isinstance(names, str))

    def close(self) -> None:
        """Remove its files."""
        self.scratch.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class SpooledColumn:
    """A :class:`~pellucid.data.column_values.Column` in a file, of which some rows are read.

    Parameters
    ----------
    kind : str
    starts : list of int
        The first row of each block, and the number of all rows.
    read : function
        It gives the column of some rows within a block, by the block and a slice of its rows.
    scratch : Scratch
    declared : bool
        Whether it is text that its library calls categories.
    natural : function, optional
        The same as `read`, of numbers in the type in which they came.
    """

    numbers = None

    def __init__(
        self,
        kind: str,
        starts: list[int],
        read: Callable[[int, slice], Column],
        scratch: Scratch,
        declared: bool = False,
        natural: Callable[[int, slice], np.ndarray] | None = None,
    ) -> None:
        self.kind, self.declared, self.scratch = kind, declared, scratch
        self._starts, self._read, self._natural = starts, read, natural

    def __len__(self) -> int:
        return self._starts[-1]

    def places(self) -> list[slice]:
        """The rows of each block."""
        return list(map(slice, self._starts, self._starts[1:]))

    def parts(self) -> Iterator[tuple[slice, Column]]:
        """Its rows, a block at a time, as columns in memory."""
        for place, rows in enumerate(self.places()):
            yield rows, self._read(place, slice(0, rows.stop - rows.start))

    def natural(self, rows: slice) -> np.ndarray:
        """The values of some rows, numbers in the type in which they came."""
        if self.kind == "text" or self._natural is None:
            return self.taken(rows).values
        parts = [self._natural(place, own) for place, own in within(self._starts, rows)]
        return np.concatenate(parts) if parts else np.zeros(0)

    def taken(self, rows: slice) -> Column:
        """Some rows, as a column in memory."""
        parts = [self._read(place, own) for place, own in within(self._starts, rows)]
        return Column.joined(parts or [self._read(0, slice(0, 0))])

    def changed(self, kind: str, change: Callable[[Column], Column]) -> SpooledColumn:
        """The column made another one; numbers are made once, and kept in a file in turn."""
        if kind == "text":
            made, read = change, self._read
            return SpooledColumn(
                kind, self._starts, lambda place, rows: made(read(place, rows)), self.scratch,
                self.declared,
            )  # fmt: skip
        file = self.scratch.file()
        for _, part in self.parts():
            file.append(np.ascontiguousarray(change(part).values, np.float64))
        starts = self._starts

        def numbers(place: int, rows: slice) -> Column:
            first = starts[place] + rows.start
            return Column(kind, file.array(8 * first, rows.stop - rows.start, np.float64))

        return SpooledColumn(kind, starts, numbers, self.scratch)


def within(starts: list[int], rows: slice) -> Iterator[tuple[int, slice]]:
    """The blocks that have some of these rows, and which of the rows of the block they are."""
    place = int(np.searchsorted(starts, rows.start, side="right")) - 1
    start = rows.start
    while start < rows.stop:
        stop = min(rows.stop, starts[place + 1])
        yield place, slice(start - starts[place], stop - starts[place])
        start, place = stop, place + 1


class _Writer:
    """Writes the columns of a table, a DataFrame at a time."""

    def __init__(
        self, scratch: Scratch, estimator: object, name: str, targets: Collection[str]
    ) -> None:
        self._scratch, self._file = scratch, scratch.file()
        self._index = _Index(self._file)
        self._estimator, self._name, self._targets = estimator, name, targets
        self._names: list[str] | None = None
        self._columns: list[_Kinds] = []
        self._starts = [0]

    @property
    def rows(self) -> int:
        """How many were written."""
        return self._starts[-1]

    def write(self, frame: Any) -> None:
        """Write more rows."""
        table = unique_columns(self._estimator, frame)
        if not self._columns:
            self._names = check_names_of_columns(list(table.columns))
            names = self._names or table.columns
            self._columns = [_Kinds(name in self._targets) for name in names]
        step = max(_FEWEST, min(_ROWS, _CELLS // max(1, len(self._columns))))
        for start in range(0, len(table), step):
            self._write_block(table[start : start + step])

    def _write_block(self, table: Any) -> None:
        count, blocks = len(table), list[_Block]()
        with rows_at(range(self.rows, self.rows + count)):
            for index, series in enumerate(table.iter_columns()):
                column = self._columns[index]
                name = "y" if column.is_target else label(self._names, index)
                part = named(name, _stored, series, column.is_target)
                if not column.is_target:
                    self._check(part, name)
                column.add(part, f"{name} of {self._name}")
                blocks.append(_written(part, self._file))
        self._index.append(blocks)
        self._starts.append(self.rows + count)

    def _check(self, part: Column, name: str) -> None:
        if part.kind != "text" and part.values.dtype.kind == "f":
            check_kind(self._estimator, part, name, part.kind)

    def table(self) -> Table:
        """All that was written."""
        columns: list[Any] = [
            kinds.column(
                self._starts, self._file, partial(self._index.find, column=place), self._scratch
            )
            for place, kinds in enumerate(self._columns)
        ]
        return Table(self._names, columns)


class _Kinds:
    """What kinds of values a column has in the blocks that were written."""

    def __init__(self, is_target: bool) -> None:
        self.is_target = is_target
        self._kinds: list[str] = []
        self._declared = False

    def add(self, part: Column, name: str) -> None:
        """Take one more block to it."""
        if part.kind != "empty" and part.kind not in self._kinds:
            self._kinds.append(part.kind)
            if len(self._kinds) > 1 and set(self._kinds) != {"number", "boolean"}:
                row = int(np.argmax(~part.missing))
                raise ValueError(
                    f"{name} must hold values of one kind. Got {_WORDS[self._kinds[0]]} and, in "
                    f"{row_words(row)}, {_WORDS[part.kind]}."
                )
        self._declared = self._declared or part.declared

    def column(
        self, starts: list[int], file: ScratchFile, find: Callable[[int], _Block], scratch: Scratch
    ) -> SpooledColumn:
        """The column of all blocks, of which `find` says where each is."""
        kinds, declared = self._kinds, self._declared
        kind = "empty" if not kinds else "number" if len(kinds) > 1 else kinds[0]
        last: list[Any] = [-1, None]  # the block of text that was read last

        def coding(place: int) -> Coding:
            if last[0] != place:
                count = starts[place + 1] - starts[place]
                last[:] = place, _texts(file, find(place), count)
            return last[1]

        def read(place: int, rows: slice) -> Column:
            if kind == "text":
                texts, codes = coding(place)
                return Column.of_texts(Coding(texts, codes[rows]), declared)
            return Column(kind, natural(place, rows).astype(np.float64))

        def natural(place: int, rows: slice) -> np.ndarray:
            return _numbers(file, find(place), rows, rows.stop - rows.start)

        return SpooledColumn(kind, starts, read, scratch, declared, natural)


def _stored(series: Any, is_target: bool) -> Column:
    """A narwhals Series as a column whose numbers are of the type that they have there."""
    import narwhals as nw

    kind = series.dtype
    if kind.is_numeric() or kind == nw.Boolean:
        native = plain_array(series.to_native())
        if isinstance(native, np.ndarray) and native.dtype.kind in "biuf":
            return Column("boolean" if kind == nw.Boolean else "number", native)
    if isinstance(kind, (nw.Categorical, nw.Enum)) and is_target:
        return _without_numbers(read_values(series.to_list()))
    if isinstance(kind, (nw.String, nw.Categorical, nw.Enum)):
        coding = _coded(series)
        if not coding.texts:
            return Column("empty", np.full(len(series), np.nan))
        return Column.of_texts(coding, declared=not isinstance(kind, nw.String))
    return _without_numbers(series_values(series))


def _without_numbers(column: Column) -> Column:
    if column.numbers is not None and not np.isnan(column.numbers).all():
        row = int(np.argmax(~np.isnan(column.numbers)))
        raise ValueError(
            "Values of one kind are needed where they are read in parts. Got text and, in "
            f"{row_words(row)}, the number {shown(column.numbers[row])}"
        )
    return column


def _coded(series: Any) -> Coding:
    """The texts of a narwhals Series."""
    native = series.to_native()
    if not hasattr(native, "dictionary_encode"):
        return Coding.of(as_texts(series.to_list()).tolist())
    # of pyarrow, which finds the different ones itself
    parts = []
    for chunk in native.chunks:
        is_coded = hasattr(chunk, "dictionary")
        chunk = chunk if is_coded else chunk.dictionary_encode()
        codes = chunk.indices.cast("int64").fill_null(-1).to_numpy(zero_copy_only=False)
        if not is_coded:
            parts.append(Coding(chunk.dictionary.to_pylist(), codes))
            continue
        # it may have far more than is in these rows, anything, and the same thing twice
        used, places = np.unique(codes, return_inverse=True)
        texts = [None] * int(np.count_nonzero(used < 0))
        texts += chunk.dictionary.take(used[used >= 0]).to_pylist()
        known = Coding.of(as_texts(texts).tolist())
        parts.append(Coding(known.texts, known.codes[places]))
    return Coding.joined(parts)


def _written(part: Column, file: ScratchFile) -> _Block:
    """Write the values of a block of rows."""
    if part.kind == "empty":
        return _Block(b"empty", 0, b"", 0)
    if part.kind != "text":
        values = np.ascontiguousarray(part.values)
        return _Block(part.kind.encode(), file.append(values), values.dtype.str.encode(), 0)
    texts, codes = part.coded
    content = _encode(texts)
    place = file.append(np.where(codes < 0, _MISSING, codes).astype(np.uint16))
    file.append(content)
    return _Block(b"text", place, b"", len(content))


def _texts(file: ScratchFile, block: _Block, count: int) -> Coding:
    """The texts of a block of so many rows."""
    if block.kind == b"empty":
        return Coding([], np.full(count, -1, dtype=np.int64))
    codes = file.array(block.place, count, np.uint16).astype(np.int64)
    codes[codes == _MISSING] = -1
    return Coding(_decode(file.read(block.place + 2 * count, block.size)), codes)


def _numbers(file: ScratchFile, block: _Block, rows: slice, count: int) -> np.ndarray:
    """The numbers of some rows of a block, in the type in which they came."""
    if block.kind == b"empty":
        return np.full(count, np.nan)
    dtype: np.dtype[Any] = np.dtype(block.dtype.decode())
    return file.array(block.place + rows.start * dtype.itemsize, count, dtype)
