"""Pictures and signals in an ONNX graph: number by number what the encoder makes of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from onnx_encoded import Fitted, check_rows, functions_of_the_page, graph_of
from PIL import Image

from pellucid.data import PictureEncoder
from pellucid.export.onnx.inputs import input_feed


def _levels() -> np.ndarray:
    levels = np.random.default_rng(0).integers(0, 256, (5, 8, 9, 3)).astype(np.uint8)
    levels[..., 1] = 7  # a channel that says nothing
    return levels


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_levels_and_numbers(dtype):
    levels = _levels()
    for X in (levels, levels[..., 0], levels.astype(np.uint16) * 200, levels / 255):
        model = Fitted(PictureEncoder(), X, dtype)
        check_rows(model, X)
        wanted = X.dtype if X.dtype.kind == "u" else np.float64
        assert input_feed(model, X)["X"].dtype == wanted


@pytest.mark.filterwarnings("ignore:X holds numbers from")
def test_numbers_in_another_unit_come_as_those_of_fit():
    levels = _levels()
    check_rows(Fitted(PictureEncoder(), levels / 255), levels)
    check_rows(Fitted(PictureEncoder(), levels), levels / 255)
    check_rows(Fitted(PictureEncoder(), levels), levels.astype(np.uint16) * 257)


def test_pictures_are_resized_before():
    levels = _levels()
    model = Fitted(PictureEncoder(image_size=6), list(levels))
    pictures = [Image.fromarray(one) for one in levels]
    assert input_feed(model, pictures)["X"].shape == (5, 6, 6, 3)
    check_rows(model, pictures)
    kept = PictureEncoder(image_size=6, cache_size=0)
    check_rows(Fitted(kept, list(levels)), pictures)


def test_signals():
    X = np.random.default_rng(0).normal(size=(5, 30, 2))
    check_rows(Fitted(PictureEncoder(signals=True), X), X)
    some = [row[:length] for row, length in zip(X, [30, 5, 9, 20, 11], strict=True)]
    check_rows(Fitted(PictureEncoder(signals=True), some), some)
    check_rows(Fitted(PictureEncoder(), X[:, :, 0]), X[:, :, 0])
    table = pd.DataFrame(X[:, :, 0]).rename(columns=str)
    check_rows(Fitted(PictureEncoder(), table), table)


def test_levels_come_as_they_are():
    """A runtime is fed with a quarter of the bytes, or an eighth."""
    (fed,) = graph_of(Fitted(PictureEncoder(), _levels())).graph.input
    assert fed.type.tensor_type.elem_type == 2  # uint8


def test_pictures_are_resized_outside_as_the_page_says(tmp_path):
    """The page's own function gives what the model reads of a file, to the level."""
    prepared = functions_of_the_page()["prepared"]
    rng, paths = np.random.default_rng(0), []
    kinds = [("RGBA", ".png"), ("LA", ".png"), ("RGB", ".jpg"), ("L", ".png"), ("P", ".gif")]
    for mode, ending in kinds:
        levels = rng.integers(0, 256, (90, 70, len(Image.new(mode, (1, 1)).getbands())))
        smooth = Image.fromarray(levels.astype(np.uint8).squeeze(), "L" if mode == "P" else mode)
        exif = Image.Exif()
        exif[274] = 6 if ending == ".jpg" else 1  # turned by a quarter
        more = {"transparency": 3} if mode == "P" else {}
        smooth.convert(mode).save(tmp_path / f"{mode}{ending}", exif=exif, **more)
        paths.append(str(tmp_path / f"{mode}{ending}"))
    for color, mode in (("rgb", "RGB"), ("grey", "L")):
        model = Fitted(PictureEncoder(image_size=(24, 20), color=color), paths)
        made = [prepared(path, 24, 20, mode) for path in paths]
        np.testing.assert_array_equal(input_feed(model, paths)["X"], np.stack(made))
