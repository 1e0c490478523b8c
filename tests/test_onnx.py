"""The tests of single operators of the ONNX project, run by the formulas and by the kernels.

``python tests/test_onnx.py`` writes docs/onnx.md, which says of each test what became of it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pellucid import Network, formulas
from pellucid.data import Sequences
from pellucid.engine import execute
from pellucid.kernels.grid import spaced
from pellucid.kernels.operations.activations import IDENTITY
from pellucid.kernels.operations.layer_normalization import layer_normalization_forward
from pellucid.kernels.panels import aligned, rows_of, stored_columns
from pellucid.layers import (
    GRU,
    LSTM,
    RNN,
    AvgPool1d,
    AvgPool2d,
    BatchNorm,
    Conv1d,
    Conv2d,
    Flatten,
    GlobalAvgPool,
    LayerNorm,
    LeakyReLU,
    MaxPool1d,
    MaxPool2d,
    ReLU,
    Sigmoid,
    Softmax,
    Tanh,
)
from pellucid.network.passes import Prediction

onnx = pytest.importorskip("onnx")
PAGE = Path(__file__).parents[1] / "docs" / "onnx.md"


class OutsideScope(Exception):
    """Why pellucid does not run a test."""


# -- from ONNX's conventions to ours -----------------------------------------------------------


def channels_last(x: np.ndarray) -> np.ndarray:
    return np.moveaxis(x, 1, -1)


def channels_first(x: np.ndarray) -> np.ndarray:
    return np.moveaxis(x, -1, 1)


def window(attributes: dict[str, Any], x: np.ndarray, size: tuple[int, ...]):
    """Size, stride, padding, dilation and ceil_mode of a window, for 1 or 2 dimensions."""
    dimensions = x.ndim - 2
    if dimensions not in (1, 2):
        raise OutsideScope(f"{dimensions} spatial dimensions")
    dilation = tuple(attributes.get("dilations", [1] * dimensions))
    stride = tuple(attributes.get("strides", [1] * dimensions))
    pads = attributes.get("pads", [0] * 2 * dimensions)
    padding = tuple(zip(pads[:dimensions], pads[dimensions:], strict=True))
    auto = attributes.get("auto_pad", b"NOTSET").decode()
    if auto.startswith("SAME"):
        padding = tuple(
            formulas.same_padding(*axis)
            for axis in zip(x.shape[2:], size, stride, dilation, strict=True)
        )
        if auto == "SAME_LOWER":
            padding = tuple((after, before) for before, after in padding)
    elif auto == "VALID":
        padding = ((0, 0),) * dimensions
    return size, stride, padding, dilation, bool(attributes.get("ceil_mode", 0))


class Formulas:
    """Each operator by the float64 formulas."""

    def conv(self, x, W, b, stride, padding, dilation):
        if x.ndim == 3:
            return formulas.convolution1d(x, W, b, stride[0], padding[0], dilation[0])
        return formulas.convolution2d(x, W, b, stride, padding, dilation)

    def pool(self, kind, x, size, stride, padding, ceil, padded):
        one = x.ndim == 3
        if one:
            size, stride, padding = size[0], stride[0], padding[0]
        if kind == "max":
            pool = formulas.max_pool1d if one else formulas.max_pool2d
            return pool(x, size, stride, padding, ceil).y
        pool = formulas.average_pool1d if one else formulas.average_pool2d
        return pool(x, size, stride, padding, ceil, padded)

    def global_average(self, x):
        return formulas.global_average_pool(x)

    def normalize(self, x, gamma, beta, mean, variance, eps):
        return formulas.batch_normalization(x, gamma, beta, mean, variance, eps)

    def normalize_training(self, x, gamma, beta, mean, variance, eps, momentum):
        found = formulas.batch_normalization_training(x, gamma, beta, eps)
        keep = 1 - momentum
        return (
            found.y,
            keep * mean + momentum * found.mean,
            keep * variance + momentum * found.variance,
        )

    def normalize_rows(self, x, gamma, beta, eps):
        forward = formulas.layer_normalization(x, gamma, beta, eps)
        return forward.y, forward.mean, forward.std

    def softmax(self, x):
        return formulas.softmax(x)

    def flatten(self, x):
        return x.reshape(len(x), -1)

    def recurrent(self, kind, x, weights, states, lengths, options):
        """All states, and the last ones, of one direction from the first step to the last."""
        if kind == "LSTM":
            found = formulas.lstm(x, *weights, *states, lengths)
            return found.h, [_last(each, lengths) for each in (found.h, found.c)]
        if kind == "GRU":
            h = formulas.gru(x, *weights, states[0], lengths, **options).h
        else:
            h = formulas.rnn(x, *weights, states[0], lengths=lengths, **options)
        return h, [_last(h, lengths)]

    def activation(self, name, x, slope):
        options = {"slope": slope} if name == "leaky_relu" else {}
        return getattr(formulas, name)(x, **options)


class Kernels:
    """Each operator by the float32 kernels, as a network of one layer."""

    def _run(self, layers, x, **parameters):
        network = Network([*layers, Flatten()]).build(x.shape[1:], "float32")
        network.set_parameters(parameters)
        found = network.forward(x)
        return found.reshape(len(x), *network.shapes[len(layers)])

    def _padding(self, x, size, stride, padding, dilation):
        axes = zip(x.shape[1:-1], size, stride, dilation, strict=True)
        if padding == tuple(formulas.same_padding(*axis) for axis in axes):
            return ("same",) * len(padding)
        if any(before != after for before, after in padding):
            raise OutsideScope("more padding before than after, which layers do not take")
        return tuple(before for before, _ in padding)

    def _both(self, padding):
        return padding[0] if padding[0] == "same" else padding

    def conv(self, x, W, b, stride, padding, dilation):
        sizes = W.shape[:-2]
        padding = self._padding(x, sizes, stride, padding, dilation)
        if x.ndim == 3:
            layer = Conv1d(W.shape[-1], sizes[0], stride[0], padding[0], dilation=dilation[0])
        else:
            layer = Conv2d(W.shape[-1], sizes, stride, self._both(padding), dilation=dilation)
        return self._run([layer], x, **{"0.weight": W, "0.bias": b})

    def pool(self, kind, x, size, stride, padding, ceil, padded):
        padding, one = self._padding(x, size, stride, padding, [1] * len(size)), x.ndim == 3
        if one:
            size, stride, padding = size[0], stride[0], padding[0]
        else:
            padding = self._both(padding)
        if kind == "max":
            layer = (MaxPool1d if one else MaxPool2d)(size, stride, padding, ceil)
        else:
            layer = (AvgPool1d if one else AvgPool2d)(size, stride, padding, ceil, padded)
        return self._run([layer], x)

    def global_average(self, x):
        return self._run([GlobalAvgPool()], x)

    def normalize(self, x, gamma, beta, mean, variance, eps):
        names = ("gamma", "beta", "running_mean", "running_variance")
        values = dict(zip(names, (gamma, beta, mean, variance), strict=True))
        return self._run([BatchNorm(eps=eps)], x, **{f"0.{k}": v for k, v in values.items()})

    def normalize_training(self, x, gamma, beta, mean, variance, eps, momentum):
        layers = [BatchNorm(momentum, eps), Flatten()]
        network = Network(layers).build(x.shape[1:], "float32")
        names = ("gamma", "beta", "running_mean", "running_variance")
        values = dict(zip(names, (gamma, beta, mean, variance), strict=True))
        network.set_parameters({f"0.{k}": v for k, v in values.items()})
        # against a target of 0 the loss is half the sum of y^2, and its gradient to beta is y's sum
        zeros = np.zeros((len(x), network.output_shape[0]))
        loss, _ = network.gradients(x, zeros, "mean_squared_error")
        after = network.parameters()
        y = formulas.batch_normalization_training(x, gamma, beta, eps).y
        np.testing.assert_allclose(loss, (y**2).sum() / (2 * len(x)), rtol=1e-4)
        return y, after["0.running_mean"], after["0.running_variance"]

    def normalize_rows(self, x, gamma, beta, eps):
        rows = x.reshape(-1, gamma.size)
        parameters = {"0.gamma": gamma.reshape(-1), "0.beta": beta.reshape(-1)}
        y = self._run([LayerNorm(eps)], rows, **parameters)
        statistics = self._statistics(rows, eps).reshape(*x.shape[: -gamma.ndim], 2)
        mean, scale = (
            statistics[..., k].reshape(*x.shape[: -gamma.ndim], *[1] * gamma.ndim) for k in (0, 1)
        )
        return y.reshape(x.shape), mean, 1 / scale

    def _statistics(self, rows, eps):
        """Mean and 1 / std of each row, which a layer keeps to itself."""
        count, features = rows.shape
        x, statistics = rows_of(count, features, rows.dtype), np.zeros((count, 2))
        x[:, :features] = rows
        zeros = aligned(stored_columns(features, rows.dtype), rows.dtype)
        forward = layer_normalization_forward(
            x=x, x_pixels=spaced(1), y=np.zeros_like(x), y_pixels=spaced(1), features=features,
            statistics=statistics, gamma=zeros, beta=zeros, eps=eps, kind=IDENTITY, slope=0.0,
            absent=np.zeros(0, np.int64),
        )  # fmt: skip
        execute(forward, rows=count)
        return statistics

    def softmax(self, x):
        return self._run([Softmax()], x.reshape(-1, x.shape[-1])).reshape(x.shape)

    def flatten(self, x):
        return Network([Flatten()]).build(x.shape[1:], "float32").forward(x)

    def recurrent(self, kind, x, weights, states, lengths, options):
        if any(each.any() for each in states):
            raise OutsideScope("first states other than zero: a layer begins at zero")
        U, W, b, *inside = weights
        size = len(W)
        p = {"0.input_weight": U, "0.recurrent_weight": W, "0.bias": b}
        if kind == "GRU":
            p["0.recurrent_weight"] = W[:, : 2 * size]
            p["0.candidate_weight"] = W[:, 2 * size :]
            if options["reset_after"]:
                p["0.candidate_bias"] = inside[0]
        layer = {"RNN": RNN, "LSTM": LSTM, "GRU": GRU}[kind]
        network = Network([layer(size, return_sequences=True, **options)]).build(x.shape[1:])
        data = Sequences.from_padded(x, lengths)
        h = network.set_parameters(p).forward(data)
        h = h * (np.arange(x.shape[1]) < lengths[:, None])[..., None]
        last = Network([layer(size, **options)]).build(x.shape[1:]).set_parameters(p)
        return h, [last.forward(data), *([self._cell(network, data)] if kind == "LSTM" else [])]

    def _cell(self, network, data):
        """The cell state after the last step, which a layer keeps to itself."""
        rows, steps, _ = data.shape
        with Prediction(network.chain, network.held, data, rows) as prediction:
            prediction.outputs()
            layout = prediction.layout
        size, pixel = network.output_shape[1], layout.y_grid.pixel
        cells = layout.stages[0].memory["c"][:, : steps * pixel].reshape(rows, steps, pixel)
        return _last(cells, data.lengths)[:, :size]

    def activation(self, name, x, slope):
        layers = {"relu": ReLU, "sigmoid": Sigmoid, "tanh": Tanh}
        layer = LeakyReLU(slope) if name == "leaky_relu" else layers[name]()
        return self._run([layer], x.reshape(1, -1)).reshape(x.shape)


def conv(node, attributes, inputs, backend):
    x, W, *rest = inputs
    if attributes.get("group", 1) != 1:
        raise OutsideScope("groups")
    _, stride, padding, dilation, _ = window(attributes, x, W.shape[2:])
    b = rest[0] if rest else np.zeros(len(W))
    kernels = np.moveaxis(W, (0, 1), (-1, -2))
    return [channels_first(backend.conv(channels_last(x), kernels, b, stride, padding, dilation))]


def pool(node, attributes, inputs, backend):
    (x,) = inputs
    if len(node.output) > 1:
        raise OutsideScope("the second output, indices")
    if x.dtype.kind != "f":
        raise OutsideScope(f"{x.dtype} numbers")
    size, stride, padding, dilation, ceil = window(attributes, x, tuple(attributes["kernel_shape"]))
    if any(distance != 1 for distance in dilation):
        raise OutsideScope("dilations")
    kind = "max" if node.op_type == "MaxPool" else "average"
    padded = bool(attributes.get("count_include_pad", 0))
    y = backend.pool(kind, channels_last(x), size, stride, padding, ceil, padded)
    return [channels_first(y)]


def global_average(node, attributes, inputs, backend):
    (x,) = inputs
    found = backend.global_average(channels_last(x))
    return [found.reshape(*found.shape, *[1] * (x.ndim - 2))]


def normalization(node, attributes, inputs, backend):
    x, gamma, beta, mean, variance = inputs
    eps, data = attributes.get("epsilon", 1e-5), channels_last(x)
    if attributes.get("training_mode", 0):
        momentum = 1 - attributes.get("momentum", 0.9)  # ONNX says how much stays
        y, mean, variance = backend.normalize_training(
            data, gamma, beta, mean, variance, eps, momentum
        )
        return [channels_first(y), mean, variance]
    return [channels_first(backend.normalize(data, gamma, beta, mean, variance, eps))]


def layer_normalization(node, attributes, inputs, backend):
    x, gamma, beta = inputs
    y, mean, std = backend.normalize_rows(x, gamma, beta, attributes.get("epsilon", 1e-5))
    axis = attributes.get("axis", -1) % x.ndim
    assert gamma.shape == x.shape[axis:]  # the axes that a row is normalised over
    return [y, mean, 1 / std]


def softmax(node, attributes, inputs, backend):
    (x,) = inputs
    axis = attributes.get("axis", -1)
    return [np.moveaxis(backend.softmax(np.moveaxis(x, axis, -1)), -1, axis)]


def flatten(node, attributes, inputs, backend):
    (x,) = inputs
    if attributes.get("axis", 1) != 1:
        raise OutsideScope("an axis other than 1: rows stay rows")
    return [backend.flatten(x)]


GATES = {"RNN": 1, "LSTM": 4, "GRU": 3}


def recurrent(node, attributes, inputs, backend):
    given = dict(zip(("x", "W", "R", "b", "lengths", "h", "c", "P"), node.input, strict=False))
    values = iter(inputs)
    given = {name: next(values) for name, there in given.items() if there}
    kind = node.op_type
    if "P" in given:
        raise OutsideScope("peepholes, which cuDNN and PyTorch do not have either")
    options = _options(kind, attributes)
    batchwise = attributes.get("layout", 0)
    x = given["x"] if batchwise else given["x"].swapaxes(0, 1)
    rows, steps, _ = x.shape
    directions, _, size = given["R"].shape
    lengths = given.get("lengths", np.full(rows, steps))
    biases = given.get("b", np.zeros((directions, 2 * GATES[kind] * size)))
    found, ends = [], []
    turned = {"forward": [False], "reverse": [True], "bidirectional": [False, True]}
    ways = turned[attributes.get("direction", b"forward").decode()]
    for d, reverse in enumerate(ways):
        states = [
            given[name][:, d] if batchwise else given[name][d]
            for name in ("h", "c") if name in given
        ] or [np.zeros((rows, size))]  # fmt: skip
        states += [np.zeros((rows, size))] * ((kind == "LSTM") + 1 - len(states))
        weights = _weights(kind, given["W"][d], given["R"][d], biases[d], size, options)
        data = formulas.reverse_steps(x, lengths).astype(x.dtype) if reverse else x
        h, last = backend.recurrent(kind, data, weights, states, lengths, options)
        found.append(formulas.reverse_steps(h, lengths) if reverse else h)
        ends.append(last)
    y = np.stack(found)  # (D, B, T, H)
    outputs = [y.transpose(1, 2, 0, 3) if batchwise else y.transpose(2, 0, 1, 3)]
    outputs += [np.stack(state, axis=1 if batchwise else 0) for state in zip(*ends, strict=True)]
    return [each for each, name in zip(outputs, node.output, strict=False) if name]


def _options(kind, attributes):
    """The layer's options that ONNX's attributes ask for."""
    if "clip" in attributes or attributes.get("input_forget", 0):
        raise OutsideScope("clipped or coupled gates")
    given = [each.decode().lower() for each in attributes.get("activations", [])]
    usual = {"RNN": ["tanh"], "LSTM": ["sigmoid", "tanh", "tanh"], "GRU": ["sigmoid", "tanh"]}[kind]
    if kind == "RNN":
        return {"activation": (given or usual)[0]}
    if given and given[: len(usual)] != usual:
        raise OutsideScope("gates of other functions")
    return {"reset_after": bool(attributes.get("linear_before_reset", 0))} if kind == "GRU" else {}


def _weights(kind, W, R, b, size, options):
    """U, W and b in the order of gates here, and a GRU's bias inside the reset."""
    order = {"RNN": [0], "LSTM": [0, 2, 3, 1], "GRU": [1, 0, 2]}[kind]  # theirs: h, iofc, zrh
    gates = np.concatenate([np.arange(size) + gate * size for gate in order])
    from_input, from_state = np.split(b, 2)
    from_input, from_state = from_input[gates], from_state[gates]
    inside = []
    if options.get("reset_after"):
        inside = [from_state[2 * size :].copy()]
        from_state[2 * size :] = 0
    elif kind == "GRU":
        inside = [None]
    return [W[gates].T, R[gates].T, from_input + from_state, *inside]


