"""Lessons have one plan, and pages in Chinese the headings and the code of those in English."""

from __future__ import annotations

import ast
import doctest
import re

import pytest
from test_docs import ROOT, code

DOCS = ROOT / "docs"
LESSONS = {
    folder: sorted(path.name for path in (DOCS / folder).glob("[0-9][0-9]-*.md"))
    for folder in ("lessons", "zh/lessons")
}
PLAN = {
    "lessons": [
        "The question", "The formula", "By hand", "With formulas", "The picture",
        "What the estimator does with it", "Go on",
    ],
    "zh/lessons": [
        "问题", "公式", "手算一个小例子", "用 formulas 验证", "看图", "模型里是怎么用的", "继续",
    ],
}  # fmt: skip
TRANSLATED = [
    pytest.param(DOCS / folder / path.name, path, id=f"{folder}/{path.name}")
    for folder in ("lessons", "math")
    for path in sorted((DOCS / "zh" / folder).glob("*.md"))
]


def prose(page: str) -> str:
    """`page` without its blocks of code, in which a # begins a comment."""
    return re.sub(r"^\s*```.*?^\s*```", "", page, flags=re.M | re.S)


def headings(page: str) -> list[tuple[int, str]]:
    """The level and the words of each heading."""
    return [(len(marks), words) for marks, words in re.findall(r"^(#+) (.+)$", prose(page), re.M)]


def examples(page: str) -> list[tuple[str, str]]:
    """What each example runs, without comments, and what comes out."""
    return [
        (ast.dump(ast.parse(example.source)), example.want)
        for example in doctest.DocTestParser().get_examples(code(page))
    ]


@pytest.mark.parametrize("folder", ["lessons", "math"])
def test_the_same_pages_are_there_in_both_languages(folder):
    english, chinese = (
        sorted(path.name for path in (DOCS / language / folder).glob("*.md"))
        for language in ("", "zh")
    )
    assert english and english == chinese


@pytest.mark.parametrize(("english", "chinese"), TRANSLATED)
def test_chinese_pages_have_the_headings_and_the_code_of_the_english(english, chinese):
    pages = [path.read_text(encoding="utf-8") for path in (english, chinese)]
    levels = [[level for level, _ in headings(page)] for page in pages]
    assert levels[0] == levels[1]
    assert pages[0].count("```python") == pages[1].count("```python")
    for own, others in zip(*map(examples, pages), strict=True):
        assert own == others


@pytest.mark.parametrize(
    ("folder", "name"), [(folder, name) for folder, names in LESSONS.items() for name in names]
)
def test_lessons_keep_to_one_plan_and_show_what_they_say(folder, name):
    page = (DOCS / folder / name).read_text(encoding="utf-8")
    assert headings(page)[0][0] == 1
    assert [words for level, words in headings(page) if level == 2] == PLAN[folder]
    _, _, _, _, by_formulas, picture, estimator, _ = re.split(r"^## .+$", page, flags=re.M)
    for section in (by_formulas, picture, estimator):
        assert examples(section)
    assert "![" in picture


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda path: str(path.name))
def test_every_link_leads_to_a_file(page):
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", prose(page.read_text(encoding="utf-8")))
    for link in links:
        if not link.startswith(("http:", "https:")):
            assert (page.parent / link).exists(), link


def test_what_is_compared_is_compared():
    """Comments may differ; code, output and levels of headings may not."""
    page = "# A\n\n```python\n>>> 1 + 1  # two\n2\n```\n\n## B\n"
    assert headings(page) == [(1, "A"), (2, "B")]
    assert examples(page) == examples(page.replace("two", "二"))
    for other in (page.replace("1 + 1", "1 + 2"), page.replace("\n2\n", "\n3\n")):
        assert examples(page) != examples(other)
    assert headings(page) != headings(page.replace("## B", "### B"))
