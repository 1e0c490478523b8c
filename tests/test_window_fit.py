"""Fits on windows of a scan are those on windows of the table in memory, to the bit."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from test_parted_windows import OPTIONS, table

import pellucid
from pellucid import GRURegressor, LSTMClassifier, LSTMRegressor, NetworkRegressor, load
from pellucid.data import last_window, windows
from pellucid.layers import RNN, Linear, ReLU

QUICK = {"hidden_dim": 4, "max_epochs": 2, "random_state": 0, "verbose": 0}
FORECAST = pytest.mark.filterwarnings("ignore:1 series was not learned", "ignore:the last window")


@pytest.fixture(autouse=True)
def in_small_parts(monkeypatch):
    monkeypatch.setattr("pellucid.data.series_parts.PART_ROWS", 1)
    monkeypatch.setattr("pellucid.data.series_parts._FEWEST", 100)
    monkeypatch.setattr("pellucid.data.series_parts._TOGETHER", 50)


def scanned(frame, folder, kind="parquet", **options):
    path = folder / f"table.{kind}"
    getattr(frame, f"to_{kind}")(path, index=False)
    return pellucid.scan(path, cache=folder / "cache", **options)


def both(frame, folder, kind="parquet", **options):
    """Windows in memory, and of a file that is read in parts."""
    chosen = {"steps": 4, "horizon": 2, **OPTIONS, **options}
    return windows(frame, **chosen), windows(scanned(frame, folder, kind), **chosen)


def assert_same(here, there, kind=LSTMRegressor, **parameters):
    chosen = {**QUICK, "shuffle": "blocks", **parameters}
    in_memory = kind(**chosen).fit(*here)
    on_disk = kind(**{**chosen, "shuffle": chosen["shuffle"].replace("blocks", "auto")}).fit(*there)
    assert on_disk.history_["loss"] == in_memory.history_["loss"]
    assert on_disk.digest_ == in_memory.digest_
    return in_memory, on_disk


@FORECAST
def test_a_fit_on_disk_is_that_in_memory(tmp_path):
    frame = table()
    here, there = both(frame, tmp_path)
    assert len(there[0].files) > 3
    in_memory, on_disk = assert_same(here, there)
    assert on_disk.forecast(frame).equals(in_memory.forecast(frame))
    bounds = (model.predict_interval(here[0]) for model in (in_memory, on_disk))
    np.testing.assert_array_equal(*bounds)
    on_disk.save(tmp_path / "m.safetensors")
    assert load(tmp_path / "m.safetensors").digest_ == in_memory.digest_
    assert {path.name for path in tmp_path.iterdir()} == {"table.parquet", "m.safetensors"}


@FORECAST
def test_the_series_and_the_times_may_be_the_index_of_pandas(tmp_path):
    """It is no column of a scan else."""
    frame = table().set_index([OPTIONS["group"], OPTIONS["time"]])
    frame.to_parquet(tmp_path / "table.parquet")
    scan = pellucid.scan(tmp_path / "table.parquet")
    chosen = {"steps": 4, "horizon": 2, **OPTIONS}
    in_memory, on_disk = assert_same(windows(frame, **chosen), windows(scan, **chosen))
    here, there = in_memory.forecast(frame), on_disk.forecast(scan)
    np.testing.assert_array_equal(here.to_numpy()[:, 0], there["v"].to_numpy())


def test_dates_of_a_csv_are_read_as_in_memory(tmp_path):
    """Each row of the first part may be the month or the day; others tell."""
    frame = table()
    frame["t"] = (frame["t"] + pd.Timedelta("10D")).dt.strftime("%d/%m/%Y %H:%M")
    here, there = both(frame, tmp_path, "csv")
    assert here[0].about["time_format"].order == "dmy"
    assert_same(here, there)


@pytest.mark.parametrize("scaling", ["window", "series", "global"])
def test_any_scale(tmp_path, scaling):
    assert_same(*both(table(1), tmp_path, horizon=1), scaling=scaling)


@pytest.mark.parametrize("loss", ["huber", "mae", "quantile"])
def test_any_loss(tmp_path, loss):
    assert_same(*both(table(2), tmp_path), GRURegressor, loss=loss)


def test_a_transform_and_several_targets(tmp_path):
    frame = table(3)
    frame["v"] = np.exp(frame["v"] / 5)
    frame["w"] = frame["v"].fillna(1.0) + 1
    here, there = both(frame, tmp_path, target=["v", "w"], fill="linear")
    assert_same(here, there, target_transform="log")


def test_what_is_known_ahead(tmp_path):
    frame = table(4)
    frame["plan"] = frame["t"].dt.hour * 1.0
    assert_same(*both(frame, tmp_path, known="plan"))


def test_many_series_without_a_feature_each(tmp_path, monkeypatch):
    monkeypatch.setattr("pellucid.data.window_features._MOST_SERIES", 2)
    assert_same(*both(table(), tmp_path))


def test_early_stopping_keeps_the_last_windows_aside(tmp_path):
    here, there = both(table(), tmp_path)
    in_memory, on_disk = assert_same(here, there, early_stopping=True, max_epochs=4)
    assert on_disk.history_["validation_loss"] == in_memory.history_["validation_loss"]


def test_validation_data_in_memory(tmp_path):
    here, there = both(table(), tmp_path)
    later, _ = both(table(5), tmp_path)
    models = [
        LSTMRegressor(**QUICK, shuffle="blocks").fit(*X, validation_data=later)
        for X in (here, there)
    ]
    losses = [model.history_["validation_loss"] for model in models]
    assert losses[0] == losses[1] and len(losses[0]) == 2


def test_all_rows_shuffled(tmp_path):
    assert_same(*both(table(), tmp_path), shuffle="full")


def test_some_of_very_many_windows_are_enough_to_choose_by(tmp_path, monkeypatch):
    monkeypatch.setattr("pellucid.estimators.forecasting._TRIED", 60)
    monkeypatch.setattr("pellucid.data.window_sample._LEAST", 20)
    here, there = both(table(), tmp_path)
    assert len(here[0]) > 300
    in_memory, _ = assert_same(here, there)
    assert 5 < len(in_memory.intervals_) < 30


@pytest.mark.parametrize("network", ["plain", "wide"])
def test_any_network(tmp_path, network):
    layers = [RNN(3), Linear(4), ReLU()] if network == "plain" else [RNN(300)]
    here, there = both(table(), tmp_path, horizon=1)
    models = [
        NetworkRegressor(layers, max_epochs=1, random_state=0, verbose=0, shuffle="blocks").fit(*X)
        for X in (here, there)
    ]
    assert models[0].digest_ == models[1].digest_


@pytest.mark.parametrize("rows", [7, 64, 1000])
@pytest.mark.parametrize("most", [1, 150, 10_000])
def test_neither_batches_nor_parts_matter(tmp_path, monkeypatch, rows, most):
    monkeypatch.setattr("pellucid.data.series_parts.PART_ROWS", most)
    monkeypatch.setattr("pellucid.data.series_parts._TOGETHER", rows)
    here, there = both(table(), tmp_path)
    assert_same(here, there, max_epochs=1)


def test_one_series_without_groups_or_times(tmp_path):
    frame = pd.DataFrame({"v": np.sin(np.arange(120.0))})
    assert_same(*both(frame, tmp_path, group=None, time=None))


def test_the_windows_that_are_learned_from_may_be_some(tmp_path):
    (X, y), (parted, followed) = both(table(), tmp_path)
    learned, held = X.split(0.3)
    span, late = parted.split(0.3)
    assert_same((X[learned], y[learned]), (parted[span], followed[span]))
    assert len(held) == len(late)


def test_a_checkpoint_goes_on(tmp_path):
    _, there = both(table(), tmp_path)
    path = tmp_path / "run.ckpt"
    models = [LSTMRegressor(**QUICK).fit(*there, checkpoint=path) for _ in range(2)]
    assert models[0].digest_ == models[1].digest_ == LSTMRegressor(**QUICK).fit(*there).digest_


# -- predictions ----------------------------------------------------------------------------------


@FORECAST
def test_windows_of_a_scan_are_predicted_and_scored(tmp_path):
    frame = table()
    here, there = both(frame, tmp_path)
    model = LSTMRegressor(**QUICK).fit(*here)
    np.testing.assert_array_equal(model.predict(there[0]), model.predict(here[0]))
    assert model.score(*there) == pytest.approx(model.score(*here), abs=1e-12)
    found = model.forecast(scanned(frame, tmp_path))
    expected = model.forecast(frame)
    assert found.to_pandas().astype(expected.dtypes).equals(expected)


@FORECAST
def test_of_no_windows_nothing_is_predicted(tmp_path):
    """A span of time in which none lies, as of windows in memory."""
    here, there = both(table(), tmp_path)
    model = LSTMRegressor(**QUICK).fit(*here)
    _, none = there[0].split(0.0)
    found, wanted = model.predict(there[0][none]), model.predict(here[0][:0])
    assert found.shape == wanted.shape and not len(found) and found.dtype == wanted.dtype
    with pytest.raises(ValueError, match=r"^X of score of .* must have at least one row\. Got sha"):
        model.score(there[0][none], there[1][none])


# -- what is refused ------------------------------------------------------------------------------


def test_another_y_and_weights_and_going_on_are_refused(tmp_path):
    (_, y), (X, followed) = both(table(), tmp_path)
    model = LSTMRegressor(**QUICK)
    with pytest.raises(ValueError, match="must be what pellucid.data.windows gave with X"):
        model.fit(X, y)
    early, _ = X.split(0.5)
    with pytest.raises(ValueError, match="must be what pellucid.data.windows gave with X"):
        model.fit(X, followed[early])
    with pytest.raises(ValueError, match="sample_weight of LSTMRegressor must be None where X is"):
        model.fit(X, followed, np.ones(len(X)))
    fitted = LSTMRegressor(**QUICK).fit(X, followed)
    for weights in (np.ones(len(X)), "nonsense"):
        with pytest.raises(ValueError, match="^sample_weight of score of LSTMRegressor must be No"):
            fitted.score(X, followed, weights)
    with pytest.raises(ValueError, match="^y of score of LSTMRegressor must be what pellucid.data"):
        fitted.score(X, followed[early])
    with pytest.raises(ValueError, match="partial_fit not called"):
        model.partial_fit(X, followed)
    with pytest.raises(TypeError, match="They go to an RNNRegressor"):
        LSTMClassifier(**QUICK).fit(X, followed)


@FORECAST
def test_stateful_layers_need_all_windows_at_once(tmp_path):
    """In each part they would begin anew, and forecast another value than of windows in memory."""
    frame = table()
    here, there = both(frame, tmp_path)
    model = NetworkRegressor([RNN(3, stateful=True)], max_epochs=1, random_state=0, verbose=0)
    model.fit(*here)
    words = "must be in memory where layers are stateful: rows go on from one another, and each"
    with pytest.raises(TypeError, match=f"^X of NetworkRegressor.predict {words}"):
        model.predict(there[0])
    with pytest.raises(TypeError, match=f"^X of score of NetworkRegressor {words}"):
        model.score(*there)
    with pytest.raises(TypeError, match=f"^series of forecast of NetworkRegressor {words}"):
        model.forecast(scanned(frame, tmp_path))
    assert len(model.forecast(frame)) > 0


def test_a_series_that_is_too_long_for_the_memory(tmp_path):
    frame = pd.DataFrame({"v": np.arange(5000.0)})
    with pytest.raises(MemoryError, match=r"for the 5,000 rows of its series: one series is in"):
        windows(scanned(frame, tmp_path, memory="1MB"), 4, target="v")


def test_the_last_windows_of_a_scan_are_refused(tmp_path):
    with pytest.raises(TypeError, match="Use model.forecast"):
        last_window(scanned(table(), tmp_path), 4)


# -- how times are written -------------------------------------------------------------------------


def test_other_times_tell_more_than_those_looked_at(tmp_path, monkeypatch):
    """Of one time alone nobody can tell the day from the month, nor a number from a date."""
    monkeypatch.setattr("pellucid.data.series_parts.SAMPLE", 1)
    frame = table()
    days = frame["t"].dt.day + 11
    frame["t"] = days.map("{:02}/01/2024".format) + frame["t"].dt.strftime(" %H:%M")
    frame.loc[0, "t"] = "01/02/2023 00:00"
    here, there = both(frame, tmp_path, "csv")
    assert there[0].about == here[0].about and there[0].about["time_format"].order == "dmy"
    numbers = table()
    numbers["t"] = 20240101 + np.unique(numbers["t"], return_inverse=True)[1]
    here, there = both(numbers, tmp_path)
    assert len(there[0]) == len(here[0]) and there[0].notes == here[0].notes
    assert [part.clock for part in there[0].parts] == [None] * len(there[0].files)


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
def test_files_with_columns_of_other_types(tmp_path, kind):
    """Numbers without a gap are integers in one file, and a column may be empty in another."""
    pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    frame = table()
    frame["n"] = [None if row > len(frame) // 2 else row % 7 for row in range(len(frame))]
    frame["of"] = ["a" if row < len(frame) // 2 else None for row in range(len(frame))]
    places = [tmp_path / f"{part}.{kind}" for part in range(2)]
    for place, start in zip(places, (0, len(frame) // 2 + 1), strict=True):
        some = frame.iloc[start : None if start else len(frame) // 2 + 1]
        if kind == "jsonl":
            rows = some.astype(object).where(some.notna(), None).to_dict("records")
            place.write_text("".join(json.dumps(row, default=str) + "\n" for row in rows))
        else:
            types = {"n": pa.float64() if start else pa.int64()}
            types["t"] = pa.timestamp("us" if start else "ms")
            types["of"] = pa.large_string() if start else pa.string()
            content = pa.Table.from_pandas(some, preserve_index=False)
            for name, dtype in types.items():
                at = content.schema.get_field_index(name)
                content = content.set_column(at, name, content.column(name).cast(dtype))
            parquet.write_table(content, place)
    chosen = {"steps": 4, "horizon": 2, **OPTIONS}
    scan = pellucid.scan(places, cache=tmp_path / "cache")
    assert_same(windows(frame, **chosen), windows(scan, **chosen))
