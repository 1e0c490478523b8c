"""Dirty tables are learned from as well as clean ones, or the run says what it could not read.

`dirt.py` makes them: every kind of dirt alone and in pairs. Each is trained on in one container (a
file, or a DataFrame of texts of pandas, polars or pyarrow), and new rows are read in all of them.
"""

from __future__ import annotations

import contextlib
import io
import re
import warnings
from functools import cache

import dirt
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from click.testing import CliRunner
from dirt import STYLES, TRAIN, Dirt, Style
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, r2_score

from pellucid import FCNNClassifier, FCNNRegressor, load
from pellucid.cli.main import application
from pellucid.data import TableEncoder, infer_task, read_table, split_target

CLOSE = 0.02
LEARNED, NEW = slice(0, TRAIN), slice(TRAIN, None)
CONTAINERS = ("csv", "pandas", "polars", "pyarrow")
CORPUS, ODD = dirt.corpus(), dirt.odd()


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
        task, reason = infer_task(y, dirty.table.target)
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
    with hearing():
        for kind in kinds:
            X, y = split_target(container(kind, dirty, NEW, tmp_path, model), table.target)
            answers.append(model.predict(X))
            np.testing.assert_array_equal(answers[-1], answers[0], err_msg=kind)
            # two rows alone do not tell how they are written: the model knows it
            pair = container(kind, dirty, slice(TRAIN, TRAIN + 2), tmp_path, model)
            X_pair, _ = split_target(pair, table.target)
            np.testing.assert_array_equal(model.predict(X_pair), answers[0][:2], err_msg=kind)
        # true values that are as dirty are read as those of the training were
        own = model.score(X, y)
        model.save(tmp_path / "model.safetensors")
        again = load(tmp_path / "model.safetensors").predict(X)
    np.testing.assert_array_equal(again, answers[0])
    found = score(table.task, table.answers[NEW], answers[0])
    # a value that is lost cannot be learned from
    assert found >= clean_score(table) - CLOSE - dirty.lost, said
    assert own == pytest.approx(found, abs=1e-9)


@pytest.mark.parametrize("kind", CONTAINERS[:2])
@pytest.mark.parametrize("place", range(len(ODD)), ids=[dirty.name for dirty in ODD])
def test_what_a_reader_does_not_understand_is_said(place, kind, tmp_path):
    dirty = ODD[place]
    table, (column,) = dirty.table, dirty.told
    model, said = fitted(dirty, kind, tmp_path)
    with hearing() as heard:
        X, _ = split_target(container(kind, dirty, NEW, tmp_path, model), table.target)
        found = score(table.task, table.answers[NEW], model.predict(X))
    close = found >= clean_score(table) - CLOSE
    assert close or column in said or column in " ".join(heard), f"{found:.3f}: {said}"


def test_the_corpus_has_all_kinds_alone_and_in_pairs():
    assert len(CORPUS) >= 60 and len({dirty.name for dirty in CORPUS}) == len(CORPUS)
    names = " ".join(dirty.name for dirty in CORPUS)
    for kind in (*dirt.NUMBERS, *dirt.GAPS, *dirt.BOOLEANS, *dirt.DATES, *dirt.CLOCKS):
        assert kind in names


# ---------------------------------------------------------------- what is said of rows and targets


def with_gaps_in_its_target(gap):
    """Houses of which four in the training have no price."""
    table = dirt.houses()
    price = [
        gap if row in (7, 107, 207, 307) else t for row, t in enumerate(table.columns["price"])
    ]
    return Dirt("gaps in the target", table, {**table.columns, "price": price})


@pytest.mark.parametrize("gap", ["", "?", "unknown", "-", "未知"])
def test_rows_whose_target_is_no_number_are_left_out_and_counted(gap, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "houses.csv").write_bytes(with_gaps_in_its_target(gap).content(LEARNED))
    command = ["fit", "houses.csv", "--target", "price", "--set", "max_epochs=30"]
    result = CliRunner().invoke(application, command)
    assert result.exit_code == 0, result.output
    said = " ".join(result.output.split())
    assert "4 rows" in said and "left out" in said
    X = container("csv", Dirt("", dirt.houses(), dirt.houses().columns), NEW, tmp_path)
    truth = dirt.houses().answers[NEW]
    assert r2_score(truth, load("houses.safetensors").predict(X.drop(columns="price"))) > 0.95


