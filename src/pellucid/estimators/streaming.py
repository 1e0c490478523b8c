"""A fit on a table that is read part by part: what is learned of it, and its rows encoded on disk.

One pass over the table puts its columns into files without a name. From there the encoders learn
what they would learn of the table in memory, and rows are encoded and put in their places, in the
cache that training reads.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from pellucid.checks import file_name, shown, size_text
from pellucid.data import Layout, Reading, TableEncoder
from pellucid.data.layout import RowLayout
from pellucid.data.sample_weights import ClassCounts, check_weights
from pellucid.data.scan import Scan
from pellucid.data.spool import Spool
from pellucid.engine import plain_float_state
from pellucid.estimators import fit_cache
from pellucid.memory import resident_memory
from pellucid.network.chain import Chain
from pellucid.rows import Examples, Store, StoreWriter
from pellucid.rows.packing import Packing
from pellucid.training import defaults
from pellucid.training.cost import Cost
from pellucid.training.orders import check_on_disk
from pellucid.training.progress import Progress
from pellucid.training.settings import Settings

_BLOCK = 4 << 20  # bytes of encoded rows at a time
_FEWEST, _MOST = 256, 1 << 14  # rows at a time
_WINDOWS = 32 << 20  # bytes through which rows come to the network

Show = Callable[[int, int], Progress]


class OnDisk(NamedTuple):
    """Rows on disk, to be trained on; see ``_encode``.

    `source` is the scan, or what else has the `name` and `memory` of one; None without a promise.
    """

    examples: Examples
    layout: Layout
    used: np.ndarray
    source: Any


def on_disk(
    model: Any,
    X: Any,
    settings: Settings,
    going_on: bool,
    keeps_aside: bool,
    cautions: bool,
    show: Show,
) -> OnDisk | None:
    """The examples of an X that is read part by part, encoded on disk; None of any other X.

    The model has learned of X then. Before, it knows the names of its targets and weights.

    Parameters
    ----------
    going_on : bool
        Whether the fit is to go on from another.
    keeps_aside : bool
        Whether some rows will be kept aside to validate on.
    cautions : bool
        Whether cautions are noted.
    show : callable
        Makes a Progress.
    """
    if not isinstance(X, Scan):
        return None
    with plain_float_state():
        return _Fit(model, X, settings, show).rows(going_on, keeps_aside, cautions)


def check_memory(
    model: Any, stored: OnDisk, chain: Chain, settings: Settings, epochs: int | None
) -> None:
    """Refuse a network whose training takes more memory than was promised for the scan."""
    scan, examples, planned = stored.source, stored.examples, copy.copy(settings)
    if scan is None:
        return
    defaults.choose(planned, model._input.domain, examples, epochs, stateful=False)
    needed = Cost.of(chain, planned, len(examples)).bytes + _WINDOWS
    there = resident_memory()
    if there + needed > scan.memory:
        raise MemoryError(
            f"memory of the scan of {scan.name} must be at least {size_text(there + needed)} for "
            f"the network of {type(model).__name__}: this process has {size_text(there)} already. "
            f"Got {size_text(scan.memory)}. Give more, or take fewer or narrower layers, or a "
            "smaller batch_size."
        )


class _Fit:
    """What a fit on a scan does before training.

    Parameters
    ----------
    model : estimator
    scan : Scan
    settings : Settings
    show : callable
        Makes a Progress.
    """

    def __init__(self, model: Any, scan: Scan, settings: Settings, show: Show) -> None:
        self.model, self.scan, self.settings = model, scan, settings
        self.owner, self.show = type(model).__name__, show
        self.note = show(1, 1).note
        self.targets: list[str] = model.target_names_
        self.weight: str | None = model.weight_name_
        taken = {*self.targets, self.weight}
        self.features = [name for name in scan.columns if name not in taken]

    def rows(self, going_on: bool, keeps_aside: bool, cautions: bool) -> OnDisk:
        """The rows, from the cache if it has them."""
        encoder = self._encoder(going_on)
        self._check(keeps_aside)
        for words in self.scan.notes:
            self.note(words)
        key, cache = self._key(encoder), self.scan.cache_path
        taken = f"The rows are in the cache {file_name(cache)}: nothing is encoded anew"
        store = fit_cache.opened(cache, key, self.note, taken)
        if store is None:
            store = self._made(encoder, key)
        more = store.about["cautions"] if cautions else []
        fit_cache.take_over(self.model, encoder, store, more)
        left = max(0, self.scan.memory - resident_memory())
        examples = store.examples(dtype=self.settings.dtype, memory=left)
        return OnDisk(examples, RowLayout(len(store)), np.ones(0, dtype=bool), self.scan)

    def _encoder(self, going_on: bool) -> TableEncoder:
        """An encoder for the features; a TypeError or ValueError where the model takes no scan."""
        encoder = self.model._input_of_kind(None)
        if not isinstance(encoder, TableEncoder):
            raise TypeError(
                f"X of {self.owner} must not be a scan of a table, which goes to FCNN and Network "
                f"estimators. Got {self.scan!r}. Of a series cut windows, by "
                "pellucid.data.windows(scan, ...); of pictures scan the folder."
            )
        if going_on:
            raise ValueError(
                f"X of {self.owner} must be rows in memory where a fit goes on from another. Got "
                f"{self.scan!r}. Call partial_fit for each DataFrame of it."
            )
        return encoder

    def _check(self, keeps_aside: bool) -> None:
        """Refuse what cannot be trained so before the table is read."""
        check_on_disk(self.settings, self.owner, False, keeps_aside)
        if not hasattr(self.model, "layers"):  # else they are held against the target's width
            self.model._layers(1)

    def _key(self, encoder: TableEncoder) -> str:
        """SHA-256 of all that the encoded rows depend on."""
        model = self.model
        return fit_cache.key_of(
            model,
            self.settings,
            data=self.scan.fingerprint,
            features=self.features,
            targets=self.targets,
            weight=self.weight,
            predicts="classes" if hasattr(model, "class_weight") else "numbers",
            input=encoder.choices(model),
            target_transform=getattr(model, "target_transform", None),
            robust=getattr(model, "loss", "mse") != "mse",
        )

    # -- from the table to the cache ---------------------------------------------------------

    def _made(self, encoder: TableEncoder, key: str) -> Store:
        """Read the table, learn from it, and write its rows into the cache."""
        scan, model, room = self.scan, self.model, fit_cache.room(self.scan)
        columns = [*self.features, *self.targets, *filter(None, [self.weight])]
        with self.show(1, 1).passing("Reading", scan.rows) as passing:
            spool = Spool.of(
                scan, model, columns, self.targets, memory=room // 4, progress=passing
            )  # fmt: skip
        with spool:
            scan.check_unchanged()
            table, weights = spool.select(self.features), self._weights(spool)
            if table.shape[0] < 2:
                raise ValueError(f"X of {self.owner} must have at least 2 rows. Got 1 sample.")
            y = spool.target(self.targets[0] if len(self.targets) == 1 else self.targets)
            target = model._new_target(y)
            with self.show(1, 1).passing("Learning", table.shape[0]) as passing:
                decided = encoder.learn_from(model, table, weights, np.dtype(self.settings.dtype))
                codes = target.learn_from(model, y, weights)
                model.target_ = target
                of_classes = self._weights_of_classes(codes, weights)
                about, arrays = fit_cache.learned(encoder, target)
                reading = Reading(table, RowLayout(table.shape[0]))
                about["cautions"] = encoder.cautions(reading, codes)
                passing(table.shape[0])
            shape = encoder.n_outputs
            values = model._target_rows(codes[:1])
            writer = StoreWriter(
                scan.cache_path, key, about, None,
                Packing((shape,), encoder.dtype, encoder.one_hot_groups), values.shape[1:],
                _small(values, codes), self.settings.seed, room // 2,
                weighted=weights is not None or of_classes is not None, arrays=arrays,
            )  # fmt: skip
            with writer:
                rows = table.shape[0]
                taken = fit_cache.space(scan, writer.nbytes(rows), room // 2)
                self.note(f"{scan.name}: {rows:,} rows become {shape} numbers each; {taken}")
                self._write(writer, encoder, decided, codes, weights, of_classes)
                with self.show(1, 1).passing("Mixing", table.shape[0]) as passing:
                    store = writer.close(passing)
                    passing(table.shape[0])
                return store

    def _weights(self, spool: Spool) -> Any:
        """The weights of the rows, read by slices; None where there are none."""
        if self.weight is None:
            return None
        column = spool.select([self.weight]).columns[0]
        if column.kind in ("text", "time"):
            what = "text" if column.kind == "text" else "dates"
            raise ValueError(
                f"sample_weight of {self.owner} must name a column of numbers. Got "
                f"{shown(self.weight)}, which holds {what}."
            )
        weights = _Weights(column)
        check_weights(self.model, weights.parts())
        return weights

    def _weights_of_classes(self, codes: Any, weights: Any) -> np.ndarray | None:
        """The weight of each class; None where all weigh the same."""
        given = getattr(self.model, "class_weight", None)
        if given is None:
            return None
        counts = ClassCounts(self.model, given, self.model.target_.classes)
        for rows in _slices(len(codes), _MOST):
            counts.add(codes[rows], None if weights is None else weights[rows])
        return counts.weights

    def _write(
        self,
        writer: StoreWriter,
        encoder: TableEncoder,
        table: Any,
        codes: Any,
        weights: Any,
        of_classes: np.ndarray | None,
    ) -> None:
        """Encode all rows that have weight, and write them."""
        count, model, written = table.shape[0], self.model, 0
        step = _BLOCK // (encoder.n_outputs * encoder.dtype.itemsize)
        step = max(_FEWEST, min(_MOST, step))
        encoded = encoder.encode_blocks(table, step)
        with self.show(1, 1).passing("Encoding", count) as passing:
            for rows, dense in zip(_slices(count, step), encoded, strict=True):
                values, own = codes[rows], None if weights is None else weights[rows]
                if of_classes is not None:
                    own = of_classes[values] if own is None else own * of_classes[values]
                x, values = dense.values, model._target_rows(values)
                if own is not None:
                    used = own > 0
                    x, values, own = x[used], values[used], own[used]
                writer.write(x, values, own)
                written += len(x)
                passing(rows.stop)
        if not written:
            raise ValueError(
                f"class_weight of {self.owner} must leave a row of weight above 0. Got "
                f"{model.class_weight!r}, and none is left."
            )


class _Weights:
    """A column of weights on disk, read by slices of rows."""

    def __init__(self, column: Any) -> None:
        self._column, self.shape = column, (len(column),)

    def __len__(self) -> int:
        return len(self._column)

    def __getitem__(self, rows: slice) -> np.ndarray:
        return self._column.taken(slice(*rows.indices(len(self)))).values

    def parts(self) -> Iterator[np.ndarray]:
        """Those of all rows, some at a time."""
        return (part.values for _, part in self._column.parts())


def _slices(rows: int, step: int) -> Iterator[slice]:
    """All rows, so many at a time."""
    return (slice(start, min(start + step, rows)) for start in range(0, rows, step))


def _small(values: np.ndarray, codes: Any) -> np.dtype:
    """The type in which targets rest: classes by their numbers need few bytes."""
    if values.dtype.kind != "i":
        return values.dtype
    most = max(int(codes[rows].max()) for rows in _slices(len(codes), _MOST))
    return np.min_scalar_type(most)
