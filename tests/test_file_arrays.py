"""Arrays in files: what is read is what was written, whole or in pieces."""

import numpy as np
import pytest

from pellucid.file_arrays import FileArray, FileArrayWriter


@pytest.fixture
def numbers(tmp_path):
    whole = np.arange(60, dtype=np.float32).reshape(20, 3)
    writer = FileArrayWriter(tmp_path / "numbers", np.float32, (3,))
    for start in range(0, 20, 7):
        writer.write(whole[start : start + 7])
    array = writer.done()
    yield whole, array
    array.close()


@pytest.mark.parametrize(
    "index",
    [slice(None), slice(3, 9), slice(5, 5), slice(1, 20, 4), slice(-3, None), 0, 19, -1,
     [4, 4, 0, 19], np.arange(20) % 3 == 0],
)  # fmt: skip
def test_rows_are_read_as_from_an_array_in_memory(numbers, index):
    whole, array = numbers
    np.testing.assert_array_equal(array[index], whole[index])


def test_an_array_knows_its_shape_and_becomes_one_in_memory(numbers):
    whole, array = numbers
    assert (len(array), array.shape, array.ndim, array.nbytes) == (20, (20, 3), 2, 240)
    np.testing.assert_array_equal(np.asarray(array), whole)


def test_a_position_beyond_the_rows_is_refused(numbers):
    with pytest.raises(IndexError, match="one of 20 rows. Got 20"):
        numbers[1][20]


def test_an_array_of_no_rows_has_none(tmp_path):
    array = FileArrayWriter(tmp_path / "none", np.int32).done()
    assert len(array) == 0 and array[:].shape == (0,)


def test_a_file_that_is_too_short_is_refused(tmp_path):
    (tmp_path / "short").write_bytes(b"1234567")
    with pytest.raises(ValueError, match="must hold 8 bytes for 2 rows. Got 7. Remove it"):
        FileArray(tmp_path / "short", np.float32, (2,))


def test_a_file_that_is_shortened_while_it_is_read_is_said(numbers):
    _, array = numbers
    with array.path.open("r+b") as file:
        file.truncate(100)
    with pytest.raises(EOFError, match="must stay as it was while it is read"):
        array[:]