@pytest.mark.parametrize("kind", CONTAINERS[1:])
@pytest.mark.parametrize("gap", ["?", "unknown", "-"])
def test_a_target_that_is_no_number_is_named_in_python(kind, gap, tmp_path):
    """Rows are the caller's there: none is left out."""
    with pytest.raises(ValueError, match=rf"Got '{re.escape(gap)}' in row 7\. Leave such rows out"):
        fitted(with_gaps_in_its_target(gap), kind, tmp_path)


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


@pytest.mark.parametrize("blank", ["", " "])
@pytest.mark.parametrize(
    "labels",
    [("yes", "no"), ("TRUE", "FALSE"), ("true", "false"), ("1", "0"), ("是", "否"), ("1", "2")],
)
def test_classes_are_learned_however_they_are_written(labels, blank, tmp_path):
    table = dirt.patients()
    texts = [labels[risk == "high"] + blank * (row % 3) for row, risk in enumerate(table.answers)]
    dirty = Dirt("labels", table, {**table.columns, "risk": texts})
    for kind in CONTAINERS:
        model, _ = fitted(dirty, kind, tmp_path)
        assert len(model.classes_) == 2
        X, y = split_target(container(kind, dirty, NEW, tmp_path, model), "risk")
        assert model.score(X, y) > 0.95


# ---------------------------------------------------------------- marks that come and go


@pytest.fixture(scope="module")
def plain():
    """A model that learned from plain numbers, and new rows of them."""
    X = pd.DataFrame(dirt.houses().ideal)
    return estimator("regression").fit(X[LEARNED], dirt.houses().answers[LEARNED]), X[NEW]


COMING = [name for name in dirt.NUMBERS if name not in ("percent", "percent after a blank")]


@pytest.mark.parametrize("name", COMING)
def test_new_rows_may_have_marks_that_the_training_had_not(plain, name):
    """Or it is said that they cannot be read: never are they read as other numbers."""
    model, X = plain
    columns = dict(dirt.houses().columns)
    columns["income"] = dirt.NUMBERS[name].change(columns["income"])
    marked = X.assign(income=columns["income"][NEW])
    with hearing() as heard:
        try:
            predicted = model.predict(marked)
        except ValueError as error:
            assert "income" in str(error)
            return
    if not np.array_equal(predicted, model.predict(X)):
        assert "income" in " ".join(heard)


@pytest.mark.parametrize("name", COMING)
def test_new_rows_may_lack_the_marks_that_the_training_had(name, tmp_path):
    table = dirt.houses()
    dirty = dirt.dirty(table, income=name)
    model, _ = fitted(dirty, "pandas", tmp_path)
    X = pd.DataFrame(dirty.rows(NEW)).drop(columns="price")
    numbers = [float(text) for text in table.columns["income"][NEW]]
    with hearing():
        predicted = model.predict(X.assign(income=numbers))
        np.testing.assert_array_equal(predicted, model.predict(X))
        np.testing.assert_array_equal(predicted[:1], model.predict(X.assign(income=numbers)[:1]))


def test_a_name_that_stands_twice_in_a_file_is_told(tmp_path):
    path = tmp_path / "twice.csv"
    path.write_text("age,age,y\n1,2,3\n4,5,6\n")
    with pytest.raises(ValueError, match="must have different column names. Got 'age' twice."):
        read_table(path)


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
@settings(max_examples=8, derandomize=True)
@given(texts=numbers())
def test_a_number_with_marks_reads_back_as_that_number(style: Style, texts):
    written = pd.DataFrame({"x": [style.write(text) for text in texts]})
    plain = pd.DataFrame({"x": [float(text) for text in texts]})
    encoder, owner = TableEncoder(), FCNNRegressor()
    learned = encoder.fit_transform(owner, written)
    np.testing.assert_array_equal(learned, encoder.transform(owner, plain))
    np.testing.assert_array_equal(learned, TableEncoder().fit_transform(owner, plain))
