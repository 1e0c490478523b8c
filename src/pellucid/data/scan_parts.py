"""The parts of a table that may be larger than the memory: files that are read one by one."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from pellucid.checks import shown, suggestion
from pellucid.data.arrow_files import (
    arrow_batches,
    arrow_schema,
    index_columns,
    index_words,
    parquet_batches,
    parquet_schema,
)
from pellucid.data.arrow_types import common_type, kind_of
from pellucid.data.containers import WORDS, Source, open_source
from pellucid.data.csv_files import CsvFile
from pellucid.data.csv_parts import csv_batches
from pellucid.data.file_errors import in_our_words
from pellucid.data.json_files import json_lines_batches
from pellucid.data.tables import BadTable, NoRows, check_names, needed, there

Frames = Callable[[int, Sequence[str] | None], Iterator[Any]]

ENGINES = ("pyarrow", "polars", "pandas")  # the fastest first


class Parts(ABC):
    """Abstract: parts with the same columns, that make up one table.

    Attributes
    ----------
    words : str
        What they are: ``3 Parquet files``.
    nbytes : int or None
        The bytes that they take where they are, if that is known.
    notes : list of str
        What was decided about them, in sentences.
    index : list of str
        Columns that the index of pandas was written into: they are read if they are asked for.
    """

    words: str
    nbytes: int | None = None
    notes: list[str]
    index: Sequence[str] = ()

    @property
    @abstractmethod
    def columns(self) -> list[str]:
        """The columns' names."""

    @property
    @abstractmethod
    def rows(self) -> int | None:
        """The rows of all parts, if they are known before they are read."""

    @abstractmethod
    def stamps(self) -> Iterator[bytes]:
        """What tells these parts from others, and from what they may become."""

    @abstractmethod
    def check_unchanged(self) -> None:
        """A ValueError if a part is another one than it was."""

    @abstractmethod
    def batches(
        self, rows: int, columns: Sequence[str] | None, engine: str | None, text: Collection[str]
    ) -> Iterator[Any]:
        """The table as DataFrames of at most so many rows.

        Parameters
        ----------
        rows : int
        columns : sequence of str or None
            Those that are wanted.
        engine : str or None
            The library of the DataFrames.
        text : collection of str
            Columns that are text whatever they hold, where a file does not say what they are.
        """


class FileParts(Parts):
    """Abstract: files of one kind.

    Parameters
    ----------
    sources : sequence of Source
    encoding : str or None
        Of files of text, if it is known.
    """

    def __init__(self, sources: Sequence[Source], encoding: str | None) -> None:
        self.sources, self.encoding = sources, encoding
        self.notes = []
        count = len(sources)
        self.words = f"{count:,} {WORDS[sources[0].kind]} file{'s'[: count != 1]}"
        self._states = [_state(source) for source in sources]
        self.nbytes = sum(size for size, _ in self._states)

    def stamps(self) -> Iterator[bytes]:
        for source, state in zip(self.sources, self._states, strict=True):
            yield f"{source.kind} {source.path.name} {state}".encode("utf-8", "surrogateescape")

    def check_unchanged(self) -> None:
        for place in range(len(self.sources)):
            self._check_unchanged(place)

    def batches(
        self, rows: int, columns: Sequence[str] | None, engine: str | None, text: Collection[str]
    ) -> Iterator[Any]:
        for place, frames in enumerate(self._frames(engine or self.engine, text)):
            source = self.sources[place]
            self._check_unchanged(place)
            try:
                with in_our_words(source, engine or self.engine):
                    yield from frames(rows, columns)
            finally:  # what has changed may look damaged
                self._check_unchanged(place)

    @property
    def engine(self) -> str:
        """The library that reads them soonest, of those that are installed."""
        first = next(filter(there, ENGINES), None)
        if first is None:
            needed(self.words, "pyarrow", "tables")
        return str(first)

    @abstractmethod
    def _frames(self, engine: str, text: Collection[str]) -> Sequence[Frames]:
        """For each file what gives its DataFrames, of so many rows and some of its columns."""

    def _check_unchanged(self, place: int) -> None:
        source = self.sources[place]
        try:
            same = _state(source) == self._states[place]
        except OSError:
            raise ValueError(
                f"{source.name} must stay as it was while it is read. It was removed meanwhile."
            ) from None
        if not same:
            raise ValueError(
                f"{source.name} must stay as it was while it is read. It was changed meanwhile. "
                "Scan it again, and begin anew."
            )


