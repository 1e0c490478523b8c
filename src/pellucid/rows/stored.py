"""Rows and targets that rest in a store, and the feed that reads them ahead of the network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from pellucid.checks import size_text
from pellucid.engine import Operation
from pellucid.kernels.grid import Grid
from pellucid.rows.base import Rows
from pellucid.rows.feed import Feed
from pellucid.rows.order import InTurn, Order, placed, places_of
from pellucid.rows.packing import Packing
from pellucid.rows.placing import Records
from pellucid.rows.store_file import StoreFile
from pellucid.rows.targets import Targets, exact_sum, mean_factor, unit_mean

Wrap = Callable[[np.ndarray], Rows]

_APART = 64  # pieces that are read whole whatever is wanted of them
_BLOCK = 1 << 14  # rows that are looked over at a time
_FEW = 16  # times as many rows as there are numbers, of which not all places are worked out
_PLACING = 40  # bytes a row to work out the places of all rows


class Reading:
    """How rows of a store become those of a network.

    Parameters
    ----------
    file : StoreFile
    packing : Packing
        What fills an array with rows as the network reads them, from records; or any other object
        with its ``shape``, ``dtype`` and ``unpack``. Where it ``is_plain``, records are rows.
    wrap : callable
        Rows of such an array.
    dtype : dtype
        The network's float type.
    memory : int, optional
        The bytes that may be used where an order needs the places of all rows.
    """

    def __init__(
        self, file: StoreFile, packing: Packing, wrap: Wrap, dtype: Any, memory: int | None
    ) -> None:
        self.file, self.packing, self.wrap = file, packing, wrap
        self.dtype, self.memory = np.dtype(dtype), memory
        self._places: np.ndarray | None = None

    def rows(self, records: np.ndarray) -> np.ndarray:
        """Packed `records` as the network reads them."""
        rows = np.empty((len(records), *self.packing.shape), self.packing.dtype)
        self.packing.unpack(records, rows)
        return rows

    def places_of(self, numbers: np.ndarray) -> np.ndarray:
        """The places of rows by their numbers; those of all rows are kept."""
        if self._places is None and len(numbers) * _FEW <= len(self.file):
            return places_of(self.file.header.seed, len(self.file), numbers)
        if self._places is None:
            count, needed = len(self.file), len(self.file) * _PLACING
            if self.memory is not None and needed > self.memory:
                raise MemoryError(
                    f"to shuffle all of {count:,} rows on disk takes {size_text(needed)} of memory."
                    f' Got memory for {size_text(self.memory)}. Pass shuffle="blocks".'
                )
            self._places = np.empty(count, np.int64)
            self._places[placed(self.file.header.seed, count)] = np.arange(count)
        return self._places[numbers]


class Gathering:
    """Reads the rows at any places of a file, and keeps the pieces that it read last.

    Where rows lie in a few pieces these are read whole and checked. Rows that lie apart are read
    one by one, once the whole file has been checked.
    """

    def __init__(self, file: StoreFile) -> None:
        self._file = file
        self._slots: dict[int, int] = {}  # where each piece is that was read
        self._room = file.room(0)
        self._verified = False

    def read(self, places: np.ndarray, room: Records | None = None) -> Records:
        """The rows at these places, in `room` if there is some for just as many."""
        file = self._file
        room = file.room(len(places)) if room is None else room
        numbers = places // file.piece
        wanted = np.unique(numbers)
        if file.piece == 1:
            file.read_rows(places, room)
        elif len(wanted) > _APART + 2 * -(-len(places) // file.piece):
            self._one_by_one(places, room)
        elif len(wanted):
            begins = np.empty(wanted[-1] + 1, np.int64)  # where a piece is, less where it lies
            begins[wanted] = (self._load(wanted.tolist()) - wanted) * file.piece
            lines = begins[numbers] + places
            for part, into in zip(self._room, room, strict=True):
                np.take(part, lines, axis=0, out=into, mode="clip")
        return room

    def _load(self, wanted: list[int]) -> np.ndarray:
        """Have the pieces in memory, and say where each of them is."""
        piece = self._file.piece
        kept = {number: self._slots[number] for number in wanted if number in self._slots}
        if len(self._room.x) < len(wanted) * piece:
            self._room, kept = self._file.room(0), {}  # before there is room for more
            self._room = self._file.room(len(wanted) * piece)
        missing = [number for number in wanted if number not in kept]
        for number in missing:
            self._file.announce(number)
        free = iter(sorted(set(range(len(self._room.x) // piece)) - set(kept.values())))
        self._slots = {}  # nothing is known of what is half read
        for number in missing:
            kept[number] = slot = next(free)
            there = self._room.at(slice(slot * piece, (slot + 1) * piece))
            self._file.read_piece(number, there)
        self._slots = kept
        return np.array([kept[number] for number in wanted], np.int64)

    def _one_by_one(self, places: np.ndarray, room: Records) -> None:
        if not self._verified:
            self._file.verify()
            self._verified = True
        for line, place in enumerate(places.tolist()):
            self._file.read_row(place, room.at(slice(line, line + 1)))


class StoredRows(Rows):
    """The rows of a store at places `first` to `last` (exclusive).

    Parameters
    ----------
    reading : Reading
    first, last : int
    """

    def __init__(self, reading: Reading, first: int, last: int) -> None:
        self.reading, self.first, self.last = reading, first, last
        shape = reading.packing.shape
        self._kind = reading.wrap(np.empty((0, *shape), reading.packing.dtype))

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.last - self.first, *self._kind.shape[1:])

    def _taken(self, positions: np.ndarray) -> Rows:
        reading = self.reading
        if len(positions) and not 0 <= positions.min() <= positions.max() < len(self):
            raise IndexError(f"positions must be those of {len(self):,} rows.")
        records = Gathering(reading.file).read(positions + self.first)
        return reading.wrap(reading.rows(records.x))

    def take(self, index: Any) -> Any:
        """The rows at `index`, in memory."""
        if isinstance(index, slice):
            return self._taken(np.arange(*index.indices(len(self)), dtype=np.int64))
        positions = np.asarray(index)
        return self._taken(np.flatnonzero(positions) if positions.dtype == bool else positions)

    def part(self, first: int, last: int) -> StoredRows:
        return StoredRows(self.reading, self.first + first, self.first + last)

    def row(self, position: int) -> np.ndarray:
        return self._taken(np.array([position % len(self)])).row(0)

    def gather(
        self, slots: np.ndarray, x: np.ndarray, grid: Grid, absent: np.ndarray, back: int
    ) -> Operation:
        raise TypeError("rows on disk must be handed over by their feed.")

    @property
    def placed_by(self) -> int:
        return self.reading.file.header.seed

    def places_of(self, numbers: np.ndarray) -> np.ndarray:
        return self.reading.places_of(numbers)

    @property
    def content(self) -> tuple[np.ndarray, ...]:
        """The SHA-256 of all rows of the store, and which of them these are."""
        digest = bytes.fromhex(self.reading.file.header.content)
        return np.frombuffer(digest, np.uint8), np.array([self.first, self.last])

    def feed(self, targets: Any) -> StoreFeed:
        return StoreFeed(self, targets)


class StoredTargets(Targets):
    """The targets of the rows of a store at places `first` to `last` (exclusive).

    Parameters
    ----------
    reading : Reading
    first, last : int
    factors : sequence of float
        By which the weights are multiplied one after the other, beyond those of the whole store.
    """

    each_step = False

    def __init__(
        self, reading: Reading, first: int, last: int, factors: tuple[float, ...] = ()
    ) -> None:
        self.reading, self.first, self.last, self.factors = reading, first, last, factors

    def __getattr__(self, name: str) -> Any:
        if name in Targets.__annotations__:
            raise TypeError(f"targets on disk have no {name} in memory. Take some of them first.")
        raise AttributeError(name)

    def __len__(self) -> int:
        return self.last - self.first

    def scaled(self, weight: np.ndarray) -> np.ndarray:
        """Weights as they were given, as the network takes them."""
        header = self.reading.file.header
        if not header.weighted:
            return np.ones(len(weight), self.reading.dtype)
        weight = weight / header.weight_unit
        factor = mean_factor(header.rows, header.weight_sum)
        weight = (weight if factor is None else weight * factor).astype(self.reading.dtype)
        for factor in self.factors:
            weight = weight * factor
        return weight

    def take(self, index: Any) -> Targets:
        """The targets at `index`, in memory."""
        positions = np.arange(self.first, self.last)[index]
        records = Gathering(self.reading.file).read(positions)
        return Targets.by_row(records.values, unit_mean(self.scaled(records.weight)))

    def part(self, first: int, last: int) -> StoredTargets:
        first, last = self.first + first, self.first + last
        reading, factor = self.reading, None
        if reading.file.header.weighted:
            total = exact_sum(map(self.scaled, reading.file.weights(first, last)))
            factor = mean_factor(last - first, total)
        factors = self.factors if factor is None else (*self.factors, factor)
        return StoredTargets(reading, first, last, factors)

    def in_order(self, order: np.ndarray) -> Targets:
        raise TypeError("targets on disk must stay in their places.")

    def blocks(self) -> Iterator[np.ndarray]:
        gathering = Gathering(self.reading.file)
        for begin in range(self.first, self.last, _BLOCK):
            places = np.arange(begin, min(begin + _BLOCK, self.last))
            yield gathering.read(places).values

    @property
    def content(self) -> tuple[np.ndarray, ...]:
        """Which those of the store's rows they are, of which its rows tell, and their weights."""
        return np.array([self.first, self.last]), np.array(self.factors, dtype=np.float64)


