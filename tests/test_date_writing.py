"""Dates are written as those of the column are, or not at all."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.data.date_writing import as_written
from pellucid.data.times import continued

STYLES = (
    "%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y/%-m/%-d", "%Y.%m.%d", "%d.%m.%Y",
    "%-d.%-m.%Y %H:%M", "%d/%m/%Y", "%m/%d/%Y", "%-m/%-d/%y", "%m/%d/%Y %-I:%M %p", "%Y%m%d",
    "%d %b %Y", "%-d %B %Y", "%b %d, %Y", "%d-%b-%y", "%d-%b-%Y", "%A, %B %d, %Y",
    "%a, %d %b %Y %H:%M:%S", "%Y年%-m月%-d日", "%a %b %d %H:%M:%S %Y", "%G-W%V-%u", "%b-%-d-%Y",
    "%Y-%m-%d %H:%M:%S+00:00",
)  # fmt: skip


@pytest.mark.parametrize("style", STYLES)
@settings(max_examples=8)
@given(
    first=st.dates(datetime(1971, 1, 1).date(), datetime(2060, 1, 1).date()),
    count=st.integers(35, 80), ahead=st.integers(1, 90),
)  # fmt: skip
def test_days_go_on_as_they_are_written(style, first, count, ahead):
    midnight = datetime(first.year, first.month, first.day)
    texts = [(midnight + timedelta(k)).strftime(style) for k in range(count + ahead)]
    assert continued(texts[:count], ahead) == texts[count:]


@pytest.mark.parametrize(
    ("texts", "later"),
    [
        (["1960-11", "1960-12"], ["1961-01", "1961-02"]),
        (["2000Q3", "2000Q4"], ["2001Q1", "2001Q2"]),
        (["2000q3", "2000q4"], ["2001q1", "2001q2"]),
        (["2000-Q3", "2000-Q4"], ["2001-Q1", "2001-Q2"]),
        (["Q3 2000", "Q4 2000"], ["Q1 2001", "Q2 2001"]),
        (["1960M11", "1960M12"], ["1961M01", "1961M02"]),
        (["1960/9", "1960/10"], ["1960/11", "1960/12"]),
        (["2023-W51", "2023-W52"], ["2024-W01", "2024-W02"]),
        (["Nov 2020", "Dec 2020"], ["Jan 2021", "Feb 2021"]),
        (["NOVEMBER 2020", "DECEMBER 2020"], ["JANUARY 2021", "FEBRUARY 2021"]),
        (["Nov-20", "Dec-20"], ["Jan-21", "Feb-21"]),
        (["11/2020", "12/2020"], ["01/2021", "02/2021"]),
        (["2020年9月", "2020年10月"], ["2020年11月", "2020年12月"]),
        (["12:40", "12:50"], ["13:00", "13:10"]),
        (["23:40", "23:50"], ["00:00", "00:10"]),
        (["9:00 AM", "11:30 AM"], ["2:00 PM", "4:30 PM"]),
        (["2024-01-01T00:00:00.250", "2024-01-01T00:00:00.500"],
         ["2024-01-01T00:00:00.750", "2024-01-01T00:00:01.000"]),
        (["2024-01-01 00:00+0530", "2024-01-01 01:00+0530"],
         ["2024-01-01 02:00+0530", "2024-01-01 03:00+0530"]),
        (["08", "09"], ["10", "11"]),
    ],
)  # fmt: skip
def test_each_way_of_writing_goes_on(texts, later):
    assert continued(texts, 2) == later


def test_months_in_other_languages_where_they_were_seen():
    texts = [f"1. {month} 2021" for month in
             "Januar Februar März April Mai Juni Juli August September Oktober November Dezember"
             .split()]  # fmt: skip
    assert continued(texts, 3) == ["1. Januar 2022", "1. Februar 2022", "1. März 2022"]
    assert continued(texts[:3], 1) == ["2021-04-01"]  # nobody told what April is called


def test_what_cannot_be_written_so_is_written_with_the_year_first():
    """A date alone has no place for an hour, and mixed ways of writing are none."""
    noon = datetime(2024, 1, 3, 12)
    assert as_written(["1/30/2024", "1/31/2024"], "mdy", [noon]) is None
    assert as_written(["1/30/2024", "01/31/2024"], "mdy", [datetime(2024, 2, 1)]) is None
    mixed = ["1/30/2024", "2024-01-31", "2/1/2024"]
    assert continued(mixed, 1) == ["2024-02-02"]
