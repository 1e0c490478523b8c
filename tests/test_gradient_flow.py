"""Gradients through time: networks built to vanish, to explode and to carry, and what is said."""

import inspect

import numpy as np
import pandas as pd
import pytest
from finite_differences import central_difference

from pellucid import (
    FCNNClassifier,
    GRUClassifier,
    LSTMRegressor,
    NetworkRegressor,
    RNNClassifier,
    RNNRegressor,
    formulas,
)
from pellucid.data import windows
from pellucid.inspection import GradientFlowDisplay, draw_predictions, gradient_flow
from pellucid.inspection.gradient_norms import judge, judge_weights, largest_singular_values
from pellucid.inspection.walk import Walk, walk_of_row
from pellucid.layers import LSTM, Linear, Tanh
from pellucid.training.history import History

QUICK = {"max_epochs": 1, "random_state": 0, "verbose": 0}
STEPS = 30


def built(W, activation="tanh"):
    """A fitted RNN whose W is put in by hand, and data that leave its state at zero."""
    X, y = np.zeros((4, STEPS, 1)), np.array([0.0, 1.0, 2.0, 3.0])
    model = RNNRegressor(len(W), activation=activation, **QUICK).fit(X, y)
    model.network_.set_parameters(
        {"0.recurrent_weight": W, "0.bias": np.zeros(len(W)), "1.bias": [0.3]}
    )
    return model, X, y


def test_a_network_built_to_vanish():
    model, X, y = built(0.5 * np.eye(6))
    flow = gradient_flow(model, X, y)
    np.testing.assert_allclose(flow.singular_value, 0.5 ** np.arange(STEPS)[::-1])
    np.testing.assert_allclose(flow.norm, np.sqrt(6) * flow.singular_value)
    np.testing.assert_allclose(flow.lost, np.full(STEPS - 1, 0.5))
    np.testing.assert_allclose(flow.loss_norm[:-1] / flow.loss_norm[1:], 0.5)
    assert flow.verdict == "vanishes after 10 steps"  # 2^-10 < 1/1000
    assert (
        str(flow) == "RNN(6): the gradient vanishes after 10 steps; it usually loses 50.0% a step"
    )


