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

from numba import njit

from pellucid.kernels.activations import SIGMOID, TANH, activate
from pellucid.kernels.elementary import tanh
from pellucid.kernels.intrinsics import share
from pellucid.kernels.recurrent import (
    add_from_above,
    before_place,
    begin_backward,
    length,
    mark_backward,
    place,
    step_backward,
    step_gates,
)

_device = njit(error_model="numpy", _nrt=False)


@_device
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


@_device
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


def lstm_forward(
    part, parts, step, first, rows, dtype,
    x, x_pixel, inputs, u, b, w, states, h, h_at, h_pixel, z, z_pixel,
    missing, places, numbers, steps, width, reverse, c, c_pixel, cells,
):  # fmt: skip
    """All gates and states of this thread's rows, step by step."""
    begin, end = share(rows, part, parts)
    for k in range(steps):
        count = step_gates(
            dtype, k, begin, end, x, x_pixel, inputs, u, b, 4 * width, w, 4 * width, states,
            h, h_at, h_pixel, z, z_pixel, missing, places, numbers, steps, width, reverse,
        )  # fmt: skip
        if count == 0:
            break
        for i in range(begin, end):
            count = length(i, steps, missing)
            if k < count:
                t = place(k, count, reverse)
                before = cells[i] if k == 0 else c[i]
                at = before_place(k, t, reverse, 0, c_pixel)
                _update(
                    z[i, t * z_pixel : t * z_pixel + 4 * width],
                    before[at : at + width],
                    c[i, t * c_pixel : t * c_pixel + width],
                    h[i, h_at + t * h_pixel : h_at + t * h_pixel + width],
                    width, dtype,
                )  # fmt: skip


def lstm_backward(
    part, parts, step, first, rows, dtype,
    h, h_at, h_pixel, dy, dy_at, dy_pixel, per_step, z, z_pixel, ut, wt, back, zeros,
    dx, dx_pixel, inputs, adds, missing, places, numbers, steps, width, reverse,
    c, c_pixel, cells, dc,
):  # fmt: skip
    """dz of all steps, from the last to the first, and dx."""
    begin, end = share(rows, part, parts)
    begin_backward(begin, end, dy, dy_at, per_step, back, width)
    for i in range(begin, end):
        row = dc[i, :width]
        for j in range(width):
            row[j] = 0
    for k in range(steps - 1, -1, -1):
        for i in range(begin, end):
            count = length(i, steps, missing)
            if k < count:
                t = place(k, count, reverse)
                add_from_above(i, t, dy, dy_at, dy_pixel, per_step, back, width)
                before = cells[i] if k == 0 else c[i]
                at = before_place(k, t, reverse, 0, c_pixel)
                _update_backward(
                    z[i, t * z_pixel : t * z_pixel + 4 * width],
                    before[at : at + width],
                    c[i, t * c_pixel : t * c_pixel + width],
                    back[i, :width],
                    dc[i, :width],
                    width, dtype,
                )  # fmt: skip
        count = mark_backward(
            places, begin, end, k, z, z_pixel, dx, dx_pixel, back, steps, missing, reverse
        )
        step_backward(
            dtype, k, count, begin, z, 4 * width, 4 * width, ut, wt, back, zeros, True,
            dx, inputs, adds, places, numbers, width,
        )  # fmt: skip
