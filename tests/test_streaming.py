"""Fits on tables that are read part by part: the model of the table in memory, to the bit."""

import errno
import io
import os
import re
import signal
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import GridSearchCV

import pellucid
from pellucid import (
    CNNClassifier,
    FCNNClassifier,
    FCNNRegressor,
    LSTMClassifier,
    NetworkClassifier,
    NetworkRegressor,
    load,
)
from pellucid.data import scratch, spool
from pellucid.data.scan import Scan
from pellucid.data.spool import Spool
from pellucid.estimators import fit_cache, streaming
from pellucid.inspection import Monitor
from pellucid.layers import LSTM, BatchNorm, Dropout, Linear, ReLU
from pellucid.rows import StoreWriter
from pellucid.training import progress

pytest.importorskip("pyarrow")
QUICK = {"max_epochs": 3, "random_state": 0, "verbose": 0}
ROWS = 1400
rng = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {
        "a": rng.normal(size=ROWS),
        "b": rng.choice(["x", "y", "007"], ROWS),
        "many": [f"m{i % 150}" for i in rng.integers(0, 10**6, ROWS)],
        "day": pd.date_range("2020-01-01", periods=ROWS, freq="D").strftime("%d.%m.%Y"),
        "gap": np.where(rng.uniform(size=ROWS) < 0.1, np.nan, rng.normal(size=ROWS)),
        "flag": rng.integers(0, 2, ROWS).astype(bool),
        "weight": rng.choice([0.0, 0.5, 1.0, 3.0], ROWS),
    }
)
FEATURES = ["a", "b", "many", "day", "gap", "flag"]
FRAME["two"] = np.where(FRAME["a"] + (FRAME["b"] == "x") > 0.3, "yes", "no")
FRAME["three"] = np.select([FRAME["a"] < -0.5, FRAME["a"] < 0.5], ["low", "middle"], "high")
FRAME["count"] = rng.integers(0, 4, ROWS)
FRAME["price"] = np.exp(FRAME["a"] + 0.1 * rng.normal(size=ROWS))
FRAME["size"] = 1e6 + FRAME["a"]
FRAME["p"], FRAME["q"] = 1 * (FRAME["a"] > 0), 1 * (FRAME["b"] == "y")


@pytest.fixture
def saved(tmp_path):
    """A function that saves some columns, and gives the folder that they alone are in."""

    def save(kind, *columns):
        folder = tmp_path / "data"
        folder.mkdir()
        frame = FRAME[[*FEATURES, *columns]]
        if kind == "folder":
            for part, start in enumerate((0, 500, 600)):
                frame[start : (500, 600, ROWS)[part]].to_csv(folder / f"{part}.csv", index=False)
            return folder
        path = folder / f"table.{kind}"
        if kind == "csv":
            frame.to_csv(path, index=False)
        else:
            getattr(frame, f"to_{kind}")(path)
        return path

    return save


CASES = {
    "two": (FCNNClassifier(8), "two", {}),
    "three": (FCNNClassifier(8, class_weight="balanced"), "three", {"sample_weight": "weight"}),
    "class weights": (FCNNClassifier(8, class_weight={"low": 0, "high": 2}), "three", {}),
    "whole numbers": (FCNNClassifier(8, dtype="float64"), "count", {}),
    "labels": (FCNNClassifier(8), ["p", "q"], {"sample_weight": "weight"}),
    "numbers": (FCNNRegressor(8, dropout=0.2), "size", {"sample_weight": "weight"}),
    "several numbers": (NetworkRegressor([Linear(8), BatchNorm(), ReLU()]), ["price", "size"], {}),
    "logarithm": (FCNNRegressor(8, target_transform="log"), "price", {}),
    "median": (FCNNRegressor(8, loss="mae"), "price", {"sample_weight": "weight"}),
    "layers": (NetworkClassifier([Linear(8), ReLU(), Dropout(0.3)], shards=2), "two", {}),
    "early": (FCNNClassifier(8, early_stopping=True, patience=1, max_epochs=9), "two", {}),
    "full batch": (FCNNRegressor(8, batch_size="full"), "size", {}),
}  # fmt: skip


