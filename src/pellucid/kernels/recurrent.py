"""What the recurrent kernels share: which rows have a step, and the products of that step.

formula   z_t = b + x_t U + h_{t-1} W     dx_t = dz_t U^T     dh_{t-1} = dz_t W^T
shapes    x, h, z (B, steps of padded pixels); U (I, G), W (H, G) packed, b (G,), G the columns of
          all gates; absent (B,) counts the steps that a row lacks at its end, empty for none
reads     x, h or the states before the first step, U, W, b
writes    z
source    ``pellucid.formulas.rnn``, ``lstm`` and ``gru``

A thread takes its rows through all steps by itself: nobody waits for anybody between steps. Rows
that have no step k are left out of its products, so unequal lengths cost nothing.
"""

from __future__ import annotations

from numba import int64

from pellucid.kernels.batches import present
from pellucid.kernels.intrinsics import device, share, view
from pellucid.kernels.operations.activations import IDENTITY
from pellucid.kernels.panels import PANEL_BYTES
from pellucid.kernels.product import panel_product, row_blocks, row_product
from pellucid.kernels.weight_gradient import sum_gradient

SEGMENT = 512  # steps of all rows, whose dz stays in the cache


@device
def place(k, count, reverse):
    """Where a row of `count` steps has its step k: from the end if `reverse`."""
    return count - 1 - k if reverse else k


@view
def gates_at(a, i, t, count):
    """The first `count` gates of row i's step at place t."""
    return a.z[i, t * a.z_pixel : t * a.z_pixel + count * a.width]


@view
def state_at(a, i, t):
    """The state of row i at place t."""
    return a.h[i, a.h_at + t * a.h_pixel : a.h_at + t * a.h_pixel + a.width]


@view
def before_step(a, i, k, t, first, later, at, pixel):
    """What row i had before its step k, which lies at place t: at the beginning that is `first`."""
    row = first[i] if k == 0 else later[i]
    begin = 0 if k == 0 else at + (t + 1 if a.reverse else t - 1) * pixel
    return row[begin : begin + a.width]


@device
def mark(table, begin, end, k, wanted, steps, absent, reverse, row, pixel):
    """Write where the step `wanted` of each row lies that has a step k; how many have one.

    With `pixel` 0 it is where the rows begin.
    """
    marked = 0
    for i in range(begin, end):
        count = present(i, steps, absent)
        if k < count:
            table[marked] = i * row + place(wanted, count, reverse) * pixel
            marked += 1
    return marked


@device
def step_product(
    dtype, a, a_at, a_rows, b, start, fresh, c, c_at, c_rows, numbers, height, width, depth
):
    """``c = start + a b``, or without `fresh` ``c += a b``; `numbers` are 0, 1, 2 and so on.

    Constants are written as for :func:`panel_product`.
    """
    panel = PANEL_BYTES // a.itemsize
    done = 0
    if height == 1:
        done = panel * row_product(
            dtype, a, a_at, a_rows, numbers, b, int64(0), numbers, start, int64(0), fresh, c, c_at,
            c_rows, width // panel, depth,
        )  # fmt: skip
    for at in range(done, width, panel):
        panel_product(
            dtype, a, a_at, a_rows, numbers, b, at * depth, numbers, start, at,
            fresh, c, c_at + at, c_rows, int64(0), row_blocks(height), height,
            min(panel, width - at), depth, int64(IDENTITY), dtype(0),
        )  # fmt: skip


@device
def step_gates(dtype, k, begin, end, a, gates, recurrent):
    """``z = b + x_t U``, and ``h_{t-1} W`` to the first `recurrent` columns, for all step k.

    How many rows have it. The tables that it writes into `places`, of x, z and what comes before,
    hold until the next step.
    """
    tables = a.places.size // 3
    x_places, z_places = a.places[begin:], a.places[tables + begin :]
    before, of_rows = a.places[2 * tables + begin :], (a.steps, a.absent, a.reverse)
    count = mark(x_places, begin, end, k, k, *of_rows, a.x.shape[1], a.x_pixel)
    if count == 0:
        return count
    mark(z_places, begin, end, k, k, *of_rows, a.z.shape[1], a.z_pixel)
    if k == 0:
        mark(before, begin, end, k, k, *of_rows, a.states.shape[1], int64(0))
    else:
        mark(before, begin, end, k, k - 1, *of_rows, a.h.shape[1], a.h_pixel)
    # places count from the first row
    step_product(
        dtype, a.x[0], int64(0), x_places, a.u, a.b, int64(True), a.z[0], int64(0),
        z_places, a.numbers, count, gates, a.inputs,
    )  # fmt: skip
    step_product(
        dtype, a.states[0] if k == 0 else a.h[0], 0 if k == 0 else a.h_at, before, a.w, a.b,
        int64(False), a.z[0], int64(0), z_places, a.numbers, count, recurrent, a.width,
    )  # fmt: skip
    return count


@device
def begin_backward(begin, end, a):
    """The gradient of each row's last state: what comes from above, where only it is used."""
    for i in range(begin, end):
        row = a.back[i, : a.width]
        for j in range(a.width):
            row[j] = 0
        if not a.per_step:
            above = a.dy[i, a.dy_at : a.dy_at + a.width]
            for j in range(a.width):
                row[j] = above[j]


