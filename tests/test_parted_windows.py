"""Windows in parts are those of the whole table: steps, targets, notes, and splits by time."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pellucid.data import windows
from pellucid.data.baselines import Baselines
from pellucid.data.parted_windows import PartedTargets, PartedWindows, followed
from pellucid.data.series_parts import SeriesParts
from pellucid.data.window_cutting import WindowCutter
from pellucid.data.window_sample import Sample, sample_windows

HOURS = pd.date_range("2024-01-01", periods=90, freq="h")
OPTIONS = {"target": "v", "time": "t", "group": "who"}


def table(seed=0):
    """Seven series side by side, with gaps, holes, a short one, and ends at several times."""
    rng = np.random.default_rng(seed)
    rows = []
    for who in range(7):
        length = 5 if who == 3 else int(rng.integers(40, 90))
        begin = int(rng.integers(0, 90 - length + 1))
        frame = pd.DataFrame({"t": HOURS[begin : begin + length], "who": f"s{who}"})
        frame["v"] = np.cumsum(rng.normal(size=length))
        frame["kind"] = np.where(np.arange(length) % 5, "a", "b")
        if who == 2:
            frame.loc[12:13, "v"] = np.nan
        rows.append(frame.drop(index=range(20, 23)) if who in (1, 5) else frame)
    whole = pd.concat(rows).sort_values(["t", "who"], ignore_index=True)
    return whole


def parted(frame, steps=4, horizon=2, rows=100, **options):
    chosen = {**OPTIONS, **options}

    def batches(columns):
        return (frame.iloc[k : k + 37] for k in range(0, len(frame), 37))

    with SeriesParts("windows", batches, chosen["group"], chosen["time"], rows) as parts:
        return PartedWindows.of(parts, WindowCutter(steps, horizon, **chosen))


def content(X):
    """The numbers of windows, and where their rows stand in the table."""
    rows = X.starts[:, None] + np.arange(X.steps)
    return X.table["v"].to_numpy()[rows], X.order[rows], X.order[X.ahead]


@pytest.mark.parametrize("fill", [None, "linear"])
def test_they_are_those_of_the_whole_table(fill):
    frame = table()
    whole, y = windows(frame, 4, 2, **OPTIONS, fill=fill)
    X = parted(frame, fill=fill)
    assert len(X.files) > 2 and len(X) == len(whole) and X.shape == whole.shape
    assert X.about == whole.about and X.notes == whole.notes and X.columns == whole.columns
    for found, expected in zip(
        zip(*map(content, X.parts), strict=True), content(whole), strict=True
    ):
        np.testing.assert_array_equal(np.concatenate(found), expected)
    targets = PartedTargets(X)
    assert targets.shape == y.shape
    np.testing.assert_array_equal(np.concatenate([*targets.parts]), y)


@pytest.mark.parametrize("fraction", [0.0, 0.1, 0.3, 0.77])
def test_they_are_split_at_the_same_time(fraction):
    frame = table(1)
    whole, y = windows(frame, 4, 2, **OPTIONS)
    X = parted(frame)
    for span, positions in zip(X.split(fraction), whole.split(fraction), strict=True):
        assert len(span) == len(X[span]) == len(positions)
        if len(positions):
            np.testing.assert_array_equal(
                np.concatenate([content(part)[1] for part in X[span].parts]),
                content(whole[positions])[1],
            )
            np.testing.assert_array_equal(
                np.concatenate([*PartedTargets(X)[span].parts]), y[positions]
            )
    early, _ = X.split(0.5)
    first, _ = whole.split(0.5)
    again, twice = X[early].split(0.3), whole[first].split(0.3)
    assert list(map(len, again)) == list(map(len, twice))


def test_series_without_times_are_split_by_their_shares():
    frame = table(2).drop(columns="t")
    whole, _ = windows(frame, 4, target="v", group="who")
    X = parted(frame, horizon=1, time=None)
    assert list(map(len, X.split(0.3))) == list(map(len, whole.split(0.3)))


def test_several_targets_and_one_of_them():
    frame = table().assign(w=1.5)
    X = parted(frame, target=["v", "w"])
    whole, y = windows(frame, 4, 2, **{**OPTIONS, "target": ["v", "w"]})
    assert PartedTargets(X).shape == y.shape
    np.testing.assert_array_equal(np.concatenate([followed(part) for part in X.parts]), y)
    assert X.only("w").about == whole.only("w").about


def test_no_window_at_all_is_one_sentence():
    with pytest.raises(ValueError, match=r"must have at least 101 rows: 99 steps .* Got \d+ in 's"):
        parted(table(), steps=99)


def test_single_windows_are_refused():
    with pytest.raises(TypeError, match="must be what their split gives. Got ndarray. Cut windows"):
        parted(table())[np.arange(3)]


# -- a sample -------------------------------------------------------------------------------------


def test_few_windows_are_all_taken():
    assert Sample(10, np.array([3, 0, 7])).taken().tolist() == [3, 0, 7]


def test_of_few_series_the_last_windows_are_taken_and_of_many_every_second_one():
    assert Sample(4096, np.array([9000, 0, 9000])).taken().tolist() == [2048, 0, 2048]
    counts = np.full(8, 2000)
    assert Sample(4096, counts).taken().tolist() == [1024, 0] * 4
    assert Sample(4096, np.append(0, counts)).taken().tolist() == [0, *[1024, 0] * 4]


def test_a_sample_of_parts_holds_the_same_windows_as_one_in_memory(monkeypatch):
    monkeypatch.setattr("pellucid.data.window_sample._LEAST", 5)
    frame = table()
    whole, y = windows(frame, 4, 2, **OPTIONS)
    here, positions = sample_windows(whole, 20)
    there, none = sample_windows(parted(frame), 20)
    assert none is None and 10 < len(there) == len(here) == len(positions) <= 22
    for found, expected in zip(content(there), content(here), strict=True):
        np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(followed(there), y[positions])
    assert len(there.table) < len(frame) / 2


# -- forecasts to beat ----------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_the_forecasts_to_beat_are_those_of_the_whole_table(seed):
    frame = table(seed)
    whole, _ = windows(frame, 4, 2, **OPTIONS)
    for learned, parts in ((whole, parted(frame)), (whole[whole.split(0.3)[0]], None)):
        X = parts or parted(frame)
        X = X if parts is not None else X[X.split(0.3)[0]]
        (config, arrays), (found, there) = (Baselines(one).state() for one in (learned, X))
        assert found == config
        for name, array in arrays.items():
            np.testing.assert_array_equal(there[name], array, err_msg=name)
