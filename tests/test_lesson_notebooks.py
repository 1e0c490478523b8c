"""The notebooks of the lessons: made from the pages, and every cell runs in a kernel."""

import ast
import importlib.util
import re
import shutil
from pathlib import Path

import nbclient
import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
spec = importlib.util.spec_from_file_location("make", ROOT / "examples" / "lessons" / "make.py")
make = importlib.util.module_from_spec(spec)
spec.loader.exec_module(make)

PAGES = make.pages()
NOTEBOOKS = sorted(PAGES.values())


def test_each_lesson_has_a_notebook_in_both_languages():
    names = {Path(name).name for name in NOTEBOOKS}
    assert {f"examples/lessons/{name}" for name in names} < set(NOTEBOOKS)
    assert {f"examples/lessons/zh/{name}" for name in names} < set(NOTEBOOKS)
    written = {str(path.relative_to(ROOT)) for path in ROOT.glob("examples/lessons/**/*.ipynb")}
    assert written == set(NOTEBOOKS)


@pytest.mark.parametrize("page", PAGES)
def test_notebook_is_what_its_page_says(page):
    text, target = (ROOT / page).read_text(encoding="utf-8"), PAGES[page]
    wanted = make.notebook(text, page, target)
    nbformat.validate(wanted)
    assert nbformat.read(ROOT / target, as_version=4) == wanted, "python examples/lessons/make.py"


BEGIN = "%reset -f\n%cd -q {}\nimport warnings; warnings.simplefilter('error')"


@pytest.mark.parametrize(
    "folder", ["examples/lessons", pytest.param("examples/lessons/zh", marks=pytest.mark.slow)]
)
def test_notebooks_run(folder, tmp_path, monkeypatch):
    """All of a language in one kernel, for the imports take longest; each begins with no names."""
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "jupyter"))
    shutil.copytree(ROOT / "examples", tmp_path / "examples")  # where they may write what they like
    cells = []
    for path in sorted((ROOT / folder).glob("*.ipynb")):
        lesson = nbformat.read(path, as_version=4).cells
        lesson.insert(0, nbformat.v4.new_code_cell(BEGIN.format(tmp_path / folder)))
        for cell in lesson:
            cell.id = f"{path.stem}-{cell.id}"
        cells += lesson
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbclient.execute(notebook, timeout=120, kernel_name="python3", allow_errors=True)
    wrong, outputs = [], 0
    for cell in notebook.cells:
        kinds = [output.output_type for output in cell.get("outputs", [])]
        outputs += len(kinds)
        if ("error" in kinds) != ("raises-exception" in cell.metadata.get("tags", [])):
            wrong.append((cell.id, cell.source, cell.outputs))
    assert wrong == [] and outputs > 50


def test_chinese_notebooks_run_what_the_english_run():
    """From a folder deeper; comments may differ."""
    for name in NOTEBOOKS:
        chinese = name.replace("examples/lessons/", "examples/lessons/zh/")
        if chinese in NOTEBOOKS:
            assert statements(chinese) == statements(name, "../")


def statements(name, above=""):
    """The code of a notebook without comments, as if it lay in a folder `above`."""
    cells = nbformat.read(ROOT / name, as_version=4).cells
    sources = [cell.source.replace('"../', f'"{above}../') for cell in cells if "outputs" in cell]
    return [ast.dump(ast.parse(source)) for source in sources]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_links_lead_to_files(name):
    notebook = nbformat.read(ROOT / name, as_version=4)
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    links = [link for link in re.findall(r"\]\(([^)#\s]+)", text) if "://" not in link]
    assert links
    assert [link for link in links if not (ROOT / name).parent.joinpath(link).exists()] == []


PAGE = """# A lesson

See [the next](02-b.md#a-part), [a page](../math/rnn.md#a-part), [this](#here), [that](https://a.b/c.md).

![A picture](../images/c.png)

![A lesson's](../images/lessons/01-a.png)

```math
a = b
```

and $`c`$.

```python
>>> for i in (1, 2):
...     print(i)
1
2
>>> x = 1
>>> x
1
>>> open("examples/none.csv")
Traceback (most recent call last):
...
FileNotFoundError: ...
>>> y = x
>>> y.plot(path="a.png")
Display(...)
```
"""


@pytest.mark.parametrize(
    ("page", "target", "above"),
    [("docs/lessons/01-a.md", "examples/lessons/01-a.ipynb", ".."),
     ("docs/zh/lessons/01-a.md", "examples/lessons/zh/01-a.ipynb", "../..")],
)  # fmt: skip
def test_what_a_page_becomes(page, target, above):
    text, *code = make.notebook(PAGE, page, target).cells
    docs = f"{above}/../docs" + ("/zh" if "/zh/" in page else "")
    assert text.source.splitlines()[2:] == [
        f"See [the next](02-b.ipynb), [a page]({docs}/math/rnn.md#a-part), [this](#here), "
        "[that](https://a.b/c.md).",
        "",
        f"![A picture]({docs}/images/c.png)",
        "",
        "$$",
        "a = b",
        "$$",
        "",
        "and $c$.",
    ]
    assert [cell.source for cell in code] == [
        "for i in (1, 2):\n    print(i)",
        "x = 1\nx",
        f'open("{above}/none.csv")',
        'y = x\ny.plot(path="a.png")\n\nfrom IPython.display import Image\nImage("a.png")',
    ]
    tags = [cell.metadata.get("tags") for cell in code]
    assert tags == [None, None, ["raises-exception"], None]
    assert [cell.id for cell in (text, *code)] == [f"cell-{i}" for i in range(5)]
    assert make.notebook(PAGE, page, target) == make.notebook(PAGE, page, target)
