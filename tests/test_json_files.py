"""Tables in JSON: cells keep their types, and columns are of one kind throughout the file."""

import json

import narwhals as nw
import pytest

from pellucid.data import read_batches, read_table

ENGINES = ["pandas", "polars", "pyarrow"]
ROWS = [{"a": 1, "b": "007", "c": True}, {"a": 2.5, "b": None, "d": 3}, {"a": None, "b": "x"}]
WANTED = {
    "a": [1.0, 2.5, None],
    "b": ["007", None, "x"],
    "c": [True, None, None],
    "d": [None, 3.0, None],
}


def plain(frame):
    table = nw.from_native(frame, eager_only=True)
    return {
        name: [None if cell is None or cell != cell else cell for cell in table[name].to_list()]
        for name in table.columns
    }


def write(folder, content, name):
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


@pytest.mark.parametrize("engine", ENGINES)
def test_json_of_every_form_is_the_same_table(tmp_path, engine):
    pytest.importorskip(engine)
    lines = "".join(f"{json.dumps(row)}\n" for row in ROWS)
    for content, name in (
        (json.dumps(ROWS), "t.json"),
        (json.dumps(ROWS), "t"),
        (json.dumps({"model": "m", "predictions": ROWS, "rows": 3}), "t.json"),
        (lines, "t.jsonl"),
        (lines.replace("\n", "\n\n"), "t.ndjson"),
        (lines, "t.json"),
        ("\ufeff" + lines, "t.jsonl"),
    ):
        assert plain(read_table(write(tmp_path, content, name), engine)) == WANTED
    turned = {"a": [1, 2.5, None], "b": ["007", None, "x"]}
    path = write(tmp_path, json.dumps(turned), "t.json")
    assert plain(read_table(path, engine)) == {"a": WANTED["a"], "b": WANTED["b"]}


@pytest.mark.parametrize("engine", ENGINES)
def test_mixed_cells_are_text_and_wide_integers_are_numbers(tmp_path, engine):
    pytest.importorskip(engine)
    rows = [{"a": 7, "b": 2**70, "c": 1}, {"a": "A12", "b": 1, "c": True}]
    table = plain(read_table(write(tmp_path, json.dumps(rows), "t.json"), engine))
    assert table == {"a": ["7", "A12"], "b": [2.0**70, 1.0], "c": ["1", "True"]}


@pytest.mark.parametrize("engine", ENGINES)
def test_lines_in_batches_are_parts_of_the_whole(tmp_path, engine):
    pytest.importorskip(engine)
    rows = [{"a": i, "b": f"r{i}"} for i in range(99)] + [{"a": "x", "c": 1.5}]
    path = write(tmp_path, "".join(f"{json.dumps(row)}\n" for row in rows), "t.jsonl")
    parts = [plain(part) for part in read_batches(path, 30, engine)]
    assert [len(part["a"]) for part in parts] == [30, 30, 30, 10]
    whole = plain(read_table(path, engine))
    assert whole == {name: sum((part[name] for part in parts), []) for name in whole}
    assert parts[0]["a"][:2] == ["0", "1"]


@pytest.mark.parametrize(
    ("content", "name", "match"),
    [
        ("[1, 2]", "t.json", "must hold one object a row. Got 1 in row 1."),
        ("3", "t.json", "must hold a list of objects, one a row. Got 3."),
        ("[]", "t.json", "must have at least one row. Got none."),
        ("[{}]", "t.json", "must have at least one row. Got none."),
        ("\n\n", "t.jsonl", "must have at least one row. Got none."),
        ('[{"a": 1]', "t.json", "cannot be read as JSON: "),
        ('{"a": 1}\n{"a"\n', "t.jsonl", "cannot be read as JSON: in line 2, "),
        ('{"a": 1}\n[2]\n', "t.jsonl", "must hold one object a row. Got [2] in line 2."),
        ('[{"a": {"b": 1}}]', "t.json", "Got {'b': 1} at 'a' in row 1."),
        ('[{"a": 1, " a": 2}]', "t.json", "must have different column names. Got 'a' twice."),
    ],
)
def test_what_is_no_table_is_told_with_its_place(tmp_path, content, name, match):
    with pytest.raises(ValueError) as caught:
        read_table(write(tmp_path, content, name))
    assert match in str(caught.value) and "\n" not in str(caught.value)
    assert str(caught.value).startswith(name)


@pytest.mark.parametrize("engine", ["pandas", "polars", "pyarrow"])
def test_a_category_is_the_same_text_whatever_stands_beside_it(tmp_path, engine):
    """A number in a column of text is written as one in a column of numbers is."""
    pytest.importorskip(engine)
    for cells, wanted in (
        ('[1, 2.0, "a", 3.5, null]', ["1", "2", "a", "3.5", None]),
        ('[true, 1.0, "x", false]', ["True", "1", "x", "False"]),
    ):
        content = f'{{"v": {cells}, "n": {list(range(cells.count(",") + 1))}}}'
        frame = read_table(write(tmp_path, content, "t.json"), engine)
        assert plain(frame)["v"] == wanted


def test_integers_stay_what_the_whole_file_makes_of_them(tmp_path):
    """A part without a gap, or without a large number, is of the kind of the others."""
    for last in ("null", str(2**70)):
        path = write(tmp_path, f'{{"v": 1}}\n{{"v": 2}}\n{{"v": {last}}}\n', "t.jsonl")
        kinds = {str(part["v"].dtype) for part in read_batches(path, 1)}
        assert kinds == {str(read_table(path)["v"].dtype)} == {"float64"}
