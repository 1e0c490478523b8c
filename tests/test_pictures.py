"""One picture: what it is said to be, its pixels to the value, and why it cannot be used."""

import os
import signal
import struct
import sys
import threading
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pellucid.data import pictures
from pellucid.data.pictures import (
    FORMATS,
    Header,
    PictureError,
    Wanted,
    is_picture,
    read_header,
    read_picture,
)


def noise(*shape, dtype=np.uint8):
    """Levels of which none tells of another."""
    return np.random.default_rng(0).integers(0, np.iinfo(dtype).max + 1, shape, dtype=dtype)


GREY, COLOUR = noise(5, 7), noise(5, 7, 3)
EXIF = 274  # the tag of the orientation
UPRIGHT = {  # by orientation: the stored array made upright
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a, 1),
}


@pytest.fixture
def saved(tmp_path):
    """A function that writes an image or array and gives its path."""

    def save(image, name="picture.png", **options):
        image = Image.fromarray(image) if isinstance(image, np.ndarray) else image
        image.save(tmp_path / name, **options)
        return tmp_path / name

    return save


def read(source, resizes=False, **changes):
    """The pixels as they are, or with a few of the header's words changed."""
    wanted = Wanted(*read_header(source)[:4], "stretch" if resizes else None)
    return read_picture(source, wanted._replace(**changes))


def oriented(orientation):
    exif = Image.Exif()
    exif[EXIF] = orientation
    return exif


def palette_image(colours):
    """An image of the indices 0, 1, 2, ... and these colours."""
    image = Image.new("P", (len(colours), 1))
    image.putdata(range(len(colours)))
    image.putpalette([level for colour in colours for level in colour])
    return image


# -- kinds of picture --------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ("png", "gif", "tif", "bmp", "webp"))
def test_grey_is_read_to_the_value(saved, ending):
    path = saved(GREY, f"p.{ending}", **({"lossless": True} if ending == "webp" else {}))
    if ending == "webp":  # which knows no grey
        assert read_header(path) == Header(5, 7, 3, "bytes")
        np.testing.assert_array_equal(read(path), np.repeat(GREY[..., None], 3, axis=2))
        return
    assert read_header(path) == Header(5, 7, 1, "bytes")
    found = read(path)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, GREY[..., None])


@pytest.mark.parametrize("ending", ("png", "tif", "bmp"))
def test_colour_is_read_to_the_value(saved, ending):
    path = saved(COLOUR, f"p.{ending}")
    assert read_header(path) == Header(5, 7, 3, "bytes")
    np.testing.assert_array_equal(read(path), COLOUR)


@pytest.mark.parametrize("levels", (GREY, COLOUR), ids=("grey", "colour"))
def test_a_jpeg_is_what_pillow_decodes(saved, levels):
    path = saved(levels, "p.jpg", quality=95)
    with Image.open(path) as image:
        decoded = np.asarray(image).reshape(5, 7, -1)
    assert read_header(path) == Header(5, 7, decoded.shape[2], "bytes")
    np.testing.assert_array_equal(read(path), decoded)


def test_a_path_may_be_text_or_a_path_and_an_image_is_as_its_file(saved):
    path = saved(COLOUR)
    for source in (path, str(path)):
        np.testing.assert_array_equal(read(source), COLOUR)
    image = Image.fromarray(COLOUR)
    assert read_header(image) == read_header(path)
    np.testing.assert_array_equal(read(image), COLOUR)
    assert all(map(is_picture, (path, str(path), image)))
    assert not any(map(is_picture, (COLOUR, None, 3, float("nan"), b"p.png")))


def test_colour_becomes_grey_and_grey_colour_where_that_is_asked_for(saved):
    grey, colour = saved(GREY, "g.png"), saved(COLOUR, "c.png")
    found = read(grey, channels=3)
    np.testing.assert_array_equal(found, np.repeat(GREY[..., None], 3, axis=2))
    luma = COLOUR @ np.array([0.299, 0.587, 0.114])  # ITU-R 601
    found = read(colour, channels=1)
    assert found.shape == (5, 7, 1)
    np.testing.assert_allclose(found[..., 0], luma, atol=0.51)


