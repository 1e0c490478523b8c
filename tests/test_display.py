"""What all displays share: where they are drawn, what they say, and what a notebook shows."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline

from pellucid import FCNNClassifier
from pellucid.inspection.display import Display, check_model, html_table

matplotlib = pytest.importorskip("matplotlib")

HOSTILE = "</script><script>alert(1)</script>\" onload='x' 价 $\\frac$"


class Bars(Display):
    """A panel for each list of numbers."""

    def __init__(self, *lists):
        self.lists = lists

    @classmethod
    def of(cls, model, X, *, twice=False):
        check_model(cls.__name__, model)
        return cls(X, X) if twice else cls(X)

    def __str__(self):
        return f"{len(self.lists)} of {HOSTILE}"

    @property
    def _size(self):
        return 3 * len(self.lists), 2

    @property
    def _grid(self):
        return {"ncols": len(self.lists)}

    def _draw(self, axes):
        for panel, numbers in zip(axes[0], self.lists, strict=True):
            panel.bar(range(len(numbers)), numbers)
            panel.set_title(HOSTILE)

    def _table(self):
        return [HOSTILE, "value"], [[HOSTILE, number] for number in self.lists[0]]


def heights(axes):
    return [bar.get_height() for bar in axes.patches]


@pytest.fixture(scope="module")
def model():
    X = np.arange(20.0).reshape(10, 2)
    return FCNNClassifier(max_epochs=1, verbose=0, random_state=0).fit(X, [0, 1] * 5)


def test_computing_draws_nothing_and_from_estimator_draws(model):
    assert not hasattr(Bars.of(model, [1.0, 2.0]), "ax_")
    display = Bars.from_estimator(model, [1.0, 2.0])
    assert heights(display.ax_) == [1.0, 2.0]
    assert display.figure_ is display.ax_.figure
    display = Bars.from_estimator(model, [1.0, 2.0], twice=True)
    assert display.ax_.shape == (1, 2) and heights(display.ax_[0, 1]) == [1.0, 2.0]


@pytest.mark.parametrize("layout", [None, "constrained"])
def test_an_ax_is_drawn_into_and_several_panels_divide_its_place(layout):
    figure = matplotlib.figure.Figure(layout=layout)
    left, right = figure.subplots(1, 2)
    left.set_title("$x^2$")
    right.text(0.5, 0.5, "gone")
    one = Bars([1.0]).plot(left)
    assert one.ax_ is left and one.figure_ is figure
    two = Bars([3.0], [4.0]).plot(right)
    assert two.figure_ is figure and right not in figure.axes
    figure.draw_without_rendering()
    for axes, height in zip(two.ax_[0], (3.0, 4.0), strict=True):
        assert heights(axes) == [height]
        assert axes.get_window_extent().x0 > left.get_window_extent().x1


def test_names_elsewhere_in_a_figure_stay_formulas():
    figure = matplotlib.figure.Figure()
    left, right = figure.subplots(1, 2)
    left.set_title("$x^2$")
    Bars([1.0]).plot(right)
    Bars([1.0], [2.0]).plot(figure.subplots())
    assert left.title.get_parse_math() and not right.title.get_parse_math()


def test_a_path_is_written(tmp_path):
    Bars([1.0], [2.0]).plot(path=tmp_path / "bars.svg")
    assert (tmp_path / "bars.svg").read_text().startswith("<?xml")
    with pytest.raises(ValueError, match=r"a picture must have a name that ends in"):
        Bars([1.0]).plot(path=tmp_path / "bars.txt")


def test_no_axes_is_refused():
    with pytest.raises(TypeError, match=r"^ax of Bars.plot must be Axes of matplotlib. Got 3\.$"):
        Bars([1.0]).plot(3)
    free = matplotlib.figure.Figure().add_axes((0, 0, 1, 1))
    assert Bars([1.0]).plot(free).ax_ is free
    with pytest.raises(ValueError, match=r"must be Axes of a grid, .*Leave ax out\.$"):
        Bars([1.0], [2.0]).plot(free)


def test_a_notebook_gets_words_picture_and_numbers_without_a_script():
    display = Bars([1.0, 1 / 3])
    shown = display._repr_html_()
    assert "<script" not in shown and "onload='" not in shown
    assert "&lt;script&gt;" in shown and "<td>0.3333</td>" in shown
    assert 'src="data:image/png;base64,' in shown
    assert not hasattr(display, "ax_")  # looking changes nothing
    assert repr(display).startswith("Bars(1 of </script>") and len(repr(display)) < 90


def test_without_matplotlib_the_words_and_numbers_remain(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    shown = Bars([1.0])._repr_html_()
    assert "Bars needs matplotlib, which is not installed" in shown
    assert "<img" not in shown and "<td>1</td>" in shown


def test_a_long_table_is_cut_and_says_so():
    table = html_table([f"c{i}" for i in range(500)], [[i] * 500 for i in range(2000)])
    assert table.endswith("<p>Not shown: 1,950 more rows and 480 more columns.</p>")
    assert table.count("<tr>") == 51 and table.count("<td>") == 50 * 20


def test_a_model_must_be_a_fitted_one_of_ours(model):
    check_model("Bars", model)
    with pytest.raises(TypeError, match=r"^model of Bars must be a fitted estimator of pellucid\."):
        Bars.of(LinearRegression(), [1.0])
    with pytest.raises(TypeError, match=r"Give its last step, and what the steps before it make"):
        Bars.of(make_pipeline(model), [1.0])
    with pytest.raises(TypeError, match=r"Got <class"):
        Bars.of(FCNNClassifier, [1.0])
    with pytest.raises(NotFittedError):
        Bars.of(FCNNClassifier(), [1.0])
