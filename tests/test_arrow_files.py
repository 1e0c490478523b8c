"""Files that know their columns' types, whole, packed and in batches."""

import importlib.util
import tracemalloc
import zipfile

import numpy as np
import pytest

from pellucid.data import read_batches, read_table

ENGINES = ["pandas", "polars", "pyarrow"]


def table_of(count=100):
    pa = pytest.importorskip("pyarrow")
    numbers = [None if i == 70 else i for i in range(count)]
    return pa.table({"n": numbers, "t": [f"0{i}" for i in range(count)]})


def written(folder, kind):
    from pyarrow import feather, parquet

    path = folder / f"t.{kind}"
    if kind == "parquet":
        parquet.write_table(table_of(), path, row_group_size=30)
    else:
        feather.write_feather(table_of(), path, compression="uncompressed")
    return path


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kind", ["parquet", "feather", "arrow"])
def test_files_of_arrow_with_any_name_and_packed(tmp_path, engine, kind):
    pytest.importorskip(engine)
    table_of()
    path = written(tmp_path, kind)
    other = tmp_path / "other.csv"  # a wrong ending
    other.write_bytes(path.read_bytes())
    packed = tmp_path / "t.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(path, f"t.{kind}")
    for place in (path, other, packed):
        frame = read_table(place, engine)
        assert frame.shape == (100, 2)
        parts = list(read_batches(place, 40, engine))
        assert sum(part.shape[0] for part in parts) == 100 and parts[0].shape[0] <= 40
        assert type(parts[0]) is type(frame)


def test_integers_with_a_gap_stay_integers_in_every_batch(tmp_path):
    """Else one of the batches says 71.0 where others say 71."""
    table_of()
    parts = read_batches(written(tmp_path, "parquet"), 40, "pandas")
    texts = [str(value) for part in parts for value in part["n"]]
    assert texts == [str(None if i == 70 else i) for i in range(100)]


@pytest.mark.parametrize("kind", ["parquet", "feather"])
def test_without_pyarrow_the_command_that_brings_it(tmp_path, monkeypatch, kind):
    table_of()
    path = written(tmp_path, kind)
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: name if name == "pandas" else None
    )
    match = r'file, needs pyarrow, which is not installed\. Run: pip install "pellucid\[tables\]"$'
    with pytest.raises(ImportError, match=match):
        read_table(path)
    with pytest.raises(ImportError, match=match):
        list(read_batches(path))


def test_what_was_read_of_a_parquet_file_is_let_go(tmp_path):
    """A reader that reads ahead keeps all it has read until the end of the file."""
    pyarrow, parquet = (pytest.importorskip(name) for name in ("pyarrow", "pyarrow.parquet"))
    path, column = tmp_path / "long.parquet", np.random.default_rng(0).standard_normal(1 << 19)
    parquet.write_table(pyarrow.table({"a": column}), path, row_group_size=1 << 15)
    rows, most = 0, 0
    tracemalloc.start()
    try:
        for batch in read_batches(path, 1 << 12):
            rows += len(batch)
            most = max(most, tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert rows == len(column)
    assert most < column.nbytes / 2


def indexed(folder, kind, name=None):
    """A file as pandas writes it with its index, and the same rows in memory."""
    pd, pa, feather = (pytest.importorskip(n) for n in ("pandas", "pyarrow", "pyarrow.feather"))
    frame = pd.DataFrame({"x": [0.5, -1.0, 2.0, 3.0], "t": [*"abab"]})
    frame = frame[frame["x"] > 0].rename_axis(name)
    path = folder / f"indexed.{kind}"
    if kind == "parquet":
        frame.to_parquet(path)
    else:
        feather.write_feather(pa.Table.from_pandas(frame), path)
    return path, frame


@pytest.mark.parametrize("name", [None, "id"])
@pytest.mark.parametrize("kind", ["parquet", "feather"])
def test_the_index_of_pandas_is_no_column_whichever_library_reads(tmp_path, kind, name):
    """It tells the order of rows, often that of the target; pandas in memory has it apart."""
    path, frame = indexed(tmp_path, kind, name)
    assert read_table(path, "pandas").equals(frame)
    level = name or "__index_level_0__"
    words = f"indexed.{kind}: left out: {level}, which is the index of the pandas table that was"
    for engine in ENGINES[1:]:
        pytest.importorskip(engine)
        with pytest.warns(UserWarning, match=words):
            table = read_table(path, engine)
        assert table.shape == (3, 2)
    for engine in ENGINES if kind == "parquet" else ():
        for batch in read_batches(path, 2, engine):
            assert batch.shape[1] == 2


def test_polars_alone_leaves_the_index_out(tmp_path, monkeypatch):
    pytest.importorskip("polars")
    path, _ = indexed(tmp_path, "parquet", "id")
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "pyarrow" else find(name)
    )
    with pytest.warns(UserWarning, match="left out: id, which is the index"):
        assert read_table(path, "polars").columns == ["x", "t"]