def _last(states, lengths):
    return states[np.arange(len(states)), np.asarray(lengths) - 1]


def activation(name: str, slope: float = 0.0) -> Callable:
    def run(node, attributes, inputs, backend):
        return [backend.activation(name, inputs[0], attributes.get("alpha", slope))]

    return run


OPERATORS = {
    "Conv": conv,
    "MaxPool": pool,
    "AveragePool": pool,
    "GlobalAveragePool": global_average,
    "BatchNormalization": normalization,
    "LayerNormalization": layer_normalization,
    "RNN": recurrent,
    "LSTM": recurrent,
    "GRU": recurrent,
    "Softmax": softmax,
    "Flatten": flatten,
    "Relu": activation("relu"),
    "LeakyRelu": activation("leaky_relu", 0.01),
    "Sigmoid": activation("sigmoid"),
    "Tanh": activation("tanh"),
}
BACKENDS = {"formulas": Formulas(), "kernels": Kernels()}


# -- the tests ---------------------------------------------------------------------------------


def collected() -> dict[str, Any]:
    """The tests of one node of these operators, by name.

    All that ONNX calls node tests, and the convolutions among those that it converted from
    PyTorch, for no node test of Conv has a dilation.
    """
    from onnx.backend.test.loader import load_model_tests

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ONNX's, while it computes what it expects
        cases = [(case, OPERATORS) for case in load_model_tests(kind="node")]
        cases += [(case, ["Conv"]) for case in load_model_tests(kind="pytorch-converted")]
    tests = {}
    for case, operators in cases:
        model = case.model
        if model is None and case.model_dir is not None:
            model = onnx.load(Path(case.model_dir) / "model.onnx")
        if model is None or len(model.graph.node) != 1:
            continue
        node = model.graph.node[0]
        if node.op_type in operators and not node.domain:
            tests[case.name] = (case, model)
    return dict(sorted(tests.items()))


