"""Tables, names and numbers in the 80 columns of a terminal."""

import pytest

from pellucid.terminal import figure, fits, table, width
from pellucid.words import counted, listed, name_shown, share


def test_text_for_a_page():
    assert (counted(1, "row"), counted(1204, "row")) == ("1 row", "1,204 rows")
    assert (counted(1, "class"), counted(2, "class")) == ("1 class", "2 classes")
    assert listed(range(20), most=2) == "0, 1 and 18 more"
    assert (figure(0.123456), figure(None), share(0.5), share(None)) == (
        "0.1235",
        "-",
        "0.500",
        "-",
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [(31784.3, "31,784"), (-123456789, "-123,456,789"), (1.5e12, "1.5e+12"), (9999.4, "9999"),
     (1.2e-7, "1.2e-07"), (0, "0"), (float("inf"), "inf")],
)  # fmt: skip
def test_figures(value, text):
    assert figure(value) == text


def test_a_share_is_never_minus_nothing():
    assert share(-0.0001) == "0.000" and share(-0.25) == "-0.250"


def test_columns_are_aligned():
    assert table([["", "a"], ["long", 10]]) == "         a\n  long  10"
    assert table([["", "a", "bb"], ["first", 1, 22]], indent=1) == "        a  bb\n first  1  22"


def test_chinese_takes_two_columns():
    lines = table([["类别", "recall"], ["阿德利企鹅", "0.97"], ["a", "1.00"]]).split("\n")
    assert {width(line) for line in lines} == {2 + 10 + 2 + 6}
    assert lines[1].startswith("  阿德利企鹅    0.97")


@pytest.mark.parametrize("name", ["a_very_long_name_" * 8, "很长的列名" * 12])
@pytest.mark.parametrize("columns", (1, 3, 5))
def test_long_names_are_shortened_in_the_middle(name, columns):
    """Numbers never are, nor what we say ourselves in a header where there is room."""
    rows = [["", *["mean abs. error"] * min(columns, 3)], [name, *[0.1234] * min(columns, 3)]]
    text = table(rows)
    assert fits(text) and "0.1234" in text and "mean abs. error" in text and "..." in text
    names = [f"{i}{name}{i}" for i in range(columns)]
    text = table([["true", *names], *([one, *range(columns)] for one in names)])
    assert fits(text)
    assert all(f"  {i}{name[:1]}" in text for i in range(columns))
    assert not fits(table([["true", *names * 9]]))


def test_names_are_of_one_line():
    assert name_shown("a\nb") == "a\\nb" and table([["", "n"], ["a\nb", 1]]).count("\n") == 1
    assert width(listed(["价" * 90])) <= 40
