"""What a network reads of windows: each in a scale of its own, the calendar, the series."""

import tracemalloc

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from pellucid import LSTMClassifier, LSTMRegressor, NetworkRegressor, load
from pellucid.data import SequenceEncoder, last_window, windows
from pellucid.data.window_features import Units, WindowFeatures
from pellucid.layers import GRU, Linear

QUICK = {"hidden_dim": 4, "max_epochs": 2, "random_state": 0, "verbose": 0}


def series(count=40, **columns):
    days = pd.date_range("2024-01-01", periods=count)
    return pd.DataFrame({"day": days, "v": 10 + np.sin(np.arange(count) / 3), **columns})


def two(a=40, b=30, **columns):
    """Two series of different scales, the second of which ends sooner."""
    frame = pd.concat([series(a), series(b)], ignore_index=True)
    frame["name"] = ["a"] * a + ["b"] * b
    frame.loc[a:, "v"] *= 1000
    return frame.assign(**columns)


def learned(X, scaling="series", calendar=False, transform=None, weights=None):
    """The encoder and its rows as one float64 array."""
    encoder = SequenceEncoder(None, None, False, scaling, calendar, transform)
    reading = encoder.read(LSTMRegressor(), X, learn=True)
    return encoder, np.asarray(encoder.learn(LSTMRegressor(), reading, weights, np.float64))


def cut(frame, steps=6, horizon=2, **more):
    more = {"time": "day", **({"group": "name"} if "name" in frame else {}), **more}
    return windows(frame, steps, horizon, target="v", **more)


def encoded(encoder, X):
    reading = encoder.read(LSTMRegressor(), X)
    return np.asarray(encoder.encode(LSTMRegressor(), reading)), encoder.units(None, reading)


# -- scales --------------------------------------------------------------------------------------


def test_each_scaling_is_as_it_is_defined():
    """Computed once more, window by window, from the series themselves."""
    frame = two()
    X, y = cut(frame)
    parts = {"a": frame["v"][:40].to_numpy(), "b": frame["v"][40:].to_numpy()}
    pieces = [(n, v[i : i + 6]) for n, v in parts.items() for i in range(len(v) - 7)]
    for scaling in ("window", "series"):
        encoder, rows = learned(X, scaling)
        units = encoder.units(None, encoder.read(LSTMRegressor(), X))
        for place, (name, piece) in enumerate(pieces):
            apart = [part - part[-1] for n, part in pieces if n == name]
            scale = np.sqrt(np.mean(np.square(apart)))
            scale = max(piece.std(), 0.05 * scale) if scaling == "window" else scale
            np.testing.assert_allclose(units.shift[place], piece[-1])
            np.testing.assert_allclose(units.scale[place], scale)
            np.testing.assert_allclose(rows[place, :, 0], (piece - piece[-1]) / scale, atol=1e-9)
            assert rows[place, :, 1:].tolist() == [[name == "a", name == "b"]] * 6
    encoder, rows = learned(X, "global")
    values = np.concatenate([parts["a"][:-2], parts["b"][:-2]])  # that lie in any window
    levels = np.array([piece for _, piece in pieces])
    np.testing.assert_allclose(rows[:, :, 0], (levels - values.mean()) / values.std(), atol=1e-9)
    assert encoder.units(None, encoder.read(LSTMRegressor(), X)) is None


def test_what_hardly_moves_is_no_unit():
    """A window's own deviation counts down to a twentieth of its series' scale."""
    frame = series(v=np.r_[np.sin(np.arange(20)), np.full(20, 0.5)])
    encoder, rows = learned(cut(frame)[0], "window")
    units = encoder.units(None, encoder.read(LSTMRegressor(), cut(frame)[0]))
    assert units.scale.min() == pytest.approx(0.05 * encoder.windows.scales[0, 0])
    assert not rows[-1, :, 0].any()
    encoder, rows = learned(cut(series(v=7.0))[0])  # one number alone: a scale of 1
    assert encoder.windows.scales.tolist() == [[1.0]] and not rows[:, :, 0].any()


