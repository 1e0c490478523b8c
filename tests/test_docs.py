"""What the documentation shows is what happens: every example in it is run and compared."""

from __future__ import annotations

import doctest
import importlib
import json
import pkgutil
import re
import shlex
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

import pellucid.formulas
from pellucid.cli.main import application

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("README*.md"), *ROOT.glob("docs/**/*.md")])
PAGES_OF_MATHEMATICS = [
    "convolution.md", "embedding.md", "gru.md", "layer_normalization.md", "linear.md", "losses.md",
    "lstm.md", "normalization.md", "optimizers.md", "pooling.md", "residual.md", "ridge.md",
    "rnn.md", "softmax.md",
]  # fmt: skip
NEEDS = {"torch.md": "torch", "distributed.md": "distributed"}
"""The libraries without which a page's examples cannot run."""
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
    if page.name in NEEDS:
        pytest.importorskip(NEEDS[page.name])
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
    "name", ["network.network", "layers.residual", "estimators.fcnn", "estimators.network",
             "data.infer_task", "training.schedules", "training.history", "reports.card"],
)  # fmt: skip
def test_classes_show_examples_that_run(name):
    module = importlib.import_module(f"pellucid.{name}")
    tests = doctest.DocTestFinder().find(module)
    assert sum(run(test) for test in tests if test.examples) >= 1


ABSENT = ("digits", "seattle")  # no such folder here, and too long for a test


def commands(page: str) -> list[tuple[str, str]]:
    """Each command of a page that is shown with ``$ pellucid``, and what it printed."""
    shown = []
    for block in re.findall(r"^```text\n(.*?)^```", page, flags=re.M | re.S):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, output = part.replace("\\\n", "").partition("\n")
            if not any(word in command for word in ABSENT):
                shown.append((command, output))
    return shown


def steady(text: str) -> str:
    """Without what differs from run to run."""
    text = re.sub(r"\S+ rows/s  .* left|done, .* s$", "...", text, flags=re.M)
    # the seconds in a model's history have as many digits as they happen to have
    text = re.sub(r"safetensors(:|\s\() ?(.*)\b\d+ kB", r"safetensors\1\2... kB", text)
    text = re.sub(r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC", "...", text)
    return "\n".join(line.rstrip() for line in text.splitlines() if line.strip())


@pytest.mark.parametrize(("name", "count"), [("README.md", 5), ("docs/command-line.md", 7)])
def test_transcripts_are_what_commands_print(name, count, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    shown = commands((ROOT / name).read_text(encoding="utf-8"))
    assert len(shown) == count
    for command, output in shown:
        command, _, pipe = command.partition(" | ")
        lines = CliRunner().invoke(application, shlex.split(command)[1:]).output.splitlines()
        if pipe:
            number = int(pipe.rpartition("-")[2])
            lines = lines[:number] if pipe.startswith("head") else lines[-number:]
        wanted, found = steady(output), steady("\n".join(lines))
        same = doctest.OutputChecker().check_output(f"{wanted}\n", f"{found}\n", OPTIONS)
        assert same, f"{command}\n{wanted}\nGot:\n{found}"


def test_transcripts_are_the_same_in_both_languages():
    pages = [(ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh-CN.md")]
    assert commands(pages[0]) == commands(pages[1])


def test_every_field_of_json_is_documented(tmp_path, monkeypatch):
    from test_cli import run as run_command

    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    data = str(ROOT / "examples" / "penguins.csv")
    short = ["--max-epochs", "1", "-o", "m", "--json"]
    for arguments in (
        ("fit", data, "-t", "species", *short),
        ("fit", data, "-t", "year", "--task", "regression", *short),
        ("evaluate", "m", data, "--json"),
        ("summary", "m", "--json"),
    ):
        result = json.loads(run_command(*arguments))
        scores = result.get("test") or result.get("scores") or {}
        for one in (result, scores, *scores.get("targets", []), result.get("about") or {}):
            for field in one:
                assert f"`{field}`" in page, field


def test_code_keeps_only_python():
    page = "a >>> 1\n```python\n>>> 1\n1\n```\n```\n>>> no\n```\ntext\n```pycon\n>>> 2\n2\n```\n"
    assert code(page) == "\n\n>>> 1\n1\n\n\n\n\n\n\n>>> 2\n2\n\n"
