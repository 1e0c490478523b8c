"""Feature maps: what is drawn is what was computed, and a cell is the sum that it is said to be."""

from __future__ import annotations

import numpy as np
import pytest

from pellucid import CNNClassifier, FCNNClassifier, NetworkClassifier, formulas
from pellucid.inspection import FeatureMapDisplay
from pellucid.inspection.panels import corner, tiled
from pellucid.inspection.walk import walk_of_row
from pellucid.layers import Conv1d, Conv2d, Flatten, MaxPool2d, ReLU

pytest.importorskip("matplotlib")

QUICK = {"max_epochs": 1, "random_state": 0, "verbose": 0}
PICTURES = np.random.default_rng(0).normal(size=(8, 7, 9, 2)).astype(np.float32)
LABELS = np.arange(8) % 2


@pytest.fixture(scope="module")
def model():
    """A convolution with a bias, whose windows skip pixels and reach into the padding."""
    first = Conv2d(5, (3, 2), stride=2, padding=2, dilation=(1, 2))
    layers = [first, ReLU(), MaxPool2d(2), Conv2d(3, 2), Flatten()]
    model = NetworkClassifier(layers, **QUICK).fit(PICTURES, LABELS)
    bias = np.linspace(-1, 1, 5).astype(np.float32)
    model.network_.set_parameters({"0.bias": bias})
    return model


@pytest.mark.parametrize("layer", (None, 3))
def test_each_cell_is_the_sum_of_its_products_and_the_bias(model, layer):
    maps = FeatureMapDisplay.of(model, PICTURES, row=2, layer=layer).maps
    first = next(iter(maps.values()))
    for cell in np.ndindex(first.shape[:2]):
        for channel in range(first.shape[2]):
            display = FeatureMapDisplay.of(
                model, PICTURES, row=2, layer=layer, cell=cell, channel=channel
            )
            assert display.sum == pytest.approx(first[*cell, channel], abs=1e-12)
            np.testing.assert_array_equal(
                display.products, display.patch * display.kernels[..., channel]
            )


def test_maps_are_those_of_the_walk_as_far_as_they_are_maps(model):
    display = FeatureMapDisplay.of(model, PICTURES, row=2)
    steps = walk_of_row(model, PICTURES, row=2).walk.steps
    assert list(display.maps) == ["0: Conv2d", "1: ReLU", "2: MaxPool2d"]
    for maps, step in zip(display.maps.values(), steps, strict=False):
        np.testing.assert_array_equal(maps, step.y[0])
    np.testing.assert_array_equal(display.input, steps[0].x[0])


def test_the_cell_is_by_default_that_of_the_largest_number(model):
    display = FeatureMapDisplay.of(model, PICTURES, channel=3)
    assert display.sum == pytest.approx(display.maps["0: Conv2d"][..., 3].max())
    assert "ReLU makes" in str(display) and "MaxPool2d makes" not in str(display)


def test_what_is_drawn_is_what_was_computed(model):
    display = FeatureMapDisplay.from_estimator(model, PICTURES, row=1, channel=2)
    upper, lower = display.ax_
    place = display.heaviest
    np.testing.assert_array_equal(
        upper[1].images[0].get_array().filled(np.nan), tiled(display.kernels[:, :, place])
    )
    for panel, maps in zip(upper[2:], display.maps.values(), strict=False):
        np.testing.assert_array_equal(panel.images[0].get_array().filled(np.nan), tiled(maps))
    for panel, values in zip(
        lower, (display.patch, display.kernels[..., 2], display.products), strict=False
    ):
        np.testing.assert_array_equal(panel.images[0].get_array(), values[..., place])
    widths = [bar.get_width() for bar in lower[3].patches]
    assert widths[-1] == display.sum and widths[-2] == display.bias
    assert sum(widths[:-1]) == pytest.approx(display.sum)
    assert sorted(widths[:2]) == pytest.approx(sorted(display.products.sum(axis=(0, 1))))


