"""One picture, from a file, from Pillow or from an array: its header and its pixels.

Pillow decodes and resizes; it is imported only when there is a picture for it.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import re
import stat
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import Any, NamedTuple

import numpy as np

from pellucid.checks import one_line, shown
from pellucid.data import tiff
from pellucid.engine import held_across_forks

COLORS = ("auto", "grey", "rgb")
RESIZES = ("stretch", "pad", "crop")
TYPES = {"bytes": np.uint8, "sixteen": np.uint16, "float": np.float32}  # by a picture's kind
WHITES = {"bytes": 255.0, "sixteen": 65535.0}

# Grids of pixels that Pillow decodes by itself. It knows more: PostScript, which it has another
# program run, WMF, which Windows draws, and formats that are hardly in use, each one more decoder
# for a crafted file to attack. Those without a mark at their beginning come last.
FORMATS = (
    "PNG", "JPEG", "GIF", "BMP", "DIB", "PPM", "TIFF", "WEBP", "AVIF", "HEIF", "JPEG2000", "ICO",
    "ICNS", "DDS", "PSD", "QOI", "SGI", "SUN", "PCX", "XBM", "TGA",
)  # fmt: skip
_NO_RASTER = {  # by a file's first bytes
    b"%!PS": "PostScript",
    b"\xc5\xd0\xd3\xc6": "PostScript",
    b"%PDF": "PDF",
    b"<svg": "SVG",
    b"<?xm": "XML",
    b"\xd7\xcd\xc6\x9a": "WMF",
}

_ORIENTATION = 274  # the EXIF tag
_TURNED = (5, 6, 7, 8)  # its values that swap height and width
_GREY = ("1", "L", "LA", "La", "I", "I;16", "I;16L", "I;16B", "I;16N", "F")
_ALPHA = ("LA", "La", "PA", "RGBA", "RGBa")
_NO_HANDLER = logging.NullHandler()
# two threads must not load one image, which may be in a list twice
_LOADING = held_across_forks(threading.RLock())
_LARGE = 1 << 24  # pixels; larger pictures are decoded one at a time, as each takes memory
_ONE_LARGE = held_across_forks(threading.RLock())
_SIXTEEN = re.compile(r"(RGB|LA|CMYK)[^;]*;16")  # how Pillow names 16 bits a channel in a file
COLOR_WORDS = {1: "grey", 3: "in colour"}
KIND_WORDS = {"bytes": "of 8 bits", "sixteen": "of 16 bits", "float": "of numbers of any size"}


class PictureError(ValueError):
    """Why a picture cannot be used, and the way out; the caller says which picture it is."""

    def __init__(self, reason: str, way_out: str = "") -> None:
        super().__init__(reason)
        self.reason, self.way_out = reason, way_out

    @property
    def bare(self) -> PictureError:
        """The same without its traceback, which would keep the decoded pixels in memory."""
        return PictureError(self.reason, self.way_out)


class Header(NamedTuple):
    """What a picture is, before it is decoded; `kind` is a key of `TYPES`.

    `narrowed` says that it has 16 bits a channel, of which Pillow gives 8.
    """

    height: int
    width: int
    channels: int
    kind: str
    narrowed: bool = False

    @property
    def shape(self) -> tuple[int, int, int]:
        """(height, width, channels)."""
        return self[:3]


class Wanted(NamedTuple):
    """What a picture is made: its size, channels and kind.

    `resize` is one of `RESIZES`, or None where a picture of another size is refused. `white` is
    what the whitest level becomes where `kind` is "float", None where levels have no place there.
    """

    height: int
    width: int
    channels: int
    kind: str
    resize: str | None = None
    white: float | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """(height, width, channels)."""
        return self[:3]


def kind_of(array: np.ndarray) -> str:
    """The key of `TYPES` for an array: "float" where it does not hold levels of 8 or 16 bits."""
    return next((kind for kind, dtype in TYPES.items() if array.dtype == dtype), "float")


def is_picture(value: Any) -> bool:
    """Whether `value` is a path or an image of Pillow's."""
    return isinstance(value, (str, os.PathLike)) or is_image(value)


