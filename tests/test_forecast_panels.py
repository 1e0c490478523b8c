"""The picture of a forecast: what was, what was forecast of it, and what comes next."""

import numpy as np
import pandas as pd
import pytest

from pellucid import figures
from pellucid.data import windows
from pellucid.inspection.forecast_panels import forecast_panels


class Naive:
    """Forecasts the last value, and bounds a level away."""

    def __init__(self, horizon):
        self.horizon = horizon

    def predict(self, X):
        last = X.last("高度")
        return np.repeat(last[:, None], self.horizon, axis=1)

    def predict_interval(self, X, level):
        return self.predict(X) - level, self.predict(X) + level


def cut(horizon, count=150, steps=10, time="t", groups=1):
    days = pd.date_range("2024-01-01", periods=count)
    frame = pd.concat(
        [
            pd.DataFrame({"t": days, "高度": np.arange(count) + 1000.0 * place, "g": f"河{place}"})
            for place in range(groups)
        ],
        ignore_index=True,
    )
    given = ["t", "高度", "g"] if groups > 1 else ["t", "高度"]
    given = given if time else given[1:]
    group = "g" if groups > 1 else None
    return windows(frame[given], steps, horizon, target="高度", time=time, group=group)[0]


@pytest.mark.parametrize("horizon", (1, 2, 7, 12))
def test_forecasts_lie_one_behind_the_other_and_end_with_the_series(horizon):
    X = cut(horizon)
    _, held = X.split(0.5)
    (panel,) = forecast_panels(Naive(horizon), X, X[held], (0.8, 0.95))
    rows = len(panel.values)
    np.testing.assert_array_equal(panel.values, np.arange(150 - rows, 150))
    begins = [begin for begin, _ in panel.tested]
    assert begins == list(range(begins[0], rows, horizon)) and begins[-1] + horizon == rows
    for begin, numbers in panel.tested:
        assert numbers.shape == (5, horizon)
        np.testing.assert_array_equal(numbers[0], 150 - rows + begin - 1)  # the row before
        away = (numbers[1:] - numbers[0]).T
        np.testing.assert_allclose(away, [[-0.8, 0.8, -0.95, 0.95]] * horizon)
    np.testing.assert_array_equal(panel.later[0], np.full(horizon, 149.0))
    assert len(panel.labels) == rows + horizon
    assert panel.labels[rows - 1] == "2024-05-29" and panel.labels[rows] == "2024-05-30"


def test_only_windows_that_were_held_out_are_drawn():
    X = cut(3)
    _, held = X.split(0.1)
    (panel,) = forecast_panels(Naive(3), X, X[held])
    first = 150 - len(panel.values)
    assert min(begin for begin, _ in panel.tested) + first >= X[held].ahead[:, 0].min()
    (panel,) = forecast_panels(Naive(3), X, None)
    assert panel.tested == [] and panel.later.shape == (1, 3)


def test_the_first_series_of_several_have_a_panel_each():
    X = cut(2, groups=5)
    panels = forecast_panels(Naive(2), X, X)
    assert [panel.name for panel in panels] == [f"高度: 河{place}" for place in range(3)]
    assert [panel.values[-1] for panel in panels] == [149, 1149, 2149]
    assert [panel.later[0, 0] for panel in panels] == [149, 1149, 2149]


@pytest.mark.parametrize("horizon", (1, 5))
@pytest.mark.parametrize("time", ("t", None))
def test_it_is_drawn_with_names_in_any_script(horizon, time):
    X = cut(horizon, time=time)
    (panel,) = forecast_panels(Naive(horizon), X, X, (0.8, 0.95))
    figure = figures.new_figure("a test", 8, 4)
    axes = figure.subplots()
    panel.draw(axes)
    figures.finish(figure)
    figure.draw_without_rendering()
    texts = [text.get_text() for text in axes.get_legend().get_texts()]
    ahead = "1 row" if horizon == 1 else "5 rows"
    assert texts == [
        "true", f"forecast {ahead} ahead", "80 % interval", "95 % interval", "what comes next"
    ]  # fmt: skip
    assert axes.get_title() == "高度"
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert (labels[-1].startswith("2024-0") or labels[-1] == "") if time else axes.get_xlabel()


def test_a_series_shorter_than_a_window_has_no_later_part():
    X = cut(1, count=12, steps=10)
    short = X[:1]
    (panel,) = forecast_panels(Naive(1), short, short)
    assert panel.later.shape[1] == 1 and len(panel.values) == 12
