"""``pellucid fit``: its options, what it leaves out, what it says, and its JSON."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import dirt
import numpy as np
import pytest
from test_cli import PENGUINS, fails, invoke, process, run

import pellucid
from pellucid.cli.families import NETWORKS, family
from pellucid.cli.options import PARAMETERS, option_name

pd = pytest.importorskip("pandas")
FAST = ["--max-epochs", "2", "--hidden-dim", "8"]


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write(columns, path="d.csv"):
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([columns, *zip(*columns.values(), strict=True)])
    return path


def numbers(count=40, **columns):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(count, 2)).round(3)
    return {"a": x[:, 0], "b": x[:, 1], "y": np.where(x[:, 0] > 0, "up", "down"), **columns}


# -- parameters as options -----------------------------------------------------------------------


def test_options_of_parameters_are_parameters_with_their_defaults():
    usual = family("fcnn", "regression")().get_params(deep=False)
    for name, (_, text) in PARAMETERS.items():
        assert name in usual
        if "[default: " in text:
            assert all(
                {"auto": "by rows"}.get(value, str(value)) + "]" == text.partition("[default: ")[2]
                for network in NETWORKS
                for task in ("classification", "regression")
                for value in [family(network, task)().get_params(deep=False)[name]]
            )
        assert option_name(name) in run("fit", "--help")


def test_options_of_parameters_reach_the_model():
    run(
        "fit", write(numbers()), "-t", "y", "-o", "m", "--max-epochs", "3", "--batch-size", "full",
        "--learning-rate", "1e-2", "--hidden-dim", "[6, 5]", "--num-layers", "2",
        "--dropout", "0.1",
    )  # fmt: skip
    model = pellucid.load("m")
    assert (model.max_epochs, model.batch_size, model.learning_rate) == (3, "full", 0.01)
    assert (list(model.hidden_dim), model.num_layers, model.dropout) == ([6, 5], 2, 0.1)


def test_an_option_comes_before_a_setting_and_the_configuration():
    Path("c.toml").write_text("max_epochs = 1\nhidden_dim = 4\n")
    given = ["--config", "c.toml", "--set", "max_epochs=2", "--max-epochs", "3"]
    run("fit", write(numbers()), "-t", "y", "-o", "m", *given)
    assert (pellucid.load("m").max_epochs, pellucid.load("m").hidden_dim) == (3, 4)


@pytest.mark.parametrize(
    "given",
    (["--patience", "5"], ["--patience=5"], ["--weight-decay=1"], ["--scaling=window"]),
)
def test_a_parameter_without_an_option_says_how_it_goes_in(given):
    name, value = (given[0].split("=") + ["VALUE"])[:2]
    line = fails("fit", "d.csv", *given)
    assert f"Write --set {name.strip('-').replace('-', '_')}={value}." in line
    assert "No such option" in fails("fit", "d.csv", "--colour", "red")


def test_values_of_options_are_checked_by_the_estimator():
    data = write(numbers())
    assert "max_epochs of FCNNClassifier must be a positive integer. Got 0." in fails(
        "fit", data, "-t", "y", "--max-epochs", "0"
    )
    assert "--num-layers: CNNClassifier has no parameter 'num_layers'" in fails(
        "fit", data, "-t", "y", "--network", "cnn", "--num-layers", "2"
    )


def test_the_loss():
    """The baseline is what the loss is best at, and a quantile is not judged as a centre."""
    data = write(numbers(80, y=np.arange(80) ** 2 * 1.0))
    for loss, kind in (("mse", "mean"), ("huber", "median"), ("mae", "median")):
        found = json.loads(run("fit", data, "-t", "y", "-o", "m", "--loss", loss, "--json", *FAST))
        assert pellucid.load("m").loss == loss
        (target,) = found["test"]["targets"]
        assert target["baseline"]["kind"] == kind and "r2" in target
    text = run(
        "fit", data, "-t", "y", "-o", "m", "--loss", "quantile", "--set", "quantile=0.9", *FAST
    )
    assert "pinball loss" in text and "share at or below" in text
    assert "R2" not in text and "squared" not in text
    text = " ".join(run("evaluate", "m", data).split())
    assert "pinball loss share at or below" in text and "always" in text
    assert "pinball loss" in run("summary", "m")
    for option, parameter in (("--loss", "mae"), ("--set", "quantile=0.9")):
        assert f"{option} needs a target of numbers, and these are classes." in fails(
            "fit", write(numbers(), "classes.csv"), "-t", "y", option, parameter
        )
    assert "loss of FCNNRegressor must be one of 'mse', 'huber', 'mae', 'quantile'" in fails(
        "fit", data, "-t", "y", "--loss", "hubert"
    )


def test_the_logarithm_of_a_skewed_target():
    columns = numbers(80)
    columns["y"] = np.exp(3 * columns["a"]).round(4)
    run("fit", write(columns), "-t", "y", "-o", "m", "--target-transform", "log", *FAST)
    assert pellucid.load("m").target_transform == "log"
    assert "--target-transform needs a target of numbers, and these are classes." in fails(
        "fit", write(numbers()), "-t", "y", "--target-transform", "log"
    )


# -- columns and rows that are left out ----------------------------------------------------------


def test_columns_are_dropped():
    data = write(numbers(id=range(40), note=["x"] * 40))
    text = run("fit", data, "-t", "y", "--drop", "id", "--drop", "note", "-o", "m", *FAST)
    assert "40 rows, 2 columns to learn from" in text
    assert pellucid.load("m").feature_names_in_.tolist() == ["a", "b"]
    assert len(run("predict", "m", data).splitlines()) == 41
    assert "accuracy" in run("evaluate", "m", data)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--drop", "ID"], "--drop must name a column of 'd.csv'. Got 'ID'. Did you mean 'id'?"),
        (["--drop", "y"], "--drop must leave the columns that other options name. Got 'y'."),
        (["--drop", "a", "--drop", "b", "--drop", "id"], "must have a column besides the target"),
    ],
)
def test_columns_that_cannot_be_dropped(given, words):
    assert words in fails("fit", write(numbers(id=range(40))), "-t", "y", *given)


def test_a_series_without_a_column():
    columns = {"t": range(40), "v": np.sin(np.arange(40.0)), "w": np.cos(np.arange(40.0))}
    given = ["--network", "rnn", "--time", "t", "--steps", "3", "-o", "m", *FAST]
    run("fit", write(columns), "-t", "v", "--drop", "w", *given)
    assert "naive" in run("evaluate", "m", "d.csv")
    message = fails("fit", "d.csv", "-t", "v", "--drop", "t", *given)
    assert "--drop must leave the columns that other options name. Got 't'." in message


def test_rows_without_a_target_are_left_out():
    columns = numbers()
    y = columns["y"].astype(object)
    y[[3, 7]] = ""
    columns["y"] = y
    done = invoke("fit", write(columns), "-t", "y", "-o", "m", *FAST)
    assert "2 rows have no target and are left out." in done.stdout
    assert "38 rows, 2 columns to learn from" in done.stdout
    assert "2 rows have no target and are left out." in run("evaluate", "m", "d.csv")
    assert "y, 38 rows of d.csv" in run("evaluate", "m", "d.csv")
    columns["y"] = [""] * 40
    assert "must have a value to be learned. Got none in any row." in fails(
        "fit", write(columns), "-t", "y"
    )


@pytest.mark.parametrize("bad", (2, 9, 20, 39))
@pytest.mark.parametrize("command", ("fit", "test", "evaluate"))
def test_rows_are_still_those_of_the_file(bad, command):
    """Behind rows without a target, and wherever they come to lie."""
    columns = numbers()
    y = columns["y"].astype(object)
    y[[0, 5, 6, 30]] = ""
    columns["y"] = y
    given = ["-t", "y", "-o", "m", *FAST]
    if command != "fit":
        run("fit", write(columns), *given)
    columns["a"][bad] = np.inf
    write(columns, "bad.csv")
    arguments = {
        "fit": ("fit", "bad.csv", *given),
        "test": ("fit", "d.csv", *given, "--test", "bad.csv"),
        "evaluate": ("evaluate", "m", "bad.csv"),
    }[command]
    assert f"Got inf in row {bad + 1} below the header of 'bad.csv'." in fails(*arguments)


def test_an_infinite_target_is_an_error():
    columns = numbers()
    columns["y"] = columns["a"].copy()
    columns["y"][4] = np.inf
    columns["y"][2] = np.nan
    assert "must be finite. Got infinity in 1 row, first in row 5 below the header" in fails(
        "fit", write(columns), "-t", "y"
    )


def test_sequences_without_a_target_are_left_out_whole():
    columns = {"g": np.arange(60) // 5, "t": np.tile(range(5), 12), "v": np.arange(60.0)}
    columns["y"] = ["" if g in (2, 7) else "ab"[g % 2] for g in columns["g"]]
    columns["y"][10] = "a"  # one of the five rows of sequence 2
    text = run(
        "fit", write(columns), "-t", "y", "--network", "gru", "--group", "g", "--time", "t",
        "-o", "m", *FAST,
    )  # fmt: skip
    assert "2 sequences have no target and are left out." in text
    assert "50 rows, 10 sequences to learn from" in text
    assert "2 sequences have no target and are left out." in run("evaluate", "m", "d.csv")


# -- tested on -----------------------------------------------------------------------------------


def test_a_file_to_test_on():
    write(numbers())
    write(numbers(12), "t.csv")
    text = run("fit", "d.csv", "-t", "y", "--test", "t.csv", "-o", "m", *FAST)
    assert "Learning from all 40 rows." in text and "Test on 12 rows of t.csv: accuracy" in text
    with_test = pellucid.load("m")
    run("fit", "d.csv", "-t", "y", "--test-fraction", "0", "-o", "n", *FAST)
    alone = pellucid.load("n")
    assert with_test.digest_ == alone.digest_  # what it is tested on changes nothing
    assert with_test.about_.test["rows"] == 12 and alone.about_.test is None


def test_a_file_to_test_on_is_refused_before_the_training(monkeypatch):
    from pellucid.training.loop import Trainer

    monkeypatch.setattr(Trainer, "fit", lambda *_, **__: pytest.fail("the training began"))
    given = ["fit", write(numbers()), "-t", "y", "--test"]
    assert "gone.csv does not exist" in fails(*given, "gone.csv")
    assert "'y' is not in 't.csv'" in fails(*given, write({"a": [1], "b": [2]}, "t.csv"))
    assert "'t.csv' must have column 'b', as in training" in fails(
        *given, write({"a": [1], "y": ["up"]}, "t.csv")
    )
    assert "do not go together" in fails(*given, "t.csv", "--test-fraction", "0.5")
    assert "is read here, and is not written over" in fails(*given, "t.csv", "-o", "t.csv")


def dirty_targets():
    """Targets that only the training tells how to read, and those of the rows to test on."""
    numbers = [950 if row % 5 == 0 else 1000 + 977 * row % 90_000 for row in range(60)]
    pointed = [f"{n:,}".replace(",", ".") for n in numbers]
    classes = [("1.50", "2.25", "A1")[row % 3] for row in range(60)]
    codes = [("007", "012", "A12")[row % 3] for row in range(60)]
    return {
        "points for thousands": (pointed, [text for text in pointed if "." in text]),
        "classes like numbers": (classes, [text for text in classes if text != "A1"]),
        "codes of digits": (codes, [text for text in codes if text != "A12"]),
        "of another unit": ([f"{n} kg" for n in numbers], [str(n) for n in numbers]),
    }


CORPUS = [each for each in dirt.corpus() if each.table.target in each.told]


@pytest.mark.parametrize("place", range(len(CORPUS)), ids=[each.name for each in CORPUS])
def test_a_file_to_test_on_is_read_as_evaluate_reads_it(place):
    rows = slice(dirt.TRAIN, None)
    Path("d.csv").write_bytes(CORPUS[place].content(slice(0, dirt.TRAIN)))
    Path("t.csv").write_bytes(CORPUS[place].content(rows))
    check_that_scores_agree(CORPUS[place].table.target)


@pytest.mark.parametrize("name", dirty_targets())
def test_a_target_to_test_on_is_read_as_that_of_the_training(name):
    learned, tested = dirty_targets()[name]
    write({"a": np.arange(len(learned)), "y": learned})
    write({"a": np.arange(len(tested)), "y": tested}, "t.csv")
    check_that_scores_agree("y")


def check_that_scores_agree(target):
    given = ["fit", "d.csv", "-t", target, "--test", "t.csv", "-o", "m", *FAST]
    result, _ = only_json(*given)
    assert result["test"] == only_json("evaluate", "m", "t.csv")[0]["scores"]
    if result["task"] == "regression":  # in other units it would be far below
        assert result["test"]["targets"][0]["r2"] > -10


def test_a_series_is_tested_on_another():
    for name, shift in (("d.csv", 0), ("t.csv", 40)):
        write({"t": range(40), "v": np.sin(np.arange(40.0) + shift)}, name)
    given = ["--network", "rnn", "--time", "t", "--steps", "3", "-o", "m", *FAST]
    text = run("fit", "d.csv", "-t", "v", "--test", "t.csv", *given)
    assert "Learning from all 37 windows." in text and "Test on 37 windows of t.csv" in text


def test_rows_that_stand_twice_are_counted():
    columns = {name: [*values[:20], *values[:20]] for name, values in numbers().items()}
    text = " ".join(run("fit", write(columns), "-t", "y", "-o", "m", *FAST).split())
    count = int(text.partition(" test row")[0].split()[-1])
    assert 0 < count <= 8 and "among those to learn from: on new ones" in text
    assert "among those to learn from" not in run("fit", write(numbers()), "-t", "y", *FAST)
    write(numbers(), "t.csv")
    text = run("fit", "d.csv", "-t", "y", "--test", "t.csv", "-o", "m", *FAST)
    assert "40 test rows also stand among those to learn from" in " ".join(text.split())


# -- what it says --------------------------------------------------------------------------------


def test_what_became_of_each_column_is_said_before_the_training():
    text = run("fit", PENGUINS, "-t", "species", *FAST)
    assert "\n  island: text, 3 categories" in text
    assert text.index("island: text") < text.index("layer ")


def test_many_columns_are_cut_short():
    columns = {f"c{i}": np.arange(40.0) + i % 3 for i in range(400)}
    text = run("fit", write({**columns, "y": list("ab" * 20)}), "-t", "y", *FAST)
    assert "\n  c19: number" in text and "c20:" not in text
    assert "\n  and 380 more columns\n" in text


def test_a_model_no_better_than_its_most_frequent_class_is_said_so():
    rng = np.random.default_rng(0)
    columns = {name: rng.normal(size=400) for name in "abcdef"}
    columns["claim"] = ["Yes" if i % 12 == 0 else "No" for i in range(400)]
    text = run("fit", write(columns), "-t", "claim", "-o", "m", "--max-epochs", "60")
    assert "Always saying 'No': accuracy 0.91" in text
    assert "model is no better than always saying 'No'" in " ".join(text.split())
    assert "AUC" in text and "balanced accuracy" in text and "recall  precision" in text


# -- for programs --------------------------------------------------------------------------------


def only_json(*arguments):
    """The object on standard output, and what was said beside it."""
    done = invoke(*arguments, "--json")

    def refuse(name):
        raise AssertionError(f"{name} is no JSON")

    return json.loads(done.stdout, parse_constant=refuse), done.stderr


def test_json_of_a_fit():
    columns = numbers()
    columns["b"][3] = np.nan
    result, beside = only_json("fit", write(columns), "-t", "y", "-o", "模型", *FAST)
    model = pellucid.load("模型")
    assert result["model"] == "模型" and result["data"] == "d.csv"
    assert result["estimator"] == "FCNNClassifier" and result["task"] == "classification"
    assert (result["rows"], result["test"]["rows"]) == (32, 8)
    assert result["digest"] == model.digest_ and result["targets"] == ["y"]
    assert result["test"]["baseline"]["answer"] in ("up", "down")
    assert result["about"]["fingerprint"] == model.about_.fingerprint
    assert result["parameters"] == {"hidden_dim": 8, "max_epochs": 2, "random_state": 0}
    assert len(result["columns"]) == 2 and result["epochs"] == 2
    assert "Learning from 32 rows" in beside and "epoch 2/2" in beside


@pytest.mark.parametrize("kind", ("numbers", "labels", "series"))
def test_json_of_other_targets(kind):
    columns = numbers()
    given = ["-t", "b"]
    if kind == "labels":
        columns |= {name: np.arange(40) // (i + 1) % 2 for i, name in enumerate("pq")}
        given = ["-t", "p", "-t", "q", "--drop", "y"]
    if kind == "series":
        given += ["--network", "rnn", "--steps", "3", "--drop", "y"]
    result, _ = only_json("fit", write(columns), *given, "-o", "m", "-q", *FAST)
    again, _ = only_json("evaluate", "m", "d.csv")
    for scores in (result["test"], again["scores"]):
        if kind == "series":
            assert scores["steps"][0]["naive"]["mean_absolute_error"] > 0
        else:
            assert [one["target"] for one in scores["targets"]] == given[1:4:2]
    summary, beside = only_json("summary", "m")
    assert summary["about"]["test"]["rows"] == result["test"]["rows"] and beside == ""
    assert {name: summary[name] for name in ("digest", "epochs", "weights", "layers")} == {
        name: result[name] for name in ("digest", "epochs", "weights", "layers")
    }


def test_errors_are_no_json():
    done = invoke("fit", "gone.csv", "-t", "y", "--json", code=2)
    assert done.stdout == "" and done.stderr.startswith("pellucid: error: gone.csv")


def test_a_table_from_standard_input():
    with open(write(numbers())) as file:
        done = process("fit", "-", "-t", "y", "-o", "m", *FAST, stdin=file)
    assert done.returncode == 0 and "standard input: 40 rows, 2 columns to learn" in done.stdout
    run("fit", "d.csv", "-t", "y", "-o", "n", *FAST)
    models = pellucid.load("m"), pellucid.load("n")
    assert models[0].digest_ == models[1].digest_
    assert models[0].about_.source == "standard input"


def test_options_of_tables_are_none_of_folders():
    Path("p/a").mkdir(parents=True)
    for option in ("--drop", "--encoding"):
        assert f"{option} needs a table. Got a folder of pictures." in fails(
            "fit", "p", option, "x"
        )


def test_a_table_from_standard_input_needs_a_name_for_the_model():
    assert "from standard input needs --output" in fails("fit", "-", "-t", "y")


# -- words for no value among classes ------------------------------------------------------------


def labelled(word, times=2, rest=("up", "down"), count=60):
    """A table whose first labels are a word for no value, and the others in turn."""
    y = [word] * times + [rest[row % len(rest)] for row in range(count - times)]
    return {"a": np.arange(count) % 7, "y": y}


@pytest.mark.parametrize("word", ("?", "missing", "-", "unknown", "未知", " ? "))
def test_a_word_for_no_value_is_no_class(word):
    text = " ".join(run("fit", write(labelled(word)), "-t", "y", "-o", "m", *FAST).split())
    assert f"2 rows have no target and are left out, such as those that say {word!r}." in text
    assert pellucid.load("m").classes_.tolist() == ["down", "up"]
    assert "58 rows" in run("evaluate", "m", "d.csv")
    text = " ".join(run("fit", "d.csv", "-t", "y", "--test", "d.csv", "-o", "m", *FAST).split())
    assert text.count("2 rows have no target and are left out") == 2


@pytest.mark.parametrize(
    "columns",
    (labelled("-", 20), labelled("-", 2, ["+"]), labelled("unknown", 4)),
    ids=["often", "one of two", "above 5 %"],
)
def test_what_may_be_a_class_stays_one(columns):
    word = columns["y"][0]
    text = run("fit", write(columns), "-t", "y", "-o", "m", *FAST)
    assert "left out" not in text and word in pellucid.load("m").classes_
    assert "60 rows of d.csv" in run("evaluate", "m", "d.csv")


# -- notes ---------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("always")
def test_notes_are_for_programs_too_however_quiet():
    columns = numbers(60, city=["Turin"] * 60)
    path = write(columns)
    with open(path, "a") as file:
        file.write("1.0\n")  # a short row
    loud, beside = only_json("fit", path, "-t", "y", "-o", "m", *FAST)
    quiet, silent = only_json("fit", path, "-t", "y", "-o", "m", "-q", *FAST)
    assert loud["notes"] == quiet["notes"]
    assert any("shorter" in note for note in loud["notes"])
    assert any("shorter" in note for note in only_json("evaluate", "m", path)[0]["notes"])
    assert any("city" in note and "not used" in note for note in loud["notes"])
    assert "city" in beside and "city" not in silent


@pytest.mark.filterwarnings("always")
def test_warnings_fit_the_terminal():
    columns = numbers(60, city=["Turin", "Rome"] * 30)
    run("fit", write(columns), "-t", "y", "-o", "m", *FAST)
    columns["city"] = [f"a city with a long name {row}" for row in range(60)]
    lines = invoke("evaluate", "m", write(columns)).stderr.splitlines()
    assert lines[0].startswith("pellucid: warning: city:") and len(lines) > 1
    assert max(map(len, lines)) <= 80


SERIES = ["--network", "rnn", "--steps", "2"]


@pytest.mark.parametrize(
    ("value", "more"),
    (("up", []), (5, []), (2.5, []), (True, []), (5, ["-t", "a"]), (5, SERIES), (2.5, SERIES)),
)
def test_a_target_that_is_the_same_in_all_rows_is_refused_before_the_training(value, more):
    words = f"column 'y' of 'd.csv' must have different values to be learned. Got {value!r} in all"
    message = fails("fit", write(numbers(y=[value] * 40)), "-t", "y", *more)
    assert f"{words} 40 rows. Name another target." in message
