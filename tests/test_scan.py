"""Tables that are named and read part by part: files, folders, patterns, lists, lazy tables."""

import datetime
import os
import re
from decimal import Decimal

import pytest

import pellucid
from pellucid.data.scan import Scan

ENGINES = ["pandas", "polars", "pyarrow"]
pa = pytest.importorskip("pyarrow")


def table(count=50, first=0):
    rows = range(first, first + count)
    return pa.table(
        {
            "n": [None if row % 7 == 3 else row for row in rows],
            "x": [row / 3 for row in rows],
            "t": [f"0{row % 5}" for row in rows],
        }
    )


def written(path, content=None, **options):
    from pyarrow import csv, feather, parquet

    content = table() if content is None else content
    if path.suffix == ".csv":
        csv.write_csv(content, path, csv.WriteOptions(quoting_style="none"))
    elif path.suffix == ".jsonl":
        import json

        path.write_text("".join(json.dumps(row) + "\n" for row in content.to_pylist()))
    elif path.suffix == ".parquet":
        parquet.write_table(content, path, **options)
    else:
        feather.write_feather(content, path, chunksize=20)
    return path


def rows_of(frame):
    import narwhals as nw

    rows = nw.from_native(frame, eager_only=True).rows()
    return [[None if value != value else value for value in row] for row in rows]


def all_rows(scan, *options, **more):
    return sum(map(rows_of, scan.batches(*options, **more)), [])


def refused(match, source, error=ValueError, **options):
    with pytest.raises(error, match=match) as caught:
        list(pellucid.scan(source, **options).batches())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("engine", [None, *ENGINES])
@pytest.mark.parametrize("ending", ["parquet", "feather", "arrow", "csv", "jsonl"])
def test_a_table_of_any_file_in_batches_of_any_size(tmp_path, engine, ending):
    """Batches have just so many rows, whatever the file is made of."""
    pytest.importorskip(engine or "pyarrow")
    options = {"row_group_size": 20} if ending == "parquet" else {}
    scan = pellucid.scan(written(tmp_path / f"t.{ending}", **options))
    wanted = rows_of(table())
    for rows in (1, 7, 20, 33, 1000):
        batches = list(scan.batches(rows, engine=engine))
        assert [len(batch) for batch in batches] == [
            min(rows, 50 - start) for start in range(0, 50, rows)
        ]
        assert sum(map(rows_of, batches), []) == wanted
        assert type(batches[0]).__module__.partition(".")[0] == (engine or "pyarrow")
    assert scan.columns == ["n", "x", "t"] and scan.rows == 50
    some = all_rows(scan, 7, ["t", "n"], engine)
    assert some == [[row[2], row[0]] for row in wanted]


@pytest.mark.parametrize("ending", ["parquet", "feather", "csv", "jsonl"])
def test_files_one_after_the_other(tmp_path, ending):
    """A folder, a pattern and a list name the same files, in the order of their names."""
    folder = tmp_path / "data"
    (folder / "b").mkdir(parents=True)
    places = [folder / f"1.{ending}", folder / f"2.{ending}", folder / "b" / f"0.{ending}"]
    for first, place in enumerate(places):
        written(place, table(10, 10 * first))
    (folder / "_SUCCESS").write_text("")
    (folder / "notes.md").write_text("of the tables")
    wanted = rows_of(table(30))
    names = [str(folder), f"{folder}/**/*.{ending}", list(map(str, places))]
    for source in names:
        scan = pellucid.scan(source)
        assert scan.rows == 30
        assert sorted(all_rows(scan, 7), key=str) == sorted(wanted, key=str)
    assert all_rows(pellucid.scan(places)) == wanted
    kinds = {"parquet": "Parquet", "feather": "Feather or Arrow", "csv": "CSV"}
    assert repr(pellucid.scan(folder)) == (
        f"<scan of data/: 3 {kinds.get(ending, 'JSON Lines')} files>"
    )


