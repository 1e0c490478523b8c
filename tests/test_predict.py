"""``pellucid predict``: tables of any size, columns beside the answers, files of each ending."""

import csv
import gzip
import io
import json
import warnings
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import pellucid
from pellucid.cli.main import application
from pellucid.cli.predictions import FORMATS, format_of, records, writer
from pellucid.data import read_table, readers
from pellucid.data.cell_warnings import Cells, CellWarning
from pellucid.data.collected import collected_warnings

pd = pytest.importorskip("pandas")
ROWS = 400


def invoke(*arguments, code=0, stdin=None):
    done = CliRunner().invoke(application, [str(a) for a in arguments], input=stdin)
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == code, done.output
    return done


def run(*arguments, **options):
    return invoke(*arguments, **options).stdout


def fails(*arguments, **options):
    """The one line that a command on bad input prints."""
    output = invoke(*arguments, code=2, **options).stderr
    assert output.startswith("pellucid: error: ") and output.count("\n") == 1
    return output


def lines(text):
    return list(csv.reader(io.StringIO(text)))


def table():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"id": [f"{i:05}" for i in range(ROWS)], "a": rng.normal(size=ROWS)})
    frame["city"] = np.where(np.arange(ROWS) % 3 == 0, "Rome", "Oslo")
    frame["y"] = np.where(frame.a > 0, "yes", "no")
    return frame


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    table().to_csv(folder / "t.csv", index=False)
    run(
        "fit", folder / "t.csv", "-t", "y", "--drop", "id", "-o", folder / "m", "-q",
        "--set", "max_epochs=2", "--set", "hidden_dim=8",
    )  # fmt: skip
    return folder / "m"


@pytest.fixture(scope="module")
def dated(tmp_path_factory):
    """A model that knows numbers, text and dates that were text."""
    folder = tmp_path_factory.mktemp("dated")
    frame = table().drop(columns="id")
    frame["when"] = pd.date_range("2024-01-01", periods=ROWS).strftime("%Y-%m-%d")
    frame.to_csv(folder / "t.csv", index=False)
    run(
        "fit", folder / "t.csv", "-t", "y", "-o", folder / "m", "-q", "--set", "max_epochs=2",
        "--set", "hidden_dim=8",
    )  # fmt: skip
    return folder / "m"


@pytest.fixture(autouse=True)
def small_batches_in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(readers.read_batches, "__defaults__", (64, None))
    table().to_csv("t.csv", index=False)


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.jsonl", "t.parquet", "quoted.csv"])
def test_predictions_by_batches_are_those_of_the_whole(model, name):
    frame = table()
    if name == "t.jsonl":
        frame.to_json(name, orient="records", lines=True)
    elif name == "t.parquet":
        pytest.importorskip("pyarrow")
        frame.to_parquet(name)
    else:
        frame.to_csv(name, index=False, quoting=csv.QUOTE_NONNUMERIC)
    loaded = pellucid.load(model)
    whole = read_table(name, text=loaded._input.text_columns)[["a", "city"]]
    header, *rows = lines(run("predict", model, name, "--probabilities"))
    assert header == ["y", "y=no", "y=yes"]
    assert [row[0] for row in rows] == loaded.predict(whole).tolist()
    shares = [[float(cell) for cell in row[1:]] for row in rows]
    np.testing.assert_array_equal(shares, loaded.predict_proba(whole))


@pytest.mark.filterwarnings("always")
def test_what_is_said_of_cells_is_said_once_with_the_sum(model):
    frame = table().astype({"a": object})
    frame.loc[[3, 100, 399], "a"] = "bad"
    frame.loc[[70, 80, 90, 300], "city"] = "Bergen"
    frame.to_csv("dirty.csv", index=False)
    text = " ".join(invoke("predict", model, "dirty.csv").stderr.split())
    said = text.split("pellucid: warning: ")[1:]
    assert len(said) == 2
    assert "a: 3 of 400 cells are no numbers and count as missing: 'bad'" in said[0]
    assert "row 4 below the header of 'dirty.csv'" in said[0]
    assert "city: 4 of 400 cells have categories that were not there in training" in said[1]


@pytest.mark.filterwarnings("always")
def test_a_batch_without_a_usable_cell_is_no_other_column(model):
    """The whole file tells what a column is: a last batch of one row must not."""
    frame = table().astype({"a": object})
    for rows, code in ((range(384, 400), 0), (range(64), 0), (range(400), 2)):
        dirty = frame.copy()
        dirty.loc[list(rows), "a"] = "bad"
        dirty.to_csv("dirty.csv", index=False)
        done = invoke("predict", model, "dirty.csv", "-o", "p.csv", code=code)
        words = f"{len(rows)} of 400 cells are no numbers" if code == 0 else "must hold numbers"
        assert words in " ".join(done.stderr.split()) and Path("p.csv").exists() == (code == 0)
        Path("p.csv").unlink(missing_ok=True)


