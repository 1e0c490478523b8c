"""Networks as torch modules: outputs and gradients of every kind of layer are equal, both ways."""

from __future__ import annotations

import copy
import pickle
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from torch_twin import gradients

from pellucid import Network
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
    Layer,
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
from pellucid.layers.base import each_layer
from pellucid.rows import Sequences

torch = pytest.importorskip("torch")
from pellucid.torch import to_module  # noqa: E402  what needs no torch is imported first

FLAT: dict[str, tuple[list[Any], tuple[int, ...]]] = {
    "dense": ([Linear(5), ReLU(), Dropout(0.0), Linear(9, bias=False), LeakyReLU(0.2)], (6,)),
    "norms": ([Linear(7), BatchNorm(eps=1e-3), Sigmoid(), LayerNorm(eps=1e-3), Tanh()], (3,)),
    "softmax": ([Linear(4), Softmax()], (5,)),
    "shortcut": ([Residual([Linear(6), Tanh(), Linear(5)]), Residual([Linear(5), ReLU()])], (3,)),
    "kept": ([Linear(6), Tanh(), Linear(4, trainable=False)], (3,)),
}
PICTURES: dict[str, tuple[list[Any], tuple[int, ...]]] = {
    "convolution": (
        [Conv2d(3, 3), ReLU(), Conv2d(4, (2, 3), stride=(2, 1), bias=False), Flatten()], (7, 9, 2),
    ),
    "same": (
        [Conv2d(3, (2, 4), padding="same"), Conv2d(5, 3, stride=2, padding="same"), Flatten()],
        (7, 8, 1),
    ),
    "dilation": ([Conv2d(3, 3, padding=(2, 1), dilation=(2, 1)), Tanh(), Flatten()], (7, 5, 3)),
    "uneven dilation": ([Conv2d(2, 2, padding="same", dilation=3), Flatten()], (7, 5, 2)),
    "norms": (
        [Conv2d(3, 3), BatchNorm(), ReLU(), LayerNorm(), Conv2d(2, 1), GlobalAvgPool()], (5, 4, 2),
    ),
    "after norm": ([Conv2d(3, 3), LayerNorm(), GlobalAvgPool()], (5, 4, 2)),
    "max pool": (
        [MaxPool2d(2), MaxPool2d((2, 3), stride=1, padding=1, ceil_mode=True), Flatten()],
        (9, 8, 2),
    ),
    "max pool, last": ([MaxPool2d(3, stride=2, ceil_mode=True), Flatten()], (8, 6, 2)),
    "max pool, same": (
        [MaxPool2d(2, stride=2, padding="same"), MaxPool2d(4, 3, "same"), Flatten()], (7, 9, 2),
    ),
    "max pool, wide": ([MaxPool2d(3, stride=2, padding=2, ceil_mode=True), Flatten()], (5, 6, 2)),
    "average": (
        [AvgPool2d(3, stride=2, padding=1), AvgPool2d((1, 2), ceil_mode=True), Flatten()],
        (7, 9, 2),
    ),
    "average, padded": (
        [AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=True), Flatten()], (8, 6, 2),
    ),
    "average, same": (
        [AvgPool2d(2, 2, "same"), AvgPool2d(4, 3, "same", False, True), Flatten()], (7, 9, 2),
    ),
    "average, wide": ([AvgPool2d(3, 2, 2, ceil_mode=True), Flatten()], (5, 6, 2)),
    "average, wide, padded": ([AvgPool2d(4, 3, 3, True, True), Flatten()], (5, 6, 2)),
    "residual": (
        [Residual([Conv2d(4, 3, stride=2, padding=1), ReLU(), Conv2d(4, 3, padding=1)]), ReLU(),
         Residual([BatchNorm(), Conv2d(4, 3, padding="same")]), GlobalAvgPool()], (7, 8, 3),
    ),
    "residual of norms": (
        [Residual([LayerNorm(), Conv2d(3, 1)]), Residual([LayerNorm()]), Flatten()], (3, 4, 3),
    ),
    "flattened at once": ([Flatten(), Linear(5), Tanh()], (3, 4, 2)),
    "norms of features": (
        [Conv2d(3, 2), Flatten(), BatchNorm(), Tanh(), LayerNorm(), Dropout(0.0)], (4, 3, 2),
    ),
    "shortcut of features": (
        [Conv2d(3, 2), Flatten(), Residual([Linear(7), ReLU(), Linear(18), LayerNorm()]),
         Residual([Tanh()]), Residual([Residual([Linear(18)]), LayerNorm()])], (4, 3, 2),
    ),
    "flattened inside": (
        [Residual([Flatten(), Linear(24)], shortcut=[Flatten()]), Sigmoid()], (3, 4, 2),
    ),
}  # fmt: skip
SIGNALS: dict[str, tuple[list[Any], tuple[int, ...]]] = {
    "convolution": (
        [Conv1d(3, 3, dilation=2), ReLU(), Conv1d(4, 2, stride=2, bias=False), Flatten()], (9, 2),
    ),
    "same": (
        [Conv1d(3, 4, padding="same"), BatchNorm(), MaxPool1d(2), Conv1d(2, 3, 2, 1), Flatten()],
        (9, 2),
    ),
    "pools": (
        [MaxPool1d(3, 2, "same"), AvgPool1d(2, 1, 1), AvgPool1d(3, 2, 2, True, True), Flatten()],
        (11, 3),
    ),
    "means": ([AvgPool1d(2, 2, "same"), MaxPool1d(2, 1, "same"), GlobalAvgPool()], (7, 3)),
    "residual": (
        [Residual([Conv1d(4, 3, 2, "same"), ReLU(), LayerNorm()]), GlobalAvgPool()], (7, 3),
    ),
    "then states": ([Conv1d(3, 3), ReLU(), MaxPool1d(2), LSTM(4)], (9, 2)),
    "after states": (
        [GRU(3, return_sequences=True), Conv1d(4, 3, padding="same"), Flatten()],
        (6, 2),
    ),
}  # fmt: skip
SEQUENCES: dict[str, tuple[list[Any], tuple[int, ...]]] = {
    "rnn": ([RNN(5)], (6, 3)),
    "rnn, relu": ([RNN(4, activation="relu", bidirectional=True)], (6, 3)),
    "rnn, sigmoid": ([RNN(4, 2, bidirectional=True, activation="sigmoid")], (6, 3)),
    "lstm": ([LSTM(4, bidirectional=True)], (5, 3)),
    "lstm, two": ([LSTM(4, num_layers=2), Tanh()], (5, 3)),
    "lstm, deep": ([LSTM(3, 3, bidirectional=True)], (5, 2)),
    "gru": ([GRU(4, 2, bidirectional=True)], (5, 3)),
    "gru, before": ([GRU(3, 2, bidirectional=True, reset_after=False)], (5, 3)),
    "states": (
        [Linear(4), LayerNorm(), GRU(3, return_sequences=True), Linear(2), GlobalAvgPool()], (5, 3),
    ),
    "residual": (
        [Residual([LSTM(4, return_sequences=True), Linear(3)]), Conv1d(5, 1), RNN(4)], (5, 3),
    ),
    "shortcut": ([Linear(2), Residual([LSTM(4)], shortcut=[GlobalAvgPool(), Linear(4)])], (5, 3)),
    "one step": ([LSTM(4, bidirectional=True), ReLU()], (1, 3)),
    "means alone": ([GlobalAvgPool()], (5, 3)),
}  # fmt: skip
EQUAL_LENGTHS: dict[str, tuple[list[Any], tuple[int, ...]]] = {
    "flattened": ([LSTM(4, return_sequences=True), Flatten()], (5, 3)),
    "beside": ([Residual([LSTM(4), Linear(3)], shortcut=[Flatten(), Linear(3)])], (5, 2)),
}
TOKENS: dict[str, tuple[list[Any], tuple[int, ...]]] = {
    "one": ([Embedding(7, 3), LSTM(4)], (5,)),
    "two": ([Embedding(7, 3), GRU(4, return_sequences=True), GlobalAvgPool()], (5, 2)),
    "beside numbers": ([Embedding(7, 2, others=2), RNN(4)], (5, 3)),
    "signals": ([Embedding(7, 2), Conv1d(3, 3), ReLU(), GlobalAvgPool()], (5,)),
}
CASES = {
    f"{kind}: {name}": case
    for kind, cases in {
        "flat": FLAT, "pictures": PICTURES, "signals": SIGNALS, "sequences": SEQUENCES,
        "equal": EQUAL_LENGTHS, "tokens": TOKENS,
    }.items()
    for name, case in cases.items()
}  # fmt: skip
UNEQUAL = [name for name in CASES if name.startswith("sequences") and "one step" not in name]


