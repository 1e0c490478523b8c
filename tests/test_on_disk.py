"""``pellucid fit --on-disk``: the same steps for tables of any size."""

import json
import os
import re

import numpy as np
import pytest
from test_cli import fails, invoke, run

import pellucid
from pellucid import FCNNClassifier, load
from pellucid.cli import on_disk
from pellucid.cli.on_disk import HeldOut

pd = pytest.importorskip("pandas")
pytest.importorskip("pyarrow")
rng = np.random.default_rng(0)
ROWS = 600
FRAME = pd.DataFrame(
    {"id": range(ROWS), "a": rng.normal(size=ROWS), "b": rng.choice(["x", "y"], ROWS)}
)
FRAME["kind"] = np.where(FRAME["a"] + (FRAME["b"] == "x") > 0.3, "yes", "no")
FRAME["price"] = np.round(10 + FRAME["a"], 2)
QUICK = ("--on-disk", "--max-epochs", "3", "--hidden-dim", "8", "-o", "m")


@pytest.fixture(autouse=True)
def table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    FRAME.drop(columns="price").to_csv("t.csv", index=False)


def test_the_index_of_pandas_is_said_to_be_no_column():
    """It may be what tells the rows apart; what is left out is said."""
    FRAME[FRAME["a"] > -1].set_index("id").to_parquet("t.parquet")
    words = " ".join(invoke("fit", "t.parquet", "-t", "kind", *QUICK).stderr.split())
    assert words.count("left out: id, which is the index of the pandas table that was written") == 1
    said = " ".join(fails("fit", "t.parquet", "-t", "kind", "--drop", "id", *QUICK).split())
    assert "Got 'id'. It is the index of a pandas table: call reset_index() before you" in said


def test_it_learns_from_the_rows_that_are_not_held_out():
    """The model is that of these rows in memory; its test that of the others."""
    text = run("fit", "t.csv", "-t", "kind", "--drop", "id", *QUICK)
    held = HeldOut(0.2, 0).of(0, ROWS)
    frame = FRAME[["a", "b", "kind"]]
    plain = FCNNClassifier(8, max_epochs=3, random_state=0, verbose=0, shuffle="blocks")
    plain.fit(frame[~held].reset_index(drop=True), target="kind")
    model = load("m")
    assert model.digest_ == plain.digest_
    assert f"t.csv: {ROWS} rows, 2 columns to learn from." in text
    assert "Target 'kind' is text with 2 values: classification." in text
    assert f"Learning from {(~held).sum()} rows; {held.sum()} are held out to test." in text
    right = plain.predict(frame.loc[held, ["a", "b"]]) == frame.loc[held, "kind"]
    assert f"Test on {held.sum()} rows not seen in training: accuracy {right.mean():.3f}" in text
    assert "  b: text, 2 categories ('x', 'y')" in text and "Linear(8)" in text
    assert "The cache stays in" in text and os.path.exists("t.csv.cache")
    assert model.about_.test["rows"] == held.sum() and model.target_names_ == ["kind"]
    assert f"y.csv, {held.sum()}" not in text


def test_the_same_rows_are_held_out_wherever_they_are_read():
    whole = HeldOut(0.3, 7).of(0, 1000)
    parts = HeldOut(0.3, 7)
    again = [parts.of(start, 50) for start in (*range(0, 1000, 50), 500)]
    np.testing.assert_array_equal(np.concatenate(again[:-1]), whole)
    np.testing.assert_array_equal(again[-1], whole[500:550])
    assert 0.25 < whole.mean() < 0.35 and not HeldOut(0.0, 7).of(0, 9).any()
    assert (whole != HeldOut(0.3, 8).of(0, 1000)).any()


