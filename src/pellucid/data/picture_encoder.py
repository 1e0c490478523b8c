"""Pictures and signals as rows for a network."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from typing import Annotated, Any, Literal, Self, final

import msgspec
import numpy as np
from sklearn.base import is_classifier

from pellucid.checks import (
    file_name,
    one_of,
    printable,
    size_in_bytes,
    warn,
)
from pellucid.data.columns import blocks, one_feature, owner_of
from pellucid.data.encoder import Encoder, Part, Reading
from pellucid.data.folders import Split, list_pictures
from pellucid.data.layout import RowLayout
from pellucid.data.picture_choice import MOST_PIXELS, Choice, converted_channels, usual_size
from pellucid.data.picture_sets import (
    Counts,
    PictureWarnings,
    fault,
    is_path,
    left_out_words,
    read_all,
    short_name,
    sources_in,
    which,
)
from pellucid.data.picture_sources import (
    Sources,
    check_finite,
    is_one_picture,
    look_at_axes,
    pictures_below,
    size_of,
    stacked,
)
from pellucid.data.pictures import (
    COLORS,
    RESIZES,
    TYPES,
    WHITES,
    Header,
    PictureError,
    Wanted,
    check_alike,
    digest_of,
    is_image,
    kind_of,
    read_picture,
    rescaled,
)
from pellucid.data.pillow_warnings import heard
from pellucid.data.pixel_range import PixelRange
from pellucid.data.scaling import Standardiser
from pellucid.data.signals import fill_as_learned, fill_to_learn, is_long
from pellucid.data.state import Count, FloatType, State, check_names
from pellucid.memory import check_memory
from pellucid.rows import DecodedPictures, Dense, Pictures, Rows

_DARK = "far darker than those of fit: is it in the same units"
CACHE_SIZE = "128MB"  # decoded pictures up to here are kept by default


class _State(State, frozen=True):
    shape: Annotated[list[Count], msgspec.Meta(min_length=2, max_length=3)]
    kind: Literal["bytes", "sixteen", "float"]
    resizes: bool
    names: list[str] | None
    dtype: FloatType
    fills: bool = False
    low: float | None = None
    high: float | None = None
    white: float | None = None


@final
class PictureEncoder(Encoder[Sources]):
    """Pictures (rows, height, width, channels) or signals (rows, length, channels), standardised.

    Each channel has one mean and one standard deviation, over all pixels of all rows.

    Parameters
    ----------
    image_size : int, (int, int) or None
        The size that all pictures get. None leaves pictures of one size as they are, and resizes
        those of several to their median, both to 128 x 128 pixels at most.
    color : {"auto", "grey", "rgb"}
        What pictures are converted to; "auto" makes all as most of them are.
    on_error : {"raise", "skip"}
        What `fit` does with pictures that cannot be used.
    resize : {"stretch", "pad", "crop"}
        How a picture of other proportions is resized: out of proportion, with black at two sides,
        or cut off at two sides.
    cache_size : int or str
        Up to how many bytes decoded pictures are kept, as 10**9 or "1GB"; of more, each epoch
        decodes anew.
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
    range : PixelRange or None
        Which numbers the pictures of fit held; None of signals, and of older models, whose files
        do not say it.
    names : list of str or None
        The columns' names, if signals came as a table that had them.
    fills : bool
        Whether shorter signals are filled up at their end, with each channel's mean.
    """

    _shape: tuple[int, ...]
    fills: bool = False
    range: PixelRange | None = None
    resize: str = "stretch"  # of models pickled before there was a choice
    cache_size: int | str = CACHE_SIZE

    def __init__(
        self,
        image_size: Any = None,
        color: str = "auto",
        on_error: str = "raise",
        signals: bool | str = False,
        resize: str = "stretch",
        cache_size: int | str = CACHE_SIZE,
    ) -> None:
        self.image_size, self.color, self.on_error = image_size, color, on_error
        self.signals, self.resize, self.cache_size = signals, resize, cache_size
        self.left_out: list[tuple[int, str]] = []
        self.notes: list[str] = []

    def labelled(
        self, estimator: Any, X: Any, y: Any, part: Part = "test", least: int = 1
    ) -> tuple[Any, Any]:
        """The paths and classes of a folder that has one folder a class, where `y` is None.

        Of one that has ``train/`` and ``test/`` it is one of the two, by what is to be done.
        """
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
        split = Split.of(X)
        if split is None:
            return list_pictures(X, least)
        if part == "learn" and split.note not in self.notes:
            self.notes.append(split.note)
        if part == "learn" and split.to_watch is not None:
            self.watched = list_pictures(split.to_watch, 1)
        return list_pictures(split.part(part), least)

    def _read(self, estimator: Any, X: Any, learn: bool) -> Reading[Sources]:
        owner = owner_of(estimator)
        if isinstance(X, (str, os.PathLike)):
            X = pictures_below(owner, X)
        if is_image(X):
            raise ValueError(
                f"X of {owner} must be a list of pictures. Got one image of Pillow's. Pass [X]."
            )
        filled = self._filled(owner, X, learn)
        listed = None if filled is not None else sources_in(X)
        if listed is not None:
            if learn and self.signals is True:
                raise ValueError(
                    f"X of {owner} must be signals, of shape (rows, length, channels), where "
                    "signals is True. Got pictures. Leave signals=True out."
                )
            return Reading(Sources(listed=listed), RowLayout(len(listed)))
        array, names = stacked(owner, X) if filled is None else filled, None
        if not learn and getattr(array, "ndim", 0) in (2, 3) and array.shape == self._one_picture:
            raise ValueError(
                f"X of {owner} must be pictures, of shape (rows, {str(self.shape)[1:]}. Got one "
                f"picture of shape {array.shape}. Pass [X]."
            )
        if not isinstance(array, np.ndarray) or array.ndim < 3:
            array, names = one_feature(estimator, X, learn)
        elif not len(array):
            raise ValueError(f"X of {owner} must have at least one row. Got shape {array.shape}.")
        elif array.ndim > 4 or array.dtype.kind not in "biuf" or not array.size:
            raise ValueError(
                f"X of {owner} must be signals of shape (rows, length), pictures of "
                "shape (rows, height, width) or (rows, height, width, channels), or a list of "
                f"pictures. Got {array.dtype} of shape {array.shape}."
            )
        else:
            if filled is None:
                check_finite(owner, array)
            if filled is None and not self._is_signals(owner, array, learn):
                array = array if array.ndim == 4 else array[..., None]
                if learn:
                    look_at_axes(owner, array)
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
        signals = kind_of(array) == "float" and is_long(length, channels)
        if signals:
            self.notes.append(
                f"X is read as signals of {length} steps and {channels} "
                f"channel{'s' if channels > 1 else ''}; signals=False reads grey pictures"
            )
        elif is_long(channels, length) and kind_of(array) == "float":
            self.notes.append(
                f"X is read as grey pictures of {length} x {channels}; signals have their channels "
                "last, as X.transpose(0, 2, 1)"
            )
        return signals

    def _filled(self, owner: str, X: Any, learn: bool) -> np.ndarray | None:
        """Signals of unequal lengths as one array, filled up at their ends; None of all else."""
        if not learn:
            return fill_as_learned(owner, X, self.shape) if self.fills else None
        filled = fill_to_learn(owner, X, self.signals)
        if filled is None:
            return None
        self.fills = True
        self.notes.append(filled.note)
        return filled.array

    def learn(self, estimator: Any, reading: Reading[Sources], weights: Any, dtype: Any) -> Rows:
        owner, sources = owner_of(estimator), reading.content
        size, array = self._begin(estimator, reading, dtype), sources.array
        if array is None or (
            array.ndim == 4 and array.shape[1:] != self._made(estimator, array, size)
        ):
            encoded = self._learn_sources(estimator, sources, size, weights)
        elif array.ndim == 3 and size is not None:
            raise ValueError(
                f"image_size of {owner} must be None for signals. Got {self.image_size}."
            )
        else:
            encoded = self._learn_array(array, weights)
        self.name_features(estimator)
        return encoded

    def _begin(
        self, estimator: Any, reading: Reading[Sources], dtype: Any
    ) -> tuple[int, int] | None:
        """Check the parameters before anything is learned; the size that pictures are to get."""
        self.dtype, self.names, self.range = np.dtype(dtype), reading.content.names, None
        size: tuple[int, int] | None = self.choices(estimator)["image_size"]
        return size

    def encode(self, estimator: Any, reading: Reading[Sources]) -> Rows:
        sources = self._alike(estimator, reading.content)
        if sources.array is not None:
            return self._encoded(sources.array)
        pictures, faults = sources.pictures, sources.faults
        for position, header in enumerate(sources.headers(getattr(estimator, "verbose", 0))):
            try:
                if isinstance(header, PictureError):
                    raise header
                check_alike(header, self._wanted)
                self._look_at(header, position, sources.warned)
            except PictureError as error:
                if faults is None:
                    raise self._fault(estimator, position, pictures, error) from None
                faults[position] = error.bare
        sources.warned.tell(faults or ())
        if self.kind != "float":
            return self._pictures(pictures, faults)
        shape = (len(pictures), *self.shape)
        check_memory("X, as decoded pictures,", math.prod(shape), np.float32, "Pass fewer.")
        data = np.zeros(shape, dtype=np.float32)
        outcomes = self._decoded(estimator, sources, range(len(pictures)), data, "reading pictures")
        with closing(outcomes):
            for position, outcome in enumerate(outcomes):
                if isinstance(outcome, PictureError):
                    if faults is None:
                        raise self._fault(estimator, position, pictures, outcome)
                    faults[position] = outcome
        return self._encoded(data)

    def read_some(self, estimator: Any, X: Any) -> tuple[Reading[Sources], dict[int, PictureError]]:
        """Further pictures of which some may be unusable, and why those are, by position.

        That is known once the pictures are predicted; what is predicted for them means nothing.
        """
        reading, faults = self.read(estimator, X), dict[int, PictureError]()
        reading.content.faults = faults
        return reading, faults

    def usable(
        self, estimator: Any, reading: Reading[Sources], skip: bool
    ) -> tuple[Reading[Sources], np.ndarray | None, list[str]]:
        sources = self._alike(estimator, reading.content)
        if sources.array is not None:
            return reading, None, []
        pictures = sources.pictures
        shape, dtype = (len(pictures), *self.shape), np.dtype(TYPES[self.kind])
        data = np.zeros(shape, dtype=dtype) if self._keeps(estimator, shape, dtype) else None
        for position, header in enumerate(sources.headers(getattr(estimator, "verbose", 0))):
            if isinstance(header, Header):
                self._look_at(header, position, sources.warned)
        able, wrong = np.ones(len(pictures), dtype=bool), list[str]()
        task = "reading further pictures"
        outcomes = self._decoded(estimator, sources, range(len(pictures)), data, task)
        with closing(outcomes):
            for position, outcome in enumerate(outcomes):
                if isinstance(outcome, PictureError):
                    if not skip:
                        more = ' or pass on_error="skip"'
                        raise self._fault(estimator, position, pictures, outcome, more)
                    able[position] = False
                    wrong.append(f"{short_name(position, pictures)} ({outcome.reason})")
        sources.warned.tell(np.flatnonzero(~able).tolist())
        kept = [picture for picture, use in zip(pictures, able, strict=True) if use]
        if data is not None:
            made = Sources(data if able.all() else data[able], listed=kept, right=True)
        else:
            made = Sources(listed=kept, right=True)
        return Reading(made, RowLayout(len(kept))), None if able.all() else able, wrong

    def _alike(self, estimator: Any, sources: Sources) -> Sources:
        """Further pictures with numbers like those of training, one array if it is encoded so."""
        if sources.right:
            return sources
        data = sources.array
        if data is not None:
            self._check_shape(estimator, data)
            if self.range is not None:
                (data,) = self.range.put_right(estimator, [data])
            if data.shape[1:] == self.shape:
                return Sources(data, right=True)
            listed = list(self._as_kind(data))
            return Sources(listed=listed, faults=sources.faults, right=True)
        if len(self.shape) == 2:
            raise ValueError(
                f"X of {owner_of(estimator)} must be signals, as in fit. Got pictures."
            )
        if self.range is not None:
            sources.listed = self._put_right(estimator, sources.listed)
        sources.right = True
        return sources

    def _is_dark(self, pixels: np.ndarray) -> bool:
        """Whether a further picture may be of other units; one that must be is a PictureError."""
        if self.kind == "float" or self.range is None:
            return False
        return self.range.check_picture(pixels)

    def _keeps(self, estimator: Any, shape: tuple[int, ...], dtype: np.dtype) -> bool:
        """Whether so many decoded pictures are kept in memory."""
        if self.kind == "float":
            check_memory("X, as decoded pictures,", math.prod(shape), dtype, "Set image_size.")
            return True
        most = size_in_bytes("cache_size", owner_of(estimator), self.cache_size)
        return math.prod(shape) * dtype.itemsize <= most

    def _decoded(
        self,
        estimator: Any,
        sources: Sources,
        positions: Sequence[int],
        data: np.ndarray | None,
        task: str,
        tally: Callable[[np.ndarray], Any] = lambda pixels: None,
    ) -> Generator[Any, None, None]:
        """What `tally` says of each picture, or its PictureError; `data` gets the pixels."""
        pictures, wanted = sources.pictures, self._wanted

        def read(position: int) -> Any:
            pixels = read_picture(pictures[position], wanted)
            if self._is_dark(pixels):
                sources.warned.add(position, _DARK)
            if data is not None:
                data[position] = pixels
            return tally(pixels)

        return read_all(read, positions, sources.warned, task, getattr(estimator, "verbose", 0))

    def _check_shape(self, estimator: Any, data: np.ndarray) -> None:
        """Refuse an array that is not, and cannot be made, of the shape of training."""
        shape = data.shape[1:]
        same = self.resizes or shape[:-1] == self.shape[:-1]
        grey = shape[-1] == 1 and self.shape[-1] == 3  # which any colour can be made of
        if shape == self.shape or (
            same and data.ndim == 4 == len(self.shape) + 1
            and (grey or self._channels(shape[-1]) == self.shape[-1])
        ):  # fmt: skip
            return
        turned = data.ndim == 4 and (*shape[1:], shape[0]) == self.shape
        way_out = " Pass X.transpose(0, 2, 3, 1)." if turned else ""
        raise ValueError(
            f"X of {owner_of(estimator)} must have rows of shape {self.shape}, as in fit. "
            f"Got {shape}.{way_out}"
        )

    def _put_right(self, estimator: Any, listed: Sequence[Any]) -> Sequence[Any]:
        """The pictures, arrays among them with numbers like those of training."""
        assert self.range is not None
        places = [
            i for i, one in enumerate(listed) if isinstance(one, np.ndarray) and is_one_picture(one)
        ]
        if not places:
            return listed
        listed = list(listed)
        for place, array in zip(
            places, self.range.put_right(estimator, [listed[i] for i in places]), strict=True
        ):
            listed[place] = self._as_kind(array)
        return listed

    def _as_kind(self, array: np.ndarray) -> np.ndarray:
        """Numbers between levels as the nearest level, where pictures are levels."""
        if self.kind == "float" or kind_of(array) != "float":
            return array
        return np.rint(np.clip(array, 0, WHITES[self.kind])).astype(TYPES[self.kind])

    def _look_at(self, header: Header, position: int, warned: PictureWarnings) -> None:
        """Note what is done to a further picture that was done to none in training."""
        if header.channels != self.shape[2] and self.color == "auto":
            were, become = ("grey", "colour") if header.channels == 1 else ("in colour", "grey")
            warned.add(position, f"{were}, and converted to {become} as those of fit are")
        if header.narrowed:
            warned.add(position, "of 16 bits a channel, of which Pillow reads 8")

    # -- arrays ------------------------------------------------------------------------------

    def _made(
        self, estimator: Any, array: np.ndarray, size: tuple[int, int] | None
    ) -> tuple[int, ...]:
        """The shape that the pictures of `array` get."""
        height, width, channels = array.shape[1:]
        size = size or usual_size(height, width, _most_pixels(estimator))
        return (*size, self._channels(channels))

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
            self.range = PixelRange.of(self.kind, *counts.range)
        return self._encoded(data)

    def _fit_numbers(self, data: np.ndarray, weights: np.ndarray | None) -> None:
        if len(self.shape) == 3:
            used = data if weights is None or (weights > 0).all() else data[weights > 0]
            self.range = PixelRange.of(self.kind, used.min(), used.max())
        if weights is not None:
            weights = np.repeat(weights, math.prod(self.shape[:-1]))
        self._scaler = Standardiser().fit(data.reshape(-1, self.shape[-1]), weights)

    def pixels(self, estimator: Any, reading: Reading[Sources]) -> np.ndarray:
        """Further pictures or signals in the size that the network reads, not yet scaled.

        Levels are those of training, uint8 or uint16; others between them become the nearest.
        """
        sources = self._alike(estimator, reading.content)
        if sources.array is None:
            return np.stack([read_picture(one, self._wanted) for one in sources.pictures])
        if len(self.shape) == 2:
            return sources.array
        return self._as_kind(rescaled(sources.array, self._wanted))

    @property
    def _levels(self) -> int:
        """256 or 65536."""
        return 1 << 8 * np.dtype(TYPES[self.kind]).itemsize

    def _encoded(self, data: np.ndarray) -> Rows:
        """Levels with their table, or numbers standardised."""
        if len(self.shape) == 3:
            data = rescaled(data, self._wanted)
        if self.kind != "float" and data.dtype == TYPES[self.kind]:
            return Pictures(self.value_table, np.ascontiguousarray(data))
        encoded = np.empty(data.shape, dtype=self.dtype)
        channels = self.shape[-1]
        self._scaler.transform(data.reshape(-1, channels), encoded.reshape(-1, channels))
        return Dense(encoded)

    @property
    def value_table(self) -> np.ndarray:
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
        way_out = f"{error.way_out or 'Remove it'}{more}"
        if not hasattr(estimator, "image_size"):
            way_out = "Remove it"
        return fault(position, sources, PictureError(error.reason), way_out)

    def _channels(self, count: int) -> int:
        """How many channels a picture of `count` channels gets."""
        return converted_channels(count, self.color)

    @property
    def _wanted(self) -> Wanted:
        height, width, channels = self.shape
        white = None if self.range is None else self.range.white
        resize = self.resize if self.resizes else None
        return Wanted(height, width, channels, self.kind, resize, white)

    def _pictures(
        self, sources: Sequence[Any], faults: dict[int, PictureError] | None = None
    ) -> DecodedPictures:
        """The pictures, to be decoded when they are wanted."""
        decode, positions = self._decoder(sources, faults), np.arange(len(sources))
        return DecodedPictures(
            self.value_table, positions, self.shape, decode, lambda place: digest_of(sources[place])
        )

    def _decoder(
        self, sources: Sequence[Any], faults: dict[int, PictureError] | None
    ) -> Callable[[int], np.ndarray]:
        """What decodes the picture at a position; black where `faults` say why it cannot."""
        wanted, black = self._wanted, np.zeros(self.shape, dtype=TYPES[self.kind])
        dark: list[int] = []  # the first that may be of other units

        def decode(position: int) -> np.ndarray:
            if faults and position in faults:
                return black
            try:
                with heard(lambda message: None):  # what it warns of was told before
                    pixels = read_picture(sources[position], wanted)
                if self._is_dark(pixels) and not dark:
                    dark.append(position)
                    warn(f"{which(position, sources).rstrip(',')}: {_DARK}.")
                return pixels
            except PictureError as error:
                if faults is None:
                    raise fault(position, sources, error, "Put it right") from None
                faults[position] = error.bare
                return black

        return decode

    def _learn_sources(
        self, estimator: Any, sources: Sources, size: tuple[int, int] | None, weights: Any
    ) -> Rows:
        """Read all headers, choose size, channels and kind, and decode the pictures once."""
        pictures = sources.pictures
        weights = np.ones(len(pictures)) if weights is None else weights.copy()
        readable = self._looked_at(estimator, sources, size)
        shape, dtype = (len(pictures), *self.shape), np.dtype(TYPES[self.kind])
        data = np.zeros(shape, dtype=dtype) if self._keeps(estimator, shape, dtype) else None
        self._count(estimator, sources, readable, weights, data)
        if self.kind != "float":
            return self._pictures(pictures) if data is None else self._encoded(data)
        assert data is not None
        self._fit_numbers(data, weights)
        return self._encoded(data)

    def _looked_at(
        self, estimator: Any, sources: Sources, size: tuple[int, int] | None
    ) -> list[int]:
        """Read all headers, and choose size, channels and kind; which pictures can be read so."""
        pictures, headers = sources.pictures, dict[int, Header]()
        found = sources.headers(getattr(estimator, "verbose", 0))
        others = sum(isinstance(header, PictureError) for header in found) - 1
        more = f". {others:,} more cannot be used either" if others > 0 else ""
        for position, header in enumerate(found):
            if isinstance(header, PictureError):
                self._leave_out(estimator, pictures, position, header, more)
            else:
                headers[position] = header
        self._check_some_left(estimator, pictures)
        self._choose(estimator, pictures, headers, size)
        return list(headers)

    def _count(
        self,
        estimator: Any,
        sources: Sources,
        readable: list[int],
        weights: np.ndarray,
        data: np.ndarray | None,
        each: Callable[[int, np.ndarray], object] | None = None,
    ) -> None:
        """Decode pictures, count their levels, and learn means and deviations from these.

        `weights` become 0 for pictures that are left out. `each` is called with the position and
        the pixels of each one that can be used, in their order.
        """
        counts = None if self.kind == "float" else Counts(self._levels, self.shape[-1])

        def tally(pixels: np.ndarray) -> Any:
            counted = None if counts is None else counts.of(pixels)
            return counted, None if each is None else pixels

        # closed here, so that its threads end before an error goes on
        outcomes = self._decoded(estimator, sources, readable, data, "reading pictures", tally)
        with closing(outcomes):
            for position, outcome in zip(readable, outcomes, strict=True):
                if isinstance(outcome, PictureError):
                    self._leave_out(estimator, sources.pictures, position, outcome)
                    continue
                counted, pixels = outcome
                if counts is not None:
                    counts.add(counted, weights[position])
                if each is not None:
                    each(position, pixels)
        self._check_some_left(estimator, sources.pictures)
        sources.warned.tell({position for position, _ in self.left_out})
        if self.left_out:
            weights[[position for position, _ in self.left_out]] = 0.0
            reasons = [reason for _, reason in self.left_out]
            self.notes.append(left_out_words(reasons, len(sources.pictures)))
        if not (weights > 0).any():
            raise ValueError(
                f"sample_weight of {owner_of(estimator)} must be above 0 for a picture that can be "
                "used. Got 0 for all of them."
            )
        if counts is not None:
            self._scaler = counts.standardiser()
            self.range = PixelRange.of(self.kind, *counts.range)

    def learn_one_by_one(
        self,
        estimator: Any,
        reading: Reading[Sources],
        dtype: Any,
        begin: Callable[[np.ndarray], Callable[[int, np.ndarray], object]],
    ) -> np.ndarray:
        """:meth:`learn` of pictures that are not kept in memory; which can be used, as bools.

        ``begin(readable)`` is called once it is known which seem so, and what all become: it gives
        what is called with the position and the pixels of each, in their order. Levels alone can be
        learned so.
        """
        size, sources = self._begin(estimator, reading, dtype), reading.content
        able = np.zeros(len(sources.pictures))
        readable = self._looked_at(estimator, sources, size)
        if self.kind == "float":
            raise ValueError(
                f"X of {owner_of(estimator)} must be pictures of 8 or 16 bits a channel where they "
                "are kept on disk. Got pictures of numbers. Convert them, or pass their paths."
            )
        able[readable] = 1.0
        self._count(estimator, sources, readable, able, None, begin(able > 0))
        self.name_features(estimator)
        return able > 0

    def decoded(
        self, estimator: Any, reading: Reading[Sources], positions: Sequence[int]
    ) -> Generator[np.ndarray, None, None]:
        """The pixels of pictures that were learned from, read again by threads."""
        outcomes = self._decoded(
            estimator, reading.content, positions, None, "reading pictures", lambda pixels: pixels
        )
        with closing(outcomes):
            for position, outcome in zip(positions, outcomes, strict=True):
                if isinstance(outcome, PictureError):  # which could be read just before
                    raise self._fault(
                        estimator, position, reading.content.pictures, outcome
                    ) from None
                yield outcome

    def _choose(
        self, estimator: Any, sources: Sequence[Any], headers: dict[int, Header], size: Any
    ) -> None:
        """Choose what all pictures become; those that cannot are left out, also of `headers`."""
        choice = Choice(
            headers, size, self.color, self.resize, _most_pixels(estimator),
            lambda position: short_name(position, sources),
        )  # fmt: skip
        wanted = choice.wanted
        self._shape, self.kind, self.resizes = wanted.shape, wanted.kind, bool(wanted.resize)
        for position, header in list(headers.items()):
            try:
                check_alike(header, wanted)
            except PictureError as error:
                self._leave_out(estimator, sources, position, error)
                del headers[position]
        self.notes += choice.notes
        self._check_some_left(estimator, sources)

    def _leave_out(
        self,
        estimator: Any,
        sources: Sequence[Any],
        position: int,
        error: PictureError,
        more: str = "",
    ) -> None:
        if self.on_error == "raise":
            more = f' or pass on_error="skip"{more}'
            raise self._fault(estimator, position, sources, error, more) from None
        source = sources[position]
        name = printable(source) if is_path(source) else f"picture {position + 1}"
        self.left_out.append((position, f"{name} ({error.reason})"))

    def _check_some_left(self, estimator: Any, sources: Sequence[Any]) -> None:
        if len(self.left_out) == len(sources):
            raise ValueError(
                f"X of {owner_of(estimator)} must have a picture that can be used. Got "
                f"{len(sources)}, and none can: {self.left_out[0][1]}."
            )

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
    def scaler(self) -> Standardiser:
        """What standardises each channel."""
        return self._scaler

    @property
    def parameters(self) -> dict[str, Any]:
        return super().parameters | {"color": self.color, "resize": self.resize}

    def choices(self, estimator: Any) -> dict[str, Any]:
        owner = owner_of(estimator)
        one_of("color", owner, self.color, COLORS)
        one_of("on_error", owner, self.on_error, ("raise", "skip"))
        one_of("resize", owner, self.resize, RESIZES)
        size_in_bytes("cache_size", owner, self.cache_size)  # changes no pixel
        return self.parameters | {
            "image_size": size_of(self.image_size, owner),
            "most_pixels": _most_pixels(estimator),
            "on_error": self.on_error,
            "signals": self.signals,
        }

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
            **({} if self.range is None else self.range._asdict()),
        }, self._scaler.arrays()

    def from_state(self, config: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        state = _State.of(config, "the encoder of pictures")
        self._shape, self.kind, self.resizes = tuple(state.shape), state.kind, state.resizes
        self.names, self.dtype, self.fills = state.names, np.dtype(state.dtype), state.fills
        if state.low is not None and state.high is not None:
            self.range = PixelRange(self.kind, state.low, state.high, state.white)
        channels = self.shape[-1]
        if len(self.shape) == 3 and self._channels(channels) != channels:
            raise ValueError(
                f"pictures of color {self.color!r} must be so. Got {channels} channels."
            )
        if self.range is not None and not _is_range(self.range, len(self.shape)):
            raise ValueError(f"the range of pictures must be one of theirs. Got {self.range[1:]}.")
        if self.fills and len(self.shape) == 3:
            raise ValueError("what is filled up at its end must be signals. Got pictures.")
        check_names("a table's columns", self.names, self.shape[0])
        self._scaler = Standardiser.from_arrays(arrays, channels)
        return self


def _is_range(given: PixelRange, axes: int) -> bool:
    """Whether this can be the range of what has so many axes."""
    ends = math.isfinite(given.low) and math.isfinite(given.high) and given.low <= given.high
    return ends and axes == 3 and given.white in (None, 1.0, *WHITES.values())


def _most_pixels(estimator: Any) -> int | None:
    """To how many pixels pictures are shrunk by an `estimator` that lets another size be set."""
    return MOST_PIXELS if hasattr(estimator, "image_size") else None
