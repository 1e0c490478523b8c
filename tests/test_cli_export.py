"""``pellucid export``: what it says of what it wrote, and what it refuses before that."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from test_cli import fails, run

from pellucid import FCNNClassifier, GRUClassifier, LSTMRegressor
from pellucid.checks import size_text
from pellucid.data import windows
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


def test_it_says_what_goes_in_and_what_comes_out(model):
    pytest.importorskip("onnxruntime")
    output = run("export", model, "model.onnx")
    words = " ".join(output.split())
    size = size_text(Path("model.onnx").stat().st_size)
    told = "it gives the model's own answers for 12 rows made up to try it."
    assert f"Model written in model.onnx ({size}); {told}" in words
    assert (
        "In: size double[rows, 1], city double[rows, 1]," in words and " and 1 more. Out: " in words
    )
    assert words.endswith("Out: label int64[rows], probabilities double[rows, 2].")
    assert max(map(width, output.splitlines())) <= 80 and r"a\nb" in output


@pytest.mark.parametrize("way", ["no runtime", "no rows"])
def test_it_says_where_nothing_was_compared(model, monkeypatch, way):
    onnx = pytest.importorskip("onnx")
    if way == "no runtime":
        monkeypatch.setitem(sys.modules, "onnxruntime", None)
    else:
        monkeypatch.setattr("pellucid.export.onnx.check.sample_rows", lambda model: None)
    output = run("export", model, "model.onnx", "--inputs", "matrix")
    assert "not compared with the model's own answers" in " ".join(output.split())
    assert [one.name for one in onnx.load("model.onnx").graph.input] == ["X"]


def test_a_program_has_one_object(model):
    pytest.importorskip("onnxruntime")
    result = json.loads(run("export", model, "model.onnx", "--json"))
    assert result["files"] == ["model.onnx"] and result["bytes"] == os.path.getsize("model.onnx")
    assert [one["name"] for one in result["inputs"]] == NAMES
    assert result["outputs"][1] == {
        "name": "probabilities", "type": "double", "shape": ["rows", 2],
        "holds": "the probability of each class, in the order of classes",
    }  # fmt: skip
    assert result["compared_rows"] == 12 and result["notes"] == []


def test_a_python_file_says_its_functions(model):
    words = " ".join(run("export", model, "written.py").split())
    assert words.endswith("It has predict and predict_proba; its first lines say what they take.")
    result = json.loads(run("export", model, "written.py", "--json"))
    assert result["files"] == ["written.py", "written.npz"] and result["compared_rows"] is None
    assert result["bytes"] == sum(map(os.path.getsize, result["files"]))
    assert result["inputs"] is None
    assert [one["name"] for one in result["outputs"]] == ["predict", "predict_proba"]
    assert result["outputs"][0]["holds"] == "the most likely class of each row"


def test_a_forecaster_has_bounds_if_asked_for():
    pytest.importorskip("onnxruntime")
    X, y = windows(np.sin(np.arange(200.0)), 6, 2)
    LSTMRegressor(4, max_epochs=1, random_state=0, verbose=0).fit(X, y).save("f")
    run("export", "f", "bounds.onnx", "--intervals", "0.8")
    result = json.loads(run("export", "f", "bounds.onnx", "--intervals", "0.8", "--json"))
    assert [one["name"] for one in result["outputs"]] == ["prediction", "lower", "upper"]
    assert result["outputs"][1]["holds"] == "y lies between them with probability 0.8"
    plain = json.loads(run("export", "f", "plain.onnx", "--json"))
    assert [one["name"] for one in plain["outputs"]] == ["prediction"]
    assert plain["compared_rows"] == 3
    words = " ".join(fails("export", "f", "bounds.onnx", "--intervals", "0.9999").split())
    assert "--intervals must be at most" in words and "to_onnx" not in words


def test_one_row_is_not_rows(model, monkeypatch):
    pytest.importorskip("onnx")
    monkeypatch.setattr("pellucid.export.onnx.model.check_model", lambda *given: 1)
    assert "answers for 1 row made up" in " ".join(run("export", model, "m.onnx").split())


def test_what_a_model_does_not_have_is_told_by_the_option(model):
    pytest.importorskip("onnx")
    words = " ".join(fails("export", model, "m.onnx", "--intervals", "0.8").split())
    assert "--intervals must be left out for a classifier, whose probabilities say" in words
    assert "to_onnx" not in words and not Path("m.onnx").exists()


def test_text_comes_in_no_matrix():
    pytest.importorskip("onnx")
    texts = ["good and warm", "bad and cold"] * 10
    GRUClassifier(4, max_epochs=1, random_state=0, verbose=0).fit(texts, [0, 1] * 10).save("t")
    words = fails("export", "t", "t.onnx", "--inputs", "matrix")
    assert '--inputs must be "columns" for a model of text' in " ".join(words.split())
    assert not Path("t.onnx").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["model.pt"], "OUT must name a file that ends in .onnx (for any runtime of ONNX) or .py ("),
     (["model"], "OUT must name a file that ends in"),
     (["there/model.onnx"], "there' does not exist. Make it first."),
     (["there/model.py"], "there' does not exist. Make it first."),
     (["model.py", "--inputs", "matrix"], "--inputs must be left out but for an .onnx file. Got"),
     (["model.py", "--intervals", "0.8"], "--intervals must be left out but for an .onnx file."),
     (["model.onnx", "--intervals", "80"], "--intervals must be shares between 0 and 1, as 0.8,"),
     (["model.onnx", "--intervals", "0.8,0.95"], "--intervals must be one level for an export"),
     (["m.onnx"], "'m.onnx' is read here, and is not written over. Name another.")],
)  # fmt: skip
def test_what_cannot_be_is_refused_before_the_model_is_read(arguments, words, monkeypatch):
    monkeypatch.setattr("pellucid.load", lambda path: pytest.fail("the model was read"))
    Path("m.onnx").write_bytes(b"")
    assert words in fails("export", "m.onnx", *arguments)


def test_weights_are_not_written_over_what_is_read():
    Path("m.npz").write_bytes(b"")
    assert "'m.npz' is read here" in fails("export", "m.npz", "m.py")