@pytest.mark.parametrize("ending", ("png", "tif"))
def test_what_is_transparent_is_white(saved, ending):
    alpha = noise(5, 7, 1)
    alpha[0], alpha[1] = 0, 255
    path = saved(np.concatenate([COLOUR, alpha], axis=2), f"p.{ending}")
    assert read_header(path) == Header(5, 7, 3, "bytes")
    found, share = read(path), alpha / 255.0
    np.testing.assert_allclose(found, COLOUR * share + 255 * (1 - share), atol=1.01)
    assert (found[0] == 255).all()
    np.testing.assert_array_equal(found[1], COLOUR[1])


def test_grey_with_transparency_stays_grey_on_white(saved):
    alpha = noise(5, 7)
    alpha[0], alpha[1] = 0, 255
    path = saved(Image.merge("LA", (Image.fromarray(GREY), Image.fromarray(alpha))))
    assert read_header(path) == Header(5, 7, 1, "bytes")
    found, share = read(path)[..., 0], alpha / 255.0
    np.testing.assert_allclose(found, GREY * share + 255 * (1 - share), atol=1.01)
    assert (found[0] == 255).all()
    np.testing.assert_array_equal(found[1], GREY[1])


def test_one_colour_that_means_transparent_is_white(saved):
    """PNG's tRNS of grey and of RGB, which is no channel of its own."""
    grey = np.array([[10, 20, 30]], dtype=np.uint8)
    found = read(saved(grey, "g.png", transparency=20))
    np.testing.assert_array_equal(found[..., 0], [[10, 255, 30]])
    colour = np.array([[[1, 2, 3], [4, 5, 6]]], dtype=np.uint8)
    found = read(saved(colour, "c.png", transparency=(4, 5, 6)))
    np.testing.assert_array_equal(found, [[[1, 2, 3], [255, 255, 255]]])


GREYS = [(0, 0, 0), (100, 100, 100), (200, 200, 200), (7, 7, 7)]
COLOURS = [(0, 0, 0), (100, 0, 0), (0, 200, 5), (7, 8, 9)]


@pytest.mark.parametrize("ending", ("png", "gif"))
@pytest.mark.parametrize("colours", (GREYS, COLOURS), ids=("grey", "colour"))
def test_a_palette_of_greys_is_grey_and_of_colours_colour(saved, ending, colours):
    path = saved(palette_image(colours), f"p.{ending}")
    channels = 1 if colours is GREYS else 3
    assert read_header(path) == Header(1, 4, channels, "bytes")
    np.testing.assert_array_equal(read(path)[0], np.array(colours)[:, :channels])


@pytest.mark.parametrize("colours", (GREYS, COLOURS), ids=("grey", "colour"))
def test_a_palettes_transparency_is_white(saved, colours):
    channels = 1 if colours is GREYS else 3
    expected = np.array(colours)[:, :channels]
    for name, options in (("one.png", {"transparency": 1}), ("one.gif", {"transparency": 1})):
        path = saved(palette_image(colours), name, **options)
        assert read_header(path).channels == channels
        found = read(path)[0]
        assert (found[1] == 255).all(), name
        np.testing.assert_array_equal(found[[0, 2, 3]], expected[[0, 2, 3]])
    shares = np.array([255, 0, 128, 64])
    found = read(saved(palette_image(colours), "each.png", transparency=bytes(shares.tolist())))[0]
    by_hand = expected * (shares / 255)[:, None] + 255 * (1 - shares / 255)[:, None]
    np.testing.assert_allclose(found, by_hand, atol=1.01)


@pytest.mark.parametrize("ending", ("png", "tif", "gif"))
def test_one_bit_is_black_and_white(saved, ending):
    bits = noise(5, 9) % 2
    path = saved(Image.fromarray(255 * bits).convert("1"), f"p.{ending}")
    assert read_header(path) == Header(5, 9, 1, "bytes")
    np.testing.assert_array_equal(read(path)[..., 0], 255 * bits)