@pytest.mark.filterwarnings("always")
@pytest.mark.parametrize("name", ["t.csv", "t.jsonl", "-"])
@pytest.mark.parametrize(
    ("column", "kind", "good"), [("a", "numbers", "1.5"), ("when", "dates", "2024-03-01")]
)
def test_what_a_column_is_does_not_depend_on_the_batches(dated, column, kind, good, name):
    """All rows are judged before one is predicted, and as those of one table are in Python."""
    cells = {
        "half": ["bad"] * (ROWS // 2) + [good] * (ROWS // 2),
        "more": [good] * (ROWS // 2 - 1) + ["bad"] * (ROWS // 2 + 1),
        "missing": [""] * (ROWS - 200) + ["bad"] * 200,
        "blank": ["?"] * (ROWS - 60) + ["bad"] * 59 + [good],
    }
    loaded = pellucid.load(dated)
    for case, values in cells.items():
        frame = table().assign(when="2024-01-01").astype({"a": object})
        frame[column] = values
        place = "t.csv" if name == "-" else name
        if name == "t.jsonl":
            frame.to_json(name, orient="records", lines=True)
        else:
            frame.to_csv(place, index=False)
        code = 0 if case in ("half", "blank") else 2
        stdin = Path(place).read_bytes() if name == "-" else None
        done = invoke("predict", dated, name, code=code, stdin=stdin)
        whole = read_table(place, text=[column])[["a", "city", "when"]].replace("", None)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if code:
                assert done.stdout == "" and done.stderr.count("\n") == 1
                assert f"column '{column}' of X must hold {kind}" in done.stderr
                first = values.index("bad") + 1
                assert f"'bad' in row {first}" in done.stderr
                with pytest.raises(ValueError, match=f"column '{column}' of X must hold {kind}"):
                    loaded.predict(whole)
            else:
                count = 200 if case == "half" else 59
                assert done.stderr.count(f"{column}: {count} of 400 cells are no {kind}") == 1
                assert [row[0] for row in lines(done.stdout)[1:]] == loaded.predict(whole).tolist()


def test_errors_in_later_batches_name_the_row_of_the_file_and_write_nothing(model):
    frame = table()
    frame.loc[333, "a"] = np.inf
    frame.to_csv("odd.csv", index=False)
    Path("out.csv").write_text("earlier")
    output = fails("predict", model, "odd.csv", "-o", "out.csv")
    assert "Got inf in row 334 below the header of 'odd.csv'" in output
    assert Path("out.csv").read_text() == "earlier"
    assert sorted(p.name for p in Path().iterdir()) == ["odd.csv", "out.csv", "t.csv"]


def test_kept_columns_stand_before_the_answers_as_in_the_file(model):
    text = "id,a,city,y,n\n007,1.50,Rome,yes,\n008,-2.0,Oslo,no,01\n"
    Path("new.csv").write_text(text)
    plain = [row[0] for row in lines(run("predict", model, "new.csv"))[1:]]
    header, *rows = lines(run("predict", model, "new.csv", "--keep", "n", "--keep", "id"))
    assert header == ["n", "id", "y"]
    assert rows == [["", "007", plain[0]], ["01", "008", plain[1]]]
    header, *rows = lines(run("predict", model, "new.csv", "--keep", "a", "--keep", "y"))
    assert header == ["a", "y", "y (predicted)"]
    assert rows == [["1.50", "yes", plain[0]], ["-2.0", "no", plain[1]]]
    output = fails("predict", model, "new.csv", "--keep", "idd")
    assert "--keep must name a column of 'new.csv'. Got 'idd'. Did you mean 'id'?" in output


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".json", ".parquet"])
@pytest.mark.parametrize("value", [1.5, 7, True, "x"])
def test_kept_columns_may_begin_with_batches_of_nothing(model, ending, value):
    """A column is of the type of its first value, however late that comes."""
    pytest.importorskip("pyarrow")
    rows = table().drop(columns="y").to_dict("records")
    for place, row in enumerate(rows):
        row["late"], row["never"] = (None if place < 200 else value), None
    Path("t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    run("predict", model, "t.jsonl", "--keep", "late", "--keep", "never", "-o", f"p{ending}")
    frame = read_table(f"p{ending}")
    assert frame["late"].isna().sum() == 200 and frame["never"].isna().all()
    assert set(frame["late"].dropna()) == {value}
    assert len(frame) == ROWS


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".json", ".parquet"])
def test_kept_columns_of_every_type_have_gaps_and_dates(model, ending):
    pytest.importorskip("pyarrow")
    frame = table().drop(columns="y")
    days = pd.Series(pd.date_range("2024-01-01", periods=ROWS, freq="h"))
    frame["when"] = days.where(days.index != 3)
    frame["day"] = days.dt.date
    frame["count"] = pd.Series(range(ROWS), dtype="Int64").where(days.index != 3)
    frame["word"] = pd.Series(["x"] * ROWS, dtype="string").where(days.index != 3)
    frame["sure"] = pd.Series([True] * ROWS, dtype="boolean").where(days.index != 3)
    frame.to_parquet("t.parquet")
    names = ["when", "day", "count", "word", "sure"]
    keep = [part for name in names for part in ("--keep", name)]
    run("predict", model, "t.parquet", *keep, "-o", f"p{ending}")
    found = read_table(f"p{ending}")
    assert found[names].isna().sum(axis=1).tolist() == [0, 0, 0, 4] + [0] * (ROWS - 4)
    if ending != ".parquet":
        assert found["when"][5] == "2024-01-01T05:00:00" and found["day"][399] == "2024-01-17"
    assert found["count"][5] == 5 and found["word"][5] == "x" and found["sure"][5] == True  # noqa: E712


