"""The file that a model is written as: plain, short, whole, and needing NumPy alone."""

from __future__ import annotations

import ast
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from python_files import (
    CLOSE,
    QUICK,
    WILD,
    as_map,
    imported_by,
    penguins,
    ruff_has_nothing_to_say,
    table,
    written,
)

from pellucid import (
    FCNNClassifier,
    FCNNRegressor,
    LSTMClassifier,
    NetworkRegressor,
)
from pellucid.export.python import plain
from pellucid.layers import (
    GRU,
    Layer,
    Linear,
    ReLU,
)
from pellucid.layers.base import concrete_layer

ISOLATED = """
class Refused:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("pellucid", "pandas", "PIL", "sklearn", "numba"):
            raise ImportError(name)

sys.meta_path.insert(0, Refused())
import json
from model import predict, predict_proba
rows = json.load(open("rows.json"))
print(json.dumps([predict(rows).tolist(), predict_proba(rows).tolist()]))
"""


def test_it_runs_where_numpy_is_all_there_is(tmp_path):
    X, y = penguins()
    model = FCNNClassifier(**QUICK).fit(X, y)
    model.to_python(tmp_path / "model.py")
    (tmp_path / "rows.json").write_text(json.dumps(as_map(X)), encoding="utf-8")
    packages = str(Path(np.__file__).parents[1])
    code = f"import sys\nsys.path += ['.', {packages!r}]\n{ISOLATED}"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], cwd=tmp_path, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    labels, shares = json.loads(done.stdout)
    assert labels == model.predict(X).tolist()
    assert np.abs(np.array(shares) - model.predict_proba(X)).max() < CLOSE


def test_it_is_short_and_plain(tmp_path):
    X, y = penguins()
    FCNNClassifier(**QUICK).fit(X, y).to_python(tmp_path / "penguins.py")
    X, y = np.random.default_rng(0).normal(size=(30, 5, 2)), np.arange(30) % 3
    LSTMClassifier(bidirectional=True, **QUICK).fit(X, y).to_python(tmp_path / "lstm.py")
    for name, most in (("penguins", 200), ("lstm", 300)):
        text = (tmp_path / f"{name}.py").read_text(encoding="utf-8")
        assert len(text.splitlines()) < most
        assert max(map(len, text.splitlines())) <= 100
    assert "def lstm(" in text
    assert "def gru(" not in text and "def relu(" not in text
    ruff_has_nothing_to_say(tmp_path)


def test_names_of_the_user_are_never_code(tmp_path):
    X, y = table(), np.array(["\n#", '"""', "'''\\"])[np.arange(60) % 3]
    FCNNClassifier(**QUICK).fit(X, y).to_python(tmp_path / "wild.py")
    text = (tmp_path / "wild.py").read_text(encoding="utf-8")
    assert text.isascii()
    strings = {node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant)}
    assert not strings & {*WILD[:-1], *y.tolist()}
    ruff_has_nothing_to_say(tmp_path)