def read_header(source: Any) -> Header:
    """The header of `source`: a path, an image of Pillow's or an array.

    A source that is no picture, is not there, or is too large is a PictureError.
    """
    if isinstance(source, np.ndarray):
        return _array_header(source)
    with _opened(source) as picture:
        return _image_header(picture)


def read_picture(source: Any, wanted: Wanted) -> np.ndarray:
    """The pixels of `source`, (height, width, channels), as they are `wanted`.

    8 and 16 bits are brought to one scale, and grey and colour to one of the two. What cannot be
    made so is a PictureError.
    """
    if isinstance(source, np.ndarray):
        header = _array_header(source)
        check_alike(header, wanted)
        pixels = source.reshape(*source.shape[:2], -1).astype(TYPES[header.kind])
        pixels = _recoloured(pixels, wanted.channels)
        return rescaled(_resized(pixels, wanted), wanted)
    with _opened(source) as picture:
        # a JPEG file can be decoded at half its size or less
        if wanted.resize and picture.format in ("JPEG", "MPO") and picture is not source:
            picture.draft(None, (2 * wanted.width, 2 * wanted.height))
        large = picture.width * picture.height > _LARGE
        with _ONE_LARGE if large else nullcontext():
            return _pixels(picture, wanted)


def digest_of(source: Any) -> bytes:
    """SHA-256 of what a picture is decoded from: of a file its bytes, wherever it lies."""
    digest = hashlib.sha256()
    with suppress(PictureError, OSError):  # what cannot be read is told of where it is decoded
        if isinstance(source, np.ndarray):
            digest.update(f"{source.dtype.str} {source.shape}".encode())
            digest.update(np.ascontiguousarray(source).data)
        elif is_image(source):
            with _opened(source) as picture:
                about = picture.mode, picture.size, picture.getpalette(), dict(picture.getexif())
                digest.update(repr(about).encode() + picture.tobytes())
        elif os.path.isfile(source):
            with open(source, "rb") as file:
                digest = hashlib.file_digest(file, "sha256")
    return digest.digest()


def check_alike(header: Header, wanted: Wanted) -> None:
    """Refuse a picture that is not, and cannot be made, as `wanted`."""
    if header[:2] != wanted[:2] and not wanted.resize:
        raise PictureError(
            f"it is {header.height} x {header.width} pixels, and those of fit are "
            f"{wanted.height} x {wanted.width}",
            f"Resize it, or fit with image_size={wanted[:2]}",
        )
    both = (header.channels, wanted.channels)
    if header.channels != wanted.channels and not set(both) <= {1, 3}:
        one, others = (COLOR_WORDS.get(n, f"of {n} channels") for n in both)
        raise PictureError(f"it is {one}, and the others are {others}", "Convert it")
    levels = "float" not in (header.kind, wanted.kind)
    if header.kind != wanted.kind and not levels and (header.kind == "float" or not wanted.white):
        reason = f"it is {KIND_WORDS[header.kind]}, and the others are {KIND_WORDS[wanted.kind]}"
        raise PictureError(reason, "Convert it")


# -- arrays --------------------------------------------------------------------------------------


def _array_header(array: np.ndarray) -> Header:
    if array.ndim not in (2, 3) or array.dtype.kind not in "biuf" or not array.size:
        raise PictureError(
            "an array must be numbers of shape (height, width) or (height, width, channels), "
            f"none of them 0. It is {array.dtype} of shape {array.shape}"
        )
    _check_finite(array)
    channels = 1 if array.ndim == 2 else array.shape[2]
    return Header(array.shape[0], array.shape[1], channels, kind_of(array))


def _check_finite(array: np.ndarray) -> None:
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise PictureError("it holds NaN or infinity")


def _recoloured(pixels: np.ndarray, channels: int) -> np.ndarray:
    """Grey as colour, or colour as grey, weighed as Pillow weighs it (ITU-R 601)."""
    if pixels.shape[2] == channels:
        return pixels
    if channels == 3:
        return np.repeat(pixels, 3, axis=2)
    if pixels.dtype == np.float32:
        red, green, blue = np.moveaxis(pixels, 2, 0)
        grey = red * np.float32(0.299) + green * np.float32(0.587) + blue * np.float32(0.114)
        return grey[..., None]
    weighed = pixels.astype(np.int64) @ np.array([19595, 38470, 7471])
    return ((weighed + 0x8000) >> 16).astype(pixels.dtype)[..., None]


