"""DateFormat: dates as people write them, in the order that the whole column tells."""

from collections import Counter
from datetime import UTC, datetime
from math import isnan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.data.date_format import DateFormat, read_date


def read(*texts):
    form, doubtful = DateFormat.of_texts(Counter(texts))
    return form.read(texts).tolist(), form.order, doubtful


def at(*parts):
    return datetime(*parts, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("2023-02-17", (2023, 2, 17)),
        ("2023/2/7", (2023, 2, 7)),
        ("2023.2.7 8:30", (2023, 2, 7, 8, 30)),
        ("2023-02-17T12:30:15Z", (2023, 2, 17, 12, 30, 15)),
        ("2023-02-17 12:30+02:00", (2023, 2, 17, 10, 30)),
        ("2023-02", (2023, 2, 1)),
        ("2023年5月1日", (2023, 5, 1)),
        ("2023年5月1日 8时30分", (2023, 5, 1, 8, 30)),
        ("2023年12月", (2023, 12, 1)),
        ("17.02.2023", (2023, 2, 17)),
        ("17.2.23 14:05", (2023, 2, 17, 14, 5)),
        ("17/02/1999", (1999, 2, 17)),
        ("02/17/2023", (2023, 2, 17)),
        ("2/17/99 3:45 PM", (1999, 2, 17, 15, 45)),
        ("5 Jan 2023", (2023, 1, 5)),
        ("17-Feb-22", (2022, 2, 17)),
        ("5. März 2021", (2021, 3, 5)),
        ("1er janvier 2020", (2020, 1, 1)),
        ("12 de enero de 2023", (2023, 1, 12)),
        ("January 5, 2023", (2023, 1, 5)),
        ("Monday, February 6, 2023 12:15 am", (2023, 2, 6, 0, 15)),
        ("Mai 2020", (2020, 5, 1)),
        ("12/2023", (2023, 12, 1)),
        ("2023-Q2", (2023, 4, 1)),
        ("Q2 2023", (2023, 4, 1)),
        ("2023q2", (2023, 4, 1)),
        ("1960M12", (1960, 12, 1)),
        ("Jan-5-1995", (1995, 1, 5)),
        ("Jan-20", (2020, 1, 1)),
        ("2023-W05", (2023, 1, 30)),
        ("2023-05-01 12:30:00+00", (2023, 5, 1, 12, 30)),
        ("01.02.2019 09:31 Uhr", (2019, 2, 1, 9, 31)),
        ("2019年10月10日 13时12分", (2019, 10, 10, 13, 12)),
        ("2023/05/01 下午 1:30", (2023, 5, 1, 13, 30)),
        ("Thu Jan 05 12:30:00 2023", (2023, 1, 5, 12, 30)),
        ("20230501", (2023, 5, 1)),
        ("202305011230", (2023, 5, 1, 12, 30)),
        ("12:30", (1970, 1, 1, 12, 30)),
        ("9:15 pm", (1970, 1, 1, 21, 15)),
        ("7 AM", (1970, 1, 1, 7)),
    ],
)
def test_a_date_is_read_as_it_is_meant(text, when):
    assert read(text)[0] == [at(*when)]


@pytest.mark.parametrize(
    "text",
    ["", "2023", "1.2.3", "10.0.0.1", "2023-13-01", "2023-02-30", "99/99/2023", "13:75", "25:00",
     "13 pm", "A12", "5 Foo 2023", "12", "1,5", "may", "2023-02-17 25:00",
     "0001-01-01", "Mark 2021", "Mary 1999", "Mayor 2020", "jui 2020", "2023-05-01" + " " * 90],
)  # fmt: skip
def test_what_is_no_date_is_none(text):
    assert isnan(read(text)[0][0])


def test_the_column_tells_whether_the_day_is_first():
    assert read("01/02/2023", "25/02/2023") == ([at(2023, 2, 1), at(2023, 2, 25)], "dmy", False)
    assert read("01/02/2023", "02/25/2023") == ([at(2023, 1, 2), at(2023, 2, 25)], "mdy", False)


def test_what_stays_doubtful_is_said():
    assert read("01/02/2023", "03/04/2023")[1:] == ("mdy", True)
    assert read("01.02.2023", "03.04.2023")[1:] == ("dmy", True)
    assert read("2023-05-01", "03/04/2023", "05/01/2023")[1:] == ("mdy", True)


def test_the_part_that_never_changes_is_the_day():
    assert read("01/02/2023", "01/03/2023", "01/04/2023")[1:] == ("dmy", False)
    assert read("02/01/2023", "03/01/2023", "04/01/2023")[1:] == ("mdy", False)


@given(st.datetimes(datetime(1970, 1, 1), datetime(2068, 12, 31)))
def test_dates_read_back(when):
    when = when.replace(microsecond=0)
    for order, text in (
        ("ymd", f"{when:%Y-%m-%d %H:%M:%S}"),
        ("ymd", f"{when:%Y/%m/%dT%H:%M:%S}"),
        ("dmy", f"{when:%d.%m.%Y %H:%M:%S}"),
        ("mdy", f"{when:%m/%d/%y %I:%M:%S %p}"),
        ("dmy", f"{when:%d %B %Y %H:%M:%S}"),
        ("mdy", f"{when:%b %d, %Y %H:%M:%S}"),
    ):
        assert read_date(text, order) == when


def test_a_time_of_day_is_no_date_and_a_date_no_time_of_day():
    """A column has either: half past noon is not in 1970."""
    dates = DateFormat.of_texts(Counter(["2023-05-01", "2023-06-01"]))[0]
    clocks = DateFormat.of_texts(Counter(["12:30", "9:15 pm"]))[0]
    assert isnan(dates.value("12:30")) and isnan(clocks.value("2023-05-01"))
    assert clocks.words == "times of day" and clocks.value("12:30") == 45_000


def test_dates_with_the_year_first_are_clear_in_a_column_of_others():
    assert DateFormat("dmy").value("2023-05-01") == at(2023, 5, 1)