def test_the_mean_of_all_states_gives_each_its_share():
    """dL/dh_t against differences of the loss, where each state goes into the mean."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(4, 6, 2)), np.arange(4) % 2
    model = RNNClassifier(3, pooling="mean", **QUICK).fit(X, y)
    x = model.sequences_.transform(model, X)[:1]
    walk = Walk.of(model.network_, x)
    walk.backward(np.ones_like(walk.output))
    dh = walk.steps[0].from_loss()[0]
    p = {name: value.astype(float) for name, value in model.network_.parameters().items()}

    def last(h):
        states = np.concatenate(
            [
                formulas.rnn(x, p["0.input_weight"], p["0.recurrent_weight"], p["0.bias"])[:, :-1],
                h[None, None],
            ],
            axis=1,
        )
        return (formulas.global_average_pool(states) @ p["2.weight"]).sum()

    h = formulas.rnn(x, p["0.input_weight"], p["0.recurrent_weight"], p["0.bias"])[0, -1]
    np.testing.assert_allclose(dh[-1], central_difference(last, h), atol=1e-9)
    assert len(gradient_flow(model, X, y)) == 6


def test_a_network_built_to_explode():
    model, X, y = built(2.0 * np.eye(6))
    flow = gradient_flow(model, X, y)
    np.testing.assert_allclose(flow.singular_value, 2.0 ** np.arange(STEPS)[::-1])
    assert flow.verdict == f"explodes from step {STEPS - 10}"
    assert "usually grows by 100.0% a step" in str(flow)


def test_a_network_built_to_carry():
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(6, 6)))[0]
    model, X, y = built(rotation.astype(np.float32))
    flow = gradient_flow(model, X, y)
    np.testing.assert_allclose(flow.singular_value, 1, rtol=1e-5)
    assert flow.verdict == f"flows through all {STEPS} steps"


def test_a_sigmoid_loses_three_quarters_a_step():
    model, X, y = built(np.eye(6), activation="sigmoid")
    flow = gradient_flow(model, X, y)
    assert (flow.lost >= 0.75).all() and flow.verdict == "vanishes after 5 steps"


def test_an_open_forget_gate_carries():
    X, y = np.zeros((4, STEPS, 1)), np.array([0.0, 1.0, 2.0, 3.0])
    verdicts = []
    for gate in (9.0, -1.0):
        model = LSTMRegressor(5, **QUICK).fit(X, y)
        bias = np.repeat([0.0, gate, 0.0, 0.0], 5)
        model.network_.set_parameters({"0.bias": bias, "0.recurrent_weight": np.zeros((5, 20))})
        verdicts.append(gradient_flow(model, X, y).verdict)
    assert verdicts[0] == f"flows through all {STEPS} steps"
    assert verdicts[1].startswith("vanishes after ")


@pytest.mark.parametrize("reverse", (False, True))
@pytest.mark.parametrize("layer", (0, 1))
def test_numbers_agree_with_the_model_and_with_differences(layer, reverse):
    """Of a stack of two layers and two directions."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 8, 2)), rng.integers(0, 3, 30)
    model = GRUClassifier(4, num_layers=2, bidirectional=True, dtype="float64", **QUICK).fit(X, y)
    row = walk_of_row(model, X, y)
    np.testing.assert_allclose(row.output, model._output(model._read(X[:1])), atol=1e-12)

    # the gradient of the loss with respect to a state, by moving what is added to that state
    step = row.walk.steps[layer]
    gradients = step.from_loss(reverse)[0]
    x = step.x[:, ::-1] if reverse else step.x
    states = step.values["reverse_h" if reverse else "h"]
    p = model.network_.parameters()
    prefix = f"{layer}.{'reverse_' if reverse else ''}"
    W = np.hstack([p[f"{prefix}recurrent_weight"], p[f"{prefix}candidate_weight"]])
    U, b, b_hn = (p[prefix + name] for name in ("input_weight", "bias", "candidate_bias"))
    t = 4

    def later(state):
        """The states from step t on, had that of step t been this one."""
        return formulas.gru(x[:, t + 1 :], U, W, b, b_hn, state[None]).h

    jacobian = step.jacobians(reverse)[t]
    for number in range(4):
        expected = central_difference(lambda s, k=number: later(s)[0, -1, k], states[0, t])
        np.testing.assert_allclose(jacobian[number], expected, atol=1e-8)
    if layer == 1:  # only the last state is used
        last = gradients[-1]
        np.testing.assert_allclose(gradients[t], last @ jacobian, atol=1e-12)


def test_rows_of_unequal_length_are_counted_from_their_ends():
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(n, 2)) for n in (5, 9, 7, 3)]
    model = RNNClassifier(4, **QUICK).fit(X, [0, 1, 0, 1])
    flow = gradient_flow(model, X, [0, 1, 0, 1])
    assert len(flow) == 9 and np.isfinite(flow.singular_value).all()
    alone = gradient_flow(model, X[1:2], [1])
    np.testing.assert_allclose(flow.singular_value[:2], alone.singular_value[:2])


@pytest.mark.parametrize("kind", ("numbers", "classes"))
def test_of_targets_of_steps(kind):
    """The loss of a sequence is the mean over its steps."""
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(n, 2)) for n in (5, 9)]
    y = [each[:, 0] for each in X]
    estimator = RNNRegressor
    if kind == "classes":
        y, estimator = [np.digitize(each, [-0.5, 0.5]) for each in y], RNNClassifier
    model = estimator(4, return_sequences=True, dtype="float64", **QUICK).fit(X, y)
    found = gradient_flow(model, X[1:], y[1:]).loss_norm
    p = model.network_.parameters()
    target = model._target_rows(model.target_.encode(model, y[1]))
    target = np.eye(3)[target] if kind == "classes" else target
    data = model._input.transform(model, X[1:])[0]
    U, W, b = (p[f"0.{name}"] for name in ("input_weight", "recurrent_weight", "bias"))
    h = formulas.rnn(data[None], U, W, b)

    def loss(state, t=3):
        """Had the state of step t been this one."""
        later = formulas.rnn(data[None, t + 1 :], U, W, b, state)
        states = np.concatenate([h[0, :t], state, later[0]])
        output = states @ p["1.weight"] + p["1.bias"]
        name = "categorical_cross_entropy" if kind == "classes" else "mean_squared_error"
        return getattr(formulas, name)(output, target)

    expected = central_difference(loss, h[:, 3])
    np.testing.assert_allclose(found[3], np.linalg.norm(expected), rtol=1e-6)


