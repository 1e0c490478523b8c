"""What a command tells: lines, or one JSON object that any parser takes."""

import json
from pathlib import Path

import numpy as np

from pellucid.cli.output import Output, json_text


def test_json_is_valid_whatever_is_in_it():
    content = {
        "nan": np.nan, "inf": [np.float32(np.inf), -np.inf], "number": np.float64(0.1),
        "count": np.int64(3), "truth": np.True_, "none": None, "tuple": (1, "价格"),
        "array": np.array([[1.0, np.nan]]), "name": "a\udcff.csv", "path": Path("x"), 5: "five",
    }  # fmt: skip
    text = json_text(content)
    assert text.isascii() and "NaN" not in text and "Infinity" not in text
    assert json.loads(text) == {
        "nan": None, "inf": [None, None], "number": 0.1, "count": 3, "truth": True, "none": None,
        "tuple": [1, "价格"], "array": [[1.0, None]], "name": "a?.csv", "path": "x", "5": "five",
    }  # fmt: skip


def test_lines_go_to_standard_output_or_beside_the_json(capsys):
    plain, as_json, quiet = Output(), Output(as_json=True), Output(quiet=True, as_json=True)
    for output in (plain, as_json, quiet):
        output.say("line")
    assert capsys.readouterr() == ("line\n", "line\n")
    for output in (plain, as_json, quiet):
        output.result({"a": 1})
    assert capsys.readouterr().out == '{\n  "a": 1\n}\n' * 2
