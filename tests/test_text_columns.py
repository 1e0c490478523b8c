"""What a column of text is taken for, and that each decision is said."""

import pytest

from pellucid.data import text_columns
from pellucid.data.text_columns import decide, is_blank

NUMBERS = [f"{i / 7:.3f}" for i in range(1000)]


def every(step, text, texts=NUMBERS):
    return [text if i % step == 0 else other for i, other in enumerate(texts)]


@pytest.mark.parametrize(
    ("texts", "kind", "note"),
    [
        (NUMBERS, "number", "numbers"),
        (every(1000, "oops"), "number", "1 of 1,000 cells is no number and counts as miss"),
        (every(100, "?"), "number", "10 of 1,000 cells are no numbers and count as missing: '?'"),
        (every(100, "missing"), "number", "missing: 'missing'"),
        (every(2, "unknown"), "number", "500 of 1,000 cells"),
        (every(5, "not measured"), "number", "200 of 1,000 cells are no numbers"),
        ([*"123456789", "x"], "number", "1 of 10 cells is no number"),
        ([f"{i:,}" for i in range(900, 2000)], "number", "numbers with ',' for thousands"),
        (["12", "8", "10.251", "9"] * 9, "number", "'.' for decimals, not for thousands, as in"),
        (["0", "1", "2", "3+"] * 100, "text", "though 75% of its cells are numbers: not '3+'"),
        ([f"A/5 {i}" if i % 4 == 0 else str(i) for i in range(1000, 2000)], "text", "though 75%"),
        (["007", "012", "A12"] * 50, "text", "text, since '007' with its zero is a code"),
        (["02134", "90210"] * 10, "text", "text, since '02134' with its zero is a code"),
        (["05", *map(str, range(1, 300))], "number", "numbers"),
        (["2023-02-17", "2023-03-01", "?"] * 20, "time", "dates, such as '2023-02-17'; 20 of 60"),
        (["1/2/2023", "3/4/2023"] * 5, "time", "such as '1/2/2023'; the other order would"),
        ([" Yes", "Yes", "No"] * 10, "text", "text, in which blanks do not count, as in ' Yes'"),
        (["yes", "Yes", "no"] * 10, "text", "'yes' and 'Yes' are two categories"),
        (["01.2019", "12.2020", "07.2021"] * 9, "time", "dates, such as '01.2019'"),
        (["2023-05-01"] * 9 + [f"2023-06-{day}" for day in range(10, 29)] + ["0000-00-00"] * 9,
         "time", "9 of 37 cells are no dates and count as missing: '0000-00-00'"),
        (["2023-05-01", "2023-05-02", "2023-05-03", "soon"] * 9, "text", "75% of its cells are d"),
        (["2023-05-01 08:00+02:00", "2023-11-01 08:00+01:00"] * 9, "time", "counted in UTC"),
        (["12 %", "3 %", "5"] * 9, "number", "numbers, in '%', also the 9 that do not say so"),
        (["red", "blue"] * 10, "text", ""),
        (["10-20", "20-30"] * 10, "text", ""),
        (["?"] * 10, "text", ""),
        ([None, "red"], "text", ""),
    ],
)  # fmt: skip
def test_a_column_is_what_nearly_all_of_it_is(texts, kind, note):
    decision = decide(texts)
    assert decision.kind == kind
    assert note in decision.note if note else decision.note == ""


def test_missing_cells_are_none_of_the_words():
    """They are counted among the cells, and not among those that could not be read."""
    assert "1 of 4 cells is no number" in decide([None, "1.5", "2.5", "?"]).note


def test_words_for_no_value_are_known_in_several_languages():
    assert all(
        map(is_blank, ["?", " - ", "N/A", "Unknown", "MISSING", "未知", "＃N/A", "", " ", "Inf"])
    )
    assert not any(map(is_blank, ["0", "none of these", "no", "yes"]))


def test_a_long_column_is_decided_upon_as_a_whole():
    """Marks that come late, or seldom, count."""
    late = [str(i) for i in range(20_000)] + ["3,5"]
    assert decide(late).format.decimal == ","


@pytest.mark.parametrize("digit", "123456789")
def test_no_word_for_a_missing_value_has_a_digit(digit):
    """So texts with one need not be looked up; dates of nothing may go on with any."""
    assert not any(digit in blank for blank in text_columns._BLANKS)
    assert is_blank(f"0000-00-00 0{digit}:00") and not is_blank(f"?{digit}")
