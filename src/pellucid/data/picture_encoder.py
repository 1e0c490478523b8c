"""Pictures and signals as rows for a network."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self, final

import msgspec
import numpy as np
from sklearn.base import is_classifier

from pellucid.checks import file_name, one_of, printable, row_words, shown
from pellucid.data.column_values import plain_array
from pellucid.data.columns import blocks, one_feature, owner_of
from pellucid.data.encoder import Encoder, Reading
from pellucid.data.folders import files_below, list_pictures
from pellucid.data.layout import RowLayout
from pellucid.data.picture_sets import Counts, fault, read_all, sources_in
from pellucid.data.pictures import (
    COLORS,
    TYPES,
    Header,
    PictureError,
    check_alike,
    kind_of,
    read_header,
    read_picture,
    rescaled,
)
from pellucid.data.scaling import Standardiser
from pellucid.data.state import Count, FloatType, State, check_names
from pellucid.rows import DecodedPictures, Dense, Pictures, Rows

KEPT_BYTES = 128 << 20  # decoded pictures up to here are kept; of more, each epoch decodes anew
_SHOWN = 5  # at most so many of the pictures left out are named


@dataclass(eq=False)
class Sources:
    """Pictures or signals: one array of rows with channels last, or a list of pictures' sources.

    `names` are the columns' names of a table of signals.
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
        """The header of each picture, or the error; they are read once."""
        if self._headers is None:
            pictures = self.pictures
            task, positions = "looking at pictures", range(len(pictures))
            headers = read_all(
                lambda i: read_header(pictures[i]), positions, pictures, task, verbose
            )
            self._headers = list(headers)
        return self._headers


class _State(State, frozen=True):
    shape: Annotated[list[Count], msgspec.Meta(min_length=2, max_length=3)]
    kind: Literal["bytes", "sixteen", "float"]
    resizes: bool
    names: list[str] | None
    dtype: FloatType
    fills: bool = False


