"""What the recurrent kernels share: which rows have a step, and the products of that step.

formula   z_t = b + x_t U + h_{t-1} W     dx_t = dz_t U^T     dh_{t-1} = dz_t W^T
shapes    x, h, z (B, steps of padded pixels); U (I, G), W (H, G) packed, b (G,), G the columns of
          all gates; missing (B,) counts the steps that a row lacks at its end, empty for none
reads     x, h or the states before the first step, U, W, b
writes    z
source    ``pellucid.formulas.rnn``, ``lstm`` and ``gru``

A thread takes its rows through all steps by itself: nobody waits for anybody between steps. Rows
that have no step k are left out of its products, so unequal lengths cost nothing.
"""

from __future__ import annotations

from numba import njit

from pellucid.kernels.intrinsics import share
from pellucid.kernels.panels import LOOSE_DEPTH, PANEL_BYTES
from pellucid.kernels.product import panel_product, row_blocks

_device = njit(error_model="numpy", _nrt=False)


@_device
def length(i, steps, missing):
    """The steps of row i."""
    return steps - missing[i] if missing.size > 0 else steps


@_device
def place(k, count, reverse):
    """Where a row of `count` steps has its step k: from the end if `reverse`."""
    return count - 1 - k if reverse else k


@_device
def before_place(k, t, reverse, at, pixel):
    """Where in its row what was before step k lies, which is at t: at 0 what was at first."""
    if k == 0:
        return 0
    return at + (t + 1 if reverse else t - 1) * pixel


@_device
def mark(table, begin, end, k, steps, missing, reverse, behind, row, pixel):
    """Write where in an array the step k of each row lies that has one; how many have.

    `behind` of 1 means the step before that, -1 the one after.
    """
    found = 0
    for i in range(begin, end):
        count = length(i, steps, missing)
        if k < count:
            table[found] = i * row + place(k - behind, count, reverse) * pixel
            found += 1
    return found


@_device
def mark_rows(table, begin, end, k, steps, missing, row):
    """Write where each row of an array begins, of those that have a step k; how many have."""
    found = 0
    for i in range(begin, end):
        if k < length(i, steps, missing):
            table[found] = i * row
            found += 1
    return found


@_device
def step_product(
    dtype, a, a_at, a_rows, b, start, fresh, c, c_at, c_rows, numbers, height, width, depth
):
    """``c = start + a b``, or c more with `fresh` 0; `numbers` count from 0."""
    panel = PANEL_BYTES // a.itemsize
    for at in range(0, width, panel):
        panel_product(
            dtype, a, a_at, a_rows, numbers, b, at * depth, numbers, True, start, at, fresh,
            c, c_at + at, c_rows, False,
            0, row_blocks(height), height, min(panel, width - at), depth, 0, dtype(0),
        )  # fmt: skip


@_device
def step_gates(
    dtype, k, begin, end, x, x_pixel, inputs, u, b, gates, w, recurrent, states, h, h_at, h_pixel,
    z, z_pixel, missing, places, numbers, steps, width, reverse,
):  # fmt: skip
    """``z = b + x_t U``, and ``h_{t-1} W`` to the first `recurrent` columns, for all step k.

    How many rows have it. The tables that it writes into `places`, of x, z and what comes before,
    hold until the next step.
    """
    tables = places.size // 3
    x_places, z_places = places[begin:], places[tables + begin :]
    before = places[2 * tables + begin :]
    count = mark(x_places, begin, end, k, steps, missing, reverse, 0, x.shape[1], x_pixel)
    if count == 0:
        return count
    mark(z_places, begin, end, k, steps, missing, reverse, 0, z.shape[1], z_pixel)
    if k == 0:
        mark_rows(before, begin, end, k, steps, missing, states.shape[1])
    else:
        mark(before, begin, end, k, steps, missing, reverse, 1, h.shape[1], h_pixel)
    # places count from the first row
    step_product(
        dtype, x[0], 0, x_places, u, b, True, z[0], 0, z_places, numbers, count, gates, inputs
    )
    step_product(
        dtype, states[0] if k == 0 else h[0], 0 if k == 0 else h_at, before, w, b, False,
        z[0], 0, z_places, numbers, count, recurrent, width,
    )  # fmt: skip
    return count


