"""Imports run one way: the table in CONTRIBUTING.md is true, and no file is part of a circle."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "pellucid"
FILES = sorted(SOURCE.rglob("*.py"))


def module_of(path: Path) -> str:
    """The dotted name of a file, without the package's own."""
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in FILES}


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
