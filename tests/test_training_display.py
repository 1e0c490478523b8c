"""What became of a training: what is drawn is what was recorded, and what was recorded is true."""

from __future__ import annotations

import numpy as np
import pytest

from pellucid import (
    CNNClassifier,
    FCNNClassifier,
    LSTMClassifier,
    NetworkClassifier,
    RNNClassifier,
    formulas,
    load,
)
from pellucid.inspection import Monitor, TrainingDisplay
from pellucid.layers import Linear, ReLU, Residual, Sigmoid, Tanh
from pellucid.layers.activations import LeakyReLU

pytest.importorskip("matplotlib")

X = np.random.default_rng(0).normal(size=(120, 5))
Y = np.where(X[:, 0] > 0, "yes", "<script>no</script>")
FIT = {"verbose": 0, "random_state": 0, "max_epochs": 6}


@pytest.fixture(scope="module")
def model():
    watch = Monitor(epochs=4)
    return FCNNClassifier(8, early_stopping=True, callbacks=[watch], **FIT).fit(X, Y)


def test_curves_are_those_of_the_history(model):
    display = TrainingDisplay.from_estimator(model)
    loss, accuracy, rate, units = display.ax_[0]
    lines = {line.get_label(): line.get_ydata() for line in loss.lines}
    assert list(lines["training"]) == model.history_["loss"]
    assert list(lines["validation"]) == model.history_["validation_loss"]
    assert list(accuracy.lines[0].get_ydata()) == model.history_["accuracy"]
    assert list(rate.lines[0].get_ydata()) == model.history_["learning_rate"]
    for line, share in zip(units.lines, display.dead.values(), strict=True):
        assert list(line.get_ydata()) == list(share)


def test_histograms_are_those_of_the_weights(model):
    display = TrainingDisplay.from_estimator(model)
    assert list(display.epochs) == sorted({0, 2, 4, 6, model.best_epoch_})
    weights = model.network_.parameters()
    at = list(display.epochs).index(model.best_epoch_)
    for name, one in display.weights.items():
        assert list(one.counts[at]) == list(np.histogram(weights[name], one.edges)[0])
        assert (one.counts.sum(axis=1) == weights[name].size).all()
    for panel, one in zip(display.ax_[1], display.weights.values(), strict=False):
        shown = panel.collections[0].get_array()
        assert np.allclose(shown, (one.counts / one.counts.sum(axis=1, keepdims=True)).T)


def test_activations_and_dead_units_are_those_of_the_formulas(model):
    display = TrainingDisplay.of(model)
    x = model.callbacks[0].sample.plain.astype(float)
    p = model.network_.parameters()
    at = list(display.epochs).index(model.best_epoch_)
    for layer, name in ((0, "1 ReLU"), (2, "3 ReLU")):
        x = formulas.relu(x @ p[f"{layer}.weight"] + p[f"{layer}.bias"])
        assert display.dead[name][at] == np.mean((x == 0).all(axis=0))
        one = display.activations[name]
        # of some thousand float32 numbers one may lie on the other side of an edge
        assert np.abs(one.counts[at] - np.histogram(x, one.edges)[0]).sum() <= 4
        assert one.counts[at].sum() == x.size


@pytest.mark.parametrize("kind", [Sigmoid, Tanh])
def test_saturated_units_are_those_near_the_ends_of_the_range(kind):
    watch = Monitor()
    layers = [Linear(6), kind(), Linear(4), LeakyReLU(), Linear(1)]
    model = NetworkClassifier(layers, callbacks=watch, **FIT).fit(X, Y)
    display = TrainingDisplay.of(model)
    name = f"1 {kind.__name__}"
    assert list(display.saturated) == [name] and not display.dead
    assert display.saturated[name].tolist() == [0.0] * 7
    bias = np.array([50.0, -50.0, 0, 0, 0, 0], np.float32)
    model.network_.set_parameters({"0.bias": bias})
    assert TrainingDisplay.of(model).saturated[name][-1] == 2 / 6
    assert "Units saturated at the end: 33% of 1 " in str(TrainingDisplay.of(model))