def test_a_kind_is_one_in_all_files_of_text(tmp_path):
    """What is 7 in one file and 007 in the next is text in both, and gaps turn no kind."""
    a, b, c = (tmp_path / f"{name}.csv" for name in "abc")
    a.write_text("code,n,k,gap\n7,1,1.5,\n8,2,2.5,\n")
    b.write_text("n,code,k,gap\n3,007,7,\n,008,8,\n")
    c.write_text("n,code,k,gap\n5,9,NA,x\n6,10,NA,y\n")
    for engine in ENGINES:
        rows = all_rows(pellucid.scan([a, b, c]), engine=engine)
        assert rows == [
            ["7", 1, 1.5, None],
            ["8", 2, 2.5, None],
            ["007", 3, 7, None],
            ["008", None, 8, None],
            ["9", 5, None, "x"],
            ["10", 6, None, "y"],
        ]
    joined = tmp_path / "joined.csv"
    joined.write_text("n,v\n" + "1,950\n2,27.317\n" * 3)
    parts = [tmp_path / "p.csv", tmp_path / "q.csv"]
    parts[0].write_text("n,v\n" + "1,950\n" * 3)
    parts[1].write_text("n,v\n" + "2,27.317\n" * 3)
    texts = {row[1] for row in all_rows(pellucid.scan(joined))}
    assert texts == {row[1] for row in all_rows(pellucid.scan(parts))} == {"950", "27.317"}