def rescaled(pixels: np.ndarray, wanted: Wanted) -> np.ndarray:
    """Levels of 8 bits as 16, or of 16 as 8: 255 is 65535; or as numbers, up to white."""
    kind = kind_of(pixels)
    if kind == "bytes" and wanted.kind == "sixteen":
        return pixels.astype(np.uint16) * np.uint16(257)
    if kind == "sixteen" and wanted.kind == "bytes":
        return ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if kind != "float" and wanted.kind == "float" and wanted.white:
        return (pixels * (wanted.white / WHITES[kind])).astype(np.float32)
    return pixels


class _Place(NamedTuple):
    """Which part of a picture is resized, and to where in one of the wanted size.

    `box` is (left, top, right, bottom) in the picture; `size` (width, height) is what it becomes,
    and `corner` (left, top) where that begins.
    """

    box: tuple[float, float, float, float]
    size: tuple[int, int]
    corner: tuple[int, int]


def _place(width: int, height: int, wanted: Wanted) -> _Place:
    """Where a picture of `width` and `height` goes."""
    whole = (wanted.width, wanted.height)
    across, down = wanted.width / width, wanted.height / height
    if wanted.resize == "pad":
        scale = min(across, down)
        size = (
            min(wanted.width, max(1, round(width * scale))),
            min(wanted.height, max(1, round(height * scale))),
        )
        corner = ((wanted.width - size[0]) // 2, (wanted.height - size[1]) // 2)
        return _Place((0, 0, width, height), size, corner)
    if wanted.resize == "crop":
        scale = max(across, down)
        left = max(0.0, (width - wanted.width / scale) / 2)
        top = max(0.0, (height - wanted.height / scale) / 2)
        return _Place((left, top, width - left, height - top), whole, (0, 0))
    return _Place((0, 0, width, height), whole, (0, 0))


def _resized(pixels: np.ndarray, wanted: Wanted) -> np.ndarray:
    """`pixels` in the wanted size, channel by channel: there may be any number of them."""
    if pixels.shape[:2] == wanted[:2]:
        return pixels
    image, _ = _pillow()
    place, bilinear = _place(pixels.shape[1], pixels.shape[0], wanted), image.Resampling.BILINEAR
    channels = np.moveaxis(pixels, -1, 0)
    if pixels.dtype != np.uint8:
        channels = channels.astype(np.float32)
    images = [image.fromarray(np.ascontiguousarray(channel)) for channel in channels]
    resized = [np.asarray(one.resize(place.size, bilinear, place.box)) for one in images]
    numbers = np.stack(resized, axis=-1)
    if place.size != (wanted.width, wanted.height):
        (left, top), (width, height) = place.corner, place.size
        ground = np.zeros((wanted.height, wanted.width, numbers.shape[-1]), numbers.dtype)
        ground[top : top + height, left : left + width] = numbers
        numbers = ground
    return np.rint(numbers).astype(np.uint16) if pixels.dtype == np.uint16 else numbers


# -- Pillow's images -----------------------------------------------------------------------------


def is_image(value: Any) -> bool:
    """Whether `value` is an image of Pillow's, without importing it."""
    return type(value).__module__.partition(".")[0] == "PIL" and hasattr(value, "getbands")


def _pillow() -> Any:
    try:
        from PIL import Image, ImageOps
    except ImportError as error:
        raise ImportError(
            'Pictures need Pillow, which is not installed. Run: pip install "pellucid[pictures]"'
        ) from error
    # what Pillow logs is in its exceptions too; without any handler it would be written to stderr
    logging.getLogger("PIL").addHandler(_NO_HANDLER)
    return Image, ImageOps


def _formats() -> tuple[str, ...]:
    """Those of `FORMATS` that this Pillow knows: AVIF came late, and HEIF is a plugin's."""
    image, _ = _pillow()
    image.init()
    return tuple(name for name in FORMATS if name in image.OPEN)


@contextmanager
def _opened(source: Any) -> Iterator[Any]:
    """Pillow's image of `source`, open; what goes wrong with it becomes a PictureError."""
    try:
        if is_image(source):
            with _LOADING:
                source.load()
                source.getexif()  # which keeps what it has read
            yield source
            return
        if not isinstance(source, (str, os.PathLike)):
            raise PictureError(
                f"it must be a path, an image of Pillow's or an array. It is {shown(source)}"
            )
        about = os.stat(source)
        if stat.S_ISDIR(about.st_mode):
            raise PictureError("it is a folder")
        if not stat.S_ISREG(about.st_mode):  # a pipe would wait for ever
            raise PictureError("it is no regular file")
        if about.st_size == 0:
            raise PictureError("the file is empty")
        image, _ = _pillow()
        # opened here and not by Pillow, which would map a TIFF into memory and then turn it wrongly
        with open(source, "rb") as file:
            kind = _NO_RASTER.get(file.read(4))
            if kind:
                raise PictureError(f"it is {kind}, and no raster picture", "Convert it to PNG")
            file.seek(0)
            with image.open(file, formats=_formats()) as picture:
                _check_size(picture)
                is_tiff = picture.format == "TIFF"
                if is_tiff:
                    tiff.check_whole(picture)
                with tiff.quiet() if is_tiff else nullcontext():
                    yield picture
    except PictureError:
        raise
    except Exception as error:
        raise _explained(error) from error


def _check_size(picture: Any) -> None:
    """Refuse a bomb, of which Pillow only warns up to twice its limit."""
    image, _ = _pillow()
    most = image.MAX_IMAGE_PIXELS
    if most is not None and picture.width * picture.height > most:
        raise image.DecompressionBombError


def _explained(error: Exception) -> Exception:
    """`error` as a PictureError, if the picture is to blame."""
    image, _ = _pillow()
    if isinstance(error, ImportError):
        return error
    if isinstance(error, MemoryError):  # a few bytes of a header may ask for any number
        return PictureError("it needs more memory than there is")
    if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
        return error
    if isinstance(error, FileNotFoundError):
        return PictureError("the file does not exist")
    if isinstance(error, PermissionError):
        return PictureError("the file may not be read")
    if isinstance(error, image.UnidentifiedImageError):
        return PictureError("it is no picture that Pillow knows")
    if isinstance(error, (image.DecompressionBombError, image.DecompressionBombWarning)):
        return PictureError(
            f"it has more than {image.MAX_IMAGE_PIXELS / 10**6:.3g} million pixels, as a "
            "decompression bomb has",
            "Shrink it, or set PIL.Image.MAX_IMAGE_PIXELS if you trust it",
        )
    if isinstance(error, OSError) and error.errno is not None:
        return PictureError(f"the file cannot be read ({error.strerror})")
    reason = one_line(str(error), 100) or type(error).__name__
    return PictureError(f"it is damaged or breaks off ({reason})")


def _image_header(picture: Any) -> Header:
    width, height = picture.size
    if not width or not height:
        raise PictureError("it has no pixels")
    # a PNG may have its EXIF behind the pixels, and asking for it would decode them
    if picture.format != "PNG" or "exif" in picture.info:
        if _orientation(picture) in _TURNED:
            tags = getattr(picture, "tag_v2", {})  # Pillow turns a TIFF itself, or only its size
            width, height = tags.get(257, height), tags.get(256, width)
    kind = "sixteen" if picture.mode.startswith("I") else "bytes"
    kind = "float" if picture.mode == "F" else kind
    narrowed = kind == "bytes" and any(map(_has_sixteen_bits, getattr(picture, "tile", ())))
    return Header(height, width, 1 if _is_grey(picture) else 3, kind, narrowed)


def _orientation(picture: Any) -> int:
    """How the picture is turned; upright where its EXIF data are noise."""
    try:
        return int(picture.getexif().get(_ORIENTATION, 1))
    except Exception as error:  # of any kind: they are what a damaged file says
        warnings.warn(f"EXIF data cannot be read ({error})", UserWarning, stacklevel=1)
        return 1


def _has_sixteen_bits(tile: Any) -> bool:
    """Whether a part of a file that is not decoded yet has 16 bits a channel."""
    codec, arguments = tile[0], tile[3]
    arguments = arguments if isinstance(arguments, tuple) else (arguments,)
    if codec in ("ppm", "ppm_plain"):  # the largest level stands there
        return any(isinstance(one, int) and one > 255 for one in arguments)
    return bool(arguments) and _SIXTEEN.match(str(arguments[0])) is not None


def _is_grey(picture: Any) -> bool:
    palette = _palette(picture) if picture.mode in ("P", "PA") else None
    if palette is None:
        return picture.mode in _GREY
    red, green, blue = np.frombuffer(palette, dtype=np.uint8).reshape(-1, 3).T
    return bool(np.array_equal(red, green) and np.array_equal(green, blue))


def _palette(picture: Any) -> bytes | None:
    """Red, green, blue, red, ...; as it stands in the file, where that needs no decoding."""
    palette = picture.palette
    if palette is not None and palette.rawmode == "RGB" and isinstance(palette.palette, bytes):
        return palette.palette[: len(palette.palette) // 3 * 3]
    colours = picture.getpalette("RGB")
    return None if colours is None else bytes(colours)


def _pixels(picture: Any, wanted: Wanted) -> np.ndarray:
    """The first frame, upright, in the wanted channels, on white where it is transparent."""
    image, operations = _pillow()
    picture.load()
    if _orientation(picture) != 1:
        picture = operations.exif_transpose(picture)
    header = _image_header(picture)
    check_alike(header, wanted)
    if header.kind != "bytes":
        numbers = np.asarray(picture)[..., None]
        _check_finite(numbers)
        if header.kind == "sixteen" and (numbers.min() < 0 or numbers.max() > 65535):
            raise PictureError("it holds whole numbers that are not of 16 bits")
        pixels = _resized(numbers.astype(TYPES[header.kind]), wanted)
        return rescaled(np.repeat(pixels, wanted.channels, axis=2), wanted)
    mode = "L" if wanted.channels == 1 else "RGB"
    clear = picture.mode in _ALPHA or "transparency" in picture.info
    if wanted.resize and picture.width * picture.height > _LARGE:
        picture = _reduced(picture, "RGBA" if clear else mode, wanted)
    if clear:
        ground = image.new("RGBA", picture.size, "white")
        ground.alpha_composite(picture.convert("RGBA"))
        picture = ground
    if picture.mode != mode:
        picture = picture.convert(mode)
    if picture.size != (wanted.width, wanted.height):
        place = _place(picture.width, picture.height, wanted)
        picture = picture.resize(place.size, image.Resampling.BILINEAR, place.box)
        if place.size != (wanted.width, wanted.height):
            ground = image.new(mode, (wanted.width, wanted.height))
            ground.paste(picture, place.corner)
            picture = ground
    return rescaled(np.asarray(picture).reshape(wanted.shape), wanted)


def _reduced(picture: Any, mode: str, wanted: Wanted) -> Any:
    """A large picture in a `mode` that can be shrunk, at some twice the wanted size or more.

    Each copy of such a picture takes hundreds of megabytes.
    """
    if picture.mode != mode:
        picture = picture.convert(mode)
    times = min(picture.width // (2 * wanted.width), picture.height // (2 * wanted.height))
    return picture.reduce(times) if times > 1 else picture


def thumbnail(source: Any, side: int) -> np.ndarray:
    """A picture's red, green and blue from 0 to 1, no side longer than `side`, to be drawn."""
    header = read_header(source)
    shrunk = min(1.0, side / max(header[:2]))
    height, width = (max(1, round(shrunk * length)) for length in header[:2])
    resize = "stretch" if shrunk < 1 else None
    pixels = read_picture(source, Wanted(height, width, header.channels, header.kind, resize))
    high: float = WHITES.get(header.kind, float(pixels.max()))
    low = 0.0 if header.kind in WHITES else float(pixels.min())
    shares = (pixels - low) / max(high - low, 1e-30)
    return np.broadcast_to(shares, (*shares.shape[:2], 3))