@_device
def begin_backward(begin, end, dy, dy_at, per_step, back, width):
    """The gradient of each row's last state: what comes from above, where only it is used."""
    for i in range(begin, end):
        row = back[i, :width]
        for j in range(width):
            row[j] = 0
        if not per_step:
            above = dy[i, dy_at : dy_at + width]
            for j in range(width):
                row[j] = above[j]


@_device
def add_from_above(i, t, dy, dy_at, dy_pixel, per_step, back, width):
    """``dh_t`` in place of what comes back through time: with what comes from above."""
    if per_step:
        at = dy_at + t * dy_pixel
        row, above = back[i, :width], dy[i, at : at + width]
        for j in range(width):
            row[j] += above[j]


@_device
def mark_backward(places, begin, end, k, z, z_pixel, dx, dx_pixel, back, steps, missing, reverse):
    """Write where dx, z and back have the rows that have a step k; how many have."""
    tables = places.size // 3
    mark(places[begin:], begin, end, k, steps, missing, reverse, 0, dx.shape[1], dx_pixel)
    mark_rows(places[2 * tables + begin :], begin, end, k, steps, missing, back.shape[1])
    return mark(
        places[tables + begin :], begin, end, k, steps, missing, reverse, 0, z.shape[1], z_pixel
    )


@_device
def step_backward(
    dtype, k, count, begin, z, gates, recurrent, ut, wt, back, zeros, fresh,
    dx, inputs, adds, places, numbers, width,
):  # fmt: skip
    """``dx_t = dz_t U^T`` and ``dh_{t-1} = dz_t W^T`` of step k for the rows that were marked.

    Empty dx is wanted by nobody, nor what comes before the first step; with `adds` dx is added to,
    and back unless `fresh`.
    """
    tables = places.size // 3
    z_places, rows = places[tables + begin :], places[2 * tables + begin :]
    if dx.shape[0] > 0:
        step_product(
            dtype, z[0], 0, z_places, ut, zeros, not adds, dx[0], 0, places[begin:],
            numbers, count, inputs, gates,
        )  # fmt: skip
    if k > 0:
        step_product(
            dtype, z[0], 0, z_places, wt, zeros, fresh, back[0], 0, rows,
            numbers, count, width, recurrent,
        )  # fmt: skip


def begin_states(part, parts, step, first, rows, dtype, states, width, every):
    """Zeros before each row's first step: in `every` step of training, or in the first alone."""
    if step > 0 and not every:
        return
    begin, end = share(rows, part, parts)
    for i in range(begin, end):
        row = states[i, :width]
        for j in range(width):
            row[j] = 0


def last_state(
    part, parts, step, first, rows, dtype, h, h_at, h_pixel, y, y_at, missing, steps, width, reverse
):
    """The state after each row's last step, which stands at its end, or with `reverse` first.

    Of a row without steps y stays as it is.
    """
    begin, end = share(rows, part, parts)
    for i in range(begin, end):
        count = length(i, steps, missing)
        if count == 0:
            continue
        at = h_at + place(count - 1, count, reverse) * h_pixel
        source, target = h[i, at : at + width], y[i, y_at : y_at + width]
        for j in range(width):
            target[j] = source[j]


def pair_steps(
    part, parts, step, first, rows, dtype,
    all_steps, every, x_places, dz_places, pairs, h_places, later, counts, missing,
):  # fmt: skip
    """Where rows lack steps: write where all that there are lie, row after row, and count them.

    Of a whole row the tables `x_places`, `dz_places`, `h_places` and `later` say where each step of
    x and of dz lies, each state, and the dz of the step that reads it; `every` holds the elements
    of a row of x, dz and h. `all_steps` gets those of x and then of dz, `pairs` the others.
    """
    if part != 0:
        return
    half, half_pairs = all_steps.size // 2, pairs.size // 2
    found, found_pairs = 0, 0
    for i in range(rows):
        count = x_places.size - missing[i]
        for t in range(count):
            all_steps[found] = i * every[0] + x_places[t]
            all_steps[half + found] = i * every[1] + dz_places[t]
            found += 1
        for t in range(count - 1):
            pairs[found_pairs] = i * every[2] + h_places[t]
            pairs[half_pairs + found_pairs] = i * every[1] + later[t]
            found_pairs += 1
    counts[0], counts[1] = found, found_pairs


