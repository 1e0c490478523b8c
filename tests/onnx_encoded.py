"""An encoder alone as an ONNX graph, run by onnxruntime and by onnx's reference evaluator."""

from __future__ import annotations

import doctest
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator

onnx = pytest.importorskip("onnx")
reference = pytest.importorskip("onnx.reference")

from pellucid.export.onnx.graph import Graph  # noqa: E402
from pellucid.export.onnx.inputs import input_feed, inputs_of  # noqa: E402

PREFIX = "found: "


class Fitted(BaseEstimator):
    """What an encoder works for, without a network: it has learned from X."""

    def __init__(self, encoder: Any = None, X: Any = None, dtype: Any = np.float32) -> None:
        self._input, self.intervals_ = encoder, object()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            encoder.fit(self, X, None, dtype)

    def rows(self, X: Any) -> list[np.ndarray]:
        """The rows that a network reads."""
        rows = self._input.encode(self, self._input.read(self, X))
        return [np.asarray(rows.row(place)) for place in range(len(rows))]


def input_names(model: Any, inputs: Any = "columns") -> list[str]:
    """What the inputs of an exported model are called."""
    return inputs_of(model, inputs).names


def graph_of(model: Any, inputs: Any = "columns") -> Any:
    """The encoder of a model as a graph that gives all values of its NetworkInput."""
    source = inputs_of(model, inputs)
    graph = Graph(source.names)
    given = vars(source.build(graph))
    types = {"x": model._input.dtype, "lengths": np.int64}
    axes = {"x": 1 + len(model._input.shape), "lengths": 1}
    for name, value in given.items():
        if value is not None:
            sizes = [f"{name}{axis}" for axis in range(axes.get(name, 2))]
            graph.output(PREFIX + name, value, types.get(name, np.float64), sizes)
    proto = graph.model({}, "1")
    onnx.checker.check_model(proto, full_check=True)
    return proto


def found_by_all(model: Any, X: Any, inputs: Any = "columns") -> list[dict[str, np.ndarray]]:
    """What each runtime makes of X: the values of NetworkInput by name."""
    proto, fed = graph_of(model, inputs), input_feed(model, X, inputs)
    assert list(fed) == input_names(model, inputs) == [one.name for one in proto.graph.input]
    runs = [reference.ReferenceEvaluator(proto).run]
    try:
        import onnxruntime
    except ImportError:
        pass
    else:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        runs.append(onnxruntime.InferenceSession(proto.SerializeToString(), options).run)
    names = [one.name.removeprefix(PREFIX) for one in proto.graph.output]
    return [dict(zip(names, run(None, fed), strict=True)) for run in runs]


def check_rows(model: Any, X: Any, inputs: Any = "columns") -> None:
    """Each runtime's rows are those of the encoder; a zero may have another sign."""
    rows = model.rows(X)
    for found in found_by_all(model, X, inputs):
        x, lengths = found["x"], found.get("lengths")
        assert x.dtype == model._input.dtype and len(x) == len(rows)
        if lengths is None:
            assert x.shape[1:] == rows[0].shape
        else:
            assert lengths.tolist() == list(map(len, rows))
        for place, row in enumerate(rows):
            np.testing.assert_array_equal(x[place][: len(row)], row)


def functions_of_the_page() -> dict[str, Any]:
    """What docs/onnx-export.md defines for those who have no pellucid."""
    page = Path(__file__).parents[1] / "docs" / "onnx-export.md"
    known: dict[str, Any] = {}
    for example in doctest.DocTestParser().get_examples(page.read_text(encoding="utf-8")):
        if example.source.startswith(("import ", "from PIL ", "def ")):
            exec(example.source, known)
    return known
