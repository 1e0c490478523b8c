"""Columns of a CSV: plain numbers, and text as it stands in the file, with each library."""

import math
import warnings

import narwhals as nw
import numpy as np
import pytest

from pellucid.data import csv_files, read_batches, read_table
from pellucid.data.csv_files import CsvFile

ENGINES = ["pandas", "polars", "pyarrow"]
FAR = 40_000  # rows: the last ones stand far behind the first block that is read


def columns(frame):
    """A table as lists: numbers as floats, None where a value is missing."""
    table = nw.from_native(frame, eager_only=True)

    def plain(cell):
        if isinstance(cell, (int, float)) and not isinstance(cell, bool):
            return None if math.isnan(cell) else float(cell)
        return None if cell is None or cell != cell else cell

    return {name: [plain(cell) for cell in table[name].to_list()] for name in table.columns}


def file_of(folder, content, name="t.csv"):
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(folder, content, engine, name="t.csv", **options):
    pytest.importorskip(engine)
    return columns(read_table(file_of(folder, content, name), engine, **options))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        ("1 2 3", True),
        ("-1.5 +2 .5 3.", True),
        ("1e5 2E-3 inf", True),
        ("-inf Infinity 1", True),
        ("1 NA 2.5", True),
        ("0 0.5 -0.25 00", False),
        ("0 0.5 -0.25 0", True),
        ("007 012", False),
        ("-07 12", False),
        ("1.50 x", False),
        ("3,5 2,25", False),
        ("1,234 950", False),
        ("12% 13%", False),
        ("1_000 2", False),
        ("0x10 1", False),
        ("٣ 1", False),
        ("1.2.3 1", False),
        ("2024-02-17 2024-03-01", False),
        ("12:30 13:00", False),
        ("12:30:00 13:00:05", False),
        ("17.02.2024 01.03.2024", False),
        ("NAN 1", False),
        ("1 ?", False),
        ("True 1", False),
        ("950 27.317 54.525", False),
        ("950.000 27.317 54.525", True),
        ("12345 27.317 54.525", True),
        ("1 0.317 0.525", True),
        ("1 2.5 0.525", True),
        ("9" * 30 + " 1", True),
        ("9" * 19 + " 1", True),
        ("9" * 19 + " NA 1", True),
        ("9223372036854775808 NA 1", True),
    ],
)
def test_a_column_is_numbers_only_if_each_cell_is_a_plain_one(tmp_path, engine, cells, numbers):
    cells = cells.split()
    content = "k;v\n" + "".join(f"a;{cell}\n" for cell in cells)
    values = read(tmp_path, content, engine)["v"]
    there = [cell for cell in cells if cell != "NA"]
    assert [v for v in values if v is not None] == ([float(c) for c in there] if numbers else there)
    assert len(values) == len(cells)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("odd", ["3,5", "?", "007", "1.234.567", "2024-02-17", "x"])
@pytest.mark.parametrize("usual", ["36", "1.50", "2024-01-01"])
def test_what_stands_far_down_keeps_the_text_of_all(tmp_path, engine, usual, odd):
    """Libraries read a block at a time: 1.50 was 1.5 in those before the first text."""
    values = read(tmp_path, "v;y\n" + f"{usual};a\n" * FAR + f"{odd};b\n", engine)["v"]
    assert values[0] == usual and values[-1] == odd and set(values) == {usual, odd}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("words", [("True", "False"), ("true", "false"), ("TRUE", "FALSE")])
def test_truth_values(tmp_path, engine, words):
    yes, no = words
    content = f"a,b\n{yes},1\n{no},2\n,3\n"
    assert read(tmp_path, content, engine)["a"] == [True, False, None]
    content = "a,b\n" + ",1\n" * 200 + f"{yes},1\n"  # where a column looks empty for long
    assert read(tmp_path, content, engine)["a"] == [None] * 200 + [True]
    content = f"a,b\n{yes},1\n{no},2\n"
    assert read(tmp_path, content, engine)["a"] == [True, False]
    assert read(tmp_path, content, engine, text=["a"])["a"] == [yes, no]