@device
def add_from_above(i, t, a):
    """``dh_t`` in place of what comes back through time: with what comes from above."""
    if a.per_step:
        at = a.dy_at + t * a.dy_pixel
        row, above = a.back[i, : a.width], a.dy[i, at : at + a.width]
        for j in range(a.width):
            row[j] += above[j]


@device
def mark_backward(begin, end, k, a):
    """Write where dx, z and back have the rows that have a step k; how many have."""
    places, tables = a.places, a.places.size // 3
    of_rows = a.steps, a.absent, a.reverse
    mark(places[begin:], begin, end, k, k, *of_rows, a.dx.shape[1], a.dx_pixel)
    mark(places[2 * tables + begin :], begin, end, k, k, *of_rows, a.back.shape[1], int64(0))
    return mark(places[tables + begin :], begin, end, k, k, *of_rows, a.z.shape[1], a.z_pixel)


@device
def step_backward(dtype, k, count, begin, a, gates, recurrent, fresh):
    """``dx_t = dz_t U^T`` and ``dh_{t-1} = dz_t W^T`` of step k for the rows that were marked.

    Nobody asks for an empty dx, nor for the gradient of the state before the first step. With
    `adds` the product is added to dx, and without `fresh` to back.
    """
    tables = a.places.size // 3
    z_places, rows = a.places[tables + begin :], a.places[2 * tables + begin :]
    if a.dx.shape[0] > 0:
        step_product(
            dtype, a.z[0], int64(0), z_places, a.ut, a.zeros, int64(not a.adds), a.dx[0], int64(0),
            a.places[begin:], a.numbers, count, a.inputs, gates,
        )  # fmt: skip
    if k > 0:
        step_product(
            dtype, a.z[0], int64(0), z_places, a.wt, a.zeros, int64(fresh), a.back[0], int64(0),
            rows, a.numbers, count, a.width, recurrent,
        )  # fmt: skip


def begin_states(part, parts, step, first, rows, dtype, a):
    """Zeros before each row's first step: in `every` step of training, or in the first alone."""
    if step > 0 and not a.every:
        return
    begin, end = share(rows, part, parts)
    for i in range(begin, end):
        row = a.states[i, : a.width]
        for j in range(a.width):
            row[j] = 0


def last_state(part, parts, step, first, rows, dtype, a):
    """The state after each row's last step, which stands at its end, or with `reverse` first.

    Of a row without steps y stays as it is.
    """
    begin, end = share(rows, part, parts)
    for i in range(begin, end):
        count = present(i, a.steps, a.absent)
        if count == 0:
            continue
        source = state_at(a, i, place(count - 1, count, a.reverse))
        target = a.y[i, a.y_at : a.y_at + a.width]
        for j in range(a.width):
            target[j] = source[j]


def pair_steps(part, parts, step, first, rows, dtype, a):
    """Where rows lack steps: write the places of all that there are, row after row; count them.

    Of a whole row the tables `x_places`, `dz_places`, `h_places` and `later` say where each step of
    x and of dz lies, each state, and the dz of the step that reads it; `every` holds the elements
    of a row of x, dz and h. `all_steps` gets those of x and then of dz, `pairs` the others.
    """
    if part != 0:
        return
    x_row, dz_row, h_row = a.every[0], a.every[1], a.every[2]
    half, half_pairs = a.all_steps.size // 2, a.pairs.size // 2
    m, n = 0, 0
    for i in range(rows):
        count = present(i, a.x_places.size, a.absent)
        for t in range(count):
            a.all_steps[m] = i * x_row + a.x_places[t]
            a.all_steps[half + m] = i * dz_row + a.dz_places[t]
            m += 1
        for t in range(count - 1):
            a.pairs[n] = i * h_row + a.h_places[t]
            a.pairs[half_pairs + n] = i * dz_row + a.later[t]
            n += 1
    a.counts[0], a.counts[1] = m, n


def long_product(part, parts, step, first, rows, dtype, a):
    """``dwa = a^T dz``, ``dwb = b^T dz`` and ``db = sum of dz``, over all steps of all rows.

    The first half of `a_terms` says where the steps lie in a, the second where in dz; `b_terms`
    likewise. `counts` says how many there are; where it is empty, `steps_of_a` and `steps_of_b` say
    how many each row has. With `adds` the sums are added to dwa, dwb and db. A segment of the steps
    at a time, whose dz is still in the cache when b comes.
    """
    count_a = rows * a.steps_of_a if a.counts.size == 0 else a.counts[0]
    count_b = rows * a.steps_of_b if a.counts.size == 0 else a.counts[1]
    half_a, half_b = a.a_terms.size // 2, a.b_terms.size // 2
    segments = max(1, (max(count_a, count_b) + SEGMENT - 1) // SEGMENT)
    for segment in range(segments):
        fresh = int64(segment == 0 and not a.adds)
        k, m = count_a * segment // segments, count_b * segment // segments
        if a.width_a > 0:
            sum_gradient(
                dtype, part, parts, a, a.a, a.numbers, a.a_terms[k:], a.dz, 0,
                a.a_terms[half_a + k :], fresh, a.dwa, a.db, a.a_wide, a.width_a,
                count_a * (segment + 1) // segments - k,
            )  # fmt: skip
        if a.width_b > 0:
            sum_gradient(
                dtype, part, parts, a, a.b, a.numbers, a.b_terms[m:], a.dz, 0,
                a.b_terms[half_b + m :], fresh, a.dwb, a.db[:0], a.b_wide, a.width_b,
                count_b * (segment + 1) // segments - m,
            )  # fmt: skip
