"""A store: encoded rows, targets and weights on disk, in their places; see ``store_file.py``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from pellucid.checks import file_name
from pellucid.files import place_of, writing, writing_errors
from pellucid.rows.dense import Dense
from pellucid.rows.packing import Packing
from pellucid.rows.placing import Placing, Records
from pellucid.rows.store_file import PieceWriter, Stale, StoreFile
from pellucid.rows.stored import Reading, StoredRows, StoredTargets, Wrap
from pellucid.rows.targets import Examples, exact_sum, weight_unit


class Store:
    """Rows on disk, to be trained on.

    Parameters
    ----------
    file : StoreFile
    """

    def __init__(self, file: StoreFile) -> None:
        self._file = file

    @classmethod
    def open(cls, path: Any, key: str | None = None) -> Store:
        """The store in a file.

        Parameters
        ----------
        path : path-like
        key : str, optional
            What it must have been made from.

        Raises
        ------
        FileNotFoundError
            If there is none.
        Stale
            If it is damaged, or was made from something else: it can be made anew.
        ValueError
            If the file is something else, which is not to be touched.
        """
        file = StoreFile(path)
        if key is not None and file.header.key != key:
            file.close()
            raise Stale(
                f"{file_name(path)} has rows of other data, or as other parameters made them. "
                "Remove it, or name another file."
            )
        return cls(file)

    @property
    def path(self) -> Any:
        """The file."""
        return self._file.path

    @property
    def key(self) -> str:
        """What it was made from."""
        return self._file.header.key

    @property
    def about(self) -> dict[str, Any]:
        """What its maker wished to know again."""
        return self._file.header.about

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """Arrays that its maker wished to have again."""
        return self._file.arrays

    @property
    def seed(self) -> int:
        """The seed by which rows were placed."""
        return self._file.header.seed

    @property
    def packing(self) -> Packing:
        """How rows rest in it."""
        return self._file.packing

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of all rows, targets and weights."""
        return self._file.header.content

    @property
    def nbytes(self) -> int:
        """Bytes of the file."""
        return self._file.nbytes

    def __len__(self) -> int:
        return len(self._file)

    def examples(
        self,
        wrap: Wrap = Dense,
        dtype: Any = "float32",
        packing: Any = None,
        memory: int | None = None,
    ) -> Examples:
        """All rows with their targets.

        Parameters
        ----------
        wrap : callable, default=Dense
            Rows of an array in memory, as the network reads them.
        dtype : dtype, default="float32"
            The network's float type.
        packing : Packing, optional
            What makes such an array from records, if not how they were packed: any object with the
            ``shape`` and ``dtype`` of its rows and ``unpack(records, rows)``.
        memory : int, optional
            The bytes that may be used by an order that needs the places of all rows.
        """
        reading = Reading(self._file, packing or self.packing, wrap, dtype, memory)
        count = len(self)
        return Examples(StoredRows(reading, 0, count), StoredTargets(reading, 0, count))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def remove(self) -> None:
        """Close the file, and remove it."""
        self.close()
        self.path.unlink(missing_ok=True)

    def __repr__(self) -> str:
        return f"Store({self._file!r})"


class StoreWriter(AbstractContextManager):
    """Writes a store: rows in their order, which it puts in their places.

    It takes up to `memory` bytes; what is more is kept in a file without a name beside the store,
    which then is as large again. Nothing is left of a store that is not closed within the block.

    Parameters
    ----------
    path : path-like
        The file. An earlier one is replaced when the store is closed.
    key : str
        What the rows are made from.
    about : mapping
        What else to keep, as JSON can.
    rows : int or None
        How many there will be, if that is known.
    packing : Packing
        How rows rest.
    value_shape : tuple of int
    value_dtype : dtype
        Of a row's target.
    seed : int
        By which rows are placed.
    memory : int
        Bytes.
    weighted : bool
        Whether rows have weights; else all weigh the same.
    arrays : mapping of str to ndarray, optional
        What else to keep.

    Raises
    ------
    MemoryError
        If `memory` is too little.
    OSError
        If the disk is full, or nothing can be written there; said in one sentence.
    """

    def __init__(
        self,
        path: Any,
        key: str,
        about: Mapping[str, Any],
        rows: int | None,
        packing: Packing,
        value_shape: tuple[int, ...],
        value_dtype: Any,
        seed: int,
        memory: int,
        *,
        weighted: bool = False,
        arrays: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        self.path, self._place, self._expected = path, place_of(path), rows
        self._header: dict[str, Any] = {
            "key": key, "seed": seed, "packing": packing.config(), "value_shape": value_shape,
            "value_dtype": np.dtype(value_dtype).newbyteorder("<").str, "weighted": weighted,
            "about": dict(about),
        }  # fmt: skip
        self._packing, self._arrays, self._weighted = packing, dict(arrays or {}), weighted
        self._kind = Records.room(0, packing.row_bytes, value_shape, value_dtype, weighted)
        self._placing = Placing(seed, self._place.parent, self._kind, memory, rows)
        self._largest = 0.0

    def nbytes(self, rows: int) -> int:
        """About how many bytes a store of so many rows has."""
        return rows * sum(self._kind.row_bytes)

    def write(self, x: np.ndarray, values: np.ndarray, weight: np.ndarray | None = None) -> None:
        """The next rows: as the network reads them, with their targets and weights, above 0."""
        count = len(x)
        if weight is None:
            weight = np.ones(count)
        if not len(values) == len(weight) == count:
            raise ValueError(
                f"rows of a store must have a target and a weight each. Got {count:,} rows, "
                f"{len(values):,} targets and {len(weight):,} weights."
            )
        if self._weighted and count:
            self._largest = max(self._largest, float(weight.max()))
        weight = weight if self._weighted else np.empty((count, 0))
        with self._errors():
            self._placing.add(Records(self._packing.pack(x), np.asarray(values), weight))

    def close(
        self,
        advance: Callable[[int], None] | None = None,
        about: Mapping[str, Any] | None = None,
        arrays: Mapping[str, np.ndarray] | None = None,
    ) -> Store:
        """Put the rows in their places, and let the file be whole.

        Parameters
        ----------
        advance : callable, optional
            Told how many rows are done, time and again.
        about, arrays : mapping, optional
            What else to keep beside what was given before, as it is known by now.
        """
        self._header["about"] |= about or {}
        self._arrays |= arrays or {}
        rows, unit = self._placing.rows, weight_unit(self._largest)
        if self._expected is not None and rows != self._expected:
            raise ValueError(
                f"{file_name(self.path)} must get {self._expected:,} rows. Got {rows:,}."
            )
        with self._errors():
            self._placing.finish()
        with writing(self.path, self.nbytes(rows)) as file:
            pieces = PieceWriter(file, self._kind)

            def weights() -> Iterator[np.ndarray]:
                for records in self._placing.placed():
                    pieces.write(records)
                    if advance is not None:
                        advance(pieces.rows)
                    yield records.weight.reshape(-1) / unit

            total = exact_sum(weights())
            pieces.finish(self._arrays, weight_unit=unit, weight_sum=total, **self._header)
        return Store.open(self.path, self._header["key"])

    def _errors(self) -> Any:
        size = self.nbytes(self._expected or self._placing.rows)
        return writing_errors(self.path, self._place, size)

    def __exit__(self, *error: object) -> None:
        self._placing.__exit__(*error)
