"""Tables encoded in an ONNX graph: number by number what the encoder makes of them."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx_encoded import Fitted, check_rows, graph_of, input_names

from pellucid.data import TableEncoder
from pellucid.data.vocabulary import Vocabulary
from pellucid.export.onnx.inputs import input_feed

EXAMPLES = Path(__file__).parents[1] / "examples"
ROWS = 12
DATES = [
    pd.Timestamp(text)
    for text in ("1970-01-01", "2000-02-29", "1999-12-31 23:59:59", "2024-12-30", "1900-03-01")
]
NAMES = ["label", "code", "", "a\nb", 'it\'s "x"', "\U0001f600", "pellucid/Add_0", "x0", "x1_"]

numbers = st.floats(-1e300, 1e300) | st.sampled_from([0.0, 1.0, 1e300, -1e-200, 1e-200, np.nan])
texts = st.sampled_from(["a", "b", "ä", "0", "naïve café", "価格", None])
columns = st.one_of(
    st.lists(numbers, min_size=ROWS, max_size=ROWS),
    st.lists(numbers, min_size=1, max_size=1).map(lambda one: one * ROWS),
    st.lists(st.integers(-3, 3).map(float) | st.just(np.nan), min_size=ROWS, max_size=ROWS),
    st.lists(st.booleans(), min_size=ROWS, max_size=ROWS),
    st.lists(texts, min_size=ROWS, max_size=ROWS),
    st.lists(
        st.datetimes(pd.Timestamp(1678, 1, 1), pd.Timestamp(2261, 1, 1)) | st.just(pd.NaT),
        min_size=ROWS, max_size=ROWS,
    ),
    st.lists(st.sampled_from(DATES), min_size=ROWS, max_size=ROWS),
)  # fmt: skip
tables = st.lists(columns, min_size=1, max_size=6).flatmap(
    lambda several: st.permutations(NAMES).map(
        lambda names: pd.DataFrame(dict(zip(names, several, strict=False)))
    )
)


def check_table(table: pd.DataFrame, known: int) -> None:
    """Learned from the first rows, which others follow."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check_rows(Fitted(TableEncoder(), table[:known]), table)


@settings(max_examples=25)
@given(tables, st.integers(2, ROWS))
def test_any_table(table, known):
    try:
        check_table(table, known)
    except ValueError as error:  # a column of new rows that is refused, as one of another kind
        assert "must hold" in str(error)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["penguins", "seattle_weather"])
def test_the_tables_of_the_examples(name, dtype):
    table = pd.read_csv(EXAMPLES / f"{name}.csv")
    check_rows(Fitted(TableEncoder(), table, dtype), table)


@pytest.mark.filterwarnings("ignore")
def test_rare_embedded_and_unseen_texts():
    rng = np.random.default_rng(0)
    words = [f"w{n}" for n in rng.integers(0, 200, 900)]
    table = pd.DataFrame({"n": rng.normal(size=900), "word": words})
    table.loc[::9, "word"] = None
    new = table.assign(word=[*words[:450], *(f"new {n}" for n in range(450))])
    for vocabulary in (None, Vocabulary(150, 1), Vocabulary(10_000, 1)):
        check_rows(Fitted(TableEncoder(vocabulary), table), new)
    whole = table.dropna()
    check_rows(Fitted(TableEncoder(Vocabulary(10_000, 1)), whole), table)


@pytest.mark.filterwarnings("ignore")
def test_columns_written_as_text_come_as_numbers():
    table = pd.DataFrame(
        {
            "share": ["12 %", "3 %", "n/a", "40 %"] * 5,
            "when": ["03.01.2020", "24.12.2021", None, "01.02.2022"] * 5,
            "none": [None] * 20,
            "zip": ["01234", "12345", "00001", None] * 5,
        }
    )
    model = Fitted(TableEncoder(), table)
    check_rows(model, table)
    fed = input_feed(model, table[:1])
    assert fed.pop("zip").item() == "01234"
    wanted = {"share": 12.0, "when": 1578009600.0, "none": np.nan}
    assert {name: value.item() for name, value in fed.items()} == pytest.approx(wanted, nan_ok=True)


def test_a_matrix_or_columns_by_their_positions():
    X = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    X[3, 1] = np.nan
    model = Fitted(TableEncoder(), X)
    assert input_names(model) == ["x0", "x1", "x2"] and input_names(model, "matrix") == ["X"]
    for inputs in ("columns", "matrix"):
        check_rows(model, X, inputs)


def test_dates_and_truth_values_fit_into_a_matrix_and_text_does_not():
    table = pd.DataFrame({"d": DATES, "b": [True, False, True, True, False]})
    check_rows(Fitted(TableEncoder(), table), table, "matrix")
    with pytest.raises(ValueError, match="where a column is text, as 'city' is"):
        graph_of(Fitted(TableEncoder(), table.assign(city=list("abcab"))), "matrix")
    with pytest.raises(ValueError, match="inputs of Fitted.to_onnx must be"):
        graph_of(Fitted(TableEncoder(), table), "rows")


def test_a_column_without_a_name_is_called_by_its_position():
    table = pd.DataFrame(np.eye(4), columns=["x1", "", "x1_", "label"])
    assert input_names(Fitted(TableEncoder(), table)) == ["x1", "x1__", "x1_", "label"]


def test_graphs_of_wide_tables_have_few_nodes():
    """One product does all columns: hundreds of nodes would take as long as a network."""
    narrow, wide = (Fitted(TableEncoder(), np.eye(n)) for n in (3, 300))
    assert len(graph_of(wide).graph.node) == len(graph_of(narrow).graph.node) < 12