@pytest.mark.parametrize("data", ("parts", "parts/*.parquet"))
def test_a_folder_or_a_pattern_of_tables(data):
    os.mkdir("parts")
    for part in range(3):
        FRAME[200 * part : 200 * part + 200].to_parquet(f"parts/{part}.parquet")
    options = ("--drop", "kind", "--cache", "here.cache", "--memory", "2GB")
    text = run("fit", data, "-t", "price", *options, *QUICK)
    assert "regression" in text and f"{ROWS} rows, 3 columns to learn from." in text
    assert os.path.exists("here.cache") and sorted(os.listdir("parts")) == [
        f"{part}.parquet" for part in range(3)
    ]
    name = run("fit", data, "-t", "price", *options, *QUICK[:-2], "--remove-cache")
    assert "Model saved in parts.safetensors" in name
    assert "The cache here.cache is removed." in name and not os.path.exists("here.cache")


def test_a_test_of_ones_own_and_json():
    FRAME[:50].to_csv("new.csv", index=False)
    done = invoke("fit", "t.csv", "-t", "kind", "--test", "new.csv", "--json", *QUICK)
    facts = json.loads(done.stdout)
    assert facts["rows"] == ROWS and facts["test"]["rows"] == 50
    assert facts["task"] == "classification" and facts["without_target"] == 0


def test_rows_without_a_target_are_left_out():
    frame = FRAME.astype({"price": object})
    frame.loc[[3, 5], "price"] = "on request"
    frame.loc[7, "price"] = None
    frame.to_csv("t.csv", index=False)
    text = run("fit", "t.csv", "-t", "price", "--drop", "kind", *QUICK)
    assert (
        "3 rows have no target and are left out, such as those that say 'on request'."
        in " ".join(text.split())
    )
    facts = json.loads(invoke("summary", "m", "--json").stdout)
    assert facts["about"]["rows"] + facts["about"]["test"]["rows"] == ROWS - 3