def built(layers: list[Any], shape: tuple[int, ...], dtype: str = "float64") -> Network:
    """A network no parameter of which is what it began as."""
    network = Network(layers).build(shape, dtype, random_state=0)
    random = np.random.default_rng(1)
    values = {
        name: random.uniform(0.5, 2, array.shape) if "variance" in name or "gamma" in name
        else random.normal(0, 0.3, array.shape)
        for name, array in network.parameters().items()
    }  # fmt: skip
    return network.set_parameters(values)


def classifier(name: str, dtype: str = "float64") -> Network:
    layers, shape = CASES[name]
    return built([*layers, Linear(3)], shape, dtype)


def inputs(network: Network, rows: int) -> np.ndarray:
    random = np.random.default_rng(2)
    x = random.normal(size=(rows, *network.input_shape))
    first = network.layers[0]
    if isinstance(first, Embedding):
        tokens = x.shape[-1] - first.others
        x[..., :tokens] = random.integers(0, first.num_embeddings, x[..., :tokens].shape)
    return x.astype(network.dtype)


def of_torch(tensor: Any) -> np.ndarray:
    return tensor.detach().numpy()


def check_gradients(network: Network, module: Any, x: Any, rows: Any, lengths: Any = None) -> None:
    """One step's gradients of both, in training, are equal."""
    y = (np.arange(len(x)) + 1) % 3
    loss, ours = network.gradients(rows, y, "categorical_cross_entropy")
    module = copy.deepcopy(module).train()
    more = () if lengths is None else (torch.tensor(lengths),)
    theirs = torch.nn.functional.cross_entropy(module(torch.tensor(x), *more), torch.tensor(y))
    theirs.backward()
    tolerance = 1e-5 if network.dtype == np.float32 else 1e-9
    assert abs(theirs.item() - loss) < tolerance
    found = gradients(network, module)
    learned = [name for name, each in network.chain.parameters.items() if each.learns]
    for name in learned:
        np.testing.assert_allclose(found[name], ours[name], rtol=0, atol=tolerance, err_msg=name)
    assert any(np.abs(ours[name]).max() > 1e-4 for name in learned)


