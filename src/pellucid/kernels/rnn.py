"""The plain recurrent network through all its steps.

formula   h_t = f(b + x_t U + h_{t-1} W); dz_t = f'(z_t) dh_t
shapes    those of ``recurrent``; z (B, steps of H), back (B, H)
reads     forward x, U, W, b, states; backward h, dy, W^T and U^T
writes    forward z and h; backward dz in place of z, dx
source    ``pellucid.formulas.rnn``
"""

from __future__ import annotations

from pellucid.kernels.activations import RELU, SIGMOID, TANH, activate
from pellucid.kernels.intrinsics import share
from pellucid.kernels.recurrent import (
    add_from_above,
    begin_backward,
    length,
    mark_backward,
    place,
    step_backward,
    step_gates,
)


def rnn_forward(
    part, parts, step, first, rows, dtype,
    x, x_pixel, inputs, u, b, w, states, h, h_at, h_pixel, z, z_pixel,
    missing, places, numbers, steps, width, reverse, kind,
):  # fmt: skip
    """All states of this thread's rows, step by step."""
    begin, end = share(rows, part, parts)
    for k in range(steps):
        count = step_gates(
            dtype, k, begin, end, x, x_pixel, inputs, u, b, width, w, width, states,
            h, h_at, h_pixel, z, z_pixel, missing, places, numbers, steps, width, reverse,
        )  # fmt: skip
        if count == 0:
            break
        for i in range(begin, end):
            count = length(i, steps, missing)
            if k < count:
                t = place(k, count, reverse)
                source = z[i, t * z_pixel : t * z_pixel + width]
                target = h[i, h_at + t * h_pixel : h_at + t * h_pixel + width]
                for j in range(width):
                    target[j] = source[j]
                activate(kind, dtype(0), target)


def rnn_backward(
    part, parts, step, first, rows, dtype,
    h, h_at, h_pixel, dy, dy_at, dy_pixel, per_step, z, z_pixel, ut, wt, back, zeros,
    dx, dx_pixel, inputs, adds, missing, places, numbers, steps, width, reverse, kind,
):  # fmt: skip
    """dz of all steps, from the last to the first, and dx."""
    zero, one = dtype(0), dtype(1)
    begin, end = share(rows, part, parts)
    begin_backward(begin, end, dy, dy_at, per_step, back, width)
    for k in range(steps - 1, -1, -1):
        for i in range(begin, end):
            count = length(i, steps, missing)
            if k < count:
                t = place(k, count, reverse)
                add_from_above(i, t, dy, dy_at, dy_pixel, per_step, back, width)
                dh = back[i, :width]
                f = h[i, h_at + t * h_pixel : h_at + t * h_pixel + width]
                dz = z[i, t * z_pixel : t * z_pixel + width]
                if kind == TANH:
                    for j in range(width):
                        dz[j] = dh[j] * (one - f[j] * f[j])
                elif kind == SIGMOID:
                    for j in range(width):
                        dz[j] = dh[j] * (f[j] * (one - f[j]))
                elif kind == RELU:
                    for j in range(width):
                        dz[j] = dh[j] if f[j] > zero else zero
        count = mark_backward(
            places, begin, end, k, z, z_pixel, dx, dx_pixel, back, steps, missing, reverse
        )
        step_backward(
            dtype, k, count, begin, z, width, width, ut, wt, back, zeros, True,
            dx, inputs, adds, places, numbers, width,
        )  # fmt: skip
