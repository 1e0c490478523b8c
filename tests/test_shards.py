"""The sum of shards by pairs: the kernel against NumPy, shard by shard."""

import numpy as np
import pytest
from helpers import DTYPES

from pellucid.engine import Program, operation
from pellucid.kernels.operations.shards import add_shard


def by_hand(parts):
    """The sum by pairs, written as a recursion over the first power of two below the count."""
    if len(parts) == 1:
        return parts[0]
    half = 1 << (len(parts) - 1).bit_length() - 1
    return by_hand(parts[:half]) + by_hand(parts[half:])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("parts", (1, 3))
@pytest.mark.parametrize("count", (1, 2, 4, 16))
def test_shards_are_summed_by_pairs(count, parts, dtype):
    rng = np.random.default_rng(count)
    size, learning, rows = 101, 90, 4
    gradients = rng.normal(size=(2 * count, size)).astype(dtype)  # of two batches
    gradient, values = np.zeros(size, dtype), np.zeros(size, dtype)
    sums, counted = np.zeros((count.bit_length(), size), dtype), np.full(11, 7, dtype)
    added = add_shard(
        gradient=gradient, values=values, counted=counted, sums=sums,
        whole=np.array([rows * count]), clock=np.array([0, 0, 8 * count]), learning=learning,
    )  # fmt: skip
    program = Program([operation(added)])
    for number, shard in enumerate(gradients):
        gradient[:], values[:] = shard, 2 * shard
        program.run(number, number + 1, rows, 2 * rows * count, parts)
        np.testing.assert_array_equal(values[learning:], counted)  # each shard begins from there
        if (number + 1) % count == 0:
            batch = gradients[number + 1 - count : number + 1].copy()
            batch[:, learning:] *= 2 / count
            np.testing.assert_array_equal(sums[-1], by_hand(list(batch)))
        np.testing.assert_array_equal(values[:learning], 2 * shard[:learning])