def data_sets(case, model):
    """Inputs and outputs of a test, however this version of ONNX keeps them."""
    if case.data_sets is not None:
        yield from case.data_sets
        return
    from onnx import numpy_helper

    for folder in sorted(Path(case.model_dir).glob("test_data_set_*")):
        sets = []
        for kind in ("input", "output"):
            tensors = []
            for index in range(len(list(folder.glob(f"{kind}_*.pb")))):
                tensor = onnx.TensorProto()
                tensor.ParseFromString((folder / f"{kind}_{index}.pb").read_bytes())
                tensors.append(numpy_helper.to_array(tensor))
            sets.append(tensors)
        yield tuple(sets)


def run(case, model, backend) -> None:
    """Compare all outputs of a test; OutsideScope where there is no such thing here."""
    node, graph = model.graph.node[0], model.graph
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    constants = {array.name: onnx.numpy_helper.to_array(array) for array in graph.initializer}
    names = [value.name for value in graph.input if value.name not in constants]
    for arrays, outputs in data_sets(case, model):
        values = {**constants, **dict(zip(names, arrays, strict=True))}
        inputs = [values[name] for name in node.input if name]
        if any(np.asarray(array).dtype.kind == "V" for array in inputs):
            raise OutsideScope("16-bit numbers")
        results = OPERATORS[node.op_type](node, attributes, inputs, backend)
        for ours, theirs in zip(results, outputs, strict=True):
            assert ours.shape == theirs.shape
            np.testing.assert_allclose(ours, theirs, rtol=case.rtol, atol=1e-6)


