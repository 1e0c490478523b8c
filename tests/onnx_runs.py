"""Networks as ONNX graphs, run by onnxruntime and by ONNX's own reference evaluator."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pellucid import Network
from pellucid.export.onnx.network import network_graph
from pellucid.layers import Embedding, MaxPool1d, Recurrent
from pellucid.layers.base import each_layer
from pellucid.rows import Sequences

onnx = pytest.importorskip("onnx")
reference = pytest.importorskip("onnx.reference")
runtime = pytest.importorskip("onnxruntime")
runtime.set_default_logger_severity(3)
TOLERANCE = 1e-5


def session(model: Any) -> Any:
    """What runs a model in onnxruntime, once the checker has found no fault in it."""
    onnx.checker.check_model(model, full_check=True)
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    content = model.SerializeToString()
    return runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def built(layers: list[Any], shape: tuple[int, ...], dtype: str = "float32") -> Network:
    """A network whose every number is its own: none is 0 or 1, as biases and variances begin."""
    network = Network(layers).build(shape, dtype, random_state=0)
    rng, named = np.random.default_rng(0), network.parameters()
    for name, array in named.items():
        moved = array + 0.2 * rng.normal(size=array.shape)
        named[name] = np.abs(moved) + 0.05 if name.endswith("variance") else moved
    return network.set_parameters(named)


def rows_of(network: Network, count: int, steps: int | None = None) -> np.ndarray:
    """Rows that a network takes, perhaps of another number of steps."""
    rng, shape = np.random.default_rng(count), network.input_shape
    x = rng.normal(size=(count, steps or shape[0], *shape[1:])).astype(network.dtype)
    first = network.layers[0]
    if isinstance(first, Embedding):
        tokens = x[..., : x.shape[-1] - first.others]
        tokens[:] = rng.integers(first.num_embeddings, size=tokens.shape)
    return x


def evaluated(network: Network, model: Any, feed: dict[str, np.ndarray]) -> np.ndarray | None:
    """What the reference evaluator makes of a graph; None of what it does not do right.

    It ignores how many steps sequences have, knows no function of an RNN but the tangent, and finds
    no room for some maxima over padded signals: test_onnx_layers.py shows all three.
    """
    recurrent = [one for one in each_layer(network.layers) if isinstance(one, Recurrent)]
    if (recurrent and "lengths" in feed) or any(
        getattr(layer, "activation", "tanh") != "tanh" for layer in recurrent
    ):
        return None
    try:
        return reference.ReferenceEvaluator(model).run(None, feed)[0]
    except IndexError:
        assert any(isinstance(layer, MaxPool1d) for layer in each_layer(network.layers))
        return None


def assert_same(found: np.ndarray, expected: np.ndarray) -> None:
    """Equal within 1e-5 of the largest number, of one type and shape."""
    assert found.dtype == expected.dtype and found.shape == expected.shape
    size = max(1.0, float(np.nanmax(np.abs(expected), initial=0.0)))
    np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE * size)


def check_network(network: Network, batches: tuple[int, ...] = (1, 7, 64), varies: bool = False):
    """The network's graph, which gives what the network gives, also where its steps vary."""
    for unequal in (False, True) if varies else (False,):
        model = network_graph(network, unequal).model({}, "1")
        run = session(model).run
        for count in batches:
            steps = network.input_shape[0] + (count % 3 if varies and count > 1 else 0)
            x = rows_of(network, count, steps)
            feed, rows = {"x": x}, x
            if unequal:
                feed["lengths"] = 1 + np.arange(count, dtype=np.int64)[::-1] % steps
                rows = Sequences.from_padded(x, feed["lengths"])
            expected = network.forward(rows)
            assert_same(run(None, feed)[0], expected)
            other = evaluated(network, model, feed) if count == 7 else None
            if other is not None:
                assert_same(other, expected)
    return model.graph
