"""Pictures and signals, turned into what a network trains on."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np
from sklearn.utils.validation import validate_data

from pellucid.checks import one_of, shown
from pellucid.data.columns import blocks, owner_of, plain_array
from pellucid.data.encoder import Encoder, Reading
from pellucid.data.layout import RowLayout
from pellucid.data.picture_sets import Counts, fault, read_all, sources_in
from pellucid.data.pictures import (
    COLORS,
    TYPES,
    Header,
    PictureError,
    check_alike,
    read_header,
    read_picture,
    rescaled,
)
from pellucid.data.scaling import Standardiser
from pellucid.rows import DecodedPictures, Dense, Pictures, Rows

KEPT_BYTES = 128 << 20  # decoded pictures up to here are kept; of more, each epoch decodes anew
_SHOWN = 5  # pictures left out that are named one by one


@dataclass(eq=False)
class Sources:
    """Pictures or signals: one array of rows with channels last, or where each picture comes from.

    `names` are those of a table's columns, where signals came as one.
    """

    array: np.ndarray | None = None
    listed: Sequence[Any] = ()
    names: list[str] | None = None
    _headers: list[Any] | None = None

    @property
    def pictures(self) -> Sequence[Any]:
        """The pictures one by one."""
        return self.listed if self.array is None else list(self.array)

    def headers(self, verbose: int) -> list[Any]:
        """Of each picture its header, or the error; looked at once."""
        if self._headers is None:
            pictures = self.pictures
            task, positions = "looking at pictures", range(len(pictures))
            headers = read_all(lambda i: read_header(pictures[i]), positions, task, verbose)
            self._headers = list(headers)
        return self._headers


@final
class PictureEncoder(Encoder[Sources]):
    """Pictures (rows, height, width, channels) or signals (rows, length, channels), standardised.

    Each channel has one mean and one standard deviation, over all pixels of all rows.

    Parameters
    ----------
    image_size : int, (int, int) or None
        To what pictures are resized. None leaves pictures of one size as they are, and resizes
        those of several to their median.
    color : {"auto", "grey", "rgb"}
        What pictures are made; "auto" takes them as they are, all grey or all in colour.
    on_error : {"raise", "skip"}
        What becomes, in `fit`, of pictures that cannot be read.

    Attributes
    ----------
    kind : str
        "bytes" or "sixteen" (levels of 8 or 16 bits), or "float" (numbers as they are).
    resizes : bool
        Whether pictures of another size are resized.
    names : list of str or None
        The columns' names, where signals came as a table that had them.
    """

    _shape: tuple[int, ...]

    def __init__(
        self, image_size: Any = None, color: str = "auto", on_error: str = "raise"
    ) -> None:
        self.image_size, self.color, self.on_error = image_size, color, on_error
        self.left_out: list[tuple[int, str]] = []
        self.notes: list[str] = []

    def _read(self, estimator: Any, X: Any, learn: bool) -> Reading[Sources]:
        owner = owner_of(estimator)
        if isinstance(X, (str, os.PathLike)):
            raise TypeError(
                f"X of {owner} must be pictures, or a list of their paths. Got the one path "
                f"{shown(X)}. pellucid.list_pictures(folder) gives paths and classes."
            )
        listed = sources_in(X)
        if listed is not None:
            return Reading(Sources(listed=listed), RowLayout(len(listed)))
        array, names = _stacked(X), None
        if not isinstance(array, np.ndarray) or array.ndim < 3:
            # scikit-learn's own words for a table that is not one
            rows = validate_data(estimator, X, reset=learn, dtype=[np.float64, np.float32])
            names = getattr(estimator, "feature_names_in_", None) if learn else None
            array = np.asarray(rows)[:, :, None]
        elif array.ndim > 4 or array.dtype.kind not in "biuf" or not array.size:
            raise ValueError(
                f"X of {owner} must be signals of shape (rows, length), pictures of "
                "shape (rows, height, width) or (rows, height, width, channels), or a list of "
                f"pictures. Got {array.dtype} of shape {array.shape}."
            )
        else:
            _check_finite(owner, array)
            array = array if array.ndim == 4 else array[..., None]
        sources = Sources(array, names=None if names is None else names.tolist())
        return Reading(sources, RowLayout(len(array)))

    def learn(self, estimator: Any, reading: Reading[Sources], weights: Any, dtype: Any) -> Rows:
        owner, sources = owner_of(estimator), reading.content
        one_of("color", owner, self.color, COLORS)
        one_of("on_error", owner, self.on_error, ("raise", "skip"))
        self.dtype, size = np.dtype(dtype), _size(self.image_size, owner)
        self.names, array = sources.names, sources.array
        if array is None or (array.ndim == 4 and array.shape[1:] != self._made(array, size)):
            encoded = self._learn_sources(estimator, sources, size, weights)
        elif array.ndim == 3 and size is not None:
            raise ValueError(
                f"image_size of {owner} must be None for signals. Got {self.image_size}."
            )
        else:
            encoded = self._learn_array(array, weights)
        self.name_features(estimator)
        return encoded

    def encode(self, estimator: Any, reading: Reading[Sources]) -> Rows:
        sources, data = reading.content, reading.content.array
        if data is not None:
            if data.shape[1:] == self.shape:
                return self._encoded(data)
            same = self.resizes or data.shape[1:-1] == self.shape[:-1]
            if not same or self._channels(data.shape[-1]) != self.shape[-1] or data.ndim != 4:
                raise ValueError(
                    f"X of {owner_of(estimator)} must have rows of shape {self.shape}, as in fit. "
                    f"Got {data.shape[1:]}."
                )
        if len(self.shape) == 2:
            raise ValueError(
                f"X of {owner_of(estimator)} must be signals, as in fit. Got pictures."
            )
        pictures = sources.pictures
        for position, header in enumerate(sources.headers(getattr(estimator, "verbose", 0))):
            try:
                if isinstance(header, PictureError):
                    raise header
                check_alike(header, self._wanted, self.resizes, self.color != "auto")
            except PictureError as error:
                raise self._fault(estimator, position, pictures, error) from None
        if self.kind == "float":
            return self._encoded(np.stack([self._pixels(picture) for picture in pictures]))
        return self._pictures(pictures)

    def readable(self, sources: Sequence[Any]) -> np.ndarray:
        """Of each of further pictures, whether it can be read."""

        def read(position: int) -> None:
            self._pixels(sources[position])

        faults = read_all(read, range(len(sources)), "reading pictures", 0)
        return np.array([not isinstance(fault, PictureError) for fault in faults], dtype=bool)

    # -- arrays ------------------------------------------------------------------------------

    def _made(self, array: np.ndarray, size: tuple[int, int] | None) -> tuple[int, ...]:
        """The shape that the pictures of `array` are to have."""
        return (*(size or array.shape[1:-1]), self._channels(array.shape[-1]))

    def _learn_array(self, data: np.ndarray, weights: np.ndarray | None) -> Rows:
        self._shape, self.resizes = data.shape[1:], self.image_size is not None
        kinds = {np.dtype(type_): kind for kind, type_ in TYPES.items()}
        self.kind = kinds.get(data.dtype, "float")
        if self.kind == "float":
            self._fit_numbers(data, weights)
        else:
            counts = self._counts()
            if weights is None:
                for rows in blocks(len(data), math.prod(self.shape)):
                    counts.add(counts.of(data[rows]))
            else:
                for pixels, weight in zip(data, weights, strict=True):
                    counts.add(counts.of(pixels), weight)
            self._scaler = counts.standardiser()
        return self._encoded(data)

    def _fit_numbers(self, data: np.ndarray, weights: np.ndarray | None) -> None:
        if weights is not None:
            weights = np.repeat(weights, math.prod(self.shape[:-1]))
        self._scaler = Standardiser().fit(data.reshape(-1, self.shape[-1]), weights)

    def _counts(self) -> Counts:
        return Counts(1 << 8 * np.dtype(TYPES[self.kind]).itemsize, self.shape[-1])

    def _encoded(self, data: np.ndarray) -> Rows:
        """Levels with their table, or numbers standardised."""
        data = rescaled(data, self.kind)
        if self.kind != "float" and data.dtype == TYPES[self.kind]:
            return Pictures(self._table, np.ascontiguousarray(data))
        encoded = np.empty(data.shape, dtype=self.dtype)
        channels = self.shape[-1]
        self._scaler.transform(data.reshape(-1, channels), encoded.reshape(-1, channels))
        return Dense(encoded)

    @property
    def _table(self) -> np.ndarray:
        """What each level of each channel stands for."""
        channels = self.shape[-1]
        levels = np.arange(1 << 8 * np.dtype(TYPES[self.kind]).itemsize, dtype=np.float64)
        table = np.empty((len(levels), channels), dtype=self.dtype)
        self._scaler.transform(np.repeat(levels[:, None], channels, axis=1), table)
        return table

    # -- sources -----------------------------------------------------------------------------

    @staticmethod
    def _fault(
        estimator: Any, position: int, sources: Sequence[Any], error: PictureError, more: str = ""
    ) -> ValueError:
        """The sentence for one picture, whose way out is only what `estimator` knows."""
        if not hasattr(estimator, "image_size"):
            error, more = PictureError(error.reason), ""
        return fault(position, sources, error, f"Remove it{more}")

    def _channels(self, count: int) -> int:
        """How many channels a picture of `count` channels is to have."""
        return {"auto": count, "grey": 1, "rgb": 3}[self.color]

    @property
    def _wanted(self) -> Header:
        height, width, channels = self.shape
        return Header(height, width, channels, self.kind)

    def _pictures(self, sources: Sequence[Any]) -> DecodedPictures:
        def decode(position: int) -> np.ndarray:
            try:
                return self._pixels(sources[position])
            except PictureError as error:
                raise fault(position, sources, error, "Put it right") from error

        return DecodedPictures(self._table, np.arange(len(sources)), self.shape, decode)

    def _pixels(self, source: Any) -> np.ndarray:
        return read_picture(source, self._wanted, self.resizes, self.color != "auto")

    def _learn_sources(
        self, estimator: Any, sources: Sources, size: tuple[int, int] | None, weights: Any
    ) -> Rows:
        """Look at all headers, decide what the pictures are to be, and decode them once."""
        pictures, verbose = sources.pictures, getattr(estimator, "verbose", 0)
        weights = np.ones(len(pictures)) if weights is None else weights.copy()
        there: dict[int, Header] = {}
        for position, header in enumerate(sources.headers(verbose)):
            if isinstance(header, PictureError):
                self._leave_out(estimator, pictures, position, header)
            else:
                there[position] = header
        self._check_some_left(estimator, pictures)
        self._decide(estimator, pictures, there, size)
        type_ = np.dtype(TYPES[self.kind])
        keeps = self.kind == "float" or (
            len(pictures) * math.prod(self.shape) * type_.itemsize <= KEPT_BYTES
        )
        data = np.zeros((len(pictures), *self.shape), dtype=type_) if keeps else None
        counts = None if self.kind == "float" else self._counts()

        def read(position: int) -> np.ndarray | None:
            pixels = self._pixels(pictures[position])
            if data is not None:
                data[position] = pixels
            return None if counts is None else counts.of(pixels)

        # closed here, where its threads can be waited for, also on the way of an error
        with closing(read_all(read, list(there), "reading pictures", verbose)) as outcomes:
            for position, outcome in zip(there, outcomes, strict=True):
                if isinstance(outcome, PictureError):
                    self._leave_out(estimator, pictures, position, outcome)
                elif counts is not None:
                    counts.add(outcome, weights[position])
        self._check_some_left(estimator, pictures)
        self._tell_left_out(len(pictures))
        if counts is not None:
            self._scaler = counts.standardiser()
            return self._pictures(pictures) if data is None else self._encoded(data)
        assert data is not None
        weights[[position for position, _ in self.left_out]] = 0.0
        self._fit_numbers(data, weights)
        return self._encoded(data)

    def _leave_out(
        self, estimator: Any, sources: Sequence[Any], position: int, error: PictureError
    ) -> None:
        if self.on_error == "raise":
            more = ' or pass on_error="skip"'
            raise self._fault(estimator, position, sources, error, more) from None
        source = sources[position]
        path = isinstance(source, (str, os.PathLike))
        name = os.fspath(source) if path else f"picture {position + 1}"
        self.left_out.append((position, f"{name} ({error.reason})"))

    def _check_some_left(self, estimator: Any, sources: Sequence[Any]) -> None:
        if len(self.left_out) == len(sources):
            raise ValueError(
                f"X of {owner_of(estimator)} must have a picture that can be read. Got "
                f"{len(sources)}, and none can: {self.left_out[0][1]}."
            )

    def _tell_left_out(self, count: int) -> None:
        if self.left_out:
            named = "; ".join(what for _, what in self.left_out[:_SHOWN])
            more = len(self.left_out) - _SHOWN
            self.notes.append(
                f"{len(self.left_out)} of {count} pictures cannot be read and are left out: "
                f"{named}{f'; and {more} more' if more > 0 else ''}"
            )

    def _decide(
        self,
        estimator: Any,
        sources: Sequence[Any],
        there: dict[int, Header],
        size: tuple[int, int] | None,
    ) -> None:
        """Size, channels and kind of all, from what each is."""
        headers = list(there.values())
        sizes = {header[:2] for header in headers}
        self.resizes = size is not None or len(sizes) > 1
        if size is None:
            heights, widths = zip(*(header[:2] for header in headers), strict=True)
            size = _middle(heights), _middle(widths)
            if len(sizes) > 1:
                low, high = min(sizes), max(sizes)
                self.notes.append(
                    f"pictures of {len(sizes)} sizes, {low[0]} x {low[1]} to {high[0]} x "
                    f"{high[1]}, are resized to their median, {size[0]} x {size[1]}; "
                    "image_size sets another"
                )
        kinds = {header.kind for header in headers}
        self.kind = next(kind for kind in ("float", "sixteen", "bytes") if kind in kinds)
        counts = [header.channels for header in headers]
        channels = max(set(counts), key=lambda n: (counts.count(n), n))
        self._shape = (*size, self._channels(channels))
        for position, header in there.items():
            try:
                check_alike(header, self._wanted, self.resizes, self.color != "auto")
            except PictureError as error:
                raise self._fault(estimator, position, sources, error) from None

    # -- for files ---------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one row: (H, W, C) or (L, C)."""
        return self._shape

    @property
    def n_features(self) -> int:
        return math.prod(self.shape)

    def describe(self) -> list[str]:
        kind = "signals" if len(self.shape) == 2 else "pictures"
        size = " x ".join(map(str, self.shape[:-1]))
        channels = self.shape[-1]
        return [
            f"{kind} of {size}, {channels} channel{'s' if channels > 1 else ''}"
            f"{', others are resized' if self.resizes else ''}"
        ] + [
            f"channel {c}: mean {m:.4g}, standard deviation {s:.4g}"
            for c, (m, s) in enumerate(zip(self._scaler.mean, self._scaler.scale, strict=True))
        ]

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        config = {
            "shape": list(self.shape),
            "kind": self.kind,
            "resizes": self.resizes,
            "names": self.names,
            "dtype": self.dtype.name,
        }
        return config, self._scaler.arrays()

    def from_state(self, config: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        self._shape = tuple(int(size) for size in config["shape"])
        self.kind, self.resizes = str(config["kind"]), bool(config["resizes"])
        self.names, self.dtype = config["names"], np.dtype(config["dtype"])
        self._scaler = Standardiser.from_arrays(arrays)
        return self


def _stacked(X: Any) -> Any:
    """`X` as an array where it is one, or a list of arrays of one shape."""
    array = plain_array(X)
    if isinstance(array, (list, tuple)) and len(array) and np.ndim(plain_array(array[0])) >= 2:
        array = np.stack([plain_array(row) for row in array])
    return array


def _check_finite(owner: str, array: np.ndarray) -> None:
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        row = int(np.argmin(np.isfinite(array.reshape(len(array), -1)).all(axis=1)))
        raise ValueError(f"X of {owner} must be finite. Got NaN or infinity in row {row}.")


def _middle(sizes: Sequence[int]) -> int:
    return sorted(sizes)[len(sizes) // 2]


def _size(size: Any, owner: str) -> tuple[int, int] | None:
    """`image_size` as (height, width)."""
    if size is None:
        return None
    both = size if isinstance(size, (tuple, list)) else (size, size)
    whole = (isinstance(n, (int, np.integer)) and not isinstance(n, bool) for n in both)
    if len(both) != 2 or not all(whole) or min(both) < 1:
        raise ValueError(
            f"image_size of {owner} must be a positive integer, or two: (height, width). "
            f"Got {shown(size)}."
        )
    return int(both[0]), int(both[1])
