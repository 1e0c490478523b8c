"""Predictions drawn beside what is true: points for numbers, a matrix for classes."""

from __future__ import annotations

import numpy as np
import pytest

from pellucid.inspection import draw_predictions
from pellucid.inspection.predictions import Confusion

pytest.importorskip("matplotlib")


def cells(axes):
    return {text.get_text() for text in axes.texts}


def test_classes_have_counts_and_shares():
    truth, predicted = ["cat", "cat", "cat", "dog"], ["cat", "cat", "dog", "bird"]
    (axes,) = draw_predictions(truth, predicted, names=["animal"]).axes
    matrix = Confusion(np.array(truth), np.array(predicted))
    assert matrix.labels == ["bird", "cat", "dog"]
    assert matrix.counts.tolist() == [[0, 0, 0], [0, 2, 1], [1, 0, 0]]  # rows are true classes
    assert cells(axes) == {"2\n67%", "1\n33%", "1\n100%"}
    assert axes.get_title() == "animal: 2 of 4 right (50.0%)"
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted", "true")


@pytest.mark.parametrize("labels", [[False, True], [3, 12], ["是", "否"], [0, 1]])
def test_labels_of_any_type(labels, tmp_path):
    truth = np.array(labels * 10)
    (axes,) = draw_predictions(truth, truth, tmp_path / "a.png").axes
    assert [t.get_text() for t in axes.get_xticklabels()] == [str(each) for each in sorted(labels)]


@pytest.mark.parametrize(
    ("count", "numbers", "ticks", "size"),
    [(2, 2, 2, 2), (20, 20, 20, 20), (21, 0, 21, 21), (100, 0, 34, 100), (101, 0, 34, 100)],
)
def test_many_classes_are_drawn_coarser(count, numbers, ticks, size, tmp_path):
    truth = np.arange(count).repeat(3)
    axes = draw_predictions(truth, truth, tmp_path / "a.png").axes[0]
    assert len(axes.texts) == numbers and len(axes.get_xticklabels()) == ticks
    assert axes.images[0].get_array().shape == (size, size)
    # the picture does not grow with the classes
    assert max(axes.figure.get_size_inches()) < 12


def test_the_most_frequent_classes_are_kept_and_the_others_are_one():
    truth = np.array([f"c{n}" for n in range(150) for _ in range(1 + n % 50)], dtype=object)
    matrix = Confusion(truth, np.roll(truth, 1))
    assert len(matrix.labels) == 100 and matrix.labels[-1] == "all others"
    assert "c49" in matrix.labels and "c0" not in matrix.labels
    assert matrix.counts.sum() == len(truth)
    assert matrix.right == np.sum(truth == np.roll(truth, 1))


def test_long_names_keep_their_ends():
    names = np.array([f"a very long name of a class, number {n}" for n in range(3)])
    (axes,) = draw_predictions(names, names).axes
    assert [t.get_text() for t in axes.get_yticklabels()] == [
        f"a very lo… number {n}" for n in range(3)
    ]


def test_numbers_are_points_about_the_line_of_equals():
    truth = np.array([1.0, 2.0, 3.0, np.nan])
    (axes,) = draw_predictions(truth, [1.5, 2.0, 2.5, 0.0], names=["p_$x$"]).axes
    points, line = axes.get_lines()
    assert points.get_xdata().tolist() == [1, 2, 3] and points.get_ydata().tolist() == [1.5, 2, 2.5]
    assert axes.get_title() == "p_$x$: R² 0.750"
    assert list(line.get_xdata()) == list(line.get_ydata()) == list(axes.get_xlim())
    assert axes.get_xlim() == axes.get_ylim()


@pytest.mark.parametrize("truth", [[5.0, 5.0], [0.0, 0.0], [np.nan, np.nan], [1e300, -1e300]])
def test_odd_numbers_are_drawn_without_a_warning(truth, tmp_path):
    (axes,) = draw_predictions(truth, truth, tmp_path / "a.png").axes
    assert np.ptp(axes.get_xlim()) > 0


def test_of_many_rows_some_are_drawn_and_all_are_scored():
    truth = np.random.default_rng(0).normal(size=20_000)
    (axes,) = draw_predictions(truth, truth + 1.0).axes
    assert len(axes.get_lines()[0].get_xdata()) == 5000
    assert axes.get_title() == f"R² {1 - 1 / truth.var():.3f}, 5,000 of 20,000 rows"


def test_of_several_targets_the_first_are_drawn():
    truth = np.random.default_rng(0).normal(size=(30, 5))
    axes = draw_predictions(truth, truth, names=list("abcde")).axes
    assert [each.get_title()[0] for each in axes] == ["a", "b", "c"]
    bits = truth > 0
    assert len(draw_predictions(bits, bits).axes) == 3


def test_what_cannot_be_drawn_is_refused():
    for truth, predicted in (([1.0], [1.0, 2.0]), ([], [])):
        with pytest.raises(ValueError, match="must have the same shape, and a row. Got"):
            draw_predictions(truth, predicted)