@pytest.mark.parametrize("engine", ENGINES)
def test_missing_words_are_the_same_everywhere(tmp_path, engine):
    words = ["", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NULL", "null", "None", "<NA>"]
    content = "a,b,c\n" + "".join(f"{word},{word},x\n" for word in words) + "1,p,y\n"
    table = read(tmp_path, content, engine)
    assert table["a"] == [None] * len(words) + [1.0]
    assert table["b"] == [None] * len(words) + ["p"]
    table = read(tmp_path, "a,b\n-nan,1\nNone.,2\nna,3\n", engine)
    assert table["a"] == ["-nan", "None.", "na"]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("far", [0, 2000])
def test_missing_words_beside_the_largest_integers_are_missing_too(tmp_path, engine, far):
    """pandas gives up a column of 64 bits without a sign, and leaves its words as text."""
    cells = ["5", "18446744073709551615", "NA", "123456789012345678901", "A1"] + ["x", "NULL"] * far
    wanted = [None if cell in ("NA", "NULL") else cell for cell in cells]
    assert read(tmp_path, "v,k\n" + "".join(f"{c},k\n" for c in cells), engine)["v"] == wanted
    parts = [columns(part)["v"] for part in read_batches(tmp_path / "t.csv", 1000, engine)]
    assert sum(parts, []) == wanted


@pytest.mark.parametrize("engine", ENGINES)
def test_columns_known_as_text_are_never_numbers(tmp_path, engine):
    content = "code,x\n007,1.50\n012,2.25\n"
    assert read(tmp_path, content, engine, text=["code", "x", "other"]) == {
        "code": ["007", "012"],
        "x": ["1.50", "2.25"],
    }
    assert read(tmp_path, "a,x\n1,1.50\n2,2.25\n", engine, text={"x"})["x"] == ["1.50", "2.25"]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "content",
    [
        '"a, b, c";t\n1;2\n',
        "\na, b, c;t\n1;2\n",
        "a, b, c\tt\n1\t2\n",
        "a, b, c|t\n1|2\n",
        "a, b, c^t\n1^2\n",
        "a, b, c~t\n1~2\n",
        '"a, b, c",t\n1,2\n',
        '"a, b, c":t\n1:2\n',
        '"a, b, c"   t\n 1    2  \n',
        'sep=;\n"a, b, c";t\n1;2\n',
        '"sep=#"\r\na, b, c#t\r\n1#2\r\n',
        "a, b, c;t;\n1;2;\n",
        "a, b, c;t\n1;2;\n",
        "  a, b, c ; t \n1;2\n",
        "a, b, c;t\r1;2\r",
        "a, b, c;t\r\n1;2\r\n;\r\n\r\n",
        "a, b, c;t\n1;2\n;\n;\n",
        "\n\na, b, c;t\n\n1;2\n\n\n",
        "\ufeffa, b, c;t\n1;2",
    ],
)
def test_layouts_that_are_the_same_table(tmp_path, engine, content):
    for name in ("t.csv", "t.tsv", "t.txt", "t.dat", "t"):
        assert read(tmp_path, content, engine, name) == {"a, b, c": [1.0], "t": [2.0]}


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ("name;note\nA;hello, you\nB;hi, all, of you\n", ["name", "note"]),
        ("when,n\n2024-01-01 10:00:00,1\n2024-01-02 11:00:00,2\n", ["when", "n"]),
        ("first name,last name,home town\nA b,c d,e f\n", ["first name", "last name", "home town"]),
        ('q,r\n"a;b;c",1\n"d;e;f",2\n', ["q", "r"]),
        ("full name\nAnna Smith\nBen Jones\n", ["full name"]),
        ("time\n10:30\n11:45\n", ["time"]),
        ("name, first\tage\nSmith, A\t3\nJones, B\t4\n", ["name, first", "age"]),
        ("a;b\n1,5;2,5\n1,5;2,5\n", ["a", "b"]),
        ("a,b\n", None),
        (",x\n0,1\n1,2\n", ["Unnamed: 0", "x"]),
        ("x, ,y\n0,1,2\n1,2,3\n", ["x", "Unnamed: 1", "y"]),
    ],
)
def test_the_separator_is_the_one_that_fits_most_rows(tmp_path, content, names):
    if names is None:
        with pytest.raises(ValueError, match="must have at least one row below its header"):
            read(tmp_path, content, "pandas")
    else:
        assert list(read(tmp_path, content, "pandas")) == names


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("far", [0, FAR])
def test_short_rows_are_filled_and_counted_once(tmp_path, engine, far):
    content = "a,b,c\n" + "1,x,2\n" * far + "1,x\n2\n3,y,4\n"
    match = rf"^t\.csv: 2 rows are shorter than the header, the first in line {far + 2}\. The "
    with pytest.warns(UserWarning, match=match) as caught:
        table = read(tmp_path, content, engine)
    assert len(caught) == 1
    assert table["b"][far:] == ["x", None, "y"] and table["c"][far:] == [None, None, 4.0]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("a,b\n1,2,3\n1,2\n", "line 2 has 3 values, and the header has 2 names"),
        ("a,b\n1,2,3\n1,2,3\n", "line 2 has 3 values, and the header has 2 names"),
        ("a,b\n1,2,\n1,2,3\n", "line 2 has 3 values, and the header has 2 names"),
        ("a,b,\n1,2,\n1,2,3,4\n", "line 3 has 4 values, and the header has 3 names"),
        ("a,b\n1,2\n1,2,\n", "line 3 has 3 values, and the header has 2 names"),
        ('a,b\n"1\n\n2",2\n1,2,3\n', "line 5 has 3 values, and the header has 2 names"),
        ("\n\na,b\n\n1,2\n1,2,3\n", "line 6 has 3 values, and the header has 2 names"),
        ("sep=;\na;b\n1;2;3\n", "line 3 has 3 values, and the header has 2 names"),
        ("Report 2024\na,b\n1,2\n3,4\n", "must begin with its column names. Got 'Report 2024'"),
        ("By me\n\na;b;c\n1;2;3\n", "must begin with its column names. Got 'By me' above"),
        ("v\n1,2\n3\nx\n", "line 2 has 2 values, and the header has 1 name. Quote cells that ho"),
        ("name\nDoe, J\nRoe, K\n", "Remove what stands above the names, or quote cells that hold"),
        ("Report,,\na,b,c\n1,2,3\n", "must begin with its column names. Got 'Report' above a"),
        ("a, a\n1,2\n", "must have different column names. Got 'a' twice."),
        ("a,b\n,\n,\n", "must have at least one row below its header. Got none."),
        ('a,b\n1,"2\n' + "1,2\n" * 9, "a quote is opened and never closed"),
    ],
)
def test_faults_are_told_with_their_line(tmp_path, engine, content, match):
    with pytest.raises(ValueError) as caught:
        read(tmp_path, content, engine)
    assert match in str(caught.value) and str(caught.value).startswith("t.csv ")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ('a,b\n"x",1\n\n"y",2\n   \n"z",3\n', 3),
        ('a\n"x"\n\n"y"\n', 2),
        ("a\n1\n\n2\n", 2),
        ("a\n1\nNA\n2\n", 3),
        ("a,b\n1,x\n,\n2,y\n", 3),
        ("a,b\n1,x\n,\n,\n", 1),
    ],
)
def test_empty_lines_are_no_rows(tmp_path, engine, content, rows):
    assert {len(cells) for cells in read(tmp_path, content, engine).values()} == {rows}
    batches = read_batches(tmp_path / "t.csv", 2, engine)
    assert sum(len(part) for part in batches) == rows


