"""``pellucid fit --on-disk --steps``: the model, the test and the words are those in memory."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from test_cli import fails, run
from test_cli_series import HOURS, SHORT, sensors  # noqa: F401 (a fixture)

from pellucid import load

STEPS = [*HOURS, "--steps", "6", "--horizon", "2", *SHORT]
BLOCKS = ["--set", "shuffle=blocks"]


@pytest.fixture(autouse=True)
def in_small_parts(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pellucid.data.series_parts.PART_ROWS", 100)
    monkeypatch.setattr("pellucid.data.series_parts._FEWEST", 1)


def both(*arguments):
    """The facts of a fit in memory and of one on disk, and the models."""
    facts, models = [], []
    for more in (BLOCKS, ["--on-disk"]):
        facts.append(json.loads(run("fit", *arguments, *more, "--json", "-o", "m.safetensors")))
        models.append(load("m.safetensors"))
    return facts, models


def test_it_is_the_fit_in_memory(sensors):  # noqa: F811
    (here, there), (in_memory, on_disk) = both(sensors, *STEPS)
    assert on_disk.digest_ == in_memory.digest_
    for name in ("test", "verdict", "rows", "notes", "columns"):
        assert there[name] == here[name], name
    assert there["test"]["rows"] > 20 and len(there["test"]["groups"]) == 7
    assert sorted(path.name for path in Path().iterdir()) == [
        "all.csv", "m.safetensors", "sensors.csv"
    ]  # fmt: skip


def test_what_it_says_first(sensors):  # noqa: F811
    text = " ".join(run("fit", sensors, *STEPS, "--on-disk", "--memory", "2GB").split())
    assert (
        "sensors.csv: 406 rows, 339 " in text and "windows of 6 to learn the next 2 steps" in text
    )
    assert "are held out to test." in text and "Test on" in text


def test_other_files_to_learn_from_and_to_test_on(sensors):  # noqa: F811
    header, *rows = Path(sensors).read_text().splitlines(keepends=True)
    Path("first.csv").write_text("".join([header, *rows[:300]]))
    Path("test.csv").write_text("".join([header, *rows[300:]]))
    (here, there), (in_memory, on_disk) = both("first.csv", *STEPS, "--test", "test.csv")
    assert here["test"] == there["test"] and on_disk.digest_ == in_memory.digest_
    facts = json.loads(run("fit", "*st.csv", *STEPS, "--on-disk", "--json", "-o", "m.safetensors"))
    assert facts["rows"] > there["rows"]


def test_it_is_drawn_and_reported(sensors):  # noqa: F811
    run("fit", sensors, *STEPS, "--on-disk", "--plot", "p.png", "--report", "r.html")
    assert Path("p.png").stat().st_size > 1000 and Path("r.html").stat().st_size > 1000


def test_what_is_refused(sensors):  # noqa: F811
    words = fails("fit", sensors, *STEPS, "--on-disk", "--folds", "2")
    assert "--mistakes and --folds do not go together with --on-disk" in words
    words = fails("fit", sensors, *HOURS[:2], "--steps", "6", "--on-disk")
    assert "--target must name the column to learn. sensors.csv has: when, who, height" in words
    assert "must have at least 501 rows" in fails(
        "fit", sensors, *HOURS, "--steps", "500", "--on-disk"
    )
    words = fails("fit", sensors, *STEPS, "--on-disk", "--drop", "when")
    assert "must leave the columns that other options name. Got 'when'" in words
    frame = Path(sensors).read_text().splitlines()
    flat = [frame[0], *(",".join([*line.split(",")[:2], "1.0", "a"]) for line in frame[1:])]
    Path("flat.csv").write_text("\n".join(flat))
    assert "must have different values" in fails("fit", "flat.csv", *STEPS, "--on-disk")
