"""Sums in parts: exact, however the numbers are parted."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.sums import ExactSum, as_float

numbers = st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=30)


def summed(*parts):
    total = ExactSum()
    for part in parts:
        total.add(part)
    return total


@given(numbers, st.integers(0, 30))
def test_it_is_exact_in_any_parts(values, cut):
    wanted = sum(map(Fraction, values), Fraction())
    for total in (summed(values), summed(values[:cut], values[cut:]), summed(*values)):
        assert total.exact == wanted
        assert total.value == as_float(wanted)


def test_many_numbers():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(1500, 1000)) * 10.0 ** rng.integers(-30, 30, size=(1500, 1000))
    assert summed(values).value == math.fsum(values.ravel())
    assert summed(values).mean(7) == as_float(summed(values).exact / 7)


@pytest.mark.parametrize("value", (5e-324, -5e-324, 2.0**-1022, np.finfo(float).max, 0.0, -0.0))
def test_the_ends_of_the_range(value):
    assert summed([value]).value == value
    assert summed([value] * 4, [-value] * 3).value == value


def test_beyond_the_largest_number():
    largest = np.finfo(float).max
    total = summed([largest, largest])
    assert total.value == math.inf and total.mean(2) == largest
    assert summed([-largest] * 2).value == -math.inf


def test_what_is_not_finite_stays_so():
    assert summed([1.0, math.inf]).value == math.inf
    assert math.isnan(summed([1.0, math.inf], [-math.inf]).value)
    assert math.isnan(summed([math.nan]).mean(3)) and not summed([math.nan]).is_finite


def test_no_numbers():
    assert summed().value == summed([]).value == 0.0
