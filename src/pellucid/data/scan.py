"""Tables that may be larger than the memory, named now and read part by part when asked for."""

from __future__ import annotations

import glob
import hashlib
import os
import shutil
import weakref
from collections.abc import Collection, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from pellucid.checks import (
    fault,
    file_name,
    one_of,
    positive_integer,
    printable,
    shown,
    size_in_bytes,
    suggestion,
)
from pellucid.data.cache_place import cache_path, remove_cache
from pellucid.data.chosen_parts import ChosenParts
from pellucid.data.containers import STDIN, is_table
from pellucid.data.encodings import known_encoding
from pellucid.data.folders import files_below
from pellucid.data.lazy_tables import computed, lazy_name
from pellucid.data.named_columns import INDEX
from pellucid.data.picture_scan import PictureScan, has_pictures
from pellucid.data.scan_parts import ENGINES, Parts, file_parts
from pellucid.data.tables import BadTable, NoRows
from pellucid.memory import resident_memory
from pellucid.rows import is_store

_FORMAT = b"pellucid scan 1"
_ROWS = 1 << 14
_USUAL = 1 << 30  # bytes of memory
_LEFT_OUT = ("_", ".")  # first letters of files that tell about the others, as of Spark


class Place(NamedTuple):
    """What a table is called in sentences, and the path that its cache stands beside."""

    name: str
    path: Path


class Scan:
    """A table that is read part by part, made by :func:`pellucid.scan`.

    Iterating over it gives its rows as DataFrames.

    Attributes
    ----------
    name : str
        What sentences call it.
    memory : int
        The bytes that a fit on it may take.
    cache : Path or None
        Where the cache of a fit is to be, if that was said.
    notes : list of str
        What was decided about it, in sentences.
    """

    def __init__(self, parts: Parts, place: Place, memory: int, cache: Path | None) -> None:
        self._parts, self._place = parts, place
        self.name, self.memory, self.cache = place.name, memory, cache

    @property
    def columns(self) -> list[str]:
        """The columns' names. Files of text are looked through for them, once."""
        return list(self._parts.columns)

    @property
    def index(self) -> Sequence[str]:
        """Columns that the index of pandas was written into, which are read if asked for."""
        return self._parts.index

    @property
    def rows(self) -> int | None:
        """How many rows it has, if that is known. Files of text are looked through, once."""
        return self._parts.rows

    @property
    def nbytes(self) -> int | None:
        """The bytes that it takes where it is, if that is known."""
        return self._parts.nbytes

    @property
    def notes(self) -> list[str]:
        """What was decided about it, in sentences."""
        return self._parts.notes

    @property
    def fingerprint(self) -> str:
        """SHA-256 of what tells it from other tables: kinds, names, sizes and times of its files.

        Of Parquet files also their footers.
        """
        digest = hashlib.sha256(_FORMAT)
        for stamp in self._parts.stamps():
            digest.update(len(stamp).to_bytes(8, "little"))
            digest.update(stamp)
        return digest.hexdigest()

    @property
    def cache_path(self) -> Path:
        """Where the cache of a fit is: where it was said to be, else beside the data."""
        return cache_path(self._place.path, self.cache)

    @property
    def parts(self) -> Parts:
        """What is read."""
        return self._parts

    def of(self, parts: Parts) -> Scan:
        """Other parts under the same name, with the same memory and cache."""
        return Scan(parts, self._place, self.memory, self.cache)

    def drop(self, *columns: str | Sequence[str]) -> Scan:
        """The same table without some columns, which are named one by one or by a list.

        Raises
        ------
        ValueError
            If one is not there, or none is left.
        """
        dropped: list[Any] = []
        for given in columns:
            dropped += given if isinstance(given, (list, tuple)) else [given]
        self._check_names(dropped, self.columns)
        left = [name for name in self.columns if name not in dropped]
        if not left:
            raise ValueError(f"{self.name} must keep a column. Got all of them to drop.")
        return self.of(ChosenParts(self._parts, left))

    def remove_cache(self) -> None:
        """Remove the cache of a fit, if there is one.

        Raises
        ------
        ValueError
            If there is another file in its place, which is left.
        """
        remove_cache(self.cache_path)

    def check_unchanged(self) -> None:
        """Refuse data that are not what they were when they were scanned.

        Raises
        ------
        ValueError
            One sentence, which names the file.
        """
        self._parts.check_unchanged()

    def batches(
        self,
        rows: int = _ROWS,
        columns: Sequence[str] | None = None,
        engine: str | None = None,
        *,
        text: Collection[str] = (),
    ) -> Iterator[Any]:
        """The table as DataFrames of at most so many rows, in memory one at a time.

        Parameters
        ----------
        rows : int, default=16384
        columns : list of str, optional
            Those that are wanted; by default all.
        engine : {"pyarrow", "polars", "pandas"}, optional
            The library of the DataFrames; by default the one that reads soonest, of those that are
            installed.
        text : collection of str, optional
            Columns of a CSV that are text, whatever they hold.

        Raises
        ------
        ValueError
            If a column is not there, `engine` is another one, or a file cannot be read or has
            changed.
        """
        rows = positive_integer("rows", "batches", rows)
        if engine is not None:
            one_of("engine", "batches", engine, ENGINES)
        if columns is not None:
            self._check_names(columns, [*self.columns, *self.index])
        return self._parts.batches(rows, columns, engine, text)

    def _check_names(self, names: Sequence[str], known: Sequence[str]) -> None:
        for name in names:
            if name not in known:
                way_out = INDEX if name in self.index else suggestion(name, known)
                raise ValueError(f"column {shown(name)} is not in {self.name}.{way_out}")

    def __iter__(self) -> Iterator[Any]:
        return self.batches()

    def __array__(self, *_: Any, **__: Any) -> Any:
        """A TypeError: what asks for it, such as a search, needs all rows in memory."""
        raise TypeError(
            f"{self.name} must be read in parts, as `for frame in scan` does. Got a call that "
            "needs all its rows in memory. Give it some of them, such as "
            "next(scan.batches(10_000))."
        )

    def __repr__(self) -> str:
        return f"<scan of {self.name}: {self._parts.words}>"


