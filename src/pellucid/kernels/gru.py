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

from numba import int64

from pellucid.kernels.activations import activate
from pellucid.kernels.batches import present
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
    step_product,
)


@device
def _reset(gates, before, width, dtype):
    """Both gates from z, in place, and the state as the reset gate leaves it."""
    activate(SIGMOID, dtype(0), gates[: 2 * width])
    r, s = gates[:width], gates[3 * width : 4 * width]
    for j in range(width):
        s[j] = r[j] * before[j]


@device
def _reset_after(gates, width, dtype):
    """Both gates from z, in place, and what the candidate takes of the state."""
    activate(SIGMOID, dtype(0), gates[: 2 * width])
    r, n = gates[:width], gates[2 * width : 3 * width]
    s = gates[3 * width : 4 * width]
    for j in range(width):
        n[j] += r[j] * s[j]


@device
def _update(gates, before, h, width, dtype):
    """The candidate from what was summed up, in place, and the new state."""
    one = dtype(1)
    activate(TANH, dtype(0), gates[2 * width : 3 * width])
    z, n = gates[width : 2 * width], gates[2 * width : 3 * width]
    for j in range(width):
        h[j] = (one - z[j]) * n[j] + z[j] * before[j]


@device
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


@device
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


@device
def _reset_backward(gates, before, ds, dh, width, dtype):
    """dr in place of r, and to dh what reaches the state through the reset."""
    one = dtype(1)
    r = gates[:width]
    for j in range(width):
        # s = r h_before, r = s(...)
        dh[j] += ds[j] * r[j]
        r[j] = ds[j] * before[j] * (r[j] * (one - r[j]))


@view
def _state_before(a, i, k, t):
    return before_step(a, i, k, t, a.states, a.h, a.h_at, a.h_pixel)


def gru_forward(part, parts, step, first, rows, dtype, a):
    """All gates and states of this thread's rows, step by step."""
    width = a.width
    tables = a.places.size // 3
    begin, end = share(rows, part, parts)
    z_places, others = a.places[tables + begin :], a.places[2 * tables + begin :]
    for k in range(a.steps):
        count = step_gates(dtype, k, begin, end, a, 3 * width, 2 * width)
        if count == 0:
            break
        if a.b_hn.size > 0:
            step_product(
                dtype, a.states[0] if k == 0 else a.h[0], 0 if k == 0 else a.h_at, others,
                a.v, a.b_hn, int64(True), a.z[0], 3 * width, z_places, a.numbers, count, width,
                width,
            )  # fmt: skip
        for i in range(begin, end):
            steps_of_row = present(i, a.steps, a.absent)
            if k < steps_of_row:
                t = place(k, steps_of_row, a.reverse)
                if a.b_hn.size > 0:
                    _reset_after(gates_at(a, i, t, 4), width, dtype)
                else:
                    _reset(gates_at(a, i, t, 4), _state_before(a, i, k, t), width, dtype)
        if a.b_hn.size == 0:
            step_product(
                dtype, a.z[0], 3 * width, z_places, a.v, a.b, int64(False),
                a.z[0], 2 * width, z_places, a.numbers, count, width, width,
            )  # fmt: skip
        for i in range(begin, end):
            steps_of_row = present(i, a.steps, a.absent)
            if k < steps_of_row:
                t = place(k, steps_of_row, a.reverse)
                before = _state_before(a, i, k, t)
                _update(gates_at(a, i, t, 4), before, state_at(a, i, t), width, dtype)


def gru_backward(part, parts, step, first, rows, dtype, a):
    """dz of all steps, from the last to the first, and dx."""
    width = a.width
    tables = a.places.size // 3
    begin, end = share(rows, part, parts)
    z_places, others = a.places[tables + begin :], a.places[2 * tables + begin :]
    begin_backward(begin, end, a)
    for k in range(a.steps - 1, -1, -1):
        for i in range(begin, end):
            count = present(i, a.steps, a.absent)
            if k < count:
                t = place(k, count, a.reverse)
                gates, before = gates_at(a, i, t, 4), _state_before(a, i, k, t)
                add_from_above(i, t, a)
                _update_backward(gates, before, a.back[i, :width], width, dtype)
                if a.after:
                    _reset_after_backward(gates, width, dtype)
        count = mark_backward(begin, end, k, a)
        if not a.after:
            step_product(
                dtype, a.z[0], 2 * width, z_places, a.vt, a.zeros, int64(True), a.reset[0],
                int64(0), others,
                a.numbers, count, width, width,
            )  # fmt: skip
            for i in range(begin, end):
                steps_of_row = present(i, a.steps, a.absent)
                if k < steps_of_row:
                    t = place(k, steps_of_row, a.reverse)
                    _reset_backward(
                        gates_at(a, i, t, 4), _state_before(a, i, k, t),
                        a.reset[i, :width], a.back[i, :width], width, dtype,
                    )  # fmt: skip
        step_backward(dtype, k, count, begin, a, 3 * width, 2 * width, False)
        if a.after and k > 0:
            step_product(
                dtype, a.z[0], 3 * width, z_places, a.vt, a.zeros, int64(False), a.back[0],
                int64(0), others,
                a.numbers, count, width, width,
            )  # fmt: skip
