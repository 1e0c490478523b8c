"""A row's loss: every number of its formula, of every loss, and the gradient that goes back."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pellucid import FCNNClassifier, FCNNRegressor, LSTMRegressor, RNNClassifier, formulas
from pellucid.data import windows
from pellucid.inspection import RowLossDisplay
from pellucid.inspection.walk import walk_of_row
from pellucid.network import LossFunction

pytest.importorskip("matplotlib")

QUICK = {"max_epochs": 1, "random_state": 0, "verbose": 0}
X = np.random.default_rng(0).normal(size=(20, 3))


def test_a_softmax_term_by_term():
    names = np.array(["a", "b", "c", "d"])[np.arange(20) % 4]
    model = FCNNClassifier(4, **QUICK).fit(X, names)
    d = RowLossDisplay.of(model, X, names, row=5)
    row = walk_of_row(model, X, names, 5)
    assert d.names == ["a", "b", "c", "d"] and d.target.tolist() == [0, 1, 0, 0]
    z, powers, share, _, term, back = d.values.values()
    np.testing.assert_array_equal(z, row.output[0])
    np.testing.assert_allclose(powers / d.total, share)
    np.testing.assert_allclose(share, np.exp(z) / np.exp(z).sum())
    assert d.value == pytest.approx(row.value) == pytest.approx(-np.log(share[1]))
    assert term.sum() == pytest.approx(d.value) and term[[0, 2, 3]].tolist() == [0, 0, 0]
    np.testing.assert_allclose(back, share - d.target)
    np.testing.assert_array_equal(back, row.dy[0])
    assert f"class b has the probability {share[1]:.3g}" in str(d)


def test_one_logit_of_two_classes():
    model = FCNNClassifier(4, **QUICK).fit(X, ["no", "yes"] * 10)
    d = RowLossDisplay.of(model, X, ["no", "yes"] * 10, row=2)
    z, share = d.outputs[0], 1 / (1 + np.exp(-d.outputs[0]))
    assert d.names == ["yes"] and d.target[0] == 0
    assert d.values["s(z)"][0] == pytest.approx(share)
    assert d.value == pytest.approx(np.log(1 + np.exp(z)))
    assert d.gradient[0] == pytest.approx(share)
    assert f"yes has the probability {share:.3g}, and it is false" in str(d)


def test_half_the_squared_error():
    Y = np.random.default_rng(1).normal(size=(20, 2))
    model = FCNNRegressor(4, **QUICK).fit(X, Y)
    d = RowLossDisplay.of(model, X, Y, row=7)
    y, t, off, terms, back = d.values.values()
    np.testing.assert_allclose(t, model.target_.encode(model, Y)[7], rtol=1e-6)
    np.testing.assert_array_equal(off, y - t)
    np.testing.assert_allclose(terms, off**2 / 2)
    np.testing.assert_allclose(back, off)
    assert d.value == pytest.approx(terms.sum())
    worst = np.abs(off).argmax()
    side = "above" if off[worst] > 0 else "below"
    assert f"target {worst} is {abs(off[worst]):.4g} {side} the target" in str(d)


@pytest.mark.parametrize(
    "loss",
    ("mean_absolute_error", LossFunction("huber_loss", delta=0.3), LossFunction("pinball_loss")),
)
def test_terms_of_other_losses_add_up(loss):
    y, t = np.random.default_rng(1).normal(size=(2, 5))
    d = RowLossDisplay(y, t, loss=loss)
    function = LossFunction.of(loss)
    expected = getattr(formulas, function.name)(y[None], t[None], **function.options)
    assert d.value == expected == pytest.approx(d.values["terms of the loss"].sum())
    back = getattr(formulas, f"{function.name}_backward")(y[None], t[None], **function.options)
    np.testing.assert_array_equal(d.gradient, back[0])
    assert d.plot().ax_.shape == (1, 5)


def test_labels_that_may_all_be_true():
    Y = (np.random.default_rng(1).normal(size=(20, 3)) > 0).astype(int)
    model = FCNNClassifier(4, **QUICK).fit(X, Y)
    d = RowLossDisplay.of(model, X, Y, row=1)
    right = int(((d.outputs > 0) == Y[1]).sum())
    assert d.target.tolist() == Y[1].tolist() and f"{right} of 3 labels are right" in str(d)
    assert d.value == pytest.approx(d.values["terms of the loss"].sum())


def test_a_step_of_many_has_its_part_of_the_gradient():
    S = [np.random.default_rng(1).normal(size=(n, 2)) for n in (4, 6)]
    y = [np.arange(n) % 3 for n in (4, 6)]
    model = RNNClassifier(4, return_sequences=True, **QUICK).fit(S, y)
    row = walk_of_row(model, S, y, 1)
    losses = []
    for step in range(6):
        d = RowLossDisplay.of(model, S, y, row=1, step=step)
        np.testing.assert_allclose(d.gradient, row.dy[0, step])
        losses.append(d.value)
    assert np.mean(losses) == pytest.approx(row.value) and "row 1, step 5" in str(d)
    with pytest.raises(ValueError, match=r"^step of RowLossDisplay must be .* to 5\. Got 6\."):
        RowLossDisplay.of(model, S, y, row=1, step=6)


def test_steps_ahead_have_names():
    W, w = windows(np.sin(np.arange(40.0)), 5, 2)
    model = LSTMRegressor(3, **QUICK).fit(W, w)
    assert RowLossDisplay.of(model, W, w).names == ["target 0 +1", "target 0 +2"]
    frame = pd.DataFrame({"warm": np.sin(np.arange(40.0)), "wet": np.cos(np.arange(40.0))})
    W, w = windows(frame, 5, 2, target=["warm", "wet"])
    model = LSTMRegressor(3, **QUICK).fit(W, w)
    assert RowLossDisplay.of(model, W, w).names == ["warm +1", "wet +1", "warm +2", "wet +2"]


def test_what_is_drawn_is_what_was_computed():
    d = RowLossDisplay(np.array([1.0, 2.0, -1.0]), np.eye(3)[2], names=["a", "$b$", "<i>"]).plot()
    for panel, values in zip(d.ax_[0], d.values.values(), strict=True):
        assert [bar.get_width() for bar in panel.patches] == pytest.approx(values.tolist())
    labels = [label.get_text() for label in d.ax_[0, 0].get_yticklabels()]
    assert labels == ["a", "$b$", "<i>"]
    assert f"sum {d.total:.4g}" in d.ax_[0, 1].get_title()


def test_of_two_hundred_classes_the_true_one_and_the_likely_ones_are_drawn():
    logits = np.random.default_rng(1).normal(size=200) * 3
    d = RowLossDisplay(logits, np.eye(200)[17]).plot()
    assert len(d.ax_[0, 0].patches) == len(d.shown) == 20
    assert 17 in d.shown and set(np.argsort(-logits)[:19]) <= {*d.shown, 17}
    assert "180 of 200 outputs are not drawn" in str(d)


def test_a_target_that_is_not_known_is_refused():
    model = FCNNClassifier(4, **QUICK).fit(X, ["no", "yes"] * 10)
    with pytest.raises(ValueError, match="maybe"):
        RowLossDisplay.of(model, X, ["maybe"] * 20)


def test_of_outputs_from_anywhere():
    display = RowLossDisplay.from_predictions([2.0, 1.0, 0.1], 0, names=["a", "b", "c"])
    np.testing.assert_allclose(display.gradient, formulas.softmax([2.0, 1.0, 0.1]) - [1, 0, 0])
    assert display.value == formulas.categorical_cross_entropy([[2.0, 1.0, 0.1]], [0])
    assert display.figure_ is not None
    assert RowLossDisplay.from_predictions([1.5], [1.0], loss="mean_squared_error").value == 0.125
    for outputs, target, message in (
        ([[1.0]], 0, r"outputs of RowLossDisplay.from_predictions must be of shape \(K,\)"),
        ([1.0, 2.0], [1.0], "must be one number for each of 2 outputs"),
        ([1.0, 2.0], 2, "target of RowLossDisplay.from_predictions must be"),
    ):
        with pytest.raises(ValueError, match=message):
            RowLossDisplay.from_predictions(outputs, target)
