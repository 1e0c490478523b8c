"""Pooling: windows, who won them, and who gets the gradient, for every way to lay windows."""

from __future__ import annotations

import numpy as np
import pytest

from pellucid import FCNNClassifier, NetworkClassifier
from pellucid.inspection import PoolingDisplay
from pellucid.inspection.walk import walk_of_row
from pellucid.layers import (
    AvgPool1d,
    AvgPool2d,
    Conv1d,
    Conv2d,
    Flatten,
    GlobalAvgPool,
    MaxPool1d,
    MaxPool2d,
)

pytest.importorskip("matplotlib")

QUICK = {"max_epochs": 1, "random_state": 0, "verbose": 0}
PICTURES = np.random.default_rng(0).normal(size=(6, 7, 8, 2)).astype(np.float32)
SIGNALS = np.random.default_rng(1).normal(size=(6, 11, 2)).astype(np.float32)
LABELS = np.arange(6) % 2
POOLS = [
    MaxPool2d(2), MaxPool2d(3, stride=2, padding=1), MaxPool2d((2, 3), ceil_mode=True),
    AvgPool2d(2), AvgPool2d(3, stride=1, padding=1), AvgPool2d(3, padding=1, ceil_mode=True),
    AvgPool2d(3, stride=2, padding=1, count_include_pad=True), GlobalAvgPool(),
]  # fmt: skip
POOLS_1D = [MaxPool1d(3, stride=2, padding=1), AvgPool1d(2), GlobalAvgPool()]


def fitted(pool):
    flat = isinstance(pool, (MaxPool1d, AvgPool1d))
    layers = [(Conv1d if flat else Conv2d)(3, 2, padding="same"), pool, Flatten()]
    return NetworkClassifier(layers, **QUICK).fit(SIGNALS if flat else PICTURES, LABELS)


def display_of(pool, channel=1):
    model = fitted(pool)
    X = PICTURES if model._input.domain == "pictures" else SIGNALS
    return PoolingDisplay.of(model, X, LABELS, row=2, channel=channel), walk_of_row(
        model, X, LABELS, 2
    )


@pytest.mark.parametrize("pool", [*POOLS, *POOLS_1D], ids=repr)
def test_windows_give_what_goes_on_and_take_the_gradient_back(pool):
    """Each window's number and the whole gradient, made once more of the windows alone."""
    display, row = display_of(pool)
    step = row.walk.steps[1]
    np.testing.assert_array_equal(display.y, np.atleast_2d(step.y[0, ..., 1]))
    np.testing.assert_array_equal(display.dy, np.atleast_2d(step.dy[0, ..., 1]))
    dx = np.zeros_like(display.x)
    for place in np.ndindex(display.y.shape):
        top, left, height, width = display.windows[place]
        seen = display.x[top : top + height, left : left + width]
        if display.winners is not None:
            winner = tuple(display.winners[place])
            assert display.y[place] == seen.max() == display.x[winner]
            assert top <= winner[0] < top + height and left <= winner[1] < left + width
            dx[winner] += display.dy[place]
        else:
            count = display.counts[place]
            assert display.y[place] == pytest.approx(seen.sum() / count, abs=1e-12)
            dx[top : top + height, left : left + width] += display.dy[place] / count
    np.testing.assert_allclose(display.dx, dx, atol=1e-14)
    np.testing.assert_array_equal(display.dx, np.atleast_2d(step.dx[0, ..., 1]))


def test_what_is_drawn_is_what_was_computed():
    display, _ = display_of(POOLS[0])
    display.plot()
    for panel, values in zip(
        display.ax_[0], (display.x, display.y, display.dy, display.dx), strict=True
    ):
        np.testing.assert_array_equal(panel.images[0].get_array(), values)
    frames = [(round(p.get_y() + 0.5), round(p.get_x() + 0.5)) for p in display.ax_[0, 3].patches]
    count = display.y.size
    assert frames[:count] == [tuple(w[:2]) for w in display.windows.reshape(-1, 4)]
    assert frames[count:] == [tuple(w) for w in display.winners.reshape(-1, 2)]


def test_without_targets_there_are_no_gradients():
    model = fitted(MaxPool2d(2))
    display = PoolingDisplay.from_estimator(model, PICTURES)
    assert display.dx is None and display.ax_.shape == (1, 2)
    assert "gradient" not in str(display)


def test_the_verdict_counts_those_that_get_something():
    display, _ = display_of(MaxPool2d(2))
    assert str(display).startswith("1: MaxPool2d, map 1: 12 windows of 2 x 2; 12 of 56 numbers won")
    assert str(display).endswith("The gradient goes back to 12 of 56 numbers: the winners.")
    display, _ = display_of(AvgPool2d(2))
    assert "the mean of each goes on" in str(display) and "an equal share" in str(display)


def test_a_large_map_has_no_frames():
    x = np.random.default_rng(0).normal(size=(224, 224))
    windows = np.zeros((112, 112, 4), dtype=int)
    windows[..., 2:] = 2
    display = PoolingDisplay(x, x[::2, ::2], windows, counts=np.full((112, 112), 4)).plot()
    assert not display.ax_[0, 0].patches and not display.ax_[0, 0].texts


def test_what_cannot_be_shown_is_refused():
    model = fitted(MaxPool2d(2))
    with pytest.raises(ValueError, match=r"number of a pooling layer in network_\.layers.*Got 0\."):
        PoolingDisplay.of(model, PICTURES, layer=0)
    table = FCNNClassifier(2, **QUICK).fit(np.eye(4), [0, 1, 0, 1])
    with pytest.raises(ValueError, match=r"of PoolingDisplay must have a pooling layer\. Got FCNN"):
        PoolingDisplay.of(table, np.eye(4))
