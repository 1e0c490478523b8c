"""Tables from files: each library that can read them, and one sentence for each bad file."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import pellucid
from pellucid import memory
from pellucid.data import (
    TableEncoder,
    arrow_files,
    containers,
    csv_files,
    infer_task,
    read_table,
    readers,
    split_target,
)

TEXT = "species,mass,island\nAdelie,3750,Dream\nGentoo,NA,Biscoe\nAdelie,3800.5,\n"
ENGINES = ["pandas", "polars", "pyarrow"]


class FCNNClassifier:
    """Stands in for an estimator: errors name it."""


def written(folder, content, name="penguins.csv"):
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def parquet(folder):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet as pq

    table = pa.table({"species": ["Adelie", "Gentoo"], "mass": [3750.0, None]})
    pq.write_table(table, folder / "penguins.parquet")
    return folder / "penguins.parquet"


def refused(path, match, error=ValueError, **options):
    with pytest.raises(error, match=match) as caught:
        read_table(path, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("engine", [None, *ENGINES])
@pytest.mark.parametrize(
    ("name", "separator", "start"),
    [
        ("a.csv", ",", ""),
        ("a.CSV", ";", ""),
        ("a.csv", "\t", ""),
        ("a.tsv", "\t", ""),
        ("a.csv", ",", "\ufeff"),
    ],
)
def test_a_text_table(tmp_path, engine, name, separator, start):
    pytest.importorskip(engine or "pandas")
    path = written(tmp_path, start + TEXT.replace(",", separator), name)
    X, y = split_target(read_table(path, engine=engine), "species", name)
    encoder, estimator = TableEncoder(), FCNNClassifier()
    encoder.fit(estimator, X)
    assert encoder.output_names == [
        "mass",
        "mass missing",
        "island=Biscoe",
        "island=Dream",
        "island missing",
    ]
    assert infer_task(y, "species") == (
        "classification",
        "target 'species' is text with 2 values: classification",
    )


@pytest.mark.parametrize("engine", [None, *ENGINES])
def test_a_parquet_table(tmp_path, engine):
    pytest.importorskip(engine or "pandas")
    frame = read_table(str(parquet(tmp_path)), engine=engine)
    assert frame.shape == (2, 2)


@pytest.mark.parametrize("engine", ENGINES)
def test_several_targets_make_a_frame(tmp_path, engine):
    pytest.importorskip(engine)
    frame = read_table(written(tmp_path, "a,b,c\n1,2,x\n3,4,y\n"), engine=engine)
    X, y = split_target(frame, ["a", "b"])
    assert X.shape == (2, 1) and y.shape == (2, 2)


@pytest.mark.parametrize("engine", ENGINES)
def test_bad_text_files(tmp_path, engine):
    pytest.importorskip(engine)
    ragged = written(tmp_path, "a,b\n1,2\n1,2,3\n", "ragged.csv")
    refused(ragged, r"^ragged\.csv cannot be read as a CSV table: ", engine=engine)
    if engine == "pandas":
        longer = written(tmp_path, "a,b\n1,2,3\n1,2,3\n", "longer.csv")
        refused(longer, r"^longer\.csv cannot be read as a CSV table: ", engine=engine)
    refused(
        written(tmp_path, "a,b\n"),
        r"^penguins\.csv must have at least one row below its header",
        engine=engine,
    )


def test_files_that_are_no_tables(tmp_path):
    written(tmp_path, TEXT)
    refused(
        tmp_path / "penguin.csv",
        r"penguin\.csv does not exist\. Did you mean 'penguins\.csv'\?",
        FileNotFoundError,
    )
    refused(tmp_path / "x" / "y.csv", r"y\.csv does not exist\.$", FileNotFoundError)
    refused(tmp_path, r"must be a file\. Got a directory\.$", IsADirectoryError)
    refused(
        written(tmp_path, "", "empty.csv"), r"^empty\.csv must hold a table\. Got an empty file\.$"
    )
    refused(
        written(tmp_path, TEXT, "a.xlsx"),
        r"^a\.xlsx must be an Excel or OpenDocument file\. Got other content\.$",
    )
    refused(
        written(tmp_path, b"\x89PNG\0\0", "a.csv"), r"^a\.csv must hold a table\. Got a picture\.$"
    )
    refused(
        written(tmp_path, b"\x88PNG\0\0", "a.csv"),
        r"^a\.csv must be a CSV file\. Got binary content\.$",
    )
    refused(
        written(tmp_path, TEXT, "a.parquet"),
        r"^a\.parquet must be a Parquet file\. Got other content\.$",
    )
    refused(
        written(tmp_path, b"PAR1abcd", "b.parquet"),
        r"must be a whole Parquet file\. Got one that breaks off",
    )


@pytest.mark.parametrize("engine", ENGINES)
def test_a_damaged_parquet_file(tmp_path, engine):
    pytest.importorskip(engine)
    path = parquet(tmp_path)
    damaged = path.read_bytes()
    path.write_bytes(damaged[:4] + b"\xff" * (len(damaged) - 8) + damaged[-4:])
    refused(path, r"^penguins\.parquet cannot be read as a Parquet table: ", engine=engine)


def test_no_library_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    refused(
        written(tmp_path, TEXT),
        r'none is installed\. Run: pip install "pellucid\[tables\]"$',
        ImportError,
    )


def test_parquet_without_pyarrow_goes_to_polars(monkeypatch):
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "pyarrow" else name
    )
    source = containers.Source(Path("a"), "a", "parquet", "", None)
    assert readers._engine(source, None) == "polars"
    assert readers._engine(source._replace(kind="csv"), None) == "pandas"


@pytest.mark.parametrize("engine", ENGINES)
def test_targets_that_are_not_there(tmp_path, engine):
    pytest.importorskip(engine)
    frame = read_table(written(tmp_path, TEXT), engine=engine)
    with pytest.raises(
        ValueError, match=r"^column 'specis' is not in penguins\.csv\. Did you mean 'species'\?$"
    ):
        split_target(frame, "specis", "penguins.csv")
    match = r"^column 'mass' of penguins\.csv must have a value in every row\. "
    match += r"Got none in 1 row, first in row 1\."
    with pytest.raises(ValueError, match=match):
        split_target(frame, "mass", "penguins.csv")
    with pytest.raises(
        ValueError, match=r"^column 'island' of the table .* Got none in 1 row, first in row 2\."
    ):
        split_target(frame, ["species", "island"])
    with pytest.raises(
        ValueError, match=r"^the table must have a column besides the target\. Got only 'a'\.$"
    ):
        split_target(read_table(written(tmp_path, "a\n1\n"), engine=engine), "a")


def test_errors_about_a_target_name_it():
    with pytest.raises(ValueError, match="y of target 't' must be finite"):
        infer_task([1.0, float("inf")], "t")
    with pytest.raises(ValueError, match="target 't' must have at least one value"):
        infer_task([], "t")


# -- files that are hostile or odd ---------------------------------------------------------------

LONG = "3 values, and the header has 2 names. Quote cells that hold ','."
FAR = "a,b\n" + "1,2\n" * 40_000  # its end lies far behind the first block that is read


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("content", "match"),
    [
        (
            FAR.encode() + b"\xff,3\n",
            "must be UTF-8 text. Got byte 0xff at position 160004. Save it as UTF-8, or name its "
            "encoding.",
        ),
        (FAR.encode() + b"1,\0\n", "must be a CSV file. Got binary content."),
        (b"PK\x03\x04" + bytes(30), "cannot be unpacked: it is damaged, or breaks off."),
        (b"a,b\n1,2\n1,2,3\n", f"line 3 has {LONG}"),
        (b'a,b\n"1\n2",2\n1,2,3\n', f"line 4 has {LONG}"),
        (b'a,b\n1,2\n"1,2\n', "cannot be read as a CSV table: a quote is opened and never closed."),
        (b"\n\n\n", "cannot be read as a CSV table: it has no header."),
    ],
    ids=["byte", "null", "zip", "long", "long-after-quotes", "quote", "blank"],
)
def test_why_a_text_file_is_no_table_is_told_in_our_words(tmp_path, engine, content, match):
    # early versions of polars read a quote to the end of the file
    pytest.importorskip(
        engine, minversion="1.20" if "quote" in match and engine == "polars" else None
    )
    refused(written(tmp_path, content), f"^penguins.csv .*{re.escape(match)}$", engine=engine)


def test_a_character_may_lie_across_two_blocks(tmp_path):
    for start in range(4):
        text = "a,b\n" + "x" * start + "é," + "罗" * 40_000 + "\n"
        assert read_table(written(tmp_path, text)).shape == (1, 2)


@pytest.mark.parametrize("blank", ("\n", "\r\n", " ", " \n", "1", ";", '"'))
def test_the_separator_is_found_in_time_that_does_not_square(tmp_path, blank):
    """Sixty thousand blank lines once took minutes."""
    path = written(tmp_path, "a;b\n" + blank * 60_000 + "\n1;2\n")
    script = (
        "import sys, warnings; warnings.simplefilter('ignore')\n"
        "from pellucid.data import read_table; read_table(sys.argv[1])"
    )
    source = str(Path(pellucid.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], env={**os.environ, "PYTHONPATH": source},
        timeout=60, text=True, capture_output=True,
    )  # fmt: skip
    assert done.returncode == 0 or "BadTable" in done.stderr, done.stderr


def test_names_that_come_twice_are_refused(tmp_path):
    """pandas and polars give the second a name of its own; with pyarrow all that follows fails."""
    pytest.importorskip("pyarrow")
    match = r"^penguins\.csv must have different column names\. Got 'a' twice\.$"
    refused(written(tmp_path, "a,b,a\n1,2,3\n"), match, engine="pyarrow")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes in folders are POSIX's")
def test_a_pipe_and_a_device_are_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "null.csv").symlink_to("/dev/zero")
    for name in ("pipe.csv", "null.csv"):
        match = rf"^{name} must be a regular file\. Got a pipe or a device\. Save it as a file, or"
        refused(tmp_path / name, match)


def test_names_that_no_file_can_have(tmp_path):
    refused(
        tmp_path / ("x" * 300 + ".csv"), r"^'.*\.\.\. cannot be the name of a file: File name too"
    )
    refused(tmp_path / "a\0b.csv", r"cannot be the name of a file: embedded null byte\.$")


def test_names_that_cannot_be_printed_stay_on_one_line(tmp_path):
    for name, shown in (("a\nb.csv", r"a\\nb\.csv"), ("a\udcff.csv", r"a\\udcff\.csv")):
        refused(tmp_path / name, rf"{shown} does not exist\.$", FileNotFoundError)
        path = written(tmp_path, "a\n", name)
        refused(path, f"^{shown} must have at least one row below its header")
        path.unlink()


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    path = written(tmp_path, TEXT)

    def forbidden(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "open", forbidden)  # root may read all there is
    refused(path, r"^penguins\.csv may not be read\. Change its permissions", PermissionError)
    monkeypatch.setattr(type(path), "stat", forbidden)
    refused(path, r"penguins\.csv may not be read: its folder is closed\.$", PermissionError)


@pytest.mark.parametrize("name", ("penguins.csv", "penguins.parquet"))
def test_a_file_that_goes_while_it_is_read(tmp_path, monkeypatch, name):
    path = written(tmp_path, TEXT) if name.endswith("csv") else parquet(tmp_path)
    module, function = (csv_files, "find_layout"), (arrow_files, "check_parquet")
    module, function = module if name.endswith("csv") else function
    check = getattr(module, function)

    def check_and_go(*given):
        answer = check(*given)
        path.unlink()
        return answer

    monkeypatch.setattr(module, function, check_and_go)
    refused(path, rf"^{name} cannot be read as a .* table: it was removed meanwhile\.$")


def test_what_does_not_fit_in_memory_and_what_panics(tmp_path, monkeypatch):
    """polars raises what is no Exception when its Rust code panics."""
    path, panic = written(tmp_path, TEXT), type("PanicException", (BaseException,), {})

    def fail(error):
        def read(*_):
            raise error

        monkeypatch.setitem(csv_files.LIBRARIES, "pandas", read)
        monkeypatch.setattr(csv_files.CsvFile, "_kinds", read)

    fail(MemoryError("malloc of size 8 failed"))
    refused(path, r"^penguins\.csv cannot be read: it does not fit into memory\.$", MemoryError)
    fail(panic("called `Option::unwrap()` on a `None` value"))
    refused(path, r"a CSV table: it is damaged, or of a kind that pandas cannot read\.$")
    fail(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        read_table(path)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_target_must_be_finite(tmp_path, engine):
    pytest.importorskip(engine)
    frame = read_table(written(tmp_path, "a,y\n1,1.5\n2,inf\n3,2.5\n"), engine=engine)
    match = r"^column 'y' of t\.csv must be finite\. Got infinity in 1 row, first in row 1\. Remove"
    with pytest.raises(ValueError, match=match):
        split_target(frame, "y", "t.csv")


@pytest.mark.parametrize("engine", ("pandas", "pyarrow"))
def test_a_parquet_file_that_claims_more_rows_than_there_is_memory(tmp_path, engine, monkeypatch):
    """Its footer is believed: without a column one library counts to 2^40, and does not end."""
    pytest.importorskip("pyarrow")
    path = parquet(tmp_path)
    monkeypatch.setattr(memory, "memory_limit", lambda: 65e6)
    monkeypatch.setattr(memory, "_SMALL", 1)
    assert read_table(path, engine=engine).shape == (2, 2)
    monkeypatch.setattr(memory, "memory_limit", lambda: 30.0)
    match = (
        r"^penguins\.parquet, 2 rows of 2 columns, must fit into the memory of 30 bytes .* Got 32 "
    )
    refused(path, match, MemoryError, engine=engine)
