"""An ONNX graph under construction: names, constants held once, the lowest opset."""

from __future__ import annotations

import numpy as np
import pytest

from pellucid.export.onnx.graph import ML, Graph

onnx = pytest.importorskip("onnx")
reference = pytest.importorskip("onnx.reference")


def test_a_column_of_any_name_can_be_an_input():
    name = "pellucid/Add_0"
    graph = Graph([name, "y"])
    x = graph.input(name, np.float64, ["rows", 1])
    total = graph.node("Add", x, graph.constant([[1.0]]))
    graph.output("y", total, np.float64, ["rows", 1])
    model = graph.model({"about": "a test"}, "1")
    onnx.checker.check_model(model, full_check=True)
    run = reference.ReferenceEvaluator(model).run
    assert run(None, {name: np.array([[2.0], [3.0]])})[0].tolist() == [[3.0], [4.0]]
    assert {entry.key: entry.value for entry in model.metadata_props} == {"about": "a test"}


def test_equal_constants_are_held_once_and_others_apart():
    graph = Graph()
    one = graph.constant([1.0, 2.0])
    assert graph.constant(np.array([1.0, 2.0])) == one
    others = [
        graph.constant([1.0, 2.0], np.float32), graph.constant([[1.0, 2.0]]),
        graph.constant(["1.0", "2.0"]), graph.constant([1, 2]),
    ]  # fmt: skip
    assert len({one, *others}) == 5
    assert graph.constant(0.0) != graph.constant(-0.0)


def test_a_constant_that_no_node_reads_is_left_out():
    graph = Graph()
    graph.constant([1.0, 2.0])
    graph.output("y", graph.input("x", np.float32, ["rows"]), np.float32, ["rows"])
    assert not graph.model({}, "1").graph.initializer


def test_the_opset_is_the_lowest_that_has_what_is_used():
    graph = Graph()
    x = graph.input("x", np.float32, ["rows", 3])
    graph.output("y", graph.node("Relu", x), np.float32, ["rows", 3])
    assert {each.domain: each.version for each in graph.model({}, "1").opset_import} == {"": 16}
    weight = graph.constant(np.ones(3, np.float32))
    normal = graph.node("LayerNormalization", x, weight, weight)
    graph.output("z", normal, np.float32, ["rows", 3])
    texts = graph.input("text", str, ["rows", 1])
    hot = graph.node("OneHotEncoder", texts, domain=ML, cats_strings=["a"], zeros=1)
    graph.output("hot", hot, np.float32, ["rows", 1, 1])
    versions = {each.domain: each.version for each in graph.model({}, "1").opset_import}
    assert versions == {"": 17, ML: 1}


def test_texts_beyond_ascii_stay_as_they_are():
    graph = Graph()
    which = graph.input("which", np.int64, ["rows"])
    texts = graph.node("Gather", graph.constant(["värde", "价格"]), which)
    graph.output("text", texts, str, ["rows"])
    run = reference.ReferenceEvaluator(graph.model({}, "1")).run
    assert [str(t) for t in run(None, {"which": np.array([1, 0])})[0]] == ["价格", "värde"]


def test_without_the_library_one_sentence_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(ImportError, match=r"needs the library onnx.*pip install pellucid\[onnx\]"):
        Graph()


def test_what_no_output_needs_is_left_out():
    graph = Graph()
    x = graph.input("x", np.float64, ["rows", 1])
    graph.node("LabelEncoder", x, domain=ML, keys_floats=[1.0], values_int64s=[1])
    graph.node("Add", x, graph.constant([[2.0]]))
    graph.output("y", graph.node("Add", x, graph.constant([[1.0]])), np.float64, ["rows", 1])
    model = graph.model({}, "1")
    assert [node.op_type for node in model.graph.node] == ["Add", "Identity"]
    assert len(model.graph.initializer) == 1
    assert [each.domain for each in model.opset_import] == [""]
