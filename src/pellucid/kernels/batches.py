"""The rows of the present batch, gathered in the epoch's order.

formula   gather:         x[i] = data[slots[first + i]]
          gather_levels:  x[i, p, c] = table[data[slots[first + i], p, c], c]
          gather_steps:   x[i, t] = values[starts[slots[first + i]] + begin + t]
shapes    data (slots, I), of levels bytes, two for a level of 16 bits, the lower first; slots (N,);
          table (levels, C), flat; x (B, padded rows) of lines of `length` numbers;
          values (all steps, C), starts and lengths (N,), absent (B,)
reads     data, slots, table
writes    x; absent, how many of T steps a row lacks
source    none: a copy, so that every later kernel reads its rows side by side
"""

from __future__ import annotations

from numba import int64

from pellucid.kernels.intrinsics import device, share


@device
def span(length, steps, back):
    """First and end of what a row of `steps` holds of a sequence: its last ones but for `back`."""
    end = max(0, length - back)
    return max(0, end - steps), end


@device
def present(i, steps, absent):
    """How many of `steps` steps row i of the batch has; where `absent` is empty, all."""
    return steps - absent[i] if absent.size > 0 else steps


def gather(part, parts, step, first, rows, dtype, a):
    """Copy the batch's rows into `x`, line by line."""
    begin, end = share(rows, part, parts)
    for i in range(begin, end):
        row = a.data[a.slots[first + i]]
        for n in range(a.lines.size):
            source = row[n * a.length : (n + 1) * a.length]
            target = a.x[i, a.lines[n] : a.lines[n] + a.length]
            for j in range(a.length):
                target[j] = source[j]


def gather_levels(part, parts, step, first, rows, dtype, a):
    """Look the levels of the batch's rows up into `x`, line by line."""
    length, channels, table = a.length, a.channels, a.table
    wide = table.size > 256 * channels
    begin, end = share(rows, part, parts)
    for i in range(begin, end):
        row = a.data[a.slots[first + i]]
        for n in range(a.lines.size):
            target = a.x[i, a.lines[n] : a.lines[n] + length]
            if wide:
                source = row[2 * n * length : 2 * (n + 1) * length]
                for j in range(0, length, channels):
                    for c in range(channels):
                        low, high = int64(source[2 * (j + c)]), int64(source[2 * (j + c) + 1])
                        target[j + c] = table[(256 * high + low) * channels + c]
            else:
                source = row[n * length : (n + 1) * length]
                for j in range(0, length, channels):
                    for c in range(channels):
                        target[j + c] = table[int64(source[j + c]) * channels + c]


def gather_steps(part, parts, step, first, rows, dtype, a):
    """Copy the steps of the batch's sequences into `x`, and count those that each lacks."""
    count = a.values.shape[1]
    begin, end = share(rows, part, parts)
    for i in range(begin, end):
        slot = a.slots[first + i]
        head, tail = span(a.lengths[slot], a.steps, a.back)
        a.absent[i] = a.steps - (tail - head)
        for t in range(tail - head):
            source = a.values[a.starts[slot] + head + t]
            target = a.x[i, t * a.pixel : t * a.pixel + count]
            for j in range(count):
                target[j] = source[j]
