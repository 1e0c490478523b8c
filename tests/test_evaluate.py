"""``pellucid evaluate``: what it reads, what it leaves out, and its JSON."""

import json
from pathlib import Path

import numpy as np
import pytest
from test_cli import fails, invoke, process, run

from pellucid import load
from pellucid.data import readers
from pellucid.data.scan import Scan

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


# -- tables of any size --------------------------------------------------------------------------


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(readers.read_batches, "__defaults__", (7, None))
    monkeypatch.setattr(Scan.batches, "__defaults__", (7, None, None))


def scores_of(*command):
    return json.loads(invoke("evaluate", "m", *command, "--json").stdout)


def in_files(place):
    """The table as `place`: one file, a folder, or several by a pattern."""
    if place in ("d.parquet", "d.feather", "d.jsonl"):
        kind = {"d.parquet": "parquet", "d.feather": "feather"}.get(place)
        if kind is None:
            FRAME.to_json(place, orient="records", lines=True)
        else:
            pytest.importorskip("pyarrow")
            getattr(FRAME, f"to_{kind}")(place)
    elif place != "d.csv":
        Path("parts").mkdir()
        ending = place.rpartition(".")[2] if "." in place else "csv"
        for part in range(3):
            some = FRAME[part * 15 : part * 15 + 15]
            if ending == "parquet":
                pytest.importorskip("pyarrow")
                some.to_parquet(f"parts/{part}.parquet")
            else:
                some.to_csv(f"parts/{part}.csv", index=False)
    return place


@pytest.mark.parametrize(
    "place",
    ["d.csv", "d.parquet", "d.feather", "d.jsonl", "parts", "parts/*.csv", "parts/*.parquet"],
)
def test_wherever_the_rows_come_from_they_have_the_same_scores(place, small_batches):
    from pellucid.inspection.scores import score

    found = scores_of(in_files(place))
    wanted = score(load("m"), FRAME[["a"]], FRAME["y"], ["y"])
    assert found["scores"] == json.loads(json.dumps(wanted)) and found["data"] == place
    predicted = run("predict", "m", place).splitlines()
    assert predicted[0] == "y" and predicted[1:] == load("m").predict(FRAME[["a"]]).tolist()


def test_rows_without_an_answer_are_counted_over_all_batches(small_batches):
    frame = FRAME.assign(y=FRAME["y"].where(FRAME.index % 3 > 0, other=""))
    frame.loc[7:20, "y"] = ""  # there is no answer at all in two batches
    frame.to_csv("d.csv", index=False)
    text = run("evaluate", "m", "d.csv")
    there = frame["y"] != ""
    assert f"{40 - there.sum()} rows have no target and are left out." in text
    assert f"y, {there.sum()} rows of d.csv" in text
    right = load("m").predict(frame.loc[there, ["a"]]) == frame.loc[there, "y"]
    assert f"accuracy {right.mean():.3f} ({right.sum()} right)" in text


def test_no_answer_in_any_batch_is_an_error(small_batches):
    FRAME.assign(y=np.nan).to_csv("d.csv", index=False)
    assert "'y' of 'd.csv' must have a value to be learned" in fails("evaluate", "m", "d.csv")


def test_how_numbers_are_written_is_told_by_all_batches(small_batches, tmp_path):
    """A few words among them have no answer; a column of words is an error."""
    frame = pd.DataFrame({"a": range(40), "y": [f"{i},5" for i in range(40)]})
    frame.to_csv("n.csv", index=False)
    run("fit", "n.csv", "-t", "y", "-o", "n", "--max-epochs", "1")
    frame.loc[3:9, "y"] = "none"  # most of a batch
    frame.to_csv("few.csv", index=False)
    text = run("evaluate", "n", "few.csv")
    assert "7 rows have no target and are left out, such as those that say 'none'." in text
    frame.loc[3:30, "y"] = "none"
    frame.to_csv("many.csv", index=False)
    words = fails("evaluate", "n", "many.csv")
    assert "must hold numbers" in words and "Got 'none' in row 4 below the header of" in words


def test_rows_of_a_folder_are_counted_through_all_files(small_batches):
    frame = FRAME.assign(y=FRAME["y"].where(FRAME.index != 33, other="?"))
    Path("parts").mkdir()
    for part in range(2):
        frame[part * 20 : part * 20 + 20].to_csv(f"parts/{part}.csv", index=False)
    text = run("evaluate", "m", "parts")
    assert "1 row has no target and is left out, such as those that say '?'." in text