@pytest.mark.parametrize("ending", ("jpg", "tif"))
def test_print_colours_become_rgb(saved, ending):
    ink = np.zeros((8, 8, 4), dtype=np.uint8)
    ink[..., 1] = ink[..., 2] = 255  # magenta and yellow make red
    path = saved(Image.frombytes("CMYK", (8, 8), ink.tobytes()), f"p.{ending}")
    assert read_header(path) == Header(8, 8, 3, "bytes")
    found = read(path)
    np.testing.assert_allclose(found, np.broadcast_to([255, 0, 0], found.shape), atol=3)


@pytest.mark.parametrize("ending", ("png", "tif"))
def test_sixteen_bits_are_kept(saved, ending):
    levels = noise(5, 7, dtype=np.uint16)
    path = saved(levels, f"p.{ending}")
    assert read_header(path) == Header(5, 7, 1, "sixteen")
    found = read(path)
    assert found.dtype == np.uint16
    np.testing.assert_array_equal(found[..., 0], levels)


def test_sixteen_bits_in_either_byte_order(tmp_path):
    levels = noise(3, 4, dtype=np.uint16)
    for mark, order in ((b"II", "<"), (b"MM", ">")):
        tags = [(256, 4), (257, 3), (258, 16), (259, 1), (262, 1), (273, 8), (277, 1), (278, 3),
                (279, 24)]  # fmt: skip
        entries = b"".join(
            struct.pack(f"{order}HHII", tag, 4, 1, value)
            if tag in (273, 279)
            else struct.pack(f"{order}HHIHH", tag, 3, 1, value, 0)
            for tag, value in tags
        )
        body = levels.astype(f"{order}u2").tobytes()
        head = mark + struct.pack(f"{order}HI", 42, 8 + len(body))
        path = tmp_path / f"{mark.decode()}.tif"
        path.write_bytes(head + body + struct.pack(f"{order}H", 9) + entries + b"\0\0\0\0")
        assert read_header(path) == Header(3, 4, 1, "sixteen")
        np.testing.assert_array_equal(read(path)[..., 0], levels)


def test_numbers_of_any_size_are_kept(saved):
    numbers = (noise(5, 7) * np.float32(1e3) - 1e5) / np.float32(7)
    path = saved(numbers, "p.tif")
    assert read_header(path) == Header(5, 7, 1, "float")
    found = read(path)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found[..., 0], numbers)


def test_whole_numbers_beyond_sixteen_bits_do_not_wrap(saved):
    for low, high in ((0, 70_000), (-1, 5)):
        path = saved(np.array([[low, high]], dtype=np.int32), "p.tif")
        with pytest.raises(PictureError, match="whole numbers that are not of 16 bits"):
            read(path)
    within = np.array([[0, 65_535]], dtype=np.int32)
    np.testing.assert_array_equal(read(saved(within, "p.tif"))[..., 0], within)


def test_numbers_that_are_none_are_refused_in_files_too(saved):
    for value in (np.nan, np.inf):
        path = saved(np.array([[1, value]], dtype=np.float32), "p.tif")
        with pytest.raises(PictureError, match="NaN or infinity"):
            read(path)


def test_an_animation_gives_its_first_frame(saved):
    frames = [Image.fromarray(np.full((4, 6), level, np.uint8)) for level in (10, 200, 90)]
    grey = saved(frames[0], "grey.gif", save_all=True, append_images=frames[1:])
    assert read_header(grey) == Header(4, 6, 1, "bytes")
    assert (read(grey) == 10).all()
    frames = [Image.new("RGB", (6, 4), each) for each in ((255, 0, 0), (0, 0, 255))]
    for ending in ("gif", "png", "tif"):
        path = saved(frames[0], f"c.{ending}", save_all=True, append_images=frames[1:])
        with Image.open(path) as image:
            assert image.n_frames == 2
        np.testing.assert_array_equal(read(path), np.broadcast_to([255, 0, 0], (4, 6, 3)))


