"""Lazy tables of polars and Dask: computed into files that go with the scan, or a sentence."""

import errno
import os
import re

import dask.dataframe as dd
import numpy as np
import pandas as pd
import polars as pl
import pytest
from dask import delayed

import pellucid
from pellucid import FCNNClassifier
from pellucid.data import lazy_tables

RNG = np.random.default_rng(0)
FRAME = pd.DataFrame({
    "number": RNG.normal(size=90), "text": RNG.choice(["a", "b", "c"], 90),
    "day": pd.date_range("2024-01-01", periods=90),
    "hole": np.where(RNG.random(90) < 0.3, np.nan, 1),
})  # fmt: skip
FRAME["y"] = np.where(FRAME["number"] > 0, "yes", "no")


def of(*frames):
    """A Dask DataFrame with these partitions."""
    parts = [delayed(frame) for frame in frames]
    return dd.from_delayed(parts, meta=FRAME.iloc[:0], verify_meta=False)


def model():
    return FCNNClassifier(6, max_epochs=2, batch_size=16, random_state=0, verbose=0)


@pytest.fixture(params=["polars", "dask"])
def lazy(request):
    """The table, as one that is computed when it is asked for."""
    return pl.from_pandas(FRAME).lazy() if request.param == "polars" else of(FRAME[:40], FRAME[40:])


def test_a_lazy_table_is_computed_into_files_that_go_with_the_scan(lazy, tmp_path):
    scan = pellucid.scan(lazy, cache=tmp_path / "rows.cache")
    assert scan.columns == list(FRAME) and scan.rows == 90
    numbers = [value for frame in scan for value in frame["number"].to_pylist()]
    assert numbers == FRAME["number"].tolist()
    assert scan.cache_path == tmp_path / "rows.cache" and len(os.listdir(tmp_path)) == 1
    del scan
    assert os.listdir(tmp_path) == []


def test_all_of_a_lazy_table_is_in_the_folder_that_cache_names(lazy, tmp_path):
    """That may be another disk than the one its parent folder is on."""
    folder = tmp_path / "fast"
    folder.mkdir()
    scan = pellucid.scan(lazy, cache=folder)
    model().fit(scan, target="y")
    assert os.listdir(tmp_path) == ["fast"]
    assert {scan.cache_path.name} < set(os.listdir(folder)) and len(os.listdir(folder)) == 2
    del scan
    assert len(os.listdir(folder)) == 1


@pytest.mark.parametrize("name", ["mkdtemp", "_of_dask"])
def test_a_folder_that_is_closed_or_full_is_told(name, tmp_path, monkeypatch):
    def closed(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied", "x")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    if name == "mkdtemp":
        monkeypatch.setattr(lazy_tables.tempfile, name, closed)
        error, words = PermissionError, "Permission denied. Open it"
    else:
        monkeypatch.setattr(lazy_tables, name, full)
        error, words = OSError, "No space left on device. Make room there"
    words = f"the Dask DataFrame cannot be kept in '{tmp_path}': {words}, or name another place by"
    with pytest.raises(error, match=f"^{re.escape(words)} cache.$"):
        pellucid.scan(of(FRAME), cache=tmp_path)
    assert os.listdir(tmp_path) == []


def test_a_fit_on_a_lazy_table_is_that_on_a_file(lazy, tmp_path):
    FRAME.to_parquet(tmp_path / "t.parquet", index=False)
    expected = model().fit(pellucid.scan(tmp_path / "t.parquet"), target="y")
    assert model().fit(pellucid.scan(lazy), target="y").digest_ == expected.digest_


def test_partitions_without_rows_are_passed_over():
    scan = pellucid.scan(of(FRAME[:0], FRAME, FRAME[:0]))
    assert scan.rows == 90 and len(scan.notes) == 2
    tables = {
        "the Dask DataFrame": of(FRAME[:0]),
        "the lazy table": pl.from_pandas(FRAME[:0]).lazy(),
    }
    for name, table in tables.items():
        with pytest.raises(ValueError, match=f"^{name} must have at least one row. Got none.$"):
            pellucid.scan(table)


def failing(part):
    raise OverflowError("the number of the beast")


@pytest.mark.parametrize(
    ("table", "error", "words"),
    [
        (lambda: pl.from_pandas(FRAME).lazy().select("lacking"), ValueError,
         "the lazy table cannot be computed. Got ColumnNotFoundError: "),
        (lambda: pl.scan_parquet("gone.parquet"), FileNotFoundError,
         "the lazy table cannot be computed: "),
        (lambda: of(FRAME).map_partitions(failing, meta=FRAME[:0]), ValueError,
         "the Dask DataFrame cannot be computed. Got OverflowError: the number of the beast."),
        (lambda: of(FRAME, FRAME.drop(columns="text")), ValueError,
         "partition 2 of 2 of the Dask DataFrame must have column 'text', as Dask takes all"),
        (lambda: of(FRAME, FRAME.assign(number="a")), ValueError,
         "column 'number' of partition 2 of 2 of the Dask DataFrame must be of numbers"),
        (lambda: of(FRAME)["y"], TypeError,
         "source of scan must be a file, a folder, a pattern, a list of files, a polars LazyFrame "
         "or a Dask DataFrame"),
    ],
)  # fmt: skip
def test_what_cannot_be_computed_is_said_in_a_sentence_and_leaves_nothing(
    table, error, words, tmp_path
):
    with pytest.raises(error, match=f"^{re.escape(words)}") as said:
        pellucid.scan(table(), cache=tmp_path / "rows.cache")
    assert "\n" not in str(said.value) and str(said.value).endswith(".")
    assert os.listdir(tmp_path) == []
