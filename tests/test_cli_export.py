"""``pellucid export``: what it says of what it wrote, and what it refuses before that."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from test_cli import fails, run

from pellucid import FCNNClassifier
from pellucid.terminal import width

NAMES = ["size", "city", "第三列" * 9, "a\nb", "last"]


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def model():
    rng = np.random.default_rng(0)
    table = {name: rng.normal(size=40) for name in NAMES}
    FCNNClassifier(4, max_epochs=1, random_state=0, verbose=0).fit(table, [0, 1] * 20).save("m")
    return "m"


@pytest.fixture
def stand_in(monkeypatch):
    """A way to ONNX that is quick, and tells what it was asked for."""
    onnx = pytest.importorskip("onnx")
    asked = []

    def to_onnx(self, path=None, inputs="columns"):
        asked.append(inputs)
        value = onnx.helper.make_tensor_value_info
        double = onnx.TensorProto.DOUBLE
        sides = [[value(name, double, ["rows", 1]) for name in NAMES],
                 [value("label", onnx.TensorProto.STRING, ["rows"]),
                  value("probabilities", onnx.TensorProto.FLOAT, ["rows", 2])]]  # fmt: skip
        onnx.save(onnx.helper.make_model(onnx.helper.make_graph([], "g", *sides)), path)

    monkeypatch.setattr(FCNNClassifier, "to_onnx", to_onnx, raising=False)
    return asked


def test_it_says_what_goes_in_and_what_comes_out(model, stand_in):
    pytest.importorskip("onnxruntime")
    output = run("export", model, "model.onnx")
    words = " ".join(output.split())
    size = Path("model.onnx").stat().st_size
    assert f"Model written in model.onnx ({size} bytes); it gives the model's own answers." in words
    assert (
        "In: size double[rows, 1], city double[rows, 1]," in words and " and 1 more. Out: " in words
    )
    assert words.endswith("Out: label string[rows], probabilities float[rows, 2].")
    assert max(map(width, output.splitlines())) <= 80 and r"a\nb" in output
    assert stand_in == ["columns"]


def test_it_says_where_nothing_was_compared(model, stand_in, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    output = run("export", model, "model.onnx", "--inputs", "matrix")
    assert "not compared with the model's own answers" in " ".join(output.split())
    assert stand_in == ["matrix"]


def test_a_program_has_one_object(model, stand_in):
    result = json.loads(run("export", model, "model.onnx", "--json"))
    assert result["files"] == ["model.onnx"] and result["bytes"] == os.path.getsize("model.onnx")
    assert [one["name"] for one in result["inputs"]] == NAMES
    assert result["outputs"][1] == {"name": "probabilities", "type": "float", "shape": ["rows", 2]}
    assert result["checked"] is True and result["notes"] == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["model.pt"], "OUT must name a file that ends in .onnx (for any runtime of ONNX) or .py ("),
     (["model"], "OUT must name a file that ends in"),
     (["there/model.onnx"], "there' does not exist. Make it first."),
     (["there/model.py"], "there' does not exist. Make it first."),
     (["model.py", "--inputs", "matrix"], "--inputs must be left out but for an .onnx file. Got"),
     (["m.onnx"], "'m.onnx' is read here, and is not written over. Name another.")],
)  # fmt: skip
def test_what_cannot_be_is_refused_before_the_model_is_read(arguments, words, monkeypatch):
    monkeypatch.setattr("pellucid.load", lambda path: pytest.fail("the model was read"))
    Path("m.onnx").write_bytes(b"")
    assert words in fails("export", "m.onnx", *arguments)


def test_weights_are_not_written_over_what_is_read():
    Path("m.npz").write_bytes(b"")
    assert "'m.npz' is read here" in fails("export", "m.npz", "m.py")
