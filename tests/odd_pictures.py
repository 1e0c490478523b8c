"""Odd picture files, as folders of people have them: formats, modes, faults, names.

`write` makes them anew by Pillow and by hand, the same bytes for the same seed (but for an AVIF of
several frames, which holds the time). What this Pillow or file system cannot write is left out.
"""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

HEIGHT, WIDTH = 40, 48
HUGE = 60_000  # its square is far beyond Pillow's limit of pixels, and beyond all memory
ORIENTATION = 274  # the EXIF tag


class Odd(NamedTuple):
    """A file, or what is in a file's place.

    `readable` says what should be: None where it depends on the decoder.
    """

    path: Path
    format: str
    mode: str
    fault: str
    readable: bool | None


MODES = (
    "1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "I;16", "I", "F", "LAB", "HSV",
)  # fmt: skip
SAVED = {  # a format's name here: its name in Pillow, its ending, what it is written with
    "png": ("PNG", "png", {}),
    "jpeg": ("JPEG", "jpg", {}),
    "gif": ("GIF", "gif", {}),
    "bmp": ("BMP", "bmp", {}),
    "tiff": ("TIFF", "tif", {}),
    "tiff lzw": ("TIFF", "tif", {"compression": "tiff_lzw"}),
    "tiff deflate": ("TIFF", "tif", {"compression": "tiff_adobe_deflate"}),
    "tiff packbits": ("TIFF", "tif", {"compression": "packbits"}),
    "tiff group4": ("TIFF", "tif", {"compression": "group4"}),
    "tiff jpeg": ("TIFF", "tif", {"compression": "jpeg"}),
    "webp": ("WEBP", "webp", {}),
    "webp lossless": ("WEBP", "webp", {"lossless": True}),
    "ppm": ("PPM", "ppm", {}),
    "ico": ("ICO", "ico", {"sizes": [(32, 32)]}),
    "tga": ("TGA", "tga", {}),
    "tga rle": ("TGA", "tga", {"compression": "tga_rle"}),
    "pcx": ("PCX", "pcx", {}),
    "sgi": ("SGI", "sgi", {}),
    "dds": ("DDS", "dds", {}),
    "jpeg 2000": ("JPEG2000", "jp2", {}),
    "qoi": ("QOI", "qoi", {}),
    "avif": ("AVIF", "avif", {"speed": 10, "max_threads": 1}),
}
FEW = {  # modes worth a file, where a format stores several alike
    "tiff lzw": ("L", "RGB", "I;16"),
    "tiff deflate": ("P", "RGBA", "F"),
    "tiff packbits": ("1", "CMYK"),
    "tiff group4": ("1",),
    "tiff jpeg": ("L", "RGB"),
    "webp": ("RGB",),
    "webp lossless": ("L", "P", "RGBA"),
    "tga rle": ("RGB",),
    "avif": ("L", "RGB", "RGBA"),
}
ENDINGS = {("ppm", "1"): "pbm", ("ppm", "L"): "pgm", ("ppm", "I"): "pgm", ("ppm", "F"): "pfm"}
TORN_ANYHOW = ("gif", "jpeg 2000", "avif")  # some decoders give what there is of a torn file


# -- pixels ----------------------------------------------------------------------------------------


