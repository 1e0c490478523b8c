"""Inverted dropout with a counter-based generator.

formula   y = x m / (1 - p), m_ij = 1 with probability 1 - p
shapes    x, y, mask (B, padded rows) of lines as in activations; clock (3,): two words of seed,
          steps done before
reads     forward x, clock; backward mask, dy
writes    forward mask (0 or 1 / (1 - p)) and y; backward dx, in place of dy
source    Srivastava et al., Dropout (2014); Philox 4x32-10: Salmon et al., Parallel Random
          Numbers: As Easy as 1, 2, 3 (2011), constants of section 4.3

An element's draw depends on the seed, the step, the layer and its place in the batch alone.
"""

from __future__ import annotations

from numba import uint32, uint64

from pellucid.kernels.intrinsics import device, share


@device
def philox(c0, c1, c2, c3, k0, k1):
    """Four random 32-bit words from a counter of four and a key of two."""
    for _ in range(10):
        p0 = uint64(0xD2511F53) * uint64(c0)
        p1 = uint64(0xCD9E8D57) * uint64(c2)
        c0, c1, c2, c3 = (
            uint32(p1 >> uint64(32)) ^ c1 ^ k0,
            uint32(p1 & uint64(0xFFFFFFFF)),
            uint32(p0 >> uint64(32)) ^ c3 ^ k1,
            uint32(p0 & uint64(0xFFFFFFFF)),
        )
        k0 = uint32(k0 + uint32(0x9E3779B9))
        k1 = uint32(k1 + uint32(0xBB67AE85))
    return c0, c1, c2, c3


def dropout_forward(part, parts, step, first, rows, dtype, a):
    """``y = x mask`` with a fresh mask for this step."""
    keep = dtype(1) / (dtype(1) - a.rate)
    limit = uint32(min(uint64(a.rate * 4294967296.0), uint64(4294967295)))
    time = uint64(a.clock[2] + step)
    key0, key1 = uint32(a.clock[0]), uint32(a.clock[1])
    quarter = (a.length + 3) // 4  # one counter serves four numbers, a quarter of a line apart
    zero = dtype(0)
    begin, end = share(rows, part, parts)
    for i in range(begin, end):
        for n in range(a.lines.size):
            row = a.mask[i, n * 4 * quarter : (n + 1) * 4 * quarter]
            row0, row1 = row[:quarter], row[quarter : 2 * quarter]
            row2, row3 = row[2 * quarter : 3 * quarter], row[3 * quarter :]
            counter = (i * a.lines.size + n) * quarter
            for j in range(quarter):
                r0, r1, r2, r3 = philox(
                    uint32(counter + j), uint32(a.layer), uint32(time), uint32(time >> uint64(32)),
                    key0, key1,
                )  # fmt: skip
                row0[j] = zero if r0 < limit else keep
                row1[j] = zero if r1 < limit else keep
                row2[j] = zero if r2 < limit else keep
                row3[j] = zero if r3 < limit else keep
            source = a.x[i, a.x_lines[n] : a.x_lines[n] + a.length]
            target = a.y[i, a.lines[n] : a.lines[n] + a.length]
            for j in range(a.length):
                target[j] = source[j] * row[j]


def dropout_backward(part, parts, step, first, rows, dtype, a):
    """``dx = dy mask`` in place of dy."""
    begin, end = share(rows, part, parts)
    quarters = (a.length + 3) // 4 * 4
    for i in range(begin, end):
        for n in range(a.lines.size):
            row, target = a.mask[i, n * quarters :], a.d[i, a.lines[n] : a.lines[n] + a.length]
            for j in range(a.length):
                target[j] *= row[j]  # y = x mask
