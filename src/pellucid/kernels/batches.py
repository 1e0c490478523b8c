"""The rows of the present batch, gathered in the epoch's order.

formula   gather:         x[i] = data[slots[first + i]]
          gather_levels:  x[i, p, c] = table[data[slots[first + i], p, c], c]
          gather_steps:   x[i, t] = values[starts[slots[first + i]] + begin + t]
shapes    data (slots, I), of levels bytes, two for a level of 16 bits, the lower first; slots (N,);
          table (levels, C), flat; x (B, padded rows) of lines of `count` numbers;
          values (all steps, C), starts and lengths (N,), missing (B,)
reads     data, slots, table
writes    x; missing, how many of T steps a row lacks
source    none: a copy, so that every later kernel reads its rows side by side
"""

from __future__ import annotations

from numba import int64, njit

from pellucid.kernels.intrinsics import share


@njit(error_model="numpy", _nrt=False)
def span(length, steps, back):
    """Which steps of a sequence a row of `steps` holds: the last, but for `back` behind them."""
    end = max(0, length - back)
    return max(0, end - steps), end


def gather(part, parts, step, first, rows, dtype, data, slots, x, lines, count):
    """Copy the batch's rows into `x`, line by line."""
    begin, end = share(rows, part, parts)
    for i in range(begin, end):
        row = data[slots[first + i]]
        for n in range(lines.size):
            source, target = row[n * count : (n + 1) * count], x[i, lines[n] : lines[n] + count]
            for j in range(count):
                target[j] = source[j]


def gather_levels(
    part, parts, step, first, rows, dtype, data, slots, table, channels, x, lines, count
):
    """Look the levels of the batch's rows up into `x`, line by line."""
    wide = table.size > 256 * channels
    begin, end = share(rows, part, parts)
    for i in range(begin, end):
        row = data[slots[first + i]]
        for n in range(lines.size):
            target = x[i, lines[n] : lines[n] + count]
            if wide:
                source = row[2 * n * count : 2 * (n + 1) * count]
                for j in range(0, count, channels):
                    for c in range(channels):
                        low, high = int64(source[2 * (j + c)]), int64(source[2 * (j + c) + 1])
                        target[j + c] = table[(256 * high + low) * channels + c]
            else:
                source = row[n * count : (n + 1) * count]
                for j in range(0, count, channels):
                    for c in range(channels):
                        target[j + c] = table[int64(source[j + c]) * channels + c]


def gather_steps(
    part, parts, step, first, rows, dtype,
    values, starts, lengths, slots, x, pixel, missing, steps, back,
):  # fmt: skip
    """Copy the steps of the batch's sequences into `x`, and count those that each lacks."""
    count = values.shape[1]
    begin, end = share(rows, part, parts)
    for i in range(begin, end):
        slot = slots[first + i]
        head, tail = span(lengths[slot], steps, back)
        missing[i] = steps - (tail - head)
        for t in range(tail - head):
            source, target = values[starts[slot] + head + t], x[i, t * pixel : t * pixel + count]
            for j in range(count):
                target[j] = source[j]