def test_missing_numbers_are_0_and_the_last_known_one_is_the_level():
    frame = series(w=np.where(np.arange(40) == 12, np.nan, np.arange(40.0)))
    encoder, rows = learned(cut(frame)[0])
    window = rows[7]  # rows 7 to 12: v, w, and whether w is missing
    assert window[:, 2].tolist() == [0] * 5 + [1]
    apart = window[:, 1] * encoder.windows.scales[0, 1]
    np.testing.assert_allclose(apart, [-4, -3, -2, -1, 0, 0], atol=1e-12)


def test_a_window_without_any_number_has_the_level_of_its_series():
    """Not 0, which may be far from all that its series has been."""
    frame = two(60, 60)
    frame.loc[20:28, "v"] = frame.loc[80:88, "v"] = np.nan
    X, y = cut(frame)
    there = np.isfinite([frame["v"][s : s + 6].notna().any() or np.nan for s in X.starts])
    assert not there.all()
    encoder, _ = learned(X)
    units = encoder.units(None, encoder.read(LSTMRegressor(), X))
    known = X.last("v")
    for code in (0, 1):
        blind = ~there & (X.owners == code)
        np.testing.assert_allclose(
            units.shift[blind, 0], np.nanmean(known[X.owners == code]), rtol=1e-12
        )
    assert (np.abs(units.relative(y)) < 5).all()


@pytest.mark.parametrize("name", ("log", "log1p"))
def test_a_transform_goes_before_the_scale(name):
    """And what it does not take is missing, then as later."""
    frame = series(w=-1.0)
    frame["w"] = np.arange(40.0) - 20  # another column, which is left as it is
    forward = np.log if name == "log" else np.log1p
    X, y = cut(frame)
    encoder, rows = learned(X, transform=name)
    scales = encoder.windows.scales[0]
    values = forward(frame["v"].to_numpy())
    np.testing.assert_allclose(rows[3, :, 0] * scales[0], values[3:9] - values[8], atol=1e-12)
    np.testing.assert_allclose(rows[3, :, 1] * scales[1], np.arange(-5.0, 1), atol=1e-12)
    frame.loc[35:, "v"] = -5.0
    later, units = encoded(encoder, cut(frame)[0])
    np.testing.assert_allclose(units.shift[-1], values[34], rtol=1e-12)
    assert not later[-1, 3:, 0].any()


@pytest.mark.parametrize("scaling", ("window", "series"))
@pytest.mark.parametrize("size", (1e-310, 1e-200, 1e160, 1e300))
def test_numbers_of_any_size_are_read_alike(size, scaling):
    """Their squares would vanish or overflow: only the unit differs."""
    frame = series()
    rows = learned(cut(frame)[0], scaling)[1]
    other = learned(cut(frame.assign(v=frame["v"] * size))[0], scaling)[1]
    np.testing.assert_allclose(other, rows, atol=1e-12 if size > 1e-300 else 1e-6)
    model = LSTMRegressor(scaling=scaling, **QUICK)
    plain, large = (
        model.fit(*cut(frame.assign(v=frame["v"] * by))).forecast(frame.assign(v=frame["v"] * by))
        for by in (1.0, size)
    )
    np.testing.assert_allclose(large["v"] / size, plain["v"], rtol=1e-5)


# -- which columns -------------------------------------------------------------------------------


def test_a_column_that_never_changes_in_a_series_keeps_its_level():
    """As a shop's size, of which the distance to the last value would say nothing."""
    frame = two(size=[3.0] * 40 + [5.0] * 30, same=[np.nan] * 40 + [1.0] * 30, moves=1.0)
    frame["moves"] = np.arange(70) % 5
    encoder, rows = learned(cut(frame)[0])
    assert encoder.windows.scaled == [0, 3] and encoder.windows.known == []
    assert rows.shape[2] == 2 + 2 + 1 + 2  # v, moves; size, same, that it is missing; a, b
    assert len(np.unique(rows[:, :, 2])) == 2
    one = learned(cut(frame[:40].drop(columns="name"))[0])[0]
    assert one.windows.scaled == [0, 1, 2, 3]  # of one series nothing is told apart


def test_a_column_that_changes_later_is_what_it_was_in_the_training():
    frame = two(size=[3.0] * 40 + [5.0] * 30)
    frame.loc[36:39, "size"] = 3000.0
    X, _ = cut(frame)
    learn, _ = X.split(0.25)
    assert learned(X[learn])[0].windows.scaled == [0]
    assert learned(X)[0].windows.scaled == [0, 1]


