"""The GRU through all its steps: gates side by side, overwritten by their gradients.

formula   r, z = s(b + x_t U + h_{t-1} W), n = tanh(b + x_t U + r s) with s = h_{t-1} V + b_hn;
          h_t = (1 - z) n + z h_{t-1}; or n = tanh(b + x_t U + s V) with s = r h_{t-1}
shapes    those of ``recurrent``; z (B, steps of 4 H): r, z, n, s; U (I, 3 H), W (H, 2 H),
          V (H, H), b (3 H,), b_hn (H,), empty where the reset comes before V; back, reset (B, H)
reads     forward x, U, W, V, b, b_hn, states; backward gates, h, dy, W^T, V^T and U^T
writes    forward gates into z, and h; backward dz in place of the gates, dx
source    ``pellucid.formulas.gru``, whose W is W and V side by side
"""

from __future__ import annotations

from numba import njit

from pellucid.kernels.activations import SIGMOID, TANH, activate
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
    step_product,
)

_device = njit(error_model="numpy", _nrt=False)


@_device
def _reset(gates, before, width, dtype):
    """Both gates from z, in place, and the state as the reset gate leaves it."""
    activate(SIGMOID, dtype(0), gates[: 2 * width])
    r, s = gates[:width], gates[3 * width : 4 * width]
    for j in range(width):
        s[j] = r[j] * before[j]


@_device
def _reset_after(gates, width, dtype):
    """Both gates from z, in place, and what the candidate takes of the state."""
    activate(SIGMOID, dtype(0), gates[: 2 * width])
    r, n = gates[:width], gates[2 * width : 3 * width]
    s = gates[3 * width : 4 * width]
    for j in range(width):
        n[j] += r[j] * s[j]


@_device
def _update(gates, before, h, width, dtype):
    """The candidate from what was summed up, in place, and the new state."""
    one = dtype(1)
    activate(TANH, dtype(0), gates[2 * width : 3 * width])
    z, n = gates[width : 2 * width], gates[2 * width : 3 * width]
    for j in range(width):
        h[j] = (one - z[j]) * n[j] + z[j] * before[j]


@_device
def _update_backward(gates, before, dh, width, dtype):
    """dz and dn in place of z and n; dh becomes what goes straight to the state before."""
    one = dtype(1)
    z, n = gates[width : 2 * width], gates[2 * width : 3 * width]
    for j in range(width):
        # h = (1 - z) n + z h_before
        dn, dz, to_before = dh[j] * (one - z[j]), dh[j] * (before[j] - n[j]), dh[j] * z[j]
        # z = s(...), n = tanh(...)
        n[j] = dn * (one - n[j] * n[j])
        z[j] = dz * (z[j] * (one - z[j]))
        dh[j] = to_before


@_device
def _reset_after_backward(gates, width, dtype):
    """dr and ds in place of r and s."""
    one = dtype(1)
    r, dn = gates[:width], gates[2 * width : 3 * width]
    s = gates[3 * width : 4 * width]
    for j in range(width):
        # n = tanh(... + r s), r = s(...)
        dr, ds = dn[j] * s[j], dn[j] * r[j]
        r[j] = dr * (r[j] * (one - r[j]))
        s[j] = ds


@_device
def _reset_backward(gates, before, ds, dh, width, dtype):
    """dr in place of r, and to dh what reaches the state through the reset."""
    one = dtype(1)
    r = gates[:width]
    for j in range(width):
        # s = r h_before, r = s(...)
        dh[j] += ds[j] * r[j]
        r[j] = ds[j] * before[j] * (r[j] * (one - r[j]))


