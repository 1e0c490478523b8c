"""The sum of the gradients of a batch's shards, by pairs.

formula   g = ((g_0 + g_1) + (g_2 + g_3)) + ((g_4 + g_5) + (g_6 + g_7)), and so on for 2^k shards;
          a shard that is missing at the end leaves the other half of its pair as it is
          what layers count: c = sum of c_v r_v / B by the same pairs, each c_v counted from where
          the batch began
shapes    gradient, values (P,); counted (P - learning,); sums (k + 1, P); whole (1,) holds B;
          clock (3,): two words of seed, steps done before
reads     the shard's gradient, of `rows` = r_v rows; values from `learning` on, which it counted
writes    sums: row i holds the sum of 2^i shards whose other half is still to come, the last row
          that of all; values from `learning` on, put back to `counted`
source    Higham, The Accuracy of Floating Point Summation (1993), section 3, pairwise summation

A step is a shard. The trailing ones of its number by the clock say how many sums it completes. So
2^i shards that begin at a multiple of 2^i can be summed anywhere, to the same bits.
"""

from __future__ import annotations

from pellucid.kernels.intrinsics import share


def add_shard(part, parts, step, first, rows, dtype, a):
    """Add a shard's gradient, and what its layers counted, to those of the shards before it."""
    level, number = 0, a.clock[2] + step
    while level < a.sums.shape[0] - 1 and (number >> level) & 1:
        level += 1
    begin, end = share(a.gradient.size, part, parts)
    gradient, target = a.gradient[begin:end], a.sums[level, begin:end]
    for j in range(target.size):
        target[j] = gradient[j]
    of_batch = dtype(rows) / dtype(a.whole[0])
    for j in range(max(begin, a.learning), end):
        a.sums[level, j] = a.values[j] * of_batch
        a.values[j] = a.counted[j - a.learning]
    for below in range(level):
        source = a.sums[below, begin:end]
        for j in range(target.size):
            target[j] = source[j] + target[j]
