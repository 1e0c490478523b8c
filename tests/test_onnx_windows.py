"""Windows of series in an ONNX graph: number by number what the encoder makes of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from onnx_encoded import Fitted, check_rows, found_by_all, graph_of, input_names

from pellucid.data import SequenceEncoder, last_window, windows
from pellucid.data.intervals import spreads
from pellucid.data.target_transforms import IDENTITY, TRANSFORMS
from pellucid.export.onnx.inputs import input_feed, inputs_of

SCALINGS = ["series", "window", "global"]


def _weather() -> pd.DataFrame:
    path = Path(__file__).parents[1] / "examples" / "seattle_weather.csv"
    table, rng = pd.read_csv(path)[:400], np.random.default_rng(0)
    table["town"] = rng.choice(["a", "b", "c"], len(table))
    for name in ("wind", "temp_max"):
        table.loc[rng.random(len(table)) < 0.1, name] = np.nan
    return table


def check_windows(model: Fitted, X, inputs="columns", rtol: float = 0.0) -> None:
    """Rows, the units of targets, and the deviations that intervals need."""
    check_rows(model, X, inputs)
    encoder = model._input
    reading = encoder.read(model, X)
    units, cut = encoder.units(model, reading), reading.content.windows
    about = {name: encoder.series[name] for name in ("target", "format") if name in encoder.series}
    cut = replace(cut, about={**cut.about, **about})
    transform = TRANSFORMS.get(encoder.target_transform, IDENTITY)
    wanted = {"spreads": spreads(cut, transform)}
    if units is not None:
        wanted |= {"shift": units.shift, "scale": units.scale}
    for found in found_by_all(model, X, inputs):
        assert found.keys() == {"x", *wanted}
        for name, values in wanted.items():
            np.testing.assert_allclose(found[name], values, rtol=rtol, atol=rtol)


def _model(X, scaling="series", calendar=False, transform=None, dtype="float32") -> Fitted:
    return Fitted(SequenceEncoder(None, None, False, scaling, calendar, transform), X, dtype)


@pytest.mark.parametrize("scaling", SCALINGS)
@pytest.mark.parametrize("calendar", [False, True])
def test_one_series_with_dates(scaling, calendar):
    X, _ = windows(_weather().drop(columns="town"), 14, 3, target="temp_min", time="date")
    model = _model(X[:200], scaling, calendar)
    assert ("date" in input_names(model)) == calendar
    check_windows(model, X[200:])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("scaling", SCALINGS)
@pytest.mark.parametrize("transform", [None, "log1p", "log"])
def test_series_by_group_with_gaps_and_columns_known_ahead(scaling, transform):
    """One of the groups was not learned from, and a column is missing in whole windows."""
    table = _weather()
    settings = {
        "steps": 7, "horizon": 2, "target": ["precipitation", "wind"], "group": "town",
        "time": "date", "known": ["temp_min", "weather"],
    }  # fmt: skip
    X, _ = windows(table, **settings)
    table["town"] = table["town"].replace("c", "another")
    table.loc[40:80, "temp_max"] = np.nan
    other, _ = windows(table, **settings, like=X.about)
    model = _model(X, scaling, True, transform)
    fed = input_feed(model, other)
    assert fed["temp_min"].shape[1] == fed["weather"].shape[1] == fed["date"].shape[1] == 9
    assert fed["wind"].shape[1] == 7 and set(fed["town"]) == {"a", "b", "another"}
    # of logarithms the last bits are those of the runtime
    check_windows(model, other, rtol=1e-12 if transform else 0.0)


def test_holidays_are_an_input():
    pytest.importorskip("holidays")
    X, _ = windows(_weather(), 7, 2, target="temp_min", time="date", holidays="US")
    model = _model(X, calendar=True)
    assert input_names(model)[-2:] == ["date", "holiday"]
    assert "holidays of US" in inputs_of(model).describe()["inputs"]
    check_windows(model, X)


@pytest.mark.parametrize("scaling", SCALINGS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_array(scaling, dtype):
    X, _ = windows(_weather()[["temp_max", "temp_min", "wind"]].to_numpy(), 7, target=1)
    model = _model(X, scaling, dtype=dtype)
    assert input_names(model) == ["X"]
    check_windows(model, X)
    check_windows(model, np.asarray(X))


def test_one_column_and_a_matrix():
    X, _ = windows(_weather()[["temp_min"]], 7)
    check_windows(_model(X), X)
    check_windows(_model(X), X, "matrix")


def test_the_last_window():
    table = _weather().drop(columns="town")
    X, _ = windows(table, 7, 2, target="temp_min", time="date")
    model = _model(X, calendar=True)
    check_windows(model, last_window(table, 7, time="date", like=X.about))


def test_a_huge_and_a_tiny_series_neither_overflow_nor_vanish():
    for size in (1e200, 1e-200):
        X, _ = windows(size * (1 + np.random.default_rng(0).random(60)), 5)
        for scaling in SCALINGS:
            check_windows(_model(X, scaling), X)


def test_hostile_names():
    names = {"temp_min": "", "wind": "holiday", "temp_max": "series", "precipitation": "x4"}
    table = _weather().rename(columns=names)
    X, _ = windows(table.drop(columns=["date"]), 5, 2, target="", group="town")
    model = _model(X)
    assert input_names(model) == ["x4", "series", "x2", "holiday", "weather", "town"]
    check_windows(model, X)


def test_what_is_known_ahead_or_text_fits_into_no_matrix():
    table = _weather()
    X, _ = windows(table, 5, target="wind", time="date")
    with pytest.raises(ValueError, match="where a column is text, as 'weather' is"):
        graph_of(_model(X), "matrix")
    numbers = table[["wind", "temp_min"]]
    X, _ = windows(numbers, 5, target="wind", known="temp_min")
    with pytest.raises(ValueError, match="where a column is known ahead, as 'temp_min' is"):
        graph_of(_model(X), "matrix")