@pytest.mark.parametrize("kind", ("csv", "parquet"))
@pytest.mark.parametrize("case", CASES)
def test_it_is_the_fit_in_memory(case, kind, saved, monkeypatch):
    """Of the same digest, whatever the reader's batches."""
    estimator, target, options = CASES[case]
    names = [target] if isinstance(target, str) else target
    path = saved(kind, *names, *options.values())
    estimator.set_params(random_state=0, verbose=0)
    if case != "early":
        estimator.set_params(max_epochs=3)
    frame = pellucid.data.read_table(path)
    memory = estimator.set_params(shuffle="blocks").fit(frame, target=target, **options).digest_
    for rows in (61, 1 << 14):
        monkeypatch.setattr(spool, "_ROWS", rows)
        table = pellucid.scan(path)
        table.cache_path.unlink(missing_ok=True)
        model = estimator.fit(table, target=target, **options)
        assert model.digest_ == memory
    assert model.set_params(shuffle="auto").fit(table, target=target, **options).n_iter_ > 0


@pytest.mark.parametrize("engine", ("pandas", "polars", "pyarrow"))
def test_it_is_the_same_by_every_library(engine, saved, monkeypatch):
    pytest.importorskip(engine)
    folder = saved("folder", "two")
    whole = pd.concat([pellucid.data.read_table(path) for path in sorted(folder.iterdir())])
    memory = FCNNClassifier(8, shuffle="blocks", **QUICK).fit(whole, target="two").digest_
    monkeypatch.setattr(Scan.batches, "__defaults__", (64, None, engine))
    for rows in (64, 512, 100_000):
        monkeypatch.setattr(spool, "_ROWS", rows)
        table = pellucid.scan(folder)
        table.cache_path.unlink(missing_ok=True)
        assert FCNNClassifier(8, **QUICK).fit(table, target="two").digest_ == memory


def test_what_is_said_first(saved, capsys):
    """How large the cache is and where; then what is said of the columns in memory too."""
    path = saved("parquet", "two")
    estimator = FCNNClassifier(8, max_epochs=1, random_state=0)
    estimator.fit(pellucid.scan(path), target="two")
    text = " ".join(capsys.readouterr().err.split())
    width = estimator.table_.n_outputs
    assert f"table.parquet: {ROWS:,} rows become {width} numbers each; their cache takes " in text
    assert f"in '{path}.cache' " in text
    notes, about = estimator.table_.notes, estimator.about_
    assert any("'007'" in note for note in notes) and about.rows == ROWS
    memory = FCNNClassifier(8, max_epochs=1, random_state=0)
    memory.fit(pd.read_parquet(path), target="two")
    assert memory.table_.notes == notes and memory.about_.averages == about.averages
    assert memory.about_.notes == about.notes
    size = re.search(r"takes ([\d.]+) kB", text)[1]
    assert float(size) == pytest.approx(
        path.with_name("table.parquet.cache").stat().st_size / 1e3, rel=0.1
    )


def test_a_pass_is_shown(saved, capsys, monkeypatch):
    """Rows, time left and memory: lines where there is no terminal, else a bar."""
    monkeypatch.setattr(progress, "_EVERY", -1.0)
    monkeypatch.setattr(spool, "_ROWS", 500)
    table = pellucid.scan(saved("parquet", "two"))
    FCNNClassifier(8, max_epochs=1, random_state=0).fit(table, target="two")
    text = " ".join(capsys.readouterr().err.split())
    assert re.search(r"Reading: 500 of 1.4k rows, \d+ s left, [\d.]+ [MG]B of memory", text)
    for what in ("Reading", "Learning", "Encoding", "Mixing"):
        assert re.search(rf"{what}: 1.4k rows in \d+ s, [\d.]+ [MG]B of memory", text)

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    shown = progress.Progress(1, 1, 1, Terminal())
    with shown.passing("Reading", 100) as passing:
        passing._shown = -1.0
        passing(50)
    assert "Reading 50.0 rows" in shown.stream.getvalue()
    assert "B of memory" in shown.stream.getvalue()


# -- the cache -----------------------------------------------------------------------------------


@pytest.fixture
def passes(monkeypatch):
    """How often a table was read to be encoded."""
    count = []
    original = Spool.of.__func__
    monkeypatch.setattr(
        Spool, "of", classmethod(lambda *args, **more: count.append(1) or original(*args, **more))
    )
    return count


