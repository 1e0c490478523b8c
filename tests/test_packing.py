"""Rows packed into bytes come back to the same bits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.rows.packing import Packing


def there_and_back(packing, rows):
    packed = packing.pack(rows)
    assert packed.shape == (len(rows), packing.row_bytes) and packed.dtype == np.uint8
    again = np.full((len(rows), *packing.shape), 7, packing.dtype)
    Packing.from_config(packing.config()).unpack(packed, again)
    return again


@settings(max_examples=60)
@given(data=st.data())
def test_rows_with_groups_come_back_to_the_same_bits(data):
    width, count = data.draw(st.integers(1, 40)), data.draw(st.integers(0, 9))
    columns = data.draw(st.permutations(range(width)))
    groups, place = [], 0
    while place < width and data.draw(st.booleans()):
        size = data.draw(st.integers(1, 6))
        groups.append(columns[place : place + size])
        place += size
    dtype = data.draw(st.sampled_from(["float32", "float64"]))
    numbers = st.floats(width=32, allow_nan=True)
    rows = np.array(
        data.draw(st.lists(st.lists(numbers, min_size=width, max_size=width), min_size=count,
                           max_size=count)), dtype=dtype
    ).reshape(count, width)  # fmt: skip
    for group in groups:
        rows[:, group] = 0
        for row in rows:
            hot = data.draw(st.integers(-1, len(group) - 1))
            if hot >= 0:
                row[group[hot]] = 1
    packing = Packing((width,), dtype, groups)
    again = there_and_back(packing, rows)
    assert again.tobytes() == rows.tobytes()
    in_groups = sum(map(len, groups))
    assert packing.row_bytes == (width - in_groups) * rows.itemsize + len(groups)


def test_rows_of_any_shape_rest_as_they_are():
    rows = np.arange(48, dtype=np.uint8).reshape(4, 2, 3, 2)
    packing = Packing((2, 3, 2), np.uint8)
    assert packing.row_bytes == 12
    np.testing.assert_array_equal(there_and_back(packing, rows), rows)


def test_a_group_of_many_columns_has_a_wider_code():
    rows = np.eye(1000, dtype=np.float32)
    packing = Packing((1000,), np.float32, [range(1000)])
    assert packing.row_bytes == 4
    np.testing.assert_array_equal(there_and_back(packing, rows), rows)


@pytest.mark.parametrize(
    ("shape", "groups"), [((3,), [[0, 1], [1]]), ((3,), [[3]]), ((2, 3), [[0]])]
)
def test_groups_that_are_no_columns_or_share_some_are_refused(shape, groups):
    with pytest.raises(ValueError, match="must be different columns of"):
        Packing(shape, np.float32, groups)