def levels(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Bytes of (height, width, ...): ramps with noise, so that no compression takes them all."""
    down, across = np.mgrid[: shape[0], : shape[1]]
    ramp = (255 * (down + across) / (sum(shape[:2]))).reshape(*shape[:2], *[1] * len(shape[2:]))
    return np.clip(ramp + rng.normal(0, 25, shape), 0, 255).astype(np.uint8)


def image(rng: np.random.Generator, mode: str, height: int = HEIGHT, width: int = WIDTH):
    """A picture of `mode`."""
    if mode in ("I;16", "I", "F"):
        kind = {"I;16": np.uint16, "I": np.int32, "F": np.float32}[mode]
        return Image.fromarray((levels(rng, height, width).astype(np.int64) * 257).astype(kind))
    if mode in ("1", "L"):
        return Image.fromarray(levels(rng, height, width)).convert(mode)
    colour = Image.fromarray(levels(rng, height, width, 3))
    if mode == "LA":
        return Image.merge("LA", (colour.getchannel(0), colour.getchannel(1)))
    if mode == "LAB":
        return Image.merge("LAB", colour.split())
    if mode == "RGBA":
        return Image.merge("RGBA", (*colour.split(), Image.fromarray(levels(rng, height, width))))
    if mode == "PA":
        return colour.convert("P").convert("PA")
    return colour.convert(mode)


def saved(picture: Image.Image, format: str, **options) -> bytes:
    """The file's content; an exception where Pillow does not write it."""
    name, _, usual = SAVED[format]
    file = io.BytesIO()
    picture.save(file, format=name, **{**usual, **options})
    return file.getvalue()


def tried(make: Callable[[], bytes]) -> bytes | None:
    """What `make` returns, or None where this Pillow cannot."""
    try:
        return make()
    except (KeyError, OSError, ValueError, RuntimeError, SystemError, TypeError):
        return None


# -- by hand ---------------------------------------------------------------------------------------


def chunk(kind: bytes, content: bytes) -> bytes:
    """A chunk of a PNG."""
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)