class StoreFeed(Feed):
    """The feed of rows in a store.

    Parameters
    ----------
    rows : StoredRows
    targets : StoredTargets
        Of the same places.
    """

    def __init__(self, rows: StoredRows, targets: StoredTargets) -> None:
        reading = rows.reading
        values = reading.file.kind.values
        packing = reading.packing
        super().__init__(len(rows), packing.shape, packing.dtype, values.shape[1:], values.dtype)
        self._rows, self._targets = rows, targets
        self._order: Order = InTurn(len(rows))
        self._gathering, self._room = Gathering(reading.file), reading.file.room(0)

    def rows_of(self, records: np.ndarray) -> Rows:
        return self._rows.reading.wrap(records)

    def begin(self, order: Order, first: int = 0) -> None:
        self._order = order

    def fill(
        self, first: int, last: int, x: np.ndarray, values: np.ndarray, weight: np.ndarray
    ) -> None:
        reading, count = self._rows.reading, last - first
        plain = getattr(reading.packing, "is_plain", False) and x.flags.c_contiguous
        if len(self._room.x) < count:
            self._room = reading.file.room(count)
        room = self._room.at(slice(0, count))
        if plain:
            room = room._replace(x=x.reshape(count, -1).view(np.uint8))
        records = self._gathering.read(self._order[first:last] + self._rows.first, room)
        if not plain:
            reading.packing.unpack(records.x, x)
        values[...] = records.values
        weight[...] = self._targets.scaled(records.weight)
