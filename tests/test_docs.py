"""What the documentation shows is what happens: every example in it is run and compared."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
import shutil
from pathlib import Path

import pytest

import pellucid.formulas

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("README*.md"), *ROOT.glob("docs/**/*.md")])
PAGES_OF_MATHEMATICS = [
    "convolution.md", "gru.md", "layer_normalization.md", "linear.md", "losses.md", "lstm.md",
    "normalization.md", "optimizers.md", "pooling.md", "residual.md", "rnn.md", "softmax.md",
]  # fmt: skip
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
MODULES = sorted(
    f"pellucid.formulas.{module.name}"
    for module in pkgutil.iter_modules(pellucid.formulas.__path__)
)


def code(page: str) -> str:
    """`page` with every line blank that is not in a Python block: the line numbers stay."""
    lines, inside = [], False
    for line in page.splitlines():
        if line.lstrip().startswith("```"):
            inside = not inside and re.match(r"\s*```(python|pycon|py)\b", line) is not None
            lines.append("")
        else:
            lines.append(line if inside else "")
    return "\n".join(lines) + "\n"


def run(test: doctest.DocTest) -> int:
    """Run the examples of `test`, fail with all that differs, and return how many there were."""
    report: list[str] = []
    result = doctest.DocTestRunner(optionflags=OPTIONS, verbose=False).run(test, out=report.append)
    assert result.failed == 0, "".join(report)
    return result.attempted


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_page(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where a page may write what it likes
    if (ROOT / "examples").is_dir():
        shutil.copytree(ROOT / "examples", tmp_path / "examples")
    text = page.read_text(encoding="utf-8")
    name = str(page.relative_to(ROOT))
    test = doctest.DocTestParser().get_doctest(code(text), {}, name, str(page), 0)
    attempted = run(test)
    if page.name in PAGES_OF_MATHEMATICS:
        assert attempted >= 5


def test_pages_of_mathematics_exist():
    names = {page.name for page in PAGES if page.parent.name == "math"}
    assert names.issuperset(PAGES_OF_MATHEMATICS)


@pytest.mark.parametrize("name", MODULES)
def test_module(name):
    module = importlib.import_module(name)
    attempted = sum(run(test) for test in doctest.DocTestFinder().find(module) if test.examples)
    if not name.rpartition(".")[2].startswith("_"):
        assert attempted >= len([each for each in module.__all__ if each.islower()])


def test_package():
    tests = doctest.DocTestFinder(recurse=False).find(pellucid.formulas)
    assert sum(run(test) for test in tests) == 2


@pytest.mark.parametrize(
    "name", ["network.network", "estimators.fcnn", "estimators.network", "data.infer_task",
             "training.schedules", "training.history"],
)  # fmt: skip
def test_classes_show_examples_that_run(name):
    module = importlib.import_module(f"pellucid.{name}")
    tests = doctest.DocTestFinder().find(module)
    assert sum(run(test) for test in tests if test.examples) >= 1


def test_code_keeps_only_python():
    page = "a >>> 1\n```python\n>>> 1\n1\n```\n```\n>>> no\n```\ntext\n```pycon\n>>> 2\n2\n```\n"
    assert code(page) == "\n\n>>> 1\n1\n\n\n\n\n\n\n>>> 2\n2\n\n"