def test_every_ending_is_written_and_holds_the_same(model):
    wanted = pd.read_csv(io.StringIO(run("predict", model, "t.csv", "--probabilities")))
    for ending in (*FORMATS, *(f"{e}.gz" for e in FORMATS if e != ".parquet"), ".CSV", ".JSONL"):
        if ending == ".parquet":
            pytest.importorskip("pyarrow")
        place = f"p{ending}"
        output = run("predict", model, "t.csv", "--probabilities", "--output", place)
        assert output == f"400 predictions saved in {place}.\n"
        assert read_table(place).equals(wanted), ending
    content = json.loads(Path("p.json").read_text())
    assert list(content) == ["model", "predictions", "rows"] and content["rows"] == ROWS
    assert list(content["predictions"][0]) == ["y", "y=no", "y=yes"]
    assert "\t" in Path("p.tsv").read_text() and "," not in Path("p.tsv").read_text()
    packed = Path("p.csv.gz").read_bytes()
    run("predict", model, "t.csv", "--probabilities", "-o", "again.csv.gz")
    assert Path("again.csv.gz").read_bytes() == packed  # no name and no time in it


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("p.xlsx", "must end in .csv, .tsv, .json, .jsonl or .parquet"),
        ("p", "must end in .csv, .tsv, .json, .jsonl or .parquet"),
        ("p.gz", "must end in .csv, .tsv"),
        ("p.parquet.gz", "must end in .csv, .tsv"),
        ("p.csv.zip", "must end in .csv, .tsv"),
        ("", "must be the name of a file, or - for standard output. Got ''."),
        ("x" * 300 + ".csv", "must be a name of at most 255 bytes. Got one of 304."),
    ],
)
def test_other_outputs_are_refused_before_anything_is_read(output, words):
    assert f"--output {words}" in fails("predict", "no-model", "no-data", "-o", output)


def test_standard_input_and_output(model):
    text = Path("t.csv").read_bytes()
    wanted = run("predict", model, "t.csv")
    assert run("predict", model, "-", stdin=text) == wanted
    assert run("predict", model, "-", "-o", "-", stdin=gzip.compress(text)) == wanted
    frame = table()
    frame.loc[333, "a"] = np.inf
    output = fails("predict", model, "-", stdin=frame.to_csv(index=False).encode())
    assert "Got inf in row 334 below the header of standard input" in output


def test_json_is_one_object_and_nothing_else(model):
    done = invoke("predict", model, "t.csv", "--json", "--keep", "id")
    content = json.loads(done.stdout)
    assert list(content) == ["model", "predictions", "rows"]
    assert content["model"] == str(model) and content["rows"] == len(content["predictions"]) == 400
    assert content["predictions"][7].keys() == {"id", "y"}
    assert content["predictions"][7]["id"] == "00007"
    done = invoke("predict", model, "t.csv", "--json", "-o", "p.jsonl")
    told = {"model": str(model), "output": "p.jsonl", "rows": 400, "unanswered": 0}
    assert json.loads(done.stdout) == told


