"""Pictures in files, and what calls itself one, that are damaged, odd or hostile.

A case is one line, ``ending deed``, and the content of the file.
"""

from __future__ import annotations

import contextlib
import io
import random
import struct
import tempfile
import zlib
from pathlib import Path
from typing import Any

import guard
import numpy as np
from promises import REFUSALS, import_what, sentence, watched

_DEEDS = ("predict",) * 8 + ("fit", "skip")
_ENDINGS = (
    "png",
    "jpg",
    "tif",
    "gif",
    "bmp",
    "webp",
    "ppm",
    "tga",
    "ico",
    "eps",
    "svg",
    "pdf",
    "x",
)
_SIZES = (0, 1, 2, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_seeds: dict[str, list[bytes]] = {}
_models: dict[str, Any] = {}


def prepare() -> None:
    """Fit a model, make honest files of every kind, and import all that a case needs."""
    guard.install()
    from PIL import Image

    from pellucid import CNNClassifier

    Image.init()
    rng = np.random.default_rng(0)
    levels = rng.integers(0, 256, (9, 11, 4), dtype=np.uint8)
    colour, grey = Image.fromarray(levels[..., :3]), Image.fromarray(levels[..., 0])
    alpha, deep = Image.fromarray(levels), Image.fromarray(levels[..., 0].astype(np.uint16) * 257)
    _seeds["png"] = _saved("PNG", colour, grey, alpha, deep, colour.quantize(8), grey.convert("1"))
    _seeds["png"] += [_animated("PNG", colour, alpha.convert("RGB"))]
    _seeds["jpg"] = _saved("JPEG", colour, grey, colour.convert("CMYK"))
    _seeds["jpg"] += _saved("JPEG", colour, grey, exif=_exif(6))
    _seeds["jpg"] += _saved("JPEG", colour, progressive=True)
    _seeds["tif"] = _saved("TIFF", colour, grey, deep, grey.convert("F"), grey.convert("I"))
    for compression in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", "zstd"):
        _seeds["tif"] += _saved("TIFF", colour, compression=compression)
    _seeds["tif"] += _saved("TIFF", grey.convert("1"), compression="group4")
    _seeds["tif"] += _saved("TIFF", colour, exif=_exif(8))
    _seeds["gif"] = [*_saved("GIF", colour, grey), _animated("GIF", colour, colour.transpose(0))]
    _seeds["bmp"] = _saved("BMP", colour, grey, alpha, colour.quantize(16))
    _seeds["webp"] = _saved("WEBP", colour, alpha) + _saved("WEBP", colour, lossless=True)
    _seeds["ppm"] = _saved("PPM", colour, grey, grey.convert("1"), deep)
    _seeds["ico"] = _saved("ICO", alpha.resize((16, 16)))
    for name, ending in (("TGA", "tga"), ("PCX", "x"), ("SGI", "x"), ("DDS", "x"), ("QOI", "x")):
        if name in Image.SAVE:
            _seeds[ending] = _seeds.get(ending, []) + _saved(name, colour)
    for name in ("JPEG2000", "AVIF"):
        if name in Image.SAVE:
            _seeds["x"] += _saved(name, colour)
    _seeds["eps"] = _saved("EPS", colour) + [
        b"%!PS\n(hello) print\n",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 11\n%%EndComments\nshowpage\n",
        b"\xc5\xd0\xd3\xc6" + struct.pack("<II", 32, 20) + bytes(20) + b"%!PS\nshowpage\n",
    ]
    _seeds["svg"] = [
        b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
        b'<?xml version="1.0"?><!DOCTYPE x SYSTEM "file:///etc/passwd"><svg/>',
        b"<html>no picture</html>",
    ]
    _seeds["pdf"] = [b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"]
    small: dict[str, Any] = {"max_epochs": 1, "verbose": 0, "n_jobs": 1, "random_state": 0}
    _models["new"] = lambda **more: CNNClassifier(channels=2, image_size=8, **more, **small)
    pictures, y = [levels[..., :3]] * 4, [0, 1, 0, 1]
    _models["pictures"] = pictures
    _models["fitted"] = _models["new"](color="rgb").fit(pictures, y)
    with tempfile.TemporaryDirectory() as folder:
        import_what(lambda: _use_honest_pictures(Path(folder)))


def _saved(kind: str, *images: Any, **options: Any) -> list[bytes]:
    contents = []
    for image in images:
        file = io.BytesIO()
        with contextlib.suppress(OSError):  # an old Pillow cannot write all that it reads
            image.save(file, kind, **options)
            contents.append(file.getvalue())
    return contents


def _animated(kind: str, first: Any, second: Any) -> bytes:
    return _saved(kind, first, save_all=True, append_images=[second], loop=0)[0]


def _exif(orientation: int) -> Any:
    from PIL import Image

    exif = Image.Exif()
    exif[274] = orientation
    return exif


def _use_honest_pictures(folder: Path) -> None:
    for ending, contents in _seeds.items():
        for place, content in enumerate(contents):
            path = folder / f"{place}.{ending}"
            path.write_bytes(content)
            for deed in dict.fromkeys(_DEEDS):
                _used(path, deed)


# -- cases ---------------------------------------------------------------------------------------


def make(seed: int) -> bytes:
    """The case of this number."""
    rng = random.Random(seed)
    kind = rng.choice(tuple(_seeds))
    content = rng.choice(_seeds[kind])
    for _ in range(rng.choice((0, 1, 1, 1, 2, 3))):
        structured = _OF_KIND.get(kind)
        mutate = structured if structured and rng.random() < 0.6 else rng.choice(_OF_ANY)
        content = mutate(rng, content)
    ending = rng.choice(_ENDINGS) if rng.random() < 0.15 else kind
    return f"{ending} {rng.choice(_DEEDS)}\n".encode() + content


def _flip(rng: random.Random, content: bytes) -> bytes:
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 8, 64)) if data else 0):
        data[rng.randrange(len(data))] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
    return bytes(data)


