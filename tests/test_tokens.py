"""What is text, and which words it has."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from pellucid.data.tokens import is_text, names_pictures, read_texts, words


@pytest.mark.parametrize(
    ("text", "expected"),
    (
        ("Good, very good!", ["good", ",", "very", "good", "!"]),
        ("don't Don\u2019t 'quoted'", ["dont", "dont", "quoted"]),
        ("电影很好 3天", ["电", "影", "很", "好", "3", "天"]),
        ("映画が好き", ["映", "画", "が", "好", "き"]),
        ("नमस्ते दुनिया", ["नमस्ते", "दुनिया"]),  # marks belong to their letters
        ("Große ÉCOLE naïve", ["große", "école", "naïve"]),
        ("snake_case v2.0", ["snake_case", "v2", ".", "0"]),
        ("a\u200bb\tc\nd", ["a", "b", "c", "d"]),
        ("😀😀", ["😀", "😀"]),
        (" \t\u3000", []),
        ("", []),
    ),
)
def test_words(text, expected):
    assert words(text) == expected


TEXTS = ["one two", None, "three"]


@pytest.mark.parametrize(
    "X",
    (
        TEXTS, tuple(TEXTS), np.array(["one two", "three"]), np.array(TEXTS, dtype=object),
        np.array([["one two"], ["three"]]), pd.Series(TEXTS), pl.Series(TEXTS),
        pd.DataFrame({"text": TEXTS}), pl.DataFrame({"text": TEXTS}),
        pd.DataFrame({"text": pd.Categorical(TEXTS)}),
        [["one", "two"], []], [np.array(["one", "two"]), ["three"]], [("one",), ("two",)],
    ),
    ids=lambda X: type(X).__module__ + "." + type(X).__name__,
)  # fmt: skip
def test_text_is_text_in_any_form(X):
    assert is_text(X)
    texts = read_texts("Fit", X)
    first = texts.rows[0].split() if isinstance(texts.rows[0], str) else texts.rows[0]
    assert first[0] == "one"


@pytest.mark.parametrize(
    "X",
    (
        [1.0, 2.0], [[1, 2], [3, 4]], np.zeros((3, 4)), np.zeros((3, 4, 2)), [None, None], [],
        "one", pd.DataFrame({"a": ["x", "y"], "b": ["x", "y"]}),
        pd.DataFrame({"a": [1, 2]}), [[], []], np.array([["a", "b"], ["c", "d"]]),
        [["a", 1.0]], ["a", 1.0], [b"one", b"two"],
        pd.Series([1, 2]), 7, None, {"a": ["x"]},
    ),
    ids=str,
)  # fmt: skip
def test_other_things_are_not(X):
    assert not is_text(X)


def test_paths_of_pictures_are_told_from_text(tmp_path):
    """By their ends, or because there is such a file; by most of them, not by one."""
    assert names_pictures(["a/1.jpg", "a/2.PNG", "b/3.tif"])
    assert not names_pictures(["a fine photo: see cat.jpg", "nothing to see", "nor here"])
    (tmp_path / "picture").write_bytes(b"")
    assert names_pictures(pd.DataFrame({"file": [str(tmp_path / "picture")]}))
    assert not names_pictures(["zero \0 in it", "x" * 5000])


def test_whole_numbers_are_tokens_by_their_digits():
    texts = read_texts("Fit", [[3, 1], np.array([2.0, 3.0]), np.array([5], dtype=np.uint8)])
    assert texts.rows == [["3", "1"], ["2", "3"], ["5"]]
    assert read_texts("Fit", np.array([[1, 2], [3, 4]])).rows == [["1", "2"], ["3", "4"]]
    assert read_texts("Fit", np.array([[[1], [2]]])).rows == [["1", "2"]]


def test_half_a_surrogate_pair_does_not_reach_a_file():
    assert read_texts("Fit", ["a\ud800b"]).rows == ["a?b"]
    assert read_texts("Fit", [["\udfff"]]).rows == [["?"]]


@pytest.mark.parametrize(
    ("X", "words"),
    (
        ("one text", r"^X of Fit must be texts, or lists of tokens, .*Got 'one text'\. Pass \[X\]"),
        (7, r"^X of Fit must be texts, or lists of tokens, one a row\. Got 7\."),
        ([], r"^X of Fit must have at least one row\. Got none\."),
        ([["a"], [0.5]], r"which are words or whole numbers\. Got \[0\.5\] in row 1\."),
        ([["a"], 3], r"which are words or whole numbers\. Got 3 in row 1\."),
        ([[["a"]]], r"which are words or whole numbers\. Got \[\['a'\]\] in row 0\."),
        (
            pd.DataFrame({"a": ["x"], "b": ["y"]}),
            r"^X of Fit must be one column of text\. Got 2 columns, \['a', 'b'\]\. Pass the one",
        ),
    ),
    ids=str,
)
def test_what_is_no_text_is_refused(X, words):
    with pytest.raises(ValueError, match=words):
        read_texts("Fit", X)
