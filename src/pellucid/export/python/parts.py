"""The functions of `export/python/plain` as pieces of source, and files made of them."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

WIDTH = 100  # columns of a line


@dataclass(frozen=True)
class Part:
    """A function of the package: the file that it stands in, its source, and the names it uses."""

    file: str
    source: str
    uses: frozenset[str]


@cache
def parts() -> dict[str, Part]:
    """Every function that can be taken along, by name, in the order in which they stand."""
    return _read()[0]


def _names_in(code: ast.AST) -> frozenset[str]:
    """The names that some code uses, but in a function those that are its own."""
    own, used = set[str](), set[str]()
    for node in ast.iter_child_nodes(code):
        used |= _names_in(node)
    if isinstance(code, ast.FunctionDef):
        nodes = list(ast.walk(code))
        own = {node.arg for node in nodes if isinstance(node, ast.arg)}
        own |= {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return frozenset((used | ({code.id} if isinstance(code, ast.Name) else set())) - own)


@cache
def _read() -> tuple[dict[str, Part], dict[str, tuple[str, str | None]]]:
    """All functions by name, and for each imported name its module and its name there."""
    found: dict[str, Part] = {}
    imported: dict[str, tuple[str, str | None]] = {}
    folder = resources.files("pellucid.export.python.plain")
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        if not path.name.endswith(".py"):
            continue
        text = path.read_text(encoding="utf-8")
        for node in ast.parse(text).body:
            if isinstance(node, ast.FunctionDef):
                source = ast.get_source_segment(text, node) or ""
                found[node.name] = Part(path.name.removesuffix(".py"), source, _names_in(node))
            elif isinstance(node, ast.Import):
                imported |= {one.asname or one.name: (one.name, None) for one in node.names}
            elif isinstance(node, ast.ImportFrom) and not str(node.module).startswith("pellucid"):
                imported |= {one.name: (str(node.module), one.name) for one in node.names}
    return found, imported


def used_by(code: str) -> list[str]:
    """The functions that some code calls, and those that they call, in the order of their files."""
    known, wanted, new = parts(), set[str](), set(_names_in(ast.parse(code)))
    while new := (new & set(known)) - wanted:
        wanted |= new
        new = {name for one in new for name in known[one].uses}
    return [name for name in known if name in wanted]


def imports_of(code: str) -> str:
    """The statements that import what some code uses: NumPy last, and sorted as linters ask."""
    used = _names_in(ast.parse(code))
    plain: dict[bool, list[str]] = {False: [], True: []}
    members: dict[str, list[str]] = {}
    for name, (module, member) in _read()[1].items():
        if name not in used:
            continue
        if member is None:
            alias = f" as {name}" if name != module else ""
            plain[_is_standard(module)].append(f"import {module}{alias}")
        else:
            members.setdefault(module, []).append(member)
    lines = sorted(plain[True])
    lines += [
        f"from {module} import {', '.join(sorted(members[module]))}" for module in sorted(members)
    ]
    return "\n".join([*lines, "", *sorted(plain[False])])


def _is_standard(module: str) -> bool:
    return module.partition(".")[0] in sys.stdlib_module_names


def section(title: str) -> str:
    """A line that begins a part of a file."""
    return f"# {'-' * (WIDTH - 36)} {title}"


def call(before: str, arguments: Sequence[str], after: str = ")", indent: int = 4) -> list[str]:
    """The lines of ``before(arguments)``, broken as formatters break what is too long."""
    space = " " * indent
    joined = ", ".join(arguments)
    whole = f"{space}{before}{joined}{after}"
    if len(whole) <= WIDTH:
        return [whole]
    if len(inner := f"{space}    {joined}") <= WIDTH:
        return [f"{space}{before}", inner, f"{space}{after}"]
    return [f"{space}{before}", *(f"{space}    {one}," for one in arguments), f"{space}{after}"]


def comment(texts: Iterable[str], indent: int = 0) -> list[str]:
    """Lines of comment, each cut to the width."""
    space = " " * indent
    lines = (f"{space}# {text}".rstrip() for text in texts)
    return [line if len(line) <= WIDTH else f"{line[: WIDTH - 3]}..." for line in lines]


def beside(lines: list[str], words: str, indent: int = 4) -> list[str]:
    """Some lines of code with a comment: behind a single one, if there is room, else before."""
    if len(lines) == 1 and len(line := f"{lines[0]}  # {words}") <= WIDTH:
        return [line]
    return [*comment([words], indent), *lines]