def test_several_series_that_never_move_are_learned():
    """A target is no level that tells series apart, even where it is the same in each."""
    frame = two()
    frame["v"] = [3.0] * 40 + [500.0] * 30
    X, y = cut(frame)
    model = LSTMRegressor(**QUICK).fit(X, y)
    np.testing.assert_allclose(model.predict(X), y, rtol=1e-6)


def test_series_that_only_come_later_are_not_learned_from():
    frame = two(100, 30)
    frame.loc[100:, "day"] = pd.date_range("2024-03-15", periods=30)
    X, y = cut(frame)
    learn, test = X.split(0.35)
    model = LSTMRegressor(scaling="series", **QUICK).fit(X[learn], y[learn])
    assert model.sequences_.windows.series == ["a"] and model.sequences_.windows.told == []
    with pytest.warns(UserWarning, match="1 series was not learned from, and each .*: 'b'"):
        predicted = model.predict(X[test])
    late = X.owners[test] == 1
    assert np.abs(predicted[late] / y[test][late] - 1).max() < 0.2


def test_a_new_series_is_read_alike_alone_and_in_any_company():
    """Each of its windows by itself, so that nothing of what comes later is in it."""
    frame = two()
    encoder, _ = learned(cut(frame[:40])[0])
    with pytest.warns(UserWarning, match="1 series was not learned from") as told:
        whole, units = encoded(encoder, cut(frame)[0])
    assert len(told) == 1
    X = cut(frame)[0]
    for place in (33, 40, len(X) - 1):
        with pytest.warns(UserWarning, match="'b'"):
            alone, own = encoded(encoder, X[place])
        np.testing.assert_array_equal(alone[0], whole[place])
        np.testing.assert_array_equal(own.scale[0], units.scale[place])
        apart = frame["v"].to_numpy()[X.starts[place] :][:6]
        np.testing.assert_allclose(own.scale, np.sqrt(np.mean((apart - apart[-1]) ** 2)))


def test_many_series_are_not_told_apart():
    frame = pd.concat([series(12).assign(name=f"s{i}") for i in range(51)], ignore_index=True)
    assert learned(cut(frame)[0])[1].shape[2] == 1
    fewer = frame[frame["name"] != "s7"].reset_index(drop=True)
    encoder, rows = learned(cut(fewer)[0])
    assert rows.shape[2] == 51 and len(encoder.windows.told) == 50


def test_windows_of_weight_0_are_not_learned_from():
    frame = two()
    X, y = cut(frame)
    weights = (X.owners == 0) & (np.arange(len(X)) < 20)
    encoder, _ = learned(X, weights=weights.astype(float))
    other, _ = learned(X[np.flatnonzero(weights)])
    assert encoder.windows.series == ["a"]
    np.testing.assert_array_equal(encoder.windows.scales, other.windows.scales)
    wild = frame.copy()
    wild.loc[30:, "v"] *= -1e6
    model, other = (
        LSTMRegressor(**QUICK).fit(*cut(one), sample_weight=weights) for one in (frame, wild)
    )
    assert model.digest_ == other.digest_


# -- what is known of the steps ahead ------------------------------------------------------------


def test_the_calendar_and_known_columns_reach_into_the_steps_ahead():
    frame = two(plan=np.arange(70) % 4.0, noise=np.arange(70) % 7.0)
    X, y = cut(frame, known="plan")
    encoder, rows = learned(X, calendar=True)
    found = encoder.windows
    assert found.cycles == ["year", "week"] and (found.known, found.ahead) == ([1], 2)
    # v, noise; plan; sine and cosine of the year and the week; a, b; ahead
    assert rows.shape == (len(X), 8, 2 + 1 + 4 + 2 + 1) and encoder.shape == rows.shape[1:]
    assert rows[0, :, -1].tolist() == [0] * 6 + [1] * 2
    assert not rows[:, 6:, :2].any()  # nothing of them is known
    plan = rows[:, :, 2]
    values = frame["plan"].to_numpy()
    scaler = (plan[0, 1] - plan[0, 0]) / (values[1] - values[0])
    for place in (0, 5, 40):
        start = X.starts[place]
        np.testing.assert_allclose(
            np.diff(plan[place]), np.diff(values[start : start + 8]) * scaler, atol=1e-12
        )
    week = rows[0, :, 5:7]  # the 1st of January 2024 was a Monday
    np.testing.assert_allclose(week[:, 0], np.sin(2 * np.pi * np.arange(8) / 7), atol=1e-12)
    np.testing.assert_allclose(week[7], week[0], atol=1e-12)


