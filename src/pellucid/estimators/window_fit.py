"""A fit on windows of a long table: some series are in memory at a time.

What is learned of the series is folded over their parts. The encoded steps lie in a file, each
once; a record of a window says where its steps begin, and its scale. Records are put in their
places, in a file that training reads, and are made windows there: see ``data/flat_windows.py``.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.checks import file_name, rows_at, size_text
from pellucid.data import Reading, SequenceEncoder
from pellucid.data.columns import Table
from pellucid.data.flat_windows import FlatWindows, FlatWriter
from pellucid.data.layout import Layout, RowLayout
from pellucid.data.parted_windows import PartedTargets, PartedWindows, followed
from pellucid.data.scratch import Scratch
from pellucid.data.sequence_encoder import parts_of
from pellucid.data.spool import Spool
from pellucid.data.target_parts import TargetParts
from pellucid.data.window_features import Units
from pellucid.engine import plain_float_state
from pellucid.estimators.streaming import OnDisk, Show
from pellucid.memory import resident_memory
from pellucid.rows import Dense, Examples, StoreWriter
from pellucid.training.orders import check_on_disk
from pellucid.training.settings import Settings

_MEMORY = 1 << 30  # bytes that a fit may take, where the windows are not of a scan
_LEAST = 32 << 20  # bytes of it for records that are put in their places


def on_disk(
    model: Any,
    X: Any,
    y: Any,
    weights: Any,
    settings: Settings,
    going_on: bool,
    keeps_aside: bool,
    show: Show,
) -> OnDisk | None:
    """The examples of windows in parts, encoded on disk; None of any other X.

    The model has learned of them then.
    """
    if not isinstance(X, PartedWindows):
        return None
    owner = type(model).__name__
    check_given(owner, X, y, weights, going_on)
    check_on_disk(settings, owner, False, keeps_aside)
    if len(X) < 2:
        raise ValueError(f"X of {owner} must have at least 2 rows. Got {len(X)} sample.")
    with plain_float_state():
        fit = _Fit(model, X, settings, show)
        fit.learn()
        used = np.ones(0, dtype=bool)
        return OnDisk(fit.examples(X), PartedLayout(X, fit), used, X.files.place)


def check_given(owner: str, X: PartedWindows, y: Any, weights: Any, going_on: bool = False) -> None:
    """Refuse what does not go with windows in parts."""
    if not (isinstance(y, PartedTargets) and y.windows.is_same(X)):
        raise ValueError(
            f"y of {owner} must be what pellucid.data.windows gave with X, where X is windows of a "
            f"scan. Got {type(y).__name__}."
        )
    for there, name, expected in (
        (weights is not None, "sample_weight", "None"),
        (going_on, "warm_start", "False, and partial_fit not called,"),
    ):
        if there:
            raise ValueError(
                f"{name} of {owner} must be {expected} where X is windows of a scan. Got another "
                "one. Cut windows of a DataFrame for it."
            )


class PartedLayout(Layout):
    """How windows in parts lie: the last ones are for validation."""

    def __init__(self, X: PartedWindows, fit: _Fit) -> None:
        self._windows, self._fit = X, fit

    def __len__(self) -> int:
        return len(self._windows)

    def flatten(self, name: str, values: Any) -> Any:
        return values

    def split(self, fraction: float, used: np.ndarray) -> Any:
        """As of windows in memory; both are a Span."""
        return list(self._windows.split(fraction))

    def part(self, examples: Examples, index: Any) -> Examples:
        return self._fit.examples(self._windows[index])


class _Fit:
    """What a fit does before training.

    Parameters
    ----------
    model : estimator
    X : PartedWindows
    settings : Settings
    show : callable
        Makes a Progress.
    """

    _flat: FlatWindows

    def __init__(self, model: Any, X: PartedWindows, settings: Settings, show: Show) -> None:
        self.model, self.X, self.settings, self.show = model, X, settings, show
        self.encoder = _encoder(model)
        place = X.files.place
        self.memory = _MEMORY if place is None else place.memory
        self.folder = X.files.scratch.folder
        self.scratch = Scratch(self.folder, self.memory // 16, "the encoded windows")

    def learn(self) -> None:
        """Learn from all windows, encode their steps, and make a record of each."""
        X, model, encoder = self.X, self.model, self.encoder
        rows = sum(len(part.order) for part in X.parts)
        with self.show(1, 1).passing("Reading", rows) as passing, rows_at(_Order(X)):
            spool = Spool.of(_Features(X, self), model, progress=passing)
        with spool:
            covered = _Numbers(spool.scratch, ())
            for part in X.parts:
                covered.add(part.covered.astype(np.float64))
            dtype = np.dtype(self.settings.dtype)
            table = encoder.learn_windows(model, X, spool.table, covered, dtype)
            model._input = encoder
            model.target_ = target = model._new_target(PartedTargets(X))
            y, units = self._targets(spool.scratch, table)
            self._encode(table, target.learn_from(model, y, None, units))

    def _targets(self, scratch: Scratch, table: Table) -> tuple[TargetParts, Any]:
        """What followed the windows, and the scales in which that is learned."""
        X, features = self.X, self.encoder.windows
        assert features is not None
        shape = PartedTargets(X).shape
        numbers = _Numbers(scratch, shape[1:])
        shift, scale = (_Numbers(scratch, (len(X.targets),)) for _ in range(2))
        for part, content in zip(X.parts, parts_of(X, table), strict=True):
            numbers.add(followed(part))
            if (units := features.units(self.encoder.table, content, part)) is not None:
                shift.add(units.shift)
                scale.add(units.scale)
        y = TargetParts(shape, np.float64, numbers.__getitem__, numbers.parts, None, scratch)
        return y, _UnitsOnDisk(shift, scale) if len(shift) else None

    def _encode(self, table: Table, codes: Any) -> None:
        """Write the steps, and the records of the windows with their targets."""
        X, encoder, done = self.X, self.encoder, 0
        features = encoder.windows
        assert features is not None
        some = self.model._target_rows(codes[:1])
        flat: FlatWriter | None = None
        with self.show(1, 1).passing("Encoding", len(X)) as passing:
            for part, content in zip(X.parts, parts_of(X, table), strict=True):
                encoded = encoder.table.encode(self.model, Reading(content, RowLayout(0))).values
                rows = features.rows(encoder.table, content, part, encoded)
                if flat is None:
                    sizes = rows.relative.shape[1], rows.others.shape[1]
                    flat = FlatWriter(self.scratch.file(), *sizes, encoder.dtype)
                    self.packing = flat.packing
                    self.records = _Numbers(self.scratch, self.packing.shape)
                    self.values = _Numbers(self.scratch, some.shape[1:], some.dtype)
                self.records.add(flat.add(rows))
                self.values.add(self.model._target_rows(codes[done : done + len(part)]))
                done += len(part)
                passing(done)
        assert flat is not None
        self._flat = flat.done()
        self.show(1, 1).note(
            f"{done:,} windows of {X.steps} steps take {size_text(self.scratch.nbytes)} in "
            f"{file_name(self.folder.resolve())}, where each step lies once"
        )

    def examples(self, X: PartedWindows) -> Examples:
        """Some of the windows, or all, in their places."""
        packing, values, done = self.packing, self.values, 0
        room = max(_LEAST, (self.memory - resident_memory()) // 2)
        with (
            tempfile.TemporaryDirectory(prefix=".pellucid-", dir=self.folder) as folder,
            StoreWriter(
                Path(folder) / "windows", "", {}, None, packing, values.shape[1:], values.dtype,
                self.settings.seed, room,
            ) as writer,
        ):  # fmt: skip
            for part in self.X.parts:
                rows = slice(done, done + len(part))
                inside = X.inside(part)
                writer.write(self.records[rows][inside], values[rows][inside])
                done = rows.stop
            store = writer.close()
            return store.examples(Dense, self.settings.dtype, packing=self._flat, memory=room)


class _Features:
    """The tables of all parts of windows, as a spool reads a scan."""

    def __init__(self, X: PartedWindows, fit: _Fit) -> None:
        self._X, self.memory = X, fit.memory
        self.name, self.cache_path = "the series", fit.folder / "series.cache"

    def batches(self, rows: int, columns: Sequence[str] | None) -> Iterator[Any]:
        """Each table by itself, whatever its rows."""
        return (part.table for part in self._X.parts)


class _Order:
    """The position in the table of each row of windows in parts."""

    def __init__(self, X: PartedWindows) -> None:
        self._X = X

    def __getitem__(self, position: int) -> int:
        for part in self._X.parts:
            if position < len(part.order):
                return int(part.order[position])
            position -= len(part.order)
        raise IndexError(position)


class _Numbers:
    """Rows of numbers on disk, which are read by slices.

    Parameters
    ----------
    scratch : Scratch
    row_shape : tuple of int
    dtype : dtype, default=float64
    """

    def __init__(self, scratch: Scratch, row_shape: tuple[int, ...], dtype: Any = "f8") -> None:
        self._file, self._row, self.dtype = scratch.file(), row_shape, np.dtype(dtype)
        self._size = int(np.prod(row_shape, dtype=np.int64))
        self.parts: list[slice] = []

    def add(self, rows: np.ndarray) -> None:
        """Write more of them."""
        if not len(rows):
            return
        self._file.append(np.ascontiguousarray(rows, self.dtype))
        self.parts.append(slice(len(self), len(self) + len(rows)))

    def __len__(self) -> int:
        return self.parts[-1].stop if self.parts else 0

    @property
    def shape(self) -> tuple[int, ...]:
        """(rows, ...)."""
        return (len(self), *self._row)

    def __getitem__(self, rows: slice) -> np.ndarray:
        start, stop, _ = rows.indices(len(self))
        count, place = max(0, stop - start), start * self._size * self.dtype.itemsize
        return self._file.array(place, count * self._size, self.dtype).reshape(count, *self._row)


class _UnitsOnDisk:
    """The levels and scales of targets."""

    def __init__(self, shift: _Numbers, scale: _Numbers) -> None:
        self._shift, self._scale = shift, scale

    def of(self, rows: slice) -> Units:
        """Those of some windows."""
        return Units(self._shift[rows], self._scale[rows])


def _encoder(model: Any) -> SequenceEncoder:
    """An encoder for windows; a TypeError where the model takes none."""
    encoders = [one for one in model._inputs() if isinstance(one, SequenceEncoder)]
    if not encoders or not hasattr(model, "intervals_"):
        raise TypeError(
            f"X of {type(model).__name__} must not be windows of a scan. Got some. They go to an "
            "RNNRegressor, LSTMRegressor or GRURegressor, or a NetworkRegressor with such layers."
        )
    (encoder,) = encoders
    owner = type(model).__name__
    encoder.check_windows(owner)
    return encoder