def test_cells_of_any_length_and_any_quotes(tmp_path):
    long = "x" * 200_000
    content = f'a,b\n"{long}",01\n5" pipe,2\n"say ""hi""\nthere",3\n'
    for engine in ENGINES:
        table = read(tmp_path, content, engine)
        assert table["a"] == [long, '5" pipe', 'say "hi"\nthere'] and table["b"] == ["01", "2", "3"]


def test_clean_files_are_read_once_and_at_full_speed(tmp_path, monkeypatch):
    """Zeros before digits are seen in any place where a cell begins, and nowhere else."""

    def refuse(*_):
        raise AssertionError("read cell by cell")

    for slow in ("_kinds", "_kinds_by_text"):
        monkeypatch.setattr(CsvFile, slow, refuse)
    clean = "d,t,x,n\n2024-01-02 05:00,07:05:00,-0.05,100\n01.02.2024,x-05 00,1.005,0\n"
    for content in (clean, clean.replace(",", ";"), clean.replace("\n", "\r\n")):
        for engine in ENGINES:
            for name in ("t.csv", "t.csv.gz"):  # whatever the ending promises
                assert read(tmp_path, content, engine, name)["n"] == [100.0, 0.0]
    for cell in ("00", "-01", "+01", " 01", "007.50", "01e5"):
        for row in (f"{cell},1\n", f"1,{cell}\n", f"1,{cell}", f"{cell},{cell}"):
            for engine in ENGINES:  # what begins with a zero is text in its column alone
                wanted = [c if "0" in c else 1.0 for c in row.strip("\n").split(",")]
                for end in ("\n", "\r\n"):
                    table = read(tmp_path, "a,b" + end + row.replace("\n", end), engine)
                    assert [table["a"][0], table["b"][0]] == wanted
    with pytest.raises(ValueError, match="damaged"):
        read(tmp_path, 'a,b\n"01",1\n', "pandas")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("long", [0, 10, 70_000])