@pytest.mark.filterwarnings("always")
def test_an_encoding_is_used_found_or_refused(model):
    text = table().assign(city="Zürich").to_csv(index=False)
    Path("t.csv").write_bytes(text.encode("cp1252"))
    assert "read as Windows-1252" in invoke("predict", model, "t.csv").stderr
    assert "read as" not in invoke("predict", model, "t.csv", "--encoding", "cp1252").stderr
    output = fails("predict", model, "t.csv", "--encoding", "cp125")
    assert "must be the name of an encoding of text. Got 'cp125'. Did you mean 'cp1" in output


def test_several_targets_and_regressions_honour_the_endings(tmp_path):
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rng.normal(size=(80, 4)), columns=["a", "b", "u", "v"])
    frame.to_csv("n.csv", index=False)
    run("fit", "n.csv", "-t", "u", "-t", "v", "-o", "m2", "-q", "--set", "max_epochs=2")
    wanted = pellucid.load("m2").predict(frame[["a", "b"]])
    for ending in (".csv", ".json", ".jsonl", ".parquet"):
        run("predict", "m2", "n.csv", "-o", f"p{ending}")
        found = read_table(f"p{ending}")
        assert list(found.columns) == ["u", "v"]
        np.testing.assert_array_equal(found.to_numpy().astype(wanted.dtype), wanted)


def test_forecasts_and_sequences_honour_the_endings_and_keep_nothing():
    day = [f"2024-01-{i + 1:02}" for i in range(30)] * 2
    frame = pd.DataFrame({"day": day, "shop": ["A"] * 30 + ["B"] * 30, "v": range(60)})
    frame["y"] = np.where(frame.shop == "A", "one", "two")
    frame.to_csv("s.csv", index=False)
    short = ["-q", "--set", "max_epochs=1", "--set", "hidden_dim=4", "--network", "rnn"]
    series = ["--steps", "5", "--time", "day", "--group", "shop", "--test-fraction", "0"]
    run("fit", "s.csv", "-t", "v", "--drop", "y", *series, *short, "-o", "series")
    run("predict", "series", "s.csv", "-o", "f.json")
    assert len(json.loads(Path("f.json").read_text())["predictions"]) == 2
    run("fit", "s.csv", "-t", "y", "--group", "shop", "--time", "day", *short, "-o", "set",
        "--test-fraction", "0")  # fmt: skip
    run("predict", "set", "s.csv", "-o", "g.jsonl")
    assert [json.loads(row)["shop"] for row in Path("g.jsonl").read_text().splitlines()] == [
        "A",
        "B",
    ]
    for model in ("series", "set"):
        output = fails("predict", model, "s.csv", "--keep", "day")
        assert "--keep needs a prediction for each row of a table: " in output


def test_a_bar_is_drawn_on_a_terminal_alone(model, monkeypatch):
    import sys

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    application.main(["predict", str(model), "t.csv", "-o", "p.csv"], standalone_mode=False)
    assert "400" in shown.getvalue() and "rows" in shown.getvalue()
    assert invoke("predict", model, "t.csv").stderr == ""


def test_warnings_are_put_together_also_where_the_block_fails():
    def cell(count):
        return CellWarning(Cells("a", "number", count, 10, ("?",), "row 3"))

    with pytest.warns(UserWarning) as caught, pytest.raises(KeyError):  # noqa: PT012
        with collected_warnings():
            for count in (1, 2, 3):
                warnings.warn(cell(count), stacklevel=1)
                warnings.warn("said again", stacklevel=1)
            raise KeyError("a")
    assert [str(w.message) for w in caught] == [str(cell(1) + cell(2) + cell(3)), "said again"]
    assert "6 of 30 cells" in str(caught[0].message)


def test_values_in_files_are_the_shortest_that_give_them_back():
    columns = {"x": np.array([0.1, 1e-9], np.float32), "t": [None, "a\udcff"], "n": np.arange(2)}
    assert list(records(columns))[0] == {"x": 0.1, "t": None, "n": 0}
    days = {"d": [date(2024, 2, 17), pd.NaT], "t": [datetime(2024, 2, 17, 10, 30), pd.NA]}
    texts = {"d": "2024-02-17", "t": "2024-02-17T10:30:00"}
    assert list(records(days)) == [texts, {"d": None, "t": None}]  # as Excel has them
    file = io.BytesIO()
    with writer(file, ".csv", "m") as written:
        written.write(columns)
        written.write(columns)
    assert file.getvalue() == b"x,t,n\n0.1,,0\n1e-09,a\xff,1\n0.1,,0\n1e-09,a\xff,1\n"
    assert format_of("a.JSON.GZ") == ".json.gz"
