"""libtiff is kept quiet while a TIFF is decoded, and only then."""

import threading

import numpy as np
import pytest
from PIL import Image

from pellucid.data import tiff
from pellucid.data.pictures import PictureError, Wanted, read_header, read_picture

pytestmark = pytest.mark.skipif(
    tiff._handler_setter() is None, reason="Pillow was built with libtiff inside it"
)


@pytest.fixture
def damaged(tmp_path):
    """A TIFF whose compressed pixels are noise."""
    path = tmp_path / "p.tif"
    levels = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
    Image.fromarray(levels).save(path, compression="tiff_adobe_deflate")
    content = bytearray(path.read_bytes())
    content[8:40] = bytes(byte ^ 0x55 for byte in content[8:40])
    path.write_bytes(content)
    return path


def decoded(path):
    with pytest.raises(PictureError, match=r"^it is damaged or breaks off \(.+\)$"):
        read_picture(path, Wanted(*read_header(path)[:4]))


def test_libtiff_says_nothing(damaged, capfd):
    decoded(damaged)
    assert capfd.readouterr() == ("", "")


def test_what_the_user_does_with_pillow_stays_as_it_was(damaged, capfd):
    decoded(damaged)
    with pytest.raises(OSError), Image.open(damaged) as picture:
        picture.load()
    assert "scanline" in capfd.readouterr().err


def test_the_last_of_several_threads_puts_the_handler_back(damaged, capfd):
    with tiff.quiet():
        threads = [threading.Thread(target=decoded, args=(damaged,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        decoded(damaged)  # quiet still: this thread is not through
    assert capfd.readouterr() == ("", "")
    assert tiff._silent == 0
    test_what_the_user_does_with_pillow_stays_as_it_was(damaged, capfd)