class _TypedParts(FileParts):
    """Abstract: files that know what their columns are."""

    def __init__(self, sources: Sequence[Source], encoding: str | None) -> None:
        super().__init__(sources, encoding)
        for source in sources:
            if source.packed:
                raise BadTable(
                    f"{source.name} must be unpacked to be read in parts. Unpack it first."
                )
        self._columns: dict[str, str] = {}
        self._counts: list[int] = []
        self._stamps: list[bytes] = []
        first: Source | None = None
        index: dict[str, None] = {}
        types: dict[str, dict[Any, None]] = {}
        for source in sources:
            with in_our_words(source, "pyarrow"):
                schema, rows, stamp = self._about(source)
                levels = index_columns(schema)
            self._counts.append(rows)
            self._stamps.append(stamp)
            check_names(source.name, schema.names)
            index |= dict.fromkeys(levels)
            kinds = {field.name: kind_of(field.type) for field in schema}
            kinds = {name: kind for name, kind in kinds.items() if name not in levels}
            self.index = levels if first is None else [n for n in self.index if n in levels]
            if first is None:
                first, self._columns = source, kinds
            _check_same(source.name, kinds, first.name, self._columns)
            for field in schema:
                types.setdefault(field.name, {})[field.type] = None
            # a column of nothing fits any
            self._columns |= {name: kind for name, kind in kinds.items() if kind != "nothing"}
        self._types = {name: common_type(several) for name, several in types.items()}
        empty = [source for source, rows in zip(sources, self._counts, strict=True) if not rows]
        if len(empty) == len(sources):
            raise NoRows(sources[0].name, list(self._columns), "")
        if not self._columns:
            raise BadTable(f"{sources[0].name} must have a column beside its index. Got none.")
        self.notes += map(_passed_over, empty)
        if index:
            self.notes.append(index_words(list(index)))

    @property
    def columns(self) -> list[str]:
        return list(self._columns)

    @property
    def rows(self) -> int:
        return sum(self._counts)

    def stamps(self) -> Iterator[bytes]:
        yield from super().stamps()
        yield from self._stamps

    def _frames(self, engine: str, text: Collection[str]) -> Sequence[Frames]:
        return [
            partial(_typed, self._read, source, engine, self.columns, self._types)
            for source in self.sources
        ]

    @abstractmethod
    def _about(self, source: Source) -> tuple[Any, int, bytes]:
        """The schema of a file, its rows, and what tells its content from another."""

    @staticmethod
    @abstractmethod
    def _read(
        source: Source,
        engine: str,
        rows: int,
        columns: Sequence[str] | None,
        types: Mapping[str, Any],
    ) -> Iterator[Any]:
        """The DataFrames of a file, with columns of these types."""


class ParquetParts(_TypedParts):
    """Parquet files."""

    _read = staticmethod(parquet_batches)

    def _about(self, source: Source) -> tuple[Any, int, bytes]:
        needed(f"{source.name}, a Parquet file,", "pyarrow", "tables")
        return parquet_schema(source)


class ArrowParts(_TypedParts):
    """Feather and Arrow files."""

    _read = staticmethod(arrow_batches)

    def _about(self, source: Source) -> tuple[Any, int, bytes]:
        schema, rows, _ = arrow_schema(source)
        return schema, rows, str(schema).encode()


class _TextParts(FileParts):
    """Abstract: files that must be looked through before it is known what their columns are."""

    def __init__(self, sources: Sequence[Source], encoding: str | None) -> None:
        super().__init__(sources, encoding)
        self._known: dict[tuple[str, frozenset[str]], Sequence[Callable[[int], Any]]] = {}
        self._columns: list[str] = []
        self._rows = 0

    @property
    def columns(self) -> list[str]:
        self._frames(self.engine, ())
        return self._columns

    @property
    def rows(self) -> int:
        self._frames(self.engine, ())
        return self._rows

    def stamps(self) -> Iterator[bytes]:
        yield from super().stamps()
        yield str(self.encoding).encode()

    def _frames(self, engine: str, text: Collection[str]) -> Sequence[Frames]:
        key = engine, frozenset(text)
        if key not in self._known:
            self.check_unchanged()
            self._known[key] = self._look_through(engine, text)
            self.check_unchanged()
        return [partial(_selected, frames, self._columns) for frames in self._known[key]]

    def _check_names(self, source: Source, names: Sequence[str], first: Sequence[str]) -> None:
        name = self.sources[0].name
        _check_same(source.name, dict.fromkeys(names, ""), name, dict.fromkeys(first, ""))

    @abstractmethod
    def _look_through(self, engine: str, text: Collection[str]) -> Sequence[Callable[[int], Any]]:
        """What gives the DataFrames of each file; sets columns and rows."""


