"""``pellucid evaluate``: what it reads, what it leaves out, and its JSON."""

import json

import numpy as np
import pytest
from test_cli import fails, invoke, process, run

from pellucid import load

pd = pytest.importorskip("pandas")
FRAME = pd.DataFrame({"a": np.arange(40) % 7, "y": np.where(np.arange(40) % 7 > 3, "up", "down")})


@pytest.fixture(autouse=True)
def model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    FRAME.to_csv("d.csv", index=False)
    run("fit", "d.csv", "-t", "y", "-o", "m", "--max-epochs", "2", "--hidden-dim", "4")


def test_one_object_with_the_scores_alone_on_standard_output():
    done = invoke("evaluate", "m", "d.csv", "--json")
    found = json.loads(done.stdout)
    assert list(found) == ["model", "data", "targets", "scores", "verdict", "notes"]
    assert (found["model"], found["data"], found["targets"]) == ("m", "d.csv", ["y"])
    share = np.mean(load("m").predict(FRAME[["a"]]) == FRAME["y"])
    assert found["scores"]["accuracy"] == share and found["scores"]["rows"] == 40
    assert done.stderr == "" and found["notes"] == []


def test_the_worse_of_two_answers_is_named_in_words():
    FRAME.assign(y="down").to_csv("d.csv", index=False)  # the answers need not differ
    text = run("evaluate", "m", "d.csv")
    assert "y, 40 rows of d.csv" in text
    assert "Always saying 'down'" in text


def test_a_table_may_come_from_standard_input():
    with open("d.csv") as file:
        done = process("evaluate", "m", "-", stdin=file)
    assert done.stdout == run("evaluate", "m", "d.csv").replace("d.csv", "standard input")


def test_a_class_that_the_model_does_not_know_counts_as_wrong():
    FRAME.assign(y=[*FRAME["y"][:39], "sideways"]).to_csv("d.csv", index=False)
    found = json.loads(invoke("evaluate", "m", "d.csv", "--json").stdout)["scores"]
    assert found["classes"][-1] == {
        "class": "sideways", "rows": 1, "recall": 0.0, "precision": None,
    }  # fmt: skip
    assert found["loss"] is None and found["accuracy"] < 1


def test_a_file_without_the_answers_is_refused():
    FRAME[["a"]].to_csv("new.csv", index=False)
    assert "'y' is not in 'new.csv'" in fails("evaluate", "m", "new.csv")