@pytest.mark.parametrize("quote", ["", '"'])
def test_text_is_read_as_it_stands_in_every_way(tmp_path, engine, long, quote, monkeypatch):
    """By a library, by a library as text, and cell by cell a table is the same."""
    rows = [f"{'x' * long},True,,9,1.50,A,950", "y,,,007,2.25,?,27.317", "NA,False,,10,NA,NULL,1e5"]
    content = "t,b,e,z,n,w,k\n" + "".join(
        row.replace(",A,", f",{quote}A{quote},") + "\n" for row in rows
    )
    path = file_of(tmp_path, content)
    tables = [columns(read_table(path, engine))]
    tables.append(
        {n: sum((columns(p)[n] for p in read_batches(path, 1, engine)), []) for n in tables[0]}
    )
    for fast in ("_read_at_once", "_kinds_by_text"):
        monkeypatch.setattr(CsvFile, fast, lambda *_: None)
        tables.append(columns(read_table(path, engine)))
    assert tables[0] == {
        "t": ["x" * long or None, "y", None],
        "b": [True, None, False],
        "e": [None] * 3,
        "z": ["9", "007", "10"],
        "n": [1.5, 2.25, None],
        "w": ["A", "?", None],
        "k": [950.0, 27.317, 1e5],
    }
    assert all(table == tables[0] for table in tables)


@pytest.mark.parametrize("place", range(-12, 3))
def test_zeros_are_seen_across_blocks(tmp_path, place):
    """The first cell with a zero begins at each place around the end of a block of 64 KB."""
    before = "1,2\n" * 16_000
    filler = "1" * ((1 << 16) + place - len(before) - 3) + ",2\n"
    table = read(tmp_path, f"a,b\n{before}{filler}007,012\n", "pandas", text=["x"])
    assert table["a"][-1] == "007" and table["b"][-1] == "012"


@pytest.mark.parametrize("engine", ENGINES)
def test_numbers_are_the_nearest_float_in_every_way_of_reading(tmp_path, engine):
    values = [repr(float(v)) for v in np.random.default_rng(0).normal(size=300) * 1e3]
    for first in ("x,1\n", "x,01\n"):  # at once, and cell by cell
        content = "t,k,v\n" + "".join(f"{first[:-1]},{value}\n" for value in values)
        assert read(tmp_path, content, engine)["v"] == [float(value) for value in values]


@pytest.mark.parametrize("engine", ENGINES)
def test_batches_are_parts_of_the_whole(tmp_path, engine):
    pytest.importorskip(engine)
    lines = [f"{i},{i / 7},{'NA' if i % 5 else i},c{i % 3},{i % 2 == 0}\n" for i in range(1000)]
    for last in ("1,2,3,c,True\n", "?,2,3,c,True\n", "1,02,3,,\n"):
        path = file_of(tmp_path, "a,b,c,d,e\n" + "".join(lines) + last)
        whole, parts = columns(read_table(path, engine)), list(read_batches(path, 128, engine))
        assert [len(part) for part in parts] == [128] * 7 + [105]
        joined = [columns(part) for part in parts]
        assert whole == {name: sum((part[name] for part in joined), []) for name in whole}


@pytest.mark.parametrize("size", [1, 20, 50, 1000])
@pytest.mark.parametrize("stray", ["x", '5"', 'a""b'])
def test_a_quoted_cell_is_in_one_batch_with_its_row(tmp_path, monkeypatch, size, stray):
    monkeypatch.setattr(csv_files, "_BLOCK", size)
    rows = ['"one\ntwo, three",1,x\n', f"{stray},2,y\n", '"say ""hi""\n\n",3,"z"\n']
    path = file_of(tmp_path, "a,b,c\n" + "".join(rows * 20))
    whole = columns(read_table(path))
    joined = [columns(part) for part in read_batches(path, 7)]
    assert whole == {name: sum((part[name] for part in joined), []) for name in whole}
    assert whole["b"] == [1.0, 2.0, 3.0] * 20 and whole["a"][0] == "one\ntwo, three"