def scan(
    source: Any,
    *,
    encoding: str | None = None,
    memory: int | str | None = None,
    cache: str | os.PathLike[str] | None = None,
) -> Any:
    """Name a table that may be larger than the memory, to fit and predict on; or pictures.

    Parameters
    ----------
    source : path, list of paths, polars LazyFrame or dask DataFrame
        A Parquet, Feather, Arrow, CSV or JSON Lines file; a folder of such files, or of folders
        with them; a pattern such as ``"data/*.parquet"``; or several files. They have the same
        columns, and their rows follow one another by the files' names, of a list in its order. A
        lazy table is computed into files aside: by polars in parts, of Dask partition by partition.
        A folder of pictures, in one folder a class, is decoded once: see docs/pictures.md.
    encoding : str, optional
        The encoding of files of text. By default it is found.
    memory : int or str, optional
        The bytes that a fit on it may take, with what the process has already, as "2GB". By default
        1 GB, or half a GB beside what the process has if that is more.
    cache : path, optional
        The file in which a fit keeps the encoded rows, or a folder for it. By default it is beside
        the data: ``NAME.cache``.

    Returns
    -------
    scan : Scan
        Nothing of it is in memory. Iterating over it gives DataFrames. Of pictures a PictureScan.

    Raises
    ------
    FileNotFoundError, PermissionError, OSError
        If there is no such file, it may not be read, or there is no folder for `cache`.
    ImportError
        If a library that reads it is not installed.
    ValueError
        If a file is empty, of another format, damaged, or has other columns than the first one.
    TypeError
        If `source` is something else, such as a table in memory.

    Examples
    --------
    >>> import pellucid
    >>> table = pellucid.scan("sales/*.parquet", memory="2GB")          # doctest: +SKIP
    >>> model = pellucid.FCNNRegressor().fit(table, target="price")     # doctest: +SKIP
    """
    encoding = None if encoding is None else known_encoding(encoding)
    usual = max(_USUAL, resident_memory() + _USUAL // 2)
    limit = usual if memory is None else size_in_bytes("memory", "scan", memory)
    where = None if cache is None else _cache_path(cache)
    if (name := lazy_name(source)) is not None:
        return _of_lazy(source, name, limit, where)
    if isinstance(source, (str, os.PathLike)) and has_pictures(Path(source)):
        return PictureScan(Path(source), limit, where)
    paths, place = _files(source)
    return Scan(file_parts(paths, encoding), place, limit, where)


def _cache_path(cache: Any) -> Path:
    """Where the cache is to be, which must be in a folder that is there."""
    if not isinstance(cache, (str, os.PathLike)):
        raise TypeError(fault("cache", "scan", "the path of a file or a folder", cache))
    path = Path(cache)
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"cache of scan must be in a folder that exists. Got {file_name(path)}, and there is "
            f"no {file_name(path.parent)}. Make it first."
        )
    return path