def test_the_frame_is_around_the_map_that_is_looked_at(model):
    display = FeatureMapDisplay.from_estimator(model, PICTURES, channel=4, cell=(1, 2))
    panel = display.ax_[0, 2]
    size = display.maps["0: Conv2d"].shape[:2]
    around, cell = panel.patches
    assert (around.get_width(), around.get_height()) == size[::-1]
    tiles = panel.images[0].get_array()
    top, left = round(cell.get_y() + 0.5), round(cell.get_x() + 0.5)
    assert tiles[top, left] == display.maps["0: Conv2d"][1, 2, 4]


def test_signals_are_pictures_of_one_row():
    X = np.random.default_rng(0).normal(size=(8, 20, 2))
    model = NetworkClassifier([Conv1d(3, 5, padding=1), Flatten()], **QUICK).fit(X, LABELS)
    display = FeatureMapDisplay.of(model, X, channel=1, cell=17)
    x = walk_of_row(model, X).x
    p = model.network_.parameters()
    expected = formulas.convolution1d(x, p["0.weight"], p["0.bias"], padding=1)[0]
    assert display.cell == (0, 17) and display.patch.shape == (1, 5, 2)
    assert display.sum == pytest.approx(expected[17, 1]) and not display.patch[0, -1].any()
    drawn = display.plot().ax_[0, 2].images[0].get_array().filled(np.nan)
    np.testing.assert_allclose(drawn[0], expected[:, 0])


def test_a_convolution_in_a_residual_block_is_found():
    X = np.random.default_rng(0).normal(size=(8, 40, 1))
    model = CNNClassifier(channels=4, signals=True, **QUICK).fit(X, LABELS)
    display = FeatureMapDisplay.of(model, X, layer="0.layers.3")
    assert list(display.maps) == ["0.layers.3: Conv1d", "0.layers.4: BatchNorm"]
    with pytest.raises(ValueError, match=r"one of 0\.layers\.0, 0\.layers\.3.* Got 0\."):
        FeatureMapDisplay.of(model, X, layer=0)


def test_many_large_maps_are_cut_and_it_is_said():
    rng = np.random.default_rng(0)
    kernels, bias = rng.normal(size=(3, 3, 3, 512)), 0.5
    maps = {"conv": rng.normal(size=(112, 112, 512))}
    display = FeatureMapDisplay(
        rng.normal(size=(224, 224, 3)), kernels, maps, patch=np.ones((3, 3, 3)), bias=bias,
        cell=(3, 4), channel=400,
    )  # fmt: skip
    assert "496 maps are not drawn" in str(display)
    display.plot()
    assert display.shown == [*range(15), 400]
    assert "16 of 512 maps, 112 x 112" in display.ax_[0, 2].get_title()
    assert display.ax_[0, 0].images[0].get_array().shape == (224, 224, 3)


def test_tiles_begin_at_their_corners():
    maps = np.arange(2 * 3 * 5.0).reshape(2, 3, 5)
    tiles = tiled(maps, 2)
    assert tiles.shape == (8, 7) and np.isnan(tiles[2]).all()
    for index in range(5):
        top, left = corner(index, (2, 3), 2)
        np.testing.assert_array_equal(tiles[top : top + 2, left : left + 3], maps[..., index])


def test_what_cannot_be_shown_is_refused(model):
    with pytest.raises(ValueError, match=r"^channel of FeatureMapDisplay must be .* 4\. Got 5\.$"):
        FeatureMapDisplay.of(model, PICTURES, channel=5)
    with pytest.raises(ValueError, match=r"^the column of cell of FeatureMapDisplay must be"):
        FeatureMapDisplay.of(model, PICTURES, cell=(0, 99))
    with pytest.raises(TypeError, match=r"^cell of FeatureMapDisplay must be \(row, column\)\. G"):
        FeatureMapDisplay.of(model, PICTURES, cell=3)
    table = FCNNClassifier(2, **QUICK).fit(np.eye(4), [0, 1, 0, 1])
    with pytest.raises(ValueError, match=r"must have a Conv1d or Conv2d\. Got FCNNClassifier with"):
        FeatureMapDisplay.of(table, np.eye(4))
