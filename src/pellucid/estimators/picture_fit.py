"""A fit on pictures that are scanned: decoded once, put in their places, and read from there.

Their levels rest in a cache, as bytes; a table of the value of each level makes numbers of them
where a network reads them. What is learned and trained is that of the same pictures in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from pellucid.checks import file_name
from pellucid.data import PictureEncoder, Reading
from pellucid.data.layout import RowLayout
from pellucid.data.picture_scan import PictureScan, fingerprint
from pellucid.data.pictures import TYPES
from pellucid.engine import plain_float_state
from pellucid.estimators import fit_cache
from pellucid.estimators.examples import gone
from pellucid.estimators.streaming import OnDisk, Show
from pellucid.memory import resident_memory
from pellucid.rows import Pictures, Store, StoreWriter
from pellucid.rows.packing import Packing
from pellucid.training.orders import check_on_disk
from pellucid.training.settings import Settings


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
    """The examples of pictures that are scanned, in their cache; None of any other X.

    The model has learned of them then.
    """
    if not isinstance(X, PictureScan):
        return None
    owner = type(model).__name__
    check_given(owner, y, weights, going_on)
    check_on_disk(settings, owner, False, keeps_aside)
    with plain_float_state():
        return _Fit(model, X, settings, show).rows()


def check_given(owner: str, y: Any, weights: Any, going_on: bool = False) -> None:
    """Refuse what does not go with a scan of pictures."""
    for there, name, expected in (
        (y is not None, "y", "None: the folders are the classes"),
        (weights is not None, "sample_weight", "None"),
        (going_on, "warm_start", "False, and partial_fit not called"),
    ):
        if there:
            raise ValueError(
                f"{name} of {owner} must be {expected}, where X is a scan of pictures. Got another "
                "one. Pass the paths of the pictures for it."
            )


class _Fit:
    """What a fit does before training.

    Parameters
    ----------
    model : estimator
    scan : PictureScan
    settings : Settings
    show : callable
        Makes a Progress.
    """

    def __init__(self, model: Any, scan: PictureScan, settings: Settings, show: Show) -> None:
        self.model, self.scan, self.settings = model, scan, settings
        self.owner, self.note = type(model).__name__, show(1, 1).note
        encoders = [one for one in model._inputs() if isinstance(one, PictureEncoder)]
        if not encoders or not hasattr(model, "class_weight"):
            raise TypeError(
                f"X of {self.owner} must not be a scan of pictures. Got {scan!r}. It goes to a "
                "CNNClassifier, or a NetworkClassifier with layers for pictures."
            )
        self.encoder: PictureEncoder = encoders[0]

    def rows(self) -> OnDisk:
        """The pictures, from the cache if it has them."""
        model, encoder, path = self.model, self.encoder, self.scan.cache_path
        paths, classes = self._labelled()
        key = fit_cache.key_of(
            model, self.settings, data=fingerprint(paths, classes), input=encoder.choices(model)
        )
        taken = f"The pictures are in the cache {file_name(path)}: none is decoded anew"
        store = fit_cache.opened(path, key, self.note, taken)
        if store is None:
            store = self._made(key, paths, np.asarray(classes))
        fit_cache.take_over(model, encoder, store, [])
        encoder.left_out = [(place, reason) for place, reason in store.about["left_out"]]
        left = max(0, self.scan.memory - resident_memory())
        wrap = partial(Pictures, encoder.value_table)
        examples = store.examples(wrap, self.settings.dtype, memory=left)
        return OnDisk(examples, RowLayout(len(store)), np.ones(0, dtype=bool), self.scan)

    def _labelled(self) -> tuple[Sequence[str], Sequence[str]]:
        """The pictures to learn from, and their classes; what is to validate on is remembered."""
        if self.scan.chosen is not None:
            return self.scan.chosen
        return self.encoder.labelled(self.model, self.scan.folder, None, "learn", least=2)

    def _made(self, key: str, paths: Sequence[str], classes: np.ndarray) -> Store:
        """Decode the pictures, learn from them, and write them into the cache."""
        model, encoder = self.model, self.encoder
        reading = encoder.read(model, list(paths), learn=True)
        begun: list[_Writing] = []

        def begin(readable: np.ndarray) -> Callable[[int, np.ndarray], object]:
            begun.append(_Writing(self, key, classes, readable))
            return begun[0].add

        dtype = np.dtype(self.settings.dtype)
        try:
            able = encoder.learn_one_by_one(model, reading, dtype, begin)
            (writing,) = begun
            if (able != writing.able).any():  # what could not be decoded had a class, and a weight
                writing.discard()
                begun[:] = [writing := _Writing(self, key, classes, able)]
                self._write_again(writing, reading)
            if encoder.left_out:
                encoder.notes = [*encoder.notes, *gone(classes, able.astype(np.float64))]
            return writing.close(encoder)
        finally:
            for one in begun:
                one.discard()

    def _write_again(self, writing: _Writing, reading: Reading[Any]) -> None:
        positions = np.flatnonzero(writing.able).tolist()
        decoded = self.encoder.decoded(self.model, reading, positions)
        for position, pixels in zip(positions, decoded, strict=True):
            writing.add(position, pixels)


class _Writing:
    """Pictures that are written into a cache one by one.

    Parameters
    ----------
    fit : _Fit
    key : str
    classes : ndarray
        Of all pictures.
    able : ndarray of bool
        Which of them seem to be of use.
    """

    def __init__(self, fit: _Fit, key: str, classes: np.ndarray, able: np.ndarray) -> None:
        model, scan, encoder = fit.model, fit.scan, fit.encoder
        self.able, there = able, able.astype(np.float64)
        self.target = model._new_target(classes)
        codes = self.target.fit(model, classes, there)
        model.target_ = self.target
        self._weights = model._row_weights(codes, there)
        self._values = model._target_rows(codes)
        if np.count_nonzero(self._weights) < 2:
            raise ValueError(f"X of {fit.owner} must have at least 2 rows. Got 1 sample.")
        room = fit_cache.room(scan)
        packing = Packing(encoder.shape, TYPES[encoder.kind])
        weighted = bool((self._weights[able] != 1.0).any())
        self._writer = StoreWriter(
            scan.cache_path, key, {}, None, packing, self._values.shape[1:], self._values.dtype,
            fit.settings.seed, room // 2, weighted=weighted,
        )  # fmt: skip
        self._weighted = weighted
        try:
            taken = fit_cache.space(scan, self._writer.nbytes(int(able.sum())), room // 2)
        except OSError:
            self.discard()
            raise
        height, width, channels = encoder.shape
        fit.note(
            f"{scan.name}: {int(able.sum()):,} pictures of {height} x {width} x {channels}; {taken}"
        )

    def add(self, position: int, pixels: np.ndarray) -> None:
        """Write the next picture, if it has weight."""
        own = slice(position, position + 1)
        if self._weights[position] > 0:
            weight = self._weights[own] if self._weighted else None
            self._writer.write(pixels[None], self._values[own], weight)

    def close(self, encoder: PictureEncoder) -> Store:
        """The cache, with what was learned."""
        about, arrays = fit_cache.learned(encoder, self.target)
        about["left_out"] = [list(one) for one in encoder.left_out]
        return self._writer.close(about=about, arrays=arrays)

    def discard(self) -> None:
        """Leave nothing, if it is not closed."""
        self._writer.__exit__(None, None, None)
