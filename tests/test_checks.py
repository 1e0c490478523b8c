"""Checks: the one voice of errors, word for word."""

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from pellucid import checks

INTEGER = "a positive integer"


def fails(check, *arguments, **options):
    """The error's type and words."""
    with pytest.raises((TypeError, ValueError)) as caught:
        check("x", "Owner", *arguments, **options)
    return type(caught.value), str(caught.value)


@pytest.mark.parametrize("value", [1, 7, np.int64(7), np.uint8(7), 10**30], ids=repr)
def test_integers_pass_and_become_ints(value):
    for check in (checks.positive_integer, checks.non_negative_integer):
        found = check("x", "Owner", value)
        assert found == value and type(found) is int


def test_zero_is_not_negative_nor_positive():
    assert checks.non_negative_integer("x", "Owner", 0) == 0
    assert fails(checks.positive_integer, 0) == (
        ValueError, "x of Owner must be a positive integer. Got 0.",
    )  # fmt: skip
    assert fails(checks.non_negative_integer, -1) == (
        ValueError, "x of Owner must be an integer of at least 0. Got -1.",
    )  # fmt: skip


@pytest.mark.parametrize(
    "value", [1.0, True, np.True_, "1", None, [1], np.array([1]), 1j], ids=repr
)
@pytest.mark.parametrize("check", [checks.positive_integer, checks.non_negative_integer])
def test_what_is_no_integer(check, value):
    error, words = fails(check, value)
    assert error is TypeError and words.endswith(f"Got {value!r}.")


@pytest.mark.parametrize("value", [0.5, 1, np.float32(0.5), np.int8(1), Fraction(1, 2)], ids=repr)
def test_numbers_pass_and_become_floats(value):
    found = checks.number("x", "Owner", value, 0, 1)
    assert found == value and type(found) is float


@pytest.mark.parametrize("value", ["1", None, True, np.False_, 1j, Decimal(1), [0.5]], ids=repr)
def test_what_is_no_number(value):
    error, words = fails(checks.number, value, 0, 1)
    assert error is TypeError
    assert words == f"x of Owner must be a number in [0, 1]. Got {checks.shown(value)}."


@pytest.mark.parametrize(
    "options, inside, outside, words",
    [
        ({}, (-1e308, 0, 1e308), (math.inf, -math.inf, math.nan), "a finite number"),
        ({"low": 0}, (0, 1e9), (-1e-300, math.inf, math.nan), "a number of at least 0"),
        ({"low": 0, "open_low": True}, (5e-324,), (0, -0.0, math.inf), "a number above 0"),
        ({"high": 2}, (2, -1e9), (2.1, -math.inf, math.nan), "a number of at most 2"),
        ({"high": 2, "open_high": True}, (1.9,), (2, math.nan), "a number below 2"),
        ({"low": 0, "high": 1}, (0, 1), (-1, 2, math.nan), "a number in [0, 1]"),
        ({"low": 0, "high": 1, "open_high": True}, (0,), (1,), "a number in [0, 1)"),
        ({"low": 0, "high": 1, "open_low": True}, (1,), (0,), "a number in (0, 1]"),
        ({"low": 0.5, "high": 1, "open_low": True, "open_high": True}, (0.7,), (0.5, 1),
         "a number in (0.5, 1)"),
    ],
)  # fmt: skip
def test_ranges(options, inside, outside, words):
    for value in inside:
        assert checks.number("x", "Owner", value, **options) == value
    for value in outside:
        expected = (ValueError, f"x of Owner must be {words}. Got {value!r}.")
        assert fails(checks.number, value, **options) == expected


@pytest.mark.parametrize("options", [{}, {"low": 0}, {"low": 0, "high": 1}], ids=repr)
def test_an_integer_beyond_all_floats(options):
    error, words = fails(checks.number, 10**400, **options)
    assert error is ValueError and "Got 1000" in words and len(words) < 130


@pytest.mark.parametrize("value", [True, False, np.True_, np.False_], ids=repr)
def test_flags(value):
    found = checks.flag("x", "Owner", value)
    assert found == value and type(found) is bool


@pytest.mark.parametrize("value", [0, 1, "True", None, 1.0], ids=repr)
def test_what_is_no_flag(value):
    assert fails(checks.flag, value) == (
        TypeError, f"x of Owner must be True or False. Got {value!r}.",
    )  # fmt: skip


def test_one_of():
    options = {"relu": 1, "tanh": 2}
    assert checks.one_of("x", "Owner", "relu", options) == "relu"
    assert fails(checks.one_of, "rellu", options) == (
        ValueError,
        "x of Owner must be one of 'relu', 'tanh'. Got 'rellu'. Did you mean 'relu'?",
    )
    words = "x of Owner must be one of 'relu', 'tanh'. Got "
    assert fails(checks.one_of, "sigmoid", options) == (ValueError, f"{words}'sigmoid'.")
    assert fails(checks.one_of, 3, iter(options)) == (TypeError, f"{words}3.")
    assert fails(checks.one_of, None, options) == (TypeError, f"{words}None.")