@_device
def _clear_padding(dw, at, begin, end, wide, columns, panel):
    """Zeros behind the `columns` of a panel, in the rows of its blocks `begin` to `end`.

    dz goes on there with another gate, so the product wrote there too.
    """
    stored = panel if columns > panel // 2 else panel // 2
    blocks = max(1, row_blocks(wide))
    for r in range(wide * begin // blocks, wide * end // blocks):
        row = dw[at * wide + r * stored : at * wide + (r + 1) * stored]
        for j in range(columns, row.size):
            row[j] = 0


def long_product(
    part, parts, step, first, rows, dtype,
    a, a_terms, a_wide, dwa, db, steps_of_a, b, b_terms, b_wide, dwb, steps_of_b,
    dz, width, width_a, width_b, counts, numbers, zeros, ones, nowhere, adds,
):  # fmt: skip
    """``dwa = a^T dz``, ``dwb = b^T dz`` and ``db = sum of dz``, over all steps of all rows.

    The first half of `a_terms` says where the steps lie in a, the second where in dz; `b_terms`
    likewise. `counts` says how many there are; where it is empty, `steps_of_a` and `steps_of_b` say
    how many each row has. `width` is the larger of dz's two widths. A few steps at a time, so that
    dz is read from memory once. With `adds` to what dwa, dwb and db hold.
    """
    panel = PANEL_BYTES // a.itemsize
    count_a = rows * steps_of_a if counts.size == 0 else counts[0]
    count_b = rows * steps_of_b if counts.size == 0 else counts[1]
    half_a, half_b = a_terms.size // 2, b_terms.size // 2
    blocks_a, blocks_b = max(1, row_blocks(a_wide)), row_blocks(b_wide)
    blocks = blocks_a + blocks_b  # of a panel
    begin, end = share((width + panel - 1) // panel * blocks, part, parts)
    chunks = max(1, (max(count_a, count_b) + LOOSE_DEPTH - 1) // LOOSE_DEPTH)
    for chunk in range(chunks):
        fresh = chunk == 0 and not adds
        k, m = count_a * chunk // chunks, count_b * chunk // chunks
        depth_a = count_a * (chunk + 1) // chunks - k
        depth_b = count_b * (chunk + 1) // chunks - m
        unit = begin
        while unit < end:
            p = unit // blocks
            at = p * panel
            block = unit - p * blocks
            last = min(blocks, block + end - unit)
            dz_a, dz_b = a_terms[half_a + k :], b_terms[half_b + m :]
            if block < blocks_a and at < width_a:
                columns, end_a = min(panel, width_a - at), min(last, blocks_a)
                panel_product(
                    dtype, a, 0, numbers, a_terms[k:], dz, at, dz_a, False, zeros, 0, fresh,
                    dwa, at * a_wide, numbers, True,
                    block, end_a, a_wide, columns, depth_a, 0, dtype(0),
                )  # fmt: skip
                _clear_padding(dwa, at, block, end_a, a_wide, columns, panel)
                if block == 0 and db.size > 0:
                    panel_product(
                        dtype, ones, 0, nowhere, nowhere, dz, at, dz_a, False, zeros, 0, fresh,
                        db, at, nowhere, False, 0, 1, 1, columns, depth_a, 0, dtype(0),
                    )  # fmt: skip
                    _clear_padding(db, at, 0, 1, 1, columns, panel)
            if last > blocks_a and at < width_b:
                columns = min(panel, width_b - at)
                begin_b, end_b = max(block, blocks_a) - blocks_a, last - blocks_a
                panel_product(
                    dtype, b, 0, numbers, b_terms[m:], dz, at, dz_b, False, zeros, 0, fresh,
                    dwb, at * b_wide, numbers, True,
                    begin_b, end_b, b_wide, columns, depth_b, 0, dtype(0),
                )  # fmt: skip
                _clear_padding(dwb, at, begin_b, end_b, b_wide, columns, panel)
            unit += last - block