@final
class PictureEncoder(Encoder[Sources]):
    """Pictures (rows, height, width, channels) or signals (rows, length, channels), standardised.

    Each channel has one mean and one standard deviation, over all pixels of all rows.

    Parameters
    ----------
    image_size : int, (int, int) or None
        The size that all pictures get. None leaves pictures of one size as they are, and resizes
        those of several to their median.
    color : {"auto", "grey", "rgb"}
        What pictures are converted to; "auto" takes them as they are, all grey or all in colour.
    on_error : {"raise", "skip"}
        What `fit` does with pictures that cannot be read.
    signals : bool or "auto"
        Whether an X of rank 3 is signals (rows, length, channels), not grey pictures (rows, height,
        width). "auto" takes numbers that are no levels of 8 or 16 bits for signals where they are
        at least twice as long as wide.

    Attributes
    ----------
    kind : str
        "bytes" or "sixteen" (levels of 8 or 16 bits), or "float" (numbers as they are).
    resizes : bool
        Whether pictures of another size are resized.
    names : list of str or None
        The columns' names, if signals came as a table that had them.
    fills : bool
        Whether shorter signals are filled up at their end, with each channel's mean.
    """

    _shape: tuple[int, ...]
    fills: bool = False

    def __init__(
        self,
        image_size: Any = None,
        color: str = "auto",
        on_error: str = "raise",
        signals: bool | str = False,
    ) -> None:
        self.image_size, self.color, self.on_error = image_size, color, on_error
        self.signals = signals
        self.left_out: list[tuple[int, str]] = []
        self.notes: list[str] = []

    def labelled(self, estimator: Any, X: Any, y: Any, least: int = 1) -> tuple[Any, Any]:
        """The paths and classes of a folder that has one folder a class, where `y` is None."""
        if not isinstance(X, (str, os.PathLike)):
            return X, y
        names_classes = is_classifier(estimator)
        if y is not None or not names_classes:
            way_out = (
                "Leave y out, where the names of its folders are the classes, or list its pictures"
                " with pellucid.list_pictures(folder)"
                if names_classes
                else "List its pictures, as with pellucid.data.files_below(folder)"
            )
            raise ValueError(
                f"X of {owner_of(estimator)} must be pictures or a list of their paths, one for "
                f"each entry of y. Got the one path {file_name(X)}. {way_out}."
            )
        if not os.path.lexists(X):
            raise FileNotFoundError(
                f"the folder {file_name(X)} does not exist. Name a folder that has one folder a "
                "class, or pass arrays and y."
            )
        return list_pictures(X, least)

    def _read(self, estimator: Any, X: Any, learn: bool) -> Reading[Sources]:
        owner = owner_of(estimator)
        if isinstance(X, (str, os.PathLike)):
            X = _pictures_below(owner, X)
        filled = self._filled(owner, X, learn)
        listed = None if filled is not None else sources_in(X)
        if listed is not None:
            if learn and self.signals is True:
                raise ValueError(
                    f"X of {owner} must be signals, of shape (rows, length, channels), where "
                    "signals is True. Got pictures. Leave signals=True out."
                )
            return Reading(Sources(listed=listed), RowLayout(len(listed)))
        array, names = _stacked(X) if filled is None else filled, None
        if not learn and getattr(array, "ndim", 0) in (2, 3) and array.shape == self._one_picture:
            raise ValueError(
                f"X of {owner} must be pictures, of shape (rows, {str(self.shape)[1:]}. Got one "
                f"picture of shape {array.shape}. Pass [X]."
            )
        if not isinstance(array, np.ndarray) or array.ndim < 3:
            array, names = one_feature(estimator, X, learn)
        elif array.ndim > 4 or array.dtype.kind not in "biuf" or not array.size:
            raise ValueError(
                f"X of {owner} must be signals of shape (rows, length), pictures of "
                "shape (rows, height, width) or (rows, height, width, channels), or a list of "
                f"pictures. Got {array.dtype} of shape {array.shape}."
            )
        else:
            if filled is None:
                _check_finite(owner, array)
            if filled is None and not self._is_signals(owner, array, learn):
                array = array if array.ndim == 4 else array[..., None]
            elif kind_of(array) != "float":
                array = array.astype(np.float32)  # exact: signals have no levels
        return Reading(Sources(array, names=names), RowLayout(len(array)))

    def _is_signals(self, owner: str, array: np.ndarray, learn: bool) -> bool:
        """Whether an array of rank 3 or 4 is signals: as in fit, as was said, or by its shape."""
        if not learn:
            return array.ndim == 3 and len(self.shape) == 2
        if array.ndim == 4:
            if self.signals is True:
                raise ValueError(
                    f"X of {owner} must be signals, of shape (rows, length, channels), where "
                    f"signals is True. Got {array.dtype} of shape {array.shape}. Leave "
                    "signals=True out for pictures."
                )
            return False
        if self.signals != "auto":
            return bool(self.signals)
        _, length, channels = array.shape
        signals = kind_of(array) == "float" and _is_long(length, channels)
        if signals:
            self.notes.append(
                f"X is read as signals of {length} steps and {channels} "
                f"channel{'s' if channels > 1 else ''}; signals=False reads grey pictures"
            )
        elif _is_long(channels, length) and kind_of(array) == "float":
            self.notes.append(
                f"X is read as grey pictures of {length} x {channels}; signals have their channels "
                "last, as X.transpose(0, 2, 1)"
            )
        return signals

    def _filled(self, owner: str, X: Any, learn: bool) -> np.ndarray | None:
        """Signals of unequal lengths as one array, with NaN behind their ends; None of all else.

        NaN is the mean once it is standardised, and is no part of mean and deviation.
        """
        if not learn and not self.fills:
            return None
        arrays = _listed_signals(X, stacked=not learn)
        if not arrays:
            return None
        lengths = [len(array) for array in arrays]
        channels = arrays[0].shape[1]
        if learn:
            flat = _rank(next(iter(X))) == 1
            alike = len({array.shape[1] for array in arrays}) == 1
            usual = sorted(lengths)[len(lengths) // 2]
            if len(set(lengths)) == 1 or not (
                flat or self.signals is True
                or (self.signals == "auto" and alike and _is_long(usual, channels))
            ):  # fmt: skip
                return None
            longest = max(lengths)
        else:
            longest, channels = self.shape
        for position, array in enumerate(arrays):
            if array.shape[1] != channels or not len(array):
                raise ValueError(
                    f"signal {position} of X of {owner} must have at least one step of {channels} "
                    f"channel{'s' if channels > 1 else ''}, the last axis. Got shape {array.shape}."
                )
            if not np.isfinite(array).all():
                raise ValueError(
                    f"X of {owner} must be finite. Got NaN or infinity in signal {position}."
                )
            if len(array) > longest:
                raise ValueError(
                    f"signal {position} of X of {owner} must have at most {longest} steps, as the "
                    f"longest in fit. Got {len(array)}. Cut it, as [x[:{longest}] for x in X]."
                )
        if learn:
            self.fills = True
            self.notes.append(
                f"signals of {min(lengths)} to {longest} steps are filled up to {longest} with the "
                "mean"
            )
        filled = np.full((len(arrays), longest, channels), np.nan)
        for row, array in zip(filled, arrays, strict=True):
            row[: len(array)] = array
        return filled

    def learn(self, estimator: Any, reading: Reading[Sources], weights: Any, dtype: Any) -> Rows:
        owner, sources = owner_of(estimator), reading.content
        one_of("color", owner, self.color, COLORS)
        one_of("on_error", owner, self.on_error, ("raise", "skip"))
        self.dtype, size = np.dtype(dtype), _size(self.image_size, owner)
        self.names, array = sources.names, sources.array
        if array is None or (array.ndim == 4 and array.shape[1:] != self._converted(array, size)):
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

    def readable(self, estimator: Any, sources: Sequence[Any]) -> np.ndarray:
        """Which of further pictures can be used, as bools; all must be, unless `on_error` skips."""
        task, able = "reading pictures", np.ones(len(sources), dtype=bool)
        outcomes = read_all(
            lambda i: self._pixels(sources[i]), range(len(sources)), sources, task, 0
        )
        with closing(outcomes):
            for position, pixels in enumerate(outcomes):
                if isinstance(pixels, PictureError):
                    if self.on_error == "raise":
                        raise self._fault(estimator, position, sources, pixels)
                    able[position] = False
        return able

    # -- arrays ------------------------------------------------------------------------------

    def _converted(self, array: np.ndarray, size: tuple[int, int] | None) -> tuple[int, ...]:
        """The shape that the pictures of `array` get."""
        return (*(size or array.shape[1:-1]), self._channels(array.shape[-1]))

    def _learn_array(self, data: np.ndarray, weights: np.ndarray | None) -> Rows:
        self._shape, self.resizes = data.shape[1:], self.image_size is not None
        self.kind = kind_of(data)
        if self.kind == "float":
            self._fit_numbers(data, weights)
        else:
            counts = Counts(self._levels, self.shape[-1])
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

    @property
    def _levels(self) -> int:
        """256 or 65536."""
        return 1 << 8 * np.dtype(TYPES[self.kind]).itemsize

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
        """The standardised number of each level of each channel, (levels, channels)."""
        levels = np.arange(self._levels, dtype=np.float64)
        table = np.empty((self._levels, self.shape[-1]), dtype=self.dtype)
        self._scaler.transform(np.repeat(levels[:, None], self.shape[-1], axis=1), table)
        return table

    # -- sources -----------------------------------------------------------------------------

    @staticmethod
    def _fault(
        estimator: Any, position: int, sources: Sequence[Any], error: PictureError, more: str = ""
    ) -> ValueError:
        """The error about one picture; it names only parameters that `estimator` has."""
        if not hasattr(estimator, "image_size"):
            error, more = PictureError(error.reason), ""
        return fault(position, sources, error, f"Remove it{more}")

    def _channels(self, count: int) -> int:
        """How many channels a picture of `count` channels gets."""
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
        """Read all headers, choose size, channels and kind, and decode the pictures once."""
        pictures, verbose = sources.pictures, getattr(estimator, "verbose", 0)
        weights = np.ones(len(pictures)) if weights is None else weights.copy()
        headers: dict[int, Header] = {}
        for position, header in enumerate(sources.headers(verbose)):
            if isinstance(header, PictureError):
                self._leave_out(estimator, pictures, position, header)
            else:
                headers[position] = header
        self._check_some_left(estimator, pictures)
        self._choose_shape(estimator, pictures, headers, size)
        shape, dtype = (len(pictures), *self.shape), np.dtype(TYPES[self.kind])
        keeps = self.kind == "float" or math.prod(shape) * dtype.itemsize <= KEPT_BYTES
        data = np.zeros(shape, dtype=dtype) if keeps else None
        counts = None if self.kind == "float" else Counts(self._levels, self.shape[-1])

        def read(position: int) -> np.ndarray | None:
            pixels = self._pixels(pictures[position])
            if data is not None:
                data[position] = pixels
            return None if counts is None else counts.of(pixels)

        # closed here, so that its threads end before an error goes on
        task = "reading pictures"
        with closing(read_all(read, list(headers), pictures, task, verbose)) as outcomes:
            for position, outcome in zip(headers, outcomes, strict=True):
                if isinstance(outcome, PictureError):
                    self._leave_out(estimator, pictures, position, outcome)
                elif counts is not None:
                    counts.add(outcome, weights[position])
        self._check_some_left(estimator, pictures)
        if self.left_out:
            named = "; ".join(reason for _, reason in self.left_out[:_SHOWN])
            more = len(self.left_out) - _SHOWN
            self.notes.append(
                f"{len(self.left_out)} of {len(pictures)} pictures cannot be read and are left "
                f"out: {named}{f'; and {more} more' if more > 0 else ''}"
            )
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
        name = printable(source) if path else f"picture {position + 1}"
        self.left_out.append((position, f"{name} ({error.reason})"))

    def _check_some_left(self, estimator: Any, sources: Sequence[Any]) -> None:
        if len(self.left_out) == len(sources):
            raise ValueError(
                f"X of {owner_of(estimator)} must have a picture that can be read. Got "
                f"{len(sources)}, and none can: {self.left_out[0][1]}."
            )

    def _choose_shape(
        self, estimator: Any, sources: Sequence[Any], headers: dict[int, Header], size: Any
    ) -> None:
        """Choose the size, channels and kind of all pictures from their `headers` by position."""
        heights, widths, counts, kinds = zip(*headers.values(), strict=True)
        sizes = set(zip(heights, widths, strict=True))
        self.resizes = size is not None or len(sizes) > 1
        if size is None:
            middle = len(headers) // 2
            size = sorted(heights)[middle], sorted(widths)[middle]
            if len(sizes) > 1:
                low, high = min(sizes), max(sizes)
                self.notes.append(
                    f"pictures of {len(sizes)} sizes, {low[0]} x {low[1]} to {high[0]} x "
                    f"{high[1]}, are resized to their median, {size[0]} x {size[1]}; "
                    "image_size sets another"
                )
        self.kind = next(kind for kind in ("float", "sixteen", "bytes") if kind in kinds)
        channels = max(set(counts), key=lambda n: (counts.count(n), n))
        self._shape = (*size, self._channels(channels))
        for position, header in headers.items():
            try:
                check_alike(header, self._wanted, self.resizes, self.color != "auto")
            except PictureError as error:
                raise self._fault(estimator, position, sources, error) from None

    # -- the protocol's other methods ----------------------------------------------------------

    @property
    def domain(self) -> str:  # type: ignore[override]
        """Pictures, or signals."""
        return "signals" if len(self.shape) == 2 else "pictures"

    @property
    def shape(self) -> tuple[int, ...]:
        """(H, W, C) or (L, C)."""
        return self._shape

    @property
    def _one_picture(self) -> tuple[int, ...] | None:
        """The shape of one picture as an array has it, None of signals."""
        if len(self.shape) == 2:
            return None
        return self.shape[:2] if self.shape[2] == 1 else self.shape

    @property
    def parameters(self) -> dict[str, Any]:
        return super().parameters | {"color": self.color}

    @property
    def n_features(self) -> int:
        return math.prod(self.shape)

    def describe(self) -> list[str]:
        size = " x ".join(map(str, self.shape[:-1]))
        channels = self.shape[-1]
        return [
            f"{self.domain} of {size}, {channels} channel{'s' if channels > 1 else ''}"
            f"{', others are resized' if self.resizes else ''}"
            f"{', shorter ones are filled up' if self.fills else ''}"
        ] + [
            f"channel {c}: mean {m:.4g}, standard deviation {s:.4g}"
            for c, (m, s) in enumerate(zip(self._scaler.mean, self._scaler.scale, strict=True))
        ]

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        return {
            "shape": list(self.shape),
            "kind": self.kind,
            "resizes": self.resizes,
            "names": self.names,
            "dtype": self.dtype.name,
            **({"fills": True} if self.fills else {}),
        }, self._scaler.arrays()

    def from_state(self, config: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        state = _State.of(config, "the encoder of pictures")
        self._shape, self.kind, self.resizes = tuple(state.shape), state.kind, state.resizes
        self.names, self.dtype, self.fills = state.names, np.dtype(state.dtype), state.fills
        channels = self.shape[-1]
        if len(self.shape) == 3 and self._channels(channels) != channels:
            raise ValueError(
                f"pictures of color {self.color!r} must be so. Got {channels} channels."
            )
        if self.fills and len(self.shape) == 3:
            raise ValueError("what is filled up at its end must be signals. Got pictures.")
        check_names("a table's columns", self.names, self.shape[0])
        self._scaler = Standardiser.from_arrays(arrays, channels)
        return self


def _pictures_below(owner: str, folder: str | os.PathLike[str]) -> list[str]:
    """The paths of all pictures in a folder and those below, in the order of their names."""
    if os.path.isfile(folder):
        raise ValueError(
            f"X of {owner} must be pictures, a list of their paths, or a folder. Got the one file "
            f"{file_name(folder)}. Pass [X]."
        )
    paths = files_below(folder)
    if not paths:
        raise ValueError(
            f"X of {owner} must be a folder with pictures in it. Got {file_name(folder)}, which "
            "has none."
        )
    return paths


def _stacked(X: Any) -> Any:
    """`X` as an array where it is one, or a list of arrays of one shape; a DataFrame as it is."""
    import narwhals as nw

    if nw.dependencies.is_into_dataframe(X):
        return X
    array = plain_array(X)
    if isinstance(array, (list, tuple)) and len(array) and np.ndim(plain_array(array[0])) >= 2:
        array = np.stack([plain_array(row) for row in array])
    return array


def _rank(value: Any) -> int:
    """How many axes one row of a list has; -1 where it is no array of numbers."""
    array = plain_array(value)
    if isinstance(array, (list, tuple)):
        return 1 if all(isinstance(number, (int, float)) for number in array) else -1
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "biuf":
        return -1
    return array.ndim


def _listed_signals(X: Any, stacked: bool) -> list[np.ndarray] | None:
    """The signals (length, channels) of a list of arrays or numbers, None of anything else.

    An array is a list of its rows, if those that are `stacked` count.
    """
    import narwhals as nw

    if nw.dependencies.is_into_dataframe(X):
        return None
    array = plain_array(X)
    if isinstance(array, np.ndarray):
        if array.ndim not in ((2, 3) if stacked and array.dtype != object else (1,)):
            return None
    elif not isinstance(array, (list, tuple)):
        return None
    ranks = {_rank(signal) for signal in array}
    if ranks not in ({1}, {2}):
        return None
    signals = [np.asarray(plain_array(signal)) for signal in array]
    if ranks == {2} and any(kind_of(signal) != "float" for signal in signals):
        return None
    return [signal[:, None] if signal.ndim == 1 else signal for signal in signals]


def _is_long(length: int, channels: int) -> bool:
    """Whether a map is as long as a signal and as narrow as its channels, and no usual picture."""
    return length >= 2 * channels


def _check_finite(owner: str, array: np.ndarray) -> None:
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        row = int(np.argmin(np.isfinite(array.reshape(len(array), -1)).all(axis=1)))
        raise ValueError(f"X of {owner} must be finite. Got NaN or infinity in {row_words(row)}.")


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