@pytest.mark.parametrize("rows", [1, 7])
@pytest.mark.parametrize("name", CASES)
def test_outputs_and_gradients_are_equal(name, rows):
    network = classifier(name)
    module, x = to_module(network), inputs(network, rows)
    assert not module.training
    np.testing.assert_allclose(of_torch(module(torch.tensor(x))), network.forward(x), atol=1e-9)
    flat_norm = any(
        isinstance(layer, BatchNorm) and len(shape) == 1
        for layer, shape in zip(network.layers, network.shapes, strict=False)
    )
    if rows > 1 or not flat_norm:  # of one number torch takes no variance
        check_gradients(network, module, x, x)


@pytest.mark.parametrize("rows", [1, 7])
@pytest.mark.parametrize("name", UNEQUAL)
def test_sequences_of_unequal_length(name, rows):
    network = classifier(name)
    module, x = to_module(network), inputs(network, rows)
    lengths = np.arange(rows) % x.shape[1] + 1
    sequences = Sequences.from_padded(x, lengths)
    found = of_torch(module(torch.tensor(x), torch.tensor(lengths)))
    np.testing.assert_allclose(found, network.forward(sequences), atol=1e-9)
    check_gradients(network, module, x, sequences, lengths)


def test_every_kind_of_layer_is_among_the_cases():
    layers = [layer for case, _ in CASES.values() for layer in each_layer(case)]
    assert {type(layer).__name__ for layer in layers} == set(LAYERS)


@pytest.mark.parametrize(
    "name",
    ["flat: norms", "pictures: residual", "signals: same", "sequences: lstm, deep",
     "sequences: gru", "tokens: beside numbers"],
)  # fmt: skip
def test_float32(name):
    network = classifier(name, "float32")
    module, x = to_module(network), inputs(network, 7)
    assert {parameter.dtype for parameter in module.parameters()} == {torch.float32}
    np.testing.assert_allclose(of_torch(module(torch.tensor(x))), network.forward(x), atol=1e-5)
    check_gradients(network, module, x, x)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_there_and_back_gives_the_same_bits(name, dtype):
    network = classifier(name, dtype)
    own = network.parameters()
    zeros = {key: np.full_like(array, -0.0) for key, array in own.items() if "bias" in key}
    network.set_parameters(zeros)
    state = to_module(network).state_dict()
    back = Network(network.layers).build(network.input_shape, dtype, random_state=5)
    assert back.load_torch(state).values.tobytes() == network.values.tobytes()
    back.initialize(6).load_torch({key: array.numpy() for key, array in state.items()})
    assert back.values.tobytes() == network.values.tobytes()


@pytest.mark.parametrize(
    ("layers", "shape"),
    [
        ([Conv2d(3, 3)], (5, 4, 2)),
        ([Conv2d(3, 3), LayerNorm()], (5, 4, 2)),
        ([Conv2d(3, 3), Flatten(), Tanh()], (5, 4, 2)),
        ([Conv1d(3, 3)], (5, 2)),
        ([LSTM(4, bidirectional=True, return_sequences=True), Linear(2)], (5, 2)),
        ([Flatten(), BatchNorm()], (2, 3, 2)),
    ],
)
def test_outputs_lie_as_ours(layers, shape):
    network = built(layers, shape)
    x = inputs(network, 3)
    found = of_torch(to_module(network)(torch.tensor(x)))
    np.testing.assert_allclose(found, network.forward(x), atol=1e-12)