def test_a_cache_is_used_again(saved, passes, capsys):
    path = saved("csv", "two", "weight")
    first = FCNNClassifier(8, **QUICK).fit(pellucid.scan(path), target="two")
    capsys.readouterr()
    # what training alone depends on may be other
    again = FCNNClassifier(8, max_epochs=3, random_state=0).fit(pellucid.scan(path), target="two")
    said = capsys.readouterr().err
    assert len(passes) == 1 and again.digest_ == first.digest_
    assert "nothing is encoded anew" in said and "'007'" in said
    assert again.table_.notes and again.target_.notes == first.target_.notes
    other = FCNNClassifier(8, learning_rate=0.01, max_epochs=2, random_state=0, verbose=0)
    other.fit(pellucid.scan(path), target="two")
    assert len(passes) == 1


@pytest.mark.parametrize("changed", ("seed", "weights", "classes", "data"))
def test_a_cache_of_other_rows_is_made_anew(changed, saved, passes, capsys):
    path = saved("csv", "two", "weight")
    FCNNClassifier(8, **QUICK).fit(pellucid.scan(path), target="two")
    model, options = FCNNClassifier(8, max_epochs=1, random_state=0), {}
    if changed == "seed":
        model.set_params(random_state=1)
    elif changed == "weights":
        options = {"sample_weight": "weight"}
    elif changed == "classes":
        model.set_params(class_weight="balanced")
    else:
        path.write_text(path.read_text() + path.read_text().splitlines()[-1] + "\n")
    model.fit(pellucid.scan(path), target="two", **options)
    assert len(passes) == 2
    assert (
        "The cache 'table.csv.cache' is damaged, or of other data: made anew"
        in capsys.readouterr().err.replace("\n", " ").replace(f"{path.parent}/", "")
    )
    assert sorted(os.listdir(path.parent)) == ["table.csv", "table.csv.cache"]


def test_a_damaged_cache_is_made_anew(saved, passes):
    path = saved("csv", "two")
    first = FCNNClassifier(8, **QUICK).fit(pellucid.scan(path), target="two").digest_
    cache = pellucid.scan(path).cache_path
    cache.write_bytes(cache.read_bytes()[:-5])
    assert FCNNClassifier(8, **QUICK).fit(pellucid.scan(path), target="two").digest_ == first
    assert len(passes) == 2


def test_a_file_that_is_no_cache_is_left_alone(saved, tmp_path):
    path, mine = saved("csv", "two"), tmp_path / "thesis.txt"
    mine.write_text("all of it" * 100)
    with pytest.raises(
        ValueError, match="'.*thesis.txt' must be a file of rows that pellucid keeps"
    ):
        FCNNClassifier(8, **QUICK).fit(pellucid.scan(path, cache=mine), target="two")
    assert mine.read_text() == "all of it" * 100
    folder = path.with_name(f"{path.name}.cache")
    folder.mkdir()
    for use in (lambda table: FCNNClassifier(8, **QUICK).fit(table, target="two"),
                lambda table: table.remove_cache()):  # fmt: skip
        with pytest.raises(ValueError, match="'.*table.csv.cache' must be a file of rows that pel"):
            use(pellucid.scan(path))
    assert folder.is_dir()


def test_a_cache_may_be_elsewhere_and_is_removed(saved, tmp_path):
    path, place = saved("csv", "two"), tmp_path / "elsewhere.cache"
    table = pellucid.scan(path, cache=place)
    FCNNClassifier(8, **QUICK).fit(table, target="two")
    assert place.exists() and os.listdir(path.parent) == ["table.csv"]
    table.remove_cache()
    assert not place.exists()


def test_the_cache_is_no_part_of_the_data(saved):
    """A pattern of which the first file gives the cache its name and place still fits it again."""
    folder = saved("folder", "two")
    table = pellucid.scan(f"{folder}/*")
    first = FCNNClassifier(8, **QUICK).fit(table, target="two")
    assert table.cache_path.parent == folder and table.cache_path.exists()
    again = pellucid.scan(f"{folder}/*")
    assert again.rows == ROWS and again.fingerprint == table.fingerprint
    assert FCNNClassifier(8, **QUICK).fit(again, target="two").digest_ == first.digest_


# -- around the fit ------------------------------------------------------------------------------