def test_verdicts():
    assert judge(np.array([1.0, 1.0])) == "flows through all 2 steps"
    assert judge(np.array([0.0, 0.0])) == "vanishes after 0 steps"
    assert judge(np.array([1e-9, 1e-9, 1.0])) == "vanishes after 1 step"
    assert judge(np.array([np.inf, 1.0, 1.0])) == "explodes from step 1"


def test_networks_of_listed_layers():
    X, y = np.random.default_rng(0).normal(size=(20, 6, 2)), np.arange(20.0)
    layers = [LSTM(5), Linear(4), Tanh()]
    model = NetworkRegressor(layers, dtype="float64", **QUICK).fit(X, y)
    found = gradient_flow(model, X[:1], y[:1]).loss_norm
    p, target = model.network_.parameters(), model.target_.encode(model, y[:1])

    def loss(h):
        output = np.tanh(h @ p["1.weight"] + p["1.bias"]) @ p["3.weight"] + p["3.bias"]
        return formulas.mean_squared_error(output, target)

    data = model._input.transform(model, X[:1])
    h = formulas.lstm(data, p["0.input_weight"], p["0.recurrent_weight"], p["0.bias"]).h[:, -1]
    dh = central_difference(loss, h)
    # c_T alone is read by nobody: all that it does it does through h_T
    np.testing.assert_allclose(found[-1], np.linalg.norm(dh), rtol=1e-6)


def test_the_state_of_an_lstm_is_both_its_states():
    """``dh_T/d(h_t, c_t)``, each by itself: what h_t is through c_t counts once."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(20, 6, 2)), rng.normal(size=20)
    model = LSTMRegressor(4, dtype="float64", **QUICK).fit(X, y)
    data, p = model._input.transform(model, X[:1]), model.network_.parameters()
    weights = [p[f"0.{name}"] for name in ("input_weight", "recurrent_weight", "bias")]
    forward, t = formulas.lstm(data, *weights), 2

    def later(number):
        def last(state):
            h, c = state[None, :4], state[None, 4:]
            return formulas.lstm(data[:, t + 1 :], *weights, h, c).h[0, -1, number]

        return last

    state = np.concatenate([forward.h[0, t], forward.c[0, t]])
    expected = np.stack([central_difference(later(number), state) for number in range(4)])
    flow = gradient_flow(model, X[:1], y[:1])
    assert flow.singular_value[t] == pytest.approx(np.linalg.norm(expected, 2), rel=1e-6)
    assert flow.norm[t] == pytest.approx(np.linalg.norm(expected), rel=1e-6)
    assert flow.singular_value[-1] == pytest.approx(1.0)
    with pytest.raises(ValueError, match="must have the same number of rows. Got 20 rows in X an"):
        gradient_flow(model, X, y[:-1], rows=2)


def test_what_has_no_steps_is_refused():
    model = FCNNClassifier(4, **QUICK).fit(np.eye(4), [0, 1, 0, 1])
    with pytest.raises(ValueError, match="must have a recurrent layer. Got FCNNClassifier with"):
        gradient_flow(model, np.eye(4), [0, 1, 0, 1])
    model, X, y = built(np.eye(3))
    with pytest.raises(ValueError, match=r"number of a recurrent layer .*: one of 0\. Got 1\.$"):
        gradient_flow(model, X, y, layer=1)
    with pytest.raises(
        ValueError, match="reverse of gradient_flow must be False for a layer of on"
    ):
        gradient_flow(model, X, y, reverse=True)


def test_the_picture_is_drawn(tmp_path):
    pytest.importorskip("matplotlib")
    flows = [gradient_flow(*built(scale * np.eye(3))) for scale in (0.5, 1.0)]
    drawn = flows[0].plot(tmp_path / "flow.png", "梯度 $x_", others=flows[1:])
    assert (tmp_path / "flow.png").stat().st_size > 10_000
    with pytest.raises(TypeError, match=r"Got 'flow.png'. Name a file with path="):
        flows[0].plot(others=["flow.png"])
    with pytest.raises(TypeError, match=r"ax of GradientFlowDisplay.plot must be Axes of"):
        flows[0].plot(flows[1])
    assert drawn is flows[0] and drawn.figure_.get_suptitle() == "梯度 $x_"
    labels = [each.get_text() for each in drawn.ax_[0, 0].get_legend().get_texts()]
    assert labels == ["RNN: vanishes after 10 steps", f"RNN: flows through all {STEPS} steps"]


def test_all_drawings_take_a_path_and_a_title():
    """What one is given first and second, each is."""
    for draw in (GradientFlowDisplay.plot, History.plot, draw_predictions):
        given = inspect.signature(draw).parameters
        path, title = given["path"], given["title"]
        assert (path.default, title.default) == (None, "")
        assert list(given).index("title") == list(given).index("path") + 1


def test_a_forecaster_is_followed_beside_its_linear_forecast():
    """Its output is the sum of both, and the gradient of a state goes by the recurrent layers."""
    frame = pd.DataFrame({"v": np.sin(np.arange(80.0) / 3) + np.cos(np.arange(80.0)) / 5})
    X, y = windows(frame, 6, 2)
    model = LSTMRegressor(4, max_epochs=2, random_state=0, verbose=0).fit(X, y)
    model._scale_head(0.0 if model._plan.share == 0 else 1.0 / model._plan.share)
    rows = model._examples(X, y).rows
    output = Walk.of(model.network_, rows.row(3)[None]).output
    np.testing.assert_allclose(output, model.network_.forward(rows.take([3])), rtol=1e-4, atol=1e-5)
    flow = gradient_flow(model, X, y)
    assert len(flow) == 6 and flow.layer.startswith("LSTM(4")
    fixed = "0.shortcut.1.weight"  # its linear forecast, which a ridge has solved
    assert fixed in model.network_.parameters() and fixed not in flow.weight_gradient
    assert list(flow.weight_gradient) == list(flow.weight)
    assert list(flow.weight_gradient)[-1] == "0.layers.1.weight"


# -- factors, and the gradients of weights ---------------------------------------------------------


def test_factors_are_what_each_step_multiplies_by():
    """Of an RNN those of the formula, whose product is ``dh_T/dh_t`` where they are scalars."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(6, 8, 2)), rng.normal(size=6)
    for activation in ("tanh", "sigmoid", "relu"):
        model = RNNRegressor(5, activation=activation, **QUICK).fit(X, y)
        flow = gradient_flow(model, X, y, rows=1)
        h = walk_of_row(model, X).walk.steps[0].values["h"][0]
        W = model.network_.parameters()["0.recurrent_weight"]
        expected = formulas.gradient_factors(h, W, activation).step_norm
        np.testing.assert_allclose(flow.factor, expected, atol=1e-12)
    model, X, y = built(0.5 * np.eye(6))
    flow = gradient_flow(model, X, y)
    np.testing.assert_allclose(np.cumprod(flow.factor[::-1])[::-1], flow.singular_value[:-1])


