"""Gates: what is shown is what the formulas computed, and the step in numbers adds up."""

from __future__ import annotations

import numpy as np
import pytest

from pellucid import GRUClassifier, LSTMRegressor, RNNClassifier, formulas
from pellucid.data import windows
from pellucid.inspection import GateDisplay

pytest.importorskip("matplotlib")

QUICK = {"max_epochs": 1, "random_state": 0, "verbose": 0}
X = np.random.default_rng(0).normal(size=(12, 7, 2))
Y = np.arange(12.0)


@pytest.fixture(scope="module")
def lstm():
    return LSTMRegressor(5, bidirectional=True, **QUICK).fit(X, Y)


@pytest.fixture(scope="module")
def gru():
    return GRUClassifier(5, **QUICK).fit(X, Y > 5)


def test_gates_of_an_lstm_are_those_of_the_formula(lstm):
    x = lstm.sequences_.transform(lstm, X)[3:4]
    p = lstm.network_.parameters()
    for prefix, reverse in (("", False), ("reverse_", True)):
        weights = [p[f"0.{prefix}{name}"] for name in ("input_weight", "recurrent_weight", "bias")]
        expected = formulas.lstm(x[:, ::-1] if reverse else x, *weights)._asdict()
        display = GateDisplay.of(lstm, X, row=3, reverse=reverse)
        assert list(display.values) == list("ifgoch")
        for name, values in display.values.items():
            np.testing.assert_allclose(values, expected[name][0], atol=1e-12)


def test_a_step_of_an_lstm_adds_up(lstm):
    for step in range(7):
        d = GateDisplay.of(lstm, X, unit=2, step=step)
        assert d.before == (d.values["c"][step - 1, 2] if step else 0)
        c = d.at("f") * d.before + d.at("i") * d.at("g")
        assert d.at("c") == pytest.approx(c, abs=1e-15)
        assert d.at("h") == pytest.approx(d.at("o") * np.tanh(d.at("c")), abs=1e-15)
    first, second = d.sums
    assert first.startswith("c = f c_before + i g = ") and first.endswith(f"= {d.at('c'):.3f}")
    assert second.endswith(f"= {d.at('h'):.3f}") and first in str(d)


def test_a_step_of_a_gru_adds_up(gru):
    for step in (0, -1):
        d = GateDisplay.of(gru, X, unit=1, step=step)
        assert list(d.values) == list("rznh")
        h = (1 - d.at("z")) * d.at("n") + d.at("z") * d.before
        assert d.at("h") == pytest.approx(h, abs=1e-15)
    assert d.step == 6 and f"keeps {d.values['z'].mean():.0%} of a state" in str(d)


@pytest.mark.parametrize("kind", ("lstm", "gru"))
def test_what_is_drawn_is_what_was_computed(kind, request):
    display = GateDisplay.from_estimator(request.getfixturevalue(kind), X, row=1, unit=3, step=2)
    panels = list(display.ax_.flat)
    for panel, values in zip(panels, display.values.values(), strict=False):
        np.testing.assert_array_equal(panel.images[0].get_array(), values.T)
        frame = panel.patches[0]
        assert (frame.get_x() + 0.5, frame.get_y() + 0.5) == (2, 3)
    lines = panels[len(display.values)].lines
    for line, values in zip(lines, display.values.values(), strict=False):
        np.testing.assert_array_equal(line.get_ydata(), values[:, 3])
    assert f"{display.at('h'):.3f}" in panels[-1].texts[0].get_text()


@pytest.mark.parametrize("steps", (1, 3, 7))
def test_steps_and_units_are_counted_in_whole_numbers(steps):
    values = {name: np.full((steps, 2), 0.5) for name in "rznh"}
    panels = GateDisplay(values).plot().ax_.flat
    counted = [axis for panel in panels[:4] for axis in (panel.xaxis, panel.yaxis)]
    for axis in (*counted, panels[4].xaxis):
        assert all(tick == round(tick) for tick in axis.get_majorticklocs())


def test_a_forecaster_is_looked_into_beside_its_linear_forecast():
    series = np.sin(np.arange(60.0) / 3)
    W, w = windows(series, 6)
    model = LSTMRegressor(4, **QUICK).fit(W, w)
    display = GateDisplay.of(model, W, layer="0.layers.0")
    assert display.layer == "0.layers.0: LSTM" and display.values["h"].shape == (6, 4)
    assert GateDisplay.of(model, W).layer == display.layer


def test_two_thousand_steps_are_drawn():
    values = {name: np.random.default_rng(0).uniform(size=(2000, 256)) for name in "rznh"}
    display = GateDisplay(values, unit=255).plot()
    assert display.ax_[0, 0].images[0].get_array().shape == (256, 2000)
    assert "1,950 more rows" in display._repr_html_()


def test_what_cannot_be_shown_is_refused(lstm, gru):
    rnn = RNNClassifier(3, **QUICK).fit(X, Y > 5)
    with pytest.raises(
        ValueError, match=r"^the model of GateDisplay must have an LSTM or GRU\. Got RNNClassifier"
    ):
        GateDisplay.of(rnn, X)
    with pytest.raises(ValueError, match=r"^reverse of GateDisplay must be False for GRU\(5\), wh"):
        GateDisplay.of(gru, X, reverse=True)
    with pytest.raises(ValueError, match=r"^unit of GateDisplay must be .* 0 to 4\. Got 5\.$"):
        GateDisplay.of(lstm, X, unit=5)
    with pytest.raises(TypeError, match=r"^step of GateDisplay must be a whole number .*Got 1\.5"):
        GateDisplay.of(lstm, X, step=1.5)
    with pytest.raises(ValueError, match=r"row must be the number of one of 12 rows.*Got 12\."):
        GateDisplay.of(lstm, X, row=12)
