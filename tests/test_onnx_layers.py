"""Every layer in an ONNX graph gives what it gives here, in two runtimes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from onnx_runs import built, check_network, onnx, reference, rows_of, session

from pellucid import Network
from pellucid.export.onnx.chain import NODES
from pellucid.export.onnx.network import network_graph, steps_vary
from pellucid.layers import (
    GRU,
    LAYERS,
    LSTM,
    RNN,
    AvgPool1d,
    AvgPool2d,
    BatchNorm,
    Conv1d,
    Conv2d,
    Dropout,
    Embedding,
    Flatten,
    GlobalAvgPool,
    LayerNorm,
    LeakyReLU,
    Linear,
    MaxPool1d,
    MaxPool2d,
    ReLU,
    Residual,
    Sigmoid,
    Softmax,
    Tanh,
)
from pellucid.layers.activations import Activation, concrete_layer

few = settings(max_examples=40, derandomize=True)
yes_or_no, widths = st.booleans(), st.integers(1, 6)


def operators(graph):
    return [node.op_type for node in graph.node]


def several(layers):
    """Some layers, one after the other, alone or with a shortcut around them."""
    blocks = st.builds(Residual, st.lists(layers, min_size=1, max_size=3))
    return st.lists(st.one_of(layers, layers, blocks), max_size=4)


# a large eps: else the runtime's last bits grow a hundredfold where features are nearly equal
plain = st.one_of(
    st.sampled_from([ReLU(), Sigmoid(), Tanh(), Dropout(0.3), LayerNorm(eps=1e-2)]),
    st.builds(LeakyReLU, st.floats(0.01, 0.9)),
)
linear = st.builds(Linear, widths, bias=yes_or_no)
flat = several(st.one_of(plain, linear, st.sampled_from([BatchNorm(), Softmax()])))


def recurrent(every_state):
    shared = {
        "hidden_dim": widths, "num_layers": st.integers(1, 3), "bidirectional": yes_or_no,
        "return_sequences": st.just(every_state),
    }  # fmt: skip
    return st.one_of(
        st.builds(LSTM, **shared),
        st.builds(GRU, reset_after=yes_or_no, **shared),
        st.builds(RNN, activation=st.sampled_from(["tanh", "sigmoid", "relu"]), **shared),
    )


by_step = several(
    st.one_of(plain, linear, recurrent(True), st.builds(Conv1d, widths, st.just(1), bias=yes_or_no))
)


def maps(dimensions):
    convolution, *pools = {
        1: (Conv1d, MaxPool1d, AvgPool1d), 2: (Conv2d, MaxPool2d, AvgPool2d),
    }[dimensions]  # fmt: skip

    def sizes(low, high):
        one = st.integers(low, high)
        return one if dimensions == 1 else one | st.tuples(one, one)

    padding = st.sampled_from(["same", "valid"]) | sizes(0, 2)
    shared = {
        "kernel_size": sizes(1, 4), "stride": sizes(1, 4), "padding": padding,
    }  # fmt: skip
    pooling = {**shared, "ceil_mode": yes_or_no}
    sliding = st.one_of(
        st.builds(convolution, widths, dilation=sizes(1, 2), bias=yes_or_no, **shared),
        st.builds(pools[0], **pooling),
        st.builds(pools[1], count_include_pad=yes_or_no, **pooling),
    )
    return several(st.one_of(sliding, sliding, plain, st.just(BatchNorm())))


def checked(layers, shape, dtype, varies=False):
    try:
        network = built([*layers, Linear(2)], shape, dtype)
    except ValueError:  # windows that do not fit
        assume(False)
    check_network(network, varies=varies)


dtypes = st.sampled_from(["float32", "float32", "float64"])


@few
@given(flat, st.integers(1, 8), dtypes)
def test_any_flat_network(layers, features, dtype):
    checked(layers, (features,), dtype)


@few
@given(by_step, recurrent(False) | st.just(GlobalAvgPool()) | st.none(), flat, dtypes)
def test_any_network_of_sequences(layers, end, behind, dtype):
    after = [] if end is None else [end, *behind]
    checked([*layers, *after], (5, 3), dtype, varies=True)


@few
@given(maps(1), st.sampled_from([Flatten(), GlobalAvgPool()]), flat, st.integers(4, 20), dtypes)
def test_any_network_of_signals(layers, end, behind, length, dtype):
    checked([*layers, end, *behind], (length, 2), dtype)


@few
@given(maps(2), st.sampled_from([Flatten(), GlobalAvgPool()]), flat, st.integers(4, 11), dtypes)
def test_any_network_of_pictures(layers, end, behind, height, dtype):
    checked([*layers, end, *behind], (height, 9, 3), dtype)


@few
@given(st.integers(1, 3), st.integers(0, 2), by_step, recurrent(False), dtypes)
def test_any_network_of_tokens(tokens, others, layers, end, dtype):
    first = Embedding(9, 4, others=others)
    checked([first, *layers, end], (5, tokens + others), dtype, varies=True)


def test_every_layer_has_nodes():
    assert set(NODES) == set(LAYERS.values())


def test_one_token_a_step_is_a_row_without_a_second_axis():
    check_network(built([Embedding(9, 4), Flatten(), Linear(3)], (6,)))


@pytest.mark.parametrize("layer", [AvgPool2d, MaxPool2d])
@pytest.mark.parametrize("size", [5, 6, 7, 8])
def test_windows_that_reach_beyond_the_padding(layer, size):
    options = {} if layer is MaxPool2d else {"count_include_pad": True}
    pool = layer(3, stride=2, padding=1, ceil_mode=True, **options)
    check_network(built([pool, Flatten()], (size, size + 1, 2)))


def test_a_batch_norm_goes_into_the_product_before_it():
    layers = [Conv2d(3, 3), BatchNorm(), ReLU(), Flatten(), Linear(4, bias=False), BatchNorm()]
    graph = check_network(built(layers, (5, 5, 2)))
    assert operators(graph) == ["Transpose", "Conv", "Relu", "Transpose", "Flatten", "Gemm"] + [
        "Identity"
    ]


def test_a_batch_norm_by_itself_keeps_what_a_large_mean_leaves():
    network = Network([BatchNorm()]).build((2,), random_state=0)
    mean = np.float32([1e4, -3e4])
    network.set_parameters({"0.running_mean": mean, "0.running_variance": np.float32([1.0, 4.0])})
    run = session(network_graph(network, False).model({}, "1")).run
    x = mean + rows_of(network, 50)
    np.testing.assert_allclose(run(None, {"x": x})[0], network.forward(x), atol=1e-6)


def test_pictures_are_transposed_once_and_back():
    layers = [Conv2d(3, 3), ReLU(), MaxPool2d(2), Residual([Conv2d(3, 1), Tanh()]), Flatten()]
    graph = check_network(built([*layers, Linear(2)], (9, 9, 2)))
    assert operators(graph).count("Transpose") == 2


def test_a_stack_of_recurrences_is_transposed_once():
    layers = [LSTM(4, num_layers=3, return_sequences=True), Linear(3), ReLU(), GRU(2), Linear(1)]
    graph = check_network(built(layers, (5, 3)), varies=True)
    assert operators(graph).count("Transpose") == 1


def test_steps_vary_where_every_layer_works_step_by_step():
    assert steps_vary(built([LSTM(3), Linear(1)], (5, 2)).chain)
    assert steps_vary(built([Embedding(4, 2), GlobalAvgPool()], (5,)).chain)
    assert not steps_vary(built([LSTM(3, return_sequences=True), Flatten()], (5, 2)).chain)
    assert not steps_vary(built([Conv1d(3, 3), Flatten()], (5, 2)).chain)
    assert not steps_vary(built([Linear(3)], (5,)).chain)


def test_steps_that_a_sequence_lacks_are_nan():
    network = built([GRU(3, return_sequences=True), Linear(2)], (4, 2))
    run = session(network_graph(network, True).model({}, "1")).run
    y = run(None, {"x": rows_of(network, 2), "lengths": np.array([4, 1])})[0]
    assert np.isnan(y).tolist() == [[[False] * 2] * 4, [[False] * 2] + [[True] * 2] * 3]


def test_the_reference_evaluator_ignores_how_many_steps_there_are():
    """A fault of its own: why sequences of unequal length are tried in onnxruntime alone."""
    network = built([GRU(3)], (4, 2))
    model = network_graph(network, True).model({}, "1")
    x = rows_of(network, 2)
    evaluator = reference.ReferenceEvaluator(model)
    whole, part = (
        evaluator.run(None, {"x": x, "lengths": np.array(lengths)})[0]
        for lengths in ([4, 4], [4, 1])
    )
    np.testing.assert_array_equal(whole, part)
    alone = network.forward(x[1:, :1])
    assert np.abs(part[1] - alone[0]).max() > 0.01
    found = session(model).run(None, {"x": x, "lengths": np.array([4, 1])})[0]
    np.testing.assert_allclose(found[1], alone[0], atol=1e-6)


def test_the_reference_evaluator_knows_no_function_of_an_rnn_but_the_tangent():
    """A fault of its own: why other functions are tried in onnxruntime alone."""
    model = network_graph(built([RNN(3, activation="relu")], (4, 2)), False).model({}, "1")
    with pytest.raises(RuntimeError, match="Unknown activation function 'Relu'"):
        reference.ReferenceEvaluator(model)


def test_the_reference_evaluator_finds_no_room_for_some_maxima():
    """A fault of its own: why those are tried in onnxruntime alone."""
    network = built([MaxPool1d(3, stride=1, padding=1), Flatten()], (4, 3))
    model = network_graph(network, False).model({}, "1")
    assert session(model).run(None, {"x": rows_of(network, 2)})[0].shape == (2, 12)
    with pytest.raises(IndexError, match="out of bounds"):
        reference.ReferenceEvaluator(model).run(None, {"x": rows_of(network, 2)})


def test_a_layer_norm_takes_opset_17_and_others_16():
    def opset(*layers):
        model = network_graph(built([*layers, Linear(2)], (3,)), False).model({}, "1")
        return {one.domain: one.version for one in model.opset_import}[""]

    assert opset(LayerNorm()) == 17
    assert opset(Tanh()) == 16
    assert onnx.defs.onnx_opset_version() >= 17


def test_stateful_layers_are_refused():
    network = Network([LSTM(3, stateful=True)]).build((4, 2))
    with pytest.raises(ValueError, match=r"must have stateful=False: a graph keeps no states.*Fit"):
        network_graph(network, False)


def test_a_layer_of_the_users_own_is_refused():
    @concrete_layer
    class Mine(Activation):
        kind = 1

    network = Network([Linear(2), Residual([Mine()])]).build((3,))
    with pytest.raises(TypeError, match=r"must be those of pellucid.layers. Got .*Mine.*a graph"):
        network_graph(network, False)


def test_lengths_are_refused_where_rows_have_one_length():
    with pytest.raises(ValueError, match=r"lengths of .*must be False.*rows of shape \(3,\)"):
        network_graph(built([Linear(2)], (3,)), True)