def test_layers_inside_others_maps_and_steps_are_there_too():
    pictures = np.random.default_rng(0).normal(size=(30, 6, 6))
    labels = np.arange(30) % 2
    cnn = CNNClassifier([3], callbacks=Monitor(), **FIT).fit(pictures, labels)
    display = TrainingDisplay.of(cnn)
    assert display.dead and all(
        (0 <= one).all() and (one <= 1).all() for one in display.dead.values()
    )
    block = Residual([Linear(5), ReLU(), Linear(5)])
    inner = NetworkClassifier([block, Linear(1)], callbacks=Monitor(), **FIT).fit(X, Y)
    assert list(TrainingDisplay.of(inner).dead) == ["0.layers.1 ReLU"]
    unequal = [np.ones((n, 2)) for n in (3, 5, 4, 7)]
    lstm = LSTMClassifier(4, 2, callbacks=Monitor(), **FIT).fit(unequal, [0, 1, 0, 1])
    first, last = TrainingDisplay.of(lstm).activations.values()
    assert first.counts[0].sum() == (3 + 5 + 4 + 7) * 4  # the steps that are there
    assert last.counts[0].sum() == 4 * 4
    rnn = RNNClassifier(4, activation="relu", callbacks=Monitor(), **FIT).fit(unequal, [0, 1, 0, 1])
    assert list(TrainingDisplay.of(rnn).dead) == ["0 RNN"]


def test_without_a_monitor_there_are_the_curves(tmp_path):
    model = FCNNClassifier(8, **FIT).fit(X, Y)
    display = TrainingDisplay.from_estimator(model)
    assert display.ax_.shape == (1, 3) and not display.weights
    assert "Weights and activations were not kept: fit with callbacks=Monitor()" in str(display)
    watched = FCNNClassifier(8, callbacks=Monitor(), **FIT).fit(X, Y)
    watched.save(tmp_path / "model.safetensors")
    assert not TrainingDisplay.of(load(tmp_path / "model.safetensors")).weights


def test_a_monitor_of_another_fit_is_refused(model):
    other = Monitor()
    FCNNClassifier(8, callbacks=other, **FIT).fit(X[:50], Y[:50])
    for wrong in (other, Monitor(), 3):
        with pytest.raises(
            ValueError,
            match=r"^monitor of TrainingDisplay must be the Monitor that watched the model's last "
            r"fit\. Got .* Fit with callbacks=Monitor\(\)\.$",
        ):
            TrainingDisplay.of(model, monitor=wrong)
    assert TrainingDisplay.of(model, monitor=model.callbacks[0]).weights


def test_the_words(model):
    words = str(TrainingDisplay.of(model))
    first, last = model.history_[0]["loss"], model.history_[-1]["loss"]
    assert words.startswith(
        f"6 epochs: the loss went from {first:.3g} to {last:.3g}, and was lowest"
    )
    assert f"the weights are those of epoch {model.best_epoch_}. " in words
    assert "<script" not in TrainingDisplay.of(model)._repr_html_()


def test_looking_changes_nothing(model):
    before = model.network_.values.copy()
    TrainingDisplay.from_estimator(model)
    assert np.array_equal(model.network_.values, before)


def test_of_large_rows_few_are_looked_at(model, monkeypatch):
    monkeypatch.setattr("pellucid.network.chain.PREDICT_BYTES", 1)
    assert TrainingDisplay.of(model).activations["1 ReLU"].counts[0].sum() == 8 * 8


def test_of_many_layers_the_first_are_drawn():
    layers = [part for _ in range(20) for part in (Linear(3), ReLU())]
    model = NetworkClassifier([*layers, Linear(1)], callbacks=Monitor(), **FIT).fit(X, Y)
    display = TrainingDisplay.from_estimator(model)
    assert len(display.weights) == 21 and display.ax_.shape == (5, 4)
    assert len([ax for ax in display.figure_.axes if ax.collections]) == 16