def test_windows_that_end_with_their_series_have_no_steps_ahead():
    X, y = cut(series(plan=np.arange(40) % 4), known="plan")
    model = LSTMRegressor(**QUICK).fit(X, y)
    end = last_window(series(plan=np.arange(40) % 4), 6, time="day")
    words = r"X must have 2 rows behind each window, for what .* Use model.forecast\(frame\), or"
    with pytest.raises(ValueError, match=words):
        model.predict(end)


# -- whatever columns are called, and whatever they look like --------------------------------------


def test_columns_whose_names_are_numbers():
    frame = pd.DataFrame({5: np.arange(40) % 4.0, 7: np.sin(np.arange(40.0))})
    X, y = windows(frame, 6, 2, target=7, known=[5])
    model = LSTMRegressor(scaling="series", **QUICK).fit(X, y)
    found = model.sequences_.windows
    assert (found.known, found.scaled, found.targets) == ([0], [1], [0])
    named = frame.rename(columns={5: "plan", 7: "v"})
    same = windows(named, 6, 2, target="v", known="plan")
    other = LSTMRegressor(scaling="series", **QUICK).fit(*same)
    np.testing.assert_array_equal(other.network_.values, model.network_.values)
    X, y = windows(frame, 6, 2, target=7)
    assert LSTMRegressor(**QUICK).fit(X, y).forecast(frame).columns.tolist() == ["step", 7]


@pytest.mark.parametrize(
    "values",
    (
        pd.date_range("2024-01-01", periods=40).strftime("%Y%m%d").astype(int),
        pd.array(np.arange(40) % 7, dtype="Int64"),
        pd.Series([f"{1000 + i % 7:,}".replace(",", ".") for i in range(40)]),
        np.arange(40.0),
    ),
    ids=("like dates", "nullable", "text", "straight"),
)
@pytest.mark.parametrize("scaling", ("window", "series", "global"))
def test_a_target_is_a_number_whatever_it_looks_like(values, scaling, tmp_path):
    X, y = cut(series(v=values))
    model = LSTMRegressor(scaling=scaling, **QUICK).fit(X, y)
    assert model.sequences_.table.kinds == ["number"]
    assert np.isfinite(model.forecast(series(v=values))["v"].to_numpy(float)).all()
    model.save(tmp_path / "m")
    np.testing.assert_array_equal(load(tmp_path / "m").predict(X), model.predict(X))


@pytest.mark.parametrize("library", (pl.from_pandas, pa.Table.from_pandas), ids=("polars", "arrow"))
def test_tables_of_other_libraries_are_read_alike(library):
    frame = two(plan=np.arange(70) % 4, size=[1.0] * 40 + [2.0] * 30)
    ours, theirs = (
        LSTMRegressor(**QUICK).fit(*cut(one, time="day", group="name", known="plan"))
        for one in (frame, library(frame))
    )
    np.testing.assert_array_equal(ours.network_.values, theirs.network_.values)
    assert ours.sequences_.windows.scaled == theirs.sequences_.windows.scaled == [0]


def test_a_classifier_reads_windows_as_they_are():
    frame = two(size=[1.0] * 40 + [2.0] * 30)
    X, y = cut(frame, horizon=1)
    model = LSTMClassifier(**QUICK).fit(X, np.where(y > 10, "up", "down"))
    found = model.sequences_.windows
    assert (found.scaling, found.scaled, found.targets, found.ahead) == ("global", [], [], 0)
    end = last_window(frame, 6, time="day", group="name", like=model.sequences_.series)
    assert model.predict(end).shape == (2,)