class CsvParts(_TextParts):
    """Files of separated values: of each column one kind in all files."""

    def __init__(self, sources: Sequence[Source], encoding: str | None) -> None:
        super().__init__(sources, encoding)
        self._files: list[CsvFile] = []
        self._empty: set[Source] = set()

    @property
    def engine(self) -> str:
        # of quoted cells pandas alone reads parts
        quoted = any(file.look.quoted for file in self.files)
        return "pandas" if quoted and there("pandas") else super().engine

    @property
    def files(self) -> Sequence[CsvFile]:
        """The files, looked through."""
        if not self._files:
            files, empty, first = list[CsvFile](), dict[Source, NoRows](), list[str]()
            for source in self.sources:
                try:
                    with in_our_words(source, super().engine):
                        files.append(CsvFile.of(source, self.encoding, whole=False))
                    names = files[-1].layout.names
                except NoRows as fault:
                    empty[source], names = fault, fault.names
                first = first or names
                self._check_names(source, names, first)
            if not files:
                raise empty[self.sources[0]]
            self._files, self._columns, self._empty = files, files[0].layout.names, set(empty)
            self.notes += map(_passed_over, empty)
        return self._files

    def _look_through(self, engine: str, text: Collection[str]) -> Sequence[Callable[[int], Any]]:
        frames, self._rows = csv_batches(self.files, engine, text)
        left = iter(frames)
        return [_nothing if source in self._empty else next(left) for source in self.sources]


class JsonLinesParts(_TextParts):
    """Files of JSON Lines: of each column one kind in all files."""

    def _look_through(self, engine: str, text: Collection[str]) -> Sequence[Callable[[int], Any]]:
        frames, self._rows, names = json_lines_batches(self.sources, engine, self.encoding)
        for source, of in zip(self.sources, names, strict=True):
            self._check_names(source, of, names[0])
        self._columns = names[0]
        return frames


_KINDS: dict[str, type[FileParts]] = {
    "parquet": ParquetParts, "arrow": ArrowParts, "csv": CsvParts, "jsonl": JsonLinesParts
}  # fmt: skip


def file_parts(paths: Iterable[str | os.PathLike[str]], encoding: str | None) -> FileParts:
    """The tables in files of one kind, as one table."""
    sources = [open_source(path) for path in paths]
    first = sources[0]
    for source in sources:
        if source.kind not in _KINDS:
            raise BadTable(
                f"{source.name} must be a Parquet, Feather, CSV or JSON Lines file to be read in "
                f"parts. Got {WORDS[source.kind]}. Write it as one of these."
            )
        if source.kind != first.kind:
            raise BadTable(
                f"{source.name} must be a {WORDS[first.kind]} file, as {first.name} is. Got "
                f"{WORDS[source.kind]}. Name the files of one kind, as by '*{first.path.suffix}'."
            )
    return _KINDS[first.kind](sources, encoding)


def _state(source: Source) -> tuple[int, int]:
    about = Path(source.path).stat()
    return about.st_size, about.st_mtime_ns


def _passed_over(source: Source) -> str:
    return f"{source.name} has no rows, and is passed over"


def _nothing(rows: int) -> Iterator[Any]:
    """The DataFrames of a file without rows."""
    return iter(())


def _check_same(name: str, columns: dict[str, str], first: str, known: dict[str, str]) -> None:
    """Refuse a part that has other columns than the first one, or columns of another kind."""
    for column, kind in known.items():
        if column not in columns:
            raise BadTable(
                f"{name} must have column {shown(column)}, as {first} has it."
                f"{suggestion(column, columns)}"
            )
        other = columns[column]
        if other != kind and "nothing" not in (other, kind):
            raise BadTable(
                f"column {shown(column)} of {name} must be of {kind}, as in {first}. Got {other}."
            )
    for column in columns:
        if column not in known:
            raise BadTable(
                f"{name} must have the columns that {first} has. Got column {shown(column)} more."
            )


def _typed(
    read: Callable[..., Iterator[Any]],
    source: Source,
    engine: str,
    names: Sequence[str],
    types: Mapping[str, Any],
    rows: int,
    columns: Sequence[str] | None,
) -> Iterator[Any]:
    """Some columns of the DataFrames of a file that knows what they are."""
    return read(source, engine, rows, list(names if columns is None else columns), types)


def _selected(
    frames: Callable[[int], Iterator[Any]],
    names: Sequence[str],
    rows: int,
    columns: Sequence[str] | None,
) -> Iterator[Any]:
    """Some columns of the DataFrames of a file, in the order in which they are wanted."""
    import narwhals as nw

    wanted = list(names if columns is None else columns)
    for frame in frames(rows):
        table = nw.from_native(frame, eager_only=True)
        yield (table if list(table.columns) == wanted else table.select(wanted)).to_native()
