"""Places of rows: those of some are worked out without those of all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.rows import order
from pellucid.rows.order import placed, places_of


@given(st.integers(1, 300), st.integers(0, 2**63 - 1), st.integers(1, 90), st.data())
def test_places_of_some_rows_are_those_among_all(rows, seed, at_a_time, data):
    numbers = np.array(data.draw(st.lists(st.integers(0, rows - 1), min_size=1, max_size=40)))
    expected = np.argsort(placed(seed, rows))[numbers]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(order, "_COUNTED", at_a_time)
        found = places_of(seed, rows, numbers)
    np.testing.assert_array_equal(found, expected)


def test_rows_of_equal_words_stay_in_their_order(monkeypatch):
    class Stream:
        def __init__(self, *_):
            self.words_left = np.array([5, 3, 5, 3, 5, 9], dtype=np.uint64)

        def words(self, count):
            some, self.words_left = self.words_left[:count], self.words_left[count:]
            return some

    monkeypatch.setattr(order, "Stream", Stream)
    monkeypatch.setattr(order, "_COUNTED", 2)
    assert places_of(0, 6, np.array([4, 1, 0, 5, 3, 2])).tolist() == [4, 0, 2, 5, 1, 3]