@pytest.mark.parametrize(("kind", "gate"), ((LSTMRegressor, "f"), (GRUClassifier, "z")))
def test_factors_of_gates_are_what_is_kept_of_a_state(kind, gate):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(6, 8, 2)), np.arange(6) % 2
    model = kind(5, bidirectional=True, **QUICK).fit(X, y)
    for reverse in (False, True):
        flow = gradient_flow(model, X, y, rows=1, reverse=reverse)
        values = walk_of_row(model, X).walk.steps[0].values["reverse_" * reverse + gate][0]
        np.testing.assert_allclose(flow.factor, values[1:].mean(axis=1))
        assert f"gate {gate}" in flow.factor_name and len(flow.factor) == len(flow) - 1


def test_gradients_of_weights_are_those_of_the_network():
    """Of the mean loss of the rows, as the kernels have it."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 4)), np.arange(30) % 3
    model = FCNNClassifier(6, dtype="float64", **QUICK).fit(X, y)
    flow = GradientFlowDisplay.of(model, X, y, rows=5)
    _, gradients = model.network_.gradients(
        model._input.transform(model, X[:5]), y[:5], "categorical_cross_entropy"
    )
    assert list(flow.weight_gradient) == ["0.weight", "2.weight", "4.weight"]
    for name, norm in flow.weight_gradient.items():
        assert norm == pytest.approx(np.linalg.norm(gradients[name]), rel=1e-9)
        weight = model.network_.parameters()[name]
        assert flow.weight[name] == pytest.approx(np.linalg.norm(weight))
    assert len(flow) == 0 and flow.norm is None and flow.lost is None
    assert str(flow).startswith("the gradient flows back to 0.weight: |dL/dW| is ")


def test_a_layer_that_does_not_learn_has_no_part_in_it():
    X = np.random.default_rng(0).normal(size=(30, 4))
    layers = [Linear(5), Tanh(), Linear(1, trainable=False)]
    model = NetworkRegressor(layers, **QUICK).fit(X, X[:, 0])
    flow = GradientFlowDisplay.of(model, X, X[:, 0])
    assert list(flow.weight_gradient) == list(flow.weight) == ["0.weight"]


def test_many_layers_of_sigmoids_vanish():
    X = np.random.default_rng(0).normal(size=(30, 4))
    model = FCNNClassifier(8, num_layers=8, activation="sigmoid", **QUICK).fit(X, X[:, 0] > 0)
    flow = GradientFlowDisplay.of(model, X, X[:, 0] > 0)
    assert "vanishes on its way back to 0.weight" in str(flow)


def test_verdicts_on_weights():
    assert judge_weights({"0.weight": 1e-4, "1.weight": 1.0}).startswith("vanishes on its way ba")
    assert judge_weights({"0.weight": 1e4, "1.weight": 1.0}).startswith("explodes on its way back")
    assert judge_weights({"0.weight": 0.0, "1.weight": 0.0}).startswith("vanishes")
    assert judge_weights({"0.weight": np.nan, "1.weight": 1.0}).startswith("explodes")
    assert judge_weights({}) == "has no weights to go to"


def test_what_is_drawn_is_what_was_computed():
    pytest.importorskip("matplotlib")
    model, X, y = built(0.9 * np.eye(3))
    flow = GradientFlowDisplay.from_estimator(model, X, y)
    panels = flow.ax_[0]
    for panel, values in zip(
        panels, (flow.loss_norm, flow.singular_value, flow.factor), strict=False
    ):
        np.testing.assert_allclose(panel.lines[0].get_ydata(), values)
        last = 0 if len(values) == len(flow) else -1  # a factor leads back from the step after it
        assert panel.lines[0].get_xdata()[-1] == last
    widths = [bar.get_width() for bar in panels[3].patches]
    assert widths == list(flow.weight_gradient.values())
    deep = GradientFlowDisplay(weight_gradient={f"{n}.weight": 1.0 for n in range(90)}).plot()
    assert len(deep.ax_.patches) == 40 and "the first 40 of 90" in deep.ax_.get_title()


def test_steps_of_one_and_of_many_go_together():
    X = [np.ones((1, 2)), np.ones((4, 2))]
    model = RNNClassifier(3, **QUICK).fit(X, [0, 1])
    assert len(gradient_flow(model, X, [0, 1]).factor) == 3


def test_one_row_and_a_layer_by_its_path_as_other_displays_take_them():
    W, w = windows(np.sin(np.arange(60.0)) + np.arange(60.0) / 50, 8, 2)
    model = LSTMRegressor(3, **QUICK).fit(W, w)
    flow = GradientFlowDisplay.of(model, W, w, row=5, layer="0.layers.0")
    one = gradient_flow(model, W[5:6], w[5:6], layer=0)
    np.testing.assert_array_equal(flow.singular_value, one.singular_value)
    assert flow.weight_gradient == one.weight_gradient
    assert flow.weight_gradient != gradient_flow(model, W, w, rows=1).weight_gradient
    with pytest.raises(ValueError, match=r"^row must be the number of one of .* Got 99\."):
        GradientFlowDisplay.of(model, W, w, row=99)
    with pytest.raises(ValueError, match=r"path .*: one of 0\.layers\.0\. Got '0\.layers\.1'"):
        GradientFlowDisplay.of(model, W, w, layer="0.layers.1")


def test_the_largest_singular_value_however_small_or_large_the_numbers_are():
    A = np.random.default_rng(0).normal(size=(7, 5, 9))
    A *= np.array([1e-250, 1e-30, 0.0, 1.0, 1e30, 1e250, 1.0])[:, None, None]
    expected = np.linalg.svd(A, compute_uv=False)[:, 0]
    np.testing.assert_allclose(largest_singular_values(A), expected, rtol=1e-13)
    A[3, 0, 0] = np.nan
    assert np.isnan(largest_singular_values(A)).tolist() == [False] * 3 + [True] + [False] * 3