def test_equal_models_make_equal_files(tmp_path):
    X, y = penguins()
    model = FCNNClassifier(**QUICK).fit(X, y)
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        model.to_python(tmp_path / folder / "m.py")
    for name in ("m.py", "m.npz"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_file_beside_the_arrays_of_another_says_so(tmp_path):
    X, y = penguins()
    model = FCNNClassifier(**QUICK).fit(X, y)
    model.to_python(tmp_path / "m.py")
    earlier = (tmp_path / "m.py").read_text(encoding="utf-8")
    model.set_params(random_state=1).fit(X, y).to_python(tmp_path / "m.py")
    (tmp_path / "m.py").write_text(earlier, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("m", tmp_path / "m.py")
    with pytest.raises(ValueError, match=r"m.npz must have been written with .* Got another. Copy"):
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


def test_what_is_wrong_with_rows_is_said_in_a_sentence(tmp_path):
    X, y = penguins()
    module = written(FCNNClassifier(**QUICK).fit(X, y), tmp_path)
    rows = as_map(X)
    for wrong, words in (
        (
            {**rows, "sex": rows["sex"][1:]},
            r"must be equally long, not empty. Got \[343, 344\]",
        ),
        ({n: v for n, v in rows.items() if n != "year"}, "rows must have the column 'year'. Got"),
        ({**rows, "year": ["soon"] * 344}, "column 'year' must hold numbers. Got 'soon'"),
        ({**rows, "year": [np.inf] * 344}, "column 'year' must hold finite numbers. Got inf"),
        ({name: [] for name in rows}, r"must be equally long, not empty. Got \[0\] rows"),
    ):
        with pytest.raises(ValueError, match=words):
            module.predict(wrong)
    with pytest.raises(TypeError, match="rows must be a map {column: values}. Got list"):
        module.predict([[1, 2]])
    matrix = FCNNClassifier(**QUICK).fit(np.eye(6), np.arange(6) % 2)
    with pytest.raises(ValueError, match=r"rows must have the shape \(B, 6\). Got \(2, 5\)"):
        written(matrix, tmp_path, "matrix").predict(np.ones((2, 5)))


def test_numbers_written_in_another_way_are_not_misread(tmp_path):
    X = pd.DataFrame({"price": [f"{n},50 \u20ac" for n in range(40)], "x": np.arange(40.0)})
    model = FCNNRegressor(**QUICK).fit(X, np.arange(40.0))
    module = written(model, tmp_path)
    expected = model.predict(X)
    found = module.predict({"price": np.arange(40) + 0.5, "x": X["x"]})
    assert np.abs(found - expected).max() < CLOSE * model.target_.scale.max()
    with pytest.raises(ValueError, match="column 'price' must hold numbers. Got '1.234'"):
        module.predict({"price": ["1.234"], "x": [1]})


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("model.txt", r"must end in .py. Got '.*model.txt'. Write '.*model.py'"),
        ("my-model.py", r"name that Python can import. Got '.*'. Write '.*my_model.py'"),
        ("class.py", r"name that Python can import. Got '.*'. Write '.*model.py'"),
        ("json.py", r"name of a module that others import. Got '.*'. Write '.*json_model.py'"),
    ],
)
def test_names_of_files_that_cannot_be_imported(name, words, tmp_path):
    model = FCNNClassifier(**QUICK).fit(np.eye(6), np.arange(6) % 2)
    with pytest.raises(ValueError, match=words):
        model.to_python(tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"", b"no zip", "arrays"])
def test_arrays_of_something_else_are_not_written_over(content, tmp_path):
    place = tmp_path / "data.npz"
    if content == "arrays":
        np.savez(place, x=np.arange(3))
    else:
        place.write_bytes(content)
    before = place.read_bytes()
    model = FCNNClassifier(**QUICK).fit(*penguins())
    with pytest.raises(ValueError, match=r"data.npz', where .* something else.*'data_model.py'"):
        model.to_python(tmp_path / "data.py")
    assert place.read_bytes() == before and not (tmp_path / "data.py").exists()
    for _ in range(2):  # its own arrays are
        model.to_python(tmp_path / "model.py")


def test_a_folder_that_is_not_there(tmp_path):
    model = FCNNClassifier(**QUICK).fit(np.eye(6), np.arange(6) % 2)
    with pytest.raises(OSError, match=r"the folder '.*nowhere' does not exist. Make it first"):
        model.to_python(tmp_path / "nowhere" / "m.py")
    (tmp_path / "m.npz").mkdir()
    with pytest.raises(OSError, match=r"m.npz' cannot be saved: it is a folder"):
        model.to_python(tmp_path / "m.py")
    assert [path.name for path in tmp_path.iterdir()] == ["m.npz"]


@concrete_layer
class Mine(Layer):
    """A layer of a user's own."""

    def output_shape(self, shape):
        return shape

    def forward(self, stage, training):
        return ReLU().forward(stage, training)

    def backward(self, stage):
        return ReLU().backward(stage)


def test_what_numpy_cannot_compute_is_refused(tmp_path):
    X = np.random.default_rng(0).normal(size=(8, 3, 2))
    stateful = NetworkRegressor([GRU(3, stateful=True)], **{**QUICK, "early_stopping": False})
    with pytest.raises(ValueError, match="must not be stateful: each answer"):
        stateful.fit(X, np.arange(8.0)).to_python(tmp_path / "m.py")
    mine = NetworkRegressor([Linear(3), Mine()], **QUICK).fit(X[:, 0], np.arange(8.0))
    with pytest.raises(TypeError, match=r"must be those of pellucid.layers. Got Mine\(\)"):
        mine.to_python(tmp_path / "m.py")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("path", sorted(Path(plain.__path__[0]).glob("*.py")), ids=lambda p: p.stem)
def test_what_is_taken_along_needs_numpy_alone(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body:
        assert isinstance(node, (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.Assign, ast.Expr))
        if isinstance(node, ast.Assign):  # the one name that every written file has
            assert ast.unparse(node) == "Array = np.ndarray"
    names = {name for node in ast.walk(tree) for name in imported_by(node)}
    others = {name for name in names if name.partition(".")[0] not in sys.stdlib_module_names}
    assert others <= {
        "numpy",
        "pellucid.export.python.plain.columns",
        "pellucid.export.python.plain.formulas",
    }