def png(width: int, height: int, depth: int, colour: int, rows: bytes, *more: bytes) -> bytes:
    """A PNG of these rows, each with the byte of its filter; `more` chunks come before them."""
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    body = [chunk(b"IHDR", head), *more, chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


def sixteen_png(rng: np.random.Generator) -> bytes:
    """16 bits a channel in colour, which Pillow does not write."""
    pixels = (levels(rng, HEIGHT, WIDTH, 3).astype(np.uint16) * 257).astype(">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    return png(WIDTH, HEIGHT, 16, 2, rows)


def raw_tiff(width: int, height: int, bits: int, samples: int, body: bytes, more=()) -> bytes:
    """A TIFF of one strip without compression, little-endian; `more` are tags (tag, number)."""
    at, several = 8 + len(body), samples > 1
    tags = [
        (256, 4, 1, width), (257, 4, 1, height),
        (258, 3, samples, at if several else bits), (259, 3, 1, 1),
        (262, 3, 1, 2 if several else 1), (273, 4, 1, 8), (277, 3, 1, samples),
        (278, 4, 1, height), (279, 4, 1, len(body)), *((tag, 3, 1, value) for tag, value in more),
    ]  # fmt: skip
    extra = struct.pack(f"<{samples}H", *[bits] * samples) if several else b""
    entries = b"".join(struct.pack("<HHII", *tag) for tag in sorted(tags))
    head = struct.pack("<2sHI", b"II", 42, at + len(extra))
    return head + body + extra + struct.pack("<H", len(tags)) + entries + b"\0\0\0\0"


def exif(orientation: int) -> bytes:
    """EXIF data that say how a picture is turned."""
    data = Image.Exif()
    data[ORIENTATION] = orientation
    return data.tobytes()


def sized(content: bytes, format: str, width: int, height: int) -> bytes:
    """A file's content, with another size in its header."""
    places = {  # where the size is, and how
        "png": (16, ">II", (width, height)),
        "gif": (6, "<HH", (width, height)),
        "bmp": (18, "<ii", (width, height)),
        "qoi": (4, ">II", (width, height)),
        "sgi": (6, ">HH", (width, height)),
        "tga": (12, "<HH", (width, height)),
        "dds": (12, "<II", (height, width)),
        "pcx": (4, "<HHHH", (1, 1, width, height)),  # the last column and row, so that 0 is none
        "jpeg": (content.find(b"\xff\xc0") + 5, ">HH", (height, width)),
        "jpeg 2000": (content.find(b"ihdr") + 4, ">II", (height, width)),
    }
    place, layout, numbers = places[format]
    changed = bytearray(content)
    struct.pack_into(layout, changed, place, *numbers)
    if format == "png":
        struct.pack_into(">I", changed, 29, zlib.crc32(changed[12:29]))
    return bytes(changed)


SIZED = ("png", "gif", "bmp", "qoi", "sgi", "tga", "dds", "pcx", "jpeg", "jpeg 2000")


# -- all of them -----------------------------------------------------------------------------------


class File(NamedTuple):
    """The content of a file to be written, and an Odd's fields; `name` where it matters."""

    content: bytes
    ending: str
    format: str
    mode: str
    fault: str
    readable: bool | None
    name: str = ""


def _sound(rng: np.random.Generator) -> Iterator[File]:
    """Each format in each mode that it has."""
    for format, (_, ending, _) in SAVED.items():
        for mode in FEW.get(format, MODES):
            content = tried(lambda f=format, m=mode: saved(image(rng, m), f))
            if content is not None:
                # Pillow itself turns no LAB into anything
                readable = None if mode == "LAB" else True
                end = ENDINGS.get((format, mode), ending)
                yield File(content, end, format, mode, "none", readable)
    yield File(sixteen_png(rng), "png", "png", "RGB;16", "none", True)
    body = (levels(rng, HEIGHT, WIDTH, 3).astype("<u2") * 257).tobytes()
    yield File(raw_tiff(WIDTH, HEIGHT, 16, 3, body), "tif", "tiff", "RGB;16", "none", True)
    ascii_ppm = b"P2\n# by hand\n3 2\n255\n0 1 2\n253 254 255\n"
    yield File(ascii_ppm, "pgm", "ppm", "L", "plain text", True)


def _transparent(rng: np.random.Generator) -> Iterator[File]:
    """Palettes of which one colour, or each by a share, is transparent; one colour of RGB."""
    palette = image(rng, "P")
    for fault, options in (
        ("one transparent colour", {"transparency": 3}),
        ("transparent by shares", {"transparency": bytes(range(256))}),
    ):
        for format in ("png", "gif"):
            content = tried(lambda f=format, o=options: saved(palette, f, **o))
            if content is not None:
                yield File(content, format, format, "P", fault, True)
    content = saved(image(rng, "RGB"), "png", transparency=(9, 9, 9))
    yield File(content, "png", "png", "RGB", "one transparent colour", True)
    short = png(4, 1, 8, 3, b"\0\0\1\2\7", chunk(b"PLTE", bytes(9)))
    yield File(short, "png", "png", "P", "an index beyond the palette", None)
    without = png(4, 1, 8, 3, b"\0\0\1\2\3")
    yield File(without, "png", "png", "P", "no palette", None)


def _turned(rng: np.random.Generator) -> Iterator[File]:
    """Every orientation, some that are none, and EXIF data that are none."""
    for format, numbers in (
        ("jpeg", range(10)), ("png", (6,)), ("tiff", (6,)), ("tiff lzw", (6, 8)), ("webp", (6,)),
        ("avif", (6,)),
    ):  # fmt: skip
        for number in numbers:
            data = exif(number)
            content = tried(lambda f=format, d=data: saved(image(rng, "RGB"), f, exif=d))
            if content is not None:
                fault = f"orientation {number}"
                yield File(content, SAVED[format][1], format, "RGB", fault, True)
    sound = exif(6)
    damaged = {
        "EXIF of noise": b"Exif\0\0" + b"\xff" + rng.bytes(60),
        "EXIF breaks off": sound[:-9],
        "EXIF points outside": sound[:10] + b"\xff\xff\xff\x7f" + sound[14:],
        "EXIF is empty": b"Exif\0\0",
    }
    for fault, data in damaged.items():
        for format in ("jpeg", "png", "webp"):
            content = tried(lambda f=format, d=data: saved(image(rng, "RGB"), f, exif=d))
            if content is not None:
                yield File(content, SAVED[format][1], format, "RGB", fault, True)


def _moving(rng: np.random.Generator) -> Iterator[File]:
    """Several frames or pages in a file."""
    for format, ending in (
        ("gif", "gif"), ("webp", "webp"), ("png", "apng"), ("tiff", "tif"), ("avif", "avif"),
    ):  # fmt: skip
        first, *rest = (image(rng, "RGB") for _ in range(3))
        content = tried(
            lambda f=format, a=first, b=rest: saved(a, f, save_all=True, append_images=b)
        )
        if content is not None:
            yield File(content, ending, format, "RGB", "three frames", True)


def _small(rng: np.random.Generator) -> Iterator[File]:
    """1 x 1 pixel, and 1 pixel high or wide."""
    for format in ("png", "jpeg", "gif", "bmp", "tiff", "webp", "ppm", "tga", "jpeg 2000", "avif"):
        for height, width in ((1, 1), (1, 500), (500, 1)):
            content = tried(lambda f=format, h=height, w=width: saved(image(rng, "RGB", h, w), f))
            if content is not None:
                fault = f"{height} x {width}"
                yield File(content, SAVED[format][1], format, "RGB", fault, True)


def _damaged(rng: np.random.Generator) -> Iterator[File]:
    """Torn, flipped and wrongly sized files of every format."""
    for format, (_, ending, _) in SAVED.items():
        mode = "1" if format == "tiff group4" else "RGB"
        content = tried(lambda f=format, m=mode: saved(image(rng, m), f))
        if content is None:
            continue
        for share in (10, 60):
            torn = content[: len(content) * share // 100]
            readable = None if format in TORN_ANYHOW else False
            yield File(torn, ending, format, mode, f"truncated at {share} %", readable)
        flipped = bytearray(content)
        flipped[len(flipped) // 2] ^= 0xFF
        yield File(bytes(flipped), ending, format, mode, "one flipped byte", None)
        if format in SIZED:
            for size in (HUGE, 0):
                fault = f"{size} x {size} in the header"
                # the decoder of JPEG 2000 has the size from elsewhere, and a GIF's frame its own
                readable = None if format in ("jpeg 2000", "gif") else False
                wrong = sized(content, format, size, size)
                yield File(wrong, ending, format, mode, fault, readable)
    for size in (HUGE, 0):
        fault = f"{size} x {size} in the header"
        yield File(raw_tiff(size, size, 8, 1, bytes(64)), "tif", "tiff", "L", fault, False)
        yield File(f"P6 {size} {size} 255\n".encode(), "ppm", "ppm", "RGB", fault, False)
    yield File(b"P5 -3 4 255\n" + bytes(12), "pgm", "ppm", "L", "a negative size", False)
    numbers = np.full((4, 6), np.nan, "<f4").tobytes()
    yield File(raw_tiff(6, 4, 32, 1, numbers, [(339, 3)]), "tif", "tiff", "F", "NaN", False)
    wide = struct.pack("<24i", *range(-1, 23))
    fault = "whole numbers below 0"
    yield File(raw_tiff(6, 4, 32, 1, wide, [(339, 2)]), "tif", "tiff", "I", fault, False)
    rows = raw_tiff(6, 4, 8, 1, bytes(range(100, 112)))
    yield File(rows, "tif", "tiff", "L", "a strip too short", False)
    place = rows.index(struct.pack("<HHI", 278, 4, 1)) + 8
    few = rows[:place] + struct.pack("<I", 2) + rows[place + 4 :]
    yield File(few, "tif", "tiff", "L", "a strip is missing", False)
    torn = saved(image(rng, "RGB"), "jpeg")
    torn = torn[: len(torn) * 6 // 10] + b"\xff\xd9"
    yield File(torn, "jpg", "jpeg", "RGB", "truncated, with an end", None)
    sound = saved(image(rng, "L"), "png")
    at = sound.index(b"IDAT") + 8
    wrong = sound[:at] + bytes([sound[at] ^ 1]) + sound[at + 1 :]
    yield File(wrong, "png", "png", "L", "a wrong checksum", None)
    text = chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(1 << 26)))
    bomb = png(WIDTH, HEIGHT, 8, 0, bytes((WIDTH + 1) * HEIGHT), text)
    yield File(bomb, "png", "png", "L", "a text of 64 MiB", None)


def _other(rng: np.random.Generator) -> Iterator[File]:
    """No pictures, or other ones than the name says."""
    yield File(b"", "png", "none", "", "empty", False)
    yield File(b"", "jpg", "none", "", "empty", False)
    for ending in ("png", "jpg", "tga", "ico"):
        yield File(rng.bytes(500), ending, "none", "", "random bytes", False)
    yield File(b"\xff\xd8\xff", "jpg", "jpeg", "", "a mark and no more", False)
    yield File(b"\x89PNG\r\n\x1a\n", "png", "png", "", "a mark and no more", False)
    yield File(b"GIF89a", "gif", "gif", "", "a mark and no more", False)
    yield File(b"BM", "bmp", "bmp", "", "a mark and no more", False)
    yield File(b"II*\0\x08\0\0\0", "tif", "tiff", "", "a mark and no more", False)
    yield File("not a picture, über\n".encode(), "png", "text", "", "a text", False)
    yield File(b"<!DOCTYPE html><html></html>", "jpg", "text", "", "a page", False)
    yield File(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "png", "text", "", "SVG", False)
    yield File(b"%!PS-Adobe-3.0 EPSF-3.0\n", "png", "text", "", "PostScript", False)
    yield File(b"version https://git-lfs", "png", "text", "", "a pointer to a file", False)
    jpeg, other = (saved(image(rng, "RGB"), each) for each in ("jpeg", "png"))
    yield File(jpeg, "png", "jpeg", "RGB", "wrong ending", True)
    yield File(other, "jpg", "png", "RGB", "wrong ending", True)
    yield File(jpeg, "", "jpeg", "RGB", "no ending", True)
    yield File(jpeg, "txt", "jpeg", "RGB", "wrong ending", True)
    yield File(jpeg + b"\0" * 100 + b"behind", "jpg", "jpeg", "RGB", "bytes behind its end", True)


def _named(rng: np.random.Generator) -> Iterator[File]:
    """Names that are hard to print or to hand on."""
    content = saved(image(rng, "L"), "png")
    for fault, name in (
        ("a name with an emoji", "cat \N{CAT FACE}.png"),
        ("a Chinese name", "图片.png"),
        ("a name with spaces", "  two  spaces .png"),
        ("a name with a line break", "one\ntwo.png"),
        ("a name with a dash", "-rf.png"),
        ("a name that is no UTF-8", os.fsdecode(b"caf\xe9 \xff.png")),
        ("a long name", "n" * 240 + ".png"),
        ("a name of a pattern", "[a-z]*?.png"),
        ("an ending in capitals", "CAPITALS.PNG"),
        ("a hidden name", ".hidden.png"),
        ("a name with quotes", "'\"$(x)`.png"),
    ):
        yield File(content, "png", "png", "L", fault, True, name)


def write(folder: str | os.PathLike[str], seed: int = 0) -> list[Odd]:
    """Write all into `folder`, which is empty or made here."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    made: list[Odd] = []
    parts = (_sound, _transparent, _turned, _moving, _small, _damaged, _other, _named)
    for number, part in enumerate(parts):
        for file in part(np.random.default_rng([seed, number])):
            name = file.name or f"{len(made):03}" + (f".{file.ending}" if file.ending else "")
            try:
                (folder / name).write_bytes(file.content)
            except (OSError, ValueError):  # a name that this file system does not take
                continue
            made.append(Odd(folder / name, *file[2:6]))
    return made + _no_files(folder)


def _no_files(folder: Path) -> list[Odd]:
    """Links, folders and a pipe with names of pictures, and a name of nothing."""
    picture, inside = folder / "linked to.png", folder / "folder.png"
    Image.new("L", (6, 4), 7).save(picture)
    inside.mkdir(exist_ok=True)
    found = [
        Odd(inside, "none", "", "a folder", False),
        Odd(folder / "nowhere.png", "none", "", "missing", False),
        Odd(picture / "below.png", "none", "", "below a file", False),
    ]
    for name, target, fault, readable in (
        ("link.png", picture.name, "a link to a picture", True),
        ("dead link.png", "nowhere.png", "a dead link", False),
        ("folder link.png", inside.name, "a link to a folder", False),
        ("circle.png", "circle.png", "a link to itself", False),
    ):
        try:
            (folder / name).symlink_to(target)
        except (OSError, NotImplementedError):
            continue
        found.append(Odd(folder / name, "none", "", fault, readable))
    if hasattr(os, "mkfifo"):
        os.mkfifo(folder / "pipe.png")
        found.append(Odd(folder / "pipe.png", "none", "", "a named pipe", False))
    return found