def test_quotes_far_apart_are_looked_for_once(tmp_path, monkeypatch):
    """Two inch marks took the square of the bytes between them, all of which were held."""
    monkeypatch.setattr(csv_files, "_BLOCK", 100)
    rows = ['5" pipe,1\n', *["pipe,2\n"] * 500, '6" pipe,3\n', *["pipe,4\n"] * 50]
    path = file_of(tmp_path, "a,b\n" + "".join(rows))
    whole, count, seen = columns(read_table(path, "pandas")), csv_files._quotes, []
    monkeypatch.setattr(csv_files, "_quotes", lambda block: seen.append(len(block)) or count(block))
    looked = []
    for longest in (1 << 20, 1000):
        monkeypatch.setattr(csv_files, "_LONGEST_BLOCK", longest)
        joined = [columns(part) for part in read_batches(path, 7, "pandas")]
        assert whole == {name: sum((part[name] for part in joined), []) for name in whole}
        looked.append(sum(seen))
        seen.clear()
    twice, some = looked
    assert twice <= 4 * path.stat().st_size and some < 3000


def test_batches_warn_once_and_before_the_first(tmp_path):
    path = file_of(tmp_path, "a,b\n" + "1,2\n1\n" * 100)
    with pytest.warns(UserWarning, match="100 rows are shorter") as caught:
        batches = read_batches(path, 10)
        next(batches)
    assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(list(batches)) == 19


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("content", "names"),
    [
        ('"a","y"\n"A",0.5,"x"\n"B",0.7,"z"\n', ["A", "B"]),
        ('"a" "y"\n"A" 0.5 "x"\n"B" 0.7 "z"\n', ["A", "B"]),
        ('"a","y"\n"3",0.5,"x"\n"1",0.7,"z"\n', [3.0, 1.0]),
        ('"a","y"\n\n"A",0.5,"x"\n\n"B",0.7,"z"\n', ["A", "B"]),
        ('"a","y"\n"A",0.5,"x"\n"B\nC",0.7,"z"\n', ["A", "B\nC"]),
        ("a;y\n1;0.5;x\n2;0.7;z\n", [1.0, 2.0]),
        ("a y\n1 0.5 x\n2 0.7 z\n", [1.0, 2.0]),
        ("   a  y\n0 0.5  x\n1 0.7  z\n", [0.0, 1.0]),  # as pandas prints it
    ],
)
def test_names_of_rows_that_have_no_name_themselves(tmp_path, engine, content, names):
    """R writes a header that is one name shorter than the rows."""
    with pytest.warns(UserWarning, match=r"^t\.csv: each row has one value more than the header"):
        table = read(tmp_path, content, engine)
    assert table == {"Unnamed: 0": names, "a": [0.5, 0.7], "y": ["x", "z"]}
    with pytest.warns(UserWarning, match="the first values are taken for the names of the rows"):
        assert [len(part) for part in read_batches(tmp_path / "t.csv", 10, engine)] == [2]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("first", ["2023-01-{:02}", "a{}", "{}5", "20{:02}"])
def test_commas_that_mark_decimals_do_not_move_the_columns(tmp_path, engine, first):
    """A date is no name of a row: ``2023-01-01,1,51,1`` is three values to who wrote it."""
    rows = "".join(f"{first.format(n + 1)},{n},{51 + n}\n" for n in range(9))
    with pytest.raises(ValueError, match=r"line 2 has \d values, and the header has \d names\. Qu"):
        read(tmp_path, "date,price\n" + rows, engine)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("header", ["", "mpg   hp     year   name\n", 'mpg hp year\t"name"\n'])
def test_blanks_between_numbers_and_a_tab_before_the_last_column(tmp_path, engine, header):
    """As the cars of the UCI repository are written, which have no header."""
    rows = [f'{18 + n}.0   {130 + n}.0      70\t"car no {n}"\n' for n in range(20)]
    rows[5] = '25.0   ?      71\t"ford, pinto"\n'
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        table = read(tmp_path, header + "".join(rows), engine)
    below = slice(0 if header else 1, None)
    if header:
        assert list(table) == ["mpg", "hp", "year", "name"]
    assert bool(header) != ("looks like values" in "".join(str(w.message) for w in caught))
    first, hp, year, name = table.values()
    assert first == [*map(float, range(18, 23)), 25.0, *map(float, range(24, 38))][below]
    assert hp[-1] == "149.0" and "?" in hp and set(year) == {70.0, 71.0}
    assert name == [*(f"car no {n}" for n in range(5)), "ford, pinto",
                    *(f"car no {n}" for n in range(6, 20))][below]  # fmt: skip