def test_a_model_is_saved_and_goes_on_with_what_it_knows(saved, tmp_path):
    path = saved("parquet", "two", "weight")
    table = pellucid.scan(path)
    model = FCNNClassifier(8, **QUICK).fit(table, target="two", sample_weight="weight")
    model.save(tmp_path / "model.safetensors")
    again = load(tmp_path / "model.safetensors")
    assert again.digest_ == model.digest_
    assert (again.target_names_, again.weight_name_) == (["two"], "weight")
    np.testing.assert_array_equal(again.predict(table), model.predict(FRAME[FEATURES]))
    assert again.score(table) == model.score(FRAME[FEATURES], FRAME["two"])


def test_callbacks_see_the_rows(saved):
    watch = Monitor(rows=16)
    model = FCNNClassifier(8, callbacks=watch, **QUICK)
    model.fit(pellucid.scan(saved("parquet", "two")), target="two")
    assert watch.sample.shape == (16, model.table_.n_outputs)


def test_rows_to_validate_on_are_no_scan(saved):
    table = pellucid.scan(saved("parquet", "two"))
    model = FCNNClassifier(8, **QUICK)
    for data in (table, (table, FRAME["two"])):
        with pytest.raises(
            TypeError, match=r"^validation_data of FCNN.* rows in memory\. Got <scan"
        ):
            model.fit(table, target="two", validation_data=data)


def test_what_needs_all_rows_is_told(saved):
    """A search asks for an array, which must not be one of the scan as an object."""
    table = pellucid.scan(saved("parquet", "two"))
    search = GridSearchCV(FCNNClassifier(8, **QUICK), {"hidden_dim": [4]}, cv=2)
    for needs in (np.asarray, lambda table: search.fit(table, target="two")):
        with pytest.raises(TypeError, match=r"^table\.parquet must be read in parts, as"):
            needs(table)


def test_rows_to_validate_on_in_memory(saved):
    path = saved("parquet", "two")
    frame = pd.read_parquet(path)
    data = frame[:200]
    models = [
        FCNNClassifier(8, shuffle="blocks", early_stopping=True, **QUICK).fit(
            X, target="two", validation_data=data
        )
        for X in (frame, pellucid.scan(path))
    ]
    assert models[0].digest_ == models[1].digest_


def test_a_checkpoint_goes_on_without_encoding_again(saved, tmp_path, passes):
    """A fit that Ctrl-C ended in the second epoch goes on from there, to the same bits."""
    path, kept = saved("parquet", "two"), tmp_path / "run.ckpt"
    whole = FCNNClassifier(8, **QUICK).fit(pellucid.scan(path), target="two").digest_

    class Stop(Exception):
        pass

    def stop(model, row):
        if row["epoch"] == 2:
            raise Stop

    options = {"target": "two", "checkpoint": kept, "checkpoint_every": 1e-9}
    with pytest.raises(Stop):
        FCNNClassifier(8, callbacks=stop, **QUICK).fit(pellucid.scan(path), **options)
    assert len(passes) == 1
    model = FCNNClassifier(8, **QUICK).fit(pellucid.scan(path), **options)
    assert len(passes) == 1 and model.digest_ == whole


def test_a_seed_that_was_drawn_is_kept_by_a_checkpoint(saved, tmp_path, passes):
    path, kept = saved("parquet", "two"), tmp_path / "run.ckpt"
    options = {"target": "two", "checkpoint": kept}
    model = FCNNClassifier(8, max_epochs=2, verbose=0).fit(pellucid.scan(path), **options)
    again = FCNNClassifier(8, max_epochs=2, verbose=0).fit(pellucid.scan(path), **options)
    assert again.digest_ == model.digest_ and len(passes) == 1


# -- what goes wrong -----------------------------------------------------------------------------


def folder_of(path):
    return sorted(os.listdir(path.parent))


def test_data_that_change_meanwhile_are_told_and_nothing_is_left(saved, monkeypatch):
    path = saved("csv", "two")
    table, original = pellucid.scan(path), streaming.Spool.of.__func__

    def changing(cls, *args, **more):
        made = original(cls, *args, **more)
        path.write_text(path.read_text() + "\n")
        return made

    monkeypatch.setattr(Spool, "of", classmethod(changing))
    model = FCNNClassifier(8, **QUICK)
    with pytest.raises(
        ValueError, match="table.csv must stay as it was while it is read. It was ch"
    ):
        model.fit(table, target="two")
    assert folder_of(path) == ["table.csv"] and not hasattr(model, "network_")
    assert not hasattr(model, "target_names_")


