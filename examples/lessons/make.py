"""Makes a notebook of each lesson: ``python examples/lessons/make.py`` after a page has changed.

The pages in docs/lessons and docs/zh/lessons are what is written; the notebooks hold their text and
their code, and no output, which is the reader's to make.
"""

from __future__ import annotations

import doctest
import posixpath
import re
from pathlib import Path, PurePosixPath

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = {"docs/lessons": "examples/lessons", "docs/zh/lessons": "examples/lessons/zh"}
"""Where pages lie, and their notebooks."""

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def pages() -> dict[str, str]:
    """The path of each lesson's page, and of its notebook."""
    return {
        f"{folder}/{page.name}": f"{target}/{page.stem}.ipynb"
        for folder, target in FOLDERS.items()
        for page in sorted((ROOT / folder).glob("[0-9][0-9]-*.md"))
    }


def notebook(text: str, page: str, target: str) -> NotebookNode:
    """The notebook at `target` of the `text` of a page at `page`, both as seen from the root."""
    cells = []
    # prose and the insides of Python blocks take turns
    for index, part in enumerate(re.split(r"^```python\n(.*?)^```\n", text, flags=re.M | re.S)):
        if index % 2:
            cells += code_cells(part, target)
        elif part.strip():
            cells.append(new_markdown_cell(prose(part.strip(), page, target)))
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"  # that of nbformat is drawn anew each time
    return new_notebook(cells=cells, metadata=METADATA, nbformat_minor=5)


def code_cells(block: str, target: str) -> list[NotebookNode]:
    """A cell up to each output that the page shows, for a notebook shows that of a cell's end.

    So it does of each picture that is drawn, which stands in the page as a file of its own.
    """
    cells, lines = [], ""
    above = posixpath.relpath("examples", posixpath.dirname(target))
    examples = doctest.DocTestParser().get_examples(block)
    for example in examples:
        lines += example.source.replace('"examples/', f'"{above}/')
        drawn = re.search(r'"([\w-]+\.png)"', example.source)
        if drawn:
            lines += f'\nfrom IPython.display import Image\nImage("{drawn[1]}")'
        if drawn or example.want or example is examples[-1]:
            cells.append(new_code_cell(lines.rstrip("\n")))
            lines = ""
        if example.exc_msg is not None:
            cells[-1].metadata["tags"] = ["raises-exception"]
    return cells


def prose(text: str, page: str, target: str) -> str:
    """Text with links that lead on from `target`, and mathematics as notebooks write it."""

    def link(match: re.Match[str]) -> str:
        label, address, anchor = match.groups("")
        if not address or "://" in address:
            return match[0]
        place = posixpath.normpath(posixpath.join(posixpath.dirname(page), address))
        if PurePosixPath(place).match("lessons/[0-9][0-9]-*.md"):
            place, anchor = f"{FOLDERS[posixpath.dirname(place)]}/{Path(place).stem}.ipynb", ""
        return f"{label}({posixpath.relpath(place, posixpath.dirname(target))}{anchor})"

    text = re.sub(r"^!\[[^\]]*\]\(\S*images/lessons/\S*\)\n*", "", text, flags=re.M)  # drawn anew
    text = re.sub(r"^```math\n(.*?)^```$", r"$$\n\1$$", text, flags=re.M | re.S)
    text = re.sub(r"\$`(.*?)`\$", r"$\1$", text)
    return re.sub(r"(\[[^\]]*\])\(([^)#\s]*)(#[^)\s]*)?\)", link, text)


def main() -> None:
    """Write all notebooks."""
    for page, target in pages().items():
        path = ROOT / target
        path.parent.mkdir(parents=True, exist_ok=True)
        text = (ROOT / page).read_text(encoding="utf-8")
        path.write_text(nbformat.writes(notebook(text, page, target)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
