"""What a file in ONNX says of its own inputs: whoever feeds it knows nothing else."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from onnx_encoded import Fitted, functions_of_the_page, graph_of
from PIL import Image

from pellucid import FCNNClassifier, FCNNRegressor
from pellucid.data import PictureEncoder, SequenceEncoder, TableEncoder, TokenEncoder, windows
from pellucid.data.vocabulary import Vocabulary
from pellucid.export.onnx.inputs import input_feed, inputs_of

pytestmark = pytest.mark.filterwarnings("ignore")
RNG = np.random.default_rng(0)


def told(model, inputs="columns"):
    """The metadata about inputs."""
    return {key: json.loads(text) for key, text in inputs_of(model, inputs).describe().items()}


def test_how_numbers_truth_values_and_codes_are_written_as_text():
    table = pd.DataFrame({
        "floors": pd.Categorical([1.0, 2.0, 2.5, None] * 5),
        "old": pd.Categorical([True, False, True, None] * 5),
        "zip": ["01234", "12345", "00001", None] * 5,
    })  # fmt: skip
    known = told(Fitted(TableEncoder(), table))
    assert known["categories"] == {
        "floors": ["1", "2", "2.5"], "old": ["False", "True"], "zip": ["00001", "01234", "12345"],
    }  # fmt: skip
    assert known["inputs"] == {
        name: f'{text}, single blanks, NFC, "" if missing'
        for name, text in (
            ("floors", "text, as '1'"),
            ("old", "text, as 'False'"),
            ("zip", "text of 5 digits, zeros in front too, as '00001'"),
        )
    }


def test_the_page_feeds_a_table_as_the_model_reads_it():
    table = pd.DataFrame({
        "floors": pd.Categorical([1.0, 2.0, 2.5, None] * 5), "size": RNG.normal(size=20),
        "old": pd.Categorical([True, False, True, None] * 5), "new": [True, False] * 10,
        "city": [" New  York ", "Zu\u0308rich", "Rome", None] * 5, "gap": [1, None] * 10,
        "day": pd.date_range("2020-03-28", periods=20, freq="6h"),
        "there": pd.date_range("2020-03-28", periods=20, freq="6h", tz="Europe/Berlin"),
        "took": [*pd.to_timedelta(RNG.integers(0, 9000, 19), "s"), pd.NaT],
        "whole": pd.array([1, 2, 3, None] * 5, dtype="Int64"),
    })  # fmt: skip
    column = functions_of_the_page()["column"]
    for name, fed in input_feed(Fitted(TableEncoder(), table), table).items():
        kind = "tensor(string)" if fed.dtype == object else "tensor(double)"
        np.testing.assert_array_equal(column(table[name], kind), fed[:, 0])


def test_the_page_feeds_a_window_by_the_clock_on_the_wall():
    table = pd.DataFrame({
        "at": pd.date_range("2020-03-28", periods=40, freq="h", tz="Europe/Berlin"),
        "v": RNG.normal(size=40),
    })  # fmt: skip
    X, _ = windows(table, 6, 3, target="v", time="at")
    model = Fitted(SequenceEncoder(calendar=True), X)
    fed = input_feed(model, X[30:31])
    inputs = [
        SimpleNamespace(name=name, type="tensor(double)", shape=["rows", value.shape[1]])
        for name, value in fed.items()
    ]
    rows = functions_of_the_page()["window"](table[30:39], inputs, "at")
    assert list(rows) == ["v", "at"]
    for name, value in rows.items():
        np.testing.assert_array_equal(value, fed[name])


def test_categories_that_are_embedded_are_named_too():
    words = [f"w{n}" for n in RNG.integers(0, 200, 900)]
    model = Fitted(TableEncoder(Vocabulary(10_000, 1)), pd.DataFrame({"word": words}))
    assert model._input.plan.embedded and set(told(model)["categories"]["word"]) == set(words)


def test_a_column_without_a_name_is_told_by_its_place():
    table = pd.DataFrame({"size": RNG.normal(size=20), "": ["a", "b"] * 10})
    known = told(Fitted(TableEncoder(), table))
    assert known["inputs"]["x1"].endswith("; column 1, which has no name")
    assert known["categories"] == {"x1": ["a", "b"]} and "name" not in known["inputs"]["size"]


def test_dates_times_of_day_and_units():
    table = pd.DataFrame({
        "day": pd.date_range("2020", periods=20, tz="Europe/Berlin"),
        "at": ["12:30", "9:05", "14:00", "23:59"] * 5,
        "price": [f"${n},500" for n in range(10, 30)],
    })  # fmt: skip
    for inputs in ("columns", "matrix"):
        model = Fitted(TableEncoder(), table)
        known = told(model, inputs)["inputs" if inputs == "columns" else "columns"]
        assert known == {
            "day": "a date in seconds since 1970, UTC, NaN if missing",
            "at": "a time of day in seconds since midnight, NaN if missing",
            "price": "a number in '$', NaN if missing",
        }
    feed = inputs_of(model).feed(model._input.read(model, table[:1]))
    assert {name: one.item() for name, one in feed.items()} == {
        "day": 1577833200.0, "at": 45000.0, "price": 10500.0,
    }  # fmt: skip


def test_the_columns_of_a_matrix_of_sequences_and_of_windows():
    table = pd.DataFrame(RNG.normal(size=(40, 2)), columns=["a", "b"])
    steps = [table[place : place + 5] for place in range(8)]
    X, _ = windows(table, 5, 2, target="a")
    for model in (Fitted(SequenceEncoder(), steps), Fitted(SequenceEncoder(), X)):
        known = told(model, "matrix")
        assert list(known["inputs"]) == ["X"] and list(known["columns"]) == ["a", "b"]
        assert "columns" not in told(model)


def test_windows_tell_their_steps_their_clock_and_their_series():
    table = pd.DataFrame({
        "shop": np.repeat(["1", "30"], 60), "t": [*pd.date_range("2020", periods=60, freq="h")] * 2,
        "v": RNG.normal(size=120), "promotion": RNG.integers(0, 2, 120) * 1.0,
    })  # fmt: skip
    X, _ = windows(table, 6, 3, target="v", time="t", group="shop", known="promotion")
    known = told(Fitted(SequenceEncoder(calendar=True), X))
    assert known["categories"] == {"shop": ["1", "30"]}
    assert known["inputs"]["v"].startswith("(rows, 6), the last 6 steps: a number")
    assert known["inputs"]["promotion"].startswith("(rows, 9), the last 6 steps and 3 ahead: ")
    assert "by the clock on the wall, without its zone" in known["inputs"]["t"]


def test_signals_are_filled_up_with_nan_where_those_of_fit_were_of_unequal_length():
    X = RNG.normal(size=(5, 30, 2))
    some = [row[:length] for row, length in zip(X, [30, 5, 9, 20, 11], strict=True)]
    assert (
        "NaN behind the end of shorter ones"
        in told(Fitted(PictureEncoder(signals=True), some))["inputs"]["X"]
    )
    assert "NaN" not in told(Fitted(PictureEncoder(signals=True), X))["inputs"]["X"]


@pytest.mark.parametrize(
    ("resize", "words"),
    [("stretch", "resized to 6 x 5"), ("pad", "resized to fit the middle of a black 6 x 5"),
     ("crop", "their middle resized to 6 x 5")],
)  # fmt: skip
def test_pictures_tell_their_numbers_and_how_they_are_resized(resize, words):
    levels = RNG.integers(0, 256, (5, 8, 9, 3)).astype(np.uint8)
    model = Fitted(
        PictureEncoder(image_size=(6, 5), resize=resize), [*map(Image.fromarray, levels)]
    )
    assert told(model)["inputs"]["X"] == (
        "(rows, height, width, channels): pictures, not scaled, levels from 0 to 255, "
        f"{words} by Pillow's BILINEAR"
    )
    shares = Fitted(PictureEncoder(), levels.clip(0, 200) / 200)
    assert told(shares)["inputs"]["X"].endswith("pictures, not scaled, numbers as from 0 to 1")


def test_each_input_and_output_of_a_graph_bears_its_words():
    model = FCNNClassifier(4, max_epochs=1, verbose=0).fit({"label": [1.0, 2.0] * 9}, [0, 1] * 9)
    graph = model.to_onnx().graph
    assert {one.name: one.doc_string for one in [*graph.input, *graph.output]} == {
        "label": "a number, NaN if missing", "label_": "the most likely class",
        "probabilities": "the probability of each class, in the order of classes",
    }  # fmt: skip
    model = FCNNRegressor(4, max_epochs=1, verbose=0).fit(np.eye(9), np.arange(9.0))
    (output,) = model.to_onnx().graph.output
    assert output.doc_string == "what is predicted, in the units of y"


def test_text_fits_into_no_matrix_of_numbers():
    model = Fitted(TokenEncoder(min_count=1), ["a b", "b"])
    with pytest.raises(ValueError, match='"columns" for a model of text, whose one input is its'):
        graph_of(model, "matrix")
