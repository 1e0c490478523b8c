"""The command line: what it prints, where it writes, and how it fails."""

from __future__ import annotations

import csv
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from safetensors.numpy import load_file

import pellucid
from pellucid.cli.families import NETWORKS, family, takers
from pellucid.cli.main import application
from pellucid.terminal import width
from pellucid.training.loop import Trainer

PENGUINS = Path(__file__).parent.parent / "examples" / "penguins.csv"
SHORT = ["--set", "max_epochs=2", "--set", "hidden_dim=8"]


def invoke(*arguments, code=0):
    """A command's result, its exit code checked."""
    done = CliRunner().invoke(application, [str(each) for each in arguments])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == code, done.output
    return done


def run(*arguments):
    """What a command prints on standard output."""
    return invoke(*arguments).stdout


def fails(*arguments):
    """The one line that a command on bad input prints."""
    output = invoke(*arguments, code=2).stderr
    assert output.startswith("pellucid: error: ") and output.count("\n") == 1
    return output


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "penguins.safetensors"
    run("fit", PENGUINS, "--target", "species", "--output", path, "--quiet", *SHORT)
    return path


@pytest.fixture(scope="module")
def numbers(tmp_path_factory):
    """A table with two targets, y and z, and a model for both."""
    folder = tmp_path_factory.mktemp("numbers")
    rows = np.random.default_rng(0).standard_normal((60, 3)).round(3)
    with (folder / "numbers.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["a", "b", "c", "y", "z"])
        writer.writerows([*row, row[0] * 2.5, row[1] - 0.5] for row in rows.tolist())
    path = folder / "numbers.safetensors"
    targets = ["--target", "y", "--target", "z"]
    run("fit", folder / "numbers.csv", *targets, "--output", path, "--quiet", *SHORT)
    return path, folder / "numbers.csv"


def rows_of(text):
    return list(csv.DictReader(text.splitlines()))


# ---------------------------------------------------------------- what it does


@pytest.mark.smoke
def test_fit_says_what_it_does_and_saves(tmp_path):
    output = run("fit", PENGUINS, "--target", "species", "--plot", "curves.png", *SHORT)
    for words in (
        "344 rows, 7 columns to learn from",
        "Target 'species' is text with 3 values: classification.",
        "Learning from 275 rows; 69 are held out to test, the same share of each class.",
        "Test on 69 rows not seen in training: accuracy",
        "true \\ predicted  Adelie  Chinstrap  Gentoo",
        "Model saved in penguins.safetensors (",
        "Curves drawn in curves.png.",
        "Next:  pellucid predict penguins.safetensors NEW.csv",
    ):
        assert words in output
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
    loaded = pellucid.load("penguins.safetensors")
    assert loaded.target_names_ == ["species"]
    assert (loaded.max_epochs, loaded.hidden_dim) == (2, 8)


def test_fit_is_the_same_twice():
    for name in ("a", "b"):
        run("fit", PENGUINS, "--target", "species", "--output", name, "--quiet", *SHORT)
    first, second = load_file("a"), load_file("b")
    assert first.keys() == second.keys()
    assert all(first[name].tobytes() == second[name].tobytes() for name in first)
    digests = [re.search(r"^digest +([0-9a-f]{64})$", run("summary", name), re.M) for name in "ab"]
    assert digests[0][1] == digests[1][1] == pellucid.load("a").digest_


LONG = {
    "latin": "a_column_with_a_very_long_name_as_programs_write_them_",
    "chinese": "很长的列名" * 9,
}


@pytest.mark.parametrize("name", LONG.values(), ids=LONG)
@pytest.mark.parametrize(
    "kind", ("classes", "many classes", "labels", "numbers", "series", "steps")
)
def test_everything_fits_in_80_columns(name, kind):
    """All that commands print, whatever the names, but for paths and errors, which are one line."""
    rng = np.random.default_rng(0)
    count, folder = 120, f"{name[:25]}/"
    Path(folder).mkdir()
    data, model = f"{folder}数据.csv", f"{folder}模型.safetensors"
    columns = {f"{i}{name}": rng.normal(size=count).round(3) for i in range(3)}
    columns[f"text{name}"] = [f"{'ab'[i % 2]}{name}" for i in range(count)]
    more = ["--target", f"y{name}"]
    if kind.endswith("classes"):
        classes = 3 if kind == "classes" else 14
        columns[f"y{name}"] = [f"{i % classes}{name}" for i in range(count)]
    elif kind == "labels":
        columns |= {f"{y}{name}": rng.integers(2, size=count) for y in "yz"}
        more += ["--target", f"z{name}"]
    else:
        columns[f"y{name}"] = rng.normal(size=count).round(3)
    if kind == "series":
        columns |= {f"time{name}": range(count)}
        more += ["--network", "lstm", "--time", f"time{name}", "--steps", "3", "--horizon", "3"]
    if kind == "steps":
        columns |= {f"g{name}": np.arange(count) // 6}
        more += ["--network", "gru", "--group", f"g{name}", "--set", "return_sequences=true"]
    with open(data, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([columns, *zip(*columns.values(), strict=True)])
    fit = invoke("fit", data, *more, "-o", model, *SHORT)
    texts = [fit.stdout, fit.stderr, run("evaluate", model, data), run("summary", model)]
    texts.append(invoke("predict", model, data, "--output", f"{folder}p.csv").stdout)
    for line in "\n".join(texts).splitlines():
        assert width(line) <= 80 or "/" in line, line
        assert not (width(line) > 80 and " " in line.strip()), line


def test_help_fits_on_two_screens():
    for name in application.commands:
        for short in ("--help", "-h"):
            lines = run(name, short).splitlines()
            assert len(lines) <= 48 and max(map(len, lines)) <= 80


def test_quiet_prints_nothing():
    assert run("fit", PENGUINS, "--target", "species", "--quiet", *SHORT) == ""


def test_a_setting_comes_before_the_configuration():
    Path("c.toml").write_text("max_epochs = 1\nhidden_dim = [6, 5]\n")
    arguments = ["--config", "c.toml", "--set", "max_epochs=2", "--quiet"]
    run("fit", PENGUINS, "--target", "species", *arguments)
    loaded = pellucid.load("penguins.safetensors")
    assert (loaded.max_epochs, tuple(loaded.hidden_dim)) == (2, (6, 5))


def test_regression_scores_in_the_targets_units():
    output = run("fit", PENGUINS, "--target", "year", "--task", "regression", *SHORT)
    assert "mean absolute error" in output
    assert "each class" not in output


def test_no_rows_held_out():
    output = run("fit", PENGUINS, "--target", "species", "--test-fraction", "0", *SHORT)
    assert "Learning from all 344 rows." in output
    assert "Test" not in output


def test_predict_prints_csv(model):
    rows = rows_of(run("predict", model, PENGUINS))
    assert len(rows) == 344
    assert {row["species"] for row in rows} <= {"Adelie", "Chinstrap", "Gentoo"}


def test_predict_writes_probabilities(model):
    output = run("predict", model, PENGUINS, "--probabilities", "--output", "p.csv")
    assert output == "344 predictions saved in p.csv.\n"
    rows = rows_of(Path("p.csv").read_text())
    names = ["species=Adelie", "species=Chinstrap", "species=Gentoo"]
    assert list(rows[0]) == ["species", *names]
    for row in rows:
        shares = [float(row[name]) for name in names]
        assert sum(shares) == pytest.approx(1, abs=1e-5)
        assert row["species"] == names[int(np.argmax(shares))].removeprefix("species=")


def test_predict_needs_neither_target_nor_order(model):
    import pandas as pd

    frame = pd.read_csv(PENGUINS)
    frame.drop(columns="species").iloc[:, ::-1].assign(note="x").to_csv("new.csv", index=False)
    assert run("predict", model, "new.csv") == run("predict", model, PENGUINS)


def test_predict_gives_the_models_own_numbers(numbers):
    import pandas as pd

    path, data = numbers
    rows = rows_of(run("predict", path, data))
    wanted = pellucid.load(path).predict(pd.read_csv(data)[["a", "b", "c"]])
    found = np.array([[row["y"], row["z"]] for row in rows]).astype(wanted.dtype)
    np.testing.assert_array_equal(found, wanted)


def test_evaluate_scores_what_was_learned(model, numbers):
    output = run("evaluate", model, PENGUINS)
    assert output.startswith(f"species, 344 rows of {PENGUINS}: accuracy 0.")
    assert "true \\ predicted" in output
    assert "root mean squared error" in run("evaluate", *numbers)


def test_evaluate_reads_labels_as_the_model_does(tmp_path):
    # 1 and 2 are text beside "z", and numbers without it
    rows = [f"{i % 3},{'12z'[i % 3]}" for i in range(60)]
    (tmp_path / "all.csv").write_text("a,t\n" + "\n".join(rows))
    (tmp_path / "some.csv").write_text("a,t\n" + "\n".join(r for r in rows if "z" not in r))
    run("fit", tmp_path / "all.csv", "--target", "t", "--output", tmp_path / "m.safetensors")
    assert "accuracy 1.000" in run("evaluate", tmp_path / "m.safetensors", tmp_path / "some.csv")


def test_summary_shows_the_model(model, numbers):
    output = run("summary", model)
    for words in (
        "FCNNClassifier",
        "species",
        "Adelie, Chinstrap, Gentoo",
        "island",
        "hidden_dim=8",
    ):
        assert words in output
    assert "y, z" in run("summary", numbers[0])


def test_compile_says_what_it_did_and_where(monkeypatch):
    from pellucid import engine

    def compile_all(report):
        report("linear float32")
        return 1

    monkeypatch.setattr(engine, "compile_all", compile_all, raising=False)
    monkeypatch.setattr(engine, "cache_folder", lambda: Path("place"), raising=False)
    output = run("compile")
    assert output.startswith("compiling linear float32\n1 kernel compiled in ")
    assert output.endswith(" s, and kept in place.\n")


# ---------------------------------------------------------------- how it fails


def write(name, text):
    Path(name).write_text(text)
    return name


def test_bad_tables_and_targets():
    assert "gone.csv does not exist" in fails("fit", "gone.csv", "--target", "y")
    output = fails("fit", PENGUINS, "--target", "speces")
    assert "'speces'" in output
    assert "Did you mean 'species'?" in output
    assert "--target must name the column to learn" in fails("fit", PENGUINS)
    assert "empty file" in fails("fit", write("empty.csv", ""), "--target", "y")
    assert "at least one row" in fails("fit", write("header.csv", "a,y\n"), "--target", "y")
    assert "different values" in fails(
        "fit", write("one.csv", "a,y\n1,b\n2,b\n3,b\n"), "--target", "y"
    )
    Path("not.csv").write_bytes(b"\x89PNG\0\0\0")
    assert "must hold a table. Got a picture" in fails("fit", "not.csv", "--target", "y")
    assert not list(Path().glob("*.safetensors"))


def test_bad_parameters():
    fit = ["fit", PENGUINS, "--target", "species"]
    assert fails(*fit, "--set", "hiden_dim=3").endswith(
        "--set: FCNNClassifier has no parameter 'hiden_dim'. Did you mean 'hidden_dim'?\n"
    )
    write("c.json", '{"dropot": 0.1}')
    output = fails(*fit, "--config", "c.json")
    assert "'c.json': FCNNClassifier has no parameter 'dropot'. Did you mean 'dropout'?" in output
    assert "must be a positive integer. Got 0" in fails(*fit, "--set", "hidden_dim=0")
    assert "must have the form name=value" in fails(*fit, "--set", "hidden_dim")
    assert "'--test-fraction'" in fails(*fit, "--test-fraction", "1.5")
    assert "No such option" in fails(*fit, "--outptu", "x")
    assert "No such command 'fti'" in fails("fti")


def test_bad_places_are_refused_before_the_training():
    fit = ["fit", PENGUINS, "--target", "species", "--set", "max_epochs=1000000"]
    assert "gone' does not exist" in fails(*fit, "--output", "gone/m")
    assert "it is a folder" in fails(*fit, "--output", ".")
    assert "it is not an ordinary file" in fails(*fit, "--output", os.devnull)
    assert "must be a file ending in .png" in fails(*fit, "--plot", "curves.txt")


def test_bad_models(model, numbers):
    assert "gone' does not exist" in fails("predict", "gone", PENGUINS)
    assert "is not a pellucid model" in fails("predict", PENGUINS, PENGUINS)
    assert "--probabilities needs a classifier" in fails("predict", *numbers, "--probabilities")
    assert "bill_length_mm" in fails("predict", model, write("x.csv", "island\nDream\n"))
    assert "'species'" in fails("evaluate", model, write("x.csv", "island\nDream\n"))


def test_a_fault_of_the_library_is_not_hidden(monkeypatch):
    monkeypatch.setattr("pellucid.load", lambda path: 1 // 0)
    assert "division" in fails("summary", "m")
    with pytest.raises(ZeroDivisionError):
        run("--debug", "summary", "m")
    monkeypatch.setattr("pellucid.load", lambda path: [].gone)
    with pytest.raises(AttributeError):
        run("summary", "m")


def test_ctrl_c_is_one_line(monkeypatch):
    def interrupt(path):
        raise KeyboardInterrupt

    monkeypatch.setattr("pellucid.load", interrupt)
    assert invoke("summary", "m", code=130).stderr.strip() == "pellucid: stopped."


def test_warnings_fit_the_terminal(model, monkeypatch):
    monkeypatch.setattr("pellucid.files.NUMERIC_VERSION", 2)
    with pytest.warns(UserWarning, match="last bits"):
        pellucid.load(model)
    done = process("summary", model, setup="import pellucid.files as f; f.NUMERIC_VERSION = 2")
    assert done.returncode == 0
    assert done.stderr.startswith("pellucid: warning: The model was written by pellucid")
    lines = done.stderr.splitlines()
    assert len(lines) > 1 and max(map(len, lines)) <= 80
    assert all(line.startswith("  ") for line in lines[1:])


# ---------------------------------------------------------------- as a process


def process(*arguments, setup="", stdin=None, stdout=subprocess.PIPE):
    code = f"{setup}\nfrom pellucid.__main__ import main; main()"
    command = [sys.executable, "-c", code] if setup else [sys.executable, "-m", "pellucid"]
    source = str(Path(pellucid.__file__).parent.parent)
    paths = [source, *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.run(
        [*command, *map(str, arguments)],
        stdin=stdin,
        stdout=stdout,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        text=True,
        check=False,
    )


def test_a_process_ends_with_one_line_and_code_2():
    done = process("fit", "gone.csv", "--target", "y")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "pellucid: error: gone.csv does not exist.\n"


@pytest.mark.smoke
def test_fit_then_predict_in_processes():
    fit = process("fit", PENGUINS, "--target", "species", "-o", "m", *SHORT)
    assert fit.returncode == 0, fit.stderr
    done = process("predict", "m", PENGUINS)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(rows_of(done.stdout)) == 344


INTERRUPT = """
import signal
from pellucid.training.history import History
append = History.append
def interrupting(self, row):
    append(self, row)
    if len(self) == 3:
        signal.raise_signal(signal.SIGINT)
History.append = interrupting
signal.signal(signal.SIGINT, signal.default_int_handler)
"""


def test_ctrl_c_ends_a_fit_with_the_best_weights():
    fit = ["fit", PENGUINS, "--target", "species", "-o", "m", "--set", "max_epochs=1000"]
    done = process(*fit, setup=INTERRUPT)
    assert done.returncode == 0, done.stderr
    assert "Model saved in m (" in done.stdout
    assert "interrupted" in done.stdout + done.stderr
    assert pellucid.load("m").n_iter_ == 3


INTERRUPT_IMPORT = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
class Interrupting:
    def find_spec(name, path=None, target=None):
        if name == "{name}":
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, Interrupting)
"""


@pytest.mark.parametrize("name", ("pellucid.cli.main", "click", "pellucid.cli.fit", "numpy"))
def test_ctrl_c_during_the_imports_is_one_line(model, name):
    done = process("summary", model, setup=INTERRUPT_IMPORT.format(name=name))
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "pellucid: stopped.\n")


def test_ctrl_c_after_the_last_command_ends_the_process_at_once(model):
    """While the interpreter ends, an exception would be a traceback."""
    late = "import atexit, signal\natexit.register(signal.raise_signal, signal.SIGINT)\n"
    late += "signal.signal(signal.SIGINT, signal.default_int_handler)"
    done = process("summary", model, setup=late)
    assert done.returncode in (-signal.SIGINT, 130) and not done.stderr


def test_a_closed_pipe_is_no_error(model):
    read, write_end = os.pipe()
    os.close(read)
    done = process("predict", model, PENGUINS, stdout=write_end)
    os.close(write_end)
    assert done.stderr == ""


def test_networks_are_those_of_the_public_classifiers():
    assert NETWORKS == ["fcnn", "cnn", "rnn", "lstm", "gru"]
    assert takers("sequences") == ["rnn", "lstm", "gru"] and takers("pictures") == ["cnn"]
    assert family("gru", "regression") is pellucid.GRURegressor
    for network in NETWORKS:
        assert {family(network, task).__name__ for task in ("classification", "regression")} <= {
            *pellucid.__all__
        }


def test_help_loads_no_library():
    setup = "import sys, atexit\natexit.register(lambda: print('sklearn' in sys.modules))"
    done = process("fit", "--help", setup=setup)
    assert done.stdout.endswith("False\n") and "fcnn, cnn, rnn, lstm, gru." in done.stdout


def test_help_in_plain_words():
    text = " ".join(run("fit", "--help").split())
    for words in (
        "--time COLUMN Column with each row's time.",
        "Random seed.",
        "Another parameter, as in patience=5.",
        "Rows in a training step. [default: by rows]",
    ):
        assert words in text


def test_version_and_help():
    assert run("--version").startswith("pellucid ")
    assert run() == run("--help")
    assert "Train a network" in run("fit", "--help")


# -- rows are named as the file counts them ------------------------------------------------------


def odd_table(bad, value, column="a", name="d.csv"):
    """A table of 20 rows with one odd value, in row `bad` below the header."""
    rows = [{"a": f"{i}.5", "b": "xy"[i % 2], "y": f"{i % 3}.25"} for i in range(1, 21)]
    rows[bad - 1][column] = value
    with Path(name).open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return name


@pytest.fixture
def untrained(monkeypatch):
    """No epoch may begin."""

    def train(*_, **__):
        raise AssertionError("training began")

    monkeypatch.setattr(Trainer, "fit", train)


@pytest.mark.parametrize("bad", range(1, 21))
def test_an_infinite_value_is_found_before_training_and_named_as_in_the_file(untrained, bad):
    """Wherever it falls: among the rows to learn from, or among those held out to test."""
    line = fails("fit", odd_table(bad, "inf"), "-t", "y")
    assert line == (
        "pellucid: error: column 'a' of X must be finite for FCNNRegressor. Got inf in row "
        f"{bad} below the header of 'd.csv'. Remove the row, or put NaN there, which counts as "
        "missing.\n"
    )
    assert not list(Path().glob("*.safetensors"))


@pytest.mark.parametrize("bad", (1, 11, 20))
def test_a_target_that_cannot_be_learned_is_named_as_in_the_file(untrained, bad):
    line = fails("fit", odd_table(bad, "inf", "y"), "-t", "y")
    assert "be finite" in line and f"first in row {bad} below the header of 'd.csv'." in line


def test_a_label_of_several_that_is_no_label_is_named_as_in_the_file(untrained):
    rows = [[i, i % 2, 7 if i == 13 else (i // 2) % 2] for i in range(1, 21)]
    with Path("labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["a", "p", "q"], *rows])
    line = fails("fit", "labels.csv", "-t", "p", "-t", "q", "--task", "classification")
    assert "must hold only 0 and 1, one column a label. Got 7 in row 13 below the header" in line


def test_rows_of_a_parquet_file_have_no_header_above_them():
    pd = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    pd.read_csv(odd_table(11, "inf")).to_parquet("d.parquet")
    assert "Got inf in row 11 of 'd.parquet'." in fails("fit", "d.parquet", "-t", "y")


@pytest.mark.filterwarnings("always")
def test_rows_to_predict_and_to_evaluate_are_named_as_in_the_file():
    run("fit", odd_table(1, "2.5"), "-t", "y", "-o", "m", "--set", "max_epochs=1")
    for command in ("predict", "evaluate"):
        words = (
            "column 'a' of X must be finite for FCNNRegressor. Got inf in row 4 below the header"
        )
        assert words in fails(command, "m", odd_table(4, "inf"))
        words = (
            "a: 1 of 20 cells is no number and counts as missing: 'z', in row 9 below the header"
        )
        assert words in " ".join(invoke(command, "m", odd_table(9, "z")).stderr.split())


def test_what_is_read_is_not_written_over(tmp_path):
    """Else a table would be gone, and a file of predictions or a model in its place."""
    data, model = tmp_path / "data.csv", tmp_path / "m"
    data.write_text("a,b\n" + "".join(f"{i},{i % 2}\n" for i in range(40)))
    before = data.read_bytes()
    fit = ["fit", str(data), "-t", "b", "--set", "max_epochs=1", "-q", "-o"]
    assert application.main([*fit, str(model)], standalone_mode=False) in (0, None)
    for arguments in (
        [*fit, str(data)],
        ["predict", str(model), str(data), "-o", str(data)],
        ["predict", str(model), str(data), "-o", str(model)],
    ):
        assert application.main(arguments, standalone_mode=False) == 2
    assert data.read_bytes() == before and pellucid.load(model)


@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
def test_a_reader_that_goes_away_does_not_lose_a_fit(tmp_path):
    data = tmp_path / "data.csv"
    data.write_text("a,b\n" + "".join(f"{i},{i % 2}\n" for i in range(40)))
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "pellucid", "fit", data, "-t", "b", "--set", "max_epochs=1",
         "-o", tmp_path / "m"],
        stdout=writer, stderr=subprocess.PIPE, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(Path(pellucid.__file__).parents[1])},
    )  # fmt: skip
    os.close(writer)
    assert done.returncode == 0 and "Error" not in done.stderr
    assert pellucid.load(tmp_path / "m")


@pytest.mark.skipif(os.name != "posix", reason="closed as shells of POSIX close it")
def test_predictions_that_go_nowhere_are_an_error(tmp_path):
    script = f"exec {sys.executable} -m pellucid predict model data.csv >&-"
    done = subprocess.run(
        ["sh", "-c", script], stderr=subprocess.PIPE, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(Path(pellucid.__file__).parents[1])},
    )  # fmt: skip
    assert done.returncode == 2 and "standard output is closed. Name a file" in done.stderr


def test_ctrl_c_that_an_import_makes_an_error_of_is_ctrl_c(monkeypatch):
    """Libraries written in C++ raise an ImportError from it."""

    def load(path):
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt as stop:
            raise ImportError("initialization failed") from stop

    monkeypatch.setattr(pellucid, "load", load)
    assert "stopped." in invoke("summary", "m", code=130).stderr


@pytest.mark.parametrize("command", ("predict", "evaluate", "fit"))
@pytest.mark.parametrize("series", (False, True))
def test_a_column_that_a_new_file_calls_otherwise_is_suggested(command, series):
    rows = "".join(f"{i % 7},{i},{i % 2}\n" for i in range(40))
    data, new = write("d.csv", "a,b,y\n" + rows), write("new.csv", "A,b,y\n" + rows)
    fit = ["fit", data, "-t", "y", "-o", "m", "--set", "max_epochs=1"]
    fit += ["--network", "rnn", "--steps", "3"] if series else []
    if command == "fit":
        message = fails(*fit, "--quiet", "--test", new)
    else:
        run(*fit)
        message = fails(command, "m", new)
    assert "'new.csv' must have column 'a', as in training" in message
    assert "Did you mean 'A'?" in message


def test_a_line_break_in_a_name_stays_within_its_line():
    write("d.csv", '"a\nb",y\n' + "".join(f"{i % 3},{'ab'[i % 2]}\n" for i in range(40)))
    text = invoke("fit", "d.csv", "-t", "y", "--set", "max_epochs=1").output
    assert "  a\\nb: " in text and "a\nb" not in text


def test_labels_that_are_mostly_different_are_said_so_once():
    write("d.csv", "a,y\n" + "".join(f"{i % 3},p{i % 30}\n" for i in range(40)))
    done = invoke("fit", "d.csv", "-t", "y", "--set", "max_epochs=1")
    text = " ".join((done.stdout + done.stderr).split())
    assert text.count("different labels in") == 1 and "unique classes" not in text