# -- upright -----------------------------------------------------------------------------------


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("levels", (GREY, COLOUR), ids=("grey", "colour"))
@pytest.mark.parametrize("ending", ("png", "jpg", "tif"))
def test_a_picture_stands_upright(saved, orientation, levels, ending):
    path, stored = saved(levels, f"p.{ending}", exif=oriented(orientation)), levels
    if ending == "jpg":  # which loses a little
        with Image.open(path) as image:
            stored = np.asarray(image)
    upright = UPRIGHT[orientation](stored).reshape(*UPRIGHT[orientation](stored).shape[:2], -1)
    with path.open("rb") as file, Image.open(file) as image:
        for source in (path, image):
            assert read_header(source) == Header(*upright.shape, "bytes")
            np.testing.assert_array_equal(read(source), upright)


@pytest.mark.parametrize("ending", ("png", "tif"))
@pytest.mark.parametrize("orientation", (3, 6))
def test_sixteen_bits_stand_upright(saved, orientation, ending):
    levels = noise(5, 7, dtype=np.uint16)
    path = saved(levels, f"p.{ending}", exif=oriented(orientation))
    np.testing.assert_array_equal(read(path)[..., 0], UPRIGHT[orientation](levels))


def test_a_turned_jpeg_is_resized_to_the_upright_size(saved):
    ramp = np.broadcast_to(np.arange(0, 240, 2, dtype=np.uint8), (80, 120))  # to the right
    path = saved(np.ascontiguousarray(ramp), "p.jpg", exif=oriented(6), quality=95)
    assert read_header(path)[:2] == (120, 80)
    found = read(path, resizes=True, height=12, width=8)[..., 0].astype(float)
    expected = np.arange(12) * 20 + 9.0  # the right is now below
    np.testing.assert_allclose(found, np.repeat(expected[:, None], 8, axis=1), atol=4)


def chunk(kind, content):
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)


def test_an_orientation_behind_the_pixels_is_told_when_they_are_read(saved):
    """A PNG may tell it late: its header, read without the pixels, cannot know."""
    path = saved(GREY)
    content = path.read_bytes()
    exif = oriented(6).tobytes().removeprefix(b"Exif\0\0")
    path.write_bytes(content[:-12] + chunk(b"eXIf", exif) + content[-12:])
    assert read_header(path)[:2] == (5, 7)
    with pytest.raises(PictureError, match="it is 7 x 5 pixels, and those of fit are 5 x 7"):
        read(path)
    found = read(path, resizes=True, height=7, width=5)
    np.testing.assert_array_equal(found[..., 0], UPRIGHT[6](GREY))


# -- resizing ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "levels",
    (
        np.full((9, 11), 77, np.uint8),
        np.full((9, 11, 3), 201, np.uint8),
        np.full((9, 11), 40_001, np.uint16),
        np.full((9, 11), -1234.5, np.float32),
        np.full((9, 11, 5), 255, np.uint8),
        np.full((9, 11, 2), 65_535, np.uint16),
    ),
    ids=("grey", "colour", "sixteen", "float", "five channels", "two of sixteen"),
)
@pytest.mark.parametrize("size", ((3, 4), (20, 5), (40, 40), (1, 1)))
def test_a_constant_picture_stays_so(saved, levels, size):
    sources = [levels]
    if levels.ndim == 2 or levels.shape[2] == 3:
        sources.append(saved(levels, "p.tif"))
        sources.append(Image.fromarray(levels))
    for source in sources:
        found = read(source, resizes=True, height=size[0], width=size[1])
        assert found.shape == (*size, 1 if levels.ndim == 2 else levels.shape[2])
        assert found.dtype == levels.dtype
        assert (found == levels.flat[0]).all()


@pytest.mark.parametrize("dtype", (np.uint8, np.uint16, np.float32))
def test_enlarging_is_bilinear(saved, dtype):
    ramp = np.array([[0, 40, 80, 120]], dtype=dtype)
    at = np.clip((np.arange(8) + 0.5) / 2 - 0.5, 0, 3)  # between middles of pixels
    for source in (ramp, saved(ramp, "p.tif")):
        found = read(source, resizes=True, width=8)
        assert found.dtype == dtype
        np.testing.assert_array_equal(found[0, :, 0], 40 * at)