def gru_forward(
    part, parts, step, first, rows, dtype,
    x, x_pixel, inputs, u, b, w, states, h, h_at, h_pixel, z, z_pixel,
    missing, places, numbers, steps, width, reverse, v, b_hn,
):  # fmt: skip
    """All gates and states of this thread's rows, step by step."""
    tables = places.size // 3
    begin, end = share(rows, part, parts)
    z_places, others = places[tables + begin :], places[2 * tables + begin :]
    for k in range(steps):
        count = step_gates(
            dtype, k, begin, end, x, x_pixel, inputs, u, b, 3 * width, w, 2 * width, states,
            h, h_at, h_pixel, z, z_pixel, missing, places, numbers, steps, width, reverse,
        )  # fmt: skip
        if count == 0:
            break
        if b_hn.size > 0:
            step_product(
                dtype, states[0] if k == 0 else h[0], 0 if k == 0 else h_at, others, v, b_hn, True,
                z[0], 3 * width, z_places, numbers, count, width, width,
            )  # fmt: skip
        for i in range(begin, end):
            steps_of_row = length(i, steps, missing)
            if k < steps_of_row:
                t = place(k, steps_of_row, reverse)
                gates = z[i, t * z_pixel : t * z_pixel + 4 * width]
                if b_hn.size > 0:
                    _reset_after(gates, width, dtype)
                else:
                    before = states[i] if k == 0 else h[i]
                    at = before_place(k, t, reverse, h_at, h_pixel)
                    _reset(gates, before[at : at + width], width, dtype)
        if b_hn.size == 0:
            step_product(
                dtype, z[0], 3 * width, z_places, v, b, False,
                z[0], 2 * width, z_places, numbers, count, width, width,
            )  # fmt: skip
        for i in range(begin, end):
            steps_of_row = length(i, steps, missing)
            if k < steps_of_row:
                t = place(k, steps_of_row, reverse)
                before = states[i] if k == 0 else h[i]
                at = before_place(k, t, reverse, h_at, h_pixel)
                _update(
                    z[i, t * z_pixel : t * z_pixel + 4 * width],
                    before[at : at + width],
                    h[i, h_at + t * h_pixel : h_at + t * h_pixel + width],
                    width, dtype,
                )  # fmt: skip


def gru_backward(
    part, parts, step, first, rows, dtype,
    h, h_at, h_pixel, dy, dy_at, dy_pixel, per_step, z, z_pixel, ut, wt, back, zeros,
    dx, dx_pixel, inputs, adds, missing, places, numbers, steps, width, reverse,
    states, vt, reset, after,
):  # fmt: skip
    """dz of all steps, from the last to the first, and dx."""
    tables = places.size // 3
    begin, end = share(rows, part, parts)
    z_places, others = places[tables + begin :], places[2 * tables + begin :]
    begin_backward(begin, end, dy, dy_at, per_step, back, width)
    for k in range(steps - 1, -1, -1):
        for i in range(begin, end):
            count = length(i, steps, missing)
            if k < count:
                t = place(k, count, reverse)
                gates = z[i, t * z_pixel : t * z_pixel + 4 * width]
                add_from_above(i, t, dy, dy_at, dy_pixel, per_step, back, width)
                before = states[i] if k == 0 else h[i]
                at = before_place(k, t, reverse, h_at, h_pixel)
                _update_backward(gates, before[at : at + width], back[i, :width], width, dtype)
                if after:
                    _reset_after_backward(gates, width, dtype)
        count = mark_backward(
            places, begin, end, k, z, z_pixel, dx, dx_pixel, back, steps, missing, reverse
        )
        if not after:
            step_product(
                dtype, z[0], 2 * width, z_places, vt, zeros, True, reset[0], 0, others,
                numbers, count, width, width,
            )  # fmt: skip
            for i in range(begin, end):
                steps_of_row = length(i, steps, missing)
                if k < steps_of_row:
                    t = place(k, steps_of_row, reverse)
                    before = states[i] if k == 0 else h[i]
                    at = before_place(k, t, reverse, h_at, h_pixel)
                    _reset_backward(
                        z[i, t * z_pixel : t * z_pixel + 4 * width],
                        before[at : at + width],
                        reset[i, :width], back[i, :width], width, dtype,
                    )  # fmt: skip
        step_backward(
            dtype, k, count, begin, z, 3 * width, 2 * width, ut, wt, back, zeros, False,
            dx, inputs, adds, places, numbers, width,
        )  # fmt: skip
        if after and k > 0:
            step_product(
                dtype, z[0], 3 * width, z_places, vt, zeros, False, back[0], 0, others,
                numbers, count, width, width,
            )  # fmt: skip