def test_a_network_of_one_s_own_reads_windows_as_planned():
    X, y = cut(two())
    for scaling in ("window", "series", "global"):
        model = NetworkRegressor(
            [GRU(4), Linear(2, bias=False)], scaling=scaling, max_epochs=2, random_state=0,
            verbose=0,
        ).fit(X, y)  # fmt: skip
        assert model.sequences_.windows.scaling == scaling
        assert model.predict(X).shape == y.shape


# -- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("X", "came"),
    (
        (np.ones((3, 6, 1)), "ndarray"),
        (np.ones((3, 6)), "ndarray"),
        ([np.ones((4, 1)), np.ones((6, 1))], "list"),
        (series(), "a table"),
    ),
    ids=("array", "flat", "list", "table"),
)
def test_a_model_of_windows_takes_windows_alone(X, came):
    model = LSTMRegressor(**QUICK).fit(*cut(series()))
    words = rf"X of LSTMRegressor must be windows of a series, as in fit. Got {came}. Use forecast"
    for use in (model.predict, lambda X: model.partial_fit(X, np.ones((len(X), 2)))):
        with pytest.raises(TypeError, match=words):
            use(X)
    with pytest.raises(TypeError, match=f"validation_data of .* cannot be used. {words}"):
        model.fit(*cut(series()), validation_data=(X, np.ones((len(X), 2))))


def test_a_scaling_is_one_of_four_and_only_of_windows():
    X, y = cut(series())
    words = "scaling of LSTMRegressor must be one of 'auto', 'window', 'series', 'global'. Got "
    for bad, error in (("revin", ValueError), (3, TypeError), (None, TypeError)):
        with pytest.raises(error, match=words):
            LSTMRegressor(scaling=bad, **QUICK).fit(X, y)
        with pytest.raises(error, match=words):
            LSTMRegressor(scaling=bad, **QUICK).fit(np.ones((9, 4)), np.arange(9.0))
    words = 'must be "auto" or "global" where X is not windows of a DataFrame. Got \'series\'. Cut'
    with pytest.raises(ValueError, match=words):
        LSTMRegressor(scaling="series", **QUICK).fit(np.ones((9, 4)), np.arange(9.0))
    LSTMRegressor(scaling="global", **QUICK).fit(np.eye(9), np.arange(9.0))


# -- files ---------------------------------------------------------------------------------------


def test_what_was_learned_comes_back_from_its_state():
    frame = two(plan=np.arange(70) % 4, size=[1.0] * 40 + [2.0] * 30)
    encoder, _ = learned(cut(frame, known="plan")[0], "window", calendar=True)
    config, arrays = encoder.windows.state()
    kinds = encoder.table.kinds
    again = WindowFeatures.from_state(config, arrays, kinds, 2)
    assert again.state()[0] == config
    for name, array in arrays.items():
        np.testing.assert_array_equal(again.state()[1][name], array)
    assert again.words() == (
        "scaled each window by its own last value and deviation; the calendar (year, week)"
    )


@pytest.mark.parametrize(
    ("change", "words"),
    (
        ({"scaled": [9]}, "must be those of their 4 columns and 2 steps ahead"),
        ({"scaled": [-1]}, "must be those of their 4 columns"),
        ({"scaled": [3]}, "must be those of their 4 columns"),  # which is text
        ({"scaled": [1]}, "must be those of their 4 columns"),  # which is known ahead
        ({"targets": [1]}, "must be those of their 4 columns"),
        ({"targets": []}, "must be those of their 4 columns"),
        ({"known": [4]}, "must be those of their 4 columns"),
        ({"known": [1, 1]}, "must be those of their 4 columns"),
        ({"told": ["a"]}, "must be those of their 4 columns"),
        ({"ahead": 3}, "must be those of their 4 columns"),
        ({"ahead": 0}, "must be those of their 4 columns"),
        ({"scaling": "global"}, "must be those of their 4 columns"),
        ({"series": ["a", "a"], "told": []}, "must be those of their 4 columns"),
        ({"series": ["a"], "told": []}, r"levels of windows must be float64 of shape \(1, 1\)"),
        ({"scaling": "revin"}, "the features of windows must be as save wrote it"),
        ({"cycles": ["moon"]}, "the features of windows must be as save wrote it"),
        ({"transform": "sqrt"}, "the features of windows must be as save wrote it"),
        ({"more": 1}, "the features of windows must be as save wrote it"),
        ({"scales": np.zeros((2, 1))}, "must be those of their 4 columns"),
        ({"scales": np.full((2, 1), np.nan)}, "scales of windows must be finite"),
        ({"levels": np.full((2, 1), np.inf)}, "levels of windows must be finite"),
        ({"levels": None}, "levels is not there"),
        ({"scales": np.ones((2, 1), np.float32)}, "scales of windows must be float64 of shape"),
    ),
)
def test_a_damaged_state_is_refused(change, words):
    frame = two(plan=np.arange(70) % 4, size=[1.0] * 40 + [2.0] * 30, kind=["x", "y"] * 35)
    encoder, _ = learned(cut(frame, known="plan")[0], "window", calendar=True)
    config, arrays = encoder.windows.state()
    for name, value in change.items():
        if name in arrays:
            arrays = {key: value if key == name else array for key, array in arrays.items()}
            arrays = {key: array for key, array in arrays.items() if array is not None}
        else:
            config = {**config, name: value}
    with pytest.raises(ValueError, match=words):
        WindowFeatures.from_state(config, arrays, encoder.table.kinds, 2)


