"""Sequences encoded in an ONNX graph: number by number what the encoder makes of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx_encoded import Fitted, check_rows, found_by_all, graph_of, input_names

from pellucid.data import SequenceEncoder
from pellucid.export.onnx.inputs import input_feed

LENGTHS = [12, 5, 1, 7, 8, 9, 10, 11, 2]


def _array() -> np.ndarray:
    X = np.random.default_rng(0).normal(size=(len(LENGTHS), 12, 3))
    X[0, 3, 1] = np.nan
    return X


def _tables() -> list[pd.DataFrame]:
    rng = np.random.default_rng(0)
    begin = np.datetime64("2020-01-01", "s")
    return [
        pd.DataFrame(
            {
                "": rng.normal(size=length),
                "lengths": rng.normal(size=length),
                "text": rng.choice(["a", "b", None], length),
                "when": begin + rng.integers(0, 10**8, length),
            }
        )
        for length in LENGTHS
    ]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("patch", [1, 4, 5])
def test_arrays_and_lists_of_unequal_length(patch, dtype):
    X = _array()
    model = Fitted(SequenceEncoder(patch_size=patch), X, dtype)
    assert input_names(model) == ["X"]
    check_rows(model, X)
    some = [row[:length] for row, length in zip(X, LENGTHS, strict=True)]
    model = Fitted(SequenceEncoder(patch_size=patch), some, dtype)
    assert input_names(model) == ["X", "lengths"]
    check_rows(model, some)


@settings(max_examples=20)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=5), st.integers(1, 6))
def test_patches_of_any_size(lengths, size):
    rng = np.random.default_rng(0)
    longest = [rng.normal(size=(9, 2))] + [rng.normal(size=(n, 2)) for n in (3, 1)]
    model = Fitted(SequenceEncoder(patch_size=size), longest)
    check_rows(model, [rng.normal(size=(n, 2)) for n in lengths])


def test_what_stands_behind_the_end_of_a_row_is_not_read():
    some = [row[:length] for row, length in zip(_array(), LENGTHS, strict=True)]
    model = Fitted(SequenceEncoder(patch_size=4), some)
    import onnxruntime

    fed = input_feed(model, some)
    run = onnxruntime.InferenceSession(graph_of(model).SerializeToString()).run
    before, lengths = run(None, fed)
    for row, length in zip(fed["X"], LENGTHS, strict=True):
        row[length:] = 1e9
    after = run(None, fed)[0]
    for old, new, count in zip(before, after, lengths, strict=True):
        np.testing.assert_array_equal(old[:count], new[:count])


def test_unequal_lengths_are_refused_where_the_graph_has_no_input_of_them():
    model = Fitted(SequenceEncoder(), _array())
    check_rows(model, _array()[:, :5])
    expected = r"must hold sequences of one length, as X of fit did. Got 5 and 12 steps. Feed those"
    with pytest.raises(ValueError, match=expected):
        input_feed(model, [_array()[0], _array()[1, :5]])


@pytest.mark.parametrize("patch", [1, 3])
def test_one_feature_without_an_axis(patch):
    X = _array()[:, :, 0]
    model = Fitted(SequenceEncoder(patch_size=patch), X)
    assert input_feed(model, X)["X"].shape == X.shape
    check_rows(model, X)


def test_tables_with_text_and_dates_and_hostile_names():
    tables = _tables()
    model = Fitted(SequenceEncoder(), tables)
    assert input_names(model) == ["x0", "lengths", "text", "when", "lengths_"]
    check_rows(model, tables)
    with pytest.raises(ValueError, match="where a column is text, as 'text' is"):
        graph_of(model, "matrix")
    numbers = [table[["", "lengths"]] for table in tables]
    check_rows(Fitted(SequenceEncoder(), numbers), numbers, "matrix")


@pytest.mark.parametrize("by_step", [False, True])
def test_a_long_table(by_step):
    tables = [table.assign(id=i, at=range(len(table))) for i, table in enumerate(_tables())]
    table = pd.concat(tables).sample(frac=1, random_state=0)
    model = Fitted(SequenceEncoder(group="id", time="at", by_step=by_step), table)
    check_rows(model, table)


def test_a_model_from_a_file_knows_that_sequences_are_of_unequal_length():
    some = [row[:length] for row, length in zip(_array(), LENGTHS, strict=True)]
    for X, unequal in ((some, True), (_array(), False)):
        encoder = Fitted(SequenceEncoder(), X)._input
        config, arrays = encoder.state()
        assert config.get("unequal", False) == encoder.unequal == unequal
        assert SequenceEncoder().from_state(config, arrays).unequal == unequal
    assert all("lengths" not in found for found in found_by_all(Fitted(SequenceEncoder(), X), X))
