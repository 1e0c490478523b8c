"""The rows of the present batch, gathered in the epoch's order.

formula   gather:         x[i] = data[slots[first + i]]
          gather_levels:  x[i, p, c] = table[data[slots[first + i], p, c], c]
          gather_steps:   x[i, t] = values[starts[slots[first + i]] + begin + t]
          gather_windows: x[i, t] = (relative[starts[n] + t] - shift[n]) / scale[n], then plain[...]
                          with n = slots[first + i]; in steps to come only what is known of them
shapes    data (slots, I), of levels bytes, two for a level of 16 bits, the lower first; slots (N,);
          table (levels, C), flat; x (B, padded rows) of lines of `length` numbers;
          values (all steps, C), starts and lengths (N,), absent (B,);
          relative (all steps, R), shift and scale (N, R), float64; plain (all steps, P), known (P,)
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


def gather_windows(part, parts, step, first, rows, dtype, a):
    """Write the batch's windows into `x`: numbers in their own scale, 0 where there is none.

    The last `ahead` of the `steps` are those to be forecast: nothing is known of them but the
    `plain` columns that are `known`, and that they lie ahead, which a last column tells.
    """
    zero, one = dtype(0), dtype(1)
    relative, plain = a.relative.shape[1], a.plain.shape[1]
    begin, end = share(rows, part, parts)
    for i in range(begin, end):
        slot = a.slots[first + i]
        for t in range(a.steps):
            row, past = a.starts[slot] + t, t < a.steps - a.ahead
            target = a.x[i, a.begin + t * a.pixel : a.begin + (t + 1) * a.pixel]
            for j in range(relative):
                number = (a.relative[row, j] - a.shift[slot, j]) / a.scale[slot, j]
                number = min(max(number, -a.limit), a.limit) if number == number else 0.0
                target[j] = dtype(number) if past else zero
            for j in range(plain):
                target[relative + j] = a.plain[row, j] if past or a.known[j] else zero
            if a.ahead > 0:
                target[relative + plain] = zero if past else one


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