def test_suggestion():
    assert (
        checks.suggestion("hiden_dim", ["hidden_dim", "dropout"]) == " Did you mean 'hidden_dim'?"
    )
    assert checks.suggestion("zzz", ["hidden_dim", 3]) == " Known: hidden_dim, 3."
    assert checks.suggestion("zzz", ()) == ""
    assert checks.suggestion(12, [13, 123]) == " Did you mean '123'?"


def test_unknown_parameter():
    assert checks.unknown_parameter("FCNNClassifier", "hiden_dim", ["hidden_dim"]) == (
        "FCNNClassifier has no parameter 'hiden_dim'. Did you mean 'hidden_dim'?"
    )


def test_fault_has_a_way_out():
    found = checks.fault("x", "Owner", "small", [1, 2], "Try less.")
    assert found == "x of Owner must be small. Got [1, 2]. Try less."


def test_shown_is_one_short_line():
    assert checks.shown("a\n  b") == "'a\\n b'"
    assert checks.shown(np.zeros((3, 2))) == "array([[0., 0.], [0., 0.], [0., 0.]])"
    long = checks.shown("x" * 1000)
    assert len(long) == 60 and long.endswith("...") and long.startswith("'xxx")
    assert checks.shown("x" * 58) == repr("x" * 58)
    assert len(checks.shown("abcdefghij", limit=8)) == 8


def test_rows_are_counted_by_position_or_as_a_file_does():
    assert checks.row_words(7) == "row 7"
    assert checks.row_words(np.int64(3), 7) == "rows 3 and 7"
    assert checks.row_words(3, 7, joint="to") == "rows 3 to 7"
    with checks.rows_of_file("a/data.csv"):
        assert checks.row_words(0) == "row 1 below the header of 'a/data.csv'"
        with checks.rows_at(np.array([5, 2])), checks.rows_at([1, 0]):  # some, and those turned
            assert checks.row_words(0, 1) == "rows 3 and 6 below the header of 'a/data.csv'"
        assert checks.row_words(1) == "row 2 below the header of 'a/data.csv'"
    with pytest.raises(KeyError), checks.rows_of_file("data.PARQUET"):
        assert checks.row_words(0) == "row 1 of 'data.PARQUET'"
        raise KeyError
    assert checks.row_words(7) == "row 7"


def test_names_of_files_and_words_of_others_stay_on_one_line():
    assert checks.file_name("a b/罗马.csv") == "'a b/罗马.csv'"
    assert checks.file_name("a\nb\udcff") == r"'a\nb\udcff'"
    assert checks.one_line("C error:\n  two \x07 lines.  ") == r"C error: two \x07 lines"
    assert checks.one_line("x" * 400) == "x" * 160


def test_names_of_which_one_is_meant():
    assert [checks.either(list(names)) for names in ("a", "ab", "abc")] == [
        "a",
        "a or b",
        "a, b or c",
    ]
    assert checks.either(["a", "b"], "and") == "a and b"


def test_a_list_of_what_is_known_is_not_endless():
    assert checks.suggestion("moon", ["a", "b"]) == " Known: a, b."
    known = [f"column {i}" for i in range(10_000)]
    text = checks.suggestion("moon", known)
    assert text.startswith(" Known: column 0, column 1, ") and len(text) < 350
    assert text.endswith(" more.") and checks.suggestion("moon", ["new\nline"]).isprintable()
    assert len(checks.suggestion("x", ["y" * 10**6])) < 100
    assert checks.suggestion("colum 7", known) == " Did you mean 'column 7'?"


@pytest.mark.parametrize(
    ("name", "known", "meant"),
    [
        ("价", ["价格", "城市"], "价格"),
        ("城巿", ["价格", "城市"], "城市"),  # another character that looks the same
        ("价格", ["价格(元)", "城市"], "价格(元)"),
        ("价", ["总价格（元）", "城市"], "总价格（元）"),
        ("Y", ["x", "y"], "y"),
        (" 价格 ", ["价格", "城市"], "价格"),
        ("price", [" Price ", "rice"], " Price "),
        ("ＡＢ", ["AB", "CD"], "AB"),
        ("x1", ["x2", "width"], "x2"),
        ("hiden_dim", ["hidden_dim"], "hidden_dim"),
        ("bill_length", ["bill_length_mm", "bill_depth_mm"], "bill_length_mm"),
        ("len", ["bill_length_mm", "year"], "bill_length_mm"),
        ("STRASSE", ["Straße"], "Straße"),
        # what is near nothing, or as near to several
        ("价", ["城市", "日期"], None),
        ("格", ["价格高", "价格低"], None),
        ("y", ["year", "x"], None),
        ("a", ["b"], None),
        ("", ["a", "b"], None),
        ("zzzz", ["price"], None),
    ],
)
def test_what_a_name_was_meant_for(name, known, meant):
    assert checks.nearest(name, known) == meant
    words = checks.suggestion(name, known)
    assert words == (f" Did you mean {meant!r}?" if meant else f" Known: {checks.listing(known)}.")
    if meant:
        with pytest.raises(ValueError, match="Did you mean"):
            checks.one_of("x", "Owner", name, known)
