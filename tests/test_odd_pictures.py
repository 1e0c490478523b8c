"""The corpus of odd picture files: what it holds, and that each is read or refused in one way."""

import json
import os
import re
import subprocess
import sys
import warnings
from collections import Counter

import pytest
from odd_pictures import HUGE, write

from pellucid import CNNClassifier, list_pictures
from pellucid.data import tiff
from pellucid.data.pictures import PictureError, Wanted, read_header, read_picture

PATIENCE = 300  # seconds for all of them, of which they need one or two

CHILD = """
import json, sys
from pellucid.data.pictures import PictureError, Wanted, read_header, read_picture
outcomes = []
for path in json.load(sys.stdin):
    try:
        read_picture(path, Wanted(*read_header(path)[:4]))
        outcomes.append("read")
    except PictureError:
        outcomes.append("refused")
    except BaseException as error:
        outcomes.append(repr(error))
print(json.dumps(outcomes))
"""


@pytest.fixture(scope="module")
def odds(tmp_path_factory):
    return write(tmp_path_factory.mktemp("odd"))


def named(odd):
    return f"{odd.format}, {odd.mode}, {odd.fault}"


def outcome(path):
    """ "read", "refused", or any other exception; Pillow may warn."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            header = read_header(path)
            pixels = read_picture(path, Wanted(*header[:4]))
        except PictureError as error:
            assert error.reason and error.reason.isprintable()
            return "refused"
        except Exception as error:
            return repr(error)
    assert pixels.shape == header.shape
    return "read"


def test_there_are_many_and_of_all_kinds(odds):
    assert len(odds) >= 90
    assert len({odd.path for odd in odds}) == len(odds)
    formats, modes, faults = (Counter(odd[at] for odd in odds) for at in (1, 2, 3))
    assert {"png", "jpeg", "gif", "bmp", "tiff", "tiff lzw", "ppm", "tga", "pcx"} <= set(formats)
    assert {"1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F", "RGB;16"} <= set(modes)
    assert {
        "none", "empty", "random bytes", "wrong ending", "one flipped byte", "a named pipe",
        "truncated at 10 %", f"{HUGE} x {HUGE} in the header",
        *(f"orientation {number}" for number in range(9)),
    } <= set(faults)  # fmt: skip
    readable = Counter(odd.readable for odd in odds)
    assert readable[True] >= 60 and readable[False] >= 40


def test_the_same_seed_writes_the_same_bytes(odds, tmp_path):
    again = write(tmp_path)
    assert [odd[1:] for odd in odds] == [odd[1:] for odd in again]
    for one, other in zip(odds, again, strict=True):
        holds_time = (one.format, one.fault) == ("avif", "three frames")
        if one.path.is_file() and not holds_time:
            assert one.path.read_bytes() == other.path.read_bytes(), named(one)


def test_each_is_read_or_refused_as_it_should_be(odds):
    wrong, words = {}, {True: "read", False: "refused"}
    for odd in odds:
        found = outcome(odd.path)
        expected = set(words.values()) if odd.readable is None else {words[odd.readable]}
        if found not in expected:
            wrong[named(odd)] = found
    assert not wrong


@pytest.mark.skipif(tiff._handler_setter() is None, reason="libtiff cannot be kept quiet")
def test_a_process_that_reads_them_all_says_nothing_but_warnings(odds):
    """Not by libraries in C either; Python's warnings are turned off."""
    paths = json.dumps([os.fspath(odd.path) for odd in odds])
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CHILD], input=paths, capture_output=True, text=True,
        timeout=PATIENCE,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    outcomes = json.loads(done.stdout)
    assert len(outcomes) == len(odds) and set(outcomes) == {"read", "refused"}


# -- all of them as a folder of two classes, through every command -----------------------------


COMMAND = [sys.executable, "-m", "pellucid"]
QUICK = ("--set", "image_size=12", "--set", "channels=4", "--max-epochs", "2", "-o", "m")
SKIP = ("--set", "on_error=skip")


@pytest.fixture(scope="module")
def classes(tmp_path_factory):
    """The folder above the two, and how many files a command finds in them."""
    root = tmp_path_factory.mktemp("all")
    for seed, name in enumerate(("one", "two")):
        write(root / "classes" / name, seed)
    return root, len(list_pictures(root / "classes")[0])


def command(root, *arguments, code):
    """What it says on standard output and on standard error, both without the line breaks."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)], cwd=root, capture_output=True, timeout=PATIENCE,
    )  # fmt: skip
    out, err = (part.decode("utf-8", "surrogateescape") for part in (done.stdout, done.stderr))
    assert done.returncode == code, (out[-2000:], err[-2000:])
    assert "Traceback" not in err
    assert not re.search(r"\.py:|UserWarning|TIFF\w+:|lib(tiff|png|jpeg)", err), err
    sentences = err.replace("\n  ", " ").splitlines()  # a line set in goes on from the one before
    for sentence in sentences:
        if sentence.startswith("pellucid: "):
            assert "classes/" in sentence or "pictures" in sentence, sentence
    return out, err


def test_a_fit_that_skips_learns_from_all_that_can_be_used(classes):
    root, count = classes
    for seed in range(3):  # other files are held out
        text = " ".join(command(root, "fit", "classes", *QUICK, *SKIP, "--seed", seed, code=0))
        text = " ".join(text.split())
        assert f"{count:,} pictures in 2 class folders" in text
        learned, held = map(int, re.search(r"from (\d+) pictures; (\d+) are held", text).groups())
        assert learned + held == count
        left = [
            re.search(rf"(\d+) of {part} pictures cannot be used", text) for part in (learned, held)
        ]
        tested = int(re.search(r"Test on (\d+) pictures", text)[1])
        assert all(left) and tested == held - int(left[1][1])


def test_a_fit_that_does_not_skip_names_one_and_leaves_nothing(classes):
    root, _ = classes
    (root / "m").unlink(missing_ok=True)
    _, err = command(root, "fit", "classes", *QUICK, code=2)
    assert re.search(r"error: picture \d+ of \d+, 'classes/", err)
    assert 'on_error="skip"' in err and not (root / "m").exists()


def test_each_file_has_a_row_with_an_answer_or_a_reason(classes):
    root, count = classes
    command(root, "fit", "classes", *QUICK, *SKIP, "-q", code=0)
    command(root, "predict", "m", "classes", "-o", "out.jsonl", code=3)
    rows = [json.loads(line) for line in (root / "out.jsonl").read_text().splitlines()]
    assert len(rows) == count
    assert all((row["class"] is None) == bool(row["error"]) for row in rows)
    bad = sum(row["class"] is None for row in rows)
    _, err = command(root, "predict", "m", "classes", code=3)
    assert f"{bad} of {count} pictures cannot be used and have no answer" in " ".join(err.split())
    out, _ = command(root, "evaluate", "m", "classes", code=3)
    text = " ".join(out.split())
    assert f"{bad} of {count} pictures cannot be used and are left out" in text
    assert f"{count - bad} pictures of" in text


def test_the_same_in_python(classes):
    root, count = classes
    paths, labels = list_pictures(root / "classes")
    model = CNNClassifier(4, image_size=12, on_error="skip", max_epochs=1, verbose=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(paths, labels, validation_data=(paths, labels))
    left_out = {position for position, _ in model.pictures_.left_out}
    good = [path for place, path in enumerate(paths) if place not in left_out]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert len(model.predict(good)) == count - len(left_out)
    assert model.about_.rows == count - len(left_out)