@pytest.mark.parametrize("engine", ENGINES)
def test_a_single_column_of_numbers_with_commas(tmp_path, engine):
    for cells in (["1,5", "2,5"], ["1,5", "2", "NA", "-3,25"], ["1,234", "1.234,5", "1,234,567"]):
        content = "v\n" + "\n".join(cells)
        wanted = [None if cell == "NA" else cell for cell in cells]
        assert read(tmp_path, content, engine) == {"v": wanted}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("content", "names", "count"),
    [
        ("# by me\n\na;b;c\n1;2;3\n", ["a", "b", "c"], 1),
        ("# made 2024, by me\r\n#\r\na,b\r\n1,2\r\n", ["a", "b"], 2),
        ("# a,b\n1,2\n3,4\n", ["# a", "b"], 0),  # as NumPy writes a header
        ("# by me\n# a,b\n1,2\n3,4\n", ["# a", "b"], 1),
        ("#,name\n1,x\n2,y\n", ["#", "name"], 0),
        ("#chrom\tid\nchr\tx\n", ["#chrom", "id"], 0),
    ],
)
def test_lines_of_comments_above_the_names_are_left_out(tmp_path, engine, content, names, count):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert list(read(tmp_path, content, engine)) == names
    said = [str(warning.message) for warning in caught]
    many = "1 line that begins" if count == 1 else f"{count} lines that begin"
    assert said == [f"t.csv: left out: {many} with '#' above the column names."] * (count > 0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ValueError, match=rf"line {content.count(chr(10)) + 1} has 4 values"):
            read(
                tmp_path,
                content + "1,2,3,4;5;6;7\n".replace(",", "\t" * ("\t" in content) or ","),
                engine,
            )


def test_several_readers_of_long_cells_at_a_time(tmp_path):
    """The csv module has one limit for a process: one reader's end must not lower another's."""
    long = "x" * 200_000
    path = file_of(tmp_path, f'a,b\n1,02\n"{long}",02\n')
    first, second = read_batches(path, 1), read_batches(path, 1)
    next(first), next(second)
    assert len(list(first)) == 1
    assert columns(next(second)) == {"a": [long], "b": ["02"]}


def test_a_column_without_a_name_beside_one_that_is_called_so(tmp_path):
    table = read(tmp_path, ",Unnamed: 0,a\n0,5,1\n1,6,2\n", "pandas")
    assert list(table) == ["Unnamed: 0.1", "Unnamed: 0", "a"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("1.5,2,x\n2.5,3,y\n", True),
        ("  1.0e+01   2.0e+01\n  3.0e+01   4.0e+01\n", True),
        ("2001,2002,y\n1,2,x\n", False),  # years
        ("0,1,2,y\n1,2,3,x\n", False),  # pixels
        ("v1.5,w,y\n1,2,x\n", False),
    ],
)
def test_a_first_line_of_values_is_said(tmp_path, content, said):
    path = file_of(tmp_path, content)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        read_table(path)
    texts = [str(warning.message) for warning in caught]
    assert bool(texts) == said
    assert not said or "taken for the column names, looks like values, such as '1." in texts[0]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "content",
    [
        "c0,c1,c2\n27.317,TRUE,25\n27.317,TRUE,+4\n1,false,+4\n+4,TRUE,1\n",
        "a,b\n1 ,5\n2, 6\n",
        "a,b,c\n+1,+1.5,NA\n 2,2.5 ,True\nNA,,False\n",
    ],
)
def test_a_number_that_a_library_does_not_read_is_read_in_batches_too(tmp_path, engine, content):
    """Its cell was said to have changed meanwhile; other blocks may be read by the library."""
    whole = read(tmp_path, content, engine)
    path = tmp_path / "t.csv"
    for rows in (1, 100):
        frames = [nw.from_native(f, eager_only=True) for f in read_batches(path, rows, engine)]
        assert columns(nw.concat(frames).to_native()) == whole


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("cells", ["x,True", "1,yes"])
def test_a_file_that_changes_between_its_batches_is_refused(tmp_path, engine, cells):
    pytest.importorskip(engine)
    path = file_of(tmp_path, "a,b\n1,True\n+2,False\n")
    batches = read_batches(path, 1, engine)
    path.write_text(f"a,b\n1,True\n{cells}\n")
    with pytest.raises(ValueError, match=r"^t\.csv cannot be read: it changed meanwhile\.$"):
        list(batches)