def test_steps_behind_a_sequence_do_not_count():
    network = built([GRU(4, bidirectional=True, return_sequences=True), Linear(2)], (5, 3))
    x, lengths = inputs(network, 4), np.array([5, 1, 3, 2])
    found = of_torch(to_module(network)(torch.tensor(x), torch.tensor(lengths)))
    own = network.forward(Sequences.from_padded(x, lengths))
    there = np.arange(5) < lengths[:, None]
    assert np.isnan(own[~there]).all()
    np.testing.assert_allclose(found[there], own[there], atol=1e-12)


def test_lengths_are_refused_where_layers_mix_steps():
    network = built([Conv1d(3, 3), GlobalAvgPool()], (5, 2))
    with pytest.raises(ValueError, match=r"unequal length must work step by step.*Got Conv1d"):
        to_module(network)(torch.zeros(1, 5, 2, dtype=torch.float64), torch.tensor([3]))


def test_a_module_is_torchs_own_layers():
    network = built([Linear(5), ReLU(), Dropout(0.1), Linear(3)], (4,))
    module = to_module(network)
    assert [type(part).__module__.split(".")[0] for part in module.modules()] == ["torch"] * 5
    assert type(module) is torch.nn.Sequential
    assert list(module.state_dict()) == ["0.weight", "0.bias", "3.weight", "3.bias"]


@pytest.mark.parametrize("name", CASES)
def test_weights_lie_row_by_row_as_torch_wants_them(name):
    """Some of its kernels refuse gradients of others."""
    assert all(parameter.is_contiguous() for parameter in to_module(classifier(name)).parameters())


def test_nothing_is_shared_and_no_random_number_is_drawn():
    network = built([Linear(5), Tanh(), Linear(3)], (4,))
    before, state = network.values.copy(), torch.random.get_rng_state()
    module = to_module(network)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.zero_()
    assert (network.values == before).all()
    assert (torch.random.get_rng_state() == state).all()


@pytest.mark.parametrize("name", ["pictures: average, wide", "sequences: gru, before"])
def test_modules_can_be_pickled_and_copied(name):
    network = classifier(name)
    module, x = to_module(network), torch.tensor(inputs(network, 3))
    again = pickle.loads(pickle.dumps(module))
    assert (again(x) == module(x)).all()
    again.load_state_dict(module.state_dict())


def test_parameters_that_are_not_trained_stay():
    module = to_module(classifier("flat: kept"))
    assert [p.requires_grad for p in module.parameters()] == [True] * 2 + [False] * 2 + [True] * 2


def test_running_statistics_move_as_ours_but_for_the_variance_of_a_sample():
    network = classifier("flat: norms")
    module, x = to_module(network).train(), inputs(network, 7)
    before = network.parameters()
    module(torch.tensor(x))
    network.gradients(x, np.zeros(7, int), "categorical_cross_entropy")
    own, norm = network.parameters(), module.get_submodule("1")
    np.testing.assert_allclose(of_torch(norm.running_mean), own["1.running_mean"], atol=1e-12)
    moved = own["1.running_variance"] - 0.9 * before["1.running_variance"]
    theirs = of_torch(norm.running_var) - 0.9 * before["1.running_variance"]
    np.testing.assert_allclose(theirs, moved * 7 / 6, atol=1e-12)


# -- what is refused -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Twice(Layer):
    """A layer of the user's own."""

    def output_shape(self, shape):
        return shape

    def forward(self, stage, training):
        return []

    def backward(self, stage):
        return []


@pytest.mark.parametrize("layers", [[Twice()], [Residual([Linear(2), Twice()])]])
def test_layers_of_the_users_own_are_refused(layers):
    network = Network(layers).build(2)
    words = r"each layer of a network that goes to another library.*must be of pellucid.layers"
    for refused in (to_module, lambda network: network.load_torch({})):
        with pytest.raises(ValueError, match=words):
            refused(network)
    with pytest.raises(ValueError, match=words):
        network.load_keras([np.zeros(0)] * len(network.parameters()))


def test_states_that_are_carried_are_refused():
    network = built([LSTM(3, stateful=True), Linear(2)], (4, 2))
    with pytest.raises(ValueError, match=r"of to_module must begin each sequence anew.*LSTM"):
        to_module(network)