def _flip_header(rng: random.Random, content: bytes) -> bytes:
    return _flip(rng, content[:64]) + content[64:]


def _cut(rng: random.Random, content: bytes) -> bytes:
    return content[: rng.randrange(len(content) + 1)]


def _drop(rng: random.Random, content: bytes) -> bytes:
    begin = rng.randrange(len(content) + 1)
    return content[:begin] + content[begin + rng.choice((1, 2, 4, 16, 256)) :]


def _repeat(rng: random.Random, content: bytes) -> bytes:
    begin = rng.randrange(len(content) + 1)
    end = begin + rng.choice((1, 4, 12, 100))
    return content[:end] + content[begin:end] * rng.choice((1, 1, 50)) + content[end:]


def _field(rng: random.Random, content: bytes) -> bytes:
    """A number of the header, of 2 or 4 bytes, becomes an extreme one."""
    order, code = rng.choice("<>"), rng.choice("HI")
    size = struct.calcsize(code)
    if len(content) < size:
        return content
    place = rng.randrange(min(len(content) - size, 64) + 1)
    value = rng.choice(_SIZES) & (256**size - 1)
    return content[:place] + struct.pack(order + code, value) + content[place + size :]


def _foreign_end(rng: random.Random, content: bytes) -> bytes:
    """The beginning of one file and the end of another."""
    other = rng.choice(_seeds[rng.choice(tuple(_seeds))])
    return _cut(rng, content) + other[rng.randrange(len(other) + 1) :]


def _noise(rng: random.Random, content: bytes) -> bytes:
    return content[: rng.choice((0, 2, 4, 8, 16))] + rng.randbytes(rng.choice((1, 20, 300)))


