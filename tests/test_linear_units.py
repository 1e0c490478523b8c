"""A linear unit: its terms add up to what the network computed, and have the user's names."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pellucid import FCNNRegressor, NetworkClassifier
from pellucid.inspection import LinearUnitDisplay
from pellucid.inspection.walk import walk_of_row
from pellucid.layers import GRU, Flatten

pytest.importorskip("matplotlib")

QUICK = {"max_epochs": 1, "random_state": 0, "verbose": 0}
FRAME = pd.DataFrame(
    {"age": np.arange(12.0), "<script>": np.arange(12.0) ** 2, "town": ["Rome", "Oslo"] * 6}
)


@pytest.fixture(scope="module")
def model():
    return FCNNRegressor(5, num_layers=2, **QUICK).fit(FRAME, np.arange(12.0))


@pytest.mark.parametrize("layer", (0, 2, 4))
def test_terms_and_bias_add_up_to_the_unit(model, layer):
    step = walk_of_row(model, FRAME, row=3).walk.steps[layer]
    for unit in range(step.y.shape[1]):
        d = LinearUnitDisplay.of(model, FRAME, row=3, layer=layer, unit=unit)
        np.testing.assert_array_equal(d.x, step.x[0])
        assert d.sum == pytest.approx(step.y[0, unit], abs=1e-12)
        assert d.terms.sum() + d.bias == d.sum
        if layer < 4:
            assert d.activation == "ReLU" and d.answer == pytest.approx(max(d.sum, 0))
        else:
            assert d.answer is None
    sizes = np.abs(d.terms[d.order])
    assert (np.diff(sizes) <= 0).all()


def test_the_first_layer_has_the_names_of_the_columns(model):
    d = LinearUnitDisplay.of(model, FRAME, unit=1)
    assert d.names == ["age", "<script>", "town=Oslo", "town=Rome"]
    assert f"The largest term is that of {d.names[d.order[0]]}: " in str(d)
    assert "<script" not in d._repr_html_() and "&lt;script&gt;" in d._repr_html_()
    assert LinearUnitDisplay.of(model, FRAME, layer=2).names[4] == "input 4"


def test_nothing_times_a_weight_below_zero_is_zero_without_a_sign():
    d = LinearUnitDisplay(np.zeros(2), np.array([-1.5, 2.0]))
    assert not np.signbit(d.terms).any() and "0 x -1.5 = 0." in str(d)
    assert [text.get_text() for text in d.plot().ax_.texts] == ["0"] * 4


def test_what_is_drawn_is_what_was_computed(model):
    d = LinearUnitDisplay.from_estimator(model, FRAME, unit=2)
    widths = [bar.get_width() for bar in d.ax_.patches]
    assert widths == pytest.approx([*d.terms[d.order], d.bias, d.sum, d.answer])
    labels = [label.get_text() for label in d.ax_.get_yticklabels()]
    assert labels == [*(d.names[place] for place in d.order), "bias", "sum", "ReLU"]


def test_of_five_hundred_terms_the_others_are_drawn_as_one():
    rng = np.random.default_rng(0)
    d = LinearUnitDisplay(rng.normal(size=500), rng.normal(size=500), 0.5).plot()
    widths = [bar.get_width() for bar in d.ax_.patches]
    assert len(widths) == 18 and sum(widths[:-1]) == pytest.approx(widths[-1]) == d.sum
    assert "485 others" in [label.get_text() for label in d.ax_.get_yticklabels()]


def test_of_a_sequence_one_step_is_shown():
    X = np.random.default_rng(0).normal(size=(6, 4, 2))
    layers = [GRU(3, return_sequences=True), Flatten()]
    model = NetworkClassifier(layers, **QUICK).fit(X, [0, 1] * 3)
    step = walk_of_row(model, X, row=1).walk.steps[-1]
    d = LinearUnitDisplay.of(model, X, row=1)
    assert len(d.terms) == 12 and d.sum == pytest.approx(step.y[0, 0])


def test_what_cannot_be_shown_is_refused(model):
    with pytest.raises(
        ValueError, match=r"must be the number of a Linear layer in network_\.layer"
    ):
        LinearUnitDisplay.of(model, FRAME, layer=1)
    with pytest.raises(ValueError, match=r"^unit of LinearUnitDisplay must be .* 4\. Got 7\.$"):
        LinearUnitDisplay.of(model, FRAME, unit=7)
