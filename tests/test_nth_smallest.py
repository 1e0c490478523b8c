"""The number at a place in sorted order is that of sorting, however the numbers are parted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.data.nth_smallest import nth_smallest

NUMBERS = {
    "whole": st.integers(-(2**63), 2**63 - 1),
    "real": st.floats(allow_nan=False),
}


@pytest.mark.parametrize("kind", NUMBERS)
@given(data=st.data())
def test_it_is_that_of_sorting(kind, data):
    numbers = data.draw(st.lists(NUMBERS[kind], min_size=1, max_size=30))
    array = np.array(numbers, dtype=np.int64 if kind == "whole" else np.float64)
    cut = data.draw(st.integers(0, len(array)))
    place = data.draw(st.integers(0, len(array) - 1))
    found = nth_smallest(lambda: (array[:cut], array[cut:]), place)
    assert found == np.sort(array)[place] and found.dtype == array.dtype