def _png(rng: random.Random, content: bytes) -> bytes:
    """A chunk becomes another; the checksums are right, mostly."""
    chunks = _chunks(content)
    if not chunks:
        return content
    place = rng.randrange(len(chunks))
    name, data = chunks[place]
    deed = rng.randrange(8)
    if deed == 0 and len(chunks[0][1]) == 13:
        name, place, header = chunks[0][0], 0, list(struct.unpack(">IIBBBBB", chunks[0][1]))
        index = rng.randrange(7)
        header[index] = rng.choice(_SIZES) if index < 2 else rng.randrange(18)
        data = struct.pack(">IIBBBBB", *header)
    elif deed == 1:
        data = _flip(rng, data)
    elif deed == 2:
        data = data[: len(data) // 2] if rng.random() < 0.5 else data + bytes(rng.choice((1, 99)))
    elif deed == 3:
        name = rng.choice((b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"acTL", b"fcTL", b"zzzz"))
    elif deed == 4:
        chunks.insert(place, (name, data))
    elif deed == 5:
        pixels = zlib.compress(bytes(rng.choice((0, 1, 400, 1 << 20))))
        name, data = b"IDAT", pixels
    else:
        extra = rng.choice(
            (
                (b"eXIf", _odd_exif(rng)),
                (b"tEXt", b"Comment\0" + b"x" * 300),
                (b"zTXt", b"Comment\0\0" + zlib.compress(bytes(1 << rng.choice((4, 21))))),
                (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + rng.randbytes(20)),
                (b"iCCP", b"p\0\0" + zlib.compress(rng.randbytes(40))),
                (b"tRNS", rng.randbytes(rng.choice((1, 2, 6, 300)))),
                (b"acTL", struct.pack(">II", rng.choice(_SIZES), 0)),
                (b"fcTL", rng.randbytes(26)),
                (b"pHYs", rng.randbytes(rng.choice((3, 9)))),
                (b"gAMA", rng.randbytes(rng.choice((1, 4)))),
                (b"cHRM", rng.randbytes(rng.choice((1, 32)))),
                (b"sRGB", b""),
            )
        )
        chunks.insert(rng.randrange(1, len(chunks) + 1), extra)
        return _png_of(rng, chunks)
    chunks[place] = name, data
    return _png_of(rng, chunks)


def _chunks(content: bytes) -> list[tuple[bytes, bytes]]:
    chunks, place = [], 8
    while place + 12 <= len(content):
        length = int.from_bytes(content[place : place + 4], "big")
        chunks.append((content[place + 4 : place + 8], content[place + 8 : place + 8 + length]))
        place += 12 + length
    return chunks


def _png_of(rng: random.Random, chunks: list[tuple[bytes, bytes]]) -> bytes:
    parts, odd = [b"\x89PNG\r\n\x1a\n"], rng.randrange(len(chunks)) if rng.random() < 0.2 else -1
    for place, (name, data) in enumerate(chunks):
        length = rng.choice(_SIZES) if place == odd else len(data)
        parts += [struct.pack(">I", length), name, data, struct.pack(">I", zlib.crc32(name + data))]
    return b"".join(parts)


def _odd_exif(rng: random.Random) -> bytes:
    """EXIF data whose orientation, or any other entry, is of an odd type, count or value."""
    order = rng.choice("<>")
    count = rng.choice((0, 1, 2, 3, 0xFFFF))
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, count)
    for _ in range(min(count, 3)):
        tag = rng.choice((274, 274, 256, 271, 305, 0x8769, 0x8825, 0x927C, rng.randrange(65536)))
        type_, many = rng.choice((*range(14), 0xFFFF)), rng.choice((0, 1, 2, 1000, 0xFFFFFFFF))
        value = rng.choice((0, 1, 3, 6, 8, 9, 0x60000, 0xFFFFFFFF, rng.randrange(1 << 32)))
        head += struct.pack(order + "HHII", tag, type_, many, value)
    return head + struct.pack(order + "I", rng.choice((0, 8, 0xFFFFFFF0))) + rng.randbytes(8)


