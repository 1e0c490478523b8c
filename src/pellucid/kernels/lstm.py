"""The LSTM through all its steps: gates side by side, overwritten by their gradients.

formula   i, f, o = s(z), g = tanh(z) with z = b + x_t U + h_{t-1} W; c_t = f c_{t-1} + i g;
          h_t = o tanh(c_t)
shapes    those of ``recurrent``; z (B, steps of 4 H): i, f, g, o; c (B, steps of H), cells and
          states (B, H): what was before the first step
reads     forward x, U, W, b, states, cells; backward gates, c, dy, W^T and U^T
writes    forward gates into z, c and h; backward dz in place of the gates, dx
source    ``pellucid.formulas.lstm``
"""

from __future__ import annotations

from pellucid.kernels.activations import activate
from pellucid.kernels.batches import present
from pellucid.kernels.elementary import tanh
from pellucid.kernels.intrinsics import device, share, view
from pellucid.kernels.operations.activations import SIGMOID, TANH
from pellucid.kernels.recurrent import (
    add_from_above,
    before_step,
    begin_backward,
    gates_at,
    mark_backward,
    place,
    state_at,
    step_backward,
    step_gates,
)


@view
def _cell_at(a, i, t):
    """The cell state of row i at place t."""
    return a.c[i, t * a.c_pixel : t * a.c_pixel + a.width]


@device
def _update(gates, before, c, h, width, dtype):
    """Gates from z, in place; the cell state and the hidden state."""
    activate(SIGMOID, dtype(0), gates[: 2 * width])
    activate(TANH, dtype(0), gates[2 * width : 3 * width])
    activate(SIGMOID, dtype(0), gates[3 * width : 4 * width])
    i, f = gates[:width], gates[width : 2 * width]
    g, o = gates[2 * width : 3 * width], gates[3 * width : 4 * width]
    for j in range(width):
        c[j] = f[j] * before[j] + i[j] * g[j]
    for j in range(width):
        h[j] = o[j] * tanh(c[j])


@device
def _update_backward(gates, before, c, dh, dc, width, dtype):
    """dz in place of the gates; dc becomes that of the step before."""
    one = dtype(1)
    i, f = gates[:width], gates[width : 2 * width]
    g, o = gates[2 * width : 3 * width], gates[3 * width : 4 * width]
    for j in range(width):
        s = tanh(c[j])
        # h = o tanh(c)
        do = dh[j] * s
        d = dc[j] + dh[j] * o[j] * (one - s * s)
        # c = f c_before + i g
        df, di, dg = d * before[j], d * g[j], d * i[j]
        dc[j] = d * f[j]
        # i, f, o = s(z), g = tanh(z)
        i[j] = di * (i[j] * (one - i[j]))
        f[j] = df * (f[j] * (one - f[j]))
        g[j] = dg * (one - g[j] * g[j])
        o[j] = do * (o[j] * (one - o[j]))


def lstm_forward(part, parts, step, first, rows, dtype, a):
    """All gates and states of this thread's rows, step by step."""
    begin, end = share(rows, part, parts)
    for k in range(a.steps):
        if step_gates(dtype, k, begin, end, a, 4 * a.width, 4 * a.width) == 0:
            break
        for i in range(begin, end):
            count = present(i, a.steps, a.absent)
            if k < count:
                t = place(k, count, a.reverse)
                before = before_step(a, i, k, t, a.cells, a.c, 0, a.c_pixel)
                _update(
                    gates_at(a, i, t, 4), before, _cell_at(a, i, t), state_at(a, i, t),
                    a.width, dtype,
                )  # fmt: skip


def lstm_backward(part, parts, step, first, rows, dtype, a):
    """dz of all steps, from the last to the first, and dx."""
    begin, end = share(rows, part, parts)
    begin_backward(begin, end, a)
    for i in range(begin, end):
        row = a.dc[i, : a.width]
        for j in range(a.width):
            row[j] = 0
    for k in range(a.steps - 1, -1, -1):
        for i in range(begin, end):
            count = present(i, a.steps, a.absent)
            if k < count:
                t = place(k, count, a.reverse)
                add_from_above(i, t, a)
                before = before_step(a, i, k, t, a.cells, a.c, 0, a.c_pixel)
                _update_backward(
                    gates_at(a, i, t, 4), before, _cell_at(a, i, t),
                    a.back[i, : a.width], a.dc[i, : a.width], a.width, dtype,
                )  # fmt: skip
        count = mark_backward(begin, end, k, a)
        step_backward(dtype, k, count, begin, a, 4 * a.width, 4 * a.width, True)
