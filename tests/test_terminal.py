"""Text in a terminal: columns that characters take, and lines broken by them."""

import pytest

from pellucid.terminal import filled, padded, shortened, width


@pytest.mark.parametrize(
    ("text", "columns"),
    [("", 0), ("abc", 3), ("é", 1), ("e\u0301", 1), ("城市", 4), ("Ａ", 2), ("한국", 4), ("a城", 3),
     ("\u200b", 0), ("🐧", 2), ("ａｂ", 4), ("ｱ", 1)],
)  # fmt: skip
def test_columns_that_text_takes(text, columns):
    assert width(text) == columns
    assert width(padded(text, 6)) == width(padded(text, 6, right=True)) == 6


@pytest.mark.parametrize("text", ["a" * 30, "城" * 20, "a城" * 12, "e\u0301" * 30, "short"])
@pytest.mark.parametrize("columns", range(4, 32))
def test_a_long_name_keeps_both_ends(text, columns):
    short = shortened(text, columns)
    assert width(short) <= columns
    if short != text:
        head, tail = short.split("...")
        assert text.startswith(head) and text.endswith(tail)
        assert width(short) >= columns - 2  # a wide character may leave room for one


def test_lines_are_broken_at_blanks_and_indented():
    text = filled("one two three four", 2, columns=9)
    assert text == "one two\n  three\n  four"
    assert filled("  kept   blank", columns=40) == "  kept   blank"
    assert filled("two\nlines") == "two lines"
    assert filled("") == ""


def test_chinese_is_broken_without_blanks():
    lines = filled("价格" * 30, 2, columns=20).split("\n")
    assert all(width(line) <= 20 for line in lines)
    assert "".join(line.strip() for line in lines) == "价格" * 30
    assert not any(
        line.strip().startswith("。") for line in filled("价格。" * 30, 0, 19).split("\n")
    )


def test_a_long_word_is_cut():
    assert filled("of " + "x" * 30, 2, 20).split("\n") == ["of", "  " + "x" * 18, "  " + "x" * 12]


def test_a_path_is_left_whole():
    path = "/data/" + "x" * 90
    assert filled(f"saved in {path} (8 kB)", 2).split("\n") == ["saved in", f"  {path}", "  (8 kB)"]
    assert filled("数据/" + "价" * 60).count("\n") == 0
