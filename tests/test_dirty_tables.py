"""Dirty tables are learned from as well as clean ones, or the run says what it could not read.

`dirt.py` makes them: every kind of dirt alone and in pairs. Each is trained on in one container (a
file, or a DataFrame of texts of pandas, polars or pyarrow), and new rows are read in all of them.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from functools import cache

import dirt
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from dirt import STYLES, TRAIN, Dirt, Style
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, r2_score

from pellucid import FCNNClassifier, FCNNRegressor
from pellucid.data import TableEncoder, infer_task, read_table, split_target

CLOSE = 0.02
LEARNED, NEW = slice(0, TRAIN), slice(TRAIN, None)
CONTAINERS = ("csv", "pandas", "polars", "pyarrow")
CORPUS = dirt.corpus()


def estimator(task, verbose=0):
    kind = FCNNClassifier if task == "classification" else FCNNRegressor
    parameters = {"max_epochs": 30, "learning_rate": 0.01, "random_state": 0, "n_jobs": 1}
    return kind(32, verbose=verbose, **parameters)


def score(task, truth, predicted):
    return (accuracy_score if task == "classification" else r2_score)(truth, predicted)


@cache
def clean_score(table):
    """The score of a model on the table as a program would hand it to a network."""
    X = pd.DataFrame(table.ideal)
    model = estimator(table.task).fit(X[LEARNED], table.answers[LEARNED])
    return score(table.task, table.answers[NEW], model.predict(X[NEW]))


def test_the_clean_tables_can_be_learned():
    for table in (dirt.houses(), dirt.patients(), dirt.visits(), dirt.parts(), dirt.shops()):
        assert clean_score(table) > 0.95


def container(kind, dirty: Dirt, part, folder, model=None):
    """Some rows of a dirty table: a file as a command reads it, or a DataFrame of texts."""
    if kind == "csv":
        path = folder / f"{part.start}.csv"
        path.write_bytes(dirty.content(part))
        return read_table(path) if model is None else read_table(path, text=known_texts(model))
    columns = dirty.rows(part)
    made = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "pyarrow": pa.table}
    return made[kind](columns)


def known_texts(model):
    """The columns that `model` reads as they stand in a file."""
    return model._input.text_columns


@contextlib.contextmanager
def hearing():
    """All that is said: notes of a fit, warnings, and what is added to the list."""
    heard, stream = [], io.StringIO()
    with warnings.catch_warnings(record=True) as caught, contextlib.redirect_stderr(stream):
        warnings.simplefilter("always")
        yield heard
    heard += [" ".join(stream.getvalue().split()), *(str(each.message) for each in caught)]


def fitted(dirty: Dirt, kind, folder):
    """A model of the first rows, and all that was said."""
    with hearing() as heard:
        frame = container(kind, dirty, LEARNED, folder)
        X, y = split_target(frame, dirty.table.target)
        task, reason = infer_task(y)
        assert task == dirty.table.task, reason
        model = estimator(task, verbose=1).fit(X, y)
        heard.append(reason)
    return model, "\n".join(heard)


@pytest.mark.parametrize("place", range(len(CORPUS)), ids=[dirty.name for dirty in CORPUS])
def test_a_dirty_table_is_learned_as_a_clean_one(place, tmp_path):
    dirty = CORPUS[place]
    table, kinds = dirty.table, CONTAINERS[:1] if dirty.in_files else CONTAINERS
    model, said = fitted(dirty, kinds[place % len(kinds)], tmp_path)
    for column in dirty.told:
        assert column in said, f"nothing is said of {column}: {said}"
    answers = []
    for kind in kinds:
        X, y = split_target(container(kind, dirty, NEW, tmp_path, model), table.target)
        answers.append(model.predict(X))
        np.testing.assert_array_equal(answers[-1], answers[0], err_msg=kind)
    found = score(table.task, table.answers[NEW], answers[0])
    # a value that is lost cannot be learned from
    assert found >= clean_score(table) - CLOSE - dirty.lost, said
    # and true values that are as dirty are read as those of the training were
    assert model.score(X, y) == pytest.approx(found, abs=1e-9)


def test_the_corpus_has_all_kinds_alone_and_in_pairs():
    assert len(CORPUS) >= 60 and len({dirty.name for dirty in CORPUS}) == len(CORPUS)
    names = " ".join(dirty.name for dirty in CORPUS)
    for kind in (*dirt.NUMBERS, *dirt.GAPS, *dirt.BOOLEANS, *dirt.WORDS, *dirt.DATES, *dirt.CLOCKS):
        assert kind in names


# ---------------------------------------------------------------- what is said of rows and targets


@pytest.mark.parametrize("kind", CONTAINERS)
@pytest.mark.parametrize("gap", ["?", "unknown", "-"])
def test_rows_whose_target_is_no_number_are_left_out_and_counted(kind, gap, tmp_path):
    table = dirt.houses()
    price = [gap if row % 100 == 7 else text for row, text in enumerate(table.columns["price"])]
    price[NEW] = table.columns["price"][NEW]
    dirty = Dirt("gaps in the target", table, {**table.columns, "price": price})
    model, said = fitted(dirty, kind, tmp_path)
    assert "price" in said and "4" in said
    X, _ = split_target(container(kind, dirty, NEW, tmp_path, model), "price")
    found = r2_score(table.answers[NEW], model.predict(X))
    assert found >= clean_score(table) - CLOSE


@pytest.mark.parametrize("kind", CONTAINERS)
def test_a_column_of_free_text_is_told(kind, tmp_path):
    """What cannot be read at all does not go in silently as a hundred categories."""
    table = dirt.houses()
    words = np.array("the of house garden near small big old new red bright quiet".split())
    rng = np.random.default_rng(0)
    notes = [" ".join(rng.choice(words, 9)) for _ in table.columns["age"]]
    columns = {"remarks": notes, **table.columns}
    model, said = fitted(Dirt("free text", table, columns), kind, tmp_path)
    assert "remarks" in said


@pytest.mark.parametrize("kind", CONTAINERS)
def test_a_column_that_is_half_numbers_is_not_decided_in_silence(kind, tmp_path):
    table = dirt.houses()
    income = [
        f"size {row % 7}" if row % 2 else text for row, text in enumerate(table.columns["income"])
    ]
    _, said = fitted(Dirt("half", table, {**table.columns, "income": income}), kind, tmp_path)
    assert "income" in said


# ---------------------------------------------------------------- numbers are read as that number


ANCHORS = ["1234567.25", "0.5", "98765.125", "3.75"]  # so that the marks of a column are clear


@st.composite
def numbers(draw):
    """Plain texts of numbers, as many as make a column."""
    whole, places = st.integers(0, 10**9), st.integers(0, 4)

    def number(pair):
        digits, decimals = pair
        return f"{digits / 10**decimals:.{decimals}f}"

    texts = draw(st.lists(st.tuples(whole, places).map(number), min_size=20, max_size=40))
    signs = draw(st.lists(st.booleans(), min_size=len(texts), max_size=len(texts)))
    return ["-" * minus + text for minus, text in zip(signs, texts, strict=True)] + ANCHORS


@pytest.mark.parametrize("style", STYLES.values(), ids=list(STYLES))
@settings(max_examples=8, deadline=None, derandomize=True)
@given(texts=numbers())
def test_a_number_with_marks_reads_back_as_that_number(style: Style, texts):
    written = pd.DataFrame({"x": [style.write(text) for text in texts]})
    plain = pd.DataFrame({"x": [float(text) for text in texts]})
    encoder, owner = TableEncoder(), FCNNRegressor()
    learned = encoder.fit_transform(owner, written)
    np.testing.assert_array_equal(learned, encoder.transform(owner, plain))
    np.testing.assert_array_equal(learned, TableEncoder().fit_transform(owner, plain))
