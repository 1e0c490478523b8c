"""Windows made of records and of steps in a file are those in memory, to the bit."""

from __future__ import annotations

import numpy as np
import pytest
from test_rows import scaled

from pellucid.data import flat_windows
from pellucid.data.flat_windows import FlatWriter
from pellucid.data.scratch import temporary


@pytest.mark.parametrize("dtype", (np.float32, np.float64))
@pytest.mark.parametrize("sizes", ((2, 3), (0, 1), (1, 0)))
@pytest.mark.parametrize("ahead", (0, 2))
@pytest.mark.parametrize("most", (0, 1 << 20))
def test_they_are_those_in_memory(monkeypatch, ahead, sizes, dtype, most):
    monkeypatch.setattr(flat_windows, "_IN_MEMORY", most)
    first, second = scaled(ahead, *sizes, dtype), scaled(ahead, *sizes, dtype, count=5)
    file = temporary("steps").file()
    writer = FlatWriter(file, *sizes, dtype)
    records = np.concatenate([writer.add(first), writer.add(second)])
    flat, order = writer.done(), np.array([13, 0, 5, 9, 9])
    assert flat.shape == first.shape[1:]
    windows = np.empty((5, *flat.shape), flat.dtype)
    flat.unpack(writer.packing.pack(records[order]), windows)
    expected = np.concatenate([np.asarray(first), np.asarray(second)])[order]
    np.testing.assert_array_equal(windows, expected)
    assert windows.dtype == dtype
    assert file.size == 60 * (8 * sizes[0] + dtype().itemsize * sizes[1])
