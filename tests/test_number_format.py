"""NumberFormat: numbers as people write them are read as they are meant, and nothing else is."""

from collections import Counter
from math import isnan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.data.number_format import NumberFormat, is_code

NO = float("nan")


def read(*texts):
    form = NumberFormat.of_texts(Counter(texts))
    return form, form.read(texts).tolist()


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (["1,234", "950", "12,345"], [1234, 950, 12345]),
        (["1,234.5", "7"], [1234.5, 7]),
        (["1.234,56", "3,5"], [1234.56, 3.5]),
        (["3,5", "-12,25", "7"], [3.5, -12.25, 7]),
        (["0,125", "1,250"], [0.125, 1.25]),
        (["27.317", "950", "54.525"], [27317, 950, 54525]),
        (["0.123", "1.234"], [0.123, 1.234]),
        (["12", "10.251", "8"], [12, 10.251, 8]),
        (["5", "3.125", "7.250", "6"], [5, 3.125, 7.25, 6]),
        (["1.234.567", "12"], [1234567, 12]),
        (["1 234", "12"], [1234, 12]),
        (["1\u00a0234,5", "1\u202f000"], [1234.5, 1000]),
        (["1'234.50", "2’000"], [1234.5, 2000]),
        (["12,34,567", "99,999"], [1234567, 99999]),
        (["1,234", "12.5"], [1234, 12.5]),
        (["$1,234", "$5", "-$7.50", "$-2"], [1234, 5, -7.5, -2]),
        (["US$3", "US$1,000"], [3, 1000]),
        (["1.200,00 €", "3,50 €"], [1200, 3.5]),
        (["EUR 12", "EUR 7.5"], [12, 7.5]),
        (["Rs. 500", "Rs. 1,200"], [500, 1200]),
        (["￥100", "￥2,000"], [100, 2000]),
        (["12 %", "3.5%", "７％"], [12, 3.5, 7]),
        (["5 kg", "7.25 kg"], [5, 7.25]),
        (["20 km/h", "35 km/h"], [20, 35]),
        (["5°C", "-3℃"], [5, -3]),
        (["30 m²", "20 m2"], [30, 20]),
        (["2 years", "1 year"], [2, 1]),
        (["(300)", "20"], [-300, 20]),
        (["−5", "7-", "+4"], [-5, -7, 4]),
        (["１，２３４", "５"], [1234, 5]),
        (["٣٫٥", "٢"], [3.5, 2]),
        (["1e5", "2.5E-3"], [1e5, 2.5e-3]),
        ([".5", "5."], [0.5, 5]),
        (["1234", "2345²"], [1234, 2345]),
        (['="12"', "'7", '"3"'], [12, 7, 3]),
        (["(  5  )", "-  3"], [-5, -3]),
        (["  5 ", "\t7"], [5, 7]),
        (["€110.5M", "€565K", "€0"], [110.5e6, 565e3, 0]),
        (["1.2万", "3000", "2亿"], [12000, 3000, 2e8]),
        (["1.2万元", "3000元"], [12000, 3000]),
    ],
    ids=lambda value: str(value)[:30],
)
def test_numbers_are_read_as_they_are_meant(texts, values):
    assert read(*texts)[1] == pytest.approx(values)


@pytest.mark.parametrize(
    "text",
    ["A12", "12-13", "2023-02-17", "17.02.2023", "12:30", "1/2", "10.0.0.1", "3+", ">30", "1,2,3",
     "1st", "3rd class", "2. Married", "1 and 2", "555-1234", "", "-", "1 2", "6'", '5"', "①",
     "--5", "(5", "5)", "(-5)", "1,23", "12.34.56", "1e999"],
)  # fmt: skip
def test_other_texts_are_no_numbers(text):
    """In a column of plain numbers, with a point for decimals."""
    assert isnan(NumberFormat().value(text))


def test_a_cell_with_another_unit_is_no_number_of_the_column():
    form, values = read("5 kg", "7 kg", "8 kg", "300 g", "9")
    assert form.unit == "kg" and values[:3] == [5, 7, 8] and isnan(values[3]) and values[4] == 9


def test_a_letter_that_few_numbers_have_is_no_unit():
    """207, 207b: these are names, and b is no unit of the others."""
    form, values = read("207", "208", "209", "207b")
    assert form.unit == "" and values[:3] == [207, 208, 209] and isnan(values[3])


def test_new_cells_are_read_as_the_column_was_and_never_guessed_anew():
    """1.234 is a number above a thousand where points were for thousands, whatever comes later."""
    german = read("1.234,5", "3,25")[0]
    assert (
        german.value("1.234") == 1234 and isnan(german.value("1.5")) and isnan(german.value("5e"))
    )
    plain = read("1.5", "2")[0]
    assert isnan(plain.value("1,5")) and isnan(plain.value("1,234"))


def test_the_format_says_itself_in_words():
    assert read("1.234,5 €", "2,5 €")[0].words == (
        "numbers with '.' for thousands and ',' for decimals, in '€'"
    )
    assert read("3", "4")[0].words == "numbers"


MARKS = st.sampled_from([(".", ""), (",", ""), (".", ","), (",", "."), (".", " "), (",", " "),
                         (".", "'"), (",", "\u00a0")])  # fmt: skip


@given(
    st.lists(st.decimals(-(10**9), 10**9, places=2), min_size=1, max_size=30),
    MARKS,
    st.sampled_from(["{}", "${}", "{} €", "{}%", " {} ", "{} kg"]),
)
def test_every_way_of_writing_reads_back(numbers, marks, around):
    """Of each column at least one number tells the marks apart: it has a fraction and a group."""
    decimal, thousands = marks
    numbers = [*numbers, *(x.__class__("1234.75") for x in numbers[:1])]

    def write(number):
        text = f"{number:,.2f}".replace(",", "T").replace(".", decimal).replace("T", thousands)
        return around.format(text)

    texts = [write(number) for number in numbers]
    form = NumberFormat.of_texts(Counter(texts))
    assert form.read(texts).tolist() == [float(number) + 0.0 for number in numbers]


def test_digits_behind_a_zero_are_a_code():
    assert all(map(is_code, ["007", " 012", "00"]))
    assert not any(map(is_code, ["0", "0.5", "70", "A07", "-07", "0x1"]))


@pytest.mark.parametrize(
    "text", ["(" + " " * 5000 + "x", "-" + " " * 5000 + "1", "1" * 5000, "1,234" * 900]
)
def test_long_texts_are_no_numbers_and_take_no_time(text):
    """A pattern with several runs of blanks may take the cube of their length."""
    assert isnan(NumberFormat().value(text))
    assert NumberFormat.of_texts({text: 1, "5": 3}) == NumberFormat()