def test_channels_of_an_array_are_resized_each_by_itself():
    levels = noise(6, 8, 5)
    found = read(levels, resizes=True, height=9, width=5)
    for channel in range(5):
        alone = read(levels[..., channel], resizes=True, height=9, width=5)
        np.testing.assert_array_equal(found[..., channel], alone[..., 0])


def test_an_array_is_resized_as_its_file_is(saved):
    for levels in (GREY, COLOUR):
        expected = read(saved(levels), resizes=True, height=8, width=3)
        np.testing.assert_array_equal(read(levels, resizes=True, height=8, width=3), expected)


def test_large_jpegs_are_shrunk_faithfully(saved):
    """They are decoded at a fraction of their size, which must not show."""
    down, across = np.mgrid[:320, :480]
    path = saved(((down + across) * 0.3).astype(np.uint8), "p.jpg", quality=95)
    found = read(path, resizes=True, height=16, width=24)[..., 0].astype(float)
    down, across = np.mgrid[:16, :24] * 20 + 9.5
    np.testing.assert_allclose(found, (down + across) * 0.3, atol=3)


# -- 8 and 16 bits -----------------------------------------------------------------------------


def test_eight_and_sixteen_bits_are_one_scale(saved):
    eight = np.arange(256, dtype=np.uint8).reshape(16, 16)
    wide = read(saved(eight), kind="sixteen")
    assert wide.dtype == np.uint16
    np.testing.assert_array_equal(wide[..., 0], eight.astype(np.int64) * 257)
    sixteen = np.arange(1 << 16, dtype=np.uint16).reshape(256, 256)
    narrow = read(saved(sixteen, "s.png"), kind="bytes")
    assert narrow.dtype == np.uint8
    np.testing.assert_array_equal(narrow[..., 0], np.rint(sixteen / 257))
    np.testing.assert_array_equal(narrow[..., 0][wide[..., 0] // 256, wide[..., 0] % 256], eight)


def test_sixteen_bits_become_colour_where_that_is_asked_for(saved):
    levels = noise(5, 7, dtype=np.uint16)
    path = saved(levels)
    found = read(path, channels=3)
    np.testing.assert_array_equal(found, np.repeat(levels[..., None], 3, axis=2))
    found = read(path, channels=3, kind="bytes")
    np.testing.assert_array_equal(found, np.repeat(np.rint(levels[..., None] / 257), 3, axis=2))


def test_an_array_of_sixteen_bits_is_scaled_as_a_file_is():
    assert (read(np.full((2, 2), 300, np.uint16), kind="bytes") == 1).all()
    assert (read(np.full((2, 2), 3, np.uint8), kind="sixteen") == 771).all()


# -- what is refused ---------------------------------------------------------------------------


def refused(source, words, **options):
    """The error of looking at `source`, or else of reading it."""
    with pytest.raises(PictureError, match=words) as caught:
        read(source, **options)
    assert not caught.value.reason.endswith(".")  # the caller ends the sentence
    return caught.value


def test_a_file_that_is_not_there_or_holds_no_picture(tmp_path, saved):
    refused(tmp_path / "gone.png", "^the file does not exist$")
    (tmp_path / "empty.png").touch()
    refused(tmp_path / "empty.png", "^the file is empty$")
    (tmp_path / "text.png").write_text("no picture\n" * 20)
    refused(tmp_path / "text.png", "^it is no picture that Pillow knows$")
    refused(str(tmp_path), "^it is a folder$")
    (tmp_path / "folder.png").mkdir()
    refused(tmp_path / "folder.png", "^it is a folder$")


POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 11\n%%EndComments\nshowpage\n"


@pytest.mark.parametrize(
    ("content", "kind"),
    (
        (POSTSCRIPT, "PostScript"),
        (b"\xc5\xd0\xd3\xc6" + struct.pack("<II", 32, 20) + bytes(20) + POSTSCRIPT, "PostScript"),
        (b"%PDF-1.7\n", "PDF"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"<?xml version='1.0'?><svg/>", "XML"),
        (b"\xd7\xcd\xc6\x9a" + bytes(40), "WMF"),
    ),
)
@pytest.mark.skipif(os.name != "posix", reason="the program that must not start is a script")
def test_a_picture_starts_no_program(tmp_path, monkeypatch, content, kind):
    """Pillow has PostScript run by the first ``gs`` in PATH: only raster pictures are opened."""
    (tmp_path / "gs").write_text(f"#!/bin/sh\ntouch '{tmp_path}/started'\n")
    (tmp_path / "gs").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr("PIL.EpsImagePlugin.gs_binary", None)  # whatever was found before
    for name in ("x.png", "x.eps"):
        (tmp_path / name).write_bytes(content)
        error = refused(tmp_path / name, f"^it is {kind}, and no raster picture$")
        assert error.way_out == "Convert it to PNG"
    assert not (tmp_path / "started").exists()


def test_only_decoders_of_pillow_itself_are_asked():
    Image.init()
    odd = {"EPS", "WMF", "PDF", "FPX", "MIC", "GRIB", "HDF5", "BUFR", "MPEG", "FITS", "IPTC"}
    assert not odd & set(FORMATS)
    assert {"PNG", "JPEG", "GIF", "BMP", "TIFF", "PPM"} <= set(FORMATS) & set(Image.OPEN)


def test_a_format_that_this_pillow_does_not_know_is_no_error(saved, monkeypatch):
    monkeypatch.setattr("pellucid.data.pictures.FORMATS", ("FROM THE FUTURE", *FORMATS))
    np.testing.assert_array_equal(read(saved(GREY))[..., 0], GREY)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes in folders are POSIX's")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    refused(tmp_path / "pipe.png", "^it is no regular file$")
    refused(Path("/dev/null"), "^it is no regular file$")


def test_what_pillow_logs_is_not_written(saved, capfd):
    """Without a handler Python writes errors that are logged to stderr."""
    content = bytearray(saved(COLOUR, "p.tif").read_bytes())
    place = content.index(struct.pack("<HH", 277, 3)) + 8  # samples per pixel
    content[place : place + 2] = struct.pack("<H", 8)
    path = Path(saved(COLOUR, "p.tif"))
    path.write_bytes(content)
    refused(path, "^it is no picture that Pillow knows$")
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_a_file_that_may_not_be_read(saved, monkeypatch):
    path = saved(GREY)

    def forbidden(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Image, "open", forbidden)  # root may read all there is
    refused(path, "^the file may not be read$")


@pytest.mark.parametrize("ending", ("png", "jpg", "tif", "gif"))
@pytest.mark.parametrize("share", (0.5, 0.9))
def test_a_file_that_breaks_off(saved, ending, share):
    levels = noise(64, 64, 3)
    path = saved(levels, f"p.{ending}")
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    error = refused(path, r"^it is (damaged or breaks off \(.+\)|no picture that Pillow knows)$")
    assert "\n" not in error.reason
    if ending in ("png", "jpg"):  # their headers are whole
        assert read_header(path) == Header(64, 64, 3, "bytes")
        assert "breaks off" in error.reason


def test_a_file_of_rubbish_behind_a_true_beginning(saved):
    path = saved(noise(64, 64))
    content = bytearray(path.read_bytes())
    content[60:400] = bytes(340)
    path.write_bytes(content)
    refused(path, r"^it is damaged or breaks off \(.+\)$")


def test_a_decompression_bomb_is_not_opened(saved, monkeypatch):
    just, far = (Image.new("L", (1500, height)) for height in (1000, 1500))
    just, far = saved(just, "just.png"), saved(far, "far.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1_000_000)
    refused(far, "more than 1 million pixels, as a decompression bomb has$")  # Pillow's error
    with pytest.raises(PictureError, match="more than 1 million pixels") as it:
        read_header(just)  # of which Pillow only warns
    assert it.value.way_out.endswith("set PIL.Image.MAX_IMAGE_PIXELS if you trust it")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2_000_000)
    assert read_header(just).shape == (1000, 1500, 1)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)  # no limit
    assert read_header(far).shape == (1500, 1500, 1)


@pytest.mark.parametrize("source", (3, None, float("nan"), b"p.png", ["p.png"], object()))
def test_what_is_no_path_is_named(source):
    words = r"^it must be a path, an image of Pillow's or an array\. It is "
    with pytest.raises(PictureError, match=words) as caught:
        read_header(source)
    assert repr(source)[:20] in str(caught.value)


@pytest.mark.parametrize(
    ("array", "words"),
    (
        (np.zeros(4), r"\(height, width\) or .*, none of them 0\. It is float64 of shape \(4,\)"),
        (np.zeros((2, 2, 2, 2), np.uint8), r"It is uint8 of shape \(2, 2, 2, 2\)"),
        (np.zeros((0, 5)), r"none of them 0\. It is float64 of shape \(0, 5\)"),
        (np.zeros((5, 5, 0)), r"none of them 0\. It is float64 of shape \(5, 5, 0\)"),
        (np.full((2, 2), "a"), r"must be numbers of shape .* It is <U1 of shape \(2, 2\)"),
        (np.zeros((2, 2), complex), r"must be numbers of shape .* It is complex128"),
        (np.array([[1, np.nan]]), "^it holds NaN or infinity$"),
        (np.array([[1, -np.inf]], dtype=np.float32), "^it holds NaN or infinity$"),
    ),
)
def test_arrays_that_are_no_picture(array, words):
    refused(array, words)


def test_pictures_unlike_the_wanted_ones_are_refused_with_the_way_out(saved):
    grey, deep = saved(GREY), saved(GREY.astype(np.float32), "f.tif")
    with pytest.raises(PictureError, match="it is 5 x 7 pixels, and those of fit are 6 x 7") as it:
        read(grey, height=6)
    assert it.value.way_out == "Resize it, or fit with image_size=(6, 7)"
    words = "it is of numbers of any size, and the others are of 8 bits"
    refused(deep, words, kind="bytes")
    refused(grey, "it is of 8 bits, and the others are of numbers of any size", kind="float")
    refused(GREY, "it is 5 x 7 pixels, and those of fit are 2 x 2", height=2, width=2)
    refused(np.zeros((5, 7, 5)), "it is of 5 channels, and the others are grey", channels=1)


def test_without_pillow_the_way_to_it_is_told(saved, monkeypatch):
    path = saved(GREY)
    monkeypatch.setitem(sys.modules, "PIL", None)
    words = r'^Pictures need Pillow, which is not installed\. Run: pip install "pellucid\[pictures'
    with pytest.raises(ImportError, match=words):
        read_header(path)
    assert read_header(GREY) == Header(5, 7, 1, "bytes")  # arrays of one size need none
    np.testing.assert_array_equal(read(GREY)[..., 0], GREY)
    with pytest.raises(ImportError, match=words):
        read(GREY, resizes=True, height=2)


def test_no_file_stays_open(saved):
    """Windows cannot remove a file that is open; Linux runs out of them."""
    if not Path("/proc/self/fd").exists():
        pytest.skip("needs /proc")
    good, broken = saved(COLOUR), saved(COLOUR, "b.png")
    broken.write_bytes(broken.read_bytes()[:60])
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        read(good)
        with pytest.raises(PictureError):
            read(broken)
        with pytest.raises(PictureError):
            read(good, height=1)
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::RuntimeWarning")  # of forks
def test_a_child_forked_while_an_image_is_loaded_can_load_one():
    begun, image = threading.Event(), Image.new("L", (3, 2))

    def load():
        with pictures._LOADING:
            begun.set()
            time.sleep(0.1)

    thread = threading.Thread(target=load)
    thread.start()
    begun.wait(10)
    child = os.fork()
    if child == 0:
        signal.alarm(30)  # ends a child that waits for ever
        os._exit(0 if read_header(image).shape == (2, 3, 1) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    thread.join()


# -- how a picture is resized ------------------------------------------------------------------


@pytest.mark.parametrize("as_array", (False, True))
@pytest.mark.parametrize("size", ((4, 8), (8, 4)))
def test_padding_keeps_the_proportions_on_black(saved, size, as_array):
    levels = np.full((6, 6, 3), 200, np.uint8)
    source = levels if as_array else saved(levels)
    found = read_picture(source, Wanted(*size, 3, "bytes", "pad"))
    middle = (slice(None), slice(2, 6)) if size == (4, 8) else (slice(2, 6), slice(None))
    expected = np.zeros((*size, 3), np.uint8)
    expected[middle] = 200
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("as_array", (False, True))
def test_cropping_keeps_the_proportions_and_the_middle(saved, as_array):
    levels = np.repeat(np.arange(12, dtype=np.uint8)[None, :] * 20, 4, axis=0)
    source = levels if as_array else saved(levels)
    found = read_picture(source, Wanted(4, 4, 1, "bytes", "crop"))
    np.testing.assert_array_equal(found[..., 0], levels[:, 4:8])
    stretched = read_picture(source, Wanted(4, 4, 1, "bytes", "stretch"))
    assert stretched[0, 0, 0] < 60 and stretched[0, -1, 0] > 160


@pytest.mark.parametrize("resize", ("stretch", "pad", "crop"))
@pytest.mark.parametrize("shape", ((1, 50), (50, 1), (7, 9), (3, 2)))
def test_any_proportions_can_be_resized(saved, resize, shape):
    levels = noise(*shape)
    of_file = read_picture(saved(levels), Wanted(6, 5, 1, "bytes", resize))
    assert of_file.shape == (6, 5, 1)
    np.testing.assert_array_equal(of_file, read_picture(levels, Wanted(6, 5, 1, "bytes", resize)))


# -- large pictures ----------------------------------------------------------------------------


def test_large_pictures_are_shrunk_before_they_are_copied(saved, monkeypatch):
    """To nearly the same pixels, transparent ones on white."""
    smooth = Image.fromarray(noise(6, 9, 4)).resize((900, 600), Image.Resampling.BICUBIC)
    path = saved(smooth)
    wanted = Wanted(20, 30, 3, "bytes", "stretch")
    expected = read_picture(path, wanted).astype(int)
    monkeypatch.setattr(pictures, "_LARGE", 1000)
    assert np.abs(read_picture(path, wanted) - expected).max() <= 3


@pytest.mark.parametrize("side", (8, 100))
def test_thumbnails_are_small_and_of_their_colours(saved, side):
    path = saved(np.full((30, 60, 3), 51, np.uint8))
    found = pictures.thumbnail(path, side)
    assert found.shape == ((4, 8, 3) if side == 8 else (30, 60, 3))
    np.testing.assert_allclose(found, 0.2)
    assert pictures.thumbnail(saved(GREY), 100).shape == (5, 7, 3)


# -- sixteen bits in colour --------------------------------------------------------------------


def png_of_sixteen_bits(path, color_type, channels):
    """Pillow writes none in colour."""
    rows = b"".join(b"\0" + bytes(2 * channels * 4) for _ in range(3))
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", 4, 3, 16, color_type, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)), (b"IEND", b""),
    ]  # fmt: skip
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        for name, content in parts:
            check = zlib.crc32(name + content)
            file.write(struct.pack(">I", len(content)) + name + content + struct.pack(">I", check))
    return path


def test_sixteen_bits_of_which_pillow_gives_eight_are_told_of(tmp_path, saved):
    for color_type, channels in ((2, 3), (6, 4), (4, 2)):
        path = png_of_sixteen_bits(tmp_path / f"{color_type}.png", color_type, channels)
        assert read_header(path).narrowed
    (tmp_path / "p.ppm").write_bytes(b"P6 2 1 65535\n" + bytes(12))
    assert read_header(tmp_path / "p.ppm").narrowed
    assert not read_header(saved(COLOUR)).narrowed
    assert not read_header(saved(GREY.astype(np.uint16), "g.png")).narrowed
    assert not read_header(saved(COLOUR, "b.bmp")).narrowed