def test_features_of_windows_go_with_a_series():
    encoder, _ = learned(cut(series())[0])
    config, arrays = encoder.state()
    words = "the features of windows must be those of a series. Got some without it"
    for broken in ({**config, "series": None}, {**config, "windows": None}):
        with pytest.raises(ValueError, match=words):
            SequenceEncoder().from_state(broken, arrays)


# -- size ----------------------------------------------------------------------------------------


def test_a_long_series_needs_no_more_than_a_few_times_its_table():
    """Never all steps of all windows at once, which here were 160 MB."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(12_000, 10)), columns=[f"c{i}" for i in range(10)])
    X, y = windows(frame, 168, 12, target="c0")
    encoder = SequenceEncoder(scaling="window")
    reading = encoder.read(LSTMRegressor(), X, learn=True)
    tracemalloc.start()
    try:
        encoder.learn(LSTMRegressor(), reading, None, np.float32)
        encoder.units(None, encoder.read(LSTMRegressor(), X))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 25 * 8 * frame.size


def test_units_repeat_over_the_steps_ahead():
    """Of several targets each has its own, and the targets of a step lie side by side."""
    units = Units(np.array([[1.0, 10.0], [2.0, 20.0]]), np.array([[1.0, 5.0], [2.0, 4.0]]))
    y = np.array([[1.0, 10, 2, 15, 3, 20], [4, 20, 2, 24, 0, 16]])
    np.testing.assert_array_equal(units.relative(y), [[0, 0, 1, 1, 2, 2], [1, 0, 0, 1, -1, -1]])
    np.testing.assert_array_equal(units.absolute(units.relative(y)), y)


# -- names ---------------------------------------------------------------------------------------


def test_each_number_of_a_step_has_the_name_of_what_it_is_made_of():
    """A column that is changed changes the numbers that are made of it, and no others."""
    frame = two(promotion=np.arange(70) % 3, kind=["x", "y"] * 35)
    X, _ = cut(frame, known=["promotion"], holidays="DE")
    encoder, rows = learned(X, calendar=True)
    names, sources = encoder.output_names, encoder.output_sources
    assert len(names) == rows.shape[2] == encoder.shape[1]
    changed = {
        "v": frame["v"] + np.arange(70) ** 2 % 7,
        "promotion": frame["promotion"] + 1,
        "kind": frame["kind"].map({"x": "y", "y": "x"}),
        "calendar": frame["day"] + pd.Timedelta(days=1),
    }
    for source, values in changed.items():
        other = frame.assign(**{"day" if source == "calendar" else source: values})
        moved = encoded(encoder, cut(other, known=["promotion"], holidays="DE")[0])[0] != rows
        found = {sources[place] for place in np.flatnonzero(moved.any(axis=(0, 1)))}
        assert found - {"holidays"} == {source}
    in_a = rows[0, 0]
    assert in_a[names.index("series=a")] == 1 and in_a[names.index("series=b")] == 0
    assert rows[0, :, names.index("lies ahead")].tolist() == [0] * 6 + [1] * 2
    assert rows[0, 0, names.index("holiday")] == 1  # the first of January
    assert "sine of the week" in names
