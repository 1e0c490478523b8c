"""``pellucid search``: what it says, saves and refuses, for all kinds of data."""

from __future__ import annotations

import csv
import json
import math
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.model_selection import StratifiedKFold, cross_val_score
from test_cli import PENGUINS, fails, invoke, run

import pellucid
from pellucid.cli import searching
from pellucid.cli.main import application
from pellucid.data import read_table
from pellucid.terminal import width

SHORT = ["--set", "max_epochs=2", "--folds", "3"]
FEW = ["--try", "hidden_dim=4,8", "--try", "learning_rate=0.001..0.1", "--trials", "3", *SHORT]


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def search(*more, data=PENGUINS, target="species"):
    return run("search", data, "--target", target, *more)


def refused(*more):
    return fails("search", PENGUINS, "--target", "species", *more)


def test_it_says_what_it_does_and_saves_the_best():
    output = search(*FEW, "--results", "trials.csv")
    for words in (
        "344 rows, 7 columns to learn from",
        "Learning from 275 rows; 69 are held out to test, the same share of each class.",
        "Tried are the defaults, and 3 drawn from: hidden_dim 4, 8; learning_rate 0.001",
        "Each is fitted 3 times, without one of 3 parts of the 275 rows, the same share",
        "island: text, 3 categories",
        "As by default: accuracy 0.",
        "3/3  best 0.",
        "score  spread  seconds  hidden_dim  learning_rate",
        "4 trials saved in trials.csv.",
        "Test on 69 rows not seen in training: accuracy",
        "Always saying 'Adelie': accuracy 0.435",
        "Model saved in penguins.safetensors (",
        "Next:  pellucid predict penguins.safetensors NEW.csv",
    ):
        assert words in output, words
    assert all(width(line) <= 80 or "/" in line for line in output.splitlines())
    with open("trials.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["trial"] for row in rows] == ["0", "1", "2", "3"]
    best = max(rows, key=lambda row: float(row["score"]))
    (first,) = re.findall(r"trial +score.*\n +(\w+)", output)
    assert first == {"0": "default"}.get(best["trial"], best["trial"])
    model = pellucid.load("penguins.safetensors")
    assert str(model.hidden_dim) == best["parameter_hidden_dim"]
    assert str(model.learning_rate) == best["parameter_learning_rate"]
    assert (model.max_epochs, model.target_names_) == (2, ["species"])
    assert model.about_.rows == 275 and model.about_.test["rows"] == 69


def test_scores_are_those_of_a_cross_validation_in_python():
    result = json.loads(search(*FEW, "--json", "--test-fraction", "0"))
    frame = read_table(PENGUINS)
    X, y = frame.drop(columns="species"), frame["species"]
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    found = result["search"]
    for one in (found["default"], *found["trials"]):
        model = pellucid.FCNNClassifier(
            max_epochs=2, random_state=0, verbose=0, **one["parameters"]
        )
        assert one["scores"] == cross_val_score(model, X, y, cv=folds).tolist()
    assert found["best"]["score"] == max(
        one["score"] for one in (found["default"], *found["trials"])
    )
    assert found["space"]["learning_rate"] == {"low": 0.001, "high": 0.1, "by_logarithm": True}
    assert result["test"] is None


def test_it_is_the_same_twice_and_the_model_that_of_a_fit():
    first = json.loads(search(*FEW, "--json", "-o", "a"))
    again = json.loads(search(*FEW, "--json", "-o", "b"))
    assert first["digest"] == again["digest"]
    given = [f"{name}={value!r}" for name, value in first["search"]["best"]["parameters"].items()]
    options = [word for text in (*given, "max_epochs=2") for word in ("--set", text)]
    fitted = json.loads(run("fit", PENGUINS, "-t", "species", *options, "--json", "-o", "c"))
    assert fitted["digest"] == first["digest"] and fitted["test"] == first["test"]


def test_usual_ones_are_tried_where_nothing_is_said():
    output = " ".join(search("--trials", "1", *SHORT, "--set", "dropout=0.1").split())
    assert "These are usual ones of fcnn; --try names others." in output
    # and not dropout, which is set
    assert "hidden_dim 32, 64, 128, 256; num_layers 1 to 3; learning_rate" in output


def test_few_combinations_are_all_tried():
    output = search("--try", "hidden_dim=4,(8, 4)", *SHORT)
    assert "and all 2 combinations of: hidden_dim 4, (8, 4)." in " ".join(output.split())
    grid = search("--grid", "--try", "hidden_dim=4,(8, 4)", *SHORT)
    assert "2/2" in output and "2/2" in grid


def test_halving_learns_from_more_rows_each_round():
    output = search(*FEW[:-6], "--trials", "3", "--halving", *SHORT, "--results", "trials.json")
    rows = json.loads(Path("trials.json").read_text())["trials"]
    assert [row["round"] for row in rows] == [None, 0, 0, 0, 1]
    assert [row["rows"] for row in rows] == [None, 91, 91, 91, 273]
    assert " rows " in output and " all " in output


def test_halving_needs_rows():
    words = "--halving must have at least 54 rows to learn from with 3 folds and 3 classes. Got 34"
    assert words in refused("--halving", *SHORT, "--test-fraction", "0.9")


def test_numbers_are_scored_by_r2_and_a_score_of_choice():
    more = ["--try", "hidden_dim=4,8", *SHORT]
    assert "scored on that part by R2." in " ".join(search(*more, target="body_mass_g").split())
    output = search(*more, "--scoring", "neg_mean_absolute_error", target="body_mass_g")
    assert "As by default: neg_mean_absolute_error -" in output


def test_where_the_defaults_are_best_they_are_kept():
    output = search("--try", "learning_rate=1e-9,1e-8", "--set", "max_epochs=10")
    assert "None is better than the defaults, which are kept." in output
    assert pellucid.load("penguins.safetensors").learning_rate == 0.003


def test_a_gain_below_the_spread_may_be_chance():
    output = " ".join(search(*FEW).split())
    assert "more than by default." in output or "None is better" in output


def test_trials_that_fail_are_said_in_a_line():
    more = ["--set", "optimizer=sgd", "--try", "learning_rate=0.01,1e300", *SHORT]
    result = invoke("search", PENGUINS, "-t", "species", *more, "--json")
    output = " ".join(result.stderr.split())
    assert "3 of 9 fits failed. The first one: " in output and "must be finite" in output
    found = json.loads(result.stdout)
    assert found["search"]["trials"][1]["score"] is None
    assert any("3 of 9 fits failed" in note for note in found["notes"])
    assert "Traceback" not in output and "warning" not in output


def test_where_all_fail_nothing_is_saved():
    more = ["--set", "optimizer=sgd", "--set", "learning_rate=1e300", "--try", "hidden_dim=4,8"]
    done = invoke("search", PENGUINS, "-t", "species", *more, *SHORT, code=2)
    assert "a search must have a trial without a failure. Got none" in done.stderr
    assert not Path("penguins.safetensors").exists()


def test_something_must_be_tried_and_two_files_be_two():
    usual = ("hidden_dim=8", "num_layers=1", "dropout=0", "learning_rate=0.01")
    words = refused(*(part for one in usual for part in ("--set", one)))
    assert "a search must have something to try, and all that it tries by default is set." in words
    words = refused("-o", "same.csv", "--results", "./same.csv")
    assert "--output and --results must be two files. Got same.csv for both." in words


def test_a_stopped_search_shows_what_it_has_tried(monkeypatch):
    run_search = searching.Search.run

    def stopped(self, *arguments):
        shown = self.told

        def told(count, tried):
            shown(count, tried)
            if len(tried) == 2:
                raise KeyboardInterrupt

        self.told = told
        run_search(self, *arguments)

    monkeypatch.setattr(searching.Search, "run", stopped)
    done = invoke("search", PENGUINS, "-t", "species", *FEW, "--results", "trials.csv", code=130)
    assert "score  spread" in done.stdout and "3 trials saved in trials.csv." in done.stdout
    assert done.stderr.endswith("pellucid: stopped.\n")
    assert sorted(path.name for path in Path().iterdir()) == ["trials.csv"]


@pytest.mark.parametrize("ending", ("json", "jsonl", "parquet", "tsv", "csv.gz"))
def test_results_go_into_any_table(ending):
    more = ["--try", "hidden_dim=4,(8, 4)", "--try", "num_layers=null,2", "--trials", "2"]
    search(*more, *SHORT, "--results", f"trials.{ending}", "--quiet")
    if ending == "json":
        rows = json.loads(Path("trials.json").read_text())["trials"]
    else:
        rows = read_table(f"trials.{ending}").to_dict("records")
    assert [row["trial"] for row in rows] == [0, 1, 2]
    assert all(isinstance(row["parameter_hidden_dim"], (str, int)) for row in rows)


def test_quiet_prints_nothing():
    assert search(*FEW, "--quiet") == ""


# ---------------------------------------------------------------- other kinds of data


def test_groups_stay_together():
    rows = [[f"p{i // 5}", i * 0.1, i % 3, "ab"[i % 2]] for i in range(60)]
    with open("people.csv", "w", newline="") as file:
        csv.writer(file).writerows([["person", "a", "b", "y"], *rows])
    more = ["--group", "person", "--try", "hidden_dim=4,8", *SHORT]
    output = " ".join(search(*more, data="people.csv", target="y").split())
    assert "3 parts of the 50 rows, of whole groups, the same share of each class" in output
    words = "--folds must be at most the number of groups to learn from. Got 11, and there are 10"
    assert words in fails("search", "people.csv", "-t", "y", *more, "--folds", "11")


def test_a_series_is_scored_on_what_comes_after():
    with open("series.csv", "w", newline="") as file:
        csv.writer(file).writerows([["y"], *([i % 7 + i / 50] for i in range(150))])
    more = ["--network", "gru", "--steps", "7", "--try", "hidden_dim=2,4"]
    output = " ".join(search(*more, *SHORT, data="series.csv", target="y").split())
    assert "on what was before one of 3 parts of the second half of the windows" in output
    assert "naive" in output and "Model saved in series.safetensors" in output
    words = "--folds must leave windows to learn from, and windows to forecast. Got 90"
    assert words in fails("search", "series.csv", "-t", "y", *more, "--folds", "90")
    words = "--halving learns from some rows at random, and windows of a series follow one another"
    assert words in fails("search", "series.csv", "-t", "y", *more, "--halving")


@pytest.mark.parametrize("by_step", (False, True))
def test_sequences_are_taken_whole(by_step):
    rng = np.random.default_rng(0)
    rows = [
        [f"g{i // 5}", i % 5, *rng.normal(size=2).round(3), "ab"[i // 5 % 2]] for i in range(150)
    ]
    with open("long.csv", "w", newline="") as file:
        csv.writer(file).writerows([["g", "t", "u", "v", "y"], *rows])
    more = ["--group", "g", "--time", "t", "--network", "lstm", "--try", "hidden_dim=2,4", *SHORT]
    more += ["--set", "return_sequences=true"] if by_step else []
    result = json.loads(search(*more, "--json", data="long.csv", target="y"))
    frame = read_table("long.csv")
    assert result["rows"] == 24
    if not by_step:  # where all are learned from, the folds are easily made by hand
        result = json.loads(
            search(*more, "--json", "--test-fraction", "0", data="long.csv", target="y")
        )
        labels = frame.groupby("g", sort=False)["y"].first()
        names = labels.index.to_numpy()
        model = pellucid.LSTMClassifier(
            2, max_epochs=2, random_state=0, verbose=0, group="g", time="t"
        )
        scores = []
        for train, test in StratifiedKFold(3, shuffle=True, random_state=0).split(names, labels):
            parts = [
                frame[frame["g"].isin(names[rows])].drop(columns="y") for rows in (train, test)
            ]
            model.fit(parts[0], labels.to_numpy()[train])
            scores.append(model.score(parts[1], labels.to_numpy()[test]))
        assert result["search"]["trials"][0]["scores"] == scores
        search(*more, "--scoring", "balanced_accuracy", data="long.csv", target="y")
    words = "--halving takes rows, not sequences. Leave it out."
    assert words in fails("search", "long.csv", "-t", "y", *more, "--halving")


def test_pictures_of_a_folder():
    from PIL import Image

    for label in "ab":
        Path(f"pictures/{label}").mkdir(parents=True)
        for number in range(12):
            shade = np.full((8, 8), (60 if label == "a" else 190) + number, dtype=np.uint8)
            Image.fromarray(shade).save(f"pictures/{label}/{number}.png")
    output = run("search", "pictures", "--try", "hidden_dim=4,8", *SHORT)
    assert "24 pictures in 2 class folders" in output
    assert "Test on 5 pictures not seen in training" in output


def test_a_table_of_ones_own_is_read_before_the_search():
    text = PENGUINS.read_text().splitlines()
    Path("learn.csv").write_text("\n".join([text[0], *text[1::2]]))
    Path("test.csv").write_text("\n".join([text[0], *text[2::2]]))
    output = search(*FEW, "--test", "test.csv", data="learn.csv")
    assert "Test on 172 rows of test.csv" in output
    words = "test2.csv does not exist"
    assert words in fails("search", "learn.csv", "-t", "species", "--test", "test2.csv", *FEW)
    Path("test3.csv").write_text("species,year\nAdelie,2007\n")
    assert "island" in fails("search", "learn.csv", "-t", "species", "--test", "test3.csv", *FEW)


# ---------------------------------------------------------------- what is refused, and before what


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--try", "learning_rte=1"], "--try: FCNNClassifier has no parameter 'learning_rte'. Did"),
        (["--try", "loss=mse"], "--try needs a target of numbers, and these are classes."),
        (["--try", "activation=relu,foo"], "activation of FCNNClassifier must be one of"),
        (
            ["--try", "dropout=0..2"],
            "dropout of FCNNClassifier must be a number in [0, 1). Got 2.0",
        ),
        (["--try", "max_epochs=3,0"], "max_epochs of FCNNClassifier must be a positive integer"),
        (
            ["--scoring", "accurac"],
            "--scoring must be a score of scikit-learn. Got accurac. Did you",
        ),
        (["--scoring", "r2"], "--scoring must be a score of what is learned, which r2 is not"),
        (["--grid"], "--grid tries all combinations of lists, and a range has no end of them."),
        (["--grid", "--trials", "3"], "--grid tries all there is: leave --trials out."),
        (["--grid", "--halving"], "--grid tries all there is: leave --halving out."),
        (["--halving", "--trials", "2"], "--halving needs --trials of at least 3. Got 2."),
        (
            ["--set", "dropout=0.1", "--try", "dropout=0,0.2"],
            "dropout is set by --set, and by --try",
        ),
        (["--folds", "276"], "--folds must be at most the number of rows to learn from. Got 276"),
        (["--results", "a.txt"], "--results must end in .csv"),
        (["--results", "nowhere/a.csv"], "nowhere"),
        (["--max-epochs", "3"], "Write --set max_epochs=VALUE."),
        (["--workers", "2", "--scheduler", "tcp://1.2.3.4:5"], "do not go together"),
        (["--test", str(PENGUINS), "--test-fraction", "0.1"], "do not go together"),
        (["--steps", "3"], "--steps needs --network rnn, lstm or gru. Got none."),
    ],
)
def test_bad_input_is_one_sentence(more, words, monkeypatch):
    monkeypatch.setattr(searching.Search, "try_usual", lambda self: pytest.fail("it is searched"))
    assert words in refused(*more)


def test_options_that_are_those_of_fit_are_the_same():
    from pellucid.cli.fit import fit
    from pellucid.cli.search import search as command

    theirs = {id(option) for option in fit.params}
    shared = {option.name for option in command.params if id(option) in theirs}
    assert {"data", "targets", "network", "seed", "group", "output", "quiet"} <= shared
    assert {"tries", "folds", "workers"}.isdisjoint(shared)
    assert application.commands["search"] is command


def test_lines_where_there_is_no_terminal_also_of_later_rounds(capsys):
    from pellucid.cli.output import Output
    from pellucid.cli.searching import Tried
    from pellucid.cli.trials import Shown

    one = Tried(1, {}, (0.5,), 0.1)
    with Shown(Output()) as shown:
        for done in range(1, 101):
            shown(100, [one] * done)
        for done in range(101, 103):
            shown(102, [one] * done)
    lines = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert lines == [*(f"{done}/100" for done in range(10, 101, 10)), "101/102", "102/102"]


def test_a_bar_on_a_terminal(monkeypatch):
    import io

    from pellucid.cli.output import Output
    from pellucid.cli.searching import Tried
    from pellucid.cli.trials import Shown

    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", terminal)
    with Shown(Output()) as shown:
        shown(4, [Tried(1, {}, (math.nan,), 0.1)])
        shown(4, [Tried(1, {}, (math.nan,), 0.1), Tried(1, {}, (0.5,), 0.1)])
        shown._bar.refresh()
    assert "2/4" in terminal.getvalue() and "best 0.5000" in terminal.getvalue()