CASES = collected()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", CASES)
def test_node(name, backend):
    try:
        run(*CASES[name], BACKENDS[backend])
    except OutsideScope as reason:
        assert str(reason)
        assert f"| `{name}` " in PAGE.read_text(encoding="utf-8")


def page() -> str:
    """docs/onnx.md."""
    rows, counts = [], {name: [0, 0] for name in BACKENDS}
    for name, (case, model) in CASES.items():
        cells = []
        for label, backend in BACKENDS.items():
            try:
                run(case, model, backend)
                cells.append("passes")
                counts[label][0] += 1
            except OutsideScope as reason:
                cells.append(f"outside: {reason}")
            counts[label][1] += 1
        rows.append(f"| `{name}` | {model.graph.node[0].op_type} | {' | '.join(cells)} |")
    lines = [
        "# ONNX's own tests",
        "",
        f"The node tests that ONNX {onnx.__version__} ships for the operators that pellucid has, "
        "and its tests of convolutions that come from PyTorch, run by `tests/test_onnx.py`: "
        + ", ".join(f"{good} of {of} by the {label}" for label, (good, of) in counts.items())
        + ".",
        "The others are outside the scope, for the reason given; none fails.",
        "`python tests/test_onnx.py` writes this page. How a model goes to ONNX is "
        "[another page](onnx-export.md).",
        "",
        "| test | operator | formulas (float64) | kernels (float32) |",
        "| --- | --- | --- | --- |",
        *rows,
        "",
    ]
    return "\n".join(lines)


def test_page_counts_what_is_run():
    text = PAGE.read_text(encoding="utf-8")
    assert all(f"| `{name}` |" in text for name in CASES)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
