"""Arrays in a page: what is read back is what was written, and room is shared as promised."""

import base64
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.reports.arrays import around, common_size, encoded, largest, overview


def decoded(array):
    """The whole array, NaN where a place was left out."""
    shape, at = array["shape"], array["at"] or [None] * len(array["shape"])
    places = [range(size) if kept is None else kept for size, kept in zip(shape, at, strict=True)]
    data = np.frombuffer(base64.b64decode(array["data"]), dtype="<f4")
    whole = np.full(shape, np.nan)
    whole[np.ix_(*places)] = data.reshape([len(one) for one in places])
    return whole


def test_a_whole_array_comes_back():
    array = np.random.default_rng(0).normal(size=(3, 4, 2))
    page = encoded(array)
    assert page["at"] is None and page["shape"] == [3, 4, 2]
    np.testing.assert_array_equal(decoded(page), array.astype(np.float32))


def test_kept_places_stay_where_they_are():
    array = np.arange(12.0).reshape(3, 4)
    page = encoded(array, [None, np.array([1, 3])])
    assert page["at"] == [None, [1, 3]]
    np.testing.assert_array_equal(decoded(page)[:, [1, 3]], array[:, [1, 3]])
    assert np.isnan(decoded(page)[:, [0, 2]]).all()


def test_views_and_scalars_are_taken_as_they_are_seen():
    array = np.arange(6.0).reshape(2, 3).T[::-1]
    np.testing.assert_array_equal(decoded(encoded(array)), array)


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=30), st.integers(1, 10**6))
def test_arrays_cut_to_the_common_size_fit(sizes, room):
    share = common_size(sizes, room)
    total = sum(min(size, share) for size in sizes)
    assert total <= max(room, len(sizes))
    if total < sum(sizes):  # no more would fit
        cut = [size for size in sizes if size > share]
        assert total + len(cut) > room


def test_small_arrays_stay_whole():
    assert common_size([5, 10, 10**6], 1_000) == 985
    assert common_size([5, 10], 1_000) == 10


def test_the_largest_are_kept_in_their_order():
    assert largest(np.array([3.0, 1.0, 2.0]), 3) is None
    assert largest(np.array([3.0, 1.0, 2.0, 5.0]), 2).tolist() == [0, 3]
    assert largest(np.array([1.0, 1.0, 1.0]), 1).tolist() == [0]


@pytest.mark.parametrize("centre", (0.0, 0.5, 1.0))
def test_neighbours_lie_inside(centre):
    places = around(10, centre, 4)
    assert len(places) == 4 and places[0] >= 0 and places[-1] <= 9
    assert (np.diff(places) == 1).all()
    assert around(4, centre, 4) is None


def test_an_overview_has_the_means_of_neighbouring_pixels():
    maps = np.zeros((56, 30, 12))
    maps[:2, 0, 3] = 8.0
    small = overview(maps)
    height, width, channels = small["shape"]
    assert (height, width, channels) == (28, 28, 8) and 3 in small["channels"]
    levels = np.frombuffer(base64.b64decode(small["data"]), np.uint8).reshape(small["shape"])
    place = small["channels"].index(3)
    shares = levels[..., place] / 255 * (small["high"] - small["low"]) + small["low"]
    assert shares[0, 0] == pytest.approx(8.0) and math.isclose(shares.sum(), 8.0)