def _jpg(rng: random.Random, content: bytes) -> bytes:
    """A segment comes before the others, or one is changed."""
    if rng.random() < 0.5:
        marker, data = rng.choice(
            (
                (0xE1, b"Exif\0\0" + _odd_exif(rng)),
                (0xE2, b"MPF\0" + _odd_exif(rng)),
                (0xE2, b"ICC_PROFILE\0" + rng.randbytes(10)),
                (0xED, b"Photoshop 3.0\0" + rng.randbytes(30)),
                (0xEE, b"Adobe" + rng.randbytes(rng.choice((2, 7)))),
                (0xDB, rng.randbytes(rng.choice((1, 65)))),
                (0xC4, rng.randbytes(30)),
                (0xFE, b"x" * 500),
                (0xC0, struct.pack(">BHHB", 8, rng.choice(_SIZES) & 0xFFFF, 9, 3) + bytes(9)),
                (0xDD, b"\0\1"),
            )
        )
        length = len(data) + 2 if rng.random() < 0.8 else rng.choice(_SIZES) & 0xFFFF
        return content[:2] + struct.pack(">BBH", 0xFF, marker, length) + data + content[2:]
    starts = [i for i in range(len(content) - 9) if content[i] == 0xFF and content[i + 1] > 0xBF]
    if not starts:
        return content
    place = rng.choice(starts)
    frames = [i for i in starts if content[i + 1] in (0xC0, 0xC2)]
    if frames and rng.random() < 0.5:  # the size, the depth or the number of channels
        place, value = frames[0] + rng.choice((4, 5, 7, 9)), rng.choice(_SIZES) & 0xFFFF
        return content[:place] + struct.pack(">H", value) + content[place + 2 :]
    return content[: place + 1] + _flip(rng, content[place + 1 : place + 5]) + content[place + 5 :]


def _tif(rng: random.Random, content: bytes) -> bytes:
    """An entry of the directory becomes another."""
    order = "<" if content[:2] == b"II" else ">"
    if len(content) < 14:
        return content
    start = struct.unpack(order + "I", content[4:8])[0]
    if start + 14 > len(content):
        return content
    count = struct.unpack(order + "H", content[start : start + 2])[0]
    place = start + 2 + 12 * rng.randrange(max(1, min(count, (len(content) - start - 2) // 12)))
    entry = list(struct.unpack(order + "HHII", content[place : place + 12].ljust(12, b"\0")))
    index = rng.choice((0, 1, 2, 3, 3, 3))
    entry[index] = (
        rng.choice((256, 257, 258, 259, 262, 273, 274, 277, 279, 284, 317, 322, 330, 338, 339))
        if index == 0
        else rng.choice((*range(20), *_SIZES)) & (0xFFFF if index == 1 else 0xFFFFFFFF)
    )
    return content[:place] + struct.pack(order + "HHII", *entry) + content[place + 12 :]


def _ppm(rng: random.Random, content: bytes) -> bytes:
    numbers = (b"0", b"-1", b"1", b"65536", b"99999999999", b"2147483648", b"9 #c\n", b"nan", b"")
    parts = content.split(maxsplit=4)
    place = rng.randrange(len(parts) or 1)
    if parts:
        parts[place] = rng.choice((*numbers, b"P1", b"P2", b"P3", b"P6", b"PF", b"P7", b"Py"))
    return b"\n".join(parts)


_OF_ANY = (
    _flip, _flip, _flip_header, _flip_header, _cut, _cut, _drop, _repeat, _field, _field,
    _foreign_end, _noise,
)  # fmt: skip
_OF_KIND = {"png": _png, "jpg": _jpg, "tif": _tif, "ppm": _ppm}


# -- what is done with a case --------------------------------------------------------------------


def kept(path: Path) -> bytes:
    """The case that is kept in a file."""
    return path.read_bytes()


def run(content: bytes, folder: Path) -> str:
    """Look at the picture, and answer or learn: "answered", "refused" or "left out"."""
    head, _, body = content.partition(b"\n")
    ending, deed = head.decode().split()
    path = folder / f"case.{ending}"
    path.write_bytes(body)
    with watched():
        return _used(path, deed).partition(":")[0]


def _used(path: Path, deed: str) -> str:
    try:
        if deed == "predict":
            assert len(_models["fitted"].predict([str(path)])) == 1
        else:
            model = _models["new"](on_error="skip" if deed == "skip" else "raise", color="rgb")
            model.fit([*_models["pictures"], str(path)], [0, 1, 0, 1, 1])
            left_out = model.pictures_.left_out
            for _, reason in left_out:
                assert reason.isprintable() and len(reason) < 400, reason
            if left_out:
                return "left out: skip"
    except REFUSALS as error:
        sentence(error)
        return f"refused: {deed}"
    return f"answered: {deed}"