def test_quoted_cells_and_columns_known_as_text(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('a,b\n"one, two",1.50\n"three\nfour",2\n')
    for engine in (None, *ENGINES):
        scan = pellucid.scan(path)
        assert all_rows(scan, engine=engine) == [["one, two", 1.5], ["three\nfour", 2.0]]
        rows = all_rows(scan, engine=engine, text=["b"])
        assert [row[1] for row in rows] == ["1.50", "2"] and scan.rows == 2


def test_the_rows_of_several_json_files_have_one_kind(tmp_path):
    a, b = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    a.write_text('{"n": 1, "t": 5}\n{"n": 2}\n')
    b.write_text('{"t": "x", "n": null}\n')
    assert all_rows(pellucid.scan([a, b])) == [[1, "5"], [2, None], [None, "x"]]


@pytest.mark.parametrize("ending", ["parquet", "feather", "csv", "jsonl", "csv.gz", "csv.zip"])
def test_a_scan_goes_to_other_processes(tmp_path, ending):
    import gzip
    import pickle
    import zipfile

    path = written(tmp_path / f"t.{ending.partition('.')[0]}")
    if ending.endswith("gz"):
        packed = tmp_path / "t.csv.gz"
        packed.write_bytes(gzip.compress(path.read_bytes()))
    elif ending.endswith("zip"):
        packed = tmp_path / "t.csv.zip"
        with zipfile.ZipFile(packed, "w") as archive:
            archive.write(path, "t.csv")
    scan = pellucid.scan(packed if "." in ending else path, memory="2GB")
    for _ in range(2):  # before it is looked through, and after
        other = pickle.loads(pickle.dumps(scan))
        assert all_rows(other) == all_rows(scan) and other.rows == 50
        assert other.fingerprint == scan.fingerprint and other.memory == 2_000_000_000


def test_dates_with_a_time_zone_are_others_than_those_without(tmp_path):
    day = datetime.datetime(2024, 5, 1, 12)
    for name, zone in (("a", None), ("b", "Asia/Shanghai"), ("c", "UTC")):
        content = pa.table({"d": pa.array([day], pa.timestamp("us", zone))})
        written(tmp_path / f"{name}.parquet", content)
    refused(
        r"^column 'd' of b\.parquet must be of dates, as in a\.parquet\. Got dates with a time",
        tmp_path,
    )
    assert pellucid.scan([tmp_path / "b.parquet", tmp_path / "c.parquet"]).rows == 2


def test_parquet_files_of_types_that_fit(tmp_path):
    """Of numbers of any size, dates of any unit, text of any coding, and columns of nothing."""
    date = datetime.date(2024, 5, 1)
    a = pa.table({"n": pa.array([1], pa.int8()), "t": ["x"], "d": [date], "e": pa.nulls(1)})
    b = pa.table(
        {
            "d": pa.array([None], pa.timestamp("ns")),
            "t": pa.array(["y"]).dictionary_encode(),
            "n": pa.array([2.5]),
            "e": pa.array(["z"]),
        }
    )
    paths = [written(tmp_path / "a.parquet", a), written(tmp_path / "b.parquet", b)]
    for engine in ENGINES:
        rows = all_rows(pellucid.scan(paths), engine=engine)
        assert [row[:2] for row in rows] == [[1, "x"], [2.5, "y"]]
        assert [row[3] for row in rows] == [None, "z"]


@pytest.mark.parametrize(
    ("other", "match"),
    [
        ({"n": [1]}, r"^b\.parquet must have column 't', as a\.parquet has it\. Known: n\.$"),
        ({"n": [1], "T": ["x"]}, r"must have column 't', as a\.parquet has it\. Did you mean 'T'"),
        (
            {"n": [1], "t": ["x"], "u": [1]},
            r"the columns that a\.parquet has\. Got column 'u'",
        ),
        (
            {"n": ["1"], "t": ["x"]},
            r"^column 'n' of b\.parquet must be of numbers, as in a\.parquet\. Got text\.$",
        ),
        ({"n": [1], "t": [True]}, r"must be of text, as in a\.parquet\. Got truth values\.$"),
    ],
)
def test_a_part_with_another_schema_is_refused_by_name(tmp_path, other, match):
    written(tmp_path / "a.parquet", pa.table({"n": [1.5], "t": ["x"]}))
    written(tmp_path / "b.parquet", pa.table(other))
    with pytest.raises(ValueError, match=match):
        pellucid.scan(tmp_path)
    for name, content in (("a", {"n": [1.5], "t": ["x"]}), ("b", other)):
        if "must be of" not in match:
            written(tmp_path / f"{name}.csv", pa.table(content))
    if "must be of" not in match:
        refused(match.replace("parquet", "csv"), f"{tmp_path}/*.csv")


def test_a_file_without_rows_among_others_is_passed_over_and_said(tmp_path):
    full = written(tmp_path / "a.parquet")
    empty = written(tmp_path / "b.parquet", table(0))
    scan = pellucid.scan([full, empty])
    assert scan.rows == 50 and len(all_rows(scan)) == 50
    assert scan.notes == ["b.parquet has no rows, and is passed over"]
    refused(r"^b\.parquet must have at least one row", empty)
    head, rows = tmp_path / "c.csv", written(tmp_path / "d.csv")
    head.write_text("t,n,x\n")
    refused(r"^c\.csv must have at least one row below its header", head)
    refused(r"^c\.csv must have at least one row below its header", [head, head])
    for files in ([head, rows], [rows, head], [rows, head, rows]):
        scan = pellucid.scan(files)
        count = 50 * (len(files) - 1 if files[0] == rows else 1)
        assert scan.rows == count == len(all_rows(scan)) and scan.columns == ["n", "x", "t"]
        assert scan.notes == ["c.csv has no rows, and is passed over"]
    head.write_text("t,n\n")
    refused(r"^c\.csv must have column 'x', as d\.csv has it", [rows, head])


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_data_that_change_are_told(tmp_path, ending):
    path = written(tmp_path / f"t.{ending}")
    scan = pellucid.scan(path)
    list(scan)
    before = scan.fingerprint
    assert pellucid.scan(path).fingerprint == before
    batches = scan.batches(10)
    next(batches)
    os.utime(path, ns=(1, 1))
    match = rf"^t\.{ending} must stay as it was while it is read\. It was changed meanwhile"
    with pytest.raises(ValueError, match=match):
        list(batches)
    with pytest.raises(ValueError, match=match):
        scan.check_unchanged()
    assert pellucid.scan(path).fingerprint != before
    path.unlink()
    with pytest.raises(ValueError, match="It was removed meanwhile"):
        scan.check_unchanged()


def test_the_fingerprint_tells_files_of_one_size_and_time_by_their_footer(tmp_path):
    marks = []
    for value in (1.25, 2.25):
        path = written(tmp_path / "t.parquet", pa.table({"n": [value] * 3}))
        os.utime(path, ns=(1, 1))
        marks.append((path.stat().st_size, pellucid.scan(path).fingerprint))
    assert marks[0][0] == marks[1][0] and marks[0][1] != marks[1][1]


def test_a_large_table_is_not_refused_for_the_memory(tmp_path, monkeypatch):
    from pellucid.data import arrow_files

    path = written(tmp_path / "t.parquet")

    def refuse(*_):
        raise MemoryError("too large")

    monkeypatch.setattr(arrow_files, "check_memory", refuse)
    assert len(all_rows(pellucid.scan(path))) == 50
    assert sum(map(len, pellucid.data.read_batches(path, 20))) == 50
    with pytest.raises(MemoryError):
        pellucid.data.read_table(path)


def test_where_the_cache_is(tmp_path):
    path = written(tmp_path / "t.parquet")
    assert pellucid.scan(path).cache_path == tmp_path / "t.parquet.cache"
    assert pellucid.scan([path, path]).cache_path == tmp_path / "t.parquet.cache"
    assert pellucid.scan(tmp_path).cache_path == tmp_path.with_name(f"{tmp_path.name}.cache")
    scan = pellucid.scan(path, memory="300MB", cache=tmp_path / "here")
    assert scan.cache_path == tmp_path / "here" and scan.memory == 300_000_000


def test_what_cannot_be_scanned(tmp_path):
    import gzip
    import zipfile

    path = written(tmp_path / "t.parquet")
    csv = written(tmp_path / "t.csv")
    packed = tmp_path / "p.parquet.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    with zipfile.ZipFile(tmp_path / "t.xlsx", "w") as archive:
        archive.writestr("xl/workbook.xml", "")
    hive = tmp_path / "hive" / "year=2024"
    hive.mkdir(parents=True)
    written(hive / "t.parquet")
    (tmp_path / "none").mkdir()
    refused(r"^p\.parquet\.gz must be unpacked to be read in parts", packed)
    refused(r"^t\.csv must be a Parquet file, as t\.parquet is\. Got CSV\. Name", [path, csv])
    refused(r"to be read in parts\. Got Excel", tmp_path / "t.xlsx")
    refused(r"Got the folder 'year=2024', whose name is a column\. Read it by", tmp_path / "hive")
    refused(r"^none/ must hold Parquet, Feather, CSV or JSON Lines files\. Got", tmp_path / "none")
    refused(r"^no file has a name like '.*\*\.pq'\.$", f"{tmp_path}/*.pq", FileNotFoundError)
    refused(r"lacking\.csv does not exist", tmp_path / "lacking.csv", FileNotFoundError)
    refused(r"^standard input cannot be scanned", "-")
    refused(r"^source of scan must be a file.* Got .*What is in memory is", table(), TypeError)
    refused(r"^source of scan must be a file, a folder.* Got 3\.$", 3, TypeError)
    refused(r"^source of scan must be a file.* Got \[\]", [], TypeError)
    refused(r"^memory of scan must be a number of bytes", path, memory="much")
    with pytest.raises(ValueError, match=r"column 'N' is not in t\.parquet\. Did you mean 'n'\?"):
        pellucid.scan(path).batches(columns=["N"])
    with pytest.raises(ValueError, match="rows of batches must be a positive integer"):
        pellucid.scan(path).batches(0)
    with pytest.raises(ValueError, match=r"^engine of batches must be one of .*Got 'arrow'\."):
        pellucid.scan(path).batches(engine="arrow")
    words = r"^cache of scan must be in a folder.*Got '.*none/of/it', and there is no '.*none/of'\."
    refused(words, path, FileNotFoundError, cache=tmp_path / "none/of/it")
    refused(
        r"^cache of scan must be the path of a file or a folder\. Got 3", path, TypeError, cache=3
    )
    damaged = path.read_bytes()
    (tmp_path / "d.parquet").write_bytes(damaged[:40] + b"\xff" * 60 + damaged[100:])
    refused(r"^d\.parquet cannot be read as a Parquet table", tmp_path / "d.parquet")


def test_a_scan_says_what_it_is(tmp_path):
    scan = pellucid.scan(written(tmp_path / "t.parquet"))
    assert isinstance(scan, Scan) and repr(scan) == "<scan of t.parquet: 1 Parquet file>"
    assert scan.name == "t.parquet" and scan.nbytes == (tmp_path / "t.parquet").stat().st_size
    assert re.fullmatch("[0-9a-f]{64}", scan.fingerprint)


def test_reading_takes_no_more_memory_the_longer_it_goes_on(tmp_path):
    """Also of a file that is one group of rows; pyarrow by itself keeps all that it has fetched."""
    import subprocess
    import sys

    import numpy as np

    if not os.path.exists("/proc/self/statm"):
        pytest.skip("this system does not tell the memory of a process")
    numbers = np.random.default_rng(0).random(8_000_000)
    small = written(tmp_path / "s.parquet")
    path = written(tmp_path / "t.parquet", pa.table({"x": numbers}), row_group_size=8_000_000)
    code = """if True:
        import os, sys, pellucid
        def size():
            return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGESIZE")
        list(pellucid.scan(sys.argv[1]))
        before = size()
        print((max(size() for _ in pellucid.scan(sys.argv[2])) - before) // 10**6)
    """
    command = [sys.executable, "-c", code, str(small), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert int(done.stdout) < 30 and path.stat().st_size > 60 * 10**6


DAY = datetime.datetime(2024, 5, 6)
WORDS = [pa.dictionary(pa.int8(), pa.string()), pa.dictionary(pa.int32(), pa.string())]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("value", "first", "second", "wanted"),
    [
        (1, pa.int64(), pa.float64(), pa.float64()),
        (1, pa.int32(), pa.int64(), pa.int64()),
        (1, pa.int64(), pa.null(), pa.int64()),
        (1, pa.float32(), pa.int16(), pa.float64()),
        ("a", pa.string(), pa.large_string(), pa.large_string()),
        ("a", WORDS[0], pa.string(), pa.large_string()),
        ("a", *WORDS, WORDS[1]),
        (DAY, pa.timestamp("ms"), pa.timestamp("us"), pa.timestamp("us")),
        (DAY, pa.date32(), pa.timestamp("us"), pa.timestamp("us")),
        (Decimal(1), pa.decimal128(10, 2), pa.decimal128(12, 3), pa.decimal128(12, 3)),
    ],
)
def test_a_column_is_of_one_type_in_all_files(tmp_path, engine, value, first, second, wanted):
    """Else batches of one scan cannot be put together."""
    import narwhals as nw

    pytest.importorskip(engine)
    for name, dtype in (("a", first), ("b", second)):
        column = pa.array([None if dtype == pa.null() else value, None], dtype)
        written(tmp_path / f"{name}.parquet", pa.table({"c": column, "n": [1, 2]}))
    scan = pellucid.scan(tmp_path)
    whole = nw.concat([nw.from_native(f, eager_only=True) for f in scan.batches(1, engine=engine)])
    assert len(whole) == 4 and whole["n"].to_list() == [1, 2, 1, 2]
    if engine == "pyarrow":
        assert whole.to_native().schema.field("c").type == wanted


def test_what_would_lose_digits_stays_as_it_is(tmp_path):
    """Whole numbers beyond 2**53 are no floats, and dates of the year 9999 have no nanoseconds."""
    never = datetime.datetime(9999, 12, 31)
    kinds = {"n": [pa.int64(), pa.float64()], "d": [pa.timestamp("us"), pa.timestamp("ns")]}
    cells = {"n": [2**53 + 1, 0.5], "d": [never, datetime.datetime(2024, 1, 1)]}
    for place, name in enumerate("ab"):
        content = {c: pa.array([cells[c][place]], kinds[c][place]) for c in kinds}
        written(tmp_path / f"{name}.parquet", pa.table(content))
    first, second = pellucid.scan(tmp_path).batches()
    assert first.to_pylist() == [{"n": 2**53 + 1, "d": never}]
    assert second.column("n").to_pylist() == [0.5]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_batch_without_a_value_has_the_types_of_others(tmp_path, engine):
    import narwhals as nw

    pytest.importorskip(engine)
    rows = [(1, 0.5, "a", True), (None,) * 4, (None,) * 4, (2, 1.5, "b", False)]
    names = ["n", "x", "t", "f"]
    content = [dict(zip(names, row, strict=True)) for row in rows]
    table = pa.Table.from_pylist(content, pa.schema(
        [("n", pa.int64()), ("x", pa.float64()), ("t", pa.string()), ("f", pa.bool_())]
    ))  # fmt: skip
    for ending in ("parquet", "jsonl", "csv"):
        scan = pellucid.scan(written(tmp_path / f"t.{ending}", table))
        frames = [nw.from_native(f, eager_only=True) for f in scan.batches(1, engine=engine)]
        assert len(nw.concat(frames)) == 4
        if engine != "pandas":
            assert len({str(frame.schema) for frame in frames}) == 1


@pytest.mark.parametrize("ending", ["parquet", "feather"])
def test_the_index_of_pandas_is_no_column_but_for_who_asks_for_it(tmp_path, ending):
    """Else a fit learns from it; the rows are those of pandas in memory, by any library."""
    pd = pytest.importorskip("pandas")
    first = pd.DataFrame({"x": [0.5, 1.0], "t": ["a", "b"]}, index=pd.Index([7, 3], name="id"))
    second = pd.DataFrame({"x": [1.0], "t": ["b"]}, index=[9])
    places = [tmp_path / f"{name}.{ending}" for name in "ab"]
    for place, frame in zip(places, (first, second), strict=True):
        written(place, pa.Table.from_pandas(frame))
    scan = pellucid.scan(places)
    assert scan.columns == ["x", "t"] and scan.index == []
    names = "id, __index_level_0__"
    assert scan.notes == [
        f"left out: {names}, which are the index of the pandas table that was written"
    ]
    assert scan.drop("t").notes == scan.notes
    one = pellucid.scan(places[0])
    assert one.columns == ["x", "t"] and one.index == ["id"]
    for engine in ENGINES:
        assert all_rows(scan, engine=engine) == [[0.5, "a"], [1.0, "b"], [1.0, "b"]]
        assert all_rows(one, 1, ["id", "x"], engine) == [[7, 0.5], [3, 1.0]]
    reason = r" It is the index of a pandas table: call reset_index\(\) before you write that\.$"
    with pytest.raises(ValueError, match=r"column 'id' is not in a\.\w+\." + reason):
        one.drop("id")
    model = pellucid.FCNNRegressor()
    with pytest.raises(ValueError, match="must name a column of X. Got 'id'." + reason):
        model.fit(one, target="id")
    written(places[0], pa.Table.from_pandas(first[[]]))
    refused("must have a column beside its index. Got none.$", places[0])


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_the_file_that_breaks_off_is_named_and_no_other(tmp_path, ending):
    import gzip

    content = gzip.compress(written(tmp_path / f"t.{ending}", table(5000)).read_bytes())
    places = [tmp_path / f"z{place}.{ending}.gz" for place in range(2)]
    places[0].write_bytes(content)
    places[1].write_bytes(content[:-20])
    refused(rf"^z1\.{ending}\.gz cannot be read .*: it is damaged, or breaks off\.$", places)


@pytest.mark.parametrize("cells", [False, True])
def test_a_file_is_named_that_cannot_be_read_a_second_time(tmp_path, monkeypatch, cells):
    """Of separated values it is looked through for their kinds."""
    from pellucid.data.csv_files import CsvFile

    files = [written(tmp_path / f"{name}.csv") for name in "ab"]
    read = CsvFile.seen_by

    def seen_by(self, *arguments):
        if cells:
            return False
        if self.text.source.name == "b.csv":
            raise OSError(5, "Input/output error")
        return read(self, *arguments)

    def see_cells(self, columns):
        if self.text.source.name == "b.csv":
            raise OSError(5, "Input/output error")
        return 1

    monkeypatch.setattr(CsvFile, "seen_by", seen_by)
    monkeypatch.setattr(CsvFile, "see_cells", see_cells)
    refused(r"^b\.csv cannot be read as a CSV table: Input/output error\.$", files)


@pytest.mark.parametrize("engine", ENGINES)
def test_short_rows_are_said_of_a_file_with_its_columns_in_another_order(tmp_path, engine):
    """They lack the last column of their own file, not that of the first one."""
    pytest.importorskip(engine)
    (tmp_path / "a.csv").write_text("x,y,z\n1.5,x,1\n2.5,007,2\n1,y,3\n")
    (tmp_path / "b.csv").write_text("z,y,x\n4,a,4.5\n5,b\n6,c,6.5\n")
    scan = pellucid.scan(tmp_path)
    with pytest.warns(
        UserWarning, match=r"^b\.csv: 1 row is shorter than the header, the first in"
    ):
        rows = all_rows(scan, engine=engine, text=["y"])
    assert [row[0] for row in rows] == [1.5, 2.5, 1, 4.5, None, 6.5]