def _files(source: Any) -> tuple[list[str | os.PathLike[str]], Place]:
    """The files that `source` names, in order."""
    if isinstance(source, (list, tuple)) and source:
        if not all(isinstance(path, (str, os.PathLike)) for path in source):
            raise TypeError(_refused(source))
        if len(source) == 1:
            return _files(source[0])
        first = Path(source[0])
        more = len(source) - 1
        name = f"{printable(first.name)} and {more:,} more file{'s'[: more != 1]}"
        return list(source), Place(name, first)
    if not isinstance(source, (str, os.PathLike)):
        raise TypeError(_refused(source))
    if os.fspath(source) == STDIN:
        raise BadTable("standard input cannot be scanned, which reads it again and again. Save it.")
    path = Path(source)
    if path.is_dir():
        return _in_folder(path), Place(f"{printable(path.name or path.resolve().name)}/", path)
    if glob.has_magic(os.fspath(source)) and not path.exists():
        names = sorted(glob.glob(os.fspath(source), recursive=True))
        files = [name for name in names if not (Path(name).is_dir() or is_store(name))]
        if not files:
            raise FileNotFoundError(f"no file has a name like '{printable(source)}'.")
        return list(files), Place(printable(source), Path(files[0]))
    return [path], Place(printable(path.name), path)


def _in_folder(folder: Path) -> list[str | os.PathLike[str]]:
    """The tables in a folder, in the order of their names."""
    files = []
    for name in files_below(folder):
        below = Path(name).relative_to(folder)
        if any(part.startswith(_LEFT_OUT) for part in below.parts):
            continue
        for part in below.parts[:-1]:
            if "=" in part:
                raise BadTable(
                    f"{printable(folder.name)}/ must hold all columns in its files. Got the folder "
                    f"'{printable(part)}', whose name is a column. Read it by polars: "
                    f"pellucid.scan(polars.scan_parquet('{printable(folder)}', "
                    "hive_partitioning=True))."
                )
        if is_table(name):
            files.append(name)
    if not files:
        raise BadTable(
            f"{printable(folder.name)}/ must hold Parquet, Feather, CSV or JSON Lines files. Got "
            "none."
        )
    return list(files)


def _of_lazy(table: Any, name: str, memory: int, cache: Path | None) -> Scan:
    """A lazy table, computed into files that go with the scan."""
    beside = None if cache is None else cache if cache.is_dir() else cache.parent
    paths = computed(table, beside)
    remove = partial(shutil.rmtree, paths[0].parent, ignore_errors=True)
    try:
        made = Scan(file_parts(paths, None), Place(name, paths[0]), memory, cache)
    except BaseException as error:
        remove()
        if isinstance(error, NoRows):  # its files are ours
            raise NoRows(name, error.names, "") from None
        raise
    weakref.finalize(made._parts, remove)
    return made


def _refused(source: Any) -> str:
    expected = (
        "a file, a folder, a pattern, a list of files, a polars LazyFrame or a Dask DataFrame"
    )
    memory = hasattr(source, "columns") or hasattr(source, "column_names")
    way_out = "What is in memory is fitted as it is." if memory else ""
    return fault("source", "scan", expected, type(source) if memory else source, way_out)
