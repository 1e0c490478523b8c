"""Imports run one way: the table in CONTRIBUTING.md is true, and no file is part of a circle.

And all can be imported and used under ``python -OO``, which leaves out docstrings and assertions.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from pellucid.estimators.parameters import ESTIMATORS

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "pellucid"
FILES = sorted(SOURCE.rglob("*.py"))


def module_of(path: Path) -> str:
    """The dotted name of a file, without the package's own."""
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in FILES}
WITH_TORCH = tuple(name for name in MODULES if name.startswith("export.torch."))


def nearest(name: str) -> str:
    """The module that `name`, a module or something in one, belongs to."""
    while name not in MODULES:
        name = name.rpartition(".")[0]
    return name


def imports(path: Path) -> set[str]:
    """The modules of ours that a file imports, wherever in it, for types alone or not."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports by dots"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    ours = {
        name.removeprefix("pellucid").lstrip(".")
        for name in names
        if name.split(".")[0] == "pellucid"
    }
    return {nearest(name) for name in ours} - {module_of(path), ""}  # the version stands at the top


def table() -> dict[str, set[str]]:
    """What each part may import, by CONTRIBUTING.md."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[^|]*) \|[^|]*\| ([^|]*) \|$", text, flags=re.M)
    parts: dict[str, set[str]] = {}
    for names, allowed in rows:
        for name in re.findall(r"`([\w/.]+)`", names):
            parts[part_of(name)] = {part_of(each) for each in re.findall(r"`([\w/.]+)`", allowed)}
    return parts


def part_of(name: str) -> str:
    return name.rstrip("/").removesuffix(".py").split(".")[0]


def test_every_part_of_the_package_is_in_the_table():
    parts = {module.split(".")[0] for module in MODULES} - {"", "__main__"}
    assert parts == set(table())


@pytest.mark.parametrize("module", [name for name in MODULES if name not in ("", "__main__")])
def test_imports_are_those_of_the_table(module):
    own = module.split(".")[0]
    allowed = table()[own] | {own}
    for imported in imports(MODULES[module]):
        assert imported.split(".")[0] in allowed, f"{module} imports {imported}"


def test_no_file_is_part_of_a_circle():
    """An ``__init__`` that hands names on counts as what it imports."""
    graph = {module: imports(path) for module, path in MODULES.items()}
    done: set[str] = set()

    def visit(module: str, way: tuple[str, ...]) -> None:
        assert module not in way, " -> ".join((*way[way.index(module) :], module))
        if module not in done:
            for imported in graph[module]:
                visit(imported, (*way, module))
            done.add(module)

    for module in graph:
        visit(module, ())


WITHOUT_DOCSTRINGS = """
import importlib, sys
import numpy as np
from click.testing import CliRunner

for module in sys.argv[2:]:
    importlib.import_module(module)

import pellucid
from pellucid.cli.main import application
from pellucid.estimators.parameters import ESTIMATORS

def run(*arguments):
    result = CliRunner().invoke(application, arguments)
    print(*arguments[:2], result.exit_code, *result.output.split()[:2])

X = np.random.default_rng(0).normal(size=(40, 6)).round(3)
y = (X[:, 0] > 0).astype(int)
for name, kind in ESTIMATORS.items():
    model = kind(max_epochs=1, random_state=0, verbose=0).fit(X, y)
    model.save("model")
    print(name, np.array_equal(pellucid.load("model").predict(X), model.predict(X)))
try:
    kind(max_epochs=0).fit(X, y)
except ValueError as error:
    print(error)

np.savetxt("data.csv", np.column_stack([X, y]), "%g", ",", header="a,b,c,d,e,f,y", comments="")
run()
for command in application.commands:
    run(command, "--help")
run("fit", "data.csv", "--target", "y", "--set", "max_epochs=1", "-q")
for command in (["evaluate", "data.safetensors", "data.csv"], ["summary", "data.safetensors"],
                ["predict", "data.safetensors", "data.csv"]):
    run(*command)
"""


def test_docstrings_and_assertions_may_be_left_out(tmp_path):
    """Every module, estimator and command under ``python -OO``."""
    # those of torch are imported where it is used
    without = ("", "__main__", *(() if find_spec("torch") else WITH_TORCH))
    modules = [f"pellucid.{name}" for name in MODULES if name not in without]
    command = [sys.executable, "-OO", "-c", WITHOUT_DOCSTRINGS, "--", *modules]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    commands = "fit search predict evaluate report summary card export compile".split()
    assert done.stdout.splitlines() == [
        *(f"{name} True" for name in ESTIMATORS),
        f"max_epochs of {list(ESTIMATORS)[-1]} must be a positive integer. Got 0.",
        "0 Usage: application",
        *(f"{name} --help 0 Usage: application" for name in commands),
        "fit data.csv 0",
        "evaluate data.safetensors 0 y, 40",
        "summary data.safetensors 0 data.safetensors: FCNNClassifier,",
        "predict data.safetensors 0 y 0",
    ]


def test_modules_are_there_without_an_import_of_their_own():
    code = (
        "import pellucid; print(pellucid.data.windows.__name__, pellucid.distributed.fit.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "windows fit\n"
    whole = "import inspect, pellucid; print(len(inspect.getmembers(pellucid)) > 20)"
    done = subprocess.run([sys.executable, "-c", whole], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"
