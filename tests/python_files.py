"""Models written as Python, for the tests: made, imported and compared with the model."""

from __future__ import annotations

import ast
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd

QUICK = {"max_epochs": 2, "random_state": 0, "verbose": 0}
CLOSE = 1e-5
RUFF = shutil.which("ruff") or str(Path(sys.executable).with_name("ruff"))


def written(model, folder, name="written"):
    """The module that a model is written as."""
    path = folder / f"{name}.py"
    model.to_python(path)
    # bytecode of a file of the same size, written in the same second, is taken for that of this one
    Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {one.partition(".")[0] for node in ast.walk(tree) for one in imported_by(node)}
    assert names <= {"numpy", *sys.stdlib_module_names}
    return module


def imported_by(node):
    """The modules that a statement imports."""
    if isinstance(node, ast.Import):
        return [one.name for one in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) else []


def shaken(model):
    """A model whose every weight counts: a forecaster may have learned to leave the network out."""
    rng, network = np.random.default_rng(0), model.network_
    values = network.parameters().items()
    network.set_parameters({name: 0.3 * rng.normal(size=array.shape) for name, array in values})
    return model


def check(model, module, X, rows=None, some=(1, 7)):
    """Its answers are ours, for all rows and for a few."""
    rows = X if rows is None else rows
    for count in (*some, None):
        ours, theirs = (_first(X, count), _first(rows, count))
        if hasattr(model, "classes_"):
            shares = model.predict_proba(ours)
            _close(module.predict_proba(theirs), shares, 1.0)
            answers, expected = module.predict(theirs), model.predict(ours)
            for answer, wanted in zip(_listed(answers), _listed(expected), strict=True):
                assert answer.dtype == wanted.dtype
                assert (answer == wanted).all()
            assert type(answers) is type(expected)
        else:
            expected = model.predict(ours)
            if model.target_.transform is None:
                scale = np.abs(model.target_.scale).max()
            else:  # an error is then a share of the number
                scale = max(np.abs(one).max() for one in _listed(expected))
            _close(module.predict(theirs), expected, scale)


def _first(X, count):
    if count is None:
        return X
    if isinstance(X, dict):
        return {name: values[:count] for name, values in X.items()}
    return X[:count]


def _listed(values):
    return values if isinstance(values, list) else [values]


def _close(found, expected, scale):
    assert isinstance(found, list) == isinstance(expected, list)
    for one, other in zip(_listed(found), _listed(expected), strict=True):
        assert one.shape == other.shape
        assert one.dtype == np.float64
        assert np.abs(one - other).max() <= CLOSE * scale


def ruff_has_nothing_to_say(folder):
    for command in (["check"], ["check", "--isolated"], ["format", "--check"]):
        done = subprocess.run(
            [RUFF, *command, "--line-length=100", "--no-cache", *map(str, folder.glob("*.py"))],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr


def penguins():
    frame = pd.read_csv(Path(__file__).parents[1] / "examples" / "penguins.csv")
    return frame.drop(columns="species"), frame["species"]


WILD = ['quo"te', "new\nline", "back\\slash", '"""', "{}{x}", "'''", "\U0001f600 smile", "# no", ""]


def table(rows=60, seed=0):
    """All kinds of columns, with gaps, of hostile names."""
    rng = np.random.default_rng(seed)
    days = np.datetime64("2020-01-01T00:00:00") + np.arange(rows) * np.timedelta64(151, "h")
    frame = pd.DataFrame({
        WILD[0]: rng.normal(5, 2, rows), WILD[1]: rng.integers(0, 9, rows) * 1.0,
        WILD[2]: rng.integers(0, 2, rows).astype(bool), WILD[3]: 3.0, WILD[4]: days,
        WILD[5]: rng.choice(["a'''\\", 'b"""', "{c}\n"], rows), WILD[6]: [None] * rows,
        WILD[7]: rng.choice(["x", None, "\U0001f600"], rows),
        "code": rng.choice(["007", "012"], rows),
    })  # fmt: skip
    frame.loc[::7, WILD[1]] = np.nan
    frame.loc[::11, WILD[4]] = pd.NaT
    return frame


def as_map(frame):
    """Lists of plain Python values, as who has no pandas holds them."""
    return {
        name: [None if value is pd.NaT or value != value else value for value in column]
        for name, column in ((name, frame[name].astype(object)) for name in frame)
    }