@pytest.mark.parametrize("place", ("write", "close"))
def test_ctrl_c_within_a_pass_leaves_nothing(place, saved, monkeypatch):
    path = saved("csv", "two")

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(StoreWriter, place, interrupted)
    model = FCNNClassifier(8, **QUICK)
    with pytest.raises(KeyboardInterrupt):
        model.fit(pellucid.scan(path), target="two")
    assert folder_of(path) == ["table.csv"] and not hasattr(model, "network_")


def test_a_kill_within_a_pass_leaves_nothing(saved):
    """Also kill -9: what is written before the cache is whole has no name."""
    path = saved("csv", "two")
    code = (
        "import os, signal, sys, pellucid\n"
        "from pellucid.rows import StoreWriter\n"
        "StoreWriter.close = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "model = pellucid.FCNNClassifier(8, max_epochs=1, random_state=0, verbose=0)\n"
        "model.fit(pellucid.scan(sys.argv[1]), target='two')\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], timeout=120, check=False)
    assert done.returncode == -signal.SIGKILL
    assert folder_of(path) == ["table.csv"]


def test_a_full_disk_is_told_before_it_is_full(saved, monkeypatch):
    path = saved("csv", "two")
    usage = fit_cache.shutil.disk_usage(path.parent)._replace(free=1000)
    monkeypatch.setattr(fit_cache.shutil, "disk_usage", lambda folder: usage)
    words = r"the cache of table.csv needs \d+ kB in '.*data'\. Got 1.0 kB that are free\. Make"
    with pytest.raises(OSError, match=words):
        FCNNClassifier(8, **QUICK).fit(pellucid.scan(path), target="two")
    assert folder_of(path) == ["table.csv"]


def test_a_folder_that_is_closed_is_told(saved, monkeypatch):
    path = saved("csv", "two")

    def closed(place):
        raise PermissionError(errno.EACCES, "Permission denied", "x")

    monkeypatch.setattr(scratch, "ScratchFile", closed)
    words = (
        r"^the columns of table\.csv cannot be kept in '.*data': Permission denied\. Open it, or "
        r"name another place by cache\.$"
    )
    with pytest.raises(PermissionError, match=words) as caught:
        FCNNClassifier(8, **QUICK).fit(pellucid.scan(path), target="two")
    assert caught.value.errno == errno.EACCES and folder_of(path) == ["table.csv"]


def test_too_little_memory_is_told(saved):
    path = saved("csv", "two")
    size = r"[\d.]+ [MG]B"
    words = f"memory of the scan of table.csv must be at least {size}: this process has {size} alr"
    with pytest.raises(MemoryError, match=words):
        FCNNClassifier(8, **QUICK).fit(pellucid.scan(path, memory="10MB"), target="two")
    assert folder_of(path) == ["table.csv"]


def test_a_network_that_is_too_large_is_told(saved):
    table = pellucid.scan(saved("csv", "two"))
    words = (
        r"must be at least [\d.]+ GB for the network of FCNNClassifier: this process has .* "
        r"already\. Got [\d.]+ GB\. Give more, or take fewer or narrower"
    )
    with pytest.raises(MemoryError, match=words):
        FCNNClassifier(20_000, **QUICK).fit(table, target="two")


@pytest.mark.parametrize(
    "estimator, options, error, words",
    (
        (FCNNClassifier(8), {}, ValueError, r"target of .*fit must name a column where X is a sca"),
        (FCNNClassifier(8), {"y": [1]}, ValueError, r"a, b, many, .*Got a y\. Write target=NAME"),
        (FCNNClassifier(8), {"target": "tow"}, ValueError, r"Got 'tow'\. Did you mean 'two'\?"),
        (FCNNClassifier(8), {"target": "two", "sample_weight": [1]}, TypeError, r"Got \[1\]"),
        (FCNNClassifier(8, balanced_batches=True), {"target": "two"}, ValueError,
         r"balanced_batches of FCNNClassifier must be False.*where rows are on disk"),
        (FCNNClassifier(8, early_stopping=True, shuffle="full"), {"target": "two"}, ValueError,
         r"shuffle of FCNNClassifier must be"),
        (FCNNClassifier(0), {"target": "two"}, ValueError, r"hidden_dim of .* positive integer"),
        (FCNNClassifier(8, class_weight={"no": 0, "yes": 0}), {"target": "two"}, ValueError,
         r"class_weight of FCNNClassifier must leave a row of weight above 0"),
        (FCNNClassifier(8, class_weight=len), {"target": "two"}, ValueError,
         r"class_weight of FCNNClassifier must be None, 'balanced' or a dict of label to weight"),
        (FCNNClassifier(8, class_weight={"maybe": 2}), {"target": "two"}, ValueError,
         r"class_weight of FCNNClassifier has no class 'maybe'"),
        (LSTMClassifier(8), {"target": "two"}, TypeError, r"X of LSTMClassifier must not be a"),
        (CNNClassifier(8), {"target": "two"}, TypeError, r"Got <scan of table.parquet: 1 Parquet"),
        (NetworkClassifier([LSTM(4)]), {"target": "two"}, TypeError, r"X of NetworkClassifier mus"),
    ),
)  # fmt: skip
def test_what_cannot_be_is_told_before_the_table_is_read(
    estimator, options, error, words, saved, passes
):
    path = saved("parquet", "two")
    with pytest.raises(error, match=words):
        estimator.set_params(**QUICK).fit(pellucid.scan(path), **options)
    assert folder_of(path) == ["table.parquet"]
    if "class_weight" not in words:
        assert not passes


def test_epochs_one_by_one_take_dataframes(saved):
    table = pellucid.scan(saved("parquet", "two"))
    model = FCNNClassifier(8, random_state=0, verbose=0)
    with pytest.raises(
        ValueError, match="must be rows in memory where a fit goes on .*partial_fit"
    ):
        model.partial_fit(table, target="two", classes=["no", "yes"])
    for frame in table.batches(500):
        model.partial_fit(frame, target="two", classes=["no", "yes"])
    assert model.n_iter_ == 3


@pytest.mark.parametrize(
    "column, value, words",
    (
        ("two", None, r"y of FCNNClassifier must have a value in every row\. Got None in row 777"),
        ("a", np.inf, r"column 'a' of X must be finite for FCNNClassifier\. Got inf in row 777"),
        (
            "weight",
            -1.0,
            r"sample_weight of FCNNClassifier must not be negative\. Got -1 in row 777",
        ),
        ("weight", np.nan, r"sample_weight of FCNNClassifier must be finite\. Got nan in row 777"),
    ),
)
def test_a_cell_that_cannot_be_is_named_by_its_row(column, value, words, saved, tmp_path):
    frame = FRAME[[*FEATURES, "two", "weight"]].copy()
    frame.loc[777, column] = value
    frame.to_parquet(tmp_path / "odd.parquet")
    with pytest.raises(ValueError, match=words):
        FCNNClassifier(8, **QUICK).fit(
            pellucid.scan(tmp_path / "odd.parquet"), target="two", sample_weight="weight"
        )


@pytest.mark.parametrize("column, what", (("day", "text"), ("date", "dates")))
def test_weights_are_numbers(column, what, tmp_path):
    """Dates are no weights, in memory too, though they can be counted."""
    frame = FRAME[["a", "two", "day"]].assign(date=pd.date_range("2020-01-01", periods=ROWS))
    frame.to_parquet(tmp_path / "t.parquet")
    options = {"target": "two", "sample_weight": column}
    words = rf"^sample_weight of FCNNClassifier must name .* Got '{column}', which holds {what}\.$"
    with pytest.raises(ValueError, match=words):
        FCNNClassifier(8, **QUICK).fit(pellucid.scan(tmp_path / "t.parquet"), **options)
    assert os.listdir(tmp_path) == ["t.parquet"]
    with pytest.raises(ValueError, match=r"^sample_weight of FCNNClassifier must be 1400 numbers"):
        FCNNClassifier(8, **QUICK).fit(frame, **options)


def test_a_table_that_pandas_wrote_with_its_index(tmp_path):
    """What is left of a sorted table has its rows' numbers with it, which tell the target."""
    path = tmp_path / "t.parquet"
    FRAME.loc[FRAME["a"] > 0, [*FEATURES, "two"]].to_parquet(path)
    some = pd.read_parquet(path)
    kept = FCNNClassifier(shuffle="blocks", **QUICK).fit(some, target="two")
    model = FCNNClassifier(**QUICK).fit(pellucid.scan(path), target="two")
    assert model.digest_ == kept.digest_
    assert np.array_equal(model.predict(pellucid.scan(path)), model.predict(some))