def test_what_is_drawn_and_reported_is_a_sample(monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(on_disk, "_SHOWN", 40)
    text = run("fit", "t.csv", "-t", "kind", "--plot", "p.png", "--report", "p.html", *QUICK)
    assert "of the test, taken at random." in " ".join(text.split())
    assert os.path.getsize("p.png") and os.path.getsize("p.html")


def test_a_cache_is_used_again_by_a_checkpoint():
    command = ("fit", "t.csv", "-t", "kind", "--checkpoint", "run.ckpt", *QUICK)
    first = invoke(*command)
    again = invoke(*command)
    assert "nothing is encoded anew" in " ".join(again.stderr.split())
    assert "nothing is left to train" in " ".join(again.stderr.split())
    assert first.exit_code == again.exit_code == 0


@pytest.mark.parametrize(
    "options, words",
    (
        (("t.csv", "-t", "kidn"), "--target must name a column of 't.csv'. Got 'kidn'. Did you m"),
        (("t.csv",), "--target must name the column to learn. t.csv has: id, a, b, kind."),
        (("t.csv", "-t", "kind", "--drop", "kind"), "--drop must leave the columns that other opt"),
        (("t.csv", "-t", "kind", "--group", "id"), "--group does not go together with --on-disk"),
        (("t.csv", "-t", "kind", "--network", "cnn"), "--on-disk needs --network fcnn. Got cnn."),
        (("t.csv", "-t", "kind", "--folds", "2"), "do not go together with --on-disk"),
        (("t.csv", "-t", "kind", "--memory", "much"), "memory of scan must be a number of byt"),
        (("t.csv", "-t", "kind", "--memory", "1MB"), "memory of the scan of t.csv must be at le"),
        (("nowhere/*.csv", "-t", "kind"), "no file has a name like 'nowhere/*.csv'"),
        (("-", "-t", "kind"), "standard input cannot be scanned"),
        (("t.csv", "-t", "kind", "--test-fraction", "0.999"), "t.csv must have at least 2 rows"),
    ),
)  # fmt: skip
def test_bad_input_is_one_sentence(options, words):
    assert words in fails("fit", *options, *QUICK)
    assert sorted(os.listdir(".")) == ["t.csv"]


def test_the_cache_has_the_rows_that_this_seed_does_not_hold_out():
    """With a seed of its own for the training, two fits differ in the rows held out alone."""
    first, second = (
        run("fit", "t.csv", "-t", "kind", *QUICK, "--set", "random_state=0", "--seed", seed)
        for seed in ("1", "2")
    )
    assert "nothing is encoded anew" not in first + second
    digest = load("m").digest_
    run("fit", "t.csv", "-t", "kind", *QUICK, "--set", "random_state=0", "--seed", "1")
    assert load("m").digest_ != digest


def test_a_cache_that_is_not_to_stay_goes_where_the_fit_fails_too():
    hot = ("--set", "optimizer=sgd", "--set", "learning_rate=1e300")
    done = invoke("fit", "t.csv", "-t", "kind", *QUICK, *hot, "--remove-cache", code=2)
    assert "is no longer finite" in done.stderr and not os.path.exists("t.csv.cache")
    invoke("fit", "t.csv", "-t", "kind", *QUICK, *hot, code=2)
    assert os.path.exists("t.csv.cache")


@pytest.mark.parametrize("test", ("new", "new/*.csv"))
def test_a_folder_to_test_on_is_drawn_and_reported_too(test, monkeypatch):
    monkeypatch.setattr(on_disk, "_SHOWN", 100)
    os.mkdir("new")
    for part in "ab":
        FRAME.to_csv(f"new/{part}.csv", index=False)
    more = ("--test", test, "--plot", "p.png", "--report", "p.html")
    text = run("fit", "t.csv", "-t", "kind", *QUICK, *more)
    shown = int(re.search(r"Drawn and reported are (\d+) rows of the\s+test", text)[1])
    assert 60 < shown < 140 and os.path.exists("p.png") and os.path.exists("p.html")


def test_what_is_no_cache_is_not_called_one():
    words = fails("fit", "t.csv", "-t", "kind", *QUICK, "--cache", "t.csv")
    assert "The cache stays" not in words and "t.csv" in words


def test_several_tables_are_read_on_disk_alone():
    os.mkdir("new")
    for part in "ab":
        FRAME.to_csv(f"new/{part}.csv", index=False)
    for data in ("new", "new/*.csv"):
        for command in ("fit", "search"):
            words = fails(command, data, "-t", "kind")
            assert "must be one table. Got 2 files. `pellucid fit` reads several" in words


@pytest.mark.parametrize("data", ("new", "new/*.csv"))
def test_no_table_of_a_folder_or_a_pattern_is_written_over(data):
    os.mkdir("new")
    frame = FRAME.drop(columns="price")
    for part in "ab":
        frame.to_csv(f"new/{part}.csv", index=False)
    before = os.stat("new/a.csv").st_mtime_ns
    model = ("-o", "new/m.safetensors")  # which is no table
    for _ in range(2):
        run("fit", data, "-t", "kind", *QUICK, *model)
    words = "'new/a.csv' is read here, and is not written over. Name another."
    assert words in fails("fit", data, "-t", "kind", *QUICK, "-o", "new/a.csv")
    assert words in fails("predict", "new/m.safetensors", data, "-o", "new/a.csv")
    assert os.stat("new/a.csv").st_mtime_ns == before


def test_its_options_need_it():
    words = fails("fit", "t.csv", "-t", "kind", "--memory", "1GB")
    assert "--memory, --cache and --remove-cache need --on-disk." in words


def test_the_scan_in_python_drops_columns_too():
    table = pellucid.scan("t.csv").drop("id")
    assert table.columns == pellucid.scan("t.csv").drop(["id"]).columns == ["a", "b", "kind"]
    assert list(next(iter(table)).column_names) == ["a", "b", "kind"]
    assert table.fingerprint != pellucid.scan("t.csv").fingerprint or table.rows == ROWS
    with pytest.raises(ValueError, match=r"column 'x' is not in t.csv"):
        table.drop("x")
    with pytest.raises(ValueError, match=r"t.csv must keep a column"):
        table.drop("a", "b", "kind")
