"""The plain recurrent network through all its steps.

formula   h_t = f(b + x_t U + h_{t-1} W); dz_t = f'(z_t) dh_t
shapes    those of ``recurrent``; z (B, steps of H), back (B, H)
reads     forward x, U, W, b, states; backward h, dy, W^T and U^T
writes    forward z and h; backward dz in place of z, dx
source    ``pellucid.formulas.rnn``
"""

from __future__ import annotations

from pellucid.kernels.activations import activate
from pellucid.kernels.batches import present
from pellucid.kernels.intrinsics import share
from pellucid.kernels.operations.activations import RELU, SIGMOID, TANH
from pellucid.kernels.recurrent import (
    add_from_above,
    begin_backward,
    gates_at,
    mark_backward,
    place,
    state_at,
    step_backward,
    step_gates,
)


def rnn_forward(part, parts, step, first, rows, dtype, a):
    """All states of this thread's rows, step by step."""
    begin, end = share(rows, part, parts)
    for k in range(a.steps):
        if step_gates(dtype, k, begin, end, a, a.width, a.width) == 0:
            break
        for i in range(begin, end):
            count = present(i, a.steps, a.absent)
            if k < count:
                t = place(k, count, a.reverse)
                source, target = gates_at(a, i, t, 1), state_at(a, i, t)
                for j in range(a.width):
                    target[j] = source[j]
                activate(a.kind, dtype(0), target)


def rnn_backward(part, parts, step, first, rows, dtype, a):
    """dz of all steps, from the last to the first, and dx."""
    zero, one = dtype(0), dtype(1)
    begin, end = share(rows, part, parts)
    begin_backward(begin, end, a)
    for k in range(a.steps - 1, -1, -1):
        for i in range(begin, end):
            count = present(i, a.steps, a.absent)
            if k < count:
                t = place(k, count, a.reverse)
                add_from_above(i, t, a)
                dh, f, dz = a.back[i, : a.width], state_at(a, i, t), gates_at(a, i, t, 1)
                if a.kind == TANH:
                    for j in range(a.width):
                        dz[j] = dh[j] * (one - f[j] * f[j])
                elif a.kind == SIGMOID:
                    for j in range(a.width):
                        dz[j] = dh[j] * (f[j] * (one - f[j]))
                elif a.kind == RELU:
                    for j in range(a.width):
                        dz[j] = dh[j] if f[j] > zero else zero
        count = mark_backward(begin, end, k, a)
        step_backward(dtype, k, count, begin, a, a.width, a.width, True)
