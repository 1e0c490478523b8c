"""Which rows are held out, and how many of each class."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from pellucid.cli.splitting import all_of, split
from pellucid.data.columns import rows_of

LABELS = np.array(["a"] * 30 + ["b"] * 10)


def test_rows_are_either_learned_from_or_held_out():
    train, test, words = split(LABELS, 40, "classification", 0.2, 0, "row")
    assert sorted([*train, *test]) == list(range(40)) and len(test) == 8
    assert (np.diff(train) > 0).all() and (np.diff(test) > 0).all()
    told = "Learning from 32 rows; 8 are held out to test, the same share of each class."
    assert words == told and (LABELS[test] == "b").sum() == 2


def test_a_seed_decides_which():
    splits = [split(LABELS, 40, "classification", 0.2, seed, "row").test for seed in (0, 0, 1)]
    assert splits[0].tolist() == splits[1].tolist() != splits[2].tolist()


@pytest.mark.parametrize(
    ("labels", "task", "fraction"),
    (
        (LABELS.copy(), "regression", 0.2),
        (np.array([*LABELS[:39], "c"]), "classification", 0.2),  # one row cannot be in both
        (np.arange(40) // 2, "classification", 0.2),  # fewer rows held out than classes
        (np.stack([LABELS == "a", LABELS == "b"], axis=1), "classification", 0.2),
        (None, "classification", 0.2),
    ),
)
def test_where_classes_cannot_have_the_same_share_none_is_promised(labels, task, fraction):
    train, test, words = split(labels, 40, task, fraction, 0, "row")
    assert len(train) == 32 and len(test) == 8 and "share" not in words


def test_a_fraction_of_less_than_a_row_holds_nothing_out():
    for given in (split(LABELS, 40, "classification", 0.01, 0, "row"), all_of(40, "row")):
        assert given.train.tolist() == list(range(40)) and len(given.test) == 0
        assert given.words == "Learning from all 40 rows."


@pytest.mark.parametrize("make", (list, np.array, pd.Series, pl.Series))
def test_rows_at_positions_are_of_the_same_kind(make):
    values = make(["a", "b", "c", "d"])
    taken = rows_of(values, np.array([3, 1]))
    assert type(taken) is type(values) and list(taken) == ["d", "b"]


@pytest.mark.parametrize("make", (pd.DataFrame, pl.DataFrame))
def test_rows_of_a_table_keep_their_columns(make):
    taken = rows_of(make({"x": [1, 2, 3], "y": ["a", "b", "c"]}), np.array([2, 0]))
    assert list(taken.columns) == ["x", "y"]
    assert list(taken["x"]) == [3, 1] and list(taken["y"]) == ["c", "a"]
